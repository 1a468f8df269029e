/* sandbox.h - the sandbox as its files share it: options, the calls and recordings it knows, and its parts.
 * Everything here belongs to the loop's thread. */
#ifndef NEXUS_SANDBOX_SANDBOX_H
#define NEXUS_SANDBOX_SANDBOX_H

#include "base/buf.h"
#include "loop/loop.h"

#include <stdio.h>

enum {
	SID_SIZE = 35,         /**< "CA", 32 hex digits, NUL */
	CALLS_KEPT = 100000,   /**< older ones that ended are forgotten */
	CALL_HASH = 8192,
	TWIML_MAX = 64 * 1024
};

struct callbacks;
struct sip_ua;
struct sip_leg;
struct script;
struct bridge;
struct jobs;
struct job;
struct plan;
struct faults;
struct later;

/** What the program is told. Text is [borrowed]. */
struct sandbox_opts {
	const char *listen;      /**< "127.0.0.1:0" */
	const char *account_sid, *auth_token;
	const char *key_sid, *key_secret;  /**< NULL: no API key */
	const char *sip_proxy;   /**< "ADDRESS:PORT" that sip: calls go to; NULL: they are simulated */
	const char *sip_listen;  /**< "127.0.0.1:0" */
	double speed;            /**< sandbox seconds in a second */
	unsigned calls_per_second; /**< beyond it calls stay queued; 0: no limit */
	uint64_t seed;           /**< of what is left to chance */
};

enum call_status {
	CALL_QUEUED,
	CALL_INITIATED,
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED,
	CALL_BUSY,
	CALL_FAILED,
	CALL_NO_ANSWER,
	CALL_CANCELED,
	CALL_STATUSES
};

/** Events that a StatusCallback can be asked for. */
enum { EVENT_INITIATED = 1, EVENT_RINGING = 2, EVENT_ANSWERED = 4, EVENT_COMPLETED = 8 };
/** And a RecordingStatusCallback. */
enum { REC_EVENT_IN_PROGRESS = 1, REC_EVENT_COMPLETED = 2, REC_EVENT_ABSENT = 4 };

/** Where events are sent. */
struct target {
	char *url; /**< NULL: nowhere */
	bool get;
	unsigned events;
};

/** How recordings of a call that begin by themselves are made. */
struct record_wish {
	bool wanted;
	int channels;
	const char *source, *track; /**< literals */
	struct target target;
};

/** Something that happened to a call, for those who compare. */
struct moment {
	enum call_status status;
	int64_t at_ms; /**< UTC */
};

struct call {
	struct call *older, *newer; /**< in sandbox.newest */
	struct call *bucket;        /**< by sid */
	struct sandbox *sandbox;
	uint64_t number; /**< counts creates */
	char sid[SID_SIZE];
	char *to, *from, *caller_id; /**< caller_id: shown to a sip: callee; NULL: from */
	struct call *parent;       /**< that dialled it; NULL for those of the API, and once that is forgotten */
	char parent_sid[SID_SIZE]; /**< "": none */
	unsigned children;         /**< that point here */
	const char *direction; /**< literal */
	enum call_status status;
	int64_t created_ms, updated_ms, started_ms, answered_ms, ended_ms; /**< UTC; 0: not yet */
	int64_t visible_ms; /**< monotonic: hidden from fetch and list until then */
	int sip_code;       /**< of the callee's last answer; 0: none */
	const char *ended_by; /**< literal; NULL while it lives */
	const char *answered_by; /**< literal, NULL without machine detection */
	bool deleted, wants_machine;
	int timeout_s, limit_s;
	char *twiml, *url, *fallback_url;
	bool url_get, fallback_get;
	char *sip_user, *sip_password;
	struct target callback;
	unsigned sequence; /**< of the next event */
	struct moment history[CALL_STATUSES];
	unsigned moments, notes; /**< notes: warnings and errors, counted */
	int last_note;           /**< number of the last */
	struct record_wish record;
	struct recording *current; /**< one that runs; NULL: none */
	struct plan *plan;         /**< what the callee does if it is simulated */
	struct sip_leg *leg;       /**< a real callee; NULL: simulated */
	struct script *script;     /**< TwiML being executed; NULL: none */
	struct bridge *bridge;     /**< of the last Dial; NULL: none */
	struct loop_timer *step, *limit;
	unsigned step_number;
};

enum recording_status { REC_IN_PROGRESS, REC_PAUSED, REC_STOPPED, REC_COMPLETED, REC_ABSENT };
struct recording {
	struct recording *older, *newer;
	char sid[SID_SIZE], call_sid[SID_SIZE];
	enum recording_status status;
	int64_t created_ms, updated_ms, started_ms;
	int64_t running_since_ms, length_ms; /**< scaled time; running_since 0: not running */
	int channels;
	const char *source, *track; /**< literals */
	bool deleted;
	struct target target;
};

struct sandbox {
	struct sandbox_opts opts;
	struct loop *loop;
	struct jobs *jobs;
	struct callbacks *callbacks;
	struct faults *faults;
	struct sip_ua *sip;
	char address[80]; /**< of the API, "127.0.0.1:PORT" */
	struct call *newest, *oldest, *by_sid[CALL_HASH];
	size_t call_count;
	uint64_t creates, create_requests; /**< calls made by the API; requests for one that came */
	struct recording *newest_recording;
	int64_t next_start_ms; /**< monotonic: when calls_per_second lets the next one go */
	uint64_t chance;
	struct later *laters; /**< answers that wait */
};

/* sandbox.c */
/** Open; the loop is the caller's, on whose thread this is. */
struct sandbox *sandbox_open(struct loop *loop, const struct sandbox_opts *opts, char *why, size_t why_len);
/** End every call. True if a real phone is among the callees: give the loop a moment to tell it. */
bool sandbox_hang_up(struct sandbox *sandbox);
void sandbox_close(struct sandbox *sandbox);
/** A request came: routes it. */
void sandbox_serve(void *arg, struct job *job);
/** A new random sid: two capital letters and 32 hex digits. */
void sandbox_sid(const char *prefix, char out[SID_SIZE]);
/** UTC milliseconds. */
int64_t sandbox_utc_ms(void);
/** Real milliseconds for so many of the sandbox's. */
uint64_t sandbox_scaled(const struct sandbox *sandbox, int64_t ms);
/** Sandbox milliseconds between two real times. */
int64_t sandbox_elapsed(const struct sandbox *sandbox, int64_t from_ms, int64_t to_ms);
/** True with this probability; the same sequence for the same seed. */
bool sandbox_chance(struct sandbox *sandbox, double probability);

/* store.c */
struct call *call_new(struct sandbox *sandbox, const char *to, const char *from, struct call *parent);
struct call *call_by_sid(const struct sandbox *sandbox, const char *sid);
struct recording *recording_by_sid(const struct sandbox *sandbox, const char *sid);
struct recording *recording_new(struct sandbox *sandbox, struct call *call);
void store_clear(struct sandbox *sandbox);
bool call_ended(const struct call *call);
const char *call_status_name(enum call_status status);
bool target_set(struct target *target, const char *url, bool get, unsigned events);
void target_clear(struct target *target);

#endif
