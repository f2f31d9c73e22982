// SPDX-License-Identifier: BSD-2-Clause
/*
 * 1 and 2 October 2017 as Dyn told it (doc/: Dyn, 2017-10-02): the second way in appears for three
 * of four prefixes, goes, everything is unstable with four brief outages of all, it comes back, and
 * two of the three leave it. From two vantage points, by rounds of several lengths: each change is
 * found, bracketed by at most two rounds; nothing else is told but the unstable time itself.
 */
#include "tests/unit/analysis/events_bed.h"

#define AT(day, hour, minute, second) \
	((((day) * 24 + (hour)) * 60 + (minute)) * 60 + (second))
static const int UNSTABLE = AT(0, 10, 47, 0), STABLE = AT(0, 12, 26, 0);

/* The way in of a prefix at a second since 2017-10-01: 'd', 'k', or 'n' where nobody answers. */
static char way_at(unsigned prefix, int t)
{
	static const int outages[][2] = {{AT(0, 10, 55, 0), AT(0, 11, 0, 0)},
					 {AT(0, 11, 20, 0), AT(0, 11, 24, 0)},
					 {AT(0, 11, 50, 0), AT(0, 11, 53, 0)},
					 {AT(0, 12, 10, 0), AT(0, 12, 13, 0)}};

	for (unsigned i = 0; i < 4; i++) {
		if (t >= outages[i][0] && t < outages[i][1])
			return 'n';
	}
	if (prefix == 177 || t < AT(0, 9, 7, 51))
		return 'd';
	if (t < AT(0, 10, 14, 45))
		return 'k';
	if (t < UNSTABLE)
		return 'd';
	if (t < AT(0, 12, 21, 55))
		return t < AT(0, 11, 55, 0) && (t - UNSTABLE) / 400 % 2 ? 'k' : 'd';
	if (prefix == 176)
		return t < AT(1, 7, 56, 39) ? 'k' : 'd';
	if (prefix == 179)
		return t < AT(1, 9, 10, 29) ? 'k' : 'd';
	return 'k';
}

static const struct {
	unsigned prefix;
	int at;
	const char *from, *to;
} CHANGES[] = {
	{176, AT(0, 9, 7, 51), "dandong", "khasan"},
	{178, AT(0, 9, 7, 51), "dandong", "khasan"},
	{179, AT(0, 9, 7, 51), "dandong", "khasan"},
	{176, AT(0, 10, 14, 45), "khasan", "dandong"},
	{178, AT(0, 10, 14, 45), "khasan", "dandong"},
	{179, AT(0, 10, 14, 45), "khasan", "dandong"},
	{176, AT(0, 12, 21, 55), "dandong", "khasan"},
	{178, AT(0, 12, 21, 55), "dandong", "khasan"},
	{179, AT(0, 12, 21, 55), "dandong", "khasan"},
	{176, AT(1, 7, 56, 39), "khasan", "dandong"},
	{179, AT(1, 9, 10, 29), "khasan", "dandong"},
};
enum { CHANGE_COUNT = sizeof(CHANGES) / sizeof(CHANGES[0]) };

/* `fast`: so many seconds of the history pass in one of the campaign. */
static void play(struct bed *b, int every_s, int fast)
{
	static const char *const vantages[] = {"fra1", "iad1"};
	const int64_t every = every_s * NS_PER_S / fast;

	for (unsigned v = 0; v < 2; v++) {
		for (unsigned p = 176; p < 180; p++) {
			unsigned number;
			const struct series_key *k = bed_key(b, vantages[v], p, &number);

			for (int t = 0; t < AT(1, 14, 0, 0); t += every_s) {
				struct bed_cell *x = bed_new_cell(b);
				struct cell *c = &x->cell;

				/* Each prefix at its own moment of the round. */
				int off = every_s / 60 * (int)(p - 176) + (int)v * every_s / 8;

				*c = (struct cell){.key = k,
						   .round = "",
						   .border = -1,
						   .via_org = "",
						   .rtt_min_ns = -1,
						   .rtt_median_ns = -1,
						   .outside_rtt_ns = -1};
				c->planned.ns = BED_START + t * NS_PER_S / fast;
				c->every_ns = every;
				c->first.ns = c->last.ns = c->any_first.ns =
					c->planned.ns + off * NS_PER_S / fast;
				c->end.ns = c->planned.ns + every / 4 + v;
				bed_measured(x, way_at(p, t + off), '1');
			}
		}
	}
}

static int seconds(struct wall t, int fast)
{
	return (int)((t.ns - BED_START) * fast / NS_PER_S);
}

static bool tells(const struct event *e, unsigned change, int every_s, int fast)
{
	return e->kind == EVENT_BORDER_SWITCH && !e->withdrawn &&
	       e->prefix.addr.bytes[2] == CHANGES[change].prefix &&
	       strcmp(e->from.what, CHANGES[change].from) == 0 &&
	       strcmp(e->to.what, CHANGES[change].to) == 0 &&
	       seconds(e->not_before, fast) <= CHANGES[change].at &&
	       CHANGES[change].at <= seconds(e->not_after, fast) &&
	       seconds(e->not_after, fast) - seconds(e->not_before, fast) <= 2 * every_s;
}

static void all_is_found_and_nothing_else(void **state)
{
	/* Seconds between rounds; and 20 minutes in a second, as a laboratory plays it. */
	static const struct { int every, fast; } rows[] = {{60, 1},  {300, 1},	 {600, 1},
							    {900, 1}, {1200, 1}, {1200, 1200},
							    {600, 600}};
	struct bed *b = *state;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		int every = rows[r].every, fast = rows[r].fast;
		unsigned found = 0, unstable = 0;
		char *told;

		play(b, every, fast);
		b->options.no_shifts = true;
		bed_feed(b, 0);
		told = bed_told(b);
		for (unsigned i = 0; i < CHANGE_COUNT; i++) {
			unsigned n = 0;

			for (unsigned e = 0; e < b->told_count; e++)
				n += tells(b->told[e], i, every, fast);
			found += n >= 1;
			if (n != 1)
				print_message("every %d s, %d times as fast: change of %u at %d: %u times\n", every, fast,
					      CHANGES[i].prefix, CHANGES[i].at, n);
		}
		for (unsigned e = 0; e < b->told_count; e++) {
			const struct event *x = b->told[e];
			bool known = x->withdrawn;

			for (unsigned i = 0; i < CHANGE_COUNT; i++)
				known = known || tells(x, i, every, fast);
			if (!known && seconds(x->not_after, fast) >= UNSTABLE &&
			    seconds(x->not_before, fast) <= STABLE) {
				unstable++;
				known = true;
			}
			if (!known)
				fail_msg("every %d s: not in the history: %u\n%s", every, e, told);
		}
		print_message("every %d s, %d times as fast: %u of %u changes, %u events of the "
			      "unstable time\n",
			      every, fast, found, (unsigned)CHANGE_COUNT, unstable);
		assert_int_equal(found, CHANGE_COUNT);
		free(told);
		bed_clear(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_found_and_nothing_else, bed_setup,
						bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
