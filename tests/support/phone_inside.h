/* phone_inside.h - what the files of the test phone share. Everything here is called with the lab's lock held. */
#ifndef TEST_SUPPORT_PHONE_INSIDE_H
#define TEST_SUPPORT_PHONE_INSIDE_H

#include "phone.h"
#include "sip_text.h"

#include <netinet/in.h>
#include <pthread.h>

enum { PHONE_HEARD_MAX = 8000, PHONE_LOG_MAX = 400, RESEND_FIRST_MS = 500, RESEND_MAX_MS = 4000, GIVE_UP_MS = 32000 };

/** A request of ours that waits for its final answer. */
struct request {
	struct request *next;
	struct dialog *dialog;  /* NULL: REGISTER, OPTIONS ... */
	char method[16], branch[64];
	char uri[256];
	unsigned cseq;
	int expires;            /* of REGISTER */
	char *challenge;        /* the line that answers a challenge */
	bool provisional, authenticated;
	bool asked;             /* by phone_ask(): nothing is added to it */
	char *lines, *type, *body, *ack;
	int cseq_step;
	char **reply;           /* where a waiting caller wants the final answer's text */
	int *result;            /* where a waiting caller wants the final status */
	struct sockaddr_in6 to;
	int64_t resend_at, resend_ms, give_up_at;
	char *text;             /* as sent */
};

/** One call. */
struct dialog {
	struct dialog *next;
	struct phone_call seen;
	bool forgotten;
	char local_tag[48], remote_tag[96];
	char remote_target[256], local_uri[256], remote_uri[256];
	char route[2048];       /* "Route: ..." lines, may be empty */
	struct sockaddr_in6 peer; /* where requests go */
	unsigned local_cseq;
	struct sip_text invite;  /* theirs, last: what responses are made from */
	char *answer;           /* last response to an INVITE: final ones are sent again until ACK */
	struct sockaddr_in6 answer_to;
	int64_t answer_resend_at, answer_resend_ms, answer_give_up_at;
	char *ack;              /* ours, sent again on a repeated 200 */
	bool cancel_wanted;
	int64_t act_at;         /* script: answer or refuse */
	int64_t hangup_at;      /* script: BYE */
	struct phone_script script;
	unsigned sdp_version;
	bool held;              /* by us */
	bool early, pracked;    /* our 183 is out, and acknowledged */
	bool offered;           /* an offer of ours is out */
	char their_direction[12];
	struct sockaddr_in6 media;
};

struct log_line {
	int64_t at_us;
	bool sent;
	char *text;
};

struct phone {
	struct phone *next;
	struct lab *lab;
	struct phone_opts opts;
	char host[16];          /* its own address */
	char username[64], password[128], domain[96], from_user[64], algorithm[24];
	char used_algorithm[16];
	bool answer_challenges, vanished;
	struct sockaddr_in6 server, self;
	int udp, tcp, rtp;
	char media_at[24];      /* of its descriptions: "IP4 127.0.0.1" */
	unsigned rtp_port;
	char *stream;           /* TCP bytes not yet framed */
	size_t stream_len;
	char tag[32], register_call_id[64];
	unsigned register_cseq, serial, requests_seen;
	struct sip_text last_invite; /* that it received */
	struct phone_script script;
	struct request *requests;
	struct dialog *dialogs;
	int next_number;
	/* media */
	uint32_t rtp_stamp, rtp_ssrc;
	uint16_t rtp_seq;
	double phase;
	int64_t rtp_at;
	short heard[PHONE_HEARD_MAX];
	size_t heard_total;
	unsigned heard_packets;
	/* log */
	struct log_line log[PHONE_LOG_MAX];
	size_t log_total, log_forgotten;
	/* what the test wants to go otherwise */
	struct phone_will wills[4];
	struct loss {
		char start[32];
		bool sent;
		unsigned times;
	} losses[4];
	bool doubled;
};

struct lab {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct phone *phones;
	int epoll, wake;
	bool stop, quiet;
	unsigned nexus_headers;
	unsigned serial;
};

/* lab.c */
int64_t lab_now_ms(void);                      /* monotonic, for timers */
int64_t lab_utc_us(void);
void lab_changed(struct lab *lab);             /* tell waiting callers */
void lab_poke(struct lab *lab);                /* a timer was set */
bool lab_wait(struct lab *lab, int64_t deadline_ms);

/* phone_wire.c */
bool wire_open(struct phone *phone);
void wire_close(struct phone *phone);
void wire_readable(struct phone *phone, int fd);
void wire_send(struct phone *phone, const char *text, const struct sockaddr_in6 *to);
void wire_log(struct phone *phone, bool sent, const char *data, size_t len);
const char *wire_transport(const struct phone *phone);
/* An address for the phones' sockets, which speak IPv4 too, as ::ffff:127.0.0.1. host: with or without []. */
struct sockaddr_in6 wire_address(const char *host, unsigned port);

/* phone_request.c */
struct request *request_new(struct phone *phone, struct dialog *dialog, const char *method, const char *uri);
void request_start(struct phone *phone, struct request *req);
void request_write(struct phone *phone, struct request *req, struct text *out);
void request_free(struct request *req);
void request_response(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from);
int64_t request_timers(struct phone *phone, int64_t now);
void request_free_all(struct phone *phone);

/* phone_call.c */
void call_request(struct phone *phone, const struct sip_text *msg, const struct sockaddr_in6 *from);
void call_moment(struct phone *phone, struct dialog *d, enum phone_moment moment);
void call_end(struct phone *phone, struct dialog *d);
struct dialog *call_find(struct phone *phone, int number);
struct dialog *call_new(struct phone *phone, bool incoming);
void call_final(struct phone *phone, struct dialog *d, int code);
void call_bye(struct phone *phone, struct dialog *d);
int64_t call_timers(struct phone *phone, int64_t now);
void call_free(struct dialog *d);
void call_route(struct dialog *d, const struct sip_text *msg, bool reversed);

/* phone_dial.c */
void dial_start(struct phone *phone, struct dialog *d, const char *target);
void dial_cancel(struct phone *phone, struct dialog *d);
void dial_response(struct phone *phone, struct request *req, const struct sip_text *msg);
void dial_repeated(struct phone *phone, const struct sip_text *msg);
void dial_reinvite(struct phone *phone, struct dialog *d, int *result);

/* phone_ask.c */
struct phone_will *ask_will(struct phone *phone, const char *method);
bool ask_lost(struct phone *phone, bool sent, const char *text);

/* phone_media.c */
void media_write(struct phone *phone, struct dialog *d, bool answer, struct text *out);
/* Take the other party's SDP. False when there is no codec of ours in it. */
bool media_take(struct phone *phone, struct dialog *d, const char *sdp);
void media_readable(struct phone *phone);
int64_t media_timers(struct phone *phone, int64_t now);

#endif
