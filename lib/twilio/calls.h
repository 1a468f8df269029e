/* calls.h - requests about calls, made but not sent: the blocking functions send and wait, the carrier has the engine's loop do
 * it. An exchange is to be cleared whatever comes of it. */
#ifndef NXV_TWILIO_CALLS_H
#define NXV_TWILIO_CALLS_H

#include "twilio/client.h"

nxv_status call_create_exchange(const nxv_twilio *twilio, const struct nxv_twilio_call_opts *opts, struct twilio_exchange *x, struct nxv_error *err);
nxv_status call_fetch_exchange(const nxv_twilio *twilio, const char *sid, struct twilio_exchange *x, struct nxv_error *err);
nxv_status call_list_exchange(const nxv_twilio *twilio, const struct nxv_twilio_call_list_opts *opts, struct twilio_exchange *x, struct nxv_error *err);
nxv_status call_update_exchange(const nxv_twilio *twilio, const char *sid, const struct nxv_twilio_call_update_opts *opts, struct twilio_exchange *x, struct nxv_error *err);
/** The answer of a list. @param out [owned]. */
nxv_status call_list_read(struct json_object *json, struct nxv_twilio_call_list **out, struct nxv_error *err);

#endif
