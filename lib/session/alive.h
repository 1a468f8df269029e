/* alive.h - when the gateway was last alive: the next one tells by it when the calls were lost that a power cut took. */
#ifndef NXV_SESSION_ALIVE_H
#define NXV_SESSION_ALIVE_H

#include <stdint.h>

#include <nexusvoip/types.h>

struct alive;

/** @param path file in the state folder; made if it is not there. */
nxv_status alive_open(const char *path, struct alive **out, struct nxv_error *err);
/** NULL is allowed. */
void alive_close(struct alive *alive);
/** UTC in ms of the last mark before it was opened; 0: none. */
int64_t alive_last(const struct alive *alive);
void alive_mark(struct alive *alive, int64_t now_ms);

#endif
