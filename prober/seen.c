// SPDX-License-Identifier: BSD-2-Clause
/* A direct-mapped cache of addresses. */
#include "prober/seen.h"

bool seen_new(struct seen *s, struct addr a)
{
	struct addr *place = &s->places[addr_hash(a) % SEEN_ROOM];

	if (addr_equal(*place, a))
		return false;
	*place = a;
	return true;
}
