// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared beginnings of a run (`trace --shared-beginnings`): which target is asked whole and which
 * from the anchor on, what becomes of their traces, and when what was learned is learned anew.
 * Stands between the plan (trace_plan.h) and what is shown: the prober only sees lines with another
 * first TTL. What a beginning is, and what confirms it, is analysis/beginning.h's.
 *
 *   - Per method, family, port and flow, the first targets are traced whole (scouts, six), and so
 *     is the first target of every prefix that the profile keeps verdicts for. Six is the number of
 *     flows that rules out a second branch with 95 % in multipath detection: three would agree on
 *     one side of a two-way balancer by destination in one run of four, six in one of 32.
 *   - Later targets are asked from the anchor on. Where that does not confirm the beginning, the
 *     target is traced again whole, and only that trace is handed out; its counters include the
 *     probes of the first attempt.
 *   - Every 64th target, and one a minute, is traced whole as a check. Another way seen by a check
 *     or at the anchor means: learn anew, from the whole trace of that target and of those after
 *     it. So where two ways are in use at once, only what both have in common is shared from then
 *     on; after the sixth time the run goes on without.
 *
 * Memory: lines in flight, at most SHARED_LINES_MAX of them, each with the first attempt's trace
 * while it is asked again; and for each flow a handful of whole traces, and the prefixes that have
 * had their whole trace, up to 1024 (targets of others beyond that are all traced whole).
 */
#ifndef CLI_TRACE_SHARED_H
#define CLI_TRACE_SHARED_H

#include "campaign/probe.h"
#include "cli/options.h"
#include "cli/trace_options.h"
#include "cli/trace_plan.h"

enum {
	SHARED_LINES_MAX = 4096,
	SHARED_SCOUTS = 6,
	SHARED_CHECK_TARGETS = 64,
	SHARED_CHECK_SECONDS = 60,
	SHARED_CHANGES_MAX = 6,
	SHARED_DOUBTS_MAX = 8, /* in a row: as good as another way */
};

struct trace_shared;

/* Everything is borrowed for its life. NULL: out of memory. */
struct trace_shared *trace_shared_new(const struct trace_options *o, struct trace_plan *plan,
				      const struct session *session);
void trace_shared_free(struct trace_shared *s);

/* The next lines, as probe_run's `more`. */
enum probe_more trace_shared_more(struct trace_shared *s, struct buf *out);
/* Takes a trace of the child. *out is what is to be shown of its target (owned: free), with the seq
 * that the plan gave it; NULL: nothing yet, it is asked again. */
int trace_shared_take(struct trace_shared *s, const struct trace *t, struct trace **out,
		      struct bp_error *err);
/* After the last trace: the first attempts whose second did not come, one a call, as interrupted;
 * NULL: no more. Owned. */
struct trace *trace_shared_left(struct trace_shared *s);
/* What is to be told of the run since the last call, NULL: nothing. Borrowed until then. */
const char *trace_shared_note(struct trace_shared *s);

#endif
