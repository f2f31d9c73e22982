// SPDX-License-Identifier: BSD-2-Clause
/*
 * JUDGE: which border a path takes. A pure function of trace, names, profile and the time of the
 * record. Rules are rows of one const table, in order, each with its reason and source; each row
 * that applies adds evidence in log-odds; the sum becomes probabilities over the profile's borders
 * and "other". Verdicts speak of the path towards the network, for this method, as seen from here.
 */
#ifndef ANALYSIS_BORDER_H
#define ANALYSIS_BORDER_H

#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/profile.h"

/* One row of the rule table, for `borderpath help verdict`, the documents and the tests. apply is
 * border_judge's own: it adds the row's evidence to a case (analysis/border_rules.h). */
struct border_case;
struct border_rule {
	const char *id;
	const char *says;
	const char *reason;
	const char *source;
	void (*apply)(struct border_case *c);
};
extern const struct border_rule border_rules[]; /* ends with id NULL */

/* Judges one trace. Always fills *out (judged true). when 0 in the trace means now. */
void border_judge(const struct trace *t, const struct names *names, const struct profile *p,
		  struct wall now, struct verdict *out);

/* Judges several flows of one target together: outcome mixed where they take different borders, p
 * is then the share of flows weighed by confidence. verdicts: n >= 1 of border_judge. */
void border_judge_flows(const struct verdict *verdicts, unsigned n, struct verdict *out);

/* The same over verdicts that lie apart. */
void border_judge_list(const struct verdict *const *verdicts, unsigned n, struct verdict *out);

#endif
