/* get_recording.c - write the sound of a recording to standard output, as it comes from Twilio; exit status 0 means all of it.
 * Usage: get_recording STATE_FOLDER RECORDING > FILE */
#include <stdio.h>

#include <nexusvoip/nexusvoip.h>

extern char **environ;

/* One piece; the next comes when this one is written. */
static bool write_piece(void *user, const struct nxv_twilio_media *media, const void *data, size_t len)
{
	(void)media;
	return fwrite(data, 1, len, user) == len;
}

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: get_recording STATE_FOLDER RECORDING > FILE\n");
		return 2;
	}
	opts.state_dir = argv[1];
	opts.env = (const char *const *)environ; /* the account's token may be there */
	/* A part is not the whole: when it breaks off, this fails, whatever was written before. */
	if (nxv_open(&opts, &ctx, &err) == NXV_OK && nxv_recording_media(ctx, argv[2], NULL, write_piece, stdout, &err) == NXV_OK &&
		fflush(stdout) == 0)
		rc = 0;
	else
		fprintf(stderr, "get_recording: %s\n", err.status ? err.message : "cannot write");
	nxv_close(ctx);
	return rc;
}
