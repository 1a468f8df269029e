/* manager_start.c - from "wanted" to a process: adopt our own server if it runs, else check, probe the ports, start.
 * And from "not wanted" to its end, whoever started it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/manager_inside.h"
#include "sip/manager_log.h"

static void failed(struct sip_manager *mgr, const struct nxv_error *err)
{
	manager_failed(mgr, NXV_SIP_FAILED, err->message);
}

/* Kamailio starts without looking at its users, and would then refuse every phone. */
static nxv_status look_at_users(struct sip_manager *mgr, struct nxv_error *err)
{
	struct db *auth = NULL;

	if (subscriber_open(mgr->opts.env, mgr->setup->set.auth_db, &auth, NULL) != NXV_OK)
		return error_set(err, NXV_E_STORE, "%s cannot be read; delete it, and it is made anew from nexusvoip.db when the gateway starts",
			mgr->setup->set.auth_db);
	db_close(auth);
	return NXV_OK;
}

static void warn_untried(struct sip_manager *mgr)
{
	const struct sip_driver *driver = mgr->setup->driver;
	char version[64];

	if (sip_driver_version(driver, mgr->setup->program, version, sizeof(version), NULL) == NXV_OK && !sip_driver_tried(driver, version))
		env_log(mgr->opts.env, NXV_LOG_WARN, "sip", "%s %s is started, but this program was tried with %s only", driver->name, version,
			driver->releases);
}

static nxv_status launch(struct sip_manager *mgr, struct nxv_error *err)
{
	const struct sip_settings *set = &mgr->setup->set;
	const char *argv[17] = { NULL };
	nxv_status status;
	pid_t pid = 0;
	int log;

	status = look_at_users(mgr, err);
	if (status != NXV_OK)
		return status;
	status = mgr->setup->driver->prepare(mgr->opts.env, set, err);
	if (status != NXV_OK)
		return status;
	status = server_log_open(set->run_dir, &log, err);
	if (status != NXV_OK)
		return status;
	unlink(set->control); /* of a server that was killed */
	mgr->setup->driver->argv(set, mgr->config, false, argv);
	status = process_spawn(mgr->setup->program, argv, set->run_dir, log, &pid, err);
	close(log);
	if (status != NXV_OK)
		return status;
	status = record_of(pid, mgr->setup->driver->name, mgr->digest, &mgr->rec, err);
	if (status == NXV_OK)
		status = record_save(set->run_dir, &mgr->rec, err);
	if (status == NXV_OK)
		status = manager_watch(mgr, err);
	if (status != NXV_OK) { /* what cannot be watched must not run */
		process_kill_group(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		record_remove(set->run_dir);
		mgr->rec.pid = 0;
	}
	return status;
}

static void start(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (probe_ports(&mgr->setup->set, &err) != NXV_OK || launch(mgr, &err) != NXV_OK) {
		failed(mgr, &err);
		return;
	}
	warn_untried(mgr);
	manager_knock(mgr);
	manager_set_state(mgr, NXV_SIP_STARTING, "");
}

void manager_checked(struct sip_manager *mgr, bool timed_out)
{
	char words[200], text[320];
	int wait_status = 0;

	loop_fd_clear(mgr->opts.loop, mgr->checker_fd);
	close(mgr->checker_fd);
	mgr->checker_fd = -1;
	if (timed_out)
		process_kill_group(mgr->checker, SIGKILL);
	while (waitpid(mgr->checker, &wait_status, 0) < 0 && errno == EINTR)
		continue;
	mgr->checker = 0;
	if (!mgr->wanted) {
		manager_phase(mgr, PHASE_LEAVING, 0);
	} else if (timed_out || !WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
		server_log_words(mgr->setup->set.run_dir, "check.log", -1, mgr->setup->set.secret, words, sizeof(words));
		snprintf(text, sizeof(text), "%s refuses its configuration: %s", mgr->setup->driver->name,
			timed_out ? "its check does not end" : words);
		manager_failed(mgr, NXV_SIP_FAILED, text);
	} else {
		memcpy(mgr->checked, mgr->digest, sizeof(mgr->checked));
		start(mgr);
	}
}

static void on_checker(int events, void *arg)
{
	(void)events;
	manager_checked(arg, false);
}

static nxv_status spawn_checker(struct sip_manager *mgr, struct nxv_error *err)
{
	const struct sip_settings *set = &mgr->setup->set;
	const char *argv[17] = { NULL };
	char path[256];
	nxv_status status;
	int log;

	snprintf(path, sizeof(path), "%s/check.log", set->run_dir);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (log < 0)
		return error_errno(err, errno, "cannot create %s", path);
	mgr->setup->driver->argv(set, mgr->config, true, argv);
	status = process_spawn(mgr->setup->program, argv, set->run_dir, log, &mgr->checker, err);
	close(log);
	if (status != NXV_OK) {
		mgr->checker = 0;
		return status;
	}
	mgr->checker_fd = process_watch(mgr->checker);
	status = mgr->checker_fd < 0 ? error_errno(err, errno, "cannot watch the configuration check")
				     : loop_fd_set(mgr->opts.loop, mgr->checker_fd, LOOP_READ, on_checker, mgr, err);
	if (status != NXV_OK) {
		process_kill_group(mgr->checker, SIGKILL);
		waitpid(mgr->checker, NULL, 0);
		mgr->checker = 0;
	}
	return status;
}

static void check(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (strcmp(mgr->checked, mgr->digest) == 0) {
		start(mgr);
		return;
	}
	if (spawn_checker(mgr, &err) != NXV_OK) {
		failed(mgr, &err);
		return;
	}
	manager_phase(mgr, PHASE_CHECKING, MANAGER_CHECK_MS);
	manager_set_state(mgr, NXV_SIP_STARTING, "");
}

/* Our own server runs already: keep it if it runs what we would start, else end it and begin anew. */
static void adopt(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;
	bool same = strcmp(mgr->rec.config, mgr->digest) == 0 && strcmp(mgr->rec.driver, mgr->setup->driver->name) == 0;

	if (manager_watch(mgr, &err) != NXV_OK) { /* it ended just now */
		mgr->rec.pid = 0;
		manager_phase(mgr, PHASE_WAITING, 20);
		return;
	}
	mgr->found = same;
	if (same) {
		env_log(mgr->opts.env, NXV_LOG_INFO, "sip", "found our %s running as process %d", mgr->rec.driver, (int)mgr->rec.pid);
		manager_knock(mgr);
		manager_set_state(mgr, NXV_SIP_STARTING, "");
		return;
	}
	env_log(mgr->opts.env, NXV_LOG_INFO, "sip", "the configuration changed: restarting %s, process %d", mgr->rec.driver,
		(int)mgr->rec.pid);
	manager_terminate(mgr);
	manager_set_state(mgr, NXV_SIP_STARTING, "restarting with the changed configuration");
}

/* True when the folder is ours and no dead server's children hold its ports. */
static bool folder_ready(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;
	const char *run_dir = mgr->setup->set.run_dir;

	if (mgr->lock_fd < 0 && record_lock(run_dir, &mgr->lock_fd, &err) != NXV_OK) {
		manager_phase(mgr, PHASE_WAITING, 250);
		manager_set_state(mgr, mgr->wanted ? NXV_SIP_STARTING : mgr->state, err.message);
		return false;
	}
	if (!record_load(run_dir, &mgr->rec))
		mgr->rec.pid = 0;
	if (mgr->rec.pid && !record_running(&mgr->rec)) {
		if (record_orphans(&mgr->rec)) {
			process_kill_group(mgr->rec.pid, SIGKILL);
			mgr->rec.pid = 0;
			manager_phase(mgr, PHASE_WAITING, 20);
			return false;
		}
		mgr->rec.pid = 0; /* stale: that process is not ours */
		record_remove(run_dir);
	}
	return true;
}

static nxv_status open_driver(struct sip_manager *mgr, struct nxv_error *err)
{
	if (mgr->server)
		return NXV_OK;
	return mgr->setup->driver->open(
		mgr->opts.env, mgr->opts.loop, &mgr->setup->set, &mgr->opts.sink, &mgr->server, err);
}

static void act_start(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;
	const char *name;
	char file[32];

	if (manager_need_driver(mgr->setup, &err) != NXV_OK) {
		failed(mgr, &err);
		return;
	}
	if (!mgr->setup->external && !folder_ready(mgr))
		return;
	if (open_driver(mgr, &err) != NXV_OK) {
		failed(mgr, &err);
		return;
	}
	mgr->found = mgr->setup->external;
	if (mgr->setup->external) {
		manager_knock(mgr);
		manager_set_state(mgr, NXV_SIP_STARTING, "");
		return;
	}
	name = mgr->setup->driver->name;
	snprintf(file, sizeof(file), "%s.cfg", name);
	if (manager_config_write(mgr->setup, file, mgr->config, sizeof(mgr->config), mgr->digest, &err) != NXV_OK)
		failed(mgr, &err);
	else if (mgr->rec.pid)
		adopt(mgr);
	else
		check(mgr);
}

static void act_stop(struct sip_manager *mgr)
{
	struct nxv_error err = NXV_ERROR_INIT;

	if (mgr->setup->external || mgr->phase == PHASE_PAUSING) {
		manager_phase(mgr, PHASE_LEAVING, 0);
		return;
	}
	if (mgr->pid_fd < 0) { /* not followed: is one running that an earlier manager left? */
		if (!folder_ready(mgr))
			return;
		if (!mgr->rec.pid || manager_watch(mgr, &err) != NXV_OK) {
			mgr->rec.pid = 0;
			manager_phase(mgr, PHASE_LEAVING, 0);
			return;
		}
		manager_set_state(mgr, NXV_SIP_RUNNING, "being stopped"); /* so that who waits for its end does wait */
	}
	manager_terminate(mgr);
}

void manager_act(struct sip_manager *mgr)
{
	if (mgr->wanted)
		act_start(mgr);
	else
		act_stop(mgr);
}
