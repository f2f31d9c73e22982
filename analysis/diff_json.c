// SPDX-License-Identifier: BSD-2-Clause
/* {"type":"diff"}: the numbers of a diff as one JSON object. Renders nothing for people. */
#include <string.h>

#include "analysis/diff.h"
#include "analysis/json_null.h"
#include "analysis/power.h"
#include "analysis/routes.h"
#include "core/json.h"

static void put_side(struct json_writer *w, const char *key, const struct diff_side *s)
{
	const struct diff_verdict *v = &s->verdict;

	json_begin_object(w, key);
	json_put_int(w, "traces", s->traces);
	json_put_int(w, "decided", s->decided);
	json_null_time(w, "first", s->first);
	json_null_time(w, "last", s->last);
	json_put_str(w, "outcome", v->judged ? word_of(outcome_words, v->outcome) : "undetermined");
	json_null_text(w, "border", v->border);
	json_put_real(w, "confidence", v->judged ? v->confidence : 0);
	json_begin_object(w, "p");
	for (unsigned i = 0; i < v->p_count; i++)
		json_put_real(w, v->p[i].id, v->p[i].p);
	json_end(w);
	json_begin_object(w, "reach");
	for (int i = 0; i < (int)(sizeof(s->reach) / sizeof(s->reach[0])); i++) {
		if (s->reach[i] > 0)
			json_put_int(w, word_of(reach_words, i), s->reach[i]);
	}
	json_end(w);
	json_put_int(w, "rtt_n", s->rtt_n);
	json_null_ms(w, "rtt_min_ms", s->rtt_n > 0, s->rtt_min_ns);
	json_null_ms(w, "rtt_median_ms", s->rtt_n > 0, s->rtt_median_ns);
	json_begin_array(w, "as_path");
	for (unsigned i = 0; i < s->as_count; i++)
		json_put_int(w, NULL, s->as_path[i]);
	json_end(w);
	json_null_text(w, "example", s->example_id);
	json_end(w);
}

static void put_row(struct json_writer *w, const struct diff_row *r)
{
	bool shift = r->before.rtt_n > 0 && r->after.rtt_n > 0;
	bool interval = shift && r->rtt != DIFF_TOO_FEW;

	json_begin_object(w, NULL);
	json_put_str(w, "vantage", r->vantage);
	json_null_prefix(w, "prefix", r->prefix);
	json_put_str(w, "method", word_of(method_words, r->method));
	json_null_text(w, "target", r->target);
	json_put_bool(w, "comparable", r->comparable);
	json_put_bool(w, "changed", r->changed);
	json_put_str(w, "border", word_of(diff_change_words, (int)r->border));
	json_put_str(w, "path", word_of(diff_change_words, (int)r->path));
	json_put_str(w, "path_level", word_of(diff_level_words, (int)r->path_level));
	if (r->path_ttl > 0)
		json_put_int(w, "path_ttl", r->path_ttl);
	json_put_str(w, "rtt", word_of(diff_change_words, (int)r->rtt));
	json_null_ms(w, "shift_ms", shift, r->shift_ns);
	json_null_ms(w, "shift_low_ms", interval, r->shift_low_ns);
	json_null_ms(w, "shift_high_ms", interval, r->shift_high_ns);
	json_put_str(w, "reach", word_of(diff_change_words, (int)r->reach));
	put_side(w, "before", &r->before);
	put_side(w, "after", &r->after);
	json_end(w);
}

static void put_move(struct json_writer *w, const struct diff_move *m)
{
	json_begin_object(w, NULL);
	json_put_str(w, "from", m->from);
	json_put_str(w, "to", m->to);
	json_put_int(w, "from_asn", m->from_asn);
	json_null_text(w, "from_org", m->from_org);
	json_put_int(w, "to_asn", m->to_asn);
	json_null_text(w, "to_org", m->to_org);
	json_begin_array(w, "prefixes");
	for (unsigned i = 0; i < m->prefix_count; i++)
		json_null_prefix(w, NULL, m->prefixes[i]);
	json_end(w);
	json_put_int(w, "seen_by", m->vantages);
	json_put_int(w, "seen_of", m->vantages_of);
	json_null_time(w, "not_before", m->not_before);
	json_null_time(w, "not_after", m->not_after);
	json_end(w);
}

static void put_rounds(struct json_writer *w, const char *key, const struct diff_rounds *r)
{
	json_begin_object(w, key);
	json_put_int(w, "rounds", r->rounds);
	json_put_int(w, "missed", r->missed);
	json_put_int(w, "partial", r->partial);
	json_null_text(w, "why", r->why != ROUND_WHY_NONE ? word_of(round_why_words, r->why) : "");
	json_end(w);
}

static void put_point(struct json_writer *w, const struct diff_vantage *p)
{
	json_begin_object(w, NULL);
	json_put_str(w, "vantage", p->name);
	json_put_bool(w, "counted", p->counted);
	put_rounds(w, "before", &p->rounds[DIFF_BEFORE]);
	put_rounds(w, "after", &p->rounds[DIFF_AFTER]);
	json_end(w);
}

void diff_write_json(struct buf *out, const struct diff *d)
{
	static const char *const results[] = {"same", "changed", "trouble"};
	struct json_writer w;
	struct power power;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "diff");
	json_put_int(&w, "version", 1);
	json_put_bool(&w, "comparable", d->result != DIFF_RESULT_TROUBLE);
	json_put_str(&w, "result", results[d->result]);
	if (d->why[0] != '\0')
		json_put_str(&w, "why", d->why);
	json_null_time(&w, "not_before", d->not_before);
	json_null_time(&w, "not_after", d->not_after);
	json_put_int(&w, "traces_before", d->traces_before);
	json_put_int(&w, "traces_after", d->traces_after);
	json_put_int(&w, "only_before", d->only_before);
	json_put_int(&w, "only_after", d->only_after);
	json_put_int(&w, "vantages", d->vantages);
	json_put_int(&w, "networks_of", d->networks_of);
	if (d->result == DIFF_RESULT_SAME) {
		power_of_diff(d, 0, 0, &power);
		json_power(&w, &power);
	}
	json_begin_array(&w, "vantage_points");
	for (unsigned i = 0; i < d->point_count; i++)
		put_point(&w, &d->points[i]);
	json_end(&w);
	json_begin_array(&w, "moves");
	for (unsigned i = 0; i < d->move_count; i++)
		put_move(&w, &d->moves[i]);
	json_end(&w);
	json_begin_array(&w, "rows");
	for (unsigned i = 0; i < d->row_count; i++)
		put_row(&w, &d->rows[i]);
	json_end(&w);
	json_begin_array(&w, "targets");
	for (unsigned i = 0; i < d->target_count; i++)
		put_row(&w, &d->targets[i]);
	json_end(&w);
	if (d->routes != NULL)
		routes_json(&w, d->routes);
	json_end(&w);
	buf_char(out, '\n');
}
