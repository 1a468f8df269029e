/* recordings.h - recordings of calls over Twilio: started and stopped, listed, heard, deleted. Who may do what with whose is
 * the caller's to decide: each record says whose it is. The functions that ask Twilio block until it has answered. */
#ifndef NEXUSVOIP_RECORDINGS_H
#define NEXUSVOIP_RECORDINGS_H

#include <nexusvoip/context.h>
#include <nexusvoip/twilio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A recording. Freed by nxv_recording_free(). Times are ms since 1970 UTC. */
struct nxv_recording {
	char *id;                 /**< "RE..." */
	char *session_id;         /**< of the call */
	char *user_id;            /**< whose call it was */
	char *status;             /**< in-progress paused stopped processing completed absent; its sound is there once completed */
	int64_t duration_seconds; /**< -1 until it is known */
	int channels;             /**< 1: both parties in one; 2: each in its own; 0: not known yet */
	int64_t created_at_ms;
	int64_t updated_at_ms;    /**< when its status changed here */
};
/** Recordings of a call, oldest first. Freed by nxv_recording_list_free(). */
struct nxv_recording_list {
	size_t count;
	struct nxv_recording **items;
};

/** What to do about recording a call. A pause is silence in the recording. */
typedef enum nxv_recording_action {
	NXV_RECORDING_START = 1,
	NXV_RECORDING_PAUSE,
	NXV_RECORDING_RESUME,
	NXV_RECORDING_STOP
} nxv_recording_action;

/** "start", ... @return [borrowed] static; NULL for no action. Thread safety: any thread. */
NXV_API const char *nxv_recording_action_name(nxv_recording_action action);

/*
 * Errors of everything that asks Twilio: NXV_E_UNSUPPORTED "recording_not_supported" (not a call over Twilio),
 * NXV_E_NOT_FOUND, NXV_E_UNREACHABLE "twilio_not_configured", and Twilio's own as in twilio.h.
 */

/**
 * Start, pause, resume or stop recording a call. One recording of a call runs at a time; a pause of what is paused, or a
 * resume of what runs, changes nothing.
 * @param out [owned], nullable: the recording after it.
 * Errors: as above; NXV_E_CONFLICT "call_not_in_progress", "recording_in_progress" (start: one runs, or is just being
 * started), "not_recording" (the others: none runs). NXV_E_TIMEOUT "twilio_unknown": the start may have been done; list.
 * Thread safety: any thread but the engine's.
 */
NXV_API nxv_status nxv_recording_control(nxv_ctx *ctx, const char *session_id, nxv_recording_action action, struct nxv_recording **out, struct nxv_error *err);

/** List a call's recordings, as Twilio has them now. @param out [owned]. Errors: as above. Thread safety: any thread but the engine's. */
NXV_API nxv_status nxv_recording_list(nxv_ctx *ctx, const char *session_id, struct nxv_recording_list **out, struct nxv_error *err);

/** Fetch one, as it was last heard of; asks nobody. @param out [owned]. Errors: NXV_E_NOT_FOUND. Thread safety: any thread. */
NXV_API nxv_status nxv_recording_get(nxv_ctx *ctx, const char *id, struct nxv_recording **out, struct nxv_error *err);

/** Delete a recording and its sound, for good. Errors: as above; NXV_E_CONFLICT "recording_in_progress": stop it first.
 * Thread safety: any thread but the engine's. */
NXV_API nxv_status nxv_recording_delete(nxv_ctx *ctx, const char *id, struct nxv_error *err);

/**
 * Stream a recording's sound to fn, piece by piece; nothing is kept. See nxv_twilio_recording_media().
 * @param opts nullable.
 * Errors: as above and there; NXV_E_CONFLICT "recording_not_ready": it is not completed. A failure after pieces were given
 * means that they are not the whole. Thread safety: any thread but the engine's; fn runs on the calling thread.
 */
NXV_API nxv_status nxv_recording_media(nxv_ctx *ctx, const char *id, const struct nxv_twilio_media_opts *opts, nxv_twilio_media_fn *fn, void *user, struct nxv_error *err);

/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_recording_free(struct nxv_recording *recording);
/** Free. NULL is allowed. Thread safety: the owner. */
NXV_API void nxv_recording_list_free(struct nxv_recording_list *list);

#ifdef __cplusplus
}
#endif
#endif
