/* bearer.h - the token in an Authorization header. No I/O. */
#ifndef NXV_GATE_BEARER_H
#define NXV_GATE_BEARER_H

#include <stdbool.h>

#include "keys/token.h"

/**
 * Take the token out of "Bearer <token>": the scheme in any case, one token, blanks around it, nothing else.
 * False for anything longer or shorter than an API key, too. NULL is allowed. token is a secret: wipe it.
 */
bool bearer_token(const char *authorization, char token[TOKEN_LEN + 1]);

#endif
