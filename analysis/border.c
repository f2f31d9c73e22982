// SPDX-License-Identifier: BSD-2-Clause
/*
 * The verdict. Procedure:
 *
 *   1. The profile is asked for the time of the record.
 *   2. The trace becomes the reduced path (border_path.c): hops that speak for a border, for some
 *      other way in, or for nobody; the first hop inside.
 *   3. The rows of border_rules[] are applied in order. A row may decide alone (the destination
 *      is not in the network); otherwise it adds evidence in log-odds, or a remark of weight 0.
 *   4. Sums become probabilities over the borders and "other" (softmax). The highest is the
 *      confidence. Under 0.5 the outcome is undetermined; the last row sees to it that nothing
 *      reaches 0.5 without a hop that speaks for it.
 *
 * Deviations from a plain naive Bayes: a lone last hop that contradicts the run before it is
 * balanced out instead of weighed (row `contradiction`), and adjacency alone is capped at 0.9 (row
 * `adjacency_cap`); both appear as evidence, so that p is always the softmax of what is listed.
 * Only where hops or flows take several borders p is the share of each. Owns no rule.
 */
#include "analysis/border.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analysis/border_rules.h"

const char *border_case_id(const struct border_case *c, int speaker)
{
	if (speaker < 0)
		return "";
	return speaker < (int)c->path.borders ? c->profile->borders[speaker].id : "other";
}

void border_case_say(struct border_case *c, const struct border_hop *hop, int speaker,
		     double weight, const char *fmt, ...)
{
	struct verdict_evidence *e;
	char why[2 * VERDICT_WHY_TEXT];
	va_list ap;

	if (speaker >= 0)
		c->score[speaker] += weight;
	if (c->out->evidence_count == VERDICT_EVIDENCE_MAX)
		return;
	e = &c->out->evidence[c->out->evidence_count++];
	*e = (struct verdict_evidence){0};
	text_set(e->rule, sizeof(e->rule), c->rule);
	e->ttl = hop != NULL ? hop->ttl : 0;
	e->from = hop != NULL ? hop->from : (struct addr){0};
	text_set(e->says, sizeof(e->says), border_case_id(c, speaker));
	e->weight = speaker >= 0 ? weight : 0;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	text_set(e->why, sizeof(e->why), why);
}

void border_case_p(const struct border_case *c, double *p)
{
	double top = c->score[0], sum = 0;

	for (unsigned k = 0; k <= c->path.other; k++)
		top = fmax(top, c->score[k]);
	for (unsigned k = 0; k <= c->path.other; k++)
		sum += p[k] = exp(c->score[k] - top);
	for (unsigned k = 0; k <= c->path.other; k++)
		p[k] /= sum;
}

static bool run_joins(const struct border_run *run, const struct border_step *s)
{
	return run->speaker == s->speaker;
}

/* The run that ends at or before step *i; *i becomes the step before the run. */
static struct border_run run_back(const struct border_path *path, unsigned *i)
{
	struct border_run run = {.speaker = -1};

	while (*i > 0) {
		const struct border_step *s = &path->steps[*i - 1];

		if (s->speaker < 0) {
			--*i;
			continue;
		}
		if (run.hops == 0) {
			run.speaker = s->speaker;
			run.nearest = s->hop;
		} else if (!run_joins(&run, s)) {
			break;
		} else if (run.hops <= 2) {
			run.more[run.hops - 1] = s->hop;
		}
		run.farthest = s->hop;
		run.way = run.way || s->hop->kind == BORDER_HOP_WAY || s->hop->once_way;
		run.hops++;
		--*i;
	}
	return run;
}

static void case_runs(struct border_case *c)
{
	unsigned i = c->path.step_count;

	c->near = run_back(&c->path, &i);
	c->before = run_back(&c->path, &i);
	if (c->near.nearest == NULL)
		return;
	if (c->path.first_inside != NULL)
		c->gap = c->path.first_inside->ttl - c->near.nearest->ttl - 1u;
	for (i = 0; i < c->path.step_count; i++) {
		const struct border_step *s = &c->path.steps[i];

		if (s->ttl > c->near.nearest->ttl && s->hop->kind == BORDER_HOP_UNNAMED)
			c->unnamed_behind++;
	}
}

static uint8_t path_class(const struct border_case *c)
{
	const struct border_path *path = &c->path;
	const struct border_hop *h = c->near.nearest;

	if (path->first_inside != NULL)
		return CLASS_BORDER;
	if (h == NULL || (h->kind != BORDER_HOP_CARRIER && h->kind != BORDER_HOP_WAY))
		return path->last_answer_ttl != 0 ? CLASS_CUT_BEFORE_BORDER : CLASS_UNKNOWN;
	for (unsigned i = 0; i < path->hop_count; i++) {
		const struct border_hop *x = &path->hops[i];

		if (x->filter && x->ttl >= h->ttl && x->kind == h->kind && x->border == h->border)
			return CLASS_FILTERED_AT_BORDER;
	}
	return CLASS_INSIDE_SILENT;
}

static void fill_path(struct border_case *c)
{
	struct verdict *out = c->out;

	out->class = path_class(c);
	if (c->path.last_outside != NULL) {
		out->last_outside_ttl = c->path.last_outside->ttl;
		out->last_outside = c->path.last_outside->from;
	}
	if (c->path.first_inside != NULL) {
		out->first_inside_ttl = c->path.first_inside->ttl;
		out->first_inside = c->path.first_inside->from;
	}
}

/* Who carried it: the hop of the winner that is nearest to the network. */
static void fill_via(struct border_case *c, int winner)
{
	for (unsigned i = c->path.step_count; i-- > 0;) {
		const struct border_step *s = &c->path.steps[i];

		if (s->speaker != winner)
			continue;
		c->out->via_asn = s->hop->asn;
		text_set(c->out->via_org, sizeof(c->out->via_org), s->hop->org);
		c->out->via_basis = s->hop->basis != VIA_NONE ? s->hop->basis : VIA_HOP;
		return;
	}
}

/* The heaviest evidence for the winner names the row that decided. */
static const char *deciding_rule(const struct verdict *v, const char *winner)
{
	const struct verdict_evidence *best = NULL;

	for (unsigned i = 0; i < v->evidence_count; i++) {
		const struct verdict_evidence *e = &v->evidence[i];

		if (strcmp(e->says, winner) == 0 && e->weight > 0 &&
		    (best == NULL || e->weight > best->weight))
			best = e;
	}
	return best != NULL ? best->rule : "";
}

static void conclude(struct border_case *c)
{
	double p[BORDER_PATH_SPEAKERS];
	struct verdict *out = c->out;
	unsigned win = 0;

	border_case_p(c, p);
	out->p_count = (uint8_t)(c->path.other + 1);
	for (unsigned k = 0; k <= c->path.other; k++) {
		text_set(out->p[k].id, sizeof(out->p[k].id), border_case_id(c, (int)k));
		out->p[k].p = p[k];
		if (p[k] > p[win])
			win = k;
	}
	out->confidence = p[win];
	if (p[win] < 0.5) {
		out->outcome = OUTCOME_UNDETERMINED;
		text_set(out->rule, sizeof(out->rule), c->undecided != NULL ? c->undecided : "");
		return;
	}
	out->outcome = win < c->path.other ? OUTCOME_BORDER : OUTCOME_OTHER;
	if (out->outcome == OUTCOME_BORDER)
		text_set(out->border, sizeof(out->border), border_case_id(c, (int)win));
	fill_via(c, (int)win);
	text_set(out->rule, sizeof(out->rule), deciding_rule(out, border_case_id(c, (int)win)));
}

void border_judge(const struct trace *t, const struct names *names, const struct profile *p,
		  struct wall now, struct verdict *out)
{
	struct border_case c;

	/* Not the path: it is long, and border_path_reduce fills what there is of it. */
	memset(&c, 0, offsetof(struct border_case, path));
	memset((char *)&c + offsetof(struct border_case, near), 0,
	       sizeof(c) - offsetof(struct border_case, near));
	c.trace = t;
	c.profile = p;
	c.when = t->start.ns != 0 ? t->start : now;
	c.time_known = t->start.ns != 0;
	c.near.speaker = c.before.speaker = -1;
	c.out = out;

	/* Not the evidence: it is long, and each piece is filled when it is given. */
	memset(out, 0, offsetof(struct verdict, evidence));
	out->judged = true;
	text_set(out->profile, sizeof(out->profile), p->id != NULL ? p->id : "");
	text_set(out->profile_version, sizeof(out->profile_version),
		 p->version != NULL ? p->version : "");
	border_path_reduce(t, names, p, c.when, &c.path);
	case_runs(&c);
	fill_path(&c);
	for (const struct border_rule *r = border_rules; r->id != NULL && !c.done; r++) {
		c.rule = r->id;
		r->apply(&c);
	}
	if (!c.done)
		conclude(&c);
}
