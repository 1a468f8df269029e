/* policy.c - whether a telephone call may be placed, and the words of every refusal. */
#include "policy/policy.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"

enum { FROZEN_RETRY_MS = 60000 };

static nxv_status at_field(struct nxv_error *err, const char *field, nxv_status status)
{
	if (err)
		text_copy(err->field, sizeof(err->field), field);
	return status;
}

nxv_status policy_check_emergency(const struct config *cfg, const char *to, struct nxv_error *err)
{
	if (policy_judge(cfg, to, NULL, NULL) != POLICY_EMERGENCY)
		return NXV_OK;
	return at_field(err, "toNumber",
		error_code(err, NXV_E_UNCALLABLE, "emergency_number",
			"%s is an emergency number and cannot be reached from here: dial it on a telephone of your own, now", to));
}

static nxv_status check_destination(const struct config *cfg, const char *to, struct nxv_error *err)
{
	const char *prefix;
	size_t len;
	nxv_status status = policy_check_emergency(cfg, to, err);

	if (status != NXV_OK)
		return status;
	switch (policy_judge(cfg, to, &prefix, &len)) {
	case POLICY_ALLOWED:
	case POLICY_EMERGENCY:
		return NXV_OK;
	case POLICY_PREMIUM:
		status = error_code(err, NXV_E_UNCALLABLE, "destination_not_allowed",
			"%s is refused: %.*s is a range of premium-rate numbers", to, (int)len, prefix);
		break;
	case POLICY_IMPOSSIBLE:
		status = error_code(err, NXV_E_UNCALLABLE, "destination_not_allowed",
			"%s is refused: no telephone number begins with %.*s; write + and the country code, then the number without its leading 0",
			to, (int)len, prefix);
		break;
	case POLICY_NOT_ALLOWED:
		if (prefix)
			status = error_code(err, NXV_E_UNCALLABLE, "destination_not_allowed", "%s is refused: calls.allow excludes %.*s", to,
				(int)len, prefix);
		else
			status = error_code(err, NXV_E_UNCALLABLE, "destination_not_allowed",
				"%s is refused: no prefix of calls.allow covers it; whoever runs this gateway can add one", to);
		break;
	}
	return at_field(err, "toNumber", status);
}

static void format_time(int64_t at_ms, char *buf, size_t size)
{
	const time_t at = (time_t)(at_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&at, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		text_copy(buf, size, "?");
}

nxv_status policy_check_frozen(struct db_tx *tx, struct nxv_error *err)
{
	struct nxv_freeze freeze;
	char since[32];
	nxv_status status = freeze_load(tx, &freeze, err);

	if (status != NXV_OK || !freeze.frozen)
		return status;
	format_time(freeze.since_ms, since, sizeof(since));
	status = error_code(err, NXV_E_UNREACHABLE, "calls_frozen",
		"telephone calls are stopped since %s%s%s; whoever runs this gateway lets them through again with `nexusctl calls thaw`", since,
		*freeze.reason ? ": " : "", freeze.reason);
	if (err)
		err->retry_after_ms = FROZEN_RETRY_MS;
	return status;
}

static bool in_list(const char *list, const char *number)
{
	const char *word;
	size_t len;

	while ((len = config_word(&list, &word)) > 0)
		if ((len == 1 && *word == '*') || (len == strlen(number) && strncmp(word, number, len) == 0))
			return true;
	return false;
}

static nxv_status check_caller(struct db_tx *tx, const struct config *cfg, const struct policy_call *call, struct nxv_error *err)
{
	bool listed = false;
	nxv_status status = NXV_OK;

	if (!call->from)
		return NXV_OK;
	if (!text_is_number(call->from))
		return at_field(err, "fromNumber",
			error_code(err, NXV_E_UNCALLABLE, "caller_id_not_allowed",
				"a call to a telephone number needs a number as caller ID: + and digits, one that user %s may show", call->user_id));
	if (!in_list(config_text(cfg, CFG_CALLS_CALLER_IDS), call->from)) {
		status = caller_is_listed(tx, call->user_id, call->from, &listed, err);
		if (status == NXV_OK && !listed)
			status = at_field(err, "fromNumber",
				error_code(err, NXV_E_UNCALLABLE, "caller_id_not_allowed",
					"%s is no caller ID of user %s; `nexusctl callers add %s --user %s` makes it one", call->from,
					call->user_id, call->from, call->user_id));
	}
	return status;
}

nxv_status policy_check(struct db_tx *tx, const struct config *cfg, const struct policy_call *call, struct nxv_error *err)
{
	nxv_status status = check_destination(cfg, call->to, err);

	if (status == NXV_OK)
		status = check_caller(tx, cfg, call, err);
	if (status == NXV_OK)
		status = policy_check_frozen(tx, err);
	return status;
}

nxv_status policy_caller_of(struct db_tx *tx, const struct config *cfg, const char *user_id, char number[POLICY_NUMBER], struct nxv_error *err)
{
	const char *list = config_text(cfg, CFG_CALLS_CALLER_IDS), *word;
	nxv_status status = caller_first(tx, user_id, number, err);
	size_t len;

	if (status != NXV_OK || *number)
		return status;
	while ((len = config_word(&list, &word)) > 0)
		if (*word == '+' && len < POLICY_NUMBER) {
			memcpy(number, word, len);
			number[len] = '\0';
			return NXV_OK;
		}
	text_copy(number, POLICY_NUMBER, config_text(cfg, CFG_TRUNK_CALLER_ID));
	return NXV_OK;
}
