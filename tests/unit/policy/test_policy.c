/* test_policy.c - which numbers may be called and shown, every refusal's code and words, freeze and thaw. */
#include <nexusvoip/policy.h>

#include "../fixture.h"
#include "policy/policy.h"

static enum policy_verdict judge(const char *setting, const char *number)
{
	const char *set[] = { setting, NULL };
	struct config *cfg;
	enum policy_verdict verdict;

	assert_int_equal(config_load(NULL, false, NULL, set, &cfg, NULL), NXV_OK);
	verdict = policy_judge(cfg, number, NULL, NULL);
	config_free(cfg);
	return verdict;
}

static void nothing_is_allowed_by_default(void **state)
{
	(void)state;
	assert_int_equal(judge("calls.allow=", "+15550100"), POLICY_NOT_ALLOWED);
	assert_int_equal(judge("calls.allow=*", "+15550100"), POLICY_ALLOWED);
}

static void longest_prefix_decides(void **state)
{
	static const char list[] = "calls.allow=+1 !+1876 +1876555 +34, +441";

	(void)state;
	assert_int_equal(judge(list, "+15550100"), POLICY_ALLOWED);
	assert_int_equal(judge(list, "+18761234567"), POLICY_NOT_ALLOWED);
	assert_int_equal(judge(list, "+18765551234"), POLICY_ALLOWED);
	assert_int_equal(judge(list, "+34911234567"), POLICY_ALLOWED);
	assert_int_equal(judge(list, "+442079460000"), POLICY_NOT_ALLOWED);
	assert_int_equal(judge("calls.allow=* !+88", "+880123456"), POLICY_NOT_ALLOWED);
	assert_int_equal(judge("calls.allow=!+88 *", "+990123456"), POLICY_ALLOWED);
	assert_int_equal(judge("calls.allow=+1 !+1", "+15550100"), POLICY_NOT_ALLOWED);
}

static void premium_numbers_are_refused_whatever_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(judge("calls.allow=* +19005551234", "+19005551234"), POLICY_PREMIUM);
	assert_int_equal(judge("calls.allow=*", "+449098790000"), POLICY_PREMIUM);
	assert_int_equal(judge("calls.allow=*", "+881612345678"), POLICY_PREMIUM);
	assert_int_equal(judge("calls.allow=*", "+34803123456"), POLICY_PREMIUM);
	assert_int_equal(judge("calls.allow=*", "+34911234567"), POLICY_ALLOWED);
	assert_int_equal(judge("calls.premium=+34911", "+34911234567"), POLICY_PREMIUM);
}

static void emergency_numbers_are_refused_in_every_spelling(void **state)
{
	static const char *const numbers[] = { "112", "911", "999", "+112", "+911", "+1911", "+44999", "+34112", "+351112" };
	static const char *const others[] = { "9112", "+12125550911", "1911", "+3511123", "+15559110000" };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (judge("calls.allow=*", numbers[i]) != POLICY_EMERGENCY)
			fail_msg("%s is not taken for an emergency number", numbers[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (judge("calls.allow=*", others[i]) == POLICY_EMERGENCY)
			fail_msg("%s is taken for an emergency number", others[i]);
	assert_int_equal(judge("calls.emergency=116117", "116117"), POLICY_EMERGENCY);
	assert_int_equal(judge("calls.emergency=116117", "+49116117"), POLICY_EMERGENCY);
}

static void the_examples_of_the_guide_are_no_special_numbers(void **state)
{
	(void)state;
	assert_int_equal(judge("calls.allow=*", "+1234567890"), POLICY_ALLOWED);
	assert_int_equal(judge("calls.allow=* +0", "+0987654321"), POLICY_ALLOWED); /* as the sandbox has it */
}

/* What a carrier may take for the number of a range that is refused. */
static void other_spellings_of_a_refused_number_are_refused(void **state)
{
	static const struct {
		const char *list, *number;
		enum policy_verdict verdict;
	} cases[] = {
		{ "calls.allow=*", "+4409098790000", POLICY_PREMIUM }, { "calls.allow=+44", "+44009098790000", POLICY_PREMIUM },
		{ "calls.allow=+34", "+340803123456", POLICY_PREMIUM }, { "calls.allow=*", "+440112", POLICY_EMERGENCY },
		{ "calls.allow=+44 !+4420", "+4402079460000", POLICY_NOT_ALLOWED }, { "calls.allow=+44", "+4402079460000", POLICY_ALLOWED },
		{ "calls.allow=+39", "+390892345678", POLICY_ALLOWED }, /* Salerno, not 892 */
		{ "calls.allow=+225", "+2250701234567", POLICY_ALLOWED },
		{ "calls.allow=*", "+0987654321", POLICY_IMPOSSIBLE }, { "calls.allow=*", "+0019005551234", POLICY_IMPOSSIBLE },
		{ "calls.allow=+1", "+101144909879000", POLICY_IMPOSSIBLE }, { "calls.allow=+1", "+1144909879000", POLICY_IMPOSSIBLE },
		{ "calls.allow=+1 +10", "+101144909879000", POLICY_ALLOWED }, { "calls.allow=*", "+12125550100", POLICY_ALLOWED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (judge(cases[i].list, cases[i].number) != cases[i].verdict)
			fail_msg("%s with %s is not %d", cases[i].number, cases[i].list, (int)cases[i].verdict);
}

/* An entry that covers another is one too many, and a subscriber's number must not be among them. */
static void no_premium_range_covers_another_or_an_ordinary_number(void **state)
{
	static const char *const ordinary[] = { "+31709001234", "+33140000000", "+34902123456", "+3531234567", "+39023456789",
		"+390899012345", "+420601123456", "+421905123456", "+35315201234", "+441189123456", "+447911123456", "+442079460000", "+448001111111", "+491701234567", "+493012345",
		"+4687654321", "+46701234567", "+48221234567", "+48601234567", "+6561234567", "+61290123456", "+818012345678", "+821012345678",
		"+12125550100", "+18005550100", "+15705550100", "+27860123456", "+36301234567", "+38161234567", "+385911234567", "+38640123456" };

	(void)state;
	for (size_t i = 0; policy_premium[i]; i++)
		for (size_t k = 0; policy_premium[k]; k++)
			if (i != k && strncmp(policy_premium[i], policy_premium[k], strlen(policy_premium[k])) == 0)
				fail_msg("%s is covered by %s", policy_premium[i], policy_premium[k]);
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(*ordinary); i++)
		if (judge("calls.allow=*", ordinary[i]) != POLICY_ALLOWED)
			fail_msg("%s is refused", ordinary[i]);
}

static void dialled_digits_become_a_number_or_nothing(void **state)
{
	static const struct {
		const char *dialled, *number;
	} cases[] = {
		{ "+15550100", "+15550100" }, { "+1 (555) 010-0", "+15550100" }, { "0034911234567", "+34911234567" },
		{ "00 34 911-234.567", "+34911234567" }, { "15550100", NULL }, { "alice", NULL }, { "+", NULL }, { "+1", NULL }, { "", NULL },
		{ "+1555x", NULL }, { "+1234567890123456", NULL }, { "+123456789012345", "+123456789012345" }, { "0", NULL }, { "00", NULL },
		{ "+1;ext=5", NULL }, { "++15550100", NULL },
	};
	char number[POLICY_NUMBER];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool is = policy_normalise(cases[i].dialled, number);
		if (is != (cases[i].number != NULL) || (is && strcmp(number, cases[i].number) != 0))
			fail_msg("\"%s\" became %s", cases[i].dialled, is ? number : "nothing");
	}
}

static struct nxv_error check(struct fixture *f, const char *from, const char *to)
{
	const struct policy_call call = { .user_id = "alice", .from = from, .to = to };
	struct nxv_error err = NXV_ERROR_INIT;
	struct db_tx *tx;

	assert_int_equal(db_begin(f->ctx.db, DB_READ, &tx, NULL), NXV_OK);
	nxv_status status = policy_check(tx, f->ctx.cfg, &call, &err);
	assert_int_equal(status, err.status);
	db_rollback(tx);
	return err;
}

static void refuses(struct nxv_error err, nxv_status status, const char *code, const char *field, const char *words)
{
	assert_int_equal(err.status, status);
	assert_string_equal(err.code, code);
	assert_string_equal(err.field, field);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void every_refusal_has_its_code_field_and_words(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ "calls.allow=+1 !+1876", "calls.caller_ids=+15550100", NULL });
	assert_int_equal(check(&f, "+15550100", "+15550111").status, NXV_OK);
	refuses(check(&f, "+15550100", "+34911234567"), NXV_E_UNCALLABLE, "destination_not_allowed", "toNumber", "no prefix of calls.allow");
	refuses(check(&f, "+15550100", "+18761234567"), NXV_E_UNCALLABLE, "destination_not_allowed", "toNumber", "excludes +1876");
	refuses(check(&f, "+15550100", "+19005551234"), NXV_E_UNCALLABLE, "destination_not_allowed", "toNumber", "+1900 is a range of premium");
	refuses(check(&f, "+15550100", "+1911"), NXV_E_UNCALLABLE, "emergency_number", "toNumber", "dial it on a telephone of your own");
	refuses(check(&f, "+15550101", "+15550111"), NXV_E_UNCALLABLE, "caller_id_not_allowed", "fromNumber", "nexusctl callers add +15550101 --user alice");
	refuses(check(&f, "alice", "+15550111"), NXV_E_UNCALLABLE, "caller_id_not_allowed", "fromNumber", "needs a number as caller ID");
	assert_int_equal(nxv_calls_freeze(&f.ctx, "strange bills", NULL), NXV_OK);
	refuses(check(&f, "+15550100", "+15550111"), NXV_E_UNREACHABLE, "calls_frozen", "", "since 2023-11-14T22:13:20Z: strange bills");
	assert_true(check(&f, "+15550100", "+15550111").retry_after_ms > 0);
	fixture_close(&f);
}

static void caller_id_belongs_to_its_user_only(void **state)
{
	struct nxv_caller_list *list;
	struct nxv_error err = NXV_ERROR_INIT;
	struct fixture f;

	(void)state;
	fixture_open(&f, (const char *[]){ "calls.allow=*", NULL });
	assert_int_equal(nxv_caller_add(&f.ctx, "bob", "+15550100", NULL), NXV_OK);
	assert_int_equal(check(&f, "+15550100", "+15550111").status, NXV_E_UNCALLABLE);
	assert_int_equal(nxv_caller_add(&f.ctx, "alice", "+15550100", NULL), NXV_OK);
	assert_int_equal(nxv_caller_add(&f.ctx, "alice", "+15550100", NULL), NXV_OK);
	assert_int_equal(check(&f, "+15550100", "+15550111").status, NXV_OK);
	assert_int_equal(nxv_caller_list(&f.ctx, "alice", &list, NULL), NXV_OK);
	assert_int_equal(list->count, 1);
	assert_string_equal(list->items[0].number, "+15550100");
	nxv_caller_list_free(list);
	assert_int_equal(nxv_caller_list(&f.ctx, NULL, &list, NULL), NXV_OK);
	assert_int_equal(list->count, 2);
	nxv_caller_list_free(list);
	assert_int_equal(nxv_caller_remove(&f.ctx, "alice", "+15550100", NULL), NXV_OK);
	assert_int_equal(nxv_caller_remove(&f.ctx, "alice", "+15550100", &err), NXV_E_NOT_FOUND);
	assert_int_equal(check(&f, "+15550100", "+15550111").status, NXV_E_UNCALLABLE);
	assert_int_equal(nxv_caller_add(&f.ctx, "alice", "5550100", &err), NXV_E_INVALID);
	assert_string_equal(err.field, "number");
	assert_int_equal(nxv_caller_add(&f.ctx, "a b", "+15550100", &err), NXV_E_INVALID);
	assert_string_equal(err.field, "userId");
	fixture_close(&f);
}

static void caller_id_of_a_phone_is_its_users_then_everybodys_then_the_trunks(void **state)
{
	char number[POLICY_NUMBER];
	struct fixture f;
	struct db_tx *tx;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		fixture_open(&f, (const char *[]){ "trunk.host=t.example.com", "trunk.caller_id=+15550103",
			turn < 2 ? "calls.caller_ids=* +15550102" : NULL, NULL });
		if (turn < 1)
			assert_int_equal(nxv_caller_add(&f.ctx, "alice", "+15550101", NULL), NXV_OK);
		assert_int_equal(db_begin(f.ctx.db, DB_READ, &tx, NULL), NXV_OK);
		assert_int_equal(policy_caller_of(tx, f.ctx.cfg, "alice", number, NULL), NXV_OK);
		db_rollback(tx);
		assert_string_equal(number, turn == 0 ? "+15550101" : turn == 1 ? "+15550102" : "+15550103");
		fixture_close(&f);
	}
}

static void freeze_outlives_a_restart_and_keeps_its_beginning(void **state)
{
	char long_reason[200];
	struct nxv_freeze freeze;
	struct fixture f;

	(void)state;
	fixture_open(&f, NULL);
	assert_int_equal(nxv_calls_freeze_get(&f.ctx, &freeze, NULL), NXV_OK);
	assert_false(freeze.frozen);
	assert_int_equal(nxv_calls_thaw(&f.ctx, NULL), NXV_OK);
	assert_int_equal(nxv_calls_freeze(&f.ctx, NULL, NULL), NXV_OK);
	f.now_ms += 5000;
	assert_int_equal(nxv_calls_freeze(&f.ctx, "two words", NULL), NXV_OK);
	fixture_detach(&f);
	fixture_attach(&f, NULL);
	assert_int_equal(nxv_calls_freeze_get(&f.ctx, &freeze, NULL), NXV_OK);
	assert_true(freeze.frozen);
	assert_int_equal(freeze.since_ms, FIXTURE_NOW_MS);
	assert_string_equal(freeze.reason, "two words");
	memset(long_reason, 'r', sizeof(long_reason));
	long_reason[199] = '\0';
	assert_int_equal(nxv_calls_freeze(&f.ctx, long_reason, NULL), NXV_E_INVALID);
	long_reason[127] = '\0';
	assert_int_equal(nxv_calls_freeze(&f.ctx, long_reason, NULL), NXV_OK);
	assert_int_equal(nxv_calls_freeze_get(&f.ctx, &freeze, NULL), NXV_OK);
	assert_string_equal(freeze.reason, long_reason);
	assert_int_equal(nxv_calls_thaw(&f.ctx, NULL), NXV_OK);
	assert_int_equal(nxv_calls_freeze_get(&f.ctx, &freeze, NULL), NXV_OK);
	assert_false(freeze.frozen);
	assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM event WHERE type = 'calls.frozen'"), 1);
	assert_int_equal(fixture_count(&f, "SELECT COUNT(*) FROM event WHERE type = 'calls.thawed'"), 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_allowed_by_default),
		cmocka_unit_test(longest_prefix_decides),
		cmocka_unit_test(premium_numbers_are_refused_whatever_is_allowed),
		cmocka_unit_test(emergency_numbers_are_refused_in_every_spelling),
		cmocka_unit_test(the_examples_of_the_guide_are_no_special_numbers),
		cmocka_unit_test(other_spellings_of_a_refused_number_are_refused),
		cmocka_unit_test(no_premium_range_covers_another_or_an_ordinary_number),
		cmocka_unit_test(dialled_digits_become_a_number_or_nothing),
		cmocka_unit_test(every_refusal_has_its_code_field_and_words),
		cmocka_unit_test(caller_id_belongs_to_its_user_only),
		cmocka_unit_test(caller_id_of_a_phone_is_its_users_then_everybodys_then_the_trunks),
		cmocka_unit_test(freeze_outlives_a_restart_and_keeps_its_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
