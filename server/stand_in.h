/* stand_in.h - `nexusd --sandbox`: nexus-sandbox as a child, in Twilio's place. No real call can be made then. */
#ifndef NEXUSD_STAND_IN_H
#define NEXUSD_STAND_IN_H

#include "config.h"

struct stand_in;

/** Read the configuration, choose ports and credentials, and add the settings that lead there to config->set and
 * config->env. Nothing is started. @param why filled on failure. @return [owned]; NULL on failure. */
struct stand_in *stand_in_prepare(struct config *config, char *why, size_t why_len);
/** Start it, and again whenever it ends. False: it does not start. */
bool stand_in_start(struct stand_in *stand_in, char *why, size_t why_len);
/** Stop it and free everything. NULL is allowed. */
void stand_in_stop(struct stand_in *stand_in);

#endif
