/* test_twilio_helper.c - signatures and TwiML held to what Twilio's own Node helper makes of random input, at test time. */
#include <nexusvoip/twilio.h>

#include "twilio/node.h"

#include <json-c/json.h>

#include <time.h>

#define SIGNATURES "200"
#define DOCUMENTS "400"

static char seed[32];

static const char *text(struct json_object *obj, const char *member)
{
	return json_object_get_string(json_object_object_get(obj, member));
}

static const char *at(struct json_object *list, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(list, i));
}

static void check_signature(struct json_object *vector)
{
	struct nxv_twilio_payload payload = NXV_TWILIO_PAYLOAD_INIT;
	struct json_object *pairs = json_object_object_get(vector, "params");
	struct nxv_twilio_param params[64];
	char changed[64];

	payload.body = text(vector, "body");
	payload.body_len = payload.body ? strlen(payload.body) : 0;
	for (size_t i = 0; pairs && i < json_object_array_length(pairs); i++) {
		struct json_object *pair = json_object_array_get_idx(pairs, i);
		assert_true(i < 64);
		params[i] = (struct nxv_twilio_param){ at(pair, 0), at(pair, 1) };
		payload.param_count = i + 1;
	}
	payload.params = payload.param_count ? params : NULL;
	if (nxv_twilio_signature_check(text(vector, "token"), text(vector, "url"), &payload, text(vector, "signature"), NULL))
		fail_msg("seed %s: refused: %s", seed, json_object_to_json_string(vector));
	snprintf(changed, sizeof(changed), "%s", text(vector, "signature"));
	changed[10] ^= 1;
	assert_int_equal(nxv_twilio_signature_check(text(vector, "token"), text(vector, "url"), &payload, changed, NULL), NXV_E_DENIED);
	if (!payload.param_count)
		return;
	params[0].value = "changed \x01";
	assert_int_equal(nxv_twilio_signature_check(text(vector, "token"), text(vector, "url"), &payload, text(vector, "signature"), NULL),
		NXV_E_DENIED);
}

static size_t for_each(const char *what, const char *count, void (*check)(struct json_object *))
{
	struct node node;
	const char *line;
	size_t n = 0;

	node_start(&node, TWILIO_CHECKS "/helper.js", (const char *const[]){ what, count, seed, NULL });
	for (; (line = node_line(&node)); n++) {
		struct json_object *obj = json_tokener_parse(line);
		assert_non_null(obj);
		check(obj);
		json_object_put(obj);
	}
	assert_int_equal(node_end(&node), 0);
	return n;
}

static void random_signatures_of_the_helper_are_good_and_changed_ones_are_not(void **state)
{
	(void)state;
	assert_int_equal(for_each("signatures", SIGNATURES, check_signature), atoi(SIGNATURES));
}

static void check_document(struct json_object *document)
{
	struct json_object *steps = json_object_object_get(document, "steps");
	const char *expected = text(document, "xml");
	nxv_twiml *t = nxv_twiml_new();
	char *xml = NULL;

	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		switch (*at(step, 0)) {
		case 'o':
			nxv_twiml_open(t, at(step, 1));
			break;
		case 'a':
			nxv_twiml_attr(t, at(step, 1), at(step, 2));
			break;
		case 't':
			nxv_twiml_text(t, at(step, 1));
			break;
		default:
			nxv_twiml_close(t);
		}
	}
	nxv_status status = nxv_twiml_take(t, &xml, NULL);
	if (status != (expected ? NXV_OK : NXV_E_INVALID) || (expected && strcmp(expected, xml) != 0))
		fail_msg("seed %s: status %d, ours:\n%s\nthe helper's:\n%s", seed, status, xml ? xml : "refused", expected ? expected : "refused");
	free(xml);
	nxv_twiml_free(t);
}

static void random_twiml_is_spelled_as_by_the_helper(void **state)
{
	(void)state;
	assert_int_equal(for_each("twiml", DOCUMENTS, check_document), atoi(DOCUMENTS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_signatures_of_the_helper_are_good_and_changed_ones_are_not),
		cmocka_unit_test(random_twiml_is_spelled_as_by_the_helper),
	};

	node_require();
	snprintf(seed, sizeof(seed), "%lld", (long long)time(NULL));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
