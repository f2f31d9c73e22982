// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finished rounds go from their journals into the store, each in one transaction, oldest first,
 * and are announced behind it. While the store refuses they wait; it is asked again when a round
 * ends and every minute, and is told of once. A file that was put in its place is opened instead,
 * and gets what the spool has kept.
 */
#include "campaign/run_inside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "campaign/commit.h"
#include "campaign/store_place.h"

#define RETIRE_EVERY_NS (24 * 3600 * NS_PER_S)

struct run_keep *run_keep_get(struct run *run, const char *url, struct bp_error *err)
{
	struct run_keep *k = run->keeps;

	while (k != NULL && strcmp(k->url, url) != 0)
		k = k->next;
	if (k != NULL)
		return k;
	k = calloc(1, sizeof(*k));
	if (k == NULL) {
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	text_set(k->url, sizeof(k->url), url);
	if (store_place(url, k->path, err) < 0) {
		free(k);
		return NULL;
	}
	k->next = run->keeps;
	run->keeps = k;
	return k;
}

void run_keeps_close(struct run *run)
{
	struct run_keep *k;

	while ((k = run->keeps) != NULL) {
		run->keeps = k->next;
		store_close(k->store);
		free(k);
	}
}

static void close_store(struct run_keep *k)
{
	store_close(k->store);
	k->store = NULL;
}

/* --- open ------------------------------------------------------------------------------------- */

/* Whether path is the file that was opened. */
static bool is_same_file(const struct run_keep *k)
{
	struct stat st;

	return stat(k->path, &st) == 0 && st.st_dev == k->device && st.st_ino == k->inode;
}

static void know_file(struct run *run, struct run_keep *k)
{
	struct stat st;

	if (stat(k->path, &st) == 0) {
		if (st.st_nlink > 1 && st.st_ino != k->inode)
			run_note(run, NULL, "store %s is one file with %lu names (hard links): SQLite "
				 "keeps its log by the name, so that a process that uses another one "
				 "damages it", k->path, (unsigned long)st.st_nlink);
		k->device = st.st_dev;
		k->inode = st.st_ino;
	}
	k->opened_once = true;
}

/* What to do about it, where that is not plain from what is wrong. */
static const char *advice(const struct bp_error *err)
{
	if (err->code == BP_EPARSE)
		return "; stop this before you mend it";
	return "";
}

static void refuse(struct run *run, struct run_keep *k, const struct bp_error *err)
{
	close_store(k);
	k->again = mono_add(run->now, RUN_STORE_AGAIN_NS);
	if (k->refuses && strcmp(k->told, err->text) == 0)
		return;
	k->refuses = true;
	text_set(k->told, sizeof(k->told), err->text);
	run_note(run, NULL, "%s; rounds wait in the spool, and measuring goes on%s", err->text,
		 advice(err));
}

bool run_keep_open(struct run *run, struct run_keep *k)
{
	struct bp_error err;
	bool another;

	if (k->store != NULL && is_same_file(k))
		return true;
	close_store(k);
	if (store_open(k->url, STORE_WRITE, &k->store, &err) < 0) {
		k->store = NULL;
		refuse(run, k, &err);
		return false;
	}
	another = k->opened_once && !is_same_file(k);
	if (another)
		run_note(run, NULL, "store %s is another file than it was: what the spool has kept "
			 "is put into it", k->path);
	know_file(run, k);
	for (unsigned i = 0; i < run->desk_count; i++) {
		struct run_desk *d = &run->desks[i];

		if (d->keep != k)
			continue;
		run_desk_recall(d);
		run_gap_look_inside(d);
		if (another)
			spool_again(d->spool);
	}
	return true;
}

static void takes_again(struct run *run, struct run_keep *k)
{
	if (k->refuses)
		run_note(run, NULL, "store %s takes rounds again", k->path);
	k->refuses = false;
}

/* --- a round ---------------------------------------------------------------------------------- */

static void announce(struct run_desk *d, const struct round *r)
{
	const struct campaign_events *e = &d->run->o->events;

	/* What an earlier process left is not what this one was asked for. */
	if (r->look)
		;
	else if (r->start.ns != 0 && d->first.ns != 0 && r->planned.ns >= d->first.ns) {
		d->run->result->rounds++;
		d->run->result->missed += r->missed;
	} else {
		d->run->result->missed_rounds++;
	}
	run_metrics_round(d, r);
	if (e->on_round != NULL)
		e->on_round(e->arg, d->book->plan, r);
}

static void set_aside(struct run_desk *d, struct round *r, const struct bp_error *err)
{
	run_note(d->run, d, "%s: %s; its journal is put aside", r->id, err->text);
	spool_refused(d->spool, r);
	if (r->look)
		return;
	r->missed = r->expected;
	r->done = r->traces = 0;
	r->why = ROUND_WHY_SPOOL;
	text_set(r->note, sizeof(r->note), err->text);
	run_gap_add_round(d, r);
}

static void breathe(void *arg)
{
	run_breathe(arg);
}

static int commit_one(struct run_desk *d, struct round *r, struct bp_error *err)
{
	struct commit_end end;
	int rc = commit_round(d->keep->store, d->spool, r, breathe, d->run, &end, err);

	if (rc < 0 && !end.content)
		return rc;
	if (rc < 0) {
		set_aside(d, r, err);
		return 0;
	}
	if (d->last.ns < r->planned.ns && !r->look)
		d->last = r->planned;
	/* One that a killed process had committed was announced by it, or by nobody, and one that a
	 * lost store had by us: never twice. */
	if (!end.already && !end.again)
		announce(d, r);
	run_watch_round(d, r);
	return 0;
}

/* --- what waits ------------------------------------------------------------------------------- */

static void tell_spool(struct run_desk *d)
{
	const char *note;

	while ((note = spool_note(d->spool)) != NULL)
		run_note(d->run, d, "%s", note);
}

/* Commits the oldest of what waits. 0: nothing does; 1: there may be more. */
static int commit_next(struct run_desk *d, struct bp_error *err)
{
	struct round r;
	struct wall next;
	int rc = spool_next(d->spool, &r, err);
	bool of_spool = rc == 0;

	if (rc < 0 && rc != BP_ENOTFOUND) {
		refuse(d->run, d->keep, err);
		return rc;
	}
	if (!of_spool && d->gaps == NULL)
		return 0;
	if (!run_keep_open(d->run, d->keep))
		return BP_EAGAIN;
	of_spool = of_spool && (d->gaps == NULL || r.planned.ns <= d->gaps->r.planned.ns);
	next = of_spool ? r.planned : d->gaps->r.planned;
	if (d->look_back) {
		struct run_gap *first = d->gaps;

		run_gap_look_back(d, next);
		if (d->gaps != first)
			return 1;
		d->look_back = next.ns < d->opened.ns;
	}
	rc = of_spool ? commit_one(d, &r, err) : run_gap_commit(d, err);
	if (rc < 0)
		refuse(d->run, d->keep, err);
	else
		takes_again(d->run, d->keep);
	return rc < 0 ? rc : 1;
}

static void commit_all(struct run_desk *d)
{
	struct bp_error err;
	int rc;

	do {
		rc = commit_next(d, &err);
		d->run->now = mono_now();
	} while (rc > 0);
	tell_spool(d);
	if (rc < 0)
		run_wake(d->run, d->keep->again);
}

/* Once a day, while nothing is measured; a slice, and the loop goes round. Of this campaign alone:
 * what others keep in the store is theirs. Age is reckoned back from the latest round that was
 * measured, if the clock is ahead of that: one that is wrong must not cost what was to be kept.
 * Roll-ups are made of traces that go: without, there are none. */
static void retire(struct run_desk *d)
{
	const struct campaign_plan *p = d->book->plan;
	struct wall now = wall_now();
	struct run *run = d->run;
	struct store *s = d->keep->store;
	bool more = false;
	struct bp_error err;
	uint64_t dropped;
	int rc;

	/* What refuses meanwhile is not waited for by a run that is over. */
	d->retiring &= s != NULL;
	if (p->keep_traces_ns == 0 || d->before.planned.ns == 0 || run->rounds != NULL || s == NULL)
		return;
	if (!mono_reached(run->now, d->retire)) {
		run_wake(run, d->retire);
		return;
	}
	if (d->before.planned.ns < now.ns)
		now = d->before.planned;
	rc = store_retire_some(s, p->campaign, p->vantage,
			       (struct wall){now.ns - p->keep_traces_ns}, true, &dropped, &more,
			       &err);
	if (rc == 0 && !more && p->keep_hourly_ns > 0)
		rc = store_retire_hours(s, p->campaign, p->vantage,
					(struct wall){now.ns - p->keep_hourly_ns}, &dropped, &err);
	if (rc < 0)
		refuse(run, d->keep, &err);
	run->now = mono_now();
	d->retiring = rc == 0 && more;
	d->retire = d->retiring ? run->now : mono_add(run->now, RETIRE_EVERY_NS);
	run_wake(run, d->retire);
}

void run_keep_look(struct run *run, bool force)
{
	for (unsigned i = 0; i < run->desk_count; i++) {
		struct run_desk *d = &run->desks[i];

		if (!force && d->keep->refuses && !mono_reached(run->now, d->keep->again)) {
			run_wake(run, d->keep->again);
			continue;
		}
		commit_all(d);
	}
	for (unsigned i = 0; i < run->desk_count; i++)
		retire(&run->desks[i]);
}
