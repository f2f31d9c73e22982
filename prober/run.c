// SPDX-License-Identifier: BSD-2-Clause
/*
 * One round of the loop: wait; read what was captured; see whether the clock was set; let every
 * target whose time has come say what it wants; send at most one batch; write records; take new
 * targets. The capture is read before anybody's wait is judged, so that no probe expires while its
 * answer lies unread, and once for each batch, which keeps the ring from filling.
 */
#include "prober/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "prober/admit.h"
#include "prober/due.h"
#include "prober/engine/pacing.h"
#include "prober/input.h"
#include "prober/io/port.h"
#include "prober/progress.h"
#include "prober/record.h"
#include "prober/seen.h"
#include "prober/target.h"
#include "prober/watch.h"

enum {
	AGAIN_NS = 1000 * 1000,        /* after a full device queue */
	DRAIN_STALL_MS = 10 * 1000,    /* a reader that takes nothing for so long is gone */
	RESET_SETTLED_NS = 10 * 1000 * 1000,
};

_Static_assert(PLAN_BURST == (int)PACING_BURST && PLAN_ROUTER_BURST == (int)PACING_ROUTER_BURST,
	       "what is foreseen of a run is what happens");

/* A probe of the batch being made; its place in the array is its place in the batch. */
struct batched { uint32_t slot; uint8_t ttl, attempt, owed; };

struct run {
	struct run_tools *tools;
	struct output *out;
	struct input in;
	struct plan_run plan;
	bool planned;              /* the run line was read, the rest below is set up */
	int ifindex;               /* of plan.ifname; 0: by route */
	struct wall start;
	struct flights flights;
	struct pacing *pacing;
	struct ports ports;
	struct due due;
	struct steps steps;
	struct slew slew;
	struct mono looked;        /* last look at the clock that saw no step */
	struct watch watch;
	struct progress progress;
	struct seen seen;          /* responders told by HOP frames */
	struct refused refused;
	uint64_t drops, sent, send_errors, read, done;
	uint32_t reserved;         /* slots free and promised to bundles */
	uint32_t repeated;         /* probes sent again for loss by our own speed */
	int64_t slack_ns;          /* of this round: what the queues on the way add to RTTs */
	struct plan_trace next;    /* read and not begun */
	bool has_next;
	struct mono held;          /* nobody may send before: the run's bucket, or a full queue */
	bool told_of_resets, stopping, interrupted;
	int code;                  /* of the failure that ends the run; err has the text */
	struct bp_error *err;
	struct mono now;           /* one reading of the clock per round ... */
	struct wall now_wall;      /* ... and of the other, at the same moment */
};

/* --- ends --- */

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

static void fail_target(struct run *r, const struct plan_trace *p, const char *why)
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

static void know_drops(struct run *r)
{
	struct capture_stats stats;

	if (capture_stats(r->tools->capture, &stats) == 0)
		r->drops = stats.dropped;
}

static struct pacing_ask ask_of(const struct flight *f, uint8_t ttl, struct addr router)
{
	return (struct pacing_ask){.dst = f->flow.dst, .ttl = ttl, .router = router};
}

/* The same of a probe that has left, to tell its fate: once. */
static struct pacing_ask fate_of(struct flight *f, struct flight_probe *p, struct addr router)
{
	struct pacing_ask ask = ask_of(f, p->ttl, router);

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
		ask = fate_of(f, p, target_responder(f, p->ttl));
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

static void finish(struct run *r, struct flight *f)
{
	struct trace *t;

	/* What was dropped since the last reading may have been this one's. */
	know_drops(r);
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

static void stop_all(struct run *r)
{
	for (uint32_t i = 0; i < r->flights.room; i++) {
		struct flight *f = &r->flights.slots[i];

		if (!f->used)
			continue;
		target_stop(f, STOP_INTERRUPTED);
		finish(r, f);
	}
	r->has_next = false;
}

/* --- packets in --- */

/* The attempts at this TTL are overdue. Where that is our own speed's doing, and it has not been
 * heard of at all, it is asked once more. */
static bool lose(struct run *r, struct flight *f, uint8_t ttl)
{
	struct addr router = target_responder(f, ttl);
	bool ours = false;

	for (uint32_t i = 0; i < f->probe_count; i++) {
		struct flight_probe *p = &f->probes[i];
		struct pacing_ask ask;

		if (p->ttl != ttl || p->state != PROBE_SENT || p->answers > 0)
			continue;
		ask = fate_of(f, p, router);
		ours = pacing_lost(r->pacing, &ask, r->now);
	}
	return ours && tracer_again(&f->tracer, ttl, r->now);
}

static struct flight *begin_flight(struct run *r, const struct plan_trace *p, struct bp_error *err);

/* A flow that its bundle wants, begun when it is new; NULL: there is no further one. */
static struct flight *flow_of(struct run *r, struct bundle *b, uint16_t flow)
{
	struct plan_trace plan = bundle_plan(b, flow);
	struct flight *f = b->flights[flow];
	struct bp_error err;

	if (f == NULL && bundle_has_flow(b, flow) && (f = begin_flight(r, &plan, &err)) != NULL) {
		bundle_add(b, f, flow);
		r->reserved--;
	}
	if (f != NULL)
		flight_start(f, r->now, r->now_wall);
	return f;
}

/* What the target wants next, after all that is overdue was told; *whose: the flight it is for. */
static struct tracer_step next_step(struct run *r, struct flight *f, struct flight **whose)
{
	struct tracer_step step;
	uint16_t flow;
	uint8_t ttl;
	bool again;

	target_slack(f, r->slack_ns);
	do {
		again = false;
		step = target_next(f, r->now, &flow);
		while (target_take_silent(f, &ttl)) {
			struct pacing_ask ask = ask_of(f, ttl, target_responder(f, ttl));

			pacing_silent(r->pacing, &ask, r->now);
		}
		while (target_take_overdue(f, &ttl))
			again |= lose(r, f, ttl);
		*whose = f;
		if (f->bundle == NULL || step.want != TRACER_SEND)
			continue;
		*whose = flow_of(r, f->bundle, flow);
		if (*whose == NULL) {
			multipath_no_more_flows(f->bundle->engine);
			again = true;
		}
	} while (again);
	return step;
}

/* What others have shown of the way there. A batch of targets that all begin at TTL 1 would ask the
 * first router for as many answers at once: each begins at another of the TTLs that are known to be
 * in use. */
static void give_hint(struct run *r, struct flight *f)
{
	const struct known *k = pacing_known(r->pacing);
	struct addr dst = f->flow.dst;
	uint8_t length = known_length(k, dst);
	uint8_t used = length ? length : known_shortest(k, dst.family);
	uint8_t first = f->plan.first_ttl;

	f->hint = (struct flight_hint){.length = length};
	if (used < first)
		return;
	f->hint.turn_span = (uint8_t)(used - first + 1);
	f->hint.turn = (uint8_t)(addr_hash(dst) % f->hint.turn_span);
}

static void start(struct run *r, struct flight *f)
{
	if (f->sent == 0)
		give_hint(r, f);
	target_start(f, r->now, r->now_wall);
}

/* Puts a target where it belongs now: finished, waiting, or in line to send. */
static void place(struct run *r, struct flight *f, struct tracer_step step)
{
	uint32_t slot = flight_slot(&r->flights, f);
	struct mono soon = mono_add(r->now, 1);

	switch (step.want) {
	case TRACER_SEND: due_line_up(&r->due, slot); break;
	case TRACER_WAIT:
		/* A wait that is over already must not be taken again in the same round. */
		due_wait(&r->due, slot, mono_reached(r->now, step.until) ? soon : step.until);
		break;
	case TRACER_DONE: finish(r, f); break;
	}
}

static void settle(struct run *r, struct flight *f)
{
	struct flight *whose;
	struct tracer_step step;

	start(r, f);
	step = next_step(r, f, &whose);
	place(r, f, step);
}

/* The target is settled after the whole capture is read: an answer behind this one may be its
 * own. */
static void on_answer(void *context, const struct flight_hit *hit, struct addr from)
{
	struct run *r = context;
	struct flight_probe *p = &hit->flight->probes[hit->probe];
	struct pacing_ask ask;
	uint32_t slot = flight_slot(&r->flights, target_lead(hit->flight));

	if (hit->first) {
		ask = fate_of(hit->flight, p, hit->flight->bundle == NULL ? hit->expected :
			      target_responder(hit->flight, hit->ttl));
		ask.rtt_ns = hit->rtt_ns;
		pacing_answered(r->pacing, &ask, from, hit->destination, r->now);
		if (hit->flight->bundle != NULL)
			bundle_answered(hit, from, r->now);
	}
	if (!due_in_line(&r->due, slot))
		due_wait(&r->due, slot, r->now);
	progress_answer(&r->progress, hit, from);
	if (r->plan.hops && seen_new(&r->seen, from))
		output_frame(r->out, FRAME_HOP, &from, sizeof(from));
}

static void on_captured(const struct captured *c, void *context)
{
	struct run *r = context;

	watch_packet(&r->watch, c->bytes, c->size, c->stamp, c->ifindex, c->outgoing);
}

static void read_capture(struct run *r)
{
	uint64_t not_ip = 0;
	struct mono looked;

	r->now = r->watch.now = mono_now();
	if (capture_drain(r->tools->capture, on_captured, r, &not_ip, r->err) < 0)
		r->code = r->err->code;
	r->refused.malformed += (uint32_t)not_ip;
	/* After the reading: a step is known before any RTT taken across it is written. */
	know_drops(r);
	if (r->pacing != NULL)
		r->slack_ns = pacing_slack(r->pacing, r->now);
	looked = mono_now();
	if (events_clock_set(&r->tools->events))
		steps_add(&r->steps, r->looked, looked);
	steps_look(&r->steps, &r->slew, clock_pair_now(), looked);
	r->looked = looked;
}

/* --- probes out --- */

/* Adds the head of the line to the batch if pacing lets it; false: nobody more may send now. */
static bool batch_head(struct run *r, struct flight *f, struct batched *b, unsigned *count)
{
	uint32_t slot = flight_slot(&r->flights, f);

	/* Before the loop: it would forget what is deferred within. */
	start(r, f);
	for (;;) {
		struct flight *whose;
		struct tracer_step step = next_step(r, f, &whose);
		struct pacing_ask ask;
		struct mono when;

		if (step.want != TRACER_SEND) {
			place(r, f, step);
			return true;
		}
		ask = ask_of(f, step.ttl, target_responder(f, step.ttl));
		ask.again = step.attempt > f->plan.attempts;
		switch (pacing_ready(r->pacing, &ask, r->now, &when)) {
		case PACING_GLOBAL:
			r->held = when;
			return false;
		case PACING_PREFIX:
			due_wait(&r->due, slot, when);
			return true;
		case PACING_ROUTER:
			target_defer(f, step.ttl, when);
			continue;
		case PACING_GO:
			break;
		}
		flight_prepare(&r->flights, whose, step.ttl, step.attempt);
		if (sender_add(r->tools->sender, f->flow.dst, f->scope, &whose->packet) < 0)
			return false;
		b[(*count)++] = (struct batched){flight_slot(&r->flights, whose), step.ttl,
						 step.attempt,
						 pacing_take(r->pacing, &ask, r->now)};
		due_forget(&r->due, slot);
		return true;
	}
}

static void send_batch(struct run *r)
{
	struct send_result results[SEND_BATCH];
	struct batched batch[SEND_BATCH];
	unsigned count = 0;
	uint32_t slot;

	if (!mono_reached(r->now, r->held))
		return;
	while (count < SEND_BATCH && (slot = due_head(&r->due)) != DUE_NONE) {
		if (!batch_head(r, &r->flights.slots[slot], batch, &count))
			break;
	}
	if (count == 0)
		return;
	sender_flush(r->tools->sender, results);
	for (unsigned i = 0; i < count; i++) {
		struct flight *f = &r->flights.slots[batch[i].slot];

		if (results[i].sent == SENT_OK) {
			target_sent(&r->flights, f, batch[i].ttl, batch[i].attempt, r->now);
			if (f->probe_count > 0)
				f->probes[f->probe_count - 1].owed = batch[i].owed;
			r->sent++;
			r->repeated += batch[i].attempt > f->plan.attempts;
		} else if (results[i].sent == SENT_REFUSED) {
			target_refused(f, batch[i].ttl, batch[i].attempt, r->now,
				       results[i].sys);
			r->send_errors++;
		} else {
			r->held = mono_add(r->now, AGAIN_NS);
		}
		if (results[i].sent != SENT_OK && batch[i].owed) {
			struct pacing_ask ask = ask_of(f, batch[i].ttl, (struct addr){0});

			ask.sent = r->now;
			ask.owed = batch[i].owed;
			pacing_forgotten(r->pacing, &ask, r->now);
		}
		due_wait(&r->due, flight_slot(&r->flights, target_lead(f)), r->now);
	}
}

/* --- targets in --- */

static int begin_run(struct run *r)
{
	struct pacing_config pace = {.rate_pps = r->plan.rate_pps,
				     .prefix_pps = r->plan.prefix_pps,
				     .router_pps = r->plan.router_pps};
	uint32_t window;
	int rc = limits_check_run(&r->tools->limits, r->tools->unlimited, &r->plan, r->err);

	if (rc == 0 && r->plan.ifname[0] != '\0') {
		rc = route_ifindex(&r->tools->names, r->plan.ifname, r->err);
		if (rc > 0) {
			r->ifindex = rc;
			rc = sender_bind_device(r->tools->sender, r->plan.ifname, r->err);
		}
	}
	if (rc == 0)
		rc = sender_bind_source(r->tools->sender, r->plan.src4, r->plan.src6,
					(uint32_t)r->ifindex, r->err);
	if (rc < 0)
		return rc;
	window = r->plan.window ? r->plan.window : PLAN_WINDOW_MAX;
	rc = flights_init(&r->flights, window, r->tools->key);
	if (rc == 0)
		rc = due_init(&r->due, window);
	if (rc == 0 && (r->pacing = pacing_new(&pace, r->now)) == NULL)
		rc = BP_ENOMEM;
	if (rc < 0)
		return bp_fail(r->err, rc, "out of memory for %u targets at once", window);
	r->start = wall_now();
	r->planned = true;
	return 0;
}

/* NULL: err says what stands against it. */
static struct flight *begin_flight(struct run *r, const struct plan_trace *p, struct bp_error *err)
{
	struct probe_packet packet;
	struct flow flow;
	struct flight *f;

	if (admit_flow(&r->plan, p, r->ifindex, &r->flights, &r->ports, &flow, &packet, err) < 0)
		return NULL;
	f = flight_begin(&r->flights, p, &flow, &packet, r->now, r->now_wall);
	if (f == NULL) {
		port_release(&r->ports, flow.method, flow.dst.family, flow.sport);
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	if (addr_kind(p->dst) == ADDR_KIND_LINK_LOCAL && p->dst.family == 6)
		f->scope = (uint32_t)r->ifindex;
	f->refused_before = r->refused;
	f->drops_before = r->drops;
	f->cuts_before = pacing_counters(r->pacing)->cuts;
	f->pps_before = pacing_held_pps(r->pacing);
	return f;
}

/* Slots that a target may come to need. */
static uint32_t slots_of(const struct run *r, const struct plan_trace *p)
{
	uint32_t all = BUNDLE_FLOWS < r->flights.room ? BUNDLE_FLOWS : r->flights.room;

	return p->multipath ? all : 1;
}

static void begin_target(struct run *r, const struct plan_trace *p)
{
	struct bundle *b = NULL;
	struct plan_trace plan = *p;
	struct bp_error err;
	struct flight *f;

	if (limits_check_target(&r->tools->limits, &r->in.avoid, p->dst, &err) < 0) {
		fail_target(r, p, err.text);
		return;
	}
	if (p->multipath) {
		b = bundle_new(p, slots_of(r, p), r->now);
		if (b == NULL) {
			fail_target(r, p, "out of memory");
			return;
		}
		plan = bundle_plan(b, 0);
	}
	f = begin_flight(r, &plan, &err);
	if (f == NULL) {
		bundle_free(b);
		fail_target(r, p, err.text);
		return;
	}
	if (b != NULL) {
		bundle_add(b, f, 0);
		r->reserved += b->reserved;
	}
	due_line_up(&r->due, flight_slot(&r->flights, f));
}

/* Whether there is memory for one more target. Until then only an event makes some: a flight that
 * ends, a reader that reads. */
static bool has_room(const struct run *r)
{
	uint32_t wanted = r->has_next ? slots_of(r, &r->next) : 1;

	return r->flights.used + r->reserved + wanted <= r->flights.room &&
	       output_waiting(r->out) <= OUTPUT_HIGH;
}

/* Whether one more target may begin: only when hardly anybody stands in line. The same probes a
 * second then finish a few targets soon, instead of all of them late, and as many are in flight as
 * the answers' time needs: a few batches on a local network, thousands over half the world. Where
 * the rate is the limit, nobody may stand there; without one, a batch's worth. */
static bool has_place(const struct run *r)
{
	if (!has_room(r))
		return false;
	if (!mono_reached(r->now, r->held))
		return false;
	return due_line(&r->due) < (r->plan.rate_pps == 0 ? SEND_BATCH : 1);
}

/* Takes targets while there is a place for them. */
static void take_targets(struct run *r)
{
	while (r->code == 0 && !r->stopping) {
		enum plan_line kind;
		int rc;

		if (r->has_next) {
			if (!has_place(r))
				return;
			r->has_next = false;
			begin_target(r, &r->next);
			continue;
		}
		rc = input_next(&r->in, &kind, &r->plan, &r->next, r->err);
		if (rc == 0)
			return;
		if (rc > 0 && kind == PLAN_LINE_RUN)
			rc = begin_run(r);
		else if (rc > 0)
			r->has_next = true;
		if (rc < 0)
			r->code = rc;
		r->read += rc > 0;
	}
}

/* --- the loop --- */

/* Until somebody's wait ends, the line may move, or progress is due. */
static struct timespec pause_length(struct run *r)
{
	int64_t ns = INT64_MAX;
	struct mono when;

	if (r->planned && due_next(&r->due, &when))
		ns = mono_since(when, r->now);
	if (r->planned && (due_head(&r->due) != DUE_NONE || (r->has_next && has_room(r))) &&
	    mono_since(r->held, r->now) < ns)
		ns = mono_since(r->held, r->now);
	if (r->planned && r->plan.progress && PROGRESS_EVERY_NS < ns)
		ns = PROGRESS_EVERY_NS;
	if (ns < 0)
		ns = 0;
	if (ns > NS_PER_S)
		ns = NS_PER_S;
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

static void wait_for_something(struct run *r)
{
	struct pollfd fds[] = {
		{.fd = capture_fd(r->tools->capture), .events = POLLIN},
		{.fd = r->tools->events.signal_fd, .events = POLLIN},
		{.fd = r->out->fd, .events = output_waiting(r->out) > 0 ? POLLOUT : 0},
		{.fd = input_wants(&r->in) ? r->in.fd : -1, .events = POLLIN},
	};
	struct timespec pause = pause_length(r);

	if (ppoll(fds, sizeof(fds) / sizeof(fds[0]), &pause, NULL) < 0 && errno != EINTR) {
		r->code = bp_fail_sys(r->err, errno, "poll");
		return;
	}
	if (fds[1].revents && events_interrupted(&r->tools->events))
		r->interrupted = r->stopping = true;
	/* Nobody reads any more: the parent is gone. */
	if (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL))
		r->out->closed = true;
	if (fds[3].revents)
		input_read(&r->in);
}

static void tell_progress(struct run *r)
{
	struct frame_progress p = {
		.planned = r->read, .done = r->done, .in_flight = r->flights.used,
		.sent = r->sent, .received = r->watch.received, .drops = r->drops,
		.pace_pps = r->pacing != NULL ? pacing_held_pps(r->pacing) : 0,
	};

	/* A reader that has stopped reading is told no more. */
	if (r->plan.progress && output_waiting(r->out) <= OUTPUT_HIGH &&
	    progress_due(&r->progress, r->now, &p))
		output_frame(r->out, FRAME_PROGRESS, &p, sizeof(p));
}

static void follow(struct run *r)
{
	uint32_t slot;
	bool cut;

	while (r->code == 0 && !r->stopping && !r->out->closed) {
		read_capture(r);
		if (r->planned) {
			r->now = mono_now();
			r->now_wall = wall_now();
			while ((slot = due_take(&r->due, r->now)) != DUE_NONE)
				settle(r, &r->flights.slots[slot]);
			send_batch(r);
			tell_progress(r);
		}
		take_targets(r);
		output_write(r->out);
		if (r->code != 0)
			break;
		if (!r->has_next && r->flights.used == 0 && input_done(&r->in, &cut)) {
			if (cut)
				r->code = bp_fail(r->err, BP_ETRUNC, "the plan ended before its last "
						  "line; what was read of it is measured");
			break;
		}
		wait_for_something(r);
	}
	/* What arrived while the last wait lasted belongs to the record. */
	if (r->flights.used > 0 && !r->out->closed)
		read_capture(r);
}

static void run_init(struct run *r, struct run_tools *tools, int plan_fd, struct output *out,
		     struct bp_error *err)
{
	memset(r, 0, sizeof(*r));
	r->tools = tools;
	r->out = out;
	r->err = err;
	r->now = r->looked = mono_now();
	r->now_wall = wall_now();
	r->start = wall_now();
	plan_run_defaults(&r->plan);
	input_init(&r->in, plan_fd);
	ports_init(&r->ports);
	progress_init(&r->progress, r->now);
	r->watch = (struct watch){.flights = &r->flights, .refused = &r->refused,
				  .lo_index = tools->lo_index, .answer = on_answer, .context = r};
}

static void run_fini(struct run *r)
{
	input_fini(&r->in);
	ports_fini(&r->ports);
	pacing_free(r->pacing);
	due_fini(&r->due);
	flights_fini(&r->flights);
	free(r);
}

int run_plan(struct run_tools *tools, int plan_fd, struct output *out, struct run_end *end,
	     struct bp_error *err)
{
	struct run *r = malloc(sizeof(*r));
	int rc;

	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	run_init(r, tools, plan_fd, out, err);
	follow(r);
	rc = r->code;
	if (!out->closed)
		stop_all(r);
	*end = (struct run_end){
		.frame = {.done = r->done, .sent = r->sent, .received = r->watch.received,
			  .drops = r->drops, .send_errors = r->send_errors,
			  .repeated = r->repeated,
			  .refused = r->refused, .interrupted = r->interrupted,
			  .clock_stepped = r->steps.count > 0, .code = rc},
		.reader_gone = out->closed,
	};
	if (r->pacing != NULL) {
		end->frame.slowed_times = pacing_counters(r->pacing)->cuts;
		end->frame.slowed_pps = pacing_lowest_pps(r->pacing, (struct mono){INT64_MIN});
	}
	if (rc < 0)
		text_set(end->frame.text, sizeof(end->frame.text), err->text);
	run_fini(r);
	return rc;
}
