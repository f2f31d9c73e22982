// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `events --new` printed before: the moment up to which it looked, and what it said of each
 * event that could come again. An event is new when it is told for the first time, and again when
 * its kind, status, states or count of changes differ: revisions that only put a number more
 * precisely are not. A shift may move by a few rounds while it is young, and is the same. A file of
 * a few lines, replaced whole; what is not such a file is refused.
 */
#ifndef CLI_CURSOR_H
#define CLI_CURSOR_H

#include <stdbool.h>

#include "cli/points_kept.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/record/event.h"

/* So far back it is looked again, and so far back something is new: what came late. The first is
 * wider, so that what is found in the second does not hang on where the looking began. */
#define CURSOR_LOOK_NS (2 * 86400 * NS_PER_S)
#define CURSOR_NEW_NS (86400 * NS_PER_S)

struct told { struct wall seen, at; char what[33]; /* a digest, hexadecimal */ };

struct cursor {
	struct wall seen;          /* the end of what was looked at; 0: nothing was */
	struct list told;          /* struct told: printed before, and now */
	struct wall next;          /* its `seen` */
};
/* Zeros are one that saw nothing: what a missing file is. BP_EPARSE: damaged, with FILE:LINE. */
int cursor_read(const char *path, struct cursor *c, struct bp_error *err);
void cursor_fini(struct cursor *c);
/* Whether what it says was not printed before. */
bool cursor_is_new(const struct cursor *c, const struct event *e);
/* It is printed now. BP_ENOMEM. */
int cursor_add(struct cursor *c, const struct event *e);
/* Up to here everything was looked at. */
void cursor_reach(struct cursor *c, struct wall seen);
/* Writes the file, atomically. */
int cursor_write(const struct cursor *c, const char *path, struct bp_error *err);

#endif
