// SPDX-License-Identifier: BSD-2-Clause
/* Metrics and what happens to them: cells, rounds, events; and what the page says of them. */
#ifndef TESTS_METRICS_BED_H
#define TESTS_METRICS_BED_H

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

static inline int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_int_equal(metrics_new(&b->m), 0);
	assert_int_equal(profile_parse("two.yaml", profile_text, sizeof(profile_text) - 1,
				       &b->profile, &b->err), 0);
	buf_init(&b->page);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bed *b = *state;

	metrics_free(b->m);
	profile_free(b->profile);
	buf_fini(&b->page);
	free(b);
	return 0;
}

static inline void campaign(struct bed *b, const char *name, const char *vantage)
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
static inline struct cell good_cell(const struct series_key *key)
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

static inline struct series_key key_of(const char *prefix, uint8_t method)
{
	struct series_key k = {.vantage = "fra1", .campaign = "c", .method = method};

	assert_int_equal(prefix_parse(prefix, &k.prefix), 0);
	return k;
}

static inline void give(struct bed *b, const struct cell *c, unsigned active)
{
	struct events_now now = {.active = active};

	metrics_cell(b->m, c, &now);
}

static inline struct round round_of(const char *name, unsigned number)
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

static inline void give_round(struct bed *b, unsigned number)
{
	struct round r = round_of("c", number);

	metrics_round(b->m, &r);
}

static inline struct event event_of(const char *id, uint8_t kind, uint8_t status)
{
	struct event e;

	event_init(&e);
	text_set(e.id, sizeof(e.id), id);
	e.kind = kind;
	e.status = status;
	return e;
}

static inline void give_event(struct bed *b, const char *id, uint8_t kind, uint8_t status)
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
static inline void check_shape(const char *text)
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

static inline void golden(struct bed *b, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), GOLDEN "%s.prom", name);
	check_shape(page(b));
	/* The files are of every version. */
	for (char *at = b->page.bytes; (at = strstr(at, BP_VERSION "\"")) != NULL; at++)
		memset(at, 'x', strlen(BP_VERSION));
	golden_compare(path, &b->page);
}

#endif
