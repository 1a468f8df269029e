/* nexusctl_run.h - for the tests of nexusctl: run it in a state folder of the test's own, look at what it printed. */
#ifndef TEST_NEXUSCTL_RUN_H
#define TEST_NEXUSCTL_RUN_H

#include <json-c/json.h>

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGS_MAX = 32, OUTPUT_MAX = 256 * 1024, DEADLINE_S = 20 };

static char dir[] = "/tmp/nexusctl-test.XXXXXX";
static char state[64];
static char out[OUTPUT_MAX], err[OUTPUT_MAX];

static inline void read_output(const char *path, char *text)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, OUTPUT_MAX - 1, f)] = '\0';
	fclose(f);
}

static inline void redirect(int fd, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (to < 0 || dup2(to, fd) < 0)
		_exit(99);
}

/* Run nexusctl with these arguments; what it printed is then in out and err. @return its exit status. */
static inline int run_args(const char *const *args)
{
	char out_path[96], err_path[96];
	int status = 0;

	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	snprintf(err_path, sizeof(err_path), "%s/err", dir);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		union {
			const char *const *in;
			char *const *out;
		} argv = { .in = args };
		redirect(STDOUT_FILENO, out_path);
		redirect(STDERR_FILENO, err_path);
		alarm(DEADLINE_S);
		execv(NEXUSCTL, argv.out);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_output(out_path, out);
	read_output(err_path, err);
	if (!WIFEXITED(status))
		fail_msg("nexusctl ended by signal %d: %s", WTERMSIG(status), err);
	return WEXITSTATUS(status);
}

/* nexusctl --state <the test's folder> and the words of a command, NULL-ended. */
static inline int run(const char *word, ...)
{
	const char *args[ARGS_MAX] = { "nexusctl", "--state", state };
	int n = 3;
	va_list more;

	va_start(more, word);
	for (; word && n < ARGS_MAX - 1; word = va_arg(more, const char *))
		args[n++] = word;
	va_end(more);
	return run_args(args);
}

static inline void expect(int status, int expected)
{
	if (status != expected)
		fail_msg("exit status %d instead of %d\nout: %s\nerr: %s", status, expected, out, err);
}

static inline void expect_in(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in: %s", words, text);
}

/* What was printed, as JSON; the caller puts it. */
static inline struct json_object *json_of(const char *text)
{
	struct json_object *obj = json_tokener_parse(text);

	if (!obj)
		fail_msg("no JSON: %s", text);
	return obj;
}

static inline const char *text_of(struct json_object *obj, const char *member)
{
	const char *text = json_object_get_string(json_object_object_get(obj, member));

	if (!text)
		fail_msg("no %s in %s", member, json_object_to_json_string(obj));
	return text;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void remove_state(void)
{
	nftw(state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int new_state(void **unused)
{
	(void)unused;
	remove_state();
	return run("init", NULL) == 0 ? 0 : -1;
}

static inline int no_state(void **unused)
{
	(void)unused;
	remove_state();
	return 0;
}

static inline int setup(void **unused)
{
	(void)unused;
	unsetenv("NEXUSVOIP_STATE");
	if (!mkdtemp(dir))
		return -1;
	snprintf(state, sizeof(state), "%s/state", dir);
	return 0;
}

static inline int teardown(void **unused)
{
	(void)unused;
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A state folder for all cases together. */
static inline int setup_with_state(void **unused)
{
	return setup(unused) == 0 ? new_state(unused) : -1;
}

#endif
