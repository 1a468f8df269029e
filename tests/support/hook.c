/* hook.c - the server: one thread, one connection at a time to its end, one request per connection. */
#include "hook.h"

#include "gateway.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct hook {
	int fd;
	char url[40];
	pthread_t thread;
	pthread_mutex_t lock;
	struct hook_request kept[HOOK_KEPT];
	size_t count;
	int status, fails;
	const char *body;
	bool stopping;
};

/* Read one request into text; its length with the body, 0 when it broke off. */
static size_t read_request(int fd, char *text, size_t size)
{
	size_t len = 0, need = size;

	while (len < need && len + 1 < size) {
		ssize_t n = recv(fd, text + len, size - 1 - len, 0);
		char *end, *length;

		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(text, "\r\nContent-Length:");
		need = (size_t)(end + 4 - text) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
	}
	return len;
}

static void keep(struct hook *hook, char *text)
{
	struct hook_request *r = &hook->kept[hook->count % HOOK_KEPT];
	char *line = strstr(text, "\r\n"), *end = strstr(text, "\r\n\r\n"), *path = strchr(text, ' ');

	*r = (struct hook_request){ .at_ms = now_ms() };
	snprintf(r->path, sizeof(r->path), "%.*s", (int)strcspn(path + 1, " "), path + 1);
	snprintf(r->headers, sizeof(r->headers), "%.*s", (int)(end + 2 - line), line);
	snprintf(r->body, sizeof(r->body), "%s", end + 4);
	hook->count++;
}

static void serve(struct hook *hook, int fd)
{
	char text[8192], answer[2048];
	const char *body;
	int status, len;

	if (!read_request(fd, text, sizeof(text)) || !strstr(text, "\r\n\r\n") || !strchr(text, ' '))
		return;
	pthread_mutex_lock(&hook->lock);
	keep(hook, text);
	status = hook->fails > 0 ? 500 : hook->status;
	body = hook->fails > 0 || !hook->body ? "" : hook->body;
	if (hook->fails > 0)
		hook->fails--;
	pthread_mutex_unlock(&hook->lock);
	len = snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
		strlen(body), body);
	(void)!send(fd, answer, (size_t)len, MSG_NOSIGNAL);
}

static void *run(void *arg)
{
	struct hook *hook = arg;

	for (;;) {
		struct pollfd wait = { .fd = hook->fd, .events = POLLIN };
		bool stop;
		int fd;

		(void)poll(&wait, 1, 50);
		pthread_mutex_lock(&hook->lock);
		stop = hook->stopping;
		pthread_mutex_unlock(&hook->lock);
		if (stop)
			return NULL;
		fd = wait.revents & POLLIN ? accept(hook->fd, NULL, NULL) : -1;
		if (fd >= 0) {
			serve(hook, fd);
			close(fd);
		}
	}
}

struct hook *hook_open(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	struct hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return NULL;
	hook->status = 204;
	pthread_mutex_init(&hook->lock, NULL);
	hook->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (hook->fd < 0 || bind(hook->fd, (struct sockaddr *)&at, len) != 0 || listen(hook->fd, 64) != 0 ||
		getsockname(hook->fd, (struct sockaddr *)&at, &len) != 0 || pthread_create(&hook->thread, NULL, run, hook) != 0) {
		close(hook->fd);
		free(hook);
		return NULL;
	}
	snprintf(hook->url, sizeof(hook->url), "http://127.0.0.1:%u", ntohs(at.sin_port));
	return hook;
}

void hook_close(struct hook *hook)
{
	if (!hook)
		return;
	pthread_mutex_lock(&hook->lock);
	hook->stopping = true;
	pthread_mutex_unlock(&hook->lock);
	pthread_join(hook->thread, NULL);
	close(hook->fd);
	pthread_mutex_destroy(&hook->lock);
	free(hook);
}

const char *hook_url(const struct hook *hook)
{
	return hook->url;
}

void hook_answer(struct hook *hook, int status, const char *body, int fails)
{
	pthread_mutex_lock(&hook->lock);
	hook->status = status;
	hook->body = body;
	hook->fails = fails;
	pthread_mutex_unlock(&hook->lock);
}

size_t hook_count(struct hook *hook)
{
	size_t count;

	pthread_mutex_lock(&hook->lock);
	count = hook->count;
	pthread_mutex_unlock(&hook->lock);
	return count;
}

bool hook_wait(struct hook *hook, size_t count, int timeout_ms)
{
	for (int64_t until = now_ms() + timeout_ms; now_ms() < until; nap_ms(5))
		if (hook_count(hook) >= count)
			return true;
	return false;
}

struct hook_request hook_request(struct hook *hook, size_t index)
{
	struct hook_request request;

	pthread_mutex_lock(&hook->lock);
	request = hook->kept[index % HOOK_KEPT];
	pthread_mutex_unlock(&hook->lock);
	return request;
}

void hook_forget(struct hook *hook)
{
	pthread_mutex_lock(&hook->lock);
	hook->count = 0;
	hook->status = 204;
	hook->body = NULL;
	hook->fails = 0;
	pthread_mutex_unlock(&hook->lock);
}

static char *next_text(void)
{
	static char texts[4][1024];
	static size_t next;

	return texts[next++ % 4];
}

const char *hook_param(const struct hook_request *request, const char *name)
{
	char *text = next_text();
	size_t len = strlen(name), n = 0;
	const char *at = request->body;

	for (; at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL)
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			break;
	text[0] = '\0';
	if (!at)
		return text;
	for (at += len + 1; *at && *at != '&' && n + 1 < 1024; at++) {
		unsigned c = (unsigned char)*at;

		if (*at == '%' && sscanf(at + 1, "%2x", &c) == 1)
			at += 2;
		text[n++] = (char)(*at == '+' ? ' ' : (int)c);
	}
	text[n] = '\0';
	return text;
}

const char *hook_header(const struct hook_request *request, const char *name)
{
	char *text = next_text(), wanted[80];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
	at = strcasestr(request->headers, wanted);
	text[0] = '\0';
	if (at)
		snprintf(text, 1024, "%.*s", (int)strcspn(at + strlen(wanted), "\r"), at + strlen(wanted));
	return text;
}
