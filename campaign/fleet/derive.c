// SPDX-License-Identifier: BSD-2-Clause
/* A plan is loaded as a tree, its keys at the top changed, and written out again. */
#include "campaign/fleet/derive.h"

#include <stdio.h>
#include <string.h>

#include "campaign/fleet/yamltree.h"
#include "campaign/plan.h"
#include "core/clock.h"
#include "core/text.h"

enum { SLOT_BITS = 16 };

/* That much of a span: the slot's bits behind a point, the lowest first. */
static int64_t part(int64_t span_ns, unsigned slot)
{
	uint64_t fraction = 0;
	int64_t out;

	for (unsigned bit = 0; bit < SLOT_BITS; bit++)
		fraction |= (uint64_t)(slot >> bit & 1) << (SLOT_BITS - 1 - bit);
	/* In two steps: an interval of a year times 2^16 is too much. */
	out = span_ns / DERIVE_SLOTS * (int64_t)fraction +
	      span_ns % DERIVE_SLOTS * (int64_t)fraction / DERIVE_SLOTS;
	return out - out % NS_PER_MS;
}

int64_t derive_offset(int64_t every_ns, int64_t beat_ns, int64_t own_offset_ns, unsigned slot)
{
	/* Whole beats spread them over the interval, the rest keeps them apart within each. */
	int64_t beats = part(every_ns, slot) / beat_ns;

	return (own_offset_ns + beats * beat_ns + part(beat_ns, slot)) % every_ns;
}

int64_t derive_jitter(int64_t every_ns, int64_t beat_ns, int64_t own_jitter_ns, unsigned slots)
{
	unsigned parts = 1;
	int64_t most;

	while (parts < slots)
		parts *= 2;
	most = parts > 1 ? beat_ns / parts / 2 : every_ns - 1;
	most -= most % NS_PER_MS;
	return own_jitter_ns < most ? own_jitter_ns : most;
}

/* --- the tree --------------------------------------------------------------------------------- */

void derive_drop(yaml_document_t *doc)
{
	static const char *const gone[] = {"store", "keep", "alerts", "metrics", NULL};

	for (unsigned i = 0; gone[i] != NULL; i++)
		yamltree_drop(doc, YAMLTREE_ROOT, gone[i]);
}

static bool set_vantage(yaml_document_t *doc, int root, const struct derive *d,
			const struct campaign_plan *p)
{
	int group = yaml_document_add_mapping(doc, NULL, YAML_FLOW_MAPPING_STYLE);
	bool own = !d->place_known && d->keep_place && p->place_known;
	bool theirs = addr_is_set(d->address) || !d->keep_place;
	struct addr address = theirs ? d->address : p->public_addr;
	char lat[32], lon[32], text[ADDR_TEXT];
	bool ok = group != 0 && yamltree_add_text(doc, group, "name", d->vantage);

	if (ok && (d->place_known || own)) {
		snprintf(lat, sizeof(lat), "%.5f", own ? p->lat : d->lat);
		snprintf(lon, sizeof(lon), "%.5f", own ? p->lon : d->lon);
		ok = yamltree_add_text(doc, group, "lat", lat) &&
		     yamltree_add_text(doc, group, "lon", lon);
	}
	if (ok && addr_is_set(address))
		ok = yamltree_add_text(doc, group, "address", addr_format(address, text));
	return ok && yamltree_add(doc, root, "vantage", group);
}

static void put_duration(int64_t ns, char out[static 32])
{
	if (ns % NS_PER_S == 0)
		snprintf(out, 32, "%llds", (long long)(ns / NS_PER_S));
	else
		snprintf(out, 32, "%lldms", (long long)(ns / NS_PER_MS));
}

static bool change(yaml_document_t *doc, const struct derive *d, const struct campaign_plan *p)
{
	static const char *const own[] = {"vantage", "offset", "jitter", "per_prefix_rate_pps",
					  NULL};
	char offset[32], jitter[32], pps[TEXT_MILLI];
	const int root = YAMLTREE_ROOT;

	derive_drop(doc);
	for (unsigned i = 0; own[i] != NULL; i++)
		yamltree_drop(doc, root, own[i]);
	put_duration(d->offset_ns, offset);
	put_duration(d->jitter_ns, jitter);
	text_milli(d->prefix_mpps, pps);
	return set_vantage(doc, root, d, p) && yamltree_add_text(doc, root, "offset", offset) &&
	       yamltree_add_text(doc, root, "jitter", jitter) &&
	       yamltree_add_text(doc, root, "per_prefix_rate_pps", pps);
}

/* --- text to text ----------------------------------------------------------------------------- */

/* What lies on the operator's machine is not on the vantage point's. */
static int check_files(const char *name, const struct campaign_plan *p, struct bp_error *err)
{
	for (unsigned i = 0; i < p->targets_count; i++) {
		for (unsigned j = 0; j < p->targets[i].hosts_count; j++) {
			if (p->targets[i].hosts[j][0] == '@')
				return bp_fail(err, BP_EUNSUP, "%s: targets[%u] is a list in a file "
					       "(%s), which no vantage point has: write its lines into "
					       "the plan", name, i, p->targets[i].hosts[j] + 1);
		}
	}
	return 0;
}

static int rewrite(const char *yaml, size_t n, const struct derive *d,
		   const struct campaign_plan *p, struct buf *out)
{
	yaml_document_t doc;
	int rc = yamltree_load(yaml, n, &doc);

	if (rc < 0)
		return rc;
	if (!change(&doc, d, p)) {
		yaml_document_delete(&doc);
		return BP_ENOMEM;
	}
	return yamltree_write_take(&doc, out) ? 0 : BP_ENOMEM;
}

int derive_plan(const char *name, const char *yaml, size_t n, const struct derive *d,
		struct buf *out, struct bp_error *err)
{
	struct campaign_plan *p = NULL, *made = NULL;
	int rc = campaign_plan_parse(name, yaml, n, &p, err);

	if (rc < 0)
		return rc;
	rc = check_files(name, p, err);
	if (rc == 0) {
		buf_clear(out);
		rc = rewrite(yaml, n, d, p, out);
		if (rc < 0)
			rc = bp_fail(err, rc, "%s: it cannot be written anew: %s", name,
				     bp_strerror(rc));
	}
	/* Whoever gets it reads it as we do. */
	if (rc == 0) {
		rc = campaign_plan_parse(name, out->bytes, out->used, &made, err);
		if (rc < 0)
			bp_error_prefix(err, "as %s would get it", d->vantage);
	}
	campaign_plan_free(made);
	campaign_plan_free(p);
	return rc;
}
