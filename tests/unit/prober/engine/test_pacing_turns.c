// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fair turns under caps: one target beside a sweep that wants what it wants. The sweep is always
 * asked for first, as a caller's round may happen to go, so without an order the one gets nothing.
 */
#include "prober/engine/pacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "prober/engine/pacing_turns.h"
#include "tests/unit/prober/engine/net.h"

/* --- a crowd ---------------------------------------------------------------------------------- */

enum { SWEEP = 256, ONE = SWEEP, ALL };

struct crowd_row {
	const char *why;
	struct pacing_config caps;
	bool named;       /* the router is known */
	bool fork;        /* one router, then the other is taken for the one at this TTL */
	bool one_prefix;  /* all are in one /24 */
	uint32_t gone_1_in; /* one of the sweep that comes back is gone, another in its place */
	double pps;       /* of what all want */
};

struct crowd {
	const struct crowd_row *row;
	uint32_t who[ALL], asked[ALL], next;
	struct mono when[ALL];
	uint64_t random;
	uint32_t served; /* of the sweep */
	double last, longest_s; /* of the one: served last, longest between two */
};

static void replace(struct crowd *c, int k)
{
	c->who[k] = c->next++;
	c->asked[k] = 0;
}

static struct pacing_ask ask_of(const struct crowd *c, int k)
{
	uint32_t w = c->who[k], turn = c->row->fork ? (c->asked[k] + w) % 2 : 0;
	struct pacing_ask a = {.dst = net_addr(198, (uint8_t)(w >> 16), (uint8_t)(w >> 8),
					       (uint8_t)w),
			       .ttl = 9};

	if (c->row->one_prefix) {
		a.dst = net_addr(198, 51, 100, (uint8_t)w);
		a.trace = w;
	}
	if (c->row->named)
		a.router = net_addr(10, 0, 0, (uint8_t)(1 + turn));
	return a;
}

static void come_back(struct crowd *c, struct pacing *p, int k, struct mono now)
{
	double s = (double)now.ns / 1e9;
	struct pacing_ask a;

	if (k != ONE && net_chance(&c->random, c->row->gone_1_in))
		replace(c, k);
	a = ask_of(c, k);
	c->asked[k]++;
	if (pacing_ready(p, &a, now, &c->when[k]) != PACING_GO) {
		assert_true(c->when[k].ns > now.ns);
		return;
	}
	pacing_take(p, &a, now);
	c->when[k] = now;
	if (k != ONE) {
		c->served++;
		replace(c, k);
		return;
	}
	if (s - c->last > c->longest_s)
		c->longest_s = s - c->last;
	c->last = s;
}

static void one_beside_a_sweep_gets_its_share(void **state)
{
	static const struct crowd_row rows[] = {
		{"a router that all want", {.router_pps = 5}, true, false, false, 0, 5},
		{"one that nobody has named yet", {.router_pps = 5}, false, false, false, 0, 5},
		{"a prefix that all are in", {.prefix_mpps = 25000}, true, false, true, 0, 25},
		{"both, and the prefix is no faster", {.prefix_mpps = 5000, .router_pps = 5}, true,
		 false, true, 0, 5},
		{"who is taken for the router changes with every answer", {.router_pps = 5}, true,
		 true, false, 0, 10},
		{"traces end without a word while they wait", {.router_pps = 5}, true, false, false,
		 20, 5},
		{"and at a speed at which none may run over", {.router_pps = 500}, true, false,
		 false, 20, 500},
	};
	enum { SECONDS = 400 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crowd c = {.row = &rows[i], .random = 1};
		struct pacing *p = pacing_new(&rows[i].caps, (struct mono){0});
		struct mono now = {0};
		/* Each of all once, and what may have gone to others in the order of the asking. */
		double most_s = (ALL + 2 * PACING_BURST) / rows[i].pps;

		for (int k = 0; k < ALL; k++)
			replace(&c, k);
		/* The one comes late. */
		c.when[ONE] = (struct mono){5 * NS_PER_S};
		c.last = 5;
		while (now.ns < SECONDS * NS_PER_S) {
			struct mono next = {INT64_MAX};

			for (int k = 0; k < ALL; k++)
				if (mono_reached(now, c.when[k]))
					come_back(&c, p, k, now);
			for (int k = 0; k < ALL; k++)
				next = mono_min(next, c.when[k]);
			now = mono_reached(now, next) ? mono_add(now, NS_PER_MS) : next;
		}
		if (SECONDS - c.last > c.longest_s)
			c.longest_s = SECONDS - c.last;
		if (c.longest_s > most_s || c.served < 0.98 * SECONDS * rows[i].pps - 40)
			fail_msg("%s: the one waits %.1f s, %.1f at most; %u of the sweep's left",
				 rows[i].why, c.longest_s, most_s, c.served);
		pacing_free(p);
	}
}

/* --- places ----------------------------------------------------------------------------------- */

static const struct turns_patience patience = {100, 1000};

static struct mono at(int64_t ns)
{
	return (struct mono){ns};
}

static void who_waits_longest_is_first(void **state)
{
	struct turns t;
	struct turns_line a = {0}, b = {0};

	(void)state;
	assert_int_equal(turns_init(&t, 8), 0);
	for (uint64_t who = 1; who <= 3; who++)
		turns_wait(&t, &a, who, at(1000), at(0));
	assert_int_equal(turns_ahead(&t, &a, 1, 9, patience, at(500)), 0);
	assert_int_equal(turns_ahead(&t, &a, 3, 9, patience, at(500)), 2);
	assert_int_equal(turns_ahead(&t, &a, 3, 1, patience, at(500)), 1);
	assert_int_equal(turns_ahead(&t, &a, 4, 9, patience, at(500)), 3); /* has no place yet */
	/* Telling one to come at another time takes no place from him. */
	turns_wait(&t, &a, 1, at(2000), at(1000));
	assert_int_equal(turns_ahead(&t, &a, 2, 9, patience, at(1000)), 1);
	/* Nobody is waited for who does not come, but he is known again: 2 and 3 are late here. */
	assert_int_equal(turns_ahead(&t, &a, 4, 9, patience, at(1101)), 1);
	assert_int_equal(turns_ahead(&t, &a, 2, 9, patience, at(1101)), 1);
	turns_wait(&t, &a, 2, at(2000), at(1101));
	assert_int_equal(turns_ahead(&t, &a, 4, 9, patience, at(1101)), 2);
	/* Much later 3 is not. */
	assert_int_equal(turns_ahead(&t, &a, 4, 9, patience, at(2001)), 2);
	turns_wait(&t, &a, 3, at(3000), at(2001));
	assert_int_equal(turns_ahead(&t, &a, 3, 9, patience, at(2001)), 2);
	/* In another line the time waited counts: 5 came there before, but later than 1. */
	turns_wait(&t, &b, 5, at(3000), at(2001));
	turns_wait(&t, &b, 1, at(3000), at(2001));
	assert_int_equal(turns_ahead(&t, &b, 5, 9, patience, at(2001)), 1);
	assert_int_equal(turns_ahead(&t, &a, 2, 9, patience, at(2001)), 0);
	turns_leave(&t, 1);
	turns_leave(&t, 99);
	assert_int_equal(turns_ahead(&t, &b, 5, 9, patience, at(2001)), 0);
	turns_clear(&t, &a);
	assert_int_equal(a.first, 0);
	assert_int_equal(a.last, 0);
	assert_int_equal(turns_ahead(&t, &a, 7, 9, patience, at(2001)), 0);
	turns_fini(&t);
}

static void places_are_few_and_are_found_again(void **state)
{
	struct turns t;
	struct turns_line a = {0}, b = {0};
	struct mono later = at(60 * NS_PER_S);

	(void)state;
	assert_int_equal(turns_init(&t, 8), 0);
	for (uint64_t who = 1; who <= 20; who++)
		turns_wait(&t, &a, who, at(1000), at(0));
	assert_int_equal(turns_ahead(&t, &a, 99, 99, patience, at(0)), 8);
	turns_leave(&t, 3);
	turns_wait(&t, &a, 20, at(1000), at(0));
	assert_int_equal(turns_ahead(&t, &a, 20, 99, patience, at(0)), 7);
	/* Nobody asks for that line any more, and its places are taken for another one. */
	for (uint64_t who = 31; who <= 38; who++)
		turns_wait(&t, &b, who, later, later);
	assert_int_equal(turns_ahead(&t, &b, 99, 99, patience, later), 8);
	assert_int_equal(a.first, 0);
	turns_fini(&t);
	/* Where nothing is capped there are none. */
	assert_int_equal(turns_init(&t, 0), 0);
	turns_wait(&t, &a, 1, at(1000), at(0));
	turns_leave(&t, 1);
	assert_int_equal(turns_ahead(&t, &a, 2, 9, patience, at(0)), 0);
	turns_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_beside_a_sweep_gets_its_share),
		cmocka_unit_test(who_waits_longest_is_first),
		cmocka_unit_test(places_are_few_and_are_found_again),
	};

	return cmocka_run_group_tests_name("pacing_turns", tests, NULL, NULL);
}
