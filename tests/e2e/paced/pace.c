/* pace.c - nexusd for the fault harness: its carrier waits as long as the sandbox's scaled calls need, can be told to look for
 * nothing or that the machine has just been started, and dies by SIGKILL at a chosen point of a create. */
#define twilio_pace library_pace
#include "twilio/pace.h"
#undef twilio_pace
#include "base/env.h"
#include "twilio/intent.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct library_pace twilio_pace = {
	.send_again_ms = 100,
	.send_patience_ms = 1000,
	.rate_patience_ms = 60000,
	.queue_keep_ms = 60000,
	.look_first_ms = 100,
	.look_max_ms = 500,
	.look_window_ms = 6000,
	.poll_first_ms = 300,
	.poll_max_ms = 1000,
	.poll_up_max_ms = 1000,
	.settle_ms = 200,
	.ask_again_ms = 100,
	.ask_max_ms = 1000,
	.watchdog_ms = 60000,
	.give_up_ms = 2000,
	.reconcile = true,
};

static int64_t boot_ms; /* 0: the machine's own */
static const char *die_file; /* says where, while it is there */

__attribute__((constructor)) static void read_environment(void)
{
	const char *watchdog = getenv("NXV_TEST_WATCHDOG"); /* ms; less than nothing: before the limit that the sandbox is told */

	twilio_pace.watchdog_ms = watchdog ? atoi(watchdog) : twilio_pace.watchdog_ms;
	die_file = getenv("NXV_TEST_DIE");
	twilio_pace.reconcile = !getenv("NXV_TEST_BLIND");
	if (getenv("NXV_TEST_BOOT")) {
		struct timespec ts;

		clock_gettime(CLOCK_REALTIME, &ts);
		boot_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	}
}

int64_t __real_env_boot_ms(const struct env *env);
int64_t __wrap_env_boot_ms(const struct env *env);

int64_t __wrap_env_boot_ms(const struct env *env)
{
	return boot_ms ? boot_ms : __real_env_boot_ms(env);
}

static bool die_at(const char *where)
{
	char said[16] = "";
	FILE *f = die_file ? fopen(die_file, "re") : NULL;

	if (!f)
		return false;
	if (!fgets(said, sizeof(said), f))
		said[0] = '\0';
	fclose(f);
	return strcmp(said, where) == 0;
}

static void *die_soon(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &ts);
	ts = (struct timespec){ .tv_nsec = ts.tv_nsec % 40 * 1000000L }; /* somewhere between the intent and its answer */
	nanosleep(&ts, NULL);
	raise(SIGKILL);
	return NULL;
}

nxv_status __real_intent_stage(struct db *db, const char *session_id, enum intent_stage stage, const char *call_sid, int64_t sent_at_ms,
	struct nxv_error *err);
nxv_status __wrap_intent_stage(struct db *db, const char *session_id, enum intent_stage stage, const char *call_sid, int64_t sent_at_ms,
	struct nxv_error *err);

nxv_status __wrap_intent_stage(struct db *db, const char *session_id, enum intent_stage stage, const char *call_sid, int64_t sent_at_ms,
	struct nxv_error *err)
{
	nxv_status status;
	pthread_t thread;

	if (stage == INTENT_OPEN && die_at("commit"))
		raise(SIGKILL);
	status = __real_intent_stage(db, session_id, stage, call_sid, sent_at_ms, err);
	if (stage == INTENT_SENDING && die_at("answer"))
		pthread_create(&thread, NULL, die_soon, NULL);
	return status;
}
