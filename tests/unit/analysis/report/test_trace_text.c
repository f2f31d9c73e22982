// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reports for people, compared byte for byte with tests/golden/reports (GOLDEN_UPDATE=1 writes them
 * anew, to be reviewed as a diff): crossing with silent hops, filter, undetermined, not measured,
 * not inside; plain ASCII, UTF-8 with colour, a narrow terminal.
 */
#include "analysis/report/trace_text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/report/summary.h"
#include "core/record/jsonl.h"
#include "tests/unit/analysis/report/golden.h"

static const char yaml[] =
	"profile: test\n"
	"version: 2026-11-22\n"
	"network: {name: North Korea, asn: [131279], prefixes: [175.45.176.0/22], "
	"judge_by: {v4: 24, v6: 48}}\n"
	"timezone: Asia/Pyongyang\n"
	"borders:\n"
	"  - {id: dandong, name: Dandong / China, short: C, country: CN, color: \"#E69F00\", "
	"networks: [{asn: 4837}]}\n"
	"  - {id: khasan, name: Khasan / Russia, short: R, country: RU, color: \"#0072B2\", "
	"networks: [{asn: 20485}]}\n";

static const struct { const char *file; struct style style; bool verbose; } rows[] = {
	{"tests/golden/reports/traces.txt", {false, false, 0}, false},
	{"tests/golden/reports/traces-verbose.txt", {false, true, 0}, true},
	{"tests/golden/reports/traces-color.txt", {true, true, 120}, false},
	{"tests/golden/reports/traces-narrow.txt", {false, true, 72}, false},
};

static struct profile *profile;

static void render(struct buf *out, const struct style *style, bool verbose)
{
	FILE *f = fopen("tests/golden/reports/traces.jsonl", "re");
	struct report_summary summary = {0};
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	assert_non_null(f);
	while ((n = getline(&line, &size, f)) > 0) {
		struct bp_error err;
		struct record r;

		record_init(&r);
		if (jsonl_read(line, (size_t)n, &r, &err) != 0)
			fail_msg("%s", err.text);
		report_trace(out, style, r.trace, &r.names, &r.verdict, profile, true, verbose);
		buf_char(out, '\n');
		report_summary_add(&summary, r.trace, &r.verdict, profile);
		record_fini(&r);
	}
	free(line);
	fclose(f);
	report_summary(out, style, &summary);
	report_always(out, style, profile);
	report_summary_fini(&summary);
}

static void reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out);
		render(&out, &rows[i].style, rows[i].verbose);
		golden_compare(rows[i].file, &out);
		buf_fini(&out);
	}
}

/* In a narrow terminal no line of the table is wider than the terminal (sentences wrap by it). */
static void narrow_fits(void **state)
{
	struct style style = {.utf8 = true, .width = 72};
	struct buf out;
	char *line, *rest;

	(void)state;
	buf_init(&out);
	render(&out, &style, false);
	rest = out.bytes;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strstr(line, "  AS") != NULL && style_columns(line) > 72)
			fail_msg("%u columns: %s", style_columns(line), line);
	}
	buf_fini(&out);
}

/* Marks that make an answer worthless are explained always, remarks when asked for; and an answer
 * that only somebody forged is not told as the destination's. */
static void marks_are_explained(void **state)
{
	static const struct {
		uint16_t flag;
		const char *says;
		bool always, forged;
	} marks[] = {
		{REPLY_FTL, "faster_than_light: sooner", true, true},
		{REPLY_NEARER, "nearer: in the destination's name", true, false},
		{REPLY_CLOCK, "clock: the RTT is void", true, false},
		{REPLY_NAT, "nat: the probe arrived", false, false},
		{REPLY_REWRITTEN, "rewritten: one copy", false, false},
		{REPLY_QUOTE, "quoted_ttl: the probe", false, false},
	};
	struct style style = {0};
	struct verdict v = {0};
	struct names names;
	struct trace *t = trace_new(1);
	struct buf out;

	(void)state;
	assert_non_null(t);
	names_init(&names);
	buf_init(&out);
	trace_entry_init(&t->entries[t->entry_count++], 4, 1);
	assert_int_equal(addr_parse("175.45.176.71", &t->dst), 0);
	t->entries[0].reply.from = t->dst;
	t->entries[0].reply.icmp_type = t->entries[0].reply.icmp_code = 0;
	t->method = METHOD_ICMP;
	t->reach = REACH_REACHED;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		t->entries[0].reply.flags = marks[i].flag;
		for (int verbose = 0; verbose < 2; verbose++) {
			buf_clear(&out);
			report_trace(&out, &style, t, &names, &v, profile, false, verbose);
			if ((strstr(out.bytes, marks[i].says) != NULL) !=
			    (marks[i].always || verbose))
				fail_msg("%s, verbose %d:\n%s", marks[i].says, verbose, out.bytes);
			if ((strstr(out.bytes, "Only something in the destination's name") !=
			     NULL) != marks[i].forged)
				fail_msg("%s", out.bytes);
		}
	}
	buf_fini(&out);
	names_fini(&names);
	free(t);
}

static void columns(void **state)
{
	static const struct { const char *text; unsigned columns; const char *why; } texts[] = {
		{"abc", 3, "ASCII"}, {"", 0, "nothing"}, {"\u00e9", 1, "two bytes, one column"},
		{"\u5e73\u58e4", 4, "wide characters take two"},
		{"e\u0301", 1, "a combining mark takes none"},
	};
	struct style style = {.utf8 = true};
	struct buf out;

	(void)state;
	buf_init(&out);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (style_columns(texts[i].text) != texts[i].columns)
			fail_msg("%s", texts[i].why);
		for (unsigned want = 1; want < 8; want++) {
			buf_clear(&out);
			style_pad(&out, &style, texts[i].text, want);
			assert_int_equal(style_columns(out.bytes), want);
		}
	}
	buf_fini(&out);
}

static int setup(void **state)
{
	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return -1;
	return profile_parse("inline", yaml, sizeof(yaml) - 1, &profile, NULL);
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports),
		cmocka_unit_test(narrow_fits),
		cmocka_unit_test(marks_are_explained),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
