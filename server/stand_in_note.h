/* stand_in_note.h - the file that tells nexusctl of the sandbox. */
#ifndef NEXUSD_STAND_IN_NOTE_H
#define NEXUSD_STAND_IN_NOTE_H

/** Write it, mode 0600. @param settings "KEY=VALUE", NULL-ended. @param secret "NAME=VALUE" of the environment.
 * @return a descriptor that keeps it locked; -1: it could not be written. */
int stand_in_note_open(const char *state_dir, char *const *settings, const char *secret);
/** Take it away. -1 is allowed. */
void stand_in_note_close(const char *state_dir, int fd);

#endif
