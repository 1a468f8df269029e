/* fuzz_originator.c - the originator among hostile phones and a hostile SIP server: a script of steps, one call, time that
 * passes in jumps. Steps are parted by lines that say "%"; the first line of each says what happens:
 *   A200 [nth [tag]], B486 ...  leg A's (B's) phone answers the originator's newest (nth newest) request to it
 *   aINVITE [cseq], bBYE ...    the phone sends a request in its dialog; header lines, an empty line and a body may follow
 *   W ms   E   K n   C   R      time passes; the API ends the call, or does at the nth event; a crash; the last datagram again
 *   ! and ?                     the following lines as a datagram, from the SIP server or from a stranger */
#include "fuzz.h"

#include "fake_net.h"
#include "fake_phones.h"

#include <ctype.h>
#include <stdio.h>

enum { STEPS_MAX = 64, WAIT_MAX_MS = 20000000, TIMERS_MAX = 500 };

/* The words of a step's first line. */
struct words {
	char first[32], second[32];
};

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void as_it_is(const char *rest, bool stranger)
{
	char *text = malloc(2 * strlen(rest) + 1), *to = text;

	if (!text)
		return;
	for (; *rest; rest++) {
		if (*rest == '\n' && (to == text || to[-1] != '\r'))
			*to++ = '\r';
		*to++ = *rest;
	}
	*to = '\0';
	fake_phones_deliver(text, stranger);
	free(text);
}

static void phone_step(char what, const char *line, const char *rest)
{
	struct words w = { "", "" };
	const char leg = (char)tolower((unsigned char)what);

	if (what == 'A' || what == 'B') {
		char *end;
		unsigned code = (unsigned)strtoul(line, &end, 10);

		(void)sscanf(end, "%31s %31s", w.first, w.second);
		fake_phones_answer(leg, code, number(w.first), w.second, rest);
	} else if (sscanf(line, "%31s %31s", w.first, w.second) >= 1) {
		fake_phones_request(leg, w.first, number(w.second), rest);
	}
}

/* False: nothing more can happen. */
static bool step(char *text)
{
	char *rest = strchr(text, '\n');

	if (rest)
		*rest++ = '\0';
	else
		rest = text + strlen(text);
	switch (text[0]) {
	case 'A':
	case 'B':
	case 'a':
	case 'b':
		phone_step(text[0], text + 1, rest);
		break;
	case 'W':
		fake_net_pass(number(text + 1) % WAIT_MAX_MS, TIMERS_MAX);
		break;
	case 'E':
		(void)fake_phones_carrier()->ops->end(fake_phones_carrier(), FAKE_SESSION, NULL);
		break;
	case 'K':
		fake_phones_end_at(number(text + 1));
		break;
	case 'C':
		return fake_phones_crash();
	case 'R':
		fake_phones_repeat();
		break;
	case '!':
	case '?':
		as_it_is(rest, text[0] == '?');
		break;
	default:
		break;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *next;

	if (!text)
		return 0;
	fake_net_reset();
	fake_phones_open();
	(void)fake_phones_place();
	next = text;
	for (int i = 0; next && i < STEPS_MAX; i++) {
		char *at = next, *end = strncmp(at, "%\n", 2) == 0 ? at : strstr(at, "\n%\n");

		next = end ? end + (end == at ? 2 : 3) : NULL;
		if (end)
			*end = '\0';
		if (!step(at))
			break;
	}
	fake_phones_close();
	free(text);
	return 0;
}
