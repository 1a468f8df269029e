/* impl.h - inside the Kamailio driver: one open server and what its files share. */
#ifndef NXV_SIP_KAMAILIO_IMPL_H
#define NXV_SIP_KAMAILIO_IMPL_H

#include "base/buf.h"
#include "sip/control/control.h"
#include "sip/server.h"

struct kamailio {
	struct sip_server base;
	const struct env *env;
	struct loop *loop;
	const struct sip_settings *set;
	struct sip_sink sink;
	struct control *control;
	int events_fd;
	bool connecting, connected;
	struct loop_timer *retry;
	unsigned retry_ms;
	struct buf incoming;
};

/* render.c */
nxv_status kamailio_render(const struct sip_settings *set, const char *version, bool mask, struct buf *out, struct nxv_error *err);
nxv_status kamailio_prepare(const struct env *env, const struct sip_settings *set, struct nxv_error *err);
void kamailio_argv(const struct sip_settings *set, const char *config_path, bool check_only, const char **argv);

/* events.c */
nxv_status kamailio_events_open(struct kamailio *k, struct nxv_error *err);
void kamailio_events_close(struct kamailio *k);
/** Try to connect now rather than after the back-off. */
void kamailio_events_hurry(struct kamailio *k);
/** Take bytes off the stream; apart for tests. False: the stream is broken and must be opened anew. */
bool kamailio_events_take(struct kamailio *k, const char *data, size_t len);

#endif
