/* nexusd.c - what the tests of nexusd share. */
#include "nexusd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct gateway nexusd;

int nexusd_setup_with(const char *const *settings)
{
	return gateway_prepare(&nexusd, "auto", settings) && gateway_run(&nexusd) ? 0 : -1;
}

int nexusd_setup(void **state)
{
	(void)state;
	return nexusd_setup_with(NULL);
}

int nexusd_teardown(void **state)
{
	int status = nexusd.nexusd ? gateway_stop(&nexusd) : 0;

	(void)state;
	if (status != 0) { /* a sanitizer found something, or it crashed */
		char *log = proc_read_file(nexusd.nexusd_log);

		fprintf(stderr, "nexusd ended with %d:\n%s\n", status, log ? log : "");
		free(log);
	}
	gateway_close(&nexusd);
	return status;
}

struct http_reply *ask(const char *method, const char *path, const char *key, const char *body)
{
	return gateway_http(&nexusd, method, path, key, body);
}

struct http_reply *ask_with(const char *method, const char *path, const char *key, const char *body, const char *header)
{
	return gateway_http_with(&nexusd, method, path, key, body, header);
}

const char *error_code(const struct http_reply *reply)
{
	return json_text(reply->json, "error.code");
}

struct made_key make_key(const char *user, const char *permissions)
{
	struct made_key made = { "", "" };
	char body[300];
	struct http_reply *reply;

	snprintf(body, sizeof(body), "{\"userId\":\"%s\",\"name\":\"test\",\"permissions\":%s}", user, permissions);
	reply = ask("POST", "/api/v1/keys/voip/generate", nexusd.admin_key, body);
	assert_int_equal(reply->status, 201);
	snprintf(made.secret, sizeof(made.secret), "%s", json_text(reply->json, "key.key"));
	snprintf(made.id, sizeof(made.id), "%s", json_text(reply->json, "key.id"));
	return made;
}

int raw_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strrchr(nexusd.url, ':') + 1));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The server may have answered and closed before everything is sent: that is for the reader to judge. */
void raw_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void parse(struct raw_reply *reply)
{
	reply->body = "";
	for (char *at = reply->text; (at = strstr(at, "HTTP/1.1 ")); at += 9) {
		const char *end = strstr(at, "\r\n\r\n");

		if (at != reply->text && at[-1] == '"')
			continue;
		reply->answers++;
		reply->status = atoi(at + 9);
		reply->body = end ? end + 4 : "";
	}
}

void raw_read(int fd, struct raw_reply *reply, int quiet_ms)
{
	size_t len = 0;

	*reply = (struct raw_reply){ 0 };
	while (len < sizeof(reply->text) - 1) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&wait, 1, quiet_ms) <= 0)
			break;
		n = recv(fd, reply->text + len, sizeof(reply->text) - 1 - len, 0);
		if (n <= 0) {
			reply->closed = true;
			break;
		}
		len += (size_t)n;
	}
	reply->text[len] = '\0';
	parse(reply);
}

void raw_ask(const void *data, size_t len, struct raw_reply *reply)
{
	int fd = raw_connect();

	raw_write(fd, data, len);
	raw_read(fd, reply, 300);
	close(fd);
}

void raw_ask_text(const char *text, struct raw_reply *reply)
{
	raw_ask(text, strlen(text), reply);
}

size_t read_routes(struct route_line *out, size_t room)
{
	const char *const argv[] = { NEXUSD_PATH, "--routes", NULL };
	char *text = NULL, *rest = NULL;
	size_t count = 0;

	assert_int_equal(proc_run(argv, &text, NULL, 10000), 0);
	for (char *line = strtok_r(text, "\n", &rest); line && count < room; line = strtok_r(NULL, "\n", &rest)) {
		assert_int_equal(
			sscanf(line, "%15s %95s %15s", out[count].method, out[count].pattern, out[count].permission),
			3);
		count++;
	}
	free(text);
	return count;
}
