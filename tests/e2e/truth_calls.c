/* truth_calls.c - the endings that phones, the API and the SIP server bring about by themselves. */
#include "truth.h"

#include <stdio.h>

static const struct phone_script busy = { .manner = PHONE_REFUSES, .code = 486 };
static const struct phone_script declines = { .manner = PHONE_REFUSES, .code = 603, .ring_ms = 250 };
static const struct phone_script rings = { .manner = PHONE_RINGS };
static const struct phone_script crosses = { .manner = PHONE_CROSSES };
enum { TALK_MS = 1100 };

bool start(struct stage *s)
{
	int status = api_initiate(&gw, &s->a, s->b.username, &s->call);
	snprintf(s->id, sizeof(s->id), "%s", s->call.id);
	NEED(s, status == 201);
	return true;
}

bool talk(struct stage *s)
{
	if (!start(s)) {
		return false;
	}
	NEED(s, phone_wait(s->b.phone, 0, PHONE_ACKED, SOON_MS));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_JOINED, SOON_MS));
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	nap_ms(100); /* joined is told once the ACK is out */
	return true;
}

/* The session of a call that was dialled, or refused before it got an answer here. */
static bool newest(struct stage *s)
{
	char path[128];
	snprintf(path, sizeof(path), "/api/v1/opensips/calls?limit=1&userId=%s", s->a.id);
	for (int64_t deadline = now_ms() + SOON_MS; !s->id[0] && now_ms() < deadline; nap_ms(10)) {
		struct http_reply *reply = gateway_http(&gw, "GET", path, gw.admin_key, NULL);
		snprintf(s->id, sizeof(s->id), "%s", json_text(reply->json, "calls.0.sessionId"));
	}
	return s->id[0] != '\0';
}

bool normal_by_a(struct stage *s)
{
	NEED(s, talk(s));
	nap_ms(TALK_MS);
	phone_hangup(s->a.phone, 0);
	return true;
}

bool normal_by_b(struct stage *s)
{
	NEED(s, talk(s));
	nap_ms(TALK_MS);
	phone_hangup(s->b.phone, 0);
	return true;
}

bool normal_by_api(struct stage *s)
{
	NEED(s, talk(s));
	nap_ms(TALK_MS);
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	return true;
}

bool a_busy(struct stage *s)
{
	phone_script(s->a.phone, busy);
	return start(s);
}

bool a_rejects(struct stage *s)
{
	phone_script(s->a.phone, declines);
	return start(s);
}

bool a_no_answer(struct stage *s)
{
	phone_script(s->a.phone, rings);
	return start(s);
}

bool a_absent(struct stage *s)
{
	NEED(s, phone_register(s->a.phone, 0) == 200);
	NEED(s, api_initiate(&gw, &s->a, s->b.username, &s->call) == 409);
	NEED(s, newest(s));
	return true;
}

bool a_unreachable(struct stage *s)
{
	phone_free(s->a.phone); /* its registration stays */
	s->a.phone = NULL;
	NEED(s, start(s));
	NEED(s, truth_wait(s, "ended", 15000));
	return true;
}

bool b_busy(struct stage *s)
{
	phone_script(s->b.phone, busy);
	return start(s);
}

bool b_rejects(struct stage *s)
{
	phone_script(s->b.phone, declines);
	return start(s);
}

bool b_no_answer(struct stage *s)
{
	phone_script(s->b.phone, rings);
	return start(s);
}

bool b_absent(struct stage *s)
{
	NEED(s, phone_register(s->b.phone, 0) == 200);
	return start(s);
}

bool b_leaves_while_a_rings(struct stage *s)
{
	phone_script(s->a.phone, rings);
	NEED(s, start(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_RINGING, SOON_MS));
	NEED(s, phone_register(s->b.phone, 0) == 200);
	phone_answer(s->a.phone, 0);
	return true;
}

bool b_unreachable(struct stage *s)
{
	phone_free(s->b.phone);
	s->b.phone = NULL;
	NEED(s, start(s));
	NEED(s, truth_wait(s, "ended", 15000));
	return true;
}

static bool until_b_rings(struct stage *s)
{
	phone_script(s->b.phone, rings);
	NEED(s, start(s));
	NEED(s, phone_wait(s->b.phone, 0, PHONE_RINGING, SOON_MS));
	nap_ms(300);
	return true;
}

bool a_hangs_up_while_b_rings(struct stage *s)
{
	NEED(s, until_b_rings(s));
	phone_hangup(s->a.phone, 0);
	NEED(s, phone_wait(s->b.phone, 0, PHONE_CANCELED, SOON_MS));
	return true;
}

bool cancel_while_a_rings(struct stage *s)
{
	phone_script(s->a.phone, rings);
	NEED(s, start(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_RINGING, SOON_MS));
	nap_ms(300);
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	NEED(s, phone_wait(s->a.phone, 0, PHONE_CANCELED, SOON_MS));
	NEED(s, phone_calls(s->b.phone) == 0);
	return true;
}

bool cancel_while_b_rings(struct stage *s)
{
	NEED(s, until_b_rings(s));
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	NEED(s, phone_wait(s->b.phone, 0, PHONE_CANCELED, SOON_MS));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_BYE, SOON_MS));
	return true;
}

bool cancel_crosses_a(struct stage *s)
{
	phone_script(s->a.phone, crosses);
	NEED(s, start(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_RINGING, SOON_MS));
	nap_ms(300);
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	NEED(s, phone_wait(s->a.phone, 0, PHONE_BYE, SOON_MS));
	NEED(s, phone_calls(s->b.phone) == 0);
	return true;
}

bool cancel_crosses_b(struct stage *s)
{
	phone_script(s->b.phone, crosses);
	NEED(s, start(s));
	NEED(s, phone_wait(s->b.phone, 0, PHONE_RINGING, SOON_MS));
	nap_ms(300);
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	NEED(s, phone_wait(s->b.phone, 0, PHONE_BYE, SOON_MS));
	return true;
}

/* The first ACKs never arrive: the phone says 200 again until one does. */
static bool lose_acks(struct stage *s, struct user *whose)
{
	char call_id[160];
	phone_script(whose->phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 100, .lost_acks = 2 });
	NEED(s, start(s));
	NEED(s, phone_wait(whose->phone, 0, PHONE_ACKED, SOON_MS));
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	snprintf(call_id, sizeof(call_id), "%s-%c", s->id, whose == &s->a ? 'a' : 'b');
	NEED(s, capture_count(s->wire, &(struct capture_query){ .call_id = call_id, .method = "ACK", .dst_port = phone_port(whose->phone) }) >= 3);
	phone_hangup(s->b.phone, 0);
	return true;
}

bool ack_lost_to_a(struct stage *s)
{
	return lose_acks(s, &s->a);
}

bool ack_lost_to_b(struct stage *s)
{
	return lose_acks(s, &s->b);
}

/* Both phones of a user answer: the one as the server takes its ringing back. It must be told, and hung up. */
static bool both_answer(struct stage *s, struct user *whose)
{
	char call_id[160];
	s->extra = user_phone(&gw, lab, whose, 0);
	NEED(s, s->extra && phone_register(s->extra, 60) == 200);
	phone_script(s->extra, crosses);
	phone_script(whose->phone, rings);
	NEED(s, start(s));
	NEED(s, phone_wait(whose->phone, 0, PHONE_RINGING, SOON_MS) && phone_wait(s->extra, 0, PHONE_RINGING, SOON_MS));
	phone_answer(whose->phone, 0);
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	NEED(s, phone_wait(s->extra, 0, PHONE_ANSWERED, SOON_MS));
	NEED(s, phone_wait(s->extra, 0, PHONE_BYE, SOON_MS));
	NEED(s, phone_at_ms(s->extra, 0, PHONE_ACKED) != 0);
	snprintf(call_id, sizeof(call_id), "%s-%c", s->id, whose == &s->a ? 'a' : 'b');
	NEED(s, capture_count(s->wire, &(struct capture_query){ .call_id = call_id, .method = "BYE", .dst_port = phone_port(whose->phone) }) == 0);
	NEED(s, phone_calls_up(whose->phone) == 1);
	return true;
}

bool two_of_a_answer(struct stage *s)
{
	NEED(s, both_answer(s, &s->a));
	phone_hangup(s->a.phone, 0);
	return true;
}

bool two_of_b_answer(struct stage *s)
{
	NEED(s, both_answer(s, &s->b));
	phone_hangup(s->a.phone, 0);
	return true;
}

bool no_common_codec(struct stage *s)
{
	struct phone_opts opts = { .username = s->b.username, .password = s->b.password, .domain = gw.domain, .server = gw.sip, .payload = 8 };
	NEED(s, phone_register(s->b.phone, 0) == 200);
	phone_free(s->b.phone);
	s->b.phone = phone_new(lab, &opts);
	NEED(s, s->b.phone && phone_register(s->b.phone, 60) == 200);
	return start(s);
}

static bool dialled(struct stage *s, const char *target)
{
	struct phone_call call;
	NEED(s, phone_dial(s->a.phone, target) == 0);
	NEED(s, phone_call(s->a.phone, 0, &call));
	snprintf(s->dialled, sizeof(s->dialled), "%s", call.call_id);
	return true;
}

bool dial_to(struct stage *s, const char *target)
{
	NEED(s, dialled(s, target));
	return newest(s);
}

/* No gateway is there: it has no name yet. */
bool dial_unheard(struct stage *s)
{
	return dialled(s, s->b.username);
}

bool dialled_heard(struct stage *s)
{
	return newest(s);
}

bool dial(struct stage *s)
{
	return dial_to(s, s->b.username);
}

bool dialled_up(struct stage *s)
{
	NEED(s, dial(s));
	NEED(s, phone_wait(s->b.phone, 0, PHONE_ACKED, SOON_MS));
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	nap_ms(TALK_MS);
	return true;
}

bool dialled_by_a(struct stage *s)
{
	NEED(s, dialled_up(s));
	phone_hangup(s->a.phone, 0);
	return true;
}

bool dialled_by_b(struct stage *s)
{
	NEED(s, dialled_up(s));
	phone_hangup(s->b.phone, 0);
	return true;
}

bool dialled_by_api(struct stage *s)
{
	NEED(s, dialled_up(s));
	NEED(s, api_end(&gw, &s->a, s->id) == 200);
	return true;
}

bool dialled_busy(struct stage *s)
{
	phone_script(s->b.phone, busy);
	return dial(s);
}

bool dialled_absent(struct stage *s)
{
	NEED(s, phone_register(s->b.phone, 0) == 200);
	return dial(s);
}

bool dialled_no_answer(struct stage *s)
{
	phone_script(s->b.phone, rings);
	return dial(s);
}

bool dialled_unreachable(struct stage *s)
{
	phone_free(s->b.phone);
	s->b.phone = NULL;
	NEED(s, dial(s));
	NEED(s, truth_wait(s, "ended", 15000));
	return true;
}

bool dialled_canceled(struct stage *s)
{
	phone_script(s->b.phone, rings);
	NEED(s, dial(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_RINGING, SOON_MS));
	nap_ms(300);
	phone_hangup(s->a.phone, 0);
	NEED(s, phone_wait(s->b.phone, 0, PHONE_CANCELED, SOON_MS));
	return true;
}
