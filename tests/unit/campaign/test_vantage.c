// SPDX-License-Identifier: BSD-2-Clause
/* Health and identity of a vantage point: what a round's paths say of it, told for what it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "campaign/vantage.h"

static struct addr address(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a) < 0)
		fail_msg("%s", text);
	return a;
}

/* The address `n` of a network, as the tables of this test have them. */
static struct addr address_in(unsigned asn, unsigned n)
{
	const uint8_t bytes[4] = {20, (uint8_t)(asn / 256), (uint8_t)asn, (uint8_t)n};

	return addr_v4(bytes);
}

static void name(struct names *n, struct addr a, unsigned asn)
{
	struct name *x = names_put(n, a);

	assert_non_null(x);
	x->asn = asn;
	snprintf(x->org, sizeof(x->org), "Net %u", asn);
}

/*
 * A path, hop by hop: "p" a private router, "-" silence, "x" somebody no table knows, "7" or "7/2"
 * a router of network 7 (its first or second), "!7" the destination, in network 7; "~7" says it is
 * it, and is not believed. A path begins with "ref" for a reference host.
 */
static void take(struct vantage_watch *w, const char *path, const char *src, unsigned number)
{
	struct trace *t = trace_new(32);
	char text[128], *save = NULL;
	struct names names;
	bool reference = false;
	uint8_t ttl = 0;

	names_init(&names);
	text_set(text, sizeof(text), path);
	if (src != NULL)
		t->src = address(src);
	if (src != NULL && strcmp(src, "20.0.9.200") == 0)
		name(&names, t->src, 9);
	t->dst = address_in(60000 + number, 1);
	t->method = METHOD_ICMP;
	t->reach = REACH_SILENT;
	t->stop = STOP_GAP_LIMIT;
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct trace_entry *e = &t->entries[t->entry_count];
		unsigned asn = 0, n = 1;

		if (strcmp(word, "ref") == 0) {
			reference = true;
			continue;
		}
		trace_entry_init(e, ++ttl, 1);
		t->entry_count++;
		e->why = WHY_TIMEOUT;
		if (strcmp(word, "-") == 0)
			continue;
		e->why = WHY_NONE;
		e->reply.icmp_type = 11;
		e->reply.icmp_code = 0;
		if (word[0] == '!') {
			sscanf(word, "!%u", &asn);
			e->reply.from = t->dst;
			e->reply.icmp_type = 0;
			t->reach = REACH_REACHED;
			t->stop = STOP_REACHED;
		} else if (word[0] == '~') {
			sscanf(word, "~%u", &asn);
			e->reply.from = address_in(asn, 99);
			e->reply.flags = REPLY_NEARER;
		} else if (word[0] == 'p') {
			e->reply.from = address("10.0.0.1");
		} else if (word[0] == 'x') {
			e->reply.from = address_in(1, ttl);
		} else {
			sscanf(word, "%u/%u", &asn, &n);
			e->reply.from = address_in(asn, n);
		}
		if (asn != 0)
			name(&names, e->reply.from, asn);
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	vantage_watch_take(w, t, &names, reference);
	names_fini(&names);
	free(t);
}

struct row {
	const char *why, *src, *stated;
	const char *paths[6];
	uint8_t health, asked, answered;
	unsigned egress, transit; /* networks */
	const char *from;         /* the transit's first hop */
};

#define OK ROUND_HEALTH_OK
#define PARTIAL ROUND_HEALTH_PARTIAL
#define OFFLINE ROUND_HEALTH_OFFLINE
#define UNKNOWN ROUND_HEALTH_UNKNOWN

static const struct row rows[] = {
	{"all is well", "20.0.9.200", NULL, {"ref p 9 7 !30", "p 9 7 8 !40", "p 9 7 8 -"}, OK, 1, 1,
	 9, 7, "20.0.7.1"},
	{"a silent target is a result", "20.0.9.200", NULL, {"ref p 9 7 !30", "p 9 7 8 - -"}, OK, 1,
	 1, 9, 7, "20.0.7.1"},
	{"one reference host of two", "20.0.9.200", NULL,
	 {"ref p 9 7 !30", "ref p 9 7 - -", "p 9 7 8 -"}, PARTIAL, 2, 1, 9, 7, "20.0.7.1"},
	{"no reference host, but a target", "20.0.9.200", NULL, {"ref p 9 7 - -", "p 9 7 8 !40"},
	 PARTIAL, 1, 0, 9, 7, "20.0.7.1"},
	{"offline: nobody answers at all", "20.0.9.200", NULL, {"ref - - -", "- - - -"}, OFFLINE, 1,
	 0, 9, 0, NULL},
	{"offline: our own router answers, nobody behind", "20.0.9.200", NULL,
	 {"ref p 9 - -", "p 9 - -"}, OFFLINE, 1, 0, 9, 0, NULL},
	{"offline behind a NAT: the first network seen is our own", "10.0.0.5", NULL,
	 {"ref p 9 - -", "p 9 9/2 - -"}, OFFLINE, 1, 0, 9, 0, NULL},
	{"not offline: foreign routers answer; a reference host that died does not hide an outage",
	 "20.0.9.200", NULL, {"ref p 9 7 - -", "p 9 7 8 - -"}, UNKNOWN, 1, 0, 9, 7, "20.0.7.1"},
	{"no reference host named, a target answers", "20.0.9.200", NULL, {"p 9 7 !40"}, OK, 0, 0,
	 9, 7, "20.0.7.1"},
	{"no reference host named, nobody answers: nothing can be said", "20.0.9.200", NULL,
	 {"p 9 - -", "- -"}, UNKNOWN, 0, 0, 9, 0, NULL},
	{"nothing was measured", NULL, NULL, {NULL}, UNKNOWN, 0, 0, 0, 0, NULL},
	{"who speaks as the destination is no router of another network", "20.0.9.200", NULL,
	 {"ref p 9 ~7 - -", "p 9 ~7 -"}, OFFLINE, 1, 0, 9, 0, NULL},
	{"behind a NAT: the first network on the path", "10.0.0.5", NULL, {"p 9 9/2 7 8 !40"}, OK,
	 0, 0, 9, 7, "20.0.7.1"},
	{"private hops and unnamed ones in between are passed over", "20.0.9.200", NULL,
	 {"p p 9 p x 7 8 !40"}, OK, 0, 0, 9, 7, "20.0.7.1"},
	{"silence before the first answer is our own side's", "20.0.9.200", NULL, {"- - 7 8 !40"},
	 OK, 0, 0, 9, 7, "20.0.7.1"},
	{"a silent hop behind our network may hide another", "20.0.9.200", NULL, {"p 9 - 8 !40"},
	 OK, 0, 0, 9, 0, NULL},
	{"silence within our network hides nobody", "20.0.9.200", NULL, {"p 9 - 9/2 7 8 !40"}, OK,
	 0, 0, 9, 7, "20.0.7.1"},
	{"most paths", "20.0.9.200", NULL,
	 {"p 9 7 !40", "p 9 6 !41", "p 9 7/2 !42", "p 9 7/2 !43", "p 9 6 !44"}, OK, 0, 0, 9, 7,
	 "20.0.7.2"},
	{"the destination is in the next network: so be it", "20.0.9.200", NULL, {"p 9 !30"}, OK, 0,
	 0, 9, 30, NULL},
	{"a stated address that no table knows", "10.0.0.5", "192.0.2.77", {"p 9 7 !40"}, OK, 0, 0,
	 9, 7, "20.0.7.1"},
};

static void end(const struct row *row, const struct round *before, struct round *r)
{
	struct addr stated = row->stated ? address(row->stated) : (struct addr){0};
	struct vantage_watch *w;

	assert_int_equal(vantage_watch_new(stated, NULL, &w), 0);
	for (unsigned i = 0; i < 6 && row->paths[i] != NULL; i++)
		take(w, row->paths[i], row->src, i);
	vantage_watch_end(w, before, r);
	vantage_watch_free(w);
}

static void each_for_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		char from[ADDR_TEXT], org[32];
		struct round r;

		round_init(&r);
		r.expected = r.done = 5;
		end(row, NULL, &r);
		if (r.health != row->health || r.reference_asked != row->asked ||
		    r.reference_answered != row->answered || r.egress_asn != row->egress ||
		    r.transit_asn != row->transit ||
		    (row->from != NULL &&
		     strcmp(addr_format(r.transit, from), row->from) != 0))
			fail_msg("%s: %s, %u of %u answered, egress %u, transit %u by %s", row->why,
				 word_of(round_health_words, r.health), r.reference_answered,
				 r.reference_asked, r.egress_asn, r.transit_asn,
				 addr_format(r.transit, from));
		assert_int_equal(r.changed, 0);
		snprintf(org, sizeof(org), "Net %u", row->egress);
		assert_string_equal(r.egress_org, row->egress ? org : "");
		/* What was heard offline is nobody's silence but ours. */
		assert_int_equal(r.done, row->health == OFFLINE ? 0 : 5);
		assert_int_equal(r.missed, row->health == OFFLINE ? 5 : 0);
		assert_int_equal(r.why, row->health == OFFLINE ? ROUND_WHY_OFFLINE : 0);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *why, *src, *stated, *source, *public;
	} cases[] = {
		{"a global source is public", "20.0.9.200", NULL, "20.0.9.200", "20.0.9.200"},
		{"behind a NAT: nobody knows", "10.0.0.5", NULL, "10.0.0.5", "-"},
		{"behind a NAT, and the plan says", "10.0.0.5", "20.0.9.1", "10.0.0.5", "20.0.9.1"},
		{"nothing sent", NULL, NULL, "-", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row row = {.src = cases[i].src, .stated = cases[i].stated,
				  .paths = {"p 9 7 !40"}};
		char source[ADDR_TEXT], public[ADDR_TEXT];
		struct round r;

		round_init(&r);
		end(&row, NULL, &r);
		if (strcmp(addr_format(r.source, source), cases[i].source) != 0 ||
		    strcmp(addr_format(r.public_addr, public), cases[i].public) != 0)
			fail_msg("%s: %s, %s", cases[i].why, source, public);
	}
}

/* The round before, and this one. */
static void what_changed(void **state)
{
	static const struct {
		const char *why;
		struct row before, now;
		uint8_t changed;
	} cases[] = {
		{"nothing", {.src = "20.0.9.200", .paths = {"p 9 7 !40"}},
		 {.src = "20.0.9.200", .paths = {"p 9 7 !40"}}, 0},
		{"the upstream", {.src = "20.0.9.200", .paths = {"p 9 7 !40"}},
		 {.src = "20.0.9.200", .paths = {"p 9 6 !40"}}, ROUND_CHANGED_TRANSIT},
		{"the same upstream by another router",
		 {.src = "20.0.9.200", .paths = {"p 9 7 !40"}},
		 {.src = "20.0.9.200", .paths = {"p 9 7/2 !40"}}, 0},
		{"moved to another host in another network",
		 {.src = "20.0.9.200", .paths = {"p 9 7 !40"}},
		 {.src = "20.0.5.1", .paths = {"p 5 7 !40"}},
		 ROUND_CHANGED_ADDRESS | ROUND_CHANGED_EGRESS},
		{"a new address of the same network", {.src = "20.0.9.200", .paths = {"9 7 !40"}},
		 {.src = "20.0.9.201", .paths = {"9 7 !40"}}, ROUND_CHANGED_ADDRESS},
		{"a new address behind the same NAT",
		 {.src = "10.0.0.5", .stated = "20.0.9.1", .paths = {"p 9 7 !40"}},
		 {.src = "10.0.0.6", .stated = "20.0.9.1", .paths = {"p 9 7 !40"}}, 0},
		{"a new address behind a NAT of which nothing is known",
		 {.src = "10.0.0.5", .paths = {"p 9 7 !40"}},
		 {.src = "10.0.0.6", .paths = {"p 9 7 !40"}}, ROUND_CHANGED_ADDRESS},
		{"an unknown is no change", {.src = "20.0.9.200", .paths = {"p 9 7 !40"}},
		 {.src = "20.0.9.200", .paths = {"p 9 - 8 !40"}}, 0},
		{"nor was it one before", {.src = "20.0.9.200", .paths = {"p 9 - 8 !40"}},
		 {.src = "20.0.9.200", .paths = {"p 9 7 !40"}}, 0},
		{"a path that goes another way is no move of ours",
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 7 !41", "9 6 !42"}},
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 6 !41", "9 7 !42"}}, 0},
		{"spread over two carriers, chance moves nobody",
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 7 !41", "9 8 !42", "9 8 !43"}},
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 8 !41", "9 8 !42", "9 5 !43"}}, 0},
		{"more than half has moved",
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 7 !41", "9 8 !42", "9 8 !43"}},
		 {.src = "20.0.9.200", .paths = {"9 7 !40", "9 8 !41", "9 8 !42", "9 8 !43"}},
		 ROUND_CHANGED_TRANSIT},
		{"offline: nothing is known, nothing changed",
		 {.src = "20.0.9.200", .paths = {"ref p 9 7 !40"}},
		 {.src = "20.0.9.200", .paths = {"ref - - -"}}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct round before, now;

		round_init(&before);
		round_init(&now);
		end(&cases[i].before, NULL, &before);
		end(&cases[i].now, &before, &now);
		if (now.changed != cases[i].changed)
			fail_msg("%s: changed %#x, transit %u to %u", cases[i].why, now.changed,
				 before.transit_asn, now.transit_asn);
	}
}

/* Cut off, and back by another carrier: the move is told in the first round that sees it. */
static void a_silent_round_hides_no_move(void **state)
{
	static const struct row first = {.src = "20.0.9.200", .paths = {"ref 9 7 !40"}},
				cut = {.src = "20.0.9.200", .paths = {"ref - - -"}},
				back = {.src = "20.0.9.200", .paths = {"ref 9 6 !40"}};
	struct round known, r;

	(void)state;
	round_init(&known);
	round_init(&r);
	end(&first, NULL, &r);
	vantage_known(&known, &r);
	round_init(&r);
	end(&cut, &known, &r);
	assert_int_equal(r.health, ROUND_HEALTH_OFFLINE);
	vantage_known(&known, &r);
	round_init(&r);
	end(&back, &known, &r);
	assert_int_equal(r.changed, ROUND_CHANGED_TRANSIT);
	vantage_known(&known, &r);
	assert_int_equal(known.transit_asn, 6);
}

/* Right before two ways in, the first transit is whichever of them most paths take: no move of
 * ours. */
static void a_way_in_is_no_transit_of_ours(void **state)
{
	static const char yaml[] =
		"profile: p\nversion: 1\n"
		"network: {name: N, asn: [40], prefixes: [20.0.40.0/24], judge_by: {v4: 24, v6: 48}}\n"
		"timezone: UTC\n"
		"borders: [{id: a, name: A, networks: [{asn: 6}]},"
		" {id: b, name: B, networks: [{asn: 7}]}]\n"
		"targets: [{host: 20.0.40.1}]\n";
	static const struct { const char *before, *after; bool moved; } cases[] = {
		{"p 9 7 !40", "p 9 6 !40", false}, /* a switch */
		{"p 9 5 !40", "p 9 8 !40", true},
		{"p 9 7 !40", "p 9 8 !40", false}, /* another carrier between: a longer way in */
	};
	struct profile *profile;
	struct bp_error err;

	(void)state;
	if (profile_parse("p", yaml, strlen(yaml), &profile, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *paths[] = {cases[i].before, cases[i].after};
		struct vantage_watch *w;
		struct round r[2];

		for (unsigned k = 0; k < 2; k++) {
			round_init(&r[k]);
			assert_int_equal(vantage_watch_new((struct addr){0}, profile, &w), 0);
			take(w, paths[k], "20.0.9.200", 0);
			vantage_watch_end(w, k > 0 ? &r[0] : NULL, &r[k]);
			vantage_watch_free(w);
		}
		assert_int_equal(r[1].changed, cases[i].moved ? ROUND_CHANGED_TRANSIT : 0);
		assert_true(r[0].transit_asn != 0 && r[1].transit_asn != r[0].transit_asn);
	}
	profile_free(profile);
}

/* Cut short by the end of its round, or never sent: that says nothing of a reference host. */
static void who_was_not_asked_was_not_silent(void **state)
{
	static const uint8_t stops[] = {STOP_TIMEOUT, STOP_INTERRUPTED, STOP_ERROR};

	(void)state;
	for (unsigned i = 0; i < sizeof(stops); i++) {
		struct trace *t = trace_new(0);
		struct vantage_watch *w;
		struct round r;

		round_init(&r);
		t->dst = address_in(30, 1);
		t->stop = stops[i];
		assert_int_equal(vantage_watch_new((struct addr){0}, NULL, &w), 0);
		vantage_watch_take(w, t, NULL, true);
		vantage_watch_end(w, NULL, &r);
		assert_int_equal(r.health, ROUND_HEALTH_UNKNOWN);
		assert_int_equal(r.reference_asked, 0);
		vantage_watch_free(w);
		free(t);
	}
}

/* A reason that comes first in the table is kept: no route is why we are offline. */
static void the_first_reason_stays(void **state)
{
	static const struct { uint8_t why, kept; } cases[] = {
		{ROUND_WHY_NONE, ROUND_WHY_OFFLINE},
		{ROUND_WHY_NO_ROUTE, ROUND_WHY_NO_ROUTE},
		{ROUND_WHY_OVERRUN, ROUND_WHY_OVERRUN},
		{ROUND_WHY_STOPPED, ROUND_WHY_OFFLINE},
		{ROUND_WHY_PROBER, ROUND_WHY_OFFLINE},
	};
	static const struct row cut = {.src = "20.0.9.200", .paths = {"ref - - -"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct round r;

		round_init(&r);
		r.expected = 4;
		r.done = 3;
		r.missed = 1;
		r.why = cases[i].why;
		end(&cut, NULL, &r);
		assert_int_equal(r.why, cases[i].kept);
		assert_int_equal(r.missed, 4);
	}
}

/* More networks and hosts than there is room for: nothing breaks, and what is frequent still
 * wins. */
static void many_networks(void **state)
{
	struct vantage_watch *w;
	struct round r;
	char path[64];

	(void)state;
	round_init(&r);
	assert_int_equal(vantage_watch_new((struct addr){0}, NULL, &w), 0);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(path, sizeof(path), "ref p 9 %u !40", i % 2 ? 7 : 1000 + i);
		take(w, path, "20.0.9.200", i % 300);
	}
	vantage_watch_end(w, NULL, &r);
	assert_int_equal(r.transit_asn, 7);
	assert_int_equal(r.egress_asn, 9);
	assert_int_equal(r.health, ROUND_HEALTH_OK);
	vantage_watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_for_what_it_is),
		cmocka_unit_test(addresses),
		cmocka_unit_test(what_changed),
		cmocka_unit_test(a_silent_round_hides_no_move),
		cmocka_unit_test(a_way_in_is_no_transit_of_ours),
		cmocka_unit_test(who_was_not_asked_was_not_silent),
		cmocka_unit_test(the_first_reason_stays),
		cmocka_unit_test(many_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
