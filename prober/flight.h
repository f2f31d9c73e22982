// SPDX-License-Identifier: BSD-2-Clause
/*
 * The targets in flight: what was sent to each, when it left, what came back. Owns the slots, the
 * look-up from a captured packet to a probe, and the judgement whether an answer is believed. Sends
 * nothing and reads no clock: the tests script it.
 *
 * Believed is an answer whose token, both halves, is one that this flight sent; or, when the first
 * copy was changed on the way, whose second copy is. One half alone never is. Copies that differ
 * are told (REPLY_REWRITTEN).
 * Then the ICMP type says what it means; the source only tells the destination's own answers from
 * others'.
 *
 * Memory for a target in flight: the slot, FLIGHT_SLOT_MAX bytes; 32 for each TTL up to max_ttl; 28
 * for each probe sent, and 224 for each answer, at most one a probe and FLIGHT_EXTRA_MAX more, both
 * in arrays that double. For a path of ten hops that is 5 kB with one attempt a TTL and 14 kB with
 * three; 35 kB if all of 32 TTLs answer thrice; with the plan's extremes (255 TTLs, 10 attempts)
 * 1 MB. Slots keep their arrays for the next target.
 */
#ifndef PROBER_FLIGHT_H
#define PROBER_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/record/trace.h"
#include "prober/engine/tracer.h"
#include "prober/gone.h"
#include "prober/method/method.h"
#include "prober/plan.h"
#include "prober/steps.h"

enum {
	FLIGHT_EXTRA_MAX = 64,      /* late and duplicate answers kept for one target */
	FLIGHT_EXTRA_PER_PROBE = 3, /* and for one probe */
	FLIGHT_SLOT_MAX = 1024,
	/* Copies of one packet on stacked devices (port and bridge, device and VLAN) carry the same
	 * stamp or nearly; a packet that came twice over two links differs by more. */
	FLIGHT_COPY_NS = 1000 * 1000,
};

enum probe_state { PROBE_SENT, PROBE_REFUSED };

struct flight_probe {
	struct mono sent;     /* handed to the kernel */
	struct wall departed; /* stamp of the last outgoing copy; 0: never captured */
	uint8_t ttl, attempt;
	uint8_t state;        /* enum probe_state */
	uint8_t owed;         /* of pacing_take */
	bool told;            /* pacing knows its fate */
	uint8_t answers;      /* kept, extra ones included */
	uint8_t said;         /* bit per enum tracer_event of its answers, extra ones included */
};

struct flight_answer {
	uint32_t probe;       /* index of the probe */
	int ifindex;          /* where its first copy came in */
	uint8_t event;        /* enum tracer_event: what it says */
	struct mono arrived;  /* when it was read: not before it arrived */
	struct wall stamp;
	struct reply reply;   /* rtt_ns is filled by flight_rtt when the record is made */
};

/* What others of the run have shown of the path: see tracer_config. All 0: nothing. */
struct flight_hint { uint8_t length, turn_span, turn; };

struct bundle;

struct flight {
	bool used;
	uint16_t member;      /* of its bundle: the flow's number there */
	struct bundle *bundle; /* borrowed; NULL: a target of one flow */
	uint32_t next;        /* in the hash chain, or the list of free slots */
	struct plan_trace plan;
	struct flow flow;
	struct probe_packet packet; /* patched for each probe */
	uint32_t scope;       /* interface of a link-local destination, else 0 */
	struct tracer tracer;
	struct mono begun;    /* by the last flight_start */
	struct wall start;    /* the same moment */
	int ifindex;          /* of the first outgoing copy: the device of the route; 0 not seen */
	int refused_sys;      /* errno of the last probe that the kernel refused; 0: none */
	uint64_t sent, received; /* probes the kernel took; probes answered, late ones too */
	int16_t impostor;     /* TTL left of answers that something nearer gives as the destination;
			       * -1: none known */
	uint8_t reached_by;   /* enum reached_by, of the first answer by the destination */
	bool syn_ack, reset;  /* a SYN-ACK came; the kernel's RST for it left */
	struct refused refused_before; /* counters when it began */
	uint64_t drops_before;
	uint32_t cuts_before, pps_before; /* of the pace, likewise; pps_before 0: none in force */
	struct flight_hint hint;
	struct tracer_hop *rows; /* owned; the tracer's */
	uint32_t row_room;
	uint32_t probe_count; /* offered to the kernel, in that order */
	uint32_t probe_room;
	uint32_t *tokens;     /* owned; [probe], 0: refused */
	uint64_t token_bits[2][4]; /* the sets of their last bytes, and of those before */
	struct flight_probe *probes; /* owned; [probe] */
	uint32_t answer_count, answer_room, extra_count;
	struct flight_answer *answers; /* owned */
};

struct flights {
	uint8_t key[METHOD_KEY_SIZE];
	uint32_t room, used;
	uint32_t free, fresh;    /* head of the list of slots used before; slots never used begin */
	uint32_t bucket_mask;
	uint32_t *buckets;       /* owned */
	struct flight *slots;    /* owned */
	struct gone *gone;       /* owned; tokens and flows of traces that are written */
};

/* room: targets at once. BP_ENOMEM. */
int flights_init(struct flights *fs, uint32_t room, const uint8_t key[static METHOD_KEY_SIZE]);
void flights_fini(struct flights *fs);

/* How a path of the plan's line is to be traced. */
struct tracer_config flight_path(const struct plan_trace *plan);
/* Takes a slot and starts its tracer. NULL: none free, or out of memory. packet is the flow's built
 * packet. Slots never move: the pointer holds until flight_end, and its index is flight_slot. */
struct flight *flight_begin(struct flights *fs, const struct plan_trace *plan,
			    const struct flow *flow, const struct probe_packet *packet,
			    struct mono now, struct wall start);
/* Starts its time again, unless a probe of it was sent: standing in line before the first one is no
 * part of a trace, nor of its budget. */
void flight_start(struct flight *f, struct mono now, struct wall start);
/* Frees the slot; its probes' answers are late from now on. */
void flight_end(struct flights *fs, struct flight *f);
static inline uint32_t flight_slot(const struct flights *fs, const struct flight *f)
{
	return (uint32_t)(f - fs->slots);
}

/* Whether a flight of the same method, destination and ports is under way. */
bool flights_has(const struct flights *fs, const struct flow *flow);

/* The token of a probe of the plan's line `seq`: method_token() under the run's key and that
 * number, so that a target measured twice in a run has other tokens, and late answers to its first
 * trace are not taken for the second's. */
uint32_t flight_token(const struct flights *fs, const struct flow *flow, uint64_t seq, uint8_t ttl,
		      uint8_t attempt);
/* Patches f->packet into the probe (ttl, attempt), which may then be sent. */
void flight_prepare(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt);
/* The kernel took it, or refused it for good (sys: errno): tells the tracer too. A probe that there
 * is no memory to remember counts as refused. */
void flight_sent(const struct flights *fs, struct flight *f, uint8_t ttl, uint8_t attempt,
		 struct mono at);
void flight_refused(struct flight *f, uint8_t ttl, uint8_t attempt, struct mono at, int sys);

/* What a captured packet was. Those from FLIGHT_FOREIGN on are the counters of struct refused. */
enum flight_verdict {
	FLIGHT_NOTHING,   /* another copy of a packet already taken, or of no interest */
	FLIGHT_DEPARTURE, /* our probe leaving */
	FLIGHT_ANSWER,    /* believed and kept; the tracer has been told */
	FLIGHT_FOREIGN, FLIGHT_BAD_TOKEN, FLIGHT_LATE, FLIGHT_DUPLICATE,
};

struct flight_hit {
	struct flight *flight; /* NULL when none could be named */
	uint8_t ttl, attempt;
	uint32_t probe;        /* index of the probe; valid when `first` */
	enum tracer_event event; /* what it means */
	bool destination;
	bool first;            /* the first answer to its probe */
	int64_t rtt_ns;        /* -1 unknown */
	struct addr expected;  /* who had answered at this TTL before; none: nobody */
};

/* Captured at `stamp` on interface `ifindex`, read at `now`. */
enum flight_verdict flights_take(struct flights *fs, const struct match *m, int ifindex,
				 struct wall stamp, struct mono now, struct flight_hit *hit);
/* A reset left for (dst, sport, dport): the kernel closed a half-open connection, of ours if
 * true. */
bool flights_reset_seen(struct flights *fs, const struct flow *reset);

/* The RTT of an answer, or -1: departure not captured, a clock step between (then REPLY_CLOCK is
 * added to *flags), or a negative difference (the same). */
int64_t flight_rtt(const struct flight *f, const struct flight_answer *a, const struct steps *steps,
		   uint16_t *flags);

/* What an answer whose token is right means. Exposed for its table of tests. */
enum tracer_event flight_event(const struct flight *f, const struct match *m);

#endif
