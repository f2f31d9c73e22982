// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath shifts: the shift detector on anybody's series, one in a file or several; columns,
 * units and notation are found or named. Knows no store and no network.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "analysis/report/table.h"
#include "analysis/shift.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "core/record/event.h"
#include "core/record/samples.h"

const char shifts_usage[] =
"usage: borderpath shifts [OPTIONS] [FILE...]\n"
"\n"
"Tells where a series of round-trip times moved from one level to another and stayed there: when,\n"
"from what to what, by how much and how sure. Noise, single spikes, bursts of loss and what swells\n"
"every day are none. A FILE is CSV (separated by , ; or tabs; numbers with point or comma); none, or\n"
"\"-\", is standard input. A negative or empty round-trip time, nan or * was not answered.\n"
"\n"
"  --sensitive           short and small ones too: more is found, and more of it is chance\n"
"  --time-col C          the column of the times, by name or number from 1; none: there is none\n"
"  --rtt-col C           the column of the round-trip times\n"
"  --series-col C,...    columns that tell the series of one file apart (else vantage, target and\n"
"                        method where there are such, addresses by network); none: it is one\n"
"  --unit s|ms|us        of the round-trip times (else by the column's name, else by their size)\n"
"  --format text|jsonl   for people, or one event a line (index: the row of data, from 0)\n"
"  -o FILE, --quiet, --color auto|always|never\n"
"\n"
"Times are seconds (or ms, us, ns) since 1970, RFC 3339, 2016-10-13 07:56 or 13/10/2016 07:56, in\n"
"UTC unless they say otherwise. What cannot be read is skipped, told, and makes the exit code 3.\n";

enum { OPT_SENSITIVE = OPT_COMMAND_FIRST, OPT_TIME_COL, OPT_RTT_COL, OPT_SERIES_COL, OPT_UNIT };
enum { TOLD_MOST = 20 };  /* skipped rows of a file; the rest is a number */
enum { SERIES_TEXT = 512 };

struct shifts_run {
	struct options options;
	struct samples_options read;
	enum shift_setting setting;
	struct session session;
	struct shift_scratch *scratch;
	struct shift_list found;
	unsigned told;             /* skipped rows of the file at hand */
	unsigned read_files, failed_files;
	uint64_t told_series;
	uint64_t skipped;
};

static void say(void *arg, bool skipped, const char *text)
{
	struct shifts_run *run = arg;

	if (run->options.quiet || (skipped && run->told++ >= TOLD_MOST))
		return;
	cli_say("%s%s", text, skipped ? "; skipped" : "");
}

/* --- for programs ----------------------------------------------------------------------------- */

static void put_event(struct buf *out, const struct samples *series, const struct shift *s,
		      const char *name)
{
	struct event e;

	event_init(&e);
	e.kind = EVENT_RTT_SHIFT;
	e.status = EVENT_CONFIRMED;
	e.at = e.not_after = s->not_after;
	e.not_before = s->not_before;
	e.before_ns = s->before_ns;
	e.after_ns = s->after_ns;
	e.shift_ns = s->shift_ns;
	e.shift_low_ns = s->low_ns;
	e.shift_high_ns = s->high_ns;
	e.confidence = s->confidence;
	e.p_value = s->p;
	e.index = (int64_t)series->row[s->index];
	e.seen_by = e.seen_of = 1;
	/* What tells two files apart is the name; one row of one file is always the same event. */
	text_set(e.profile, sizeof(e.profile), name);
	event_set_fingerprint(&e);
	event_set_id(&e, (struct wall){e.index}, 1);
	e.profile[0] = '\0';
	e.evidence_count = 1;
	e.evidence[0].at = s->not_after;
	snprintf(e.evidence[0].why, sizeof(e.evidence[0].why),
		 "%.120s: medians of %u points before and %u after", name, s->before_count,
		 s->after_count);
	event_write_json(out, &e);
}

/* --- for people ------------------------------------------------------------------------------- */

static const struct table_column columns[] = {
	{"after", false, 0}, {"by", false, 0}, {"from ms", true, 0}, {"to ms", true, 0},
	{"shift", true, 0}, {"95 % interval", true, 2}, {"confidence", true, 1}, {"row", true, 3},
};
enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

/* UTC to the second, without saying so in each row. */
static void put_time(char cell[TABLE_CELL], struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns == 0)
		snprintf(cell, TABLE_CELL, "-");
	else
		snprintf(cell, TABLE_CELL, "%.19s", wall_format_short(t, text));
}

static void fill(struct table_row *row, const struct samples *series, const struct shift *s)
{
	put_time(row->cell[0], s->not_before);
	put_time(row->cell[1], s->not_after);
	snprintf(row->cell[2], TABLE_CELL, "%.1f", ms(s->before_ns));
	snprintf(row->cell[3], TABLE_CELL, "%.1f", ms(s->after_ns));
	snprintf(row->cell[4], TABLE_CELL, "%+.1f", ms(s->shift_ns));
	if (s->interval_known)
		snprintf(row->cell[5], TABLE_CELL, "%+.1f to %+.1f", ms(s->low_ns),
			 ms(s->high_ns));
	else
		snprintf(row->cell[5], TABLE_CELL, "too few");
	snprintf(row->cell[6], TABLE_CELL, "%.2f", s->confidence);
	snprintf(row->cell[7], TABLE_CELL, "%" PRIu64, series->row[s->index]);
}

static const char *counted(size_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static void put_heading(struct buf *out, const struct samples *series, size_t shifts,
			const char *name)
{
	char from[WALL_TEXT], to[WALL_TEXT];
	size_t lost = 0;

	for (size_t i = 0; i < series->count; i++)
		lost += series->rtt_ns[i] < 0;
	buf_printf(out, "%s: %zu %s, %zu lost", name, series->count,
		   counted(series->count, "point", "points"), lost);
	if (series->at != NULL)
		buf_printf(out, ", %.19s to %s", wall_format_short(series->at[0], from),
			   wall_format_short(series->at[series->count - 1], to));
	if (shifts == 0)
		buf_str(out, ": no shift\n");
	else
		buf_printf(out, ": %zu %s\n", shifts, counted(shifts, "shift", "shifts"));
}

static void put_text(struct shifts_run *run, struct buf *out, const struct samples *series,
		    const char *name)
{
	struct style style = style_of(&run->session);
	struct table table;
	size_t start;

	if (run->told_series++ > 0)
		buf_char(out, '\n');
	start = out->used;
	put_heading(out, series, run->found.count, name);
	style_wrap(out, &style, start, 4);
	table_init(&table, columns, COLUMN_COUNT, COLUMN_COUNT);
	for (size_t i = 0; i < run->found.count; i++) {
		struct table_row *row = table_add(&table);

		if (row != NULL)
			fill(row, series, &run->found.items[i]);
	}
	table_draw(out, &style, &table, true);
	out->failed = out->failed || table.failed;
	table_fini(&table);
}

/* --- files ------------------------------------------------------------------------------------ */

static int tell(struct shifts_run *run, const struct samples *series, const char *name,
		struct bp_error *err)
{
	struct buf out;
	int rc;

	buf_init(&out);
	if (run->options.format == OUTPUT_JSONL) {
		for (size_t i = 0; i < run->found.count; i++)
			put_event(&out, series, &run->found.items[i], name);
	} else {
		put_text(run, &out, series, name);
	}
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
	if (rc == 0 && out.used > 0)
		rc = session_write(&run->session, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

static int tell_quiet(struct shifts_run *run, const char *file, uint32_t quiet, uint32_t of,
		      struct bp_error *err)
{
	struct buf out;
	int rc;

	buf_init(&out);
	buf_printf(&out, "%s%s: no shift in %" PRIu32 " of %" PRIu32 " series\n",
		   run->told_series > 0 ? "\n" : "", file, quiet, of);
	run->told_series++;
	rc = out.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
	     session_write(&run->session, out.bytes, out.used, err);
	buf_fini(&out);
	return rc;
}

/* A file that cannot be read is told and counted; what is returned ends the run. */
/* A part of the arrays, borrowed. */
static struct samples part_of(const struct samples *all, uint32_t number)
{
	struct samples part = *all;
	size_t first = all->first[number];

	part.count = all->first[number + 1] - first;
	part.rtt_ns += first;
	part.row += first;
	if (part.at != NULL)
		part.at += first;
	return part;
}

static int take_series(struct shifts_run *run, const struct samples *all, const char *file,
		       struct bp_error *err)
{
	char name[SERIES_TEXT];
	uint32_t quiet = 0;
	int rc = 0;

	for (uint32_t i = 0; i < all->series_count && rc == 0; i++) {
		struct samples part = part_of(all, i);

		text_set(name, sizeof(name), file);
		if (all->names != NULL)
			snprintf(name, sizeof(name), "%s, %s", file, all->names[i]);
		shift_list_clear(&run->found);
		rc = shift_detect(run->scratch, run->setting, part.at, part.rtt_ns, part.count,
				  &run->found);
		if (rc < 0)
			return bp_fail(err, rc, "out of memory");
		/* Of thousands of series those are told that have one. */
		if (all->names != NULL && run->found.count == 0)
			quiet++;
		else
			rc = tell(run, &part, name, err);
	}
	if (rc == 0 && quiet > 0 && run->options.format != OUTPUT_JSONL)
		rc = tell_quiet(run, file, quiet, all->series_count, err);
	return rc;
}

static int take_file(struct shifts_run *run, const char *path, struct bp_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	struct samples series;
	int rc;

	run->told = 0;
	rc = f == NULL ? bp_fail_sys(err, errno, "cannot read %s", path) :
	     samples_read(f, name, &run->read, &series, err);
	if (f != NULL && !is_stdin)
		fclose(f);
	if (rc < 0) {
		if (run->told > 0)
			run->skipped++;
		run->failed_files++;
		cli_error(err);
		return 0;
	}
	run->read_files++;
	run->skipped += series.skipped;
	if (run->told > TOLD_MOST && !run->options.quiet)
		cli_say("%s: %u rows more skipped", name, run->told - TOLD_MOST);
	rc = take_series(run, &series, name, err);
	samples_fini(&series);
	return rc;
}

static int exit_of(const struct shifts_run *run)
{
	if (run->failed_files > 0)
		return run->read_files > 0 ? CLI_PARTIAL : CLI_FAILURE;
	return run->skipped > 0 ? CLI_PARTIAL : CLI_OK;
}

/* --- the command ------------------------------------------------------------------------------ */

static int take(struct shifts_run *run, int opt, const char *arg)
{
	static const struct word units[] = {
		{"ms", SAMPLES_MS}, {"s", SAMPLES_S}, {"us", SAMPLES_US}, {NULL, 0}};
	int value;

	switch (opt) {
	case OPT_SENSITIVE: run->setting = SHIFT_SENSITIVE; return 0;
	case OPT_TIME_COL: run->read.time_col = arg; return 0;
	case OPT_RTT_COL: run->read.rtt_col = arg; return 0;
	case OPT_SERIES_COL: run->read.series_col = arg; return 0;
	case OPT_UNIT:
		if (word_value(units, arg, &value) < 0)
			return cli_usage("shifts", "--unit is s, ms or us, not '%s'", arg) + 1;
		run->read.unit = (enum samples_unit)value;
		return 0;
	default: return options_take(&run->options, opt, arg);
	}
}

static int run_files(struct shifts_run *run, int count, char **paths)
{
	struct bp_error err;
	int rc = session_open_output(&run->options, &run->session, &err);

	if (rc < 0)
		return cli_error(&err);
	run->scratch = shift_scratch_new();
	if (run->scratch == NULL)
		rc = bp_fail(&err, BP_ENOMEM, "out of memory");
	for (int i = 0; i < count && rc == 0; i++)
		rc = take_file(run, paths[i], &err);
	shift_scratch_free(run->scratch);
	shift_list_fini(&run->found);
	return session_end(&run->session, rc < 0 ? cli_error(&err) : exit_of(run));
}

int cmd_shifts(int argc, char **argv)
{
	static const struct option longs[] = {
		OPTIONS_COMMON,
		{"sensitive", no_argument, NULL, OPT_SENSITIVE},
		{"time-col", required_argument, NULL, OPT_TIME_COL},
		{"rtt-col", required_argument, NULL, OPT_RTT_COL},
		{"series-col", required_argument, NULL, OPT_SERIES_COL},
		{"unit", required_argument, NULL, OPT_UNIT},
		{NULL, 0, NULL, 0},
	};
	char dash[] = "-", *input[] = {dash, NULL};
	struct shifts_run run = {.read = {.say = say}};
	int opt, rc;

	run.read.arg = &run;
	options_init(&run.options, "shifts");
	while ((opt = options_next(&run.options, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take(&run, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	if (optind == argc && isatty(STDIN_FILENO))
		return cli_usage("shifts", "name a file of CSV, or - for standard input");
	return optind == argc ? run_files(&run, 1, input) :
	       run_files(&run, argc - optind, argv + optind);
}
