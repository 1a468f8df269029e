/* verify_key.c - read a key from standard input (never from the command line, where others see it) and say whose it is.
 * Usage: verify_key STATE_FOLDER < FILE      exit status 0 valid, 1 not */
#include <stdio.h>
#include <string.h>

#include <nexusvoip/nexusvoip.h>

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_key *key = NULL;
	nxv_ctx *ctx = NULL;
	char token[256] = "";
	int rc = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: verify_key STATE_FOLDER < FILE\n");
		return 2;
	}
	if (fgets(token, sizeof(token), stdin) == NULL)
		fprintf(stderr, "verify_key: no key on standard input\n");
	token[strcspn(token, "\r\n")] = '\0';
	opts.state_dir = argv[1];
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		goto out;
	/* A key that any process disabled or deleted is refused by this very call. */
	if (nxv_key_verify(ctx, token, &key, &err) != NXV_OK)
		goto out;
	printf("%s (%s) of %s, may:", key->id, key->name, key->user_id);
	for (unsigned bit = 1; bit <= NXV_PERM_ADMIN; bit <<= 1) {
		if (key->permissions & bit)
			printf(" %s", nxv_permission_name(bit));
	}
	printf("\n");
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "verify_key: %s\n", err.message);
	explicit_bzero(token, sizeof(token));
	nxv_key_free(key);
	nxv_close(ctx);
	return rc;
}
