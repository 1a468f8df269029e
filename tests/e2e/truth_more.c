/* truth_more.c - endings that limits, administrators, timers and crashes bring about. */
#include "truth.h"

#include <signal.h>
#include <stdio.h>

static const struct phone_script rings = { .manner = PHONE_RINGS };

static const char *newest_call(struct stage *s)
{
	char path[128];
	snprintf(path, sizeof(path), "/api/v1/opensips/calls?limit=1&userId=%s", s->a.id);
	return json_text(gateway_http(&gw, "GET", path, gw.admin_key, NULL)->json, "calls.0.sessionId");
}

/* One call is up and may be: the next one is refused at once and leaves no record, and the first is none the worse. */
bool over_limit_by_api(struct stage *s)
{
	struct told refused;
	NEED(s, talk(s));
	NEED(s, api_initiate(&gw, &s->a, s->b.username, &refused) == 429);
	NEED(s, strcmp(newest_call(s), s->id) == 0);
	NEED(s, phone_calls(s->a.phone) == 1 && phone_calls(s->b.phone) == 1);
	phone_hangup(s->a.phone, 0);
	return true;
}

/* The SIP server refuses the one that is dialled; that is the call of this row. */
bool over_limit_dialled(struct stage *s)
{
	struct phone_call call;
	char first[96];
	NEED(s, talk(s));
	snprintf(first, sizeof(first), "%s", s->id);
	int number = phone_dial(s->a.phone, s->b.username);
	NEED(s, phone_wait(s->a.phone, number, PHONE_ENDED, SOON_MS) && phone_call(s->a.phone, number, &call));
	NEED(s, call.code == 403);
	for (int64_t deadline = now_ms() + SOON_MS; strcmp(s->id, first) == 0 && now_ms() < deadline; nap_ms(10)) {
		snprintf(s->id, sizeof(s->id), "%s", newest_call(s));
	}
	NEED(s, strcmp(s->id, first) != 0);
	snprintf(s->dialled, sizeof(s->dialled), "%s", call.call_id);
	NEED(s, truth_wait(s, "ended", SOON_MS));
	NEED(s, phone_calls_up(s->a.phone) == 1 && phone_calls_up(s->b.phone) == 1);
	NEED(s, api_end(&gw, &s->a, first) == 200);
	return true;
}

/* Its phone may do in the call what it could before, and nothing new. */
static bool revoked(struct stage *s, struct user *whose, struct user *other)
{
	char path[160];
	struct told next;
	snprintf(path, sizeof(path), "/api/v1/opensips/credentials/%s", whose->credential_id);
	NEED(s, talk(s));
	NEED(s, gateway_http(&gw, "DELETE", path, whose->key, NULL)->status == 200);
	NEED(s, phone_register(whose->phone, 60) != 200);
	NEED(s, phone_hold(whose->phone, 0, true) == 200 && phone_hold(whose->phone, 0, false) == 200);
	NEED(s, phone_hold(other->phone, 0, true) == 200 && phone_hold(other->phone, 0, false) == 200);
	NEED(s, api_initiate(&gw, whose, other->username, &next) == 409);
	NEED(s, truth_read(s, &s->call) && strcmp(s->call.status, "in-progress") == 0);
	phone_hangup(whose->phone, 0);
	return true;
}

bool credential_revoked_a(struct stage *s)
{
	return revoked(s, &s->a, &s->b);
}

bool credential_revoked_b(struct stage *s)
{
	return revoked(s, &s->b, &s->a);
}

bool key_disabled(struct stage *s)
{
	char path[160];
	NEED(s, talk(s));
	snprintf(path, sizeof(path), "/api/v1/keys/%s", s->a.key_id);
	NEED(s, gateway_http(&gw, "PATCH", path, gw.admin_key, "{\"active\":false}")->status == 200);
	NEED(s, api_end(&gw, &s->a, s->id) == 401);
	NEED(s, phone_hold(s->b.phone, 0, true) == 200 && phone_hold(s->b.phone, 0, false) == 200);
	NEED(s, truth_read(s, &s->call) && strcmp(s->call.status, "in-progress") == 0);
	phone_hangup(s->b.phone, 0);
	return true;
}

/* It stops new telephone calls; those that are up, and phones here among themselves, go on. */
bool calls_frozen(struct stage *s)
{
	NEED(s, talk(s));
	NEED(s, gateway_ctl(&gw, "calls freeze --reason test") == 0);
	NEED(s, json_true(gateway_http(&gw, "GET", "/api/v1/opensips/health", gw.admin_key, NULL)->json, "callsFrozen"));
	struct http_reply *reply = gateway_http(&gw, "POST", "/api/v1/opensips/call/initiate", s->b.key,
		"{\"fromNumber\":\"+15550001111\",\"toNumber\":\"+15557654321\",\"useTwilio\":false}");
	NEED(s, reply->status == 503 && strcmp(json_text(reply->json, "error.code"), "calls_frozen") == 0);
	NEED(s, phone_hold(s->a.phone, 0, true) == 200 && phone_hold(s->a.phone, 0, false) == 200);
	NEED(s, truth_read(s, &s->call) && strcmp(s->call.status, "in-progress") == 0);
	phone_hangup(s->a.phone, 0);
	NEED(s, truth_wait(s, "ended", SOON_MS));
	NEED(s, gateway_ctl(&gw, "calls thaw") == 0);
	return true;
}

bool dialled_frozen(struct stage *s)
{
	NEED(s, gateway_ctl(&gw, "calls freeze") == 0);
	NEED(s, dial_to(s, "+15557654321"));
	NEED(s, truth_wait(s, "ended", SOON_MS));
	NEED(s, gateway_ctl(&gw, "calls thaw") == 0);
	return true;
}

bool longest_by_us(struct stage *s)
{
	NEED(s, talk(s));
	NEED(s, truth_wait(s, "ended", 8000));
	NEED(s, s->call.duration_s == 4);
	return true;
}

/* The server's own timer, which has ticks of a second: of a call that a phone dialled. */
bool longest_by_server(struct stage *s)
{
	NEED(s, dialled_up(s));
	NEED(s, truth_wait(s, "ended", 9000));
	NEED(s, s->call.duration_s >= 3 && s->call.duration_s <= 5);
	return true;
}

static bool kill_nexusd(struct stage *s)
{
	proc_signal(gw.nexusd, SIGKILL);
	int status = proc_wait(gw.nexusd, SOON_MS);
	proc_stop(gw.nexusd, 0);
	gw.nexusd = NULL;
	NEED(s, status == 128 + SIGKILL);
	return true;
}

static bool restart(struct stage *s)
{
	NEED(s, gateway_run(&gw) && gateway_sip_start(&gw));
	return true;
}

/* Process of the SIP server; its group's too. 0 when there is none. */
static pid_t server_pid(void)
{
	return gateway_ctl(&gw, "sip status") == 0 ? (pid_t)json_number(gateway_ctl_json(), "pid") : 0;
}

/* Nobody but the server is left to end it, five seconds later than we would have, on a tick of its clock. */
bool longest_without_us(struct stage *s)
{
	char call_id[160];
	NEED(s, talk(s));
	NEED(s, kill_nexusd(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_BYE, 15000) && phone_wait(s->b.phone, 0, PHONE_BYE, 3000));
	nap_ms(1000);
	snprintf(call_id, sizeof(call_id), "%s-b", s->id);
	int64_t due = capture_ms(s->wire, call_id, "INVITE", 200) + (4 + 5) * 1000, bye = capture_ms(s->wire, call_id, "BYE", 0);
	NEED(s, bye > due - 1100 && bye < due + 1100);
	return restart(s);
}

/* The other phone and the API learn of it by the session timer alone. */
static bool vanish(struct stage *s, struct user *whose, struct user *other, const char *timer)
{
	phone_script(whose->phone, (struct phone_script){ .manner = PHONE_ANSWERS, .ring_ms = 100, .session_timer = timer });
	NEED(s, talk(s));
	nap_ms(500);
	phone_vanish(whose->phone);
	NEED(s, phone_wait(other->phone, 0, PHONE_BYE, 75000));
	return true;
}

bool caller_vanishes(struct stage *s)
{
	return vanish(s, &s->a, &s->b, "90;refresher=uas");
}

bool vanishes_promised(struct stage *s)
{
	return vanish(s, &s->b, &s->a, "90;refresher=uas");
}

bool vanishes_refreshed(struct stage *s)
{
	return vanish(s, &s->b, &s->a, "90;refresher=uac");
}

static bool until_rings(struct stage *s, struct user *whose)
{
	phone_script(whose->phone, rings);
	NEED(s, start(s));
	NEED(s, phone_wait(whose->phone, 0, PHONE_RINGING, SOON_MS));
	NEED(s, truth_wait(s, "ringing", SOON_MS));
	nap_ms(300);
	return true;
}

static bool killed_while_rings(struct stage *s, struct user *whose)
{
	NEED(s, until_rings(s, whose));
	NEED(s, kill_nexusd(s));
	nap_ms(300);
	NEED(s, restart(s));
	NEED(s, phone_wait(whose->phone, 0, PHONE_CANCELED, SOON_MS));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_ENDED, SOON_MS));
	return true;
}

bool killed_while_a_rings(struct stage *s)
{
	return killed_while_rings(s, &s->a);
}

bool killed_while_b_rings(struct stage *s)
{
	return killed_while_rings(s, &s->b);
}

bool killed_mid_call(struct stage *s)
{
	NEED(s, talk(s));
	NEED(s, kill_nexusd(s));
	nap_ms(300);
	NEED(s, restart(s));
	NEED(s, phone_calls_up(s->a.phone) == 1 && phone_calls_up(s->b.phone) == 1);
	NEED(s, slots_wait(&gw, s->a.id, 1, SOON_MS) == 1);
	NEED(s, phone_hold(s->b.phone, 0, true) == 200 && phone_hold(s->b.phone, 0, false) == 200);
	nap_ms(500);
	phone_hangup(s->a.phone, 0);
	return true;
}

/* Its BYE is repeated until the next gateway hears it, or, after 8 s, given up. */
static bool killed_and_b_leaves(struct stage *s, int away_ms)
{
	NEED(s, talk(s));
	NEED(s, kill_nexusd(s));
	nap_ms(700);
	phone_hangup(s->b.phone, 0);
	nap_ms(away_ms);
	NEED(s, restart(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_BYE, 8000));
	return true;
}

bool killed_and_b_hangs_up(struct stage *s)
{
	return killed_and_b_leaves(s, 600);
}

bool killed_for_long(struct stage *s)
{
	return killed_and_b_leaves(s, 10000);
}

bool dialled_killed_mid_call(struct stage *s)
{
	NEED(s, dialled_up(s));
	NEED(s, kill_nexusd(s));
	nap_ms(300);
	NEED(s, restart(s));
	nap_ms(500);
	phone_hangup(s->a.phone, 0);
	return true;
}

bool dialled_killed_and_a_hangs_up(struct stage *s)
{
	NEED(s, dialled_up(s));
	NEED(s, kill_nexusd(s));
	nap_ms(700);
	phone_hangup(s->a.phone, 0);
	nap_ms(700);
	return restart(s);
}

/* The gateway that comes has heard nothing at all of it. */
bool dialled_meanwhile(struct stage *s)
{
	NEED(s, kill_nexusd(s));
	NEED(s, dial_unheard(s));
	NEED(s, phone_wait(s->b.phone, 0, PHONE_ACKED, SOON_MS));
	nap_ms(1200);
	phone_hangup(s->b.phone, 0);
	nap_ms(700);
	NEED(s, restart(s));
	return dialled_heard(s);
}

bool dialled_meanwhile_refused(struct stage *s)
{
	phone_script(s->b.phone, (struct phone_script){ .manner = PHONE_REFUSES, .code = 486 });
	NEED(s, kill_nexusd(s));
	NEED(s, dial_unheard(s));
	NEED(s, phone_wait(s->a.phone, 0, PHONE_ENDED, SOON_MS));
	nap_ms(2500);
	NEED(s, restart(s));
	return dialled_heard(s);
}

bool dialled_meanwhile_and_up(struct stage *s)
{
	NEED(s, kill_nexusd(s));
	NEED(s, dial_unheard(s));
	NEED(s, phone_wait(s->b.phone, 0, PHONE_ACKED, SOON_MS));
	nap_ms(700);
	NEED(s, restart(s));
	NEED(s, dialled_heard(s));
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	phone_hangup(s->a.phone, 0);
	return true;
}

bool dialled_killed_and_answered(struct stage *s)
{
	phone_script(s->b.phone, rings);
	NEED(s, dial(s));
	NEED(s, truth_wait(s, "ringing", SOON_MS));
	NEED(s, kill_nexusd(s));
	phone_answer(s->b.phone, 0);
	NEED(s, phone_wait(s->b.phone, 0, PHONE_ACKED, SOON_MS));
	nap_ms(1000);
	NEED(s, restart(s));
	NEED(s, truth_wait(s, "in-progress", SOON_MS));
	phone_hangup(s->b.phone, 0);
	return true;
}

static bool stop_and_start(struct stage *s)
{
	NEED(s, gateway_stop(&gw) == 0);
	nap_ms(300);
	return restart(s);
}

bool stopped_while_b_rings(struct stage *s)
{
	NEED(s, until_rings(s, &s->b));
	return stop_and_start(s);
}

bool stopped_mid_call(struct stage *s)
{
	NEED(s, talk(s));
	return stop_and_start(s);
}

static bool kill_server(struct stage *s)
{
	pid_t pid = server_pid();
	NEED(s, pid > 1);
	NEED(s, kill(-pid, SIGKILL) == 0);
	s->event_ms = utc_ms();
	return true;
}

/* Gateway and server are gone at once, and with the gateway's word the time at which it went. */
static bool reboot(struct stage *s)
{
	pid_t pid = server_pid();
	NEED(s, pid > 1);
	proc_signal(gw.nexusd, SIGKILL);
	NEED(s, kill(-pid, SIGKILL) == 0);
	s->event_ms = utc_ms();
	NEED(s, kill_nexusd(s));
	nap_ms(1000);
	return true;
}

/* What rang is given up by the gateway that comes: that is its end. */
static bool rebooted_while_rings(struct stage *s, struct user *whose)
{
	NEED(s, until_rings(s, whose));
	NEED(s, reboot(s));
	s->event_ms = utc_ms();
	NEED(s, gateway_run(&gw));
	s->until_ms = utc_ms();
	NEED(s, gateway_sip_start(&gw));
	return true;
}

bool rebooted_while_a_rings(struct stage *s)
{
	return rebooted_while_rings(s, &s->a);
}

bool rebooted_while_b_rings(struct stage *s)
{
	return rebooted_while_rings(s, &s->b);
}

/* A call that was up was lost with the server, long before anybody could say so. */
bool rebooted_mid_call(struct stage *s)
{
	NEED(s, talk(s));
	nap_ms(1100);
	NEED(s, reboot(s));
	return restart(s);
}

/* The gateway starts it again by itself. */
static bool server_back(struct stage *s)
{
	pid_t pid = server_pid(), again = 0;
	NEED(s, kill_server(s));
	for (int64_t deadline = now_ms() + 15000; (again <= 1 || again == pid || gateway_ctl(&gw, "health") != 0) && now_ms() < deadline; nap_ms(50)) {
		again = server_pid();
	}
	NEED(s, again > 1 && again != pid);
	NEED(s, truth_wait(s, "ended", 10000));
	return true;
}

bool server_killed_while_a_rings(struct stage *s)
{
	NEED(s, until_rings(s, &s->a));
	return server_back(s);
}

bool server_killed_while_b_rings(struct stage *s)
{
	NEED(s, until_rings(s, &s->b));
	return server_back(s);
}

bool server_killed_mid_call(struct stage *s)
{
	NEED(s, talk(s));
	return server_back(s);
}
