// SPDX-License-Identifier: BSD-2-Clause
/*
 * How things stand, fed round by round: since when a verdict stands, and what counts as a change.
 * Each row is a history; its last round is what is asked about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analysis/standing.h"

/* A trace of round n (minutes after an arbitrary start): border letter (D, K; u undetermined, ! not
 * measured), RTT in ms (0: silent), and who answered at TTL 1 and 2 as last bytes (0: nobody). */
struct step { char border; int ms; uint8_t hop1, hop2; };

enum { STEPS = 5 };

static const struct {
	const char *why;
	struct step step[STEPS];
	int since;          /* the round it stands since */
	bool open;
	const char *border, *was;
	unsigned changed;
} rows[] = {
	{"one round: it may have stood before", {{'D', 280, 1, 2}}, 0, true, "dandong", "", 0},
	{"nothing changes", {{'D', 280, 1, 2}, {'D', 281, 1, 2}}, 0, true, "dandong", "", 0},
	{"a switch", {{'D', 280, 1, 2}, {'K', 280, 1, 2}}, 1, false, "khasan", "dandong", STANDING_BORDER},
	{"a round later it is no news", {{'D', 280, 1, 2}, {'K', 280, 1, 2}, {'K', 280, 1, 2}}, 1, false,
	 "khasan", "dandong", 0},
	{"undetermined in between ends nothing",
	 {{'D', 280, 1, 2}, {'u', 280, 1, 2}, {'D', 280, 1, 2}}, 0, true, "dandong", "", 0},
	{"undetermined is told since when, and is no switch", {{'D', 280, 1, 2}, {'u', 280, 1, 2}}, 1,
	 false, "", "dandong", 0},
	{"a switch behind it is one", {{'D', 280, 1, 2}, {'u', 280, 1, 2}, {'K', 280, 1, 2}}, 2, false,
	 "khasan", "dandong", STANDING_BORDER},
	{"what was not measured says nothing", {{'D', 280, 1, 2}, {'!', 0, 0, 0}, {'D', 280, 1, 2}}, 0,
	 true, "dandong", "", 0},
	{"there and back", {{'D', 280, 1, 2}, {'K', 280, 1, 2}, {'D', 280, 1, 2}}, 2, false, "dandong",
	 "khasan", STANDING_BORDER},
	{"a silent hop is no other path", {{'D', 280, 1, 2}, {'D', 280, 1, 0}}, 0, true, "dandong", "", 0},
	{"another router is", {{'D', 280, 1, 2}, {'D', 280, 1, 3}}, 0, true, "dandong", "", STANDING_PATH},
	{"no longer answers", {{'D', 280, 1, 2}, {'D', 0, 1, 2}}, 0, true, "dandong", "", STANDING_REACH},
	{"answers again", {{'D', 0, 1, 2}, {'D', 280, 1, 2}}, 0, true, "dandong", "", STANDING_REACH},
	{"noise of 5 ms", {{'D', 20, 1, 2}, {'D', 25, 1, 2}}, 0, true, "dandong", "", 0},
	{"noise of a 20th", {{'D', 280, 1, 2}, {'D', 290, 1, 2}}, 0, true, "dandong", "", 0},
	{"a step of the RTT", {{'D', 280, 1, 2}, {'D', 186, 1, 2}}, 0, true, "dandong", "", STANDING_RTT},
};

static struct addr v4(uint8_t last)
{
	const uint8_t bytes[4] = {203, 0, 113, last};

	return addr_v4(bytes);
}

static int64_t moment(int round)
{
	return INT64_C(1000000) * NS_PER_S + round * 60 * NS_PER_S;
}

static void hop(struct trace *t, uint8_t ttl, uint8_t last)
{
	struct trace_entry *e = &t->entries[t->entry_count++];

	trace_entry_init(e, ttl, 1);
	e->why = last ? WHY_NONE : WHY_TIMEOUT;
	e->reply.from = last ? v4(last) : (struct addr){0};
	e->reply.icmp_type = 11;
}

static struct trace *trace_of(const struct step *s, int round, uint8_t dst, int flow)
{
	struct trace *t = trace_new(4);

	assert_non_null(t);
	t->dst = v4(dst);
	t->method = METHOD_TCP;
	t->dport = 80;
	t->flow = flow;
	t->start.ns = moment(round);
	snprintf(t->round, sizeof(t->round), "r%d", round);
	t->stop = s->border == '!' ? STOP_ERROR : STOP_REACHED;
	t->reach = s->ms > 0 ? REACH_REACHED : REACH_SILENT;
	hop(t, 1, s->hop1);
	hop(t, 2, s->hop2);
	if (s->ms > 0) {
		hop(t, 3, dst);
		t->entries[2].reply.icmp_type = -1;
		t->entries[2].reply.tcp_flags = 0x12;
		t->entries[2].reply.rtt_ns = s->ms * NS_PER_MS;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

static void give(struct standing *s, const struct step *step, int round, uint8_t dst, int flow)
{
	struct verdict v = {.judged = true, .outcome = OUTCOME_BORDER, .confidence = 0.97};
	struct trace *t = trace_of(step, round, dst, flow);

	if (step->border == 'u' || step->border == '!')
		v.outcome = OUTCOME_UNDETERMINED;
	else
		text_set(v.border, sizeof(v.border), step->border == 'D' ? "dandong" : "khasan");
	standing_take(s, t, &v);
	free(t);
}

static void histories(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct standing s = {0};
		const struct standing_row *r;

		for (int n = 0; n < STEPS && rows[i].step[n].border != '\0'; n++)
			give(&s, &rows[i].step[n], n, 9, 0);
		assert_int_equal(s.count, 1);
		r = &s.rows[0];
		if (r->span.since.ns != moment(rows[i].since) ||
		    r->span.open != rows[i].open)
			fail_msg("%s: since %lld", rows[i].why, (long long)(r->span.since.ns / NS_PER_S));
		if (r->changed != rows[i].changed)
			fail_msg("%s: changed %x", rows[i].why, r->changed);
		if (strcmp(r->span.border, rows[i].border) != 0 ||
		    (r->changed & STANDING_BORDER && strcmp(r->was.border, rows[i].was) != 0))
			fail_msg("%s: %s, was %s", rows[i].why, r->span.border, r->was.border);
		standing_fini(&s);
	}
}

/* Flows of one round are one row: the quickest one's times, and mixed where they disagree. */
static void flows_together(void **state)
{
	static const struct step slow = {'D', 280, 1, 2}, quick = {'K', 186, 1, 3};
	struct standing s = {0};

	(void)state;
	give(&s, &slow, 0, 9, 0);
	give(&s, &quick, 0, 9, 1);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.rows[0].now.flows, 2);
	assert_int_equal(s.rows[0].now.outcome, OUTCOME_MIXED);
	assert_int_equal(s.rows[0].now.rtt_median_ns, 186 * NS_PER_MS);
	/* In the next round the other flow comes first: the same path, the same verdict. */
	give(&s, &quick, 1, 9, 1);
	give(&s, &slow, 1, 9, 0);
	assert_int_equal(s.rows[0].changed, 0);
	assert_int_equal(s.rows[0].span.outcome, OUTCOME_MIXED);
	assert_true(s.rows[0].span.open);
	standing_fini(&s);
}

/* A sweep larger than the room: counted, not kept; and rows are found again. */
static void bounded(void **state)
{
	struct standing s = {0};
	const struct step step = {'D', 280, 1, 2};

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < STANDING_ROWS_MAX + 10; i++) {
			struct trace *t = trace_of(&step, round, 9, 0);

			t->dst.bytes[1] = (uint8_t)(i >> 8);
			t->dst.bytes[2] = (uint8_t)i;
			standing_take(&s, t, NULL);
			free(t);
		}
	}
	assert_int_equal(s.count, STANDING_ROWS_MAX);
	assert_int_equal(s.beyond, 20);
	for (unsigned i = 0; i < s.count; i++)
		assert_string_equal(s.rows[i].round, "r1");
	assert_false(standing_bounded(&s, "r1"));
	assert_true(standing_bounded(&s, "r0"));
	standing_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(histories),
		cmocka_unit_test(flows_together),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
