// SPDX-License-Identifier: BSD-2-Clause
/* A plan is loaded as a tree, entries of files in it replaced, and written out again. */
#include "campaign/fleet/enclose.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "campaign/fleet/bus.h"
#include "campaign/fleet/yamltree.h"
#include "campaign/targets.h"
#include "core/text.h"
#include "geo/profile.h"
#include "geo/yamldoc.h"

/* A destination of the plan, of an entry or of a list's line. */
struct one {
	char *word;             /* owned */
	struct prefix prefix;   /* addr not set: a name */
	uint8_t method;
	uint16_t port;
	struct wall since, until;
	unsigned target;
	bool listed;
};

struct enclosing {
	const struct campaign_plan *p;
	struct one *ones;       /* owned */
	unsigned count, room;
	struct bp_error *err;
};

static int out_of_memory(const struct enclosing *e)
{
	return bp_fail(e->err, BP_ENOMEM, "%s: out of memory", e->p->file);
}

static bool is_file(const struct campaign_target *t)
{
	return t->hosts[0][0] == '@';
}

/* --- destinations ----------------------------------------------------------------------------- */

static void fill(const struct enclosing *e, unsigned target, struct one *out)
{
	const struct campaign_target *t = &e->p->targets[target];
	struct campaign_how how;

	campaign_how_settle(&t->how, &e->p->how, METHOD_UNKNOWN, 0, &how);
	*out = (struct one){.method = how.method, .port = how.port, .since = t->since,
			    .until = t->until, .target = target, .listed = is_file(t)};
}

static int add(struct enclosing *e, const struct one *like, const char *word)
{
	struct one *one;

	if (e->count == e->room) {
		unsigned room = e->room > 0 ? 2 * e->room : 64;
		struct one *more = reallocarray(e->ones, room, sizeof(*more));

		if (more == NULL)
			return out_of_memory(e);
		e->ones = more;
		e->room = room;
	}
	one = &e->ones[e->count];
	*one = *like;
	one->word = strdup(word);
	if (one->word == NULL)
		return out_of_memory(e);
	e->count++;
	return 0;
}

/* The same place by the same method and port: a plan names it once at a time. */
static bool is_same(const struct one *a, const struct one *b, const char *word)
{
	if (a->method != b->method || a->port != b->port ||
	    addr_is_set(a->prefix.addr) != addr_is_set(b->prefix.addr))
		return false;
	return addr_is_set(a->prefix.addr) ? prefix_compare(a->prefix, b->prefix) == 0
					   : strcasecmp(a->word, word) == 0;
}

static bool meet(const struct one *a, const struct one *b)
{
	return (a->until.ns == 0 || b->since.ns < a->until.ns) &&
	       (b->until.ns == 0 || a->since.ns < b->until.ns);
}

static int add_line(struct enclosing *e, struct one *like, const char *word)
{
	const char *path = e->p->targets[like->target].hosts[0] + 1;

	for (unsigned i = 0; i < e->count; i++) {
		const struct one *other = &e->ones[i];

		if (!is_same(other, like, word) || !meet(other, like))
			continue;
		if (other->since.ns == like->since.ns && other->until.ns == like->until.ns)
			return 0;
		return bp_fail(e->err, BP_EPARSE, "%s: %s: it is in targets[%u] of %s for another "
			       "time, too, by the same method and port", path, word, other->target,
			       e->p->file);
	}
	if (e->count == CAMPAIGN_TARGETS_MAX)
		return bp_fail(e->err, BP_ERANGE, "%s: with what its lists hold it has more than %d "
			       "targets, which a fleet's plan may have: name prefixes, or several "
			       "campaigns", e->p->file, CAMPAIGN_TARGETS_MAX);
	return add(e, like, word);
}

/* Names are no concern of whoever hands them out. */
static int no_lookup(void *arg, const char *host, uint8_t family, struct addr *out,
		     struct bp_error *err)
{
	(void)arg, (void)host, (void)family, (void)err;
	*out = (struct addr){0};
	return 0;
}

static int add_list(struct enclosing *e, unsigned target)
{
	struct targets lines;
	char text[PREFIX_TEXT];
	struct one like;
	int rc;

	targets_init(&lines);
	lines.resolve = no_lookup;
	fill(e, target, &like);
	rc = targets_add(&lines, e->p->targets[target].hosts[0], 0, e->err);
	for (uint32_t i = 0; rc == 0 && i < lines.count; i++) {
		like.prefix = lines.items[i].prefix;
		rc = add_line(e, &like, target_text(&lines, &lines.items[i], text));
	}
	targets_fini(&lines);
	return rc;
}

static int collect(struct enclosing *e)
{
	const struct campaign_plan *p = e->p;
	int rc = 0;

	/* What entries name first: it is theirs, wherever a list stands. */
	for (unsigned i = 0; rc == 0 && i < p->targets_count; i++) {
		for (unsigned j = 0; rc == 0 && !is_file(&p->targets[i]) &&
				     j < p->targets[i].hosts_count; j++) {
			struct one one;

			fill(e, i, &one);
			if (prefix_parse(p->targets[i].hosts[j], &one.prefix) < 0)
				one.prefix = (struct prefix){0};
			rc = add(e, &one, p->targets[i].hosts[j]);
		}
	}
	for (unsigned i = 0; rc == 0 && i < p->targets_count; i++) {
		if (is_file(&p->targets[i]))
			rc = add_list(e, i);
	}
	return rc;
}

/* --- the tree --------------------------------------------------------------------------------- */

/* An entry as that of the list, for one of its lines. 0: out of memory. */
static int line_node(yaml_document_t *doc, int entry, const char *word)
{
	static const char *const own[] = {"host", "hosts", "name", NULL};
	yaml_node_t *from = yaml_document_get_node(doc, entry);
	size_t n;
	int group;

	if (from->type != YAML_MAPPING_NODE)
		return yamltree_scalar(doc, word);
	n = (size_t)(from->data.mapping.pairs.top - from->data.mapping.pairs.start);
	group = yaml_document_add_mapping(doc, NULL, YAML_FLOW_MAPPING_STYLE);
	if (group == 0 || !yamltree_add(doc, group, "host", yamltree_scalar(doc, word)))
		return 0;
	for (size_t i = 0; i < n; i++) {
		/* Nodes move when one is added. */
		yaml_node_pair_t pair =
			yaml_document_get_node(doc, entry)->data.mapping.pairs.start[i];
		const char *key = yamltree_text(doc, pair.key);
		bool skip = false;

		for (unsigned k = 0; own[k] != NULL; k++)
			skip |= strcmp(key, own[k]) == 0;
		if (!skip && !yamltree_add(doc, group, key, yamltree_copy(doc, doc, pair.value)))
			return 0;
	}
	return group;
}

static bool put_targets(yaml_document_t *doc, const struct enclosing *e)
{
	int old = yamltree_find(doc, YAMLTREE_ROOT, "targets");
	int list = yaml_document_add_sequence(doc, NULL, YAML_BLOCK_SEQUENCE_STYLE);

	if (old == 0 || list == 0)
		return false;
	for (unsigned i = 0; i < e->p->targets_count; i++) {
		int entry = yaml_document_get_node(doc, old)->data.sequence.items.start[i];

		if (!is_file(&e->p->targets[i])) {
			if (!yaml_document_append_sequence_item(doc, list, entry))
				return false;
			continue;
		}
		for (unsigned k = 0; k < e->count; k++) {
			int node;

			if (!e->ones[k].listed || e->ones[k].target != i)
				continue;
			node = line_node(doc, entry, e->ones[k].word);
			if (node == 0 || !yaml_document_append_sequence_item(doc, list, node))
				return false;
		}
	}
	yamltree_drop(doc, YAMLTREE_ROOT, "targets");
	return yamltree_add(doc, YAMLTREE_ROOT, "targets", list);
}

static int put_profile(yaml_document_t *doc, const struct enclosing *e)
{
	yaml_document_t profile;
	char *text = NULL;
	size_t n = 0;
	int node, rc = yamldoc_read_file(e->p->profile, "profile", &text, &n, e->err);

	if (rc == 0 && yamltree_load(text, n, &profile) < 0)
		rc = bp_fail(e->err, BP_EPARSE, "%s: not readable as YAML", e->p->profile);
	free(text);
	if (rc < 0)
		return rc;
	node = yamltree_copy(doc, &profile, YAMLTREE_ROOT);
	yaml_document_delete(&profile);
	yamltree_drop(doc, YAMLTREE_ROOT, "profile");
	return node != 0 && yamltree_add(doc, YAMLTREE_ROOT, "profile", node) ? 0
									       : out_of_memory(e);
}

static int rewrite(const struct enclosing *e, const char *yaml, size_t n, bool lists, bool profile,
		   struct buf *out)
{
	yaml_document_t doc;
	int rc = yamltree_load(yaml, n, &doc);

	if (rc < 0)
		return bp_fail(e->err, rc, "%s: not readable as YAML", e->p->file);
	if (lists && !put_targets(&doc, e))
		rc = out_of_memory(e);
	if (rc == 0 && profile)
		rc = put_profile(&doc, e);
	if (rc < 0) {
		yaml_document_delete(&doc);
		return rc;
	}
	return yamltree_write_take(&doc, out) ? 0 : out_of_memory(e);
}

/* Whoever gets it reads it as we do. */
static int read_back(const struct enclosing *e, const struct buf *text)
{
	struct campaign_plan *made = NULL;
	struct profile *profile = NULL;
	int rc;

	if (text->used > BUS_PAYLOAD_MAX)
		return bp_fail(e->err, BP_ERANGE, "%s: with what its files hold it has %zu bytes, and a "
			       "fleet's plan at most %d", e->p->file, text->used, BUS_PAYLOAD_MAX);
	rc = campaign_plan_parse(e->p->file, text->bytes, text->used, &made, e->err);
	/* One by its name is each vantage point's own. */
	if (rc == 0 && made->held != NULL)
		rc = campaign_plan_profile(made, NULL, &profile, e->err);
	if (rc < 0)
		bp_error_prefix(e->err, "with what its files hold");
	profile_free(profile);
	campaign_plan_free(made);
	return rc;
}

int enclose_plan(const struct campaign_plan *p, const char *yaml, size_t n, struct buf *out,
		 struct bp_error *err)
{
	struct enclosing e = {.p = p, .err = err};
	bool lists = false, profile = p->held == NULL && profile_is_file(p->profile);
	int rc = 0;

	for (unsigned i = 0; i < p->targets_count; i++)
		lists |= is_file(&p->targets[i]);
	buf_clear(out);
	if (lists)
		rc = collect(&e);
	if (rc == 0 && (lists || profile)) {
		rc = rewrite(&e, yaml, n, lists, profile, out);
		if (rc == 0)
			rc = read_back(&e, out);
	} else if (rc == 0) {
		buf_append(out, yaml, n);
		rc = out->failed ? out_of_memory(&e) : 0;
	}
	for (unsigned i = 0; i < e.count; i++)
		free(e.ones[i].word);
	free(e.ones);
	return rc;
}
