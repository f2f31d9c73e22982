// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath events: what changed, out of stores and files: border switches, path changes, shifts
 * of round-trip times, outages. With a cursor only what it has not told before: for cron.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/report/events_text.h"
#include "analysis/sentence.h"
#include "cli/cli.h"
#include "cli/cursor.h"
#include "cli/query.h"
#include "core/whole.h"

const char events_usage[] =
"usage: borderpath events [OPTIONS] [FILE...]\n"
"\n"
"Tells what changed, oldest first: border switches, path changes, shifts of round-trip times, outages\n"
"and recoveries, flapping. Each from all vantage points together, with the interval that its moment\n"
"lies in. FILEs are records or stores, one or many: together they are read as one. Without FILE it is\n"
"the store of --store, and without --since its last seven days. What was judged by the profile is\n"
"taken as it stands, the rest is judged now. Twelve rounds before --since are read as well, so that\n"
"what was there before is known; an outage that had begun then is told, too.\n"
"\n"
"  --all                 each revision of an event, those seen once and those withdrawn too; else\n"
"                        the last word on each that held\n"
"  --new --cursor FILE   only what was not printed before: FILE keeps that, and is made when it is\n"
"                        missing. Nothing new prints nothing\n"
"  --exit-code           exit 1 when something is printed, 0 when not, 2 for trouble\n"
"  --flapping D          four switches within D are one flapping (1h)\n"
"  --sensitive           short and small shifts of round-trip times, too\n"
SELECT_USAGE
"                        --border: events from or to it\n"
"  --format text|jsonl|html, --annotate FILE.csv\n"
"                        for people, one JSON object a line, or a page; known events laid over it\n"
"  -o FILE, --quiet      write to FILE, once all is there; no notes\n"
"  --color auto|always|never, --profile NAME|FILE, --asn-db FILE, --country-db FILE\n"
"\n"
"Exit: 0 done, 1 failure, 2 usage, 3 records skipped; with --exit-code as said there.\n";

enum { OPT_ALL = OPT_QUERY_FIRST, OPT_NEW, OPT_CURSOR, OPT_EXIT_CODE, OPT_FLAPPING };

struct events_run {
	struct query q;
	struct cursor cursor;
	const char *cursor_path;       /* NULL: none */
	bool new, exit_code;
	unsigned printed;
};

static int take(struct events_run *run, int opt, const char *arg)
{
	switch (opt) {
	case OPT_ALL: run->q.how.all = true; return 0;
	case OPT_NEW: run->new = true; return 0;
	case OPT_CURSOR: run->cursor_path = arg; return 0;
	case OPT_EXIT_CODE: run->exit_code = true; return 0;
	case OPT_FLAPPING:
		if (duration_parse(arg, &run->q.how.flap_ns) == 0 && run->q.how.flap_ns > 0)
			return 0;
		return cli_usage("events", "--flapping takes a time such as 30m or 6h, not '%s'",
				 arg) + 1;
	default: return query_take(&run->q, opt, arg);
	}
}

/* --- what is printed -------------------------------------------------------------------------- */

static bool at_border(const struct event *e, const char *border)
{
	return border == NULL || strcmp(e->from.what, border) == 0 ||
	       strcmp(e->to.what, border) == 0;
}

/* Puts those that are to be printed first, in their order. */
static unsigned choose(struct events_run *run, const struct event **out)
{
	unsigned count, kept = 0;
	struct event *const *events = changes_events(run->q.changes, &count);

	for (unsigned i = 0; i < count; i++) {
		if (at_border(events[i], run->q.select.border) &&
		    (!run->new || cursor_is_new(&run->cursor, events[i])))
			out[kept++] = events[i];
	}
	return kept;
}

static int put_page(struct events_run *run, struct buf *out, struct bp_error *err)
{
	struct html_about about = provenance_about(&run->q.page, &run->q.pass);
	const struct report *report;
	int rc = changes_report(run->q.changes, &report);

	if (rc < 0)
		return bp_fail(err, rc, "out of memory");
	html_events(out, report, &about);
	return 0;
}

/* Nothing happened: what would have been seen is the other half of that. */
static void put_quiet(struct events_run *run, struct buf *out, const struct style *style)
{
	const struct report *report;
	size_t start = out->used;

	if (run->new)
		return;
	if (run->q.how.report && changes_report(run->q.changes, &report) == 0) {
		sentence_quiet(out, report);
		buf_char(out, '\n');
		style_wrap(out, style, start, 2);
	} else {
		events_count(out, NULL, 0);
	}
}

static void put_text(struct events_run *run, struct buf *out, const struct event *const *events)
{
	struct style style = style_of(&run->q.session);

	events_text(out, &style, events, run->printed, run->q.session.profile);
	if (run->printed == 0)
		put_quiet(run, out, &style);
	else if (!run->new)
		events_count(out, events, run->printed);
}

static int put(struct events_run *run, struct buf *out, const struct event *const *events,
	       struct bp_error *err)
{
	if (run->q.options.format == OUTPUT_HTML)
		return put_page(run, out, err);
	if (run->q.options.format == OUTPUT_TEXT)
		put_text(run, out, events);
	for (unsigned i = 0; i < run->printed && run->q.options.format == OUTPUT_JSONL; i++)
		event_write_json(out, events[i]);
	return 0;
}

static int print_events(struct events_run *run, struct bp_error *err)
{
	const struct event **events;
	unsigned count;
	struct buf out;
	int rc = 0;

	changes_events(run->q.changes, &count);
	events = calloc(count + 1, sizeof(struct event *));
	if (events == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	buf_init(&out);
	run->printed = choose(run, events);
	for (unsigned i = 0; i < run->printed && run->new && rc == 0; i++)
		rc = cursor_add(&run->cursor, events[i]);
	if (rc == 0)
		rc = put(run, &out, events, err);
	if (rc == 0 && out.failed)
		rc = BP_ENOMEM;
	if (rc == BP_ENOMEM)
		bp_fail(err, rc, "out of memory");
	if (rc == 0 && out.used > 0)
		rc = session_write(&run->q.session, out.bytes, out.used, err);
	buf_fini(&out);
	free(events);
	return rc;
}

static int print(void *arg, struct bp_error *err)
{
	struct events_run *run = arg;

	/* "Nothing happened" is said of what was looked at only. */
	if (changes_measured(run->q.changes) == 0 && !run->new)
		return bp_fail(err, BP_ENOTFOUND, "nothing was measured there");
	cursor_reach(&run->cursor, changes_seen(run->q.changes));
	return print_events(run, err);
}

/* --- the run ---------------------------------------------------------------------------------- */

static int told_code(const struct events_run *run, int code)
{
	if (!run->exit_code || code == CLI_USAGE)
		return code;
	if (code == CLI_FAILURE)
		return CLI_DIFF_TROUBLE;
	if (run->printed > 0)
		return CLI_DIFF_CHANGED;
	return code == CLI_OK ? CLI_DIFF_SAME : CLI_DIFF_TROUBLE;
}

static int check_options(struct events_run *run)
{
	if (run->new != (run->cursor_path != NULL))
		return cli_usage("events", "--new and --cursor FILE go together") + 1;
	if (run->new && run->q.options.format == OUTPUT_HTML)
		return cli_usage("events", "--new goes with --format text or jsonl") + 1;
	return provenance_open(&run->q.page, &run->q.options);
}

static int before(void *arg)
{
	struct events_run *run = arg;
	struct bp_error err;

	/* --border is of what is told, not of what is read. */
	run->q.read.border = NULL;
	if (!run->new)
		return 0;
	if (cursor_read(run->cursor_path, &run->cursor, &err) < 0 ||
	    whole_check(run->cursor_path, &err) < 0)
		return cli_error(&err) + 1;
	if (run->cursor.seen.ns != 0 && run->q.select.since.ns == 0)
		run->q.select.since.ns = run->cursor.seen.ns - CURSOR_LOOK_NS;
	return 0;
}

/* After the session: what was not written well is new the next time. */
static int close_cursor(struct events_run *run, int code)
{
	struct bp_error err;

	if (!run->new || code == CLI_FAILURE || code == CLI_USAGE ||
	    cursor_write(&run->cursor, run->cursor_path, &err) == 0)
		return code;
	return cli_error(&err);
}

int cmd_events(int argc, char **argv)
{
	static const struct option longs[] = {
		QUERY_OPTIONS,
		{"all", no_argument, NULL, OPT_ALL},
		{"new", no_argument, NULL, OPT_NEW},
		{"cursor", required_argument, NULL, OPT_CURSOR},
		{"exit-code", no_argument, NULL, OPT_EXIT_CODE},
		{"flapping", required_argument, NULL, OPT_FLAPPING},
		{NULL, 0, NULL, 0},
	};
	struct events_run run = {.q = {.before = before, .print = print}};
	struct options *o = &run.q.options;
	int opt, rc = 0;

	run.q.arg = &run;
	query_init(&run.q, "events", argc, argv);
	while (rc == 0 && (opt = options_next(o, argc, argv, OPTIONS_SHORT, longs)) != -1)
		rc = opt == '?' ? CLI_USAGE + 1 : take(&run, opt, optarg);
	if (rc == 0)
		rc = check_options(&run);
	if (rc == 0) {
		run.q.silent = run.new;
		run.q.how.report = o->format != OUTPUT_JSONL && !run.new;
		rc = close_cursor(&run, query_run(&run.q, argc - optind, argv + optind)) + 1;
	}
	rc = told_code(&run, rc - 1);
	cursor_fini(&run.cursor);
	query_fini(&run.q);
	return rc;
}
