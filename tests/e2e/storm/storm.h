/* storm.h - a load of calls that come and go while something is killed again and again; then every record is held against what
 * the phones' wires carried. */
#ifndef TEST_E2E_STORM_H
#define TEST_E2E_STORM_H

#include "../pair.h"

#include "capture.h"

/** What is killed. */
enum storm_victim { KILL_NEXUSD, KILL_SIP_SERVER };

/** A time in which the victim was away: from its death until it was there again; UTC in ms. */
struct storm_gap {
	int64_t from_ms, to_ms;
};

struct storm {
	enum storm_victim victim;
	unsigned calls, kills;      /**< how many at once; how often */
	struct capture *capture;    /**< of the phones' ports */
	struct storm_gap *gaps;
	size_t gap_count;
	char (*asked)[96];          /**< calls that the load ended over HTTP */
	size_t asked_count, asked_room;
	unsigned seed;
	int64_t began_ms;           /**< UTC; records from before are not its own */
};

/* load.c: place calls, end them by either phone or over HTTP, kill and start again; return when all has come to rest. */
void storm_run(struct storm *storm);

/* judge.c */
/** What the records say, and what is wrong with them. */
struct storm_tally {
	unsigned calls;             /**< records */
	unsigned joined;            /**< of them: both parties were talking */
	unsigned restarted, lost;   /**< ended as gateway_restarted, server_lost */
	unsigned differ;            /**< records that are not what the wire says */
	unsigned cut;               /**< joined calls that a restart ended, though nobody hung up */
	unsigned missing;           /**< calls on the wire without a record */
	int64_t slots;              /**< leaked */
	int64_t worst_ms;           /**< largest difference of a time that had to be within 200 ms */
};
void storm_judge(struct storm *storm, struct storm_tally *tally);

#endif
