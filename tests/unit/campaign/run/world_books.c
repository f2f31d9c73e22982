// SPDX-License-Identifier: BSD-2-Clause
/* The books of what the daemon announced, and the store read against them. */
#include <malloc.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/recover.h"
#include "campaign/schedule.h"
#include "tests/unit/campaign/run/world.h"

#define WEEK_NS (7 * 86400 * NS_PER_S)

/* --- the books ------------------------------------------------------------------------------- */

static struct plan_books *books_of(struct world *w, const char *campaign)
{
	for (unsigned i = 0; i < w->plan_count; i++) {
		if (strcmp(w->plans[i].campaign, campaign) == 0)
			return &w->plans[i];
	}
	return NULL;
}

/* Where a slot is in the books; NULL: it is none of the plan's. */
static struct slot_books *slot_of(struct plan_books *b, struct wall planned)
{
	int64_t behind = planned.ns - b->first.ns;

	if (behind < 0 || behind % b->every_ns != 0 || behind / b->every_ns >= WORLD_SLOTS)
		return NULL;
	return &b->slots[behind / b->every_ns];
}

static void on_begin(void *arg, const struct campaign_plan *p, const struct round *r,
		     struct wall next)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	(void)next;
	if (!r->look)
		b->begun = w->now;
}

static void check_committed(struct world *w, const struct campaign_plan *p, const struct round *r)
{
	struct round latest[16];
	struct bp_error err;
	struct store *s;
	int n;

	if (store_open(p->store, STORE_READ, &s, &err) < 0) {
		world_fault(w, "%s is announced: %s", r->id, err.text);
		return;
	}
	n = store_last_rounds(s, r->campaign, r->vantage, latest, 16, &err);
	for (int i = 0; i < n; i++) {
		if (strcmp(latest[i].id, r->id) == 0 && latest[i].traces == r->traces)
			n = -1;
	}
	/* The last one announced may be behind those of a longer gap. */
	if (n >= 0 && n < 16)
		world_fault(w, "%s is announced and not committed", r->id);
	store_close(s);
}

static void watch_memory(struct world *w)
{
	uint64_t all = mallinfo2().uordblks, of_sqlite = (uint64_t)sqlite3_memory_used();
	uint64_t used = all > of_sqlite ? all - of_sqlite : 0;

	if (all > w->counts.memory_most)
		w->counts.memory_most = all;

	if (w->now > 4 * WEEK_NS && w->now <= 8 * WEEK_NS && used > w->counts.memory_warm)
		w->counts.memory_warm = used;
	if (w->now > 8 * WEEK_NS && used > w->counts.memory_late)
		w->counts.memory_late = used;
}

static void enter(struct world *w, struct plan_books *b, const struct round *r)
{
	struct slot_books *slot;
	struct wall *before;

	slot = slot_of(b, r->planned);
	/* One that was told as missed by a clock that ran ahead is measured when its time comes. */
	if (slot == NULL || (slot->seen && (slot->measured || r->start.ns == 0)))
		world_fault(w, "%s %s", r->id, slot ? "comes a second time" : "is on no slot");
	if (slot == NULL)
		return;
	slot->seen = true;
	slot->measured = r->start.ns != 0;
	slot->traces = (uint16_t)r->traces;
	if (r->planned.ns > b->last.ns)
		b->last = r->planned;
	before = r->start.ns != 0 ? &b->last_measured : &b->last_missed;
	if (r->planned.ns <= before->ns && r->planned.ns > before->ns - SCHEDULE_BACK_NS)
		world_fault(w, "%s comes behind a later one", r->id);
	*before = r->planned;
	if (r->done + r->missed != r->expected || (r->missed > 0) != (r->why != ROUND_WHY_NONE))
		world_fault(w, "%s: %u expected, %u done, %u missed by %u", r->id, r->expected,
			    r->done, r->missed, r->why);
	b->missed += r->missed;
	b->traces += r->traces;
	if (r->missed > 0)
		b->by_why[r->why]++;
	if (r->start.ns == 0) {
		b->missed_rounds++;
		b->whole_by_why[r->why]++;
		return;
	}
	b->rounds++;
	b->whole += r->missed == 0;
	b->by_health[r->health]++;
}

/* One plan has one round at a time, whether it is a look or not. */
static void check_alone(struct world *w, struct plan_books *b, const struct round *r)
{
	/* An end that is still to come was a wrong clock's. */
	if (r->start.ns != 0 && r->start.ns < b->ended.ns && w->offset == 0 &&
	    b->ended.ns <= world_wall(w).ns)
		world_fault(w, "%s begins while another one is under way", r->id);
	if (r->end.ns != 0)
		b->ended = r->end;
}

static void on_a_look(struct world *w, struct plan_books *b, const struct round *r)
{
	struct look_books *l = &b->looks;
	int64_t gap = r->planned.ns - l->last.ns;

	if (slot_of(b, r->planned) != NULL)
		world_fault(w, "%s, a look, is on a slot", r->id);
	if (r->planned.ns <= l->last.ns || r->planned.ns > r->start.ns)
		world_fault(w, "%s, a look, is not of its moment", r->id);
	if (r->done + r->missed != r->expected || (r->missed > 0) != (r->why != ROUND_WHY_NONE))
		world_fault(w, "%s: %u expected, %u done, %u missed by %u", r->id, r->expected,
			    r->done, r->missed, r->why);
	if (l->count > 0 && gap < 15 * 60 * NS_PER_S && gap > l->longest_gap_ns)
		l->longest_gap_ns = gap;
	l->count++;
	l->whole += r->missed == 0;
	l->cut += r->missed > 0;
	l->traces += r->traces;
	l->expected = r->expected;
	l->last = r->planned;
	if (l->first.ns == 0)
		l->first = r->planned;
}

static void on_event(void *arg, const struct campaign_plan *p, const struct event *e)
{
	struct world *w = arg;

	(void)p;
	w->counts.events += e->status != EVENT_PROVISIONAL && !e->withdrawn;
}

static void on_round(void *arg, const struct campaign_plan *p, const struct round *r)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	check_alone(w, b, r);
	if (r->look) {
		on_a_look(w, b, r);
		return;
	}
	if (b->first.ns == 0) {
		b->first = r->planned;
		b->every_ns = p->every_ns;
	}
	enter(w, b, r);
	if (r->start.ns == 0)
		return;
	if (b->rounds % 64 == 1)
		check_committed(w, p, r);
	if (b->rounds % 8 == 0)
		watch_memory(w);
}

/* What the spool puts back was announced, or would have been. */
static void on_recovered(void *arg, const struct round *r)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, r->campaign);
	const struct slot_books *slot = slot_of(b, r->planned);

	if (slot == NULL || !slot->measured)
		enter(w, b, r);
}

void world_recover(struct world *w)
{
	struct recover_end end;
	struct bp_error err;

	if (recover_store(w->store, NULL, on_recovered, w, &end, &err) < 0)
		world_fault(w, "recover: %s", err.text);
}

static void on_note(void *arg, const struct campaign_plan *p, const char *text)
{
	struct world *w = arg;

	(void)p;
	text_set(w->notes[w->counts.notes++ % 64], sizeof(w->notes[0]), text);
}

static void on_trace(void *arg, const struct campaign_plan *p, const struct round *r,
		     const struct trace *t, const struct verdict *v)
{
	struct world *w = arg;
	struct plan_books *b = books_of(w, p->campaign);

	(void)r;
	(void)t;
	(void)v;
	if (w->now - b->begun > b->longest_ns)
		b->longest_ns = w->now - b->begun;
}

const char *world_note(const struct world *w, const char *word)
{
	for (uint64_t i = w->counts.notes; i > 0 && i + 64 > w->counts.notes; i--) {
		if (strstr(w->notes[(i - 1) % 64], word) != NULL)
			return w->notes[(i - 1) % 64];
	}
	return NULL;
}

struct campaign_events world_books(struct world *w)
{
	return (struct campaign_events){.on_round = on_round,
					.on_trace = on_trace,
					.on_begin = on_begin,
					.on_note = on_note,
					.on_event = on_event,
					.arg = w};
}

/* --- the store, read ------------------------------------------------------------------------- */

struct reading { struct world *w; uint32_t traces; char round[TRACE_ID_TEXT]; };

/* The times are those that the prober measured. */
static void check_trace(struct world *w, const struct trace *t)
{
	struct plan_trace p = {.dst = t->dst, .flow = (uint16_t)t->flow};
	bool moved = t->entry_count > 0 && t->entries[0].reply.from.bytes[0] == 219;
	struct trace *truth = child_trace(w, &p, t->id, t->received == 0, moved);

	if (truth == NULL)
		return;
	if (truth->entry_count != t->entry_count)
		world_fault(w, "%s has %u entries, not %u", t->id, t->entry_count,
			    truth->entry_count);
	for (uint32_t i = 0; i < t->entry_count && i < truth->entry_count; i++) {
		if (t->entries[i].reply.rtt_ns != truth->entries[i].reply.rtt_ns ||
		    !addr_equal(t->entries[i].reply.from, truth->entries[i].reply.from))
			world_fault(w, "%s: TTL %u took %lld ns, not %lld", t->id,
				    t->entries[i].ttl, (long long)t->entries[i].reply.rtt_ns,
				    (long long)truth->entries[i].reply.rtt_ns);
	}
	free(truth);
}

static int on_record(void *arg, struct record *rec, struct bp_error *err)
{
	struct reading *c = arg;
	struct slot_books *slot;
	struct plan_books *b;
	struct round r;

	if (rec->kind == RECORD_TRACE) {
		check_trace(c->w, rec->trace);
		if (c->traces > 0 && strcmp(c->round, rec->trace->round) != 0)
			world_fault(c->w, "traces of %s behind those of %s", rec->trace->round,
				    c->round);
		text_set(c->round, sizeof(c->round), rec->trace->round);
		c->traces++;
		c->w->counts.read++;
		return 0;
	}
	if (rec->kind != RECORD_ROUND)
		return 0;
	if (round_read(rec, &r, err) < 0)
		return err->code;
	b = books_of(c->w, r.campaign);
	if (r.look) {
		if (b == NULL || r.traces != c->traces || slot_of(b, r.planned) != NULL)
			world_fault(c->w, "%s: a look with %u traces in the store", r.id,
				    c->traces);
		else
			b->looks.read++;
		c->traces = 0;
		return c->w->fault[0] != '\0' ? BP_EINVAL : 0;
	}
	slot = b == NULL ? NULL : slot_of(b, r.planned);
	if (slot == NULL || !slot->seen || slot->read)
		world_fault(c->w, "%s is in the store, and was %s", r.id,
			    slot != NULL && slot->read ? "before" : "never announced");
	else if (slot->traces != c->traces || r.traces != c->traces ||
		 (c->traces > 0 && strcmp(c->round, r.id) != 0))
		world_fault(c->w, "%s: %u traces in the store, %u announced", r.id, c->traces,
			    slot->traces);
	if (slot != NULL)
		slot->read = true;
	c->traces = 0;
	return c->w->fault[0] != '\0' ? BP_EINVAL : 0;
}

const char *world_read_store(struct world *w)
{
	struct reading c = {.w = w};
	struct bp_error err;
	struct store *s;

	for (unsigned i = 0; i < w->plan_count; i++) {
		struct store_select of = {.campaign = w->plans[i].campaign};

		if (store_open(w->store, STORE_READ, &s, &err) < 0) {
			world_fault(w, "%s", err.text);
			break;
		}
		if (store_read(s, &of, on_record, &c, &err) < 0)
			world_fault(w, "reading the store: %s", err.text);
		store_close(s);
		for (unsigned k = 0; k < WORLD_SLOTS; k++) {
			if (w->plans[i].slots[k].seen && !w->plans[i].slots[k].read)
				world_fault(w, "slot %u of %s was announced, and is nowhere",
					    k, w->plans[i].campaign);
		}
	}
	return w->fault[0] != '\0' ? w->fault : NULL;
}
