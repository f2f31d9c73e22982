// SPDX-License-Identifier: BSD-2-Clause
/*
 * A trace as the store keeps it: what repeats from trace to trace apart from what does not.
 *
 * A *hop* is an entry without its times and IP-ID: ttl, attempt, who answered and how, why not.
 * The list of a trace's hops is its path. Order of a path: hops with a round-trip time first, those
 * without behind them, each in order of the trace, if sorting by ttl and attempt gives the trace's
 * order again; otherwise the trace's own order, and all of them have a slot.
 *
 * A *body* is what is left: byte 0 is the version (high half) and the width W of a slot (low half,
 * 2..5); then a slot of W bytes, big-endian, for each of the first `slots` hops of the path: the
 * round-trip time in microseconds, all ones where there is none (fixed width, so that plain SQL can
 * read it with substr); then packed (pack.h): the head, departures as differences, IP-IDs.
 * Times are rounded to the microsecond; nothing else is lost. Reading trusts no byte.
 */
#ifndef CAMPAIGN_BODY_H
#define CAMPAIGN_BODY_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record/trace.h"

enum { BODY_VERSION = 1, BODY_WIDTH_MIN = 2, BODY_WIDTH_MAX = 5 };

/* Nearest microsecond. */
int64_t body_us(int64_t ns);

/* Appends the hop of an entry: equal hops are equal bytes. An answer of dst's own address says so
 * and not which: traces to the neighbours of a target share their paths. */
void body_put_hop(struct buf *out, const struct trace_entry *e, struct addr dst);
/* The entry of a hop in a trace to dst, with its times and IP-ID marked for body_read.
 * BP_EPARSE. */
int body_read_hop(const uint8_t *bytes, size_t n, struct addr dst, struct trace_entry *out);
/* Whether the bytes of a hop say so. */
bool body_hop_says_dst(const uint8_t *bytes, size_t n);
/* Whether an entry's answer is written as "the destination". */
bool body_hop_is_dst(const struct trace_entry *e, struct addr dst);

/* The order of a path: order[i] is the index of the entry that is the path's i-th hop. Room for
 * t->entry_count. Returns the number of slots. */
uint32_t body_order(const struct trace *t, uint32_t *order);
/* Appends the body of t. */
void body_put(struct buf *out, const struct trace *t, const uint32_t *order, uint32_t slots);
/* Fills times, IP-IDs, sport and counts into t, whose entries are hops as body_read_hop left them,
 * in the path's order; then sorts them. BP_EPARSE: t is not to be used. */
int body_read(const uint8_t *bytes, size_t n, uint32_t slots, struct trace *t);
/* Single values of a body that is not read whole: the time of a slot, the source port; -1: none, or
 * not to be read. */
int64_t body_rtt(const uint8_t *bytes, size_t n, uint32_t slot);
int32_t body_sport(const uint8_t *bytes, size_t n, uint32_t slots);

#endif
