// SPDX-License-Identifier: BSD-2-Clause
/* Which slot of the grid is due, late, jumped over or still to come. Reads no clock. */
#include "campaign/schedule.h"

/* Of the splitmix64 generator (Steele, Lea, Flood 2014): all bits of x reach all of the result. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t seed_text(uint64_t seed, const char *text)
{
	for (; *text != '\0'; text++)
		seed = mix(seed ^ (uint8_t)*text);
	return mix(seed);
}

void schedule_init(struct schedule *s, int64_t every_ns, int64_t offset_ns, int64_t jitter_ns,
		   struct wall since, struct wall until, const char *campaign, const char *vantage,
		   struct wall last)
{
	*s = (struct schedule){.every_ns = every_ns,
			       .offset_ns = offset_ns,
			       .jitter_ns = jitter_ns,
			       .since = since,
			       .until = until,
			       .seed = seed_text(seed_text(0, campaign), vantage),
			       .last = last};
}

int64_t schedule_jitter(const struct schedule *s, struct wall slot)
{
	unsigned __int128 wide = mix(s->seed ^ mix((uint64_t)slot.ns));

	/* The hash as a fraction of 1, times jitter. */
	return (int64_t)(wide * (uint64_t)s->jitter_ns >> 64);
}

int64_t schedule_late(const struct schedule *s)
{
	return s->every_ns / 2 < 60 * NS_PER_S ? s->every_ns / 2 : 60 * NS_PER_S;
}

/* The latest slot at or before t. */
static struct wall slot_at(const struct schedule *s, struct wall t)
{
	int64_t into = (t.ns - s->offset_ns) % s->every_ns;

	return (struct wall){t.ns - (into < 0 ? into + s->every_ns : into)};
}

static struct wall next_slot(const struct schedule *s)
{
	struct wall next = {slot_at(s, s->last).ns + s->every_ns};

	if (s->since.ns != 0 && next.ns < s->since.ns)
		next.ns = slot_at(s, (struct wall){s->since.ns - 1}).ns + s->every_ns;
	return next;
}

static bool is_over(const struct schedule *s, struct wall slot)
{
	return s->until.ns != 0 && slot.ns >= s->until.ns;
}

static int64_t due_at(const struct schedule *s, struct wall slot)
{
	return slot.ns + schedule_jitter(s, slot);
}

/* The run of slots from first on that were due at `bound` or before. */
static enum schedule_what miss(struct schedule *s, struct wall first, int64_t bound,
			       enum round_why why, struct schedule_gap *gap)
{
	struct wall to = slot_at(s, (struct wall){bound});

	/* No jitter is longer than the time between slots: only the last one may be not due yet. */
	if (due_at(s, to) > bound)
		to.ns -= s->every_ns;
	if (is_over(s, to))
		to = slot_at(s, (struct wall){s->until.ns - 1});
	gap->first = first;
	gap->count = (uint64_t)((to.ns - first.ns) / s->every_ns) + 1;
	gap->why = (uint8_t)why;
	s->last = to;
	return SCHEDULE_MISSED;
}

enum schedule_what schedule_look(struct schedule *s, struct wall wall, struct mono mono,
				 struct wall *slot, struct schedule_gap *gap, int64_t *wait_ns)
{
	int64_t late = schedule_late(s), due, awake = wall.ns;
	struct wall next;

	/* Where the wall clock would stand if nobody had set it forward. */
	if (s->looked && wall.ns - s->wall_then.ns - mono_since(mono, s->mono_then) >
				 SCHEDULE_STEP_NS)
		awake = s->wall_then.ns + mono_since(mono, s->mono_then);
	if (s->last.ns > wall.ns + SCHEDULE_BACK_NS)
		s->left = s->last;
	if (s->last.ns == 0 || s->last.ns > wall.ns + SCHEDULE_BACK_NS)
		s->last = slot_at(s, (struct wall){wall.ns - 1});
	next = next_slot(s);
	due = due_at(s, next);
	if (!is_over(s, next) && due < awake - late)
		return miss(s, next, awake - late - 1, ROUND_WHY_DOWN, gap);
	if (!is_over(s, next) && due <= wall.ns && awake != wall.ns)
		return miss(s, next, wall.ns, ROUND_WHY_CLOCK_STEP, gap);
	if (!is_over(s, next) && due <= wall.ns && s->running)
		return miss(s, next, wall.ns, ROUND_WHY_OVERRUN, gap);
	s->looked = true;
	s->wall_then = wall;
	s->mono_then = mono;
	if (is_over(s, next))
		return SCHEDULE_OVER;
	if (due <= wall.ns) {
		s->last = next;
		*slot = next;
		return SCHEDULE_START;
	}
	*wait_ns = due - wall.ns < SCHEDULE_WAIT_NS ? due - wall.ns : SCHEDULE_WAIT_NS;
	return SCHEDULE_WAIT;
}

void schedule_done(struct schedule *s)
{
	s->running = false;
}

struct wall schedule_next(const struct schedule *s, struct wall now)
{
	struct schedule ahead = *s;
	struct wall before = slot_at(s, (struct wall){now.ns - s->jitter_ns - 1}), next;

	if (ahead.last.ns < before.ns || ahead.last.ns > now.ns + SCHEDULE_BACK_NS)
		ahead.last = s->last.ns == 0 ? slot_at(s, (struct wall){now.ns - 1}) : before;
	for (next = next_slot(&ahead); due_at(s, next) < now.ns; next = next_slot(&ahead))
		ahead.last = next;
	return is_over(s, next) ? (struct wall){0} : (struct wall){due_at(s, next)};
}
