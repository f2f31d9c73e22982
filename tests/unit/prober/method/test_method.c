// SPDX-License-Identifier: BSD-2-Clause
/* Rows, flows and tokens. */
#include "prober/method/method.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prober/wire/golden.h"

static void test_rows(void **state)
{
	static const struct {
		enum method method;
		uint8_t family;
		const char *name;
		uint16_t dport;
	} rows[] = {
		{METHOD_ICMP, 4, "icmp4", 0},   {METHOD_ICMP, 6, "icmp6", 0},
		{METHOD_UDP, 4, "udp4", 33434}, {METHOD_UDP, 6, "udp6", 33434},
		{METHOD_TCP, 4, "tcp4", 80},    {METHOD_TCP, 6, "tcp6", 80},
	};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const struct method_row *row = method_row(rows[i].method, rows[i].family);

		assert_non_null(row);
		assert_string_equal(row->name, rows[i].name);
		assert_int_equal(row->method, rows[i].method);
		assert_int_equal(row->family, rows[i].family);
		assert_int_equal(row->default_dport, rows[i].dport);
	}
	assert_null(method_row(METHOD_UNKNOWN, 4));
	assert_null(method_row(METHOD_UDP, 0));
	assert_null(method_row(METHOD_UDP, 5));
	assert_null(method_row(METHOD_TCP + 1, 4));
}

/* ---- flows ---- */

static struct flow flow_of(enum method method, const char *dst, uint16_t dport, uint64_t seed,
			   uint16_t number, unsigned skip)
{
	struct addr none = {0};
	struct flow f;

	method_flow(method, none, golden_addr(dst), dport, seed, number, skip, &f);
	return f;
}

static void test_flow_fields(void **state)
{
	struct flow f;

	(void)state;
	method_flow(METHOD_TCP, golden_addr(GOLDEN_SRC6), golden_addr(GOLDEN_DST6), 443, 9, 3, 0,
		    &f);
	assert_int_equal(f.method, METHOD_TCP);
	assert_true(addr_equal(f.src, golden_addr(GOLDEN_SRC6)));
	assert_true(addr_equal(f.dst, golden_addr(GOLDEN_DST6)));
	assert_int_equal(f.dport, 443);
	assert_int_equal(f.number, 3);
	assert_in_range(f.label, 1, 0xfffff);

	assert_int_equal(flow_of(METHOD_UDP, GOLDEN_DST4, 0, 9, 0, 0).dport, 33434);
	assert_int_equal(flow_of(METHOD_TCP, GOLDEN_DST4, 0, 9, 0, 0).dport, 80);
	assert_int_equal(flow_of(METHOD_ICMP, GOLDEN_DST4, 0, 9, 0, 0).dport, 0);
	assert_int_equal(flow_of(METHOD_ICMP, GOLDEN_DST4, 53, 9, 0, 0).dport, 0);
	assert_int_equal(flow_of(METHOD_UDP, GOLDEN_DST4, 0, 9, 0, 0).label, 0);
}

/* The same vantage point asks with the same ports next year; these figures must never change. */
static void test_flow_is_stable(void **state)
{
	struct flow f = flow_of(METHOD_UDP, GOLDEN_DST6, 0, 42, 0, 0);

	(void)state;
	assert_int_equal(f.sport, 21909);
	assert_int_equal(f.label, 0x3fa56);
	assert_int_equal(flow_of(METHOD_UDP, GOLDEN_DST6, 0, 42, 1, 0).sport, 21910);
	assert_int_equal(flow_of(METHOD_TCP, GOLDEN_DST4, 0, 42, 0, 0).sport, 21909);
	assert_int_equal(flow_of(METHOD_UDP, GOLDEN_DST6, 0, 42, 0, 1).sport, 21909 + 1596);
}

static void test_flows_are_distinct(void **state)
{
	enum { PORTS = METHOD_PORT_HIGH - METHOD_PORT_LOW + 1 };
	static const uint64_t seeds[] = {0, 1, 42, UINT64_MAX, 0x0123456789abcdef};

	(void)state;
	for (size_t s = 0; s < 5; s++) {
		uint8_t all[65536] = {0}, choices[65536] = {0};

		/* as many flows as there are ports */
		for (unsigned n = 0; n < PORTS; n++) {
			struct flow f = flow_of(METHOD_UDP, GOLDEN_DST4, 0, seeds[s], (uint16_t)n,
						0);

			assert_in_range(f.sport, METHOD_PORT_LOW, METHOD_PORT_HIGH);
			assert_int_equal(all[f.sport]++, 0);
		}
		/* every choice of every ordinary flow */
		for (unsigned skip = 0; skip < 8; skip++) {
			for (uint16_t n = 0; n < METHOD_FLOWS_MAX; n++) {
				struct flow f = flow_of(METHOD_ICMP, GOLDEN_DST4, 0, seeds[s], n,
							skip);

				assert_in_range(f.sport, METHOD_PORT_LOW, METHOD_PORT_HIGH);
				assert_int_equal(choices[f.sport]++, 0);
			}
		}
	}
}

/* ---- tokens ---- */

static const uint8_t key[METHOD_KEY_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct flow token_flow(void)
{
	return (struct flow){
		.method = METHOD_UDP,
		.src = golden_addr(GOLDEN_SRC4),
		.dst = golden_addr(GOLDEN_DST4),
		.sport = 20001,
		.dport = 33434,
		.number = 1,
	};
}

/* Everything that names a probe changes its token; what a NAT changes does not. */
static void test_token_depends(void **state)
{
	struct flow base = token_flow(), f;
	uint8_t other_key[METHOD_KEY_SIZE];
	uint32_t token = method_token(key, &base, 5, 1);

	(void)state;
	assert_int_equal(method_token(key, &base, 5, 1), token);
	assert_int_not_equal(method_token(key, &base, 6, 1), token);
	assert_int_not_equal(method_token(key, &base, 5, 2), token);
	f = base, f.method = METHOD_TCP;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	f = base, f.dst.bytes[3]++;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	f = base, f.dst.family = 6;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	f = base, f.sport++;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	f = base, f.dport++;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	f = base, f.number++;
	assert_int_not_equal(method_token(key, &f, 5, 1), token);
	for (size_t i = 0; i < METHOD_KEY_SIZE; i++) {
		memcpy(other_key, key, sizeof(key));
		other_key[i] ^= 0x80;
		assert_int_not_equal(method_token(other_key, &base, 5, 1), token);
	}
	f = base, f.src = golden_addr("10.0.0.1");
	assert_int_equal(method_token(key, &f, 5, 1), token);
	f = base, f.label = 77;
	assert_int_equal(method_token(key, &f, 5, 1), token);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Over 100 destinations, 255 TTLs and 10 attempts: no half is 0, and tokens meet no more often than
 * chance allows (255,000 of them: 7.6 pairs expected in 2^32; over 30 means a broken function). */
static void test_token_spread(void **state)
{
	enum { DESTINATIONS = 100, TTLS = 255, ATTEMPTS = 10, N = DESTINATIONS * TTLS * ATTEMPTS };
	uint32_t *tokens = malloc(N * sizeof(*tokens)), n = 0, same = 0;
	uint64_t hi = 0, lo = 0;
	struct flow f = token_flow();

	(void)state;
	assert_non_null(tokens);
	for (unsigned d = 0; d < DESTINATIONS; d++) {
		f.dst.bytes[3] = (uint8_t)d;
		for (unsigned ttl = 1; ttl <= TTLS; ttl++) {
			for (unsigned attempt = 1; attempt <= ATTEMPTS; attempt++) {
				uint32_t token = method_token(key, &f, (uint8_t)ttl,
							      (uint8_t)attempt);

				assert_true(token >> 16 != 0 && (token & 0xffff) != 0);
				hi += token >> 16;
				lo += token & 0xffff;
				tokens[n++] = token;
			}
		}
	}
	qsort(tokens, N, sizeof(*tokens), compare_u32);
	for (uint32_t i = 1; i < N; i++)
		same += tokens[i] == tokens[i - 1];
	free(tokens);
	assert_in_range(same, 0, 30);
	/* both halves have the mean of 1..65535, 32768, within 5 standard errors (37 each) */
	assert_in_range(hi / N, 32768 - 190, 32768 + 190);
	assert_in_range(lo / N, 32768 - 190, 32768 + 190);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_flow_fields),
		cmocka_unit_test(test_flow_is_stable),
		cmocka_unit_test(test_flows_are_distinct),
		cmocka_unit_test(test_token_depends),
		cmocka_unit_test(test_token_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
