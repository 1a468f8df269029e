/* storm.c - nexusd, or the SIP server, is killed at random moments over a running load; afterwards every record must be what
 * was on the phones' wires. NXV_STORM="KILLS CALLS SERVER_KILLS" sets how hard it blows. */
#include "storm.h"

#include <stdio.h>
#include <time.h>

static unsigned nexusd_kills = 8, load = 12, server_kills = 2;

static void blow(struct storm *storm, struct storm_tally *tally)
{
	const unsigned ports[] = { phone_port(alice.phone), phone_port(bob.phone) };
	pair_reset();
	storm->seed = (unsigned)time(NULL);
	storm->began_ms = utc_ms();
	storm->capture = capture_open(ports, 2);
	assert_non_null(storm->capture);
	print_message("%u kills over %u calls, seed %u\n", storm->kills, storm->calls, storm->seed);
	storm_run(storm);
	storm_judge(storm, tally);
	print_message("%u calls, %u joined, %u ended by a restart, %u by the SIP server's loss: %u records differ, %u calls cut, "
		"%u without a record, %lld slots leaked, worst time %lld ms, %u packets not captured\n", tally->calls, tally->joined,
		tally->restarted, tally->lost, tally->differ, tally->cut, tally->missing, (long long)tally->slots,
		(long long)tally->worst_ms, capture_lost(storm->capture));
	assert_int_equal(capture_lost(storm->capture), 0);
	assert_int_equal(tally->differ, 0);
	assert_int_equal(tally->missing, 0);
	assert_int_equal(tally->slots, 0);
	assert_int_equal(phone_calls_up(alice.phone), 0);
	assert_int_equal(phone_calls_up(bob.phone), 0);
	assert_true(tally->joined > storm->calls);
	capture_close(storm->capture);
	free(storm->gaps);
	free(storm->asked);
}

static void records_are_true_however_often_the_gateway_is_killed(void)
{
	struct storm storm = { .victim = KILL_NEXUSD, .calls = load, .kills = nexusd_kills };
	struct storm_tally tally;
	blow(&storm, &tally);
	assert_int_equal(tally.cut, 0);
	assert_int_equal(tally.lost, 0);
}

static void no_record_stays_open_however_often_the_sip_server_is_killed(void)
{
	struct storm storm = { .victim = KILL_SIP_SERVER, .calls = load, .kills = server_kills };
	struct storm_tally tally;
	blow(&storm, &tally);
	assert_true(tally.lost > 0);
}

static const struct CMUnitTest tests[] = {
	E2E(records_are_true_however_often_the_gateway_is_killed), E2E(no_record_stays_open_however_often_the_sip_server_is_killed),
};

int main(int argc, char **argv)
{
	static const char *const settings[] = { "limits.calls_per_user=1000", NULL };
	const char *force = getenv("NXV_STORM");
	if (force && sscanf(force, "%u %u %u", &nexusd_kills, &load, &server_kills) != 3) {
		fprintf(stderr, "NXV_STORM=\"KILLS CALLS SERVER_KILLS\"\n");
		return 2;
	}
	if (!capture_possible()) {
		printf("SKIPPED: capturing packets needs CAP_NET_RAW\n");
		return 77;
	}
	const struct e2e_suite suite = { "storm", tests, sizeof(tests) / sizeof(tests[0]), settings,
		120 + 4 * nexusd_kills + 20 * server_kills, pair_setup, false };
	return e2e_main(argc, argv, &suite);
}
