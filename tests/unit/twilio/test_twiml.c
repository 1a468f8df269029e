/* test_twiml.c - TwiML: the text that Twilio's own helper makes of the same, and what is refused. */
#include <nexusvoip/twilio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOC "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"

static void expect(nxv_twiml *t, const char *xml)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *out;

	if (nxv_twiml_take(t, &out, &err))
		fail_msg("%s", err.message);
	assert_string_equal(out, xml);
	free(out);
	nxv_twiml_free(t);
}

static void refuse(nxv_twiml *t, const char *field)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *out;

	assert_int_equal(nxv_twiml_take(t, &out, &err), NXV_E_INVALID);
	assert_null(out);
	assert_string_equal(err.field, field);
	nxv_twiml_free(t);
}

static void an_empty_response_is_one_element(void **state)
{
	(void)state;
	expect(nxv_twiml_new(), DOC "<Response/>");
}

static void a_call_to_a_number_is_dialled(void **state)
{
	nxv_twiml *t = nxv_twiml_new();

	(void)state;
	nxv_twiml_open(t, "Dial");
	nxv_twiml_attr(t, "callerId", "+12025550123");
	nxv_twiml_attr_int(t, "timeLimit", 14400);
	nxv_twiml_attr_bool(t, "answerOnBridge", true);
	nxv_twiml_attr(t, "action", NULL);
	nxv_twiml_open(t, "Number");
	nxv_twiml_attr(t, "statusCallback", "https://gw.example.net/s?a=1&b='2'");
	nxv_twiml_attr(t, "sendDigits", "ww1#");
	nxv_twiml_text(t, "+34911234567");
	nxv_twiml_close(t);
	nxv_twiml_close(t);
	nxv_twiml_element(t, "Hangup", NULL);
	expect(t, DOC "<Response><Dial callerId=\"+12025550123\" timeLimit=\"14400\" answerOnBridge=\"true\">"
		"<Number statusCallback=\"https://gw.example.net/s?a=1&amp;b='2'\" sendDigits=\"ww1#\">+34911234567</Number>"
		"</Dial><Hangup/></Response>");
}

static void open_elements_are_ended_at_the_end(void **state)
{
	nxv_twiml *t = nxv_twiml_new();

	(void)state;
	nxv_twiml_open(t, "Dial");
	nxv_twiml_open(t, "Sip");
	nxv_twiml_attr(t, "password", "a\"<b>&'c");
	nxv_twiml_text(t, "sip:al@pbx.example.net;transport=tls?X-A=1&X-B=2");
	expect(t, DOC "<Response><Dial><Sip password=\"a&quot;&lt;b>&amp;'c\">"
		"sip:al@pbx.example.net;transport=tls?X-A=1&amp;X-B=2</Sip></Dial></Response>");
}

static void nasty_text_is_escaped(void **state)
{
	nxv_twiml *t = nxv_twiml_new();

	(void)state;
	nxv_twiml_open(t, "Say");
	nxv_twiml_attr(t, "voice", "a\tb\nc\rd>e");
	nxv_twiml_text(t, "x ]]> \"q\" 'r' &amp; <y/> \r\n\t é ☎ \xf0\x9f\x98\x80 \x7f");
	expect(t, DOC "<Response><Say voice=\"a&#x9;b&#xA;c&#xD;d>e\">"
		"x ]]&gt; \"q\" 'r' &amp;amp; &lt;y/&gt; &#xD;\n\t é ☎ \xf0\x9f\x98\x80 \x7f</Say></Response>");
}

static void every_verb_for_calls_has_its_place(void **state)
{
	nxv_twiml *t = nxv_twiml_new();

	(void)state;
	nxv_twiml_element(t, "Play", "https://e.net/a.mp3");
	nxv_twiml_open(t, "Pause");
	nxv_twiml_attr_int(t, "length", 2);
	nxv_twiml_close(t);
	nxv_twiml_open(t, "Gather");
	nxv_twiml_element(t, "Say", "?");
	nxv_twiml_close(t);
	nxv_twiml_open(t, "Start");
	nxv_twiml_element(t, "Recording", NULL);
	nxv_twiml_close(t);
	nxv_twiml_element(t, "Record", NULL);
	nxv_twiml_element(t, "Reject", "");
	nxv_twiml_element(t, "Redirect", "https://e.net/next");
	expect(t, DOC "<Response><Play>https://e.net/a.mp3</Play><Pause length=\"2\"/><Gather><Say>?</Say></Gather>"
		"<Start><Recording/></Start><Record/><Reject/><Redirect>https://e.net/next</Redirect></Response>");
}

static void what_has_no_place_is_refused(void **state)
{
	static const char *const wrong[] = { "Number", "dial", "Response", "x><y", "" };
	nxv_twiml *t;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		t = nxv_twiml_new();
		nxv_twiml_element(t, wrong[i], "+1");
		nxv_twiml_element(t, "Hangup", NULL);
		refuse(t, wrong[i]);
	}
	t = nxv_twiml_new();
	nxv_twiml_close(t);
	nxv_twiml_element(t, "Say", "x");
	refuse(t, "Say");
}

static void what_xml_cannot_carry_is_refused(void **state)
{
	static const char *const wrong[] = { "a\001b", "\x1f", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xc3" };
	nxv_twiml *t;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		t = nxv_twiml_new();
		nxv_twiml_element(t, "Say", wrong[i]);
		refuse(t, "Say");
		t = nxv_twiml_new();
		nxv_twiml_open(t, "Say");
		nxv_twiml_attr(t, "voice", wrong[i]);
		refuse(t, "voice");
	}
}

static void attributes_are_refused_when_late_double_or_misnamed(void **state)
{
	nxv_twiml *t = nxv_twiml_new();

	(void)state;
	nxv_twiml_open(t, "Say");
	nxv_twiml_text(t, "x");
	nxv_twiml_attr(t, "voice", "a");
	refuse(t, "voice");
	t = nxv_twiml_new();
	nxv_twiml_open(t, "Say");
	nxv_twiml_attr(t, "voice", " loop=\"3\"");
	nxv_twiml_attr(t, "loop", "1");
	nxv_twiml_attr(t, "voice", "a");
	refuse(t, "voice");
	t = nxv_twiml_new();
	nxv_twiml_open(t, "Say");
	nxv_twiml_attr(t, "a b", "1");
	refuse(t, "a b");
}

static void a_document_without_end_is_refused(void **state)
{
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_twiml *t = nxv_twiml_new();
	char *out;

	(void)state;
	for (int i = 0; i < 100000; i++)
		nxv_twiml_element(t, "Say", "to all who wait");
	assert_int_equal(nxv_twiml_take(t, &out, &err), NXV_E_LIMIT);
	assert_int_equal(nxv_twiml_take(t, &out, &err), NXV_E_INVALID);
	nxv_twiml_free(t);
	assert_int_equal(nxv_twiml_take(NULL, &out, &err), NXV_E_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_response_is_one_element),
		cmocka_unit_test(a_call_to_a_number_is_dialled),
		cmocka_unit_test(open_elements_are_ended_at_the_end),
		cmocka_unit_test(nasty_text_is_escaped),
		cmocka_unit_test(every_verb_for_calls_has_its_place),
		cmocka_unit_test(what_has_no_place_is_refused),
		cmocka_unit_test(what_xml_cannot_carry_is_refused),
		cmocka_unit_test(attributes_are_refused_when_late_double_or_misnamed),
		cmocka_unit_test(a_document_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
