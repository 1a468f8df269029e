/* faults.h - faults on demand: armed by the controls, met by requests and callbacks. */
#ifndef NEXUS_SANDBOX_FAULTS_H
#define NEXUS_SANDBOX_FAULTS_H

#include "sandbox.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_RATE_LIMIT,          /**< 429 with Retry-After, nothing done */
	FAULT_UNAVAILABLE,         /**< 503, nothing done */
	FAULT_ERROR_AFTER_COMMIT,  /**< done, then 500 */
	FAULT_RESET_BEFORE_COMMIT, /**< connection reset, nothing done */
	FAULT_RESET_AFTER_COMMIT,  /**< done, then connection reset */
	FAULT_HTML,                /**< 502 in HTML, nothing done */
	FAULT_HTML_AFTER_COMMIT,   /**< done, then 502 in HTML */
	FAULT_SLOW,                /**< done, answered after a delay */
	FAULT_LIST_LAG,            /**< done, but not seen by fetch and list for a while */
	FAULT_CALLBACK_LOST,
	FAULT_CALLBACK_LATE,
	FAULT_CALLBACK_DOUBLED,
	FAULT_CALLBACK_REORDERED,  /**< goes out after the next one of its call */
	FAULT_KINDS
};

/** Where a fault can strike; a set of bits. */
enum {
	FAULT_ON_CREATE = 1,
	FAULT_ON_FETCH = 2,
	FAULT_ON_LIST = 4,
	FAULT_ON_UPDATE = 8,
	FAULT_ON_RECORDING = 16,
	FAULT_ON_CALLBACK = 32
};

struct fault {
	enum fault_kind kind;
	unsigned on;         /**< 0: wherever the kind can; for what is not a callback: creates */
	double probability;
	int64_t count;       /**< still to strike; -1: no end */
	int64_t delay_ms;    /**< real milliseconds */
	int retry_after_s;
	char to[64];         /**< only for calls to this; "": all */
	char event[24];      /**< only for this event; "": all */
	uint64_t struck;
};

/** A fault that strikes now. */
struct fault_hit {
	enum fault_kind kind;
	int64_t delay_ms;
	int retry_after_s;
};

struct faults *faults_new(void);
void faults_free(struct faults *faults);
/** Arm one. False when there are too many. */
bool faults_add(struct faults *faults, const struct fault *fault);
void faults_clear(struct faults *faults);
/** The armed ones and those that have struck; NULL past the end. */
const struct fault *faults_at(const struct faults *faults, size_t i);
/** Does one strike here? to and event may be "". */
bool faults_hit(struct sandbox *sandbox, unsigned on, const char *to, const char *event, struct fault_hit *hit);
const char *fault_name(enum fault_kind kind);
enum fault_kind fault_parse(const char *name);
/** "create", "fetch", ... of one bit; 0 for no such word. */
unsigned fault_on_parse(const char *name);
const char *fault_on_name(unsigned bit);

#endif
