// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the user wants measured: hosts, addresses, prefixes, @FILE, or the profile's targets, as a
 * list of ranges: a prefix is one entry, whatever it holds. Resolves host names. Sends no probe and
 * knows no order but that of asking (campaign/order.h has the order of measuring).
 */
#ifndef CAMPAIGN_TARGETS_H
#define CAMPAIGN_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/prefixset.h"
#include "core/record/trace.h"
#include "geo/profile.h"

/* A prefix may unfold to this many destinations at most: a longer one is more likely a slip of the
 * finger. Prefixes, and lines of files, may be as many as memory holds (32 bytes each). */
enum { TARGETS_PREFIX_MAX = 1 << 20 };

struct target {
	struct prefix prefix; /* a single address is a /32 or /128 */
	uint8_t method;       /* enum method; METHOD_UNKNOWN: not told */
	uint16_t port;        /* 0: not told */
	uint32_t text;        /* where its words are in `texts`; 0: they are the prefix itself */
	uint32_t tag;         /* the caller's; 0 to begin with */
};

struct targets {
	struct target *items; /* owned */
	uint32_t count, room;
	struct buf texts;     /* terminated words, from 1 */
	uint64_t wrong;       /* lines of files that name nothing */
	/* Asked for each host name. It may leave *out unset (family 0) and return 0: the entry is
	 * there then, without an address, and the caller fills it. NULL: getaddrinfo. */
	int (*resolve)(void *arg, const char *host, uint8_t family, struct addr *out,
		       struct bp_error *err);
	void *resolve_arg;
};

/* For targets_settle. */
enum targets_settle_how {
	TARGETS_BY_METHOD = 1,     /* by another method or port it is another destination */
	TARGETS_KEEP_SINGLE = 2,   /* an address of its own stays beside the prefix that holds it */
};

void targets_init(struct targets *t);
void targets_fini(struct targets *t);
/* Adds one word of the command line. family 0, 4 or 6. BP_ENOTFOUND for a name that does not
 * resolve, BP_EPARSE, BP_ERANGE, BP_EIO for @FILE. @FILE ("@-" or "-": stdin): one target a line,
 * '#' comments; a wrong line is passed over and counted, and after the last one the first is
 * returned, told with file:line. A file that is no text (a line of 4096 bytes or more, a NUL byte)
 * is read up to there: BP_EUNSUP. */
int targets_add(struct targets *t, const char *word, uint8_t family, struct bp_error *err);
/* Adds the profile's targets that hold at `when`, filtered by family. */
int targets_add_profile(struct targets *t, const struct profile *p, uint8_t family,
			struct wall when, struct bp_error *err);
/* What an entry is called, instead of the word that named it. BP_ENOMEM. */
int targets_name(struct targets *t, uint32_t index, const char *name);
/* Drops entries that lie in another one, and those without an address; the first of equals stays: a
 * destination is measured once however often it is named. how: bits of enum targets_settle_how.
 * *dropped: entries. BP_ENOMEM. */
int targets_settle(struct targets *t, unsigned how, uint32_t *dropped);
/* Keeps what lies in one of these prefixes, which do not overlap: of an entry that is wider, those
 * parts; what they are called stays. What has no address goes. BP_ENOMEM. */
int targets_narrow(struct targets *t, const struct prefix *to, unsigned count);
/* Destinations of one entry; index from 0 gives its i-th address. */
uint64_t target_size(const struct target *t);
struct addr target_address(const struct target *t, uint64_t index);
/* As it was written; the profile's name for its own. Borrowed from t or out. */
const char *target_text(const struct targets *t, const struct target *one,
			char out[static PREFIX_TEXT]);

/* Reads a do-not-probe list: an address or prefix a line, '#' comments. Adds to *out, which is
 * to be settled after. A line that is neither is BP_EPARSE or BP_ERANGE with file:line: a list that
 * is not understood whole protects nobody. BP_ENOTFOUND when there is no such file, BP_EUNSUP when
 * it is no text. */
int targets_read_avoid(struct prefixset *out, const char *path, struct bp_error *err);
/* All that hold here: path (NULL: none), which must be there, and the user's and the system's
 * do-not-probe files where they are. *out is settled. BP_ERANGE when there are more entries than a
 * plan of the prober holds. */
int targets_load_avoid(struct prefixset *out, const char *path, struct bp_error *err);

#endif
