// SPDX-License-Identifier: BSD-2-Clause
/* The order of measuring: all once, neighbours in different networks, the same every time. */
#include "campaign/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 1 << 17, SEED = 0x5eed };

static struct targets targets_of(const char *const *words)
{
	struct targets t;

	targets_init(&t);
	for (; *words != NULL; words++)
		assert_int_equal(targets_add(&t, *words, 0, NULL), 0);
	return t;
}

/* All of them, in order; the caller frees. */
static struct addr *unfold(const struct targets *t, uint64_t seed, bool mix, size_t *count)
{
	struct addr *all = calloc(MANY, sizeof(*all));
	struct order o;
	uint32_t entry;

	assert_non_null(all);
	assert_int_equal(order_init(&o, t, seed, mix), 0);
	for (*count = 0; order_next(&o, &entry, &all[*count]); (*count)++) {
		assert_true(*count < MANY - 1);
		assert_true(entry < t->count);
		assert_true(prefix_has(t->items[entry].prefix, all[*count]));
	}
	assert_false(order_next(&o, &entry, &all[*count]));
	order_fini(&o);
	return all;
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(*(const struct addr *)a, *(const struct addr *)b);
}

static void each_exactly_once(void **state)
{
	static const struct { const char *words[8]; size_t size; const char *why; } rows[] = {
		{{"10.64.0.0/16"}, 65536, "a /16"},
		{{"10.64.0.0/22"}, 1024, "a /22"},
		{{"10.64.0.0/24"}, 256, "one network"},
		{{"10.64.0.0/31", "10.64.1.0/30", "10.64.2.1"}, 7, "small ones"},
		{{"10.64.0.0/17", "192.0.2.1", "192.0.2.2", "198.51.100.0/24"}, 32768 + 2 + 256,
		 "large and small"},
		{{"2001:db8::/112", "2001:db8:1::/120", "10.0.0.1"}, 65536 + 256 + 1, "IPv6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int mix = 0; mix < 2; mix++) {
			struct targets t = targets_of(rows[i].words);
			size_t count;
			struct addr *all = unfold(&t, SEED, mix, &count);

			if (count != rows[i].size)
				fail_msg("%s: %zu", rows[i].why, count);
			/* All lie in their entries: when no two are the same, all are there. */
			qsort(all, count, sizeof(*all), by_address);
			for (size_t k = 1; k < count; k++)
				assert_false(addr_equal(all[k - 1], all[k]));
			free(all);
			targets_fini(&t);
		}
	}
}

/* Distinct /24 among `n` from `from` on. */
static size_t networks(const struct addr *all, size_t from, size_t n)
{
	struct addr *some = calloc(n, sizeof(*some));
	size_t distinct = 1;

	assert_non_null(some);
	for (size_t i = 0; i < n; i++)
		some[i] = addr_mask(all[from + i], 24);
	qsort(some, n, sizeof(*some), by_address);
	for (size_t i = 1; i < n; i++)
		distinct += !addr_equal(some[i - 1], some[i]);
	free(some);
	return distinct;
}

static void a_prefix_goes_round_its_networks(void **state)
{
	static const char *const words[] = {"10.64.0.0/16", NULL};
	struct targets t = targets_of(words);
	size_t count, in_turn = 0;
	struct addr *all = unfold(&t, SEED, true, &count);

	(void)state;
	for (size_t from = 0; from < count; from += 256)
		assert_int_equal(networks(all, from, 256), 256);
	/* Not simply upwards. */
	for (size_t i = 1; i < 256; i++)
		in_turn += all[i].bytes[2] == (uint8_t)(all[i - 1].bytes[2] + 1);
	assert_true(in_turn < 16);
	free(all);
	targets_fini(&t);
}

/* A file of 4096 hosts, sorted, 256 in each of 16 networks. */
static void a_sorted_list_is_spread(void **state)
{
	struct targets t;
	size_t count;
	struct addr *all;

	(void)state;
	targets_init(&t);
	for (unsigned i = 0; i < 4096; i++) {
		char word[32];

		snprintf(word, sizeof(word), "10.64.%u.%u", i >> 8, i & 0xff);
		assert_int_equal(targets_add(&t, word, 0, NULL), 0);
	}
	all = unfold(&t, SEED, true, &count);
	assert_int_equal(count, 4096);
	for (size_t from = 0; from < count; from += 16)
		assert_int_equal(networks(all, from, 16), 16);
	free(all);
	/* A few hosts that somebody typed stay as they were typed. */
	all = unfold(&t, SEED, false, &count);
	for (size_t i = 0; i < count; i++)
		assert_true(addr_equal(all[i], t.items[i].prefix.addr));
	free(all);
	targets_fini(&t);
}

static void entries_take_turns(void **state)
{
	static const char *const words[] = {"10.64.0.0/24", "10.65.0.0/24", "10.66.0.0/25", NULL};
	struct targets t = targets_of(words);
	size_t count;
	struct addr *all = unfold(&t, SEED, false, &count);

	(void)state;
	for (size_t i = 0; i < 3 * 128; i++)
		assert_int_equal(all[i].bytes[1], 64 + i % 3);
	for (size_t i = 3 * 128; i < count; i++)
		assert_int_equal(all[i].bytes[1], 64 + (i - 3 * 128) % 2);
	free(all);
	targets_fini(&t);
}

static void stable_for_a_seed(void **state)
{
	static const char *const words[] = {"10.64.0.0/20", "192.0.2.0/24", NULL};
	struct targets t = targets_of(words);
	size_t count, same = 0;
	struct addr *one = unfold(&t, 1, true, &count), *again = unfold(&t, 1, true, &count),
		    *other = unfold(&t, 2, true, &count);

	(void)state;
	assert_memory_equal(one, again, count * sizeof(*one));
	for (size_t i = 0; i < count; i++)
		same += addr_equal(one[i], other[i]);
	assert_true(same < count / 16);
	free(one);
	free(again);
	free(other);
	targets_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_exactly_once),
		cmocka_unit_test(a_prefix_goes_round_its_networks),
		cmocka_unit_test(a_sorted_list_is_spread),
		cmocka_unit_test(entries_take_turns),
		cmocka_unit_test(stable_for_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
