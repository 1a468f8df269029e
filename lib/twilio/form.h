/* form.h - application/x-www-form-urlencoded, both ways: request bodies and queries to Twilio, bodies of its webhooks. */
#ifndef NXV_TWILIO_FORM_H
#define NXV_TWILIO_FORM_H

#include <nexusvoip/twilio.h>

#include "base/buf.h"

enum { FORM_PARAMS_MAX = 512 };

/** Add one pair, with "&" in front unless it is the first. Everything but A-Z a-z 0-9 - . _ ~ is percent-encoded. */
void form_add(struct buf *form, const char *name, const char *value);

/** Pairs of a form; name and value of each point into text. Freed by form_free(). */
struct form {
	struct nxv_twilio_param *params;
	size_t count;
	char *text;
};
/** Take a body apart. Errors: NXV_E_INVALID (more than FORM_PARAMS_MAX pairs, or a NUL in it), NXV_E_NOMEM. */
nxv_status form_parse(const void *body, size_t len, struct form *out, struct nxv_error *err);
/** Value of the first pair of that name; NULL if there is none. */
const char *form_get(const struct form *form, const char *name);
void form_free(struct form *form);

#endif
