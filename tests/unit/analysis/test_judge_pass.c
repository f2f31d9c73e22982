// SPDX-License-Identifier: BSD-2-Clause
/* The pass with a cache and without it: the same names, the same flags, the same verdict. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "analysis/annotate.h"
#include "analysis/border.h"
#include "analysis/judge_pass.h"
#include "analysis/light.h"
#include "tests/unit/analysis/path_judge.h"

#define GOLDEN "tests/golden/mmdb/"

static struct geo *geo;

static int open_all(void **state)
{
	struct bp_error err;

	setup(state);
	return geo_open(GOLDEN "asn-maxmind.mmdb", GOLDEN "country-maxmind.mmdb", profile, &geo,
			&err);
}

static int close_all(void **state)
{
	geo_close(geo);
	return teardown(state);
}

/* A random trace that differs from others in one of the things a judgement reads, or in none. */
static struct trace *any_trace(uint32_t *seed, const char *path)
{
	static const struct wall when[] = {T_2000, T_2013, T_2015, T_2019, T_NOW};
	static const char *const dst[] = {NK, "8.8.8.8", NULL};
	static const uint8_t methods[] = {METHOD_ICMP, METHOD_UDP, METHOD_TCP};
	struct names unused;
	struct trace *t;

	names_init(&unused);
	t = path_trace(dst[path_next(seed) % 8 % 3], path, when[path_next(seed) % 5], &unused);
	names_fini(&unused);
	t->method = methods[path_next(seed) % 3];
	/* A second more or less is the same time, unless a verdict tells it. */
	t->start.ns += (int64_t)(path_next(seed) % 5) * NS_PER_S;
	if (path_next(seed) % 16 == 0)
		t->start.ns = 0;
	if (path_next(seed) % 4 == 0)
		t->stamps = STAMPS_IMPORT;
	if (path_next(seed) % 16 == 0) {
		t->stop = STOP_ERROR;
		text_set(t->error, sizeof(t->error), path_next(seed) % 2 ? "one" : "two");
	}
	if (path_next(seed) % 4 == 0)
		t->src = path_addr("203.0.113.2");
	if (path_next(seed) % 2 == 0) {
		t->place_known = true;
		t->lat = 40;
		t->lon = path_next(seed) % 2 ? 125 : -70;
	}
	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct reply *r = &t->entries[i].reply;

		if (!addr_is_set(r->from))
			continue;
		if (path_next(seed) % 32 == 0)
			r->flags |= REPLY_NEARER;
		if (path_next(seed) % 32 == 0)
			r->tcp_flags = 0x12;
		if (path_next(seed) % 32 == 0)
			r->icmp_code = 3;
		if (path_next(seed) % 32 == 0)
			r->icmp_type = -1;
		if (path_next(seed) % 8 == 0)
			r->rtt_ns = (int64_t)(path_next(seed) % 300) * NS_PER_MS;
	}
	return t;
}

/* What a record may bring: a host name, a name of an address that is not in the trace, and words of
 * another database that are out of date. */
static void bring_names(struct names *n, const struct trace *t, uint32_t kind)
{
	struct name *x;

	if (kind % 3 == 0)
		return;
	x = names_put(n, t->entries[0].reply.from.family ? t->entries[0].reply.from
							  : path_addr("192.0.2.1"));
	text_set(x->host, sizeof(x->host), kind % 3 == 1 ? "a.example" : "b.example");
	x->asn = 64999;
	x->source = NAME_SOURCE_ASN_DB;
	x = names_put(n, path_addr("192.0.2.77"));
	text_set(x->host, sizeof(x->host), "else.example");
}

static void same_names(const struct names *a, const struct names *b, const char *path)
{
	assert_int_equal(a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		if (memcmp(&a->items[i], &b->items[i], sizeof(a->items[i])) != 0)
			fail_msg("%s: another name with the cache", path);
	}
	assert_memory_equal(&a->geo, &b->geo, sizeof(a->geo));
}

static void same_verdict(const struct verdict *a, const struct verdict *b, const char *path)
{
	size_t head = offsetof(struct verdict, evidence);

	if (memcmp(a, b, head) != 0 ||
	    memcmp(a->evidence, b->evidence, a->evidence_count * sizeof(a->evidence[0])) != 0) {
		show(a);
		show(b);
		fail_msg("%s: another verdict with the cache", path);
	}
}

static struct trace *copy_of(const struct trace *t)
{
	struct trace *copy = malloc(trace_size(t->entry_count));

	memcpy(copy, t, trace_size(t->entry_count));
	return copy;
}

/* The pass by hand: this is what it stands for. */
static void by_hand(struct trace *t, struct names *n, struct verdict *v)
{
	assert_int_equal(annotate(t, geo, n), 0);
	light_mark(t, profile, NOW);
	border_judge(t, n, profile, NOW, v);
}

static void compare(struct judge_pass *j, const struct trace *t, uint32_t kind, const char *path)
{
	struct trace *a = copy_of(t), *b = copy_of(t);
	struct names x, y;
	struct verdict v, w;

	names_init(&x);
	names_init(&y);
	bring_names(&x, t, kind);
	bring_names(&y, t, kind);
	/* What is not judged must not be taken from what was there. */
	memset(&w, 0xee, sizeof(w));
	by_hand(a, &x, &v);
	assert_int_equal(judge_pass_trace(j, b, &y, NOW, &w), 0);
	same_names(&x, &y, path);
	same_verdict(&v, &w, path);
	for (uint32_t i = 0; i < a->entry_count; i++)
		assert_int_equal(a->entries[i].reply.flags, b->entries[i].reply.flags);
	names_fini(&x);
	names_fini(&y);
	free(a);
	free(b);
}

static void test_same_with_cache(void **state)
{
	static const unsigned slots[] = {0, 1, 64, JUDGE_PASS_SLOTS};
	struct judge_pass j;
	char path[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		uint32_t seed = 4, paths = 5;

		assert_int_equal(judge_pass_init(&j, geo, profile, slots[i]), 0);
		for (int k = 0; k < 5000; k++) {
			struct trace *t;

			/* Few paths, so that many come again with something else about them. */
			if (k % 64 == 0)
				paths = 5;
			path_random(&paths, path, sizeof(path));
			t = any_trace(&seed, path);
			compare(&j, t, (uint32_t)k, path);
			compare(&j, t, (uint32_t)k + 1, path);
			free(t);
		}
		assert_int_equal(j.judged, 10000);
		assert_true(slots[i] == 0 ? j.found == 0 : j.found > 2000);
		judge_pass_fini(&j);
	}
}

/* The same path is found again at another moment and with other delays; not on the other side of a
 * date of the profile. */
static void test_what_is_shared(void **state)
{
	static const char path[] = "66.110.96.13 219.158.1.1 103.35.255.254 * =" NK;
	static const struct { const char *why; int64_t start_s; int found; } rows[] = {
		{"nobody came before", 1795341600, 0},
		{"an hour later", 1795345200, 1},
		{"before a network and a label began (2026-10-01)", 1790812800 - 1, 0},
		{"the moment they began", 1790812800, 1},
		{"a second before again", 1790812800 - 1, 1},
	};
	struct judge_pass j;

	(void)state;
	assert_int_equal(judge_pass_init(&j, geo, profile, 64), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t found = j.found;
		struct names unused;
		struct trace *t;

		names_init(&unused);
		t = path_trace(NK, path, (struct wall){rows[i].start_s * NS_PER_S}, &unused);
		t->entries[1].reply.rtt_ns += (int64_t)i * NS_PER_MS;
		compare(&j, t, 0, rows[i].why);
		if (j.found - found != (uint64_t)rows[i].found)
			fail_msg("%s: %s", rows[i].why, rows[i].found ? "judged again" : "shared");
		free(t);
		names_fini(&unused);
	}
	judge_pass_fini(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_with_cache),
		cmocka_unit_test(test_what_is_shared),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
