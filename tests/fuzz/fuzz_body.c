// SPDX-License-Identifier: BSD-2-Clause
/*
 * What lies in a store that came from elsewhere: bodies, hops, and the keys of values. Byte 0 says
 * which, byte 1 the number of slots. What is read is a trace that can be written; what is written
 * of it is read as the same. Seeds: tests/unit/campaign/test_body.c.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/sqlite.h"
#include "core/err.h"
#include "tests/fuzz/fuzz.h"

enum { ENTRIES = 12 };

/* A trace whose entries are hops as the store's path gives them: some timed, some with an IP-ID. */
static struct trace *make_hops(void)
{
	static const struct addr dst = {.family = 4, .bytes = {192, 0, 2, 1}};
	struct trace *t = trace_new(ENTRIES);
	struct buf hop;

	must(t != NULL);
	buf_init(&hop);
	t->dst = dst;
	t->entry_count = ENTRIES;
	t->size = (uint32_t)trace_size(ENTRIES);
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct trace_entry e;

		trace_entry_init(&e, (uint8_t)(1 + i), 1);
		e.tx_ns = i % 3 ? 1 : TX_UNKNOWN;
		if (i < 9) {
			e.why = WHY_NONE;
			e.reply.from = dst;
			e.reply.rtt_ns = 1000;
			e.reply.ip_id = i % 2 ? 5 : -1;
		}
		buf_clear(&hop);
		body_put_hop(&hop, &e, dst);
		must(body_read_hop((const uint8_t *)hop.bytes, hop.used, dst, &t->entries[i]) == 0);
	}
	buf_fini(&hop);
	return t;
}

static void check_body(const uint8_t *bytes, size_t n, uint32_t slots)
{
	struct trace *t = make_hops();
	int rc = body_read(bytes, n, slots, t);

	must(rc == 0 || rc == BP_EPARSE);
	if (rc == 0) {
		uint32_t order[ENTRIES], again;
		struct buf out;

		must(trace_validate(t, t->size) == 0);
		buf_init(&out);
		again = body_order(t, order);
		must(again <= ENTRIES);
		body_put(&out, t, order, again);
		must(!out.failed &&
		     body_sport((const uint8_t *)out.bytes, out.used, again) == t->sport);
		for (uint32_t i = 0; i < again; i++)
			must(body_rtt((const uint8_t *)out.bytes, out.used, i) ==
			     t->entries[order[i]].reply.rtt_ns);
		buf_fini(&out);
	}
	body_rtt(bytes, n, slots);
	body_sport(bytes, n, slots);
	free(t);
}

static void check_hop(const uint8_t *bytes, size_t n)
{
	static const struct addr dst = {.family = 4, .bytes = {192, 0, 2, 1}};
	struct trace_entry e;

	if (body_read_hop(bytes, n, dst, &e) == 0)
		must(e.ttl > 0 && e.attempt > 0 &&
		     addr_is_set(e.reply.from) == (e.why == WHY_NONE));
	must(body_read_hop(bytes, n, (struct addr){0}, &e) != 0 || !body_hop_says_dst(bytes, n));
}

static void check_values(const uint8_t *bytes, size_t n)
{
	struct trace *t = trace_new(0);
	struct verdict *v = calloc(1, sizeof(*v));
	struct buf out;
	struct name name;

	must(t != NULL && v != NULL);
	buf_init(&out);
	if (value_read_goal(bytes, (int)n, t) == 0) {
		value_put_goal(&out, t);
		must(out.used == n && memcmp(out.bytes, bytes, n) == 0);
	}
	buf_clear(&out);
	trace_init(t);
	if (value_read_settings(bytes, (int)n, t) == 0) {
		value_put_settings(&out, t);
		must(out.used == n && memcmp(out.bytes, bytes, n) == 0);
	}
	buf_clear(&out);
	if (value_read_name(bytes, (int)n, &name) == 0) {
		value_put_name(&out, &name);
		must(out.used == n && memcmp(out.bytes, bytes, n) == 0);
	}
	trace_init(t);
	if (value_read_verdict(bytes, (int)n, v, t) == 0)
		must(v->judged);
	buf_fini(&out);
	free(v);
	free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	switch (data[0] % 3) {
	case 0:
		check_body(data + 2, size - 2, data[1] % (ENTRIES + 2));
		break;
	case 1:
		check_hop(data + 2, size - 2);
		break;
	default:
		check_values(data + 2, size - 2);
	}
	return 0;
}
