/* truth_judge.c - holds a call's record against the capture. Every expected value is read off the wire or fixed in the
 * table of rows; the only allowance is SLACK_MS for a time. */
#include "truth.h"

#include <stdarg.h>
#include <stdio.h>

struct legs {
	char id[2][160];
	struct capture_leg leg[2];
	int64_t left[2]; /* first BYE or CANCEL; 0: none */
};

bool truth_problem(struct stage *s, const char *format, ...)
{
	va_list args;
	if (!s->problem[0]) {
		va_start(args, format);
		vsnprintf(s->problem, sizeof(s->problem), format, args);
		va_end(args);
	}
	return false;
}

static struct user reader(const struct stage *s)
{
	struct user user = s->a;
	snprintf(user.key, sizeof(user.key), "%s", gw.admin_key);
	return user;
}

bool truth_read(struct stage *s, struct told *out)
{
	struct user user = reader(s);
	return api_get(&gw, &user, s->id, out);
}

bool truth_wait(struct stage *s, const char *status, int timeout_ms)
{
	struct user user = reader(s);
	return api_wait(&gw, &user, s->id, status, timeout_ms, &s->call);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* A dialled call has one dialog, which is both legs here. */
static void read_wire(const struct stage *s, struct legs *w)
{
	memset(w, 0, sizeof(*w));
	for (int i = 0; i < 2; i++) {
		snprintf(w->id[i], sizeof(w->id[i]), s->dialled[0] ? "%s" : i ? "%s-b" : "%s-a", s->dialled[0] ? s->dialled : s->id);
		capture_leg(s->wire, w->id[i], 0, &w->leg[i]);
		w->left[i] = sooner(w->leg[i].bye, w->leg[i].canceled);
	}
}

static int64_t wire_end(const struct stage *s, const struct legs *w)
{
	switch (s->row->end) {
	case BY_LEAVE:
		return sooner(w->left[0], w->left[1]);
	case BY_REFUSAL_A:
		return w->leg[0].refused;
	case BY_REFUSAL_B:
		return w->leg[1].refused;
	case BY_NOTHING:
		return w->leg[0].invited ? 0 : s->call.started_ms;
	case BY_EVENT:
		return s->event_ms;
	case BY_RESTART:
		return s->call.ended_ms >= s->event_ms && s->call.ended_ms <= s->until_ms ? s->call.ended_ms : s->event_ms;
	}
	return 0;
}

/* told must be there if and only if it was on the wire, at that time. */
static bool check_time(struct stage *s, const char *what, int64_t told, int64_t wire)
{
	if (!wire && !told) {
		return true;
	}
	if (!wire || !told) {
		return truth_problem(s, "%s is %s, but on the wire it %s", what, told ? "told" : "not told", wire ? "happened" : "did not happen");
	}
	int64_t error = told > wire ? told - wire : wire - told;
	s->worst_ms = error > s->worst_ms ? error : s->worst_ms;
	return error <= SLACK_MS || truth_problem(s, "%s is %lld ms %s", what, (long long)error, told > wire ? "late" : "early");
}

static bool has_event(const struct truth_row *row, const char *name)
{
	const char *at = strstr(row->events, name);
	size_t n = strlen(name);
	return at && (at == row->events || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0');
}

/* What the row's events say happened must have been on the wire, and the API tells when. */
static bool check_times(struct stage *s, const struct legs *w)
{
	const struct told *t = &s->call;
	bool rang = has_event(s->row, s->dialled[0] ? "callee_ringing" : "caller_ringing"), answered = has_event(s->row, "callee_answered");
	int64_t end = wire_end(s, w);
	if (!end) {
		return truth_problem(s, "what should have ended it was not on the wire");
	}
	if (!check_time(s, "ringingAt", t->ringing_ms, rang ? w->leg[0].ringing : 0)
		|| !check_time(s, "answeredAt", t->answered_ms, answered ? w->leg[1].answered : 0)
		|| !check_time(s, "endedAt", t->ended_ms, end)) {
		return false;
	}
	int64_t seconds = answered ? (t->ended_ms - t->answered_ms) / 1000 : 0;
	return t->duration_s == seconds || truth_problem(s, "durationSeconds is %lld, not %lld", (long long)t->duration_s, (long long)seconds);
}

/* Who hung up: the first BYE or CANCEL came from that party's phone, and from no phone when nobody is said to have. */
static bool check_who(struct stage *s, const struct legs *w)
{
	bool caller = strcmp(s->call.reason, "hangup_caller") == 0, callee = strcmp(s->call.reason, "hangup_callee") == 0;
	/* in microseconds: our BYE to the one phone may follow the other phone's within the same millisecond */
	int64_t a_us = w->leg[0].left_us, b_us = w->leg[1].left_us;
	unsigned port = w->leg[a_us && a_us == sooner(a_us, b_us) ? 0 : 1].left_port;
	bool from_a = s->a.phone && port == phone_port(s->a.phone), from_b = s->b.phone && port == phone_port(s->b.phone);
	if (caller != from_a || callee != from_b) {
		return truth_problem(s, "the reason is %s, but %s left first", s->call.reason,
			from_a ? "the caller's phone" : from_b ? "the callee's phone" : "no phone");
	}
	return true;
}

static bool check_events(struct stage *s)
{
	struct nxv_event_opts opts = NXV_EVENT_OPTS_INIT;
	struct nxv_event_list *list = NULL;
	char seen[600] = "";
	bool ordered = true;
	opts.subject = s->id;
	opts.limit = 1000;
	if (nxv_event_pull(gw.ctx, &opts, &list, NULL) != NXV_OK) {
		return truth_problem(s, "no events");
	}
	for (size_t i = 0; i < list->count; i++) {
		const char *type = strncmp(list->items[i]->type, "call.", 5) == 0 ? list->items[i]->type + 5 : list->items[i]->type;
		size_t len = strlen(seen);
		snprintf(seen + len, sizeof(seen) - len, "%s%s", i ? " " : "", type);
		ordered = ordered && (i == 0 || (list->items[i]->seq > list->items[i - 1]->seq && list->items[i]->at_ms >= list->items[i - 1]->at_ms));
	}
	int64_t last = list->count ? list->items[list->count - 1]->seq : 0;
	nxv_event_list_free(list);
	if (!ordered) {
		return truth_problem(s, "events out of order: %s", seen);
	}
	if (last != s->call.seq) {
		return truth_problem(s, "seq is %lld, the last event's %lld", (long long)s->call.seq, (long long)last);
	}
	return strcmp(seen, s->row->events) == 0 || truth_problem(s, "events: %s", seen);
}

static bool quiet(struct phone *phone)
{
	int64_t deadline = now_ms() + SOON_MS;
	while (phone && phone_calls_up(phone) > 0 && now_ms() < deadline) {
		nap_ms(5);
	}
	return !phone || phone_calls_up(phone) == 0;
}

bool truth_judge(struct stage *s)
{
	struct legs wire;
	if (!truth_wait(s, "ended", SOON_MS)) {
		return truth_problem(s, "it is %s still", s->call.status);
	}
	if (!s->row->deaf && !(quiet(s->a.phone) && quiet(s->b.phone) && quiet(s->extra))) {
		return truth_problem(s, "a phone still talks");
	}
	s->slots = slots_wait(&gw, s->a.id, 0, 1000) + slots_wait(&gw, s->b.id, 0, 0);
	nap_ms(100); /* what still comes must change nothing */
	struct told again;
	if (!truth_read(s, &again) || again.seq != s->call.seq) {
		return truth_problem(s, "the record changed after the end");
	}
	read_wire(s, &wire);
	if (strcmp(s->call.status, s->row->status) != 0 || strcmp(s->call.reason, s->row->reason) != 0) {
		return truth_problem(s, "told as %s, %s", s->call.status, s->call.reason);
	}
	if (s->call.sip_code != (s->row->code ? s->row->code : -1)) { /* -1: the member is not there */
		return truth_problem(s, "sipCode is %d, not %d", s->call.sip_code, s->row->code);
	}
	if (s->slots != 0) {
		return truth_problem(s, "%lld slots are held", (long long)s->slots);
	}
	if (capture_lost(s->wire) != 0) {
		return truth_problem(s, "the capture has gaps");
	}
	struct http_reply *health = gateway_http(&gw, "GET", "/api/v1/opensips/health", gw.admin_key, NULL);
	if (json_number(health->json, "activeCalls") != 0) {
		return truth_problem(s, "%lld calls are active", (long long)json_number(health->json, "activeCalls"));
	}
	return check_times(s, &wire) && check_who(s, &wire) && check_events(s);
}
