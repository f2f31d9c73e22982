// SPDX-License-Identifier: BSD-2-Clause
/*
 * The spool where things go wrong: a crash at every byte, damage, a disk that refuses, bounds, and
 * a directory with files of others in it.
 */
#include "tests/unit/campaign/spool_bed.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A killed program leaves the file cut at any byte: what is whole of it comes back, half a line is
 * dropped and told. */
static void a_crash_at_every_byte(void **state)
{
	const struct bed *b = *state;
	struct spool *s = open_spool(b, 0);
	struct round r = round_at(0, 3), got;
	static char whole[8192];
	char path[256], part[256];
	size_t size, heads = 0;
	FILE *f;

	write_round(s, 0, 3);
	spool_close(s);
	snprintf(path, sizeof(path), "%s/%s.jsonl", b->dir, r.id);
	snprintf(part, sizeof(part), "%s/%s.part", b->dir, r.id);
	f = fopen(path, "r");
	size = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	assert_true(size > 1000 && size < sizeof(whole));
	for (size_t cut = 0; cut <= size; cut++) {
		unsigned lines = 0;
		struct spool_state st;

		empty(b->dir);
		f = fopen(part, "w");
		fwrite(whole, 1, cut, f);
		fclose(f);
		for (size_t i = 0; i < cut; i++)
			lines += whole[i] == '\n';
		s = open_spool(b, 0);
		spool_state(s, &st);
		assert_int_equal(st.ignored, 0);
		assert_int_equal(st.cut, cut > 0 && whole[cut - 1] != '\n');
		assert_true((spool_note(s) != NULL) == (st.cut > 0));
		if (lines == 0) { /* not even the head: nothing was measured */
			none_waits(s);
			assert_false(is_there(b, strrchr(part, '/') + 1));
			heads++;
		} else {
			next_is(s, 0, &got);
			assert_int_equal(got.traces, lines < 4 ? lines - 1 : 3);
			assert_int_equal(got.done, got.traces);
			assert_int_equal(got.missed, 3 - got.done);
			assert_int_equal(got.why, got.missed ? ROUND_WHY_DOWN : ROUND_WHY_NONE);
			assert_int_equal(read_round(s, &got).traces, got.traces);
			if (lines < 5) {
				assert_int_equal(got.sent, 2 * got.traces);
				assert_int_equal(got.received, got.traces);
			}
			spool_taken(s, &got);
			none_waits(s);
		}
		spool_close(s);
	}
	assert_true(heads > 100);
}

static void a_damaged_line_is_missed_not_believed(void **state)
{
	const struct bed *b = *state;
	struct spool *s = open_spool(b, 0);
	struct round r = round_at(0, 0), got;
	struct spool_state st;
	char path[256], text[8192];
	size_t n;
	FILE *f;

	write_round(s, 0, 3);
	spool_close(s);
	snprintf(path, sizeof(path), "%s/%s.jsonl", b->dir, r.id);
	f = fopen(path, "r+");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fseek(f, strstr(text, "v-abc-1") - text, SEEK_SET);
	fwrite("\0\0\0", 1, 3, f); /* as a file system may after a power cut */
	fclose(f);
	s = open_spool(b, 0);
	next_is(s, 0, &got);
	assert_int_equal(got.traces, 2);
	assert_int_equal(got.done, 2);
	assert_int_equal(got.missed, 1);
	assert_int_equal(got.why, ROUND_WHY_SPOOL);
	assert_string_equal(read_round(s, &got).text, "v-abc-0 v-abc-2 ");
	spool_state(s, &st);
	assert_int_equal(st.damaged, 1);
	spool_close(s);
}

/* The disk takes so many bytes of a file and no more: half a line is on it, the rest in memory. */
static void set_file_limit(rlim_t bytes)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &l);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_disk_that_refuses_costs_nothing(void **state)
{
	static const rlim_t limits[] = {0, 100, 500, 700, 1000, 1500};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct spool *s = open_spool(*state, 0);
		struct round r = round_at(0, 4), got;
		struct spool_journal *j;
		struct spool_state st;
		struct bp_error err;

		set_file_limit(limits[i]);
		assert_int_equal(spool_begin(s, &r, &j, &err), 0);
		for (unsigned k = 0; k < 4; k++)
			assert_int_equal(put(j, &r, k), 0);
		r.done = r.traces = 4;
		assert_int_equal(spool_end(j, &r, &err), 0);
		spool_state(s, &st);
		assert_true(st.in_memory);
		assert_non_null(spool_note(s));
		assert_null(spool_note(s)); /* told once */
		next_is(s, 0, &got);
		assert_memory_equal(&got, &r, sizeof(r));
		assert_string_equal(read_round(s, &got).text, "v-abc-0 v-abc-1 v-abc-2 v-abc-3 ");
		/* It takes bytes again: what waits goes there with the next look. */
		set_file_limit(RLIM_INFINITY);
		next_is(s, 0, &got);
		assert_true(is_there(*state, "c-v-20261122T100000Z.jsonl"));
		assert_string_equal(read_round(s, &got).text, "v-abc-0 v-abc-1 v-abc-2 v-abc-3 ");
		spool_close(s);
		s = open_spool(*state, 0);
		next_is(s, 0, &got);
		assert_memory_equal(&got, &r, sizeof(r));
		assert_string_equal(read_round(s, &got).text, "v-abc-0 v-abc-1 v-abc-2 v-abc-3 ");
		assert_null(spool_note(s));
		spool_close(s);
		empty(((struct bed *)*state)->dir);
	}
}

static void all_of_it_is_bounded(void **state)
{
	struct spool *s = open_spool(*state, 64 << 10);
	struct spool_state st;
	struct bp_error err;
	struct round r;
	unsigned kept = 0, i;

	/* Kept journals make way for what waits. */
	for (i = 0; i < SPOOL_KEPT; i++) {
		assert_int_equal(write_round(s, i, 10), 10);
		next_is(s, i, &r);
		spool_taken(s, &r);
	}
	for (; i < 200; i++) {
		struct spool_journal *j;

		r = round_at(i, 10);
		if (spool_begin(s, &r, &j, &err) < 0)
			break;
		for (unsigned k = 0; k < 10; k++)
			kept += put(j, &r, k) == 0;
		assert_int_equal(spool_end(j, &r, &err), 0);
		spool_state(s, &st);
		assert_true(st.bytes <= (68 + 4) << 10);
	}
	assert_int_equal(err.code, BP_ERANGE);
	assert_true(i < 200 && kept >= 10 * 64 / 8);
	assert_non_null(strstr(spool_note(s), "full"));
	assert_null(spool_note(s));
	/* Each round taken makes room for another. */
	while (spool_next(s, &r, &err) == 0) {
		assert_true(read_round(s, &r).traces <= 10);
		spool_taken(s, &r);
	}
	assert_int_equal(write_round(s, 300, 10), 10);
	spool_close(s);
}

static void memory_is_bounded_too(void **state)
{
	struct spool_journal *j;
	struct spool_state st;
	struct bp_error err;
	struct round r = round_at(0, 100000);
	struct spool *s;
	char *big = malloc(1 << 20);
	unsigned kept = 0;

	(void)state;
	memset(big, ' ', 1 << 20);
	memcpy(big, "{\"type\":\"paths\"}", 16);
	assert_int_equal(spool_open("/dev/null/spool", 0, &s, &err), 0);
	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	while (spool_object(j, big, 1 << 20, &err) == 0)
		kept++;
	assert_int_equal(err.code, BP_ERANGE);
	assert_in_range(kept, 30, 31);
	r.missed = r.expected;
	assert_int_equal(spool_end(j, &r, &err), 0);
	next_is(s, 0, &r);
	assert_int_equal(read_round(s, &r).others, kept);
	spool_taken(s, &r);
	spool_state(s, &st);
	assert_int_equal(st.bytes, 0);
	spool_close(s);
	free(big);
}

static void files_of_others_are_left_alone(void **state)
{
	static const struct { const char *name, *text, *why; } rows[] = {
		{"notes.txt", "hello\n", "no name of ours"},
		{"c-v-1.jsonl.bak", "x\n", "nor this"},
		{".part", "", "no id"},
		{"a b.part", "", "a letter that no id has"},
		{"c-v-2.jsonl", "hello\n", "not JSON"},
		{"c-v-3.part", "hi", "cut, but not one of our heads"},
		{"c-v-4.jsonl", "", "whole, and empty"},
		{"c-v-5.jsonl", "{\"type\":\"trace\",\"hops\":[]}\n", "no round at its head"},
		{"c-v-6.jsonl",
		 "{\"type\":\"round\",\"id\":\"c-v-7\",\"planned\":\"2026-11-22T10:00:00Z\"}\n",
		 "another round's"},
		{"c-v-8.jsonl", "{\"type\":\"round\",\"id\":\"c-v-8\"}\n", "without its moment"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.part",
		 "", "longer than an id can be"},
	};
	const struct bed *b = *state;
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	struct spool_state st;
	struct spool *s;
	char path[256], to[256];
	unsigned notes = 0;
	struct stat before[16], after;

	for (size_t i = 0; i < n; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", b->dir, rows[i].name);
		f = fopen(path, "w");
		fwrite(rows[i].text, 1, strlen(rows[i].text), f);
		fclose(f);
		assert_int_equal(stat(path, &before[i]), 0);
	}
	snprintf(path, sizeof(path), "%s/c-v-10.jsonl", b->dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/c-v-11.jsonl", b->dir);
	mkfifo(path, 0600); /* opening it would wait for ever */
	snprintf(to, sizeof(to), "%s/notes.txt", b->dir);
	snprintf(path, sizeof(path), "%s/c-v-20261122T100000Z.part", b->dir);
	assert_int_equal(symlink(to, path), 0);
	s = open_spool(b, 0);
	spool_state(s, &st);
	assert_int_equal(st.ignored, n + 3);
	none_waits(s);
	while (spool_note(s) != NULL)
		notes++;
	assert_int_equal(notes, n + 3);
	/* Its own journal would have the symlink's name: it is not followed. */
	write_round(s, 0, 1);
	spool_close(s);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", b->dir, rows[i].name);
		if (stat(path, &after) < 0 || after.st_size != before[i].st_size ||
		    after.st_ino != before[i].st_ino)
			fail_msg("%s: touched (%s)", rows[i].name, rows[i].why);
	}
}

/* Its last line is spoilt behind the program's back: the others do not wait for it. */
static void a_round_that_cannot_be_read_is_put_aside(void **state)
{
	const struct bed *b = *state;
	struct spool *s = open_spool(b, 0);
	struct round r = round_at(0, 0);
	char path[256];
	FILE *f;

	write_round(s, 0, 1);
	write_round(s, 1, 1);
	snprintf(path, sizeof(path), "%s/%s.jsonl", b->dir, r.id);
	f = fopen(path, "r+");
	fseek(f, -20, SEEK_END);
	fputs("XXXXXXXXXX", f);
	fclose(f);
	next_is(s, 1, &r);
	assert_non_null(strstr(spool_note(s), "is damaged: put aside"));
	assert_true(is_there(b, "c-v-20261122T100000Z.refused"));
	spool_close(s);
}

static void what_no_store_takes_is_put_aside(void **state)
{
	struct spool *s = open_spool(*state, 0);
	struct round r;

	write_round(s, 0, 1);
	write_round(s, 1, 1);
	next_is(s, 0, &r);
	spool_refused(s, &r);
	next_is(s, 1, &r);
	assert_non_null(strstr(spool_note(s), "20261122T100000Z.refused"));
	assert_true(is_there(*state, "c-v-20261122T100000Z.refused"));
	spool_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_crash_at_every_byte),
		ROW(a_damaged_line_is_missed_not_believed),
		ROW(a_disk_that_refuses_costs_nothing),
		ROW(all_of_it_is_bounded),
		ROW(memory_is_bounded_too),
		ROW(files_of_others_are_left_alone),
		ROW(a_round_that_cannot_be_read_is_put_aside),
		ROW(what_no_store_takes_is_put_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
