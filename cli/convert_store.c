// SPDX-License-Identifier: BSD-2-Clause
/* Records into a store. */
#include "cli/convert_store.h"

#include "core/record/round.h"
#include "core/text.h"

/* What has no rounds is committed by the piece; and what jumps from day to day, because a store may
 * have a table for each of them. */
enum { WAITING_MAX = 16384, DAYS_MAX = 32 };

int convert_store_open(struct convert_store *c, const char *name, struct bp_error *err)
{
	*c = (struct convert_store){0};
	return store_open(name, STORE_WRITE, &c->store, err);
}

static int begin(struct convert_store *c, struct bp_error *err)
{
	return c->waiting == 0 ? store_begin(c->store, err) : 0;
}

static int commit(struct convert_store *c, struct bp_error *err)
{
	int rc = c->waiting > 0 ? store_commit(c->store, err) : 0;

	if (rc == 0)
		c->waiting = c->days = 0;
	return rc;
}

static int add_trace(struct convert_store *c, const struct record *r, struct bp_error *err)
{
	const struct trace *t = r->trace;

	int64_t day = t->start.ns / (86400 * NS_PER_S);

	c->days += day != c->day;
	c->day = day;
	c->at = t->start;
	text_set(c->vantage, sizeof(c->vantage), t->vantage);
	text_set(c->campaign, sizeof(c->campaign), t->campaign);
	text_set(c->round, sizeof(c->round), t->round);
	return store_add_trace(c->store, t, &r->names, &r->verdict, err);
}

static int add_round(struct convert_store *c, const struct round *r, struct bp_error *err)
{
	bool already;
	int rc = store_add_round(c->store, r, &already, err);

	if (rc < 0)
		return rc;
	c->waiting++;
	return commit(c, err);
}

int convert_store_add(struct convert_store *c, const struct record *r, struct bp_error *err)
{
	struct round round;
	int rc;

	switch (r->kind) {
	case RECORD_TRACE:
		break;
	case RECORD_PATHS:
	case RECORD_EVENT:
	case RECORD_RUN:
		if (r->line == NULL)
			return BP_EFOREIGN;
		break;
	case RECORD_ROUND:
		if (round_read(r, &round, NULL) < 0 || round.id[0] == '\0' ||
		    round.campaign[0] == '\0' || round.vantage[0] == '\0')
			return BP_EPARSE;
		break;
	default:
		return BP_EFOREIGN;
	}
	rc = begin(c, err);
	if (rc < 0)
		return rc;
	if (r->kind == RECORD_ROUND)
		return add_round(c, &round, err);
	if (r->kind == RECORD_TRACE)
		rc = add_trace(c, r, err);
	else
		rc = store_add_object(c->store, r->kind, c->at, c->vantage, c->campaign, c->round,
				      r->line, r->line_size, err);
	if (rc < 0)
		return rc;
	c->waiting++;
	return c->waiting >= WAITING_MAX || c->days >= DAYS_MAX ? commit(c, err) : 0;
}

int convert_store_close(struct convert_store *c, bool failed, struct bp_error *err)
{
	int rc = 0;

	if (c->store == NULL)
		return 0;
	if (!failed)
		rc = commit(c, err);
	if (failed || rc < 0)
		store_undo(c->store);
	store_close(c->store);
	c->store = NULL;
	return rc;
}
