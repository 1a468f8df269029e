/* e2e.h - the frame of an end-to-end test program: `test_x SERVER [CASE]` runs its cases against one gateway on that
 * SIP server, and shows what the phones and nexusd saw when one fails. */
#ifndef TEST_SUPPORT_E2E_H
#define TEST_SUPPORT_E2E_H

#include "gateway.h"
#include "proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern struct gateway gw;  /**< the gateway of the program */
extern struct lab *lab;    /**< its phones */

struct e2e_case {
	void (*run)(void);
};
void e2e_run(void **state);
int e2e_after(void **state);
#define E2E(fn) { #fn, e2e_run, NULL, e2e_after, &(struct e2e_case){ fn } }

struct e2e_suite {
	const char *name;
	const struct CMUnitTest *tests;
	size_t count;
	const char *const *settings;   /**< of the gateway; nullable */
	unsigned seconds;              /**< the whole may take */
	bool (*setup)(void);           /**< after the gateway is up; nullable */
	bool bare;                     /**< no gateway: the cases start their own */
};
/** @return the exit status for main(): 0, 1, or 77 when that SIP server is not installed. */
int e2e_main(int argc, char **argv, const struct e2e_suite *suite);

/** At most `slack` apart. */
#define assert_near(a, b, slack) assert_in_range((a) > (b) ? (a) - (b) : (b) - (a), 0, slack)

#endif
