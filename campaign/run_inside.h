// SPDX-License-Identifier: BSD-2-Clause
/*
 * The inside of the daemon, shared by campaign/run*.c and by nobody else:
 *
 *   run.c         the loop: signals, clocks, who is asked when
 *   run_desk.c    a plan and all that belongs to it: what was read, its lock, spool and schedule
 *   run_round.c   a round under way: what came of it, its end
 *   run_feed.c    which line is next, and whose: shares, rates, lines in hand
 *   run_child.c   the prober: its life, its death, its second try
 *   run_flows.c   several flows of one target, together
 *   run_keep.c    the store: what is committed when, what happens while it refuses
 *   run_gap.c     slots that nobody measured
 *   run_watch.c   events, and who is told of them
 *   run_look.c    closer looks between rounds, while something is suspected
 *   run_metrics.c the page of metrics: ports and textfiles
 *   run_notify.c  the service manager
 */
#ifndef CAMPAIGN_RUN_INSIDE_H
#define CAMPAIGN_RUN_INSIDE_H

#include <limits.h>
#include <sys/types.h>

#include "analysis/judge_pass.h"
#include "analysis/paths.h"
#include "campaign/alert.h"
#include "campaign/feed.h"
#include "campaign/hosts.h"
#include "campaign/lookup.h"
#include "campaign/metrics.h"
#include "campaign/plan.h"
#include "campaign/probe.h"
#include "campaign/run.h"
#include "campaign/schedule.h"
#include "campaign/spool.h"
#include "campaign/store.h"
#include "campaign/vantage.h"
#include "campaign/watch.h"
#include "core/prefixset.h"

enum {
	RUN_RESTARTS_MAX = 3,    /* of the prober, within a round */
	RUN_ASKED_MAX = 2,       /* a line that a dead prober had in hand is asked once more */
	RUN_LINES_MIN = 8,       /* lines of a round that the prober may have in any case */
	RUN_AHEAD_S = 10,        /* seconds of work that it may have beyond what is in flight */
	RUN_SHORT = 256,         /* a round with no more left than this is not kept waiting */
	RUN_LINES_MAX = 4096,
	RUN_GAP_ROWS = 100000,   /* slots of one gap that have a row each; older ones share one */
	RUN_GAP_BATCH = 1000,    /* rows of a gap in one transaction */
	RUN_BUCKETS = 1024,
	RUN_FDS_MAX = 64,        /* of what is polled besides the prober and the signals */
	RUN_CLOSER_PREFIXES = 64, /* that are watched closer at a time */
};
#define RUN_LOOK_NS (60 * NS_PER_S)      /* the clocks are looked at this often at least */
#define RUN_STORE_AGAIN_NS (60 * NS_PER_S)
#define RUN_STOP_NS (10 * NS_PER_S)      /* what is in flight may take this long after SIGTERM */
#define RUN_DEAF_NS (60 * NS_PER_S)      /* a prober that says nothing for so long is ended */
#define RUN_CLEAR_MAX_NS (60 * NS_PER_S) /* so long before a round others make room for it */
#define RUN_BREATH_NS (50 * NS_PER_MS)   /* a commit looks after the prober this often */

struct run;
struct run_desk;
struct run_round;

/* What was read for a plan. A round keeps the one it began with. */
struct run_book {
	unsigned holders;
	struct campaign_plan *plan;
	struct profile *profile;
	struct geo *geo;
	struct hosts *hosts;
	struct judge_pass judge;
	struct plan_run line;    /* what the plan asks of the prober */
};

/* A store, of one or several plans. */
struct run_keep {
	char url[CAMPAIGN_URL_TEXT], path[PATH_MAX];
	struct store *store;     /* NULL: not open */
	dev_t device;            /* of the file that is open: another one may take its place */
	ino_t inode;
	bool opened_once;
	bool refuses;            /* told; since then nothing was committed */
	char told[BP_ERROR_TEXT];
	struct mono again;       /* tried again then */
	struct run_keep *next;
};

/* A prefix in which something is, or was of late, suspected. */
struct run_closer {
	struct prefix prefix;
	unsigned suspected;      /* bits 1 << enum method: of these it is now */
	bool resting;            /* it had its time: no look until `until` */
	struct mono first, until, due;
};

struct run_looks {
	struct run_closer at[RUN_CLOSER_PREFIXES];
	unsigned count;
	struct mono begun;       /* of the one under way, or the last */
	int64_t took_ns;         /* by the last whole one */
	struct wall last;        /* its moment; 0: none yet */
	bool too_many;           /* told */
};

/* Slots without a journal, in order; r is the row of the first, and all are like it. */
struct run_gap {
	struct round r;
	uint64_t count;
	int64_t every_ns;
	struct run_gap *next;
};

struct run_desk {
	struct run *run;
	const char *file;
	struct run_book *book;
	struct run_keep *keep;
	struct spool *spool;
	int lock;                /* -1: none */
	bool spool_told;         /* that it is in memory */
	struct schedule schedule;
	struct wall taken;       /* slots up to it may be in the store; 0: none but those behind */
	struct mono next;        /* its next round starts then, as far as the clocks tell */
	bool over, started;      /* no slot comes any more; once: its round began */
	bool looked_inside;      /* for slots without a row between those that have one */
	bool look_back;          /* what earlier processes left out is looked for before a commit */
	struct wall opened;      /* when this process began */
	struct wall first;       /* slot of its first round; 0: none yet */
	bool last_known;
	struct wall last;        /* slot committed last; 0: none */
	struct round before;     /* who we were, as far as is known; planned 0: nothing is */
	uint32_t expected;       /* of a round; 0: not known yet */
	bool retiring;           /* what is older than is kept goes, a slice a look */
	struct mono retire;      /* looked at again then */
	struct run_gap *gaps;    /* to be committed */
	struct watch *watch;     /* NULL: no memory for it */
	struct alert *alert;     /* NULL: nobody is told */
	bool metrics_due;        /* something of them is new: the textfile is to be written */
	bool metrics_told;       /* that it cannot be */
	struct mono reload;      /* read again then: what was missing may be there; 0: never */
	char reload_told[BP_ERROR_TEXT]; /* what is missing */
	char watch_told[BP_ERROR_TEXT]; /* what keeps it from looking; empty: nothing */
	struct run_round *round; /* under way; NULL: none */
	struct run_looks looks;
};

/* A line in the prober's hands, or to be asked again. */
struct run_line {
	struct run_round *round; /* NULL: it is over, nobody waits for the answer */
	struct feed_line from;
	struct plan_trace plan;
	unsigned asked;
	uint8_t why;             /* enum round_why, when a trace of it is not a whole one */
	double cost;             /* probes, foreseen */
	int64_t sent;            /* and as they were */
	struct wall start, end;  /* of its traces */
	struct run_line *next;
};

/* Flows of one destination, until all are there. */
struct run_flows {
	struct addr dst;
	uint8_t method;
	uint16_t port;
	unsigned wanted, count, room; /* wanted 0: not known yet */
	uint64_t seq;                 /* multipath: its line; else 0 */
	struct paths paths;
	struct verdict *verdicts;     /* owned */
	struct run_flows *next;
};

struct run_round {
	struct run_desk *desk;
	struct run_book *book;       /* held */
	struct round r;
	struct feed *feed;
	struct spool_journal *journal;
	struct vantage_watch *watch;
	struct run_flows *flows;
	struct run_line *again;      /* to be asked once more */
	unsigned out;                /* lines in the prober's hands */
	bool fed;                    /* the feed has no further line, or none is wanted */
	uint8_t end_why;             /* why it was ended; ROUND_WHY_NONE: it was not */
	char end_note[ROUND_NOTE_TEXT];
	uint32_t missed[ROUND_WHY_TARGETS + 1];
	struct mono limit, feed_limit;
	unsigned restarts;
	double probes, ns;           /* of a line, as lines have been of late */
	double tokens;               /* probes that its rate allows now */
	struct mono filled;
	uint64_t drops_before;
	struct run_round *next;
};

struct run_child {
	struct probe *probe;     /* NULL: none */
	struct probe_run orders;
	bool avoid_said, ending, stopped, killed;
	bool renew;              /* to be replaced when its hands are empty: other rates, lists */
	struct mono earliest;    /* not started before */
	struct mono heard;       /* last */
	struct mono patience;    /* when ending: killed then */
	uint64_t drops;          /* as its progress tells */
	char note[BP_ERROR_TEXT]; /* told last */
};

struct run {
	const struct campaign_options *o;
	struct campaign_result *result;
	struct run_desk *desks;
	unsigned desk_count;
	struct run_keep *keeps;
	struct run_round *rounds; /* under way; the first is the next to be served */
	unsigned round_count;
	struct prefixset avoid;
	struct lookup *lookup;   /* NULL: the machine has no resolver */
	struct run_child child;
	struct run_line *lines[RUN_BUCKETS]; /* in hand, by seq */
	unsigned out;
	uint64_t seq;
	struct mono now;
	struct mono wake;        /* somebody wants to be asked then */
	int signals, timer;      /* -1: none */
	unsigned stops;          /* requests to stop */
	struct mono stopped;     /* the last of them */
	bool reload;
	struct mono stop_limit;
	uint64_t ended;          /* rounds, so far */
	struct metrics *metrics; /* NULL: no memory for them */
	struct run_port *ports;  /* that they are served on */
	char status[BP_ERROR_TEXT];
	struct mono breath, ticked;
	uint64_t watchdog_ns;    /* 0: none */
	struct mono fed_dog;
};

/* The earlier of the wake-ups asked for. */
void run_wake(struct run *run, struct mono when);
/* One line to whoever listens. desk may be NULL. */
void run_note(struct run *run, const struct run_desk *desk, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Looks after the prober and the watchdog, without waiting; from within a commit. */
void run_breathe(struct run *run);

/* run_desk.c */
int run_desk_open(struct run *run, struct run_desk *d, const char *file, struct bp_error *err);
/* Commits what an earlier process left, and goes on behind it. */
void run_desk_begin(struct run_desk *d);
void run_desk_close(struct run_desk *d);
/* Reads the plan and what it names again. False: it does not read, which is told, and the old one
 * stays; where that may pass (a database that is not there) it is read again in a minute. */
bool run_desk_reload(struct run_desk *d);
void run_book_drop(struct run_book *b);
/* What the last rounds in the store say: who measured, which hosts. After the store was opened. */
void run_desk_recall(struct run_desk *d);
/* Looks at the clocks and begins what is due. */
void run_desk_look(struct run_desk *d);
/* The one round of `once`. */
void run_desk_once(struct run_desk *d);

/* run_round.c */
int run_round_begin(struct run_desk *d, struct wall slot);
/* A closer look at these prefixes, at its own moment. BP_ENOTFOUND: nothing is measured there. */
int run_round_begin_look(struct run_desk *d, struct wall moment, const struct prefix *only,
			 unsigned count);
/* It ends so long before its next slot. */
int64_t run_round_margin(const struct campaign_plan *p);
/* Ends it at once, as it is: its time belongs to another. */
void run_round_yield(struct run_round *x);
/* A trace of the line; what fails is counted and told. */
void run_round_trace(struct run_round *x, struct run_line *l, const struct trace *t);
void run_round_paths(struct run_round *x, struct run_line *l, const struct frame_paths *p);
/* Its last result has come. */
void run_round_line_over(struct run_round *x, const struct run_line *l);
/* Whether nothing more is to come; ends those that are over or out of time. */
void run_rounds_look(struct run *run);
/* Takes no more lines from it; why is of what is left. */
void run_round_cut(struct run_round *x, enum round_why why, const char *note);
void run_round_abandon(struct run_round *x);
/* Writes one object into its journal. */
void run_round_object(struct run_round *x, const struct buf *json);

/* run_feed.c */
enum probe_more run_feed_more(void *arg, struct buf *out);
struct run_line *run_feed_find(struct run *run, uint64_t seq);
/* Out of the prober's hands. */
void run_feed_take(struct run *run, struct run_line *l);
/* The prober is gone: its lines go back to their rounds. */
void run_feed_return(struct run *run);
/* A round is over: nobody waits for what is in hand of it. */
void run_feed_orphan(struct run_round *x);
/* Whether some round has a line to give now. */
bool run_feed_ready(struct run *run);
void run_feed_fini(struct run *run);

/* run_child.c */
/* Starts, ends, or replaces it as the rounds under way want. */
void run_child_look(struct run *run);
void run_child_step(struct run *run, const struct pollfd fds[static PROBE_FDS]);
void run_child_fini(struct run *run);

/* run_flows.c */
/* BP_ENOMEM. The paths object is written when all are there. */
int run_flows_take(struct run_round *x, const struct run_line *l, const struct trace *t,
		   const struct verdict *v);
void run_flows_search(struct run_round *x, const struct run_line *l, const struct frame_paths *p);
/* A line was lost, and will be asked again: what came of it is forgotten. */
void run_flows_forget(struct run_round *x, const struct run_line *l);
/* Those that are not complete are written as they are. */
void run_flows_flush(struct run_round *x);
void run_flows_drop(struct run_round *x);

/* run_keep.c */
struct run_keep *run_keep_get(struct run *run, const char *url, struct bp_error *err);
void run_keeps_close(struct run *run);
/* Opens it when it is not open, and again when another file has taken its place. False: it refuses,
 * and this was told. */
bool run_keep_open(struct run *run, struct run_keep *k);
/* Commits what waits, of those whose store is to be asked; force: whatever it said before. */
void run_keep_look(struct run *run, bool force);

/* run_gap.c */
/* Slots first, first + every, ... that were not measured. */
void run_gap_add(struct run_desk *d, struct wall first, uint64_t count, enum round_why why);
/* A round that has no journal. */
void run_gap_add_round(struct run_desk *d, const struct round *r);
/* The slots of the grid between rounds that the store has, that have no row; once, behind its first
 * opening. */
void run_gap_look_inside(struct run_desk *d);
/* The slots of the grid between what was committed last and `until`, that no process told of. */
void run_gap_look_back(struct run_desk *d, struct wall until);
/* Commits the first gap, in part when it is long. */
int run_gap_commit(struct run_desk *d, struct bp_error *err);
void run_gaps_fini(struct run_desk *d);

/* run_watch.c: events and alerts of a desk; open and close go with its book. */
void run_watch_open(struct run_desk *d);
void run_watch_close(struct run_desk *d);
/* Reads history; when the store was opened. */
void run_watch_recall(struct run_desk *d);
/* A round that was committed. */
void run_watch_round(struct run_desk *d, const struct round *r);
/* What is to be polled for those who are told, at most max; wake-ups are asked for. */
void run_watch_poll(struct run *run, struct pollfd *fds, unsigned max);
void run_watch_step(struct run *run);

/* run_look.c */
/* How a key stands, behind a round that measured it just now. */
void run_look_suspect(struct run_desk *d, const struct series_key *key,
		      const struct events_now *now);
/* Begins a look that is due, where there is room for one before the next round. */
void run_look_begin(struct run_desk *d);
/* A round or a look is over: what it measured need not be looked at for a while. */
void run_look_measured(struct run_desk *d, const struct run_round *x);

/* run_metrics.c: init before, fini behind all desks. */
void run_metrics_init(struct run *run);
void run_metrics_fini(struct run *run);
/* BP_EINVAL: two plans name one textfile. */
int run_metrics_check(const struct run *run, struct bp_error *err);
/* A plan was read; then, of all of them, the ports. */
void run_metrics_desk(struct run_desk *d);
void run_metrics_ports(struct run *run);
void run_metrics_cell(struct run_desk *d, const struct cell *c, const struct events_now *now);
void run_metrics_event(struct run_desk *d, const struct event *e);
/* A round that was committed; one that the store has from before. */
void run_metrics_round(struct run_desk *d, const struct round *r);
void run_metrics_recall(struct run_desk *d, const struct round *r);
/* Of a prober's whole run. */
void run_metrics_refused(struct run *run, const struct refused *r);
/* Writes the textfile; look: of those where something is new. */
void run_metrics_write(struct run_desk *d);
void run_metrics_look(struct run *run);
/* As run_watch_poll; returns how many entries are its own, for step. */
unsigned run_metrics_poll(struct run *run, struct pollfd *fds, unsigned max);
void run_metrics_step(struct run *run, const struct pollfd *fds, unsigned n);

/* run_notify.c: the service manager, where there is one. */
void run_notify_init(struct run *run);
void run_notify_ready(struct run *run);
void run_notify_status(struct run *run);
void run_notify_reloading(struct run *run);
void run_notify_stopping(struct run *run);
/* When due; the wake-up is asked for. */
void run_notify_watchdog(struct run *run);

#endif
