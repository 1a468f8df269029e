/* render.c - Kamailio: the configuration file, the location database, and how the program is started. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/common.h"
#include "sip/control/trunk.h"
#include "sip/kamailio/impl.h"

extern const char sip_kamailio_cfg_in[], sip_kamailio_routes_cfg_in[], sip_kamailio_events_cfg_in[],
	sip_kamailio_trunk_cfg_in[];
extern const char sip_kamailio_location_schema_sql[];

enum { LOCATION_VERSION = 9 };

/* One algorithm only: the auth module takes a single one as its parameter. */
static nxv_status pick_digest(const char *list, const char **column, struct nxv_error *err)
{
	if (strcmp(list, "MD5") == 0) {
		*column = "ha1";
		return NXV_OK;
	}
	if (strcmp(list, "SHA-256") == 0) {
		*column = "ha1_sha256";
		return NXV_OK;
	}
	error_code(err, NXV_E_UNSUPPORTED, "digest_unsupported", "Kamailio challenges with one algorithm, MD5 or SHA-256; "
		"sip.digest = %.60s needs sip.server = opensips", list);
	if (err)
		snprintf(err->field, sizeof(err->field), "sip.digest");
	return NXV_E_UNSUPPORTED;
}

/* A condition that is true for an origin that is not allowed; "" allows any. */
static void add_origins(struct template_vars *vars, const struct sip_settings *set)
{
	struct buf text = BUF_INIT;
	char origin[256];
	size_t at = 0;
	bool any = false;

	while (common_word(set->ws_origins, &at, origin, sizeof(origin))) {
		any = any || strcmp(origin, "*") == 0;
		buf_printf(&text, "%s$hdr(Origin) != \"%s\"", text.len ? " && " : "", origin);
	}
	if (text.failed)
		vars->failed = true;
	template_set(vars, "ORIGINS", "%s", any || !text.data ? "" : text.data);
	buf_free(&text);
}

static void add_port(struct template_vars *vars, const char *name, const char *address)
{
	char host[64];
	uint16_t port = 0;

	if (*address)
		text_hostport(address, host, sizeof(host), &port);
	template_set(vars, name, "%u", (unsigned)port);
}

nxv_status kamailio_render(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err)
{
	struct template_vars vars = { .count = 0 };
	const char *column = "";
	char modules[256], key[33];
	nxv_status status = common_check(set, err);

	if (status == NXV_OK)
		status = trunk_check(set, mask, err);
	if (status == NXV_OK)
		status = pick_digest(set->digest, &column, err);
	if (status == NXV_OK)
		status = common_version("Kamailio", version, KAMAILIO_RELEASES, err);
	if (status == NXV_OK)
		status = common_modules(set, "kamailio", modules, sizeof(modules), err);
	if (status != NXV_OK)
		return status;
	common_event_key(set, key);
	common_vars(&vars, set, version, "advertise", mask);
	trunk_vars(&vars, set, "src_ip", mask);
	template_set(&vars, "FAR_SECONDS", "%lld", (long long)set->max_call_seconds + 600);
	template_set(&vars, "MODULES", "%s", modules);
	template_set(&vars, "DIGEST", "%s", set->digest);
	template_set(&vars, "EVENT_KEY", "%s", mask ? "***" : key);
	template_set(&vars, "HA1_COLUMN", "%s", column);
	template_set(&vars, "WEB", "%s", *set->ws_listen || *set->wss_listen ? "yes" : "");
	add_port(&vars, "WS_PORT", set->ws_listen);
	add_port(&vars, "WSS_PORT", set->wss_listen);
	add_origins(&vars, set);
	template_set(&vars, "RING_MS", "%d", (int)set->ring_seconds * 1000);
	template_set(&vars, "OUR_RING_MS", "%d", COMMON_OUR_RING_SECONDS * 1000);
	template_set(&vars, "EARLY_SECONDS", "%d", COMMON_OUR_RING_SECONDS + 20);
	template_set(&vars, "LATE_REPLIES", "%s", common_since(version, 6, 1, 4) ? "yes" : ""); /* earlier ones take them in anyway */
	status = template_render(sip_kamailio_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_kamailio_routes_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_kamailio_events_cfg_in, &vars, out, err);
	if (status == NXV_OK)
		status = template_render(sip_kamailio_trunk_cfg_in, &vars, out, err);
	template_vars_free(&vars);
	explicit_bzero(key, sizeof(key));
	return status;
}

nxv_status kamailio_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err)
{
	return common_location(env, set, sip_kamailio_location_schema_sql, LOCATION_VERSION, err);
}

void kamailio_argv(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv)
{
	const char *program = *set->binary ? set->binary : "kamailio";
	const char *const run[] = { program, "-DD", "-E", "-m", "128", "-M", "8", "-Y", set->run_dir, "-f", config_path, NULL };
	const char *const check[] = { program, "-c", "-E", "-f", config_path, NULL };

	if (check_only)
		memcpy(argv, check, sizeof(check));
	else
		memcpy(argv, run, sizeof(run));
}
