// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the owner of this machine allows: rate caps, networks never to be probed, who may lift the
 * caps. Read from one root-owned file before the privileges are dropped; its path is fixed when the
 * program is built, never taken from the environment. Lines of `word value`, # to the end of a line
 * is a comment:
 *
 *   rate_pps N            whole run, packets a second        (default LIMITS_RATE_PPS)
 *   prefix_pps N          each destination /24 or /48        (default LIMITS_PREFIX_PPS)
 *   router_pps N          each answering router              (default LIMITS_ROUTER_PPS)
 *   do_not_probe PREFIX   any number of lines; nobody is exempt
 *   unlimited_user USER   name or number; any number of lines; root always is
 */
#ifndef PROBER_LIMITS_H
#define PROBER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/prefixset.h"
#include "prober/plan.h"

enum {
	/* Without a file, anybody who may run the prober: ten times the polite defaults. */
	LIMITS_RATE_PPS = 1000,
	LIMITS_PREFIX_PPS = 250,
	LIMITS_ROUTER_PPS = 50,
	LIMITS_PREFIXES_MAX = 4096,
	LIMITS_USERS_MAX = 64,
	LIMITS_USER_TEXT = 33,
	LIMITS_FILE_MAX = 1024 * 1024,
};

/* Where it is; fixed when the program is built. */
#ifndef BP_LIMITS_FILE
#define BP_LIMITS_FILE BP_SYSCONFDIR "/borderpath/limits"
#endif

struct limits {
	uint32_t rate_pps, prefix_pps, router_pps;
	struct prefixset never;                /* owned, settled: do_not_probe */
	uint32_t user_count;
	char users[LIMITS_USERS_MAX][LIMITS_USER_TEXT];
};

void limits_defaults(struct limits *l);
void limits_fini(struct limits *l);
/* Parses text (n bytes) over the defaults. Pure. BP_EPARSE or BP_ERANGE naming the line: a file
 * that is not understood whole allows nothing. */
int limits_parse(const char *text, size_t n, struct limits *l, struct bp_error *err);
/* Reads the file at path. No such file: the defaults. BP_EPERM when it is not a plain file, not
 * owned by root, or writable by group or others. */
int limits_read(const char *path, struct limits *l, struct bp_error *err);

/* Who may lift every cap: uid 0 and users named by number or by `name` (NULL: not known). */
bool limits_unlimited(const struct limits *l, uint32_t uid, const char *name);
/* Whether a run may go as fast as it asks to. BP_EPERM with what is allowed. */
int limits_check_run(const struct limits *l, bool unlimited, const struct plan_run *run,
		     struct bp_error *err);
/* BP_EPERM with the reason when nobody may probe dst: multicast, broadcast, "this network" (RFC
 * 1122, 0/8), unspecified, IPv4-mapped, or on a do-not-probe list: this machine's, or the run's
 * own (avoid, settled). Pure. */
int limits_check_target(const struct limits *l, const struct prefixset *avoid, struct addr dst,
			struct bp_error *err);

#endif
