// SPDX-License-Identifier: BSD-2-Clause
/* Names of a trace's addresses (a sorted array) and the words of names and verdicts. */
#include <stdlib.h>
#include <string.h>

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

struct name *names_put(struct names *n, struct addr a)
{
	uint32_t i = lower_bound(n, a);

	if (i < n->count && addr_equal(n->items[i].addr, a))
		return &n->items[i];
	if (n->count == n->room) {
		uint32_t room = n->room ? 2 * n->room : 16;
		struct name *items = reallocarray(n->items, room, sizeof(*items));

		if (items == NULL)
			return NULL;
		n->items = items;
		n->room = room;
	}
	memmove(&n->items[i + 1], &n->items[i], (n->count - i) * sizeof(n->items[0]));
	memset(&n->items[i], 0, sizeof(n->items[i]));
	n->items[i].addr = a;
	n->count++;
	return &n->items[i];
}
