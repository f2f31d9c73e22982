// SPDX-License-Identifier: BSD-2-Clause
/*
 * EVENTS, from within: cells in one order for all, what each key and vantage point shows now, and
 * the events that are open. Each part (border, reach, path, delay) reads cells of its key alone and
 * tells the tracks (events_track.c) what it suspects, holds or takes back; tracks put vantage
 * points together and hand out revisions.
 */
#ifndef ANALYSIS_EVENTS_INSIDE_H
#define ANALYSIS_EVENTS_INSIDE_H

#include "analysis/events.h"
#include "analysis/shift.h"

/* A way in: enum outcome and border; outcome UNDETERMINED: none. */
struct way_in { uint8_t outcome; int8_t border; };

/* --- tracks ----------------------------------------------------------------------------------- */

enum member_state {
	MEMBER_GONE,       /* did not hold, or belongs to a wider event by now */
	MEMBER_SUSPECTED,  /* seen once */
	MEMBER_HELD,       /* seen in enough rounds */
	MEMBER_OVER,       /* of outages and flapping: it is over here */
};

/* One key that shows it; of an outage, one vantage point (key NULL). */
struct member {
	const struct key_state *key;
	struct vantage_state *vantage;
	uint8_t state;             /* enum member_state */
	struct wall not_before, not_after, at, until;
	double confidence;
	bool reference, online;    /* of an outage: a reference host, anybody answered all the
				    * while */
	uint64_t mark;             /* of the look at all outages that met it last */
};

struct track {
	uint64_t number;           /* in order of their beginnings */
	struct event *e;           /* owned: the revision to come */
	struct wall round;         /* planned moment of the first that showed it */
	unsigned revision;         /* told so far */
	bool dirty;                /* something to tell */
	bool late;                 /* flapping: it can wait */
	bool over;                 /* told for the last time, kept for those who coincide */
	struct wall told;          /* `seen` of the last revision */
	struct member *members;    /* owned */
	unsigned member_count, member_room;
	struct way_in way;         /* of `to`, for a switch */
	uint64_t with[EVENT_COINCIDES_MAX]; /* numbers of those that coincide */
	unsigned with_count;
};

/* --- what a key shows ------------------------------------------------------------------------- */

enum { BORDER_RECENT = 6, CHANGES_MAX = 16, PATH_TTLS = 40, PATH_NODES = 8 };

struct border_state {
	struct way_in standing, last;  /* what holds; the last pure one seen, for flapping */
	struct wall held;              /* last sight of it */
	struct wall told;              /* end of the last cell that decided anything */
	uint32_t asn; const char *org;
	char example[TRACE_ID_TEXT];
	double share[SERIES_BORDERS_MAX]; /* traces by border while it is mixed, fading */
	/* Rounds in a row on one way while mixed stands, and that all are so by chance. */
	struct way_in run;
	unsigned run_rounds;
	struct wall run_first, run_planned;
	double chance;
	uint8_t recent[BORDER_RECENT]; /* outcomes of the last decided rounds, a ring */
	unsigned decided;              /* rounds so far */
	/* Something else was seen. */
	struct way_in pending;         /* outcome UNDETERMINED: nothing is */
	struct way_in left;            /* what stood before a `mixed` that was told as `track` */
	unsigned rounds;               /* that showed it */
	unsigned stood;                /* decided rounds since the last change */
	struct wall not_after, planned; /* first sight; its round */
	struct track *track;           /* of what is pending, or of the last change */
	bool again;                    /* pending: what the last track began goes on */
};

/* Who answers, and how well: of a key, or of one of its hosts. */
enum reach_now { REACH_NOW_NONE, REACH_NOW_UP, REACH_NOW_SUSPECT, REACH_NOW_DOWN };
struct reach_state {
	uint8_t now;
	double asked, answered;        /* while up, fading */
	unsigned ups;                  /* rounds it answered in, so far */
	struct wall up_last;           /* last sight of an answer while up */
	/* Silent since. */
	unsigned rounds;
	double chance;                 /* natural log of: that it is loss alone */
	struct wall first, planned;    /* first sight of silence; of its round */
	/* Answers again, not yet counted as up. */
	bool answers;
	bool faint;                    /* but few: that is no change of reach yet */
	unsigned back;                 /* rounds, without closer looks */
	struct wall back_first;        /* first sight of it; of the last time when it is up */
	unsigned backs;                /* how often it came back, so far */
	double back_asked, back_answered;
};

struct host_state {
	struct addr dst;
	const char *target;
	struct reach_state reach;
	struct wall seen;              /* last round that asked it */
};

/* Who answered at a TTL, and in which round last. */
struct path_node { uint32_t node, seen; };
struct path_ttl {
	struct path_node known[PATH_NODES];
	uint8_t count;
	bool many;                     /* more than there is room for: nothing is new here */
};

struct path_state {
	struct path_ttl ttl[PATH_TTLS]; /* ttl[0] is TTL 1 */
	uint32_t rounds;               /* so far: `seen` counts in them */
	double measured, novel;        /* rounds, and those that showed a new way; fading */
	struct wall held;              /* last sight of a known way */
	/* A new way. */
	unsigned pending;              /* rounds in a row */
	double chance;
	struct path_ttl *next;         /* owned, of PATH_TTLS; NULL unless pending */
	uint8_t first_ttl;
	struct wall not_after, planned;
	struct track *track;
};

enum { WAYS_SEEN = 8 };
struct bracket { struct wall not_before, not_after; };

struct change { struct wall at, before; struct way_in from; };

struct key_state {
	const struct series_key *key;
	struct vantage_state *vantage;
	struct prefix_state *prefix;
	bool inside;                   /* of the profile's network */
	struct wall measured;          /* end of the last measured cell */
	struct wall started;           /* its last trace */
	struct wall planned;           /* of the last cell that was not a look */
	int64_t every_ns;
	unsigned moved;                /* rounds that belong to a move of the vantage point */
	struct wall moved_at;          /* the last of them; 0: none */
	struct border_state border;
	struct reach_state reach;
	struct host_state host[SERIES_HOSTS_MAX];
	unsigned host_count;
	uint8_t down_class;            /* enum event_outage, of the last silent cell */
	uint32_t down_node; uint8_t down_ttl;
	uint8_t inside_ttl;            /* highest TTL at which a router is known */
	struct path_state *path;       /* owned; NULL until there is one */
	struct delay_state *delay;     /* owned; NULL until there is one */
	struct bracket ways[WAYS_SEEN]; /* a ring: when another way there was held */
	unsigned way_count;
	struct change changes[CHANGES_MAX]; /* a ring: of border or reach */
	unsigned change_count;
	struct track *flap;            /* it is flapping */
	unsigned flap_count;           /* changes since it began */
	struct way_in flap_from;       /* what stood before */
	struct change flap_border;     /* the last change of border */
};

struct vantage_state {
	const char *name;
	struct key_state **keys;       /* owned; in the order of prefixes, then numbers */
	unsigned key_count, key_room;
	bool reach_changed;            /* since outages were looked at */
	uint64_t looked;               /* the last look that it was part of */
	bool reference, heard, unsure; /* of its last round: as in the cell (heard: online) */
	bool cut_off;                  /* while unsure: others reached what it did not */
	unsigned offline;              /* rounds in a row */
	struct wall planned;           /* of the last round counted */
	struct wall offline_first, offline_round; /* first sight; planned moment */
	struct wall online;            /* last sight of anything */
	struct track *down;
	struct track *move;            /* provisional: the next round tells */
	struct wall move_planned;
};

struct prefix_state {
	struct prefix prefix;
	struct key_state **keys;       /* owned */
	unsigned key_count, key_room;
};

/* --- the whole -------------------------------------------------------------------------------- */

/* A cell that waits; its end beside it, as that mostly decides. */
struct held_cell;
struct waiting { struct wall end; struct held_cell *held; };

struct events {
	struct events_options o;
	const struct series *series;
	const struct nodes *nodes;
	int (*on_event)(void *arg, const struct event *e);
	void *arg;
	unsigned networks_of;
	/* Cells that wait for their turn, a heap; all owned. */
	struct waiting *heap;
	unsigned heap_count, heap_room;
	struct wall newest, now;       /* end of a cell; of those that had their turn */
	int64_t every_ns;              /* the longest */
	struct key_state **keys;       /* owned, by number of the series */
	unsigned key_room;
	struct vantage_state **vantages; /* owned, in the order they came */
	unsigned vantage_count, vantage_room;
	struct prefix_state **prefixes;
	unsigned prefix_count, prefix_room;
	struct track **tracks;         /* owned, oldest first */
	unsigned track_count, track_room;
	uint64_t track_number;
	uint64_t mark;
	struct shift_scratch *scratch; /* owned */
	struct event *revision;        /* owned: room for what is handed out */
};

/* BP_ENOMEM, as of all below that return int. */
int events_step(struct events *v, const struct cell *c);
/* All cells of one moment had their turn: what changed is told. */
int events_flush(struct events *v);

/* Cells in order (events_queue.c). A cell is copied. */
int queue_push(struct events *v, const struct cell *c);
/* The next one, if it ended no later than `until`; else NULL. queue_drop frees it. */
const struct cell *queue_next(struct events *v, struct wall until);
void queue_drop(struct events *v);
/* End of the next one; v->newest if there is none. */
struct wall queue_first(const struct events *v);
void queue_fini(struct events *v);

/* Tracks (events_track.c). */
struct claim {
	uint8_t kind, scope;
	struct prefix prefix;
	struct addr host;
	struct event_state from, to;
	struct way_in way;             /* of `to`, for a switch */
	int64_t shift_ns;              /* of a delay: which way it went */
	struct wall not_before, not_after, planned;
	double confidence;
};
/* The track that this belongs to: one that tells the same of the same at about the same time, else
 * a new one. The member is k (or vantage alone), suspected. */
int track_claim(struct events *v, struct key_state *k, struct vantage_state *vantage,
		const struct claim *claim, struct track **out);
/* A new one whatever there is. */
int track_new(struct events *v, const struct claim *claim, struct track **out);
/* NULL: there is none any more. */
struct track *track_find(const struct events *v, uint64_t number);
struct member *track_member(struct track *t, const struct key_state *k,
			    const struct vantage_state *vantage);
int track_join(struct track *t, struct key_state *k, struct vantage_state *vantage,
	       const struct claim *claim, struct member **out);
void track_set(struct track *t, const struct key_state *k, uint8_t member_state);
/* Part of another event from now on: resolved, and withdrawn unless it was confirmed. */
void track_fold(struct track *t, const struct track *into);
void track_coincide(struct track *a, struct track *b);
void track_evidence(struct track *t, struct wall at, const char *vantage, const char *trace,
		    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int tracks_tell(struct events *v);
void tracks_fini(struct events *v);
/* Who saw it, of how many, when and how sure, out of its members (events_votes.c). */
void track_refresh(struct events *v, struct track *t);
/* Two rounds of this key, and of the slowest if that is not known. */
int64_t lag_of(const struct events *v, const struct key_state *k);

/* Parts. Each takes cells that were measured. */
int border_cell(struct events *v, struct key_state *k, const struct cell *c);
void border_state_text(const struct events *v, struct way_in w, char *out, size_t size);
int reach_cell(struct events *v, struct key_state *k, const struct cell *c);
int outage_flush(struct events *v);
int vantage_cell(struct events *v, struct key_state *k, const struct cell *c);
int path_cell(struct events *v, struct key_state *k, const struct cell *c);
/* Another way there is held, since then. */
void note_way(struct key_state *k, struct wall not_before, struct wall not_after);
void path_free(struct path_state *p);
/* The way is learned anew: a change of it was told otherwise. */
void path_forget(struct key_state *k);
/* What was told of a path about the time of this switch is part of it. */
void path_fold(struct events *v, struct key_state *k, struct track *into);
int delay_cell(struct events *v, struct key_state *k, const struct cell *c);
/* TTLs that answers arrive with (events_reply.c). A zeroed one is empty. */
enum { REPLY_TTLS = 4 };
struct reply_host {
	struct addr dst;
	int16_t ttl[REPLY_TTLS];
	uint64_t seen[REPLY_TTLS];     /* rounds of this host */
	unsigned count;
	uint64_t rounds;
	double measured, novel;        /* rounds, and those with a new one; fading */
	struct wall held;              /* last sight of a known one */
	/* Another one than these. */
	unsigned pending;              /* rounds in a row */
	int16_t next;
	double chance;
	struct wall first, planned;
};
struct reply_state { struct reply_host hosts[SERIES_HOSTS_MAX]; unsigned count; };
int reply_cell(struct events *v, struct key_state *k, const struct cell *c,
	       struct reply_state *r);
/* Whether the way there is known, and stands; whether another one came between these, give or take
 * two rounds, and the event that tells it, if it is still at hand. */
bool way_is_known(const struct key_state *k);
bool way_changed(const struct events *v, const struct key_state *k, struct wall not_before,
		 struct wall not_after, struct track **out);
/* The vantage point moved: another level is no news. */
void delay_forget(struct events *v, struct key_state *k);
int delay_end(struct events *v);
void delay_free(struct delay_state *d);
/* A change of border or reach of this key, whether it holds or not; starts a flapping. */
int flap_change(struct events *v, struct key_state *k, const struct cell *c, bool border,
		struct wall before, struct wall at);
int flap_cell(struct events *v, struct key_state *k, const struct cell *c);
/* Ends those that nobody measures any more. */
void flap_flush(struct events *v);
/* What stands now, after all that flapping. */
void border_after_flap(struct key_state *k);

#endif
