// SPDX-License-Identifier: BSD-2-Clause
/* Shared beginnings: reduce, learn, confirm, inherit. What is probed is decided elsewhere. */
#include "analysis/beginning.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/border_path.h"
#include "core/err.h"

/* --- a trace as it is compared ---------------------------------------------------------------- */

static const struct border_hop *hop_of(const struct border_path *path, struct addr a)
{
	for (unsigned i = 0; i < path->hop_count; i++) {
		if (addr_equal(path->hops[i].from, a))
			return &path->hops[i];
	}
	return NULL;
}

/* Whose the address is: what a verdict could rest on. */
static void take_speaker(const struct border_path *path, const struct border_hop *b,
			 struct beginning_hop *h)
{
	/* Set aside as forged, or beyond the room: whatever it is, it is no hop to share. */
	if (b == NULL) {
		h->state = BEGINNING_ELSE;
		return;
	}
	h->again = h->again || b->ttl < h->ttl;
	h->inside = h->inside || b->kind == BORDER_HOP_INSIDE;
	h->foreign = h->foreign || b->kind == BORDER_HOP_FOREIGN;
	if (b->kind == BORDER_HOP_CARRIER && !b->customer)
		h->speakers |= 1u << b->border;
	else if (b->kind == BORDER_HOP_WAY)
		h->speakers |= 1u << path->other;
}

static void take_entry(const struct trace *t, const struct trace_entry *e,
		       struct beginning_hop *h)
{
	const struct reply *r = &e->reply;

	if (!addr_is_set(r->from)) {
		if (h->state == BEGINNING_NOT_ASKED)
			h->state = BEGINNING_SILENT;
		return;
	}
	if (!icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code) ||
	    addr_equal(r->from, t->dst) ||
	    (h->state == BEGINNING_ROUTER && !addr_equal(h->from, r->from))) {
		h->state = BEGINNING_ELSE;
	} else if (h->state != BEGINNING_ELSE) {
		h->state = BEGINNING_ROUTER;
		h->from = r->from;
	}
}

int beginning_read(const struct trace *t, const struct names *names, const struct profile *p,
		   struct wall now, struct beginning_view *out)
{
	struct border_path *path = malloc(sizeof(*path));

	if (path == NULL)
		return BP_ENOMEM;
	border_path_reduce(t, names, p, t->start.ns != 0 ? t->start : now, path);
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		struct beginning_hop *h = &out->hops[e->ttl];

		h->ttl = e->ttl;
		if (out->first_ttl == 0)
			out->first_ttl = e->ttl;
		out->last_ttl = e->ttl;
		take_entry(t, e, h);
		if (addr_is_set(e->reply.from))
			take_speaker(path, hop_of(path, e->reply.from), h);
	}
	free(path);
	return 0;
}

/* --- learning --------------------------------------------------------------------------------- */

/* What the scouts have in common at one TTL: BEGINNING_ROUTER when all were answered by it,
 * BEGINNING_SILENT when some were not (*from: by whom the others were), else BEGINNING_ELSE. */
static enum beginning_state common_hop(const struct beginning_view *const *scouts, unsigned n,
				       unsigned ttl, struct addr *from)
{
	enum beginning_state state = BEGINNING_ROUTER;

	*from = (struct addr){0};
	for (unsigned i = 0; i < n; i++) {
		const struct beginning_hop *h = &scouts[i]->hops[ttl];

		if (h->state == BEGINNING_SILENT) {
			state = BEGINNING_SILENT;
			continue;
		}
		if (h->state != BEGINNING_ROUTER || h->inside || h->again ||
		    (addr_is_set(*from) && !addr_equal(*from, h->from)))
			return BEGINNING_ELSE;
		*from = h->from;
	}
	return state;
}

/* Whose the hops [first, end) of all scouts are. */
static uint32_t common_speakers(const struct beginning_view *const *scouts, unsigned n,
				unsigned first, unsigned end)
{
	uint32_t speakers = 0;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned ttl = first; ttl < end; ttl++)
			speakers |= scouts[i]->hops[ttl].speakers;
	}
	return speakers;
}

static bool one_at_most(uint32_t bits)
{
	return (bits & (bits - 1)) == 0;
}

/* Whether a verdict would rest on hops asked every time, with this anchor: [first, anchor) is
 * inherited, [anchor, last] is common and asked. */
static bool anchor_is_safe(const struct beginning_view *const *scouts, unsigned n, unsigned first,
			   unsigned anchor, unsigned last)
{
	uint32_t inherited = common_speakers(scouts, n, first, anchor);

	return inherited == 0 ||
	       (one_at_most(inherited) && anchor < last &&
		common_speakers(scouts, n, anchor, last + 1) == inherited);
}

void beginning_learn(const struct beginning_view *const *scouts, unsigned n,
		     struct beginning *out)
{
	unsigned first = scouts[0]->first_ttl, last = 0, anchor;
	bool answered[TRACE_MAX_TTL + 1] = {false};

	memset(out, 0, sizeof(*out));
	out->first_ttl = (uint8_t)first;
	for (unsigned ttl = first; ttl > 0 && ttl <= TRACE_MAX_TTL; ttl++) {
		enum beginning_state state = common_hop(scouts, n, ttl, &out->from[ttl]);

		if (state == BEGINNING_ELSE)
			break;
		answered[ttl] = state == BEGINNING_ROUTER;
		if (answered[ttl])
			last = ttl;
	}
	for (anchor = last; anchor > first; anchor--) {
		if (answered[anchor] && anchor_is_safe(scouts, n, first, anchor, last))
			break;
	}
	if (last == 0 || anchor <= first)
		return;
	out->anchor_ttl = (uint8_t)anchor;
	out->anchor = out->from[anchor];
	out->speakers = common_speakers(scouts, n, first, anchor);
	for (unsigned i = 0; i < n; i++) {
		for (unsigned ttl = first; ttl < anchor; ttl++)
			out->foreign = out->foreign || scouts[i]->hops[ttl].foreign;
	}
}

unsigned beginning_known(const struct beginning *b, const struct beginning_view *scout)
{
	unsigned known = 0;

	for (unsigned ttl = b->first_ttl; ttl < b->anchor_ttl; ttl++)
		known += scout->hops[ttl].state == BEGINNING_ROUTER;
	return known;
}

/* --- later traces ----------------------------------------------------------------------------- */

static enum beginning_answer anchor_answer(const struct beginning *b,
					   const struct beginning_hop *h)
{
	if (h->state == BEGINNING_ROUTER && addr_equal(h->from, b->anchor))
		return BEGINNING_CONFIRMED;
	return h->state == BEGINNING_SILENT || h->state == BEGINNING_NOT_ASKED ?
	       BEGINNING_DOUBTFUL : BEGINNING_REFUTED;
}

/* A router of the beginning that answers from behind it: a loop, or a filter that the whole trace
 * would know for what it is. */
static bool in_beginning(const struct beginning *b, struct addr a)
{
	for (unsigned ttl = b->first_ttl; ttl < b->anchor_ttl; ttl++) {
		if (addr_is_set(b->from[ttl]) && addr_equal(b->from[ttl], a))
			return true;
	}
	return false;
}

enum beginning_answer beginning_confirm(const struct beginning *b, const struct trace *later,
					const struct beginning_view *view)
{
	enum beginning_answer answer = anchor_answer(b, &view->hops[b->anchor_ttl]);
	uint32_t speakers = 0;
	bool inside = false, foreign = false;

	if (answer != BEGINNING_CONFIRMED)
		return answer;
	for (uint32_t i = 0; i < later->entry_count; i++) {
		if (in_beginning(b, later->entries[i].reply.from))
			return BEGINNING_DOUBTFUL;
	}
	for (unsigned ttl = b->anchor_ttl; ttl <= view->last_ttl; ttl++) {
		const struct beginning_hop *h = &view->hops[ttl];

		speakers |= h->speakers;
		inside = inside || h->inside;
		foreign = foreign || h->foreign;
	}
	/* The verdict rests on a hop asked here, and on no hop that contradicts the inherited. */
	if (b->speakers != 0 && speakers != b->speakers)
		return BEGINNING_DOUBTFUL;
	if (b->foreign && inside && speakers == 0 && !foreign)
		return BEGINNING_DOUBTFUL;
	return BEGINNING_CONFIRMED;
}

enum beginning_answer beginning_check(const struct beginning *b, const struct beginning_view *whole)
{
	for (unsigned ttl = b->first_ttl; ttl < b->anchor_ttl; ttl++) {
		const struct beginning_hop *h = &whole->hops[ttl];

		if (h->state == BEGINNING_ELSE ||
		    (h->state == BEGINNING_ROUTER && addr_is_set(b->from[ttl]) &&
		     !addr_equal(h->from, b->from[ttl])))
			return BEGINNING_REFUTED;
	}
	return anchor_answer(b, &whole->hops[b->anchor_ttl]);
}

/* --- inheriting ------------------------------------------------------------------------------- */

/* What the source found at a TTL, in one entry: its first answer in time, else silence. */
static void inherit_hop(const struct trace *source, uint8_t ttl, struct trace_entry *out)
{
	uint32_t begin, end;

	trace_entry_init(out, ttl, 1);
	if (trace_hop(source, ttl, &begin, &end)) {
		for (uint32_t i = begin; i < end; i++) {
			const struct reply *r = &source->entries[i].reply;

			if (!addr_is_set(r->from) || (r->flags & REPLY_DUP))
				continue;
			out->reply = *r;
			out->why = WHY_NONE;
			break;
		}
	}
	/* What was remarked of the one answer and its times is not so of a path. */
	out->reply.flags = REPLY_INHERITED;
	out->reply.rtt_ns = -1;
}

int beginning_inherit(const struct beginning *b, const struct trace *source,
		      const struct trace *later, struct trace **out)
{
	uint32_t hops = (uint32_t)b->anchor_ttl - b->first_ttl;
	struct trace *t;

	if (later->entry_count > TRACE_MAX_ENTRIES - hops)
		return BP_ERANGE;
	t = trace_new(later->entry_count + hops);
	if (t == NULL)
		return BP_ENOMEM;
	memcpy(t, later, sizeof(*t));
	for (uint32_t i = 0; i < hops; i++)
		inherit_hop(source, (uint8_t)(b->first_ttl + i), &t->entries[i]);
	memcpy(&t->entries[hops], later->entries, later->entry_count * sizeof(t->entries[0]));
	t->entry_count += hops;
	t->size = (uint32_t)trace_size(t->entry_count);
	t->first_ttl = b->first_ttl;
	text_set(t->inherited_from, sizeof(t->inherited_from), source->id);
	*out = t;
	return 0;
}
