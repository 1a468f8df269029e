/* outside.c - what the SIP server asks before it lets a call to a telephone number out, or one from outside in: the rules, the
 * number's user, the session of a leg that comes back. What is let through is a session before the answer is sent. */
#include "session/outside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/leg_token.h"
#include "base/text.h"
#include "numbers/numbers.h"
#include "policy/policy.h"
#include "session/admit.h"
#include "sip/credentials.h"

static void refuse(struct sip_answer *out, int code, const char *reason)
{
	out->code = code;
	text_copy(out->reason, sizeof(out->reason), reason);
}

/* What the caller's phone shows; the whole text goes to the log. */
static void refuse_for(const struct calls *calls, const struct sip_ask *ask, const struct nxv_error *err, struct sip_answer *out)
{
	static const struct { const char *code; int sip; const char *reason; } words[] = {
		{ "emergency_number", 403, "Emergency Calls " OUTSIDE_REFUSED },
		{ "destination_not_allowed", 403, "Destination " OUTSIDE_REFUSED },
		{ "caller_id_not_allowed", 403, "Caller ID " OUTSIDE_REFUSED },
		{ "calls_frozen", 503, "Telephone Calls " OUTSIDE_REFUSED " Now" },
		{ "call_cap", 403, "Daily limit reached" },
		{ "minute_cap", 403, "Daily limit reached" },
		{ "not_a_number", 484, "Address Incomplete" },
		{ "unknown_number", 404, "Unknown Number" },
		{ "no_sip_credentials", 480, "Not Registered" },
	};

	env_log(calls->opts.env, NXV_LOG_WARN, "session", "the call from %s to %s is refused: %s", ask->caller, ask->dialled, err->message);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].code, err->code) == 0) {
			refuse(out, words[i].sip, words[i].reason);
			return;
		}
	refuse(out, 500, "Server Error");
}

/* ---- a phone dials a number */

static nxv_status number_of(const struct config *cfg, const struct sip_ask *ask, char number[POLICY_NUMBER], struct nxv_error *err)
{
	const char *country = config_text(cfg, CFG_CALLS_COUNTRY), *prefix = config_text(cfg, CFG_CALLS_NATIONAL_PREFIX);
	const char *dialled = ask->dialled;
	char national[64];
	nxv_status status = policy_check_emergency(cfg, dialled, err);

	if (status != NXV_OK || policy_normalise(dialled, number))
		return status;
	if (*country && *dialled != '+' && strncmp(dialled, "00", 2) != 0) {
		dialled += *prefix && strncmp(dialled, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
		snprintf(national, sizeof(national), "%s%s", country, dialled);
		if (policy_normalise(national, number))
			return policy_check_emergency(cfg, number, err);
	}
	return error_code(err, NXV_E_UNCALLABLE, "not_a_number", *country ? "write + or 00 and the country code, or a national number"
		: "write + or 00 and the country code; set calls.country to take national numbers");
}

static nxv_status may_dial(struct calls *calls, struct db_tx *tx, const struct sip_ask *ask, struct sip_answer *out, struct nxv_error *err)
{
	const struct config *cfg = calls->opts.cfg;
	struct admit_call call = { .user_id = ask->owner, .to = out->number, .now_ms = env_now_ms(calls->opts.env) };
	char number[POLICY_NUMBER] = "", caller[POLICY_NUMBER] = "";
	nxv_status status = number_of(cfg, ask, number, err);

	text_copy(out->number, sizeof(out->number), *number ? number : ask->dialled);
	if (status == NXV_OK)
		status = admit(tx, cfg, &call, err);
	if (status == NXV_OK)
		status = policy_caller_of(tx, cfg, ask->owner, caller, err);
	if (status == NXV_OK && !*caller)
		status = error_code(err, NXV_E_UNCALLABLE, "caller_id_not_allowed",
			"user %s has no telephone number to show; `nexusctl callers add`, calls.caller_ids or trunk.caller_id gives one", ask->owner);
	text_copy(out->caller_id, sizeof(out->caller_id), caller);
	return status;
}

/* Refused calls are sessions too: the SIP server tells their end. */
static void answer_phone(struct calls *calls, const struct sip_ask *ask, struct sip_answer *out)
{
	struct dialled dialled = { .direction = "outbound-dial", .user_id = ask->owner, .username = ask->caller, .from = ask->caller,
		.to = out->number, .call_id = ask->call_id, .at_ms = env_now_ms(calls->opts.env) };
	struct nxv_error err = NXV_ERROR_INIT, refused = NXV_ERROR_INIT;
	struct session_row *row = NULL;
	struct db_tx *tx = NULL;
	nxv_status verdict = NXV_OK, status = db_begin(calls->opts.db, DB_WRITE, &tx, &err);

	if (status == NXV_OK) {
		verdict = may_dial(calls, tx, ask, out, &refused);
		row = dialled_row(calls, &dialled);
		status = row ? dialled_store(tx, calls, row, &err) : error_nomem(&err);
	}
	if (status == NXV_OK) {
		status = db_commit(tx, &err);
		tx = NULL;
	}
	db_rollback(tx);
	if (status == NXV_OK && dialled_add(calls, row)) {
		if (verdict != NXV_OK)
			refuse_for(calls, ask, &refused, out);
		return;
	}
	if (status != NXV_OK)
		session_row_free(row);
	refuse_for(calls, ask, &err, out);
}

/* ---- the trunk calls a number */

static nxv_status find_phones(struct calls *calls, struct db_tx *tx, const char *user_id, char *first, size_t size, struct sip_answer *out,
	struct nxv_error *err)
{
	char *names[CARRIER_TARGETS_MAX];
	size_t count = 0, used = 0;
	nxv_status status = credentials_usernames(tx, user_id, env_now_ms(calls->opts.env), names, CARRIER_TARGETS_MAX, &count, err);

	for (size_t i = 0; i < count; i++) {
		if (i == 0)
			text_copy(first, size, names[i]);
		if (used + strlen(names[i]) + 2 < sizeof(out->targets))
			used += (size_t)snprintf(out->targets + used, sizeof(out->targets) - used, "%s%s", i ? "," : "", names[i]);
		free(names[i]);
	}
	if (status == NXV_OK && !count)
		status = error_code(err, NXV_E_CONFLICT, "no_sip_credentials", "user %s has no SIP credential to ring", user_id);
	return status;
}

static nxv_status take_inbound(struct calls *calls, struct db_tx *tx, const struct sip_ask *ask, struct session_row **row,
	struct sip_answer *out, struct nxv_error *err)
{
	char number[NUMBER_TEXT], user_id[NUMBER_USER], username[80] = "";
	const struct dialled dialled = { .direction = "inbound", .user_id = user_id, .username = username,
		.from = *ask->caller ? ask->caller : "anonymous", .to = number, .call_id = ask->call_id,
		.at_ms = env_now_ms(calls->opts.env) };
	nxv_status status = number_owner(tx, ask->dialled, number, user_id, err);

	if (status == NXV_E_NOT_FOUND && err)
		text_copy(err->code, sizeof(err->code), "unknown_number");
	if (status == NXV_OK)
		status = find_phones(calls, tx, user_id, username, sizeof(username), out, err);
	if (status == NXV_OK && !(*row = dialled_row(calls, &dialled)))
		status = error_nomem(err);
	if (status == NXV_OK)
		status = dialled_store(tx, calls, *row, err);
	text_copy(out->owner, sizeof(out->owner), user_id);
	out->limit = calls->opts.call_limit;
	return status;
}

static void answer_trunk(struct calls *calls, const struct sip_ask *ask, struct sip_answer *out)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct session_row *row = NULL;
	struct db_tx *tx = NULL;
	nxv_status status = db_begin(calls->opts.db, DB_WRITE, &tx, &err);

	if (status == NXV_OK)
		status = take_inbound(calls, tx, ask, &row, out, &err);
	if (status == NXV_OK) {
		status = db_commit(tx, &err);
		tx = NULL;
	}
	db_rollback(tx);
	if (status == NXV_OK && dialled_add(calls, row))
		return;
	if (status != NXV_OK)
		session_row_free(row);
	refuse_for(calls, ask, &err, out);
}

/* ---- Twilio calls one of our phones for a session of ours */

static bool has_word(const char *words, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = words; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
			return true;
	return false;
}

static void answer_twilio(struct calls *calls, const struct sip_ask *ask, struct sip_answer *out)
{
	char id[80], leg = '\0';
	const struct call *call = NULL;
	size_t len = 0;

	if (calls->opts.leg_key && leg_token_check(calls->opts.leg_key, ask->token, id, sizeof(id), &leg))
		call = live_find(calls, id);
	if (!call || call->row->state == CALL_ENDED || !has_word(call->row->a_targets, ask->dialled)) {
		env_log(calls->opts.env, NXV_LOG_WARN, "session", "a call to %s that came as Twilio's leg is none of ours: refused", ask->dialled);
		refuse(out, 403, "Not A Leg Of Ours");
		return;
	}
	text_copy(out->owner, sizeof(out->owner), call->row->pub.user_id);
	text_copy(out->session, sizeof(out->session), id);
	out->leg[0] = leg;
	out->limit = calls->opts.call_limit;
	if (!text_copy(out->targets, sizeof(out->targets), call->row->a_targets))
		text_copy(out->targets, sizeof(out->targets), ask->dialled);
	for (len = strlen(out->targets); len > 0; len--)
		if (out->targets[len - 1] == ' ')
			out->targets[len - 1] = ',';
}

void calls_answer(struct calls *calls, const struct sip_ask *ask, struct sip_answer *out)
{
	*out = (struct sip_answer){ .code = 0 };
	if (!*ask->call_id || !*ask->dialled || live_find_sip(calls, ask->call_id))
		refuse(out, 482, "Loop Detected"); /* what we sent out must not come in again as another call */
	else if (ask->from == SIP_ASK_PHONE && *ask->owner)
		answer_phone(calls, ask, out);
	else if (ask->from == SIP_ASK_TRUNK)
		answer_trunk(calls, ask, out);
	else if (ask->from == SIP_ASK_TWILIO)
		answer_twilio(calls, ask, out);
	else
		refuse(out, 403, "Forbidden");
}
