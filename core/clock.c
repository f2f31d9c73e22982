// SPDX-License-Identifier: BSD-2-Clause
/* Time values and their text. Owns RFC 3339 and durations; never sleeps. */
#include "core/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/buf.h"
#include "core/err.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

struct mono mono_now(void)
{
	return (struct mono){read_clock(CLOCK_MONOTONIC)};
}

struct mono boot_now(void)
{
	return (struct mono){read_clock(CLOCK_BOOTTIME)};
}

struct wall wall_now(void)
{
	return (struct wall){read_clock(CLOCK_REALTIME)};
}

struct clock_pair clock_pair_now(void)
{
	struct clock_pair best = {.unsure_ns = INT64_MAX};

	/* Three readings take some 0.1 us, unless the process was set aside between them. */
	for (unsigned i = 0; i < 4 && best.unsure_ns > NS_PER_US; i++) {
		int64_t before = read_clock(CLOCK_MONOTONIC_RAW);
		struct wall wall = wall_now();
		int64_t after = read_clock(CLOCK_MONOTONIC_RAW);

		if (after - before < best.unsure_ns)
			best = (struct clock_pair){before + (after - before) / 2, wall,
						   after - before};
	}
	return best;
}

/* Splits so that the fraction is never negative, before 1970 too. */
static int64_t split(struct wall t, struct tm *tm)
{
	int64_t sec = t.ns / NS_PER_S, frac = t.ns % NS_PER_S;
	time_t when;

	if (frac < 0) {
		frac += NS_PER_S;
		sec--;
	}
	when = (time_t)sec;
	gmtime_r(&when, tm);
	return frac;
}

const char *wall_format(struct wall t, char out[static WALL_TEXT])
{
	struct tm tm;
	int64_t frac = split(t, &tm);

	/* int64_t nanoseconds end in 2262: four digits of year always suffice. */
	snprintf(out, WALL_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)frac);
	return out;
}

const char *wall_format_short(struct wall t, char out[static WALL_TEXT])
{
	struct tm tm;

	split(t, &tm);
	snprintf(out, WALL_TEXT, "%04u-%02u-%02u %02u:%02u:%02u UTC",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
	return out;
}

/* Reads exactly `digits` decimal digits; advances. */
static bool number(const char **at, int digits, int *out)
{
	int v = 0;

	for (int i = 0; i < digits; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		v = 10 * v + (c - '0');
	}
	*at += digits;
	*out = v;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, chrono-compatible algorithms). */
static int64_t days_from_civil(int y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static bool parse_fraction(const char **at, int64_t *out_ns)
{
	int64_t scale = NS_PER_S / 10, ns = 0;

	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
		ns += (**at - '0') * scale;
	*out_ns = ns;
	return true;
}

static int parse_offset(const char **at, int64_t *out_s)
{
	int sign, hours, minutes;

	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		*out_s = 0;
		return 0;
	}
	if (**at != '+' && **at != '-')
		return BP_EPARSE;
	sign = **at == '-' ? -1 : 1;
	(*at)++;
	if (!number(at, 2, &hours))
		return BP_EPARSE;
	if (**at == ':')
		(*at)++;
	if (!number(at, 2, &minutes))
		return BP_EPARSE;
	if (hours > 23 || minutes > 59)
		return BP_ERANGE;
	*out_s = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int parse_rfc3339(const char *at, struct wall *out)
{
	int year, month, day, hour = 0, minute = 0, second = 0, rc;
	int64_t frac = 0, offset = 0, seconds;

	if (!number(&at, 4, &year) || *at++ != '-' || !number(&at, 2, &month) || *at++ != '-' ||
	    !number(&at, 2, &day))
		return BP_EPARSE;
	if (*at != '\0') {
		if (*at != 'T' && *at != 't' && *at != ' ')
			return BP_EPARSE;
		at++;
		if (!number(&at, 2, &hour) || *at++ != ':' || !number(&at, 2, &minute))
			return BP_EPARSE;
		if (*at == ':') {
			at++;
			if (!number(&at, 2, &second))
				return BP_EPARSE;
		}
		if (*at == '.' || *at == ',') {
			at++;
			if (!parse_fraction(&at, &frac))
				return BP_EPARSE;
		}
		/* Without an offset a time is UTC: INTERFACE, "Times". */
		if (*at != '\0' && (rc = parse_offset(&at, &offset)) < 0)
			return rc;
	}
	if (*at != '\0')
		return BP_EPARSE;
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
	    minute > 59 || second > 60 || year < 1700 || year > 2200)
		return BP_ERANGE;
	seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	out->ns = (seconds - offset) * NS_PER_S + frac;
	return 0;
}

int wall_parse(const char *text, struct wall now, struct wall *out)
{
	size_t n = strlen(text);
	char copy[32];
	int64_t ago;
	int rc;

	if (strcasecmp(text, "now") == 0) {
		*out = now;
		return 0;
	}
	if (n > 4 && n < sizeof(copy) && strcasecmp(text + n - 4, " ago") == 0) {
		memcpy(copy, text, n - 4);
		copy[n - 4] = '\0';
		rc = duration_parse(copy, &ago);
		if (rc < 0)
			return rc;
		out->ns = now.ns - ago;
		return 0;
	}
	return parse_rfc3339(text, out);
}

int duration_parse(const char *text, int64_t *out_ns)
{
	static const struct { const char *name; int64_t ns; } units[] = {
		{"", NS_PER_S}, {"ns", 1}, {"us", NS_PER_US}, {"ms", NS_PER_MS}, {"s", NS_PER_S},
		{"m", 60 * NS_PER_S}, {"min", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S},
		{"d", 86400 * NS_PER_S}, {"w", 7 * 86400 * NS_PER_S},
	};
	int64_t whole = 0;
	double fraction = 0, scale = 0.1, value;
	const char *at = text;
	bool digits = false;

	if (*at == '-')
		return BP_ERANGE;
	for (; isdigit((unsigned char)*at); at++, digits = true) {
		if (whole > INT64_MAX / 20)
			return BP_ERANGE;
		whole = 10 * whole + (*at - '0');
	}
	if (*at == '.') {
		for (at++; isdigit((unsigned char)*at); at++, digits = true, scale /= 10)
			fraction += (*at - '0') * scale;
	}
	if (!digits)
		return BP_EPARSE;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(at, units[i].name) != 0)
			continue;
		value = ((double)whole + fraction) * (double)units[i].ns;
		if (value > 9.0e18)
			return BP_ERANGE;
		*out_ns = whole * units[i].ns + (int64_t)(fraction * (double)units[i].ns + 0.5);
		return 0;
	}
	return BP_EPARSE;
}

void duration_put(struct buf *out, double seconds)
{
	uint64_t s = seconds < 1e12 ? (uint64_t)(seconds + 0.5) : (uint64_t)1e12;

	if (s < 120)
		buf_printf(out, "%llu s", (unsigned long long)s);
	else if (s < 120 * 60)
		buf_printf(out, "%llu min", (unsigned long long)(s + 30) / 60);
	else if (s < 48 * 3600)
		buf_printf(out, "%llu h %llu min", (unsigned long long)s / 3600,
			   (unsigned long long)s / 60 % 60);
	else
		buf_printf(out, "%llu days", (unsigned long long)s / 86400);
}
