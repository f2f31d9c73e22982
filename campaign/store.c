// SPDX-License-Identifier: BSD-2-Clause
/* Which engine a store is of, and the way to it. */
#include "campaign/store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/store_engine.h"

static bool is_of(const struct store_engine *e, const char *url)
{
	for (const char *const *scheme = e->schemes; *scheme != NULL; scheme++) {
		if (strncmp(url, *scheme, strlen(*scheme)) == 0)
			return true;
	}
	return false;
}

static const struct store_engine *engine_of(const char *url)
{
	for (unsigned i = 0; url != NULL && store_engines[i] != NULL; i++) {
		if (is_of(store_engines[i], url))
			return store_engines[i];
	}
	return store_engines[0];
}

static int cannot(const struct store *s, const char *what, struct bp_error *err)
{
	return bp_fail(err, BP_EUNSUP, "%s: %s is not supported by %s stores", s->shown, what,
		       s->engine->name);
}

int store_open(const char *url, enum store_mode mode, struct store **out, struct bp_error *err)
{
	return engine_of(url)->open(url, mode, out, err);
}

int store_open_again(const struct store *of, struct store **out, struct bp_error *err)
{
	int rc = of->engine->open_again(of, out, err);

	/* Ways are told apart by it, in both. */
	if (rc == 0)
		memcpy((*out)->way_key, of->way_key, sizeof((*out)->way_key));
	return rc;
}

void store_close(struct store *s)
{
	if (s != NULL)
		s->engine->close(s);
}

const char *store_path(const struct store *s)
{
	return s->shown;
}

/* --- writing ---------------------------------------------------------------------------------- */

int store_begin(struct store *s, struct bp_error *err)
{
	return s->engine->begin(s, err);
}

int store_add_trace(struct store *s, const struct trace *t, const struct names *names,
		    const struct verdict *verdict, struct bp_error *err)
{
	return s->engine->add_trace(s, t, names, verdict, err);
}

int store_add_object(struct store *s, enum record_kind kind, struct wall at, const char *vantage,
		     const char *campaign, const char *round, const char *json, size_t n,
		     struct bp_error *err)
{
	return s->engine->add_object(s, kind, at, vantage, campaign, round, json, n, err);
}

int store_add_round(struct store *s, const struct round *r, bool *already, struct bp_error *err)
{
	return s->engine->add_round(s, r, already, err);
}

int store_commit(struct store *s, struct bp_error *err)
{
	return s->engine->commit(s, err);
}

void store_undo(struct store *s)
{
	s->engine->undo(s);
}

int store_mark_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		     bool *already, struct bp_error *err)
{
	if (s->engine->mark_batch == NULL)
		return cannot(s, "a book of batches", err);
	return s->engine->mark_batch(s, vantage, epoch, seq, already, err);
}

int store_refuse_batch(struct store *s, const char *vantage, const char *epoch, uint64_t seq,
		       const char *reason, const void *bytes, size_t n, struct bp_error *err)
{
	if (s->engine->refuse_batch == NULL)
		return cannot(s, "a book of batches", err);
	return s->engine->refuse_batch(s, vantage, epoch, seq, reason, bytes, n, err);
}

int store_skip_batches(struct store *s, const char *vantage, const char *epoch, uint64_t through,
		       struct bp_error *err)
{
	if (s->engine->skip_batches == NULL)
		return cannot(s, "a book of batches", err);
	return s->engine->skip_batches(s, vantage, epoch, through, err);
}

int store_marks(struct store *s, store_on_mark *on_mark, void *arg, struct bp_error *err)
{
	if (s->engine->marks == NULL)
		return cannot(s, "a book of batches", err);
	return s->engine->marks(s, on_mark, arg, err);
}

int store_id(struct store *s, char out[static STORE_ID_TEXT], struct bp_error *err)
{
	static const char salt[] = "borderpath store id";
	const uint8_t *secret = s->engine->secret(s);
	uint8_t hash[crypto_generichash_BYTES];

	if (secret == NULL)
		return cannot(s, "its name without writing", err);
	crypto_generichash(hash, sizeof(hash), secret, 16, (const unsigned char *)salt,
			   sizeof(salt) - 1);
	sodium_bin2hex(out, STORE_ID_TEXT, hash, (STORE_ID_TEXT - 1) / 2);
	return 0;
}

int store_claim(struct store *s, const char *what, bool *mine, struct bp_error *err)
{
	if (s->engine->claim != NULL)
		return s->engine->claim(s, what, mine, err);
	*mine = true;
	return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

int store_read(struct store *s, const struct store_select *select, store_on_record *on_record,
	       void *arg, struct bp_error *err)
{
	return s->engine->read(s, select, on_record, arg, err);
}

int store_groups(struct store *s, const struct store_select *select, store_on_group *on_group,
		 void *arg, struct bp_error *err)
{
	return s->engine->groups(s, select, on_group, arg, err);
}

int store_vantages(struct store *s, store_on_name *on_name, void *arg, struct bp_error *err)
{
	return s->engine->vantages(s, on_name, arg, err);
}

int store_trace(struct store *s, int64_t example, struct record *out, struct bp_error *err)
{
	return s->engine->trace(s, example, out, err);
}

int store_trace_bare(struct store *s, int64_t example, struct trace **out, struct bp_error *err)
{
	return s->engine->trace_bare(s, example, out, err);
}

int store_points_open(struct store *s, const struct store_select *select,
		      const struct store_points *to, struct store_point_reader **out,
		      struct bp_error *err)
{
	return s->engine->points_open(s, select, to, out, err);
}

void store_points_close(struct store_point_reader *r)
{
	if (r != NULL)
		r->engine->points_close(r);
}

int store_points_next(struct store_point_reader *r, struct wall *at, struct bp_error *err)
{
	return r->engine->points_next(r, at, err);
}

int store_points_give(struct store_point_reader *r, struct bp_error *err)
{
	return r->engine->points_give(r, err);
}

int store_points(struct store *s, const struct store_select *select, const struct store_points *to,
		 struct bp_error *err)
{
	struct store_point_reader *r;
	struct wall at;
	int rc = store_points_open(s, select, to, &r, err);

	if (rc < 0)
		return rc;
	while ((rc = store_points_next(r, &at, err)) == 1) {
		rc = store_points_give(r, err);
		if (rc < 0)
			break;
	}
	store_points_close(r);
	return rc;
}

int store_last_planned(struct store *s, const char *campaign, const char *vantage, struct wall *out,
		       struct bp_error *err)
{
	return s->engine->last_planned(s, campaign, vantage, out, err);
}

int store_last_rounds(struct store *s, const char *campaign, const char *vantage, struct round *out,
		      unsigned max, struct bp_error *err)
{
	return s->engine->last_rounds(s, campaign, vantage, out, max, err);
}

int store_next_round(struct store *s, int64_t after, int64_t *row, struct round *out,
		     struct bp_error *err)
{
	if (s->engine->next_round == NULL)
		return cannot(s, "sending rounds on", err);
	return s->engine->next_round(s, after, row, out, err);
}

int store_backlog(struct store *s, int64_t after, struct store_backlog *out, struct bp_error *err)
{
	if (s->engine->backlog == NULL)
		return cannot(s, "sending rounds on", err);
	return s->engine->backlog(s, after, out, err);
}

/* --- judging anew, keeping, mending ----------------------------------------------------------- */

int store_add_judgement(struct store *s, const char *trace_id, const struct names *names,
			const struct verdict *verdict, struct wall judged_at, struct bp_error *err)
{
	return s->engine->add_judgement(s, trace_id, names, verdict, judged_at, err);
}

int store_retire_some(struct store *s, const char *campaign, const char *vantage,
		      struct wall before, bool hourly, uint64_t *dropped, bool *more,
		      struct bp_error *err)
{
	return s->engine->retire_some(s, campaign, vantage, before, hourly, dropped, more, err);
}

int store_retire(struct store *s, const char *campaign, const char *vantage, struct wall before,
		 bool hourly, uint64_t *dropped, struct bp_error *err)
{
	uint64_t sum = 0, some = 0;
	bool more = true;
	int rc = 0;

	while (more && rc == 0) {
		rc = store_retire_some(s, campaign, vantage, before, hourly, &some, &more, err);
		sum += rc == 0 ? some : 0;
	}
	if (dropped != NULL)
		*dropped = sum;
	return rc;
}

int store_retire_hours(struct store *s, const char *campaign, const char *vantage,
		       struct wall before, uint64_t *dropped, struct bp_error *err)
{
	return s->engine->retire_hours(s, campaign, vantage, before, dropped, err);
}

int store_retire_sent(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
		      bool *more, struct bp_error *err)
{
	if (s->engine->retire_sent == NULL)
		return cannot(s, "dropping what was sent", err);
	return s->engine->retire_sent(s, before, row, dropped, more, err);
}

int store_retire_rounds(struct store *s, struct wall before, int64_t row, uint64_t *dropped,
			bool *more, struct bp_error *err)
{
	if (s->engine->retire_rounds == NULL)
		return cannot(s, "dropping rounds", err);
	return s->engine->retire_rounds(s, before, row, dropped, more, err);
}

int store_sweep_some(struct store *s, uint64_t *dropped, bool *more, struct bp_error *err)
{
	if (s->engine->sweep_some == NULL)
		return cannot(s, "sweeping", err);
	return s->engine->sweep_some(s, dropped, more, err);
}

int store_salvage(const char *from, const char *to, struct store_salvage *out, struct bp_error *err)
{
	const struct store_engine *e = engine_of(from);
	char shown[STORE_SHOWN_TEXT];

	if (e->salvage == NULL || engine_of(to) != e)
		return bp_fail(err, BP_EUNSUP, "%s: only files can be salvaged, into files",
			       store_shown(e->salvage == NULL ? from : to, shown));
	return e->salvage(from, to, out, err);
}
