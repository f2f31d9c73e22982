// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that nothing refers to any more go, and nothing else: a store that is swept gives back
 * what one that is not gives back, also what was written between the pieces of the sweep, of values
 * that were about to go.
 */
#include "tests/unit/campaign/store_bed.h"

#include "core/record/jsonl.h"

enum { TRACES = 20, HOPS = 8, STEPS_MAX = 10000 };

/* Of the same content, whatever the slot: the same values. */
static void add_trace(struct store *s, const struct round *r, unsigned slot, unsigned content,
		      unsigned i, struct bp_error *err)
{
	struct trace *t = trace_new(HOPS);
	struct verdict v = {.judged = true, .profile = "p", .confidence = 0.9,
			    .last_outside_ttl = 2, .outcome = OUTCOME_BORDER,
			    .class = CLASS_BORDER, .border = "dandong"};
	struct names names;

	assert_non_null(t);
	names_init(&names);
	snprintf(t->id, sizeof(t->id), "v-run-%u", slot * 1000 + i);
	strcpy(t->vantage, "v");
	strcpy(t->campaign, "c");
	strcpy(t->round, r->id);
	snprintf(t->target, sizeof(t->target), "t%u-%u", content, i);
	t->dst = addr_v4((const uint8_t[]){192, 0, (uint8_t)content, (uint8_t)i});
	snprintf(t->tool, sizeof(t->tool), "tool %u", content);
	t->start.ns = r->planned.ns + i * NS_PER_S;
	for (unsigned k = 0; k < HOPS; k++) {
		struct trace_entry *e = &t->entries[t->entry_count++];
		struct name *n;

		trace_entry_init(e, (uint8_t)(k + 1), 1);
		e->why = WHY_NONE;
		e->reply.from = addr_v4((const uint8_t[]){10, (uint8_t)content, (uint8_t)i,
							  (uint8_t)k});
		e->reply.rtt_ns = (k + 1) * NS_PER_MS + slot * 1000;
		n = names_put(&names, e->reply.from);
		assert_non_null(n);
		n->asn = 64500 + k;
		n->source = NAME_SOURCE_ASN_DB;
		/* Now and then a name differs from what the database says elsewhere. */
		snprintf(n->org, sizeof(n->org), "org %u", content * 10 + (slot % 3 == 0 && k == 1));
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	snprintf(names.geo.asn_db, sizeof(names.geo.asn_db), "asn.mmdb");
	snprintf(names.geo.asn_built, sizeof(names.geo.asn_built), "2026-01-%02u",
		 content / 4 % 28 + 1);
	snprintf(v.profile_version, sizeof(v.profile_version), "%u", content / 8);
	v.last_outside = t->entries[1].reply.from;
	if (store_add_trace(s, t, &names, &v, err) < 0)
		fail_msg("%s", err->text);
	names_fini(&names);
	free(t);
}

static void add_round(struct store *s, unsigned slot, unsigned content)
{
	struct bp_error err = {0};
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = r.start.ns = T0 + slot * 900 * NS_PER_S;
	r.end.ns = r.start.ns + 800 * NS_PER_S;
	r.expected = r.done = r.traces = TRACES;
	round_set_id(&r);
	assert_int_equal(store_begin(s, &err), 0);
	for (unsigned i = 0; i < TRACES; i++)
		add_trace(s, &r, slot, content, i, &err);
	assert_int_equal(store_add_round(s, &r, &already, &err), 0);
	assert_int_equal(store_commit(s, &err), 0);
}

/* --- two stores with the same in them --------------------------------------------------------- */

struct pair { struct store *swept, *other; };

static struct store *open_store(struct bed *b, const char *name)
{
	struct store *s;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	if (store_open(path, STORE_WRITE, &s, &b->err) < 0)
		fail_msg("%s", b->err.text);
	return s;
}

static void both(const struct pair *p, unsigned slot, unsigned content)
{
	add_round(p->swept, slot, content);
	add_round(p->other, slot, content);
}

static int add_line(void *arg, struct record *r, struct bp_error *err)
{
	struct buf *all = arg;

	(void)err;
	if (r->kind == RECORD_TRACE)
		jsonl_write_trace(all, r->trace, &r->names, &r->verdict);
	else
		buf_append(all, r->line, r->line_size);
	return all->failed ? BP_ENOMEM : 0;
}

static void read_all(struct store *s, struct buf *all)
{
	struct bp_error err = {0};

	buf_init(all);
	if (store_read(s, NULL, add_line, all, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_same(struct bed *b, const struct pair *p)
{
	struct buf mine, theirs;

	(void)b;
	read_all(p->swept, &mine);
	read_all(p->other, &theirs);
	assert_true(mine.used > 1000);
	assert_int_equal(mine.used, theirs.used);
	assert_memory_equal(mine.bytes, theirs.bytes, mine.used);
	buf_fini(&mine);
	buf_fini(&theirs);
}

static int64_t rows(struct bed *b, const char *name, const char *sql)
{
	sqlite3_stmt *st;
	char path[128];
	sqlite3 *db;
	int64_t n;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void retire(struct store *s, unsigned slot)
{
	struct wall before = {T0 + slot * 900 * NS_PER_S};
	struct bp_error err = {0};
	uint64_t dropped;
	bool more = true;

	assert_int_equal(store_retire(s, NULL, NULL, before, false, &dropped, &err), 0);
	while (more)
		assert_int_equal(store_retire_rounds(s, before, INT64_MAX, &dropped, &more, &err),
				 0);
}

static uint64_t sweep(struct store *s)
{
	struct bp_error err = {0};
	uint64_t some, sum = 0;
	bool more = true;

	for (unsigned i = 0; more; i++) {
		assert_true(i < STEPS_MAX);
		if (store_sweep_some(s, &some, &more, &err) < 0)
			fail_msg("%s", err.text);
		sum += some;
	}
	return sum;
}

/* Of a table: rows that nothing refers to. */
static const struct { const char *table, *dead; } tables[] = {
	{"path", "SELECT count(*) FROM path WHERE id NOT IN (SELECT path FROM trace)"},
	{"verdict", "SELECT count(*) FROM verdict WHERE id NOT IN (SELECT verdict FROM trace)"},
	{"goal", "SELECT count(*) FROM goal WHERE id NOT IN (SELECT goal FROM trace)"},
	{"settings", "SELECT count(*) FROM settings WHERE id NOT IN (SELECT settings FROM trace)"},
	{"name", "SELECT count(*) FROM name WHERE id NOT IN (SELECT name FROM geo_name UNION"
		 " SELECT name FROM naming_name)"},
	{"geo_name", "SELECT count(*) FROM geo_name WHERE geo NOT IN (SELECT id FROM geo)"},
	{"naming_name", "SELECT count(*) FROM naming_name WHERE naming NOT IN"
			" (SELECT id FROM naming)"},
	{"hop", "SELECT count(*) - (SELECT count(DISTINCT addr) FROM hop) FROM hop"},
};

static void what_nothing_refers_to_goes_and_nothing_else(void **state)
{
	struct bed *b = *state;
	struct pair p = {open_store(b, "swept.db"), open_store(b, "other.db")};
	int64_t before;

	for (unsigned slot = 0; slot < 40; slot++)
		both(&p, slot, slot);
	assert_same(b, &p);
	/* Nothing is dead: nothing goes. */
	assert_int_equal(sweep(p.swept), 0);
	retire(p.swept, 30);
	retire(p.other, 30);
	before = rows(b, "swept.db", "SELECT count(*) FROM text");
	assert_true(sweep(p.swept) > 30 * TRACES);
	assert_same(b, &p);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (rows(b, "swept.db", tables[i].dead) > 1)
			fail_msg("%s: %lld rows are dead", tables[i].table,
				 (long long)rows(b, "swept.db", tables[i].dead));
	}
	assert_true(rows(b, "swept.db", "SELECT count(*) FROM text") < before / 3);
	assert_true(rows(b, "swept.db", "SELECT count(*) FROM hop") < 11 * TRACES * HOPS);
	assert_int_equal(sweep(p.swept), 0);
	/* What comes again is added again. */
	both(&p, 41, 3);
	both(&p, 42, 35);
	assert_same(b, &p);
	store_close(p.swept);
	store_close(p.other);
}

/* Another process writes between any two pieces, of what is about to go. */
static void what_comes_back_meanwhile_stays(void **state)
{
	struct bed *b = *state;
	struct pair p = {open_store(b, "swept.db"), open_store(b, "other.db")};
	struct store *sweeper;
	struct bp_error err = {0};
	uint64_t some, sum = 0;
	unsigned slot = 40;
	bool more = true;

	for (unsigned at = 0; at < slot; at++)
		both(&p, at, at);
	retire(p.swept, 30);
	retire(p.other, 30);
	sweeper = open_store(b, "swept.db");
	for (; more; slot++) {
		assert_true(slot < 240);
		if (store_sweep_some(sweeper, &some, &more, &err) < 0)
			fail_msg("%s", err.text);
		sum += some;
		both(&p, slot, slot % 30);
		if (slot % 5 == 0)
			both(&p, 300 + slot, 100 + slot);
	}
	assert_true(slot > 50);
	assert_true(sum > 0);
	assert_same(b, &p);
	retire(p.swept, slot - 2);
	retire(p.other, slot - 2);
	sweep(sweeper);
	assert_same(b, &p);
	store_close(sweeper);
	store_close(p.swept);
	store_close(p.other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_nothing_refers_to_goes_and_nothing_else),
		T(what_comes_back_meanwhile_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
