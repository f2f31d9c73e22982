// SPDX-License-Identifier: BSD-2-Clause
/*
 * borderpath campaign status: what there is to say of campaigns, from the store, the spool and the
 * lock alone, beside a running daemon or without one. Changes no record.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/report/status.h"
#include "campaign/place.h"
#include "campaign/plan.h"
#include "campaign/run.h"
#include "campaign/schedule.h"
#include "campaign/store.h"
#include "campaign/store_place.h"
#include "cli/campaign.h"
#include "cli/cli.h"
#include "cli/options.h"

#define DAY_NS (INT64_C(86400) * NS_PER_S)
/* Rounds are looked through so far back for a change of who we are; traces, for since when a
 * verdict stands, in steps, and no more of them than take a second or two to read. */
#define IDENTITY_NS (31 * DAY_NS)
static const int64_t history_ns[] = {1 * DAY_NS, 4 * DAY_NS, 16 * DAY_NS, 64 * DAY_NS};
static const int64_t history_traces = 50000;
/* More targets than this are told by network, unless asked for each. */
static const unsigned few_targets = 64;

enum { OPT_STORE = OPT_COMMAND_FIRST, OPT_SPOOL };

struct status_run {
	struct options options;
	const char *store, *spool;     /* as given, NULL: the plan's */
	const char *profile;           /* as given, NULL: the plan's */
	struct session session;
	struct buf out;
	unsigned shown;                /* plans told of so far */
	/* of the plan at hand */
	struct campaign_plan *plan;
	struct profile *of_plan;       /* or the one that was given */
	struct tally tally;            /* of the last measured round */
	struct status status;
	struct standing standing;
};

/* --- the store -------------------------------------------------------------------------------- */

static int take_round(void *arg, struct record *rec, struct bp_error *err)
{
	struct status_run *run = arg;
	struct status *s = &run->status;
	struct round r;
	int rc;

	if (rec->kind != RECORD_ROUND)
		return 0;
	rc = round_read(rec, &r, err);
	if (rc < 0)
		return rc;
	/* A closer look is no round: it is counted, and tells nothing of who we are. */
	if (r.look) {
		if (r.planned.ns > s->now.ns - DAY_NS)
			status_count_round(&s->day, &r);
		return 0;
	}
	/* Told by a clock that ran ahead: not yet. */
	if (r.planned.ns > s->now.ns + SCHEDULE_BACK_NS)
		return 0;
	if (s->identity_read.ns == 0)
		s->identity_read = r.planned;
	if (r.planned.ns > s->now.ns - DAY_NS)
		status_count_round(&s->day, &r);
	s->last = r;
	s->last_known = true;
	if (r.changed != 0) {
		s->identity_changed = r.changed;
		s->identity_since = r.planned;
	}
	if (r.done > 0) {
		s->measured = r;
		s->measured_known = true;
	}
	return 0;
}

static int take_trace(void *arg, struct record *rec, struct bp_error *err)
{
	struct status_run *run = arg;

	(void)err;
	if (rec->kind != RECORD_TRACE || campaign_plan_is_reference(run->plan, rec->trace->dst))
		return 0;
	/* Of a later round, in which nothing was measured: things stand as in the one before. */
	if (rec->trace->start.ns > run->status.measured.end.ns)
		return 0;
	standing_take(&run->standing, rec->trace, &rec->verdict);
	if (strcmp(rec->trace->round, run->status.measured.id) == 0)
		tally_add(&run->tally, rec->trace, &rec->verdict, run->of_plan);
	return 0;
}

static struct store_select select_of(const struct campaign_plan *p)
{
	return (struct store_select){.campaign = p->campaign, .vantage = p->vantage};
}

static int read_rounds(struct status_run *run, struct store *store, struct bp_error *err)
{
	struct store_select select = select_of(run->plan);
	struct wall last = {0};
	int rc = store_last_planned(store, run->plan->campaign, run->plan->vantage, &last, err);

	if (rc < 0 || last.ns == 0)
		return rc;
	select.rounds_only = true;
	last = last.ns < run->status.now.ns ? last : run->status.now;
	select.since.ns = last.ns - IDENTITY_NS;
	return store_read(store, &select, take_round, run, err);
}

/* Back until it is known since when each verdict stands, or it takes too long. */
static int read_traces(struct status_run *run, struct store *store, struct bp_error *err)
{
	const struct status *s = &run->status;
	struct store_select select = select_of(run->plan);
	int rc = 0;

	/* Silence of our own is no silence of a target, and its end no news. */
	select.online = true;
	for (size_t i = 0; i < sizeof(history_ns) / sizeof(history_ns[0]); i++) {
		int64_t of_round = s->measured.traces > 0 ? s->measured.traces : 1;
		int64_t traces = (history_ns[i] / s->every_ns + 1) * of_round;
		/* The last two rounds at least, however large they are. */
		int64_t back = i > 0 || traces <= history_traces ? history_ns[i] :
			       history_traces / of_round * s->every_ns;

		if (i > 0 && traces > history_traces)
			break;
		select.since.ns = s->measured.planned.ns - back - (i == 0 ? s->every_ns : 0);
		standing_fini(&run->standing);
		tally_fini(&run->tally);
		rc = store_read(store, &select, take_trace, run, err);
		if (rc == 0 && run->standing.failed)
			rc = bp_fail(err, BP_ENOMEM, "out of memory");
		if (rc < 0 || standing_bounded(&run->standing, s->measured.id))
			break;
	}
	return rc;
}

/* With the log that is not yet in it. */
static int64_t bytes_of(const char *path)
{
	char log[PATH_MAX + 8];
	struct stat st;
	int64_t bytes;

	if (stat(path, &st) < 0)
		return -1;
	bytes = st.st_size;
	snprintf(log, sizeof(log), "%s-wal", path);
	return stat(log, &st) == 0 ? bytes + st.st_size : bytes;
}

static int read_store(struct status_run *run, const char *path, struct bp_error *err)
{
	struct store *store;
	char url[PATH_MAX + 8];
	int rc;

	run->status.store_bytes = bytes_of(path);
	if (run->status.store_bytes < 0)
		return 0;
	snprintf(url, sizeof(url), "sqlite:%s", path);
	rc = store_open(url, STORE_READ, &store, err);
	if (rc < 0)
		return rc == BP_ENOTFOUND ? 0 : rc;
	rc = read_rounds(run, store, err);
	if (rc == 0 && run->status.measured_known)
		rc = read_traces(run, store, err);
	store_close(store);
	return rc;
}

/* --- one plan --------------------------------------------------------------------------------- */

static void read_places(struct status_run *run, const char *path)
{
	struct status *s = &run->status;
	struct place_waiting waiting;
	char place[PLACE_TEXT];

	if (place_holder(place_lock(path, run->plan, place), &s->pid) < 0 ||
	    place_look(place_spool(path, run->spool, run->plan, place), s->pid != 0,
		       &waiting) < 0) {
		s->hidden = true;
		return;
	}
	s->spool_rounds = waiting.rounds;
	s->spool_bytes = waiting.bytes;
	s->spool_oldest = waiting.oldest;
	s->spool_refused = waiting.refused;
}

static void foresee(struct status_run *run)
{
	const struct campaign_plan *p = run->plan;
	struct status *s = &run->status;
	struct schedule schedule;

	s->over = p->until.ns != 0 && s->now.ns >= p->until.ns;
	schedule_init(&schedule, p->every_ns, p->offset_ns, p->jitter_ns, p->since, p->until,
		      p->campaign, p->vantage, s->last_known ? s->last.planned : (struct wall){0});
	s->next = schedule_next(&schedule, s->now);
}

/* Quiet: what is as planned is not told. */
static bool is_told(const struct status_run *run, enum status_state state)
{
	return !run->options.quiet ||
	       (state != STATUS_OK && state != STATUS_STARTING && state != STATUS_OVER);
}

static int tell(struct status_run *run, struct bp_error *err)
{
	const struct profile *profile = run->of_plan;
	struct style style = style_of(&run->session);
	enum status_state state = status_state(&run->status);

	if (run->standing.count > few_targets && run->options.verbose == 0)
		run->status.tally = &run->tally;
	buf_clear(&run->out);
	if (!is_told(run, state))
		return CLI_OK;
	if (run->options.format == OUTPUT_JSONL) {
		status_write_json(&run->out, &run->status, profile);
	} else {
		if (run->shown > 0)
			buf_char(&run->out, '\n');
		report_status(&run->out, &style, &run->status, profile);
	}
	run->shown++;
	if (run->out.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return session_write(&run->session, run->out.bytes, run->out.used, err);
}

/* Once, quiet: what the round that was measured just now changed, and nothing where it did not. */
static int tell_changes(struct status_run *run, struct bp_error *err)
{
	struct style style = style_of(&run->session);

	buf_clear(&run->out);
	if (!status_changed(&run->status))
		return 0;
	if (run->options.format == OUTPUT_JSONL)
		status_write_json(&run->out, &run->status, run->of_plan);
	else
		report_changes(&run->out, &style, &run->status, run->of_plan);
	if (run->out.failed)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	return session_write(&run->session, run->out.bytes, run->out.used, err);
}

static int exit_of(enum status_state state)
{
	return state == STATUS_OK || state == STATUS_STARTING || state == STATUS_OVER ? CLI_OK :
	       CLI_PARTIAL;
}

/* One plan: reads what there is, and tells it. round: only what changed with it, where it is the
 * last that was measured; NULL: how the campaign fares. */
static int status_of(struct status_run *run, const char *file, const char *round,
		     struct bp_error *err)
{
	char path[PATH_MAX];
	int rc = campaign_plan_load(file, &run->plan, err);

	if (rc < 0)
		return rc;
	rc = campaign_plan_profile(run->plan, run->profile, &run->of_plan, err);
	if (rc == 0)
		rc = store_place(run->store != NULL ? run->store : run->plan->store, path, err);
	if (rc == 0) {
		run->status = (struct status){
			.plan = file, .campaign = run->plan->campaign,
			.vantage = run->plan->vantage, .store = path, .now = wall_now(),
			.every_ns = run->plan->every_ns, .standing = &run->standing};
		read_places(run, path);
		rc = read_store(run, path, err);
	}
	if (rc == 0)
		foresee(run);
	if (rc == 0 && round != NULL)
		rc = strcmp(run->status.measured.id, round) == 0 ? tell_changes(run, err) : 0;
	else if (rc == 0)
		rc = tell(run, err);
	if (rc == 0 && round == NULL)
		rc = exit_of(status_state(&run->status));
	standing_fini(&run->standing);
	tally_fini(&run->tally);
	profile_free(run->of_plan);
	run->of_plan = NULL;
	campaign_plan_free(run->plan);
	return rc;
}

/* --- the command ------------------------------------------------------------------------------ */

static int take(struct status_run *run, int opt, const char *arg)
{
	switch (opt) {
	case OPT_STORE: run->store = arg; return 0;
	case OPT_SPOOL: run->spool = arg; return 0;
	case OPT_PROFILE: run->profile = arg; return 0;
	default: return options_take(&run->options, opt, arg);
	}
}

int campaign_status_changes(const struct campaign_options *o, const struct session *session,
			    const char *file, const char *round, struct bp_error *err)
{
	struct status_run run = {.options = *session->options, .session = *session,
				 .store = o->store, .spool = o->spool_dir, .profile = o->profile};
	int rc;

	buf_init(&run.out);
	rc = status_of(&run, file, round, err);
	buf_fini(&run.out);
	return rc < 0 ? rc : 0;
}

int campaign_status(int argc, char **argv)
{
	static const struct option longs[] = {OPTIONS_COMMON,
					      {"store", required_argument, NULL, OPT_STORE},
					      {"spool", required_argument, NULL, OPT_SPOOL},
					      {NULL, 0, NULL, 0}};
	struct status_run run = {0};
	struct bp_error err;
	int opt, rc, code = CLI_OK;

	options_init(&run.options, "campaign");
	while ((opt = options_next(&run.options, argc, argv, OPTIONS_SHORT, longs)) != -1) {
		rc = opt == '?' ? CLI_USAGE + 1 : take(&run, opt, optarg);
		if (rc != 0)
			return rc - 1;
	}
	if (optind == argc)
		return cli_usage("campaign", "status takes plans");
	if (session_open_output(&run.options, &run.session, &err) < 0)
		return cli_error(&err);
	buf_init(&run.out);
	/* One that fails is told, and the others are shown all the same. */
	for (int i = optind; i < argc; i++) {
		rc = status_of(&run, argv[i], NULL, &err);
		if (rc < 0)
			rc = cli_error(&err);
		if (code != CLI_FAILURE && rc != CLI_OK)
			code = rc;
	}
	buf_fini(&run.out);
	return session_end(&run.session, code);
}
