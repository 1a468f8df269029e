/* process.h - starting, recognising and ending the SIP server's processes. */
#ifndef NXV_SIP_PROCESS_H
#define NXV_SIP_PROCESS_H

#include <nexusvoip/types.h>
#include <sys/types.h>

#include "base/buf.h"

/** What /proc says of a process. */
struct process_stat {
	char state;     /**< 'R', 'S', ... 'Z' for a dead one that nobody has collected */
	pid_t group, session;
	int64_t start;  /**< ticks since boot: pid and start together name a process for good */
};

/**
 * Start program in a session (and process group) of its own: no terminal, clean signals, nothing of the host's
 * descriptors or environment, standard input empty, both outputs to `output`. Safe in a program with threads.
 */
nxv_status process_spawn(const char *program, const char *const *argv, const char *folder, int output, pid_t *pid, struct nxv_error *err);
/** Run to the end, at most timeout_ms; then it is killed and NXV_E_TIMEOUT given. @param output what it printed, bounded. */
nxv_status process_run(const char *program, const char *const *argv, const char *folder, int timeout_ms, struct buf *output, int *exit_status, struct nxv_error *err);

/** False when there is no such process. */
bool process_stat(pid_t pid, struct process_stat *out);
/** True while it runs (a zombie does not). */
bool process_alive(pid_t pid, int64_t start);
/** The program file behind a process; false when it is gone. */
bool process_exe(pid_t pid, char *out, size_t size);
/** Live members of the session that pid once led whose program is exe. */
size_t process_leftovers(pid_t pid, const char *exe);
/** A descriptor that becomes readable when the process ends, also for one that is not our child; -1 with errno. */
int process_watch(pid_t pid);
/** Collect a dead child without waiting. @return false when it was no child of ours; *wait_status as of waitpid(). */
bool process_reap(pid_t pid, int *wait_status);
/** Signal its whole group. */
void process_kill_group(pid_t pid, int signum);

#endif
