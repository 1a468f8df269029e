/* sessions.h - call sessions: place, watch, list and end calls (guide, section 2). */
#ifndef NEXUSVOIP_SESSIONS_H
#define NEXUSVOIP_SESSIONS_H

#include <nexusvoip/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Status of a call, in the words telephony APIs share. */
typedef enum nxv_call_status {
	NXV_CALL_QUEUED,      /**< "queued": stored, nothing rings yet */
	NXV_CALL_RINGING,     /**< "ringing": a phone rings */
	NXV_CALL_IN_PROGRESS, /**< "in-progress": both parties are joined */
	NXV_CALL_COMPLETED,   /**< "completed": was in progress, and ended */
	NXV_CALL_BUSY,        /**< "busy": a party was busy or declined */
	NXV_CALL_NO_ANSWER,   /**< "no-answer": a party did not answer in time */
	NXV_CALL_CANCELED,    /**< "canceled": ended by the API or the caller before it was answered */
	NXV_CALL_FAILED       /**< "failed": could not be connected */
} nxv_call_status;

/** Whether use of Twilio is asked for. */
typedef enum nxv_use_twilio { NXV_TWILIO_DEFAULT = 0, NXV_TWILIO_NO, NXV_TWILIO_YES } nxv_use_twilio;

/** How far nxv_session_wait() waits. */
typedef enum nxv_until {
	NXV_UNTIL_RINGING,  /**< a phone rings, Twilio has taken the call, or anything later */
	NXV_UNTIL_ANSWERED, /**< both parties are joined, or the call ended */
	NXV_UNTIL_ENDED     /**< the call ended */
} nxv_until;

/** A call. Freed by nxv_session_free(). Times are ms since 1970 UTC; 0 means not yet. */
struct nxv_session {
	char *id;               /**< "session_<unix seconds>_<random>" */
	nxv_call_status status;
	char *direction;        /**< "outbound-api"; "outbound-dial": a phone dialled it; "inbound": the trunk did */
	char *from_number;      /**< caller ID shown to the callee */
	char *to_number;        /**< as asked for */
	char *user_id;          /**< whose call it is */
	char *key_id;           /**< the key it was started with; NULL if by CLI or phone */
	char *sip_username;     /**< the user's SIP username */
	char *sip_domain;
	char *twilio_call_sid;  /**< NULL unless Twilio carries it */
	char *end_reason;       /**< closed list, see docs/guide/calls.md; NULL while it lasts */
	char *answered_contact; /**< SIP contact of the callee's phone that answered; NULL before */
	char *request_id;       /**< of the request that started it; NULL if none */
	int sip_code;           /**< final SIP status that decided the ending; 0 if none */
	int caller_sip_code;    /**< final answer to the INVITE that rang the caller's phone: 200, 486, ...; 0: none came */
	char *caller_sip_reason; /**< its phrase, as the phone or the SIP server wrote it; NULL if none */
	int callee_sip_code;    /**< the same of the callee; for a call that a phone dialled there is one INVITE for both */
	char *callee_sip_reason;
	int64_t started_at_ms;
	int64_t ringing_at_ms;
	int64_t answered_at_ms; /**< the callee's answer */
	int64_t ended_at_ms;
	int64_t duration_seconds; /**< answered to ended, rounded down; while in progress, until now */
	int64_t seq;            /**< number of its last event; rises with every change */
	char *error_code;       /**< why it was not placed, or what holds it up: a word of nxv_error.code; NULL: nothing */
	char *error_message;
	int error_detail;       /**< Twilio's own error number; 0 if none */
	int64_t queue_position; /**< 1: next to be handed to Twilio; 0: in no line */
};

/** A page of calls, newest first unless asked otherwise. Freed by nxv_session_page_free(). */
struct nxv_session_page {
	size_t count;
	struct nxv_session **items;
	char *next_cursor;
};

/** A call to place. */
struct nxv_call_opts {
	size_t size;
	const char *user_id;      /**< [borrowed] whose phone rings first; required */
	const char *key_id;       /**< [borrowed] nullable, recorded */
	const char *from_number;  /**< [borrowed] "+" and 2 to 15 digits, or a SIP username; required */
	const char *to_number;    /**< [borrowed] a number, SIP username, userId, or sip: URI of the own domain; required */
	nxv_use_twilio use_twilio;
	bool auto_answer;         /**< ask the caller's phone to answer by itself (Call-Info: answer-after=0) */
	const char *request_id;   /**< [borrowed] nullable, recorded */
	bool callee_first;        /**< ring to_number first, then the user's phone; over Twilio only */
};
#define NXV_CALL_OPTS_INIT { .size = sizeof(struct nxv_call_opts) }

/** Which calls to list. */
struct nxv_session_list_opts {
	size_t size;
	const char *user_id;      /**< [borrowed] NULL: of all users */
	const char *status;       /**< [borrowed] a status word, or "live" for all that have not ended; NULL: any */
	int64_t since_ms;         /**< started at or after; 0: any */
	int64_t until_ms;         /**< started before; 0: any */
	unsigned limit;           /**< 1 to 1000; 0: 100 */
	const char *cursor;       /**< [borrowed] from the page before, of the same order */
	bool oldest_first;        /**< for exports */
};
#define NXV_SESSION_LIST_OPTS_INIT { .size = sizeof(struct nxv_session_list_opts) }

/**
 * Place a call: the user's phones ring first, then to_number, then they are joined.
 * Returns once the intent and its slot are stored; nxv_session_wait() tells how it goes.
 * @param out [owned] by the caller; NULL on failure.
 * Errors: NXV_E_INVALID (field), NXV_E_CONFLICT "no_sip_credentials", NXV_E_LIMIT "call_limit",
 * NXV_E_UNCALLABLE "no_trunk" or "unknown_destination", NXV_E_UNREACHABLE "twilio_not_configured" or
 * "sip_server_not_running", NXV_E_NOT_RUNNING. To a telephone number also NXV_E_UNCALLABLE "emergency_number",
 * "destination_not_allowed" or "caller_id_not_allowed", NXV_E_LIMIT "call_cap" or "minute_cap", NXV_E_UNREACHABLE "calls_frozen". Thread safety: any thread.
 */
NXV_API nxv_status nxv_session_start(nxv_ctx *ctx, const struct nxv_call_opts *opts, struct nxv_session **out, struct nxv_error *err);

/**
 * End a call in whatever state it is; done already is success. Returns when the engine has taken the order.
 * Errors: NXV_E_NOT_FOUND, NXV_E_NOT_RUNNING. Thread safety: any thread. Source: guide section 2.
 */
NXV_API nxv_status nxv_session_end(nxv_ctx *ctx, const char *id, struct nxv_error *err);

/** Fetch one. @param out [owned]. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_session_get(nxv_ctx *ctx, const char *id, struct nxv_session **out, struct nxv_error *err);
/** List. @param opts nullable. @param out [owned]. Errors: NXV_E_INVALID. Thread safety: any thread. */
NXV_API nxv_status nxv_session_list(nxv_ctx *ctx, const struct nxv_session_list_opts *opts, struct nxv_session_page **out, struct nxv_error *err);

/**
 * Block until a call has come as far as `until`.
 * @param out [owned], nullable: the call as it then is, also on NXV_E_TIMEOUT.
 * Errors: NXV_E_TIMEOUT, NXV_E_NOT_FOUND, NXV_E_NOT_RUNNING, NXV_E_DEADLOCK. Thread safety: any thread but the engine's.
 */
NXV_API nxv_status nxv_session_wait(nxv_ctx *ctx, const char *id, nxv_until until, uint32_t timeout_ms, struct nxv_session **out, struct nxv_error *err);

/** As nxv_session_wait(), without blocking: the outcome arrives in the inbox under token; then nxv_session_get().
 * Errors: NXV_E_NOT_RUNNING. Thread safety: the inbox's owner. */
NXV_API nxv_status nxv_session_wait_async(nxv_inbox *inbox, const char *id, nxv_until until, uint32_t timeout_ms, void *token, struct nxv_error *err);

/** Simultaneous calls a user holds slots for, now. Thread safety: any thread. */
NXV_API nxv_status nxv_session_slots(nxv_ctx *ctx, const char *user_id, int64_t *out, struct nxv_error *err);

/**
 * Why a call that failed was not placed, as the error that nxv_session_start() would have given had it waited: status, code,
 * field ("toNumber", "fromNumber"), Twilio's number in detail, message.
 * @return NXV_OK, and *err cleared, when it did not fail or nothing kept it from being placed. Thread safety: any thread.
 */
NXV_API nxv_status nxv_session_error(const struct nxv_session *session, struct nxv_error *err);

/** The word of a status ("in-progress"). @return [borrowed] static. Thread safety: any thread. */
NXV_API const char *nxv_call_status_name(nxv_call_status status);
/** True once a call has ended. Thread safety: any thread. */
NXV_API bool nxv_call_status_ended(nxv_call_status status);

/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_session_free(struct nxv_session *session);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_session_page_free(struct nxv_session_page *list);

#ifdef __cplusplus
}
#endif
#endif
