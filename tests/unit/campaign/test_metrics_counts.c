// SPDX-License-Identifier: BSD-2-Clause
/* What is counted, how often, and of whom; what leaves the page, and what never comes onto it. */
#include "tests/unit/campaign/metrics_bed.h"

static void rounds_by_what_came_of_them(void **state)
{
	struct bed *b = *state;
	struct round r = round_of("c", 0);

	campaign(b, "c", "fra1");
	metrics_round(b->m, &r);
	r = round_of("c", 1);
	r.missed = 1;
	r.expected = 3;
	metrics_round(b->m, &r);
	r = round_of("c", 2);
	r.look = true;
	r.end.ns += MINUTE;
	metrics_round(b->m, &r);
	assert_value(b, "borderpath_rounds_total{" C ",result=\"complete\"}", "1");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"partial\"}", "1");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"missed\"}", "0");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"look\"}", "1");
	/* A closer look is no round of the schedule: it must not hide that those are missing. */
	assert_value(b, "borderpath_last_round_timestamp_seconds{" C "}", "1795342543.5");
	assert_value(b, "borderpath_round_duration_seconds{" C "}", "42.5");
	assert_value(b, "borderpath_probes_sent_total{" C "}", "180");
	/* What is committed late does not set the moment back. */
	r = round_of("c", 0);
	metrics_round(b->m, &r);
	assert_value(b, "borderpath_last_round_timestamp_seconds{" C "}", "1795342543.5");
	/* Nobody can tell how we are: neither healthy nor not. */
	r = round_of("c", 3);
	r.health = ROUND_HEALTH_UNKNOWN;
	metrics_round(b->m, &r);
	assert_none(b, "borderpath_vantage_healthy{");
	r = round_of("c", 4);
	r.health = ROUND_HEALTH_PARTIAL;
	metrics_round(b->m, &r);
	assert_value(b, "borderpath_vantage_healthy{" C "}", "1");
}

/* A process that has just begun: how old its knowledge is, but nothing that it counted. */
static void what_an_earlier_process_measured(void **state)
{
	struct bed *b = *state;
	struct round r = round_of("c", 1);

	campaign(b, "c", "fra1");
	metrics_recall(b->m, &r);
	r = round_of("c", 0);
	r.health = ROUND_HEALTH_OFFLINE;
	metrics_recall(b->m, &r);
	assert_value(b, "borderpath_last_round_timestamp_seconds{" C "}", "1795342543.5");
	assert_value(b, "borderpath_round_duration_seconds{" C "}", "42.5");
	assert_value(b, "borderpath_vantage_healthy{" C "}", "1");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"complete\"}", "0");
	assert_value(b, "borderpath_probes_sent_total{" C "}", "0");
}

static void an_event_counts_once(void **state)
{
	struct bed *b = *state;
	struct event e = event_of("ev-0000000000000004-2", EVENT_BORDER_SWITCH, EVENT_RESOLVED);

	campaign(b, "c", "fra1");
	give_event(b, "ev-0000000000000001-1", EVENT_BORDER_SWITCH, EVENT_PROVISIONAL);
	assert_value(b, "borderpath_events_total{" C ",kind=\"border_switch\"}", "0");
	give_event(b, "ev-0000000000000001-2", EVENT_BORDER_SWITCH, EVENT_CONFIRMED);
	give_event(b, "ev-0000000000000001-3", EVENT_BORDER_SWITCH, EVENT_CONFIRMED);
	assert_value(b, "borderpath_events_total{" C ",kind=\"border_switch\"}", "1");
	give_event(b, "ev-0000000000000002-1", EVENT_BORDER_SWITCH, EVENT_CONFIRMED);
	assert_value(b, "borderpath_events_total{" C ",kind=\"border_switch\"}", "2");
	/* A recovery is an outage's last revision. */
	give_event(b, "ev-0000000000000003-1", EVENT_OUTAGE, EVENT_CONFIRMED);
	give_event(b, "ev-0000000000000003-2", EVENT_RECOVERY, EVENT_RESOLVED);
	assert_value(b, "borderpath_events_total{" C ",kind=\"outage\"}", "1");
	assert_value(b, "borderpath_events_total{" C ",kind=\"recovery\"}", "1");
	e.withdrawn = true;
	metrics_event(b->m, "c", "fra1", &e);
	assert_value(b, "borderpath_events_total{" C ",kind=\"border_switch\"}", "2");
}

static void counters_outlive_what_is_read_again(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key);
	struct profile *third;
	char text[1024];

	campaign(b, "c", "fra1");
	give(b, &c, 0);
	give_round(b, 0);
	metrics_alerts(b->m, "c", "fra1", &(struct alert_counts){.ok = {9, 5}, .failed = {0, 1}});
	assert_int_equal(metrics_campaign(b->m, "c", "fra1", b->profile, 5 * MINUTE,
					  (struct wall){T0 + MINUTE}), 0);
	metrics_alerts(b->m, "c", "fra1", &(struct alert_counts){.ok = {1, 2}});
	assert_value(b, "borderpath_rounds_total{" C ",result=\"complete\"}", "1");
	assert_value(b, "borderpath_webhook_deliveries_total{" C ",result=\"ok\"}", "7");
	assert_value(b, "borderpath_webhook_deliveries_total{" C ",result=\"failed\"}", "1");
	assert_value(b, "borderpath_round_interval_seconds{" C "}", "300");
	assert_value(b, "borderpath_start_timestamp_seconds{" C "}", "1795341600");
	assert_value(b, "borderpath_border{" K ",border=\"east\"}", "1");
	/* Other borders: what an index meant is over. */
	snprintf(text, sizeof(text), "%s  - {id: south, name: South, networks: [{asn: 64503}]}\n",
		 profile_text);
	assert_int_equal(profile_parse("three.yaml", text, strlen(text), &third, &b->err), 0);
	assert_int_equal(metrics_campaign(b->m, "c", "fra1", third, 5 * MINUTE,
					  (struct wall){T0}), 0);
	profile_free(third);
	assert_none(b, "borderpath_border{");
	give(b, &c, 0);
	assert_value(b, "borderpath_border{" K ",border=\"south\"}", "0");
	assert_value(b, "borderpath_rounds_total{" C ",result=\"complete\"}", "1");
}

static void what_the_plan_drops_leaves_the_page(void **state)
{
	struct bed *b = *state;
	struct series_key stays = key_of("203.0.113.0/24", METHOD_ICMP);
	struct series_key goes = key_of("203.0.113.0/24", METHOD_TCP);
	struct cell c = good_cell(&stays), gap = {.key = &goes, .state = CELL_MISSED};

	campaign(b, "c", "fra1");
	for (unsigned i = 0; i < METRICS_IDLE_ROUNDS + 2; i++) {
		give(b, &c, 0);
		if (i == 0) {
			c.key = &goes;
			give(b, &c, 0);
			c.key = &stays;
		} else if (i == 1) {
			give(b, &gap, 0); /* it was to be asked: not forgotten for that */
		}
		give_round(b, i);
		if (i <= METRICS_IDLE_ROUNDS)
			assert_non_null(strstr(page(b), "method=\"tcp\""));
	}
	assert_none(b, "method=\"tcp\"");
	assert_non_null(strstr(page(b), "method=\"icmp\""));
}

static void there_are_only_so_many(void **state)
{
	struct bed *b = *state;
	char prefix[32], vantage[32];

	campaign(b, "c", "fra1");
	for (unsigned i = 0; i < METRICS_KEYS_MAX + 5; i++) {
		struct series_key key;
		struct cell c;

		snprintf(prefix, sizeof(prefix), "10.%u.%u.0/24", i / 256, i % 256);
		key = key_of(prefix, METHOD_ICMP);
		c = good_cell(&key);
		give(b, &c, 0);
	}
	give_round(b, 0);
	assert_value(b, "borderpath_prefixes_left_out{" C "}", "5");
	for (unsigned i = 0; i < METRICS_GROUPS_MAX + 5; i++) {
		struct series_key key = key_of("10.0.0.0/24", METHOD_ICMP);
		struct cell c = good_cell(&key);

		snprintf(vantage, sizeof(vantage), "v%03u", i);
		key.vantage = vantage;
		give(b, &c, 0);
	}
	assert_non_null(strstr(page(b), "vantage=\"v254\""));
	assert_none(b, "vantage=\"v255\"");
	check_shape(page(b));
}

static void names_of_nobody_are_nothing(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("203.0.113.0/24", METHOD_ICMP);
	struct cell c = good_cell(&key);

	give(b, &c, 0);
	give_round(b, 0);
	give_event(b, "ev-0000000000000001-1", EVENT_OUTAGE, EVENT_CONFIRMED);
	metrics_spool(b->m, "c", "fra1", 1);
	metrics_refused(b->m, "c", "fra1", &(struct refused){.late = 1});
	metrics_alerts(b->m, "c", "fra1", &(struct alert_counts){.ok = {0, 1}});
	assert_none(b, "{");
}

/* A reference host: its "prefix" would be its address. */
static void who_is_not_inside_has_no_series(void **state)
{
	struct bed *b = *state;
	struct series_key key = key_of("198.51.100.1/32", METHOD_ICMP);
	struct cell c = good_cell(&key);

	campaign(b, "c", "fra1");
	c.outcome = OUTCOME_NONE;
	c.border = -1;
	give(b, &c, 0);
	assert_none(b, "198.51.100.1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rounds_by_what_came_of_them),
		TEST(what_an_earlier_process_measured),
		TEST(an_event_counts_once),
		TEST(counters_outlive_what_is_read_again),
		TEST(what_the_plan_drops_leaves_the_page),
		TEST(there_are_only_so_many),
		TEST(names_of_nobody_are_nothing),
		TEST(who_is_not_inside_has_no_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
