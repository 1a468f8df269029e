/* common.h - what both drivers' render() and prepare() share: checks of the settings, so that nothing in them can
 * break out of a configuration file, and the values both templates use. */
#ifndef NXV_SIP_CONTROL_COMMON_H
#define NXV_SIP_CONTROL_COMMON_H

#include "sip/control/template.h"
#include "sip/server.h"

/** How long a call of the gateway's may ring: its own ring timer is shorter. */
enum { COMMON_OUR_RING_SECONDS = 310 };
/** How long a connection over which nobody has proved who he is may be silent. */
enum { COMMON_IDLE_SECONDS = 120 };
/** How many of the latest calls' endings a server remembers, of those answered and of those not, and how long one may be: what
 * both take of its shared memory. */
enum { COMMON_ENDINGS = 2048, COMMON_ENDING_BYTES = 2000 };

/** Errors: NXV_E_INVALID naming the option at fault. */
nxv_status common_check(const struct sip_settings *set, struct nxv_error *err);
/** Values used by both templates. advertise: the server's own word for an advertised address ("as", "advertise"). */
void common_vars(struct template_vars *vars, const struct sip_settings *set, const char *version, const char *advertise, bool mask);
/** The server's module folder, found from its program; name is "opensips" or "kamailio".
 * Errors: NXV_E_UNSUPPORTED when it is not installed. */
nxv_status common_modules(const struct sip_settings *set, const char *name, char *out, size_t size, struct nxv_error *err);
/** Refuse a server older than the first of releases ("3.4, 3.6, 4.0"); NULL or "" is taken as new enough. Errors: NXV_E_UNSUPPORTED. */
nxv_status common_version(const char *name, const char *version, const char *releases, struct nxv_error *err);
/** True when it is known and at least major.minor.patch. */
bool common_since(const char *version, int major, int minor, int patch);
/** Make location.db hold the schema of this table version; another server's or version's table is dropped: phones
 * register again by themselves. */
nxv_status common_location(const struct env *env, const struct sip_settings *set, const char *schema, int table_version, struct nxv_error *err);
/** Word of the list (separated by commas, blanks around them dropped), or NULL past the end. *at starts at 0. */
bool common_word(const char *list, size_t *at, char *out, size_t size);
/** Token inside pushed events that only the server and the gateway know, from the secret; 33 bytes. */
void common_event_key(const struct sip_settings *set, char *out);
/** The same for what the server asks the gateway, and its answers. */
void common_ask_key(const struct sip_settings *set, char *out);

#endif
