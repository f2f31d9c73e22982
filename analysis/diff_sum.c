// SPDX-License-Identifier: BSD-2-Clause
/*
 * A diff's rows summed up: what came of it, who measured; and several diffs, of vantage points
 * each, as one.
 */
#include "analysis/diff_sum.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff_moves.h"
#include "core/err.h"

/* How many judge prefixes the network has, of one family. */
static uint64_t judge_prefixes(const struct profile *p, uint8_t family)
{
	uint8_t judge = family == 4 ? p->judge_v4 : p->judge_v6;
	uint64_t n = 0;

	for (unsigned i = 0; i < p->prefixes_count; i++) {
		const struct prefix *x = &p->prefixes[i].prefix;

		if (x->addr.family != family)
			continue;
		n += x->len < judge && judge - x->len < 32 ? UINT64_C(1) << (judge - x->len) : 1;
	}
	return n;
}

void diff_summarise(struct diff *d, const struct profile *p)
{
	bool family[7] = {false};
	const char *vantage = NULL;
	unsigned common = 0, same = 0;

	for (unsigned i = 0; i < d->row_count; i++) {
		const struct diff_row *r = &d->rows[i];

		d->only_before += r->after.traces == 0;
		d->only_after += r->before.traces == 0;
		common += r->before.traces > 0 && r->after.traces > 0;
		same += r->border == DIFF_SAME;
		family[r->prefix.addr.family] = true;
		if (r->changed)
			d->result = DIFF_RESULT_CHANGED;
		if (r->comparable && (vantage == NULL || strcmp(vantage, r->vantage) != 0)) {
			d->vantages++;
			vantage = r->vantage;
		}
		if (r->before.last.ns > d->not_before.ns)
			d->not_before = r->before.last;
		if (r->after.first.ns != 0 &&
		    (d->not_after.ns == 0 || r->after.first.ns < d->not_after.ns))
			d->not_after = r->after.first;
	}
	d->networks_of = (unsigned)((family[4] ? judge_prefixes(p, 4) : 0) +
				    (family[6] ? judge_prefixes(p, 6) : 0));
	/* Where no border is surely the same, "no change" would be a guess. */
	if (d->vantages > 0 && (d->result == DIFF_RESULT_CHANGED || same > 0))
		return;
	d->result = DIFF_RESULT_TROUBLE;
	if (d->traces_before == 0 && d->traces_after == 0)
		text_set(d->why, sizeof(d->why), "no traces on either side");
	else if (d->traces_before == 0 || d->traces_after == 0)
		text_set(d->why, sizeof(d->why), "no traces on one side");
	else if (common == 0)
		text_set(d->why, sizeof(d->why),
			 "no vantage point, network and method is on both sides");
	else
		text_set(d->why, sizeof(d->why),
			 "no border could be compared: undetermined, too uncertain, or too few traces");
}

/* --- vantage points -------------------------------------------------------------------------- */

static struct diff_vantage *point_of(struct diff *d, const char *name)
{
	for (unsigned i = 0; i < d->point_count; i++) {
		if (strcmp(d->points[i].name, name) == 0)
			return &d->points[i];
	}
	text_set(d->points[d->point_count].name, sizeof(d->points[0].name), name);
	return &d->points[d->point_count++];
}

static int by_name(const void *a, const void *b)
{
	const struct diff_vantage *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int diff_points(const struct diff_set *s, struct diff *d)
{
	d->points = calloc(s->vantages.count + 1, sizeof(*d->points));
	if (d->points == NULL)
		return BP_ENOMEM;
	for (unsigned i = 0; i < s->rounds_count; i++)
		memcpy(point_of(d, set_vantage(s, s->rounds[i].vantage))->rounds,
		       s->rounds[i].sides, sizeof(d->points[0].rounds));
	/* Rows are sorted by vantage. */
	for (unsigned i = 0; i < d->row_count; i++) {
		struct diff_vantage *p = i > 0 && strcmp(d->rows[i].vantage,
							 d->rows[i - 1].vantage) == 0 &&
					 !d->rows[i].comparable ? NULL :
					 point_of(d, d->rows[i].vantage);

		if (p != NULL)
			p->counted = p->counted || d->rows[i].comparable;
	}
	qsort(d->points, d->point_count, sizeof(*d->points), by_name);
	return 0;
}

/* --- several as one --------------------------------------------------------------------------- */

static void add_points(struct diff *d, const struct diff *part)
{
	for (unsigned i = 0; i < part->point_count; i++) {
		const struct diff_vantage *from = &part->points[i];
		struct diff_vantage *to = point_of(d, from->name);

		for (unsigned side = 0; side < 2; side++) {
			if (from->rounds[side].rounds > 0)
				to->rounds[side] = from->rounds[side];
		}
		to->counted = to->counted || from->counted;
	}
}

/* Rows are sorted by vantage point first, and no two parts have rows of one. */
static int by_vantage(const void *a, const void *b)
{
	const struct diff *x = *(const struct diff *const *)a, *y = *(const struct diff *const *)b;

	if (x->row_count == 0 || y->row_count == 0)
		return (x->row_count == 0) - (y->row_count == 0);
	return strcmp(x->rows[0].vantage, y->rows[0].vantage);
}

static void add_rows(struct diff_row *rows, unsigned *count, const struct diff_row *more,
		     unsigned n)
{
	if (n > 0)
		memcpy(&rows[*count], more, n * sizeof(*rows));
	*count += n;
}

int diff_join(struct diff *parts, unsigned n, const struct profile *p, struct diff *out)
{
	struct diff **sorted = calloc(n + 1, sizeof(struct diff *));
	size_t rows = 1, targets = 1, points = 1;
	struct diff d = {0};
	int rc = BP_ENOMEM;

	for (unsigned i = 0; i < n; i++) {
		rows += parts[i].row_count;
		targets += parts[i].target_count;
		points += parts[i].point_count;
	}
	d.rows = calloc(rows, sizeof(*d.rows));
	d.targets = calloc(targets, sizeof(*d.targets));
	d.points = calloc(points, sizeof(*d.points));
	if (sorted == NULL || d.rows == NULL || d.targets == NULL || d.points == NULL)
		goto out;
	for (unsigned i = 0; i < n; i++)
		sorted[i] = &parts[i];
	qsort(sorted, n, sizeof(sorted[0]), by_vantage);
	for (unsigned i = 0; i < n; i++) {
		struct diff *part = sorted[i];

		add_rows(d.rows, &d.row_count, part->rows, part->row_count);
		add_rows(d.targets, &d.target_count, part->targets, part->target_count);
		add_points(&d, part);
		d.traces_before += part->traces_before;
		d.traces_after += part->traces_after;
		/* Rows are large, and are in two places as few at a time as can be. */
		diff_fini(part);
	}
	qsort(d.points, d.point_count, sizeof(*d.points), by_name);
	rc = diff_moves(&d);
	if (rc == 0) {
		diff_summarise(&d, p);
		*out = d;
	}
out:
	if (rc < 0)
		diff_fini(&d);
	for (unsigned i = 0; i < n; i++)
		diff_fini(&parts[i]);
	free(sorted);
	return rc;
}

void diff_fini(struct diff *d)
{
	for (unsigned i = 0; i < d->move_count; i++)
		free(d->moves[i].prefixes);
	free(d->rows);
	free(d->targets);
	free(d->moves);
	free(d->points);
	memset(d, 0, sizeof(*d));
}
