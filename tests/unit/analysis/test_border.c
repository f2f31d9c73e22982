// SPDX-License-Identifier: BSD-2-Clause
/* The verdict: one table whose rows are in the order of the rules, the traps that real borders set
 * by name, and what must hold of any trace whatever. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <math.h>
#include <stdio.h>

#include "tests/unit/analysis/path_judge.h"

#define TATA "10.11.0.1 66.110.96.13 63.243.128.121"
#define NK6 "2001:db8:b0::71"

/* --- one row per rule, in the rules' order ---------------------------------------------------- */

static const struct row {
	const char *rule;    /* the rule this row is for; "" repeats the one above */
	const char *because;
	const char *dst;
	struct wall start;
	const char *path;
	const char *outcome; /* border id or outcome */
	const char *class;
	const char *says;    /* of the rule's first evidence; NULL: the rule must not have spoken */
	const char *decided; /* rule that decided; NULL not checked */
} rows[] = {
	/* clang-format off: four lines a row */
	{"destination_outside", "a carrier on the way to somewhere else says nothing",
	 "87.250.250.242", T_NOW, TATA " 217.150.57.98 188.43.225.153 =87.250.250.242",
	 "none", "not_inside", "", "destination_outside"},
	{"", "before the network existed its addresses were not it",
	 NK, T_2000, TATA " 219.158.1.1 * =" NK,
	 "none", "not_inside", "", "destination_outside"},

	{"destination_unknown", "no header, and the path ends in the carrier: it may lead anywhere",
	 NULL, T_NOW, TATA " 219.158.1.1 219.158.1.2 *2",
	 "undetermined", "unknown", "", "destination_unknown"},
	{"", "no header, but the last answer is from inside",
	 NULL, T_NOW, TATA " 219.158.1.1 219.158.1.2 *2 175.45.176.71",
	 "dandong", "border", "", "carrier_last"},
	{"", "no header, and the path left the carrier again and ended elsewhere",
	 NULL, T_NOW, "10.0.0.1 219.158.1.1 219.158.1.2 213.248.97.173 87.250.250.242",
	 "none", "not_inside", "", "destination_unknown"},
	{"", "no header, but it ends at a router known to stand at the border",
	 NULL, T_NOW, TATA " 219.158.1.1 103.35.255.254!X *3 103.35.255.254!X",
	 "dandong", "filtered_at_border", "", "carrier_last"},
	{"", "no header, cut in transit: no carrier was left",
	 NULL, T_NOW, TATA,
	 "undetermined", "unknown", "", "destination_unknown"},

	{"nothing_answered", "unknown is an answer",
	 NK, T_NOW, "*5",
	 "undetermined", "unknown", "", "nothing_answered"},

	{"time_unknown", "no time: by what holds now",
	 NK, T_NONE, TATA " 188.43.1.1 188.43.1.2 *3 =" NK,
	 "khasan", "border", "", "carrier_last"},
	{"", "a time: no such remark",
	 NK, T_2019, TATA " 188.43.1.1 188.43.1.2 *3 =" NK,
	 "khasan", "border", NULL, "carrier_last"},

	{"forged_answer", "the destination before routers further out: a proxy answered",
	 NK, T_NOW, "10.0.0.1 =" NK " 66.110.96.13 63.243.128.121 219.158.1.1 219.158.1.2 *3 =" NK,
	 "dandong", "border", "", "carrier_last"},

	{"skipped_hop", "private space amid the carrier",
	 NK, T_NOW, TATA " 217.150.57.98 10.99.99.9 188.43.225.153 *3 =" NK,
	 "khasan", "border", "", "carrier_last"},
	{"", "an exchange as last answer: the carrier before it counts",
	 NK, T_NOW, TATA " 217.150.57.98 188.43.1.1 80.81.193.200 *3 =" NK,
	 "khasan", "border", "", "carrier_last"},

	{"customer_router", "the customer's router speaks for nobody",
	 NK, T_NOW, "10.0.0.1 * 188.43.3.213 *5 =" NK,
	 "undetermined", "border", "", "too_little"},

	{"other_time", "TransTeleCom was no way in in 2015",
	 NK, T_2015, TATA " 217.150.57.98 188.43.225.153 *3 =" NK,
	 "other", "border", "", "unlisted_way"},

	{"prior", "what is known before any hop decides nothing",
	 NK, T_NOW, "10.0.0.1 *8 =" NK,
	 "undetermined", "border", "other", "too_little"},
	{"", "nor where one border alone is open",
	 NK, T_2015, "10.0.0.1 *8 =" NK,
	 "undetermined", "border", "khasan", "too_little"},

	{"carrier_last", "one hop of the carrier, the usual three silent",
	 NK, T_NOW, TATA " 219.158.39.42 *3 =" NK,
	 "dandong", "border", "dandong", "carrier_last"},
	{"", "the same over IPv6, by the profile's prefix",
	 NK6, T_NOW, "2001:db8:a::1 2001:db8:7::2 2001:db8:c::2 *3 =" NK6,
	 "khasan", "border", "khasan", "carrier_last"},
	{"", "fourteen silent TTLs could hide anything",
	 NK, T_NOW, TATA " 219.158.39.42 *14 =" NK,
	 "undetermined", "border", "dandong", "too_little"},

	{"carrier_run", "the more of the carrier, the surer",
	 NK, T_NOW, TATA " 188.43.1.1 188.43.1.2 188.43.1.3 * =" NK,
	 "khasan", "border", "khasan", "carrier_last"},

	{"border_router", "the address that no table has",
	 NK, T_NOW, TATA " 103.35.255.254 *3 =" NK,
	 "dandong", "border", "dandong", "carrier_last"},

	{"filter", "one router refuses at many TTLs; nothing inside answers",
	 NK, T_NOW, TATA " 219.158.1.1 219.158.1.2 *2 219.158.39.42!X *3 219.158.39.42!X *",
	 "dandong", "filtered_at_border", "dandong", "carrier_last"},
	{"", "a filter in transit is no border",
	 NK, T_NOW, "10.0.0.1 66.110.96.13!X 66.110.96.13!X",
	 "undetermined", "cut_before_border", NULL, "cut_before_border"},

	{"carrier_before", "Unicom hands over to TransTeleCom: the last carrier counts",
	 NK, T_NOW, TATA " 219.158.1.1 219.158.1.2 217.150.57.98 188.43.225.153 *3 =" NK,
	 "khasan", "border", "dandong", "carrier_last"},

	{"listed_way", "a satellite of the profile",
	 NK, T_2013, TATA " 202.72.96.14 202.72.96.30 *3 =" NK,
	 "other", "border", "other", "listed_way"},
	{"", "the same, and it is silent behind",
	 NK, T_2013, TATA " 202.72.96.14 202.72.96.30 *5",
	 "other", "inside_silent", "other", "listed_way"},

	{"unlisted_way", "a way in that nobody listed",
	 NK, T_NOW, TATA " 202.72.96.14 202.72.96.30 *3 =" NK,
	 "other", "border", "other", "unlisted_way"},
	{"", "the same, too much silence: a carrier could hide in it",
	 NK, T_NOW, TATA " *7 =" NK,
	 "undetermined", "border", "other", "too_little"},

	{"carrier_behind", "one foreign hop behind the carrier: more often a wrong name",
	 NK, T_NOW, TATA " 219.158.1.1 219.158.1.2 213.248.97.173 *2 =" NK,
	 "dandong", "border", "other", "carrier_behind"},
	{"", "two of them: nobody knows",
	 NK, T_NOW, TATA " 219.158.1.1 219.158.1.2 213.248.97.173 213.248.97.174 *2 =" NK,
	 "undetermined", "border", "dandong", "too_little"},

	{"country_hint", "a country alone decides nothing",
	 NK, T_NOW, "10.0.0.1 87.250.1.1 *7 =" NK,
	 "undetermined", "border", "khasan", "too_little"},

	{"cut_before_border", "ended in transit",
	 NK, T_NOW, TATA " *4",
	 "undetermined", "cut_before_border", "", "cut_before_border"},

	{"split_path", "probes of one trace took both",
	 NK, T_NOW, TATA " 219.158.1.1|188.43.1.1 219.158.1.2|188.43.1.2 *3 =" NK,
	 "mixed", "border", "", "split_path"},

	{"contradiction", "the last outside hop answers as the other carrier",
	 NK, T_NOW, TATA " 217.150.57.98 188.43.1.1 219.158.39.50 *3 =" NK,
	 "undetermined", "border", "khasan", "contradiction"},

	{"adjacency_cap", "the carrier, and nothing behind it: at most 0.9",
	 NK, T_NOW, TATA " 188.43.1.1 188.43.1.2 188.43.1.3 *5",
	 "khasan", "inside_silent", "khasan", "carrier_last"},

	{"too_little", "only unnamed hops",
	 NK, T_NOW, "10.0.0.1 192.88.99.9 *3 =" NK,
	 "undetermined", "border", "", "too_little"},
	/* clang-format on */
};

static void check_row(const struct row *r, const char *rule)
{
	struct verdict v = judge_at(r->dst, r->path, r->start);
	const struct verdict_evidence *e = evidence_of(&v, rule);
	bool right = strcmp(told(&v), r->outcome) == 0 &&
		     strcmp(word_of(path_class_words, v.class), r->class) == 0 &&
		     (r->says == NULL ? e == NULL : e != NULL && strcmp(e->says, r->says) == 0) &&
		     (r->decided == NULL || strcmp(v.rule, r->decided) == 0);

	if (right)
		return;
	print_message("%s: %s\n", rule, r->because);
	show(&v);
	fail_msg("wanted %s, %s, decided by %s; %s says %s", r->outcome, r->class,
		 r->decided ? r->decided : "any", rule, r->says ? r->says : "nothing");
}

static void test_rules_in_order(void **state)
{
	const struct border_rule *at = border_rules;
	size_t i = 0;

	(void)state;
	for (; at->id != NULL; at++) {
		assert_true(i < sizeof(rows) / sizeof(rows[0]));
		assert_string_equal(rows[i].rule, at->id);
		assert_non_null(at->says);
		assert_non_null(at->reason);
		assert_non_null(at->source);
		do
			check_row(&rows[i++], at->id);
		while (i < sizeof(rows) / sizeof(rows[0]) && rows[i].rule[0] == '\0');
	}
	assert_int_equal(i, sizeof(rows) / sizeof(rows[0]));
}

/* doc/verdict.md has the same rows in the same order. */
static void test_document_has_the_rules(void **state)
{
	const struct border_rule *r = border_rules;
	FILE *f = fopen("doc/verdict.md", "re");
	char line[4096], want[64];

	(void)state;
	assert_non_null(f);
	snprintf(want, sizeof(want), "| `%s` |", r->id);
	while (r->id != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, want, strlen(want)) != 0)
			continue;
		r++;
		snprintf(want, sizeof(want), "| `%s` |", r->id != NULL ? r->id : "");
	}
	fclose(f);
	if (r->id != NULL)
		fail_msg("doc/verdict.md: no row for %s, or not in this place", r->id);
}

/* --- traps ------------------------------------------------------------------------------------ */

static void judged(const char *dst, const char *path, const char *want)
{
	struct verdict v = judge_at(dst, path, NOW);

	if (strcmp(told(&v), want) == 0)
		return;
	show(&v);
	fail_msg("%s: wanted %s", path, want);
}

static void right_or_open(const char *path, const char *want)
{
	struct verdict v = judge_at(NK, path, NOW);

	if (v.outcome == OUTCOME_UNDETERMINED)
		return;
	if (strcmp(told(&v), want) == 0)
		return;
	show(&v);
	fail_msg("%s: wanted %s or undetermined", path, want);
}

static void test_three_silent_hops(void **state)
{
	struct verdict v =
		judge_at(NK, TATA " 219.158.115.122 219.158.102.214 219.158.39.42 *3 =" NK, NOW);

	(void)state;
	assert_string_equal(v.border, "dandong");
	assert_true(v.confidence >= .95);
	assert_int_equal(v.last_outside_ttl, 6);
	assert_int_equal(v.first_inside_ttl, 10);
	assert_true(addr_equal(v.last_outside, path_addr("219.158.39.42")));
	assert_true(addr_equal(v.first_inside, path_addr(NK)));
	assert_int_equal(v.via_asn, 4837);
	assert_int_equal(v.via_basis, VIA_HOP);
	assert_string_equal(v.via_org, "China Unicom");
}

static void test_hop_without_asn(void **state)
{
	struct verdict v =
		judge_at(NK, TATA " 219.158.115.122 103.35.252.10 103.35.255.254 *3 =" NK, NOW);

	(void)state;
	assert_string_equal(v.border, "dandong");
	assert_int_equal(v.via_basis, VIA_LABEL);
	assert_int_equal(v.via_asn, 134544);
	assert_true(v.confidence >= .95);
	/* The neighbour of the labelled router, in the profile's prefix and in no table. */
	v = judge_at(NK, TATA " 219.158.115.122 103.35.255.17 *3 =" NK, NOW);
	assert_string_equal(v.border, "dandong");
	assert_int_equal(v.via_basis, VIA_PREFIX);
	assert_int_equal(v.via_asn, 134544);
	/* Public routers of no network between the carrier and the inside. */
	judged(NK, TATA " 188.43.1.1 188.43.1.2 192.88.99.1 192.88.99.2 * =" NK, "khasan");
}

static void test_third_party_addresses(void **state)
{
	(void)state;
	right_or_open(TATA " 217.150.57.98 10.99.99.9 219.158.39.50 *3 =" NK, "khasan");
	right_or_open(TATA " 219.158.1.1 219.158.1.2 188.43.225.150 *3 =" NK, "dandong");
	right_or_open(TATA " 217.150.57.98 188.43.225.153 219.158.39.46 10.45.0.1 10.45.0.5 =" NK,
		      "khasan");
	right_or_open(TATA " 219.158.1.1 219.158.1.2 219.158.1.3 188.43.225.154 10.45.0.1 =" NK,
		      "dandong");
	right_or_open(TATA " 202.72.96.14 188.43.225.150 *3 =" NK, "other");
	/* The answering address is of the way taken: no reason to shrug. */
	judged(NK, TATA " 219.158.1.1 219.158.1.2 219.158.39.46 10.45.0.1 =" NK, "dandong");
	/* The carrier refuses, in the other one's name. */
	right_or_open(TATA " 217.150.57.98 188.43.1.1 219.158.39.42!X *2 219.158.39.42!X",
		      "khasan");
}

/* Whatever single hop of the carrier answers in the other one's name: right or undetermined. */
static void test_one_lying_address(void **state)
{
	(void)state;
	for (unsigned hops = 2; hops <= 5; hops++) {
		for (unsigned liar = 0; liar < hops; liar++) {
			for (unsigned gap = 0; gap <= 4; gap++) {
				char path[512];
				size_t n = (size_t)snprintf(path, sizeof(path), TATA);

				for (unsigned i = 0; i < hops; i++)
					n += (size_t)snprintf(path + n, sizeof(path) - n, " %s.%u",
							      i == liar ? "219.158.39"
									: "188.43.1",
							      i + 1);
				if (gap > 0)
					n += (size_t)snprintf(path + n, sizeof(path) - n, " *%u",
							      gap);
				snprintf(path + n, sizeof(path) - n, " =" NK);
				right_or_open(path, "khasan");
			}
		}
	}
}

/* REJECT of iptables: a port-unreachable from a firewall that never let a TTL run out looks as if
 * it came from another address of the target. It ends the trace and is no way into the network. */
static void test_port_unreachable_from_elsewhere_is_not_inside(void **state)
{
	static const char *const from[] = {"219.158.102.214", "192.0.2.1", "10.1.2.3", NK};
	struct verdict v;

	(void)state;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		bool own = strcmp(from[i], NK) == 0;
		struct names names;
		struct trace *t;
		char path[128];

		names_init(&names);
		snprintf(path, sizeof(path), TATA " 219.158.115.122 219.158.9.9 %s", from[i]);
		t = path_trace(NK, path, NOW, &names);
		t->method = METHOD_UDP;
		t->entries[t->entry_count - 1].reply.icmp_type = 3;
		t->entries[t->entry_count - 1].reply.icmp_code = 3;
		border_judge(t, &names, profile, NOW, &v);
		if (v.first_inside_ttl != (own ? 6 : 0) || (v.confidence < .9) == own)
			fail_msg("%s: %s, inside at %u, %g", from[i], told(&v), v.first_inside_ttl,
				 v.confidence);
		assert_string_equal(v.border, "dandong");
		names_fini(&names);
		free(t);
	}
}

static void test_destination_at_two_ttls_is_one_hop(void **state)
{
	struct verdict v = judge_at(NK, TATA " 219.158.1.1 219.158.1.2 *3 " NK " =" NK, NOW);

	(void)state;
	assert_string_equal(v.border, "dandong");
	assert_int_equal(v.first_inside_ttl, 9);
}

static void test_customer_router_leads_elsewhere(void **state)
{
	(void)state;
	judged("87.250.250.242", TATA " 217.150.57.98 10.99.99.9 188.43.3.213 * =87.250.250.242",
	       "none");
	judged("8.8.8.8", "10.0.0.1 219.158.1.1 219.158.1.2 219.158.1.3 *4", "none");
	/* On the way in: the carrier behind it counts, not the customer before it. */
	judged(NK, "10.0.0.1 188.43.3.213 213.248.97.1 219.158.1.1 219.158.1.2 *3 =" NK, "dandong");
}

static void test_path_cut_in_the_carrier_is_weaker_than_seen_through(void **state)
{
	struct verdict cut = judge_at(NK, TATA " 219.158.1.1 219.158.1.2 219.158.1.3 *5", NOW);
	struct verdict seen =
		judge_at(NK, TATA " 219.158.1.1 219.158.1.2 219.158.1.3 *3 =" NK, NOW);

	(void)state;
	assert_int_equal(cut.class, CLASS_INSIDE_SILENT);
	assert_true(cut.confidence <= .9 + 1e-9);
	assert_true(seen.confidence > cut.confidence);
}

static void test_time_decides_what_is_a_border(void **state)
{
	const char *path = TATA " 217.150.57.98 188.43.225.153 *3 =" NK;
	struct verdict v = judge_at(NK, path, Y2015);

	(void)state;
	assert_string_equal(told(&v), "other");
	assert_non_null(evidence_of(&v, "other_time"));
	v = judge_at(NK, path, Y2019);
	assert_string_equal(told(&v), "khasan");
	v = judge_at(NK, path, (struct wall){INT64_C(1506848871) * NS_PER_S - 1});
	assert_string_not_equal(told(&v), "khasan");
	v = judge_at(NK, path, (struct wall){INT64_C(1506848871) * NS_PER_S});
	assert_string_equal(told(&v), "khasan");
	v = judge_at(NK, TATA " 202.72.96.14 202.72.96.30 *3 =" NK, Y2013);
	assert_string_equal(v.rule, "listed_way");
	v = judge_at(NK, path, UNKNOWN);
	assert_string_equal(told(&v), "khasan");
	assert_non_null(evidence_of(&v, "time_unknown"));
}

static void test_country_is_a_hint(void **state)
{
	/* KP on an address outside changes nothing; RU on the carrier of Dandong hardly. */
	struct verdict with = judge_at(NK, "10.0.0.1 203.0.113.9 219.158.1.1 *3 =" NK, NOW);
	struct verdict without = judge_at(NK, "10.0.0.1 66.110.96.13 219.158.1.1 *3 =" NK, NOW);

	(void)state;
	assert_string_equal(told(&with), told(&without));
	assert_true(fabs(with.confidence - without.confidence) < 1e-12);
	judged("203.0.113.9", TATA " 219.158.1.1 =203.0.113.9", "none");
}

static void test_two_borders_at_one_ttl_settle_nothing(void **state)
{
	(void)state;
	judged(NK, TATA " 219.158.1.1|188.43.1.1 *3 =" NK, "undetermined");
	judged(NK, TATA " 219.158.1.1|188.43.1.1 219.158.1.2|188.43.1.2 *3 =" NK, "mixed");
}

static void test_table_and_profile_disagree(void **state)
{
	/* The table names a stranger for the carrier's prefix: half a hop. */
	struct names names;
	struct trace *t;
	struct verdict v;

	(void)state;
	names_init(&names);
	t = path_trace(NK, TATA " 219.158.39.42 *3 =" NK, NOW, &names);
	names_put(&names, path_addr("219.158.39.42"))->asn = 1299;
	border_judge(t, &names, profile, NOW, &v);
	assert_true(evidence_of(&v, "carrier_last")->weight <= 1.01);
	assert_int_equal(v.via_asn, 4837);
	assert_int_equal(v.via_basis, VIA_PREFIX);
	names_fini(&names);
	free(t);
}

static void test_works_without_names(void **state)
{
	struct names names;
	struct trace *t;
	struct verdict v;

	(void)state;
	names_init(&names);
	t = path_trace(NK, TATA " 188.43.1.1 188.43.1.2 *3 =" NK, NOW, &names);
	border_judge(t, NULL, profile, NOW, &v);
	assert_string_equal(told(&v), "khasan");
	assert_int_equal(v.via_basis, VIA_PREFIX);
	assert_int_equal(v.via_asn, 20485);
	assert_string_equal(v.via_org, "TransTeleCom");
	names_fini(&names);
	free(t);
}

/* --- flows ------------------------------------------------------------------------------------ */

static void test_flows(void **state)
{
	const char *d = TATA " 219.158.1.1 219.158.1.2 *3 =" NK;
	const char *k = TATA " 188.43.1.1 188.43.1.2 *3 =" NK;
	const char *weak = TATA " 217.150.57.98 10.0.0.1 219.158.39.50 *3 =" NK;
	/* By Khasan, and the joining router answers from its other side. */
	const char *torn = TATA " 188.43.1.1 188.43.1.2 219.158.3.2 10.0.0.1 =" NK;
	struct verdict v[4], out;

	(void)state;
	for (int i = 0; i < 4; i++)
		v[i] = judge_at(NK, d, NOW);
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "dandong");
	assert_true(fabs(out.confidence - v[0].confidence) < 1e-9);
	assert_int_equal(out.via_asn, 4837);
	v[3] = judge_at(NK, weak, NOW); /* says nothing of where the others go */
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "dandong");
	v[1] = v[2] = v[3] = judge_at(NK, torn, NOW); /* three of four saw the other carrier */
	assert_string_equal(told(&v[3]), "undetermined");
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "undetermined");
	assert_true(out.confidence < .5 && fabs(out.p[0].p - out.p[1].p) < 1e-9);
	v[1] = v[2] = v[3] = judge_at(NK, TATA " *9", NOW); /* silence is no second border */
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "dandong");
	v[1] = v[0];
	v[2] = v[3] = judge_at(NK, k, NOW);
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "mixed");
	assert_true(out.confidence >= .5 && out.confidence < .52);
	assert_true(fabs(out.p[0].p + out.p[1].p - 1) < 1e-9);
	v[2] = v[0];
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "mixed");
	assert_true(fabs(out.p[0].p - .75) < .02);
	v[0] = v[1] = v[2] = v[3] = judge_at("8.8.8.8", d, NOW);
	border_judge_flows(v, 4, &out);
	assert_string_equal(told(&out), "none");
	v[0] = judge_at(NK, weak, NOW);
	border_judge_flows(v, 1, &out);
	assert_string_equal(told(&out), "undetermined");
}

/* Halves of a sum of doubles may both come out under a half. As many flows each way are mixed,
 * where a single one could not be wrong by chance. */
static void test_even_flows(void **state)
{
	enum { FLOWS = 64 };
	const struct verdict *flows[FLOWS];
	struct verdict two[2], out;

	(void)state;
	two[0] = judge_at(NK, TATA " 219.158.1.1 219.158.1.2 *3 =" NK, NOW);
	two[1] = judge_at(NK, TATA " 188.43.1.1 188.43.1.2 *3 =" NK, NOW);
	for (int percent = 81; percent < 100; percent++) {
		two[0].confidence = two[1].confidence = percent / 100.;
		for (unsigned n = 2; n <= FLOWS; n += 2) {
			flows[n - 2] = &two[0];
			flows[n - 1] = &two[1];
			border_judge_list(flows, n, &out);
			if (out.outcome != OUTCOME_MIXED || out.confidence < .5)
				fail_msg("%u flows, half of them each way, at %d %%: %s", n,
					 percent, told(&out));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_in_order),
		cmocka_unit_test(test_document_has_the_rules),
		cmocka_unit_test(test_three_silent_hops),
		cmocka_unit_test(test_hop_without_asn),
		cmocka_unit_test(test_third_party_addresses),
		cmocka_unit_test(test_one_lying_address),
		cmocka_unit_test(test_port_unreachable_from_elsewhere_is_not_inside),
		cmocka_unit_test(test_destination_at_two_ttls_is_one_hop),
		cmocka_unit_test(test_customer_router_leads_elsewhere),
		cmocka_unit_test(test_path_cut_in_the_carrier_is_weaker_than_seen_through),
		cmocka_unit_test(test_time_decides_what_is_a_border),
		cmocka_unit_test(test_country_is_a_hint),
		cmocka_unit_test(test_two_borders_at_one_ttl_settle_nothing),
		cmocka_unit_test(test_table_and_profile_disagree),
		cmocka_unit_test(test_works_without_names),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_even_flows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
