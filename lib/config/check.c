/* check.c - whether a value suits its option: one check and one remedy per type of option. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"

enum { VALUE_MAX_BYTES = 2048, SECRET_MAX_BYTES = 1024, LABEL_MAX_BYTES = 32, SID_MAX_BYTES = 64, SHORT_MAX_DIGITS = 8, HOST_MAX_BYTES = 253 };

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

size_t config_word(const char **at, const char **word)
{
	*word = *at + strspn(*at, " ,");
	*at = *word + strcspn(*word, " ,");
	return (size_t)(*at - *word);
}

static bool is_word(const char *words, const char *value)
{
	size_t len = strlen(value);

	while (*words) {
		size_t n = strcspn(words, " ");
		if (n == len && strncmp(words, value, n) == 0)
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

static bool parse_bool(const char *value, int64_t *out)
{
	*out = is_word("true yes on 1", value);
	return *out || is_word("false no off 0", value);
}

static bool is_clean(const char *value)
{
	for (; *value; value++)
		if ((unsigned char)*value < 0x20 || *value == 0x7f || *value == '"' || *value == '\\')
			return false;
	return true;
}

bool option_is_secret(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return false;
	return len > 0 && len <= SECRET_MAX_BYTES;
}

static bool is_addr(const char *value)
{
	char host[128];
	uint16_t port;

	return text_hostport(value, host, sizeof(host), &port);
}

static bool is_host(const char *value)
{
	size_t len = strlen(value);

	return is_addr(value) || (len <= HOST_MAX_BYTES && strspn(value, LETTERS CAPITALS DIGITS ".-") == len && value[0] != '.' && value[0] != '-');
}

static bool is_url(const char *value)
{
	size_t len = strlen(value), scheme = strncmp(value, "https://", 8) == 0 ? 8 : strncmp(value, "http://", 7) == 0 ? 7 : 0;

	return scheme && len > scheme && value[scheme] != '/' && value[len - 1] != '/' && !strpbrk(value, " ?#@");
}

static bool is_sid(const char *value, const char *start)
{
	size_t len = strlen(value), n = strlen(start);

	return len > n && len <= SID_MAX_BYTES && strncmp(value, start, n) == 0 && strspn(value, LETTERS CAPITALS DIGITS) == len;
}

static bool is_net(const char *word)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	const char *slash = strchr(word, '/');
	int64_t bits;

	if (!text_copy(host, sizeof(host), word))
		return false;
	host[slash ? (size_t)(slash - word) : strlen(host)] = '\0';
	if (inet_pton(AF_INET, host, &addr) == 1)
		return !slash || text_int(slash + 1, 1, 32, &bits);
	return inet_pton(AF_INET6, host, &addr) == 1 && (!slash || text_int(slash + 1, 1, 128, &bits));
}

static bool is_prefix(const char *word)
{
	size_t len = strlen(word);

	return len >= 2 && len <= 16 && word[0] == '+' && strspn(word + 1, DIGITS) == len - 1;
}

static bool is_allow(const char *word)
{
	return strcmp(word, "*") == 0 || is_prefix(word + (*word == '!'));
}

static bool is_number_or_any(const char *word)
{
	return strcmp(word, "*") == 0 || text_is_number(word);
}

static bool is_short(const char *word)
{
	size_t len = strlen(word);

	return len >= 2 && len <= SHORT_MAX_DIGITS && strspn(word, DIGITS) == len;
}

static bool all(const char *list, bool (*check)(const char *word))
{
	const char *at = list, *word;
	char one[64];
	size_t len;

	while ((len = config_word(&at, &word)) > 0) {
		if (len >= sizeof(one))
			return false;
		memcpy(one, word, len);
		one[len] = '\0';
		if (!check(one))
			return false;
	}
	return true;
}

static bool suits(const struct option_spec *spec, const char *value, int64_t *number)
{
	switch (spec->type) {
	case OPT_TEXT:
		return true;
	case OPT_INT:
		return text_int(value, spec->min, spec->max, number);
	case OPT_BOOL:
		return parse_bool(value, number);
	case OPT_WORD:
		return is_word(spec->words, value);
	case OPT_ADDR:
	case OPT_ADDR_OR_NONE:
		return is_addr(value);
	case OPT_HOST:
		return is_host(value);
	case OPT_URL:
		return is_url(value);
	case OPT_LABEL:
		return strlen(value) <= LABEL_MAX_BYTES && strspn(value, LETTERS DIGITS "-") == strlen(value);
	case OPT_SID:
		return is_sid(value, spec->words);
	case OPT_NUMBER:
		return text_is_number(value);
	case OPT_NUMBERS:
		return all(value, is_number_or_any);
	case OPT_PREFIXES:
		return all(value, is_prefix);
	case OPT_ALLOW:
		return all(value, is_allow);
	case OPT_DIGITS:
		return all(value, is_short);
	case OPT_NETS:
		return all(value, is_net);
	}
	return false;
}

static void tell(const struct option_spec *spec, char *remedy, size_t size)
{
	static const char *const texts[] = {
		[OPT_TEXT] = "plain text without quotes, backslashes or control characters",
		[OPT_BOOL] = "true or false",
		[OPT_ADDR] = "host:port, such as 127.0.0.1:5060 or [::1]:5060",
		[OPT_ADDR_OR_NONE] = "host:port, such as 127.0.0.1:5060 or [::1]:5060",
		[OPT_HOST] = "a host name, or host:port, such as sip.example.com:5060",
		[OPT_URL] = "http:// or https:// and a host, without a query and without a slash at the end",
		[OPT_LABEL] = "small letters, digits and -",
		[OPT_NUMBER] = "+ and 2 to 15 digits",
		[OPT_NUMBERS] = "numbers of + and 2 to 15 digits, separated by spaces, or * for any",
		[OPT_PREFIXES] = "prefixes of + and digits such as +1900, separated by spaces",
		[OPT_ALLOW] = "prefixes of + and digits such as +1 !+1876 +34, separated by spaces, or * for any",
		[OPT_DIGITS] = "numbers of 2 to 8 digits, separated by spaces",
		[OPT_NETS] = "addresses or networks such as 192.0.2.0/24, separated by spaces",
	};

	if (spec->type == OPT_INT)
		snprintf(remedy, size, "write a whole number from %lld to %lld", (long long)spec->min, (long long)spec->max);
	else if (spec->type == OPT_WORD)
		snprintf(remedy, size, "write one of: %s", spec->words);
	else if (spec->type == OPT_SID)
		snprintf(remedy, size, "write %s and letters and digits, as Twilio's console shows it", spec->words);
	else
		snprintf(remedy, size, "write %s", texts[spec->type]);
}

bool option_check(const struct option_spec *spec, const char *value, int64_t *number, char *remedy, size_t size)
{
	if (!is_clean(value) || strlen(value) >= VALUE_MAX_BYTES) {
		snprintf(remedy, size, "write plain text without quotes, backslashes or control characters");
		return false;
	}
	tell(spec, remedy, size);
	if (!*value && spec->type >= OPT_ADDR_OR_NONE)
		return true;
	return suits(spec, value, number);
}
