/* sandbox.h - nexus-sandbox under test: started on a free port with an account of its own, its faults and its truth. */
#ifndef TEST_SUPPORT_SANDBOX_H
#define TEST_SUPPORT_SANDBOX_H

#include <stdbool.h>

struct json_object;
struct proc;

#define SANDBOX_ACCOUNT "AC5a4db0c5a4db0c5a4db0c5a4db0c5a4d"
#define SANDBOX_TOKEN "0123456789abcdef0123456789abcdef"
#define SANDBOX_KEY "SK5a4db0c5a4db0c5a4db0c5a4db0c5a4d"
#define SANDBOX_KEY_SECRET "secret of the key"

struct sandbox_run {
	struct proc *proc;
	char url[64]; /**< "http://127.0.0.1:41234" */
	char log[96];
};

/** Start it. @param args NULL-ended further arguments, nullable. False: says why on stderr. */
bool sandbox_start(struct sandbox_run *sandbox, const char *const *args);
/** @return its exit status. */
int sandbox_stop(struct sandbox_run *sandbox);
/** Arm a fault: {"kind":...}. */
bool sandbox_fault(struct sandbox_run *sandbox, const char *json);
bool sandbox_no_faults(struct sandbox_run *sandbox);
/** GET "/sandbox/v1..." @return [owned], json_object_put(); NULL: no answer. */
struct json_object *sandbox_get(struct sandbox_run *sandbox, const char *path);
/** What the sandbox knows of a session, by the last part of its StatusCallback: how many creates it saw (-1: no answer), and
 * the status of its newest call of the API and of the newest one that this dialled ("" for none). */
int sandbox_truth(struct sandbox_run *sandbox, const char *session, char parent[24], char child[24]);

#endif
