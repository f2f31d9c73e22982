// SPDX-License-Identifier: BSD-2-Clause
/* A watch beside a real store, rounds that are committed into it, and what is told. */
#ifndef TESTS_WATCH_BED_H
#define TESTS_WATCH_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/watch.h"

#define MINUTE (60 * NS_PER_S)
#define EVERY (15 * MINUTE)
#define T0 (INT64_C(1506848400) * NS_PER_S) /* 2017-10-01T09:00:00Z */

enum { TOLD_MAX = 64 };

struct bed {
	char dir[64], path[128];
	struct watch_options options;
	struct profile *profile;
	struct store *store;
	struct watch *watch;
	struct event told[TOLD_MAX];
	unsigned told_count, cells, recalled;
	bool refuse; /* whoever is told fails */
	struct bp_error err;
};

static const char yaml[] =
	"profile: p\nversion: 1\n"
	"network: {name: P, asn: [131279], prefixes: [175.45.176.0/22], judge_by: {v4: 24, v6: 48}}\n"
	"timezone: Asia/Pyongyang\n"
	"borders:\n"
	"  - {id: dandong, name: Dandong, short: C, country: CN, color: \"#E69F00\","
	" networks: [{asn: 4837}]}\n"
	"  - {id: khasan, name: Khasan, short: R, country: RU, color: \"#0072B2\","
	" networks: [{asn: 20485}]}\n"
	"targets: [{host: 175.45.176.71}]\n";

static inline int on_event(void *arg, const struct event *e, struct bp_error *err)
{
	struct bed *b = arg;

	if (b->refuse)
		return bp_fail(err, BP_EIO, "nobody takes it");
	assert_true(b->told_count < TOLD_MAX);
	b->told[b->told_count++] = *e;
	return 0;
}

static inline void on_cell(void *arg, const struct cell *c, const struct events_now *now,
			   bool recalled)
{
	struct bed *b = arg;

	assert_non_null(c->key);
	assert_true(now->suspected || now->suspected_kind == 0);
	b->cells++;
	b->recalled += recalled;
}

static inline void open_watch(struct bed *b)
{
	const struct watch_hooks hooks = {.on_event = on_event, .on_cell = on_cell, .arg = b};

	watch_free(b->watch);
	b->told_count = b->cells = b->recalled = 0;
	assert_int_equal(watch_new(&b->options, &hooks, &b->watch), 0);
}

static inline int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/watch-XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/store.db", b->dir);
	if (profile_parse("p", yaml, strlen(yaml), &b->profile, &b->err) < 0 ||
	    store_open(b->path, STORE_WRITE, &b->store, &b->err) < 0)
		return -1;
	b->options = (struct watch_options){
		.campaign = "c", .vantage = "v", .profile = b->profile, .every_ns = EVERY};
	*state = b;
	open_watch(b);
	return 0;
}

static inline int teardown(void **state)
{
	struct bed *b = *state;
	char command[128];

	watch_free(b->watch);
	store_close(b->store);
	profile_free(b->profile);
	snprintf(command, sizeof(command), "rm -r '%s'", b->dir);
	if (system(command) != 0)
		return -1;
	free(b);
	return 0;
}

/* --- rounds ----------------------------------------------------------------------------------- */

static inline void add_hop(struct trace *t, unsigned ttl, const char *from, double ms)
{
	struct trace_entry *e = &t->entries[t->entry_count++];

	trace_entry_init(e, (uint8_t)ttl, 1);
	e->why = WHY_NONE;
	addr_parse(from, &e->reply.from);
	e->reply.rtt_ns = (int64_t)(ms * 1e6);
	e->tx_ns = ttl * NS_PER_MS;
}

/* d, k: by dandong, khasan; n: nobody answers behind the second hop, which decides nothing. */
static inline void put_trace(struct bed *b, const struct round *r, unsigned prefix, char how)
{
	struct trace *t = trace_new(8);
	struct verdict v = {.judged = true, .profile = "p", .profile_version = "1",
			    .confidence = 0.95, .p_count = 3, .last_outside_ttl = 2};
	bool khasan = how == 'k';

	assert_non_null(t);
	strcpy(t->vantage, r->vantage);
	strcpy(t->campaign, "c");
	strcpy(t->round, r->id);
	snprintf(t->id, sizeof(t->id), "%.40s-run-%lld-%u", r->vantage,
		 (long long)(r->planned.ns / NS_PER_S), prefix);
	snprintf(t->target, sizeof(t->target), "175.45.%u.71", 176 + prefix);
	addr_parse(t->target, &t->dst);
	addr_parse("192.0.2.1", &t->src);
	t->method = METHOD_ICMP;
	t->start.ns = r->start.ns + prefix * NS_PER_S;
	t->end.ns = t->start.ns + NS_PER_S / 2;
	t->attempts = 1;
	add_hop(t, 1, "192.0.2.254", 1);
	add_hop(t, 2, khasan ? "188.43.225.153" : "219.158.3.1", khasan ? 100 : 180);
	if (how != 'n') {
		add_hop(t, 3, t->target, khasan ? 120 : 200);
		t->entries[2].reply.icmp_type = 0;
		t->stop = STOP_REACHED;
		t->reach = REACH_REACHED;
		t->reached_by = REACHED_BY_ECHO_REPLY;
	} else {
		t->stop = STOP_GAP_LIMIT;
		t->reach = REACH_SILENT;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	v.outcome = OUTCOME_BORDER;
	v.class = CLASS_BORDER;
	strcpy(v.border, khasan ? "khasan" : "dandong");
	v.via_asn = khasan ? 20485 : 4837;
	strcpy(v.p[0].id, "dandong");
	strcpy(v.p[1].id, "khasan");
	strcpy(v.p[2].id, "other");
	addr_parse(khasan ? "188.43.225.153" : "219.158.3.1", &v.last_outside);
	if (how == 'n') {
		v.outcome = OUTCOME_UNDETERMINED;
		v.class = CLASS_CUT_BEFORE_BORDER;
		v.border[0] = '\0';
		v.via_asn = 0;
	}
	if (store_add_trace(b->store, t, NULL, &v, &b->err) < 0)
		fail_msg("%s", b->err.text);
	free(t);
}

/* Commits one round: a letter a prefix; "-": nobody measured. */
static inline struct round commit_of(struct bed *b, const char *vantage, unsigned slot,
				     int64_t offset_ns, const char *how, enum round_health health)
{
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, vantage);
	r.planned.ns = T0 + slot * EVERY;
	r.every_ns = EVERY;
	round_set_id(&r);
	assert_int_equal(store_begin(b->store, &b->err), 0);
	r.expected = 4;
	if (how[0] == '-') {
		r.missed = 4;
		r.why = ROUND_WHY_DOWN;
	} else {
		r.start.ns = r.planned.ns + offset_ns;
		r.end.ns = r.start.ns + MINUTE;
		r.done = r.traces = 4;
		r.health = (uint8_t)health;
		if (health == ROUND_HEALTH_OFFLINE) {
			r.missed = 4;
			r.done = 0;
		}
		for (unsigned i = 0; how[i] != '\0'; i++)
			put_trace(b, &r, i, how[i]);
	}
	if (store_add_round(b->store, &r, &already, &b->err) < 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(store_commit(b->store, &b->err), 0);
	return r;
}

static inline struct round commit(struct bed *b, unsigned slot, const char *how)
{
	return commit_of(b, "v", slot, 0, how, ROUND_HEALTH_OK);
}

static inline int count_events(void *arg, struct record *r, struct bp_error *err)
{
	unsigned *n = arg;
	struct event e;

	(void)err;
	if (r->kind == RECORD_EVENT && event_read(r, &e, err) == 0)
		++*n;
	return 0;
}

static inline unsigned stored(struct bed *b)
{
	unsigned n = 0;

	assert_int_equal(store_read(b->store, NULL, count_events, &n, &b->err), 0);
	return n;
}

/* Of those told: border switches with that status. */
static inline unsigned switches(const struct bed *b, enum event_status status)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->told_count; i++)
		n += b->told[i].kind == EVENT_BORDER_SWITCH && b->told[i].status == status;
	return n;
}

#endif
