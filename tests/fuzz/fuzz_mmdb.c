// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as an MMDB file, opened for AS numbers and for countries: refused with one line, or
 * every look-up has one of the promised results and what is told of the file is text. Seeds: the
 * small databases of tests/golden/mmdb.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "geo/mmdb.h"
#include "tests/fuzz/fuzz.h"

/* libmaxminddb 1.7.1 forgets part of the metadata when it refuses a file for the rest of it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static bool is_refusal(int rc)
{
	return rc == BP_ENOTFOUND || rc == BP_EUNSUP || rc == BP_EPARSE;
}

static void check_text(const char *text)
{
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void ask(const struct mmdb *m, enum mmdb_kind kind, struct addr a)
{
	char org[64] = "?", country[3] = "?";
	uint32_t asn = 0;
	int rc;

	if (kind == MMDB_KIND_ASN) {
		rc = mmdb_asn(m, a, &asn, org, sizeof(org));
		must(rc == 0 ? asn > 0 : is_refusal(rc));
		check_text(org);
	} else {
		rc = mmdb_country(m, a, country);
		must(rc == 0 ? strlen(country) == 2 : is_refusal(rc));
	}
}

static void open_as(const char *path, enum mmdb_kind kind)
{
	static const char *const asked[] = {"1.1.1.1", "10.0.0.1", "175.45.176.71",
					    "198.51.100.7", "2001:db8::1", "2002:af2d:b047::",
					    "::ffff:175.45.176.71", "ffff::"};
	struct bp_error err = {0};
	struct mmdb_about about;
	struct mmdb *m = NULL;
	struct addr a;
	uint64_t records;
	int rc = mmdb_open(path, kind, &m, &err);

	if (rc < 0) {
		must(m == NULL && err.code == rc && err.text[0] != '\0');
		check_text(err.text);
		return;
	}
	mmdb_tell(m, &about);
	must(about.layout != NULL);
	check_text(about.type);
	check_text(about.description);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (addr_parse(asked[i], &a) == 0)
			ask(m, kind, a);
	}
	rc = mmdb_verify(m, &records, &err);
	must(rc == 0 || rc == BP_EPARSE);
	mmdb_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[40];
	int fd;

	if (size == 0)
		return 0;
	fd = memfd_create("fuzz.mmdb", MFD_CLOEXEC);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_as(path, MMDB_KIND_ASN);
	open_as(path, MMDB_KIND_COUNTRY);
	close(fd);
	return 0;
}
