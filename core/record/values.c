// SPDX-License-Identifier: BSD-2-Clause
/* Names of a trace's addresses (a sorted array) and the words of names and verdicts. */
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/record/names.h"
#include "core/record/verdict.h"

const struct word name_source_words[] = {
	{"none", NAME_SOURCE_NONE}, {"asn_db", NAME_SOURCE_ASN_DB},
	{"overlay", NAME_SOURCE_OVERLAY}, {NULL, 0}};
const struct word outcome_words[] = {
	{"undetermined", OUTCOME_UNDETERMINED}, {"border", OUTCOME_BORDER},
	{"other", OUTCOME_OTHER}, {"mixed", OUTCOME_MIXED}, {"none", OUTCOME_NONE}, {NULL, 0}};
const struct word path_class_words[] = {
	{"unknown", CLASS_UNKNOWN}, {"border", CLASS_BORDER},
	{"filtered_at_border", CLASS_FILTERED_AT_BORDER},
	{"cut_before_border", CLASS_CUT_BEFORE_BORDER},
	{"inside_silent", CLASS_INSIDE_SILENT}, {"not_inside", CLASS_NOT_INSIDE}, {NULL, 0}};
const struct word via_basis_words[] = {
	{"none", VIA_NONE}, {"hop", VIA_HOP}, {"prefix", VIA_PREFIX}, {"label", VIA_LABEL},
	{NULL, 0}};

void names_init(struct names *n)
{
	memset(n, 0, sizeof(*n));
}

void names_fini(struct names *n)
{
	free(n->items);
	names_init(n);
}

/* Index of the first item not before a. */
static uint32_t lower_bound(const struct names *n, struct addr a)
{
	uint32_t lo = 0, hi = n->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (addr_compare(n->items[mid].addr, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct name *names_find(const struct names *n, struct addr a)
{
	uint32_t i = lower_bound(n, a);

	return i < n->count && addr_equal(n->items[i].addr, a) ? &n->items[i] : NULL;
}

static bool make_room(struct names *n)
{
	uint32_t room = n->room ? 2 * n->room : 16;
	struct name *items;

	if (n->count < n->room)
		return true;
	items = reallocarray(n->items, room, sizeof(*items));
	if (items == NULL)
		return false;
	n->items = items;
	n->room = room;
	return true;
}

struct name *names_put(struct names *n, struct addr a)
{
	uint32_t i = lower_bound(n, a);

	if (i < n->count && addr_equal(n->items[i].addr, a))
		return &n->items[i];
	if (!make_room(n))
		return NULL;
	memmove(&n->items[i + 1], &n->items[i], (n->count - i) * sizeof(n->items[0]));
	memset(&n->items[i], 0, sizeof(n->items[i]));
	n->items[i].addr = a;
	n->count++;
	return &n->items[i];
}

struct name *names_append(struct names *n, struct addr a)
{
	struct name *item;

	if (!make_room(n))
		return NULL;
	item = &n->items[n->count++];
	memset(item, 0, sizeof(*item));
	item->addr = a;
	return item;
}

/* By address, then by place: the entries stay where they are, pointers to them are sorted. */
static int by_addr(const void *a, const void *b)
{
	const struct name *x = *(const struct name *const *)a, *y = *(const struct name *const *)b;
	int order = addr_compare(x->addr, y->addr);

	return order != 0 ? order : (x > y) - (x < y);
}

int names_settle(struct names *n)
{
	const struct name **order = calloc(n->count + 1u, sizeof(const struct name *));
	struct name *items = calloc(n->count + 1u, sizeof(*items));
	uint32_t kept = 0;

	if (order == NULL || items == NULL) {
		free(order);
		free(items);
		return BP_ENOMEM;
	}
	for (uint32_t i = 0; i < n->count; i++)
		order[i] = &n->items[i];
	qsort(order, n->count, sizeof(order[0]), by_addr);
	for (uint32_t i = 0; i < n->count; i++) {
		if (kept == 0 || !addr_equal(items[kept - 1].addr, order[i]->addr))
			items[kept++] = *order[i];
	}
	free(order);
	free(n->items);
	n->items = items;
	n->room = n->count + 1;
	n->count = kept;
	return 0;
}

bool geo_source_known(const struct geo_source *g)
{
	return g->asn_db[0] || g->asn_built[0] || g->asn_sha256[0] || g->country_db[0] ||
	       g->country_built[0] || g->country_sha256[0];
}

bool geo_source_equal(const struct geo_source *a, const struct geo_source *b)
{
	return strcmp(a->asn_sha256, b->asn_sha256) == 0 &&
	       strcmp(a->country_sha256, b->country_sha256) == 0 &&
	       strcmp(a->asn_db, b->asn_db) == 0 && strcmp(a->country_db, b->country_db) == 0 &&
	       strcmp(a->asn_built, b->asn_built) == 0 &&
	       strcmp(a->country_built, b->country_built) == 0;
}
