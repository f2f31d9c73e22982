// SPDX-License-Identifier: BSD-2-Clause
/* The value of a report, of cells made by hand: spans and gaps, points, shares, ways in, who is
 * down; Wilson intervals and power against known figures. */
#include "analysis/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/power.h"
#include "tests/unit/analysis/report/page_bed.h"

static const int64_t every = 15 * MIN_NS;

static struct series_key key_of(unsigned number, const char *vantage, unsigned prefix)
{
	return (struct series_key){number, vantage, "dprk", bed_prefix(prefix), METHOD_TCP};
}

/* Rounds of one key as a line: C and R by border, O another way in, M both, ? undetermined, s
 * silent, u unsure of C, x missed, o offline, '.' no cell at all. */
static void feed(struct bed *b, const struct series_key *key, const char *rounds)
{
	for (unsigned i = 0; rounds[i] != '\0'; i++) {
		char x = rounds[i];
		int border = x == 'R' ? KHASAN : x == 'O' ? OTHER : x == '?' || x == 's' ? -1 :
			     DANDONG;
		struct cell c = bed_cell(key, T0 + i * every, border, x == 's' ? 0 : 200 + i);

		if (x == '.')
			continue;
		if (x == 'M') {
			c.outcome = OUTCOME_MIXED;
			c.border = -1;
			c.by_border[KHASAN] = 2;
		} else if (x == 's') {
			c.by_class[CLASS_BORDER] = 0;
		} else if (x == 'u') {
			c.confidence = 0.8;
		} else if (x == 'x' || x == 'o') {
			c.state = x == 'x' ? CELL_MISSED : CELL_OFFLINE;
			c.why = x == 'x' ? ROUND_WHY_DOWN : ROUND_WHY_OFFLINE;
		}
		bed_must(report_maker_cell(b->maker, &c));
	}
}

static void make(struct bed *b)
{
	bed_must(report_make(b->maker, &b->r));
}

/* "C3 x2 -4": what each span shows and for how many rounds' time; '-' is not measured. */
static void spans_text(const struct report_row *row, char *out, size_t size)
{
	static const char *const shows[] = {"-", "o", "s", "?", "", "O", "M", "n"};
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < row->span_count; i++) {
		const struct report_span *x = &row->spans[i];
		const char *name = x->band == REPORT_BAND_BORDER ? x->border == KHASAN ? "R" : "C" :
				   shows[x->band];

		n += (size_t)snprintf(out + n, size - n, "%s%s%s%ld", n > 0 ? " " : "", name,
				      x->unsure ? "/" : "", (long)((x->to.ns - x->from.ns) / every));
	}
}

static void spans(void **state)
{
	static const struct { const char *rounds, *want, *reason; } rows[] = {
		{"CCC", "C3", "one of the same"},
		{"CCRR", "C2 R2", "a switch"},
		{"CxxC", "C1 -2 C1", "rounds that were missed are blank, and no outage"},
		{"CooC", "C1 o2 C1", "down is told apart from missed"},
		{"C...C", "C1 -3 C1", "so are rounds that nobody knows of"},
		{"CsC", "C1 s1 C1", "silence is measured"},
		{"C?C", "C1 ?1 C1", "undetermined is an answer"},
		{"CuuC", "C1 C/2 C1", "unsure is drawn apart"},
		{"MMO", "M2 O1", "several ways, another way in"},
		{"xxCC", "-2 C2", "missed from the beginning"},
		{"C", "C1", "a single round is as long as the rounds are apart"}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct series_key key = key_of(0, "fra1", 0);
		char text[128];
		struct bed b;

		bed_open(&b, 0, 0);
		feed(&b, &key, rows[i].rounds);
		make(&b);
		spans_text(&b.r->rows[0], text, sizeof(text));
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("%s: %s, wanted %s", rows[i].reason, text, rows[i].want);
		bed_close(&b);
	}
}

/* A year that flickers: spans are bounded, gaps stay, and most of the time is what it was. */
static void spans_are_bounded(void **state)
{
	enum { ROUNDS = 35040 };
	struct series_key key = key_of(0, "fra1", 0);
	const struct report_row *row;
	int64_t dandong = 0, blank = 0;
	unsigned rounds = 0;
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct cell c = bed_cell(&key, T0 + i * every, i % 3 == 0 ? KHASAN : DANDONG, 200);

		if (i < 1000 || i >= 1100)
			bed_must(report_maker_cell(b.maker, &c));
	}
	make(&b);
	row = &b.r->rows[0];
	assert_in_range(row->span_count, 3, REPORT_SPANS_MAX);
	for (unsigned i = 0; i < row->span_count; i++) {
		const struct report_span *x = &row->spans[i];

		rounds += x->rounds;
		dandong += x->border == DANDONG ? x->to.ns - x->from.ns : 0;
		blank += x->band == REPORT_BAND_NOT_MEASURED ? x->to.ns - x->from.ns : 0;
		assert_true(i == 0 || x->from.ns == row->spans[i - 1].to.ns);
	}
	assert_int_equal(rounds, ROUNDS - 100);
	assert_int_equal(blank, 100 * every);
	assert_true(dandong > (ROUNDS - 200) * every * 9 / 10);
	/* What is counted is counted in full. */
	assert_int_equal(row->rounds, ROUNDS - 100);
	assert_in_range(row->by_border[KHASAN], ROUNDS / 3 - 40, ROUNDS / 3);
	bed_close(&b);
}

static void a_window_has_blank_ends(void **state)
{
	struct series_key key = key_of(0, "fra1", 0);
	char text[128];
	struct bed b;

	(void)state;
	bed_open(&b, T0 - 4 * every, T0 + 8 * every);
	feed(&b, &key, "CCC");
	make(&b);
	spans_text(&b.r->rows[0], text, sizeof(text));
	assert_string_equal(text, "-4 C3 -5");
	/* What lies outside is no part of it. */
	bed_close(&b);
	bed_open(&b, T0 + every, T0 + 2 * every);
	feed(&b, &key, "CRC");
	make(&b);
	spans_text(&b.r->rows[0], text, sizeof(text));
	assert_string_equal(text, "R1");
	assert_int_equal(b.r->rows[0].rounds, 1);
	bed_close(&b);
}

static void nothing_measured(void **state)
{
	struct series_key key = key_of(0, "fra1", 0);
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	assert_int_equal(report_make(b.maker, &b.r), BP_ENOTFOUND);
	feed(&b, &key, "xxo");
	assert_int_equal(report_make(b.maker, &b.r), BP_ENOTFOUND);
	bed_close(&b);
}

static void points_do_not_cross_gaps(void **state)
{
	struct series_key key = key_of(0, "fra1", 0);
	const struct report_row *row;
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &key, "CCxR.RsR");
	make(&b);
	row = &b.r->rows[0];
	assert_int_equal(row->point_count, 6);
	assert_false(row->points[1].gap);
	assert_true(row->points[2].gap);  /* a missed round before it */
	assert_true(row->points[3].gap);  /* one that nobody knows of */
	assert_false(row->points[4].gap); /* silence is no gap, and has no value */
	assert_int_equal(row->points[4].rtt_median_ns, -1);
	assert_int_equal(row->points[0].rtt_median_ns, 200 * NS_PER_MS);
	assert_int_equal(row->points[2].border, KHASAN);
	/* Of 200, 201, 203, 205 and 207. */
	assert_int_equal(row->rtt_median_ns, 203 * NS_PER_MS);
	assert_int_equal(row->missed, 1);
	assert_int_equal(row->rounds, 6);
	assert_int_equal(row->asked, 72);
	assert_int_equal(row->answered, 60);
	bed_close(&b);
}

static void many_rounds_share_points(void **state)
{
	enum { ROUNDS = 3 * REPORT_POINTS_MAX + 7 };
	struct series_key key = key_of(0, "fra1", 0);
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct cell c = bed_cell(&key, T0 + i * every, DANDONG, 200 + i % 4);

		bed_must(report_maker_cell(b.maker, &c));
	}
	make(&b);
	assert_in_range(b.r->rows[0].point_count, REPORT_POINTS_MAX / 2, REPORT_POINTS_MAX);
	/* Four rounds a point: the median of 200 to 203, the least minimum. */
	assert_int_equal(b.r->rows[0].points[0].rtt_median_ns, 201500000);
	assert_int_equal(b.r->rows[0].points[0].rtt_min_ns, 198200000);
	assert_int_equal(b.r->rows[0].points[0].asked, 48);
	bed_close(&b);
}

static void sums_count_keys(void **state)
{
	struct series_key a = key_of(0, "ams1", 0), c = key_of(1, "fra1", 0);
	const struct report_prefix *p;
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &a, "CCCC");
	feed(&b, &c, "CRRx");
	make(&b);
	assert_int_equal(b.r->prefix_count, 1);
	p = &b.r->prefixes[0];
	assert_int_equal(p->keys, 2);
	assert_int_equal(p->sum_count, 3);
	assert_int_equal(p->sums[0].by_border[DANDONG], 2);
	assert_int_equal(p->sums[1].by_border[DANDONG], 1);
	assert_int_equal(p->sums[1].by_border[KHASAN], 1);
	assert_int_equal(p->sums[2].not_measured, 1);
	assert_int_equal(p->sums[2].by_border[KHASAN], 0);
	assert_int_equal(p->sums[2].to.ns, b.r->until.ns);
	bed_close(&b);
}

static void shares_count_each_key_once(void **state)
{
	static const struct {
		const char *rounds;
		unsigned c, r, mixed, undetermined, n;
		const char *why;
	} rows[] = {
		{"CCCR", 1, 0, 0, 0, 1, "the most frequent of the hour"},
		{"CCRR", 0, 0, 1, 0, 1, "a draw is mixed, not the first"},
		{"MMMC", 0, 0, 1, 0, 1, "mixed is an outcome"},
		{"????", 0, 0, 0, 1, 0, "undetermined is not in n"},
		{"???R", 0, 1, 0, 0, 1, "one decided round decides"},
		{"xxoo", 0, 0, 0, 0, 0, "what was not measured is in none"}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* The second key makes that something was measured. */
		struct series_key key = key_of(0, "fra1", 0), other = key_of(1, "ams1", 0);
		const struct report_share *s;
		char text[16];
		struct bed b;

		bed_open(&b, T0, T0 + 8 * every);
		feed(&b, &key, rows[i].rounds);
		snprintf(text, sizeof(text), "....R");
		feed(&b, &other, text);
		make(&b);
		assert_int_equal(b.r->step_ns, 4 * every);
		assert_int_equal(b.r->share_count, 2);
		s = &b.r->shares[0];
		if (s->by_border[DANDONG] != rows[i].c || s->by_border[KHASAN] != rows[i].r ||
		    s->mixed != rows[i].mixed || s->undetermined != rows[i].undetermined ||
		    s->n != rows[i].n)
			fail_msg("%s: n %u", rows[i].why, s->n);
		bed_close(&b);
	}
}

/* Records of no round come in any order: the report is that of the same in theirs. */
static void cells_come_in_any_order(void **state)
{
	static const unsigned orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct series_key key = key_of(0, "fra1", 0);
		char text[128];
		struct bed b;

		bed_open(&b, 0, 0);
		for (unsigned k = 0; k < 4; k++) {
			unsigned at = orders[i][k];
			struct cell c = bed_cell(&key, T0 + at * 86400 * NS_PER_S,
						 at < 2 ? DANDONG : KHASAN, 200);

			c.every_ns = 86400 * NS_PER_S;
			bed_must(report_maker_cell(b.maker, &c));
		}
		make(&b);
		assert_int_equal(b.r->since.ns, T0);
		assert_int_equal(b.r->until.ns, T0 + 4 * 86400 * NS_PER_S);
		assert_int_equal(b.r->as_of.ns, T0 + 3 * 86400 * NS_PER_S);
		assert_int_equal(b.r->share_count, 96);
		spans_text(&b.r->rows[0], text, sizeof(text));
		assert_string_equal(text, "C192 R192");
		bed_close(&b);
	}
}

/* By hand from the formula; the first is in Newcombe, Statistics in Medicine 17 (1998), table I. */
static void wilson(void **state)
{
	static const struct { uint32_t k, n; double low, high; } rows[] = {
		{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611},
		{1, 29, 0.0061, 0.1718}, {29, 29, 0.8830, 1.0000}, {0, 0, 0, 1}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double low, high;

		report_wilson(rows[i].k, rows[i].n, &low, &high);
		if (fabs(low - rows[i].low) > 5e-5 || fabs(high - rows[i].high) > 5e-5)
			fail_msg("%u of %u: %.4f to %.4f", rows[i].k, rows[i].n, low, high);
	}
}

static void ways_in(void **state)
{
	struct series_key keys[] = {key_of(0, "ams1", 0), key_of(1, "fra1", 0), key_of(2, "ams1", 1),
				    key_of(3, "fra1", 1), key_of(4, "gone", 0)};
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &keys[0], "CCRRRRRR");
	feed(&b, &keys[1], "CCCCRR??");
	feed(&b, &keys[2], "CCCCCCCC");
	feed(&b, &keys[3], "CCCCssss");
	/* Down since: what it saw last is not how it stands. */
	feed(&b, &keys[4], "CC......");
	make(&b);
	assert_int_equal(b.r->way_count, 2);
	assert_int_equal(b.r->ways[0].seen, 1u << DANDONG | 1u << KHASAN);
	assert_int_equal(b.r->ways[0].now, 1u << KHASAN);
	assert_int_equal(b.r->ways[0].vantages, 3);
	assert_int_equal(b.r->ways[0].now_count, 1);
	assert_false(b.r->ways[0].down);
	assert_int_equal(b.r->ways[1].now, 1u << DANDONG);
	assert_false(b.r->ways[1].down); /* one still reaches it */
	assert_int_equal(b.r->vantage_count, 3);
	assert_string_equal(b.r->vantages[2].name, "gone");
	assert_true(b.r->vantages[2].down);
	assert_true(b.r->vantages[2].counted);
	assert_int_equal(b.r->vantages[2].unheard_ns, 6 * every);
	assert_false(b.r->vantages[0].down);
	assert_int_equal(b.r->vantages[0].unheard_ns, 0);
	assert_false(report_quiet(b.r));
	bed_close(&b);
}

/* Two intervals are one that is late. */
static void how_long_ago_one_was_heard_is_told(void **state)
{
	static const struct {
		const char *rounds;
		int64_t unheard;
		bool down;
		const char *why;
	} ends[] = {
		{"CCCCCCCC", 0, false, "to the end"},
		{"CCCCCC..", 0, false, "for two rounds it is not told"},
		{"CCCCC...", 3, false, "it is told before it is down"},
		{"CCCC....", 4, true, "and how long it is down"},
		{"CCCCoooo", 0, true, "who was offline was heard"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct series_key fine = key_of(0, "ams1", 0), key = key_of(1, "fra1", 0);
		const struct report_vantage *v;
		char words[40];
		struct buf json;
		struct bed b;

		bed_open(&b, 0, 0);
		feed(&b, &fine, "CCCCCCCC");
		feed(&b, &key, ends[i].rounds);
		make(&b);
		v = &b.r->vantages[1];
		if (v->unheard_ns != ends[i].unheard * every || v->down != ends[i].down)
			fail_msg("%s: %lld, %d", ends[i].why, (long long)(v->unheard_ns / every), v->down);
		buf_init(&json);
		report_write_json(&json, b.r);
		snprintf(words, sizeof(words), ends[i].unheard > 0 ? "\"unheard_s\":%lld," :
			 "\"unheard_s\":null,", (long long)(ends[i].unheard * every / NS_PER_S));
		if (strstr(json.bytes, words) == NULL)
			fail_msg("%s: no %s: %s", ends[i].why, words, json.bytes);
		buf_fini(&json);
		bed_close(&b);
	}
}

static void down_is_for_all_who_are_up(void **state)
{
	struct series_key a = key_of(0, "ams1", 0), c = key_of(1, "fra1", 0), o = key_of(2, "off", 0);
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &a, "CCss");
	feed(&b, &c, "CCss");
	feed(&b, &o, "CCoo");
	make(&b);
	assert_true(b.r->ways[0].down);
	assert_int_equal(b.r->vantages[2].offline, 2);
	bed_close(&b);
}

static void rounds_tell_of_vantage_points(void **state)
{
	struct series_key key = key_of(0, "fra1", 0);
	struct round r;
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &key, "CCxC");
	for (unsigned i = 0; i < 4; i++) {
		round_init(&r);
		text_set(r.campaign, sizeof(r.campaign), "dprk");
		text_set(r.vantage, sizeof(r.vantage), i == 3 ? "never" : "fra1");
		r.planned.ns = T0 + i * every;
		r.expected = 4;
		r.done = i < 2 ? 4 : 0;
		r.missed = r.expected - r.done;
		r.egress_asn = 64500;
		r.changed = i == 1 ? ROUND_CHANGED_TRANSIT : 0;
		bed_must(report_maker_round(b.maker, &r));
	}
	make(&b);
	assert_int_equal(b.r->rounds, 2);
	assert_int_equal(b.r->missed, 2);
	assert_int_equal(b.r->vantages[0].rounds, 2);
	assert_int_equal(b.r->vantages[0].missed, 1);
	assert_int_equal(b.r->vantages[0].egress_asn, 64500);
	assert_true(b.r->vantages[0].moved);
	/* Known by its missed rounds alone: it is there, and not counted. */
	assert_string_equal(b.r->vantages[1].name, "never");
	assert_false(b.r->vantages[1].counted);
	assert_true(b.r->vantages[1].down);
	bed_close(&b);
}

static void revise(struct bed *b, struct event *e, const struct event *first, unsigned revision,
		   bool withdrawn)
{
	*e = *first;
	event_set_id(e, first->not_before, revision);
	e->seen.ns = first->seen.ns + revision;
	e->seen_by = revision;
	e->withdrawn = withdrawn;
	bed_must(report_maker_event(b->maker, e));
}

static void the_last_revision_counts(void **state)
{
	struct series_key key = key_of(0, "fra1", 0);
	struct event first, later, e;
	struct bed b;

	(void)state;
	bed_open(&b, 0, 0);
	feed(&b, &key, "CCRR");
	event_init(&first);
	first.kind = EVENT_BORDER_SWITCH;
	first.prefix = bed_prefix(0);
	first.not_before.ns = T0 + every;
	first.not_after = first.at = first.seen = (struct wall){T0 + 2 * every};
	event_set_fingerprint(&first);
	later = first;
	later.prefix = bed_prefix(1);
	later.at.ns = T0 + every;
	event_set_fingerprint(&later);
	revise(&b, &e, &first, 1, false);
	revise(&b, &e, &later, 1, false);
	revise(&b, &e, &first, 3, false);
	revise(&b, &e, &first, 2, false);
	make(&b);
	assert_int_equal(b.r->event_count, 2);
	assert_true(prefix_equal(b.r->events[0].prefix, bed_prefix(1))); /* oldest first */
	assert_int_equal(b.r->events[1].seen_by, 3);
	/* What did not hold is gone. */
	revise(&b, &e, &later, 4, true);
	make(&b);
	assert_int_equal(b.r->event_count, 1);
	bed_close(&b);
}

static void quiet_needs_two_rounds(void **state)
{
	static const struct { const char *rounds; bool quiet; const char *why; } rows[] = {
		{"CCCC", true, "the same all the time"}, {"CCRR", false, "another way was seen"},
		{"C", false, "one round shows no change, nor that there was none"},
		{"????", false, "nothing was decided"}, {"C?xC", true, "two are enough"}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct series_key key = key_of(0, "fra1", 0);
		struct bed b;

		bed_open(&b, 0, 0);
		feed(&b, &key, rows[i].rounds);
		make(&b);
		if (report_quiet(b.r) != rows[i].quiet)
			fail_msg("%s", rows[i].why);
		bed_close(&b);
	}
}

/* --- power ----------------------------------------------------------------------------------- */

/* 1 - (1-d)^n - n d (1-d)^(n-1) >= 0.9, by hand. */
static void a_switch_that_would_be_seen(void **state)
{
	static const struct {
		double decided;
		unsigned vantages, rounds;
		const char *why;
	} rows[] = {
		{1, 1, 2, "two rounds of one who always knows"},
		{1, 2, 1, "one round of two"},
		{0.9, 1, 3, "0.81 in two, 0.972 in three"},
		{0.5, 1, 7, "0.891 in six, 0.9375 in seven"},
		{0.5, 8, 1, "eight at once: 0.965"},
		{0.1, 1, 38, "0.897 in 37, 0.905 in 38"},
		{0, 8, 0, "nobody ever knows"}, {1, 0, 0, "nobody looks"}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t got = power_switch(every, rows[i].decided, rows[i].vantages);

		if (got != rows[i].rounds * every)
			fail_msg("%s: %ld rounds", rows[i].why, (long)(got / every));
	}
	assert_int_equal(power_switch(0, 1, 1), 0);
}

static void a_shift_that_would_be_seen(void **state)
{
	(void)state;
	/* An interval of +-1.96 standard errors of 1 ms: 1.96 + 1.28 of them. */
	assert_in_range(power_shift(-1959964, 1959964, 0), 3241500, 3241530);
	assert_int_equal(power_shift(-1000, 1000, NS_PER_MS), NS_PER_MS);
	assert_int_equal(power_shift(5, 5, NS_PER_MS), 0);
}

/* Steps are tried: what is found is found, and a louder series needs a larger one. */
static void steps_are_tried(void **state)
{
	enum { N = 96 };
	int64_t calm[N], loud[N], lost[N], few[8] = {0}, a = 0, b = 0, none = 1;
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		calm[i] = 200 * NS_PER_MS + (int64_t)(seed >> 33) % NS_PER_MS;
		loud[i] = 200 * NS_PER_MS + (int64_t)(seed >> 33) % (40 * NS_PER_MS);
		lost[i] = -1;
	}
	assert_int_equal(power_steps(&(struct power_series){calm, N}, 1, &a), 0);
	assert_int_equal(power_steps(&(struct power_series){loud, N}, 1, &b), 0);
	assert_true(a > 0);
	assert_true(b == 0 || b > a);
	assert_int_equal(power_steps(&(struct power_series){lost, N}, 1, &none), 0);
	assert_int_equal(none, 0);
	none = 1;
	assert_int_equal(power_steps(&(struct power_series){few, 8}, 1, &none), 0);
	assert_int_equal(none, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans),
		cmocka_unit_test(spans_are_bounded),
		cmocka_unit_test(a_window_has_blank_ends),
		cmocka_unit_test(nothing_measured),
		cmocka_unit_test(points_do_not_cross_gaps),
		cmocka_unit_test(many_rounds_share_points),
		cmocka_unit_test(sums_count_keys),
		cmocka_unit_test(shares_count_each_key_once),
		cmocka_unit_test(cells_come_in_any_order),
		cmocka_unit_test(wilson),
		cmocka_unit_test(ways_in),
		cmocka_unit_test(how_long_ago_one_was_heard_is_told),
		cmocka_unit_test(down_is_for_all_who_are_up),
		cmocka_unit_test(rounds_tell_of_vantage_points),
		cmocka_unit_test(the_last_revision_counts),
		cmocka_unit_test(quiet_needs_two_rounds),
		cmocka_unit_test(a_switch_that_would_be_seen),
		cmocka_unit_test(a_shift_that_would_be_seen),
		cmocka_unit_test(steps_are_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
