/* state_table.c - the rows. docs/guide/calls.md draws them; tests/unit/session walks every state with every event. */
#include "session/state_table.h"

#include <string.h>

struct row {
	unsigned states; /**< bits 1 << enum call_state */
	enum call_event event;
	enum call_state next;
	nxv_call_status status;
	const char *reason;
};

#define IN(state) (1u << (state))
enum {
	/* The caller's leg is being set up, the callee's is, or either. */
	SETUP_A = IN(CALL_QUEUED) | IN(CALL_CALLING) | IN(CALL_A_RINGING),
	SETUP_B = IN(CALL_CONNECTING) | IN(CALL_B_RINGING),
	SETUP = SETUP_A | SETUP_B,
	/* A call that a phone dialled has no caller's leg of ours, and Twilio may ring the callee first: straight to the callee. */
	TO_B = IN(CALL_QUEUED) | IN(CALL_CALLING) | IN(CALL_CONNECTING),
	UP = IN(CALL_UP),
	LIVE = SETUP | UP,
};

static const struct row rows[] = {
	{ IN(CALL_QUEUED), EV_PLACED, CALL_CALLING, NXV_CALL_QUEUED, NULL },
	{ IN(CALL_QUEUED) | IN(CALL_CALLING), EV_A_RINGING, CALL_A_RINGING, NXV_CALL_RINGING, NULL },
	{ SETUP_A, EV_A_ANSWERED, CALL_CONNECTING, NXV_CALL_RINGING, NULL },
	{ TO_B, EV_B_RINGING, CALL_B_RINGING, NXV_CALL_RINGING, NULL },
	{ SETUP, EV_B_ANSWERED, CALL_UP, NXV_CALL_IN_PROGRESS, NULL },
	{ UP, EV_JOINED, CALL_UP, NXV_CALL_IN_PROGRESS, NULL },
	{ UP, EV_RECOVERED, CALL_UP, NXV_CALL_IN_PROGRESS, NULL },

	{ SETUP, EV_A_BUSY, CALL_ENDED, NXV_CALL_BUSY, "caller_busy" },
	{ SETUP, EV_A_REJECTED, CALL_ENDED, NXV_CALL_BUSY, "caller_rejected" },
	{ IN(CALL_A_RINGING) | SETUP_B, EV_A_NO_ANSWER, CALL_ENDED, NXV_CALL_NO_ANSWER, "caller_no_answer" },
	/* Nothing has rung: no phone was there to be answered. */
	{ IN(CALL_QUEUED) | IN(CALL_CALLING), EV_A_NO_ANSWER, CALL_ENDED, NXV_CALL_FAILED, "caller_unreachable" },
	{ SETUP, EV_A_NOT_REGISTERED, CALL_ENDED, NXV_CALL_FAILED, "caller_not_registered" },
	{ SETUP, EV_A_UNREACHABLE, CALL_ENDED, NXV_CALL_FAILED, "caller_unreachable" },
	{ SETUP, EV_A_HANGUP, CALL_ENDED, NXV_CALL_CANCELED, "hangup_caller" },
	{ UP, EV_A_HANGUP, CALL_ENDED, NXV_CALL_COMPLETED, "hangup_caller" },
	{ SETUP_B, EV_A_LOST, CALL_ENDED, NXV_CALL_FAILED, "caller_lost" },
	{ UP, EV_A_LOST, CALL_ENDED, NXV_CALL_COMPLETED, "caller_lost" },

	{ SETUP, EV_B_BUSY, CALL_ENDED, NXV_CALL_BUSY, "callee_busy" },
	{ SETUP, EV_B_REJECTED, CALL_ENDED, NXV_CALL_BUSY, "callee_rejected" },
	{ IN(CALL_B_RINGING), EV_B_NO_ANSWER, CALL_ENDED, NXV_CALL_NO_ANSWER, "callee_no_answer" },
	{ TO_B, EV_B_NO_ANSWER, CALL_ENDED, NXV_CALL_FAILED, "callee_unreachable" },
	{ SETUP, EV_B_NOT_REGISTERED, CALL_ENDED, NXV_CALL_FAILED, "callee_not_registered" },
	{ SETUP, EV_B_UNREACHABLE, CALL_ENDED, NXV_CALL_FAILED, "callee_unreachable" },
	{ SETUP, EV_B_HANGUP, CALL_ENDED, NXV_CALL_FAILED, "hangup_callee" },
	{ UP, EV_B_HANGUP, CALL_ENDED, NXV_CALL_COMPLETED, "hangup_callee" },
	{ SETUP_B, EV_B_LOST, CALL_ENDED, NXV_CALL_FAILED, "callee_lost" },
	{ UP, EV_B_LOST, CALL_ENDED, NXV_CALL_COMPLETED, "callee_lost" },

	{ LIVE, EV_MEDIA_REFUSED, CALL_ENDED, NXV_CALL_FAILED, "media_incompatible" },
	{ SETUP, EV_CALL_LIMIT, CALL_ENDED, NXV_CALL_FAILED, "call_limit" },
	{ SETUP, EV_NOT_ALLOWED, CALL_ENDED, NXV_CALL_FAILED, "not_allowed" },
	{ SETUP, EV_END, CALL_ENDED, NXV_CALL_CANCELED, "ended_by_api" },
	{ UP, EV_END, CALL_ENDED, NXV_CALL_COMPLETED, "ended_by_api" },
	{ SETUP, EV_MAX_DURATION, CALL_ENDED, NXV_CALL_CANCELED, "max_duration" },
	{ UP, EV_MAX_DURATION, CALL_ENDED, NXV_CALL_COMPLETED, "max_duration" },
	{ SETUP, EV_SERVER_LOST, CALL_ENDED, NXV_CALL_FAILED, "server_lost" },
	{ UP, EV_SERVER_LOST, CALL_ENDED, NXV_CALL_COMPLETED, "server_lost" },
	{ SETUP, EV_GATEWAY_RESTARTED, CALL_ENDED, NXV_CALL_FAILED, "gateway_restarted" },
	{ UP, EV_GATEWAY_RESTARTED, CALL_ENDED, NXV_CALL_COMPLETED, "gateway_restarted" },
	{ SETUP, EV_GATEWAY_STOPPED, CALL_ENDED, NXV_CALL_CANCELED, "gateway_stopped" },
	{ UP, EV_GATEWAY_STOPPED, CALL_ENDED, NXV_CALL_COMPLETED, "gateway_stopped" },
	{ SETUP, EV_CARRIER_DOWN, CALL_ENDED, NXV_CALL_FAILED, "server_lost" },
	{ UP, EV_CARRIER_DOWN, CALL_ENDED, NXV_CALL_COMPLETED, "server_lost" },

	{ SETUP, EV_HANGUP, CALL_ENDED, NXV_CALL_CANCELED, "hangup" },
	{ UP, EV_HANGUP, CALL_ENDED, NXV_CALL_COMPLETED, "hangup" },
	{ SETUP, EV_CANCELED, CALL_ENDED, NXV_CALL_CANCELED, "ended_at_carrier" },
	{ UP, EV_CANCELED, CALL_ENDED, NXV_CALL_COMPLETED, "ended_at_carrier" },
	{ SETUP, EV_REFUSED, CALL_ENDED, NXV_CALL_FAILED, "carrier_refused" },
	{ SETUP, EV_UNREACHABLE, CALL_ENDED, NXV_CALL_FAILED, "carrier_unreachable" },
	{ SETUP, EV_UNKNOWN, CALL_ENDED, NXV_CALL_FAILED, "carrier_unknown" },
};

const char *const call_reasons[] = { "caller_busy", "caller_rejected", "caller_no_answer", "caller_not_registered",
	"caller_unreachable", "callee_busy", "callee_rejected", "callee_no_answer", "callee_not_registered",
	"callee_unreachable", "hangup_caller", "hangup_callee", "caller_lost", "callee_lost", "media_incompatible", "call_limit", "not_allowed", "ended_by_api",
	"max_duration", "server_lost", "gateway_restarted", "gateway_stopped", "hangup", "ended_at_carrier", "carrier_refused",
	"carrier_unreachable", "carrier_unknown", NULL };

bool call_step(enum call_state state, enum call_event event, struct call_step *out)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].event != event || !(rows[i].states & IN(state)))
			continue;
		*out = (struct call_step){ rows[i].next, rows[i].status, rows[i].reason };
		return true;
	}
	return false;
}

enum call_event call_classify(char leg, int sip_code, const char *phrase)
{
	const bool a = leg == 'a';

	/* The SIP server's own words; a phone that does not want to be disturbed says others. */
	if (sip_code == 404 || (sip_code == 480 && phrase && strcmp(phrase, "Not Registered") == 0))
		return a ? EV_A_NOT_REGISTERED : EV_B_NOT_REGISTERED;
	if (sip_code == 403 && phrase && strcmp(phrase, "Call limit reached") == 0)
		return EV_CALL_LIMIT;
	switch (sip_code) {
	case 486:
	case 600:
		return a ? EV_A_BUSY : EV_B_BUSY;
	case 403:
	case 603:
	case 607: /* RFC 8197, unwanted */
	case 608: /* RFC 8688, rejected */
		return a ? EV_A_REJECTED : EV_B_REJECTED;
	case 415:
	case 488:
	case 606:
		return EV_MEDIA_REFUSED;
	case 408:
	case 487: /* somebody other than us gave the ringing up: the server's own timer */
		return a ? EV_A_NO_ANSWER : EV_B_NO_ANSWER;
	default:
		return a ? EV_A_UNREACHABLE : EV_B_UNREACHABLE;
	}
}

static const char *const state_names[CALL_STATES] = { [CALL_QUEUED] = "queued", [CALL_CALLING] = "calling",
	[CALL_A_RINGING] = "a-ringing", [CALL_CONNECTING] = "connecting", [CALL_B_RINGING] = "b-ringing", [CALL_UP] = "up",
	[CALL_ENDED] = "ended" };

const char *call_state_name(enum call_state state)
{
	return state < CALL_STATES ? state_names[state] : "unknown";
}

enum call_state call_state_parse(const char *name)
{
	unsigned i = 0;

	while (i < CALL_STATES && strcmp(state_names[i], name) != 0)
		i++;
	return (enum call_state)i;
}

const char *call_event_name(enum call_event event)
{
	static const char *const names[CALL_EVENTS] = { [EV_PLACED] = "placed", [EV_A_RINGING] = "caller_ringing",
		[EV_A_ANSWERED] = "caller_answered", [EV_A_BUSY] = "caller_busy", [EV_A_REJECTED] = "caller_rejected",
		[EV_A_NO_ANSWER] = "caller_no_answer", [EV_A_NOT_REGISTERED] = "caller_not_registered",
		[EV_A_UNREACHABLE] = "caller_unreachable", [EV_A_HANGUP] = "caller_hangup", [EV_A_LOST] = "caller_lost", [EV_B_RINGING] = "callee_ringing",
		[EV_B_ANSWERED] = "callee_answered", [EV_B_BUSY] = "callee_busy", [EV_B_REJECTED] = "callee_rejected",
		[EV_B_NO_ANSWER] = "callee_no_answer", [EV_B_NOT_REGISTERED] = "callee_not_registered",
		[EV_B_UNREACHABLE] = "callee_unreachable", [EV_B_HANGUP] = "callee_hangup", [EV_B_LOST] = "callee_lost", [EV_JOINED] = "joined",
		[EV_MEDIA_REFUSED] = "media_refused", [EV_CALL_LIMIT] = "call_limit", [EV_NOT_ALLOWED] = "not_allowed", [EV_END] = "end",
		[EV_MAX_DURATION] = "max_duration", [EV_SERVER_LOST] = "server_lost",
		[EV_GATEWAY_RESTARTED] = "gateway_restarted", [EV_GATEWAY_STOPPED] = "gateway_stopped", [EV_CARRIER_DOWN] = "carrier_down",
		[EV_RECOVERED] = "recovered", [EV_HANGUP] = "hangup", [EV_CANCELED] = "canceled_at_carrier", [EV_REFUSED] = "refused",
		[EV_UNREACHABLE] = "unreachable", [EV_UNKNOWN] = "unknown" };

	return event < CALL_EVENTS ? names[event] : "unknown";
}

enum call_event call_event_parse(const char *name)
{
	unsigned i = 0;

	while (i < CALL_EVENTS && strcmp(call_event_name((enum call_event)i), name) != 0)
		i++;
	return (enum call_event)i;
}
