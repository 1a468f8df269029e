/* opensips.c - the OpenSIPS driver: MI commands behind the SIP-server port. Each operation is a small object that
 * lives from the request to its one callback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/endings.h"
#include "sip/control/fan.h"
#include "sip/control/list.h"
#include "sip/opensips/impl.h"
#include "sip/opensips/opensips.h"
#include "sip/opensips/parse.h"

struct op {
	struct opensips *os;
	union {
		sip_done_fn *done;
		sip_status_fn *status;
		sip_contacts_fn *contacts;
	} fn;
	void *arg;
	struct sip_status status;
};

static struct op *op_new(struct sip_server *s, void *arg, struct nxv_error *err)
{
	struct op *op = calloc(1, sizeof(*op));

	if (!op)
		error_nomem(err);
	else
		*op = (struct op){ .os = (struct opensips *)s, .arg = arg };
	return op;
}

static struct json_object *params2(const char *name1, const char *value1, const char *name2, const char *value2)
{
	struct json_object *params = json_object_new_object();

	control_text(params, name1, value1);
	if (name2)
		control_text(params, name2, value2);
	return params;
}

/* {"table_name":"location","aor":"user@domain"}; key is a username or an address of record. */
static struct json_object *aor_params(void *arg, const char *key)
{
	struct op *op = arg;
	char *aor = text_printf("%.*s@%s", (int)strcspn(key, "@"), key, op->os->set->domain);
	struct json_object *params = params2("table_name", "location", "aor", aor ? aor : "");

	free(aor);
	return params;
}

static void op_done(struct op *op, nxv_status status, const struct nxv_error *err)
{
	op->fn.done(op->arg, status, err);
	free(op);
}

/* ---- ready */
static void ready_subscribed(void *arg, nxv_status status, const struct nxv_error *err)
{
	op_done(arg, status, err);
}

static void ready_processes(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;
	struct nxv_error missing_err = NXV_ERROR_INIT;
	char missing[96];

	if (status != NXV_OK) {
		op_done(op, status, err);
	} else if (!opensips_parse_ready(result, op->os->set->listen, missing, sizeof(missing))) {
		error_set(&missing_err, NXV_E_UNREACHABLE, "OpenSIPS runs without its process \"%s\"", missing);
		op_done(op, NXV_E_UNREACHABLE, &missing_err);
	} else {
		/* Always anew: the server may have been restarted since the last renewal, and then nothing is subscribed. */
		opensips_subscribe(op->os, ready_subscribed, op);
	}
}

static void os_ready(struct sip_server *s, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	control_call(op->os->control, "ps", NULL, ready_processes, op);
}

/* ---- status: version, then uptime, then statistics */
static void status_done(struct op *op, nxv_status status, const struct nxv_error *err)
{
	op->fn.status(op->arg, status, status == NXV_OK ? &op->status : NULL, err);
	free(op);
}

static void status_statistics(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	op->status.active_dialogs = json_int(result, "dialog:active_dialogs", 0) + json_int(result, "dialog:early_dialogs", 0);
	op->status.registrations = json_int(result, "usrloc:location-contacts", 0);
	status_done(op, status, err);
}

static void status_uptime(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;
	struct json_object *params, *names;

	if (status != NXV_OK) {
		status_done(op, status, err);
		return;
	}
	op->status.uptime_seconds = opensips_parse_uptime(result);
	params = json_object_new_object();
	names = json_object_new_array();
	control_text(names, NULL, "active_dialogs");
	control_text(names, NULL, "early_dialogs");
	control_text(names, NULL, "location-contacts");
	if (params)
		json_object_object_add(params, "statistics", names);
	control_call(op->os->control, "get_statistics", params, status_statistics, op);
}

static void status_version(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	if (status != NXV_OK) {
		status_done(op, status, err);
		return;
	}
	opensips_parse_version(result, op->status.version, sizeof(op->status.version));
	control_call(op->os->control, "uptime", NULL, status_uptime, op);
}

static void os_status(struct sip_server *s, sip_status_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);

	if (!op) {
		fn(arg, err.status, NULL, &err);
		return;
	}
	op->fn.status = fn;
	control_call(op->os->control, "version", NULL, status_version, op);
}

/* ---- end, unregister: one command each */
static void command_done(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	(void)result;
	op_done(arg, status, err);
}

static void os_end(struct sip_server *s, const char *call_id, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	/* Answered: BYE to both sides. Ringing: CANCEL, and 487 to the caller. */
	control_call(op->os->control, "dlg_end_dlg", params2("dialog_id", call_id, NULL, NULL), command_done, op);
}

static void os_unregister(struct sip_server *s, const char *username, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	control_call(op->os->control, "ul_rm", aor_params(op, username), command_done, op);
}

static void os_forget(struct sip_server *s, const char *username, const char *contact, sip_done_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);
	struct json_object *params;

	if (!op) {
		fn(arg, err.status, &err);
		return;
	}
	op->fn.done = fn;
	params = aor_params(op, username);
	control_text(params, "contact", contact);
	control_call(op->os->control, "ul_rm_contact", params, command_done, op);
}

/* ---- contacts: the addresses of record first, then each one's contacts */
static void contacts_fetched(void *arg, nxv_status status, struct json_object *answers, const struct nxv_error *err)
{
	struct op *op = arg;
	struct contact_list list = { 0 };
	struct nxv_error failed = NXV_ERROR_INIT;

	for (size_t i = 0; answers && i < json_object_array_length(answers); i++)
		opensips_parse_contacts(json_object_array_get_idx(answers, i), &list);
	if (list.failed) {
		status = error_nomem(&failed);
		err = &failed;
	}
	op->fn.contacts(op->arg, status, status == NXV_OK ? list.items : NULL, status == NXV_OK ? list.count : 0, err);
	contact_list_free(&list);
	free(op);
}

static void contacts_listed(void *arg, nxv_status status, struct json_object *result, const struct nxv_error *err)
{
	struct op *op = arg;

	if (status != NXV_OK)
		contacts_fetched(op, status, NULL, err);
	else
		fan_start(op->os->control, "ul_show_contact", opensips_parse_aors(result), 404, aor_params, contacts_fetched, op);
}

static void os_contacts(struct sip_server *s, const char *username, sip_contacts_fn *fn, void *arg)
{
	struct nxv_error err = NXV_ERROR_INIT;
	struct op *op = op_new(s, arg, &err);
	struct json_object *params;

	if (!op) {
		fn(arg, err.status, NULL, 0, &err);
		return;
	}
	op->fn.contacts = fn;
	if (username) {
		params = json_object_new_array();
		control_text(params, NULL, username);
		fan_start(op->os->control, "ul_show_contact", params, 404, aor_params, contacts_fetched, op);
		return;
	}
	params = json_object_new_object();
	control_int(params, "brief", 1);
	control_call(op->os->control, "ul_dump", params, contacts_listed, op);
}

/* ---- open, close */
static void os_close(struct sip_server *s)
{
	struct opensips *os = (struct opensips *)s;

	if (!os)
		return;
	opensips_events_close(os);
	control_close(os->control);
	explicit_bzero(os->key, sizeof(os->key));
	free(os);
}

static nxv_status os_open(const struct env *env, struct loop *loop, const struct sip_settings *set, const struct sip_sink *sink,
	struct sip_server **out, struct nxv_error *err)
{
	struct opensips *os = calloc(1, sizeof(*os));
	nxv_status status;

	*out = NULL;
	if (!os)
		return error_nomem(err);
	os->base.driver = &opensips_driver;
	os->env = env;
	os->loop = loop;
	os->set = set;
	os->sink = *sink;
	status = control_open(env, loop, set->control, set->run_dir, &os->control, err);
	if (status == NXV_OK)
		status = opensips_events_open(os, err);
	if (status != NXV_OK) {
		os_close(&os->base);
		return status;
	}
	*out = &os->base;
	return NXV_OK;
}

/* ---- endings: values of cachedb_local */
static struct json_object *ending_params(const char *ring, int place)
{
	char attr[32];

	if (place < 0)
		snprintf(attr, sizeof(attr), "%s", ring);
	else
		snprintf(attr, sizeof(attr), "%s %d", ring, place);
	return params2("system", "local", "attr", attr);
}

static void os_endings(struct sip_server *s, int64_t since_ms, sip_endings_fn *fn, void *arg)
{
	static const struct endings_store store = { "cache_fetch", ending_params };

	endings_read(((struct opensips *)s)->control, &store, since_ms, fn, arg);
}

const struct sip_driver opensips_driver = {
	.name = "opensips",
	.program = "opensips",
	.releases = OPENSIPS_RELEASES,
	.render = opensips_render,
	.prepare = opensips_prepare,
	.argv = opensips_argv,
	.open = os_open,
	.close = os_close,
	.ready = os_ready,
	.status = os_status,
	.dialogs = opensips_dialogs,
	.endings = os_endings,
	.end = os_end,
	.contacts = os_contacts,
	.unregister = os_unregister,
	.forget = os_forget,
};
