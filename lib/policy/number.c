/* number.c - judging a telephone number by its digits: emergency, premium-rate, allowed, or none of these. */
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

const char *const policy_emergency[] = { "000", "110", "112", "119", "911", "995", "999", NULL };

/* Premium-rate ranges, personal numbers and satellites: what fraud is made with. Each was held against the numbering data of
 * libphonenumber (npm google-libphonenumber 3.2.47): it holds no land line and no mobile of a country. Left out are ranges that
 * only their length tells from ordinary ones (353 15..., 60 1600), and numbers of business that cost little more (44 84x, 33 81x).
 * What a country opens later is for calls.premium. */
const char *const policy_premium[] = {
	"+1900", "+1246976", "+1345976",              /* North America, Caribbean */
	"+20900",                                     /* Egypt */
	"+27862", "+27863", "+27864", "+27865", "+27866", "+27867", "+27868", "+27869", "+2790", /* South Africa */
	"+30901", "+30909",                           /* Greece */
	"+31900", "+31906", "+31909",                 /* Netherlands */
	"+3290",                                      /* Belgium */
	"+33836", "+3389",                            /* France */
	"+34803", "+34806", "+34807", "+34905", "+34907", /* Spain */
	"+351607", "+351608", "+351646", "+351760", "+351761", "+351762", /* Portugal */
	"+35490",                                     /* Iceland */
	"+357900", "+357909",                         /* Cyprus */
	"+358600", "+358700",                         /* Finland */
	"+35990",                                     /* Bulgaria */
	"+3690", "+3691",                             /* Hungary */
	"+370900", "+370910", "+37190", "+372900",    /* Lithuania, Latvia, Estonia */
	"+37390", "+37490", "+375902", "+380900",     /* Moldova, Armenia, Belarus, Ukraine */
	"+38178", "+38190", "+383900", "+38690", "+38790", /* Serbia, Kosovo, Slovenia, Bosnia */
	"+38560", "+38561", "+38564", "+38565", "+38569", /* Croatia */
	"+39892", "+39893", "+39894", "+39895", "+39899", /* Italy */
	"+4090",                                      /* Romania */
	"+41900", "+41901", "+41906",                 /* Switzerland */
	"+42090", "+420976", "+421900", "+42197", "+42198", /* Czechia, Slovakia */
	"+43900", "+43901", "+43930", "+43931", "+43939", /* Austria */
	"+4470", "+44871", "+44872", "+44873", "+449", /* United Kingdom */
	"+4590",                                      /* Denmark */
	"+46900", "+46939", "+46944", "+4699",        /* Sweden */
	"+47820", "+47829",                           /* Norway */
	"+4870",                                      /* Poland */
	"+49118", "+49137", "+49900",                 /* Germany */
	"+52900", "+54600", "+54604", "+54605", "+54607", "+54609", /* Mexico, Argentina */
	"+55500", "+55900", "+57901", "+58900", "+58901", /* Brazil, Colombia, Venezuela */
	"+6119", "+62809", "+6490", "+651900",         /* Australia, Indonesia, New Zealand, Singapore */
	"+7803", "+7809",                             /* Russia, Kazakhstan */
	"+81990", "+8260", "+841900", "+852900",      /* Japan, South Korea, Vietnam, Hong Kong */
	"+90888", "+90898", "+90900",                 /* Turkey */
	"+92900",                                     /* Pakistan */
	"+21289", "+21688", "+26790",                 /* Morocco, Tunisia, Botswana */
	"+968900", "+971900", "+9721900", "+9721919", "+97390", /* Oman, Emirates, Israel, Bahrain */
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

/* ---- spellings that a carrier may take for another number */

/* Two-digit country codes; 1 and 7 have one digit, all others three. */
static size_t country_len(const char *digits)
{
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 "
				  "84 86 90 91 92 93 94 95 98";

	if (*digits == '1' || *digits == '7')
		return 1;
	for (const char *code = two; code[0]; code += code[2] ? 3 : 2)
		if (strncmp(code, digits, 2) == 0)
			return 2;
	return 3;
}

/* Where numbers have a 0 of their own behind the country code: Italy, San Marino, and some of Africa. */
static bool has_own_zero(const char *digits)
{
	static const char *const codes[] = { "39", "378", "225", "227", "229", "241", "242" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (starts(digits, codes[i], strlen(codes[i])))
			return true;
	return false;
}

/* +44 (0) 909 ... as a carrier may read it: without the zeros that are dialled at home only. False: there are none. */
static bool without_zeros(const char *number, char plain[POLICY_NUMBER])
{
	const size_t len = strlen(number), head = *number == '+' ? 1 + country_len(number + 1) : 0;
	const size_t zeros = head && head < len && !has_own_zero(number + 1) ? strspn(number + head, "0") : 0;

	if (!zeros || len >= POLICY_NUMBER)
		return false;
	memcpy(plain, number, head);
	memcpy(plain + head, number + head + zeros, len - head - zeros + 1);
	return true;
}

/* Nothing in E.164 begins so. Behind +1 a carrier may see its own prefix of international calls, 011. */
static size_t impossible_len(const char *number)
{
	if (strncmp(number, "+0", 2) == 0)
		return 2;
	return strncmp(number, "+10", 3) == 0 || strncmp(number, "+11", 3) == 0 ? 3 : 0;
}

/* Emergency, premium-rate, or neither: then POLICY_ALLOWED. */
static enum policy_verdict refused_everywhere(const struct config *cfg, const char *number, const char **prefix, size_t *prefix_len)
{
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
	return POLICY_ALLOWED;
}

static enum policy_verdict judge_list(const struct config *cfg, const char *number, const char *plain, const char **prefix, size_t *prefix_len)
{
	const char *list = config_text(cfg, CFG_CALLS_ALLOW), *other = NULL;
	const size_t impossible = impossible_len(number);
	enum policy_verdict verdict = by_list(list, number, prefix, prefix_len);
	size_t other_len = 0;

	if (verdict == POLICY_ALLOWED && *prefix_len < impossible) {
		*prefix = number;
		*prefix_len = impossible;
		return POLICY_IMPOSSIBLE;
	}
	if (verdict == POLICY_ALLOWED && plain && by_list(list, plain, &other, &other_len) == POLICY_NOT_ALLOWED && other) {
		*prefix = other;
		*prefix_len = other_len;
		verdict = POLICY_NOT_ALLOWED;
	}
	return verdict;
}

enum policy_verdict policy_judge(const struct config *cfg, const char *number, const char **prefix, size_t *prefix_len)
{
	char plain[POLICY_NUMBER];
	const bool other = without_zeros(number, plain);
	enum policy_verdict verdict;
	const char *at;
	size_t len;

	if (!prefix)
		prefix = &at;
	if (!prefix_len)
		prefix_len = &len;
	verdict = refused_everywhere(cfg, number, prefix, prefix_len);
	if (verdict == POLICY_ALLOWED && other)
		verdict = refused_everywhere(cfg, plain, prefix, prefix_len);
	return verdict == POLICY_ALLOWED ? judge_list(cfg, number, other ? plain : NULL, prefix, prefix_len) : verdict;
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
