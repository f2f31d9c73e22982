// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hosts that stand for a prefix, round by round: a dead one in a living prefix, a prefix that died,
 * a vantage point that was offline, and what comes back after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "campaign/hosts.h"

static char first[] = "192.0.2.1", second[] = "192.0.2.2", third[] = "www.example",
	    fourth[] = "192.0.2.4", alone[] = "192.0.2.9";
static char *words[] = {first, second, third, fourth};
static char *single[] = {alone};
static struct campaign_target targets[] = {
	{.hosts = single, .hosts_count = 1},
	{.hosts = words, .hosts_count = 4},
	{.hosts = words, .hosts_count = 2, .name = (char[]){"pair"}},
};
static const struct campaign_plan plan = {.targets = targets, .targets_count = 3};

static struct addr dst_of(unsigned host)
{
	const uint8_t bytes[4] = {192, 0, 2, (uint8_t)(host + 1)};

	return addr_v4(bytes);
}

/* One round of entry 1: whoever is to be asked is; letters of `alive` say who answers. */
static void one_round(struct hosts *h, const char *alive, struct round *r)
{
	bool all = hosts_ask_all(h, 1);

	for (unsigned k = 0; k < 4; k++) {
		struct trace *t;

		if (!all && k != hosts_active(h, 1))
			continue;
		t = trace_new(0);
		t->dst = dst_of(k);
		t->reach = strchr(alive, 'a' + (int)k) != NULL ? REACH_REACHED : REACH_SILENT;
		t->stop = STOP_GAP_LIMIT;
		hosts_take(h, 1, k, t);
		free(t);
	}
	hosts_end(h, r);
}

/*
 * Each letter of a script is a round with everybody alive that it says: '.' all, '1' all but the
 * first, '2' only the fourth, '3' only the first, '-' nobody; 'o' nobody, for we were offline. The
 * result names the host measured in each round, in capitals where all were asked.
 */
static void run(struct hosts *h, const char *script, char *out, struct round *last)
{
	for (; *script != '\0'; script++) {
		char c = (char)((hosts_ask_all(h, 1) ? 'A' : 'a') + (int)hosts_active(h, 1));

		round_init(last);
		last->start.ns = 1;
		last->health = *script == 'o' ? ROUND_HEALTH_OFFLINE : ROUND_HEALTH_OK;
		one_round(h,
			  *script == '.'   ? "abcd"
			  : *script == '1' ? "bcd"
			  : *script == '2' ? "d"
			  : *script == '3' ? "a"
					   : "",
			  last);
		*out++ = c;
	}
	*out = '\0';
}

/* The same by cron: each round in a process of its own; and each but the first was tried before, by
 * one that was killed. */
static void run_by_cron(const char *script, char *out)
{
	struct round last, cut;
	struct hosts *h;

	round_init(&last);
	for (unsigned i = 0; script[i] != '\0'; i++) {
		for (unsigned attempt = i == 0; attempt < 2; attempt++) {
			assert_int_equal(hosts_new(&plan, &h), 0);
			hosts_restore(h, &last, 1);
			if (attempt == 0) {
				round_init(&cut);
				cut.start.ns = 1;
				hosts_tell(h, &cut);
				last = cut;
			} else {
				run(h, (char[]){script[i], '\0'}, &out[i], &last);
			}
			hosts_free(h);
		}
	}
}

static void who_is_measured(void **state)
{
	static const struct { const char *script, *measured, *why; } rows[] = {
		{"........", "aaaaaaaa", "nobody is replaced without need"},
		{"..11.1.11.", "aaaaaaaaaa", "two silent rounds are no reason"},
		{".1111111", "aaaaAbbb", "silent three times, then all are asked: the next answers"},
		{".1111....", "aaaaAbbbb", "the first is alive again: no flapping"},
		{"22222222", "aaaAdddd", "the first of the list that answers"},
		{"2222---3..", "aaaAdddDaa", "the substitute dies, the first is back"},
		{"---.....", "aaaAaaaa", "back when all are asked: it stays"},
		{"----------------------------", "aaaAaaAaaaaaAaaaaaaaaaaaAaaa",
		 "the prefix is silent: asked again after twice as long each time"},
		{"----------11111", "aaaAaaAaaaaaAbb", "it comes back with another host"},
		{"oooooooooooo", "aaaaaaaaaaaa", "offline: nobody else's silence"},
		{"1o1o1o1o1..", "aaaaaAAbbbb", "offline rounds neither count nor reset"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hosts *h;
		struct round r;
		char measured[64];

		assert_int_equal(hosts_new(&plan, &h), 0);
		run(h, rows[i].script, measured, &r);
		if (strcmp(measured, rows[i].measured) != 0)
			fail_msg("%s (%s):\n%s\nnot\n%s", rows[i].script, rows[i].why, measured,
				 rows[i].measured);
		hosts_free(h);
		run_by_cron(rows[i].script, measured);
		if (strcmp(measured, rows[i].measured) != 0)
			fail_msg("%s (%s), by cron:\n%s\nnot\n%s", rows[i].script, rows[i].why,
				 measured, rows[i].measured);
	}
}

/* However long it lasts, the others are asked at least every HOSTS_ASK_ROUNDS rounds. */
static void a_long_silence_is_asked_of_now_and_then(void **state)
{
	unsigned since = 0, asked = 0;
	struct hosts *h;

	(void)state;
	assert_int_equal(hosts_new(&plan, &h), 0);
	for (unsigned i = 0; i < 2000; i++) {
		struct round r;

		round_init(&r);
		since = hosts_ask_all(h, 1) ? 0 : since + 1;
		asked += since == 0;
		assert_true(since <= HOSTS_ASK_ROUNDS);
		one_round(h, "", &r);
	}
	assert_in_range(asked, 2000 / HOSTS_ASK_ROUNDS, 2000 / HOSTS_ASK_ROUNDS + 8);
	hosts_free(h);
}

static void a_substitute_is_on_the_record(void **state)
{
	char measured[64];
	struct hosts *h;
	struct round r;

	(void)state;
	assert_int_equal(hosts_new(&plan, &h), 0);
	run(h, "111", measured, &r);
	assert_int_equal(r.substitute_count, 0);
	run(h, "1", measured, &r); /* here it is decided */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(r.substitute_count, 1);
		assert_string_equal(r.substitutes[0].target, "192.0.2.1");
		assert_string_equal(r.substitutes[0].host, "192.0.2.2");
		assert_true(addr_equal(r.substitutes[0].from, dst_of(0)));
		assert_true(addr_equal(r.substitutes[0].to, dst_of(1)));
		assert_int_equal(r.substitutes[0].silent, 4);
		run(h, ".", measured, &r); /* and told as long as it holds */
	}
	run(h, "-----", measured, &r);
	assert_int_equal(r.substitute_count, 1); /* the prefix died: nothing changes */
	assert_string_equal(r.substitutes[0].host, "192.0.2.2");
	hosts_free(h);
}

static void what_says_nothing_of_a_host(void **state)
{
	static const struct { const char *why; uint8_t reach, stop; bool silent; } rows[] = {
		{"silence", REACH_SILENT, STOP_GAP_LIMIT, true},
		{"a filter answered, not the host", REACH_FILTERED, STOP_UNREACHABLE, true},
		{"a router says there is no such host", REACH_UNREACHABLE, STOP_UNREACHABLE, true},
		{"cut short by us", REACH_SILENT, STOP_INTERRUPTED, false},
		{"could not be measured", REACH_UNKNOWN, STOP_ERROR, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hosts *h;
		struct round r;

		assert_int_equal(hosts_new(&plan, &h), 0);
		for (unsigned k = 0; k < HOSTS_SILENT_ROUNDS; k++) {
			struct trace *t = trace_new(0);

			t->reach = rows[i].reach;
			t->stop = rows[i].stop;
			hosts_take(h, 1, 0, t);
			round_init(&r);
			hosts_end(h, &r);
			free(t);
		}
		if (hosts_ask_all(h, 1) != rows[i].silent)
			fail_msg("%s", rows[i].why);
		hosts_free(h);
	}
}

static void several_flows_are_one_host(void **state)
{
	struct hosts *h;
	struct round r;

	(void)state;
	assert_int_equal(hosts_new(&plan, &h), 0);
	for (unsigned k = 0; k < 5; k++) {
		for (unsigned flow = 0; flow < 4; flow++) {
			struct trace *t = trace_new(0);

			t->reach = flow == 2 ? REACH_REACHED : REACH_SILENT;
			t->stop = STOP_GAP_LIMIT;
			hosts_take(h, 1, 0, t);
			free(t);
		}
		round_init(&r);
		hosts_end(h, &r);
		assert_false(hosts_ask_all(h, 1));
	}
	hosts_free(h);
}

/* By address, by word where it is a name; a plan that changed meanwhile begins anew. */
static void a_restart_remembers(void **state)
{
	static const struct { const char *script; unsigned active; const char *why; } rows[] = {
		{"....", 0, "nothing was decided"},
		{"1111.", 1, "the second stood for the first"},
		{"2222.", 3, "the fourth did"},
		{"2222---3.", 0, "and the first again"},
	};
	struct round rounds[3], r;
	struct hosts *h;
	char measured[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hosts_new(&plan, &h), 0);
		round_init(&rounds[0]);
		run(h, rows[i].script, measured, &rounds[1]);
		hosts_free(h);
		round_init(&rounds[2]); /* a gap: says nothing */
		assert_int_equal(hosts_new(&plan, &h), 0);
		hosts_restore(h, rounds, 3);
		if (hosts_active(h, 1) != rows[i].active)
			fail_msg("%s (%s): %u", rows[i].script, rows[i].why, hosts_active(h, 1));
		assert_int_equal(hosts_active(h, 2), 0);
		/* What is restored is told again, and can be given up again. */
		run(h, ".", measured, &r);
		assert_int_equal(r.substitute_count, rows[i].active != 0);
		if (rows[i].active != 0)
			assert_memory_equal(&r.substitutes[0], &rounds[1].substitutes[0],
					    sizeof(r.substitutes[0]));
		run(h, "---3", measured, &r);
		assert_int_equal(hosts_active(h, 1), 0); /* it answered when all were asked */
		hosts_free(h);
	}
	/* A name, whose address nobody knows before it is asked. */
	round_init(&r);
	r.start.ns = 1;
	r.substitute_count = 1;
	text_set(r.substitutes[0].target, sizeof(r.substitutes[0].target), "192.0.2.1");
	text_set(r.substitutes[0].host, sizeof(r.substitutes[0].host), "www.example");
	r.substitutes[0].to = dst_of(2);
	assert_int_equal(hosts_new(&plan, &h), 0);
	hosts_restore(h, &r, 1);
	assert_int_equal(hosts_active(h, 1), 2);
	/* The plan names it no more. */
	text_set(r.substitutes[0].host, sizeof(r.substitutes[0].host), "old.example");
	r.substitutes[0].to = dst_of(77);
	hosts_restore(h, &r, 1);
	assert_int_equal(hosts_active(h, 1), 0);
	hosts_free(h);
}

static void entries_of_one_host_never_change(void **state)
{
	struct trace *t = trace_new(0);
	struct hosts *h;
	struct round r;

	(void)state;
	t->reach = REACH_SILENT;
	assert_int_equal(hosts_new(&plan, &h), 0);
	for (unsigned i = 0; i < 10; i++) {
		hosts_take(h, 0, 0, t);
		hosts_take(h, 99, 0, t);
		hosts_take(h, 1, 99, t);
		round_init(&r);
		hosts_end(h, &r);
		assert_int_equal(hosts_active(h, 0), 0);
		assert_false(hosts_ask_all(h, 0));
		assert_false(hosts_ask_all(h, 99));
	}
	hosts_free(h);
	free(t);
}

/* More substitutes than a round has room for: the first of them, and a word of the others. */
static void more_substitutes_than_room(void **state)
{
	static struct campaign_target many[20];
	struct campaign_plan p = {.targets = many, .targets_count = 20};
	struct hosts *h;
	struct round r;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		many[i] = targets[2];
	assert_int_equal(hosts_new(&p, &h), 0);
	for (unsigned k = 0; k < 4; k++) {
		for (unsigned i = 0; i < 20; i++) {
			struct trace *t = trace_new(0);

			t->reach = REACH_SILENT;
			hosts_take(h, i, 0, t);
			t->reach = REACH_REACHED;
			if (hosts_ask_all(h, i))
				hosts_take(h, i, 1, t);
			free(t);
		}
		round_init(&r);
		hosts_end(h, &r);
	}
	assert_int_equal(r.substitute_count, ROUND_SUBSTITUTES_MAX);
	assert_string_equal(r.substitutes[0].target, "pair");
	assert_string_equal(r.note, "4 more hosts are substituted");
	hosts_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_measured),
		cmocka_unit_test(a_long_silence_is_asked_of_now_and_then),
		cmocka_unit_test(a_substitute_is_on_the_record),
		cmocka_unit_test(what_says_nothing_of_a_host),
		cmocka_unit_test(several_flows_are_one_host),
		cmocka_unit_test(a_restart_remembers),
		cmocka_unit_test(entries_of_one_host_never_change),
		cmocka_unit_test(more_substitutes_than_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
