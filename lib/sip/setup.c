/* setup.c - the SIP server's settings: driver, paths, addresses and the service user, from configuration and state folder.
 * Everything that will be written into a server's configuration is checked here, so that no value can break out of it. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "sip/manager.h"
#include "sip/probe.h"
#include "sip/setup_ports.h"
#include "sip/setup_trunk.h"

enum { RUN_DIR_MAX = 80 };
#define SERVICE_USER "nexus-gateway"
#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

nxv_status setup_own(struct sip_setup *setup, const char **member, char *text, struct nxv_error *err)
{
	size_t i = 0, count = sizeof(setup->owned) / sizeof(setup->owned[0]);

	if (!text)
		return error_nomem(err);
	while (i < count && setup->owned[i])
		i++;
	if (i == count) {
		free(text);
		return error_set(err, NXV_E_INTERNAL, "more than %zu settings", count);
	}
	setup->owned[i] = text;
	*member = text;
	return NXV_OK;
}

static nxv_status check_chars(const char *text, const char *field, const char *allowed, const char *what, struct nxv_error *err)
{
	size_t good = strspn(text, allowed);

	if (!text[good])
		return NXV_OK;
	return error_field(err, field, "'%s' holds a character that is not allowed here: only %s", text, what);
}

static nxv_status load_run_dir(struct sip_setup *setup, const char *state_dir, struct nxv_error *err)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/sip", state_dir) >= (int)sizeof(path))
		return error_field(err, "state_dir", "the path is too long");
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return error_errno(err, errno, "cannot create %s", path);
	if (!realpath(path, real))
		return error_errno(err, errno, "cannot find %s", path);
	if (strlen(real) >= RUN_DIR_MAX)
		return error_field(err, "state_dir", "'%s' is too long for the sockets inside it: choose a folder of at most %d bytes",
			state_dir, RUN_DIR_MAX - 5);
	for (const char *p = real; *p; p++)
		if ((unsigned char)*p < 0x80 && !strchr(ALNUM "/._-+@~", *p))
			return error_field(err, "state_dir",
				"'%s' will be written into the SIP server's configuration: choose a folder named with letters, digits and ._-+@~",
				real);
	return setup_own(setup, &setup->set.run_dir, text_dup(real), err);
}

static nxv_status load_driver(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	const char *name = config_text(cfg, CFG_SIP_SERVER), *binary = config_text(cfg, CFG_SIP_BINARY);

	setup->external = strcmp(config_text(cfg, CFG_SIP_MODE), "external") == 0;
	if (!setup->external) {
		setup->driver = sip_driver_find(name, binary, setup->program, sizeof(setup->program));
		return setup_own(setup, &setup->set.binary, text_dup(setup->driver ? setup->program : binary), err);
	}
	for (size_t i = 0; sip_drivers[i]; i++)
		if (strcmp(sip_drivers[i]->name, name) == 0)
			setup->driver = sip_drivers[i];
	if (!setup->driver)
		return error_field(err, "sip.server", "must be opensips or kamailio when sip.mode is external");
	if (!*config_text(cfg, CFG_SIP_CONTROL))
		return error_field(err, "sip.control", "must name the SIP server's control socket when sip.mode is external");
	return setup_own(setup, &setup->set.binary, text_dup(binary), err);
}

static nxv_status load_paths(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	struct sip_settings *set = &setup->set;
	const char *control = config_text(cfg, CFG_SIP_CONTROL);
	nxv_status status = setup_own(setup, &set->auth_db, text_printf("%s/auth.db", set->run_dir), err);

	if (status == NXV_OK)
		status = setup_own(setup, &set->location_db,
			text_printf("%s/location-%s.db", set->run_dir, setup->driver ? setup->driver->name : "none"), err);
	if (status == NXV_OK)
		status = check_chars(control, "sip.control", ALNUM "/._-+@~:", "letters, digits and /._-+@~:", err);
	if (status == NXV_OK)
		status = setup_own(setup, &set->control, *control ? text_dup(control) : text_printf("%s/control.sock", set->run_dir), err);
	return status;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

struct address_row {
	enum config_key key;
	const char *option;
	size_t offset;
	bool optional, loopback;
};
static const struct address_row address_rows[] = {
	{ CFG_SIP_LISTEN, "sip.listen", offsetof(struct sip_settings, listen), false, false },
	{ CFG_SIP_WS_LISTEN, "sip.ws_listen", offsetof(struct sip_settings, ws_listen), true, false },
	{ CFG_SIP_TLS_LISTEN, "sip.tls_listen", offsetof(struct sip_settings, tls_listen), true, false },
	{ CFG_SIP_WSS_LISTEN, "sip.wss_listen", offsetof(struct sip_settings, wss_listen), true, false },
	{ CFG_SIP_EVENTS, "sip.events", offsetof(struct sip_settings, events), false, true },
	{ CFG_SIP_ORIGINATOR_LISTEN, "sip.originator_listen", offsetof(struct sip_settings, originator), false, false },
};

static nxv_status load_address(
	struct sip_setup *setup, const struct address_row *row, const char *text, struct kept *kept, struct nxv_error *err)
{
	const char **member = (const char **)((char *)&setup->set + row->offset);
	struct sockaddr_storage address;
	socklen_t len;
	char *resolved;
	nxv_status status;

	if (row->optional && !*text)
		return setup_own(setup, member, text_dup(""), err);
	if (!probe_address(text, &address, &len))
		return error_field(err, row->option, "'%s' is not an IP address and port, such as 127.0.0.1:5060", text);
	if (row->loopback && !is_loopback(&address))
		return error_field(err, row->option, "'%s' must be a loopback address: events are not encrypted", text);
	status = kept_address(kept, row->option, text, &resolved, err);
	return status == NXV_OK ? setup_own(setup, member, resolved, err) : status;
}

/* The originator and Kamailio's events, which leave from its listener, use the SIP server's family: their defaults follow
 * an IPv6 listener, which comes before them in the table. */
static const char *address_text(const struct sip_setup *setup, const struct config *cfg, enum config_key key)
{
	const char *text = config_text(cfg, key);
	const bool follows = key == CFG_SIP_ORIGINATOR_LISTEN || (key == CFG_SIP_EVENTS && setup->driver && strcmp(setup->driver->name, "kamailio") == 0);

	if (follows && setup->set.listen[0] == '[' && strcmp(text, "127.0.0.1:0") == 0)
		return "[::1]:0";
	return text;
}

static nxv_status load_addresses(struct sip_setup *setup, const struct config *cfg, struct kept *kept, struct nxv_error *err)
{
	nxv_status status = NXV_OK;

	for (size_t i = 0; status == NXV_OK && i < sizeof(address_rows) / sizeof(address_rows[0]); i++)
		status = load_address(setup, &address_rows[i], address_text(setup, cfg, address_rows[i].key), kept, err);
	return status;
}

static nxv_status load_domain(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	struct sip_settings *set = &setup->set;
	const char *domain = config_text(cfg, CFG_SIP_DOMAIN), *advertise = config_text(cfg, CFG_SIP_ADVERTISE);
	nxv_status status = check_chars(domain, "sip.domain", ALNUM ".-", "letters, digits, dot and hyphen", err);

	if (status == NXV_OK && (!*domain || strlen(domain) > 63))
		status = error_field(err, "sip.domain", "must be 1 to 63 characters");
	if (status == NXV_OK)
		status = setup_own(setup, &set->domain, text_dup(domain), err);
	if (status == NXV_OK)
		status = check_chars(advertise, "sip.advertise", ALNUM ".-:[]", "HOST:PORT", err);
	if (status == NXV_OK)
		status = setup_own(setup, &set->advertise, text_dup(advertise), err);
	return status;
}

static nxv_status load_digest(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	static const char *const known[] = { "MD5", "SHA-256", "SHA-512-256" };
	char list[64] = "", copy[64], *save = NULL;
	size_t used = 0;

	if (!text_copy(copy, sizeof(copy), config_text(cfg, CFG_SIP_DIGEST)))
		return error_field(err, "sip.digest", "is too long: name MD5, SHA-256 and SHA-512-256 at most once each");
	for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
		size_t i = 0;
		while (i < 3 && strcmp(known[i], word) != 0)
			i++;
		if (i == 3)
			return error_field(err, "sip.digest", "'%s' is not one of MD5, SHA-256, SHA-512-256", word);
		used += (size_t)snprintf(list + used, sizeof(list) - used, used ? ",%s" : "%s", word);
	}
	if (!*list)
		return error_field(err, "sip.digest", "must name at least one of MD5, SHA-256, SHA-512-256");
	return setup_own(setup, &setup->set.digest, text_dup(list), err);
}

static nxv_status load_file(struct sip_setup *setup, const char **member, const char *path, const char *option, bool needed,
	struct nxv_error *err)
{
	nxv_status status = check_chars(path, option, ALNUM "/._-+@~", "letters, digits and /._-+@~", err);

	if (status != NXV_OK)
		return status;
	if (needed && !*path)
		return error_field(err, option, "must name a PEM file when sip.tls_listen or sip.wss_listen is set");
	if (needed && access(path, R_OK) != 0)
		return error_field(err, option, "the file '%s' cannot be read: %s", path, strerror(errno));
	return setup_own(setup, member, text_dup(path), err);
}

static nxv_status load_rest(struct sip_setup *setup, const struct config *cfg, struct nxv_error *err)
{
	struct sip_settings *set = &setup->set;
	const char *origins = config_text(cfg, CFG_SIP_WS_ORIGINS);
	bool tls = *set->tls_listen || *set->wss_listen;
	nxv_status status = load_digest(setup, cfg, err);

	if (status == NXV_OK)
		status = load_file(
			setup, &set->tls_certificate, config_text(cfg, CFG_SIP_TLS_CERTIFICATE), "sip.tls_certificate", tls, err);
	if (status == NXV_OK)
		status = load_file(
			setup, &set->tls_private_key, config_text(cfg, CFG_SIP_TLS_PRIVATE_KEY), "sip.tls_private_key", tls, err);
	if (status == NXV_OK)
		status = check_chars(origins, "sip.ws_origins", ALNUM ":/.,*-[] ", "origins such as https://example.com", err);
	if (status == NXV_OK)
		status = setup_own(setup, &set->ws_origins, text_dup(origins), err);
	if (status == NXV_OK)
		status = setup_trunk_load(setup, cfg, err);
	set->calls_per_user = config_int(cfg, CFG_LIMITS_CALLS_PER_USER);
	set->max_call_seconds = config_int(cfg, CFG_LIMITS_MAX_CALL_SECONDS);
	set->ring_seconds = config_int(cfg, CFG_CALLS_RING_SECONDS);
	return status;
}

/* The service user's password is derived from the secret and never stored: only its digests leave this function. */
static nxv_status load_service(struct sip_setup *setup, struct nxv_error *err)
{
	char password[65], *seed = text_printf("service user of the gateway:%s", setup->set.secret);
	nxv_status status;

	setup->set.service_user = SERVICE_USER;
	if (!seed)
		return error_nomem(err);
	if (!digest_hex(DIGEST_SHA256, seed, strlen(seed), password))
		status = error_set(err, NXV_E_UNSUPPORTED, "OpenSSL refuses SHA-256");
	else
		status = subscriber_digests(SERVICE_USER, setup->set.domain, password, setup->service_md5, setup->service_sha256,
			setup->service_sha512t256, err);
	explicit_bzero(password, sizeof(password));
	text_wipe_free(seed);
	return status;
}

static nxv_status load_kept(struct sip_setup *setup, const struct env *env, const struct config *cfg, struct nxv_error *err)
{
	struct kept kept;
	char *secret = NULL;
	nxv_status status = kept_open(&kept, env, setup->set.run_dir, err), closed;

	if (status == NXV_OK)
		status = load_addresses(setup, cfg, &kept, err);
	if (status == NXV_OK)
		status = kept_secret(&kept, &secret, err);
	if (status == NXV_OK)
		status = setup_own(setup, &setup->set.secret, secret, err);
	closed = kept_close(&kept, status == NXV_OK, status == NXV_OK ? err : NULL);
	return status == NXV_OK ? closed : status;
}

nxv_status sip_setup_load(
	const struct env *env, const struct config *cfg, const char *state_dir, struct sip_setup **out, struct nxv_error *err)
{
	struct sip_setup *setup = calloc(1, sizeof(*setup));
	nxv_status status;

	*out = NULL;
	if (!setup)
		return error_nomem(err);
	status = load_run_dir(setup, state_dir, err);
	if (status == NXV_OK)
		status = load_driver(setup, cfg, err);
	if (status == NXV_OK)
		status = load_paths(setup, cfg, err);
	if (status == NXV_OK)
		status = load_domain(setup, cfg, err);
	if (status == NXV_OK)
		status = load_kept(setup, env, cfg, err);
	if (status == NXV_OK)
		status = load_rest(setup, cfg, err);
	if (status == NXV_OK)
		status = load_service(setup, err);
	if (status != NXV_OK) {
		sip_setup_free(setup);
		return status;
	}
	*out = setup;
	return NXV_OK;
}

void sip_setup_service(const struct sip_setup *setup, struct subscriber *out)
{
	*out = (struct subscriber){ .username = setup->set.service_user,
		.domain = setup->set.domain,
		.ha1 = setup->service_md5,
		.ha1_sha256 = setup->service_sha256,
		.ha1_sha512t256 = setup->service_sha512t256,
		.owner = "" };
}

void sip_setup_free(struct sip_setup *setup)
{
	if (!setup)
		return;
	for (size_t i = 0; i < sizeof(setup->owned) / sizeof(setup->owned[0]); i++)
		text_wipe_free(setup->owned[i]);
	explicit_bzero(setup, sizeof(*setup));
	free(setup);
}
