/* test_seal.c - sealed texts open with all they are bound to, and with nothing else. */
#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool no_random(void *user, void *buf, size_t len)
{
	(void)user;
	memset(buf, 0, len);
	return false;
}

static struct env system_env(void)
{
	struct env env = { 0 };

	env_defaults(&env);
	return env;
}

static const struct seal_binding sample = { "4f1c0c9e", "a test", "bound", 5 };

static uint8_t *seal(const char *text, size_t *len)
{
	struct env env = system_env();
	uint8_t *sealed = NULL;

	assert_int_equal(seal_text(&env, &sample, text, &sealed, len, NULL), NXV_OK);
	assert_int_equal(*len, strlen(text) + SEAL_OVERHEAD_BYTES);
	return sealed;
}

static void sealed_text_opens_again(void **state)
{
	static const char *const texts[] = { "", "x", "{\"secret\":\"sk_voip_abc\"}" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		uint8_t *sealed = seal(texts[i], &len);
		char *text = NULL;

		assert_int_equal(seal_open(&sample, sealed, len, &text, NULL), NXV_OK);
		assert_string_equal(text, texts[i]);
		free(text);
		free(sealed);
	}
}

static void sealed_text_is_different_every_time_and_hides_the_text(void **state)
{
	static const char secret[] = "a text of some length that must not show";
	size_t len;
	uint8_t *one, *two;

	(void)state;
	one = seal(secret, &len);
	two = seal(secret, &len);
	assert_memory_not_equal(one, two, len);
	for (size_t i = 0; i + 4 <= len; i++)
		assert_memory_not_equal(one + i, secret, 4);
	free(one);
	free(two);
}

static void sealed_text_opens_with_nothing_else(void **state)
{
	const struct seal_binding others[] = {
		{ "4f1c0c9f", "a test", "bound", 5 },
		{ "4f1c0c9e", "b test", "bound", 5 },
		{ "4f1c0c9e", "a test", "bounD", 5 },
		{ "4f1c0c9e", "a test", "bound", 4 },
		{ "4f1c0c9e", "a test", NULL, 0 },
	};
	struct nxv_error err = NXV_ERROR_INIT;
	char *text = NULL;
	size_t len;
	uint8_t *sealed;

	(void)state;
	sealed = seal("text", &len);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(seal_open(&others[i], sealed, len, &text, &err), NXV_E_INVALID);
		assert_null(text);
	}
	free(sealed);
}

static void sealed_text_with_any_bit_changed_or_cut_is_refused(void **state)
{
	char *text = NULL;
	size_t len;
	uint8_t *sealed;

	(void)state;
	sealed = seal("text", &len);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(seal_open(&sample, sealed, len, &text, NULL), NXV_E_INVALID);
		assert_null(text);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(seal_open(&sample, sealed, cut, &text, NULL), NXV_E_INVALID);
	assert_int_equal(seal_open(&sample, NULL, 0, &text, NULL), NXV_E_INVALID);
	free(sealed);
}

static void sealing_without_randomness_fails(void **state)
{
	struct env env = { .random = no_random };
	uint8_t *sealed = (void *)1;
	size_t len;

	(void)state;
	assert_int_equal(seal_text(&env, &sample, "text", &sealed, &len, NULL), NXV_E_INTERNAL);
	assert_null(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_text_opens_again),
		cmocka_unit_test(sealed_text_is_different_every_time_and_hides_the_text),
		cmocka_unit_test(sealed_text_opens_with_nothing_else),
		cmocka_unit_test(sealed_text_with_any_bit_changed_or_cut_is_refused),
		cmocka_unit_test(sealing_without_randomness_fails),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
