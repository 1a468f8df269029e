/* wire.h - records as JSON and request bodies from JSON, in the guide's words; the server, the command line
 * and exports share it. No JSON library shows through. */
#ifndef NEXUSVOIP_WIRE_H
#define NEXUSVOIP_WIRE_H

#include <nexusvoip/credentials.h>
#include <nexusvoip/events.h>
#include <nexusvoip/keys.h>
#include <nexusvoip/recordings.h>
#include <nexusvoip/sessions.h>
#include <nexusvoip/sip_server.h>
#include <nexusvoip/trace.h>
#include <nexusvoip/usage.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each writer returns one JSON object or array as [owned] text (free()), NULL when memory ran out. Thread safety: any thread. */
NXV_API char *nxv_json_key(const struct nxv_key *key);
NXV_API char *nxv_json_keys(const struct nxv_key_page *list);
NXV_API char *nxv_json_credential(const struct nxv_credential *credential);
NXV_API char *nxv_json_credentials(const struct nxv_credential_page *list);
NXV_API char *nxv_json_session(const struct nxv_session *session);
NXV_API char *nxv_json_sessions(const struct nxv_session_page *list);
NXV_API char *nxv_json_health(const struct nxv_sip_health *health);
NXV_API char *nxv_json_registrations(const struct nxv_registration_list *list);
NXV_API char *nxv_json_usage(const struct nxv_usage *row);
NXV_API char *nxv_json_usages(const struct nxv_usage_page *list);
NXV_API char *nxv_json_event(const struct nxv_event *event);
NXV_API char *nxv_json_recording(const struct nxv_recording *recording);
NXV_API char *nxv_json_recordings(const struct nxv_recording_list *list);
NXV_API char *nxv_json_trace(const struct nxv_trace *trace);
/** One line of CSV (RFC 4180) for an export, its CR LF included; row NULL: the line of column names, which are the names
 * of the JSON members. Absent members are empty cells. @return [owned], free(). Thread safety: any thread. */
NXV_API char *nxv_csv_session(const struct nxv_session *row);
NXV_API char *nxv_csv_usage(const struct nxv_usage *row);
/** A JSON string literal, quotes included. @return [owned], free(). */
NXV_API char *nxv_json_string(const char *text);
/** RFC 3339 in UTC with milliseconds, "2026-01-31T12:00:00.000Z". buf holds 32 bytes. Thread safety: any thread. */
NXV_API void nxv_time_format(int64_t at_ms, char *buf);
/** Parse RFC 3339 with any offset. Errors: NXV_E_INVALID. Thread safety: any thread. */
NXV_API nxv_status nxv_time_parse(const char *text, int64_t *out_ms, struct nxv_error *err);

/** One fault in a body. */
struct nxv_problem {
	char field[64];    /**< dotted path of the member */
	char problem[160]; /**< what is wrong and what to write instead */
};
/** All faults found in a body, at most 16. */
struct nxv_problems {
	size_t count;
	struct nxv_problem items[16];
};

/** Bodies that the API takes. */
typedef enum nxv_body_kind {
	NXV_BODY_NONE,       /**< nothing, or an empty object */
	NXV_BODY_KEY,        /**< {userId, name, permissions[], expiresAt?} */
	NXV_BODY_KEY_PATCH,  /**< {active} */
	NXV_BODY_KEY_ROTATE, /**< {overlapSeconds?}; may be empty */
	NXV_BODY_CREDENTIAL, /**< {userId, expiresAt?} */
	NXV_BODY_CALL,       /**< {fromNumber, toNumber, useTwilio?, autoAnswer?, ringFirst?} */
	NXV_BODY_RECORDING   /**< {action} */
} nxv_body_kind;

/** A parsed body; only the members of its kind are set. Freed by nxv_body_free(). */
struct nxv_body {
	char *user_id;
	char *name;
	unsigned permissions;
	int64_t expires_at_ms;
	bool active;
	int64_t overlap_ms;
	char *from_number;
	char *to_number;
	nxv_use_twilio use_twilio;
	bool auto_answer;
	bool callee_first;
	nxv_recording_action action;
};

/**
 * Parse and check a request body: strict JSON (RFC 8259), an object of at most 64 KiB and depth 16, no unknown
 * and no duplicate members. @param out [owned]; NULL on failure. @param problems nullable, every faulty member.
 * Errors: NXV_E_INVALID "bad_json" or "bad_request". Thread safety: any thread.
 */
NXV_API nxv_status nxv_body_parse(nxv_body_kind kind, const char *text, size_t len, struct nxv_body **out, struct nxv_problems *problems, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_body_free(struct nxv_body *body);

#ifdef __cplusplus
}
#endif
#endif
