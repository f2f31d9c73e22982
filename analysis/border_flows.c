// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several flows of one target, judged together: the share of flows per border. A flow that is
 * undetermined is counted apart: one that saw nothing says nothing, but those that saw another
 * border's carrier too forbid to be sure of the first. One weak dissenter is not a second border.
 * Sees verdicts only, never traces.
 */
#include "analysis/border.h"

#include <stdio.h>
#include <string.h>

/* The verdicts, in a row or listed. */
struct flows {
	const struct verdict *row;
	const struct verdict *const *list;
	unsigned n;
};

static const struct verdict *flow(const struct flows *f, unsigned i)
{
	return f->list != NULL ? f->list[i] : &f->row[i];
}

/* Dissenting flows make a path mixed when they would all be wrong with less than this chance. */
static const double DISSENT_ALL_WRONG = 0.2;

/* Log-odds for another border that make an undecided flow more than silent: a carrier's hop. */
static const double TORN_WEIGHT = 1.0;
static const double TORN_EVEN_MAX = 0.49;

static const double ROUNDING = 1e-9;

static bool decided(const struct verdict *v)
{
	return v->judged && (v->outcome == OUTCOME_BORDER || v->outcome == OUTCOME_OTHER ||
			     v->outcome == OUTCOME_MIXED);
}

static const char *side(const struct verdict *v)
{
	return v->outcome == OUTCOME_BORDER  ? v->border
	       : v->outcome == OUTCOME_OTHER ? "other"
					     : "";
}

static struct verdict_share *share_of(struct verdict *out, const char *id)
{
	for (unsigned i = 0; i < out->p_count; i++) {
		if (strcmp(out->p[i].id, id) == 0)
			return &out->p[i];
	}
	if (out->p_count == VERDICT_BORDERS_MAX + 1)
		return NULL;
	text_set(out->p[out->p_count].id, sizeof(out->p[0].id), id);
	out->p[out->p_count].p = 0;
	return &out->p[out->p_count++];
}

/* The flow to show as the example: the surest one that went the way of id. */
static const struct verdict *surest(const struct flows *f, const char *id)
{
	const struct verdict *best = NULL;

	for (unsigned i = 0; i < f->n; i++) {
		if ((id == NULL || (decided(flow(f, i)) && strcmp(side(flow(f, i)), id) == 0)) &&
		    (best == NULL || flow(f, i)->confidence > best->confidence))
			best = flow(f, i);
	}
	return best;
}

static void flow_say(struct verdict *out, const char *says, const char *why)
{
	struct verdict_evidence *e;

	if (out->evidence_count == VERDICT_EVIDENCE_MAX)
		return;
	e = &out->evidence[out->evidence_count++];
	*e = (struct verdict_evidence){0};
	text_set(e->rule, sizeof(e->rule), "flows");
	text_set(e->says, sizeof(e->says), says);
	text_set(e->why, sizeof(e->why), why);
}

/* Where flows part, p is the share of flows and no blur of their doubts: whole votes. */
static void whole_shares(const struct flows *f, struct verdict *out)
{
	double sum = 0;

	for (unsigned k = 0; k < out->p_count; k++)
		out->p[k].p = 0;
	for (unsigned i = 0; i < f->n; i++) {
		if (!decided(flow(f, i)))
			continue;
		for (unsigned k = 0; k < flow(f, i)->p_count; k++) {
			struct verdict_share *s = share_of(out, flow(f, i)->p[k].id);
			bool vote = strcmp(side(flow(f, i)), flow(f, i)->p[k].id) == 0;

			if (s != NULL && flow(f, i)->outcome == OUTCOME_MIXED)
				s->p += flow(f, i)->confidence * flow(f, i)->p[k].p;
			else if (s != NULL)
				s->p += vote ? flow(f, i)->confidence : 0;
		}
		sum += flow(f, i)->confidence;
	}
	for (unsigned k = 0; sum > 0 && k < out->p_count; k++)
		out->p[k].p /= sum;
}

static unsigned largest(const struct verdict *v)
{
	unsigned win = 0;

	for (unsigned k = 1; k < v->p_count; k++) {
		if (v->p[k].p > v->p[win].p)
			win = k;
	}
	return win;
}

/* How many flows went each way, as remarks. */
static void say_counts(const struct flows *f, struct verdict *out)
{
	char why[VERDICT_WHY_TEXT];
	unsigned undecided = 0;

	for (unsigned k = 0; k < out->p_count; k++) {
		unsigned count = 0;

		for (unsigned i = 0; i < f->n; i++)
			count += decided(flow(f, i)) && strcmp(side(flow(f, i)), out->p[k].id) == 0;
		if (count == 0)
			continue;
		snprintf(why, sizeof(why), "%u of %u flows: %s", count, f->n, out->p[k].id);
		flow_say(out, out->p[k].id, why);
	}
	for (unsigned i = 0; i < f->n; i++)
		undecided += !decided(flow(f, i));
	if (undecided > 0) {
		snprintf(why, sizeof(why), "%u of %u flows are undetermined and not counted",
			 undecided, f->n);
		flow_say(out, "", why);
	}
}

/* Shares of the flows that are decided, each flow weighed by its confidence. */
static void add_shares(const struct flows *f, struct verdict *out)
{
	double sum = 0;

	for (unsigned i = 0; i < f->n; i++) {
		if (!decided(flow(f, i)))
			continue;
		for (unsigned k = 0; k < flow(f, i)->p_count; k++) {
			struct verdict_share *s = share_of(out, flow(f, i)->p[k].id);

			if (s != NULL)
				s->p += flow(f, i)->confidence * flow(f, i)->p[k].p;
		}
		sum += flow(f, i)->confidence;
	}
	for (unsigned k = 0; sum > 0 && k < out->p_count; k++)
		out->p[k].p /= sum;
}

static bool is_mixed(const struct flows *f, const char *major)
{
	double all_wrong = 1;

	for (unsigned i = 0; i < f->n; i++) {
		if (flow(f, i)->judged && flow(f, i)->outcome == OUTCOME_MIXED)
			return true;
		if (decided(flow(f, i)) && strcmp(side(flow(f, i)), major) != 0)
			all_wrong *= 1 - flow(f, i)->confidence;
	}
	return all_wrong < DISSENT_ALL_WRONG;
}

/* All the flows' verdicts are of one kind that no shares can be given for. */
static bool nothing_to_share(const struct flows *f, struct verdict *out)
{
	const struct verdict *best = surest(f, NULL);
	unsigned none = 0, open = 0;

	for (unsigned i = 0; i < f->n; i++) {
		none += flow(f, i)->judged && flow(f, i)->outcome == OUTCOME_NONE;
		open += decided(flow(f, i));
	}
	if (open > 0 && none == 0)
		return false;
	if (none > 0 && none < f->n) {
		for (unsigned i = 0; i < f->n; i++) {
			if (flow(f, i)->outcome == OUTCOME_NONE)
				best = flow(f, i);
		}
	}
	*out = *best;
	return true;
}

/* What an undecided flow gives id by its own hops; 0 where those say next to nothing of it. */
static double torn_towards(const struct verdict *v, const char *id)
{
	double weight = 0;

	if (!v->judged || v->outcome != OUTCOME_UNDETERMINED)
		return 0;
	for (unsigned i = 0; i < v->evidence_count; i++) {
		if (strcmp(v->evidence[i].says, id) == 0 && v->evidence[i].weight > 0)
			weight += v->evidence[i].weight;
	}
	for (unsigned k = 0; weight >= TORN_WEIGHT && k < v->p_count; k++) {
		if (strcmp(v->p[k].id, id) == 0)
			return v->p[k].p;
	}
	return 0;
}

/*
 * Undecided flows that saw a second border's carrier: that all of them went by the first all the
 * same may be as unlikely as for dissenters. Which of the two is then open, as in one torn flow.
 */
static void level_torn(const struct flows *f, struct verdict *out)
{
	struct verdict_share *major = &out->p[largest(out)], *other = share_of(out, "other");

	for (unsigned k = 0; other != NULL && k < out->p_count; k++) {
		struct verdict_share *rival = &out->p[k];
		double all_wrong = 1, even = (major->p + rival->p) / 2;

		if (rival == major || rival == other || major == other)
			continue;
		for (unsigned i = 0; i < f->n; i++)
			all_wrong *= 1 - torn_towards(flow(f, i), rival->id);
		if (all_wrong >= DISSENT_ALL_WRONG)
			continue;
		if (even > TORN_EVEN_MAX) {
			other->p += 2 * (even - TORN_EVEN_MAX);
			even = TORN_EVEN_MAX;
		}
		major->p = rival->p = even;
		return;
	}
}

static void judge_flows(const struct flows *f, struct verdict *out)
{
	const struct verdict *example;
	unsigned win;
	bool mixed;

	if (f->n == 1 || nothing_to_share(f, out)) {
		if (f->n == 1)
			*out = *flow(f, 0);
		return;
	}
	memset(out, 0, offsetof(struct verdict, evidence));
	add_shares(f, out);
	mixed = is_mixed(f, out->p[largest(out)].id);
	if (mixed)
		whole_shares(f, out);
	else
		level_torn(f, out);
	win = largest(out);
	example = surest(f, out->p[win].id);
	if (example == NULL)
		example = surest(f, NULL);
	out->judged = true;
	text_set(out->profile, sizeof(out->profile), example->profile);
	text_set(out->profile_version, sizeof(out->profile_version), example->profile_version);
	out->class = example->class;
	/* Halves that add up from other addends may fall short of a half by their rounding. */
	out->confidence = out->p[win].p < .5 && out->p[win].p > .5 - ROUNDING ? .5 : out->p[win].p;
	out->last_outside = example->last_outside;
	out->last_outside_ttl = example->last_outside_ttl;
	out->first_inside = example->first_inside;
	out->first_inside_ttl = example->first_inside_ttl;
	text_set(out->rule, sizeof(out->rule), "flows");
	say_counts(f, out);
	if (out->confidence < .5) {
		out->outcome = OUTCOME_UNDETERMINED;
		return;
	}
	if (mixed) {
		out->outcome = OUTCOME_MIXED;
		return;
	}
	out->outcome = strcmp(out->p[win].id, "other") == 0 ? OUTCOME_OTHER : OUTCOME_BORDER;
	if (out->outcome == OUTCOME_BORDER)
		text_set(out->border, sizeof(out->border), out->p[win].id);
	text_set(out->rule, sizeof(out->rule), example->rule);
	out->via_asn = example->via_asn;
	out->via_basis = example->via_basis;
	text_set(out->via_org, sizeof(out->via_org), example->via_org);
	for (unsigned i = 0; i < example->evidence_count; i++) {
		if (out->evidence_count < VERDICT_EVIDENCE_MAX)
			out->evidence[out->evidence_count++] = example->evidence[i];
	}
}

void border_judge_flows(const struct verdict *verdicts, unsigned n, struct verdict *out)
{
	struct flows f = {.row = verdicts, .n = n};

	judge_flows(&f, out);
}

void border_judge_list(const struct verdict *const *verdicts, unsigned n, struct verdict *out)
{
	struct flows f = {.list = verdicts, .n = n};

	judge_flows(&f, out);
}
