/* judge.c - every record against the wire: who ended the call, when it rang, was answered and ended, and that nothing is left. */
#include "storm.h"

#include <inttypes.h>
#include <stdio.h>

enum { NEAR_MS = 200, AFTER_GAP_MS = 6000 };

/* One call as the wire has it. */
struct wire {
	struct capture_leg a, b;
	bool has_a, has_b;
	bool joined; /* the caller was told the callee's address, and took it */
};

static unsigned port_of(const struct user *user)
{
	return phone_port(user->phone);
}

/* A second offer that the caller's phone accepted. */
static bool was_joined(struct capture *capture, const char *call_id)
{
	struct capture_query query = { .call_id = call_id, .method = "INVITE", .code = 200, .src_port = port_of(&alice) };
	const struct captured *first = capture_find(capture, &query);
	for (const struct captured *next = first; next;) {
		query.after_us = next->at_us;
		next = capture_find(capture, &query);
		if (next && next->cseq > first->cseq)
			return true;
	}
	return false;
}

static void read_wire(struct storm *storm, const char *id, struct wire *wire)
{
	char call_id[128];
	*wire = (struct wire){ .joined = false };
	snprintf(call_id, sizeof(call_id), "%s-b", id);
	wire->has_b = capture_leg(storm->capture, call_id, port_of(&bob), &wire->b);
	snprintf(call_id, sizeof(call_id), "%s-a", id);
	wire->has_a = capture_leg(storm->capture, call_id, port_of(&alice), &wire->a);
	wire->joined = wire->has_a && wire->has_b && wire->b.answered && was_joined(storm->capture, call_id);
}

static bool was_asked(const struct storm *storm, const char *id)
{
	for (size_t i = 0; i < storm->asked_count; i++)
		if (strcmp(storm->asked[i], id) == 0)
			return true;
	return false;
}

/* The gap that a moment lies in or just after; NULL if the victim was there. */
static const struct storm_gap *gap_at(const struct storm *storm, int64_t at_ms)
{
	for (size_t i = 0; i < storm->gap_count; i++)
		if (at_ms >= storm->gaps[i].from_ms - NEAR_MS && at_ms <= storm->gaps[i].to_ms + NEAR_MS)
			return &storm->gaps[i];
	return NULL;
}

/* When the gateway must have learnt of what happened in a gap: phones repeat themselves for seconds, and more gaps may follow. */
static int64_t known_by(const struct storm *storm, const struct storm_gap *gap)
{
	int64_t by_ms = gap->to_ms + AFTER_GAP_MS;
	for (; gap < storm->gaps + storm->gap_count && gap->from_ms <= by_ms; gap++)
		by_ms = gap->to_ms + AFTER_GAP_MS;
	return by_ms;
}

/* The record's time is the wire's; or, if the gateway was away just then, one at which the next gateway learnt of it. */
static bool time_agrees(const struct storm *storm, int64_t record_ms, int64_t wire_ms, int64_t *worst)
{
	const struct storm_gap *gap = gap_at(storm, wire_ms);
	int64_t apart = record_ms > wire_ms ? record_ms - wire_ms : wire_ms - record_ms;
	if (apart <= NEAR_MS) {
		*worst = apart > *worst ? apart : *worst;
		return true;
	}
	return gap && record_ms >= wire_ms && record_ms <= known_by(storm, gap);
}

static const char *judge_completed(const struct storm *storm, const struct nxv_session *s, const struct wire *wire, int64_t *worst)
{
	const struct capture_leg *leg = strcmp(s->end_reason, "hangup_caller") == 0 ? &wire->a : &wire->b;
	if (!wire->b.answered)
		return "completed, but the callee never answered";
	if (!time_agrees(storm, s->answered_at_ms, wire->b.answered, worst))
		return "answered at another time";
	if (strcmp(s->end_reason, "ended_by_api") == 0) {
		if (!was_asked(storm, s->id))
			return "ended by the API, which nobody asked";
		return wire->a.bye && wire->b.bye ? NULL : "ended by the API, but a phone heard no BYE";
	}
	if (strncmp(s->end_reason, "hangup_", 7) != 0)
		return "a call that was up ended without anybody hanging up";
	if (!leg->bye || leg->bye_by_caller)
		return "somebody else hung up";
	return time_agrees(storm, s->ended_at_ms, leg->bye, worst) ? NULL : "ended at another time";
}

/* Ended by the restart: it must not have been joined, and nobody may be left in it. */
static const char *judge_restarted(const struct storm *storm, const struct nxv_session *s, const struct wire *wire)
{
	if (wire->joined)
		return "a joined call was given up";
	if (!gap_at(storm, s->ended_at_ms - AFTER_GAP_MS / 2) && !gap_at(storm, s->ended_at_ms))
		return "no restart there";
	if ((wire->a.answered && !wire->a.bye) || (wire->b.answered && !wire->b.bye))
		return "a phone was left in it";
	return NULL;
}

static const char *judge_one(const struct storm *storm, const struct nxv_session *s, const struct wire *wire, int64_t *worst)
{
	const char *reason = s->end_reason ? s->end_reason : "";
	if (!nxv_call_status_ended(s->status))
		return "left open";
	if (s->ringing_at_ms && (!wire->a.ringing || !time_agrees(storm, s->ringing_at_ms, wire->a.ringing, worst)))
		return "rang at another time";
	if (storm->victim == KILL_SIP_SERVER && (strcmp(reason, "server_lost") == 0 || gap_at(storm, s->ended_at_ms)))
		return NULL;
	if (s->status == NXV_CALL_COMPLETED)
		return judge_completed(storm, s, wire, worst);
	if (strcmp(reason, "gateway_restarted") == 0)
		return judge_restarted(storm, s, wire);
	if (wire->joined)
		return "the parties talked, but it is not completed";
	if (strcmp(reason, "ended_by_api") == 0)
		return was_asked(storm, s->id) ? NULL : "ended by the API, which nobody asked";
	if (strcmp(reason, "hangup_caller") == 0)
		return wire->a.bye && !wire->a.bye_by_caller ? NULL : "the caller did not hang up";
	if (strcmp(reason, "hangup_callee") == 0)
		return wire->b.bye && !wire->b.bye_by_caller ? NULL : "the callee did not hang up";
	return "an ending that nobody played";
}

static void report(struct storm *storm, const struct nxv_session *s, const struct wire *wire, const char *why)
{
	char call_id[128];
	print_message("%s: %s, %s: %s (rang %" PRId64 " answered %" PRId64 " ended %" PRId64 "; joined on the wire: %d)\n", s->id,
		nxv_call_status_name(s->status), s->end_reason ? s->end_reason : "-", why, s->ringing_at_ms, s->answered_at_ms,
		s->ended_at_ms, wire->joined);
	for (const char *leg = "ab"; *leg; leg++) {
		snprintf(call_id, sizeof(call_id), "%s-%c", s->id, *leg);
		capture_dump(storm->capture, call_id, stdout);
	}
}

static void judge(struct storm *storm, const struct nxv_session *s, struct storm_tally *tally)
{
	struct wire wire;
	const char *why, *reason = s->end_reason ? s->end_reason : "";
	read_wire(storm, s->id, &wire);
	why = judge_one(storm, s, &wire, &tally->worst_ms);
	tally->calls++;
	tally->joined += wire.joined;
	tally->restarted += strcmp(reason, "gateway_restarted") == 0;
	tally->lost += strcmp(reason, "server_lost") == 0;
	if (storm->victim == KILL_NEXUSD && wire.joined && strncmp(reason, "hangup_", 7) != 0 && strcmp(reason, "ended_by_api") != 0)
		tally->cut++;
	if (why && tally->differ++ < 10)
		report(storm, s, &wire, why);
}

/* Calls of ours on the wire, each once: those that have no record. */
static unsigned count_missing(struct storm *storm)
{
	unsigned missing = 0;
	for (const struct captured *m = capture_next(storm->capture, NULL); m; m = capture_next(storm->capture, m)) {
		struct nxv_session *session = NULL;
		char id[160];
		size_t len = strlen(m->call_id);
		if (strcmp(m->method, "INVITE") != 0 || m->code || len < 3 || strncmp(m->call_id, "session_", 8) != 0)
			continue;
		snprintf(id, sizeof(id), "%.*s", (int)(len - 2), m->call_id);
		missing += nxv_session_get(gw.ctx, id, &session, NULL) != NXV_OK;
		nxv_session_free(session);
	}
	return missing;
}

void storm_judge(struct storm *storm, struct storm_tally *tally)
{
	struct nxv_session_list_opts opts = NXV_SESSION_LIST_OPTS_INIT;
	char cursor[128];
	bool more = true;
	*tally = (struct storm_tally){ .slots = slots_wait(&gw, "alice", 0, SOON_MS), .missing = count_missing(storm) };
	opts.oldest_first = true;
	opts.limit = 1000;
	opts.since_ms = storm->began_ms;
	while (more) {
		struct nxv_session_page *page = NULL;
		assert_int_equal(nxv_session_list(gw.ctx, &opts, &page, NULL), NXV_OK);
		for (size_t i = 0; i < page->count; i++)
			judge(storm, page->items[i], tally);
		more = page->next_cursor;
		snprintf(cursor, sizeof(cursor), "%s", more ? page->next_cursor : "");
		opts.cursor = cursor;
		nxv_session_page_free(page);
	}
}
