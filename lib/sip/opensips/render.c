/* render.c - OpenSIPS: the configuration file, the location database, and how the program is started. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sip/control/common.h"
#include "sip/control/trunk.h"
#include "sip/opensips/impl.h"

extern const char sip_opensips_cfg_in[], sip_opensips_routes_cfg_in[], sip_opensips_events_cfg_in[],
	sip_opensips_trunk_cfg_in[];
extern const char sip_opensips_location_schema_sql[];

enum { LOCATION_VERSION = 1013 };

static nxv_status check_digest(const char *list, struct nxv_error *err)
{
	static const char *const known[] = { "MD5", "SHA-256", "SHA-512-256" };
	char word[32];
	size_t at = 0, words = 0;

	while (common_word(list, &at, word, sizeof(word))) {
		size_t i = 0;

		while (i < 3 && strcmp(word, known[i]) != 0)
			i++;
		if (i == 3)
			return error_field(err, "sip.digest", "\"%.30s\" is no digest algorithm; use MD5, SHA-256 or SHA-512-256", word);
		words++;
	}
	return words ? NXV_OK : error_field(err, "sip.digest", "sip.digest must name at least one algorithm, such as MD5");
}

/* OpenSIPS answers the WebSocket handshake by itself and compares no origin. */
static nxv_status check_origins(const struct sip_settings *set, struct nxv_error *err)
{
	if ((!*set->ws_listen && !*set->wss_listen) || strcmp(set->ws_origins, "*") == 0)
		return NXV_OK;
	error_code(err, NXV_E_UNSUPPORTED, "origins_unsupported", "OpenSIPS cannot compare WebSocket origins; set sip.ws_origins = * "
		"and let a reverse proxy check them, or use sip.server = kamailio");
	if (err)
		snprintf(err->field, sizeof(err->field), "sip.ws_origins");
	return NXV_E_UNSUPPORTED;
}

/* What differs between releases. */
static void set_release(struct template_vars *vars, const char *version)
{
	const bool v4 = common_since(version, 4, 0, 0);

	template_set(vars, "BUSY_TIMEOUT", "%s", common_since(version, 3, 6, 0) || !version ? "yes" : "");
	template_set(vars, "BYE_ON_TIMEOUT", "%s", v4 ? "bye-on-timeout" : "B");
	template_set(vars, "EVENT_ROUTE_MODULE", "%s", v4 ? "" : "yes"); /* 4.0 has it built in */
}

nxv_status opensips_render(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err)
{
	struct template_vars vars = { .count = 0 };
	char modules[256], key[33];
	nxv_status status = common_check(set, err);

	if (status == NXV_OK)
		status = trunk_check(set, mask, err);
	if (status == NXV_OK)
		status = check_digest(set->digest, err);
	if (status == NXV_OK)
		status = check_origins(set, err);
	if (status == NXV_OK)
		status = common_version("OpenSIPS", version, OPENSIPS_RELEASES, err);
	if (status == NXV_OK)
		status = common_modules(set, "opensips", modules, sizeof(modules), err);
	if (status != NXV_OK)
		return status;
	common_event_key(set, key);
	common_vars(&vars, set, version, "as", mask);
	trunk_vars(&vars, set, "$si", mask);
	template_set(&vars, "MODULES", "%s", modules);
	template_set(&vars, "DIGEST", "%s", set->digest);
	template_set(&vars, "EVENT_KEY", "%s", mask ? "***" : key);
	template_set(&vars, "RING_SECONDS", "%d", (int)set->ring_seconds);
	template_set(&vars, "OUR_RING_SECONDS", "%d", COMMON_OUR_RING_SECONDS);
	set_release(&vars, version);
	status = template_render(sip_opensips_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_opensips_routes_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_opensips_events_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_opensips_trunk_cfg_in, &vars, out, err);
	template_vars_free(&vars);
	explicit_bzero(key, sizeof(key));
	return status;
}

nxv_status opensips_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err)
{
	return common_location(env, set, sip_opensips_location_schema_sql, LOCATION_VERSION, err);
}

void opensips_argv(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv)
{
	const char *program = *set->binary ? set->binary : "opensips";
	/* -F stays in the foreground; -D would only debug, with one process. */
	const char *const run[] = { program, "-F", "-m", "128", "-M", "8", "-f", config_path, NULL };
	const char *const check[] = { program, "-C", "-f", config_path, NULL };

	if (check_only)
		memcpy(argv, check, sizeof(check));
	else
		memcpy(argv, run, sizeof(run));
}
