// SPDX-License-Identifier: BSD-2-Clause
/* Stores filled by chance, and their points by both ways: as points, and as records. */
#ifndef TESTS_POINTS_BED_H
#define TESTS_POINTS_BED_H

#include "tests/unit/campaign/store_bed.h"

#include "analysis/point.h"
#include "tests/unit/core/record/random_trace.h"

/* An exchange for a while: the same address is another node before and behind. */
static const char profile_yaml[] =
	"profile: test\n"
	"version: 2026-11-22\n"
	"timezone: Asia/Pyongyang\n"
	"network: {name: N, asn: [131279], prefixes: [175.45.176.0/22, 2001:db8:77::/48],\n"
	"  judge_by: {v4: 24, v6: 48}}\n"
	"borders:\n"
	"  - {id: dandong, name: Dandong, networks: [{asn: 4837}]}\n"
	"  - {id: khasan, name: Khasan, networks: [{asn: 20485}]}\n"
	"labels:\n"
	"  - {prefix: 80.81.192.0/24, label: an exchange, role: exchange,\n"
	"     since: 2026-11-22T10:30:00Z, until: 2026-11-22T11:00:00Z}\n";

/* --- what both ways give ---------------------------------------------------------------------- */

struct seen {
	struct point p;
	char vantage[64], campaign[64], round[64], target[256], id[64], border[32], org[96];
	struct node hops[POINT_HOPS_MAX];
	uint8_t ttls[POINT_HOPS_MAX];
	struct node last;
	bool is_round;
};

struct both {
	struct bed *b;
	struct store *store;
	struct profile *profile;
	struct nodes nodes;
	struct point_room room;
	struct seen *items;
	unsigned count, room_for;
	unsigned stop_at;
};

static inline struct seen *more(struct both *x)
{
	if (x->count == x->room_for) {
		x->room_for = 2 * x->room_for + 64;
		x->items = realloc(x->items, x->room_for * sizeof(*x->items));
		assert_non_null(x->items);
	}
	memset(&x->items[x->count], 0, sizeof(*x->items));
	return &x->items[x->count++];
}

static inline int by_address(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	return addr_compare(x->addr, y->addr);
}

static inline void see_hops(struct both *x, struct seen *s, const struct point *p)
{
	unsigned from = 0;

	for (unsigned i = 0; i < p->hop_count; i++) {
		s->hops[i] = *nodes_get(&x->nodes, p->hops[i].node);
		s->ttls[i] = p->hops[i].ttl;
		if (i > 0)
			assert_true(p->hops[i].ttl > p->hops[i - 1].ttl ||
				    (p->hops[i].ttl == p->hops[i - 1].ttl &&
				     p->hops[i].node > p->hops[i - 1].node));
	}
	/* Numbers of nodes are those of who came first: within a TTL the order is nothing. */
	for (unsigned i = 1; i <= p->hop_count; i++) {
		if (i == p->hop_count || s->ttls[i] != s->ttls[from]) {
			qsort(&s->hops[from], i - from, sizeof(s->hops[0]), by_address);
			from = i;
		}
	}
}

static inline int see(void *arg, const struct point *p, struct bp_error *err)
{
	struct both *x = arg;
	struct seen *s = more(x);

	s->p = *p;
	snprintf(s->vantage, sizeof(s->vantage), "%s", p->vantage);
	snprintf(s->campaign, sizeof(s->campaign), "%s", p->campaign);
	snprintf(s->round, sizeof(s->round), "%s", p->round);
	snprintf(s->target, sizeof(s->target), "%s", p->target);
	snprintf(s->id, sizeof(s->id), "%s", p->id);
	snprintf(s->border, sizeof(s->border), "%s", p->border);
	snprintf(s->org, sizeof(s->org), "%s", p->via_org);
	see_hops(x, s, p);
	return x->count == x->stop_at ? bp_fail(err, BP_EIO, "enough") : 0;
}

static inline int see_round(void *arg, const struct round *r, struct bp_error *err)
{
	struct seen *s = more(arg);

	(void)err;
	s->is_round = true;
	snprintf(s->id, sizeof(s->id), "%s", r->id);
	return 0;
}

/* The long way. */
static inline int see_record(void *arg, struct record *r, struct bp_error *err)
{
	struct both *x = arg;
	struct round round;
	struct point p;

	if (r->kind == RECORD_ROUND) {
		assert_int_equal(round_read(r, &round, err), 0);
		return see_round(x, &round, err);
	}
	if (r->kind != RECORD_TRACE)
		return 0;
	assert_int_equal(point_of_trace(r->trace, &r->names,
					strcmp(r->verdict.profile, x->profile->id) == 0 ?
						&r->verdict : NULL,
					x->profile, &x->nodes, &x->room, &p), 0);
	return see(x, &p, err);
}

static inline void both_init(struct both *x, struct bed *b)
{
	*x = (struct both){.b = b};
	assert_int_equal(profile_parse("test", profile_yaml, strlen(profile_yaml), &x->profile,
				       &b->err), 0);
	assert_int_equal(nodes_init(&x->nodes), 0);
	assert_int_equal(store_open(b->path, STORE_READ, &x->store, &b->err), 0);
}

static inline void both_fini(struct both *x)
{
	store_close(x->store);
	point_room_fini(&x->room);
	nodes_fini(&x->nodes);
	profile_free(x->profile);
	free(x->items);
}

static inline int by_points(struct both *x, const struct store_select *select)
{
	const struct store_points to = {x->profile, &x->nodes, &x->room, see, see_round, x};

	return store_points(x->store, select, &to, &x->b->err);
}

static inline void assert_same(const struct both *a, const struct both *b)
{
	assert_int_equal(a->count, b->count);
	for (unsigned i = 0; i < a->count; i++) {
		const struct seen *x = &a->items[i], *y = &b->items[i];
		const struct point *p = &x->p, *q = &y->p;

		assert_string_equal(x->id, y->id);
		assert_int_equal(x->is_round, y->is_round);
		if (x->is_round)
			continue;
		assert_string_equal(x->vantage, y->vantage);
		assert_string_equal(x->campaign, y->campaign);
		assert_string_equal(x->round, y->round);
		assert_string_equal(x->target, y->target);
		assert_string_equal(x->border, y->border);
		assert_string_equal(x->org, y->org);
		assert_int_equal(p->start.ns, q->start.ns);
		assert_int_equal(p->end.ns, q->end.ns);
		assert_true(addr_equal(p->dst, q->dst));
		assert_true(prefix_equal(p->prefix, q->prefix));
		assert_int_equal(p->method, q->method);
		assert_int_equal(p->reach, q->reach);
		assert_int_equal(p->stop, q->stop);
		assert_int_equal(p->dport, q->dport);
		assert_int_equal(p->flow, q->flow);
		assert_int_equal(p->measured, q->measured);
		assert_int_equal(p->judged, q->judged);
		assert_int_equal(p->outcome, q->outcome);
		assert_int_equal(p->class, q->class);
		assert_true(p->confidence == q->confidence);
		assert_int_equal(p->via_asn, q->via_asn);
		assert_int_equal(p->rtt_min_ns, q->rtt_min_ns);
		assert_int_equal(p->rtt_median_ns, q->rtt_median_ns);
		assert_int_equal(p->asked, q->asked);
		assert_int_equal(p->answered, q->answered);
		assert_int_equal(p->reply_ttl, q->reply_ttl);
		assert_int_equal(p->last_ttl, q->last_ttl);
		assert_int_equal(p->outside_ttl, q->outside_ttl);
		assert_true(addr_equal(p->outside, q->outside));
		assert_int_equal(p->outside_rtt_ns, q->outside_rtt_ns);
		assert_int_equal(p->hop_count, q->hop_count);
		assert_memory_equal(x->ttls, y->ttls, p->hop_count);
		for (unsigned k = 0; k < p->hop_count; k++) {
			assert_true(addr_equal(x->hops[k].addr, y->hops[k].addr));
			assert_int_equal(x->hops[k].asn, y->hops[k].asn);
			assert_int_equal(x->hops[k].skipped, y->hops[k].skipped);
		}
		if (p->last_ttl > 0)
			assert_true(addr_equal(
				nodes_get(&a->nodes, p->last_node)->addr,
				nodes_get(&b->nodes, q->last_node)->addr) ||
				x->ttls[p->hop_count - 1] == x->ttls[p->hop_count - 2]);
		/* And the store knows the trace by it. */
		assert_true(p->example > 0);
	}
}

static inline void compare(struct bed *b, const struct store_select *select)
{
	struct both points, records;

	both_init(&points, b);
	both_init(&records, b);
	if (by_points(&points, select) != 0)
		fail_msg("%s", b->err.text);
	if (store_read(records.store, select, see_record, &records, &b->err) != 0)
		fail_msg("%s", b->err.text);
	assert_same(&points, &records);
	both_fini(&points);
	both_fini(&records);
}

/* --- what goes in ----------------------------------------------------------------------------- */

/* Addresses, methods and kinds of answers out of a few, so that paths, names and verdicts are
 * shared between destinations, and hit the odd corners. */
static inline struct addr pool(uint64_t *s, unsigned family)
{
	static const char *const v4[] = {"10.0.0.1", "62.10.1.1", "80.81.192.7", "219.158.1.1",
					 "188.43.225.153", "175.45.176.1", "175.45.177.10"};
	static const char *const v6[] = {"fe80::1", "2001:db8::1", "2001:db8::2", "2001:db8:77::1",
					 "2001:db8:77:0:1::2"};
	struct addr a;

	assert_int_equal(addr_parse(family == 4 ? v4[rnd_below(s, 7)] : v6[rnd_below(s, 5)], &a),
			 0);
	return a;
}

static inline void set_answer(uint64_t *s, const struct trace *t, struct trace_entry *e)
{
	static const int16_t types[][3] = {
		/* IPv4, IPv6, code */
		{11, 3, 0}, {11, 3, 0}, {11, 3, 0}, {3, 1, 3}, {3, 1, 4}, {0, 129, 0}, {3, 1, 13},
		{-1, -1, -1},
	};
	const int16_t *kind = types[rnd_below(s, 8)];

	if (rnd_one_in(s, 3)) {
		e->why = WHY_TIMEOUT;
		return;
	}
	e->why = WHY_NONE;
	e->reply.from = addr_is_set(t->dst) && rnd_one_in(s, 3) ? t->dst :
			pool(s, t->dst.family == 6 ? 6 : 4);
	e->reply.icmp_type = kind[e->reply.from.family == 6];
	e->reply.icmp_code = kind[2];
	if (t->method == METHOD_TCP && rnd_one_in(s, 2)) {
		e->reply.icmp_type = e->reply.icmp_code = -1;
		e->reply.tcp_flags = 0x12;
	}
	e->reply.rtt_ns = rnd_one_in(s, 10) ? -1 : (int64_t)rnd_below(s, 300000000);
	e->reply.reply_ttl = (int16_t)(50 + rnd_below(s, 3));
	if (rnd_one_in(s, 6))
		e->reply.flags = (uint16_t)(1u << rnd_below(s, 9));
}

static inline void set_entries(uint64_t *s, struct trace *t, unsigned hops)
{
	unsigned attempts = 1 + (unsigned)rnd_below(s, 3);

	for (unsigned ttl = 1; ttl <= hops; ttl++) {
		for (unsigned q = 1; q <= attempts; q++) {
			struct trace_entry *e = &t->entries[t->entry_count++];

			trace_entry_init(e, (uint8_t)ttl, (uint8_t)q);
			e->tx_ns = rnd_one_in(s, 5) ? TX_UNKNOWN : ttl * NS_PER_MS;
			set_answer(s, t, e);
		}
	}
	t->attempts = rnd_one_in(s, 3) ? 0 : (uint8_t)attempts;
	t->size = (uint32_t)trace_size(t->entry_count);
}

static inline struct trace *make(uint64_t *s, unsigned slot, unsigned i, const struct round *r)
{
	/* Few paths: shared between destinations, methods and slots. */
	uint64_t path = 7 + rnd_below(s, 12) * 1000003;
	struct trace *t = trace_new(64);
	char text[64];

	assert_non_null(t);
	if (rnd_one_in(s, 8))
		snprintf(t->id, sizeof(t->id), "theirs %u/%u", slot, i);
	else if (!rnd_one_in(s, 8))
		snprintf(t->id, sizeof(t->id), "v-run%u-%u%s", slot / 3, slot * 1000 + i,
			 rnd_one_in(s, 4) ? ".2" : "");
	text_set(t->vantage, sizeof(t->vantage), r->vantage);
	text_set(t->campaign, sizeof(t->campaign), r->campaign);
	text_set(t->round, sizeof(t->round), r->id);
	if (path % 2)
		snprintf(text, sizeof(text), "175.45.%u.%u", 175 + i % 4, 1 + i % 20);
	else
		snprintf(text, sizeof(text), "2001:db8:%u::%u", 77 + i % 2, 1 + i % 3);
	if (!rnd_one_in(s, 20))
		assert_int_equal(addr_parse(text, &t->dst), 0);
	text_set(t->target, sizeof(t->target), text);
	t->method = (uint8_t)(1 + rnd_below(s, 3));
	t->flow = (int32_t)rnd_below(s, 3) - 1;
	t->dport = 33434;
	t->stop = rnd_one_in(s, 9) ? STOP_ERROR : STOP_REACHED;
	t->reach = (uint8_t)rnd_below(s, 5);
	t->stamps = rnd_one_in(s, 4) ? STAMPS_IMPORT : STAMPS_PCAP;
	if (!rnd_one_in(s, 30))
		t->start.ns = r->planned.ns + i * NS_PER_S + (int64_t)rnd_below(s, 999999);
	if (!rnd_one_in(s, 5))
		t->end.ns = r->planned.ns + (i + 2) * NS_PER_S + 1234;
	set_entries(rnd_one_in(s, 4) ? s : &path, t, (unsigned)rnd_below(s, 4) ? 8 : 0);
	return t;
}

static inline void name(uint64_t *s, const struct trace *t, struct names *names)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct addr a = t->entries[i].reply.from;
		struct name *n;

		if (!addr_is_set(a) || rnd_one_in(s, 50))
			continue;
		n = names_put(names, a);
		assert_non_null(n);
		n->asn = rnd_one_in(s, 50) ? 64999 : (uint32_t)(addr_hash(a) % 5) * 4837;
	}
	text_set(names->geo.asn_built, sizeof(names->geo.asn_built),
		 rnd_one_in(s, 40) ? "2026-01-01" : "2026-06-17");
}

static inline void judge(uint64_t *s, const struct trace *t, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->judged = !rnd_one_in(s, 6);
	text_set(v->profile, sizeof(v->profile), rnd_one_in(s, 6) ? "another" : "test");
	v->outcome = (uint8_t)rnd_below(s, OUTCOME_NONE + 1);
	v->class = (uint8_t)rnd_below(s, CLASS_NOT_INSIDE + 1);
	if (v->outcome == OUTCOME_BORDER)
		text_set(v->border, sizeof(v->border), rnd_one_in(s, 2) ? "dandong" : "khasan");
	v->via_asn = rnd_one_in(s, 2) ? 0 : 4837;
	text_set(v->via_org, sizeof(v->via_org), v->via_asn ? "Unicom" : "");
	v->confidence = (double)rnd_below(s, 3) / 2;
	v->last_outside_ttl = (uint8_t)rnd_below(s, 9);
	if (v->last_outside_ttl > 0)
		v->last_outside = rnd_one_in(s, 5) ? pool(s, 4) :
				  value_addr_at(t, v->last_outside_ttl);
}

static inline void put(struct bed *b, uint64_t *s, struct store *store, unsigned slot)
{
	struct verdict *v = calloc(1, sizeof(*v));
	struct names names;
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, slot % 2 ? "v" : "w");
	r.planned.ns = T0 + slot / 2 * 900 * NS_PER_S;
	r.expected = r.missed = 40;
	r.why = ROUND_WHY_DOWN;
	if (slot % 5 != 4) {
		r.expected = r.done = r.traces = 40;
		r.missed = r.why = 0;
	}
	round_set_id(&r);
	assert_int_equal(store_begin(store, &b->err), 0);
	for (unsigned i = 0; i < r.traces; i++) {
		struct trace *t = make(s, slot, i, &r);

		names_init(&names);
		name(s, t, &names);
		judge(s, t, v);
		if (store_add_trace(store, t, rnd_one_in(s, 9) ? NULL : &names, v, &b->err) != 0)
			fail_msg("%s", b->err.text);
		names_fini(&names);
		free(t);
	}
	assert_int_equal(store_add_round(store, &r, &already, &b->err), 0);
	assert_int_equal(store_commit(store, &b->err), 0);
	free(v);
}

static inline void fill(struct bed *b, uint64_t seed, unsigned rounds)
{
	struct store *store;

	assert_int_equal(store_open(b->path, STORE_WRITE, &store, &b->err), 0);
	for (unsigned i = 0; i < rounds; i++)
		put(b, &seed, store, i);
	store_close(store);
}

#endif
