// SPDX-License-Identifier: BSD-2-Clause
/* {"type":"report"}: every number of a report as one JSON object. Renders nothing for people. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "analysis/json_null.h"
#include "analysis/report.h"
#include "analysis/sentence.h"
#include "analysis/words.h"
#include "core/json.h"

static void put_time(struct json_writer *w, const char *key, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns == 0 || t.ns % NS_PER_S != 0) {
		json_null_time(w, key, t);
		return;
	}
	/* Nine noughts say nothing, thousands of times. */
	wall_format(t, text);
	memcpy(text + sizeof("2017-10-01T09:07:51") - 1, "Z", 2);
	json_put_str(w, key, text);
}

static void put_ms(struct json_writer *w, const char *key, int64_t ns)
{
	json_null_ms(w, key, ns >= 0, ns);
}

/* Four decimals: a share has no more to say. */
static void put_ratio(struct json_writer *w, const char *key, double x)
{
	json_put_decimal(w, key, llround(x * 1e4), 4);
}

static void put_set(struct json_writer *w, const char *key, const struct report *r, uint32_t bits)
{
	json_begin_array(w, key);
	for (unsigned b = 0; b < r->border_count; b++) {
		if (bits >> b & 1)
			json_put_str(w, NULL, report_border_id(r, (int)b));
	}
	json_end(w);
}

static void put_borders(struct json_writer *w, const struct report *r)
{
	json_begin_array(w, "borders");
	for (unsigned b = 0; b < r->border_count; b++) {
		const char *id = report_border_id(r, (int)b);
		bool named = b < r->profile->borders_count;

		json_begin_object(w, NULL);
		json_put_str(w, "id", id);
		json_put_str(w, "name", words_border(r->profile, id));
		json_put_str(w, "short", named ? r->profile->borders[b].short_name : "O");
		json_null_text(w, "color", named ? r->profile->borders[b].color : NULL);
		json_null_text(w, "country", named ? r->profile->borders[b].country : NULL);
		json_end(w);
	}
	json_end(w);
}

static void put_vantage(struct json_writer *w, const struct report_vantage *v)
{
	json_begin_object(w, NULL);
	json_put_str(w, "vantage", v->name);
	json_put_bool(w, "counted", v->counted);
	json_put_bool(w, "down", v->down);
	json_null_seconds(w, "unheard_s", v->unheard_ns);
	json_put_bool(w, "moved", v->moved);
	json_put_int(w, "rounds", v->rounds);
	json_put_int(w, "missed", v->missed);
	json_put_int(w, "offline", v->offline);
	put_time(w, "last", v->last);
	json_null_asn(w, "egress_asn", v->egress_asn);
	json_null_text(w, "egress_org", v->egress_org);
	json_null_asn(w, "transit_asn", v->transit_asn);
	json_null_text(w, "transit_org", v->transit_org);
	json_end(w);
}

static void put_ways(struct json_writer *w, const struct report *r, const struct report_ways *x)
{
	json_begin_object(w, NULL);
	json_null_prefix(w, "prefix", x->prefix);
	put_set(w, "seen", r, x->seen);
	put_set(w, "now", r, x->now);
	json_put_int(w, "seen_count", x->seen_count);
	json_put_int(w, "now_count", x->now_count);
	json_put_int(w, "vantages", x->vantages);
	json_put_int(w, "watched", x->watched);
	json_put_bool(w, "down", x->down);
	json_end(w);
}

static void put_part(struct json_writer *w, const char *key, uint32_t k, uint32_t n)
{
	double low, high;

	json_begin_object(w, key);
	json_put_int(w, "k", k);
	if (n > 0) {
		report_wilson(k, n, &low, &high);
		put_ratio(w, "share", (double)k / n);
		put_ratio(w, "low", low);
		put_ratio(w, "high", high);
	}
	json_end(w);
}

static void put_share(struct json_writer *w, const struct report *r, const struct report_share *s)
{
	json_begin_object(w, NULL);
	put_time(w, "from", s->from);
	put_time(w, "to", s->to);
	json_put_int(w, "n", s->n);
	json_put_int(w, "undetermined", s->undetermined);
	json_begin_object(w, "by");
	for (unsigned b = 0; b < r->border_count; b++)
		put_part(w, report_border_id(r, (int)b), s->by_border[b], s->n);
	put_part(w, "mixed", s->mixed, s->n);
	json_end(w);
	json_end(w);
}

/* Counts that are nought are left out: there are many. */
static void put_count(struct json_writer *w, const char *key, uint32_t n)
{
	if (n > 0)
		json_put_int(w, key, n);
}

static void put_sum(struct json_writer *w, const struct report *r, const struct report_sum *s)
{
	json_begin_object(w, NULL);
	put_time(w, "from", s->from);
	put_time(w, "to", s->to);
	for (unsigned b = 0; b < r->border_count; b++)
		put_count(w, report_border_id(r, (int)b), s->by_border[b]);
	put_count(w, "mixed", s->mixed);
	if (s->mixed > 0)
		put_set(w, "mixed_of", r, s->mixed_borders);
	put_count(w, "undetermined", s->undetermined);
	put_count(w, "silent", s->silent);
	put_count(w, "none", s->none);
	put_count(w, "offline", s->offline);
	put_count(w, "not_measured", s->not_measured);
	put_count(w, "unsure", s->unsure);
	json_end(w);
}

static void put_span(struct json_writer *w, const struct report *r, const struct report_span *s)
{
	json_begin_object(w, NULL);
	put_time(w, "from", s->from);
	put_time(w, "to", s->to);
	json_put_str(w, "shows", word_of(report_band_words, s->band));
	if (s->borders != 0)
		put_set(w, "borders", r, s->borders);
	if (s->borders != 0)
		put_ratio(w, "confidence", s->confidence);
	if (s->rounds > 0 && s->band != REPORT_BAND_NOT_MEASURED && s->band != REPORT_BAND_OFFLINE)
		json_put_bool(w, "reached", s->reached);
	if (s->why != ROUND_WHY_NONE)
		json_put_str(w, "why", word_of(round_why_words, s->why));
	json_put_int(w, "rounds", s->rounds);
	json_end(w);
}

/* To 10 microseconds: of a line nobody reads more. */
static void put_point_ms(struct json_writer *w, int64_t ns)
{
	if (ns >= 0)
		json_put_decimal(w, NULL, (ns + 5000) / 10000, 2);
	else
		json_put_null(w, NULL);
}

static uint32_t count_at(const struct report_row *row, unsigned i, size_t member)
{
	uint32_t n;

	memcpy(&n, (const char *)&row->points[i] + member, sizeof(n));
	return n;
}

/* One number where it is the same for all. */
static void put_column(struct json_writer *w, const char *key, const struct report_row *row,
		       size_t member)
{
	bool same = row->point_count > 0;

	for (unsigned i = 1; i < row->point_count; i++)
		same = same && count_at(row, i, member) == count_at(row, 0, member);
	if (same) {
		json_put_int(w, key, count_at(row, 0, member));
		return;
	}
	json_begin_array(w, key);
	for (unsigned i = 0; i < row->point_count; i++)
		json_put_int(w, NULL, count_at(row, i, member));
	json_end(w);
}

/* Seconds from `since`: all of them, or the first and the step where they are even. */
static void put_moments(struct json_writer *w, const struct report *r,
			const struct report_row *row)
{
	const struct report_point *p = row->points;
	bool even = row->point_count > 2;

	for (unsigned i = 2; i < row->point_count; i++)
		even = even && p[i].at.ns - p[i - 1].at.ns == p[1].at.ns - p[0].at.ns;
	if (even) {
		json_put_int(w, "first_s", (p[0].at.ns - r->since.ns) / NS_PER_S);
		json_put_decimal(w, "step_s", (p[1].at.ns - p[0].at.ns) / NS_PER_MS, 3);
		return;
	}
	json_begin_array(w, "at_s");
	for (unsigned i = 0; i < row->point_count; i++)
		json_put_int(w, NULL, (p[i].at.ns - r->since.ns) / NS_PER_S);
	json_end(w);
}

/* In columns: five numbers a round are most of a report. */
static void put_points(struct json_writer *w, const struct report *r, const struct report_row *row)
{
	const struct report_point *p = row->points;

	json_begin_object(w, "points");
	put_moments(w, r, row);
	json_begin_array(w, "rtt_min_ms");
	for (unsigned i = 0; i < row->point_count; i++)
		put_point_ms(w, p[i].rtt_min_ns);
	json_end(w);
	json_begin_array(w, "rtt_median_ms");
	for (unsigned i = 0; i < row->point_count; i++)
		put_point_ms(w, p[i].rtt_median_ns);
	json_end(w);
	put_column(w, "asked", row, offsetof(struct report_point, asked));
	put_column(w, "answered", row, offsetof(struct report_point, answered));
	/* Where lines are not to be drawn: rounds were missed before these. */
	json_begin_array(w, "gap_before");
	for (unsigned i = 0; i < row->point_count; i++) {
		if (p[i].gap)
			json_put_int(w, NULL, i);
	}
	json_end(w);
	json_end(w);
}

static void put_row(struct json_writer *w, const struct report *r, const struct report_row *row)
{
	json_begin_object(w, NULL);
	json_put_str(w, "vantage", row->vantage);
	json_null_text(w, "campaign", row->campaign);
	json_null_prefix(w, "prefix", row->prefix);
	json_put_str(w, "method", word_of(method_words, row->method));
	json_put_int(w, "rounds", row->rounds);
	json_put_int(w, "missed", row->missed);
	json_put_int(w, "offline", row->offline);
	json_put_int(w, "looks", row->looks);
	json_null_seconds(w, "every_s", row->every_ns);
	put_ms(w, "rtt_min_ms", row->rtt_min_ns);
	put_ms(w, "rtt_median_ms", row->rtt_median_ns);
	json_put_int(w, "asked", (int64_t)row->asked);
	json_put_int(w, "answered", (int64_t)row->answered);
	if (row->asked > 0)
		put_ratio(w, "loss", 1 - (double)row->answered / (double)row->asked);
	else
		json_put_null(w, "loss");
	put_time(w, "last", row->last);
	json_put_str(w, "shows", word_of(report_band_words, row->band));
	put_set(w, "borders", r, row->borders);
	put_ratio(w, "confidence", row->confidence);
	json_null_asn(w, "via_asn", row->via_asn);
	json_null_text(w, "via_org", row->via_org);
	json_put_str(w, "reach", word_of(reach_words, row->reach));
	json_put_bool(w, "reached", row->reached);
	json_begin_object(w, "outcomes");
	for (unsigned b = 0; b < r->border_count; b++)
		json_put_int(w, report_border_id(r, (int)b), (int64_t)row->by_border[b]);
	json_put_int(w, "mixed", (int64_t)row->mixed);
	json_put_int(w, "undetermined", (int64_t)row->undetermined);
	json_end(w);
	json_begin_array(w, "spans");
	for (unsigned i = 0; i < row->span_count; i++)
		put_span(w, r, &row->spans[i]);
	json_end(w);
	put_points(w, r, row);
	json_end(w);
}

static void put_events(struct json_writer *w, const struct report *r)
{
	struct buf one;

	buf_init(&one);
	json_begin_array(w, "events");
	for (unsigned i = 0; i < r->event_count; i++) {
		buf_clear(&one);
		event_write_json(&one, &r->events[i]);
		w->out->failed = w->out->failed || one.failed;
		/* Without its newline. */
		if (!one.failed && one.used > 0)
			json_put_raw(w, NULL, one.bytes, one.used - 1);
	}
	json_end(w);
	buf_fini(&one);
}

static void put_head(struct json_writer *w, const struct report *r)
{
	struct buf text;

	json_put_str(w, "type", "report");
	json_put_int(w, "version", 1);
	json_put_str(w, "profile", r->profile->id);
	json_put_str(w, "profile_version", r->profile->version);
	json_put_str(w, "network", r->profile->network_name);
	put_time(w, "since", r->since);
	put_time(w, "until", r->until);
	put_time(w, "as_of", r->as_of);
	buf_init(&text);
	sentence_now(&text, r);
	if (!text.failed)
		json_put_str(w, "now", text.bytes);
	buf_fini(&text);
	json_put_int(w, "networks_of", r->networks_of);
	json_put_int(w, "traces", (int64_t)r->traces);
	json_put_int(w, "rounds", (int64_t)r->rounds);
	json_put_int(w, "missed", (int64_t)r->missed);
	json_null_seconds(w, "every_s", r->every_ns);
	put_ratio(w, "decided", r->decided);
	json_power(w, &r->power);
}

void report_write_json(struct buf *out, const struct report *r)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	put_head(&w, r);
	put_borders(&w, r);
	json_begin_array(&w, "vantage_points");
	for (unsigned i = 0; i < r->vantage_count; i++)
		put_vantage(&w, &r->vantages[i]);
	json_end(&w);
	json_begin_array(&w, "ways");
	for (unsigned i = 0; i < r->way_count; i++)
		put_ways(&w, r, &r->ways[i]);
	json_end(&w);
	json_null_seconds(&w, "step_s", r->step_ns);
	json_begin_array(&w, "shares");
	for (unsigned i = 0; i < r->share_count; i++)
		put_share(&w, r, &r->shares[i]);
	json_end(&w);
	json_begin_array(&w, "prefixes");
	for (unsigned i = 0; i < r->prefix_count; i++) {
		json_begin_object(&w, NULL);
		json_null_prefix(&w, "prefix", r->prefixes[i].prefix);
		json_put_int(&w, "keys", r->prefixes[i].keys);
		json_begin_array(&w, "sums");
		for (unsigned k = 0; k < r->prefixes[i].sum_count; k++)
			put_sum(&w, r, &r->prefixes[i].sums[k]);
		json_end(&w);
		json_end(&w);
	}
	json_end(&w);
	json_begin_array(&w, "rows");
	for (unsigned i = 0; i < r->row_count; i++)
		put_row(&w, r, &r->rows[i]);
	json_end(&w);
	put_events(&w, r);
	json_end(&w);
	buf_char(out, '\n');
}
