/* pace.c - the carrier's times. */
#include "twilio/pace.h"

const struct twilio_pace twilio_pace = {
	.send_again_ms = 500,
	.send_patience_ms = 1500,
	.rate_patience_ms = 30000,
	.queue_keep_ms = 60000,
	.look_first_ms = 1000,
	.look_max_ms = 15000,
	.look_window_ms = 180000,
	.poll_first_ms = 10000,
	.poll_max_ms = 60000,
	.poll_up_max_ms = 600000,
	.settle_ms = 3000,
	.ask_again_ms = 1000,
	.ask_max_ms = 30000,
	.watchdog_ms = 60000,
	.give_up_ms = 600000,
	.reconcile = true,
};
