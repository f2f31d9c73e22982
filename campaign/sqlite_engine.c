// SPDX-License-Identifier: BSD-2-Clause
/* SQLite's row in the table of engines: what store.h asks for, handed on to campaign/sqlite*.c. */
#include "campaign/sqlite.h"

/* store is its first member. */
static struct sqlite_store *own(struct store *s)
{
	return (struct sqlite_store *)s;
}

static int engine_open(const char *url, enum store_mode mode, struct store **out,
		       struct bp_error *err)
{
	struct sqlite_store *s;
	int rc = sqlite_open(url, mode, &s, err);

	if (rc == 0)
		*out = &s->store;
	return rc;
}

static int engine_open_again(const struct store *of, struct store **out, struct bp_error *err)
{
	struct sqlite_store *s;
	int rc = sqlite_open_again((const struct sqlite_store *)of, &s, err);

	if (rc == 0)
		*out = &s->store;
	return rc;
}

static void engine_close(struct store *s)
{
	sqlite_close(own(s));
}

static int engine_begin(struct store *s, struct bp_error *err)
{
	return sqlite_begin(own(s), err);
}

static int engine_add_trace(struct store *s, const struct trace *t, const struct names *names,
			    const struct verdict *verdict, struct bp_error *err)
{
	return sqlite_add_trace(own(s), t, names, verdict, err);
}

static int engine_add_object(struct store *s, enum record_kind kind, struct wall at,
			     const char *vantage, const char *campaign, const char *round,
			     const char *json, size_t n, struct bp_error *err)
{
	return sqlite_add_object(own(s), kind, at, vantage, campaign, round, json, n, err);
}

static int engine_add_round(struct store *s, const struct round *r, bool *already,
			    struct bp_error *err)
{
	return sqlite_add_round(own(s), r, already, err);
}

static int engine_commit(struct store *s, struct bp_error *err)
{
	return sqlite_commit(own(s), err);
}

static void engine_undo(struct store *s)
{
	sqlite_undo(own(s));
}

static int engine_read(struct store *s, const struct store_select *select,
		       store_on_record *on_record, void *arg, struct bp_error *err)
{
	return sqlite_read(own(s), select, on_record, arg, err);
}

static int engine_groups(struct store *s, const struct store_select *select,
			 store_on_group *on_group, void *arg, struct bp_error *err)
{
	return sqlite_groups(own(s), select, on_group, arg, err);
}

static int engine_vantages(struct store *s, store_on_name *on_name, void *arg, struct bp_error *err)
{
	return sqlite_vantages(own(s), on_name, arg, err);
}

static int engine_trace(struct store *s, int64_t example, struct record *out, struct bp_error *err)
{
	return sqlite_trace(own(s), example, out, err);
}

static int engine_trace_bare(struct store *s, int64_t example, struct trace **out,
			     struct bp_error *err)
{
	return sqlite_trace_bare(own(s), example, out, err);
}

static int engine_points_open(struct store *s, const struct store_select *select,
			      const struct store_points *to, struct store_point_reader **out,
			      struct bp_error *err)
{
	struct sqlite_point_reader *r;
	int rc = sqlite_points_open(own(s), select, to, &r, err);

	if (rc == 0)
		*out = (struct store_point_reader *)r;
	return rc;
}

static void engine_points_close(struct store_point_reader *r)
{
	sqlite_points_close((struct sqlite_point_reader *)r);
}

static int engine_points_next(struct store_point_reader *r, struct wall *at, struct bp_error *err)
{
	return sqlite_points_next((struct sqlite_point_reader *)r, at, err);
}

static int engine_points_give(struct store_point_reader *r, struct bp_error *err)
{
	return sqlite_points_give((struct sqlite_point_reader *)r, err);
}

static int engine_last_planned(struct store *s, const char *campaign, const char *vantage,
			       struct wall *out, struct bp_error *err)
{
	return sqlite_last_planned(own(s), campaign, vantage, out, err);
}

static int engine_last_rounds(struct store *s, const char *campaign, const char *vantage,
			      struct round *out, unsigned max, struct bp_error *err)
{
	return sqlite_last_rounds(own(s), campaign, vantage, out, max, err);
}

static int engine_next_round(struct store *s, int64_t after, int64_t *row, struct round *out,
			     struct bp_error *err)
{
	return sqlite_next_round(own(s), after, row, out, err);
}

static int engine_backlog(struct store *s, int64_t after, struct store_backlog *out,
			  struct bp_error *err)
{
	return sqlite_backlog(own(s), after, out, err);
}

static int engine_slots(struct store *s, const char *campaign, const char *vantage, unsigned max,
			int (*on_slot)(void *arg, struct wall planned, int64_t row,
				       struct bp_error *err),
			void *arg, struct bp_error *err)
{
	return sqlite_slots(own(s), campaign, vantage, max, on_slot, arg, err);
}

static int engine_round(struct store *s, int64_t row, struct round *out, struct bp_error *err)
{
	return sqlite_round(own(s), row, out, err);
}

static int engine_add_judgement(struct store *s, const char *trace_id, const struct names *names,
				const struct verdict *verdict, struct wall judged_at,
				struct bp_error *err)
{
	return sqlite_add_judgement(own(s), trace_id, names, verdict, judged_at, err);
}

static int engine_retire_some(struct store *s, const char *campaign, const char *vantage,
			      struct wall before, bool hourly, uint64_t *dropped, bool *more,
			      struct bp_error *err)
{
	return sqlite_retire_some(own(s), campaign, vantage, before, INT64_MAX, hourly, dropped,
				  more, err);
}

static int engine_retire_sent(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
			      bool *more, struct bp_error *err)
{
	return sqlite_retire_some(own(s), NULL, NULL, before, row, true, dropped, more, err);
}

static int engine_retire_hours(struct store *s, const char *campaign, const char *vantage,
			       struct wall before, uint64_t *dropped, struct bp_error *err)
{
	return sqlite_retire_hours(own(s), campaign, vantage, before, dropped, err);
}

static int engine_retire_rounds(struct store *s, struct wall before, int64_t row,
				uint64_t *dropped, bool *more, struct bp_error *err)
{
	return sqlite_retire_rounds(own(s), before, row, dropped, more, err);
}

static int engine_sweep_some(struct store *s, uint64_t *dropped, bool *more, struct bp_error *err)
{
	return sqlite_sweep_some(own(s), dropped, more, err);
}

static int engine_mark_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
			     bool *already, struct bp_error *err)
{
	return sqlite_mark_batch(own(s), vantage, epoch, seq, already, err);
}

static int engine_refuse_batch(struct store *s, const char *vantage, const char *epoch,
			       uint64_t seq, const char *reason, const void *bytes, size_t n,
			       struct bp_error *err)
{
	return sqlite_refuse_batch(own(s), vantage, epoch, seq, reason, bytes, n, err);
}

static int engine_skip_batches(struct store *s, const char *vantage, const char *epoch,
			       uint64_t through, struct bp_error *err)
{
	return sqlite_skip_batches(own(s), vantage, epoch, through, err);
}

static int engine_marks(struct store *s, store_on_mark *on_mark, void *arg, struct bp_error *err)
{
	return sqlite_marks(own(s), on_mark, arg, err);
}

static const uint8_t *engine_secret(const struct store *s)
{
	const struct sqlite_store *q = (const struct sqlite_store *)s;

	return q->mode == STORE_WRITE ? q->hash_key : NULL;
}

static const char *const schemes[] = {"sqlite:", NULL};

const struct store_engine sqlite_engine = {
	.name = "SQLite",
	.schemes = schemes,
	.open = engine_open,
	.open_again = engine_open_again,
	.close = engine_close,
	.begin = engine_begin,
	.add_trace = engine_add_trace,
	.add_object = engine_add_object,
	.add_round = engine_add_round,
	.commit = engine_commit,
	.undo = engine_undo,
	.read = engine_read,
	.groups = engine_groups,
	.vantages = engine_vantages,
	.trace = engine_trace,
	.trace_bare = engine_trace_bare,
	.points_open = engine_points_open,
	.points_close = engine_points_close,
	.points_next = engine_points_next,
	.points_give = engine_points_give,
	.last_planned = engine_last_planned,
	.last_rounds = engine_last_rounds,
	.next_round = engine_next_round,
	.backlog = engine_backlog,
	.slots = engine_slots,
	.round = engine_round,
	.add_judgement = engine_add_judgement,
	.retire_some = engine_retire_some,
	.retire_sent = engine_retire_sent,
	.retire_hours = engine_retire_hours,
	.retire_rounds = engine_retire_rounds,
	.sweep_some = engine_sweep_some,
	.salvage = sqlite_salvage,
	.mark_batch = engine_mark_batch,
	.refuse_batch = engine_refuse_batch,
	.skip_batches = engine_skip_batches,
	.marks = engine_marks,
	.secret = engine_secret,
};
