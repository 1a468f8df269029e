/* server.c - the table of drivers, where their programs are, and which version a program is. */
#include "sip/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/kamailio/kamailio.h"
#include "sip/opensips/opensips.h"

const struct sip_driver *const sip_drivers[] = { &opensips_driver, &kamailio_driver, NULL };

/* The library reads no environment, so PATH is the usual one. */
static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

enum { VERSION_WAIT_MS = 5000 };

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool find_program(const struct sip_driver *driver, const char *binary, char *path, size_t size)
{
	char candidate[512];
	const char *base;

	if (binary && *binary) {
		base = strrchr(binary, '/');
		base = base ? base + 1 : binary;
		return is_program(binary) && strncmp(base, driver->program, strlen(driver->program)) == 0 && text_copy(path, size, binary);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(candidate, sizeof(candidate), "%s/%s", folders[i], driver->program);
		if (is_program(candidate) && text_copy(path, size, candidate))
			return true;
	}
	return false;
}

const struct sip_driver *sip_driver_find(const char *name, const char *binary, char *path, size_t path_size)
{
	const bool any = strcmp(name, "auto") == 0;
	char unused[512];

	if (!path) {
		path = unused;
		path_size = sizeof(unused);
	}
	for (size_t i = 0; sip_drivers[i]; i++) {
		if (!any && strcmp(sip_drivers[i]->name, name) != 0)
			continue;
		if (find_program(sip_drivers[i], binary, path, path_size))
			return sip_drivers[i];
		/* Named by hand: a program may have any file name. */
		if (!any && binary && *binary && is_program(binary) && text_copy(path, path_size, binary))
			return sip_drivers[i];
	}
	return NULL;
}

/* Run the program and take what it prints; it ends by itself at once, or is killed. */
static nxv_status run_program(const char *path, const char *flag, char *out, size_t size, struct nxv_error *err)
{
	char *const argv[] = { (char *)path, (char *)flag, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], errnum;
	size_t used = 0;
	pid_t pid;

	if (pipe(ends) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	errnum = posix_spawn(&pid, path, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (errnum) {
		close(ends[0]);
		return error_errno(err, errnum, "cannot run %.200s", path);
	}
	while (used + 1 < size) {
		struct pollfd pfd = { .fd = ends[0], .events = POLLIN };
		ssize_t n = poll(&pfd, 1, VERSION_WAIT_MS) > 0 ? read(ends[0], out + used, size - 1 - used) : -1;

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	out[used] = '\0';
	close(ends[0]);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return NXV_OK;
}

nxv_status sip_driver_version(const struct sip_driver *driver, const char *path, char *out, size_t size, struct nxv_error *err)
{
	const char *flag = driver == &kamailio_driver ? "-v" : "-V";
	char text[4096], *at;
	nxv_status status = run_program(path, flag, text, sizeof(text), err);

	if (status != NXV_OK)
		return status;
	at = strstr(text, driver->program);
	at = at ? at + strlen(driver->program) : NULL;
	at = at ? at + strspn(at, " ") : NULL;
	if (!at || *at < '0' || *at > '9')
		return error_set(err, NXV_E_UNSUPPORTED, "%.200s does not say which version of %s it is", path, driver->program);
	snprintf(out, size, "%.*s", (int)strspn(at, "0123456789."), at);
	return NXV_OK;
}
