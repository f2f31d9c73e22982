// SPDX-License-Identifier: BSD-2-Clause
/* Who runs what: seats, shares of the fleet's budget, and the text of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "campaign/fleet/deployment.h"
#include "core/text.h"

enum { CAMPAIGNS = 4, VANTAGES = 6 };

static void make(struct deployment *d, const char *name, const char *const *networks,
		 const char *const *vantages, uint32_t pps)
{
	unsigned n = 0;

	*d = (struct deployment){.every_ns = 900 * NS_PER_S, .prefix_mpps = pps * 1000,
				 .at = {NS_PER_S}};
	text_set(d->campaign, sizeof(d->campaign), name);
	for (; *networks != NULL; networks++) {
		struct prefix p;

		assert_int_equal(prefix_parse(*networks, &p), 0);
		assert_int_equal(deployment_add_network(d, p), 0);
	}
	prefixset_settle(&d->networks);
	while (vantages[n] != NULL)
		n++;
	assert_int_equal(deployment_seat(d, vantages, n), 0);
}

static const struct {
	struct { const char *networks[3], *vantages[VANTAGES]; uint32_t pps; double share; }
		c[CAMPAIGNS];
	uint32_t budget;
	const char *why;
} shares[] = {
	{{{{"192.0.2.1"}, {"a"}, 25, 25}}, 40, "alone: as its plan says"},
	{{{{"192.0.2.1"}, {"a"}, 0, 40}}, 40, "max is the budget"},
	{{{{"192.0.2.1"}, {"a", "b", "c"}, 25, 13}}, 40, "a third each, whole packets"},
	{{{{"192.0.2.1"}, {"a", "b"}, 5, 5}}, 40, "less than there is"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 10}, {{"192.0.2.64/28"}, {"c", "d"}, 25, 10}}, 40,
	 "the same /24 by two campaigns of other vantage points"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 20}, {{"192.0.2.77"}, {"b", "a"}, 25, 20}}, 40,
	 "two campaigns of the same vantage points: one process each"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 20}, {{"192.0.3.1"}, {"c", "d"}, 25, 20}}, 40,
	 "other networks do not count"},
	{{{{"192.0.2.1"}, {"a"}, 40, 13}, {{"192.0.2.2", "192.0.3.1"}, {"b"}, 40, 13},
	  {{"192.0.3.2"}, {"c"}, 40, 13}}, 40, "by way of another"},
	{{{{"192.0.0.0/16"}, {"a"}, 40, 20}, {{"192.0.3.2"}, {"b"}, 40, 20}}, 40,
	 "a sweep holds the network"},
	{{{{"2001:db8::/64"}, {"a"}, 40, 20}, {{"2001:db8:0:1::1"}, {"b"}, 40, 20}}, 40,
	 "the same /48"},
	{{{{"192.0.2.1"}, {"a", "b", "c", "d", "e"}, 25, 0.4}}, 2, "less than one each"},
	{{{{"192.0.2.1"}, {"a", "b", "c"}, 25, 0.333}}, 1, "rounded down"},
};

static void shares_stay_within_the_budget(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct deployment all[CAMPAIGNS];
		struct bp_error err = {0};
		unsigned n = 0;
		int rc;

		for (; n < CAMPAIGNS && shares[i].c[n].vantages[0] != NULL; n++) {
			char name[8];

			snprintf(name, sizeof(name), "c%u", n);
			make(&all[n], name, shares[i].c[n].networks, shares[i].c[n].vantages,
			     shares[i].c[n].pps);
		}
		rc = deployment_settle(all, n, shares[i].budget, &err);
		if (rc != 0)
			fail_msg("%s: %d %s", shares[i].why, rc, err.text);
		for (unsigned k = 0; k < n; k++) {
			if (all[k].share_mpps != (uint64_t)(shares[i].c[k].share * 1000 + 0.5))
				fail_msg("%s: c%u gets %u", shares[i].why, k,
					 (unsigned)all[k].share_mpps);
			deployment_fini(&all[k]);
		}
	}
}

static unsigned slot_of(const struct deployment *d, const char *vantage)
{
	for (unsigned i = 0; i < d->seats_count; i++) {
		if (strcmp(d->seats[i].vantage, vantage) == 0)
			return d->seats[i].slot;
	}
	fail_msg("%s has no seat", vantage);
	return 0;
}

static void who_has_a_seat_keeps_it(void **state)
{
	static const char *const networks[] = {"192.0.2.1", NULL};
	static const char *const first[] = {"a", "b", "c", NULL};
	static const char *const then[] = {"d", "c", "a"}, *const last[] = {"e", "d", "c", "a"};
	struct deployment d;

	(void)state;
	make(&d, "x", networks, first, 1);
	assert_int_equal(slot_of(&d, "c"), 2);
	assert_int_equal(deployment_seat(&d, then, 3), 0);
	assert_int_equal(slot_of(&d, "a"), 0);
	assert_int_equal(slot_of(&d, "c"), 2);
	assert_int_equal(slot_of(&d, "d"), 1); /* b's, which is free */
	assert_false(deployment_has(&d, "b"));
	assert_int_equal(deployment_seat(&d, last, 4), 0);
	assert_int_equal(slot_of(&d, "e"), 3);
	assert_int_equal(deployment_settle(&d, 1, 40, NULL), 0);
	assert_int_equal(d.slots, 4);
	deployment_fini(&d);
}

/* --- what is promised ------------------------------------------------------------------------- */

enum { MANY = 24, FLEET = 60 };

/* Numbers that look like chance, the same each time. */
static unsigned draw(uint64_t *random, unsigned below)
{
	*random = *random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*random >> 33) % below;
}

static void some_campaign(struct deployment *d, unsigned i, uint64_t *random)
{
	static const int64_t minutes[] = {5, 15, 60, 360, 7, 1440};
	char names[FLEET][8], networks[3][32], name[8];
	const char *vantages[FLEET + 1] = {NULL}, *nets[4] = {NULL};
	unsigned n = 0;

	for (unsigned v = 0; v < FLEET; v++) {
		if (v > 0 && draw(random, 3) == 0)
			continue;
		snprintf(names[n], sizeof(names[n]), "v%u", v);
		vantages[n] = names[n];
		n++;
	}
	for (unsigned k = 0; k < 1 + draw(random, 3); k++) {
		unsigned len = 20 + draw(random, 13), net = draw(random, 16);

		snprintf(networks[k], sizeof(networks[k]), "192.0.%u.0/%u",
			 len < 24 ? net >> (24 - len) << (24 - len) : net, len);
		nets[k] = networks[k];
	}
	snprintf(name, sizeof(name), "c%u", i);
	make(d, name, nets, vantages, draw(random, 60));
	d->every_ns = minutes[draw(random, 6)] * 60 * NS_PER_S;
	d->offset_ns = draw(random, 5) * 60 * NS_PER_S;
	d->jitter_ns = 600 * NS_PER_S;
	d->at.ns = (1 + draw(random, 5)) * NS_PER_S;
}

/* What one vantage point may send into the 24-bit network of an address, by all its campaigns: they
 * run in one process, which keeps to the smallest of its rates; the largest is more than that. */
static uint64_t most_of(const struct deployment *all, unsigned count, const char *vantage,
			struct addr network)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < count; i++) {
		if (deployment_has(&all[i], vantage) &&
		    prefixset_find(&all[i].networks, network) != NULL && all[i].share_mpps > most)
			most = all[i].share_mpps;
	}
	return most;
}

/* The whole fleet, into any /24, whatever is deployed: at most the budget. */
static void together_they_keep_to_the_budget(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint64_t random = seed;
		unsigned count = 1 + draw(&random, MANY);
		uint32_t budget = 1 + draw(&random, 60);
		struct deployment all[MANY];

		for (unsigned i = 0; i < count; i++)
			some_campaign(&all[i], i, &random);
		assert_int_equal(deployment_settle(all, count, budget, NULL), 0);
		for (unsigned net = 0; net < 16; net++) {
			struct addr at = {.family = 4, .bytes = {192, 0, (uint8_t)net, 0}};
			uint64_t sum = 0;

			for (unsigned v = 0; v < FLEET; v++) {
				char name[8];

				snprintf(name, sizeof(name), "v%u", v);
				sum += most_of(all, count, name, at);
			}
			if (sum > budget * UINT64_C(1000))
				fail_msg("seed %u: %u thousandths into 192.0.%u.0, of %u packets",
					 (unsigned)seed, (unsigned)sum, net, budget);
		}
		for (unsigned i = 0; i < count; i++)
			deployment_fini(&all[i]);
	}
}

static bool share_a_network(const struct deployment *a, const struct deployment *b)
{
	for (uint32_t i = 0; i < a->networks.count; i++) {
		if (prefixset_overlap(&b->networks, a->networks.items[i]) > 0)
			return true;
	}
	return false;
}

static int64_t greatest_common(int64_t a, int64_t b)
{
	return b == 0 ? a : greatest_common(b, a % b);
}

/* No two seats of campaigns into the same network are ever due at one moment, and none reaches the
 * next one's by its jitter. */
static void no_two_start_together(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t random = seed;
		unsigned count = 2 + draw(&random, 4);
		struct deployment all[MANY];

		for (unsigned i = 0; i < count; i++)
			some_campaign(&all[i], i, &random);
		assert_int_equal(deployment_settle(all, count, 40, NULL), 0);
		for (unsigned x = 0; x < count * FLEET; x++) {
			const struct deployment *a = &all[x / FLEET];

			for (unsigned y = 0; y < x && x % FLEET < a->seats_count; y++) {
				const struct deployment *b = &all[y / FLEET];
				int64_t beat = greatest_common(a->every_ns, b->every_ns), apart;

				if (y % FLEET >= b->seats_count || !share_a_network(a, b))
					continue;
				apart = (deployment_offset(a, x % FLEET) -
					 deployment_offset(b, y % FLEET)) % beat;
				apart = apart < 0 ? apart + beat : apart;
				/* b, then a; a, then b. */
				if (apart <= deployment_jitter(b) ||
				    beat - apart <= deployment_jitter(a))
					fail_msg("seed %u: %s, %u and %s, %u: %lld ms", (unsigned)seed,
						 a->campaign, x % FLEET, b->campaign, y % FLEET,
						 (long long)(apart / NS_PER_MS));
			}
		}
		for (unsigned i = 0; i < count; i++)
			deployment_fini(&all[i]);
	}
}

/* Two campaigns of other vantage points into one /24: the second's have no moment of the first's,
 * and the first's stay. */
static void who_was_there_first_keeps_the_slot(void **state)
{
	static const char *const networks[] = {"192.0.2.1", NULL}, *const other[] = {"192.0.3.1", NULL};
	static const char *const some[] = {"a", "b", NULL}, *const others[] = {"c", "d", NULL};
	struct deployment all[3];

	(void)state;
	make(&all[0], "later", networks, others, 5);
	make(&all[1], "sooner", networks, some, 5);
	make(&all[2], "elsewhere", other, others, 5);
	all[0].at.ns = 2 * NS_PER_S;
	assert_int_equal(deployment_settle(all, 3, 40, NULL), 0);
	assert_int_equal(slot_of(&all[1], "a"), 0);
	assert_int_equal(slot_of(&all[1], "b"), 1);
	assert_int_equal(slot_of(&all[0], "c"), 2);
	assert_int_equal(slot_of(&all[0], "d"), 3);
	assert_int_equal(slot_of(&all[2], "c"), 0);
	assert_true(all[0].changed && !all[1].changed && !all[2].changed);
	assert_int_equal(deployment_offset(&all[0], 0), 225 * NS_PER_S);
	assert_int_equal(all[0].slots, 4);
	assert_int_equal(all[2].slots, 2);
	/* What was settled stays, whoever is deployed anew. */
	all[0].changed = false;
	all[1].at.ns = 3 * NS_PER_S;
	assert_int_equal(deployment_settle(all, 3, 40, NULL), 0);
	assert_false(all[0].changed || all[1].changed);
	for (unsigned i = 0; i < 3; i++)
		deployment_fini(&all[i]);
}

static void what_is_written_reads_back(void **state)
{
	static const char *const networks[] = {"192.0.2.1", "2001:db8::1", NULL};
	static const char *const vantages[] = {"fra1", "sgp1", NULL};
	static const struct { const char *find, *put, *why; } bad[] = {
		{"\"deployed\"", "\"fleet\"", "another thing"},
		{"\"version\":1", "\"version\":2", "of a later program"},
		{"\"fra1\"", "\"f a\"", "no name"},
		{"192.0.2.0/24", "192.0.2.0/99", "no network"},
		{"\"every_s\":900", "\"every_s\":0", "no interval"},
		{"\"slot\":1", "\"slot\":-1", "no slot"},
		{"\"slot\":1", "\"slot\":65536", "no slot there is"},
		{"_pps\":25", "_pps\":-25", "no rate"},
	};
	struct deployment d, back;
	struct bp_error err;
	struct buf text, again;

	(void)state;
	make(&d, "x", networks, vantages, 25);
	buf_init(&text);
	buf_init(&again);
	deployment_put(&text, &d);
	assert_int_equal(deployment_read("x", text.bytes, text.used, &back, &err), 0);
	deployment_put(&again, &back);
	assert_string_equal(text.bytes, again.bytes);
	deployment_fini(&back);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *at = strstr(text.bytes, bad[i].find);

		assert_non_null(at);
		buf_clear(&again);
		buf_append(&again, text.bytes, (size_t)(at - text.bytes));
		buf_str(&again, bad[i].put);
		buf_str(&again, at + strlen(bad[i].find));
		if (deployment_read("x", again.bytes, again.used, &back, &err) == 0)
			fail_msg("%s", bad[i].why);
	}
	deployment_fini(&d);
	buf_fini(&text);
	buf_fini(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_stay_within_the_budget),
		cmocka_unit_test(who_has_a_seat_keeps_it),
		cmocka_unit_test(together_they_keep_to_the_budget),
		cmocka_unit_test(no_two_start_together),
		cmocka_unit_test(who_was_there_first_keeps_the_slot),
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
