/* dialogs.c - OpenSIPS: the list of dialogs, page by page, since a datagram holds but few of them with their SDP.
 * Dialogs come and go between pages, so passes are repeated until one saw as many as the server counts; what any pass
 * saw is told. */
#include <stdlib.h>

#include "base/error.h"
#include "sip/control/list.h"
#include "sip/opensips/impl.h"
#include "sip/opensips/parse.h"

enum { PAGE = 16, PASSES = 4 };

struct listing {
	struct opensips *os;
	struct json_object *seen; /* every dialog by its id */
	struct json_object *pass; /* ids of this pass */
	int index, page, passes;
	int64_t first_count;
	sip_dialogs_fn *fn;
	void *arg;
};

static void next_page(struct listing *l);

static void listing_done(struct listing *l, nxv_status status, const struct nxv_error *err)
{
	struct dialog_list list = { 0 };
	struct nxv_error failed = NXV_ERROR_INIT;

	if (status == NXV_OK) {
		json_object_object_foreach(l->seen, id, obj) {
			struct sip_dialog dialog;

			(void)id;
			if (opensips_parse_dialog(obj, &dialog))
				dialog_list_add(&list, &dialog, obj);
		}
	}
	if (list.failed) {
		status = error_nomem(&failed);
		err = &failed;
	}
	l->fn(l->arg, status, status == NXV_OK ? list.items : NULL, status == NXV_OK ? list.count : 0, status == NXV_OK ? NULL : err);
	dialog_list_free(&list);
	json_object_put(l->seen);
	json_object_put(l->pass);
	free(l);
}

static void start_pass(struct listing *l)
{
	struct nxv_error err = NXV_ERROR_INIT;

	json_object_put(l->pass);
	l->pass = json_object_new_object();
	l->index = 0;
	l->first_count = -1;
	l->passes++;
	if (l->pass && l->seen) {
		next_page(l);
		return;
	}
	error_nomem(&err);
	listing_done(l, NXV_E_NOMEM, &err);
}

static void paged(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct listing *l = arg;
	struct json_object *items = json_member(result, "Dialogs");
	const int64_t count = json_int(result, "count", 0);
	const size_t got = json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0;

	if (status == NXV_E_LIMIT && l->page > 1) {
		l->page = (l->page + 1) / 2;
		next_page(l);
		return;
	}
	if (status != NXV_OK) {
		listing_done(l, status, err);
		return;
	}
	for (size_t i = 0; i < got; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *id = json_text(item, "ID");

		if (!id)
			continue;
		json_object_object_add(l->seen, id, json_object_get(item));
		json_object_object_add(l->pass, id, NULL);
	}
	if (l->first_count < 0)
		l->first_count = count;
	l->index += (int)got;
	if (got > 0 && l->index < count)
		next_page(l);
	else if ((count == l->first_count && json_object_object_length(l->pass) >= count) || l->passes == PASSES)
		listing_done(l, NXV_OK, NULL);
	else
		start_pass(l);
}

static void next_page(struct listing *l)
{
	struct json_object *params = json_object_new_object();

	control_int(params, "index", l->index);
	control_int(params, "counter", l->page);
	control_call(l->os->control, "dlg_list_ctx", params, paged, l);
}

void opensips_dialogs(struct sip_server *s, sip_dialogs_fn *fn, void *arg)
{
	struct listing *l = calloc(1, sizeof(*l));
	struct nxv_error err = NXV_ERROR_INIT;

	if (!l) {
		error_nomem(&err);
		fn(arg, NXV_E_NOMEM, NULL, 0, &err);
		return;
	}
	*l = (struct listing){ .os = (struct opensips *)s, .seen = json_object_new_object(), .page = PAGE, .fn = fn, .arg = arg };
	start_pass(l);
}
