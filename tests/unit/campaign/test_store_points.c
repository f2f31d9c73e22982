// SPDX-License-Identifier: BSD-2-Clause
/*
 * Points of a store are those of its records: what store_points gives is what point_of_trace makes
 * of what store_read gives, in the same order, for whatever a store may hold.
 */
#include "tests/unit/campaign/points_bed.h"

static void points_are_those_of_records(void **state)
{
	struct bed *b = *state;

	fill(b, 42, 24);
	compare(b, NULL);
}

static void whatever_a_record_holds(void **state)
{
	struct bed *b = *state;
	struct store *store;
	uint64_t s = 4711;

	assert_int_equal(store_open(b->path, STORE_WRITE, &store, &b->err), 0);
	assert_int_equal(store_begin(store, &b->err), 0);
	for (unsigned i = 0; i < 300; i++) {
		struct trace *t = rnd_trace(&s, (uint32_t)rnd_below(&s, 30));
		struct verdict *v = calloc(1, sizeof(*v));
		struct names names;

		/* A server takes few days that are still to come. */
		while (t->start.ns > T0) {
			t->start.ns -= T0 - NS_PER_S;
			t->end.ns -= t->end.ns > T0 ? T0 - NS_PER_S : 0;
		}
		names_init(&names);
		rnd_names(&s, t, &names);
		rnd_verdict(&s, v);
		if (rnd_one_in(&s, 2))
			strcpy(v->profile, "test");
		assert_int_equal(store_add_trace(store, t, &names, v, &b->err), 0);
		names_fini(&names);
		free(t);
		free(v);
		/* Of days all over the calendar one transaction takes few. */
		if (i % 50 == 49 && i < 299) {
			assert_int_equal(store_commit(store, &b->err), 0);
			assert_int_equal(store_begin(store, &b->err), 0);
		}
	}
	assert_int_equal(store_commit(store, &b->err), 0);
	store_close(store);
	compare(b, NULL);
}

static void the_same_are_selected(void **state)
{
	struct bed *b = *state;
	struct store_select some[] = {
		{.since = {T0 + 1000 * NS_PER_S}},
		{.since = {T0 + 905 * NS_PER_S}, .until = {T0 + 1820 * NS_PER_S}},
		{.vantage = "v"},
		{.vantage = "nobody"},
		{.campaign = "c", .method = METHOD_TCP},
		{.target = "175.45.176.2"},
		{.border = "khasan"},
		{.rounds_only = true},
		{.method = METHOD_UDP},
	};

	fill(b, 7, 12);
	assert_int_equal(prefix_parse("175.45.177.0/24", &some[8].prefix), 0);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		compare(b, &some[i]);
}

/* A judgement anew is what counts, and its names. */
static int rejudge(void *arg, struct record *r, struct bp_error *err)
{
	struct store *to = arg;
	struct verdict *v = &r->verdict;

	if (r->kind != RECORD_TRACE || r->trace->id[0] == '\0')
		return 0;
	judge(&(uint64_t){addr_hash(r->trace->dst) + r->trace->entry_count + 1}, r->trace, v);
	v->judged = true;
	strcpy(v->profile, "test");
	for (uint32_t i = 0; i < r->names.count; i++)
		r->names.items[i].asn = 64501;
	return store_add_judgement(to, r->trace->id, &r->names, v, (struct wall){T0}, err);
}

static void judged_anew(void **state)
{
	struct bed *b = *state;
	struct store *from, *to;

	fill(b, 99, 6);
	assert_int_equal(store_open(b->path, STORE_READ, &from, &b->err), 0);
	assert_int_equal(store_open(b->path, STORE_WRITE, &to, &b->err), 0);
	assert_int_equal(store_begin(to, &b->err), 0);
	if (store_read(from, NULL, rejudge, to, &b->err) != 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(store_commit(to, &b->err), 0);
	store_close(from);
	store_close(to);
	compare(b, NULL);
}

static void names_are_one_pointer(void **state)
{
	struct bed *b = *state;
	struct both x;
	unsigned checked = 0;

	fill(b, 5, 8);
	both_init(&x, b);
	assert_int_equal(by_points(&x, NULL), 0);
	for (unsigned i = 0; i < x.count; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (x.items[i].is_round || x.items[k].is_round)
				continue;
			assert_int_equal(x.items[i].p.vantage == x.items[k].p.vantage,
					 strcmp(x.items[i].vantage, x.items[k].vantage) == 0);
			assert_int_equal(x.items[i].p.round == x.items[k].p.round,
					 strcmp(x.items[i].round, x.items[k].round) == 0);
			checked++;
		}
	}
	assert_true(checked > 1000);
	both_fini(&x);
}

static void who_takes_points_may_stop_and_read(void **state)
{
	struct bed *b = *state;
	struct both x;

	fill(b, 11, 4);
	both_init(&x, b);
	x.stop_at = 50;
	assert_int_equal(by_points(&x, NULL), BP_EIO);
	assert_string_equal(b->err.text, "enough");
	assert_int_equal(x.count, 50);
	/* And begin anew. */
	x.stop_at = x.count = 0;
	assert_int_equal(by_points(&x, NULL), 0);
	assert_true(x.count > 100);
	both_fini(&x);
}

/* More than an engine reads at once, so that it reads ahead; and whoever takes them asks for others
 * meanwhile, and for what he is being given. */
struct many {
	struct store *store;
	unsigned count, stop_at, asked;
	int64_t first;
};

static void ask_meanwhile(struct many *m, int64_t example, struct wall start)
{
	struct bp_error err;
	struct trace *t;
	struct record r;

	if (m->first == 0)
		m->first = example;
	assert_int_equal(store_trace_bare(m->store, example, &t, &err), 0);
	assert_int_equal(t->start.ns, start.ns);
	free(t);
	if (++m->asked % 20 != 0)
		return;
	record_init(&r);
	assert_int_equal(store_trace(m->store, m->first, &r, &err), 0);
	assert_string_equal(r.trace->id, "v-run-0");
	record_fini(&r);
	record_init(&r);
	assert_int_equal(store_trace(m->store, example, &r, &err), 0);
	assert_int_equal(r.trace->start.ns, start.ns);
	record_fini(&r);
}

static int take_many(void *arg, const struct point *p, struct bp_error *err)
{
	struct many *m = arg;

	if (m->count++ % 50 == 0)
		ask_meanwhile(m, p->example, p->start);
	return m->count == m->stop_at ? bp_fail(err, BP_EIO, "enough") : 0;
}

static int take_group(void *arg, const struct store_group *g, struct bp_error *err)
{
	struct many *m = arg;

	(void)err;
	if (m->count % 50 == 0)
		ask_meanwhile(m, g->example, g->first);
	m->count += g->count;
	return 0;
}

static void many_are_read_ahead(void **state)
{
	enum { ROUNDS = 3, TRACES = 9000 };
	struct bed *b = *state;
	struct both x;
	struct many m = {0};

	make_store(b, ROUNDS, TRACES);
	both_init(&x, b);
	m.store = x.store;
	const struct store_points to = {x.profile, &x.nodes, &x.room, take_many, NULL, &m};

	for (unsigned i = 0; i < 2; i++) {
		m.count = 0;
		m.stop_at = i == 0 ? TRACES + 10 : 0;
		assert_int_equal(store_points(x.store, NULL, &to, &b->err), i == 0 ? BP_EIO : 0);
		assert_int_equal(m.count, i == 0 ? TRACES + 10 : ROUNDS * TRACES);
	}
	m = (struct many){.store = x.store};
	assert_int_equal(store_groups(x.store, NULL, take_group, &m, &b->err), 0);
	assert_int_equal(m.count, ROUNDS * TRACES);
	both_fini(&x);
}

/* Two stores read piece by piece, by time, are as their moments say. */
static void pieces_come_by_time(void **state)
{
	struct bed *b = *state;
	struct both x;
	struct store_point_reader *r;
	struct wall at, last = {INT64_MIN};
	unsigned pieces = 0;
	int rc;

	fill(b, 13, 10);
	both_init(&x, b);
	assert_int_equal(store_points_open(x.store, NULL,
					   &(struct store_points){x.profile, &x.nodes, &x.room,
								  see, NULL, &x}, &r, &b->err), 0);
	while ((rc = store_points_next(r, &at, &b->err)) == 1) {
		unsigned before = x.count;

		assert_true(at.ns >= last.ns);
		last = at;
		/* Asked again it says the same. */
		assert_int_equal(store_points_next(r, &at, &b->err), 1);
		assert_int_equal(at.ns, last.ns);
		assert_int_equal(store_points_give(r, &b->err), 0);
		if (x.count > before && x.items[before].p.start.ns != 0)
			assert_true(x.items[before].p.start.ns >= at.ns);
		pieces++;
	}
	assert_int_equal(rc, 0);
	assert_true(pieces >= 20);
	store_points_close(r);
	both_fini(&x);
}

static void damage_is_told(void **state)
{
	struct bed *b = *state;
	static const char *const harm[] = {
		"UPDATE path SET list = x'02ffff' WHERE id = 3",
		"UPDATE hop SET key = x'00' WHERE id = 2",
		"UPDATE goal SET key = x'00ff' WHERE id = 1",
		"UPDATE verdict SET key = x'ff'",
		"UPDATE trace SET settings = 99999 WHERE n = 20",
		"UPDATE trace SET start = 8000000000000000 WHERE n = 9",
		"UPDATE round SET json = '{}'",
	};

	for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		struct both x;
		sqlite3 *db;

		remove(b->path);
		fill(b, 3, 4);
		assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
		if (sqlite3_exec(db, harm[i], NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s: %s", harm[i], sqlite3_errmsg(db));
		sqlite3_close(db);
		both_init(&x, b);
		if (by_points(&x, NULL) != BP_EPARSE)
			fail_msg("%s", harm[i]);
		assert_line(&b->err);
		both_fini(&x);
	}
}

/* A body is looked at by its slots only: whatever its bytes, a time is one or none. */
static void hostile_bodies(void **state)
{
	struct bed *b = *state;
	struct both x;
	sqlite3 *db;

	fill(b, 17, 6);
	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE trace SET body = CASE n % 4 WHEN 0 THEN x''"
				      " WHEN 1 THEN randomblob(n % 40) WHEN 2 THEN substr(body, 1,"
				      " 3) ELSE x'1f' END", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	both_init(&x, b);
	assert_int_equal(by_points(&x, NULL), 0);
	for (unsigned i = 0; i < x.count; i++) {
		assert_in_range(x.items[i].p.rtt_min_ns + 1, 0, TRACE_NS_MAX + 1);
		assert_in_range(x.items[i].p.outside_rtt_ns + 1, 0, TRACE_NS_MAX + 1);
	}
	both_fini(&x);
}

int main(void)
{
	const struct CMUnitTest both[] = {
		T(points_are_those_of_records), T(whatever_a_record_holds),
		T(the_same_are_selected),	T(judged_anew),
		T(names_are_one_pointer),	T(who_takes_points_may_stop_and_read),
		T(pieces_come_by_time),		T(many_are_read_ahead),
	};
	const struct CMUnitTest files[] = {
		T(damage_is_told),
		T(hostile_bodies),
	};

	return RUN_ON_ENGINES(both, files);
}
