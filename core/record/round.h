// SPDX-License-Identifier: BSD-2-Clause
/*
 * One round of a campaign as a value: when it was to begin, when it did, what was measured, what
 * was not and why, and the vantage point's own health and identity while it ran. A gap in the data
 * is a round with `missed` and a reason: it is never an outage of the target. Written and read as
 * {"type":"round"} (INTERFACE). Knows no schedule and no store.
 */
#ifndef CORE_RECORD_ROUND_H
#define CORE_RECORD_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/trace.h"

/* Why measurements of a round are missing. The first that applies. */
enum round_why {
	ROUND_WHY_NONE,       /* nothing is missing */
	ROUND_WHY_DOWN,       /* nobody ran: stopped, killed, the machine was off */
	ROUND_WHY_OVERRUN,    /* the round before it was still running, or time ran out */
	ROUND_WHY_CLOCK_STEP, /* its moment was jumped over when the clock was set */
	ROUND_WHY_NO_ROUTE,   /* the kernel has no way to send */
	ROUND_WHY_OFFLINE,    /* "vantage_offline": no reference host answered, nor did a target */
	ROUND_WHY_PROBER,     /* borderpath-probe could not be run, or died */
	ROUND_WHY_STOPPED,    /* told to stop in the middle */
	ROUND_WHY_SPOOL,      /* "spool_full": measured, but there was nowhere to keep it */
	ROUND_WHY_TARGETS,    /* no target could be resolved */
};

enum round_health {
	ROUND_HEALTH_UNKNOWN, /* no reference host is named, and no target answered */
	ROUND_HEALTH_OK,      /* a reference host answered, or, where none is named, a target */
	ROUND_HEALTH_PARTIAL, /* some reference hosts answered */
	ROUND_HEALTH_OFFLINE, /* none did, and no target either */
};

enum { ROUND_SUBSTITUTES_MAX = 16, ROUND_NOTE_TEXT = 240, ROUND_ID_TEXT = TRACE_ID_TEXT };

/* Bits of round.changed: who we are differs from the round before. */
enum round_changed {
	ROUND_CHANGED_ADDRESS = 1u << 0,
	ROUND_CHANGED_EGRESS = 1u << 1,
	ROUND_CHANGED_TRANSIT = 1u << 2,
};

/* A host that stands for a prefix was silent, and another one of its list answered. */
struct round_substitute {
	char target[TRACE_NAME_TEXT / 4]; /* the entry of the plan, as the user names it */
	char host[TRACE_NAME_TEXT / 4];   /* the word of `to` there */
	struct addr from, to;
	uint32_t silent;                  /* rounds that `from` was asked in vain */
};

/* A host that stands for a prefix is silent, and no other one has answered so far. */
struct round_silence {
	char target[TRACE_NAME_TEXT / 4]; /* the entry of the plan */
	uint32_t rounds;                  /* that it was asked in vain, in a row */
	uint32_t ask_at;                  /* when it is so many, the others are asked */
};

struct round {
	/* CAMPAIGN-VANTAGE-20261122T100000Z: by the planned moment; a look's has milliseconds. */
	char id[ROUND_ID_TEXT];
	char campaign[TRACE_CAMPAIGN_TEXT];
	char vantage[TRACE_VANTAGE_TEXT];
	struct wall planned;          /* on the grid, without jitter; one per campaign, vantage */
	int64_t every_ns;             /* from slot to slot of that grid; 0: on none, or not known */
	uint64_t slots;               /* that this row stands for: `planned` and those behind it; 0
				       * is one */
	bool look;                    /* a closer look between rounds; `planned` is its moment */
	struct wall start, end;       /* 0: it never began */
	/* In measurements: one flow of one target, or all of a multipath target; expected = done +
	 * missed. A target that is silent is done; one that could not be asked is missed. */
	uint32_t expected, done, missed;
	uint32_t traces;              /* trace records that it has; more than done with multipath */
	uint8_t why;                  /* enum round_why, of what is missed */
	char note[ROUND_NOTE_TEXT];   /* for people; empty: none */
	bool clock_stepped;           /* while it ran */
	int64_t drops;                /* capture drops; -1 unknown */
	uint64_t sent, received;      /* probes, replies */
	/* health */
	uint8_t health;               /* enum round_health */
	uint16_t reference_asked, reference_answered;
	/* identity, from the traces of the round */
	struct addr source;           /* that probes left with; none: unknown */
	struct addr public_addr;      /* source if global, or as the plan says; none: unknown */
	uint32_t egress_asn;          /* network of the public address, else of the first hop that
				       * has one; 0 unknown */
	char egress_org[96];
	uint32_t transit_asn;         /* the next network on most paths; 0 unknown */
	char transit_org[96];
	struct addr transit;          /* its first hop on most paths */
	uint8_t changed;              /* bits of enum round_changed, against the round before */
	uint8_t substitute_count;
	struct round_substitute substitutes[ROUND_SUBSTITUTES_MAX];
	uint8_t silence_count;
	struct round_silence silences[ROUND_SUBSTITUTES_MAX];
};

/* Every field to its "unknown". */
void round_init(struct round *r);
/* Fills id from campaign, vantage and planned: letters, digits and '.' stay, the rest becomes '_'.
 * Where that was more than '-', or the names are too long and cut, a hash of them as they are
 * stands behind them: other names make another id. */
void round_set_id(struct round *r);
/* Appends {"type":"round","version":1,...} and a newline (doc/record.md). */
void round_write_json(struct buf *out, const struct round *r);

extern const struct word round_why_words[], round_health_words[], round_changed_words[];

struct record;
/* Reads a RECORD_ROUND (its dom) into *out: unlike jsonl_read, which only looks at what is
 * there, it wants `planned`, and expected = done + missed. BP_EPARSE and BP_ERANGE with the
 * field, BP_EUNSUP (a newer version), BP_EINVAL for another kind. */
int round_read(const struct record *rec, struct round *out, struct bp_error *err);

#endif
