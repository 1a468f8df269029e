/* baresip.h - a real phone without a head: baresip with a tone to say and a file for what it hears. */
#ifndef TEST_SUPPORT_BARESIP_H
#define TEST_SUPPORT_BARESIP_H

#include <stdbool.h>

struct baresip;
struct baresip_opts {
	const char *username, *password, *domain;
	const char *server;  /**< "127.0.0.1:5060" */
	double tone_hz;      /**< what it says */
	bool answers;        /**< by itself; else it rings */
};

/** NULL when it does not start. */
struct baresip *baresip_start(const struct baresip_opts *opts);
/** True when the registrar took it; false when it refused or did not answer in time. */
bool baresip_registered(struct baresip *phone, int timeout_ms);
/** Wait for the nth (from 1) event of that name, such as "CALL_ESTABLISHED". */
bool baresip_wait(struct baresip *phone, const char *event, int nth, int timeout_ms);
/** "dial", "accept", "hangup" ... */
bool baresip_command(struct baresip *phone, const char *command, const char *params);
/** What it printed, for a failed test; [owned]. */
char *baresip_output(const struct baresip *phone);
/** Stop it, so that its recordings are whole. */
void baresip_stop(struct baresip *phone);
/** Best share of a tone in what it heard (phone stopped). */
double baresip_heard(const struct baresip *phone, double hz);
/** Stops it too. NULL is allowed. */
void baresip_free(struct baresip *phone);

#endif
