/* manager_alone.c - the SIP server without an engine: each request brings up a loop, a manager or a driver, and takes
 * them down again; the server itself goes on. */
#include "sip/manager_alone.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/manager_inside.h"
#include "sip/manager_text.h"

enum { LOOK_MS = 20, WANT_MS = 40000, ASK_MS = 3000 };

struct alone {
	struct loop *loop;
	struct loop_timer *timer;
	struct sip_manager *mgr;
	struct sip_server *server;
	int64_t deadline;
	nxv_status status;
	struct nxv_error err;
	struct sip_status answer;
	struct buf *contacts;
};

static void end(struct alone *alone, nxv_status status)
{
	alone->status = status;
	loop_stop(alone->loop);
}

static void look(void *arg)
{
	struct alone *alone = arg;
	struct sip_manager *mgr = alone->mgr;

	if (mgr->wanted && mgr->state == NXV_SIP_RUNNING)
		end(alone, NXV_OK);
	else if (mgr->wanted && (mgr->state == NXV_SIP_FAILED || mgr->state == NXV_SIP_BACKOFF))
		end(alone, error_code(&alone->err, NXV_E_UNREACHABLE, "sip_server_failed", "%s", mgr->message));
	else if (!mgr->wanted && mgr->phase == PHASE_IDLE)
		end(alone, NXV_OK);
	else if (loop_now_ms() >= alone->deadline)
		end(alone, error_set(&alone->err, NXV_E_TIMEOUT, "the SIP server is still %s after %d s%s%s",
				   nxv_sip_state_name(mgr->state), WANT_MS / 1000, *mgr->message ? ": " : "", mgr->message));
	else
		loop_timer_start(alone->timer, LOOK_MS);
}

/* Run until end(), at most ms. */
static nxv_status run(struct alone *alone, int64_t ms, struct nxv_error *err)
{
	nxv_status status;

	alone->deadline = loop_now_ms() + ms;
	loop_timer_start(alone->timer, LOOK_MS);
	status = loop_run(alone->loop, err);
	if (status == NXV_OK && alone->status != NXV_OK && err)
		*err = alone->err;
	return status == NXV_OK ? alone->status : status;
}

static nxv_status begin(struct alone *alone, loop_fn *on_timer, struct nxv_error *err)
{
	nxv_status status = loop_open(&alone->loop, err);

	if (status != NXV_OK)
		return status;
	alone->timer = loop_timer_new(alone->loop, on_timer, alone);
	return alone->timer ? NXV_OK : error_nomem(err);
}

static void finish(struct alone *alone)
{
	sip_manager_close(alone->mgr);
	if (alone->server)
		alone->server->driver->close(alone->server);
	loop_timer_free(alone->timer);
	loop_close(alone->loop);
}

nxv_status manager_alone_want(const struct env *env, const struct sip_setup *setup, bool started, struct nxv_error *err)
{
	struct alone alone = { 0 };
	nxv_status status = started ? manager_need_driver(setup, err) : NXV_OK;

	if (status != NXV_OK)
		return status;
	status = begin(&alone, look, err);
	if (status == NXV_OK) {
		const struct sip_manager_opts opts = { .env = env, .loop = alone.loop, .setup = setup };
		status = sip_manager_open(&opts, &alone.mgr, err);
	}
	if (status == NXV_OK) {
		sip_manager_want(alone.mgr, started);
		status = run(&alone, WANT_MS, err);
	}
	finish(&alone);
	return status;
}

static void too_late(void *arg)
{
	struct alone *alone = arg;

	if (loop_now_ms() < alone->deadline)
		loop_timer_start(alone->timer, LOOK_MS);
	else
		end(alone, error_set(&alone->err, NXV_E_TIMEOUT, "the SIP server does not answer on its control socket"));
}

static void on_status(void *arg, nxv_status status, const struct sip_status *out, const struct nxv_error *err)
{
	struct alone *alone = arg;

	if (status == NXV_OK)
		alone->answer = *out;
	else
		alone->err = *err;
	end(alone, status);
}

static void on_contacts(void *arg, nxv_status status, const struct sip_contact *items, size_t count, const struct nxv_error *err)
{
	struct alone *alone = arg;

	for (size_t i = 0; status == NXV_OK && i < count; i++)
		sip_contact_write(alone->contacts, &items[i]);
	if (status != NXV_OK)
		alone->err = *err;
	end(alone, status);
}

/* Ask the running server for its contacts (out not NULL) or its status. */
static nxv_status ask(const struct env *env, const struct sip_setup *setup, struct buf *contacts, struct sip_status *answer,
	struct nxv_error *err)
{
	static const struct sip_sink silent;
	struct alone alone = { .contacts = contacts };
	nxv_status status = begin(&alone, too_late, err);

	if (status == NXV_OK)
		status = setup->driver->open(env, alone.loop, &setup->set, &silent, &alone.server, err);
	if (status == NXV_OK) {
		if (contacts)
			setup->driver->contacts(alone.server, NULL, on_contacts, &alone);
		else
			setup->driver->status(alone.server, on_status, &alone);
		status = run(&alone, ASK_MS, err);
	}
	finish(&alone);
	if (answer)
		*answer = alone.answer;
	return status;
}

nxv_status manager_alone_health(
	const struct env *env, const struct sip_setup *setup, struct nxv_sip_health *out, struct nxv_error *err)
{
	struct nxv_error why = NXV_ERROR_INIT;
	struct server_record rec;
	struct sip_status answer;
	bool running = record_load(setup->set.run_dir, &rec) && record_running(&rec);

	out->state = NXV_SIP_STOPPED;
	if (!setup->driver) {
		manager_need_driver(setup, &why);
		out->message = text_dup(why.message);
		return out->message ? NXV_OK : error_nomem(err);
	}
	out->server = text_dup(setup->driver->name);
	if (!running && !setup->external) {
		out->message = text_dup("not started; nexusd or nexusctl sip start does that");
		return out->server && out->message ? NXV_OK : error_nomem(err);
	}
	out->pid = running && !setup->external ? rec.pid : 0;
	if (ask(env, setup, NULL, &answer, &why) == NXV_OK) {
		out->state = NXV_SIP_RUNNING;
		out->version = text_dup(answer.version);
		out->uptime_seconds = answer.uptime_seconds;
		out->registrations = answer.registrations;
		out->message = text_dup("nobody supervises it: no nexusd runs on this state folder");
	} else {
		out->state = setup->external ? NXV_SIP_FAILED : NXV_SIP_STARTING;
		out->message = text_dup(why.message);
	}
	return out->server && out->message ? NXV_OK : error_nomem(err);
}

nxv_status manager_alone_contacts(const struct env *env, const struct sip_setup *setup, struct buf *out, struct nxv_error *err)
{
	struct server_record rec;
	nxv_status status = manager_need_driver(setup, err);

	if (status != NXV_OK)
		return status;
	if (!setup->external && !(record_load(setup->set.run_dir, &rec) && record_running(&rec)))
		return error_code(err, NXV_E_UNREACHABLE, "sip_server_stopped", "the SIP server is not running; start it first");
	status = ask(env, setup, out, NULL, err);
	return status == NXV_OK && out->failed ? error_nomem(err) : status;
}
