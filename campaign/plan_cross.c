// SPDX-License-Identifier: BSD-2-Clause
/* Checks between the entries of a plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "campaign/plan_raw.h"
#include "geo/yamlread.h"

/* A destination as the plan names it; sorted, those that are the same stand together. */
struct place {
	const char *word;
	struct prefix prefix; /* addr not set: a name or a file */
	uint8_t method;
	uint16_t port;
	struct wall since, until;
	unsigned target, host;
};

/* Of what is told: the same destination by the same method and port. */
static int same(const struct place *a, const struct place *b)
{
	int rc = (a->method > b->method) - (a->method < b->method);

	if (rc == 0)
		rc = (a->port > b->port) - (a->port < b->port);
	if (rc == 0)
		rc = addr_compare(a->prefix.addr, b->prefix.addr);
	if (rc == 0)
		rc = (a->prefix.len > b->prefix.len) - (a->prefix.len < b->prefix.len);
	if (rc == 0 && !addr_is_set(a->prefix.addr))
		rc = a->word[0] == '@' ? strcmp(a->word, b->word) : strcasecmp(a->word, b->word);
	return rc;
}

static int compare(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	int rc = same(a, b);

	if (rc == 0)
		rc = (a->since.ns > b->since.ns) - (a->since.ns < b->since.ns);
	if (rc == 0)
		rc = (a->target > b->target) - (a->target < b->target);
	return rc != 0 ? rc : (a->host > b->host) - (a->host < b->host);
}

/* In the order of the file. */
static bool before(const struct place *a, const struct place *b)
{
	return a->target != b->target ? a->target < b->target : a->host < b->host;
}

static void path_of(const struct yamldoc *doc, const struct place *p, char out[static 64])
{
	/* Which of the two an entry has is not kept: only one is there. */
	snprintf(out, 64, "targets[%u].host", p->target);
	if (!yamldoc_is_single(doc, out))
		snprintf(out, 64, "targets[%u].hosts[%u]", p->target, p->host);
}

static int refuse_double(const struct yamldoc *doc, const struct place *first,
			 const struct place *second, struct bp_error *err)
{
	char path[64], first_path[64];

	path_of(doc, first, first_path);
	path_of(doc, second, path);
	return yamldoc_fail(doc, err, BP_EPARSE, path, "\"%s\" is named twice for the same method and "
			    "port (first in line %u)", second->word, yamldoc_line(doc, first_path));
}

static int check_doubles(const struct yamldoc *doc, const struct campaign_plan *p,
			 struct bp_error *err)
{
	const struct place *first = NULL, *second = NULL;
	struct place *places;
	unsigned count = 0;
	int rc = 0;

	for (unsigned i = 0; i < p->targets_count; i++)
		count += p->targets[i].hosts_count;
	places = calloc(count + 1, sizeof(*places));
	if (places == NULL)
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", doc->name);
	count = 0;
	for (unsigned i = 0; i < p->targets_count; i++) {
		const struct campaign_target *t = &p->targets[i];
		struct campaign_how how;

		campaign_how_settle(&t->how, &p->how, METHOD_UNKNOWN, 0, &how);
		for (unsigned j = 0; j < t->hosts_count; j++) {
			struct place *one = &places[count++];

			*one = (struct place){.word = t->hosts[j], .method = how.method,
					      .port = how.port, .since = t->since,
					      .until = t->until, .target = i, .host = j};
			if (prefix_parse(one->word, &one->prefix) < 0)
				one->prefix = (struct prefix){0};
		}
	}
	qsort(places, count, sizeof(*places), compare);
	/* Of one destination sorted by since, neighbours overlap if any two do. Of all doubles the
	 * one that ends first in the file is told. */
	for (unsigned i = 1; i < count; i++) {
		const struct place *a = &places[i - 1], *b = &places[i];
		const struct place *later = before(a, b) ? b : a;

		if (same(a, b) != 0 || (a->until.ns != 0 && b->since.ns >= a->until.ns))
			continue;
		if (second == NULL || before(later, second)) {
			first = later == b ? a : b;
			second = later;
		}
	}
	if (second != NULL)
		rc = refuse_double(doc, first, second, err);
	free(places);
	return rc;
}

/* A target that is its own witness tells nothing. */
static int check_reference(const struct yamldoc *doc, const struct campaign_plan *p, unsigned i,
			   struct bp_error *err)
{
	struct yaml_at top = {.doc = doc, .err = err}, at = yaml_entry(&top, "reference", i);
	struct addr a = p->references[i];
	char text[ADDR_TEXT];

	for (unsigned j = 0; j < i; j++) {
		if (addr_equal(p->references[j], a))
			return yaml_refuse(&at, "", "%s is named twice", addr_format(a, text));
	}
	for (unsigned j = 0; j < p->targets_count; j++) {
		const struct campaign_target *t = &p->targets[j];
		struct prefix prefix;

		for (unsigned k = 0; k < t->hosts_count; k++) {
			if (prefix_parse(t->hosts[k], &prefix) == 0 && prefix_has(prefix, a))
				return yaml_refuse(&at, "", "%s is measured as a target too (%s): it "
						   "cannot tell \"we were down\" from \"they were "
						   "down\"", addr_format(a, text), t->hosts[k]);
		}
	}
	return 0;
}

int campaign_plan_cross(const struct yamldoc *doc, const struct campaign_plan *p,
			struct bp_error *err)
{
	int rc = check_doubles(doc, p, err);

	for (unsigned i = 0; rc == 0 && i < p->references_count; i++)
		rc = check_reference(doc, p, i, err);
	return rc;
}
