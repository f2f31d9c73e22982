// SPDX-License-Identifier: BSD-2-Clause
/* Traces as points, and who answers on them, once. Judges nothing. */
#include "analysis/point.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/diff.h"
#include "core/err.h"
#include "core/record/flat.h"

/* --- nodes ------------------------------------------------------------------------------------ */

int nodes_put(struct nodes *n, const struct node *node, uint32_t *number)
{
	struct node bytes;

	/* Padding too: nodes are equal by their bytes. */
	memset(&bytes, 0, sizeof(bytes));
	memcpy(&bytes.addr, &node->addr, sizeof(bytes.addr));
	bytes.asn = node->asn;
	bytes.skipped = node->skipped;
	return diff_intern_put(&n->intern, &bytes, sizeof(bytes), number);
}

int nodes_init(struct nodes *n)
{
	const struct node destination = {0};
	uint32_t number;

	memset(n, 0, sizeof(*n));
	return nodes_put(n, &destination, &number);
}

void nodes_fini(struct nodes *n)
{
	diff_intern_fini(&n->intern);
}

const struct node *nodes_get(const struct nodes *n, uint32_t number)
{
	return diff_intern_get(&n->intern, number);
}

/* --- points ----------------------------------------------------------------------------------- */

void point_room_fini(struct point_room *r)
{
	diff_intern_fini(&r->names);
	free(r->delays);
	memset(r, 0, sizeof(*r));
}

static int keep_name(struct point_room *room, const char *text, const char **out)
{
	uint32_t number;

	if (diff_intern_put(&room->names, text, strlen(text) + 1, &number) < 0)
		return BP_ENOMEM;
	*out = diff_intern_get(&room->names, number);
	return 0;
}

static int keep_names(struct point_room *room, const struct trace *t, struct point *out)
{
	int rc = keep_name(room, t->vantage, &out->vantage);

	if (rc == 0)
		rc = keep_name(room, t->campaign, &out->campaign);
	if (rc == 0)
		rc = keep_name(room, t->round, &out->round);
	if (rc == 0)
		rc = keep_name(room, t->target, &out->target);
	text_set(room->id, sizeof(room->id), t->id);
	out->id = room->id;
	return rc;
}

/* What a point says of a trace that has no verdict; all names. */
static int take_verdict(struct point_room *room, const struct verdict *v, struct point *out)
{
	bool judged = v != NULL && v->judged;
	int rc;

	out->judged = judged;
	out->outcome = judged ? v->outcome : OUTCOME_UNDETERMINED;
	out->class = judged ? v->class : CLASS_UNKNOWN;
	out->confidence = judged ? v->confidence : 0;
	out->via_asn = judged ? v->via_asn : 0;
	rc = keep_name(room, judged && v->outcome == OUTCOME_BORDER ? v->border : "", &out->border);
	return rc == 0 ? keep_name(room, judged ? v->via_org : "", &out->via_org) : rc;
}

static bool in_time(const struct trace_entry *e)
{
	return e->reply.rtt_ns >= 0 && !(e->reply.flags & (REPLY_LATE | REPLY_DUP | REPLY_CLOCK));
}

static void take_outside(const struct trace *t, const struct verdict *v, struct point *out)
{
	uint32_t i, end;

	out->outside_rtt_ns = -1;
	if (v == NULL || !v->judged || v->last_outside_ttl == 0)
		return;
	out->outside_ttl = v->last_outside_ttl;
	out->outside = v->last_outside;
	if (!trace_hop(t, v->last_outside_ttl, &i, &end))
		return;
	for (; i < end; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (in_time(e) && addr_equal(e->reply.from, v->last_outside) &&
		    (out->outside_rtt_ns < 0 || e->reply.rtt_ns < out->outside_rtt_ns))
			out->outside_rtt_ns = e->reply.rtt_ns;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int take_delays(struct point_room *room, const struct trace *t, struct point *out)
{
	uint32_t n;

	out->rtt_min_ns = out->rtt_median_ns = -1;
	if (t->entry_count > room->delays_room) {
		int64_t *more = reallocarray(room->delays, t->entry_count, sizeof(*more));

		if (more == NULL)
			return BP_ENOMEM;
		room->delays = more;
		room->delays_room = t->entry_count;
	}
	n = t->entry_count > 0 ? diff_delays(t, room->delays) : 0;
	if (n == 0)
		return 0;
	qsort(room->delays, n, sizeof(*room->delays), by_value);
	out->rtt_min_ns = room->delays[0];
	out->rtt_median_ns = (room->delays[(n - 1) / 2] + room->delays[n / 2]) / 2;
	return 0;
}

/* Loss is that of the destination's own TTL: what it did not answer there, nobody else was to. */
static void take_loss(const struct trace *t, const struct flat_end *end, struct point *out)
{
	uint32_t i, last;
	uint8_t attempts = t->attempts;

	out->reply_ttl = -1;
	if (!end->reached || !trace_hop(t, end->hops, &i, &last)) {
		for (i = 0; t->attempts == 0 && i < t->entry_count; i++)
			attempts = t->entries[i].attempt > attempts ? t->entries[i].attempt
								    : attempts;
		out->asked = attempts > 0 ? attempts : 1;
		return;
	}
	for (; i < last; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (e->why == WHY_NOT_SENT || (e->reply.flags & (REPLY_DUP | REPLY_INHERITED)))
			continue;
		out->asked++;
		if (!trace_entry_is_destination(t, e) || (e->reply.flags & REPLY_LATE))
			continue;
		out->answered++;
		if (out->reply_ttl < 0)
			out->reply_ttl = e->reply.reply_ttl;
	}
}

static int node_of(const struct trace *t, struct addr a, const struct names *names,
		   const struct profile *p, struct nodes *nodes, uint32_t *number)
{
	const struct name *n = names != NULL ? names_find(names, a) : NULL;
	const struct profile_label *label = p != NULL ? profile_label(p, a, t->start) : NULL;
	enum addr_kind kind = addr_kind(a);
	struct node node = {.addr = a, .asn = n != NULL ? n->asn : 0};

	if (addr_equal(a, t->dst)) {
		*number = NODE_DESTINATION;
		return 0;
	}
	node.skipped = kind == ADDR_KIND_PRIVATE || kind == ADDR_KIND_SHARED ||
		       kind == ADDR_KIND_LOOPBACK || kind == ADDR_KIND_LINK_LOCAL ||
		       (label != NULL && label->role != NULL &&
			strcmp(label->role, "exchange") == 0);
	return nodes_put(nodes, &node, number);
}

/* Puts the hop where it belongs among those of its TTL, the last ones; not twice. */
static void add_hop(struct point_room *room, struct point *out, struct point_hop h)
{
	unsigned at = out->hop_count;

	while (at > 0 && room->hops[at - 1].ttl == h.ttl && room->hops[at - 1].node > h.node)
		at--;
	if (at > 0 && room->hops[at - 1].ttl == h.ttl && room->hops[at - 1].node == h.node)
		return;
	if (out->hop_count == POINT_HOPS_MAX)
		return;
	memmove(&room->hops[at + 1], &room->hops[at], (out->hop_count - at) * sizeof(h));
	room->hops[at] = h;
	out->hop_count++;
}

static int take_hops(const struct trace *t, const struct names *names, const struct profile *p,
		     const struct flat_end *end, struct nodes *nodes, struct point_room *room,
		     struct point *out)
{
	struct addr before = {0};
	uint32_t node = 0;

	for (uint32_t i = 0; i < t->entry_count && t->entries[i].ttl <= end->cut; i++) {
		struct addr from = t->entries[i].reply.from;

		if (!addr_is_set(from))
			continue;
		/* Attempts mostly meet the same router: it is asked for once. */
		if (!addr_equal(from, before)) {
			int rc = node_of(t, from, names, p, nodes, &node);

			if (rc < 0)
				return rc;
			before = from;
		}
		add_hop(room, out, (struct point_hop){t->entries[i].ttl, node});
	}
	out->hops = room->hops;
	if (out->hop_count > 0) {
		out->last_ttl = room->hops[out->hop_count - 1].ttl;
		out->last_node = room->hops[out->hop_count - 1].node;
	}
	return 0;
}

int point_of_trace(const struct trace *t, const struct names *names, const struct verdict *v,
		   const struct profile *p, struct nodes *nodes, struct point_room *room,
		   struct point *out)
{
	struct flat_end end = flat_end(t);
	struct point made = {.start = t->start,
			     .end = t->end.ns > t->start.ns ? t->end : t->start,
			     .dst = t->dst,
			     .method = t->method,
			     .reach = t->reach,
			     .stop = t->stop,
			     .dport = t->dport,
			     .flow = t->flow,
			     .measured = t->stop != STOP_ERROR || t->entry_count > 0};
	int rc = keep_names(room, t, &made);

	if (rc == 0)
		rc = take_verdict(room, v, &made);
	if (rc == 0)
		rc = take_delays(room, t, &made);
	if (rc == 0)
		rc = take_hops(t, names, p, &end, nodes, room, &made);
	if (rc < 0)
		return rc;
	made.prefix = p != NULL ? profile_judge_prefix(p, t->dst) : (struct prefix){0};
	if (made.prefix.len == 0)
		made.prefix = prefix_of(t->dst, t->dst.family == 4 ? 32 : 128);
	take_loss(t, &end, &made);
	take_outside(t, v, &made);
	*out = made;
	return 0;
}
