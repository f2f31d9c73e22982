// SPDX-License-Identifier: BSD-2-Clause
/* What a run will cost: probes and time by hand, and which cap binds. Sends nothing. */
#include "cli/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/trace_plan.h"
#include "core/text.h"

struct asked {
	const char *words[4];
	const char *avoid; /* a prefix, or NULL */
	unsigned attempts, flows;
	uint32_t rate, prefix, router; /* 0: none */
};

/* Plans in the way the command does, without files: nothing of this machine's own is read. */
static void plan(struct trace_plan *p, struct trace_options *o, const struct asked *a)
{
	struct prefix prefix;

	*o = (struct trace_options){.flow_count = a->flows};
	plan_run_defaults(&o->run);
	plan_trace_defaults(&o->each);
	o->each.attempts = (uint8_t)a->attempts;
	o->run.rate_pps = a->rate;
	o->run.prefix_mpps = a->prefix * 1000;
	o->run.router_pps = a->router;
	trace_plan_init(p, o);
	for (int i = 0; a->words[i] != NULL; i++)
		assert_int_equal(targets_add(&p->targets, a->words[i], 0, NULL), 0);
	if (a->avoid != NULL) {
		assert_int_equal(prefix_parse(a->avoid, &prefix), 0);
		assert_int_equal(prefixset_add(&p->avoid, prefix), 0);
		prefixset_settle(&p->avoid);
	}
	assert_int_equal(trace_plan_settle(p), 0);
}

static void costs(void **state)
{
	static const struct {
		const char *why;
		struct asked asked;
		uint64_t paths, least, usual, most;
		double usual_s; /* -1: no cap */
		int bound;
		uint32_t networks;
		uint64_t busiest;
	} rows[] = {
		{"one target, within all bursts", {{"10.0.0.1"}, NULL, 1, 1, 100, 25, 5},
		 1, 1, 15, 32, 0, BOUND_NONE, 1, 1},
		{"the cap of its network: (45 - 40) / 25", {{"10.0.0.1"}, NULL, 3, 1, 100, 25, 5},
		 1, 3, 45, 96, 0.2, BOUND_PREFIX, 1, 1},
		{"a /24: 256 x 15 into one network", {{"10.0.0.0/24"}, NULL, 1, 1, 100, 25, 5},
		 256, 256, 3840, 8192, 152, BOUND_PREFIX, 1, 256},
		{"a /16: each asks the first router once", {{"10.0.0.0/16"}, NULL, 1, 1, 100, 25, 5},
		 65536, 65536, 983040, 2097152, 13106, BOUND_ROUTER, 256, 256},
		{"a /16 without caps but the run's", {{"10.0.0.0/16"}, NULL, 1, 1, 1000, 0, 0},
		 65536, 65536, 983040, 2097152, 983, BOUND_RATE, 256, 256},
		{"no cap at all", {{"10.0.0.0/24"}, NULL, 1, 1, 0, 0, 0},
		 256, 256, 3840, 8192, -1, BOUND_NONE, 1, 256},
		{"flows are paths", {{"10.0.0.0/30"}, NULL, 2, 4, 100, 0, 0},
		 16, 32, 480, 1024, 4.4, BOUND_RATE, 1, 16},
		{"half of it is not to be probed", {{"10.0.0.0/23"}, "10.0.0.0/24", 1, 1, 100, 0, 0},
		 256, 256, 3840, 8192, 38, BOUND_RATE, 1, 256},
		{"parts of one network add up", {{"10.0.0.0/26", "10.0.1.1", "10.0.0.128/26"}, NULL, 1, 1,
		 100, 0, 0}, 129, 129, 1935, 4128, 18.95, BOUND_RATE, 2, 128},
		{"IPv6 networks are /48", {{"2001:db8::/120", "2001:db8:0:1::/120", "2001:db8:1::1"}, NULL,
		 1, 1, 100, 0, 0}, 513, 513, 7695, 16416, 76.55, BOUND_RATE, 2, 512},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trace_options o;
		struct trace_plan p;
		struct forecast f;
		double off;

		plan(&p, &o, &rows[i].asked);
		assert_int_equal(trace_plan_forecast(&p, &p.avoid, &f), 0);
		off = f.seconds[CASE_USUAL] - rows[i].usual_s;
		if (f.paths != rows[i].paths || f.probes[CASE_LEAST] != rows[i].least ||
		    f.probes[CASE_USUAL] != rows[i].usual || f.probes[CASE_MOST] != rows[i].most ||
		    off > 0.01 || off < -0.01 || f.bound[CASE_USUAL] != rows[i].bound)
			fail_msg("%s: %llu paths, %llu probes, %.2f s, %s", rows[i].why,
				 (unsigned long long)f.paths,
				 (unsigned long long)f.probes[CASE_USUAL], f.seconds[CASE_USUAL],
				 word_of(forecast_bound_words, f.bound[CASE_USUAL]));
		assert_int_equal(f.network_count, rows[i].networks);
		assert_int_equal(f.networks[f.busiest].paths, rows[i].busiest);
		for (int c = 1; c < CASES; c++) {
			assert_true(f.probes[c] >= f.probes[c - 1]);
			assert_true(f.seconds[c] >= f.seconds[c - 1]);
		}
		forecast_fini(&f);
		trace_plan_fini(&p);
	}
}

/* The plan leaves out what is on the list, says so once, and counts each path once. */
static void plan_without_what_is_avoided(void **state)
{
	static const struct asked asked = {{"10.0.0.0/24"}, "10.0.0.64/26", 1, 2, 100, 25, 5};
	struct trace_options o;
	struct trace_plan p;
	struct plan_trace t;
	struct buf lines;
	uint64_t paths = 0;

	(void)state;
	plan(&p, &o, &asked);
	assert_int_equal(p.avoided, 64);
	assert_int_equal(p.paths, 2 * 192);
	assert_true(p.bulk);
	buf_init(&lines);
	trace_plan_avoid(&p, &lines);
	trace_plan_avoid(&p, &lines);
	assert_string_equal(lines.bytes, "avoid prefix=10.0.0.64/26\n");
	buf_fini(&lines);
	while (trace_plan_next(&p, &t)) {
		assert_null(prefixset_find(&p.avoid, t.dst));
		assert_true(trace_plan_has(&p, t.dst));
		assert_int_equal(t.seq, ++paths);
		assert_int_equal(t.flow, (paths - 1) % 2);
		assert_int_equal(trace_plan_target(&p, t.seq), (paths - 1) / 2);
		assert_string_equal(t.target, "10.0.0.0/24");
	}
	assert_int_equal(paths, p.paths);
	assert_int_equal(p.planned, p.paths);
	assert_false(trace_plan_next(&p, &t));
	trace_plan_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs),
		cmocka_unit_test(plan_without_what_is_avoided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
