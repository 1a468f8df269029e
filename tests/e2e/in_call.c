/* in_call.c - see in_call.h. */
#include "in_call.h"

#include <stdio.h>

char text[TEXT_MAX], reply[TEXT_MAX];

void talk(struct told *call)
{
	pair_reset();
	pair_talk(call);
}

void still_up(struct told *call)
{
	assert_true(api_get(&gw, &alice, call->id, call));
	assert_string_equal(call->status, "in-progress");
	assert_int_equal(phone_calls_up(alice.phone), 1);
	assert_int_equal(phone_calls_up(bob.phone), 1);
	phone_hangup(alice.phone, 0);
	pair_expect(call, "completed", "hangup_caller");
}

const char *sdp(const struct phone *phone, const char *formats, const char *more)
{
	static char out[TEXT_MAX];
	snprintf(out, sizeof(out), "v=0\r\no=- 7 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP %s\r\n%s",
		(unsigned)now_ms(), phone_rtp_port(phone), formats, more);
	return out;
}

bool names_port_of(const char *message, const struct phone *phone)
{
	char line[48];
	snprintf(line, sizeof(line), "\r\nm=audio %u ", phone_rtp_port(phone));
	return strstr(message, line) != NULL;
}

const char *last(struct phone *phone, const char *start)
{
	size_t count = phone_seen_count(phone, start);
	assert_true(count > 0);
	assert_true(phone_seen(phone, start, count - 1, text, sizeof(text)));
	return text;
}

bool wait_seen(struct phone *phone, const char *start, size_t count)
{
	for (int64_t deadline = now_ms() + SOON_MS; phone_seen_count(phone, start) < count; nap_ms(5)) {
		if (now_ms() > deadline) {
			return false;
		}
	}
	return true;
}

static void *hold_thread(void *arg)
{
	struct holding *h = arg;
	h->code = phone_hold(h->phone, 0, true);
	return NULL;
}

void begin_hold(struct holding *h, struct phone *phone)
{
	*h = (struct holding){ .phone = phone };
	assert_int_equal(pthread_create(&h->thread, NULL, hold_thread, h), 0);
}

int end_hold(struct holding *h)
{
	pthread_join(h->thread, NULL);
	return h->code;
}

bool wait_offer_of(struct phone *phone, const struct phone *of)
{
	for (int64_t deadline = now_ms() + SOON_MS; !names_port_of(last(phone, "INVITE"), of); nap_ms(5)) {
		if (now_ms() > deadline) {
			return false;
		}
	}
	return true;
}
