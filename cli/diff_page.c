// SPDX-License-Identifier: BSD-2-Clause
/*
 * Examples looked up, the window read, the page put together. The window is read by a thread of its
 * own, with a judge and connections of its own, while the two sides are compared: on two cores the
 * page of a day of 4.9 million traces takes 7 s so, and 12 s without.
 */
#include "cli/diff_page.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/changes.h"

/* A page opens so many paths; two traces each. */
enum { PATHS = 12, EXAMPLES = 2 * PATHS };

struct example {
	char id[TRACE_ID_TEXT];
	struct record record;
	bool found;
};

struct diff_page {
	struct judge_pass *pass;
	struct judge_pass own;       /* of the window */
	struct changes_options how;
	struct changes *changes;     /* NULL: no window */
	pthread_t reader;
	bool started;
	const struct report *window; /* once it is read; NULL: nothing is in it */
	int rc;                      /* of reading it, as the next */
	struct bp_error err;
	struct example *examples;    /* owned: EXAMPLES */
	unsigned count;
};

static int no_memory(struct bp_error *err)
{
	return bp_fail(err, BP_ENOMEM, "out of memory");
}

int diff_page_new(const struct select *window, struct judge_pass *pass, struct diff_page **out)
{
	struct diff_page *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return BP_ENOMEM;
	p->pass = pass;
	if (judge_pass_init(&p->own, pass->geo, pass->profile, JUDGE_PASS_SLOTS) < 0) {
		free(p);
		return BP_ENOMEM;
	}
	/* What lies before the window is of neither side. */
	p->how = (struct changes_options){.select = window, .pass = &p->own, .report = true,
					  .cold = true};
	p->examples = calloc(EXAMPLES, sizeof(*p->examples));
	if (p->examples == NULL || (window != NULL && changes_new(&p->how, &p->changes) < 0)) {
		diff_page_free(p);
		return BP_ENOMEM;
	}
	*out = p;
	return 0;
}

void diff_page_free(struct diff_page *p)
{
	if (p == NULL)
		return;
	if (p->started)
		pthread_join(p->reader, NULL);
	for (unsigned i = 0; i < p->count; i++)
		record_fini(&p->examples[i].record);
	free(p->examples);
	changes_free(p->changes);
	judge_pass_fini(&p->own);
	free(p);
}

int diff_page_store(struct diff_page *p, const char *word, struct bp_error *err)
{
	return p->changes != NULL ? points_add(changes_points(p->changes), word, err) : 0;
}

int diff_page_record(struct diff_page *p, const struct record *r, const struct verdict *v,
		     struct bp_error *err)
{
	return p->changes != NULL ? points_take(changes_points(p->changes), r, v, err) : 0;
}

/* --- the window ------------------------------------------------------------------------------- */

static void *read_window(void *arg)
{
	struct diff_page *p = arg;

	p->rc = changes_read(p->changes, &p->err);
	if (p->rc < 0)
		return NULL;
	p->rc = changes_report(p->changes, &p->window);
	if (p->rc == BP_ENOTFOUND)
		p->rc = 0;
	else if (p->rc < 0)
		p->rc = no_memory(&p->err);
	return NULL;
}

bool diff_page_start(struct diff_page *p)
{
	/* What it finds out once is not for two to find out at a time. */
	geo_source(p->pass->geo);
	p->started = p->changes != NULL && pthread_create(&p->reader, NULL, read_window, p) == 0;
	return p->started;
}

/* Where no thread was to be had, it is read now. */
static int end_window(struct diff_page *p, struct bp_error *err)
{
	if (p->started)
		pthread_join(p->reader, NULL);
	else if (p->changes != NULL)
		read_window(p);
	p->started = false;
	p->pass->judged += p->own.judged;
	p->pass->found += p->own.found;
	if (p->rc < 0)
		*err = p->err;
	return p->rc;
}

/* --- examples --------------------------------------------------------------------------------- */

static int name_example(struct diff_page *p, struct example *e, struct bp_error *err)
{
	e->found = true;
	return judge_pass_trace(p->pass, e->record.trace, &e->record.names, wall_now(),
				&e->record.verdict) < 0 ? no_memory(err) : 0;
}

/* Of a store's trace the id is not known before it is read. */
static int add_example(struct diff_page *p, const struct diff_page_from *from,
		       struct diff_side *side, struct bp_error *err)
{
	struct example *e = &p->examples[p->count];
	int rc;

	record_init(&e->record);
	if (diff_store_number(side->example) == 0) {
		if (side->example_id[0] == '\0')
			return 0;
		text_set(e->id, sizeof(e->id), side->example_id);
		p->count++;
		return 0;
	}
	rc = diff_stores_example(from->stores, side->example, &e->record, err);
	if (rc < 0)
		return rc == BP_ENOTFOUND ? 0 : rc;
	p->count++;
	text_set(e->id, sizeof(e->id), e->record.trace->id);
	text_set(side->example_id, sizeof(side->example_id), e->id);
	return name_example(p, e, err);
}

static bool is_shown(const struct diff_row *r, bool changed)
{
	return r->comparable &&
	       (r->border == DIFF_CHANGED || r->path == DIFF_CHANGED) == changed;
}

/* Those of changed paths; where there are none, of one that stayed. */
static int add_examples(struct diff_page *p, const struct diff *d,
			const struct diff_page_from *from, struct bp_error *err)
{
	int rc = 0;

	for (int changed = 1; changed >= 0; changed--) {
		unsigned most = changed ? EXAMPLES : p->count + 2;

		for (unsigned i = 0; i < d->row_count && rc == 0 && p->count + 2 <= most &&
				     (changed || p->count == 0); i++) {
			if (!is_shown(&d->rows[i], changed))
				continue;
			rc = add_example(p, from, &d->rows[i].before, err);
			if (rc == 0)
				rc = add_example(p, from, &d->rows[i].after, err);
		}
	}
	return rc;
}

static int find_example(void *arg, struct record *r, struct bp_error *err)
{
	struct diff_page *p = arg;

	for (unsigned i = 0; r->kind == RECORD_TRACE && i < p->count; i++) {
		struct example *e = &p->examples[i];

		if (e->found || strcmp(e->id, r->trace->id) != 0)
			continue;
		e->record = *r;
		record_init(r);
		return name_example(p, e, err);
	}
	return 0;
}

static int read_examples(struct diff_page *p, const struct diff_page_from *from,
			 struct bp_error *err)
{
	struct select again = *from->select;
	struct select_counts counts = {0};
	bool missing = false;
	int rc = 0;

	for (unsigned i = 0; i < p->count; i++)
		missing |= !p->examples[i].found;
	again.silent = true;
	for (unsigned i = 0; missing && i < from->provenance->source_count && rc == 0; i++) {
		const char *word = from->provenance->sources[i];

		if (strcmp(word, "-") != 0 && !select_is_store(word))
			rc = select_read(&again, word, find_example, p, &counts, err);
	}
	return rc;
}

/* --- the page --------------------------------------------------------------------------------- */

int diff_page_put(struct diff_page *p, const struct diff *d, const struct diff_page_from *from,
		  struct buf *out, struct bp_error *err)
{
	struct html_trace traces[EXAMPLES];
	struct html_about about;
	unsigned n = 0;
	int rc = add_examples(p, d, from, err);

	if (rc == 0)
		rc = read_examples(p, from, err);
	if (rc == 0)
		rc = end_window(p, err);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < p->count; i++) {
		if (p->examples[i].found)
			traces[n++] = (struct html_trace){p->examples[i].record.trace,
							  &p->examples[i].record.names};
	}
	about = provenance_about(from->provenance, p->pass);
	html_diff(out, d, from->at, p->window, p->pass->profile, traces, n, &about);
	return 0;
}
