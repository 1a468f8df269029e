/* routes.h - the handlers that the route table names. */
#ifndef NEXUSD_ROUTES_ROUTES_H
#define NEXUSD_ROUTES_ROUTES_H

struct exchange;
struct nxv_session;

void key_generate(struct exchange *x);
void key_list(struct exchange *x);
void key_toggle(struct exchange *x);
void key_patch(struct exchange *x);
void key_rotate(struct exchange *x);
void key_delete(struct exchange *x);

void sip_start(struct exchange *x);
void sip_health(struct exchange *x);
void sip_registrations(struct exchange *x);
void sip_kick(struct exchange *x);
void credential_generate(struct exchange *x);
void credential_list(struct exchange *x);
void credential_revoke(struct exchange *x);

void call_initiate(struct exchange *x);
void call_show(struct exchange *x);
void call_end(struct exchange *x);
void call_list(struct exchange *x);

/** The call, [owned]; NULL after answering that it is not there, or another's: both are answered alike. */
struct nxv_session *call_find(struct exchange *x, const char *id);

void recording_control(struct exchange *x);
void recording_list(struct exchange *x);
void recording_delete(struct exchange *x);
void recording_media(struct exchange *x);

void usage_list(struct exchange *x);

void twilio_status(struct exchange *x);
void twilio_recording(struct exchange *x);

/** Work for exchange_aside(): x->result becomes a struct nxv_sip_health. */
void sip_ask_health(struct exchange *x);

void meta_live(struct exchange *x);
void meta_ready(struct exchange *x);
void meta_metrics(struct exchange *x);
void meta_openapi(struct exchange *x);

#endif
