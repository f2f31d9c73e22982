// SPDX-License-Identifier: BSD-2-Clause
/*
 * Watermarks as the store has them: told behind each commit, to who asks, and all of them by a
 * collector that starts. And the rounds that they say are whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/collect_inside.h"
#include "core/json.h"
#include "core/jsontree.h"
#include "core/text.h"

#define ASK_SUBJECT "bp.ask."
#define MARK_SUBJECT "bp.mark."

/* Requests answered in one turn. */
enum { ANSWERS_MAX = 64 };

/* --- what the store has ----------------------------------------------------------------------- */

static int on_mark(void *arg, const char *vantage, const char *epoch, uint64_t through,
		   struct bp_error *err)
{
	struct collect *c = arg;
	struct mark *room = collect_room(c->marks, c->mark_count, &c->mark_room, sizeof(*room));

	if (room == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	c->marks = room;
	room = &c->marks[c->mark_count++];
	text_set(room->vantage, sizeof(room->vantage), vantage);
	text_set(room->epoch, sizeof(room->epoch), epoch);
	room->through = through;
	return 0;
}

int collect_marks_read(struct collect *c, struct bp_error *err)
{
	int rc;

	/* What a reading that failed left is as true as it was, and not all: nothing is told of
	 * it. */
	c->mark_count = 0;
	c->marks_known = false;
	rc = store_marks(c->store, on_mark, c, err);
	if (rc == 0)
		c->marks_known = true;
	return rc;
}

static size_t count_epochs(const struct collect *c, const char *vantage, const char *epoch,
			   bool *known)
{
	size_t n = 0;

	*known = false;
	for (size_t i = 0; i < c->mark_count; i++) {
		if (strcmp(c->marks[i].vantage, vantage) != 0)
			continue;
		n++;
		*known |= strcmp(c->marks[i].epoch, epoch) == 0;
	}
	return n;
}

/* One that was begun and is not known may be of a transaction that was undone. */
static bool begin_epoch(struct page *p, const char *epoch)
{
	struct mono now = mono_now();

	for (unsigned i = 0; i < COLLECT_EPOCHS_NEW; i++) {
		if (strcmp(p->epochs[i].name, epoch) == 0)
			return true;
	}
	if (p->epochs[p->epoch_at].at.ns != 0 &&
	    mono_since(now, p->epochs[p->epoch_at].at) < COLLECT_EPOCHS_NS)
		return false;
	text_set(p->epochs[p->epoch_at].name, sizeof(p->epochs[0].name), epoch);
	p->epochs[p->epoch_at].at = now;
	p->epoch_at = (p->epoch_at + 1) % COLLECT_EPOCHS_NEW;
	return true;
}

int collect_epoch(struct collect *c, const char *vantage, const char *epoch, struct bp_error *err)
{
	struct page *p;
	bool known;

	if (count_epochs(c, vantage, epoch, &known) >= COLLECT_EPOCHS_MAX && !known)
		return bp_fail(err, BP_ERANGE, "a vantage point has at most %d epochs",
			       COLLECT_EPOCHS_MAX);
	if (known)
		return 0;
	p = collect_page(c, vantage);
	if (p == NULL)
		return bp_fail(err, BP_EAGAIN, "out of memory");
	return begin_epoch(p, epoch) ? 0 :
	       bp_fail(err, BP_EAGAIN, "more than %d new epochs in %d hours", COLLECT_EPOCHS_NEW,
		       (int)(COLLECT_EPOCHS_NS / NS_PER_S / 3600));
}

uint64_t collect_through(const struct collect *c, const char *vantage, const char *epoch)
{
	for (size_t i = 0; i < c->mark_count; i++) {
		if (strcmp(c->marks[i].vantage, vantage) == 0 &&
		    strcmp(c->marks[i].epoch, epoch) == 0)
			return c->marks[i].through;
	}
	return 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

void collect_marks_put(const struct collect *c, struct json_writer *w, const char *vantage,
		       const struct json_node *old)
{
	const struct json_node *each;
	int64_t before;
	size_t n = 0;
	uint32_t k;

	json_begin_object(w, "marks");
	for (size_t i = 0; i < c->mark_count; i++) {
		const struct mark *m = &c->marks[i];

		/* Batches whose epoch nobody could read are kept under a name that is none. */
		if (strcmp(m->vantage, vantage) != 0 || !bus_name_ok(m->epoch))
			continue;
		before = 0;
		node_int(node_get(old, m->epoch), 0, INT64_MAX, &before);
		if (before < (int64_t)m->through)
			before = (int64_t)m->through;
		json_put_int(w, m->epoch, before);
		n++;
	}
	/* Of a store that was restored they were once told. */
	NODE_EACH(old, k, each) {
		if (n >= COLLECT_EPOCHS_MAX)
			break;
		if (!bus_name_ok(each->key) || strlen(each->key) >= BATCH_EPOCH_TEXT ||
		    !node_int(each, 1, INT64_MAX, &before) ||
		    collect_through(c, vantage, each->key) > 0)
			continue;
		json_put_int(w, each->key, before);
		n++;
	}
	json_end(w);
}

static void put_message(const struct collect *c, struct buf *out, const char *vantage)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "marks");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "vantage", vantage);
	collect_marks_put(c, &w, vantage, NULL);
	json_end(&w);
}

void collect_marks_tell(struct collect *c, const char *vantage)
{
	char subject[BUS_SUBJECT_TEXT];
	struct buf text;

	if (!c->marks_known || !bus_name_ok(vantage))
		return;
	snprintf(subject, sizeof(subject), MARK_SUBJECT "%s", vantage);
	buf_init(&text);
	put_message(c, &text, vantage);
	/* Nobody may listen; who missed it asks. */
	if (!text.failed)
		(void)bus_tell(c->bus, subject, text.bytes, text.used, NULL);
	buf_fini(&text);
}

void collect_marks_tell_all(struct collect *c)
{
	for (size_t i = 0; i < c->mark_count; i++) {
		if (i == 0 || strcmp(c->marks[i].vantage, c->marks[i - 1].vantage) != 0)
			collect_marks_tell(c, c->marks[i].vantage);
	}
}

static int skip(struct collect *c, const char *vantage, const char *epoch, uint64_t through,
		struct bp_error *err)
{
	int rc = store_begin(c->store, err);

	if (rc == 0)
		rc = store_skip_batches(c->store, vantage, epoch, through, err);
	if (rc == 0)
		rc = store_commit(c->store, err);
	if (rc < 0)
		store_undo(c->store);
	return rc;
}

/* Who asks has forgotten so many. Where the store has less it is an older one than it was (a
 * backup): what lies between is lost, and waited for by nobody. Anybody with the vantage point's
 * key may say so: what the centre itself once told is believed, and beyond that a step now and
 * then. */
static void go_on(struct collect *c, const char *vantage, const char *epoch, uint64_t confirmed)
{
	struct page *p = collect_page(c, vantage);
	struct mono now = mono_now();
	struct bp_error err = {0};
	uint64_t told, most;

	if (p == NULL || !mono_reached(now, p->skip_next) ||
	    collect_epoch(c, vantage, epoch, &err) < 0)
		return;
	p->skip_next = mono_add(now, COLLECT_ASIDE_NS);
	/* Another collector may have committed what is told here. */
	if (collect_marks_read(c, &err) < 0 || collect_through(c, vantage, epoch) >= confirmed)
		return;
	told = collect_book_mark(c, vantage, epoch);
	most = collect_through(c, vantage, epoch);
	most = (told > most ? told : most) + COLLECT_SKIP;
	if (confirmed < most)
		most = confirmed;
	if (skip(c, vantage, epoch, most, &err) < 0)
		return;
	p->skip_next = mono_add(now, COLLECT_SKIP_NS);
	collect_note(c, "%s has forgotten batches up to %" PRIu64 ", which the store does not have: it"
		     " is older than it was, or the key was stolen; its mark goes on behind %" PRIu64,
		     vantage, confirmed, most);
	(void)collect_marks_read(c, &err);
}

/* {"epoch":"dl3k9x0q","confirmed":17} */
static void hear_confirmed(struct collect *c, const char *vantage, const struct bus_message *m)
{
	struct json_node *dom = m->size > 0 ? json_tree(m->bytes, m->size, NULL) : NULL;
	const char *epoch = node_text(node_get(dom, "epoch"));
	int64_t confirmed;

	if (c->store != NULL && !c->reading && epoch != NULL && bus_name_ok(epoch) &&
	    strlen(epoch) < BATCH_EPOCH_TEXT &&
	    node_int(node_get(dom, "confirmed"), 1, INT64_MAX - 1, &confirmed) &&
	    collect_through(c, vantage, epoch) < (uint64_t)confirmed)
		go_on(c, vantage, epoch, (uint64_t)confirmed);
	free(dom);
}

void collect_marks_answer(struct collect *c)
{
	struct bus_message m;
	struct bp_error err;
	struct buf text;

	buf_init(&text);
	for (unsigned i = 0; i < ANSWERS_MAX && bus_hear(c->ear, 0, &m, &err) == 0; i++) {
		const char *vantage = m.subject;

		if (strncmp(vantage, ASK_SUBJECT, strlen(ASK_SUBJECT)) == 0)
			vantage += strlen(ASK_SUBJECT);
		if (c->marks_known && bus_name_ok(vantage))
			hear_confirmed(c, vantage, &m);
		/* Where nothing is known, another collector may know: who asked asks again. */
		if (c->marks_known && bus_name_ok(vantage)) {
			buf_clear(&text);
			put_message(c, &text, vantage);
			if (!text.failed)
				(void)bus_answer(c->bus, &m, text.bytes, text.used, NULL);
		}
		bus_message_drop(&m);
	}
	buf_fini(&text);
}

/* --- rounds that are whole -------------------------------------------------------------------- */

void collect_pending_add(struct collect *c, const struct round *r, const char *epoch, uint64_t seq)
{
	struct pending *room;

	if (c->pending_count == COLLECT_PENDING_MAX) {
		collect_note(c, "round %s is not told: too many wait for batches before them",
			     c->pending[0].round.id);
		memmove(c->pending, c->pending + 1, --c->pending_count * sizeof(*c->pending));
	}
	room = collect_room(c->pending, c->pending_count, &c->pending_room, sizeof(*room));
	if (room == NULL) {
		collect_note(c, "round %s is not told: out of memory", r->id);
		return;
	}
	c->pending = room;
	room = &c->pending[c->pending_count++];
	room->round = *r;
	text_set(room->epoch, sizeof(room->epoch), epoch);
	room->seq = seq;
}

void collect_pending_look(struct collect *c)
{
	size_t kept = 0;

	if (!c->marks_known)
		return;
	for (size_t i = 0; i < c->pending_count; i++) {
		struct pending *p = &c->pending[i];

		if (collect_through(c, p->round.vantage, p->epoch) < p->seq) {
			if (kept != i)
				c->pending[kept] = *p;
			kept++;
			continue;
		}
		c->counts.rounds++;
		if (c->hooks.on_round != NULL)
			c->hooks.on_round(c->hooks.arg, &p->round);
		collect_watch_round(c, &p->round);
	}
	c->pending_count = kept;
}

void collect_pending_turn(struct collect *c)
{
	struct mono now = mono_now();
	struct bp_error err = {0};

	if (c->pending_count == 0 || c->store == NULL || !mono_reached(now, c->marks_next))
		return;
	c->marks_next = mono_add(now, COLLECT_MARKS_NS);
	if (collect_marks_read(c, &err) < 0)
		collect_store_lost(c, &err);
	else
		collect_pending_look(c);
}
