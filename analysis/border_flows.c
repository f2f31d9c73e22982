// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several flows of one target, judged together: the share of flows per border. A flow that is
 * undetermined says nothing of where the others go and is counted apart; one weak dissenter is not
 * a second border. Sees verdicts only, never traces.
 */
#include "analysis/border.h"

#include <stdio.h>
#include <string.h>

/* Dissenting flows make a path mixed when they would all be wrong with less than this chance. */
static const double DISSENT_ALL_WRONG = 0.2;

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
static const struct verdict *surest(const struct verdict *v, unsigned n, const char *id)
{
	const struct verdict *best = NULL;

	for (unsigned i = 0; i < n; i++) {
		if ((id == NULL || (decided(&v[i]) && strcmp(side(&v[i]), id) == 0)) &&
		    (best == NULL || v[i].confidence > best->confidence))
			best = &v[i];
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
static void whole_shares(const struct verdict *v, unsigned n, struct verdict *out)
{
	double sum = 0;

	for (unsigned k = 0; k < out->p_count; k++)
		out->p[k].p = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!decided(&v[i]))
			continue;
		for (unsigned k = 0; k < v[i].p_count; k++) {
			struct verdict_share *s = share_of(out, v[i].p[k].id);
			bool vote = strcmp(side(&v[i]), v[i].p[k].id) == 0;

			if (s != NULL && v[i].outcome == OUTCOME_MIXED)
				s->p += v[i].confidence * v[i].p[k].p;
			else if (s != NULL)
				s->p += vote ? v[i].confidence : 0;
		}
		sum += v[i].confidence;
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
static void say_counts(const struct verdict *v, unsigned n, struct verdict *out)
{
	char why[VERDICT_WHY_TEXT];
	unsigned undecided = 0;

	for (unsigned k = 0; k < out->p_count; k++) {
		unsigned count = 0;

		for (unsigned i = 0; i < n; i++)
			count += decided(&v[i]) && strcmp(side(&v[i]), out->p[k].id) == 0;
		if (count == 0)
			continue;
		snprintf(why, sizeof(why), "%u of %u flows", count, n);
		flow_say(out, out->p[k].id, why);
	}
	for (unsigned i = 0; i < n; i++)
		undecided += !decided(&v[i]);
	if (undecided > 0) {
		snprintf(why, sizeof(why), "%u of %u flows are undetermined and not counted",
			 undecided, n);
		flow_say(out, "", why);
	}
}

/* Shares of the flows that are decided, each flow weighed by its confidence. */
static void add_shares(const struct verdict *v, unsigned n, struct verdict *out)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!decided(&v[i]))
			continue;
		for (unsigned k = 0; k < v[i].p_count; k++) {
			struct verdict_share *s = share_of(out, v[i].p[k].id);

			if (s != NULL)
				s->p += v[i].confidence * v[i].p[k].p;
		}
		sum += v[i].confidence;
	}
	for (unsigned k = 0; sum > 0 && k < out->p_count; k++)
		out->p[k].p /= sum;
}

static bool is_mixed(const struct verdict *v, unsigned n, const char *major)
{
	double all_wrong = 1;

	for (unsigned i = 0; i < n; i++) {
		if (v[i].judged && v[i].outcome == OUTCOME_MIXED)
			return true;
		if (decided(&v[i]) && strcmp(side(&v[i]), major) != 0)
			all_wrong *= 1 - v[i].confidence;
	}
	return all_wrong < DISSENT_ALL_WRONG;
}

/* All the flows' verdicts are of one kind that no shares can be given for. */
static bool nothing_to_share(const struct verdict *v, unsigned n, struct verdict *out)
{
	const struct verdict *best = surest(v, n, NULL);
	unsigned none = 0, open = 0;

	for (unsigned i = 0; i < n; i++) {
		none += v[i].judged && v[i].outcome == OUTCOME_NONE;
		open += decided(&v[i]);
	}
	if (open > 0 && none == 0)
		return false;
	if (none > 0 && none < n) {
		for (unsigned i = 0; i < n; i++) {
			if (v[i].outcome == OUTCOME_NONE)
				best = &v[i];
		}
	}
	*out = *best;
	return true;
}

void border_judge_flows(const struct verdict *verdicts, unsigned n, struct verdict *out)
{
	const struct verdict *example;
	unsigned win;
	bool mixed;

	if (n == 1 || nothing_to_share(verdicts, n, out)) {
		if (n == 1)
			*out = verdicts[0];
		return;
	}
	memset(out, 0, sizeof(*out));
	add_shares(verdicts, n, out);
	mixed = is_mixed(verdicts, n, out->p[largest(out)].id);
	if (mixed)
		whole_shares(verdicts, n, out);
	win = largest(out);
	example = surest(verdicts, n, out->p[win].id);
	if (example == NULL)
		example = surest(verdicts, n, NULL);
	out->judged = true;
	text_set(out->profile, sizeof(out->profile), example->profile);
	text_set(out->profile_version, sizeof(out->profile_version), example->profile_version);
	out->class = example->class;
	out->confidence = out->p[win].p;
	out->last_outside = example->last_outside;
	out->last_outside_ttl = example->last_outside_ttl;
	out->first_inside = example->first_inside;
	out->first_inside_ttl = example->first_inside_ttl;
	text_set(out->rule, sizeof(out->rule), "flows");
	say_counts(verdicts, n, out);
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
