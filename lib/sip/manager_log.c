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

enum { LOG_MAX = 8 * 1024 * 1024, LOG_KEEP = 256 * 1024, READ_MAX = 64 * 1024 };

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

/* Up to size - 1 bytes from offset on; a negative one counts from the end. @return [owned], NULL if unreadable. */
static char *read_part(const char *path, size_t size, int64_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(size);
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && text && fstat(fd, &st) == 0) {
		offset = offset < 0 ? (int64_t)st.st_size + offset : offset;
		n = pread(fd, text, size - 1, offset > 0 && offset < st.st_size ? (off_t)offset : 0);
	}
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
	end = read_part(path, LOG_KEEP, -(int64_t)LOG_KEEP + 1);
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
static const char *complaint(const char *line, size_t len, bool grave)
{
	static const char *const words[] = { "ALERT", "EMERG", "FATAL", "CRITICAL", "ERROR" };
	const char *first = NULL;

	for (size_t w = 0; w < (grave ? 3 : sizeof(words) / sizeof(words[0])); w++) {
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

static bool pick_complaint(const char *text, bool grave, const char *secret, char *out, size_t size)
{
	size_t len;

	for (const char *line = text; *line; line += len + (line[len] == '\n')) {
		const char *found;
		len = strcspn(line, "\n");
		found = complaint(line, len, grave);
		if (found) {
			copy_line(found, len - (size_t)(found - line), secret, out, size);
			return true;
		}
	}
	return false;
}

void server_log_pick(const char *text, bool had_run, const char *secret, char *out, size_t size)
{
	const char *last = text;
	size_t len;

	out[0] = '\0';
	if ((had_run && pick_complaint(text, true, secret, out, size)) || pick_complaint(text, false, secret, out, size) || had_run)
		return;
	for (const char *line = text; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (strspn(line, " \t\r") < len)
			last = line;
	}
	copy_line(last, strcspn(last, "\n"), secret, out, size);
}

int64_t server_log_size(const char *run_dir)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/server.log", run_dir);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

void server_log_words(const char *run_dir, const char *name, int64_t had_run, const char *secret, char *out, size_t size)
{
	char path[256], *text;

	out[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s", run_dir, name);
	text = read_part(path, READ_MAX, had_run < 0 ? 0 : had_run);
	if (text)
		server_log_pick(text, had_run >= 0, secret, out, size);
	free(text);
}
