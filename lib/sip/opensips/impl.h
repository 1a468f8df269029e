/* impl.h - inside the OpenSIPS driver: one open server and what its files share. */
#ifndef NXV_SIP_OPENSIPS_IMPL_H
#define NXV_SIP_OPENSIPS_IMPL_H

#include "sip/control/control.h"
#include "sip/control/receiver.h"
#include "sip/server.h"

/** Those that the whole set of tests was run on. */
#define OPENSIPS_RELEASES "3.4, 3.6, 4.0"

struct opensips {
	struct sip_server base;
	const struct env *env;
	struct loop *loop;
	const struct sip_settings *set;
	struct sip_sink sink;
	struct control *control;
	struct receiver *receiver;
	struct loop_timer *renew;
	char key[33];        /**< what our events carry, so that nobody else's are taken */
	char since[64];      /**< "Up since" of the server we subscribed at */
	int64_t subscribed_at_ms; /**< when that was renewed last, by the clock of loop_now_ms() */
	bool subscribed, warned;
};

/* render.c */
nxv_status opensips_render(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err);
nxv_status opensips_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err);
void opensips_argv(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv);

/* events.c */
nxv_status opensips_events_open(struct opensips *os, struct nxv_error *err);
void opensips_events_close(struct opensips *os);
/** Subscribe, or renew. fn (nullable) gets the outcome. */
void opensips_subscribe(struct opensips *os, sip_done_fn *fn, void *arg);
/** Take one event; arg is the struct opensips. Apart for tests. */
receiver_fn opensips_event;

/* dialogs.c */
void opensips_dialogs(struct sip_server *s, sip_dialogs_fn *fn, void *arg);

#endif
