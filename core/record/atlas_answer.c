// SPDX-License-Identifier: BSD-2-Clause
/*
 * The answers of a hop of a RIPE Atlas result. Owns what each member says of an answer, and which
 * probe it belongs to: one that came late is put back to the probe it answers. What follows only
 * from the whole result (atlas_read.c) is left open here.
 */
#include <stdlib.h>
#include <string.h>

#include "core/record/atlas.h"
#include "core/record/atlas_read.h"
#include "core/record/import.h"

/* How many probes back a late answer may belong to. */
enum { LATE_MAX = 1024 };

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
				ATLAS_INT(&v, 0xfffff, m.label);
			else if (pull_is(&key, "exp"))
				ATLAS_INT(&v, 7, m.exp);
			else if (pull_is(&key, "s"))
				ATLAS_INT(&v, 1, m.s);
			else if (pull_is(&key, "ttl"))
				ATLAS_INT(&v, 255, m.ttl);
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
		atlas_refuse(in, BP_EPARSE, "flags: expected text");
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		const char *at = v->text[i] != '\0' ? strchr(letters, v->text[i]) : NULL;

		if (at == NULL) {
			atlas_refuse(in, BP_EPARSE, "flags: expected letters of %s", letters);
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
		atlas_refuse(in, BP_EPARSE, "rtt: expected a number");
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
	uint16_t marks;        /* likewise, enum reply_flag */
	bool failed;           /* "error": it was not sent */
};

/* Members that Atlas has no word for, and our own writer adds (doc/record.md). */
static void take_own(const struct pull_value *key, const struct pull_value *v, struct answer *a)
{
	struct reply *r = &a->e.reply;
	char word[16];
	int why;

	if (pull_is(key, "attempt")) {
		atlas_int(v, 255, &a->attempt);
	} else if (pull_is(key, "icmp_type")) {
		ATLAS_INT(v, 255, r->icmp_type);
		r->flags |= (uint16_t)TYPE_TOLD;
	} else if (pull_is(key, "icmp_code")) {
		ATLAS_INT(v, 255, r->icmp_code);
	} else if (pull_is(key, "why") && pull_text(v, word, sizeof(word)) &&
		   word_value(why_words, word, &why) == 0) {
		a->e.why = (uint8_t)why;
	}
}

static void read_marks(struct reading *in, struct answer *a)
{
	struct pull_value v;
	char word[24];
	int flag;

	while (pull_element(&in->p, &v)) {
		if (pull_text(&v, word, sizeof(word)) &&
		    word_value(reply_flag_words, word, &flag) == 0)
			a->marks |= (uint16_t)flag;
		pull_skip(&in->p, &v);
	}
	a->marks &= (uint16_t)~(REPLY_LATE | REPLY_DUP);
}

static void take_member(struct reading *in, const struct pull_value *key,
			const struct pull_value *v, struct answer *a)
{
	struct reply *r = &a->e.reply;

	if (pull_is(key, "from")) {
		atlas_addr(in, "from", v, &r->from);
	} else if (pull_is(key, "ttl")) {
		ATLAS_INT(v, 255, r->reply_ttl);
	} else if (pull_is(key, "size")) {
		ATLAS_INT(v, INT32_MAX - 64, r->size);
	} else if (pull_is(key, "rtt")) {
		take_rtt(in, v, r);
	} else if (pull_is(key, "err")) {
		a->err = *v;
	} else if (pull_is(key, "late")) {
		a->late = 0;
		atlas_int(v, INT32_MAX, &a->late);
	} else if (pull_is(key, "dup")) {
		/* true, or as in ping how many there were. */
		if (v->kind != PULL_FALSE && v->kind != PULL_NULL)
			r->flags |= REPLY_DUP;
	} else if (pull_is(key, "flags")) {
		take_tcp_flags(in, v, r);
	} else if (pull_is(key, "mtu")) {
		ATLAS_INT(v, INT32_MAX, r->mtu);
	} else if (pull_is(key, "ittl")) {
		r->quoted_ttl = v->kind == PULL_NULL ? QUOTE_UNKNOWN : r->quoted_ttl;
		ATLAS_INT(v, 255, r->quoted_ttl);
	} else if (pull_is(key, "edst")) {
		/* The probe that is quoted went elsewhere. */
		r->flags |= REPLY_NAT;
	} else if (pull_is(key, "error")) {
		a->failed = true;
		atlas_text(v, in->t->error, sizeof(in->t->error));
	} else if (pull_is(key, "icmpext") && v->kind == PULL_OBJECT) {
		read_icmpext(in, r);
	} else if (pull_is(key, "marks") && v->kind == PULL_ARRAY) {
		read_marks(in, a);
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
			atlas_int(&number, 255, &code);
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
		attempt = a->attempt > 0 ? (uint8_t)a->attempt :
					   (uint8_t)(attempt + (attempt < 255));
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
	a->e.reply.flags |= a->marks;
	in->failed |= a->failed;
	if (in->rc < 0 || in->p.fault != NULL)
		return;
	place(in, a);
	e = import_add(&in->t, &in->room, a->e.ttl, a->e.attempt);
	if (e == NULL && in->t->entry_count == TRACE_MAX_ENTRIES)
		atlas_refuse(in, BP_ERANGE, "expected at most 65535 answers");
	else if (e == NULL)
		atlas_refuse(in, BP_ENOMEM, "out of memory");
	else
		*e = a->e;
}

void atlas_answers(struct reading *in)
{
	struct pull_value key, v;

	while (pull_element(&in->p, &v)) {
		struct answer a = {.late = -1};

		trace_entry_init(&a.e, 1, 1);
		if (v.kind != PULL_OBJECT) {
			atlas_refuse(in, BP_EPARSE, "result: expected objects");
			pull_skip(&in->p, &v);
			continue;
		}
		while (pull_member(&in->p, &key, &v))
			take_member(in, &key, &v, &a);
		add(in, &a);
	}
}

void atlas_not_sent(struct reading *in)
{
	struct answer a = {.late = -1, .failed = true};

	trace_entry_init(&a.e, 1, 1);
	add(in, &a);
}
