// SPDX-License-Identifier: BSD-2-Clause
/* Series: cells out of points, whatever their order; rounds, gaps, looks, what nobody told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analysis/series.h"
#include "core/buf.h"
#include "tests/unit/analysis/path_text.h"

#define START_S INT64_C(1795341600)
#define MS NS_PER_MS

struct bed {
	struct profile *profile;
	struct nodes nodes;
	struct series *series;
	uint32_t router, private_router;
	struct buf told;         /* a line a cell */
	struct cell last;
	struct cell_host hosts[SERIES_HOSTS_MAX];
};

static const char *const states[] = {"?", "measured", "missed", "offline"};
static const char *const outcomes[] = {"undetermined", "border", "other", "mixed", "none"};

/* vantage prefix round state outcome[:border] planned first-last reached/hosts answered/asked */
static int on_cell(void *arg, const struct cell *c)
{
	struct bed *b = arg;
	char prefix[PREFIX_TEXT];

	buf_printf(&b->told, "%s %s %s %s", c->key->vantage, prefix_format(c->key->prefix, prefix),
		   c->round, states[c->state]);
	if (c->state == CELL_MEASURED) {
		buf_printf(&b->told, " %s", outcomes[c->outcome]);
		if (c->border >= 0)
			buf_printf(&b->told, ":%s", series_border(b->series, (unsigned)c->border));
		buf_printf(&b->told, " %lld-%lld %u/%u %u/%u",
			   (long long)(c->first.ns / NS_PER_S - START_S),
			   (long long)(c->last.ns / NS_PER_S - START_S), c->hosts_reached, c->hosts,
			   c->answered, c->asked);
	}
	if (c->state != CELL_MEASURED)
		buf_printf(&b->told, " %s", word_of(round_why_words, c->why));
	buf_printf(&b->told, " @%lld/%lld%s%s\n", (long long)(c->planned.ns / NS_PER_S - START_S),
		   (long long)(c->every_ns / NS_PER_S), c->look ? " look" : "",
		   c->moved ? " moved" : "");
	b->last = *c;
	if (c->host_count > 0)
		memcpy(b->hosts, c->host, c->host_count * sizeof(*c->host));
	return 0;
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct node public = {.addr = path_addr("66.110.96.13"), .asn = 6453};
	struct node private = {.addr = path_addr("10.0.0.1"), .skipped = true};

	b->profile = path_profile();
	buf_init(&b->told);
	nodes_init(&b->nodes);
	nodes_put(&b->nodes, &public, &b->router);
	nodes_put(&b->nodes, &private, &b->private_router);
	*state = b;
	return series_new(b->profile, &b->nodes, on_cell, b, &b->series);
}

static int teardown(void **state)
{
	struct bed *b = *state;

	series_free(b->series);
	nodes_fini(&b->nodes);
	buf_fini(&b->told);
	profile_free(b->profile);
	free(b);
	return 0;
}

static void expect(struct bed *b, const char *told)
{
	assert_string_equal(b->told.bytes != NULL ? b->told.bytes : "", told);
	buf_clear(&b->told);
}

struct shot {
	const char *round, *dst;
	int flow, at_s;
	char sees;      /* d, k border; o other; m mixed; u undetermined; S silent; E error;
			 * Q silence all around */
	int64_t rtt_ms;
};

static void shoot(struct bed *b, const struct shot *s)
{
	struct point_hop hop = {1, b->router};
	struct point p = {.vantage = "fra1",
			  .campaign = "c",
			  .round = s->round,
			  .target = "www",
			  .id = "",
			  .start = {(START_S + s->at_s) * NS_PER_S},
			  .end = {(START_S + s->at_s + 2) * NS_PER_S},
			  .dst = path_addr(s->dst),
			  .method = METHOD_TCP,
			  .reach = s->sees == 'S' || s->sees == 'Q' ? REACH_SILENT : REACH_REACHED,
			  .flow = s->flow,
			  .measured = s->sees != 'E',
			  .judged = true,
			  .outcome = s->sees == 'o'			     ? OUTCOME_OTHER
				     : s->sees == 'm'			     ? OUTCOME_MIXED
				     : s->sees == 'd' || s->sees == 'k'     ? OUTCOME_BORDER
									     : OUTCOME_UNDETERMINED,
			  .border = s->sees == 'd' ? "dandong" : s->sees == 'k' ? "khasan" : "",
			  .confidence = .9,
			  .via_asn = s->sees == 'k' ? 20485 : 4837,
			  .via_org = s->sees == 'k' ? "TTK" : "Unicom",
			  .rtt_min_ns = s->rtt_ms > 0 ? (s->rtt_ms - 1) * MS : -1,
			  .rtt_median_ns = s->rtt_ms > 0 ? s->rtt_ms * MS : -1,
			  .asked = 3,
			  .answered = s->rtt_ms > 0 ? 3 : 0,
			  .reply_ttl = s->rtt_ms > 0 ? 50 : -1,
			  .outside_rtt_ns = s->rtt_ms > 0 ? (s->rtt_ms - 20) * MS : -1,
			  .outside_ttl = 9,
			  .outside = path_addr("188.43.225.153"),
			  .hops = &hop,
			  .hop_count = 1};

	if (s->sees == 'Q')
		hop.node = b->private_router;
	p.prefix = profile_judge_prefix(b->profile, p.dst);
	assert_int_equal(series_point(b->series, &p), 0);
}

static void tell(struct bed *b, const char *id, int planned_s, unsigned missed, uint8_t why,
		 uint8_t health, bool look)
{
	struct round r;

	round_init(&r);
	text_set(r.id, sizeof(r.id), id);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), "fra1");
	r.planned.ns = (START_S + planned_s) * NS_PER_S;
	if (why != ROUND_WHY_DOWN) {
		r.start = r.planned;
		r.end.ns = r.start.ns + 60 * NS_PER_S;
	}
	r.missed = missed;
	r.why = why;
	r.health = health;
	r.look = look;
	assert_int_equal(series_round(b->series, &r), 0);
}

#define A "175.45.176.71"
#define B "175.45.176.75"
#define C "175.45.177.10"

/* What the flows and hosts of a key say together. */
static void what_a_cell_says(void **state)
{
	static const struct {
		const char *sees[2]; /* of hosts A and B, a letter a flow */
		const char *says, *why;
	} rows[] = {
		{{"dd", "d"}, "border:dandong", "all say so"},
		{{"du", "u"}, "border:dandong", "the undetermined do not count"},
		{{"dk", ""}, "mixed", "flows of one host differ"},
		{{"d", "k"}, "mixed", "hosts differ"},
		{{"m", "d"}, "mixed", "a flow alone is mixed"},
		{{"o", "o"}, "other", "a way in that is not named"},
		{{"o", "d"}, "mixed", "other is a way too"},
		{{"uS", "u"}, "undetermined", "none decided"},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char id[16], expected[80];

		snprintf(id, sizeof(id), "r%zu", i);
		for (unsigned h = 0; h < 2; h++) {
			for (int f = 0; rows[i].sees[h][f] != '\0'; f++) {
				struct shot s = {id, h ? B : A, f, (int)i * 900 + f,
						 rows[i].sees[h][f], 100};

				shoot(b, &s);
			}
		}
		buf_clear(&b->told);
		tell(b, id, (int)i * 900, 0, 0, ROUND_HEALTH_OK, false);
		snprintf(expected, sizeof(expected), "measured %s ", rows[i].says);
		if (strstr(b->told.bytes, expected) == NULL)
			fail_msg("%s: %s", rows[i].why, b->told.bytes);
	}
}

static void numbers_of_a_cell(void **state)
{
	static const struct shot shots[] = {
		{"r1", A, 0, 10, 'd', 100}, {"r1", A, 1, 12, 'd', 110}, {"r1", A, 2, 14, 'd', 130},
		{"r1", B, 0, 11, 'u', 200}, {"r1", B, 1, 13, 'S', -1},  {"r1", C, 0, 15, 'k', 300},
	};
	struct bed *b = *state;
	const struct cell *c = &b->last;

	/* Backwards: the order is none. */
	for (size_t i = sizeof(shots) / sizeof(shots[0]); i-- > 0;)
		shoot(b, &shots[i]);
	tell(b, "r1", 0, 0, 0, ROUND_HEALTH_OK, false);
	expect(b, "fra1 175.45.177.0/24 r1 measured border:khasan 15-15 1/1 3/3 @0/0\n"
		  "fra1 175.45.176.0/24 r1 measured border:dandong 10-14 2/2 12/15 @0/0\n");
	assert_int_equal(c->traces, 5);
	assert_int_equal(c->rtt_min_ns, 99 * MS);
	assert_int_equal(c->rtt_median_ns, 155 * MS); /* of 110 and 200 */
	assert_int_equal(c->outside_rtt_ns, 80 * MS);
	assert_int_equal(c->host_count, 2);
	assert_int_equal(b->hosts[0].rtt_median_ns, 110 * MS);
	assert_int_equal(b->hosts[0].traces, 3);
	assert_int_equal(b->hosts[1].reached, 1);
	assert_int_equal(b->hosts[1].outcome, OUTCOME_UNDETERMINED);
	assert_int_equal(c->by_border[0], 3);
	assert_int_equal(c->undetermined, 2);
	assert_int_equal(c->via_asn, 4837);
	assert_int_equal((c->shown.ns / NS_PER_S) - START_S, 12);
	assert_int_equal((c->held.ns / NS_PER_S) - START_S, 14);
	assert_int_equal((c->answered_first.ns / NS_PER_S) - START_S, 12);
	assert_int_equal((c->answered_last.ns / NS_PER_S) - START_S, 14);
	assert_int_equal((c->end.ns / NS_PER_S) - START_S, 60);
	assert_int_equal(c->hop_count, 1);
}

static void a_missed_round_is_a_gap(void **state)
{
	struct bed *b = *state;
	struct shot a = {"r1", A, 0, 1, 'd', 100}, c = {"r1", C, 0, 2, 'd', 100};

	shoot(b, &a);
	shoot(b, &c);
	tell(b, "r1", 0, 0, 0, ROUND_HEALTH_OK, false);
	buf_clear(&b->told);
	tell(b, "r2", 900, 2, ROUND_WHY_DOWN, 0, false);
	expect(b, "fra1 175.45.176.0/24 r2 missed down @900/900\n"
		  "fra1 175.45.177.0/24 r2 missed down @900/900\n");
	/* In part. */
	a.round = "r3";
	a.at_s = 1801;
	shoot(b, &a);
	tell(b, "r3", 1800, 1, ROUND_WHY_OVERRUN, ROUND_HEALTH_OK, false);
	expect(b, "fra1 175.45.176.0/24 r3 measured border:dandong 1801-1801 1/1 3/3 @1800/900\n"
		  "fra1 175.45.177.0/24 r3 missed overrun @1800/900\n");
	/* We were offline: what was measured says nothing. */
	a.round = "r4";
	a.sees = 'S';
	shoot(b, &a);
	tell(b, "r4", 2700, 0, 0, ROUND_HEALTH_OFFLINE, false);
	expect(b, "fra1 175.45.176.0/24 r4 offline vantage_offline @2700/900\n"
		  "fra1 175.45.177.0/24 r4 offline vantage_offline @2700/900\n");
	/* A whole round without it: it is not asked any more, so neither it is missed. */
	a.round = "r5";
	shoot(b, &a);
	tell(b, "r5", 3600, 0, 0, ROUND_HEALTH_OK, false);
	tell(b, "r6", 4500, 9, ROUND_WHY_DOWN, 0, false);
	expect(b, "fra1 175.45.176.0/24 r5 measured undetermined 1801-1801 0/1 3/3 @3600/900\n"
		  "fra1 175.45.176.0/24 r6 missed down @4500/900\n");
}

/* Nobody tells of the round: health is what was heard. */
static void silence_all_around_is_our_own(void **state)
{
	struct bed *b = *state;
	struct shot q = {"r1", A, 0, 1, 'Q', -1}, s = {"r2", A, 0, 901, 'S', -1};

	shoot(b, &q);
	shoot(b, &s);
	assert_int_equal(series_end(b->series), 0);
	expect(b, "fra1 175.45.176.0/24 r1 offline vantage_offline @1/0\n"
		  "fra1 175.45.176.0/24 r2 measured undetermined 901-901 0/1 0/3 @901/900\n");
}

static void a_look_is_told_as_one(void **state)
{
	struct bed *b = *state;
	struct shot r = {"r1", A, 0, 1, 'd', 100}, l = {"x1", A, 0, 30, 'k', 100},
		    c = {"r1", C, 0, 40, 'd', 100};

	shoot(b, &r);
	shoot(b, &l);
	shoot(b, &c);
	tell(b, "x1", 30, 0, 0, ROUND_HEALTH_OK, true);
	expect(b, "fra1 175.45.176.0/24 x1 measured border:khasan 30-30 1/1 3/3 @30/0 look\n");
	tell(b, "r1", 0, 0, 0, ROUND_HEALTH_OK, false);
	expect(b, "fra1 175.45.176.0/24 r1 measured border:dandong 1-1 1/1 3/3 @0/0\n"
		  "fra1 175.45.177.0/24 r1 measured border:dandong 40-40 1/1 3/3 @0/0\n");
}

static void errors_are_gaps(void **state)
{
	struct bed *b = *state;
	struct shot e = {"r1", A, 0, 1, 'E', -1}, c = {"r1", C, 0, 2, 'd', 100};

	shoot(b, &e);
	shoot(b, &c);
	tell(b, "r1", 0, 0, ROUND_WHY_PROBER, ROUND_HEALTH_OK, false);
	expect(b, "fra1 175.45.176.0/24 r1 missed prober @0/0\n"
		  "fra1 175.45.177.0/24 r1 measured border:dandong 2-2 1/1 3/3 @0/0\n");
}

/* Traces without a round: one ends when somebody is asked again, or after a pause. */
static void rounds_are_made(void **state)
{
	static const struct shot shots[] = {
		{"", A, 0, 1, 'd', 100},    {"", A, 1, 2, 'd', 100},  {"", C, 0, 3, 'd', 100},
		{"", A, 0, 301, 'k', 100},  {"", C, 0, 302, 'd', 100}, {"", A, 2, 903, 'd', 100},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(shots) / sizeof(shots[0]); i++)
		shoot(b, &shots[i]);
	series_end(b->series);
	expect(b, "fra1 175.45.176.0/24  measured border:dandong 1-2 1/1 6/6 @1/0\n"
		  "fra1 175.45.177.0/24  measured border:dandong 3-3 1/1 3/3 @1/0\n"
		  "fra1 175.45.176.0/24  measured border:khasan 301-301 1/1 3/3 @301/300\n"
		  "fra1 175.45.177.0/24  measured border:dandong 302-302 1/1 3/3 @301/300\n"
		  "fra1 175.45.176.0/24  measured border:dandong 903-903 1/1 3/3 @903/300\n");
}

/* A round that nobody tells of does not stay open for ever, and is not told twice. */
static void rounds_do_not_pile_up(void **state)
{
	struct bed *b = *state;

	for (int i = 0; i < 5; i++) {
		char id[16];
		struct shot s = {id, A, 0, i * 900 + 5, 'd', 100};

		snprintf(id, sizeof(id), "r%d", i);
		shoot(b, &s);
	}
	expect(b, "fra1 175.45.176.0/24 r0 measured border:dandong 5-5 1/1 3/3 @5/0\n"
		  "fra1 175.45.176.0/24 r1 measured border:dandong 905-905 1/1 3/3 @905/900\n");
	tell(b, "r1", 900, 4, ROUND_WHY_OVERRUN, ROUND_HEALTH_OK, false);
	expect(b, "");
	tell(b, "r3", 2700, 0, 0, ROUND_HEALTH_OK, false);
	expect(b, "fra1 175.45.176.0/24 r2 measured border:dandong 1805-1805 1/1 3/3 @1805/900\n"
		  "fra1 175.45.176.0/24 r3 measured border:dandong 2705-2705 1/1 3/3 @2700/900\n");
	assert_int_equal(series_key_count(b->series), 1);
	assert_string_equal(series_key(b->series, 0)->vantage, "fra1");
	assert_null(series_key(b->series, 1));
	assert_string_equal(series_border(b->series, 2), "other");
	assert_null(series_border(b->series, 3));
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(what_a_cell_says),
		ROW(numbers_of_a_cell),
		ROW(a_missed_round_is_a_gap),
		ROW(silence_all_around_is_our_own),
		ROW(a_look_is_told_as_one),
		ROW(errors_are_gaps),
		ROW(rounds_are_made),
		ROW(rounds_do_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
