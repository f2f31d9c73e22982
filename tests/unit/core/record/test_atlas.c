// SPDX-License-Identifier: BSD-2-Clause
/*
 * RIPE Atlas results: what is made of old and new firmware's words, what is refused, and that hops
 * and round-trip times come back through it.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/record/format.h"
#include "tests/unit/seeds.h"
#include "tests/unit/core/record/random_trace.h"
#include "tests/unit/core/record/read_text.h"

#define HEAD4(proto) "{\"fw\":5020,\"dst_name\":\"example.net\",\"dst_addr\":\"192.0.2.9\",\"src_addr\":" \
	"\"10.0.0.2\",\"proto\":\"" proto "\",\"af\":4,\"paris_id\":3,\"msm_id\":5,\"prb_id\":7," \
	"\"timestamp\":1619118621,\"type\":\"traceroute\",\"result\":["
#define HEAD6(proto) "{\"fw\":4660,\"dst_name\":\"x\",\"dst_addr\":\"2001:db8::9\",\"proto\":\"" proto "\",\"af\":6," \
	"\"msm_id\":5,\"prb_id\":7,\"type\":\"traceroute\",\"result\":["
#define HOP(n, answers) "{\"hop\":" #n ",\"result\":[" answers "]}"
#define TAIL "]}\n"
#define FROM(a) "{\"from\":\"" a "\",\"rtt\":1.5}"

/* "1.2 192.0.2.1/1.500!11.0 q1 late": ttl.attempt and what is known of the answer. */
static void put_entries(struct buf *out, const struct trace *t)
{
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		const struct reply *r = &e->reply;

		buf_printf(out, "%u.%u ", e->ttl, e->attempt);
		if (!addr_is_set(r->from))
			buf_printf(out, "%s", word_of(why_words, e->why));
		else
			buf_printf(out, "%s", addr_format(r->from, text));
		if (r->rtt_ns >= 0)
			buf_printf(out, "/%.6f", (double)r->rtt_ns / 1e6);
		if (r->icmp_type >= 0)
			buf_printf(out, "!%d.%d", r->icmp_type, r->icmp_code);
		if (r->tcp_flags >= 0)
			buf_printf(out, " tcp%d", r->tcp_flags);
		if (r->quoted_ttl >= 0 && r->quoted_ttl != 1)
			buf_printf(out, " q%d", r->quoted_ttl);
		if (r->reply_ttl >= 0)
			buf_printf(out, " t%d", r->reply_ttl);
		if (r->size >= 0)
			buf_printf(out, " s%d", r->size);
		if (r->mtu >= 0)
			buf_printf(out, " m%d", r->mtu);
		for (unsigned k = 0; k < r->mpls_count; k++)
			buf_printf(out, " L%u.%u.%u.%u", r->mpls[k].label, r->mpls[k].exp,
				   r->mpls[k].s, r->mpls[k].ttl);
		for (const struct word *f = reply_flag_words; f->word != NULL; f++) {
			if (r->flags & (unsigned)f->value)
				buf_printf(out, " %s", f->word);
		}
		buf_str(out, "; ");
	}
}

static const struct {
	const char *bytes;
	const char *end;  /* stop reach reached_by */
	const char *hops; /* put_entries, or what is told when it is refused */
	const char *reason;
} rows[] = {
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"ttl\":64,\"size\":28,\"rtt\":0.451}") ","
	 HOP(2, "{\"from\":\"192.0.2.9\",\"ttl\":60,\"size\":48,\"rtt\":2}") TAIL, "reached reached echo_reply",
	 "1.1 10.0.0.1/0.451000!11.0 t64 s56; 2.1 192.0.2.9/2.000000!0.0 t60 s76; ",
	 "ICMP: a router, the destination; sizes without their headers"},
	{HEAD4("UDP") HOP(1, FROM("10.0.0.1")) "," HOP(2, FROM("192.0.2.9")) TAIL,
	 "reached reached port_unreachable", "1.1 10.0.0.1/1.500000!11.0; 2.1 192.0.2.9/1.500000!3.3; ",
	 "UDP: the destination's answer is a port unreachable"},
	{HEAD4("TCP") HOP(1, "{\"from\":\"192.0.2.9\",\"flags\":\"SA\",\"rtt\":1,\"size\":4}") TAIL,
	 "reached reached syn_ack", "1.1 192.0.2.9/1.000000 tcp18 s44; ", "TCP: open"},
	{HEAD4("T") HOP(1, "{\"from\":\"192.0.2.9\",\"flags\":\"RA\",\"rtt\":1}") TAIL,
	 "reached reached rst", "1.1 192.0.2.9/1.000000 tcp20; ", "TCP: closed; the short name"},
	{HEAD4("ICMP") HOP(1, "{\"x\":\"*\"},{\"x\":\"*\"},{}") "," HOP(255, "{\"x\":\"*\"}") TAIL,
	 "gap_limit silent unknown", "1.1 timeout; 1.2 timeout; 1.3 timeout; 255.1 timeout; ",
	 "silence, and the last probe of all"},
	{HEAD4("ICMP") HOP(1, FROM("10.0.0.1")) "," HOP(2, "{\"x\":\"*\"}") "," HOP(255, FROM("192.0.2.9")) TAIL,
	 "reached reached echo_reply", "1.1 10.0.0.1/1.500000!11.0; 2.1 timeout; 255.1 192.0.2.9/1.500000!0.0; ",
	 "behind silent routers the destination answers at 255"},
	{HEAD4("ICMP") HOP(255, FROM("10.9.9.9")) TAIL, "gap_limit silent unknown",
	 "255.1 10.9.9.9/1.500000; ", "at 255 no TTL runs out: what it is, is not known"},
	{HEAD4("ICMP") HOP(1, FROM("10.0.0.1")) "," HOP(2, FROM("10.0.0.3")) TAIL, "max_ttl silent unknown",
	 "1.1 10.0.0.1/1.500000!11.0; 2.1 10.0.0.3/1.500000!11.0; ", "the last TTL allowed"},
	{HEAD4("ICMP") HOP(1, "{\"x\":\"*\"},{\"late\":1,\"from\":\"10.0.0.1\",\"ttl\":64},{\"x\":\"*\"}") ","
	 HOP(2, "{\"late\":3,\"from\":\"10.0.0.1\"},{\"x\":\"*\"}") TAIL, "max_ttl silent unknown",
	 "1.1 timeout; 1.1 10.0.0.1!11.0 t64 late; 1.2 timeout; 2.1 10.0.0.1!11.0 late; 2.1 timeout; ",
	 "late answers go back to their probe; one from before the first stays where it stands"},
	{HEAD4("ICMP") HOP(1, "{\"x\":\"*\"},{\"x\":\"*\"}") "," HOP(2, "{\"late\":2,\"from\":\"10.0.0.1\"},"
	 FROM("10.0.0.3")) TAIL, "max_ttl silent unknown", "1.1 timeout; 1.1 10.0.0.1!11.0 late; 1.2 timeout; "
	 "2.1 10.0.0.3/1.500000!11.0; ", "late across hops"},
	{HEAD4("ICMP") HOP(1, FROM("10.0.0.1") ",{\"dup\":true,\"from\":\"10.0.0.4\",\"rtt\":2}," FROM("10.0.0.1"))
	 TAIL, "max_ttl silent unknown", "1.1 10.0.0.1/1.500000!11.0; 1.1 10.0.0.4/2.000000!11.0 dup; "
	 "1.2 10.0.0.1/1.500000!11.0; ", "a second answer to one probe"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"err\":\"H\"},{\"from\":\"10.0.0.1\",\"err\":\"N\"}") TAIL,
	 "unreachable unreachable unknown", "1.1 10.0.0.1!3.1; 1.2 10.0.0.1!3.0; ", "unreachables"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"err\":\"A\"},{\"from\":\"10.0.0.1\",\"err\":10},"
	 "{\"from\":\"10.0.0.1\",\"err\":\"9\"},{\"from\":\"10.0.0.1\",\"err\":\"P\"},{\"from\":\"10.0.0.1\","
	 "\"err\":\"p\"}") TAIL, "unreachable filtered unknown", "1.1 10.0.0.1!3.13; 1.2 10.0.0.1!3.10; "
	 "1.3 10.0.0.1!3.9; 1.4 10.0.0.1!3.2; 1.5 10.0.0.1!3.3; ", "codes as letters, numbers and text"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"err\":\"c\"},{\"from\":\"10.0.0.1\",\"err\":\"?!\"}") TAIL,
	 "unreachable unreachable unknown", "1.1 10.0.0.1!3.-1; 1.2 10.0.0.1!3.-1; ",
	 "an error we have no word for is still an unreachable"},
	{HEAD4("UDP") HOP(1, "{\"from\":\"10.0.0.1\",\"mtu\":1400,\"ittl\":1}") TAIL,
	 "unreachable unreachable unknown", "1.1 10.0.0.1!3.4 m1400; ", "fragmentation needed"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"ittl\":2,\"rtt\":1},{\"from\":\"10.0.0.1\",\"ittl\":0}") TAIL,
	 "max_ttl silent unknown", "1.1 10.0.0.1/1.000000!11.0 q2 quoted_ttl; 1.2 10.0.0.1!11.0 q0 quoted_ttl; ",
	 "quoted TTLs other than 1"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"edst\":\"10.7.7.7\"}") TAIL, "max_ttl silent unknown",
	 "1.1 10.0.0.1!11.0 nat; ", "the quote names another destination"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"rtt\":-3.2},{\"from\":\"10.0.0.1\",\"rtt\":1e30},"
	 "{\"from\":\"10.0.0.1\",\"rtt\":1.0169999999999999},{\"from\":\"10.0.0.1\",\"rtt\":null}") TAIL,
	 "max_ttl silent unknown", "1.1 10.0.0.1!11.0 clock; 1.2 10.0.0.1!11.0 clock; "
	 "1.3 10.0.0.1/1.017000!11.0; 1.4 10.0.0.1!11.0; ", "times that are none, and one of old firmware"},
	{HEAD4("ICMP") HOP(1, "{\"from\":\"10.0.0.1\",\"ttl\":-42,\"size\":-1,\"icmpext\":{\"version\":2,"
	 "\"rfc4884\":0,\"obj\":[{\"class\":1,\"type\":1,\"mpls\":[{\"exp\":1,\"label\":25160,\"s\":0,\"ttl\":1},"
	 "{\"exp\":0,\"label\":17,\"s\":1,\"ttl\":2}]},{\"class\":2,\"type\":14,\"x\":[[]]}]}}") TAIL,
	 "max_ttl silent unknown", "1.1 10.0.0.1!11.0 L25160.1.0.1 L17.0.1.2; ", "labels; what firmware did not know"},
	{HEAD4("UDP") "{\"hop\":1,\"result\":[{\"error\":\"sendto failed: Network is unreachable\"}]}" TAIL,
	 "error unknown unknown", "1.1 not_sent; ", "it could not be sent"},
	{HEAD4("UDP") "{\"hop\":1,\"error\":\"connect failed: Network is unreachable\"}" TAIL,
	 "error unknown unknown", "1.1 not_sent; ", "nor could the whole hop"},
	{HEAD4("UDP") "{\"error\":\"name resolution failed\"}" TAIL, "error unknown unknown", "",
	 "there was nobody to ask"},
	{"{\"fw\":5020,\"msm_id\":5,\"prb_id\":7,\"dst_name\":\"no.example\",\"dnserr\":\"non-recoverable\"}\n",
	 "error unknown unknown", "", "no name, no result"},
	{HEAD4("ICMP") "{\"result\":[" FROM("10.0.0.1") "],\"hop\":4}" TAIL, "max_ttl silent unknown",
	 "4.1 10.0.0.1/1.500000!11.0; ", "members in another order"},
	{"{\"result\":[" HOP(1, FROM("10.0.0.1")) "," HOP(2, FROM("192.0.2.9")) "],\"proto\":\"I\","
	 "\"dst_name\":\"192.0.2.9\",\"type\":\"traceroute\"}\n", "reached reached echo_reply",
	 "1.1 10.0.0.1/1.500000!11.0; 2.1 192.0.2.9/1.500000!0.0; ",
	 "the head behind the hops; the destination by its name only"},
	{"{\"fw\":4400,\"addr\":\"192.0.2.9\",\"srcaddr\":\"10.0.0.2\",\"name\":\"x\",\"mode\":\"UDP4\",\"paris-id\":2,"
	 "\"msm_id\":5,\"prb_id\":7,\"pf\":4,\"result\":[" HOP(1, FROM("192.0.2.9")) TAIL,
	 "reached reached port_unreachable", "1.1 192.0.2.9/1.500000!3.3; ", "the oldest spelling"},
	{HEAD6("ICMP") HOP(1, "{\"from\":\"2001:db8::1\",\"size\":96,\"rtt\":1}") ","
	 HOP(2, "{\"from\":\"2001:db8::9\",\"size\":48,\"rtt\":1}") TAIL, "reached reached echo_reply",
	 "1.1 2001:db8::1/1.000000!3.0 s144; 2.1 2001:db8::9/1.000000!129.0 s96; ", "IPv6"},
	{HEAD6("UDP") HOP(1, "{\"from\":\"fe80::1%eth0\",\"err\":\"N\"},{\"from\":\"fe80::1\",\"err\":\"A\"},"
	 "{\"from\":\"fe80::1\",\"err\":\"h\"},{\"from\":\"fe80::1\",\"err\":\"H\"},{\"from\":\"fe80::1\",\"err\":6},"
	 "{\"from\":\"fe80::1\",\"mtu\":1280}") TAIL, "unreachable filtered unknown",
	 "1.1 fe80::1!1.0; 1.2 fe80::1!1.1; 1.3 fe80::1!1.2; 1.4 fe80::1!1.3; 1.5 fe80::1!1.6; "
	 "1.6 fe80::1!2.0 m1280; ", "IPv6 errors; an address with its interface"},
	{HEAD6("UDP") HOP(1, "{\"from\":\"2001:db8::9\",\"rtt\":1}") TAIL, "reached reached port_unreachable",
	 "1.1 2001:db8::9/1.000000!1.4; ", "IPv6: port unreachable"},
	{HEAD4("ICMP") TAIL, "unknown unknown unknown", "", "no hop at all"},
	/* Found by fuzz_atlas: coming back, it had got a firmware. */
	{"{\"dst_name\":\"x\",\"msm_id\":5,\"prb_id\":7,\"timestamp\":1619118621,\"type\":\"traceroute\","
	 "\"result\":[]}\n", "unknown unknown unknown", "", "no firmware told"},
	{"{\"type\":\"ping\",\"msm_id\":5,\"prb_id\":7}\n", NULL, "skipped in:1: a result of another kind (ping)\n",
	 "another measurement"},
	{"{\"fw\":1,\"msm_id\":5,\"prb_id\":7,\"result\":\"traceroute to 192.0.2.9\"}\n", NULL, "skipped in:1: "
	 "a result of firmware before 4400, whose hops are text\n", "firmware 1"},
	{"{\"msm_id\":5}\n", NULL, "skipped in:1: JSON, but no traceroute of RIPE Atlas\n", "something else"},
	{"{\"type\":\"traceroute\"}\n", NULL, "skipped in:1: result: expected an array\n", "without result"},
	{"{\"type\":\"traceroute\",\"result\":{}}\n", NULL, "skipped in:1: result: expected an array\n", "an object"},
	{"{\"type\":\"traceroute\",\"result\":[3]}\n", NULL, "skipped in:1: result: expected objects\n", "numbers"},
	{HEAD4("ICMP") HOP(3, "7") TAIL, NULL, "skipped in:1: hop 3: result: expected objects\n", "no answer"},
	{HEAD4("ICMP") HOP(0, "{}") TAIL, NULL, "skipped in:1: hop: expected an integer from 1 to 255\n", "hop 0"},
	{HEAD4("ICMP") HOP(256, "{}") TAIL, NULL, "skipped in:1: hop: expected an integer from 1 to 255\n",
	 "hop 256"},
	{HEAD4("ICMP") HOP(2, "{\"from\":\"10.0.0\"}") TAIL, NULL,
	 "skipped in:1: hop 2: from: expected an IPv4 or IPv6 address\n", "half an address"},
	{HEAD4("ICMP") HOP(2, "{\"from\":\"10.0.0.1\",\"rtt\":\"x\"}") TAIL, NULL,
	 "skipped in:1: hop 2: rtt: expected a number\n", "a time in words"},
	{HEAD4("TCP") HOP(2, "{\"from\":\"10.0.0.1\",\"flags\":\"SX\"}") TAIL, NULL,
	 "skipped in:1: hop 2: flags: expected letters of FSRPAUECN\n", "flags that are none"},
	{HEAD4("ICMP") HOP(2, "{\"from\":\"\xff\"}") TAIL, NULL, "skipped in:1: not JSON at column 220: malformed UTF-8\n",
	 "no UTF-8"},
};

static void results_of_all_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fmemopen((void *)(uintptr_t)rows[i].bytes, strlen(rows[i].bytes), "r");
		struct bp_error err = {0};
		struct record_reader r;
		struct record rec;
		struct buf out;
		char end[64] = "";

		seed_write("atlas", "row", i, rows[i].bytes, strlen(rows[i].bytes));
		buf_init(&out);
		buf_str(&out, "");
		record_reader_init(&r, f, "in", &atlas_format);
		r.on_skip = note_skip;
		r.on_skip_arg = &out;
		record_init(&rec);
		if (record_read(&r, &rec, &err) == 0) {
			put_entries(&out, rec.trace);
			snprintf(end, sizeof(end), "%s %s %s", word_of(stop_words, rec.trace->stop),
				 word_of(reach_words, rec.trace->reach),
				 word_of(reached_by_words, rec.trace->reached_by));
		}
		if (strcmp(out.bytes, rows[i].hops) != 0 ||
		    strcmp(end, rows[i].end ? rows[i].end : "") != 0)
			fail_msg("%s: %s\n%s", rows[i].reason, end, out.bytes);
		record_fini(&rec);
		record_reader_fini(&r);
		buf_fini(&out);
		fclose(f);
	}
}

static struct record read_record(const char *bytes, size_t n)
{
	FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "r");
	struct bp_error err = {0};
	struct record_reader r;
	struct record rec;
	int rc;

	record_reader_init(&r, f, "in", NULL);
	record_init(&rec);
	rc = record_read(&r, &rec, &err);
	if (rc < 0 || r.format != &atlas_format)
		fail_msg("%d %s (%llu skipped)\n%s", rc, err.text, (unsigned long long)r.skipped, bytes);
	record_reader_fini(&r);
	fclose(f);
	return rec;
}

static void the_head(void **state)
{
	static const char bytes[] =
		"{\"fw\":5020,\"endtime\":1619118693,\"dst_name\":\"example.net\",\"dst_addr\":\"192.0.2.9\","
		"\"src_addr\":\"192.168.16.104\",\"proto\":\"ICMP\",\"af\":4,\"size\":48,\"paris_id\":4,"
		"\"result\":[" HOP(1, "{\"x\":\"*\"},{\"x\":\"*\"}") "," HOP(2, "{\"x\":\"*\"},{\"x\":\"*\"}")
		"],\"msm_id\":29792007,\"prb_id\":53023,\"timestamp\":1619118621,\"from\":\"185.219.13.69\","
		"\"type\":\"traceroute\"}\n";
	struct record rec = read_record(bytes, strlen(bytes));
	const struct trace *t = rec.trace;

	(void)state;
	assert_string_equal(t->id, "atlas-29792007-53023-1619118621");
	assert_string_equal(t->vantage, "atlas-53023");
	assert_string_equal(t->tool, "atlas fw 5020");
	assert_string_equal(t->target, "example.net");
	assert_int_equal(t->src.bytes[1], 168);
	assert_int_equal(t->dst.bytes[3], 9);
	assert_int_equal(t->method, METHOD_ICMP);
	assert_int_equal(t->flow, 4);
	assert_int_equal(t->probe_size, 76);
	assert_int_equal(t->start.ns, INT64_C(1619118621000000000));
	assert_int_equal(t->end.ns, INT64_C(1619118693000000000));
	assert_int_equal(t->stamps, STAMPS_IMPORT);
	assert_int_equal(t->first_ttl, 1);
	assert_int_equal(t->attempts, 2);
	assert_int_equal(t->sent, 4);
	assert_int_equal(t->received, 0);
	record_fini(&rec);
}

/* What Atlas's members or ours must bring back of an entry: all but what has no place there. */
static void assert_entry_kept(const struct trace_entry *a, const struct trace_entry *b)
{
	const struct reply *x = &a->reply, *y = &b->reply;

	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->why, b->why);
	assert_true(addr_equal(x->from, y->from));
	assert_int_equal(x->rtt_ns, y->rtt_ns);
	assert_int_equal(x->icmp_type, y->icmp_type);
	if (x->icmp_type >= 0)
		assert_int_equal(x->icmp_code, y->icmp_code);
	assert_int_equal(x->tcp_flags, y->tcp_flags);
	assert_int_equal(x->reply_ttl, y->reply_ttl);
	assert_int_equal(x->quoted_ttl, y->quoted_ttl);
	assert_int_equal(x->mtu, y->mtu);
	/* That a quoted TTL is odd follows from it, whether or not anybody had remarked it. */
	assert_int_equal(x->flags & ~REPLY_QUOTE, y->flags & ~REPLY_QUOTE);
	assert_int_equal(x->mpls_count, y->mpls_count);
	assert_memory_equal(x->mpls, y->mpls, x->mpls_count * sizeof(x->mpls[0]));
}

/* native -> Atlas -> native. */
static void random_traces_come_back(void **state)
{
	uint64_t s = 20261122;

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct trace *t = rnd_trace(&s, (uint32_t)rnd_below(&s, round % 50 ? 40 : 1200));
		struct record rec = {.kind = RECORD_TRACE, .trace = t}, again;
		struct buf out;

		/* Nobody who did not answer was late or came twice. */
		for (uint32_t i = 0; i < t->entry_count; i++) {
			struct reply *r = &t->entries[i].reply;

			if (!addr_is_set(r->from))
				r->flags &= (uint16_t)~(REPLY_LATE | REPLY_DUP | REPLY_QUOTE);
		}
		buf_init(&out);
		assert_int_equal(atlas_format.write(&out, &rec, NULL, NULL), 0);
		again = read_record(out.bytes, out.used);
		assert_int_equal(again.trace->entry_count, t->entry_count);
		for (uint32_t i = 0; i < t->entry_count; i++)
			assert_entry_kept(&t->entries[i], &again.trace->entries[i]);
		assert_string_equal(again.trace->id, t->id);
		assert_string_equal(again.trace->vantage, t->vantage);
		assert_string_equal(again.trace->campaign, t->campaign);
		assert_string_equal(again.trace->round, t->round);
		assert_true(addr_equal(again.trace->dst, t->dst));
		assert_true(addr_equal(again.trace->src, t->src));
		assert_int_equal(again.trace->method, t->method);
		assert_int_equal(again.trace->start.ns, t->start.ns);
		assert_int_equal(again.trace->flow, t->flow);
		if (t->stop != STOP_UNKNOWN)
			assert_int_equal(again.trace->stop, t->stop);
		record_fini(&again);
		buf_fini(&out);
		free(t);
	}
}

/* Atlas -> native -> Atlas -> native: nothing is lost the second time. */
static void results_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record first, second;
		struct buf out, x, y;

		if (rows[i].end == NULL || strstr(rows[i].bytes, "\"prb_id\"") == NULL)
			continue;
		buf_init(&out);
		buf_init(&x);
		buf_init(&y);
		first = read_record(rows[i].bytes, strlen(rows[i].bytes));
		assert_int_equal(atlas_format.write(&out, &first, NULL, NULL), 0);
		second = read_record(out.bytes, out.used);
		jsonl_write_trace(&x, first.trace, NULL, NULL);
		jsonl_write_trace(&y, second.trace, NULL, NULL);
		if (strcmp(x.bytes, y.bytes) != 0)
			fail_msg("%s:\n%s%s%s", rows[i].reason, x.bytes, out.bytes, y.bytes);
		record_fini(&first);
		record_fini(&second);
		buf_fini(&out);
		buf_fini(&x);
		buf_fini(&y);
	}
}

static void only_traces_are_written(void **state)
{
	struct record rec;
	struct buf out;

	(void)state;
	record_init(&rec);
	buf_init(&out);
	rec.kind = RECORD_ROUND;
	assert_int_equal(atlas_format.write(&out, &rec, NULL, NULL), BP_EFOREIGN);
	assert_int_equal(out.used, 0);
	buf_fini(&out);
}

/* Data handed over that is not ours to ship. */
static void data_handed_over(void **state)
{
	static const char dir[] = "../shared/data/atlas-json";
	struct dirent *entry;
	DIR *d = opendir(dir);
	unsigned files = 0;

	(void)state;
	if (d == NULL) {
		print_message("skipped: %s is not there\n", dir);
		skip();
	}
	while ((entry = readdir(d)) != NULL) {
		char path[512];
		struct record_reader r;
		struct bp_error err = {0};
		struct record rec;
		int rc;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		f = fopen(path, "r");
		assert_non_null(f);
		record_reader_init(&r, f, path, NULL);
		do {
			record_init(&rec);
			rc = record_read(&r, &rec, &err);
			if (rc == 0)
				assert_true(rec.trace->entry_count > 0);
			record_fini(&rec);
		} while (rc == 0);
		assert_int_equal(rc, BP_EOF);
		assert_ptr_equal(r.format, &atlas_format);
		assert_true(r.read > 0);
		assert_int_equal(r.skipped, 0);
		record_reader_fini(&r);
		fclose(f);
		files++;
	}
	closedir(d);
	assert_true(files > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_of_all_kinds), cmocka_unit_test(the_head),
		cmocka_unit_test(random_traces_come_back), cmocka_unit_test(results_come_back),
		cmocka_unit_test(only_traces_are_written), cmocka_unit_test(data_handed_over),
	};

	return cmocka_run_group_tests_name("core/record/atlas", tests, NULL, NULL);
}
