// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several flows of one target, judged anew together: keeps the verdicts of the traces read last
 * until the {"type":"paths"} object of their target comes, and gives that one its verdict. Knows
 * neither files nor formats; prints nothing.
 *
 * Memory: at most JUDGE_FLOWS_KEPT verdicts of some 25 kB, however many records are read.
 */
#ifndef CLI_JUDGE_FLOWS_H
#define CLI_JUDGE_FLOWS_H

#include <stdint.h>

#include "analysis/paths.h"
#include "core/record/jsonl.h"
#include "core/record/trace.h"
#include "core/record/verdict.h"

/* Four targets of as many flows as multipath ever takes. */
enum { JUDGE_FLOWS_KEPT = 1024 };

struct judge_kept;

struct judge_flows {
	struct judge_kept *kept; /* owned ring; NULL before the first */
	uint32_t next;           /* where the next one goes */
};

/* A zeroed struct is empty. */
void judge_flows_fini(struct judge_flows *f);
/* Takes over v, the verdict of t. BP_ENOMEM (v is freed). */
int judge_flows_take(struct judge_flows *f, const struct trace *t, struct verdict *v);
/* For a paths object: the verdict over the flows it speaks of, in *shares (initialised; freed
 * by the caller) how many of them go where, and in *of (likewise) the target and the method. They
 * are kept no longer. BP_ENOTFOUND when not all of its flows are kept: it was read without them. */
int judge_flows_join(struct judge_flows *f, const struct record *paths, struct trace *of,
		     struct verdict *out, struct paths *shares);

#endif
