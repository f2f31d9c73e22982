// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads scamper's JSON: one "trace" object into a trace. What scamper leaves out is put in again:
 * the silent probes, which it counts (hop_count, attempts, probe_count) and does not list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/import.h"
#include "core/record/jsonl_fields.h"
#include "core/record/scamper.h"
#include "core/record/scamper_fields.h"

/* scamper_trace.h of scamper 20211212 and later. */
static const struct word method_names[] = {
	{"icmp-echo", METHOD_ICMP}, {"icmp-echo-paris", METHOD_ICMP}, {"udp", METHOD_UDP},
	{"udp-paris", METHOD_UDP},  {"tcp", METHOD_TCP},              {"tcp-ack", METHOD_TCP},
	{NULL, 0}};
static const struct word stop_names[] = {
	{"NONE", STOP_UNKNOWN},         {"COMPLETED", STOP_REACHED},
	{"UNREACH", STOP_UNREACHABLE},  {"ICMP", STOP_UNREACHABLE}, /* an ICMP error of another kind */
	{"LOOP", STOP_LOOP},            {"GAPLIMIT", STOP_GAP_LIMIT},
	{"ERROR", STOP_ERROR},          {"HOPLIMIT", STOP_MAX_TTL},
	{"GSS", STOP_INTERRUPTED},      /* met an address that it was told to stop at */
	{"HALTED", STOP_INTERRUPTED},   {"INPROGRESS", STOP_INTERRUPTED},
	{NULL, 0}};

/* One trace while it is read. */
struct reading {
	struct fields in;
	struct trace *t;   /* owned until it is the record's */
	uint32_t room;
	unsigned first, last;       /* TTLs probed */
	unsigned shift;             /* 1 where probe_id counts from 0 */
	uint8_t highest[TRACE_MAX_TTL + 1]; /* attempt answered, by TTL; 0 none */
	uint8_t seen[TRACE_MAX_TTL + 1][32]; /* attempts answered, a bit each */
};

int64_t scamper_stamp(struct fields *in, const struct json_node *object, const char *key)
{
	const struct json_node *v = field_object(in, object, key);
	int64_t sec = 0, usec = 0;

	if (v == NULL)
		return 0;
	field_enter(in, key, 0);
	field_int(in, v, "sec", 0, UINT32_MAX, &sec);
	field_int(in, v, "usec", 0, 999999, &usec);
	field_leave(in);
	return sec * NS_PER_S + usec * NS_PER_US;
}

void scamper_word(struct fields *in, const struct json_node *object, const char *key,
		  const struct word *table, uint8_t *out)
{
	const struct json_node *v = field_string(in, object, key);
	int value;

	if (v != NULL && word_value(table, node_text(v), &value) == 0)
		*out = (uint8_t)value;
}

static void read_head(struct reading *r, const struct json_node *o)
{
	struct fields *in = &r->in;
	struct trace *t = r->t;
	int64_t wait_s = 0, data = 0, sent = 0;

	field_addr(in, o, "src", &t->src);
	field_addr(in, o, "dst", &t->dst);
	if (!addr_is_set(t->dst))
		field_refuse(in, BP_EPARSE, "dst", "expected an address");
	scamper_word(in, o, "method", method_names, &t->method);
	scamper_word(in, o, "stop_reason", stop_names, &t->stop);
	FIELD_INT(in, o, "sport", 0, 65535, t->sport);
	FIELD_INT(in, o, "dport", 0, 65535, t->dport);
	t->start.ns = scamper_stamp(in, o, "start");
	FIELD_INT(in, o, "firsthop", 0, TRACE_MAX_TTL, t->first_ttl);
	FIELD_INT(in, o, "hoplimit", 0, TRACE_MAX_TTL, t->max_ttl);
	FIELD_INT(in, o, "attempts", 0, 255, t->attempts);
	FIELD_INT(in, o, "gaplimit", 0, 255, t->gap_limit);
	FIELD_INT(in, o, "hop_count", 0, TRACE_MAX_TTL, r->last);
	/* Seconds; newer ones have a fraction, or {"sec","usec"}: not said then. */
	if (node_int(node_get(o, "wait"), INT64_MIN, INT64_MAX, &wait_s) &&
	    field_int(in, o, "wait", 0, 86400, &wait_s) && wait_s > 0)
		t->wait_ms = wait_s * 1000;
	if (field_int(in, o, "probe_size", 0, 65535, &data) && data > 0)
		t->probe_size = (int32_t)data;
	if (field_int(in, o, "probe_count", 0, UINT32_MAX, &sent))
		t->sent = sent;
	data = 0;
	field_int(in, o, "stop_data", 0, UINT32_MAX, &data);
	if (t->stop == STOP_ERROR)
		snprintf(t->error, sizeof(t->error), "scamper stopped with error %d", (int)data);
	r->first = t->first_ttl ? t->first_ttl : 1;
}

/* A stack of RFC 4950 is an extension of class 1, type 1. */
static void read_mpls(struct fields *in, const struct json_node *labels, struct reply *r)
{
	const struct json_node *v;
	size_t i;

	NODE_EACH(labels, i, v)
	{
		struct mpls *m = &r->mpls[r->mpls_count];

		field_enter(in, "mpls_labels", 0);
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		if (r->mpls_count == TRACE_MPLS_MAX) {
			field_refuse(in, BP_ERANGE, NULL, "expected at most 8 labels");
			return;
		}
		FIELD_INT(in, v, "mpls_label", 0, 0xfffff, m->label);
		FIELD_INT(in, v, "mpls_exp", 0, 7, m->exp);
		FIELD_INT(in, v, "mpls_s", 0, 1, m->s);
		FIELD_INT(in, v, "mpls_ttl", 0, 255, m->ttl);
		field_leave(in);
		field_leave(in);
		r->mpls_count++;
	}
}

static void read_reply(struct fields *in, const struct json_node *o, struct reply *r)
{
	const struct json_node *extensions = field_array(in, o, "icmpext"), *v;
	size_t i;

	field_ns(in, o, "rtt", 1e6, 0, &r->rtt_ns);
	FIELD_INT(in, o, "icmp_type", 0, 255, r->icmp_type);
	FIELD_INT(in, o, "icmp_code", 0, 255, r->icmp_code);
	if (r->icmp_type < 0 || r->icmp_code < 0)
		r->icmp_type = r->icmp_code = -1;
	FIELD_INT(in, o, "tcp_flags", 0, 255, r->tcp_flags);
	FIELD_INT(in, o, "reply_ttl", 0, 255, r->reply_ttl);
	FIELD_INT(in, o, "icmp_q_ttl", 0, 255, r->quoted_ttl);
	FIELD_INT(in, o, "reply_size", 0, 65535, r->size);
	if (r->from.family == 4)
		FIELD_INT(in, o, "reply_ipid", 0, 65535, r->ip_id);
	/* scamper of 2011 to 2021 writes the key with the colon inside. */
	FIELD_INT(in, o, "icmp_nhmtu:", 0, 65535, r->mtu);
	FIELD_INT(in, o, "icmp_nhmtu", 0, 65535, r->mtu);
	NODE_EACH(extensions, i, v)
	{
		field_enter(in, "icmpext", 0);
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		read_mpls(in, field_array(in, v, "mpls_labels"), r);
		field_leave(in);
		field_leave(in);
	}
}

/* One answer. "" and "*", which M-Lab's archive has, name nobody: such a probe stands there without
 * an answer. */
static void read_hop(struct reading *r, const struct json_node *o, struct names *names)
{
	struct fields *in = &r->in;
	const struct json_node *addr = field_string(in, o, "addr"),
			       *host = field_string(in, o, "name");
	const char *text = addr ? node_text(addr) : "";
	int64_t ttl = 0, id = 1, tx;
	struct trace_entry *e;
	struct name *name;

	if (!field_int(in, o, "probe_ttl", 1, TRACE_MAX_TTL, &ttl))
		field_refuse(in, BP_EPARSE, "probe_ttl", "expected a TTL");
	field_int(in, o, "probe_id", 0, 254, &id);
	if (in->rc < 0)
		return;
	id += r->shift;
	if (id == 0)
		id = 1;
	e = import_add(&r->t, &r->room, (uint8_t)ttl, (uint8_t)id);
	if (e == NULL) {
		field_refuse(in, BP_ERANGE, NULL, "more answers than a trace can hold");
		return;
	}
	r->seen[ttl][id / 8] |= (uint8_t)(1u << id % 8);
	if (id > r->highest[ttl])
		r->highest[ttl] = (uint8_t)id;
	if (text[0] == '\0' || strcmp(text, "*") == 0)
		return;
	field_addr(in, o, "addr", &e->reply.from);
	e->why = WHY_NONE;
	read_reply(in, o, &e->reply);
	tx = scamper_stamp(in, o, "tx");
	if (tx != 0 && r->t->start.ns != 0)
		e->tx_ns = tx - r->t->start.ns;
	if (in->rc < 0 || host == NULL || node_text(host)[0] == '\0')
		return;
	name = names_put(names, e->reply.from);
	if (name == NULL)
		field_refuse(in, BP_ENOMEM, NULL, "out of memory");
	else
		text_set(name->host, sizeof(name->host), node_text(host));
}

static void read_hops(struct reading *r, const struct json_node *o, struct names *names)
{
	const struct json_node *hops = field_array(&r->in, o, "hops"), *v;
	size_t i;

	/* The documentation says that probe_id counts from 0; the files count from 1. */
	NODE_EACH(hops, i, v)
	{
		int64_t id;

		if (node_int(node_get(v, "probe_id"), 0, 0, &id))
			r->shift = 1;
	}
	NODE_EACH(hops, i, v)
	{
		int64_t ttl = 0;

		field_enter(&r->in, "hops", 0);
		field_enter(&r->in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(&r->in, BP_EPARSE, NULL, "expected an object");
		read_hop(r, v, names);
		field_int(&r->in, v, "probe_ttl", 1, TRACE_MAX_TTL, &ttl);
		if (ttl > r->last)
			r->last = (unsigned)ttl;
		if (ttl != 0 && ttl < r->first)
			r->first = (unsigned)ttl;
		field_leave(&r->in);
		field_leave(&r->in);
		if (r->in.rc < 0)
			return;
	}
}

/* scamper asks a TTL until it is answered, or `attempts` times; with -Q always as often, which
 * shows in probe_count. */
static void fill_silent(struct reading *r)
{
	unsigned attempts = r->t->attempts ? r->t->attempts : 1;
	unsigned ttls = r->last >= r->first ? r->last - r->first + 1 : 0;
	bool all = r->t->sent > 0 && (uint64_t)r->t->sent >= (uint64_t)attempts * ttls;

	for (unsigned ttl = r->first; ttl <= r->last && r->in.rc == 0; ttl++) {
		unsigned until = r->highest[ttl] == 0 || (all && attempts > r->highest[ttl]) ?
				 attempts : r->highest[ttl];

		for (unsigned k = 1; k <= until; k++) {
			if (!(r->seen[ttl][k / 8] & 1u << k % 8) &&
			    import_add(&r->t, &r->room, (uint8_t)ttl, (uint8_t)k) == NULL)
				field_refuse(&r->in, BP_ERANGE, "attempts",
					     "more probes than a trace can hold");
		}
	}
}

void scamper_mark_dups(struct trace *t)
{
	trace_sort(t);
	for (uint32_t i = 1; i < t->entry_count; i++) {
		struct trace_entry *e = &t->entries[i];

		if (e->ttl == e[-1].ttl && e->attempt == e[-1].attempt &&
		    addr_is_set(e->reply.from))
			e->reply.flags |= REPLY_DUP;
	}
}

/* What the answers say, except where scamper says it itself. */
static void settle(struct trace *t)
{
	uint8_t first = t->first_ttl, attempts = t->attempts;
	int64_t sent = t->sent;

	scamper_mark_dups(t);
	import_conclude(t);
	if (first != 0)
		t->first_ttl = first;
	if (attempts != 0)
		t->attempts = attempts;
	if (sent >= 0)
		t->sent = sent;
}

static void read_trace(struct reading *r, const struct json_node *o, const struct scamper_stream *s,
		       struct record *out)
{
	r->room = 32;
	r->t = trace_new(r->room);
	if (r->t == NULL) {
		field_refuse(&r->in, BP_ENOMEM, NULL, "out of memory");
		return;
	}
	read_head(r, o);
	read_hops(r, o, &out->names);
	if (r->in.rc < 0)
		return;
	fill_silent(r);
	text_set(r->t->tool, sizeof(r->t->tool), "scamper");
	text_set(r->t->vantage, sizeof(r->t->vantage), s->hostname);
	settle(r->t);
	if (r->in.rc == 0 && trace_validate(r->t, r->t->size) < 0)
		field_refuse(&r->in, BP_EPARSE, NULL, "the fields contradict each other");
	out->kind = RECORD_TRACE;
	out->trace = r->t;
	r->t = NULL;
}

/* 0: a trace; BP_EOF: flows, read; BP_EAGAIN: nothing to read; else refused. */
static int sort_out(struct fields *in, const struct json_node *o, struct scamper_stream *s)
{
	const char *type = node_text(node_get(o, "type"));
	char text[96];

	if (type == NULL && node_get(o, "UUID") != NULL)
		return BP_EAGAIN;
	if (type == NULL)
		field_refuse(in, BP_EFOREIGN, "type", "scamper's records have one");
	else if (strcmp(type, "trace") == 0)
		return 0;
	else if (strcmp(type, "cycle-stop") == 0)
		return BP_EAGAIN;
	else if (strcmp(type, "cycle-start") == 0) {
		s->hostname[0] = '\0';
		field_text_cut(in, o, "hostname", s->hostname, sizeof(s->hostname));
		return BP_EAGAIN;
	} else if (strcmp(type, "tracelb") == 0) {
		scamper_read_flows(in, o, s);
		return in->rc < 0 ? in->rc : BP_EOF;
	} else {
		snprintf(text, sizeof(text), "%.40s: only trace and tracelb are read", type);
		field_refuse(in, BP_EUNSUP, NULL, text);
	}
	return in->rc;
}

/* What M-Lab's traceroute-caller wraps into one object: {"Metadata","CycleStart","Trace",...}. */
static const struct json_node *unwrap(struct fields *in, const struct json_node *dom,
				      struct scamper_stream *s)
{
	const struct json_node *start = node_get(dom, "CycleStart"), *inside;

	if (start == NULL)
		return dom;
	inside = node_get(dom, "Trace");
	if (inside == NULL)
		inside = node_get(dom, "Tracelb");
	if (node_is(start, NODE_OBJECT))
		sort_out(in, start, s);
	return node_is(inside, NODE_OBJECT) ? inside : dom;
}

int scamper_read(struct scamper_stream *s, const char *object, size_t n, struct record *out,
		 struct bp_error *err)
{
	struct bp_error own = {0};
	struct reading r = {.in = {.err = err ? err : &own}};
	struct json_node *dom = fields_parse(object, n, r.in.err);
	const struct json_node *o;
	int rc;

	if (dom == NULL)
		return r.in.err->code;
	o = unwrap(&r.in, dom, s);
	rc = r.in.rc < 0 ? r.in.rc : sort_out(&r.in, o, s);
	if (rc == 0)
		read_trace(&r, o, s, out);
	if (rc == BP_EOF)
		rc = scamper_next(s, out);
	free(dom);
	free(r.t);
	if (r.in.rc < 0)
		record_fini(out);
	return r.in.rc < 0 ? r.in.rc : rc;
}
