// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values as references: packed, hashed, looked for among what is known and what waits; new ones
 * leave their columns to wait. Columns are in the order of the statements in pg_send.c, behind the
 * hash.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/pack.h"
#include "campaign/postgres/pg_news.h"
#include "campaign/value.h"

/* The column of the kind, its next element. */
static struct buf *column(struct pg_store *s, enum pg_kind kind, unsigned i)
{
	struct pg_array *a = &s->news->fresh[kind].columns[i];

	a->count++;
	return &a->bytes;
}

static void put_key(struct pg_store *s, enum pg_kind kind, unsigned i)
{
	const struct buf *key = &s->news->key;

	/* Without the kind. */
	pg_put_bytes(column(s, kind, i), key->bytes + 1, key->used - 1);
}

static void put_known(struct buf *out, int64_t v, bool small)
{
	if (v < 0)
		pg_put_null(out);
	else if (small)
		pg_put_i16(out, (int16_t)v);
	else
		pg_put_i32(out, (int32_t)v);
}

static void put_positive(struct buf *out, int64_t v)
{
	if (v <= 0)
		pg_put_null(out);
	else
		pg_put_i64(out, v);
}

int pg_ref_word(struct pg_store *s, const char *text, pg_ref *out)
{
	struct pg_hash h;
	int rc;

	if (text == NULL || text[0] == '\0') {
		*out = 0;
		return 0;
	}
	pg_key_begin(s->news, PG_KIND_WORD);
	buf_str(&s->news->key, text);
	rc = pg_find(s, PG_KIND_WORD, &h, out, NULL);
	if (rc == 0) {
		rc = pg_fresh_add(s, PG_KIND_WORD, &h, out);
		if (rc == 0)
			pg_put_bytes(column(s, PG_KIND_WORD, 0), text, strlen(text));
	}
	return rc < 0 ? rc : 0;
}

int pg_ref_goal(struct pg_store *s, const struct trace *t, pg_ref *out)
{
	enum pg_kind k = PG_KIND_GOAL;
	struct pg_hash h;
	int rc;

	pg_key_begin(s->news, k);
	value_put_goal(&s->news->key, t);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc < 0)
		return rc;
	put_key(s, k, 0);
	pg_put_text(column(s, k, 1), t->target);
	pg_put_addr(column(s, k, 2), t->dst);
	pg_put_cidr(column(s, k, 3), addr_is_set(t->dst)
					     ? prefix_of(t->dst, t->dst.family == 4 ? 24 : 48)
					     : (struct prefix){0});
	pg_put_i16(column(s, k, 4), t->method);
	put_known(column(s, k, 5), t->dport, false);
	put_known(column(s, k, 6), t->flow, false);
	return 0;
}

int pg_ref_settings(struct pg_store *s, const struct trace *t, pg_ref *out)
{
	enum pg_kind k = PG_KIND_SETTINGS;
	struct pg_hash h;
	int rc;

	pg_key_begin(s->news, k);
	value_put_settings(&s->news->key, t);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc < 0)
		return rc;
	put_key(s, k, 0);
	pg_put_addr(column(s, k, 1), t->src);
	pg_put_i16(column(s, k, 2), t->attempts);
	pg_put_i16(column(s, k, 3), t->stamps);
	pg_put_text(column(s, k, 4), t->tool);
	return 0;
}

/* --- hops and paths --------------------------------------------------------------------------- */

/* As the record writes them, "label/exp/s/ttl", with spaces between. */
static void put_mpls(struct buf *out, const struct reply *r)
{
	struct buf text;

	buf_init(&text);
	for (unsigned i = 0; i < r->mpls_count; i++)
		buf_printf(&text, "%s%u/%u/%u/%u", i ? " " : "", r->mpls[i].label, r->mpls[i].exp,
			   r->mpls[i].s, r->mpls[i].ttl);
	out->failed |= text.failed;
	pg_put_text(out, text.bytes != NULL ? text.bytes : "");
	buf_fini(&text);
}

static int ref_hop(struct pg_store *s, const struct trace_entry *e, struct addr dst, pg_ref *out,
		   struct pg_hash *h)
{
	enum pg_kind k = PG_KIND_HOP;
	const struct reply *r = &e->reply;
	bool is_dst = body_hop_is_dst(e, dst);
	int rc;

	pg_key_begin(s->news, k);
	body_put_hop(&s->news->key, e, dst);
	rc = pg_find(s, k, h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, h, out);
	if (rc < 0)
		return rc;
	put_key(s, k, 0);
	pg_put_i16(column(s, k, 1), e->ttl);
	pg_put_i16(column(s, k, 2), e->attempt);
	pg_put_bool(column(s, k, 3), is_dst);
	pg_put_addr(column(s, k, 4), is_dst ? (struct addr){0} : r->from);
	put_known(column(s, k, 5), r->icmp_type, true);
	put_known(column(s, k, 6), r->icmp_code, true);
	put_known(column(s, k, 7), r->reply_ttl, true);
	put_known(column(s, k, 8), r->quoted_ttl, true);
	put_mpls(column(s, k, 9), r);
	return 0;
}

static int add_path(struct pg_store *s, const struct pg_hash *h, const struct trace *t,
		    const struct flat_trace *f, pg_ref as_path, uint32_t slots, pg_ref *out)
{
	enum pg_kind k = PG_KIND_PATH;
	struct pg_news *n = s->news;
	void *list = n->paths_of;
	int rc = pg_fresh_add(s, k, h, out);

	if (rc == 0)
		rc = pg_room(&list, &n->path_room, n->fresh[k].count, sizeof(*n->paths_of));
	n->paths_of = list;
	if (rc < 0)
		return rc;
	n->paths_of[-1 - *out] = (struct pg_fresh_path){.at = n->ref_count - t->entry_count,
							.count = t->entry_count,
							.as_path = as_path,
							.path_hash = (int64_t)f->path_hash};
	pg_put_i32(column(s, k, 0), (int32_t)slots);
	pg_put_i16(column(s, k, 1), t->stop);
	pg_put_i16(column(s, k, 2), t->reach);
	pg_put_i16(column(s, k, 3), t->reached_by);
	pg_put_i16(column(s, k, 4), t->first_ttl);
	pg_put_i16(column(s, k, 5), t->max_ttl);
	if (t->sent < 0)
		pg_put_null(column(s, k, 6));
	else
		pg_put_i64(column(s, k, 6), t->sent);
	if (t->received < 0)
		pg_put_null(column(s, k, 7));
	else
		pg_put_i64(column(s, k, 7), t->received);
	pg_put_i16(column(s, k, 8), f->hops);
	return 0;
}

int pg_ref_path(struct pg_store *s, const struct trace *t, const struct flat_trace *f,
		pg_ref as_path, pg_ref *out, const struct pg_slot **known, uint32_t *slots)
{
	struct pg_news *n = s->news;
	struct pg_hash h, *hops;
	uint32_t refs = n->ref_count;
	void *order = n->order, *list = n->refs;
	int rc = pg_room(&order, &n->order_room, t->entry_count, sizeof(*n->order));

	n->order = order;
	if (rc == 0)
		rc = pg_room(&list, &n->ref_room, refs + t->entry_count, sizeof(*n->refs));
	n->refs = list;
	hops = rc == 0 ? malloc((t->entry_count + 1) * sizeof(*hops)) : NULL;
	if (hops == NULL)
		return BP_ENOMEM;
	*slots = body_order(t, n->order);
	for (uint32_t i = 0; i < t->entry_count && rc == 0; i++)
		rc = ref_hop(s, &t->entries[n->order[i]], t->dst, &n->refs[refs + i], &hops[i]);
	pg_key_begin(n, PG_KIND_PATH);
	buf_append(&n->key, hops, t->entry_count * sizeof(*hops));
	free(hops);
	pack_u8(&n->key, t->stop);
	pack_u8(&n->key, t->reach);
	pack_u8(&n->key, t->reached_by);
	pack_u8(&n->key, t->first_ttl);
	pack_u8(&n->key, t->max_ttl);
	pack_u8(&n->key, f->hops);
	pack_signed(&n->key, t->sent);
	pack_signed(&n->key, t->received);
	pack_varint(&n->key, *slots);
	if (rc == 0)
		rc = pg_find(s, PG_KIND_PATH, &h, out, known);
	if (rc == 0) {
		n->ref_count = refs + t->entry_count;
		rc = add_path(s, &h, t, f, as_path, *slots, out);
	}
	return rc < 0 ? rc : 0;
}

/* --- databases and names ---------------------------------------------------------------------- */

int pg_ref_geo(struct pg_store *s, const struct geo_source *g, pg_ref *out)
{
	const char *const texts[] = {g->asn_db,	    g->asn_built,     g->asn_sha256,
				     g->country_db, g->country_built, g->country_sha256};
	struct pg_hash h;
	int rc;

	pg_key_begin(s->news, PG_KIND_GEO);
	for (unsigned i = 0; i < 6; i++)
		pack_text(&s->news->key, texts[i]);
	rc = pg_find(s, PG_KIND_GEO, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, PG_KIND_GEO, &h, out);
	for (unsigned i = 0; i < 6 && rc == 0; i++)
		pg_put_text(column(s, PG_KIND_GEO, i), texts[i]);
	return rc;
}

static int ref_name(struct pg_store *s, const struct name *name, pg_ref *out)
{
	enum pg_kind k = PG_KIND_NAME;
	struct pg_hash h;
	int rc;

	pg_key_begin(s->news, k);
	value_put_name(&s->news->key, name);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc < 0)
		return rc;
	put_key(s, k, 0);
	pg_put_addr(column(s, k, 1), name->addr);
	put_positive(column(s, k, 2), name->asn);
	pg_put_text(column(s, k, 3), name->org);
	pg_put_text(column(s, k, 4), name->country);
	pg_put_text(column(s, k, 5), name->label);
	return 0;
}

/* How the databases geo name an address: above 0, the name's row; else it waits. geo_hash is that
 * of the databases. */
static int ref_geo_name(struct pg_store *s, pg_ref geo, const struct pg_hash *geo_hash,
			struct addr a, pg_ref name, pg_ref *out)
{
	enum pg_kind k = PG_KIND_GEO_NAME;
	struct pg_news *n = s->news;
	void *list = n->geo_names;
	struct pg_hash h;
	int rc;

	pg_key_begin(n, k);
	buf_append(&n->key, geo_hash, sizeof(*geo_hash));
	pack_addr(&n->key, a);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc == 0)
		rc = pg_room(&list, &n->geo_name_room, n->fresh[k].count, sizeof(*n->geo_names));
	n->geo_names = list;
	if (rc < 0)
		return rc;
	n->geo_names[-1 - *out] = (struct pg_fresh_geo_name){.geo = geo, .name = name};
	pg_put_addr(column(s, k, 0), a);
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

int pg_ref_names(struct pg_store *s, const struct trace *t, const struct names *names, pg_ref geo,
		 pg_ref as_path, struct pg_naming *out)
{
	struct pg_news *n = s->news;
	struct pg_naming made = {.named = true,
				 .geo = geo,
				 .as_path = as_path,
				 .at = n->ref_count,
				 .count = names->count};
	struct pg_hash geo_hash;
	void *list = n->refs;
	pg_ref ignored;
	int rc = pg_room(&list, &n->ref_room, n->ref_count + 2 * names->count, sizeof(*n->refs));

	n->refs = list;
	if (rc < 0)
		return rc;
	pg_key_begin(n, PG_KIND_GEO);
	{
		const struct geo_source *g = &names->geo;
		const char *const texts[] = {g->asn_db,	    g->asn_built,     g->asn_sha256,
					     g->country_db, g->country_built, g->country_sha256};

		for (unsigned i = 0; i < 6; i++)
			pack_text(&n->key, texts[i]);
	}
	rc = pg_find(s, PG_KIND_GEO, &geo_hash, &ignored, NULL);
	if (rc < 0)
		return rc;
	made.own = names_usual(t, names) ? PG_OWN_NO : PG_OWN_YES;
	for (uint32_t i = 0; i < names->count; i++) {
		pg_ref *name = &n->refs[made.at + 2 * i], *usual = name + 1;

		*usual = 0;
		rc = ref_name(s, &names->items[i], name);
		if (rc == 0 && made.own != PG_OWN_YES)
			rc = ref_geo_name(s, geo, &geo_hash, names->items[i].addr, *name, usual);
		if (rc < 0)
			return rc;
		if (made.own == PG_OWN_YES)
			continue;
		if (*name <= 0 || *usual <= 0)
			made.own = PG_OWN_ASK;
		else if (*name != *usual)
			made.own = PG_OWN_YES;
	}
	if (made.own != PG_OWN_NO)
		n->ref_count += 2 * names->count;
	*out = made;
	return 0;
}

bool pg_naming_is_own(const struct pg_news *n, const struct pg_naming *naming)
{
	if (naming->own != PG_OWN_ASK)
		return naming->own == PG_OWN_YES;
	for (uint32_t i = 0; i < naming->count; i++) {
		pg_ref name = n->refs[naming->at + 2 * i], usual = n->refs[naming->at + 2 * i + 1];

		if (pg_row(n, PG_KIND_NAME, name) !=
		    (usual > 0 ? usual : n->geo_names[-1 - usual].row))
			return true;
	}
	return false;
}

int pg_ref_naming(struct pg_store *s, const struct pg_naming *naming, bool own, pg_ref *out)
{
	enum pg_kind k = PG_KIND_NAMING;
	struct pg_news *n = s->news;
	void *list = n->namings;
	struct pg_hash h;
	int rc;

	/* All have rows by now: numbers say the same everywhere. */
	pg_key_begin(n, k);
	pack_signed(&n->key, pg_row(n, PG_KIND_GEO, naming->geo));
	pack_signed(&n->key, pg_row(n, PG_KIND_WORD, naming->as_path));
	pack_u8(&n->key, own);
	for (uint32_t i = 0; own && i < naming->count; i++)
		pack_signed(&n->key, pg_row(n, PG_KIND_NAME, n->refs[naming->at + 2 * i]));
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc == 0)
		rc = pg_room(&list, &n->naming_room, n->fresh[k].count, sizeof(*n->namings));
	n->namings = list;
	if (rc < 0)
		return rc;
	n->namings[-1 - *out] = (struct pg_fresh_naming){naming->at, own ? naming->count : 0,
							 naming->geo, naming->as_path};
	pg_put_bool(column(s, k, 0), own);
	return 0;
}

/* --- verdicts --------------------------------------------------------------------------------- */

/* The TTL, whether the path shows the address there, the address where not. */
static void put_place(struct pg_store *s, unsigned i, uint8_t ttl, struct addr from,
		      const struct trace *t)
{
	bool shown = addr_is_set(from) && addr_equal(from, value_addr_at(t, ttl));

	if (ttl == 0)
		pg_put_null(column(s, PG_KIND_VERDICT, i));
	else
		pg_put_i16(column(s, PG_KIND_VERDICT, i), ttl);
	pg_put_bool(column(s, PG_KIND_VERDICT, i + 1), shown);
	pg_put_addr(column(s, PG_KIND_VERDICT, i + 2), shown ? (struct addr){0} : from);
}

int pg_ref_verdict(struct pg_store *s, const struct trace *t, const struct verdict *v, pg_ref *out)
{
	enum pg_kind k = PG_KIND_VERDICT;
	struct pg_hash h;
	int rc;

	pg_key_begin(s->news, k);
	value_put_verdict(&s->news->key, v, t);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc < 0)
		return rc;
	put_key(s, k, 0);
	pg_put_i16(column(s, k, 1), v->outcome);
	pg_put_text(column(s, k, 2), v->border);
	pg_put_i16(column(s, k, 3), v->class);
	pg_put_f64(column(s, k, 4), v->confidence);
	put_positive(column(s, k, 5), v->via_asn);
	pg_put_text(column(s, k, 6), v->rule);
	put_place(s, 7, v->last_outside_ttl, v->last_outside, t);
	put_place(s, 10, v->first_inside_ttl, v->first_inside, t);
	return 0;
}

int pg_ref_judge(struct pg_store *s, const struct verdict *v, const struct geo_source *g,
		 int64_t at_us, pg_ref *out)
{
	enum pg_kind k = PG_KIND_JUDGE;
	struct pg_news *n = s->news;
	void *list = n->judge_geos;
	struct pg_hash h;
	pg_ref geo = 0;
	int rc = g != NULL ? pg_ref_geo(s, g, &geo) : 0;

	if (rc < 0)
		return rc;
	/* The databases by their words: their row is not known yet, perhaps. */
	if (g != NULL)
		h = pg_hash_of(s, n->key.bytes, n->key.used);
	pg_key_begin(n, k);
	if (g != NULL)
		buf_append(&n->key, &h, sizeof(h));
	pack_text(&n->key, v->profile);
	pack_text(&n->key, v->profile_version);
	pack_signed(&n->key, at_us);
	rc = pg_find(s, k, &h, out, NULL);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = pg_fresh_add(s, k, &h, out);
	if (rc == 0)
		rc = pg_room(&list, &n->judge_room, n->fresh[k].count, sizeof(*n->judge_geos));
	n->judge_geos = list;
	if (rc < 0)
		return rc;
	n->judge_geos[-1 - *out] = geo;
	pg_put_text(column(s, k, 0), v->profile);
	pg_put_text(column(s, k, 1), v->profile_version);
	put_positive(column(s, k, 2), at_us);
	return 0;
}
