/* manager_log.c - the SIP server's own log file: opened anew for each start, cut when it grows, read for its last words. */
#include "sip/manager_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { LOG_MAX = 8 * 1024 * 1024, LOG_KEEP = 256 * 1024, READ_MAX = 64 * 1024, END_MAX = 4 * 1024 };

nxv_status server_log_open(const char *run_dir, int *fd, struct nxv_error *err)
{
	char path[256], old[264];

	snprintf(path, sizeof(path), "%s/server.log", run_dir);
	snprintf(old, sizeof(old), "%s.1", path);
	if (rename(path, old) != 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot rename %s", path);
	*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return *fd < 0 ? error_errno(err, errno, "cannot create %s", path) : NXV_OK;
}

/* Up to size - 1 bytes from offset on, or from size - 1 bytes before the end. @return [owned], NULL if unreadable. */
static char *read_part(const char *path, size_t size, bool at_end)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(size);
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && text && fstat(fd, &st) == 0)
		n = pread(fd, text, size - 1, at_end && st.st_size > (off_t)size - 1 ? st.st_size - ((off_t)size - 1) : 0);
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

void server_log_trim(const char *run_dir)
{
	char path[256], old[264], *end;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/server.log", run_dir);
	snprintf(old, sizeof(old), "%s.1", path);
	if (stat(path, &st) != 0 || st.st_size <= LOG_MAX)
		return;
	end = read_part(path, LOG_KEEP, true);
	fd = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0 && end) {
		ssize_t n = write(fd, end, strlen(end));
		(void)n; /* the older half of a log: losing it harms nobody */
	}
	if (fd >= 0)
		close(fd);
	free(end);
	if (truncate(path, 0) != 0)
		return; /* tried again at the next look */
}

/* Where the server names the weight of a line that matters; NULL for any other line. */
static const char *complaint(const char *line, size_t len)
{
	static const char *const words[] = { "ERROR", "CRITICAL", "ALERT", "EMERG", "FATAL" };
	const char *first = NULL;

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t n = strlen(words[w]);
		for (size_t i = 0; i + n < len; i++)
			if (memcmp(line + i, words[w], n) == 0 && (line[i + n] == ':' || line[i + n] == ' ') &&
				(!first || line + i < first))
				first = line + i;
	}
	return first;
}

static void copy_line(const char *line, size_t len, const char *secret, char *out, size_t size)
{
	char *hit;

	if (len >= size)
		len = size - 1;
	memcpy(out, line, len);
	out[len] = '\0';
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	while (secret && *secret && (hit = strstr(out, secret)))
		memset(hit, '*', strlen(secret));
}

void server_log_pick(const char *text, bool any, const char *secret, char *out, size_t size)
{
	const char *last = NULL, *found;
	size_t last_len = 0, len;

	out[0] = '\0';
	for (const char *line = text; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		found = complaint(line, len);
		if (found) {
			copy_line(found, len - (size_t)(found - line), secret, out, size);
			return;
		}
		if (strspn(line, " \t\r") < len) {
			last = line;
			last_len = len;
		}
	}
	if (last && any)
		copy_line(last, last_len, secret, out, size);
}

void server_log_words(const char *run_dir, const char *name, bool at_end, const char *secret, char *out, size_t size)
{
	char path[256], *text;

	out[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", run_dir, name);
	text = read_part(path, at_end ? END_MAX : READ_MAX, at_end);
	if (text)
		server_log_pick(text, !at_end, secret, out, size);
	free(text);
}
