// SPDX-License-Identifier: BSD-2-Clause
/*
 * One line of what `bgpdump -m` prints of routing tables and updates (MRT), as a value:
 *
 *	TABLE_DUMP2|1506816000|B|203.0.113.1|64500|175.45.176.0/24|64500 4837 131279|IGP|...
 *	BGP4MP|1506848871|A|203.0.113.1|64500|175.45.176.0/24|64500 20485 131279|IGP|...
 *	BGP4MP|1506848872|W|203.0.113.1|64500|175.45.176.0/24
 *	BGP4MP|1506848873|STATE|203.0.113.1|64500|6|1
 *
 * Of a path only its end is kept: who originates, and who stands before it. Reads no file.
 */
#ifndef CORE_RECORD_BGPLINE_H
#define CORE_RECORD_BGPLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"

enum { BGPLINE_MAX = 65536 }; /* a line is shorter */

enum bgp_kind {
	BGP_UNKNOWN,
	BGP_TABLE,    /* of a table: this peer's route at the time of the dump */
	BGP_ANNOUNCE, BGP_WITHDRAW,
	BGP_UP,       /* the session with the peer came up, or is on its way */
	BGP_DOWN,     /* it was lost, and all its routes with it */
};

struct bgp_line {
	uint8_t kind;
	struct wall time;
	struct addr peer;
	uint32_t peer_as;
	struct prefix prefix;  /* not set: BGP_UP, BGP_DOWN */
	/* Of a route. The last network of the path: 0 where it is a set of several (aggregated).
	 * The one before it, however often it repeats itself: 0 where there is none (the peer is
	 * the origin) or a set. */
	uint32_t origin, upstream;
};

/* n bytes without the newline. BP_EPARSE, BP_ERANGE: err says what is wrong with it. */
int bgpline_parse(const char *line, size_t n, struct bgp_line *out, struct bp_error *err);

#endif
