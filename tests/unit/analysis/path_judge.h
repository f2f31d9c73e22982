// SPDX-License-Identifier: BSD-2-Clause
/* Jotted paths judged, for the tests of the verdict: one profile for a whole test program. */
#ifndef TESTS_PATH_JUDGE_H
#define TESTS_PATH_JUDGE_H

#include "analysis/border.h"
#include "tests/unit/analysis/path_text.h"

#define NK "175.45.176.71"

#define T_NONE {0}
#define T_2000 {INT64_C(946684800) * NS_PER_S}
#define T_2013 {INT64_C(1370044800) * NS_PER_S}
#define T_2015 {INT64_C(1433116800) * NS_PER_S}
#define T_2019 {INT64_C(1549411200) * NS_PER_S}
#define T_NOW {INT64_C(1795341600) * NS_PER_S} /* 2026-11-22 */

static const struct wall NOW = T_NOW, Y2013 = T_2013, Y2015 = T_2015, Y2019 = T_2019;
static const struct wall UNKNOWN = T_NONE;

static struct profile *profile;

static inline int setup(void **state)
{
	(void)state;
	profile = path_profile();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	return 0;
}

static inline struct verdict judge_at(const char *dst, const char *path, struct wall start)
{
	struct verdict v;
	struct names names;
	struct trace *t;

	names_init(&names);
	t = path_trace(dst, path, start, &names);
	border_judge(t, &names, profile, NOW, &v);
	names_fini(&names);
	free(t);
	return v;
}

static inline const struct verdict_evidence *evidence_of(const struct verdict *v, const char *rule)
{
	for (unsigned i = 0; i < v->evidence_count; i++) {
		if (strcmp(v->evidence[i].rule, rule) == 0)
			return &v->evidence[i];
	}
	return NULL;
}

static inline const char *told(const struct verdict *v)
{
	return v->outcome == OUTCOME_BORDER ? v->border : word_of(outcome_words, v->outcome);
}

static inline void show(const struct verdict *v)
{
	char from[ADDR_TEXT];

	print_message("  %s %.3f class %s rule %s\n", told(v), v->confidence,
		      word_of(path_class_words, v->class), v->rule);
	for (unsigned i = 0; i < v->evidence_count; i++)
		print_message("    %-20s %3u %-16s %-8s %+.2f %s\n", v->evidence[i].rule,
			      v->evidence[i].ttl, addr_format(v->evidence[i].from, from),
			      v->evidence[i].says, v->evidence[i].weight, v->evidence[i].why);
}

#endif
