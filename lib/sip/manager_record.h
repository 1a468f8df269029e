/* manager_record.h - server.pid: which process is ours and what configuration it runs, so that a later manager can
 * adopt it; and the lock that keeps two managers from acting on one server. */
#ifndef NXV_SIP_MANAGER_RECORD_H
#define NXV_SIP_MANAGER_RECORD_H

#include "sip/process.h"

struct server_record {
	pid_t pid;
	int64_t start;    /**< see struct process_stat */
	char boot[40];    /**< id of the kernel's run: pids and start times begin anew with the next */
	char exe[256];
	char driver[16];
	char config[65];  /**< SHA-256 of the configuration file */
};

/** Describe a process just started. */
nxv_status record_of(pid_t pid, const char *driver, const char *config, struct server_record *out, struct nxv_error *err);
nxv_status record_save(const char *run_dir, const struct server_record *rec, struct nxv_error *err);
/** False when there is none that can be read. */
bool record_load(const char *run_dir, struct server_record *out);
void record_remove(const char *run_dir);
/** True while exactly that process runs: same pid, start time and kernel run. */
bool record_running(const struct server_record *rec);
/** Its main process is dead but others of its session live on. */
bool record_orphans(const struct server_record *rec);
/** Lock the folder for managing; NXV_E_BUSY when another process does. */
nxv_status record_lock(const char *run_dir, int *fd, struct nxv_error *err);

#endif
