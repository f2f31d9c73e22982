// SPDX-License-Identifier: BSD-2-Clause
/* A plan as a vantage point runs it: its own name, and nothing that is the centre's to decide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "campaign/fleet/agent_inside.h"
#include "campaign/plan.h"

static const struct {
	const char *why, *in, *out; /* NULL: refused */
} rows[] = {
	{"a name is given where there was none", "campaign: a\nevery: 15m\n",
	 "campaign: a\nevery: 15m\nvantage:\n  name: fra1\n"},
	{"another's name is replaced", "vantage: nyc1\ncampaign: a\n",
	 "campaign: a\nvantage:\n  name: fra1\n"},
	{"the place stays", "vantage: {lat: 50.11, name: nyc1, lon: 8.68}\ncampaign: a\n",
	 "campaign: a\nvantage:\n  name: fra1\n  lat: 50.11\n  lon: 8.68\n"},
	{"what could run a program or write elsewhere is left out",
	 "campaign: a\nalerts: {exec: /bin/sh, webhook: {url: 'http://x/'}}\nstore: sqlite:/x\n"
	 "metrics: {textfile: /x}\nkeep: {traces: 1d}\nevery: 1h\n",
	 "campaign: a\nevery: 1h\nvantage:\n  name: fra1\n"},
	{"such words deeper down are not these keys",
	 "campaign: a\ntargets:\n- {host: 192.0.2.1, name: store}\n",
	 "campaign: a\ntargets:\n- {host: 192.0.2.1, name: store}\nvantage:\n  name: fra1\n"},
	{"quotes stay", "campaign: \"007\"\n",
	 "campaign: \"007\"\nvantage:\n  name: fra1\n"},
	{"no mapping", "- a\n", NULL},
	{"nothing", "", NULL},
	{"no YAML", "campaign: [a\n", NULL},
};

static void plans_are_this_vantage_points(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bp_error err = {0};
		struct buf out;
		int rc;

		buf_init(&out);
		rc = agent_yaml(rows[i].in, strlen(rows[i].in), "fra1", &out, &err);
		if (rc != (rows[i].out != NULL ? 0 : BP_EPARSE))
			fail_msg("%s: %d %s", rows[i].why, rc, err.text);
		if (rows[i].out != NULL && strcmp(out.bytes, rows[i].out) != 0)
			fail_msg("%s: %s", rows[i].why, out.bytes);
		buf_fini(&out);
	}
}

/* Whatever it does to the text, the plan means the same. */
static void a_plan_means_the_same(void **state)
{
	static const char yaml[] =
		"campaign: dprk\nvantage: {name: x, lat: 1.5, lon: 2.5}\nevery: 15m\noffset: 2m\n"
		"targets:\n  - {host: 175.45.176.71, method: tcp, port: 80, name: 'www.kcna.kp'}\n"
		"  - 175.45.178.0/24\nrate_pps: 50\nreference: [192.0.2.1]\n"
		"store: sqlite:/tmp/x.db\nkeep: {traces: 400d}\n";
	struct campaign_plan *a, *b;
	struct bp_error err;
	struct buf out;

	(void)state;
	buf_init(&out);
	assert_int_equal(campaign_plan_parse("a", yaml, strlen(yaml), &a, &err), 0);
	assert_int_equal(agent_yaml(yaml, strlen(yaml), "fra1", &out, &err), 0);
	if (campaign_plan_parse("b", out.bytes, out.used, &b, &err) < 0)
		fail_msg("%s in %s", err.text, out.bytes);
	assert_string_equal(b->vantage, "fra1");
	assert_string_equal(b->store, "");
	assert_int_equal(b->keep_traces_ns, 0);
	assert_true(b->place_known && b->lat == a->lat && b->lon == a->lon);
	assert_int_equal(b->every_ns, a->every_ns);
	assert_int_equal(b->offset_ns, a->offset_ns);
	assert_int_equal(b->jitter_ns, a->jitter_ns);
	assert_int_equal(b->rate_pps, a->rate_pps);
	assert_int_equal(b->references_count, 1);
	assert_int_equal(b->targets_count, 2);
	assert_string_equal(b->targets[0].name, "www.kcna.kp");
	assert_int_equal(b->targets[0].how.port, 80);
	campaign_plan_free(a);
	campaign_plan_free(b);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_this_vantage_points),
		cmocka_unit_test(a_plan_means_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
