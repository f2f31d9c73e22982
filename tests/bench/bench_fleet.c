// SPDX-License-Identifier: BSD-2-Clause
/*
 * What agents would have measured, without a network: rounds of simulated vantage points
 * (tests/bench/sim_day.h) put into the spools of real agents, all at once (a backlog), or at a
 * pace.
 *
 * usage: bench_fleet DIR VANTAGES FIRST ROUNDS TRACES [TRACES_PER_SECOND]
 *	vantage point vNN has DIR/vNN/spool.db; slots FIRST to FIRST + ROUNDS - 1, of TRACES traces
 *	each; with a pace: so many a second of all of them together, in turn
 *	prints, in the end: traces, and the seconds it took
 * usage: bench_fleet --time COMMAND [ARG]...
 *	prints its seconds, its seconds of processor time, the most memory it had, in MB, and how it
 *	left
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "campaign/store.h"
#include "core/clock.h"
#include "tests/bench/sim_day.h"

enum { VANTAGES_MAX = 64, SEED = 20261122 };

struct bench {
	struct store *stores[VANTAGES_MAX];
	struct sim_trace sim;
	unsigned vantages, traces;
	int64_t shift_ns;
};

/* A collector takes nothing that is far from now: slot 0 is one or two months ago. */
static int64_t shift_ns(void)
{
	const int64_t month = 30 * 86400 * NS_PER_S;

	return (wall_now().ns - SIM_START * NS_PER_S) / month * month - 2 * month;
}

static _Noreturn void die(const char *what, const struct bp_error *err)
{
	fprintf(stderr, "bench_fleet: %s%s%s\n", what, err ? ": " : "", err ? err->text : "");
	exit(1);
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || v < least || v > most)
		die(text, NULL);
	return (unsigned)v;
}

static void open_store(struct bench *b, const char *dir, unsigned vantage)
{
	struct bp_error err;
	char path[512];

	snprintf(path, sizeof(path), "%s/v%02u", dir, vantage);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/v%02u/spool.db", dir, vantage);
	if (store_open(path, STORE_WRITE, &b->stores[vantage], &err) < 0)
		die("a spool", &err);
}

/* As the daemon commits it. An agent that drops what the centre has may be in the way. */
static int try_round(struct bench *b, unsigned vantage, unsigned slot, struct bp_error *err)
{
	struct store *s = b->stores[vantage];
	struct round r;
	bool already;
	int rc = store_begin(s, err);

	sim_round(&r, vantage, slot);
	r.planned.ns += b->shift_ns;
	r.start.ns += b->shift_ns;
	r.end.ns += b->shift_ns;
	round_set_id(&r);
	r.expected = r.done = r.traces = b->traces;
	for (unsigned i = 0; i < b->traces && rc == 0; i++) {
		if (sim_make(&b->sim, SEED, vantage, slot, i, &r) < 0)
			die("out of memory", NULL);
		rc = store_add_trace(s, b->sim.t, &b->sim.names, &b->sim.verdict, err);
	}
	if (rc == 0)
		rc = store_add_round(s, &r, &already, err);
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0)
		store_undo(s);
	return rc;
}

static void put_round(struct bench *b, unsigned vantage, unsigned slot)
{
	struct bp_error err;
	int rc;

	do {
		rc = try_round(b, vantage, slot, &err);
	} while (rc == BP_EAGAIN);
	if (rc < 0)
		die("a round", &err);
}

static void wait_until(struct mono when)
{
	struct timespec t = {.tv_sec = when.ns / NS_PER_S, .tv_nsec = when.ns % NS_PER_S};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int time_command(char **argv)
{
	struct mono from = mono_now();
	struct rusage used;
	int status;
	pid_t child = fork();

	if (child == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child)
		die(argv[0], NULL);
	printf("%.2f %.2f %.0f %d\n", (double)mono_since(mono_now(), from) / 1e9,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
	       (double)used.ru_maxrss / 1024, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = {.shift_ns = shift_ns()};
	struct mono from;
	unsigned first, rounds, pace;
	uint64_t traces = 0;

	if (argc > 2 && strcmp(argv[1], "--time") == 0)
		return time_command(argv + 2);
	if (argc < 6)
		die("DIR VANTAGES FIRST ROUNDS TRACES [TRACES_PER_SECOND]", NULL);
	b.vantages = number(argv[2], 1, VANTAGES_MAX);
	first = number(argv[3], 0, 1000000);
	rounds = number(argv[4], 1, 1000000);
	b.traces = number(argv[5], 1, SIM_TARGETS);
	pace = argc > 6 ? number(argv[6], 1, 1000000) : 0;
	b.sim.t = trace_new(SIM_HOPS);
	names_init(&b.sim.names);
	if (b.sim.t == NULL)
		die("out of memory", NULL);
	mkdir(argv[1], 0700);
	for (unsigned v = 0; v < b.vantages; v++)
		open_store(&b, argv[1], v);
	from = mono_now();
	for (unsigned slot = first; slot < first + rounds; slot++) {
		for (unsigned v = 0; v < b.vantages; v++) {
			if (pace > 0)
				wait_until(mono_add(from, (int64_t)((double)traces / pace * 1e9)));
			put_round(&b, v, slot);
			traces += b.traces;
		}
	}
	printf("%llu %.1f\n", (unsigned long long)traces,
	       (double)mono_since(mono_now(), from) / 1e9);
	for (unsigned v = 0; v < b.vantages; v++)
		store_close(b.stores[v]);
	names_fini(&b.sim.names);
	free(b.sim.t);
	return 0;
}
