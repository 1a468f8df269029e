/* body.c - request bodies: one table of members per kind, and the one reader that checks a body against it
 * and names every member at fault. */
#include <nexusvoip/wire.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 100, SIP_URI_MAX_BYTES = 255, OVERLAP_MAX_SECONDS = 30 * 24 * 3600 };

/* A body being read. */
struct reader {
	struct nxv_body *body;
	struct nxv_problems problems;
	bool nomem;
};

struct member;
typedef void read_fn(struct reader *r, const struct member *m, struct json_object *value, void *slot);

/* One member of a body; the last row of a table has no name. */
struct member {
	const char *name;
	read_fn *read;
	size_t offset; /* in struct nxv_body */
	bool required;
	const char *write; /* what to write there, for the messages */
};

static void __attribute__((format(printf, 3, 4))) fault(struct reader *r, const char *field, const char *fmt, ...)
{
	struct nxv_problems *all = &r->problems;
	if (all->count == sizeof(all->items) / sizeof(all->items[0]))
		return;
	struct nxv_problem *p = &all->items[all->count++];
	va_list args;
	text_copy(p->field, sizeof(p->field), field);
	va_start(args, fmt);
	vsnprintf(p->problem, sizeof(p->problem), fmt, args);
	va_end(args);
}

/* The text of a string value; NULL after naming the fault. A NUL inside would hide what follows it. */
static const char *text_of(struct reader *r, const struct member *m, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string)) {
		fault(r, m->name, "must be a string: write %s", m->write);
		return NULL;
	}
	const char *text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value)) {
		fault(r, m->name, "holds a NUL character: write %s", m->write);
		return NULL;
	}
	return text;
}

static void keep_text(struct reader *r, const struct member *m, const char *text, bool valid, void *slot)
{
	if (!valid) {
		fault(r, m->name, "%s: write %s", *text ? "is not valid" : "is empty", m->write);
		return;
	}
	*(char **)slot = text_dup(text);
	r->nomem = r->nomem || !*(char **)slot;
}

static void read_user_id(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	if (text)
		keep_text(r, m, text, text_is_user_id(text), slot);
}

static void read_name(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	if (text)
		keep_text(r, m, text, text_is_label(text, NAME_MAX_BYTES), slot);
}

/* A number, or a SIP username; what begins with + is meant as a number. */
static bool is_party(const char *text)
{
	return *text == '+' ? text_is_number(text) : text_is_user_id(text);
}

static void read_from(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	if (text)
		keep_text(r, m, text, is_party(text), slot);
}

/* sip:user@host or sip:user@host:port, without parameters: whether the domain is ours is the session's business. */
static bool is_sip_uri(const char *text)
{
	if (strncmp(text, "sip:", 4) != 0 || strlen(text) > SIP_URI_MAX_BYTES)
		return false;
	const char *at = strrchr(text, '@');
	size_t user = at ? (size_t)(at - text - 4) : 0;
	char name[65];
	if (user == 0 || user >= sizeof(name))
		return false;
	memcpy(name, text + 4, user);
	name[user] = '\0';
	if (!text_is_user_id(name) || strchr(name, '@') || !at[1])
		return false;
	for (const char *c = at + 1; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".-:[]", *c))
			return false;
	return true;
}

static void read_to(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	if (text)
		keep_text(r, m, text, strncmp(text, "sip:", 4) == 0 ? is_sip_uri(text) : is_party(text), slot);
}

static void read_time(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	int64_t at_ms;
	if (!text)
		return;
	/* 0 means "never" in the record, so a time at or before 1970 must not get through */
	if (nxv_time_parse(text, &at_ms, NULL) != NXV_OK || at_ms <= 0)
		fault(r, m->name, "is not valid: write %s", m->write);
	else
		*(int64_t *)slot = at_ms;
}

static bool read_flag(struct reader *r, const struct member *m, struct json_object *value, bool *out)
{
	if (!json_object_is_type(value, json_type_boolean)) {
		fault(r, m->name, "must be a boolean: write %s", m->write);
		return false;
	}
	*out = json_object_get_boolean(value);
	return true;
}

static void read_bool(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	read_flag(r, m, value, slot);
}

static void read_use_twilio(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	bool use;
	if (read_flag(r, m, value, &use))
		*(nxv_use_twilio *)slot = use ? NXV_TWILIO_YES : NXV_TWILIO_NO;
}

static void read_ring_first(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value);
	if (!text)
		return;
	if (strcmp(text, "caller") != 0 && strcmp(text, "callee") != 0)
		fault(r, m->name, "is not valid: write %s", m->write);
	*(bool *)slot = strcmp(text, "callee") == 0;
}

static void read_action(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	const char *text = text_of(r, m, value), *name;
	if (!text)
		return;
	for (int i = NXV_RECORDING_START; i <= NXV_RECORDING_STOP; i++) {
		name = nxv_recording_action_name((nxv_recording_action)i);
		if (strcmp(text, name) == 0)
			*(nxv_recording_action *)slot = (nxv_recording_action)i;
	}
	if (!*(nxv_recording_action *)slot)
		fault(r, m->name, "is not valid: write %s", m->write);
}

static void read_overlap(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	if (!json_object_is_type(value, json_type_int)) {
		fault(r, m->name, "must be a whole number: write %s", m->write);
		return;
	}
	int64_t seconds = json_object_get_int64(value);
	if (seconds < 0 || seconds > OVERLAP_MAX_SECONDS)
		fault(r, m->name, "is out of range: write %s", m->write);
	else
		*(int64_t *)slot = seconds * 1000;
}

static void read_permissions(struct reader *r, const struct member *m, struct json_object *value, void *slot)
{
	if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) == 0) {
		fault(r, m->name, "must be a list of one or more: write %s", m->write);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		char path[64];
		unsigned bit = 0;
		snprintf(path, sizeof(path), "%s.%zu", m->name, i);
		struct member item = *m;
		item.name = path;
		const char *text = text_of(r, &item, json_object_array_get_idx(value, i));
		if (!text)
			continue;
		if (strchr(text, ',') || nxv_permissions_parse(text, &bit, NULL) != NXV_OK)
			fault(r, path, "is no permission: write %s", m->write);
		*(unsigned *)slot |= bit;
	}
}

#define AT(member) offsetof(struct nxv_body, member)
#define WRITE_USER "1 to 64 of A-Z a-z 0-9 . _ @ + -, such as \"user_123\""
#define WRITE_EXPIRY "a time to come, such as \"2030-01-31T12:00:00Z\", or leave it out for never"
#define WRITE_PARTY "+ and 2 to 15 digits, such as \"+14155550100\", or a SIP username"

static const struct member none_members[] = { { 0 } };
static const struct member key_members[] = {
	{ "userId", read_user_id, AT(user_id), true, WRITE_USER },
	{ "name", read_name, AT(name), true, "1 to 100 bytes of text without control characters" },
	{ "permissions", read_permissions, AT(permissions), true, "[\"call\", \"sip\", \"recording\"] or some of them" },
	{ "expiresAt", read_time, AT(expires_at_ms), false, WRITE_EXPIRY },
	{ 0 },
};
static const struct member key_patch_members[] = {
	{ "active", read_bool, AT(active), true, "true or false" },
	{ 0 },
};
static const struct member key_rotate_members[] = {
	{ "overlapSeconds", read_overlap, AT(overlap_ms), false, "0 to 2592000 (30 days)" },
	{ 0 },
};
static const struct member credential_members[] = {
	{ "userId", read_user_id, AT(user_id), true, WRITE_USER },
	{ "expiresAt", read_time, AT(expires_at_ms), false, WRITE_EXPIRY },
	{ 0 },
};
static const struct member call_members[] = {
	{ "fromNumber", read_from, AT(from_number), true, WRITE_PARTY },
	{ "toNumber", read_to, AT(to_number), true, WRITE_PARTY ", a userId or a sip: URI of the own domain" },
	{ "useTwilio", read_use_twilio, AT(use_twilio), false, "true or false, or leave it out" },
	{ "autoAnswer", read_bool, AT(auto_answer), false, "true or false, or leave it out" },
	{ "ringFirst", read_ring_first, AT(callee_first), false, "caller or callee, or leave it out" },
	{ 0 },
};
static const struct member recording_members[] = {
	{ "action", read_action, AT(action), true, "start, pause, resume or stop" },
	{ 0 },
};

static const struct {
	const struct member *members;
	bool may_be_empty;
} kinds[] = {
	[NXV_BODY_NONE] = { none_members, true },
	[NXV_BODY_KEY] = { key_members, false },
	[NXV_BODY_KEY_PATCH] = { key_patch_members, false },
	[NXV_BODY_KEY_ROTATE] = { key_rotate_members, true },
	[NXV_BODY_CREDENTIAL] = { credential_members, false },
	[NXV_BODY_CALL] = { call_members, false },
	[NXV_BODY_RECORDING] = { recording_members, false },
};

static const struct member *member_find(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (!strcmp(members->name, name))
			return members;
	return NULL;
}

static void fault_unknown(struct reader *r, const struct member *members, const char *name)
{
	char known[128] = "";
	for (const struct member *m = members; m->name; m++) {
		size_t len = strlen(known);
		snprintf(known + len, sizeof(known) - len, "%s%s", len ? ", " : "", m->name);
	}
	fault(r, *name ? name : "\"\"", "is not known here: %s%s", *known ? "this body takes " : "this request takes no body", known);
}

static void read_members(struct reader *r, const struct member *members, struct json_object *object)
{
	for (const struct member *m = members; m->name; m++) {
		struct json_object *value = NULL;
		if (!json_object_object_get_ex(object, m->name, &value)) {
			if (m->required)
				fault(r, m->name, "is missing: write %s", m->write);
		} else if (!value) {
			fault(r, m->name, "must not be null: write %s", m->write);
		} else {
			m->read(r, m, value, (char *)r->body + m->offset);
		}
	}
	json_object_object_foreach(object, name, ignored) {
		(void)ignored;
		if (!member_find(members, name))
			fault_unknown(r, members, name);
	}
}

static bool blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i])
			return false;
	return true;
}

static nxv_status read_object(struct reader *r, nxv_body_kind kind, const char *text, size_t len, struct nxv_error *err)
{
	struct json_object *object = NULL;
	if (blank(text, len)) {
		if (kinds[kind].may_be_empty)
			return NXV_OK;
		return error_code(err, NXV_E_INVALID, "bad_json", "the body is empty: send a JSON object, with %s in it",
			kinds[kind].members[0].name);
	}
	nxv_status status = json_read(text, len, JSON_MAX_BODY, &object, err);
	if (status != NXV_OK)
		return status;
	if (json_object_is_type(object, json_type_object))
		read_members(r, kinds[kind].members, object);
	else
		fault(r, "", "the body must be a JSON object, such as {}");
	json_object_put(object);
	return NXV_OK;
}

nxv_status nxv_body_parse(nxv_body_kind kind, const char *text, size_t len, struct nxv_body **out, struct nxv_problems *problems, struct nxv_error *err)
{
	struct nxv_error local = NXV_ERROR_INIT;
	struct reader r = { 0 };
	nxv_status status;

	error_clear(err);
	err = err ? err : &local;
	*out = NULL;
	r.body = calloc(1, sizeof(*r.body));
	if (!r.body) {
		status = error_nomem(err);
		goto out;
	}
	status = read_object(&r, kind, text ? text : "", text ? len : 0, err);
	if (status == NXV_E_INVALID && *err->field)
		fault(&r, err->field, "%s", err->message);
	if (status == NXV_OK && r.nomem)
		status = error_nomem(err);
	if (status == NXV_OK && r.problems.count > 0) {
		const struct nxv_problem *first = &r.problems.items[0];
		status = error_field(err, first->field, "%s%s%s", first->field, *first->field ? " " : "", first->problem);
		text_copy(err->code, sizeof(err->code), "bad_request");
	}
	if (status == NXV_OK) {
		*out = r.body;
		r.body = NULL;
	}
out:
	if (problems)
		*problems = r.problems;
	nxv_body_free(r.body);
	return status;
}

void nxv_body_free(struct nxv_body *body)
{
	if (!body)
		return;
	free(body->user_id);
	free(body->name);
	free(body->from_number);
	free(body->to_number);
	free(body);
}
