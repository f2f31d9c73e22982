// SPDX-License-Identifier: BSD-2-Clause
/*
 * Learns which addresses are to go, from traces and from the objects of a campaign, and takes them
 * out: of every field that holds an address, and of every text that mentions one.
 */
#include "core/record/redact.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/jsontree.h"

/* An address, and the vantage point whose records it leaves; EVERYWHERE: those of all. */
struct redact_secret {
	struct addr addr;
	uint32_t vantage;
};
enum { EVERYWHERE = 0 }; /* vantages count from 1 */

void redact_init(struct redact *r)
{
	memset(r, 0, sizeof(*r));
}

void redact_fini(struct redact *r)
{
	free(r->secrets);
	free(r->vantages);
	redact_init(r);
}

int redact_parse(struct redact *r, const char *text, struct bp_error *err)
{
	for (const char *at = text; at != NULL; at = strchr(at, ',')) {
		char word[32];
		uint64_t hops;
		size_t n;

		at += at > text;
		n = strcspn(at, ",");
		text_copy(word, sizeof(word), at, n);
		if (strcmp(word, "src") == 0) {
			r->src = true;
		} else if (strcmp(word, "first-hops") == 0) {
			r->first_hops = true;
		} else if (strncmp(word, "first-hops=", 11) == 0 &&
			   text_to_u64(word + 11, 1, TRACE_MAX_TTL, &hops) == 0) {
			r->first_hops = true;
			r->hops = (unsigned)hops;
		} else {
			return bp_fail(err, BP_EINVAL, "'%s': there is src, first-hops and "
				       "first-hops=N (1 to 255)", word);
		}
	}
	return 0;
}

/* --- what was learned ------------------------------------------------------------------------ */

/* 0: nothing was learned of it. */
static uint32_t find_vantage(const struct redact *r, const char *name)
{
	for (uint32_t i = 0; i < r->vantage_count; i++) {
		if (strcmp(r->vantages[i], name) == 0)
			return i + 1;
	}
	return 0;
}

/* 0: out of memory. */
static uint32_t put_vantage(struct redact *r, const char *name)
{
	uint32_t found = find_vantage(r, name);

	if (found != 0)
		return found;
	if (r->vantage_count == r->vantage_room) {
		uint32_t room = 2 * r->vantage_room + 8;
		void *grown = realloc(r->vantages, room * sizeof(r->vantages[0]));

		if (grown == NULL)
			return 0;
		r->vantages = grown;
		r->vantage_room = room;
	}
	text_set(r->vantages[r->vantage_count], sizeof(r->vantages[0]), name);
	return ++r->vantage_count;
}

static int order(const struct redact_secret *a, const struct redact_secret *b)
{
	int by_addr = addr_compare(a->addr, b->addr);

	return by_addr ? by_addr : (a->vantage > b->vantage) - (a->vantage < b->vantage);
}

/* The first secret that is not before s. */
static uint32_t lower_bound(const struct redact *r, const struct redact_secret *s)
{
	uint32_t lo = 0, hi = r->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (order(&r->secrets[mid], s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool holds(const struct redact *r, struct redact_secret s)
{
	uint32_t i = lower_bound(r, &s);

	return i < r->count && order(&r->secrets[i], &s) == 0;
}

static bool is_secret(const struct redact *r, uint32_t vantage, struct addr a)
{
	if (!addr_is_set(a) || r->count == 0)
		return false;
	return holds(r, (struct redact_secret){a, EVERYWHERE}) ||
	       (vantage != 0 && holds(r, (struct redact_secret){a, vantage}));
}

static int put_secret(struct redact *r, uint32_t vantage, struct addr a, struct bp_error *err)
{
	struct redact_secret s = {a, vantage};
	uint32_t at = lower_bound(r, &s);

	if (!addr_is_set(a) || (at < r->count && order(&r->secrets[at], &s) == 0))
		return 0;
	if (r->count == r->room) {
		uint32_t room = 2 * r->room + 64;
		void *grown = realloc(r->secrets, room * sizeof(s));

		if (grown == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		r->secrets = grown;
		r->room = room;
	}
	memmove(&r->secrets[at + 1], &r->secrets[at], (r->count - at) * sizeof(s));
	r->secrets[at] = s;
	r->count++;
	return 0;
}

/* An address of the vantage point itself. One that others may have as well (10.0.0.2) says nothing
 * in their records. */
static int put_own(struct redact *r, uint32_t vantage, struct addr a, struct bp_error *err)
{
	switch (addr_kind(a)) {
	case ADDR_KIND_PRIVATE:
	case ADDR_KIND_SHARED:
	case ADDR_KIND_LOOPBACK:
	case ADDR_KIND_LINK_LOCAL:
		return put_secret(r, vantage, a, err);
	default:
		return put_secret(r, EVERYWHERE, a, err);
	}
}

/* --- learning -------------------------------------------------------------------------------- */

static uint32_t network_of(const struct names *names, struct addr a)
{
	const struct name *n = addr_is_set(a) ? names_find(names, a) : NULL;

	return n ? n->asn : 0;
}

/* The last TTL of the first hops: before the first answer from a network that is not the one that
 * the vantage point is in (that of its address, else the first that is named). */
static unsigned last_of_first_hops(const struct redact *r, const struct record *rec)
{
	const struct trace *t = rec->trace;
	uint32_t own = network_of(&rec->names, t->src);

	if (r->hops != 0)
		return r->hops;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		uint32_t asn = network_of(&rec->names, t->entries[i].reply.from);

		if (asn != 0 && own != 0 && asn != own)
			return t->entries[i].ttl - 1u;
		if (own == 0)
			own = asn;
	}
	return TRACE_MAX_TTL;
}

/* Whether anybody looked for the networks of those that answered: else nobody knows where the own
 * one ends. */
static bool has_networks(const struct record *rec)
{
	bool answered = false;

	for (uint32_t i = 0; i < rec->trace->entry_count; i++)
		answered |= addr_is_set(rec->trace->entries[i].reply.from);
	for (uint32_t i = 0; i < rec->names.count; i++) {
		if (rec->names.items[i].asn != 0)
			return true;
	}
	return !answered || rec->names.geo.asn_db[0] != '\0';
}

static int learn_trace(struct redact *r, const struct record *rec, struct bp_error *err)
{
	const struct trace *t = rec->trace;
	uint32_t vantage = put_vantage(r, t->vantage);
	unsigned last;
	int rc = 0;

	if (vantage == 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (r->src)
		rc = put_own(r, vantage, t->src, err);
	if (rc < 0 || !r->first_hops)
		return rc;
	if (r->hops == 0 && !has_networks(rec))
		return bp_fail(err, BP_EINVAL,
			       "first-hops: a trace names no networks, so where its first hops end is "
			       "not known: run borderpath judge first, or give first-hops=N");
	last = last_of_first_hops(r, rec);
	for (uint32_t i = 0; rc == 0 && i < t->entry_count && t->entries[i].ttl <= last; i++) {
		const struct reply *p = &t->entries[i].reply;

		/* What was asked about is known to whoever asks. */
		if (!addr_equal(p->from, t->dst))
			rc = put_secret(r, vantage, p->from, err);
		if (rc == 0)
			rc = put_secret(r, vantage, p->iface.addr, err);
	}
	return rc;
}

/* Members that hold an address of the vantage point itself, in any object of ours. */
static bool is_own_key(const char *key)
{
	static const char *const keys[] = {"src", "source", "public_addr"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i]) == 0)
			return true;
	}
	return false;
}

static int learn_object(struct redact *r, uint32_t vantage, const struct json_node *v,
			unsigned depth, struct bp_error *err)
{
	const struct json_node *member;
	struct addr a;
	size_t i;
	int rc = 0;

	if (depth > JSON_DEPTH_MAX)
		return 0; /* redact_apply refuses the record */
	NODE_EACH(v, i, member)
	{
		if (rc < 0)
			break;
		if (is_own_key(member->key) && node_is(member, NODE_STRING) &&
		    addr_parse(node_text(member), &a) == 0)
			rc = put_own(r, vantage, a, err);
		else
			rc = learn_object(r, vantage, member, depth + 1, err);
	}
	return rc;
}

static const char *vantage_of(const struct json_node *dom)
{
	const char *name = node_text(node_get(dom, "vantage"));

	return name ? name : "";
}

int redact_learn(struct redact *r, const struct record *rec, struct bp_error *err)
{
	uint32_t vantage;

	if (rec->kind == RECORD_TRACE)
		return learn_trace(r, rec, err);
	if (!r->src)
		return 0;
	vantage = put_vantage(r, vantage_of(rec->dom));
	if (vantage == 0)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return learn_object(r, vantage, rec->dom, 0, err);
}

/* --- taking out ------------------------------------------------------------------------------ */

static const char *dummy_text(uint8_t family)
{
	return family == 4 ? REDACT_DUMMY_V4 : REDACT_DUMMY_V6;
}

static void hide(const struct redact *r, uint32_t vantage, struct addr *a)
{
	if (is_secret(r, vantage, *a))
		addr_parse(dummy_text(a->family), a);
}

/* An IPv4 address begins where no number goes on; an IPv6 address where none of its signs does. */
static bool begins(const char *text, size_t i, uint8_t family)
{
	unsigned char before = i > 0 ? (unsigned char)text[i - 1] : ' ';

	if (family == 4)
		return !isdigit(before) && before != '.';
	return !isxdigit(before) && before != ':' && before != '.';
}

/* And ends likewise; a full stop behind it may be the sentence's. */
static bool ends(const char *text, size_t i, uint8_t family)
{
	unsigned char c = (unsigned char)text[i];

	if (c == '.')
		return !isdigit((unsigned char)text[i + 1]);
	return family == 4 ? !isdigit(c) : !isxdigit(c) && c != ':';
}

/* The length of the secret address that stands at text[i], and its family; 0: none does. */
static size_t secret_at(const struct redact *r, uint32_t vantage, const char *text, size_t i,
			uint8_t *family)
{
	size_t n = strspn(text + i, "0123456789abcdefABCDEF:.");
	char candidate[ADDR_TEXT];
	struct addr a;

	if (n >= sizeof(candidate))
		n = sizeof(candidate) - 1;
	for (; n >= 2; n--) {
		memcpy(candidate, text + i, n);
		candidate[n] = '\0';
		if (addr_parse(candidate, &a) < 0)
			continue;
		*family = a.family;
		if (begins(text, i, a.family) && ends(text, i + n, a.family) &&
		    is_secret(r, vantage, a))
			return n;
	}
	return 0;
}

/* The text with dummies in it. */
static void put_scrubbed(const struct redact *r, uint32_t vantage, const char *text,
			 struct buf *out)
{
	buf_append(out, "", 0);
	for (size_t i = 0; text[i] != '\0';) {
		uint8_t family = 0;
		size_t n = isxdigit((unsigned char)text[i]) || text[i] == ':' ?
			   secret_at(r, vantage, text, i, &family) : 0;

		if (n > 0)
			buf_str(out, dummy_text(family));
		else
			buf_char(out, text[i]);
		i += n > 0 ? n : 1;
	}
}

/* A text field of `size` bytes, in place. */
static int scrub(const struct redact *r, uint32_t vantage, char *text, size_t size)
{
	struct buf out;
	int rc;

	if (text[0] == '\0')
		return 0;
	buf_init(&out);
	put_scrubbed(r, vantage, text, &out);
	rc = out.failed ? BP_ENOMEM : 0;
	if (rc == 0)
		text_set(text, size, out.bytes);
	buf_fini(&out);
	return rc;
}

#define SCRUB(r, vantage, field) scrub(r, vantage, field, sizeof(field))

static int apply_names(const struct redact *r, uint32_t vantage, struct names *names)
{
	uint32_t kept = 0;
	int rc = 0;

	for (uint32_t i = 0; i < names->count; i++) {
		struct name *n = &names->items[i];

		if (is_secret(r, vantage, n->addr))
			continue;
		rc = rc ? rc : SCRUB(r, vantage, n->org);
		rc = rc ? rc : SCRUB(r, vantage, n->label);
		rc = rc ? rc : SCRUB(r, vantage, n->host);
		names->items[kept++] = *n;
	}
	names->count = kept;
	return rc;
}

static int apply_verdict(const struct redact *r, uint32_t vantage, struct verdict *v)
{
	int rc = 0;

	hide(r, vantage, &v->last_outside);
	hide(r, vantage, &v->first_inside);
	for (unsigned i = 0; rc == 0 && i < v->evidence_count; i++) {
		struct verdict_evidence *e = &v->evidence[i];

		/* The reason may quote its name. */
		if (is_secret(r, vantage, e->from))
			text_set(e->why, sizeof(e->why), "redacted");
		hide(r, vantage, &e->from);
		rc = SCRUB(r, vantage, e->why);
		rc = rc ? rc : SCRUB(r, vantage, e->rule);
	}
	rc = rc ? rc : SCRUB(r, vantage, v->via_org);
	rc = rc ? rc : SCRUB(r, vantage, v->profile);
	rc = rc ? rc : SCRUB(r, vantage, v->profile_version);
	return rc ? rc : SCRUB(r, vantage, v->rule);
}

static int apply_entries(const struct redact *r, uint32_t vantage, struct trace *t)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < t->entry_count; i++) {
		struct reply *p = &t->entries[i].reply;

		if (is_secret(r, vantage, p->from)) {
			hide(r, vantage, &p->from);
			memset(&p->iface, 0, sizeof(p->iface));
			p->mpls_count = 0;
		}
		hide(r, vantage, &p->iface.addr);
		rc = SCRUB(r, vantage, p->iface.name);
	}
	return rc;
}

static int apply_trace(const struct redact *r, struct record *rec)
{
	struct trace *t = rec->trace;
	uint32_t vantage = find_vantage(r, t->vantage);
	int rc;

	if (r->src) {
		t->src = (struct addr){0};
		t->ifname[0] = '\0';
		t->place_known = false;
		t->lat = t->lon = 0;
	}
	hide(r, vantage, &t->src);
	hide(r, vantage, &t->dst);
	rc = apply_entries(r, vantage, t);
	/* A vantage point may be called by its address, and its rounds by the vantage point. */
	rc = rc ? rc : SCRUB(r, vantage, t->vantage);
	rc = rc ? rc : SCRUB(r, vantage, t->id);
	rc = rc ? rc : SCRUB(r, vantage, t->campaign);
	rc = rc ? rc : SCRUB(r, vantage, t->round);
	rc = rc ? rc : SCRUB(r, vantage, t->target);
	rc = rc ? rc : SCRUB(r, vantage, t->error);
	rc = rc ? rc : SCRUB(r, vantage, t->tool);
	rc = rc ? rc : apply_names(r, vantage, &rec->names);
	rc = rc ? rc : apply_verdict(r, vantage, &rec->verdict);
	/* What is not ours in the line nobody has looked at. */
	free(rec->line);
	rec->line = NULL;
	rec->line_size = 0;
	return rc;
}

/* Members that go with `src`. */
static bool is_dropped(const struct redact *r, const char *key)
{
	return r->src &&
	       (is_own_key(key) || strcmp(key, "ifname") == 0 || strcmp(key, "place") == 0);
}

static int put_value(const struct redact *r, uint32_t vantage, struct json_writer *w,
		     const char *key, const struct json_node *v);

static int put_members(const struct redact *r, uint32_t vantage, struct json_writer *w,
		       const struct json_node *object)
{
	const struct json_node *member;
	struct buf text;
	int rc = 0;
	size_t i;

	NODE_EACH(object, i, member)
	{
		const char *key = member->key;
		struct addr a;

		if (rc < 0 || is_dropped(r, key) ||
		    (addr_parse(key, &a) == 0 && is_secret(r, vantage, a)))
			continue;
		buf_init(&text);
		put_scrubbed(r, vantage, key, &text);
		rc = text.failed ? BP_ENOMEM : put_value(r, vantage, w, text.bytes, member);
		buf_fini(&text);
	}
	return rc;
}

static int put_value(const struct redact *r, uint32_t vantage, struct json_writer *w,
		     const char *key, const struct json_node *v)
{
	const struct json_node *item;
	struct buf text;
	int rc = 0;
	size_t i;

	switch (v->kind) {
	case NODE_OBJECT:
		json_begin_object(w, key);
		rc = w->depth > JSON_DEPTH_MAX - 2 ? BP_EPARSE : put_members(r, vantage, w, v);
		json_end(w);
		return rc;
	case NODE_ARRAY:
		json_begin_array(w, key);
		NODE_EACH(v, i, item)
		{
			rc = w->depth > JSON_DEPTH_MAX - 2 ? BP_EPARSE :
			     rc < 0 ? rc : put_value(r, vantage, w, NULL, item);
		}
		json_end(w);
		return rc;
	case NODE_STRING:
		buf_init(&text);
		put_scrubbed(r, vantage, node_text(v), &text);
		json_put_str(w, key, text.failed ? "" : text.bytes);
		rc = text.failed ? BP_ENOMEM : 0;
		buf_fini(&text);
		return rc;
	case NODE_NUMBER:
		json_put_raw(w, key, v->text, v->n);
		return 0;
	case NODE_NULL:
		json_put_null(w, key);
		return 0;
	default:
		json_put_bool(w, key, v->kind == NODE_TRUE);
		return 0;
	}
}

/* Written anew, member by member, and read again. */
static int apply_object(const struct redact *r, struct record *rec, struct bp_error *err)
{
	uint32_t vantage = find_vantage(r, vantage_of(rec->dom));
	struct json_writer w;
	struct record again;
	struct buf out;
	int rc;

	buf_init(&out);
	json_start(&w, &out);
	record_init(&again);
	rc = put_value(r, vantage, &w, NULL, rec->dom);
	if (rc == 0 && out.failed)
		rc = BP_ENOMEM;
	if (rc == 0)
		rc = jsonl_read(out.bytes, out.used, &again, err);
	else
		bp_fail(err, rc, rc == BP_ENOMEM ? "out of memory" : "too many levels");
	buf_fini(&out);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : BP_EPARSE;
	record_fini(rec);
	*rec = again;
	return 0;
}

int redact_apply(const struct redact *r, struct record *rec, struct bp_error *err)
{
	int rc;

	if (rec->kind != RECORD_TRACE)
		return apply_object(r, rec, err);
	rc = apply_trace(r, rec);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}
