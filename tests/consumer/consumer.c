/* consumer.c - a stranger's C program: opens a state folder, makes a key, verifies it, finds it in the list.
 * Usage: consumer STATE_FOLDER VERSION */
#include <stdio.h>
#include <string.h>

#include <nexusvoip/nexusvoip.h>

static int failed(const char *what, const struct nxv_error *err)
{
	fprintf(stderr, "%s: %s (%s)\n", what, err->message, err->code);
	return 1;
}

int main(int argc, char **argv)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_opts opts = NXV_OPTS_INIT;
	struct nxv_key_opts key_opts = NXV_KEY_OPTS_INIT;
	struct nxv_key *made = NULL, *found = NULL;
	struct nxv_key_page *list = NULL;
	nxv_ctx *ctx = NULL;
	int rc = 1;

	if (argc != 3)
		return 2;
	if (strcmp(nxv_version(), argv[2]) != 0) {
		fprintf(stderr, "nxv_version() says %s, pkg-config %s\n", nxv_version(), argv[2]);
		return 1;
	}
	opts.state_dir = argv[1];
	opts.create = true;
	if (nxv_open(&opts, &ctx, &err) != NXV_OK)
		return failed("nxv_open", &err);
	key_opts.user_id = "user_123";
	key_opts.name = "a stranger's key";
	key_opts.permissions = NXV_PERM_CALL | NXV_PERM_SIP;
	if (nxv_key_create(ctx, &key_opts, &made, &err) != NXV_OK) {
		failed("nxv_key_create", &err);
		goto out;
	}
	if (nxv_key_verify(ctx, made->secret, &found, &err) != NXV_OK || strcmp(found->id, made->id) != 0) {
		failed("nxv_key_verify", &err);
		goto out;
	}
	if (nxv_key_list(ctx, NULL, &list, &err) != NXV_OK || list->count != 1 || list->items[0]->secret != NULL) {
		failed("nxv_key_list", &err);
		goto out;
	}
	printf("version %s, key %s of %s\n", nxv_version(), found->id, found->user_id);
	rc = 0;
out:
	nxv_key_page_free(list);
	nxv_key_free(found);
	nxv_key_free(made);
	nxv_close(ctx);
	return rc;
}
