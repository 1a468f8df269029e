/* manager_record.c - the pid file and the manager's lock. A pid alone proves nothing: it is trusted only together
 * with the process's start time and the kernel's boot id. */
#include "sip/manager_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static bool read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	return true;
}

static void boot_id(char *out, size_t size)
{
	if (!read_text("/proc/sys/kernel/random/boot_id", out, size))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

nxv_status record_of(pid_t pid, const char *driver, const char *config, struct server_record *out, struct nxv_error *err)
{
	struct process_stat st;

	memset(out, 0, sizeof(*out));
	out->pid = pid;
	boot_id(out->boot, sizeof(out->boot));
	text_copy(out->driver, sizeof(out->driver), driver);
	text_copy(out->config, sizeof(out->config), config);
	if (!process_stat(pid, &st))
		return error_set(err, NXV_E_IO, "process %d vanished, or /proc is not mounted", (int)pid);
	out->start = st.start;
	if (!process_exe(pid, out->exe, sizeof(out->exe)))
		out->exe[0] = '\0'; /* ended already */
	return NXV_OK;
}

nxv_status record_save(const char *run_dir, const struct server_record *rec, struct nxv_error *err)
{
	char path[256], temp[264], text[512];
	nxv_status status = NXV_OK;
	int fd, n;

	snprintf(path, sizeof(path), "%s/server.pid", run_dir);
	snprintf(temp, sizeof(temp), "%s.new", path);
	n = snprintf(text, sizeof(text), "pid=%d\nstart=%lld\nboot=%s\nexe=%s\ndriver=%s\nconfig=%s\n", (int)rec->pid,
		(long long)rec->start, rec->boot, rec->exe, rec->driver, rec->config);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot create %s", temp);
	if (write(fd, text, (size_t)n) != n || rename(temp, path) != 0)
		status = error_errno(err, errno, "cannot write %s", path);
	close(fd);
	return status;
}

static void take(struct server_record *rec, const char *name, const char *value)
{
	int64_t number;

	if (strcmp(name, "pid") == 0 && text_int(value, 2, INT32_MAX, &number))
		rec->pid = (pid_t)number;
	else if (strcmp(name, "start") == 0 && text_int(value, 0, INT64_MAX, &number))
		rec->start = number;
	else if (strcmp(name, "boot") == 0)
		text_copy(rec->boot, sizeof(rec->boot), value);
	else if (strcmp(name, "exe") == 0)
		text_copy(rec->exe, sizeof(rec->exe), value);
	else if (strcmp(name, "driver") == 0)
		text_copy(rec->driver, sizeof(rec->driver), value);
	else if (strcmp(name, "config") == 0)
		text_copy(rec->config, sizeof(rec->config), value);
}

bool record_load(const char *run_dir, struct server_record *out)
{
	char path[256], text[1024], *save = NULL;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%s/server.pid", run_dir);
	if (!read_text(path, text, sizeof(text)))
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals = '\0';
		take(out, line, equals + 1);
	}
	return out->pid > 1 && out->start > 0;
}

void record_remove(const char *run_dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/server.pid", run_dir);
	unlink(path);
}

static bool same_boot(const struct server_record *rec)
{
	char now[40];

	boot_id(now, sizeof(now));
	return strcmp(now, rec->boot) == 0;
}

bool record_running(const struct server_record *rec)
{
	return same_boot(rec) && process_alive(rec->pid, rec->start);
}

bool record_orphans(const struct server_record *rec)
{
	struct process_stat st;

	if (!same_boot(rec) || !rec->exe[0])
		return false;
	/* A pid is not given out again while a group of that number lives: another process under it proves the group gone. */
	if (process_stat(rec->pid, &st) && (st.start != rec->start || st.state != 'Z'))
		return false;
	return process_leftovers(rec->pid, rec->exe) > 0;
}

nxv_status record_lock(const char *run_dir, int *fd, struct nxv_error *err)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/manager.lock", run_dir);
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return NXV_OK;
	close(*fd);
	*fd = -1;
	return error_set(err, NXV_E_BUSY, "another process is starting or stopping the SIP server; try again in a moment");
}
