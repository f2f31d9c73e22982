// SPDX-License-Identifier: BSD-2-Clause
/* What changed: sets of paths over flows, never one flow against another; small samples say so. */
#include "tests/unit/analysis/diff_bed.h"

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
	assert_string_equal(d.why, "no traces on either side");
	diff_fini(&d);
	add(t, false, DANDONG, 0);
	compute(t, &d);
	assert_string_equal(d.why, "no traces on one side");
	diff_fini(&d);
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
	assert_string_equal(d.why, "no border could be compared: undetermined, too uncertain, or too few traces");
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
	t->before.nameless = t->after.nameless = true;
	compute(t, &d);
	assert_int_equal(d.rows[0].path, DIFF_CHANGED);
	assert_int_equal(d.rows[0].path_level, DIFF_LEVEL_HOP);
	diff_fini(&d);
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
		cmocka_unit_test_setup_teardown(test_reachability, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trouble, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter_far_from_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_database, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
