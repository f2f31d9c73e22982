// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the native record: one line, parsed into a tree, checked field by field. The first wrong
 * field ends the reading and is named by its path. Fields that are not ours are not looked at: they
 * stay in the line that the record keeps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/jsonl.h"
#include "core/record/jsonl_fields.h"
#include "core/record/jsonl_passes.h"
#include "core/record/jsonl_write.h"

static void read_tcp_flags(struct fields *in, const struct json_node *object, int16_t *out)
{
	const struct json_node *v = field_string(in, object, "tcp_flags");
	int flags = 0;

	if (v == NULL)
		return;
	for (const char *s = node_text(v); *s != '\0'; s++) {
		const char *at = strchr(JSONL_TCP_LETTERS, *s);

		if (at == NULL) {
			field_refuse(in, BP_EPARSE, "tcp_flags",
				     "expected letters of " JSONL_TCP_LETTERS);
			return;
		}
		flags |= 1 << (at - JSONL_TCP_LETTERS);
	}
	*out = (int16_t)flags;
}

static void read_mpls(struct fields *in, const struct json_node *object, struct reply *r)
{
	const struct json_node *list = field_array(in, object, "mpls"), *v;
	size_t i;

	if (list == NULL)
		return;
	if (list->count > TRACE_MPLS_MAX) {
		field_refuse(in, BP_ERANGE, "mpls", "expected at most 8 labels");
		return;
	}
	field_enter(in, "mpls", 0);
	NODE_EACH(list, i, v)
	{
		struct mpls *m = &r->mpls[i];

		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		FIELD_INT(in, v, "label", 0, 0xfffff, m->label);
		FIELD_INT(in, v, "exp", 0, 7, m->exp);
		FIELD_INT(in, v, "s", 0, 1, m->s);
		FIELD_INT(in, v, "ttl", 0, 255, m->ttl);
		field_leave(in);
	}
	field_leave(in);
	r->mpls_count = (uint8_t)list->count;
}

static void read_iface(struct fields *in, const struct json_node *object, struct iface *f)
{
	const struct json_node *v = field_object(in, object, "iface");

	if (v == NULL)
		return;
	field_enter(in, "iface", 0);
	field_word(in, v, "role", iface_role_words, &f->role);
	FIELD_INT(in, v, "index", 0, UINT32_MAX, f->index);
	field_addr(in, v, "addr", &f->addr);
	FIELD_INT(in, v, "mtu", 0, UINT32_MAX, f->mtu);
	field_text(in, v, "name", f->name, sizeof(f->name));
	field_leave(in);
}

static void read_flags(struct fields *in, const struct json_node *object, uint16_t *out)
{
	const struct json_node *list = field_array(in, object, "flags"), *v;
	size_t i;
	int value;

	if (list == NULL)
		return;
	field_enter(in, "flags", 0);
	NODE_EACH(list, i, v)
	{
		if (!node_is(v, NODE_STRING)) {
			field_enter(in, NULL, i);
			field_refuse(in, BP_EPARSE, NULL, "expected a string");
			field_leave(in);
		} else if (word_value(reply_flag_words, node_text(v), &value) == 0) {
			*out |= (uint16_t)value;
		}
		/* A flag we do not know is a later version's remark: it stays in the line. */
	}
	field_leave(in);
}

static void read_reply(struct fields *in, const struct json_node *object, struct reply *r)
{
	field_ns(in, object, "rtt_ms", 1e6, 0, &r->rtt_ns);
	FIELD_INT(in, object, "icmp_type", 0, 255, r->icmp_type);
	FIELD_INT(in, object, "icmp_code", 0, 255, r->icmp_code);
	read_tcp_flags(in, object, &r->tcp_flags);
	FIELD_INT(in, object, "reply_ttl", 0, 255, r->reply_ttl);
	FIELD_INT(in, object, "quoted_ttl", 0, 255, r->quoted_ttl);
	FIELD_INT(in, object, "size", 0, INT32_MAX, r->size);
	FIELD_INT(in, object, "ip_id", 0, 65535, r->ip_id);
	FIELD_INT(in, object, "mtu", 0, INT32_MAX, r->mtu);
	read_mpls(in, object, r);
	read_iface(in, object, &r->iface);
}

static void read_probe(struct fields *in, const struct json_node *object, size_t index, uint8_t ttl,
		       struct trace_entry *e)
{
	uint8_t why = WHY_NONE;

	/* Without a number, the order of writing is the order of asking. */
	trace_entry_init(e, ttl, (uint8_t)(index < 255 ? index + 1 : 255));
	if (!node_is(object, NODE_OBJECT)) {
		field_refuse(in, BP_EPARSE, NULL, "expected an object");
		return;
	}
	FIELD_INT(in, object, "attempt", 1, 255, e->attempt);
	field_ns(in, object, "tx_us", 1e3, -FIELD_NS_EXACT / 1e3, &e->tx_ns);
	field_addr(in, object, "from", &e->reply.from);
	field_word(in, object, "why", why_words, &why);
	read_flags(in, object, &e->reply.flags);
	if (!addr_is_set(e->reply.from)) {
		e->why = why == WHY_NONE ? WHY_TIMEOUT : why;
		return;
	}
	if (why != WHY_NONE)
		field_refuse(in, BP_EPARSE, "why", "expected none, for there is an answer");
	e->why = WHY_NONE;
	read_reply(in, object, &e->reply);
}

/* How many probes all hops have, or 0 with in->rc set when they are not what they should be. */
static size_t count_probes(struct fields *in, const struct json_node *hops)
{
	size_t i, count = 0;
	const struct json_node *hop, *probes;

	field_enter(in, "hops", 0);
	NODE_EACH(hops, i, hop)
	{
		field_enter(in, NULL, i);
		if (!node_is(hop, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		probes = field_array(in, hop, "probes");
		count += probes != NULL ? probes->count : 0;
		field_leave(in);
	}
	if (count > TRACE_MAX_ENTRIES)
		field_refuse(in, BP_ERANGE, NULL, "expected at most 65535 probes");
	field_leave(in);
	return in->rc < 0 ? 0 : count;
}

static void read_hops(struct fields *in, const struct json_node *hops, struct trace *t)
{
	const struct json_node *hop, *probe;
	size_t i, k;

	field_enter(in, "hops", 0);
	NODE_EACH(hops, i, hop)
	{
		const struct json_node *probes = field_array(in, hop, "probes");
		uint8_t ttl = 0;

		field_enter(in, NULL, i);
		FIELD_INT(in, hop, "ttl", 1, 255, ttl);
		if (ttl == 0)
			field_refuse(in, BP_EPARSE, "ttl", "expected an integer from 1 to 255");
		field_enter(in, "probes", 0);
		NODE_EACH(probes, k, probe)
		{
			if (in->rc < 0)
				break;
			field_enter(in, NULL, k);
			read_probe(in, probe, k, ttl, &t->entries[t->entry_count++]);
			field_leave(in);
		}
		field_leave(in);
		field_leave(in);
		if (in->rc < 0)
			break;
	}
	field_leave(in);
}

static void read_head(struct fields *in, const struct json_node *o, struct trace *t)
{
	field_text(in, o, "id", t->id, sizeof(t->id));
	field_text(in, o, "campaign", t->campaign, sizeof(t->campaign));
	field_text(in, o, "round", t->round, sizeof(t->round));
	field_text(in, o, "vantage", t->vantage, sizeof(t->vantage));
	field_text(in, o, "target", t->target, sizeof(t->target));
	field_text(in, o, "tool", t->tool, sizeof(t->tool));
	field_text(in, o, "ifname", t->ifname, sizeof(t->ifname));
	field_text(in, o, "error", t->error, sizeof(t->error));
	field_text(in, o, "inherited_from", t->inherited_from, sizeof(t->inherited_from));
	field_addr(in, o, "src", &t->src);
	field_addr(in, o, "dst", &t->dst);
	field_word(in, o, "method", method_words, &t->method);
	field_word(in, o, "stop", stop_words, &t->stop);
	field_word(in, o, "reach", reach_words, &t->reach);
	field_word(in, o, "reached_by", reached_by_words, &t->reached_by);
	field_word(in, o, "stamps", stamps_words, &t->stamps);
	FIELD_INT(in, o, "first_ttl", 0, 255, t->first_ttl);
	FIELD_INT(in, o, "max_ttl", 0, 255, t->max_ttl);
	FIELD_INT(in, o, "attempts", 0, 255, t->attempts);
	FIELD_INT(in, o, "gap_limit", 0, 255, t->gap_limit);
	FIELD_INT(in, o, "sport", 0, 65535, t->sport);
	FIELD_INT(in, o, "dport", 0, 65535, t->dport);
	FIELD_INT(in, o, "flow", 0, INT32_MAX, t->flow);
	FIELD_INT(in, o, "size", 0, INT32_MAX, t->probe_size);
	FIELD_INT(in, o, "wait_ms", 0, INT64_MAX, t->wait_ms);
	FIELD_INT(in, o, "rate_pps", 0, INT64_MAX, t->rate_pps);
	field_wall(in, o, "start", &t->start);
	field_wall(in, o, "end", &t->end);
	FIELD_INT(in, o, "sent", 0, INT64_MAX, t->sent);
	FIELD_INT(in, o, "received", 0, INT64_MAX, t->received);
	FIELD_INT(in, o, "drops", 0, INT64_MAX, t->drops);
}

static void read_counts(struct fields *in, const struct json_node *o, struct trace *t)
{
	const struct json_node *clock = field_object(in, o, "clock");
	const struct json_node *refused = field_object(in, o, "refused");
	const struct json_node *slowed = field_object(in, o, "slowed");
	const struct json_node *place = field_object(in, o, "place");

	if (clock != NULL) {
		field_enter(in, "clock", 0);
		t->clock_known = field_bool(in, clock, "stepped", &t->clock_stepped);
		field_leave(in);
	}
	if (refused != NULL) {
		t->refused_known = true;
		field_enter(in, "refused", 0);
		FIELD_INT(in, refused, "foreign", 0, UINT32_MAX, t->refused.foreign);
		FIELD_INT(in, refused, "bad_token", 0, UINT32_MAX, t->refused.bad_token);
		FIELD_INT(in, refused, "malformed", 0, UINT32_MAX, t->refused.malformed);
		FIELD_INT(in, refused, "late", 0, UINT32_MAX, t->refused.late);
		FIELD_INT(in, refused, "duplicate", 0, UINT32_MAX, t->refused.duplicate);
		field_leave(in);
	}
	if (slowed != NULL) {
		field_enter(in, "slowed", 0);
		FIELD_INT(in, slowed, "times", 0, UINT32_MAX, t->slowed_times);
		FIELD_INT(in, slowed, "pps", 0, UINT32_MAX, t->slowed_pps);
		FIELD_INT(in, slowed, "repeated", 0, UINT32_MAX, t->repeated);
		field_leave(in);
	}
	if (place != NULL) {
		field_enter(in, "place", 0);
		t->place_known = field_real(in, place, "lat", -90, 90, &t->lat) &&
				 field_real(in, place, "lon", -180, 180, &t->lon);
		field_leave(in);
	}
}

static void read_trace(struct fields *in, const struct json_node *o, struct record *out)
{
	const struct json_node *hops = field_array(in, o, "hops");
	size_t count = hops ? count_probes(in, hops) : 0;
	struct trace *t;

	if (in->rc < 0)
		return;
	t = trace_new((uint32_t)count);
	if (t == NULL) {
		in->rc = bp_fail(in->err, BP_ENOMEM, "out of memory");
		return;
	}
	out->trace = t;
	read_head(in, o, t);
	read_counts(in, o, t);
	if (hops != NULL)
		read_hops(in, hops, t);
	trace_sort(t);
	t->size = (uint32_t)trace_size(t->entry_count);
	if (in->rc == 0 && trace_validate(t, t->size) < 0)
		field_refuse(in, BP_EPARSE, NULL, "the fields contradict each other");
}

static const struct word kind_words[] = {{"trace", RECORD_TRACE},
					 {"paths", RECORD_PATHS},
					 {"round", RECORD_ROUND},
					 {"event", RECORD_EVENT},
					 {"report", RECORD_REPORT},
					 {"diff", RECORD_DIFF},
					 {"run", RECORD_RUN},
					 {NULL, 0}};

static void read_record(struct fields *in, const struct json_node *dom, struct record *r)
{
	int64_t version = JSONL_VERSION;
	const struct json_node *type = node_get(dom, "type");
	struct round round;
	char text[80];
	int kind;

	if (!node_is(type, NODE_STRING)) {
		field_refuse(in, BP_EFOREIGN, NULL,
			     "JSON, but no record of ours: it has no \"type\"");
		return;
	}
	if (word_value(kind_words, node_text(type), &kind) == 0)
		r->kind = (enum record_kind)kind;
	if (r->kind != RECORD_TRACE && r->kind != RECORD_ROUND)
		return;
	field_int(in, dom, "version", 1, INT32_MAX, &version);
	if (r->kind == RECORD_ROUND) {
		/* Only looked over: round_read takes it from the dom. A newer one is carried. */
		if (version <= JSONL_VERSION)
			jsonl_read_round(in, dom, &round);
		return;
	}
	if (version > JSONL_VERSION) {
		snprintf(text, sizeof(text), "this program knows records up to version %d",
			 JSONL_VERSION);
		field_refuse(in, BP_EUNSUP, "version", text);
		return;
	}
	read_trace(in, dom, r);
	jsonl_read_names(in, dom, &r->names);
	jsonl_read_geo(in, dom, &r->names.geo);
	jsonl_read_verdict(in, dom, &r->verdict);
}

void record_init(struct record *r)
{
	memset(r, 0, sizeof(*r));
	names_init(&r->names);
}

void record_fini(struct record *r)
{
	free(r->trace);
	free(r->line);
	names_fini(&r->names);
	free(r->dom);
	record_init(r);
}

int jsonl_read(const char *line, size_t n, struct record *out, struct bp_error *err)
{
	struct bp_error own = {0};
	struct fields in = {.err = err ? err : &own};
	struct json_node *dom;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	dom = fields_parse(line, n, in.err);
	if (dom == NULL)
		return in.err->code;
	out->line = malloc(n + 1);
	if (out->line == NULL) {
		in.rc = bp_fail(in.err, BP_ENOMEM, "out of memory");
		goto out;
	}
	memcpy(out->line, line, n);
	out->line[n] = '\0';
	out->line_size = n;
	if (!node_is(dom, NODE_OBJECT))
		field_refuse(&in, BP_EFOREIGN, NULL, "JSON, but no record of ours: not an object");
	else
		read_record(&in, dom, out);
	/* A trace needs no DOM any more: what is not ours stays in the line. */
	if (in.rc == 0 && out->kind != RECORD_TRACE) {
		out->dom = dom;
		dom = NULL;
	}
out:
	free(dom);
	if (in.rc < 0)
		record_fini(out);
	return in.rc;
}
