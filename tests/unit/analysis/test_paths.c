// SPDX-License-Identifier: BSD-2-Clause
/* Flows seen together: nodes, links, shares; a silent hop makes a gap, a duplicate nothing. */
#include "analysis/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A flow's trace: one address a TTL, from TTL 1; 0 is silent. The last octet names the node. */
static struct trace *flow_of(const uint8_t *nodes, uint8_t n, enum reach reach)
{
	struct trace *t = trace_new(n);

	assert_non_null(t);
	for (uint8_t i = 0; i < n; i++) {
		struct trace_entry *e = &t->entries[t->entry_count++];
		uint8_t bytes[4] = {192, 0, 2, nodes[i]};

		trace_entry_init(e, (uint8_t)(i + 1), 1);
		if (nodes[i] == 0)
			continue;
		e->why = WHY_NONE;
		e->reply.from = addr_v4(bytes);
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	addr_parse("192.0.2.99", &t->dst);
	t->method = METHOD_UDP;
	t->reach = (uint8_t)reach;
	t->sent = n;
	t->received = n;
	return t;
}

static void add(struct paths *p, const uint8_t *nodes, uint8_t n, enum outcome outcome,
		const char *border)
{
	struct trace *t = flow_of(nodes, n, REACH_REACHED);
	struct verdict *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	v->judged = true;
	v->outcome = (uint8_t)outcome;
	text_set(v->border, sizeof(v->border), border);
	assert_int_equal(paths_add(p, t, v), 0);
	free(t);
	free(v);
}

static void a_diamond(void **state)
{
	static const uint8_t left[] = {1, 2, 4}, right[] = {1, 3, 4};
	struct paths p;

	(void)state;
	paths_init(&p);
	add(&p, left, 3, OUTCOME_BORDER, "dandong");
	add(&p, right, 3, OUTCOME_BORDER, "khasan");
	add(&p, left, 3, OUTCOME_BORDER, "dandong");
	add(&p, left, 3, OUTCOME_UNDETERMINED, "");
	assert_int_equal(p.flows, 4);
	assert_int_equal(p.reached, 4);
	assert_int_equal(p.node_count, 4);
	assert_int_equal(p.link_count, 4);
	assert_int_equal(p.nodes[0].flows, 4);
	assert_int_equal(p.links[0].flows, 3); /* 1 - 2 */
	assert_int_equal(p.links[1].flows, 1); /* 1 - 3 */
	assert_int_equal(p.share_count, 3);
	assert_string_equal(p.shares[0].id, "dandong");
	assert_int_equal(p.shares[0].flows, 2);
	assert_string_equal(p.shares[2].id, "undetermined");
	assert_int_equal(p.merged->sent, 12);
	assert_int_equal(trace_validate(p.merged, p.merged->size), 0);
	paths_fini(&p);
}

static void a_silent_hop_is_a_gap_not_a_link(void **state)
{
	static const uint8_t path[] = {1, 0, 4};
	struct paths p;

	(void)state;
	paths_init(&p);
	add(&p, path, 3, OUTCOME_BORDER, "dandong");
	assert_int_equal(p.node_count, 2);
	assert_int_equal(p.link_count, 0);
	paths_fini(&p);
}

static void as_json(void **state)
{
	static const uint8_t path[] = {1, 4};
	struct paths p;
	struct buf out;

	(void)state;
	paths_init(&p);
	buf_init(&out);
	paths_write_json(&out, &p, NULL); /* nothing was seen: nothing is said */
	assert_int_equal(out.used, 0);
	add(&p, path, 2, OUTCOME_BORDER, "dandong");
	paths_write_json(&out, &p, NULL);
	assert_string_equal(out.bytes,
		"{\"type\":\"paths\",\"version\":1,\"dst\":\"192.0.2.99\",\"method\":\"udp\","
		"\"flows\":1,\"reached\":1,"
		"\"nodes\":[{\"ttl\":1,\"addr\":\"192.0.2.1\",\"flows\":1},"
		"{\"ttl\":2,\"addr\":\"192.0.2.4\",\"flows\":1}],"
		"\"links\":[{\"ttl\":1,\"from\":\"192.0.2.1\",\"to\":\"192.0.2.4\",\"flows\":1}],"
		"\"shares\":{\"dandong\":1}}\n");
	buf_fini(&out);
	paths_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_diamond),
		cmocka_unit_test(a_silent_hop_is_a_gap_not_a_link),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
