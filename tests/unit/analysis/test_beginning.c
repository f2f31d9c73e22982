// SPDX-License-Identifier: BSD-2-Clause
/* Shared beginnings: what scouts have in common, what confirms it, what is inherited. */
#include "analysis/beginning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/unit/analysis/path_judge.h"

/* Common words of the jotted paths. */
#define T1 "10.11.0.1"
#define T2 "66.110.96.13"
#define T3 "63.243.128.121"
#define D1 "219.158.115.122"
#define D2 "219.158.102.214"
#define D3 "219.158.39.42"
#define K1 "80.81.193.157"
#define K2 "217.150.57.98"
#define K3 "10.99.99.9"
#define K4 "188.43.225.153"
#define IN "175.45.179.254"
#define END "=175.45.176.71"

static struct beginning_view *view_of(const char *path)
{
	struct beginning_view *v = malloc(sizeof(*v));
	struct names names;
	struct trace *t;

	assert_non_null(v);
	names_init(&names);
	t = path_trace(NK, path, NOW, &names);
	assert_int_equal(beginning_read(t, &names, profile, NOW, v), 0);
	names_fini(&names);
	free(t);
	return v;
}

/* Scouts are apart by ", ". */
static void learn(const char *text, struct beginning *out)
{
	struct beginning_view *views[8] = {NULL};
	char *copy = strdup(text), *at = copy;
	unsigned n = 0;

	while (at != NULL) {
		char *comma = strstr(at, ", ");

		if (comma != NULL)
			*comma = '\0';
		views[n++] = view_of(at);
		at = comma != NULL ? comma + 2 : NULL;
	}
	beginning_learn((const struct beginning_view *const *)views, n, out);
	while (n > 0)
		free(views[--n]);
	free(copy);
}

static const struct {
	const char *scouts;
	unsigned anchor_ttl;
	const char *anchor; /* NULL: none */
	const char *reason;
} learned[] = {
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END ", "
	 T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END, 5, D2,
	 "all agree: of the carrier's hops the last two are asked every time"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END, 5, D2,
	 "one scout agrees with itself"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " END ", "
	 T1 " " T2 " " T3 " " K1 " " K2 " " K3 " " K4 " " END, 3, T3,
	 "two borders: the hop before the branch is asked, what is nearer is shared"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " END ", "
	 T1 " " T2 " 213.248.97.173 " D1 " " D2 " " D3 " " END, 2, T2,
	 "they differ at 3"},
	{T1 " " T2 " * * " D2 " " D3 " " IN " " END ", "
	 T1 " " T2 " * * " D2 " " D3 " " IN " " END, 5, D2,
	 "hops silent to all are shared as silent"},
	{T1 " " T2 " * " D1 " " D2 " " D3 " " IN " " END ", "
	 T1 " * " T3 " " D1 " " D2 " " D3 " " IN " " END, 5, D2,
	 "an answer lost contradicts nobody"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END ", "
	 T1 " " T2 " " T3 " " D1 " * " D3 " " IN " " END, 4, D1,
	 "the anchor answered every scout"},
	{T1 " " T2 " " T3 " " D1 " " D2 " * " IN " " END ", "
	 T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END, 4, D1,
	 "so did the hop behind it"},
	{T1 " " T2 " " T3 " " K1 " " K2 " " K3 " " K4 " " END, 6, K3,
	 "a private anchor amid a carrier, with the carrier's last hop asked"},
	{T1 " " T2 " " T3 " " K1 " " K2 " " K3 " 10.99.99.10 " END, 5, K2,
	 "no hop of the carrier in common behind K3: the carrier's own is asked"},
	{T1 " " T2 " " D1 " " D2 " " K2 " " K4 " " END, 3, D1,
	 "one carrier hands over to the other: neither is inherited"},
	{T1 " " T2 " " D1 " " D2 " 202.72.96.14 " K4 " " END, 3, D1,
	 "a network that is no way in at this time is nobody's border"},
	{T1 " " T2 " 198.51.100.7 198.51.100.8 198.51.100.9 " END, 4, "198.51.100.8",
	 "a listed other way counts as a border: its own hops are asked too"},
	{T1 " " T2 " 198.51.100.7 " D1 " " D2 " " END, 3, "198.51.100.7",
	 "the way is not inherited where a border's hops follow"},
	{T1 " " T2 " " T3 " " IN " " END, 3, T3, "inside is where it ends"},
	{T1 " " T2 " " T3 " " END, 3, T3, "so is the destination"},
	{T1 " " T2 " " T3 " " D1 "!X", 3, T3, "a refusal is no hop in common"},
	{T1 " " T2 " " T3 "|213.248.97.173 " D1 " " D2, 2, T2,
	 "two routers at one TTL: per-packet balancing"},
	{T1 " " T2 " " T3 "|" T3 "|* " D1 " " D2, 4, D1, "attempts that agree are one router"},
	{T1 " " T2 " " T3 " " T2 " " D1 " " D2, 3, T3, "a router that answers twice is a loop"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " END ", " T1 " " T2, 2, T2,
	 "a scout that ended early"},
	{T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " END ", *5", 0, NULL,
	 "a scout that heard nothing"},
	{"*8", 0, NULL, "nobody heard anything"},
	{T1, 0, NULL, "one hop is nothing to share"},
	{T1 " " T2, 2, T2, "two are: the second is asked"},
	{"66.110.0.1 66.110.0.2 66.110.0.3 66.110.0.4 " END ", "
	 "66.110.0.1 66.110.0.2 66.110.0.9 66.110.0.4 " END ", "
	 "66.110.0.1 66.110.0.2 66.110.0.3 66.110.0.4 " END, 2, "66.110.0.2",
	 "a balancer by destination that joins again"},
	{"66.110.0.1 66.110.0.2 66.110.0.3 66.110.0.4 66.110.0.5 " END ", "
	 "66.110.0.1 66.110.0.2 66.110.0.3 66.110.0.8 66.110.0.5 " END, 3, "66.110.0.3",
	 "a balancer by destination, further out"},
};

static void what_scouts_have_in_common(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(learned) / sizeof(learned[0]); i++) {
		struct beginning b;

		learn(learned[i].scouts, &b);
		if (b.anchor_ttl != learned[i].anchor_ttl)
			fail_msg("%s: anchor at %u, not %u", learned[i].reason, b.anchor_ttl,
				 learned[i].anchor_ttl);
		if (learned[i].anchor != NULL)
			assert_true(addr_equal(b.anchor, path_addr(learned[i].anchor)));
	}
}

/* What later traces say of a beginning by Dandong whose anchor is D2 at 5, and one by Khasan whose
 * anchor is K3 at 6. "*" before the anchor: not asked; the jotted stars are taken out. */
#define BY_D T1 " " T2 " " T3 " " D1 " " D2 " " D3 " " IN " " END
#define BY_K T1 " " T2 " " T3 " " K1 " " K2 " " K3 " " K4 " " IN " " END

static const struct {
	const char *scouts, *later;
	enum beginning_answer answer;
	const char *reason;
} confirmed[] = {
	{BY_D, "*4 " D2 " " D3 " " IN " " END, BEGINNING_CONFIRMED, "as the scouts"},
	{BY_D, "*4 " D2 " *5", BEGINNING_CONFIRMED, "the anchor is the carrier's own"},
	{BY_D, "*4 " D2 "|*|" D2 " " D3, BEGINNING_CONFIRMED, "one of its answers lost"},
	{BY_D, "*4 * " D3 " " IN " " END, BEGINNING_DOUBTFUL, "silent: it may be another"},
	{BY_D, "*4 " K2 " " K3 " " K4 " " END, BEGINNING_REFUTED, "another router"},
	{BY_D, "*4 " D2 "|" K2 " " K3 " " K4, BEGINNING_REFUTED, "two routers: it just changed"},
	{BY_D, "*4 " D2 "!X", BEGINNING_REFUTED, "it refuses"},
	{BY_D, "*4 " END, BEGINNING_REFUTED, "the destination is that near"},
	{BY_D, "*4 " D2 " " D3 " " K4 " " END, BEGINNING_DOUBTFUL,
	 "the other border's carrier behind it"},
	{BY_D, "*4 " D2 " " D3 " " D1, BEGINNING_DOUBTFUL, "back into the beginning: a loop"},
	{BY_D, "*4 " D2 " " D3 " " T3 "!X", BEGINNING_DOUBTFUL, "a filter within the beginning"},
	{BY_K, "*5 " K3 " " K4 " " IN " " END, BEGINNING_CONFIRMED, "by Khasan"},
	{BY_K, "*5 " K3 " * " IN " " END, BEGINNING_DOUBTFUL,
	 "no hop of the carrier answers here: the verdict would rest on inherited ones"},
	{T1 " " T2 " 10.0.0.3 10.0.0.4 " END, "*3 10.0.0.4 * " IN, BEGINNING_DOUBTFUL,
	 "the last named network would be an inherited one"},
	{T1 " 10.0.0.2 10.0.0.3 10.0.0.4 " END, "*3 10.0.0.4 * " IN, BEGINNING_CONFIRMED,
	 "nothing inherited speaks for anybody"},
	{T1 " " T2 " 10.0.0.3 10.0.0.4 " END, "*3 10.0.0.4 *", BEGINNING_CONFIRMED,
	 "nothing inside was seen: no way in is concluded"},
};

/* The jotted path without the entries before the anchor, as the prober would have measured it. */
static struct trace *later_of(const struct beginning *b, const char *path, struct names *names)
{
	struct trace *t = path_trace(NK, path, NOW, names);
	uint32_t skip = 0;

	while (skip < t->entry_count && t->entries[skip].ttl < b->anchor_ttl)
		skip++;
	t->entry_count -= skip;
	memmove(t->entries, &t->entries[skip], t->entry_count * sizeof(t->entries[0]));
	t->size = (uint32_t)trace_size(t->entry_count);
	t->first_ttl = b->anchor_ttl;
	t->sent = t->received = t->entry_count;
	return t;
}

static void what_confirms_a_beginning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(confirmed) / sizeof(confirmed[0]); i++) {
		struct beginning_view v;
		struct beginning b;
		struct names names;
		struct trace *t;
		enum beginning_answer answer;

		names_init(&names);
		learn(confirmed[i].scouts, &b);
		assert_int_not_equal(b.anchor_ttl, 0);
		t = later_of(&b, confirmed[i].later, &names);
		assert_int_equal(beginning_read(t, &names, profile, NOW, &v), 0);
		answer = beginning_confirm(&b, t, &v);
		if (answer != confirmed[i].answer)
			fail_msg("%s: %d, not %d", confirmed[i].reason, answer,
				 confirmed[i].answer);
		free(t);
		names_fini(&names);
	}
}

static const struct {
	const char *whole;
	enum beginning_answer answer;
	const char *reason;
} checked[] = {
	{BY_D, BEGINNING_CONFIRMED, "the same"},
	{"* " T2 " * " D1 " " D2 " *5", BEGINNING_CONFIRMED, "lost answers contradict nobody"},
	{T1 " " T2 " " T3 " " D1 " * " D3, BEGINNING_DOUBTFUL, "the anchor is silent"},
	{T1 " " T2, BEGINNING_DOUBTFUL, "ended before the anchor"},
	{T1 " 213.248.97.173 " T3 " " D1 " " D2 " " D3, BEGINNING_REFUTED,
	 "the same anchor by another way"},
	{T1 " " T2 "|213.248.97.173 " T3 " " D1 " " D2, BEGINNING_REFUTED, "both ways"},
	{BY_K, BEGINNING_REFUTED, "another border"},
};

static void what_a_whole_trace_says(void **state)
{
	struct beginning b;

	(void)state;
	learn(BY_D, &b);
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
		struct beginning_view *v = view_of(checked[i].whole);
		enum beginning_answer answer = beginning_check(&b, v);

		if (answer != checked[i].answer)
			fail_msg("%s: %d, not %d", checked[i].reason, answer, checked[i].answer);
		free(v);
	}
}

/* A target that inherits is judged as if it had been traced whole. */
static void the_verdict_is_that_of_the_whole(void **state)
{
	static const char *const paths[] = {
		BY_D, BY_K, T1 " " T2 " " T3 " * " D2 " " D3 " *3 " END,
		T1 " " T2 " " T3 " " D1 " " D2 " " D3 "!X",
		T1 " " T2 " 198.51.100.7 198.51.100.8 198.51.100.9 " IN " " END,
		"10.0.0.1 * " T3 " " K1 " " K2 " " K4 " *5",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct names names;
		struct trace *whole, *later, *t = NULL;
		struct beginning b;
		struct verdict v, w;

		names_init(&names);
		learn(paths[i], &b);
		assert_int_not_equal(b.anchor_ttl, 0);
		whole = path_trace(NK, paths[i], NOW, &names);
		text_set(whole->id, sizeof(whole->id), "scout");
		later = later_of(&b, paths[i], &names);
		assert_int_equal(beginning_inherit(&b, whole, later, &t), 0);
		assert_int_equal(trace_validate(t, t->size), 0);
		assert_string_equal(t->inherited_from, "scout");
		assert_int_equal(t->sent, later->sent);
		assert_int_equal(t->first_ttl, 1);
		assert_int_equal(t->entry_count, whole->entry_count);
		for (uint32_t k = 0; k < t->entry_count; k++) {
			const struct trace_entry *e = &t->entries[k];
			bool inherited = e->ttl < b.anchor_ttl;

			assert_int_equal((e->reply.flags & REPLY_INHERITED) != 0, inherited);
			assert_true(addr_equal(e->reply.from, whole->entries[k].reply.from));
			if (!inherited)
				continue;
			assert_true(e->reply.rtt_ns == -1);
			assert_true(e->tx_ns == TX_UNKNOWN);
		}
		border_judge(whole, &names, profile, NOW, &w);
		border_judge(t, &names, profile, NOW, &v);
		if (strcmp(told(&v), told(&w)) != 0 || v.confidence != w.confidence) {
			show(&w);
			show(&v);
			fail_msg("path %zu", i);
		}
		assert_string_equal(v.rule, w.rule);
		free(whole);
		free(later);
		free(t);
		names_fini(&names);
	}
}

static void the_best_scout_is_the_one_that_heard_most(void **state)
{
	struct beginning_view *much = view_of(BY_D), *less = view_of("* " T2 " * " D1 " " D2 " " D3);
	struct beginning b;

	(void)state;
	learn(BY_D, &b);
	assert_int_equal(beginning_known(&b, much), 4);
	assert_int_equal(beginning_known(&b, less), 2);
	free(much);
	free(less);
}

/* Any scouts, any later trace: never a hop of another border inherited, and never a crash. */
static void any_paths(void **state)
{
	uint32_t seed = 20261122;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct beginning_view *views[2];
		struct beginning b;
		char text[512];

		for (int k = 0; k < 2; k++) {
			path_random(&seed, text, sizeof(text));
			views[k] = view_of(text);
			if (i % 2)
				*views[k] = *views[0];
		}
		beginning_learn((const struct beginning_view *const *)views, 2, &b);
		if (b.anchor_ttl != 0) {
			assert_true(b.anchor_ttl > b.first_ttl);
			assert_int_equal(b.speakers & (b.speakers - 1), 0);
			assert_int_equal(beginning_check(&b, views[0]), BEGINNING_CONFIRMED);
			assert_int_equal(beginning_check(&b, views[1]), BEGINNING_CONFIRMED);
			for (unsigned ttl = b.first_ttl; ttl <= b.anchor_ttl; ttl++)
				assert_false(views[1]->hops[ttl].inside);
		}
		free(views[0]);
		free(views[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_scouts_have_in_common),
		cmocka_unit_test(what_confirms_a_beginning),
		cmocka_unit_test(what_a_whole_trace_says),
		cmocka_unit_test(the_verdict_is_that_of_the_whole),
		cmocka_unit_test(the_best_scout_is_the_one_that_heard_most),
		cmocka_unit_test(any_paths),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
