// SPDX-License-Identifier: BSD-2-Clause
/*
 * Addresses of host names, by c-ares: all are asked at once, and waited for within one bound,
 * so that a dead name service costs a round seconds, never minutes. Keeps the last good address of
 * each name, to be used while the name service is silent. Silence is soon waited for less.
 */
#ifndef CAMPAIGN_LOOKUP_H
#define CAMPAIGN_LOOKUP_H

#include <ares.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

enum { LOOKUP_WAIT_MS = 3000, LOOKUP_NAMES_MAX = 65536 };

struct lookup;

/* BP_EUNSUP when the machine has no resolver configured; BP_ENOMEM. */
int lookup_open(struct lookup **out, struct bp_error *err);
void lookup_close(struct lookup *l);
/* Asks these servers (ADDRESS:PORT, commas between), not the machine's: for tests. BP_EINVAL. */
int lookup_use(struct lookup *l, const char *servers);
/* Asks for the address of host, anew, without waiting; once however often it is asked before
 * lookup_wait. BP_ENOMEM; BP_ERANGE: more names than LOOKUP_NAMES_MAX. */
int lookup_ask(struct lookup *l, const char *host);
/* Until all that was asked is answered, LOOKUP_WAIT_MS at most. */
void lookup_wait(struct lookup *l);
/* What is known of host: *old when this time nobody answered and it is from an earlier one. An
 * answer that there is no such name is one. BP_ENOTFOUND with why. */
int lookup_find(const struct lookup *l, const char *host, struct addr *out, bool *old,
		struct bp_error *err);

/* Lets a channel read what came and send again; waits at most timeout_ms for something to read. */
void lookup_take_answers(ares_channel channel, int timeout_ms);

#endif
