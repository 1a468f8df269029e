/* options.c - options structs as form parameters. */
#include "twilio/options.h"

#include "base/error.h"
#include "base/text.h"
#include "twilio/form.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const char *const option_methods[] = { "GET", "POST", NULL };
const char *const option_channels[] = { "mono", "dual", NULL };
const char *const option_tracks[] = { "inbound", "outbound", "both", NULL };
const char *const option_trims[] = { "trim-silence", "do-not-trim", NULL };
const char *const option_recording_events[] = { "in-progress", "completed", "absent", NULL };

static size_t count(const char *const *words)
{
	size_t n = 0;

	while (words[n])
		n++;
	return n;
}

static nxv_status add_text(struct buf *form, const struct option *o, const char *text, struct nxv_error *err)
{
	size_t characters = 0, len;

	if (!text || !*text)
		return NXV_OK;
	for (const char *p = text; *p; p += len, characters++) {
		len = text_utf8_len(p);
		if (!len)
			return error_field(err, o->field, "%s is not valid UTF-8", o->field);
	}
	if (o->limit && characters > (size_t)o->limit)
		return error_field(err, o->field, "%s has %zu characters; Twilio takes at most %d", o->field, characters, o->limit);
	form_add(form, o->param, text);
	return NXV_OK;
}

static nxv_status add_number(struct buf *form, const struct option *o, int64_t value, struct nxv_error *err)
{
	char text[24];

	if (value == 0)
		return NXV_OK;
	if (value < 0 || (o->limit && value > o->limit))
		return error_field(err, o->field, "%s must be between 1 and %d, or 0 to leave it out", o->field, o->limit ? o->limit : INT32_MAX);
	snprintf(text, sizeof(text), "%lld", (long long)value);
	form_add(form, o->param, text);
	return NXV_OK;
}

static nxv_status add_words(struct buf *form, const struct option *o, unsigned value, struct nxv_error *err)
{
	size_t n = count(o->words);

	if (o->kind == OPTION_WORD ? value > n : value >> n)
		return error_field(err, o->field, "%s has a value this library does not know", o->field);
	if (o->kind == OPTION_WORD && value)
		form_add(form, o->param, o->words[value - 1]);
	for (size_t i = 0; o->kind == OPTION_BITS && i < n; i++)
		if (value >> i & 1)
			form_add(form, o->param, o->words[i]);
	return NXV_OK;
}

static nxv_status add_time(struct buf *form, const struct option *o, int64_t ms, struct nxv_error *err)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	if (ms == 0)
		return NXV_OK;
	if (ms < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
		return error_field(err, o->field, "%s must be milliseconds since 1970", o->field);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	form_add(form, o->param, text);
	return NXV_OK;
}

static nxv_status add(struct buf *form, const struct option *o, const void *member, struct nxv_error *err)
{
	unsigned word;

	switch (o->kind) {
	case OPTION_TEXT:
		return add_text(form, o, *(const char *const *)member, err);
	case OPTION_INT:
		return add_number(form, o, *(const int *)member, err);
	case OPTION_PAGE:
		return add_number(form, o, *(const unsigned *)member, err);
	case OPTION_TRUE:
		if (*(const bool *)member)
			form_add(form, o->param, "true");
		return NXV_OK;
	case OPTION_WORD: /* enums without negative values have the size of unsigned */
	case OPTION_BITS:
		memcpy(&word, member, sizeof(word));
		return add_words(form, o, word, err);
	case OPTION_TIME:
		return add_time(form, o, *(const int64_t *)member, err);
	}
	return error_set(err, NXV_E_INTERNAL, "an option of no kind");
}

nxv_status options_add(struct buf *form, const struct option *table, const void *opts, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (const struct option *o = table; o->param && !status; o++)
		status = add(form, o, (const char *)opts + o->offset, err);
	return status;
}
