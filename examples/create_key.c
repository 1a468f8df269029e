/* create_key.c - make an API key and print its secret, which cannot be shown again.
 * Usage: create_key STATE_FOLDER USER NAME PERMISSIONS      (PERMISSIONS such as call,sip) */
#include <stdio.h>

#include <nexusvoip/nexusvoip.h>

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_key_opts wanted = NXV_KEY_OPTS_INIT;
	struct nxv_key *key = NULL;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc != 5) {
		fprintf(stderr, "usage: create_key STATE_FOLDER USER NAME PERMISSIONS\n");
		return 2;
	}
	opts.state_dir = argv[1];
	opts.create = true;
	wanted.user_id = argv[2];
	wanted.name = argv[3];
	if (nxv_permissions_parse(argv[4], &wanted.permissions, &err) != NXV_OK)
		goto out;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		goto out;
	if (nxv_key_create(ctx, &wanted, &key, &err) != NXV_OK)
		goto out;
	printf("%s\n", key->secret);
	fprintf(stderr, "%s of %s, made just now; keep the secret, only its digest is stored\n", key->id, key->user_id);
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "create_key: %s%s%s\n", err.field, err.field[0] ? ": " : "", err.message);
	nxv_key_free(key);
	nxv_close(ctx);
	return rc;
}
