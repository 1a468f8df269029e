/* number.c - judging a telephone number by its digits: emergency, premium-rate, allowed, or none of these. */
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

const char *const policy_emergency[] = { "000", "110", "112", "119", "911", "995", "999", NULL };

/* Premium-rate and satellite ranges that fraud is made with. Others are for calls.premium. */
const char *const policy_premium[] = {
	"+1900", "+1976",                             /* North America */
	"+3170900", "+31900", "+31906", "+31909",     /* Netherlands */
	"+3290",                                      /* Belgium */
	"+3389",                                      /* France */
	"+34803", "+34806", "+34807", "+34905",       /* Spain */
	"+351607", "+351760", "+351761",              /* Portugal */
	"+358600", "+358700",                         /* Finland */
	"+39892", "+39894", "+39895", "+39899",       /* Italy */
	"+41900", "+41901", "+41906",                 /* Switzerland */
	"+43900", "+43901", "+43930", "+43931", "+43939", /* Austria */
	"+44871", "+44872", "+44873", "+449",         /* United Kingdom */
	"+4590",                                      /* Denmark */
	"+46900", "+46939", "+46944",                 /* Sweden */
	"+47820", "+47829",                           /* Norway */
	"+4870",                                      /* Poland */
	"+49137", "+49900",                           /* Germany */
	"+6119",                                      /* Australia */
	"+81990",                                     /* Japan */
	"+870", "+878", "+881", "+882", "+883", "+979", /* satellites, international networks and premium rate */
	NULL,
};

/* The number itself, or behind a country code of one to three digits. */
static bool is_emergency(const char *number, const char *emergency, size_t emergency_len)
{
	size_t plus = *number == '+', len = strlen(number + plus);

	if (len < emergency_len || len > emergency_len + (plus ? 3 : 0))
		return false;
	return strncmp(number + plus + len - emergency_len, emergency, emergency_len) == 0;
}

static bool starts(const char *number, const char *prefix, size_t len)
{
	return strncmp(number, prefix, len) == 0;
}

/* The longest entry of calls.allow that covers the number; a '!' in front excludes. */
static enum policy_verdict by_list(const char *list, const char *number, const char **prefix, size_t *prefix_len)
{
	enum policy_verdict verdict = POLICY_NOT_ALLOWED;
	const char *word;
	size_t len;

	while ((len = config_word(&list, &word)) > 0) {
		const bool excludes = *word == '!', any = *word == '*';
		const char *digits = word + excludes;
		const size_t covers = any ? 0 : len - excludes;

		if ((any || starts(number, digits, covers)) && (!*prefix || covers > *prefix_len || (covers == *prefix_len && excludes))) {
			verdict = excludes ? POLICY_NOT_ALLOWED : POLICY_ALLOWED;
			*prefix = digits;
			*prefix_len = covers;
		}
	}
	return verdict;
}

static bool listed_emergency(const char *list, const char *number, const char **prefix, size_t *prefix_len)
{
	while ((*prefix_len = config_word(&list, prefix)) > 0)
		if (is_emergency(number, *prefix, *prefix_len))
			return true;
	return false;
}

static bool listed_prefix(const char *list, const char *number, const char **prefix, size_t *prefix_len)
{
	while ((*prefix_len = config_word(&list, prefix)) > 0)
		if (starts(number, *prefix, *prefix_len))
			return true;
	return false;
}

enum policy_verdict policy_judge(const struct config *cfg, const char *number, const char **prefix, size_t *prefix_len)
{
	const char *at;
	size_t len;

	if (!prefix)
		prefix = &at;
	if (!prefix_len)
		prefix_len = &len;
	for (size_t i = 0; (*prefix = policy_emergency[i]); i++)
		if (is_emergency(number, *prefix, *prefix_len = strlen(*prefix)))
			return POLICY_EMERGENCY;
	if (listed_emergency(config_text(cfg, CFG_CALLS_EMERGENCY), number, prefix, prefix_len))
		return POLICY_EMERGENCY;
	for (size_t i = 0; (*prefix = policy_premium[i]); i++)
		if (starts(number, *prefix, *prefix_len = strlen(*prefix)))
			return POLICY_PREMIUM;
	if (listed_prefix(config_text(cfg, CFG_CALLS_PREMIUM), number, prefix, prefix_len))
		return POLICY_PREMIUM;
	*prefix = NULL;
	*prefix_len = 0;
	return by_list(config_text(cfg, CFG_CALLS_ALLOW), number, prefix, prefix_len);
}

bool policy_normalise(const char *dialled, char number[POLICY_NUMBER])
{
	size_t n = 0;

	if (*dialled == '+')
		dialled++;
	else if (strncmp(dialled, "00", 2) == 0)
		dialled += 2;
	else
		return false;
	number[n++] = '+';
	for (; *dialled; dialled++) {
		if (strchr(" -.()/", *dialled))
			continue;
		if (*dialled < '0' || *dialled > '9' || n == POLICY_NUMBER - 1)
			return false;
		number[n++] = *dialled;
	}
	number[n] = '\0';
	return text_is_number(number);
}
