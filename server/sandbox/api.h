/* api.h - Twilio's API as the sandbox speaks it: one request, from its credentials to its answer. */
#ifndef NEXUS_SANDBOX_API_H
#define NEXUS_SANDBOX_API_H

#include "params.h"
#include "sandbox.h"

#include <json-c/json.h>

/** A request being worked on. */
struct ask {
	struct sandbox *sandbox;
	struct job *job;
	struct form form;      /**< body of a POST, query of anything else */
	const char *sid;       /**< of the call or recording in the path; NULL: none */
	const char *below;     /**< of the recording below a call; NULL: none */
	const char *suffix;    /**< "json", "wav", "mp3" or "" */
	struct refusal refusal;
	int status;            /**< of the answer; 0: 200 */
	struct json_object *json; /**< its body; [owned]; NULL: none or raw */
	char *raw;             /**< a body that is no JSON; [owned] */
	size_t raw_len;
	const char *raw_type;
	struct call *created;  /**< by this request */
};
/** Does it: fills ask->json, ask->raw or ask->refusal. */
typedef void api_fn(struct ask *ask);

void api_serve(struct sandbox *sandbox, struct job *job);
/** True when the request carries the account's credentials, or its API key's. */
bool api_authentic(const struct sandbox *sandbox, const struct job *job);
/** End what is answered late. */
void api_close(struct sandbox *sandbox);

/* call_api.c */
api_fn call_create, call_fetch, call_list, call_update, call_delete, account_fetch;
/* recording_api.c */
api_fn recording_create, recording_fetch, recording_list, recording_update, recording_delete, recording_media;

/** Paging: where a list goes on. */
struct paging {
	int number, size;
	const char *after; /**< sid; NULL: from the start */
};
bool api_paging(struct ask *ask, struct paging *paging);
/** The query without its paging, with "&" in front. @return [owned]. */
char *api_filters(const char *query);

#endif
