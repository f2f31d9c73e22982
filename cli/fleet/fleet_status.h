// SPDX-License-Identifier: BSD-2-Clause
/* What `fleet status` says of each vantage point: gathered, judged, shown. Private to cli/fleet. */
#ifndef CLI_FLEET_FLEET_STATUS_H
#define CLI_FLEET_FLEET_STATUS_H

#include "cli/fleet/state.h"
#include "cli/fleet/turned.h"
#include "cli/fleet/view.h"
#include "core/buf.h"

/* Things that are amiss, as bits; their words are status_words. */
enum amiss {
	AMISS_UNHEARD = 1 << 0,  /* never said anything */
	AMISS_SILENT = 1 << 1,   /* not for AGENT_SILENT_NS */
	AMISS_UNREADABLE = 1 << 2, /* its word cannot be read */
	AMISS_CLOCK = 1 << 3,    /* not the broker's */
	AMISS_BEHIND = 1 << 4,   /* rounds wait too long, in its spool or for the centre */
	AMISS_LOST = 1 << 5,     /* its spool was full: traces were dropped */
	AMISS_REFUSED = 1 << 6,  /* batches of its last day were refused */
	AMISS_PLAN = 1 << 7,     /* a plan does not run */
	AMISS_OFFLINE = 1 << 8,  /* no reference host answers it */
	AMISS_TWICE = 1 << 9,    /* its key is used from several addresses at once */
	AMISS_DENIED = 1 << 10,  /* it tried what it may not */
	AMISS_CONNECTED = 1 << 12, /* though its key was revoked: the broker does not know */
	/* told, no fault: */
	AMISS_OLD = 1 << 11,     /* its program is older than this one */
	AMISS_NO_PLAN = 1 << 13, /* nothing was deployed to it */
	AMISS_REVOKED = 1 << 14, /* its key; all the rest is of no account */
	AMISS_NEWS = AMISS_OLD | AMISS_NO_PLAN | AMISS_REVOKED,
};
extern const struct word status_words[];

struct status_vantage {
	const struct roster_key *key;
	const struct state *state;      /* NULL: nothing was ever heard */
	unsigned amiss;
	int64_t seen_ns;                /* ago; -1: never */
	unsigned open;                  /* connections now, where the servers were asked */
	/* of one of them; another one's, where they differ */
	char address[TURNED_ADDRESS_TEXT], other[TURNED_ADDRESS_TEXT];
	const struct turned_key *log;   /* NULL: the log has nothing of it */
};

struct fleet_report {
	struct wall now;
	struct view view;
	struct states states;
	struct turned turned;
	char no_servers[BP_ERROR_TEXT]; /* why they could not be asked; empty: they were */
	struct status_vantage *vantages; /* owned; revoked ones last */
	const char *centre;             /* status_centre_word */
	unsigned count, holding;        /* holding: those whose keys hold */
	bool some;                      /* of some vantage points alone: status_keep */
	bool faults;                    /* shows what is amiss, and nothing else */
	unsigned strangers;             /* keys of the log that are nobody's, or revoked */
};

/* view, states, turned and now are there: the rest of them. BP_ENOMEM. */
int status_judge(struct fleet_report *r);
/* Judged: those of these names alone. The first that is no vantage point's, and never was; NULL:
 * they are all. */
const char *status_keep(struct fleet_report *r, char *const *names, unsigned count);
bool status_has_fault(const struct status_vantage *v);
bool status_centre_has_fault(const struct fleet_report *r);
/* Of the collectors: "ok", "none" (nobody has sent anything yet), "unheard", "unreadable",
 * "silent", "store" (it does not answer). */
const char *status_centre_word(const struct fleet_report *r);
/* Whether anything is amiss that is no mere news: the command's exit code. */
bool status_is_amiss(const struct fleet_report *r);
void status_put_text(struct buf *out, const struct fleet_report *r);
void status_put_json(struct buf *out, const struct fleet_report *r);

#endif
