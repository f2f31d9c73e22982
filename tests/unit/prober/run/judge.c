// SPDX-License-Identifier: BSD-2-Clause
/*
 * What must hold, for each packet when it is judged, for each trace when it is handed over, and for
 * the run at its end. No answer is credited twice, or to another probe than the one it answers; an
 * RTT is the network's own to the nanosecond, or void because the clock was set between; every
 * packet and every probe is accounted for.
 */
#include <string.h>

#include "tests/unit/prober/run/world.h"

/* What is voided around a step beyond need: looks at the clocks are held against one so old. */
#define SLACK_NS (2 * SLEW_WINDOW_NS)
/* Between two looks, at most: a second's sleep, and the longest the machine stands still. */
#define LOOK_NS_MAX (8 * NS_PER_S)

#define SEQ(l) ((unsigned long long)(l)->seq)

/* --- packets --- */

static void judge_answer(struct world *w, const struct arrival *a, struct line_truth *l,
			 const struct flight_hit *hit)
{
	struct probe_truth *p = &l->probes[a->ttl][a->attempt];
	struct reply_truth *r = &p->replies[a->reply];

	if (hit->flight->plan.seq != l->seq || hit->ttl != a->ttl || hit->attempt != a->attempt)
		world_fault(w, "line %llu: the answer to ttl %u attempt %u was credited to line "
			    "%llu ttl %u attempt %u", SEQ(l), a->ttl, a->attempt,
			    (unsigned long long)hit->flight->plan.seq, hit->ttl, hit->attempt);
	if (r->believed)
		world_fault(w, "line %llu: ttl %u attempt %u: one answer was believed twice",
			    SEQ(l), a->ttl, a->attempt);
	if (hit->first != (p->believed == 0))
		world_fault(w, "line %llu: ttl %u attempt %u: which answer was the first?", SEQ(l),
			    a->ttl, a->attempt);
	r->believed = true;
	r->read = w->now;
	p->believed++;
	l->believed++;
	l->answered += p->believed == 1;
	l->extra += p->believed > 1;
	w->counts.answers++;
	w->counts.first += hit->first;
}

static void judge_honest(struct world *w, const struct arrival *a, struct line_truth *l,
			 enum flight_verdict verdict, const struct flight_hit *hit)
{
	struct probe_truth *p = &l->probes[a->ttl][a->attempt];

	switch (verdict) {
	case FLIGHT_ANSWER:
		judge_answer(w, a, l, hit);
		return;
	case FLIGHT_NOTHING:
		if (a->copy)
			return;
		break;
	case FLIGHT_DUPLICATE:
		if (p->believed > FLIGHT_EXTRA_PER_PROBE || l->extra >= FLIGHT_EXTRA_MAX)
			return;
		break;
	case FLIGHT_LATE:
		/* Its tracer is done: then it is handed over before the loop sleeps. */
		if (l->last_round == 0)
			l->last_round = w->counts.rounds;
		return;
	default:
		break;
	}
	world_fault(w, "line %llu: ttl %u attempt %u: an honest answer got verdict %d", SEQ(l),
		    a->ttl, a->attempt, verdict);
}

/* Its line was handed over already, or so long ago that nobody remembers it. */
static void judge_too_late(struct world *w, const struct arrival *a, const struct line_truth *l,
			   enum flight_verdict verdict)
{
	if (verdict != FLIGHT_LATE && verdict != FLIGHT_BAD_TOKEN && verdict != FLIGHT_FOREIGN)
		world_fault(w, "line %llu is over: ttl %u attempt %u got verdict %d",
			    (unsigned long long)a->seq, a->ttl, a->attempt, verdict);
	if (l != NULL && w->next_seq - l->seq < 256) {
		w->counts.soon_late++;
		w->counts.soon_late_known += verdict == FLIGHT_LATE;
	}
}

static void judge_departure(struct world *w, const struct arrival *a, struct line_truth *l,
			    enum flight_verdict verdict,
			    const struct flight_hit *hit)
{
	if (l == NULL || l->state != LINE_OPEN) {
		if (verdict != FLIGHT_NOTHING)
			world_fault(w, "a departure for a line that is over");
		return;
	}
	if (verdict != FLIGHT_DEPARTURE || hit->flight->plan.seq != a->seq ||
	    hit->ttl != a->ttl || hit->attempt != a->attempt)
		world_fault(w, "line %llu: the departure of ttl %u attempt %u was not known",
			    SEQ(l), a->ttl, a->attempt);
	l->probes[a->ttl][a->attempt].left = a->at;
}

static void count(struct world *w, enum flight_verdict verdict)
{
	switch (verdict) {
	case FLIGHT_NOTHING: w->counts.copies++; break;
	case FLIGHT_DEPARTURE: w->counts.departures++; break;
	case FLIGHT_ANSWER: break;
	case FLIGHT_FOREIGN: w->counts.foreign++; break;
	case FLIGHT_BAD_TOKEN: w->counts.bad_token++; break;
	case FLIGHT_LATE: w->counts.late++; break;
	case FLIGHT_DUPLICATE: w->counts.duplicate++; break;
	}
}

void judge_packet(struct world *w, enum flight_verdict verdict, const struct flight_hit *hit)
{
	const struct arrival *a = w->current;
	struct line_truth *l = world_line(w, a->seq);
	bool open = l != NULL && l->state == LINE_OPEN;

	count(w, verdict);
	switch ((enum packet_kind)a->kind) {
	case PACKET_DEPARTURE:
		judge_departure(w, a, l, verdict, hit);
		break;
	case PACKET_HONEST:
		if (open)
			judge_honest(w, a, l, verdict, hit);
		else
			judge_too_late(w, a, l, verdict);
		break;
	case PACKET_BROKEN:
	case PACKET_FORGED:
		/* The flow is right: so it is told from what has nothing to do with us. */
		if (verdict != FLIGHT_BAD_TOKEN && (open || verdict != FLIGHT_FOREIGN))
			world_fault(w, "line %llu: a packet without the token got verdict %d",
				    (unsigned long long)a->seq, verdict);
		break;
	case PACKET_FOREIGN:
		if (verdict != FLIGHT_FOREIGN)
			world_fault(w, "another program's packet got verdict %d", verdict);
		break;
	case PACKET_GARBAGE:
		world_fault(w, "what does not parse got verdict %d", verdict);
		break;
	}
}

/* --- traces --- */

/* What the wall clock did between the stamps. */
struct clock_truth {
	bool set;       /* it jumped */
	bool suspect;   /* it may have, for one who looks now and then; or it ran far too fast */
	bool turned;    /* its rate changed at about that time */
};

static struct clock_truth clock_between(const struct world *w, const struct probe_truth *p,
					const struct reply_truth *r)
{
	struct clock_truth c = {0};

	for (unsigned i = 0; i < w->step_count; i++) {
		const struct step_truth *s = &w->steps[i];
		int64_t end = i + 1 < w->step_count ? s[1].at : w->now;

		c.set |= s->jump && s->at > p->left && s->at <= r->at;
		c.suspect |= s->jump && s->since - SLACK_NS <= r->read &&
			     s->until + SLACK_NS >= p->sent;
		c.suspect |= (s->ppm > SLEW_PPM || s->ppm < -SLEW_PPM) &&
			     s->at - LOOK_NS_MAX <= r->read && end + LOOK_NS_MAX >= p->sent;
		c.turned |= s->at - LOOK_NS_MAX <= r->at && s->at + LOOK_NS_MAX >= p->left;
	}
	return c;
}

/* How far an RTT may be from the truth: what steps.h lets be of a clock that runs wrong. Where the
 * rate changes, all of the stretch between two looks is measured by one rate. */
static int64_t tolerance(const struct clock_truth *c, int64_t truth)
{
	return 2 * NS_PER_US + (truth + (c->turned ? LOOK_NS_MAX : 0)) / (1000000 / SLEW_PPM);
}

static void judge_rtt(struct world *w, const struct line_truth *l, const struct trace_entry *e,
		      const struct probe_truth *p, const struct reply_truth *r)
{
	struct clock_truth c = clock_between(w, p, r);
	bool flagged = e->reply.flags & REPLY_CLOCK;
	int64_t rtt = e->reply.rtt_ns, truth = r->at - p->left;
	int64_t stamps = world_wall(w, r->at).ns - world_wall(w, p->left).ns;

	w->counts.voided += flagged;
	if (p->left == 0) {
		if (rtt != -1)
			world_fault(w, "line %llu: an RTT without a departure", SEQ(l));
		return;
	}
	if (rtt == -1 && !(flagged && c.suspect))
		world_fault(w, "line %llu: ttl %u: the RTT is void for no reason", SEQ(l), e->ttl);
	if (rtt != -1 && c.set)
		world_fault(w, "line %llu: ttl %u: an RTT of %lld ns across a step of the clock",
			    SEQ(l), e->ttl, (long long)rtt);
	if (rtt != -1 && (rtt != stamps || rtt - truth > tolerance(&c, truth) ||
			  truth - rtt > tolerance(&c, truth)))
		world_fault(w, "line %llu: ttl %u: an RTT of %lld ns that was %lld ns", SEQ(l),
			    e->ttl, (long long)rtt, (long long)truth);
}

static bool same(const struct reply_truth *r, const struct reply *told, int nth)
{
	return r->believed && !r->credited && addr_equal(r->from, told->from) &&
	       r->type == told->icmp_type && r->code == told->icmp_code &&
	       r->size == told->size && r->ip_id == told->ip_id && told->reply_ttl == 60 + nth;
}

static void judge_entry(struct world *w, struct line_truth *l, const struct trace_entry *e)
{
	struct probe_truth *p;

	if (e->ttl > WORLD_TTLS || e->attempt > WORLD_ATTEMPTS ||
	    (p = &l->probes[e->ttl][e->attempt])->sent == 0) {
		world_fault(w, "line %llu: ttl %u attempt %u was never sent", SEQ(l), e->ttl,
			    e->attempt);
		return;
	}
	if ((e->why == WHY_NOT_SENT) != (p->refused && !addr_is_set(e->reply.from)))
		world_fault(w, "line %llu: ttl %u attempt %u: refused, or not?", SEQ(l), e->ttl,
			    e->attempt);
	if (!addr_is_set(e->reply.from))
		return;
	for (int i = 0; i < p->reply_count; i++) {
		if (!same(&p->replies[i], &e->reply, i))
			continue;
		p->replies[i].credited = true;
		judge_rtt(w, l, e, p, &p->replies[i]);
		return;
	}
	world_fault(w, "line %llu: ttl %u attempt %u has an answer that nobody sent", SEQ(l),
		    e->ttl, e->attempt);
}

/* Within the path everything sent has its entry, and every answer that was believed is in one. */
static void judge_whole(struct world *w, const struct line_truth *l, const struct trace *t,
			uint8_t last)
{
	for (uint8_t ttl = l->plan.first_ttl; ttl <= last && ttl <= WORLD_TTLS; ttl++) {
		for (uint8_t n = 1; n <= WORLD_ATTEMPTS; n++) {
			const struct probe_truth *p = &l->probes[ttl][n];
			unsigned entries = 0, answers = 0;

			for (uint32_t i = 0; i < t->entry_count; i++) {
				const struct trace_entry *e = &t->entries[i];

				entries += e->ttl == ttl && e->attempt == n;
				answers += e->ttl == ttl && e->attempt == n &&
					   addr_is_set(e->reply.from);
			}
			if ((entries > 0) != (p->sent != 0) || answers != p->believed)
				world_fault(w, "line %llu: ttl %u attempt %u: %u entries, %u "
					    "answers of %u", SEQ(l), ttl, n, entries, answers,
					    p->believed);
		}
	}
}

static void close_line(struct world *w, struct line_truth *l)
{
	const struct addr dst = l->plan.dst;
	uint64_t target = dst.family == 4 ? (uint64_t)dst.bytes[2] << 8 | dst.bytes[3]
					  : (uint64_t)dst.bytes[6] << 8 | dst.bytes[7];

	l->state = LINE_DONE;
	for (unsigned k = 0; k < 4; k++) {
		if (w->open[target][k] == l->seq)
			w->open[target][k] = 0;
	}
	w->counts.records++;
}

void judge_trace(struct world *w, const struct trace *t, size_t size)
{
	struct line_truth *l;
	uint8_t last = 0;

	if (trace_validate(t, size) < 0 || (l = world_line(w, t->seq)) == NULL ||
	    l->state != LINE_OPEN) {
		world_fault(w, "a trace that is not valid, of no line, or handed over twice");
		return;
	}
	for (uint32_t i = 0; i < t->entry_count; i++) {
		judge_entry(w, l, &t->entries[i]);
		last = t->entries[i].ttl;
	}
	judge_whole(w, l, t, last);
	if (!addr_equal(t->dst, l->plan.dst) || t->method != l->plan.method)
		world_fault(w, "line %llu: another target's trace", SEQ(l));
	if (t->sent != l->sent || t->received != l->answered)
		world_fault(w, "line %llu: %lld sent of %u, %lld answered of %u", SEQ(l),
			    (long long)t->sent, l->sent, (long long)t->received, l->answered);
	if (l->dropped > 0 && t->drops <= 0)
		world_fault(w, "line %llu: its record hides drops", SEQ(l));
	if (l->last_round != 0 && l->last_round != w->counts.rounds)
		world_fault(w, "line %llu: an answer was late though its trace went on", SEQ(l));
	close_line(w, l);
}

/* --- the run --- */

static void equal(struct world *w, const char *what, uint64_t is, uint64_t should)
{
	if (is != should)
		world_fault(w, "%s: %llu, and %llu were", what, (unsigned long long)is,
			    (unsigned long long)should);
}

void judge_end(struct world *w, const struct run_end *end)
{
	const struct frame_end *f = &end->frame;
	const struct world_counts *c = &w->counts;

	if (w->fault[0] != '\0')
		return;
	equal(w, "targets done", f->done, c->records);
	equal(w, "interrupted", f->interrupted, w->interrupt);
	if (!w->interrupt)
		equal(w, "traces handed over", c->records, w->next_seq - 1);
	equal(w, "probes sent", f->sent, c->probes);
	equal(w, "probes refused", f->send_errors, c->refused);
	equal(w, "probes answered", f->received, c->first);
	equal(w, "foreign", f->refused.foreign, c->foreign);
	equal(w, "bad token", f->refused.bad_token, c->bad_token);
	equal(w, "late", f->refused.late, c->late);
	equal(w, "duplicate", f->refused.duplicate, c->duplicate);
	equal(w, "malformed", f->refused.malformed, c->malformed);
	equal(w, "dropped by the ring", f->drops, c->drops);
	for (unsigned i = 0; i < WORLD_LINES; i++) {
		if (w->lines[i].state == LINE_OPEN && w->lines[i].sent > 0)
			world_fault(w, "line %llu was begun and never handed over",
				    SEQ(&w->lines[i]));
	}
	equal(w, "ports held", (uint64_t)w->held_ports, 0);
	/* Whether a slew is told depends on its rate. */
	if (c->steps > 0 || c->slews == 0)
		equal(w, "clock stepped", f->clock_stepped, c->steps > 0);
}
