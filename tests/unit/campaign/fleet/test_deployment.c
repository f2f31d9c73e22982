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

	*d = (struct deployment){.every_ns = 900 * NS_PER_S, .prefix_pps = pps, .at = {NS_PER_S}};
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
	struct { const char *networks[3], *vantages[VANTAGES]; uint32_t pps, share; } c[CAMPAIGNS];
	uint32_t budget;
	int rc;
	const char *why;
} shares[] = {
	{{{{"192.0.2.1"}, {"a"}, 25, 25}}, 40, 0, "alone: as its plan says"},
	{{{{"192.0.2.1"}, {"a"}, 0, 40}}, 40, 0, "max is the budget"},
	{{{{"192.0.2.1"}, {"a", "b", "c"}, 25, 13}}, 40, 0, "a third each, whole packets"},
	{{{{"192.0.2.1"}, {"a", "b"}, 5, 5}}, 40, 0, "less than there is"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 10}, {{"192.0.2.64/28"}, {"c", "d"}, 25, 10}}, 40, 0,
	 "the same /24 by two campaigns of other vantage points"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 20}, {{"192.0.2.77"}, {"b", "a"}, 25, 20}}, 40, 0,
	 "two campaigns of the same vantage points: one process each"},
	{{{{"192.0.2.1"}, {"a", "b"}, 25, 20}, {{"192.0.3.1"}, {"c", "d"}, 25, 20}}, 40, 0,
	 "other networks do not count"},
	{{{{"192.0.2.1"}, {"a"}, 40, 13}, {{"192.0.2.2", "192.0.3.1"}, {"b"}, 40, 13},
	  {{"192.0.3.2"}, {"c"}, 40, 13}}, 40, 0, "by way of another"},
	{{{{"192.0.0.0/16"}, {"a"}, 40, 20}, {{"192.0.3.2"}, {"b"}, 40, 20}}, 40, 0,
	 "a sweep holds the network"},
	{{{{"2001:db8::/64"}, {"a"}, 40, 20}, {{"2001:db8:0:1::1"}, {"b"}, 40, 20}}, 40, 0,
	 "the same /48"},
	{{{{"192.0.2.1"}, {"a", "b", "c"}, 25, 0}}, 2, BP_ERANGE, "less than one each"},
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
		rc = deployment_share(all, n, shares[i].budget, &err);
		if (rc != shares[i].rc)
			fail_msg("%s: %d %s", shares[i].why, rc, err.text);
		if (rc < 0 && (strstr(err.text, "3 vantage") == NULL ||
			       strstr(err.text, "2 packets") == NULL))
			fail_msg("the numbers are missing: %s", err.text);
		for (unsigned k = 0; k < n; k++) {
			if (rc == 0 && all[k].share_pps != shares[i].c[k].share)
				fail_msg("%s: c%u gets %u", shares[i].why, k, all[k].share_pps);
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
	assert_int_equal(deployment_slots(&d), 4);
	deployment_fini(&d);
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
		cmocka_unit_test(what_is_written_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
