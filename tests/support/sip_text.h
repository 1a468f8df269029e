/* sip_text.h - SIP messages as text for the test phone: a small parser, a builder and digest answers.
 * Shares nothing with the library under test or with libre, so that it can contradict them. */
#ifndef TEST_SUPPORT_SIP_TEXT_H
#define TEST_SUPPORT_SIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { SIP_TEXT_MAX = 16384 };

/** Text being built; cut at its end, and then marked. */
struct text {
	size_t len;
	bool cut;
	char data[SIP_TEXT_MAX];
};
void text_clear(struct text *t);
__attribute__((format(printf, 2, 3))) void text_add(struct text *t, const char *format, ...);

/** A parsed message: a copy of its text, and what the phone asks for all the time. */
struct sip_text {
	char *data;      /**< owned, NUL-ended */
	size_t len;
	bool request;
	int code;        /**< of a response */
	char method[16]; /**< of the request, or the CSeq's in a response */
	char uri[256];   /**< of a request */
	unsigned cseq;
	char call_id[160], from_tag[96], to_tag[96], branch[128];
	const char *body;
};

/** False when it is no SIP message. Freed by sip_text_free(), also after a failure. */
bool sip_text_parse(const char *data, size_t len, struct sip_text *out);
void sip_text_free(struct sip_text *msg);
/** Bytes of the first whole message in a stream, 0 when more is needed. */
size_t sip_text_frame(const char *data, size_t len);
/** The nth header of that name (compact forms count). */
bool sip_text_header(const struct sip_text *msg, const char *name, size_t nth, char *out, size_t size);
/** Append every header line of that name, as it came. */
void sip_text_copy(const struct sip_text *msg, const char *name, struct text *out);
/** A parameter of a header's value: ;name=value, or name="value" of a challenge. */
bool sip_text_param(const char *value, const char *name, char *out, size_t size);
/** The URI within <> or bare; and its user, host and port (5060 when none is given). */
void sip_text_uri(const char *value, char *out, size_t size);
void sip_uri_user(const char *uri, char *out, size_t size);
bool sip_uri_host(const char *uri, char *host, size_t size, unsigned *port);
/** True when some header's name begins so. */
bool sip_text_has_prefix(const struct sip_text *msg, const char *prefix);

/** Who logs in, and for what. */
struct sip_login {
	const char *username, *password;
	const char *algorithm; /**< "MD5", "SHA-256", "SHA-512-256"; NULL: the first one offered that we know */
	const char *method, *uri;
};
/** Append the header line that answers a 401 or 407. algorithm (nullable, 16 bytes) gets what was used.
 * False when no challenge fits. */
bool sip_text_answer_challenge(const struct sip_text *challenge, const struct sip_login *login, struct text *out, char *algorithm);
/** Whether a request logs in with MD5 and this name and password. */
bool sip_text_login_right(const struct sip_text *msg, const char *username, const char *password);

#endif
