// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store: what goes in comes out, in order and once; rounds whole or not at all; selections;
 * judgements beside each other.
 */
#include "tests/unit/campaign/store_open_bed.h"
#include "tests/unit/campaign/store_compare.h"
#include "tests/unit/core/record/random_trace.h"

static void random_traces_come_back(void **state)
{
	enum { N = 300 };
	struct bed *b = *state;
	struct trace *traces[N];
	struct names *names = calloc(N, sizeof(*names));
	struct verdict *verdicts = calloc(N, sizeof(*verdicts));
	uint64_t seed = 20261122;
	struct taken out;

	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < N; i++) {
		traces[i] = rnd_trace(&seed, (uint32_t)rnd_below(&seed, 40));
		snprintf(traces[i]->id, sizeof(traces[i]->id), i % 3 ? "v-e-%u" : "%u of others",
			 i);
		/* Segments are told apart by what they share; here each its own, in order. */
		traces[i]->start.ns = T0 + i * INT64_C(1234567891);
		names_init(&names[i]);
		if (i % 5 != 0)
			rnd_names(&seed, traces[i], &names[i]);
		if (i % 4 != 0)
			rnd_verdict(&seed, &verdicts[i]);
		assert_ok(b, store_add_trace(b->store, traces[i], i % 5 ? &names[i] : NULL,
					     i % 4 ? &verdicts[i] : NULL, &b->err));
	}
	assert_ok(b, store_commit(b->store, &b->err));
	close_store(b);
	open_store(b, STORE_READ);
	out = take_all(b, NULL);
	assert_int_equal(out.count, N);
	for (unsigned i = 0; i < N; i++) {
		assert_kept_trace(traces[i], out.items[i].trace);
		assert_names_equal(&names[i], &out.items[i].names);
		assert_verdict_equal(&verdicts[i], &out.items[i].verdict);
		names_fini(&names[i]);
		free(traces[i]);
	}
	taken_fini(&out);
	free(names);
	free(verdicts);
}

static void rounds_come_behind_what_they_hold(void **state)
{
	struct bed *b = *state;
	struct taken out;
	struct wall last;
	struct round rounds[4];

	assert_false(put_round(b, "fra1", 0, 3));
	assert_false(put_round(b, "icn1", 0, 2));
	assert_false(put_round(b, "fra1", 1, 0)); /* nobody ran */
	assert_false(put_round(b, "fra1", 2, 1));
	out = take_all(b, NULL);
	assert_int_equal(out.count, 3 + 1 + 2 + 1 + 1 + 1 + 1);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(out.items[i].kind, RECORD_TRACE);
	assert_string_equal(out.items[8].trace->round, "c-fra1-20261122T103000Z");
	assert_int_equal(out.items[9].kind, RECORD_ROUND);
	taken_fini(&out);
	assert_ok(b, store_last_planned(b->store, "c", "fra1", &last, &b->err));
	assert_int_equal(last.ns, T0 + 1800 * NS_PER_S);
	assert_ok(b, store_last_planned(b->store, "c", "nobody", &last, &b->err));
	assert_int_equal(last.ns, 0);
	assert_int_equal(store_last_rounds(b->store, "c", "fra1", rounds, 4, &b->err), 3);
	assert_int_equal(rounds[0].planned.ns, T0 + 1800 * NS_PER_S);
	assert_int_equal(rounds[2].traces, 3);
	assert_int_equal(store_last_rounds(b->store, "c", "fra1", rounds, 1, &b->err), 1);
}

static void nothing_comes_twice(void **state)
{
	struct bed *b = *state;

	assert_false(put_round(b, "fra1", 0, 20));
	assert_false(put_round(b, "fra1", 1, 20));
	assert_true(put_round(b, "fra1", 0, 20));
	assert_true(put_round(b, "fra1", 1, 20));
	close_store(b);
	open_store(b, STORE_WRITE);
	assert_true(put_round(b, "fra1", 0, 20));
	assert_int_equal(count_of(b, NULL), 42);
	/* A part of it new: only that is added. */
	assert_true(put_round(b, "fra1", 1, 25));
	assert_int_equal(count_of(b, NULL), 47);
}

static void undone_is_as_if_never_begun(void **state)
{
	struct bed *b = *state;

	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", T0, 1, 1), NULL, NULL);
	store_undo(b->store);
	assert_int_equal(count_of(b, NULL), 0);
	/* What the cache remembered is gone too. */
	assert_false(put_round(b, "fra1", 0, 5));
	assert_int_equal(count_of(b, NULL), 6);
	/* A failure leaves nothing to commit. */
	assert_ok(b, store_begin(b->store, &b->err));
	{
		struct trace *t = make_trace("fra1", "r", T0, 999, 1);

		t->stop = 77;
		assert_int_equal(store_add_trace(b->store, t, NULL, NULL, &b->err), BP_EINVAL);
		free(t);
	}
	assert_int_equal(store_commit(b->store, &b->err), BP_EINVAL);
	store_undo(b->store);
	assert_int_equal(count_of(b, NULL), 6);
}

static void selections(void **state)
{
	static const struct {
		const char *why;
		int64_t since_s, until_s; /* after T0; 0 open */
		const char *vantage, *target, *prefix;
		uint8_t method;
		unsigned traces, rounds;
	} rows[] = {
		{"all", 0, 0, NULL, NULL, NULL, 0, 80, 8},
		{"one vantage point", 0, 0, "icn1", NULL, NULL, 0, 40, 4},
		{"nobody's", 0, 0, "nobody", NULL, NULL, 0, 0, 0},
		{"from the second slot on", 900, 0, NULL, NULL, NULL, 0, 60, 6},
		{"until the second slot", 0, 900, NULL, NULL, NULL, 0, 20, 2},
		{"in the midst of a round", 1, 6, NULL, NULL, NULL, 0, 10, 2},
		{"a target", 0, 0, NULL, "192.0.2.3", NULL, 0, 8, 8},
		{"a prefix", 0, 0, "fra1", NULL, "192.0.2.4/30", 0, 16, 4},
		{"a method", 0, 0, "fra1", NULL, NULL, METHOD_UDP, 20, 4},
		{"all at once", 900, 1800, "fra1", "192.0.2.3", NULL, METHOD_ICMP, 1, 1},
	};
	struct bed *b = *state;

	for (unsigned slot = 0; slot < 4; slot++) {
		put_round(b, "fra1", slot, 10);
		put_round(b, "icn1", slot, 10);
	}
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_select s = {.vantage = rows[i].vantage,
					 .target = rows[i].target,
					 .method = rows[i].method};
		struct taken out;
		unsigned traces = 0;

		if (rows[i].since_s != 0)
			s.since.ns = T0 + rows[i].since_s * NS_PER_S;
		if (rows[i].until_s != 0)
			s.until.ns = T0 + rows[i].until_s * NS_PER_S;
		if (rows[i].prefix != NULL)
			assert_int_equal(prefix_parse(rows[i].prefix, &s.prefix), 0);
		out = take_all(b, &s);
		for (unsigned k = 0; k < out.count; k++)
			traces += out.items[k].kind == RECORD_TRACE;
		if (traces != rows[i].traces || out.count - traces != rows[i].rounds)
			fail_msg("%s: %u traces, %u rounds", rows[i].why, traces,
				 out.count - traces);
		taken_fini(&out);
	}
}

static void an_object_stands_behind_its_traces(void **state)
{
	static const char json[] = "{\"type\":\"paths\",\"version\":1,\"dst\":\"192.0.2.1\"}\n";
	struct bed *b = *state;
	struct store_select other = {.target = "192.0.2.2"};
	struct taken out;

	for (unsigned again = 0; again < 2; again++) {
		assert_ok(b, store_begin(b->store, &b->err));
		add(b, make_trace("fra1", "r", T0, 1, 1), NULL, NULL);
		assert_ok(b, store_add_object(b->store, RECORD_PATHS, (struct wall){T0}, "fra1",
					      "c", "r", json, strlen(json), &b->err));
		add(b, make_trace("fra1", "r", T0, 2, 2), NULL, NULL);
		assert_ok(b, store_commit(b->store, &b->err));
	}
	out = take_all(b, NULL);
	assert_int_equal(out.count, 3);
	assert_int_equal(out.items[1].kind, RECORD_PATHS);
	assert_string_equal(out.items[1].line, "{\"type\":\"paths\",\"version\":1,\"dst\":"
					       "\"192.0.2.1\"}");
	taken_fini(&out);
	assert_int_equal(count_of(b, &other), 1);
}

static void judgements_stand_beside_each_other(void **state)
{
	struct bed *b = *state;
	struct verdict first = {.judged = true,
				.outcome = OUTCOME_BORDER,
				.border = "dandong",
				.profile = "p",
				.profile_version = "1",
				.confidence = .75};
	struct verdict second = first;
	struct store_select select = {.border = "khasan"};
	struct names names;
	struct taken out;

	strcpy(second.border, "khasan");
	strcpy(second.profile_version, "2");
	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < 5; i++)
		add(b, make_trace("fra1", "r", T0, i, i), NULL, &first);
	assert_ok(b, store_commit(b->store, &b->err));
	names_init(&names);
	assert_non_null(names_put(&names, addr_v4((const uint8_t[]){10, 0, 0, 1})));
	names.items[0].asn = 64500;
	strcpy(names.geo.asn_sha256, "abc");
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_add_judgement(b->store, "fra1-run1-3", &names, &second,
					 (struct wall){T0 + NS_PER_S}, &b->err));
	assert_int_equal(store_add_judgement(b->store, "fra1-run1-7", &names, &second,
					     (struct wall){T0}, &b->err),
			 BP_ENOTFOUND);
	assert_ok(b, store_commit(b->store, &b->err));
	out = take_all(b, &select);
	assert_int_equal(out.count, 1);
	assert_string_equal(out.items[0].trace->id, "fra1-run1-3");
	assert_verdict_equal(&second, &out.items[0].verdict);
	assert_names_equal(&names, &out.items[0].names);
	taken_fini(&out);
	select.border = "dandong";
	assert_int_equal(count_of(b, &select), 4);
	names_fini(&names);
}

/* Its round says that nobody was heard; what was not heard can be left out. */
static void what_was_heard_offline_can_be_left_out(void **state)
{
	struct bed *b = *state;
	struct store_select select = {.online = true};
	struct round r = make_round("fra1", T0 + 900 * NS_PER_S);
	bool already;

	put_round(b, "fra1", 0, 3);
	r.expected = r.missed = 3;
	r.health = ROUND_HEALTH_OFFLINE;
	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < 3; i++)
		add(b, make_trace("fra1", r.id, r.start.ns + i * NS_PER_S, 500 + i, i), NULL, NULL);
	assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(count_of(b, NULL), 3 + 1 + 3 + 1);
	assert_int_equal(count_of(b, &select), 3 + 1 + 1);
	select.vantage = "fra1";
	assert_int_equal(count_of(b, &select), 3 + 1 + 1);
}

/* --- groups ----------------------------------------------------------------------------------- */

struct sums {
	struct bed *b;
	unsigned groups, traces, rtts;
	int64_t rtt_sum;
};

static int sum_up(void *arg, const struct store_group *g, struct bp_error *err)
{
	struct sums *sums = arg;
	struct record rec;

	sums->groups++;
	sums->traces += g->count;
	sums->rtts += g->rtt_count;
	for (uint32_t i = 0; i < g->rtt_count; i++)
		sums->rtt_sum += g->rtt_ns[i];
	record_init(&rec);
	assert_int_equal(store_trace(sums->b->store, g->example, &rec, err), 0);
	assert_string_equal(rec.trace->vantage, g->vantage);
	assert_true(addr_equal(rec.trace->dst, g->dst));
	assert_int_equal(rec.trace->method, g->method);
	assert_int_equal(rec.trace->sport, g->sport);
	assert_int_equal(rec.trace->start.ns, g->first.ns);
	assert_true(g->last.ns >= g->first.ns);
	record_fini(&rec);
	return 0;
}

static void groups_count_what_is_read(void **state)
{
	struct bed *b = *state;
	struct store_select window = {.since = {T0 + 900 * NS_PER_S}};
	struct sums sums = {.b = b};
	struct taken out;
	unsigned traces = 0, rtts = 0;
	int64_t rtt_sum = 0;

	for (unsigned slot = 0; slot < 4; slot++) {
		put_round(b, "fra1", slot, 30);
		put_round(b, "icn1", slot, 20);
	}
	assert_ok(b, store_groups(b->store, &window, sum_up, &sums, &b->err));
	out = take_all(b, &window);
	for (unsigned i = 0; i < out.count; i++) {
		const struct trace *t = out.items[i].trace;

		if (t == NULL)
			continue;
		traces++;
		for (uint32_t k = 0; k < t->entry_count; k++) {
			if (trace_entry_is_destination(t, &t->entries[k])) {
				rtts++;
				rtt_sum += t->entries[k].reply.rtt_ns;
			}
		}
	}
	taken_fini(&out);
	assert_int_equal(sums.traces, traces);
	assert_int_equal(sums.groups, 50);
	assert_true(rtts > 0);
	assert_int_equal(sums.rtts, rtts);
	assert_int_equal(sums.rtt_sum, rtt_sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(random_traces_come_back),
		T(rounds_come_behind_what_they_hold),
		T(nothing_comes_twice),
		T(undone_is_as_if_never_begun),
		T(selections),
		T(an_object_stands_behind_its_traces),
		T(judgements_stand_beside_each_other),
		T(what_was_heard_offline_can_be_left_out),
		T(groups_count_what_is_read),
	};

	return RUN_ON_BOTH(tests);
}
