// SPDX-License-Identifier: BSD-2-Clause
/* A store that is open for writing: what goes in, as our prober makes it, and what comes out. */
#ifndef TESTS_UNIT_CAMPAIGN_STORE_OPEN_BED_H
#define TESTS_UNIT_CAMPAIGN_STORE_OPEN_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#include <unistd.h>

#include "campaign/store.h"
#include "core/text.h"
#include "tests/unit/campaign/engines.h"

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define T0 (INT64_C(1795341600) * NS_PER_S) /* 2026-11-22T10:00:00Z */

struct bed {
	char dir[64], path[STORE_NAME]; /* or the name of a store on a server */
	struct store *store;
	struct bp_error err;
};

static inline void open_store(struct bed *b, enum store_mode mode)
{
	if (store_open(b->path, mode, &b->store, &b->err) != 0)
		fail_msg("%s", b->err.text);
}

static inline void close_store(struct bed *b)
{
	store_close(b->store);
	b->store = NULL;
}

static inline int set_up(void **state)
{
	struct server *server = *state;
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_store.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	store_name(server, b->dir, b->path);
	open_store(b, STORE_WRITE);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bed *b = *state;

	store_close(b->store);
	store_gone(b->path);
	rmdir(b->dir);
	free(b);
	return 0;
}

#define assert_ok(b, call)                                        \
	do {                                                      \
		if ((call) != 0)                                  \
			fail_msg("%s: %s", #call, (b)->err.text); \
	} while (0)

/* --- what comes out --------------------------------------------------------------------------- */

struct taken {
	struct record *items;
	unsigned count, room;
};

static inline int take(void *arg, struct record *r, struct bp_error *err)
{
	struct taken *t = arg;

	(void)err;
	if (t->count == t->room) {
		t->room = 2 * t->room + 16;
		t->items = realloc(t->items, t->room * sizeof(*t->items));
		assert_non_null(t->items);
	}
	t->items[t->count++] = *r;
	record_init(r);
	return 0;
}

static inline struct taken take_all(struct bed *b, const struct store_select *select)
{
	struct taken t = {0};

	assert_ok(b, store_read(b->store, select, take, &t, &b->err));
	return t;
}

static inline void taken_fini(struct taken *t)
{
	for (unsigned i = 0; i < t->count; i++)
		record_fini(&t->items[i]);
	free(t->items);
	*t = (struct taken){0};
}

static inline unsigned count_of(struct bed *b, const struct store_select *select)
{
	struct taken t = take_all(b, select);
	unsigned n = t.count;

	taken_fini(&t);
	return n;
}

/* --- what goes in ----------------------------------------------------------------------------- */

/* A trace of a round, as our prober makes them. */
static inline struct trace *make_trace(const char *vantage, const char *round, int64_t start_ns,
				       unsigned seq, unsigned target)
{
	struct trace *t = trace_new(8);

	assert_non_null(t);
	snprintf(t->id, sizeof(t->id), "%s-run1-%u", vantage, seq);
	text_set(t->vantage, sizeof(t->vantage), vantage);
	text_set(t->campaign, sizeof(t->campaign), "c");
	text_set(t->round, sizeof(t->round), round);
	snprintf(t->target, sizeof(t->target), "192.0.%u.%u", 2 + target / 256, target % 256);
	assert_int_equal(addr_parse(t->target, &t->dst), 0);
	t->method = target % 2 ? METHOD_ICMP : METHOD_UDP;
	t->start.ns = start_ns;
	t->end.ns = start_ns + 2 * NS_PER_S;
	for (uint8_t ttl = 1; ttl <= 8; ttl++) {
		struct trace_entry *e = &t->entries[t->entry_count++];

		trace_entry_init(e, ttl, 1);
		e->tx_ns = ttl * 20 * NS_PER_MS;
		if (ttl == 5)
			continue;
		e->why = WHY_NONE;
		e->reply.from = addr_v4((const uint8_t[]){10, 0, 0, ttl});
		if (ttl == 8)
			e->reply.from = t->dst;
		e->reply.icmp_type = ttl == 8 ? target % 2 ? 0 : 3 : 11;
		e->reply.icmp_code = ttl == 8 && target % 2 == 0 ? 3 : 0;
		e->reply.rtt_ns = ttl * NS_PER_MS + seq * NS_PER_US;
		e->reply.ip_id = (int32_t)(1000 * ttl + seq);
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

static inline void add(struct bed *b, struct trace *t, const struct names *names,
		       const struct verdict *v)
{
	assert_ok(b, store_add_trace(b->store, t, names, v, &b->err));
	free(t);
}

static inline struct round make_round(const char *vantage, int64_t planned_ns)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), vantage);
	r.planned.ns = planned_ns;
	r.start.ns = planned_ns + NS_PER_S;
	r.end.ns = planned_ns + 60 * NS_PER_S;
	round_set_id(&r);
	return r;
}

/* A whole round: `traces` of it. Returns whether it was there already. */
static inline bool put_round(struct bed *b, const char *vantage, unsigned slot, unsigned traces)
{
	struct round r = make_round(vantage, T0 + slot * 900 * NS_PER_S);
	bool already = false;

	r.expected = r.done = r.traces = traces;
	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < traces; i++)
		add(b, make_trace(vantage, r.id, r.start.ns + i * NS_PER_S, slot * 1000 + i, i),
		    NULL, NULL);
	assert_ok(b, store_add_round(b->store, &r, &already, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	return already;
}

#endif
