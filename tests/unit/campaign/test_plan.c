// SPDX-License-Identifier: BSD-2-Clause
/* What a plan's texts become: values, defaults, and who decides how an entry is measured. */
#include "campaign/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/text.h"
#include "prober/plan.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MINUTE (60 * NS_PER_S)

static struct campaign_plan *plan(const char *name, const char *yaml)
{
	struct campaign_plan *p = NULL;
	struct bp_error err = {0};

	if (campaign_plan_parse(name, yaml, strlen(yaml), &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void everything(void **state)
{
	struct campaign_plan *p = plan("f",
		"campaign: dprk-borders\n"
		"vantage: {name: fra1, lat: 50.11, lon: -8.68, address: 203.0.113.7}\n"
		"profile: other\nevery: 15m\noffset: 1m\njitter: 5s\n"
		"since: 2026-11-22\nuntil: 2027-11-22T00:00:00+09:00\n"
		"method: tcp\nport: 443\nattempts: 2\nmax_ttl: 30\nwait: 1500ms\n"
		"targets:\n"
		"  - 192.0.2.1\n"
		"  - {hosts: [192.0.2.2, a.example], name: two, flows: 4, since: 2026-12-01}\n"
		"  - {host: 198.51.100.0/24, method: icmp, attempts: 1, gap_limit: 0}\n"
		"rate_pps: 50\nper_prefix_rate_pps: 10\n"
		"on_event: {every: 1m, for: 1h}\n"
		"events: {flapping: 2h}\n"
		"reference: [203.0.113.1, 2001:db8::1]\n"
		"store: sqlite:/var/lib/x.db\nkeep: {traces: 400d, hourly: 3650d}\n"
		"alerts: {webhook: {url: https://h.example, secret_file: /etc/s, format: alertmanager},\n"
		"         exec: /etc/on-event}\n"
		"metrics: {listen: 127.0.0.1:9923, textfile: /var/lib/x.prom}\n"
		"contact: {who: Example Lab, mail: noc@example.org}\n");
	char text[ADDR_TEXT];

	(void)state;
	assert_string_equal(p->file, "f");
	assert_string_equal(p->campaign, "dprk-borders");
	assert_string_equal(p->vantage, "fra1");
	assert_true(p->place_known);
	assert_true(p->lat == 50.11 && p->lon == -8.68);
	assert_string_equal(addr_format(p->public_addr, text), "203.0.113.7");
	assert_string_equal(p->profile, "other");
	assert_int_equal(p->every_ns, 15 * MINUTE);
	assert_int_equal(p->offset_ns, MINUTE);
	assert_int_equal(p->jitter_ns, 5 * NS_PER_S);
	assert_int_equal(p->since.ns, INT64_C(1795305600) * NS_PER_S);
	assert_int_equal(p->until.ns, INT64_C(1826809200) * NS_PER_S);
	assert_false(p->targets_of_profile);
	assert_int_equal(p->targets_count, 3);
	assert_string_equal(p->targets[0].hosts[0], "192.0.2.1");
	assert_null(p->targets[0].name);
	assert_int_equal(p->targets[1].hosts_count, 2);
	assert_string_equal(p->targets[1].hosts[1], "a.example");
	assert_string_equal(p->targets[1].name, "two");
	assert_int_equal(p->targets[1].how.flows, 4);
	assert_int_equal(p->targets[1].since.ns, INT64_C(1796083200) * NS_PER_S);
	assert_int_equal(p->targets[2].index, 2);
	assert_int_equal(p->targets[2].how.gap_limit, 255);
	assert_int_equal(p->how.method, METHOD_TCP);
	assert_int_equal(p->how.port, 443);
	assert_int_equal(p->how.wait_ms, 1500);
	assert_int_equal(p->rate_pps, 50);
	assert_int_equal(p->prefix_mpps, 10000);
	assert_int_equal(p->references_count, 2);
	assert_string_equal(addr_format(p->references[1], text), "2001:db8::1");
	assert_string_equal(p->store, "sqlite:/var/lib/x.db");
	assert_int_equal(p->keep_traces_ns, 400 * 1440 * MINUTE);
	assert_int_equal(p->keep_hourly_ns, 3650 * 1440 * MINUTE);
	assert_true(p->on_event && p->alerts && p->metrics && p->contact_known);
	assert_int_equal(p->on_event_every_ns, MINUTE);
	assert_int_equal(p->flapping_ns, 120 * MINUTE);
	assert_int_equal(p->on_event_for_ns, 60 * MINUTE);
	assert_string_equal(p->webhook_url, "https://h.example");
	assert_string_equal(p->webhook_secret, "/etc/s");
	assert_int_equal(p->webhook_body, CAMPAIGN_BODY_ALERTMANAGER);
	assert_string_equal(p->alert_exec, "/etc/on-event");
	assert_string_equal(p->metrics_listen, "127.0.0.1:9923");
	assert_string_equal(p->metrics_textfile, "/var/lib/x.prom");
	assert_string_equal(p->contact.who, "Example Lab");
	campaign_plan_free(p);
}

static void defaults(void **state)
{
	struct campaign_plan *p = plan("f", "campaign: c\nvantage: v\nevery: 5m\n");

	(void)state;
	assert_true(p->targets_of_profile);
	assert_int_equal(p->targets_count, 0);
	assert_string_equal(p->profile, "dprk");
	assert_int_equal(p->offset_ns, 0);
	assert_int_equal(p->jitter_ns, 15 * NS_PER_S);
	assert_int_equal(p->since.ns, 0);
	assert_int_equal(p->rate_pps, PLAN_RATE_PPS_DEFAULT);
	assert_int_equal(p->prefix_mpps, PLAN_PREFIX_PPS_DEFAULT * 1000);
	assert_int_equal(p->references_count, 0);
	assert_string_equal(p->store, "");
	assert_int_equal(p->keep_traces_ns, 0);
	assert_false(p->place_known || addr_is_set(p->public_addr));
	assert_false(p->on_event || p->alerts || p->metrics || p->contact_known);
	campaign_plan_free(p);
	p = plan("f", "campaign: c\nvantage: v\nevery: 1d\njitter: 0\nrate_pps: max\n");
	assert_int_equal(p->jitter_ns, 0);
	assert_int_equal(p->rate_pps, 0);
	assert_int_equal(p->prefix_mpps, 0); /* no cap is none per prefix either ... */
	campaign_plan_free(p);
	p = plan("f", "campaign: c\nvantage: v\nevery: 1d\nrate_pps: max\nper_prefix_rate_pps: 7\n");
	assert_int_equal(p->jitter_ns, 30 * NS_PER_S);
	assert_int_equal(p->prefix_mpps, 7000); /* ... unless one is named */
	campaign_plan_free(p);
	p = plan("f", "campaign: c\nvantage: v\nevery: 1d\nper_prefix_rate_pps: 0.8\n");
	assert_int_equal(p->prefix_mpps, 800);
	campaign_plan_free(p);
}

/* Short forms that people write. */
static void short_forms(void **state)
{
	char host[256] = "";
	struct campaign_plan *p = plan("f", "campaign: c\nevery: 5m\ntargets: profile\n"
				       "reference: 192.0.2.1\nmultipath: true\nvantage: fra1\n");

	(void)state;
	assert_true(p->targets_of_profile);
	assert_string_equal(p->vantage, "fra1");
	assert_int_equal(p->references_count, 1);
	assert_int_equal(p->how.multipath, 95);
	campaign_plan_free(p);
	/* A list of one group may do without its dash, as one word does. */
	p = plan("f", "campaign: c\nvantage: v\nevery: 5m\ntargets: {host: a.example}\n");
	assert_int_equal(p->targets_count, 1);
	campaign_plan_free(p);
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	p = plan("f", "campaign: c\nevery: 5m\n");
	assert_string_equal(p->vantage, host);
	campaign_plan_free(p);
}

/* A list beside the plan is found from wherever the daemon runs. */
static void files_beside_the_plan(void **state)
{
	static const struct { const char *plan, *word, *file; } rows[] = {
		{"p.yaml", "@list", "@list"},
		{"/etc/borderpath/p.yaml", "@list", "@/etc/borderpath/list"},
		{"/etc/borderpath/p.yaml", "@../list", "@/etc/borderpath/../list"},
		{"/etc/borderpath/p.yaml", "@/var/list", "@/var/list"},
		{"a/p.yaml", "@list", "@a/list"},
		{"/p.yaml", "@list", "@/list"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct campaign_plan *p;
		char yaml[256];

		snprintf(yaml, sizeof(yaml), "campaign: c\nvantage: v\nevery: 5m\ntargets: [\"%s\"]\n",
			 rows[i].word);
		p = plan(rows[i].plan, yaml);
		assert_string_equal(p->targets[0].hosts[0], rows[i].file);
		campaign_plan_free(p);
	}
}

#define HOW(m, p, f, a, mp) \
	{.method = m, .port = p, .flows = f, .attempts = a, .multipath = mp}

/* Entry, plan, profile, default: which decides. */
static void how_is_settled(void **state)
{
	static const struct {
		const char *why;
		struct campaign_how entry, plan;
		uint8_t profile_method;
		uint16_t profile_port;
		struct campaign_how want; /* method, port, flows, multipath, attempts */
	} rows[] = {
		{"nobody says anything", {0}, {0}, 0, 0, HOW(METHOD_ICMP, 0, 1, 3, 0)},
		{"the profile's target", {0}, {0}, METHOD_TCP, 8080, HOW(METHOD_TCP, 8080, 1, 3, 0)},
		{"the profile's, without a port", {0}, {0}, METHOD_UDP, 0, HOW(METHOD_UDP, 33434, 1, 3, 0)},
		{"the plan before the profile", {0}, HOW(METHOD_ICMP, 0, 0, 0, 0), METHOD_TCP, 80,
		 HOW(METHOD_ICMP, 0, 1, 3, 0)},
		{"the plan's method, the port of its own kind", {0}, HOW(METHOD_TCP, 0, 0, 0, 0), METHOD_TCP, 443,
		 HOW(METHOD_TCP, 443, 1, 3, 0)},
		{"a port of another method is none", {0}, HOW(METHOD_UDP, 0, 0, 0, 0), METHOD_TCP, 443,
		 HOW(METHOD_UDP, 33434, 1, 3, 0)},
		{"the entry before the plan", HOW(METHOD_TCP, 0, 0, 0, 0), HOW(METHOD_UDP, 53, 0, 0, 0), 0, 0,
		 HOW(METHOD_TCP, 80, 1, 3, 0)},
		{"the entry's port to the plan's method", HOW(0, 25, 0, 0, 0), HOW(METHOD_TCP, 80, 0, 0, 0), 0, 0,
		 HOW(METHOD_TCP, 25, 1, 3, 0)},
		{"attempts, flows", HOW(0, 0, 4, 0, 0), HOW(0, 0, 8, 1, 0), 0, 0, HOW(METHOD_ICMP, 0, 4, 1, 0)},
		{"all paths for all", {0}, HOW(0, 0, 0, 0, 99), 0, 0, HOW(METHOD_ICMP, 0, 1, 3, 99)},
		{"flows of an entry switch all paths off", HOW(0, 0, 1, 0, 0), HOW(0, 0, 0, 0, 99), 0, 0,
		 HOW(METHOD_ICMP, 0, 1, 3, 0)},
		{"all paths of an entry", HOW(0, 0, 0, 0, 95), HOW(0, 0, 16, 0, 0), 0, 0,
		 HOW(METHOD_ICMP, 0, 1, 3, 95)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct campaign_how how;

		campaign_how_settle(&rows[i].entry, &rows[i].plan, rows[i].profile_method,
				    rows[i].profile_port, &how);
		if (how.method != rows[i].want.method || how.port != rows[i].want.port ||
		    how.flows != rows[i].want.flows || how.multipath != rows[i].want.multipath ||
		    how.attempts != rows[i].want.attempts)
			fail_msg("%s: %s port %u, %u flows, multipath %u, %u attempts", rows[i].why,
				 word_of(method_words, how.method), how.port, how.flows,
				 how.multipath, how.attempts);
		assert_int_equal(how.first_ttl, PLAN_FIRST_TTL_DEFAULT);
		assert_int_equal(how.max_ttl, PLAN_MAX_TTL_DEFAULT);
		assert_int_equal(how.gap_limit, PLAN_GAP_LIMIT_DEFAULT);
		assert_int_equal(how.wait_ms, PLAN_WAIT_MS_DEFAULT);
	}
}

static void not_there(void **state)
{
	struct campaign_plan *p = NULL;
	struct bp_error err = {0};

	(void)state;
	assert_int_equal(campaign_plan_load("/nonexistent/p.yaml", &p, &err), BP_ENOTFOUND);
	assert_string_equal(err.text, "cannot open plan /nonexistent/p.yaml: No such file or directory");
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(defaults),
		cmocka_unit_test(short_forms),
		cmocka_unit_test(files_beside_the_plan),
		cmocka_unit_test(how_is_settled),
		cmocka_unit_test(not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
