// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two sides of jotted paths (path_text.h), judged, for the tests of the diff; and one diff of them.
 */
#ifndef TESTS_DIFF_BED_H
#define TESTS_DIFF_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "analysis/border.h"
#include "analysis/diff.h"
#include "tests/unit/analysis/path_text.h"

#define NK "175.45.176.71"
#define UP "10.11.0.1 66.110.96.13 63.243.128.121 "
#define DANDONG UP "219.158.115.122 219.158.102.214 219.158.39.42 *3 =" NK
#define KHASAN UP "80.81.193.157 217.150.57.98 10.99.99.9 188.43.225.153 *3 =" NK

static const int64_t BEFORE_NS = INT64_C(1795341600) * NS_PER_S;
static const int64_t AFTER_NS = INT64_C(1795345200) * NS_PER_S;

enum { ROOM = 64 };

/* One side: traces with their names and verdicts. */
struct side {
	struct trace *traces[ROOM];
	struct names names[ROOM];
	struct verdict verdicts[ROOM];
	unsigned count;
	bool nameless; /* as without a database */
};

struct two {
	struct profile *profile;
	struct side before, after;
};

static inline int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	t->profile = path_profile();
	*state = t;
	return 0;
}

static inline void side_clear(struct side *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		free(s->traces[i]);
		names_fini(&s->names[i]);
	}
	s->count = 0;
}

static inline int teardown(void **state)
{
	struct two *t = *state;

	side_clear(&t->before);
	side_clear(&t->after);
	profile_free(t->profile);
	free(t);
	return 0;
}

/* Adds a trace of a flow (-1: not known) from a vantage point. */
static inline struct trace *add_from(struct two *t, bool after, const char *vantage,
				     const char *dst, const char *path, int flow)
{
	struct side *s = after ? &t->after : &t->before;
	unsigned i = s->count++;
	struct wall start = {(after ? AFTER_NS : BEFORE_NS) + i * NS_PER_S};
	struct trace *x;

	assert_true(i < ROOM);
	names_init(&s->names[i]);
	x = path_trace(dst, path, start, &s->names[i]);
	text_set(x->vantage, sizeof(x->vantage), vantage);
	x->flow = flow;
	x->sport = flow < 0 ? -1 : 33000 + flow;
	if (x->reach == REACH_UNKNOWN)
		x->reach = REACH_SILENT;
	border_judge(x, &s->names[i], t->profile, start, &s->verdicts[i]);
	s->traces[i] = x;
	return x;
}

static inline struct trace *add(struct two *t, bool after, const char *path, int flow)
{
	return add_from(t, after, "fra1", NK, path, flow);
}

static inline struct diff_set *set_of(const struct two *t)
{
	const struct side *sides[] = {&t->before, &t->after};
	struct diff_set *set;

	assert_int_equal(diff_set_new(t->profile, &set), 0);
	for (int k = 0; k < 2; k++) {
		for (unsigned i = 0; i < sides[k]->count; i++)
			assert_int_equal(diff_set_trace(set, k ? DIFF_AFTER : DIFF_BEFORE,
							sides[k]->traces[i],
							sides[k]->nameless ? NULL :
							&sides[k]->names[i],
							&sides[k]->verdicts[i]), 0);
	}
	return set;
}

static inline void compute(const struct two *t, struct diff *d)
{
	struct diff_set *set = set_of(t);

	assert_int_equal(diff_compute(set, true, d), 0);
	diff_set_free(set);
}

/* Sets the delays of all destination replies. */
static inline void delay(struct trace *x, int64_t ns)
{
	for (uint32_t i = 0; i < x->entry_count; i++) {
		if (trace_entry_is_destination(x, &x->entries[i]))
			x->entries[i].reply.rtt_ns = ns;
	}
}

#endif
