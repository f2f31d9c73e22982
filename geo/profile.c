// SPDX-License-Identifier: BSD-2-Clause
/* The profile as a whole: find the file, read it, free it, and the questions asked of it. */
#include "geo/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "geo/places.h"
#include "geo/profile_raw.h"

bool validity_holds(const struct validity *v, struct wall when)
{
	return (v->since.ns == 0 || when.ns >= v->since.ns) &&
	       (v->until.ns == 0 || when.ns < v->until.ns);
}

int profile_parse(const char *name, const char *yaml, size_t n, struct profile **out,
		  struct bp_error *err)
{
	return profile_parse_part(name, yaml, n, NULL, out, err);
}

int profile_parse_part(const char *name, const char *yaml, size_t n, const char *part,
		       struct profile **out, struct bp_error *err)
{
	struct profile *p = calloc(1, sizeof(*p));
	struct yamldoc doc = {0};
	void *raw = NULL;
	int rc;

	if (p == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", name);
	text_set(p->file, sizeof(p->file), name);
	rc = yamldoc_parse(&doc, name, yaml, n, err);
	if (rc == 0 && part != NULL)
		rc = yamldoc_narrow(&doc, part, err);
	if (rc == 0)
		rc = yamldoc_load(&doc, &profile_schema, &raw, err);
	if (rc == 0) {
		p->owned = raw;
		rc = profile_build(&doc, raw, p, err);
	}
	if (rc == 0)
		rc = profile_cross_check(&doc, p, err);
	yamldoc_fini(&doc);
	if (rc < 0) {
		profile_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	profile_build_fini(p);
	if (p->owned != NULL)
		yamldoc_free_loaded(&profile_schema, p->owned);
	free(p);
}

bool profile_is_file(const char *text)
{
	size_t n = strlen(text);

	return strchr(text, '/') != NULL || (n > 5 && strcmp(text + n - 5, ".yaml") == 0) ||
	       (n > 4 && strcmp(text + n - 4, ".yml") == 0);
}

int profile_load(const char *name_or_file, struct profile **out, struct bp_error *err)
{
	char path[PLACES_PATH_MAX];
	char *text = NULL;
	size_t n = 0;
	int rc;

	if (profile_is_file(name_or_file)) {
		if (!text_set(path, sizeof(path), name_or_file))
			return bp_fail(err, BP_EINVAL, "the profile's path is too long");
	} else {
		rc = places_find_profile(name_or_file, path, err);
		if (rc < 0)
			return rc;
	}
	rc = yamldoc_read_file(path, "profile", &text, &n, err);
	if (rc == 0)
		rc = profile_parse(path, text, n, out, err);
	free(text);
	return rc;
}

bool profile_inside(const struct profile *p, struct addr a, struct wall when)
{
	for (unsigned i = 0; i < p->prefixes_count; i++)
		if (prefix_has(p->prefixes[i].prefix, a) &&
		    validity_holds(&p->prefixes[i].valid, when))
			return true;
	return false;
}

struct prefix profile_judge_prefix(const struct profile *p, struct addr a)
{
	for (unsigned i = 0; i < p->prefixes_count; i++)
		if (prefix_has(p->prefixes[i].prefix, a))
			return prefix_of(a, a.family == 4 ? p->judge_v4 : p->judge_v6);
	return (struct prefix){0};
}

const struct profile_label *profile_label(const struct profile *p, struct addr a, struct wall when)
{
	const struct profile_label *best = NULL;

	for (unsigned i = 0; i < p->labels_count; i++) {
		const struct profile_label *l = &p->labels[i];

		if (prefix_has(l->prefix, a) && validity_holds(&l->valid, when) &&
		    (best == NULL || l->prefix.len > best->prefix.len))
			best = l;
	}
	return best;
}

/* Whether one of the networks holding at that time is asn. */
static bool has_asn(const struct profile_network *list, unsigned n, uint32_t asn, struct wall when)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].asn == asn && validity_holds(&list[i].valid, when))
			return true;
	return false;
}

/* The narrowest prefix holding at that time, or NULL. */
static const struct profile_prefix *narrowest(const struct profile_prefix *list, unsigned n,
					      struct addr a, struct wall when)
{
	const struct profile_prefix *best = NULL;

	for (unsigned i = 0; i < n; i++)
		if (prefix_has(list[i].prefix, a) && validity_holds(&list[i].valid, when) &&
		    (best == NULL || list[i].prefix.len > best->prefix.len))
			best = &list[i];
	return best;
}

int profile_border_of_asn(const struct profile *p, uint32_t asn, struct wall when)
{
	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];

		if (validity_holds(&b->valid, when) &&
		    has_asn(b->networks, b->networks_count, asn, when))
			return (int)i;
	}
	return -1;
}

int profile_other_of_asn(const struct profile *p, uint32_t asn, struct wall when)
{
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];

		if (validity_holds(&o->valid, when) &&
		    has_asn(o->networks, o->networks_count, asn, when))
			return (int)i;
	}
	return -1;
}

/* Borders and others compete: the narrowest prefix of all of them decides. */
struct found { int border, other; const struct profile_prefix *prefix; };

static struct found find_prefix(const struct profile *p, struct addr a, struct wall when)
{
	struct found best = {-1, -1, NULL};

	for (unsigned i = 0; i < p->borders_count; i++) {
		const struct profile_border *b = &p->borders[i];
		const struct profile_prefix *f = narrowest(b->prefixes, b->prefixes_count, a, when);

		if (f != NULL && validity_holds(&b->valid, when) &&
		    (best.prefix == NULL || f->prefix.len > best.prefix->prefix.len))
			best = (struct found){(int)i, -1, f};
	}
	for (unsigned i = 0; i < p->others_count; i++) {
		const struct profile_other *o = &p->others[i];
		const struct profile_prefix *f = narrowest(o->prefixes, o->prefixes_count, a, when);

		if (f != NULL && validity_holds(&o->valid, when) &&
		    (best.prefix == NULL || f->prefix.len > best.prefix->prefix.len))
			best = (struct found){-1, (int)i, f};
	}
	return best;
}

int profile_border_of_addr(const struct profile *p, struct addr a, struct wall when)
{
	return find_prefix(p, a, when).border;
}

int profile_other_of_addr(const struct profile *p, struct addr a, struct wall when)
{
	return find_prefix(p, a, when).other;
}

const struct profile_prefix *profile_prefix_of_addr(const struct profile *p, struct addr a,
						    struct wall when)
{
	return find_prefix(p, a, when).prefix;
}
