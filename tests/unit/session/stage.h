/* stage.h - live calls over a real store, with a carrier and a SIP server played by the test. */
#ifndef NXV_TESTS_UNIT_SESSION_STAGE_H
#define NXV_TESTS_UNIT_SESSION_STAGE_H

#include "../fixture.h"

#include "base/error.h"
#include "events/event_log.h"
#include "session/calls.h"
#include "session/lease.h"

enum { RING_MS = 60000, MAX_SECONDS = 14400 };

/* The surroundings that the test plays. */
struct stage {
	struct fixture f;
	const char *alive; /* path of the mark; NULL: none is kept */
	struct trace_log *trace; /* NULL: no timeline is kept */
	struct loop *loop;
	struct calls *calls;
	struct carrier carrier;
	nxv_status place_status;
	int placed, ended, dialogs_ended, changed;
	char last_dialog[80];
	unsigned a_contacts, b_contacts; /* bits CARRIER_MEDIA_* */
	unsigned media;                  /* of the call placed last */
	nxv_status registered_status;
	bool end_is_down; /* the carrier reports DOWN from inside end() */
	nxv_call_status last_status;
	int saved, restored;
	char state[64], restored_state[64]; /* what the carrier would save; "": nothing */
	nxv_status restore_status;
	struct carrier *twilio; /* NULL: it cannot be had */
};
static struct stage st;

static inline void tell(enum carrier_event_kind kind, int code, const char *contact)
{
	const struct carrier_event ev = { .kind = kind, .sip_code = code, .sip_reason = "phrase", .contact = contact,
		.at_ms = env_now_ms(&st.f.ctx.env) };

	calls_carrier_event(st.calls, "session_1", &ev);
}

static inline nxv_status fake_place(struct carrier *self, const struct carrier_call *call, struct nxv_error *err)
{
	(void)self, (void)err;
	st.placed++;
	st.media = call->media;
	assert_string_equal(call->a_targets[0], "user_1");
	assert_int_equal(call->a_count, 2);
	assert_string_equal(call->a_targets[1], "user_2");
	assert_int_equal(call->b_count, 1);
	assert_int_equal(call->ring_timeout_ms, RING_MS);
	return st.place_status;
}

static inline nxv_status fake_end(struct carrier *self, const char *session_id, struct nxv_error *err)
{
	(void)self, (void)err;
	assert_string_equal(session_id, "session_1");
	st.ended++;
	if (st.end_is_down)
		tell(CARRIER_DOWN, 0, NULL);
	return NXV_OK;
}

static inline char *fake_save(struct carrier *self, const char *session_id)
{
	(void)self, (void)session_id;
	st.saved++;
	return st.state[0] ? strdup(st.state) : NULL;
}

static inline nxv_status fake_restore(struct carrier *self, const char *session_id, const char *state, struct nxv_error *err)
{
	(void)self;
	assert_string_equal(session_id, "session_1");
	st.restored++;
	snprintf(st.restored_state, sizeof(st.restored_state), "%s", state);
	return st.restore_status == NXV_OK ? NXV_OK : error_set(err, st.restore_status, "refused by the test");
}

static const struct carrier_ops fake_ops = { .name = "fake", .place = fake_place, .end = fake_end, .save = fake_save,
	.restore = fake_restore };

static inline struct carrier *port_carrier(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "sip") == 0 ? &st.carrier : st.twilio;
}

static inline void port_registered(void *arg, const char *usernames, calls_registered_fn *fn, void *fn_arg)
{
	(void)arg;
	fn(fn_arg, st.registered_status, strcmp(usernames, "user_1 user_2") == 0 ? st.a_contacts : st.b_contacts, "user_1");
}

static inline void port_end_dialog(void *arg, const char *call_id)
{
	(void)arg;
	st.dialogs_ended++;
	snprintf(st.last_dialog, sizeof(st.last_dialog), "%s", call_id);
}

static inline void port_changed(void *arg, const struct session_row *row)
{
	(void)arg;
	st.changed++;
	st.last_status = row->pub.status;
}

static inline void open_calls(int64_t max_seconds)
{
	const struct calls_opts opts = { .env = &st.f.ctx.env, .loop = st.loop, .db = st.f.ctx.db,
		.ports = { NULL, port_carrier, port_registered, port_end_dialog, port_changed }, .ring_ms = RING_MS,
		.max_seconds = max_seconds, .call_limit = 50, .domain = "nexus.test", .alive_path = st.alive ? st.alive : "/dev/null", .trace = st.trace };

	assert_int_equal(calls_open(&opts, &st.calls, NULL), NXV_OK);
}

static inline int setup(void **state)
{
	(void)state;
	st = (struct stage){ .carrier = { &fake_ops }, .a_contacts = 1, .b_contacts = 1 };
	fixture_open(&st.f, NULL);
	assert_int_equal(loop_open(&st.loop, NULL), NXV_OK);
	open_calls(MAX_SECONDS);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	calls_close(st.calls);
	loop_close(st.loop);
	fixture_close(&st.f);
	return 0;
}

static inline void store_queued(void)
{
	struct session_row row = { .carrier = (char *)"sip", .a_targets = (char *)"user_1 user_2", .b_targets = (char *)"user_9" };
	struct db_tx *tx;

	row.pub = (struct nxv_session){ .id = (char *)"session_1", .direction = (char *)"outbound-api",
		.from_number = (char *)"+1234567890", .to_number = (char *)"user_9", .user_id = (char *)"alice",
		.sip_username = (char *)"user_1", .sip_domain = (char *)"nexus.test", .started_at_ms = st.f.now_ms };
	assert_int_equal(db_begin(st.f.ctx.db, DB_WRITE, &tx, NULL), NXV_OK);
	assert_int_equal(slot_take(tx, "session_1", "alice", 50, st.f.now_ms, lease_end(st.f.now_ms, RING_MS, MAX_SECONDS), NULL), NXV_OK);
	assert_int_equal(session_insert(tx, &row, NULL), NXV_OK);
	assert_int_equal(db_commit(tx, NULL), NXV_OK);
}

static inline void place(void)
{
	store_queued();
	assert_int_equal(calls_place(st.calls, "session_1", NULL), NXV_OK);
}

static inline struct nxv_session *fetch(void)
{
	struct nxv_session *s;

	assert_int_equal(nxv_session_get(&st.f.ctx, "session_1", &s, NULL), NXV_OK);
	return s;
}

static inline struct nxv_session *only_session(void)
{
	struct nxv_session_page *list;
	struct nxv_session *s;

	assert_int_equal(nxv_session_list(&st.f.ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_int_equal(nxv_session_get(&st.f.ctx, list->items[0]->id, &s, NULL), NXV_OK);
	nxv_session_page_free(list);
	return s;
}

static inline void expect_end(nxv_call_status status, const char *reason, int code)
{
	struct nxv_session *s = fetch();
	int64_t slots = -1;

	assert_string_equal(nxv_call_status_name(s->status), nxv_call_status_name(status));
	assert_non_null(s->end_reason);
	assert_string_equal(s->end_reason, reason);
	assert_int_equal(s->sip_code, code);
	assert_int_equal(s->ended_at_ms, st.f.now_ms);
	assert_int_equal(nxv_session_slots(&st.f.ctx, "alice", &slots, NULL), NXV_OK);
	assert_int_equal(slots, 0);
	assert_int_equal(calls_count(st.calls), 0);
	nxv_session_free(s);
}

#endif
