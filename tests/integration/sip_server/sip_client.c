/* sip_client.c - see sip_client.h. */
#include "sip_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "server_fixture.h"

enum { INBOX = 128, TEXT_MAX = 16384 };

struct client {
	int fd, port, server_port, cseq;
	char address[16];
	char username[64], password[80], algorithm[16];
	struct stream *stream; /* NULL: UDP */
	char contact[128], via[64];
	char call_id[64], from_tag[24], to_tag[24], branch[40], from[128], uri[160];
	char *body;
	char *inbox[INBOX];
	bool taken[INBOX];
	size_t count;
};

static unsigned next_number(void)
{
	static unsigned n;

	if (!n)
		n = (unsigned)time(NULL) * 1000u ^ (unsigned)getpid() << 8;
	return ++n;
}

struct client *client_open(const char *username, int server_port)
{
	return client_open_at(username, server_port, "127.0.0.1", 0);
}

struct client *client_open_at(const char *username, int server_port, const char *address, int port)
{
	struct client *c = calloc(1, sizeof(*c));
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(address), .sin_port = htons((uint16_t)port) };
	socklen_t len = sizeof(addr);

	assert_non_null(c);
	c->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(c->fd, (struct sockaddr *)&addr, len), 0);
	getsockname(c->fd, (struct sockaddr *)&addr, &len);
	c->port = ntohs(addr.sin_port);
	c->server_port = server_port;
	c->cseq = 1;
	snprintf(c->username, sizeof(c->username), "%s", username);
	snprintf(c->to_tag, sizeof(c->to_tag), "u%u", next_number());
	snprintf(c->address, sizeof(c->address), "%s", address);
	snprintf(c->via, sizeof(c->via), "UDP %s:%d", address, c->port);
	client_claim_contact(c, NULL);
	client_secret(c, NULL, NULL);
	return c;
}

struct client *client_open_stream(const char *username, struct stream *stream)
{
	struct client *c = client_open(username, 9);

	c->stream = stream;
	snprintf(c->via, sizeof(c->via), "%s n0such.invalid", stream_protocol(stream));
	snprintf(c->contact, sizeof(c->contact), "sip:%s@n0such.invalid;transport=ws", username);
	return c;
}

void client_body(struct client *c, size_t bytes)
{
	free(c->body);
	c->body = calloc(1, bytes + 1);
	assert_non_null(c->body);
	memset(c->body, 'a', bytes);
	memcpy(c->body, "v=0\r\n", 5);
}

void client_claim_contact(struct client *c, const char *uri)
{
	snprintf(c->contact, sizeof(c->contact), "%s", uri ? uri : "");
	if (!uri)
		snprintf(c->contact, sizeof(c->contact), "sip:%s@%s:%d", c->username, c->address, c->port);
}

void client_secret(struct client *c, const char *algorithm, const char *password)
{
	snprintf(c->algorithm, sizeof(c->algorithm), "%s", algorithm ? algorithm : "MD5");
	snprintf(c->password, sizeof(c->password), "%s%s", password ? password : "pw-", password ? "" : c->username);
}

void client_forget(struct client *c)
{
	char unread[64];

	while (!c->stream && recv(c->fd, unread, sizeof(unread), MSG_DONTWAIT) >= 0)
		continue;
	for (size_t i = 0; i < c->count; i++)
		free(c->inbox[i]);
	c->count = 0;
	memset(c->taken, 0, sizeof(c->taken));
}

void client_close(struct client *c)
{
	if (!c)
		return;
	client_forget(c);
	stream_close(c->stream);
	free(c->body);
	close(c->fd);
	free(c);
}

const char *client_name(const struct client *c)
{
	return c->username;
}

int client_port(const struct client *c)
{
	return c->port;
}

const char *client_call_id(const struct client *c)
{
	return c->call_id;
}

void client_raw(struct client *c, const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)c->server_port) };

	if (c->stream)
		stream_send(c->stream, text);
	else
		assert_true(sendto(c->fd, text, strlen(text), 0, (struct sockaddr *)&to, sizeof(to)) > 0);
}

int message_status(message *m)
{
	return m && strncmp(m, "SIP/2.0 ", 8) == 0 ? atoi(m + 8) : 0;
}

bool message_has(message *m, const char *text)
{
	const size_t len = strlen(text);

	for (; m && *m; m++)
		if (strncasecmp(m, text, len) == 0)
			return true;
	return false;
}

static const char *header_at(const char *m, const char *name)
{
	for (const char *line = strstr(m, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, strlen(name)) == 0 && line[2 + strlen(name)] == ':')
			return line + 2 + strlen(name) + 1 + strspn(line + 2 + strlen(name) + 1, " ");
	return NULL;
}

void message_header(message *m, const char *name, char *out, size_t size)
{
	const char *at = m ? header_at(m, name) : NULL;

	snprintf(out, size, "%.*s", at ? (int)strcspn(at, "\r") : 0, at ? at : "");
}

/* Every line of these headers, as they stand; reverse puts them in the opposite order under another name. */
static void copy_headers(const char *m, const char *name, const char *as, bool reverse, struct buf *out)
{
	const char *found[16];
	size_t n = 0;

	for (const char *rest = m; n < 16 && (found[n] = header_at(rest, name)); n++)
		rest = found[n];
	for (size_t i = 0; i < n; i++) {
		const char *value = found[reverse ? n - 1 - i : i];

		buf_printf(out, "%s: %.*s\r\n", as, (int)strcspn(value, "\r"), value);
	}
}

static bool matches(const struct client *c, const char *m, const char *what)
{
	char call_id[64];

	if (what[0] < '0' || what[0] > '9')
		return strncmp(m, what, strlen(what)) == 0 && m[strlen(what)] == ' ';
	message_header(m, "Call-ID", call_id, sizeof(call_id));
	/* Answers to other requests of ours (retransmitted refusals) are not meant, and 100 says nothing. */
	return message_status(m) >= 180 && strncmp(m + 8, what, strlen(what)) == 0 && strcmp(call_id, c->call_id) == 0;
}

static bool receive(struct client *c, int timeout_ms)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	char text[TEXT_MAX], *whole;
	ssize_t len;

	if (c->stream) {
		whole = stream_receive(c->stream, timeout_ms);
		assert_true(c->count < INBOX);
		if (whole)
			c->inbox[c->count++] = whole;
		return whole != NULL;
	}
	if (poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	len = recv(c->fd, text, sizeof(text) - 1, 0);
	if (len < 20)
		return true;
	text[len] = '\0';
	assert_true(c->count < INBOX);
	c->inbox[c->count++] = text_dup(text);
	return true;
}

static int64_t now_ms(void)
{
	return loop_now_ms();
}

message *client_expect(struct client *c, const char *what, int timeout_ms)
{
	const int64_t until = now_ms() + timeout_ms;

	for (;;) {
		for (size_t i = 0; i < c->count; i++) {
			if (c->taken[i] || !matches(c, c->inbox[i], what))
				continue;
			c->taken[i] = true;
			return c->inbox[i];
		}
		if (now_ms() >= until)
			return NULL;
		receive(c, (int)(until - now_ms()) + 1);
	}
}

/* ---- requests */
static void send_request(struct client *c, const char *method, const char *uri, const char *to, const char *to_tag, const char *headers, int cseq)
{
	struct buf b = BUF_INIT;
	const char *body;

	buf_printf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s;branch=%s;rport\r\nMax-Forwards: 70\r\n", method, uri, c->via, c->branch);
	buf_printf(&b, "From: <%s>;tag=%s\r\nTo: <%s>%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", c->from, c->from_tag, to, to_tag, c->call_id, cseq, method);
	body = c->body && strcmp(method, "INVITE") == 0 ? c->body : "";
	buf_printf(&b, "Contact: <%s>\r\n%sContent-Length: %zu\r\n\r\n%s", c->contact, headers ? headers : "", strlen(body), body);
	client_raw(c, b.data);
	buf_free(&b);
}

static void new_branch(struct client *c)
{
	snprintf(c->branch, sizeof(c->branch), "z9hG4bK%u", next_number());
}

static void parameter(const char *challenge, const char *name, char *out, size_t size)
{
	char with_equals[32];
	const char *at;

	snprintf(with_equals, sizeof(with_equals), "%s=", name);
	at = strstr(challenge, with_equals);
	at = at ? at + strlen(with_equals) : "";
	snprintf(out, size, "%.*s", (int)(*at == '"' ? strcspn(at + 1, "\"") : strcspn(at, ", \r")), *at == '"' ? at + 1 : at);
}

/* The answer to the challenge of our algorithm; "" when none is offered. */
static void credentials(struct client *c, const char *answer, const char *method, const char *uri, char *out, size_t size)
{
	const bool proxy = message_status(answer) == 407;
	const enum digest_kind kind = strcmp(c->algorithm, "SHA-256") == 0 ? DIGEST_SHA256 :
		strcmp(c->algorithm, "SHA-512-256") == 0 ? DIGEST_SHA512_256 : DIGEST_MD5;
	char challenge[512] = "", algorithm[32], realm[80], nonce[160], text[512], ha1[65], ha2[65], response[65];
	const char *name = proxy ? "Proxy-Authenticate" : "WWW-Authenticate", *at = answer;

	out[0] = '\0';
	while ((at = header_at(at, name))) {
		snprintf(challenge, sizeof(challenge), "%.*s", (int)strcspn(at, "\r"), at);
		parameter(challenge, "algorithm", algorithm, sizeof(algorithm));
		if (strcmp(*algorithm ? algorithm : "MD5", c->algorithm) == 0)
			break;
	}
	if (!at)
		return;
	parameter(challenge, "realm", realm, sizeof(realm));
	parameter(challenge, "nonce", nonce, sizeof(nonce));
	snprintf(text, sizeof(text), "%s:%s:%s", c->username, realm, c->password);
	digest_hex(kind, text, strlen(text), ha1);
	snprintf(text, sizeof(text), "%s:%s", method, uri);
	digest_hex(kind, text, strlen(text), ha2);
	snprintf(text, sizeof(text), "%s:%s:00000001:abc:auth:%s", ha1, nonce, ha2);
	digest_hex(kind, text, strlen(text), response);
	snprintf(out, size, "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", algorithm=%s, "
		"qop=auth, nc=00000001, cnonce=\"abc\"\r\n", proxy ? "Proxy-Authorization" : "Authorization", c->username, realm, nonce, uri,
		response, c->algorithm);
}

static message *first_answer(struct client *c)
{
	const int64_t until = now_ms() + 3000;

	for (;;) {
		for (size_t i = 0; i < c->count; i++) {
			if (c->taken[i] || !(matches(c, c->inbox[i], "1") || matches(c, c->inbox[i], "2") || matches(c, c->inbox[i], "4") ||
					matches(c, c->inbox[i], "5")))
				continue;
			c->taken[i] = true;
			return c->inbox[i];
		}
		if (now_ms() >= until || !receive(c, (int)(until - now_ms()) + 1))
			return NULL;
	}
}

static void start(struct client *c, const char *method, const char *uri, const char *from, const char *headers)
{
	char to[160];

	snprintf(c->call_id, sizeof(c->call_id), "call-%u", next_number());
	snprintf(c->from_tag, sizeof(c->from_tag), "f%u", next_number());
	snprintf(c->from, sizeof(c->from), "%s", from ? from : "");
	if (!from)
		snprintf(c->from, sizeof(c->from), "sip:%s@%s", c->username, FIXTURE_DOMAIN);
	snprintf(c->uri, sizeof(c->uri), "%s", uri);
	snprintf(to, sizeof(to), "%s", strcmp(method, "REGISTER") == 0 ? c->from : uri);
	new_branch(c);
	send_request(c, method, uri, to, "", headers, ++c->cseq);
}

void client_call_in(struct client *c, const char *uri, const char *from, const char *headers)
{
	start(c, "INVITE", uri, from, headers);
}

/* Send, and answer a challenge. @return what came without one. */
static message *begin(struct client *c, const char *method, const char *uri, const char *from, const char *headers)
{
	char authorization[900];
	const char *to;
	struct buf all = BUF_INIT;
	message *answer;

	start(c, method, uri, from, headers);
	to = strcmp(method, "REGISTER") == 0 ? c->from : uri;
	answer = first_answer(c);
	if (message_status(answer) != 401 && message_status(answer) != 407)
		return answer;
	if (strcmp(method, "INVITE") == 0)
		client_ack_refusal(c, answer);
	credentials(c, answer, method, uri, authorization, sizeof(authorization));
	if (!*authorization)
		return answer;
	buf_printf(&all, "%s%s", authorization, headers ? headers : "");
	new_branch(c);
	send_request(c, method, uri, to, "", all.data, ++c->cseq);
	buf_free(&all);
	return NULL;
}

message *client_request(struct client *c, const char *method, const char *uri, const char *from, const char *headers)
{
	message *answer = begin(c, method, uri, from, headers);

	if (!answer)
		answer = first_answer(c);
	if (strcmp(method, "INVITE") == 0 && message_status(answer) >= 300)
		client_ack_refusal(c, answer);
	return answer;
}

void client_dial(struct client *c, const char *uri, const char *from, const char *headers)
{
	begin(c, "INVITE", uri, from, headers);
}

int client_register(struct client *c, int expires)
{
	char headers[40];

	snprintf(headers, sizeof(headers), "Expires: %d\r\n", expires);
	return message_status(client_request(c, "REGISTER", "sip:" FIXTURE_DOMAIN, NULL, headers));
}

static void tag_of(const char *m, const char *name, char *out, size_t size)
{
	char value[256], *tag;

	message_header(m, name, value, sizeof(value));
	tag = strstr(value, ";tag=");
	snprintf(out, size, "%s", tag ? tag : "");
}

void client_ack_refusal(struct client *c, message *answer)
{
	char tag[64];

	tag_of(answer, "To", tag, sizeof(tag));
	send_request(c, "ACK", c->uri, c->uri, tag, NULL, c->cseq);
}

void client_cancel(struct client *c)
{
	send_request(c, "CANCEL", c->uri, c->uri, "", NULL, c->cseq);
}

static void contact_uri(const char *m, char *out, size_t size)
{
	char value[256];
	const char *open;

	message_header(m, "Contact", value, sizeof(value));
	open = strchr(value, '<');
	snprintf(out, size, "%.*s", open ? (int)strcspn(open + 1, ">") : 0, open ? open + 1 : "");
}

void client_in_call(struct client *c, const char *method, message *answer, const char *uri, const char *headers)
{
	char tag[64], target[256];
	struct buf all = BUF_INIT;

	tag_of(answer, "To", tag, sizeof(tag));
	contact_uri(answer, target, sizeof(target));
	copy_headers(answer, "Record-Route", "Route", true, &all);
	buf_str(&all, headers ? headers : "");
	new_branch(c);
	if (strcmp(method, "ACK") != 0)
		c->cseq++;
	send_request(c, method, uri ? uri : target, c->uri, tag, all.data, c->cseq);
	buf_free(&all);
}

void client_in_call_back(struct client *c, const char *method, message *invite, const char *headers)
{
	char from[256], to[256], call_id[64], target[256];
	struct buf b = BUF_INIT;

	message_header(invite, "From", from, sizeof(from));
	message_header(invite, "To", to, sizeof(to));
	message_header(invite, "Call-ID", call_id, sizeof(call_id));
	contact_uri(invite, target, sizeof(target));
	new_branch(c);
	snprintf(c->call_id, sizeof(c->call_id), "%s", call_id);
	buf_printf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s;branch=%s;rport\r\nMax-Forwards: 70\r\n", method, target, c->via, c->branch);
	buf_printf(&b, "From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n", to, c->to_tag, from, call_id, method);
	copy_headers(invite, "Record-Route", "Route", false, &b);
	buf_printf(&b, "%sContent-Length: 0\r\n\r\n", headers ? headers : "");
	client_raw(c, b.data);
	buf_free(&b);
}

void client_reply(struct client *c, message *request, int status, const char *reason)
{
	client_reply_with(c, request, status, reason, "");
}

void client_reply_with(struct client *c, message *request, int status, const char *reason, const char *headers)
{
	struct buf b = BUF_INIT;
	char to[256];

	assert_non_null(request);
	message_header(request, "To", to, sizeof(to));
	buf_printf(&b, "SIP/2.0 %d %s\r\n", status, reason);
	copy_headers(request, "Via", "Via", false, &b);
	copy_headers(request, "Record-Route", "Record-Route", false, &b);
	copy_headers(request, "From", "From", false, &b);
	buf_printf(&b, "To: %s%s%s\r\n", to, strstr(to, ";tag=") ? "" : ";tag=", strstr(to, ";tag=") ? "" : c->to_tag);
	copy_headers(request, "Call-ID", "Call-ID", false, &b);
	copy_headers(request, "CSeq", "CSeq", false, &b);
	buf_printf(&b, "Contact: <%s>\r\nX-Nexus-Reply: 1\r\n%sContent-Length: 0\r\n\r\n", c->contact, headers);
	client_raw(c, b.data);
	buf_free(&b);
}
