// SPDX-License-Identifier: BSD-2-Clause
/*
 * A world for the whole prober to run in: run_plan() itself, from the plan's bytes to the frames,
 * with a scripted clock, and io/ replaced by a network that loses, reorders, doubles, delays,
 * rewrites and forges real packet bytes. Keeps the truth about every probe and every answer, and
 * holds the prober to it: each packet as it is judged, each trace as it is handed over. The same
 * seed gives the same day.
 */
#ifndef TESTS_UNIT_PROBER_RUN_WORLD_H
#define TESTS_UNIT_PROBER_RUN_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "prober/flight.h"
#include "prober/run.h"

enum {
	WORLD_LINES = 2048,   /* of the plan, known at once: in flight, or gone so lately */
	WORLD_TARGETS = 3000, /* measured again and again */
	WORLD_TTLS = 24,
	WORLD_ATTEMPTS = 6,
	WORLD_REPLIES = 6,    /* of one probe: the answer and its duplicates */
	WORLD_STEPS = 64,     /* of the clock, remembered */
};

struct world_script {
	const char *name;
	uint64_t seed;
	int64_t length_ns;      /* targets begin for so long */
	int64_t warm_ns;        /* until then memory may grow, */
	uint64_t grow;          /* and then by so many bytes: arrays of slots used again */
	uint32_t rate_pps;      /* 0: as fast as it goes */
	uint32_t window;
	int64_t step_every_ns;  /* the clock is set or slewed so often, about; 0: never */
	int64_t stall_every_ns; /* the machine stands still so often, for up to 6 s; 0: never */
	int64_t flood_every_ns; /* forged packets come by the thousand; 0: never */
	int64_t interrupt_ns;   /* SIGINT comes; 0: never */
	bool hangs_up;          /* instead of it, the parent hangs up its side of a socket */
};

/* What really happened. Times are of the steady clock; 0: it did not. */
struct reply_truth {
	int64_t at, read;       /* arrived; read from the ring and judged */
	struct addr from;
	int16_t type, code;
	int32_t size, ip_id;
	bool believed, credited;
};

struct probe_truth {
	int64_t sent, left;     /* given to the kernel; stamp of its last copy, when captured */
	bool refused;
	uint8_t reply_count, believed;
	struct reply_truth replies[WORLD_REPLIES];
};

enum line_state { LINE_FREE, LINE_OPEN, LINE_DONE };

struct line_truth {
	uint64_t seq;
	uint8_t state;          /* enum line_state */
	struct plan_trace plan;
	uint32_t sent, answered, believed, extra, dropped;
	uint64_t last_round;    /* it must be handed over in this round of the loop: its tracer was
				 * done when an answer came */
	struct probe_truth probes[WORLD_TTLS + 1][WORLD_ATTEMPTS + 1];
};

/* From `at` on the wall clock is `offset` ahead and runs at a rate of its own. A jump is told when
 * somebody looks (until 0: nobody has yet); a change of rate is not told. */
struct step_truth { int64_t at, offset, ppm, since, until; bool jump; };

struct world_counts {
	uint64_t probes, refused, later, departures, answers, first, copies, late, foreign,
		bad_token, duplicate, malformed, forged, rewritten, lost, steps, slews, stalls,
		records, voided, soon_late, soon_late_known, rounds, idle_rounds, hops, progress,
		drops;
	uint64_t memory_warm, memory_most; /* bytes: the highest until it is warm; after that */
};

struct world;

/* NULL: out of memory. One world at a time. */
struct world *world_new(const struct world_script *script);
void world_free(struct world *w);
/* Runs the plan to its end. NULL, or what was violated, with the seed. */
const char *world_run(struct world *w);
const struct world_counts *world_counts(const struct world *w);

/* --- between its files --- */

enum packet_kind { PACKET_DEPARTURE, PACKET_HONEST, PACKET_BROKEN, PACKET_FORGED, PACKET_FOREIGN,
		   PACKET_GARBAGE };

/* A packet on its way to the capture ring. */
struct arrival {
	int64_t at;
	int64_t stamped;         /* by the kernel; copies of an incoming packet share it */
	uint64_t order;
	uint64_t seq;            /* of the line it is about */
	uint8_t kind;            /* enum packet_kind */
	uint8_t ttl, attempt, reply;
	bool copy;               /* the same packet was on another device of the stack before */
	bool outgoing;
	uint8_t ifindex;
	uint16_t size;
	uint8_t bytes[160];
};

enum { WORLD_ARRIVALS = 1 << 16, WORLD_RECENT = 32 };

/* A probe that left lately, for whoever forges answers to it. */
struct recent { struct probe_packet packet; uint64_t seq, target; uint8_t ttl; };

struct world {
	struct world_script script;
	struct world_counts counts;
	uint64_t random;
	int64_t now, start, end;
	/* the wall clock: an offset to the steady one, stepped */
	struct step_truth steps[WORLD_STEPS];
	unsigned step_count;
	int64_t next_step, next_stall, next_flood, looked;
	bool step_pending, interrupt;
	/* packets under way: a heap of places in the pool */
	struct arrival *pool;
	uint32_t *heap, *unused, heap_count, unused_count;
	uint64_t order;
	const struct arrival *current; /* being handed over ... */
	bool judged;                   /* ... and the flights were asked */
	/* the plan */
	struct line_truth *lines;
	uint64_t (*open)[4];           /* [target]: open lines; 0 none */
	uint64_t next_seq;
	int plan_write;
	bool plan_ended;
	struct output out;
	struct run_tools tools;
	struct probe_packet batch[64];
	unsigned batch_count;
	struct recent recent[WORLD_RECENT];
	unsigned recent_count;
	int held_ports;
	char fault[400];
};

uint64_t world_random(struct world *w, uint64_t below);
static inline bool world_chance(struct world *w, uint64_t of)
{
	return of != 0 && world_random(w, of) == 0;
}
/* The first fault stays. Ends the run. */
void world_fault(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct line_truth *world_line(struct world *w, uint64_t seq);
/* A new packet to arrive, to be filled before world_put. NULL: a fault. */
struct arrival *world_arrival(struct world *w, enum packet_kind kind, int64_t at);
void world_put(struct world *w, const struct arrival *a);
/* What the wall clock shows at a moment of the steady one. */
struct wall world_wall(const struct world *w, int64_t at);

/* feed.c: writes the next lines of the plan into the pipe. Whether any. */
bool feed_plan(struct world *w);

/* traffic.c: the probe leaves, and everything comes of it; nothing but the books when refused. */
void traffic_carry(struct world *w, const struct probe_packet *p, bool refused);
/* A thousand forged packets about lines that are open, within a second. */
void traffic_flood(struct world *w);

/* judge.c: holds the prober to the truth. */
void judge_packet(struct world *w, enum flight_verdict verdict, const struct flight_hit *hit);
void judge_trace(struct world *w, const struct trace *t, size_t size);
void judge_end(struct world *w, const struct run_end *end);

#endif
