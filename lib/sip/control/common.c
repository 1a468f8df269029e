/* common.c - the checks and values that both servers' configurations need. Every value gets into a quoted string or
 * an address of a configuration file, so each is held to characters that mean nothing there. */
#include "sip/control/common.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool made_of(const char *s, const char *characters, size_t max)
{
	return *s && strlen(s) <= max && s[strspn(s, characters)] == '\0';
}

static nxv_status check_address(const char *field, const char *value, bool wildcard, struct nxv_error *err)
{
	unsigned char raw[16];
	char host[64];
	uint16_t port;

	if (!text_hostport(value, host, sizeof(host), &port) || port == 0 ||
			(inet_pton(AF_INET, host, raw) != 1 && inet_pton(AF_INET6, host, raw) != 1))
		return error_field(err, field, "%s must be an IP address and a port such as 127.0.0.1:5060; it is \"%.60s\"", field, value);
	if (!wildcard && (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0))
		return error_field(err, "sip.advertise", "%s is \"%.60s\"; set sip.advertise to the host:port that phones reach it by", field, value);
	return NXV_OK;
}

static nxv_status check_path(const char *field, const char *value, struct nxv_error *err)
{
	if (*value != '/' || !made_of(value, LOWER UPPER DIGITS "/_.+~-", 200))
		return error_field(err, field, "the path \"%.100s\" cannot stand in a SIP server's configuration; "
			"use letters, digits and / _ . + ~ - only", value);
	return NXV_OK;
}

static nxv_status check_listeners(const struct sip_settings *set, struct nxv_error *err)
{
	const struct { const char *field, *value; } listeners[] = { { "sip.listen", set->listen }, { "sip.ws_listen", set->ws_listen },
		{ "sip.tls_listen", set->tls_listen }, { "sip.wss_listen", set->wss_listen } };
	const bool tls = *set->tls_listen || *set->wss_listen;
	char host[256];
	uint16_t port;
	nxv_status status = NXV_OK;

	for (size_t i = 0; i < 4 && status == NXV_OK; i++)
		if (i == 0 || *listeners[i].value)
			status = check_address(listeners[i].field, listeners[i].value, *set->advertise != '\0', err);
	if (status == NXV_OK && *set->advertise && (!text_hostport(set->advertise, host, sizeof(host), &port) || port == 0 ||
			!made_of(host, LOWER UPPER DIGITS ".:-", 253)))
		status = error_field(err, "sip.advertise", "sip.advertise must be host:port; it is \"%.60s\"", set->advertise);
	if (status == NXV_OK && tls)
		status = check_path("sip.tls_certificate", set->tls_certificate, err);
	if (status == NXV_OK && tls)
		status = check_path("sip.tls_private_key", set->tls_private_key, err);
	return status;
}

static nxv_status check_origins(const struct sip_settings *set, struct nxv_error *err)
{
	char origin[256];
	size_t at = 0;

	if (!*set->ws_listen && !*set->wss_listen)
		return NXV_OK;
	if (!*set->ws_origins)
		return error_field(err, "sip.ws_origins", "name the web origins that may open a WebSocket in sip.ws_origins, "
			"such as https://app.example.com; * allows any");
	while (common_word(set->ws_origins, &at, origin, sizeof(origin)))
		if (strcmp(origin, "*") != 0 && !made_of(origin, LOWER UPPER DIGITS ".:/_[]-", 200))
			return error_field(err, "sip.ws_origins", "\"%.60s\" is no web origin; write scheme://host[:port]", origin);
	return NXV_OK;
}

nxv_status common_check(const struct sip_settings *set, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	if (!made_of(set->domain, LOWER DIGITS ".-", 64))
		return error_field(err, "sip.domain", "sip.domain cannot be \"%.60s\"; write a host name in lower case", set->domain);
	if (!made_of(set->service_user, LOWER UPPER DIGITS "._-", 64) || !made_of(set->secret, LOWER UPPER DIGITS "+/=._-", 128))
		return error_set(err, NXV_E_INTERNAL, "the service user or the nonce secret has characters that no configuration can hold");
	if (set->max_call_seconds < 1 || set->max_call_seconds > 9999999)
		return error_field(err, "limits.max_call_seconds", "limits.max_call_seconds must be between 1 and 9999999");
	if (set->ring_seconds < 1 || set->ring_seconds > COMMON_OUR_RING_SECONDS)
		return error_field(err, "calls.ring_seconds", "calls.ring_seconds must be between 1 and 300");
	if (status == NXV_OK)
		status = check_listeners(set, err);
	if (status == NXV_OK)
		status = check_origins(set, err);
	if (status == NXV_OK)
		status = check_address("sip.events", set->events, false, err);
	if (status == NXV_OK)
		status = check_path("state folder", set->auth_db, err);
	if (status == NXV_OK)
		status = check_path("state folder", set->location_db, err);
	if (status == NXV_OK)
		status = check_path("sip.control", set->control, err);
	if (status == NXV_OK && strlen(set->control) > 100)
		status = error_field(err, "sip.control", "the control socket's path is too long; use a state folder with a shorter path");
	return status;
}

/* A listener's value, and " as host:port" for what its messages shall name. */
static void listener(struct template_vars *vars, const char *name, const char *advertise_name, const char *value,
	const struct sip_settings *set, const char *word, bool own_port)
{
	char host[256], local[64];
	uint16_t port, local_port;

	template_set(vars, name, "%s", value);
	if (!*value || !*set->advertise || !text_hostport(set->advertise, host, sizeof(host), &port) ||
			!text_hostport(value, local, sizeof(local), &local_port)) {
		template_set(vars, advertise_name, "%s", "");
		return;
	}
	template_set(vars, advertise_name, strchr(host, ':') ? " %s [%s]:%u" : " %s %s:%u", word, host,
		(unsigned)(own_port ? local_port : port));
}

void common_vars(struct template_vars *vars, const struct sip_settings *set, const char *version, const char *advertise, bool mask)
{
	const bool tls = *set->tls_listen || *set->wss_listen;

	template_set(vars, "VERSION", "%s", version && made_of(version, DIGITS ".", 20) ? version : "");
	template_set(vars, "DOMAIN", "%s", set->domain);
	listener(vars, "LISTEN", "ADVERTISE", set->listen, set, advertise, false);
	listener(vars, "WS", "WS_ADVERTISE", set->ws_listen, set, advertise, true);
	listener(vars, "TLS", "TLS_ADVERTISE", set->tls_listen, set, advertise, true);
	listener(vars, "WSS", "WSS_ADVERTISE", set->wss_listen, set, advertise, true);
	template_set(vars, "CERTIFICATE", "%s", tls ? set->tls_certificate : "");
	template_set(vars, "PRIVATE_KEY", "%s", tls ? set->tls_private_key : "");
	template_set(vars, "AUTH_DB", "%s", set->auth_db);
	template_set(vars, "LOCATION_DB", "%s", set->location_db);
	template_set(vars, "CONTROL", "%s", set->control);
	template_set(vars, "EVENTS", "%s", set->events);
	template_set(vars, "SERVICE_USER", "%s", set->service_user);
	template_set(vars, "SECRET", "%s", mask ? "***" : set->secret);
	template_set(vars, "ENDINGS", "%d", COMMON_ENDINGS);
	template_set(vars, "ENDING_BYTES", "%d", COMMON_ENDING_BYTES);
	template_set(vars, "MAX_SECONDS", "%lld", (long long)set->max_call_seconds);
	template_set(vars, "IDLE_SECONDS", "%lld", (long long)(set->idle_seconds ? set->idle_seconds : COMMON_IDLE_SECONDS));
}

bool common_word(const char *list, size_t *at, char *out, size_t size)
{
	size_t start, len;

	*at += strspn(list + *at, ", \t");
	start = *at;
	len = strcspn(list + start, ",");
	*at += len;
	while (len > 0 && (list[start + len - 1] == ' ' || list[start + len - 1] == '\t'))
		len--;
	snprintf(out, size, "%.*s", (int)len, list + start);
	return len > 0;
}

static void key_for(const struct sip_settings *set, const char *purpose, char *out)
{
	char *text = text_printf("%s:%s", purpose, set->secret), hex[65] = "";

	if (text)
		digest_hex(DIGEST_SHA256, text, strlen(text), hex);
	snprintf(out, 33, "%.32s", hex);
	text_wipe_free(text);
}

void common_event_key(const struct sip_settings *set, char *out)
{
	key_for(set, "events", out);
}

void common_ask_key(const struct sip_settings *set, char *out)
{
	key_for(set, "asks", out);
}

nxv_status common_modules(const struct sip_settings *set, const char *name, char *out, size_t size, struct nxv_error *err)
{
	static const char *const beside[] = { "lib64", "lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu",
		"lib/arm-linux-gnueabihf", "lib/i386-linux-gnu" };
	char found[PATH_MAX], program[PATH_MAX], folder[PATH_MAX + 80], probe[PATH_MAX + 100], *slash;

	if (!sip_driver_find(name, set->binary, found, sizeof(found)) || !realpath(found, program))
		return error_code(err, NXV_E_UNSUPPORTED, "sip_server_missing",
			"%s is not installed here; install it, or set sip.binary to its program", name);
	slash = strrchr(program, '/');
	*slash = '\0';
	for (size_t i = 0; i < sizeof(beside) / sizeof(*beside); i++) {
		snprintf(folder, sizeof(folder), "%s/../%s/%s/modules", program, beside[i], name);
		snprintf(probe, sizeof(probe), "%s/tm.so", folder);
		if (access(probe, R_OK) != 0)
			continue;
		if (!realpath(folder, found) || !text_copy(out, size, found))
			break;
		return check_path("sip.binary", out, err);
	}
	return error_code(err, NXV_E_UNSUPPORTED, "sip_server_missing",
		"the modules of %s were not found beside %.200s; set sip.binary to the program inside its installation", name, program);
}

bool common_since(const char *version, int major, int minor, int patch)
{
	int have_major, have_minor, have_patch = 0; /* "4.1" alone is 4.1.0 */

	if (!version || sscanf(version, "%d.%d.%d", &have_major, &have_minor, &have_patch) < 2)
		return false;
	if (have_major != major)
		return have_major > major;
	return have_minor > minor || (have_minor == minor && have_patch >= patch);
}

nxv_status common_version(const char *name, const char *version, const char *releases, struct nxv_error *err)
{
	int major = 0, minor = 0;

	if (!version || !*version || sscanf(releases, "%d.%d", &major, &minor) != 2 || common_since(version, major, minor, 0))
		return NXV_OK;
	return error_code(err, NXV_E_UNSUPPORTED, "sip_server_too_old", "%s %.20s is too old: this program was tried with %s; install one "
		"of these, or name its program in sip.binary", name, version, releases);
}
