// SPDX-License-Identifier: BSD-2-Clause
/*
 * The second pass over a trace, whole: what is faster than light is marked, the addresses are
 * named, the border is judged; for every command and for the daemon. With a cache, traces of one
 * path to one target are judged once: verdicts and names are the same with it and without it.
 * Knows neither files nor stores.
 *
 * Memory of a cache: at most `slots` paths of some 7 kB (15 hops), and about as many addresses of
 * half a kB.
 */
#ifndef ANALYSIS_JUDGE_PASS_H
#define ANALYSIS_JUDGE_PASS_H

#include "core/clock.h"
#include "core/record/names.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"
#include "geo/geo.h"
#include "geo/profile.h"

struct judge_cache;

struct judge_pass {
	const struct geo *geo;         /* borrowed, as the next */
	const struct profile *profile;
	struct judge_cache *cache;     /* NULL: without */
	uint64_t judged, found;        /* traces in all; of them from the cache */
};

enum { JUDGE_PASS_SLOTS = 4096 }; /* for a long stream of records: some 28 MB */

/* slots 0: no cache. geo and profile stay as they are until judge_pass_fini. BP_ENOMEM. */
int judge_pass_init(struct judge_pass *j, const struct geo *geo, const struct profile *profile,
		    unsigned slots);
void judge_pass_fini(struct judge_pass *j);

/* For who would judge many traces by one: what the profile says changes at its dates only. How many
 * of them are not after `when`; the first that is, 0 when there is none. Only with a cache. */
uint32_t judge_pass_epoch(const struct judge_pass *j, struct wall when);
struct wall judge_pass_next_date(const struct judge_pass *j, struct wall when);

/* Names every address of t into names (initialised by the caller; host names in it stay, see
 * annotate), flags its answers with REPLY_FTL where the place is known, and fills *out. A trace
 * without a time is judged as of now. BP_ENOMEM: names may be filled in part, *out is untouched. */
int judge_pass_trace(struct judge_pass *j, struct trace *t, struct names *names, struct wall now,
		     struct verdict *out);

/* For who judges thousands of ways, each by one trace that is there for no other end. Whether the
 * databases name everything, whatever a record says: only then the next may be called. */
bool judge_pass_names_alone(const struct judge_pass *j);
/* The same verdict on a trace with a time. names is the caller's from trace to trace, between the
 * same two dates: those who answered are added where they are missing; it is told neither the
 * source nor other addresses. Nothing is kept of the verdict. */
int judge_pass_way(struct judge_pass *j, struct trace *t, struct names *names, struct wall now,
		   struct verdict *out);

#endif
