// SPDX-License-Identifier: BSD-2-Clause
/* Checks between the entries of a profile: an id, an AS or a prefix that would speak for two ways
 * in at the same moment makes every verdict a matter of the order of lines, and is refused. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "geo/profile_raw.h"

/* Borders and others as one list of ways in. */
struct way {
	const char *list;
	unsigned index;
	const char *id;
	const struct profile_network *networks;
	unsigned networks_count;
	const struct profile_prefix *prefixes;
	unsigned prefixes_count;
	const struct validity *valid;
};

static struct way way_at(const struct profile *p, unsigned i)
{
	if (i < p->borders_count) {
		const struct profile_border *b = &p->borders[i];

		return (struct way){"borders", i, b->id, b->networks, b->networks_count,
				    b->prefixes, b->prefixes_count, &b->valid};
	}
	i -= p->borders_count;
	const struct profile_other *o = &p->others[i];

	return (struct way){"others", i, o->id, o->networks, o->networks_count,
			    o->prefixes, o->prefixes_count, &o->valid};
}

static bool overlap(const struct validity *a, const struct validity *b)
{
	bool a_ends = a->until.ns != 0 && b->since.ns != 0 && a->until.ns <= b->since.ns;
	bool b_ends = b->until.ns != 0 && a->since.ns != 0 && b->until.ns <= a->since.ns;

	return !a_ends && !b_ends;
}

static int fail_entry(const struct yamldoc *doc, struct bp_error *err, const struct way *w,
		      const char *list, unsigned i, const char *what, const char *other)
{
	char path[96];

	snprintf(path, sizeof(path), "%s[%u].%s[%u]", w->list, w->index, list, i);
	if (strcmp(w->id, other) == 0)
		return yamldoc_fail(doc, err, BP_EPARSE, path,
				    "%s stands twice in \"%s\" for the same "
				    "time",
				    what, w->id);
	return yamldoc_fail(doc, err, BP_EPARSE, path, "%s is in \"%s\" already, for the same time",
			    what, other);
}

/* b is a later way than a, or the same. */
static int compare_ways(const struct yamldoc *doc, const struct way *a, const struct way *b,
			bool same, struct bp_error *err)
{
	char what[PREFIX_TEXT + 8];

	for (unsigned j = 0; j < b->networks_count; j++)
		for (unsigned i = 0; i < (same ? j : a->networks_count); i++) {
			if (a->networks[i].asn != b->networks[j].asn ||
			    !overlap(&a->networks[i].valid, &b->networks[j].valid))
				continue;
			snprintf(what, sizeof(what), "AS%u", b->networks[j].asn);
			return fail_entry(doc, err, b, "networks", j, what, a->id);
		}
	for (unsigned j = 0; j < b->prefixes_count; j++)
		for (unsigned i = 0; i < (same ? j : a->prefixes_count); i++) {
			if (!prefix_equal(a->prefixes[i].prefix, b->prefixes[j].prefix) ||
			    !overlap(&a->prefixes[i].valid, &b->prefixes[j].valid))
				continue;
			prefix_format(b->prefixes[j].prefix, what);
			return fail_entry(doc, err, b, "prefixes", j, what, a->id);
		}
	return 0;
}

static int check_ways(const struct yamldoc *doc, const struct profile *p, struct bp_error *err)
{
	unsigned count = p->borders_count + p->others_count;
	char path[64];

	for (unsigned j = 0; j < count; j++) {
		struct way b = way_at(p, j);

		for (unsigned i = 0; i <= j; i++) {
			struct way a = way_at(p, i);
			int rc;

			if (i < j && strcmp(a.id, b.id) == 0) {
				snprintf(path, sizeof(path), "%s[%u].id", b.list, b.index);
				return yamldoc_fail(doc, err, BP_EPARSE, path,
						    "id \"%s\" is used twice", b.id);
			}
			if (!overlap(a.valid, b.valid))
				continue;
			rc = compare_ways(doc, &a, &b, i == j, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int check_labels(const struct yamldoc *doc, const struct profile *p, struct bp_error *err)
{
	char path[64], prefix[PREFIX_TEXT];

	for (unsigned j = 0; j < p->labels_count; j++) {
		const struct profile_label *l = &p->labels[j];
		bool known = l->border == NULL;

		for (unsigned i = 0; i < p->borders_count && !known; i++)
			known = strcmp(l->border, p->borders[i].id) == 0;
		if (!known) {
			snprintf(path, sizeof(path), "labels[%u].border", j);
			return yamldoc_fail(doc, err, BP_EPARSE, path,
					    "\"%s\" is no border of this profile", l->border);
		}
		for (unsigned i = 0; i < j; i++) {
			if (!prefix_equal(l->prefix, p->labels[i].prefix) ||
			    !overlap(&l->valid, &p->labels[i].valid))
				continue;
			snprintf(path, sizeof(path), "labels[%u].prefix", j);
			return yamldoc_fail(doc, err, BP_EPARSE, path,
					    "%s has a label already, for the same time",
					    prefix_format(l->prefix, prefix));
		}
	}
	return 0;
}

int profile_cross_check(const struct yamldoc *doc, const struct profile *p, struct bp_error *err)
{
	int rc = check_ways(doc, p, err);

	return rc < 0 ? rc : check_labels(doc, p, err);
}
