/* output.h - what nexusctl prints: tables and records for people, JSON for scripts, one-line errors on standard
 * error. Text from the network is made safe for a terminal. */
#ifndef NEXUSCTL_OUTPUT_H
#define NEXUSCTL_OUTPUT_H

#include "app.h"

/** Say what is wrong with the command line and how it is used. @return RC_USAGE. */
int out_usage(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Report a failure of the library. @return the exit status that belongs to it. */
int out_error(const struct app *app, const struct nxv_error *err);
/** Report a failure of our own. @return rc. */
int out_fail(const struct app *app, int rc, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/** A remark on standard error; nothing with --json. */
void out_note(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** A line on standard output, made safe for a terminal. */
void out_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/** Say that it is done: "deleted key_1", or {"id":"key_1","deleted":true}. @return the exit status. */
int out_done(const struct app *app, const char *done, const char *id);
/** Print JSON text as a line and free it. @return RC_DONE, or RC_FAILED after saying that memory ran out (NULL). */
int out_json(const struct app *app, char *json);

/** A list: rows of a table, or items of a JSON array. */
struct out_list {
	const struct app *app;
	const char *const *heads; /**< NULL-ended */
	void *table;              /**< libsmartcols table; NULL with --json */
	size_t columns;
	size_t count;
	bool failed;
};
/** Append one item: its cells (as many as heads; NULL: "-"), or with --json its JSON ([owned]). */
void out_list_add(struct out_list *list, const char *const *cells, char *json);

/** Fetch the page that begins at *cursor, append its items, and set *cursor ([owned]) to the next one, NULL at the end. */
typedef nxv_status out_page_fn(struct out_list *list, void *arg, unsigned limit, char **cursor, struct nxv_error *err);
/** Replace *cursor by *next, which is taken over; NULL: there is none. */
void out_next_cursor(char **cursor, char **next);
/** Print a list of at most max items (0: all), page by page. @return the exit status. */
int out_pages(const struct app *app, const char *const *heads, long max, out_page_fn *fetch, void *arg);

/** An export: every row there is, as lines of CSV or of JSON. */
struct out_export {
	const struct app *app;
	bool csv;
	bool failed;
};
enum { EXPORT_PAGE = 1000 };
/** Which form --format asks for, or --json. @return RC_DONE, or RC_USAGE after saying what is wrong. */
int out_export_format(struct app *app, bool *csv);
/** Print one row and free it; NULL: memory ran out. CSV brings its own end of line. */
void out_export_add(struct out_export *export, char *row);
/** As out_page_fn. */
typedef nxv_status out_export_fn(struct out_export *export, void *arg, char **cursor, struct nxv_error *err);
/** Print the heading ([owned], nullable), then page after page. @return the exit status. */
int out_export_pages(struct out_export *export, char *heading, out_export_fn *fetch, void *arg);

/** A record for people: name and value, aligned; an absent value is left out. */
struct out_pair {
	const char *name;
	const char *value;
};
void out_record(const struct out_pair *pairs, size_t count);

/** A time for people, to the second, in UTC; "-" for 0. buf holds 32 bytes. @return buf. */
const char *out_time(int64_t at_ms, char *buf);

#endif
