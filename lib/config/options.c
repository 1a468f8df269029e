/* options.c - every configuration option. docs/man/nexusvoip.conf.5 is held to this table by a test. */
#include "config/options.h"

#define OPT(NAME, ENV, FALLBACK, HELP, ...) { { NAME, "NEXUSVOIP_" ENV, FALLBACK, HELP }, __VA_ARGS__ }

const struct option_spec option_specs[CFG_COUNT] = {
	[CFG_SIP_SERVER] = OPT("sip.server", "SIP_SERVER", "auto", "SIP server to run: the first one installed, or one by name",
		.type = OPT_WORD, .words = "auto opensips kamailio"),
	[CFG_SIP_MODE] = OPT("sip.mode", "SIP_MODE", "managed",
		"managed: render, start and supervise the SIP server; external: only connect to one that runs",
		.type = OPT_WORD, .words = "managed external"),
	[CFG_SIP_DOMAIN] = OPT("sip.domain", "SIP_DOMAIN", "nexus.local", "SIP domain and digest realm of every credential",
		.type = OPT_TEXT),
	[CFG_SIP_LISTEN] = OPT("sip.listen", "SIP_LISTEN", "127.0.0.1:5060",
		"address of the SIP server's UDP and TCP listeners; port 0 picks a free one and keeps it", .type = OPT_ADDR),
	[CFG_SIP_WS_LISTEN] = OPT("sip.ws_listen", "SIP_WS_LISTEN", "", "address of the WebSocket listener (RFC 7118); empty: none",
		.type = OPT_ADDR_OR_NONE),
	[CFG_SIP_TLS_LISTEN] = OPT("sip.tls_listen", "SIP_TLS_LISTEN", "", "address of the SIP over TLS listener; empty: none",
		.type = OPT_ADDR_OR_NONE),
	[CFG_SIP_WSS_LISTEN] = OPT("sip.wss_listen", "SIP_WSS_LISTEN", "", "address of the secure WebSocket listener; empty: none",
		.type = OPT_ADDR_OR_NONE),
	[CFG_SIP_TLS_CERTIFICATE] = OPT("sip.tls_certificate", "SIP_TLS_CERTIFICATE", "", "PEM file of the certificate chain",
		.type = OPT_TEXT),
	[CFG_SIP_TLS_PRIVATE_KEY] = OPT("sip.tls_private_key", "SIP_TLS_PRIVATE_KEY", "", "PEM file of the private key",
		.type = OPT_TEXT),
	[CFG_SIP_ADVERTISE] = OPT("sip.advertise", "SIP_ADVERTISE", "", "host:port that phones dial (proxyServer); empty: sip.listen",
		.type = OPT_ADDR_OR_NONE),
	[CFG_SIP_ORIGINATOR_LISTEN] = OPT("sip.originator_listen", "SIP_ORIGINATOR_LISTEN", "127.0.0.1:0",
		"address the gateway places calls from; port 0 picks a free one and keeps it", .type = OPT_ADDR),
	[CFG_SIP_CONTROL] = OPT("sip.control", "SIP_CONTROL", "",
		"control socket of the SIP server; empty: in the state folder. Needed in external mode", .type = OPT_TEXT),
	[CFG_SIP_EVENTS] = OPT("sip.events", "SIP_EVENTS", "127.0.0.1:0",
		"loopback address for the SIP server's events; port 0 picks a free one and keeps it", .type = OPT_ADDR),
	[CFG_SIP_WS_ORIGINS] = OPT("sip.ws_origins", "SIP_WS_ORIGINS", "",
		"web origins that may open a WebSocket, separated by commas; * allows any", .type = OPT_TEXT),
	[CFG_SIP_DIGEST] = OPT("sip.digest", "SIP_DIGEST", "MD5",
		"digest algorithms to challenge with, best first: MD5, SHA-256, SHA-512-256 (RFC 8760)", .type = OPT_TEXT),
	[CFG_SIP_KEEP_RUNNING] = OPT("sip.keep_running", "SIP_KEEP_RUNNING", "false",
		"leave the SIP server running when the engine stops", .type = OPT_BOOL),
	[CFG_SIP_BINARY] = OPT("sip.binary", "SIP_BINARY", "", "path of the SIP server's program; empty: look for it", .type = OPT_TEXT),
	[CFG_HTTP_LISTEN] = OPT("http.listen", "HTTP_LISTEN", "127.0.0.1:8080", "address nexusd serves HTTP on", .type = OPT_ADDR),
	[CFG_HTTP_INITIATE_WAIT_MS] = OPT("http.initiate_wait_ms", "HTTP_INITIATE_WAIT_MS", "2000",
		"how long call/initiate waits for the first ring before it answers", .type = OPT_INT, .min = 0, .max = 30000),
	[CFG_HTTP_CORS_ORIGINS] = OPT("http.cors_origins", "HTTP_CORS_ORIGINS", "",
		"web origins that may call the API from a browser, separated by commas", .type = OPT_TEXT),
	[CFG_LIMITS_REQUESTS_PER_MINUTE] = OPT("limits.requests_per_minute", "LIMITS_REQUESTS_PER_MINUTE", "100",
		"requests a minute per API key", .type = OPT_INT, .min = 1, .max = 1000000),
	[CFG_LIMITS_CALLS_PER_USER] = OPT("limits.calls_per_user", "LIMITS_CALLS_PER_USER", "50",
		"simultaneous calls per user", .type = OPT_INT, .min = 1, .max = 100000),
	[CFG_LIMITS_MAX_CALL_SECONDS] = OPT("limits.max_call_seconds", "LIMITS_MAX_CALL_SECONDS", "14400",
		"longest a call may last, in seconds", .type = OPT_INT, .min = 1, .max = 86400),
	[CFG_CALLS_RING_SECONDS] = OPT("calls.ring_seconds", "CALLS_RING_SECONDS", "60",
		"how long each party may ring, in seconds", .type = OPT_INT, .min = 1, .max = 300),
	[CFG_CALLS_STRICT_E164] = OPT("calls.strict_e164", "CALLS_STRICT_E164", "false",
		"take only E.164 numbers (no leading 0 after +, 7 to 15 digits)", .type = OPT_BOOL),
};

const struct nxv_config_option *nxv_config_option_at(size_t index)
{
	return index < CFG_COUNT ? &option_specs[index].pub : NULL;
}
