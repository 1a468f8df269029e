/* proc.c - starting, watching and surely ending the programs of a test. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 64 };

struct proc {
	struct proc *next;
	pid_t pid;
	bool ended;
	int status;
	char log[256];
};

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };
	nanosleep(&ts, NULL);
}

/* SIGKILL the children of pid and all below them; only what a signal handler may call. */
static void kill_below(pid_t pid, int depth)
{
	char path[64], data[2048];
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, data, sizeof(data) - 1) : 0;
	if (fd >= 0) {
		close(fd);
	}
	data[n > 0 ? n : 0] = '\0';
	for (char *p = data; *p;) {
		pid_t child = (pid_t)strtol(p, &p, 10);
		if (child > 1) {
			if (depth < 8) {
				kill_below(child, depth + 1);
			}
			kill(child, SIGKILL);
		}
		while (*p == ' ') {
			p++;
		}
	}
}

static void kill_all(void)
{
	/* We adopt what our children leave behind (PR_SET_CHILD_SUBREAPER), so a second look finds the orphans. */
	for (int i = 0; i < 5; i++) {
		kill_below(getpid(), 0);
		while (waitpid(-1, NULL, WNOHANG) > 0) {
		}
		nap(5);
	}
}

static void on_signal(int sig)
{
	static const char late[] = "watchdog: the test took too long\n";
	if (sig == SIGALRM) {
		ssize_t n = write(STDERR_FILENO, late, sizeof(late) - 1);
		(void)n;
	}
	kill_all();
	signal(sig, SIG_DFL);
	raise(sig);
}

static pid_t guarded;
static const char *output_dir;
static struct proc *procs;

/* Programs that our programs left behind are ours to bury: a zombie would look alive to whoever adopts it. */
static void bury_strangers(void)
{
	siginfo_t info = { .si_pid = 0 };
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
		for (const struct proc *p = procs; p; p = p->next) {
			if (p->pid == info.si_pid && !p->ended) {
				return; /* its own turn comes */
			}
		}
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
}

static void at_end(void)
{
	if (getpid() == guarded) {
		kill_all();
	}
}

void proc_guard(unsigned watchdog_seconds)
{
	static const int signals[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGABRT };
	guarded = getpid();
	output_dir = proc_temp_dir(); /* before atexit(): folders go after the programs that use them */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], on_signal);
	}
	atexit(at_end);
	alarm(watchdog_seconds);
}

static void child(const char *const *argv, const char *out, const char *err, const char *const *env_extra)
{
	static const int signals[] = { SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGABRT, SIGPIPE };
	char *args[ARGS_MAX] = { NULL };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], SIG_DFL);
	}
	for (size_t i = 0; env_extra && env_extra[i]; i++) {
		putenv(strdup(env_extra[i]));
	}
	for (size_t i = 0; argv[i] && i < ARGS_MAX - 1; i++) {
		args[i] = strdup(argv[i]);
	}
	int in_fd = open("/dev/null", O_RDONLY), out_fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int err_fd = err ? open(err, O_WRONLY | O_CREAT | O_APPEND, 0600) : out_fd;
	if (in_fd >= 0 && out_fd >= 0 && err_fd >= 0 && dup2(in_fd, 0) >= 0 && dup2(out_fd, 1) >= 0 && dup2(err_fd, 2) >= 0) {
		for (int fd = 3; fd < 256; fd++) {
			close(fd);
		}
		execvp(args[0], args);
		fprintf(stderr, "cannot run %s: %s\n", args[0], strerror(errno));
	}
	_exit(127);
}

static struct proc *start(const char *const *argv, const char *out, const char *err, const char *const *env_extra)
{
	struct proc *proc = calloc(1, sizeof(*proc));
	if (!proc) {
		return NULL;
	}
	snprintf(proc->log, sizeof(proc->log), "%s", out);
	proc->pid = fork();
	if (proc->pid == 0) {
		child(argv, out, err, env_extra);
	}
	if (proc->pid < 0) {
		free(proc);
		return NULL;
	}
	setpgid(proc->pid, proc->pid);
	proc->next = procs;
	procs = proc;
	return proc;
}

static void forget(struct proc *proc)
{
	struct proc **link = &procs;
	while (*link && *link != proc) {
		link = &(*link)->next;
	}
	if (*link) {
		*link = proc->next;
	}
	free(proc);
}

static void own_file(char *path, size_t size, const char *kind)
{
	static unsigned serial;
	snprintf(path, size, "%s/p%u.%s", output_dir, ++serial, kind);
}

struct proc *proc_start(const char *const *argv, const char *log_path, const char *const *env_extra)
{
	char path[256];
	if (!log_path) {
		own_file(path, sizeof(path), "log");
	}
	return start(argv, log_path ? log_path : path, NULL, env_extra);
}

pid_t proc_pid(const struct proc *proc)
{
	return proc->pid;
}

static bool reap(struct proc *proc)
{
	int status;
	bury_strangers();
	if (!proc->ended && waitpid(proc->pid, &status, WNOHANG) == proc->pid) {
		proc->ended = true;
		proc->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return proc->ended;
}

int proc_wait(struct proc *proc, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	while (!reap(proc)) {
		if (now_ms() >= deadline) {
			return -1;
		}
		nap(3);
	}
	return proc->status;
}

void proc_signal(struct proc *proc, int sig)
{
	if (!reap(proc)) {
		kill(proc->pid, sig);
	}
}

char *proc_output(const struct proc *proc)
{
	char *text = proc_read_file(proc->log);
	return text ? text : strdup("");
}

bool proc_wait_output(struct proc *proc, const char *text, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	for (;;) {
		bool ended = reap(proc);
		char *output = proc_output(proc);
		bool found = strstr(output, text) != NULL;
		free(output);
		if (found || ended || now_ms() >= deadline) {
			return found;
		}
		nap(5);
	}
}

int proc_stop(struct proc *proc, int timeout_ms)
{
	if (!proc) {
		return 0;
	}
	proc_signal(proc, SIGTERM);
	int status = proc_wait(proc, timeout_ms);
	if (status < 0) {
		kill(-proc->pid, SIGKILL);
		proc_wait(proc, 2000);
	}
	forget(proc);
	return status;
}

int proc_run(const char *const *argv, char **out, char **err, int timeout_ms)
{
	char out_path[256], err_path[256];
	own_file(out_path, sizeof(out_path), "out");
	own_file(err_path, sizeof(err_path), "err");
	struct proc *proc = start(argv, out_path, err_path, NULL);
	int status = proc ? proc_wait(proc, timeout_ms) : -1;
	if (proc) {
		if (status < 0) {
			kill(-proc->pid, SIGKILL);
			proc_wait(proc, 2000);
		}
		forget(proc);
	}
	if (out) {
		*out = proc_read_file(out_path);
		*out = *out ? *out : strdup("");
	}
	if (err) {
		*err = proc_read_file(err_path);
		*err = *err ? *err : strdup("");
	}
	unlink(out_path);
	unlink(err_path);
	return status;
}
