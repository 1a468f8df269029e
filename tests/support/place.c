/* place.c - where tests happen: temporary folders, files, free ports, and what /proc says of a process. */
#include "proc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DIRS_MAX = 32, PORT_FIRST = 20000, PORT_LAST = 32000 };

static char dirs[DIRS_MAX][32];
static size_t dir_count;
static pid_t dir_owner;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_dirs(void)
{
	for (size_t i = 0; getpid() == dir_owner && i < dir_count && !getenv("NXV_TEST_KEEP"); i++) {
		nftw(dirs[i], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

const char *proc_temp_dir(void)
{
	if (dir_count == DIRS_MAX) {
		return "/tmp";
	}
	if (dir_count == 0) {
		dir_owner = getpid();
		atexit(remove_dirs);
	}
	snprintf(dirs[dir_count], sizeof(dirs[0]), "/tmp/nxv.XXXXXX");
	return mkdtemp(dirs[dir_count]) ? dirs[dir_count++] : "/tmp";
}

static bool is_free(int type, unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;
	if (type == SOCK_STREAM) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); /* connections in TIME_WAIT are no hindrance */
	}
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

/* Take the port's name, until this process and its children end: what looks free to one test may be given to another,
 * whose program has not bound it yet. */
static bool is_ours(unsigned port)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* the first byte stays 0: a name, not a file */
	int len = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "nxv-test-port-%u", port);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0) {
		return true;
	}
	if (fd >= 0) {
		close(fd);
	}
	return false;
}

unsigned proc_free_port(unsigned count)
{
	static unsigned next;
	if (next == 0) {
		struct timespec ts;
		clock_gettime(CLOCK_REALTIME, &ts);
		next = PORT_FIRST + (unsigned)(ts.tv_nsec / 1000 + getpid() * 97) % (PORT_LAST - PORT_FIRST);
	}
	for (unsigned tried = 0; tried < PORT_LAST - PORT_FIRST; tried++, next++) {
		next = next + count > PORT_LAST ? PORT_FIRST : next;
		unsigned ok = 0;
		while (ok < count && is_ours(next + ok) && is_free(SOCK_DGRAM, next + ok) && is_free(SOCK_STREAM, next + ok)) {
			ok++;
		}
		if (ok == count) {
			unsigned port = next;
			next += count;
			return port;
		}
	}
	return 0;
}

bool proc_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f) {
		return false;
	}
	bool ok = fputs(text, f) >= 0;
	return fclose(f) == 0 && ok;
}

char *proc_read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t size = 4096, len = 0, n;
	char *text = f ? malloc(size) : NULL;
	while (text && (n = fread(text + len, 1, size - len - 1, f)) > 0) {
		len += n;
		if (len + 1 == size) {
			size *= 2;
			text = realloc(text, size);
		}
	}
	if (text) {
		text[len] = '\0';
	}
	if (f) {
		fclose(f);
	}
	return text;
}

const char *proc_sip_server(const char *name)
{
	const char *path = getenv(strcmp(name, "opensips") == 0 ? "NXV_TEST_OPENSIPS" : "NXV_TEST_KAMAILIO");
	return path ? path : "";
}

bool proc_installed(const char *program)
{
	if (strcmp(program, "opensips") == 0 || strcmp(program, "kamailio") == 0) {
		const char *chosen = proc_sip_server(program);
		if (chosen[0]) {
			return access(chosen, X_OK) == 0;
		}
	}
	const char *path = getenv("PATH");
	char copy[4096], file[4400];
	snprintf(copy, sizeof(copy), "%s:/usr/local/sbin:/usr/sbin", path ? path : "");
	char *save = NULL;
	for (char *dir = strtok_r(copy, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/%s", dir, program);
		if (access(file, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

int64_t proc_cpu_ms(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	char *text = proc_read_file(path);
	const char *p = text ? strrchr(text, ')') : NULL;
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
		user = system = 0;
	}
	free(text);
	return (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

int64_t proc_rss_kib(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	char *text = proc_read_file(path);
	const char *p = text ? strstr(text, "VmRSS:") : NULL;
	long kib = p ? strtol(p + 6, NULL, 10) : 0;
	free(text);
	return kib;
}
