/* client.h - one request to Twilio's API: its shape, the way there, and what its answer means. What the engine does on its
 * loop and what the public functions do by blocking differ only in who calls http_start() or http_send() in between. */
#ifndef NXV_TWILIO_CLIENT_H
#define NXV_TWILIO_CLIENT_H

#include <nexusvoip/twilio.h>

#include "base/buf.h"
#include "base/json.h"
#include "http/http.h"

/** What may become of a request whose answer is lost. */
enum twilio_kind {
	TWILIO_READ,   /**< nothing: it may be sent again */
	TWILIO_CHANGE, /**< it may be done or not; doing it again does no harm */
	TWILIO_CREATE  /**< it may be done or not, and must not be done twice */
};

struct nxv_twilio {
	struct http *http;
	char *base_url;    /**< without a slash at the end */
	char *account_sid;
	char *username;    /**< account or key SID */
	char *password;    /**< token or secret; wiped */
	uint32_t connect_timeout_ms, first_byte_timeout_ms, total_timeout_ms;
	size_t max_answer_bytes;
};

/** A request being made; zero-initialise with TWILIO_EXCHANGE. Freed by twilio_exchange_clear(). */
struct twilio_exchange {
	enum twilio_kind kind;
	const char *method;
	struct buf url;
	struct buf form; /**< body of a POST; wiped */
};
#define TWILIO_EXCHANGE(k, m) { .kind = (k), .method = (m) }

/** Begin the URL: base, account, and a path such as "/Calls/CA....json". */
void twilio_url(const nxv_twilio *twilio, struct twilio_exchange *x, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** Add a query to it. query: pairs made with form_add(); may be empty. */
void twilio_query(struct twilio_exchange *x, const struct buf *query);
/** Begin the URL from next_page of a list. Errors: NXV_E_INVALID when it is none of this account. */
nxv_status twilio_page_url(const nxv_twilio *twilio, struct twilio_exchange *x, const char *page, struct nxv_error *err);
/** SID with a prefix such as "CA" that is safe in a path. Errors: NXV_E_INVALID with the field. */
nxv_status twilio_check_sid(const char *sid, const char *prefix, const char *field, struct nxv_error *err);

/** From now on it shows this token or secret. @param password [owned] by it. */
void twilio_new_password(nxv_twilio *twilio, char *password);
/** The request as HTTP; borrows from both. */
nxv_status twilio_request(const nxv_twilio *twilio, const struct twilio_exchange *x, struct http_request *out, struct nxv_error *err);
/** What came of it. @param out [owned] the answer's object, NULL for an answer without body; nullable. */
nxv_status twilio_judge(enum twilio_kind kind, const struct http_result *result, struct json_object **out, struct nxv_error *err);
/** Send, wait, judge. Clears the exchange. */
nxv_status twilio_ask(nxv_twilio *twilio, struct twilio_exchange *x, struct json_object **out, struct nxv_error *err);
void twilio_exchange_clear(struct twilio_exchange *x);

/** After a good answer that could not be understood or kept: for a create that is "unknown", else "bad answer". */
nxv_status twilio_not_understood(enum twilio_kind kind, const char *why, struct nxv_error *err);

#endif
