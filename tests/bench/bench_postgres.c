// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store on a PostgreSQL server under the load of a fleet (tests/bench/sim_day.h): rounds of
 * vantage points, whole or in batches as a collector commits them; then read, grouped, measured.
 * Wall time throughout; what makes up the records is not counted.
 *
 * usage: bench_postgres URL VANTAGES ROUNDS SEED [BATCH]
 *	BATCH: traces in one transaction (default: a round)
 *	prints lines of tab-separated words: name value unit
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "campaign/store.h"
#include "tests/bench/sim_day.h"

struct bench {
	unsigned vantages, rounds, batch;
	uint64_t seed, traces, read;
	struct store *store;
	struct sim_trace sim;
	double spent;
};

static _Noreturn void die(const char *what, const struct bp_error *err)
{
	fprintf(stderr, "bench_postgres: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
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
	printf("%s\t%.5g\t%s\n", name, value, unit);
	fflush(stdout);
}

static void write_round(struct bench *b, unsigned vantage, unsigned slot)
{
	struct bp_error err = {0};
	struct round r;
	bool already = true;
	double from;
	int rc = 0;

	sim_round(&r, vantage, slot);
	for (unsigned i = 0; i < SIM_TARGETS; i++) {
		if (sim_make(&b->sim, b->seed, vantage, slot, i, &r) < 0)
			die("out of memory", NULL);
		from = now_s();
		if (i % b->batch == 0)
			rc = store_begin(b->store, &err);
		if (rc == 0)
			rc = store_add_trace(b->store, b->sim.t, &b->sim.names, &b->sim.verdict,
					     &err);
		if (rc == 0 && i + 1 == SIM_TARGETS)
			rc = store_add_round(b->store, &r, &already, &err);
		if (rc == 0 && ((i + 1) % b->batch == 0 || i + 1 == SIM_TARGETS))
			rc = store_commit(b->store, &err);
		b->spent += now_s() - from;
		if (rc < 0)
			die("a round", &err);
	}
	if (already)
		die("a round was there", NULL);
	b->traces += SIM_TARGETS;
}

static int count_record(void *arg, struct record *r, struct bp_error *err)
{
	uint64_t *n = arg;

	(void)err;
	*n += r->kind == RECORD_TRACE;
	return 0;
}

static int count_group(void *arg, const struct store_group *g, struct bp_error *err)
{
	uint64_t *n = arg;

	(void)err;
	*n += g->count;
	return 0;
}

static double ask(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);
	double v;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		die(PQerrorMessage(c), NULL);
	v = strtod(PQgetvalue(r, 0, 0), NULL);
	PQclear(r);
	return v;
}

static void tell_sizes(const struct bench *b, const char *url)
{
	PGconn *c = PQconnectdb(url);

	tell("bytes_a_trace",
	     ask(c, "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND"
		    " relnamespace = current_schema()::regnamespace") /
		     (double)b->traces,
	     "B");
	tell("of_it_traces",
	     ask(c, "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relname LIKE 'trace_2%'"
		    " AND relkind = 'r'") /
		     (double)b->traces,
	     "B");
	tell("of_it_their_indexes",
	     ask(c, "SELECT sum(pg_indexes_size(oid)) FROM pg_class WHERE relname LIKE 'trace_2%'"
		    " AND relkind = 'r'") /
		     (double)b->traces,
	     "B");
	tell("paths", ask(c, "SELECT count(*) FROM path"), "rows");
	tell("hops", ask(c, "SELECT count(*) FROM hop"), "rows");
	tell("verdicts", ask(c, "SELECT count(*) FROM verdict"), "rows");
	PQfinish(c);
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	struct bp_error err = {0};
	struct rusage used;
	double from;
	uint64_t n = 0;

	if (argc < 5)
		die("usage: bench_postgres URL VANTAGES ROUNDS SEED [BATCH]", NULL);
	b.vantages = (unsigned)strtoul(argv[2], NULL, 10);
	b.rounds = (unsigned)strtoul(argv[3], NULL, 10);
	b.seed = strtoull(argv[4], NULL, 10);
	b.sim.t = trace_new(SIM_HOPS);
	names_init(&b.sim.names);
	if (b.sim.t == NULL)
		die("out of memory", NULL);
	b.batch = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : SIM_TARGETS;
	if (store_open(argv[1], STORE_WRITE, &b.store, &err) < 0)
		die("opening", &err);
	for (unsigned slot = 0; slot < b.rounds; slot++) {
		for (unsigned v = 0; v < b.vantages; v++)
			write_round(&b, v, slot);
	}
	getrusage(RUSAGE_SELF, &used);
	tell("traces", (double)b.traces, "traces");
	tell("written", (double)b.traces / b.spent, "1/s");
	tell("memory", (double)used.ru_maxrss / 1024, "MB");
	store_close(b.store);
	tell_sizes(&b, argv[1]);
	if (store_open(argv[1], STORE_READ, &b.store, &err) < 0)
		die("opening", &err);
	from = now_s();
	if (store_read(b.store, NULL, count_record, &n, &err) < 0)
		die("reading", &err);
	tell("read", (double)n / (now_s() - from), "1/s");
	if (n != b.traces)
		die("not all came back", NULL);
	n = 0;
	from = now_s();
	if (store_groups(b.store, NULL, count_group, &n, &err) < 0)
		die("grouping", &err);
	tell("grouped", (double)n / (now_s() - from), "1/s");
	store_close(b.store);
	names_fini(&b.sim.names);
	free(b.sim.t);
	return 0;
}
