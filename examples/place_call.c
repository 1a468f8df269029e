/* place_call.c - place a call and wait for its end: the user's phone rings first, then the callee, then they are joined.
 * Usage: place_call STATE_FOLDER USER FROM TO      works beside a running nexusd, or is the engine itself */
#include <stdio.h>

#include <nexusvoip/nexusvoip.h>

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_call_opts call = NXV_CALL_OPTS_INIT;
	struct nxv_session *started = NULL, *ended = NULL;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: place_call STATE_FOLDER USER FROM TO\n");
		return 2;
	}
	opts.state_dir = argv[1];
	call.user_id = argv[2];
	call.from_number = argv[3];
	call.to_number = argv[4];
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		goto out;
	if (!nxv_engine_running(ctx) && nxv_start(ctx, &err) != NXV_OK)
		goto out;
	if (nxv_sip_start(ctx, &err) != NXV_OK || nxv_sip_wait(ctx, true, 15000, &err) != NXV_OK)
		goto out;
	if (nxv_session_start(ctx, &call, &started, &err) != NXV_OK)
		goto out;
	printf("%s %s\n", started->id, nxv_call_status_name(started->status));
	if (nxv_session_wait(ctx, started->id, NXV_UNTIL_ENDED, 4 * 3600 * 1000, &ended, &err) != NXV_OK)
		goto out;
	printf("%s %s: %s, %lld seconds\n", ended->id, nxv_call_status_name(ended->status), ended->end_reason,
		(long long)ended->duration_seconds);
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "place_call: %s%s%s\n", err.field, err.field[0] ? ": " : "", err.message);
	nxv_session_free(ended);
	nxv_session_free(started);
	nxv_close(ctx);
	return rc;
}
