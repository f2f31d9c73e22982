// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath report: by which border each network was entered over a window, shares, delay,
 * reachability and what happened, out of stores and files. Text, JSON, or one page.
 */
#include <stdlib.h>

#include "analysis/report/report_text.h"
#include "cli/cli.h"
#include "cli/query.h"

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

static void put(struct query *run, struct buf *out, const struct report *report)
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

static int print(void *arg, struct bp_error *err)
{
	struct query *run = arg;
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

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = {QUERY_OPTIONS, {NULL, 0, NULL, 0}};
	struct query run = {.how = {.report = true}, .print = print};
	int opt, rc = 0;

	run.arg = &run;
	query_init(&run, "report", argc, argv);
	while (rc == 0 &&
	       (opt = options_next(&run.options, argc, argv, OPTIONS_SHORT, longs)) != -1)
		rc = opt == '?' ? CLI_USAGE + 1 : query_take(&run, opt, optarg);
	if (rc == 0)
		rc = provenance_open(&run.page, &run.options);
	if (rc == 0)
		rc = query_run(&run, argc - optind, argv + optind) + 1;
	query_fini(&run);
	return rc - 1;
}
