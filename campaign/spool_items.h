// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the files of the spool share: the journals there are, each a file, a tail in memory, or
 * both, read line by line as one. Private to campaign/spool*.c.
 */
#ifndef CAMPAIGN_SPOOL_ITEMS_H
#define CAMPAIGN_SPOOL_ITEMS_H

#include "campaign/spool.h"
#include "core/buf.h"

enum item_state { ITEM_OPEN, ITEM_WAITS, ITEM_KEPT };

/* How its file is called: ROUND-ID and this. */
enum item_ext { EXT_NONE /* no file */, EXT_PART, EXT_WHOLE, EXT_TAKEN };

struct item {
	char id[ROUND_ID_TEXT];
	struct wall planned;
	uint8_t state;        /* enum item_state */
	uint8_t ext;          /* enum item_ext */
	bool again;           /* a store had it: it comes a second time */
	bool trusted;         /* written by this process: its lines need no looking over */
	uint64_t file_bytes;  /* whole lines in the file */
	struct buf memory;    /* lines that came after them and are on no disk */
	uint64_t last_at;     /* where its last line begins in file and memory; 0: it has none */
	uint64_t traces;
};

struct spool {
	char *path;           /* owned */
	int dir;              /* -1: cannot be used */
	int64_t bytes_max;
	struct item **items;  /* owned, sorted by planned, then id */
	uint32_t count, room;
	uint64_t disk_bytes, memory_bytes;
	bool in_memory;       /* the disk refused last */
	bool told_full;
	uint64_t ignored, cut, damaged;
	struct buf line;      /* being written, or being told */
	struct buf notes;     /* one a line */
	size_t notes_at;
};

#define SPOOL_NOTES_MAX 4096
void spool_tell(struct spool *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *item_name(const struct item *it, uint8_t ext, char out[static ROUND_ID_TEXT + 16]);
/* What a file of n bytes takes of the bound. */
static inline uint64_t spool_blocks(uint64_t n)
{
	return (n + SPOOL_BLOCK - 1) / SPOOL_BLOCK * SPOOL_BLOCK;
}

/* A new item at its place among the others, NULL: out of memory. */
struct item *spool_add(struct spool *s, const char *id, struct wall planned);
void spool_forget(struct spool *s, struct item *it);
struct item *spool_find(struct spool *s, const char *id);

/* Lists what lies in the directory. BP_ENOMEM. */
int spool_list(struct spool *s, struct bp_error *err);
/* The round of an item, whether it has its last line or not. BP_EIO: its file cannot be read now;
 * BP_EPARSE: never again; BP_ENOMEM. */
int item_round(struct spool *s, struct item *it, struct round *r, struct bp_error *err);

#endif
