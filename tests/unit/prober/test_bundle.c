// SPDX-License-Identifier: BSD-2-Clause
/*
 * A multipath target as flights: what is begun, what is asked, and the records that come of it,
 * over a scripted diamond: r1 - {r2, r3 by the flow's number} - the destination.
 */
#include "prober/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "prober/target.h"
#include "tests/unit/prober/bed.h"

enum { SLOTS = 64, STEPS_MAX = 2000 };

struct diamond {
	struct bed bed;
	struct bundle *bundle;
	struct plan_run run;
	struct steps steps;
	struct record_run record;
	unsigned flows_at_most; /* 0: as many as wanted */
	unsigned stop_after;    /* probes; 0: never */
	unsigned probes;
};

static struct flight *begin(struct diamond *d, uint16_t flow)
{
	struct plan_trace plan = bundle_plan(d->bundle, flow);
	struct probe_packet packet;
	struct flight *f;
	struct flow fl;

	method_flow(METHOD_UDP, bed_addr("192.0.2.100"), plan.dst, 0, 42, plan.flow, 0, &fl);
	assert_int_equal(method_row(METHOD_UDP, 4)->build(&fl, &packet, NULL), 0);
	f = flight_begin(&d->bed.fs, &plan, &fl, &packet, d->bed.now, d->bed.wall);
	assert_non_null(f);
	bundle_add(d->bundle, f, flow);
	return f;
}

static void diamond_init(struct diamond *d)
{
	struct plan_trace plan;

	memset(d, 0, sizeof(*d));
	plan_run_defaults(&d->run);
	memcpy(d->run.vantage, "lab", 4);
	d->bed.now.ns = BED_T0 * NS_PER_S;
	d->bed.wall.ns = BED_W0 * NS_PER_S;
	assert_int_equal(flights_init(&d->bed.fs, SLOTS, bed_key), 0);
	plan_trace_defaults(&plan);
	plan.seq = 3;
	plan.dst = bed_addr("198.51.100.7");
	plan.method = METHOD_UDP;
	plan.flow = 10;
	plan.multipath = 95;
	d->bundle = bundle_new(&plan, SLOTS, d->bed.now);
	assert_non_null(d->bundle);
	begin(d, 0);
	d->record = (struct record_run){.plan = &d->run, .start = {36}, .steps = &d->steps,
					.ifname = "wg0"};
}

static void diamond_fini(struct diamond *d)
{
	bundle_free(d->bundle);
	flights_fini(&d->bed.fs);
}

/* The probe leaves, and its answer comes 5 ms a hop later. */
static void carry(struct diamond *d, struct flight *f, uint8_t ttl, uint8_t attempt)
{
	const char *from = ttl == 1 ? "192.0.2.1" : ttl > 2 ? "198.51.100.7" :
			   f->plan.flow % 2 ? "192.0.2.3" : "192.0.2.2";
	struct match m = bed_about(f, MATCH_REPLY, ttl, attempt);
	struct flight_hit hit;

	bed_depart(&d->bed, f, ttl, attempt, 2, 0);
	m.reply.from = bed_addr(from);
	m.reply.icmp_type = ttl > 2 ? 3 : 11;
	m.reply.icmp_code = ttl > 2 ? 3 : 0;
	m.reached_by = ttl > 2 ? REACHED_BY_PORT_UNREACHABLE : REACHED_BY_NONE;
	assert_int_equal(bed_take(&d->bed, &m, 2, 5000 * ttl, &hit), FLIGHT_ANSWER);
	assert_ptr_equal(hit.flight, f);
	assert_ptr_equal(target_lead(hit.flight), bundle_lead(d->bundle));
	bundle_answered(&hit, m.reply.from, mono_add(d->bed.now, 5 * NS_PER_MS * ttl));
}

static void fly(struct diamond *d)
{
	struct flight *lead = bundle_lead(d->bundle);

	for (unsigned n = 0; n < STEPS_MAX; n++) {
		uint16_t flow;
		struct tracer_step s = target_next(lead, d->bed.now, &flow);
		struct flight *f;

		if (s.want == TRACER_DONE)
			return;
		d->bed.now = mono_add(d->bed.now, NS_PER_MS);
		d->bed.wall.ns += NS_PER_MS;
		if (s.want == TRACER_WAIT)
			continue;
		if (d->flows_at_most > 0 && flow >= d->flows_at_most) {
			multipath_no_more_flows(d->bundle->engine);
			continue;
		}
		f = d->bundle->flights[flow] ? d->bundle->flights[flow] : begin(d, flow);
		flight_start(f, d->bed.now, d->bed.wall);
		flight_prepare(&d->bed.fs, f, s.ttl, s.attempt);
		target_sent(&d->bed.fs, f, s.ttl, s.attempt, d->bed.now);
		carry(d, f, s.ttl, s.attempt);
		if (++d->probes == d->stop_after)
			target_stop(lead, STOP_INTERRUPTED);
	}
	fail_msg("it does not end");
}

/* Every record is one a reader would accept. */
static struct trace *record_of(struct diamond *d, uint16_t flow, const struct trace *first)
{
	struct trace *t;

	d->record.now = d->bed.now;
	d->record.now_wall = d->bed.wall;
	t = bundle_record(d->bundle, &d->record, flow, first);
	assert_non_null(t);
	assert_int_equal(trace_validate(t, t->size), 0);
	return t;
}

static void every_flow_is_a_whole_trace(void **state)
{
	struct diamond d;
	struct trace *first, *t;
	struct frame_paths paths;
	uint16_t flows;
	unsigned inherited = 0;

	(void)state;
	diamond_init(&d);
	fly(&d);
	flows = multipath_flows(d.bundle->engine);
	assert_true(flows >= 11);
	first = record_of(&d, 0, NULL);
	assert_string_equal(first->id, "lab-10-3.10");
	assert_string_equal(first->inherited_from, "");
	for (uint16_t flow = 1; flow < flows; flow++) {
		char id[TRACE_ID_TEXT];
		unsigned at[4] = {0};

		t = record_of(&d, flow, first);
		snprintf(id, sizeof(id), "lab-10-3.%u", 10u + flow);
		assert_string_equal(t->id, id);
		assert_int_equal(t->flow, 10 + flow);
		assert_int_equal(t->attempts, 3);
		assert_int_equal(t->stop, STOP_REACHED);
		assert_int_equal(t->reach, REACH_REACHED);
		assert_int_equal(t->reached_by, REACHED_BY_PORT_UNREACHABLE);
		for (uint32_t i = 0; i < t->entry_count; i++) {
			const struct trace_entry *e = &t->entries[i];

			assert_in_range(e->ttl, 1, 3);
			at[e->ttl]++;
			if (!(e->reply.flags & REPLY_INHERITED)) {
				assert_int_equal(e->reply.rtt_ns, 5 * NS_PER_MS * e->ttl);
				continue;
			}
			assert_int_not_equal(e->ttl, 2);
			assert_int_equal(e->reply.rtt_ns, -1);
			assert_true(e->tx_ns == TX_UNKNOWN);
			assert_string_equal(t->inherited_from, first->id);
			inherited++;
		}
		assert_true(at[1] >= 1 && at[2] >= 1 && at[3] >= 1);
		free(t);
	}
	/* Six were asked at the TTLs that all share. */
	assert_true(inherited >= 2u * (flows - 6) - 6);
	bundle_paths(d.bundle, flows, &paths);
	assert_int_equal(paths.seq, 3);
	assert_int_equal(paths.level, 95);
	assert_int_equal(paths.flows, flows);
	assert_int_equal(paths.cut, 0);
	assert_int_equal(paths.balancing[1], BALANCING_PER_FLOW);
	assert_int_equal(paths.balancing[0], BALANCING_NONE);
	assert_true(paths.confidence > 0.8 && paths.confidence < 1);
	free(first);
	diamond_fini(&d);
}

static void an_interrupted_one_says_so_in_every_flow(void **state)
{
	struct diamond d;

	(void)state;
	for (unsigned after = 1; after < 60; after += 4) {
		struct trace *first = NULL;
		struct frame_paths paths;

		diamond_init(&d);
		d.stop_after = after;
		fly(&d);
		for (uint16_t flow = 0; flow < BUNDLE_FLOWS; flow++) {
			struct trace *t;

			if (d.bundle->flights[flow] == NULL)
				continue;
			t = record_of(&d, flow, first);
			if (d.probes == after)
				assert_int_equal(t->stop, STOP_INTERRUPTED);
			if (flow == 0)
				first = t;
			else
				free(t);
		}
		free(first);
		bundle_paths(d.bundle, 1, &paths);
		assert_int_equal(paths.cut, d.probes == after);
		diamond_fini(&d);
	}
}

static void no_more_flows_is_a_cut(void **state)
{
	struct diamond d;
	struct frame_paths paths;
	struct trace *t;

	(void)state;
	diamond_init(&d);
	d.flows_at_most = 7;
	fly(&d);
	assert_int_equal(multipath_flows(d.bundle->engine), 7);
	bundle_paths(d.bundle, 7, &paths);
	assert_int_equal(paths.cut, 1);
	t = record_of(&d, 0, NULL);
	assert_int_equal(t->stop, STOP_REACHED);
	free(t);
	diamond_fini(&d);
}

static void flow_numbers_end(void **state)
{
	struct diamond d;

	(void)state;
	diamond_init(&d);
	d.bundle->plan.flow = METHOD_FLOWS_MAX - 2;
	assert_true(bundle_has_flow(d.bundle, 1));
	assert_false(bundle_has_flow(d.bundle, 2));
	d.bundle->plan.flow = 0;
	assert_true(bundle_has_flow(d.bundle, BUNDLE_FLOWS - 1));
	assert_false(bundle_has_flow(d.bundle, BUNDLE_FLOWS));
	diamond_fini(&d);
}

static void what_could_not_be_measured(void **state)
{
	struct plan_trace plan;
	struct frame_paths paths;

	(void)state;
	plan_trace_defaults(&plan);
	plan.seq = 9;
	plan.multipath = 99;
	bundle_no_paths(&plan, &paths);
	assert_int_equal(paths.seq, 9);
	assert_int_equal(paths.level, 99);
	assert_int_equal(paths.cut, 1);
	assert_true(paths.confidence == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flow_is_a_whole_trace),
		cmocka_unit_test(an_interrupted_one_says_so_in_every_flow),
		cmocka_unit_test(no_more_flows_is_a_cut),
		cmocka_unit_test(flow_numbers_end),
		cmocka_unit_test(what_could_not_be_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
