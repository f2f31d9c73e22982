// SPDX-License-Identifier: BSD-2-Clause
/* What `fleet status` makes of what vantage points, centre and broker say: the word for what is
 * amiss, the line that a person reads, the object, and whether it counts for the exit code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/fleet/fleet_status.h"
#include "core/text.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)

static const struct wall noon = {INT64_C(1700000000) * NS_PER_S};

/* Of fra1, which runs a plan of every 15 minutes since a day ago. Times are so long ago. */
struct row {
	const char *tool;
	int64_t clock_ns;                /* its own against the broker's */
	int64_t rounds, oldest_ago_ns;   /* of the spool */
	int64_t cut, confirmed, batch_ago_ns; /* batch 0: the centre never had one */
	const char *from[3];             /* its connections */
	const char *word;                /* as JSON has it */
	bool fault;
	const char *text, *json;         /* what is said, too */
	const char *why;
};

#define FINE "borderpath " BP_VERSION

static const struct row rows[] = {
	{FINE, 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false,
	 "fra1: ok; last heard 10 s ago; connected from 192.0.2.1\n",
	 "\"connections\":1,\"connected_from\":\"192.0.2.1\",\"tool\"", "all is well"},
	/* old */
	{"borderpath 0.0.9", 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[\"old\"]", false,
	 "program    borderpath 0.0.9;", "\"tool\":\"borderpath 0.0.9\"", "an earlier one, and no fault"},
	{"borderpath 99.0", 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "fra1: ok;", "",
	 "a later one"},
	{FINE "-rc1", 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "fra1: ok;", "",
	 "of the same numbers"},
	{"somepath 2", 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[\"old\"]", false,
	 "program    somepath 2;", "", "none of ours"},
	{"", 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "fra1: ok;", "", "it did not say"},
	/* clock */
	{FINE, 2 * NS_PER_S, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "clock +2.000 s of",
	 "\"clock_offset_ms\":2000,", "as far off as it may be"},
	{FINE, 2 * NS_PER_S + NS_PER_MS, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[\"clock\"]", true,
	 "clock +2.001 s of the broker's", "\"clock_offset_ms\":2001,", "it runs ahead"},
	{FINE, -2 * NS_PER_S - NS_PER_MS, 0, 0, 9, 9, MINUTE, {"192.0.2.1"}, "[\"clock\"]", true,
	 "clock -2.001 s of the broker's", "\"clock_offset_ms\":-2001,", "it lags"},
	/* behind: three times 15 minutes */
	{FINE, 0, 3, 45 * MINUTE, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "3 rounds wait", "",
	 "as long as a round may wait in the spool"},
	{FINE, 0, 3, 46 * MINUTE, 9, 9, MINUTE, {"192.0.2.1"}, "[\"behind\"]", true,
	 "3 rounds wait, 774.2 kB of 1.1 GB, the oldest of 2023-11-14 21:27:20 UTC",
	 "\"spool\":{\"rounds\":3,", "longer than that"},
	{FINE, 0, 0, HOUR, 9, 9, MINUTE, {"192.0.2.1"}, "[]", false, "0 rounds wait", "",
	 "none waits, whatever is said of the oldest"},
	{FINE, 0, 0, 0, 9, 5, 45 * MINUTE, {"192.0.2.1"}, "[]", false, "9 cut, 5 confirmed", "",
	 "as long as the centre may be silent"},
	{FINE, 0, 0, 0, 9, 5, 46 * MINUTE, {"192.0.2.1"}, "[\"behind\"]", true,
	 "9 cut, 5 confirmed; the centre took the last one of 2023-11-14 21:27:20 UTC\n",
	 "\"batches\":{\"cut\":9,\"confirmed\":5}",
	 "all is cut, some hours ahead, and no collector takes it"},
	{FINE, 0, 0, 0, 9, 0, 0, {"192.0.2.1"}, "[\"behind\"]", true, "9 cut, 0 confirmed\n", "",
	 "no collector ever did"},
	{FINE, 0, 0, 0, 9, 9, HOUR, {"192.0.2.1"}, "[]", false, "fra1: ok;", "",
	 "there was nothing to take"},
	/* twice */
	{FINE, 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1", "192.0.2.1"}, "[]", false,
	 "connected from 192.0.2.1\n", "\"connections\":2,\"connected_from\":\"192.0.2.1\",\"tool\"",
	 "one that was lost lingers at the broker"},
	{FINE, 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1", "198.51.100.7"}, "[\"twice\"]", true,
	 "connected from 192.0.2.1 and from 198.51.100.7: its key may be stolen\n",
	 "\"connections\":2,\"connected_from\":\"192.0.2.1\",\"connected_also_from\":\"198.51.100.7\"",
	 "somebody else has its key"},
	{FINE, 0, 0, 0, 9, 9, MINUTE, {"192.0.2.1", "198.51.100.7", "192.0.2.1"}, "[\"twice\"]", true,
	 "connected from 192.0.2.1 and from 198.51.100.7", "\"connections\":3", "in whatever order"},
	{FINE, 0, 0, 0, 9, 9, MINUTE, {NULL}, "[]", false, "last heard 10 s ago; not connected\n",
	 "\"connections\":0", "none is seen now"},
	/* several */
	{"borderpath 0.0.9", HOUR, 1, 24 * HOUR, 9, 9, MINUTE, {"192.0.2.1", "192.0.2.2"},
	 "[\"clock\",\"behind\",\"twice\",\"old\"]", true, "fra1: clock, behind, twice, old; ", "",
	 "in the order of the manual"},
};

struct bed {
	struct fleet_report r;
	struct roster_key key;
	struct deployment deployed;
	struct deployment_seat seat;
	struct view_plan plan;
	struct state state;
	struct turned_open open[5];
};

/* Nobody owns what stands in a bed: nothing is freed but what status_judge made. */
static void make(struct bed *b, const struct row *row)
{
	struct state *s = &b->state;

	*b = (struct bed){.r = {.now = noon}};
	text_set(b->key.name, sizeof(b->key.name), "fra1");
	b->r.view.roster = (struct roster){.keys = &b->key, .count = 1};
	b->seat = (struct deployment_seat){.vantage = "fra1"};
	b->deployed = (struct deployment){.campaign = "dprk", .every_ns = 15 * MINUTE,
					  .seats = &b->seat, .seats_count = 1};
	b->r.view.deployed = &b->deployed;
	b->r.view.deployed_count = 1;
	b->plan = (struct view_plan){.key = "fra1.dprk", .revision = 7,
				     .created = {noon.ns - 24 * HOUR}};
	b->r.view.plans = &b->plan;
	b->r.view.plans_count = 1;
	*s = (struct state){.vantage = "fra1", .stamp = {noon.ns - 10 * NS_PER_S},
			    .plans_count = 1, .spool_bytes = 774200, .spool_bytes_max = 1 << 30,
			    .centre_known = true};
	s->plans[0] = (struct state_plan){.campaign = "dprk", .state = "running", .revision = 7,
					  .running = 7};
	s->at.ns = s->stamp.ns + row->clock_ns;
	text_set(s->tool, sizeof(s->tool), row->tool);
	s->spool_rounds = row->rounds;
	s->oldest.ns = row->oldest_ago_ns > 0 ? noon.ns - row->oldest_ago_ns : 0;
	s->cut = row->cut;
	s->confirmed = row->confirmed;
	s->last_batch_at.ns = row->batch_ago_ns > 0 ? noon.ns - row->batch_ago_ns : 0;
	b->r.states = (struct states){.items = s, .count = 1,
				      .collect = {.stamp = s->stamp, .store_answers = true}};
	b->r.turned = (struct turned){.asked = true, .open = b->open};
	/* And who has nothing to do with it. */
	b->open[b->r.turned.open_count++] = (struct turned_open){"V-fra10", "203.0.113.9"};
	for (unsigned i = 0; i < 3 && row->from[i] != NULL; i++) {
		struct turned_open *o = &b->open[b->r.turned.open_count++];

		*o = (struct turned_open){.account = "V-fra1"};
		text_set(o->address, sizeof(o->address), row->from[i]);
	}
	b->open[b->r.turned.open_count++] = (struct turned_open){"CENTRE", "203.0.113.8"};
	assert_int_equal(status_judge(&b->r), 0);
}

static void each_mark_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text, json;
		struct bed b;
		char amiss[160];

		make(&b, &rows[i]);
		buf_init(&text);
		buf_init(&json);
		status_put_text(&text, &b.r);
		status_put_json(&json, &b.r);
		snprintf(amiss, sizeof(amiss), "{\"type\":\"vantage\",\"vantage\":\"fra1\",\"amiss\":%s,",
			 rows[i].word);
		if (strncmp(json.bytes, amiss, strlen(amiss)) != 0)
			fail_msg("%s: not %s: %s", rows[i].why, rows[i].word, json.bytes);
		if (strstr(json.bytes, rows[i].json) == NULL)
			fail_msg("%s: no %s: %s", rows[i].why, rows[i].json, json.bytes);
		if (strstr(text.bytes, rows[i].text) == NULL)
			fail_msg("%s: no \"%s\": %s", rows[i].why, rows[i].text, text.bytes);
		if (status_is_amiss(&b.r) != rows[i].fault)
			fail_msg("%s: the exit code", rows[i].why);
		buf_fini(&text);
		buf_fini(&json);
		free(b.r.vantages);
	}
}

/* Where it is, as the list has it, beside what it says of itself. */
static void a_place_is_shown(void **state)
{
	static const struct {
		struct roster_where where;
		const char *text, *json, *why;
	} places[] = {
		{{true, 5011000, 868000, {0}}, "\n  place      50.11, 8.68\n",
		 "\"place\":{\"lat\":50.11,\"lon\":8.68},\"seen\"", "a place"},
		{{true, -3386785, 15120000, {.family = 4, .bytes = {198, 51, 100, 7}}},
		 "\n  place      -33.86785, 151.2; address 198.51.100.7\n",
		 "\"lon\":151.2},\"address_told\":\"198.51.100.7\",\"seen\"", "both"},
		{{.address = {.family = 4, .bytes = {198, 51, 100, 7}}},
		 "\n  place      address 198.51.100.7\n", "[],\"address_told\":", "an address alone"},
		{{0}, "192.0.2.1\n  program ", "[],\"seen\":", "neither"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct buf text, json;
		struct bed b;

		make(&b, &rows[0]);
		b.key.where = places[i].where;
		buf_init(&text);
		buf_init(&json);
		status_put_text(&text, &b.r);
		status_put_json(&json, &b.r);
		if (strstr(text.bytes, places[i].text) == NULL)
			fail_msg("%s: %s", places[i].why, text.bytes);
		if (strstr(json.bytes, places[i].json) == NULL)
			fail_msg("%s: %s", places[i].why, json.bytes);
		buf_fini(&text);
		buf_fini(&json);
		free(b.r.vantages);
	}
}

/* A broker whose servers do not answer tells of no connection: nobody is blamed for it. */
static void who_cannot_be_asked_says_nothing(void **state)
{
	struct buf text;
	struct bed b;

	(void)state;
	make(&b, &rows[0]);
	free(b.r.vantages);
	b.r.vantages = NULL;
	b.r.count = 0;
	b.r.turned = (struct turned){0};
	text_set(b.r.no_servers, sizeof(b.r.no_servers), "no key");
	assert_int_equal(status_judge(&b.r), 0);
	assert_int_equal(b.r.vantages[0].amiss, 0);
	buf_init(&text);
	status_put_text(&text, &b.r);
	assert_non_null(strstr(text.bytes, "fra1: ok; last heard 10 s ago\n"));
	assert_non_null(strstr(text.bytes, "Who was turned away is not known: no key\n"));
	buf_fini(&text);
	free(b.r.vantages);
}

/* A collector is given the time of a plan that has just come. */
static void a_new_plan_is_waited_for(void **state)
{
	static const struct { int64_t created_ago_ns; bool behind; const char *why; } plans[] = {
		{MINUTE, false, "its first batch was cut just now"},
		{45 * MINUTE, false, "it waits no longer than a round may"},
		{46 * MINUTE, true, "it should have been taken"},
	};
	static const struct row row = {FINE, 0, 0, 0, 1, 0, 0, {"192.0.2.1"}, "", false, "", "", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct bed b;

		make(&b, &row);
		free(b.r.vantages);
		b.r.vantages = NULL;
		b.r.count = 0;
		b.plan.created.ns = noon.ns - plans[i].created_ago_ns;
		assert_int_equal(status_judge(&b.r), 0);
		if (((b.r.vantages[0].amiss & AMISS_BEHIND) != 0) != plans[i].behind)
			fail_msg("%s", plans[i].why);
		free(b.r.vantages);
	}
}

/* Of who has no plan, and of who went. */
static void what_is_news_is_no_fault(void **state)
{
	static const struct {
		bool seat, open, heard;
		int64_t revoked_ago_ns;  /* 0: its key holds */
		const char *words, *text;
		bool fault;
		const char *why;
	} news[] = {
		{false, true, true, 0, "[\"no plan\"]",
		 "fra1: no plan; last heard 10 s ago; connected from 192.0.2.1; nothing is deployed to it: ",
		 false, "it was added after the plan was deployed"},
		{true, false, true, HOUR, "[\"revoked\"]",
		 "fra1: revoked; on 2023-11-14 21:13:20 UTC; last heard 10 s ago\n", false,
		 "it went, whatever it should run"},
		{true, false, false, HOUR, "[\"revoked\"]", "fra1: revoked; on 2023-11-14 21:13:20 UTC\n",
		 false, "it was never heard, and never will"},
		{false, true, true, HOUR, "[\"connected\",\"revoked\"]",
		 "connected from 192.0.2.1: the broker has not read accounts.conf\n", true,
		 "its key still opens the door"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		struct buf text, json;
		struct bed b;
		char words[64];

		make(&b, &rows[0]);
		free(b.r.vantages);
		b.r.vantages = NULL;
		b.r.count = 0;
		b.deployed.seats_count = news[i].seat;
		if (!news[i].open)
			b.r.turned.open_count = 1;
		if (!news[i].heard)
			b.r.states.count = 0;
		if (news[i].revoked_ago_ns != 0)
			b.key.revoked.ns = noon.ns - news[i].revoked_ago_ns;
		assert_int_equal(status_judge(&b.r), 0);
		buf_init(&text);
		buf_init(&json);
		status_put_text(&text, &b.r);
		status_put_json(&json, &b.r);
		snprintf(words, sizeof(words), "\"amiss\":%s", news[i].words);
		if (strstr(json.bytes, words) == NULL)
			fail_msg("%s: not %s: %s", news[i].why, words, json.bytes);
		if (strstr(text.bytes, news[i].text) == NULL)
			fail_msg("%s: %s", news[i].why, text.bytes);
		if (status_is_amiss(&b.r) != news[i].fault)
			fail_msg("%s: the exit code", news[i].why);
		if (strstr(text.bytes, news[i].revoked_ago_ns != 0 ? "0 vantage points," :
							 "1 vantage point,") == NULL)
			fail_msg("%s: how many: %s", news[i].why, text.bytes);
		buf_fini(&text);
		buf_fini(&json);
		free(b.r.vantages);
	}
}

/* A collector speaks every half a minute, of itself and its store. */
static void a_centre_is_looked_at(void **state)
{
	static const struct {
		int64_t heard_s;         /* so long ago; 0: never */
		bool answers, sent;
		const char *why_not, *wrong;
		const char *word, *text, *json;
		bool fault;
		const char *why;
	} centres[] = {
		{10, true, true, "", "", "[]",
		 "\ncentre: ok; a collector (borderpath 0.1.0) was last heard 10 s ago; its store (9f86) "
		 "answers; the fleet's since 2023-11-14 21:13:20 UTC\n", "\"store_answers\":true", false,
		 "all is well"},
		{90, true, true, "", "", "[]", "centre: ok;", "", false, "as long as it may be silent"},
		{91, true, true, "", "", "[\"silent\"]",
		 "centre: silent; a collector (borderpath 0.1.0) was last heard 91 s ago; its store (9f86) answered;", "", true, "it ended"},
		{10, false, true, "database is full", "", "[\"store\"]",
		 "its store (9f86) does not answer: database is full; the fleet's",
		 "\"store_answers\":false,\"why\":\"database is full\"}", true, "its store is away"},
		{10, true, true, "", "it is no collector's", "[\"unreadable\"]",
		 "; its word cannot be read: it is no collector's;", "", true, "of a later program"},
		{0, false, true, "", "", "[\"unheard\"]", "centre: unheard; no collector was ever heard\n",
		 "\"amiss\":[\"unheard\"]}", true, "nobody takes what was sent"},
		{0, false, false, "", "", "[]", "centre: none; no collector was ever heard\n",
		 "\"amiss\":[]}", false, "a fleet that begins"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(centres) / sizeof(centres[0]); i++) {
		struct state_collect *c;
		struct buf text, json;
		struct bed b;
		char words[64];

		make(&b, &rows[0]);
		free(b.r.vantages);
		b.r.vantages = NULL;
		b.r.count = 0;
		c = &b.r.states.collect;
		*c = (struct state_collect){0};
		if (centres[i].heard_s > 0) {
			c->stamp.ns = noon.ns - centres[i].heard_s * NS_PER_S;
			c->since.ns = noon.ns - HOUR;
			c->store_answers = centres[i].answers;
			text_set(c->tool, sizeof(c->tool), "borderpath 0.1.0");
			text_set(c->store, sizeof(c->store), "9f86");
			text_set(c->why, sizeof(c->why), centres[i].why_not);
			text_set(c->wrong, sizeof(c->wrong), centres[i].wrong);
		}
		if (!centres[i].sent) {
			b.state.cut = b.state.confirmed = 0;
			b.state.centre_known = false;
		}
		assert_int_equal(status_judge(&b.r), 0);
		buf_init(&text);
		buf_init(&json);
		status_put_text(&text, &b.r);
		status_put_json(&json, &b.r);
		snprintf(words, sizeof(words), "{\"type\":\"centre\",\"amiss\":%s",
			 centres[i].word);
		if (strstr(json.bytes, words) == NULL ||
		    strstr(json.bytes, centres[i].json) == NULL)
			fail_msg("%s: not %s, %s: %s", centres[i].why, words, centres[i].json,
				 json.bytes);
		if (strstr(text.bytes, centres[i].text) == NULL)
			fail_msg("%s: %s", centres[i].why, text.bytes);
		if (status_is_amiss(&b.r) != centres[i].fault)
			fail_msg("%s: the exit code", centres[i].why);
		buf_fini(&text);
		buf_fini(&json);
		free(b.r.vantages);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mark_has_its_reason),
		cmocka_unit_test(a_place_is_shown),
		cmocka_unit_test(who_cannot_be_asked_says_nothing),
		cmocka_unit_test(a_new_plan_is_waited_for),
		cmocka_unit_test(what_is_news_is_no_fault),
		cmocka_unit_test(a_centre_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
