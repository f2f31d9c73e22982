// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judging anew: one more judgement of a trace that is in the store, a row of its own. Traces are
 * never changed. Whoever judges goes through a store in its order: the segment of the last trace
 * is kept at hand.
 */
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg_group.h"
#include "campaign/postgres/pg_known.h"
#include "campaign/postgres/pg_news.h"

enum { WAITING_JUDGEMENTS = 8192 };

struct pg_judging {
	struct pg_group group; /* of one segment */
	unsigned at;	       /* the row that was judged last */
};

void pg_judging_end(struct pg_store *s)
{
	if (s->judging == NULL)
		return;
	pg_group_clear(&s->judging->group);
	free(s->judging);
	s->judging = NULL;
}

/* --- finding a trace -------------------------------------------------------------------------- */

static bool is_row(const struct pg_row *r, const struct trace_key *k)
{
	return r->ours && r->segment->seq_base + r->seq == k->seq && r->sub == k->sub &&
	       strcmp(r->segment->run, k->run) == 0;
}

/* From where the last was found, once around. */
static const struct pg_row *find_near(struct pg_store *s, const struct trace_key *k)
{
	struct pg_judging *j = s->judging;
	unsigned count = j != NULL ? j->group.row_count : 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned at = (j->at + i) % count;

		if (is_row(&j->group.rows[at], k)) {
			j->at = at;
			return &j->group.rows[at];
		}
	}
	return NULL;
}

static int find_far(struct pg_store *s, const char *id, const struct trace_key *k, int32_t *segment,
		    int *nth, struct bp_error *err)
{
	PGresult *res;
	int rc;

	if (k != NULL) {
		pg_param_text(&s->params, k->run);
		pg_param_i64(&s->params, k->seq);
		pg_param_i32(&s->params, (int32_t)k->sub);
		rc = pg_query(s,
			      "SELECT t.segment, t.nth FROM segment g JOIN trace t ON"
			      " t.segment = g.id AND t.seq = $2 - g.seq_base AND"
			      " coalesce(t.sub, -1) = $3 AND t.start <= timestamptz '1970-01-01"
			      " 00:00:00+00' + g.start_max_us * interval '1 microsecond' WHERE"
			      " g.run = (SELECT id FROM word WHERE word = $1) AND"
			      " g.seq_max >= $2 AND g.seq_min <= $2 LIMIT 1",
			      &res, err);
	} else {
		pg_param_text(&s->params, id);
		rc = pg_query(s, "SELECT segment, nth FROM foreign_id WHERE id = $1", &res, err);
	}
	if (rc < 0)
		return rc;
	if (PQntuples(res) > 0) {
		*segment = pg_get_i32(res, 0, 0);
		*nth = pg_get_i16(res, 0, 1);
	} else {
		rc = bp_fail(err, BP_ENOTFOUND, "%s: no trace %s", s->shown, id);
	}
	PQclear(res);
	return rc;
}

static int load(struct pg_store *s, int32_t segment, int nth, const struct pg_row **out,
		struct bp_error *err)
{
	struct pg_judging *j = s->judging;
	struct pg_array ids = {0};
	int rc;

	if (j == NULL)
		j = s->judging = calloc(1, sizeof(*j));
	if (j == NULL)
		return pg_no_memory(err);
	pg_group_clear(&j->group);
	ids.count = 1;
	pg_put_i32(&ids.bytes, segment);
	rc = pg_group_load(s, &ids, -1, NULL, PG_WANT_JUDGED, &j->group, err);
	pg_array_fini(&ids);
	j->at = rc == 0 ? pg_group_at(&j->group, segment, nth) : 0;
	if (rc == 0 && (j->at == j->group.row_count || j->group.rows[j->at].nth != nth))
		rc = pg_damaged(s, "segment", segment, err);
	if (rc == 0)
		*out = &j->group.rows[j->at];
	return rc;
}

static int find_trace(struct pg_store *s, const char *id, const struct pg_row **out,
		      struct bp_error *err)
{
	struct trace_key k;
	bool ours = trace_key_parse(id, &k);
	int32_t segment = 0;
	int nth = 0, rc;

	*out = ours ? find_near(s, &k) : NULL;
	if (*out != NULL)
		return 0;
	rc = find_far(s, id, ours ? &k : NULL, &segment, &nth, err);
	return rc < 0 ? rc : load(s, segment, nth, out, err);
}

/* --- a judgement ------------------------------------------------------------------------------ */

static int put_judgement(struct pg_store *s, const struct pg_row *r, const struct trace *t,
			 const struct names *names, const struct verdict *v, int64_t at_us)
{
	struct pg_news *n = s->news;
	struct pg_waiting_judgement j = {.segment = r->segment->id,
					 .nth = r->nth,
					 .naming_ref = r->naming};
	void *list = n->judgements;
	char as_path[FLAT_AS_PATH_TEXT];
	struct flat_trace f;
	pg_ref networks = 0, geo = 0;
	int rc = pg_room(&list, &n->judgement_room, n->judgement_count + 1, sizeof(*n->judgements));

	n->judgements = list;
	if (rc == 0 && names != NULL) {
		flat_trace(t, names, &f);
		if (f.as_count > 0)
			rc = pg_ref_word(s, flat_as_path_text(&f, as_path), &networks);
		if (rc == 0)
			rc = pg_ref_geo(s, &names->geo, &geo);
		if (rc == 0)
			rc = pg_ref_names(s, t, names, geo, networks, &j.naming);
	}
	if (rc == 0)
		rc = pg_ref_judge(s, v, names != NULL ? &names->geo : NULL, at_us, &j.judge);
	if (rc == 0)
		rc = pg_ref_verdict(s, t, v, &j.verdict);
	if (rc == 0)
		n->judgements[n->judgement_count++] = j;
	return rc;
}

int pg_add_judgement(struct store *store, const char *trace_id, const struct names *names,
		     const struct verdict *verdict, struct wall judged_at, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	const struct pg_row *r;
	struct trace *t = NULL;
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	/* Traces must be there; without names, those of the judgement before are taken. */
	if (s->news->trace_count > 0 || s->news->judgement_count >= WAITING_JUDGEMENTS ||
	    (names == NULL && s->news->judgement_count > 0)) {
		rc = pg_flush(s, err);
		pg_judging_end(s);
	}
	if (rc == 0)
		rc = find_trace(s, trace_id, &r, err);
	/* That there is no such trace harms nothing. */
	if (rc == BP_ENOTFOUND)
		return rc;
	/* The verdict is written relative to the path. */
	if (rc == 0)
		rc = pg_row_trace(s, r, &t, err);
	if (rc == 0 && put_judgement(s, r, t, names, verdict, pg_us_of(judged_at)) < 0)
		rc = pg_no_memory(err);
	free(t);
	return pg_failed(s, rc);
}
