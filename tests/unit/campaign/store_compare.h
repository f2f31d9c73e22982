// SPDX-License-Identifier: BSD-2-Clause
/* Records as the store gives them back: everything equal, times to the microsecond. */
#ifndef TESTS_UNIT_CAMPAIGN_STORE_COMPARE_H
#define TESTS_UNIT_CAMPAIGN_STORE_COMPARE_H


#include "core/record/trace.h"
#include "tests/unit/core/record/compare.h"

/* The nearest microsecond of a difference; the one before of a moment. */
static inline int64_t near_us(int64_t ns)
{
	int64_t us = (ns + 500) / 1000;

	return (us * 1000 > ns + 500 ? us - 1 : us) * 1000;
}

static inline struct wall floor_us(struct wall w)
{
	int64_t rest = w.ns % 1000;

	return (struct wall){w.ns - (rest < 0 ? rest + 1000 : rest)};
}

static inline void assert_kept_entry(const struct trace_entry *a, const struct trace_entry *b)
{
	const struct reply *x = &a->reply, *y = &b->reply;

	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->why, b->why);
	assert_int_equal(a->tx_ns == TX_UNKNOWN ? TX_UNKNOWN : near_us(a->tx_ns), b->tx_ns);
	assert_true(addr_equal(x->from, y->from));
	assert_int_equal(x->rtt_ns < 0 ? -1 : near_us(x->rtt_ns), y->rtt_ns);
	assert_int_equal(x->icmp_type, y->icmp_type);
	assert_int_equal(x->icmp_code, y->icmp_code);
	assert_int_equal(x->tcp_flags, y->tcp_flags);
	assert_int_equal(x->reply_ttl, y->reply_ttl);
	assert_int_equal(x->quoted_ttl, y->quoted_ttl);
	assert_int_equal(x->size, y->size);
	assert_int_equal(x->ip_id, y->ip_id);
	assert_int_equal(x->mtu, y->mtu);
	assert_int_equal(x->flags, y->flags);
	assert_int_equal(x->mpls_count, y->mpls_count);
	for (unsigned i = 0; i < x->mpls_count; i++)
		assert_memory_equal(&x->mpls[i], &y->mpls[i], sizeof(x->mpls[i]));
	assert_int_equal(x->iface.role, y->iface.role);
	assert_int_equal(x->iface.index, y->iface.index);
	assert_int_equal(x->iface.mtu, y->iface.mtu);
	assert_true(addr_equal(x->iface.addr, y->iface.addr));
	assert_string_equal(x->iface.name, y->iface.name);
}

/* b is what came back of a. */
static inline void assert_kept_trace(const struct trace *a, const struct trace *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->campaign, b->campaign);
	assert_string_equal(a->round, b->round);
	assert_string_equal(a->vantage, b->vantage);
	assert_string_equal(a->target, b->target);
	assert_string_equal(a->tool, b->tool);
	assert_string_equal(a->ifname, b->ifname);
	assert_string_equal(a->error, b->error);
	assert_string_equal(a->inherited_from, b->inherited_from);
	assert_true(addr_equal(a->src, b->src));
	assert_true(addr_equal(a->dst, b->dst));
	assert_int_equal(a->method, b->method);
	assert_int_equal(a->stop, b->stop);
	assert_int_equal(a->reach, b->reach);
	assert_int_equal(a->reached_by, b->reached_by);
	assert_int_equal(a->stamps, b->stamps);
	assert_int_equal(a->first_ttl, b->first_ttl);
	assert_int_equal(a->max_ttl, b->max_ttl);
	assert_int_equal(a->attempts, b->attempts);
	assert_int_equal(a->gap_limit, b->gap_limit);
	assert_int_equal(a->sport, b->sport);
	assert_int_equal(a->dport, b->dport);
	assert_int_equal(a->flow, b->flow);
	assert_int_equal(a->probe_size, b->probe_size);
	assert_int_equal(a->wait_ms, b->wait_ms);
	assert_int_equal(a->rate_pps, b->rate_pps);
	assert_int_equal(floor_us(a->start).ns, b->start.ns);
	assert_int_equal(floor_us(a->end).ns, b->end.ns);
	assert_int_equal(a->sent, b->sent);
	assert_int_equal(a->received, b->received);
	assert_int_equal(a->drops, b->drops);
	assert_int_equal(a->clock_known, b->clock_known);
	assert_int_equal(a->clock_stepped, b->clock_stepped);
	assert_int_equal(a->refused_known, b->refused_known);
	assert_memory_equal(&a->refused, &b->refused, sizeof(a->refused));
	assert_int_equal(a->slowed_times, b->slowed_times);
	assert_int_equal(a->slowed_pps, b->slowed_pps);
	assert_int_equal(a->repeated, b->repeated);
	assert_int_equal(a->place_known, b->place_known);
	assert_true(a->lat == b->lat && a->lon == b->lon);
	assert_int_equal(a->entry_count, b->entry_count);
	for (uint32_t i = 0; i < a->entry_count; i++)
		assert_kept_entry(&a->entries[i], &b->entries[i]);
}

#endif
