// SPDX-License-Identifier: BSD-2-Clause
/*
 * The watch beside a real store: a switch is found as rounds are committed, is in the store once,
 * and is told once, whoever is killed when; gaps are no news.
 */
#include "campaign/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define MINUTE (60 * NS_PER_S)
#define EVERY (15 * MINUTE)
#define T0 (INT64_C(1506848400) * NS_PER_S) /* 2017-10-01T09:00:00Z */

enum { TOLD_MAX = 64 };

struct bed {
	char dir[64], path[128];
	struct campaign_plan plan;
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

static int on_event(void *arg, const struct event *e, struct bp_error *err)
{
	struct bed *b = arg;

	if (b->refuse)
		return bp_fail(err, BP_EIO, "nobody takes it");
	assert_true(b->told_count < TOLD_MAX);
	b->told[b->told_count++] = *e;
	return 0;
}

static void on_cell(void *arg, const struct cell *c, const struct events_now *now, bool recalled)
{
	struct bed *b = arg;

	assert_non_null(c->key);
	assert_true(now->suspected || now->suspected_kind == 0);
	b->cells++;
	b->recalled += recalled;
}

static void open_watch(struct bed *b)
{
	const struct watch_hooks hooks = {.on_event = on_event, .on_cell = on_cell, .arg = b};

	watch_free(b->watch);
	b->told_count = b->cells = b->recalled = 0;
	assert_int_equal(watch_new(&b->plan, b->profile, &hooks, &b->watch), 0);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/watch-XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/store.db", b->dir);
	strcpy(b->plan.campaign, "c");
	strcpy(b->plan.vantage, "v");
	b->plan.every_ns = EVERY;
	if (profile_parse("p", yaml, strlen(yaml), &b->profile, &b->err) < 0 ||
	    store_open(b->path, STORE_WRITE, &b->store, &b->err) < 0)
		return -1;
	*state = b;
	open_watch(b);
	return 0;
}

static int teardown(void **state)
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

static void add_hop(struct trace *t, unsigned ttl, const char *from, double ms)
{
	struct trace_entry *e = &t->entries[t->entry_count++];

	trace_entry_init(e, (uint8_t)ttl, 1);
	e->why = WHY_NONE;
	addr_parse(from, &e->reply.from);
	e->reply.rtt_ns = (int64_t)(ms * 1e6);
	e->tx_ns = ttl * NS_PER_MS;
}

static void put_trace(struct bed *b, const struct round *r, unsigned prefix, unsigned seq, char how)
{
	struct trace *t = trace_new(8);
	struct verdict v = {.judged = true, .profile = "p", .profile_version = "1",
			    .confidence = 0.95, .p_count = 3, .last_outside_ttl = 2};
	bool khasan = how == 'k';

	assert_non_null(t);
	strcpy(t->vantage, "v");
	strcpy(t->campaign, "c");
	strcpy(t->round, r->id);
	snprintf(t->id, sizeof(t->id), "v-run-%u", seq);
	snprintf(t->target, sizeof(t->target), "175.45.%u.71", 176 + prefix);
	addr_parse(t->target, &t->dst);
	addr_parse("192.0.2.1", &t->src);
	t->method = METHOD_ICMP;
	t->start.ns = r->start.ns + prefix * NS_PER_S;
	t->end.ns = t->start.ns + NS_PER_S / 2;
	t->attempts = 1;
	add_hop(t, 1, "192.0.2.254", 1);
	add_hop(t, 2, khasan ? "188.43.225.153" : "219.158.3.1", khasan ? 100 : 180);
	add_hop(t, 3, t->target, khasan ? 120 : 200);
	t->entries[2].reply.icmp_type = 0;
	t->stop = STOP_REACHED;
	t->reach = REACH_REACHED;
	t->reached_by = REACHED_BY_ECHO_REPLY;
	t->size = (uint32_t)trace_size(t->entry_count);
	v.outcome = OUTCOME_BORDER;
	v.class = CLASS_BORDER;
	strcpy(v.border, khasan ? "khasan" : "dandong");
	v.via_asn = khasan ? 20485 : 4837;
	strcpy(v.p[0].id, "dandong");
	strcpy(v.p[1].id, "khasan");
	strcpy(v.p[2].id, "other");
	addr_parse(khasan ? "188.43.225.153" : "219.158.3.1", &v.last_outside);
	if (store_add_trace(b->store, t, NULL, &v, &b->err) < 0)
		fail_msg("%s", b->err.text);
	free(t);
}

/* Commits one round: a letter a prefix, d or k; "-": nobody measured. */
static struct round commit(struct bed *b, unsigned slot, const char *how)
{
	struct round r;
	bool already;

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = T0 + slot * EVERY;
	round_set_id(&r);
	assert_int_equal(store_begin(b->store, &b->err), 0);
	r.expected = 4;
	if (how[0] == '-') {
		r.missed = 4;
		r.why = ROUND_WHY_DOWN;
	} else {
		r.start = r.planned;
		r.end.ns = r.planned.ns + MINUTE;
		r.done = r.traces = 4;
		r.health = ROUND_HEALTH_OK;
		for (unsigned i = 0; how[i] != '\0'; i++)
			put_trace(b, &r, i, slot * 4 + i, how[i]);
	}
	assert_int_equal(store_add_round(b->store, &r, &already, &b->err), 0);
	assert_int_equal(store_commit(b->store, &b->err), 0);
	return r;
}

static void play(struct bed *b, unsigned first, const char *const *rounds)
{
	for (unsigned i = 0; rounds[i] != NULL; i++) {
		struct round r = commit(b, first + i, rounds[i]);

		if (watch_round(b->watch, b->store, &r, &b->err) < 0)
			fail_msg("%s", b->err.text);
	}
}

static int count_events(void *arg, struct record *r, struct bp_error *err)
{
	unsigned *n = arg;
	struct event e;

	(void)err;
	if (r->kind == RECORD_EVENT && event_read(r, &e, err) == 0)
		++*n;
	return 0;
}

static unsigned stored(struct bed *b)
{
	unsigned n = 0;

	assert_int_equal(store_read(b->store, NULL, count_events, &n, &b->err), 0);
	return n;
}

/* Of those told: border switches with that status. */
static unsigned switches(const struct bed *b, enum event_status status)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->told_count; i++)
		n += b->told[i].kind == EVENT_BORDER_SWITCH && b->told[i].status == status;
	return n;
}

static const char *const calm[] = {"dddd", "dddd", "dddd", "dddd", NULL};
static const char *const moved[] = {"kdkk", "kdkk", "kdkk", NULL};

static void a_switch_is_told_once(void **state)
{
	struct bed *b = *state;
	unsigned all;

	play(b, 0, calm);
	assert_int_equal(b->told_count, 0);
	play(b, 4, moved);
	assert_int_equal(switches(b, EVENT_PROVISIONAL), 3);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 3);
	assert_int_equal(b->told_count, stored(b));
	/* Between the last sight of the one and the first of the other. */
	assert_true(b->told[0].not_before.ns >= T0 + 3 * EVERY);
	assert_true(b->told[0].not_after.ns <= T0 + 4 * EVERY + 5 * NS_PER_S);
	assert_int_equal(b->cells, 7 * 4);
	/* Started again: known, and not told; what comes then is. */
	all = stored(b);
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, &b->err), 0);
	assert_int_equal(b->told_count, 0);
	assert_int_equal(b->recalled, 7 * 4);
	assert_int_equal(stored(b), all);
	play(b, 7, (const char *const[]){"kdkd", "kdkd", NULL});
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
	assert_string_equal(b->told[0].to.what, "dandong");
}

/* A process that was killed behind the commit of a round had told nobody of its events. */
static void a_killed_one_is_made_good(void **state)
{
	struct bed *b = *state;

	play(b, 0, calm);
	play(b, 4, (const char *const[]){"kddd", NULL});
	commit(b, 5, "kddd"); /* and is killed */
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, &b->err), 0);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
	/* Once. */
	open_watch(b);
	assert_int_equal(watch_recall(b->watch, b->store, &b->err), 0);
	assert_int_equal(b->told_count, 0);
}

/* What was missed is no change: it is told only that it moved some time in between. */
static void a_gap_widens(void **state)
{
	struct bed *b = *state;

	play(b, 0, calm);
	play(b, 4, (const char *const[]){"-", "-", NULL});
	assert_int_equal(b->told_count, 0);
	play(b, 6, moved);
	assert_int_equal(switches(b, EVENT_CONFIRMED), 3);
	assert_true(b->told[0].not_before.ns < T0 + 4 * EVERY);
	assert_true(b->told[0].not_after.ns >= T0 + 6 * EVERY);
}

/* Who is told fails: nothing of it is lost with the next round. */
static void who_is_told_fails(void **state)
{
	struct bed *b = *state;
	struct round r;

	play(b, 0, calm);
	r = commit(b, 4, "kddd");
	b->refuse = true;
	assert_int_equal(watch_round(b->watch, b->store, &r, &b->err), BP_EIO);
	b->refuse = false;
	play(b, 5, (const char *const[]){"kddd", NULL});
	assert_int_equal(switches(b, EVENT_CONFIRMED), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_switch_is_told_once),
		T(a_killed_one_is_made_good),
		T(a_gap_widens),
		T(who_is_told_fails),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
