/* kamailio.c - the Kamailio driver: RPC commands behind the SIP-server port. Each operation is a small object that
 * lives from the request to its one callback. */
#include "sip/kamailio/kamailio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/endings.h"
#include "sip/control/event.h"
#include "sip/control/fan.h"
#include "sip/control/list.h"
#include "sip/kamailio/impl.h"
#include "sip/kamailio/parse.h"

enum { RPC_NO_AOR = 500 }; /* what usrloc's RPC says for an address of record that has no contact */

struct op {
	struct kamailio *k;
	union {
		sip_done_fn *done;
		sip_status_fn *status;
		sip_dialogs_fn *dialogs;
		sip_contacts_fn *contacts;
	} fn;
	void *arg;
	char *key; /* Call-ID or username */
	char *contact; /* to forget; NULL: all */
	bool cancelled;
	struct sip_status status;
	struct contact_list contacts;
};

static struct op *op_new(struct sip_server *s, const char *key, void *arg, struct nxv_error *err)
{
	struct op *op = calloc(1, sizeof(*op));

	if (op)
		*op = (struct op){ .k = (struct kamailio *)s, .arg = arg, .key = text_dup(key ? key : "") };
	if (op && op->key)
		return op;
	free(op);
	error_nomem(err);
	return NULL;
}

static void op_free(struct op *op)
{
	contact_list_free(&op->contacts);
	free(op->key);
	free(op->contact);
	free(op);
}

static void op_done(struct op *op, nxv_status status, const struct nxv_error *err)
{
	op->fn.done(op->arg, status, err);
	op_free(op);
}

static struct json_object *one_param(void *arg, const char *value)
{
	struct json_object *params = json_object_new_array();

	(void)arg;
	control_text(params, NULL, value);
	return params;
}

/* ["location", "user@domain"]; key is a username or an address of record. */
static struct json_object *aor_params(void *arg, const char *key)
{
	struct op *op = arg;
	struct json_object *params = one_param(NULL, "location");
	char *aor = text_printf("%.*s@%s", (int)strcspn(key, "@"), key, op->k->set->domain);

	control_text(params, NULL, aor ? aor : "");
	free(aor);
	return params;
}

/* ---- ready: the RPC answers and sends us its events */
static void ready_subscribed(void *arg, nxv_status status, const struct nxv_error *err)
{
	op_done(arg, status, err);
}

static void k_ready(struct sip_server *s, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, NULL, arg, &err);

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	/* Always anew: the server may have been restarted since the last renewal, and then it does not know our address. */
	kamailio_subscribe(op->k, ready_subscribed, op);
}

/* ---- status: version, then uptime, then statistics */
static void status_done(struct op *op, nxv_status status, const struct nxv_error *err)
{
	op->fn.status(op->arg, status, status == NXV_OK ? &op->status : NULL, err);
	op_free(op);
}

static void status_statistics(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	op->status.active_dialogs = kamailio_parse_statistic(result, "dialog:active_dialogs") +
		kamailio_parse_statistic(result, "dialog:early_dialogs");
	op->status.registrations = kamailio_parse_statistic(result, "usrloc:location_contacts");
	status_done(op, status, err);
}

static void status_uptime(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;
	struct json_object *params;

	if (status != NXV_OK) {
		status_done(op, status, err);
		return;
	}
	op->status.uptime_seconds = json_int(result, "uptime", 0);
	params = one_param(NULL, "dialog:");
	control_text(params, NULL, "usrloc:");
	control_call(op->k->control, "stats.get_statistics", params, status_statistics, op);
}

static void status_version(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	if (status != NXV_OK) {
		status_done(op, status, err);
		return;
	}
	kamailio_parse_version(result, op->status.version, sizeof(op->status.version));
	control_call(op->k->control, "core.uptime", NULL, status_uptime, op);
}

static void k_status(struct sip_server *s, sip_status_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, NULL, arg, &err);

	if (!op) {
		fn(arg, err.status, NULL, &err);
		return;
	}
	op->fn.status = fn;
	control_call(op->k->control, "core.version", NULL, status_version, op);
}

/* ---- dialogs: their Call-IDs first, then each one with its variables */
static void dialogs_fetched(void *arg, nxv_status status, struct json_object *answers, const struct nxv_error *err)
{
	struct op *op = arg;
	struct dialog_list list = { 0 };
	struct nxv_error failed = NXV_ERROR_INIT;
	struct sip_dialog dialog;

	for (size_t i = 0; answers && i < json_object_array_length(answers); i++) {
		struct json_object *item = json_object_array_get_idx(answers, i);

		if (kamailio_parse_dialog(item, &dialog))
			dialog_list_add(&list, &dialog, item);
	}
	if (list.failed) {
		status = error_nomem(&failed);
		err = &failed;
	}
	op->fn.dialogs(op->arg, status, status == NXV_OK ? list.items : NULL, status == NXV_OK ? list.count : 0, err);
	dialog_list_free(&list);
	op_free(op);
}

static void dialogs_listed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	if (status != NXV_OK)
		dialogs_fetched(op, status, NULL, err);
	else
		fan_start(op->k->control, "dlg.dlg_list", kamailio_parse_briefing(result), 404, one_param, dialogs_fetched, op);
}

static void k_dialogs(struct sip_server *s, sip_dialogs_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, NULL, arg, &err);

	if (!op) {
		fn(arg, err.status, NULL, 0, &err);
		return;
	}
	op->fn.dialogs = fn;
	control_call(op->k->control, "dlg.briefing", one_param(NULL, "c"), dialogs_listed, op);
}

/* ---- endings: values of hash tables */
static struct json_object *ending_params(const char *ring, int place)
{
	struct json_object *params = one_param(NULL, place < 0 ? "sent" : ring);
	char key[16];

	snprintf(key, sizeof(key), "%d", place);
	control_text(params, NULL, place < 0 ? ring : key);
	return params;
}

static void k_endings(struct sip_server *s, int64_t since_ms, sip_endings_fn *fn, void *arg)
{
	static const struct endings_store store = { "htable.get", ending_params };

	endings_read(((struct kamailio *)s)->control, &store, since_ms, fn, arg);
}

/* ---- end: which command depends on the state, since dlg.end_dlg on a ringing call says OK and does nothing. After a
 * cancel the state is looked at again: the answer may have crossed it. */
static void end_looked_up(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err);

static void end_told(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	(void)result;
	if (op->cancelled && (status == NXV_OK || status == NXV_E_CONFLICT))
		control_call(op->k->control, "dlg.dlg_list", one_param(NULL, op->key), end_looked_up, op);
	else
		op_done(op, status, err);
}

static void end_looked_up(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;
	struct json_object *params = NULL;
	struct nxv_error none = NXV_ERROR_INIT;
	struct kamailio_state at;

	if (status != NXV_OK) {
		op_done(op, status, err);
		return;
	}
	if (!kamailio_parse_state(result, &at)) {
		if (!op->cancelled)
			error_set(&none, NXV_E_NOT_FOUND, "Kamailio knows no call %.80s", op->key);
		op_done(op, none.status, op->cancelled ? NULL : &none);
		return;
	}
	params = json_object_new_array();
	if (at.state >= 3) {
		control_int(params, NULL, at.h_entry);
		control_int(params, NULL, at.h_id);
		op->cancelled = false;
		control_call(op->k->control, "dlg.end_dlg", params, end_told, op);
	} else if (!op->cancelled) {
		control_text(params, NULL, op->key);
		control_text(params, NULL, at.cseq ? at.cseq : "");
		op->cancelled = true;
		control_call(op->k->control, "tm.cancel", params, end_told, op);
	} else {
		json_object_put(params);
		op_done(op, NXV_OK, NULL);
	}
}

static void k_end(struct sip_server *s, const char *call_id, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, call_id, arg, &err);

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	control_call(op->k->control, "dlg.dlg_list", one_param(NULL, op->key), end_looked_up, op);
}

/* ---- contacts */
static void collect_contacts(struct op *op, struct json_object *answers)
{
	for (size_t i = 0; answers && i < json_object_array_length(answers); i++)
		kamailio_parse_contacts(json_object_array_get_idx(answers, i), &op->contacts);
}

static void contacts_fetched(void *arg, nxv_status status, struct json_object *answers, const struct nxv_error *err)
{
	struct op *op = arg;
	struct nxv_error failed = NXV_ERROR_INIT;

	collect_contacts(op, answers);
	if (op->contacts.failed) {
		status = error_nomem(&failed);
		err = &failed;
	}
	op->fn.contacts(op->arg, status, status == NXV_OK ? op->contacts.items : NULL, status == NXV_OK ? op->contacts.count : 0, err);
	op_free(op);
}

static void contacts_listed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	if (status != NXV_OK)
		contacts_fetched(op, status, NULL, err);
	else
		fan_start(op->k->control, "ul.lookup", kamailio_parse_aors(result), RPC_NO_AOR, aor_params, contacts_fetched, op);
}

static void k_contacts(struct sip_server *s, const char *username, sip_contacts_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, username, arg, &err);

	if (!op) {
		fn(arg, err.status, NULL, 0, &err);
		return;
	}
	op->fn.contacts = fn;
	if (username)
		fan_start(op->k->control, "ul.lookup", one_param(NULL, username), RPC_NO_AOR, aor_params, contacts_fetched, op);
	else
		control_call(op->k->control, "ul.dump", one_param(NULL, "brief"), contacts_listed, op);
}

/* ---- unregister: usrloc says nothing of what its RPC removes, so the event is ours to make */
static void removed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	(void)result;
	for (size_t i = 0; status == NXV_OK && i < op->contacts.count; i++)
		if (!op->contact || strcmp(op->contact, op->contacts.items[i].contact) == 0)
			event_emit(&op->k->sink, SIP_EV_UNREGISTERED, op->key, op->contacts.items[i].contact, env_now_ms(op->k->env));
	op_done(op, status, err);
}

static void remove_found(void *arg, nxv_status status, struct json_object *answers, const struct nxv_error *err)
{
	struct op *op = arg;
	struct json_object *params;

	if (status != NXV_OK) {
		op_done(op, status, err);
		return;
	}
	collect_contacts(op, answers);
	params = aor_params(op, op->key);
	if (op->contact)
		control_text(params, NULL, op->contact);
	control_call(op->k->control, op->contact ? "ul.rm_contact" : "ul.rm", params, removed, op);
}

static void remove_contacts(struct sip_server *s, const char *username, const char *contact, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, username, arg, &err);

	if (op && contact && !(op->contact = text_dup(contact))) {
		op_free(op);
		op = NULL;
		error_nomem(&err);
	}
	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	fan_start(op->k->control, "ul.lookup", one_param(NULL, username), RPC_NO_AOR, aor_params, remove_found, op);
}

static void k_unregister(struct sip_server *s, const char *username, sip_done_fn *fn, void *arg)
{
	remove_contacts(s, username, NULL, fn, arg);
}

static void k_forget(struct sip_server *s, const char *username, const char *contact, sip_done_fn *fn, void *arg)
{
	remove_contacts(s, username, contact, fn, arg);
}

/* ---- open, close */
static void k_close(struct sip_server *s)
{
	struct kamailio *k = (struct kamailio *)s;

	if (!k)
		return;
	kamailio_events_close(k);
	control_close(k->control);
	explicit_bzero(k->key, sizeof(k->key));
	free(k);
}

static nxv_status k_open(const struct env *env, struct loop *loop, const struct sip_settings *set, const struct sip_sink *sink,
	struct sip_server **out, struct nxv_error *err)
{
	struct kamailio *k = calloc(1, sizeof(*k));
	nxv_status status;

	*out = NULL;
	if (!k)
		return error_nomem(err);
	k->base.driver = &kamailio_driver;
	k->env = env;
	k->loop = loop;
	k->set = set;
	k->sink = *sink;
	status = control_open(env, loop, set->control, set->run_dir, &k->control, err);
	if (status == NXV_OK)
		status = kamailio_events_open(k, err);
	if (status != NXV_OK) {
		k_close(&k->base);
		return status;
	}
	*out = &k->base;
	return NXV_OK;
}

const struct sip_driver kamailio_driver = {
	.name = "kamailio",
	.program = "kamailio",
	.releases = KAMAILIO_RELEASES,
	.render = kamailio_render,
	.prepare = kamailio_prepare,
	.argv = kamailio_argv,
	.open = k_open,
	.close = k_close,
	.ready = k_ready,
	.status = k_status,
	.dialogs = k_dialogs,
	.endings = k_endings,
	.end = k_end,
	.contacts = k_contacts,
	.unregister = k_unregister,
	.forget = k_forget,
};
