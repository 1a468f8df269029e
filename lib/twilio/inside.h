/* inside.h - what the files of the carrier share: a call at Twilio, and the next thing to be done about it.
 * A call has one request under way at most, and one timer for the next. */
#ifndef NXV_TWILIO_INSIDE_H
#define NXV_TWILIO_INSIDE_H

#include "base/env.h"
#include "twilio/calls.h"
#include "twilio/carrier.h"
#include "twilio/facts.h"
#include "twilio/intent.h"
#include "twilio/pace.h"

enum { CARRIER_BUCKETS = 512, CREATES_IN_FLIGHT = 64 };

struct tw_call;
typedef void tw_answer_fn(struct tw_call *call, nxv_status status, struct json_object *json, const struct nxv_error *err);

struct twilio_carrier {
	struct carrier base;
	struct twilio_carrier_opts opts; /**< its text is owned */
	char *public_url, *sip_domain, *leg_key;
	nxv_twilio *client;
	struct tw_call *calls[CARRIER_BUCKETS];
	struct tw_call *line;            /**< those that wait, first in front */
	struct loop_timer *line_timer;
	struct loop_timer *forget_timer; /**< what is over for long */
	int64_t next_create_ms, paused_until_ms; /**< loop_now_ms() */
	unsigned creating;
};

struct tw_call {
	struct tw_call *next;            /**< in its bucket */
	struct tw_call *behind;          /**< in the line */
	struct twilio_carrier *carrier;
	struct intent intent;
	struct twilio_facts facts;
	struct loop_timer *timer;        /**< the next thing is due */
	struct http_transfer *transfer;  /**< the request under way */
	enum twilio_kind kind;           /**< of it */
	tw_answer_fn *answer;
	int64_t wait_ms;                 /**< how long it waited last; 0: something has just happened */
	int64_t log_id;                  /**< newest callback taken in */
	int64_t first_try_ms, not_before_ms, look_until_ms; /**< loop_now_ms() */
	int64_t watchdog_at_ms;          /**< wall clock */
	unsigned attempts, empty_lists, pages;
	char likely[TWILIO_SID_BYTES];   /**< a call of the list that may be it */
	unsigned likely_count;           /**< how many there are */
	char *page;                      /**< the page it reads, or reads again; NULL: the first */
	bool listing;                    /**< it reads the list, for all of its From */
	bool in_list;                    /**< the list now read is seen from its beginning */
	unsigned told;                   /**< TOLD_* */
	int64_t asked_ms;                /**< loop_now_ms() when the request under way was sent */
	const char *method;              /**< of it */
	unsigned refused;                /**< webhooks */
	bool taking_up;                  /**< what webhooks told is read once more: it is in the timeline */
	bool creating;                   /**< the request under way creates it */
	bool looking;                    /**< the create's fate is unknown */
	bool ending;                     /**< to be ended */
	bool end_now;                    /**< the request under way ends it */
	bool end_over;                   /**< no more orders to end are needed */
	bool end_ours;                   /**< an order was or may have been carried out */
	bool complete;                   /**< it is too late to cancel */
	bool watchdog;
};
enum { TOLD_FIRST_RING = 1, TOLD_FIRST_UP = 2, TOLD_SECOND_RING = 4, TOLD_SECOND_UP = 8 };

/* carrier.c */
struct tw_call *tw_find(struct twilio_carrier *carrier, const char *session_id);
/** Send it; x is cleared. answer is called once, unless the call is removed before. */
nxv_status tw_ask(struct tw_call *call, struct twilio_exchange *x, tw_answer_fn *answer, struct nxv_error *err);
void tw_tell(struct tw_call *call, enum carrier_event_kind kind, int64_t at_ms, int sip_code);
void tw_tell_error(struct tw_call *call, enum carrier_event_kind kind, const struct nxv_error *error);
/** It is over: close the intent, say CARRIER_DOWN, forget it. The call is gone afterwards. */
void tw_finish(struct tw_call *call, int64_t at_ms);
/** Twilio has it under this SID. @return false: another session has. */
bool tw_opened(struct tw_call *call, const char *sid);
int64_t tw_now(const struct tw_call *call);
/** It was handed over then: from when on it is past every limit. */
void tw_watchdog_from(struct tw_call *call, int64_t sent_at_ms);

/* line.c: creates, one after the other */
void line_add(struct tw_call *call);
void line_leave(struct tw_call *call);
loop_fn line_pump;
/** Make the request that creates it. */
nxv_status flow_create(const struct tw_call *call, struct twilio_exchange *x, struct nxv_error *err);

/* look.c: calls whose create was not answered */
void look_begin(struct tw_call *call, const struct nxv_error *why);
void look_now(struct tw_call *call);

/* watch.c: calls that Twilio has */
/** Something may have changed: tell it, decide it, or plan the next thing. The call may be gone afterwards. */
void watch_step(struct tw_call *call);
loop_fn watch_due;
/** Take in what Twilio's API says of the call. */
void watch_record(struct tw_call *call, const struct nxv_twilio_call *record);
/** Take in what webhooks told since. */
void watch_callbacks(struct tw_call *call);

/* timeline.c: what `call trace` shows */
void timeline_request(struct tw_call *call, const struct twilio_exchange *x);
void timeline_answer(struct tw_call *call, const struct http_result *result, struct json_object *json, const struct nxv_error *err);
void timeline_found(struct tw_call *call, const char *sid);
void timeline_callback(struct tw_call *call, const struct callback *cb);
void timeline_refused(struct tw_call *call, const struct twilio_note *note);
/** A webhook of a call that is over. */
void timeline_stray(const struct twilio_carrier *carrier, const struct twilio_note *note);

#endif
