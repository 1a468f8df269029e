/* admit_sql.c - telephone calls and minutes of the last 24 hours, counted in the sessions themselves: nothing to drift. */
#include "session/admit.h"

#include <inttypes.h>

#include "base/error.h"
#include "policy/policy.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, MINUTE_MS = 60 * 1000 };

/* Calls from outside do not count, nor does one that ended before anything rang. */
#define USED \
	"SELECT COUNT(*), COALESCE(SUM(CASE WHEN answered_at_ms = 0 THEN 0 WHEN ended_at_ms = 0 THEN ?2 - answered_at_ms" \
	" ELSE ended_at_ms - answered_at_ms END), 0), COALESCE(MIN(started_at_ms), 0) FROM session" \
	" WHERE started_at_ms > ?2 - ?3 AND (to_number GLOB '+[0-9]*' OR to_number LIKE 'sip:+%')" \
	" AND direction <> 'inbound' AND (ended_at_ms = 0 OR ringing_at_ms > 0 OR answered_at_ms > 0) AND "

struct used {
	int64_t calls, ms, oldest_ms;
};

struct cap {
	enum config_key calls, minutes;
	const char *calls_name, *minutes_name, *whose;
	const char *sql;
};
static const struct cap caps[] = {
	{ CFG_LIMITS_USER_CALLS_PER_DAY, CFG_LIMITS_USER_MINUTES_PER_DAY, "limits.user_calls_per_day", "limits.user_minutes_per_day",
		"user", USED "user_id = ?1" },
	{ CFG_LIMITS_KEY_CALLS_PER_DAY, CFG_LIMITS_KEY_MINUTES_PER_DAY, "limits.key_calls_per_day", "limits.key_minutes_per_day",
		"API key", USED "key_id = ?1" },
};

static nxv_status count(struct db_tx *tx, const char *sql, const char *who, int64_t now_ms, struct used *out, struct nxv_error *err)
{
	struct db_stmt *stmt;
	bool row = false;
	nxv_status status = db_query(tx, sql, &stmt, err);

	*out = (struct used){ 0 };
	if (status != NXV_OK)
		return status;
	db_bind_text(stmt, 1, who);
	db_bind_int(stmt, 2, now_ms);
	db_bind_int(stmt, 3, DAY_MS);
	status = db_step(stmt, &row, err);
	if (status == NXV_OK && row)
		*out = (struct used){ db_int(stmt, 0), db_int(stmt, 1), db_int(stmt, 2) };
	db_done(stmt);
	return status;
}

static nxv_status refuse(const struct used *used, int64_t now_ms, nxv_status status, struct nxv_error *err)
{
	int64_t wait_ms = used->oldest_ms + DAY_MS - now_ms;

	if (err)
		err->retry_after_ms = wait_ms > 0 ? (uint32_t)wait_ms : MINUTE_MS;
	return status;
}

static nxv_status check_cap(struct db_tx *tx, const struct config *cfg, const struct cap *cap, const char *who, int64_t now_ms,
	struct nxv_error *err)
{
	const int64_t calls = config_int(cfg, cap->calls), minutes = config_int(cfg, cap->minutes);
	struct used used;
	nxv_status status = NXV_OK;

	if (!who || (!calls && !minutes))
		return NXV_OK;
	status = count(tx, cap->sql, who, now_ms, &used, err);
	if (status != NXV_OK)
		return status;
	if (calls && used.calls >= calls)
		return refuse(&used, now_ms,
			error_code(err, NXV_E_LIMIT, "call_cap",
				"this %s has started %" PRId64 " telephone calls within 24 hours, the most allowed (%s); try again later",
				cap->whose, used.calls, cap->calls_name),
			err);
	if (minutes && used.ms >= minutes * MINUTE_MS)
		return refuse(&used, now_ms,
			error_code(err, NXV_E_LIMIT, "minute_cap",
				"this %s has used %" PRId64 " telephone minutes within 24 hours, the most allowed is %" PRId64 " (%s); try again later",
				cap->whose, used.ms / MINUTE_MS, minutes, cap->minutes_name),
			err);
	return NXV_OK;
}

nxv_status admit(struct db_tx *tx, const struct config *cfg, const struct admit_call *call, struct nxv_error *err)
{
	const struct policy_call wanted = { .user_id = call->user_id, .from = call->from, .to = call->to };
	nxv_status status = policy_check(tx, cfg, &wanted, err);

	if (status == NXV_OK)
		status = check_cap(tx, cfg, &caps[0], call->user_id, call->now_ms, err);
	if (status == NXV_OK)
		status = check_cap(tx, cfg, &caps[1], call->key_id, call->now_ms, err);
	return status;
}
