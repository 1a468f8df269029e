/* sipp.h - protocol scripts played by sipp, and servers of other people's making that our phones must get on with. */
#ifndef TEST_SUPPORT_SIPP_H
#define TEST_SUPPORT_SIPP_H

#include <stdbool.h>

struct sipp_opts {
	const char *scenario;   /**< file name below tests/support/sipp, without ".xml" */
	const char *server;     /**< "127.0.0.1:5060" */
	const char *username, *password, *domain;
	const char *target;     /**< user to call; nullable */
	unsigned port;          /**< own; 0: a free one */
	int timeout_ms;         /**< 0: 10 s */
};
/** Play a scenario once. @return sipp's exit status: 0 all went as written, 1 some call did not; -1 too late.
 * @param trace nullable; [owned] what sipp printed and the messages that it saw. */
int sipp_play(const struct sipp_opts *opts, char **trace);

#endif
