/* test_sandbox_twiml.c - TwiML read: what the library's builder makes comes back, and what is broken is refused. */
#include "twiml.h"

#include <nexusvoip/twilio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char why[160];

static struct twiml *parse(const char *text)
{
	return twiml_parse(text, strlen(text), why, sizeof(why));
}

static void a_document_of_the_builder_comes_back(void **state)
{
	nxv_twiml *builder = nxv_twiml_new();
	struct twiml *root, *dial, *number;
	char *text;

	(void)state;
	nxv_twiml_open(builder, "Dial");
	nxv_twiml_attr(builder, "callerId", "+1234567890");
	nxv_twiml_attr_int(builder, "timeLimit", 14400);
	nxv_twiml_open(builder, "Number");
	nxv_twiml_attr(builder, "statusCallback", "https://e.net/a?b=1&c=\"<>'");
	nxv_twiml_text(builder, "+0987654321");
	nxv_twiml_close(builder);
	nxv_twiml_close(builder);
	nxv_twiml_element(builder, "Say", "é & ☎ <ok>");
	assert_int_equal(nxv_twiml_take(builder, &text, NULL), NXV_OK);
	nxv_twiml_free(builder);
	root = parse(text);
	if (!root)
		fail_msg("%s", why);
	dial = root->child;
	assert_true(twiml_is(dial, "Dial"));
	assert_string_equal(twiml_attr(dial, "callerId", ""), "+1234567890");
	assert_int_equal(twiml_attr_int(dial, "timeLimit", 0), 14400);
	number = dial->child;
	assert_string_equal(number->text, "+0987654321");
	assert_string_equal(twiml_attr(number, "statusCallback", ""), "https://e.net/a?b=1&c=\"<>'");
	assert_string_equal(dial->next->text, "é & ☎ <ok>");
	assert_null(dial->next->next);
	twiml_free(root);
	free(text);
}

static void what_xml_allows_is_taken(void **state)
{
	static const char *const good[] = {
		"<Response/>",
		"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --><Response >\n<Say a='1' b=\"2\">x<![CDATA[<&]]></Say><!-- b --></Response>\n<!-- c -->",
		"<Response><Say>&#x260e;&#9742;&amp;&lt;&gt;&quot;&apos;</Say></Response>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct twiml *root = parse(good[i]);

		if (!root)
			fail_msg("%s: %s", good[i], why);
		if (i == 1)
			assert_string_equal(root->child->text, "x<&");
		if (i == 2)
			assert_string_equal(root->child->text, "☎☎&<>\"'");
		twiml_free(root);
	}
}

static void what_is_broken_is_refused(void **state)
{
	static const char *const bad[] = { "", "x", "<Response>", "<Response></response>", "<Say/>", "<Response/><Response/>", "<Response><a></Response>",
		"<Response><Say>&nbsp;</Say></Response>", "<Response><Say>&#1;</Say></Response>", "<Response><Say>&#xd800;</Say></Response>",
		"<Response><Say a=1/></Response>", "<Response><Say a='1' a='2'/></Response>", "<Response><Say a='<'/></Response>",
		"<!DOCTYPE x [<!ENTITY a 'b'>]><Response/>", "<Response><Say>\x01</Say></Response>", "<Response", "<Response><![CDATA[", "<Response><!--",
		"<Response><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></Response>", "<Response>&", "<Response>&#", "< Response/>", "<>", "<Response><></Response>", "<Response><a b></a></Response>" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i]))
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_of_the_builder_comes_back),
		cmocka_unit_test(what_xml_allows_is_taken),
		cmocka_unit_test(what_is_broken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
