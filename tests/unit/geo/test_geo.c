// SPDX-License-Identifier: BSD-2-Clause
/* Two databases and the overlay together: precedence, dates, warnings, what goes into a record, and
 * the known answers of the real databases where they are built. */
#include "geo/geo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "geo/filehash.h"
#include "geo/profile.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define GOLDEN "tests/golden/mmdb/"

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

static struct profile *parse(const char *yaml)
{
	struct profile *p = NULL;
	struct bp_error err = {0};

	if (profile_parse("test", yaml, strlen(yaml), &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static struct geo *open_geo(const char *asn, const char *country, const struct profile *p)
{
	struct geo *g = NULL;
	struct bp_error err = {0};

	if (geo_open(asn, country, p, &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

static const char *warning_with(const struct geo *g, const char *part)
{
	const char *text;

	for (unsigned i = 0; (text = geo_warning(g, i)) != NULL; i++)
		if (strstr(text, part) != NULL)
			return text;
	return NULL;
}

static unsigned warnings(const struct geo *g)
{
	unsigned n = 0;

	while (geo_warning(g, n) != NULL)
		n++;
	return n;
}

static const char overlay_yaml[] =
	"profile: p\nversion: 1\n"
	"network: {name: N, asn: [64999], prefixes: [192.0.2.0/26, 172.16.0.0/24], "
	"judge_by: {v4: 26}, since: 2010-01-01}\n"
	"borders:\n"
	"  - id: a\n"
	"    networks: [{asn: 64700, org: Carrier}]\n"
	"    prefixes:\n"
	"      - {prefix: 10.0.0.0/8, asn: 64700, label: backbone}\n"
	"      - {prefix: 198.51.100.0/24, asn: 64700}\n"
	"labels:\n"
	"  - {prefix: 192.0.2.128/25, label: wide, asn: 64800, org: Wide}\n"
	"  - {prefix: 192.0.2.200, label: narrow}\n"
	"  - {prefix: 192.0.2.201, label: same AS, asn: 64501}\n"
	"  - {prefix: 192.0.2.202, label: other country, country: SE}\n"
	"  - {prefix: 192.0.2.203, label: same country, country: CH}\n"
	"  - {prefix: 192.0.2.204, label: number only, asn: 64801}\n"
	"  - {prefix: 192.0.2.205, label: then, asn: 64802, org: Then, "
	"since: 2015-01-01, until: 2016-01-01}\n"
	"  - {prefix: 10.1.1.1, label: only here, asn: 64803, org: Only, country: KP}\n";

static void overlay_over_tables(void **state)
{
	struct profile *p = parse(overlay_yaml);
	struct geo *g = open_geo(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-maxmind.mmdb", p);
	static const struct {
		const char *addr, *when;
		uint32_t asn;
		enum name_source source;
		const char *org, *country, *overlay_country, *label, *why;
	} rows[] = {
		{"192.0.2.65", "2026-01-01", 64500, NAME_SOURCE_ASN_DB, "Example One", "CH", "", "",
		 "the tables alone"},
		{"192.0.2.129", "2026-01-01", 64800, NAME_SOURCE_OVERLAY, "Wide", "CH", "", "wide",
		 "a label wins over the table"},
		{"192.0.2.200", "2026-01-01", 64501, NAME_SOURCE_ASN_DB, "Example Two", "CH", "",
		 "narrow", "the narrowest label alone holds, and it tells no AS"},
		{"192.0.2.201", "2026-01-01", 64501, NAME_SOURCE_ASN_DB, "Example Two", "CH", "",
		 "same AS", "a label that repeats the table changes nothing"},
		{"192.0.2.202", "2026-01-01", 64501, NAME_SOURCE_ASN_DB, "Example Two", "CH", "SE",
		 "other country", "a disagreement is shown as such"},
		{"192.0.2.203", "2026-01-01", 64501, NAME_SOURCE_ASN_DB, "Example Two", "CH", "",
		 "same country", "agreement is not repeated"},
		{"192.0.2.204", "2026-01-01", 64801, NAME_SOURCE_OVERLAY, "", "CH", "",
		 "number only", "the table's name belongs to the table's AS"},
		{"192.0.2.205", "2015-06-01", 64802, NAME_SOURCE_OVERLAY, "Then", "CH", "", "then",
		 "a dated label while it holds"},
		{"192.0.2.205", "2016-01-01", 64800, NAME_SOURCE_OVERLAY, "Wide", "CH", "", "wide",
		 "and not after"},
		{"10.1.1.1", "2026-01-01", 64803, NAME_SOURCE_OVERLAY, "Only", "", "KP",
		 "only here", "an address no table has"},
		{"10.2.2.2", "2026-01-01", 64700, NAME_SOURCE_OVERLAY, "Carrier", "", "",
		 "backbone", "a carrier's prefix fills what the table leaves empty"},
		{"198.51.100.1", "2026-01-01", 64502, NAME_SOURCE_ASN_DB, "", "SE", "", "",
		 "but does not overrule the table"},
		{"172.16.0.1", "2026-01-01", 64999, NAME_SOURCE_OVERLAY, "", "", "", "",
		 "inside the network its own AS"},
		{"172.16.0.1", "2009-01-01", 0, NAME_SOURCE_NONE, "", "", "", "",
		 "not before there was a network"},
		{"9.9.9.9", "2026-01-01", 0, NAME_SOURCE_NONE, "", "", "", "", "nobody knows"},
		{"2001:db8::1", "2026-01-01", 4200000000, NAME_SOURCE_ASN_DB, "Z\xc3\xbcrich Net",
		 "JP", "", "", "IPv6"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct name n;

		geo_lookup(g, ip(rows[i].addr), at(rows[i].when), &n);
		if (n.asn != rows[i].asn || n.source != rows[i].source ||
		    strcmp(n.org, rows[i].org) != 0 || strcmp(n.country, rows[i].country) != 0 ||
		    strcmp(n.overlay_country, rows[i].overlay_country) != 0 ||
		    strcmp(n.label, rows[i].label) != 0)
			fail_msg("%s at %s: %s: AS%u source %u \"%s\" %s/%s \"%s\"", rows[i].addr,
				 rows[i].when, rows[i].why, n.asn, n.source, n.org, n.country,
				 n.overlay_country, n.label);
		assert_true(addr_equal(n.addr, ip(rows[i].addr)));
	}
	geo_close(g);
	profile_free(p);
}

static void now_is_the_default(void **state)
{
	struct profile *p = parse(
		"profile: p\nversion: 1\nnetwork: {name: N, prefixes: [192.0.2.0/24]}\n"
		"borders: [{id: a, networks: [{asn: 1}]}]\n"
		"labels: [{prefix: 10.0.0.1, label: past, until: 2020-01-01},"
		" {prefix: 10.0.0.1, label: now, since: 2020-01-01}]\n");
	struct geo *g = open_geo(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-maxmind.mmdb", p);
	struct name n;

	(void)state;
	geo_lookup(g, ip("10.0.0.1"), (struct wall){0}, &n);
	assert_string_equal(n.label, "now");
	geo_lookup(g, ip("10.0.0.1"), at("2019-12-31"), &n);
	assert_string_equal(n.label, "past");
	geo_lookup(g, (struct addr){0}, (struct wall){0}, &n);
	assert_int_equal(n.source, NAME_SOURCE_NONE);
	geo_close(g);
	profile_free(p);
}

static void warnings_say_what_is_wrong(void **state)
{
	struct geo *g =
		open_geo(GOLDEN "asn-flat-ipv4.mmdb", GOLDEN "country-flat-ipv4-old.mmdb", NULL);
	struct name n;

	(void)state;
	assert_non_null(warning_with(g, "country-flat-ipv4-old.mmdb is of 2020-01-01, "));
	assert_non_null(warning_with(g, "days old"));
	assert_non_null(warning_with(g, "asn-flat-ipv4.mmdb holds IPv4 only: AS numbers of IPv6"));
	assert_non_null(warning_with(g, "country-flat-ipv4-old.mmdb holds IPv4 only: countries"));
	geo_lookup(g, ip("2001:db8::1"), (struct wall){0}, &n);
	assert_int_equal(n.asn, 0);
	assert_string_equal(n.country, "");
	geo_lookup(g, ip("192.0.2.1"), (struct wall){0}, &n);
	assert_int_equal(n.asn, 64500);
	assert_string_equal(n.country, "CH");
	geo_close(g);
}

/* The age limit, on both sides, from the file's own date. */
static void old_from_a_certain_day(void **state)
{
	struct geo *g = open_geo(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-maxmind.mmdb", NULL);
	struct geo_db_about about;
	bool old;

	(void)state;
	assert_int_equal(geo_about(g, GEO_DB_ASN, &about), 0);
	assert_int_equal(about.built.ns, at("2026-06-01").ns);
	old = (wall_now().ns - about.built.ns) / (86400 * NS_PER_S) > GEO_OLD_DAYS;
	assert_int_equal(warnings(g), old ? 2 : 0);
	geo_close(g);
}

static void a_named_file_must_open(void **state)
{
	static const struct {
		const char *asn, *country;
		int code;
		const char *told;
	} rows[] = {
		{GOLDEN "none.mmdb", NULL, BP_ENOTFOUND,
		 "--asn-db: cannot open " GOLDEN "none.mmdb: "},
		{NULL, GOLDEN "none.mmdb", BP_ENOTFOUND, "--country-db: cannot open "},
		{GOLDEN "make.pl", NULL, BP_EPARSE,
		 "--asn-db: " GOLDEN "make.pl is not an MMDB file"},
		{GOLDEN "country-maxmind.mmdb", NULL, BP_EUNSUP, "--asn-db: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bp_error err = {0};
		struct geo *g = NULL;

		assert_int_equal(geo_open(rows[i].asn, rows[i].country, NULL, &g, &err),
				 rows[i].code);
		assert_null(g);
		if (strncmp(err.text, rows[i].told, strlen(rows[i].told)) != 0)
			fail_msg("told \"%s\", expected \"%s\"", err.text, rows[i].told);
	}
}

static void source_for_the_record(void **state)
{
	struct geo *g =
		open_geo(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-flat-ipv4-old.mmdb", NULL);
	const struct geo_source *s = geo_source(g);
	char hash[FILEHASH_TEXT];
	struct bp_error err = {0};

	(void)state;
	assert_string_equal(s->asn_db, GOLDEN "asn-maxmind.mmdb");
	assert_string_equal(s->asn_built, "2026-06-01");
	assert_string_equal(s->country_built, "2020-01-01");
	assert_int_equal(filehash_sha256(GOLDEN "asn-maxmind.mmdb", hash, &err), 0);
	assert_string_equal(s->asn_sha256, hash);
	assert_string_not_equal(s->asn_sha256, s->country_sha256);
	assert_ptr_equal(geo_source(g), s);
	geo_close(g);
}

static bool have_geodata(void)
{
	if (access("build/geodata/asn.mmdb", R_OK) == 0 &&
	    access("build/geodata/country.mmdb", R_OK) == 0)
		return true;
	print_message("build/geodata is not there (make geodata)\n");
	return false;
}

/* From the rows of the pinned packages, 2.3.2026061719. */
static void known_answers(void **state)
{
	static const struct {
		const char *addr;
		uint32_t asn;
		const char *country, *label;
	} rows[] = {
		{"175.45.176.1", 131279, "KP", ""},
		{"175.45.178.3", 131279, "KP", ""},
		{"210.52.109.1", 9929, "CN", "not North Korean, though often listed so"},
		{"219.158.39.42", 4837, "CN", "China Unicom, filters at the border"},
		{"219.158.3.1", 4837, "CN", "China Unicom backbone"},
		{"188.43.3.213", 20485, "RU", "Yandex, on TransTeleCom's address space"},
		{"217.150.57.98", 20485, "RU", "TransTeleCom backbone"},
		{"10.99.99.9", 0, "", ""},
		{"103.35.255.254", 134544, "HK", "Cenbong router at the border"},
		{"2001:4860:4860::8888", 15169, "US", ""},
	};
	struct profile *p = NULL;
	struct bp_error err = {0};
	struct geo *g;

	(void)state;
	if (!have_geodata())
		skip();
	assert_int_equal(profile_load("dprk", &p, &err), 0);
	g = open_geo("build/geodata/asn.mmdb", "build/geodata/country.mmdb", p);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct name n;

		geo_lookup(g, ip(rows[i].addr), at("2026-11-22"), &n);
		if (n.asn != rows[i].asn || strcmp(n.country, rows[i].country) != 0 ||
		    strcmp(n.label, rows[i].label) != 0)
			fail_msg("%s: AS%u %s \"%s\"", rows[i].addr, n.asn, n.country, n.label);
	}
	geo_close(g);
	profile_free(p);
}

/* The handed-over answers, where that folder is there; "-" is no entry. */
static void handed_over_answers(void **state)
{
	static const char path[] = "../shared/data/mmdb/expected_lookups.tsv";
	FILE *f = fopen(path, "re");
	struct geo *g;
	char line[256];
	unsigned rows = 0;

	(void)state;
	if (f == NULL)
		print_message("%s is not there\n", path);
	if (f == NULL || !have_geodata()) {
		if (f != NULL)
			fclose(f);
		skip();
	}
	g = open_geo("build/geodata/asn.mmdb", "build/geodata/country.mmdb", NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		char addr[64], asn[16], country[8];
		struct name n;

		if (line[0] == '#')
			continue;
		assert_int_equal(sscanf(line, "%63s %15s %7s", addr, asn, country), 3);
		geo_lookup(g, ip(addr), (struct wall){0}, &n);
		assert_int_equal(n.asn, strcmp(asn, "-") == 0 ? 0 : strtoul(asn, NULL, 10));
		assert_string_equal(n.country, strcmp(country, "-") == 0 ? "" : country);
		rows++;
	}
	assert_int_equal(rows, 8);
	fclose(f);
	geo_close(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlay_over_tables),
		cmocka_unit_test(now_is_the_default),
		cmocka_unit_test(warnings_say_what_is_wrong),
		cmocka_unit_test(old_from_a_certain_day),
		cmocka_unit_test(a_named_file_must_open),
		cmocka_unit_test(source_for_the_record),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(handed_over_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
