/* recording.h - the table of recordings, and the starts under way; inside lib/recording only. */
#ifndef NXV_RECORDING_RECORDING_H
#define NXV_RECORDING_RECORDING_H

#include <nexusvoip/recordings.h>
#include <nexusvoip/twilio.h>

#include "session/session_row.h"
#include "store/db.h"

/** What became of news. */
enum recording_change {
	RECORDING_CHANGED,
	RECORDING_SAME,    /**< it was known */
	RECORDING_LATE     /**< it is further than that already */
};

/** What was heard of a recording. Text is [borrowed]. */
struct recording_news {
	const char *id, *session_id, *user_id, *status;
	int64_t duration_seconds, created_at_ms; /**< -1, 0: not told */
	int channels;
	bool late_maybe; /**< it may have been overtaken: in-progress is no news of a paused one */
};

/** True for the words of Twilio. */
bool recording_status_known(const char *status);
/** True while it can be paused, resumed and stopped. */
bool recording_status_runs(const char *status);
/** True when nothing follows but its deletion. */
bool recording_status_final(const char *status);

/** Keep news, with an event when it changed. A status never goes back; what was deleted stays deleted.
 * Errors: NXV_E_NOT_FOUND: it is another session's. */
nxv_status recording_store(struct db_tx *tx, const struct recording_news *news, int64_t now_ms, enum recording_change *change, struct nxv_error *err);
/** Note a webhook. @param token nullable. *again: it was noted before, by SID and status or by token,
 * within a week: older ones are stale. */
nxv_status recording_note(struct db_tx *tx, const char *id, const char *status, const char *token, int64_t now_ms, bool *again, struct nxv_error *err);
/** @param out [owned]. Errors: NXV_E_NOT_FOUND, for deleted ones too. */
nxv_status recording_load(struct db_tx *tx, const char *id, struct nxv_recording **out, struct nxv_error *err);
/** Oldest first, without deleted ones. @param out filled. */
nxv_status recording_load_all(struct db_tx *tx, const char *session_id, struct nxv_recording_list *out, struct nxv_error *err);
/** The newest that runs. @param out [owned]; NULL: none does. */
nxv_status recording_load_running(struct db_tx *tx, const char *session_id, struct nxv_recording **out, struct nxv_error *err);

/** Be the only one who starts a recording of that call. Who began before before_ms has died over it.
 * @param died nullable; true: somebody did. Errors: NXV_E_CONFLICT "recording_in_progress". */
nxv_status recording_claim(struct db_tx *tx, const char *session_id, int64_t now_ms, int64_t before_ms, bool *died, struct nxv_error *err);
nxv_status recording_unclaim(struct db_tx *tx, const char *session_id, struct nxv_error *err);

/** A call over Twilio, and a client to ask about it. */
struct recorder {
	nxv_ctx *ctx;
	struct session_row *row;
	nxv_twilio *twilio;
	struct nxv_recording_list *unheard; /**< those known here that Twilio's list did not name; nullable */
	char *about;             /**< id of the recording that was acted upon */
};
/** Load the call; Twilio is asked by recorder_connect() only. Errors: NXV_E_NOT_FOUND, NXV_E_UNSUPPORTED. End it with recorder_close(), also on failure. */
nxv_status recorder_open(struct recorder *r, nxv_ctx *ctx, const char *session_id, struct nxv_error *err);
void recorder_close(struct recorder *r);
nxv_status recorder_connect(struct recorder *r, struct nxv_error *err);
/** Keep what Twilio says of a recording. */
nxv_status recorder_keep(struct recorder *r, const struct nxv_twilio_recording *recording, struct nxv_error *err);
/** Ask Twilio for one that is known here. What Twilio no longer has is deleted here, too: *gone. */
nxv_status recording_look(nxv_ctx *ctx, nxv_twilio *twilio, const struct nxv_recording *recording, bool *gone, struct nxv_error *err);
/** Ask Twilio for all recordings of the call, and keep what it says. */
nxv_status recorder_refresh(struct recorder *r, struct nxv_error *err);
/** @param out [owned]; NULL: none runs, as far as is known here. */
nxv_status recorder_running(struct recorder *r, struct nxv_recording **out, struct nxv_error *err);
/** Keep a status of our own: "deleted". */
nxv_status recording_mark(nxv_ctx *ctx, const struct nxv_recording *recording, const char *status, struct nxv_error *err);

enum { RECORDING_TIMEOUT_MS = 15000 };

#endif
