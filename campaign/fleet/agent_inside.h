// SPDX-License-Identifier: BSD-2-Clause
/*
 * The inside of the agent, shared by campaign/fleet/agent*.c and by nobody else:
 *
 *   agent.c         the loop: files, signals, the end
 *   agent_child.c   `campaign run`: its life, its lines
 *   agent_plans.c   plans as they come: checked, written, refused
 *   agent_yaml.c    a plan as this machine runs it
 *   agent_send.c    cutting, sending, sending again, watermarks
 *   agent_spool.c   the spool's bound
 *   agent_status.c  what it says of itself
 */
#ifndef CAMPAIGN_FLEET_AGENT_INSIDE_H
#define CAMPAIGN_FLEET_AGENT_INSIDE_H

#include <limits.h>
#include <sys/types.h>

#include "campaign/fleet/agent.h"
#include "campaign/fleet/bus.h"
#include "campaign/fleet/cut.h"
#include "campaign/store.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/record/round.h"

enum {
	AGENT_PLANS_MAX = 32,
	AGENT_WINDOW = 64,               /* batches sent and not confirmed */
	AGENT_DATE_TEXT = 16,
};
#define AGENT_WINDOW_BYTES (UINT64_C(16) << 20)

struct agent_plan {
	struct cut_plan known;
	uint64_t refused;                /* the revision that was told as refused; 0: none */
	int64_t every_ns, offset_ns;     /* of what runs; 0: nothing does */
	char last_round[ROUND_ID_TEXT];
};

struct agent_child {
	pid_t pid;                       /* 0: none */
	int out;                         /* its standard output; -1 */
	struct buf line;                 /* of it, as far as it came */
	struct mono started, earliest;   /* not started before */
	unsigned deaths;                 /* in a row, soon after a start */
	bool other_plans, reload;        /* what it is to be told */
	struct mono due;                 /* for other plans: at the latest then; 0: not asked yet */
	bool stopping;
	struct mono patience;            /* killed then */
};

/* A batch that was cut and is not confirmed. */
struct agent_sending {
	unsigned tries;
	struct mono due;
};

struct agent_send {
	struct agent_sending *list;      /* owned; the first is of seq confirmed + 1 */
	size_t count, room;
	struct bus_ear *marks;           /* NULL: not yet */
	struct mono marks_again;
	bool was_connected, asked;       /* asked: since the connection came */
	struct mono ask;                 /* next */
	struct mono pause;               /* nothing is sent before */
	unsigned failures;               /* in a row */
	uint64_t sent;                   /* batches the broker took, in this process */
	uint64_t denied;
	bool idle;                       /* nothing to cut when last looked */
	struct mono look;                /* when idle: looked again then */
};

/* What was told of the connection. */
struct agent_broker {
	unsigned lives;                  /* connections that were told; 0: none yet */
	char told[BP_ERROR_TEXT];        /* why there is none; empty: nothing */
	struct mono since, away;         /* it is not there; told again then */
	char error[BP_ERROR_TEXT];       /* of agent.last_error, when it is of the connection */
};

struct agent {
	const struct agent_options *o;
	char plans_dir[PATH_MAX], spool_file[PATH_MAX], journal_dir[PATH_MAX];
	int64_t spool_max, again_ns;
	struct bus *bus;
	struct agent_broker broker;
	struct bus_watch *watch;         /* NULL: not yet */
	struct mono watch_again;
	struct mono plans_anew;          /* one may do later: all are read again then; 0: none */
	struct cut *cut;
	struct store *spool;             /* NULL: not open */
	bool spool_writes;
	ino_t spool_inode;
	struct mono spool_look, history_look, sweep_look;
	struct store *sweeper;           /* NULL: nothing is swept now */
	uint64_t unswept;                /* traces dropped since the last sweep began */
	struct wall lost_until;          /* traces before it were dropped unsent */
	struct agent_plan plans[AGENT_PLANS_MAX];
	unsigned plan_count;
	struct agent_child child;
	struct agent_send send;
	struct round last;               /* announced by the child; id empty: none */
	char asn_built[AGENT_DATE_TEXT], country_built[AGENT_DATE_TEXT];
	struct mono status_due, status_soon; /* soon: something changed; 0: nothing did */
	char last_error[BP_ERROR_TEXT];  /* for the status */
	char told[BP_ERROR_TEXT];        /* not told twice in a row */
	struct mono tell_manager;
	uint64_t watchdog_ns;
	struct mono fed_dog;
	int signals;
	unsigned stops;
	struct mono stop_limit;
};

/* One line to whoever listens; as an error also into the status. */
void agent_note(struct agent *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void agent_trouble(struct agent *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Random, of half of ns to all of it. */
int64_t agent_jitter(int64_t ns);
/* Something of the status is new. */
void agent_changed(struct agent *a);

/* agent_child.c */
void agent_child_look(struct agent *a);
/* Takes its lines; nothing is waited for. */
void agent_child_read(struct agent *a);
/* Asks it to stop in order; force: at once. */
void agent_child_stop(struct agent *a, bool force);

/* agent_plans.c: of the disk, then of the broker. */
int agent_plans_load(struct agent *a, struct bp_error *err);
void agent_plans_step(struct agent *a);
struct agent_plan *agent_plan_find(struct agent *a, const char *campaign);
/* SPOOL/plans/NAME.yaml */
const char *agent_plan_file(const struct agent *a, const char *campaign, char out[static PATH_MAX]);

/* agent_yaml.c: the plan without what does not apply here (store, keep, alerts, metrics), its
 * vantage point being `vantage`. BP_EPARSE, BP_ENOMEM. */
int agent_yaml(const char *yaml, size_t n, const char *vantage, struct buf *out,
	       struct bp_error *err);

/* agent_send.c */
void agent_send_step(struct agent *a);
/* A round was announced, or (NULL) some may have been: one that was cut as never begun is cut
 * anew. */
void agent_send_measured(struct agent *a, const char *id);
/* Nothing is left that the broker has not taken. */
bool agent_send_done(const struct agent *a);
void agent_send_fini(struct agent *a);

/* agent_spool.c */
/* Opens it when it is there; false: it is not. */
bool agent_spool_open(struct agent *a);
void agent_spool_step(struct agent *a);
/* What is in the way of the bound. */
uint64_t agent_spool_bytes(const struct agent *a, const struct store_backlog *b);

/* agent_status.c */
void agent_status_init(struct agent *a);
void agent_status_step(struct agent *a);

#endif
