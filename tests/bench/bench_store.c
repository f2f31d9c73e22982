// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store under the load of a fleet: writes simulated days round by round, as the daemon does,
 * and asks what reports and diffs ask. Wall time throughout; what makes up the records is not
 * counted. Cold: the store's pages are dropped from the page cache, and it is opened anew.
 *
 * DAYS 0: writes nothing, asks the store of one day that is there.
 *
 * usage: bench_store DIR VANTAGES DAYS SEED | --sqlite (the version of the library)
 *	prints lines of tab-separated words: name value unit
 */
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "campaign/store.h"
#include "core/record/flat.h"
#include "tests/bench/sim_day.h"

struct bench {
	char path[512];
	unsigned vantages, days;
	uint64_t seed, traces;
	struct store *store;
	struct sim_trace sim;
	double written_s;
};

static _Noreturn void die(const char *what, const struct bp_error *err)
{
	fprintf(stderr, "bench_store: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(const char *name, double value, const char *unit)
{
	printf("%s\t%.4g\t%s\n", name, value, unit);
	fflush(stdout);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_round(struct bench *b, unsigned vantage, unsigned slot, double *spent)
{
	struct bp_error err = {0};
	struct round r;
	bool already = true;
	double from = now_s();
	int rc = store_begin(b->store, &err);

	sim_round(&r, vantage, slot);
	*spent += now_s() - from;
	for (unsigned i = 0; i < SIM_TARGETS && rc == 0; i++) {
		/* Rounds end out of order a little. */
		if (sim_make(&b->sim, b->seed, vantage, slot, i ^ 3, &r) < 0)
			die("out of memory", NULL);
		from = now_s();
		rc = store_add_trace(b->store, b->sim.t, &b->sim.names, &b->sim.verdict, &err);
		*spent += now_s() - from;
	}
	from = now_s();
	if (rc == 0)
		rc = store_add_round(b->store, &r, &already, &err);
	if (rc == 0)
		rc = store_commit(b->store, &err);
	*spent += now_s() - from;
	if (rc < 0 || already)
		die("a round", &err);
	b->traces += SIM_TARGETS;
}

static double write_day(struct bench *b, unsigned day)
{
	double spent = 0;

	for (unsigned slot = 0; slot < SIM_ROUNDS; slot++) {
		for (unsigned v = 0; v < b->vantages; v++)
			write_round(b, v, day * SIM_ROUNDS + slot, &spent);
	}
	return spent;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void drop_pages(const struct bench *b)
{
	static const char *const ends[] = {"", "-wal"};
	char path[600];

	for (unsigned i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s%s", b->path, ends[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
}

static void reopen(struct bench *b, bool cold)
{
	struct bp_error err = {0};

	store_close(b->store);
	if (cold)
		drop_pages(b);
	if (store_open(b->path, STORE_READ, &b->store, &err) < 0)
		die("opening", &err);
}

struct counts {
	uint64_t groups, traces, rtts;
};

static int count_group(void *arg, const struct store_group *g, struct bp_error *err)
{
	struct counts *c = arg;

	(void)err;
	c->groups++;
	c->traces += g->count;
	c->rtts += g->rtt_count;
	return 0;
}

/* Two half hours over all vantage points, the last of the last day. */
static double groups_of_windows(struct bench *b, struct counts *c)
{
	struct bp_error err = {0};
	double from = now_s();

	for (unsigned side = 0; side < 2; side++) {
		int64_t end = SIM_START + (int64_t)(b->days - 1) * 86400 + 43200 + side * 1800;
		struct store_select select = {.since = {(end - 1800) * NS_PER_S},
					      .until = {end * NS_PER_S}};

		if (store_groups(b->store, &select, count_group, c, &err) < 0)
			die("groups", &err);
	}
	return now_s() - from;
}

/* As doc/store.md has it, for the plain program too. */
static const char hours_sql[] =
	"SELECT hour_us, border, sum(traces) FROM tally WHERE vantage = (SELECT id FROM text WHERE"
	" text = 'v00') AND hour_us >= ?1 AND hour_us < ?2 GROUP BY 1, 2";

static double hours_of_vantage(struct bench *b, bool cold, uint64_t *traces)
{
	int64_t day_us = (SIM_START + (int64_t)(b->days - 1) * 86400) * 1000000;
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	double from;

	if (cold)
		drop_pages(b);
	from = now_s();
	if (sqlite3_open_v2(b->path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, hours_sql, -1, &st, NULL) != SQLITE_OK)
		die(sqlite3_errmsg(db), NULL);
	sqlite3_bind_int64(st, 1, day_us);
	sqlite3_bind_int64(st, 2, day_us + INT64_C(86400) * 1000000);
	*traces = 0;
	while (sqlite3_step(st) == SQLITE_ROW)
		*traces += (uint64_t)sqlite3_column_int64(st, 2);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return now_s() - from;
}

/* The program itself, as people run it; `want` is how it leaves. */
static void time_program(const struct bench *b, const char *name, const char *const words[],
			 bool cold, int want)
{
	char *argv[24], what[64];
	struct rusage used;
	double from;
	int status, n = 0;
	pid_t child;

	for (; words[n] != NULL && n < 23; n++)
		argv[n] = (char *)(uintptr_t)words[n];
	argv[n] = NULL;
	if (cold)
		drop_pages(b);
	from = now_s();
	child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != want)
		die(name, NULL);
	tell(name, now_s() - from, "s");
	snprintf(what, sizeof(what), "%s_cpu", name);
	tell(what,
	     (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
	     "s");
	snprintf(what, sizeof(what), "%s_rss", name);
	tell(what, (double)used.ru_maxrss / 1024, "MB");
}

/* So many seconds into the last day. */
static const char *moment(const struct bench *b, int64_t s, char out[static 32])
{
	time_t t = (time_t)(SIM_START + (int64_t)(b->days - 1) * 86400 + s);
	struct tm tm;

	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	return out;
}

/* `span` before and after the noon of the last day. */
static void diff_of_windows(const struct bench *b, const char *program, const char *name,
			    const char *span, bool cold)
{
	char noon[32];

	/* 1: it has changed, which it has. */
	time_program(b, name,
		     (const char *const[]){program, "diff", "--quiet", "--store", b->path, "--at",
					   moment(b, 43200, noon), "--before", span, "--after",
					   span, "-o", "/dev/null", NULL},
		     cold, 1);
}

static double file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static void page_of_day(const struct bench *b, const char *program)
{
	char since[32], until[32], page[600];

	snprintf(page, sizeof(page), "%s.html", b->path);
	time_program(b, "page_day",
		     (const char *const[]){program, "report", "--quiet", "--store", b->path,
					   "--since", moment(b, 0, since), "--until",
					   moment(b, 86400, until), "--format", "html", "-o", page,
					   NULL},
		     true, 0);
	tell("page_bytes", file_size(page), "B");
	unlink(page);
}

struct export
{
	struct buf out;
	uint64_t records, bytes;
};

static int export_record(void *arg, struct record *r, struct bp_error *err)
{
	struct export *e = arg;

	(void)err;
	buf_clear(&e->out);
	if (jsonl_write_record(&e->out, r, NULL, NULL) < 0)
		return BP_ENOMEM;
	e->records++;
	e->bytes += e->out.used;
	return 0;
}

static void export_hours(struct bench *b)
{
	int64_t day = SIM_START + (int64_t)(b->days - 1) * 86400;
	struct store_select select = {.since = {day * NS_PER_S},
				      .until = {(day + (b->vantages > 10 ? 3600 : 14400)) *
						NS_PER_S}};
	struct export e = {0};
	struct bp_error err = {0};
	double from = now_s(), spent;

	if (store_read(b->store, &select, export_record, &e, &err) < 0)
		die("reading", &err);
	spent = now_s() - from;
	buf_fini(&e.out);
	tell("jsonl_traces", (double)e.records, "records");
	tell("jsonl_rate", (double)e.records / spent, "1/s");
	tell("jsonl_bytes", (double)e.bytes / (double)e.records, "B");
}

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of one vantage point's day, made again: how many path hashes there are, of how many traces. */
static double distinct_share(struct bench *b)
{
	const unsigned n = SIM_ROUNDS * SIM_TARGETS;
	uint64_t *hashes = malloc(n * sizeof(*hashes));
	unsigned distinct = 0;
	struct round r;

	if (hashes == NULL)
		die("out of memory", NULL);
	for (unsigned slot = 0, k = 0; slot < SIM_ROUNDS; slot++) {
		sim_round(&r, 0, slot);
		for (unsigned i = 0; i < SIM_TARGETS; i++) {
			struct flat_trace f;

			sim_make(&b->sim, b->seed, 0, slot, i, &r);
			flat_trace(b->sim.t, NULL, &f);
			hashes[k++] = f.path_hash;
		}
	}
	qsort(hashes, n, sizeof(*hashes), compare_hashes);
	for (unsigned i = 0; i < n; i++)
		distinct += i == 0 || hashes[i] != hashes[i - 1];
	free(hashes);
	return 100.0 * distinct / n;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	struct bp_error err = {0};
	struct counts c = {0}, again = {0};
	char name[480], program[512];
	uint64_t traces = 0;
	double last = 0;

	if (argc == 2 && strcmp(argv[1], "--sqlite") == 0) {
		printf("%s\n", sqlite3_libversion());
		return 0;
	}
	if (argc != 5) {
		fprintf(stderr, "usage: bench_store DIR VANTAGES DAYS SEED\n");
		return 2;
	}
	snprintf(b.path, sizeof(b.path), "%s/bench.db", argv[1]);
	b.vantages = (unsigned)atoi(argv[2]);
	b.days = (unsigned)atoi(argv[3]);
	b.seed = (uint64_t)atoll(argv[4]);
	b.sim.t = trace_new(SIM_HOPS);
	names_init(&b.sim.names);
	if (b.sim.t == NULL || store_open(b.path, STORE_WRITE, &b.store, &err) < 0)
		die("opening", &err);
	for (unsigned day = 0; day < b.days; day++) {
		last = write_day(&b, day);
		b.written_s += last;
	}
	if (b.days == 0) {
		b.days = 1;
		b.traces = b.vantages * SIM_ROUNDS * SIM_TARGETS;
	}
	tell("traces", (double)b.traces, "traces");
	tell("distinct_paths", distinct_share(&b), "%");
	tell("write_rate", (double)b.traces / b.written_s, "1/s");
	tell("write_rate_last_day", (double)b.traces / b.days / last, "1/s");
	/* The last one to close it puts the log into the file. */
	store_close(b.store);
	b.store = NULL;
	tell("bytes_a_trace", file_size(b.path) / (double)b.traces, "B");
	tell("hours_cold", hours_of_vantage(&b, true, &traces), "s");
	tell("hours_warm", hours_of_vantage(&b, false, &traces), "s");
	tell("hours_traces", (double)traces, "traces");
	reopen(&b, true);
	tell("groups_cold", groups_of_windows(&b, &c), "s");
	tell("groups_warm", groups_of_windows(&b, &again), "s");
	tell("groups", (double)c.groups, "groups");
	tell("groups_traces", (double)c.traces, "traces");
	store_close(b.store);
	b.store = NULL;
	snprintf(name, sizeof(name), "%s", argv[0]);
	snprintf(program, sizeof(program), "%s/../../borderpath", dirname(name));
	diff_of_windows(&b, program, "diff_cold", "30m", true);
	diff_of_windows(&b, program, "diff_warm", "30m", false);
	diff_of_windows(&b, program, "diff_day", "12h", true);
	page_of_day(&b, program);
	reopen(&b, true);
	export_hours(&b);
	store_close(b.store);
	names_fini(&b.sim.names);
	free(b.sim.t);
	return 0;
}
