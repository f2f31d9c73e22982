// SPDX-License-Identifier: BSD-2-Clause
/* Columns by their names; without names by what the first row holds. */
#include "cli/annotate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/csvread.h"

enum { ANNOTATIONS_MAX = 10000 };

struct columns { int from, to, label, source; };

static const char *const from_words[] = {
	"start_utc", "start", "from", "begin", "time", "time_utc", "at", "date", "datetime",
	"timestamp", "when", NULL};
static const char *const to_words[] = {"end_utc", "end", "to", "until", "stop", NULL};
static const char *const label_words[] = {"label", "title", "event", "what", "name", "description",
					  "text", NULL};
static const char *const source_words[] = {"source", "sources", "reference", "ref", "url", NULL};

static bool is_time(const char *text, struct wall *out)
{
	/* "now" and "2h ago" are no dates of known events. */
	return wall_parse(text, (struct wall){0}, out) == 0 && out->ns > 0;
}

static int find_columns(const struct csv_reader *r, struct columns *c, bool *named,
			struct bp_error *err)
{
	struct wall t;

	*c = (struct columns){-1, -1, -1, -1};
	*named = !is_time(r->fields[0], &t);
	if (!*named) {
		c->from = 0;
		c->to = r->count > 1 && is_time(r->fields[1], &t) ? 1 : -1;
		c->label = c->to == 1 ? 2 : 1;
		c->source = c->label + 1;
		return 0;
	}
	c->from = csv_column(r, from_words);
	c->to = csv_column(r, to_words);
	c->label = csv_column(r, label_words);
	c->source = csv_column(r, source_words);
	if (c->from < 0)
		return bp_fail(err, BP_EPARSE, "%s:%lu: no column of times: name one start_utc, "
			       "time or date", r->name, r->line);
	return 0;
}

static const char *field(const struct csv_reader *r, int column)
{
	return column >= 0 && (unsigned)column < r->count ? r->fields[column] : "";
}

static int take_time(const struct csv_reader *r, int column, struct wall *out, struct bp_error *err)
{
	if (is_time(field(r, column), out))
		return 0;
	return bp_fail(err, BP_EPARSE, "%s:%lu: '%.60s' is no time such as 2017-10-01T09:07:51Z",
		       r->name, r->line, field(r, column));
}

/* What the label column says, else all that no other column is for. */
static char *make_label(const struct csv_reader *r, const struct columns *c)
{
	struct buf text;

	buf_init(&text);
	buf_str(&text, field(r, c->label));
	for (int i = 0; c->label < 0 && i < (int)r->count; i++) {
		if (i == c->from || i == c->to || i == c->source || r->fields[i][0] == '\0')
			continue;
		buf_printf(&text, "%s%s", text.used > 0 ? ", " : "", r->fields[i]);
	}
	buf_str(&text, "");
	if (text.failed || text.bytes == NULL) {
		buf_fini(&text);
		return text.failed ? NULL : strdup("");
	}
	return text.bytes;
}

/* "same": as the row before it says. */
static char *make_source(const struct csv_reader *r, const struct columns *c,
			 const struct annotations *a)
{
	const char *text = field(r, c->source);

	if (a->count > 0 && strcasecmp(text, "same") == 0)
		text = a->items[a->count - 1].source;
	return strdup(text);
}

static int add(struct annotations *a, const struct csv_reader *r, const struct columns *c,
	       struct bp_error *err)
{
	struct annotation x = {0}, *more;
	int rc = take_time(r, c->from, &x.from, err);

	if (rc == 0 && field(r, c->to)[0] != '\0')
		rc = take_time(r, c->to, &x.to, err);
	if (rc < 0)
		return rc;
	if (x.to.ns != 0 && x.to.ns < x.from.ns)
		return bp_fail(err, BP_ERANGE, "%s:%lu: ends before it begins", r->name, r->line);
	if (a->count == ANNOTATIONS_MAX)
		return bp_fail(err, BP_ERANGE, "%s:%lu: more than 10,000 events", r->name, r->line);
	if (a->count == a->room) {
		more = reallocarray(a->items, 2 * a->room + 16, sizeof(*more));
		if (more == NULL)
			return bp_fail(err, BP_ENOMEM, "out of memory");
		a->items = more;
		a->room = 2 * a->room + 16;
	}
	x.label = make_label(r, c);
	x.source = make_source(r, c, a);
	a->items[a->count++] = x;
	return x.label == NULL || x.source == NULL ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

static int read_rows(struct csv_reader *r, struct annotations *a, struct bp_error *err)
{
	struct columns c;
	bool named;
	int rc = csv_read(r, err);

	if (rc == BP_EOF)
		return bp_fail(err, BP_EPARSE, "%s: an empty file", r->name);
	if (rc == 0)
		rc = find_columns(r, &c, &named, err);
	if (rc == 0 && !named)
		rc = add(a, r, &c, err);
	while (rc == 0 && (rc = csv_read(r, err)) == 0)
		rc = add(a, r, &c, err);
	return rc == BP_EOF ? 0 : rc;
}

int annotations_read(const char *path, struct annotations *out, struct bp_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct annotations a = {0};
	struct csv_reader r;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	int rc;

	if (f == NULL)
		return bp_fail_sys(err, errno, "cannot read %s", path);
	csv_reader_init(&r, f, path);
	rc = read_rows(&r, &a, err);
	csv_reader_fini(&r);
	if (!is_stdin)
		fclose(f);
	if (rc < 0)
		annotations_fini(&a);
	else
		*out = a;
	return rc;
}

void annotations_fini(struct annotations *a)
{
	union { const char *in; char *out; } text;

	for (unsigned i = 0; i < a->count; i++) {
		text.in = a->items[i].label;
		free(text.out);
		text.in = a->items[i].source;
		free(text.out);
	}
	free(a->items);
	*a = (struct annotations){0};
}
