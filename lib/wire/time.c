/* time.c - RFC 3339 times to and from milliseconds since 1970 UTC. */
#include <nexusvoip/wire.h>

#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t year_0000_ms = INT64_C(-62167219200000);
static const int64_t year_9999_end_ms = INT64_C(253402300799999);

void nxv_time_format(int64_t at_ms, char *buf)
{
	if (at_ms < year_0000_ms)
		at_ms = year_0000_ms;
	if (at_ms > year_9999_end_ms)
		at_ms = year_9999_end_ms;
	int64_t ms = ((at_ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t)((at_ms - ms) / 1000);
	struct tm tm = { 0 };
	gmtime_r(&seconds, &tm);
	snprintf(buf, 32, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u,
		(unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u,
		(unsigned)ms % 1000u);
}

/* Exactly `digits` decimal digits; moves on past them. */
static bool take_number(const char **s, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return true;
}

static bool take_char(const char **s, const char *any_of)
{
	if (!**s || !strchr(any_of, **s))
		return false;
	(*s)++;
	return true;
}

static bool leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t day_number(int year, int month, int day)
{
	int64_t y = (int64_t)year + 400; /* keeps the divisions below positive in year 0 */
	int64_t days = day - 1;
	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	days += (y - 1) * 365 + (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400;
	return days - 719162 - 146097;
}

static bool take_date(const char **s, int64_t *days)
{
	int year, month, day;
	if (!take_number(s, 4, &year) || !take_char(s, "-") || !take_number(s, 2, &month) || !take_char(s, "-") || !take_number(s, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	*days = day_number(year, month, day);
	return true;
}

/* Milliseconds; digits past them are read and dropped. */
static bool take_fraction(const char **s, int *ms)
{
	*ms = 0;
	if (!take_char(s, "."))
		return true;
	int digits = 0;
	for (; isdigit((unsigned char)**s); (*s)++, digits++)
		if (digits < 3)
			*ms = *ms * 10 + (**s - '0');
	for (int i = digits; i < 3; i++)
		*ms *= 10;
	return digits > 0 && digits <= 9;
}

static bool take_clock(const char **s, int64_t *ms)
{
	int hour, minute, second, fraction;
	if (!take_number(s, 2, &hour) || !take_char(s, ":") || !take_number(s, 2, &minute) || !take_char(s, ":") ||
		!take_number(s, 2, &second) || !take_fraction(s, &fraction))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*ms = ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + fraction;
	return true;
}

static bool take_offset(const char **s, int64_t *ms)
{
	*ms = 0;
	if (take_char(s, "Zz"))
		return true;
	int sign = **s == '-' ? -1 : 1, hour, minute;
	if (!take_char(s, "+-") || !take_number(s, 2, &hour) || !take_char(s, ":") || !take_number(s, 2, &minute))
		return false;
	*ms = sign * ((int64_t)hour * 60 + minute) * 60000;
	return hour <= 23 && minute <= 59;
}

nxv_status nxv_time_parse(const char *text, int64_t *out_ms, struct nxv_error *err)
{
	const char *s = text;
	int64_t days = 0, clock = 0, offset = 0;
	error_clear(err);
	*out_ms = 0;
	if (!s || !take_date(&s, &days) || !take_char(&s, "Tt ") || !take_clock(&s, &clock) || !take_offset(&s, &offset) || *s)
		return error_set(err, NXV_E_INVALID, "not a time; write it like 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00");
	*out_ms = days * 86400000 + clock - offset;
	return NXV_OK;
}
