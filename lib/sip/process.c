/* process.c - processes on Linux: posix_spawn (safe with threads), /proc for identity, pidfd for their end. */
#define _GNU_SOURCE
#include "sip/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { RUN_OUTPUT_MAX = 64 * 1024 };

static int set_actions(posix_spawn_file_actions_t *actions, const char *folder, int output)
{
	int errnum = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (!errnum)
		errnum = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
	if (!errnum)
		errnum = posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
	if (!errnum)
		errnum = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	if (!errnum)
		errnum = posix_spawn_file_actions_addchdir_np(actions, folder);
	return errnum;
}

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int errnum;

	sigfillset(&all);
	sigemptyset(&none);
	errnum = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (!errnum)
		errnum = posix_spawnattr_setsigdefault(attr, &all);
	if (!errnum)
		errnum = posix_spawnattr_setsigmask(attr, &none);
	return errnum;
}

nxv_status process_spawn(const char *program, const char *const *argv, const char *folder, int output, pid_t *pid,
	struct nxv_error *err)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *args[17];
	size_t count = 0;
	int errnum;

	for (; argv[count] && count < 16; count++)
		args[count] = (char *)(uintptr_t)argv[count]; /* execve() does not write to them */
	args[count] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	errnum = set_actions(&actions, folder, output);
	if (!errnum)
		errnum = set_attributes(&attr);
	if (!errnum)
		errnum = posix_spawn(pid, program, &actions, &attr, args, environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return errnum ? error_errno(err, errnum, "cannot start %s", program) : NXV_OK;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Read until the end of output, or the deadline. */
static bool drain(int fd, int64_t deadline, struct buf *output)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char chunk[4096];

	for (;;) {
		int64_t left = deadline - now_ms();
		ssize_t n;
		if (left <= 0)
			return false;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return true;
		if (n > 0 && output->len < RUN_OUTPUT_MAX)
			buf_append(output, chunk, (size_t)n);
	}
}

nxv_status process_run(const char *program, const char *const *argv, const char *folder, int timeout_ms, struct buf *output,
	int *exit_status, struct nxv_error *err)
{
	nxv_status status;
	int ends[2], wait_status = 0;
	bool ended;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_errno(err, errno, "cannot make a pipe");
	status = process_spawn(program, argv, folder, ends[1], &pid, err);
	close(ends[1]);
	if (status == NXV_OK) {
		ended = drain(ends[0], now_ms() + timeout_ms, output);
		if (!ended)
			process_kill_group(pid, SIGKILL);
		while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
			continue;
		*exit_status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
		if (!ended)
			status = error_set(err, NXV_E_TIMEOUT, "%s did not end within %d s", program, timeout_ms / 1000);
	}
	close(ends[0]);
	return status;
}

bool process_stat(pid_t pid, struct process_stat *out)
{
	char path[64], text[1024], *p;
	int group, session;
	long long start;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')'); /* the name before it may hold anything */
	if (!p || sscanf(p + 1, " %c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %lld", &out->state,
			  &group, &session, &start) != 4)
		return false;
	out->group = group;
	out->session = session;
	out->start = start;
	return true;
}

bool process_alive(pid_t pid, int64_t start)
{
	struct process_stat st;

	return pid > 0 && process_stat(pid, &st) && st.start == start && st.state != 'Z' && st.state != 'X';
}

bool process_exe(pid_t pid, char *out, size_t size)
{
	static const char deleted[] = " (deleted)"; /* replaced by an upgrade meanwhile */
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, out, size - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	if ((size_t)n > sizeof(deleted) && strcmp(out + n - (sizeof(deleted) - 1), deleted) == 0)
		out[(size_t)n - (sizeof(deleted) - 1)] = '\0';
	return true;
}

size_t process_leftovers(pid_t pid, const char *exe)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t count = 0;

	while (dir && (entry = readdir(dir))) {
		struct process_stat st;
		char other[256];
		int64_t number;
		if (!isdigit((unsigned char)entry->d_name[0]) || !text_int(entry->d_name, 1, INT32_MAX, &number))
			continue;
		if (!process_stat((pid_t)number, &st) || st.state == 'Z' || st.session != pid || st.group != pid)
			continue;
		if (process_exe((pid_t)number, other, sizeof(other)) && strcmp(other, exe) == 0)
			count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

int process_watch(pid_t pid)
{
	return pidfd_open(pid, 0);
}

bool process_reap(pid_t pid, int *wait_status)
{
	pid_t found;

	do
		found = waitpid(pid, wait_status, WNOHANG);
	while (found < 0 && errno == EINTR);
	return found == pid;
}

void process_kill_group(pid_t pid, int signum)
{
	if (pid > 1)
		kill(-pid, signum);
}
