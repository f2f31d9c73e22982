// SPDX-License-Identifier: BSD-2-Clause
#include "core/record/samples_series.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/addr.h"
#include "core/text.h"

/* Who, where to, how: of each the first that is there. */
static const char *const who_names[] = {
	"vantage", "vantage_point", "probe", "probe_id", "prb_id", "source", "src", "src_addr",
	"agent", NULL};
static const char *const where_names[] = {
	"prefix", "dst", "dst_addr", "target", "destination", "host", "address", "addr", "ip", "server",
	NULL};
static const char *const how_names[] = {"method", "protocol", "proto", NULL};

struct series_entry {
	uint32_t number;
	char name[];
};

static int by_name(const void *a, const void *b)
{
	const struct series_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int find_named(struct samples_series *s, const struct csv_reader *csv, bool header,
		      const char *wanted, struct bp_error *err)
{
	char words[SERIES_NAME_MAX], *save = NULL;

	text_set(words, sizeof(words), wanted);
	for (char *w = strtok_r(words, ",", &save); w != NULL; w = strtok_r(NULL, ",", &save)) {
		const char *const names[] = {w, NULL};
		int column = header ? csv_column(csv, names) : -1;
		uint64_t number;

		if (column < 0 && text_to_u64(w, 1, csv->count, &number) == 0)
			column = (int)number - 1;
		if (column < 0 || s->column_count == SERIES_COLUMNS_MAX)
			return bp_fail(err, BP_ENOTFOUND, "%s: no column '%s' (--series-col); %s",
				       csv->name, w, header ? "the first row has the names" :
				       "the first row has no names: count from 1");
		s->columns[s->column_count++] = column;
	}
	s->named = true;
	return 0;
}

int samples_series_find(struct samples_series *s, const struct csv_reader *csv, bool header,
			const char *wanted, struct bp_error *err)
{
	static const char *const *const kinds[] = {who_names, where_names, how_names};

	if (wanted != NULL && strcmp(wanted, "none") == 0)
		return 0;
	if (wanted != NULL)
		return find_named(s, csv, header, wanted, err);
	for (unsigned i = 0; header && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int column = csv_column(csv, kinds[i]);

		if (column >= 0)
			s->columns[s->column_count++] = column;
	}
	return 0;
}

/* Its network, for an address. */
static void put_value(const struct samples_series *s, char *name, size_t size, const char *cell)
{
	size_t used = strlen(name);
	struct prefix p = {.len = 0};
	char text[PREFIX_TEXT];

	if (!s->named && addr_parse(cell, &p.addr) == 0) {
		p.len = p.addr.family == 4 ? 24 : 48;
		p.addr = addr_mask(p.addr, p.len);
		cell = prefix_format(p, text);
	}
	if (*cell != '\0')
		snprintf(name + used, size - used, "%s%s", used > 0 ? " " : "", cell);
}

static int new_series(struct samples_series *s, const struct series_entry *like, uint32_t *out)
{
	size_t size = sizeof(*like) + strlen(like->name) + 1;
	struct series_entry *e = malloc(size);

	if (s->count == s->room) {
		uint32_t room = s->room > 0 ? 2 * s->room : 16;
		char **more = reallocarray(s->names, room, sizeof(*more));

		if (more == NULL) {
			free(e);
			return BP_ENOMEM;
		}
		s->names = more;
		s->room = room;
	}
	if (e == NULL)
		return BP_ENOMEM;
	memcpy(e, like, size);
	e->number = s->count;
	s->names[s->count] = strdup(like->name);
	if (s->names[s->count] == NULL || tsearch(e, &s->tree, by_name) == NULL) {
		free(s->names[s->count]);
		free(e);
		return BP_ENOMEM;
	}
	*out = s->count++;
	return 0;
}

int samples_series_of(struct samples_series *s, const struct csv_reader *csv, uint32_t *out)
{
	union {
		struct series_entry entry;
		char room[sizeof(struct series_entry) + SERIES_NAME_MAX];
	} x;
	struct series_entry *const *there;

	*out = 0;
	if (s->column_count == 0)
		return 0;
	x.entry.number = 0;
	x.room[sizeof(struct series_entry)] = '\0';
	for (unsigned i = 0; i < s->column_count; i++)
		put_value(s, x.room + sizeof(struct series_entry), SERIES_NAME_MAX,
			  s->columns[i] < (int)csv->count ? csv->fields[s->columns[i]] : "");
	there = tfind(&x.entry, &s->tree, by_name);
	if (there != NULL) {
		*out = (*there)->number;
		return 0;
	}
	return new_series(s, &x.entry, out);
}

void samples_series_fini(struct samples_series *s)
{
	tdestroy(s->tree, free);
	for (uint32_t i = 0; i < s->count; i++)
		free(s->names[i]);
	free(s->names);
	*s = (struct samples_series){.tree = NULL};
}
