// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which records a command takes: --since --until --vantage --target --prefix --method --border
 * --campaign, and the files and stores they come from. Owns the loop over them: reads, counts what
 * is skipped, tells it with file:line. What a store can select itself is left to it.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/store.h"
#include "cli/options.h"
#include "core/record/format.h"

struct select {
	struct wall since, until;    /* 0: open */
	const char *vantage, *target, *border, *campaign;
	const char *store;           /* read where no file is named; NULL: the default store */
	struct prefix prefix;        /* addr not set: any */
	int method;                  /* METHOD_UNKNOWN: any */
	const struct format *from;   /* NULL: detected */
	const char *copy;            /* of the next file to be read, opened for it; NULL: none */
	bool verbose;                /* -v: each skipped record is told, not only the first ones */
	bool silent;                 /* what is skipped or fails is counted, not told: it is told
				      * when the files are read again */
};

enum { OPT_SINCE = 900, OPT_UNTIL, OPT_SELECT_VANTAGE, OPT_TARGET, OPT_PREFIX, OPT_SELECT_METHOD,
       OPT_BORDER, OPT_FROM, OPT_SELECT_STORE, OPT_CAMPAIGN };
#define SELECT_OPTIONS \
	{"since", required_argument, NULL, OPT_SINCE}, \
	{"until", required_argument, NULL, OPT_UNTIL}, \
	{"vantage", required_argument, NULL, OPT_SELECT_VANTAGE}, \
	{"target", required_argument, NULL, OPT_TARGET}, \
	{"prefix", required_argument, NULL, OPT_PREFIX}, \
	{"method", required_argument, NULL, OPT_SELECT_METHOD}, \
	{"border", required_argument, NULL, OPT_BORDER}, \
	{"from", required_argument, NULL, OPT_FROM}, \
	{"store", required_argument, NULL, OPT_SELECT_STORE}, \
	{"campaign", required_argument, NULL, OPT_CAMPAIGN}

/* Lines of help that every command with these options has. */
#define SELECT_USAGE \
	"  --from FORMAT         jsonl, atlas, scamper, warts (by way of sc_warts2json), mtr,\n" \
	"                        traceroute (else detected by content)\n" \
	"  --store URL           sqlite:FILE, read where no FILE is named (default: under the user's\n" \
	"                        state directory)\n" \
	"  --since T, --until T, --vantage NAME, --target HOST, --prefix P, --method M, --border ID,\n" \
	"  --campaign NAME       only these records\n"

/* As options_take, and hands on to it what is not of the selection. */
int select_take(struct select *s, struct options *o, int opt, const char *arg);
/* Tells that option, --from or --to, takes no such format, and which it takes; CLI_USAGE. */
int select_no_format(const struct options *o, const char *option, const char *arg);
bool select_wants_verdict(const struct select *s, const struct verdict *v);

struct select_counts {
	uint64_t read, skipped;
	unsigned files_failed;
	unsigned told;    /* of the records skipped in the file at hand */
	unsigned stores;  /* read through; one may hold nothing of what is selected */
	/* The record at hand: it is selected whole, --border by its latest verdict. */
	bool from_store;
	const struct record_reader *reader; /* that it comes from; NULL: from a store */
};
enum { SELECT_TOLD = 20 };   /* skipped records of a file that are told; the rest is a number */
/* One more was skipped that is well enough to be read; what is as for cli_say, of the record at
 * hand. */
void select_skip(const struct select *s, struct select_counts *counts, const char *what);
/* Reads every record of the file ("-": stdin) or the store; on_record gets each (may take parts of
 * it by making them empty), returns negative to stop. A file that cannot be read or recognised is
 * told on stderr and counted, the next one goes on. Returns 0 or what on_record returned. */
int select_read(const struct select *s, const char *path,
		int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
		struct select_counts *counts, struct bp_error *err);
/* What is to be read: the words that are named, or, when there are none, the store. *count and
 * *words are those of the command line; then, what to hand to select_read. 0, or an exit code + 1
 * after telling what is missing, or that -o names one of them. word is room for the one. */
int select_sources(const struct select *s, const struct options *o, int *count, char ***words,
		   char *word[static 1]);
/* Whether select_read reads a store there. The empty word is the default one. */
bool select_is_store(const char *word);
/* The selection as a store knows it. */
struct store_select select_of_store(const struct select *s);
/* The exit code the counts call for: 0, CLI_PARTIAL, or CLI_FAILURE when nothing was read. */
int select_exit(const struct select_counts *counts);

#endif
