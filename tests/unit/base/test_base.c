/* test_base.c - text, digests, buffers, JSON reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "base/opts.h"
#include "base/text.h"

static void numbers_take_plus_and_2_to_15_digits(void **state)
{
	(void)state;
	assert_true(text_is_number("+0987654321"));
	assert_true(text_is_number("+12"));
	assert_true(text_is_number("+123456789012345"));
	assert_false(text_is_number("+1"));
	assert_false(text_is_number("+1234567890123456"));
	assert_false(text_is_number("1234567890"));
	assert_false(text_is_number("+12 34"));
	assert_false(text_is_number(NULL));
}

static void user_ids_refuse_spaces_and_length(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'a', 65);
	longest[65] = '\0';
	assert_true(text_is_user_id("user_123"));
	assert_true(text_is_user_id("a@b.c+d-e"));
	assert_false(text_is_user_id(""));
	assert_false(text_is_user_id("a b"));
	assert_false(text_is_user_id("a/b"));
	assert_false(text_is_user_id(longest));
	longest[64] = '\0';
	assert_true(text_is_user_id(longest));
}

static void labels_are_utf8_without_control_characters(void **state)
{
	(void)state;
	assert_true(text_is_label("Producci\xc3\xb3n", 100));
	assert_false(text_is_label("a\nb", 100));
	assert_false(text_is_label("\xc3", 100));         /* cut short */
	assert_false(text_is_label("\xc0\xaf", 100));     /* overlong */
	assert_false(text_is_label("\xed\xa0\x80", 100)); /* surrogate */
	assert_false(text_is_label("\xc2\x85", 100));     /* C1 control */
	assert_false(text_is_label("abc", 2));
}

static void hostport_splits_v4_and_v6(void **state)
{
	char host[32];
	uint16_t port = 0;

	(void)state;
	assert_true(text_hostport("127.0.0.1:5060", host, sizeof(host), &port));
	assert_string_equal(host, "127.0.0.1");
	assert_int_equal(port, 5060);
	assert_true(text_hostport("[::1]:0", host, sizeof(host), &port));
	assert_string_equal(host, "::1");
	assert_false(text_hostport("::1:5060", host, sizeof(host), &port));
	assert_false(text_hostport("host", host, sizeof(host), &port));
	assert_false(text_hostport("host:65536", host, sizeof(host), &port));
	assert_false(text_hostport("host:", host, sizeof(host), &port));
	assert_false(text_hostport(":1", host, sizeof(host), &port));
}

static void base62_is_padded_and_refuses_overflow(void **state)
{
	const uint8_t sixty_two[] = { 62 }, big[] = { 0xff, 0xff };
	char out[8];

	(void)state;
	assert_true(text_base62(sixty_two, 1, out, 4));
	assert_string_equal(out, "0010");
	assert_false(text_base62(big, 2, out, 2));
	assert_true(text_base62(big, 2, out, 3));
}

static void digests_match_published_vectors(void **state)
{
	char hex[65];

	(void)state;
	assert_true(digest_hex(DIGEST_MD5, "abc", 3, hex)); /* RFC 1321 */
	assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72");
	assert_true(digest_hex(DIGEST_SHA256, "abc", 3, hex)); /* FIPS 180-4 */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_hex(DIGEST_SHA512_256, "abc", 3, hex));
	assert_string_equal(hex, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
	assert_int_equal(digest_crc32("123456789", 9), 0xcbf43926);
}

static void buffer_stops_at_its_maximum(void **state)
{
	struct buf b = { .max = 8 };

	(void)state;
	buf_str(&b, "1234");
	buf_printf(&b, "%d", 5678);
	assert_string_equal(b.data, "12345678");
	buf_str(&b, "9");
	assert_true(b.failed);
	assert_null(buf_take(&b));
}

static nxv_status read_json(const char *text)
{
	struct json_object *obj;
	nxv_status status = json_read(text, strlen(text), JSON_MAX_BODY, &obj, NULL);

	json_object_put(obj);
	return status;
}

static void json_refuses_what_strict_readers_refuse(void **state)
{
	char deep[64] = "";

	(void)state;
	assert_int_equal(read_json("{\"a\":1,\"b\":[{\"c\":\"x:y\"}]}"), NXV_OK);
	assert_int_equal(read_json("5"), NXV_OK);
	assert_int_equal(read_json(" {} \n"), NXV_OK);
	assert_int_equal(read_json(""), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":1,\"a\":2}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":{\"b\":1,\"b\":1}}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":1,\"\\u0061\":2}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":1} x"), NXV_E_INVALID);
	assert_int_equal(read_json("{'a':1}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":NaN}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":01}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":1.}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":-}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":1e}"), NXV_E_INVALID);
	assert_int_equal(read_json("[-0.5e+3,0,10,true,false,null]"), NXV_OK);
	assert_int_equal(read_json("{\"a\":1} /* x */"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":\"it's // fine\"}"), NXV_OK);
	assert_int_equal(read_json("{\"a\":1,}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\":\"\xff\"}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\\u0000b\" : 1}"), NXV_E_INVALID);
	assert_int_equal(read_json("{\"a\\\\u0000b\":1,\"c\":\"\\u0000\"}"), NXV_OK);
	for (int i = 0; i < 20; i++)
		strcat(deep, "[");
	assert_int_equal(read_json(deep), NXV_E_INVALID);
}

struct of_old {
	size_t size;
	int limit;
};
struct of_today {
	size_t size;
	int limit;
	const char *added;
};

static void options_of_an_older_and_a_newer_program_are_taken(void **state)
{
	const struct {
		struct of_old opts;
		char other[32]; /* lies behind it, and is none of ours */
	} old = { { sizeof(struct of_old), 7 }, "something else altogether" };
	const struct of_today today = { sizeof(struct of_today), 8, "added" };
	struct of_today out;
	struct of_old shorter;
	struct of_old unset = { 0, 9 };

	(void)state;
	assert_true(opts_take(&out, sizeof(out), &old.opts, OPTS_LEAST(struct of_old, limit)));
	assert_int_equal(out.limit, 7);
	assert_null(out.added);
	assert_true(opts_take(&out, sizeof(out), &today, OPTS_LEAST(struct of_old, limit)));
	assert_string_equal(out.added, "added");
	assert_true(opts_take(&shorter, sizeof(shorter), &today, OPTS_LEAST(struct of_old, limit)));
	assert_int_equal(shorter.limit, 8);
	assert_false(opts_take(&out, sizeof(out), &unset, OPTS_LEAST(struct of_old, limit)));
	assert_false(opts_take(&out, sizeof(out), NULL, OPTS_LEAST(struct of_old, limit)));
}

static void json_names_the_member_that_is_there_twice(void **state)
{
	static const char text[] = "{\"a\":{\"x\":1},\"toNumber\":\"x\",\"b\":\"toNumber\", \"toNumber\" : 2}";
	struct json_object *obj;
	struct nxv_error err;

	(void)state;
	assert_int_equal(json_read(text, strlen(text), JSON_MAX_BODY, &obj, &err), NXV_E_INVALID);
	assert_string_equal(err.field, "toNumber");
	assert_string_equal(err.code, "bad_json");
}

static void json_over_the_limit_is_refused_before_parsing(void **state)
{
	struct json_object *obj;
	struct nxv_error err;

	(void)state;
	assert_int_equal(json_read("[1,2,3]", 7, 6, &obj, &err), NXV_E_INVALID);
	assert_string_equal(err.code, "bad_json");
	assert_null(obj);
}

static void ids_carry_their_prefix_and_differ(void **state)
{
	char *a = id_new("key"), *b = id_new("key");

	(void)state;
	assert_memory_equal(a, "key_", 4);
	assert_int_equal(strlen(a), 26);
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void errors_carry_word_field_and_errno_text(void **state)
{
	struct nxv_error err;

	(void)state;
	assert_int_equal(error_field(&err, "userId", "write it"), NXV_E_INVALID);
	assert_string_equal(err.field, "userId");
	assert_string_equal(err.code, "invalid");
	assert_int_equal(error_errno(&err, 2, "cannot open %s", "x"), NXV_E_IO);
	assert_string_equal(err.message, "cannot open x: No such file or directory");
	assert_int_equal(err.detail, 2);
	for (int s = NXV_OK; s <= NXV_E_INTERNAL; s++)
		assert_int_equal(error_status_parse(nxv_status_name((nxv_status)s)), s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_take_plus_and_2_to_15_digits),
		cmocka_unit_test(user_ids_refuse_spaces_and_length),
		cmocka_unit_test(labels_are_utf8_without_control_characters),
		cmocka_unit_test(hostport_splits_v4_and_v6),
		cmocka_unit_test(base62_is_padded_and_refuses_overflow),
		cmocka_unit_test(digests_match_published_vectors),
		cmocka_unit_test(buffer_stops_at_its_maximum),
		cmocka_unit_test(json_refuses_what_strict_readers_refuse),
		cmocka_unit_test(options_of_an_older_and_a_newer_program_are_taken),
		cmocka_unit_test(json_names_the_member_that_is_there_twice),
		cmocka_unit_test(json_over_the_limit_is_refused_before_parsing),
		cmocka_unit_test(ids_carry_their_prefix_and_differ),
		cmocka_unit_test(errors_carry_word_field_and_errno_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
