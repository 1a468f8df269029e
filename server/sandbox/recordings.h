/* recordings.h - recordings of calls: when they run, how long they are, what they sound like. */
#ifndef NEXUS_SANDBOX_RECORDINGS_H
#define NEXUS_SANDBOX_RECORDINGS_H

#include "sandbox.h"

const char *recording_status_name(enum recording_status status);
/** Whole seconds recorded up to now. */
int64_t recording_seconds(const struct sandbox *sandbox, const struct recording *recording);
/** Begin what call->record asks for. @return [borrowed]; NULL when memory ran out. */
struct recording *recording_begin(struct call *call);
/** True if it changed: paused, resumed or stopped. silence: go on recording silence while paused. */
bool recording_change(struct call *call, struct recording *recording, enum recording_status to, bool silence);
void recording_call_ended(struct call *call);

/** A piece of its sound: µ-law WAV, or MP3 frames of silence. The whole has media_size() bytes. */
size_t media_size(const struct sandbox *sandbox, const struct recording *recording, bool wav);
void media_read(const struct sandbox *sandbox, const struct recording *recording, bool wav, size_t from, size_t len, char *out);

#endif
