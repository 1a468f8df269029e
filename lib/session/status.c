/* status.c - the words of a call's status. */
#include <nexusvoip/sessions.h>

static const char *const status_names[] = { [NXV_CALL_QUEUED] = "queued", [NXV_CALL_RINGING] = "ringing",
	[NXV_CALL_IN_PROGRESS] = "in-progress", [NXV_CALL_COMPLETED] = "completed", [NXV_CALL_BUSY] = "busy",
	[NXV_CALL_NO_ANSWER] = "no-answer", [NXV_CALL_CANCELED] = "canceled", [NXV_CALL_FAILED] = "failed" };

const char *nxv_call_status_name(nxv_call_status status)
{
	return (unsigned)status <= NXV_CALL_FAILED ? status_names[status] : "unknown";
}

bool nxv_call_status_ended(nxv_call_status status)
{
	return status >= NXV_CALL_COMPLETED;
}
