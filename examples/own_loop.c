/* own_loop.c - a program with a poll() loop of its own: the SIP server's start and a line typed by the user are both just
 * events of that loop; nothing blocks. Usage: own_loop STATE_FOLDER */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <nexusvoip/nexusvoip.h>

/* Print what completed. The token is whatever was passed when the work was asked for. */
static void take_completions(nxv_inbox *inbox)
{
	struct nxv_completion done;

	while (nxv_inbox_next(inbox, &done))
		printf("%s: %s\n", (const char *)done.token, done.status == NXV_OK ? "done" : done.error.message);
}

int main(int argc, char **argv)
{
	static char start_token[] = "SIP server";
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	nxv_inbox *inbox = NULL;
	nxv_ctx *ctx = NULL;
	char line[80];
	int rc = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: own_loop STATE_FOLDER\n");
		return 2;
	}
	opts.state_dir = argv[1];
	opts.create = true;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK || nxv_start(ctx, &err) != NXV_OK)
		goto out;
	if (nxv_inbox_open(ctx, &inbox, &err) != NXV_OK || nxv_sip_start(ctx, &err) != NXV_OK)
		goto out;
	if (nxv_sip_wait_async(inbox, true, 15000, start_token, &err) != NXV_OK)
		goto out;
	printf("starting; press Enter to leave\n");
	struct pollfd fds[] = { { nxv_inbox_fd(inbox), POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			break;
		if (fds[0].revents)
			take_completions(inbox);
		if (fds[1].revents && read(STDIN_FILENO, line, sizeof(line)) >= 0)
			break;
	}
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "own_loop: %s\n", err.message);
	nxv_inbox_close(inbox);
	nxv_close(ctx);
	return rc;
}
