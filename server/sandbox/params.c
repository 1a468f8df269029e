/* params.c - tables of parameters, as Twilio's published description has them, and their check. */
#include "params.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <stdio.h>
#include <time.h>

#define END { NULL, PARAM_TEXT, NULL, 0, 0, 0 }
#define TRACKS "inbound outbound both"
#define TRIMS "trim-silence do-not-trim"

const struct param params_create[] = {
	{ "To", PARAM_TEXT, NULL, 0, 512, 0 },
	{ "From", PARAM_TEXT, NULL, 0, 256, 0 },
	{ "Url", PARAM_URL, NULL, 0, 0, 21205 },
	{ "Twiml", PARAM_TEXT, NULL, 0, 4000, 0 },
	{ "ApplicationSid", PARAM_SID, "AP", 0, 0, 21218 },
	{ "Method", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "FallbackUrl", PARAM_URL, NULL, 0, 0, 0 },
	{ "FallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "StatusCallback", PARAM_URL, NULL, 0, 0, 21609 },
	{ "StatusCallbackEvent", PARAM_EVENTS, CALL_EVENT_WORDS, 0, 0, 0 },
	{ "StatusCallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "SendDigits", PARAM_DIGITS, NULL, 0, 32, 21208 },
	{ "Timeout", PARAM_NUMBER, NULL, 0, 600, 0 },
	{ "TimeLimit", PARAM_NUMBER, NULL, 1, 86400, 0 },
	{ "Record", PARAM_BOOL, NULL, 0, 0, 0 },
	{ "RecordingChannels", PARAM_WORD, "mono dual", 0, 0, 0 },
	{ "RecordingTrack", PARAM_WORD, TRACKS, 0, 0, 0 },
	{ "RecordingStatusCallback", PARAM_URL, NULL, 0, 0, 0 },
	{ "RecordingStatusCallbackEvent", PARAM_EVENTS, RECORDING_EVENT_WORDS, 0, 0, 0 },
	{ "RecordingStatusCallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "RecordingConfigurationId", PARAM_TEXT, NULL, 0, 128, 0 },
	{ "Trim", PARAM_WORD, TRIMS, 0, 0, 0 },
	{ "SipAuthUsername", PARAM_TEXT, NULL, 0, 256, 0 },
	{ "SipAuthPassword", PARAM_TEXT, NULL, 0, 256, 0 },
	{ "CallerId", PARAM_TEXT, NULL, 0, 256, 0 },
	{ "MachineDetection", PARAM_WORD, "Enable DetectMessageEnd", 0, 0, 0 },
	{ "MachineDetectionTimeout", PARAM_NUMBER, NULL, 3, 120, 0 },
	{ "MachineDetectionSpeechThreshold", PARAM_NUMBER, NULL, 1000, 6000, 0 },
	{ "MachineDetectionSpeechEndThreshold", PARAM_NUMBER, NULL, 500, 5000, 0 },
	{ "MachineDetectionSilenceTimeout", PARAM_NUMBER, NULL, 2000, 10000, 0 },
	{ "AsyncAmd", PARAM_BOOL, NULL, 0, 0, 0 },
	{ "AsyncAmdStatusCallback", PARAM_URL, NULL, 0, 0, 0 },
	{ "AsyncAmdStatusCallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "Passports", PARAM_TEXT, NULL, 0, 0, 0 },
	{ "Byoc", PARAM_SID, "BY", 0, 0, 0 },
	{ "CallReason", PARAM_TEXT, NULL, 0, 50, 0 },
	{ "CallToken", PARAM_TEXT, NULL, 0, 0, 0 },
	{ "ClientNotificationUrl", PARAM_URL, NULL, 0, 0, 0 },
	END,
};
const struct param params_update[] = {
	{ "Status", PARAM_WORD, "canceled completed", 0, 0, 0 },
	{ "Url", PARAM_URL, NULL, 0, 0, 21205 },
	{ "Twiml", PARAM_TEXT, NULL, 0, 4000, 0 },
	{ "Method", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "FallbackUrl", PARAM_URL, NULL, 0, 0, 0 },
	{ "FallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "StatusCallback", PARAM_URL, NULL, 0, 0, 21609 },
	{ "StatusCallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "TimeLimit", PARAM_NUMBER, NULL, 1, 86400, 0 },
	END,
};
#define PAGING \
	{ "PageSize", PARAM_NUMBER, NULL, 1, 1000, 0 }, { "Page", PARAM_NUMBER, NULL, 0, 1000000, 0 }, \
	{ "PageToken", PARAM_TEXT, NULL, 0, 64, 0 }
const struct param params_list[] = {
	{ "To", PARAM_TEXT, NULL, 0, 0, 0 },
	{ "From", PARAM_TEXT, NULL, 0, 0, 0 },
	{ "ParentCallSid", PARAM_SID, "CA", 0, 0, 0 },
	{ "Status", PARAM_WORD, CALL_STATUS_WORDS, 0, 0, 0 },
	{ "StartTime", PARAM_TIME, NULL, 0, 0, 0 },
	{ "StartTime<", PARAM_TIME, NULL, 0, 0, 0 },
	{ "StartTime>", PARAM_TIME, NULL, 0, 0, 0 },
	{ "EndTime", PARAM_TIME, NULL, 0, 0, 0 },
	{ "EndTime<", PARAM_TIME, NULL, 0, 0, 0 },
	{ "EndTime>", PARAM_TIME, NULL, 0, 0, 0 },
	PAGING,
	END,
};
const struct param params_recording_create[] = {
	{ "RecordingStatusCallback", PARAM_URL, NULL, 0, 0, 0 },
	{ "RecordingStatusCallbackEvent", PARAM_EVENTS, RECORDING_EVENT_WORDS, 0, 0, 0 },
	{ "RecordingStatusCallbackMethod", PARAM_METHOD, NULL, 0, 0, 0 },
	{ "Trim", PARAM_WORD, TRIMS, 0, 0, 0 },
	{ "RecordingChannels", PARAM_WORD, "mono dual", 0, 0, 0 },
	{ "RecordingTrack", PARAM_WORD, TRACKS, 0, 0, 0 },
	{ "RecordingConfigurationId", PARAM_TEXT, NULL, 0, 128, 0 },
	END,
};
const struct param params_recording_update[] = {
	{ "Status", PARAM_WORD, "in-progress paused stopped", 0, 0, 0 },
	{ "PauseBehavior", PARAM_WORD, "skip silence", 0, 0, 0 },
	END,
};
const struct param params_recording_list[] = {
	{ "CallSid", PARAM_SID, "CA", 0, 0, 0 },
	{ "ConferenceSid", PARAM_SID, "CF", 0, 0, 0 },
	{ "DateCreated", PARAM_TIME, NULL, 0, 0, 0 },
	{ "DateCreated<", PARAM_TIME, NULL, 0, 0, 0 },
	{ "DateCreated>", PARAM_TIME, NULL, 0, 0, 0 },
	{ "IncludeSoftDeleted", PARAM_BOOL, NULL, 0, 0, 0 },
	PAGING,
	END,
};
const struct param params_recording_fetch[] = {
	{ "IncludeSoftDeleted", PARAM_BOOL, NULL, 0, 0, 0 },
	END,
};
const struct param params_media[] = {
	{ "RequestedChannels", PARAM_NUMBER, NULL, 1, 2, 0 },
	END,
};
const struct param params_none[] = { END };

int word_index(const char *words, const char *word, size_t len)
{
	for (int i = 0; *words; i++) {
		size_t n = strcspn(words, " ");

		if (n == len && strncmp(words, word, n) == 0)
			return i;
		words += n + (words[n] == ' ');
	}
	return -1;
}

static bool is_url(const char *s)
{
	const char *host = strncasecmp(s, "http://", 7) == 0 ? s + 7 : strncasecmp(s, "https://", 8) == 0 ? s + 8 : NULL;

	if (!host || !*host || strchr("/?#:", *host))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool are_words(const char *words, const char *value)
{
	for (size_t n; *value; value += n + (value[n] == ' ')) {
		n = strcspn(value, " ");
		if (word_index(words, value, n) < 0)
			return false;
	}
	return true;
}

static size_t characters(const char *s)
{
	size_t count = 0;

	for (; *s; s++)
		count += ((unsigned char)*s & 0xc0) != 0x80;
	return count;
}

static bool is_digits(const char *s, int max)
{
	return strlen(s) <= (size_t)max && strspn(s, "0123456789ABCDabcd#*wW") == strlen(s);
}

static bool fits(const struct param *p, const char *value)
{
	int64_t number;

	switch (p->kind) {
	case PARAM_TEXT:
		return !p->max || characters(value) <= (size_t)p->max;
	case PARAM_URL:
		return is_url(value);
	case PARAM_METHOD:
		return strcmp(value, "GET") == 0 || strcmp(value, "POST") == 0;
	case PARAM_NUMBER:
		return text_int(value, p->min, p->max, &number);
	case PARAM_BOOL:
		return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	case PARAM_WORD:
		return word_index(p->words, value, strlen(value)) >= 0;
	case PARAM_EVENTS:
		return are_words(p->words, value);
	case PARAM_SID:
		return strlen(value) == 34 && strncmp(value, p->words, 2) == 0 && strspn(value + 2, "0123456789abcdefABCDEF") == 32;
	case PARAM_DIGITS:
		return is_digits(value, p->max);
	case PARAM_TIME:
		return param_time(value, false, &number);
	}
	return false;
}

/* What is refused or stored is told in JSON. */
static bool is_utf8(const char *text)
{
	size_t len = 1;

	for (; *text && len; text += len)
		len = text_utf8_len(text);
	return len > 0;
}

static const struct param *find(const struct param *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

bool params_check(const struct param *table, const struct form *form, struct refusal *refusal)
{
	for (size_t i = 0; i < form->count; i++) {
		const struct nxv_twilio_param *pair = &form->params[i];
		const struct param *p = find(table, pair->name);

		if (!is_utf8(pair->name) || !is_utf8(pair->value)) {
			refuse_with(refusal, 20422, "Invalid parameter: %.60s is not UTF-8", p ? p->name : "one");
			return false;
		}
		if (!p) {
			refuse(refusal, 20001, pair->name);
			return false;
		}
		for (size_t k = 0; k < i && p->kind != PARAM_EVENTS; k++)
			if (strcmp(form->params[k].name, pair->name) == 0) {
				refuse_with(refusal, 20422, "Invalid parameter: %.60s is there twice", pair->name);
				return false;
			}
		if (*pair->value && !fits(p, pair->value)) {
			refuse(refusal, p->code ? p->code : 20422, p->code ? pair->value : pair->name);
			return false;
		}
	}
	return true;
}

const char *param_text(const struct form *form, const char *name)
{
	const char *value = form_get(form, name);

	return value && *value ? value : NULL;
}

int param_number(const struct form *form, const char *name, int fallback)
{
	const char *value = param_text(form, name);

	return value ? (int)strtol(value, NULL, 10) : fallback;
}

bool param_true(const struct form *form, const char *name)
{
	const char *value = param_text(form, name);

	return value && strcmp(value, "true") == 0;
}

bool param_is_get(const struct form *form, const char *name)
{
	const char *value = param_text(form, name);

	return value && strcmp(value, "GET") == 0;
}

unsigned param_events(const struct form *form, const char *name, const char *words, unsigned fallback)
{
	unsigned bits = 0;

	for (size_t i = 0; i < form->count; i++) {
		const char *value = form->params[i].value;

		if (strcmp(form->params[i].name, name) != 0)
			continue;
		for (size_t n; *value; value += n + (value[n] == ' ')) {
			n = strcspn(value, " ");
			if (word_index(words, value, n) >= 0)
				bits |= 1u << word_index(words, value, n);
		}
	}
	return bits ? bits : fallback;
}

bool param_time(const char *text, bool last, int64_t *out)
{
	struct tm tm = { 0 };
	int end = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &end) != 3 || end != 10 || tm.tm_mon < 1 ||
		tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (text[10]) {
		if (sscanf(text + 10, "T%2d:%2d:%2dZ%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 3 || text[10 + end])
			return false;
		*out = timegm(&tm);
	} else {
		*out = timegm(&tm) + (last ? 86399 : 0);
	}
	return true;
}
