/* config.h - configuration: one table of options, read from an INI file, the environment and overrides. */
#ifndef NXV_CONFIG_CONFIG_H
#define NXV_CONFIG_CONFIG_H

#include <nexusvoip/context.h>

/** Options by number; the table in config.c holds key, default, type and help of each, in this order. */
enum config_key {
	CFG_SIP_SERVER, CFG_SIP_MODE, CFG_SIP_DOMAIN, CFG_SIP_LISTEN, CFG_SIP_WS_LISTEN, CFG_SIP_TLS_LISTEN, CFG_SIP_WSS_LISTEN,
	CFG_SIP_TLS_CERTIFICATE, CFG_SIP_TLS_PRIVATE_KEY, CFG_SIP_ADVERTISE, CFG_SIP_ORIGINATOR_LISTEN, CFG_SIP_CONTROL,
	CFG_SIP_EVENTS, CFG_SIP_WS_ORIGINS, CFG_SIP_DIGEST, CFG_SIP_KEEP_RUNNING, CFG_SIP_BINARY,
	CFG_HTTP_LISTEN, CFG_HTTP_INITIATE_WAIT_MS, CFG_HTTP_CORS_ORIGINS, CFG_HTTP_PUBLIC_URL,
	CFG_LIMITS_REQUESTS_PER_MINUTE, CFG_LIMITS_CALLS_PER_USER, CFG_LIMITS_MAX_CALL_SECONDS,
	CFG_LIMITS_USER_CALLS_PER_DAY, CFG_LIMITS_KEY_CALLS_PER_DAY, CFG_LIMITS_USER_MINUTES_PER_DAY,
	CFG_LIMITS_KEY_MINUTES_PER_DAY,
	CFG_CALLS_RING_SECONDS, CFG_CALLS_STRICT_E164, CFG_CALLS_TRACE_DAYS,
	CFG_CALLS_CARRIER, CFG_CALLS_ALLOW, CFG_CALLS_CALLER_IDS, CFG_CALLS_PREMIUM, CFG_CALLS_EMERGENCY, CFG_CALLS_COUNTRY, CFG_CALLS_NATIONAL_PREFIX,
	CFG_TWILIO_ACCOUNT_SID, CFG_TWILIO_API_KEY_SID, CFG_TWILIO_EDGE, CFG_TWILIO_REGION, CFG_TWILIO_BASE_URL,
	CFG_TWILIO_CREATES_PER_SECOND, CFG_TWILIO_SIP_DOMAIN, CFG_TWILIO_ADDRESSES,
	CFG_TRUNK_HOST, CFG_TRUNK_PORT, CFG_TRUNK_TRANSPORT, CFG_TRUNK_USERNAME, CFG_TRUNK_REALM, CFG_TRUNK_ADDRESSES,
	CFG_TRUNK_CALLER_ID,
	CFG_SECRETS_KEY_FILE, CFG_SECRETS_PASSPHRASE_FILE,
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
/** The words of a list, which are separated by spaces and commas: call with *at = the list's text until it returns 0.
 * @return the word's length; it begins at *word. */
size_t config_word(const char **at, const char **word);

/** A secret: never an option, so that no list, file or command line holds its value. */
struct config_secret {
	const char *key, *env, *help;
	bool stored; /**< can be kept in the sealed store; the passphrase that seals it cannot */
};
enum { CFG_SECRET_COUNT = 4 };
extern const struct config_secret config_secrets[CFG_SECRET_COUNT];
/** NULL: there is no such secret. */
const struct config_secret *config_secret_find(const char *key);
/** What the environment gave for a secret; NULL: nothing. Others want secret_get() of secrets/secrets.h. */
const char *config_secret(const struct config *cfg, const char *key);
/** $CREDENTIALS_DIRECTORY, where systemd puts credentials; NULL: none. */
const char *config_credentials_dir(const struct config *cfg);

#endif
