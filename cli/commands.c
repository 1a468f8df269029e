/* commands.c - every command of nexusctl: one row each. The manual page nexusctl(1) is held to it by a test. */
#include "commands.h"

#include <stddef.h>

#include "help.h"

#define USER_FILTER { "user", "USER", false, "only of this user" }
#define LIMIT { "limit", "N", false, "at most this many, newest first" }
#define EXPIRES { "expires", "TIME", false, "when it ends: 2030-01-31T12:00:00Z or +30d (default: never)" }
#define SINCE { "since", "TIME", false, "at or after: 2026-01-31T12:00:00Z or -1h" }
#define UNTIL { "until", "TIME", false, "before" }
#define FORMAT { "format", "FORMAT", false, "csv (default) or jsonl" }
#define NO_WAIT { "no-wait", NULL, false, "return when the order is taken" }

static const struct opt keys_create[] = {
	{ "user", "USER", true, "whose key: 1 to 64 of A-Z a-z 0-9 . _ @ + -" },
	{ "name", "NAME", true, "label, up to 100 bytes" },
	{ "permissions", "LIST", true, "call,sip,recording,admin or some of them" },
	EXPIRES,
	{ 0 },
};
static const struct opt keys_rotate[] = {
	{ "overlap", "DURATION", false, "how long the old key still works, such as 1h (default: not at all)" },
	{ 0 },
};
static const struct opt by_user[] = { USER_FILTER, { 0 } };
static const struct opt credentials_create[] = {
	{ "user", "USER", true, "whose phone: calls are counted against this user" },
	EXPIRES,
	{ 0 },
};
static const struct opt numbers_add[] = {
	{ "user", "USER", true, "whose phones ring when it is called" },
	{ 0 },
};
static const struct opt sip_order[] = { NO_WAIT, { 0 } };
static const struct opt registrations_kick[] = {
	{ "contact", "URI", false, "only the one at this contact, as registrations list shows it" },
	{ 0 },
};
static const struct opt call_start[] = {
	{ "user", "USER", true, "whose phones ring first" },
	{ "from", "NUMBER", true, "caller ID shown to the callee: + and digits, or a SIP username" },
	{ "to", "NUMBER", true, "whom to call: + and digits, SIP username, user, or sip: URI of the own domain" },
	{ "twilio", NULL, false, "over Twilio" },
	{ "ring-first", "WHO", false, "caller (default) or callee; callee: over Twilio only" },
	{ "no-twilio", NULL, false, "over the SIP server" },
	{ "auto-answer", NULL, false, "ask the caller's phone to answer by itself" },
	{ "wait", "STATE", false, "wait until ringing, answered or ended" },
	{ 0 },
};
static const struct opt of_user[] = { { "user", "USER", true, "whose caller ID it is" }, { 0 } };
static const struct opt calls_freeze[] = { { "reason", "TEXT", false, "told to everybody whose call is refused" }, { 0 } };
static const struct opt secrets_rotate[] = {
	{ "to", "KIND", false, "key: a new random key; passphrase: a new one, from standard input (default: the kind in use)" },
	{ 0 },
};
static const struct opt call_list[] = {
	USER_FILTER,
	{ "status", "STATUS", false, "a status such as completed, or live: all that have not ended" },
	SINCE,
	UNTIL,
	LIMIT,
	{ 0 },
};
static const struct opt call_export[] = {
	USER_FILTER,
	{ "status", "STATUS", false, "a status such as completed, or live: all that have not ended" },
	SINCE,
	UNTIL,
	FORMAT,
	{ 0 },
};
static const struct opt call_trace[] = {
	{ "format", "FORMAT", false, "text (default), json, or svg: a ladder diagram" },
	{ "full", NULL, false, "with the SIP messages themselves, in text" },
	{ 0 },
};
static const struct opt recordings_get[] = {
	{ "output", "FILE", false, "where to (default: the id, and the format behind a dot); -: standard output" },
	{ "format", "FORMAT", false, "mp3 (default) or wav" },
	{ "range", "RANGE", false, "some bytes of it: 0-499, 500- or -500" },
	{ 0 },
};
static const struct opt usage_list[] = {
	USER_FILTER,
	{ "key", "ID", false, "only of this key" },
	{ "call", "ID", false, "only about this call" },
	SINCE,
	UNTIL,
	LIMIT,
	{ 0 },
};
static const struct opt usage_export[] = {
	USER_FILTER,
	{ "key", "ID", false, "only of this key" },
	{ "call", "ID", false, "only about this call" },
	SINCE,
	UNTIL,
	FORMAT,
	{ 0 },
};

const struct command commands[] = {
	{ "init", NULL, NULL, NULL, CMD_CREATE, cmd_init, "make the state folder and the first admin key, shown once" },
	{ "keys", "create", NULL, keys_create, 0, cmd_keys_create, "make an API key; its secret is shown once" },
	{ "keys", "list", NULL, by_user, 0, cmd_keys_list, "list API keys" },
	{ "keys", "show", "ID", NULL, 0, cmd_keys_show, "show an API key" },
	{ "keys", "toggle", "ID", NULL, 0, cmd_keys_toggle, "disable an enabled key, enable a disabled one" },
	{ "keys", "enable", "ID", NULL, 0, cmd_keys_enable, "enable an API key" },
	{ "keys", "disable", "ID", NULL, 0, cmd_keys_disable, "disable an API key: refused from the next request on" },
	{ "keys", "rotate", "ID", keys_rotate, 0, cmd_keys_rotate, "replace an API key by a new one, shown once" },
	{ "keys", "delete", "ID", NULL, 0, cmd_keys_delete, "delete an API key; its usage rows stay" },
	{ "credentials", "create", NULL, credentials_create, 0, cmd_credentials_create,
		"make a SIP credential for a phone; its password is shown once" },
	{ "credentials", "list", NULL, by_user, 0, cmd_credentials_list, "list SIP credentials" },
	{ "credentials", "revoke", "ID", NULL, 0, cmd_credentials_revoke, "revoke a SIP credential, by id or username" },
	{ "sip", "start", NULL, sip_order, 0, cmd_sip_start, "start the SIP server, and wait until it runs" },
	{ "sip", "stop", NULL, sip_order, 0, cmd_sip_stop, "stop the SIP server; live calls end as server_lost" },
	{ "sip", "status", NULL, NULL, 0, cmd_sip_status, "show how the SIP server is" },
	{ "sip", "render", NULL, NULL, 0, cmd_sip_render, "print the SIP server's configuration, secrets masked" },
	{ "sip", "check", NULL, NULL, 0, cmd_sip_check, "check that configuration and the ports it needs" },
	{ "registrations", "list", NULL, by_user, 0, cmd_registrations_list, "list the phones that are registered" },
	{ "registrations", "watch", NULL, by_user, 0, cmd_registrations_watch, "print registrations as they come and go" },
	{ "registrations", "kick", "USERNAME", registrations_kick, 0, cmd_registrations_kick, "end the registrations of a SIP username" },
	{ "call", "start", NULL, call_start, CMD_ENGINE | CMD_TWILIO, cmd_call_start, "ring a user's phones, then the callee, then join them" },
	{ "call", "show", "ID", NULL, 0, cmd_call_show, "show a call" },
	{ "call", "list", NULL, call_list, 0, cmd_call_list, "list calls" },
	{ "call", "export", NULL, call_export, 0, cmd_call_export, "print the records of all calls, oldest first" },
	{ "call", "end", "ID", NULL, 0, cmd_call_end, "end a call in whatever state it is" },
	{ "call", "trace", "ID", call_trace, 0, cmd_call_trace,
		"show all that happened for a call: requests, SIP messages, events" },
	{ "call", "watch", "[ID]", NULL, 0, cmd_call_watch, "print events as they happen: of one call until it ends, or of all" },
	{ "calls", "freeze", NULL, calls_freeze, 0, cmd_calls_freeze, "refuse every new telephone call, over Twilio or the trunk" },
	{ "calls", "thaw", NULL, NULL, 0, cmd_calls_thaw, "let telephone calls through again" },
	{ "calls", "state", NULL, NULL, 0, cmd_calls_state, "show whether telephone calls are let through" },
	{ "callers", "add", "NUMBER", of_user, 0, cmd_callers_add, "let a user show a number as caller ID" },
	{ "callers", "list", NULL, by_user, 0, cmd_callers_list, "list the caller IDs of users" },
	{ "callers", "remove", "NUMBER", of_user, 0, cmd_callers_remove, "take a caller ID back" },
	{ "numbers", "add", "NUMBER", numbers_add, 0, cmd_numbers_add, "give a user a telephone number: calls to it ring all phones of the user" },
	{ "numbers", "list", NULL, by_user, 0, cmd_numbers_list, "list telephone numbers and their users" },
	{ "numbers", "remove", "NUMBER", NULL, 0, cmd_numbers_remove, "take a telephone number from its user: calls to it are refused" },
	{ "recordings", "start", "CALL", NULL, 0, cmd_recordings_start, "record a call over Twilio from now on" },
	{ "recordings", "pause", "CALL", NULL, 0, cmd_recordings_pause, "record silence instead of what is said" },
	{ "recordings", "resume", "CALL", NULL, 0, cmd_recordings_resume, "record what is said again" },
	{ "recordings", "stop", "CALL", NULL, 0, cmd_recordings_stop, "end the recording of a call" },
	{ "recordings", "list", "CALL", NULL, 0, cmd_recordings_list, "list the recordings of a call" },
	{ "recordings", "get", "ID", recordings_get, 0, cmd_recordings_get, "write the sound of a recording to a file" },
	{ "recordings", "delete", "ID", NULL, 0, cmd_recordings_delete, "delete a recording and its sound, for good" },
	{ "secrets", "set", "NAME", NULL, CMD_SECRET, cmd_secrets_set, "seal and store a secret that is read from standard input" },
	{ "secrets", "list", NULL, NULL, 0, cmd_secrets_list, "list secrets, without their values" },
	{ "secrets", "unset", "NAME", NULL, 0, cmd_secrets_unset, "forget a stored secret" },
	{ "secrets", "check", NULL, NULL, 0, cmd_secrets_check, "check that the sealing key opens every stored secret" },
	{ "secrets", "rotate", NULL, secrets_rotate, 0, cmd_secrets_rotate, "seal every secret by a new key" },
	{ "twilio", "check", NULL, NULL, CMD_TWILIO, cmd_twilio_check, "try Twilio's credentials, the clock, the public URL and caller IDs" },
	{ "usage", "list", NULL, usage_list, 0, cmd_usage_list, "list uses of API keys" },
	{ "usage", "export", NULL, usage_export, 0, cmd_usage_export, "print all uses of API keys, oldest first" },
	{ "health", NULL, NULL, NULL, 0, cmd_health, "health of the gateway; exit status 5 unless the SIP server runs" },
	{ "config", "list", NULL, NULL, CMD_NO_STATE, cmd_config_list, "list configuration options and the values in force" },
	{ "version", NULL, NULL, NULL, CMD_NO_STATE, cmd_version, "show versions" },
	{ "help", NULL, NULL, NULL, CMD_NO_STATE, help_print, "list the commands" },
	{ "complete", NULL, NULL, NULL, CMD_NO_STATE | CMD_HIDDEN | CMD_ANY_ARGS, help_complete, "words for shell completion" },
	{ 0 },
};
