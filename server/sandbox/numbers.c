/* numbers.c - the table of numbers. +999 is no country's code, so nothing here can be anybody's telephone. */
#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct number_row number_rows[] = {
	{ "+999100N", "to", "answers, talks N seconds, hangs up" },
	{ "+999101N", "to", "rings N seconds before it answers" },
	{ "+999102", "to", "answers and never hangs up" },
	{ "+999103N", "to", "an answering machine; talks N seconds" },
	{ "+999104N", "to", "stays queued for N seconds, then as any number" },
	{ "+999200", "to", "busy (486)" },
	{ "+999201", "to", "does not answer" },
	{ "+999202", "to", "rejects the call (603): busy" },
	{ "+999203", "to", "fails: no such number (404)" },
	{ "+999204", "to", "fails: the carrier is down (503)" },
	{ "+999205", "to", "busy at once, without ringing" },
	{ "+9994CODE", "to or from", "the create is refused with Twilio's error CODE: +999421211, +999421215, +999413224, ..." },
	{ "+15005550001", "to", "refused with 21217: not a valid number" },
	{ "+15005550002", "to", "refused with 21214: cannot be reached" },
	{ "+15005550003", "to", "refused with 21215: no permission for that country" },
	{ "+15005550004", "to", "refused with 21216: on the account's blacklist" },
	{ "+15005550001", "from", "refused with 21212: not a valid number" },
	{ "+15005550007", "from", "refused with 21210: not a caller ID of the account" },
	{ "any other", "to", "rings 2 seconds, answers, talks 20 seconds, hangs up" },
	{ "sip:user@...", "to", "with a SIP server: rings that phone; without: rings 2 seconds, answers, stays" },
	{ NULL, NULL, NULL },
};

static const struct {
	const char *number;
	int to, from;
} magic[] = {
	{ "+15005550001", 21217, 21212 },
	{ "+15005550002", 21214, 0 },
	{ "+15005550003", 21215, 0 },
	{ "+15005550004", 21216, 0 },
	{ "+15005550007", 0, 21210 },
	{ "+15005550008", 0, 21210 },
};

/* What +999NNN does. seconds: what its further digits mean. */
static const struct {
	const char *prefix;
	enum { NOTHING, TALK, RING, QUEUE } seconds;
	struct plan plan;
} own[] = {
	{ "+999100", TALK, { OUTCOME_ANSWER, 0, 500, 1000, 20000, 200, false } },
	{ "+999101", RING, { OUTCOME_ANSWER, 0, 500, 2000, 20000, 200, false } },
	{ "+999102", NOTHING, { OUTCOME_ANSWER, 0, 500, 1000, 0, 200, false } },
	{ "+999103", TALK, { OUTCOME_ANSWER, 0, 500, 1000, 20000, 200, true } },
	{ "+999104", QUEUE, { OUTCOME_ANSWER, 10000, 500, 2000, 20000, 200, false } },
	{ "+999200", NOTHING, { OUTCOME_BUSY, 0, 500, 1500, 0, 486, false } },
	{ "+999201", NOTHING, { OUTCOME_NO_ANSWER, 0, 500, 0, 0, 487, false } },
	{ "+999202", NOTHING, { OUTCOME_REJECT, 0, 500, 1500, 0, 603, false } },
	{ "+999203", NOTHING, { OUTCOME_FAIL, 0, 0, 500, 0, 404, false } },
	{ "+999204", NOTHING, { OUTCOME_FAIL, 0, 0, 500, 0, 503, false } },
	{ "+999205", NOTHING, { OUTCOME_BUSY, 0, 0, 500, 0, 486, false } },
};
static const struct plan ordinary = { OUTCOME_ANSWER, 0, 500, 2000, 20000, 200, false };

/* The number in it: of "sip:+999200@host;x" the "+999200". */
static void number_of(const char *to, char out[24])
{
	size_t len;

	if (strncmp(to, "sip:", 4) == 0 || strncmp(to, "sips:", 5) == 0)
		to = strchr(to, ':') + 1;
	len = strcspn(to, "@;?");
	if (len > 23)
		len = 23;
	memcpy(out, to, len);
	out[len] = '\0';
}

static int seconds_of(const char *digits)
{
	long n = strlen(digits) > 5 ? 99999 : strtol(digits, NULL, 10);

	return (int)n * 1000;
}

static void fill(struct plan *plan, const char *number)
{
	*plan = ordinary;
	if (number[0] != '+')
		plan->talk_ms = 0; /* a user of ours, who has no reason to hang up */
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const char *rest = number + strlen(own[i].prefix);

		if (strncmp(number, own[i].prefix, strlen(own[i].prefix)) != 0)
			continue;
		*plan = own[i].plan;
		if (*rest && own[i].seconds == TALK)
			plan->talk_ms = seconds_of(rest);
		else if (*rest && own[i].seconds == RING)
			plan->ring_ms = seconds_of(rest);
		else if (*rest && own[i].seconds == QUEUE)
			plan->queued_ms = seconds_of(rest);
		return;
	}
}

struct plan *plan_make(const char *to)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	char number[24];

	if (!plan)
		return NULL;
	number_of(to, number);
	fill(plan, number);
	return plan;
}

void plan_free(struct plan *plan)
{
	free(plan);
}

static int refusal(const char *text, bool to)
{
	char number[24];
	size_t i;

	number_of(text, number);
	for (i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (strcmp(number, magic[i].number) == 0)
			return to ? magic[i].to : magic[i].from;
	if (strncmp(number, "+9994", 5) == 0 && strlen(number) == 10)
		return (int)strtol(number + 5, NULL, 10);
	return 0;
}

int number_refusal_to(const char *to)
{
	return refusal(to, true);
}

int number_refusal_from(const char *from)
{
	return refusal(from, false);
}
