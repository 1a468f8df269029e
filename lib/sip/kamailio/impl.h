/* impl.h - inside the Kamailio driver: one open server and what its files share. */
#ifndef NXV_SIP_KAMAILIO_IMPL_H
#define NXV_SIP_KAMAILIO_IMPL_H

#include "sip/control/control.h"
#include "sip/control/receiver.h"
#include "sip/server.h"

/** Those that the whole set of tests was run on. */
#define KAMAILIO_RELEASES "5.6, 5.8, 6.1"

struct kamailio {
	struct sip_server base;
	const struct env *env;
	struct loop *loop;
	const struct sip_settings *set;
	struct sip_sink sink;
	struct control *control;
	struct receiver *receiver;
	struct loop_timer *renew;
	char key[33];     /**< what our events carry, so that nobody else's are taken */
	char since[64];   /**< "up_since" of the server we subscribed at */
	int64_t first;    /**< how many events it had sent by then */
	int64_t said;     /**< and by the last renewal */
	int64_t received; /**< later ones that arrived */
	bool subscribed, warned;
};

/* render.c */
nxv_status kamailio_render(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err);
nxv_status kamailio_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err);
void kamailio_argv(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv);

/* events.c */
nxv_status kamailio_events_open(struct kamailio *k, struct nxv_error *err);
void kamailio_events_close(struct kamailio *k);
/** Subscribe, or renew. fn (nullable) gets the outcome. */
void kamailio_subscribe(struct kamailio *k, sip_done_fn *fn, void *arg);
/** Take one event; arg is the struct kamailio. Apart for tests. */
receiver_fn kamailio_event;

#endif
