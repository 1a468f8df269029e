/* capture_query.c - questions to a capture: when did what pass, and what was a dialog's life. */
#include "capture_inside.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static bool code_matches(int want, int code)
{
	if (want == CAPTURE_ANY) {
		return true;
	}
	return want > 0 && want < 10 ? code / 100 == want && code != 100 : code == want;
}

static bool matches(const struct capture_query *q, const struct captured *m)
{
	return (!q->call_id || strcmp(q->call_id, m->call_id) == 0) && (!q->method || strcmp(q->method, m->method) == 0)
		&& code_matches(q->code, m->code) && (!q->src_port || q->src_port == m->src_port)
		&& (!q->dst_port || q->dst_port == m->dst_port) && m->at_us > q->after_us;
}

static const struct captured *find(const struct capture *capture, const struct capture_query *query)
{
	const struct captured *m = capture->first;
	while (m && !matches(query, m)) {
		m = m->next;
	}
	return m;
}

const struct captured *capture_find(struct capture *capture, const struct capture_query *query)
{
	capture_lock(capture);
	const struct captured *m = find(capture, query);
	pthread_mutex_unlock(&capture->lock);
	return m;
}

const struct captured *capture_last(struct capture *capture, const struct capture_query *query)
{
	const struct captured *last = NULL;
	capture_lock(capture);
	for (const struct captured *m = capture->first; m; m = m->next) {
		last = matches(query, m) ? m : last;
	}
	pthread_mutex_unlock(&capture->lock);
	return last;
}

size_t capture_count(struct capture *capture, const struct capture_query *query)
{
	size_t count = 0;
	capture_lock(capture);
	for (const struct captured *m = capture->first; m; m = m->next) {
		count += matches(query, m);
	}
	pthread_mutex_unlock(&capture->lock);
	return count;
}

const struct captured *capture_wait(struct capture *capture, const struct capture_query *query, int timeout_ms)
{
	struct timespec until;
	const struct captured *m;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	capture_lock(capture);
	while (!(m = find(capture, query)) && pthread_cond_timedwait(&capture->changed, &capture->lock, &until) != ETIMEDOUT) {
	}
	pthread_mutex_unlock(&capture->lock);
	return m;
}

const struct captured *capture_next(struct capture *capture, const struct captured *after)
{
	capture_lock(capture);
	const struct captured *m = after ? after->next : capture->first;
	pthread_mutex_unlock(&capture->lock);
	return m;
}

int64_t capture_ms(struct capture *capture, const char *call_id, const char *method, int code)
{
	const struct captured *m = capture_find(capture, &(struct capture_query){ .call_id = call_id, .method = method, .code = code });
	return m ? m->at_us / 1000 : 0;
}

static void print(const struct captured *m, FILE *out)
{
	char what[32];
	if (m->code) {
		snprintf(what, sizeof(what), "%d %s", m->code, m->method);
	} else {
		snprintf(what, sizeof(what), "%s", m->method);
	}
	fprintf(out, "%lld.%06lld %21s > %-21s %-14s %3u  %s%s%s%s%s\n", (long long)(m->at_us / 1000000), (long long)(m->at_us % 1000000),
		m->src, m->dst, what, m->cseq, m->call_id, m->reason[0] ? "  Reason: " : "", m->reason, m->session[0] ? "  session " : "", m->session);
}

void capture_dump(struct capture *capture, const char *call_id, FILE *out)
{
	capture_lock(capture);
	for (const struct captured *m = capture->first; m; m = m->next) {
		if (!call_id || strcmp(call_id, m->call_id) == 0) {
			print(m, out);
		}
	}
	pthread_mutex_unlock(&capture->lock);
}

static void first(int64_t *moment, const struct captured *m)
{
	*moment = *moment ? *moment : m->at_us / 1000;
}

/* What one message adds; `invite` is the one that began the dialog, or, after a challenge, is sent in its place. */
static void add(struct capture_leg *leg, const struct captured *m, const struct captured **invite)
{
	bool is_invite = strcmp(m->method, "INVITE") == 0;
	if (is_invite && m->code == 0 && !m->to_tag[0]) {
		*invite = m;
		first(&leg->invited, m);
	} else if (!*invite) {
		return;
	} else if (is_invite && m->cseq == (*invite)->cseq && m->code > 100) {
		if (m->code < 200) {
			first(&leg->ringing, m);
		} else if (m->code != 401 && m->code != 407) {
			if (m->code < 300 && !leg->answered) {
				snprintf(leg->tag, sizeof(leg->tag), "%s", m->to_tag);
			}
			first(m->code < 300 ? &leg->answered : &leg->refused, m);
			leg->code = leg->code ? leg->code : m->code;
		}
	} else if (m->code == 0 && strcmp(m->method, "ACK") == 0 && leg->answered) {
		first(&leg->acked, m);
	} else if (m->code == 0 && strcmp(m->method, "CANCEL") == 0 && !leg->answered && !leg->canceled) {
		first(&leg->canceled, m); /* a later one is for the phones that did not answer first */
		leg->left_port = m->src_port;
		leg->left_us = m->at_us;
	} else if (m->code == 0 && strcmp(m->method, "BYE") == 0 && !leg->bye
		&& (strcmp(m->from_tag, leg->tag) == 0 || strcmp(m->to_tag, leg->tag) == 0)) {
		first(&leg->bye, m);
		leg->left_port = leg->canceled ? leg->left_port : m->src_port;
		leg->left_us = leg->canceled ? leg->left_us : m->at_us;
		leg->bye_by_caller = strcmp(m->from_tag, (*invite)->from_tag) == 0;
	}
}

bool capture_leg(struct capture *capture, const char *call_id, unsigned phone_port, struct capture_leg *out)
{
	const struct captured *invite = NULL;
	*out = (struct capture_leg){ 0 };
	capture_lock(capture);
	for (const struct captured *m = capture->first; m; m = m->next) {
		if (strcmp(m->call_id, call_id) == 0 && (!phone_port || m->src_port == phone_port || m->dst_port == phone_port)) {
			add(out, m, &invite);
		}
	}
	pthread_mutex_unlock(&capture->lock);
	return out->invited != 0;
}
