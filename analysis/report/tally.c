// SPDX-License-Identifier: BSD-2-Clause
/* Counts first, words at the end. */
#include "analysis/report/tally.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/report/trace_text.h"
#include "analysis/words.h"

struct tally_row {
	struct prefix network; /* no address: all that have no row of their own */
	uint64_t paths, reached, kinds[TALLY_KINDS];
};

void tally_fini(struct tally *s)
{
	free(s->rows);
	*s = (struct tally){0};
}

static struct prefix network_of(const struct trace *t, const struct profile *p)
{
	struct prefix unit = profile_judge_prefix(p, t->dst);

	if (unit.len > 0)
		return unit;
	return addr_is_set(t->dst) ? prefix_of(t->dst, t->dst.family == 4 ? 24 : 48) :
	       (struct prefix){0};
}

static int compare(const struct tally_row *row, struct prefix p)
{
	int rc = addr_compare(row->network.addr, p.addr);

	return rc != 0 ? rc : (int)row->network.len - (int)p.len;
}

static bool grow(struct tally *s)
{
	uint32_t room = s->room > 0 ? 2 * s->room : 16;
	struct tally_row *rows;

	if (s->count < s->room)
		return true;
	rows = reallocarray(s->rows, room, sizeof(*rows));
	if (rows == NULL)
		return false;
	s->rows = rows;
	s->room = room;
	return true;
}

/* The row of a network, made when new; when all rows are taken that of the rest. NULL: no memory.
 * The rest has no address, and so sorts before all others. */
static struct tally_row *row_of(struct tally *s, struct prefix network)
{
	uint32_t low = 0, high = s->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int rc = compare(&s->rows[middle], network);

		if (rc == 0)
			return &s->rows[middle];
		if (rc < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (s->count >= TALLY_NETWORKS_MAX && addr_is_set(network.addr))
		return row_of(s, (struct prefix){0});
	if (!grow(s))
		return NULL;
	memmove(&s->rows[low + 1], &s->rows[low], (s->count - low) * sizeof(*s->rows));
	s->rows[low] = (struct tally_row){.network = network};
	s->count++;
	return &s->rows[low];
}

/* The column of a word; the last one takes what has no room. */
static uint32_t kind_of(struct tally *s, const char *word)
{
	uint32_t i;

	for (i = 0; i < s->kind_count; i++) {
		if (strcmp(s->kinds[i], word) == 0)
			return i;
	}
	if (i == TALLY_KINDS)
		return i - 1;
	text_set(s->kinds[i], sizeof(s->kinds[i]), word);
	s->kind_count++;
	return i;
}

void tally_add(struct tally *s, const struct trace *t, const struct verdict *v,
	       const struct profile *p)
{
	struct tally_row *row = row_of(s, network_of(t, p));
	const char *word = t->stop == STOP_ERROR ? "not measured" :
			   v->outcome == OUTCOME_BORDER ? v->border :
			   word_of(outcome_words, v->outcome);

	if (row == NULL) {
		s->failed = true;
		return;
	}
	row->paths++;
	row->reached += t->reach == REACH_REACHED;
	row->kinds[kind_of(s, word)]++;
}

static void put_count(struct buf *out, uint64_t n, unsigned columns)
{
	buf_printf(out, "%*llu", (int)columns, (unsigned long long)n);
}

static void write_row(struct buf *out, const struct style *style, const struct tally *s,
		      const struct profile *p, const char *name, const struct tally_row *row)
{
	const char *between = "  ", *none = word_of(outcome_words, OUTCOME_NONE);

	style_pad(out, style, name, 20);
	put_count(out, row->paths, 9);
	put_count(out, row->reached, 10);
	for (uint32_t k = 0; k < s->kind_count; k++) {
		const char *color = words_border_color(p, s->kinds[k]);

		if (row->kinds[k] == 0)
			continue;
		buf_str(out, between);
		between = ", ";
		if (color != NULL)
			style_color(out, style, color);
		style_text(out, style, strcmp(s->kinds[k], none) == 0 ? "elsewhere" :
			   words_border(p, s->kinds[k]));
		if (color != NULL)
			style_end(out, style);
		buf_char(out, ' ');
		put_count(out, row->kinds[k], 0);
	}
	buf_char(out, '\n');
}

static void sum_up(struct tally_row *sum, const struct tally_row *row)
{
	sum->paths += row->paths;
	sum->reached += row->reached;
	for (uint32_t k = 0; k < TALLY_KINDS; k++)
		sum->kinds[k] += row->kinds[k];
}

void tally_write(struct buf *out, const struct style *style, const struct tally *s,
		 const struct profile *p)
{
	struct tally_row all = {0}, rest = {0};
	char text[PREFIX_TEXT];

	if (s->failed)
		out->failed = true;
	if (s->count == 0)
		return;
	style_face(out, style, FACE_DIM);
	style_pad(out, style, "Network", 20);
	buf_str(out, "    Paths   Reached  Border, and how many paths");
	style_end(out, style);
	buf_char(out, '\n');
	for (uint32_t i = 0; i < s->count; i++) {
		const struct tally_row *row = &s->rows[i];

		sum_up(&all, row);
		if (addr_is_set(row->network.addr))
			write_row(out, style, s, p, prefix_format(row->network, text), row);
		else
			rest = *row;
	}
	if (rest.paths > 0)
		write_row(out, style, s, p, "other networks", &rest);
	if (s->count > 1)
		write_row(out, style, s, p, "in all", &all);
	buf_char(out, '\n');
}
