// SPDX-License-Identifier: BSD-2-Clause
/* What is taken out of records is in none of their bytes, in no format; what is no secret stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/record/format.h"
#include "core/record/redact.h"
#include "tests/unit/seeds.h"

/* Hops: the own router, the provider's, one that the next network's trace passes too. */
#define TRACE_OF(vantage, src, more)                                                          \
	"{\"type\":\"trace\",\"version\":1,\"vantage\":\"" vantage "\",\"src\":\"" src        \
	"\",\"dst\":\"175.45.176.71\",\"target\":\"www of 203.0.113.2.\",\"method\":\"udp\"," \
	"\"ifname\":\"enp7s0\",\"start\":\"2026-11-22T10:00:00Z\",\"stop\":\"error\","        \
	"\"error\":\"cannot bind 203.0.113.2: refused\",\"place\":{\"lat\":50.25,\"lon\":8.5}," \
	"\"future\":\"203.0.113.2\",\"hops\":["                                               \
	"{\"ttl\":1,\"probes\":[{\"attempt\":1,\"from\":\"10.0.0.1\",\"rtt_ms\":1,"           \
	"\"iface\":{\"role\":\"incoming\",\"addr\":\"10.9.9.9\",\"name\":\"ge-0\"},"          \
	"\"mpls\":[{\"label\":77777,\"exp\":0,\"s\":1,\"ttl\":1}],\"flags\":[]}]},"           \
	"{\"ttl\":2,\"probes\":[{\"attempt\":1,\"from\":\"203.0.113.1\",\"rtt_ms\":2,"        \
	"\"flags\":[]},{\"attempt\":2,\"from\":null,\"why\":\"timeout\"}]},"                  \
	"{\"ttl\":3,\"probes\":[{\"attempt\":1,\"from\":\"188.43.225.153\",\"rtt_ms\":3,"     \
	"\"flags\":[]}]},{\"ttl\":4,\"probes\":[{\"attempt\":1,\"from\":\"203.0.113.1\","     \
	"\"rtt_ms\":4,\"flags\":[]}]}]" more "}"
#define NAMES ",\"names\":{\"10.0.0.1\":{\"source\":\"none\"},\"203.0.113.1\":{\"asn\":64500,"       \
	      "\"host\":\"dsl-pool.example\"},\"188.43.225.153\":{\"asn\":20485,"                    \
	      "\"host\":\"behind-203.0.113.1\"}}"
#define VERDICT ",\"verdict\":{\"profile\":\"p\",\"outcome\":\"undetermined\",\"confidence\":0.4,"   \
		"\"rule\":\"x\",\"last_outside\":{\"ttl\":2,\"from\":\"203.0.113.1\"},\"evidence\":["\
		"{\"rule\":\"a\",\"ttl\":2,\"from\":\"203.0.113.1\",\"why\":\"dsl-pool.example\"},"   \
		"{\"rule\":\"b\",\"ttl\":3,\"from\":\"188.43.225.153\",\"why\":\"after 203.0.113.1.\"}]}"

static const char *const records[] = {
	TRACE_OF("fra1", "203.0.113.2", NAMES VERDICT),
	/* One that is called by its address, as are its rounds. */
	"{\"type\":\"trace\",\"vantage\":\"vps-203.0.113.2\",\"src\":\"203.0.113.2\",\"id\":"
	"\"vps-203.0.113.2-1a-7\",\"campaign\":\"of 203.0.113.2\",\"round\":\"c-vps_203.0.113.2-x\","
	"\"dst\":\"175.45.176.71\",\"hops\":[{\"ttl\":1,\"probes\":[{\"attempt\":1,\"from\":"
	"\"192.0.2.78\",\"iface\":{\"role\":\"incoming\",\"addr\":\"10.9.9.8\",\"name\":"
	"\"to-203.0.113.2\"},\"flags\":[]}]}],\"names\":{\"192.0.2.78\":{\"asn\":64500}},"
	"\"verdict\":{\"profile\":\"p\",\"outcome\":\"undetermined\",\"confidence\":0.4,\"rule\":"
	"\"203.0.113.2\",\"via\":{\"asn\":64500,\"org\":\"203.0.113.2\",\"basis\":\"hop\"}}}",
	/* Another vantage point: a provider's router of the first is one of its paths'. */
	"{\"type\":\"trace\",\"vantage\":\"nyc1\",\"src\":\"198.51.100.9\",\"dst\":\"175.45.176.71\","
	"\"hops\":[{\"ttl\":1,\"probes\":[{\"attempt\":1,\"from\":\"198.51.100.1\",\"flags\":[]}]},"
	"{\"ttl\":2,\"probes\":[{\"attempt\":1,\"from\":\"192.0.2.77\",\"flags\":[]}]},"
	"{\"ttl\":3,\"probes\":[{\"attempt\":1,\"from\":\"10.0.0.1\",\"flags\":[]}]}],"
	"\"names\":{\"198.51.100.1\":{\"asn\":64501},\"192.0.2.77\":{\"asn\":64502}}}",
	"{\"type\":\"paths\",\"version\":1,\"vantage\":\"fra1\",\"src\":\"203.0.113.2\",\"nodes\":["
	"{\"ttl\":2,\"addr\":\"203.0.113.1\",\"share\":0.97},{\"ttl\":3,\"addr\":\"188.43.225.153\"}],"
	"\"links\":[{\"from\":\"203.0.113.1\",\"to\":\"188.43.225.153\"}],"
	"\"names\":{\"203.0.113.1\":{\"asn\":64500}},\"future\":[[\"203.0.113.1/32\"]]}",
	"{\"type\":\"round\",\"id\":\"c-fra1-x\",\"campaign\":\"c\",\"vantage\":\"fra1\","
	"\"planned\":\"2026-11-22T10:00:00Z\",\"expected\":1,\"done\":1,\"missed\":0,\"traces\":1,"
	"\"note\":\"moved to 2001:DB8::7\",\"identity\":{\"source\":\"203.0.113.2\","
	"\"public_addr\":\"2001:db8:0::7\",\"transit\":{\"asn\":20485,\"from\":\"203.0.113.1\"}}}",
};
enum { RECORDS = sizeof(records) / sizeof(records[0]) };

/* All records through redaction, as `format`; a record that it has no place for is left out. */
static void publish(const char *what, const struct format *format, struct buf *out)
{
	struct bp_error err = {0};
	struct redact r;
	struct record rec;

	redact_init(&r);
	buf_str(out, "");
	assert_int_equal(redact_parse(&r, what, &err), 0);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < RECORDS; i++) {
			seed_write("redact", "record", i, records[i], strlen(records[i]));
			record_init(&rec);
			if (jsonl_read(records[i], strlen(records[i]), &rec, &err) < 0)
				fail_msg("%u: %s", i, err.text);
			if (pass == 0) {
				assert_int_equal(redact_learn(&r, &rec, &err), 0);
			} else {
				int rc;

				assert_int_equal(redact_apply(&r, &rec, &err), 0);
				rc = format->write(out, &rec, NULL, NULL);
				assert_true(rc == 0 || rc == BP_EFOREIGN);
			}
			record_fini(&rec);
		}
	}
	redact_fini(&r);
}

static const struct {
	const char *what;
	const char *gone[12], *stays[12]; /* in the native records; gone: in every format */
} wishes[] = {
	{"src", {"203.0.113.2", "198.51.100.9", "2001:db8", "2001:DB8", "enp7s0", "50.25", "future\":\"2"},
	 {"203.0.113.1\"", "10.0.0.1", "10.9.9.9", "77777", "dsl-pool", "0.97", "\"vantage\":\"fra1\""}},
	{"first-hops", {"203.0.113.1\"", "203.0.113.1/", "203.0.113.1.", "10.9.9.9", "ge-0", "77777",
	 "198.51.100.1\"", "dsl-pool", "behind-203"},
	 {"203.0.113.2", "192.0.2.77", "188.43.225.153", "enp7s0", "\"rtt_ms\":2", "\"from\":\"10.0.0.1\"",
	  "175.45.176.71", "2001:db8:0::7", "behind-192.0.0.8"}},
	{"first-hops=1", {"10.9.9.9", "77777", "198.51.100.1\""}, {"203.0.113.1\"", "192.0.2.77"}},
	{"src,first-hops=2", {"203.0.113.", "198.51.100.", "2001:db8", "192.0.2.77", "dsl-pool", "10.9."},
	 {"188.43.225.153", "175.45.176.71", "\"from\":\"10.0.0.1\"", "192.0.0.8", "\"ttl\":4"}},
};

static void what_is_taken_is_in_no_format(void **state)
{
	(void)state;
	for (size_t w = 0; w < sizeof(wishes) / sizeof(wishes[0]); w++) {
		for (const struct format *const *f = formats; *f != NULL; f++) {
			struct buf out;

			if ((*f)->write == NULL)
				continue;
			buf_init(&out);
			publish(wishes[w].what, *f, &out);
			for (unsigned i = 0; wishes[w].gone[i] != NULL; i++) {
				if (strstr(out.bytes, wishes[w].gone[i]) != NULL)
					fail_msg("%s, %s: %s\n%s", wishes[w].what, (*f)->name,
						 wishes[w].gone[i], out.bytes);
			}
			for (unsigned i = 0;
			     *f == &jsonl_format && wishes[w].stays[i] != NULL; i++) {
				if (strstr(out.bytes, wishes[w].stays[i]) == NULL)
					fail_msg("%s lost %s\n%s", wishes[w].what, wishes[w].stays[i],
						 out.bytes);
			}
			buf_fini(&out);
		}
	}
}

/* Addresses in prose: where one begins and ends. Secret: 10.0.0.1, 2001:db8::1. */
static const struct { const char *text, *is; } prose[] = {
	{"10.0.0.1", "192.0.0.8"}, {"at 10.0.0.1.", "at 192.0.0.8."}, {"10.0.0.12", "10.0.0.12"},
	{"110.0.0.1", "110.0.0.1"}, {"10.0.0.1.2", "10.0.0.1.2"}, {"x10.0.0.1y", "x192.0.0.8y"},
	{"10.0.0.1:80", "192.0.0.8:80"}, {"[2001:db8::1]:80", "[100:0:0:1::]:80"},
	{"2001:DB8:0:0::1%eth0", "100:0:0:1::%eth0"}, {"2001:db8::1f", "2001:db8::1f"},
	{"2001:db8::1.", "100:0:0:1::."}, {"10.0.0.1,10.0.0.1", "192.0.0.8,192.0.0.8"},
	{"3.10.0.0.1", "3.10.0.0.1"}, {"face10.0.0.1", "face192.0.0.8"},
};

static void addresses_in_prose(void **state)
{
	static const char own[] = "{\"type\":\"trace\",\"src\":\"%s\",\"target\":\"%s\"}";
	struct bp_error err = {0};
	struct redact r;

	(void)state;
	redact_init(&r);
	assert_int_equal(redact_parse(&r, "src", &err), 0);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < sizeof(prose) / sizeof(prose[0]) + 2; i++) {
			struct record rec;
			char line[256];

			snprintf(line, sizeof(line), own, i == 0 ? "10.0.0.1" : "2001:db8::1",
				 i < 2 ? "" : prose[i - 2].text);
			record_init(&rec);
			assert_int_equal(jsonl_read(line, strlen(line), &rec, &err), 0);
			if (pass == 0) {
				assert_int_equal(redact_learn(&r, &rec, &err), 0);
			} else {
				assert_int_equal(redact_apply(&r, &rec, &err), 0);
				if (i >= 2)
					assert_string_equal(rec.trace->target, prose[i - 2].is);
			}
			record_fini(&rec);
		}
	}
	redact_fini(&r);
}

static void where_the_first_hops_end_must_be_known(void **state)
{
	static const char bare[] = TRACE_OF("fra1", "203.0.113.2", "");
	static const char looked[] = TRACE_OF("fra1", "203.0.113.2", ",\"geo\":{\"asn_db\":\"a.mmdb\"}");
	struct bp_error err = {0};
	struct redact r;
	struct record rec;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const char *line = i == 1 ? looked : bare;

		redact_init(&r);
		record_init(&rec);
		assert_int_equal(redact_parse(&r, i < 2 ? "first-hops" : "first-hops=2", &err), 0);
		assert_int_equal(jsonl_read(line, strlen(line), &rec, &err), 0);
		assert_int_equal(redact_learn(&r, &rec, &err), i == 0 ? BP_EINVAL : 0);
		/* Nobody's network was found: all that answered is near. */
		if (i == 1) {
			assert_int_equal(redact_apply(&r, &rec, &err), 0);
			assert_int_equal(rec.trace->entries[3].reply.from.bytes[3], 8);
		}
		record_fini(&rec);
		redact_fini(&r);
	}
}

static void words(void **state)
{
	static const char *const bad[] = {"", "dst", "src,", "first-hops=0", "first-hops=256",
					  "first-hops=x", "src first-hops"};
	struct bp_error err;
	struct redact r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		redact_init(&r);
		if (redact_parse(&r, bad[i], &err) != BP_EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	}
	redact_init(&r);
	assert_int_equal(redact_parse(&r, "first-hops=255,src", &err), 0);
	assert_true(r.src && r.first_hops && r.hops == 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_in_no_format),
		cmocka_unit_test(addresses_in_prose),
		cmocka_unit_test(where_the_first_hops_end_must_be_known),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
