// SPDX-License-Identifier: BSD-2-Clause
/* What must hold of the verdict over any trace whatever. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <stdio.h>

#include "tests/unit/analysis/path_judge.h"

static void softmax_of_evidence(const struct verdict *v, double *p)
{
	double sum = 0;

	for (unsigned k = 0; k < v->p_count; k++) {
		double s = 0;

		for (unsigned i = 0; i < v->evidence_count; i++) {
			if (strcmp(v->evidence[i].says, v->p[k].id) == 0)
				s += v->evidence[i].weight;
		}
		sum += p[k] = exp(s);
	}
	for (unsigned k = 0; k < v->p_count; k++)
		p[k] /= sum;
}

static void check_any(const struct verdict *v, const char *path)
{
	double sum = 0, top = 0, p[VERDICT_BORDERS_MAX + 1];

	assert_true(v->judged);
	assert_true(v->confidence >= 0 && v->confidence <= 1);
	assert_true(v->evidence_count > 0);
	if (v->outcome == OUTCOME_NONE) {
		assert_int_equal(v->class, CLASS_NOT_INSIDE);
		return;
	}
	for (unsigned k = 0; k < v->p_count; k++) {
		sum += v->p[k].p;
		top = fmax(top, v->p[k].p);
	}
	softmax_of_evidence(v, p);
	for (unsigned k = 0;
	     k < v->p_count && v->outcome != OUTCOME_MIXED && strcmp(v->rule, "split_path") != 0;
	     k++) {
		if (fabs(p[k] - v->p[k].p) > 1e-9)
			fail_msg("%s: p is not the softmax of the evidence listed", path);
	}
	assert_true(fabs(sum - 1) < 1e-9);
	assert_true(fabs(top - v->confidence) < 1e-12);
	if (v->outcome != OUTCOME_UNDETERMINED)
		assert_true(v->confidence >= .5);
	assert_true((v->outcome == OUTCOME_BORDER) == (v->border[0] != '\0'));
	if (v->rule[0] == '\0')
		fail_msg("%s: no rule is named", path);
}

static void test_any_trace(void **state)
{
	uint32_t seed = 20261122;
	char path[1024];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct verdict v;

		path_random(&seed, path, sizeof(path));
		v = judge_at(i % 7 == 0	  ? NULL
			     : i % 5 == 0 ? "8.8.8.8"
					  : NK,
			     path, i % 3 == 0 ? Y2015 : NOW);
		check_any(&v, path);
	}
}

/* The order of borders in the profile is of no importance. */
static void test_order_of_borders(void **state)
{
	uint32_t seed = 7;
	char path[1024];

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct verdict a, b;
		struct profile_border first = profile->borders[0];

		path_random(&seed, path, sizeof(path));
		a = judge_at(NK, path, NOW);
		profile->borders[0] = profile->borders[1];
		profile->borders[1] = first;
		b = judge_at(NK, path, NOW);
		profile->borders[1] = profile->borders[0];
		profile->borders[0] = first;
		if (strcmp(told(&a), told(&b)) != 0 || fabs(a.confidence - b.confidence) > 1e-9) {
			show(&a);
			show(&b);
			fail_msg("%s: %s or %s by the order of borders", path, told(&a), told(&b));
		}
	}
}

/* One more attempt that nobody answers is no evidence. */
static void test_silent_attempts_change_nothing(void **state)
{
	uint32_t seed = 99;
	char path[1024], more[2048];

	(void)state;
	for (int i = 0; i < 4000; i++) {
		struct verdict a, b;
		size_t used = 0;

		path_random(&seed, path, sizeof(path));
		for (const char *c = path; *c != '\0'; c++) {
			if (c[0] == ' ' && !(c[-1] == '2' && c > path + 1 && c[-2] == '*'))
				used += (size_t)sprintf(more + used, "|*");
			more[used++] = *c;
		}
		more[used] = '\0';
		a = judge_at(NK, path, NOW);
		b = judge_at(NK, more, NOW);
		assert_string_equal(told(&a), told(&b));
		assert_true(fabs(a.confidence - b.confidence) < 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_trace),
		cmocka_unit_test(test_order_of_borders),
		cmocka_unit_test(test_silent_attempts_change_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
