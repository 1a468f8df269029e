/* test_leg_token.c - tokens of legs that come back: made, checked, forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hmac.h"
#include "base/leg_token.h"

static const char key[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void hmac_sha256_matches_rfc_4231(void **state)
{
	char hex[HMAC_SHA256_HEX + 1];

	(void)state;
	assert_true(hmac_sha256_hex("Jefe", 4, "what do ya want for nothing?", 28, hex));
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void a_token_leads_back_to_its_session_and_leg(void **state)
{
	char token[LEG_TOKEN_MAX], id[80], leg = 0;

	(void)state;
	assert_true(leg_token_make(key, "session_1767225600_abc", 'a', token, sizeof(token)));
	assert_memory_equal(token, "session_1767225600_abc.a.", 25);
	assert_true(leg_token_check(key, token, id, sizeof(id), &leg));
	assert_string_equal(id, "session_1767225600_abc");
	assert_int_equal(leg, 'a');
}

static void a_forged_token_is_none(void **state)
{
	char token[LEG_TOKEN_MAX], id[80], leg;
	size_t len;

	(void)state;
	assert_true(leg_token_make(key, "session_1_abc", 'a', token, sizeof(token)));
	len = strlen(token);
	for (size_t i = 0; i < len; i++) { /* every character counts */
		token[i] ^= 1;
		assert_false(leg_token_check(key, token, id, sizeof(id), &leg));
		token[i] ^= 1;
	}
	assert_true(leg_token_check(key, token, id, sizeof(id), &leg));
	token[len - 1] = '\0';
	assert_false(leg_token_check(key, token, id, sizeof(id), &leg));
	assert_false(leg_token_check(key, "", id, sizeof(id), &leg));
	assert_false(leg_token_check(key, "session_1_abc", id, sizeof(id), &leg));
	assert_false(leg_token_check("another key", token, id, sizeof(id), &leg));
}

static void an_id_that_is_too_long_gets_no_token(void **state)
{
	char token[LEG_TOKEN_MAX], id[LEG_TOKEN_MAX];

	(void)state;
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_false(leg_token_make(key, id, 'a', token, sizeof(token)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_sha256_matches_rfc_4231),
		cmocka_unit_test(a_token_leads_back_to_its_session_and_leg),
		cmocka_unit_test(a_forged_token_is_none),
		cmocka_unit_test(an_id_that_is_too_long_gets_no_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
