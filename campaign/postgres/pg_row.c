// SPDX-License-Identifier: BSD-2-Clause
/* A row as a record, or as a part of one, of what is in memory. */
#include <stdlib.h>
#include <string.h>

#include "campaign/body.h"
#include "campaign/postgres/pg_group.h"
#include "campaign/postgres/pg_known.h"
#include "campaign/trace_key.h"
#include "campaign/value.h"

struct wall pg_wall(int64_t us)
{
	const int64_t most = INT64_MAX / NS_PER_US;

	return (struct wall){us > most || us < -most ? INT64_MIN : us * NS_PER_US};
}

static int read_hops(struct pg_store *s, const struct pg_path *p, struct trace *t)
{
	t->stop = p->stop;
	t->reach = p->reach;
	t->reached_by = p->reached_by;
	t->first_ttl = p->first_ttl;
	t->max_ttl = p->max_ttl;
	t->sent = p->sent;
	t->received = p->received;
	t->entry_count = (uint32_t)p->count;
	t->size = (uint32_t)trace_size(t->entry_count);
	for (int i = 0; i < p->count; i++) {
		size_t n;
		const void *key = pg_known_get(s, PG_KNOWN_HOP, p->hops[i], &n);

		if (key == NULL || body_read_hop(key, n, t->dst, &t->entries[i]) < 0)
			return BP_EPARSE;
	}
	return 0;
}

void pg_row_id(const struct pg_row *r, char out[static TRACE_ID_TEXT])
{
	struct trace_key k;

	if (!r->ours) {
		text_set(out, TRACE_ID_TEXT, r->foreign != NULL ? r->foreign : "");
		return;
	}
	text_set(k.run, sizeof(k.run), r->segment->run);
	k.seq = r->segment->seq_base + r->seq;
	k.sub = r->sub;
	trace_key_text(&k, out);
}

int pg_row_hops(struct pg_store *s, const struct pg_row *r, struct trace **out,
		struct bp_error *err)
{
	const struct pg_path *p = pg_known_get(s, PG_KNOWN_PATH, r->path, NULL);
	size_t goal_size, settings_size;
	const void *goal = pg_known_get(s, PG_KNOWN_GOAL, r->goal, &goal_size);
	const void *settings = pg_known_get(s, PG_KNOWN_SETTINGS, r->settings, &settings_size);
	struct trace *t;

	if (p == NULL || goal == NULL || settings == NULL)
		return pg_damaged(s, "segment", r->segment->id, err);
	t = trace_new((uint32_t)p->count);
	if (t == NULL)
		return pg_no_memory(err);
	if (value_read_goal(goal, (int)goal_size, t) < 0 ||
	    value_read_settings(settings, (int)settings_size, t) < 0 || read_hops(s, p, t) < 0) {
		free(t);
		return pg_damaged(s, "segment", r->segment->id, err);
	}
	*out = t;
	return 0;
}

int pg_row_trace(struct pg_store *s, const struct pg_row *r, struct trace **out,
		 struct bp_error *err)
{
	const struct pg_path *p = pg_known_get(s, PG_KNOWN_PATH, r->path, NULL);
	int64_t begin = r->start_us != PG_MINUS_INFINITY ? r->start_us : r->segment->base_us;
	struct trace *t;
	int rc = pg_row_hops(s, r, &t, err);

	if (rc < 0)
		return rc;
	if (body_read(r->body, r->body_size, (uint32_t)p->slots, t) < 0) {
		free(t);
		return pg_damaged(s, "segment", r->segment->id, err);
	}
	memcpy(t->vantage, r->segment->vantage, sizeof(t->vantage));
	memcpy(t->campaign, r->segment->campaign, sizeof(t->campaign));
	memcpy(t->round, r->segment->round, sizeof(t->round));
	if (r->start_us != PG_MINUS_INFINITY)
		t->start = pg_wall(r->start_us);
	if (r->took_us != PG_MINUS_INFINITY)
		t->end = pg_wall(begin + r->took_us);
	*out = t;
	return 0;
}

static int put_name(struct pg_store *s, int32_t name, struct names *out, struct bp_error *err)
{
	struct name value, *n;
	size_t size;
	const void *key = pg_known_get(s, PG_KNOWN_NAME, name, &size);

	if (key == NULL || value_read_name(key, (int)size, &value) < 0)
		return pg_damaged(s, "name", name, err);
	n = names_put(out, value.addr);
	if (n == NULL)
		return pg_no_memory(err);
	*n = value;
	return 0;
}

static int put_usual(struct pg_store *s, int32_t geo, struct addr a, struct names *out,
		     struct bp_error *err)
{
	int32_t name;

	if (!addr_is_set(a) || names_find(out, a) != NULL)
		return 0;
	name = pg_known_name(s, geo, a);
	return name == 0 ? 0 : put_name(s, name, out, err);
}

int pg_row_names(struct pg_store *s, const struct pg_row *r, const struct trace *t,
		 struct names *out, struct bp_error *err)
{
	const struct pg_named *named = NULL;
	const struct geo_source *source;
	int32_t geo = r->segment->geo;
	int rc;

	if (r->naming != 0) {
		named = pg_known_get(s, PG_KNOWN_NAMING, r->naming, NULL);
		if (named == NULL)
			return pg_damaged(s, "naming", r->naming, err);
		geo = named->geo;
	}
	if (geo == 0)
		return 0;
	source = pg_known_get(s, PG_KNOWN_GEO, geo, NULL);
	if (source == NULL)
		return pg_damaged(s, "geo", geo, err);
	out->geo = *source;
	rc = 0;
	for (int i = 0; named != NULL && named->own && i < named->count && rc == 0; i++)
		rc = put_name(s, named->names[i], out, err);
	if (named != NULL && named->own)
		return rc;
	rc = put_usual(s, geo, t->src, out, err);
	if (rc == 0)
		rc = put_usual(s, geo, t->dst, out, err);
	for (uint32_t i = 0; i < t->entry_count && rc == 0; i++)
		rc = put_usual(s, geo, t->entries[i].reply.from, out, err);
	return rc;
}

int pg_row_verdict(struct pg_store *s, const struct pg_row *r, const struct trace *t,
		   struct verdict *out, struct bp_error *err)
{
	const struct pg_judge *judge;
	size_t n;
	const void *key = pg_known_get(s, PG_KNOWN_VERDICT, r->verdict, &n);

	if (key == NULL || value_read_verdict(key, (int)n, out, t) < 0)
		return pg_damaged(s, "verdict", r->verdict, err);
	judge = pg_known_get(s, PG_KNOWN_JUDGE, r->judge, NULL);
	if (judge == NULL)
		return 0;
	memcpy(out->profile, judge->profile, sizeof(out->profile));
	memcpy(out->profile_version, judge->profile_version, sizeof(out->profile_version));
	out->judged_at = pg_wall(judge->judged_us);
	return 0;
}

int pg_row_record(struct pg_store *s, const struct pg_row *r, struct record *out,
		  struct bp_error *err)
{
	int rc = pg_row_trace(s, r, &out->trace, err);

	if (rc < 0)
		return rc;
	out->kind = RECORD_TRACE;
	pg_row_id(r, out->trace->id);
	if (trace_validate(out->trace, out->trace->size) < 0)
		rc = pg_damaged(s, "segment", r->segment->id, err);
	if (rc == 0)
		rc = pg_row_names(s, r, out->trace, &out->names, err);
	if (rc == 0 && r->verdict != 0)
		rc = pg_row_verdict(s, r, out->trace, &out->verdict, err);
	if (rc < 0)
		record_fini(out);
	return rc;
}
