// SPDX-License-Identifier: BSD-2-Clause
/* A series from CSV: finds the columns in the first rows, keeps a row's readings until all are
 * known, then settles unit and order of day and month, and sorts. */
#include "core/record/samples.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/csvread.h"
#include "core/record/samples_series.h"
#include "core/record/samples_value.h"
#include "core/text.h"

enum { NO_COLUMN = -1, DELAY_MOST = 1000 * 1000, ROWS_A_SERIES = 4 };
#define CLOCK_BACK_NS (INT64_C(3600) * NS_PER_S)

struct reading {
	struct samples_time time;
	int64_t rtt_e9;      /* negative: lost */
	uint64_t row, line;
	uint32_t series;
};

struct reading_list { struct reading *items; size_t count, size; };

struct reader {
	struct csv_reader csv;
	const struct samples_options *options;
	int time, rtt;       /* columns, from 0; NO_COLUMN */
	enum samples_unit unit;
	struct samples_series series;
	struct reading_list readings;
	uint64_t rows, skipped;
};

static void say(const struct samples_options *o, bool skipped, const struct bp_error *text)
{
	if (o->say != NULL)
		o->say(o->arg, skipped, text->text);
}

static void note(const struct reader *r, const char *text)
{
	struct bp_error line;

	bp_fail(&line, BP_EINVAL, "%s: %s", r->csv.name, text);
	say(r->options, false, &line);
}

/* The row at `line` is left out. */
static void skip(struct reader *r, uint64_t line, const char *what, const char *cell)
{
	struct bp_error text;

	bp_fail(&text, BP_EPARSE, "%s:%" PRIu64 ": %s%s%.60s%s", r->csv.name, line, what,
		cell != NULL ? ": '" : "", cell != NULL ? cell : "", cell != NULL ? "'" : "");
	say(r->options, true, &text);
	r->skipped++;
}

/* --- columns ---------------------------------------------------------------------------------- */

static const char *const time_names[] = {
	"time", "timestamp", "epoch", "datetime", "date_time", "date", "ts", "when", "at", "start",
	"start_utc", "time_utc", "utc", "unix", "t", NULL};
static const char *const rtt_names[] = {
	"rtt", "rtt_ms", "rtt_s", "rtt_us", "rtt_median_ms", "rtt_min_ms", "latency", "latency_ms",
	"latency_s", "delay", "delay_ms", "delay_s", "ping", "ping_ms", "median", "avg", "min",
	"value", NULL};

static bool is_number(const char *cell)
{
	int64_t e9;

	return samples_number(cell, &e9) == 0;
}

/* A date, or a count since 1970 that is not small enough to be anything else. */
static bool is_moment(const char *cell)
{
	struct samples_time t;

	return samples_time(cell, &t) == 0 &&
	       (strspn(cell, "0123456789") < strlen(cell) || strlen(cell) >= 9) &&
	       (!is_number(cell) || strspn(cell, "0123456789") >= 9);
}

/* A first row without a number or a moment has names. */
static bool is_header(const struct csv_reader *csv)
{
	bool names = false;

	for (unsigned i = 0; i < csv->count; i++) {
		const char *cell = csv->fields[i];

		if (is_number(cell) || is_moment(cell))
			return false;
		names = names || !samples_is_lost(cell);
	}
	return names;
}

/* By its name, or by a number from 1. */
static int column_named(const struct reader *r, const char *option, const char *name, bool header,
			int *out, struct bp_error *err)
{
	const char *const names[] = {name, NULL};
	int column = header ? csv_column(&r->csv, names) : NO_COLUMN;
	uint64_t number;

	if (column == NO_COLUMN && text_to_u64(name, 1, r->csv.count, &number) == 0)
		column = (int)number - 1;
	if (column == NO_COLUMN)
		return bp_fail(err, BP_ENOTFOUND, "%s: no column '%s' (%s); %s", r->csv.name, name,
			       option, header ? "the first row has the names" :
						"the first row has no names: count from 1");
	*out = column;
	return 0;
}

/* What the name of the column says of its unit: "rtt_ms", "delay (s)". */
static enum samples_unit unit_of_name(const char *name)
{
	static const struct word ends[] = {
		{"_ms", SAMPLES_MS}, {"(ms)", SAMPLES_MS}, {"[ms]", SAMPLES_MS},
		{" ms", SAMPLES_MS}, {"_s", SAMPLES_S}, {"(s)", SAMPLES_S}, {"[s]", SAMPLES_S},
		{" s", SAMPLES_S}, {"_sec", SAMPLES_S}, {"_seconds", SAMPLES_S},
		{"_us", SAMPLES_US}, {"(us)", SAMPLES_US}, {"[us]", SAMPLES_US},
		{" us", SAMPLES_US}, {NULL, 0}};
	size_t n = strlen(name);

	for (const struct word *w = ends; w->word != NULL; w++) {
		size_t m = strlen(w->word);

		if (n > m && strcasecmp(name + n - m, w->word) == 0)
			return (enum samples_unit)w->value;
	}
	return SAMPLES_UNIT_UNKNOWN;
}

/* One of the names, or one that begins as they do: "RTT (ms)". */
static int rtt_column(const struct csv_reader *csv)
{
	static const char *const begins[] = {"rtt", "latency", "delay", "ping "};
	int column = csv_column(csv, rtt_names);

	for (unsigned k = 0; column == NO_COLUMN && k < sizeof(begins) / sizeof(begins[0]); k++) {
		for (int i = 0; column == NO_COLUMN && i < (int)csv->count; i++) {
			if (strncasecmp(csv->fields[i], begins[k], strlen(begins[k])) == 0)
				column = i;
		}
	}
	return column;
}

/* Of the row with the names, or the first one without. */
static int find_named(struct reader *r, bool header, struct bp_error *err)
{
	const struct samples_options *o = r->options;
	int rc = 0;

	if (o->time_col != NULL && strcmp(o->time_col, "none") != 0)
		rc = column_named(r, "--time-col", o->time_col, header, &r->time, err);
	else if (o->time_col == NULL && header)
		r->time = csv_column(&r->csv, time_names);
	if (rc == 0 && o->rtt_col != NULL)
		rc = column_named(r, "--rtt-col", o->rtt_col, header, &r->rtt, err);
	else if (rc == 0 && header)
		r->rtt = rtt_column(&r->csv);
	if (rc == 0 && header && r->unit == SAMPLES_UNIT_UNKNOWN && r->rtt != NO_COLUMN)
		r->unit = unit_of_name(r->csv.fields[r->rtt]);
	return rc == 0 ? samples_series_find(&r->series, &r->csv, header, o->series_col, err) : rc;
}

/* What the names did not tell, by the cells of the first row of data: the first moment is the time,
 * the first other number the delay. */
static int find_by_cells(struct reader *r, struct bp_error *err)
{
	const struct csv_reader *csv = &r->csv;

	for (int i = 0; r->time == NO_COLUMN && r->options->time_col == NULL &&
			i < (int)csv->count && csv->count > 1; i++) {
		if (i != r->rtt && is_moment(csv->fields[i]))
			r->time = i;
	}
	for (int i = 0; r->rtt == NO_COLUMN && i < (int)csv->count; i++) {
		const char *cell = csv->fields[i];

		if (i != r->time &&
		    (is_number(cell) || (cell[0] != '\0' && samples_is_lost(cell))))
			r->rtt = i;
	}
	if (r->rtt == NO_COLUMN)
		return bp_fail(err, BP_EPARSE, "%s:%lu: no column of round-trip times: --rtt-col "
			       "names it", csv->name, csv->line);
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

static struct reading *add(struct reading_list *list)
{
	if (list->count == list->size) {
		size_t size = list->size > 0 ? 2 * list->size : 1024;
		struct reading *items = reallocarray(list->items, size, sizeof(*items));

		if (items == NULL)
			return NULL;
		list->items = items;
		list->size = size;
	}
	return &list->items[list->count++];
}

static int take_row(struct reader *r, struct bp_error *err)
{
	const struct csv_reader *csv = &r->csv;
	struct reading x = {.row = r->rows++, .line = csv->line}, *to;
	const char *cell;

	if (r->rows > SAMPLES_MAX)
		return bp_fail(err, BP_ERANGE, "%s: over %d rows", csv->name, SAMPLES_MAX);
	if (r->time != NO_COLUMN) {
		cell = r->time < (int)csv->count ? csv->fields[r->time] : "";
		if (samples_time(cell, &x.time) < 0) {
			skip(r, x.line, "no time", cell);
			return 0;
		}
	}
	/* A row that ends before it has none. */
	cell = r->rtt < (int)csv->count ? csv->fields[r->rtt] : "";
	if (samples_is_lost(cell)) {
		x.rtt_e9 = -1;
	} else if (samples_number(cell, &x.rtt_e9) < 0 ||
		   x.rtt_e9 > (int64_t)DELAY_MOST * NS_PER_S) {
		skip(r, x.line, "no round-trip time", cell);
		return 0;
	}
	to = samples_series_of(&r->series, csv, &x.series) == 0 ? add(&r->readings) : NULL;
	if (to == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*to = x;
	return 0;
}

/* One row that is none is left out; a file that cannot be read is an error. */
static int next_row(struct reader *r, struct bp_error *err)
{
	int rc;

	while ((rc = csv_read(&r->csv, err)) == BP_EPARSE || rc == BP_ERANGE) {
		say(r->options, true, err);
		r->skipped++;
		r->rows++;
	}
	return rc;
}

static int read_rows(struct reader *r, struct bp_error *err)
{
	int rc = next_row(r, err);
	bool header;

	if (rc < 0)
		return rc == BP_EOF ? 0 : rc;
	header = is_header(&r->csv);
	rc = find_named(r, header, err);
	if (rc == 0 && header) {
		/* One column has no delimiter: a comma is one of a number. */
		if (r->csv.count == 1)
			r->csv.delimiter = ';';
		rc = next_row(r, err);
		if (rc == BP_EOF)
			return 0;
	}
	if (rc == 0)
		rc = find_by_cells(r, err);
	while (rc == 0) {
		rc = take_row(r, err);
		if (rc == 0)
			rc = next_row(r, err);
	}
	return rc == BP_EOF ? 0 : rc;
}

/* --- what only all rows tell ------------------------------------------------------------------ */

/* How badly the rows read as times of one order of day and month: those that are none, and steps
 * back. */
static void count_misfits(const struct reading_list *list, bool month_first, size_t *none,
			  size_t *back)
{
	int64_t last = INT64_MIN;

	*none = *back = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct samples_time *t = &list->items[i].time;
		int64_t ns = month_first ? t->month_first_ns : t->ns;

		if (ns == INT64_MIN) {
			(*none)++;
			continue;
		}
		*back += ns < last;
		last = ns;
	}
}

static bool has_two_ways(const struct reading_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].time.two_ways)
			return true;
	}
	return false;
}

/* Day or month first: what leaves fewer rows without a time, then what goes back less often. */
static void settle_order(struct reader *r)
{
	struct reading_list *list = &r->readings;
	size_t none[2], back[2], kept = 0;
	bool month_first;

	if (!has_two_ways(list))
		return;
	count_misfits(list, false, &none[0], &back[0]);
	count_misfits(list, true, &none[1], &back[1]);
	month_first = none[1] < none[0] || (none[1] == none[0] && back[1] < back[0]);
	if (none[0] == none[1] && back[0] == back[1])
		note(r, "dates read as day/month/year: nothing in them says otherwise");
	for (size_t i = 0; i < list->count; i++) {
		struct reading *x = &list->items[i];

		if (month_first)
			x->time.ns = x->time.month_first_ns;
		if (x->time.ns == INT64_MIN)
			skip(r, x->line, month_first ? "no such day, month first" :
			     "no such day, day first", NULL);
		else
			list->items[kept++] = *x;
	}
	list->count = kept;
}

static int compare_e9(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Few paths are a second long, and few that anybody writes a series of are under one millisecond:
 * half of the values under 1 are seconds. */
static int settle_unit(struct reader *r, struct bp_error *err)
{
	const struct reading_list *list = &r->readings;
	size_t n = 0;
	int64_t *values;

	if (r->unit != SAMPLES_UNIT_UNKNOWN)
		return 0;
	values = calloc(list->count + 1, sizeof(*values));
	if (values == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].rtt_e9 >= 0)
			values[n++] = list->items[i].rtt_e9;
	}
	qsort(values, n, sizeof(*values), compare_e9);
	r->unit = n > 0 && values[n / 2] < NS_PER_S ? SAMPLES_S : SAMPLES_MS;
	free(values);
	if (r->unit == SAMPLES_S)
		note(r, "round-trip times taken as seconds, by their size: --unit says otherwise");
	return 0;
}

static int compare_readings(const void *a, const void *b)
{
	const struct reading *x = a, *y = b;

	if (x->time.ns != y->time.ns)
		return x->time.ns < y->time.ns ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* A clock that was put back by up to an hour, as local time is each autumn, does not change what
 * came first; more than that is rows in another order. */
static void settle_times(struct reader *r)
{
	struct reading_list *list = &r->readings;
	int64_t most = 0;

	for (size_t i = 1; i < list->count; i++) {
		int64_t back;

		if (__builtin_sub_overflow(list->items[i - 1].time.ns, list->items[i].time.ns,
					   &back))
			back = INT64_MAX;
		most = back > most ? back : most;
	}
	if (most <= CLOCK_BACK_NS)
		return;
	note(r, "rows are not in order of time: sorted");
	qsort(list->items, list->count, sizeof(list->items[0]), compare_readings);
}

static int64_t ns_of(int64_t e9, enum samples_unit unit)
{
	if (e9 < 0)
		return SAMPLES_LOST;
	return unit == SAMPLES_S ? e9 : unit == SAMPLES_MS ? e9 / 1000 : e9 / 1000000;
}

/* Where each row would be its own series, or nearly, the column tells something else. */
static bool has_series(const struct reader *r)
{
	return r->series.count > 1 &&
	       (r->series.named || r->series.count <= r->readings.count / ROWS_A_SERIES);
}

/* Where each series begins; `next` is of room for the same. */
static void count_series(const struct reader *r, bool several, size_t *first, size_t *next)
{
	const struct reading_list *list = &r->readings;
	uint32_t n = several ? r->series.count : 1;

	for (size_t i = 0; i < list->count; i++)
		first[several ? list->items[i].series + 1 : 1]++;
	for (uint32_t i = 0; i < n; i++)
		first[i + 1] += first[i];
	memcpy(next, first, n * sizeof(*next));
}

static int take_over(struct reader *r, struct samples *out, struct bp_error *err)
{
	const struct reading_list *list = &r->readings;
	bool several = has_series(r);
	struct samples s = {.count = list->count, .skipped = r->skipped, .unit = r->unit,
			    .series_count = several ? r->series.count : 1};
	size_t *next = calloc((size_t)s.series_count + 1, sizeof(*next));

	s.rtt_ns = calloc(s.count + 1, sizeof(*s.rtt_ns));
	s.row = calloc(s.count + 1, sizeof(*s.row));
	s.first = calloc((size_t)s.series_count + 1, sizeof(*s.first));
	if (r->time != NO_COLUMN)
		s.at = calloc(s.count + 1, sizeof(*s.at));
	if (s.rtt_ns == NULL || s.row == NULL || s.first == NULL || next == NULL ||
	    (r->time != NO_COLUMN && s.at == NULL)) {
		free(next);
		samples_fini(&s);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	count_series(r, several, s.first, next);
	for (size_t i = 0; i < s.count; i++) {
		const struct reading *x = &list->items[i];
		size_t at = next[several ? x->series : 0]++;

		s.rtt_ns[at] = ns_of(x->rtt_e9, r->unit);
		s.row[at] = x->row;
		if (s.at != NULL)
			s.at[at].ns = x->time.ns;
	}
	if (several) {
		s.names = r->series.names;
		r->series.names = NULL;
		r->series.count = 0;
	}
	free(next);
	*out = s;
	return 0;
}

int samples_read(FILE *file, const char *name, const struct samples_options *options,
		 struct samples *out, struct bp_error *err)
{
	struct reader r = {.options = options, .time = NO_COLUMN, .rtt = NO_COLUMN,
			   .unit = options->unit};
	int rc;

	csv_reader_init(&r.csv, file, name);
	rc = read_rows(&r, err);
	if (rc == 0 && r.readings.count == 0)
		rc = bp_fail(err, BP_EPARSE, "%s: no row of a series", name);
	if (rc == 0)
		settle_order(&r);
	if (rc == 0)
		rc = settle_unit(&r, err);
	if (rc == 0)
		settle_times(&r);
	if (rc == 0)
		rc = take_over(&r, out, err);
	free(r.readings.items);
	samples_series_fini(&r.series);
	csv_reader_fini(&r.csv);
	return rc;
}

void samples_fini(struct samples *s)
{
	free(s->at);
	free(s->rtt_ns);
	free(s->row);
	for (uint32_t i = 0; s->names != NULL && i < s->series_count; i++)
		free(s->names[i]);
	free(s->names);
	free(s->first);
	*s = (struct samples){0};
}
