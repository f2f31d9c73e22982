// SPDX-License-Identifier: BSD-2-Clause
/* One database file: every layout of keys, what is no entry, and files that are damaged. The
 * small files are made by tests/golden/mmdb/make.pl. */
#include "geo/mmdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define GOLDEN "tests/golden/mmdb/"
#define SHARED "../shared/data/mmdb/"

static struct addr ip(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct mmdb *open_db(const char *path, enum mmdb_kind kind)
{
	struct mmdb *m = NULL;
	struct bp_error err = {0};

	if (mmdb_open(path, kind, &m, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	return m;
}

struct asn_row { const char *file, *addr; int code; uint32_t asn; const char *org, *why; };

static void check_asn(const struct asn_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mmdb *m = open_db(rows[i].file, MMDB_KIND_ASN);
		char org[96] = "untouched";
		uint32_t asn = 7;
		int rc = mmdb_asn(m, ip(rows[i].addr), &asn, org, sizeof(org));

		if (rc != rows[i].code)
			fail_msg("%s %s: %d, %s", rows[i].file, rows[i].addr, rc, rows[i].why);
		assert_int_equal(asn, rc == 0 ? rows[i].asn : 7);
		assert_string_equal(org, rc == 0 ? rows[i].org : "untouched");
		mmdb_close(m);
	}
}

static void asn_layouts(void **state)
{
	static const struct asn_row rows[] = {
		{GOLDEN "asn-maxmind.mmdb", "192.0.2.1", 0, 64500, "Example One", "the /24"},
		{GOLDEN "asn-maxmind.mmdb", "192.0.2.128", 0, 64501, "Example Two",
		 "the /25 inside it"},
		{GOLDEN "asn-maxmind.mmdb", "198.51.100.9", 0, 64502, "",
		 "a number without a name"},
		{GOLDEN "asn-maxmind.mmdb", "203.0.113.1", BP_ENOTFOUND, 0, "", "AS0 is no AS"},
		{GOLDEN "asn-maxmind.mmdb", "10.0.0.1", BP_ENOTFOUND, 0, "", "no entry"},
		{GOLDEN "asn-maxmind.mmdb", "2001:db8::1", 0, 4200000000, "Z\xc3\xbcrich Net",
		 "IPv6, 32 bits, UTF-8"},
		{GOLDEN "asn-maxmind.mmdb", "::192.0.2.1", 0, 64500, "Example One",
		 "IPv4 lies at ::/96 of the tree"},
		{GOLDEN "asn-ipinfo.mmdb", "192.0.2.1", 0, 64500, "Example One", "AS64500 as text"},
		{GOLDEN "asn-ipinfo.mmdb", "203.0.113.1", BP_ENOTFOUND, 0, "",
		 "empty text is none"},
		{GOLDEN "asn-geoopen.mmdb", "192.0.2.1", 0, 64500, "EXAMPLE-ONE", "below country"},
		{GOLDEN "asn-flat-ipv4.mmdb", "192.0.2.1", 0, 64500, "Example One", "an IPv4 tree"},
		{GOLDEN "asn-flat-ipv4.mmdb", "2001:db8::1", BP_EUNSUP, 0, "", "refuses IPv6"},
	};

	(void)state;
	check_asn(rows, COUNT(rows));
}

struct country_row { const char *file, *addr; int code; const char *country, *why; };

static void check_country(const struct country_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mmdb *m = open_db(rows[i].file, MMDB_KIND_COUNTRY);
		char country[3] = "??";
		int rc = mmdb_country(m, ip(rows[i].addr), country);

		if (rc != rows[i].code)
			fail_msg("%s %s: %d, %s", rows[i].file, rows[i].addr, rc, rows[i].why);
		assert_string_equal(country, rc == 0 ? rows[i].country : "??");
		mmdb_close(m);
	}
}

static void country_layouts(void **state)
{
	static const struct country_row rows[] = {
		{GOLDEN "country-maxmind.mmdb", "192.0.2.1", 0, "CH",
		 "where it is, not registered"},
		{GOLDEN "country-maxmind.mmdb", "198.51.100.1", 0, "SE", "else where registered"},
		{GOLDEN "country-maxmind.mmdb", "203.0.113.1", BP_ENOTFOUND, "",
		 "a record without both"},
		{GOLDEN "country-maxmind.mmdb", "2001:db8::1", 0, "JP", "IPv6"},
		{GOLDEN "country-maxmind.mmdb", "10.0.0.1", BP_ENOTFOUND, "", "no entry"},
		{GOLDEN "country-flat-ipv4-old.mmdb", "192.0.2.1", 0, "CH", "the flat key"},
		{GOLDEN "country-flat-ipv4-old.mmdb", "198.51.100.1", BP_ENOTFOUND, "",
		 "ZZ is unknown"},
		{GOLDEN "country-flat-ipv4-old.mmdb", "203.0.113.1", BP_ENOTFOUND, "",
		 "a name is no code"},
		{GOLDEN "country-flat-ipv4-old.mmdb", "2001:db8::1", BP_EUNSUP, "", "refuses IPv6"},
		{GOLDEN "asn-ipinfo.mmdb", "192.0.2.1", 0, "CH", "IPinfo: country as text"},
		{GOLDEN "asn-geoopen.mmdb", "192.0.2.1", 0, "CH", "Geo Open: country.iso_code"},
	};

	(void)state;
	check_country(rows, COUNT(rows));
}

static void refused(void **state)
{
	static const struct {
		const char *file;
		enum mmdb_kind kind;
		int code;
		const char *told;
	} rows[] = {
		{GOLDEN "asn-maxmind.mmdb", MMDB_KIND_COUNTRY, BP_EUNSUP, "holds no countries"},
		{GOLDEN "country-maxmind.mmdb", MMDB_KIND_ASN, BP_EUNSUP, "holds no AS numbers"},
		{GOLDEN "none.mmdb", MMDB_KIND_ASN, BP_ENOTFOUND,
		 "cannot open " GOLDEN "none.mmdb: No such"},
		{GOLDEN "make.pl", MMDB_KIND_ASN, BP_EPARSE, "is not an MMDB file, or is damaged"},
		{GOLDEN, MMDB_KIND_ASN, BP_EPARSE, "is not a regular file"},
		{"/dev/null", MMDB_KIND_ASN, BP_EPARSE, "is not a regular file"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bp_error err = {0};
		struct mmdb *m = NULL;

		assert_int_equal(mmdb_open(rows[i].file, rows[i].kind, &m, &err), rows[i].code);
		if (strstr(err.text, rows[i].told) == NULL)
			fail_msg("%s: told \"%s\", expected \"%s\"", rows[i].file, err.text,
				 rows[i].told);
		assert_null(m);
	}
}

static void about(void **state)
{
	struct mmdb *m = open_db(GOLDEN "country-flat-ipv4-old.mmdb", MMDB_KIND_COUNTRY);
	struct mmdb_about a;
	struct bp_error err = {0};
	uint64_t records = 0;

	(void)state;
	mmdb_tell(m, &a);
	assert_string_equal(a.path, GOLDEN "country-flat-ipv4-old.mmdb");
	assert_string_equal(a.type, "borderpath-test-country-flat-ipv4-old");
	assert_string_equal(a.description, "borderpath test, country-flat-ipv4-old");
	assert_string_equal(a.layout, "flat");
	assert_int_equal(a.built_epoch, 1577836800);
	assert_int_equal(a.ip_version, 4);
	assert_int_equal(mmdb_verify(m, &records, &err), 0);
	assert_int_equal(records, 3);
	mmdb_close(m);
}

/* Everything that can be asked of a file whose bytes are anything. */
static bool use_all(const char *path)
{
	static const char *const asked[] = {
		"192.0.2.1",   "192.0.2.128", "198.51.100.1",
		"203.0.113.1", "0.0.0.0",     "255.255.255.255",
		"2001:db8::1", "::",	      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	bool opened = false;

	for (int kind = MMDB_KIND_ASN; kind <= MMDB_KIND_COUNTRY; kind++) {
		struct bp_error err = {0};
		struct mmdb *m = NULL;
		struct mmdb_about about_it;
		uint64_t records;

		if (mmdb_open(path, (enum mmdb_kind)kind, &m, &err) < 0) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		opened = true;
		for (size_t i = 0; i < COUNT(asked); i++) {
			char org[96], country[3];
			uint32_t asn;

			if (kind == MMDB_KIND_ASN)
				mmdb_asn(m, ip(asked[i]), &asn, org, sizeof(org));
			else
				mmdb_country(m, ip(asked[i]), country);
		}
		mmdb_tell(m, &about_it);
		mmdb_verify(m, &records, &err);
		mmdb_close(m);
	}
	return opened;
}

/* A file in memory: two thousand small files on a disk take seconds. */
struct scratch { int fd; char path[64]; unsigned char bytes[8192]; size_t n; };

static void scratch_fill(struct scratch *s, const char *from)
{
	FILE *f = fopen(from, "rb");

	assert_non_null(f);
	s->n = fread(s->bytes, 1, sizeof(s->bytes), f);
	fclose(f);
	assert_true(s->n > 100 && s->n < sizeof(s->bytes));
	s->fd = memfd_create("mmdb", MFD_CLOEXEC);
	assert_true(s->fd >= 0);
	snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->fd);
}

static void scratch_write(const struct scratch *s, const unsigned char *bytes, size_t n)
{
	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(pwrite(s->fd, bytes, n, 0), n);
}

/* Cut anywhere: never a crash, never a record out of nothing. */
static void cut_short(void **state)
{
	struct scratch s = {0};
	struct bp_error err = {0};
	struct mmdb *m = NULL;

	(void)state;
	scratch_fill(&s, GOLDEN "asn-maxmind.mmdb");
	for (size_t n = 0; n < s.n; n += 7) {
		scratch_write(&s, s.bytes, n);
		use_all(s.path);
	}
	scratch_write(&s, s.bytes, 0);
	assert_int_equal(mmdb_open(s.path, MMDB_KIND_ASN, &m, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "is empty"));
	scratch_write(&s, s.bytes, s.n / 2);
	assert_int_equal(mmdb_open(s.path, MMDB_KIND_ASN, &m, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "cut short"));
	close(s.fd);
}

/* Bytes changed anywhere: the library's bounds hold, and so do ours. Deterministic. */
static void changed_bytes(void **state)
{
	static const char *const files[] = {GOLDEN "asn-maxmind.mmdb",
					    GOLDEN "country-maxmind.mmdb",
					    GOLDEN "asn-geoopen.mmdb"};
	unsigned opened = 0, tried = 0;
	uint32_t random = 12345;

	(void)state;
	for (size_t f = 0; f < COUNT(files); f++) {
		struct scratch s = {0};
		unsigned char copy[sizeof(s.bytes)];

		scratch_fill(&s, files[f]);
		for (unsigned i = 0; i < 700; i++) {
			memcpy(copy, s.bytes, s.n);
			for (unsigned k = 0; k <= i % 4; k++) {
				random = random * 1664525u + 1013904223u;
				copy[(random >> 8) % s.n] = (unsigned char)(random >> 3);
			}
			scratch_write(&s, copy, s.n);
			opened += use_all(s.path);
			tried++;
		}
		close(s.fd);
	}
	/* Both kinds were met: files still read, and files refused. */
	assert_true(opened > 100 && opened < tried);
}

/* Every pointer of the tree leads out of the file. */
static void broken_tree(void **state)
{
	struct scratch s = {0};
	struct bp_error err = {0};
	struct mmdb *m = NULL;

	(void)state;
	scratch_fill(&s, GOLDEN "asn-maxmind.mmdb");
	memset(s.bytes, 0xff, 60);
	scratch_write(&s, s.bytes, s.n);
	assert_int_equal(mmdb_open(s.path, MMDB_KIND_ASN, &m, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "is damaged"));
	/* A node that points to itself never ends. */
	memset(s.bytes, 0, 60);
	scratch_write(&s, s.bytes, s.n);
	assert_int_equal(mmdb_open(s.path, MMDB_KIND_ASN, &m, &err), BP_EPARSE);
	assert_non_null(strstr(err.text, "is damaged"));
	close(s.fd);
}

static bool there(const char *path)
{
	if (access(path, R_OK) == 0)
		return true;
	print_message("%s is not there\n", path);
	return false;
}

static void maxminds_own_test_files(void **state)
{
	static const struct asn_row asn[] = {
		{SHARED "GeoLite2-ASN-Test.mmdb", "1.128.0.1", 0, 1221, "Telstra Pty Ltd",
		 "MaxMind's row"},
		{SHARED "GeoLite2-ASN-Test.mmdb", "2600:6000::1", 0, 237, "Merit Network Inc.",
		 "IPv6"},
		{SHARED "GeoLite2-ASN-Test.mmdb", "175.45.176.1", BP_ENOTFOUND, 0, "", "not in it"},
	};
	static const struct country_row country[] = {
		{SHARED "GeoLite2-Country-Test.mmdb", "89.160.20.128", 0, "SE", "nested"},
		{SHARED "GeoLite2-Country-Test.mmdb", "2001:218::1", 0, "JP", "IPv6"},
		{SHARED "GeoLite2-Country-Test.mmdb", "175.45.176.1", BP_ENOTFOUND, "",
		 "not in it"},
		{SHARED "iptoasn-country-ipv4.mmdb", "175.45.178.3", 0, "KP", "flat"},
		{SHARED "iptoasn-country-ipv4.mmdb", "2001:db8::1", BP_EUNSUP, "", "IPv4 only"},
	};
	static const char *const strange[] = {SHARED "MaxMind-DB-test-broken-pointers-24.mmdb",
					      SHARED "MaxMind-DB-no-ipv4-search-tree.mmdb",
					      SHARED "MaxMind-DB-test-ipv4-24.mmdb",
					      SHARED "MaxMind-DB-test-mixed-32.mmdb"};

	(void)state;
	if (!there(SHARED "GeoLite2-ASN-Test.mmdb"))
		skip();
	check_asn(asn, COUNT(asn));
	check_country(country, COUNT(country));
	for (size_t i = 0; i < COUNT(strange); i++)
		assert_false(use_all(strange[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asn_layouts),
		cmocka_unit_test(country_layouts),
		cmocka_unit_test(refused),
		cmocka_unit_test(about),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(changed_bytes),
		cmocka_unit_test(broken_tree),
		cmocka_unit_test(maxminds_own_test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
