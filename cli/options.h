// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options that every command shares (INTERFACE "Common"), and the things they open: profile,
 * databases, the output stream. A command puts OPTIONS_COMMON into its getopt_long table and hands
 * what it does not know itself to options_take.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/report/style.h"
#include "core/buf.h"
#include "core/err.h"
#include "geo/geo.h"
#include "geo/profile.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSONL, OUTPUT_HTML };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	const char *command;     /* for messages */
	const char *profile;     /* NAME or FILE, default "dprk"; NULL: none is opened */
	const char *asn_db, *country_db; /* NULL: the defaults of geo_open */
	enum output_format format;
	bool html;               /* --format html is one of the command's */
	const char *out_path;    /* NULL or "-": stdout */
	bool whole;              /* out_path is replaced at the end, if all went well */
	enum color_mode color;
	unsigned verbose;
	bool quiet;
};

enum { OPT_PROFILE = 256, OPT_ASN_DB, OPT_COUNTRY_DB, OPT_FORMAT, OPT_QUIET, OPT_COLOR,
       OPT_HELP, OPT_COMMAND_FIRST };

/* Short options common to all: put into the optstring of each command. */
#define OPTIONS_SHORT "o:vh"
#define OPTIONS_COMMON \
	{"profile", required_argument, NULL, OPT_PROFILE}, \
	{"asn-db", required_argument, NULL, OPT_ASN_DB}, \
	{"country-db", required_argument, NULL, OPT_COUNTRY_DB}, \
	{"format", required_argument, NULL, OPT_FORMAT}, \
	{"output", required_argument, NULL, 'o'}, \
	{"verbose", no_argument, NULL, 'v'}, \
	{"quiet", no_argument, NULL, OPT_QUIET}, \
	{"color", required_argument, NULL, OPT_COLOR}, \
	{"help", no_argument, NULL, 'h'}

void options_init(struct options *o, const char *command);
/* getopt_long with our own messages: the option, -1 at the end of options, or '?' after it has
 * told what is wrong (return CLI_USAGE then). */
int options_next(const struct options *o, int argc, char **argv, const char *shorts,
		 const struct option *longs);
/* Takes one common option. 0 when taken; otherwise a cli_exit + 1 to leave with (help printed:
 * CLI_OK + 1; wrong value, told: CLI_USAGE + 1). */
int options_take(struct options *o, int opt, const char *arg);

/* "256M": bytes, or with K, M, G; from 1. BP_EPARSE, BP_ERANGE. */
int options_bytes(const char *arg, int64_t *out);
/* "50.11,8.68": degrees north and east. BP_EPARSE. */
int options_place(const char *arg, double *lat, double *lon);

/* What the options open. */
struct session {
	const struct options *options;
	struct profile *profile;
	struct geo *geo;
	FILE *out;
	bool out_is_file;   /* ours to close */
	struct buf held;    /* of options->whole: what is to be written to out_path */
	bool color;         /* escapes in text output */
	bool utf8;          /* the locale draws lines */
	unsigned width;     /* columns of a terminal, 0 when not a terminal */
};

/* Opens profile, databases (when with_geo; warnings go to stderr once) and the output. */
int session_open(const struct options *o, bool with_geo, struct session *out, struct bp_error *err);
/* The output alone: profile and geo are NULL. */
int session_open_output(const struct options *o, struct session *out, struct bp_error *err);
/* How text for people is drawn on the session's output. */
struct style style_of(const struct session *s);
/* Writes n bytes of result; BP_EOF once the reader is gone, BP_EIO when the disk is
 * full. */
int session_write(struct session *s, const void *bytes, size_t n, struct bp_error *err);
/* Flushes and closes: the last chance to learn that the output failed. Returns code, the command's
 * exit code so far; CLI_FAILURE, and tells why, when the result did not get out. */
int session_end(struct session *s, int code);

#endif
