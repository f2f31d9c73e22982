// SPDX-License-Identifier: BSD-2-Clause
/* Numbers and times of anybody's cells. */
#include "core/record/samples_value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/err.h"

enum { PLACES = 9, WHOLE_DIGITS = 10, E9 = 1000 * 1000 * 1000, NUMBER_TEXT = 48 };

/* Digits at *at as a value of `places` places, what is past them dropped; advances. */
static int64_t take_digits(const char **at, int places)
{
	int64_t v = 0;

	for (; isdigit((unsigned char)**at); (*at)++) {
		if (places > 0) {
			v = v * 10 + (**at - '0');
			places--;
		}
	}
	for (; places > 0; places--)
		v *= 10;
	return v;
}

static int with_exponent(const char *text, int64_t *out_e9)
{
	char copy[NUMBER_TEXT], *comma, *end;
	double v;

	if (strlen(text) >= sizeof(copy))
		return BP_ERANGE;
	memcpy(copy, text, strlen(text) + 1);
	comma = strchr(copy, ',');
	if (comma != NULL)
		*comma = '.';
	v = strtod(copy, &end);
	if (*end != '\0')
		return BP_EPARSE;
	if (!isfinite(v) || fabs(v) > 9e6)
		return BP_ERANGE;
	*out_e9 = llround(v * E9);
	return 0;
}

int samples_number(const char *text, int64_t *out_e9)
{
	const char *at = text;
	bool negative = *at == '-';
	int64_t whole = 0, part = 0;
	size_t digits;

	at += *at == '-' || *at == '+';
	digits = strspn(at, "0123456789");
	if (digits == 0 && !((*at == '.' || *at == ',') && isdigit((unsigned char)at[1])))
		return BP_EPARSE;
	for (const char *d = at; *d == '0' && digits > 1; d++)
		digits--;
	if (digits > WHOLE_DIGITS)
		return BP_ERANGE;
	while (isdigit((unsigned char)*at))
		whole = whole * 10 + (*at++ - '0');
	if (*at == '.' || *at == ',') {
		at++;
		part = take_digits(&at, PLACES);
	}
	if (*at == 'e' || *at == 'E')
		return with_exponent(text, out_e9);
	if (*at != '\0')
		return BP_EPARSE;
	if (whole >= INT64_MAX / E9)
		return BP_ERANGE;
	*out_e9 = (negative ? -1 : 1) * (whole * E9 + part);
	return 0;
}

bool samples_is_lost(const char *text)
{
	static const char *const words[] = {"", "*", "-", "nan", "na", "n/a", "null", "none",
					    "lost", "timeout"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* --- times ------------------------------------------------------------------------------------ */

/* A count since 1970, in the unit that puts it into our centuries. */
static int epoch(const char *text, int64_t *out_ns)
{
	size_t digits = strspn(text, "0123456789");
	const char *at = text + digits;
	int64_t whole = 0, part = 0, unit;

	if (digits == 0 || digits > 19 || (*at != '\0' && *at != '.' && *at != ','))
		return BP_EPARSE;
	for (size_t i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, text[i] - '0', &whole))
			return BP_ERANGE;
	}
	if (*at != '\0') {
		at++;
		part = take_digits(&at, PLACES);
	}
	if (*at != '\0')
		return BP_EPARSE;
	unit = whole < INT64_C(100000000000) ? NS_PER_S :
	       whole < INT64_C(100000000000000) ? NS_PER_MS :
	       whole < INT64_C(100000000000000000) ? NS_PER_US : 1;
	if (__builtin_mul_overflow(whole, unit, &whole))
		return BP_ERANGE;
	*out_ns = whole + part / (NS_PER_S / unit);
	return 0;
}

/* A number of at most `digits` digits. */
static bool take(const char **at, unsigned digits, unsigned *out)
{
	size_t n = strspn(*at, "0123456789");

	if (n == 0 || n > digits)
		return false;
	*out = (unsigned)take_digits(at, (int)n);
	return true;
}

/* The time of day as RFC 3339 writes it, to the end of the text; hours of a clock with twelve. */
static bool time_of_day(const char *at, char *out, size_t size)
{
	unsigned hour, minute, second = 0;
	char part[PLACES + 2] = "";

	if (*at == '\0') {
		snprintf(out, size, "00:00:00");
		return true;
	}
	if ((*at != ' ' && *at != 'T') || (at++, !take(&at, 2, &hour)) || *at++ != ':' ||
	    !take(&at, 2, &minute))
		return false;
	if (*at == ':' && (at++, !take(&at, 2, &second)))
		return false;
	if (*at == '.' || *at == ',') {
		size_t n = strspn(at + 1, "0123456789");

		if (n == 0 || n > PLACES)
			return false;
		snprintf(part, sizeof(part), ".%.*s", (int)n, at + 1);
		at += n + 1;
	}
	at += *at == ' ';
	if (strcasecmp(at, "am") == 0 || strcasecmp(at, "pm") == 0) {
		if (hour < 1 || hour > 12)
			return false;
		hour = hour % 12 + (tolower((unsigned char)*at) == 'p' ? 12 : 0);
		at += 2;
	}
	snprintf(out, size, "%02u:%02u:%02u%s", hour, minute, second, part);
	return *at == '\0';
}

static int64_t moment(unsigned year, unsigned month, unsigned day, const char *time)
{
	char text[64];
	struct wall t;

	snprintf(text, sizeof(text), "%04u-%02u-%02uT%s", year, month, day, time);
	return wall_parse(text, (struct wall){0}, &t) == 0 ? t.ns : INT64_MIN;
}

/* 13/10/2016 7:56, 10.13.2016, 2016/10/13. */
static int slashed(const char *at, struct samples_time *out)
{
	unsigned first, second, third;
	char time[32], mark;

	if (!take(&at, 4, &first))
		return BP_EPARSE;
	mark = *at++;
	if ((mark != '/' && mark != '.' && mark != '-') || !take(&at, 2, &second) ||
	    *at++ != mark || !take(&at, 4, &third) || !time_of_day(at, time, sizeof(time)))
		return BP_EPARSE;
	if (first > 999) {
		out->ns = out->month_first_ns = moment(first, second, third, time);
		out->two_ways = false;
	} else {
		/* Two digits of a year could be anything. */
		if (first > 99 || third < 1000)
			return BP_EPARSE;
		out->ns = moment(third, second, first, time);
		out->month_first_ns = moment(third, first, second, time);
		out->two_ways = true;
	}
	return out->ns == INT64_MIN && out->month_first_ns == INT64_MIN ? BP_ERANGE : 0;
}

int samples_time(const char *text, struct samples_time *out)
{
	struct samples_time time = {0};
	struct wall t;
	int rc;

	if (strspn(text, "0123456789.,") == strlen(text)) {
		rc = epoch(text, &time.ns);
		if (rc == 0) {
			time.month_first_ns = time.ns;
			*out = time;
			return 0;
		}
	}
	/* Nothing relative to now: that is no time of a record. */
	if (strlen(text) >= 10 && isdigit((unsigned char)text[0]) && text[4] == '-') {
		rc = wall_parse(text, (struct wall){0}, &t);
		if (rc < 0)
			return rc;
		*out = (struct samples_time){.ns = t.ns, .month_first_ns = t.ns};
		return 0;
	}
	rc = slashed(text, &time);
	if (rc == 0)
		*out = time;
	return rc;
}
