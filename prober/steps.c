// SPDX-License-Identifier: BSD-2-Clause
/* Which round-trip times a clock step voids. */
#include "prober/steps.h"

#include <string.h>

void steps_add(struct steps *s, struct mono since, struct mono until)
{
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
