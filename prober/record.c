// SPDX-License-Identifier: BSD-2-Clause
/* Flight -> trace. */
#include "prober/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { TCP_RST = 0x04 };

/* Of v >= 0, in base 36. */
static void base36(int64_t v, char out[static 16])
{
	char digits[16];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[v % 36];
		v /= 36;
	} while (v > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	out[n] = '\0';
}

const char *record_id(const char *vantage, struct wall start, uint64_t seq,
		      char out[static TRACE_ID_TEXT])
{
	char name[TRACE_ID_VANTAGE_TEXT], epoch[16];

	trace_id_vantage(vantage[0] != '\0' ? vantage : "here", name);
	base36(start.ns < 0 ? 0 : start.ns, epoch);
	snprintf(out, TRACE_ID_TEXT, "%s-%s-%" PRIu64, name, epoch, seq);
	return out;
}

static void fill_common(struct trace *t, const struct record_run *run, const struct plan_trace *p)
{
	t->seq = p->seq;
	record_id(run->plan->vantage, run->start, p->seq, t->id);
	if (p->multipath) {
		size_t n = strlen(t->id);

		snprintf(t->id + n, sizeof(t->id) - n, ".%u", p->flow);
	}
	text_set(t->vantage, sizeof(t->vantage), run->plan->vantage);
	text_set(t->target, sizeof(t->target), p->target);
	text_set(t->tool, sizeof(t->tool), "borderpath " BP_VERSION);
	t->dst = p->dst;
	t->method = p->method;
	t->stamps = STAMPS_PCAP;
	t->first_ttl = p->first_ttl;
	t->max_ttl = p->max_ttl;
	t->attempts = p->attempts;
	t->gap_limit = p->gap_limit;
	t->flow = p->flow;
	t->wait_ms = p->wait_ms;
	t->rate_pps = run->plan->rate_pps;
	t->clock_known = true;
	t->refused_known = true;
}

static bool in_path(const struct flight *f, const struct flight_probe *p)
{
	return p->ttl <= tracer_last_ttl(&f->tracer);
}

/* An entry for each probe of the path that was offered to the kernel; `place` maps a probe to
 * it. */
static void fill_probes(struct trace *t, const struct record_run *run, const struct flight *f,
			uint32_t *place)
{
	bool interrupted = tracer_stop_reason(&f->tracer) == STOP_INTERRUPTED;
	int64_t wait_ns = f->plan.wait_ms * NS_PER_MS;

	for (uint32_t i = 0; i < f->probe_count; i++) {
		const struct flight_probe *p = &f->probes[i];
		struct trace_entry *e = &t->entries[t->entry_count];

		if (!in_path(f, p))
			continue;
		place[i] = t->entry_count++;
		trace_entry_init(e, p->ttl, p->attempt);
		if (p->state == PROBE_REFUSED)
			e->why = WHY_NOT_SENT;
		else if (p->departed.ns == 0)
			e->why = WHY_NOT_SEEN;
		else if (interrupted && mono_since(run->now, p->sent) < wait_ns)
			e->why = WHY_INTERRUPTED;
		if (p->departed.ns != 0 && !steps_between(run->steps, f->begun, p->sent))
			e->tx_ns = p->departed.ns - f->start.ns;
	}
}

static void fill_answers(struct trace *t, const struct record_run *run, const struct flight *f,
			 const uint32_t *place)
{
	for (uint32_t i = 0; i < f->answer_count; i++) {
		const struct flight_answer *a = &f->answers[i];
		struct trace_entry *e;

		if (!in_path(f, &f->probes[a->probe]))
			continue;
		e = &t->entries[place[a->probe]];
		if (a->reply.flags & (REPLY_LATE | REPLY_DUP)) {
			struct trace_entry *extra = &t->entries[t->entry_count++];

			trace_entry_init(extra, e->ttl, e->attempt);
			extra->tx_ns = e->tx_ns;
			e = extra;
		}
		e->why = WHY_NONE;
		e->reply = a->reply;
		e->reply.rtt_ns = flight_rtt(f, a, run->steps, &e->reply.flags);
	}
}

/* A true answer behind an impostor's is the probe's, and the impostor's is the extra one: delays,
 * losses and links are of the path. */
static void prefer_true(struct trace *t, uint32_t impostor)
{
	struct trace_entry *e = &t->entries[impostor];

	for (uint32_t i = impostor + 1; i < t->entry_count; i++) {
		struct trace_entry *other = &t->entries[i];

		if (other->ttl != e->ttl || other->attempt != e->attempt)
			return;
		if ((other->reply.flags & (REPLY_DUP | REPLY_LATE | REPLY_NEARER)) != REPLY_DUP)
			continue;
		other->reply.flags &= (uint16_t)~REPLY_DUP;
		e->reply.flags |= REPLY_DUP;
		return;
	}
}

/* Flags what spoke as the destination at TTLs beyond which routers answered. Returns whether
 * anything is flagged so. */
static bool mark_nearer(struct trace *t, uint8_t nearer)
{
	bool any = false;

	for (uint32_t i = 0; i < t->entry_count; i++) {
		struct trace_entry *e = &t->entries[i];

		if (e->ttl <= nearer && trace_entry_is_destination(t, e))
			e->reply.flags |= REPLY_NEARER;
		any |= (e->reply.flags & REPLY_NEARER) != 0;
	}
	for (uint32_t i = 0; any && i < t->entry_count; i++) {
		if ((t->entries[i].reply.flags & (REPLY_NEARER | REPLY_DUP)) == REPLY_NEARER)
			prefer_true(t, i);
	}
	return any;
}

/* By what the destination answered, of those not flagged the nearest. */
static enum reached_by reached_by(const struct trace *t)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct reply *r = &t->entries[i].reply;

		if (!trace_entry_is_destination(t, &t->entries[i]))
			continue;
		if (r->tcp_flags >= 0)
			return r->tcp_flags & TCP_RST ? REACHED_BY_RST : REACHED_BY_SYN_ACK;
		return icmp_is_echo_reply(r->from.family, r->icmp_type) ?
			       REACHED_BY_ECHO_REPLY : REACHED_BY_PORT_UNREACHABLE;
	}
	return REACHED_BY_NONE;
}

/* Loss by our own speed: cuts while it ran, or one in force when it began. */
static void fill_slowed(struct trace *t, const struct record_run *run, const struct flight *f)
{
	uint32_t before = f->pps_before, lowest = run->lowest_pps;

	t->slowed_times = run->cuts - f->cuts_before;
	t->slowed_pps = before == 0 || (lowest != 0 && lowest < before) ? lowest : before;
	for (uint32_t i = 0; i < f->probe_count; i++)
		t->repeated += f->probes[i].attempt > f->plan.attempts;
}

static struct refused refused_since(const struct refused *now, const struct refused *before)
{
	return (struct refused){
		.foreign = now->foreign - before->foreign,
		.bad_token = now->bad_token - before->bad_token,
		.malformed = now->malformed - before->malformed,
		.late = now->late - before->late,
		.duplicate = now->duplicate - before->duplicate,
	};
}

struct trace *record_flight(const struct record_run *run, const struct flight *f)
{
	struct trace *t = trace_new(f->probe_count + f->extra_count);
	uint32_t *place = calloc(f->probe_count + 1, sizeof(place[0]));

	if (t == NULL || place == NULL) {
		free(t);
		free(place);
		return NULL;
	}
	fill_common(t, run, &f->plan);
	fill_probes(t, run, f, place);
	fill_answers(t, run, f, place);
	free(place);
	trace_sort(t);
	t->size = (uint32_t)trace_size(t->entry_count);
	text_set(t->ifname, sizeof(t->ifname), run->ifname);
	t->src = f->flow.src;
	t->sport = f->flow.sport;
	t->dport = f->flow.method == METHOD_ICMP ? -1 : f->flow.dport;
	t->probe_size = f->packet.size;
	t->stop = (uint8_t)tracer_stop_reason(&f->tracer);
	t->reach = (uint8_t)tracer_reach(&f->tracer);
	t->reached_by = f->reached_by;
	if (mark_nearer(t, tracer_nearer_ttl(&f->tracer)))
		t->reached_by = (uint8_t)reached_by(t);
	if (t->reach != REACH_REACHED)
		t->reached_by = REACHED_BY_NONE;
	if (f->sent == 0 && f->refused_sys != 0) {
		t->stop = STOP_ERROR;
		t->reach = REACH_UNKNOWN;
		snprintf(t->error, sizeof(t->error), "the kernel refused every probe: %s",
			 strerror(f->refused_sys));
	}
	t->start = f->start;
	/* By the steady clock: a step of the other one must not make a trace end before it
	 * began. */
	t->end.ns = f->start.ns + mono_since(run->now, f->begun);
	t->sent = (int64_t)f->sent;
	t->received = (int64_t)f->received;
	t->drops = (int64_t)(run->drops - f->drops_before);
	fill_slowed(t, run, f);
	t->clock_stepped = steps_between(run->steps, f->begun, run->now);
	t->refused = refused_since(&run->refused, &f->refused_before);
	return t;
}

struct trace *record_failure(const struct record_run *run, const struct plan_trace *plan,
			     const char *error)
{
	struct trace *t = trace_new(0);

	if (t == NULL)
		return NULL;
	fill_common(t, run, plan);
	text_set(t->error, sizeof(t->error), error);
	t->dport = plan->method == METHOD_ICMP || plan->dport == 0 ? -1 : plan->dport;
	t->stop = STOP_ERROR;
	t->start = t->end = run->now_wall;
	t->sent = t->received = t->drops = 0;
	return t;
}
