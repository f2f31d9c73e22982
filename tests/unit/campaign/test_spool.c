// SPDX-License-Identifier: BSD-2-Clause
/*
 * The spool: a round's way from its head to kept, in order and once. Where things go wrong:
 * test_spool_faults.c.
 */
#include "tests/unit/campaign/spool_bed.h"

static void a_round_waits_until_the_store_has_it(void **state)
{
	struct spool *s = open_spool(*state, 0);
	struct round r = round_at(0, 3);
	struct spool_state st;
	struct spool_journal *j;
	struct bp_error err;
	struct seen seen;

	none_waits(s);
	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	for (unsigned k = 0; k < 3; k++)
		assert_int_equal(put(j, &r, k), 0);
	assert_int_equal(spool_object(j, "{\"type\":\"paths\"}\n", 17, &err), 0);
	none_waits(s); /* under way */
	spool_state(s, &st);
	assert_int_equal(st.rounds, 1);
	assert_int_equal(st.traces, 3);
	r.done = 3;
	r.traces = 3;
	r.end.ns = r.start.ns + NS_PER_S;
	r.health = ROUND_HEALTH_OK;
	assert_int_equal(spool_end(j, &r, &err), 0);
	assert_true(is_there(*state, "c-v-20261122T100000Z.jsonl"));

	/* As it is given in this run, and after a restart. */
	for (unsigned again = 0; again < 2; again++) {
		struct round got;

		next_is(s, 0, &got);
		assert_memory_equal(&got, &r, sizeof(r));
		seen = read_round(s, &got);
		assert_string_equal(seen.text, "v-abc-0 v-abc-1 v-abc-2 ");
		assert_int_equal(seen.others, 1);
		spool_close(s);
		s = open_spool(*state, 0);
		assert_null(spool_note(s));
	}
	spool_taken(s, &r);
	none_waits(s);
	spool_state(s, &st);
	assert_int_equal(st.rounds, 0);
	spool_close(s);
	s = open_spool(*state, 0);
	none_waits(s);
	spool_again(s);
	next_is(s, 0, &r);
	assert_int_equal(read_round(s, &r).traces, 3);
	spool_close(s);
}

static void the_oldest_comes_first_and_the_last_are_kept(void **state)
{
	struct spool *s = open_spool(*state, 0);
	struct spool_journal *early, *late;
	struct round first = round_at(0, 0), second = round_at(1, 0), r;
	struct bp_error err;
	struct wall newest;

	/* Two campaigns under way together: the later slot ends sooner. */
	assert_int_equal(spool_begin(s, &second, &late, &err), 0);
	assert_int_equal(spool_begin(s, &first, &early, &err), 0);
	assert_int_equal(spool_end(late, &second, &err), 0);
	next_is(s, 1, &r);
	assert_int_equal(spool_end(early, &first, &err), 0);
	next_is(s, 0, &r);
	for (unsigned i = 2; i < 20; i++)
		write_round(s, i, 1);
	assert_true(spool_newest(s, &newest));
	assert_int_equal(newest.ns, round_at(19, 0).planned.ns);
	for (unsigned i = 0; i < 20; i++) {
		next_is(s, i, &r);
		spool_taken(s, &r);
		spool_taken(s, &r); /* again: nothing */
	}
	none_waits(s);
	/* A store that cannot be asked now has it. */
	assert_true(spool_newest(s, &newest));
	assert_int_equal(newest.ns, round_at(19, 0).planned.ns);
	/* The same after a restart that finds more than are kept. */
	for (unsigned again = 0; again < 2; again++) {
		spool_again(s);
		for (unsigned i = 20 - SPOOL_KEPT; i < 20; i++) {
			next_is(s, i, &r);
			spool_taken(s, &r);
		}
		none_waits(s);
		spool_close(s);
		s = open_spool(*state, 0);
	}
	spool_close(s);
}

static void a_round_is_here_once(void **state)
{
	struct spool *s = open_spool(*state, 0);
	struct round r = round_at(0, 1), got;
	struct spool_journal *j, *other;
	struct bp_error err;

	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	assert_int_equal(spool_begin(s, &r, &other, &err), BP_EINVAL); /* under way */
	assert_int_equal(spool_end(j, &r, &err), 0);
	assert_int_equal(spool_begin(s, &r, &other, &err), BP_EINVAL); /* waits */
	spool_taken(s, &r);
	/* Measured anew, for a store that was made anew: the kept one makes way. */
	write_round(s, 0, 2);
	next_is(s, 0, &got);
	assert_int_equal(got.traces, 2);
	r.id[0] = '\0';
	assert_int_equal(spool_begin(s, &r, &other, &err), BP_EINVAL);
	spool_close(s);
}

/* Lines of a multipath search are one measurement, and it is whole when its paths object is
 * there. */
static void several_flows_are_one_measurement(void **state)
{
	static const char paths[] = "{\"type\":\"paths\",\"flows\":2,\"level\":95}";
	struct spool *s = open_spool(*state, 0);
	struct round r = round_at(0, 4), got;
	struct spool_journal *j;
	struct bp_error err;

	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	for (unsigned k = 0; k < 6; k++) {
		static const char *const ids[] = {"v.1-a-1",   "v.1-a-2.0", "v.1-a-2.1",
						  "v.1-a-3.0", "v.1-a-3.1", "v.1-a-4"};
		struct trace *t = trace_of(&r, k);

		t->stop = k == 5 ? STOP_INTERRUPTED : STOP_REACHED;
		text_set(t->id, sizeof(t->id), ids[k]);
		assert_int_equal(spool_trace(j, t, NULL, NULL, &err), 0);
		free(t);
		if (k == 2)
			assert_int_equal(spool_object(j, paths, strlen(paths), &err), 0);
	}
	free(j); /* the program is killed here */
	spool_close(s);
	s = open_spool(*state, 0);
	next_is(s, 0, &got);
	assert_int_equal(got.traces, 6);
	/* The plain one and target 2; 3 was under way, and 4 cut short. */
	assert_int_equal(got.done, 2);
	assert_int_equal(got.missed, 2);
	assert_int_equal(got.why, ROUND_WHY_DOWN);
	spool_close(s);
}

static void a_directory_that_is_not_there_yet(void **state)
{
	const struct bed *b = *state;
	struct bed inner;
	struct spool_state st;
	struct bp_error err;
	struct round r;
	struct spool *s;
	int fd;

	/* A file stands where the directory is to be. */
	snprintf(inner.dir, sizeof(inner.dir), "%.64s/x", b->dir);
	fd = open(inner.dir, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(spool_open(inner.dir, 0, &s, &err), 0);
	spool_state(s, &st);
	assert_true(st.in_memory);
	write_round(s, 0, 2);
	next_is(s, 0, &r);
	assert_int_equal(read_round(s, &r).traces, 2);
	/* Then it can be made: with the next round both are on disk. */
	unlink(inner.dir);
	write_round(s, 1, 2);
	spool_state(s, &st);
	assert_false(st.in_memory);
	spool_close(s);
	s = open_spool(&inner, 0);
	next_is(s, 0, &r);
	assert_int_equal(read_round(s, &r).traces, 2);
	spool_taken(s, &r);
	next_is(s, 1, &r);
	spool_close(s);
	empty(inner.dir);
}

static void two_processes_do_not_share_it(void **state)
{
	const struct bed *b = *state;
	struct spool *s = open_spool(b, 0), *other;
	struct bp_error err;

	assert_int_equal(spool_open(b->dir, 0, &other, &err), BP_EAGAIN);
	assert_non_null(strstr(err.text, "another process"));
	spool_close(s);
	s = open_spool(b, 0);
	spool_close(s);
}

/* Sums that do not add up are mended, not written: what is not done is missed. */
static void what_is_not_done_is_missed(void **state)
{
	struct spool *s = open_spool(*state, 0);
	struct round r = round_at(0, 5), got;
	struct spool_journal *j;
	struct bp_error err;

	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	r.done = 3;
	assert_int_equal(spool_end(j, &r, &err), 0);
	next_is(s, 0, &got);
	assert_int_equal(got.missed, 2);
	spool_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_round_waits_until_the_store_has_it),
		ROW(the_oldest_comes_first_and_the_last_are_kept),
		ROW(a_round_is_here_once),
		ROW(several_flows_are_one_measurement),
		ROW(a_directory_that_is_not_there_yet),
		ROW(two_processes_do_not_share_it),
		ROW(what_is_not_done_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
