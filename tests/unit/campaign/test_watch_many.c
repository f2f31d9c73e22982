// SPDX-License-Identifier: BSD-2-Clause
/*
 * A centre: ten vantage points in one store, watched together. A change is told once, as soon as
 * one round of two of them shows it; those who lie have no vote; who is late is waited for, who is
 * dead is not; started again, it tells nothing twice.
 */
#include "tests/unit/campaign/watch_bed.h"

enum { VANTAGES = 10 };

/* Rounds of the ten are spread over the quarter of an hour. */
static int64_t offset_of(unsigned v)
{
	return v * 80 * NS_PER_S;
}

static void name_of(unsigned v, char out[8])
{
	snprintf(out, 8, "v%u", v);
}

static void open_centre(struct bed *b)
{
	b->options.vantage = NULL;
	open_watch(b);
}

static struct round keep(struct bed *b, unsigned v, unsigned slot, const char *how)
{
	char name[8];

	name_of(v, name);
	return commit_of(b, name, slot, offset_of(v), how, ROUND_HEALTH_OK);
}

static void take(struct bed *b, const struct round *r, int64_t late_ns)
{
	struct wall now = {r->end.ns + NS_PER_S + late_ns};

	if (watch_round(b->watch, b->store, r, now, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

/* One slot of all, each in its time. */
static void slot_of(struct bed *b, unsigned slot, const char *how)
{
	for (unsigned v = 0; v < VANTAGES; v++) {
		struct round r = keep(b, v, slot, how);

		take(b, &r, 0);
	}
}

static void settle_at(struct bed *b, int64_t ns)
{
	if (watch_settle(b->watch, b->store, (struct wall){ns}, &b->err) < 0)
		fail_msg("%s", b->err.text);
}

static const struct event *last_of(const struct bed *b)
{
	assert_true(b->told_count > 0);
	return &b->told[b->told_count - 1];
}

static void two_in_one_round_are_enough(void **state)
{
	struct bed *b = *state;
	struct round r;

	open_centre(b);
	for (unsigned slot = 0; slot < 4; slot++)
		slot_of(b, slot, "dddd");
	settle_at(b, T0 + 4 * EVERY);
	assert_int_equal(b->told_count, 0);
	r = keep(b, 0, 4, "kddd");
	take(b, &r, 0);
	settle_at(b, r.end.ns + 20 * NS_PER_S);
	assert_int_equal(b->told_count, 1);
	assert_int_equal(last_of(b)->status, EVENT_PROVISIONAL);
	r = keep(b, 1, 4, "kddd");
	take(b, &r, 0);
	settle_at(b, r.end.ns + 11 * NS_PER_S);
	assert_int_equal(b->told_count, 2);
	assert_int_equal(last_of(b)->status, EVENT_CONFIRMED);
	assert_int_equal(last_of(b)->seen_by, 2);
	assert_int_equal(last_of(b)->seen_of, 10);
	for (unsigned v = 2; v < VANTAGES; v++) {
		r = keep(b, v, 4, "kddd");
		take(b, &r, 0);
	}
	settle_at(b, r.end.ns + 20 * NS_PER_S);
	assert_int_equal(last_of(b)->seen_by, 10);
	/* One event, whatever its revisions. */
	for (unsigned i = 1; i < b->told_count; i++)
		assert_memory_equal(b->told[i].id, b->told[0].id, 19);
	assert_int_equal(b->told_count, stored(b));
	/* Started again: all of it is known. */
	open_centre(b);
	settle_at(b, r.end.ns + 30 * NS_PER_S);
	assert_int_equal(b->told_count, 0);
	assert_true(b->recalled > 0);
}

/* One is off, one is cut off without knowing, two have clocks that are wrong: six of six. */
static void four_of_ten_have_no_vote(void **state)
{
	struct bed *b = *state;
	struct round r;
	unsigned down = 0;

	open_centre(b);
	assert_int_equal(watch_distrust(b->watch, "v6", true), 0);
	for (unsigned slot = 0; slot < 10; slot++) {
		for (unsigned v = 0; v < VANTAGES; v++) {
			char name[8];
			const char *how = slot < 5 ? "dddd" : "kddd";
			enum round_health health = ROUND_HEALTH_OK;
			unsigned at = slot;

			name_of(v, name);
			/* The clock of this one is an hour behind, and the centre knows. */
			if (v == 6)
				how = slot < 9 ? "dddd" : "kddd";
			/* Of this one it is a day ahead. */
			if (v == 7)
				at += 96;
			if (v == 8 && slot >= 4)
				health = ROUND_HEALTH_OFFLINE;
			if (v == 9 && slot >= 4)
				health = ROUND_HEALTH_UNKNOWN;
			if (health != ROUND_HEALTH_OK)
				how = "nnnn";
			r = commit_of(b, name, at, offset_of(v), how, health);
			take(b, &r, v == 7 ? -86400 * NS_PER_S : 0);
		}
	}
	settle_at(b, T0 + 10 * EVERY);
	for (unsigned i = 0; i < b->told_count; i++) {
		const struct event *e = &b->told[i];

		down += e->scope == EVENT_SCOPE_VANTAGE;
		if (e->scope == EVENT_SCOPE_VANTAGE) {
			assert_string_equal(e->vantage, "v8");
			continue;
		}
		assert_int_equal(e->kind, EVENT_BORDER_SWITCH);
		assert_int_equal(e->seen_of, 6);
	}
	assert_int_equal(down, 1);
	assert_int_equal(switches(b, EVENT_RESOLVED), 0);
	assert_int_equal(last_of(b)->kind, EVENT_BORDER_SWITCH);
	assert_int_equal(last_of(b)->status, EVENT_CONFIRMED);
	assert_int_equal(last_of(b)->seen_by, 6);
}

/* An hour of one that was cut off comes at once, then that of another: they saw the same. */
static void what_was_kept_comes_late(void **state)
{
	struct bed *b = *state;
	struct round late[2][6];
	int64_t now;

	open_centre(b);
	for (unsigned slot = 0; slot < 4; slot++)
		slot_of(b, slot, "dddd");
	for (unsigned slot = 4; slot < 10; slot++) {
		for (unsigned v = 0; v < VANTAGES; v++) {
			struct round r = keep(b, v, slot, slot < 6 ? "dddd" : "kddd");

			if (v < 2)
				late[v][slot - 4] = r;
			else
				take(b, &r, 0);
		}
	}
	now = T0 + 10 * EVERY;
	for (unsigned i = 0; i < 6; i++) {
		for (unsigned v = 0; v < 2; v++) {
			assert_int_equal(watch_round(b->watch, b->store, &late[v][i],
						     (struct wall){now}, &b->err), 0);
			now += NS_PER_S;
		}
	}
	settle_at(b, now + 2 * MINUTE);
	assert_int_equal(last_of(b)->kind, EVENT_BORDER_SWITCH);
	assert_int_equal(last_of(b)->seen_by, 10);
	for (unsigned i = 1; i < b->told_count; i++)
		assert_memory_equal(b->told[i].id, b->told[0].id, 19);
	/* A round that was taken is not taken twice. */
	b->told_count = 0;
	take(b, &late[0][3], 0);
	assert_int_equal(b->told_count, 0);
}

/* Killed between the commits and what came of them: the next one tells, once. */
static void a_killed_centre_is_made_good(void **state)
{
	struct bed *b = *state;
	struct round r;

	open_centre(b);
	for (unsigned slot = 0; slot < 4; slot++)
		slot_of(b, slot, "dddd");
	keep(b, 0, 4, "kddd");
	r = keep(b, 1, 4, "kddd");
	open_centre(b);
	settle_at(b, r.end.ns + 20 * NS_PER_S);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
	open_centre(b);
	settle_at(b, r.end.ns + 40 * NS_PER_S);
	assert_int_equal(b->told_count, 0);
}

/* What a vantage point that is not trusted any more said stays what it was: gaps from now on. */
static void distrust_can_be_taken_back(void **state)
{
	struct bed *b = *state;
	struct round r;

	open_centre(b);
	slot_of(b, 0, "dddd");
	slot_of(b, 1, "dddd");
	slot_of(b, 2, "dddd");
	assert_int_equal(watch_distrust(b->watch, "v3", true), 0);
	assert_int_equal(watch_distrust(b->watch, "v3", true), 0);
	r = keep(b, 3, 3, "kkkk");
	take(b, &r, 0);
	settle_at(b, r.end.ns + MINUTE);
	assert_int_equal(b->told_count, 0);
	assert_int_equal(watch_distrust(b->watch, "v3", false), 0);
	r = keep(b, 3, 4, "kddd");
	take(b, &r, 0);
	settle_at(b, r.end.ns + MINUTE);
	assert_int_equal(b->told_count, 1);
	assert_string_equal(last_of(b)->vantage, "v3");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_in_one_round_are_enough),
		T(four_of_ten_have_no_vote),
		T(what_was_kept_comes_late),
		T(a_killed_centre_is_made_good),
		T(distrust_can_be_taken_back),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
