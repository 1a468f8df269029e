/* framing.c - refuses every head that a proxy before us could read in another way (request smuggling).
 * libmicrohttpd 0.9.75 parses leniently, so its result is held against the bytes that it parsed. */
#include "http/inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Headers that may come once: all that decide on framing or identity. */
static const char *const single[] = {
	"Host",
	"Content-Length",
	"Transfer-Encoding",
	"Authorization",
	"Content-Type",
	"Idempotency-Key",
	"X-Request-Id",
	"Origin",
};
enum { SINGLES = sizeof(single) / sizeof(single[0]) };

struct scan {
	struct http_request *req;
	const char *at, *end; /* the next line must begin at `at` */
	const char *values[SINGLES];
};

static bool refuse(struct http_request *req, int status, const char *code, const char *message)
{
	if (req->fault.status == 0)
		req->fault = (struct http_fault){ status, code, message };
	return false;
}

static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("!#$%&'*+-.^_`|~", *text))
			return false;
	return true;
}

static bool is_field_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

/* The parser puts a NUL over CR and LF each: a line that ended in LF alone leaves one, a folded or NUL-bearing one does
 * not fit. */
static bool line_ends(struct scan *scan, const char *text)
{
	const char *end = text + strlen(text);

	if (text < scan->at || end + 2 > scan->end || end[0] != '\0' || end[1] != '\0')
		return false;
	scan->at = end + 2;
	return true;
}

static enum MHD_Result each_header(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct scan *scan = user;
	struct http_request *req = scan->req;

	(void)kind;
	if (!is_token(name) || !value || !is_field_value(value)) {
		refuse(req, 400, "bad_header",
			"A header is malformed: write Name: value, with no space before the colon.");
		return MHD_NO;
	}
	if (name != scan->at || !line_ends(scan, value)) {
		refuse(req, 400, "bad_framing", "End every line of the head with CRLF, and do not fold headers.");
		return MHD_NO;
	}
	for (size_t i = 0; i < SINGLES; i++) {
		if (strcasecmp(name, single[i]) != 0)
			continue;
		if (scan->values[i]) {
			refuse(req, 400, "duplicate_header",
				"A header that may come once came twice (Host, Content-Length, Authorization ...).");
			return MHD_NO;
		}
		scan->values[i] = value;
	}
	return MHD_YES;
}

static bool is_digits(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 19 && text[n] == '\0';
}

static bool check_body(struct http_request *req, const char *length, const char *coding, bool v11)
{
	if (coding && length)
		return refuse(req, 400, "bad_framing", "Send either Content-Length or Transfer-Encoding, never both.");
	if (coding && (!v11 || strcasecmp(coding, "chunked") != 0))
		return refuse(req, 400, "bad_framing", "The only Transfer-Encoding taken is chunked, with HTTP/1.1.");
	if (length && !is_digits(length))
		return refuse(req, 400, "bad_framing", "Content-Length is a plain decimal number.");
	if (length && strtoull(length, NULL, 10) > HTTP_DRAIN_MAX)
		return refuse(req, 413, "body_too_large", "A request body holds at most 64 KiB.");
	/* Chunk lines are read leniently too: nothing may follow such a body on this connection. */
	req->chunked = req->closing = coding != NULL;
	return true;
}

static bool check_target(struct http_request *req)
{
	if (strlen(req->target) > HTTP_TARGET_MAX)
		return refuse(req, 414, "uri_too_long", "A request target holds at most 4096 bytes.");
	for (const char *c = req->target; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '#')
			return refuse(req, 400, "bad_request_line",
				"Write one space between method, target and version; encode others as %20.");
	if (req->path[0] != '/' && !(strcmp(req->path, "*") == 0 && strcmp(req->method, "OPTIONS") == 0))
		return refuse(req, 400, "bad_request_line", "A request target is a path that begins with /.");
	return true;
}

bool framing_check(struct http_request *req, const char *url, const char *version)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct scan scan = { .req = req };
	bool v11 = strcmp(version, "HTTP/1.1") == 0;

	if (!v11 && strcmp(version, "HTTP/1.0") != 0)
		return refuse(req, 505, "http_version", "Speak HTTP/1.1.");
	if (!is_token(req->method))
		return refuse(req, 400, "bad_request_line", "The method is malformed.");
	if (!check_target(req))
		return false;
	if (url != req->method + strlen(req->method) + 1)
		return refuse(req, 400, "bad_request_line", "Write one space between method, target and version.");
	scan.at = version;
	scan.end = req->method + (info ? info->header_size : 0);
	if (!line_ends(&scan, version))
		return refuse(req, 400, "bad_framing", "End every line of the head with CRLF.");
	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, each_header, &scan);
	if (req->fault.status)
		return false;
	if (scan.end - scan.at != 2 || scan.at[0] != '\0' || scan.at[1] != '\0')
		return refuse(
			req, 400, "bad_framing", "End the head with an empty line of CRLF, and do not fold headers.");
	if ((v11 && !scan.values[0]) ||
		(scan.values[0] && (scan.values[0][0] == '\0' || strpbrk(scan.values[0], " \t,/@"))))
		return refuse(req, 400, "bad_host", "HTTP/1.1 needs one Host header with a host name.");
	return check_body(req, scan.values[1], scan.values[2], v11);
}
