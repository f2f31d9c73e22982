// SPDX-License-Identifier: BSD-2-Clause
/* The profile as a value: what the shipped ones say, and at which moment it holds. */
#include "geo/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct wall at(const char *text)
{
	struct wall t = {0};

	assert_int_equal(wall_parse(text, t, &t), 0);
	return t;
}

static struct addr ip(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct profile *load(const char *name)
{
	struct profile *p = NULL;
	struct bp_error err = {0};

	if (profile_load(name, &p, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	return p;
}

static const char *border_id(const struct profile *p, int i)
{
	return i < 0 ? "-" : p->borders[i].id;
}

static void dprk_holds_by_date(void **state)
{
	struct profile *p = load("dprk");
	static const struct { uint32_t asn; const char *when, *border, *why; } by_asn[] = {
		{4837, "2026-11-22", "dandong", "Unicom is a carrier at Dandong"},
		{4837, "2010-09-17", "dandong", "since is included"},
		{4837, "2010-09-16T23:59:59.999999999Z", "-", "before the first route"},
		{9929, "2026-11-22", "dandong", "Unicom's second network"},
		{134544, "2026-11-22", "dandong", "Cenbong is the neighbour now"},
		{134544, "2025-12-15", "dandong", "it came some month before 2026-10"},
		{134544, "2017-10-02", "-", "and was not there in 2017"},
		{20485, "2017-10-01T09:07:50Z", "-", "a second before TransTeleCom appears"},
		{20485, "2017-10-01T09:07:51Z", "khasan", "the second it appears"},
		{20485, "2017-10-01T17:38:00+08:30", "khasan", "17:38 in Pyongyang was 09:08 UTC"},
		{20485, "2026-11-22", "khasan", "and today"},
		{22351, "2012-06-01", "-", "a satellite is no border"},
		{131279, "2026-11-22", "-", "the network itself is no border"},
		{15169, "2026-11-22", "-", "nor is anybody else"},
	};
	static const struct { const char *addr, *when, *border, *why; } by_addr[] = {
		{"219.158.39.42", "2019-02-05", "dandong", "filters at the border"},
		{"103.35.255.254", "2026-11-22", "dandong", "no table has it"},
		{"103.35.255.254", "2020-01-01", "-", "Cenbong is not known for then"},
		{"45.126.3.255", "2026-11-22", "dandong", "the last address of the /22"},
		{"45.126.4.0", "2026-11-22", "-", "one behind it"},
		{"188.43.225.153", "2026-11-22", "khasan", "the last hop outside"},
		{"217.150.57.98", "2017-10-01T09:07:51Z", "khasan", "the second prefix"},
		{"217.150.57.98", "2017-10-01T09:07:50Z", "-", "a second too early"},
		{"217.150.64.0", "2026-11-22", "-", "behind the /19"},
		{"175.45.176.1", "2026-11-22", "-", "inside is not at the border"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(by_asn); i++)
		if (strcmp(border_id(p,
				     profile_border_of_asn(p, by_asn[i].asn, at(by_asn[i].when))),
			   by_asn[i].border) != 0)
			fail_msg("AS%u at %s: %s", by_asn[i].asn, by_asn[i].when, by_asn[i].why);
	for (size_t i = 0; i < COUNT(by_addr); i++)
		if (strcmp(border_id(p, profile_border_of_addr(p, ip(by_addr[i].addr),
							       at(by_addr[i].when))),
			   by_addr[i].border) != 0)
			fail_msg("%s at %s: %s", by_addr[i].addr, by_addr[i].when, by_addr[i].why);
	profile_free(p);
}

static void dprk_others(void **state)
{
	struct profile *p = load("dprk");
	int i = profile_other_of_asn(p, 22351, at("2012-04-08"));

	(void)state;
	assert_int_equal(i, 0);
	assert_string_equal(p->others[i].id, "satellite");
	assert_int_equal(profile_other_of_asn(p, 22351, at("2012-04-07T23:59:59Z")), -1);
	assert_int_equal(profile_other_of_asn(p, 22351, at("2026-11-22")), -1);
	assert_int_equal(profile_other_of_asn(p, 4837, at("2026-11-22")), -1);
	profile_free(p);
}

static void dprk_inside_is_a_prefix(void **state)
{
	struct profile *p = load("dprk");
	static const struct { const char *addr, *prefix, *why; } rows[] = {
		{"175.45.176.0", "175.45.176.0/24", "the first address"},
		{"175.45.177.10", "175.45.177.0/24", "verdicts are per /24"},
		{"175.45.179.255", "175.45.179.0/24", "the last address"},
		{"175.45.175.255", NULL, "one before"},
		{"175.45.180.0", NULL, "one behind"},
		{"210.52.109.1", NULL, "listed as North Korean, and is not"},
		{"77.94.35.1", NULL, "so is this"},
		{"2001:db8::1", NULL, "no IPv6"},
	};
	struct wall now = at("2026-11-22");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = ip(rows[i].addr);
		struct prefix judged = profile_judge_prefix(p, a);
		char text[PREFIX_TEXT];

		if (profile_inside(p, a, now) != (rows[i].prefix != NULL))
			fail_msg("%s: %s", rows[i].addr, rows[i].why);
		if (rows[i].prefix == NULL)
			assert_int_equal(judged.len, 0);
		else
			assert_string_equal(prefix_format(judged, text), rows[i].prefix);
	}
	assert_false(profile_inside(p, ip("175.45.176.1"), at("2010-09-16")));
	profile_free(p);
}

static void dprk_labels(void **state)
{
	struct profile *p = load("dprk");
	const struct profile_label *l = profile_label(p, ip("103.35.255.254"), at("2026-11-22"));

	(void)state;
	assert_non_null(l);
	assert_int_equal(l->asn, 134544);
	assert_string_equal(l->border, "dandong");
	assert_string_equal(l->role, "border_router");
	assert_string_equal(l->country, "HK");
	assert_null(profile_label(p, ip("103.35.255.254"), at("2017-10-02")));
	assert_null(profile_label(p, ip("103.35.255.253"), at("2026-11-22")));
	l = profile_label(p, ip("188.43.3.213"), at("2026-11-22"));
	assert_non_null(l);
	assert_string_equal(l->role, "customer");
	assert_null(l->border);
	profile_free(p);
}

/* Each fact of the shipped profile names who says so, and each of the four /24 has a target. */
static void dprk_is_sourced(void **state)
{
	struct profile *p = load("dprk");
	bool covered[4] = {false};

	(void)state;
	assert_string_equal(p->id, "dprk");
	assert_string_equal(p->timezone, "Asia/Pyongyang");
	assert_int_equal(p->asns_count, 1);
	assert_int_equal(p->asns[0], 131279);
	assert_true(p->place.known);
	assert_int_equal(p->borders_count, 2);
	assert_string_equal(p->borders[0].color, "#E69F00");
	assert_string_equal(p->borders[1].color, "#0072B2");
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		assert_non_null(b->valid.source);
		assert_true(b->place.known);
		for (unsigned j = 0; j < b->networks_count; j++) {
			assert_non_null(b->networks[j].valid.source);
			assert_true(b->networks[j].valid.since.ns >= b->valid.since.ns);
		}
		for (unsigned j = 0; j < b->prefixes_count; j++) {
			assert_non_null(b->prefixes[j].valid.source);
			assert_true(b->prefixes[j].valid.since.ns >= b->valid.since.ns);
			assert_true(b->prefixes[j].asn != 0);
		}
	}
	for (unsigned i = 0; i < p->labels_count; i++)
		assert_non_null(p->labels[i].valid.source);
	for (unsigned i = 0; i < p->targets_count; i++) {
		struct addr a = ip(p->targets[i].host);

		assert_non_null(p->targets[i].valid.source);
		assert_true(profile_inside(p, a, wall_now()));
		covered[a.bytes[2] - 176] = true;
	}
	for (unsigned i = 0; i < 4; i++)
		assert_true(covered[i]);
	profile_free(p);
}

static void shipped_profiles_load(void **state)
{
	static const char *const files[] = {"profiles/dprk.yaml", "profiles/example.yaml",
					    "tests/lab/lab.yaml"};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct profile *p = load(files[i]);

		assert_string_equal(p->file, files[i]);
		profile_free(p);
	}
}

/* A network of two families, and what narrows: the profile is data, not North Korea. */
static void example_is_another_network(void **state)
{
	struct profile *p = load("profiles/example.yaml");
	struct wall now = at("2026-11-22");
	char text[PREFIX_TEXT];

	(void)state;
	assert_true(profile_inside(p, ip("2001:db8:100::1"), now));
	assert_true(profile_inside(p, ip("198.51.100.1"), now));
	assert_string_equal(prefix_format(profile_judge_prefix(p, ip("2001:db8:123:4::1")), text),
			    "2001:db8:123::/48");
	assert_string_equal(border_id(p, profile_border_of_addr(p, ip("203.0.113.1"), now)),
			    "pass");
	assert_string_equal(border_id(p, profile_border_of_addr(p, ip("203.0.113.129"), now)),
			    "ferry");
	assert_int_equal(profile_other_of_addr(p, ip("203.0.113.193"), now), 0);
	assert_string_equal(border_id(p, profile_border_of_addr(p, ip("203.0.113.193"), now)), "-");
	assert_string_equal(border_id(p, profile_border_of_asn(p, 64502, at("2019-12-31"))),
			    "pass");
	assert_string_equal(border_id(p, profile_border_of_asn(p, 64502, at("2020-01-01"))),
			    "ferry");
	profile_free(p);
}

static void validity(void **state)
{
	static const struct {
		const char *since, *until, *when;
		bool holds;
		const char *why;
	} rows[] = {
		{NULL, NULL, "1990-01-01", true, "open at both ends"},
		{"2020-01-01", NULL, "2020-01-01", true, "since is included"},
		{"2020-01-01", NULL, "2019-12-31T23:59:59.999999999Z", false, "not before it"},
		{NULL, "2020-01-01", "2020-01-01", false, "until is excluded"},
		{NULL, "2020-01-01", "2019-12-31T23:59:59.999999999Z", true, "up to it"},
		{"1960-01-01", "1961-01-01", "1960-06-01", true, "before 1970 too"},
		{"1960-01-01", "1961-01-01", "1959-06-01", false, "and outside"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct validity v = {0};

		if (rows[i].since != NULL)
			v.since = at(rows[i].since);
		if (rows[i].until != NULL)
			v.until = at(rows[i].until);
		if (validity_holds(&v, at(rows[i].when)) != rows[i].holds)
			fail_msg("row %zu: %s", i, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dprk_holds_by_date),
		cmocka_unit_test(dprk_others),
		cmocka_unit_test(dprk_inside_is_a_prefix),
		cmocka_unit_test(dprk_labels),
		cmocka_unit_test(dprk_is_sourced),
		cmocka_unit_test(shipped_profiles_load),
		cmocka_unit_test(example_is_another_network),
		cmocka_unit_test(validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
