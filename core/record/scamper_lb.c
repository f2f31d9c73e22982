// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads scamper's "tracelb": a set of paths, as the traces of its flows. Each probe that was answered
 * stands under a link, with its flow, TTL and attempt; the flows are put together from these. What
 * scamper does not list is not made up: the probes of the first node, and those without an answer.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record/import.h"
#include "core/record/jsonl_fields.h"
#include "core/record/scamper.h"
#include "core/record/scamper_fields.h"

static const struct word method_names[] = {
	{"icmp-echo", METHOD_ICMP}, {"udp-dport", METHOD_UDP},     {"udp-sport", METHOD_UDP},
	{"tcp-sport", METHOD_TCP},  {"tcp-ack-sport", METHOD_TCP}, {NULL, 0}};

/* scamper sends 3000 probes at most; a flow beyond is somebody's mistake. */
enum { FLOWS_MAX = 4096 };

struct reading {
	struct fields *in;
	struct scamper_stream *s;
	struct trace head;  /* what all flows share */
};

/* The trace of a flow, made when new. NULL: refused. */
static struct scamper_flow *flow_of(struct reading *r, int64_t id)
{
	struct scamper_stream *s = r->s;
	struct scamper_flow *f;

	for (unsigned i = s->flow_count; i-- > 0;) {
		if (s->flows[i].trace->flow == id)
			return &s->flows[i];
	}
	if (s->flow_count == FLOWS_MAX) {
		field_refuse(r->in, BP_ERANGE, "flowid", "expected at most 4096 flows");
		return NULL;
	}
	f = realloc(s->flows, (s->flow_count + 1) * sizeof(*f));
	if (f != NULL) {
		s->flows = f;
		f = &s->flows[s->flow_count];
		f->room = 8;
		f->trace = trace_new(f->room);
	}
	if (f == NULL || f->trace == NULL) {
		field_refuse(r->in, BP_ENOMEM, NULL, "out of memory");
		return NULL;
	}
	*f->trace = r->head;
	f->trace->flow = (int32_t)id;
	s->flow_count++;
	return f;
}

static void read_reply(struct fields *in, const struct json_node *o, struct reply *p)
{
	field_ns(in, o, "rtt", 1e6, 0, &p->rtt_ns);
	FIELD_INT(in, o, "icmp_type", 0, 255, p->icmp_type);
	FIELD_INT(in, o, "icmp_code", 0, 255, p->icmp_code);
	if (p->icmp_type < 0 || p->icmp_code < 0)
		p->icmp_type = p->icmp_code = -1;
	FIELD_INT(in, o, "tcp_flags", 0, 255, p->tcp_flags);
	FIELD_INT(in, o, "ttl", 0, 255, p->reply_ttl);
	FIELD_INT(in, o, "icmp_q_ttl", 0, 255, p->quoted_ttl);
	if (p->from.family == 4)
		FIELD_INT(in, o, "ipid", 0, 65535, p->ip_id);
}

static void read_probe(struct reading *r, const struct json_node *o, struct addr from)
{
	struct fields *in = r->in;
	const struct json_node *replies = field_array(in, o, "replies"), *v;
	int64_t ttl = 0, attempt = 0, flow = 0, tx = scamper_stamp(in, o, "tx");
	struct scamper_flow *f;
	size_t i;

	if (!field_int(in, o, "ttl", 1, TRACE_MAX_TTL, &ttl))
		field_refuse(in, BP_EPARSE, "ttl", "expected a TTL");
	field_int(in, o, "attempt", 0, 254, &attempt);
	field_int(in, o, "flowid", 0, 65535, &flow);
	NODE_EACH(replies, i, v)
	{
		struct trace_entry *e;

		field_enter(in, "replies", 0);
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		f = in->rc < 0 ? NULL : flow_of(r, flow);
		if (f == NULL)
			return;
		e = import_add(&f->trace, &f->room, (uint8_t)ttl, (uint8_t)(attempt + 1));
		if (e == NULL) {
			field_refuse(in, BP_ERANGE, NULL, "more answers than a trace can hold");
			return;
		}
		e->why = WHY_NONE;
		e->reply.from = from;
		if (tx != 0 && r->head.start.ns != 0)
			e->tx_ns = tx - r->head.start.ns;
		read_reply(in, v, &e->reply);
		field_leave(in);
		field_leave(in);
	}
}

/* One end of a link, with the probes that it answered. */
static void read_link(struct reading *r, const struct json_node *o)
{
	struct fields *in = r->in;
	const struct json_node *addr = field_string(in, o, "addr"), *probes, *v;
	struct addr from = {0};
	size_t i;

	if (addr == NULL || strcmp(node_text(addr), "*") == 0 || node_text(addr)[0] == '\0')
		return;
	field_addr(in, o, "addr", &from);
	probes = field_array(in, o, "probes");
	field_enter(in, "probes", 0);
	NODE_EACH(probes, i, v)
	{
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		read_probe(r, v, from);
		if (in->rc < 0)
			return;
		field_leave(in);
	}
	field_leave(in);
}

static void read_name(struct reading *r, const struct json_node *o)
{
	const struct json_node *host = field_string(r->in, o, "name");
	const char *addr = node_text(node_get(o, "addr"));
	struct name *name;
	struct addr a;

	if (host == NULL || node_text(host)[0] == '\0' || addr == NULL || addr_parse(addr, &a) < 0)
		return;
	name = names_put(&r->s->names, a);
	if (name == NULL)
		field_refuse(r->in, BP_ENOMEM, NULL, "out of memory");
	else
		text_set(name->host, sizeof(name->host), node_text(host));
}

/* "links" is an array of arrays: what is one hop, two hops ... behind the node. */
static void read_node(struct reading *r, const struct json_node *o)
{
	struct fields *in = r->in;
	const struct json_node *links = field_array(in, o, "links"), *hop, *v;
	size_t i, k;

	read_name(r, o);
	field_enter(in, "links", 0);
	NODE_EACH(links, i, hop)
	{
		field_enter(in, NULL, i);
		if (!node_is(hop, NODE_ARRAY))
			field_refuse(in, BP_EPARSE, NULL, "expected an array");
		if (in->rc < 0)
			return;
		NODE_EACH(hop, k, v)
		{
			field_enter(in, NULL, k);
			if (!node_is(v, NODE_OBJECT))
				field_refuse(in, BP_EPARSE, NULL, "expected an object");
			read_link(r, v);
			if (in->rc < 0)
				return;
			field_leave(in);
		}
		field_leave(in);
	}
	field_leave(in);
}

static void read_head(struct reading *r, const struct json_node *o)
{
	struct fields *in = r->in;
	struct trace *t = &r->head;
	int64_t wait_s = 0, size = 0;

	trace_init(t);
	field_addr(in, o, "src", &t->src);
	field_addr(in, o, "dst", &t->dst);
	if (!addr_is_set(t->dst))
		field_refuse(in, BP_EPARSE, "dst", "expected an address");
	scamper_word(in, o, "method", method_names, &t->method);
	t->start.ns = scamper_stamp(in, o, "start");
	if (node_int(node_get(o, "wait_timeout"), 1, 86400, &wait_s))
		t->wait_ms = wait_s * 1000;
	if (field_int(in, o, "probe_size", 0, 65535, &size) && size > 0)
		t->probe_size = (int32_t)size;
	FIELD_INT(in, o, "gaplimit", 0, 255, t->gap_limit);
	text_set(t->tool, sizeof(t->tool), "scamper tracelb");
	text_set(t->vantage, sizeof(t->vantage), r->s->hostname);
}

static int by_flow(const void *a, const void *b)
{
	const struct scamper_flow *x = a, *y = b;

	return (x->trace->flow > y->trace->flow) - (x->trace->flow < y->trace->flow);
}

void scamper_read_flows(struct fields *in, const struct json_node *o, struct scamper_stream *s)
{
	struct reading r = {.in = in, .s = s};
	const struct json_node *nodes, *v;
	size_t i;

	scamper_stream_fini(s);
	read_head(&r, o);
	nodes = field_array(in, o, "nodes");
	field_enter(in, "nodes", 0);
	NODE_EACH(nodes, i, v)
	{
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		if (in->rc == 0)
			read_node(&r, v);
		if (in->rc < 0)
			break;
		field_leave(in);
	}
	if (in->rc == 0)
		field_leave(in);
	if (s->flow_count == 0)
		field_refuse(in, BP_EUNSUP, NULL, "tracelb: no probe of it was answered and listed");
	for (unsigned k = 0; in->rc == 0 && k < s->flow_count; k++) {
		scamper_mark_dups(s->flows[k].trace);
		import_conclude(s->flows[k].trace);
		if (trace_validate(s->flows[k].trace, s->flows[k].trace->size) < 0)
			field_refuse(in, BP_EPARSE, NULL, "the fields contradict each other");
	}
	if (in->rc < 0)
		scamper_stream_fini(s);
	else
		qsort(s->flows, s->flow_count, sizeof(s->flows[0]), by_flow);
}

int scamper_next(struct scamper_stream *s, struct record *out)
{
	struct trace *t;

	if (s->flow_at == s->flow_count)
		return BP_EAGAIN;
	t = s->flows[s->flow_at].trace;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct name *n = names_find(&s->names, t->entries[i].reply.from);
		struct name *copy = n != NULL ? names_put(&out->names, n->addr) : NULL;

		if (n != NULL && copy == NULL) {
			names_fini(&out->names);
			return BP_ENOMEM;
		}
		if (n != NULL)
			*copy = *n;
	}
	s->flows[s->flow_at++].trace = NULL;
	out->kind = RECORD_TRACE;
	out->trace = t;
	return 0;
}

void scamper_stream_fini(struct scamper_stream *s)
{
	for (unsigned i = 0; i < s->flow_count; i++)
		free(s->flows[i].trace);
	free(s->flows);
	names_fini(&s->names);
	s->flows = NULL;
	s->flow_count = s->flow_at = 0;
}
