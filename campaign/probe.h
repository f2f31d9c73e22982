// SPDX-License-Identifier: BSD-2-Clause
/*
 * The child: runs borderpath-probe, streams the plan to it and the frames from it. The child is
 * found beside this program, else on PATH; or waits behind a local socket (probe_socket.h), where
 * hanging up takes the place of signals. probe_run has a poll loop of its own, where signals
 * (SIGINT, SIGTERM) become an orderly stop: the child hands over what it has. Its parts, below, are
 * for a caller who has a loop already. Opens no network socket.
 */
#ifndef CAMPAIGN_PROBE_H
#define CAMPAIGN_PROBE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/record/frame.h"
#include "prober/plan.h"

enum probe_more {
	PROBE_MORE_NOW,   /* ask again as soon as there is room */
	PROBE_MORE_LATER, /* what comes next depends on results: ask again when one has come */
	PROBE_MORE_NONE,  /* the plan is complete */
};

struct probe_run {
	struct plan_run run;
	/* Appends the next plan lines (some, not necessarily all) to out and says how it goes on.
	 * Called only when the child has taken what it was given. */
	enum probe_more (*more)(void *arg, struct buf *out);
	/* A finished trace: borrowed until return. Negative stops the run (the output failed). */
	int (*on_trace)(void *arg, const struct trace *t);
	void (*on_progress)(void *arg, const struct frame_progress *p); /* may be NULL */
	void (*on_hop)(void *arg, struct addr from);                    /* may be NULL */
	/* After the last trace of a multipath target; may be NULL. Negative as for on_trace. */
	int (*on_paths)(void *arg, const struct frame_paths *p);
	void (*on_note)(void *arg, const char *text);                   /* may be NULL */
	void *arg;
};

/* The child, started: it opens what it needs while the caller still reads files of its own. */
struct probe;

/* Starts it, or connects to it. SIGPIPE must be ignored: the child may end before it has read its
 * plan. BP_ENOTFOUND: no borderpath-probe; BP_EPERM: not allowed to execute it; BP_ENOMEM; of a
 * socket also as of probe_socket_connect. */
int probe_start(struct probe **out, struct bp_error *err);
/* Ends it unused. NULL is nothing. */
void probe_abandon(struct probe *p);
/* Runs it to the end; p is gone then. On success *end is the child's last word (its code may be
 * negative: the run failed inside, text says why). BP_EIO: it died without a last word; or what
 * on_trace or on_paths returned. */
int probe_run(struct probe *p, const struct probe_run *r, struct frame_end *end,
	      struct bp_error *err);

/* The same in parts: begin, then (fds, poll, step) until it is over, then end. Signals are the
 * caller's. r is borrowed until then. */
void probe_begin(struct probe *p, const struct probe_run *r);
enum { PROBE_FDS = 2 };
/* What to poll for, without a time limit; fd is -1 where nothing is awaited. */
void probe_fds(const struct probe *p, struct pollfd fds[static PROBE_FDS]);
/* Acts upon what poll said of them: hands out lines, takes frames. *over: the child has said its
 * last word, or its stream has ended. Negative: what it says makes no sense, or a callback's. */
int probe_step(struct probe *p, const struct pollfd fds[static PROBE_FDS], bool *over,
	       struct bp_error *err);
/* There are lines again after PROBE_MORE_LATER, though no result came. */
void probe_go_on(struct probe *p);
/* Asks the child to stop in order: it hands over what it has, then its last word. */
void probe_stop(struct probe *p);
/* At once: what it has is lost. Behind a socket it ends by itself, a moment later. */
void probe_kill(struct probe *p);
/* Ends it, by force where it does not end by itself within a second, and leaves no zombie; p is
 * gone then. 0 and *end, or BP_EIO, as of probe_run. */
int probe_end(struct probe *p, struct frame_end *end, struct bp_error *err);

#endif
