/* pace.h - how long the carrier waits for what. One table, so that a test can make time run faster. */
#ifndef NXV_TWILIO_PACE_H
#define NXV_TWILIO_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct twilio_pace {
	int64_t send_again_ms;   /**< after a create of which nothing was sent; doubles */
	int64_t send_patience_ms; /**< after that, the call is given up as unreachable */
	int64_t rate_patience_ms; /**< the same after 429 */
	int64_t queue_keep_ms;   /**< an unsent call is sent after a restart if it is no older */
	int64_t look_first_ms, look_max_ms; /**< listing a call whose create was not answered */
	int64_t look_window_ms;  /**< it would be in the list after this time */
	int64_t poll_first_ms, poll_max_ms; /**< asking about a call that sets up, when callbacks stay away */
	int64_t poll_up_max_ms;  /**< the same of one that is up */
	int64_t settle_ms;       /**< for the other leg, after one has ended */
	int64_t ask_again_ms, ask_max_ms; /**< repeating an order or question that failed */
	int64_t watchdog_ms;     /**< past both rings and the longest call: end it */
	int64_t give_up_ms;      /**< past that: no longer ask what became of it */
	bool reconcile;          /**< false: believe every answer, look for nothing; only a test does that */
};
extern const struct twilio_pace twilio_pace;

#endif
