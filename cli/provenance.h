// SPDX-License-Identifier: BSD-2-Clause
/* What report, events and diff share beside their selection: what a page says of where it comes
 * from, and which window is looked at. */
#ifndef CLI_PROVENANCE_H
#define CLI_PROVENANCE_H

#include "analysis/judge_pass.h"
#include "analysis/report/html.h"
#include "cli/annotate.h"
#include "cli/select.h"

struct provenance {
	const char *annotate;            /* --annotate FILE; NULL: none */
	struct annotations annotations;  /* of it */
	struct buf command;              /* as it was typed */
	const char *const *sources;      /* what is read */
	unsigned source_count;
	char **shown; /* owned: the same without passwords */
};

/* Before getopt turns the words around. */
void provenance_init(struct provenance *p, int argc, char **argv);
void provenance_fini(struct provenance *p);
/* Reads --annotate; it goes with --format html. 0, or an exit code + 1 after telling. */
int provenance_open(struct provenance *p, const struct options *o);
/* `pass` tells which databases judged. Borrows from p and pass. */
struct html_about provenance_about(struct provenance *p, const struct judge_pass *pass);
/* Without FILE and --since, the last week of a store: says so unless `quiet`. */
void default_window(struct select *s, bool named, bool quiet);

#endif
