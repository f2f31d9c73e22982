// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which records a command takes: --since --until --vantage --target --prefix --method --border, and
 * the files they come from. Owns the loop over files: reads, counts what is skipped, tells it with
 * file:line.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "core/record/format.h"

struct select {
	struct wall since, until;    /* 0: open */
	const char *vantage, *target, *border;
	struct prefix prefix;        /* addr not set: any */
	int method;                  /* METHOD_UNKNOWN: any */
	const struct format *from;   /* NULL: detected */
};

enum { OPT_SINCE = 900, OPT_UNTIL, OPT_SELECT_VANTAGE, OPT_TARGET, OPT_PREFIX, OPT_SELECT_METHOD,
       OPT_BORDER, OPT_FROM };
#define SELECT_OPTIONS \
	{"since", required_argument, NULL, OPT_SINCE}, \
	{"until", required_argument, NULL, OPT_UNTIL}, \
	{"vantage", required_argument, NULL, OPT_SELECT_VANTAGE}, \
	{"target", required_argument, NULL, OPT_TARGET}, \
	{"prefix", required_argument, NULL, OPT_PREFIX}, \
	{"method", required_argument, NULL, OPT_SELECT_METHOD}, \
	{"border", required_argument, NULL, OPT_BORDER}, \
	{"from", required_argument, NULL, OPT_FROM}

/* As options_take, and hands on to it what is not of the selection. */
int select_take(struct select *s, struct options *o, int opt, const char *arg);
/* Whether a record is wanted: a trace by all but --border (which needs a verdict), any other object
 * by what it tells of itself, --border too. */
bool select_wants(const struct select *s, const struct record *r);
bool select_wants_verdict(const struct select *s, const struct verdict *v);

struct select_counts { uint64_t read, skipped; unsigned files_failed; };
/* Reads every record of the file ("-": stdin); on_record gets each (may take parts of it by making
 * them empty), returns negative to stop. A file that cannot be read or recognised is told on stderr
 * and counted, the next one goes on. Returns 0 or what on_record returned. */
int select_read(const struct select *s, const char *path,
		int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
		struct select_counts *counts, struct bp_error *err);
/* The exit code the counts call for: 0, CLI_PARTIAL, or CLI_FAILURE when nothing was read. */
int select_exit(const struct select_counts *counts);

#endif
