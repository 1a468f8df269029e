/* test_nexusctl_secrets.c - `nexusctl secrets`: in by standard input or a terminal, out never. */
#define _XOPEN_SOURCE 700 /* nftw(), posix_openpt() */

#include <nexusvoip/nexusvoip.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "nexusctl_run.h"

#define SECRET "hush-5f1d-never-shown"
#define PASSPHRASE "correct horse battery"

/* Run with this on standard input. */
static int run_with(const char *input, const char *const *args)
{
	char path[96];
	FILE *file;
	int before = dup(STDIN_FILENO), fd, rc;

	snprintf(path, sizeof(path), "%s/in", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(input, file);
	fclose(file);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);
	rc = run_args(args);
	assert_true(dup2(before, STDIN_FILENO) == STDIN_FILENO);
	close(before);
	unlink(path);
	if (strstr(out, SECRET) || strstr(err, SECRET))
		fail_msg("the secret is shown: %s%s", out, err);
	return rc;
}
#define RUN(input, ...) run_with(input, (const char *const[]){ "nexusctl", "--verbose", "--state", state, __VA_ARGS__, NULL })

static bool holds(const char *name, const char *text)
{
	static char data[4 * 1024 * 1024];
	char path[128];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", state, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	for (size_t i = 0; i + strlen(text) <= len; i++)
		if (memcmp(data + i, text, strlen(text)) == 0)
			return true;
	return false;
}

static void secret_goes_in_by_standard_input_and_comes_out_nowhere(void **unused)
{
	struct stat st;
	char path[128];

	(void)unused;
	expect(RUN(SECRET "\n", "secrets", "set", "twilio.auth_token"), 0);
	expect_in(out, "stored twilio.auth_token");
	expect_in(err, "sealed by a key file now");
	expect(RUN("", "secrets", "list"), 0);
	expect_in(out, "twilio.auth_token");
	expect_in(out, "store");
	expect(RUN("", "secrets", "list", "--json"), 0);
	struct json_object *list = json_of(out);
	struct json_object *first = json_object_array_get_idx(list, 0);
	assert_string_equal(text_of(first, "name"), "twilio.auth_token");
	assert_string_equal(text_of(first, "source"), "store");
	text_of(first, "setAt");
	text_of(first, "sealedBy");
	json_object_put(list);
	expect(RUN("", "config", "list", "--json"), 0);
	expect(RUN("", "secrets", "check"), 0);
	expect_in(out, "every stored secret opens with the key");
	expect(RUN("", "sip", "render"), 0);
	assert_false(holds("nexusvoip.db", SECRET));
	assert_false(holds("nexusvoip.db-wal", SECRET));
	snprintf(path, sizeof(path), "%s/secrets.key", state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void secret_in_the_environment_is_listed_as_there_and_never_shown(void **unused)
{
	(void)unused;
	setenv("NEXUSVOIP_TRUNK_PASSWORD", SECRET, 1);
	expect(RUN("", "secrets", "list"), 0);
	expect_in(out, "environment");
	expect(RUN("", "config", "list"), 0);
	expect(RUN("", "config", "list", "--json"), 0);
	expect(RUN("", "sip", "render"), 0);
	expect(RUN("", "health"), 5);
	setenv("NEXUSVOIP_TRUNK_PASSWORD", SECRET "\n", 1); /* a wrong one is not shown either */
	expect(RUN("", "secrets", "list"), 1);
	expect_in(err, "NEXUSVOIP_TRUNK_PASSWORD: this secret cannot be used");
	unsetenv("NEXUSVOIP_TRUNK_PASSWORD");
	assert_false(holds("nexusvoip.db", SECRET));
	assert_false(holds("nexusvoip.db-wal", SECRET));
}

static void secret_as_an_argument_is_refused_and_not_repeated(void **unused)
{
	(void)unused;
	expect(RUN("", "secrets", "set", "trunk.password", SECRET), 2);
	expect_in(err, "never given as an argument");
	expect_in(err, "standard input");
	expect(RUN("", "secrets", "set", "trunk.password=" SECRET), 2);
	expect_in(err, "never given as an argument");
	expect(RUN("", "secrets", "set", "trunk.password", "-" SECRET), 2);
	expect_in(err, "never given as an argument");
	expect(RUN("", "--set", "trunk.password=" SECRET, "secrets", "list"), 2);
	expect(RUN("", "secrets", "set", "trunk.password", "--value=" SECRET), 2);
	expect(RUN("", "secrets", "list"), 0);
	assert_null(strstr(out, "trunk.password  store"));
}

static void wrong_input_changes_nothing(void **unused)
{
	static char big[1100];

	(void)unused;
	memset(big, 'x', sizeof(big) - 1);
	expect(RUN("", "secrets", "set", "trunk.password"), 2);
	expect_in(err, "standard input is empty");
	expect(RUN("two\nlines\n", "secrets", "set", "trunk.password"), 2);
	expect_in(err, "on one line");
	expect(RUN(big, "secrets", "set", "trunk.password"), 2);
	expect_in(err, "more than 1024 bytes");
	expect(RUN(SECRET, "secrets", "set", "trunk.pasword"), 2);
	expect_in(err, "twilio.auth_token, twilio.api_key_secret or trunk.password");
	expect(RUN("", "secrets", "unset", "trunk.password"), 3);
}

static void secret_in_a_configuration_file_is_refused_with_the_way_out(void **unused)
{
	char path[128];
	FILE *file;

	(void)unused;
	snprintf(path, sizeof(path), "%s/nexusvoip.conf", state);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("[twilio]\nauth_token = " SECRET "\n", file);
	fclose(file);
	expect(RUN("", "keys", "list"), 1);
	expect_in(err, ":2: twilio.auth_token is a secret");
	expect_in(err, "nexusctl secrets set twilio.auth_token");
	unlink(path);
}

static void passphrase_in_the_environment_seals_and_a_wrong_one_is_refused(void **unused)
{
	(void)unused;
	setenv("NEXUSVOIP_SECRETS_PASSPHRASE", PASSPHRASE, 1);
	expect(RUN(SECRET, "secrets", "set", "twilio.auth_token"), 0);
	expect_in(err, "sealed by the passphrase now");
	expect(RUN("", "secrets", "check"), 0);
	expect(RUN("", "config", "list"), 0);
	assert_null(strstr(out, PASSPHRASE));
	setenv("NEXUSVOIP_SECRETS_PASSPHRASE", "wrong horse", 1);
	expect(RUN("other", "secrets", "set", "twilio.auth_token"), 4);
	expect_in(err, "this is not the passphrase that sealed the secrets; nothing was changed");
	assert_null(strstr(err, "wrong horse"));
	unsetenv("NEXUSVOIP_SECRETS_PASSPHRASE");
	expect(RUN("other", "secrets", "set", "twilio.auth_token"), 4);
	expect_in(err, "NEXUSVOIP_SECRETS_PASSPHRASE, secrets.passphrase_file or the systemd credential");
	expect(RUN("", "keys", "list"), 0); /* what needs no secret works without the passphrase */
	setenv("NEXUSVOIP_SECRETS_PASSPHRASE", PASSPHRASE, 1);
	expect(RUN("", "secrets", "check"), 0);
	expect(RUN("another horse\n", "secrets", "rotate"), 0);
	expect(RUN("", "secrets", "check"), 4);
	setenv("NEXUSVOIP_SECRETS_PASSPHRASE", "another horse", 1);
	expect(RUN("", "secrets", "check"), 0);
	expect(RUN("", "secrets", "rotate", "--to", "key"), 0);
	unsetenv("NEXUSVOIP_SECRETS_PASSPHRASE");
	expect(RUN("", "secrets", "check"), 0);
	expect_in(out, "with the key seal_");
}

/* --- a terminal --- */

struct dialog {
	pid_t pid;
	int terminal, errors;
	char seen[4096]; /* what nexusctl asked */
};

static void start_dialog(struct dialog *d, const char *const *args)
{
	int ends[2];

	*d = (struct dialog){ .terminal = posix_openpt(O_RDWR | O_NOCTTY) };
	assert_true(d->terminal >= 0 && grantpt(d->terminal) == 0 && unlockpt(d->terminal) == 0);
	assert_int_equal(pipe(ends), 0);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0) {
		union {
			const char *const *in;
			char *const *out;
		} argv = { .in = args };
		int slave = open(ptsname(d->terminal), O_RDWR | O_NOCTTY);
		dup2(slave, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		alarm(DEADLINE_S);
		execv(NEXUSCTL, argv.out);
		_exit(98);
	}
	close(ends[1]);
	d->errors = ends[0];
}

/* Wait until it has said these words, often enough. */
static void wait_for(struct dialog *d, const char *words, int times)
{
	for (;;) {
		struct pollfd ready = { .fd = d->errors, .events = POLLIN };
		size_t len = strlen(d->seen);
		int found = 0;
		ssize_t got;

		for (const char *at = d->seen; (at = strstr(at, words)); at++)
			found++;
		if (found >= times)
			return;
		if (poll(&ready, 1, DEADLINE_S * 1000) != 1 || (got = read(d->errors, d->seen + len, sizeof(d->seen) - 1 - len)) <= 0)
			fail_msg("nexusctl did not say \"%s\" %d times: %s", words, times, d->seen);
	}
}

static void type(struct dialog *d, const char *line)
{
	struct timespec pause = { .tv_nsec = 100000000 }; /* between the prompt and the terminal that is mute: an echo would show below */

	nanosleep(&pause, NULL);
	assert_int_equal(write(d->terminal, line, strlen(line)), strlen(line));
}

static int end_dialog(struct dialog *d)
{
	char echoed[512] = "";
	struct pollfd ready = { .fd = d->terminal, .events = POLLIN };
	size_t len = strlen(d->seen);
	ssize_t got;
	int status;

	while (len < sizeof(d->seen) - 1 && (got = read(d->errors, d->seen + len, sizeof(d->seen) - 1 - len)) > 0)
		len += (size_t)got;
	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	if (poll(&ready, 1, 0) == 1 && (got = read(d->terminal, echoed, sizeof(echoed) - 1)) > 0)
		assert_null(strstr(echoed, "hush"));
	close(d->terminal);
	close(d->errors);
	assert_null(strstr(d->seen, "hush"));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
#define START(d, ...) start_dialog(d, (const char *const[]){ "nexusctl", "--state", state, __VA_ARGS__, NULL })

static void terminal_is_asked_twice_without_echo(void **unused)
{
	char path[64], cmdline[512] = "";
	struct dialog d;
	FILE *file;

	(void)unused;
	START(&d, "secrets", "set", "trunk.password");
	wait_for(&d, "trunk.password: ", 1);
	type(&d, SECRET "\n");
	wait_for(&d, "trunk.password: ", 2);
	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)d.pid);
	file = fopen(path, "r");
	assert_non_null(file);
	for (size_t i = 0, len = fread(cmdline, 1, sizeof(cmdline) - 1, file); i < len; i++)
		cmdline[i] = cmdline[i] ? cmdline[i] : ' ';
	fclose(file);
	expect_in(cmdline, "secrets set trunk.password");
	assert_null(strstr(cmdline, SECRET));
	type(&d, SECRET "\n");
	assert_int_equal(end_dialog(&d), 0);
	expect_in(d.seen, "stored trunk.password");
	expect(RUN("", "secrets", "check"), 0);
}

static void two_that_differ_and_an_interrupt_change_nothing(void **unused)
{
	struct dialog d;

	(void)unused;
	START(&d, "secrets", "set", "trunk.password");
	wait_for(&d, "trunk.password: ", 1);
	type(&d, SECRET "\n");
	wait_for(&d, "trunk.password: ", 2);
	type(&d, SECRET "x\n");
	assert_int_equal(end_dialog(&d), 2);
	expect_in(d.seen, "the two differ; nothing was changed");
	START(&d, "secrets", "set", "trunk.password");
	wait_for(&d, "trunk.password: ", 1);
	kill(d.pid, SIGINT);
	assert_int_equal(end_dialog(&d), 1);
	expect_in(d.seen, "nothing was changed");
	expect(RUN("", "secrets", "unset", "trunk.password"), 3);
}

static void passphrase_that_is_missing_is_asked_for(void **unused)
{
	struct dialog d;

	(void)unused;
	setenv("NEXUSVOIP_SECRETS_PASSPHRASE", PASSPHRASE, 1);
	expect(RUN(SECRET, "secrets", "set", "twilio.auth_token"), 0);
	unsetenv("NEXUSVOIP_SECRETS_PASSPHRASE");
	START(&d, "secrets", "check");
	wait_for(&d, "passphrase that seals the secrets: ", 1);
	type(&d, "wrong\n");
	assert_int_equal(end_dialog(&d), 4);
	expect_in(d.seen, "this is not the passphrase");
	START(&d, "secrets", "check");
	wait_for(&d, "passphrase that seals the secrets: ", 1);
	type(&d, PASSPHRASE "\n");
	assert_int_equal(end_dialog(&d), 0);
	expect_in(d.seen, "every stored secret opens with the passphrase");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(secret_goes_in_by_standard_input_and_comes_out_nowhere, new_state),
		cmocka_unit_test_setup(secret_in_the_environment_is_listed_as_there_and_never_shown, new_state),
		cmocka_unit_test_setup(secret_as_an_argument_is_refused_and_not_repeated, new_state),
		cmocka_unit_test_setup(wrong_input_changes_nothing, new_state),
		cmocka_unit_test_setup(secret_in_a_configuration_file_is_refused_with_the_way_out, new_state),
		cmocka_unit_test_setup(passphrase_in_the_environment_seals_and_a_wrong_one_is_refused, new_state),
		cmocka_unit_test_setup(terminal_is_asked_twice_without_echo, new_state),
		cmocka_unit_test_setup(two_that_differ_and_an_interrupt_change_nothing, new_state),
		cmocka_unit_test_setup(passphrase_that_is_missing_is_asked_for, new_state),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
