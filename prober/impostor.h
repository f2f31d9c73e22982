// SPDX-License-Identifier: BSD-2-Clause
/*
 * Something on the path that answers probes in the destination's name and lets them pass (injected
 * resets, a middlebox that copies). It gives itself away when one probe is answered by it and by a
 * router; from then on it is known by the TTL that its answers have left, which the destination's,
 * from further away, have not. One that swallows the probes is not seen here.
 */
#ifndef PROBER_IMPOSTOR_H
#define PROBER_IMPOSTOR_H

#include "prober/flight.h"

/* Probe i of f was answered in the destination's name and by a router: one probe cannot both have
 * arrived and have died on the way. */
void impostor_unmask(struct flight *f, uint32_t i, struct mono now);
/* Flags with REPLY_NEARER what the unmasked impostor said, also where no router answers any more,
 * and tells the tracer where anybody else spoke as the destination. */
void impostor_set_apart(struct flight *f, struct mono now);

#endif
