// SPDX-License-Identifier: BSD-2-Clause
/* Which round-trip times a clock that was set or slewed voids. */
#include "prober/steps.h"

#include <string.h>

void steps_add(struct steps *s, struct mono since, struct mono until)
{
	struct step *last = s->count > 0 ? &s->items[s->count - 1] : NULL;

	if (last != NULL && since.ns <= last->until.ns) {
		last->since = mono_min(last->since, since);
		if (until.ns > last->until.ns)
			last->until = until;
		return;
	}
	if (s->count == STEPS_ROOM) {
		s->items[1].since = s->items[0].since;
		s->count--;
		memmove(&s->items[0], &s->items[1], s->count * sizeof(s->items[0]));
	}
	s->items[s->count++] = (struct step){since, until};
}

bool steps_between(const struct steps *s, struct mono a, struct mono b)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->items[i].since.ns <= b.ns && s->items[i].until.ns >= a.ns)
			return true;
	}
	return false;
}

bool steps_look(struct steps *s, struct slew *w, struct clock_pair pair, struct mono at)
{
	int64_t passed = pair.raw_ns - w->pair.raw_ns;
	int64_t apart = pair.wall.ns - w->pair.wall.ns - passed;
	int64_t allowed = passed / (1000000 / SLEW_PPM) + NS_PER_US + pair.unsure_ns +
			  w->pair.unsure_ns;
	bool slewed = w->pair.wall.ns != 0 && (apart > allowed || apart < -allowed);

	if (slewed)
		steps_add(s, w->at, at);
	if (slewed || w->pair.wall.ns == 0 || passed >= SLEW_WINDOW_NS)
		*w = (struct slew){pair, at};
	return slewed;
}
