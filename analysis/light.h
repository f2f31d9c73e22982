// SPDX-License-Identifier: BSD-2-Clause
/*
 * Answers faster than light: what no host inside the network can have sent. Knows where the vantage
 * point stands (the record) and where network and borders do (the profile); owns the least time
 * that light in fibre needs. Judges nothing: the verdict sets aside what is flagged.
 */
#ifndef ANALYSIS_LIGHT_H
#define ANALYSIS_LIGHT_H

#include "core/clock.h"
#include "core/record/trace.h"
#include "geo/profile.h"

/* Along the Earth's surface, km; never more than the true distance. Degrees north and east. */
double light_distance_km(double lat1, double lon1, double lat2, double lon2);
/* There and back through fibre laid straight, ns. */
int64_t light_round_trip_ns(double km);
/* The least RTT of an answer from the profile's network, seen from (lat, lon): by way of the border
 * that makes it least, of those open at `when`; straight, where an open border or another way in
 * has no place. -1: the profile does not say where the network is. */
int64_t light_least_rtt_ns(const struct profile *p, double lat, double lon, struct wall when);
/* Flags with REPLY_FTL what came from inside sooner than that. Returns how many; 0 where a place is
 * not known, or the trace began inside. when 0 in the trace means now. */
unsigned light_mark(struct trace *t, const struct profile *p, struct wall now);

#endif
