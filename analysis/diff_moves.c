// SPDX-License-Identifier: BSD-2-Clause
/* Border switches summed over the rows of a diff, so that one sentence can tell them. */
#include "analysis/diff_moves.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static int prefix_compare(struct prefix a, struct prefix b)
{
	int c = addr_compare(a.addr, b.addr);

	return c != 0 ? c : a.len - b.len;
}

static const char *side_id(const struct diff_verdict *v)
{
	switch (v->outcome) {
	case OUTCOME_BORDER: return v->border;
	case OUTCOME_OTHER: return "other";
	case OUTCOME_MIXED: return "mixed";
	default: return "none";
	}
}

/* d->moves has room for one a row. */
static struct diff_move *move_of(struct diff *d, const struct diff_row *row)
{
	const char *from = side_id(&row->before.verdict), *to = side_id(&row->after.verdict);
	struct diff_move *m;

	for (unsigned i = 0; i < d->move_count; i++) {
		m = &d->moves[i];
		if (strcmp(m->from, from) == 0 && strcmp(m->to, to) == 0)
			return m;
	}
	m = &d->moves[d->move_count++];
	memset(m, 0, sizeof(*m));
	text_set(m->from, sizeof(m->from), from);
	text_set(m->to, sizeof(m->to), to);
	return m;
}

static void move_via(struct diff_move *m, const struct diff_row *row)
{
	const struct diff_verdict *b = &row->before.verdict, *a = &row->after.verdict;

	if (m->from_asn == 0) {
		m->from_asn = b->via_asn;
		text_set(m->from_org, sizeof(m->from_org), b->via_org);
	}
	if (m->to_asn == 0) {
		m->to_asn = a->via_asn;
		text_set(m->to_org, sizeof(m->to_org), a->via_org);
	}
	/* Times bound the switch only where every row agrees on the order. */
	if (row->before.last.ns > m->not_before.ns)
		m->not_before = row->before.last;
	if (row->after.first.ns != 0 &&
	    (m->not_after.ns == 0 || row->after.first.ns < m->not_after.ns))
		m->not_after = row->after.first;
}

static int move_prefix(struct diff_move *m, struct prefix p)
{
	struct prefix *more;
	unsigned at = 0;

	while (at < m->prefix_count && prefix_compare(m->prefixes[at], p) < 0)
		at++;
	if (at < m->prefix_count && prefix_compare(m->prefixes[at], p) == 0)
		return 0;
	more = realloc(m->prefixes, (m->prefix_count + 1) * sizeof(*more));
	if (more == NULL)
		return BP_ENOMEM;
	memmove(&more[at + 1], &more[at], (m->prefix_count - at) * sizeof(*more));
	more[at] = p;
	m->prefixes = more;
	m->prefix_count++;
	return 0;
}

static bool in_move(const struct diff_move *m, const struct diff_row *row)
{
	for (unsigned i = 0; i < m->prefix_count; i++) {
		if (prefix_equal(m->prefixes[i], row->prefix))
			return true;
	}
	return false;
}

/* Vantage points comparable in the prefixes of the move, and those of them that saw it. Rows are
 * sorted by vantage. */
static void move_vantages(struct diff *d, struct diff_move *m)
{
	const char *of = NULL, *saw = NULL;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		if (!r->comparable || !in_move(m, r))
			continue;
		if (of == NULL || strcmp(of, r->vantage) != 0) {
			m->vantages_of++;
			of = r->vantage;
		}
		if (r->border == DIFF_CHANGED &&
		    strcmp(side_id(&r->before.verdict), m->from) == 0 &&
		    strcmp(side_id(&r->after.verdict), m->to) == 0 &&
		    (saw == NULL || strcmp(saw, r->vantage) != 0)) {
			m->vantages++;
			saw = r->vantage;
		}
	}
}

int diff_moves(struct diff *d)
{
	unsigned changed = 0;
	int rc = 0;

	for (unsigned i = 0; i < d->row_count; i++)
		changed += d->rows[i].border == DIFF_CHANGED;
	d->moves = calloc(changed + 1, sizeof(*d->moves));
	if (d->moves == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < d->row_count && rc == 0; i++) {
		const struct diff_row *r = &d->rows[i];
		struct diff_move *m;

		if (r->border != DIFF_CHANGED)
			continue;
		m = move_of(d, r);
		move_via(m, r);
		rc = move_prefix(m, r->prefix);
	}
	for (unsigned i = 0; i < d->move_count; i++)
		move_vantages(d, &d->moves[i]);
	return rc;
}
