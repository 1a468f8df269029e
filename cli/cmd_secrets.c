/* cmd_secrets.c - `nexusctl secrets ...`: secrets go in, and never come out again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "output.h"
#include "secret_input.h"

static const char passphrase[] = "passphrase";

/* When the passphrase that sealed the secrets is not there, and there is somebody to ask, ask. @return true: try again. */
static bool unlocked(struct app *app, struct nxv_error *err, int *rc)
{
	char value[SECRET_INPUT_MAX + 1] = "";
	struct nxv_sealing sealing;

	*rc = RC_DONE;
	if (strcmp(err->code, "sealing_key_missing") != 0 || !secret_input_terminal())
		return false;
	if (nxv_secret_sealing(app->ctx, &sealing, NULL) != NXV_OK || strcmp(sealing.kind, passphrase) != 0)
		return false;
	*rc = secret_input(app, "passphrase that seals the secrets", false, value);
	if (*rc == RC_DONE && nxv_secret_unlock(app->ctx, value, err) != NXV_OK)
		*rc = out_error(app, err);
	explicit_bzero(value, sizeof(value));
	return true;
}

/* Run an order, once more after asking for the passphrase. */
static int obey(struct app *app, nxv_status (*run)(nxv_ctx *ctx, const char *name, const char *value, struct nxv_error *err),
	const char *name, const char *value)
{
	struct nxv_error err = NXV_ERROR_INIT;
	int rc;

	if (run(app->ctx, name, value, &err) == NXV_OK)
		return RC_DONE;
	if (!unlocked(app, &err, &rc))
		return out_error(app, &err);
	if (rc == RC_DONE && run(app->ctx, name, value, &err) != NXV_OK)
		rc = out_error(app, &err);
	return rc;
}

int cmd_secrets_set(struct app *app)
{
	char value[SECRET_INPUT_MAX + 1] = "", what[80];
	struct nxv_sealing before = { .key_id = "" }, after = { .key_id = "" };
	int rc;

	if (strchr(app->operand, '='))
		return out_usage(app, "a secret is never given as an argument, where every user of this machine can see it; give it on standard input");
	snprintf(what, sizeof(what), "%s", app->operand);
	rc = secret_input(app, what, true, value);
	nxv_secret_sealing(app->ctx, &before, NULL);
	if (rc == RC_DONE)
		rc = obey(app, nxv_secret_set, app->operand, value);
	explicit_bzero(value, sizeof(value));
	if (rc != RC_DONE)
		return rc;
	if (!*before.key_id && nxv_secret_sealing(app->ctx, &after, NULL) == NXV_OK)
		out_note(app, strcmp(after.kind, passphrase) == 0
			? "Secrets are sealed by the passphrase now: nexusd needs it at every start."
			: "Secrets are sealed by a key file now (secrets.key_file, by default secrets.key in the state folder): save it apart from the database.");
	return out_done(app, "stored", app->operand);
}

int cmd_secrets_unset(struct app *app)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (nxv_secret_unset(app->ctx, app->operand, &err) != NXV_OK)
		return out_error(app, &err);
	return out_done(app, "forgotten", app->operand);
}

static const char *source_name(nxv_secret_source source)
{
	return source == NXV_SECRET_STORE ? "store" : source == NXV_SECRET_ENVIRONMENT ? "environment" : "unset";
}

static char *secret_json(const struct nxv_secret *s)
{
	char *out = NULL, at[32];
	size_t size = 0;
	FILE *text = open_memstream(&out, &size);

	if (!text)
		return NULL;
	fprintf(text, "{\"name\":\"%s\",\"source\":\"%s\"", s->name, source_name(s->source));
	if (s->set_at_ms) {
		nxv_time_format(s->set_at_ms, at);
		fprintf(text, ",\"setAt\":\"%s\",\"sealedBy\":\"%s\"", at, s->key_id);
	}
	fputc('}', text);
	fclose(text);
	return out;
}

static nxv_status page(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	struct nxv_secret_list *secrets;
	nxv_status status = nxv_secret_list(list->app->ctx, &secrets, err);

	(void)arg, (void)limit, (void)cursor;
	for (size_t i = 0; status == NXV_OK && i < secrets->count; i++) {
		const struct nxv_secret *s = &secrets->items[i];
		char at[32];
		const char *cells[] = { s->name, source_name(s->source), out_time(s->set_at_ms, at), *s->key_id ? s->key_id : NULL };
		out_list_add(list, cells, list->app->json ? secret_json(s) : NULL);
	}
	nxv_secret_list_free(secrets);
	return status;
}

int cmd_secrets_list(struct app *app)
{
	static const char *const heads[] = { "SECRET", "FROM", "STORED", "SEALED BY", NULL };

	return out_pages(app, heads, 0, page, NULL);
}

static nxv_status check(nxv_ctx *ctx, const char *name, const char *value, struct nxv_error *err)
{
	(void)name, (void)value;
	return nxv_secret_check(ctx, err);
}

int cmd_secrets_check(struct app *app)
{
	struct nxv_sealing sealing = { .key_id = "" };
	struct nxv_error err = NXV_ERROR_INIT;
	int rc = obey(app, check, NULL, NULL);

	if (rc != RC_DONE)
		return rc;
	if (nxv_secret_sealing(app->ctx, &sealing, &err) != NXV_OK)
		return out_error(app, &err);
	if (app->json)
		printf("{\"ok\":true,\"sealedBy\":\"%s\",\"kind\":\"%s\"}\n", sealing.key_id, sealing.kind);
	else if (!*sealing.key_id)
		puts("nothing is stored");
	else
		printf("every stored secret opens with the %s %s\n", strcmp(sealing.kind, passphrase) == 0 ? "passphrase" : "key", sealing.key_id);
	return RC_DONE;
}

static nxv_status rotate(nxv_ctx *ctx, const char *name, const char *value, struct nxv_error *err)
{
	(void)name;
	return nxv_secret_rotate(ctx, value, err);
}

int cmd_secrets_rotate(struct app *app)
{
	static const char *const kinds[] = { "key", "passphrase", NULL };
	char value[SECRET_INPUT_MAX + 1] = "";
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_sealing sealing;
	int to = 0, rc;

	if (nxv_secret_sealing(app->ctx, &sealing, &err) != NXV_OK)
		return out_error(app, &err);
	to = strcmp(sealing.kind, passphrase) == 0;
	rc = args_word(app, "to", kinds, &to);
	if (rc == RC_DONE && to && *sealing.key_id)
		rc = secret_input(app, "new passphrase", true, value);
	if (rc == RC_DONE)
		rc = obey(app, rotate, NULL, to ? value : NULL);
	explicit_bzero(value, sizeof(value));
	if (rc != RC_DONE || nxv_secret_sealing(app->ctx, &sealing, &err) != NXV_OK)
		return rc;
	out_note(app, to ? "Give nexusd this passphrase now, wherever it reads it from. A key file or a passphrase of before opens nothing any more: remove it."
			 : "The new key is in the key file: save it. A systemd credential with the old key fits no more.");
	return out_done(app, "sealed by", sealing.key_id);
}
