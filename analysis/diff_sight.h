// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a trace shows, reduced to what a diff compares: the way (who answered at which TTL, in whose
 * network, what was silent), and the verdict without its texts. As bytes that are equal for equal
 * sights, so that each is kept once (diff_intern.h). The destination's own address is only "the
 * destination": targets behind the same routers share one way.
 */
#ifndef ANALYSIS_DIFF_SIGHT_H
#define ANALYSIS_DIFF_SIGHT_H

#include "analysis/diff.h"
#include "analysis/diff_intern.h"

enum { WAY_TTLS = 256, WAY_ADDRS = 4, WAY_DESTINATION = 1 /* addr.family of the destination */ };

struct way_hop {
	uint8_t ttl;
	uint8_t count;  /* addresses, at most WAY_ADDRS; 0: only its network is known */
	uint8_t hidden; /* in no table: may be anybody */
	uint8_t unused;
	uint16_t first; /* of its addresses, in those of the way */
	uint16_t unused2;
	uint32_t asn;   /* of the first address that has one; 0 none */
};

/* TTLs at which nobody answered have no hop. Behind the hops lie the networks, then the
 * addresses: as many as there are. */
struct way {
	uint8_t last;   /* the TTL at which the destination answered; 0: it did not */
	uint8_t reached;
	uint8_t hop_count;
	uint8_t as_count;
	struct way_hop hops[];
};
_Static_assert(_Alignof(struct way_hop) == _Alignof(uint32_t) && _Alignof(struct addr) == 1,
	       "no padding between the parts of a way");

/* Networks in order, each once in a row: as_count of them. */
static inline const uint32_t *way_as_path(const struct way *w)
{
	return (const uint32_t *)&w->hops[w->hop_count];
}
/* The addresses of one of its hops. */
static inline const struct addr *way_addrs(const struct way *w, const struct way_hop *h)
{
	return (const struct addr *)(way_as_path(w) + w->as_count) + h->first;
}

struct sight_verdict {
	struct diff_verdict v;
	/* Of an undetermined one: what its evidence gives each share, by its index. */
	double weight[VERDICT_BORDERS_MAX + 1];
};

/* Addresses without an AS, and exchanges by the profile's labels, are no networks of a way. names
 * may be NULL. BP_ENOMEM. */
int sight_way(const struct trace *t, const struct names *names, const struct profile *p,
	      struct intern *ways, uint32_t *number);
/* v may be NULL. */
int sight_verdict(const struct verdict *v, struct intern *verdicts, uint32_t *number);
/* Several verdicts together, each counted so often (border_judge_list). BP_ENOMEM. */
struct sight_votes { const struct sight_verdict *verdict; unsigned count; };
int sight_judge(const struct sight_votes *votes, unsigned n, struct diff_verdict *out);
bool sight_decided(const struct diff_verdict *v);

#endif
