// SPDX-License-Identifier: BSD-2-Clause
/*
 * The spool: a round's way from its head to kept, a crash at every byte, a disk that refuses,
 * bounds, and a directory with files of others in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/spool.h"

#define T0 INT64_C(1795341600) /* 2026-11-22T10:00:00Z */

struct bed { char dir[128]; };

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_spool.XXXXXX");
	*state = b;
	return mkdtemp(b->dir) == NULL;
}

static void empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	empty(b->dir);
	rmdir(b->dir);
	free(b);
	return 0;
}

static bool is_there(const struct bed *b, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return access(path, F_OK) == 0;
}

/* The i-th round of a quarter-hourly campaign. */
static struct round round_at(unsigned i, uint32_t expected)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), "v");
	r.planned.ns = (T0 + i * 900) * NS_PER_S;
	r.start.ns = r.planned.ns + NS_PER_S;
	r.expected = expected;
	round_set_id(&r);
	return r;
}

static struct trace *trace_of(const struct round *r, unsigned i)
{
	static const uint8_t to[4] = {192, 0, 2, 1};
	struct trace *t = trace_new(2);

	assert_non_null(t);
	snprintf(t->id, sizeof(t->id), "v-abc-%u", i);
	text_set(t->round, sizeof(t->round), r->id);
	text_set(t->vantage, sizeof(t->vantage), r->vantage);
	t->dst = addr_v4(to);
	t->method = METHOD_ICMP;
	t->start.ns = r->planned.ns + i * NS_PER_S;
	t->end.ns = t->start.ns + NS_PER_S / 2;
	t->sent = 2;
	t->received = 1;
	trace_entry_init(&t->entries[0], 1, 1);
	t->entries[0].why = WHY_NONE;
	t->entries[0].reply.from = addr_v4(to);
	t->entries[0].reply.rtt_ns = 1000000 + i;
	trace_entry_init(&t->entries[1], 2, 1);
	t->entries[1].why = WHY_TIMEOUT;
	t->entry_count = 2;
	t->size = (uint32_t)trace_size(2);
	return t;
}

static struct spool *open_spool(const struct bed *b, int64_t max)
{
	struct bp_error err;
	struct spool *s;

	if (spool_open(b->dir, max, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static int put(struct spool_journal *j, const struct round *r, unsigned i)
{
	struct trace *t = trace_of(r, i);
	struct bp_error err;
	int rc = spool_trace(j, t, NULL, NULL, &err);

	free(t);
	return rc;
}

/* A whole round with n traces; how many were kept. */
static unsigned write_round(struct spool *s, unsigned i, unsigned n)
{
	struct round r = round_at(i, n);
	struct spool_journal *j;
	struct bp_error err;

	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	for (unsigned k = 0; k < n; k++)
		r.done += put(j, &r, k) == 0;
	r.traces = r.done;
	r.missed = n - r.done;
	r.why = r.missed ? ROUND_WHY_SPOOL : ROUND_WHY_NONE;
	assert_int_equal(spool_end(j, &r, &err), 0);
	return r.done;
}

struct seen { unsigned traces, others; char text[2048]; };

static int see(void *arg, struct record *rec, struct bp_error *err)
{
	struct seen *seen = arg;

	(void)err;
	if (rec->kind != RECORD_TRACE) {
		seen->others++;
		return 0;
	}
	seen->traces++;
	snprintf(seen->text + strlen(seen->text), sizeof(seen->text) - strlen(seen->text), "%s ",
		 rec->trace->id);
	return 0;
}

static struct seen read_round(struct spool *s, const struct round *r)
{
	struct seen seen = {0};
	struct bp_error err;

	if (spool_read(s, r, see, &seen, &err) < 0)
		fail_msg("%s", err.text);
	return seen;
}

static void next_is(struct spool *s, unsigned i, struct round *r)
{
	struct round wanted = round_at(i, 0);
	struct bp_error err;
	int rc = spool_next(s, r, &err);

	if (rc < 0)
		fail_msg("round %u: %s", i, rc == BP_ENOTFOUND ? "none waits" : err.text);
	assert_string_equal(r->id, wanted.id);
}

static void none_waits(struct spool *s)
{
	struct bp_error err;
	struct round r;

	assert_int_equal(spool_next(s, &r, &err), BP_ENOTFOUND);
}

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
	assert_false(spool_newest(s, &newest));
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

#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_round_waits_until_the_store_has_it),
		ROW(the_oldest_comes_first_and_the_last_are_kept),
		ROW(a_round_is_here_once),
		ROW(a_crash_at_every_byte),
		ROW(several_flows_are_one_measurement),
		ROW(a_damaged_line_is_missed_not_believed),
		ROW(a_disk_that_refuses_costs_nothing),
		ROW(a_directory_that_is_not_there_yet),
		ROW(all_of_it_is_bounded),
		ROW(memory_is_bounded_too),
		ROW(two_processes_do_not_share_it),
		ROW(files_of_others_are_left_alone),
		ROW(a_round_that_cannot_be_read_is_put_aside),
		ROW(what_is_not_done_is_missed),
		ROW(what_no_store_takes_is_put_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
