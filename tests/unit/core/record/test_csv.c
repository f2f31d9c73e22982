// SPDX-License-Identifier: BSD-2-Clause
/* The flat tables: their columns are those that doc/tables.md describes, their cells as it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/record/csv.h"
#include "core/record/format.h"

static const struct {
	const struct format *format;
	const char *table;
	const char *const *columns;
} tables[] = {
	{&csv_format, "traces", csv_trace_columns},
	{&csv_hops_format, "hops", csv_hop_columns},
	{&csv_rounds_format, "rounds", csv_round_columns},
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

/* The names of the rows below "## `TABLE`" in doc/tables.md, joined by commas. */
static void described(const char *table, struct buf *out)
{
	FILE *f = fopen("doc/tables.md", "r");
	char line[1024], heading[64], name[64];
	bool inside = false;

	assert_non_null(f);
	snprintf(heading, sizeof(heading), "## `%s`", table);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "## ", 3) == 0)
			inside = strncmp(line, heading, strlen(heading)) == 0;
		if (inside && sscanf(line, "| `%63[a-z0-9_]` |", name) == 1)
			buf_printf(out, "%s%s", out->used ? "," : "", name);
	}
	fclose(f);
}

static unsigned count_cells(const char *row)
{
	unsigned cells = 1;
	bool quoted = false;

	for (; *row != '\0' && (quoted || *row != '\n'); row++) {
		quoted ^= *row == '"';
		cells += *row == ',' && !quoted;
	}
	return cells;
}

static void the_dictionary_names_every_column(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TABLES; i++) {
		struct buf header, doc;
		unsigned n = 0;

		buf_init(&header);
		buf_init(&doc);
		tables[i].format->begin(&header);
		described(tables[i].table, &doc);
		buf_char(&doc, '\n');
		assert_string_equal(header.bytes, doc.bytes);
		while (tables[i].columns[n] != NULL)
			n++;
		assert_int_equal(count_cells(header.bytes), n);
		assert_ptr_equal(format_find(tables[i].format->name), tables[i].format);
		assert_null(tables[i].format->read);
		buf_fini(&header);
		buf_fini(&doc);
	}
}

static const char full[] =
	"{\"type\":\"trace\",\"version\":1,\"id\":\"fra1-x-1\",\"campaign\":\"c\",\"round\":\"r\","
	"\"vantage\":\"fra1\",\"src\":\"203.0.113.2\",\"dst\":\"175.45.176.71\","
	"\"target\":\"a,\\\"b\\\"\",\"method\":\"tcp\",\"dport\":80,\"flow\":0,"
	"\"start\":\"2026-11-22T10:00:00.000000001Z\",\"end\":\"2026-11-22T10:00:09Z\","
	"\"stop\":\"reached\",\"reach\":\"reached\",\"reached_by\":\"syn_ack\",\"stamps\":\"pcap\","
	"\"attempts\":3,\"tool\":\"=1+1\",\"sent\":42,\"received\":31,\"hops\":["
	"{\"ttl\":1,\"probes\":[{\"attempt\":1,\"from\":\"203.0.113.1\",\"rtt_ms\":0.123456,"
	"\"icmp_type\":11,\"icmp_code\":0,\"reply_ttl\":64,\"quoted_ttl\":1,\"mpls\":["
	"{\"label\":29657,\"exp\":0,\"s\":0,\"ttl\":1},{\"label\":3,\"exp\":7,\"s\":1,\"ttl\":255}]},"
	"{\"attempt\":2,\"from\":null,\"why\":\"timeout\"}]},"
	"{\"ttl\":4,\"probes\":[{\"attempt\":1,\"from\":\"175.45.176.71\",\"rtt_ms\":186.5,"
	"\"tcp_flags\":\"SA\"}]}],"
	"\"names\":{\"203.0.113.1\":{\"asn\":64500,\"org\":\"O, \\\"Inc\\\"\",\"country\":\"DE\","
	"\"label\":\"edge\"},\"175.45.176.71\":{\"asn\":131279}},"
	"\"geo\":{\"asn_sha256\":\"aa\",\"country_sha256\":\"bb\"},"
	"\"verdict\":{\"profile\":\"dprk\",\"profile_version\":\"2026-11-22\","
	"\"outcome\":\"border\",\"border\":\"khasan\",\"via\":{\"asn\":20485},\"class\":\"border\","
	"\"confidence\":0.97,\"rule\":\"last\",\"last_outside\":{\"ttl\":1,\"from\":\"203.0.113.1\"},"
	"\"first_inside\":{\"ttl\":4,\"from\":\"175.45.176.71\"}}}";
static const char bare[] = "{\"type\":\"trace\",\"hops\":[{\"ttl\":2,\"probes\":"
			   "[{\"attempt\":1,\"from\":null,\"why\":\"timeout\"}]}]}";
static const char event[] = "{\"type\":\"event\",\"id\":\"e\"}";
static const char round_full[] =
	"{\"type\":\"round\",\"version\":1,\"id\":\"c-fra1-20261122T100000Z\",\"campaign\":\"c\","
	"\"vantage\":\"fra1\",\"planned\":\"2026-11-22T10:00:00Z\",\"expected\":4,\"done\":3,"
	"\"traces\":5,\"missed\":1,\"why\":\"overrun\",\"note\":\"a\\nb\","
	"\"health\":{\"state\":\"partial\",\"reference_asked\":2,\"reference_answered\":1},"
	"\"identity\":{\"source\":\"10.0.0.2\",\"public_addr\":\"203.0.113.2\","
	"\"egress\":{\"asn\":64500},\"transit\":{\"asn\":3356},\"changed\":[\"address\",\"transit\"]}}";
static const char round_bare[] =
	"{\"type\":\"round\",\"id\":\"x\",\"campaign\":\"c\",\"vantage\":\"v\",\"expected\":1,"
	"\"planned\":\"2026-11-22T10:00:00Z\","
	"\"missed\":1,\"done\":0,\"traces\":0,\"why\":\"down\"}";

static const char round_wrong[] = "{\"type\":\"round\",\"id\":\"x\"}";

static const struct {
	const char *record;
	unsigned table;
	int code;
	const char *rows, *why;
} rows[] = {
	{full, 0, 0,
	 "fra1-x-1,c,r,fra1,2026-11-22T10:00:00.000000001Z,2026-11-22T10:00:09.000000000Z,4,"
	 "203.0.113.2,175.45.176.71,175.45.176.0/24,\"a,\"\"b\"\"\",tcp,80,0,3,42,31,reached,"
	 "reached,border,khasan,border,0.97,20485,last,1,203.0.113.1,4,175.45.176.71,186.5,186.5,4,"
	 "3d85af0a8ef2f679,64500 131279,pcap,=1+1,2026-11-22,aa,bb,\n",
	 "every cell; a formula is left as it is"},
	{bare, 0, 0, ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n", "nothing known is nothing written"},
	{event, 0, BP_EFOREIGN, "", "no row for what is no trace"},
	{full, 1, 0,
	 "fra1-x-1,1,1,203.0.113.1,0.123456,11,0,64,1,29657/0/0/1 3/7/1/255,64500,"
	 "\"O, \"\"Inc\"\"\",DE,edge\n"
	 "fra1-x-1,1,2,,,,,,,,,,,\n"
	 "fra1-x-1,4,1,175.45.176.71,186.5,,,,,,131279,,,\n",
	 "a row a probe, silent ones too"},
	{bare, 1, 0, ",2,1,,,,,,,,,,,\n", "a silent probe of an unnamed trace"},
	{event, 1, BP_EFOREIGN, "", "no row either"},
	{round_full, 2, 0,
	 "c-fra1-20261122T100000Z,c,fra1,2026-11-22T10:00:00.000000000Z,,,4,3,1,overrun,5,partial,2,"
	 "1,10.0.0.2,203.0.113.2,64500,3356,address transit,a?b,0\n",
	 "every cell of a round"},
	{round_bare, 2, 0, "x,c,v,2026-11-22T10:00:00.000000000Z,,,1,0,1,down,0,,0,0,,,,,,,0\n", "a round that never began"},
	{round_wrong, 2, BP_EPARSE, "", "a round by type only"},
	{full, 2, BP_EFOREIGN, "", "a trace is no round"},
};

static void rows_of_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct format *format = tables[rows[i].table].format;
		struct bp_error err = {0};
		struct buf out, header;
		struct record rec;
		int rc;

		buf_init(&out);
		buf_init(&header);
		buf_str(&out, "");
		record_init(&rec);
		rc = jsonl_read(rows[i].record, strlen(rows[i].record), &rec, &err);
		if (rc < 0)
			fail_msg("%s: %s", rows[i].why, err.text);
		rc = format->write(&out, &rec, NULL, NULL);
		if (rc != rows[i].code || strcmp(out.bytes, rows[i].rows) != 0)
			fail_msg("%s: %d\n%s%s", rows[i].why, rc, out.bytes, rows[i].rows);
		buf_char(&header, '\n');
		tables[rows[i].table].format->begin(&header);
		for (const char *row = out.bytes; *row != '\0'; row = strchr(row, '\n') + 1)
			assert_int_equal(count_cells(row), count_cells(header.bytes + 1));
		record_fini(&rec);
		buf_fini(&out);
		buf_fini(&header);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dictionary_names_every_column),
		cmocka_unit_test(rows_of_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
