// SPDX-License-Identifier: BSD-2-Clause
/*
 * What leaves the store, and what stays: traces that are too old, a missed round whose measured one
 * comes, and what can be saved of a file that is cut.
 */
#include "tests/unit/campaign/store_open_bed.h"

static void old_traces_go_and_rounds_stay(void **state)
{
	struct bed *b = *state;
	uint64_t dropped = 0;

	for (unsigned slot = 0; slot < 8; slot++)
		put_round(b, "fra1", slot, 10);
	/* In the midst of the third round. */
	assert_ok(b, store_retire(b->store, NULL, NULL, (struct wall){T0 + 1806 * NS_PER_S},
				  true, &dropped, &b->err));
	assert_int_equal(dropped, 25);
	assert_int_equal(count_of(b, NULL), 55 + 8);
	assert_ok(b, store_retire(b->store, NULL, NULL, (struct wall){T0 + 1806 * NS_PER_S},
				  true, &dropped, &b->err));
	assert_int_equal(dropped, 0);
	/* All of it: what comes then gets no number twice. */
	assert_ok(b, store_retire(b->store, NULL, NULL, (struct wall){T0 + 86400 * NS_PER_S},
				  true, &dropped, &b->err));
	assert_int_equal(dropped, 55);
	assert_false(put_round(b, "fra1", 9, 10));
	assert_int_equal(count_of(b, NULL), 9 + 10);
	/* What sums them up goes when it is told to, and only what is older. */
	assert_ok(b, store_retire_hours(b->store, NULL, NULL,
					(struct wall){T0 - 3600 * NS_PER_S}, &dropped, &b->err));
	assert_int_equal(dropped, 0);
	assert_ok(b, store_retire_hours(b->store, NULL, NULL,
					(struct wall){T0 + 86400 * NS_PER_S}, &dropped, &b->err));
	assert_true(dropped > 0);
	assert_ok(b, store_retire_hours(b->store, NULL, NULL,
					(struct wall){T0 + 86400 * NS_PER_S}, &dropped, &b->err));
	assert_int_equal(dropped, 0);
	assert_int_equal(count_of(b, NULL), 9 + 10);
}

static void only_its_own_traces_go(void **state)
{
	struct bed *b = *state;
	const struct wall late = {T0 + 86400 * NS_PER_S};
	uint64_t dropped = 0;

	put_round(b, "fra1", 0, 10);
	put_round(b, "ams1", 0, 10);
	assert_ok(b, store_retire(b->store, "another", "fra1", late, true, &dropped, &b->err));
	assert_int_equal(dropped, 0);
	assert_ok(b, store_retire(b->store, "c", "fra1", late, true, &dropped, &b->err));
	assert_int_equal(dropped, 10);
	assert_int_equal(count_of(b, &(struct store_select){.vantage = "ams1"}), 10 + 1);
	assert_ok(b, store_retire(b->store, "c", "ams1", late, true, &dropped, &b->err));
	assert_int_equal(dropped, 10);
	assert_ok(b, store_retire_hours(b->store, "c", "oslo", late, &dropped, &b->err));
	assert_int_equal(dropped, 0);
	assert_ok(b, store_retire_hours(b->store, "c", "ams1", late, &dropped, &b->err));
	assert_true(dropped > 0);
	assert_ok(b, store_retire_hours(b->store, "c", "fra1", late, &dropped, &b->err));
	assert_true(dropped > 0);
}

/* It is no slot, nothing to go on behind, and not in the summaries by the hour; its traces go as
 * others do. */
static void a_closer_look_is_no_round(void **state)
{
	struct bed *b = *state;
	const struct wall late = {T0 + 86400 * NS_PER_S};
	struct round r = make_round("fra1", T0 + 1000 * NS_PER_S + 250 * NS_PER_MS), latest[4];
	uint64_t dropped = 0;
	bool already;
	struct wall last;

	put_round(b, "fra1", 0, 5);
	r.look = true;
	r.start = r.planned;
	round_set_id(&r);
	r.expected = r.done = r.traces = 3;
	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < 3; i++)
		add(b, make_trace("fra1", r.id, r.start.ns + i * NS_PER_S, 5000 + i, i), NULL, NULL);
	assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	assert_false(already);
	assert_ok(b, store_last_planned(b->store, "c", "fra1", &last, &b->err));
	assert_int_equal(last.ns, T0);
	assert_int_equal(store_last_rounds(b->store, "c", "fra1", latest, 4, &b->err), 1);
	assert_int_equal(count_of(b, NULL), 5 + 1 + 3 + 1);
	assert_ok(b, store_retire(b->store, NULL, NULL, late, true, &dropped, &b->err));
	assert_int_equal(dropped, 8);
	assert_int_equal(number(b->path, "SELECT sum(traces) FROM hour"), 5);
	assert_int_equal(number(b->path, "SELECT sum(look) FROM rounds"), 1);
}

/* A clock that ran a year ahead tells of slots that nobody measured. Then it is set right. */
static void a_measured_round_takes_the_place_of_a_missed_one(void **state)
{
	struct bed *b = *state;
	struct round r = make_round("fra1", T0 + 3 * 900 * NS_PER_S);
	struct round ahead = make_round("fra1", T0 + 365 * 86400 * NS_PER_S), latest[2];
	struct taken out;
	bool already;

	ahead.start.ns = ahead.end.ns = 0;
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_add_round(b->store, &ahead, &already, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	for (unsigned i = 0; i < 3; i++) {
		r.start.ns = r.end.ns = 0;
		r.expected = r.missed = 10;
		r.why = ROUND_WHY_DOWN;
		assert_ok(b, store_begin(b->store, &b->err));
		assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
		assert_ok(b, store_commit(b->store, &b->err));
		assert_int_equal(already, i > 0);
		assert_int_equal(put_round(b, "fra1", 3, 10), i > 0);
		out = take_all(b, NULL);
		assert_int_equal(out.count, 11 + 1);
		assert_int_equal(out.items[10].kind, RECORD_ROUND);
		assert_int_equal(round_read(&out.items[10], &r, &b->err), 0);
		assert_int_equal(r.done, 10);
		assert_int_equal(r.why, ROUND_WHY_NONE);
		taken_fini(&out);
		/* Who we are is told by what was measured. */
		assert_int_equal(store_last_rounds(b->store, "c", "fra1", latest, 2, &b->err), 1);
		assert_int_equal(latest[0].planned.ns, r.planned.ns);
	}
}

static void what_is_left_of_a_cut_store_is_saved(void **state)
{
	struct bed *b = *state;
	struct store_salvage saved;
	struct taken out;
	char to[STORE_NAME + 8];
	FILE *f;
	long size;

	for (unsigned slot = 0; slot < 30; slot++)
		put_round(b, "fra1", slot, 100);
	close_store(b);
	f = fopen(b->path, "r");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	fclose(f);
	assert_int_equal(truncate(b->path, size - 2048), 0);
	assert_int_equal(store_open(b->path, STORE_READ, &b->store, &b->err), BP_EPARSE);
	assert_non_null(strstr(b->err.text, "cut short"));
	assert_int_equal(store_open(b->path, STORE_WRITE, &b->store, &b->err), BP_EPARSE);
	snprintf(to, sizeof(to), "%s.new", b->path);
	assert_ok(b, store_salvage(b->path, to, &saved, &b->err));
	assert_true(saved.traces > 2800 && saved.traces <= 3000);
	assert_int_equal(rename(to, b->path), 0);
	open_store(b, STORE_WRITE);
	out = take_all(b, NULL);
	assert_int_equal(out.count, saved.traces + saved.rounds);
	taken_fini(&out);
	/* The rounds that the spool has kept go in again: whole, and nothing twice. */
	for (unsigned slot = 0; slot < 30; slot++)
		put_round(b, "fra1", slot, 100);
	assert_int_equal(count_of(b, NULL), 3030);
}

/* A spool's: what was committed meanwhile is spared, though its clock was wrong by years. */
static void what_was_not_sent_stays(void **state)
{
	struct bed *b = *state;
	struct round *r = calloc(1, sizeof(*r));
	struct wall late = {T0 + 86400 * NS_PER_S};
	int64_t rows[4] = {0};
	uint64_t dropped, sum = 0;
	bool more = true;

	for (unsigned slot = 3; slot > 0; slot--)
		put_round(b, "fra1", slot, 10);
	for (unsigned i = 1; i < 4; i++)
		assert_ok(b, store_next_round(b->store, rows[i - 1], &rows[i], r, &b->err));
	assert_int_equal(r->planned.ns, T0 + 900 * NS_PER_S);
	for (; more; sum += dropped)
		assert_ok(b, store_retire_sent(b->store, late, rows[2], &dropped, &more, &b->err));
	assert_int_equal(sum, 20);
	assert_int_equal(count_of(b, NULL), 3 + 10);
	assert_ok(b, store_retire_sent(b->store, late, INT64_MAX, &dropped, &more, &b->err));
	assert_int_equal(dropped, 10);
	assert_int_equal(count_of(b, NULL), 3);
	free(r);
}

int main(void)
{
	const struct CMUnitTest both[] = {
		T(old_traces_go_and_rounds_stay),
		T(only_its_own_traces_go),
		T(a_closer_look_is_no_round),
		T(a_measured_round_takes_the_place_of_a_missed_one),
	};
	const struct CMUnitTest files[] = {
		T(what_is_left_of_a_cut_store_is_saved),
		T(what_was_not_sent_stays),
	};

	return RUN_ON_ENGINES(both, files);
}
