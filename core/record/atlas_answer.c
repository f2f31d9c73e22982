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

static void read_labels(const struct json_node *labels, struct reply *r)
{
	const struct json_node *v, *label;
	uint32_t i;

	NODE_EACH(labels, i, label)
	{
		struct mpls m = {0};
		uint32_t k;

		if (label->kind != NODE_OBJECT)
			continue;
		NODE_EACH(label, k, v)
		{
			if (atlas_is(v, "label"))
				ATLAS_INT(v, 0xfffff, m.label);
			else if (atlas_is(v, "exp"))
				ATLAS_INT(v, 7, m.exp);
			else if (atlas_is(v, "s"))
				ATLAS_INT(v, 1, m.s);
			else if (atlas_is(v, "ttl"))
				ATLAS_INT(v, 255, m.ttl);
		}
		if (r->mpls_count < TRACE_MPLS_MAX)
			r->mpls[r->mpls_count++] = m;
	}
}

/* {"version":2,"rfc4884":1,"obj":[{"class":1,"type":1,"mpls":[...]}]} */
static void read_icmpext(const struct json_node *extension, struct reply *r)
{
	const struct json_node *objects = node_get(extension, "obj"), *v, *labels;
	uint32_t i;

	if (!node_is(objects, NODE_ARRAY))
		return;
	NODE_EACH(objects, i, v)
	{
		labels = node_get(v, "mpls");
		if (node_is(labels, NODE_ARRAY))
			read_labels(labels, r);
	}
}

/* "SA": letters as in the native record. */
static void take_tcp_flags(struct reading *in, const struct json_node *v, struct reply *r)
{
	static const char letters[] = "FSRPAUECN";
	int flags = 0;

	if (v->kind != NODE_STRING) {
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
static void take_rtt(struct reading *in, const struct json_node *v, struct reply *r)
{
	int64_t ns;

	if (v->kind == NODE_NULL)
		return;
	if (v->kind != NODE_NUMBER) {
		atlas_refuse(in, BP_EPARSE, "rtt: expected a number");
		return;
	}
	if (node_decimal(v, 6, &ns) && ns >= 0 && ns <= TRACE_NS_MAX)
		r->rtt_ns = ns;
	else
		r->flags |= REPLY_CLOCK;
}

/* One element of a hop's "result". */
struct answer {
	struct trace_entry e;
	const struct json_node *err; /* as told; NULL: not */
	int64_t late;          /* so many probes ago; -1 it was not */
	int64_t attempt;       /* as told by our own writer; 0 not */
	uint16_t marks;        /* likewise, enum reply_flag */
	bool failed;           /* "error": it was not sent */
};

/* Members that Atlas has no word for, and our own writer adds (doc/record.md). */
static void take_own(const struct json_node *v, struct answer *a)
{
	struct reply *r = &a->e.reply;
	char word[16];
	int why;

	if (atlas_is(v, "attempt")) {
		atlas_int(v, 255, &a->attempt);
	} else if (atlas_is(v, "icmp_type")) {
		ATLAS_INT(v, 255, r->icmp_type);
		r->flags |= (uint16_t)TYPE_TOLD;
	} else if (atlas_is(v, "icmp_code")) {
		ATLAS_INT(v, 255, r->icmp_code);
	} else if (atlas_is(v, "why") && atlas_copy(v, word, sizeof(word)) &&
		   word_value(why_words, word, &why) == 0) {
		a->e.why = (uint8_t)why;
	}
}

static void read_marks(const struct json_node *marks, struct answer *a)
{
	const struct json_node *v;
	uint32_t i;
	char word[24];
	int flag;

	NODE_EACH(marks, i, v)
	{
		if (atlas_copy(v, word, sizeof(word)) &&
		    word_value(reply_flag_words, word, &flag) == 0)
			a->marks |= (uint16_t)flag;
	}
	a->marks &= (uint16_t)~(REPLY_LATE | REPLY_DUP);
}

static void take_member(struct reading *in, const struct json_node *v, struct answer *a)
{
	struct reply *r = &a->e.reply;

	if (atlas_is(v, "from")) {
		atlas_addr(in, "from", v, &r->from);
	} else if (atlas_is(v, "ttl")) {
		ATLAS_INT(v, 255, r->reply_ttl);
	} else if (atlas_is(v, "size")) {
		ATLAS_INT(v, INT32_MAX - 64, r->size);
	} else if (atlas_is(v, "rtt")) {
		take_rtt(in, v, r);
	} else if (atlas_is(v, "err")) {
		a->err = v;
	} else if (atlas_is(v, "late")) {
		a->late = 0;
		atlas_int(v, INT32_MAX, &a->late);
	} else if (atlas_is(v, "dup")) {
		/* true, or as in ping how many there were. */
		if (v->kind != NODE_FALSE && v->kind != NODE_NULL)
			r->flags |= REPLY_DUP;
	} else if (atlas_is(v, "flags")) {
		take_tcp_flags(in, v, r);
	} else if (atlas_is(v, "mtu")) {
		ATLAS_INT(v, INT32_MAX, r->mtu);
	} else if (atlas_is(v, "ittl")) {
		r->quoted_ttl = v->kind == NODE_NULL ? QUOTE_UNKNOWN : r->quoted_ttl;
		ATLAS_INT(v, 255, r->quoted_ttl);
	} else if (atlas_is(v, "edst")) {
		/* The probe that is quoted went elsewhere. */
		r->flags |= REPLY_NAT;
	} else if (atlas_is(v, "error")) {
		a->failed = true;
		atlas_text(v, in->t->error, sizeof(in->t->error));
	} else if (atlas_is(v, "icmpext") && v->kind == NODE_OBJECT) {
		read_icmpext(v, r);
	} else if (atlas_is(v, "marks") && v->kind == NODE_ARRAY) {
		read_marks(v, a);
	} else {
		take_own(v, a);
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
	if (node_is(a->err, NODE_STRING) || node_is(a->err, NODE_NUMBER)) {
		uint64_t number;

		/* A number may come as text, too; what is neither is still an unreachable. */
		if (a->err->kind == NODE_NUMBER)
			atlas_int(a->err, 255, &code);
		else if (text_to_u64(a->err->text, 0, 255, &number) == 0)
			code = (int64_t)number;
		else if (a->err->n == 1)
			code = atlas_err_code(r->from.family, a->err->text[0]);
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
	if (in->rc < 0)
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

void atlas_answers(struct reading *in, const struct json_node *result)
{
	const struct json_node *v, *member;
	uint32_t i, k;

	NODE_EACH(result, i, v)
	{
		struct answer a = {.late = -1};

		trace_entry_init(&a.e, 1, 1);
		if (v->kind != NODE_OBJECT) {
			atlas_refuse(in, BP_EPARSE, "result: expected objects");
			continue;
		}
		NODE_EACH(v, k, member)
			take_member(in, member, &a);
		add(in, &a);
	}
}

void atlas_not_sent(struct reading *in)
{
	struct answer a = {.late = -1, .failed = true};

	trace_entry_init(&a.e, 1, 1);
	add(in, &a);
}
