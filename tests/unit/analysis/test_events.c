// SPDX-License-Identifier: BSD-2-Clause
/* Events out of scripted histories: what is told, and what is not, row by row with the reason. */
#include "tests/unit/analysis/events_bed.h"

struct row {
	const char *script, *told, *why;
};

static void run_rows(struct bed *b, const struct row *rows, size_t n)
{
	unsigned bad = 0;

	for (size_t i = 0; i < n; i++) {
		char *told;

		bed_script(b, rows[i].script);
		bed_feed(b, 0);
		told = bed_told(b);
		if (strcmp(told, rows[i].told) != 0) {
			print_message("%s (%s):\n%s--- not\n%s", rows[i].why, rows[i].script, told,
				      rows[i].told);
			bad++;
		}
		free(told);
		bed_clear(b);
	}
	assert_int_equal(bad, 0);
}

#define ROWS(rows) (rows), sizeof(rows) / sizeof((rows)[0])

static void border_switches(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 dddddddddd", "", "nothing"},
		{"fra1 176 dddkkkkkkk", "border_switch 176 dandong>khasan confirmed 2-3 1/1\n",
		 "a switch, two rounds"},
		{"fra1 176 dddk", "border_switch 176 dandong>khasan provisional 2-3 1/1\n",
		 "seen once so far"},
		{"fra1 176 dddkdddd",
		 "border_switch 176 dandong>khasan resolved/withdrawn 2-3 1/1\n",
		 "it did not hold"},
		{"fra1 176 dddukuku", "border_switch 176 dandong>khasan confirmed 2-4 1/1\n",
		 "undetermined rounds do not narrow the bracket, nor stop the second sight"},
		{"fra1 176 dddkuuuu", "border_switch 176 dandong>khasan provisional 2-3 1/1\n",
		 "undetermined does not raise"},
		{"fra1 176 duuuuuud", "", "undetermined is no state"},
		{"fra1 176 uuukkkkk", "", "the first that is known stands"},
		{"fra1 176 dddkkkkkkddd",
		 "border_switch 176 dandong>khasan confirmed 2-3 1/1\n"
		 "border_switch 176 khasan>dandong confirmed 8-9 1/1\n",
		 "going back is an event of its own"},
		{"fra1 176 ddd....kkk", "border_switch 176 dandong>khasan confirmed 2-7 1/1\n",
		 "a gap widens the bracket"},
		{"fra1 176 ddd~kkkk", "border_switch 176 dandong>khasan confirmed 2-2 1/1\n",
		 "a closer look narrows it, and is a sight like any other"},
		{"fra1 176 ddd~k~kdd", "border_switch 176 dandong>khasan confirmed 2-2 1/1\n"
				       "border_switch 176 khasan>dandong confirmed 2-3 1/1\n",
		 "two looks confirm"},
		{"fra1 176 dddooo", "border_switch 176 dandong>other confirmed 2-3 1/1\n",
		 "to a way that has no name"},
	};

	run_rows(*state, ROWS(rows));
}

static void mixed_ways(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 dddmmmmmmmm", "border_switch 176 dandong>mixed confirmed 2-3 1/1\n",
		 "flows take both from now on"},
		{"fra1 176 dddmkkkk", "border_switch 176 dandong>khasan confirmed 2-3 1/1\n",
		 "it moved in the middle of a round: passed through, one event"},
		{"fra1 176 dddmmkkkk", "border_switch 176 dandong>khasan confirmed 2-3 1/1\n",
		 "the same when it took two rounds"},
		{"fra1 176 dddmmmmmmmmmmkkkkkkkk",
		 "border_switch 176 dandong>mixed confirmed 2-3 1/1\n"
		 "border_switch 176 mixed>khasan confirmed 12-13 1/1\n",
		 "hours of mixed are a state"},
		{"fra1 176 mmmmmmdmkmmddmmk", "", "within mixed, a round on one way is chance"},
		{"fra1 176 dddmdddd",
		 "border_switch 176 dandong>mixed resolved/withdrawn 2-3 1/1\n", "one flow, once"},
		{"fra1 176 dddmdmddmmmm",
		 "border_switch 176 dandong>mixed resolved/withdrawn 2-3 1/1\n"
		 "border_switch 176 dandong>mixed resolved/withdrawn 4-5 1/1\n"
		 "border_switch 176 dandong>mixed confirmed 7-8 1/1\n",
		 "it comes and goes until it stays"},
	};

	run_rows(*state, ROWS(rows));
}

static void vantage_points_together(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 dddkkkk|iad1 176 dddkkkk",
		 "border_switch 176 dandong>khasan confirmed 2-3 2/2\n", "both see it: one event"},
		{"fra1 176 dddk|iad1 176 dddk",
		 "border_switch 176 dandong>khasan confirmed 2-3 2/2\n",
		 "one round, from two vantage points"},
		{"fra1 176 dddkkkkkk|iad1 176 dddddkkkk",
		 "border_switch 176 dandong>khasan confirmed 2-3 2/2\n",
		 "two rounds later is the same one; brackets that do not meet: the first"},
		{"fra1 176 dddkkkkkkkkkkk|iad1 176 ddddddddkkkkkk",
		 "border_switch 176 dandong>khasan confirmed 2-3 1/2\n"
		 "border_switch 176 dandong>khasan confirmed 7-8 1/2\n",
		 "five rounds later it is another"},
		{"fra1 176 dddkkkk|iad1 176 ddddddd|nrt1 176 uuuuuuu|sin1 176 xxxxxxx",
		 "border_switch 176 dandong>khasan confirmed 2-3 1/2\n",
		 "of those that could tell: not the undetermined, not the offline"},
		{"fra1 176 dddmkkk|iad1 176 dddkkkk",
		 "border_switch 176 dandong>khasan confirmed 2-3 2/2\n",
		 "one is in the middle of it"},
		{"fra1 176 dddkkkk|fra1 177 dddkkkk",
		 "border_switch 176 dandong>khasan confirmed 2-3 1/1\n"
		 "border_switch 177 dandong>khasan confirmed 2-3 1/1\n",
		 "two prefixes are two events"},
		{"fra1 176 ddd^kkkkk|iad1 176 ddddddd",
		 "path_change fra1 > confirmed 2-3 1/1\n",
		 "it moved to another upstream: that is the event"},
	};

	run_rows(*state, ROWS(rows));
}

#define D20 "dddddddddddddddddddd"
#define K20 "kkkkkkkkkkkkkkkkkkkk"

static void outages(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 dddddnnnnnn|fra1 177 ddddddddddd",
		 "outage/cut_at_border 176 confirmed 4-5 1/1\n", "a prefix is silent"},
		{"fra1 176 dddddnnnnddd|fra1 177 dddddddddddd",
		 "recovery/cut_at_border 176 resolved 4-5 until 9 1/1\n", "and over"},
		{"fra1 176 dddddnnnndd|fra1 177 ddddddddddd",
		 "outage/cut_at_border 176 confirmed 4-5 1/1\n", "not yet counted as over"},
		{"fra1 176 dddddndddd|fra1 177 dddddddddd",
		 "outage/cut_at_border 176 resolved/withdrawn 4-5 1/1\n", "one round alone"},
		{"fra1 176 dddddFFFF|fra1 177 ddddddddd",
		 "outage/filtered 176 confirmed 4-5 1/1\n", "said to be prohibited"},
		{"fra1 176 dddddBBBB|fra1 177 ddddddddd",
		 "outage/cut_before_border 176 confirmed 4-5 1/1\n", "ends before the border"},
		{"fra1 176 dddddNNNN|fra1 177 ddddddddd",
		 "outage/destination_silent 176 confirmed 4-5 1/1\n", "only it does not answer"},
		{"fra1 176 dddddnnn|fra1 177 dddddnnn|fra1 178 kkkkknnn",
		 "outage/cut_at_border network:176,177,178 confirmed 4-5 1/1\n",
		 "all of them: the network"},
		{"fra1 176 dddddnnn|fra1 177 dddddnnn|iad1 176 dddddnnn|iad1 177 dddddnnn",
		 "outage/cut_at_border network:176,177 confirmed 4-5 2/2\n", "from everywhere"},
		{"fra1 176 dddddnnn|fra1 177 dddddnnn|fra1 178 kkkkkkkk",
		 "outage/cut_at_border border:176,177 confirmed 4-5 1/1\n",
		 "all behind one border, the other lives"},
		{"fra1 176 dddddnnnnnndddd|fra1 177 dddddnnnnnnnnnn",
		 "recovery/cut_at_border network:176,177 resolved 4-5 until 11 1/1\n"
		 "outage/cut_at_border 177 confirmed 4-5 1/1\n",
		 "a part comes back: the rest stays, since when it went"},
		{"fra1 176 ddddddnnn|fra1 177 dddddnnnn",
		 "outage/cut_at_border 177 resolved/withdrawn 4-5 with outage 1/1\n"
		 "outage/cut_at_border network:176,177 confirmed 5-6 1/1\n",
		 "one round apart: the network, when the last went"},
		{"fra1 176 ddddd..xxxxdd|fra1 177 ddddd..xxxxdd",
		 "recovery/vantage_down fra1 resolved 4-7 until 11 1/1\n",
		 "we were down, not they; a gap is none"},
		{"fra1 176 ddddd.....ddd|fra1 177 dddddx.dddddd", "", "gaps"},
		{"fra1 176 nnnnnnnnnn|fra1 177 dddddddddd", "", "it never answered"},
		{"fra1 176 ddddd~n~nnnn|fra1 177 ddddd~d~dddd",
		 "outage/cut_at_border 176 confirmed 4-4 1/1\n", "closer looks bracket it"},
		{"fra1 176 dddddnnnn~d~d~d~dd|fra1 177 dddddddddd",
		 "outage/cut_at_border 176 confirmed 4-5 1/1\n",
		 "but looks do not end it: one round"},
		{"fra1 176 HHHHHhhhhh", "outage/destination_silent 175.45.176.71 confirmed 4-5 1/1\n",
		 "a host in a prefix that lives"},
		{"fra1 176 HHHHHhhhhHHHH",
		 "recovery/destination_silent 175.45.176.71 resolved 4-5 until 9 1/1\n", "and back"},
		{"fra1 176 hhhhhhhhhhhhhhhhh", "", "a host that never answered"},
		{"fra1 176 dddddddddnnnnndnndnndnn|fra1 177 ddddddddddddddddddddddd",
		 "outage/cut_at_border 176 confirmed 8-9 1/1\n"
		 "flapping 176 confirmed 16-17 x4 1/1\n",
		 "three rounds in all are not three in a row"},
		{"fra1 176 ddddddddddnnnrnnrnnnrnn|fra1 177 ddddddddddddddddddddddd",
		 "outage/rate_limited 176 confirmed 9-10 1/1\n", "answers now and then"},
		{"fra1 176 rrrrrrrrrrnrrnrrrnrrrrr|fra1 177 ddddddddddddddddddddddd", "",
		 "it always lost two of three: a silent round is no news"},
		{"fra1 176 ddddddnnnnnnnnnnnnnnnnnnnndddddd|fra1 177 dddddnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		 "outage/cut_at_border 177 resolved/withdrawn 4-5 with recovery 1/1\n"
		 "recovery/cut_at_border network:176,177 resolved 5-6 until 26 1/1\n"
		 "outage/cut_at_border 177 confirmed 4-5 1/1\n",
		 "what is left of a wider one has a name of its own"},
		{"fra1 176 dddddnnnn|fra1 177 dddddddddd" D20 D20 D20 D20 D20 D20,
		 "outage/cut_at_border 176 resolved 4-5 1/1\n", "it is not asked any more"},
		{"fra1 176 dddddddddd|fra1/icmp 176 dddddFFFFF", "",
		 "another method still reaches it"},
		{"fra1 176 dddddnnnn|fra1/icmp 176 ddddddFFF",
		 "outage/cut_at_border 176 confirmed 5-6 1/1\n",
		 "silent when the last method is"},
		{"fra1 176 dddddnn|fra1/icmp 176 dddd...",
		 "outage/cut_at_border 176 confirmed 4-5 1/1\n",
		 "what was not asked since says nothing"},
		{"fra1 176 HHHHHnnnnhhhhh",
		 "recovery/cut_at_border 176 resolved 4-5 until 9 1/1\n"
		 "outage/destination_silent 175.45.176.71 confirmed 4-5 1/1\n",
		 "one that does not come back with the others"},
	};

	run_rows(*state, ROWS(rows));
}

static void flapping(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 ddddnknknknddddddddddd|fra1 177 dddddddddddddddddddddd",
		 "outage/cut_at_border 176 resolved/withdrawn 3-4 1/1\n"
		 "border_switch 176 dandong>khasan resolved/withdrawn 3-5 with flapping 1/1\n"
		 "flapping 176 resolved 3-4 until 11 x10 1/1\n",
		 "reach and border together"},
		{"fra1 176 ddddkdkdkkkkkkkkkkkkkk",
		 "border_switch 176 dandong>khasan resolved/withdrawn 3-4 1/1\n"
		 "border_switch 176 dandong>khasan resolved/withdrawn 5-6 with flapping 1/1\n"
		 "flapping 176 resolved 3-4 with border_switch until 8 x5 1/1\n"
		 "border_switch 176 dandong>khasan confirmed 7-8 with flapping 1/1\n",
		 "what holds after it is a switch"},
		{"fra1 176 ddddkdkdkdkdddddddddd|iad1 176 ddddkdkdkdkdddddddddd",
		 "border_switch 176 dandong>khasan resolved 3-4 2/2\n"
		 "border_switch 176 dandong>khasan resolved 5-6 with flapping 2/2\n"
		 "flapping 176 resolved 3-4 until 11 x8 2/2\n",
		 "from two vantage points: one flapping"},
		{"fra1 176 ddddkkkkkddddd", "border_switch 176 dandong>khasan confirmed 3-4 1/1\n"
					   "border_switch 176 khasan>dandong confirmed 8-9 1/1\n",
		 "two changes in hours"},
		{"fra1 176 ddddkdkdkdddddddddddd",
		 "border_switch 176 dandong>khasan resolved/withdrawn 3-4 1/1\n"
		 "border_switch 176 dandong>khasan resolved/withdrawn 5-6 with flapping 1/1\n"
		 "flapping 176 resolved 3-4 until 9 x6 1/1\n",
		 "each round another: one event with its count"},
	};

	run_rows(*state, ROWS(rows));
}

/* What is not in the profile's network, reference hosts above all, is nobody's outage. */
static void others_are_not_told(void **state)
{
	struct bed *b = *state;
	char *told;

	bed_script(b, "fra1 176 dddddddddd|fra1 177 dddddnnnnn");
	assert_int_equal(prefix_parse("192.0.2.1/32", &b->keys[1].prefix), 0);
	bed_feed(b, 0);
	told = bed_told(b);
	assert_string_equal(told, "");
	free(told);
}

/* Round by round: what a daemon asks for after each. */
static void how_it_stands(void **state)
{
	static const struct {
		const char *script;
		const char *suspected; /* a letter a round: - or the kind */
		const char *active;    /* likewise: o outage, f flapping, s switch, p path */
		const char *why;
	} rows[] = {
		{"fra1 176 dddkkkkkkkk", "---s-------", "----ss-----", "until three rounds later"},
		{"fra1 176 dddkddddddd", "---s-------", "-----------", "it did not hold"},
		{"fra1 176 dddddnnnnddd|fra1 177 dddddddddddd", "-----o------", "------ooooo-",
		 "until it is over"},
		{"fra1 176 ddddddddddd2d2d2d2d2d2", "----------p-----", "-----------pp---", ""},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char suspected[64] = "", active[64] = "";
		unsigned n = 0;

		bed_script(b, rows[i].script);
		assert_int_equal(events_new(&b->options, b->series, &b->nodes, bed_event, b,
					    &b->events),
				 0);
		qsort(b->cells, b->cell_count, sizeof(*b->cells), bed_by_end);
		for (unsigned c = 0; c < b->cell_count; c++) {
			struct events_now now;

			bed_put(b, &b->cells[c]);
			if (c + 1 < b->cell_count &&
			    b->cells[c + 1].cell.end.ns == b->cells[c].cell.end.ns)
				continue;
			assert_int_equal(events_settle(b->events, b->cells[c].cell.end), 0);
			events_now(b->events, &b->keys[0], &now);
			suspected[n] = !now.suspected ? '-' : " sprRo"[now.suspected_kind];
			active[n++] = now.active & 1u << EVENT_OUTAGE		? 'o'
				      : now.active & 1u << EVENT_FLAPPING	? 'f'
				      : now.active & 1u << EVENT_BORDER_SWITCH ? 's'
				      : now.active & 1u << EVENT_PATH_CHANGE	? 'p'
										: '-';
		}
		if (strcmp(suspected, rows[i].suspected) != 0 ||
		    strcmp(active, rows[i].active) != 0)
			fail_msg("%s (%s): suspected %s, active %s", rows[i].why, rows[i].script,
				 suspected, active);
		bed_clear(b);
	}
}

static void path_changes(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 ddddddddddd2d2d2d2d2",
		 "path_change 176 1002 1003 1004 1005 1006 1007>1002 1019 1020 1021 1022 1023"
		 " confirmed 9-10 1/1\n",
		 "through other networks"},
		{"fra1 176 ddddddddddd2dddddd",
		 "path_change 176 1002 1003 1004 1005 1006 1007>1002 1019 1020 1021 1022 1023"
		 " resolved/withdrawn 9-10 1/1\n",
		 "another branch, once"},
		{"fra1 176 ddddddddddd9d9d9d9d9",
		 "path_change 176 66.110.0.3>66.110.0.131 confirmed 9-10 1/1\n",
		 "through other routers"},
		{"fra1 176 ddddddddddd9d9d9d9d9dddddd",
		 "path_change 176 66.110.0.3>66.110.0.131 confirmed 9-10 1/1\n"
		 "path_change 176 66.110.0.131>66.110.0.3 confirmed 14-15 1/1\n",
		 "and back"},
		{"fra1 176 ddddddddddd9d9d9d9d9|iad1 176 ddddddddddd9d9d9d9d9",
		 "path_change 176 66.110.0.3>66.110.0.131 confirmed 9-10 2/2\n", "both"},
		{"fra1 176 ddddddddddd8d8d8d8dd8d8d8", "", "a router answers from either side"},
		{"fra1 176 dddddd7d7d7d7d7d7d7ddddd7dd7", "", "silent hops come and go"},
		{"fra1 176 ddddddddddnnnnnnnndddd",
		 "recovery/cut_at_border 176 resolved 9-10 until 18 1/1\n",
		 "an outage is no other path"},
		{"fra1 176 ddddddddddk2k2k2k2k2",
		 "border_switch 176 dandong>khasan confirmed 9-10 1/1\n",
		 "a switch implies another path: it is told once"},
		{"fra1 176 dd2ddd2d2dd2d2d2dd2dd2dd2d2d2d2d2d2", "", "a balanced path"},
		{"fra1 176 dddddddddd^d2d2d2d2d2",
		 "path_change fra1 > confirmed 9-10 1/1\n", "the vantage point moved"},
	};

	run_rows(*state, ROWS(rows));
}

static void delays(void **state)
{
	static const struct row rows[] = {
		{"fra1 176 " D20 D20 "+" D20 D20,
		 "return_path_suspected 176 confirmed 39-40 inside +40ms 1/1\n",
		 "the way there stands, so does the last hop outside"},
		{"fra1 176 " D20 D20 "=" D20 D20,
		 "return_path_suspected 176 confirmed 39-40 on_the_way +40ms 1/1\n",
		 "the last hop outside went with it"},
		{"fra1 176 " D20 D20 "+k" K20 K20,
		 "border_switch 176 dandong>khasan confirmed 39-40 with rtt_shift 1/1\n"
		 "rtt_shift 176 dandong>khasan confirmed 39-40 inside +40ms with border_switch 1/1\n",
		 "with another border: that is why"},
		{"fra1 176 " D20 D20 "+d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
		 "path_change 176 1002 1003 1004 1005 1006 1007>1002 1019 1020 1021 1022 1023"
		 " confirmed 39-40 with rtt_shift 1/1\n"
		 "rtt_shift 176 dandong>dandong confirmed 39-40 inside +40ms with path_change 1/1\n",
		 "with another path"},
		{"fra1 176 " D20 D20 "+ddd-" D20 D20, "", "a short bump"},
		{"fra1 176 " D20 D20 "^+" D20 D20, "path_change fra1 > confirmed 39-40 1/1\n",
		 "the vantage point moved: no news of theirs"},
		{"fra1 176 " D20 D20 "+" D20 D20 "|iad1 176 " D20 D20 "+" D20 D20,
		 "return_path_suspected 176 confirmed 39-40 inside +40ms 2/2\n", "both see it"},
		{"fra1 176 " D20 D20 "....+" D20 D20,
		 "return_path_suspected 176 confirmed 39-44 inside +40ms 1/1\n",
		 "a gap is a gap"},
		{"fra1 176 " D20 D20 "+" D20 D20 D20 "-" D20 D20,
		 "return_path_suspected 176 confirmed 39-40 inside +40ms 1/1\n"
		 "return_path_suspected 176 confirmed 99-100 inside -40ms 1/1\n",
		 "there and back"},
		{"fra1 176 " D20 D20 "@dddddd",
		 "return_path_suspected 176 confirmed 39-40 1/1\n",
		 "answers arrive with another TTL"},
		{"fra1 176 " D20 D20 "@d@dd@d@dd@d@dd", "", "now and then with another TTL"},
		{"fra1 176 " D20 D20 "@+" D20 D20,
		 "return_path_suspected 176 confirmed 39-40 inside +40ms 1/1\n",
		 "with another TTL, and later: one event"},
		{"fra1 176 " D20 D20 "@k" K20,
		 "border_switch 176 dandong>khasan confirmed 39-40 1/1\n",
		 "with another border"},
	};

	run_rows(*state, ROWS(rows));
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ROW(border_switches),
		ROW(mixed_ways),
		ROW(vantage_points_together),
		ROW(outages),
		ROW(flapping),
		ROW(path_changes),
		ROW(how_it_stands),
		ROW(others_are_not_told),
		ROW(delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
