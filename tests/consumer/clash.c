/* clash.c - a host program that exports names which the library's SIP stack uses too, and has signal handlers of its own.
 * The engine must run beside it untouched. Usage: clash STATE_FOLDER VERSION */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <nexusvoip/nexusvoip.h>

/* Each would end the program if the library's own code were bound to it. */
#define CLASH(name) \
	int name(void); \
	int name(void) \
	{ \
		fprintf(stderr, "the host's " #name "() was called by the library\n"); \
		exit(3); \
	}
CLASH(hash_alloc)
CLASH(hash_append)
CLASH(list_append)
CLASH(list_unlink)
CLASH(mem_alloc)
CLASH(mem_zalloc)
CLASH(mem_deref)
CLASH(mbuf_alloc)
CLASH(mqueue_alloc)
CLASH(mqueue_push)
CLASH(tmr_start)
CLASH(tmr_poll)
CLASH(tmr_jiffies)
CLASH(fd_listen)
CLASH(fd_close)
CLASH(libre_init)
CLASH(libre_close)
CLASH(re_main)
CLASH(re_cancel)
CLASH(sa_set_str)
CLASH(sip_alloc)
CLASH(sip_listen)
CLASH(udp_listen)
CLASH(pl_set_str)
CLASH(str_dup)
CLASH(dbg_init)

static void handler(int number)
{
	(void)number;
}

static int open_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count;
}

static int once(const char *state_dir)
{
	const char *const set[] = { "sip.listen=127.0.0.1:0", "sip.ws_listen=", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	opts.state_dir = state_dir;
	opts.create = true;
	opts.set = set;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK || nxv_start(ctx, &err) != NXV_OK)
		fprintf(stderr, "%s: %s\n", err.code, err.message);
	else if (!nxv_engine_running(ctx))
		fprintf(stderr, "nxv_start() succeeded, but no engine runs\n");
	else
		rc = 0;
	nxv_stop(ctx);
	nxv_close(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	static const int signals[] = { SIGPIPE, SIGINT, SIGTERM, SIGALRM, SIGHUP, SIGCHLD, SIGSEGV };
	struct sigaction action;
	int before, after;

	if (argc != 3)
		return 2;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], handler);
	if (once(argv[1]) != 0)
		return 1;
	before = open_descriptors();
	for (int i = 0; i < 3; i++) {
		if (once(argv[1]) != 0)
			return 1;
	}
	after = open_descriptors();
	if (after != before) {
		fprintf(stderr, "open descriptors grew from %d to %d over three rounds\n", before, after);
		return 1;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], NULL, &action);
		if (action.sa_handler != handler) {
			fprintf(stderr, "the handler of signal %d was replaced\n", signals[i]);
			return 1;
		}
	}
	printf("the engine started and stopped four times beside the host's own names\n");
	return 0;
}
