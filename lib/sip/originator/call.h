/* call.h - a third-party call: two legs that are ours, and the offer/answer exchanges that join their phones. */
#ifndef NXV_SIP_ORIGINATOR_CALL_H
#define NXV_SIP_ORIGINATOR_CALL_H

#include "sip/originator/dialog.h"

enum leg_state {
	LEG_IDLE,
	LEG_CALLING,    /* INVITE under way */
	LEG_CANCELLING, /* the same, CANCEL sent or due */
	LEG_UP,         /* answered and acknowledged */
	LEG_BYING,      /* BYE under way */
	LEG_DONE
};

struct leg {
	struct call *call;
	char name; /* 'a' or 'b' */
	enum leg_state state;
	struct dialog dialog;
	struct le he;           /* in originator.legs */
	struct request *invite; /* the initial one, under way */
	bool ringing;
	struct tmr ring;
	uint64_t sdp_id; /* our o= line towards this phone */
	uint32_t sdp_version;
	char *told;            /* the description this phone has from us */
	char *media;           /* the description we have from it */
	uint32_t ack_due;      /* CSeq of its 2xx that holds an offer, whose ACK waits for the answer; 0: none */
	unsigned traced;       /* messages in the call's timeline */
	struct list siblings;  /* dialogs of phones that answered the same INVITE too late */
	struct list early;     /* and of those that announced an answer reliably */
	struct tmr refresh;    /* RFC 4028: when to refresh, or when to give up on the phone's doing so */
	uint32_t interval;     /* seconds; 0: no session timer */
	uint32_t interval_min; /* what a server on the way insists on; 0: nothing */
	bool refresher;        /* we are */
	int64_t refresh_at_ms; /* UTC, of that timer */
	bool stale;            /* a crash left open whether `told` is the last that this phone was told */
	bool can_update;       /* the phone allows UPDATE */
	struct tmr alive;      /* of a browser: when to ask whether it is still there */
	bool doubtful;         /* it did not answer the last time */
};

/* The offer/answer exchange of a call; there is one at a time, and whoever comes meanwhile hears 491. */
enum exchange_kind {
	EXCHANGE_NONE,
	EXCHANGE_EARLY,   /* A is offered what B says before it answers: an announcement, its own ringing */
	EXCHANGE_JOIN,    /* A is offered B's answer */
	EXCHANGE_TELL,    /* B is told what A then changed */
	EXCHANGE_RELAY,   /* a phone's own offer, or request for one, passed to the other */
	EXCHANGE_RESTORE, /* the other is told again what it had, since a relayed offer came to nothing */
	EXCHANGE_REFRESH, /* same description again, for the session timer */
	EXCHANGE_GONE     /* the asked phone knows the call no more: its BYE, overtaken by that answer, is waited for */
};
struct exchange {
	enum exchange_kind kind;
	struct leg *asked;       /* who gets our request; NULL: nobody, the answer is ours */
	struct request *request; /* to it */
	char *offer;             /* in that; NULL: it is asked for one */
	unsigned tries;
	struct tmr timer; /* guard, pause after a 491, or repetition of reply */
	/* EXCHANGE_RELAY: */
	struct leg *asker;              /* the phone that began it */
	struct sip_msg *message;        /* its request */
	struct sip_strans *transaction; /* until it has a final answer */
	char *heard;                    /* the description in it */
	char *answer;                   /* the description in our 2xx */
	struct mbuf *reply;             /* that 2xx, repeated until its ACK comes */
	unsigned repeated;
	uint32_t ack_due; /* CSeq of the asked phone's 2xx, whose ACK waits for the asker's; 0: none */
};

enum call_state { CALL_RINGING_A, CALL_RINGING_B, CALL_JOINING, CALL_JOINED, CALL_ENDING, CALL_DOWN };

struct call {
	struct le le; /* in originator.calls */
	struct originator *o;
	enum call_state state;
	char *session_id;
	struct leg a, b;
	char *headers_a, *headers_b; /* X-Nexus-* and Call-Info of the initial INVITEs */
	int64_t ring_ms;
	unsigned media; /* bits CARRIER_MEDIA_*; with CARRIER_MEDIA_WEB, A is asked for an offer (Flow I) */
	struct exchange x;
	struct list passing; /* struct passing */
	struct leg *next;        /* the phone whose offer waits for the exchange under way */
	struct sip_msg *waiting; /* that offer */
	struct tmr turn;
	struct tmr linger;
	unsigned earlies;  /* times that A was told B's early media */
	bool joined;       /* JOINED was told */
	struct tmr rejoin; /* taken up in the middle of an exchange: when to join the phones anew */
};

/* call.c: the flow. The legs report here. */
nxv_status call_place(struct originator *o, const struct carrier_call *in, struct nxv_error *err);
struct call *call_find(const struct originator *o, const char *session_id);
void call_end(struct call *call);
void call_free(struct call *call);
nxv_status call_admit(const struct originator *o, const char *session_id, struct nxv_error *err);
void call_enlist(struct call *call);
struct leg *call_other(struct leg *leg);
void call_emit(
	struct call *call, enum carrier_event_kind kind, int code, const struct pl *reason, const struct pl *contact);
void call_leg_ringing(struct leg *leg, const struct sip_msg *msg);
void call_leg_answered(struct leg *leg, const struct sip_msg *msg);
/** The final answer to its INVITE; msg NULL when nobody answered. */
void call_leg_final(struct leg *leg, const struct sip_msg *msg);
/** Its INVITE came to nothing; msg NULL when nobody said why. */
void call_leg_failed(struct leg *leg, const struct sip_msg *msg);
void call_leg_no_answer(struct leg *leg);
void call_leg_hangup(struct leg *leg);
/** A leg reached LEG_DONE. */
void call_leg_done(struct leg *leg);
/** A request got no answer at all, not even the SIP server's own. */
void call_server_silent(struct call *call);
/** A leg's phone vanished. */
void call_lost(struct leg *leg, int code, const char *why);
/** A phone found nothing in the other's media that it can do. */
void call_media_refused(struct call *call, int code, const struct pl *reason);

/* Tell the owner that what call_save() gives has changed, once there is something to go on with. */
void call_changed(struct call *call, enum carrier_event_kind kind);

/* state.c: going on after a crash */
char *call_save(const struct call *call);
nxv_status call_restore(struct originator *o, const char *session_id, const char *text, struct nxv_error *err);

/* leg.c */
nxv_status leg_init(
	struct leg *leg, struct call *call, char name, const char *from, const char *target, struct nxv_error *err);
void leg_clear(struct leg *leg);
nxv_status leg_invite(struct leg *leg, const char *sdp, const char *headers, struct nxv_error *err);
/** The answer to the offer in its 2xx, if that is still waited for; NULL refuses it. */
void leg_settle(struct leg *leg, const char *sdp);
/** CANCEL or BYE, as its state needs; nothing if it is gone or going. */
void leg_end(struct leg *leg);
/** What this phone is told next, under its own o= line, whose version rises when something changed. [owned] free(). */
char *leg_describe(struct leg *leg, const char *sdp, const char *direction);
/** It took it. @param text [owned] by the leg from now on. */
void leg_told(struct leg *leg, char *text);
/** Remember the description in a message of the phone, if there is one. */
void leg_heard(struct leg *leg, const struct sip_msg *msg);
struct sdp_origin;
void leg_origin(const struct leg *leg, struct sdp_origin *out);
/** A 2xx to an INVITE that no transaction wants: repeated, or another phone's. */
void leg_stray_answer(struct leg *leg, const struct sip_msg *msg);

/* early.c: reliable provisional answers (RFC 3262) */
/** PRACK one that asks for it. */
void early_answer(struct leg *leg, const struct sip_msg *msg);
/** The final answer came: a description may have come before it. */
void early_done(struct leg *leg, const struct sip_msg *msg);
void early_clear(struct leg *leg);

/* exchange.c: our offers to phones that are up */
void exchange_join(struct call *call);
/** B rings, and this answer may bring media already. */
void exchange_early(struct call *call, const struct sip_msg *msg);
/** The same for a call that was taken up in the middle of an exchange, unless the phones settle it first. */
void exchange_join_later(struct call *call, uint64_t ms);
/** Both phones know each other's media. */
void exchange_settled(struct call *call);
/** Tell a phone again what the other one says, since a relayed offer came to nothing. */
void exchange_restore(struct call *call, struct leg *asked);
void exchange_refresh(struct leg *leg);
nxv_status exchange_offer(
	struct call *call, enum exchange_kind kind, struct leg *asked, const char *sdp, struct nxv_error *err);
/** After a 481: wait a moment for the BYE that explains it, then the leg is lost. */
void exchange_gone(struct call *call, struct leg *asked);
bool exchange_busy(const struct call *call);
/** The phone answered our offer with 491, and we wait so that its own can come: give way to that. False if we do not. */
bool exchange_yield(struct call *call, const struct leg *to);
void exchange_clear(struct call *call);

/* relay.c: phones' own offers, a hold for one */
void relay_start(struct leg *asker, const struct sip_msg *msg);
/** The other phone's final answer. */
void relay_answered(struct call *call, const struct sip_msg *msg);
void relay_failed(struct call *call, int err, const struct sip_msg *msg);
void relay_acknowledged(struct leg *asker, const struct sip_msg *msg);
/** ACK the asked phone although no answer will come. */
void relay_release(struct call *call);
/** The exchange under way is over: a phone that waits with its own offer has its turn soon. */
void relay_next(struct call *call);
/** It hears 491, for the call ends. */
void relay_turn_away(struct call *call);
/** The call ends: a phone that waits for our final answer gets one. */
void relay_abort(struct call *call);

/* pass.c: requests that the other phone answers and that change nothing here */
void pass_request(struct leg *from, const struct sip_msg *msg);
void pass_clear(struct call *call);

/* alive.c: browsers, which vanish without a word */
void alive_watch(struct leg *leg);
void alive_stop(struct leg *leg);

/* refresh.c: session timers (RFC 4028) */
/** Lines for an INVITE or UPDATE that we send. [owned] free(). */
char *refresh_offer_headers(const struct leg *leg);
/** True if this answer asks for the same with a longer interval (422), for the first time. */
bool refresh_raised(struct leg *leg, const struct sip_msg *msg);
/** The phone took it. */
void refresh_accepted(struct leg *leg, const struct sip_msg *msg);
/** The phone's own request. False if its interval is too small: then it was answered. */
bool refresh_requested(struct leg *leg, const struct sip_msg *msg);
/** Lines for our 2xx to that. [owned] free(). */
char *refresh_answer_headers(const struct leg *leg);
void refresh_stop(struct leg *leg);
/** Go on with the timer of a leg taken up: refresh_at_ms is its due time. */
void refresh_resume(struct leg *leg);

#endif
