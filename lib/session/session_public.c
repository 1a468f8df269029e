/* session_public.c - the public functions of sessions.h: store the intent, talk to the engine, read the rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/id.h"
#include "base/opts.h"
#include "base/text.h"
#include "ctx.h"
#include "engine/engine.h"
#include "events/event_log.h"
#include "limits/limits.h"
#include "policy/policy.h"
#include "session/admit.h"
#include "session/lease.h"
#include "session/resolve.h"
#include "session/session_row.h"
#include "store/setting.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000, END_TIMEOUT_MS = 5000, WAIT_SLACK_MS = 2000 };

void nxv_session_free(struct nxv_session *session)
{
	session_row_free((struct session_row *)session); /* the record is the head of its row */
}

void nxv_session_page_free(struct nxv_session_page *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_session_free(list->items[i]);
	free(list->items);
	free(list->next_cursor);
	free(list);
}

static nxv_status check_call(nxv_ctx *ctx, const struct nxv_call_opts *opts, struct nxv_error *err)
{
	const bool strict = config_bool(ctx->cfg, CFG_CALLS_STRICT_E164);
	char dialled[128];

	/* Before any other fault: nobody shall mend a body first who needs help. */
	if (opts->to_number && resolve_dialled(opts->to_number, dialled, sizeof(dialled)) &&
		policy_check_emergency(ctx->cfg, dialled, err) != NXV_OK)
		return NXV_E_UNCALLABLE;
	if (!text_is_user_id(opts->user_id))
		return error_field(err, "userId", "write 1 to 64 of letters, digits and . _ @ + -");
	if (!resolve_is_caller_id(opts->from_number, strict))
		return error_field(err, "fromNumber", "write + and %s digits, or a SIP username", strict ? "7 to 15" : "2 to 15");
	if (!opts->to_number || !*opts->to_number || strlen(opts->to_number) > 128)
		return error_field(err, "toNumber", "write a number, a SIP username, a userId or a sip: URI, at most 128 bytes");
	if (strict && resolve_dialled(opts->to_number, dialled, sizeof(dialled)) && text_is_number(dialled) && !resolve_is_caller_id(dialled, true))
		return error_field(err, "toNumber", "write + and 7 to 15 digits, the first of them not 0 (calls.strict_e164)");
	return NXV_OK;
}

/* Who carries it. Where nothing is said, Twilio gets what is a telephone number, if there is an account. */
static nxv_status choose_carrier(nxv_ctx *ctx, const struct nxv_call_opts *opts, bool *twilio, struct nxv_error *err)
{
	const char *configured = config_text(ctx->cfg, CFG_CALLS_CARRIER);
	const bool account = *config_text(ctx->cfg, CFG_TWILIO_ACCOUNT_SID);

	*twilio = opts->use_twilio == NXV_TWILIO_YES;
	if (opts->use_twilio == NXV_TWILIO_DEFAULT && text_is_number(opts->to_number))
		*twilio = strcmp(configured, "twilio") == 0 || (strcmp(configured, "auto") == 0 && account);
	if (*twilio && !account)
		return error_code(err, NXV_E_UNREACHABLE, "twilio_not_configured",
			"no Twilio account is configured: set twilio.account_sid and its secret, or send useTwilio false to call over SIP");
	if (*twilio && !text_is_number(opts->to_number))
		return error_field(err, "toNumber", "Twilio calls telephone numbers only: write + and 2 to 15 digits; phones of this gateway are called without Twilio");
	if (*twilio && !text_is_number(opts->from_number))
		return error_field(err, "fromNumber", "Twilio shows telephone numbers: write + and 2 to 15 digits of one of yours");
	if (!*twilio && opts->callee_first)
		return error_field(err, "ringFirst", "only Twilio can ring the callee first: send useTwilio true, or leave it out");
	return NXV_OK;
}

static struct session_row *new_row(nxv_ctx *ctx, const struct nxv_call_opts *opts, bool twilio, int64_t now_ms)
{
	struct session_row *row = session_row_new();
	struct nxv_session *s;

	if (!row)
		return NULL;
	s = &row->pub;
	s->id = id_session(&ctx->env);
	s->direction = text_dup("outbound-api");
	s->from_number = text_dup(opts->from_number);
	s->to_number = text_dup(opts->to_number);
	s->user_id = text_dup(opts->user_id);
	s->key_id = text_dup(opts->key_id);
	s->request_id = text_dup(opts->request_id);
	s->sip_domain = text_dup(config_text(ctx->cfg, CFG_SIP_DOMAIN));
	s->started_at_ms = now_ms;
	row->carrier = text_dup(twilio ? "twilio" : "sip");
	row->callee_first = opts->callee_first;
	row->auto_answer = opts->auto_answer;
	if (s->id && s->direction && s->from_number && s->to_number && s->user_id && s->sip_domain && row->carrier)
		return row;
	session_row_free(row);
	return NULL;
}

static nxv_status need_sip_server(struct db_tx *tx, struct nxv_error *err)
{
	char state[32] = "";
	nxv_status status = setting_get(tx, SETTING_SIP_STATE, state, sizeof(state), err);

	if (status == NXV_OK && strcmp(state, "running") != 0) {
		status = error_code(err, NXV_E_UNREACHABLE, "sip_server_not_running",
			"the SIP server is %s; start it with POST /api/v1/opensips/start or `nexusctl sip start`",
			*state ? state : "not started");
		if (err)
			err->retry_after_ms = 5000;
	}
	return status;
}

/* A telephone number leaves this gateway: it must be allowed, and so must the caller. Without a way out, resolve says so. */
static nxv_status check_policy(nxv_ctx *ctx, struct db_tx *tx, const struct session_row *row, struct nxv_error *err)
{
	const struct nxv_session *s = &row->pub;
	const bool way_out = strcmp(row->carrier, "sip") != 0 || *config_text(ctx->cfg, CFG_TRUNK_HOST);
	char dialled[128];
	const struct admit_call call = { .user_id = s->user_id, .key_id = s->key_id, .from = s->from_number, .to = dialled,
		.now_ms = s->started_at_ms };

	if (!way_out || !resolve_dialled(s->to_number, dialled, sizeof(dialled)) || !text_is_number(dialled))
		return NXV_OK;
	return admit(tx, ctx->cfg, &call, err);
}

/* Everything that is decided with the database: one write transaction, so that what was read still holds. */
static nxv_status store_intent(nxv_ctx *ctx, struct session_row *row, struct nxv_error *err)
{
	const int64_t ring_ms = config_int(ctx->cfg, CFG_CALLS_RING_SECONDS) * 1000;
	const int64_t max_seconds = config_int(ctx->cfg, CFG_LIMITS_MAX_CALL_SECONDS);
	struct nxv_session *s = &row->pub;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(ctx->db, DB_WRITE, &tx, err);

	if (status == NXV_OK)
		status = check_policy(ctx, tx, row, err);
	if (status == NXV_OK)
		status = resolve_caller(tx, s->user_id, s->started_at_ms, &row->a_targets, err);
	if (status == NXV_OK && strcmp(row->carrier, "twilio") != 0)
		status = resolve_callee(tx, s->to_number, s->sip_domain, *config_text(ctx->cfg, CFG_TRUNK_HOST), s->started_at_ms, &row->b_targets, err);
	if (status == NXV_OK)
		status = need_sip_server(tx, err);
	if (status == NXV_OK && !(s->sip_username = strndup(row->a_targets, strcspn(row->a_targets, " "))))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = slot_take(tx, s->id, s->user_id, config_int(ctx->cfg, CFG_LIMITS_CALLS_PER_USER), s->started_at_ms,
			lease_end(s->started_at_ms, ring_ms, max_seconds), err);
	if (status == NXV_OK)
		status = event_append(tx, s->started_at_ms, "call.queued", s->id, s->user_id, "status=queued", &s->seq, err);
	if (status == NXV_OK)
		status = session_insert(tx, row, err);
	if (status == NXV_OK) {
		status = db_commit(tx, err);
		tx = NULL;
	}
	db_rollback(tx);
	return status;
}

static void ignore_answer(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	(void)arg, (void)status, (void)err, (void)text;
}

/* To our own engine as a message, to another process's through its socket. */
static nxv_status order(nxv_ctx *ctx, const char *op, const char *id, struct nxv_error *err)
{
	const char *const args[] = { op, id, NULL };
	nxv_status status = engine_call_async(ctx, args, ignore_answer, NULL, err);

	return status == NXV_E_NOT_RUNNING ? engine_call(ctx, args, END_TIMEOUT_MS, NULL, err) : status;
}

nxv_status nxv_session_start(
	nxv_ctx *ctx, const struct nxv_call_opts *given, struct nxv_session **out, struct nxv_error *err)
{
	struct nxv_call_opts opts;
	struct session_row *row = NULL;
	bool twilio = false;
	nxv_status status;

	*out = NULL;
	if (!opts_take(&opts, sizeof(opts), given, OPTS_LEAST(struct nxv_call_opts, request_id)))
		return error_field(err, "opts", "start the options with NXV_CALL_OPTS_INIT");
	status = check_call(ctx, &opts, err);
	if (status == NXV_OK)
		status = choose_carrier(ctx, &opts, &twilio, err);
	if (status == NXV_OK && !engine_running(ctx))
		status = error_code(err, NXV_E_NOT_RUNNING, "engine_not_running",
			"no engine runs on this state folder; start nexusd, or call nxv_start()");
	if (status == NXV_OK && !(row = new_row(ctx, &opts, twilio, env_now_ms(&ctx->env))))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = store_intent(ctx, row, err);
	/* From here on the session exists. Should the engine die before it takes the order, the next one closes it. */
	if (status == NXV_OK)
		status = order(ctx, "session.place", row->pub.id, err);
	if (status == NXV_E_TIMEOUT) { /* the order may have been taken: to call this a failure would invite a second call */
		error_clear(err);
		status = NXV_OK;
	}
	if (status != NXV_OK) {
		session_row_free(row);
		return status;
	}
	*out = &row->pub;
	return NXV_OK;
}

nxv_status nxv_session_end(nxv_ctx *ctx, const char *id, struct nxv_error *err)
{
	struct nxv_session *session = NULL;
	nxv_status status = nxv_session_get(ctx, id, &session, err);

	if (status == NXV_OK && !nxv_call_status_ended(session->status))
		status = order(ctx, "session.end", id, err);
	nxv_session_free(session);
	return status;
}

nxv_status nxv_session_get(nxv_ctx *ctx, const char *id, struct nxv_session **out, struct nxv_error *err)
{
	struct session_row *row = NULL;
	struct db_tx *tx;
	nxv_status status;

	*out = NULL;
	if (!id || strlen(id) > 79)
		return error_set(err, NXV_E_NOT_FOUND, "there is no such call");
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (status != NXV_OK)
		return status;
	status = session_load(tx, id, env_now_ms(&ctx->env), &row, err);
	db_rollback(tx);
	if (status == NXV_OK)
		*out = &row->pub;
	return status;
}

static bool is_status_word(const char *word)
{
	for (int i = NXV_CALL_QUEUED; i <= NXV_CALL_FAILED; i++)
		if (strcmp(nxv_call_status_name((nxv_call_status)i), word) == 0)
			return true;
	return strcmp(word, "live") == 0;
}

nxv_status nxv_session_list(
	nxv_ctx *ctx, const struct nxv_session_list_opts *opts, struct nxv_session_page **out, struct nxv_error *err)
{
	struct nxv_session_list_opts o = NXV_SESSION_LIST_OPTS_INIT;
	struct nxv_session_page *list;
	struct db_tx *tx;
	nxv_status status;

	*out = NULL;
	if (opts && !opts_take(&o, sizeof(o), opts, OPTS_LEAST(struct nxv_session_list_opts, cursor)))
		return error_field(err, "opts", "start the options with NXV_SESSION_LIST_OPTS_INIT");
	o.limit = o.limit ? o.limit : LIST_DEFAULT;
	if (o.limit > LIST_MAX)
		return error_field(err, "limit", "write 1 to %d", LIST_MAX);
	if (o.status && !is_status_word(o.status))
		return error_field(err, "status",
			"write live, queued, ringing, in-progress, completed, busy, no-answer, canceled or failed");
	list = calloc(1, sizeof(*list));
	if (!list)
		return error_nomem(err);
	status = db_begin(ctx->db, DB_READ, &tx, err);
	if (status == NXV_OK) {
		status = session_page(tx, &o, env_now_ms(&ctx->env), list, err);
		db_rollback(tx);
	}
	if (status != NXV_OK) {
		nxv_session_page_free(list);
		return status;
	}
	*out = list;
	return NXV_OK;
}

static const char *until_word(nxv_until until)
{
	return until == NXV_UNTIL_RINGING ? "ringing" : until == NXV_UNTIL_ANSWERED ? "answered" : "ended";
}

nxv_status nxv_session_wait(nxv_ctx *ctx, const char *id, nxv_until until, uint32_t timeout_ms, struct nxv_session **out,
	struct nxv_error *err)
{
	char timeout[16];
	const char *const args[] = { "session.wait", id, until_word(until), timeout, NULL };
	nxv_status status;

	if (out)
		*out = NULL;
	snprintf(timeout, sizeof(timeout), "%u", (unsigned)timeout_ms);
	/* The engine answers in time itself; the slack is for one that hangs. */
	status = engine_call(ctx, args, timeout_ms < UINT32_MAX - WAIT_SLACK_MS ? timeout_ms + WAIT_SLACK_MS : timeout_ms, NULL, err);
	if (out && (status == NXV_OK || status == NXV_E_TIMEOUT)) {
		nxv_status got = nxv_session_get(ctx, id, out, status == NXV_OK ? err : NULL);
		status = status == NXV_OK ? got : status;
	}
	return status;
}

nxv_status nxv_session_wait_async(
	nxv_inbox *inbox, const char *id, nxv_until until, uint32_t timeout_ms, void *token, struct nxv_error *err)
{
	char timeout[16];
	const char *const args[] = { "session.wait", id, until_word(until), timeout, NULL };

	snprintf(timeout, sizeof(timeout), "%u", (unsigned)timeout_ms);
	return engine_call_inbox(inbox, args, token, err);
}

nxv_status nxv_session_slots(nxv_ctx *ctx, const char *user_id, int64_t *out, struct nxv_error *err)
{
	struct db_tx *tx;
	nxv_status status = db_begin(ctx->db, DB_READ, &tx, err);

	*out = 0;
	if (status != NXV_OK)
		return status;
	status = slot_count(tx, user_id, env_now_ms(&ctx->env), out, err);
	db_rollback(tx);
	return status;
}
