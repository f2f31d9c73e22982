// SPDX-License-Identifier: BSD-2-Clause
/* Dated labels over the tables' answers. */
#include "geo/overlay.h"

#include <string.h>

static void set_asn(struct name *n, uint32_t asn, const char *org)
{
	if (n->asn == asn && org == NULL)
		return; /* nothing that the table did not say */
	text_set(n->org, sizeof(n->org), org != NULL ? org : "");
	n->asn = asn;
	n->source = NAME_SOURCE_OVERLAY;
}

static void apply_label(const struct profile_label *l, struct name *n)
{
	text_set(n->label, sizeof(n->label), l->label);
	if (l->asn != 0)
		set_asn(n, l->asn, l->org);
	if (l->country != NULL && strcmp(l->country, n->country) != 0)
		text_set(n->overlay_country, sizeof(n->overlay_country), l->country);
}

static const char *org_in(const struct profile_network *list, unsigned count, uint32_t asn)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i].asn == asn && list[i].org != NULL)
			return list[i].org;
	return NULL;
}

static const char *org_of(const struct profile *p, uint32_t asn)
{
	const char *org = NULL;

	for (unsigned i = 0; i < p->borders_count && org == NULL; i++)
		org = org_in(p->borders[i].networks, p->borders[i].networks_count, asn);
	for (unsigned i = 0; i < p->others_count && org == NULL; i++)
		org = org_in(p->others[i].networks, p->others[i].networks_count, asn);
	return org;
}

void overlay_apply(const struct profile *p, struct addr a, struct wall when, struct name *n)
{
	const struct profile_label *label = profile_label(p, a, when);
	const struct profile_prefix *prefix = profile_prefix_of_addr(p, a, when);

	if (label != NULL)
		apply_label(label, n);
	if (n->asn == 0 && prefix != NULL && prefix->asn != 0)
		set_asn(n, prefix->asn, org_of(p, prefix->asn));
	/* With several AS numbers in the network none of them can be told from the prefix. */
	if (n->asn == 0 && p->asns_count == 1 && profile_inside(p, a, when))
		set_asn(n, p->asns[0], NULL);
	if (n->label[0] == '\0' && prefix != NULL && prefix->label != NULL)
		text_set(n->label, sizeof(n->label), prefix->label);
}
