/* output.c - prints tables, records, JSON and errors. */
#include "output.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"

/* Text without the control characters that would drive a terminal. */
static void put_safe(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7F ? '?' : *text, to);
}

static void report(const struct app *app, const char *code, const char *field, const char *message)
{
	if (!app->json) {
		fputs("nexusctl: ", stderr);
		put_safe(stderr, message);
		fputc('\n', stderr);
		return;
	}
	char *c = nxv_json_string(code), *f = nxv_json_string(field), *m = nxv_json_string(message);
	if (c && f && m)
		fprintf(stderr, "{\"error\":{\"code\":%s,\"message\":%s%s%s}}\n", c, m, *field ? ",\"field\":" : "", *field ? f : "");
	free(c);
	free(f);
	free(m);
}

int out_usage(const struct app *app, const char *fmt, ...)
{
	char message[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	report(app, "usage", "", message);
	if (!app->json)
		help_usage(app, stderr);
	return RC_USAGE;
}

int out_fail(const struct app *app, int rc, const char *code, const char *fmt, ...)
{
	char message[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	report(app, code, "", message);
	return rc;
}

static int exit_status(const struct nxv_error *err)
{
	switch (err->status) {
	case NXV_OK:
		return RC_DONE;
	case NXV_E_INVALID: /* a wrong configuration file is no wrong use of the command */
		return strcmp(err->code, "bad_config") ? RC_USAGE : RC_FAILED;
	case NXV_E_NOT_FOUND:
		return RC_NOT_FOUND;
	case NXV_E_UNAUTHENTICATED:
	case NXV_E_DENIED:
	case NXV_E_CONFLICT:
	case NXV_E_LIMIT:
	case NXV_E_UNCALLABLE:
	case NXV_E_BUSY:
		return RC_REFUSED;
	case NXV_E_UNREACHABLE:
	case NXV_E_TIMEOUT:
	case NXV_E_NOT_RUNNING:
		return RC_UNREACHABLE;
	default:
		return RC_FAILED;
	}
}

/* The option that a member of a record is given by. */
static const char *option_of(const struct app *app, const char *field)
{
	static const char *const names[][2] = { { "userId", "user" }, { "expiresAt", "expires" }, { "fromNumber", "from" }, { "toNumber", "to" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(field, names[i][0]))
			field = names[i][1];
	for (const struct opt *o = app->cmd ? app->cmd->opts : NULL; *field && o && o->name; o++)
		if (!strcmp(o->name, field))
			return o->name;
	return NULL;
}

int out_error(const struct app *app, const struct nxv_error *err)
{
	const char *option = option_of(app, err->field);
	char message[sizeof(err->message) + 64];

	if (option && !app->json)
		snprintf(message, sizeof(message), "--%s: %s", option, err->message);
	else
		snprintf(message, sizeof(message), "%s", *err->message ? err->message : nxv_status_name(err->status));
	report(app, err->code, err->field, message);
	return exit_status(err);
}

void out_note(const struct app *app, const char *fmt, ...)
{
	char message[512];
	va_list args;

	if (app->json)
		return;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	fflush(stdout); /* the remark is about what was printed before it */
	put_safe(stderr, message);
	fputc('\n', stderr);
}

void out_line(const char *fmt, ...)
{
	char line[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	put_safe(stdout, line);
	putchar('\n');
}

static int no_memory(const struct app *app)
{
	return out_fail(app, RC_FAILED, "nomem", "out of memory");
}

int out_json(const struct app *app, char *json)
{
	if (!json)
		return no_memory(app);
	puts(json);
	free(json);
	return RC_DONE;
}

int out_done(const struct app *app, const char *done, const char *id)
{
	if (!app->json) {
		printf("%s %s\n", done, id);
		return RC_DONE;
	}
	char *literal = nxv_json_string(id);
	if (!literal)
		return no_memory(app);
	printf("{\"id\":%s,\"%s\":true}\n", literal, done);
	free(literal);
	return RC_DONE;
}

static void table_begin(struct out_list *list)
{
	list->table = scols_new_table();
	list->failed = !list->table;
	for (; !list->failed && list->heads[list->columns]; list->columns++)
		list->failed = !scols_table_new_column(list->table, list->heads[list->columns], 0, 0);
}

void out_list_add(struct out_list *list, const char *const *cells, char *json)
{
	struct libscols_line *line;

	if (list->app->json) {
		list->failed = list->failed || !json;
		printf("%s%s", list->count++ ? ",\n" : "[\n", json ? json : "");
		free(json);
		return;
	}
	if (list->count++ == 0)
		table_begin(list);
	if (list->failed)
		return;
	line = scols_table_new_line(list->table, NULL);
	list->failed = !line;
	for (size_t i = 0; !list->failed && i < list->columns; i++)
		list->failed = scols_line_set_data(line, i, cells[i] && *cells[i] ? cells[i] : "-") != 0;
}

static int list_end(struct out_list *list)
{
	if (list->app->json)
		puts(list->count ? "\n]" : "[]");
	else if (!list->failed && list->count)
		list->failed = scols_print_table(list->table) != 0;
	if (!list->failed && !list->count)
		out_note(list->app, "none");
	return list->failed ? no_memory(list->app) : RC_DONE;
}

void out_next_cursor(char **cursor, char **next)
{
	free(*cursor);
	*cursor = next ? *next : NULL;
	if (next)
		*next = NULL;
}

int out_pages(const struct app *app, const char *const *heads, long max, out_page_fn *fetch, void *arg)
{
	struct out_list list = { .app = app, .heads = heads };
	struct nxv_error err = NXV_ERROR_INIT;
	nxv_status status = NXV_OK;
	char *cursor = NULL;

	do {
		size_t left = max ? (size_t)max - list.count : 1000;
		status = fetch(&list, arg, left < 1000 ? (unsigned)left : 1000, &cursor, &err);
	} while (status == NXV_OK && !list.failed && cursor && (!max || list.count < (size_t)max));
	free(cursor);
	int rc = status == NXV_OK ? list_end(&list) : out_error(app, &err);
	scols_unref_table(list.table);
	return rc;
}

void out_record(const struct out_pair *pairs, size_t count)
{
	size_t width = 0;

	for (size_t i = 0; i < count; i++)
		if (pairs[i].value && strlen(pairs[i].name) > width)
			width = strlen(pairs[i].name);
	for (size_t i = 0; i < count; i++) {
		if (!pairs[i].value)
			continue;
		printf("%-*s  ", (int)width, pairs[i].name);
		put_safe(stdout, pairs[i].value);
		putchar('\n');
	}
}

const char *out_time(int64_t at_ms, char *buf)
{
	if (at_ms == 0)
		return strcpy(buf, "-");
	nxv_time_format(at_ms, buf);
	strcpy(buf + 19, "Z"); /* without the milliseconds */
	return buf;
}
