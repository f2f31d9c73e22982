// SPDX-License-Identifier: BSD-2-Clause
/*
 * The status of a campaign and the live view, by a scripted clock, compared byte for byte with
 * tests/golden/reports: as text, as an object, in several widths and heights; and the table of
 * states.
 */
#include "analysis/report/status.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/report/live.h"
#include "tests/unit/analysis/report/golden.h"

static const char yaml[] =
	"profile: test\n"
	"version: 2026-11-22\n"
	"network: {name: North Korea, asn: [131279], prefixes: [175.45.176.0/22], "
	"judge_by: {v4: 24, v6: 48}}\n"
	"borders:\n"
	"  - {id: dandong, name: Dandong / China, short: C, country: CN, color: \"#E69F00\", "
	"networks: [{asn: 4837}]}\n"
	"  - {id: khasan, name: Khasan / Russia, short: R, country: RU, color: \"#0072B2\", "
	"networks: [{asn: 20485}]}\n";

static struct profile *profile;

static struct wall at(const char *text)
{
	struct wall t = {0};

	assert_int_equal(wall_parse(text, t, &t), 0);
	return t;
}

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct round round_at(const char *planned, uint32_t done, uint32_t missed,
			     enum round_why why)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "dprk-borders");
	text_set(r.vantage, sizeof(r.vantage), "fra1");
	r.planned = at(planned);
	if (done > 0) {
		r.start.ns = r.planned.ns + 7 * NS_PER_S;
		r.end.ns = r.planned.ns + 13 * NS_PER_S;
	}
	r.expected = done + missed;
	r.done = r.traces = done;
	r.missed = missed;
	r.why = why;
	r.health = done > 0 ? ROUND_HEALTH_OK : ROUND_HEALTH_UNKNOWN;
	r.reference_asked = r.reference_answered = done > 0;
	r.source = r.public_addr = address("203.0.113.2");
	r.egress_asn = 24940;
	text_set(r.egress_org, sizeof(r.egress_org), "Hetzner");
	r.transit_asn = 1299;
	text_set(r.transit_org, sizeof(r.transit_org), "Arelion");
	round_set_id(&r);
	return r;
}

/* border NULL: undetermined; ms 0: silent. */
static struct trace *trace_of(const struct round *r, const char *dst, const char *border, int ms,
			      struct verdict *v)
{
	struct trace *t = trace_new(2);
	struct trace_entry *e = &t->entries[0];

	assert_non_null(t);
	t->dst = address(dst);
	t->method = METHOD_TCP;
	t->dport = 80;
	t->flow = 0;
	t->start = r->start;
	text_set(t->round, sizeof(t->round), r->id);
	text_set(t->target, sizeof(t->target), "www\033[2J.kp");
	t->stop = STOP_REACHED;
	t->reach = ms > 0 ? REACH_REACHED : REACH_SILENT;
	trace_entry_init(e, 9, 1);
	if (ms > 0) {
		e->reply.from = t->dst;
		e->reply.tcp_flags = 0x12;
		e->reply.rtt_ns = ms * NS_PER_MS;
		e->why = WHY_NONE;
	}
	t->entry_count = 1;
	t->size = (uint32_t)trace_size(1);
	*v = (struct verdict){.judged = true,
			      .outcome = border ? OUTCOME_BORDER : OUTCOME_UNDETERMINED,
			      .class = border ? CLASS_BORDER : CLASS_INSIDE_SILENT,
			      .confidence = border ? 0.97 : 0.41};
	text_set(v->border, sizeof(v->border), border ? border : "");
	if (border != NULL) {
		v->via_asn = 20485;
		text_set(v->via_org, sizeof(v->via_org), "TransTeleCom");
	}
	return t;
}

/* Two rounds of four targets: one switched, one went silent, one is undetermined. */
static const struct { const char *dst, *before, *now; int ms_before, ms_now; } story[] = {
	{"175.45.176.71", "dandong", "khasan", 282, 186},
	{"175.45.177.10", "khasan", "khasan", 187, 187},
	{"175.45.178.3", "khasan", NULL, 187, 0},
	{"175.45.179.1", "dandong", "dandong", 283, 282},
};

enum { TARGETS = sizeof(story) / sizeof(story[0]) };

static void feed(struct standing *s, struct live_campaign *c, const struct round *r, bool now)
{
	for (int i = 0; i < TARGETS; i++) {
		struct verdict v;
		struct trace *t = trace_of(r, story[i].dst, now ? story[i].now : story[i].before,
					   now ? story[i].ms_now : story[i].ms_before, &v);

		if (c != NULL)
			live_trace(c, t, &v, false);
		else
			standing_take(s, t, &v);
		free(t);
	}
}

static struct status status_now(struct standing *standing)
{
	struct status s = {.plan = "dprk.yaml", .campaign = "dprk-borders", .vantage = "fra1",
			   .store = "/var/lib/borderpath/store.db", .standing = standing,
			   .every_ns = 900 * NS_PER_S, .store_bytes = 12345678, .pid = 4711};
	struct round before = round_at("2026-11-22T09:45:00Z", 4, 0, ROUND_WHY_NONE);

	s.now = at("2026-11-22T10:03:12Z");
	s.next = at("2026-11-22T10:15:12Z");
	s.last = s.measured = round_at("2026-11-22T10:00:00Z", 4, 0, ROUND_WHY_NONE);
	s.last_known = s.measured_known = true;
	status_count_round(&s.day, &before);
	status_count_round(&s.day, &s.last);
	return s;
}

/* As it should be, and as it should not. */
static void texts(void **state)
{
	struct round old = round_at("2026-11-22T09:45:00Z", 4, 0, ROUND_WHY_NONE), gap;
	struct standing standing = {0}, none = {0};
	const struct style plain = {0}, color = {.color = true, .utf8 = true, .width = 120};
	const struct style narrow = {.width = 80};
	struct status s = status_now(&standing), idle;
	struct buf out;

	(void)state;
	buf_init(&out);
	feed(&standing, NULL, &old, false);
	feed(&standing, NULL, &s.measured, true);
	report_status(&out, &plain, &s, profile);
	buf_char(&out, '\n');
	report_status(&out, &color, &s, profile);
	buf_char(&out, '\n');
	report_status(&out, &narrow, &s, profile);
	buf_char(&out, '\n');

	s.pid = 0;
	s.now = at("2026-11-22T14:03:12Z");
	s.next = at("2026-11-22T14:15:12Z");
	s.last = round_at("2026-11-22T13:45:00Z", 0, 4, ROUND_WHY_NO_ROUTE);
	text_set(s.last.note, sizeof(s.last.note), "the kernel has no route to 175.45.176.71");
	gap = round_at("2026-11-22T13:30:00Z", 0, 4, ROUND_WHY_DOWN);
	status_count_round(&s.day, &s.last);
	status_count_round(&s.day, &gap);
	s.identity_changed = ROUND_CHANGED_EGRESS | ROUND_CHANGED_TRANSIT;
	s.identity_since = at("2026-11-21T08:15:00Z");
	s.spool_rounds = 2;
	s.spool_bytes = 90112;
	s.spool_oldest = at("2026-11-22T10:15:20Z");
	s.measured.substitute_count = 1;
	s.measured.substitutes[0] = (struct round_substitute){
		.from = address("175.45.178.1"), .to = address("175.45.178.3"), .silent = 12};
	text_set(s.measured.substitutes[0].target, sizeof(s.measured.substitutes[0].target), "kp-178");
	report_status(&out, &plain, &s, profile);
	buf_char(&out, '\n');

	idle = (struct status){.plan = "new.yaml", .campaign = "new", .vantage = "fra1",
			       .store = "/srv/new.db", .store_bytes = -1, .every_ns = 60 * NS_PER_S,
			       .standing = &none, .now = s.now, .next = at("2026-11-22T14:04:00Z")};
	report_status(&out, &plain, &idle, profile);
	golden_compare("tests/golden/reports/status.txt", &out);

	buf_clear(&out);
	status_write_json(&out, &s, profile);
	status_write_json(&out, &idle, profile);
	golden_compare("tests/golden/reports/status.jsonl", &out);
	buf_fini(&out);
	standing_fini(&standing);
}

/* What a round changed: a border, who answers, who we are. A path or a delay is no message. */
static void changes(void **state)
{
	static const struct {
		const char *why;
		unsigned bits;
		uint8_t identity;
		bool told;
	} rows[] = {
		{"nothing", 0, 0, false},
		{"a path", STANDING_PATH, 0, false},
		{"a delay", STANDING_RTT, 0, false},
		{"a border", STANDING_BORDER, 0, true},
		{"an answer", STANDING_REACH, 0, true},
		{"our address", 0, ROUND_CHANGED_ADDRESS, true},
	};
	struct round old = round_at("2026-11-22T09:45:00Z", 4, 0, ROUND_WHY_NONE);
	struct standing standing = {0};
	struct status s = status_now(&standing);
	struct buf out;

	(void)state;
	buf_init(&out);
	feed(&standing, NULL, &old, false);
	assert_false(status_changed(&s));
	feed(&standing, NULL, &s.measured, true);
	s.measured.changed = ROUND_CHANGED_ADDRESS | ROUND_CHANGED_TRANSIT;
	report_changes(&out, &(struct style){0}, &s, profile);
	golden_compare("tests/golden/reports/changes.txt", &out);
	buf_fini(&out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned k = 0; k < standing.count; k++)
			standing.rows[k].changed = k == 1 ? rows[i].bits : 0;
		s.measured.changed = rows[i].identity;
		if (status_changed(&s) != rows[i].told)
			fail_msg("%s", rows[i].why);
	}
	/* Of another round than the last: no news. */
	standing.rows[1].changed = STANDING_BORDER;
	text_set(standing.rows[1].round, sizeof(standing.rows[1].round), old.id);
	s.measured.changed = 0;
	assert_false(status_changed(&s));
	standing_fini(&standing);
}

static void states(void **state)
{
	static const struct {
		const char *why, *now;
		int64_t pid;
		bool measured, over;
		uint64_t waits;
		enum round_health health;
		enum status_state want;
	} rows[] = {
		{"in time", "10:03:12", 1, true, false, 0, ROUND_HEALTH_OK, STATUS_OK},
		{"cron keeps it going, no daemon", "10:03:12", 0, true, false, 0, ROUND_HEALTH_OK, STATUS_OK},
		{"two rounds late is patience", "10:45:00", 1, true, false, 0, ROUND_HEALTH_OK, STATUS_OK},
		{"three is stale", "10:45:01", 1, true, false, 0, ROUND_HEALTH_OK, STATUS_STALE},
		{"over is no fault, however old", "18:00:00", 0, true, true, 0, ROUND_HEALTH_OK, STATUS_OVER},
		{"over, with rounds in the spool", "18:00:00", 0, true, true, 1, ROUND_HEALTH_OK,
		 STATUS_WAITING},
		{"the vantage was offline", "10:03:12", 1, true, false, 0, ROUND_HEALTH_OFFLINE,
		 STATUS_OFFLINE},
		{"a round is about to be committed", "10:00:40", 1, true, false, 1, ROUND_HEALTH_OK,
		 STATUS_OK},
		{"the store does not take it", "10:03:12", 1, true, false, 1, ROUND_HEALTH_OK,
		 STATUS_WAITING},
		{"nobody is there to commit it", "10:00:40", 0, true, false, 1, ROUND_HEALTH_OK,
		 STATUS_WAITING},
		{"nobody is there to commit the only one", "10:00:40", 0, false, false, 1,
		 ROUND_HEALTH_UNKNOWN, STATUS_WAITING},
		{"the first one is about to be committed", "10:00:40", 1, false, false, 1,
		 ROUND_HEALTH_UNKNOWN, STATUS_STARTING},
		{"the store has taken none so far", "10:03:12", 1, false, false, 1,
		 ROUND_HEALTH_UNKNOWN, STATUS_WAITING},
		{"a new daemon", "10:03:12", 1, false, false, 0, ROUND_HEALTH_UNKNOWN, STATUS_STARTING},
		{"nobody ever ran it", "10:03:12", 0, false, false, 0, ROUND_HEALTH_UNKNOWN, STATUS_NEVER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct standing none = {0};
		struct status s = status_now(&none);
		char text[64];

		snprintf(text, sizeof(text), "2026-11-22T%sZ", rows[i].now);
		s.now = at(text);
		s.pid = rows[i].pid;
		s.measured_known = s.last_known = rows[i].measured;
		s.last.health = (uint8_t)rows[i].health;
		s.over = rows[i].over;
		s.spool_rounds = rows[i].waits;
		s.spool_oldest = at("2026-11-22T10:00:15Z");
		if (status_state(&s) != rows[i].want)
			fail_msg("%s: %s", rows[i].why, word_of(status_state_words, status_state(&s)));
	}
	/* Gaps alone: a daemon that came up after a night, and one that never measured anything. */
	{
		struct standing none = {0};
		struct status s = status_now(&none);

		s.measured_known = false;
		s.last = round_at("2026-11-22T10:00:00Z", 0, 4, ROUND_WHY_NO_ROUTE);
		assert_int_equal(status_state(&s), STATUS_STALE);
	}
}

static void live_story(struct live *l)
{
	struct live_campaign *c = live_add(l, "dprk-borders", "fra1", profile);
	struct round old = round_at("2026-11-22T09:45:00Z", 4, 0, ROUND_WHY_NONE);
	struct round gap = round_at("2026-11-22T09:30:00Z", 0, 4, ROUND_WHY_DOWN);
	struct round now = round_at("2026-11-22T10:00:00Z", 4, 0, ROUND_WHY_NONE);

	live_round(c, &gap);
	live_begin(c, &old, now.start);
	feed(NULL, c, &old, false);
	live_round(c, &old);
	now.expected = 6;
	live_begin(c, &now, at("2026-11-22T10:15:12Z"));
	feed(NULL, c, &now, true);
	live_note(l, at("2026-11-22T10:00:01Z"), "www.kcna.kp: no such host\033[2J\r");
	assert_null(live_find(l, "sweep", "fra1"));
	c = live_add(l, "sweep", "fra1", profile);
	assert_ptr_equal(live_find(l, "sweep", "fra1"), c);
	c->waiting = 2;
	live_begin(c, &old, at("2026-11-22T16:00:00Z"));
	live_round(c, &old);
}

static void live_views(void **state)
{
	static const struct { struct style style; unsigned rows; } views[] = {
		{{0}, 0}, {{true, true, 120}, 40}, {{false, true, 80}, 24},
		{{false, false, 48}, 24}, {{false, true, 80}, 18}, {{false, true, 30}, 5},
	};
	struct live l = {0};
	struct buf all, one;

	(void)state;
	buf_init(&all);
	buf_init(&one);
	live_story(&l);
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		const struct style *style = &views[i].style;
		unsigned lines = 0;
		char *line, *rest;

		buf_clear(&one);
		report_live(&one, style, &l, at("2026-11-22T10:00:12Z"), views[i].rows);
		buf_printf(&all, "== %u columns, %u rows\n", style->width, views[i].rows);
		buf_append(&all, one.bytes, one.used);
		assert_null(strstr(one.bytes, "\033[2J"));
		rest = one.bytes;
		while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
			lines++;
			if (style->width > 0 && !style->color && style_columns(line) > style->width)
				fail_msg("wider than %u: %s", style->width, line);
		}
		if (views[i].rows > 0)
			assert_true(lines <= views[i].rows);
	}
	golden_compare("tests/golden/reports/live.txt", &all);
	buf_fini(&all);
	buf_fini(&one);
	live_fini(&l);
}

/* Whatever there is to tell, what is measured is seen; and the last that was told. */
static void notes_leave_room(void **state)
{
	static const struct style style = {false, true, 80};
	struct live l = {0};
	struct buf out;

	(void)state;
	buf_init(&out);
	live_story(&l);
	l.count = 1;
	for (unsigned i = 0; i < LIVE_NOTES; i++)
		live_note(&l, at("2026-11-22T10:00:05Z"), i + 1 < LIVE_NOTES ? "one more" : "the last");
	report_live(&out, &style, &l, at("2026-11-22T10:00:12Z"), 9);
	assert_non_null(strstr(out.bytes, "175.45.176.71"));
	assert_non_null(strstr(out.bytes, "the last"));
	assert_null(strstr(out.bytes, "one more"));
	l.count = 2;
	buf_fini(&out);
	live_fini(&l);
}

/* A terminal that became narrower has broken the lines that stand on it. */
static void rows_of_a_frame(void **state)
{
	(void)state;
	assert_int_equal(style_rows("", 80), 0);
	assert_int_equal(style_rows("a\nb\n", 80), 2);
	assert_int_equal(style_rows("0123456789\n", 10), 1);
	assert_int_equal(style_rows("0123456789x\n", 10), 2);
	assert_int_equal(style_rows("\033[1m0123456789\033[0m\n\n", 10), 2);
	assert_int_equal(style_rows("\u2588\u2588\u2588\n", 2), 2);
}

static int setup(void **state)
{
	struct bp_error err;

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	return profile_parse("test", yaml, sizeof(yaml) - 1, &profile, &err);
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
		cmocka_unit_test(texts),
		cmocka_unit_test(changes),
		cmocka_unit_test(states),
		cmocka_unit_test(live_views),
		cmocka_unit_test(notes_leave_room),
		cmocka_unit_test(rows_of_a_frame),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
