/* phone.c - what a test may ask of a test phone: each function takes the lab's lock, acts, and waits if it must. */
#include "phone_inside.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_WITHIN_MS = 8000 };

struct phone *phone_new(struct lab *lab, const struct phone_opts *opts)
{
	char host[64];
	unsigned port;
	struct phone *phone = calloc(1, sizeof(*phone));
	if (!phone) {
		return NULL;
	}
	phone->lab = lab;
	phone->opts = *opts;
	phone->answer_challenges = true;
	snprintf(phone->username, sizeof(phone->username), "%s", opts->username);
	snprintf(phone->password, sizeof(phone->password), "%s", opts->password ? opts->password : "");
	snprintf(phone->domain, sizeof(phone->domain), "%s", opts->domain);
	snprintf(phone->from_user, sizeof(phone->from_user), "%s", opts->from_user ? opts->from_user : opts->username);
	snprintf(phone->algorithm, sizeof(phone->algorithm), "%s", opts->algorithm ? opts->algorithm : "");
	sip_uri_host(opts->server, host, sizeof(host), &port);
	phone->server = wire_address(host, port);
	bool ip6 = strchr(host, ':') != NULL;
	snprintf(phone->host, sizeof(phone->host), "%s", opts->address ? opts->address : ip6 ? "[::1]" : "127.0.0.1");
	snprintf(phone->media_at, sizeof(phone->media_at), "%s", opts->media_at ? opts->media_at : ip6 ? "IP6 ::1" : "IP4 127.0.0.1");
	pthread_mutex_lock(&lab->lock);
	unsigned serial = ++lab->serial;
	snprintf(phone->tag, sizeof(phone->tag), "t%x%x", (unsigned)getpid(), serial);
	snprintf(phone->register_call_id, sizeof(phone->register_call_id), "%s-register", phone->tag);
	phone->rtp_ssrc = serial;
	bool ok = wire_open(phone);
	if (ok) {
		phone->next = lab->phones;
		lab->phones = phone;
	}
	pthread_mutex_unlock(&lab->lock);
	if (!ok) {
		wire_close(phone);
		free(phone);
		return NULL;
	}
	return phone;
}

void phone_free(struct phone *phone)
{
	if (!phone) {
		return;
	}
	struct lab *lab = phone->lab;
	pthread_mutex_lock(&lab->lock);
	struct phone **link = &lab->phones;
	while (*link != phone) {
		link = &(*link)->next;
	}
	*link = phone->next;
	request_free_all(phone);
	while (phone->dialogs) {
		struct dialog *next = phone->dialogs->next;
		call_free(phone->dialogs);
		phone->dialogs = next;
	}
	wire_close(phone);
	pthread_mutex_unlock(&lab->lock);
	sip_text_free(&phone->last_invite);
	free(phone);
}

/* Wait for a request's final status. It must not point to our stack once we are gone. */
static void await_result(struct phone *phone, int *result)
{
	int64_t deadline = lab_now_ms() + ANSWER_WITHIN_MS;
	while (*result == 0 && lab_wait(phone->lab, deadline)) {
	}
	for (struct request *req = phone->requests; req; req = req->next) {
		if (req->result == result) {
			req->result = NULL;
		}
	}
}

static int send_plain(struct phone *phone, const char *method, const char *uri, int expires)
{
	int code = 0;
	pthread_mutex_lock(&phone->lab->lock);
	struct request *req = request_new(phone, NULL, method, uri);
	if (req) {
		req->expires = expires;
		req->result = &code;
		phone->used_algorithm[0] = '\0';
		request_start(phone, req);
		await_result(phone, &code);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return code;
}

int phone_register(struct phone *phone, int expires)
{
	char uri[128];
	snprintf(uri, sizeof(uri), "sip:%s", phone->domain);
	return send_plain(phone, "REGISTER", uri, expires);
}

int phone_request(struct phone *phone, const char *method, const char *uri)
{
	return send_plain(phone, method, uri, 0);
}

unsigned phone_port(const struct phone *phone)
{
	return ntohs(phone->self.sin6_port);
}

void phone_send_raw(struct phone *phone, const char *text)
{
	pthread_mutex_lock(&phone->lab->lock);
	wire_send(phone, text, &phone->server);
	pthread_mutex_unlock(&phone->lab->lock);
}

unsigned phone_requests(struct phone *phone)
{
	pthread_mutex_lock(&phone->lab->lock);
	unsigned n = phone->requests_seen;
	pthread_mutex_unlock(&phone->lab->lock);
	return n;
}

const char *phone_algorithm(const struct phone *phone)
{
	return phone->used_algorithm;
}

void phone_answer_challenges(struct phone *phone, bool answer)
{
	pthread_mutex_lock(&phone->lab->lock);
	phone->answer_challenges = answer;
	pthread_mutex_unlock(&phone->lab->lock);
}

void phone_script(struct phone *phone, struct phone_script script)
{
	pthread_mutex_lock(&phone->lab->lock);
	phone->script = script;
	pthread_mutex_unlock(&phone->lab->lock);
}

int phone_calls(struct phone *phone)
{
	pthread_mutex_lock(&phone->lab->lock);
	int n = phone->next_number;
	pthread_mutex_unlock(&phone->lab->lock);
	return n;
}

int phone_calls_up(struct phone *phone)
{
	int n = 0;
	pthread_mutex_lock(&phone->lab->lock);
	for (const struct dialog *d = phone->dialogs; d; d = d->next) {
		n += d->seen.live && d->seen.at_us[PHONE_ACKED] != 0;
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return n;
}

bool phone_call(struct phone *phone, int number, struct phone_call *out)
{
	pthread_mutex_lock(&phone->lab->lock);
	const struct dialog *d = call_find(phone, number);
	*out = d ? d->seen : (struct phone_call){ .number = number };
	pthread_mutex_unlock(&phone->lab->lock);
	return d != NULL;
}

bool phone_wait(struct phone *phone, int number, enum phone_moment moment, int timeout_ms)
{
	int64_t deadline = lab_now_ms() + timeout_ms;
	bool seen = false, time = true;
	pthread_mutex_lock(&phone->lab->lock);
	while (!seen && time) {
		const struct dialog *d = call_find(phone, number);
		seen = d && d->seen.at_us[moment];
		time = seen || lab_wait(phone->lab, deadline);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return seen;
}

int64_t phone_at_ms(struct phone *phone, int number, enum phone_moment moment)
{
	struct phone_call call;
	phone_call(phone, number, &call);
	return call.at_us[moment] / 1000;
}

void phone_forget(struct phone *phone)
{
	pthread_mutex_lock(&phone->lab->lock);
	for (struct dialog *d = phone->dialogs; d; d = d->next) {
		d->forgotten = true;
	}
	phone->next_number = 0;
	phone->heard_packets = 0;
	phone->heard_total = 0;
	phone->log_forgotten = phone->log_total;
	memset(phone->wills, 0, sizeof(phone->wills));
	memset(phone->losses, 0, sizeof(phone->losses));
	phone->doubled = false;
	pthread_mutex_unlock(&phone->lab->lock);
}

int phone_dial(struct phone *phone, const char *target)
{
	int number = -1;
	pthread_mutex_lock(&phone->lab->lock);
	struct dialog *d = call_new(phone, false);
	if (d) {
		number = d->seen.number;
		dial_start(phone, d, target);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return number;
}

void phone_answer(struct phone *phone, int number)
{
	pthread_mutex_lock(&phone->lab->lock);
	struct dialog *d = call_find(phone, number);
	if (d && d->seen.incoming) {
		call_final(phone, d, 200);
	}
	pthread_mutex_unlock(&phone->lab->lock);
}

void phone_hangup(struct phone *phone, int number)
{
	pthread_mutex_lock(&phone->lab->lock);
	struct dialog *d = call_find(phone, number);
	if (d && d->seen.live) {
		if (d->seen.at_us[PHONE_ANSWERED]) {
			call_bye(phone, d);
		} else if (d->seen.incoming) {
			call_final(phone, d, 603);
		} else {
			dial_cancel(phone, d);
		}
	}
	pthread_mutex_unlock(&phone->lab->lock);
}

void phone_vanish(struct phone *phone)
{
	pthread_mutex_lock(&phone->lab->lock);
	phone->vanished = true;
	pthread_mutex_unlock(&phone->lab->lock);
}

int phone_hold(struct phone *phone, int number, bool hold)
{
	int code = 0;
	pthread_mutex_lock(&phone->lab->lock);
	struct dialog *d = call_find(phone, number);
	if (d && d->seen.live) {
		d->held = hold;
		dial_reinvite(phone, d, &code);
		await_result(phone, &code);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return code;
}

const char *phone_invite_header(struct phone *phone, const char *name)
{
	static char value[512];
	value[0] = '\0';
	pthread_mutex_lock(&phone->lab->lock);
	if (phone->last_invite.data && *name) {
		sip_text_header(&phone->last_invite, name, 0, value, sizeof(value));
	} else if (phone->last_invite.data) {
		sip_uri_user(phone->last_invite.uri, value, sizeof(value));
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return value;
}
