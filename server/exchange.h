/* exchange.h - one request and its answer, as middleware and routes see them. */
#ifndef NEXUSD_EXCHANGE_H
#define NEXUSD_EXCHANGE_H

#include <nexusvoip/nexusvoip.h>

#include <stdatomic.h>

#include "aside.h"
#include "http/http.h"
#include "router.h"

enum { QUERY_MAX = 8 };

struct media;
struct media_desk;

/** What all loops share. */
struct app {
	nxv_ctx *ctx;
	const char *cors_origins; /**< separated by commas or blanks; "*": any */
	uint32_t initiate_wait_ms;
	atomic_bool draining;
	bool sandbox;             /**< calls over Twilio are none */
	struct media_desk *media;
};

/** What one loop has of its own. */
struct lane {
	struct app *app;
	nxv_inbox *inbox;
	struct aside *aside;      /**< waits for the SIP server */
	struct aside *twilio;     /**< waits for Twilio */
	struct aside *store;      /**< waits for the store: webhooks come in swarms */
	struct media *answered;   /**< recordings that begin to come; see media.c */
	int bell;                 /**< rung by all of them: eventfd */
	struct http_app http;
	struct http_loop *loop;
};

struct exchange {
	struct app *app;
	struct lane *lane;
	nxv_ctx *ctx;
	struct http_request *http;
	const struct route *route; /**< NULL: none matched */
	const char *param;         /**< the path's parameter */
	struct route_match match;
	char request_id[129];
	struct nxv_pass *pass;     /**< NULL before the gate, and on open routes */
	struct nxv_body *body;     /**< checked; of the route's kind */
	char *query_text;
	struct { const char *name, *value; } query[QUERY_MAX];
	size_t queries;
	const char *idempotency_key; /**< held: the answer will be stored under it */
	bool placed;               /**< a call was stored: this request must never be done twice */
	const char *type;          /**< content type of the answer */
	/** Set while a completion is awaited; gets it on the loop's thread. */
	void (*resume)(struct exchange *x, const struct nxv_completion *done);
	char *subject;             /**< id of what is awaited */
	struct aside *at;          /**< where work is done */
	void (*work)(struct exchange *x); /**< set while it is aside: fills result and done, touches nothing else */
	void *result;
	struct nxv_completion done;
	struct media *media;       /**< that is fetched for it; NULL: none */
};

/* answer.c: each ends the exchange, except when it returns. body and json are taken over; NULL means memory ran out. */
void answer_json(struct exchange *x, int status, char *body, size_t len);
/** {"success":true} or {"success":true,"<name>":<json>}. */
void answer_ok(struct exchange *x, int status, const char *name, char *json);
/** {"success":true,"<name>":<json>,"nextCursor":...} with a Link header. @param cursor nullable. */
void answer_page(struct exchange *x, const char *name, char *json, const char *cursor);
/** A page as lines of text, with the same Link header. @param body [owned]. @param type static. */
void answer_lines(struct exchange *x, const char *type, char *body, const char *cursor);
void answer_error(struct exchange *x, const struct nxv_error *err);
/** The same for a request that left a session all the same: its id is in the details. */
void answer_error_of(struct exchange *x, const struct nxv_error *err, const char *session_id);
void answer_problem(struct exchange *x, int status, const char *code, const char *message, const struct nxv_problems *problems);
/** A body that comes in pieces. The use is on record with the length that is announced. @param len -1: not known. */
void answer_stream(struct exchange *x, int status, struct http_stream *stream, int64_t len);
/** Text that is no JSON, or is static. */
void answer_static(struct exchange *x, int status, const char *body, size_t len);

/* middleware.c */
/** http_app's entries. */
void exchange_serve(void *lane, struct http_request *req);
void exchange_hurry(void *lane, struct http_request *req);
void exchange_done(void *lane, struct http_request *req);
void exchange_wake(void *lane);
char *exchange_malformed(void *lane, int status, char *id);
/** Suspend: resume gets the completion whose token is x. */
void exchange_wait(struct exchange *x, const char *subject, void (*resume)(struct exchange *, const struct nxv_completion *));
/** Suspend and run work on a thread beside the loop, for a call that may wait; then resume with x->done.
 * @param at one of the lane's. @param subject nullable, kept in x->subject. @return false: too many wait, nothing was done. */
bool exchange_try_aside(struct exchange *x, struct aside *at, const char *subject, void (*work)(struct exchange *), void (*resume)(struct exchange *, const struct nxv_completion *));
/** The same; answered 503 when there is no room. */
void exchange_aside(struct exchange *x, struct aside *at, const char *subject, void (*work)(struct exchange *), void (*resume)(struct exchange *, const struct nxv_completion *));

/** What exchange_wait() waited for has come. */
void exchange_resume(struct exchange *x, const struct nxv_completion *done);

/* query.c: parameters behind '?'. */
bool query_read(struct exchange *x, struct nxv_problems *problems);
/** NULL if absent. */
const char *query_get(const struct exchange *x, const char *name);
/** Common parameters; false after answering 400. */
/** One of words (NULL-ended), the first if absent. */
bool query_word(struct exchange *x, const char *name, const char *const *words, size_t *index);
bool query_limit(struct exchange *x, unsigned *limit);
bool query_time(struct exchange *x, const char *name, int64_t *at_ms);

/* owner.c: whose things a key may touch. */
bool owner_is_admin(const struct exchange *x);
/** True when the key may act on things of this user. */
bool owner_may(const struct exchange *x, const char *user_id);
/** The user to list: the parameter userId, or the key's own; for an administrator NULL: all. False after answering 403. */
bool owner_filter(struct exchange *x, const char **user_id);
/** Answer that there is no such thing, exactly alike for what belongs to others. */
void owner_not_found(struct exchange *x, const char *what);
void owner_denied(struct exchange *x, const char *field);

#endif
