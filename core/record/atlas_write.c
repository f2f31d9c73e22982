// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes a trace as a RIPE Atlas traceroute result, in the form of firmware 5000. Atlas has no
 * number for a probe and no word for many things: what its own members cannot say stands in members
 * of ours, which Atlas's readers pass over, so that hops and times come back as they were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/record/atlas.h"
#include "core/record/format.h"

/* What the reader would make of an entry's place, so that only what differs is told. */
struct place {
	uint8_t ttl;     /* of the last probe; 0 none yet */
	uint8_t attempt; /* of the last probe of the open hop */
};

static void put_addr(struct json_writer *w, const char *key, struct addr a)
{
	char text[ADDR_TEXT];

	json_put_str(w, key, addr_is_set(a) ? addr_format(a, text) : "");
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_put_str(w, key, text);
}

static void put_wall(struct json_writer *w, const char *key, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns != 0)
		json_put_str(w, key, wall_format(t, text));
}

static void put_mpls(struct json_writer *w, const struct reply *r)
{
	if (r->mpls_count == 0)
		return;
	json_begin_object(w, "icmpext");
	json_put_int(w, "version", 2);
	json_put_int(w, "rfc4884", 1);
	json_begin_array(w, "obj");
	json_begin_object(w, NULL);
	json_put_int(w, "class", 1);
	json_put_int(w, "type", 1);
	json_begin_array(w, "mpls");
	for (unsigned i = 0; i < r->mpls_count; i++) {
		json_begin_object(w, NULL);
		json_put_int(w, "exp", r->mpls[i].exp);
		json_put_int(w, "label", r->mpls[i].label);
		json_put_int(w, "s", r->mpls[i].s);
		json_put_int(w, "ttl", r->mpls[i].ttl);
		json_end(w);
	}
	json_end(w);
	json_end(w);
	json_end(w);
	json_end(w);
}

/* "SA" for SYN and ACK. */
static void put_tcp_flags(struct json_writer *w, int flags)
{
	static const char letters[] = "FSRPAUECN";
	char text[sizeof(letters)], *at = text;

	for (unsigned bit = 0; bit < sizeof(letters) - 1; bit++) {
		if (flags & (1 << bit))
			*at++ = letters[bit];
	}
	*at = '\0';
	json_put_str(w, "flags", text);
}

/* An unreachable as Atlas says it. Whether the reader will know type and code from it. */
static bool put_err(struct json_writer *w, const struct reply *r)
{
	uint8_t family = r->from.family;
	char letter[2] = "";

	if (r->icmp_type != (family == 4 ? 3 : 1) || r->icmp_code < 0)
		return false;
	letter[0] = atlas_err_letter(family, r->icmp_code);
	if (letter[0] != '\0')
		json_put_str(w, "err", letter);
	else
		json_put_int(w, "err", r->icmp_code);
	return true;
}

static void put_icmp(struct json_writer *w, const struct trace *t, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;
	struct atlas_icmp is = {-1, -1};
	bool error = r->icmp_type >= 0 &&
		     (icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code) ||
		      icmp_is_unreachable(r->from.family, r->icmp_type));

	if (r->mtu >= 0) {
		json_put_int(w, "mtu", r->mtu);
		is = r->from.family == 4 ? (struct atlas_icmp){3, 4} : (struct atlas_icmp){2, 0};
	} else if (r->tcp_flags < 0) {
		is = atlas_unmarked(t, e);
	}
	if ((r->icmp_type != is.type || r->icmp_code != is.code) && !put_err(w, r)) {
		if (r->icmp_type >= 0)
			json_put_int(w, "icmp_type", r->icmp_type);
		else
			json_put_null(w, "icmp_type");
		if (r->icmp_code >= 0)
			json_put_int(w, "icmp_code", r->icmp_code);
	}
	if (r->quoted_ttl >= 0 ? !error || r->quoted_ttl != 1 : error) {
		if (r->quoted_ttl >= 0)
			json_put_int(w, "ittl", r->quoted_ttl);
		else
			json_put_null(w, "ittl");
	}
}

static void put_reply(struct json_writer *w, const struct trace *t, const struct trace_entry *e)
{
	const struct reply *r = &e->reply;
	int32_t size = r->size - atlas_headers(r->from.family, r->tcp_flags >= 0);
	char text[ADDR_TEXT];

	json_put_str(w, "from", addr_format(r->from, text));
	if (r->tcp_flags >= 0)
		put_tcp_flags(w, r->tcp_flags);
	if (r->reply_ttl >= 0)
		json_put_int(w, "ttl", r->reply_ttl);
	if (r->size >= 0 && size >= 0)
		json_put_int(w, "size", size);
	if (r->rtt_ns >= 0)
		json_put_decimal(w, "rtt", r->rtt_ns, 6);
	put_icmp(w, t, e);
	put_mpls(w, r);
}

/* What is odd about an answer, in the words of the native record; "flags" is Atlas's for TCP. */
static void put_marks(struct json_writer *w, const struct reply *r)
{
	unsigned marks = r->flags & ~(unsigned)(REPLY_LATE | REPLY_DUP);

	if (r->quoted_ttl >= 0)
		marks &= ~(unsigned)REPLY_QUOTE;
	if (marks == 0)
		return;
	json_begin_array(w, "marks");
	for (const struct word *f = reply_flag_words; f->word != NULL; f++) {
		if (marks & (unsigned)f->value)
			json_put_str(w, NULL, f->word);
	}
	json_end(w);
}

/* One element of a hop. Atlas counts probes: only another number is told. */
static void put_entry(struct json_writer *w, const struct trace *t, const struct trace_entry *e,
		      struct place *last)
{
	unsigned flags = e->reply.flags;
	bool late = flags & REPLY_LATE, dup = flags & REPLY_DUP;
	bool answered = addr_is_set(e->reply.from);
	uint8_t next = (uint8_t)(last->attempt + (last->attempt < 255));

	json_begin_object(w, NULL);
	/* Only an answer can be late or come twice. */
	if (answered && (late || dup)) {
		bool same = last->ttl == e->ttl && last->attempt == e->attempt;

		if (late)
			json_put_int(w, "late", 1);
		if (dup)
			json_put_bool(w, "dup", true);
		if (!same)
			json_put_int(w, "attempt", e->attempt);
	} else {
		if (e->attempt != next)
			json_put_int(w, "attempt", e->attempt);
		*last = (struct place){e->ttl, e->attempt};
	}
	if (answered)
		put_reply(w, t, e);
	else if (e->why == WHY_NOT_SENT)
		json_put_str(w, "error", t->error[0] != '\0' ? t->error : "not sent");
	else
		json_put_str(w, "x", "*");
	if (!answered && (e->why == WHY_NOT_SEEN || e->why == WHY_INTERRUPTED))
		json_put_str(w, "why", word_of(why_words, e->why));
	put_marks(w, &e->reply);
	json_end(w);
}

static void put_hops(struct json_writer *w, const struct trace *t)
{
	struct place last = {0, 0};

	json_begin_array(w, "result");
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];

		if (i == 0 || e->ttl != e[-1].ttl) {
			last.attempt = 0;
			json_begin_object(w, NULL);
			json_put_int(w, "hop", e->ttl);
			json_begin_array(w, "result");
		}
		put_entry(w, t, e, &last);
		if (i + 1 == t->entry_count || e->ttl != e[1].ttl) {
			json_end(w);
			json_end(w);
		}
	}
	if (t->entry_count == 0 && t->error[0] != '\0') {
		json_begin_object(w, NULL);
		json_put_str(w, "error", t->error);
		json_end(w);
	}
	json_end(w);
}

/* The numbers that Atlas knew the trace by; 0 for those it never saw. */
struct origin { long long msm_id, prb_id, timestamp, fw; };

static struct origin origin_of(const struct trace *t)
{
	struct origin o = {0, 0, 0, 0};
	char id[TRACE_ID_TEXT];

	if (sscanf(t->id, "atlas-%lld-%lld-%lld", &o.msm_id, &o.prb_id, &o.timestamp) == 3) {
		snprintf(id, sizeof(id), "atlas-%lld-%lld-%lld", o.msm_id, o.prb_id, o.timestamp);
		if (strcmp(id, t->id) != 0 || o.msm_id < 0 || o.prb_id <= 0)
			o = (struct origin){0, 0, 0, 0};
	} else {
		o = (struct origin){0, 0, 0, 0};
	}
	if (sscanf(t->tool, "atlas fw %lld", &o.fw) != 1 || o.fw < 4460)
		o.fw = 5000;
	return o;
}

/* What Atlas's own members cannot say of the whole. */
static void put_own(struct json_writer *w, const struct trace *t, const struct origin *o)
{
	char vantage[TRACE_VANTAGE_TEXT], tool[TRACE_TOOL_TEXT];
	bool atlas = o->prb_id > 0;

	snprintf(vantage, sizeof(vantage), "atlas-%lld", o->prb_id);
	snprintf(tool, sizeof(tool), "atlas fw %lld", o->fw);
	if (atlas && strcmp(t->vantage, vantage) == 0 && strcmp(t->tool, tool) == 0 &&
	    t->start.ns % NS_PER_S == 0 && t->end.ns % NS_PER_S == 0)
		return;
	json_begin_object(w, "borderpath");
	put_text(w, "id", t->id);
	put_text(w, "campaign", t->campaign);
	put_text(w, "round", t->round);
	put_text(w, "vantage", t->vantage);
	put_text(w, "tool", t->tool);
	put_wall(w, "start", t->start);
	put_wall(w, "end", t->end);
	if (t->sport >= 0)
		json_put_int(w, "sport", t->sport);
	if (t->dport >= 0)
		json_put_int(w, "dport", t->dport);
	if (t->max_ttl > 0)
		json_put_int(w, "max_ttl", t->max_ttl);
	if (t->stop != STOP_UNKNOWN)
		json_put_str(w, "stop", word_of(stop_words, t->stop));
	json_end(w);
}

/* Whole seconds, before the moment. */
static int64_t seconds(struct wall t)
{
	return t.ns / NS_PER_S - (t.ns % NS_PER_S < 0);
}

static uint8_t family_of(const struct trace *t)
{
	if (addr_is_set(t->dst))
		return t->dst.family;
	if (addr_is_set(t->src))
		return t->src.family;
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (addr_is_set(t->entries[i].reply.from))
			return t->entries[i].reply.from.family;
	}
	return 4;
}

static const char *proto_of(uint8_t method)
{
	return method == METHOD_ICMP ? "ICMP" : method == METHOD_TCP ? "TCP" : "UDP";
}

static void put_head(struct json_writer *w, const struct trace *t, const struct origin *o)
{
	int32_t size = t->probe_size - atlas_headers(t->dst.family, t->method == METHOD_TCP);
	char text[ADDR_TEXT];

	json_put_int(w, "fw", o->fw);
	/* Whether the clock was right is not known. */
	json_put_int(w, "lts", -1);
	if (t->end.ns != 0)
		json_put_int(w, "endtime", seconds(t->end));
	json_put_str(w, "dst_name", t->target[0] != '\0' ? t->target :
		     addr_is_set(t->dst) ? addr_format(t->dst, text) : "");
	if (addr_is_set(t->dst))
		put_addr(w, "dst_addr", t->dst);
	put_addr(w, "src_addr", t->src);
	if (t->method != METHOD_UNKNOWN)
		json_put_str(w, "proto", proto_of(t->method));
	json_put_int(w, "af", family_of(t));
	if (t->probe_size >= 0 && size >= 0)
		json_put_int(w, "size", size);
	if (t->flow >= 0)
		json_put_int(w, "paris_id", t->flow);
}

int atlas_write(struct buf *out, const struct record *rec, const struct names *names,
		const struct verdict *verdict)
{
	const struct trace *t = rec->trace;
	struct json_writer w;
	struct origin o;

	(void)names;
	(void)verdict;
	if (t == NULL)
		return BP_EFOREIGN;
	o = origin_of(t);
	json_start(&w, out);
	json_begin_object(&w, NULL);
	put_head(&w, t, &o);
	put_hops(&w, t);
	json_put_int(&w, "msm_id", o.msm_id);
	json_put_int(&w, "prb_id", o.prb_id);
	json_put_int(&w, "timestamp", seconds(t->start));
	json_put_str(&w, "msm_name", "Traceroute");
	/* The address the probe is seen by: known only where nothing translates it. */
	put_addr(&w, "from", addr_kind(t->src) == ADDR_KIND_GLOBAL ? t->src : (struct addr){0});
	json_put_str(&w, "type", "traceroute");
	put_own(&w, t, &o);
	json_end(&w);
	buf_char(out, '\n');
	return out->failed ? BP_ENOMEM : 0;
}
