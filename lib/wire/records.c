/* records.c - one table per public record: its members' names and types as the guide writes them. */
#include <nexusvoip/wire.h>

#include "wire/record.h"

#include <string.h>

#define FIELD(label, kind, record, member) { .name = (label), .type = (kind), .offset = offsetof(struct record, member) }
#define NONZERO(label, kind, record, member) \
	{ .name = (label), .type = (kind), .offset = offsetof(struct record, member), .skip_zero = true }
#define PUT(label, record, member, function) \
	{ .name = (label), .type = WIRE_PUT, .offset = offsetof(struct record, member), .arg.put = (function) }
#define JSON(label, text) { .name = (label), .type = WIRE_JSON, .arg.json = (text) }
#define OBJECT(label, fields) { .name = (label), .type = WIRE_OBJECT, .arg.inner = (fields) }
#define END { .type = WIRE_END }

static void put_permissions(struct buf *out, const void *member)
{
	unsigned set = *(const unsigned *)member;
	const char *comma = "";
	buf_str(out, "[");
	for (unsigned bit = 1; bit && bit <= set; bit <<= 1) {
		const char *name = set & bit ? nxv_permission_name(bit) : NULL;
		if (!name)
			continue;
		buf_printf(out, "%s\"%s\"", comma, name);
		comma = ",";
	}
	buf_str(out, "]");
}

static void put_call_status(struct buf *out, const void *member)
{
	wire_put_string(out, nxv_call_status_name(*(const nxv_call_status *)member));
}

static void put_sip_state(struct buf *out, const void *member)
{
	wire_put_string(out, nxv_sip_state_name(*(const nxv_sip_state *)member));
}

static void put_is_up(struct buf *out, const void *member)
{
	buf_str(out, *(const nxv_sip_state *)member == NXV_SIP_RUNNING ? "true" : "false");
}

/* Length of the name if a "name=value" pair begins here, else 0. */
static size_t pair_name(const char *s)
{
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return s[len] == '=' ? len : 0;
}

/* Where the value ends: before the next " name=", so that a value may hold spaces. */
static size_t value_length(const char *s)
{
	for (const char *space = strchr(s, ' '); space; space = strchr(space + 1, ' '))
		if (pair_name(space + 1))
			return (size_t)(space - s);
	return strlen(s);
}

static bool named_before(const char *data, const char *name, size_t len)
{
	for (const char *s = data; s < name; s += pair_name(s) + 1 + value_length(s + pair_name(s) + 1) + 1)
		if (pair_name(s) == len && !strncmp(s, name, len))
			return true;
	return false;
}

/* An event's "key=value key=value" as an object of texts; a name that is repeated counts once. */
static void put_pairs(struct buf *out, const void *member)
{
	const char *data = *(char *const *)member;
	const char *comma = "";
	buf_str(out, "{");
	for (const char *s = data ? data : ""; pair_name(s);) {
		size_t name = pair_name(s);
		const char *value = s + name + 1;
		size_t len = value_length(value);
		if (!named_before(data, s, name)) {
			struct buf text = BUF_INIT;
			buf_append(&text, value, len);
			buf_printf(out, "%s\"%.*s\":", comma, (int)name, s);
			wire_put_string(out, text.data ? text.data : "");
			out->failed = out->failed || text.failed;
			buf_free(&text);
			comma = ",";
		}
		s = value[len] ? value + len + 1 : value + len;
	}
	buf_str(out, "}");
}

static const struct wire_field key_metadata[] = {
	JSON("opensips_enabled", "true"),
	JSON("twilio_integration", "true"),
	PUT("permissions", nxv_key, permissions, put_permissions),
	END,
};

static const struct wire_field key_fields[] = {
	FIELD("id", WIRE_TEXT, nxv_key, id),
	FIELD("key", WIRE_TEXT, nxv_key, secret),
	FIELD("prefix", WIRE_TEXT, nxv_key, prefix),
	JSON("service", "\"voip\""),
	FIELD("userId", WIRE_TEXT, nxv_key, user_id),
	FIELD("name", WIRE_TEXT, nxv_key, name),
	FIELD("active", WIRE_BOOL, nxv_key, active),
	FIELD("createdAt", WIRE_TIME, nxv_key, created_at_ms),
	FIELD("expiresAt", WIRE_TIME, nxv_key, expires_at_ms),
	FIELD("lastUsedAt", WIRE_TIME, nxv_key, last_used_at_ms),
	OBJECT("metadata", key_metadata),
	END,
};

static const struct wire_field credential_fields[] = {
	FIELD("id", WIRE_TEXT, nxv_credential, id),
	FIELD("userId", WIRE_TEXT, nxv_credential, user_id),
	FIELD("username", WIRE_TEXT, nxv_credential, username),
	FIELD("password", WIRE_TEXT, nxv_credential, password),
	FIELD("domain", WIRE_TEXT, nxv_credential, domain),
	FIELD("sipUri", WIRE_TEXT, nxv_credential, sip_uri),
	FIELD("proxyServer", WIRE_TEXT, nxv_credential, proxy_server),
	FIELD("createdAt", WIRE_TIME, nxv_credential, created_at_ms),
	FIELD("expiresAt", WIRE_TIME, nxv_credential, expires_at_ms),
	END,
};

static const struct wire_field session_phone[] = {
	FIELD("username", WIRE_TEXT, nxv_session, sip_username),
	FIELD("domain", WIRE_TEXT, nxv_session, sip_domain),
	END,
};

static const struct wire_field session_error[] = {
	FIELD("code", WIRE_TEXT, nxv_session, error_code),
	FIELD("message", WIRE_TEXT, nxv_session, error_message),
	NONZERO("carrierCode", WIRE_INT, nxv_session, error_detail),
	END,
};

static const struct wire_field session_fields[] = {
	FIELD("sessionId", WIRE_TEXT, nxv_session, id),
	PUT("status", nxv_session, status, put_call_status),
	FIELD("direction", WIRE_TEXT, nxv_session, direction),
	FIELD("fromNumber", WIRE_TEXT, nxv_session, from_number),
	FIELD("toNumber", WIRE_TEXT, nxv_session, to_number),
	FIELD("userId", WIRE_TEXT, nxv_session, user_id),
	FIELD("keyId", WIRE_TEXT, nxv_session, key_id),
	OBJECT("sipCredentials", session_phone),
	FIELD("twilioCallSid", WIRE_TEXT, nxv_session, twilio_call_sid),
	FIELD("answeredContact", WIRE_TEXT, nxv_session, answered_contact),
	FIELD("requestId", WIRE_TEXT, nxv_session, request_id),
	FIELD("startedAt", WIRE_TIME, nxv_session, started_at_ms),
	FIELD("ringingAt", WIRE_TIME, nxv_session, ringing_at_ms),
	FIELD("answeredAt", WIRE_TIME, nxv_session, answered_at_ms),
	FIELD("endedAt", WIRE_TIME, nxv_session, ended_at_ms),
	FIELD("durationSeconds", WIRE_INT64, nxv_session, duration_seconds),
	FIELD("endReason", WIRE_TEXT, nxv_session, end_reason),
	NONZERO("sipCode", WIRE_INT, nxv_session, sip_code),
	NONZERO("callerSipCode", WIRE_INT, nxv_session, caller_sip_code),
	FIELD("callerSipReason", WIRE_TEXT, nxv_session, caller_sip_reason),
	NONZERO("calleeSipCode", WIRE_INT, nxv_session, callee_sip_code),
	FIELD("calleeSipReason", WIRE_TEXT, nxv_session, callee_sip_reason),
	NONZERO("queuePosition", WIRE_INT64, nxv_session, queue_position),
	OBJECT("error", session_error),
	FIELD("seq", WIRE_INT64, nxv_session, seq),
	END,
};

static const struct wire_field health_fields[] = {
	PUT("opensipsStatus", nxv_sip_health, state, put_sip_state),
	FIELD("activeCalls", WIRE_INT64, nxv_sip_health, active_calls),
	PUT("serverUptime", nxv_sip_health, state, put_is_up),
	FIELD("server", WIRE_TEXT, nxv_sip_health, server),
	FIELD("version", WIRE_TEXT, nxv_sip_health, version),
	NONZERO("pid", WIRE_INT64, nxv_sip_health, pid),
	FIELD("uptimeSeconds", WIRE_INT64, nxv_sip_health, uptime_seconds),
	FIELD("registrations", WIRE_INT64, nxv_sip_health, registrations),
	FIELD("supervised", WIRE_BOOL, nxv_sip_health, supervised),
	FIELD("callsFrozen", WIRE_BOOL, nxv_sip_health, calls_frozen),
	FIELD("twilioUrl", WIRE_TEXT, nxv_sip_health, twilio_url),
	FIELD("message", WIRE_TEXT, nxv_sip_health, message),
	END,
};

static const struct wire_field registration_fields[] = {
	FIELD("username", WIRE_TEXT, nxv_registration, username),
	FIELD("userId", WIRE_TEXT, nxv_registration, user_id),
	FIELD("contact", WIRE_TEXT, nxv_registration, contact),
	FIELD("userAgent", WIRE_TEXT, nxv_registration, user_agent),
	FIELD("expiresSeconds", WIRE_INT64, nxv_registration, expires_seconds),
	END,
};

static const struct wire_field recording_fields[] = {
	FIELD("id", WIRE_TEXT, nxv_recording, id),
	FIELD("sessionId", WIRE_TEXT, nxv_recording, session_id),
	FIELD("userId", WIRE_TEXT, nxv_recording, user_id),
	FIELD("status", WIRE_TEXT, nxv_recording, status),
	{ .name = "durationSeconds", .type = WIRE_INT64, .offset = offsetof(struct nxv_recording, duration_seconds), .skip_negative = true },
	NONZERO("channels", WIRE_INT, nxv_recording, channels),
	FIELD("createdAt", WIRE_TIME, nxv_recording, created_at_ms),
	FIELD("updatedAt", WIRE_TIME, nxv_recording, updated_at_ms),
	END,
};

static const struct wire_field usage_fields[] = {
	FIELD("id", WIRE_INT64, nxv_usage, id),
	FIELD("at", WIRE_TIME, nxv_usage, at_ms),
	FIELD("requestId", WIRE_TEXT, nxv_usage, request_id),
	FIELD("keyId", WIRE_TEXT, nxv_usage, key_id),
	FIELD("userId", WIRE_TEXT, nxv_usage, user_id),
	FIELD("method", WIRE_TEXT, nxv_usage, method),
	FIELD("route", WIRE_TEXT, nxv_usage, route),
	FIELD("status", WIRE_INT, nxv_usage, status),
	FIELD("bytes", WIRE_INT64, nxv_usage, bytes),
	FIELD("durationUs", WIRE_INT64, nxv_usage, duration_us),
	FIELD("clientAddress", WIRE_TEXT, nxv_usage, client_address),
	FIELD("sessionId", WIRE_TEXT, nxv_usage, subject),
	END,
};

static const struct wire_field event_fields[] = {
	FIELD("seq", WIRE_INT64, nxv_event, seq),
	FIELD("at", WIRE_TIME, nxv_event, at_ms),
	FIELD("type", WIRE_TEXT, nxv_event, type),
	FIELD("subject", WIRE_TEXT, nxv_event, subject),
	FIELD("userId", WIRE_TEXT, nxv_event, user_id),
	PUT("data", nxv_event, data, put_pairs),
	END,
};

/* Both functions of a record: the single one and the array of a list. */
#define WRITER(name, record, fields) \
	char *nxv_json_##name(const struct record *row) \
	{ \
		return wire_record(fields, row); \
	}
#define CSV_WRITER(name, record, fields) \
	char *nxv_csv_##name(const struct record *row) \
	{ \
		return wire_csv(fields, row); \
	}
#define LIST_WRITER(name, list_type, fields) \
	char *nxv_json_##name(const struct list_type *list) \
	{ \
		return list ? wire_array(fields, (const void *const *)list->items, list->count) : NULL; \
	}

WRITER(key, nxv_key, key_fields)
LIST_WRITER(keys, nxv_key_page, key_fields)
WRITER(credential, nxv_credential, credential_fields)
LIST_WRITER(credentials, nxv_credential_page, credential_fields)
WRITER(session, nxv_session, session_fields)
LIST_WRITER(sessions, nxv_session_page, session_fields)
CSV_WRITER(session, nxv_session, session_fields)
WRITER(health, nxv_sip_health, health_fields)
LIST_WRITER(registrations, nxv_registration_list, registration_fields)
WRITER(recording, nxv_recording, recording_fields)
LIST_WRITER(recordings, nxv_recording_list, recording_fields)
WRITER(usage, nxv_usage, usage_fields)
LIST_WRITER(usages, nxv_usage_page, usage_fields)
CSV_WRITER(usage, nxv_usage, usage_fields)
WRITER(event, nxv_event, event_fields)

char *nxv_json_string(const char *text)
{
	struct buf out = BUF_INIT;
	if (!text)
		return NULL;
	wire_put_string(&out, text);
	return buf_take(&out);
}
