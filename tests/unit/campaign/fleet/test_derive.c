// SPDX-License-Identifier: BSD-2-Clause
/* A fleet's plan as one vantage point gets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "campaign/fleet/derive.h"
#include "campaign/plan.h"
#include "core/clock.h"

#define MINUTE (60 * NS_PER_S)

static const char source[] =
	"# why it is measured\n"
	"campaign: borders\n"
	"vantage: {name: home, lat: 1.5, lon: 2.25, address: 192.0.2.9}\n"
	"profile: dprk\n"
	"every: 15m\n"
	"offset: 1m\n"
	"jitter: 5m\n"
	"targets:\n"
	"  - {host: 175.45.176.71, method: tcp, port: 80, name: \"yes: 'no' # not a comment\"}\n"
	"  - 175.45.177.0/28\n"
	"  - hosts: [175.45.178.1, 175.45.178.2]\n"
	"    multipath: true\n"
	"store: sqlite:/var/lib/x.db\n"
	"keep: {traces: 400d}\n"
	"alerts: {exec: /bin/true}\n"
	"metrics: {listen: \"127.0.0.1:9923\"}\n"
	"rate_pps: 50\n"
	"per_prefix_rate_pps: max\n"
	"on_event: {every: 1m, for: 1h}\n"
	"reference: [192.0.2.1]\n"
	"contact: {who: Somebody, url: https://example.org/x}\n";

static struct campaign_plan *derived(const struct derive *d, struct buf *text)
{
	struct campaign_plan *p = NULL;
	struct bp_error err = {0};
	int rc = derive_plan("x", source, sizeof(source) - 1, d, text, &err);

	if (rc == 0)
		rc = campaign_plan_parse("x", text->bytes, text->used, &p, &err);
	if (rc < 0)
		fail_msg("%s\n%s", err.text, text->bytes != NULL ? text->bytes : "");
	return p;
}

static void what_is_the_vantage_points_is_set_and_the_centres_is_gone(void **state)
{
	const struct derive d = {.vantage = "fra1", .place_known = true, .lat = 50.11, .lon = 8.68,
				 .offset_ns = 7 * MINUTE + 500 * NS_PER_MS, .jitter_ns = 0,
				 .prefix_mpps = 13000};
	static const char *const gone[] = {"store", "keep", "alerts", "metrics", "home", "why it is"};
	struct campaign_plan *p;
	struct buf text;

	(void)state;
	buf_init(&text);
	p = derived(&d, &text);
	assert_string_equal(p->vantage, "fra1");
	assert_true(p->place_known && p->lat > 50.1 && p->lat < 50.12 && p->lon > 8.67);
	assert_int_equal(p->offset_ns, d.offset_ns);
	assert_int_equal(p->jitter_ns, 0);
	assert_int_equal(p->prefix_mpps, 13000);
	assert_false(p->alerts || p->metrics);
	assert_string_equal(p->store, "");
	assert_int_equal(p->keep_traces_ns, 0);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		if (strstr(text.bytes, gone[i]) != NULL)
			fail_msg("%s is still there: %s", gone[i], text.bytes);
	}
	/* All else is as it was. */
	assert_string_equal(p->campaign, "borders");
	assert_int_equal(p->every_ns, 15 * MINUTE);
	assert_int_equal(p->targets_count, 3);
	assert_string_equal(p->targets[0].name, "yes: 'no' # not a comment");
	assert_int_equal(p->targets[0].how.port, 80);
	assert_int_equal(p->targets[2].hosts_count, 2);
	assert_int_equal(p->targets[2].how.multipath, 95);
	assert_int_equal(p->rate_pps, 50);
	assert_true(p->on_event && p->contact_known);
	assert_int_equal(p->references_count, 1);
	campaign_plan_free(p);
	buf_fini(&text);
}

static void a_place_is_of_one_vantage_point(void **state)
{
	struct derive d = {.vantage = "fra1", .jitter_ns = NS_PER_S, .prefix_mpps = 1000};
	struct campaign_plan *p;
	struct buf text;

	(void)state;
	buf_init(&text);
	p = derived(&d, &text);
	assert_false(p->place_known || addr_is_set(p->public_addr));
	campaign_plan_free(p);
	d.keep_place = true;
	p = derived(&d, &text);
	assert_true(p->place_known && p->lat > 1.4 && p->lat < 1.6);
	assert_int_equal(p->public_addr.bytes[3], 9);
	campaign_plan_free(p);
	/* What is known of itself comes first. */
	d.place_known = true;
	d.lat = -33.86785;
	d.lon = 151.2;
	d.address = (struct addr){.family = 4, .bytes = {198, 51, 100, 7}};
	p = derived(&d, &text);
	assert_true(p->lat < -33.867 && p->lat > -33.868 && p->lon > 151.19);
	assert_true(addr_equal(p->public_addr, d.address));
	campaign_plan_free(p);
	buf_fini(&text);
}

static void the_same_plan_comes_out_each_time(void **state)
{
	const struct derive d = {.vantage = "fra1", .prefix_mpps = 5000};
	struct buf once, again, twice;
	struct bp_error err;

	(void)state;
	buf_init(&once);
	buf_init(&again);
	buf_init(&twice);
	campaign_plan_free(derived(&d, &once));
	campaign_plan_free(derived(&d, &again));
	assert_string_equal(once.bytes, again.bytes);
	/* And of what came out, too. */
	assert_int_equal(derive_plan("x", once.bytes, once.used, &d, &twice, &err), 0);
	assert_string_equal(once.bytes, twice.bytes);
	buf_fini(&once);
	buf_fini(&again);
	buf_fini(&twice);
}

static void what_cannot_be_handed_out_is_refused(void **state)
{
	static const struct { const char *yaml; int rc; const char *says, *why; } rows[] = {
		{"campaign: x\nevery: 1m\ntargets: ['@list.txt']\n", BP_EUNSUP, "list.txt",
		 "the list is on another machine"},
		{"campaign: x\nevery: 1m\ntargets: [{hosts: [192.0.2.1, '@list.txt']}]\n", BP_EPARSE,
		 "", "no plan"},
		{"campaign: x\n", BP_EPARSE, "every", "no plan"},
		{"", BP_EPARSE, "", "nothing"},
		{"campaign: x\nevery: 1m\nunknown: 1\n", BP_EPARSE, "unknown", "a key nobody knows"},
	};
	const struct derive d = {.vantage = "fra1", .prefix_mpps = 5000};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct buf text;
		int rc;

		buf_init(&text);
		rc = derive_plan("x", rows[i].yaml, strlen(rows[i].yaml), &d, &text, &err);
		if (rc != rows[i].rc || strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: %d %s", rows[i].why, rc, err.text);
		buf_fini(&text);
	}
}

static const struct {
	int64_t every_ns, beat_ns, own_ns;
	unsigned slot;
	int64_t out_ns;
	const char *why;
} offsets[] = {
	{16 * MINUTE, 0, 0, 0, 0, "the first"},
	{16 * MINUTE, 0, 0, 1, 8 * MINUTE, "the middle"},
	{16 * MINUTE, 0, 0, 2, 4 * MINUTE, "the first half's"},
	{16 * MINUTE, 0, 0, 3, 12 * MINUTE, "the second half's"},
	{16 * MINUTE, 0, 0, 4, 2 * MINUTE, "and so on"},
	{16 * MINUTE, 0, 15 * MINUTE, 1, 7 * MINUTE, "round the interval's end"},
	{15 * MINUTE, 0, 0, 4, 112500 * NS_PER_MS, "whole milliseconds"},
	{NS_PER_S, 0, 0, 3, 750 * NS_PER_MS, "however short the interval"},
	{INT64_C(366) * 24 * 60 * MINUTE, 0, 0, 1, INT64_C(183) * 24 * 60 * MINUTE, "a year"},
	{360 * MINUTE, 15 * MINUTE, 0, 1, 180 * MINUTE + 450 * NS_PER_S,
	 "the middle of six hours, and of a quarter of an hour"},
	{360 * MINUTE, 15 * MINUTE, 45 * MINUTE, 2, 45 * MINUTE + 90 * MINUTE + 225 * NS_PER_S,
	 "whole beats of the plan's own"},
	{16 * MINUTE, 0, 0, DERIVE_SLOTS - 1, 16 * MINUTE - 15 * NS_PER_MS, "the last"},
};

static void moments_go_by_halves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		int64_t beat = offsets[i].beat_ns > 0 ? offsets[i].beat_ns : offsets[i].every_ns;
		int64_t got = derive_offset(offsets[i].every_ns, beat, offsets[i].own_ns,
					    offsets[i].slot);

		if (got != offsets[i].out_ns)
			fail_msg("%s: %lld", offsets[i].why, (long long)got);
	}
}

/* Of one interval, and of two of which one has the other as its beat. */
static void no_two_of_many_can_meet(void **state)
{
	static const unsigned fleets[] = {1, 2, 3, 7, 10, 50, 300, 1024};
	static const int64_t intervals[] = {15 * MINUTE, 360 * MINUTE};
	const int64_t beat = 15 * MINUTE;

	(void)state;
	for (size_t f = 0; f < sizeof(fleets) / sizeof(fleets[0]); f++) {
		int64_t jitter = derive_jitter(beat, beat, 30 * NS_PER_S, fleets[f]);

		assert_true(jitter > 0 && jitter <= 30 * NS_PER_S);
		for (unsigned i = 0; i < fleets[f]; i++) {
			for (unsigned k = 0; k < i; k++) {
				int64_t one = derive_offset(intervals[i % 2], beat, 0, i) % beat;
				int64_t other = derive_offset(intervals[k % 2], beat, 0, k) % beat;
				int64_t apart = llabs(one - other);

				if (apart > beat / 2)
					apart = beat - apart;
				if (apart <= jitter)
					fail_msg("%u and %u of %u", k, i, fleets[f]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_vantage_points_is_set_and_the_centres_is_gone),
		cmocka_unit_test(a_place_is_of_one_vantage_point),
		cmocka_unit_test(the_same_plan_comes_out_each_time),
		cmocka_unit_test(what_cannot_be_handed_out_is_refused),
		cmocka_unit_test(moments_go_by_halves),
		cmocka_unit_test(no_two_of_many_can_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
