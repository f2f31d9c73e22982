// SPDX-License-Identifier: BSD-2-Clause
/* Slots of a grid that have no row: which are told, and which were another plan's. */
#include <unistd.h>

#include "tests/unit/campaign/store_bed.h"

enum { MINUTE = 60, EVERY = 15 * MINUTE, ROWS_MAX = 8, HOLES_MAX = 4 };

struct at { int64_t s, every_s; uint64_t slots; };
struct hole { int64_t s; uint64_t count; };

struct case_of {
	const char *why;
	struct at rows[ROWS_MAX];     /* seconds behind the first; the first is 0, too */
	unsigned count;
	int64_t since_s, until_s;
	struct hole holes[HOLES_MAX]; /* newest first */
	unsigned hole_count;
};

#define ROW(slot) {(slot) * EVERY, EVERY, 0}

static const struct case_of cases[] = {
	{"none", {{0}}, 0, 0, 9 * EVERY, {{0}}, 0},
	{"nothing is missing", {ROW(0), ROW(1), ROW(2)}, 3, 0, 9 * EVERY, {{0}}, 0},
	{"what is behind the last is not asked for", {ROW(0)}, 1, 0, 9 * EVERY, {{0}}, 0},
	{"one slot", {ROW(0), ROW(2)}, 2, 0, 9 * EVERY, {{EVERY, 1}}, 1},
	{"two holes, the newest first", {ROW(0), ROW(2), ROW(3), ROW(6)}, 4, 0, 9 * EVERY,
	 {{4 * EVERY, 2}, {EVERY, 1}}, 2},
	{"a look behind the last slot tells that one is missing",
	 {ROW(0), {EVERY + 77, 0, 0}}, 2, 0, 9 * EVERY, {{EVERY, 1}}, 1},
	{"a look in the same slot tells nothing", {ROW(0), {77, 0, 0}}, 2, 0, 9 * EVERY, {{0}}, 0},
	{"looks stand in no slot", {ROW(0), {EVERY + 77, 0, 0}, ROW(2)}, 3, 0, 9 * EVERY,
	 {{EVERY, 1}}, 1},
	{"every second slot of another plan, and a hole of this one",
	 {{0, 2 * EVERY, 0}, {2 * EVERY, 2 * EVERY, 0}, ROW(3), ROW(5)}, 4, 0, 9 * EVERY,
	 {{4 * EVERY, 1}}, 1},
	{"before the row of another plan it is that plan's", {{0, 2 * EVERY, 0}, ROW(3)}, 2, 0,
	 9 * EVERY, {{0}}, 0},
	{"behind an unknown grid", {{0, 0, 0}, ROW(3)}, 2, 0, 9 * EVERY, {{0}}, 0},
	{"another offset stood between", {ROW(0), {EVERY + 5, EVERY, 0}, ROW(3), ROW(5)}, 4, 0,
	 9 * EVERY, {{4 * EVERY, 1}}, 1},
	{"a row that stands for many", {{0, EVERY, 5}, ROW(5)}, 2, 0, 9 * EVERY, {{0}}, 0},
	{"and a hole behind them", {{0, EVERY, 4}, ROW(5)}, 2, 0, 9 * EVERY, {{4 * EVERY, 1}}, 1},
	{"many, some of them measured later", {{0, EVERY, 500}, ROW(3), ROW(5)}, 3, 0, 9 * EVERY,
	 {{4 * EVERY, 1}}, 1},
	{"more than can be", {{0, EVERY, INT64_MAX}, ROW(3)}, 2, 0, 9 * EVERY, {{0}}, 0},
	{"before it began nothing is missing", {ROW(0), ROW(3), ROW(5)}, 3, 2 * EVERY, 9 * EVERY,
	 {{4 * EVERY, 1}}, 1},
	{"what is still to come is not missing", {ROW(0), ROW(8)}, 2, 0, 3 * EVERY,
	 {{EVERY, 2}}, 1},
	{"all of it is still to come", {ROW(4), ROW(8)}, 2, 0, 3 * EVERY, {{0}}, 0},
};

static void put(struct store *s, const struct at *at, struct bp_error *err)
{
	struct round r;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = T0 + at->s * NS_PER_S;
	r.every_ns = at->every_s * NS_PER_S;
	r.slots = at->slots;
	round_set_id(&r);
	assert_int_equal(store_begin(s, err), 0);
	assert_int_equal(store_add_round(s, &r, NULL, err), 0);
	/* Another vantage point's are not its own. */
	strcpy(r.vantage, "w");
	r.planned.ns += EVERY * NS_PER_S;
	round_set_id(&r);
	assert_int_equal(store_add_round(s, &r, NULL, err), 0);
	assert_int_equal(store_commit(s, err), 0);
}

struct found { struct hole holes[HOLES_MAX]; unsigned count; };

static int on_hole(void *arg, struct wall first, uint64_t count, struct bp_error *err)
{
	struct found *f = arg;

	(void)err;
	assert_true(f->count < HOLES_MAX);
	f->holes[f->count++] = (struct hole){(first.ns - T0) / NS_PER_S, count};
	return 0;
}

static void holes_are_found(void **state)
{
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct case_of *c = &cases[i];
		struct store_grid grid = {.every_ns = EVERY * NS_PER_S,
					  .offset_ns = T0 % (EVERY * NS_PER_S),
					  .until = {T0 + c->until_s * NS_PER_S}};
		struct found f = {.count = 0};
		struct store *s;

		if (c->since_s != 0)
			grid.since.ns = T0 + c->since_s * NS_PER_S;
		store_empty(b->path);
		assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
		for (unsigned k = 0; k < c->count; k++)
			put(s, &c->rows[k], &b->err);
		assert_int_equal(store_holes(s, "c", "v", &grid, on_hole, &f, &b->err), 0);
		store_close(s);
		if (f.count != c->hole_count ||
		    memcmp(f.holes, c->holes, c->hole_count * sizeof(f.holes[0])) != 0)
			fail_msg("%s: %u holes, the first at %lld s of %llu", c->why, f.count,
				 (long long)f.holes[0].s, (unsigned long long)f.holes[0].count);
	}
}

static int on_hole_fails(void *arg, struct wall first, uint64_t count, struct bp_error *err)
{
	(void)arg;
	(void)first;
	(void)count;
	return bp_fail(err, BP_EIO, "enough");
}

static void a_refusal_is_handed_on(void **state)
{
	static const struct at rows[] = {ROW(0), ROW(2)};
	struct store_grid grid = {.every_ns = EVERY * NS_PER_S,
				  .offset_ns = T0 % (EVERY * NS_PER_S),
				  .until = {INT64_MAX}};
	struct bed *b = *state;
	struct store *s;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	put(s, &rows[0], &b->err);
	put(s, &rows[1], &b->err);
	assert_int_equal(store_holes(s, "c", "v", &grid, on_hole_fails, NULL, &b->err), BP_EIO);
	assert_string_equal(b->err.text, "enough");
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(holes_are_found),
		T(a_refusal_is_handed_on),
	};

	return RUN_ON_BOTH(tests);
}
