// SPDX-License-Identifier: BSD-2-Clause
/* Sentences about one verdict: what, how sure, why. Words follow REPORTS; no figure is made up. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/report/trace_text.h"
#include "analysis/words.h"

enum { REASONS_SHOWN = 4 };

static void subject(struct buf *out, const struct trace *t, const struct profile *p)
{
	struct prefix prefix = profile_judge_prefix(p, t->dst);
	char text[PREFIX_TEXT], dst[ADDR_TEXT];
	const char *method = word_of(method_words, t->method);

	if (t->method != METHOD_UNKNOWN) {
		for (const char *c = method; *c != '\0'; c++)
			buf_char(out, (char)toupper((unsigned char)*c));
		buf_str(out, " path");
	} else {
		buf_str(out, "Path");
	}
	if (!addr_is_set(t->dst))
		buf_str(out, " to a destination that is not recorded");
	else if (prefix.len > 0)
		buf_printf(out, " into %s", prefix_format(prefix, text));
	else
		buf_printf(out, " to %s", addr_format(t->dst, dst));
}

static void probabilities(struct buf *out, const struct verdict *v)
{
	for (unsigned i = 0; i < v->p_count; i++)
		buf_printf(out, "%s%s %.2f", i ? ", " : "", v->p[i].id, v->p[i].p);
}

/* Which part of the flows goes where; where none goes is not said. */
static void parts(struct buf *out, const struct style *s, const struct verdict *v,
		  const struct profile *p)
{
	const char *between = "";

	for (unsigned i = 0; i < v->p_count; i++) {
		if (v->p[i].p < 0.005)
			continue;
		buf_str(out, between);
		style_text(out, s, words_border(p, v->p[i].id));
		buf_printf(out, " %.2f", v->p[i].p);
		between = ", ";
	}
}

static void via(struct buf *out, const struct style *s, const struct verdict *v)
{
	if (v->via_asn == 0 && v->via_org[0] == '\0')
		return;
	buf_str(out, ", via ");
	if (v->via_org[0])
		style_text(out, s, v->via_org);
	if (v->via_asn != 0)
		buf_printf(out, v->via_org[0] ? " (AS%u)" : "AS%u", v->via_asn);
}

void report_confidence(double p, char *out, size_t size)
{
	if (p > 0.99)
		snprintf(out, size, ">0.99");
	else
		snprintf(out, size, "%.2f", p);
}

static void confidence(struct buf *out, double p)
{
	char text[16];

	report_confidence(p, text, sizeof(text));
	buf_printf(out, "; confidence %s", text);
}

static const char *class_clause(enum path_class c)
{
	switch (c) {
	case CLASS_FILTERED_AT_BORDER:
		return "it is filtered at the border (administratively prohibited)";
	case CLASS_CUT_BEFORE_BORDER:
		return "it ends before any border network";
	case CLASS_INSIDE_SILENT:
		return "nothing answered behind the last outside hop";
	default:
		return NULL;
	}
}

void report_verdict(struct buf *out, const struct style *s, const struct trace *t,
		    const struct verdict *v, const struct profile *p)
{
	const char *clause = class_clause(v->class);
	size_t start = out->used;

	style_face(out, s, FACE_BOLD);
	subject(out, t, p);
	switch ((enum outcome)v->outcome) {
	case OUTCOME_NONE:
		buf_printf(out, ": not in %s, so there is no border to judge", p->network_name);
		break;
	case OUTCOME_BORDER:
		buf_str(out, " enters by ");
		style_color(out, s, words_border_color(p, v->border));
		style_text(out, s, words_border(p, v->border));
		style_face(out, s, FACE_PLAIN);
		style_face(out, s, FACE_BOLD);
		via(out, s, v);
		confidence(out, v->confidence);
		break;
	case OUTCOME_OTHER:
		buf_str(out, " enters by a way that the profile does not name as a border");
		via(out, s, v);
		confidence(out, v->confidence);
		break;
	case OUTCOME_MIXED:
		buf_str(out, " takes several borders at once: ");
		parts(out, s, v, p);
		break;
	case OUTCOME_UNDETERMINED:
		buf_str(out, ": the border cannot be told from this (");
		probabilities(out, v);
		buf_char(out, ')');
		break;
	}
	style_end(out, s);
	if (clause != NULL && v->outcome != OUTCOME_NONE)
		buf_printf(out, "; %s", clause);
	buf_char(out, '.');
	style_wrap(out, s, start, 2);
}

/* Reasons that name a hop come before those about the path, the weightiest first. */
static bool before(const struct verdict_evidence *a, const struct verdict_evidence *b)
{
	if ((a->ttl > 0) != (b->ttl > 0))
		return a->ttl > 0;
	return fabs(a->weight) > fabs(b->weight);
}

static void sort_reasons(const struct verdict *v, uint8_t order[static VERDICT_EVIDENCE_MAX])
{
	for (unsigned i = 0; i < v->evidence_count; i++) {
		unsigned k = i;

		for (; k > 0 && before(&v->evidence[i], &v->evidence[order[k - 1]]); k--)
			order[k] = order[k - 1];
		order[k] = (uint8_t)i;
	}
}

static void reason(struct buf *out, const struct style *s, const struct verdict_evidence *e,
		   const struct profile *p, bool with_rule)
{
	size_t start = out->used;
	char from[ADDR_TEXT];

	buf_str(out, "  - ");
	if (e->ttl > 0 && addr_is_set(e->from))
		buf_printf(out, "hop %u, %s: ", e->ttl, addr_format(e->from, from));
	else if (e->ttl > 0)
		buf_printf(out, "hop %u: ", e->ttl);
	style_text(out, s, e->why);
	if (e->says[0] != '\0' && e->weight != 0)
		buf_printf(out, " (%s %s, weight %.1f)", e->weight > 0 ? "for" : "against",
			   words_border(p, e->says), e->weight);
	if (with_rule)
		buf_printf(out, " [%s]", e->rule);
	buf_char(out, '\n');
	style_wrap(out, s, start, 4);
}

void report_evidence(struct buf *out, const struct style *s, const struct verdict *v,
		     const struct profile *p, bool all)
{
	uint8_t order[VERDICT_EVIDENCE_MAX];
	unsigned shown = all || v->evidence_count <= REASONS_SHOWN ? v->evidence_count :
			 REASONS_SHOWN;
	unsigned left = v->evidence_count - shown;

	sort_reasons(v, order);
	for (unsigned i = 0; i < shown; i++)
		reason(out, s, &v->evidence[order[i]], p, all);
	if (left > 0)
		buf_printf(out, "  - and %u lighter %s (-v shows all)\n", left,
			   left == 1 ? "reason" : "reasons");
}

void report_always(struct buf *out, const struct style *s, const struct profile *p)
{
	size_t start = out->used;

	words_always(out, p, 1);
	buf_char(out, '\n');
	style_wrap(out, s, start, 0);
}
