/* intent.h - what Twilio was asked for, stored before a byte of it was sent; and the log of what its webhooks told. */
#ifndef NXV_TWILIO_INTENT_H
#define NXV_TWILIO_INTENT_H

#include "store/db.h"

enum intent_stage {
	INTENT_WAITING, /**< nothing was sent */
	INTENT_SENDING, /**< something may have been sent; nobody knows what became of it */
	INTENT_OPEN,    /**< Twilio has it, under call_sid */
	INTENT_CLOSED   /**< over: kept for what comes late */
};
struct intent {
	char *session_id, *to, *from, *dial, *call_sid; /**< dial: what <Dial> rings; call_sid: NULL while unknown */
	enum intent_stage stage;
	bool callee_first;
	int64_t place;         /**< in the line; given by intent_insert() */
	int64_t stored_at_ms, sent_at_ms;
};
/** Free members. */
void intent_clear(struct intent *intent);
nxv_status intent_insert(struct db *db, struct intent *intent, struct nxv_error *err);
/** Errors: NXV_E_NOT_FOUND. @param out [owned] members. */
nxv_status intent_load(struct db *db, const char *session_id, struct intent *out, struct nxv_error *err);
/** Committed when it returns. call_sid nullable: unchanged. Errors: NXV_E_CONFLICT: another session has that call. */
nxv_status intent_stage(struct db *db, const char *session_id, enum intent_stage stage, const char *call_sid, int64_t sent_at_ms, struct nxv_error *err);
/** Close those whose session has ended. At the start only: later, who ends a session closes its intent. */
nxv_status intent_sweep(struct db *db, struct nxv_error *err);
enum { INTENT_FORGET_MOST = 200 };
/** Forget some of those that were over before before_ms, with their callbacks. *more: there may be others. */
nxv_status intent_forget(struct db *db, int64_t before_ms, bool *more, struct nxv_error *err);
/** Is that call another session's? */
nxv_status intent_owner(struct db *db, const char *call_sid, char *session_id, size_t size, struct nxv_error *err);

/** A good webhook. Text is [borrowed] when it is stored, [owned] when read. */
struct callback {
	int64_t id;
	const char *session_id, *mark, *token; /**< see the table; not read back */
	char *call_sid, *parent_sid, *status, *dial_status, *dial_sid;
	int64_t sequence, duration, at_ms;
	int sip_code;
};
/** Append. *late: one with a higher number of that call was there before. Errors: NXV_E_CONFLICT: there is the same already; NXV_E_NOT_FOUND: no such call of Twilio's here. */
nxv_status callback_append(struct db *db, const struct callback *callback, bool *late, struct nxv_error *err);
/** The next one after an id. *found false: none. */
nxv_status callback_next(struct db *db, const char *session_id, int64_t after, struct callback *out, bool *found, struct nxv_error *err);
void callback_clear(struct callback *callback);

#endif
