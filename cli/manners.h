// SPDX-License-Identifier: BSD-2-Clause
/*
 * Good manners told before a packet is sent: who measures, what this machine's limits say of a run,
 * the file for those who are measured, and the words for all that. Shared by `trace --dry-run` and
 * `campaign check`; counts nothing itself (cli/forecast.h does).
 */
#ifndef CLI_MANNERS_H
#define CLI_MANNERS_H

#include <stdbool.h>

#include "campaign/contact.h"
#include "cli/forecast.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "core/prefixset.h"
#include "prober/limits.h"
#include "prober/plan.h"

/* What the prober would say of a run here: the same file, the same functions. */
struct manners {
	struct limits limits;    /* owned; defaults when not known */
	bool knows_limits;       /* the limits file could be read, or there is none */
	struct bp_error refused; /* code 0: the limits allow the run */
	struct contact contact;
	bool has_contact;
};

/* path NULL: contact.yaml where it is looked for, if it is there. */
int manners_look(struct manners *m, const struct plan_run *run, const char *contact_path,
		 struct bp_error *err);
void manners_fini(struct manners *m);
/* BP_ENOMEM. *to is settled. */
int manners_add_all(struct prefixset *to, const struct prefixset *from);

/* "ICMP echo, TCP SYN": bits 1 << METHOD_*. */
void manners_put_methods(struct buf *out, unsigned methods);
void manners_put_rates(struct buf *out, const struct plan_run *run);
/* "2 min at least, 41 min over 15 hops, 72 min at most; what holds it back". */
void manners_put_time(struct buf *out, const struct forecast *f);
/* Who, and where to write to, in one line. */
void manners_put_contact(struct buf *out, const struct manners *m);
/* Members of an open object: rates, allowed, why; contact, where it is known; seconds, binds. */
void manners_put_json(struct json_writer *w, const struct manners *m, const struct plan_run *run);
void manners_put_json_contact(struct json_writer *w, const struct manners *m);
void manners_put_json_seconds(struct json_writer *w, const struct forecast *f);
/* least, usual, most. */
void manners_put_cases(struct json_writer *w, const char *key, const uint64_t values[CASES]);

/* Writes probing.txt (RFC 9511) to path: who, and what is sent. more (may be NULL) is added to the
 * description. BP_ENOTFOUND: nobody is known to measure. */
int manners_write_probing(const struct manners *m, unsigned methods, const struct plan_run *run,
			  const char *more, const char *path, struct bp_error *err);

#endif
