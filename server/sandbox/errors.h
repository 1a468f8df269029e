/* errors.h - Twilio's errors: number, HTTP status and words. */
#ifndef NEXUS_SANDBOX_ERRORS_H
#define NEXUS_SANDBOX_ERRORS_H

#include "jobs.h"

/** A request refused. Zero-initialise; code 0: not refused. */
struct refusal {
	int status, code;
	char message[300];
};

/** Refuse with Twilio's words for that number; about names what is at fault, "" for nothing. */
void refuse(struct refusal *refusal, int code, const char *about);
/** Refuse in other words. */
void refuse_with(struct refusal *refusal, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** Answer {"code","message","more_info","status"}. */
void refusal_answer(struct job *job, const struct refusal *refusal);

#endif
