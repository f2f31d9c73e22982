// SPDX-License-Identifier: BSD-2-Clause
/*
 * What report and events share: their options, what is selected and read, and the chain that makes
 * events and a report of it. Prints nothing but what went wrong.
 */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "cli/changes.h"
#include "cli/options.h"
#include "cli/provenance.h"

enum { OPT_ANNOTATE = OPT_COMMAND_FIRST, OPT_SENSITIVE, OPT_QUERY_FIRST };
#define QUERY_OPTIONS OPTIONS_COMMON, SELECT_OPTIONS, \
	{"annotate", required_argument, NULL, OPT_ANNOTATE}, \
	{"sensitive", no_argument, NULL, OPT_SENSITIVE}

struct query {
	struct options options;
	struct select select;          /* as told */
	struct select read;            /* as read; the same but where before() says otherwise */
	struct session session;
	struct judge_pass pass;
	struct changes *changes;
	struct changes_options how;    /* but select and pass */
	struct provenance page;
	bool silent;                   /* nothing is said of the window that was taken */
	/* Once the sources are known: may change select.since, read and how. 0, or an exit code + 1
	 * after telling. NULL: nothing to do. */
	int (*before)(void *arg);
	/* All is read. BP_E*, told by the caller; BP_ENOTFOUND: nothing was measured. */
	int (*print)(void *arg, struct bp_error *err);
	void *arg;
};

void query_init(struct query *q, const char *command, int argc, char **argv);
/* An option of QUERY_OPTIONS: 0, or an exit code + 1 after telling. */
int query_take(struct query *q, int opt, const char *arg);
/* Reads and prints; returns the exit code. */
int query_run(struct query *q, int count, char **words);
void query_fini(struct query *q);

#endif
