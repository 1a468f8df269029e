/* trunk.c - the trunk's part of both servers' configurations. As in common.c, every value is held to characters that
 * mean nothing where it will stand. */
#include "sip/control/trunk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "sip/control/common.h"

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
enum { NETWORK_MAX = 64 };

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool made_of(const char *text, const char *characters, size_t max)
{
	return *text && strlen(text) <= max && text[strspn(text, characters)] == '\0';
}

/* Next of a list separated by blanks or commas; false past its end. Too long a word is cut, which no address survives. */
static bool next_word(const char **list, char *out, size_t size)
{
	size_t len;

	*list += strspn(*list, ", \t");
	len = strcspn(*list, ", \t");
	snprintf(out, size, "%.*s", (int)len, *list);
	*list += len;
	return len > 0;
}

/* "1.2.3.0/24", "1.2.3.4", "2001:db8::/32" as both servers write a network. */
static bool network(const char *word, char *out, size_t size)
{
	unsigned char raw[16];
	char host[NETWORK_MAX];
	const char *slash = strchr(word, '/');
	int64_t bits;
	bool v6;

	snprintf(host, sizeof(host), "%.*s", slash ? (int)(slash - word) : (int)strlen(word), word);
	v6 = strchr(host, ':') != NULL;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, raw) != 1)
		return false;
	bits = v6 ? 128 : 32;
	if (slash && !text_int(slash + 1, 1, bits, &bits))
		return false;
	snprintf(out, size, "%s/%d", host, (int)bits);
	return true;
}

static nxv_status check_networks(const char *field, const char *list, struct nxv_error *err)
{
	char word[NETWORK_MAX], text[NETWORK_MAX + 8];

	while (next_word(&list, word, sizeof(word)))
		if (!network(word, text, sizeof(text)))
			return error_field(err, field, "\"%.60s\" is no network; write addresses such as 203.0.113.7 or 203.0.113.0/24", word);
	return NXV_OK;
}

nxv_status trunk_check(const struct sip_settings *set, bool mask, struct nxv_error *err)
{
	const char *user = or_empty(set->trunk_username), *transport = or_empty(set->trunk_transport);
	nxv_status status = check_networks("trunk.addresses", or_empty(set->trunk_addresses), err);

	if (status == NXV_OK)
		status = check_networks("twilio.addresses", or_empty(set->twilio_addresses), err);
	if (status != NXV_OK || !*or_empty(set->trunk_host))
		return status;
	if (!made_of(set->trunk_host, ALNUM ".-:[]", 253))
		return error_field(err, "trunk.host", "trunk.host cannot be \"%.60s\"; write a host name or an IP address", set->trunk_host);
	if (strcmp(transport, "udp") != 0 && strcmp(transport, "tcp") != 0)
		return error_field(err, "trunk.transport", "the trunk is reached over udp or tcp; \"%.20s\" is not supported yet", transport);
	if (set->trunk_port < 1 || set->trunk_port > 65535)
		return error_field(err, "trunk.port", "trunk.port must be between 1 and 65535");
	if (!*user)
		return NXV_OK;
	if (!made_of(user, ALNUM "._+-@", 100))
		return error_field(err, "trunk.username", "trunk.username cannot be \"%.60s\"; use letters, digits and . _ + - @", user);
	if (!made_of(or_empty(set->trunk_realm), ALNUM "._-@ ", 100))
		return error_field(err, "trunk.realm", "trunk.realm cannot be \"%.60s\"; use letters, digits, blanks and . _ - @",
			or_empty(set->trunk_realm));
	if (!mask && !made_of(or_empty(set->trunk_ha1), "0123456789abcdef", 32))
		return error_field(err, "trunk.password",
			"trunk.username is set, but no password: store it with \"nexusctl secrets set trunk.password\"");
	return NXV_OK;
}

/* A condition that is true for requests from these networks; "" when there are none. */
static void add_sources(struct template_vars *vars, const char *name, const char *source, const char *list)
{
	struct buf text = BUF_INIT;
	char word[NETWORK_MAX], net[NETWORK_MAX + 8];
	const bool brackets = *source != '$'; /* Kamailio's way to write IPv6 */

	while (next_word(&list, word, sizeof(word))) {
		const char *slash;

		if (!network(word, net, sizeof(net)))
			continue;
		slash = strchr(net, '/');
		if (brackets && strchr(net, ':'))
			buf_printf(&text, "%s%s == [%.*s]%s", text.len ? " || " : "", source, (int)(slash - net), net, slash);
		else
			buf_printf(&text, "%s%s == %s", text.len ? " || " : "", source, net);
	}
	vars->failed = vars->failed || text.failed;
	template_set(vars, name, "%s", text.data ? text.data : "");
	buf_free(&text);
}

void trunk_vars(struct template_vars *vars, const struct sip_settings *set, const char *source, bool mask)
{
	const char *host = or_empty(set->trunk_host), *user = *host ? or_empty(set->trunk_username) : "";
	const char *trunk_in = or_empty(set->trunk_addresses), *twilio_in = or_empty(set->twilio_addresses);
	char key[33], originator[64] = "";
	uint16_t port = 0;

	common_ask_key(set, key);
	text_hostport(set->originator, originator, sizeof(originator), &port);
	add_sources(vars, "TRUNK_IN", source, trunk_in);
	add_sources(vars, "TWILIO_IN", source, twilio_in);
	template_set(vars, "OUTSIDE", "%s", *host || *trunk_in || *twilio_in ? "yes" : "");
	template_set(vars, "TRUNK", "%s", *host ? "yes" : "");
	template_set(vars, "NO_TRUNK", "%s", *host ? "" : "yes");
	template_set(vars, "TRUNK_HOST", "%s", host);
	template_set(vars, "TRUNK_PORT", "%d", (int)set->trunk_port);
	template_set(vars, "TRUNK_TRANSPORT", "%s", or_empty(set->trunk_transport));
	template_set(vars, "TRUNK_USER", "%s", user);
	template_set(vars, "TRUNK_REALM", "%s", or_empty(set->trunk_realm));
	template_set(vars, "TRUNK_HA1", "%s", mask ? "***" : or_empty(set->trunk_ha1));
	template_set(vars, "ASK_KEY", "%s", mask ? "***" : key);
	template_set(vars, "ASK_AT", "%s", set->originator);
	template_set(vars, "ASK_IP", "%s", originator);
	template_set(vars, "ASK_PORT", "%u", (unsigned)port);
	explicit_bzero(key, sizeof(key));
}
