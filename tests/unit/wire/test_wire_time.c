/* test_wire_time.c - RFC 3339 out and in. */
#include <nexusvoip/wire.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_parse(const char *text, int64_t expected)
{
	struct nxv_error err = NXV_ERROR_INIT;
	int64_t at = -1;
	if (nxv_time_parse(text, &at, &err) != NXV_OK)
		fail_msg("%s: refused: %s", text, err.message);
	if (at != expected)
		fail_msg("%s: %lld instead of %lld", text, (long long)at, (long long)expected);
}

static void times_are_written_in_utc_with_milliseconds(void **state)
{
	static const struct {
		int64_t at;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1769860800123, "2026-01-31T12:00:00.123Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[32];
		nxv_time_format(cases[i].at, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void times_are_read_with_any_offset_and_fraction(void **state)
{
	(void)state;
	expect_parse("1970-01-01T00:00:00Z", 0);
	expect_parse("2026-01-31T12:00:00Z", 1769860800000);
	expect_parse("2026-01-31t12:00:00z", 1769860800000);
	expect_parse("2026-01-31 12:00:00Z", 1769860800000);
	expect_parse("2026-01-31T13:30:00+01:30", 1769860800000);
	expect_parse("2026-01-31T07:00:00-05:00", 1769860800000);
	expect_parse("2026-01-31T12:00:00-00:00", 1769860800000);
	expect_parse("2026-01-31T12:00:00.1Z", 1769860800100);
	expect_parse("2026-01-31T12:00:00.123456789Z", 1769860800123);
	expect_parse("2016-12-31T23:59:60Z", 1483228800000); /* a leap second is the next second */
	expect_parse("2000-02-29T00:00:00Z", 951782400000);
	expect_parse("1600-03-01T00:00:00Z", INT64_C(-11670912000000));
	expect_parse("0000-01-01T00:00:00Z", INT64_C(-62167219200000));
}

static void what_is_no_time_is_refused_with_a_model_to_follow(void **state)
{
	static const char *const bad[] = {
		"", "now", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "2026-1-31T12:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z",
		"2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00+1:00", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60",
		"2026-01-31T12:00:00+0100", "2026-01-31T12:00:00Z ", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00ZZ",
		"-026-01-31T12:00:00Z", "2026-01-31X12:00:00Z", "1769860800",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nxv_error err = NXV_ERROR_INIT;
		int64_t at = 7;
		if (nxv_time_parse(bad[i], &at, &err) != NXV_E_INVALID)
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_non_null(strstr(err.message, "2026-01-31T12:00:00Z"));
		assert_int_equal(at, 0);
	}
	int64_t at;
	assert_int_equal(nxv_time_parse(NULL, &at, NULL), NXV_E_INVALID);
}

static void every_written_time_reads_back(void **state)
{
	(void)state;
	/* a step that is no multiple of a day wanders through all months, hours and leap years */
	for (int64_t at = INT64_C(-62167219200000); at <= INT64_C(253402300799999); at += INT64_C(86400000) * 41 + 3661007) {
		char text[32];
		nxv_time_format(at, text);
		expect_parse(text, at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_in_utc_with_milliseconds),
		cmocka_unit_test(times_are_read_with_any_offset_and_fraction),
		cmocka_unit_test(what_is_no_time_is_refused_with_a_model_to_follow),
		cmocka_unit_test(every_written_time_reads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
