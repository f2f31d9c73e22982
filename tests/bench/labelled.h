// SPDX-License-Identifier: BSD-2-Clause
/*
 * Labelled series, and how well detections match the labels: one to one, within two points. Every
 * second file by name is the part that parameters were chosen on, the others only tell.
 */
#ifndef BENCH_LABELLED_H
#define BENCH_LABELLED_H

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/csvread.h"
#include "core/record/samples.h"

enum { LABELS_NEAR = 2, LABELS_SUSTAINED = 8, LABELLED_MAX = 128 };
enum part { PART_TRAIN, PART_TEST, PART_COUNT };

struct labelled {
	int number;          /* of the file's name */
	enum part part;
	struct samples series;
	size_t *labels, label_count;  /* points, in order */
};

struct corpus { struct labelled files[LABELLED_MAX]; size_t count, points; };

static _Noreturn inline void die(const char *what)
{
	fprintf(stderr, "labelled series: %s\n", what);
	exit(1);
}

static inline void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		die("out of memory");
	return p;
}

/* --- the labels ------------------------------------------------------------------------------- */

static inline void read_labels(const char *path, struct labelled *l)
{
	FILE *f = fopen(path, "re");
	static const char *const names[] = {"cp", NULL};
	struct csv_reader csv;
	struct bp_error err;
	size_t row = 0;
	int cp;

	if (f == NULL)
		die(path);
	l->labels = must_alloc(l->series.count, sizeof(*l->labels));
	csv_reader_init(&csv, f, path);
	if (csv_read(&csv, &err) < 0 || (cp = csv_column(&csv, names)) < 0)
		die("no column cp");
	for (; csv_read(&csv, &err) == 0; row++) {
		if (strtod(csv.fields[cp], NULL) > 0)
			l->labels[l->label_count++] = row;
	}
	if (row != l->series.count)
		die("rows that are no points");
	csv_reader_fini(&csv);
	fclose(f);
}

static inline void read_corpus(const char *dir, const char *kind, struct corpus *c)
{
	struct samples_options options = {.unit = SAMPLES_MS};
	char pattern[512];
	glob_t files;

	snprintf(pattern, sizeof(pattern), "%s/%s/*.csv", dir, kind);
	if (glob(pattern, 0, NULL, &files) != 0)
		die("no such files");
	for (size_t i = 0; i < files.gl_pathc && i < LABELLED_MAX; i++) {
		struct labelled *l = &c->files[c->count++];
		const char *name = strrchr(files.gl_pathv[i], '/') + 1;
		FILE *f = fopen(files.gl_pathv[i], "re");
		struct bp_error err;

		if (f == NULL || samples_read(f, name, &options, &l->series, &err) < 0)
			die(f == NULL ? name : err.text);
		fclose(f);
		l->number = (int)strtol(name, NULL, 10);
		l->part = i % 2 == 0 ? PART_TRAIN : PART_TEST;
		c->points += l->series.count;
		read_labels(files.gl_pathv[i], l);
	}
	globfree(&files);
}

/* --- the score -------------------------------------------------------------------------------- */

struct score { size_t hits, false_alarms, missed; };

static inline bool is_sustained(const struct labelled *l, size_t i)
{
	size_t before = i > 0 ? l->labels[i - 1] : 0;
	size_t after = i + 1 < l->label_count ? l->labels[i + 1] : l->series.count;

	return l->labels[i] - before >= LABELS_SUSTAINED &&
	       after - l->labels[i] >= LABELS_SUSTAINED;
}

/* One to one, the earliest first, which no other matching beats where all may lie equally far off.
 * Labels of the kind looked for come first; a detection at another label is neither right nor
 * wrong. */
static inline void match(const struct labelled *l, const size_t *found, size_t count,
			 bool sustained, struct score *score)
{
	bool *used = must_alloc(count, sizeof(*used));

	for (unsigned pass = 0; pass < 2; pass++) {
		size_t j = 0;

		for (size_t i = 0; i < l->label_count; i++) {
			bool wanted = !sustained || is_sustained(l, i);
			size_t k;

			if (wanted != (pass == 0))
				continue;
			while (j < count && found[j] + LABELS_NEAR < l->labels[i])
				j++;
			for (k = j; k < count && used[k] && found[k] <= l->labels[i] + LABELS_NEAR;)
				k++;
			if (k < count && !used[k] && found[k] <= l->labels[i] + LABELS_NEAR) {
				used[k] = true;
				score->hits += pass == 0;
			} else {
				score->missed += pass == 0;
			}
		}
	}
	for (size_t k = 0; k < count; k++)
		score->false_alarms += !used[k];
	free(used);
}

static inline double score_precision(const struct score *s)
{
	size_t found = s->hits + s->false_alarms;

	return found > 0 ? (double)s->hits / (double)found : 0;
}

static inline double score_recall(const struct score *s)
{
	size_t all = s->hits + s->missed;

	return all > 0 ? (double)s->hits / (double)all : 0;
}

/* beta 1 or 2: how many times recall counts. */
static inline double score_f(const struct score *s, double beta)
{
	double p = score_precision(s), r = score_recall(s);

	return p + r > 0 ? (1 + beta * beta) * p * r / (beta * beta * p + r) : 0;
}

#endif
