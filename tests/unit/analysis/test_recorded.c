// SPDX-License-Identifier: BSD-2-Clause
/*
 * From posted text to the verdict, by the shipped profile: every tests/golden/verdicts/NAME.txt is
 * read, named by the tests' table, judged, and compared with NAME.verdict (GOLDEN_UPDATE=1 writes
 * them anew). Then the real traces handed to the project, where they lie beside the tree.
 */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <glob.h>
#include <stdio.h>

#include "analysis/border.h"
#include "core/buf.h"
#include "core/record/format.h"
#include "tests/unit/analysis/path_text.h"

static const struct wall NOW = {INT64_C(1795341600) * NS_PER_S}; /* 2026-11-22 */

static struct profile *profile;

static int setup(void **state)
{
	struct bp_error err = {0};

	(void)state;
	if (profile_load("profiles/dprk.yaml", &profile, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	return 0;
}

static void name_all(const struct trace *t, struct names *names)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (addr_is_set(t->entries[i].reply.from))
			path_name(names, t->entries[i].reply.from);
	}
}

/* The verdict of the first trace in a file. */
static struct verdict judge_file(const char *file)
{
	FILE *f = fopen(file, "re");
	struct record_reader r;
	struct record rec;
	struct bp_error err = {0};
	struct verdict v;

	assert_non_null(f);
	record_reader_init(&r, f, file, format_find("traceroute"));
	record_init(&rec);
	if (record_read(&r, &rec, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rec.kind, RECORD_TRACE);
	name_all(rec.trace, &rec.names);
	border_judge(rec.trace, &rec.names, profile, NOW, &v);
	record_fini(&rec);
	record_reader_fini(&r);
	fclose(f);
	return v;
}

static void write_verdict(struct buf *out, const struct verdict *v)
{
	char text[ADDR_TEXT];

	buf_printf(out, "outcome %s\n", word_of(outcome_words, v->outcome));
	buf_printf(out, "border %s\n", v->border[0] ? v->border : "-");
	buf_printf(out, "class %s\n", word_of(path_class_words, v->class));
	buf_printf(out, "rule %s\n", v->rule);
	buf_printf(out, "via %u %s, by %s\n", v->via_asn, v->via_org[0] ? v->via_org : "-",
		   word_of(via_basis_words, v->via_basis));
	buf_printf(out, "confidence %.3f\n", v->confidence);
	for (unsigned i = 0; i < v->p_count; i++)
		buf_printf(out, "p %s %.3f\n", v->p[i].id, v->p[i].p);
	buf_printf(out, "last_outside %u %s\n", v->last_outside_ttl,
		   addr_format(v->last_outside, text));
	buf_printf(out, "first_inside %u %s\n", v->first_inside_ttl,
		   addr_format(v->first_inside, text));
	for (unsigned i = 0; i < v->evidence_count; i++) {
		const struct verdict_evidence *e = &v->evidence[i];

		buf_printf(out, "%s %u %s says %s %+.2f: %s\n", e->rule, e->ttl,
			   addr_format(e->from, text), e->says[0] ? e->says : "-", e->weight,
			   e->why);
	}
}

static bool same_as_file(const char *file, const struct buf *want)
{
	char *have = calloc(1, want->used + 2);
	FILE *f = fopen(file, "re");
	size_t n = f != NULL ? fread(have, 1, want->used + 1, f) : 0;
	bool same = n == want->used && memcmp(have, want->bytes, n) == 0;

	if (f != NULL)
		fclose(f);
	free(have);
	return same;
}

static void test_golden_verdicts(void **state)
{
	glob_t files;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(glob("tests/golden/verdicts/*.txt", 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 12);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct verdict v = judge_file(files.gl_pathv[i]);
		char expected[512];
		struct buf out;

		buf_init(&out);
		write_verdict(&out, &v);
		snprintf(expected, sizeof(expected), "%.*s.verdict",
			 (int)strlen(files.gl_pathv[i]) - 4, files.gl_pathv[i]);
		if (getenv("GOLDEN_UPDATE") != NULL) {
			FILE *f = fopen(expected, "we");

			assert_non_null(f);
			assert_int_equal(fwrite(out.bytes, 1, out.used, f), out.used);
			assert_int_equal(fclose(f), 0);
		} else if (!same_as_file(expected, &out)) {
			print_message("%s: now\n%s", expected, out.bytes);
			wrong++;
		}
		buf_fini(&out);
	}
	globfree(&files);
	assert_int_equal(wrong, 0);
}

/* Real traces that the project was handed, in ../shared/data; a clone alone does not have them. */
static void judge_all(const char *pattern, const char *outcome, const char *border,
		      const char *class)
{
	glob_t files;

	if (glob(pattern, 0, NULL, &files) != 0) {
		print_message("skipped: %s is not there\n", pattern);
		skip();
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct verdict v = judge_file(files.gl_pathv[i]);

		assert_string_equal(word_of(outcome_words, v.outcome), outcome);
		assert_string_equal(v.border, border);
		assert_string_equal(word_of(path_class_words, v.class), class);
	}
	globfree(&files);
}

static void test_real_trace_into_the_network(void **state)
{
	(void)state;
	judge_all("../shared/data/nk-traces/*.txt", "border", "dandong", "filtered_at_border");
}

static void test_real_traces_through_carriers(void **state)
{
	(void)state;
	judge_all("../shared/data/carrier-traces/*.txt", "none", "", "not_inside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_verdicts),
		cmocka_unit_test(test_real_trace_into_the_network),
		cmocka_unit_test(test_real_traces_through_carriers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
