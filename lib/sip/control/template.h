/* template.h - configuration templates: @NAME@ placeholders, and lines between "@if NAME" and "@end" that stay
 * when NAME has a value. */
#ifndef NXV_SIP_CONTROL_TEMPLATE_H
#define NXV_SIP_CONTROL_TEMPLATE_H

#include <nexusvoip/types.h>

#include "base/buf.h"

enum { TEMPLATE_VARS_MAX = 64 };
struct template_var {
	const char *name;
	char *value; /**< [owned] by the table */
};
struct template_vars {
	struct template_var items[TEMPLATE_VARS_MAX];
	size_t count;
	bool failed; /**< out of memory, or too many */
};

/** Add a value made like printf(). The caller has checked that it cannot break out of where it stands. */
void template_set(struct template_vars *vars, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void template_vars_free(struct template_vars *vars);
/** Errors: NXV_E_INTERNAL for a name without value or an unbalanced "@if", NXV_E_NOMEM. */
nxv_status template_render(const char *text, const struct template_vars *vars, struct buf *out, struct nxv_error *err);

#endif
