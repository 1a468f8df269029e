/* render.h - calls, recordings and pages of them as Twilio's JSON. */
#ifndef NEXUS_SANDBOX_RENDER_H
#define NEXUS_SANDBOX_RENDER_H

#include "sandbox.h"

#include <json-c/json.h>

/** @return [owned], json_object_put(). */
struct json_object *render_call(const struct call *call);
/** @param of_call as a recording of its call, or of the account. */
struct json_object *render_recording(const struct sandbox *sandbox, const struct recording *recording, bool of_call);
struct json_object *render_account(const struct sandbox *sandbox);

/** A page of a list. */
struct page {
	const char *path, *filters; /**< filters: "&Name=value..." as they came, without paging; "" for none */
	int number, size, count;    /**< count: of items in it */
	const char *first, *last;   /**< sids in it; NULL if empty */
	bool more;
};
/** Add the members of a page to a list's object. */
void render_page(struct json_object *list, const struct page *page);

#endif
