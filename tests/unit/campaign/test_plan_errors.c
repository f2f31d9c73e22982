// SPDX-License-Identifier: BSD-2-Clause
/* The grammar of a campaign's plan: one fault a row, with the exact line and column it is told at;
 * and what is written strangely but well. */
#include "campaign/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/seeds.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* The smallest good plan, in lines 1 and 2; rows add what follows. */
#define BASE "{campaign: c, vantage: v, every: 15m,\n"
/* The same without braces, in lines 1 to 3. */
#define OPEN "campaign: c\nvantage: v\nevery: 15m\n"

static int parse(const char *yaml, struct campaign_plan **out, struct bp_error *err)
{
	return campaign_plan_parse("f", yaml, strlen(yaml), out, err);
}

/* What is written, and how what is told begins. */
static const struct {
	const char *yaml, *told;
} faults[] = {
	/* structure */
	{"", "f:1:1: empty: nothing is defined here"},
	{"- a\n", "f:1:1: the file is a list, expected a group of keys"},
	{"campaign: c\n", "f:1:1: key \"every\" is missing in the file"},
	{"every: 15m\n", "f:1:1: key \"campaign\" is missing in the file"},
	{"campaign: c\nhow_often: 15m\n",
	 "f:2:1: unknown key \"how_often\" in the file, expected one of: campaign, vantage, profile, every, "
	 "offset, jitter, since, until, targets, method, port, flows, attempts, multipath, first_ttl, "
	 "max_ttl, gap_limit, wait, rate_pps, per_prefix_rate_pps, on_event, events, reference, store, "
	 "keep, alerts, metrics, contact"},
	{"campaign: c\ncampaign: d\n", "f:2:1: key \"campaign\" stands twice (first in line 1)"},
	{OPEN "vantage: w\n", "f:4:1: key \"vantage\" stands twice (first in line 2)"},
	{OPEN "targets: &a [x]\n", "f:4:10: anchors (&name) are not supported"},
	{"campaign: c\nevery: [15m]\n", "f:2:8: every is a list, expected a single value"},
	{"campaign: c\nevery:\n", "f:2:7: every is empty"},

	/* names */
	{"campaign: a b\nvantage: v\nevery: 15m\n",
	 "f:1:11: \"a b\" is no name, expected up to 63 letters, digits, '.', '-' and '_', a letter or "
	 "digit first"},
	{"campaign: -a\nvantage: v\nevery: 15m\n", "f:1:11: \"-a\" is no name"},
	{"campaign: ../a\nvantage: v\nevery: 15m\n", "f:1:11: \"../a\" is no name"},
	{"campaign: 1234567890123456789012345678901234567890123456789012345678901234\nevery: 15m\n",
	 "f:1:11: \"1234567890123456789012345678901234567890123456789012345678901234\" is no name"},
	{"campaign: c\nvantage: fra 1\nevery: 15m\n", "f:2:10: \"fra 1\" is no name"},
	{"campaign: c\nvantage: {name: fra/1}\nevery: 15m\n", "f:2:17: \"fra/1\" is no name"},
	{"campaign: c\nvantage: [v]\nevery: 15m\n",
	 "f:2:10: vantage is a list, expected a group of keys"},
	{"campaign: c\nvantage: {name: v, lat: 50}\nevery: 15m\n",
	 "f:2:10: a place needs lat and lon, both"},
	{"campaign: c\nvantage: {name: v, lat: 91, lon: 0}\nevery: 15m\n",
	 "f:2:25: \"91\" is no latitude, expected degrees from -90 to 90"},
	{"campaign: c\nvantage: {name: v, lat: 0, lon: 0x1}\nevery: 15m\n",
	 "f:2:33: \"0x1\" is no longitude, expected degrees from -180 to 180"},
	{"campaign: c\nvantage: {name: v, address: me.example}\nevery: 15m\n",
	 "f:2:29: \"me.example\" is no address"},

	/* when */
	{"campaign: c\nvantage: v\nevery: often\n",
	 "f:3:8: \"often\" is no duration, expected a number and s, m, h or d (90s, 15m, 6h)"},
	{"campaign: c\nvantage: v\nevery: -5m\n", "f:3:8: \"-5m\" is no duration"},
	{"campaign: c\nvantage: v\nevery: 900ms\n", "f:3:8: 900ms is out of range, expected 1s to 366d"},
	{"campaign: c\nvantage: v\nevery: 0\n", "f:3:8: 0 is out of range, expected 1s to 366d"},
	{"campaign: c\nvantage: v\nevery: 10y\n", "f:3:8: \"10y\" is no duration"},
	{OPEN "offset: 15m\n", "f:4:9: an offset of 15m does not lie within every, 15m"},
	{OPEN "jitter: 900s\n", "f:4:9: a jitter of 900s does not lie within every, 15m"},
	{OPEN "since: soon\n", "f:4:8: \"soon\" is no time, expected a date (2017-10-01) or RFC 3339"},
	{OPEN "since: 2d ago\n", "f:4:8: \"2d ago\" is no time"},
	{OPEN "since: 2026-11-22\nuntil: 2026-11-22\n",
	 "f:5:8: until 2026-11-22 is not after since 2026-11-22"},

	/* targets */
	{OPEN "targets: profil\n",
	 "f:4:10: \"profil\" is a single word, expected profile or a list"},
	{OPEN "targets: []\n", "f:4:10: targets has 0 entries, expected at least 1"},
	{OPEN "targets:\n", "f:4:9: targets.host is empty"},
	{OPEN "targets: [profile]\n",
	 "f:4:11: profile is no host: for the profile's targets write targets: profile, without a list"},
	{OPEN "targets:\n  - [a]\n", "f:5:5: targets is a list, expected a group of keys"},
	{OPEN "targets:\n  - {name: x}\n", "f:5:5: an entry has neither, expected host or hosts"},
	{OPEN "targets:\n  - {host: a.example, hosts: [b.example]}\n",
	 "f:5:30: an entry has both, expected host or hosts"},
	{OPEN "targets:\n  - {hosts: []}\n", "f:5:13: targets.hosts has 0 entries, expected at least 1"},
	{OPEN "targets:\n  - {hosts: a.example}\n",
	 "f:5:13: targets.hosts is a single value, expected a list"},
	{OPEN "targets:\n  - {hosts: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}\n",
	 "f:5:13: targets.hosts has 17 entries, expected at most 16"},
	{OPEN "targets: [192.0.2.300]\n", "f:4:11: \"192.0.2.300\" is no address"},
	{OPEN "targets: [192.0.2.1/24]\n",
	 "f:4:11: \"192.0.2.1/24\" has bits set after the first 24, expected 192.0.2.0/24"},
	{OPEN "targets: [a_b!]\n", "f:4:11: \"a_b!\" is no host, expected an address, a prefix or a name"},
	{OPEN "targets: [\"@\"]\n", "f:4:11: \"@\" names no file, expected @FILE"},
	{OPEN "targets: [\"@-\"]\n", "f:4:11: \"@-\" would be read once"},
	{OPEN "targets:\n  - {hosts: [192.0.2.1, 192.0.2.0/24]}\n",
	 "f:5:25: \"192.0.2.0/24\" is more than one host"},
	{OPEN "targets:\n  - {hosts: [192.0.2.1, \"@list\"]}\n", "f:5:25: \"@list\" is more than one host"},
	{OPEN "targets:\n  - {host: a.example, since: 2026-01-02, until: 2026-01-01}\n",
	 "f:5:49: until 2026-01-01 is not after since 2026-01-02"},
	{OPEN "targets:\n  - {host: a.example, note: x}\n",
	 "f:5:23: unknown key \"note\" in targets, expected one of: host, hosts, name, method, port, "
	 "flows, attempts, multipath, first_ttl, max_ttl, gap_limit, wait, since, until, source"},

	/* named twice */
	{OPEN "targets:\n  - 192.0.2.1\n  - {host: 192.0.2.1, method: icmp}\n",
	 "f:6:12: \"192.0.2.1\" is named twice for the same method and port (first in line 5)"},
	{OPEN "targets:\n  - a.example\n  - A.Example\n",
	 "f:6:5: \"A.Example\" is named twice for the same method and port (first in line 5)"},
	{OPEN "targets: [\"@a\", b.example, \"@a\"]\n", "f:4:28: \"@a\" is named twice"},
	{OPEN "targets:\n  - {host: 192.0.2.1, method: tcp}\n  - {hosts: [192.0.2.9, 192.0.2.1], "
	 "method: tcp, port: 80}\n",
	 "f:6:25: \"192.0.2.1\" is named twice for the same method and port (first in line 5)"},
	{OPEN "targets:\n  - {hosts: [192.0.2.1, 192.0.2.1]}\n", "f:5:25: \"192.0.2.1\" is named twice"},
	{OPEN "targets:\n  - {host: b.example, until: 2026-03-01}\n"
	 "  - {host: b.example, since: 2026-02-01}\n",
	 "f:6:12: \"b.example\" is named twice for the same method and port (first in line 5)"},
	{OPEN "targets:\n  - 2001:db8::1\n  - 2001:DB8:0::1\n", "f:6:5: \"2001:DB8:0::1\" is named twice"},

	/* how */
	{OPEN "method: ping\n", "f:4:9: \"ping\" is no method, expected icmp, udp or tcp"},
	{OPEN "port: 80\n", "f:4:7: a port needs method udp or tcp"},
	{OPEN "method: tcp\nport: 65536\n", "f:5:7: \"65536\" is no port, expected 1 to 65535"},
	{OPEN "method: tcp\nport: 0\n", "f:5:7: \"0\" is no port, expected 1 to 65535"},
	{OPEN "method: tcp\ntargets: [{host: 192.0.2.1, method: icmp, port: 80}]\n",
	 "f:5:49: a port needs method udp or tcp"},
	{OPEN "flows: 0\n", "f:4:8: \"0\" is no number of flows, expected 1 to 1024"},
	{OPEN "flows: 1025\n", "f:4:8: \"1025\" is no number of flows"},
	{OPEN "multipath: 90\n", "f:4:12: \"90\" is no confidence, expected 95 (or true) or 99"},
	{OPEN "multipath: 95\nflows: 4\n",
	 "f:5:8: multipath takes as many flows as it needs: name one of the two"},
	{OPEN "attempts: 11\n", "f:4:11: \"11\" is no number of attempts, expected 1 to 10"},
	{OPEN "first_ttl: 0\n", "f:4:12: \"0\" is no TTL, expected 1 to 255"},
	{OPEN "max_ttl: 256\n", "f:4:10: \"256\" is no TTL, expected 1 to 255"},
	{OPEN "first_ttl: 40\ntargets: [192.0.2.1]\n",
	 "f:4:12: the first TTL (40) lies behind the last (32)"},
	{OPEN "targets: [{host: 192.0.2.1, max_ttl: 5, first_ttl: 6}]\n",
	 "f:4:52: the first TTL (6) lies behind the last (5)"},
	{OPEN "max_ttl: 8\ntargets: [192.0.2.1, {host: 192.0.2.2, first_ttl: 9}]\n",
	 "f:5:51: the first TTL (9) lies behind the last (8)"},
	{OPEN "gap_limit: 256\n", "f:4:12: \"256\" is no number of silent hops, expected 0 to 255"},
	{OPEN "wait: 61s\n", "f:4:7: 61s is out of range, expected 1ms to 1m"},
	{OPEN "rate_pps: 0\n", "f:4:11: \"0\" is no rate, expected 1 to 10000000 packets a second, or max"},
	{OPEN "rate_pps: 1e3\n", "f:4:11: \"1e3\" is no rate"},
	{OPEN "per_prefix_rate_pps: 0\n", "f:4:22: \"0\" is no rate, expected 0.001 to 10000000 packets"},
	{OPEN "per_prefix_rate_pps: 0.0001\n", "f:4:22: \"0.0001\" is no rate"},
	{OPEN "rate_pps: 0.5\n", "f:4:11: \"0.5\" is no rate"},
	{OPEN "per_prefix_rate_pps: -1\n", "f:4:22: \"-1\" is no rate"},

	/* the vantage point's witnesses */
	{OPEN "reference: gw.example\n",
	 "f:4:12: \"gw.example\" is no address: a reference host must not depend on a name service"},
	{OPEN "reference: [192.0.2.1, 192.0.2.1]\n", "f:4:24: 192.0.2.1 is named twice"},
	{OPEN "targets: [192.0.2.0/24]\nreference: [198.51.100.1, 192.0.2.7]\n",
	 "f:5:27: 192.0.2.7 is measured as a target too (192.0.2.0/24): it cannot tell \"we were "
	 "down\" from \"they were down\""},

	/* keeping and telling */
	{OPEN "store: /var/lib/x.db\n",
	 "f:4:8: \"/var/lib/x.db\" is no store, expected sqlite:FILE or postgresql://..."},
	{OPEN "store: \"postgres://u:secret@h/d\"\n", "f:4:8: \"...\" is no store"},
	{OPEN "store: \"sqlite:\"\n", "f:4:8: \"sqlite:\" is no store"},
	{OPEN "keep: {traces: 5m}\n", "f:4:16: 5m is out of range, expected 15m to 36525d"},
	{OPEN "keep: {traces: 10d, hourly: 1d}\n",
	 "f:4:29: hourly summaries would go before the traces they sum up"},
	{OPEN "on_event: {every: 1m}\n", "f:4:11: key \"for\" is missing in on_event"},
	{OPEN "on_event: {every: 1h, for: 2h}\n", "f:4:19: 1h is no closer look than every"},
	{OPEN "events: {flapping: 1m}\n", "f:4:20: 1m is out of range, expected 15m to 366d"},
	{OPEN "on_event: {every: 5m, for: 1m}\n", "f:4:28: 1m is out of range, expected 5m to 366d"},
	{OPEN "alerts: {}\n", "f:4:9: alerts go nowhere, expected webhook or exec"},
	{OPEN "alerts: {exec: on-event}\n",
	 "f:4:16: \"on-event\" is no whole path, expected one that begins with /"},
	{OPEN "alerts: {webhook: {secret_file: /a}}\n",
	 "f:4:19: key \"url\" is missing in alerts.webhook"},
	{OPEN "alerts: {webhook: {url: ftp://a}}\n",
	 "f:4:25: \"ftp://a\" is no URL, expected https://... or http://..."},
	{OPEN "alerts: {webhook: {url: https://a, format: xml}}\n",
	 "f:4:44: \"xml\" is no format, expected event or alertmanager"},
	{OPEN "alerts: {webhook: {url: https://a, secret_file: s}}\n", "f:4:49: \"s\" is no whole path"},
	{OPEN "metrics: {}\n", "f:4:10: metrics go nowhere, expected listen or textfile"},
	{OPEN "metrics: {listen: 9923}\n",
	 "f:4:19: \"9923\" is nothing to listen at, expected ADDRESS:PORT (127.0.0.1:9923, [::1]:9923)"},
	{OPEN "metrics: {listen: \"::1:9923\"}\n", "f:4:19: \"::1:9923\" is nothing to listen at"},
	{OPEN "metrics: {listen: \"[127.0.0.1]:9923\"}\n", "f:4:19: \"[127.0.0.1]:9923\" is nothing"},
	{OPEN "metrics: {listen: \"[:1\"}\n", "f:4:19: \"[:1\" is nothing to listen at"},
	{OPEN "metrics: {textfile: a.prom}\n", "f:4:21: \"a.prom\" is no whole path"},
	{OPEN "contact: {who: A}\n", "f:4:10: contact: url or mail must say where to write to"},
	{OPEN "contact: {mail: a@b}\n", "f:4:10: key \"who\" is missing in contact"},
	{OPEN "contact: {who: A, url: \"http://a\"}\n", "f:4:10: contact: url must be https://..."},
};

static void told_at(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct campaign_plan *p = NULL;
		struct bp_error err = {0};
		int rc = parse(faults[i].yaml, &p, &err);

		if (rc == BP_EPARSE && err.code == rc && p == NULL &&
		    strncmp(err.text, faults[i].told, strlen(faults[i].told)) == 0)
			continue;
		print_error("row %zu:\n%s\nexpected %s\ntold     %s\n", i, faults[i].yaml,
			    faults[i].told, rc == 0 ? "nothing" : err.text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static const struct {
	const char *why, *yaml;
} good[] = {
	{"all that INTERFACE names",
	 "campaign: dprk-borders\n"
	 "vantage: {name: fra1, lat: 50.11, lon: 8.68}\n"
	 "profile: dprk\n"
	 "every: 15m\n"
	 "targets: profile\n"
	 "rate_pps: 50\n"
	 "on_event: {every: 1m, for: 1h}\n"
	 "reference: [192.0.2.1]\n"
	 "store: sqlite:/var/lib/borderpath/store.db\n"
	 "keep: {traces: 400d}\n"
	 "alerts: {webhook: {url: https://h.example/x, secret_file: /etc/s}, exec: /etc/borderpath/on}\n"
	 "metrics: {listen: 127.0.0.1:9923, textfile: /var/lib/x.prom}\n"
	 "contact: {who: Example Lab, url: https://example.org/probes, mail: noc@example.org}\n"},
	{"the least", "campaign: c\nvantage: v\nevery: 10\n"},
	{"one flow mapping", BASE "targets: [a.example]}\n"},
	{"a byte order mark", "\xef\xbb\xbf" OPEN},
	{"one host by two methods and two ports",
	 OPEN "targets:\n  - 192.0.2.1\n  - {host: 192.0.2.1, method: tcp}\n"
	 "  - {host: 192.0.2.1, method: tcp, port: 443}\n  - {host: 192.0.2.1, method: udp}\n"},
	{"one host after the other's time",
	 OPEN "targets:\n  - {host: b.example, since: 2026-03-01}\n"
	 "  - {host: b.example, until: 2026-03-01, attempts: 1}\n"},
	{"a host in a prefix", OPEN "targets: [192.0.2.0/24, 192.0.2.1]\n"},
	{"a port goes with the method for all",
	 OPEN "method: tcp\nport: 80\ntargets: [{host: 192.0.2.1, port: 443}]\n"},
	{"a whole prefix as a single host",
	 OPEN "targets: [{hosts: [192.0.2.1/32, 2001:db8::1/128]}]\n"},
	{"every entry a source", OPEN "targets: [{host: 192.0.2.1, source: \"said \\\"so\\\" \\L \\\\\"}]\n"},
	{"no reference", OPEN "reference: []\n"},
	{"IPv6 to listen at", OPEN "metrics: {listen: \"[::1]:9923\"}\n"},
	{"another store", OPEN "store: postgresql://localhost/borderpath\n"},
	{"no limits", OPEN "rate_pps: max\nper_prefix_rate_pps: max\ngap_limit: 0\nwait: 1ms\n"},
};

static void accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct campaign_plan *p = NULL;
		struct bp_error err = {0};

		if (parse(good[i].yaml, &p, &err) < 0)
			fail_msg("%s: %s", good[i].why, err.text);
		campaign_plan_free(p);
	}
}

/* Seeds of tests/fuzz/fuzz_campaign.c. */
static void seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		seed_write("campaign", "fault", i, faults[i].yaml, strlen(faults[i].yaml));
	for (size_t i = 0; i < COUNT(good); i++)
		seed_write("campaign", "good", i, good[i].yaml, strlen(good[i].yaml));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_at),
		cmocka_unit_test(accepted),
		cmocka_unit_test(seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
