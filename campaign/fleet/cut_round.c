// SPDX-License-Identifier: BSD-2-Clause
/*
 * A round of the spool as batches. It is read twice: how many batches it makes stands in the head
 * of each. The bounds of a batch are met by what records will take at most; should they be over it
 * even so, the round is cut finer.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/cut_inside.h"
#include "core/jsontree.h"
#include "core/text.h"

enum { TEXT_MAX = 6 << 20, SLACK_S = 3600 };

/* How a round is cut: records a batch, in order. */
struct shape {
	uint32_t *counts;
	uint32_t parts, room;
	uint32_t records_max;
	size_t text_max;
	uint64_t traces;     /* that are there */
	bool anywhen;        /* they are looked for at any time */
	bool damaged;        /* only the first `readable` records can be read */
	uint64_t readable;
};

struct cutting {
	struct cut_parts *p;
	struct shape *shape;
	struct batch_head head;
	size_t text;         /* of the part under way, foreseen */
	uint32_t records;    /* in it */
	uint64_t seen;       /* of the round, in this reading */
	bool writing;
};

/* More than its line takes. */
static size_t foreseen(const struct record *r)
{
	if (r->kind != RECORD_TRACE)
		return r->line_size + 16;
	return 2048 + 320 * (size_t)r->trace->entry_count + 320 * (size_t)r->names.count +
	       (r->verdict.judged ? 1024 + 400 * (size_t)r->verdict.evidence_count : 0);
}

static int grow(struct shape *s, struct bp_error *err)
{
	uint32_t room = s->room > 0 ? 2 * s->room : 16;
	uint32_t *more;

	if (s->parts < s->room)
		return 0;
	more = reallocarray(s->counts, room, sizeof(*more));
	if (more == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	s->counts = more;
	s->room = room;
	return 0;
}

/* Writes the part under way out. */
static int end_part(struct cutting *c, struct bp_error *err)
{
	const char *bytes;
	size_t n;
	int rc;

	c->head.seq++;
	c->head.part++;
	rc = batch_end(c->p->cut->writer, &c->head, &bytes, &n, err);
	if (rc == 0)
		rc = c->p->on_batch(c->p->arg, &c->head, bytes, n, err);
	batch_begin(c->p->cut->writer);
	c->records = 0;
	return rc;
}

static int measure(struct cutting *c, const struct record *r, struct bp_error *err)
{
	struct shape *s = c->shape;
	size_t text = foreseen(r);
	int rc = 0;

	if (s->parts == 0 || s->counts[s->parts - 1] == s->records_max ||
	    (c->text + text > s->text_max && s->counts[s->parts - 1] > 0)) {
		rc = grow(s, err);
		if (rc < 0)
			return rc;
		s->counts[s->parts++] = 0;
		c->text = 0;
	}
	c->text += text;
	s->counts[s->parts - 1]++;
	if (r->kind == RECORD_TRACE)
		s->traces++;
	return 0;
}

static int write(struct cutting *c, const struct record *r, struct bp_error *err)
{
	int rc = batch_add(c->p->cut->writer, r, err);

	if (rc < 0)
		return rc;
	c->records++;
	return c->records == c->shape->counts[c->head.part] ? end_part(c, err) : 0;
}

/* Traces and what was found of their paths; a path's object comes behind traces of the round. */
static int on_record(void *arg, struct record *r, struct bp_error *err)
{
	struct cutting *c = arg;

	if (r->kind == RECORD_ROUND || (r->kind != RECORD_TRACE && r->kind != RECORD_PATHS))
		return 0;
	if (r->kind == RECORD_TRACE && strcmp(r->trace->round, c->p->round->id) != 0)
		return 0;
	if (c->shape->damaged && c->seen == c->shape->readable)
		return BP_EOF;
	c->seen++;
	return c->writing ? write(c, r, err) : measure(c, r, err);
}

static int64_t least(int64_t a, int64_t b)
{
	return b != 0 && b < a ? b : a;
}

static int64_t most(int64_t a, int64_t b)
{
	return b > a ? b : a;
}

static bool is_damage(int rc)
{
	return rc == BP_EPARSE || rc == BP_EUNSUP;
}

static int read_round(struct cutting *c, struct bp_error *err)
{
	const struct round *r = c->p->round;
	struct store_select select = {.round = r->id, .campaign = r->campaign,
				      .vantage = r->vantage};
	int rc;

	/* A clock that was set meanwhile puts any of them first. */
	if (!c->shape->anywhen) {
		select.since.ns = least(least(r->planned.ns, r->start.ns), r->end.ns) -
				  SLACK_S * NS_PER_S;
		select.until.ns = most(most(r->planned.ns, r->start.ns), r->end.ns) +
				  SLACK_S * NS_PER_S;
	}
	c->seen = 0;
	rc = c->p->bare ? 0 : store_read(c->p->spool, &select, on_record, c, err);
	/* Behind those that can be read lies what cannot. */
	if (c->shape->damaged && c->seen == c->shape->readable && is_damage(rc))
		return 0;
	return rc == BP_EOF ? 0 : rc;
}

/* What there is, and how it is to be cut. */
static int measure_round(struct cutting *c, struct bp_error *err)
{
	struct shape *s = c->shape;
	int rc = 0;

	for (s->anywhen = false;; s->anywhen = true) {
		s->parts = 0;
		s->traces = 0;
		s->damaged = false;
		c->text = 0;
		rc = read_round(c, err);
		if (rc != 0 || c->p->bare || s->anywhen || s->traces >= c->p->round->traces)
			break;
	}
	if (is_damage(rc)) {
		s->damaged = true;
		s->readable = c->seen;
		rc = 0;
	}
	s->damaged |= c->p->bare;
	if (s->damaged && c->p->round->traces > s->traces)
		c->p->damaged = c->p->round->traces - s->traces;
	return rc;
}

/* What was dropped before it was sent, or does not read, is missed, and why; never silently. */
static void tell_loss(struct round *r, const struct shape *s)
{
	char was[ROUND_NOTE_TEXT];
	uint64_t lost = r->traces - s->traces;
	uint32_t missed = lost < r->done ? (uint32_t)lost : r->done;

	/* Several traces of one measurement: all of them gone, all measurements are. */
	if (s->traces == 0)
		missed = r->done;
	memcpy(was, r->note, sizeof(was));
	r->done -= missed;
	r->missed += missed;
	r->traces = (uint32_t)s->traces;
	if (r->why == ROUND_WHY_NONE)
		r->why = ROUND_WHY_SPOOL;
	snprintf(r->note, sizeof(r->note), "%" PRIu64 " traces were measured and %s%s%.*s", lost,
		 s->damaged ? "lost: the spool is damaged" :
			      "dropped unsent: the spool was full",
		 was[0] != '\0' ? "; " : "", (int)sizeof(was) - 100, was);
}

static int round_record(const struct cutting *c, struct record *out, struct bp_error *err)
{
	struct round *r = malloc(sizeof(*r));
	struct buf json;
	int rc;

	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*r = *c->p->round;
	if (r->traces > c->shape->traces)
		tell_loss(r, c->shape);
	buf_init(&json);
	round_write_json(&json, r);
	rc = json.failed ? bp_fail(err, BP_ENOMEM, "out of memory") :
			   jsonl_read(json.bytes, json.used, out, err);
	buf_fini(&json);
	free(r);
	return rc;
}

/* One way to cut it. BP_ERANGE: a batch was over its bounds. */
static int cut_so(struct cut_parts *p, struct shape *s, struct bp_error *err)
{
	struct cutting c = {.p = p, .shape = s};
	struct record round;
	int rc;

	record_init(&round);
	p->damaged = 0;
	rc = measure_round(&c, err);
	if (rc == 0)
		rc = round_record(&c, &round, err);
	if (rc == 0)
		rc = measure(&c, &round, err);
	if (rc < 0)
		goto out;
	text_set(c.head.vantage, sizeof(c.head.vantage), p->cut->vantage);
	text_set(c.head.epoch, sizeof(c.head.epoch), p->epoch->name);
	text_set(c.head.tool, sizeof(c.head.tool), "borderpath " BP_VERSION);
	text_set(c.head.round, sizeof(c.head.round), p->round->id);
	c.head.seq = p->cut->state.cut - p->epoch->base;
	c.head.parts = s->parts;
	c.writing = true;
	batch_begin(p->cut->writer);
	rc = read_round(&c, err);
	if (rc == 0)
		rc = write(&c, &round, err);
	if (rc == 0 && c.head.part != s->parts)
		rc = bp_fail(err, BP_EAGAIN, "%s changed while it was read", p->round->id);
out:
	record_fini(&round);
	return rc;
}

int cut_round(struct cut_parts *p, struct bp_error *err)
{
	struct shape s = {.records_max = BATCH_RECORDS, .text_max = TEXT_MAX};
	int rc = cut_so(p, &s, err);

	while (rc == BP_ERANGE && s.records_max > 1) {
		s.records_max = (s.records_max + 3) / 4;
		s.text_max /= 4;
		rc = cut_exec(p->cut, "DELETE FROM batch WHERE seq > (SELECT cut FROM meta)", err);
		if (rc == 0)
			rc = cut_so(p, &s, err);
	}
	free(s.counts);
	return rc;
}
