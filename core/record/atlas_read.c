// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads RIPE Atlas traceroute results, of firmware 4400 and later, one object each. Owns how they
 * become hops: an answer that came late is put back to the probe it answers, a probe that could not
 * be sent says so, what Atlas leaves out because it is usual is filled in. Members may come in any
 * order; those that are not known are passed over.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/jsonpull.h"
#include "core/record/atlas.h"
#include "core/record/format.h"
#include "core/record/import.h"

/* A type that was told, even as "not known": atlas_unmarked has no say. Never leaves this file. */
enum { TYPE_TOLD = 1u << 15 };
/* quoted_ttl was told as not known, likewise. */
enum { QUOTE_UNKNOWN = -2 };
/* How many probes back a late answer may belong to. */
enum { LATE_MAX = 1024 };

/* The result in the making. */
struct reading {
	struct pull p;
	struct bp_error *err;
	int rc;          /* the first wrong member; sticky */
	struct trace *t; /* owned until given away */
	uint32_t room;
	int64_t hop;     /* of the open hop; 0 none */
	uint8_t attempt; /* of its last probe */
	int64_t msm_id, prb_id, timestamp, fw; /* -1 none */
	bool traceroute, foreign, has_result, failed;
	struct pull_value from; /* the last address read, and what it was */
	struct addr from_addr;
};

__attribute__((format(printf, 3, 4)))
static void refuse(struct reading *in, int code, const char *fmt, ...)
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

/* Integers out of range are not known: old firmware wrote what it found in memory. */
static void take_int(const struct pull_value *v, int64_t max, int64_t *out)
{
	int64_t n;

	if (pull_int(v, 0, max, &n))
		*out = n;
}

#define TAKE_INT(v, max, field)                    \
	do {                                       \
		int64_t value_ = (field);          \
		take_int(v, max, &value_);         \
		(field) = (__typeof__(field))value_; \
	} while (0)

/* An address, perhaps with the interface behind a '%'. "" and null are none. */
static bool take_addr(struct reading *in, const char *key, const struct pull_value *v,
		      struct addr *out)
{
	char text[ADDR_TEXT + 32];
	char *zone;

	if (v->kind == PULL_NULL || (v->kind == PULL_STRING && v->n == 0))
		return false;
	if (v->n == in->from.n && in->from.n > 0 && memcmp(v->text, in->from.text, v->n) == 0) {
		*out = in->from_addr;
		return true;
	}
	if (pull_text(v, text, sizeof(text))) {
		zone = strchr(text, '%');
		if (zone != NULL)
			*zone = '\0';
		if (addr_parse(text, out) == 0) {
			in->from = *v;
			in->from_addr = *out;
			return true;
		}
	}
	refuse(in, BP_EPARSE, "%s: expected an IPv4 or IPv6 address", key);
	return false;
}

/* A text in which every other program may have left something; the first of its kind stays. */
static void take_text(const struct pull_value *v, char *out, size_t size)
{
	if (out[0] == '\0')
		pull_text(v, out, size);
}

/* --- answers --------------------------------------------------------------------------------- */

static void read_labels(struct reading *in, struct reply *r)
{
	struct pull_value key, v;

	while (pull_element(&in->p, &v)) {
		struct mpls m = {0};

		if (v.kind != PULL_OBJECT) {
			pull_skip(&in->p, &v);
			continue;
		}
		while (pull_member(&in->p, &key, &v)) {
			if (pull_is(&key, "label"))
				TAKE_INT(&v, 0xfffff, m.label);
			else if (pull_is(&key, "exp"))
				TAKE_INT(&v, 7, m.exp);
			else if (pull_is(&key, "s"))
				TAKE_INT(&v, 1, m.s);
			else if (pull_is(&key, "ttl"))
				TAKE_INT(&v, 255, m.ttl);
			else
				pull_skip(&in->p, &v);
		}
		if (r->mpls_count < TRACE_MPLS_MAX)
			r->mpls[r->mpls_count++] = m;
	}
}

/* {"version":2,"rfc4884":1,"obj":[{"class":1,"type":1,"mpls":[...]}]} */
static void read_icmpext(struct reading *in, struct reply *r)
{
	struct pull_value key, v;

	while (pull_member(&in->p, &key, &v)) {
		if (v.kind != PULL_ARRAY || !pull_is(&key, "obj")) {
			pull_skip(&in->p, &v);
			continue;
		}
		while (pull_element(&in->p, &v)) {
			if (v.kind != PULL_OBJECT) {
				pull_skip(&in->p, &v);
				continue;
			}
			while (pull_member(&in->p, &key, &v)) {
				if (v.kind == PULL_ARRAY && pull_is(&key, "mpls"))
					read_labels(in, r);
				else
					pull_skip(&in->p, &v);
			}
		}
	}
}

/* "SA": letters as in the native record. */
static void take_tcp_flags(struct reading *in, const struct pull_value *v, struct reply *r)
{
	static const char letters[] = "FSRPAUECN";
	int flags = 0;

	if (v->kind != PULL_STRING) {
		refuse(in, BP_EPARSE, "flags: expected text");
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		const char *at = v->text[i] != '\0' ? strchr(letters, v->text[i]) : NULL;

		if (at == NULL) {
			refuse(in, BP_EPARSE, "flags: expected letters of %s", letters);
			return;
		}
		flags |= 1 << (at - letters);
	}
	r->tcp_flags = (int16_t)flags;
}

/* Negative when the clock was set back in between, absurd when forward. */
static void take_rtt(struct reading *in, const struct pull_value *v, struct reply *r)
{
	int64_t ns;

	if (v->kind == PULL_NULL)
		return;
	if (v->kind != PULL_NUMBER) {
		refuse(in, BP_EPARSE, "rtt: expected a number");
		return;
	}
	if (pull_decimal(v, 6, &ns) && ns >= 0 && ns <= TRACE_NS_MAX)
		r->rtt_ns = ns;
	else
		r->flags |= REPLY_CLOCK;
}

/* One element of a hop's "result". */
struct answer {
	struct trace_entry e;
	struct pull_value err; /* as told */
	int64_t late;          /* so many probes ago; -1 it was not */
	int64_t attempt;       /* as told by our own writer; 0 not */
	bool failed;           /* "error": it was not sent */
};

/* Members that Atlas has no word for, and our own writer adds (doc/record.md). */
static void take_own(const struct pull_value *key, const struct pull_value *v, struct answer *a)
{
	struct reply *r = &a->e.reply;
	char word[16];
	int why;

	if (pull_is(key, "attempt")) {
		take_int(v, 255, &a->attempt);
	} else if (pull_is(key, "icmp_type")) {
		TAKE_INT(v, 255, r->icmp_type);
		r->flags |= (uint16_t)TYPE_TOLD;
	} else if (pull_is(key, "icmp_code")) {
		TAKE_INT(v, 255, r->icmp_code);
	} else if (pull_is(key, "why") && pull_text(v, word, sizeof(word)) &&
		   word_value(why_words, word, &why) == 0) {
		a->e.why = (uint8_t)why;
	}
}

static void take_member(struct reading *in, const struct pull_value *key,
			const struct pull_value *v, struct answer *a)
{
	struct reply *r = &a->e.reply;

	if (pull_is(key, "from")) {
		take_addr(in, "from", v, &r->from);
	} else if (pull_is(key, "ttl")) {
		TAKE_INT(v, 255, r->reply_ttl);
	} else if (pull_is(key, "size")) {
		TAKE_INT(v, INT32_MAX - 64, r->size);
	} else if (pull_is(key, "rtt")) {
		take_rtt(in, v, r);
	} else if (pull_is(key, "err")) {
		a->err = *v;
	} else if (pull_is(key, "late")) {
		a->late = 0;
		take_int(v, INT32_MAX, &a->late);
	} else if (pull_is(key, "dup")) {
		/* true, or as in ping how many there were. */
		if (v->kind != PULL_FALSE && v->kind != PULL_NULL)
			r->flags |= REPLY_DUP;
	} else if (pull_is(key, "flags")) {
		take_tcp_flags(in, v, r);
	} else if (pull_is(key, "mtu")) {
		TAKE_INT(v, INT32_MAX, r->mtu);
	} else if (pull_is(key, "ittl")) {
		r->quoted_ttl = v->kind == PULL_NULL ? QUOTE_UNKNOWN : r->quoted_ttl;
		TAKE_INT(v, 255, r->quoted_ttl);
	} else if (pull_is(key, "edst")) {
		/* The probe that is quoted went elsewhere. */
		r->flags |= REPLY_NAT;
	} else if (pull_is(key, "error")) {
		a->failed = true;
		take_text(v, in->t->error, sizeof(in->t->error));
	} else if (pull_is(key, "icmpext") && v->kind == PULL_OBJECT) {
		read_icmpext(in, r);
	} else {
		take_own(key, v, a);
		pull_skip(&in->p, v);
	}
}

/* The ICMP message that "err" or "mtu" speaks of. */
static void take_err(struct answer *a)
{
	struct reply *r = &a->e.reply;
	bool v4 = r->from.family == 4;
	int64_t code = -1;

	if (r->flags & TYPE_TOLD)
		return;
	if (a->err.kind == PULL_STRING || a->err.kind == PULL_NUMBER) {
		/* A number may come as text, too; what is neither is still an unreachable. */
		struct pull_value number = a->err;

		if (number.n > 0 && number.text[0] >= '0' && number.text[0] <= '9')
			number.kind = PULL_NUMBER;
		if (number.kind == PULL_NUMBER && !a->err.escaped)
			take_int(&number, 255, &code);
		else if (a->err.n == 1)
			code = atlas_err_code(r->from.family, a->err.text[0]);
		r->icmp_type = v4 ? 3 : 1;
		r->icmp_code = (int16_t)code;
	} else if (r->mtu >= 0) {
		r->icmp_type = v4 ? 3 : 2;
		r->icmp_code = v4 ? 4 : 0;
	}
}

static bool is_extra(const struct trace_entry *e)
{
	return e->reply.flags & (REPLY_LATE | REPLY_DUP);
}

/* Which probe an answer that came `late` probes later belongs to: those behind it are counted back,
 * with the one that was waited for. NULL: before the first. */
static const struct trace_entry *late_probe(const struct reading *in, int64_t late)
{
	if (late < 1 || late > LATE_MAX)
		return NULL;
	for (uint32_t i = in->t->entry_count; i-- > 0;) {
		if (!is_extra(&in->t->entries[i]) && --late == 0)
			return &in->t->entries[i];
	}
	return NULL;
}

/* TTL and attempt; more than 255 probes a hop are one attempt. */
static void place(struct reading *in, struct answer *a)
{
	const struct trace_entry *probe = NULL;
	uint8_t attempt = in->attempt;

	if (a->late >= 0)
		a->e.reply.flags |= REPLY_LATE;
	if (a->late >= 0 && a->attempt == 0)
		probe = late_probe(in, a->late);
	if (!is_extra(&a->e)) {
		attempt = a->attempt > 0 ? (uint8_t)a->attempt : (uint8_t)(attempt + (attempt < 255));
		in->attempt = attempt;
	} else if (a->attempt > 0) {
		attempt = (uint8_t)a->attempt;
	}
	a->e.ttl = probe != NULL ? probe->ttl : (uint8_t)in->hop;
	a->e.attempt = probe != NULL ? probe->attempt : attempt > 0 ? attempt : 1;
}

static void add(struct reading *in, struct answer *a)
{
	struct trace_entry *e;

	if (addr_is_set(a->e.reply.from)) {
		a->e.why = WHY_NONE;
		take_err(a);
	} else {
		uint8_t why = a->e.why;

		/* Whatever else was told of it: nobody answered. */
		trace_entry_init(&a->e, 1, 1);
		a->e.why = a->failed ? WHY_NOT_SENT : why == WHY_NONE ? WHY_TIMEOUT : why;
	}
	in->failed |= a->failed;
	if (in->rc < 0 || in->p.fault != NULL)
		return;
	place(in, a);
	e = import_add(&in->t, &in->room, a->e.ttl, a->e.attempt);
	if (e == NULL && in->t->entry_count == TRACE_MAX_ENTRIES)
		refuse(in, BP_ERANGE, "expected at most 65535 answers");
	else if (e == NULL)
		refuse(in, BP_ENOMEM, "out of memory");
	else
		*e = a->e;
}

static void read_answers(struct reading *in)
{
	struct pull_value key, v;

	while (pull_element(&in->p, &v)) {
		struct answer a = {.late = -1};

		trace_entry_init(&a.e, 1, 1);
		if (v.kind != PULL_OBJECT) {
			refuse(in, BP_EPARSE, "result: expected objects");
			pull_skip(&in->p, &v);
			continue;
		}
		while (pull_member(&in->p, &key, &v))
			take_member(in, &key, &v, &a);
		add(in, &a);
	}
}

/* --- hops and head --------------------------------------------------------------------------- */

/* "hop" comes before "result", or else behind it: then the hop is read twice. */
static void read_hop(struct reading *in)
{
	struct pull_value key, v;
	struct pull result = {0};
	bool late_hop = false;
	struct answer failed = {.late = -1, .failed = true};

	in->hop = 0;
	in->attempt = 0;
	while (pull_member(&in->p, &key, &v)) {
		if (pull_is(&key, "hop")) {
			if (!pull_int(&v, 1, 255, &in->hop))
				refuse(in, BP_EPARSE, "hop: expected an integer from 1 to 255");
		} else if (pull_is(&key, "result") && v.kind == PULL_ARRAY && in->hop > 0) {
			read_answers(in);
		} else if (pull_is(&key, "result") && v.kind == PULL_ARRAY) {
			result = in->p;
			late_hop = true;
			pull_skip(&in->p, &v);
		} else if (pull_is(&key, "error")) {
			in->failed = true;
			take_text(&v, in->t->error, sizeof(in->t->error));
			failed.attempt = 1;
		} else {
			pull_skip(&in->p, &v);
		}
	}
	if (late_hop && in->hop > 0 && in->p.fault == NULL) {
		struct pull behind = in->p;

		in->p = result;
		read_answers(in);
		in->p = behind;
	}
	if (failed.attempt > 0 && in->hop > 0) {
		trace_entry_init(&failed.e, 1, 1);
		add(in, &failed);
	}
	in->hop = 0;
}

static void read_hops(struct reading *in, const struct pull_value *result)
{
	struct pull_value v;

	in->has_result = true;
	if (result->kind == PULL_STRING) {
		refuse(in, BP_EUNSUP, "a result of firmware before 4400, whose hops are text");
		return;
	}
	if (result->kind != PULL_ARRAY) {
		refuse(in, BP_EPARSE, "result: expected an array");
		pull_skip(&in->p, result);
		return;
	}
	while (pull_element(&in->p, &v)) {
		if (v.kind == PULL_OBJECT) {
			read_hop(in);
			continue;
		}
		refuse(in, BP_EPARSE, "result: expected objects");
		pull_skip(&in->p, &v);
	}
}

/* "ICMP", "I", "UDP", "TCP", and the "ICMP4" and "UDP6" of the oldest. */
static void take_method(const struct pull_value *v, struct trace *t)
{
	switch (v->kind == PULL_STRING && v->n > 0 ? v->text[0] : '\0') {
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

static void take_wall(const struct pull_value *v, struct wall *out)
{
	int64_t ns;

	/* The years 1970 to 2200. */
	if (pull_decimal(v, 9, &ns) && ns > 0 && ns < INT64_C(7258118400) * NS_PER_S)
		out->ns = ns;
}

static void take_wall_text(const struct pull_value *v, struct wall *out)
{
	char text[WALL_TEXT + 8];

	if (pull_text(v, text, sizeof(text)))
		wall_parse(text, (struct wall){0}, out);
}

/* What our own writer keeps of a trace that was not measured by Atlas. */
static void read_own(struct reading *in)
{
	struct trace *t = in->t;
	struct pull_value key, v;
	char word[16];
	int stop;

	while (pull_member(&in->p, &key, &v)) {
		if (pull_is(&key, "id"))
			pull_text(&v, t->id, sizeof(t->id));
		else if (pull_is(&key, "campaign"))
			pull_text(&v, t->campaign, sizeof(t->campaign));
		else if (pull_is(&key, "round"))
			pull_text(&v, t->round, sizeof(t->round));
		else if (pull_is(&key, "vantage"))
			pull_text(&v, t->vantage, sizeof(t->vantage));
		else if (pull_is(&key, "tool"))
			pull_text(&v, t->tool, sizeof(t->tool));
		else if (pull_is(&key, "start"))
			take_wall_text(&v, &t->start);
		else if (pull_is(&key, "end"))
			take_wall_text(&v, &t->end);
		else if (pull_is(&key, "dport"))
			TAKE_INT(&v, 65535, t->dport);
		else if (pull_is(&key, "sport"))
			TAKE_INT(&v, 65535, t->sport);
		else if (pull_is(&key, "max_ttl"))
			TAKE_INT(&v, 255, t->max_ttl);
		else if (pull_is(&key, "stop") && pull_text(&v, word, sizeof(word)) &&
			 word_value(stop_words, word, &stop) == 0)
			t->stop = (uint8_t)stop;
		else
			pull_skip(&in->p, &v);
	}
}

/* The spellings of firmware before 4460 stand beside those of today. */
static void take_head(struct reading *in, const struct pull_value *key, const struct pull_value *v)
{
	struct trace *t = in->t;

	if (pull_is(key, "dst_addr") || pull_is(key, "addr")) {
		take_addr(in, "dst_addr", v, &t->dst);
	} else if (pull_is(key, "src_addr") || pull_is(key, "srcaddr")) {
		take_addr(in, "src_addr", v, &t->src);
	} else if (pull_is(key, "dst_name") || pull_is(key, "name")) {
		take_text(v, t->target, sizeof(t->target));
	} else if (pull_is(key, "proto") || pull_is(key, "mode")) {
		take_method(v, t);
	} else if (pull_is(key, "paris_id") || pull_is(key, "paris-id")) {
		TAKE_INT(v, INT32_MAX, t->flow);
	} else if (pull_is(key, "size")) {
		TAKE_INT(v, INT32_MAX - 64, t->probe_size);
	} else if (pull_is(key, "timestamp")) {
		take_int(v, INT64_MAX, &in->timestamp);
		if (t->start.ns == 0)
			take_wall(v, &t->start);
	} else if (pull_is(key, "endtime")) {
		if (t->end.ns == 0)
			take_wall(v, &t->end);
	} else if (pull_is(key, "msm_id")) {
		take_int(v, INT64_MAX, &in->msm_id);
	} else if (pull_is(key, "prb_id")) {
		take_int(v, INT64_MAX, &in->prb_id);
	} else if (pull_is(key, "fw")) {
		take_int(v, INT32_MAX, &in->fw);
	} else if (pull_is(key, "type")) {
		in->traceroute = pull_is(v, "traceroute");
		in->foreign = !in->traceroute;
		if (in->foreign && v->kind == PULL_STRING)
			refuse(in, BP_EUNSUP, "a result of another kind (%.*s)",
			       v->n < 20 ? (int)v->n : 20, v->text);
	} else if (pull_is(key, "dnserr") || pull_is(key, "err")) {
		in->failed = true;
		take_text(v, t->error, sizeof(t->error));
	} else if (pull_is(key, "borderpath") && v->kind == PULL_OBJECT) {
		read_own(in);
		return;
	}
	pull_skip(&in->p, v);
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
	if (error && r->quoted_ttl >= 0 && r->quoted_ttl != 1 &&
	    icmp_is_ttl_exceeded(r->from.family, r->icmp_type, r->icmp_code))
		r->flags |= REPLY_QUOTE;
	if (r->size >= 0)
		r->size += atlas_headers(r->from.family, r->tcp_flags >= 0);
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
}

static void finish(struct reading *in)
{
	struct trace *t = in->t;
	bool atlas = in->prb_id > 0;

	if (atlas && t->id[0] == '\0')
		snprintf(t->id, sizeof(t->id), "atlas-%lld-%lld-%lld", (long long)in->msm_id,
			 (long long)in->prb_id, (long long)in->timestamp);
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
	struct pull_value key, v;
	int rc;

	in.room = 64;
	in.t = trace_new(in.room);
	if (in.t == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	pull_start(&in.p, object, n, &v);
	if (v.kind == PULL_OBJECT) {
		while (pull_member(&in.p, &key, &v)) {
			if (pull_is(&key, "result"))
				read_hops(&in, &v);
			else
				take_head(&in, &key, &v);
		}
	}
	rc = pull_end(&in.p, in.rc == 0 ? err : NULL);
	if (in.rc == 0)
		in.rc = rc;
	if (in.rc == 0 && !in.traceroute && (in.prb_id < 0 || in.msm_id < 0))
		refuse(&in, BP_EFOREIGN, "JSON, but no traceroute of RIPE Atlas");
	if (in.rc == 0 && !in.has_result && !in.failed)
		refuse(&in, BP_EPARSE, "result: expected an array");
	if (in.rc == 0) {
		finish(&in);
		if (trace_validate(in.t, in.t->size) < 0)
			refuse(&in, BP_EPARSE, "the members contradict each other");
	}
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
		if (rc == 0 || rc == BP_EOF)
			return rc;
		if (rc == BP_EIO || rc == BP_ENOMEM || rc == BP_EPERM) {
			if (err != NULL)
				*err = why;
			return rc;
		}
		record_skip(r, &why);
	}
}

/* Results of pings and of other kinds are Atlas too: they are skipped, and told as what they are. */
static int detect(const char *head, size_t n)
{
	const char *at = head, *end = head + n;

	if (n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end && *at != '\0' && strchr(" \t\r\n", *at) != NULL)
		at++;
	if (at == end || (*at != '{' && *at != '[') ||
	    memmem(at, (size_t)(end - at), "\"prb_id\"", 8) == NULL)
		return 0;
	return 95;
}

const struct format atlas_format = {
	.name = "atlas",
	.says = "RIPE Atlas traceroute results, JSON",
	.detect = detect,
	.read = read_one,
	.write = atlas_write,
};
