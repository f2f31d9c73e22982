// SPDX-License-Identifier: BSD-2-Clause
/* Which traces a paths object speaks of, and that no number of records makes memory grow. */
#include "cli/judge_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

static void take(struct judge_flows *f, const char *vantage, const char *dst, enum method method,
		 int flow, const char *border)
{
	struct trace *t = trace_new(0);
	struct verdict *v = calloc(1, sizeof(*v));

	assert_non_null(t);
	assert_non_null(v);
	text_set(t->vantage, sizeof(t->vantage), vantage);
	text_set(t->target, sizeof(t->target), "host");
	assert_int_equal(addr_parse(dst, &t->dst), 0);
	t->method = (uint8_t)method;
	t->flow = flow;
	v->judged = true;
	v->outcome = OUTCOME_BORDER;
	v->confidence = .97;
	v->p_count = 1;
	v->p[0].p = .97;
	text_set(v->border, sizeof(v->border), border);
	text_set(v->p[0].id, sizeof(v->p[0].id), border);
	assert_int_equal(judge_flows_take(f, t, v), 0);
	free(t);
}

/* The outcome over the flows of an object for "fra1", 198.51.100.7 by UDP; BP_ENOTFOUND. */
static int join(struct judge_flows *f, unsigned flows)
{
	struct verdict *v = calloc(1, sizeof(*v));
	struct trace *of = trace_new(0);
	struct paths shares;
	struct bp_error err;
	struct record r;
	char line[256];
	int rc;

	snprintf(line, sizeof(line), "{\"type\":\"paths\",\"vantage\":\"fra1\",\"dst\":\"198.51.100.7\","
		 "\"target\":\"host\",\"method\":\"udp\",\"flows\":%u}", flows);
	record_init(&r);
	assert_int_equal(jsonl_read(line, strlen(line), &r, &err), 0);
	paths_init(&shares);
	rc = judge_flows_join(f, &r, of, v, &shares);
	if (rc == 0) {
		assert_int_equal(shares.flows, flows);
		assert_int_equal(of->method, METHOD_UDP);
		rc = v->outcome;
	}
	paths_fini(&shares);
	record_fini(&r);
	free(of);
	free(v);
	return rc;
}

static void only_its_own_flows(void **state)
{
	struct judge_flows f = {0};

	(void)state;
	assert_int_equal(join(&f, 1), BP_ENOTFOUND);
	take(&f, "fra1", "198.51.100.7", METHOD_UDP, 0, "west");
	take(&f, "ams1", "198.51.100.7", METHOD_UDP, 1, "east"); /* another vantage point */
	take(&f, "fra1", "198.51.100.8", METHOD_UDP, 1, "east"); /* another destination */
	take(&f, "fra1", "198.51.100.7", METHOD_TCP, 1, "east"); /* another method */
	assert_int_equal(join(&f, 2), BP_ENOTFOUND);
	take(&f, "fra1", "198.51.100.7", METHOD_UDP, 1, "west");
	assert_int_equal(join(&f, 2), OUTCOME_BORDER);
	/* They have been spoken of. */
	assert_int_equal(join(&f, 2), BP_ENOTFOUND);
	judge_flows_fini(&f);
}

static void a_round_that_was_cut_does_not_borrow(void **state)
{
	struct judge_flows f = {0};

	(void)state;
	for (int flow = 0; flow < 2; flow++)
		take(&f, "fra1", "198.51.100.7", METHOD_UDP, flow, "west");
	take(&f, "fra1", "198.51.100.7", METHOD_UDP, 1, "east");
	assert_int_equal(join(&f, 2), BP_ENOTFOUND);
	judge_flows_fini(&f);
}

static void memory_is_fixed(void **state)
{
	struct judge_flows f = {0};

	(void)state;
	take(&f, "fra1", "198.51.100.7", METHOD_UDP, 0, "west");
	for (int i = 0; i < 2 * JUDGE_FLOWS_KEPT; i++)
		take(&f, "fra1", "198.51.100.9", METHOD_UDP, 0, "west");
	take(&f, "fra1", "198.51.100.7", METHOD_UDP, 1, "west");
	/* The first was pushed out. */
	assert_int_equal(join(&f, 2), BP_ENOTFOUND);
	judge_flows_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_own_flows),
		cmocka_unit_test(a_round_that_was_cut_does_not_borrow),
		cmocka_unit_test(memory_is_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
