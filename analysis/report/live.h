// SPDX-License-Identifier: BSD-2-Clause
/*
 * The live view of running campaigns, as lines for a terminal of given width and height: the round
 * under way, the next start, how things stand per target and what differs from the round before,
 * what was missed, what is told. Fed by what a run tells of itself; owns no terminal, no clock, no
 * plan.
 */
#ifndef ANALYSIS_REPORT_LIVE_H
#define ANALYSIS_REPORT_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/report/status.h"
#include "analysis/report/style.h"
#include "analysis/standing.h"
#include "core/record/round.h"
#include "geo/profile.h"

enum { LIVE_NOTES = 4, LIVE_NOTE_TEXT = 240 };

struct live_campaign {
	char name[TRACE_CAMPAIGN_TEXT], vantage[TRACE_VANTAGE_TEXT];
	const struct profile *profile; /* borrowed: names and colours of borders */
	struct wall next;              /* when the round after this one starts; 0: not known */
	bool running;
	struct round now;              /* under way: as it was told when it began */
	uint64_t traces;               /* of it, so far */
	struct round last;             /* the latest that is committed */
	bool last_known;
	uint64_t waiting;              /* rounds in the spool that the store has not taken */
	struct status_rounds rounds;   /* since this program began */
	struct standing standing;
};

struct live_note { struct wall at; char text[LIVE_NOTE_TEXT]; };

struct live {
	struct live_campaign *campaigns; /* owned */
	unsigned count, room;
	struct live_note notes[LIVE_NOTES]; /* newest last */
	unsigned note_count;
};

/* A zeroed struct is an empty view. */
void live_fini(struct live *l);
/* The campaign of this name and vantage, valid until the next is added; NULL: there is none. */
struct live_campaign *live_find(struct live *l, const char *name, const char *vantage);
/* A further one; NULL: no memory. */
struct live_campaign *live_add(struct live *l, const char *name, const char *vantage,
			       const struct profile *profile);
/* A round begins; next as told. */
void live_begin(struct live_campaign *c, const struct round *r, struct wall next);
/* reference: counts, and is not shown among the targets. */
void live_trace(struct live_campaign *c, const struct trace *t, const struct verdict *v,
		bool reference);
/* A round, measured or missed, is committed. */
void live_round(struct live_campaign *c, const struct round *r);
void live_note(struct live *l, struct wall at, const char *text);

/* The view: lines no wider than style->width, at most `rows` of them (0: all), each with a newline.
 * Where there is less room, the targets that changed stay. */
void report_live(struct buf *out, const struct style *style, const struct live *l, struct wall now,
		 unsigned rows);

#endif
