// SPDX-License-Identifier: BSD-2-Clause
/*
 * A fleet as its broker knows it: the list, the campaigns that were deployed, the plans that
 * vantage points are to run. Whoever changes it changes the list or the campaigns here, and has the
 * plans settled: each is made anew, and put where it differs from what is there. So a deploy that
 * was cut short is mended by the next one. Private to cli/fleet.
 */
#ifndef CLI_FLEET_VIEW_H
#define CLI_FLEET_VIEW_H

#include "campaign/fleet/bus.h"
#include "campaign/fleet/deployment.h"
#include "campaign/fleet/roster.h"

enum { VIEW_KEY_TEXT = 2 * BUS_NAME_TEXT };

/* A plan in BP_PLANS. */
struct view_plan {
	char key[VIEW_KEY_TEXT];        /* VANTAGE.CAMPAIGN */
	char *yaml;                     /* owned */
	size_t n;
	uint64_t revision;
	struct wall created;
	bool changed, wanted;           /* by view_settle */
};

struct view_source { char campaign[BUS_NAME_TEXT]; char *yaml; size_t n; };

struct view {
	struct roster roster;
	bool roster_known;              /* the broker has one */
	uint64_t roster_revision;       /* of the broker's */
	bool behind;                    /* the directory's is of another, by view_take_list */
	struct deployment *deployed;    /* owned, all four; by campaign's name */
	unsigned deployed_count;
	struct view_source *sources;
	unsigned sources_count;
	struct view_plan *plans;
	unsigned plans_count;
};

/* Zeroed before, but that v->roster.replicas says how to make the buckets that are not there (0:
 * they are not made). */
int view_read(struct bus *b, struct view *v, struct bp_error *err);
void view_fini(struct view *v);
/* For who only looks: the list of DIR/fleet.json in place of the broker's, here alone, unless it
 * is behind: then the broker's stays. Without a directory the broker's must be there
 * (BP_ENOTFOUND). */
int view_take_list(const char *dir, struct view *v, struct bp_error *err);
/* The broker's list becomes that of DIR/fleet.json where it is another, and was made from the one
 * that is there (DIR/broker.json); BP_EFOREIGN, with what to do: another copy of the directory has
 * changed it. Without a directory it must be there (BP_ENOTFOUND). */
int view_sync(struct bus *b, const char *dir, struct view *v, struct bp_error *err);
/* Whether view_sync would be refused so; changes nothing, here or there. */
int view_check_list(const char *dir, const struct view *v, struct bp_error *err);

struct deployment *view_find(struct view *v, const char *campaign);
const struct view_plan *view_plan_of(const struct view *v, const char *vantage,
				     const char *campaign);
/* Whether what lies there as the campaign's plan is this, to the byte. */
bool view_has_source(const struct view *v, const char *campaign, const char *yaml, size_t n);
/* Puts d, and its plan's source, in the place of one of that name; takes d. BP_ENOMEM. */
int view_put_take(struct view *v, struct deployment *d, const char *yaml, size_t n);
void view_remove(struct view *v, const char *campaign);

/* Gives up the seats of those who are no longer of the list. */
void view_prune(struct view *v);
/* view_prune; shares are reckoned; all plans are made. Nothing is sent: so what cannot be is
 * refused before anything is changed. */
int view_settle(struct view *v, struct bp_error *err);
/* Sends what view_settle changed; before it deployed.CAMPAIGN and plan.CAMPAIGN of `campaign` (may
 * be NULL), and of those that lost a seat. *changed: how many plans were put or removed. */
int view_send(struct bus *b, struct view *v, const char *campaign, unsigned *changed,
	      struct bp_error *err);

#endif
