// SPDX-License-Identifier: BSD-2-Clause
/* The native record: round trips of every field, strictness, unknown fields, replacement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "core/record/jsonl.h"
#include "tests/unit/seeds.h"
#include "tests/unit/core/record/compare.h"
#include "tests/unit/core/record/random_trace.h"

static void assert_trace_equal(const struct trace *a, const struct trace *b)
{
	assert_int_equal(a->entry_count, b->entry_count);
	assert_int_equal(a->size, b->size);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->campaign, b->campaign);
	assert_string_equal(a->round, b->round);
	assert_string_equal(a->vantage, b->vantage);
	assert_string_equal(a->target, b->target);
	assert_string_equal(a->tool, b->tool);
	assert_string_equal(a->ifname, b->ifname);
	assert_string_equal(a->error, b->error);
	/* From here on there is no text, and no padding that trace_new has not zeroed. */
	assert_memory_equal(&a->src, &b->src,
			    sizeof(*a) - offsetof(struct trace, src));
	for (uint32_t i = 0; i < a->entry_count; i++) {
		struct trace_entry x = a->entries[i], y = b->entries[i];

		assert_string_equal(x.reply.iface.name, y.reply.iface.name);
		assert_memory_equal(&x, &y, offsetof(struct trace_entry, reply.mpls));
		assert_memory_equal(&x.reply.mpls, &y.reply.mpls, sizeof(x.reply.mpls));
		assert_int_equal(x.reply.iface.role, y.reply.iface.role);
		assert_int_equal(x.reply.iface.index, y.reply.iface.index);
		assert_int_equal(x.reply.iface.mtu, y.reply.iface.mtu);
		assert_true(addr_equal(x.reply.iface.addr, y.reply.iface.addr));
	}
}

/* read(write(x)) is x, for every field, and writing what was read gives the same bytes. */
static void random_records_come_back(void **state)
{
	uint64_t s = 2026;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct trace *t = rnd_trace(&s, (uint32_t)rnd_below(&s, round % 50 ? 40 : 1200));
		struct bp_error err = {0};
		struct names names;
		struct verdict verdict;
		struct record r;
		struct buf out, again;

		names_init(&names);
		buf_init(&out);
		buf_init(&again);
		record_init(&r);
		rnd_names(&s, t, &names);
		rnd_verdict(&s, &verdict);
		jsonl_write_trace(&out, t, &names, &verdict);
		assert_false(out.failed);
		if (round < 8 && out.used < 16384)
			seed_write("record", "random", round, out.bytes, out.used);
		assert_int_equal(trace_validate(t, t->size), 0);
		if (jsonl_read(out.bytes, out.used, &r, &err) < 0)
			fail_msg("round %u: %s", round, err.text);
		assert_int_equal(r.kind, RECORD_TRACE);
		assert_trace_equal(r.trace, t);
		assert_names_equal(&r.names, &names);
		assert_verdict_equal(&r.verdict, &verdict);

		assert_int_equal(jsonl_write_record(&again, &r, NULL, NULL), 0);
		assert_string_equal(again.bytes, out.bytes);
		/* Replacing a member by itself must not change a byte either. */
		buf_clear(&again);
		assert_int_equal(jsonl_write_record(&again, &r, &r.names, &r.verdict), 0);
		if (r.names.count > 0)
			assert_string_equal(again.bytes, out.bytes);

		record_fini(&r);
		names_fini(&names);
		buf_fini(&out);
		buf_fini(&again);
		free(t);
	}
}

/* Byte for byte what the interface says, with every member in its order. */
static void the_interface_example(void **state)
{
	static const char line[] =
		"{\"type\":\"trace\",\"version\":1,\"id\":\"fra1-1-1\",\"vantage\":\"fra1\","
		"\"src\":\"203.0.113.2\",\"dst\":\"175.45.176.71\",\"target\":\"www.kcna.kp\","
		"\"method\":\"tcp\",\"sport\":40123,\"dport\":80,\"flow\":0,\"ifname\":\"eth0\","
		"\"start\":\"2026-11-22T10:00:00.000000000Z\","
		"\"end\":\"2026-11-22T10:00:01.500000000Z\",\"stop\":\"reached\","
		"\"reach\":\"reached\",\"reached_by\":\"syn_ack\",\"stamps\":\"pcap\","
		"\"attempts\":3,\"size\":60,\"wait_ms\":2000,\"rate_pps\":50,"
		"\"tool\":\"borderpath 0.1.0\",\"sent\":42,\"received\":31,\"drops\":0,"
		"\"clock\":{\"stepped\":false},\"refused\":{\"foreign\":0,\"bad_token\":0,"
		"\"malformed\":0,\"late\":0,\"duplicate\":0},\"hops\":[{\"ttl\":1,\"probes\":["
		"{\"attempt\":1,\"tx_us\":12.345,\"from\":\"203.0.113.1\",\"rtt_ms\":0.123456,"
		"\"icmp_type\":11,\"icmp_code\":0,\"reply_ttl\":64,\"quoted_ttl\":1,\"size\":56,"
		"\"ip_id\":4711,\"mpls\":[{\"label\":29657,\"exp\":0,\"s\":1,\"ttl\":1}],"
		"\"flags\":[]},{\"attempt\":2,\"tx_us\":20.1,\"from\":null,\"why\":\"timeout\"}]},"
		"{\"ttl\":2,\"probes\":[{\"attempt\":1,\"from\":\"175.45.176.71\",\"rtt_ms\":280,"
		"\"tcp_flags\":\"SA\",\"flags\":[\"late\",\"faster_than_light\"]}]}]}\n";
	struct trace *t = trace_new(3);
	struct buf out;

	(void)state;
	buf_init(&out);
	text_set(t->id, sizeof(t->id), "fra1-1-1");
	text_set(t->vantage, sizeof(t->vantage), "fra1");
	text_set(t->target, sizeof(t->target), "www.kcna.kp");
	text_set(t->ifname, sizeof(t->ifname), "eth0");
	text_set(t->tool, sizeof(t->tool), "borderpath 0.1.0");
	addr_parse("203.0.113.2", &t->src);
	addr_parse("175.45.176.71", &t->dst);
	t->method = METHOD_TCP;
	t->sport = 40123;
	t->dport = 80;
	t->flow = 0;
	wall_parse("2026-11-22T10:00:00Z", (struct wall){0}, &t->start);
	wall_parse("2026-11-22T10:00:01.5Z", (struct wall){0}, &t->end);
	t->stop = STOP_REACHED;
	t->reach = REACH_REACHED;
	t->reached_by = REACHED_BY_SYN_ACK;
	t->stamps = STAMPS_PCAP;
	t->attempts = 3;
	t->probe_size = 60;
	t->wait_ms = 2000;
	t->rate_pps = 50;
	t->sent = 42;
	t->received = 31;
	t->drops = 0;
	t->clock_known = t->refused_known = true;
	for (uint8_t i = 0; i < 3; i++)
		trace_entry_init(&t->entries[t->entry_count++], i < 2 ? 1 : 2, i == 1 ? 2 : 1);
	struct trace_entry *e = t->entries;

	addr_parse("203.0.113.1", &e->reply.from);
	e[0].why = e[2].why = WHY_NONE;
	e[0].tx_ns = 12345;
	e[1].tx_ns = 20100;
	e[0].reply.rtt_ns = 123456;
	e[0].reply.icmp_type = 11;
	e[0].reply.icmp_code = 0;
	e[0].reply.reply_ttl = 64;
	e[0].reply.quoted_ttl = 1;
	e[0].reply.size = 56;
	e[0].reply.ip_id = 4711;
	e[0].reply.mpls_count = 1;
	e[0].reply.mpls[0] = (struct mpls){29657, 0, 1, 1};
	e[2].reply.from = t->dst;
	e[2].reply.rtt_ns = 280000000;
	e[2].reply.tcp_flags = 0x12;
	e[2].reply.flags = REPLY_LATE | REPLY_FTL;
	jsonl_write_trace(&out, t, NULL, NULL);
	seed_write("record", "example", 0, line, strlen(line));
	assert_string_equal(out.bytes, line);
	buf_fini(&out);
	free(t);
}

#define T "\"type\":\"trace\",\"version\":1"
#define P(probe) "{" T ",\"hops\":[{\"ttl\":3,\"probes\":[" probe "]}]}"

static const struct {
	const char *line;
	int code;
	const char *says; /* part of the message */
	const char *reason;
} refused[] = {
	{"", BP_ETRUNC, "not JSON", "an empty line is no record"},
	{"{" T, BP_ETRUNC, "not JSON", "a line cut by a full disk"},
	{"{" T "} x", BP_EPARSE, "not JSON", "something behind the object"},
	{"[1]", BP_EFOREIGN, "not an object", "JSON of somebody else"},
	{"{\"a\":1}", BP_EFOREIGN, "no \"type\"", "JSON of somebody else"},
	{"{\"type\":7}", BP_EFOREIGN, "no \"type\"", "JSON of somebody else"},
	{"{" T ",\"dport\":80,\"dport\":81}", BP_EPARSE, "duplicate", "which one would count?"},
	{"{\"type\":\"trace\",\"version\":2}", BP_EUNSUP, "version", "a later program's record"},
	{"{\"type\":\"trace\",\"version\":\"1\"}", BP_EPARSE, "version: expected", "text"},
	{"{\"type\":\"trace\",\"version\":0}", BP_ERANGE, "version: expected", "below the first"},
	{"{" T ",\"dst\":7}", BP_EPARSE, "dst: expected a string", "a wrong type"},
	{"{" T ",\"dst\":\"www.kcna.kp\"}", BP_EPARSE, "dst: expected an IPv4", "a name"},
	{"{" T ",\"dst\":\"175.45.176.71\\u0000\"}", BP_EPARSE, "dst: expected text without", "NUL"},
	{"{" T ",\"dport\":65536}", BP_ERANGE, "dport: expected an integer from 0 to 65535", "high"},
	{"{" T ",\"dport\":-1}", BP_ERANGE, "dport", "unknown is left out, not -1"},
	{"{" T ",\"dport\":80.5}", BP_ERANGE, "dport", "no integer"},
	{"{" T ",\"dport\":80.0}", 0, "", "an integer all the same"},
	{"{" T ",\"dport\":true}", BP_EPARSE, "dport", "a boolean is no number"},
	{"{" T ",\"dport\":null}", 0, "", "null is: not known"},
	{"{" T ",\"sent\":9223372036854775808}", BP_ERANGE, "sent", "over int64"},
	{"{" T ",\"hash\":18446744073709551615}", 0, "", "not ours: as large as they like"},
	{"{" T ",\"hash\":1e999}", BP_EPARSE, "not JSON", "no number at all"},
	{"{" T ",\"method\":\"sctp\"}", BP_EPARSE, "method: expected one of icmp udp tcp", "word"},
	{"{" T ",\"reach\":\"maybe\"}", BP_EPARSE, "reach", "word"},
	{"{" T ",\"stop\":[]}", BP_EPARSE, "stop: expected a string", "type"},
	{"{" T ",\"start\":\"yesterday\"}", BP_EPARSE, "start: expected an RFC 3339 time", "time"},
	{"{" T ",\"start\":\"now\"}", BP_EPARSE, "start", "a record is not relative"},
	{"{" T ",\"start\":\"2000h ago \"}", BP_EPARSE, "start", "a record is not relative"},
	{"{" T ",\"start\":\"2026-02-29T00:00:00Z\"}", BP_EPARSE, "start", "no such day"},
	{"{" T ",\"start\":\"2026-11-22T19:00:00+09:00\"}", 0, "", "any offset"},
	{"{" T ",\"ifname\":\"0123456789abcdef\"}", BP_ERANGE, "ifname: expected at most 15", "long"},
	{"{" T ",\"clock\":{\"stepped\":0}}", BP_EPARSE, "clock.stepped: expected true or", "type"},
	{"{" T ",\"refused\":{\"late\":4294967296}}", BP_ERANGE, "refused.late", "over 32 bits"},
	{"{" T ",\"hops\":{}}", BP_EPARSE, "hops: expected an array", "type"},
	{"{" T ",\"hops\":[7]}", BP_EPARSE, "hops[0]: expected an object", "type"},
	{"{" T ",\"hops\":[{}]}", BP_EPARSE, "hops[0].ttl", "a hop without TTL"},
	{"{" T ",\"hops\":[{\"ttl\":0}]}", BP_ERANGE, "hops[0].ttl", "TTL 0 is never sent"},
	{"{" T ",\"hops\":[{\"ttl\":256}]}", BP_ERANGE, "hops[0].ttl", "one byte"},
	{"{" T ",\"hops\":[{\"ttl\":255,\"probes\":[]}]}", 0, "", "nothing asked"},
	{"{" T ",\"hops\":[{\"ttl\":1},{\"ttl\":2,\"probes\":7}]}", BP_EPARSE, "hops[1].probes", "t"},
	{P("7"), BP_EPARSE, "hops[0].probes[0]: expected an object", "type"},
	{P("{}"), 0, "", "asked, no answer, nothing else known"},
	{P("{},{\"from\":5}"), BP_EPARSE, "hops[0].probes[1].from", "the path says which probe"},
	{P("{\"attempt\":0}"), BP_ERANGE, "hops[0].probes[0].attempt", "from 1"},
	{P("{\"from\":null,\"why\":\"bored\"}"), BP_EPARSE, "why: expected one of timeout", "word"},
	{P("{\"from\":\"10.0.0.1\",\"why\":\"timeout\"}"), BP_EPARSE, "why", "a contradiction"},
	{P("{\"from\":\"10.0.0.1\",\"rtt_ms\":-0.5}"), BP_ERANGE, "rtt_ms: expected a number", "low"},
	{P("{\"from\":\"10.0.0.1\",\"rtt_ms\":\"5\"}"), BP_EPARSE, "rtt_ms", "text"},
	{P("{\"from\":\"10.0.0.1\",\"rtt_ms\":1e12}"), BP_ERANGE, "rtt_ms", "over 11 days"},
	{P("{\"tx_us\":-5.5}"), 0, "", "stamps may lie before the start"},
	{P("{\"from\":\"::1\",\"tcp_flags\":\"SX\"}"), BP_EPARSE, "tcp_flags: expected letters", "X"},
	{P("{\"from\":\"::1\",\"mpls\":[{},{},{},{},{},{},{},{},{}]}"), BP_ERANGE, "mpls", "nine"},
	{P("{\"from\":\"::1\",\"mpls\":[{\"label\":1048576}]}"), BP_ERANGE, "mpls[0].label", "21 bits"},
	{P("{\"from\":\"::1\",\"mpls\":[1]}"), BP_EPARSE, "mpls[0]: expected an object", "type"},
	{P("{\"from\":\"::1\",\"flags\":\"late\"}"), BP_EPARSE, "flags: expected an array", "type"},
	{P("{\"from\":\"::1\",\"flags\":[1]}"), BP_EPARSE, "flags[0]: expected a string", "type"},
	{P("{\"from\":\"::1\",\"flags\":[\"haunted\"]}"), 0, "", "a later version's flag"},
	{P("{\"from\":\"::1\",\"iface\":{\"role\":\"side\"}}"), BP_EPARSE, "iface.role", "word"},
	{"{" T ",\"names\":{\"kp\":{}}}", BP_EPARSE, "names.kp: expected an IPv4", "no address"},
	{"{" T ",\"names\":{\"::1\":1}}", BP_EPARSE, "names.::1: expected an object", "type"},
	{"{" T ",\"names\":{\"::1\":{\"asn\":4294967296}}}", BP_ERANGE, "names.::1.asn", "33 bits"},
	{"{" T ",\"geo\":[]}", BP_EPARSE, "geo: expected an object", "type"},
	{"{" T ",\"geo\":{\"asn_db\":1}}", BP_EPARSE, "geo.asn_db: expected a string", "type"},
	{"{" T ",\"verdict\":1}", BP_EPARSE, "verdict: expected an object", "type"},
	{"{" T ",\"verdict\":{\"p\":{\"khasan\":1.5}}}", BP_ERANGE, "verdict.p.khasan", "over one"},
	{"{" T ",\"verdict\":{\"p\":{\"0123456789012345678901234567890x\":1}}}", BP_EPARSE,
	 "expected the id of a border", "32 bytes"},
	{"{" T ",\"verdict\":{\"via\":{\"basis\":\"hope\"}}}", BP_EPARSE, "verdict.via.basis", "word"},
	{"{" T ",\"verdict\":{\"evidence\":[{\"ttl\":300}]}}", BP_ERANGE,
	 "verdict.evidence[0].ttl: expected an integer from 0 to 255", "range"},
	{"{\"type\":\"weather\",\"dst\":7}", 0, "", "a type not known is carried, not judged"},
	{"{\"type\":\"round\",\"version\":99}", 0, "", "carried"},
};

static void bad_fields_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct bp_error err = {0};
		struct record r;
		int rc;

		seed_write("record", "field", i, refused[i].line, strlen(refused[i].line));
		record_init(&r);
		rc = jsonl_read(refused[i].line, strlen(refused[i].line), &r, &err);
		if (rc != refused[i].code || strstr(err.text, refused[i].says) == NULL)
			fail_msg("%s (%s): %d \"%s\"", refused[i].line, refused[i].reason, rc, err.text);
		if (rc < 0) {
			assert_null(r.trace);
			assert_null(r.line);
			assert_null(r.dom);
			assert_int_equal(err.code, rc);
		}
		record_fini(&r);
		/* And the same without anybody to tell. */
		assert_int_equal(jsonl_read(refused[i].line, strlen(refused[i].line), &r, NULL),
				 refused[i].code);
		record_fini(&r);
	}
}

/* Found by fuzz_record: jansson reads over a NUL that stands behind a number. */
static void a_nul_byte_is_no_json(void **state)
{
	static const char line[] = "{\"x\":1.1\0,\"type\":\"trace\"}";
	struct bp_error err = {0};
	struct record r;

	(void)state;
	record_init(&r);
	assert_int_equal(jsonl_read(line, sizeof(line) - 1, &r, &err), BP_EPARSE);
	assert_string_equal(err.text, "not JSON at column 9: a NUL byte");
	assert_null(r.line);
}

static void members_may_come_in_any_order(void **state)
{
	static const char line[] =
		"{\"hops\":[{\"probes\":[{\"why\":\"not_seen\",\"attempt\":2},{\"rtt_ms\":5,"
		"\"from\":\"10.0.0.2\",\"attempt\":1}],\"ttl\":2},{\"probes\":[{}],\"ttl\":1}],"
		"\"dst\":\"10.0.0.9\", \"version\" : 1.0, \"type\":\"trace\"}\r\n";
	struct record r;
	struct bp_error err = {0};

	(void)state;
	record_init(&r);
	assert_int_equal(jsonl_read(line, strlen(line), &r, &err), 0);
	assert_int_equal(r.trace->entry_count, 3);
	assert_int_equal(r.trace->entries[0].ttl, 1);
	assert_int_equal(r.trace->entries[0].why, WHY_TIMEOUT);
	assert_int_equal(r.trace->entries[1].ttl, 2);
	assert_int_equal(r.trace->entries[1].attempt, 1);
	assert_int_equal(r.trace->entries[1].reply.rtt_ns, 5000000);
	assert_int_equal(r.trace->entries[2].why, WHY_NOT_SEEN);
	record_fini(&r);
}

static const struct {
	const char *before, *names, *verdict, *after, *reason;
} replaced[] = {
	{"{\"x\":1.10,\"type\":\"trace\", \"y\":[1, 2]}", NULL, NULL,
	 "{\"x\":1.10,\"type\":\"trace\", \"y\":[1, 2]}\n", "nothing to replace: not a byte changes"},
	{"{\"x\":1.10,\"type\":\"trace\"}", "10.0.0.1", NULL,
	 "{\"x\":1.10,\"type\":\"trace\",\"names\":{\"10.0.0.1\":{\"asn\":5,\"source\":\"none\"}},"
	 "\"geo\":{\"asn_db\":\"new\"}}\n", "added at the end; 1.10 keeps its zero"},
	{"{\"type\":\"trace\",\"geo\":{\"asn_db\":\"old\"},\"z\":{\"names\":1},\"names\":"
	 "{\"10.0.0.1\":{\"asn\":9,\"note\":{\"a\":[\"}\"]}},\"10.0.0.2\":{\"asn\":7}},\"y\":0}",
	 "10.0.0.1", NULL,
	 "{\"type\":\"trace\",\"geo\":{\"asn_db\":\"new\"},\"z\":{\"names\":1},\"names\":"
	 "{\"10.0.0.1\":{\"asn\":5,\"source\":\"none\",\"note\":{\"a\":[\"}\"]}}},\"y\":0}\n",
	 "in their places; somebody's note stays with the address, an inner \"names\" is not ours"},
	{"{\"type\":\"trace\",\"names\":{\"10.0.0.0\":{\"n\":1},\"9.9.9.9\":{\"asn\":1},"
	 "\"10.0.0.2\":{\"\\u0061sn\":1,\"m\":\"\\\"\"}}}",
	 "10.0.0.1", NULL,
	 "{\"type\":\"trace\",\"names\":{\"10.0.0.0\":{\"n\":1},\"10.0.0.1\":{\"asn\":5,"
	 "\"source\":\"none\"},\"10.0.0.2\":{\"\\u0061sn\":1,\"m\":\"\\\"\"}},"
	 "\"geo\":{\"asn_db\":\"new\"}}\n", "notes on addresses not named any more stay too"},
	{"{\"type\":\"trace\",\"n\\u0061mes\":{},\"verdict\":null,\"q\":\"\\\\\"}", "10.0.0.1", "x",
	 "{\"type\":\"trace\",\"names\":{\"10.0.0.1\":{\"asn\":5,\"source\":\"none\"}},\"verdict\":"
	 "{\"profile\":\"x\",\"direction\":\"toward\",\"outcome\":\"undetermined\",\"confidence\":0,"
	 "\"p\":{},\"evidence\":[]},\"q\":\"\\\\\",\"geo\":{\"asn_db\":\"new\"}}\n",
	 "escaped keys are the same keys; null is replaced"},
	{" { \"type\" : \"round\" , \"a\" : [ { } , \"]\" ] } ", NULL, "x",
	 "{\"type\" : \"round\",\"a\" : [ { } , \"]\" ],\"verdict\":{\"profile\":\"x\","
	 "\"direction\":\"toward\",\"outcome\":\"undetermined\",\"confidence\":0,\"p\":{},"
	 "\"evidence\":[]}}\n", "any record, any spacing"},
};

static void only_our_members_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
		struct names names;
		struct verdict verdict = {.judged = true};
		struct bp_error err = {0};
		struct record r, again;
		struct buf out;
		struct addr a;

		names_init(&names);
		seed_write("record", "replace", i, replaced[i].before, strlen(replaced[i].before));
		buf_init(&out);
		record_init(&r);
		record_init(&again);
		if (replaced[i].names != NULL) {
			assert_int_equal(addr_parse(replaced[i].names, &a), 0);
			names_put(&names, a)->asn = 5;
			text_set(names.geo.asn_db, sizeof(names.geo.asn_db), "new");
		}
		if (replaced[i].verdict != NULL)
			text_set(verdict.profile, sizeof(verdict.profile), replaced[i].verdict);
		if (jsonl_read(replaced[i].before, strlen(replaced[i].before), &r, &err) < 0)
			fail_msg("%s: %s", replaced[i].before, err.text);
		assert_int_equal(jsonl_write_record(&out, &r, replaced[i].names ? &names : NULL,
						    replaced[i].verdict ? &verdict : NULL), 0);
		if (strcmp(out.bytes, replaced[i].after) != 0)
			fail_msg("%s:\n%s%s", replaced[i].reason, out.bytes, replaced[i].after);
		assert_int_equal(jsonl_read(out.bytes, out.used, &again, &err), 0);
		record_fini(&r);
		record_fini(&again);
		names_fini(&names);
		buf_fini(&out);
	}
}

/* A verdict that is not judged keeps what stands in the line. */
static void unjudged_keeps_the_old_verdict(void **state)
{
	static const char line[] = "{\"type\":\"trace\",\"verdict\":{\"profile\":\"dprk\"}}";
	struct verdict none = {0};
	struct record r;
	struct buf out;

	(void)state;
	buf_init(&out);
	record_init(&r);
	assert_int_equal(jsonl_write_record(&out, &r, NULL, NULL), BP_EINVAL);
	assert_int_equal(jsonl_read(line, strlen(line), &r, NULL), 0);
	assert_true(r.verdict.judged);
	assert_int_equal(jsonl_write_record(&out, &r, NULL, &none), 0);
	assert_int_equal(out.used, strlen(line) + 1);
	assert_memory_equal(out.bytes, line, strlen(line));
	record_fini(&r);
	buf_fini(&out);
}

static void probes_are_bounded(void **state)
{
	struct buf line;
	struct bp_error err = {0};
	struct record r;

	(void)state;
	buf_init(&line);
	buf_str(&line, "{" T ",\"hops\":[{\"ttl\":1,\"probes\":[{}");
	for (unsigned i = 1; i < TRACE_MAX_ENTRIES; i++)
		buf_str(&line, ",{}");
	record_init(&r);
	size_t fits = line.used;

	buf_str(&line, "]}]}");
	assert_int_equal(jsonl_read(line.bytes, line.used, &r, &err), 0);
	assert_int_equal(r.trace->entry_count, TRACE_MAX_ENTRIES);
	assert_int_equal(r.trace->entries[300].attempt, 255);
	record_fini(&r);
	line.used = fits;
	buf_str(&line, ",{}]}]}");
	assert_int_equal(jsonl_read(line.bytes, line.used, &r, &err), BP_ERANGE);
	assert_non_null(strstr(err.text, "65535"));
	record_fini(&r);
	buf_fini(&line);
}

/* Somebody's names, the last first, and one of them written twice in two ways. */
static void many_names_backwards_take_no_minute(void **state)
{
	enum { N = 65534, SECONDS = 15 };
	struct record r;
	struct buf line;
	clock_t began;

	(void)state;
	buf_init(&line);
	buf_str(&line, "{\"type\":\"trace\",\"version\":1,\"names\":{\"0::1\":{\"asn\":7},"
		       "\"::1\":{\"asn\":8}");
	for (unsigned i = N; i-- > 0;)
		buf_printf(&line, ",\"10.9.%u.%u\":{\"asn\":%u}", i >> 8, i & 255, i + 1);
	buf_str(&line, "}}");
	record_init(&r);
	began = clock();
	assert_int_equal(jsonl_read(line.bytes, line.used, &r, NULL), 0);
	assert_true(clock() - began < (clock_t)SECONDS * CLOCKS_PER_SEC);
	assert_int_equal(r.names.count, N + 1);
	for (uint32_t i = 1; i < r.names.count; i++)
		assert_true(addr_compare(r.names.items[i - 1].addr, r.names.items[i].addr) < 0);
	assert_int_equal(r.names.items[0].asn, 1);
	assert_int_equal(r.names.items[N].asn, 8);
	record_fini(&r);
	buf_fini(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interface_example),
		cmocka_unit_test(random_records_come_back),
		cmocka_unit_test(bad_fields_are_named),
		cmocka_unit_test(a_nul_byte_is_no_json),
		cmocka_unit_test(members_may_come_in_any_order),
		cmocka_unit_test(only_our_members_are_replaced),
		cmocka_unit_test(unjudged_keeps_the_old_verdict),
		cmocka_unit_test(probes_are_bounded),
		cmocka_unit_test(many_names_backwards_take_no_minute),
	};

	return cmocka_run_group_tests_name("core/record/jsonl", tests, NULL, NULL);
}
