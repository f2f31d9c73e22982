// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which responders were told already, so that a HOP frame is sent once for each: a small cache, not
 * a record. An address pushed out by another is told again, which costs a frame and no more.
 */
#ifndef PROBER_SEEN_H
#define PROBER_SEEN_H

#include <stdbool.h>

#include "core/addr.h"

enum { SEEN_ROOM = 1024 };

struct seen { struct addr places[SEEN_ROOM]; };

/* Whether a is new (or was pushed out); it is known from now on. seen starts zeroed. */
bool seen_new(struct seen *s, struct addr a);

#endif
