// SPDX-License-Identifier: BSD-2-Clause
/* Words, lists and moments for sentences. */
#include "analysis/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void words_number(struct buf *out, unsigned n)
{
	static const char *const words[] = {"no", "one", "two", "three", "four", "five", "six",
					    "seven", "eight", "nine", "ten", "eleven", "twelve"};

	if (n < sizeof(words) / sizeof(words[0]))
		buf_str(out, words[n]);
	else
		buf_printf(out, "%u", n);
}

int words_ms_digits(int64_t ns)
{
	return ns < NS_PER_MS ? 3 : ns < 10 * NS_PER_MS ? 2 : 1;
}

const char *words_ms(int64_t ns, char out[static WORDS_MS])
{
	if (ns < 0)
		snprintf(out, WORDS_MS, "-");
	else
		snprintf(out, WORDS_MS, "%.*f", words_ms_digits(ns), (double)ns / 1e6);
	return out;
}

const char *words_ms_by(int64_t by_ns, int64_t level_ns, char out[static WORDS_MS])
{
	snprintf(out, WORDS_MS, "%+.*f", words_ms_digits(level_ns), (double)by_ns / 1e6);
	if (strspn(out, "-0.") == strlen(out))
		out[0] = '+';
	return out;
}

void words_prefixes(struct buf *out, const struct prefix *p, unsigned n)
{
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < n; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ",
			   prefix_format(p[i], text));
}

void words_carrier(struct buf *out, const char *org, uint32_t asn, const char *otherwise)
{
	if (org[0] != '\0' && asn != 0)
		buf_printf(out, "%s (AS%u)", org, asn);
	else if (asn != 0)
		buf_printf(out, "AS%u", asn);
	else
		buf_str(out, org[0] != '\0' ? org : otherwise);
}

/* A zone that is not installed reads as UTC: by that name, by none, or by how the zone begins
 * ("Asia"); one that is has a name of its own ("KST", "GMT"). */
static bool is_made_up(const char *zone, const struct tm *tm)
{
	size_t n = strcspn(zone, "/_");

	if (tm->tm_gmtoff != 0)
		return false;
	return tm->tm_zone == NULL || tm->tm_zone[0] == '\0' || strcmp(tm->tm_zone, "UTC") == 0 ||
	       (strncmp(tm->tm_zone, zone, n) == 0 && tm->tm_zone[n] == '\0');
}

/* The C library knows one zone at a time: it is set, asked, and put back. */
static bool local_time(const char *zone, struct wall t, struct tm *out)
{
	const char *before = getenv("TZ");
	char *kept = before ? strdup(before) : NULL;
	time_t seconds = (time_t)(t.ns / NS_PER_S);
	bool known;

	if (before != NULL && kept == NULL)
		return false;
	setenv("TZ", zone, 1);
	tzset();
	known = localtime_r(&seconds, out) != NULL;
	if (known && strchr(zone, '/') != NULL && strncmp(zone, "Etc/", 4) != 0)
		known = !is_made_up(zone, out);
	if (kept != NULL)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
	free(kept);
	return known;
}

static void clock_text(struct buf *out, const struct tm *tm, bool seconds)
{
	char text[32];

	strftime(text, sizeof(text), seconds ? "%H:%M:%S" : "%H:%M", tm);
	buf_str(out, text);
}

static void date_text(struct buf *out, const struct tm *tm)
{
	char text[48];

	strftime(text, sizeof(text), "%B %Y", tm);
	buf_printf(out, "%d %s", tm->tm_mday, text);
}

static bool same_day(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_yday == b->tm_yday;
}

/* "Asia/Pyongyang" is Pyongyang to a reader. */
void words_place(struct buf *out, const char *zone)
{
	const char *place = strrchr(zone, '/');

	for (place = place ? place + 1 : zone; *place != '\0'; place++)
		buf_char(out, *place == '_' ? ' ' : *place);
}

bool words_offset(const char *zone, struct wall t, int *seconds)
{
	struct tm tm;

	if (zone == NULL || zone[0] == '\0' || !local_time(zone, t, &tm))
		return false;
	*seconds = (int)tm.tm_gmtoff;
	return true;
}

void words_interval(struct buf *out, struct wall from, struct wall to, const char *zone)
{
	time_t a = (time_t)(from.ns / NS_PER_S), b = (time_t)(to.ns / NS_PER_S);
	bool seconds = a / 60 == b / 60;
	struct tm from_utc, to_utc, from_here, to_here;

	gmtime_r(&a, &from_utc);
	gmtime_r(&b, &to_utc);
	buf_str(out, "Between ");
	clock_text(out, &from_utc, seconds);
	if (!same_day(&from_utc, &to_utc)) {
		buf_str(out, " UTC on ");
		date_text(out, &from_utc);
	}
	buf_str(out, " and ");
	clock_text(out, &to_utc, seconds);
	buf_str(out, " UTC on ");
	date_text(out, &to_utc);
	if (zone == NULL || zone[0] == '\0' || !local_time(zone, from, &from_here) ||
	    !local_time(zone, to, &to_here))
		return;
	buf_str(out, " (");
	clock_text(out, &from_here, seconds);
	buf_str(out, " to ");
	clock_text(out, &to_here, seconds);
	if (!same_day(&to_utc, &to_here)) {
		buf_str(out, " on ");
		date_text(out, &to_here);
	}
	buf_str(out, " in ");
	words_place(out, zone);
	buf_char(out, ')');
}

static const char *org_among(const struct profile_network *n, unsigned count, uint32_t asn)
{
	for (unsigned i = 0; i < count; i++) {
		if (n[i].asn == asn && n[i].org != NULL)
			return n[i].org;
	}
	return NULL;
}

const char *words_org(const struct profile *p, uint32_t asn)
{
	const char *org = NULL;

	for (unsigned i = 0; i < p->borders_count && org == NULL; i++)
		org = org_among(p->borders[i].networks, p->borders[i].networks_count, asn);
	for (unsigned i = 0; i < p->others_count && org == NULL; i++)
		org = org_among(p->others[i].networks, p->others[i].networks_count, asn);
	return org != NULL ? org : "";
}

const char *words_border(const struct profile *p, const char *id)
{
	for (unsigned i = 0; i < p->borders_count; i++) {
		if (strcmp(p->borders[i].id, id) == 0)
			return p->borders[i].name;
	}
	return strcmp(id, "other") == 0 ? "another way in" :
	       strcmp(id, "inside") == 0 ? "inside" : id;
}

const char *words_border_color(const struct profile *p, const char *id)
{
	for (unsigned i = 0; i < p->borders_count; i++) {
		if (strcmp(p->borders[i].id, id) == 0)
			return p->borders[i].color;
	}
	return NULL;
}

void words_always(struct buf *out, const struct profile *p, unsigned vantages)
{
	buf_printf(out, "Measured: paths towards %s from %s, not traffic volume and not the way back. "
		   "The crossing is inferred from the carrier; the cause is not measured.",
		   p->network_name, vantages == 1 ? "this vantage point" : "these vantage points");
}
