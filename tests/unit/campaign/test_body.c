// SPDX-License-Identifier: BSD-2-Clause
/* Packed values, hops and bodies: every field comes back, times to the microsecond; no byte is
 * trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "campaign/body.h"
#include "campaign/pack.h"
#include "campaign/sqlite.h"
#include "core/err.h"
#include "tests/unit/campaign/store_compare.h"
#include "tests/unit/core/record/random_trace.h"
#include "tests/unit/seeds.h"

/* --- packed values ---------------------------------------------------------------------------- */

static void integers(void **state)
{
	static const struct {
		uint64_t v;
		size_t n;
	} rows[] = {
		{0, 1},	    {1, 1},	     {127, 1},	     {128, 2},	       {16383, 2},
		{16384, 3}, {UINT32_MAX, 5}, {INT64_MAX, 9}, {UINT64_MAX, 10},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = {0};
		struct cur c;

		pack_varint(&b, rows[i].v);
		assert_int_equal(b.used, rows[i].n);
		c = cur_of(b.bytes, b.used);
		assert_true(take_varint(&c) == rows[i].v && !c.failed && cur_left(&c) == 0);
		/* Cut anywhere it is none. */
		for (size_t n = 0; n < b.used; n++) {
			c = cur_of(b.bytes, n);
			take_varint(&c);
			assert_true(c.failed);
		}
		buf_fini(&b);
	}
	for (int64_t v = -70000; v <= 70000; v += 7)
		assert_int_equal(pack_unfold(pack_fold(v)), v);
	assert_int_equal(pack_unfold(pack_fold(INT64_MIN)), INT64_MIN);
	assert_int_equal(pack_unfold(pack_fold(INT64_MAX)), INT64_MAX);
}

static void integers_that_are_none(void **state)
{
	static const struct {
		const char *why;
		uint8_t bytes[12];
		size_t n;
	} rows[] = {
		{"longer than it need be: it would be another key for the same value",
		 {0x80, 0},
		 2},
		{"the same, further on", {0xff, 0x80, 0}, 3},
		{"more than 64 bits", {255, 255, 255, 255, 255, 255, 255, 255, 255, 2}, 10},
		{"never ends", {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, 12},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cur c = cur_of(rows[i].bytes, rows[i].n);

		take_varint(&c);
		if (!c.failed)
			fail_msg("%s", rows[i].why);
	}
}

static void texts_and_addresses(void **state)
{
	static const struct {
		const char *why, *bytes;
		size_t n;
		bool good;
	} texts[] = {
		{"empty", "\0", 1, true},
		{"as long as fits", "\3abc", 4, true},
		{"one too long", "\4abcd", 5, false},
		{"cut", "\3ab", 3, false},
		{"a control character", "\1\n", 2, false},
		{"no UTF-8", "\1\xff", 2, false},
		{"a NUL within", "\2a\0", 3, false},
	};
	struct cur c;
	char out[4];

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		c = cur_of(texts[i].bytes, texts[i].n);
		take_text(&c, out, sizeof(out));
		if (c.failed == texts[i].good)
			fail_msg("%s", texts[i].why);
	}
	c = cur_of("\5aaaa", 5);
	take_addr(&c);
	assert_true(c.failed);
	c = cur_of("\6aaaa", 5);
	take_addr(&c);
	assert_true(c.failed);
}

/* --- hops and bodies -------------------------------------------------------------------------- */

static void rounding(void **state)
{
	static const struct {
		int64_t ns, us;
	} rows[] = {
		{0, 0},	     {499, 0},
		{500, 1},    {1000, 1},
		{1499, 1},   {1500, 2},
		{-1, 0},     {-499, 0},
		{-500, 0},   {-501, -1},
		{-1000, -1}, {-1500, -1},
		{-1501, -2}, {TRACE_NS_MAX, TRACE_NS_MAX / 1000},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(body_us(rows[i].ns), rows[i].us);
}

/* What a store would keep of t, read again. Owned. */
static struct trace *there_and_back(const struct trace *t, struct buf *body, uint32_t *slots)
{
	uint32_t *order = calloc(t->entry_count + 1, sizeof(*order));
	struct trace *out = trace_new(t->entry_count);
	struct buf hop = {0};

	assert_true(order != NULL && out != NULL);
	*slots = body_order(t, order);
	buf_clear(body);
	body_put(body, t, order, *slots);
	memcpy(out, t, sizeof(*t));
	/* What the store's rows have beside the body. */
	out->start = floor_us(t->start);
	out->end = floor_us(t->end);
	/* What the body owns. */
	out->sport = -1;
	out->drops = 7;
	out->clock_known = out->clock_stepped = out->refused_known = false;
	memset(&out->refused, 0, sizeof(out->refused));
	out->slowed_times = out->slowed_pps = out->repeated = 0;
	out->inherited_from[0] = '\0';
	for (uint32_t i = 0; i < t->entry_count; i++) {
		buf_clear(&hop);
		body_put_hop(&hop, &t->entries[order[i]], t->dst);
		assert_int_equal(body_read_hop((const uint8_t *)hop.bytes, hop.used, t->dst,
					       &out->entries[i]),
				 0);
		/* Cut anywhere, or with something behind it, it is none. */
		for (size_t n = 0; n < hop.used; n += 1 + n / 8) {
			struct trace_entry e;

			assert_int_equal(body_read_hop((const uint8_t *)hop.bytes, n, t->dst, &e),
					 BP_EPARSE);
		}
	}
	assert_int_equal(body_read((const uint8_t *)body->bytes, body->used, *slots, out), 0);
	buf_fini(&hop);
	free(order);
	return out;
}

static void random_traces(void **state)
{
	uint64_t seed = 20261122;
	struct buf body = {0};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct trace *t = rnd_trace(&seed, (uint32_t)rnd_below(&seed, 40)), *out;
		uint32_t slots;

		/* Now and then several of one attempt, and the destination's own. */
		for (uint32_t k = 0; i % 2 && k < t->entry_count; k++) {
			t->entries[k].ttl = (uint8_t)(1 + k / 6);
			t->entries[k].attempt = (uint8_t)(1 + k % 6 / 3);
			if (t->entries[k].why == WHY_NONE && k % 4 == 0 && addr_is_set(t->dst))
				t->entries[k].reply.from = t->dst;
		}
		out = there_and_back(t, &body, &slots);
		assert_kept_trace(t, out);
		assert_int_equal(body_sport((const uint8_t *)body.bytes, body.used, slots),
				 t->sport);
		free(out);
		free(t);
	}
	buf_fini(&body);
}

/* The slots are where the view `hops` looks for them, in as few bytes as will do. */
static void slots_of_fixed_width(void **state)
{
	static const struct {
		int64_t us;
		unsigned width;
	} rows[] = {
		{0, 2},
		{65534, 2},
		{65535, 3},
		{16777214, 3},
		{16777215, 4},
		{INT64_C(4294967294), 4},
		{INT64_C(4294967295), 5},
		{TRACE_NS_MAX / 1000, 5},
	};
	struct buf body = {0};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trace *t = trace_new(3);
		uint32_t order[3];
		const uint8_t *b;
		int64_t us = 0;

		t->entry_count = 3;
		for (uint32_t k = 0; k < 3; k++)
			trace_entry_init(&t->entries[k], (uint8_t)(k + 1), 1);
		for (uint32_t k = 1; k < 3; k++) {
			t->entries[k].why = WHY_NONE;
			t->entries[k].reply.from = addr_v4((const uint8_t[]){10, 0, 0, 1});
			t->entries[k].reply.rtt_ns = k == 2 ? rows[i].us * 1000 : 5000;
		}
		/* The silent one is behind the two that answered. */
		assert_int_equal(body_order(t, order), 2);
		assert_int_equal(order[0], 1);
		assert_int_equal(order[2], 0);
		buf_clear(&body);
		body_put(&body, t, order, 2);
		b = (const uint8_t *)body.bytes;
		assert_int_equal(b[0], BODY_VERSION << 4 | rows[i].width);
		for (unsigned k = 0; k < rows[i].width; k++)
			us = us << 8 | b[1 + rows[i].width + k];
		assert_int_equal(us, rows[i].us);
		assert_int_equal(body_rtt(b, body.used, 1), rows[i].us * 1000);
		assert_int_equal(body_rtt(b, body.used, 0), 5000);
		free(t);
	}
	assert_int_equal(body_rtt((const uint8_t *)"\x12\xff\xff", 3, 0), -1);
	assert_int_equal(body_rtt((const uint8_t *)"\x12\xff", 2, 0), -1);
	assert_int_equal(body_rtt((const uint8_t *)"\x1f\xff\xff", 3, 0), -1);
	buf_fini(&body);
}

/* Bodies that are not: refused, nothing read beside them (the sanitizer looks on). */
static void bodies_of_others(void **state)
{
	uint64_t seed = 7;
	struct buf body = {0};
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct trace *t = rnd_trace(&seed, 1 + (uint32_t)rnd_below(&seed, 20)), *out;
		uint32_t slots;
		uint8_t *bytes;
		size_t n;
		int rc;

		out = there_and_back(t, &body, &slots);
		n = i % 2 ? rnd_below(&seed, body.used) : body.used;
		bytes = malloc(n + 1);
		memcpy(bytes, body.bytes, n);
		if (i % 2 == 0)
			bytes[rnd_below(&seed, n)] ^= (uint8_t)(1 + rnd_below(&seed, 255));
		rc = body_read(bytes, n, slots, out);
		assert_true(rc == 0 || rc == BP_EPARSE);
		if (rc == 0)
			assert_int_equal(trace_validate(out, out->size), 0);
		refused += rc != 0;
		body_rtt(bytes, n, slots);
		body_sport(bytes, n, slots);
		free(bytes);
		free(out);
		free(t);
	}
	assert_true(refused > 1000);
	buf_fini(&body);
}

static void put_value(struct buf *out, unsigned which, const struct trace *t, uint64_t *seed)
{
	struct names names;
	struct verdict v;

	names_init(&names);
	rnd_names(seed, t, &names);
	rnd_verdict(seed, &v);
	v.evidence_count = 2;
	if (which % 4 == 0)
		value_put_goal(out, t);
	else if (which % 4 == 1)
		value_put_settings(out, t);
	else if (which % 4 == 2 && names.count > 0)
		value_put_name(out, &names.items[0]);
	else
		value_put_verdict(out, &v, t);
	names_fini(&names);
}

static void seeds_for_the_fuzzer(void **state)
{
	uint64_t seed = 3;
	struct buf body = {0};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct trace *t = rnd_trace(&seed, 4), *out;
		uint32_t slots;
		struct buf all = {0};

		out = there_and_back(t, &body, &slots);
		/* As fuzz_body takes it: kind, slots, bytes. */
		pack_u8(&all, 0);
		pack_u8(&all, (uint8_t)slots);
		buf_append(&all, body.bytes, body.used);
		seed_write("body", "body", i, all.bytes, all.used);
		buf_clear(&all);
		pack_u8(&all, 1);
		pack_u8(&all, 0);
		body_put_hop(&all, &t->entries[i % t->entry_count], t->dst);
		seed_write("body", "hop", i, all.bytes, all.used);
		buf_clear(&all);
		pack_u8(&all, 2);
		pack_u8(&all, 0);
		put_value(&all, i, t, &seed);
		seed_write("body", "value", i, all.bytes, all.used);
		buf_fini(&all);
		free(out);
		free(t);
	}
	buf_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(integers_that_are_none),
		cmocka_unit_test(texts_and_addresses),
		cmocka_unit_test(rounding),
		cmocka_unit_test(random_traces),
		cmocka_unit_test(slots_of_fixed_width),
		cmocka_unit_test(bodies_of_others),
		cmocka_unit_test(seeds_for_the_fuzzer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
