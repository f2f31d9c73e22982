// SPDX-License-Identifier: BSD-2-Clause
/*
 * A transaction, and traces that wait in it: each is reduced to references and its body when it is
 * added, so that nothing of the caller's is kept. Segments are made as SQLite makes them, so that
 * both give the same in the same order. The first failure undoes all.
 */
#include <string.h>

#include "campaign/body.h"
#include "campaign/postgres/pg_news.h"
#include "core/text.h"

int pg_check_order(const struct pg_store *s, struct bp_error *err)
{
	return s->writing && !s->failed
		       ? 0
		       : bp_fail(err, BP_EINVAL, "the store: no round was begun, or it was undone");
}

int pg_failed(struct pg_store *s, int rc)
{
	if (rc < 0)
		s->failed = true;
	return rc;
}

/* --- transactions ----------------------------------------------------------------------------- */

int pg_begin(struct store *store, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	int rc = 0;

	if (s->mode != STORE_WRITE)
		return bp_fail(err, BP_EPERM, "%s: opened for reading only", s->shown);
	if (s->writing || s->readers > 0)
		return bp_fail(err, BP_EINVAL, "the store: a round was begun already, or is read");
	for (unsigned tries = 0; tries < 2; tries++) {
		rc = pg_ready(s, err);
		if (rc < 0)
			return rc;
		rc = pg_exec(s, "BEGIN", err);
		/* Lost while nobody looked: once more. */
		if (rc == 0 || s->link != NULL)
			break;
	}
	if (rc < 0)
		return rc;
	pg_news_clear(s->news);
	s->news->locked_count = 0;
	s->news->touched_count = 0;
	s->writing = true;
	s->failed = false;
	s->now_us = pg_us_of(wall_now());
	return 0;
}

void pg_undo(struct store *store)
{
	struct pg_store *s = pg_of(store);

	if (!s->writing)
		return;
	if (s->link != NULL && PQtransactionStatus(s->link) != PQTRANS_IDLE)
		pg_exec(s, "ROLLBACK", NULL);
	s->writing = s->failed = false;
	pg_judging_end(s);
	pg_news_forget(s->news);
}

int pg_commit(struct store *store, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	rc = pg_flush(s, err);
	/* A transaction that failed would be rolled back here, and called a success. */
	if (rc == 0 && PQtransactionStatus(s->link) != PQTRANS_INTRANS)
		rc = bp_fail(err, BP_EIO, "%s: the transaction was lost", s->shown);
	if (rc == 0)
		rc = pg_exec(s, "COMMIT", err);
	if (rc < 0)
		return pg_failed(s, rc);
	s->writing = false;
	s->news->locked_count = 0;
	pg_judging_end(s);
	return 0;
}

/* --- segments --------------------------------------------------------------------------------- */

/* What comes with a trace. */
struct addition {
	const struct trace *t;
	const struct names *names;     /* NULL: none */
	const struct verdict *verdict; /* NULL: none */
	bool ours;		       /* key is its id */
	struct trace_key key;
};

static bool segment_fits(const struct pg_news *n, const struct addition *a)
{
	const struct pg_waiting_segment *g = &n->segments[n->segment_count - 1];
	const struct pg_share *h = &n->share;
	const struct trace *t = a->t;

	if (!h->open || n->bytes.used >= PG_WAITING_BYTES ||
	    g->count >= PG_SEGMENT_TRACES || strcmp(h->run, a->key.run) != 0 ||
	    strcmp(h->round, t->round) != 0 || strcmp(h->vantage, t->vantage) != 0 ||
	    strcmp(h->campaign, t->campaign) != 0 || h->named != (a->names != NULL) ||
	    (h->named && !geo_source_equal(&h->geo, &a->names->geo)))
		return false;
	/* So that it fits into an integer. */
	if (a->ours &&
	    (a->key.seq - g->seq_base > INT32_MAX || a->key.seq - g->seq_base < INT32_MIN))
		return false;
	return a->verdict == NULL || !h->judged ||
	       (strcmp(h->profile, a->verdict->profile) == 0 &&
		strcmp(h->profile_version, a->verdict->profile_version) == 0);
}

static int segment_begin(struct pg_store *s, const struct addition *a, struct bp_error *err)
{
	struct pg_news *n = s->news;
	struct pg_share *h = &n->share;
	const struct trace *t = a->t;
	struct pg_waiting_segment *g;
	void *list;
	int rc = pg_news_full(n) ? pg_flush(s, err) : 0;

	if (rc < 0)
		return rc;
	list = n->segments;
	rc = pg_room(&list, &n->segment_room, n->segment_count + 1, sizeof(*n->segments));
	n->segments = list;
	if (rc < 0)
		return pg_no_memory(err);
	g = &n->segments[n->segment_count];
	*g = (struct pg_waiting_segment){.first = n->trace_count,
					 .base_us = pg_us_of(t->start),
					 .seq_base = a->key.seq,
					 .key = a->key,
					 .lock = pg_lock_key(s, t->vantage)};
	*h = (struct pg_share){.open = true, .named = a->names != NULL};
	text_set(h->vantage, sizeof(h->vantage), t->vantage);
	text_set(h->campaign, sizeof(h->campaign), t->campaign);
	text_set(h->round, sizeof(h->round), t->round);
	text_set(h->run, sizeof(h->run), a->key.run);
	rc = pg_ref_word(s, t->vantage, &g->vantage);
	if (rc == 0)
		rc = pg_ref_word(s, t->campaign, &g->campaign);
	if (rc == 0)
		rc = pg_ref_word(s, t->round, &g->round);
	if (rc == 0)
		rc = pg_ref_word(s, a->key.run, &g->run);
	if (rc == 0 && h->named) {
		h->geo = a->names->geo;
		rc = pg_ref_geo(s, &h->geo, &g->geo);
	}
	if (rc < 0)
		return pg_no_memory(err);
	n->segment_count++;
	return 0;
}

static int segment_judged(struct pg_store *s, const struct verdict *v)
{
	struct pg_share *h = &s->news->share;
	struct pg_waiting_segment *g = &s->news->segments[s->news->segment_count - 1];

	if (h->judged)
		return 0;
	text_set(h->profile, sizeof(h->profile), v->profile);
	text_set(h->profile_version, sizeof(h->profile_version), v->profile_version);
	h->judged = true;
	return pg_ref_judge(s, v, h->named ? &h->geo : NULL, s->now_us, &g->judge);
}

/* --- traces ----------------------------------------------------------------------------------- */

/* Whether a trace with this id waits already. Its id as text, so that one table does for all. */
static bool waits_already(const struct pg_store *s, const struct addition *a)
{
	const struct pg_news *n = s->news;
	uint64_t hash = pg_id_hash(s, a->t->id);
	uint32_t at = 0, number;

	while (pg_places_next(&n->ids, hash, &at, &number)) {
		const struct pg_waiting_trace *w = &n->traces[number];

		if (a->ours != w->ours)
			continue;
		if (!a->ours ? w->id_size == strlen(a->t->id) &&
				       memcmp(n->bytes.bytes + w->id_at, a->t->id, w->id_size) == 0
			     : w->seq == a->key.seq && w->sub == a->key.sub)
			return true;
	}
	return false;
}

static int take_values(struct pg_store *s, const struct addition *a, const struct flat_trace *f,
		       struct pg_waiting_trace *w, uint32_t *slots)
{
	struct pg_news *n = s->news;
	char as_path[FLAT_AS_PATH_TEXT];
	const struct pg_slot *known = NULL;
	pg_ref networks = 0;
	int rc = 0;

	if (f->as_count > 0)
		rc = pg_ref_word(s, flat_as_path_text(f, as_path), &networks);
	if (rc == 0)
		rc = pg_ref_goal(s, a->t, &w->goal);
	if (rc == 0)
		rc = pg_ref_settings(s, a->t, &w->settings);
	if (rc == 0)
		rc = pg_ref_path(s, a->t, f, networks, &w->path, &known, slots);
	if (rc == 0 && known != NULL) {
		w->path_as_path = known->extra;
		w->path_path_hash = known->more;
	}
	w->naming = (struct pg_naming){.as_path = networks};
	if (rc == 0 && a->names != NULL)
		rc = pg_ref_names(s, a->t, a->names, n->segments[n->segment_count - 1].geo,
				  networks, &w->naming);
	if (rc == 0 && a->verdict != NULL)
		rc = segment_judged(s, a->verdict);
	if (rc == 0 && a->verdict != NULL)
		rc = pg_ref_verdict(s, a->t, a->verdict, &w->verdict);
	return rc;
}

static void take_times(const struct trace *t, const struct flat_trace *f, int64_t base_us,
		       struct pg_waiting_trace *w)
{
	w->start_us = t->start.ns != 0 ? pg_us_of(t->start) : PG_MINUS_INFINITY;
	w->ended = t->end.ns != 0;
	if (w->ended)
		w->took_us = pg_us_of(t->end) - (t->start.ns != 0 ? w->start_us : base_us);
	w->rtt_min_us = f->rtt_min_ns < 0 ? -1 : body_us(f->rtt_min_ns);
	w->rtt_median_us = f->rtt_median_ns < 0 ? -1 : body_us(f->rtt_median_ns);
	w->path_hash = (int64_t)f->path_hash;
}

static int wait_for_flush(struct pg_store *s, const struct addition *a)
{
	struct pg_news *n = s->news;
	struct pg_waiting_segment *g = &n->segments[n->segment_count - 1];
	struct pg_waiting_trace *w;
	void *list = n->traces;
	struct flat_trace f;
	uint32_t slots = 0;
	int rc = pg_room(&list, &n->trace_room, n->trace_count + 1, sizeof(*n->traces));

	n->traces = list;
	if (rc < 0)
		return rc;
	w = &n->traces[n->trace_count];
	*w = (struct pg_waiting_trace){.ours = a->ours,
				       .seq = a->key.seq,
				       .sub = a->key.sub,
				       .nth = (uint16_t)g->count};
	flat_trace(a->t, a->names, &f);
	rc = take_values(s, a, &f, w, &slots);
	if (rc < 0)
		return rc;
	take_times(a->t, &f, g->base_us, w);
	w->body_at = (uint32_t)n->bytes.used;
	body_put(&n->bytes, a->t, n->order, slots);
	w->body_size = (uint32_t)(n->bytes.used - w->body_at);
	if (!a->ours && a->t->id[0] != '\0') {
		w->id_at = (uint32_t)n->bytes.used;
		w->id_size = (uint32_t)strlen(a->t->id);
		buf_append(&n->bytes, a->t->id, w->id_size);
	}
	if (n->bytes.failed || n->bytes.used > UINT32_MAX / 2)
		return BP_ENOMEM;
	if (a->t->id[0] != '\0')
		rc = pg_places_put(&n->ids, pg_id_hash(s, a->t->id), n->trace_count);
	if (rc < 0)
		return rc;
	n->trace_count++;
	g->count++;
	return 0;
}

int pg_add_trace(struct store *store, const struct trace *t, const struct names *names,
		 const struct verdict *verdict, struct bp_error *err)
{
	struct pg_store *s = pg_of(store);
	struct addition a = {.t = t};
	int rc = pg_check_order(s, err);

	if (rc < 0)
		return rc;
	/* It will be read again: what no reader takes is not kept either. */
	if (trace_validate(t, t->size) < 0)
		return pg_failed(s, bp_fail(err, BP_EINVAL, "the store: a trace that is none"));
	if (names != NULL && (names->count > 0 || geo_source_known(&names->geo)))
		a.names = names;
	if (verdict != NULL && verdict->judged)
		a.verdict = verdict;
	a.ours = trace_key_parse(t->id, &a.key);
	if (!s->news->share.open || !segment_fits(s->news, &a)) {
		rc = segment_begin(s, &a, err);
		if (rc < 0)
			return pg_failed(s, rc);
	}
	if (t->id[0] != '\0' && waits_already(s, &a))
		return 0;
	rc = wait_for_flush(s, &a);
	return rc < 0 ? pg_failed(s, pg_no_memory(err)) : 0;
}
