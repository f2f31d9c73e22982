// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the user wants measured: hosts, addresses, prefixes, @FILE, or the profile's targets, as a
 * list that unfolds lazily into single destinations. Resolves host names. Sends nothing.
 */
#ifndef CLI_TARGETS_H
#define CLI_TARGETS_H

#include <stdint.h>

#include "core/addr.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/trace.h"
#include "geo/profile.h"

/* A prefix may unfold to this many destinations at most. */
enum { TARGETS_PREFIX_MAX = 1 << 20 };

struct target {
	struct prefix prefix;       /* a single address is a /32 or /128 */
	char text[TRACE_NAME_TEXT]; /* as written; the profile's name for its own */
	uint8_t method;             /* enum method; METHOD_UNKNOWN: not told */
	uint16_t port;              /* 0: not told */
};

struct targets {
	struct target *items; /* owned */
	unsigned count, room;
};

void targets_init(struct targets *t);
void targets_fini(struct targets *t);
/* Adds one word of the command line. family 0, 4 or 6. BP_ENOTFOUND for a name that does not
 * resolve, BP_EPARSE, BP_ERANGE, BP_EIO for @FILE. @FILE: one target a line, '#' comments; an error
 * names file:line. */
int targets_add(struct targets *t, const char *word, uint8_t family, struct bp_error *err);
/* Adds the profile's targets that hold at `when`, filtered by family. */
int targets_add_profile(struct targets *t, const struct profile *p, uint8_t family,
			struct wall when, struct bp_error *err);
/* Destinations of one target; index from 0 gives its i-th address. */
uint64_t target_size(const struct target *t);
struct addr target_address(const struct target *t, uint64_t index);

#endif
