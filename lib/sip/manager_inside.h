/* manager_inside.h - what the parts of the manager share: its phases, and the steps from one to the next. */
#ifndef NXV_SIP_MANAGER_INSIDE_H
#define NXV_SIP_MANAGER_INSIDE_H

#include "sip/manager.h"
#include "sip/manager_record.h"
#include "sip/probe.h"

/* Each phase waits for one thing (and for `timer`); what it does next depends on `wanted`. */
enum phase {
	PHASE_IDLE,     /* nothing to do */
	PHASE_WAITING,  /* timer: another manager, or leftovers of an earlier server, must go first */
	PHASE_CHECKING, /* the server's own parser to end */
	PHASE_KNOCKING, /* the driver to say that control works and every process is there; asked again and again */
	PHASE_ASKING,   /* every listener to answer */
	PHASE_SETTLING, /* timer: a moment, then a look whether it is still alive */
	PHASE_UP,       /* its end; timer: heartbeat */
	PHASE_STOPPING, /* its end; timer: patience is over */
	PHASE_DRAINING, /* timer: processes it left behind, already killed */
	PHASE_PAUSING,  /* timer: back-off */
	PHASE_LEAVING   /* timer: closing happens on the loop, never inside a driver's callback */
};

enum {
	MANAGER_READY_MS = 20000,   /* from start to answering everywhere */
	MANAGER_KNOCK_MS = 100,
	MANAGER_SETTLE_MS = 150,
	MANAGER_BEAT_MS = 10000,
	MANAGER_MISSES_MAX = 6,     /* heartbeats a live process may miss before it is restarted */
	MANAGER_STOP_MS = 5000,     /* from SIGTERM to SIGKILL */
	MANAGER_CHECK_MS = 10000,
	MANAGER_STABLE_MS = 60000   /* up this long: the next crash begins with the shortest pause again */
};

struct sip_manager {
	struct sip_manager_opts opts;
	const struct sip_setup *setup;
	struct sip_server *server;
	struct loop_timer *timer;
	struct probe *probe;
	enum phase phase;
	nxv_sip_state state;
	bool wanted;
	bool ready_asked, ready_stale; /* one question at a time; the answer belongs to an earlier phase */
	char message[320];
	char last[320];                /* why it is not ready yet */
	char config[256];              /* the file, and the digest of what it holds */
	char digest[65];
	char checked[65];              /* digest that passed the parser */
	struct server_record rec;      /* pid 0: no process */
	int pid_fd, lock_fd;
	pid_t checker;
	int checker_fd;
	bool found;                    /* the server ran before us */
	bool reaped;                   /* collected with waitpid(); never so when it was adopted */
	unsigned failures, misses;
	int64_t deadline, up_since;
	int64_t log_mark;              /* size of its log at the last look */
};

/** Pause before the next start after so many failures in a row: 1 s, doubled up to 60 s. */
uint64_t manager_backoff_ms(unsigned failures);
void manager_set_state(struct sip_manager *mgr, nxv_sip_state state, const char *message);
/** Go on towards what is wanted. */
void manager_act(struct sip_manager *mgr);
/** It cannot be started: say why, try again after a pause. */
void manager_failed(struct sip_manager *mgr, nxv_sip_state state, const char *message);
/** Wait in a phase for at most, or exactly, ms. */
void manager_phase(struct sip_manager *mgr, enum phase phase, uint64_t ms);
/** Begin asking whether it is ready. */
void manager_knock(struct sip_manager *mgr);
/** SIGTERM to the main process; the rest follows when it ends. */
void manager_terminate(struct sip_manager *mgr);
/** Follow mgr->rec: notice its end. */
nxv_status manager_watch(struct sip_manager *mgr, struct nxv_error *err);
/** The parser ended or ran out of time. */
void manager_checked(struct sip_manager *mgr, bool timed_out);

/** Render for the installed version into <run_dir>/name, mode 0600. */
nxv_status manager_config_write(const struct sip_setup *setup, const char *name, char *path, size_t size, char *digest, struct nxv_error *err);
/** NXV_E_UNSUPPORTED "no_sip_server" unless a driver was found. */
nxv_status manager_need_driver(const struct sip_setup *setup, struct nxv_error *err);

#endif
