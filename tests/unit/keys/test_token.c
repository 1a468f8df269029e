/* test_token.c - the form of an API key. */
#include "keys/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void sample(char token[TOKEN_LEN + 1])
{
	uint8_t random[TOKEN_RANDOM_BYTES];

	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * 37 + 11);
	token_make(random, token);
}

static void token_has_start_length_and_alphabet(void **state)
{
	char token[TOKEN_LEN + 1];

	(void)state;
	sample(token);
	assert_int_equal(strlen(token), 57);
	assert_memory_equal(token, "sk_voip_", 8);
	assert_int_equal(strspn(token + 8, alphabet), 49);
	assert_true(token_valid(token));
}

static void token_of_the_largest_and_smallest_number_fits(void **state)
{
	uint8_t random[TOKEN_RANDOM_BYTES];
	char token[TOKEN_LEN + 1];

	(void)state;
	memset(random, 0xff, sizeof(random));
	token_make(random, token);
	assert_true(token_valid(token));
	memset(random, 0, sizeof(random));
	token_make(random, token);
	assert_true(token_valid(token));
	assert_memory_equal(token, "sk_voip_0000000000000000000000000000000000000000000", 51);
}

/* The checksum, computed once by another program (python3 zlib.crc32, base62 by divmod). */
static void token_checksum_is_crc32_of_what_precedes(void **state)
{
	uint8_t random[TOKEN_RANDOM_BYTES] = { 0 };
	char token[TOKEN_LEN + 1];

	(void)state;
	token_make(random, token);
	assert_string_equal(token + 51, "40GWAw");
}

static void token_with_any_single_character_changed_is_refused(void **state)
{
	char token[TOKEN_LEN + 1], wrong[TOKEN_LEN + 1];

	(void)state;
	sample(token);
	for (size_t i = 0; i < TOKEN_LEN; i++) {
		for (int c = 1; c < 256; c++) {
			memcpy(wrong, token, sizeof(wrong));
			wrong[i] = (char)c;
			if (wrong[i] != token[i] && token_valid(wrong))
				fail_msg("character %zu changed to %d was not noticed", i, c);
		}
	}
}

static void token_with_two_neighbours_swapped_is_refused(void **state)
{
	char token[TOKEN_LEN + 1];

	(void)state;
	sample(token);
	for (size_t i = 0; i + 1 < TOKEN_LEN; i++) {
		char c = token[i];

		if (c == token[i + 1])
			continue;
		token[i] = token[i + 1];
		token[i + 1] = c;
		if (token_valid(token))
			fail_msg("characters %zu and %zu swapped were not noticed", i, i + 1);
		token[i + 1] = token[i];
		token[i] = c;
	}
}

static void token_of_any_other_length_is_refused(void **state)
{
	char token[TOKEN_LEN + 3] = "";

	(void)state;
	sample(token);
	strcpy(token + TOKEN_LEN, "0");
	assert_false(token_valid(token));
	for (size_t len = TOKEN_LEN; len-- > 0;) {
		sample(token);
		token[len] = '\0';
		assert_false(token_valid(token));
	}
	assert_false(token_valid(NULL));
}

static void token_digest_is_sha256(void **state)
{
	static const uint8_t of_abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d,
		0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
		0x15, 0xad };
	uint8_t digest[TOKEN_DIGEST_BYTES];

	(void)state;
	assert_true(token_digest("abc", digest));
	assert_memory_equal(digest, of_abc, sizeof(digest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_has_start_length_and_alphabet),
		cmocka_unit_test(token_of_the_largest_and_smallest_number_fits),
		cmocka_unit_test(token_checksum_is_crc32_of_what_precedes),
		cmocka_unit_test(token_with_any_single_character_changed_is_refused),
		cmocka_unit_test(token_with_two_neighbours_swapped_is_refused),
		cmocka_unit_test(token_of_any_other_length_is_refused),
		cmocka_unit_test(token_digest_is_sha256),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
