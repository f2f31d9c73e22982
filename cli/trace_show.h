// SPDX-License-Identifier: BSD-2-Clause
/*
 * Results of `borderpath trace`: named, judged and printed as they come. In text, destinations are
 * printed in the order measured, and a summary lists them; JSON Lines and bulk runs stream as they
 * finish, and a bulk run's summary counts. What is kept does not grow with the destinations of a
 * bulk run. Owns what waits for its turn or for its other flows, the summary and the line of
 * progress; plans and measures nothing.
 */
#ifndef CLI_TRACE_SHOW_H
#define CLI_TRACE_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/judge_pass.h"
#include "analysis/report/summary.h"
#include "analysis/report/tally.h"
#include "cli/options.h"
#include "cli/resolve.h"
#include "cli/trace_end.h"
#include "cli/trace_options.h"
#include "core/buf.h"
#include "core/record/frame.h"
#include "core/record/trace.h"

struct held;

struct trace_show {
	const struct trace_options *o;  /* borrowed, as the next two */
	struct session *session;
	struct judge_pass pass;
	struct resolver *resolver;      /* NULL: no names */
	bool bulk;                      /* to be set before the first trace, as the next */
	uint64_t paths;                 /* of the whole run, for the line of progress */
	struct held *held;              /* sorted by destination */
	uint64_t printed;               /* destinations printed, in order (text) */
	uint64_t traces, failed, cut;   /* traces taken; of them not measured, interrupted */
	char failure[TRACE_ERROR_TEXT]; /* the first one's reason */
	struct report_summary summary;
	struct tally tally;             /* bulk: instead of the summary */
	struct buf out;
	struct mono began, shown;       /* the run; the line of progress shown last ... */
	uint64_t shown_sent;            /* ... and the probes it knew of */
	bool progress_shown, output_failed;
	struct bp_error *err;           /* borrowed: why a call here failed */
};

/* Everything is borrowed for the life of s. */
void trace_show_init(struct trace_show *s, const struct trace_options *o, struct session *session,
		     struct bp_error *err);
void trace_show_fini(struct trace_show *s);
/* One trace of the destination with this number (trace_plan_target): borrowed until return. */
int trace_show_trace(struct trace_show *s, const struct trace *t, uint64_t target);
/* After the last trace of a multipath target. */
int trace_show_paths(struct trace_show *s, const struct frame_paths *p, uint64_t target);
/* After the last trace: prints what still waits, and in text the summary. */
int trace_show_finish(struct trace_show *s);
/* Behind everything: the object that marks a run that did not go as planned, in JSON Lines. */
int trace_show_mark(struct trace_show *s, const struct trace_end *end);
/* The line of progress on the terminal, and taking it back before anything else is printed. */
void trace_show_progress(struct trace_show *s, const struct frame_progress *p);
void trace_show_clear(struct trace_show *s);

#endif
