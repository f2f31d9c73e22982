// SPDX-License-Identifier: BSD-2-Clause
/* A trace's way as a number (struct store_group): equal for equal ways under one key. Pure. */
#ifndef CAMPAIGN_WAY_H
#define CAMPAIGN_WAY_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record/trace.h"

enum { WAY_KEY = 16 };

/* Who answered at which TTL and how, whatever else is of the path. `scratch` is emptied. What does
 * not fit into memory is left out: scratch->failed says so. */
uint64_t way_of(const struct trace *t, const uint8_t key[static WAY_KEY], struct buf *scratch);

#endif
