// SPDX-License-Identifier: BSD-2-Clause
/*
 * COLLECT: the centre of a fleet (doc/fleet-protocol.md). Takes batches off the broker, commits
 * them, acknowledges them behind the commit, and tells each vantage point what it may forget.
 * Several collectors may share the work; whatever one of them held when it died comes to another.
 *
 * Nothing is acknowledged that is not in the store, or set aside in it: where the store is away or
 * full, batches stay at the broker, and it goes on by itself when it can. A batch that can never be
 * taken in is set aside by itself. Prints nothing; one thread; never waits for long.
 */
#ifndef CAMPAIGN_FLEET_COLLECT_H
#define CAMPAIGN_FLEET_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/fleet/bus.h"
#include "core/err.h"
#include "core/record/event.h"
#include "core/record/round.h"

struct collect_options {
	struct bus_options bus;      /* inbox: "centre"; all borrowed until collect_close */
	const char *store;           /* as store_open; one that keeps a book of batches */
	unsigned replicas;           /* of what is made at the broker; 1 to 5 */
	int64_t stream_bytes;        /* 0: BUS_STREAM_BYTES_DEFAULT */
	bool new_store;              /* it takes the place of the fleet's, where that is another */
	bool watch;                  /* look for events, where no other collector does */
	const char *outbox;          /* directory of alerts that are to be delivered; NULL: none is
				      * told */
};

struct collect_hooks {
	/* Every batch of it is in the store. Once, unless this process is killed before. */
	void (*on_round)(void *arg, const struct round *r);
	/* A revision that is new: it is in the store. */
	void (*on_event)(void *arg, const struct event *e);
	/* One line for people: what is away, and that it is back. */
	void (*on_note)(void *arg, const char *text);
	/* Now and then within a turn that takes long. */
	void (*on_breath)(void *arg);
	void *arg;
};

/* Since it was opened. */
struct collect_counts {
	uint64_t batches;     /* taken in */
	uint64_t again;       /* were in already */
	uint64_t refused;     /* set aside */
	uint64_t traces, rounds;
	uint64_t commits;
	bool bus, store;      /* they can be reached */
};

struct collect;
/* A broker or a store that is away is no failure: both are tried again. BP_EINVAL; BP_EPERM (a key,
 * a password); of the store BP_EUNSUP (it keeps no book, or is of another version), BP_EPARSE. */
int collect_open(const struct collect_options *o, const struct collect_hooks *hooks,
		 struct collect **out, struct bp_error *err);
/* One turn: takes what there is, waits at most about wait_ns for it. */
void collect_step(struct collect *c, int64_t wait_ns);
/* It cannot go on: the fleet's results go into another store. */
bool collect_failed(const struct collect *c, struct bp_error *err);
void collect_count(const struct collect *c, struct collect_counts *out);
/* What was taken and not committed goes back to the broker. */
void collect_close(struct collect *c);

#endif
