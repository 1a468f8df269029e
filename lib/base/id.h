/* id.h - identifiers: opaque, unguessable (libuuid), with the guide's prefixes. */
#ifndef NXV_BASE_ID_H
#define NXV_BASE_ID_H

#include "base/env.h"

/** "<prefix>_<22 base62 characters of a random UUID>". @return [owned]; NULL when memory ran out. */
char *id_new(const char *prefix);
/** "session_<unix seconds>_<22 base62 characters>". @return [owned]. */
char *id_session(const struct env *env);

#endif
