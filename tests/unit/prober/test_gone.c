// SPDX-License-Identifier: BSD-2-Clause
/* What flew lately: known again, by all of its parts; others are not; old ones give way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "prober/gone.h"

static struct flow flow_to(uint32_t n)
{
	struct flow f = {.method = METHOD_UDP, .sport = 20000, .dport = 33434};

	f.dst = addr_v4((const uint8_t[]){10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n});
	return f;
}

static void known_by_all_of_its_parts(void **state)
{
	static const uint32_t tokens[] = {0x12345678, 0, 0x9abcdef0};
	struct gone *g = calloc(1, sizeof(*g));
	struct flow f = flow_to(1), other = flow_to(2);

	(void)state;
	assert_non_null(g);
	assert_false(gone_token(g, f.method, f.dst, tokens[0]));
	assert_false(gone_flow(g, f.method, f.dst, f.sport, f.dport));
	gone_add(g, &f, tokens, 3);
	assert_true(gone_token(g, f.method, f.dst, tokens[0]));
	assert_true(gone_token(g, f.method, f.dst, tokens[2]));
	assert_false(gone_token(g, f.method, f.dst, 0)); /* never sent */
	assert_false(gone_token(g, f.method, f.dst, tokens[0] ^ 1));
	assert_false(gone_token(g, f.method, other.dst, tokens[0]));
	assert_false(gone_token(g, METHOD_TCP, f.dst, tokens[0]));
	assert_true(gone_flow(g, f.method, f.dst, f.sport, f.dport));
	assert_false(gone_flow(g, METHOD_TCP, f.dst, f.sport, f.dport));
	assert_false(gone_flow(g, f.method, other.dst, f.sport, f.dport));
	assert_false(gone_flow(g, f.method, f.dst, f.sport + 1, f.dport));
	assert_false(gone_flow(g, f.method, f.dst, f.sport, f.dport + 1));
	free(g);
}

/* The last thousand targets of 15 probes are known again but for few; nothing is known falsely. */
static void many_targets(void **state)
{
	enum { TARGETS = 65536, LAST = 1000, PROBES = 15 };
	struct gone *g = calloc(1, sizeof(*g));
	unsigned known = 0, falsely = 0;

	(void)state;
	assert_non_null(g);
	for (uint32_t n = 0; n < TARGETS; n++) {
		uint32_t tokens[PROBES];
		struct flow f = flow_to(n);

		for (uint32_t i = 0; i < PROBES; i++)
			tokens[i] = (n * PROBES + i + 1) * 0x9e3779b9u;
		gone_add(g, &f, tokens, PROBES);
	}
	for (uint32_t n = TARGETS - LAST; n < TARGETS; n++) {
		struct flow f = flow_to(n);

		for (uint32_t i = 0; i < PROBES; i++) {
			uint32_t token = (n * PROBES + i + 1) * 0x9e3779b9u;

			known += gone_token(g, f.method, f.dst, token);
			falsely += gone_token(g, f.method, f.dst, token ^ 0x55);
		}
	}
	assert_in_range(known, LAST * PROBES * 3 / 4, LAST * PROBES);
	assert_int_equal(falsely, 0);
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_by_all_of_its_parts),
		cmocka_unit_test(many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
