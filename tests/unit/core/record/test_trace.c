// SPDX-License-Identifier: BSD-2-Clause
/* The trace value: what is refused, order, what counts in statistics, what is the destination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/err.h"
#include "tests/unit/core/record/random_trace.h"

static struct addr at(const char *text)
{
	struct addr a = {0};

	if (addr_parse(text, &a) < 0)
		fail_msg("%s", text);
	return a;
}

/* Two hops: an answered one with two probes, a silent one. */
static struct trace *small_trace(void)
{
	struct trace *t = trace_new(3);

	t->dst = at("192.0.2.9");
	trace_entry_init(&t->entries[0], 1, 1);
	trace_entry_init(&t->entries[1], 1, 2);
	trace_entry_init(&t->entries[2], 2, 1);
	t->entries[0].why = WHY_NONE;
	t->entries[0].reply.from = at("10.0.0.1");
	t->entry_count = 3;
	t->size = (uint32_t)trace_size(3);
	return t;
}

static void new_traces_know_nothing(void **state)
{
	struct trace *t = trace_new(1);
	const struct reply *r = &t->entries[0].reply;

	(void)state;
	assert_int_equal(t->entry_count, 0);
	assert_int_equal(t->size, sizeof(*t));
	assert_int_equal(trace_validate(t, t->size), 0);
	assert_true(t->sport == -1 && t->dport == -1 && t->flow == -1 && t->probe_size == -1);
	assert_true(t->wait_ms == -1 && t->rate_pps == -1);
	assert_true(t->sent == -1 && t->received == -1 && t->drops == -1);
	assert_false(t->clock_known || t->refused_known || addr_is_set(t->dst));
	trace_entry_init(&t->entries[0], 7, 2);
	assert_true(t->entries[0].ttl == 7 && t->entries[0].attempt == 2);
	assert_true(t->entries[0].why == WHY_TIMEOUT && t->entries[0].tx_ns == TX_UNKNOWN);
	assert_true(r->rtt_ns == -1 && r->icmp_type == -1 && r->icmp_code == -1);
	assert_true(r->tcp_flags == -1 && r->reply_ttl == -1 && r->quoted_ttl == -1);
	assert_true(r->size == -1 && r->ip_id == -1 && r->mtu == -1 && r->mpls_count == 0);
	free(t);
	assert_null(trace_new(TRACE_MAX_ENTRIES + 1));
	t = trace_new(TRACE_MAX_ENTRIES);
	assert_non_null(t);
	free(t);
}

static void fill(char *text, size_t n) { memset(text, 'x', n); }

/* One way each to break a valid block; all are refused. */
#define BREAK(name, what) static void name(struct trace *t) { what; }
BREAK(b_size_small, t->size--)
BREAK(b_size_large, t->size++)
BREAK(b_count_more, t->entry_count++)
BREAK(b_count_less, t->entry_count--)
BREAK(b_count_huge, t->entry_count = UINT32_MAX)
BREAK(b_id, fill(t->id, sizeof(t->id)))
BREAK(b_campaign, fill(t->campaign, sizeof(t->campaign)))
BREAK(b_round, fill(t->round, sizeof(t->round)))
BREAK(b_vantage, fill(t->vantage, sizeof(t->vantage)))
BREAK(b_target, fill(t->target, sizeof(t->target)))
BREAK(b_tool, fill(t->tool, sizeof(t->tool)))
BREAK(b_ifname, fill(t->ifname, sizeof(t->ifname)))
BREAK(b_error, fill(t->error, sizeof(t->error)))
BREAK(b_src, t->src.family = 5)
BREAK(b_dst, t->dst.family = 1)
BREAK(b_method, t->method = METHOD_TCP + 1)
BREAK(b_stop, t->stop = STOP_ERROR + 1)
BREAK(b_reach, t->reach = REACH_SILENT + 1)
BREAK(b_reached_by, t->reached_by = REACHED_BY_RST + 1)
BREAK(b_stamps, t->stamps = STAMPS_IMPORT + 1)
BREAK(b_ttl, t->entries[0].ttl = 0)
BREAK(b_attempt, t->entries[0].attempt = 0)
BREAK(b_why, t->entries[1].why = WHY_INTERRUPTED + 1)
BREAK(b_answer_and_why, t->entries[0].why = WHY_TIMEOUT)
BREAK(b_neither, t->entries[1].why = WHY_NONE)
BREAK(b_from, t->entries[0].reply.from.family = 7)
BREAK(b_rtt, t->entries[0].reply.rtt_ns = -2)
BREAK(b_mpls, t->entries[0].reply.mpls_count = TRACE_MPLS_MAX + 1)
BREAK(b_role, t->entries[2].reply.iface.role = IFACE_NEXT_HOP + 1)
BREAK(b_iface_addr, t->entries[0].reply.iface.addr.family = 3)
BREAK(b_iface_name, fill(t->entries[0].reply.iface.name, sizeof(t->entries[0].reply.iface.name)))
BREAK(b_order_ttl, t->entries[2].ttl = 1)
BREAK(b_order_attempt, t->entries[0].attempt = 3)

static void validate_refuses_every_bad_shape(void **state)
{
	static const struct { void (*breaks)(struct trace *); const char *name; } rows[] = {
#define ROW(name) {name, #name}
		ROW(b_size_small), ROW(b_size_large), ROW(b_count_more), ROW(b_count_less),
		ROW(b_count_huge), ROW(b_id), ROW(b_campaign), ROW(b_round), ROW(b_vantage),
		ROW(b_target), ROW(b_tool), ROW(b_ifname), ROW(b_error), ROW(b_src), ROW(b_dst),
		ROW(b_method), ROW(b_stop), ROW(b_reach), ROW(b_reached_by), ROW(b_stamps),
		ROW(b_ttl), ROW(b_attempt), ROW(b_why), ROW(b_answer_and_why), ROW(b_neither),
		ROW(b_from), ROW(b_rtt), ROW(b_mpls), ROW(b_role), ROW(b_iface_addr),
		ROW(b_iface_name), ROW(b_order_ttl), ROW(b_order_attempt),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trace *t = small_trace();
		size_t n = t->size;

		assert_int_equal(trace_validate(t, n), 0);
		rows[i].breaks(t);
		if (trace_validate(t, n) != BP_EPARSE)
			fail_msg("%s is accepted", rows[i].name);
		free(t);
	}
	struct trace *t = small_trace();

	for (size_t n = 0; n < t->size; n += 7)
		assert_int_equal(trace_validate(t, n), BP_EPARSE);
	assert_int_equal(trace_validate(t, t->size + 1), BP_EPARSE);
	free(t);
}

/* Sorted by ttl, then attempt; equals stay in order of arrival. Both algorithms, and backwards. */
static void sorting_is_stable(void **state)
{
	static const uint32_t sizes[] = {0, 1, 2, 17, 256, 257, 300, 1000, 65535};
	uint64_t s = 11;

	(void)state;
	for (size_t k = 0; k < 2 * sizeof(sizes) / sizeof(sizes[0]); k++) {
		uint32_t n = sizes[k / 2];
		struct trace *t = trace_new(n);

		for (uint32_t i = 0; i < n; i++) {
			uint8_t ttl = (uint8_t)(k % 2 ? 255 - i / 300 : 1 + rnd_below(&s, 9));

			trace_entry_init(&t->entries[i], ttl, (uint8_t)(1 + rnd_below(&s, 3)));
			t->entries[i].tx_ns = i;
		}
		t->entry_count = n;
		trace_sort(t);
		for (uint32_t i = 1; i < n; i++) {
			const struct trace_entry *a = &t->entries[i - 1], *b = &t->entries[i];

			unsigned ka = 256u * a->ttl + a->attempt, kb = 256u * b->ttl + b->attempt;

			assert_true(ka < kb || (ka == kb && a->tx_ns < b->tx_ns));
		}
		free(t);
	}
}

static void hops(void **state)
{
	struct trace *t = small_trace();
	uint32_t begin = 77, end = 77;

	(void)state;
	assert_true(trace_hop(t, 1, &begin, &end));
	assert_true(begin == 0 && end == 2);
	assert_true(trace_hop(t, 2, &begin, &end));
	assert_true(begin == 2 && end == 3);
	assert_false(trace_hop(t, 3, &begin, &end));
	assert_true(begin == 2 && end == 3);
	t->entry_count = 0;
	assert_false(trace_hop(t, 1, &begin, &end));
	free(t);
}

static void add(struct trace *t, uint8_t ttl, uint8_t why, int64_t rtt_ns, uint16_t flags)
{
	struct trace_entry *e = &t->entries[t->entry_count++];

	trace_entry_init(e, ttl, 1);
	e->why = why;
	e->reply.rtt_ns = rtt_ns;
	e->reply.flags = flags;
	if (why == WHY_NONE)
		e->reply.from = at("10.0.0.1");
}

static void statistics(void **state)
{
	struct trace *t = trace_new(32);
	struct hop_stats s;

	(void)state;
	add(t, 1, WHY_NONE, 30, 0);
	add(t, 1, WHY_NONE, 10, 0);
	add(t, 1, WHY_NONE, 20, 0);
	add(t, 1, WHY_NONE, 1, REPLY_LATE);
	add(t, 1, WHY_NONE, 2, REPLY_DUP);
	add(t, 1, WHY_NOT_SENT, -1, 0);
	add(t, 1, WHY_TIMEOUT, -1, 0);
	add(t, 1, WHY_NOT_SEEN, -1, 0);
	add(t, 2, WHY_NONE, 4, 0);
	add(t, 2, WHY_NONE, 7, 0);
	add(t, 2, WHY_NONE, -1, 0);
	add(t, 3, WHY_TIMEOUT, -1, 0);
	add(t, 4, WHY_NONE, 9, REPLY_REWRITTEN | REPLY_NAT | REPLY_FTL);
	add(t, 5, WHY_NONE, -1, REPLY_INHERITED);
	add(t, 6, WHY_TIMEOUT, -1, REPLY_INHERITED);
	s = trace_hop_stats(t, 1);
	/* Late and duplicate answers are extra; what the kernel refused was not sent. */
	assert_true(s.min_ns == 10 && s.median_ns == 20 && s.sent == 5 && s.answered == 3);
	s = trace_hop_stats(t, 2);
	/* An answer without a time answers all the same; an even count takes the middle. */
	assert_true(s.min_ns == 4 && s.median_ns == 5 && s.sent == 3 && s.answered == 3);
	s = trace_hop_stats(t, 3);
	assert_true(s.min_ns == -1 && s.median_ns == -1 && s.sent == 1 && s.answered == 0);
	s = trace_hop_stats(t, 4);
	assert_true(s.min_ns == 9 && s.sent == 1 && s.answered == 1);
	/* What another trace asked is no probe of this one. */
	s = trace_hop_stats(t, 5);
	assert_true(s.min_ns == -1 && s.sent == 0 && s.answered == 0);
	s = trace_hop_stats(t, 6);
	assert_true(s.sent == 0 && s.answered == 0);
	s = trace_hop_stats(t, 9);
	assert_true(s.min_ns == -1 && s.sent == 0 && s.answered == 0);
	free(t);
}

static void statistics_of_the_destination(void **state)
{
	struct trace *t = trace_new(8);
	struct hop_stats s;

	(void)state;
	t->dst = at("10.0.0.1");
	t->stamps = STAMPS_IMPORT;
	add(t, 3, WHY_NONE, 50, 0);
	add(t, 3, WHY_TIMEOUT, -1, 0);
	add(t, 4, WHY_NONE, 40, 0);
	add(t, 4, WHY_NONE, 30, REPLY_LATE);
	s = trace_destination_stats(t);
	assert_true(s.min_ns == 40 && s.median_ns == 45 && s.answered == 2);
	free(t);
}

static const struct {
	const char *from;
	int type, code, tcp;
	enum method method;
	enum stamps stamps;
	bool is;
	const char *reason;
} destinations[] = {
	{"192.0.2.9", 0, 0, -1, METHOD_ICMP, STAMPS_PCAP, true, "echo reply"},
	{"192.0.2.8", 0, 0, -1, METHOD_ICMP, STAMPS_PCAP, false, "echo reply of somebody else"},
	{"192.0.2.9", 11, 0, -1, METHOD_ICMP, STAMPS_PCAP, false, "time exceeded, though the source is it"},
	{"192.0.2.9", 3, 3, -1, METHOD_UDP, STAMPS_PCAP, true, "port unreachable"},
	{"192.0.2.1", 3, 3, -1, METHOD_UDP, STAMPS_PCAP, true, "port unreachable from its other side"},
	{"192.0.2.9", 3, 3, -1, METHOD_ICMP, STAMPS_PCAP, false, "nobody asked a port"},
	{"192.0.2.9", 3, 13, -1, METHOD_UDP, STAMPS_PCAP, false, "prohibited is not reached"},
	{"192.0.2.9", 3, 1, -1, METHOD_UDP, STAMPS_PCAP, false, "host unreachable"},
	{"192.0.2.9", -1, -1, 0x12, METHOD_TCP, STAMPS_PCAP, true, "SYN-ACK"},
	{"192.0.2.9", -1, -1, 0x14, METHOD_TCP, STAMPS_PCAP, true, "RST"},
	{"192.0.2.8", -1, -1, 0x14, METHOD_TCP, STAMPS_PCAP, false, "RST of somebody else"},
	{"192.0.2.9", -1, -1, -1, METHOD_UNKNOWN, STAMPS_IMPORT, true, "text has no types"},
	{"192.0.2.9", -1, -1, -1, METHOD_ICMP, STAMPS_PCAP, false, "ours always have"},
	{"192.0.2.8", -1, -1, -1, METHOD_UNKNOWN, STAMPS_IMPORT, false, "a hop of a text"},
	{"192.0.2.9", 3, 13, -1, METHOD_UNKNOWN, STAMPS_IMPORT, false, "a text's !X"},
};

static void the_destination_says_so_by_type(void **state)
{
	struct trace *t = trace_new(1);

	(void)state;
	t->dst = at("192.0.2.9");
	for (size_t i = 0; i < sizeof(destinations) / sizeof(destinations[0]); i++) {
		struct trace_entry e;

		trace_entry_init(&e, 5, 1);
		e.reply.from = at(destinations[i].from);
		e.why = WHY_NONE;
		e.reply.icmp_type = (int16_t)destinations[i].type;
		e.reply.icmp_code = (int16_t)destinations[i].code;
		e.reply.tcp_flags = (int16_t)destinations[i].tcp;
		t->method = (uint8_t)destinations[i].method;
		t->stamps = (uint8_t)destinations[i].stamps;
		if (trace_entry_is_destination(t, &e) != destinations[i].is)
			fail_msg("row %zu: %s", i, destinations[i].reason);
	}
	struct trace_entry silent;

	trace_entry_init(&silent, 5, 1);
	assert_false(trace_entry_is_destination(t, &silent));
	/* A text without header has no destination: no answer is its. */
	t->dst = (struct addr){0};
	t->stamps = STAMPS_IMPORT;
	silent.reply.from = at("10.0.0.1");
	assert_false(trace_entry_is_destination(t, &silent));
	free(t);
}

/* A firewall that rejects by port-unreachable has let a TTL run out before: no destination. */
static void a_rejecting_router_is_no_destination(void **state)
{
	struct trace *t = trace_new(2);
	struct trace_entry *e = t->entries;

	(void)state;
	t->dst = at("192.0.2.9");
	t->method = METHOD_UDP;
	t->stamps = STAMPS_PCAP;
	for (uint8_t i = 0; i < 2; i++) {
		trace_entry_init(&e[i], (uint8_t)(3 + i), 1);
		e[i].why = WHY_NONE;
		e[i].reply.from = at("192.0.2.1");
		e[i].reply.icmp_type = i ? 3 : 11;
		e[i].reply.icmp_code = i ? 3 : 0;
	}
	t->entry_count = 1;
	assert_false(trace_entry_is_destination(t, &e[1]));
	/* The target's own word holds, whoever else spoke in its name. */
	e[0].reply.from = e[1].reply.from = t->dst;
	assert_true(trace_entry_is_destination(t, &e[1]));
	free(t);
}

static const struct { int family, type, code; const char *mark; bool exceeded, unreachable,
		      prohibited, port, echo; } icmp[] = {
	{4, 11, 0, "", true, false, false, false, false},
	{4, 11, 1, "", false, false, false, false, false},
	{4, 0, 0, "", false, false, false, false, true},
	{4, 8, 0, "", false, false, false, false, false},
	{4, 3, 0, "!N", false, true, false, false, false},
	{4, 3, 1, "!H", false, true, false, false, false},
	{4, 3, 2, "!P", false, true, false, false, false},
	{4, 3, 3, "", false, true, false, true, false},
	{4, 3, 4, "!F", false, true, false, false, false},
	{4, 3, 9, "!A", false, true, true, false, false},
	{4, 3, 10, "!Z", false, true, true, false, false},
	{4, 3, 13, "!X", false, true, true, false, false},
	{4, 3, 99, "!?", false, true, false, false, false},
	{4, -1, -1, "", false, false, false, false, false},
	{6, 3, 0, "", true, false, false, false, false},
	{6, 3, 1, "", false, false, false, false, false},
	{6, 129, 0, "", false, false, false, false, true},
	{6, 128, 0, "", false, false, false, false, false},
	{6, 1, 0, "!N", false, true, false, false, false},
	{6, 1, 1, "!X", false, true, true, false, false},
	{6, 1, 3, "!H", false, true, false, false, false},
	{6, 1, 4, "", false, true, false, true, false},
	{6, 2, 0, "!F", false, true, false, false, false},
	{6, 11, 0, "", false, false, false, false, false},
	{6, 0, 0, "", false, false, false, false, false},
};

static void icmp_meanings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(icmp) / sizeof(icmp[0]); i++) {
		uint8_t family = (uint8_t)icmp[i].family;
		int type = icmp[i].type, code = icmp[i].code;

		if (strcmp(icmp_mark(family, type, code), icmp[i].mark) != 0 ||
		    icmp_is_ttl_exceeded(family, type, code) != icmp[i].exceeded ||
		    icmp_is_unreachable(family, type) != icmp[i].unreachable ||
		    icmp_is_prohibited(family, type, code) != icmp[i].prohibited ||
		    icmp_is_port_unreachable(family, type, code) != icmp[i].port ||
		    icmp_is_echo_reply(family, type) != icmp[i].echo)
			fail_msg("IPv%d type %d code %d", family, type, code);
	}
}

/* A word for every value, and back; the words are the interface's. */
static void every_value_has_a_word(void **state)
{
	static const struct { const struct word *table; int first, last; } tables[] = {
		{method_words, METHOD_ICMP, METHOD_TCP}, {stop_words, STOP_UNKNOWN, STOP_ERROR},
		{reach_words, REACH_UNKNOWN, REACH_SILENT},
		{reached_by_words, REACHED_BY_ECHO_REPLY, REACHED_BY_RST},
		{stamps_words, STAMPS_UNKNOWN, STAMPS_IMPORT},
		{why_words, WHY_TIMEOUT, WHY_INTERRUPTED},
		{iface_role_words, IFACE_INCOMING, IFACE_NEXT_HOP},
		{name_source_words, NAME_SOURCE_NONE, NAME_SOURCE_OVERLAY},
		{outcome_words, OUTCOME_UNDETERMINED, OUTCOME_NONE},
		{path_class_words, CLASS_UNKNOWN, CLASS_NOT_INSIDE},
		{via_basis_words, VIA_NONE, VIA_LABEL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (int v = tables[i].first; v <= tables[i].last; v++) {
			const struct word *table = tables[i].table;
			int back = -1;

			assert_int_equal(word_value(table, word_of(table, v), &back), 0);
			assert_int_equal(back, v);
		}
	}
	for (int bit = 1; bit <= REPLY_CLOCK; bit <<= 1) {
		const char *word = word_of(reply_flag_words, bit);
		int back = -1;

		assert_int_equal(word_value(reply_flag_words, word, &back), 0);
		assert_int_equal(back, bit);
	}
	assert_string_equal(word_of(stop_words, STOP_GAP_LIMIT), "gap_limit");
	assert_string_equal(word_of(reached_by_words, REACHED_BY_SYN_ACK), "syn_ack");
	assert_string_equal(word_of(reply_flag_words, REPLY_FTL), "faster_than_light");
	assert_string_equal(word_of(path_class_words, CLASS_FILTERED_AT_BORDER), "filtered_at_border");
}

/* Names stay sorted and distinct whatever the order of arrival. */
static void names_are_a_sorted_set(void **state)
{
	struct names names;
	uint64_t s = 5;

	(void)state;
	names_init(&names);
	assert_null(names_find(&names, at("10.0.0.1")));
	for (unsigned i = 0; i < 2000; i++) {
		uint8_t bytes[4] = {10, 0, (uint8_t)rnd_below(&s, 3), (uint8_t)rnd(&s)};
		struct name *n = names_put(&names, addr_v4(bytes));

		assert_non_null(n);
		/* 0 when new; else what was put at this very address. */
		assert_true(n->asn == 0 || n->asn == 65536u + 256u * bytes[2] + bytes[3]);
		n->asn = 65536u + 256u * bytes[2] + bytes[3];
	}
	assert_in_range(names.count, 700, 768);
	for (uint32_t i = 0; i < names.count; i++) {
		const struct name *n = &names.items[i];

		assert_true(i == 0 || addr_compare(n[-1].addr, n->addr) < 0);
		assert_ptr_equal(names_find(&names, n->addr), n);
	}
	assert_null(names_find(&names, at("10.0.3.1")));
	names_fini(&names);
	assert_int_equal(names.count, 0);
	names_fini(&names);
}

/* Appended in any order and more than once: the first of an address stays. */
static void appended_names_settle(void **state)
{
	uint32_t first[256] = {0};
	struct names names;
	uint64_t s = 9;

	(void)state;
	names_init(&names);
	assert_int_equal(names_settle(&names), 0);
	assert_int_equal(names.count, 0);
	for (uint32_t i = 1; i <= 3000; i++) {
		uint8_t bytes[4] = {10, 0, 0, (uint8_t)rnd(&s)};
		struct name *n = names_append(&names, addr_v4(bytes));

		assert_non_null(n);
		n->asn = i;
		first[bytes[3]] = first[bytes[3]] ? first[bytes[3]] : i;
	}
	assert_int_equal(names_settle(&names), 0);
	assert_in_range(names.count, 250, 256);
	for (uint32_t i = 0; i < names.count; i++) {
		const struct name *n = &names.items[i];

		assert_true(i == 0 || addr_compare(n[-1].addr, n->addr) < 0);
		assert_int_equal(n->asn, first[n->addr.bytes[3]]);
	}
	assert_non_null(names_put(&names, at("10.0.1.0")));
	assert_non_null(names_find(&names, at("10.0.1.0")));
	names_fini(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_traces_know_nothing),
		cmocka_unit_test(validate_refuses_every_bad_shape),
		cmocka_unit_test(sorting_is_stable),
		cmocka_unit_test(hops),
		cmocka_unit_test(statistics),
		cmocka_unit_test(statistics_of_the_destination),
		cmocka_unit_test(the_destination_says_so_by_type),
		cmocka_unit_test(a_rejecting_router_is_no_destination),
		cmocka_unit_test(icmp_meanings),
		cmocka_unit_test(every_value_has_a_word),
		cmocka_unit_test(names_are_a_sorted_set),
		cmocka_unit_test(appended_names_settle),
	};

	return cmocka_run_group_tests_name("core/record/trace", tests, NULL, NULL);
}
