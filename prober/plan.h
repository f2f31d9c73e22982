// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plan: what borderpath-probe reads on stdin, after it has dropped its privileges. Lines of
 * text, `key=value` words separated by single spaces; typed probes only, never bytes. Untrusted:
 * a bad line ends the run with its number. Owns the grammar; opens nothing.
 *
 *   plan   = "borderpath-plan 1" LF  run-line  *avoid-line  *trace-line  "end" LF
 *   run    = "run" [vantage=NAME] [seed=HEX16] [rate_pps=N|max] [prefix_pps=N|max]
 *            [router_pps=N|max] [ifname=IF] [src=ADDR] [src6=ADDR] [window=N] [progress=0|1]
 *            [hops=0|1] LF
 *   trace  = "trace" seq=N dst=ADDR method=icmp|udp|tcp [dport=N] [flow=N] [first=TTL] [max=TTL]
 *            [multipath=LEVEL] [attempts=N] [gap=N] [wait_ms=N] [budget_ms=N] [target=TEXT] LF
 *   avoid  = "avoid" prefix=PREFIX LF
 * There are at most PLAN_AVOIDS_MAX avoid lines. TEXT is percent-encoded (%20). Lines are at most
 * PLAN_LINE_MAX bytes. `seed` (from the vantage point's name) makes the flow's ports stable from
 * run to run.
 * The plan may arrive slowly: targets are measured while later lines are still unread.
 */
#ifndef PROBER_PLAN_H
#define PROBER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/record/trace.h"

enum { PLAN_LINE_MAX = 2048, PLAN_AVOIDS_MAX = 65536 };

struct plan_run {
	char vantage[TRACE_VANTAGE_TEXT];
	uint64_t seed;
	uint32_t rate_pps, router_pps;             /* 0: max, where the limits allow it */
	uint64_t prefix_mpps;                      /* likewise; in thousandths: many who share a
						    * network's cap have less than one */
	char ifname[TRACE_IFNAME_TEXT];            /* empty: by route */
	struct addr src4, src6;                    /* none: by route */
	uint32_t window;                           /* targets in flight, 1..4096; 0: as
						    * needed */
	bool progress;                             /* send PROGRESS frames */
	bool hops;                                 /* send HOP frames */
};

struct plan_trace {
	uint64_t seq;
	struct addr dst;
	uint8_t method;     /* enum method */
	uint16_t dport;     /* host order; 0: the method's default */
	uint16_t flow;      /* with multipath: the first one */
	uint8_t multipath;  /* level of confidence, percent, 50..99: as many flows as that needs; 0:
			     * this one flow */
	uint8_t first_ttl, max_ttl, attempts, gap_limit;
	uint32_t wait_ms;   /* longest wait for one probe */
	uint32_t budget_ms; /* for the whole target; 0: none */
	char target[TRACE_NAME_TEXT];
};

/* Defaults of the interface. PLAN_RATE_PPS_DEFAULT is the polite default that the help states. */
enum {
	PLAN_RATE_PPS_DEFAULT = 100,
	PLAN_PREFIX_PPS_DEFAULT = 25,
	PLAN_ROUTER_PPS_DEFAULT = 5,
	PLAN_WINDOW_DEFAULT = 0,
	PLAN_WINDOW_MAX = 4096,
	/* What the caps let through at once: the engine's pacing, for those who foresee a run. */
	PLAN_BURST = 40,
	PLAN_ROUTER_BURST = 6,
	PLAN_FIRST_TTL_DEFAULT = 1,
	PLAN_MAX_TTL_DEFAULT = 32,
	PLAN_ATTEMPTS_DEFAULT = 3,
	PLAN_GAP_LIMIT_DEFAULT = 5,
	PLAN_WAIT_MS_DEFAULT = 2000,
	PLAN_UDP_DPORT_DEFAULT = 33434,
	PLAN_TCP_DPORT_DEFAULT = 80,
};

enum plan_line { PLAN_LINE_HEADER, PLAN_LINE_RUN, PLAN_LINE_AVOID, PLAN_LINE_TRACE, PLAN_LINE_END };

/* Parses one line without its newline (n bytes, may hold any byte). On success *kind tells which of
 * run, trace or avoid was filled (defaults where a word is absent). BP_EPARSE or BP_ERANGE with a
 * reason; the caller adds the line number and checks the order of lines. */
int plan_parse_line(const char *line, size_t n, enum plan_line *kind, struct plan_run *run,
		    struct plan_trace *trace, struct prefix *avoid, struct bp_error *err);

struct buf;
/* The inverse: appends the line, newline included. */
void plan_write_header(struct buf *out);
void plan_write_run(struct buf *out, const struct plan_run *run);
void plan_write_avoid(struct buf *out, struct prefix p);
void plan_write_trace(struct buf *out, const struct plan_trace *trace);
void plan_write_end(struct buf *out);
void plan_run_defaults(struct plan_run *run);
void plan_trace_defaults(struct plan_trace *trace);

#endif
