/* endings.h - how the latest calls ended, as a server's configuration keeps it in shared memory: two rings, "ended" and "failed", so
 * that refused calls do not push out the others. Each has numbered places, and a count. Loop thread only. */
#ifndef NXV_SIP_CONTROL_ENDINGS_H
#define NXV_SIP_CONTROL_ENDINGS_H

#include "sip/control/control.h"
#include "sip/server.h"

/** Where a server keeps them. */
struct endings_store {
	const char *method; /**< of the request that reads one value */
	/** Parameters for a place of a ring, or for its count (-1). @return [owned] */
	struct json_object *(*params)(const char *ring, int place);
};

/** fn is called once, maybe from inside. A server that has none, or does not keep them, is success with count 0. */
void endings_read(struct control *c, const struct endings_store *store, int64_t since_ms, sip_endings_fn *fn, void *arg);
/** One of them: a JSON object, or lines "name=value". @return [owned] the members of its event; NULL: malformed. Apart for tests. */
struct json_object *endings_members(const char *text);

#endif
