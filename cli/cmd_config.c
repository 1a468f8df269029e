/* cmd_config.c - `nexusctl config list` and `nexusctl version`. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "args.h"
#include "commands.h"
#include "output.h"
#include "state.h"

/* One option as JSON; the value is left out when it is not known. */
static char *option_json(const struct nxv_config_option *o, const char *value)
{
	char *fallback = nxv_json_string(o->fallback), *help = nxv_json_string(o->help), *v = value ? nxv_json_string(value) : NULL, *out = NULL;
	size_t size = 0;
	FILE *text = fallback && help && (v || !value) ? open_memstream(&out, &size) : NULL;

	if (text) {
		fprintf(text, "{\"key\":\"%s\",\"env\":\"%s\"%s%s,\"default\":%s,\"help\":%s}", o->key, o->env, v ? ",\"value\":" : "", v ? v : "", fallback,
			help);
		fclose(text);
	}
	free(fallback);
	free(help);
	free(v);
	return out;
}

static nxv_status options(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err)
{
	const struct nxv_config_option *o;

	(void)arg;
	(void)limit;
	(void)cursor;
	(void)err;
	for (size_t i = 0; (o = nxv_config_option_at(i)); i++) {
		const char *value = list->app->ctx ? nxv_config_get(list->app->ctx, o->key) : NULL;
		const char *cells[] = { o->key, value ? value : "?", o->fallback, o->env, o->help };
		out_list_add(list, cells, list->app->json ? option_json(o, value) : NULL);
	}
	return NXV_OK;
}

/* The options are listed even when the configuration is wrong: that is when they are looked up. */
int cmd_config_list(struct app *app)
{
	static const char *const heads[] = { "OPTION", "VALUE", "DEFAULT", "ENVIRONMENT", "MEANING", NULL };
	struct nxv_error err = NXV_ERROR_INIT;
	struct stat st;
	nxv_status status = NXV_OK;
	int rc = state_locate(app);

	if (rc == RC_DONE && stat(app->state_dir, &st) == 0) {
		rc = state_enter(app, false);
		if (rc == RC_DONE)
			status = app_open(app, false, &err);
	} else if (rc == RC_DONE) {
		out_note(app, "There is no state folder %s: values are not known.", app->state_dir);
	}
	int listed = out_pages(app, heads, 0, options, NULL);
	if (status != NXV_OK)
		return out_error(app, &err);
	return rc != RC_DONE ? rc : listed;
}

int cmd_version(struct app *app)
{
	if (app->json)
		printf("{\"nexusctl\":\"%s\",\"version\":\"%s\"}\n", NEXUSCTL_VERSION, nxv_version());
	else
		printf("nexusctl %s (libnexusvoip %s)\n", NEXUSCTL_VERSION, nxv_version());
	return RC_DONE;
}
