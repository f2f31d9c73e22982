// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bound of the spool. What was cut goes first, and what only that referred to; then, oldest
 * first, traces that were never sent: their hours and their rounds stay, and each round says what
 * it lost when it is sent. Old history goes anyway, and once a day what nothing refers to any more,
 * so that a spool that is never full does not grow for ever either.
 */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "campaign/fleet/agent_inside.h"

#define LOOK_NS (5 * NS_PER_S)
#define DAY_NS (24 * 3600 * NS_PER_S)
#define HISTORY_NS (7 * DAY_NS)
#define SWEEP_LOOK_NS NS_PER_S
enum { STEPS = 32, PARTS = 64 };

bool agent_spool_open(struct agent *a)
{
	struct bp_error err;
	struct stat st;

	if (stat(a->spool_file, &st) < 0 || (a->spool != NULL && st.st_ino != a->spool_inode)) {
		store_close(a->spool);
		store_close(a->sweeper);
		a->spool = a->sweeper = NULL;
	}
	if (a->spool != NULL)
		return true;
	/* The child makes it, and brings an old one up to date. */
	if (stat(a->spool_file, &st) < 0 || st.st_size == 0)
		return false;
	if (store_open(a->spool_file, STORE_READ, &a->spool, &err) < 0) {
		a->spool = NULL;
		if (err.code != BP_ENOTFOUND)
			agent_trouble(a, "%s", err.text);
		return false;
	}
	a->spool_inode = st.st_ino;
	return true;
}

static uint64_t journal_bytes(const struct agent *a)
{
	char pattern[PATH_MAX + 16];
	uint64_t sum = 0;
	struct stat st;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/*/*", a->journal_dir);
	if (glob(pattern, GLOB_NOSORT, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++)
			sum += stat(g.gl_pathv[i], &st) == 0 ? (uint64_t)st.st_size : 0;
	}
	globfree(&g);
	return sum;
}

uint64_t agent_spool_bytes(const struct agent *a, const struct store_backlog *b)
{
	struct cut_state state;

	cut_state(a->cut, &state);
	return b->bytes + state.bytes + journal_bytes(a);
}

static int cannot(struct agent *a, const struct bp_error *err)
{
	agent_trouble(a, "the spool cannot be made smaller: %s", err->text);
	return err->code;
}

/* Drops what began before, a bounded piece of it; unsent: what was not cut, too. The child may have
 * committed a round since it was last looked, by whatever clock. */
static int retire(struct agent *a, struct wall before, bool unsent, uint64_t *dropped, bool *more)
{
	struct cut_state state;
	struct store *writer = NULL;
	struct bp_error err;
	int rc = store_open(a->spool_file, STORE_WRITE, &writer, &err);

	cut_state(a->cut, &state);
	*dropped = 0;
	*more = false;
	if (rc == 0)
		rc = store_retire_sent(writer, before, unsent ? INT64_MAX : state.row, dropped,
				       more, &err);
	store_close(writer);
	a->unswept += *dropped;
	return rc < 0 ? cannot(a, &err) : 0;
}

/* --- what nothing refers to ------------------------------------------------------------------- */

/* Before `old`, nobody asks any more for rounds that were cut, nor for hours. */
static int begin_sweep(struct agent *a, struct wall old)
{
	struct cut_state state;
	struct bp_error err;
	uint64_t dropped;
	bool more = true;
	int rc = store_open(a->spool_file, STORE_WRITE, &a->sweeper, &err);

	if (rc < 0) {
		a->sweeper = NULL;
		return cannot(a, &err);
	}
	a->unswept = 0;
	a->sweep_look = mono_add(mono_now(), DAY_NS);
	cut_state(a->cut, &state);
	rc = store_retire_hours(a->sweeper, NULL, NULL, old, &dropped, &err);
	while (rc == 0 && more)
		rc = store_retire_rounds(a->sweeper, old, state.row, &dropped, &more, &err);
	if (rc < 0) {
		store_close(a->sweeper);
		a->sweeper = NULL;
	}
	return rc < 0 ? cannot(a, &err) : 0;
}

/* A piece. */
static int sweep(struct agent *a)
{
	struct bp_error err;
	uint64_t dropped;
	bool more = false;
	int rc = store_sweep_some(a->sweeper, &dropped, &more, &err);

	if (rc < 0 || !more) {
		store_close(a->sweeper);
		a->sweeper = NULL;
	}
	return rc < 0 ? cannot(a, &err) : 0;
}

/* What is cut and older is history. */
static struct wall history_end(const struct store_backlog *b)
{
	struct wall old = {wall_now().ns - HISTORY_NS};

	return b->rounds > 0 && b->oldest.ns < old.ns ? b->oldest : old;
}

/* --- the bound -------------------------------------------------------------------------------- */

static int look(struct agent *a, struct store_backlog *b, uint64_t *bytes)
{
	struct cut_state state;
	struct bp_error err;
	int rc;

	cut_state(a->cut, &state);
	rc = store_backlog(a->spool, state.row, b, &err);
	if (rc < 0)
		agent_trouble(a, "%s", err.text);
	else
		*bytes = agent_spool_bytes(a, b);
	return rc;
}

/* What was never cut, oldest first. 1: something went; 0: nothing is left. */
static int lose(struct agent *a, const struct store_backlog *b)
{
	struct wall now = wall_now(), from = b->oldest;
	struct bp_error err;
	uint64_t dropped;
	bool more;
	int rc;

	if (b->rounds == 0)
		return 0;
	if (a->lost_until.ns > from.ns)
		from = a->lost_until;
	if (from.ns > now.ns)
		return 0;
	from.ns += (now.ns - from.ns) / PARTS + NS_PER_S;
	rc = retire(a, from, true, &dropped, &more);
	if (rc < 0)
		return rc;
	if (!more || dropped == 0)
		a->lost_until = from;
	if (dropped == 0)
		return 1;
	if (cut_lost(a->cut, dropped, &err) < 0)
		agent_trouble(a, "%s", err.text);
	agent_trouble(a, "the spool is over its %" PRId64 " bytes: %" PRIu64
		      " traces were dropped unsent", a->spool_max, dropped);
	return 1;
}

static void shrink(struct agent *a, struct store_backlog *b, uint64_t bytes)
{
	uint64_t most = (uint64_t)a->spool_max, dropped;
	bool more = true;

	for (unsigned i = 0; i < STEPS && bytes > most; i++) {
		struct wall sent = b->rounds > 0 ? b->oldest : wall_now();
		int rc = more ? retire(a, sent, false, &dropped, &more) : 0;

		if (rc == 0 && !more && a->sweeper != NULL)
			rc = sweep(a);
		/* As long as little went, a sweep finds little. */
		else if (rc == 0 && !more && a->unswept > 0 && a->unswept >= b->traces / 8)
			rc = begin_sweep(a, history_end(b));
		else if (rc == 0 && !more)
			rc = lose(a, b) > 0 ? 0 : -1;
		if (rc < 0 || look(a, b, &bytes) < 0)
			return;
	}
}

/* In pieces, each soon over: batches and watermarks come between. */
static void tidy(struct agent *a, const struct store_backlog *b, struct mono now)
{
	struct wall old = history_end(b);
	uint64_t dropped;
	bool more;

	if (a->sweeper != NULL) {
		a->spool_look = mono_add(now, SWEEP_LOOK_NS);
		(void)sweep(a);
		return;
	}
	if (!mono_reached(now, a->history_look))
		return;
	a->history_look = mono_add(now, 120 * LOOK_NS);
	if (retire(a, old, false, &dropped, &more) < 0)
		return;
	if (more)
		a->history_look = now;
	else if (mono_reached(now, a->sweep_look))
		(void)begin_sweep(a, old);
}

void agent_spool_step(struct agent *a)
{
	struct mono now = mono_now();
	struct store_backlog b;
	uint64_t bytes;

	if (!mono_reached(now, a->spool_look) || !agent_spool_open(a))
		return;
	a->spool_look = mono_add(now, LOOK_NS);
	if (look(a, &b, &bytes) < 0)
		return;
	if (bytes > (uint64_t)a->spool_max)
		shrink(a, &b, bytes);
	else
		tidy(a, &b, now);
}
