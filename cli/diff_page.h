// SPDX-License-Identifier: BSD-2-Clause
/*
 * diff --format html: what the page has beside the comparison: the window around the moment as a
 * report, for its figures, and whole traces for the paths that it opens to hops.
 */
#ifndef CLI_DIFF_PAGE_H
#define CLI_DIFF_PAGE_H

#include "analysis/diff.h"
#include "cli/diff_stores.h"
#include "cli/provenance.h"

struct diff_page;

/* window: the selection around the moment; NULL: two sets without one, which have no figures. All
 * stays as it is until diff_page_free. BP_ENOMEM. */
int diff_page_new(const struct select *window, struct judge_pass *pass, struct diff_page **out);
void diff_page_free(struct diff_page *p);
/* A store that is one of the sources; a trace or a round of the window that was read from a file,
 * with its verdict. */
int diff_page_store(struct diff_page *p, const char *word, struct bp_error *err);
int diff_page_record(struct diff_page *p, const struct record *r, const struct verdict *v,
		     struct bp_error *err);

/* All sources are there: the window may be read, while the sides are compared. True: it is, by a
 * thread of its own. */
bool diff_page_start(struct diff_page *p);

struct diff_page_from {
	struct wall at;                     /* 0: two sets */
	const struct select *select;
	struct provenance *provenance;
	struct diff_stores *stores;
};
/* Appends the page. Files are read once more for the examples; stdin cannot be, and its paths are
 * without hops. */
int diff_page_put(struct diff_page *p, const struct diff *d, const struct diff_page_from *from,
		  struct buf *out, struct bp_error *err);

#endif
