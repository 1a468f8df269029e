/* sip_stream.c - see sip_stream.h. */
#include "sip_stream.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "loop/loop.h"

struct stream {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	bool tls, ws;
	struct buf in;
};

static void write_all(struct stream *s, const void *data, size_t len)
{
	if (s->ssl)
		assert_int_equal(SSL_write(s->ssl, data, (int)len), (int)len);
	else
		assert_int_equal(send(s->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* Read what there is into s->in; false when nothing came or the peer is gone. */
static bool read_some(struct stream *s, int timeout_ms)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	char data[8192];
	ssize_t len;

	if (!(s->ssl && SSL_pending(s->ssl) > 0) && poll(&pfd, 1, timeout_ms) <= 0)
		return false;
	len = s->ssl ? SSL_read(s->ssl, data, sizeof(data)) : recv(s->fd, data, sizeof(data), 0);
	if (len <= 0)
		return false;
	buf_append(&s->in, data, (size_t)len);
	return true;
}

static bool start_tls(struct stream *s)
{
	s->ctx = SSL_CTX_new(TLS_client_method());
	s->ssl = SSL_new(s->ctx);
	SSL_set_fd(s->ssl, s->fd);
	return SSL_connect(s->ssl) == 1;
}

static int handshake(struct stream *s, const struct stream_opts *opts)
{
	struct buf b = BUF_INIT;
	const char *end;
	int status;

	buf_printf(&b, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", opts->port);
	buf_printf(&b, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n");
	if (opts->origin)
		buf_printf(&b, "Origin: %s\r\n", opts->origin);
	buf_str(&b, "\r\n");
	write_all(s, b.data, b.len);
	buf_free(&b);
	while (!s->in.data || !strstr(s->in.data, "\r\n\r\n"))
		if (!read_some(s, 3000))
			return 0;
	status = strncmp(s->in.data, "HTTP/1.1 ", 9) == 0 ? atoi(s->in.data + 9) : 0;
	end = strstr(s->in.data, "\r\n\r\n") + 4;
	buf_consume(&s->in, (size_t)(end - s->in.data));
	return status;
}

struct stream *stream_open(const struct stream_opts *opts, int *status)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)opts->port) };
	int answered = 101;
	bool up;

	assert_non_null(s);
	s->tls = opts->tls;
	s->ws = opts->ws;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	up = connect(s->fd, (struct sockaddr *)&to, sizeof(to)) == 0 && (!opts->tls || start_tls(s));
	if (up && opts->ws)
		answered = handshake(s, opts);
	if (status)
		*status = up ? answered : 0;
	if (up && answered == 101)
		return s;
	stream_close(s);
	return NULL;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	close(s->fd);
	buf_free(&s->in);
	free(s);
}

bool stream_ended(struct stream *s, int timeout_ms)
{
	const int64_t until = loop_now_ms() + timeout_ms;
	char data[4096];

	for (;;) {
		struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

		const int waited = (int)(until - loop_now_ms());
		ssize_t len;

		if (waited <= 0 || poll(&pfd, 1, waited) <= 0)
			break;
		len = recv(s->fd, data, sizeof(data), 0);
		if (len <= 0)
			return true;
		buf_append(&s->in, data, (size_t)len);
	}
	return false;
}

const char *stream_protocol(const struct stream *s)
{
	return s->ws ? s->tls ? "WSS" : "WS" : s->tls ? "TLS" : "TCP";
}

void stream_send(struct stream *s, const char *text)
{
	const size_t len = strlen(text);
	unsigned char head[8] = { 0x81, 0x80 | 126, (unsigned char)(len >> 8), (unsigned char)len }; /* text frame, mask of zeros */

	assert_true(len > 125 && len < 65536);
	if (s->ws)
		write_all(s, head, sizeof(head));
	write_all(s, text, len);
}

/* One SIP message at the start of in: its length, 0 while it is not whole. */
static size_t sip_length(const struct buf *in)
{
	const char *end = in->data ? strstr(in->data, "\r\n\r\n") : NULL;
	size_t body = 0;

	if (!end)
		return 0;
	for (const char *line = in->data; line < end; line = strstr(line, "\r\n") + 2)
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			body = strtoul(line + 15, NULL, 10);
	body += (size_t)(end - in->data) + 4;
	return in->len >= body ? body : 0;
}

/* Payload of the frame at the start of in. @return its end, 0 while it is not whole. */
static size_t frame(const struct buf *in, size_t *payload)
{
	const unsigned char *b = (const unsigned char *)in->data;
	size_t len;

	if (in->len < 4)
		return 0;
	len = b[1] & 0x7f;
	*payload = len == 126 ? 4 : 2;
	if (len == 126)
		len = (size_t)b[2] << 8 | b[3];
	return in->len >= *payload + len ? *payload + len : 0;
}

char *stream_receive(struct stream *s, int timeout_ms)
{
	const int64_t until = loop_now_ms() + timeout_ms;

	for (;;) {
		size_t start = 0, end = s->ws ? frame(&s->in, &start) : sip_length(&s->in);
		const bool message = end > 0 && (!s->ws || (s->in.data[0] & 0x0f) <= 2) && end - start > 4;
		char *text = message ? text_printf("%.*s", (int)(end - start), s->in.data + start) : NULL;

		buf_consume(&s->in, end);
		if (text)
			return text;
		if (end == 0 && (loop_now_ms() >= until || !read_some(s, (int)(until - loop_now_ms()) + 1)))
			return NULL;
	}
}
