// SPDX-License-Identifier: BSD-2-Clause
/* What changed: sets of paths over flows, never one flow against another; small samples say so. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "analysis/border.h"
#include "analysis/diff.h"
#include "analysis/diff_stats.h"
#include "tests/unit/analysis/path_text.h"

#define NK "175.45.176.71"
#define UP "10.11.0.1 66.110.96.13 63.243.128.121 "
#define DANDONG UP "219.158.115.122 219.158.102.214 219.158.39.42 *3 =" NK
#define KHASAN UP "80.81.193.157 217.150.57.98 10.99.99.9 188.43.225.153 *3 =" NK

static const int64_t BEFORE_NS = INT64_C(1795341600) * NS_PER_S;
static const int64_t AFTER_NS = INT64_C(1795345200) * NS_PER_S;

enum { ROOM = 64 };

/* One side: traces with their names and verdicts. */
struct side {
	struct diff_item items[ROOM];
	struct trace *traces[ROOM];
	struct names names[ROOM];
	struct verdict verdicts[ROOM];
	unsigned count;
};

struct two {
	struct profile *profile;
	struct side before, after;
};

static int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	t->profile = path_profile();
	*state = t;
	return 0;
}

static void side_clear(struct side *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		free(s->traces[i]);
		names_fini(&s->names[i]);
	}
	s->count = 0;
}

static int teardown(void **state)
{
	struct two *t = *state;

	side_clear(&t->before);
	side_clear(&t->after);
	profile_free(t->profile);
	free(t);
	return 0;
}

/* Adds a trace of a flow (-1: not known) from a vantage point. */
static struct trace *add_from(struct two *t, bool after, const char *vantage, const char *dst,
			      const char *path, int flow)
{
	struct side *s = after ? &t->after : &t->before;
	unsigned i = s->count++;
	struct wall start = {(after ? AFTER_NS : BEFORE_NS) + i * NS_PER_S};
	struct trace *x;

	assert_true(i < ROOM);
	names_init(&s->names[i]);
	x = path_trace(dst, path, start, &s->names[i]);
	text_set(x->vantage, sizeof(x->vantage), vantage);
	x->flow = flow;
	x->sport = flow < 0 ? -1 : 33000 + flow;
	if (x->reach == REACH_UNKNOWN)
		x->reach = REACH_SILENT;
	border_judge(x, &s->names[i], t->profile, start, &s->verdicts[i]);
	s->traces[i] = x;
	s->items[i] = (struct diff_item){x, &s->names[i], &s->verdicts[i]};
	return x;
}

static struct trace *add(struct two *t, bool after, const char *path, int flow)
{
	return add_from(t, after, "fra1", NK, path, flow);
}

static void compute(struct two *t, struct diff *d)
{
	assert_int_equal(diff_compute(t->before.items, t->before.count, t->after.items,
				      t->after.count, t->profile, d),
			 0);
}

static void test_nothing_changed(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, DANDONG, 0);
	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	assert_int_equal(d.row_count, 1);
	assert_int_equal(d.rows[0].border, DIFF_SAME);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.rows[0].reach, DIFF_SAME);
	assert_int_equal(d.rows[0].prefix.len, 24);
	assert_int_equal(d.networks_of, 4);
	diff_fini(&d);
}

static void test_border_switch(void **state)
{
	struct two *t = *state;
	const struct diff_move *m;
	struct diff d;

	add(t, false, DANDONG, 0);
	add_from(t, false, "fra1", "175.45.178.3",
		 UP "219.158.1.1 219.158.1.2 *3 =175.45.178.3", 0);
	add_from(t, false, "sin1", NK, DANDONG, 0);
	add(t, true, KHASAN, 0);
	add_from(t, true, "fra1", "175.45.178.3", UP "188.43.1.1 188.43.1.2 *3 =175.45.178.3", 0);
	add_from(t, true, "sin1", NK, DANDONG, 0);
	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	assert_int_equal(d.row_count, 3);
	assert_int_equal(d.rows[0].border, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path_level, DIFF_LEVEL_AS);
	assert_int_equal(d.rows[2].border, DIFF_SAME);
	assert_int_equal(d.move_count, 1);
	m = &d.moves[0];
	assert_string_equal(m->from, "dandong");
	assert_string_equal(m->to, "khasan");
	assert_int_equal(m->from_asn, 4837);
	assert_int_equal(m->to_asn, 20485);
	assert_string_equal(m->to_org, "TransTeleCom");
	assert_int_equal(m->prefix_count, 2);
	assert_int_equal(m->vantages, 1);
	assert_int_equal(m->vantages_of, 2);
	assert_true(m->not_before.ns < m->not_after.ns);
	assert_int_equal(d.rows[0].before.as_path[1], 4837);
	assert_int_equal(d.rows[0].after.as_path[1], 20485); /* the exchange is no network */
	diff_fini(&d);
}

static void test_silence_is_no_change(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, "10.11.0.1 * 63.243.128.121 219.158.115.122 * 219.158.39.42 *3 =" NK, 0);
	/* The carrier's first hops are silent: its place could be anybody's. */
	add(t, false, DANDONG, 1);
	add(t, true, UP "* * 219.158.39.42 *3 =" NK, 1);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
}

static void test_carrier_gone_silent_is_no_switch(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* The verdict turns to `other`, for want of the carrier's answers: silence explains it. */
	add(t, false, UP "219.158.1.1 219.158.1.2 =" NK, 0);
	add(t, true, UP "* * =" NK, 0);
	assert_int_equal(t->after.verdicts[0].outcome, OUTCOME_OTHER);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.rows[0].border, DIFF_TOO_FEW);
	assert_int_equal(d.rows[0].changed, false);
	assert_int_equal(d.move_count, 0);
	diff_fini(&d);
}

static void test_switch_seen_by_other_flows(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, DANDONG, -1);
	add(t, true, KHASAN, -1);
	compute(t, &d);
	assert_int_equal(d.rows[0].border, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	diff_fini(&d);
}

static void test_load_balancing_is_no_change(void **state)
{
	struct two *t = *state;
	char path[256];
	struct diff d;

	/* A four-way diamond of two hops; other flows after, so other members are seen. */
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), UP "219.158.1.%d 219.158.2.%d 219.158.39.42 *3 =" NK,
			 i % 4, i % 4);
		add(t, false, path, i);
		snprintf(path, sizeof(path), UP "219.158.1.%d 219.158.2.%d 219.158.39.42 *3 =" NK,
			 (i + 1) % 4, (i + 1) % 4);
		add(t, true, path, 100 + i);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
}

static void test_one_flow_is_not_another(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, UP "219.158.1.1 219.158.2.1 219.158.39.42 *3 =" NK, 7);
	add(t, true, UP "219.158.1.2 219.158.2.2 219.158.39.42 *3 =" NK, 8);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_TOO_FEW);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
	side_clear(&t->before);
	side_clear(&t->after);
	/* The same flow through other routers has moved. */
	add(t, false, UP "219.158.1.1 219.158.2.1 219.158.39.42 *3 =" NK, 7);
	add(t, true, UP "219.158.1.2 219.158.2.2 219.158.39.42 *3 =" NK, 7);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path_level, DIFF_LEVEL_HOP);
	assert_int_equal(d.rows[0].path_ttl, 4);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	diff_fini(&d);
}

/* What a trace inherits is another's answer: two hops of it are no path of its own. */
static void test_inherited_hops_are_no_witness(void **state)
{
	static const char was[] = UP "219.158.1.1 219.158.2.1 219.158.39.42 *3 =" NK;
	static const char is[] = UP "219.158.1.2 219.158.2.2 219.158.39.42 *3 =" NK;
	struct two *t = *state;
	struct trace *x = add(t, false, was, 7);
	struct diff d;

	add(t, true, is, 7);
	for (uint32_t i = 0; x->entries[i].ttl < 6; i++)
		x->entries[i].reply.flags |= REPLY_INHERITED;
	compute(t, &d);
	assert_int_not_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
}

static void test_flows_that_are_not_kept_together(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* Per-packet balancing: one flow shows two routers at a TTL, so the TTL says nothing. */
	add(t, false, UP "219.158.1.1|219.158.1.2 219.158.2.1|219.158.2.2 219.158.39.42 =" NK, 7);
	add(t, true, UP "219.158.1.3|219.158.1.4 219.158.2.3|219.158.2.4 219.158.39.42 =" NK, 7);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	diff_fini(&d);
}

static void test_one_router_with_another_address_is_no_path(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, UP "219.158.1.1 219.158.2.1 219.158.39.42 *3 =" NK, 7);
	add(t, true, UP "219.158.1.1 219.158.2.9 219.158.39.42 *3 =" NK, 7);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	diff_fini(&d);
}

static void test_some_flows_moved(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* Other flows after; half of them through a network that sixteen flows had not shown. */
	for (int i = 0; i < 16; i++) {
		add(t, false, DANDONG, i);
		add(t, true, i % 2 ? DANDONG : KHASAN, 100 + i);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.rows[0].border, DIFF_CHANGED);
	assert_int_equal(d.rows[0].after.verdict.outcome, OUTCOME_MIXED);
	assert_string_equal(d.moves[0].to, "mixed");
	diff_fini(&d);
	/* The same with two flows a side proves nothing. */
	side_clear(&t->before);
	side_clear(&t->after);
	for (int i = 0; i < 2; i++) {
		add(t, false, DANDONG, i);
		add(t, true, i % 2 ? DANDONG : KHASAN, 100 + i);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_TOO_FEW);
	assert_int_equal(d.rows[0].border, DIFF_TOO_FEW);
	diff_fini(&d);
}

/* Sets the delays of all destination replies. */
static void delay(struct trace *x, int64_t ns)
{
	for (uint32_t i = 0; i < x->entry_count; i++) {
		if (trace_entry_is_destination(x, &x->entries[i]))
			x->entries[i].reply.rtt_ns = ns;
	}
}

static void test_delay(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), (280 + i % 3) * NS_PER_MS);
		delay(add(t, true, DANDONG, i), (184 + i % 3) * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_CHANGED);
	assert_int_equal(d.rows[0].before.rtt_median_ns, 281 * NS_PER_MS);
	assert_int_equal(d.rows[0].after.rtt_min_ns, 184 * NS_PER_MS);
	assert_int_equal(d.rows[0].shift_ns, -96 * NS_PER_MS);
	assert_true(d.rows[0].shift_low_ns >= -98 * NS_PER_MS);
	assert_true(d.rows[0].shift_high_ns <= -94 * NS_PER_MS);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	diff_fini(&d);
	t->before.count = t->after.count = 3; /* of each side the first three: too few to tell */
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_TOO_FEW);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	t->before.count = t->after.count = 8;
	diff_fini(&d);
}

static void test_delay_noise_is_no_shift(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 12; i++) {
		delay(add(t, false, DANDONG, i), (280 + i * 7 % 11) * NS_PER_MS);
		delay(add(t, true, DANDONG, i), (280 + i * 5 % 11) * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	diff_fini(&d);
}

/* Two moments whose own samples agree to the microsecond still differ by the load of the hour. */
static void test_delay_of_the_hour_is_none(void **state)
{
	struct two *t = *state;
	struct diff d;

	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), 280 * NS_PER_MS + i * NS_PER_US);
		delay(add(t, true, DANDONG, i), 285 * NS_PER_MS + i * NS_PER_US);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	diff_fini(&d);
	for (int i = 0; i < 8; i++)
		delay(t->after.traces[i], 287 * NS_PER_MS + i * NS_PER_US);
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_CHANGED);
	diff_fini(&d);
}

static void test_delay_of_another_host_is_another_thing(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* After, a farther host of the same prefix joins: the prefix did not slow down. */
	for (int i = 0; i < 8; i++) {
		delay(add(t, false, DANDONG, i), 280 * NS_PER_MS);
		delay(add(t, true, DANDONG, i), 280 * NS_PER_MS);
		delay(add_from(t, true, "fra1", "175.45.176.80",
			       UP "219.158.115.122 219.158.102.214 219.158.39.42 *3 =175.45.176.80",
			       i),
		      400 * NS_PER_MS);
	}
	compute(t, &d);
	assert_int_equal(d.rows[0].rtt, DIFF_SAME);
	assert_int_equal(d.rows[0].after.rtt_n, 8);
	assert_int_equal(d.target_count, 2);
	diff_fini(&d);
}

static void test_reachability(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, UP "219.158.115.122 219.158.102.214 219.158.39.42 *5", 0);
	compute(t, &d);
	assert_int_equal(d.rows[0].reach, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.rows[0].rtt, DIFF_UNKNOWN);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	diff_fini(&d);
	/* One lost of three is chance. */
	add(t, false, DANDONG, 1);
	add(t, false, DANDONG, 2);
	add(t, true, DANDONG, 1);
	add(t, true, DANDONG, 2);
	compute(t, &d);
	assert_int_equal(d.rows[0].reach, DIFF_TOO_FEW);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
}

static void test_trouble(void **state)
{
	struct two *t = *state;
	struct diff d;

	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_TROUBLE);
	assert_string_equal(d.why, "no traces on one side");
	diff_fini(&d);
	add(t, false, DANDONG, 0);
	add_from(t, true, "sin1", NK, DANDONG, 0);
	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_TROUBLE);
	assert_int_equal(d.only_before, 1);
	assert_int_equal(d.only_after, 1);
	diff_fini(&d);
	side_clear(&t->after);
	add(t, true, UP "*5", 0);
	compute(t, &d);
	assert_int_equal(d.rows[0].border, DIFF_UNKNOWN);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED); /* it answered, and does not any more */
	diff_fini(&d);
	side_clear(&t->before);
	add(t, false, UP "*5", 0);
	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_TROUBLE);
	assert_string_equal(d.why, "no border could be compared: undetermined, or too few traces");
	diff_fini(&d);
}

static void test_filter_far_from_its_place(void **state)
{
	struct two *t = *state;
	struct diff d;

	/* The filter answers at other TTLs each time: it is one hop, at its first. */
	add(t, false, UP "219.158.1.1 219.158.1.2 219.158.39.42!X * 219.158.39.42!X *3", 0);
	add(t, true, UP "219.158.1.1 219.158.1.2 219.158.39.42!X *3 219.158.39.42!X *", 0);
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_SAME);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	diff_fini(&d);
}

static void test_without_a_database(void **state)
{
	struct two *t = *state;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, KHASAN, 0);
	t->before.items[0].names = t->after.items[0].names = NULL;
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path_level, DIFF_LEVEL_HOP);
	diff_fini(&d);
}

static void test_json(void **state)
{
	struct two *t = *state;
	struct diff d;
	struct buf out;
	json_t *j, *row;

	add(t, false, DANDONG, 0);
	add(t, true, KHASAN, 0);
	compute(t, &d);
	buf_init(&out);
	diff_write_json(&out, &d);
	assert_false(out.failed);
	assert_int_equal(out.bytes[out.used - 1], '\n');
	j = json_loadb(out.bytes, out.used, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "type")), "diff");
	assert_true(json_is_true(json_object_get(j, "comparable")));
	row = json_array_get(json_object_get(j, "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "prefix")), "175.45.176.0/24");
	assert_string_equal(json_string_value(json_object_get(row, "border")), "changed");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(row, "after"), "border")),
		"khasan");
	json_decref(j);
	buf_fini(&out);
	diff_fini(&d);
}

/* A set compared with itself has not changed, whatever it is; and no set is too odd to compare. */
static void test_any_set(void **state)
{
	struct two *t = *state;
	uint32_t seed = 20261122;
	char path[1024];

	for (int round = 0; round < 400; round++) {
		struct diff d;
		struct buf out;

		for (int i = 0; i < 6; i++) {
			path_random(&seed, path, sizeof(path));
			add(t, false, path, i % 4 - 1);
			if (round % 2 != 0)
				path_random(&seed, path, sizeof(path));
			add(t, true, path, i % 4 - 1);
		}
		compute(t, &d);
		if (round % 2 == 0 && d.result == DIFF_RESULT_CHANGED)
			fail_msg("%s: a set differs from itself", path);
		buf_init(&out);
		diff_write_json(&out, &d);
		assert_false(out.failed);
		buf_fini(&out);
		diff_fini(&d);
		side_clear(&t->before);
		side_clear(&t->after);
	}
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void test_fisher(void **state)
{
	(void)state;
	/* Fisher's tea, and a textbook table (R: fisher.test). */
	assert_true(fabs(fisher_p(3, 1, 1, 3) - 0.485714) < 1e-5);
	assert_true(fabs(fisher_p(8, 2, 1, 5) - 0.034965) < 1e-5);
	assert_true(fabs(fisher_p(4, 0, 0, 4) - 2. / 70) < 1e-9);
	assert_true(fabs(fisher_p(3, 0, 0, 3) - .1) < 1e-9);
	assert_true(fisher_p(0, 0, 3, 4) == 1);
	assert_true(fisher_p(5, 0, 7, 0) == 1);
}

static void test_shift(void **state)
{
	/* Hollander and Wolfe, example 4.1, in hundredths: R's wilcox.test gives -30.5. */
	static const int64_t x[] = {80, 83, 189, 104, 145, 138, 191, 164, 73, 146};
	static const int64_t y[] = {115, 88, 90, 74, 121};
	struct rtt_stratum s[2] = {{x, y, 10, 5}, {0}};
	struct rtt_shift shift;

	(void)state;
	assert_int_equal(rtt_shift_of(s, 2, &shift), 0);
	assert_int_equal(shift.estimate_ns, -30); /* of -31 and -30 */
	assert_true(shift.enough);
	assert_true(shift.low_ns > -90 && shift.low_ns < -60);
	assert_true(shift.high_ns < 30 && shift.high_ns > 0);
	s[0].before_count = s[0].after_count = 3;
	assert_int_equal(rtt_shift_of(s, 1, &shift), 0);
	assert_false(shift.enough);
	s[0].before_count = 0;
	assert_int_equal(rtt_shift_of(s, 1, &shift), 0);
	assert_int_equal(shift.estimate_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_border_switch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_is_no_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_carrier_gone_silent_is_no_switch, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_switch_seen_by_other_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_balancing_is_no_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_flow_is_not_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_inherited_hops_are_no_witness, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_flows_that_are_not_kept_together, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_one_router_with_another_address_is_no_path,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_some_flows_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_noise_is_no_shift, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_of_the_hour_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay_of_another_host_is_another_thing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_reachability, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trouble, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_far_from_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_set, setup, teardown),
		cmocka_unit_test(test_fisher),
		cmocka_unit_test(test_shift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
