/* usage.c - the usage log over HTTP (guide, section 5): an administrator sees all, any other key its own use. */
#include <string.h>

#include "exchange.h"
#include "routes/routes.h"

static bool choose_key(struct exchange *x, const char **key_id)
{
	const char *asked = query_get(x, "keyId");

	if (owner_is_admin(x)) {
		*key_id = asked;
		return true;
	}
	if (asked && strcmp(asked, x->pass->key_id) != 0) {
		owner_denied(x, "keyId");
		return false;
	}
	*key_id = x->pass->key_id;
	return true;
}

void usage_list(struct exchange *x)
{
	struct nxv_usage_list_opts opts = NXV_USAGE_LIST_OPTS_INIT;
	struct nxv_error err = NXV_ERROR_INIT;
	struct nxv_usage_page *list = NULL;

	if (!owner_filter(x, &opts.user_id) || !choose_key(x, &opts.key_id) || !query_limit(x, &opts.limit) ||
		!query_time(x, "since", &opts.since_ms) || !query_time(x, "until", &opts.until_ms))
		return;
	opts.subject = query_get(x, "sessionId");
	opts.cursor = query_get(x, "cursor");
	if (nxv_usage_list(x->ctx, &opts, &list, &err) == NXV_OK)
		answer_page(x, "usage", nxv_json_usages(list), list->next_cursor);
	else
		answer_error(x, &err);
	nxv_usage_page_free(list);
}
