// SPDX-License-Identifier: BSD-2-Clause
/* Whatever order cells come in, within two rounds, and however often it is asked what is settled:
 * the same events, to the last byte of their last revisions. */
#include "tests/unit/analysis/events_bed.h"

static char *all_told(const struct bed *b)
{
	struct buf out;

	buf_init(&out);
	buf_str(&out, "");
	for (unsigned i = 0; i < b->told_count; i++)
		event_write_json(&out, b->told[i]);
	return out.bytes;
}

/* A history that changes now and then: mostly the same letter again. */
static void random_script(uint32_t *seed, struct buf *out)
{
	static const char letters[] = "ddddddkkkkkommuunnNHHhx.";
	static const char *const vantages[] = {"fra1", "iad1", "nrt1"};
	unsigned rounds = 20 + path_next(seed) % 60;

	for (unsigned v = 0; v < 3; v++) {
		for (unsigned p = 176; p < 179; p++) {
			char now = 'd';

			buf_printf(out, "%s %u ", vantages[v], p);
			for (unsigned i = 0; i < rounds; i++) {
				if (path_next(seed) % 6 == 0)
					now = letters[path_next(seed) % (sizeof(letters) - 1)];
				if (path_next(seed) % 30 == 0)
					buf_char(out, "+-=-@?!"[path_next(seed) % 7]);
				if (path_next(seed) % 90 == 0)
					buf_char(out, '^');
				buf_char(out, now);
				if (path_next(seed) % 12 == 0)
					buf_char(out, (char)('1' + path_next(seed) % 3));
				if (path_next(seed) % 25 == 0)
					buf_printf(out, "~%c", now == 'x' ? 'd' : now);
			}
			buf_char(out, '\n');
		}
	}
}

/* The first line that differs: a message has no room for all. */
static void fail_at(unsigned seed, unsigned way, const char *script, const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] == b[n])
		n++;
	while (n > 0 && a[n - 1] != '\n')
		n--;
	print_message("seed %u, way %u:\n%s", seed, way, script);
	print_message("%.*s\n--- not\n", (int)strcspn(b + n, "\n"), b + n);
	print_message("%.*s\n", (int)strcspn(a + n, "\n"), a + n);
	fail();
}

static void the_order_does_not_matter(void **state)
{
	struct bed *b = *state;
	unsigned told = 0;

	for (uint32_t seed = 1; seed <= 60; seed++) {
		uint32_t s = seed * 2654435761u;
		struct buf script;
		char *first, *other;

		buf_init(&script);
		random_script(&s, &script);
		bed_script(b, script.bytes);
		bed_feed(b, 0);
		first = all_told(b);
		told += b->told_count;
		for (unsigned way = 1; way <= 3; way++) {
			bed_clear(b);
			bed_script(b, script.bytes);
			b->settle = way == 1;
			bed_feed(b, way == 1 ? 0 : seed * 7 + way);
			b->settle = false;
			other = all_told(b);
			if (strcmp(first, other) != 0)
				fail_at(seed, way, script.bytes, first, other);
			free(other);
		}
		free(first);
		buf_fini(&script);
		bed_clear(b);
	}
	/* They were not all about nothing. */
	assert_true(told > 500);
	print_message("%u events\n", told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_order_does_not_matter, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
