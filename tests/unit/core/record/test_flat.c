// SPDX-License-Identifier: BSD-2-Clause
/* The computed columns: what makes two paths the same, how long one is, through which networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/record/flat.h"

/* A trace in a line: "TTL:who,who TTL:who ...". Who: letters a..z are 10.0.0.1, 10.0.0.2, ...;
 * '*' is silent, 'D' the destination 192.0.2.9 with an echo reply, 'X' 10.0.0.24 prohibiting. The
 * RTT of an answer is its place in the line, in ms. */
static struct trace *drawn(const char *line)
{
	struct trace *t = trace_new(64);
	uint8_t dst[4] = {192, 0, 2, 9};
	const char *s = line;

	assert_non_null(t);
	t->dst = addr_v4(dst);
	t->method = METHOD_ICMP;
	t->stamps = STAMPS_PCAP;
	while (*s != '\0') {
		uint8_t ttl = (uint8_t)strtol(s, (char **)(uintptr_t)&s, 10), attempt = 1;

		while (*s == ':' || *s == ',') {
			struct trace_entry *e = &t->entries[t->entry_count++];
			char who = s[1];
			uint8_t from[4] = {10, 0, 0, (uint8_t)((who | 0x20) - 'a' + 1)};

			trace_entry_init(e, ttl, attempt++);
			s += 2;
			if (who == '*')
				continue;
			e->why = WHY_NONE;
			e->reply.from = who == 'D' ? t->dst : addr_v4(from);
			e->reply.icmp_type = who == 'D' ? 0 : who == 'X' ? 3 : 11;
			e->reply.icmp_code = who == 'X' ? 13 : 0;
			e->reply.rtt_ns = t->entry_count * NS_PER_MS;
		}
		while (*s == ' ')
			s++;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	assert_int_equal(trace_validate(t, t->size), 0);
	return t;
}

static struct flat_trace flat(const char *line, const struct names *names)
{
	struct trace *t = drawn(line);
	struct flat_trace f;

	flat_trace(t, names, &f);
	free(t);
	return f;
}

static const struct {
	const char *a, *b;
	bool same;
	const char *why;
} pairs[] = {
	{"1:a 2:b 3:D", "1:a 2:b 3:D", true, "the same"},
	{"1:a 2:b 3:D", "1:a 2:c 3:D", false, "another router"},
	{"1:a 2:b 3:D", "1:a 2:* 3:D", false, "a router fell silent"},
	{"1:a 2:* 3:D", "1:a 3:D", true, "a silent TTL and one not asked"},
	{"1:a 2:b 3:D", "1:a 2:b 4:D", false, "a silent TTL between counts"},
	{"1:a 2:b", "2:a 3:b", false, "the TTL counts"},
	{"1:a 2:b 3:D", "1:a 2:b", false, "the destination is on its path"},
	{"1:a,a,a 2:b", "1:a 2:b,*,b", true, "how often it was asked does not count"},
	{"1:a,b 2:c", "1:b,a 2:c", true, "nor which probe took which branch"},
	{"1:a,b 2:c", "1:a 2:c", false, "but both branches do"},
	{"1:a 2:b 3:* 4:*", "1:a 2:b", true, "silence behind the last answer"},
	{"1:a 2:D 3:D 4:D", "1:a 2:D", true, "probes on their way behind the destination"},
	{"1:a 2:b 3:D 4:D", "1:a 2:b,D 3:D", false, "a nearer destination is another path"},
	{"1:a 2:D 3:b", "1:a 2:D", true, "what answers behind the destination"},
	{"1:a 2:X 3:X 4:* 5:X", "1:a 2:X", true, "one filter that answers for all behind it"},
	{"1:a 2:b,X 3:X 4:X", "1:a 2:X,b 3:X", true, "also from a TTL where another answered"},
	{"1:a 2:b,X 3:X 4:X", "1:a 2:b,X", false, "which does not hide the first TTL of its own"},
	{"1:a 2:X 3:b 4:X", "1:a 2:X 3:b", false, "a filter with a router behind it"},
	{"1:a 2:b 3:a 4:b", "1:a 2:b", false, "a loop is not cut"},
	{"1:a 2:a 3:b", "1:a 3:b", false, "one that answers twice in mid-path stays"},
};

static void paths_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct flat_trace a = flat(pairs[i].a, NULL), b = flat(pairs[i].b, NULL);

		assert_true(a.path_hash != 0 && b.path_hash != 0);
		if ((a.path_hash == b.path_hash) != pairs[i].same)
			fail_msg("%s | %s: %s", pairs[i].a, pairs[i].b, pairs[i].why);
	}
}

static void the_hash_is_the_same_on_every_machine(void **state)
{
	char text[FLAT_HASH_TEXT];
	struct flat_trace f = flat("1:b,a,b 2:* 3:D 4:D", NULL);

	(void)state;
	/* python3: hashlib.blake2b(bytes.fromhex("0102" "040a000001" "040a000002"
	 * "0301" "04c0000209"), digest_size=16).hexdigest()[:16] */
	assert_string_equal(flat_hash_text(f.path_hash, text), "c5916382f1da9f66");
	assert_string_equal(flat_hash_text(1, text), "0000000000000001");
}

static void the_hash_of_an_ipv6_path(void **state)
{
	struct trace *t = trace_new(1);
	char text[FLAT_HASH_TEXT];
	struct flat_trace f;

	(void)state;
	assert_int_equal(addr_parse("2001:db8:1:2:3::9", &t->dst), 0);
	trace_entry_init(&t->entries[0], 1, 1);
	t->entries[0].why = WHY_NONE;
	assert_int_equal(addr_parse("2001:db8::1", &t->entries[0].reply.from), 0);
	t->entry_count = 1;
	flat_trace(t, NULL, &f);
	/* blake2b(bytes.fromhex("0101" "06" "20010db8000000000000000000000001"), digest_size=16) */
	assert_string_equal(flat_hash_text(f.path_hash, text), "56cda4c08176267c");
	assert_int_equal(f.prefix.len, 48);
	assert_int_equal(f.prefix.addr.bytes[5], 1);
	assert_int_equal(f.prefix.addr.bytes[7], 0);
	free(t);
}

static const struct {
	const char *line;
	uint8_t hops;
	int64_t min_ms, median_ms;
	const char *why;
} lengths[] = {
	{"1:* 2:*", 0, -1, -1, "nobody answered"},
	{"1:a 2:b 3:*", 2, -1, -1, "the last that answered"},
	{"1:a 2:X 3:X", 3, -1, -1, "is not cut, as a count of hops"},
	{"1:a 2:b 3:D", 3, 3, 3, "the destination"},
	{"1:a 2:D,D,D 3:D", 2, 2, 3, "at its lowest TTL; delays of all its answers, even count"},
	{"1:a 2:D 3:b", 2, 2, 2, "what answers behind it is no hop"},
};

static void lengths_and_delays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct flat_trace f = flat(lengths[i].line, NULL);
		int64_t min = f.rtt_min_ns < 0 ? -1 : f.rtt_min_ns / NS_PER_MS;
		int64_t median = f.rtt_median_ns < 0 ? -1 : f.rtt_median_ns / NS_PER_MS;

		if (f.hops != lengths[i].hops || min != lengths[i].min_ms ||
		    median != lengths[i].median_ms || (f.path_hash == 0) != (f.hops == 0))
			fail_msg("%s: %s", lengths[i].line, lengths[i].why);
	}
}

static void prefixes_are_of_the_destination(void **state)
{
	struct trace *t = trace_new(0);
	char text[PREFIX_TEXT];
	struct flat_trace f;

	(void)state;
	flat_trace(t, NULL, &f);
	assert_false(addr_is_set(f.prefix.addr));
	assert_int_equal(f.hops + f.as_count, 0);
	assert_int_equal(addr_parse("175.45.176.71", &t->dst), 0);
	flat_trace(t, NULL, &f);
	assert_string_equal(prefix_format(f.prefix, text), "175.45.176.0/24");
	free(t);
}

/* a..d are of network 64501, e..h of 64502, i..l of 64503; m and the rest of none. D: 131279. */
static void name_all(struct names *names)
{
	struct trace *t = drawn("1:D");

	names_init(names);
	for (unsigned i = 0; i < 12; i++) {
		uint8_t a[4] = {10, 0, 0, (uint8_t)(i + 1)};

		names_put(names, addr_v4(a))->asn = 64501 + i / 4;
	}
	names_put(names, t->dst)->asn = 131279;
	free(t);
}

static const struct { const char *line, *path, *why; } as_paths[] = {
	{"1:m 2:*", "", "nobody known"},
	{"1:a 2:b 3:e 4:i 5:D", "64501 64502 64503 131279", "in order, neighbours once"},
	{"1:a 2:m 3:* 4:b 5:e", "64501 64502", "unknown ones between are left out"},
	{"1:a 2:e 3:b", "64501 64502 64501", "back into a network it had left"},
	{"1:a 2:e,b 3:f", "64501 64502", "the network before goes on beside the next"},
	{"1:i,e,a 2:m", "64501 64502 64503", "several at one TTL: the lower number first"},
	{"1:a,e 2:b 3:f", "64501 64502", "neighbours once, also past a TTL of one branch"},
	{"1:a 2:D 3:e", "64501 131279", "not behind the destination"},
};

static void networks_of_a_path(void **state)
{
	char text[FLAT_AS_PATH_TEXT];
	struct names names;

	(void)state;
	name_all(&names);
	for (size_t i = 0; i < sizeof(as_paths) / sizeof(as_paths[0]); i++) {
		struct flat_trace f = flat(as_paths[i].line, &names);

		if (strcmp(flat_as_path_text(&f, text), as_paths[i].path) != 0)
			fail_msg("%s: got %s: %s", as_paths[i].line, text, as_paths[i].why);
		f = flat(as_paths[i].line, NULL);
		assert_int_equal(f.as_count, 0);
	}
	names_fini(&names);
}

/* 255 TTLs of two networks in turn, numbers of ten digits: the path is cut, its text has room. */
static void long_paths_are_bounded(void **state)
{
	struct trace *t = trace_new(255);
	char text[FLAT_AS_PATH_TEXT];
	struct flat_trace f;
	struct names names;

	(void)state;
	names_init(&names);
	for (unsigned i = 0; i < 255; i++) {
		uint8_t a[4] = {10, 0, 0, (uint8_t)(i % 2)};

		trace_entry_init(&t->entries[i], (uint8_t)(i + 1), 1);
		t->entries[i].reply.from = addr_v4(a);
		names_put(&names, addr_v4(a))->asn = UINT32_MAX - i % 2;
	}
	t->entry_count = 255;
	flat_trace(t, &names, &f);
	assert_int_equal(f.as_count, FLAT_AS_PATH_MAX);
	assert_int_equal(strlen(flat_as_path_text(&f, text)), 11 * FLAT_AS_PATH_MAX - 1);
	names_fini(&names);
	free(t);
}

/* More addresses at one TTL than a byte counts: the lowest 255, whatever the order. */
static void crowds_at_one_ttl(void **state)
{
	struct trace *t = trace_new(300);
	struct flat_trace up, down;

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < 300; i++) {
			unsigned k = turn ? 299 - i : i;
			uint8_t a[4] = {10, 0, (uint8_t)(k >> 8), (uint8_t)k};

			trace_entry_init(&t->entries[i], 1, 1);
			t->entries[i].reply.from = addr_v4(a);
		}
		t->entry_count = 300;
		flat_trace(t, NULL, turn ? &down : &up);
	}
	assert_int_equal(up.path_hash, down.path_hash);
	t->entry_count = 255; /* 299 .. 45: others */
	flat_trace(t, NULL, &down);
	assert_true(up.path_hash != down.path_hash);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_told_apart),
		cmocka_unit_test(the_hash_is_the_same_on_every_machine),
		cmocka_unit_test(the_hash_of_an_ipv6_path),
		cmocka_unit_test(lengths_and_delays),
		cmocka_unit_test(prefixes_are_of_the_destination),
		cmocka_unit_test(networks_of_a_path),
		cmocka_unit_test(long_paths_are_bounded),
		cmocka_unit_test(crowds_at_one_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
