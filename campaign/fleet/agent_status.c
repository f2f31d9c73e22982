// SPDX-License-Identifier: BSD-2-Clause
/* What an agent says of itself, into the bucket BP_STATUS: every half a minute, and soon after
 * something changed. */
#include <string.h>

#include "campaign/fleet/agent_inside.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"
#include "core/text.h"
#include "geo/geo.h"

#define EVERY_NS (30 * NS_PER_S)
#define SOON_NS (NS_PER_S / 2)

static void put_built(const struct geo *g, enum geo_db which, char out[static AGENT_DATE_TEXT])
{
	struct geo_db_about about;
	char text[WALL_TEXT];

	if (geo_about(g, which, &about) == 0 && about.built.ns != 0)
		text_copy(out, AGENT_DATE_TEXT, wall_format(about.built, text), 10);
}

void agent_status_init(struct agent *a)
{
	struct bp_error err;
	struct geo *g;

	if (geo_open(a->o->asn_db, a->o->country_db, NULL, &g, &err) < 0) {
		agent_trouble(a, "%s", err.text);
		return;
	}
	put_built(g, GEO_DB_ASN, a->asn_built);
	put_built(g, GEO_DB_COUNTRY, a->country_built);
	geo_close(g);
}

static void put_plan(struct json_writer *w, const struct agent *a, const struct agent_plan *p,
		     struct wall now)
{
	const struct cut_plan *k = &p->known;
	const char *state = k->reason[0] != '\0' ? "refused" :
			    k->running != 0 && a->child.pid != 0 && !a->child.other_plans ?
						   "running" :
						   "waiting";

	json_begin_object(w, NULL);
	json_put_str(w, "campaign", k->campaign);
	json_put_int(w, "revision", (int64_t)k->revision);
	json_put_str(w, "state", state);
	jsonl_put_text(w, "reason", k->reason);
	jsonl_put_nonzero(w, "running", (int64_t)k->running);
	jsonl_put_text(w, "last_round", p->last_round);
	if (k->running != 0 && p->every_ns > 0) {
		int64_t behind = (now.ns - p->offset_ns) % p->every_ns;

		jsonl_put_wall(w, "next", (struct wall){now.ns - behind + p->every_ns});
	}
	json_end(w);
}

static void put_spool(struct json_writer *w, struct agent *a, const struct cut_state *state)
{
	struct store_backlog b = {0};
	struct bp_error err;

	if (agent_spool_open(a))
		(void)store_backlog(a->spool, state->row, &b, &err);
	json_begin_object(w, "spool");
	json_put_int(w, "rounds", (int64_t)b.rounds);
	json_put_int(w, "traces", (int64_t)b.traces);
	json_put_int(w, "bytes", (int64_t)agent_spool_bytes(a, &b));
	json_put_int(w, "bytes_max", a->spool_max);
	jsonl_put_wall(w, "oldest", b.oldest);
	json_put_int(w, "lost_traces", (int64_t)state->lost_traces);
	json_put_int(w, "lost_rounds", (int64_t)state->lost_rounds);
	json_end(w);
}

static void put_last(struct json_writer *w, const struct round *r)
{
	if (r->id[0] == '\0')
		return;
	json_begin_object(w, "health");
	json_put_str(w, "round", r->id);
	jsonl_put_word(w, "state", round_health_words, r->health);
	json_put_int(w, "reference_asked", r->reference_asked);
	json_put_int(w, "reference_answered", r->reference_answered);
	json_end(w);
	json_begin_object(w, "identity");
	jsonl_put_addr(w, "source", r->source);
	jsonl_put_addr(w, "public_addr", r->public_addr);
	jsonl_put_nonzero(w, "egress_asn", r->egress_asn);
	jsonl_put_text(w, "egress_org", r->egress_org);
	jsonl_put_nonzero(w, "transit_asn", r->transit_asn);
	jsonl_put_text(w, "transit_org", r->transit_org);
	json_end(w);
}

static void write_status(struct agent *a, struct buf *out)
{
	struct wall now = wall_now();
	struct cut_state state;
	struct json_writer w;

	cut_state(a->cut, &state);
	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "status");
	json_put_int(&w, "version", 1);
	json_put_str(&w, "vantage", a->o->vantage);
	json_put_str(&w, "tool", "borderpath " BP_VERSION);
	jsonl_put_wall(&w, "at", now);
	json_begin_array(&w, "plans");
	for (unsigned i = 0; i < a->plan_count; i++)
		put_plan(&w, a, &a->plans[i], now);
	json_end(&w);
	put_spool(&w, a, &state);
	json_begin_object(&w, "batches");
	json_put_str(&w, "epoch", state.epoch);
	json_put_int(&w, "cut", (int64_t)state.cut);
	json_put_int(&w, "sent", (int64_t)a->send.sent);
	json_put_int(&w, "confirmed", (int64_t)state.confirmed);
	json_put_int(&w, "traces", (int64_t)state.records);
	json_end(&w);
	put_last(&w, &a->last);
	json_begin_object(&w, "databases");
	jsonl_put_text(&w, "asn_built", a->asn_built);
	jsonl_put_text(&w, "country_built", a->country_built);
	json_end(&w);
	json_begin_object(&w, "errors");
	json_put_int(&w, "denied", (int64_t)a->send.denied);
	jsonl_put_text(&w, "last", a->last_error);
	json_end(&w);
	json_end(&w);
}

void agent_status_step(struct agent *a)
{
	struct mono now = mono_now();
	struct bp_error err;
	struct buf text;
	int rc;

	if (!bus_is_connected(a->bus) ||
	    (!mono_reached(now, a->status_due) &&
	     (a->status_soon.ns == 0 || !mono_reached(now, a->status_soon))))
		return;
	a->status_due = mono_add(now, EVERY_NS);
	a->status_soon.ns = 0;
	buf_init(&text);
	write_status(a, &text);
	rc = text.failed ? bp_fail(&err, BP_ENOMEM, "out of memory") :
			   bus_put(a->bus, "BP_STATUS", a->o->vantage, text.bytes, text.used, NULL,
				   &err);
	if (rc < 0)
		agent_note(a, "status: %s", err.text);
	buf_fini(&text);
}

void agent_changed(struct agent *a)
{
	if (a->status_soon.ns == 0)
		a->status_soon = mono_add(mono_now(), SOON_NS);
}
