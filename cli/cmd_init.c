/* cmd_init.c - `nexusctl init`: the state folder and the first admin key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "commands.h"
#include "output.h"

static const char admin_user[] = "admin";

/* Id of a key of the user `admin` that may manage keys. @param id [owned]; NULL when there is none. */
static nxv_status find_admin(nxv_ctx *ctx, char **id, struct nxv_error *err)
{
	struct nxv_key_list_opts opts = NXV_KEY_LIST_OPTS_INIT;
	struct nxv_key_page *page = NULL;
	char *cursor = NULL;
	nxv_status status;

	*id = NULL;
	opts.user_id = admin_user;
	opts.limit = 1000;
	do {
		opts.cursor = cursor;
		status = nxv_key_list(ctx, &opts, &page, err);
		free(cursor);
		cursor = NULL;
		for (size_t i = 0; status == NXV_OK && i < page->count && !*id; i++)
			if (page->items[i]->permissions & NXV_PERM_ADMIN)
				*id = strdup(page->items[i]->id);
		if (status == NXV_OK && page->next_cursor && !*id)
			cursor = strdup(page->next_cursor);
		nxv_key_page_free(page);
		page = NULL;
	} while (cursor);
	return status;
}

static int make_admin(struct app *app)
{
	struct nxv_key_opts opts = NXV_KEY_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_key *key = NULL;

	opts.user_id = admin_user;
	opts.name = "first admin key";
	opts.permissions = NXV_PERM_CALL | NXV_PERM_SIP | NXV_PERM_RECORDING | NXV_PERM_ADMIN;
	if (nxv_key_create(app->ctx, &opts, &key, &err) != NXV_OK)
		return out_error(app, &err);
	if (app->json) {
		printf("{\"adminKey\":\"%s\"}\n", key->secret);
	} else {
		puts(key->secret);
		out_note(app, "This is the admin key of %s. Store it now: it is never shown again.", app->state_dir);
	}
	nxv_key_free(key);
	return RC_DONE;
}

int cmd_init(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;
	char *existing = NULL;
	int rc;

	/* two at once must not both find no key */
	int lock = open(app->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) != 0)
		rc = out_fail(app, RC_FAILED, "io", "cannot lock the state folder %s: %s", app->state_dir, strerror(errno));
	else if (find_admin(app->ctx, &existing, &err) != NXV_OK)
		rc = out_error(app, &err);
	else if (existing)
		rc = out_fail(app, RC_REFUSED, "already_initialised",
			"%s has an admin key already; `nexusctl keys rotate %s` replaces it if it is lost", app->state_dir, existing);
	else
		rc = make_admin(app);
	free(existing);
	if (lock >= 0)
		close(lock);
	return rc;
}
