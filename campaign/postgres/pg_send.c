// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values that wait get rows: of each kind, those that the store has not are added with one
 * statement, in the order of their hashes, and a second one says which rows all of them have. Who
 * adds the same at the same time waits for the other there, and finds its row.
 */
#include <stdio.h>
#include <stdlib.h>

#include "campaign/postgres/pg_news.h"

enum { DEPENDENT_MAX = 3 };

/* $1 is the hashes (of words: the words), then columns, then what points to other values. */
static const struct kind {
	const char *insert, *find;
	enum pg_type types[PG_COLUMNS_MAX + 1]; /* of the columns; ends with 0 */
} kinds[PG_KINDS] = {
	[PG_KIND_WORD] = {"INSERT INTO word(word) SELECT u.w FROM unnest($1) u(w) WHERE NOT EXISTS"
			  " (SELECT 1 FROM word x WHERE x.word = u.w) ORDER BY u.w COLLATE \"C\""
			  " ON CONFLICT DO NOTHING",
			  "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(w, i)"
			  " JOIN word x ON x.word = u.w",
			  {PG_TEXTS}},
	[PG_KIND_GOAL] =
		{"INSERT INTO goal(hash, key, target, dst, prefix, method, dport, flow)"
		 " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) u(hash) WHERE NOT EXISTS"
		 " (SELECT 1 FROM goal x WHERE x.hash = u.hash) ORDER BY u.hash ON CONFLICT DO "
		 "NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i) JOIN goal x USING "
		 "(hash)",
		 {PG_BYTEAS, PG_TEXTS, PG_INETS, PG_CIDRS, PG_INT2S, PG_INT4S, PG_INT4S}},
	[PG_KIND_SETTINGS] =
		{"INSERT INTO settings(hash, key, src, attempts, stamps, tool)"
		 " SELECT * FROM unnest($1, $2, $3, $4, $5, $6) u(hash) WHERE NOT EXISTS"
		 " (SELECT 1 FROM settings x WHERE x.hash = u.hash) ORDER BY u.hash"
		 " ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i)"
		 " JOIN settings x USING (hash)",
		 {PG_BYTEAS, PG_INETS, PG_INT2S, PG_INT2S, PG_TEXTS}},
	[PG_KIND_HOP] =
		{"INSERT INTO hop(hash, key, ttl, attempt, is_dst, addr, icmp_type, icmp_code,"
		 " reply_ttl, quoted_ttl, mpls) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7,"
		 " $8, $9, $10, $11) u(hash) WHERE NOT EXISTS (SELECT 1 FROM hop x WHERE"
		 " x.hash = u.hash) ORDER BY u.hash ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i) JOIN hop x USING "
		 "(hash)",
		 {PG_BYTEAS, PG_INT2S, PG_INT2S, PG_BOOLS, PG_INETS, PG_INT2S, PG_INT2S, PG_INT2S,
		  PG_INT2S, PG_TEXTS}},
	[PG_KIND_NAME] =
		{"INSERT INTO name(hash, key, addr, asn, org, country, label)"
		 " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) u(hash) WHERE NOT EXISTS"
		 " (SELECT 1 FROM name x WHERE x.hash = u.hash) ORDER BY u.hash ON CONFLICT DO "
		 "NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i) JOIN name x USING "
		 "(hash)",
		 {PG_BYTEAS, PG_INETS, PG_INT8S, PG_TEXTS, PG_TEXTS, PG_TEXTS}},
	[PG_KIND_GEO] =
		{"INSERT INTO geo(hash, asn_db, asn_built, asn_sha256, country_db, country_built,"
		 " country_sha256) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) u(hash) WHERE"
		 " NOT EXISTS (SELECT 1 FROM geo x WHERE x.hash = u.hash) ORDER BY u.hash"
		 " ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i) JOIN geo x USING "
		 "(hash)",
		 {PG_TEXTS, PG_TEXTS, PG_TEXTS, PG_TEXTS, PG_TEXTS, PG_TEXTS}},
	/* $1: the addresses. What was said first of an address stays. */
	[PG_KIND_GEO_NAME] =
		{"INSERT INTO geo_name(addr, geo, name) SELECT * FROM unnest($1, $2, $3)"
		 " u(addr, geo) WHERE NOT EXISTS (SELECT 1 FROM geo_name x WHERE x.geo = u.geo AND"
		 " x.addr = u.addr) ORDER BY u.geo, u.addr ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.name FROM unnest($1, $2) WITH ORDINALITY u(addr, geo, i)"
		 " JOIN geo_name x USING (geo, addr)",
		 {PG_INETS}},
	[PG_KIND_PATH] =
		{"INSERT INTO path(hash, slots, stop, reach, reached_by, first_ttl, max_ttl, sent,"
		 " received, hops, list, as_path, path_hash) SELECT u.hash, u.c2, u.c3, u.c4, u.c5,"
		 " u.c6, u.c7, u.c8, u.c9, u.c10, u.list::integer[], u.as_path, u.path_hash FROM"
		 " unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) u(hash, c2, c3,"
		 " c4, c5, c6, c7, c8, c9, c10, list, as_path, path_hash) WHERE NOT EXISTS"
		 " (SELECT 1 FROM path x WHERE x.hash = u.hash) ORDER BY u.hash"
		 " ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id, x.as_path, x.path_hash FROM unnest($1) WITH ORDINALITY"
		 " u(hash, i) JOIN path x USING (hash)",
		 {PG_INT4S, PG_INT2S, PG_INT2S, PG_INT2S, PG_INT2S, PG_INT2S, PG_INT8S, PG_INT8S,
		  PG_INT2S}},
	[PG_KIND_NAMING] =
		{"INSERT INTO naming(hash, own, geo, as_path, names) SELECT u.hash, u.own, u.geo,"
		 " u.as_path, u.names::integer[] FROM unnest($1, $2, $3, $4, $5) u(hash, own, geo,"
		 " as_path, names) WHERE NOT EXISTS (SELECT 1 FROM naming x WHERE x.hash = u.hash)"
		 " ORDER BY u.hash ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i)"
		 " JOIN naming x USING (hash)",
		 {PG_BOOLS}},
	[PG_KIND_VERDICT] =
		{"INSERT INTO verdict(hash, key, outcome, border, class, confidence, via_asn, rule,"
		 " last_outside_ttl, last_outside_shown, last_outside, first_inside_ttl,"
		 " first_inside_shown, first_inside) SELECT * FROM unnest($1, $2, $3, $4, $5, $6,"
		 " $7, $8, $9, $10, $11, $12, $13, $14) u(hash) WHERE NOT EXISTS (SELECT 1 FROM"
		 " verdict x WHERE x.hash = u.hash) ORDER BY u.hash ON CONFLICT DO NOTHING",
		 "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i)"
		 " JOIN verdict x USING (hash)",
		 {PG_BYTEAS, PG_INT2S, PG_TEXTS, PG_INT2S, PG_FLOAT8S, PG_INT8S, PG_TEXTS, PG_INT2S,
		  PG_BOOLS, PG_INETS, PG_INT2S, PG_BOOLS, PG_INETS}},
	[PG_KIND_JUDGE] = {"INSERT INTO judge(hash, profile, profile_version, judged_us, geo)"
			   " SELECT * FROM unnest($1, $2, $3, $4, $5) u(hash) WHERE NOT EXISTS"
			   " (SELECT 1 FROM judge x WHERE x.hash = u.hash) ORDER BY u.hash"
			   " ON CONFLICT DO NOTHING",
			   "SELECT u.i, x.id FROM unnest($1) WITH ORDINALITY u(hash, i) JOIN judge "
			   "x USING (hash)",
			   {PG_TEXTS, PG_TEXTS, PG_INT8S}},
};

/* Columns that are made of references, and how many. */
struct dependent {
	struct pg_array a[DEPENDENT_MAX];
	enum pg_type types[DEPENDENT_MAX];
	unsigned count;
};

/* "{1,2}", which becomes an integer[] there: an array of arrays of several lengths is none. */
static void put_list(const struct pg_news *n, struct pg_array *a, enum pg_kind kind, uint32_t at,
		     uint32_t count, unsigned step, struct buf *scratch)
{
	buf_clear(scratch);
	buf_char(scratch, '{');
	for (uint32_t i = 0; i < count; i++) {
		char digits[12], *d = digits + sizeof(digits);
		uint32_t v = (uint32_t)pg_row(n, kind, n->refs[at + i * step]);

		*--d = ',';
		do {
			*--d = (char)('0' + v % 10);
			v /= 10;
		} while (v > 0);
		buf_append(scratch, d, (size_t)(digits + sizeof(digits) - d) - (i + 1 == count));
	}
	buf_char(scratch, '}');
	a->count++;
	a->bytes.failed |= scratch->failed;
	pg_put_text(&a->bytes, scratch->bytes != NULL ? scratch->bytes : "");
}

static void depend(struct pg_news *n, enum pg_kind kind, struct dependent *d)
{
	uint32_t count = n->fresh[kind].count;

	for (uint32_t i = 0; i < count; i++) {
		if (kind == PG_KIND_GEO_NAME) {
			pg_array_row(&d->a[0], pg_row(n, PG_KIND_GEO, n->geo_names[i].geo));
			pg_array_row(&d->a[1], pg_row(n, PG_KIND_NAME, n->geo_names[i].name));
		} else if (kind == PG_KIND_PATH) {
			const struct pg_fresh_path *p = &n->paths_of[i];

			put_list(n, &d->a[0], PG_KIND_HOP, p->at, p->count, 1, &n->key);
			pg_array_row(&d->a[1], pg_row(n, PG_KIND_WORD, p->as_path));
			d->a[2].count++;
			if (p->path_hash == 0)
				pg_put_null(&d->a[2].bytes);
			else
				pg_put_i64(&d->a[2].bytes, p->path_hash);
		} else if (kind == PG_KIND_NAMING) {
			const struct pg_fresh_naming *m = &n->namings[i];

			pg_array_row(&d->a[0], pg_row(n, PG_KIND_GEO, m->geo));
			pg_array_row(&d->a[1], pg_row(n, PG_KIND_WORD, m->as_path));
			put_list(n, &d->a[2], PG_KIND_NAME, m->at, m->count, 2, &n->key);
		} else {
			pg_array_row(&d->a[0], pg_row(n, PG_KIND_GEO, n->judge_geos[i]));
		}
	}
}

static void plan_dependent(enum pg_kind kind, struct dependent *d)
{
	static const struct dependent rows[PG_KINDS] = {
		[PG_KIND_GEO_NAME] = {.types = {PG_INT4S, PG_INT4S}, .count = 2},
		[PG_KIND_PATH] = {.types = {PG_TEXTS, PG_INT4S, PG_INT8S}, .count = 3},
		[PG_KIND_NAMING] = {.types = {PG_INT4S, PG_INT4S, PG_TEXTS}, .count = 3},
		[PG_KIND_JUDGE] = {.types = {PG_INT4S}, .count = 1},
	};

	*d = rows[kind];
}

/* Words and geo_names are told apart by their first columns. */
static void param_hashes(struct pg_store *s, enum pg_kind kind)
{
	const struct pg_fresh *f = &s->news->fresh[kind];
	struct pg_array hashes = {0};

	if (kind == PG_KIND_WORD || kind == PG_KIND_GEO_NAME)
		return;
	for (uint32_t i = 0; i < f->count; i++) {
		hashes.count++;
		pg_put_bytes(&hashes.bytes, &f->hashes[i], sizeof(f->hashes[i]));
	}
	pg_param_array(&s->params, PG_UUIDS, &hashes);
	pg_array_fini(&hashes);
}

static int insert(struct pg_store *s, enum pg_kind kind, const struct dependent *d,
		  struct bp_error *err)
{
	const struct pg_fresh *f = &s->news->fresh[kind];

	param_hashes(s, kind);
	for (unsigned i = 0; i < PG_COLUMNS_MAX && kinds[kind].types[i] != 0; i++)
		pg_param_array(&s->params, kinds[kind].types[i], &f->columns[i]);
	for (unsigned i = 0; i < d->count; i++)
		pg_param_array(&s->params, d->types[i], &d->a[i]);
	return pg_query_constant(s, kinds[kind].insert, NULL, err);
}

static void take_row(struct pg_store *s, enum pg_kind kind, const PGresult *res, int row)
{
	struct pg_news *n = s->news;
	struct pg_fresh *f = &n->fresh[kind];
	int64_t nth = pg_get_i64(res, row, 0) - 1;
	int32_t id = pg_get_i32(res, row, 1), extra = 0;
	int64_t more = 0;

	if (nth < 0 || nth >= f->count)
		return;
	f->ids[nth] = id;
	if (kind == PG_KIND_PATH) {
		extra = pg_get_i32(res, row, 2);
		more = pg_get_i64(res, row, 3);
		n->paths_of[nth].row_as_path = extra;
		n->paths_of[nth].row_path_hash = more;
	} else if (kind == PG_KIND_GEO_NAME) {
		n->geo_names[nth].row = id;
	}
	pg_remember(kind == PG_KIND_PATH ? &n->paths : &n->values, &f->hashes[nth], id, extra,
		    more);
}

static int find(struct pg_store *s, enum pg_kind kind, const struct dependent *d,
		struct bp_error *err)
{
	const struct pg_fresh *f = &s->news->fresh[kind];
	PGresult *res;
	int rc, rows;

	param_hashes(s, kind);
	if (kind == PG_KIND_WORD || kind == PG_KIND_GEO_NAME)
		pg_param_array(&s->params, kinds[kind].types[0], &f->columns[0]);
	if (kind == PG_KIND_GEO_NAME)
		pg_param_array(&s->params, d->types[0], &d->a[0]);
	rc = pg_query_constant(s, kinds[kind].find, &res, err);
	if (rc < 0)
		return rc;
	rows = PQntuples(res);
	for (int i = 0; i < rows; i++)
		take_row(s, kind, res, i);
	PQclear(res);
	for (uint32_t i = 0; i < f->count && rc == 0; i++) {
		if (f->ids[i] == 0)
			rc = bp_fail(err, BP_EIO, "%s: a value that was added is not there",
				     s->shown);
	}
	return rc;
}

int pg_values_send(struct pg_store *s, enum pg_kind from, enum pg_kind to, struct bp_error *err)
{
	int rc = 0;

	for (enum pg_kind kind = from; kind <= to && rc == 0; kind++) {
		struct dependent d;

		if (s->news->fresh[kind].count == 0)
			continue;
		plan_dependent(kind, &d);
		if (d.count > 0)
			depend(s->news, kind, &d);
		rc = insert(s, kind, &d, err);
		if (rc == 0)
			rc = find(s, kind, &d, err);
		for (unsigned i = 0; i < DEPENDENT_MAX; i++)
			pg_array_fini(&d.a[i]);
	}
	return rc;
}
