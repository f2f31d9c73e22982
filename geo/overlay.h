// SPDX-License-Identifier: BSD-2-Clause
/*
 * The overlay: what the profile says of an address, laid over what the databases said. A label
 * that holds wins over the tables; a carrier's or the network's own prefix only fills what they
 * leave empty. Everything is dated.
 */
#ifndef GEO_OVERLAY_H
#define GEO_OVERLAY_H

#include "core/record/names.h"
#include "geo/profile.h"

/* Changes *n, which holds what the databases said. */
void overlay_apply(const struct profile *p, struct addr a, struct wall when, struct name *n);

#endif
