/* setup_ports.h - ports and the nonce secret that were drawn once and must outlive restarts: <state>/sip/ports, secret.
 * Both are read and written under one file lock, since nexusd and nexusctl may open a new state folder together. */
#ifndef NXV_SIP_SETUP_PORTS_H
#define NXV_SIP_SETUP_PORTS_H

#include "base/env.h"

enum { KEPT_PORTS_MAX = 8 };
struct kept {
	const struct env *env;
	const char *run_dir;
	int fd; /* of the ports file, locked */
	bool changed;
	size_t count;
	struct {
		char option[32];
		uint16_t port;
	} ports[KEPT_PORTS_MAX];
};

nxv_status kept_open(struct kept *kept, const struct env *env, const char *run_dir, struct nxv_error *err);
/** address with its port, drawn and remembered under the option's name when it is 0. @param out [owned]. */
nxv_status kept_address(struct kept *kept, const char *option, const char *address, char **out, struct nxv_error *err);
/** The nonce secret, made on first use. @param out [owned], text_wipe_free(). */
nxv_status kept_secret(struct kept *kept, char **out, struct nxv_error *err);
/** Write what changed (save true) and let go of the lock. */
nxv_status kept_close(struct kept *kept, bool save, struct nxv_error *err);

#endif
