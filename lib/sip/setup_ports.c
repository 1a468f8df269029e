/* setup_ports.c - drawing free ports and the nonce secret once, and remembering them in the state folder. */
#include "sip/setup_ports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "sip/probe.h"

/* Below the range that the kernel hands to outgoing connections, so that a kept port is still free after a restart. */
enum { PORT_FIRST = 10240, PORT_COUNT = 20000, PORT_TRIES = 300 };
/* OpenSIPS takes 32 characters, no other number. */
enum { SECRET_BYTES = 23, SECRET_CHARS = 32 };

static void kept_parse(struct kept *kept, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');
		int64_t port;
		if (!equals || !text_int(equals + 1, 1, 65535, &port) || kept->count == KEPT_PORTS_MAX)
			continue; /* half a line after a crash: that port is drawn again */
		*equals = '\0';
		if (text_copy(kept->ports[kept->count].option, sizeof(kept->ports[0].option), line))
			kept->ports[kept->count++].port = (uint16_t)port;
	}
}

nxv_status kept_open(struct kept *kept, const struct env *env, const char *run_dir, struct nxv_error *err)
{
	char path[256], text[1024];
	ssize_t n;

	*kept = (struct kept){ .env = env, .run_dir = run_dir, .fd = -1 };
	snprintf(path, sizeof(path), "%s/ports", run_dir);
	kept->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (kept->fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	while (flock(kept->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return error_errno(err, errno, "cannot lock %s", path);
	n = pread(kept->fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return error_errno(err, errno, "cannot read %s", path);
	text[n] = '\0';
	kept_parse(kept, text);
	return NXV_OK;
}

static bool is_kept(const struct kept *kept, uint16_t port)
{
	for (size_t i = 0; i < kept->count; i++)
		if (kept->ports[i].port == port)
			return true;
	return false;
}

static void address_text(char *out, size_t size, const char *host, uint16_t port)
{
	snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static nxv_status draw(struct kept *kept, const char *option, const char *host, uint16_t *port, struct nxv_error *err)
{
	char address[96];
	uint32_t random;
	nxv_status status;

	for (int i = 0; i < PORT_TRIES; i++) {
		status = env_random(kept->env, &random, sizeof(random), err);
		if (status != NXV_OK)
			return status;
		/* the counter makes progress even with a generator that repeats itself */
		*port = (uint16_t)(PORT_FIRST + (random + (uint32_t)i) % PORT_COUNT);
		address_text(address, sizeof(address), host, *port);
		if (!is_kept(kept, *port) && probe_bind(address, SOCK_DGRAM) == 0 && probe_bind(address, SOCK_STREAM) == 0)
			return NXV_OK;
	}
	return error_field(err, option, "no free port was found on %s; is it an address of this machine?", host);
}

nxv_status kept_address(struct kept *kept, const char *option, const char *address, char **out, struct nxv_error *err)
{
	char host[64], text[96];
	uint16_t port;
	size_t i = 0;
	nxv_status status;

	*out = NULL;
	if (!text_hostport(address, host, sizeof(host), &port))
		return error_field(err, option, "'%s' is not ADDRESS:PORT", address);
	if (port == 0) {
		while (i < kept->count && strcmp(kept->ports[i].option, option) != 0)
			i++;
		if (i == kept->count) {
			if (i == KEPT_PORTS_MAX)
				return error_set(err, NXV_E_INTERNAL, "more than %d kept ports", KEPT_PORTS_MAX);
			status = draw(kept, option, host, &port, err);
			if (status != NXV_OK)
				return status;
			text_copy(kept->ports[i].option, sizeof(kept->ports[i].option), option);
			kept->ports[i].port = port;
			kept->count++;
			kept->changed = true;
		}
		port = kept->ports[i].port;
	}
	address_text(text, sizeof(text), host, port);
	*out = text_dup(text);
	return *out ? NXV_OK : error_nomem(err);
}

static nxv_status secret_make(struct kept *kept, const char *path, char *text, struct nxv_error *err)
{
	char temp[272];
	uint8_t random[SECRET_BYTES];
	nxv_status status = env_random(kept->env, random, sizeof(random), err);
	int fd;

	if (status != NXV_OK)
		return status;
	text_base62(random, sizeof(random), text, SECRET_CHARS);
	explicit_bzero(random, sizeof(random));
	snprintf(temp, sizeof(temp), "%s.new", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot create %s", temp);
	if (write(fd, text, SECRET_CHARS) != SECRET_CHARS || fsync(fd) != 0 || rename(temp, path) != 0)
		status = error_errno(err, errno, "cannot write %s", path);
	close(fd);
	return status;
}

nxv_status kept_secret(struct kept *kept, char **out, struct nxv_error *err)
{
	char path[256], text[SECRET_CHARS + 1];
	nxv_status status = NXV_OK;
	ssize_t n = 0;
	int fd;

	*out = NULL;
	snprintf(path, sizeof(path), "%s/secret", kept->run_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot read %s", path);
	if (fd >= 0) {
		n = read(fd, text, SECRET_CHARS);
		close(fd);
	}
	text[SECRET_CHARS] = '\0';
	if (n != SECRET_CHARS || strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != SECRET_CHARS)
		status = secret_make(kept, path, text, err);
	if (status == NXV_OK && !(*out = text_dup(text)))
		status = error_nomem(err);
	explicit_bzero(text, sizeof(text));
	return status;
}

nxv_status kept_close(struct kept *kept, bool save, struct nxv_error *err)
{
	struct buf text = BUF_INIT;
	nxv_status status = NXV_OK;

	if (kept->fd < 0)
		return NXV_OK;
	if (save && kept->changed) {
		for (size_t i = 0; i < kept->count; i++)
			buf_printf(&text, "%s=%u\n", kept->ports[i].option, kept->ports[i].port);
		if (text.failed)
			status = error_nomem(err);
		else if (pwrite(kept->fd, text.data, text.len, 0) != (ssize_t)text.len || ftruncate(kept->fd, (off_t)text.len) != 0)
			status = error_errno(err, errno, "cannot write %s/ports", kept->run_dir);
	}
	buf_free(&text);
	close(kept->fd);
	kept->fd = -1;
	return status;
}
