// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vantage points are dealt to two threads, which have connections, a judge and a set of their own:
 * nothing but the processor bounds them, since a diff reads each trace once and judges each way.
 * On two cores, 50 vantage points: two half hours (205,000 traces) take 0.5 s instead of 0.7 s, two
 * half days (4.9 million) 5.1 s instead of 8.2 s.
 */
#include "cli/diff_stores.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"

enum { WORKERS = 2 };

/* One thread's. */
struct worker {
	struct diff_stores *all;
	struct judge_pass own, *pass; /* the first one's is the caller's */
	struct store **stores;        /* owned, as is what they point to: one a source */
	struct diff_store **sources;  /* likewise */
	uint64_t traces;
	unsigned failed_at;           /* which part, when rc is negative */
	int rc;
	struct bp_error err;
};

struct diff_stores {
	unsigned most, count;
	struct diff_windows *windows; /* owned: of each store */
	struct worker workers[WORKERS];
	unsigned worker_count;
	/* of a comparison */
	bool targets;
	char (*vantages)[TRACE_VANTAGE_TEXT]; /* owned */
	unsigned vantage_count, vantage_room;
	struct diff *parts;           /* owned: of their rounds, then one a vantage point */
	atomic_uint next;             /* part to be made */
	atomic_bool failed;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

/* --- workers ---------------------------------------------------------------------------------- */

static int worker_init(struct worker *w, struct diff_stores *s)
{
	w->all = s;
	w->stores = calloc(s->most + 1, sizeof(struct store *));
	w->sources = calloc(s->most + 1, sizeof(struct diff_store *));
	return w->stores != NULL && w->sources != NULL ? 0 : BP_ENOMEM;
}

static void worker_fini(struct worker *w)
{
	for (unsigned i = 0; w->all != NULL && i < w->all->count; i++) {
		if (w->sources != NULL)
			diff_store_free(w->sources[i]);
		if (w->stores != NULL)
			store_close(w->stores[i]);
	}
	free(w->stores);
	free(w->sources);
	judge_pass_fini(&w->own);
}

/* Its number tells a source of a worker from all others. */
static int source_new(struct worker *w, unsigned i)
{
	unsigned nth = (unsigned)(w - w->all->workers);

	return diff_store_new(w->stores[i], 1 + nth * w->all->most + i, w->pass, &w->sources[i]);
}

/* Where a store is not to be had twice, one works alone. */
static void second_worker(struct diff_stores *s)
{
	struct worker *first = &s->workers[0], *w = &s->workers[1];
	const struct judge_pass *pass = first->pass;
	struct bp_error why;
	int rc = worker_init(w, s);

	if (rc == 0)
		rc = judge_pass_init(&w->own, pass->geo, pass->profile, JUDGE_PASS_SLOTS);
	w->pass = &w->own;
	for (unsigned i = 0; rc == 0 && i < s->count; i++) {
		rc = store_open_again(first->stores[i], &w->stores[i], &why);
		if (rc == 0)
			rc = source_new(w, i);
	}
	if (rc == 0)
		s->worker_count++;
}

int diff_stores_new(unsigned most, struct judge_pass *pass, struct diff_stores **out)
{
	struct diff_stores *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return BP_ENOMEM;
	s->most = most;
	s->windows = calloc(most + 1, sizeof(*s->windows));
	s->workers[0].pass = pass;
	s->worker_count = 1;
	if (s->windows == NULL || worker_init(&s->workers[0], s) < 0) {
		diff_stores_free(s);
		return BP_ENOMEM;
	}
	*out = s;
	return 0;
}

void diff_stores_free(struct diff_stores *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < WORKERS; i++)
		worker_fini(&s->workers[i]);
	free(s->windows);
	free(s->vantages);
	free(s);
}

int diff_stores_add(struct diff_stores *s, const char *url, const struct diff_windows *windows,
		    struct bp_error *err)
{
	struct worker *w = &s->workers[0];
	int rc = store_open(url, STORE_READ, &w->stores[s->count], err);

	if (rc < 0)
		return rc;
	s->windows[s->count] = *windows;
	rc = source_new(w, s->count);
	s->count++;
	return rc < 0 ? no_memory(err) : 0;
}

/* --- all into one set ------------------------------------------------------------------------- */

/* What is wanted of a store: traces of one vantage point (NULL: of all), or the rounds. */
static int fill_groups(struct worker *w, unsigned i, struct diff_set *set, const char *vantage,
		       struct bp_error *err)
{
	const struct diff_windows *windows = &w->all->windows[i];
	int rc = 0;

	diff_store_begin(w->sources[i], set);
	for (unsigned side = 0; rc == 0 && side < 2; side++) {
		struct store_select select = windows->of[side];

		if (!windows->wanted[side])
			continue;
		select.vantage = vantage != NULL ? vantage : select.vantage;
		rc = diff_store_groups(w->sources[i], &select, (enum diff_when)side, &w->traces,
				       err);
	}
	return rc;
}

static int fill_rounds(struct worker *w, unsigned i, struct diff_set *set, struct bp_error *err)
{
	const struct diff_windows *windows = &w->all->windows[i];
	int rc = 0;

	diff_store_begin(w->sources[i], set);
	for (unsigned side = 0; rc == 0 && side < 2; side++) {
		if (windows->wanted[side])
			rc = diff_store_rounds(w->sources[i], &windows->of[side],
					       (enum diff_when)side, err);
	}
	return rc;
}

static int keep(struct worker *w, struct diff *d)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < w->all->count; i++)
		rc = diff_store_keep(w->sources[i], d);
	return rc;
}

int diff_stores_fill(struct diff_stores *s, struct diff_set *set, uint64_t *traces,
		     struct bp_error *err)
{
	struct worker *w = &s->workers[0];
	uint64_t before = w->traces;
	int rc = fill_rounds(w, s->count - 1, set, err);

	if (rc == 0)
		rc = fill_groups(w, s->count - 1, set, NULL, err);
	*traces += w->traces - before;
	return rc;
}

int diff_stores_keep(struct diff_stores *s, struct diff *d)
{
	return keep(&s->workers[0], d);
}

/* --- each vantage point by itself ------------------------------------------------------------- */

static int add_vantage(void *arg, const char *name, struct bp_error *err)
{
	struct diff_stores *s = arg;

	for (unsigned i = 0; i < s->vantage_count; i++) {
		if (strcmp(s->vantages[i], name) == 0)
			return 0;
	}
	if (s->vantage_count == s->vantage_room) {
		unsigned room = s->vantage_room > 0 ? 2 * s->vantage_room : 64;
		void *more = reallocarray(s->vantages, room, sizeof(*s->vantages));

		if (more == NULL)
			return no_memory(err);
		s->vantages = more;
		s->vantage_room = room;
	}
	text_set(s->vantages[s->vantage_count++], sizeof(*s->vantages), name);
	return 0;
}

static int find_vantages(struct diff_stores *s, struct bp_error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < s->count; i++) {
		/* Selected is one or all, and from all stores the same. */
		const char *only = s->windows[i].of[DIFF_BEFORE].vantage;

		rc = only != NULL ? add_vantage(s, only, err) :
		     store_vantages(s->workers[0].stores[i], add_vantage, s, err);
	}
	return rc;
}

static int make_part(struct worker *w, unsigned part, struct bp_error *err)
{
	struct diff_stores *s = w->all;
	struct diff_set *set;
	int rc = diff_set_new(w->pass->profile, &set);

	if (rc < 0)
		return no_memory(err);
	for (unsigned i = 0; rc == 0 && i < s->count; i++)
		rc = part == 0 ? fill_rounds(w, i, set, err) :
				 fill_groups(w, i, set, s->vantages[part - 1], err);
	if (rc == 0 && (diff_compute(set, s->targets, &s->parts[part]) < 0 ||
			keep(w, &s->parts[part]) < 0))
		rc = no_memory(err);
	diff_set_free(set);
	return rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct diff_stores *s = w->all;
	unsigned part;

	while (w->rc == 0 && !atomic_load(&s->failed) &&
	       (part = atomic_fetch_add(&s->next, 1)) <= s->vantage_count) {
		w->failed_at = part;
		w->rc = make_part(w, part, &w->err);
	}
	if (w->rc < 0)
		atomic_store(&s->failed, true);
	return NULL;
}

/* Where no thread is to be had, one does it all. */
static int work_all(struct diff_stores *s, struct bp_error *err)
{
	const struct worker *first = NULL;
	pthread_t beside;
	bool two = s->worker_count > 1 &&
		   pthread_create(&beside, NULL, work, &s->workers[1]) == 0;

	work(&s->workers[0]);
	if (two)
		pthread_join(beside, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		const struct worker *w = &s->workers[i];

		if (w->rc < 0 && (first == NULL || w->failed_at < first->failed_at))
			first = w;
	}
	if (first == NULL)
		return 0;
	*err = first->err;
	return first->rc;
}

int diff_stores_compare(struct diff_stores *s, bool targets, unsigned beside, uint64_t *traces,
			struct diff *out, struct bp_error *err)
{
	struct judge_pass *pass = s->workers[0].pass;
	int rc = find_vantages(s, err);

	if (rc < 0)
		return rc;
	s->targets = targets;
	s->parts = calloc(s->vantage_count + 1, sizeof(*s->parts));
	if (s->parts == NULL)
		return no_memory(err);
	/* What it finds out once is not for two to find out at a time. */
	geo_source(pass->geo);
	if (s->vantage_count > 1 && sysconf(_SC_NPROCESSORS_ONLN) > 1 + (long)beside)
		second_worker(s);
	rc = work_all(s, err);
	if (rc == 0 && diff_join(s->parts, s->vantage_count + 1, pass->profile, out) < 0)
		rc = no_memory(err);
	for (unsigned i = 0; rc < 0 && i <= s->vantage_count; i++)
		diff_fini(&s->parts[i]);
	free(s->parts);
	s->parts = NULL;
	pass->judged += s->workers[1].own.judged;
	pass->found += s->workers[1].own.found;
	*traces += s->workers[0].traces + s->workers[1].traces;
	return rc;
}

/* --- examples --------------------------------------------------------------------------------- */

int diff_stores_example(struct diff_stores *s, int64_t example, struct record *out,
			struct bp_error *err)
{
	unsigned number = diff_store_number(example);

	if (number == 0 || number > WORKERS * s->most)
		return bp_fail(err, BP_ENOTFOUND, "of no store");
	number--;
	return diff_store_example(s->workers[number / s->most].sources[number % s->most], example,
				  out, err);
}
