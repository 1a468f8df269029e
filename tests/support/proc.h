/* proc.h - programs that a test starts: their output kept, waited for with deadlines, and gone when the test is,
 * however it ends. Also free ports and short temporary folders. */
#ifndef TEST_SUPPORT_PROC_H
#define TEST_SUPPORT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc;

/** First thing in main(): whatever this process started, and what they started, is killed when it ends or after
 * watchdog_seconds. */
void proc_guard(unsigned watchdog_seconds);

/** Start argv[0] (looked up on PATH). Output of both kinds goes to log_path, NULL: to a file of its own.
 * @param env_extra nullable NAME=VALUE list. NULL on failure. */
struct proc *proc_start(const char *const *argv, const char *log_path, const char *const *env_extra);
pid_t proc_pid(const struct proc *proc);
/** Exit status, 128 + signal, or -1 when it has not ended in time. */
int proc_wait(struct proc *proc, int timeout_ms);
void proc_signal(struct proc *proc, int sig);
/** What it has printed up to now; [owned]. */
char *proc_output(const struct proc *proc);
/** Wait for a text in its output. False when it did not come in time, or the program ended without it. */
bool proc_wait_output(struct proc *proc, const char *text, int timeout_ms);
/** SIGTERM, SIGKILL after timeout_ms; free. @return exit status as proc_wait(). NULL is allowed. */
int proc_stop(struct proc *proc, int timeout_ms);

/** Run to the end: output [owned], nullable, standard error apart in err (nullable). @return as proc_wait(). */
int proc_run(const char *const *argv, char **out, char **err, int timeout_ms);
/** True when the program is on PATH. */
bool proc_installed(const char *program);
/** The release of a SIP server that the tests shall run on: its program, from NXV_TEST_OPENSIPS or NXV_TEST_KAMAILIO; "": the one installed. */
const char *proc_sip_server(const char *name);

/** CPU time in ms and resident memory in KiB of a process, from /proc; 0 when it is gone. */
int64_t proc_cpu_ms(pid_t pid);
int64_t proc_rss_kib(pid_t pid);

/** A port that was free for UDP and TCP just now, as were the `count` - 1 after it; none is given twice, to whatever tests run
 * on this machine. */
unsigned proc_free_port(unsigned count);
/** A new folder with a short path, removed at the end unless NXV_TEST_KEEP is set. */
const char *proc_temp_dir(void);
/** Write a file. */
bool proc_write_file(const char *path, const char *text);
/** Read one; [owned], NULL on failure. */
char *proc_read_file(const char *path);

#endif
