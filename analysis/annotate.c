// SPDX-License-Identifier: BSD-2-Clause
/*
 * One look-up per distinct address of a trace. Owns the order of precedence between what the
 * databases say now and what the record said before; refuses to judge.
 */
#include "analysis/annotate.h"

#include <stdlib.h>

#include "core/err.h"

/* A database that is not there says nothing, which is not "no entry": the record's word stays. */
static void keep_without_database(const struct geo_source *s, const struct name *before,
				  struct name *n)
{
	if (s->asn_db[0] == '\0' && n->source == NAME_SOURCE_NONE &&
	    before->source == NAME_SOURCE_ASN_DB) {
		n->asn = before->asn;
		n->source = before->source;
		text_set(n->org, sizeof(n->org), before->org);
	}
	if (s->country_db[0] == '\0' && n->country[0] == '\0')
		text_set(n->country, sizeof(n->country), before->country);
}

static int name_address(const struct geo *g, const struct annotate_by *by, struct addr a,
			struct wall when, struct names *out)
{
	struct name *n = names_put(out, a), before;

	if (n == NULL)
		return BP_ENOMEM;
	before = *n;
	*n = (struct name){.addr = a};
	if (by != NULL)
		by->lookup(by->arg, a, when, n);
	else
		geo_lookup(g, a, when, n);
	n->addr = a;
	/* Host names come with the record (reverse names, imported text); geo has none to give. */
	text_set(n->host, sizeof(n->host), before.host);
	keep_without_database(geo_source(g), &before, n);
	return 0;
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(*(const struct addr *)a, *(const struct addr *)b);
}

void annotate_source(const struct geo_source *s, struct names *out)
{
	if (s->asn_db[0] != '\0') {
		text_set(out->geo.asn_db, sizeof(out->geo.asn_db), s->asn_db);
		text_set(out->geo.asn_built, sizeof(out->geo.asn_built), s->asn_built);
		text_set(out->geo.asn_sha256, sizeof(out->geo.asn_sha256), s->asn_sha256);
	}
	if (s->country_db[0] != '\0') {
		text_set(out->geo.country_db, sizeof(out->geo.country_db), s->country_db);
		text_set(out->geo.country_built, sizeof(out->geo.country_built), s->country_built);
		text_set(out->geo.country_sha256, sizeof(out->geo.country_sha256),
			 s->country_sha256);
	}
}

int annotate(const struct trace *t, const struct geo *g, struct names *out)
{
	return annotate_by(t, g, NULL, out);
}

int annotate_by(const struct trace *t, const struct geo *g, const struct annotate_by *by,
		struct names *out)
{
	struct addr *all = calloc(t->entry_count + 2, sizeof(*all));
	uint32_t n = 0;
	int rc = 0;

	if (all == NULL)
		return BP_ENOMEM;
	all[n++] = t->src;
	all[n++] = t->dst;
	for (uint32_t i = 0; i < t->entry_count; i++)
		all[n++] = t->entries[i].reply.from;
	qsort(all, n, sizeof(*all), by_address);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		if (addr_is_set(all[i]) && (i == 0 || !addr_equal(all[i], all[i - 1])))
			rc = name_address(g, by, all[i], t->start, out);
	}
	free(all);
	if (rc == 0)
		annotate_source(geo_source(g), out);
	return rc;
}
