// SPDX-License-Identifier: BSD-2-Clause
/* Distances against known ones, the least time by each profile, and which answers are flagged. */
#include "analysis/light.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct { const char *name; double lat, lon; } city[] = {
	{"Frankfurt", 50.11, 8.68},
	{"Seoul", 37.57, 126.98},
	{"Ashburn", 39.04, -77.49},
	{"Auckland", -36.85, 174.76},
};
enum { FRANKFURT, SEOUL, ASHBURN, AUCKLAND };

static void distances(void **state)
{
	/* Geodesics on WGS 84 (Vincenty), km. */
	static const struct { const char *why; double lat1, lon1, lat2, lon2, km; } rows[] = {
		{"nowhere", 39, 125, 39, 125, 0},
		{"a degree of the equator", 0, 0, 0, 1, 111.319},
		{"a degree of a meridian at the equator", 0, 0, 1, 0, 110.574},
		{"a degree of a meridian at the pole", 89, 0, 90, 0, 111.694},
		{"from pole to pole", 90, 0, -90, 0, 20003.93},
		{"across the date line", 0, 179.5, 0, -179.5, 111.32},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double km = light_distance_km(rows[i].lat1, rows[i].lon1, rows[i].lat2,
					      rows[i].lon2);

		if (km > rows[i].km + 1e-6 || km < rows[i].km * 0.985)
			fail_msg("%s: %.2f km, not a little under %.2f", rows[i].why, km,
				 rows[i].km);
	}
	/* 1000 km there and back: 9.79 ms. */
	assert_in_range(light_round_trip_ns(1000), 9780 * NS_PER_US, 9800 * NS_PER_US);
}

#define HEAD "profile: t\nversion: 2026-11-22\ntimezone: Asia/Pyongyang\n"
#define NETWORK(place) \
	"network: {name: N, asn: [131279], prefixes: [175.45.176.0/22], " \
	"judge_by: {v4: 24, v6: 48}" place "}\n"
#define PYONGYANG ", place: {lat: 39.03, lon: 125.75}"
#define DANDONG "  - {id: dandong, place: {lat: 40.12, lon: 124.39}, networks: [{asn: 4837}]}\n"
#define KHASAN(more) \
	"  - {id: khasan, place: {lat: 42.42, lon: 130.64}, networks: [{asn: 20485" more "}]}\n"
#define NO_PLACE "  - {id: third, networks: [{asn: 64500}]}\n"
#define BORDERS "borders:\n"
#define SATELLITE(more) "others: [{id: sat, networks: [{asn: 22351}]" more "}]\n"

static struct profile *parse(const char *yaml)
{
	struct bp_error err;
	struct profile *p;

	if (profile_parse("test", yaml, strlen(yaml), &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void least_times(void **state)
{
	static const struct {
		const char *why;
		int from;
		const char *yaml;
		double low_ms, high_ms;
	} rows[] = {
		{"no place, no claim", FRANKFURT, HEAD NETWORK("") BORDERS DANDONG, -1, -1},
		{"straight, where no border has a place", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS NO_PLACE, 1.8, 1.95},
		{"by the border, which is a detour from the south", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG, 5.0, 5.4},
		{"by the nearer of two", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG KHASAN(""), 5.0, 5.4},
		{"a border without a place may be anywhere", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG NO_PLACE, 1.8, 1.95},
		{"so may another way in", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG SATELLITE(""), 1.8, 1.95},
		{"unless it is over", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG SATELLITE(", until: 2014-01-01"), 5.0,
		 5.4},
		{"a border that is closed is no way", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS KHASAN("") DANDONG, 5.0, 5.4},
		{"the other alone", SEOUL, HEAD NETWORK(PYONGYANG) BORDERS KHASAN(""), 11, 13.5},
		{"not open yet, so nothing is known but the place", SEOUL,
		 HEAD NETWORK(PYONGYANG) BORDERS KHASAN(", since: 2030-01-01"), 1.8, 1.95},
		{"from Europe", FRANKFURT, HEAD NETWORK(PYONGYANG) BORDERS DANDONG KHASAN(""), 78,
		 83},
		{"from America", ASHBURN, HEAD NETWORK(PYONGYANG) BORDERS DANDONG KHASAN(""), 105,
		 112},
		{"from the south of the world", AUCKLAND,
		 HEAD NETWORK(PYONGYANG) BORDERS DANDONG KHASAN(""), 94, 103},
	};
	struct wall when = {INT64_C(1795341600) * NS_PER_S}; /* 2026-11-22 */

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct profile *p = parse(rows[i].yaml);
		int64_t ns = light_least_rtt_ns(p, city[rows[i].from].lat, city[rows[i].from].lon,
						when);
		double ms = ns < 0 ? -1 : (double)ns / 1e6;

		if (ms < rows[i].low_ms || ms > rows[i].high_ms)
			fail_msg("%s, from %s: %.3f ms", rows[i].why, city[rows[i].from].name, ms);
		profile_free(p);
	}
}

static void marks(void **state)
{
	static const struct {
		const char *why, *from;
		double rtt_ms;
		bool flagged;
	} rows[] = {
		{"inside, too soon", "175.45.176.71", 60, true},
		{"inside, in time", "175.45.176.71", 280, false},
		{"inside, no time known", "175.45.176.71", -1, false},
		{"outside hops may be next door", "188.43.225.153", 1, false},
		{"silence", NULL, -1, false},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	struct profile *p = parse(HEAD NETWORK(PYONGYANG) BORDERS DANDONG KHASAN(""));
	struct trace *t = trace_new(ROWS);
	struct wall now = {INT64_C(1795341600) * NS_PER_S};

	(void)state;
	assert_non_null(t);
	for (size_t i = 0; i < ROWS; i++) {
		struct trace_entry *e = &t->entries[t->entry_count++];

		trace_entry_init(e, (uint8_t)(i + 1), 1);
		if (rows[i].from != NULL)
			assert_int_equal(addr_parse(rows[i].from, &e->reply.from), 0);
		e->reply.rtt_ns = rows[i].rtt_ms < 0 ? -1 : (int64_t)(rows[i].rtt_ms * 1e6);
		e->reply.flags = REPLY_DUP;
	}
	/* Nobody said where the vantage point stands. */
	assert_int_equal(light_mark(t, p, now), 0);
	t->place_known = true;
	t->lat = city[FRANKFURT].lat;
	t->lon = city[FRANKFURT].lon;
	assert_int_equal(light_mark(t, p, now), 1);
	for (size_t i = 0; i < ROWS; i++) {
		if (t->entries[i].reply.flags != (REPLY_DUP | (rows[i].flagged ? REPLY_FTL : 0)))
			fail_msg("%s: flags %x", rows[i].why, t->entries[i].reply.flags);
	}
	/* A vantage point inside has no border to cross. */
	assert_int_equal(addr_parse("175.45.178.9", &t->src), 0);
	assert_int_equal(light_mark(t, p, now), 0);
	free(t);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(least_times),
		cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
