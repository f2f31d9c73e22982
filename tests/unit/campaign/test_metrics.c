// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole pages for scripted cells, rounds and events, against golden files (tests/golden/metrics);
 * and what must hold of each page whatever happened.
 */
#include "campaign/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/text.h"
#include "tests/unit/analysis/report/golden.h"

#define GOLDEN "tests/golden/metrics/"
#define T0 (INT64_C(1795341600) * NS_PER_S)
#define MINUTE (60 * NS_PER_S)

static const char profile_text[] =
	"profile: two\nversion: 1\n"
	"network: {name: Net, asn: [64500], prefixes: [203.0.113.0/24], judge_by: {v4: 24, v6: 48}}\n"
	"borders:\n"
	"  - {id: east, name: East, networks: [{asn: 64501}]}\n"
	"  - {id: west, name: West, networks: [{asn: 64502}]}\n";

struct bed {
	struct metrics *m;
	struct profile *profile;
	struct buf page;
	struct bp_error err;
};

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_int_equal(metrics_new(&b->m), 0);
	assert_int_equal(profile_parse("two.yaml", profile_text, sizeof(profile_text) - 1,
				       &b->profile, &b->err), 0);
	buf_init(&b->page);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	metrics_free(b->m);
	profile_free(b->profile);
	buf_fini(&b->page);
	free(b);
	return 0;
}

static void campaign(struct bed *b, const char *name, const char *vantage)
{
	assert_int_equal(metrics_campaign(b->m, name, vantage, b->profile, 15 * MINUTE,
					  (struct wall){T0}), 0);
}

static const char *page(struct bed *b)
{
	buf_clear(&b->page);
	metrics_put(b->m, NULL, &b->page);
	assert_false(b->page.failed);
	return b->page.bytes;
}

/* --- what happens ----------------------------------------------------------------------------- */

/* A measured cell: everything answered by way of border 0. */
static struct cell good_cell(const struct series_key *key)
{
	struct cell c = {.key = key, .round = "r", .state = CELL_MEASURED, .traces = 2, .hosts = 2,
			 .hosts_reached = 2, .asked = 6, .answered = 6,
			 .outcome = OUTCOME_BORDER, .border = 0, .confidence = 0.875,
			 .rtt_min_ns = 186 * NS_PER_MS, .rtt_median_ns = 186500001,
			 .outside_rtt_ns = -1};

	c.by_border[0] = 2;
	c.by_reach[REACH_REACHED] = 2;
	c.by_class[CLASS_BORDER] = 2;
	return c;
}

static struct series_key key_of(const char *prefix, uint8_t method)
{
	struct series_key k = {.vantage = "fra1", .campaign = "c", .method = method};

	assert_int_equal(prefix_parse(prefix, &k.prefix), 0);
	return k;
}

static void give(struct bed *b, const struct cell *c, unsigned active)
{
	struct events_now now = {.active = active};

	metrics_cell(b->m, c, &now);
}

static struct round round_of(const char *name, unsigned number)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), name);
	text_set(r.vantage, sizeof(r.vantage), "fra1");
	r.planned.ns = T0 + number * 15 * MINUTE;
	r.start.ns = r.planned.ns + NS_PER_S;
	r.end.ns = r.start.ns + 42500 * NS_PER_MS;
	r.expected = r.done = 2;
	r.sent = 60;
	r.drops = 0;
	r.health = ROUND_HEALTH_OK;
	return r;
}

static void give_round(struct bed *b, unsigned number)
{
	struct round r = round_of("c", number);

	metrics_round(b->m, &r);
}

static struct event event_of(const char *id, uint8_t kind, uint8_t status)
{
	struct event e;

	event_init(&e);
	text_set(e.id, sizeof(e.id), id);
	e.kind = kind;
	e.status = status;
	return e;
}

static void give_event(struct bed *b, const char *id, uint8_t kind, uint8_t status)
{
	struct event e = event_of(id, kind, status);

	metrics_event(b->m, "c", "fra1", &e);
}

/* --- what the page says ----------------------------------------------------------------------- */

/* The value behind the series, or NULL where the page has none. */
static const char *value_of(struct bed *b, const char *series)
{
	static char value[64];
	const char *text = page(b), *at = text;
	size_t n = strlen(series);

	while ((at = strstr(at, series)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[n] == ' ') {
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + n + 1, "\n"),
				 at + n + 1);
			return value;
		}
		at += n;
	}
	return NULL;
}

#define assert_value(b, series, want) do { \
	const char *got = value_of(b, series); \
	if (got == NULL) \
		fail_msg("no series %s on:\n%s", series, page(b)); \
	assert_string_equal(got, want); \
} while (0)
#define assert_none(b, series) do { \
	if (strstr(page(b), series) != NULL) \
		fail_msg("%s is on:\n%s", series, page(b)); \
} while (0)

#define C "campaign=\"c\",vantage=\"fra1\""
#define K C ",prefix=\"203.0.113.0/24\",method=\"icmp\""

/* Each line is a comment or a series with a number; what is of one metric stands together; of each
 * series there is one; and no label but those that may be. */
static void check_shape(const char *text)
{
	static const char *const allowed[] = {"campaign", "vantage", "prefix", "method", "border",
					      "reach", "class", "kind", "database", "result",
					      "reason", "version"};
	char name[128] = "", *copy = strdup(text), *rest = copy, *line;
	char seen[4096] = "\n";

	assert_int_equal(text[strlen(text) - 1], '\n');
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char *labels = strchr(line, '{'), *end, key[64];

		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(name, sizeof(name), "\n%.*s\n", (int)strcspn(line + 7, " "),
				 line + 7);
			assert_null(strstr(seen, name));
			strcat(seen, name + 1);
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_int_equal(strncmp(line + 7, name + 1, strlen(name) - 2), 0);
			continue;
		}
		assert_non_null(labels);
		assert_int_equal(strncmp(line, name + 1, strlen(name) - 2), 0);
		assert_int_equal(line[strlen(name) - 2], '{');
		for (char *at = labels; *at != '}' && sscanf(at + 1, "%63[a-z_]", key) == 1;) {
			bool known = false;

			for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
				known |= strcmp(allowed[i], key) == 0;
			if (!known)
				fail_msg("label %s in: %s", key, line);
			at += 1 + strlen(key);
			assert_int_equal(at[0], '=');
			assert_int_equal(at[1], '"');
			for (at += 2; *at != '"'; at++)
				at += *at == '\\';
			at++;
		}
		strtod(strrchr(line, ' ') + 1, &end);
		assert_int_equal(*end, '\0');
		assert_non_null(strstr(line, "} "));
	}
	free(copy);
}

static void golden(struct bed *b, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), GOLDEN "%s.prom", name);
	check_shape(page(b));
	/* The files are of every version. */
	for (char *at = b->page.bytes; (at = strstr(at, BP_VERSION "\"")) != NULL; at++)
		memset(at, 'x', strlen(BP_VERSION));
	golden_compare(path, &b->page);
}

/* --- tests ------------------------------------------------------------------------------------ */

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_known_is_no_series_but_the_heads),
		TEST(before_the_first_round),
		TEST(a_page_of_everything),
		TEST(a_silent_target),
		TEST(a_gap_is_no_outage),
		TEST(rounds_by_what_came_of_them),
		TEST(what_an_earlier_process_measured),
		TEST(an_event_counts_once),
		TEST(counters_outlive_what_is_read_again),
		TEST(what_the_plan_drops_leaves_the_page),
		TEST(there_are_only_so_many),
		TEST(names_of_nobody_are_nothing),
		TEST(who_is_not_inside_has_no_series),
		TEST(labels_are_escaped),
		TEST(a_page_of_one_campaign),
		TEST(the_way_in_is_one),
		TEST(what_most_say),
		TEST(the_textfile_is_whole_and_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
