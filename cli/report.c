// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath report: by which border each network was entered over a window, shares, delay,
 * reachability and what happened, out of stores and files. Text, JSON, or one page.
 */
#include <stdlib.h>

#include "analysis/report/report_text.h"
#include "cli/changes.h"
#include "cli/cli.h"
#include "cli/provenance.h"

const char report_usage[] =
"usage: borderpath report [OPTIONS] [FILE...]\n"
"\n"
"Tells how it stands and how it went: by which border each network is entered from each vantage\n"
"point, shares per hour with their uncertainty, ways in that are left, round-trip times, loss, what\n"
"was not measured, events. FILEs are records or stores, one or many, such as one of each vantage\n"
"point: together they are read as one. Without FILE it is the store of --store, and without --since\n"
"its last seven days. What was judged by the profile is taken as it stands, the rest is judged now.\n"
"\n"
"  --annotate FILE.csv   lays known events over a page: columns time or start_utc, end_utc, label,\n"
"                        source, by their names\n"
"  --sensitive           short and small shifts of round-trip times, too\n"
SELECT_USAGE
"                        --border: the networks that were entered by it at some time in the window\n"
"  --format text|json|html\n"
"                        for people, one JSON object, or one HTML file that stands alone\n"
"  -o FILE, --quiet      write to FILE, once all is there; no notes\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 done, 1 failure or nothing measured there, 2 usage, 3 records skipped.\n";

enum { OPT_ANNOTATE = OPT_COMMAND_FIRST, OPT_SENSITIVE };

struct report_run {
	struct options options;
	struct select select;
	struct session session;
	struct judge_pass pass;
	struct changes *changes;
	struct changes_options how;
	struct provenance page;
};

static int take(struct report_run *run, int opt, const char *arg)
{
	switch (opt) {
	case OPT_ANNOTATE: run->page.annotate = arg; return 0;
	case OPT_SENSITIVE: run->how.sensitive = true; return 0;
	default: return select_take(&run->select, &run->options, opt, arg);
	}
}

static void put(struct report_run *run, struct buf *out, const struct report *report)
{
	struct style style = style_of(&run->session);
	struct html_about about;

	switch (run->options.format) {
	case OUTPUT_TEXT:
		report_text(out, &style, report);
		break;
	case OUTPUT_JSONL:
		report_write_json(out, report);
		break;
	case OUTPUT_HTML:
		about = provenance_about(&run->page, &run->pass);
		html_report(out, report, &about);
		break;
	}
}

static int print(struct report_run *run, struct bp_error *err)
{
	const struct report *report;
	struct buf out;
	int rc = changes_report(run->changes, &report);

	if (rc == BP_ENOTFOUND)
		return bp_fail(err, rc, "nothing was measured there");
	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	buf_init(&out);
	put(run, &out, report);
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     session_write(&run->session, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

static int run_report(struct report_run *run, int count, char **words)
{
	struct bp_error err;
	int rc = changes_new(&run->how, &run->changes), code;

	if (rc < 0)
		bp_fail(&err, rc, "out of memory");
	for (int i = 0; i < count && rc == 0; i++)
		rc = points_add(changes_points(run->changes), words[i], &err);
	if (rc == 0)
		rc = changes_read(run->changes, &err);
	if (rc < 0)
		return cli_error(&err);
	code = select_exit(changes_counts(run->changes));
	if (code == CLI_FAILURE)
		return code;
	return print(run, &err) < 0 ? cli_error(&err) : code;
}

static int open_and_run(struct report_run *run, int count, char **words)
{
	struct bp_error err;
	char *word[1];
	bool named = count > 0;
	int rc = select_sources(&run->select, &run->options, &count, &words, word);

	if (rc != 0)
		return rc - 1;
	default_window(&run->select, named, run->options.quiet);
	run->page.sources = (const char *const *)words;
	run->page.source_count = (unsigned)count;
	run->how.select = &run->select;
	run->how.pass = &run->pass;
	run->how.report = true;
	if (session_open(&run->options, true, &run->session, &err) < 0)
		return cli_error(&err);
	if (judge_pass_init(&run->pass, run->session.geo, run->session.profile,
			    JUDGE_PASS_SLOTS) < 0)
		rc = cli_error((bp_fail(&err, BP_ENOMEM, "out of memory"), &err));
	else
		rc = run_report(run, count, words);
	changes_free(run->changes);
	judge_pass_fini(&run->pass);
	return session_end(&run->session, rc);
}

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		SELECT_OPTIONS,
		{"annotate", required_argument, NULL, OPT_ANNOTATE},
		{"sensitive", no_argument, NULL, OPT_SENSITIVE},
		{NULL, 0, NULL, 0},
	};
	struct report_run run = {0};
	int opt, rc = 0;

	options_init(&run.options, "report");
	run.options.html = run.options.whole = true;
	provenance_init(&run.page, argc, argv);
	while (rc == 0 &&
	       (opt = options_next(&run.options, argc, argv, OPTIONS_SHORT, longs)) != -1)
		rc = opt == '?' ? CLI_USAGE + 1 : take(&run, opt, optarg);
	if (rc == 0)
		rc = provenance_open(&run.page, &run.options);
	rc = rc != 0 ? rc - 1 : open_and_run(&run, argc - optind, argv + optind);
	provenance_fini(&run.page);
	return rc;
}
