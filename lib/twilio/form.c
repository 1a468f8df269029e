/* form.c - application/x-www-form-urlencoded, both ways. */
#include "twilio/form.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static void encode(struct buf *form, const char *s)
{
	for (; *s; s++)
		if (plain(*s))
			buf_append(form, s, 1);
		else
			buf_printf(form, "%%%02X", (unsigned)(unsigned char)*s);
}

void form_add(struct buf *form, const char *name, const char *value)
{
	if (form->len)
		buf_str(form, "&");
	encode(form, name);
	buf_str(form, "=");
	encode(form, value);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode in place; false when a NUL comes out, which would hide what follows it. */
static bool decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
			if (!*to)
				return false;
			to++;
		} else {
			*to++ = *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
	return true;
}

nxv_status form_parse(const void *body, size_t len, struct form *out, struct nxv_error *err)
{
	struct form form = { 0 };
	char *at, *next;
	nxv_status status = NXV_OK;

	*out = form;
	if (len && memchr(body, '\0', len))
		return error_set(err, NXV_E_INVALID, "the form holds a NUL");
	form.text = calloc(1, len + 1);
	form.params = calloc(FORM_PARAMS_MAX, sizeof(*form.params));
	if (!form.text || !form.params) {
		status = error_nomem(err);
		goto out;
	}
	if (len)
		memcpy(form.text, body, len);
	for (at = form.text; at; at = next) {
		next = strchr(at, '&');
		if (next)
			*next++ = '\0';
		if (!*at)
			continue;
		if (form.count == FORM_PARAMS_MAX) {
			status = error_set(err, NXV_E_INVALID, "the form has more than %d parameters", FORM_PARAMS_MAX);
			goto out;
		}
		char *equals = strchr(at, '=');
		if (equals)
			*equals++ = '\0';
		if (!decode(at) || (equals && !decode(equals))) {
			status = error_set(err, NXV_E_INVALID, "the form holds a NUL");
			goto out;
		}
		form.params[form.count++] = (struct nxv_twilio_param){ at, equals ? equals : "" };
	}
	*out = form;
	form = (struct form){ 0 };
out:
	form_free(&form);
	return status;
}

const char *form_get(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (strcmp(form->params[i].name, name) == 0)
			return form->params[i].value;
	return NULL;
}

void form_free(struct form *form)
{
	free(form->params);
	free(form->text);
	*form = (struct form){ 0 };
}
