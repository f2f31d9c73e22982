// SPDX-License-Identifier: BSD-2-Clause
/* Sets of prefixes: what is in, how much of a prefix is in, against a look at each prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/prefixset.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct prefixset set_of(const char *const *words)
{
	struct prefixset s = {0};

	for (; *words != NULL; words++)
		assert_int_equal(prefixset_add(&s, prefix(*words)), 0);
	prefixset_settle(&s);
	return s;
}

static void find(void **state)
{
	static const char *const words[] = {
		"10.0.0.0/8", "192.0.2.128/25", "10.1.0.0/16", "192.0.2.7", "192.0.2.7",
		"2001:db8::/32", "255.255.255.255", "2001:db8:1::/48", NULL};
	static const struct { const char *address, *in, *why; } rows[] = {
		{"9.255.255.255", NULL, "one before"},
		{"10.0.0.0", "10.0.0.0/8", "the first"},
		{"10.1.2.3", "10.0.0.0/8", "the wider of two that hold it"},
		{"10.255.255.255", "10.0.0.0/8", "the last, behind what it swallowed"},
		{"11.0.0.0", NULL, "one after"},
		{"192.0.2.7", "192.0.2.7/32", "named twice"},
		{"192.0.2.127", NULL, "between two"},
		{"192.0.2.128", "192.0.2.128/25", "right behind a gap"},
		{"255.255.255.255", "255.255.255.255/32", "the last address of IPv4"},
		{"::", NULL, "the first address of IPv6, right behind it"},
		{"2001:db8:1::1", "2001:db8::/32", "IPv6"},
		{"ffff::", NULL, "behind all"},
	};
	struct prefixset s = set_of(words), none = {0};
	char text[PREFIX_TEXT];

	(void)state;
	assert_int_equal(s.count, 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct prefix *p = prefixset_find(&s, prefix(rows[i].address).addr);

		if ((p == NULL) != (rows[i].in == NULL) ||
		    (p != NULL && strcmp(prefix_format(*p, text), rows[i].in) != 0))
			fail_msg("%s: %s", rows[i].address, rows[i].why);
		assert_null(prefixset_find(&none, prefix(rows[i].address).addr));
	}
	prefixset_fini(&s);
}

static void overlap(void **state)
{
	static const char *const words[] = {
		"10.0.0.0/24", "10.0.2.0/24", "10.0.3.7", "10.1.0.0/16", "2001:db8::/32", NULL};
	static const struct { const char *prefix; uint64_t in; const char *why; } rows[] = {
		{"10.0.0.0/24", 256, "itself"},
		{"10.0.0.0/22", 513, "three of its parts"},
		{"10.0.0.128/25", 128, "inside of one"},
		{"10.0.1.0/24", 0, "between two"},
		{"10.0.3.6/31", 1, "one of two"},
		{"10.0.0.0/15", 513 + 65536, "all of IPv4's"},
		{"2001:db8::/64", UINT64_MAX, "more than can be said"},
		{"::/0", UINT64_MAX, "everything"},
	};
	struct prefixset s = set_of(words);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (prefixset_overlap(&s, prefix(rows[i].prefix)) != rows[i].in)
			fail_msg("%s: %s", rows[i].prefix, rows[i].why);
	}
	prefixset_fini(&s);
}

/* Thousands of random prefixes of a small space: as a look at each of them says. */
static void as_one_by_one(void **state)
{
	enum { COUNT = 4096, ASKED = 20000 };
	struct prefix all[COUNT];
	struct prefixset s = {0};

	(void)state;
	srandom(7);
	for (unsigned i = 0; i < COUNT; i++) {
		struct addr a = prefix("10.0.0.0").addr;

		a.bytes[1] = (uint8_t)random();
		a.bytes[2] = (uint8_t)random();
		a.bytes[3] = (uint8_t)random();
		all[i] = prefix_of(a, (uint8_t)(18 + random() % 15));
		assert_int_equal(prefixset_add(&s, all[i]), 0);
	}
	prefixset_settle(&s);
	for (unsigned n = 0; n < ASKED; n++) {
		struct addr a = all[random() % COUNT].addr;
		bool in = false;

		a.bytes[2] ^= (uint8_t)(1 << random() % 8);
		a.bytes[3] = (uint8_t)random();
		for (unsigned i = 0; i < COUNT && !in; i++)
			in = prefix_has(all[i], a);
		assert_int_equal(prefixset_find(&s, a) != NULL, in);
		assert_int_equal(prefixset_overlap(&s, prefix_of(a, 32)), in);
	}
	prefixset_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find),
		cmocka_unit_test(overlap),
		cmocka_unit_test(as_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
