/* test_twilio_tls.c - the client trusts no server that it cannot verify, and then nothing was sent. Needs openssl(1). */
#include <nexusvoip/twilio.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/nxv-tls-XXXXXX";
static char cert[64];
static pid_t server;
static char url[64];

static int connect_to(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	close(fd);
	return ntohs(sa.sin_port);
}

/* A server that shows a certificate of its own making, for this name. */
static void serve(const char *name)
{
	char command[512], accept_at[32], key[64];
	uint16_t port = free_port();
	int fd = -1;

	snprintf(key, sizeof(key), "%s/key.pem", folder);
	snprintf(command, sizeof(command),
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -addext subjectAltName=%s "
		"-keyout %s -out %s >%s/log 2>&1", name, key, cert, folder);
	assert_int_equal(system(command), 0);
	snprintf(accept_at, sizeof(accept_at), "127.0.0.1:%u", (unsigned)port);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", (unsigned)port);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		freopen("/dev/null", "w", stdout);
		freopen("/dev/null", "w", stderr);
		execlp("openssl", "openssl", "s_server", "-accept", accept_at, "-key", key, "-cert", cert, "-www", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 100 && fd < 0; i++) {
		poll(NULL, 0, 50);
		fd = connect_to(port);
	}
	assert_true(fd >= 0);
	close(fd);
}

static int stop(void **state)
{
	(void)state;
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
	return 0;
}

static nxv_status ask(const char *ca_file, struct nxv_error *err)
{
	struct nxv_twilio_opts opts = NXV_TWILIO_OPTS_INIT;
	struct nxv_twilio_call_opts call = NXV_TWILIO_CALL_OPTS_INIT;
	struct nxv_twilio_call *created = NULL;
	nxv_twilio *twilio = NULL;
	nxv_status status;

	*err = (struct nxv_error)NXV_ERROR_INIT;
	opts.account_sid = "AC00000000000000000000000000000001";
	opts.auth_token = "token";
	opts.base_url = url;
	opts.ca_file = ca_file;
	opts.first_byte_timeout_ms = 1500;
	call.to = "+34911234567";
	call.from = "+12025550123";
	call.twiml = "<Response/>";
	assert_int_equal(nxv_twilio_open(&opts, &twilio, err), NXV_OK);
	status = nxv_twilio_call_create(twilio, &call, &created, err);
	nxv_twilio_call_free(created);
	nxv_twilio_close(twilio);
	return status;
}

static void an_unknown_authority_gets_nothing(void **state)
{
	struct nxv_error err;

	(void)state;
	serve("IP:127.0.0.1");
	assert_int_equal(ask(NULL, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_unreachable");
	assert_non_null(strstr(err.message, "certificate"));
}

static void a_certificate_for_another_name_gets_nothing(void **state)
{
	struct nxv_error err;

	(void)state;
	serve("DNS:other.example.net");
	assert_int_equal(ask(cert, &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_unreachable");
}

static void a_missing_file_of_authorities_is_named(void **state)
{
	struct nxv_error err;

	(void)state;
	serve("IP:127.0.0.1");
	assert_int_equal(ask("/nonexistent/ca.pem", &err), NXV_E_UNREACHABLE);
	assert_string_equal(err.code, "twilio_unreachable");
	assert_non_null(strstr(err.message, "/nonexistent/ca.pem"));
}

/* The control: with the authority given, the request arrives. s_server answers it with HTML or refuses its method. */
static void a_given_authority_is_trusted(void **state)
{
	struct nxv_error err;

	(void)state;
	serve("IP:127.0.0.1");
	assert_int_not_equal(ask(cert, &err), NXV_OK);
	assert_string_not_equal(err.code, "twilio_unreachable");
}

static int clean(void **state)
{
	static const char *const files[] = { "key.pem", "cert.pem", "log" };
	char path[96];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_unknown_authority_gets_nothing, stop),
		cmocka_unit_test_teardown(a_certificate_for_another_name_gets_nothing, stop),
		cmocka_unit_test_teardown(a_missing_file_of_authorities_is_named, stop),
		cmocka_unit_test_teardown(a_given_authority_is_trusted, stop),
	};

	if (system("command -v openssl >/dev/null") != 0) {
		puts("SKIPPED: there is no openssl here");
		return 77;
	}
	if (!mkdtemp(folder))
		return 1;
	snprintf(cert, sizeof(cert), "%s/cert.pem", folder);
	return cmocka_run_group_tests(tests, NULL, clean);
}
