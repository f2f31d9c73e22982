// SPDX-License-Identifier: BSD-2-Clause
/*
 * Databases, names and verdicts as rows. How a database names an address is said once; a trace that
 * was named otherwise has a naming of its own.
 */
#include <stdlib.h>

#include "campaign/pack.h"
#include "campaign/sqlite_intern.h"

static void bind_geo(sqlite3_stmt *st, const struct geo_source *g)
{
	bind_text(st, 1, g->asn_db);
	bind_text(st, 2, g->asn_built);
	bind_text(st, 3, g->asn_sha256);
	bind_text(st, 4, g->country_db);
	bind_text(st, 5, g->country_built);
	bind_text(st, 6, g->country_sha256);
}

int intern_geo(struct sqlite_store *s, const struct geo_source *g, int64_t *out,
	       struct bp_error *err)
{
	sqlite3_stmt *st;
	int64_t id = 0;
	int rc = sql_get(s, STMT_GEO_FIND, &st, err);

	if (rc < 0)
		return rc;
	bind_geo(st, g);
	rc = intern_find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_GEO_ADD, &st, err);
		if (rc == 0) {
			bind_geo(st, g);
			rc = intern_add_row(s, st, &id, err);
		}
	}
	if (rc == 0)
		*out = id;
	return rc;
}

static int bind_name(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
		     struct bp_error *err)
{
	const struct name *n = value;

	(void)s;
	(void)err;
	bind_nonzero(st, 2, n->asn);
	bind_text(st, 3, n->org);
	bind_text(st, 4, n->country);
	bind_text(st, 5, n->label);
	return 0;
}

static int intern_name(struct sqlite_store *s, const struct name *n, int64_t *out,
		       struct bp_error *err)
{
	intern_begin(s, INTERN_NAME);
	value_put_name(&s->key, n);
	return intern_key(s, STMT_NAME_FIND, STMT_NAME_ADD, bind_name, n, out, err);
}

/* How the databases `geo` name an address: the first that was said of it. */
static int geo_name(struct sqlite_store *s, int64_t geo, struct addr a, int64_t name, int64_t *out,
		    struct bp_error *err)
{
	sqlite3_stmt *st;
	int64_t addr = 0, id = 0;
	struct intern_hash h;
	int rc;

	intern_begin(s, INTERN_GEO_NAME);
	pack_varint(&s->key, (uint64_t)geo);
	pack_addr(&s->key, a);
	rc = intern_seen(s, &h, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = intern_addr(s, a, &addr, err);
	if (rc == 0)
		rc = sql_get(s, STMT_GEO_NAME_FIND, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, geo);
	sqlite3_bind_int64(st, 2, addr);
	rc = intern_find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_GEO_NAME_ADD, &st, err);
		if (rc == 0) {
			id = name;
			sqlite3_bind_int64(st, 1, geo);
			sqlite3_bind_int64(st, 2, addr);
			sqlite3_bind_int64(st, 3, name);
			rc = sql_step(s, st, err);
		}
	}
	if (rc < 0)
		return rc;
	intern_remember(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

/* Whether exactly the source, the destination and those who answered are named, as annotate
 * does. */
static bool names_usual(const struct trace *t, const struct names *names)
{
	uint32_t seen = 0;

	/* names are sorted and different: as many as there are different addresses, and all
	 * found. */
	for (uint32_t i = 0; i < names->count; i++) {
		struct addr a = names->items[i].addr;
		bool used = addr_equal(a, t->src) || addr_equal(a, t->dst);

		for (uint32_t k = 0; k < t->entry_count && !used; k++)
			used = addr_equal(a, t->entries[k].reply.from);
		seen += used;
	}
	if (seen != names->count || (addr_is_set(t->src) && !names_find(names, t->src)) ||
	    (addr_is_set(t->dst) && !names_find(names, t->dst)))
		return false;
	for (uint32_t k = 0; k < t->entry_count; k++) {
		struct addr a = t->entries[k].reply.from;

		if (addr_is_set(a) && (k == 0 || !addr_equal(a, t->entries[k - 1].reply.from)) &&
		    names_find(names, a) == NULL)
			return false;
	}
	return true;
}

struct naming_value {
	int64_t geo, as_path;
	bool own;
};

static int bind_naming(struct sqlite_store *s, sqlite3_stmt *st, const void *value,
		       struct bp_error *err)
{
	const struct naming_value *v = value;

	(void)s;
	(void)err;
	sqlite3_bind_int64(st, 2, v->geo);
	sqlite3_bind_int(st, 3, v->own);
	bind_nonzero(st, 4, v->as_path);
	return 0;
}

static int add_naming_names(struct sqlite_store *s, int64_t naming, const struct names *names,
			    const int64_t *ids, struct bp_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < names->count && rc == 0; i++) {
		sqlite3_stmt *st;
		int64_t addr = 0;

		rc = intern_addr(s, names->items[i].addr, &addr, err);
		if (rc == 0)
			rc = sql_get(s, STMT_NAMING_NAME_ADD, &st, err);
		if (rc < 0)
			break;
		sqlite3_bind_int64(st, 1, naming);
		sqlite3_bind_int64(st, 2, addr);
		sqlite3_bind_int64(st, 3, ids[i]);
		rc = sql_step(s, st, err);
	}
	return rc;
}

int intern_naming(struct sqlite_store *s, const struct trace *t, const struct names *names,
		  int64_t geo, int64_t as_path, int64_t *out, bool *own, struct bp_error *err)
{
	struct naming_value v = {.geo = geo, .as_path = as_path};
	int64_t fixed[64], *ids = fixed;
	int rc = 0;

	if (names->count > 64) {
		ids = malloc(names->count * sizeof(*ids));
		if (ids == NULL)
			return intern_no_memory(err);
	}
	v.own = !names_usual(t, names);
	for (uint32_t i = 0; i < names->count && rc == 0; i++) {
		int64_t usual = 0;

		rc = intern_name(s, &names->items[i], &ids[i], err);
		if (rc == 0 && !v.own)
			rc = geo_name(s, geo, names->items[i].addr, ids[i], &usual, err);
		if (rc == 0 && !v.own)
			v.own = usual != ids[i];
	}
	if (rc == 0) {
		intern_begin(s, INTERN_NAMING);
		pack_varint(&s->key, (uint64_t)geo);
		pack_varint(&s->key, (uint64_t)as_path);
		pack_u8(&s->key, v.own);
		for (uint32_t i = 0; v.own && i < names->count; i++)
			pack_varint(&s->key, (uint64_t)ids[i]);
		rc = intern_key(s, STMT_NAMING_FIND, STMT_NAMING_ADD, bind_naming, &v, out, err);
	}
	if (rc == 0 && v.own)
		rc = add_naming_names(s, *out, names, ids, err);
	*own = v.own;
	if (ids != fixed)
		free(ids);
	return rc;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static void bind_place(sqlite3_stmt *st, int at, uint8_t ttl, struct addr from,
		       const struct trace *t)
{
	bind_nonzero(st, at, ttl);
	/* NULL: as the path says; empty: nobody. */
	if (addr_is_set(from) && addr_equal(from, value_addr_at(t, ttl)))
		sqlite3_bind_null(st, at + 1);
	else if (addr_is_set(from))
		bind_addr(st, at + 1, from);
	else
		sqlite3_bind_text(st, at + 1, "", 0, SQLITE_STATIC);
}

static void bind_verdict(sqlite3_stmt *st, const struct verdict *v, const struct trace *t)
{
	sqlite3_bind_int(st, 3, v->outcome);
	bind_text(st, 4, v->border);
	sqlite3_bind_int(st, 5, v->class);
	sqlite3_bind_double(st, 6, v->confidence);
	bind_nonzero(st, 7, v->via_asn);
	bind_text(st, 8, v->rule);
	bind_place(st, 9, v->last_outside_ttl, v->last_outside, t);
	bind_place(st, 11, v->first_inside_ttl, v->first_inside, t);
}

int intern_verdict(struct sqlite_store *s, const struct trace *t, const struct verdict *v,
		   int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int64_t id = 0;
	struct intern_hash h;
	int rc;

	intern_begin(s, INTERN_VERDICT);
	value_put_verdict(&s->key, v, t);
	rc = intern_seen(s, &h, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = sql_get(s, STMT_VERDICT_FIND, &st, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)h.h[0]);
	bind_blob(st, 2, intern_bytes(s), intern_size(s));
	rc = intern_find_row(s, st, &id, err);
	if (rc == 0 && id == 0) {
		rc = sql_get(s, STMT_VERDICT_ADD, &st, err);
		if (rc == 0) {
			sqlite3_bind_int64(st, 1, (int64_t)h.h[0]);
			bind_blob(st, 2, intern_bytes(s), intern_size(s));
			bind_verdict(st, v, t);
			rc = intern_add_row(s, st, &id, err);
		}
	}
	if (rc < 0)
		return rc;
	intern_remember(&s->values, &h, id, 0, 0);
	*out = id;
	return 0;
}

int intern_judge(struct sqlite_store *s, const struct verdict *v, int64_t geo, int64_t at_us,
		 int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st;
	int rc = sql_get(s, STMT_JUDGE_ADD, &st, err);

	if (rc < 0)
		return rc;
	bind_text(st, 1, v->profile);
	bind_text(st, 2, v->profile_version);
	bind_nonzero(st, 3, geo);
	bind_nonzero(st, 4, at_us);
	return intern_add_row(s, st, out, err);
}
