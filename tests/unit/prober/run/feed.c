// SPDX-License-Identifier: BSD-2-Clause
/* The plan of the day: lines as the pipe has room for them, targets drawn again and again. */
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "tests/unit/prober/run/world.h"

enum { PLAN_PIECE = 2000 };

struct line_truth *world_line(struct world *w, uint64_t seq)
{
	struct line_truth *l = &w->lines[seq % WORLD_LINES];

	return l->state != LINE_FREE && l->seq == seq ? l : NULL;
}

static struct addr target_address(uint64_t target)
{
	uint8_t v4[4] = {198, 18, (uint8_t)(target >> 8), (uint8_t)target};
	uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 7, (uint8_t)(target >> 8), (uint8_t)target,
			  [15] = 1};

	return target % 3 == 0 ? addr_v6(v6) : addr_v4(v4);
}

/* The next line of the plan, into out. False: a line of so long ago is still open. */
static bool next_line(struct world *w, struct buf *out)
{
	static const enum method methods[] = {METHOD_ICMP, METHOD_UDP, METHOD_TCP};
	uint64_t target = world_random(w, WORLD_TARGETS), seq = w->next_seq, k = 0;
	struct line_truth *l = &w->lines[seq % WORLD_LINES];

	if (l->state == LINE_OPEN)
		return false;
	while (w->open[target][3] != 0)
		target = (target + 1) % WORLD_TARGETS;
	while (w->open[target][k] != 0)
		k++;
	w->open[target][k] = seq;
	memset(l, 0, sizeof(*l));
	l->seq = seq;
	l->state = LINE_OPEN;
	plan_trace_defaults(&l->plan);
	l->plan.seq = seq;
	l->plan.dst = target_address(target);
	l->plan.method = (uint8_t)methods[world_random(w, 3)];
	l->plan.flow = (uint16_t)world_random(w, 2);
	l->plan.first_ttl = world_chance(w, 10) ? 4 : 1;
	l->plan.max_ttl = WORLD_TTLS;
	l->plan.attempts = (uint8_t)(1 + world_random(w, 3));
	l->plan.gap_limit = (uint8_t)(3 + world_random(w, 4));
	l->plan.wait_ms = (uint32_t)(500 + world_random(w, 1500));
	l->plan.budget_ms = world_chance(w, 20) ? 3000 : 0;
	plan_write_trace(out, &l->plan);
	w->next_seq++;
	return true;
}

bool feed_plan(struct world *w)
{
	bool over = w->now >= w->end || w->interrupt, written;
	struct buf b;

	buf_init(&b);
	while (!over && b.used < PLAN_PIECE && next_line(w, &b))
		;
	if (over) {
		plan_write_end(&b);
		w->plan_ended = true;
	}
	if (write(w->plan_write, b.bytes, b.used) != (ssize_t)b.used)
		world_fault(w, "the plan does not fit the pipe");
	written = b.used > 0;
	buf_fini(&b);
	return written;
}
