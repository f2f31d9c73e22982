// SPDX-License-Identifier: BSD-2-Clause
/*
 * Messages become batches, batches one transaction. A batch is read to its end before any of it is
 * added, so what is refused for ever leaves no trace in the transaction of the others. What the
 * store does not take for its content is set aside the same way; what fails for no reason that we
 * know is tried by itself, given back if it fails alone, and set aside when it has failed so for
 * long. What only a newer program can read goes back until there is one, for days.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/collect_inside.h"
#include "core/jsontree.h"
#include "core/text.h"

#define SUBJECT "bp.result."
/* Where not even the name tells the epoch: no batch has this one. */
#define NO_EPOCH "?"

/* --- in hand ---------------------------------------------------------------------------------- */

static void item_fini(struct item *it)
{
	free(it->round);
	bus_message_drop(&it->m);
	memset(it, 0, sizeof(*it));
}

void collect_drop(struct collect *c, bool back)
{
	for (unsigned i = 0; i < c->item_count; i++) {
		if (back)
			(void)bus_nak(&c->items[i].m, 0, NULL);
		item_fini(&c->items[i]);
	}
	c->item_count = 0;
}

/* Two collectors that were handed the same batches take them in one order, so that neither waits
 * for the other's. */
static int by_name(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int rc = strcmp(x->vantage, y->vantage);

	if (rc == 0)
		rc = strcmp(x->order_epoch, y->order_epoch);
	return rc != 0 ? rc : (x->order_seq > y->order_seq) - (x->order_seq < y->order_seq);
}

static void item_init(struct item *it)
{
	const char *vantage = it->m.subject;
	struct batch_head named = {0};

	if (strncmp(vantage, SUBJECT, strlen(SUBJECT)) == 0)
		vantage += strlen(SUBJECT);
	if (!bus_name_ok(vantage)) {
		/* The stream takes bp.result.*: a name that no agent can have. */
		text_set(it->vantage, sizeof(it->vantage), "?");
		it->refusal = BATCH_FOREIGN;
		it->state = ITEM_REFUSED;
		bp_fail(&it->why, BP_EPARSE, "the subject names no vantage point");
		return;
	}
	text_set(it->vantage, sizeof(it->vantage), vantage);
	if (batch_id_read(vantage, it->m.id, &named)) {
		it->order_seq = named.seq;
		text_set(it->order_epoch, sizeof(it->order_epoch), named.epoch);
	}
}

int collect_fetch(struct collect *c, int64_t wait_ns, struct bp_error *err)
{
	struct bus_message got[COLLECT_FETCH];
	unsigned n = 0;
	int rc = bus_fetch(c->intake, COLLECT_FETCH, wait_ns, got, &n, err);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < n; i++) {
		c->items[i] = (struct item){.m = got[i]};
		item_init(&c->items[i]);
	}
	c->item_count = n;
	qsort(c->items, n, sizeof(c->items[0]), by_name);
	return 0;
}

/* --- one batch -------------------------------------------------------------------------------- */

/* A record without what only its reading needed: the tree of a line takes many times its bytes. */
struct kept {
	struct record r;       /* a trace as a value; another object as its line; neither a tree */
	struct round *round;   /* owned; of RECORD_ROUND */
	struct wall start;     /* an object's own; 0: none */
};

struct batch {
	struct kept *records;  /* owned */
	uint32_t count, room;
	size_t bytes;          /* that they take */
	bool over;             /* more than BATCH_KEPT_MAX */
	char campaign[TRACE_CAMPAIGN_TEXT];
};

static void batch_fini(struct batch *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		record_fini(&b->records[i].r);
		free(b->records[i].round);
	}
	free(b->records);
}

static struct wall start_of(const struct record *r)
{
	const char *start = node_text(node_get(r->dom, "start"));
	struct wall at;

	return start != NULL && wall_parse(start, (struct wall){0}, &at) == 0 && at.ns > 0 ?
		       at : (struct wall){0};
}

static int keep_round(struct kept *k, const struct record *r, struct bp_error *err)
{
	int rc;

	k->round = malloc(sizeof(*k->round));
	if (k->round == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	rc = round_read(r, k->round, err);
	if (rc < 0) {
		free(k->round);
		k->round = NULL;
	}
	return rc;
}

static struct kept *more_room(struct batch *b)
{
	uint32_t room = b->room > 0 ? 2 * b->room : BATCH_RECORDS;
	struct kept *more = b->records;

	if (b->count == b->room) {
		more = reallocarray(b->records, room, sizeof(*more));
		if (more == NULL)
			return NULL;
		b->records = more;
		b->room = room;
	}
	return &more[b->count];
}

static int keep_record(void *arg, struct record *r, struct bp_error *err)
{
	struct batch *b = arg;
	struct kept *k = more_room(b);
	int rc = 0;

	if (k == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	*k = (struct kept){.start = start_of(r)};
	if (r->kind == RECORD_ROUND)
		rc = keep_round(k, r, err);
	if (rc < 0)
		return rc;
	if (r->kind == RECORD_TRACE && b->campaign[0] == '\0')
		text_set(b->campaign, sizeof(b->campaign), r->trace->campaign);
	if (r->kind == RECORD_TRACE || r->kind == RECORD_ROUND) {
		/* As a value it is all there. */
		free(r->line);
		r->line = NULL;
		r->line_size = 0;
	}
	free(r->dom);
	r->dom = NULL;
	k->r = *r;
	record_init(r);
	b->count++;
	b->bytes += sizeof(*k) + k->r.line_size + k->r.names.room * sizeof(struct name) +
		    (k->r.trace != NULL ? k->r.trace->size : 0);
	b->over = b->bytes > BATCH_KEPT_MAX;
	return b->over ? bp_fail(err, BP_ERANGE, "record %u: they take more than %d bytes of memory",
				 b->count, BATCH_KEPT_MAX) : 0;
}

static int add_round(struct store *s, struct item *it, struct kept *k, struct bp_error *err)
{
	bool already = false;
	int rc = store_add_round(s, k->round, &already, err);

	if (rc == 0 && !already) {
		free(it->round);
		it->round = k->round;
		k->round = NULL;
	}
	return rc;
}

static int add_records(struct store *s, struct item *it, struct batch *b, struct bp_error *err)
{
	/* An object's own time, or that of what stands before it. */
	struct wall at = it->m.stamp.ns != 0 ? it->m.stamp : wall_now();
	int rc = 0;

	it->traces = 0;
	for (uint32_t i = 0; rc == 0 && i < b->count; i++) {
		struct kept *k = &b->records[i];
		const struct record *r = &k->r;

		if (r->kind == RECORD_TRACE) {
			at = r->trace->start.ns != 0 ? r->trace->start : at;
			rc = store_add_trace(s, r->trace, &r->names, &r->verdict, err);
			it->traces++;
		} else if (r->kind == RECORD_ROUND) {
			rc = add_round(s, it, k, err);
		} else {
			rc = store_add_object(s, r->kind, k->start.ns != 0 ? k->start : at,
					      it->vantage, b->campaign, it->head.round, r->line,
					      r->line_size, err);
		}
	}
	return rc;
}

static int refuse(struct item *it, enum batch_refusal why, const struct bp_error *err)
{
	struct bp_error text = *err;

	it->state = ITEM_REFUSED;
	it->refusal = why;
	it->why = text;
	return 0;
}

static void later(struct item *it, const struct bp_error *err)
{
	it->state = ITEM_LATER;
	it->why = *err;
}

/* Its agent sends a few before its mark; the store may be older than it was, and its mark go on. */
static bool is_far(const struct collect *c, const char *vantage, const struct batch_head *h)
{
	return h->seq > collect_through(c, vantage, h->epoch) + COLLECT_AHEAD;
}

/* Within a transaction. 0 also for a batch that is refused: then nothing of it was added. */
static int take_one(struct collect *c, struct item *it, struct bp_error *err)
{
	struct batch b = {0};
	struct bp_error why = {0};
	struct batch_times times = batch_times_of(it->m.stamp, wall_now());
	int rc = batch_read(it->vantage, &times, it->m.bytes, it->m.size, &it->head,
			    keep_record, &b, &it->refusal, &why);

	it->already = false;
	if (rc < 0 && it->refusal != BATCH_OK) {
		rc = refuse(it, it->refusal, &why);
		goto out;
	}
	if (b.over) {
		rc = refuse(it, BATCH_OVERSIZED, &why);
		goto out;
	}
	if (rc < 0) {
		*err = why;
		goto out;
	}
	rc = collect_epoch(c, it->vantage, it->head.epoch, &why);
	if (rc == 0 && is_far(c, it->vantage, &it->head))
		rc = bp_fail(&why, BP_EAGAIN, "batch %" PRIu64 " of epoch %s is far beyond its mark",
			     it->head.seq, it->head.epoch);
	if (rc < 0) {
		if (rc == BP_ERANGE)
			refuse(it, BATCH_MALFORMED, &why);
		else
			later(it, &why);
		rc = 0;
		goto out;
	}
	rc = store_mark_batch(c->store, it->vantage, it->head.epoch, it->head.seq, &it->already,
			      err);
	if (rc == 0 && !it->already)
		rc = add_records(c->store, it, &b, err);
out:
	batch_fini(&b);
	return rc;
}

/* --- transactions ----------------------------------------------------------------------------- */

/* Of what it was given, and it would be again. */
static bool is_content(const struct bp_error *err)
{
	return err->code == BP_EINVAL || err->code == BP_ERANGE;
}

/* The store is away, or full, or shared at the wrong moment: nothing was wrong with a batch. */
static bool is_weather(const struct bp_error *err)
{
	return err->code == BP_EAGAIN || err->code == BP_EPERM || err->sys == ENOSPC ||
	       err->sys == EDQUOT;
}

static void settle(struct collect *c, struct item *it)
{
	it->state = ITEM_IN;
	if (it->already) {
		c->counts.again++;
		return;
	}
	c->counts.batches++;
	c->counts.traces += it->traces;
}

/* What waits of items [from, to), in one transaction. *given: the store was given something. */
static int commit(struct collect *c, unsigned from, unsigned to, bool *given, struct bp_error *err)
{
	unsigned i;
	int rc = store_begin(c->store, err);

	*given = rc == 0;
	for (i = from; rc == 0 && i < to; i++) {
		if (c->items[i].state == ITEM_WAITS)
			rc = take_one(c, &c->items[i], err);
	}
	if (rc == 0)
		rc = store_commit(c->store, err);
	if (rc < 0) {
		store_undo(c->store);
		for (i = from; i < to; i++) {
			free(c->items[i].round);
			c->items[i].round = NULL;
		}
		return rc;
	}
	c->counts.commits++;
	for (i = from; i < to; i++) {
		if (c->items[i].state == ITEM_WAITS)
			settle(c, &c->items[i]);
	}
	return 0;
}

/* Those of [from, to) that wait, and the last of them. */
static unsigned waiting(struct collect *c, unsigned from, unsigned to, struct item **last)
{
	unsigned n = 0;

	for (; from < to; from++) {
		if (c->items[from].state != ITEM_WAITS)
			continue;
		*last = &c->items[from];
		n++;
	}
	return n;
}

enum { RINGS_MAX = 8 };

/* All of [from, to) that the store takes. What one of them holds may be refused when another is
 * added, or by the commit: a store sends what it was given when it likes. So only a batch that
 * fails alone is refused; where there are more, each half is tried by itself. */
static int commit_all(struct collect *c, unsigned from, unsigned to, struct bp_error *err)
{
	unsigned middle = from + (to - from) / 2, count, again = 0;
	struct item *alone = NULL;
	bool given;
	int rc;

	if (waiting(c, from, to, &alone) == 0)
		return 0;
	/* Where another collector was in the way: it has gone on. */
	do {
		err->sys = 0;
		rc = commit(c, from, to, &given, err);
	} while (rc < 0 && err->sys == EDEADLK && ++again <= RINGS_MAX);
	count = waiting(c, from, to, &alone);
	if (rc == 0 || !given || !is_content(err) || count == 0)
		return rc;
	if (count == 1)
		return refuse(alone, BATCH_MALFORMED, err);
	rc = commit_all(c, from, middle, err);
	return rc < 0 ? rc : commit_all(c, middle, to, err);
}

/* In a transaction of its own. What is kept is for people: who sent it, why it was refused, all of
 * its bytes. */
static int set_aside(struct collect *c, struct item *it, struct bp_error *err)
{
	const struct batch_head *h = &it->head;
	char reason[BP_ERROR_TEXT + 32];
	struct batch_head named = *h;
	bool known = !it->unnumbered &&
		     (named.seq > 0 || batch_id_read(it->vantage, it->m.id, &named)) &&
		     collect_epoch(c, it->vantage, named.epoch, err) == 0 &&
		     !is_far(c, it->vantage, &named);
	/* A moment is the broker's, and goes on when the broker's numbers begin anew. */
	uint64_t unknown = it->m.stamp.ns > 0 ? (uint64_t)it->m.stamp.ns : it->m.stream_seq;
	int rc;

	snprintf(reason, sizeof(reason), "%s: %s", batch_refusal_name(it->refusal), it->why.text);
	rc = store_begin(c->store, err);
	if (rc == 0)
		rc = store_refuse_batch(c->store, it->vantage, known ? named.epoch : NO_EPOCH,
					known ? named.seq : unknown, reason, it->m.bytes,
					it->m.size, err);
	if (rc == 0)
		rc = store_commit(c->store, err);
	if (rc < 0) {
		store_undo(c->store);
		return rc;
	}
	it->state = ITEM_IN;
	c->counts.refused++;
	return 0;
}

static void give_back(struct collect *c, struct item *it, const struct bp_error *err)
{
	collect_note(c, "a batch of %s is not taken by the store, and is tried again later: %s",
		     it->vantage, err->text);
	(void)bus_nak(&it->m, COLLECT_ASIDE_NS, NULL);
	it->state = ITEM_BACK;
}

/* What is wrong with it nobody knows: it is tried for a while, and then set aside. That it can be
 * says that the store works. */
static void failed_alone(struct collect *c, struct item *it, const struct bp_error *err)
{
	if (it->m.deliveries > COLLECT_DELIVERIES)
		refuse(it, BATCH_FAILED, err);
	else
		give_back(c, it, err);
}

/* Each by itself: the store failed several times for a reason that may be one of them. False: it is
 * not them. */
static bool commit_each(struct collect *c, struct bp_error *err)
{
	for (unsigned i = 0; i < c->item_count; i++) {
		if (c->items[i].state != ITEM_WAITS || commit_all(c, i, i + 1, err) == 0)
			continue;
		if (is_weather(err))
			return false;
		failed_alone(c, &c->items[i], err);
	}
	return true;
}

static void give_back_later(struct collect *c, struct item *it)
{
	struct page *p = collect_page(c, it->vantage);
	struct mono now = mono_now();

	(void)bus_nak(&it->m, COLLECT_ASIDE_NS, NULL);
	it->state = ITEM_BACK;
	if (p == NULL || (p->noted.ns != 0 && mono_since(now, p->noted) < COLLECT_ASIDE_NS))
		return;
	p->noted = now;
	collect_note(c, "a batch of %s waits: %s", it->vantage, it->why.text);
}

/* What waits has a place of its vantage point's at the broker. Not for ever: a key that was stolen
 * would leave none to the next one's agent. An honest one keeps its batch, and sends it again. */
static void end_waiting(struct item *it)
{
	bool newer = it->state == ITEM_REFUSED && it->refusal == BATCH_NEWER;

	if ((!newer && it->state != ITEM_LATER) || it->m.deliveries <= COLLECT_WAITS)
		return;
	it->unnumbered = true;
	if (!newer)
		refuse(it, BATCH_FAILED, &it->why);
}

static bool set_all_aside(struct collect *c, struct bp_error *err)
{
	for (unsigned i = 0; i < c->item_count; i++) {
		struct item *it = &c->items[i];

		end_waiting(it);
		if (it->state == ITEM_LATER)
			give_back_later(c, it);
		if (it->state != ITEM_REFUSED)
			continue;
		/* A newer collector will read it. */
		if (it->refusal == BATCH_NEWER && !it->unnumbered) {
			(void)bus_nak(&it->m, COLLECT_NEWER_NS, NULL);
			it->state = ITEM_BACK;
			continue;
		}
		if (set_aside(c, it, err) == 0)
			continue;
		if (is_weather(err))
			return false;
		give_back(c, it, err);
	}
	return true;
}

/* --- behind the commit ------------------------------------------------------------------------ */

static void tell_all(struct collect *c)
{
	for (unsigned i = 0; i < c->item_count; i++) {
		const char *vantage = c->items[i].vantage;

		/* Sorted by vantage point: each once. */
		if (c->items[i].state == ITEM_IN &&
		    (i + 1 == c->item_count || strcmp(c->items[i + 1].vantage, vantage) != 0 ||
		     c->items[i + 1].state != ITEM_IN))
			collect_marks_tell(c, vantage);
	}
}

/* Acknowledged first: what follows may be lost, it is told again by the next commit, by a request,
 * by the next start. */
static void finish(struct collect *c)
{
	struct bp_error err = {0};
	unsigned kept = 0;
	bool moved = false;

	for (unsigned i = 0; i < c->item_count; i++) {
		/* Of what was given back the marks may be another collector's doing. */
		moved |= c->items[i].state == ITEM_IN || c->items[i].state == ITEM_BACK;
		if (c->items[i].state == ITEM_IN)
			(void)bus_ack(&c->items[i].m, &err);
	}
	if (moved) {
		if (collect_marks_read(c, &err) < 0)
			collect_store_lost(c, &err);
		else
			tell_all(c);
	}
	for (unsigned i = 0; i < c->item_count; i++) {
		struct item *it = &c->items[i];

		if (it->state == ITEM_IN || it->refusal == BATCH_NEWER)
			collect_book_batch(c, it);
		if (it->state == ITEM_IN && it->round != NULL)
			collect_pending_add(c, it->round, it->head.epoch, it->head.seq);
		if (it->state == ITEM_IN || it->state == ITEM_BACK)
			item_fini(it);
		else
			c->items[kept++] = *it;
	}
	c->item_count = kept;
	collect_pending_look(c);
}

void collect_take(struct collect *c)
{
	struct bp_error err = {0};
	bool ok;

	if (c->one_by_one)
		ok = commit_each(c, &err);
	else
		ok = commit_all(c, 0, c->item_count, &err) == 0;
	ok = ok && set_all_aside(c, &err);
	finish(c);
	if (ok) {
		c->one_by_one = false;
		patience_win(c, &c->store_wait, "batches are committed again");
		return;
	}
	if (is_weather(&err)) {
		collect_store_lost(c, &err);
		return;
	}
	patience_lose(c, &c->store_wait, err.text);
	c->one_by_one = c->store_wait.fails >= COLLECT_TRIES;
}
