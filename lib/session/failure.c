/* failure.c - why a call was not placed, told as the error that a caller who waited would have had. */
#include <string.h>

#include "base/error.h"
#include "session/session_row.h"

enum { RETRY_MS = 5000, FROZEN_RETRY_MS = 60000 };

static const struct failure {
	const char *code;
	nxv_status status;
	const char *field;
	uint32_t retry_after_ms;
} failures[] = {
	{ "caller_id_not_allowed", NXV_E_UNCALLABLE, "fromNumber", 0 },
	{ "invalid_destination", NXV_E_UNCALLABLE, "toNumber", 0 },
	{ "destination_not_allowed", NXV_E_UNCALLABLE, "toNumber", 0 },
	{ "twilio_auth", NXV_E_UNREACHABLE, "", 0 },
	{ "twilio_account", NXV_E_UNREACHABLE, "", 0 },
	{ "twilio_refused", NXV_E_UNREACHABLE, "", 0 },
	{ "twilio_bad_answer", NXV_E_UNREACHABLE, "", 0 },
	{ "twilio_not_configured", NXV_E_UNREACHABLE, "", 0 },
	{ "twilio_unreachable", NXV_E_UNREACHABLE, "", RETRY_MS },
	{ "twilio_rate_limited", NXV_E_UNREACHABLE, "", RETRY_MS },
	{ "twilio_unknown", NXV_E_TIMEOUT, "", 0 },
	{ "calls_frozen", NXV_E_UNREACHABLE, "", FROZEN_RETRY_MS },
};

nxv_status nxv_session_error(const struct nxv_session *session, struct nxv_error *err)
{
	const struct failure *row = NULL;

	error_clear(err);
	if (session->status != NXV_CALL_FAILED || !session->error_code)
		return NXV_OK;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strcmp(failures[i].code, session->error_code) == 0)
			row = &failures[i];
	error_code(err, row ? row->status : NXV_E_UNREACHABLE, session->error_code, "%s",
		session->error_message ? session->error_message : "");
	if (err) {
		err->detail = session->error_detail;
		err->retry_after_ms = row ? row->retry_after_ms : 0;
		memcpy(err->field, row ? row->field : "", strlen(row ? row->field : "") + 1);
	}
	return row ? row->status : NXV_E_UNREACHABLE;
}
