// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole pages for scripted cells, rounds and events, against golden files (tests/golden/metrics);
 * and what must hold of each page whatever happened.
 */
#include "tests/unit/campaign/metrics_bed.h"

static void nothing_known_is_no_series_but_the_heads(void **state)
{
	struct bed *b = *state;

	golden(b, "empty");
}

static void before_the_first_round(void **state)
{
	struct bed *b = *state;

	campaign(b, "c", "fra1");
	golden(b, "begun");
	assert_none(b, "borderpath_last_round_timestamp_seconds{");
	assert_value(b, "borderpath_start_timestamp_seconds{" C "}", "1795341600");
	assert_value(b, "borderpath_round_interval_seconds{" C "}", "900");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"complete\"}", "0");
	assert_none(b, "borderpath_vantage_healthy{");
}

/* Two prefixes, two methods, another vantage point, what was counted: the whole page. */
static void a_page_of_everything(void **state)
{
	struct bed *b = *state;
	struct series_key icmp = key_of("203.0.113.0/24", METHOD_ICMP);
	struct series_key tcp = key_of("203.0.113.0/24", METHOD_TCP);
	struct series_key six = key_of("2001:db8:1::/48", METHOD_UDP);
	struct series_key other = icmp;
	struct cell c = good_cell(&tcp);
	struct round r = round_of("c", 0);

	campaign(b, "c", "fra1");
	other.vantage = "ams1";
	give(b, &c, 0);
	c = good_cell(&six);
	c.outcome = OUTCOME_MIXED;
	c.border = -1;
	c.answered = 4;
	give(b, &c, 1u << EVENT_FLAPPING | 1u << EVENT_BORDER_SWITCH);
	c = good_cell(&icmp);
	c.border = 1;
	give(b, &c, 0);
	c.key = &other;
	c.outcome = OUTCOME_OTHER;
	give(b, &c, 0);
	r.drops = 3;
	metrics_round(b->m, &r);
	metrics_refused(b->m, "c", "fra1",
			&(struct refused){.foreign = 1, .bad_token = 2, .malformed = 3, .late = 4,
					  .duplicate = 5});
	give_event(b, "ev-00000000000000aa-1", EVENT_BORDER_SWITCH, EVENT_CONFIRMED);
	metrics_spool(b->m, "c", "fra1", 7);
	metrics_alerts(b->m, "c", "fra1",
		       &(struct alert_counts){{5, 1}, {6, 2}, {7, 3}, {8, 4}});
	golden(b, "everything");
}

/* By what a silent target keeps: its reach, its class, loss 1; and no time. */
static void a_silent_target(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key);

	campaign(b, "c", "fra1");
	give(b, &c, 0);
	give_round(b, 0);
	c.hosts_reached = 0;
	c.answered = 0;
	c.outcome = OUTCOME_UNDETERMINED;
	c.border = -1;
	c.rtt_min_ns = c.rtt_median_ns = -1;
	memset(c.by_reach, 0, sizeof(c.by_reach));
	memset(c.by_class, 0, sizeof(c.by_class));
	c.by_reach[REACH_SILENT] = 2;
	c.by_class[CLASS_INSIDE_SILENT] = 2;
	give(b, &c, 1u << EVENT_OUTAGE);
	give_round(b, 1);
	golden(b, "silent");
	assert_none(b, "borderpath_rtt_min_seconds{");
	assert_none(b, "borderpath_rtt_median_seconds{");
	assert_none(b, "borderpath_verdict_confidence_ratio{");
	assert_value(b, "borderpath_loss_ratio{" K "}", "1");
	assert_value(b, "borderpath_reach{" K ",reach=\"silent\"}", "1");
	assert_value(b, "borderpath_reach{" K ",reach=\"reached\"}", "0");
	/* The path was given up before it came so far: nobody asked the target itself. */
	c.asked = 0;
	give(b, &c, 0);
	assert_value(b, "borderpath_loss_ratio{" K "}", "1");
}

/* Nobody measured: what was seen last stays, and the last round's moment tells. */
static void a_gap_is_no_outage(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key), gap = {.key = &key, .state = CELL_MISSED, .border = -1,
						.rtt_min_ns = -1, .rtt_median_ns = -1};
	struct round r = round_of("c", 1);
	char last[32];

	campaign(b, "c", "fra1");
	give(b, &c, 0);
	give_round(b, 0);
	snprintf(last, sizeof(last), "%s",
		 value_of(b, "borderpath_last_round_timestamp_seconds{" C "}"));
	assert_string_equal(last, "1795341643.5");
	give(b, &gap, 0);
	r.start.ns = 0;
	r.done = 0;
	r.missed = 2;
	r.why = ROUND_WHY_DOWN;
	r.health = ROUND_HEALTH_UNKNOWN;
	metrics_round(b->m, &r);
	assert_value(b, "borderpath_border{" K ",border=\"east\"}", "1");
	assert_value(b, "borderpath_reach{" K ",reach=\"reached\"}", "1");
	assert_value(b, "borderpath_rtt_min_seconds{" K "}", "0.186");
	assert_value(b, "borderpath_last_round_timestamp_seconds{" C "}", last);
	assert_value(b, "borderpath_rounds_total{" C ",result=\"missed\"}", "1");
	assert_value(b, "borderpath_vantage_healthy{" C "}", "1");
	/* We were offline: the round was measured, the targets were not. */
	r = round_of("c", 2);
	r.health = ROUND_HEALTH_OFFLINE;
	gap.state = CELL_OFFLINE;
	give(b, &gap, 0);
	metrics_round(b->m, &r);
	assert_value(b, "borderpath_vantage_healthy{" C "}", "0");
	assert_value(b, "borderpath_reach{" K ",reach=\"reached\"}", "1");
	assert_value(b, "borderpath_border{" K ",border=\"east\"}", "1");
	golden(b, "offline");
	/* A gap of what was never measured is nothing. */
	key = key_of("203.0.113.0/24", METHOD_UDP);
	give(b, &gap, 0);
	assert_none(b, "method=\"udp\"");
}

static void labels_are_escaped(void **state)
{
	struct bed *b = *state;

	campaign(b, "a\"b\\c\nd", "v,}=\" {");
	golden(b, "escaped");
	assert_non_null(strstr(page(b), "campaign=\"a\\\"b\\\\c?d\",vantage=\"v,}=\\\" {\""));
}

static void a_page_of_one_campaign(void **state)
{
	struct bed *b = *state;

	campaign(b, "c", "fra1");
	campaign(b, "b", "fra1");
	buf_clear(&b->page);
	metrics_put(b->m, "b", &b->page);
	assert_non_null(strstr(b->page.bytes, "campaign=\"b\""));
	assert_null(strstr(b->page.bytes, "campaign=\"c\""));
	/* The order of names, not that of their coming. */
	assert_true(strstr(page(b), "{campaign=\"b\"") < strstr(page(b), "{campaign=\"c\""));
}

static void the_way_in_is_one(void **state)
{
	static const struct { uint8_t outcome; int border; const char *id; } rows[] = {
		{OUTCOME_BORDER, 0, "east"}, {OUTCOME_BORDER, 1, "west"},
		{OUTCOME_OTHER, -1, "other"}, {OUTCOME_MIXED, -1, "mixed"},
		{OUTCOME_UNDETERMINED, -1, "undetermined"},
		{OUTCOME_BORDER, 9, "other"}, /* no index of this profile */
	};
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key);
	char series[160];

	campaign(b, "c", "fra1");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at;
		unsigned ones = 0;

		c.outcome = rows[i].outcome;
		c.border = rows[i].border;
		give(b, &c, 0);
		snprintf(series, sizeof(series), "borderpath_border{" K ",border=\"%s\"}",
			 rows[i].id);
		assert_value(b, series, "1");
		for (at = page(b); (at = strstr(at, "\nborderpath_border{")) != NULL; at++)
			ones += strcspn(at + 1, "\n") > 2 &&
				at[strcspn(at + 1, "\n")] == '1';
		assert_int_equal(ones, 1);
	}
}

static void what_most_say(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key);

	campaign(b, "c", "fra1");
	/* One host that answers is a network that answers. */
	c.by_reach[REACH_REACHED] = 1;
	c.by_reach[REACH_SILENT] = 9;
	c.by_class[CLASS_BORDER] = 1;
	c.by_class[CLASS_INSIDE_SILENT] = 9;
	give(b, &c, 0);
	assert_value(b, "borderpath_reach{" K ",reach=\"reached\"}", "1");
	assert_value(b, "borderpath_class{" K ",class=\"inside_silent\"}", "1");
	c.by_reach[REACH_REACHED] = 0;
	c.by_reach[REACH_FILTERED] = 3;
	give(b, &c, 0);
	assert_value(b, "borderpath_reach{" K ",reach=\"silent\"}", "1");
	c.by_reach[REACH_FILTERED] = 9;
	give(b, &c, 0);
	assert_value(b, "borderpath_reach{" K ",reach=\"filtered\"}", "1");
	memset(c.by_reach, 0, sizeof(c.by_reach));
	memset(c.by_class, 0, sizeof(c.by_class));
	give(b, &c, 0);
	assert_value(b, "borderpath_reach{" K ",reach=\"unknown\"}", "1");
	assert_value(b, "borderpath_class{" K ",class=\"unknown\"}", "1");
}

/* --- the file --------------------------------------------------------------------------------- */

static void the_textfile_is_whole_and_readable(void **state)
{
	struct bed *b = *state;
	char dir[] = "/tmp/metrics.XXXXXX", file[64], fresh[64];
	mode_t before = umask(0077);
	struct stat st;
	struct buf got;
	FILE *f;
	int c;

	campaign(b, "c", "fra1");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/x.prom", dir);
	snprintf(fresh, sizeof(fresh), "%s/x.prom.tmp", dir);
	for (unsigned i = 0; i < 2; i++) {
		give_round(b, i);
		assert_int_equal(metrics_textfile(b->m, "c", file, &b->err), 0);
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
		assert_int_not_equal(access(fresh, F_OK), 0);
		buf_init(&got);
		f = fopen(file, "r");
		while ((c = fgetc(f)) != EOF)
			buf_char(&got, (char)c);
		fclose(f);
		assert_string_equal(got.bytes, page(b));
		buf_fini(&got);
	}
	/* Where it cannot be written the old one stays, and nothing is left behind. */
	assert_int_equal(mkdir(fresh, 0700), 0);
	give_round(b, 2);
	assert_true(metrics_textfile(b->m, "c", file, &b->err) < 0);
	assert_non_null(strstr(b->err.text, fresh));
	assert_int_equal(stat(file, &st), 0);
	rmdir(fresh);
	/* A link that somebody put there is not followed. */
	assert_int_equal(symlink("/dev/null", fresh), 0);
	assert_true(metrics_textfile(b->m, "c", file, &b->err) < 0);
	unlink(fresh);
	unlink(file);
	assert_int_equal(rmdir(dir), 0);
	assert_true(metrics_textfile(b->m, "c", file, &b->err) < 0);
	umask(before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_known_is_no_series_but_the_heads),
		TEST(before_the_first_round),
		TEST(a_page_of_everything),
		TEST(a_silent_target),
		TEST(a_gap_is_no_outage),
		TEST(labels_are_escaped),
		TEST(a_page_of_one_campaign),
		TEST(the_way_in_is_one),
		TEST(what_most_say),
		TEST(the_textfile_is_whole_and_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
