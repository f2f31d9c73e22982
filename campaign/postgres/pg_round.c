// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rounds and other objects: written beside their traces, and the questions about rounds alone. A
 * round waits for the end of the transaction, as what it holds does: who writes several takes the
 * locks of all of them at once.
 */
#include <string.h>

#include "campaign/postgres/pg_news.h"
#include "core/record/jsonl.h"

int pg_add_object(struct store *store, enum record_kind kind, struct wall at, const char *vantage,
		  const char *campaign, const char *round, const char *json, size_t n,
		  struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_news *w = s->news;
	struct pg_waiting_object o = {.kind = (int16_t)kind, .at_us = pg_us_of(at), .segment = -1};
	void *list = w->objects;
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	while (n > 0 && (json[n - 1] == '\n' || json[n - 1] == '\r'))
		n--;
	o.hash = pg_hash_of(s, json, n);
	if (w->share.open && w->segments[w->segment_count - 1].count > 0) {
		o.segment = (int32_t)w->segment_count - 1;
		o.after = w->trace_count - 1;
	}
	rc = pg_ref_word(s, vantage, &o.vantage);
	if (rc == 0)
		rc = pg_ref_word(s, campaign, &o.campaign);
	if (rc == 0)
		rc = pg_ref_word(s, round, &o.round);
	if (rc == 0)
		rc = pg_room(&list, &w->object_room, w->object_count + 1, sizeof(*w->objects));
	w->objects = list;
	o.json_at = (uint32_t)w->bytes.used;
	o.json_size = (uint32_t)n;
	buf_append(&w->bytes, json, n);
	if (rc < 0 || w->bytes.failed || w->bytes.used > UINT32_MAX / 2)
		return pg_failed(s, pg_no_memory(err));
	w->objects[w->object_count++] = o;
	return pg_news_full(w) ? pg_failed(s, pg_flush(s, err)) : 0;
}

/* --- writing rounds --------------------------------------------------------------------------- */

static int64_t us_or_none(struct wall w)
{
	return w.ns == 0 ? PG_MINUS_INFINITY : pg_us_of(w);
}

static void param_or_null(struct pg_params *p, int64_t us)
{
	if (us == PG_MINUS_INFINITY)
		pg_param_text(p, NULL);
	else
		pg_param_i64(p, us);
	p->types[p->count - 1] = PG_INT8;
}

static int send_round(struct pg_store *s, const struct pg_waiting_round *r, struct bp_error *err)
{
	const struct pg_news *n = s->news;
	struct pg_params *p = &s->params;

	pg_param_i32(p, pg_row(n, PG_KIND_WORD, r->id));
	pg_param_i32(p, pg_row(n, PG_KIND_WORD, r->campaign));
	pg_param_i32(p, pg_row(n, PG_KIND_WORD, r->vantage));
	pg_param_i64(p, r->planned_us);
	param_or_null(p, r->start_us);
	param_or_null(p, r->end_us);
	pg_param_i64(p, r->expected);
	pg_param_i64(p, r->done);
	pg_param_i64(p, r->missed);
	pg_param_i64(p, r->traces);
	pg_param_text(p, r->why == ROUND_WHY_NONE ? NULL : word_of(round_why_words, r->why));
	pg_param_bool(p, r->offline);
	pg_param_bool(p, r->look);
	pg_param_bytes(p, PG_TEXT, n->bytes.bytes + r->json_at, r->json_size);
	/* Where it is read: behind what it holds. */
	return pg_query_constant(
		s,
		"INSERT INTO round(round, campaign, vantage, planned_us, at_us, start_us,"
		" end_us, expected, done, missed, traces, why, offline, look, json)"
		" VALUES ($1, $2, $3, $4, greatest($4, (SELECT max(g.start_min_us)"
		" FROM segment g WHERE g.round = $1)), $5, $6, $7, $8, $9, $10, $11, $12,"
		" $13, $14) ON CONFLICT (campaign, vantage, planned_us) DO UPDATE SET"
		" round = excluded.round, at_us = excluded.at_us,"
		" start_us = excluded.start_us, end_us = excluded.end_us,"
		" expected = excluded.expected, done = excluded.done,"
		" missed = excluded.missed, traces = excluded.traces, why = excluded.why,"
		" offline = excluded.offline, look = excluded.look, json = excluded.json"
		" WHERE round.start_us IS NULL AND excluded.start_us IS NOT NULL",
		NULL, err);
}

int pg_rounds_send(struct pg_store *s, struct bp_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->news->round_count && rc == 0; i++)
		rc = send_round(s, &s->news->rounds[i], err);
	return rc;
}

/* Whether its slot has a row, and one that it does not take the place of. That somebody else writes
 * the same one just now is seen when it is sent, and changes nothing. */
static int find_slot(struct pg_store *s, const struct round *r, const struct pg_waiting_round *w,
		     bool *already, struct bp_error *err)
{
	const struct pg_news *n = s->news;
	bool measured = w->start_us != PG_MINUS_INFINITY;
	PGresult *res;
	int rc;

	*already = false;
	for (uint32_t i = 0; i < n->round_count; i++) {
		const struct pg_waiting_round *x = &n->rounds[i];

		if (x->campaign == w->campaign && x->vantage == w->vantage &&
		    x->planned_us == w->planned_us)
			*already |= !measured || x->start_us != PG_MINUS_INFINITY;
	}
	pg_param_text(&s->params, r->campaign);
	pg_param_text(&s->params, r->vantage);
	pg_param_i64(&s->params, w->planned_us);
	rc = pg_query_constant(
		s,
		"SELECT start_us IS NOT NULL FROM round WHERE campaign = (SELECT id FROM word"
		" WHERE word = $1) AND vantage = (SELECT id FROM word WHERE word = $2) AND"
		" planned_us = $3",
		&res, err);
	if (rc < 0)
		return rc;
	if (PQntuples(res) > 0)
		*already = *already || !measured || pg_get_bool(res, 0, 0);
	PQclear(res);
	return 0;
}

static int let_wait(struct pg_store *s, const struct round *r, struct pg_waiting_round *w)
{
	struct pg_news *n = s->news;
	void *list = n->rounds;
	size_t at = n->bytes.used;
	int rc = pg_room(&list, &n->round_room, n->round_count + 1, sizeof(*n->rounds));

	n->rounds = list;
	if (rc < 0)
		return rc;
	round_write_json(&n->bytes, r);
	if (n->bytes.failed || n->bytes.used > UINT32_MAX / 2)
		return BP_ENOMEM;
	w->json_at = (uint32_t)at;
	/* Without the newline. */
	w->json_size = (uint32_t)(n->bytes.used - at - 1);
	n->rounds[n->round_count++] = *w;
	return 0;
}

int pg_add_round(struct store *store, const struct round *r, bool *already, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct pg_waiting_round w = {.planned_us = pg_us_of(r->planned),
				     .start_us = us_or_none(r->start),
				     .end_us = us_or_none(r->end),
				     .expected = r->expected,
				     .done = r->done,
				     .missed = r->missed,
				     .traces = r->traces,
				     .why = r->why,
				     .offline = r->why == ROUND_WHY_OFFLINE ||
						r->health == ROUND_HEALTH_OFFLINE,
				     .look = r->look};
	bool there = false;
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	if (r->id[0] == '\0' || r->campaign[0] == '\0' || r->vantage[0] == '\0')
		return pg_failed(s, bp_fail(err, BP_EINVAL,
					    "the store: a round without id, campaign or vantage"));
	w.lock = pg_lock_key(s, r->vantage);
	if (pg_ref_word(s, r->id, &w.id) < 0 || pg_ref_word(s, r->campaign, &w.campaign) < 0 ||
	    pg_ref_word(s, r->vantage, &w.vantage) < 0)
		rc = pg_no_memory(err);
	if (rc == 0)
		rc = find_slot(s, r, &w, &there, err);
	if (rc == 0 && let_wait(s, r, &w) < 0)
		rc = pg_no_memory(err);
	/* What comes behind it is no more of it. */
	s->news->share.open = false;
	if (rc == 0 && pg_news_full(s->news))
		rc = pg_flush(s, err);
	if (rc == 0 && already != NULL)
		*already = there;
	return pg_failed(s, rc);
}

/* --- reading rounds --------------------------------------------------------------------------- */

/* Rounds of a campaign and vantage point, $1 and $2. */
#define OF_OWNER                                                                           \
	" FROM round WHERE campaign = (SELECT id FROM word WHERE word = $1) AND vantage =" \
	" (SELECT id FROM word WHERE word = $2)"

/* What waits is seen too by who wrote it. */
static int ready(struct pg_store *s, struct bp_error *err)
{
	int rc = pg_ready(s, err);

	return rc == 0 && s->writing && !s->failed ? pg_failed(s, pg_flush(s, err)) : rc;
}

static int parse(struct pg_store *s, const PGresult *res, int row, int column, struct round *out,
		 struct bp_error *err)
{
	struct record rec;
	size_t n;
	const char *json = pg_get_bytes(res, row, column, &n);
	int rc;

	(void)s;
	record_init(&rec);
	rc = jsonl_read(json, n, &rec, err);
	if (rc == 0)
		rc = round_read(&rec, out, err);
	record_fini(&rec);
	return rc;
}

int pg_last_planned(struct store *store, const char *campaign, const char *vantage,
		    struct wall *out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = ready(s, err);

	if (rc < 0)
		return rc;
	pg_param_text(&s->params, campaign);
	pg_param_text(&s->params, vantage);
	rc = pg_query(s, "SELECT max(planned_us)" OF_OWNER " AND NOT look", &res, err);
	if (rc < 0)
		return rc;
	out->ns = pg_is_null(res, 0, 0) ? 0 : pg_get_i64(res, 0, 0) * NS_PER_US;
	PQclear(res);
	return 0;
}

int pg_last_rounds(struct store *store, const char *campaign, const char *vantage,
		   struct round *out, unsigned max, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	int rc = ready(s, err), count;
	PGresult *res;

	if (rc < 0)
		return rc;
	pg_param_text(&s->params, campaign);
	pg_param_text(&s->params, vantage);
	pg_param_i64(&s->params, max);
	rc = pg_query(s,
		      "SELECT json" OF_OWNER " AND NOT look AND start_us IS NOT NULL"
		      " ORDER BY planned_us DESC LIMIT $3",
		      &res, err);
	if (rc < 0)
		return rc;
	count = PQntuples(res);
	for (int i = 0; i < count && rc == 0; i++)
		rc = parse(s, res, i, 0, &out[i], err);
	PQclear(res);
	return rc < 0 ? rc : count;
}

int pg_slots(struct store *store, const char *campaign, const char *vantage, unsigned max,
	     int (*on_slot)(void *arg, struct wall planned, int64_t row, struct bp_error *err),
	     void *arg, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = ready(s, err), count;

	if (rc < 0)
		return rc;
	pg_param_text(&s->params, campaign);
	pg_param_text(&s->params, vantage);
	pg_param_i64(&s->params, max);
	rc = pg_query(s, "SELECT planned_us, id" OF_OWNER " ORDER BY planned_us DESC LIMIT $3",
		      &res, err);
	if (rc < 0)
		return rc;
	count = PQntuples(res);
	for (int i = 0; i < count && rc == 0; i++)
		rc = on_slot(arg, (struct wall){pg_get_i64(res, i, 0) * NS_PER_US},
			     pg_get_i64(res, i, 1), err);
	PQclear(res);
	return rc < 0 ? rc : 0;
}

int pg_round(struct store *store, int64_t row, struct round *out, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	PGresult *res;
	int rc = ready(s, err);

	if (rc < 0)
		return rc;
	pg_param_i64(&s->params, row);
	rc = pg_query(s, "SELECT json FROM round WHERE id = $1", &res, err);
	if (rc < 0)
		return rc;
	rc = PQntuples(res) == 1 ? parse(s, res, 0, 0, out, err) : pg_damaged(s, "round", row, err);
	PQclear(res);
	return rc;
}
