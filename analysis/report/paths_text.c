// SPDX-License-Identifier: BSD-2-Clause
/* The picture of branches, and sentences about it. */
#include "analysis/report/paths_text.h"

#include <stdio.h>
#include <string.h>

#include "analysis/report/trace_text.h"
#include "analysis/words.h"

enum { LETTERS = 26, MARK_TEXT = 4 };

/* "a".."z", "aa"..: nodes of one TTL in the order of their addresses. */
static const char *mark_of(uint32_t index, char out[static MARK_TEXT])
{
	if (index < LETTERS)
		snprintf(out, MARK_TEXT, "%c", 'a' + (int)index);
	else
		snprintf(out, MARK_TEXT, "%c%c", 'a' + (int)(index / LETTERS - 1) % LETTERS,
			 'a' + (int)(index % LETTERS));
	return out;
}

/* Widest address and number, for the columns. */
struct widths { unsigned address, flows; };

static struct widths measure(const struct paths *p)
{
	struct widths w = {.flows = 5};
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < p->node_count; i++) {
		unsigned n = (unsigned)strlen(addr_format(p->nodes[i].addr, text));

		w.address = n > w.address ? n : w.address;
	}
	return w;
}

/* The lowest RTT of this node at this TTL; -1: none. */
static int64_t min_rtt(const struct trace *t, const struct paths_node *node)
{
	uint32_t begin, end;
	int64_t min = -1;

	if (!trace_hop(t, node->ttl, &begin, &end))
		return -1;
	for (uint32_t i = begin; i < end; i++) {
		const struct reply *r = &t->entries[i].reply;

		if (addr_equal(r->from, node->addr) && r->rtt_ns >= 0 &&
		    (min < 0 || r->rtt_ns < min))
			min = r->rtt_ns;
	}
	return min;
}

static void name_draw(struct buf *out, const struct style *s, const struct name *n, bool with_names)
{
	if (n == NULL)
		return;
	if (n->asn != 0)
		buf_printf(out, "  AS%u ", n->asn);
	else if (n->org[0] || n->label[0])
		buf_str(out, "  ");
	style_text(out, s, n->org[0] ? n->org : n->label);
	if (with_names && n->host[0]) {
		buf_str(out, "  ");
		style_text(out, s, n->host);
	}
}

/* Which nodes of the TTL before lead here; said only where it is not plain: several to several. */
static void from_draw(struct buf *out, const struct paths *p, const struct paths_node *node)
{
	uint32_t begin, count, here;
	bool any = false;
	char mark[MARK_TEXT];

	if (node->ttl == 1 || paths_nodes_at(p, node->ttl, &here) < 2)
		return;
	count = paths_nodes_at(p, (uint8_t)(node->ttl - 1), &begin);
	if (count < 2)
		return;
	for (uint32_t i = 0; i < p->link_count; i++) {
		const struct paths_link *l = &p->links[i];

		if (l->ttl + 1 != node->ttl || !addr_equal(l->to, node->addr))
			continue;
		for (uint32_t k = 0; k < count; k++) {
			if (addr_equal(p->nodes[begin + k].addr, l->from))
				buf_printf(out, "%s %s", any ? "," : "  from", mark_of(k, mark));
		}
		any = true;
	}
}

static void node_draw(struct buf *out, const struct style *s, const struct paths *p, uint32_t i,
		      const struct widths *w, const struct names *names, bool with_names)
{
	const struct paths_node *node = &p->nodes[i];
	size_t start = out->used;
	uint32_t begin, count = paths_nodes_at(p, node->ttl, &begin);
	char text[ADDR_TEXT], mark[MARK_TEXT];
	int64_t rtt = min_rtt(p->merged, node);
	unsigned ways = paths_ways_from(p, node);

	if (i == begin)
		buf_printf(out, "%3u ", node->ttl);
	else
		buf_str(out, "    ");
	buf_printf(out, "%-2s  %*u  %-*s", count > 1 ? mark_of(i - begin, mark) : "",
		   (int)w->flows, node->flows, (int)w->address, addr_format(node->addr, text));
	if (rtt >= 0)
		buf_printf(out, "  %8.3f ms", (double)rtt / 1e6);
	else
		buf_printf(out, "  %11s", "");
	from_draw(out, p, node);
	name_draw(out, s, names_find(names, node->addr), with_names);
	if (node->balancing != BALANCING_NONE && ways > 1)
		buf_printf(out, "  [%s over %u]", node->balancing == BALANCING_PER_PACKET ?
			   "per packet" : "per flow", ways);
	while (out->used > start && out->bytes[out->used - 1] == ' ')
		out->used--;
	buf_char(out, '\n');
	style_wrap(out, s, start, 8);
}

/* TTLs at which nobody answered anybody, between those that have nodes. */
static void gap_draw(struct buf *out, unsigned from, unsigned to)
{
	char text[16];

	if (from > to)
		return;
	if (from < to)
		snprintf(text, sizeof(text), "%u-%u", from, to);
	else
		snprintf(text, sizeof(text), "%u", from);
	buf_printf(out, "%3s  nobody answered\n", text);
}

static void search_draw(struct buf *out, const struct style *s, const struct paths *p)
{
	size_t start = out->used;
	char sure[16];

	report_confidence(p->confidence, sure, sizeof(sure));
	buf_printf(out, "%u flow%s, %u node%s, %u link%s, %lld probes. ", p->flows,
		   p->flows == 1 ? "" : "s", p->node_count, p->node_count == 1 ? "" : "s",
		   p->link_count, p->link_count == 1 ? "" : "s", (long long)p->merged->sent);
	if (p->cut)
		buf_str(out, "The search was cut short: branches may be missing.\n");
	else
		buf_printf(out, "Asked with %u %% confidence at each node; that none is missing anywhere "
			   "has a probability of %s or more.\n", p->level, sure);
	style_wrap(out, s, start, 2);
}

/* How an outcome that is no border is called. */
static const char *share_name(const struct profile *profile, const char *id)
{
	static const struct { const char *id, *name; } others[] = {
		{"mixed", "several borders at once"}, {"undetermined", "undetermined"},
		{"none", "not into the network"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(id, others[i].id) == 0)
			return others[i].name;
	}
	return words_border(profile, id);
}

static void shares_draw(struct buf *out, const struct style *s, const struct paths *p,
			const struct profile *profile)
{
	for (uint32_t i = 0; i < p->share_count; i++) {
		const struct paths_share *share = &p->shares[i];
		double low, high;

		paths_interval(share->flows, p->flows, &low, &high);
		buf_str(out, "  ");
		style_text(out, s, share_name(profile, share->id));
		buf_printf(out, ": %u of %u flows, %.0f %% (95 %% interval %.0f to %.0f %%)\n",
			   share->flows, p->flows, 100.0 * share->flows / p->flows, 100 * low,
			   100 * high);
	}
}

void report_paths(struct buf *out, const struct style *s, const struct paths *p,
		  const struct names *names, const struct verdict *v, const struct profile *profile,
		  bool with_names, bool verbose)
{
	struct widths w = measure(p);
	unsigned next = p->merged->first_ttl ? p->merged->first_ttl : 1;

	report_head(out, s, p->merged);
	style_face(out, s, FACE_BOLD);
	buf_printf(out, "TTL    %*s  Node", (int)w.flows, "Flows");
	style_end(out, s);
	buf_char(out, '\n');
	if (p->source_balancing != BALANCING_NONE)
		buf_printf(out, "  0    this host balances %s\n",
			   p->source_balancing == BALANCING_PER_PACKET ? "per packet" : "per flow");
	for (uint32_t i = 0; i < p->node_count; i++) {
		if (p->nodes[i].ttl > next)
			gap_draw(out, next, p->nodes[i].ttl - 1u);
		next = p->nodes[i].ttl + 1u;
		node_draw(out, s, p, i, &w, names, with_names);
	}
	search_draw(out, s, p);
	if (!v->judged)
		return;
	if (v->outcome != OUTCOME_NONE)
		shares_draw(out, s, p, profile);
	report_verdict(out, s, p->merged, v, profile);
	buf_char(out, '\n');
	report_evidence(out, s, v, profile, verbose);
}
