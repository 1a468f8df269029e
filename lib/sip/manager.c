/* manager.c - supervision of one SIP server: the phases from wanted to running and back, readiness, crashes, back-off.
 * Starting and adopting are in manager_start.c. Nothing here blocks; process ends arrive through pidfds. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/manager_inside.h"
#include "sip/manager_log.h"

uint64_t manager_backoff_ms(unsigned failures)
{
	return failures >= 6 ? 60000 : (uint64_t)1000 << failures;
}

void manager_set_state(struct sip_manager *mgr, nxv_sip_state state, const char *message)
{
	bool changed = mgr->state != state || strcmp(mgr->message, message) != 0;

	mgr->state = state;
	text_copy(mgr->message, sizeof(mgr->message), message);
	if (changed && mgr->opts.state)
		mgr->opts.state(mgr->opts.state_arg, mgr->state, mgr->message);
}

void manager_phase(struct sip_manager *mgr, enum phase phase, uint64_t ms)
{
	if (mgr->phase != phase && mgr->ready_asked)
		mgr->ready_stale = true;
	mgr->phase = phase;
	loop_timer_start(mgr->timer, ms);
}

void manager_failed(struct sip_manager *mgr, nxv_sip_state state, const char *message)
{
	char text[sizeof(mgr->message)];

	if (!mgr->wanted) {
		manager_phase(mgr, PHASE_LEAVING, 0);
		return;
	}
	text_copy(text, sizeof(text), message);
	manager_phase(mgr, PHASE_PAUSING, manager_backoff_ms(mgr->failures));
	mgr->failures++;
	manager_set_state(mgr, state, text);
}

static void forget_process(struct sip_manager *mgr)
{
	if (mgr->pid_fd >= 0) {
		loop_fd_clear(mgr->opts.loop, mgr->pid_fd);
		close(mgr->pid_fd);
	}
	mgr->pid_fd = -1;
	mgr->rec.pid = 0;
}

static void drop_probe(struct sip_manager *mgr)
{
	probe_cancel(mgr->probe);
	mgr->probe = NULL;
}

/* Every process of the server is gone: on to what is wanted, or to a pause if it was not we who ended it. */
static void gone(struct sip_manager *mgr)
{
	nxv_sip_state state = mgr->state == NXV_SIP_RUNNING ? NXV_SIP_BACKOFF : NXV_SIP_FAILED;
	char why[sizeof(mgr->last)];
	int wait_status;

	if (!mgr->reaped)
		process_reap(mgr->rec.pid, &wait_status);
	forget_process(mgr);
	record_remove(mgr->setup->set.run_dir);
	text_copy(why, sizeof(why), mgr->last);
	mgr->last[0] = '\0';
	if (!mgr->wanted)
		manager_phase(mgr, PHASE_LEAVING, 0);
	else if (why[0])
		manager_failed(mgr, state, why);
	else
		manager_act(mgr);
}

static void drain(struct sip_manager *mgr)
{
	if (process_leftovers(mgr->rec.pid, mgr->rec.exe) > 0 && loop_now_ms() < mgr->deadline) {
		process_kill_group(mgr->rec.pid, SIGKILL);
		manager_phase(mgr, PHASE_DRAINING, 20);
		return;
	}
	gone(mgr);
}

/* What the end of the process means, in mgr->last; "" when we asked for it. */
static void describe_end(struct sip_manager *mgr, int wait_status)
{
	const bool was_up = mgr->phase == PHASE_UP;
	char words[200], how[48] = "";

	mgr->last[0] = '\0';
	if (mgr->phase == PHASE_STOPPING)
		return;
	server_log_words(mgr->setup->set.run_dir, "server.log", was_up ? mgr->log_mark : -1, mgr->setup->set.secret, words, sizeof(words));
	if (mgr->reaped && WIFSIGNALED(wait_status))
		snprintf(how, sizeof(how), " (signal %d)", WTERMSIG(wait_status));
	else if (mgr->reaped)
		snprintf(how, sizeof(how), " (exit status %d)", WEXITSTATUS(wait_status));
	snprintf(mgr->last, sizeof(mgr->last), "%s %s%s%s%s", mgr->setup->driver->name,
		was_up ? "ended by itself" : "ended while starting", how, *words ? ": " : "", words);
	if (was_up && loop_now_ms() - mgr->up_since >= MANAGER_STABLE_MS)
		mgr->failures = 0;
}

static void on_end(int events, void *arg)
{
	struct sip_manager *mgr = arg;
	int wait_status = 0;

	(void)events;
	loop_fd_clear(mgr->opts.loop, mgr->pid_fd);
	mgr->reaped = process_reap(mgr->rec.pid, &wait_status);
	drop_probe(mgr);
	describe_end(mgr, wait_status);
	process_kill_group(mgr->rec.pid, SIGKILL); /* children can survive their main process */
	mgr->deadline = loop_now_ms() + 2000;
	drain(mgr);
}

nxv_status manager_watch(struct sip_manager *mgr, struct nxv_error *err)
{
	mgr->reaped = false;
	mgr->pid_fd = process_watch(mgr->rec.pid);
	if (mgr->pid_fd < 0)
		return error_set(err, NXV_E_IO, "process %d cannot be watched; has it ended?", (int)mgr->rec.pid);
	return loop_fd_set(mgr->opts.loop, mgr->pid_fd, LOOP_READ, on_end, mgr, err);
}

void manager_terminate(struct sip_manager *mgr)
{
	drop_probe(mgr);
	manager_phase(mgr, PHASE_STOPPING, MANAGER_STOP_MS);
	kill(mgr->rec.pid, SIGTERM); /* the main process ends its children in order; the group gets the rest */
}

/* It runs but is of no use: end it for good and say why. */
static void condemn(struct sip_manager *mgr, const char *why)
{
	text_copy(mgr->last, sizeof(mgr->last), why);
	process_kill_group(mgr->rec.pid, SIGKILL);
	loop_fd_clear(mgr->opts.loop, mgr->pid_fd);
	mgr->deadline = loop_now_ms() + 2000;
	manager_phase(mgr, PHASE_DRAINING, 20);
}

static void not_ready(struct sip_manager *mgr)
{
	char text[sizeof(mgr->message)];

	snprintf(text, sizeof(text), "%s does not become ready: %.200s", mgr->setup->driver->name,
		mgr->last[0] ? mgr->last : "its control socket does not answer");
	if (!mgr->setup->external)
		condemn(mgr, text);
	else if (mgr->state != NXV_SIP_BACKOFF)
		manager_set_state(mgr, NXV_SIP_FAILED, text);
}

static void up(struct sip_manager *mgr)
{
	mgr->misses = 0;
	mgr->up_since = loop_now_ms();
	mgr->log_mark = server_log_size(mgr->setup->set.run_dir);
	mgr->last[0] = '\0';
	manager_phase(mgr, PHASE_UP, MANAGER_BEAT_MS);
	manager_set_state(mgr, NXV_SIP_RUNNING, "");
}

static void on_asked(void *arg, nxv_status status, const struct nxv_error *err)
{
	struct sip_manager *mgr = arg;

	mgr->probe = NULL;
	if (status == NXV_OK) {
		manager_phase(mgr, PHASE_SETTLING, MANAGER_SETTLE_MS);
		return;
	}
	text_copy(mgr->last, sizeof(mgr->last), err->message);
	manager_phase(mgr, PHASE_KNOCKING, MANAGER_KNOCK_MS);
}

static void ask_listeners(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;

	manager_phase(mgr, PHASE_ASKING, MANAGER_READY_MS); /* the probe has limits of its own */
	if (probe_start(mgr->opts.loop, &mgr->setup->set, on_asked, mgr, &mgr->probe, &err) != NXV_OK)
		on_asked(mgr, err.status, &err);
}

static void beat_missed(struct sip_manager *mgr, const struct nxv_error *err)
{
	char text[sizeof(mgr->message)];

	env_log(mgr->opts.env, NXV_LOG_WARN, "sip", "no answer from the SIP server: %s", err->message);
	if (++mgr->misses < (mgr->setup->external ? 2 : MANAGER_MISSES_MAX))
		return;
	snprintf(text, sizeof(text), "%s no longer answers: %.200s", mgr->setup->driver->name, err->message);
	if (!mgr->setup->external) {
		condemn(mgr, text);
		return;
	}
	manager_knock(mgr);
	manager_set_state(mgr, NXV_SIP_BACKOFF, text);
}

static void on_ready(void *arg, nxv_status status, const struct nxv_error *err)
{
	struct sip_manager *mgr = arg;
	bool stale = mgr->ready_stale;

	mgr->ready_asked = mgr->ready_stale = false;
	if (stale)
		return;
	if (mgr->phase == PHASE_KNOCKING && status == NXV_OK)
		ask_listeners(mgr);
	else if (mgr->phase == PHASE_KNOCKING)
		text_copy(mgr->last, sizeof(mgr->last), err->message);
	else if (mgr->phase == PHASE_UP && status == NXV_OK)
		mgr->misses = 0;
	else if (mgr->phase == PHASE_UP)
		beat_missed(mgr, err);
}

static void ask_ready(struct sip_manager *mgr)
{
	if (mgr->ready_asked)
		return;
	mgr->ready_asked = true;
	mgr->server->driver->ready(mgr->server, on_ready, mgr);
}

void manager_knock(struct sip_manager *mgr)
{
	mgr->last[0] = '\0';
	mgr->deadline = loop_now_ms() + mgr->opts.ready_ms;
	manager_phase(mgr, PHASE_KNOCKING, 0);
}

static void knock_again(struct sip_manager *mgr)
{
	bool late = loop_now_ms() >= mgr->deadline;

	manager_phase(mgr, PHASE_KNOCKING, mgr->setup->external && late ? 1000 : MANAGER_KNOCK_MS);
	if (late)
		not_ready(mgr);
	if (mgr->phase == PHASE_KNOCKING)
		ask_ready(mgr);
}

static void leave(struct sip_manager *mgr)
{
	mgr->phase = PHASE_IDLE;
	if (mgr->wanted) {
		manager_act(mgr);
		return;
	}
	if (mgr->server)
		mgr->server->driver->close(mgr->server);
	mgr->server = NULL;
	mgr->ready_asked = mgr->ready_stale = false;
	if (mgr->lock_fd >= 0)
		close(mgr->lock_fd);
	mgr->lock_fd = -1;
	mgr->failures = 0;
	manager_set_state(mgr, NXV_SIP_STOPPED, "");
}

static void beat(struct sip_manager *mgr)
{
	manager_phase(mgr, PHASE_UP, MANAGER_BEAT_MS);
	if (!mgr->setup->external) {
		server_log_trim(mgr->setup->set.run_dir);
		mgr->log_mark = server_log_size(mgr->setup->set.run_dir);
	}
	ask_ready(mgr);
}

static void on_timer(void *arg)
{
	struct sip_manager *mgr = arg;

	switch (mgr->phase) {
	case PHASE_WAITING:
	case PHASE_PAUSING:
		manager_act(mgr);
		break;
	case PHASE_CHECKING:
		manager_checked(mgr, true);
		break;
	case PHASE_KNOCKING:
		knock_again(mgr);
		break;
	case PHASE_SETTLING:
		if (mgr->setup->external || process_alive(mgr->rec.pid, mgr->rec.start))
			up(mgr);
		break; /* else its end is about to be noticed */
	case PHASE_UP:
		beat(mgr);
		break;
	case PHASE_STOPPING:
		env_log(mgr->opts.env, NXV_LOG_WARN, "sip", "the SIP server ignores SIGTERM: killing it");
		process_kill_group(mgr->rec.pid, SIGKILL);
		break;
	case PHASE_DRAINING:
		drain(mgr);
		break;
	case PHASE_LEAVING:
		leave(mgr);
		break;
	case PHASE_ASKING:
	case PHASE_IDLE:
		break;
	}
}

void sip_manager_want(struct sip_manager *mgr, bool started)
{
	bool changed = mgr->wanted != started;

	mgr->wanted = started;
	switch (mgr->phase) {
	case PHASE_IDLE:
	case PHASE_PAUSING: /* asked again: no need to wait */
		mgr->failures = started ? 0 : mgr->failures;
		manager_act(mgr);
		break;
	case PHASE_CHECKING:
		if (!started)
			manager_checked(mgr, true);
		break;
	case PHASE_KNOCKING:
	case PHASE_ASKING:
	case PHASE_SETTLING:
	case PHASE_UP:
		if (changed && !started)
			manager_act(mgr);
		break;
	case PHASE_WAITING:
	case PHASE_STOPPING:
	case PHASE_DRAINING:
	case PHASE_LEAVING:
		break; /* these look at what is wanted when they end */
	}
}

nxv_status sip_manager_open(const struct sip_manager_opts *opts, struct sip_manager **out, struct nxv_error *err)
{
	struct sip_manager *mgr = calloc(1, sizeof(*mgr));

	*out = NULL;
	if (!mgr)
		return error_nomem(err);
	mgr->opts = *opts;
	mgr->opts.ready_ms = opts->ready_ms ? opts->ready_ms : MANAGER_READY_MS;
	mgr->setup = opts->setup;
	mgr->pid_fd = mgr->lock_fd = mgr->checker_fd = -1;
	mgr->timer = loop_timer_new(opts->loop, on_timer, mgr);
	if (!mgr->timer) {
		free(mgr);
		return error_nomem(err);
	}
	*out = mgr;
	return NXV_OK;
}

void sip_manager_close(struct sip_manager *mgr)
{
	if (!mgr)
		return;
	mgr->opts.state = NULL;
	mgr->wanted = false;
	if (mgr->checker)
		manager_checked(mgr, true);
	mgr->phase = PHASE_IDLE;
	mgr->ready_stale = true;
	drop_probe(mgr);
	if (mgr->server)
		mgr->server->driver->close(mgr->server);
	forget_process(mgr);
	loop_timer_free(mgr->timer);
	if (mgr->lock_fd >= 0)
		close(mgr->lock_fd);
	free(mgr);
}

nxv_sip_state sip_manager_state(const struct sip_manager *mgr)
{
	return mgr->state;
}

const char *sip_manager_message(const struct sip_manager *mgr)
{
	return mgr->message;
}

bool sip_manager_found(const struct sip_manager *mgr)
{
	return mgr->found;
}

int64_t sip_manager_pid(const struct sip_manager *mgr)
{
	return mgr->rec.pid;
}

struct sip_server *sip_manager_server(const struct sip_manager *mgr)
{
	return mgr->server;
}
