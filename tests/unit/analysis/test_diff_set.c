// SPDX-License-Identifier: BSD-2-Clause
/* The sets themselves: whatever is in them, in whatever order and however packed it came. */
#include "tests/unit/analysis/diff_bed.h"

#include <jansson.h>

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

/* --- many traces as one item ------------------------------------------------------------------ */

enum { SHAPES = 12, COPIES = 9 };

/* Traces that show the same, some of each side; each with a start and delays of its own. */
struct shape {
	struct trace *trace;
	struct names names;
	struct verdict verdict;
	unsigned copies;
	bool after;
	struct wall start[COPIES];
	int64_t delay_ns[COPIES];
};

static void shape_make(struct shape *x, const struct profile *p, uint32_t *seed, unsigned number)
{
	static const char *const vantages[] = {"fra1", "sin1", ""};
	static const char *const dsts[] = {NK, "175.45.176.80", "175.45.178.3", "8.8.8.8"};
	char path[1024];

	names_init(&x->names);
	path_random(seed, path, sizeof(path));
	x->trace = path_trace(dsts[path_next(seed) % 4], path, (struct wall){BEFORE_NS}, &x->names);
	text_set(x->trace->vantage, sizeof(x->trace->vantage), vantages[path_next(seed) % 3]);
	x->trace->flow = (int32_t)(path_next(seed) % 4) - 1;
	x->trace->reach = path_next(seed) % 2 ? REACH_REACHED : REACH_SILENT;
	border_judge(x->trace, &x->names, p, (struct wall){BEFORE_NS}, &x->verdict);
	x->copies = 1 + path_next(seed) % COPIES;
	x->after = path_next(seed) % 2;
	for (unsigned i = 0; i < x->copies; i++) {
		/* Two of the same start now and then: the id decides. */
		x->start[i].ns = (x->after ? AFTER_NS : BEFORE_NS) +
				 (int64_t)(path_next(seed) % 5 + number) * NS_PER_S;
		x->delay_ns[i] = (int64_t)(100 + path_next(seed) % (x->after ? 90 : 60)) *
				 NS_PER_MS;
	}
}

static void id_of(char *out, size_t size, unsigned shape, unsigned copy)
{
	snprintf(out, size, "t-%u-%u", shape, copy);
}

static void add_copy(struct diff_set *set, struct shape *x, unsigned shape, unsigned copy)
{
	x->trace->start = x->start[copy];
	id_of(x->trace->id, sizeof(x->trace->id), shape, copy);
	delay(x->trace, x->delay_ns[copy]);
	assert_int_equal(diff_set_trace(set, x->after ? DIFF_AFTER : DIFF_BEFORE, x->trace,
					&x->names, &x->verdict), 0);
}

/* Copies [begin, end) as one item. */
static void add_item(struct diff_set *set, const struct shape *x, unsigned shape, unsigned begin,
		     unsigned end)
{
	const struct trace *t = x->trace;
	char id[TRACE_ID_TEXT] = "";
	int64_t one[2048], all[COPIES * 2048];
	struct diff_item item = {
		.vantage = t->vantage, .src = t->src, .dst = t->dst, .method = t->method,
		.reach = t->reach, .flow = t->flow, .sport = t->sport, .dport = t->dport,
		.count = end - begin, .id = id, .rtt_ns = all,
	};
	unsigned first = begin;

	for (unsigned i = begin; i < end; i++) {
		uint32_t n = diff_delays(t, one);

		for (uint32_t k = 0; k < n; k++)
			all[item.rtt_count++] = x->delay_ns[i];
		if (x->start[i].ns < x->start[first].ns)
			first = i;
		if (x->start[i].ns > item.last.ns)
			item.last = x->start[i];
	}
	item.first = x->start[first];
	id_of(id, sizeof(id), shape, first);
	assert_int_equal(diff_set_sight(set, t, &x->names, &x->verdict, &item.sight), 0);
	assert_int_equal(diff_set_add(set, x->after ? DIFF_AFTER : DIFF_BEFORE, &item), 0);
}

static void json_of_diff(struct diff *d, struct buf *out)
{
	diff_write_json(out, d);
	assert_false(out->failed);
	diff_fini(d);
}

static void json_of(struct diff_set *set, struct buf *out)
{
	struct diff d;

	assert_int_equal(diff_compute(set, true, &d), 0);
	json_of_diff(&d, out);
	diff_set_free(set);
}

/* Each vantage point compared by itself, in no order; the diffs become one. */
static void json_of_parts(const struct profile *p, struct shape *shapes, struct buf *out)
{
	static const char *const vantages[] = {"sin1", "", "fra1", "none"};
	struct diff parts[4], d;

	for (unsigned k = 0; k < 4; k++) {
		struct diff_set *set;

		assert_int_equal(diff_set_new(p, &set), 0);
		for (unsigned i = 0; i < SHAPES; i++) {
			if (strcmp(shapes[i].trace->vantage, vantages[k]) == 0)
				add_item(set, &shapes[i], i, 0, shapes[i].copies);
		}
		assert_int_equal(diff_compute(set, true, &parts[k]), 0);
		diff_set_free(set);
	}
	assert_int_equal(diff_join(parts, 4, p, &d), 0);
	json_of_diff(&d, out);
}

/* How the same traces may come: one by one in this order or the other; as items, whole or cut. */
enum packing { ONE_BY_ONE, BACKWARDS, AS_ITEMS, AS_ITEMS_CUT, PACKINGS };

static struct diff_set *packed(const struct profile *p, struct shape *shapes, enum packing how)
{
	struct diff_set *set;

	assert_int_equal(diff_set_new(p, &set), 0);
	for (unsigned i = 0; i < SHAPES; i++) {
		unsigned at = how == BACKWARDS || how == AS_ITEMS_CUT ? SHAPES - 1 - i : i;
		struct shape *x = &shapes[at];
		unsigned half = x->copies / 2;

		for (unsigned k = 0; k < x->copies && how <= BACKWARDS; k++)
			add_copy(set, x, at, how == BACKWARDS ? x->copies - 1 - k : k);
		if (how == AS_ITEMS || (how == AS_ITEMS_CUT && half == 0)) {
			add_item(set, x, at, 0, x->copies);
		} else if (how == AS_ITEMS_CUT) {
			add_item(set, x, at, half, x->copies);
			add_item(set, x, at, 0, half);
		}
	}
	return set;
}

/* Whatever stands for what: the same diff, to the byte. */
static void test_many_as_one(void **state)
{
	struct two *t = *state;
	struct shape *shapes = calloc(SHAPES, sizeof(*shapes));
	unsigned changed = 0, too_few = 0;
	uint32_t seed = 1122;

	for (int round = 0; round < 300; round++) {
		struct buf first, other;

		for (unsigned i = 0; i < SHAPES; i++)
			shape_make(&shapes[i], t->profile, &seed, i);
		buf_init(&first);
		json_of(packed(t->profile, shapes, ONE_BY_ONE), &first);
		for (int how = 1; how <= PACKINGS; how++) {
			buf_init(&other);
			if (how == PACKINGS)
				json_of_parts(t->profile, shapes, &other);
			else
				json_of(packed(t->profile, shapes, (enum packing)how), &other);
			if (strcmp(first.bytes, other.bytes) != 0)
				fail_msg("round %d, packing %d:\n%s%s", round, how, first.bytes,
					 other.bytes);
			buf_fini(&other);
		}
		changed += strstr(first.bytes, "\"changed\"") != NULL;
		too_few += strstr(first.bytes, "\"too_few\"") != NULL;
		buf_fini(&first);
		for (unsigned i = 0; i < SHAPES; i++) {
			free(shapes[i].trace);
			names_fini(&shapes[i].names);
		}
	}
	/* They were worth comparing. */
	assert_true(changed > 100 && too_few > 50);
	free(shapes);
}

/* One way for neighbours behind the same routers. */
static void test_neighbours_share_a_sight(void **state)
{
	static const char *const dsts[] = {NK, "175.45.176.80"};
	struct two *t = *state;
	uint32_t sight[2];
	struct diff_set *set;
	char path[256];

	assert_int_equal(diff_set_new(t->profile, &set), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), UP "219.158.1.1 219.158.1.2 *3 =%s", dsts[i]);
		add_from(t, false, "fra1", dsts[i], path, 0);
		assert_int_equal(diff_set_sight(set, t->before.traces[i], &t->before.names[i],
						&t->before.verdicts[i], &sight[i]), 0);
	}
	assert_int_equal(sight[0], sight[1]);
	diff_set_free(set);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void add_round(struct diff_set *set, enum diff_when side, const char *vantage,
		      const char *id, unsigned done, unsigned missed, enum round_why why,
		      enum round_health health)
{
	struct round r;

	round_init(&r);
	text_set(r.vantage, sizeof(r.vantage), vantage);
	text_set(r.id, sizeof(r.id), id);
	r.done = done;
	r.missed = missed;
	r.expected = done + missed;
	r.why = (uint8_t)why;
	r.health = (uint8_t)health;
	assert_int_equal(diff_set_round(set, side, &r), 0);
}

static const struct diff_vantage *point(const struct diff *d, const char *name)
{
	for (unsigned i = 0; i < d->point_count; i++) {
		if (strcmp(d->points[i].name, name) == 0)
			return &d->points[i];
	}
	fail_msg("%s is not told", name);
	return NULL;
}

/* A vantage point that went offline measured only silence: no outage of its targets. */
static void test_offline_is_no_outage(void **state)
{
	struct two *t = *state;
	struct diff_set *set;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, DANDONG, 0);
	add_from(t, false, "sin1", NK, DANDONG, 0);
	text_set(add_from(t, true, "sin1", NK, "*5", 0)->round, TRACE_ID_TEXT, "r2");
	/* As it looks without the round: */
	compute(t, &d);
	assert_int_equal(d.result, DIFF_RESULT_CHANGED);
	diff_fini(&d);
	set = set_of(t);
	add_round(set, DIFF_BEFORE, "sin1", "r1", 1, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK);
	add_round(set, DIFF_AFTER, "sin1", "r2", 1, 0, ROUND_WHY_NONE, ROUND_HEALTH_OFFLINE);
	assert_int_equal(diff_compute(set, true, &d), 0);
	assert_int_equal(d.result, DIFF_RESULT_SAME);
	assert_int_equal(d.traces_after, 1);
	assert_int_equal(d.vantages, 1);
	assert_int_equal(d.only_before, 1);
	assert_false(point(&d, "sin1")->counted);
	assert_int_equal(point(&d, "sin1")->rounds[DIFF_AFTER].missed, 1);
	assert_int_equal(point(&d, "sin1")->rounds[DIFF_AFTER].why, ROUND_WHY_OFFLINE);
	assert_int_equal(point(&d, "sin1")->rounds[DIFF_BEFORE].missed, 0);
	assert_true(point(&d, "fra1")->counted);
	diff_fini(&d);
	diff_set_free(set);
}

static void test_rounds_are_counted(void **state)
{
	struct two *t = *state;
	struct diff_set *set;
	struct diff d;

	add(t, false, DANDONG, 0);
	add(t, true, DANDONG, 0);
	set = set_of(t);
	add_round(set, DIFF_BEFORE, "fra1", "a", 4, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK);
	add_round(set, DIFF_BEFORE, "fra1", "b", 1, 3, ROUND_WHY_OVERRUN, ROUND_HEALTH_OK);
	add_round(set, DIFF_BEFORE, "fra1", "c", 0, 4, ROUND_WHY_DOWN, ROUND_HEALTH_UNKNOWN);
	add_round(set, DIFF_AFTER, "fra1", "d", 1, 3, ROUND_WHY_STOPPED, ROUND_HEALTH_OK);
	/* Nobody ever measured there: told, not counted. */
	add_round(set, DIFF_AFTER, "tyo1", "e", 0, 4, ROUND_WHY_PROBER, ROUND_HEALTH_UNKNOWN);
	assert_int_equal(diff_compute(set, false, &d), 0);
	assert_int_equal(d.target_count, 0);
	assert_int_equal(d.point_count, 2);
	assert_int_equal(d.points[0].rounds[DIFF_BEFORE].rounds, 3);
	assert_int_equal(d.points[0].rounds[DIFF_BEFORE].missed, 1);
	assert_int_equal(d.points[0].rounds[DIFF_BEFORE].partial, 1);
	/* Why a whole round is missing goes before why a part is. */
	assert_int_equal(d.points[0].rounds[DIFF_BEFORE].why, ROUND_WHY_DOWN);
	assert_int_equal(d.points[0].rounds[DIFF_AFTER].why, ROUND_WHY_STOPPED);
	assert_true(d.points[0].counted);
	assert_string_equal(d.points[1].name, "tyo1");
	assert_false(d.points[1].counted);
	diff_fini(&d);
	diff_set_free(set);
}

/* Rounds of two diffs that become one are those of one set: counts, reasons, who is counted. */
static void test_rounds_of_parts(void **state)
{
	static const struct {
		const char *vantage, *id;
		unsigned done, missed;
		enum round_why why;
		enum round_health health;
		const char *because;
	} rows[] = {
		{"fra1", "a", 1, 3, ROUND_WHY_OVERRUN, ROUND_HEALTH_OK, "a part is missing"},
		{"fra1", "b", 0, 4, ROUND_WHY_DOWN, ROUND_HEALTH_UNKNOWN, "the first whole one"},
		{"fra1", "c", 0, 4, ROUND_WHY_PROBER, ROUND_HEALTH_UNKNOWN, "a later whole one"},
		{"sin1", "e", 1, 0, ROUND_WHY_NONE, ROUND_HEALTH_OFFLINE, "has no traces"},
		{"tyo1", "d", 2, 2, ROUND_WHY_STOPPED, ROUND_HEALTH_OK, "in the second set alone"},
	};
	const unsigned n = sizeof(rows) / sizeof(rows[0]);
	struct two *t = *state;

	add(t, false, DANDONG, 0);
	add(t, true, KHASAN, 0);
	/* Those of a vantage point stay together. */
	for (unsigned cut = 0; cut <= n; cut += cut == 0 ? 3 : 1) {
		struct diff_set *sets[3] = {set_of(t), set_of(t), NULL};
		struct diff parts[2], d;
		struct buf one, two;

		assert_int_equal(diff_set_new(t->profile, &sets[2]), 0);
		for (unsigned i = 0; i < n; i++) {
			add_round(sets[0], DIFF_AFTER, rows[i].vantage, rows[i].id, rows[i].done,
				  rows[i].missed, rows[i].why, rows[i].health);
			add_round(sets[i < cut ? 1 : 2], DIFF_AFTER, rows[i].vantage, rows[i].id,
				  rows[i].done, rows[i].missed, rows[i].why, rows[i].health);
		}
		buf_init(&one);
		buf_init(&two);
		json_of(sets[0], &one);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(diff_compute(sets[1 + i], true, &parts[i]), 0);
			diff_set_free(sets[1 + i]);
		}
		assert_int_equal(diff_join(parts, 2, t->profile, &d), 0);
		json_of_diff(&d, &two);
		assert_non_null(strstr(one.bytes, "\"to\":\"khasan\""));
		assert_string_equal(one.bytes, two.bytes);
		buf_fini(&one);
		buf_fini(&two);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_as_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neighbours_share_a_sight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offline_is_no_outage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rounds_of_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
