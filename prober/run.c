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
#include "prober/run_state.h"

/* --- packets in --- */

/* The nearest TTL below that somebody answered; a bundle's flows take several ways. */
static struct known_step step_before(const struct flight *f, uint8_t ttl)
{
	struct known_step s = {0};

	for (s.ttl = ttl; f->bundle == NULL && --s.ttl >= f->plan.first_ttl;) {
		s.from = target_responder(f, s.ttl);
		if (addr_is_set(s.from))
			break;
	}
	return s;
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
		ask = run_fate(hit->flight, p, hit->flight->bundle == NULL ? hit->expected :
			       target_responder(hit->flight, hit->ttl));
		ask.rtt_ns = hit->rtt_ns;
		ask.before = step_before(hit->flight, hit->ttl);
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
	run_know_drops(r);
	if (r->pacing != NULL)
		r->slack_ns = pacing_slack(r->pacing, r->now);
	/* After the reading: a step is known before any RTT taken across it is written. */
	looked = mono_now();
	if (events_clock_set(&r->tools->events))
		steps_add(&r->steps, r->looked, looked);
	steps_look(&r->steps, &r->slew, clock_pair_now(), looked);
	r->looked = looked;
}

/* --- targets in --- */

static int begin_run(struct run *r)
{
	struct pacing_config pace = {.rate_pps = r->plan.rate_pps,
				     .prefix_mpps = r->plan.prefix_mpps,
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
		run_fail_target(r, p, err.text);
		return;
	}
	if (p->multipath) {
		b = bundle_new(p, slots_of(r, p), r->now);
		if (b == NULL) {
			run_fail_target(r, p, "out of memory");
			return;
		}
		plan = bundle_plan(b, 0);
	}
	f = run_begin_flight(r, &plan, &err);
	if (f == NULL) {
		bundle_free(b);
		run_fail_target(r, p, err.text);
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

	/* Lines that are not read yet do not hide it, as they would an end of file. */
	if (r->tools->peer.socket)
		fds[2].events |= POLLRDHUP;
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
	/* Over a socket the end of what the parent has to say is what SIGINT is to a child. */
	if (r->tools->peer.socket && ((fds[2].revents & POLLRDHUP) || r->in.eof))
		r->interrupted = r->stopping = true;
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

/* Whether somebody has a probe to send now. */
static bool may_send(const struct run *r)
{
	return r->planned && due_head(&r->due) != DUE_NONE && mono_reached(r->now, r->held);
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
				run_settle(r, &r->flights.slots[slot]);
			run_send_batch(r);
			tell_progress(r);
		}
		take_targets(r);
		if (output_waiting(r->out) >= OUTPUT_WORTH || !may_send(r))
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
		run_stop_all(r);
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
