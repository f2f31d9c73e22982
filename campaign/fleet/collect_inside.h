// SPDX-License-Identifier: BSD-2-Clause
/*
 * The inside of a collector, shared by campaign/fleet/collect*.c and by nobody else:
 *
 *   collect.c         open, one turn, close; what is away and how long it is left alone
 *   collect_take.c    messages become batches, batches one transaction
 *   collect_marks.c   watermarks: read, told, asked for; rounds that are whole
 *   collect_book.c    what the centre says of each vantage point, in BP_CENTRE
 *   collect_rounds.c  rounds that the store has, read again
 *   collect_centre.c  which store is the fleet's, and that a collector lives
 *   collect_watch.c   events over all vantage points of a campaign
 *   collect_keep.c    what its plan no longer keeps
 */
#ifndef CAMPAIGN_FLEET_COLLECT_INSIDE_H
#define CAMPAIGN_FLEET_COLLECT_INSIDE_H

#include "campaign/fleet/batch.h"
#include "campaign/fleet/collect.h"
#include "campaign/store.h"
#include "core/clock.h"

enum {
	COLLECT_FETCH = 32,        /* batches of one transaction */
	COLLECT_TRIES = 3,         /* of a transaction, before its batches are tried one by one */
	COLLECT_DELIVERIES = 20,   /* of a batch that fails by itself, before it is set aside */
	COLLECT_WAITS = 2880,      /* of one that waits (a day of them), before it is set aside */
	COLLECT_EPOCHS_MAX = 4096, /* of one vantage point: one for each start of its agent */
	/* New ones within COLLECT_EPOCHS_NS: a stolen key does not use them up. */
	COLLECT_EPOCHS_NEW = 64,
	COLLECT_AHEAD = 65536,     /* of a batch before its mark: an agent sends 64 */
	COLLECT_SKIP = 4096,       /* by so many a mark goes on at once because an agent says so */
	COLLECT_PENDING_MAX = 4096,
	BATCH_KEPT_MAX = 64 << 20, /* bytes of memory that a batch's records take, once read */
};
#define COLLECT_WAIT_MIN_NS (NS_PER_S / 2)
#define COLLECT_WAIT_MAX_NS (10 * NS_PER_S)
#define COLLECT_ASIDE_NS (30 * NS_PER_S)  /* a batch that fails by itself is left alone so long */
#define COLLECT_NEWER_NS (60 * NS_PER_S)  /* and one that only a newer program can read */
#define COLLECT_EPOCHS_NS (12 * 3600 * NS_PER_S)
#define COLLECT_SKIP_NS (600 * NS_PER_S)  /* between two skips of one vantage point's */
#define COLLECT_MARKS_NS (3 * NS_PER_S)   /* where a round waits: what others have committed */
#define COLLECT_CENTRE_NS (30 * NS_PER_S) /* between two entries of the collectors */
#define COLLECT_BOOK_NS (2 * NS_PER_S)    /* between two entries of one vantage point */

/* Something that is tried again: when, and whether people know. */
struct patience {
	struct mono until;
	unsigned fails;
	bool told;
};

enum item_state {
	ITEM_WAITS,        /* for a transaction */
	ITEM_REFUSED,      /* for ever; to be set aside */
	ITEM_IN,           /* in the store, or set aside there */
	ITEM_LATER,        /* not now, for no fault of the store's */
	ITEM_BACK,         /* given back to the broker */
};

/* A message in hand. */
struct item {
	struct bus_message m;
	char vantage[BUS_NAME_TEXT];
	enum item_state state;
	bool already;              /* the store had it */
	bool unnumbered;           /* to be set aside under no number: its agent still has it */
	enum batch_refusal refusal;
	struct bp_error why;       /* of ITEM_REFUSED, or of the last failure */
	struct batch_head head;
	uint64_t order_seq;        /* as its name says, before it is read; 0 not known */
	char order_epoch[BATCH_EPOCH_TEXT];
	struct round *round;       /* owned: that it brought and the store took; NULL: none */
	uint32_t traces;
};

struct mark { char vantage[BUS_NAME_TEXT], epoch[BATCH_EPOCH_TEXT]; uint64_t through; };

/* A round whose last batch is in, and perhaps not all before it. */
struct pending { struct round round; char epoch[BATCH_EPOCH_TEXT]; uint64_t seq; };

/* What this collector saw of a vantage point and has not yet put into the book. */
struct page {
	char vantage[BUS_NAME_TEXT];
	struct wall last_batch_at, refused_at;
	uint64_t refused[BATCH_REFUSALS];
	enum batch_refusal why;        /* of the last one */
	char text[BP_ERROR_TEXT];
	bool dirty, offset_known;
	int64_t offset_ns;             /* of its clock, against the broker's */
	struct mono next, noted;
	struct mono skip_next;         /* when its mark may be skipped on again */
	/* The last that it began: a ring, `epoch_at` the oldest. */
	struct { char name[BATCH_EPOCH_TEXT]; struct mono at; } epochs[COLLECT_EPOCHS_NEW];
	unsigned epoch_at;
};

struct collect_watch;

struct collect {
	struct collect_options o;
	struct collect_hooks hooks;
	struct collect_counts counts;
	struct bus *bus;
	struct bus_intake *intake;
	struct bus_ear *ear;
	bool set_up;
	struct store *store;           /* NULL: away */
	bool reading;                  /* it is under way: nothing else may be asked of it */
	struct patience bus_wait, store_wait;
	struct item items[COLLECT_FETCH];
	unsigned item_count;
	bool one_by_one;               /* the transaction failed too often */
	struct mark *marks;            /* owned; sorted as the store gives them */
	size_t mark_count, mark_room;
	bool marks_known, marks_told;
	struct mono marks_next;        /* when they are read although nothing was committed here */
	struct pending *pending;       /* owned */
	size_t pending_count, pending_room;
	struct page *pages;            /* owned */
	size_t page_count, page_room;
	struct mono clocks_next;       /* when BP_STATUS is read again */
	char store_id[STORE_ID_TEXT];  /* empty: it was not open yet */
	char store_why[BP_ERROR_TEXT]; /* of a store that is away */
	bool centre_known;             /* the store is the fleet's */
	bool centre_store;             /* it was said that the store answers */
	struct mono centre_next;
	bool failed;                   /* for good */
	struct bp_error failure;
	struct collect_watch *watch;   /* NULL: not wanted */
};

/* --- collect.c -------------------------------------------------------------------------------- */

void collect_note(struct collect *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Doubles the wait, with jitter; told once: "TEXT; tried again". */
void patience_lose(struct collect *c, struct patience *p, const char *text);
/* It works: `text` is told if its failure was. */
void patience_win(struct collect *c, struct patience *p, const char *text);
bool patience_over(const struct patience *p, struct mono now);
/* The store failed in a way that says nothing of what it was given: closed, and opened anew. */
void collect_store_lost(struct collect *c, const struct bp_error *err);
/* Room for one more element of an array that grows; NULL: out of memory. */
void *collect_room(void *array, size_t count, size_t *room, size_t size);

/* --- collect_take.c --------------------------------------------------------------------------- */

/* Messages from the broker into items; 0 or the bus's failure. */
int collect_fetch(struct collect *c, int64_t wait_ns, struct bp_error *err);
/* Items into the store, as far as it takes them. Those that are in are acknowledged and gone. */
void collect_take(struct collect *c);
/* Drops what is in hand; with `back`, the broker hands it out again at once. */
void collect_drop(struct collect *c, bool back);

/* --- collect_marks.c -------------------------------------------------------------------------- */

/* As the store has them. */
int collect_marks_read(struct collect *c, struct bp_error *err);
void collect_marks_tell(struct collect *c, const char *vantage);
void collect_marks_tell_all(struct collect *c);
/* Who asked is answered. */
void collect_marks_answer(struct collect *c);
/* "marks": {EPOCH: THROUGH}; old (may be NULL): such an object, of which the greater ones stay. */
struct json_writer;
struct json_node;
void collect_marks_put(const struct collect *c, struct json_writer *w, const char *vantage,
		       const struct json_node *old);
/* 0: none that is known. */
uint64_t collect_through(const struct collect *c, const char *vantage, const char *epoch);
/* Whether it is known, or may be begun: 0; BP_EAGAIN, not now; BP_ERANGE, there are too many. */
int collect_epoch(struct collect *c, const char *vantage, const char *epoch, struct bp_error *err);
/* A round's last batch is in: it is announced when all of it is. Takes the round's value. */
void collect_pending_add(struct collect *c, const struct round *r, const char *epoch, uint64_t seq);
void collect_pending_look(struct collect *c);
/* Now and then, where rounds wait: what they wait for may be another collector's. */
void collect_pending_turn(struct collect *c);

/* --- collect_centre.c ------------------------------------------------------------------------- */

/* Now and then, with a bus that works. Whether the store is known to be the fleet's: nothing is
 * taken into it, and nothing told of it, before. Another one is c->failure. */
bool collect_centre_turn(struct collect *c);

/* --- collect_book.c --------------------------------------------------------------------------- */

/* NULL: out of memory. */
struct page *collect_page(struct collect *c, const char *vantage);
void collect_book_batch(struct collect *c, const struct item *it);
/* What BP_CENTRE says of a mark; 0: nothing. */
uint64_t collect_book_mark(struct collect *c, const char *vantage, const char *epoch);
/* Writes what is due; `all`: what there is. */
void collect_book_write(struct collect *c, bool all);
/* Reads what agents say of their clocks, now and then. */
void collect_book_clocks(struct collect *c);

/* --- collect_watch.c -------------------------------------------------------------------------- */

int collect_watch_open(struct collect *c);
void collect_watch_close(struct collect *c);
/* A round is whole: it is watched here, or told to the collector that watches. */
void collect_watch_round(struct collect *c, const struct round *r);
/* What is known of a clock has changed. */
void collect_watch_clock(struct collect *c, const struct page *p);
/* With the store's connection its claim is gone. */
void collect_watch_lost(struct collect *c);
/* The broker was away: what others told meanwhile was not heard, and is read from the store. */
void collect_watch_deaf(struct collect *c);
void collect_watch_turn(struct collect *c, bool bus);

/* --- collect_keep.c --------------------------------------------------------------------------- */

/* Of one campaign. */
struct keeping {
	const char *campaign;          /* borrowed */
	int64_t traces_ns, hourly_ns;  /* as its plan says; 0: for ever */
	struct mono next;              /* 0: at once */
	bool under_way, told;          /* told: that it fails */
	struct wall now;               /* of which age is reckoned, while it is under way */
	uint64_t dropped;
};

/* Some of what is due, for about a second. Whether anything was: then another campaign's turn is
 * the next one. The store's connection may be lost behind it. */
bool collect_keep(struct collect *c, struct keeping *k);

#endif
