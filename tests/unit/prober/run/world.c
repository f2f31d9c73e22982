// SPDX-License-Identifier: BSD-2-Clause
/*
 * The clocks, the loop's poll, and the functions of io/ that run.c calls. Those have no argument of
 * ours to carry the world, so the one that runs is kept here.
 */
#include "tests/unit/prober/run/world.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "prober/io/port.h"
#include "prober/io/route.h"
#include "prober/wire/parse.h"

static struct world *the;

enum { CAPTURE_FD = 1001, SIGNAL_FD = 1002, LOOK_NS = 150, RING = 400 };

static const uint8_t key[METHOD_KEY_SIZE] = {8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8};

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t world_random(struct world *w, uint64_t below)
{
	uint64_t z = (w->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

void world_fault(struct world *w, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (w->fault[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(w->fault, sizeof(w->fault), fmt, ap);
	va_end(ap);
	used = strlen(w->fault);
	snprintf(w->fault + used, sizeof(w->fault) - used, " (%s, seed %llu, after %.3f s)",
		 w->script.name, (unsigned long long)w->script.seed,
		 (double)(w->now - w->start) / 1e9);
	w->interrupt = true;
}

/* --- clocks --- */

/* Half to one and a half times `every`. */
static int64_t about(struct world *w, int64_t every)
{
	return every == 0 ? INT64_MAX / 2 : every / 2 + (int64_t)world_random(w, (uint64_t)every);
}

static int64_t ahead_by(const struct step_truth *s, int64_t at)
{
	return s->offset + (at - s->at) / 1000000 * s->ppm +
	       (at - s->at) % 1000000 * s->ppm / 1000000;
}

/* It is set, by up to 36 minutes, or its rate changes: as NTP would (20, 400), or as chrony does
 * when it is in a hurry; a slew ends with the next change. */
static void step_clock(struct world *w)
{
	static const int64_t rates[] = {20, 400, -400, 50000, -80000};
	struct step_truth *last = &w->steps[w->step_count - 1];
	int64_t size = NS_PER_US << world_random(w, 32);
	bool slew = last->ppm == 0 && world_chance(w, 2);

	if (w->step_count == WORLD_STEPS) {
		memmove(&w->steps[0], &w->steps[1], (WORLD_STEPS - 1) * sizeof(w->steps[0]));
		w->step_count--;
		last--;
	}
	if (world_chance(w, 2))
		size = -size;
	w->steps[w->step_count++] = (struct step_truth){
		.at = w->next_step, .offset = ahead_by(last, w->next_step) + (slew ? 0 : size),
		.ppm = slew ? rates[world_random(w, 5)] : 0, .jump = !slew};
	w->step_pending = w->step_pending || !slew;
	w->counts.steps += !slew;
	w->counts.slews += slew;
	w->next_step += about(w, w->script.step_every_ns);
}

static void go_to(struct world *w, int64_t now)
{
	while (w->next_step <= now)
		step_clock(w);
	w->now = now;
}

struct wall world_wall(const struct world *w, int64_t at)
{
	unsigned i = w->step_count - 1;

	while (i > 0 && w->steps[i].at > at)
		i--;
	return (struct wall){at + ahead_by(&w->steps[i], at)};
}

__typeof__(mono_now) __wrap_mono_now;
struct mono __wrap_mono_now(void)
{
	go_to(the, the->now + LOOK_NS);
	return (struct mono){the->now};
}

__typeof__(wall_now) __wrap_wall_now;
struct wall __wrap_wall_now(void)
{
	return world_wall(the, the->now);
}

__typeof__(clock_pair_now) __wrap_clock_pair_now;
struct clock_pair __wrap_clock_pair_now(void)
{
	return (struct clock_pair){.raw_ns = the->now, .wall = world_wall(the, the->now),
				   .unsure_ns = 40};
}

bool events_clock_set(struct events *e)
{
	bool set = the->step_pending;

	(void)e;
	for (unsigned i = the->step_count; set && i-- > 0;) {
		if (!the->steps[i].jump || the->steps[i].until != 0)
			continue;
		the->steps[i].since = the->looked;
		the->steps[i].until = the->now;
	}
	the->step_pending = false;
	the->looked = the->now;
	return set;
}

bool events_interrupted(struct events *e)
{
	(void)e;
	return the->interrupt;
}

/* --- packets under way --- */

static bool earlier(const struct world *w, uint32_t a, uint32_t b)
{
	const struct arrival *x = &w->pool[a], *y = &w->pool[b];

	return x->at != y->at ? x->at < y->at : x->order < y->order;
}

struct arrival *world_arrival(struct world *w, enum packet_kind kind, int64_t at)
{
	struct arrival *a;

	if (w->unused_count == 0) {
		world_fault(w, "the world's pool of packets is too small");
		return NULL;
	}
	a = &w->pool[w->unused[w->unused_count - 1]];
	memset(a, 0, offsetof(struct arrival, bytes));
	a->kind = (uint8_t)kind;
	a->at = a->stamped = at;
	a->order = w->order++;
	a->ifindex = 3;
	return a;
}

void world_put(struct world *w, const struct arrival *a)
{
	uint32_t place = (uint32_t)(a - w->pool), i = w->heap_count++;

	w->unused_count--;
	for (; i > 0 && earlier(w, place, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = place;
}

static uint32_t pop(struct world *w)
{
	uint32_t first = w->heap[0], last = w->heap[--w->heap_count], i = 0;

	for (uint32_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
		if (child + 1 < w->heap_count && earlier(w, w->heap[child + 1], w->heap[child]))
			child++;
		if (!earlier(w, w->heap[child], last))
			break;
		w->heap[i] = w->heap[child];
	}
	w->heap[i] = last;
	return first;
}

int capture_fd(const struct capture *c)
{
	(void)c;
	return CAPTURE_FD;
}

int capture_stats(struct capture *c, struct capture_stats *out)
{
	(void)c;
	*out = (struct capture_stats){.dropped = the->counts.drops};
	return 0;
}

static void deliver(struct world *w, const struct arrival *a, capture_handler handler,
		    void *context)
{
	struct captured p = {.stamp = world_wall(w, a->stamped), .bytes = a->bytes, .size = a->size,
			     .ifindex = a->ifindex, .outgoing = a->outgoing};

	w->current = a;
	w->judged = false;
	handler(&p, context);
	if (!w->judged && a->kind != PACKET_GARBAGE)
		world_fault(w, "a packet of kind %d that nobody judged", a->kind);
	w->counts.malformed += a->kind == PACKET_GARBAGE;
	w->current = NULL;
}

/* The ring keeps what came first. It is small, so that floods and stalls overflow it. */
int capture_drain(struct capture *c, capture_handler handler, void *context, uint64_t *not_ip,
		  struct bp_error *err)
{
	struct world *w = the;
	int n = 0;

	(void)c;
	(void)not_ip;
	(void)err;
	for (; w->heap_count > 0 && w->pool[w->heap[0]].at <= w->now; n++) {
		uint32_t place = pop(w);

		if (n >= RING) {
			struct line_truth *l = world_line(w, w->pool[place].seq);

			if (l != NULL)
				l->dropped++;
			w->counts.drops++;
			w->unused[w->unused_count++] = place;
			continue;
		}
		deliver(w, &w->pool[place], handler, context);
		w->unused[w->unused_count++] = place;
	}
	return n;
}

/* watch.c's question to flight.c goes through here. */
__typeof__(flights_take) __real_flights_take, __wrap_flights_take;
enum flight_verdict __wrap_flights_take(struct flights *fs, const struct match *m, int ifindex,
					struct wall stamp, struct mono now, struct flight_hit *hit)
{
	enum flight_verdict v = __real_flights_take(fs, m, ifindex, stamp, now, hit);

	the->judged = true;
	judge_packet(the, v, hit);
	return v;
}

/* --- probes out --- */

int sender_bind_device(struct sender *s, const char *ifname, struct bp_error *err)
{
	(void)s;
	(void)ifname;
	return bp_fail(err, BP_EUNSUP, "this world has one device");
}

int sender_bind_source(struct sender *s, struct addr src4, struct addr src6, uint32_t scope,
		       struct bp_error *err)
{
	(void)s;
	(void)src4;
	(void)src6;
	(void)scope;
	(void)err;
	return 0;
}

int sender_add(struct sender *s, struct addr dst, uint32_t scope, const struct probe_packet *p)
{
	(void)s;
	(void)dst;
	(void)scope;
	if (the->batch_count == 64)
		return BP_EAGAIN;
	the->batch[the->batch_count] = *p;
	return (int)the->batch_count++;
}

unsigned sender_flush(struct sender *s, struct send_result results[static SEND_BATCH])
{
	struct world *w = the;
	unsigned count = w->batch_count;
	bool full = false;

	(void)s;
	for (unsigned i = 0; i < count; i++) {
		go_to(w, w->now + 3 * NS_PER_US);
		full = full || world_chance(w, 5000);
		results[i] = (struct send_result){.sent = SENT_OK};
		if (full) {
			results[i].sent = SENT_LATER;
			w->counts.later++;
			continue;
		}
		if (world_chance(w, 2000)) {
			results[i] = (struct send_result){SENT_REFUSED, EPERM};
			w->counts.refused++;
		}
		w->counts.probes += results[i].sent == SENT_OK;
		traffic_carry(w, &w->batch[i], results[i].sent == SENT_REFUSED);
	}
	w->batch_count = 0;
	return count;
}

/* --- addresses and ports --- */

const char *route_ifname(struct route_names *n, int ifindex)
{
	(void)n;
	return ifindex == 5 ? "br0" : "eth0";
}

int route_ifindex(struct route_names *n, const char *name, struct bp_error *err)
{
	(void)n;
	return bp_fail(err, BP_ENOTFOUND, "no device %s", name);
}

int route_source(const struct route_want *want, struct addr *out, struct bp_error *err)
{
	(void)err;
	return addr_parse(want->dst.family == 4 ? "192.0.2.100" : "2001:db8:100::1", out);
}

void ports_init(struct ports *p)
{
	p->count = 0;
}

void ports_fini(struct ports *p)
{
	(void)p;
}

int port_hold(struct ports *p, enum method method, uint8_t family, uint16_t port,
	      struct bp_error *err)
{
	(void)p;
	(void)method;
	(void)family;
	if (world_chance(the, 50))
		return bp_fail(err, BP_EAGAIN, "port %u is taken", port);
	the->held_ports++;
	return 0;
}

void port_release(struct ports *p, enum method method, uint8_t family, uint16_t port)
{
	(void)p;
	(void)method;
	(void)family;
	(void)port;
	the->held_ports--;
}

/* --- the loop's poll --- */

static void read_frames(struct world *w)
{
	struct buf *b = &w->out.bytes;
	size_t at = 0;

	while (b->used - at >= sizeof(struct frame_head)) {
		struct frame_head head;

		memcpy(&head, b->bytes + at, sizeof(head));
		at += sizeof(head);
		if (head.magic != FRAME_MAGIC || head.size > b->used - at) {
			world_fault(w, "half a frame");
			return;
		}
		w->counts.hops += head.type == FRAME_HOP;
		w->counts.progress += head.type == FRAME_PROGRESS;
		if (head.type == FRAME_TRACE) {
			struct trace *t = malloc(head.size);

			memcpy(t, b->bytes + at, head.size);
			judge_trace(w, t, head.size);
			free(t);
		}
		at += head.size;
	}
	buf_clear(b);
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static void look_at_memory(struct world *w)
{
	uint64_t bytes = __sanitizer_get_current_allocated_bytes ?
				 __sanitizer_get_current_allocated_bytes() :
				 mallinfo2().uordblks + mallinfo2().hblkhd;

	if (w->now - w->start < w->script.warm_ns) {
		if (bytes > w->counts.memory_warm)
			w->counts.memory_warm = bytes;
	} else if (bytes > w->counts.memory_most) {
		w->counts.memory_most = bytes;
	}
}

/* To the next moment at which something happens, and a little later: the machine is busy. */
static void sleep_until(struct world *w, int64_t until)
{
	if (w->heap_count > 0 && w->pool[w->heap[0]].at < until)
		until = w->pool[w->heap[0]].at;
	if (until < w->now)
		until = w->now;
	until += 1 + (int64_t)world_random(w, 60 * NS_PER_US);
	if (until >= w->next_stall) {
		until += (int64_t)world_random(w, 6 * NS_PER_S);
		w->next_stall = until + about(w, w->script.stall_every_ns);
		w->counts.stalls++;
	}
	if (until >= w->next_flood) {
		traffic_flood(w);
		w->next_flood = until + about(w, w->script.flood_every_ns);
	}
	go_to(w, until);
	if (w->script.interrupt_ns > 0 && w->now - w->start >= w->script.interrupt_ns)
		w->interrupt = true;
}

__typeof__(ppoll) __wrap_ppoll;
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		 const sigset_t *mask)
{
	struct world *w = the;
	int64_t wait = timeout->tv_sec * NS_PER_S + timeout->tv_nsec;
	int ready = 0;

	(void)mask;
	read_frames(w);
	w->counts.rounds++;
	w->counts.idle_rounds += wait == 0;
	if (w->counts.rounds % 4096 == 0)
		look_at_memory(w);
	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = 0;
		if (fds[i].events & POLLIN && fds[i].fd >= 0 && fds[i].fd < CAPTURE_FD &&
		    !w->plan_ended && feed_plan(w)) {
			fds[i].revents = POLLIN;
			ready++;
		}
	}
	sleep_until(w, ready > 0 ? w->now : w->now + wait);
	for (nfds_t i = 0; i < n; i++) {
		if ((fds[i].fd == CAPTURE_FD && w->heap_count > 0 &&
		     w->pool[w->heap[0]].at <= w->now) ||
		    (fds[i].fd == SIGNAL_FD && w->interrupt && !w->script.hangs_up)) {
			fds[i].revents = POLLIN;
			ready++;
		}
		if (fds[i].events & POLLRDHUP && w->interrupt) {
			fds[i].revents = POLLRDHUP;
			ready++;
		}
	}
	return ready;
}

/* --- beginning and end --- */

struct world *world_new(const struct world_script *script)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->script = *script;
	w->random = script->seed;
	w->now = w->start = w->looked = 1000 * NS_PER_S;
	w->end = w->start + script->length_ns;
	w->steps[w->step_count++] = (struct step_truth){.offset = 1700000000 * NS_PER_S};
	w->next_step = w->now + about(w, script->step_every_ns);
	w->next_stall = w->now + about(w, script->stall_every_ns);
	w->next_flood = w->now + about(w, script->flood_every_ns);
	w->pool = calloc(WORLD_ARRIVALS, sizeof(w->pool[0]));
	w->heap = calloc(WORLD_ARRIVALS, sizeof(w->heap[0]));
	w->unused = calloc(WORLD_ARRIVALS, sizeof(w->unused[0]));
	w->lines = calloc(WORLD_LINES, sizeof(w->lines[0]));
	w->open = calloc(WORLD_TARGETS, sizeof(w->open[0]));
	w->next_seq = 1;
	w->plan_write = -1;
	if (!w->pool || !w->heap || !w->unused || !w->lines || !w->open) {
		world_free(w);
		return NULL;
	}
	while (w->unused_count < WORLD_ARRIVALS) {
		w->unused[w->unused_count] = w->unused_count;
		w->unused_count++;
	}
	output_init(&w->out, -1);
	limits_defaults(&w->tools.limits);
	w->tools.unlimited = true;
	w->tools.lo_index = 1;
	w->tools.events.signal_fd = SIGNAL_FD;
	w->tools.peer.socket = script->hangs_up;
	memcpy(w->tools.key, key, sizeof(key));
	the = w;
	return w;
}

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	the = NULL;
	free(w->pool);
	free(w->heap);
	free(w->unused);
	free(w->lines);
	free(w->open);
	output_fini(&w->out);
	free(w);
}

const struct world_counts *world_counts(const struct world *w)
{
	return &w->counts;
}

const char *world_run(struct world *w)
{
	struct bp_error err = {0};
	struct run_end end;
	struct plan_run plan;
	struct buf head;
	int fds[2], rc;

	if (pipe(fds) < 0)
		return "no pipe";
	w->plan_write = fds[1];
	plan_run_defaults(&plan);
	plan.rate_pps = w->script.rate_pps;
	plan.window = w->script.window;
	plan.progress = plan.hops = true;
	if (w->script.rate_pps == 0)
		plan.prefix_mpps = plan.router_pps = 0;
	buf_init(&head);
	plan_write_header(&head);
	plan_write_run(&head, &plan);
	if (write(fds[1], head.bytes, head.used) != (ssize_t)head.used)
		world_fault(w, "the plan's head does not fit the pipe");
	buf_fini(&head);
	rc = run_plan(&w->tools, fds[0], &w->out, &end, &err);
	read_frames(w);
	if (rc < 0)
		world_fault(w, "the run failed: %s", err.text);
	judge_end(w, &end);
	close(fds[0]);
	close(fds[1]);
	return w->fault[0] != '\0' ? w->fault : NULL;
}
