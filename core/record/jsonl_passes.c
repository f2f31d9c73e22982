// SPDX-License-Identifier: BSD-2-Clause
/* Reads what later passes wrote into a record: names, the tables they came from, the verdict. */
#include "core/record/jsonl_passes.h"

#include <stdlib.h>
#include <string.h>

/* Far more than a trace can have hops: a bound, not a limit. */
enum { NAMES_MAX = 65536 };

/* A member of "names" and its place in the line. */
struct named {
	struct addr addr;
	size_t place;
	const char *key;
	const struct json_node *value;
};

static int by_addr(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = addr_compare(x->addr, y->addr);

	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

/* The members into all, which has room; returns how many. */
static size_t list_names(struct fields *in, const struct json_node *object, struct named *all)
{
	const struct json_node *v;
	size_t n;

	NODE_EACH(object, n, v)
	{
		all[n] = (struct named){.place = n, .key = v->key, .value = v};
		if (addr_parse(v->key, &all[n].addr) < 0)
			field_refuse(in, BP_EPARSE, v->key,
				     "expected an IPv4 or IPv6 address as the key");
		else if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, v->key, "expected an object");
		if (in->rc < 0)
			break;
	}
	return n;
}

static void read_name(struct fields *in, const struct named *from, struct name *n)
{
	const struct json_node *v = from->value;

	field_enter(in, from->key, 0);
	FIELD_INT(in, v, "asn", 0, UINT32_MAX, n->asn);
	field_word(in, v, "source", name_source_words, &n->source);
	field_text_cut(in, v, "org", n->org, sizeof(n->org));
	field_text_cut(in, v, "country", n->country, sizeof(n->country));
	field_text_cut(in, v, "overlay_country", n->overlay_country, sizeof(n->overlay_country));
	field_text_cut(in, v, "label", n->label, sizeof(n->label));
	field_text_cut(in, v, "host", n->host, sizeof(n->host));
	field_leave(in);
}

void jsonl_read_names(struct fields *in, const struct json_node *o, struct names *names)
{
	const struct json_node *object = field_object(in, o, "names");
	struct named *all;
	size_t count;

	if (object == NULL)
		return;
	if (object->count > NAMES_MAX) {
		field_refuse(in, BP_ERANGE, "names", "expected at most 65536 addresses");
		return;
	}
	all = calloc(object->count + 1, sizeof(*all));
	if (all == NULL) {
		in->rc = bp_fail(in->err, BP_ENOMEM, "out of memory");
		return;
	}
	field_enter(in, "names", 0);
	count = list_names(in, object, all);
	/* In order each is put at the end: somebody's 65,536 backwards took a minute. */
	qsort(all, count, sizeof(*all), by_addr);
	for (size_t i = 0; i < count && in->rc == 0; i++) {
		struct name *n = names_put(names, all[i].addr);

		if (n == NULL)
			in->rc = bp_fail(in->err, BP_ENOMEM, "out of memory");
		else
			read_name(in, &all[i], n);
	}
	field_leave(in);
	free(all);
}

void jsonl_read_geo(struct fields *in, const struct json_node *o, struct geo_source *g)
{
	const struct json_node *v = field_object(in, o, "geo");

	if (v == NULL)
		return;
	field_enter(in, "geo", 0);
	field_text_cut(in, v, "asn_db", g->asn_db, sizeof(g->asn_db));
	field_text_cut(in, v, "asn_built", g->asn_built, sizeof(g->asn_built));
	field_text_cut(in, v, "asn_sha256", g->asn_sha256, sizeof(g->asn_sha256));
	field_text_cut(in, v, "country_db", g->country_db, sizeof(g->country_db));
	field_text_cut(in, v, "country_built", g->country_built, sizeof(g->country_built));
	field_text_cut(in, v, "country_sha256", g->country_sha256, sizeof(g->country_sha256));
	field_leave(in);
}

static void read_place(struct fields *in, const struct json_node *o, const char *key, uint8_t *ttl,
		       struct addr *from)
{
	const struct json_node *v = field_object(in, o, key);

	if (v == NULL)
		return;
	field_enter(in, key, 0);
	FIELD_INT(in, v, "ttl", 0, 255, *ttl);
	field_addr(in, v, "from", from);
	field_leave(in);
}

static void read_shares(struct fields *in, const struct json_node *o, struct verdict *v)
{
	const struct json_node *p = field_object(in, o, "p"), *share;
	size_t i;

	if (p == NULL)
		return;
	if (p->count > VERDICT_BORDERS_MAX + 1) {
		field_refuse(in, BP_ERANGE, "p", "expected at most 17 shares");
		return;
	}
	field_enter(in, "p", 0);
	NODE_EACH(p, i, share)
	{
		struct verdict_share *s = &v->p[v->p_count];

		/* Cut or cleaned ids could become the same: then the shares would be a riddle. */
		if (!text_set(s->id, sizeof(s->id), share->key) || strcmp(s->id, share->key) != 0)
			field_refuse(in, BP_EPARSE, share->key,
				     "expected the id of a border as the key");
		if (field_real(in, p, share->key, 0, 1, &s->p))
			v->p_count++;
	}
	field_leave(in);
}

static void read_evidence(struct fields *in, const struct json_node *o, struct verdict *v)
{
	const struct json_node *list = field_array(in, o, "evidence"), *item;
	size_t i;

	if (list == NULL)
		return;
	if (list->count > VERDICT_EVIDENCE_MAX) {
		field_refuse(in, BP_ERANGE, "evidence", "expected at most 64 entries");
		return;
	}
	field_enter(in, "evidence", 0);
	NODE_EACH(list, i, item)
	{
		struct verdict_evidence *e = &v->evidence[i];

		field_enter(in, NULL, i);
		if (!node_is(item, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		field_text_cut(in, item, "rule", e->rule, sizeof(e->rule));
		FIELD_INT(in, item, "ttl", 0, 255, e->ttl);
		field_addr(in, item, "from", &e->from);
		field_text_cut(in, item, "says", e->says, sizeof(e->says));
		field_real(in, item, "weight", -1e6, 1e6, &e->weight);
		field_text_cut(in, item, "why", e->why, sizeof(e->why));
		field_leave(in);
	}
	field_leave(in);
	v->evidence_count = (uint8_t)list->count;
}

void jsonl_read_verdict(struct fields *in, const struct json_node *top, struct verdict *v)
{
	const struct json_node *o = field_object(in, top, "verdict"), *via;

	if (o == NULL)
		return;
	v->judged = true;
	field_enter(in, "verdict", 0);
	field_text_cut(in, o, "profile", v->profile, sizeof(v->profile));
	field_text_cut(in, o, "profile_version", v->profile_version, sizeof(v->profile_version));
	field_word(in, o, "outcome", outcome_words, &v->outcome);
	field_text_cut(in, o, "border", v->border, sizeof(v->border));
	via = field_object(in, o, "via");
	if (via != NULL) {
		field_enter(in, "via", 0);
		FIELD_INT(in, via, "asn", 0, UINT32_MAX, v->via_asn);
		field_text_cut(in, via, "org", v->via_org, sizeof(v->via_org));
		field_word(in, via, "basis", via_basis_words, &v->via_basis);
		field_leave(in);
	}
	field_word(in, o, "class", path_class_words, &v->class);
	field_real(in, o, "confidence", 0, 1, &v->confidence);
	read_shares(in, o, v);
	field_text_cut(in, o, "rule", v->rule, sizeof(v->rule));
	read_place(in, o, "last_outside", &v->last_outside_ttl, &v->last_outside);
	read_place(in, o, "first_inside", &v->first_inside_ttl, &v->first_inside);
	read_evidence(in, o, v);
	field_leave(in);
}
