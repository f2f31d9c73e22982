// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath trace --dry-run: states what a run would send, where to, how fast, for how long, what
 * is left out and who measures, and sends nothing. Needs neither the prober nor a privilege; host
 * names are looked up.
 */
#ifndef CLI_TRACE_DRY_H
#define CLI_TRACE_DRY_H

#include "cli/forecast.h"
#include "cli/options.h"
#include "cli/trace_plan.h"

/* Prints it (text or {"type":"dry_run"}), and writes probing.txt where that is asked for. Returns
 * the exit code: CLI_FAILURE when this machine's limits would refuse the run, CLI_PARTIAL when some
 * of what was named names nothing. */
int trace_dry_run(const struct trace_plan *p, uint64_t wrong, struct session *session);

#endif
