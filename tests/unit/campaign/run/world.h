// SPDX-License-Identifier: BSD-2-Clause
/*
 * A world for the whole daemon to run in: campaign_run() itself, with a store, a spool and plans on
 * disk, but with scripted clocks and a scripted prober instead of a child. Time passes only when
 * the daemon waits for it. Keeps the books of every slot and every measurement, and holds the
 * daemon to them. The same script gives the same year.
 */
#ifndef TESTS_UNIT_CAMPAIGN_RUN_WORLD_H
#define TESTS_UNIT_CAMPAIGN_RUN_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/run.h"
#include "campaign/store.h"
#include "prober/plan.h"

enum { WORLD_PLANS = 4 };

/* What happens, and when: by the clock that nobody sets, from the beginning of the world. */
enum happening {
	HAPPENS_NOTHING,
	HAPPENS_STEP,    /* the wall clock is set by arg ns, and the daemon is told */
	HAPPENS_SECRETLY, /* the same, and nobody tells */
	HAPPENS_SLEEP,   /* the machine sleeps for arg ns */
	HAPPENS_DEATH,   /* the prober dies, now or when it next lives */
	HAPPENS_MUTE,    /* likewise: it says nothing until it is killed */
	HAPPENS_OFFLINE, /* nobody answers for arg ns */
	HAPPENS_SLOW,    /* every measurement takes arg ns longer, until told otherwise */
	HAPPENS_FULL,    /* no disk takes a byte (arg 1), and takes them again (0) */
	HAPPENS_GONE,    /* the store is not there (arg 1), and is again (0): its spool works on */
	HAPPENS_RECOVER, /* `campaign recover`, while no process runs */
	HAPPENS_MOVE,    /* 175.45.ARG.0/24 goes by the other border from now on */
	HAPPENS_HANGUP,  /* SIGHUP */
	HAPPENS_UNPLAN,  /* the first plan's file is not there (arg 1), and is again (0) */
	HAPPENS_STOP,    /* SIGTERM; the world goes on arg ns later with another process */
};
struct world_event { int64_t at; enum happening what; int64_t arg; };

struct world_script {
	const char *plans[WORLD_PLANS]; /* YAML; DIR in it is the world's directory */
	int64_t length_ns;
	const struct world_event *events;     /* in order of time */
	unsigned event_count;
	unsigned deaths_of;             /* the prober dies once in so many measurements; 0: never */
};

enum { WORLD_SLOTS = 1 << 16 };
struct slot_books { uint16_t traces; bool seen, measured, read; };

/* Closer looks that were announced, and read in the store. */
struct look_books {
	uint64_t count, whole, cut, read, traces;
	uint32_t expected;              /* of the last */
	struct wall first, last;        /* moments */
	int64_t longest_gap_ns;         /* between two of them, within a quarter of an hour */
};

/* What was announced of a plan. */
struct plan_books {
	char campaign[TRACE_CAMPAIGN_TEXT];
	int64_t every_ns;
	struct wall first, last;        /* slots */
	struct slot_books *slots;       /* by (planned - first) / every */
	struct wall last_measured, last_missed;
	uint64_t rounds, whole, missed_rounds, traces, missed;
	uint64_t by_why[ROUND_WHY_TARGETS + 1];  /* rounds that miss something, by why */
	uint64_t whole_by_why[ROUND_WHY_TARGETS + 1]; /* missed whole, never begun */
	uint64_t by_health[ROUND_HEALTH_OFFLINE + 1];
	int64_t begun, longest_ns;      /* from its beginning to its last trace */
	struct wall ended;              /* the last round or look */
	struct look_books looks;
};

struct world_counts {
	uint64_t lines, deaths, processes, notes, waits, read, events, told;
	/* Bytes on the heap: without SQLite's, the most in weeks 5 to 8, and after that; in all. */
	uint64_t memory_warm, memory_late, memory_most;
};

struct world;
/* NULL: no such directory, or out of memory. One world at a time. */
struct world *world_new(const struct world_script *script);
/* Removes the directory. */
void world_free(struct world *w);
/* Runs to its end. NULL, or what was violated. */
const char *world_run(struct world *w);
const struct world_counts *world_counts(const struct world *w);
const struct plan_books *world_plan(const struct world *w, unsigned plan);
/* Reads the whole store: every announced round is there as it was announced, every trace as it was
 * measured. NULL, or what is wrong. */
const char *world_read_store(struct world *w);
/* What the program DIR/hook was told: counts.told events, each once. NULL, or what is wrong. */
const char *world_read_told(struct world *w);
/* Bytes of the store's file. */
uint64_t world_store_bytes(const struct world *w);
/* The last line of talk that has the word in it; NULL. */
const char *world_note(const struct world *w, const char *word);

/* --- between its files --- */

/* What a service manager was told. */
struct manager_books {
	int fd;             /* 0: there is none */
	bool up, reloading; /* from READY to STOPPING; from RELOADING to READY */
	unsigned ready, reloads, stops, dogs;
	unsigned under_way, waiting; /* STATUS with a round in it, with the next start */
	int64_t fed, longest_ns;     /* from one word that feeds the watchdog to the next */
};
/* manager.c: one that wants to hear of the daemon so often; until manager_close. Not 0: failed. */
int manager_open(struct world *w, int64_t watchdog_ns);
void manager_close(struct world *w);
void manager_hear(struct world *w);

struct asked { struct plan_trace plan; int64_t begun, done; };

struct world {
	struct world_script script;
	struct world_counts counts;
	struct plan_books plans[WORLD_PLANS];
	unsigned plan_count;
	char dir[128], store[160], plan_files[WORLD_PLANS][160], fault[400];
	char notes[64][256];
	/* the clocks */
	int64_t now, slept, offset; /* awake since the beginning; asleep; the wall clock's offset */
	unsigned next_event;
	bool clock_told, full;
	unsigned quiet;             /* looks in a row that time did not pass */
	int64_t down_ns;            /* after HAPPENS_STOP */
	bool stopping;
	/* the prober */
	struct probe *probe;        /* NULL: none lives */
	bool doomed, muted;
	int64_t offline_until, slow_ns;
	unsigned moved;             /* bits 1 << (ARG - 176) */
	uint64_t random;
	char tool_run[32];
	struct manager_books manager;
};
extern struct world *the_world;

void world_fault(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint64_t world_random(struct world *w, uint64_t below);
struct wall world_wall(const struct world *w);
struct mono world_mono(const struct world *w);
/* world_books.c: what is entered there while the daemon runs; and what the spool puts back. */
struct campaign_events world_books(struct world *w);
void world_recover(struct world *w);
/* child.c: when it has something to say next, INT64_MAX never. */
int64_t child_due(const struct world *w);
/* What a measurement finds, from its id and destination alone, so that a reader can tell. */
struct trace *child_trace(struct world *w, const struct plan_trace *p, const char *id,
			  bool offline, bool moved);

#endif
