/* nexusd.h - what the tests of nexusd share: a gateway without a SIP server, keys, and HTTP byte by byte. */
#ifndef TEST_INTEGRATION_NEXUSD_H
#define TEST_INTEGRATION_NEXUSD_H

#include <json-c/json.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "gateway.h"
#include "proc.h"

extern struct gateway nexusd;

/** Group set-up and end: one nexusd for all cases, 100000 requests a minute. */
int nexusd_setup(void **state);
int nexusd_teardown(void **state);
/** The same with other settings. */
int nexusd_setup_with(const char *const *settings);

/** HTTP with a JSON body; key and body may be NULL. */
struct http_reply *ask(const char *method, const char *path, const char *key, const char *body);
struct http_reply *ask_with(const char *method, const char *path, const char *key, const char *body, const char *header);
/** The error's code in a reply; "" if there is none. */
const char *error_code(const struct http_reply *reply);

struct made_key {
	char secret[160], id[64];
};
/** Make a key over HTTP; permissions as JSON, such as ["call"]. */
struct made_key make_key(const char *user, const char *permissions);

/** An answer read off a socket. */
struct raw_reply {
	int status;     /**< of the last answer; 0: none came */
	int answers;
	bool closed;    /**< by the server */
	char text[32768];
	const char *body; /**< of the last answer, in text */
};
int raw_connect(void);
void raw_write(int fd, const void *data, size_t len);
/** Read until the server closes or says nothing for quiet_ms. */
void raw_read(int fd, struct raw_reply *reply, int quiet_ms);
/** Connect, send, read, close. */
void raw_ask(const void *data, size_t len, struct raw_reply *reply);
void raw_ask_text(const char *text, struct raw_reply *reply);

/** One line of nexusd's table of routes. */
struct route_line {
	char method[16], pattern[96], permission[16]; /**< "open", "any" or a permission */
};
/** @return how many. */
size_t read_routes(struct route_line *out, size_t room);

#endif
