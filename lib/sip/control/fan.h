/* fan.h - one control request per key of a list, a few at a time, the answers collected: how lists that no datagram
 * can hold are fetched. Loop thread only. */
#ifndef NXV_SIP_CONTROL_FAN_H
#define NXV_SIP_CONTROL_FAN_H

#include "sip/control/control.h"

/** Parameters of the request for one key. @return [owned] */
typedef struct json_object *fan_params_fn(void *arg, const char *key);
/** answers: [borrowed] array of the results, in no order; keys the server no longer knows are left out. */
typedef void fan_done_fn(void *arg, nxv_status status, struct json_object *answers, const struct nxv_error *err);

/** Ask method for every key. @param keys [owned] array of texts. gone: also this error code of the server's means that
 * a key is not known any more, besides 404. done is called once, maybe from inside. */
void fan_start(struct control *c, const char *method, struct json_object *keys, int gone, fan_params_fn *params, fan_done_fn *done, void *arg);

#endif
