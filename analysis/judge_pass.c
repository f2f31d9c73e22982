// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pass, and its cache: a table of sets of WAYS slots, found by a keyed 128-bit hash of all that
 * a judgement depends on (whoever answers us does not know the key, so he cannot make two paths
 * one). Delays are not part of it, except for what they already did: the flags of the answers.
 */
#include "analysis/judge_pass.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/annotate.h"
#include "analysis/border.h"
#include "analysis/light.h"
#include "core/buf.h"
#include "core/err.h"

enum { WAYS = 4, KEY_BYTES = crypto_shorthash_siphashx24_BYTES };

struct slot {
	uint8_t key[KEY_BYTES];
	uint32_t name_count;
	uint32_t verdict_size;
	char *verdict; /* owned: struct verdict as far as its evidence goes; NULL: free */
	char *names;   /* owned: name_count heads of struct name, NAME_HEAD bytes each */
};

/* Host names are the record's own: they are not kept. */
#define NAME_HEAD offsetof(struct name, host)

/* What was found of an address between two dates of the profile. */
struct known_name { uint32_t epoch; bool used; struct name name; };

struct judge_cache {
	uint8_t secret[crypto_shorthash_siphashx24_KEYBYTES];
	unsigned sets;
	struct slot *slots;      /* sets * WAYS */
	uint8_t *next;           /* of each set: the way to give up next */
	struct buf key;          /* of the trace at work */
	struct known_name *known; /* one place an address; a newer one takes it over */
	unsigned known_count;    /* a power of 2 */
	struct wall *bounds;     /* when something of the profile begins or ends, sorted */
	unsigned bound_count;
};

/* --- the dates of a profile ----------------------------------------------------------------- */

struct dates { struct wall *at; unsigned count; };

static void date_add(struct dates *d, const struct validity *v)
{
	/* Counted first, then kept. */
	if (d->at != NULL) {
		d->at[d->count] = v->since;
		d->at[d->count + 1] = v->until;
	}
	d->count += 2;
}

static void dates_of_ways(struct dates *d, const struct profile_network *n, unsigned networks,
			  const struct profile_prefix *p, unsigned prefixes)
{
	for (unsigned i = 0; i < networks; i++)
		date_add(d, &n[i].valid);
	for (unsigned i = 0; i < prefixes; i++)
		date_add(d, &p[i].valid);
}

static void dates_fill(struct dates *d, const struct profile *p)
{
	d->count = 0;
	dates_of_ways(d, NULL, 0, p->prefixes, p->prefixes_count);
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		date_add(d, &b->valid);
		dates_of_ways(d, b->networks, b->networks_count, b->prefixes, b->prefixes_count);
	}
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		date_add(d, &o->valid);
		dates_of_ways(d, o->networks, o->networks_count, o->prefixes, o->prefixes_count);
	}
	for (unsigned i = 0; i < p->labels_count; i++)
		date_add(d, &p->labels[i].valid);
}

static int compare_wall(const void *a, const void *b)
{
	const struct wall *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* Between two dates next to each other the profile says the same at every moment. */
static uint32_t epoch_of(const struct judge_cache *c, struct wall when)
{
	unsigned low = 0, high = c->bound_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (c->bounds[middle].ns <= when.ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- the cache ------------------------------------------------------------------------------- */

static void slot_clear(struct slot *s)
{
	free(s->verdict);
	free(s->names);
	*s = (struct slot){0};
}

static void cache_free(struct judge_cache *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; c->slots != NULL && i < c->sets * WAYS; i++)
		slot_clear(&c->slots[i]);
	free(c->slots);
	free(c->next);
	free(c->known);
	free(c->bounds);
	buf_fini(&c->key);
	free(c);
}

static struct judge_cache *cache_new(const struct profile *p, unsigned slots)
{
	struct judge_cache *c = calloc(1, sizeof(*c));
	struct dates dates = {0};

	if (c == NULL)
		return NULL;
	buf_init(&c->key);
	c->sets = slots / WAYS > 0 ? slots / WAYS : 1;
	c->slots = calloc(c->sets, WAYS * sizeof(*c->slots));
	c->next = calloc(c->sets, sizeof(*c->next));
	for (c->known_count = 16; c->known_count < slots; c->known_count *= 2)
		;
	c->known = calloc(c->known_count, sizeof(*c->known));
	dates_fill(&dates, p);
	dates.at = calloc(dates.count + 1, sizeof(*dates.at));
	c->bounds = dates.at;
	if (c->slots == NULL || c->next == NULL || c->known == NULL ||
	    c->bounds == NULL) {
		cache_free(c);
		return NULL;
	}
	dates_fill(&dates, p);
	c->bound_count = dates.count;
	qsort(c->bounds, c->bound_count, sizeof(*c->bounds), compare_wall);
	randombytes_buf(c->secret, sizeof(c->secret));
	return c;
}

/* All that naming and judging read of an answer; a silent probe is its TTL alone. */
static void put_entry(struct buf *b, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;
	struct {
		uint8_t ttl, answered;
		int16_t icmp_type, icmp_code, tcp_flags;
		uint16_t flags;
		struct addr from;
	} key;

	/* Padding is part of what is hashed. */
	memset(&key, 0, sizeof(key));
	key.ttl = e->ttl;
	if (addr_is_set(r->from)) {
		key.answered = 1;
		key.icmp_type = r->icmp_type;
		key.icmp_code = r->icmp_code;
		key.tcp_flags = r->tcp_flags;
		key.flags = r->flags;
		key.from = r->from;
	}
	buf_append(b, &key, key.answered ? sizeof(key) : offsetof(typeof(key), icmp_type));
}

/* Fills key; false when there is no memory for it. */
static bool key_of(struct judge_cache *c, const struct trace *t, uint8_t key[static KEY_BYTES])
{
	const uint32_t head[] = {epoch_of(c, t->start), t->entry_count};
	const uint8_t kinds[] = {t->method, t->stop, t->stamps};

	buf_clear(&c->key);
	buf_append(&c->key, head, sizeof(head));
	buf_append(&c->key, kinds, sizeof(kinds));
	buf_append(&c->key, &t->src, sizeof(t->src));
	buf_append(&c->key, &t->dst, sizeof(t->dst));
	buf_append(&c->key, t->error, strlen(t->error) + 1);
	for (uint32_t i = 0; i < t->entry_count; i++)
		put_entry(&c->key, &t->entries[i]);
	if (c->key.failed)
		return false;
	crypto_shorthash_siphashx24(key, (const unsigned char *)c->key.bytes, c->key.used,
				    c->secret);
	return true;
}

static struct slot *set_of(const struct judge_cache *c, const uint8_t key[static KEY_BYTES],
			   unsigned *set)
{
	uint32_t n;

	memcpy(&n, key, sizeof(n));
	*set = n % c->sets;
	return &c->slots[*set * WAYS];
}

static const struct slot *cache_find(const struct judge_cache *c,
				     const uint8_t key[static KEY_BYTES])
{
	unsigned set;
	const struct slot *s = set_of(c, key, &set);

	for (unsigned i = 0; i < WAYS; i++) {
		if (s[i].verdict != NULL && memcmp(s[i].key, key, KEY_BYTES) == 0)
			return &s[i];
	}
	return NULL;
}

/* A verdict that tells the very moment of its trace is that trace's alone. */
static bool tells_time(const struct verdict *v)
{
	for (unsigned i = 0; i < v->evidence_count; i++) {
		if (strcmp(v->evidence[i].rule, "other_time") == 0)
			return true;
	}
	return false;
}

static size_t verdict_size(const struct verdict *v)
{
	return offsetof(struct verdict, evidence) + v->evidence_count * sizeof(v->evidence[0]);
}

/* A record may bring names of more addresses than its trace. */
static bool is_in(const struct trace *t, struct addr a)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (addr_equal(t->entries[i].reply.from, a))
			return true;
	}
	return addr_equal(t->src, a) || addr_equal(t->dst, a);
}

/* What does not fit into memory is judged again next time. */
static void cache_put(struct judge_cache *c, const uint8_t key[static KEY_BYTES],
		      const struct trace *t, const struct names *names, const struct verdict *v)
{
	struct slot *s, new = {.verdict_size = (uint32_t)verdict_size(v)};
	unsigned set;

	if (tells_time(v))
		return;
	new.verdict = malloc(new.verdict_size);
	new.names = malloc(names->count * NAME_HEAD + 1);
	if (new.verdict == NULL || new.names == NULL) {
		slot_clear(&new);
		return;
	}
	memcpy(new.key, key, KEY_BYTES);
	memcpy(new.verdict, v, new.verdict_size);
	for (uint32_t i = 0; i < names->count; i++) {
		if (is_in(t, names->items[i].addr))
			memcpy(new.names + new.name_count++ * NAME_HEAD, &names->items[i],
			       NAME_HEAD);
	}
	s = set_of(c, key, &set);
	s += c->next[set];
	c->next[set] = (uint8_t)((c->next[set] + 1) % WAYS);
	slot_clear(s);
	*s = new;
}

/* As annotate would have filled it. */
static int names_from(const struct slot *s, const struct geo_source *source, struct names *out)
{
	for (uint32_t i = 0; i < s->name_count; i++) {
		const char *head = s->names + i * NAME_HEAD;
		struct name *n;
		struct addr a;

		memcpy(&a, head, sizeof(a));
		n = names_put(out, a);
		if (n == NULL)
			return BP_ENOMEM;
		memcpy(n, head, NAME_HEAD);
	}
	annotate_source(source, out);
	return 0;
}

/* As geo_lookup, each address once between two dates. */
struct lookup { struct judge_cache *cache; const struct geo *geo; };

static void lookup_known(void *arg, struct addr a, struct wall when, struct name *out)
{
	const struct lookup *l = arg;
	uint32_t epoch = epoch_of(l->cache, when);
	struct known_name *k;
	uint64_t words[2];

	/* Whoever answers from addresses that share a place makes us look them up, no more. */
	memcpy(words, a.bytes, sizeof(words));
	words[0] = (words[0] ^ words[1] * 31) * UINT64_C(0x9e3779b97f4a7c15);
	k = &l->cache->known[(words[0] >> 32) & (l->cache->known_count - 1)];
	if (!k->used || k->epoch != epoch || !addr_equal(k->name.addr, a)) {
		geo_lookup(l->geo, a, when, &k->name);
		k->name.addr = a;
		k->epoch = epoch;
		k->used = true;
	}
	memcpy(out, &k->name, NAME_HEAD);
}

/* --- the pass -------------------------------------------------------------------------------- */

int judge_pass_init(struct judge_pass *j, const struct geo *geo, const struct profile *profile,
		    unsigned slots)
{
	*j = (struct judge_pass){.geo = geo, .profile = profile};
	if (slots == 0)
		return 0;
	j->cache = cache_new(profile, slots);
	return j->cache != NULL ? 0 : BP_ENOMEM;
}

void judge_pass_fini(struct judge_pass *j)
{
	cache_free(j->cache);
	j->cache = NULL;
}

uint32_t judge_pass_epoch(const struct judge_pass *j, struct wall when)
{
	return epoch_of(j->cache, when);
}

struct wall judge_pass_next_date(const struct judge_pass *j, struct wall when)
{
	uint32_t next = epoch_of(j->cache, when);

	return next < j->cache->bound_count ? j->cache->bounds[next] : (struct wall){0};
}

/* Without a time each moment is another; and where a database is missing the names depend on what
 * the record says itself. */
static bool may_share(const struct judge_pass *j, const struct trace *t, const struct names *names)
{
	const struct geo_source *s = geo_source(j->geo);

	if (j->cache == NULL || t->start.ns == 0)
		return false;
	return names->count == 0 || (s->asn_db[0] != '\0' && s->country_db[0] != '\0');
}

/* Who answered and is not in names yet. */
static int name_new(const struct judge_pass *j, const struct trace *t, struct names *names)
{
	struct lookup by = {j->cache, j->geo};

	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct addr a = t->entries[i].reply.from;
		struct name *n;

		if (!addr_is_set(a) || names_find(names, a) != NULL)
			continue;
		n = names_put(names, a);
		if (n == NULL)
			return BP_ENOMEM;
		lookup_known(&by, a, t->start, n);
		n->addr = a;
	}
	return 0;
}

bool judge_pass_names_alone(const struct judge_pass *j)
{
	const struct geo_source *s = geo_source(j->geo);

	return j->cache != NULL && s->asn_db[0] != '\0' && s->country_db[0] != '\0';
}

int judge_pass_way(struct judge_pass *j, struct trace *t, struct names *names, struct wall now,
		   struct verdict *out)
{
	int rc;

	j->judged++;
	light_mark(t, j->profile, now);
	rc = name_new(j, t, names);
	if (rc == 0)
		border_judge(t, names, j->profile, now, out);
	return rc;
}

int judge_pass_trace(struct judge_pass *j, struct trace *t, struct names *names, struct wall now,
		     struct verdict *out)
{
	bool share = may_share(j, t, names);
	uint8_t key[KEY_BYTES];
	const struct slot *s;
	int rc;

	j->judged++;
	light_mark(t, j->profile, now);
	share = share && key_of(j->cache, t, key);
	s = share ? cache_find(j->cache, key) : NULL;
	if (s != NULL) {
		rc = names_from(s, geo_source(j->geo), names);
		if (rc == 0) {
			memcpy(out, s->verdict, s->verdict_size);
			j->found++;
		}
		return rc;
	}
	/* Without a time each look-up is of another moment. */
	if (j->cache != NULL && t->start.ns != 0)
		rc = annotate_by(t, j->geo, &(struct annotate_by){lookup_known,
				 &(struct lookup){j->cache, j->geo}}, names);
	else
		rc = annotate(t, j->geo, names);
	if (rc < 0)
		return rc;
	border_judge(t, names, j->profile, now, out);
	if (share)
		cache_put(j->cache, key, t, names, out);
	return 0;
}
