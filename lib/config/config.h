/* config.h - configuration: one table of options, read from an INI file, the environment and overrides. */
#ifndef NXV_CONFIG_CONFIG_H
#define NXV_CONFIG_CONFIG_H

#include <nexusvoip/context.h>

/** Options by number; the table in config.c holds key, default, type and help of each, in this order. */
enum config_key {
	CFG_SIP_SERVER, CFG_SIP_MODE, CFG_SIP_DOMAIN, CFG_SIP_LISTEN, CFG_SIP_WS_LISTEN, CFG_SIP_TLS_LISTEN, CFG_SIP_WSS_LISTEN,
	CFG_SIP_TLS_CERTIFICATE, CFG_SIP_TLS_PRIVATE_KEY, CFG_SIP_ADVERTISE, CFG_SIP_ORIGINATOR_LISTEN, CFG_SIP_CONTROL,
	CFG_SIP_EVENTS, CFG_SIP_WS_ORIGINS, CFG_SIP_DIGEST, CFG_SIP_KEEP_RUNNING, CFG_SIP_BINARY,
	CFG_HTTP_LISTEN, CFG_HTTP_INITIATE_WAIT_MS, CFG_HTTP_CORS_ORIGINS,
	CFG_LIMITS_REQUESTS_PER_MINUTE, CFG_LIMITS_CALLS_PER_USER, CFG_LIMITS_MAX_CALL_SECONDS,
	CFG_CALLS_RING_SECONDS, CFG_CALLS_STRICT_E164,
	CFG_COUNT
};

struct config;

/** Read it all. Later sources win: file, environment, overrides. @param file nullable; a file that was named must exist.
 * Errors: NXV_E_INVALID "bad_config" naming file, line (or variable), option and remedy. */
nxv_status config_load(const char *file, bool must_exist, const char *const *env, const char *const *set, struct config **out, struct nxv_error *err);
void config_free(struct config *cfg);
const char *config_text(const struct config *cfg, enum config_key key);
int64_t config_int(const struct config *cfg, enum config_key key);
bool config_bool(const struct config *cfg, enum config_key key);
/** By name; NULL if there is none. */
const char *config_by_name(const struct config *cfg, const char *key);

#endif
