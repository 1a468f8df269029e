/* test_register.c - who may register: sipp, baresip and our phone with a created credential; nobody with anything else. */
#include "pair.h"

#include "baresip.h"
#include "sipp.h"

#include <stdio.h>

static bool setup(void)
{
	return user_make(&gw, "alice", &alice) && user_make(&gw, "bob", &bob);
}

/* How many contacts the gateway lists for a user; waits until it is `want`. */
static int64_t registered(const char *user_id, int64_t want)
{
	int64_t count = -1, deadline = now_ms() + SOON_MS;
	while (count != want && now_ms() < deadline) {
		struct nxv_registration_list *list = NULL;
		if (nxv_sip_registrations(gw.ctx, user_id, &list, NULL) == NXV_OK) {
			count = (int64_t)list->count;
		}
		nxv_registration_list_free(list);
		nap_ms(count == want ? 0 : 20);
	}
	return count;
}

static void our_phone_registers_and_takes_it_back(void)
{
	struct phone *phone = user_phone(&gw, lab, &alice, 0);
	assert_int_equal(phone_register(phone, 300), 200);
	assert_string_equal(phone_algorithm(phone), "MD5");
	assert_int_equal(registered("alice", 1), 1);
	assert_int_equal(gateway_ctl(&gw, "registrations list --user alice"), 0);
	assert_non_null(strstr(gateway_ctl_out(), alice.username));
	assert_int_equal(phone_register(phone, 0), 200);
	assert_int_equal(registered("alice", 0), 0);
	phone_free(phone);
}

static void our_phone_registers_over_tcp(void)
{
	struct phone_opts opts = { .username = alice.username, .password = alice.password, .domain = gw.domain, .server = gw.sip, .tcp = true };
	struct phone *phone = phone_new(lab, &opts);
	assert_non_null(phone);
	assert_int_equal(phone_register(phone, 300), 200);
	assert_int_equal(registered("alice", 1), 1);
	assert_int_equal(phone_register(phone, 0), 200);
	phone_free(phone);
}

static int play(const char *scenario, const char *password, const char *domain)
{
	char *trace = NULL;
	struct sipp_opts opts = { .scenario = scenario, .server = gw.sip, .username = alice.username, .password = password, .domain = domain };
	int status = sipp_play(&opts, &trace);
	if (status != 0) {
		print_message("%s\n", trace);
	}
	free(trace);
	return status;
}

static void sipp_registers(void)
{
	assert_int_equal(play("register", alice.password, gw.domain), 0);
	assert_int_equal(registered("alice", 1), 1);
	assert_int_equal(gateway_ctl(&gw, "registrations list --user alice"), 0);
}

static void sipp_with_a_wrong_password_is_refused(void)
{
	assert_int_equal(play("register_refused", "not the password", gw.domain), 0);
}

static void baresip_registers(void)
{
	struct baresip_opts opts = { .username = bob.username, .password = bob.password, .domain = gw.domain, .server = gw.sip, .tone_hz = 440 };
	struct baresip *phone = baresip_start(&opts);
	assert_non_null(phone);
	assert_true(baresip_registered(phone, SOON_MS));
	assert_int_equal(registered("bob", 1), 1);
	baresip_stop(phone); /* it takes its registration back */
	baresip_free(phone);
	assert_int_equal(registered("bob", 0), 0);
}

static void baresip_with_a_wrong_password_is_refused(void)
{
	struct baresip_opts opts = { .username = bob.username, .password = "not-the-password", .domain = gw.domain, .server = gw.sip, .tone_hz = 440 };
	struct baresip *phone = baresip_start(&opts);
	assert_non_null(phone);
	assert_false(baresip_registered(phone, 1500));
	assert_int_equal(registered("bob", 0), 0);
	baresip_free(phone);
}

static int register_once(const char *username, const char *password, const char *domain, const char *from_user)
{
	struct phone_opts opts = { .username = username, .password = password, .domain = domain, .server = gw.sip, .from_user = from_user };
	struct phone *phone = phone_new(lab, &opts);
	int status = phone_register(phone, 60);
	phone_free(phone);
	return status;
}

static void assert_refused(int status)
{
	assert_in_range(status, 400, 499);
}

static void wrong_password_is_refused(void)
{
	assert_refused(register_once(bob.username, "wrong", gw.domain, NULL));
	assert_refused(register_once("user_1", "wrong", gw.domain, NULL));
	assert_int_equal(registered("bob", 0), 0);
}

static void another_domain_is_refused(void)
{
	assert_refused(register_once(bob.username, bob.password, "other.example", NULL));
	assert_int_equal(registered("bob", 0), 0);
}

static void a_credential_registers_its_own_name_only(void)
{
	assert_refused(register_once(alice.username, alice.password, gw.domain, bob.username));
	assert_int_equal(registered("bob", 0), 0);
}

static void revoked_credential_is_unregistered_and_refused(void)
{
	struct user carol;
	assert_true(user_make(&gw, "carol", &carol));
	assert_true(user_register(&gw, lab, &carol, 0));
	assert_int_equal(registered("carol", 1), 1);
	assert_int_equal(gateway_ctl(&gw, "credentials revoke %s", carol.username), 0);
	assert_int_equal(registered("carol", 0), 0);
	assert_refused(phone_register(carol.phone, 60));
	int number = phone_dial(carol.phone, alice.username);
	assert_true(phone_wait(carol.phone, number, PHONE_ENDED, SOON_MS));
	struct phone_call call;
	assert_true(phone_call(carol.phone, number, &call));
	assert_refused(call.code);
	assert_int_equal(gateway_ctl(&gw, "credentials revoke %s", carol.username), 3);
}

static void expired_credential_is_unregistered_and_refused(void)
{
	char when[32];
	struct user dave = { .phone = NULL };
	nxv_time_format(utc_ms() + 2000, when);
	assert_int_equal(gateway_ctl(&gw, "credentials create --user dave --expires %s", when), 0);
	snprintf(dave.username, sizeof(dave.username), "%s", json_text(gateway_ctl_json(), "username"));
	snprintf(dave.password, sizeof(dave.password), "%s", json_text(gateway_ctl_json(), "password"));
	assert_true(user_register(&gw, lab, &dave, 0));
	assert_int_equal(registered("dave", 1), 1);
	nap_ms(2000);
	assert_int_equal(registered("dave", 0), 0);
	assert_refused(phone_register(dave.phone, 60));
}

/* Another gateway that challenges with stronger digests only; sipp and baresip know MD5 alone. */
static void sha_digests_work(void)
{
	static const char *const algorithms[] = { "SHA-256", "SHA-512-256" };
	for (size_t i = 0; i < 2; i++) {
		struct gateway strong;
		struct user erin;
		char setting[64];
		snprintf(setting, sizeof(setting), "sip.digest=%s", algorithms[i]);
		const char *const settings[] = { setting, NULL };
		bool up = gateway_prepare(&strong, gw.server, settings) && gateway_run(&strong);
		if (up && i == 1 && strcmp(gw.server, "kamailio") == 0) { /* its auth module has no SHA-512-256 */
			bool says_so = gateway_ctl(&strong, "sip start") != 0 && strstr(gateway_ctl_err(), "SHA-512-256");
			gateway_close(&strong);
			assert_true(says_so);
			continue;
		}
		if (!up || !gateway_sip_start(&strong)) {
			gateway_close(&strong);
			fail_msg("no gateway with sip.digest = %s", algorithms[i]);
		}
		bool made = user_make(&strong, "erin", &erin);
		struct phone_opts opts = { .username = erin.username, .password = erin.password, .domain = strong.domain, .server = strong.sip,
			.algorithm = algorithms[i] };
		struct phone *phone = phone_new(lab, &opts);
		int status = made ? phone_register(phone, 60) : 0;
		char used[16];
		snprintf(used, sizeof(used), "%s", phone_algorithm(phone));
		opts.password = "wrong";
		struct phone *stranger = phone_new(lab, &opts);
		int refused = phone_register(stranger, 60);
		opts.algorithm = "MD5";
		opts.password = erin.password;
		struct phone *weak = phone_new(lab, &opts);
		int unanswered = phone_register(weak, 60);
		int stopped = gateway_stop(&strong);
		gateway_close(&strong);
		assert_int_equal(status, 200);
		assert_string_equal(used, algorithms[i]);
		assert_refused(refused);
		assert_int_equal(unanswered, 401); /* MD5 is not offered */
		assert_int_equal(stopped, 0);
	}
}

static const struct CMUnitTest tests[] = {
	E2E(our_phone_registers_and_takes_it_back), E2E(our_phone_registers_over_tcp), E2E(sipp_registers),
	E2E(sipp_with_a_wrong_password_is_refused), E2E(baresip_registers), E2E(baresip_with_a_wrong_password_is_refused),
	E2E(wrong_password_is_refused), E2E(another_domain_is_refused), E2E(a_credential_registers_its_own_name_only),
	E2E(revoked_credential_is_unregistered_and_refused), E2E(expired_credential_is_unregistered_and_refused),
	E2E(sha_digests_work),
};

int main(int argc, char **argv)
{
	const struct e2e_suite suite = { "registration", tests, sizeof(tests) / sizeof(tests[0]), NULL, 90, setup, false };
	return e2e_main(argc, argv, &suite);
}
