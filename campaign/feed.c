// SPDX-License-Identifier: BSD-2-Clause
/* Entries to ranges, ranges to lines, lazily: what waits is a number, not a line in memory. */
#include "campaign/feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/order.h"
#include "campaign/targets.h"
#include "core/buf.h"
#include "core/text.h"

/* One host of an entry, or an entry of the profile: what the tag of a range says. */
struct part {
	unsigned target, host;
	struct campaign_how how;
};

/* What is left out of the prefixes of one method and port, where addresses in them are entries of
 * their own: those, and the do-not-probe lists. */
struct cut {
	uint8_t method;
	uint16_t port;
	struct prefixset out;
};

struct feed {
	struct feed_from from;
	struct prefixset nothing;     /* where nothing is to be avoided */
	struct part *parts;           /* owned; tags of targets */
	uint32_t part_count, part_room;
	struct targets targets;
	struct cut *cuts;             /* owned */
	uint32_t cut_count;
	struct order order;
	struct campaign_how reference; /* how reference hosts are measured */
	uint64_t expected, unresolved, avoided;
	unsigned unread; /* files */
	/* where it stands */
	unsigned next_reference;
	bool begun, ended;
	uint32_t entry;
	struct addr dst;
	unsigned next_flow, flows;
};

static void note(const struct feed *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct feed *f, const char *fmt, ...)
{
	char text[BP_ERROR_TEXT];
	va_list ap;

	if (f->from.on_note == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->from.on_note(f->from.arg, text);
}

static const struct prefixset *avoid_of(const struct feed *f)
{
	return f->from.avoid != NULL ? f->from.avoid : &f->nothing;
}

/* Lines for one destination. */
static unsigned lines_of(const struct campaign_how *how)
{
	return how->multipath > 0 ? 1 : how->flows;
}

/* --- what is asked for ------------------------------------------------------------------------ */

static int ask(void *arg, const char *host, uint8_t family, struct addr *out, struct bp_error *err)
{
	int rc = lookup_ask(arg, host);

	(void)family;
	*out = (struct addr){0};
	return rc < 0 ? bp_fail(err, rc, "'%s' cannot be looked up: %s", host, bp_strerror(rc)) : 0;
}

static int add_part(struct feed *f, struct part part)
{
	if (f->part_count == f->part_room) {
		uint32_t room = f->part_room > 0 ? 2 * f->part_room : 16;
		struct part *parts = reallocarray(f->parts, room, sizeof(*parts));

		if (parts == NULL)
			return BP_ENOMEM;
		f->parts = parts;
		f->part_room = room;
	}
	f->parts[f->part_count++] = part;
	return 0;
}

/* One word of the plan or the profile; name may be NULL. */
static int add_word(struct feed *f, const char *word, const char *name, struct part part)
{
	uint32_t first = f->targets.count;
	uint64_t wrong = f->targets.wrong;
	struct bp_error err;
	int rc = add_part(f, part);

	if (rc < 0)
		return rc;
	rc = targets_add(&f->targets, word, 0, &err);
	wrong = f->targets.wrong - wrong;
	if (rc == BP_ENOMEM)
		return rc;
	if (rc < 0) {
		if (wrong > 1)
			note(f, "%s: %llu lines in all that name nothing", err.text,
			     (unsigned long long)wrong);
		else
			note(f, "%s", err.text);
		f->unresolved += (wrong > 0 ? wrong : 1) * lines_of(&part.how);
		f->unread += word[0] == '@' && err.sys != 0;
	}
	for (uint32_t i = first; i < f->targets.count; i++) {
		struct target *t = &f->targets.items[i];

		t->tag = f->part_count - 1;
		t->method = part.how.method;
		t->port = part.how.port;
		if (name != NULL && word[0] != '@' && targets_name(&f->targets, i, name) < 0)
			return BP_ENOMEM;
	}
	return 0;
}

static bool holds(struct wall since, struct wall until, struct wall when)
{
	return validity_holds(&(struct validity){.since = since, .until = until}, when);
}

static int collect_plan(struct feed *f)
{
	const struct campaign_plan *p = f->from.plan;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < p->targets_count; i++) {
		const struct campaign_target *t = &p->targets[i];
		bool several = f->from.hosts != NULL && t->hosts_count > 1;
		unsigned active = several ? hosts_active(f->from.hosts, i) : 0;
		bool all = several && hosts_ask_all(f->from.hosts, i);
		struct part part = {.target = i};

		if (!holds(t->since, t->until, f->from.slot))
			continue;
		campaign_how_settle(&t->how, &p->how, METHOD_UNKNOWN, 0, &part.how);
		for (unsigned j = 0; rc == 0 && j < t->hosts_count; j++) {
			part.host = j;
			if (all || j == active)
				rc = add_word(f, t->hosts[j], t->name, part);
		}
	}
	return rc;
}

static int collect_profile(struct feed *f)
{
	const struct profile *profile = f->from.profile;
	const struct campaign_how none = {0};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < profile->targets_count; i++) {
		const struct profile_target *t = &profile->targets[i];
		struct part part = {.target = i};

		if (!validity_holds(&t->valid, f->from.slot))
			continue;
		campaign_how_settle(&none, &f->from.plan->how, t->method, t->port, &part.how);
		rc = add_word(f, t->host, t->name, part);
	}
	return rc;
}

/* Names get their addresses. What has none stays without, and is dropped when it settles. */
static void resolve(struct feed *f, struct lookup *lookup)
{
	char text[PREFIX_TEXT];

	lookup_wait(lookup);
	for (uint32_t i = 0; i < f->targets.count; i++) {
		struct target *t = &f->targets.items[i];
		const struct part *part = &f->parts[t->tag];
		struct bp_error err;
		const char *host;
		bool old = false;

		if (addr_is_set(t->prefix.addr))
			continue;
		/* A name for people hides the word; a file's words are their own. */
		host = target_text(&f->targets, t, text);
		if (!f->from.plan->targets_of_profile &&
		    f->from.plan->targets[part->target].hosts[part->host][0] != '@')
			host = f->from.plan->targets[part->target].hosts[part->host];
		else if (f->from.plan->targets_of_profile)
			host = f->from.profile->targets[part->target].host;
		if (lookup_find(lookup, host, &t->prefix.addr, &old, &err) < 0) {
			note(f, "%s", err.text);
			f->unresolved += lines_of(&part->how);
			continue;
		}
		t->prefix.len = (uint8_t)(8 * addr_size(t->prefix.addr));
		if (old)
			note(f, "'%s' cannot be looked up now: its last address, %s, is measured", host,
			     addr_format(t->prefix.addr, text));
	}
}

static int collect(struct feed *f, struct bp_error *err)
{
	struct lookup *own = NULL, *lookup = f->from.lookup;
	int rc = 0;

	if (lookup == NULL) {
		rc = lookup_open(&own, err);
		lookup = own;
	}
	if (rc < 0)
		return rc;
	f->targets.resolve = ask;
	f->targets.resolve_arg = lookup;
	rc = f->from.plan->targets_of_profile ? collect_profile(f) : collect_plan(f);
	if (rc == 0)
		resolve(f, lookup);
	lookup_close(own);
	return rc < 0 ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
}

/* --- what is left of it ----------------------------------------------------------------------- */

static bool is_single(const struct target *t)
{
	return t->prefix.len == 8 * addr_size(t->prefix.addr);
}

static struct cut *find_cut(const struct feed *f, const struct target *t)
{
	for (uint32_t i = 0; i < f->cut_count; i++) {
		if (f->cuts[i].method == t->method && f->cuts[i].port == t->port)
			return &f->cuts[i];
	}
	return NULL;
}

static const struct prefixset *out_of(const struct feed *f, const struct target *t)
{
	const struct cut *cut = is_single(t) ? NULL : find_cut(f, t);

	return cut != NULL ? &cut->out : avoid_of(f);
}

/* For each method and port that has both prefixes and single addresses. */
static int make_cuts(struct feed *f)
{
	const struct targets *t = &f->targets;
	int rc = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		struct cut *cuts;

		if (is_single(&t->items[i]) || find_cut(f, &t->items[i]) != NULL)
			continue;
		cuts = reallocarray(f->cuts, f->cut_count + 1, sizeof(*cuts));
		if (cuts == NULL)
			return BP_ENOMEM;
		f->cuts = cuts;
		f->cuts[f->cut_count++] = (struct cut){.method = t->items[i].method,
						       .port = t->items[i].port};
	}
	for (uint32_t i = 0; i < f->cut_count; i++) {
		for (uint32_t k = 0; rc == 0 && k < avoid_of(f)->count; k++)
			rc = prefixset_add(&f->cuts[i].out, avoid_of(f)->items[k]);
	}
	for (uint32_t i = 0; rc == 0 && i < t->count; i++) {
		struct cut *cut = is_single(&t->items[i]) ? find_cut(f, &t->items[i]) : NULL;

		if (cut != NULL)
			rc = prefixset_add(&cut->out, t->items[i].prefix);
	}
	for (uint32_t i = 0; i < f->cut_count; i++)
		prefixset_settle(&f->cuts[i].out);
	return rc;
}

static uint64_t size_of(const struct feed *f, const struct target *t)
{
	return target_size(t) - prefixset_overlap(out_of(f, t), t->prefix);
}

/* A closer look has several flows each, as long as those are not too many. */
static void add_flows(struct feed *f)
{
	uint64_t destinations = 0, most;

	for (uint32_t i = 0; i < f->targets.count; i++)
		destinations += size_of(f, &f->targets.items[i]);
	most = destinations > 0 ? FEED_LOOK_LINES / destinations : 0;
	if (most > f->from.flows)
		most = f->from.flows;
	for (uint32_t i = 0; i < f->part_count; i++) {
		struct campaign_how *how = &f->parts[i].how;

		if (how->multipath == 0 && how->flows < most)
			how->flows = (uint16_t)most;
	}
}

static int settle(struct feed *f)
{
	const struct campaign_plan *p = f->from.plan;
	uint32_t dropped;
	int rc = f->from.only_count == 0 ? 0 :
		 targets_narrow(&f->targets, f->from.only, f->from.only_count);

	if (rc == 0)
		rc = targets_settle(&f->targets, TARGETS_BY_METHOD | TARGETS_KEEP_SINGLE,
				    &dropped);
	if (rc == 0)
		rc = make_cuts(f);
	if (rc < 0)
		return rc;
	if (f->from.only_count > 0) {
		/* It is not known where they lie. */
		f->unresolved = 0;
		add_flows(f);
	}
	f->expected = f->unresolved;
	for (uint32_t i = 0; i < f->targets.count; i++) {
		const struct target *t = &f->targets.items[i];

		f->expected += size_of(f, t) * lines_of(&f->parts[t->tag].how);
		f->avoided += prefixset_overlap(avoid_of(f), t->prefix);
	}
	for (unsigned i = 0; i < p->references_count; i++) {
		char text[ADDR_TEXT];

		if (prefixset_find(avoid_of(f), p->references[i]) == NULL) {
			f->expected++;
			continue;
		}
		f->avoided++;
		note(f, "reference host %s is on a do-not-probe list: it is not asked",
		     addr_format(p->references[i], text));
	}
	return order_init(&f->order, &f->targets, campaign_seed(p->vantage), true);
}

int feed_new(const struct feed_from *from, struct feed **out, struct bp_error *err)
{
	static const struct campaign_how none;
	struct feed *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	f->from = *from;
	targets_init(&f->targets);
	/* Of the plan for all only what is no method: a reference answers pings. */
	campaign_how_settle(&none, &none, METHOD_ICMP, 0, &f->reference);
	rc = collect(f, err);
	if (rc == 0 && settle(f) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	if (rc == 0 && (f->expected == 0 || (from->only_count > 0 && f->targets.count == 0)))
		rc = bp_fail(err, BP_ENOTFOUND, "%s: nothing to measure: %s", from->plan->file,
			     f->avoided > 0 ? "all of it is on a do-not-probe list" :
					      "no target holds at this time");
	if (rc < 0) {
		feed_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	for (uint32_t i = 0; i < f->cut_count; i++)
		prefixset_fini(&f->cuts[i].out);
	order_fini(&f->order);
	targets_fini(&f->targets);
	free(f->cuts);
	free(f->parts);
	free(f);
}

/* --- the lines -------------------------------------------------------------------------------- */

static void fill(const struct campaign_how *how, struct addr dst, const char *target,
		 struct plan_trace *line)
{
	plan_trace_defaults(line);
	line->dst = dst;
	line->method = how->method;
	line->dport = how->port;
	line->multipath = how->multipath;
	line->first_ttl = how->first_ttl;
	line->max_ttl = how->max_ttl;
	line->attempts = how->attempts;
	line->gap_limit = how->gap_limit;
	line->wait_ms = how->wait_ms;
	text_set(line->target, sizeof(line->target), target);
}

static bool next_reference(struct feed *f, struct plan_trace *line, struct feed_line *from)
{
	const struct campaign_plan *p = f->from.plan;
	char text[ADDR_TEXT];

	while (f->next_reference < p->references_count) {
		unsigned i = f->next_reference++;

		if (prefixset_find(avoid_of(f), p->references[i]) != NULL)
			continue;
		fill(&f->reference, p->references[i], addr_format(p->references[i], text), line);
		*from = (struct feed_line){.reference = true, .target = i, .last = true};
		return true;
	}
	return false;
}

/* Goes to the next flow or destination; false at the end. */
static bool step(struct feed *f)
{
	const struct target *t;

	if (f->ended)
		return false;
	if (f->begun && ++f->next_flow < f->flows)
		return true;
	f->begun = true;
	do {
		f->ended = !order_next(&f->order, &f->entry, &f->dst);
		if (f->ended)
			return false;
		t = &f->targets.items[f->entry];
	} while (prefixset_find(out_of(f, t), f->dst) != NULL);
	f->next_flow = 0;
	f->flows = lines_of(&f->parts[t->tag].how);
	return true;
}

bool feed_next(struct feed *f, struct plan_trace *line, struct feed_line *from)
{
	const struct target *t;
	const struct part *part;
	char text[PREFIX_TEXT];

	if (next_reference(f, line, from))
		return true;
	if (!step(f))
		return false;
	t = &f->targets.items[f->entry];
	part = &f->parts[t->tag];
	fill(&part->how, f->dst, target_text(&f->targets, t, text), line);
	line->flow = (uint16_t)f->next_flow;
	*from = (struct feed_line){.target = part->target, .host = part->host,
				   .last = f->next_flow + 1 == f->flows};
	return true;
}

uint64_t feed_expected(const struct feed *f)
{
	return f->expected;
}

uint64_t feed_unresolved(const struct feed *f)
{
	return f->unresolved;
}

unsigned feed_unread(const struct feed *f)
{
	return f->unread;
}

uint64_t feed_avoided(const struct feed *f)
{
	return f->avoided;
}

uint32_t feed_rows(const struct feed *f)
{
	return f->from.plan->references_count + f->targets.count;
}

void feed_row(const struct feed *f, uint32_t i, struct feed_row *out)
{
	unsigned references = f->from.plan->references_count;

	if (i < references) {
		struct addr a = f->from.plan->references[i];

		*out = (struct feed_row){.prefix = prefix_of(a, (uint8_t)(8 * addr_size(a))),
					 .out = avoid_of(f), .how = &f->reference,
					 .reference = true};
		return;
	}
	*out = (struct feed_row){.prefix = f->targets.items[i - references].prefix,
				 .out = out_of(f, &f->targets.items[i - references]),
				 .how = &f->parts[f->targets.items[i - references].tag].how};
}

void feed_run(const struct campaign_plan *p, struct plan_run *out)
{
	plan_run_defaults(out);
	text_set(out->vantage, sizeof(out->vantage), p->vantage);
	out->seed = campaign_seed(p->vantage);
	out->rate_pps = p->rate_pps;
	out->prefix_mpps = p->prefix_mpps;
	/* As --rate max of trace: no cap at all. */
	if (p->rate_pps == 0)
		out->router_pps = 0;
}
