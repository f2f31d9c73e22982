// SPDX-License-Identifier: BSD-2-Clause
/*
 * The views of a store as the plain program sees them: the columns of the CSV tables, in their
 * order and with their values; and the indexes that selections use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <unistd.h>

#include "campaign/sqlite_select.h"
#include "campaign/store.h"
#include "core/record/csv.h"
#include "core/record/format.h"
#include "tests/unit/campaign/engines.h"
#include "tests/unit/campaign/store_compare.h"
#include "tests/unit/core/record/random_trace.h"

#define T0 (INT64_C(1795341600) * NS_PER_S)

struct bed {
	char dir[64], path[STORE_NAME];
	struct store *store;
	struct bp_error err;
};

static int set_up(void **state)
{
	struct server *server = *state;
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_views.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	store_name(server, b->dir, b->path);
	*state = b;
	return store_open(b->path, STORE_WRITE, &b->store, &b->err);
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	store_close(b->store);
	store_gone(b->path);
	rmdir(b->dir);
	free(b);
	return 0;
}

/* --- the cells of a CSV text ------------------------------------------------------------------ */

/* The next cell, unquoted, into out; false at the end of the text. *end: it ends its row. */
static bool next_cell(const char **at, char *out, size_t size, bool *end)
{
	const char *s = *at;
	size_t n = 0;
	bool quoted = *s == '"';

	if (*s == '\0')
		return false;
	s += quoted;
	while (quoted ? *s != '"' || s[1] == '"' : *s != ',' && *s != '\n') {
		s += quoted && *s == '"';
		assert_true(n + 1 < size);
		out[n++] = *s++;
	}
	s += quoted;
	out[n] = '\0';
	*end = *s == '\n';
	*at = s + 1;
	return true;
}

static bool same_cell(const char *a, const char *b)
{
	char *end_a, *end_b;
	double x = strtod(a, &end_a), y = strtod(b, &end_b);

	if (strcmp(a, b) == 0)
		return true;
	return *a && *b && *end_a == '\0' && *end_b == '\0' && fabs(x - y) <= 1e-9 * fabs(x);
}

/* Rows of a CSV text against those of a query, cell for cell. Returns how many rows. */
static unsigned compare(struct bed *b, const char *csv, const char *sql, const char *const *columns,
			const char *but)
{
	struct answer a = ask(b->path, sql);
	unsigned count = a.rows, rows;
	char cell[1024];
	bool end;

	for (unsigned i = 0; columns[i] != NULL; i++)
		assert_string_equal(columns[i], a.names[i]);
	for (rows = 0; rows < count; rows++) {
		for (unsigned i = 0; columns[i] != NULL; i++) {
			const char *text = answer_at(&a, rows, i);

			if (!next_cell(&csv, cell, sizeof(cell), &end))
				fail_msg("row %u: the table has fewer rows", rows);
			assert_int_equal(end, columns[i + 1] == NULL);
			if (strcmp(columns[i], but) != 0 && !same_cell(cell, text ? text : ""))
				fail_msg("row %u, %s: %s in the table, %s in the view", rows,
					 columns[i], cell, text ? text : "nothing");
		}
	}
	assert_int_equal(*csv, '\0');
	answer_fini(&a);
	return rows;
}

/* --- what is written -------------------------------------------------------------------------- */

struct tables {
	struct buf traces, hops, rounds;
};

static int write_tables(void *arg, struct record *r, struct bp_error *err)
{
	struct tables *t = arg;

	(void)err;
	csv_format.write(&t->traces, r, NULL, NULL);
	csv_hops_format.write(&t->hops, r, NULL, NULL);
	csv_rounds_format.write(&t->rounds, r, NULL, NULL);
	return 0;
}

/* As annotate names them, by one database: ways and networks from a small set, so that they
 * repeat. */
static void name_all(struct names *n, const struct trace *t, unsigned database)
{
	struct addr all[2 + 64];
	unsigned count = 0;

	all[count++] = t->src;
	all[count++] = t->dst;
	for (uint32_t i = 0; i < t->entry_count; i++)
		all[count++] = t->entries[i].reply.from;
	for (unsigned i = 0; i < count; i++) {
		struct name *name;

		if (!addr_is_set(all[i]))
			continue;
		name = names_put(n, all[i]);
		assert_non_null(name);
		name->asn = 64500 + (addr_hash(all[i]) + database) % 7;
		name->source = NAME_SOURCE_ASN_DB;
		snprintf(name->org, sizeof(name->org), "Network, \"%u\"", name->asn);
		strcpy(name->country, "DE");
	}
	snprintf(n->geo.asn_sha256, sizeof(n->geo.asn_sha256), "asn%u", database);
	snprintf(n->geo.country_sha256, sizeof(n->geo.country_sha256), "country%u", database);
}

static void put_random(struct bed *b, unsigned count)
{
	uint64_t seed = 4711;

	assert_int_equal(store_begin(b->store, &b->err), 0);
	for (unsigned i = 0; i < count; i++) {
		struct trace *t = rnd_trace(&seed, (uint32_t)rnd_below(&seed, 30));
		struct names names;
		struct verdict v;

		names_init(&names);
		snprintf(t->id, sizeof(t->id), "v-run-%u", i);
		strcpy(t->vantage, "v");
		/* The view tells moments of the years that SQLite's calendar has in common with
		 * ours. */
		t->start.ns = T0 + i * NS_PER_S;
		t->end.ns = i % 5 ? t->start.ns + NS_PER_S + i : 0;
		if (i % 3 == 0)
			rnd_names(&seed, t, &names);
		else
			name_all(&names, t, i / 40);
		rnd_verdict(&seed, &v);
		v.judged = i % 7 != 0;
		if (v.outcome != OUTCOME_BORDER)
			v.border[0] = '\0';
		/* A place is a TTL and who is there. */
		if (v.last_outside_ttl == 0)
			v.last_outside = (struct addr){0};
		if (v.first_inside_ttl == 0)
			v.first_inside = (struct addr){0};
		if (t->entry_count > 0 && i % 2 == 0) {
			v.last_outside_ttl = t->entries[t->entry_count / 2].ttl;
			v.last_outside = value_addr_at(t, v.last_outside_ttl);
		}
		assert_int_equal(store_add_trace(b->store, t, &names, &v, &b->err), 0);
		names_fini(&names);
		free(t);
	}
	assert_int_equal(store_commit(b->store, &b->err), 0);
}

static void views_are_the_tables(void **state)
{
	struct bed *b = *state;
	struct tables t = {0};
	struct store_select all = {0};

	put_random(b, 200);
	assert_int_equal(store_read(b->store, &all, write_tables, &t, &b->err), 0);
	assert_int_equal(compare(b, t.traces.bytes, "SELECT * FROM traces ORDER BY n",
				 csv_trace_columns, "judged_at"),
			 200);
	assert_true(compare(b, t.hops.bytes, "SELECT * FROM hops ORDER BY n, ttl, attempt, nth",
			    csv_hop_columns, "") > 1000);
	buf_fini(&t.traces);
	buf_fini(&t.hops);
	buf_fini(&t.rounds);
}

static void the_view_of_rounds_is_the_table(void **state)
{
	struct bed *b = *state;
	struct tables t = {0};
	struct store_select all = {0};
	bool already;

	assert_int_equal(store_begin(b->store, &b->err), 0);
	for (unsigned i = 0; i < 20; i++) {
		struct round r;

		round_init(&r);
		strcpy(r.campaign, "c, \"d\"");
		strcpy(r.vantage, "v");
		r.planned.ns = T0 + i * 900 * NS_PER_S;
		round_set_id(&r);
		r.start.ns = i % 3 ? r.planned.ns + 123456000 : 0;
		r.end.ns = i % 3 ? r.start.ns + NS_PER_S : 0;
		r.expected = i;
		r.missed = i / 2;
		r.done = i - r.missed;
		r.why = (uint8_t)(r.missed ? 1 + i % ROUND_WHY_TARGETS : 0);
		r.health = (uint8_t)(i % 4);
		r.reference_asked = (uint16_t)(i % 4);
		r.reference_answered = (uint16_t)(i % 2);
		r.egress_asn = i % 4 ? 64500 + i : 0;
		r.transit_asn = i % 5 ? 64600 + i : 0;
		r.changed = (uint8_t)(i % 8);
		if (i % 2)
			r.source = addr_v4((const uint8_t[]){192, 0, 2, 1});
		if (i % 6)
			r.public_addr = addr_v4((const uint8_t[]){203, 0, 113, 1});
		strcpy(r.note, i % 2 ? "a note, so" : "");
		assert_int_equal(store_add_round(b->store, &r, &already, &b->err), 0);
	}
	assert_int_equal(store_commit(b->store, &b->err), 0);
	assert_int_equal(store_read(b->store, &all, write_tables, &t, &b->err), 0);
	assert_int_equal(compare(b, t.rounds.bytes, "SELECT * FROM rounds ORDER BY planned_utc",
				 csv_round_columns, ""),
			 20);
	buf_fini(&t.rounds);
}

/* --- judgements ------------------------------------------------------------------------------- */

static void judgements_are_rows(void **state)
{
	struct bed *b = *state;
	struct verdict v = {.judged = true,
			    .outcome = OUTCOME_BORDER,
			    .border = "khasan",
			    .profile = "p",
			    .profile_version = "9"};
	unsigned judged = 200 - (200 + 6) / 7;

	put_random(b, 200);
	assert_int_equal(number(b->path, "SELECT count(*) FROM judgements"), judged);
	assert_int_equal(store_begin(b->store, &b->err), 0);
	/* 7 was never judged, 8 was; twice. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(store_add_judgement(b->store, i ? "v-run-8" : "v-run-7", NULL, &v,
						     (struct wall){T0 + i * NS_PER_S}, &b->err),
				 0);
	assert_int_equal(store_commit(b->store, &b->err), 0);
	assert_int_equal(number(b->path, "SELECT count(*) FROM judgements"), judged + 3);
	assert_int_equal(number(b->path,
				"SELECT count(*) FROM judgements WHERE trace_id = 'v-run-8'"),
			 3);
	assert_int_equal(number(b->path,
				"SELECT count(*) FROM traces WHERE trace_id IN ('v-run-7',"
				" 'v-run-8') AND border = 'khasan' AND profile_version = '9'"),
			 2);
	assert_int_equal(number(b->path,
				"SELECT judged_at = '2026-11-22T10:00:02.000000000Z' FROM traces"
				" WHERE trace_id = 'v-run-8'"),
			 1);
}

static void what_was_dropped_is_rolled_up(void **state)
{
	struct bed *b = *state;
	uint64_t dropped = 0;
	int64_t min;

	put_random(b, 200);
	min = number(b->path, "SELECT min(rtt_min_ms) * 1000 FROM traces");
	assert_int_equal(number(b->path, "SELECT count(*) FROM hours"), 0);
	/* In two steps, through the midst of an hour: the same row twice. */
	assert_int_equal(store_retire(b->store, NULL, NULL, (struct wall){T0 + 77 * NS_PER_S},
				  true, &dropped, &b->err),
			 0);
	assert_int_equal(dropped, 77);
	assert_int_equal(store_retire(b->store, NULL, NULL, (struct wall){T0 + 900 * NS_PER_S},
				  true, &dropped, &b->err),
			 0);
	assert_int_equal(dropped, 123);
	assert_int_equal(number(b->path, "SELECT count(*) FROM trace"), 0);
	assert_int_equal(number(b->path, "SELECT sum(traces) FROM hours WHERE hour_utc ="
					 " '2026-11-22T10:00:00.000000000Z' AND vantage = 'v'"),
			 200);
	assert_int_equal(number(b->path, "SELECT min(rtt_min_ms) * 1000 FROM hours"), min);
	assert_int_equal(number(b->path, "SELECT count(*) FROM judgement"), 0);
}

/* Silence of a vantage point that was cut off is not an hour's outage of its targets. */
static void what_was_heard_offline_is_not_rolled_up(void **state)
{
	struct bed *b = *state;
	uint64_t dropped = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct trace *t = trace_new(0);
		struct round r;
		bool already;

		round_init(&r);
		text_set(r.campaign, sizeof(r.campaign), "c");
		text_set(r.vantage, sizeof(r.vantage), "v");
		r.planned.ns = r.start.ns = T0 + i * 900 * NS_PER_S;
		round_set_id(&r);
		r.expected = 1;
		r.done = i;
		r.missed = !i;
		r.health = i == 0 ? ROUND_HEALTH_OFFLINE : ROUND_HEALTH_OK;
		snprintf(t->id, sizeof(t->id), "v-run1-%u", i);
		text_set(t->campaign, sizeof(t->campaign), r.campaign);
		text_set(t->vantage, sizeof(t->vantage), r.vantage);
		text_set(t->round, sizeof(t->round), r.id);
		t->start = t->end = r.start;
		t->stop = STOP_GAP_LIMIT;
		t->reach = REACH_SILENT;
		assert_int_equal(store_begin(b->store, &b->err), 0);
		assert_int_equal(store_add_trace(b->store, t, NULL, NULL, &b->err), 0);
		assert_int_equal(store_add_round(b->store, &r, &already, &b->err), 0);
		assert_int_equal(store_commit(b->store, &b->err), 0);
		free(t);
	}
	assert_int_equal(store_retire(b->store, NULL, NULL, (struct wall){T0 + 7200 * NS_PER_S},
				      true, &dropped, &b->err),
			 0);
	assert_int_equal(dropped, 2);
	assert_int_equal(number(b->path, "SELECT sum(traces) FROM hours"), 1);
	assert_int_equal(number(b->path, "SELECT sum(reached) FROM hours"), 0);
}

static void salvage_keeps_every_judgement(void **state)
{
	struct bed *b = *state;
	struct verdict v = {.judged = true,
			    .outcome = OUTCOME_BORDER,
			    .border = "khasan",
			    .profile = "p",
			    .profile_version = "9"};
	struct store_salvage saved;
	int64_t before, hours;
	uint64_t dropped;
	char to[STORE_NAME + 8];

	put_random(b, 90);
	/* All that is left of these are their hours. */
	assert_int_equal(store_retire(b->store, NULL, NULL, (struct wall){T0 + 5 * NS_PER_S}, true,
				      &dropped, &b->err),
			 0);
	assert_int_equal(dropped, 5);
	hours = number(b->path, "SELECT sum(traces) FROM hours WHERE vantage = 'v'");
	assert_true(hours > 0);
	assert_int_equal(store_begin(b->store, &b->err), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(store_add_judgement(b->store, "v-run-8", NULL, &v,
						     (struct wall){T0 + i * NS_PER_S}, &b->err),
				 0);
	assert_int_equal(store_commit(b->store, &b->err), 0);
	before = number(b->path, "SELECT count(*) FROM judgements");
	number(b->path, "UPDATE judge SET judged_us = 5000000 WHERE id = (SELECT max(judge) FROM"
			" segment)");
	snprintf(to, sizeof(to), "%s.new", b->path);
	if (store_salvage(b->path, to, &saved, &b->err) != 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(saved.traces, 85);
	assert_int_equal(saved.lost, 0);
	assert_int_equal(number(to, "SELECT count(*) FROM judgements"), before);
	assert_int_equal(number(to, "SELECT sum(traces) FROM hours WHERE vantage = 'v'"), hours);
	assert_int_equal(number(to, "SELECT count(*) FROM judgements WHERE trace_id = 'v-run-8'"),
			 4);
	assert_int_equal(number(to, "SELECT count(*) FROM traces WHERE trace_id = 'v-run-8' AND"
				    " judged_at = '2026-11-22T10:00:02.000000000Z'"),
			 1);
	assert_true(number(to, "SELECT count(*) FROM judgements WHERE judged_at ="
			       " '1970-01-01T00:00:05.000000000Z'") > 0);
	unlink(to);
}

/* --- indexes ---------------------------------------------------------------------------------- */

static void selections_use_an_index(void **state)
{
	static const struct {
		const char *why;
		struct store_select select;
		const char *index;
	} rows[] = {
		{"a window over all", {.since = {T0}, .until = {T0 + 1}}, "segment_by_start"},
		{"a window of one",
		 {.since = {T0}, .until = {T0 + 1}, .vantage = "v"},
		 "segment_by_vantage"},
		{"all of one", {.vantage = "v"}, "segment_by_vantage"},
		{"a campaign", {.since = {T0}, .campaign = "c"}, "segment_by_start"},
	};
	struct bed *b = *state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct select_list *list;
		struct answer a;
		char sql[8192];
		struct buf plan = {0};

		assert_int_equal(select_list_open((struct sqlite_store *)b->store, &rows[i].select,
						  &list, &b->err),
				 0);
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(list->st));
		select_list_close(list);
		a = ask(b->path, sql);
		for (unsigned k = 0; k < a.rows; k++)
			buf_printf(&plan, "%s\n", answer_at(&a, k, 3));
		answer_fini(&a);
		if (strstr(plan.bytes, rows[i].index) == NULL ||
		    strstr(plan.bytes, "SCAN segment") != NULL ||
		    strstr(plan.bytes, "SCAN round") != NULL)
			fail_msg("%s:\n%s", rows[i].why, plan.bytes);
		buf_fini(&plan);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest both[] = {
		T(views_are_the_tables),
		T(the_view_of_rounds_is_the_table),
		T(judgements_are_rows),
		T(what_was_dropped_is_rolled_up),
		T(what_was_heard_offline_is_not_rolled_up),
	};
	const struct CMUnitTest files[] = {
		T(salvage_keeps_every_judgement),
		T(selections_use_an_index),
	};

	return RUN_ON_ENGINES(both, files);
}
