/* template.c - fills in configuration templates. Names that have no value fail loudly: a template and its driver
 * are released together. */
#include "sip/control/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void template_set(struct template_vars *vars, const char *name, const char *fmt, ...)
{
	struct template_var *var = &vars->items[vars->count];
	va_list ap;
	int len;

	if (vars->failed || vars->count == TEMPLATE_VARS_MAX) {
		vars->failed = true;
		return;
	}
	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	var->name = name;
	var->value = len < 0 ? NULL : malloc((size_t)len + 1);
	if (!var->value) {
		vars->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(var->value, (size_t)len + 1, fmt, ap);
	va_end(ap);
	vars->count++;
}

void template_vars_free(struct template_vars *vars)
{
	for (size_t i = 0; i < vars->count; i++) {
		explicit_bzero(vars->items[i].value, strlen(vars->items[i].value));
		free(vars->items[i].value);
	}
	vars->count = 0;
}

static const char *value_of(const struct template_vars *vars, const char *name, size_t len)
{
	for (size_t i = 0; i < vars->count; i++)
		if (strlen(vars->items[i].name) == len && memcmp(vars->items[i].name, name, len) == 0)
			return vars->items[i].value;
	return NULL;
}

static size_t name_length(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* Copy one line, filling in. A '@' that starts no placeholder stands for itself. */
static nxv_status fill_line(const char *line, size_t len, const struct template_vars *vars, struct buf *out, struct nxv_error *err)
{
	for (size_t i = 0; i < len; i++) {
		const size_t n = line[i] == '@' ? name_length(line + i + 1) : 0;
		const char *value;

		if (n == 0 || line[i + 1 + n] != '@') {
			buf_append(out, line + i, 1);
			continue;
		}
		value = value_of(vars, line + i + 1, n);
		if (!value)
			return error_set(err, NXV_E_INTERNAL, "the template names %.*s, which has no value", (int)n, line + i + 1);
		buf_str(out, value);
		i += n + 1;
	}
	return NXV_OK;
}

nxv_status template_render(const char *text, const struct template_vars *vars, struct buf *out, struct nxv_error *err)
{
	int depth = 0, hidden_at = 0; /* hidden_at: depth of the "@if" that hides these lines; 0 shows them */
	nxv_status status = NXV_OK;

	if (vars->failed)
		return error_nomem(err);
	for (const char *line = text, *next; *line && status == NXV_OK; line = next) {
		const size_t len = strcspn(line, "\n") + (strchr(line, '\n') ? 1 : 0);

		next = line + len;
		if (strncmp(line, "@if ", 4) == 0) {
			const char *value = value_of(vars, line + 4, name_length(line + 4));

			depth++;
			if (!hidden_at && (!value || !*value))
				hidden_at = depth;
		} else if (strncmp(line, "@end", 4) == 0) {
			if (hidden_at == depth)
				hidden_at = 0;
			depth--;
		} else if (!hidden_at) {
			status = fill_line(line, len, vars, out, err);
		}
	}
	if (status == NXV_OK && depth != 0)
		status = error_set(err, NXV_E_INTERNAL, "the template has an @if without @end");
	if (status == NXV_OK && out->failed)
		status = error_nomem(err);
	return status;
}
