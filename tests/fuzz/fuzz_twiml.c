/* fuzz_twiml.c - what strangers hand to the sandbox: TwiML, form bodies, sip: addresses with headers. */
#include "fuzz.h"

#include "params.h"
#include "sip_uri.h"
#include "twiml.h"

/* Every member is as promised, to the last leaf. */
static void walk(const struct twiml *node)
{
	for (; node; node = node->next) {
		if (!node->name || !*node->name || !node->text)
			abort();
		for (const struct twiml_attr *attr = node->attrs; attr; attr = attr->next)
			if (!attr->name || !attr->value || twiml_attr(node, attr->name, NULL) != attr->value)
				abort();
		(void)twiml_attr_int(node, "timeout", 1);
		walk(node->child);
	}
}

static void read_form(const char *text, size_t size)
{
	struct refusal refusal = { 0 };
	struct form form;

	if (form_parse(text, size, &form, NULL) != NXV_OK)
		return;
	if (params_check(params_create, &form, &refusal) == (refusal.code != 0))
		abort();
	refusal = (struct refusal){ 0 };
	(void)params_check(params_list, &form, &refusal);
	(void)param_events(&form, "StatusCallbackEvent", CALL_EVENT_WORDS, 0);
	form_free(&form);
}

/* A header never ends its line by itself. */
static void read_address(const char *text)
{
	struct buf lines = { .max = 65536 };

	sip_uri_headers(text, &lines);
	for (size_t i = 0; i < lines.len && !lines.failed; i++)
		if ((lines.data[i] == '\r') != (i + 1 < lines.len && lines.data[i + 1] == '\n'))
			abort();
	buf_free(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), why[160];
	struct twiml *root;

	if (!text)
		return 0;
	root = twiml_parse(text, size, why, sizeof(why));
	walk(root);
	twiml_free(root);
	read_form(text, size);
	read_address(text);
	free(text);
	return 0;
}
