/* state.c - a call as text, from which it is taken up after a crash: what each of its two dialogs is, what each phone
 * was told and said. The text is ours, but is read as if it were not: anything that does not belong there is refused.
 */
#include "sip/originator/call.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"
#include "sip/originator/sdp.h"

#include <stdlib.h>
#include <string.h>

/* "nexusvoip-call 1\n", then each field as "name length:value\n", all of them, in the order of the tables. */
#define HEAD "nexusvoip-call 1\n"

enum {
	LOST_REQUESTS = 1000,  /* more than a call sends between two times of being stored */
	LOST_DESCRIPTIONS = 2, /* an exchange tells a phone no more often */
	JOIN_SOON_MS = 200,
	REJOIN_MS = 4500, /* first comes what the phones repeat meanwhile: up to T2 apart */
	LINE_MAX_BYTES = 2048,
	ROUTES_MAX = 8192,
	SDP_MAX = 60 * 1024,
	SESSION_ID_MAX = 128
};

enum kind { TOKEN, TAG /* may be empty: RFC 2543 */, LINE, ROUTES, SDP, UINT32, UINT64, TIME, FLAG };

struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t max; /* of a number */
};

static const struct field leg_fields[] = {
	{ "local-tag", TOKEN, offsetof(struct leg, dialog.local_tag), 0 },
	{ "remote-tag", TAG, offsetof(struct leg, dialog.remote_tag), 0 },
	{ "from", LINE, offsetof(struct leg, dialog.from), 0 },
	{ "to", LINE, offsetof(struct leg, dialog.to), 0 },
	{ "target", TOKEN, offsetof(struct leg, dialog.target), 0 },
	{ "routes", ROUTES, offsetof(struct leg, dialog.routes), 0 },
	{ "local-seq", UINT32, offsetof(struct leg, dialog.local_seq), INT32_MAX - 2 * LOST_REQUESTS },
	{ "remote-seq", UINT32, offsetof(struct leg, dialog.remote_seq), UINT32_MAX },
	{ "sdp-id", UINT64, offsetof(struct leg, sdp_id), INT64_MAX },
	{ "sdp-version", UINT32, offsetof(struct leg, sdp_version), INT32_MAX },
	{ "told", SDP, offsetof(struct leg, told), 0 },
	{ "heard", SDP, offsetof(struct leg, media), 0 },
	{ "interval", UINT32, offsetof(struct leg, interval), INT32_MAX },
	{ "interval-min", UINT32, offsetof(struct leg, interval_min), INT32_MAX },
	{ "refresher", FLAG, offsetof(struct leg, refresher), 1 },
	{ "refresh-at", TIME, offsetof(struct leg, refresh_at_ms), INT64_MAX / 2 },
	{ "update", FLAG, offsetof(struct leg, can_update), 1 },
};

/* What is known of the call as a whole. */
struct common {
	char *address; /* ours, as the phones know it */
	bool joined;
	bool settled; /* no exchange was under way */
};
static const struct field common_fields[] = {
	{ "address", LINE, offsetof(struct common, address), 0 },
	{ "joined", FLAG, offsetof(struct common, joined), 1 },
	{ "settled", FLAG, offsetof(struct common, settled), 1 },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- writing --- */

static void put_field(struct buf *b, const struct field *f, const void *record)
{
	const char *at = (const char *)record + f->offset, *text = NULL;
	char number[24] = "";
	long long value = 0;

	if (f->kind == UINT32)
		value = *(const uint32_t *)(const void *)at;
	else if (f->kind == UINT64)
		value = (long long)*(const uint64_t *)(const void *)at;
	else if (f->kind == TIME)
		value = *(const int64_t *)(const void *)at;
	else if (f->kind == FLAG)
		value = *(const bool *)(const void *)at;
	else
		text = *(char *const *)(const void *)at;
	if (f->kind >= UINT32) {
		(void)re_snprintf(number, sizeof(number), "%lld", value);
		text = number;
	}
	buf_printf(b, "%s %zu:", f->name, text ? strlen(text) : (size_t)0);
	buf_str(b, text ? text : "");
	buf_str(b, "\n");
}

static void put_record(struct buf *b, const struct field *fields, size_t count, const void *record)
{
	for (size_t i = 0; i < count; i++)
		put_field(b, &fields[i], record);
}

static char *address_of(const struct originator *o)
{
	return text_printf("%s %s", sip_transp_name(o->transport), o->hostport);
}

/* Whether both phones know each other's media: after a crash in the middle of an exchange, nobody can say. */
static bool is_settled(const struct call *call)
{
	const struct exchange *x = &call->x;

	if (call->state != CALL_JOINED || call->a.stale || call->b.stale)
		return false;
	return x->kind == EXCHANGE_NONE || x->kind == EXCHANGE_REFRESH || x->kind == EXCHANGE_GONE || !x->asked;
}

static bool leg_complete(const struct leg *leg)
{
	return leg->state == LEG_UP && leg->dialog.remote_tag && sdp_text_valid(leg->told) && sdp_text_valid(leg->media);
}

char *call_save(const struct call *call)
{
	struct buf b = { .max = CARRIER_STATE_MAX };
	struct common common = { NULL, call->joined, is_settled(call) };

	if (call->state >= CALL_ENDING || !leg_complete(&call->a) || !leg_complete(&call->b))
		return NULL;
	common.address = address_of(call->o);
	buf_str(&b, HEAD);
	put_record(&b, common_fields, COUNT(common_fields), &common);
	put_record(&b, leg_fields, COUNT(leg_fields), &call->a);
	put_record(&b, leg_fields, COUNT(leg_fields), &call->b);
	b.failed = b.failed || !common.address;
	free(common.address);
	if (b.failed)
		env_log(call->o->env, NXV_LOG_WARN, "sip", "session %s: too large to survive a crash of the gateway",
		        call->session_id);
	return buf_take(&b);
}

/* --- reading --- */

static bool plain(const char *p, size_t len, unsigned char least)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)p[i] < least || p[i] == 0x7f)
			return false;
	}
	return true;
}

/* Whole lines "Route: ...\r\n"; none is fine. */
static bool is_routes(const char *p, size_t len)
{
	static const char name[] = "Route: ";

	while (len) {
		const char *end = memchr(p, '\r', len);
		size_t line = end ? (size_t)(end - p) : len;

		if (len < line + 2 || p[line + 1] != '\n' || line <= sizeof(name) - 1 ||
		        memcmp(p, name, sizeof(name) - 1) != 0 || !plain(p, line, ' '))
			return false;
		p += line + 2;
		len -= line + 2;
	}
	return true;
}

static bool text_fits(enum kind kind, const char *p, size_t len)
{
	switch (kind) {
	case TOKEN:
		return len > 0 && len <= ORIGINATOR_WORD_MAX && plain(p, len, '!');
	case TAG:
		return len <= ORIGINATOR_WORD_MAX && plain(p, len, '!');
	case LINE:
		return len > 0 && len <= LINE_MAX_BYTES && plain(p, len, ' ');
	case ROUTES:
		return len <= ROUTES_MAX && is_routes(p, len);
	default:
		return len <= SDP_MAX;
	}
}

static bool take_number(const struct field *f, const char *p, size_t len, void *record)
{
	char number[24], *at = (char *)record + f->offset;
	int64_t value;

	if (len == 0 || len >= sizeof(number))
		return false;
	memcpy(number, p, len);
	number[len] = '\0';
	if (!text_int(number, 0, f->max, &value))
		return false;
	if (f->kind == UINT32)
		*(uint32_t *)(void *)at = (uint32_t)value;
	else if (f->kind == UINT64)
		*(uint64_t *)(void *)at = (uint64_t)value;
	else if (f->kind == TIME)
		*(int64_t *)(void *)at = value;
	else
		*(bool *)(void *)at = value != 0;
	return true;
}

static bool take_text(const struct field *f, const char *p, size_t len, void *record)
{
	char **at = (char **)(void *)((char *)record + f->offset);

	if (!text_fits(f->kind, p, len))
		return false;
	if (f->kind == ROUTES && len == 0)
		return true;
	*at = strndup(p, len);
	return *at && (f->kind != SDP || sdp_text_valid(*at));
}

/* Take "name length:value\n" off the text. */
static bool take_field(const char **text, const struct field *f, void *record)
{
	const char *p = *text;
	size_t name = strlen(f->name), len = 0;

	if (strncmp(p, f->name, name) != 0 || p[name] != ' ')
		return false;
	p += name + 1;
	if (*p == ':')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		len = len * 10 + (size_t)(*p - '0');
		if (len > SDP_MAX)
			return false;
	}
	if (*p++ != ':' || strnlen(p, len) < len || p[len] != '\n')
		return false;
	*text = p + len + 1;
	return f->kind >= UINT32 ? take_number(f, p, len, record) : take_text(f, p, len, record);
}

/* NULL, or the name of the field that is wrong. */
static const char *take_record(const char **text, const struct field *fields, size_t count, void *record)
{
	for (size_t i = 0; i < count; i++) {
		if (!take_field(text, &fields[i], record))
			return fields[i].name;
	}
	return NULL;
}

static const char *take_all(const char *text, struct common *common, struct call *call)
{
	const char *wrong = NULL;

	if (strncmp(text, HEAD, strlen(HEAD)) != 0)
		return "version";
	text += strlen(HEAD);
	wrong = take_record(&text, common_fields, COUNT(common_fields), common);
	if (!wrong)
		wrong = take_record(&text, leg_fields, COUNT(leg_fields), &call->a);
	if (!wrong)
		wrong = take_record(&text, leg_fields, COUNT(leg_fields), &call->b);
	return wrong || !*text ? wrong : "end";
}

/* --- taking up --- */

static nxv_status name_leg(struct leg *leg, struct call *call, char name, struct nxv_error *err)
{
	struct dialog *d = &leg->dialog;

	leg->call = call;
	leg->name = name;
	d->o = call->o;
	d->call_id = text_printf("%s-%c", call->session_id, name);
	return d->call_id ? NXV_OK : error_nomem(err);
}

/* What was sent after the text was stored is not in it: no number may be used twice. */
static void revive_leg(struct leg *leg, bool settled, bool joined)
{
	struct dialog *d = &leg->dialog;

	leg->state = LEG_UP;
	d->local_seq += LOST_REQUESTS;
	d->lost_seq = d->local_seq;
	leg->stale = !settled;
	if (!settled)
		leg->sdp_version += LOST_DESCRIPTIONS;
	hash_append(leg->call->o->legs, hash_joaat_str(d->call_id), &leg->he, leg);
	refresh_resume(leg);
	if (joined)
		alive_watch(leg);
}

static void revive(struct call *call, const struct common *common)
{
	revive_leg(&call->a, common->settled, common->joined);
	revive_leg(&call->b, common->settled, common->joined);
	call->joined = common->joined;
	call->state = common->joined ? CALL_JOINED : CALL_JOINING;
	if (!common->settled)
		exchange_join_later(call, common->joined ? REJOIN_MS : JOIN_SOON_MS);
	call_enlist(call);
}

static nxv_status read_call(struct call *call, const char *text, struct common *common, struct nxv_error *err)
{
	char *address = address_of(call->o);
	const char *wrong = take_all(text, common, call);
	nxv_status st = NXV_OK;

	if (!address)
		st = error_nomem(err);
	else if (wrong)
		st = error_set(err, NXV_E_INVALID, "its stored state cannot be read (%s)", wrong);
	else if (common->settled && !common->joined)
		st = error_set(err, NXV_E_INVALID, "its stored state contradicts itself");
	else if (strcmp(common->address, address) != 0)
		st = error_set(err, NXV_E_CONFLICT,
		        "its phones know this gateway at %s, which is now at %s: keep the state folder's settings of "
		        "the "
		        "originator's address while calls are up",
		        common->address, address);
	free(address);
	return st;
}

nxv_status call_restore(struct originator *o, const char *session_id, const char *text, struct nxv_error *err)
{
	struct common common = { 0 };
	struct call *call = NULL;
	nxv_status st = NXV_OK;

	if (strnlen(session_id, SESSION_ID_MAX + 1) > SESSION_ID_MAX || strlen(text) > CARRIER_STATE_MAX)
		st = error_set(err, NXV_E_INVALID, "a session id or a stored state is too long");
	if (st == NXV_OK)
		st = call_admit(o, session_id, err);
	if (st == NXV_OK && !(call = calloc(1, sizeof(*call))))
		st = error_nomem(err);
	if (st != NXV_OK)
		return st;
	call->o = o;
	call->session_id = text_dup(session_id);
	st = call->session_id ? name_leg(&call->a, call, 'a', err) : error_nomem(err);
	if (st == NXV_OK)
		st = name_leg(&call->b, call, 'b', err);
	if (st == NXV_OK)
		st = read_call(call, text, &common, err);
	if (st == NXV_OK)
		revive(call, &common);
	else
		call_free(call);
	free(common.address);
	return st;
}
