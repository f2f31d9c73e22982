// SPDX-License-Identifier: BSD-2-Clause
/*
 * MEND: a damaged store is read as far as it can be read, into a new one; the damaged file is put
 * aside beside it, under a name with the date; and what the spools have kept or still hold is
 * committed into the new one. Nothing is deleted. Refuses to work while a campaign uses the store.
 */
#ifndef CAMPAIGN_RECOVER_H
#define CAMPAIGN_RECOVER_H

#include <limits.h>
#include <stdint.h>

#include "campaign/store.h"
#include "core/err.h"

struct recover_end {
	struct store_salvage salvage;  /* what came over from the damaged file */
	uint64_t rounds;               /* rounds that the spools had and the salvage had not */
	uint64_t waiting;              /* rounds that still wait, when the new store refused */
	char aside[PATH_MAX];          /* the damaged file */
};

/* url as of store_open; spool_dir NULL: beside the store. on_round (may be NULL) is told of each
 * round that came from a spool. BP_ENOTFOUND: no such file; BP_EAGAIN: a campaign uses it, err says
 * which process; BP_EIO, BP_EPERM: the new one cannot be written, and the damaged one is where it
 * was. */
int recover_store(const char *url, const char *spool_dir,
		  void (*on_round)(void *arg, const struct round *r), void *arg,
		  struct recover_end *out, struct bp_error *err);

#endif
