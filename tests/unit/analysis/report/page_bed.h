// SPDX-License-Identifier: BSD-2-Clause
/* Made-up rounds for reports and pages: 1 October 2017 as FACTS tells it, with all that can be odd;
 * a quiet day; a day of many vantage points; names that want to be markup. Random numbers are of
 * one seed: the same bytes every time. */
#ifndef TESTS_REPORT_PAGE_BED_H
#define TESTS_REPORT_PAGE_BED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/report.h"
#include "analysis/sentence.h"
#include "core/err.h"

#define T0 (INT64_C(1506837600) * NS_PER_S) /* 2017-10-01T06:00:00Z */
#define MIN_NS (60 * NS_PER_S)

enum { DANDONG, KHASAN, OTHER };

struct bed {
	struct profile *p;
	struct nodes nodes;
	struct series *series;
	struct report_maker *maker;
	uint64_t seed;
	const struct report *r;
};

static inline int bed_nothing(void *arg, const struct cell *c)
{
	(void)arg;
	(void)c;
	return 0;
}

static inline void bed_must(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "bed: error %d\n", rc);
		abort();
	}
}

static inline unsigned bed_random(struct bed *b, unsigned below)
{
	b->seed = b->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(b->seed >> 33) % below;
}

static inline void bed_open(struct bed *b, int64_t since_ns, int64_t until_ns)
{
	struct bp_error err;

	*b = (struct bed){.seed = 7};
	bed_must(profile_load("profiles/dprk.yaml", &b->p, &err));
	bed_must(nodes_init(&b->nodes));
	bed_must(series_new(b->p, &b->nodes, bed_nothing, NULL, &b->series));
	bed_must(report_maker_new(b->p, b->series, (struct wall){since_ns}, (struct wall){until_ns},
				  &b->maker));
}

static inline void bed_close(struct bed *b)
{
	report_maker_free(b->maker);
	series_free(b->series);
	nodes_fini(&b->nodes);
	profile_free(b->p);
}

static inline struct prefix bed_prefix(unsigned i)
{
	struct prefix p;
	char text[32];

	snprintf(text, sizeof(text), "175.45.%u.0/24", 176 + i);
	bed_must(prefix_parse(text, &p));
	return p;
}

/* A measured cell; border < 0 is undetermined. */
static inline struct cell bed_cell(const struct series_key *key, int64_t planned_ns, int border,
			    double rtt_ms)
{
	struct cell c = {.key = key, .round = "", .planned = {planned_ns}, .first = {planned_ns},
			 .last = {planned_ns + 20 * NS_PER_S}, .every_ns = 15 * MIN_NS,
			 .state = CELL_MEASURED, .traces = 4, .hosts = 2, .asked = 12,
			 .border = border < 0 || border == OTHER ? -1 : border, .via_org = "",
			 .rtt_min_ns = -1, .rtt_median_ns = -1, .outside_rtt_ns = -1};

	c.outcome = border < 0 ? OUTCOME_UNDETERMINED : border == OTHER ? OUTCOME_OTHER :
		    OUTCOME_BORDER;
	if (border >= 0)
		c.by_border[border] = 4;
	else
		c.undetermined = 4;
	c.confidence = border < 0 ? 0 : 0.97;
	c.via_asn = border == DANDONG ? 4837 : border == KHASAN ? 20485 : 0;
	c.via_org = border == DANDONG ? "China Unicom" : border == KHASAN ? "TransTeleCom" : "";
	c.by_class[CLASS_BORDER] = 4;
	if (rtt_ms > 0) {
		c.hosts_reached = 2;
		c.answered = 12;
		c.by_reach[REACH_REACHED] = 4;
		c.rtt_median_ns = (int64_t)(rtt_ms * 1e6);
		c.rtt_min_ns = c.rtt_median_ns - 1800000;
	} else {
		c.by_reach[REACH_SILENT] = 4;
	}
	return c;
}

/* --- 1 October 2017 -------------------------------------------------------------------------- */

static inline int64_t at(const char *text)
{
	struct wall t;

	bed_must(wall_parse(text, (struct wall){0}, &t));
	return t.ns;
}

static inline int border_2017(struct bed *b, unsigned prefix, int64_t ns)
{
	if (prefix == 1 || ns < at("2017-10-01T09:07:51Z"))
		return DANDONG;
	if (ns < at("2017-10-01T10:14:45Z"))
		return KHASAN;
	if (ns < at("2017-10-01T12:21:55Z"))
		return ns > at("2017-10-01T10:47:00Z") && bed_random(b, 3) == 0 ? KHASAN : DANDONG;
	if (prefix == 0 && ns > at("2017-10-02T07:56:39Z"))
		return DANDONG;
	if (prefix == 3 && ns > at("2017-10-02T09:10:29Z"))
		return DANDONG;
	return KHASAN;
}

static const char *const vantages_2017[] = {"ams1", "ashburn", "fra1", "hkg1", "nrt1", "sin1",
					    "tyo-home", "waw2"};

/* What is odd of a vantage point at a moment; returns whether the cell is to be fed. */
static inline void odd_2017(struct bed *b, struct cell *c, unsigned v, unsigned prefix,
			    unsigned round)
{
	if (v == 4 && round >= 30 && round < 38) {
		c->state = CELL_MISSED;
		c->why = ROUND_WHY_DOWN;
	} else if (v == 5 && round >= 60 && round < 66) {
		c->state = CELL_OFFLINE;
		c->why = ROUND_WHY_OFFLINE;
	} else if (prefix == 3) {
		/* No host is known to answer in .179. */
		c->hosts_reached = 0;
		c->answered = 0;
		c->rtt_min_ns = c->rtt_median_ns = -1;
		c->by_reach[REACH_REACHED] = 0;
		c->by_reach[REACH_SILENT] = 4;
		c->confidence = 0.84;
		if (bed_random(b, 9) == 0) {
			c->outcome = OUTCOME_UNDETERMINED;
			c->border = -1;
			c->by_border[DANDONG] = c->by_border[KHASAN] = 0;
			c->undetermined = 4;
			c->by_class[CLASS_BORDER] = v == 2 ? 0 : 4;
		}
	} else if (v == 6 && round > 24 && round < 40) {
		c->outcome = OUTCOME_MIXED;
		c->border = -1;
		c->by_border[DANDONG] = c->by_border[KHASAN] = 2;
		c->mixed = 0;
	} else if (v == 7 && prefix == 1 && round > 80 && round < 96) {
		c->outcome = OUTCOME_OTHER;
		c->border = -1;
		c->by_border[DANDONG] = 0;
		c->by_border[OTHER] = 4;
		c->via_asn = 0;
		c->via_org = "";
	} else if (bed_random(b, 40) == 0) {
		c->hosts_reached = 0;
		c->answered = 0;
		c->rtt_min_ns = c->rtt_median_ns = -1;
	}
}

static inline void event_2017(struct bed *b, enum event_kind kind, const char *from, const char *to,
		       const char *prefixes, unsigned seen)
{
	struct event e;

	event_init(&e);
	e.kind = (uint8_t)kind;
	e.status = EVENT_CONFIRMED;
	e.scope = EVENT_SCOPE_PREFIX;
	text_set(e.profile, sizeof(e.profile), b->p->id);
	e.not_before.ns = at(from);
	e.not_after.ns = e.at.ns = e.seen.ns = at(to);
	e.seen_by = seen;
	e.seen_of = 8;
	for (const char *c = prefixes; *c != '\0'; c++)
		e.prefixes[e.prefix_count++] = bed_prefix((unsigned)(*c - '6'));
	e.prefix = e.prefixes[0];
	if (e.prefix_count == 1)
		e.prefix_count = 0;
	event_set_fingerprint(&e);
	event_set_id(&e, e.not_before, 1);
	if (kind == EVENT_BORDER_SWITCH) {
		bool back = strstr(to, "10:30") != NULL || strstr(to, "10-02") != NULL;

		text_set(e.from.what, sizeof(e.from.what), back ? "khasan" : "dandong");
		text_set(e.to.what, sizeof(e.to.what), back ? "dandong" : "khasan");
		e.from.asn = back ? 20485 : 4837;
		e.to.asn = back ? 4837 : 20485;
		text_set(e.from.org, sizeof(e.from.org), back ? "TransTeleCom" : "China Unicom");
		text_set(e.to.org, sizeof(e.to.org), back ? "China Unicom" : "TransTeleCom");
		e.evidence_count = 1;
		e.evidence[0].at = e.not_after;
		text_set(e.evidence[0].vantage, sizeof(e.evidence[0].vantage), "ashburn");
		text_set(e.evidence[0].why, sizeof(e.evidence[0].why),
			 "4 of 4 flows enter by the new border");
	} else if (kind == EVENT_RTT_SHIFT) {
		text_set(e.vantage, sizeof(e.vantage), "ashburn");
		e.before_ns = 282 * NS_PER_MS;
		e.after_ns = 186 * NS_PER_MS;
		e.shift_ns = -96 * NS_PER_MS;
		e.shift_low_ns = -99 * NS_PER_MS;
		e.shift_high_ns = -92 * NS_PER_MS;
		e.where = EVENT_WHERE_ON_THE_WAY;
	} else if (kind == EVENT_FLAPPING) {
		e.changes = 6;
		e.status = EVENT_RESOLVED;
		e.at = e.not_before;
		e.until = e.not_after;
	}
	bed_must(report_maker_event(b->maker, &e));
}

static inline void bed_2017(struct bed *b)
{
	unsigned number = 0;

	bed_open(b, T0, T0 + 120 * 15 * MIN_NS);
	for (unsigned v = 0; v < 8; v++) {
		for (unsigned prefix = 0; prefix < 4; prefix++) {
			struct series_key key = {number++, vantages_2017[v], "dprk",
						 bed_prefix(prefix), METHOD_TCP};

			for (unsigned round = 0; round < 120; round++) {
				int64_t ns = T0 + round * 15 * MIN_NS;
				int border = border_2017(b, prefix, ns);
				double base = border == KHASAN ? 186 + 3 * v : 282 - 9.0 * v;
				struct cell c = bed_cell(&key, ns, border,
							 base + bed_random(b, 60) / 10.0);

				odd_2017(b, &c, v, prefix, round);
				bed_must(report_maker_cell(b->maker, &c));
			}
		}
	}
	event_2017(b, EVENT_BORDER_SWITCH, "2017-10-01T09:00:00Z", "2017-10-01T09:15:00Z", "689", 7);
	event_2017(b, EVENT_RTT_SHIFT, "2017-10-01T09:00:00Z", "2017-10-01T09:15:00Z", "6", 1);
	event_2017(b, EVENT_BORDER_SWITCH, "2017-10-01T10:00:00Z", "2017-10-01T10:30:00Z", "689", 7);
	event_2017(b, EVENT_FLAPPING, "2017-10-01T10:45:00Z", "2017-10-01T12:30:00Z", "6", 8);
	event_2017(b, EVENT_BORDER_SWITCH, "2017-10-02T07:45:00Z", "2017-10-02T08:00:00Z", "6", 8);
	event_2017(b, EVENT_BORDER_SWITCH, "2017-10-02T09:00:00Z", "2017-10-02T09:15:00Z", "9", 6);
	bed_must(report_make(b->maker, &b->r));
}

/* --- other days ------------------------------------------------------------------------------ */

/* `vantages` x 4 prefixes x rounds of 15 minutes; name: what each is called, %u its number. */
static inline void bed_day(struct bed *b, unsigned vantages, unsigned rounds, bool noisy,
			   const char *name, const char *org)
{
	unsigned number = 0;

	bed_open(b, 0, 0);
	for (unsigned v = 0; v < vantages; v++) {
		for (unsigned prefix = 0; prefix < 4; prefix++) {
			char vantage[64];
			struct series_key key = {number++, vantage, "dprk", bed_prefix(prefix),
						 METHOD_TCP};

			if (vantages == 1)
				snprintf(vantage, sizeof(vantage), "%s", name);
			else
				snprintf(vantage, sizeof(vantage), "%s%02u", name, v);
			for (unsigned round = 0; round < rounds; round++) {
				int border = noisy && round > rounds / 3 && prefix != 1 ? KHASAN :
					     DANDONG;
				struct cell c = bed_cell(
					&key, T0 + round * 15 * MIN_NS,
					noisy && bed_random(b, 25) == 0 ? -1 : border,
					(border == KHASAN ? 186 : 282) + v +
					bed_random(b, noisy ? 120 : 30) / 10.0);

				c.via_org = org != NULL ? org : c.via_org;
				bed_must(report_maker_cell(b->maker, &c));
			}
		}
	}
	bed_must(report_make(b->maker, &b->r));
}

#endif
