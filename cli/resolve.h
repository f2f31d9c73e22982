// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reverse names of hops, by c-ares: all addresses of a trace at once, within one bounded wait, each
 * address asked once per run. Names are untrusted text and are cleaned. A resolver that does not
 * answer is asked no more after a few silent rounds.
 */
#ifndef CLI_RESOLVE_H
#define CLI_RESOLVE_H

#include "core/err.h"
#include "core/record/names.h"

struct resolver;

/* wait_ms bounds each resolver_fill. BP_EUNSUP when the machine has no resolver configured. */
int resolver_open(unsigned wait_ms, struct resolver **out, struct bp_error *err);
void resolver_close(struct resolver *r);
/* Fills host where it is empty. Never fails: what does not answer in time stays empty. */
void resolver_fill(struct resolver *r, struct names *names);

#endif
