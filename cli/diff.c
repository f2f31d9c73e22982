// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath diff: what changed between two sets of records, or around a moment. Both sides are
 * named and judged anew by one profile and one set of databases, so that only the network can
 * differ. Exit codes are diff(1)'s.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/diff.h"
#include "analysis/judge_pass.h"
#include "analysis/report/diff_text.h"
#include "cli/cli.h"
#include "cli/diff_page.h"
#include "cli/diff_stores.h"
#include "cli/routes.h"
#include "cli/select.h"

const char diff_usage[] =
"usage: borderpath diff [OPTIONS] A B\n"
"       borderpath diff [OPTIONS] --at T [--before D] [--after D] [FILE...]\n"
"\n"
"Tells what changed between two files of records, or around the moment T within FILEs: border, path,\n"
"round-trip time, reachability. Sets of paths are compared, never one flow with another; what silent\n"
"hops or load balancing explain is no change. Both sides are judged anew by the same profile. A FILE\n"
"may be a campaign's store; without FILE it is the one of --store. Rounds that were missed are told,\n"
"and what was measured while a vantage point was offline is left out: neither is an outage.\n"
"\n"
"  --at T                the moment; records before it are one side, from it on the other\n"
"  --before D, --after D how far around it (1h each)\n"
SELECT_USAGE
"  --format text|jsonl|html\n"
"                        for people, one JSON object, or one HTML file that stands alone, with the\n"
"                        figures of the window around T\n"
"  --routes FILE         beside it, what routing tables say: lines of `bgpdump -m`, tables and\n"
"                        updates in any order, one file or several (with --at)\n"
"  --annotate FILE.csv   lays known events over a page: columns time or start_utc, end_utc, label,\n"
"                        source, by their names\n"
"  -o FILE, -v, --quiet  write to FILE, once all is there; each target too; no warnings\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 compared and the same, 1 changed, 2 trouble or too little data to compare.\n";

_Static_assert((int)DIFF_RESULT_SAME == CLI_DIFF_SAME &&
	       (int)DIFF_RESULT_CHANGED == CLI_DIFF_CHANGED &&
	       (int)DIFF_RESULT_TROUBLE == CLI_DIFF_TROUBLE, "a diff's result is the exit code");

enum { OPT_AT = OPT_COMMAND_FIRST, OPT_BEFORE, OPT_AFTER, OPT_ANNOTATE, OPT_ROUTES };

struct diff_run {
	struct options options;
	struct select select;
	struct wall at;              /* 0: two files */
	int64_t before_ns, after_ns;
	struct session session;
	struct judge_pass pass;
	struct select_counts counts;
	struct diff_set *set;        /* of files, and of stores beside them */
	struct diff_stores *stores;
	bool files;                  /* not only stores */
	enum diff_when file;         /* which of A and B is read now */
	struct diff_page *page;      /* NULL: none is wanted */
	struct provenance provenance;
	const char **routes_files;   /* owned; of --routes */
	unsigned routes_count;
	struct routes routes;        /* of them */
	bool shown;                  /* the result is written */
};

/* The side of a moment; false for neither. */
static bool side_of(const struct diff_run *run, struct wall t, enum diff_when *out)
{
	if (run->at.ns == 0) {
		*out = run->file;
		return true;
	}
	if (t.ns == 0 || t.ns < run->at.ns - run->before_ns || t.ns >= run->at.ns + run->after_ns)
		return false;
	*out = t.ns >= run->at.ns ? DIFF_AFTER : DIFF_BEFORE;
	return true;
}

static int take_trace(struct diff_run *run, struct record *r, enum diff_when side)
{
	struct verdict *v = calloc(1, sizeof(*v));
	int rc = BP_ENOMEM;

	if (v != NULL)
		rc = judge_pass_trace(&run->pass, r->trace, &r->names, wall_now(), v);
	if (rc == 0 && select_wants_verdict(&run->select, v))
		rc = diff_set_trace(run->set, side, r->trace, &r->names, v);
	if (rc == 0 && run->page != NULL)
		rc = diff_page_record(run->page, r, v, NULL);
	free(v);
	return rc;
}

static int diff_record(void *arg, struct record *r, struct bp_error *err)
{
	struct diff_run *run = arg;
	struct round round;
	enum diff_when side;
	int rc = 0;

	if (r->kind == RECORD_TRACE && side_of(run, r->trace->start, &side))
		rc = take_trace(run, r, side);
	else if (r->kind == RECORD_ROUND && round_read(r, &round, err) == 0 &&
		 side_of(run, round.planned, &side)) {
		rc = diff_set_round(run->set, side, &round);
		if (rc == 0 && run->page != NULL)
			rc = diff_page_record(run->page, r, NULL, NULL);
	}
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int put(struct diff_run *run, struct buf *out, const struct diff *d, struct bp_error *err)
{
	const struct diff_page_from from = {
		.at = run->at, .select = &run->select, .provenance = &run->provenance,
		.stores = run->stores,
	};
	struct style style = style_of(&run->session);

	switch (run->options.format) {
	case OUTPUT_JSONL:
		diff_write_json(out, d);
		return 0;
	case OUTPUT_HTML:
		return diff_page_put(run->page, d, &from, out, err);
	default:
		report_diff(out, &style, d, run->session.profile, run->options.verbose > 0);
		return 0;
	}
}

static int show(struct diff_run *run, const struct diff *d, struct bp_error *err)
{
	struct buf out;
	int rc;

	buf_init(&out);
	rc = put(run, &out, d, err);
	if (rc == 0)
		rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
		     session_write(&run->session, out.bytes, out.used, err);
	run->shown = rc == 0;
	buf_fini(&out);
	return rc;
}

/* A store's traces have their ids looked up once it is known who is an example; one that was
 * dropped meanwhile has none. */
static int fill_id(struct diff_run *run, struct diff_side *side, struct bp_error *err)
{
	struct record r;
	int rc;

	if (side->example_id[0] != '\0')
		return 0;
	record_init(&r);
	rc = diff_stores_example(run->stores, side->example, &r, err);
	if (rc == 0)
		text_set(side->example_id, sizeof(side->example_id), r.trace->id);
	record_fini(&r);
	return rc == BP_ENOTFOUND ? 0 : rc;
}

static int fill_ids(struct diff_run *run, struct diff_row *rows, unsigned n, struct bp_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < n && rc == 0; i++) {
		rc = fill_id(run, &rows[i].before, err);
		if (rc == 0)
			rc = fill_id(run, &rows[i].after, err);
	}
	return rc;
}

/* What they tell from the moment on counts until the window ends; before it, all of it. */
static int read_routes(struct diff_run *run, struct bp_error *err)
{
	struct routes_maker *m = NULL;
	int rc = routes_new(run->session.profile, run->at, run->select.until, &m);

	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	for (unsigned i = 0; i < run->routes_count && rc == 0; i++)
		rc = routes_read(run->routes_files[i], run->options.verbose > 0, m, err);
	if (rc == 0 && routes_make(m, &run->routes) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	routes_free(m);
	return rc;
}

static int compute(struct diff_run *run, struct diff *out, struct bp_error *err)
{
	bool targets = run->options.format == OUTPUT_JSONL || run->options.verbose > 0;
	bool reading = run->page != NULL && diff_page_start(run->page);
	int rc;

	if (!run->files)
		return diff_stores_compare(run->stores, targets, reading, &run->counts.read, out,
					   err);
	rc = diff_compute(run->set, targets, out);
	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	rc = diff_stores_keep(run->stores, out);
	if (rc < 0)
		diff_fini(out);
	return rc < 0 ? bp_fail(err, rc, "out of memory") : 0;
}

static int compare(struct diff_run *run, struct bp_error *err)
{
	bool ids = run->options.format != OUTPUT_TEXT;
	struct diff d;
	int rc = compute(run, &d, err);

	if (rc < 0)
		return rc;
	d.routes = run->routes_count > 0 ? &run->routes : NULL;
	if (ids)
		rc = fill_ids(run, d.rows, d.row_count, err);
	if (rc == 0 && ids)
		rc = fill_ids(run, d.targets, d.target_count, err);
	if (rc == 0)
		rc = show(run, &d, err);
	if (rc == 0)
		rc = (int)d.result;
	diff_fini(&d);
	return rc;
}

static int take_duration(const struct diff_run *run, const char *option, const char *arg,
			 int64_t *out)
{
	if (duration_parse(arg, out) == 0 && *out > 0)
		return 0;
	return cli_usage(run->options.command, "%s takes a time such as 30m or 6h, not '%s'", option,
			 arg) + 1;
}

static int take(struct diff_run *run, int opt, const char *arg)
{
	switch (opt) {
	case OPT_AT:
		if (wall_parse(arg, wall_now(), &run->at) == 0)
			return 0;
		return cli_usage("diff", "--at takes a time such as 2017-10-01T09:07:51Z, not '%s'",
				 arg) + 1;
	case OPT_BEFORE: return take_duration(run, "--before", arg, &run->before_ns);
	case OPT_AFTER: return take_duration(run, "--after", arg, &run->after_ns);
	case OPT_ANNOTATE: run->provenance.annotate = arg; return 0;
	case OPT_ROUTES: run->routes_files[run->routes_count++] = arg; return 0;
	default: return select_take(&run->select, &run->options, opt, arg);
	}
}

/* What lies outside the window is not read where that can be helped. */
static void narrow(struct diff_run *run)
{
	struct wall from = {run->at.ns - run->before_ns}, to = {run->at.ns + run->after_ns};

	if (run->select.since.ns < from.ns)
		run->select.since = from;
	if (run->select.until.ns == 0 || run->select.until.ns > to.ns)
		run->select.until = to;
}

/* One side or both, of a store. */
static int add_store(struct diff_run *run, const char *url, struct bp_error *err)
{
	struct store_select select = select_of_store(&run->select);
	struct diff_windows w = {{select, select}, {false, false}};
	int rc;

	if (run->at.ns == 0) {
		w.wanted[run->file] = true;
	} else {
		if (w.of[DIFF_BEFORE].until.ns > run->at.ns)
			w.of[DIFF_BEFORE].until = run->at;
		if (w.of[DIFF_AFTER].since.ns < run->at.ns)
			w.of[DIFF_AFTER].since = run->at;
		for (unsigned i = 0; i < 2; i++)
			w.wanted[i] = w.of[i].since.ns < w.of[i].until.ns;
	}
	rc = diff_stores_add(run->stores, url, &w, err);
	if (rc == 0 && run->files)
		rc = diff_stores_fill(run->stores, run->set, &run->counts.read, err);
	return rc;
}

static int run_diff(struct diff_run *run, int argc, char **argv)
{
	struct bp_error err;
	int rc = 0;

	for (int i = 0; i < argc; i++)
		run->files = run->files || !select_is_store(argv[i]);
	for (int i = 0; rc == 0 && i < argc; i++) {
		run->file = i > 0 ? DIFF_AFTER : DIFF_BEFORE;
		if (select_is_store(argv[i])) {
			rc = add_store(run, argv[i], &err);
			if (rc == 0 && run->page != NULL)
				rc = diff_page_store(run->page, argv[i], &err);
			continue;
		}
		rc = select_read(&run->select, argv[i], diff_record, run, &run->counts,
				 &err);
	}
	/* A file that was not read is no "no change": the reason is told already. */
	if (rc == 0 && run->counts.files_failed > 0)
		return CLI_DIFF_TROUBLE;
	if (rc == 0 && run->routes_count > 0)
		rc = read_routes(run, &err);
	if (rc == 0)
		rc = compare(run, &err);
	if (rc < 0) {
		cli_error(&err);
		return CLI_DIFF_TROUBLE;
	}
	return rc;
}

static int open_set(struct diff_run *run, int words)
{
	if (judge_pass_init(&run->pass, run->session.geo, run->session.profile,
			    JUDGE_PASS_SLOTS) == 0 &&
	    diff_stores_new((unsigned)words, &run->pass, &run->stores) == 0 &&
	    diff_set_new(run->session.profile, &run->set) == 0 &&
	    (run->options.format != OUTPUT_HTML ||
	     diff_page_new(run->at.ns != 0 ? &run->select : NULL, &run->pass, &run->page) == 0))
		return 0;
	cli_say("out of memory");
	return CLI_DIFF_TROUBLE;
}

static void close_all(struct diff_run *run)
{
	diff_stores_free(run->stores);
	diff_page_free(run->page);
	judge_pass_fini(&run->pass);
	diff_set_free(run->set);
}

static int open_and_run(struct diff_run *run, int count, char **words)
{
	struct bp_error err;
	char *word[1];
	int rc, told;

	if (select_sources(&run->select, &run->options, &count, &words, word) != 0)
		return CLI_DIFF_TROUBLE;
	run->provenance.sources = (const char *const *)words;
	run->provenance.source_count = (unsigned)count;
	if (run->at.ns != 0)
		narrow(run);
	if (session_open(&run->options, true, &run->session, &err) < 0) {
		cli_error(&err);
		return CLI_DIFF_TROUBLE;
	}
	rc = open_set(run, count);
	if (rc == 0)
		rc = run_diff(run, count, words);
	close_all(run);
	/* Here 1 means "changed": a failure to write must leave as 2. */
	told = session_end(&run->session, run->shown ? CLI_OK : CLI_FAILURE);
	return told == CLI_OK ? rc : CLI_DIFF_TROUBLE;
}

/* stdin is read once. */
static bool stdin_twice(const struct diff_run *run, int count, char **words)
{
	unsigned n = 0;

	for (int i = 0; i < count; i++)
		n += strcmp(words[i], "-") == 0;
	for (unsigned i = 0; i < run->routes_count; i++)
		n += strcmp(run->routes_files[i], "-") == 0;
	return run->routes_count > 0 && n > 1;
}

/* 0, or an exit code + 1. */
static int take_options(struct diff_run *run, int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		SELECT_OPTIONS,
		{"at", required_argument, NULL, OPT_AT},
		{"before", required_argument, NULL, OPT_BEFORE},
		{"after", required_argument, NULL, OPT_AFTER},
		{"annotate", required_argument, NULL, OPT_ANNOTATE},
		{"routes", required_argument, NULL, OPT_ROUTES},
		{NULL, 0, NULL, 0},
	};
	bool around = false;
	int opt, rc;

	/* No more of them than words. */
	run->routes_files = calloc((size_t)argc, sizeof(const char *));
	if (run->routes_files == NULL) {
		cli_say("out of memory");
		return CLI_DIFF_TROUBLE + 1;
	}
	while ((opt = options_next(&run->options, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take(run, opt, optarg);
		if (rc != 0)
			return rc;
		around = around || opt == OPT_BEFORE || opt == OPT_AFTER;
	}
	if (around && run->at.ns == 0)
		return cli_usage("diff", "--before and --after go with --at") + 1;
	if (run->routes_count > 0 && run->at.ns == 0)
		return cli_usage("diff", "--routes goes with --at") + 1;
	if (stdin_twice(run, argc - optind, argv + optind))
		return cli_usage("diff", "stdin can be read once: name one '-'") + 1;
	if (run->at.ns == 0 && argc - optind != 2)
		return cli_usage("diff", "name two files of records, or a moment with --at") + 1;
	/* What is wrong with it is trouble, as all else. */
	return provenance_open(&run->provenance, &run->options) != 0 ? CLI_DIFF_TROUBLE + 1 : 0;
}

int cmd_diff(int argc, char **argv)
{
	struct diff_run run = {.before_ns = 3600 * NS_PER_S, .after_ns = 3600 * NS_PER_S};
	int rc;

	options_init(&run.options, "diff");
	run.options.html = run.options.whole = true;
	provenance_init(&run.provenance, argc, argv);
	rc = take_options(&run, argc, argv);
	rc = rc != 0 ? rc - 1 : open_and_run(&run, argc - optind, argv + optind);
	provenance_fini(&run.provenance);
	routes_fini(&run.routes);
	free(run.routes_files);
	return rc;
}
