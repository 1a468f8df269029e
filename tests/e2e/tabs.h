/* tabs.h - browser tabs with the phone of examples/browser-phone, driven for a test by browser/driver.js. */
#ifndef TEST_E2E_TABS_H
#define TEST_E2E_TABS_H

#include "gateway.h"

/** Install what the page needs and start Chromium. @return NULL, or why tests with browsers cannot run here. */
const char *tabs_open(void);
/** The page's origin: "http://127.0.0.1:41000". */
const char *tabs_origin(void);
void tabs_close(void);

/** Open the page in a tab; foreign: under another origin. */
bool tab_open(const char *name, bool foreign);
/** verb "reload": by its button; "crash": it dies without a word; "close". */
bool tab_do(const char *name, const char *verb);
/** Run a script, as the inside of an async function: "return phone.state". @return its value as text, until the next
 * call; what it threw after "error: ". */
__attribute__((format(printf, 2, 3))) const char *tab_run(const char *name, const char *script, ...);
/** Register it with the user's credential; it sends a tone. False: its state goes to stderr. */
bool tab_register(const char *name, const struct gateway *gw, const struct user *user, const char *url, int tone_hz);
/** Wait until the phone's state begins so. False: it is told on stderr. */
bool tab_wait(const char *name, const char *state, int timeout_ms);
/** The loudest frequency that the tab hears from the other party, in Hz; 0: silence. */
int tab_hears(const char *name);

#endif
