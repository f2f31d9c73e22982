// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who votes: ten vantage points, three of which lie or are dead. What they say alone is told of
 * them, never of the network, and they are not among those that an event was seen "of".
 */
#include "tests/unit/analysis/events_bed.h"

struct row {
	/* What the seven see of 176 and 177, and each of the three. */
	const char *honest[2], *liars[3][2];
	const char *told, *why;
	bool first;              /* the three end their rounds before the others do */
};

static void script_of(const struct row *r, char *out, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < 10; i++) {
		unsigned v = r->first ? (i + 7) % 10 : i;
		const char *const *sees = v < 7 ? r->honest : r->liars[v - 7];

		for (unsigned p = 0; p < 2; p++)
			n += (size_t)snprintf(out + n, size - n, "v%u %u %s\n", v, 176 + p, sees[p]);
	}
	assert_true(n < size);
}

static char *told_of(struct bed *b, const struct row *r, uint32_t seed)
{
	char script[4096];

	bed_clear(b);
	script_of(r, script, sizeof(script));
	bed_script(b, script);
	bed_feed(b, seed);
	return bed_told(b);
}

#define BOTH(x) {x, x}

static const struct row rows[] = {
	{BOTH("dddddddddd"),
	 {BOTH("dddd?n?n?n?n?n?n"), BOTH("ddddxxxxxx"), BOTH("dddd^kkkkkk")},
	 "path_change v9 > confirmed 3-4 1/1\n"
	 "outage/vantage_down v8 confirmed 3-4 1/1\n",
	 "nothing happened: one is cut off and does not know, one knows, one moved", false},
	{{"dddddkkkkk", "dddddddddd"},
	 {BOTH("dddd?n?n?n?n?n?n"), BOTH("ddddxxxxxx"), BOTH("dddd^nndddd")},
	 "path_change v9 > confirmed 3-4 1/1\n"
	 "border_switch 176 dandong>khasan confirmed 4-5 7/7\n"
	 "outage/vantage_down v8 confirmed 3-4 1/1\n",
	 "a switch is seen by seven of seven", false},
	{{"dddddkkkkk", "dddddddddd"},
	 {{"dddddkkkkk", "dddddddddd"}, BOTH("dddddddddd"), BOTH("dddddddddd")},
	 "border_switch 176 dandong>khasan confirmed 4-5 8/10\n",
	 "who is well and does not see it counts", false},
	{{"dddddnnnnn", "dddddnnnnn"},
	 {BOTH("dddd?n?n?n?n?n?n"), BOTH("ddddxxxxxx"), BOTH("ddddd^nnnnn")},
	 "outage/cut_at_border network:176,177 confirmed 4-5 8/8\n"
	 "outage/vantage_down v8 confirmed 3-4 1/1\n"
	 "path_change v9 > confirmed 4-5 1/1\n",
	 "a real outage: who was cut off before it has no say; who moved has one two rounds later", false},
	{BOTH("dddddnnnnddddd"),
	 {BOTH("ddddxxxxxddddd"), BOTH("ddddxxxxxddddd"), BOTH("dddddnnnnddddd")},
	 "recovery/cut_at_border network:176,177 resolved 4-5 until 9 8/8\n"
	 "recovery/vantage_down v7 resolved 3-4 until 9 1/1\n"
	 "recovery/vantage_down v8 resolved 3-4 until 9 1/1\n",
	 "who was offline all the while, and is back when it is over, is none of those who could tell",
	 false},
	{BOTH("ddddd?n?n?n?n?n"),
	 {BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n")},
	 "outage/cut_at_border network:176,177 confirmed 4-5 10/10\n",
	 "where nobody reaches anything, all that is known is told", false},
	{BOTH("dddddddddd"),
	 {BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n")},
	 "", "three are cut off at once: seven do not agree", false},
	{BOTH("dddddddddd"),
	 {BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n"), BOTH("ddddd?n?n?n?n?n")},
	 "outage/cut_at_border network:176,177 resolved/withdrawn 4-5 3/10\n",
	 "nor when these are first to tell", true},
	{BOTH("dddddddddd"),
	 {BOTH("dddddddddd"), BOTH("dddddddddd"), BOTH("dddddnnnnn")},
	 "outage/cut_at_border network:176,177 confirmed 4-5 1/10\n",
	 "one that is well and does not get there: one of ten", false},
};

static void three_of_ten_lie(void **state)
{
	struct bed *b = *state;
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* By time, and in orders that a network makes of it. */
		for (uint32_t seed = 0; seed < 4; seed++) {
			char *told = told_of(b, &rows[i], seed);

			if (strcmp(told, rows[i].told) != 0) {
				print_message("%s, seed %u:\n%s--- not\n%s", rows[i].why, seed, told,
					      rows[i].told);
				bad++;
			}
			free(told);
		}
	}
	assert_int_equal(bad, 0);
}

/* What the sentence says of those who saw it. */
static void an_outage_says_how_they_were(void **state)
{
	static const struct {
		const char *script, *says, *why;
	} told[] = {
		{"fra1 176 !dddddnnnn|fra1 177 !ddddddddd|iad1 176 !dddddnnnn|iad1 177 !ddddddddd",
		 "answered 2 of 2 vantage points, all of which reached their reference hosts; paths "
		 "ended at the border, at 66.110.0.7, AS1007.",
		 "both, all the while"},
		{"fra1 176 !dddddnn!nnddd|fra1 177 !ddddddd!ddddd|iad1 176 !dddddnnnnddd|iad1 177 !dddddd"
		 "dddddd",
		 "answered 2 of 2 vantage points, one of which reached its reference hosts; paths "
		 "ended at the border, at 66.110.0.7, AS1007.",
		 "one did not in the end"},
		{"fra1 176 dddddnnnn|fra1 177 ddddddddd",
		 "answered 1 of 1 vantage point, which is not known to have been offline; paths "
		 "ended at the border, at 66.110.0.7, AS1007.",
		 "nobody was asked"},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		const struct event *e;

		bed_clear(b);
		bed_script(b, told[i].script);
		bed_feed(b, 0);
		assert_int_equal(b->told_count, 1);
		e = b->told[0];
		if (strstr(e->summary, told[i].says) == NULL)
			fail_msg("%s: %s", told[i].why, e->summary);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(three_of_ten_lie),
		T(an_outage_says_how_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
