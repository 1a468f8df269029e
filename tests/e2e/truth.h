/* truth.h - the truth harness: one row per ending of a call. A row plays it with scripted phones; the judge then holds what
 * the API says of the call against the capture of what was on the wire. */
#ifndef TEST_E2E_TRUTH_H
#define TEST_E2E_TRUTH_H

#include "capture.h"
#include "e2e.h"

#include <stdbool.h>

enum { SOON_MS = 5000, SLACK_MS = 200, PROBLEM_MAX = 240 };

/** Rows of a group share a gateway and run one after the other; groups run at the same time. */
enum truth_group { IN_CALLS, IN_ENDINGS, IN_LIMITS, IN_VANISH_CALLER, IN_VANISH_PROMISED, IN_VANISH_REFRESHED, IN_CRASH, IN_STOP, IN_SERVER, TRUTH_GROUPS };

/** What on the wire was the call's end. */
enum truth_end {
	BY_LEAVE,     /**< the first BYE or CANCEL of either leg */
	BY_REFUSAL_A, /**< the final answer to the caller's INVITE, or the callee's */
	BY_REFUSAL_B,
	BY_NOTHING,   /**< nothing: it came to no INVITE, and ended when it began */
	BY_EVENT,     /**< something that is no SIP, at stage.event_ms */
	BY_RESTART    /**< the gateway that came next, after stage.event_ms and before stage.until_ms */
};

struct stage;
struct truth_row {
	const char *name;
	enum truth_group group;
	bool (*play)(struct stage *s);
	const char *status, *reason;
	int code;
	enum truth_end end;
	const char *events; /**< every event of the call, in order, without "call." */
	bool deaf;          /**< the phones cannot be told of the end */
};
extern const struct truth_row truth_rows[];
extern const size_t truth_row_count;

/** A row being played: users, phones and a call of its own. */
struct stage {
	const struct truth_row *row;
	struct user a, b;
	struct phone *extra;     /**< one more phone of either; nullable */
	struct capture *wire;
	char id[96];             /**< of the call */
	char dialled[160];       /**< its Call-ID when a phone dialled it; "" otherwise */
	int64_t event_ms, until_ms;
	struct told call;        /**< as the API tells it in the end */
	int64_t worst_ms;        /**< the largest error of a time */
	int64_t slots;           /**< held after it */
	char problem[PROBLEM_MAX];
};

/** Note the first thing that is not so. @return false. */
__attribute__((format(printf, 2, 3))) bool truth_problem(struct stage *s, const char *format, ...);
#define NEED(s, condition) \
	do { \
		if (!(condition)) \
			return truth_problem(s, "%s:%d: %s", __func__, __LINE__, #condition); \
	} while (0)

/** Reads with the administrator's key: the user's own may be disabled. */
bool truth_read(struct stage *s, struct told *out);
bool truth_wait(struct stage *s, const char *status, int timeout_ms);
/** Compare; false with s->problem set when something is not as it was. */
bool truth_judge(struct stage *s);

/* truth_calls.c */
bool normal_by_a(struct stage *s);
bool normal_by_b(struct stage *s);
bool normal_by_api(struct stage *s);
bool a_busy(struct stage *s);
bool a_rejects(struct stage *s);
bool a_no_answer(struct stage *s);
bool a_absent(struct stage *s);
bool a_unreachable(struct stage *s);
bool b_busy(struct stage *s);
bool b_rejects(struct stage *s);
bool b_no_answer(struct stage *s);
bool b_absent(struct stage *s);
bool b_leaves_while_a_rings(struct stage *s);
bool b_unreachable(struct stage *s);
bool a_hangs_up_while_b_rings(struct stage *s);
bool cancel_while_a_rings(struct stage *s);
bool cancel_while_b_rings(struct stage *s);
bool cancel_crosses_a(struct stage *s);
bool cancel_crosses_b(struct stage *s);
bool ack_lost_to_a(struct stage *s);
bool ack_lost_to_b(struct stage *s);
bool two_of_a_answer(struct stage *s);
bool two_of_b_answer(struct stage *s);
bool no_common_codec(struct stage *s);
bool dialled_by_a(struct stage *s);
bool dialled_by_b(struct stage *s);
bool dialled_by_api(struct stage *s);
bool dialled_busy(struct stage *s);
bool dialled_absent(struct stage *s);
bool dialled_no_answer(struct stage *s);
bool dialled_unreachable(struct stage *s);
bool dialled_canceled(struct stage *s);
bool talk(struct stage *s);
bool dialled_up(struct stage *s);
bool dial(struct stage *s);
bool dial_to(struct stage *s, const char *target);
bool dial_unheard(struct stage *s);
bool dialled_heard(struct stage *s);
bool start(struct stage *s);

/* truth_more.c */
bool over_limit_by_api(struct stage *s);
bool over_limit_dialled(struct stage *s);
bool credential_revoked_a(struct stage *s);
bool credential_revoked_b(struct stage *s);
bool key_disabled(struct stage *s);
bool longest_by_us(struct stage *s);
bool longest_by_server(struct stage *s);
bool longest_without_us(struct stage *s);
bool calls_frozen(struct stage *s);
bool dialled_frozen(struct stage *s);
bool caller_vanishes(struct stage *s);
bool vanishes_promised(struct stage *s);
bool vanishes_refreshed(struct stage *s);
bool killed_while_a_rings(struct stage *s);
bool killed_while_b_rings(struct stage *s);
bool killed_mid_call(struct stage *s);
bool killed_and_b_hangs_up(struct stage *s);
bool killed_for_long(struct stage *s);
bool dialled_killed_mid_call(struct stage *s);
bool dialled_meanwhile(struct stage *s);
bool dialled_meanwhile_refused(struct stage *s);
bool dialled_meanwhile_and_up(struct stage *s);
bool dialled_killed_and_a_hangs_up(struct stage *s);
bool dialled_killed_and_answered(struct stage *s);
bool stopped_while_b_rings(struct stage *s);
bool stopped_mid_call(struct stage *s);
bool rebooted_while_a_rings(struct stage *s);
bool rebooted_while_b_rings(struct stage *s);
bool rebooted_mid_call(struct stage *s);
bool server_killed_while_a_rings(struct stage *s);
bool server_killed_while_b_rings(struct stage *s);
bool server_killed_mid_call(struct stage *s);

#endif
