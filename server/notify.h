/* notify.h - tells the service manager how the server is (sd_notify's protocol). */
#ifndef NEXUSD_NOTIFY_H
#define NEXUSD_NOTIFY_H

/** Send "READY=1", "STOPPING=1" ... to $NOTIFY_SOCKET, if there is one. */
void notify(const char *state);

#endif
