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

/* --- after a search --- */

/* Marks the entry at ttl as taken over from another flow. */
static void add_inheriting(struct paths *p, const uint8_t *nodes, uint8_t n, uint8_t ttl)
{
	struct trace *t = flow_of(nodes, n, REACH_REACHED);
	struct verdict *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	t->entries[ttl - 1].reply.flags = REPLY_INHERITED;
	assert_int_equal(paths_add(p, t, v), 0);
	free(t);
	free(v);
}

static const struct paths_node *node(const struct paths *p, uint8_t ttl, uint8_t last)
{
	for (uint32_t i = 0; i < p->node_count; i++) {
		if (p->nodes[i].ttl == ttl && p->nodes[i].addr.bytes[3] == last)
			return &p->nodes[i];
	}
	fail_msg("no node %u at TTL %u", last, ttl);
	return NULL;
}

static void balancing_is_told_per_node(void **state)
{
	static const uint8_t left[] = {1, 2, 4}, right[] = {1, 3, 4};
	struct frame_paths f = {.level = 95, .confidence = 0.9, .flows = 3,
				.balancing = {[1] = BALANCING_PER_FLOW}};
	struct paths p;
	struct buf out;

	(void)state;
	paths_init(&p);
	buf_init(&out);
	add(&p, left, 3, OUTCOME_BORDER, "dandong");
	add(&p, right, 3, OUTCOME_BORDER, "khasan");
	add_inheriting(&p, right, 3, 1);
	paths_searched(&p, &f);
	assert_int_equal(node(&p, 1, 1)->balancing, BALANCING_PER_FLOW);
	assert_int_equal(node(&p, 1, 1)->flows, 3);
	assert_int_equal(node(&p, 1, 1)->asked, 2);
	assert_int_equal(node(&p, 2, 3)->balancing, BALANCING_NONE);
	assert_int_equal(p.link_count, 4);
	paths_write_json(&out, &p, NULL);
	assert_non_null(strstr(out.bytes, "\"flows\":3,\"reached\":3,\"level\":95,"
					  "\"confidence\":0.9,\"cut\":false,"));
	assert_non_null(strstr(out.bytes, "{\"ttl\":1,\"addr\":\"192.0.2.1\",\"flows\":3,"
					  "\"asked\":2,\"balancing\":\"per_flow\"}"));
	assert_non_null(strstr(out.bytes, "\"counts\":{\"dandong\":1,\"khasan\":1,"
					  "\"undetermined\":1}"));
	buf_fini(&out);
	paths_fini(&p);
}

/* Behind a per-packet balancer the next TTL's nodes cannot be matched with this one's. */
static void links_nobody_can_know_are_not_told(void **state)
{
	static const uint8_t a[] = {1, 2, 4, 6, 9}, b[] = {1, 3, 4, 6, 9}, c[] = {1, 3, 5, 6, 9};
	struct frame_paths f = {.balancing = {[1] = BALANCING_PER_PACKET,
					      [2] = BALANCING_PER_PACKET}};
	struct paths p;

	(void)state;
	paths_init(&p);
	add(&p, a, 5, OUTCOME_OTHER, "");
	add(&p, b, 5, OUTCOME_OTHER, "");
	add(&p, c, 5, OUTCOME_OTHER, "");
	assert_int_equal(p.link_count, 8);
	p.nodes[0].split = true; /* a flow was repeated there, and met both */
	paths_searched(&p, &f);
	/* 1-2, 1-3, 4-6, 5-6, 6-9: those between 2, 3 and 4, 5 are gone. */
	assert_int_equal(p.link_count, 5);
	for (uint32_t i = 0; i < p.link_count; i++)
		assert_int_not_equal(p.links[i].ttl, 2);
	assert_int_equal(node(&p, 1, 1)->balancing, BALANCING_PER_PACKET);
	assert_int_equal(node(&p, 2, 3)->balancing, BALANCING_PER_PACKET);
	paths_fini(&p);
}

/* A router that answers at two TTLs in a row is one, whatever its reason. */
static void a_router_is_not_linked_to_itself(void **state)
{
	static const uint8_t path[] = {1, 2, 2, 4};
	struct paths p;

	(void)state;
	paths_init(&p);
	add(&p, path, 4, OUTCOME_OTHER, "");
	assert_int_equal(p.node_count, 4);
	assert_int_equal(p.link_count, 2);
	paths_fini(&p);
}

static void interval_of_a_share(void **state)
{
	/* Wilson 1927, as tables of it give them. */
	static const struct { uint32_t k, n; double low, high; } rows[] = {
		{0, 10, 0, 0.2775}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1},
		{7, 27, 0.1317, 0.4468}, {0, 0, 0, 1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double low, high;

		paths_interval(rows[i].k, rows[i].n, &low, &high);
		assert_true(low > rows[i].low - 1e-4 && low < rows[i].low + 1e-4);
		assert_true(high > rows[i].high - 1e-4 && high < rows[i].high + 1e-4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_diamond),
		cmocka_unit_test(a_silent_hop_is_a_gap_not_a_link),
		cmocka_unit_test(as_json),
		cmocka_unit_test(balancing_is_told_per_node),
		cmocka_unit_test(links_nobody_can_know_are_not_told),
		cmocka_unit_test(a_router_is_not_linked_to_itself),
		cmocka_unit_test(interval_of_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
