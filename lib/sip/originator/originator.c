/* originator.c - the carrier that places calls through our SIP server: opening, closing, the port's operations. */
#include "sip/originator/call.h"

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LEG_BUCKETS = 1024 };

static struct originator *self_of(struct carrier *carrier)
{
	return (struct originator *)carrier; /* its first member */
}

static nxv_status place(struct carrier *carrier, const struct carrier_call *call, struct nxv_error *err)
{
	return call_place(self_of(carrier), call, err);
}

static nxv_status end(struct carrier *carrier, const char *session_id, struct nxv_error *err)
{
	struct call *call = call_find(self_of(carrier), session_id);

	if (!call || call->state == CALL_DOWN)
		return error_set(err, NXV_E_NOT_FOUND, "no call of session %s is under way", session_id);
	call_end(call);
	return NXV_OK;
}

/* Calls that are joined go on between the phones. One that is not would never be: its phones are told at least once. */
static void abandon(struct originator *o)
{
	struct le *le;

	for (le = o->calls.head; le; le = le->next) {
		struct call *call = le->data;

		if (!call->joined)
			call_end(call);
	}
	while (o->calls.head)
		call_free(o->calls.head->data);
}

static char *save(struct carrier *carrier, const char *session_id)
{
	const struct call *call = call_find(self_of(carrier), session_id);

	return call ? call_save(call) : NULL;
}

static nxv_status restore(struct carrier *carrier, const char *session_id, const char *state, struct nxv_error *err)
{
	return call_restore(self_of(carrier), session_id, state, err);
}

static void close_originator(struct carrier *carrier)
{
	struct originator *o = self_of(carrier);

	if (!o)
		return;
	o->closing = true;
	abandon(o);
	transport_close(o);
	mem_deref(o->legs);
	free(o->domain);
	free(o->username);
	text_wipe_free(o->ha1_md5);
	text_wipe_free(o->ha1_sha256);
	explicit_bzero(o->ask_key, sizeof(o->ask_key));
	free(o);
}

static const struct carrier_ops ops = {
	.name = "sip", .place = place, .end = end, .save = save, .restore = restore, .close = close_originator
};

static nxv_status check_opts(const struct originator_opts *opts, struct nxv_error *err)
{
	if (!opts->env || !opts->sink)
		return error_set(err, NXV_E_INTERNAL, "the originator needs an environment and a sink");
	if (!opts->domain || !*opts->domain)
		return error_field(err, "domain", "the originator needs the SIP domain");
	if (!opts->username || !*opts->username)
		return error_field(err, "username", "the originator needs the service user's name");
	return NXV_OK;
}

static nxv_status copy_opts(struct originator *o, const struct originator_opts *opts, struct nxv_error *err)
{
	o->env = opts->env;
	o->ask = opts->ask;
	o->ask_arg = opts->ask_arg;
	text_copy(o->ask_key, sizeof(o->ask_key), opts->ask_key ? opts->ask_key : "");
	o->sink = opts->sink;
	o->trace = opts->trace;
	o->sink_arg = opts->sink_arg;
	o->domain = text_dup(opts->domain);
	o->username = text_dup(opts->username);
	o->ha1_md5 = text_dup(opts->ha1_md5 ? opts->ha1_md5 : "");
	o->ha1_sha256 = text_dup(opts->ha1_sha256 ? opts->ha1_sha256 : "");
	if (!o->domain || !o->username || !o->ha1_md5 || !o->ha1_sha256)
		return error_nomem(err);
	o->user = (struct auth_user){
		.username = o->username, .realm = o->domain, .ha1_md5 = o->ha1_md5, .ha1_sha256 = o->ha1_sha256
	};
	return hash_alloc(&o->legs, LEG_BUCKETS) == 0 ? NXV_OK : error_nomem(err);
}

nxv_status originator_open(const struct originator_opts *opts, struct carrier **out, struct nxv_error *err)
{
	struct originator *o;
	nxv_status st = check_opts(opts, err);

	*out = NULL;
	if (st != NXV_OK)
		return st;
	o = calloc(1, sizeof(*o));
	if (!o)
		return error_nomem(err);
	o->base.ops = &ops;
	st = copy_opts(o, opts, err);
	if (st == NXV_OK)
		st = transport_open(o, opts, err);
	if (st != NXV_OK) {
		close_originator(&o->base);
		return st;
	}
	*out = &o->base;
	return NXV_OK;
}

uint16_t originator_port(const struct carrier *carrier)
{
	return sa_port(&((const struct originator *)carrier)->local);
}

size_t originator_call_count(const struct carrier *carrier)
{
	return ((const struct originator *)carrier)->live_count;
}
