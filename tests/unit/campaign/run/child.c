// SPDX-License-Identifier: BSD-2-Clause
/*
 * The scripted prober: takes the lines that the daemon gives, sends them one after the other at the
 * rate it was told, and answers a while later with traces that a reader can check. It can die, be
 * slow, hear nothing, and say nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/probe.h"
#include "tests/unit/campaign/run/world.h"

enum { PROBES_A_LINE = 7 };
#define HEARTBEAT_NS (20 * NS_PER_S)

struct probe {
	const struct probe_run *orders;
	struct asked *lines;  /* in hand */
	unsigned count, room;
	int64_t busy;         /* sends until then */
	int64_t spoke;
	bool wants, closed, stopped, dead;
};

int __wrap_probe_start(struct probe **out, struct bp_error *err);
void __wrap_probe_begin(struct probe *p, const struct probe_run *r);
void __wrap_probe_fds(const struct probe *p, struct pollfd fds[static PROBE_FDS]);
int __wrap_probe_step(struct probe *p, const struct pollfd fds[static PROBE_FDS], bool *over,
		      struct bp_error *err);
void __wrap_probe_go_on(struct probe *p);
void __wrap_probe_stop(struct probe *p);
void __wrap_probe_kill(struct probe *p);
int __wrap_probe_end(struct probe *p, struct frame_end *end, struct bp_error *err);
void __wrap_plan_write_trace(struct buf *out, const struct plan_trace *t);

/* --- what it finds --------------------------------------------------------------------------- */

static uint32_t hash(const char *text, uint32_t h)
{
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h ^ (h >> 15);
}

static void add(struct trace *t, uint8_t ttl, bool answered, bool is_end, bool moved)
{
	struct trace_entry *e = &t->entries[t->entry_count++];
	const uint8_t khasan[4] = {188, 43, 7, ttl}, dandong[4] = {219, 158, 7, ttl};

	trace_entry_init(e, ttl, 1);
	e->tx_ns = ttl * 20 * NS_PER_MS;
	e->why = answered ? WHY_NONE : WHY_TIMEOUT;
	if (!answered)
		return;
	e->reply.from = is_end ? t->dst : addr_v4(moved ? dandong : khasan);
	e->reply.icmp_type = is_end ? 0 : 11;
	e->reply.icmp_code = 0;
	e->reply.rtt_ns = ttl * 5 * NS_PER_MS + hash(t->id, ttl) % 1000 * NS_PER_US;
	e->reply.reply_ttl = (int16_t)(64 - ttl);
	e->reply.size = 56;
}

struct trace *child_trace(struct world *w, const struct plan_trace *p, const char *id,
			  bool offline, bool moved)
{
	struct trace *t = trace_new(8);

	if (t == NULL) {
		world_fault(w, "out of memory");
		return NULL;
	}
	text_set(t->id, sizeof(t->id), id);
	text_set(t->vantage, sizeof(t->vantage), "fra1");
	text_set(t->target, sizeof(t->target), p->target);
	text_set(t->tool, sizeof(t->tool), "borderpath 0.1.0");
	t->seq = p->seq;
	t->src = addr_v4((const uint8_t[4]){10, 0, 0, 5});
	t->dst = p->dst;
	t->method = METHOD_ICMP;
	t->sport = 7;
	t->flow = p->flow;
	t->attempts = 1;
	t->first_ttl = 1;
	t->max_ttl = 32;
	t->stamps = STAMPS_PCAP;
	t->clock_known = true;
	t->drops = 0;
	for (uint8_t ttl = 1; ttl <= (offline ? 5 : 7); ttl++)
		add(t, ttl, !offline, ttl == 7, moved);
	t->reach = offline ? REACH_SILENT : REACH_REACHED;
	t->reached_by = offline ? REACHED_BY_NONE : REACHED_BY_ECHO_REPLY;
	t->stop = offline ? STOP_GAP_LIMIT : STOP_REACHED;
	t->sent = t->entry_count;
	t->received = offline ? 0 : t->entry_count;
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

static bool has_moved(const struct world *w, struct addr dst)
{
	return dst.family == 4 && dst.bytes[0] == 175 && dst.bytes[2] >= 176 &&
	       dst.bytes[2] < 180 && w->moved >> (dst.bytes[2] - 176) & 1;
}

static void hand_over(struct probe *p, unsigned place)
{
	struct world *w = the_world;
	struct asked a = p->lines[place];
	struct trace *t;
	char id[TRACE_ID_TEXT];

	p->lines[place] = p->lines[--p->count];
	snprintf(id, sizeof(id), "fra1-%s-%llu", w->tool_run, (unsigned long long)a.plan.seq);
	t = child_trace(w, &a.plan, id, w->now < w->offline_until,
			has_moved(w, a.plan.dst));
	if (t == NULL)
		return;
	t->end = world_wall(w);
	t->start = (struct wall){t->end.ns - (a.done - a.begun)};
	if (p->stopped || a.plan.budget_ms == UINT32_MAX) {
		t->stop = p->stopped ? STOP_INTERRUPTED : STOP_TIMEOUT;
		t->reach = REACH_UNKNOWN;
		t->reached_by = REACHED_BY_NONE;
	}
	p->orders->on_trace(p->orders->arg, t);
	p->wants = true;
	free(t);
	if (w->script.deaths_of > 0 && world_random(w, w->script.deaths_of) == 0)
		p->dead = true;
}

/* --- its life -------------------------------------------------------------------------------- */

int __wrap_probe_start(struct probe **out, struct bp_error *err)
{
	struct world *w = the_world;
	struct probe *p = calloc(1, sizeof(*p));

	(void)err;
	if (w->probe != NULL)
		world_fault(w, "a second prober beside the first");
	if (p == NULL)
		abort();
	snprintf(w->tool_run, sizeof(w->tool_run), "r%llu",
		 (unsigned long long)(w->now / NS_PER_MS));
	p->spoke = w->now;
	p->busy = w->now;
	*out = w->probe = p;
	return 0;
}

void __wrap_probe_begin(struct probe *p, const struct probe_run *r)
{
	p->orders = r;
	p->wants = true;
}

void __wrap_probe_fds(const struct probe *p, struct pollfd fds[static PROBE_FDS])
{
	(void)p;
	for (unsigned i = 0; i < PROBE_FDS; i++)
		fds[i] = (struct pollfd){.fd = -1};
}

void __wrap_plan_write_trace(struct buf *out, const struct plan_trace *t)
{
	struct world *w = the_world;
	struct probe *p = w->probe;
	int64_t took = NS_PER_S / 2 + (int64_t)world_random(w, 2 * NS_PER_S) + w->slow_ns;

	(void)out;
	if (p == NULL || p->closed) {
		world_fault(w, "a line for a prober that takes none");
		return;
	}
	if (p->count == p->room) {
		p->room = p->room == 0 ? 64 : 2 * p->room;
		p->lines = reallocarray(p->lines, p->room, sizeof(p->lines[0]));
		if (p->lines == NULL)
			abort();
	}
	if (p->busy < w->now)
		p->busy = w->now;
	if (p->orders->run.rate_pps > 0)
		p->busy += PROBES_A_LINE * NS_PER_S / p->orders->run.rate_pps;
	p->lines[p->count] = (struct asked){.plan = *t, .begun = p->busy, .done = p->busy + took};
	/* What would take longer than it may ends there, with what it has. */
	if (t->budget_ms > 0 && took > (int64_t)t->budget_ms * NS_PER_MS) {
		p->lines[p->count].done = p->busy + (int64_t)t->budget_ms * NS_PER_MS;
		p->lines[p->count].plan.budget_ms = UINT32_MAX;
	}
	p->count++;
	w->counts.lines++;
}

int __wrap_probe_step(struct probe *p, const struct pollfd fds[static PROBE_FDS], bool *over,
		      struct bp_error *err)
{
	struct world *w = the_world;
	struct buf out;

	(void)err;
	*over = p->dead;
	if (w->muted)
		return 0;
	if (fds[0].revents)
		p->spoke = w->now;
	if (w->doomed)
		p->dead = true;
	w->doomed = false;
	buf_init(&out);
	for (unsigned i = 0; !p->dead && i < p->count;) {
		if (p->stopped || p->lines[i].done <= w->now)
			hand_over(p, i);
		else
			i++;
	}
	while (!p->dead && !p->stopped && p->wants) {
		enum probe_more more = p->orders->more(p->orders->arg, &out);

		p->wants = more == PROBE_MORE_NOW;
		p->closed |= more == PROBE_MORE_NONE;
	}
	buf_fini(&out);
	*over = p->dead || ((p->closed || p->stopped) && p->count == 0);
	return 0;
}

void __wrap_probe_go_on(struct probe *p)
{
	p->wants = true;
}

void __wrap_probe_stop(struct probe *p)
{
	p->stopped = true;
}

void __wrap_probe_kill(struct probe *p)
{
	p->dead = true;
	the_world->muted = false;
}

int __wrap_probe_end(struct probe *p, struct frame_end *end, struct bp_error *err)
{
	struct world *w = the_world;
	bool dead = p->dead;

	*end = (struct frame_end){.interrupted = p->stopped};
	free(p->lines);
	free(p);
	w->probe = NULL;
	w->counts.deaths += dead;
	return dead ? bp_fail(err, BP_EIO, "borderpath-probe died") : 0;
}

int64_t child_due(const struct world *w)
{
	const struct probe *p = w->probe;
	int64_t due;

	if (p == NULL || p->orders == NULL || w->muted)
		return INT64_MAX;
	if (p->dead || p->wants || w->doomed || p->stopped || (p->closed && p->count == 0))
		return w->now;
	due = p->spoke + HEARTBEAT_NS;
	for (unsigned i = 0; i < p->count; i++) {
		if (p->lines[i].done < due)
			due = p->lines[i].done;
	}
	return due;
}
