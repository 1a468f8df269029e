/* node.h - runs the Node programs of this folder for a test: packages installed first, output read line by line, and the
 * program ended with the test. A test that cannot have them is skipped visibly. */
#ifndef NXV_TESTS_TWILIO_NODE_H
#define NXV_TESTS_TWILIO_NODE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct node {
	pid_t pid;
	int input;    /* closing it ends the checker */
	FILE *output;
};

/* Call first in main(). Ends the program with 77 when there is no node, no npm or no way to the packages. */
static inline void node_require(void)
{
	int status;

	fflush(NULL);
	status = system("'" TWILIO_CHECKS "/install.sh' '" TWILIO_NPM "'");
	if (status != 0)
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	setenv("NODE_PATH", TWILIO_NPM "/node_modules", 1);
}

static inline void node_start(struct node *n, const char *script, const char *const *args)
{
	const char *argv[8] = { "node", script };
	int in[2], out[2];

	for (size_t i = 0; args[i] && i < 5; i++)
		argv[i + 2] = args[i];
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	n->pid = fork();
	assert_true(n->pid >= 0);
	if (n->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execvp("node", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	n->input = in[1];
	n->output = fdopen(out[0], "r");
	assert_non_null(n->output);
}

/* The next line without its end; NULL at the end. Valid until the next call. */
static inline const char *node_line(struct node *n)
{
	static char line[256 * 1024];

	if (!fgets(line, sizeof(line), n->output))
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Close its input, wait. Returns its exit status. */
static inline int node_end(struct node *n)
{
	int status = -1;

	close(n->input);
	while (node_line(n))
		;
	fclose(n->output);
	assert_int_equal(waitpid(n->pid, &status, 0), n->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
