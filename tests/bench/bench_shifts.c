// SPDX-License-Identifier: BSD-2-Clause
/*
 * How often the shift detector is right: on labelled series (matched one to one within two points)
 * beside a median step, and on simulated months with and without a step; and how fast it is.
 *
 * usage: bench_shifts DIR, with real/ and artificial/ of CSV files with the columns epoch, rtt, cp
 *	prints tables of markdown
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analysis/diff_stats.h"
#include "analysis/shift.h"
#include "tests/bench/figure.h"
#include "tests/bench/labelled.h"
#include "tests/bench/sim_delays.h"

enum { HALF = 6, STATIONARY = 13864 };

/* --- detectors -------------------------------------------------------------------------------- */

static struct shift_scratch *scratch;

/* Fills found (room for all points) with where new levels begin, in order. */
typedef size_t detector(const struct samples *s, size_t *found);

static size_t detect(enum shift_setting setting, const struct samples *s, size_t *found)
{
	struct shift_list list = {0};
	size_t n;

	if (shift_detect(scratch, setting, s->at, s->rtt_ns, s->count, &list) < 0)
		die("out of memory");
	for (n = 0; n < list.count; n++)
		found[n] = list.items[n].index;
	shift_list_fini(&list);
	return n;
}

static size_t by_default(const struct samples *s, size_t *found)
{
	return detect(SHIFT_SUSTAINED, s, found);
}

static size_t sensitive(const struct samples *s, size_t *found)
{
	return detect(SHIFT_SENSITIVE, s, found);
}

static int64_t median_of(const int64_t *x, size_t n, int64_t *room)
{
	memcpy(room, x, n * sizeof(*x));
	return rtt_kth(room, n, n / 2);
}

/* The median of six points against that of six before: over 2 ms and three times their spread, at
 * the place where it is largest. What one writes in ten minutes. */
static size_t median_step(const struct samples *s, size_t *found)
{
	int64_t *x = must_alloc(s->count, sizeof(*x)), room[2 * HALF], best = 0;
	size_t *row = must_alloc(s->count, sizeof(*row)), n = 0, count = 0, at = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->rtt_ns[i] >= 0) {
			row[n] = i;
			x[n++] = s->rtt_ns[i];
		}
	}
	for (size_t i = HALF; i + HALF <= n; i++) {
		int64_t before = median_of(x + i - HALF, HALF, room);
		int64_t after = median_of(x + i, HALF, room), step = llabs(after - before), spread;

		for (size_t k = 0; k < HALF; k++) {
			room[k] = llabs(x[i - HALF + k] - before);
			room[HALF + k] = llabs(x[i + k] - after);
		}
		spread = (int64_t)(3 * 1.4826 * (double)rtt_kth(room, 2 * HALF, HALF));
		if (step <= 2 * NS_PER_MS || step <= spread)
			step = 0;
		if (best > 0 && i > at + HALF) {
			found[count++] = row[at];
			best = 0;
		}
		if (step > best) {
			best = step;
			at = i;
		}
	}
	if (best > 0)
		found[count++] = row[at];
	free(x);
	free(row);
	return count;
}

/* --- labels ----------------------------------------------------------------------------------- */

struct result { struct score parts[PART_COUNT]; size_t stationary; double ms; };

static struct result measure(const struct corpus *c, detector *d, bool sustained)
{
	struct result r = {0};
	int64_t spent = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct labelled *l = &c->files[i];
		size_t *found = must_alloc(l->series.count, sizeof(*found)), n;
		int64_t from = figure_ns();

		n = d(&l->series, found);
		spent += figure_ns() - from;
		match(l, found, n, sustained, &r.parts[l->part]);
		if (l->number == STATIONARY)
			r.stationary = n;
		free(found);
	}
	r.ms = (double)spent / 1e6 / ((double)c->points / 1000);
	return r;
}

static void tell_score(const struct score *s)
{
	printf(" %.3f | %.3f | %.3f | %.3f |", score_precision(s), score_recall(s), score_f(s, 1),
	       score_f(s, 2));
}

static void tell(const char *kind, const char *name, const struct result *r)
{
	static const char *const parts[] = {"chosen on", "reported"};
	struct score all = {0};

	for (int p = PART_TRAIN; p < PART_COUNT; p++) {
		printf("| %s | %s | %s |", name, kind, parts[p]);
		tell_score(&r->parts[p]);
		printf("\n");
		all.hits += r->parts[p].hits;
		all.false_alarms += r->parts[p].false_alarms;
		all.missed += r->parts[p].missed;
	}
	printf("| %s | %s | all |", name, kind);
	tell_score(&all);
	printf("\n");
}

static void labelled_tables(const char *dir)
{
	static const struct { const char *name; detector *d; bool sustained; } rows[] = {
		{"default, sustained", by_default, true},
		{"median step, sustained", median_step, true},
		{"sensitive, all labels", sensitive, false},
		{"median step, all labels", median_step, false},
	};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static struct corpus real, artificial;
	struct result r[ROWS];

	read_corpus(dir, "real", &real);
	read_corpus(dir, "artificial", &artificial);
	printf("| detector, labels | series | part | precision | recall | F1 | F2 |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < ROWS; i++) {
		struct result a = measure(&artificial, rows[i].d, rows[i].sustained);

		r[i] = measure(&real, rows[i].d, rows[i].sustained);
		tell("real", rows[i].name, &r[i]);
		tell("artificial", rows[i].name, &a);
	}
	printf("\n| detector | alarms on the stationary %d | ms a 1,000 points (processor time) |\n"
	       "|---|---|---|\n", STATIONARY);
	for (unsigned i = 0; i < ROWS - 1; i++)
		printf("| %.*s | %zu | %.3f |\n", (int)strcspn(rows[i].name, ","), rows[i].name,
		       r[i].stationary, r[i].ms);
}

/* --- months ----------------------------------------------------------------------------------- */

enum { MONTHS = 40, STEP_AT = 1500 };

static size_t shifts_of(enum shift_setting setting, struct sim_delays *sim, struct shift_list *list)
{
	shift_list_clear(list);
	if (shift_detect(scratch, setting, sim->at, sim->rtt_ns, SIM_DELAYS, list) < 0)
		die("out of memory");
	return list->count;
}

/* Of the months, how many tell a step of so many ms within two points. */
static unsigned steps_found(unsigned kind, double step_ms, struct sim_delays *sim,
			    struct shift_list *list)
{
	unsigned found = 0;

	for (uint64_t seed = 1; seed <= MONTHS; seed++) {
		sim_delays(sim, kind, seed, STEP_AT, step_ms);
		for (size_t i = 0, n = shifts_of(SHIFT_SUSTAINED, sim, list); i < n; i++) {
			if (llabs((int64_t)list->items[i].index - STEP_AT) <= LABELS_NEAR) {
				found++;
				break;
			}
		}
	}
	return found;
}

static void month_table(void)
{
	static struct sim_delays sim;
	struct shift_list list = {0};

	printf("\n| a month of nothing, %d of each | shifts a month, default (most) | sensitive | "
	       "a step of 5 ms found | of 10 ms | of 30 ms |\n|---|---|---|---|---|---|\n", MONTHS);
	for (unsigned kind = 0; sim_delays_kinds[kind] != NULL; kind++) {
		size_t all[2] = {0}, most[2] = {0};

		for (uint64_t seed = 1; seed <= MONTHS; seed++) {
			sim_delays(&sim, kind, seed, 0, 0);
			for (int i = 0; i < 2; i++) {
				size_t n = shifts_of((enum shift_setting)i, &sim, &list);

				all[i] += n;
				most[i] = n > most[i] ? n : most[i];
			}
		}
		printf("| %s | %.2f (%zu) | %.2f (%zu) |", sim_delays_kinds[kind],
		       (double)all[0] / MONTHS, most[0], (double)all[1] / MONTHS, most[1]);
		for (unsigned i = 0; i < 3; i++)
			printf(" %.0f %% |", 100. / MONTHS *
			       steps_found(kind, (const double[]){5, 10, 30}[i], &sim, &list));
		printf("\n");
	}
	shift_list_fini(&list);
}

/* --- many series ------------------------------------------------------------------------------ */

enum { SERIES = 100000, POINTS = 1000, PROCESSES = 2, BATCH = 500 };

struct batch { struct wall at[BATCH][POINTS]; int64_t rtt_ns[BATCH][POINTS]; };

static double wall_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each of its own seed; a step in the middle of every second one. */
static void make_up(struct batch *b, unsigned first, unsigned kinds)
{
	static struct sim_delays sim;

	for (unsigned i = 0; i < BATCH; i++) {
		unsigned n = first + i;

		sim_delays(&sim, n % kinds, MONTHS + 1 + n, POINTS / 2,
			   n / kinds % 2 == 0 ? 20 : 0);
		memcpy(b->at[i], sim.at, sizeof(b->at[i]));
		memcpy(b->rtt_ns[i], sim.rtt_ns, sizeof(b->rtt_ns[i]));
	}
}

/* What the detector took, by the clock on the wall and of the processor; shifts that it found. */
struct share { double wall_s, cpu_s; uint64_t found; };

/* In a process of its own. */
static struct share half_of_them(unsigned half)
{
	struct batch *b = must_alloc(1, sizeof(*b));
	struct shift_list list = {0};
	struct share r = {0};
	unsigned kinds = 0;

	while (sim_delays_kinds[kinds] != NULL)
		kinds++;
	for (unsigned n = 0; n < SERIES / PROCESSES; n += BATCH) {
		double from;
		int64_t cpu;

		make_up(b, half * (SERIES / PROCESSES) + n, kinds);
		from = wall_s();
		cpu = figure_ns();
		for (unsigned i = 0; i < BATCH; i++) {
			shift_list_clear(&list);
			if (shift_detect(scratch, SHIFT_SUSTAINED, b->at[i], b->rtt_ns[i], POINTS,
					 &list) < 0)
				die("out of memory");
			r.found += list.count;
		}
		r.wall_s += wall_s() - from;
		r.cpu_s += (double)(figure_ns() - cpu) / 1e9;
	}
	shift_list_fini(&list);
	free(b);
	return r;
}

static void many_series(void)
{
	struct share all = {0}, r;
	int ends[PROCESSES][2];
	double from = wall_s();

	fflush(stdout);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pid_t pid = pipe(ends[i]) == 0 ? fork() : -1;

		if (pid < 0)
			die("no process");
		if (pid == 0) {
			r = half_of_them(i);
			_exit(write(ends[i][1], &r, sizeof(r)) != sizeof(r));
		}
		close(ends[i][1]);
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		if (read(ends[i][0], &r, sizeof(r)) != sizeof(r) || wait(NULL) < 0)
			die("a process ended early");
		close(ends[i][0]);
		all.found += r.found;
		all.cpu_s += r.cpu_s;
		all.wall_s = r.wall_s > all.wall_s ? r.wall_s : all.wall_s;
	}
	printf("\n%d series of %d points, each another, in %d processes side by side: %.1f s by the\n"
	       "clock (%.1f s with making them up), %.1f s of the processor; %.2f shifts a series, half of\n"
	       "which have a step.\n", SERIES, POINTS, PROCESSES, all.wall_s, wall_s() - from,
	       all.cpu_s, (double)all.found / SERIES);
}

int main(int argc, char **argv)
{
	scratch = shift_scratch_new();
	if (scratch == NULL)
		die("out of memory");
	if (argc > 1)
		labelled_tables(argv[1]);
	month_table();
	many_series();
	shift_scratch_free(scratch);
	return 0;
}
