// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is to be delivered: a directory with a file for each message, on the disk before anybody
 * counts on it, gone when its receiver has taken it; and a file that remembers which ids were put
 * in before, so that nothing is told twice by who starts again. Knows no receiver.
 *
 * Files: HOOK-NUMBER-ID.json, told. Bounded: OUTBOX_MAX messages, OUTBOX_TOLD ids.
 */
#ifndef CAMPAIGN_OUTBOX_H
#define CAMPAIGN_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"

enum { OUTBOX_MAX = 1000, OUTBOX_TOLD = 4096, OUTBOX_HOOK_TEXT = 16, OUTBOX_ID_TEXT = 64 };

struct outbox_item {
	uint64_t number;
	char hook[OUTBOX_HOOK_TEXT]; /* letters */
	char id[OUTBOX_ID_TEXT];     /* letters, digits, '-', '.', '_' */
	struct wall since;           /* when it was put in */
};

struct outbox {
	int dir;                     /* -1: not open */
	char path[256];              /* for messages, cut where longer */
	struct outbox_item *items;   /* owned; in the order they were put in */
	unsigned count, room;
	uint64_t number;             /* of the next */
	char (*told)[OUTBOX_ID_TEXT]; /* owned; OUTBOX_TOLD of them, a ring */
	uint64_t told_count;         /* ever in this process */
	int told_file;
	unsigned told_lines;
};

/* Made when it is not there (0700, and the directories above it). What is no message of ours stays
 * and is passed over. BP_E* with the path. */
int outbox_open(struct outbox *o, const char *path, struct bp_error *err);
void outbox_close(struct outbox *o);
/* n bytes for a hook; durable when it returns 0. BP_EAGAIN: full. BP_EINVAL: an id or a hook that
 * is no name. */
int outbox_put(struct outbox *o, const char *hook, const char *id, const void *bytes, size_t n,
	       struct bp_error *err);
/* The oldest for a hook, or NULL. Valid until the next change. */
const struct outbox_item *outbox_first(const struct outbox *o, const char *hook);
unsigned outbox_waiting(const struct outbox *o, const char *hook);
/* Its file, opened for reading (the caller's to close), or negative: BP_ENOTFOUND, BP_EIO. */
int outbox_file(const struct outbox *o, const struct outbox_item *it);
int outbox_read(const struct outbox *o, const struct outbox_item *it, struct buf *out);
/* Taken, or given up. it is of o. */
void outbox_done(struct outbox *o, const struct outbox_item *it);
bool outbox_was_told(const struct outbox *o, const char *id);
/* Durable when it returns 0. */
int outbox_tell(struct outbox *o, const char *id, struct bp_error *err);

#endif
