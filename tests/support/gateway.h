/* gateway.h - a whole gateway under test: state folder, nexusd, SIP server, users with phones; and ways to talk to it
 * by HTTP, by nexusctl and, for what neither shows, by the library. */
#ifndef TEST_SUPPORT_GATEWAY_H
#define TEST_SUPPORT_GATEWAY_H

#include "http.h"
#include "phone.h"

#include <nexusvoip/nexusvoip.h>
#include <sys/types.h>

/** A setting: the SIP server listens on [::1]. */
#define GATEWAY_IP6 "ip6"

enum { SETTINGS_MAX = 16 };

struct gateway {
	const char *state;       /**< folder */
	char server[16];         /**< "opensips" or "kamailio" */
	char url[64];            /**< "http://127.0.0.1:41234" */
	char sip[32];            /**< "127.0.0.1:20010" */
	char domain[32];
	char admin_key[160];
	char nexusd_log[96];
	const char *program;     /**< nexusd, or a build of it for one test */
	const char *listen;      /**< of HTTP; "127.0.0.1:0" */
	const char *const *env;  /**< NAME=VALUE list for it, nullable */
	struct proc *nexusd;
	nxv_ctx *ctx;            /**< the state folder seen by this process; no engine */
	const char *arg;         /**< one more argument for nexusd, such as "--sandbox"; set it after gateway_prepare() */
};

/** Make a state folder with a configuration file and start nexusd on it; the SIP server too unless settings say otherwise.
 * @param settings NULL-ended "section.key=value" list, nullable. False: says why on stderr. */
bool gateway_start(struct gateway *gw, const char *server, const char *const *settings);
/** Make the state folder, its first key and its configuration only. */
bool gateway_prepare(struct gateway *gw, const char *server, const char *const *settings);
/** Start nexusd on it, again. */
bool gateway_run(struct gateway *gw);
/** Ask for the SIP server and wait for it. */
bool gateway_sip_start(struct gateway *gw);
/** SIGTERM. @return nexusd's exit status. The state folder stays. */
int gateway_stop(struct gateway *gw);
/** Stop, and forget it. */
void gateway_close(struct gateway *gw);

/** HTTP; body and key may be NULL. The reply is kept until the next call. */
struct http_reply *gateway_http(struct gateway *gw, const char *method, const char *path, const char *key, const char *body);
/** The same with one more header, "Name: value". */
struct http_reply *gateway_http_with(struct gateway *gw, const char *method, const char *path, const char *key, const char *body, const char *header);
/** nexusctl --state ... --json WORDS; words separated by one space. @return its exit status, -1 too late. */
__attribute__((format(printf, 2, 3))) int gateway_ctl(struct gateway *gw, const char *words, ...);
/** What the last gateway_ctl() printed: as JSON (NULL if it is none), as text, and on standard error. Kept until the next. */
struct json_object *gateway_ctl_json(void);
const char *gateway_ctl_out(void);
const char *gateway_ctl_err(void);

/** A user with a key and, once asked for, a SIP credential. */
struct user {
	char id[32];
	char key[160], key_id[64];           /**< call, sip, recording */
	char username[64], password[128], credential_id[64];
	struct phone *phone;
};
/** Make a user's key and credential over HTTP. */
bool user_make(struct gateway *gw, const char *id, struct user *out);
/** A phone of the user, not registered. tone_hz 0: silent. */
struct phone *user_phone(struct gateway *gw, struct lab *lab, struct user *user, double tone_hz);
/** Make it, register it, keep it in user->phone. */
bool user_register(struct gateway *gw, struct lab *lab, struct user *user, double tone_hz);

/** A call as the API tells it. */
struct told {
	int http_status;
	char id[96], status[24], reason[40], direction[24];
	int64_t started_ms, ringing_ms, answered_ms, ended_ms, duration_s, seq;
	int sip_code;
};
/** POST call/initiate without Twilio. @return HTTP status. */
int api_initiate(struct gateway *gw, const struct user *user, const char *to, struct told *out);
void api_read(struct json_object *session, struct told *out);
bool api_get(struct gateway *gw, const struct user *user, const char *id, struct told *out);
/** Poll until it has this status ("ended": any final one). False when it does not come in time; out is what it was last. */
bool api_wait(struct gateway *gw, const struct user *user, const char *id, const char *status, int timeout_ms, struct told *out);
int api_end(struct gateway *gw, const struct user *user, const char *id);
/** Wait until the user holds `want` call slots. @return how many it holds at last. */
int64_t slots_wait(struct gateway *gw, const char *user_id, int64_t want, int timeout_ms);

int64_t now_ms(void); /**< monotonic */
int64_t utc_ms(void);
void nap_ms(int ms);

#endif
