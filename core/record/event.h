// SPDX-License-Identifier: BSD-2-Clause
/*
 * Something that changed, as a value: a border switch, a path change, a shift of round-trip times,
 * an outage, its end, a flapping. What is known of an event grows: each revision is a record of its
 * own that names the one before. Written and read as {"type":"event"} (INTERFACE). Finds nothing.
 *
 * Fingerprint: what the event is about, with neither vantage point nor time: all events about one
 * thing share one alert. Ids are made of what was measured, so whoever reads the same rounds again
 * gives the same ids.
 */
#ifndef CORE_RECORD_EVENT_H
#define CORE_RECORD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

enum event_kind {
	EVENT_UNKNOWN,
	EVENT_BORDER_SWITCH,
	EVENT_PATH_CHANGE,
	EVENT_RTT_SHIFT,
	EVENT_RETURN_PATH,  /* "return_path_suspected" */
	EVENT_OUTAGE,
	EVENT_RECOVERY,     /* the last revision of an outage: its fingerprint, status resolved */
	EVENT_FLAPPING,
};

enum event_status {
	EVENT_STATUS_UNKNOWN,
	EVENT_PROVISIONAL,  /* seen in one round from one vantage point */
	EVENT_CONFIRMED,    /* in two rounds, or from two vantage points */
	EVENT_RESOLVED,     /* an outage or a flapping is over; a provisional one did not hold
			     * (withdrawn is set) */
};

/* How much of the network. */
enum event_scope {
	EVENT_SCOPE_UNKNOWN, EVENT_SCOPE_HOST, EVENT_SCOPE_PREFIX, EVENT_SCOPE_BORDER,
	EVENT_SCOPE_NETWORK, EVENT_SCOPE_VANTAGE,
};

/* What kind of outage (issue "What changed", 5). */
enum event_outage {
	EVENT_OUTAGE_UNKNOWN,
	EVENT_OUTAGE_SILENT,        /* destination_silent: inside routers still answer */
	EVENT_OUTAGE_INSIDE,        /* inside: the path ends inside the network */
	EVENT_OUTAGE_AT_BORDER,     /* cut_at_border: a border network answers last */
	EVENT_OUTAGE_BEFORE_BORDER, /* cut_before_border: ends in a network that is no way in */
	EVENT_OUTAGE_FILTERED,      /* filtered: said to be prohibited */
	EVENT_OUTAGE_VANTAGE,       /* vantage_down: we were, not they */
	EVENT_OUTAGE_RATE_LIMITED,  /* rate_limited: answers now and then */
};

/* Where on the way the delay moved, by the difference to the last outside hop. */
enum event_where {
	EVENT_WHERE_UNKNOWN, EVENT_WHERE_INSIDE, EVENT_WHERE_BORDER, EVENT_WHERE_ON_THE_WAY,
};

enum {
	EVENT_ID_TEXT = 48, EVENT_FINGERPRINT_TEXT = 33, EVENT_VANTAGES_MAX = 64,
	EVENT_EVIDENCE_MAX = 12, EVENT_WHY_TEXT = 200, EVENT_SUMMARY_TEXT = 480,
	EVENT_COINCIDES_MAX = 8, EVENT_PREFIXES_MAX = 32,
};

/* A border's id, "other", "mixed", a reach, or a path of networks ("3356 20485"); and who carried
 * it. Empty: not known. */
struct event_state {
	char what[96];
	uint32_t asn;               /* 0: not known */
	char org[96];
};

struct event_evidence {
	struct wall at;
	char vantage[TRACE_VANTAGE_TEXT];
	char trace[TRACE_ID_TEXT];  /* id of the trace; empty: none */
	char why[EVENT_WHY_TEXT];   /* one clause for people */
};

struct event {
	char id[EVENT_ID_TEXT];      /* ev-<16 hex>-<revision from 1> */
	char revises[EVENT_ID_TEXT]; /* id of the revision before; empty: the first */
	char fingerprint[EVENT_FINGERPRINT_TEXT]; /* 32 hex: profile, kind, prefix (scope) */
	char profile[64];
	uint8_t kind, status, scope, outage, where; /* their enums */
	bool withdrawn;
	struct wall at;              /* the likely moment: the first sight of the new state */
	struct wall not_before, not_after; /* last sight of the old, first of the new */
	struct wall until;           /* over since: outages, flapping; 0: not over */
	struct wall seen;            /* when this revision could be known: end of the round it is
				      * made of. Revisions are in its order */
	char vantage[TRACE_VANTAGE_TEXT]; /* the one that saw it; empty: several */
	/* That saw it, sorted; the first of them. */
	char vantages[EVENT_VANTAGES_MAX][TRACE_VANTAGE_TEXT];
	unsigned vantage_count;      /* of `vantages` */
	unsigned seen_by, seen_of;   /* of those that measured there and were healthy */
	unsigned reference, online;  /* of an outage: those of seen_by that a reference host, or
				      * anybody at all, answered all the while */
	struct prefix prefix;        /* addr not set: the whole network */
	struct prefix prefixes[EVENT_PREFIXES_MAX]; /* of a wider scope: which; else empty */
	unsigned prefix_count;
	struct addr host;            /* scope host; none: not one host */
	struct addr last_hop;        /* of an outage: where most silent paths ended; `to` has its
				      * network. None: not known */
	uint8_t method;              /* METHOD_UNKNOWN: several */
	struct event_state from, to;
	int64_t before_ns, after_ns; /* median RTT; -1 not known */
	int64_t shift_ns, shift_low_ns, shift_high_ns; /* size, 95 % interval; only where both */
	double confidence;           /* 0..1 */
	double p_value;              /* of a shift; -1: not tested */
	int64_t index;               /* of `shifts`: row of the new level, from 0; -1 */
	uint8_t ttl;                 /* path change: the first that differs; 0 */
	bool networks;               /* path change: networks differ, not routers only */
	unsigned changes;            /* flapping: how many so far; else 0 */
	char coincides[EVENT_COINCIDES_MAX][EVENT_ID_TEXT]; /* ids of events at the same moment */
	unsigned coincide_count;
	char summary[EVENT_SUMMARY_TEXT]; /* a sentence of REPORTS, for people; may be empty */
	struct event_evidence evidence[EVENT_EVIDENCE_MAX];
	unsigned evidence_count;
};

/* Every field to its "unknown" (-1 where that is said). */
void event_init(struct event *e);
/* Fills fingerprint from profile, kind (a recovery: of its outage), scope, prefix and host. */
void event_set_fingerprint(struct event *e);
/* Fills id (revision 1 up) from the fingerprint, the state before and the round it began in: what
 * every revision of it and every second reading share. */
void event_set_id(struct event *e, struct wall first_round, unsigned revision);
/* Appends {"type":"event","version":1,...} and a newline (doc/record.md). */
void event_write_json(struct buf *out, const struct event *e);
struct record;
/* Reads a RECORD_EVENT (its dom). BP_EPARSE and BP_ERANGE with the field, BP_EUNSUP (a newer
 * version), BP_EINVAL for another kind of record. */
int event_read(const struct record *rec, struct event *out, struct bp_error *err);

extern const struct word event_kind_words[], event_status_words[], event_scope_words[],
	event_outage_words[], event_where_words[];

#endif
