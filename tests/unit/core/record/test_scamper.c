// SPDX-License-Identifier: BSD-2-Clause
/*
 * scamper's JSON: what is read of it and what is told of the rest, silent probes that it only
 * counts, and that what we write has the members and types that its readers expect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <jansson.h>
#include <cmocka.h>

#include "tests/unit/core/record/read_text.h"
#include "tests/unit/seeds.h"

#define HEAD(method, stop, hops)                                                              \
	"{\"type\":\"trace\",\"version\":\"0.1\",\"userid\":0,\"method\":\"" method           \
	"\",\"src\":\"10.0.0.9\",\"dst\":\"192.0.2.9\",\"stop_reason\":\"" stop               \
	"\",\"stop_data\":0,\"start\":{\"sec\":1644327319,\"usec\":811234,\"ftime\":\"x\"},"  \
	"\"hop_count\":" hops ",\"attempts\":2,\"hoplimit\":0,\"firsthop\":1,\"wait\":5,"     \
	"\"wait_probe\":0,\"tos\":0,\"probe_size\":44"
#define HOP(addr, ttl, id, rest)                                                   \
	"{\"addr\":\"" addr "\",\"probe_ttl\":" ttl ",\"probe_id\":" id            \
	",\"probe_size\":44,\"tx\":{\"sec\":1644327319,\"usec\":811608},\"rtt\":1.057" rest "}"
#define EXCEEDED ",\"reply_ttl\":254,\"reply_ipid\":387,\"icmp_type\":11,\"icmp_code\":0"
#define LB(nodes) "{\"type\":\"tracelb\",\"version\":\"0.1\",\"userid\":0,\"method\":"       \
		  "\"icmp-echo\",\"src\":\"10.0.0.9\",\"dst\":\"192.0.2.9\",\"start\":"         \
		  "{\"sec\":1644327319,\"usec\":0},\"probe_size\":44,\"firsthop\":1,"         \
		  "\"attempts\":3,\"gaplimit\":3,\"wait_timeout\":5,\"probec\":9,\"nodes\":["   \
		  nodes "]}"
#define LINK(addr, probes) "{\"addr\":\"" addr "\",\"probes\":[" probes "]}"
#define LB_PROBE(ttl, attempt, flow, replies)                                       \
	"{\"tx\":{\"sec\":1644327319,\"usec\":5},\"replyc\":1,\"ttl\":" ttl           \
	",\"attempt\":" attempt ",\"flowid\":" flow ",\"replies\":[" replies "]}"
#define LB_REPLY(type) "{\"rx\":{\"sec\":1644327319,\"usec\":9},\"ttl\":252,\"rtt\":0.591,"   \
		       "\"ipid\":0,\"icmp_type\":" type ",\"icmp_code\":0,\"icmp_q_tos\":0}"
#define LB_IS(how, rest) "icmp > 192.0.2.9 " how " size 44" rest " from 10.0.0.9 at "       \
			 "2022-02-08 13:35:19 UTC\n"
#define IS(method, how) method " > 192.0.2.9 " how " size 44 q 2 from 10.0.0.9 at " \
			"2022-02-08 13:35:19 UTC\n"

static const struct { const char *in, *is, *why; } rows[] = {
	{HEAD("udp-paris", "COMPLETED", "3") ",\"probe_count\":4,\"sport\":1,\"dport\":33435,\"hops\":["
	 HOP("10.0.0.1", "1", "1", EXCEEDED) ","
	 HOP("192.0.2.9", "3", "1", ",\"icmp_type\":3,\"icmp_code\":3") "]}",
	 IS("udp:33435", "reached reached")
	 "| 1 10.0.0.1/1.057!11.0 | 2 * * | 3 192.0.2.9/1.057!3.3 \n",
	 "a TTL that was silent had all attempts, an answered one those up to its answer"},
	{HEAD("icmp-echo-paris", "GAPLIMIT", "2") ",\"probe_count\":4,\"hops\":["
	 HOP("10.0.0.1", "1", "2", EXCEEDED) "]}",
	 IS("icmp", "gap_limit silent") "| 1 * 10.0.0.1/1.057!11.0 | 2 * * \n",
	 "the second attempt was answered: the first was not"},
	{HEAD("icmp-echo", "GAPLIMIT", "1") ",\"probe_count\":2,\"hops\":["
	 HOP("10.0.0.1", "1", "1", EXCEEDED) "]}",
	 IS("icmp", "gap_limit silent") "| 1 10.0.0.1/1.057!11.0 * \n",
	 "probe_count says that every attempt was sent"},
	{HEAD("tcp", "COMPLETED", "1") ",\"hops\":[" HOP("192.0.2.9", "1", "0", ",\"tcp_flags\":18")
	 "]}", IS("tcp", "reached reached") "| 1 192.0.2.9/1.057 \n", "probe_id may count from 0"},
	{HEAD("tcp-ack", "UNREACH", "1") ",\"hops\":["
	 HOP("10.0.0.1", "1", "1", ",\"icmp_type\":3,\"icmp_code\":13") ","
	 HOP("10.0.0.1", "1", "1", ",\"icmp_type\":3,\"icmp_code\":13") "]}",
	 IS("tcp", "unreachable filtered") "| 1 10.0.0.1/1.057!3.13 10.0.0.1/1.057!3.13 \n",
	 "two answers to one probe"},
	{HEAD("udp", "NONE", "1") ",\"hops\":[" HOP("10.0.0.1", "1", "1",
	 ",\"icmp_type\":11,\"icmp_code\":0,\"icmpext\":[{\"ie_cn\":2,\"ie_ct\":1,\"ie_dl\":4},"
	 "{\"ie_cn\":1,\"ie_ct\":1,\"ie_dl\":8,\"mpls_labels\":["
	 "{\"mpls_ttl\":1,\"mpls_s\":0,\"mpls_exp\":7,\"mpls_label\":29657},"
	 "{\"mpls_ttl\":2,\"mpls_s\":1,\"mpls_exp\":0,\"mpls_label\":3}]}]") "]}",
	 IS("udp", "unknown unknown") "| 1 10.0.0.1/1.057!11.0L29657.7.0.1L3.0.1.2 \n", "labels"},
	{HEAD("icmp-echo", "LOOP", "1") ",\"hops\":[" HOP("10.0.0.1", "1", "1",
	 ",\"icmp_type\":3,\"icmp_code\":4,\"icmp_nhmtu:\":1400") "]}",
	 IS("icmp", "loop unreachable") "| 1 10.0.0.1/1.057!3.4m1400 \n",
	 "the key that scamper misspells"},
	{HEAD("udp", "HALTED", "2") "}", IS("udp", "interrupted unknown") "| 1 * * | 2 * * \n",
	 "nobody answered: no hops"},
	{HEAD("icmp-echo", "GSS", "1") ",\"hops\":[" HOP("*", "1", "1", EXCEEDED) ","
	 HOP("", "2", "1", EXCEEDED) "]}", IS("icmp", "interrupted unknown") "| 1 * | 2 * \n",
	 "answers of nobody, as in M-Lab's archive"},
	{"{\"UUID\":\"u\",\"TracerouteCallerVersion\":\"0\"}\n"
	 "{\"type\":\"cycle-start\",\"list_name\":\"default\",\"id\":0,\"hostname\":\"h\"}\n"
	 HEAD("udp", "HOPLIMIT", "1") "}\n{\"type\":\"cycle-stop\"}\n",
	 IS("udp", "max_ttl silent") "| 1 * * \n", "the frame of a cycle is no record and no fault"},
	{"{\"Metadata\":{\"UUID\":\"u\"},\"CycleStart\":{\"type\":\"cycle-start\"},\"Trace\":"
	 HEAD("udp", "HOPLIMIT", "1") "},\"CycleStop\":{}}",
	 IS("udp", "max_ttl silent") "| 1 * * \n", "M-Lab's envelope"},
	{LB("{\"addr\":\"10.0.0.1\",\"name\":\"gw\",\"linkc\":2,\"links\":[["
	    LINK("10.0.0.2", LB_PROBE("2", "0", "2", LB_REPLY("11")) "," LB_PROBE("2", "0", "1",
	    LB_REPLY("11"))) "," LINK("10.0.0.3", LB_PROBE("2", "1", "3", LB_REPLY("11"))) "]]},"
	    "{\"addr\":\"10.0.0.2\",\"linkc\":1,\"links\":[[{\"addr\":\"*\"}],["
	    LINK("192.0.2.9", LB_PROBE("4", "0", "1", LB_REPLY("0") "," LB_REPLY("0"))) "]]}"),
	 LB_IS("reached reached", " q 1")
	 "| 2 10.0.0.2/0.591!11.0 | 4 192.0.2.9/0.591!0.0 192.0.2.9/0.591!0.0 \n"
	 LB_IS("unknown unknown", " q 1") "| 2 10.0.0.2/0.591!11.0 \n"
	 LB_IS("unknown unknown", " q 2") "| 2 10.0.0.3/0.591!11.0 \n",
	 "paths: a trace a flow, in the order of flows, of the probes that are listed"},
	{LB(""), "skipped in:1: tracelb: no probe of it was answered and listed\n", "no paths"},
	{LB("{\"addr\":\"10.0.0.1\",\"links\":[[" LINK("10.0.0.2", LB_PROBE("0", "0", "1", "{}"))
	    "]]}"),
	 "skipped in:1: nodes[0].links[0][0].probes[0].ttl: expected an integer from 1 to 255\n",
	 "paths with a TTL 0"},
	{LB("{\"links\":[7]}"), "skipped in:1: nodes[0].links[0]: expected an array\n", "no links"},
	{"{\"type\":\"ping\",\"version\":\"0.4\",\"userid\":0,\"stop_reason\":\"x\"}\n",
	 "skipped in:1: ping: only trace and tracelb are read\n", "a ping"},
	{"{\"type\":\"cycle-start\"}\n{\"type\":5}\n{\"a\":1}\n[]\n{\"type\":\"trace\"}",
	 "skipped in:2: type: scamper's records have one\n"
	 "skipped in:3: type: scamper's records have one\n"
	 "skipped in:5: dst: expected an address\n", "no records"},
	{HEAD("udp", "NONE", "256") "}",
	 "skipped in:1: hop_count: expected an integer from 0 to 255\n", "a TTL too far"},
	{HEAD("udp", "NONE", "1") ",\"hops\":[" HOP("10.0.0.1", "0", "1", "") "]}",
	 "skipped in:1: hops[0].probe_ttl: expected an integer from 1 to 255\n", "TTL 0"},
	{HEAD("udp", "NONE", "1") ",\"hops\":[" HOP("router", "1", "1", "") "]}",
	 "skipped in:1: hops[0].addr: expected an IPv4 or IPv6 address\n", "a name for an address"},
	{HEAD("udp", "NONE", "1") ",\"hops\":[5]}", "skipped in:1: hops[0]: expected an object\n",
	 "a number for a hop"},
	{HEAD("udp", "NONE", "1") ",\"hops\":[" HOP("10.0.0.1", "1", "1", "") "]",
	 "skipped in:1: the last object is cut\n", "cut"},
};

static void objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bp_error err = {0};
		struct buf out;

		seed_write("scamper", "row", i, rows[i].in, strlen(rows[i].in));
		buf_init(&out);
		buf_str(&out, "");
		read_text(rows[i].in, strlen(rows[i].in), &scamper_format, &out, &err);
		if (strcmp(out.bytes, rows[i].is) != 0)
			fail_msg("%s:\n%s%s\n%s", rows[i].why, out.bytes, rows[i].is, err.text);
		buf_fini(&out);
	}
}

/* The members that M-Lab's traceroute-caller decodes (parser/scamper2.go), and their types there:
 * s text, i an integer, f a number, o an object, a an array. */
static const struct { const char *key; char type; bool needed; } head_schema[] = {
	{"type", 's', true}, {"version", 's', true}, {"userid", 'i', true}, {"method", 's', true},
	{"src", 's', true}, {"dst", 's', true}, {"icmp_sum", 'i', false},
	{"stop_reason", 's', true}, {"stop_data", 'i', true}, {"start", 'o', true},
	{"hop_count", 'i', true}, {"attempts", 'i', true}, {"hoplimit", 'i', true},
	{"firsthop", 'i', true}, {"wait", 'i', true}, {"wait_probe", 'i', true}, {"tos", 'i', true},
	{"probe_size", 'i', true}, {"probe_count", 'i', true}, {"hops", 'a', true}},
  hop_schema[] = {
	{"addr", 's', true}, {"probe_ttl", 'i', true}, {"probe_id", 'i', true},
	{"probe_size", 'i', true}, {"tx", 'o', true}, {"rtt", 'f', true}, {"reply_ttl", 'i', true},
	{"reply_tos", 'i', false}, {"reply_ipid", 'i', true}, {"reply_size", 'i', true},
	{"icmp_type", 'i', true}, {"icmp_code", 'i', true}, {"icmp_q_ttl", 'i', true},
	{"icmp_q_ipl", 'i', false}, {"icmp_q_tos", 'i', false}};

static bool is_type(const json_t *v, char type)
{
	return type == 's' ? json_is_string(v) : type == 'i' ? json_is_integer(v) :
	       type == 'f' ? json_is_number(v) : type == 'o' ? json_is_object(v) : json_is_array(v);
}

static const char native[] =
	"{\"type\":\"trace\",\"version\":1,\"src\":\"10.0.0.9\",\"dst\":\"192.0.2.9\","
	"\"method\":\"icmp\",\"start\":\"2022-02-08T13:35:19.811234000Z\",\"stop\":\"reached\","
	"\"reach\":\"reached\",\"reached_by\":\"echo_reply\",\"stamps\":\"pcap\",\"attempts\":2,"
	"\"size\":60,\"wait_ms\":1500,\"sent\":5,\"received\":3,\"hops\":["
	"{\"ttl\":1,\"probes\":[{\"attempt\":1,\"tx_us\":374,\"from\":\"10.0.0.1\","
	"\"rtt_ms\":0.123456,\"icmp_type\":11,\"icmp_code\":0,\"reply_ttl\":64,\"quoted_ttl\":1,"
	"\"size\":56,\"ip_id\":4711,\"mpls\":[{\"label\":5,\"exp\":1,\"s\":1,\"ttl\":2}],\"flags\":[]},"
	"{\"attempt\":2,\"tx_us\":1374,\"from\":\"10.0.0.2\",\"rtt_ms\":2.5,\"icmp_type\":11,"
	"\"icmp_code\":0,\"reply_ttl\":64,\"quoted_ttl\":1,\"size\":56,\"ip_id\":7,\"flags\":[]}]},"
	"{\"ttl\":2,\"probes\":[{\"attempt\":1,\"from\":null,\"why\":\"timeout\"},"
	"{\"attempt\":2,\"from\":null,\"why\":\"timeout\"}]},"
	"{\"ttl\":3,\"probes\":[{\"attempt\":1,\"tx_us\":5374,\"from\":\"192.0.2.9\",\"rtt_ms\":7,"
	"\"icmp_type\":0,\"icmp_code\":0,\"reply_ttl\":61,\"quoted_ttl\":1,\"size\":60,\"ip_id\":9,"
	"\"flags\":[]}]}],\"names\":{\"10.0.0.1\":{\"source\":\"none\",\"host\":\"r.example\"}}}";

static const char written[] =
	"{\"type\":\"trace\",\"version\":\"0.1\",\"userid\":0,\"method\":\"icmp-echo-paris\","
	"\"src\":\"10.0.0.9\",\"dst\":\"192.0.2.9\",\"stop_reason\":\"COMPLETED\",\"stop_data\":0,"
	"\"start\":{\"sec\":1644327319,\"usec\":811234,\"ftime\":\"2022-02-08 13:35:19\"},"
	"\"hop_count\":3,\"attempts\":2,\"hoplimit\":0,\"firsthop\":1,\"wait\":2,\"wait_probe\":0,"
	"\"tos\":0,\"probe_size\":60,\"probe_count\":5,\"hops\":["
	"{\"addr\":\"10.0.0.1\",\"name\":\"r.example\",\"probe_ttl\":1,\"probe_id\":1,"
	"\"probe_size\":60,\"tx\":{\"sec\":1644327319,\"usec\":811608},\"rtt\":0.123456,"
	"\"reply_ttl\":64,\"reply_ipid\":4711,\"reply_size\":56,\"icmp_type\":11,\"icmp_code\":0,"
	"\"icmp_q_ttl\":1,\"icmpext\":[{\"ie_cn\":1,\"ie_ct\":1,\"ie_dl\":4,\"mpls_labels\":["
	"{\"mpls_ttl\":2,\"mpls_s\":1,\"mpls_exp\":1,\"mpls_label\":5}]}]},"
	"{\"addr\":\"10.0.0.2\",\"probe_ttl\":1,\"probe_id\":2,\"probe_size\":60,"
	"\"tx\":{\"sec\":1644327319,\"usec\":812608},\"rtt\":2.5,\"reply_ttl\":64,\"reply_ipid\":7,"
	"\"reply_size\":56,\"icmp_type\":11,\"icmp_code\":0,\"icmp_q_ttl\":1},"
	"{\"addr\":\"192.0.2.9\",\"probe_ttl\":3,\"probe_id\":1,\"probe_size\":60,"
	"\"tx\":{\"sec\":1644327319,\"usec\":816608},\"rtt\":7,\"reply_ttl\":61,\"reply_ipid\":9,"
	"\"reply_size\":60,\"icmp_type\":0,\"icmp_code\":0,\"icmp_q_ttl\":1}]}\n";

static void what_is_written_has_the_members_that_readers_want(void **state)
{
	json_t *dom = json_loads(written, 0, NULL), *hop;
	size_t k;

	(void)state;
	assert_non_null(dom);
	for (size_t i = 0; i < sizeof(head_schema) / sizeof(head_schema[0]); i++) {
		const json_t *v = json_object_get(dom, head_schema[i].key);

		if (v == NULL ? head_schema[i].needed : !is_type(v, head_schema[i].type))
			fail_msg("%s", head_schema[i].key);
	}
	json_array_foreach(json_object_get(dom, "hops"), k, hop)
	{
		for (size_t i = 0; i < sizeof(hop_schema) / sizeof(hop_schema[0]); i++) {
			const json_t *v = json_object_get(hop, hop_schema[i].key);

			if (v == NULL ? hop_schema[i].needed : !is_type(v, hop_schema[i].type))
				fail_msg("hops[%zu].%s", k, hop_schema[i].key);
		}
	}
	json_decref(dom);
}

/* Out and in again: every hop and every RTT, silent TTLs too. */
static void there_and_back(void **state)
{
	struct bp_error err = {0};
	struct buf out, there, back;
	struct record rec;

	(void)state;
	buf_init(&out);
	buf_init(&there);
	buf_init(&back);
	record_init(&rec);
	assert_int_equal(jsonl_read(native, strlen(native), &rec, &err), 0);
	assert_int_equal(scamper_format.write(&out, &rec, NULL, NULL), 0);
	assert_string_equal(out.bytes, written);
	put_hops_text(&there, rec.trace);
	assert_int_equal(read_text(out.bytes, out.used, NULL, &back, &err), BP_EOF);
	assert_non_null(strstr(back.bytes, there.bytes));
	/* Not ours to write: no trace, or one towards nowhere. */
	rec.trace->dst = (struct addr){0};
	buf_clear(&out);
	assert_int_equal(scamper_format.write(&out, &rec, NULL, NULL), BP_EFOREIGN);
	assert_int_equal(out.used, 0);
	record_fini(&rec);
	buf_fini(&out);
	buf_fini(&there);
	buf_fini(&back);
}

/* Files handed over with the project, where they are. */
static const struct { const char *name; unsigned read, skipped; } shared[] = {
	{"scamper1_valid-complex-dst-in-hops-v4.jsonl", 6, 0}, /* tracelb: six flows */
	{"scamper2_invalid-trace-type.jsonl", 0, 1},
	{"scamper2_valid-simple-json.jsonl", 1, 0},
	{"scamper2_valid-star.jsonl", 1, 0},
};

static void files_of_others(void **state)
{
	unsigned there = 0;
	int64_t answers = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		struct bp_error err = {0};
		struct record_reader r;
		struct record rec;
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "../shared/data/scamper-json/%s", shared[i].name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		there++;
		record_reader_init(&r, f, path, NULL);
		record_init(&rec);
		while (record_read(&r, &rec, &err) == 0) {
			assert_int_equal(trace_validate(rec.trace, rec.trace->size), 0);
			if (i > 0)
				assert_int_equal(rec.trace->sent, i == 2 ? 25 : 16);
			answers += rec.trace->received;
			record_fini(&rec);
		}
		assert_ptr_equal(r.format, &scamper_format);
		assert_int_equal(r.read, shared[i].read);
		assert_int_equal(r.skipped, shared[i].skipped);
		record_reader_fini(&r);
		fclose(f);
	}
	if (there == 0)
		skip();
	/* 13 answers of the paths, 4 hops, and 9 that are of nobody. */
	if (there == sizeof(shared) / sizeof(shared[0]))
		assert_int_equal(answers, 13 + 4 + 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects),
		cmocka_unit_test(what_is_written_has_the_members_that_readers_want),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(files_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
