// SPDX-License-Identifier: BSD-2-Clause
/* The sentences of REPORTS: filled, and with what is not known left out. */
#include "analysis/sentence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/analysis/report/page_bed.h"

static struct buf out;
static struct profile *profile;

static int setup(void **state)
{
	struct bp_error err;

	(void)state;
	return profile_load("profiles/dprk.yaml", &profile, &err);
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	buf_fini(&out);
	return 0;
}

static void says(const struct event *e, const char *want)
{
	buf_clear(&out);
	sentence_event(&out, e, profile, sentence_networks(profile));
	assert_string_equal(out.bytes, want);
}

static struct event event_of(enum event_kind kind)
{
	struct event e;

	event_init(&e);
	e.kind = (uint8_t)kind;
	e.not_before.ns = at("2017-10-01T09:00:00Z");
	e.not_after.ns = e.at.ns = e.seen.ns = at("2017-10-01T09:15:00Z");
	e.seen_by = 7;
	e.seen_of = 8;
	e.prefix = bed_prefix(2);
	return e;
}

static void networks_of_the_profile(void **state)
{
	(void)state;
	assert_int_equal(sentence_networks(profile), 4);
}

static void switches(void **state)
{
	struct event e = event_of(EVENT_BORDER_SWITCH);

	(void)state;
	text_set(e.from.what, sizeof(e.from.what), "dandong");
	text_set(e.to.what, sizeof(e.to.what), "khasan");
	says(&e, "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang), paths into "
	     "one of the four networks of North Korea, namely 175.45.178.0/24, moved from Dandong / "
	     "China to Khasan / Russia, as seen from 7 of 8 vantage points.");
	e.from.asn = 4837;
	text_set(e.from.org, sizeof(e.from.org), "China Unicom");
	e.to.asn = 20485;
	text_set(e.to.org, sizeof(e.to.org), "TransTeleCom");
	e.prefix_count = 3;
	e.prefixes[0] = bed_prefix(0);
	e.prefixes[1] = bed_prefix(2);
	e.prefixes[2] = bed_prefix(3);
	says(&e, "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang), paths into "
	     "three of the four networks of North Korea, namely 175.45.176.0/24, 175.45.178.0/24 and "
	     "175.45.179.0/24, moved from China Unicom (AS4837) to TransTeleCom (AS20485) (Dandong / "
	     "China to Khasan / Russia), as seen from 7 of 8 vantage points.");
	/* Of one vantage point, and with nothing known of who carried it before. */
	e.prefix_count = 0;
	e.seen_by = e.seen_of = 1;
	e.from = (struct event_state){.what = "mixed"};
	says(&e, "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang), paths into "
	     "one of the four networks of North Korea, namely 175.45.178.0/24, moved from several ways "
	     "at once to Khasan / Russia, as seen from 1 of 1 vantage point.");
}

static void shifts(void **state)
{
	struct event e = event_of(EVENT_RTT_SHIFT);

	(void)state;
	text_set(e.vantage, sizeof(e.vantage), "Ashburn");
	e.before_ns = 282 * NS_PER_MS;
	e.after_ns = 186 * NS_PER_MS;
	e.shift_ns = -96 * NS_PER_MS;
	e.shift_low_ns = -99 * NS_PER_MS;
	e.shift_high_ns = -92 * NS_PER_MS;
	says(&e, "From Ashburn, median round-trip time to 175.45.178.0/24 went from 282.0 to 186.0 ms "
	     "(-96.0 ms, 95 % interval -99.0 to -92.0) between 09:00 and 09:15 UTC on 1 October 2017 "
	     "(17:30 to 17:45 in Pyongyang).");
	e.kind = EVENT_RETURN_PATH;
	/* No interval, where there are too few points for one. */
	e.shift_low_ns = e.shift_high_ns = e.shift_ns;
	says(&e, "From Ashburn, median round-trip time to 175.45.178.0/24 went from 282.0 to 186.0 ms "
	     "(-96.0 ms) between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang); "
	     "the path towards it did not change: the way back may have moved.");
	/* Only the TTL of answers moved: nothing is said of times. */
	e.before_ns = e.after_ns = -1;
	says(&e, "From Ashburn, the TTL of answers from 175.45.178.0/24 changed between 09:00 and 09:15 "
	     "UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang); "
	     "the path towards it did not change: the way back may have moved.");
	e = event_of(EVENT_PATH_CHANGE);
	e.scope = EVENT_SCOPE_VANTAGE;
	text_set(e.vantage, sizeof(e.vantage), "Ashburn");
	says(&e, "Between 09:00 and 09:15 UTC on 1 October 2017 (17:30 to 17:45 in Pyongyang), vantage "
	     "point Ashburn moved to another upstream; what changed for it alone is not told.");
}

static void outages(void **state)
{
	struct event e = event_of(EVENT_OUTAGE);

	(void)state;
	e.at.ns = at("2014-12-22T16:15:00Z");
	e.until.ns = at("2014-12-23T01:46:00Z");
	e.seen_by = e.seen_of = e.reference = 8;
	e.outage = EVENT_OUTAGE_BEFORE_BORDER;
	assert_int_equal(addr_parse("219.158.3.1", &e.last_hop), 0);
	e.to.asn = 4837;
	text_set(e.to.org, sizeof(e.to.org), "China Unicom");
	e.prefix_count = 4;
	for (unsigned i = 0; i < 4; i++)
		e.prefixes[i] = bed_prefix(i);
	says(&e, "From 2014-12-22 16:15:00 UTC to 2014-12-23 01:46:00 UTC (9 h 31 min), no probed host in "
	     "four of the four networks of North Korea, namely 175.45.176.0/24, 175.45.177.0/24, "
	     "175.45.178.0/24 and 175.45.179.0/24, answered 8 of 8 vantage points, all of which "
	     "reached their reference hosts; paths ended before the border, at 219.158.3.1, "
	     "China Unicom (AS4837).");
	e.reference = 5;
	e.last_hop = (struct addr){0};
	says(&e, "From 2014-12-22 16:15:00 UTC to 2014-12-23 01:46:00 UTC (9 h 31 min), no probed host in "
	     "four of the four networks of North Korea, namely 175.45.176.0/24, 175.45.177.0/24, "
	     "175.45.178.0/24 and 175.45.179.0/24, answered 8 of 8 vantage points, 5 of which "
	     "reached their reference hosts; paths ended before the border, in China Unicom (AS4837).");
	e.reference = 0;
	e.until.ns = 0;
	e.prefix_count = 0;
	e.outage = EVENT_OUTAGE_SILENT;
	says(&e, "Since 2014-12-22 16:15:00 UTC, no probed host in one of the four networks of North "
	     "Korea, namely 175.45.178.0/24, has answered 8 of 8 vantage points, none of which is "
	     "known to have been offline; routers inside still answered.");
	e.online = 8;
	says(&e, "Since 2014-12-22 16:15:00 UTC, no probed host in one of the four networks of North "
	     "Korea, namely 175.45.178.0/24, has answered 8 of 8 vantage points, none of which was "
	     "offline; routers inside still answered.");
	e.seen_by = e.seen_of = e.reference = 1;
	says(&e, "Since 2014-12-22 16:15:00 UTC, no probed host in one of the four networks of North "
	     "Korea, namely 175.45.178.0/24, has answered 1 of 1 vantage point, which reached its "
	     "reference hosts; routers inside still answered.");
	e.scope = EVENT_SCOPE_VANTAGE;
	text_set(e.vantage, sizeof(e.vantage), "fra1");
	says(&e, "Since 2014-12-22 16:15:00 UTC, vantage point fra1 reached nobody, its reference hosts "
	     "neither, which says nothing of the network.");
}

static void flapping(void **state)
{
	struct event e = event_of(EVENT_FLAPPING);

	(void)state;
	e.at.ns = at("2017-10-01T10:47:00Z");
	e.until.ns = at("2017-10-01T12:26:00Z");
	e.changes = 6;
	says(&e, "Between 10:47 and 12:26 UTC on 1 October 2017 (19:17 to 20:56 in Pyongyang) the path "
	     "into 175.45.178.0/24 changed 6 times; changes shorter than a round may be missing, as "
	     "seen from 7 of 8 vantage points.");
}

static void a_summary_is_cut_whole(void **state)
{
	struct event e = event_of(EVENT_BORDER_SWITCH);

	(void)state;
	for (unsigned i = 0; i < EVENT_PREFIXES_MAX; i++)
		e.prefixes[e.prefix_count++] = bed_prefix(i % 4);
	sentence_summary(&e, profile, 4);
	assert_int_equal(strlen(e.summary), sizeof(e.summary) - 1);
}

static void as_it_stands(void **state)
{
	struct bed b;

	(void)state;
	bed_2017(&b);
	buf_clear(&out);
	sentence_now(&out, b.r);
	assert_string_equal(out.bytes, "As of 2017-10-02 11:45:00 UTC, 175.45.176.0/24, 175.45.177.0/24 "
			    "and 175.45.179.0/24 enter via China Unicom (AS4837); only 175.45.178.0/24 "
			    "enters via TransTeleCom (AS20485); no probed host in 175.45.179.0/24 "
			    "answers.");
	bed_close(&b);
}

static void nothing_changed(void **state)
{
	struct diff_row rows[2] = {{.comparable = true, .border = DIFF_SAME, .rtt = DIFF_SAME,
				    .prefix = bed_prefix(0), .shift_low_ns = -NS_PER_MS,
				    .shift_high_ns = NS_PER_MS},
				   {.comparable = true, .border = DIFF_SAME,
				    .prefix = bed_prefix(1)}};
	struct diff_vantage points[8] = {{.counted = true}};
	struct diff d = {.rows = rows, .row_count = 1, .networks_of = 4, .vantages = 7,
			 .points = points, .point_count = 8};
	struct power power;

	(void)state;
	power_of_diff(&d, 15 * MIN_NS, 1, &power);
	buf_clear(&out);
	sentence_none(&out, &d, &power);
	assert_string_equal(out.bytes, "No change seen in 1 of 4 networks from 7 of 8 vantage points. A "
			    "switch longer than 15 min or an RTT shift above 1.7 ms would have been seen "
			    "with 90 % probability.");
	/* One network without round-trip times: nothing is promised of them; nor of switches, where
	 * nobody knows how far rounds were apart. */
	d.row_count = 2;
	power_of_diff(&d, 0, 1, &power);
	buf_clear(&out);
	sentence_none(&out, &d, &power);
	assert_string_equal(out.bytes, "No change seen in 2 of 4 networks from 7 of 8 vantage points.");
	/* It is as its own rounds were apart, where they were furthest; not those of who is not
	 * counted. */
	for (unsigned k = 0; k < 2; k++) {
		rows[0].before.traces = rows[0].before.decided = 4;
		points[0].rounds[k] = (struct diff_rounds){
			.rounds = 4, .slots = 4, .first = {MIN_NS},
			.last = {MIN_NS + 3 * (k + 1) * 15 * MIN_NS}};
		points[1].rounds[k] = (struct diff_rounds){.rounds = 2, .slots = 2,
							   .last = {1000 * MIN_NS}};
	}
	power_of_diff(&d, 0, 0, &power);
	assert_int_equal(power.switch_ns, 30 * MIN_NS);
}

/* What is not sure is said so, and is no part of "no change". */
static void too_uncertain_to_say(void **state)
{
	struct diff_side side = {.traces = 4};
	struct diff_row rows[3] = {
		{.vantage = "a", .border = DIFF_TOO_FEW, .before = side, .after = side,
		 .comparable = true, .prefix = bed_prefix(0), .path = DIFF_CHANGED,
		 .method = METHOD_ICMP},
		{.vantage = "a", .border = DIFF_SAME, .before = side, .after = side,
		 .comparable = true, .prefix = bed_prefix(1)},
		{.vantage = "b", .border = DIFF_SAME, .before = side, .after = side,
		 .comparable = true, .prefix = bed_prefix(0)}};
	struct diff d = {.rows = rows, .row_count = 3, .networks_of = 4, .vantages = 2,
			 .point_count = 2};

	(void)state;
	buf_clear(&out);
	assert_true(sentence_open(&out, &d));
	assert_string_equal(out.bytes, "Whether the border of 175.45.176.0/24 changed is too uncertain to "
			    "say from 1 of 2 vantage points: what was measured before and after differs, "
			    "but by no more than small samples or doubtful evidence explain.");
	buf_clear(&out);
	sentence_path(&out, &rows[0]);
	assert_non_null(strstr(out.bytes, "; whether the border did is too uncertain to say."));
	d.row_count = 2;
	buf_clear(&out);
	sentence_none(&out, &d, NULL);
	assert_string_equal(out.bytes, "No change seen in 1 of 4 networks from 2 of 2 vantage points.");
	rows[0].border = DIFF_SAME;
	buf_clear(&out);
	assert_false(sentence_open(&out, &d));
	assert_int_equal(out.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_of_the_profile),
		cmocka_unit_test(switches),
		cmocka_unit_test(shifts),
		cmocka_unit_test(outages),
		cmocka_unit_test(flapping),
		cmocka_unit_test(a_summary_is_cut_whole),
		cmocka_unit_test(as_it_stands),
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(too_uncertain_to_say),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
