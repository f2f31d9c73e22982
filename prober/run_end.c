// SPDX-License-Identifier: BSD-2-Clause
/* Ends of targets: what became of their probes, their records, the slots they leave. */
#include "prober/run_state.h"

#include <stdlib.h>

#include "prober/record.h"

enum { RESET_SETTLED_NS = 10 * 1000 * 1000 };

static struct record_run record_of(struct run *r, int ifindex)
{
	return (struct record_run){
		.plan = &r->plan, .start = r->start, .now = r->now, .now_wall = r->now_wall,
		.refused = r->refused, .drops = r->drops, .steps = &r->steps,
		.ifname = ifindex > 0 ? route_ifname(&r->tools->names, ifindex) : r->plan.ifname,
	};
}

static void put_record(struct run *r, const struct trace *t)
{
	if (t == NULL)
		r->code = bp_fail(r->err, BP_ENOMEM, "out of memory");
	else
		output_frame(r->out, FRAME_TRACE, t, t->size);
}

void run_fail_target(struct run *r, const struct plan_trace *p, const char *why)
{
	struct record_run rec = record_of(r, 0);
	struct trace *t = record_failure(&rec, p, why);
	struct frame_paths none;

	put_record(r, t);
	free(t);
	if (p->multipath) {
		bundle_no_paths(p, &none);
		output_frame(r->out, FRAME_PATHS, &none, sizeof(none));
	}
	r->done++;
}

/* A SYN-ACK came, and the kernel's reset that closes the half-open connection did not leave. */
static void tell_of_resets(struct run *r, const struct flight *f)
{
	static const char note[] =
		"SYN-ACKs come in, but no reset leaves for them: a firewall here drops what is not "
		"expected, and the target keeps half-open connections until it gives up";

	if (r->told_of_resets || !f->syn_ack || f->reset || f->answer_count == 0 ||
	    mono_since(r->now, f->answers[f->answer_count - 1].arrived) < RESET_SETTLED_NS)
		return;
	output_frame(r->out, FRAME_NOTE, note, sizeof(note) - 1);
	r->told_of_resets = true;
}

void run_know_drops(struct run *r)
{
	struct capture_stats stats;

	if (capture_stats(r->tools->capture, &stats) == 0)
		r->drops = stats.dropped;
}

struct pacing_ask run_ask(const struct flight *f, uint8_t ttl, struct addr router)
{
	return (struct pacing_ask){.dst = f->flow.dst, .ttl = ttl, .trace = f->plan.seq,
				   .router = router};
}

/* The same of a probe that has left, to tell its fate: once. */
struct pacing_ask run_fate(struct flight *f, struct flight_probe *p, struct addr router)
{
	struct pacing_ask ask = run_ask(f, p->ttl, router);

	ask.sent = p->told ? (struct mono){0} : p->sent;
	ask.owed = p->told ? 0 : p->owed;
	p->told = true;
	return ask;
}

/* Probes whose answers nobody will wait for. */
static void forget_probes(struct run *r, struct flight *f)
{
	for (uint32_t i = 0; i < f->probe_count; i++) {
		struct flight_probe *p = &f->probes[i];
		struct pacing_ask ask;

		if (!p->owed || p->told)
			continue;
		ask = run_fate(f, p, target_responder(f, p->ttl));
		pacing_forgotten(r->pacing, &ask, r->now);
	}
}

/* The record of a flight, of `first`'s bundle where that is given, and the flight's end. */
static struct trace *land(struct run *r, struct flight *f, const struct trace *first)
{
	struct record_run rec = record_of(r, f->ifindex);
	struct trace *t;

	forget_probes(r, f);
	rec.cuts = pacing_counters(r->pacing)->cuts;
	if (rec.cuts != f->cuts_before)
		rec.lowest_pps = pacing_lowest_pps(r->pacing, f->begun);
	tell_of_resets(r, f);
	t = f->bundle != NULL ? bundle_record(f->bundle, &rec, f->member, first) :
				record_flight(&rec, f);
	due_forget(&r->due, flight_slot(&r->flights, f));
	port_release(&r->ports, f->flow.method, f->flow.dst.family, f->flow.sport);
	flight_end(&r->flights, f);
	return t;
}

/* All flows of a target: their records, then what they have in common. */
static void finish_bundle(struct run *r, struct bundle *b)
{
	struct trace *first = NULL;
	struct frame_paths paths;
	uint32_t flows = 0;

	for (uint16_t flow = 0; flow < BUNDLE_FLOWS; flow++) {
		struct flight *f = b->flights[flow];
		/* One that was about to be asked first when the end came has nothing to say. */
		bool says = f != NULL && (flow == 0 || f->probe_count > 0);
		struct trace *t = f != NULL ? land(r, f, first) : NULL;

		if (says)
			put_record(r, t);
		flows += says;
		if (flow == 0)
			first = t;
		else
			free(t);
	}
	free(first);
	bundle_paths(b, flows, &paths);
	output_frame(r->out, FRAME_PATHS, &paths, sizeof(paths));
	r->reserved -= b->reserved;
	bundle_free(b);
}

void run_finish(struct run *r, struct flight *f)
{
	struct trace *t;

	/* What was dropped since the last reading may have been this one's. */
	run_know_drops(r);
	if (f->bundle != NULL) {
		finish_bundle(r, f->bundle);
	} else {
		if (tracer_stop_reason(&f->tracer) == STOP_REACHED)
			pacing_reached(r->pacing, f->flow.dst, tracer_last_ttl(&f->tracer));
		t = land(r, f, NULL);
		put_record(r, t);
		free(t);
	}
	r->done++;
}

void run_stop_all(struct run *r)
{
	for (uint32_t i = 0; i < r->flights.fresh; i++) {
		struct flight *f = &r->flights.slots[i];

		if (!f->used)
			continue;
		target_stop(f, STOP_INTERRUPTED);
		run_finish(r, f);
	}
	r->has_next = false;
}
