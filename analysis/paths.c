// SPDX-License-Identifier: BSD-2-Clause
/* Nodes and links over the flows of one target: sorted arrays, a few dozen entries long. */
#include "analysis/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"

void paths_init(struct paths *p)
{
	*p = (struct paths){0};
}

void paths_fini(struct paths *p)
{
	free(p->nodes);
	free(p->links);
	free(p->merged);
	paths_init(p);
}

static int link_order(const struct paths_link *a, const struct paths_link *b)
{
	int order;

	if (a->ttl != b->ttl)
		return a->ttl < b->ttl ? -1 : 1;
	order = addr_compare(a->from, b->from);
	return order ? order : addr_compare(a->to, b->to);
}

static void *grow(void *items, uint32_t count, uint32_t *room, size_t size)
{
	uint32_t want = *room ? 2 * *room : 32;
	void *more;

	if (count < *room)
		return items;
	more = reallocarray(items, want, size);
	if (more != NULL)
		*room = want;
	return more;
}

static int node_count(struct paths *p, uint8_t ttl, struct addr addr, bool asked, bool split)
{
	uint32_t i = 0;
	void *more;

	while (i < p->node_count && (p->nodes[i].ttl < ttl || (p->nodes[i].ttl == ttl &&
	       addr_compare(p->nodes[i].addr, addr) < 0)))
		i++;
	if (i < p->node_count && p->nodes[i].ttl == ttl && addr_equal(p->nodes[i].addr, addr)) {
		p->nodes[i].flows++;
		p->nodes[i].asked += asked;
		p->nodes[i].split |= split;
		return 0;
	}
	more = grow(p->nodes, p->node_count, &p->node_room, sizeof(*p->nodes));
	if (more == NULL)
		return BP_ENOMEM;
	p->nodes = more;
	memmove(&p->nodes[i + 1], &p->nodes[i], (p->node_count - i) * sizeof(*p->nodes));
	p->nodes[i] = (struct paths_node){.ttl = ttl, .addr = addr, .flows = 1, .asked = asked,
					  .split = split};
	p->node_count++;
	return 0;
}

static int link_count(struct paths *p, uint8_t ttl, struct addr from, struct addr to)
{
	struct paths_link link = {.ttl = ttl, .from = from, .to = to, .flows = 1};
	uint32_t i = 0;
	void *more;

	while (i < p->link_count && link_order(&p->links[i], &link) < 0)
		i++;
	if (i < p->link_count && link_order(&p->links[i], &link) == 0) {
		p->links[i].flows++;
		return 0;
	}
	more = grow(p->links, p->link_count, &p->link_room, sizeof(*p->links));
	if (more == NULL)
		return BP_ENOMEM;
	p->links = more;
	memmove(&p->links[i + 1], &p->links[i], (p->link_count - i) * sizeof(*p->links));
	p->links[i] = link;
	p->link_count++;
	return 0;
}

/* Distinct in-time responders of one TTL, in order of first answer. */
enum { HOP_ADDRESSES_MAX = 16 };

static unsigned hop_addresses(const struct trace *t, uint8_t ttl,
			      struct addr out[static HOP_ADDRESSES_MAX], bool *asked)
{
	uint32_t begin, end;
	unsigned n = 0;

	*asked = true;
	if (!trace_hop(t, ttl, &begin, &end))
		return 0;
	for (uint32_t i = begin; i < end && n < HOP_ADDRESSES_MAX; i++) {
		const struct reply *r = &t->entries[i].reply;
		unsigned k = 0;

		*asked &= !(r->flags & REPLY_INHERITED);
		if (!addr_is_set(r->from) || (r->flags & REPLY_DUP))
			continue;
		while (k < n && !addr_equal(out[k], r->from))
			k++;
		if (k == n)
			out[n++] = r->from;
	}
	return n;
}

static int merge(struct paths *p, const struct trace *t)
{
	uint32_t had = p->merged ? p->merged->entry_count : 0, n = t->entry_count;
	struct trace *m;

	if (had + n > TRACE_MAX_ENTRIES)
		n = TRACE_MAX_ENTRIES - had;
	m = realloc(p->merged, trace_size(had + n));
	if (m == NULL)
		return BP_ENOMEM;
	if (p->merged == NULL)
		memcpy(m, t, sizeof(*m));
	else if (m->reach != REACH_REACHED)
		m->reach = t->reach, m->stop = t->stop, m->reached_by = t->reached_by;
	if (m->inherited_from[0] == '\0')
		text_set(m->inherited_from, sizeof(m->inherited_from), t->inherited_from);
	if (p->merged != NULL && m->sent >= 0 && t->sent >= 0)
		m->sent += t->sent, m->received += t->received;
	memcpy(&m->entries[had], t->entries, n * sizeof(t->entries[0]));
	m->entry_count = had + n;
	m->size = (uint32_t)trace_size(m->entry_count);
	m->flow = -1;
	trace_sort(m);
	p->merged = m;
	return 0;
}

void paths_count_share(struct paths *p, const struct verdict *v)
{
	const char *id = v->outcome == OUTCOME_BORDER ? v->border :
			 word_of(outcome_words, v->outcome);
	uint32_t i = 0;

	while (i < p->share_count && strcmp(p->shares[i].id, id) != 0)
		i++;
	if (i == PATHS_SHARES_MAX)
		return;
	if (i == p->share_count) {
		text_set(p->shares[i].id, sizeof(p->shares[i].id), id);
		p->share_count++;
	}
	p->shares[i].flows++;
}

int paths_add(struct paths *p, const struct trace *t, const struct verdict *v)
{
	struct addr here[HOP_ADDRESSES_MAX] = {0}, next[HOP_ADDRESSES_MAX] = {0};
	unsigned n_here, n_next = 0;
	bool asked, asked_next = true;
	int rc = merge(p, t);

	if (rc < 0)
		return rc;
	p->flows++;
	paths_count_share(p, v);
	p->reached += t->reach == REACH_REACHED;
	n_here = hop_addresses(t, 1, here, &asked);
	for (unsigned ttl = 1; ttl <= TRACE_MAX_TTL; ttl++) {
		n_next = ttl < TRACE_MAX_TTL ? hop_addresses(t, (uint8_t)(ttl + 1), next,
							     &asked_next) : 0;
		for (unsigned i = 0; rc == 0 && i < n_here; i++) {
			rc = node_count(p, (uint8_t)ttl, here[i], asked, n_next > 1);
			for (unsigned k = 0; rc == 0 && k < n_next; k++) {
				if (!addr_equal(here[i], next[k]))
					rc = link_count(p, (uint8_t)ttl, here[i], next[k]);
			}
		}
		memcpy(here, next, sizeof(here));
		n_here = n_next;
		asked = asked_next;
	}
	return rc;
}

/* --- what a search says ----------------------------------------------------------------------- */

uint32_t paths_nodes_at(const struct paths *p, uint8_t ttl, uint32_t *begin)
{
	uint32_t i = 0, n = 0;

	while (i < p->node_count && p->nodes[i].ttl < ttl)
		i++;
	while (i + n < p->node_count && p->nodes[i + n].ttl == ttl)
		n++;
	*begin = i;
	return n;
}

unsigned paths_ways_from(const struct paths *p, const struct paths_node *node)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->link_count; i++)
		n += p->links[i].ttl == node->ttl && addr_equal(p->links[i].from, node->addr);
	return n;
}

static void drop_unknown_links(struct paths *p, const struct frame_paths *f)
{
	uint32_t begin, kept = 0;

	for (uint32_t i = 0; i < p->link_count; i++) {
		uint8_t ttl = p->links[i].ttl;

		if (f->balancing[ttl] == BALANCING_PER_PACKET &&
		    paths_nodes_at(p, ttl, &begin) > 1 &&
		    paths_nodes_at(p, (uint8_t)(ttl + 1), &begin) > 1 &&
		    f->balancing[ttl - 1] == BALANCING_PER_PACKET)
			continue;
		p->links[kept++] = p->links[i];
	}
	p->link_count = kept;
}

void paths_searched(struct paths *p, const struct frame_paths *f)
{
	uint8_t first = p->merged != NULL && p->merged->first_ttl ? p->merged->first_ttl : 1;

	p->searched = true;
	p->cut = f->cut;
	p->level = f->level;
	p->confidence = f->confidence;
	p->source_balancing = f->balancing[first - 1];
	for (uint32_t i = 0; i < p->node_count; i++) {
		struct paths_node *n = &p->nodes[i];

		if (paths_ways_from(p, n) < 2)
			continue;
		/* Another node of this TTL may be the one that balances per packet. */
		n->balancing = f->balancing[n->ttl];
		if (n->balancing == BALANCING_PER_PACKET && !n->split &&
		    f->balancing[n->ttl - 1] != BALANCING_PER_PACKET)
			n->balancing = BALANCING_PER_FLOW;
	}
	drop_unknown_links(p, f);
}

/* (p + z^2/2n -+ z sqrt(p (1 - p) / n + z^2/4n^2)) / (1 + z^2/n), p = k/n, z = 1.96 */
void paths_interval(uint32_t k, uint32_t n, double *low, double *high)
{
	const double z = 1.959964;
	double share, middle, half;

	*low = 0;
	*high = 1;
	if (n == 0)
		return;
	share = (double)k / n;
	middle = share + z * z / (2.0 * n);
	half = z * sqrt(share * (1 - share) / n + z * z / (4.0 * n * n));
	*low = fmax(0, (middle - half) / (1 + z * z / n));
	*high = fmin(1, (middle + half) / (1 + z * z / n));
}

static void put_balancing(struct json_writer *w, uint8_t balancing)
{
	if (balancing != BALANCING_NONE)
		json_put_str(w, "balancing", balancing == BALANCING_PER_PACKET ? "per_packet" :
			     "per_flow");
}

void paths_put_shares(struct json_writer *w, const char *key, const struct paths *p)
{
	json_begin_object(w, key);
	for (uint32_t i = 0; i < p->share_count; i++)
		json_put_real(w, p->shares[i].id, (double)p->shares[i].flows / p->flows);
	json_end(w);
}

void paths_put_counts(struct json_writer *w, const char *key, const struct paths *p)
{
	json_begin_object(w, key);
	for (uint32_t i = 0; i < p->share_count; i++)
		json_put_int(w, p->shares[i].id, p->shares[i].flows);
	json_end(w);
}

void paths_write_json(struct buf *out, const struct paths *p, const struct verdict *verdict)
{
	const struct trace *t = p->merged;
	char text[ADDR_TEXT], when[WALL_TEXT];
	struct json_writer w;

	if (t == NULL)
		return;
	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "paths");
	json_put_int(&w, "version", 1);
	if (t->vantage[0])
		json_put_str(&w, "vantage", t->vantage);
	json_put_str(&w, "dst", addr_format(t->dst, text));
	if (t->target[0])
		json_put_str(&w, "target", t->target);
	json_put_str(&w, "method", word_of(method_words, t->method));
	if (t->start.ns != 0)
		json_put_str(&w, "start", wall_format(t->start, when));
	json_put_int(&w, "flows", p->flows);
	json_put_int(&w, "reached", p->reached);
	if (p->searched) {
		json_put_int(&w, "level", p->level);
		json_put_real(&w, "confidence", p->confidence);
		json_put_bool(&w, "cut", p->cut);
		put_balancing(&w, p->source_balancing);
	}
	json_begin_array(&w, "nodes");
	for (uint32_t i = 0; i < p->node_count; i++) {
		json_begin_object(&w, NULL);
		json_put_int(&w, "ttl", p->nodes[i].ttl);
		json_put_str(&w, "addr", addr_format(p->nodes[i].addr, text));
		json_put_int(&w, "flows", p->nodes[i].flows);
		if (p->searched) {
			json_put_int(&w, "asked", p->nodes[i].asked);
			put_balancing(&w, p->nodes[i].balancing);
		}
		json_end(&w);
	}
	json_end(&w);
	json_begin_array(&w, "links");
	for (uint32_t i = 0; i < p->link_count; i++) {
		json_begin_object(&w, NULL);
		json_put_int(&w, "ttl", p->links[i].ttl);
		json_put_str(&w, "from", addr_format(p->links[i].from, text));
		json_put_str(&w, "to", addr_format(p->links[i].to, text));
		json_put_int(&w, "flows", p->links[i].flows);
		json_end(&w);
	}
	json_end(&w);
	paths_put_shares(&w, "shares", p);
	if (p->searched)
		paths_put_counts(&w, "counts", p);
	if (verdict != NULL && verdict->judged)
		jsonl_put_verdict(&w, verdict);
	json_end(&w);
	buf_char(out, '\n');
}
