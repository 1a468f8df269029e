/* load.c - the load: as many calls at once as asked for, each a few seconds long, each ended by somebody else; and the killer,
 * on a thread of its own so that it strikes at any moment. */
#include "storm.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SLOTS_MAX = 200, REST_MS = 60000, KILL_MIN_MS = 200, KILL_SPAN_MS = 1300, SERVER_MIN_MS = 2000, SERVER_SPAN_MS = 4000 };
enum ender { BY_CALLER, BY_CALLEE, BY_API, ENDERS };

struct slot {
	char id[96];       /* "": free */
	enum ender ender;
	int64_t due_ms;    /* when it is ended; monotonic */
};

/* Shared with the killer. */
static struct {
	atomic_int delay_ms; /* > 0: strike after so long */
	atomic_int pid;
	atomic_bool struck, stop;
	_Atomic int64_t at_ms; /* UTC of the last strike */
} killer;

static void *kill_thread(void *arg)
{
	(void)arg;
	while (!atomic_load(&killer.stop)) {
		int delay = atomic_exchange(&killer.delay_ms, 0);
		if (delay == 0) {
			nap_ms(1);
			continue;
		}
		nap_ms(delay);
		atomic_store(&killer.at_ms, utc_ms());
		kill(atomic_load(&killer.pid), SIGKILL);
		atomic_store(&killer.struck, true);
	}
	return NULL;
}

static int victim_pid(const struct storm *storm)
{
	struct nxv_sip_health *health = NULL;
	int pid = 0;
	if (storm->victim == KILL_NEXUSD)
		return (int)proc_pid(gw.nexusd);
	if (nxv_sip_health_get(gw.ctx, &health, NULL) == NXV_OK)
		pid = (int)health->pid;
	nxv_sip_health_free(health);
	return pid;
}

static void aim(const struct storm *storm)
{
	bool server = storm->victim == KILL_SIP_SERVER;
	int pid = victim_pid(storm);
	assert_true(pid > 1);
	atomic_store(&killer.pid, pid);
	atomic_store(&killer.struck, false);
	atomic_store(&killer.delay_ms, server ? SERVER_MIN_MS + rand() % SERVER_SPAN_MS : KILL_MIN_MS + rand() % KILL_SPAN_MS);
}

static void nexusd_again(void)
{
	assert_int_equal(proc_wait(gw.nexusd, SOON_MS), 128 + SIGKILL);
	proc_stop(gw.nexusd, 0);
	nap_ms(rand() % 300);
	assert_true(gateway_run(&gw));
	assert_true(gateway_sip_start(&gw));
}

/* nexusd starts it again by itself; the pause before that doubles with each crash in a row, so a long one is cut short
 * by asking, as an operator would. Phones register anew. */
static void server_again(const struct storm *storm)
{
	int before = atomic_load(&killer.pid);
	int64_t patience = now_ms() + 5000, deadline = now_ms() + 30000;
	while (now_ms() < deadline && (victim_pid(storm) <= 1 || victim_pid(storm) == before || gateway_ctl(&gw, "health") != 0)) {
		if (now_ms() > patience) {
			assert_true(gateway_sip_start(&gw));
			patience = deadline;
		}
		nap_ms(20);
	}
	assert_true(now_ms() < deadline);
	assert_int_equal(phone_register(alice.phone, 600), 200);
	assert_int_equal(phone_register(bob.phone, 600), 200);
}

static void bring_back(struct storm *storm)
{
	struct storm_gap *gap = &storm->gaps[storm->gap_count];
	if (storm->victim == KILL_NEXUSD)
		nexusd_again();
	else
		server_again(storm);
	*gap = (struct storm_gap){ atomic_load(&killer.at_ms), utc_ms() };
	storm->gap_count++;
}

/* The call of this session on a phone; -1 if it is not live there. */
static int find_call(struct phone *phone, const char *session, char leg)
{
	char call_id[128];
	struct phone_call call;
	snprintf(call_id, sizeof(call_id), "%s-%c", session, leg);
	for (int i = phone_calls(phone) - 1; i >= 0; i--)
		if (phone_call(phone, i, &call) && strcmp(call.call_id, call_id) == 0)
			return call.live ? i : -1;
	return -1;
}

static void note_asked(struct storm *storm, const char *id)
{
	if (storm->asked_count == storm->asked_room) {
		storm->asked_room = storm->asked_room ? storm->asked_room * 2 : 256;
		storm->asked = realloc(storm->asked, storm->asked_room * sizeof(*storm->asked));
		assert_non_null(storm->asked);
	}
	snprintf(storm->asked[storm->asked_count++], sizeof(storm->asked[0]), "%s", id);
}

/* An answer that did not come leaves open whether the call was placed: its phones and its record will tell. */
static void place(struct slot *slot)
{
	struct told call;
	if (api_initiate(&gw, &alice, bob.username, &call) != 201)
		return;
	snprintf(slot->id, sizeof(slot->id), "%s", call.id);
	slot->ender = (enum ender)(rand() % ENDERS);
	slot->due_ms = now_ms() + 500 + rand() % 5000;
}

static void finish(struct storm *storm, struct slot *slot)
{
	int number;
	if (slot->ender == BY_API) {
		note_asked(storm, slot->id);
		int status = api_end(&gw, &alice, slot->id);
		if (status == 0)
			return; /* nobody there: ask again */
	} else {
		struct phone *phone = slot->ender == BY_CALLER ? alice.phone : bob.phone;
		number = find_call(phone, slot->id, slot->ender == BY_CALLER ? 'a' : 'b');
		if (number >= 0)
			phone_hangup(phone, number);
	}
	slot->id[0] = '\0';
}

static void tend(struct storm *storm, struct slot *slots, bool placing)
{
	for (unsigned i = 0; i < storm->calls && !atomic_load(&killer.struck); i++) {
		if (slots[i].id[0] && now_ms() >= slots[i].due_ms)
			finish(storm, &slots[i]);
		else if (!slots[i].id[0] && placing)
			place(&slots[i]);
	}
	nap_ms(5);
}

static bool busy(const struct storm *storm, const struct slot *slots)
{
	for (unsigned i = 0; i < storm->calls; i++)
		if (slots[i].id[0])
			return true;
	return false;
}

/* A phone that still talks after all the scripts ended is one whose call the other side lost sight of. */
static void hang_up_the_rest(void)
{
	struct user *both[] = { &alice, &bob };
	struct phone_call call;
	for (size_t p = 0; p < 2; p++)
		for (int i = 0; i < phone_calls(both[p]->phone); i++)
			if (phone_call(both[p]->phone, i, &call) && call.live)
				phone_hangup(both[p]->phone, i);
}

static void come_to_rest(struct storm *storm, struct slot *slots)
{
	int64_t deadline = now_ms() + REST_MS;
	while (busy(storm, slots) && now_ms() < deadline)
		tend(storm, slots, false);
	if (storm->victim == KILL_SIP_SERVER)
		hang_up_the_rest();
	while ((phone_calls_up(alice.phone) || phone_calls_up(bob.phone) || slots_wait(&gw, "alice", 0, 100)) && now_ms() < deadline)
		nap_ms(100);
	nap_ms(1000); /* what is under way on the wire */
}

void storm_run(struct storm *storm)
{
	static struct slot slots[SLOTS_MAX];
	pthread_t thread;
	assert_true(storm->calls <= SLOTS_MAX);
	memset(slots, 0, sizeof(slots));
	storm->gaps = calloc(storm->kills + 1, sizeof(*storm->gaps));
	srand(storm->seed);
	killer.stop = false;
	assert_int_equal(pthread_create(&thread, NULL, kill_thread, NULL), 0);
	for (int64_t full = now_ms() + 4000; now_ms() < full;)
		tend(storm, slots, true);
	aim(storm);
	while (storm->gap_count < storm->kills) {
		tend(storm, slots, true);
		if (!atomic_load(&killer.struck))
			continue;
		bring_back(storm);
		atomic_store(&killer.struck, false);
		if (storm->gap_count < storm->kills)
			aim(storm);
		if (storm->gap_count % 20 == 0)
			print_message("%zu kills, %d calls so far\n", storm->gap_count, phone_calls(alice.phone));
	}
	come_to_rest(storm, slots);
	atomic_store(&killer.stop, true);
	pthread_join(thread, NULL);
}
