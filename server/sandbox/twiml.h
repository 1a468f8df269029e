/* twiml.h - TwiML read: a small XML parser for what Twilio takes, and nothing fetched from anywhere. */
#ifndef NEXUS_SANDBOX_TWIML_H
#define NEXUS_SANDBOX_TWIML_H

#include <stdbool.h>
#include <stddef.h>

enum { TWIML_DEPTH_MAX = 8, TWIML_ATTRS_MAX = 32 };

struct twiml_attr {
	struct twiml_attr *next;
	char *name, *value;
};
/** An element. */
struct twiml {
	struct twiml *parent, *child, *next;
	char *name, *text; /**< text: its own, blanks around it cut; "" if none */
	struct twiml_attr *attrs;
};

/** Parse a document whose root is Response. @return [owned], twiml_free(); NULL: why says what is wrong. */
struct twiml *twiml_parse(const char *text, size_t len, char *why, size_t why_len);
void twiml_free(struct twiml *twiml);
/** An attribute's value; fallback when absent. */
const char *twiml_attr(const struct twiml *twiml, const char *name, const char *fallback);
int twiml_attr_int(const struct twiml *twiml, const char *name, int fallback);
bool twiml_is(const struct twiml *twiml, const char *name);

#endif
