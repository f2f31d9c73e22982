// SPDX-License-Identifier: BSD-2-Clause
/*
 * The book of batches that collectors took in. Rows stay, and a batch's row is in the
 * transaction of what it brought: so of two collectors that take in the same batch at once, one
 * waits for the other, and finds it there.
 */
#include <string.h>

#include "campaign/postgres/pg_news.h"

static int add(struct pg_store *s, const char *vantage, const char *epoch, uint64_t seq,
	       const char *reason, const void *bytes, size_t n, bool *already, struct bp_error *err)
{
	PGresult *res;
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	if (seq == 0 || seq > INT64_MAX || vantage[0] == '\0' || epoch[0] == '\0')
		return bp_fail(err, BP_EINVAL,
			       "the store: a batch without vantage, epoch or number");
	pg_param_text(&s->params, vantage);
	pg_param_text(&s->params, epoch);
	pg_param_i64(&s->params, (int64_t)seq);
	pg_param_text(&s->params, reason);
	if (reason != NULL) {
		pg_param_bytes(&s->params, PG_BYTEA, bytes, n);
	} else {
		pg_param_text(&s->params, NULL);
		s->params.types[s->params.count - 1] = PG_BYTEA;
	}
	rc = pg_query_constant(
		s,
		"WITH m AS (INSERT INTO mark VALUES ($1, $2, 0) ON CONFLICT DO NOTHING)"
		" INSERT INTO batch(vantage, epoch, seq, refused, bytes, size) VALUES ($1, $2,"
		" $3, $4, $5, length($5)) ON CONFLICT DO NOTHING",
		&res, err);
	if (rc < 0)
		return pg_failed(s, rc);
	*already = strcmp(PQcmdTuples(res), "0") == 0;
	PQclear(res);
	return 0;
}

int pg_mark_batch(struct store *store, const char *vantage, const char *epoch, uint64_t seq,
		  bool *already, struct bp_error *err)
{
	return add(pg_of(store), vantage, epoch, seq, NULL, NULL, 0, already, err);
}

int pg_refuse_batch(struct store *store, const char *vantage, const char *epoch, uint64_t seq,
		    const char *reason, const void *bytes, size_t n, struct bp_error *err)
{
	bool ignored;

	return add(pg_of(store), vantage, epoch, seq, reason, bytes, n, &ignored, err);
}

/* From where it stood last time: only what came since is looked at. That it is a little behind does
 * no harm: rows of batches stay. */
static int advance(struct pg_store *s, struct bp_error *err)
{
	return pg_exec(
		s,
		"UPDATE mark SET through = x.through FROM (SELECT m.vantage, m.epoch, max(b.seq)"
		" AS through FROM mark m CROSS JOIN LATERAL (SELECT c.seq, row_number() OVER"
		" (ORDER BY c.seq) AS i FROM batch c WHERE c.vantage = m.vantage AND"
		" c.epoch = m.epoch AND c.seq > m.through) b WHERE b.seq = m.through + b.i"
		" GROUP BY 1, 2) x WHERE mark.vantage = x.vantage AND"
		" mark.epoch = x.epoch AND mark.through < x.through",
		err);
}

int pg_marks(struct store *store, store_on_mark *on_mark, void *arg, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = pg_ready(s, err);

	if (rc == 0 && s->mode == STORE_WRITE)
		rc = advance(s, err);
	if (rc == 0)
		rc = pg_query_constant(s, "SELECT vantage, epoch, through FROM mark ORDER BY 1, 2",
				       &res, err);
	if (rc < 0)
		return s->writing ? pg_failed(s, rc) : rc;
	for (int i = 0; rc == 0 && i < PQntuples(res); i++)
		rc = on_mark(arg, pg_get_text(res, i, 0), pg_get_text(res, i, 1),
			     (uint64_t)pg_get_i64(res, i, 2), err);
	PQclear(res);
	return rc;
}

int pg_skip_batches(struct store *store, const char *vantage, const char *epoch, uint64_t through,
		    struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	if (through == 0 || through > INT64_MAX || vantage[0] == '\0' || epoch[0] == '\0')
		return bp_fail(err, BP_EINVAL, "the store: a batch without vantage, epoch or number");
	pg_param_text(&s->params, vantage);
	pg_param_text(&s->params, epoch);
	pg_param_i64(&s->params, (int64_t)through);
	rc = pg_query_constant(
		s,
		"INSERT INTO mark VALUES ($1, $2, $3) ON CONFLICT (vantage, epoch) DO UPDATE"
		" SET through = greatest(mark.through, excluded.through)",
		NULL, err);
	return rc < 0 ? pg_failed(s, rc) : 0;
}

/* --- what one of them does -------------------------------------------------------------------- */

/* The lock is the connection's: with it it goes. Asked again it is had twice, which is once. */
int pg_claim(struct store *store, const char *what, bool *mine, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = pg_ready(s, err);

	if (rc < 0)
		return rc;
	pg_param_text(&s->params, what);
	rc = pg_query_constant(
		s,
		"SELECT pg_try_advisory_lock(1112560465, hashtext(current_schema() || '.' || $1))",
		&res, err);
	if (rc < 0)
		return rc;
	*mine = pg_get_bool(res, 0, 0);
	PQclear(res);
	return 0;
}
