// SPDX-License-Identifier: BSD-2-Clause
/* A round's lines: what of a plan is measured, how, and from which entry; what is counted, left out
 * and not found. Orders are compared as sets, but for references first and flows in one piece. */
#include "campaign/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/text.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define HEAD "campaign: c\nvantage: v\nevery: 15m\n"

enum { LINES_MAX = 64, LINE_TEXT = 128 };

static const char profile_yaml[] =
	"profile: p\nversion: 1\n"
	"network: {name: N, asn: [64500], prefixes: [192.0.2.0/24]}\n"
	"borders: [{id: a, networks: [{asn: 64501}]}]\n"
	"targets:\n"
	"  - {host: 192.0.2.1, method: tcp, port: 8080, name: web}\n"
	"  - {host: 192.0.2.2, until: 2020-01-01}\n"
	"  - {host: 192.0.2.3, method: udp}\n"
	"  - {host: 192.0.2.4}\n";

/* What a feed is made from, and what it said. */
struct bed {
	struct campaign_plan *plan;
	struct profile *profile;
	struct prefixset avoid;
	struct feed_from from;
	struct feed *feed;
	unsigned notes;
	char note[BP_ERROR_TEXT]; /* the last */
};

static void on_note(void *arg, const char *text)
{
	struct bed *b = arg;

	b->notes++;
	text_set(b->note, sizeof(b->note), text);
}

static void bed_init(struct bed *b, const char *yaml, const char *avoid)
{
	struct bp_error err = {0};
	struct prefix p;

	*b = (struct bed){0};
	if (campaign_plan_parse("f", yaml, strlen(yaml), &b->plan, &err) < 0 ||
	    profile_parse("p", profile_yaml, strlen(profile_yaml), &b->profile, &err) < 0)
		fail_msg("%s", err.text);
	if (avoid != NULL) {
		assert_int_equal(prefix_parse(avoid, &p), 0);
		assert_int_equal(prefixset_add(&b->avoid, p), 0);
		prefixset_settle(&b->avoid);
	}
	b->from = (struct feed_from){.plan = b->plan, .profile = b->profile, .avoid = &b->avoid,
				     .on_note = on_note, .arg = b};
	assert_int_equal(wall_parse("2026-11-22T10:00:00Z", (struct wall){0}, &b->from.slot), 0);
}

static void bed_fini(struct bed *b)
{
	feed_free(b->feed);
	prefixset_fini(&b->avoid);
	profile_free(b->profile);
	campaign_plan_free(b->plan);
}

static void make(struct bed *b)
{
	struct bp_error err = {0};

	if (feed_new(&b->from, &b->feed, &err) < 0)
		fail_msg("%s", err.text);
}

/* ENTRY.HOST DST METHOD[:PORT] fFLOW xATTEMPTS TARGET; R for a reference host. */
static void put_line(char *out, const struct plan_trace *t, const struct feed_line *from)
{
	char addr[ADDR_TEXT], port[8] = "", multi[8] = "";

	if (t->dport != 0)
		snprintf(port, sizeof(port), ":%u", t->dport);
	if (t->multipath != 0)
		snprintf(multi, sizeof(multi), "m%u", t->multipath);
	snprintf(out, LINE_TEXT, "%s%u.%u %s %s%s f%u x%u%s '%.48s'", from->reference ? "R" : "",
		 from->target, from->host, addr_format(t->dst, addr),
		 word_of(method_words, t->method), port, t->flow, t->attempts, multi, t->target);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static unsigned take_all(struct bed *b, char lines[static LINES_MAX][LINE_TEXT])
{
	struct plan_trace t;
	struct feed_line from;
	unsigned n = 0;

	while (feed_next(b->feed, &t, &from)) {
		assert_true(n < LINES_MAX);
		put_line(lines[n++], &t, &from);
	}
	assert_false(feed_next(b->feed, &t, &from));
	qsort(lines, n, LINE_TEXT, by_text);
	return n;
}

static const struct {
	const char *why, *yaml, *avoid;
	const char *lines[12]; /* sorted */
	uint64_t unresolved, avoided;
	unsigned notes;
} rows[] = {
	{"the profile's targets, those that hold", HEAD, NULL,
	 {"0.0 192.0.2.1 tcp:8080 f0 x3 'web'", "2.0 192.0.2.3 udp:33434 f0 x3 '192.0.2.3'",
	  "3.0 192.0.2.4 icmp f0 x3 '192.0.2.4'"}, 0, 0, 0},
	{"the plan's method and attempts before the profile's", HEAD "method: tcp\nattempts: 1\n", NULL,
	 {"0.0 192.0.2.1 tcp:8080 f0 x1 'web'", "2.0 192.0.2.3 tcp:80 f0 x1 '192.0.2.3'",
	  "3.0 192.0.2.4 tcp:80 f0 x1 '192.0.2.4'"}, 0, 0, 0},
	{"references first, by ping, whatever the plan's method",
	 HEAD "method: udp\nflows: 2\nattempts: 1\ntargets: [198.51.100.1]\nreference: 203.0.113.1\n", NULL,
	 {"0.0 198.51.100.1 udp:33434 f0 x1 '198.51.100.1'",
	  "0.0 198.51.100.1 udp:33434 f1 x1 '198.51.100.1'",
	  "R0.0 203.0.113.1 icmp f0 x3 '203.0.113.1'"}, 0, 0, 0},
	{"a prefix and, in it, an address of its own",
	 HEAD "targets:\n  - {host: 198.51.100.0/30, attempts: 1}\n"
	      "  - {host: 198.51.100.2, name: mine, flows: 2}\n", NULL,
	 {"0.0 198.51.100.0 icmp f0 x1 '198.51.100.0/30'", "0.0 198.51.100.1 icmp f0 x1 '198.51.100.0/30'",
	  "0.0 198.51.100.3 icmp f0 x1 '198.51.100.0/30'", "1.0 198.51.100.2 icmp f0 x3 'mine'",
	  "1.0 198.51.100.2 icmp f1 x3 'mine'"}, 0, 0, 0},
	{"by another method it is another destination",
	 HEAD "targets: [198.51.100.0/31, {host: 198.51.100.0, method: tcp}]\n", NULL,
	 {"0.0 198.51.100.0 icmp f0 x3 '198.51.100.0/31'", "0.0 198.51.100.1 icmp f0 x3 '198.51.100.0/31'",
	  "1.0 198.51.100.0 tcp:80 f0 x3 '198.51.100.0'"}, 0, 0, 0},
	{"left out before anything is counted",
	 HEAD "targets: [198.51.100.0/30, 198.51.100.2, {host: 198.51.100.3, method: tcp}]\n",
	 "198.51.100.2/31",
	 {"0.0 198.51.100.0 icmp f0 x3 '198.51.100.0/30'", "0.0 198.51.100.1 icmp f0 x3 '198.51.100.0/30'"},
	 0, 4, 0},
	{"a reference that is not to be probed is told",
	 HEAD "targets: [198.51.100.1]\nreference: [203.0.113.1, 203.0.113.2]\n", "203.0.113.1/32",
	 {"0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'", "R1.0 203.0.113.2 icmp f0 x3 '203.0.113.2'"},
	 0, 1, 1},
	{"all paths are one line", HEAD "multipath: 99\ntargets: [198.51.100.1]\n", NULL,
	 {"0.0 198.51.100.1 icmp f0 x3m99 '198.51.100.1'"}, 0, 0, 0},
	{"several hosts: the first",
	 HEAD "targets: [{hosts: [198.51.100.1, 198.51.100.2], name: both}]\n", NULL,
	 {"0.0 198.51.100.1 icmp f0 x3 'both'"}, 0, 0, 0},
	{"not yet, and no longer",
	 HEAD "targets: [198.51.100.1, {host: 198.51.100.2, since: 2026-11-23},\n"
	      " {host: 198.51.100.3, until: 2026-11-22T10:00:00Z}, {host: 198.51.100.4, "
	      "since: 2026-11-22T10:00:00Z}]\n", NULL,
	 {"0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'", "3.0 198.51.100.4 icmp f0 x3 '198.51.100.4'"},
	 0, 0, 0},
	{"a file that is not there is counted and told",
	 HEAD "targets: [198.51.100.1, \"@/nonexistent\"]\n", NULL,
	 {"0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'"}, 1, 0, 1},
};

static void lines_of_a_round(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char lines[LINES_MAX][LINE_TEXT];
		struct bed b;
		unsigned n, want = 0;

		bed_init(&b, rows[i].yaml, rows[i].avoid);
		make(&b);
		n = take_all(&b, lines);
		while (rows[i].lines[want] != NULL)
			want++;
		for (unsigned k = 0; k < n && k < want; k++) {
			if (strcmp(lines[k], rows[i].lines[k]) != 0)
				fail_msg("%s: line %u is %s, expected %s", rows[i].why, k, lines[k],
					 rows[i].lines[k]);
		}
		if (n != want || feed_expected(b.feed) != want + rows[i].unresolved ||
		    feed_unresolved(b.feed) != rows[i].unresolved ||
		    feed_avoided(b.feed) != rows[i].avoided || b.notes != rows[i].notes)
			fail_msg("%s: %u lines, %llu expected, %llu unresolved, %llu avoided, %u notes: %s",
				 rows[i].why, n, (unsigned long long)feed_expected(b.feed),
				 (unsigned long long)feed_unresolved(b.feed),
				 (unsigned long long)feed_avoided(b.feed), b.notes, b.note);
		bed_fini(&b);
	}
}

/* Closer looks: what lies in the prefixes that are looked at, by several flows. */
static const struct {
	const char *why, *yaml, *only[3];
	unsigned expected;
	const char *first, *last; /* in the order of their texts */
} looks[] = {
	{"one of two targets, by four flows", HEAD "targets: [198.51.100.1, 203.0.113.1]\n",
	 {"198.51.100.0/24"}, 4, "0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'",
	 "0.0 198.51.100.1 icmp f3 x3 '198.51.100.1'"},
	{"both", HEAD "targets: [198.51.100.1, 203.0.113.1]\n",
	 {"203.0.113.0/24", "198.51.100.0/24"}, 8, "0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'",
	 "1.0 203.0.113.1 icmp f3 x3 '203.0.113.1'"},
	{"with the reference host", HEAD "reference: [192.0.2.9]\ntargets: [198.51.100.1]\n",
	 {"198.51.100.0/24"}, 5, "0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'",
	 "R0.0 192.0.2.9 icmp f0 x3 '192.0.2.9'"},
	{"more flows stay, and a search is one line",
	 HEAD "targets: [{host: 198.51.100.1, flows: 6}, {host: 198.51.100.2, multipath: 95}]\n",
	 {"198.51.100.0/24"}, 7, "0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'",
	 "1.0 198.51.100.2 icmp f0 x3m95 '198.51.100.2'"},
	{"a part of a wider entry, by its name", HEAD "targets: [{host: 198.51.100.0/29, name: all}]\n",
	 {"198.51.100.0/30", "198.51.100.6/31"}, 6 * 4, "0.0 198.51.100.0 icmp f0 x3 'all'",
	 "0.0 198.51.100.7 icmp f3 x3 'all'"},
	{"what has no address lies nowhere", HEAD "targets: [198.51.100.1, \"@/nonexistent\"]\n",
	 {"198.51.100.0/24"}, 4, "0.0 198.51.100.1 icmp f0 x3 '198.51.100.1'",
	 "0.0 198.51.100.1 icmp f3 x3 '198.51.100.1'"},
};

static void lines_of_a_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++) {
		char lines[LINES_MAX][LINE_TEXT];
		struct prefix only[3];
		struct bed b;
		unsigned n;

		bed_init(&b, looks[i].yaml, NULL);
		for (unsigned k = 0; k < 3 && looks[i].only[k] != NULL; k++)
			assert_int_equal(prefix_parse(looks[i].only[k], &only[b.from.only_count++]),
					 0);
		b.from.only = only;
		b.from.flows = FEED_LOOK_FLOWS;
		make(&b);
		n = take_all(&b, lines);
		if (n > 0)
			qsort(lines, n, LINE_TEXT, by_text);
		if (n != looks[i].expected || feed_expected(b.feed) != n ||
		    strcmp(lines[0], looks[i].first) != 0 ||
		    strcmp(lines[n - 1], looks[i].last) != 0)
			fail_msg("%s: %u lines, %llu expected, from %s to %s", looks[i].why, n,
				 (unsigned long long)feed_expected(b.feed), lines[0], lines[n - 1]);
		bed_fini(&b);
	}
}

/* A sweep is looked at whole, by as many flows as are not too many: of 128 hosts two each. */
static void a_look_at_many(void **state)
{
	static const struct { const char *yaml; unsigned lines; } sweeps[] = {
		{HEAD "targets: [198.51.100.0/24]\n", 256},
		{HEAD "targets: [198.51.100.0/25]\n", 256},
		{HEAD "targets: [198.51.100.0/26]\n", 256},
		{HEAD "targets: [198.51.96.0/20]\n", 256},
		{HEAD "targets: [198.51.100.0/28]\n", 64},
	};
	struct prefix only;
	struct bp_error err;
	struct bed none;

	(void)state;
	assert_int_equal(prefix_parse("198.51.100.0/24", &only), 0);
	for (size_t i = 0; i < COUNT(sweeps); i++) {
		struct bed b;

		bed_init(&b, sweeps[i].yaml, NULL);
		b.from.only = &only;
		b.from.only_count = 1;
		b.from.flows = FEED_LOOK_FLOWS;
		make(&b);
		assert_int_equal(feed_expected(b.feed), sweeps[i].lines);
		bed_fini(&b);
	}
	/* Nothing of it lies there: not even the reference host is asked for. */
	bed_init(&none, HEAD "reference: [192.0.2.9]\ntargets: [203.0.113.1]\n", NULL);
	none.from.only = &only;
	none.from.only_count = 1;
	assert_int_equal(feed_new(&none.from, &none.feed, &err), BP_ENOTFOUND);
	none.feed = NULL;
	bed_fini(&none);
}

/* The rows that a forecast is made of hold as many lines as there are. */
static void rows_are_the_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char lines[LINES_MAX][LINE_TEXT];
		uint64_t sum = 0;
		struct bed b;

		bed_init(&b, rows[i].yaml, rows[i].avoid);
		make(&b);
		for (uint32_t k = 0; k < feed_rows(b.feed); k++) {
			struct feed_row r;

			feed_row(b.feed, k, &r);
			sum += (prefix_size(r.prefix) - prefixset_overlap(r.out, r.prefix)) *
			       (r.how->multipath > 0 ? 1 : r.how->flows);
		}
		assert_int_equal(sum, take_all(&b, lines));
		bed_fini(&b);
	}
}

static void the_order(void **state)
{
	struct bed b;
	struct plan_trace t, before;
	struct feed_line from;

	(void)state;
	bed_init(&b, HEAD "flows: 4\ntargets: [198.51.100.0/28, 203.0.113.0/28]\n"
		 "reference: [192.0.2.1, 192.0.2.2]\n", NULL);
	make(&b);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(feed_next(b.feed, &t, &from));
		assert_true(from.reference && from.last && from.target == i);
	}
	/* Flows in one piece, and then a stranger. */
	for (unsigned i = 0; i < 32; i++) {
		for (unsigned flow = 0; flow < 4; flow++) {
			before = t;
			assert_true(feed_next(b.feed, &t, &from));
			assert_int_equal(t.flow, flow);
			assert_int_equal(from.last, flow == 3);
			if (flow > 0)
				assert_true(addr_equal(t.dst, before.dst));
			else
				assert_int_not_equal(t.dst.bytes[0], before.dst.bytes[0]);
		}
	}
	assert_false(feed_next(b.feed, &t, &from));
	bed_fini(&b);
}

/* A dead host is watched for; while it is suspect the others of its list are asked too. */
static void hosts_in_turn(void **state)
{
	static const char yaml[] = HEAD "targets: [198.51.100.9, {hosts: [198.51.100.1, 198.51.100.2, "
				   "198.51.100.3]}]\n";
	char lines[LINES_MAX][LINE_TEXT];
	struct hosts *hosts = NULL;
	struct bed b;

	(void)state;
	bed_init(&b, yaml, NULL);
	assert_int_equal(hosts_new(b.plan, &hosts), 0);
	b.from.hosts = hosts;
	for (unsigned round = 0; round < HOSTS_SILENT_ROUNDS; round++) {
		struct trace silent = {.stop = STOP_GAP_LIMIT, .reach = REACH_SILENT};
		struct round r;

		make(&b);
		assert_int_equal(take_all(&b, lines), 2);
		assert_string_equal(lines[1], "1.0 198.51.100.1 icmp f0 x3 '198.51.100.1'");
		hosts_take(hosts, 1, 0, &silent);
		round_init(&r);
		r.health = ROUND_HEALTH_OK;
		hosts_end(hosts, &r);
		feed_free(b.feed);
		b.feed = NULL;
	}
	make(&b);
	assert_int_equal(take_all(&b, lines), 4);
	assert_int_equal(feed_expected(b.feed), 4);
	assert_string_equal(lines[3], "1.2 198.51.100.3 icmp f0 x3 '198.51.100.3'");
	hosts_free(hosts);
	bed_fini(&b);
}

static void a_file_of_targets(void **state)
{
	char path[] = "/tmp/feedXXXXXX", yaml[256], lines[LINES_MAX][LINE_TEXT];
	static const char text[] = "# two, a wrong one, and one that is an entry of its own\n"
				   "198.51.100.1\n198.51.100.4/31\n1.2.3\n198.51.100.7\n";
	struct bed b;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	snprintf(yaml, sizeof(yaml), HEAD "targets: [{host: \"@%s\", attempts: 1, flows: 2, name: list}, "
		 "{host: 198.51.100.7, method: icmp, attempts: 5}]\n", path);
	bed_init(&b, yaml, NULL);
	make(&b);
	/* Of two equal entries the first stays: the file's. A name is for one word, no file's. */
	assert_int_equal(take_all(&b, lines), 8);
	assert_string_equal(lines[0], "0.0 198.51.100.1 icmp f0 x1 '198.51.100.1'");
	assert_string_equal(lines[3], "0.0 198.51.100.4 icmp f1 x1 '198.51.100.4/31'");
	assert_string_equal(lines[7], "0.0 198.51.100.7 icmp f1 x1 '198.51.100.7'");
	assert_int_equal(feed_unresolved(b.feed), 2);
	assert_int_equal(feed_expected(b.feed), 10);
	assert_int_equal(b.notes, 1);
	assert_non_null(strstr(b.note, ":4: '1.2.3' is neither"));
	bed_fini(&b);
	unlink(path);
}

/* The one name that every machine knows; by which family, is the machine's. */
static void a_name(void **state)
{
	struct plan_trace t;
	struct feed_line from;
	struct bed b;

	(void)state;
	bed_init(&b, HEAD "targets: [{host: localhost, flows: 2, name: me}, \"no_such_name.invalid\"]\n",
		 NULL);
	make(&b);
	for (unsigned flow = 0; flow < 2; flow++) {
		assert_true(feed_next(b.feed, &t, &from));
		assert_int_equal(addr_kind(t.dst), ADDR_KIND_LOOPBACK);
		assert_string_equal(t.target, "me");
		assert_int_equal(from.target, 0);
	}
	assert_false(feed_next(b.feed, &t, &from));
	assert_int_equal(feed_unresolved(b.feed), 1);
	assert_int_equal(feed_expected(b.feed), 3);
	assert_int_equal(b.notes, 1);
	assert_non_null(strstr(b.note, "unknown host 'no_such_name.invalid': "));
	bed_fini(&b);
}

static void nothing_at_all(void **state)
{
	static const struct { const char *yaml, *avoid, *told; } faults[] = {
		{HEAD "targets: [198.51.100.0/31]\n", "198.51.100.0/24",
		 "f: nothing to measure: all of it is on a do-not-probe list"},
		{HEAD "targets: [{host: 198.51.100.1, until: 2020-01-01}]\n", NULL,
		 "f: nothing to measure: no target holds at this time"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct bp_error err = {0};
		struct bed b;

		bed_init(&b, faults[i].yaml, faults[i].avoid);
		assert_int_equal(feed_new(&b.from, &b.feed, &err), BP_ENOTFOUND);
		assert_string_equal(err.text, faults[i].told);
		assert_null(b.feed);
		bed_fini(&b);
	}
}

static void the_run(void **state)
{
	struct plan_run run;
	struct bed b;
	uint64_t seed;

	(void)state;
	bed_init(&b, HEAD "rate_pps: 50\nper_prefix_rate_pps: 10\n", NULL);
	feed_run(b.plan, &run);
	seed = run.seed;
	assert_string_equal(run.vantage, "v");
	assert_int_equal(run.rate_pps, 50);
	assert_int_equal(run.prefix_mpps, 10000);
	assert_int_equal(run.router_pps, PLAN_ROUTER_PPS_DEFAULT);
	assert_false(run.progress || run.hops);
	bed_fini(&b);
	/* The ports go by the vantage point, not by the campaign. */
	bed_init(&b, "campaign: other\nvantage: v\nevery: 1h\nrate_pps: max\n", NULL);
	feed_run(b.plan, &run);
	assert_true(run.seed == seed && seed != 0);
	assert_int_equal(run.rate_pps + run.prefix_mpps + run.router_pps, 0);
	bed_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_a_round),
		cmocka_unit_test(lines_of_a_look),
		cmocka_unit_test(a_look_at_many),
		cmocka_unit_test(rows_are_the_lines),
		cmocka_unit_test(the_order),
		cmocka_unit_test(hosts_in_turn),
		cmocka_unit_test(a_file_of_targets),
		cmocka_unit_test(a_name),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(the_run),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
