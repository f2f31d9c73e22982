// SPDX-License-Identifier: BSD-2-Clause
/*
 * What all formats of other programs share: what follows from the entries of a trace that was not
 * ours, with the meaning that our own prober gives it. Invents nothing.
 */
#ifndef CORE_RECORD_IMPORT_H
#define CORE_RECORD_IMPORT_H

#include "core/record/trace.h"

/* Room for one more entry at the end of *t (which grows; NULL is made), initialised as unanswered
 * and counted. *room is how many there is room for. NULL: out of memory, or (*t)->entry_count is
 * TRACE_MAX_ENTRIES already. */
struct trace_entry *import_add(struct trace **t, uint32_t *room, uint8_t ttl, uint8_t attempt);

/* When the entries are complete: sorts them, and sets size, stamps, first_ttl, attempts (the same
 * for every hop but the last, else 0), sent and received (extra replies are neither), reach and
 * reached_by. stop only where it is unknown and the destination or a refusal settles it; reach
 * `silent` only with a stop of gap_limit or max_ttl. */
void import_conclude(struct trace *t);

#endif
