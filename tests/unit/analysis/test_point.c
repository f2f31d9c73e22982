// SPDX-License-Identifier: BSD-2-Clause
/* Points: what of a trace they keep, row by row; nodes once; what is not measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analysis/border.h"
#include "analysis/point.h"
#include "tests/unit/analysis/path_text.h"

#define NK "175.45.176.71"
static const struct wall START = {INT64_C(1795341600) * NS_PER_S};

struct bed {
	struct profile *profile;
	struct nodes nodes;
	struct point_room room;
	struct names names;
	struct trace *trace;
	struct verdict verdict;
	struct point point;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->profile = path_profile();
	names_init(&b->names);
	*state = b;
	return nodes_init(&b->nodes);
}

static int teardown(void **state)
{
	struct bed *b = *state;

	free(b->trace);
	names_fini(&b->names);
	point_room_fini(&b->room);
	nodes_fini(&b->nodes);
	profile_free(b->profile);
	free(b);
	return 0;
}

static void take(struct bed *b, const char *dst, const char *path)
{
	struct trace *t;

	free(b->trace);
	names_fini(&b->names);
	names_init(&b->names);
	b->trace = t = path_trace(dst, path, START, &b->names);
	text_set(t->vantage, sizeof(t->vantage), "fra1");
	text_set(t->id, sizeof(t->id), "fra1-x-1");
	border_judge(t, &b->names, b->profile, START, &b->verdict);
	assert_int_equal(point_of_trace(t, &b->names, &b->verdict, b->profile, &b->nodes, &b->room,
					&b->point),
			 0);
}

/* Hops as text: "1:10.0.0.1 7:=" with "=" the destination, "~" behind what is skipped. */
static const char *hops_text(const struct bed *b, char *out, size_t size)
{
	char text[ADDR_TEXT];
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < b->point.hop_count && used < size; i++) {
		const struct node *n = nodes_get(&b->nodes, b->point.hops[i].node);
		bool last = b->point.hops[i].node == NODE_DESTINATION;

		used += (size_t)snprintf(out + used, size - used, "%s%u:%s%s", i ? " " : "",
					 b->point.hops[i].ttl,
					 last ? "=" : addr_format(n->addr, text),
					 n->skipped ? "~" : "");
	}
	return out;
}

static void what_a_point_keeps(void **state)
{
	static const struct {
		const char *path, *hops;
		unsigned asked, answered, last_ttl;
		int64_t min_ms, median_us, outside_ms;
		const char *border, *why;
	} rows[] = {
		{"10.11.0.1 66.110.96.13 219.158.115.122 219.158.39.42 *3 =" NK "|=" NK "|*",
		 "1:10.11.0.1~ 2:66.110.96.13 3:219.158.115.122 4:219.158.39.42 8:=", 3, 2, 8, 81,
		 81500, 41, "dandong", "a private hop is skipped; loss is of the destination's TTL"},
		{"66.110.96.13 219.158.39.42 =" NK " =" NK, "1:66.110.96.13 2:219.158.39.42 3:=", 1,
		 1, 3, 31, 36000, 21, "dandong", "it answers at two TTLs: one hop, cut behind"},
		{"66.110.96.13|63.243.128.121 80.81.193.157 188.43.225.153 *2",
		 "1:66.110.96.13 1:63.243.128.121 2:80.81.193.157~ 3:188.43.225.153", 2, 0, 3, -1,
		 -1, 31, "khasan", "two routers at a TTL, an exchange, and no destination"},
		{"*5", "", 1, 0, 0, -1, -1, -1, "", "silence"},
	};
	struct bed *b = *state;
	char text[400];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct point *p = &b->point;

		take(b, NK, rows[i].path);
		if (strcmp(hops_text(b, text, sizeof(text)), rows[i].hops) != 0)
			fail_msg("%s: %s", rows[i].why, text);
		if (p->asked != rows[i].asked || p->answered != rows[i].answered ||
		    p->last_ttl != rows[i].last_ttl ||
		    p->rtt_min_ns != (rows[i].min_ms < 0 ? -1 : rows[i].min_ms * NS_PER_MS) ||
		    p->rtt_median_ns !=
			    (rows[i].median_us < 0 ? -1 : rows[i].median_us * NS_PER_US) ||
		    p->outside_rtt_ns !=
			    (rows[i].outside_ms < 0 ? -1 : rows[i].outside_ms * NS_PER_MS) ||
		    strcmp(p->border, rows[i].border) != 0)
			fail_msg("%s: asked %u answered %u last %u min %lld median %lld outside "
				 "%lld border %s",
				 rows[i].why, p->asked, p->answered, p->last_ttl,
				 (long long)p->rtt_min_ns, (long long)p->rtt_median_ns,
				 (long long)p->outside_rtt_ns, p->border);
		assert_true(p->measured && p->judged);
		assert_string_equal(p->vantage, "fra1");
		assert_string_equal(p->id, "fra1-x-1");
		assert_int_equal(p->end.ns, START.ns);
	}
}

static void names_and_nodes_are_kept_once(void **state)
{
	struct bed *b = *state;
	const char *vantage;
	uint32_t count;

	take(b, NK, "66.110.96.13 =" NK);
	vantage = b->point.vantage;
	count = b->nodes.intern.count;
	take(b, "175.45.176.75", "66.110.96.13 =175.45.176.75");
	assert_ptr_equal(vantage, b->point.vantage);
	assert_int_equal(count, b->nodes.intern.count);
	assert_int_equal(b->point.last_node, NODE_DESTINATION);
}

static void where_it_belongs(void **state)
{
	struct bed *b = *state;
	char text[PREFIX_TEXT];

	take(b, NK, "66.110.96.13 *");
	assert_string_equal(prefix_format(b->point.prefix, text), "175.45.176.0/24");
	take(b, "213.248.97.173", "66.110.96.13 =213.248.97.173");
	assert_string_equal(prefix_format(b->point.prefix, text), "213.248.97.173/32");
	assert_int_equal(b->point.outcome, OUTCOME_NONE);
}

static void an_error_measures_nothing(void **state)
{
	struct bed *b = *state;
	struct trace *t;

	take(b, NK, "66.110.96.13");
	t = b->trace;
	t->entry_count = 0;
	t->stop = STOP_ERROR;
	t->end.ns = START.ns + 5;
	assert_int_equal(point_of_trace(t, NULL, NULL, b->profile, &b->nodes, &b->room, &b->point),
			 0);
	assert_false(b->point.measured);
	assert_false(b->point.judged);
	assert_int_equal(b->point.outcome, OUTCOME_UNDETERMINED);
	assert_int_equal(b->point.end.ns, START.ns + 5);
	assert_string_equal(b->point.border, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_point_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(names_and_nodes_are_kept_once, setup, teardown),
		cmocka_unit_test_setup_teardown(where_it_belongs, setup, teardown),
		cmocka_unit_test_setup_teardown(an_error_measures_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
