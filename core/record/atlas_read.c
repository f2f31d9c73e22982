// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads RIPE Atlas traceroute results, of firmware 4400 and later, one object each. Owns how they
 * become hops: an answer that came late is put back to the probe it answers, a probe that could not
 * be sent says so, what Atlas leaves out because it is usual is filled in. Members may come in any
 * order; those that are not known are passed over.
 */
#include "core/record/atlas_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/atlas.h"
#include "core/record/format.h"
#include "core/record/import.h"

void atlas_refuse(struct reading *in, int code, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	if (in->rc < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	in->rc = in->hop > 0 ? bp_fail(in->err, code, "hop %d: %s", (int)in->hop, text) :
			       bp_fail(in->err, code, "%s", text);
}

void atlas_int(const struct json_node *v, int64_t max, int64_t *out)
{
	int64_t n;

	if (node_int(v, 0, max, &n))
		*out = n;
}

void atlas_addr(struct reading *in, const char *key, const struct json_node *v,
		      struct addr *out)
{
	char text[ADDR_TEXT + 32];
	char *zone;

	if (v->kind == NODE_NULL || (v->kind == NODE_STRING && v->n == 0))
		return;
	if (in->from != NULL && v->n == in->from->n && memcmp(v->text, in->from->text, v->n) == 0) {
		*out = in->from_addr;
		return;
	}
	if (atlas_copy(v, text, sizeof(text))) {
		zone = strchr(text, '%');
		if (zone != NULL)
			*zone = '\0';
		if (addr_parse(text, out) == 0) {
			in->from = v;
			in->from_addr = *out;
			return;
		}
	}
	atlas_refuse(in, BP_EPARSE, "%s: expected an IPv4 or IPv6 address", key);
}

bool atlas_copy(const struct json_node *v, char *out, size_t size)
{
	bool is_text = node_is(v, NODE_STRING);

	text_copy(out, size, is_text ? v->text : "", is_text ? v->n : 0);
	return is_text;
}

void atlas_text(const struct json_node *v, char *out, size_t size)
{
	if (out[0] == '\0')
		atlas_copy(v, out, size);
}

/* --- hops and head --------------------------------------------------------------------------- */

static void read_hop(struct reading *in, const struct json_node *object)
{
	const struct json_node *v, *hop = node_get(object, "hop"), *result = node_get(object, "result");
	bool failed = false;
	uint32_t i;

	in->hop = 0;
	in->attempt = 0;
	if (hop != NULL && !node_int(hop, 1, 255, &in->hop))
		atlas_refuse(in, BP_EPARSE, "hop: expected an integer from 1 to 255");
	NODE_EACH(object, i, v)
	{
		if (!atlas_is(v, "error"))
			continue;
		in->failed = failed = true;
		atlas_text(v, in->t->error, sizeof(in->t->error));
	}
	if (in->hop > 0 && node_is(result, NODE_ARRAY))
		atlas_answers(in, result);
	if (failed && in->hop > 0)
		atlas_not_sent(in);
	in->hop = 0;
}

static void read_hops(struct reading *in, const struct json_node *result)
{
	const struct json_node *v;
	uint32_t i;

	in->has_result = true;
	if (result->kind == NODE_STRING) {
		atlas_refuse(in, BP_EUNSUP, "a result of firmware before 4400, whose hops are text");
		return;
	}
	if (result->kind != NODE_ARRAY) {
		atlas_refuse(in, BP_EPARSE, "result: expected an array");
		return;
	}
	NODE_EACH(result, i, v)
	{
		if (v->kind == NODE_OBJECT)
			read_hop(in, v);
		else
			atlas_refuse(in, BP_EPARSE, "result: expected objects");
	}
}

/* "ICMP", "I", "UDP", "TCP", and the "ICMP4" and "UDP6" of the oldest. */
static void take_method(const struct json_node *v, struct trace *t)
{
	switch (v->kind == NODE_STRING && v->n > 0 ? v->text[0] : '\0') {
	case 'I':
		t->method = METHOD_ICMP;
		break;
	case 'U':
		t->method = METHOD_UDP;
		break;
	case 'T':
		t->method = METHOD_TCP;
		break;
	}
}

static void take_wall(const struct json_node *v, struct wall *out)
{
	int64_t ns;

	/* The years 1970 to 2200. */
	if (node_decimal(v, 9, &ns) && ns > 0 && ns < INT64_C(7258118400) * NS_PER_S)
		out->ns = ns;
}

static void take_wall_text(const struct json_node *v, struct wall *out)
{
	char text[WALL_TEXT + 8];

	if (atlas_copy(v, text, sizeof(text)))
		wall_parse(text, (struct wall){0}, out);
}

/* What our own writer keeps of a trace that was not measured by Atlas. */
static void read_own(struct reading *in, const struct json_node *own)
{
	struct trace *t = in->t;
	const struct json_node *v;
	char word[16];
	uint32_t i;
	int stop;

	NODE_EACH(own, i, v)
	{
		if (atlas_is(v, "id"))
			atlas_copy(v, t->id, sizeof(t->id));
		else if (atlas_is(v, "campaign"))
			atlas_copy(v, t->campaign, sizeof(t->campaign));
		else if (atlas_is(v, "round"))
			atlas_copy(v, t->round, sizeof(t->round));
		else if (atlas_is(v, "vantage"))
			atlas_copy(v, t->vantage, sizeof(t->vantage));
		else if (atlas_is(v, "tool"))
			atlas_copy(v, t->tool, sizeof(t->tool));
		else if (atlas_is(v, "start"))
			take_wall_text(v, &t->start);
		else if (atlas_is(v, "end"))
			take_wall_text(v, &t->end);
		else if (atlas_is(v, "dport"))
			ATLAS_INT(v, 65535, t->dport);
		else if (atlas_is(v, "sport"))
			ATLAS_INT(v, 65535, t->sport);
		else if (atlas_is(v, "max_ttl"))
			ATLAS_INT(v, 255, t->max_ttl);
		else if (atlas_is(v, "stop") && atlas_copy(v, word, sizeof(word)) &&
			 word_value(stop_words, word, &stop) == 0)
			t->stop = (uint8_t)stop;
	}
}

/* The spellings of firmware before 4460 stand beside those of today. */
static void take_head(struct reading *in, const struct json_node *v)
{
	struct trace *t = in->t;

	if (atlas_is(v, "dst_addr") || atlas_is(v, "addr")) {
		atlas_addr(in, "dst_addr", v, &t->dst);
	} else if (atlas_is(v, "src_addr") || atlas_is(v, "srcaddr")) {
		atlas_addr(in, "src_addr", v, &t->src);
	} else if (atlas_is(v, "dst_name") || atlas_is(v, "name")) {
		atlas_text(v, t->target, sizeof(t->target));
	} else if (atlas_is(v, "proto") || atlas_is(v, "mode")) {
		take_method(v, t);
	} else if (atlas_is(v, "paris_id") || atlas_is(v, "paris-id")) {
		ATLAS_INT(v, INT32_MAX, t->flow);
	} else if (atlas_is(v, "size")) {
		ATLAS_INT(v, INT32_MAX - 64, t->probe_size);
	} else if (atlas_is(v, "timestamp")) {
		atlas_int(v, INT64_MAX, &in->timestamp);
		if (t->start.ns == 0)
			take_wall(v, &t->start);
	} else if (atlas_is(v, "endtime")) {
		if (t->end.ns == 0)
			take_wall(v, &t->end);
	} else if (atlas_is(v, "msm_id")) {
		atlas_int(v, INT64_MAX, &in->msm_id);
	} else if (atlas_is(v, "prb_id")) {
		atlas_int(v, INT64_MAX, &in->prb_id);
	} else if (atlas_is(v, "fw")) {
		atlas_int(v, INT32_MAX, &in->fw);
	} else if (atlas_is(v, "type")) {
		in->traceroute = node_is(v, NODE_STRING) && strcmp(v->text, "traceroute") == 0;
		in->foreign = !in->traceroute;
		if (in->foreign && v->kind == NODE_STRING)
			atlas_refuse(in, BP_EUNSUP, "a result of another kind (%.*s)",
			       v->n < 20 ? (int)v->n : 20, v->text);
	} else if (atlas_is(v, "dnserr") || atlas_is(v, "err")) {
		in->failed = true;
		atlas_text(v, t->error, sizeof(t->error));
	} else if (atlas_is(v, "borderpath") && v->kind == NODE_OBJECT) {
		in->own = true;
		read_own(in, v);
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

/* What Atlas leaves out because it is usual, now that destination and method are known. */
static void fill_in(struct trace *t, struct trace_entry *e)
{
	struct reply *r = &e->reply;
	bool told = r->flags & TYPE_TOLD;
	bool error;

	r->flags &= (uint16_t)~TYPE_TOLD;
	if (!addr_is_set(r->from))
		return;
	if (r->icmp_type < 0 && r->tcp_flags < 0 && !told) {
		struct atlas_icmp is = atlas_unmarked(t, e);

		r->icmp_type = is.type;
		r->icmp_code = is.code;
	}
	error = r->icmp_type >= 0 &&
		(icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code) ||
		 icmp_is_unreachable(r->from.family, r->icmp_type));
	if (r->quoted_ttl == QUOTE_UNKNOWN)
		r->quoted_ttl = -1;
	else if (r->quoted_ttl < 0 && error)
		r->quoted_ttl = 1;
	if (r->quoted_ttl >= 0 && r->quoted_ttl != 1 &&
	    icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code))
		r->flags |= REPLY_QUOTE;
	if (r->size >= 0)
		r->size += atlas_headers(r->from.family, r->tcp_flags >= 0);
}

/* How many TTLs without an answer stand before the last; 0 when no answer is before them. */
static uint8_t silent_before(const struct trace *t, uint8_t last)
{
	uint8_t count = 0, ttl = last;

	for (uint32_t i = t->entry_count; i-- > 0;) {
		if (t->entries[i].ttl == last)
			continue;
		if (addr_is_set(t->entries[i].reply.from))
			return count;
		count = (uint8_t)(count + (t->entries[i].ttl != ttl));
		ttl = t->entries[i].ttl;
	}
	return 0;
}

/* Atlas stops where all answers of a hop come from the destination or refuse, after a gap with one
 * more hop, 255, or at the last TTL it was told. */
static void take_stop(struct reading *in)
{
	struct trace *t = in->t;
	uint8_t last;

	if (t->stop != STOP_UNKNOWN)
		return;
	if (in->failed || t->entry_count == 0) {
		t->stop = in->failed ? STOP_ERROR : STOP_UNKNOWN;
		return;
	}
	import_conclude(t);
	last = t->entries[t->entry_count - 1].ttl;
	if (t->stop == STOP_UNKNOWN)
		t->stop = last == ATLAS_LAST_DITCH ? STOP_GAP_LIMIT : STOP_MAX_TTL;
	if (t->stop == STOP_MAX_TTL && t->max_ttl == 0)
		t->max_ttl = last;
	if (last == ATLAS_LAST_DITCH)
		t->gap_limit = silent_before(t, last);
}

static void finish(struct reading *in)
{
	struct trace *t = in->t;
	/* What our own writer says nothing of was not known. */
	bool atlas = in->prb_id > 0 && !in->own;
	char id[80];

	if (atlas && in->msm_id >= 0 && in->timestamp >= 0 && t->id[0] == '\0') {
		snprintf(id, sizeof(id), "atlas-%lld-%lld-%lld", (long long)in->msm_id,
			 (long long)in->prb_id, (long long)in->timestamp);
		text_set(t->id, sizeof(t->id), id);
	}
	if (atlas && t->vantage[0] == '\0')
		snprintf(t->vantage, sizeof(t->vantage), "atlas-%lld", (long long)in->prb_id);
	if (atlas && t->tool[0] == '\0' && in->fw > 0)
		snprintf(t->tool, sizeof(t->tool), "atlas fw %lld", (long long)in->fw);
	if (!addr_is_set(t->dst))
		addr_parse(t->target, &t->dst);
	if (t->probe_size >= 0)
		t->probe_size += atlas_headers(t->dst.family, t->method == METHOD_TCP);
	for (uint32_t i = 0; i < t->entry_count; i++)
		fill_in(t, &t->entries[i]);
	take_stop(in);
	import_conclude(t);
}

static int read_result(const char *object, size_t n, struct record *out, struct bp_error *err)
{
	struct reading in = {.err = err, .msm_id = -1, .prb_id = -1, .timestamp = -1, .fw = -1};
	struct json_node *tree = json_tree(object, n, err);
	const struct json_node *v;
	uint32_t i;

	if (tree == NULL)
		return err->code;
	in.room = 64;
	in.t = trace_new(in.room);
	if (in.t == NULL) {
		free(tree);
		return bp_fail(err, BP_ENOMEM, "out of memory");
	}
	NODE_EACH(tree, i, v)
	{
		if (atlas_is(v, "result"))
			read_hops(&in, v);
		else
			take_head(&in, v);
	}
	if (in.rc == 0 && !in.traceroute && (in.prb_id < 0 || in.msm_id < 0))
		atlas_refuse(&in, BP_EFOREIGN, "JSON, but no traceroute of RIPE Atlas");
	if (in.rc == 0 && !in.has_result && !in.failed)
		atlas_refuse(&in, BP_EPARSE, "result: expected an array");
	if (in.rc == 0) {
		finish(&in);
		if (trace_validate(in.t, in.t->size) < 0)
			atlas_refuse(&in, BP_EPARSE, "the members contradict each other");
	}
	free(tree);
	if (in.rc < 0) {
		free(in.t);
		return in.rc;
	}
	out->kind = RECORD_TRACE;
	out->trace = in.t;
	return 0;
}

static int read_one(struct record_reader *r, struct record *out, struct bp_error *err)
{
	const char *object;
	size_t n;
	int rc;

	for (;;) {
		struct bp_error why = {0};

		rc = record_object(r, &object, &n, &why);
		if (rc == 0)
			rc = read_result(object, n, out, &why);
		if (record_settled(r, rc, &why, err))
			return rc;
	}
}

/* Results of pings and other kinds are Atlas too: they are skipped, and told as what they are. */
static int detect(const char *head, size_t n)
{
	if (!json_stream_begins(head, n))
		return 0;
	if (json_stream_has(head, n, "\"prb_id\""))
		return 95;
	/* Of a long line only the beginning is seen, and who measured stands at its end. */
	return json_stream_has(head, n, "\"fw\"") && json_stream_has(head, n, "\"hop\"") ? 80 : 0;
}

const struct format atlas_format = {
	.name = "atlas",
	.says = "RIPE Atlas traceroute results, JSON",
	.detect = detect,
	.read = read_one,
	.write = atlas_write,
};
