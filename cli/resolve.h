// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reverse names of hops, by c-ares: asked as hops are heard, while the measurement goes on, so that
 * they are mostly there when it ends. What is not is waited for within a short bound. Each address
 * is asked once per run, and no more than RESOLVER_ASKED_MAX of them. Names are untrusted text and
 * are cleaned. A resolver that never answers is soon asked no more.
 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include "core/err.h"
#include "core/record/names.h"

struct resolver;

/* Some 600 bytes each, twice. */
enum { RESOLVER_ASKED_MAX = 4096 };

/* BP_EUNSUP when the machine has no resolver configured. */
int resolver_open(struct resolver **out, struct bp_error *err);
void resolver_close(struct resolver *r);
/* Asks for the name of a; does not wait. r may be NULL. */
void resolver_ask(struct resolver *r, struct addr a);
/* Fills host where it is empty; asks and waits a little for what is missing. Never fails: what does
 * not answer in time stays empty. r may be NULL. */
void resolver_fill(struct resolver *r, struct names *names);
/* Fills host where it is empty and known by now; asks nothing, waits for nothing. r may be NULL. */
void resolver_take(struct resolver *r, struct names *names);

#endif
