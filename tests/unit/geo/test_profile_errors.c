// SPDX-License-Identifier: BSD-2-Clause
/* The grammar of a profile: one fault a row, and the exact line and column it is told at. */
#include "geo/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geo/profile_raw.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* The smallest good profile, in lines 1 to 3; rows add what follows. */
#define BASE \
	"profile: p\nversion: 1\nnetwork: {name: N, asn: [64500], prefixes: [192.0.2.0/24]}\n"
#define BORDERS "borders:\n  - {id: a, networks: [{asn: 64501}]}\n" /* lines 4 and 5 */

static int parse(const char *yaml, size_t n, struct bp_error *err)
{
	struct profile *p = NULL;
	int rc = profile_parse("f", yaml, n, &p, err);

	if (rc < 0)
		assert_null(p);
	profile_free(p);
	return rc;
}

/* What is written, and how what is told begins. */
static const struct {
	const char *yaml, *told;
} faults[] = {
	/* structure */
	{"", "f:1:1: empty"},
	{"# nothing\n", "f:1:1: empty"},
	{"- a\n", "f:1:1: the file is a list, expected a group of keys"},
	{"text\n", "f:1:1: the file is a single value, expected a group of keys"},
	{"profile: [p\n", "f:2:1: did not find expected ',' or ']'"},
	{"profile: p\n\tversion: 1\n", "f:2:1: found a tab character"},
	{"profile: p\nversion: 1\nborder: x\n",
	 "f:3:1: unknown key \"border\" in the file, "
	 "expected one of: profile, version, network, timezone, borders"},
	{"profile: p\n---\nprofile: q\n", "f:2:1: a second document"},
	{"profile: p\nversion: 1\nprofile: q\n",
	 "f:3:1: key \"profile\" stands twice (first in "
	 "line 1)"},
	{"profile: &x p\nversion: *x\n", "f:1:10: anchors"},
	{"profile: p\nversion: *x\n", "f:2:10: aliases"},
	{"profile: !!int 5\n", "f:1:10: tags"},
	{"? [a]\n: b\n", "f:1:3: a key must be a word"},
	{"profile: [p]\n", "f:1:10: profile is a list, expected a single value"},
	{"profile: {p: q}\n",
	 "f:1:10: profile is a group of keys, expected a single value"},
	{"profile: \"a\\0b\"\n", "f:1:10: a control character"},
	{"profile: \"\\e[2J\"\n", "f:1:10: a control character"},
	{"profile: \"\\x9b2J\"\n", "f:1:10: a control character"},
	{"profile: \"a\\tb\"\n", "f:1:10: a control character"},
	{"profile: \"a\\nb\"\n", "f:1:10: a line break in a text (>- folds lines into one)"},
	{"profile: |\n  a\n  b\n", "f:1:10: a line break"},
	{"profile: \xff\n", "f: byte 9: invalid leading UTF-8 octet"},
	{"profile:\nversion: 1\n", "f:1:9: profile is empty"},
	{"profile: p\n", "f:1:1: key \"version\" is missing in the file"},
	{"profile: p\nversion: 1\n" BORDERS,
	 "f:1:1: key \"network\" is missing in the file"},
	{"profile: p\nversion: 1\nnetwork:\n  name: N\n" BORDERS,
	 "f:4:3: key \"prefixes\" is missing in network"},
	{"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", "f:1:16: nested too deeply"},
	{BASE, "f:1:1: key \"borders\" is missing"},
	{BASE "borders: []\n", "f:4:10: borders has 0 entries, expected at least 1"},
	{BASE "borders: 5\n", "f:4:10: borders is a single value, expected a list"},
	{BASE "borders:\n  - id: a\n    networks:\n      - {asn: 1, since: [2]}\n",
	 "f:7:25: borders.networks.since is a list, expected a single value"},
	{BASE "borders:\n  - id: a\n    networks:\n      - {asn: 1, color: red}\n",
	 "f:7:18: unknown key \"color\" in borders.networks, expected one of: asn, org, "
	 "since, "
	 "until, source"},
	{BASE "borders:\n  - {name: A}\n", "f:5:5: key \"id\" is missing in borders"},
	{BASE "borders:\n  - 5\n",
	 "f:5:5: borders is a single value, expected a group of keys"},

	/* ids and words */
	{"profile: P\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/24]}\n" BORDERS,
	 "f:1:10: \"P\" is no id"},
	{BASE "borders:\n  - {id: a b, networks: [{asn: 1}]}\n",
	 "f:5:10: \"a b\" is no id"},
	{BASE "borders:\n  - {id: other, networks: [{asn: 1}]}\n",
	 "f:5:10: \"other\" is a word of the verdict"},
	{BASE
	 "borders:\n  - {id: a, networks: [{asn: 1}]}\n  - {networks: [{asn: 2}], id: a}\n",
	 "f:6:32: id \"a\" is used twice"},
	{BASE BORDERS "others:\n  - {id: a, networks: [{asn: 2}]}\n",
	 "f:7:10: id \"a\" is used twice"},
	{BASE "borders:\n  - {id: a}\n",
	 "f:5:5: border \"a\" has no networks and no prefixes"},
	{BASE BORDERS "others: [{id: b}]\n",
	 "f:6:10: \"b\" has no networks and no prefixes"},
	{BASE "borders:\n  - {id: a, color: red, networks: [{asn: 1}]}\n",
	 "f:5:20: \"red\" is no colour, expected \"#RRGGBB\""},
	{BASE "borders:\n  - {id: a, country: cn, networks: [{asn: 1}]}\n",
	 "f:5:22: \"cn\" is no country"},
	{BASE "timezone: ../../etc/passwd\n" BORDERS,
	 "f:4:11: \"../../etc/passwd\" is no time zone"},
	{BASE "timezone: :x\n" BORDERS, "f:4:11: \":x\" is no time zone"},

	/* numbers */
	{BASE "borders:\n  - {id: a, networks: [{asn: abc}]}\n",
	 "f:5:30: \"abc\" is no AS number, expected 1 to 4294967294"},
	{BASE "borders:\n  - {id: a, networks: [{asn: 1}, {asn: 0x10}]}\n",
	 "f:5:40: \"0x10\" is no AS number"},
	{BASE "borders:\n  - {id: a, networks: [{asn: 4294967295}]}\n",
	 "f:5:30: \"4294967295\""},
	{BASE "borders:\n  - {id: a, networks: [{asn: -1}]}\n",
	 "f:5:30: \"-1\" is no AS number"},
	{"profile: p\nversion: 1\nnetwork: {name: N, asn: [1, x], prefixes: "
	 "[192.0.2.0/24]}\n" BORDERS,
	 "f:3:29: \"x\" is no AS number"},
	{BASE "borders:\n  - {id: a, place: {lat: 91, lon: 0}, networks: [{asn: 1}]}\n",
	 "f:5:26: \"91\" is no latitude, expected degrees from -90 to 90"},
	{BASE "borders:\n  - {id: a, place: {lat: 1, lon: -180.5}, networks: [{asn: 1}]}\n",
	 "f:5:34: \"-180.5\" is no longitude, expected degrees from -180 to 180"},
	{BASE "borders:\n  - {id: a, place: {lat: nan, lon: 0}, networks: [{asn: 1}]}\n",
	 "f:5:26: \"nan\" is no latitude"},
	{BASE "borders:\n  - {id: a, place: {lat: 1}, networks: [{asn: 1}]}\n",
	 "f:5:20: key \"lon\" is missing in borders.place"},

	/* prefixes */
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.1/24]}\n" BORDERS,
	 "f:3:31: \"192.0.2.1/24\" has bits set after the first 24, expected 192.0.2.0/24"},
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/33]}\n" BORDERS,
	 "f:3:31: \"192.0.2.0/33\" is no prefix"},
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: []}\n" BORDERS,
	 "f:3:30: network.prefixes has 0 entries, expected at least 1"},
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/28]}\n" BORDERS,
	 "f:3:31: verdicts are kept per /24 (judge_by), which is wider than the network's "
	 "192.0.2.0/28"},
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/24], judge_by: "
	 "{v4: 33}}\n" BORDERS,
	 "f:3:61: \"33\" is no prefix length, expected 1 to 32"},
	{"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/24], judge_by: "
	 "{v6: 0}}\n" BORDERS,
	 "f:3:61: \"0\" is no prefix length, expected 1 to 128"},
	{BASE "borders:\n  - id: a\n    prefixes:\n      - {prefix: 192.0.2.0/24, asn: 5}\n"
	      "      - {prefix: example.org}\n",
	 "f:8:18: \"example.org\" is no prefix"},

	/* times */
	{BASE "borders:\n  - {id: a, since: yesterday, networks: [{asn: 1}]}\n",
	 "f:5:20: \"yesterday\" is no time, expected a date (2017-10-01) or RFC 3339"},
	{BASE "borders:\n  - {id: a, networks: [{asn: 1, until: 2h ago}]}\n",
	 "f:5:40: \"2h ago\" is no time"},
	{BASE "borders:\n  - {id: a, networks: [{asn: 1, since: 2017-13-01}]}\n",
	 "f:5:40: \"2017-13-01\" is no time"},
	{BASE "borders:\n  - {id: a, since: now, networks: [{asn: 1}]}\n",
	 "f:5:20: \"now\" is no"},
	{BASE "borders:\n  - {id: a, since: 2018-01-01, until: 2017-01-01, networks: "
	      "[{asn: 1}]}\n",
	 "f:5:39: until 2017-01-01 is not after since 2018-01-01"},
	{BASE BORDERS
	 "labels: [{prefix: 192.0.2.1, label: l, since: 2018-01-01, until: 2018-01-01}]\n",
	 "f:6:66: until 2018-01-01 is not after"},

	/* one thing, two ways in */
	{BASE "borders:\n  - {id: a, networks: [{asn: 1}, {asn: 1}]}\n",
	 "f:5:34: AS1 stands twice in \"a\" for the same time"},
	{BASE
	 "borders:\n  - {id: a, networks: [{asn: 1}]}\n  - {id: b, networks: [{asn: 1}]}\n",
	 "f:6:24: AS1 is in \"a\" already, for the same time"},
	{BASE "borders:\n  - {id: a, prefixes: [{prefix: 10.0.0.0/8}]}\n"
	      "  - {id: b, prefixes: [{prefix: 10.0.0.0/8}]}\n",
	 "f:6:24: 10.0.0.0/8 is in \"a\" already"},
	{BASE BORDERS "others: [{id: b, networks: [{asn: 64501}]}]\n",
	 "f:6:29: AS64501 is in \"a\" already"},

	/* labels */
	{BASE BORDERS "labels:\n  - {prefix: 192.0.2.1, label: l, border: b}\n",
	 "f:7:43: \"b\" is no border of this profile"},
	{BASE BORDERS "labels:\n  - {prefix: 192.0.2.1}\n",
	 "f:7:5: key \"label\" is missing"},
	{BASE BORDERS "labels:\n  - {prefix: 192.0.2.1, label: l, role: boss}\n",
	 "f:7:41: \"boss\" is no role, expected exchange, customer or border_router"},
	{BASE BORDERS "labels:\n  - {prefix: 192.0.2.1, label: l}\n  - {prefix: "
		      "192.0.2.1/32, label: m}\n",
	 "f:8:14: 192.0.2.1/32 has a label already"},

	/* targets */
	{BASE BORDERS "targets:\n  - {host: 192.0.2.300}\n",
	 "f:7:12: \"192.0.2.300\" is no address"},
	{BASE BORDERS "targets:\n  - {host: \"2001:db8::g\"}\n",
	 "f:7:12: \"2001:db8::g\" is no"},
	{BASE BORDERS "targets:\n  - {host: 192.0.2.1/24}\n",
	 "f:7:12: \"192.0.2.1/24\" has bits set"},
	{BASE BORDERS "targets:\n  - {host: a b}\n", "f:7:12: \"a b\" is no host"},
	{BASE BORDERS "targets:\n  - {host: -rf}\n", "f:7:12: \"-rf\" is no host"},
	{BASE BORDERS "targets:\n  - {host: a, method: gre}\n",
	 "f:7:23: \"gre\" is no method"},
	{BASE BORDERS "targets:\n  - {host: a, method: tcp, port: 65536}\n",
	 "f:7:34: \"65536\" is no port, expected 1 to 65535"},
	{BASE BORDERS "targets:\n  - {host: a, port: 80}\n",
	 "f:7:21: a port needs method udp or tcp"},
	{BASE BORDERS "targets:\n  - {host: a, method: icmp, port: 80}\n",
	 "f:7:35: a port needs"},
	{BASE BORDERS "targets:\n  - 192.0.2.1\n",
	 "f:7:5: targets is a single value, expected a group of keys"},
};

static void told_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct bp_error err = {0};
		int rc = parse(faults[i].yaml, strlen(faults[i].yaml), &err);

		if (rc >= 0)
			fail_msg("row %zu is accepted: %s", i, faults[i].told);
		if (strncmp(err.text, faults[i].told, strlen(faults[i].told)) != 0)
			fail_msg("row %zu: told \"%s\", expected \"%s\"", i, err.text,
				 faults[i].told);
		assert_null(strchr(err.text, '\n'));
	}
}

static const struct {
	const char *yaml, *why;
} good[] = {
	{BASE BORDERS, "the smallest profile"},
	{"\xef\xbb\xbf" BASE BORDERS, "with the mark some editors write"},
	{"--- # a profile\n" BASE BORDERS "...\n", "with document marks"},
	{BASE BORDERS "labels: []\ntargets: []\nothers: []\n", "empty lists"},
	{BASE "borders:\n  - id: a\n    networks: [{asn: 1}]\n    source: >-\n      a\n      b\n",
	 "a source folded over lines"},
	{BASE "borders:\n  - {id: a, networks: [{asn: \"1\"}]}\n", "a quoted number"},
	{BASE "borders:\n  - {id: a, networks: [{asn: 1, until: 2020-01-01}]}\n"
	      "  - {id: b, networks: [{asn: 1, since: 2020-01-01}]}\n",
	 "an AS that moves from one border to the other"},
	{BASE "borders:\n  - {id: a, until: 2020-01-01, networks: [{asn: 1}]}\n"
	      "  - {id: b, since: 2020-01-01, networks: [{asn: 1}]}\n",
	 "borders that follow each other"},
	{BASE "borders:\n  - {id: a, prefixes: [{prefix: 10.0.0.0/8}]}\n"
	      "  - {id: b, prefixes: [{prefix: 10.1.0.0/16}]}\n",
	 "a narrower prefix elsewhere"},
	{BASE BORDERS "labels: [{prefix: 192.0.2.1, label: \"Z\xc3\xbcrich\"}]\n", "UTF-8"},
	{BASE
	 "borders:\n  - {id: a, networks: [{asn: 1, since: 2017-10-01T17:38:00+08:30}]}\n",
	 "an offset of half an hour"},
	{BASE BORDERS
	 "targets: [{host: www.example.org}, {host: 192.0.2.0/30, method: udp}]\n",
	 "names and prefixes as targets"},
};

static void accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct bp_error err = {0};

		if (parse(good[i].yaml, strlen(good[i].yaml), &err) < 0)
			fail_msg("%s: %s", good[i].why, err.text);
	}
}

/* Sixteen borders are a verdict's limit, the seventeenth is told. */
static void borders_up_to_the_limit(void **state)
{
	char yaml[4096];
	struct bp_error err = {0};

	(void)state;
	for (int count = 16; count <= 17; count++) {
		int n = snprintf(yaml, sizeof(yaml), BASE "borders:\n");

		for (int i = 0; i < count; i++)
			n += snprintf(yaml + n, sizeof(yaml) - (size_t)n,
				      "  - {id: b%d, networks: [{asn: %d}]}\n", i, i + 1);
		if (count == 16)
			assert_int_equal(parse(yaml, (size_t)n, &err), 0);
		else
			assert_int_equal(parse(yaml, (size_t)n, &err), BP_EPARSE);
	}
	assert_string_equal(err.text, "f:5:3: borders has 17 entries, expected at most 16");
}

static void defaults(void **state)
{
	static const char yaml[] = BASE BORDERS "targets: [{host: 192.0.2.9}]\n";
	struct bp_error err = {0};
	struct profile *p = NULL;

	(void)state;
	assert_int_equal(profile_parse("f", yaml, strlen(yaml), &p, &err), 0);
	assert_string_equal(p->timezone, "UTC");
	assert_int_equal(p->judge_v4, 24);
	assert_int_equal(p->judge_v6, 48);
	assert_false(p->place.known);
	assert_string_equal(p->borders[0].name, "a");
	assert_string_equal(p->borders[0].short_name, "a");
	assert_string_equal(p->borders[0].color, "#E69F00");
	assert_null(p->borders[0].country);
	assert_null(p->borders[0].networks[0].org);
	assert_int_equal(p->targets[0].method, METHOD_UNKNOWN);
	assert_int_equal(p->targets[0].port, 0);
	assert_string_equal(p->file, "f");
	profile_free(p);
}

/* A file over the limits is refused in bounded time and memory. */
static void too_large(void **state)
{
	size_t n = YAMLDOC_BYTES_MAX + 1;
	char *text = malloc(n);
	struct bp_error err = {0};

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	assert_int_equal(parse(text, n, &err), BP_ERANGE);
	/* Many values in a file of allowed size. */
	memset(text, '\n', n);
	memcpy(text, "a: [", 4);
	for (size_t i = 4; i + 1 < 300000; i += 2)
		memcpy(text + i, "1,", 2);
	assert_int_equal(parse(text, n - 1, &err), BP_ERANGE);
	assert_non_null(strstr(err.text, "more values"));
	free(text);
}

static void many_keys(void **state)
{
	char yaml[4096];
	struct bp_error err = {0};
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 65; i++)
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "k%d: 1\n", i);
	assert_int_equal(parse(yaml, n, &err), BP_ERANGE);
	assert_string_equal(err.text, "f:65:1: too many keys in one group");
}

/* `test_profile_errors dump DIR` writes the tables out as seeds of tests/fuzz/fuzz_profile.c. */
static int dump(const char *dir)
{
	for (size_t i = 0; i < COUNT(faults) + COUNT(good); i++) {
		bool bad = i < COUNT(faults);
		size_t row = bad ? i : i - COUNT(faults);
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s-%02zu", dir, bad ? "fault" : "good", row);
		f = fopen(path, "w");
		if (f == NULL)
			return 1;
		fputs(bad ? faults[row].yaml : good[row].yaml, f);
		if (fclose(f) != 0)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_at),
		cmocka_unit_test(accepted),
		cmocka_unit_test(borders_up_to_the_limit),
		cmocka_unit_test(defaults),
		cmocka_unit_test(too_large),
		cmocka_unit_test(many_keys),
	};

	if (argc == 3 && strcmp(argv[1], "dump") == 0)
		return dump(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
