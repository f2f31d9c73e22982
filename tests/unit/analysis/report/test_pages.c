// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reports as text, JSON and pages. `test_pages write DIR` writes the pages for tests/page, which
 * looks at them in a browser.
 */
#include "analysis/report/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/report/event_join.h"
#include "analysis/report/events_text.h"
#include "analysis/report/report_text.h"
#include "analysis/report/svg.h"
#include "tests/unit/analysis/report/golden.h"
#include "tests/unit/analysis/report/page_bed.h"

static const char markup[] = "<script>alert(1)</script>\"'&\xff\xe2\x80\xae";

static const struct annotation dyn[] = {
	{{INT64_C(1506848871) * NS_PER_S}, {0}, "TransTeleCom appears in routing tables for three of "
	 "four networks", "Dyn Research, 2017-10-02"},
	{{INT64_C(1506854820) * NS_PER_S}, {INT64_C(1506860760) * NS_PER_S},
	 "Unstable, four brief outages", "Dyn Research, 2017-10-02"}};
static const struct geo_source geo = {
	.asn_db = "asn.mmdb", .country_db = "country.mmdb", .asn_built = "2026-06-17",
	.country_built = "2026-06-17", .asn_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef"
	"0123456789abcdef", .country_sha256 = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba98"
	"76543210"};
static const char *const sources[] = {"dprk.db"};
static const struct html_about about = {
	.command = "borderpath report --since 2017-10-01T06:00:00Z --until 2017-10-02T12:00:00Z "
	"--format html --annotate dyn.csv dprk.db", .tool = "borderpath 0.1.0", .geo = &geo,
	.licence = "CC BY 4.0", .sources = sources, .source_count = 1,
	.generated = {INT64_C(1506945900) * NS_PER_S}, .annotations = dyn, .annotation_count = 2};

/* --- a diff around 09:07:51 ------------------------------------------------------------------ */

static void fill_side(struct diff_side *s, int border, double rtt_ms, bool after)
{
	static const uint32_t china[] = {64500, 3356, 4837, 131279};
	static const uint32_t russia[] = {64500, 1299, 20485, 131279};

	*s = (struct diff_side){.traces = 16, .decided = 16, .rtt_n = rtt_ms > 0 ? 48 : 0,
				.rtt_min_ns = (int64_t)((rtt_ms - 2) * 1e6),
				.rtt_median_ns = (int64_t)(rtt_ms * 1e6), .as_count = 4};
	s->verdict = (struct diff_verdict){.judged = true, .outcome = OUTCOME_BORDER,
					   .confidence = 0.97};
	text_set(s->verdict.border, sizeof(s->verdict.border), border == KHASAN ? "khasan" : "dandong");
	s->reach[rtt_ms > 0 ? REACH_REACHED : REACH_SILENT] = 16;
	memcpy(s->as_path, border == KHASAN ? russia : china, sizeof(china));
	s->first.ns = after ? at("2017-10-01T09:15:00Z") : at("2017-10-01T08:15:00Z");
	s->last.ns = s->first.ns + 45 * MIN_NS;
	snprintf(s->example_id, sizeof(s->example_id), "ex-%s-%d", after ? "after" : "before", border);
}

struct diff_bed_html {
	struct diff d;
	struct diff_row rows[32];
	struct diff_move move;
	struct prefix moved[3];
	struct diff_vantage points[8];
};

static void fill_diff(struct diff_bed_html *b, bool changed)
{
	struct diff *d = &b->d;

	memset(b, 0, sizeof(*b));
	d->rows = b->rows;
	d->points = b->points;
	d->networks_of = 4;
	d->vantages = 8;
	d->point_count = 8;
	d->not_before.ns = at("2017-10-01T09:00:14Z");
	d->not_after.ns = at("2017-10-01T09:15:03Z");
	d->traces_before = d->traces_after = 512;
	for (unsigned v = 0; v < 8; v++) {
		text_set(b->points[v].name, sizeof(b->points[v].name), vantages_2017[v]);
		b->points[v].counted = true;
		b->points[v].rounds[0] = b->points[v].rounds[1] = (struct diff_rounds){.rounds = 4};
		for (unsigned prefix = 0; prefix < 4; prefix++) {
			struct diff_row *r = &b->rows[d->row_count++];
			bool moved = changed && prefix != 1;
			double was = 282 - 9.0 * v, is = moved ? 186 + 3.0 * v : was;

			text_set(r->vantage, sizeof(r->vantage), vantages_2017[v]);
			r->prefix = bed_prefix(prefix);
			r->method = METHOD_TCP;
			fill_side(&r->before, DANDONG, prefix == 3 ? 0 : was, false);
			fill_side(&r->after, moved ? KHASAN : DANDONG, prefix == 3 ? 0 : is, true);
			r->comparable = true;
			r->changed = moved;
			r->border = r->path = moved ? DIFF_CHANGED : DIFF_SAME;
			r->path_level = moved ? DIFF_LEVEL_AS : DIFF_LEVEL_NONE;
			r->reach = DIFF_SAME;
			if (prefix == 3)
				continue;
			r->rtt = moved ? DIFF_CHANGED : DIFF_SAME;
			r->shift_ns = (int64_t)((is - was) * 1e6);
			r->shift_low_ns = r->shift_ns - 2600000;
			r->shift_high_ns = r->shift_ns + 2700000;
		}
	}
	b->points[4].rounds[1].missed = 1;
	b->points[4].rounds[1].why = ROUND_WHY_DOWN;
	if (!changed)
		return;
	d->result = DIFF_RESULT_CHANGED;
	d->moves = &b->move;
	d->move_count = 1;
	b->move = (struct diff_move){.from = "dandong", .to = "khasan", .from_asn = 4837,
				     .to_asn = 20485, .from_org = "China Unicom",
				     .to_org = "TransTeleCom", .prefixes = b->moved,
				     .prefix_count = 3, .vantages = 7, .vantages_of = 8,
				     .not_before = d->not_before, .not_after = d->not_after};
	b->moved[0] = bed_prefix(0);
	b->moved[1] = bed_prefix(2);
	b->moved[2] = bed_prefix(3);
}

static struct trace *example(const char *id, const char *const *hops, unsigned n)
{
	struct trace *t = trace_new(n);

	text_set(t->id, sizeof(t->id), id);
	for (unsigned i = 0; i < n; i++) {
		struct trace_entry *e = &t->entries[t->entry_count++];

		trace_entry_init(e, (uint8_t)(i + 1), 1);
		if (hops[i][0] == '*')
			continue;
		bed_must(addr_parse(hops[i], &e->reply.from));
		e->why = WHY_NONE;
		e->reply.rtt_ns = (int64_t)(i + 1) * 17300000;
	}
	return t;
}

/* Of .176 doubtful evidence reads differently on both sides; that of the first vantage point came
 * with another path. */
static void make_uncertain(struct diff_bed_html *b)
{
	fill_diff(b, false);
	for (unsigned i = 0; i < b->d.row_count; i += 4) {
		fill_side(&b->rows[i].after, KHASAN, 282, true);
		b->rows[i].before.verdict.confidence = b->rows[i].after.verdict.confidence = .6;
		b->rows[i].border = DIFF_TOO_FEW;
		if (i > 0)
			continue;
		b->rows[i].path = DIFF_CHANGED;
		b->rows[i].path_level = DIFF_LEVEL_HOP;
		b->rows[i].changed = true;
		b->d.result = DIFF_RESULT_CHANGED;
	}
}

enum made { MADE_SAME, MADE_CHANGED, MADE_UNCERTAIN };

static void make_diff(struct buf *out, enum made made, bool with_report)
{
	static const char *const china[] = {"192.0.2.1", "4.69.140.1", "219.158.39.42", "*", "*",
					    "175.45.176.71"};
	static const char *const russia[] = {"192.0.2.1", "62.115.1.1", "188.43.225.153", "*",
					     "175.45.176.71"};
	struct diff_bed_html *d = malloc(sizeof(*d));
	struct trace *before = example("ex-before-0", china, 6);
	struct trace *after = example("ex-after-1", russia, 5);
	struct html_trace traces[] = {{before, NULL}, {after, NULL}};
	struct html_about a = about;
	struct bed b;

	a.command = "borderpath diff --at 2017-10-01T09:07:51Z --before 3h --after 3h --format html "
		    "dprk.db";
	if (made == MADE_UNCERTAIN)
		make_uncertain(d);
	else
		fill_diff(d, made == MADE_CHANGED);
	bed_2017(&b);
	html_diff(out, &d->d, (struct wall){at("2017-10-01T09:07:51Z")}, with_report ? b.r : NULL, b.p,
		  traces, 2, &a);
	bed_close(&b);
	free(before);
	free(after);
	free(d);
}

static void make_report(struct buf *out, void (*page)(struct buf *, const struct report *,
						      const struct html_about *))
{
	struct bed b;

	bed_2017(&b);
	page(out, b.r, &about);
	bed_close(&b);
}

static void make_quiet(struct buf *out)
{
	struct html_about a = {.tool = "borderpath 0.1.0"};
	struct bed b;

	bed_day(&b, 1, 96, false, "fra1", NULL);
	html_report(out, b.r, &a);
	bed_close(&b);
}

static void make_large(struct buf *out)
{
	struct bed b;

	bed_day(&b, 50, 96, true, "vantage-", NULL);
	html_report(out, b.r, &about);
	bed_close(&b);
}

static void make_hostile(struct buf *out)
{
	struct annotation note = {{T0 + 3600 * NS_PER_S}, {0}, markup, markup};
	const char *const from[] = {markup};
	struct html_about a = {.title = markup, .command = markup, .tool = markup,
			       .licence = markup, .cite = markup, .sources = from,
			       .source_count = 1,
			       .annotations = &note, .annotation_count = 1};
	struct event e;
	struct bed b;

	bed_day(&b, 2, 24, true, markup, markup);
	event_init(&e);
	e.kind = EVENT_BORDER_SWITCH;
	e.not_before = e.not_after = e.at = e.seen = (struct wall){T0 + 3600 * NS_PER_S};
	e.prefix = bed_prefix(0);
	text_set(e.from.org, sizeof(e.from.org), markup);
	snprintf(e.summary, sizeof(e.summary), "%s", markup);
	e.evidence_count = 1;
	snprintf(e.evidence[0].why, sizeof(e.evidence[0].why), "%s", markup);
	event_set_fingerprint(&e);
	event_set_id(&e, e.at, 1);
	bed_must(report_maker_event(b.maker, &e));
	bed_must(report_make(b.maker, &b.r));
	html_report(out, b.r, &a);
	bed_close(&b);
}

/* --- tests ----------------------------------------------------------------------------------- */

static struct buf out;

static const struct style plain = {.utf8 = true, .width = 80};

static void text_of_2017(void **state)
{
	static const unsigned widths[] = {80, 40, 0};
	struct bed b;

	(void)state;
	bed_2017(&b);
	for (unsigned i = 0; i < 3; i++) {
		struct style style = plain;
		char path[96];

		style.width = widths[i];
		buf_clear(&out);
		report_text(&out, &style, b.r);
		snprintf(path, sizeof(path), "tests/golden/reports/report-%u.txt", widths[i]);
		golden_compare(path, &out);
		/* Nothing is wider than the terminal. */
		for (const char *line = out.bytes; widths[i] > 0 && *line != '\0';) {
			char one[512];
			size_t n = strcspn(line, "\n");

			assert_true(n < sizeof(one));
			memcpy(one, line, n);
			one[n] = '\0';
			if (style_columns(one) > widths[i])
				fail_msg("%u columns: %s", style_columns(one), one);
			line += n + (line[n] == '\n');
		}
	}
	buf_clear(&out);
	report_write_json(&out, b.r);
	golden_compare("tests/golden/reports/report.json", &out);
	bed_close(&b);
}

static void quiet_says_what_would_have_been_seen(void **state)
{
	struct bed b;
	double ms = 0;
	int n = 0;

	(void)state;
	/* Too few rounds to say anything of shifts. */
	bed_day(&b, 1, 12, false, "fra1", NULL);
	buf_clear(&out);
	report_text(&out, &plain, b.r);
	golden_compare("tests/golden/reports/report-quiet.txt", &out);
	bed_close(&b);
	bed_day(&b, 1, 96, false, "fra1", NULL);
	buf_clear(&out);
	sentence_quiet(&out, b.r);
	assert_int_equal(sscanf(out.bytes, "No change seen in 4 of 4 networks from 1 of 1 vantage point. "
				"A switch longer than 30 min or an RTT shift above %lf ms would have been "
				"seen with 90 %% probability.%n", &ms, &n), 1);
	assert_int_equal(n, out.used);
	/* The delays scatter over 3 ms: a step that is lost in it would be a boast. */
	assert_true(ms > 1.5 && ms < 30);
	bed_close(&b);
}

static void who_was_not_heard_is_told(void **state)
{
	static const struct { bool down; int64_t hours; const char *text; } ends[] = {
		{true, 72, "rounds missed; it is down, last heard 3 days ago.\n"},
		{false, 1, "rounds missed; last heard 60 min ago.\n"},
		{true, 0, "rounds missed; it is down.\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct report_vantage v;
		struct report r;
		struct bed b;

		bed_day(&b, 1, 4, false, "fra1", NULL);
		r = *b.r;
		v = r.vantages[0];
		v.down = ends[i].down;
		v.unheard_ns = ends[i].hours * 3600 * NS_PER_S;
		r.vantages = &v;
		buf_clear(&out);
		report_text(&out, &plain, &r);
		if (strstr(out.bytes, ends[i].text) == NULL)
			fail_msg("no %s: %s", ends[i].text, out.bytes);
		bed_close(&b);
	}
}

static void no_event_is_said(void **state)
{
	struct bed b;

	(void)state;
	bed_day(&b, 1, 4, false, "fra1", NULL);
	buf_clear(&out);
	events_text(&out, &plain, NULL, 0, b.p);
	events_count(&out, NULL, 0);
	assert_string_equal(out.bytes, "No event.\n");
	bed_close(&b);
}

static unsigned occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

/* Of all that came from outside, nothing may be markup: the page has its own one script with code,
 * and its own one with data. */
static void markup_stays_text(void **state)
{
	(void)state;
	buf_clear(&out);
	make_hostile(&out);
	assert_false(out.failed);
	assert_int_equal(occurrences(out.bytes, "<script"), 2);
	assert_int_equal(occurrences(out.bytes, "</script"), 2);
	assert_null(strstr(out.bytes, "<script>alert"));
	assert_non_null(strstr(out.bytes, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
	/* What is no UTF-8 is replaced; what turns the direction of writing is gone. */
	assert_null(strchr(out.bytes, '\xff'));
	assert_null(strstr(out.bytes, "\xe2\x80\xae&lt;"));
}

static void html_text_rows(void **state)
{
	static const struct { const char *in, *want, *reason; } rows[] = {
		{"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;", "all five"},
		{"\x01\x1f\x7f" "a\tb", "a\tb", "control characters go, tabs stay"},
		{"\xc2\x85x", "x", "so do those of C1"},
		{"\xff" "a\xc3", "\xef\xbf\xbd" "a\xef\xbf\xbd", "no UTF-8, cut UTF-8"},
		{"\xe2\x80\xae" "evil", "evil", "right-to-left override"},
		{"\xe2\x81\xa6" "a\xe2\x81\xa9", "a", "isolates"},
		{"\xd0\xa2\xd0\xa2\xd0\x9a", "\xd0\xa2\xd0\xa2\xd0\x9a", "Cyrillic stays"},
		{NULL, "", "no text"}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		buf_str(&out, "");
		html_text(&out, rows[i].in);
		if (strcmp(out.bytes != NULL ? out.bytes : "", rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].reason, out.bytes);
	}
}

static void a_large_day_is_under_two_megabytes(void **state)
{
	(void)state;
	buf_clear(&out);
	make_large(&out);
	assert_false(out.failed);
	if (out.used >= 2000000)
		fail_msg("%zu bytes", out.used);
}

static void nothing_is_fetched(void **state)
{
	(void)state;
	buf_clear(&out);
	make_diff(&out, MADE_CHANGED, true);
	assert_false(out.failed);
	assert_null(strstr(out.bytes, "<link rel=\"stylesheet\""));
	assert_null(strstr(out.bytes, "src=\"http"));
	assert_null(strstr(out.bytes, "@import"));
	/* The only addresses are of name spaces. */
	assert_int_equal(occurrences(out.bytes, "http://") + occurrences(out.bytes, "https://"),
			 occurrences(out.bytes, "http://www.w3.org/2000/svg"));
}

static void no_change_is_said_with_its_power(void **state)
{
	(void)state;
	buf_clear(&out);
	make_diff(&out, MADE_SAME, true);
	assert_non_null(strstr(out.bytes, "No change seen in 4 of 4 networks from 8 of 8 vantage "
			       "points."));
	assert_non_null(strstr(out.bytes, "would have been seen with 90 % probability."));
}

/* A border that reads differently, and not surely so, is called that wherever it stands: neither
 * "changed" nor "did not". */
static void headline_sentences_and_table_agree(void **state)
{
	(void)state;
	buf_clear(&out);
	make_diff(&out, MADE_UNCERTAIN, false);
	assert_non_null(strstr(out.bytes, "<h1>North Korea: paths changed, whether borders did is too "
			       "uncertain to say</h1>"));
	assert_non_null(strstr(out.bytes, "<p>Whether the border of 175.45.176.0/24 changed is too "
			       "uncertain to say from 8 of 8 vantage points: "));
	assert_int_equal(occurrences(out.bytes, "<em>too uncertain to say</em>"), 8);
	assert_null(strstr(out.bytes, "borders did not"));
	/* Events between two sides that are alike are no "no change". */
	buf_clear(&out);
	make_diff(&out, MADE_SAME, true);
	assert_non_null(strstr(out.bytes, "<h1>North Korea: the same before and after, with events in "
			       "between</h1>"));
	buf_clear(&out);
	make_diff(&out, MADE_SAME, false);
	assert_non_null(strstr(out.bytes, "<h1>North Korea: no change seen</h1>"));
}

/* What happened to several networks at once is told once, under one number, in the list and in the
 * figures; where it did not happen nothing is drawn. */
static void events_of_several_networks_are_one(void **state)
{
	struct event e[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		event_init(&e[i]);
		e[i].kind = EVENT_BORDER_SWITCH;
		e[i].status = EVENT_CONFIRMED;
		e[i].scope = EVENT_SCOPE_PREFIX;
		e[i].at = e[i].not_after = (struct wall){T0 + (i == 3 ? 2 : 1) * 900 * NS_PER_S};
		e[i].not_before = (struct wall){e[i].at.ns - 900 * NS_PER_S};
		e[i].prefix = bed_prefix(i == 0 ? 3 : i == 1 ? 0 : 2);
		e[i].seen_by = e[i].seen_of = 1;
		text_set(e[i].from.what, sizeof(e[i].from.what), "dandong");
		text_set(e[i].to.what, sizeof(e[i].to.what), "khasan");
		text_set(e[i].summary, sizeof(e[i].summary), "of one alone");
	}
	assert_int_equal(event_run(e, 4), 3);
	event_join(&e[0], &e[1]);
	event_join(&e[0], &e[2]);
	buf_clear(&out);
	assert_string_equal(e[0].summary, "");
	assert_int_equal(e[0].prefix_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_true(prefix_equal(e[0].prefixes[i], bed_prefix(i == 0 ? 0 : i + 1)));
	assert_true(event_concerns(&e[0], bed_prefix(3), NULL));
	assert_false(event_concerns(&e[0], bed_prefix(1), NULL));
	/* Another size, another status, another vantage point: two events. */
	e[2].seen_of = 2;
	assert_int_equal(event_run(&e[1], 2), 1);
	e[2].seen_of = 1;
	e[2].status = EVENT_PROVISIONAL;
	assert_int_equal(event_run(&e[1], 2), 1);
	text_set(e[1].vantage, sizeof(e[1].vantage), "fra1");
	assert_true(event_concerns(&e[1], bed_prefix(0), "fra1"));
	assert_false(event_concerns(&e[1], bed_prefix(0), "ams1"));
}

/* --- pages for the browser ------------------------------------------------------------------- */

static int write_page(const char *dir, const char *name, const struct buf *page)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.html", dir, name);
	f = fopen(path, "we");
	if (f == NULL || page->failed || fwrite(page->bytes, 1, page->used, f) != page->used ||
	    fclose(f) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

static int write_pages(const char *dir)
{
	static const char *const names[] = {"report", "events", "diff", "same", "files", "quiet",
					    "large", "uncertain", "hostile"};
	int rc = 0;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_clear(&out);
		switch (i) {
		case 0: make_report(&out, html_report); break;
		case 1: make_report(&out, html_events); break;
		case 2: make_diff(&out, MADE_CHANGED, true); break;
		case 3: make_diff(&out, MADE_SAME, true); break;
		case 4: make_diff(&out, MADE_CHANGED, false); break;
		case 5: make_quiet(&out); break;
		case 6: make_large(&out); break;
		case 7: make_diff(&out, MADE_UNCERTAIN, false); break;
		default: make_hostile(&out); break;
		}
		rc |= write_page(dir, names[i], &out);
	}
	buf_fini(&out);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_2017),
		cmocka_unit_test(quiet_says_what_would_have_been_seen),
		cmocka_unit_test(who_was_not_heard_is_told),
		cmocka_unit_test(no_event_is_said),
		cmocka_unit_test(markup_stays_text),
		cmocka_unit_test(html_text_rows),
		cmocka_unit_test(a_large_day_is_under_two_megabytes),
		cmocka_unit_test(nothing_is_fetched),
		cmocka_unit_test(no_change_is_said_with_its_power),
		cmocka_unit_test(headline_sentences_and_table_agree),
		cmocka_unit_test(events_of_several_networks_are_one),
	};
	int rc;

	if (argc == 3 && strcmp(argv[1], "write") == 0)
		return write_pages(argv[2]);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&out);
	return rc;
}
