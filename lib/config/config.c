/* config.c - reads options from an INI file (inih), the environment and overrides; names whatever is wrong. */
#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "config/options.h"

#define ENV_PREFIX "NEXUSVOIP_"
#define CREDENTIALS "CREDENTIALS_DIRECTORY="

struct config {
	char *text[CFG_COUNT];
	int64_t number[CFG_COUNT];
	char *secret[CFG_SECRET_COUNT]; /**< from the environment only */
	char *credentials_dir;
};

/* Where a value came from, for messages. */
struct source {
	const char *file; /**< NULL: not a file */
	int line;
	const char *variable;
};

struct reader {
	struct config *cfg;
	FILE *stream;
	struct source from;
	nxv_status status;
	struct nxv_error *err;
	int seen[CFG_COUNT];
};

static void where(const struct source *from, char *buf, size_t size)
{
	if (from->file)
		snprintf(buf, size, "%s:%d", from->file, from->line);
	else
		snprintf(buf, size, "%s", from->variable);
}

static nxv_status bad(const struct source *from, struct nxv_error *err, const char *what, const char *remedy)
{
	char place[200];

	where(from, place, sizeof(place));
	return error_code(err, NXV_E_INVALID, "bad_config", "%s: %s; %s", place, what, remedy);
}

static int find(const char *key)
{
	for (int i = 0; i < CFG_COUNT; i++)
		if (strcmp(option_specs[i].pub.key, key) == 0)
			return i;
	return -1;
}

static size_t common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* Files are copied about, command lines are seen by everybody: neither is a place for a secret. The value is not told. */
static nxv_status no_place(const struct source *from, const char *key, struct nxv_error *err)
{
	char what[128], remedy[160];

	snprintf(what, sizeof(what), "%s is a secret and cannot stand here", key);
	if (config_secret_find(key)->stored)
		snprintf(remedy, sizeof(remedy), "take it out and store it with `nexusctl secrets set %s`", key);
	else
		snprintf(remedy, sizeof(remedy), "take it out; set secrets.passphrase_file or %s", config_secret_find(key)->env);
	return bad(from, err, what, remedy);
}

static nxv_status unknown(const struct source *from, const char *key, struct nxv_error *err)
{
	char what[128], remedy[160];
	size_t best = 0, at = 0;

	if (config_secret_find(key))
		return no_place(from, key, err);
	for (size_t i = 0; i < CFG_COUNT; i++) {
		size_t n = common_prefix(option_specs[i].pub.key, key);
		if (n > best) {
			best = n;
			at = i;
		}
	}
	snprintf(what, sizeof(what), "there is no option \"%s\"", key);
	if (best > strcspn(key, ".") + 1)
		snprintf(remedy, sizeof(remedy), "did you mean %s?", option_specs[at].pub.key);
	else
		snprintf(remedy, sizeof(remedy), "`nexusctl config list` shows them all");
	return bad(from, err, what, remedy);
}

static nxv_status set_option(
	struct config *cfg, int index, const char *value, const struct source *from, struct nxv_error *err)
{
	const struct option_spec *spec = &option_specs[index];
	char what[160], remedy[200];
	int64_t number = 0;
	char *copy;

	if (!option_check(spec, value, &number, remedy, sizeof(remedy))) {
		snprintf(what, sizeof(what), "%s cannot be \"%.60s\"", spec->pub.key, value);
		return bad(from, err, what, remedy);
	}
	copy = strdup(value);
	if (!copy)
		return error_nomem(err);
	free(cfg->text[index]);
	cfg->text[index] = copy;
	cfg->number[index] = number;
	return NXV_OK;
}

/* inih reads through this, which is how its handler knows the line. It would take the rest of a line that is too long
 * for it as a line of its own. */
static char *read_line(char *buf, int size, void *user)
{
	struct reader *rd = user;
	char what[64];

	if (rd->status != NXV_OK || !fgets(buf, size, rd->stream))
		return NULL;
	rd->from.line++;
	if (strchr(buf, '\n') || feof(rd->stream))
		return buf;
	snprintf(what, sizeof(what), "this line is longer than %d bytes", size - 2);
	rd->status = bad(&rd->from, rd->err, what, "give so long a value by its environment variable");
	return NULL;
}

static int on_option(void *user, const char *section, const char *name, const char *value)
{
	struct reader *rd = user;
	char key[128], what[160];
	int index;

	if (rd->status != NXV_OK)
		return 0;
	snprintf(key, sizeof(key), "%s%s%s", section, *section ? "." : "", name);
	index = find(key);
	if (index < 0) {
		rd->status = unknown(&rd->from, key, rd->err);
		return 0;
	}
	if (rd->seen[index]) {
		snprintf(what, sizeof(what), "%s is set twice (first in line %d)", key, rd->seen[index]);
		rd->status = bad(&rd->from, rd->err, what, "keep one of them");
		return 0;
	}
	rd->seen[index] = rd->from.line;
	rd->status = set_option(rd->cfg, index, value, &rd->from, rd->err);
	return rd->status == NXV_OK;
}

static nxv_status read_file(struct config *cfg, const char *file, bool must_exist, struct nxv_error *err)
{
	struct reader rd = { .cfg = cfg, .from = { .file = file }, .err = err };
	int line;

	rd.stream = fopen(file, "re");
	if (!rd.stream) {
		if (errno == ENOENT && !must_exist)
			return NXV_OK;
		return error_errno(err, errno, "cannot read the configuration file %s", file);
	}
	line = ini_parse_stream(read_line, &rd, on_option, &rd);
	fclose(rd.stream);
	if (rd.status == NXV_OK && line != 0) {
		rd.from.line = line > 0 ? line : 0;
		rd.status = bad(&rd.from, err, "this is neither [section] nor name = value", "correct the line or start it with #");
	}
	return rd.status;
}

static nxv_status set_secret(
	struct config *cfg, size_t index, const char *value, const struct source *from, struct nxv_error *err)
{
	char *copy;

	if (!option_is_secret(value))
		return bad(from, err, "this secret cannot be used", "set 1 to 1024 printable characters, or unset it");
	copy = strdup(value);
	if (!copy)
		return error_nomem(err);
	text_wipe_free(cfg->secret[index]);
	cfg->secret[index] = copy;
	return NXV_OK;
}

static nxv_status set_variable(
	struct config *cfg, const char *name, const char *value, const struct source *from, struct nxv_error *err)
{
	for (size_t i = 0; i < CFG_COUNT; i++)
		if (strcmp(option_specs[i].pub.env, name) == 0)
			return set_option(cfg, (int)i, value, from, err);
	for (size_t i = 0; i < CFG_SECRET_COUNT; i++)
		if (strcmp(config_secrets[i].env, name) == 0)
			return set_secret(cfg, i, value, from, err);
	if (strcmp(name, "NEXUSVOIP_STATE") != 0)
		return bad(from, err, "no option has this variable", "`nexusctl config list` shows them all; unset it");
	return NXV_OK;
}

static nxv_status read_env(struct config *cfg, const char *const *env, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (; env && *env && status == NXV_OK; env++) {
		const char *eq = strchr(*env, '=');
		struct source from = { .variable = NULL };
		char name[128];

		if (strncmp(*env, CREDENTIALS, strlen(CREDENTIALS)) == 0) {
			free(cfg->credentials_dir);
			cfg->credentials_dir = text_dup(*env + strlen(CREDENTIALS));
			status = cfg->credentials_dir ? NXV_OK : error_nomem(err);
			continue;
		}
		if (strncmp(*env, ENV_PREFIX, strlen(ENV_PREFIX)) != 0 || !eq || (size_t)(eq - *env) >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(eq - *env), *env);
		from.variable = name;
		status = set_variable(cfg, name, eq + 1, &from, err);
	}
	return status;
}

static nxv_status read_set(struct config *cfg, const char *const *set, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (; set && *set && status == NXV_OK; set++) {
		const char *eq = strchr(*set, '=');
		struct source from = { .variable = "command line" };
		char key[128];
		int index;

		if (!eq || (size_t)(eq - *set) >= sizeof(key))
			return bad(&from, err, "an override has no value", "write KEY=VALUE");
		snprintf(key, sizeof(key), "%.*s", (int)(eq - *set), *set);
		index = find(key);
		status = index < 0 ? unknown(&from, key, err) : set_option(cfg, index, eq + 1, &from, err);
	}
	return status;
}

static nxv_status set_defaults(struct config *cfg, struct nxv_error *err)
{
	const struct source from = { .variable = "built-in default" };
	nxv_status status = NXV_OK;

	for (int i = 0; i < CFG_COUNT && status == NXV_OK; i++)
		status = set_option(cfg, i, option_specs[i].pub.fallback, &from, err);
	return status;
}

/* Faults that only show when options are seen together. */
static nxv_status check_together(const struct config *cfg, struct nxv_error *err)
{
	const bool tls = *cfg->text[CFG_SIP_TLS_LISTEN] || *cfg->text[CFG_SIP_WSS_LISTEN];

	if (tls && (!*cfg->text[CFG_SIP_TLS_CERTIFICATE] || !*cfg->text[CFG_SIP_TLS_PRIVATE_KEY]))
		return error_code(err, NXV_E_INVALID, "bad_config",
			"sip.tls_listen and sip.wss_listen need sip.tls_certificate and sip.tls_private_key");
	if (!text_is_user_id(cfg->text[CFG_SIP_DOMAIN]) || strpbrk(cfg->text[CFG_SIP_DOMAIN], "@+_ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return error_code(err, NXV_E_INVALID, "bad_config",
			"sip.domain cannot be \"%.60s\"; write a host name in lower case, such as sip.example.com", cfg->text[CFG_SIP_DOMAIN]);
	if (*cfg->text[CFG_TWILIO_BASE_URL] && (*cfg->text[CFG_TWILIO_EDGE] || *cfg->text[CFG_TWILIO_REGION]))
		return error_code(err, NXV_E_INVALID, "bad_config",
			"twilio.base_url excludes twilio.edge and twilio.region; keep one or the other");
	if (*cfg->text[CFG_TRUNK_USERNAME] && !*cfg->text[CFG_TRUNK_HOST])
		return error_code(err, NXV_E_INVALID, "bad_config", "trunk.username is set without trunk.host; set the trunk's host");
	if (strchr(cfg->text[CFG_TRUNK_HOST], ':'))
		return error_code(err, NXV_E_INVALID, "bad_config", "trunk.host cannot be \"%.60s\"; write the port to trunk.port",
			cfg->text[CFG_TRUNK_HOST]);
	if (strchr(cfg->text[CFG_TRUNK_USERNAME], ':') || strchr(cfg->text[CFG_TRUNK_REALM], ':'))
		return error_code(err, NXV_E_INVALID, "bad_config",
			"trunk.username and trunk.realm cannot hold a colon, which a digest has between them; ask the trunk's provider for others");
	return NXV_OK;
}

nxv_status config_load(const char *file, bool must_exist, const char *const *env, const char *const *set,
	struct config **out, struct nxv_error *err)
{
	struct config *cfg = calloc(1, sizeof(*cfg));
	nxv_status status;

	*out = NULL;
	if (!cfg)
		return error_nomem(err);
	status = set_defaults(cfg, err);
	if (status == NXV_OK && file)
		status = read_file(cfg, file, must_exist, err);
	if (status == NXV_OK)
		status = read_env(cfg, env, err);
	if (status == NXV_OK)
		status = read_set(cfg, set, err);
	if (status == NXV_OK)
		status = check_together(cfg, err);
	if (status != NXV_OK) {
		config_free(cfg);
		return status;
	}
	*out = cfg;
	return NXV_OK;
}

void config_free(struct config *cfg)
{
	if (!cfg)
		return;
	for (int i = 0; i < CFG_COUNT; i++)
		free(cfg->text[i]);
	for (int i = 0; i < CFG_SECRET_COUNT; i++)
		text_wipe_free(cfg->secret[i]);
	free(cfg->credentials_dir);
	free(cfg);
}

const char *config_text(const struct config *cfg, enum config_key key)
{
	return cfg->text[key];
}

int64_t config_int(const struct config *cfg, enum config_key key)
{
	return cfg->number[key];
}

bool config_bool(const struct config *cfg, enum config_key key)
{
	return cfg->number[key] != 0;
}

const char *config_by_name(const struct config *cfg, const char *key)
{
	int index = find(key);

	return index < 0 ? NULL : cfg->text[index];
}

const char *config_secret(const struct config *cfg, const char *key)
{
	const struct config_secret *secret = config_secret_find(key);

	return secret ? cfg->secret[secret - config_secrets] : NULL;
}

const char *config_credentials_dir(const struct config *cfg)
{
	return cfg->credentials_dir;
}
