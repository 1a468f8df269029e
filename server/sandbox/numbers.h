/* numbers.h - what each number does when it is called: Twilio's own test numbers, the sandbox's +999 range, and all others. */
#ifndef NEXUS_SANDBOX_NUMBERS_H
#define NEXUS_SANDBOX_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

/** How a simulated callee ends its ringing. */
enum outcome { OUTCOME_ANSWER, OUTCOME_BUSY, OUTCOME_REJECT, OUTCOME_FAIL, OUTCOME_NO_ANSWER };

/** What a simulated callee does; times in the sandbox's milliseconds. */
struct plan {
	enum outcome outcome;
	int queued_ms;  /**< before it is dialled */
	int ring_after_ms;
	int ring_ms;    /**< before the outcome */
	int talk_ms;    /**< then it hangs up; 0: never */
	int sip_code;   /**< of the outcome */
	bool machine;   /**< an answering machine */
};

/** The plan of a number, or of a sip: address whose user is one. @return [owned]; NULL when memory ran out. */
struct plan *plan_make(const char *to);
void plan_free(struct plan *plan);

/** The error that a create meets with this To or From; 0: none. */
int number_refusal_to(const char *to);
int number_refusal_from(const char *from);

/** The table, for those who ask: rows until pattern is NULL. */
struct number_row {
	const char *pattern, *role, *what;
};
extern const struct number_row number_rows[];

#endif
