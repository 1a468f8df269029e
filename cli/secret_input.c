/* secret_input.c - reads a secret from the terminal without echo, or from standard input. */
#include "secret_input.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "output.h"

bool secret_input_terminal(void)
{
	return isatty(STDIN_FILENO);
}

/* Read what is typed, or fail when a signal comes: also one that came just before. */
static ssize_t read_terminal(char *value, size_t size)
{
	sigset_t ending, before;
	fd_set input;
	ssize_t got = -1;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, &before);
	FD_ZERO(&input);
	FD_SET(STDIN_FILENO, &input);
	if (!app_interrupted() && pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, &before) == 1)
		got = read(STDIN_FILENO, value, size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return got;
}

/* One line, without echo. Ctrl-C must not leave the terminal mute, so it only ends the read. */
static int ask(const struct app *app, const char *prompt, const char *what, char *value)
{
	struct termios before, mute;
	ssize_t got;

	app_catch_signals();
	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return out_fail(app, RC_FAILED, "io", "cannot use the terminal: %s", strerror(errno));
	mute = before;
	mute.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	fprintf(stderr, "%s%s: ", prompt, what);
	fflush(stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &mute);
	got = read_terminal(value, SECRET_INPUT_MAX + 1);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (got <= 0 || app_interrupted())
		return out_fail(app, RC_FAILED, "interrupted", "nothing was entered; nothing was changed");
	if (value[got - 1] != '\n')
		return out_fail(app, RC_USAGE, "usage", "this is longer than %d bytes; nothing was changed", SECRET_INPUT_MAX);
	value[got - 1] = '\0';
	return RC_DONE;
}

static int ask_twice(const struct app *app, const char *what, char *value)
{
	char again[SECRET_INPUT_MAX + 1];
	int rc = ask(app, "", what, value);

	if (rc == RC_DONE)
		rc = ask(app, "Again, ", what, again);
	if (rc == RC_DONE && strcmp(value, again) != 0)
		rc = out_fail(app, RC_USAGE, "usage", "the two differ; nothing was changed");
	explicit_bzero(again, sizeof(again));
	return rc;
}

static int read_all(const struct app *app, const char *what, char *value)
{
	ssize_t got, len = 0;

	while (len <= SECRET_INPUT_MAX && (got = read(STDIN_FILENO, value + len, (size_t)(SECRET_INPUT_MAX + 1 - len))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return out_fail(app, RC_FAILED, "io", "cannot read standard input: %s", strerror(errno));
		len += got;
	}
	if (len > 0 && value[len - 1] == '\n')
		len--;
	if (len > SECRET_INPUT_MAX)
		return out_fail(app, RC_USAGE, "usage", "standard input holds more than %d bytes; nothing was changed", SECRET_INPUT_MAX);
	if (memchr(value, '\0', (size_t)len))
		return out_fail(app, RC_USAGE, "usage", "standard input holds a NUL; nothing was changed");
	value[len] = '\0';
	if (len == 0)
		return out_fail(app, RC_USAGE, "usage", "standard input is empty: it must hold the %s; nothing was changed", what);
	return RC_DONE;
}

int secret_input(const struct app *app, const char *what, bool twice, char *value)
{
	if (!secret_input_terminal())
		return read_all(app, what, value);
	return twice ? ask_twice(app, what, value) : ask(app, "", what, value);
}
