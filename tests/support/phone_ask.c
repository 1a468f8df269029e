/* phone_ask.c - what a test does to a call besides hold and hang-up: requests of its own making, answers other than the
 * usual ones, messages that get lost. */
#include "phone_inside.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_WITHIN_MS = 8000 };

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static struct request *make(struct phone *phone, int number, const struct phone_ask *ask)
{
	struct dialog *d = call_find(phone, number);
	struct request *req = d ? request_new(phone, d, ask->method, d->remote_target) : NULL;
	if (req) {
		req->asked = true;
		req->lines = copy(ask->lines);
		req->type = copy(ask->type);
		req->body = copy(ask->body);
		req->ack = copy(ask->ack);
		req->cseq_step = ask->cseq_step;
	}
	return req;
}

int phone_ask(struct phone *phone, int number, const struct phone_ask *ask, char *reply, size_t size)
{
	int64_t deadline = lab_now_ms() + ANSWER_WITHIN_MS;
	char *text = NULL;
	int code = 0;
	pthread_mutex_lock(&phone->lab->lock);
	struct request *req = make(phone, number, ask);
	if (req) {
		req->result = &code;
		req->reply = &text;
		request_start(phone, req);
		while (code == 0 && lab_wait(phone->lab, deadline)) {
		}
	}
	for (req = phone->requests; req; req = req->next) {
		if (req->result == &code) {
			req->result = NULL;
			req->reply = NULL;
		}
	}
	pthread_mutex_unlock(&phone->lab->lock);
	if (reply) {
		snprintf(reply, size, "%s", text ? text : "");
	}
	free(text);
	return code;
}

bool phone_compose(struct phone *phone, int number, const struct phone_ask *ask, char *out, size_t size)
{
	static struct text text;
	pthread_mutex_lock(&phone->lab->lock);
	struct request *req = make(phone, number, ask);
	if (req) {
		unsigned cseq = req->dialog->local_cseq;
		bool offered = req->dialog->offered;
		request_write(phone, req, &text);
		snprintf(out, size, "%s", text.data);
		req->dialog->local_cseq = cseq;
		req->dialog->offered = offered;
		request_free(req);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return req != NULL;
}

void phone_will(struct phone *phone, struct phone_will will)
{
	pthread_mutex_lock(&phone->lab->lock);
	for (size_t i = 0; i < sizeof(phone->wills) / sizeof(phone->wills[0]); i++) {
		if (phone->wills[i].times == 0) {
			phone->wills[i] = will;
			break;
		}
	}
	pthread_mutex_unlock(&phone->lab->lock);
}

struct phone_will *ask_will(struct phone *phone, const char *method)
{
	for (size_t i = 0; i < sizeof(phone->wills) / sizeof(phone->wills[0]); i++) {
		if (phone->wills[i].times > 0 && strcmp(phone->wills[i].method, method) == 0) {
			return &phone->wills[i];
		}
	}
	return NULL;
}

void phone_lose(struct phone *phone, bool sent, const char *start, unsigned times)
{
	pthread_mutex_lock(&phone->lab->lock);
	for (size_t i = 0; i < sizeof(phone->losses) / sizeof(phone->losses[0]); i++) {
		struct loss *loss = &phone->losses[i];
		if (loss->times == 0) {
			*loss = (struct loss){ .sent = sent, .times = times };
			snprintf(loss->start, sizeof(loss->start), "%s", start);
			break;
		}
	}
	pthread_mutex_unlock(&phone->lab->lock);
}

bool ask_lost(struct phone *phone, bool sent, const char *text)
{
	for (size_t i = 0; i < sizeof(phone->losses) / sizeof(phone->losses[0]); i++) {
		struct loss *loss = &phone->losses[i];
		if (loss->times > 0 && loss->sent == sent && strncmp(text, loss->start, strlen(loss->start)) == 0) {
			loss->times--;
			return true;
		}
	}
	return false;
}

void phone_double(struct phone *phone, bool twice)
{
	pthread_mutex_lock(&phone->lab->lock);
	phone->doubled = twice;
	pthread_mutex_unlock(&phone->lab->lock);
}

bool phone_seen(struct phone *phone, const char *start, size_t nth, char *out, size_t size)
{
	bool found = false;
	pthread_mutex_lock(&phone->lab->lock);
	size_t first = phone->log_total > PHONE_LOG_MAX ? phone->log_total - PHONE_LOG_MAX : 0;
	first = first > phone->log_forgotten ? first : phone->log_forgotten;
	for (size_t i = first; i < phone->log_total && !found; i++) {
		const struct log_line *line = &phone->log[i % PHONE_LOG_MAX];
		if (!line->sent && strncmp(line->text, start, strlen(start)) == 0 && nth-- == 0) {
			found = true;
			snprintf(out, size, "%s", line->text);
		}
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return found;
}

size_t phone_seen_count(struct phone *phone, const char *start)
{
	char text[16];
	size_t n = 0;
	while (phone_seen(phone, start, n, text, sizeof(text))) {
		n++;
	}
	return n;
}

bool phone_peer(struct phone *phone, int number, char *out, size_t size)
{
	char host[64];
	unsigned port;
	pthread_mutex_lock(&phone->lab->lock);
	const struct dialog *d = call_find(phone, number);
	bool found = d && sip_uri_host(d->remote_target, host, sizeof(host), &port);
	if (found) {
		snprintf(out, size, "%s:%u", host, port);
	}
	pthread_mutex_unlock(&phone->lab->lock);
	return found;
}

unsigned phone_rtp_port(const struct phone *phone)
{
	return phone->rtp_port;
}
