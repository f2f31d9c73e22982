// SPDX-License-Identifier: BSD-2-Clause
/*
 * What engine/multipath.c (events in, offers out), engine/multipath_scan.c (what is known, what is
 * still wanted) and engine/multipath_silence.c (what silence means) share. Nobody else includes
 * this.
 */
#ifndef PROBER_ENGINE_MULTIPATH_STATE_H
#define PROBER_ENGINE_MULTIPATH_STATE_H

#include "prober/engine/multipath.h"

/* Where a flow is at one TTL: the index of a node, or one of these. */
enum {
	AT_STAR = MULTIPATH_NODES_MAX, /* silent, after all attempts it is worth */
	AT_COUNT,
	AT_UNASKED = 0xfd, /* not asked; may come to inherit */
	AT_UNKNOWN = 0xfe, /* an answer is out, or about to be asked for */
	AT_NONE = 0xff,    /* of a cell: nobody has answered */
};
enum { SEEN_WORDS = (AT_COUNT + 63) / 64 }; /* a set of places */

/* One flow at one TTL. Its unanswered attempts share one wait, from the last departure. */
struct cell {
	struct mono last;
	uint16_t answered; /* bit k-1: attempt k has its answer */
	uint8_t sent;      /* attempts 1..sent were offered to the kernel */
	uint8_t closed;    /* attempts 1..closed are no longer waited for */
	uint8_t node;      /* who answered first; AT_NONE nobody */
	uint8_t event;     /* its enum tracer_event */
	uint8_t other;     /* another node that answered this same flow too; AT_NONE nobody */
	bool overdue;      /* its expiry was noted */
};

/* One TTL. */
struct stage {
	struct addr *nodes; /* owned; in order of first answer */
	uint8_t count, room;
	uint8_t kinds;      /* by the last look: nodes of living flows, a star counts as one */
	uint8_t balancing;  /* enum balancing, of the nodes here among the next TTL's */
	bool silent;        /* for multipath_take_silent */
	bool spared;        /* by this look: one of its flows is to be asked again */
	bool limiting;      /* somebody here gives few answers a second */
	bool controlling;   /* by this look: the control is under way */
	uint8_t control_attempt, control_lost; /* 0: none is out; lost in a row */
	uint16_t control_flow;
	struct mono control_ok; /* departure of the last control that was answered; 0 none */
	struct mono deferred;
	struct mono last;   /* departure of any flow's */
};

/* A flow, as the last look found it. */
struct way {
	uint8_t prev, here; /* node at the TTL before the one being looked at, and there */
	bool alive;         /* goes on to the TTL being looked at */
	uint8_t stars;      /* silent TTLs in a row up to there */
	uint8_t no_ttl, no_node; /* who first said prohibited; 0: nobody */
	uint8_t heard;      /* enum tracer_event of the last answer on its way, + 1; 0 none */
	uint8_t end;        /* last TTL of its path; valid when not alive */
	uint8_t stop;       /* enum stop, likewise */
};

/* The flows through one node, as they fare at the next TTL. */
struct gather {
	uint16_t flows;     /* known to pass it */
	uint16_t asked;     /* of those: asked at the next TTL, or about to be */
	uint16_t resolved;  /* of those: answered, or silent for good */
	uint16_t tester;    /* the lowest that was answered there */
	uint64_t seen[SEEN_WORDS];
	bool conflict;
};

enum { OFFERS_MAX = 512 };
struct offer { uint16_t flow; uint8_t ttl; bool last; }; /* last: behind all others */

struct multipath {
	struct multipath_config config;
	struct tracer tracer;   /* the survey by flow 0 */
	struct tracer_hop *rows; /* owned; the tracer's */
	bool surveyed;
	uint8_t survey_end;     /* its last TTL: up to there flows are asked without delay */
	uint8_t limit;          /* no flow is asked beyond */
	uint8_t heard;          /* highest TTL that answered anything */
	uint16_t flows, flows_max, base; /* in use; at most; asked at every TTL */
	int64_t rtt_max_ns;     /* -1 none yet */
	struct mono start, wake, now; /* now: of the last event */
	bool dirty;             /* look again before anything else */
	bool short_of;          /* flows or nodes were wanted that could not be had */
	uint64_t sent;          /* probes the kernel took */
	enum stop stop;         /* STOP_UNKNOWN while it runs; STOP_REACHED: done by the rule */
	bool cut;
	double confidence;
	uint16_t points[AT_COUNT + 2];   /* [k]: the stopping rule, 0 not yet computed */
	int64_t slack_ns;
	uint16_t offer_count;
	struct offer offers[OFFERS_MAX];
	struct gather gather[AT_COUNT];
	struct way ways[MULTIPATH_FLOWS_MAX];
	struct stage stages[TRACER_TTLS];
	struct cell *cells;     /* owned; [flow][ttl - first] */
};

static inline struct cell *multipath_cell(const struct multipath *m, unsigned flow, unsigned ttl)
{
	unsigned first = m->config.path.first_ttl, ttls = m->config.path.max_ttl - first + 1u;

	return &m->cells[flow * ttls + ttl - first];
}

/* Some attempt is out and its wait has not ended. */
bool multipath_waiting(const struct multipath *m, const struct cell *c, unsigned ttl,
		       struct mono now);
struct mono multipath_deadline(const struct multipath *m, const struct cell *c, unsigned ttl);
/* The stopping point for k successors, remembered. */
unsigned multipath_point(struct multipath *m, unsigned k);
/* Goes over all that is known: fills ways, stages, offers and wake, adds flows, or ends it. */
void multipath_look(struct multipath *m, struct mono now);
/* The same, wanting nothing: fills ways, stages and confidence by what is known. */
void multipath_sum_up(struct multipath *m, struct mono now);

/* One pass over the TTLs, nearest first. */
struct look {
	struct mono now;
	bool waiting;      /* an answer that matters is out */
	bool wanting;      /* something is to be asked */
	bool blurred;      /* flows steer nothing from the TTL before to this one */
	bool next_blurred;
	bool destination;  /* it answered some flow at this TTL */
	bool summing;      /* the last look, for the confidence */
	unsigned grow;     /* flows to add */
	double confidence;
};

/* This look wants the flow asked there; where answers are limited, perhaps not yet. */
void multipath_want(struct multipath *m, struct look *k, unsigned flow, unsigned ttl);
/* This look waits for the cell's attempts that are out. */
void multipath_wait_for(struct multipath *m, struct look *k, const struct cell *c, unsigned ttl);
/* The cell's last wait is over; for multipath_take_silent. */
void multipath_note_overdue(struct multipath *m, struct cell *c, unsigned ttl);
/* The flow was silent so far, where others were answered: for good? Else it is asked again. */
bool multipath_is_silent(struct multipath *m, struct look *k, unsigned flow, unsigned ttl);

#endif
