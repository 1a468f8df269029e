/* twilio.h - Twilio's Voice API: calls, recordings, signatures of webhooks, TwiML. Needs no context: any C program can use
 * it alone. A call of this API is one request to Twilio; nothing is ever sent twice. */
#ifndef NEXUSVOIP_TWILIO_H
#define NEXUSVOIP_TWILIO_H

#include <nexusvoip/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One account at Twilio, or at a server that speaks Twilio's API. Keeps its connections for reuse. One owner at a time. */
typedef struct nxv_twilio nxv_twilio;

/** How to reach the account. Zero means default for every member; all text is copied. */
struct nxv_twilio_opts {
	size_t size;
	const char *account_sid;    /**< [borrowed] "AC..."; required */
	const char *auth_token;     /**< [borrowed] the account's token, or else both of: */
	const char *api_key_sid;    /**< [borrowed] "SK..." */
	const char *api_key_secret; /**< [borrowed] */
	const char *edge;           /**< [borrowed] "dublin"; NULL: none */
	const char *region;         /**< [borrowed] "ie1"; NULL: none, "us1" with an edge */
	const char *base_url;       /**< [borrowed] instead of Twilio's host: "http://127.0.0.1:9000"; excludes edge and region */
	const char *ca_file;        /**< [borrowed] PEM of trusted authorities; NULL: the system's */
	const char *proxy;          /**< [borrowed] URL; NULL: none. The environment's proxies are never used */
	uint32_t connect_timeout_ms;    /**< to a connection that is ready; 0: 5 s */
	uint32_t first_byte_timeout_ms; /**< from then to the first byte of an answer; 0: 10 s */
	uint32_t total_timeout_ms;      /**< for a whole request; 0: 30 s. Media: see nxv_twilio_media_opts */
	size_t max_answer_bytes;        /**< bigger answers are refused; 0: 4 MiB */
};
#define NXV_TWILIO_OPTS_INIT { .size = sizeof(struct nxv_twilio_opts) }

/**
 * Open. Nothing is sent.
 * @param out [owned] by the caller, who ends it with nxv_twilio_close(); NULL on failure.
 * Errors: NXV_E_INVALID with field "account_sid", "auth_token", "api_key_sid", "edge", "region" or "base_url".
 * Thread safety: any thread.
 */
NXV_API nxv_status nxv_twilio_open(const struct nxv_twilio_opts *opts, nxv_twilio **out, struct nxv_error *err);
/** Close; secrets are wiped. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_close(nxv_twilio *twilio);

/*
 * Errors of every request below. nxv_error.detail is Twilio's own error number, or the HTTP status where it gave none;
 * nxv_error.field is the parameter at fault, in the spelling of the options; nxv_error.code is one of:
 *   twilio_unknown       NXV_E_TIMEOUT      only from what creates: Twilio may have done it or not. Do not repeat it;
 *                                           find out by callback or list. EVERY OTHER failure of a create means that
 *                                           provably nothing was created.
 *   twilio_unreachable   NXV_E_UNREACHABLE  not one byte was sent; retry_after_ms says when to try again
 *   twilio_rate_limited  NXV_E_LIMIT        refused for now (429, 20429); retry_after_ms is set, nothing was done
 *   twilio_no_answer     NXV_E_TIMEOUT      sent, no whole answer; not from what creates
 *   twilio_bad_answer    NXV_E_UNREACHABLE  an answer that is not the API's: HTML, a redirection, cut off, too big, other JSON
 *   twilio_failed        NXV_E_UNREACHABLE  Twilio reports a fault of its own (5xx); not from what creates
 *   twilio_auth          NXV_E_UNREACHABLE  account, key, token or secret are wrong or not allowed this (20003, 401)
 *   twilio_account       NXV_E_UNREACHABLE  the account is suspended, closed or may not use this (10001, 20005, 403)
 *   destination_not_allowed  NXV_E_UNCALLABLE  field "to": the account may not call there (21215, 21216, 21219)
 *   invalid_destination      NXV_E_UNCALLABLE  field "to": no number that can be called (21211, 21214, 21217, 13224)
 *   caller_id_not_allowed    NXV_E_UNCALLABLE  field "from": not a caller ID of the account (21210, 21212)
 *   twilio_call_state    NXV_E_CONFLICT     the call or recording is no longer in a state for that (21220); fetch it
 *   not_found            NXV_E_NOT_FOUND    no such call or recording (20404, 404)
 *   twilio_refused       NXV_E_INVALID      any other refusal, in Twilio's words
 * and NXV_E_INVALID "invalid" with a field for options that are wrong before anything is sent.
 */

/** True when a failed create may have created something after all. Thread safety: any thread. */
NXV_API bool nxv_twilio_is_unknown(const struct nxv_error *err);

/** HTTP method of a callback; default: Twilio's, which is POST. */
typedef enum nxv_twilio_method { NXV_TWILIO_METHOD_DEFAULT = 0, NXV_TWILIO_GET, NXV_TWILIO_POST } nxv_twilio_method;
/** Channels of a recording. */
typedef enum nxv_twilio_channels { NXV_TWILIO_CHANNELS_DEFAULT = 0, NXV_TWILIO_MONO, NXV_TWILIO_DUAL } nxv_twilio_channels;
/** Which direction of sound to record. */
typedef enum nxv_twilio_track { NXV_TWILIO_TRACK_DEFAULT = 0, NXV_TWILIO_INBOUND, NXV_TWILIO_OUTBOUND, NXV_TWILIO_BOTH } nxv_twilio_track;
/** What to do with silence at the ends of a recording. */
typedef enum nxv_twilio_trim { NXV_TWILIO_TRIM_DEFAULT = 0, NXV_TWILIO_TRIM_SILENCE, NXV_TWILIO_DO_NOT_TRIM } nxv_twilio_trim;
/** Detection of answering machines. */
typedef enum nxv_twilio_machine { NXV_TWILIO_MACHINE_OFF = 0, NXV_TWILIO_MACHINE_ENABLE, NXV_TWILIO_MACHINE_MESSAGE_END } nxv_twilio_machine;
/** Events of a call that are sent to status_callback; a set of these bits. */
enum { NXV_TWILIO_INITIATED = 1, NXV_TWILIO_RINGING = 2, NXV_TWILIO_ANSWERED = 4, NXV_TWILIO_COMPLETED = 8 };
/** Events of a recording that are sent to recording_status_callback; a set of these bits. */
enum { NXV_TWILIO_REC_IN_PROGRESS = 1, NXV_TWILIO_REC_COMPLETED = 2, NXV_TWILIO_REC_ABSENT = 4 };

/** A call to create; every documented parameter. Text is [borrowed] for the call; zero leaves a parameter out. */
struct nxv_twilio_call_opts {
	size_t size;
	const char *to;              /**< number, "sip:..." or "client:..."; required */
	const char *from;            /**< number or client; required */
	const char *url;             /**< exactly one of url, twiml, application_sid is required */
	const char *twiml;           /**< at most 4000 characters; see nxv_twiml_new() */
	const char *application_sid; /**< "AP..." */
	nxv_twilio_method method;    /**< for url */
	const char *fallback_url;
	nxv_twilio_method fallback_method;
	const char *status_callback;
	unsigned status_callback_events; /**< NXV_TWILIO_INITIATED, ... bits; 0: completed only */
	nxv_twilio_method status_callback_method;
	const char *send_digits;     /**< 0-9 A-D # * w W, at most 32 */
	int timeout_seconds;         /**< of ringing, at most 600 */
	int time_limit_seconds;      /**< of the call */
	bool record;
	nxv_twilio_channels recording_channels;
	nxv_twilio_track recording_track;
	nxv_twilio_trim trim;
	const char *recording_status_callback;
	unsigned recording_status_callback_events; /**< NXV_TWILIO_REC_COMPLETED, ... bits */
	nxv_twilio_method recording_status_callback_method;
	const char *recording_configuration_id;
	const char *sip_auth_username;
	const char *sip_auth_password; /**< a secret: wiped from memory after it was sent */
	const char *caller_id;       /**< shown to a sip: or client: callee */
	nxv_twilio_machine machine_detection;
	int machine_detection_timeout_seconds;
	int machine_detection_speech_threshold_ms;
	int machine_detection_speech_end_threshold_ms;
	int machine_detection_silence_timeout_ms;
	bool async_amd;
	const char *async_amd_status_callback;
	nxv_twilio_method async_amd_status_callback_method;
	const char *passports;       /**< caller certificates, in Twilio's form */
	const char *byoc;            /**< "BY...": the trunk to go out by */
	const char *call_reason;     /**< at most 50 characters, shown by carriers that can */
	const char *call_token;      /**< of an inbound call that is forwarded */
	const char *client_notification_url;
};
#define NXV_TWILIO_CALL_OPTS_INIT { .size = sizeof(struct nxv_twilio_call_opts) }

/** A call as Twilio has it. Freed by nxv_twilio_call_free(). Text is NULL, times are 0, where Twilio says nothing. */
struct nxv_twilio_call {
	char *sid;                /**< "CA..."; never NULL */
	char *status;             /**< queued ringing in-progress completed busy failed no-answer canceled; never NULL */
	bool ended;               /**< status is one of the last five */
	char *parent_sid;         /**< of the call that dialled this one */
	char *account_sid;
	char *to, *to_formatted;
	char *from, *from_formatted;
	char *direction;          /**< "outbound-api", "outbound-dial", "inbound" */
	char *answered_by;        /**< "human", "machine_start", ...; with machine detection only */
	char *caller_name;
	char *forwarded_from;
	char *phone_number_sid;
	char *group_sid;
	char *trunk_sid;
	char *price, *price_unit; /**< "-0.03000", "USD" */
	int64_t created_at_ms, updated_at_ms, started_at_ms, ended_at_ms; /**< ms since 1970 UTC */
	int64_t duration_seconds; /**< -1 until it ended. (Callbacks: CallDuration is seconds, Duration is minutes.) */
	int64_t queue_time_ms;
};
/** A page of calls, newest first. Freed by nxv_twilio_call_list_free(). */
struct nxv_twilio_call_list {
	size_t count;
	struct nxv_twilio_call **items;
	char *next_page; /**< pass it on for the next page; NULL at the end */
};

/** Which calls to list. Text is [borrowed]. */
struct nxv_twilio_call_list_opts {
	size_t size;
	const char *to, *from;
	const char *parent_sid;
	const char *status;             /**< one of Twilio's words */
	int64_t started_before_ms, started_after_ms; /**< each inclusive, to the second; calls still queued have no start */
	int64_t ended_before_ms, ended_after_ms;
	unsigned page_size;             /**< 1 to 1000; 0: Twilio's 50 */
	const char *page;               /**< next_page of the list before; the members above are ignored then */
};
#define NXV_TWILIO_CALL_LIST_OPTS_INIT { .size = sizeof(struct nxv_twilio_call_list_opts) }

/** What to change of a call. Text is [borrowed]; at least one member must be set. */
struct nxv_twilio_call_update_opts {
	size_t size;
	bool cancel;                 /**< end it unless it was answered */
	bool complete;               /**< end it in any state */
	const char *url;             /**< go on with this TwiML; or: */
	const char *twiml;
	nxv_twilio_method method;
	const char *fallback_url;
	nxv_twilio_method fallback_method;
	const char *status_callback;
	nxv_twilio_method status_callback_method;
	int time_limit_seconds;
};
#define NXV_TWILIO_CALL_UPDATE_OPTS_INIT { .size = sizeof(struct nxv_twilio_call_update_opts) }

/**
 * Create a call. One attempt, never repeated.
 * @param out [owned] by the caller; NULL on failure.
 * Errors: as above. nxv_twilio_is_unknown(err): it may exist; any other failure: it does not.
 * Thread safety: the owner of twilio.
 */
NXV_API nxv_status nxv_twilio_call_create(nxv_twilio *twilio, const struct nxv_twilio_call_opts *opts, struct nxv_twilio_call **out, struct nxv_error *err);
/** Fetch a call. @param out [owned]. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_call_fetch(nxv_twilio *twilio, const char *sid, struct nxv_twilio_call **out, struct nxv_error *err);
/** List calls. @param opts nullable. @param out [owned]. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_call_list(nxv_twilio *twilio, const struct nxv_twilio_call_list_opts *opts, struct nxv_twilio_call_list **out, struct nxv_error *err);
/** Change a call. @param out [owned], nullable: the call after it. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_call_update(nxv_twilio *twilio, const char *sid, const struct nxv_twilio_call_update_opts *opts, struct nxv_twilio_call **out, struct nxv_error *err);
/** End a call in whatever state: Status=completed. Ended already is NXV_E_CONFLICT "twilio_call_state".
 * @param out [owned], nullable. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_call_end(nxv_twilio *twilio, const char *sid, struct nxv_twilio_call **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_call_free(struct nxv_twilio_call *call);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_call_list_free(struct nxv_twilio_call_list *list);

/** A recording to start on a live call. Text is [borrowed]; zero leaves a parameter out. */
struct nxv_twilio_recording_opts {
	size_t size;
	nxv_twilio_channels channels;
	nxv_twilio_track track;
	nxv_twilio_trim trim;
	const char *status_callback;
	unsigned status_callback_events; /**< NXV_TWILIO_REC_COMPLETED, ... bits */
	nxv_twilio_method status_callback_method;
	const char *configuration_id;
};
#define NXV_TWILIO_RECORDING_OPTS_INIT { .size = sizeof(struct nxv_twilio_recording_opts) }

/** A recording as Twilio has it. Freed by nxv_twilio_recording_free(). */
struct nxv_twilio_recording {
	char *sid;                /**< "RE..."; never NULL */
	char *status;             /**< in-progress paused stopped processing completed absent deleted; never NULL */
	char *call_sid;
	char *conference_sid;
	char *account_sid;
	char *source;             /**< "StartCallRecordingAPI", "DialVerb", ... */
	char *track;
	char *price, *price_unit;
	char *media_url;          /**< nxv_twilio_recording_media() knows the way by itself */
	int64_t created_at_ms, updated_at_ms, started_at_ms; /**< ms since 1970 UTC */
	int64_t duration_seconds; /**< -1 until it is completed */
	int channels;             /**< 0 if unknown */
	int error_code;           /**< of Twilio, when it is absent; 0 if none */
	bool encrypted;           /**< the media needs the account's private key */
};
/** A page of recordings. Freed by nxv_twilio_recording_list_free(). */
struct nxv_twilio_recording_list {
	size_t count;
	struct nxv_twilio_recording **items;
	char *next_page;
};
/** Which recordings to list. Text is [borrowed]. */
struct nxv_twilio_recording_list_opts {
	size_t size;
	const char *call_sid;  /**< NULL: of all calls */
	const char *conference_sid;
	int64_t created_before_ms, created_after_ms; /**< each inclusive, to the second */
	bool include_deleted;  /**< those deleted within the last days, too */
	unsigned page_size;    /**< 1 to 1000; 0: Twilio's 50 */
	const char *page;      /**< next_page of the list before; the members above are ignored then */
};
#define NXV_TWILIO_RECORDING_LIST_OPTS_INIT { .size = sizeof(struct nxv_twilio_recording_list_opts) }

/** What to do with a recording that runs. While paused: leave the pause out, or record silence. */
typedef enum nxv_twilio_recording_action {
	NXV_TWILIO_REC_PAUSE_SKIP = 1,
	NXV_TWILIO_REC_PAUSE_SILENCE,
	NXV_TWILIO_REC_RESUME,
	NXV_TWILIO_REC_STOP
} nxv_twilio_recording_action;

/** The recording that runs on a call now, where a recording's sid is asked for. */
#define NXV_TWILIO_CURRENT "Twilio.CURRENT"

/** Start recording a live call. A create: see nxv_twilio_call_create(). @param opts nullable. @param out [owned].
 * Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_recording_start(nxv_twilio *twilio, const char *call_sid, const struct nxv_twilio_recording_opts *opts, struct nxv_twilio_recording **out, struct nxv_error *err);
/** Pause, resume or stop. @param sid "RE..." or NXV_TWILIO_CURRENT. @param out [owned], nullable. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_recording_update(nxv_twilio *twilio, const char *call_sid, const char *sid, nxv_twilio_recording_action action, struct nxv_twilio_recording **out, struct nxv_error *err);
/** Fetch. @param out [owned]. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_recording_fetch(nxv_twilio *twilio, const char *sid, struct nxv_twilio_recording **out, struct nxv_error *err);
/** List. @param opts nullable. @param out [owned]. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_recording_list(nxv_twilio *twilio, const struct nxv_twilio_recording_list_opts *opts, struct nxv_twilio_recording_list **out, struct nxv_error *err);
/** Delete the recording with its media. Errors: NXV_E_NOT_FOUND when it is gone. Thread safety: the owner of twilio. */
NXV_API nxv_status nxv_twilio_recording_delete(nxv_twilio *twilio, const char *sid, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_recording_free(struct nxv_twilio_recording *recording);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twilio_recording_list_free(struct nxv_twilio_recording_list *list);

/** Asked about every second; return false to stop, also while nothing comes. */
typedef bool nxv_twilio_keep_on_fn(void *user);
/** How to fetch a recording's sound. */
struct nxv_twilio_media_opts {
	size_t size;
	bool wav;                  /**< false: MP3 */
	int channels;              /**< 1 or 2; 0: as Twilio likes */
	const char *range;         /**< [borrowed] a Range header's value, "bytes=0-499"; NULL: all */
	uint32_t idle_timeout_ms;  /**< between pieces; 0: 15 s */
	uint32_t total_timeout_ms; /**< 0: no limit */
	size_t max_bytes;          /**< 0: 1 GiB */
	int64_t *total_bytes;      /**< [borrowed] nullable: gets the size of the whole, also where a range of it, or none, comes; -1: not told */
	nxv_twilio_keep_on_fn *keep_on; /**< nullable; gets the user of the stream */
};
#define NXV_TWILIO_MEDIA_OPTS_INIT { .size = sizeof(struct nxv_twilio_media_opts) }
/** What comes, as far as it is known when the first piece comes. [borrowed] for the callback. */
struct nxv_twilio_media {
	bool partial;              /**< the range that was asked for; false: all, whatever was asked for */
	char content_type[64];     /**< "audio/mpeg"; "" if unknown */
	char content_range[64];    /**< "bytes 0-499/1234"; "" unless partial */
	int64_t length_bytes;      /**< of what comes; -1 if unknown */
};
/** Takes a piece of sound. Return false to stop. */
typedef bool nxv_twilio_media_fn(void *user, const struct nxv_twilio_media *media, const void *data, size_t len);
/**
 * Stream a recording's media to fn, piece by piece; nothing is kept. A redirection to the storage is followed without the
 * account's credentials, never from https to http.
 * Errors: as above; NXV_E_INVALID "range_not_satisfiable"; NXV_E_CONFLICT "stopped" when fn or keep_on returned false; "twilio_bad_answer"
 * when it broke off, also after pieces were given.
 * Thread safety: the owner of twilio; fn and keep_on run on the calling thread and must not use twilio.
 */
NXV_API nxv_status nxv_twilio_recording_media(nxv_twilio *twilio, const char *sid, const struct nxv_twilio_media_opts *opts, nxv_twilio_media_fn *fn, void *user, struct nxv_error *err);

/** A parameter of a webhook, decoded. */
struct nxv_twilio_param {
	const char *name;
	const char *value;
};
/** What a webhook carried: params, or else the body as it came (a form, or JSON when the URL has bodySHA256). [borrowed] */
struct nxv_twilio_payload {
	size_t size;
	const struct nxv_twilio_param *params;
	size_t param_count;
	const void *body;
	size_t body_len;
};
#define NXV_TWILIO_PAYLOAD_INIT { .size = sizeof(struct nxv_twilio_payload) }
/**
 * Check a webhook's X-Twilio-Signature, in constant time.
 * @param token     the account's auth token (not an API key's secret).
 * @param url       the URL as Twilio was given it, query included; take it from configuration, never from a Host header.
 * @param payload   nullable: a GET request carries nothing but its URL.
 * @param signature nullable: a missing one is a wrong one.
 * Errors: NXV_E_DENIED "bad_signature", which never says how far it was right. Thread safety: any thread.
 */
NXV_API nxv_status nxv_twilio_signature_check(const char *token, const char *url, const struct nxv_twilio_payload *payload, const char *signature, struct nxv_error *err);

/**
 * A TwiML document being built, element by element. The first failure sticks and is told by nxv_twiml_take(), so the calls
 * between need no check. One owner at a time.
 */
typedef struct nxv_twiml nxv_twiml;
/** Begin <Response>. @return [owned], nxv_twiml_free(); NULL when memory ran out. Thread safety: any thread. */
NXV_API nxv_twiml *nxv_twiml_new(void);
/** Begin an element inside the current one: "Dial", "Number", ... What Twilio knows no place for here is a failure.
 * Thread safety: the owner. */
NXV_API void nxv_twiml_open(nxv_twiml *twiml, const char *element);
/** Add an attribute to the element just begun. A NULL value adds none. Thread safety: the owner. */
NXV_API void nxv_twiml_attr(nxv_twiml *twiml, const char *name, const char *value);
/** The same with a number. Thread safety: the owner. */
NXV_API void nxv_twiml_attr_int(nxv_twiml *twiml, const char *name, int64_t value);
/** The same with "true" or "false". Thread safety: the owner. */
NXV_API void nxv_twiml_attr_bool(nxv_twiml *twiml, const char *name, bool value);
/** Add text, in UTF-8; it is escaped. Thread safety: the owner. */
NXV_API void nxv_twiml_text(nxv_twiml *twiml, const char *text);
/** End the current element. Thread safety: the owner. */
NXV_API void nxv_twiml_close(nxv_twiml *twiml);
/** Begin and end an element with text (nullable) in one go. Thread safety: the owner. */
NXV_API void nxv_twiml_element(nxv_twiml *twiml, const char *element, const char *text);
/**
 * End what is open and take the document. The builder is then good for nxv_twiml_free() only.
 * @param out [owned], free(); NULL on failure.
 * Errors: NXV_E_INVALID with the element or attribute as field; NXV_E_LIMIT past 64 KiB; NXV_E_NOMEM. Thread safety: the owner.
 */
NXV_API nxv_status nxv_twiml_take(nxv_twiml *twiml, char **out, struct nxv_error *err);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_twiml_free(nxv_twiml *twiml);

#ifdef __cplusplus
}
#endif
#endif
