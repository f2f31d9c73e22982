// SPDX-License-Identifier: BSD-2-Clause
/* A fleet's state for people and for scripts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/fleet.h"
#include "cli/fleet/fleet_status.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"
#include "core/text.h"

/* --- text ------------------------------------------------------------------------------------- */

static void put_words(struct buf *out, unsigned amiss)
{
	const char *between = "";

	for (const struct word *w = status_words; w->word != NULL; w++) {
		if ((amiss & (unsigned)w->value) == 0)
			continue;
		buf_printf(out, "%s%s", between, w->word);
		between = ", ";
	}
	if (amiss == 0)
		buf_str(out, "ok");
}

static void put_bytes(struct buf *out, int64_t bytes)
{
	if (bytes < 1000 * 1000)
		buf_printf(out, "%.1f kB", (double)bytes / 1e3);
	else if (bytes < INT64_C(1000) * 1000 * 1000)
		buf_printf(out, "%.1f MB", (double)bytes / 1e6);
	else
		buf_printf(out, "%.1f GB", (double)bytes / 1e9);
}

static void put_head(struct buf *out, const struct fleet_report *r, const struct status_vantage *v)
{
	char when[WALL_TEXT];

	buf_printf(out, "%s: ", v->key->name);
	put_words(out, v->amiss);
	if (v->key->revoked.ns != 0)
		buf_printf(out, "; on %s", wall_format_short(v->key->revoked, when));
	if (v->seen_ns >= 0) {
		buf_str(out, "; last heard ");
		duration_put(out, (double)(v->seen_ns > 0 ? v->seen_ns : 0) / 1e9);
		buf_str(out, " ago");
	}
	if (r->turned.asked && v->open == 0 && v->key->revoked.ns == 0)
		buf_str(out, "; not connected");
	else if (v->open > 0)
		buf_printf(out, "; connected from %s", v->address);
	if (v->amiss & AMISS_TWICE)
		buf_printf(out, " and from %s: its key may be stolen", v->other);
	if (v->amiss & AMISS_CONNECTED)
		buf_str(out, ": the broker has not read accounts.conf");
	if (v->amiss & AMISS_NO_PLAN)
		buf_str(out, "; nothing is deployed to it: `campaign deploy` again");
	buf_char(out, '\n');
}

/* As plans tell it. */
static void put_where(struct buf *out, const struct roster_where *w)
{
	char text[ADDR_TEXT];

	if (!w->known && !addr_is_set(w->address))
		return;
	buf_str(out, "  place      ");
	if (w->known)
		buf_printf(out, "%.9g, %.9g", w->lat_e5 / 1e5, w->lon_e5 / 1e5);
	if (addr_is_set(w->address))
		buf_printf(out, "%saddress %s", w->known ? "; " : "", addr_format(w->address, text));
	buf_char(out, '\n');
}

static void put_refused(struct buf *out, const struct state *s)
{
	char when[WALL_TEXT];
	const char *between = "";
	int64_t all = 0;

	if (s->refused[BATCH_NEWER] > 0)
		buf_printf(out, "  newer      %" PRId64 " batches were of a newer program, and wait, or waited, "
			   "for a newer collector\n", s->refused[BATCH_NEWER]);
	for (int i = BATCH_OK + 1; i < BATCH_REFUSALS; i++)
		all += i != BATCH_NEWER ? s->refused[i] : 0;
	if (all == 0)
		return;
	buf_printf(out, "  refused    %" PRId64 " batches: ", all);
	for (int i = BATCH_OK + 1; i < BATCH_REFUSALS; i++) {
		if (s->refused[i] == 0 || i == BATCH_NEWER)
			continue;
		buf_printf(out, "%s%" PRId64 " %s", between, s->refused[i],
			   batch_refusal_name((enum batch_refusal)i));
		between = ", ";
	}
	if (s->refused_at.ns != 0)
		buf_printf(out, "; the last %s, %s: %s", wall_format_short(s->refused_at, when),
			   s->refused_why, s->refused_text);
	buf_char(out, '\n');
}

static void put_measures(struct buf *out, const struct state *s)
{
	if (s->health[0] == '\0' && s->address[0] == '\0')
		return;
	buf_printf(out, "  measures   as %s", s->address[0] != '\0' ? s->address : "?");
	if (s->egress[0] != '\0')
		buf_printf(out, " in %s", s->egress);
	if (s->transit[0] != '\0')
		buf_printf(out, " behind %s", s->transit);
	if (s->health[0] != '\0')
		buf_printf(out, "; %s", s->health);
	if (s->references_asked > 0)
		buf_printf(out, ", %" PRId64 " of %" PRId64 " reference hosts answered",
			   s->references_answered, s->references_asked);
	buf_char(out, '\n');
}

static void put_state(struct buf *out, const struct state *s)
{
	char when[WALL_TEXT];

	if (s->stamp.ns == 0)
		return;
	if (s->wrong[0] != '\0') {
		buf_printf(out, "  its word   cannot be read: %s\n", s->wrong);
		return;
	}
	buf_printf(out, "  program    %s; clock %+.3f s of the broker's\n", s->tool,
		   (double)state_clock_offset(s) / 1e9);
	buf_printf(out, "  spool      %" PRId64 " rounds wait, ", s->spool_rounds);
	put_bytes(out, s->spool_bytes);
	buf_str(out, " of ");
	put_bytes(out, s->spool_bytes_max);
	if (s->spool_rounds > 0 && s->oldest.ns != 0)
		buf_printf(out, ", the oldest of %s", wall_format_short(s->oldest, when));
	if (s->lost_traces > 0 || s->lost_rounds > 0)
		buf_printf(out, "; LOST for want of room: %" PRId64 " traces, %" PRId64 " rounds",
			   s->lost_traces, s->lost_rounds);
	buf_printf(out, "\n  batches    %" PRId64 " cut, %" PRId64 " confirmed", s->cut, s->confirmed);
	if (s->last_batch_at.ns != 0)
		buf_printf(out, "; the centre took the last one of %s",
			   wall_format_short(s->last_batch_at, when));
	buf_char(out, '\n');
	put_measures(out, s);
	if (s->asn_built[0] != '\0' || s->country_built[0] != '\0')
		buf_printf(out, "  databases  networks of %s, countries of %s\n",
			   s->asn_built[0] != '\0' ? s->asn_built : "none",
			   s->country_built[0] != '\0' ? s->country_built : "none");
	for (unsigned i = 0; i < s->plans_count; i++) {
		const struct state_plan *p = &s->plans[i];

		buf_printf(out, "  plan       %s: %s, revision %" PRId64 "%s%s\n", p->campaign, p->state,
			   p->revision, p->reason[0] != '\0' ? ": " : "", p->reason);
	}
	if (s->denied > 0)
		buf_printf(out, "  denied     %" PRId64 " times, it says\n", s->denied);
	if (s->last_error[0] != '\0')
		buf_printf(out, "  its words  %s\n", s->last_error);
}

/* Results wait at the broker and in the spools, while it is away or has no store. */
static void put_centre(struct buf *out, const struct fleet_report *r)
{
	const struct state_collect *c = &r->states.collect;
	char when[WALL_TEXT];

	if (c->stamp.ns == 0) {
		buf_printf(out, "centre: %s; no collector was ever heard\n", r->centre);
		return;
	}
	buf_printf(out, "centre: %s; a collector%s%s%s was last heard ", r->centre,
		   c->tool[0] != '\0' ? " (" : "", c->tool, c->tool[0] != '\0' ? ")" : "");
	duration_put(out, r->now.ns > c->stamp.ns ? (double)(r->now.ns - c->stamp.ns) / 1e9 : 0);
	buf_str(out, " ago");
	if (c->wrong[0] != '\0')
		buf_printf(out, "; its word cannot be read: %s", c->wrong);
	else if (c->store_answers)
		buf_printf(out, "; its store (%s) answer%s", c->store,
			   strcmp(r->centre, "silent") == 0 ? "ed" : "s");
	else
		buf_printf(out, "; its store (%s) does not answer: %s", c->store, c->why);
	if (c->since.ns != 0)
		buf_printf(out, "; the fleet's since %s", wall_format_short(c->since, when));
	buf_char(out, '\n');
}

static void put_key(struct buf *out, const struct fleet_report *r, const struct turned_key *t)
{
	const struct roster_key *k = roster_of_key(&r->view.roster, t->nkey);
	const char *role = turned_role_of(&r->view.roster, t->nkey);

	if (role != NULL)
		buf_printf(out, "  %s", role);
	else if (k == NULL)
		buf_printf(out, "  %s", t->nkey[0] != '\0' ? t->nkey : "without a key");
	else
		buf_printf(out, "  %s%s", k->name, k->revoked.ns != 0 ? " (a key that was revoked)" : "");
	buf_printf(out, ": %" PRIu64 " failed to authenticate, %" PRIu64 " publishes and %" PRIu64
			" subscriptions denied",
		   t->failures, t->publishes, t->subscriptions);
	if (t->subject[0] != '\0')
		buf_printf(out, " (%s)", t->subject);
	buf_printf(out, "; the last %s from %s\n", t->when, t->address);
}

static void put_turned(struct buf *out, const struct fleet_report *r)
{
	const struct turned *t = &r->turned;
	char when[WALL_TEXT];

	if (!t->asked)
		buf_printf(out, "Who was turned away is not known: %s\n", r->no_servers);
	else if (t->failures == 0)
		buf_str(out, "Nobody was turned away, of the connections that the broker remembers.\n");
	else
		buf_printf(out, "%" PRIu64 " connections were turned away, of those that the broker "
			   "remembers; the last %s from %s, which called itself \"%s\"\n",
			   t->failures, wall_format_short(t->last, when), t->address, t->name);
	if (!t->logged)
		buf_str(out, "By which keys, and what was denied to whom, is in the broker's log alone: "
			"--log FILE\n");
	else if (t->keys_count == 0)
		buf_str(out, "The broker's log has nobody who was turned away or denied.\n");
	else
		buf_str(out, "In the broker's log:\n");
	for (unsigned i = 0; i < t->keys_count; i++)
		put_key(out, r, &t->keys[i]);
}

static void put_vantage(struct buf *out, const struct fleet_report *r,
			const struct status_vantage *v)
{
	put_head(out, r, v);
	if (v->key->revoked.ns != 0)
		return;
	put_where(out, &v->key->where);
	if (v->state == NULL)
		return;
	put_state(out, v->state);
	put_refused(out, v->state);
}

void status_put_text(struct buf *out, const struct fleet_report *r)
{
	char when[WALL_TEXT];

	if (!r->faults && !r->some)
		buf_printf(out, "%u vantage point%s, broker %s, %s\n", r->holding,
			   fleet_s(r->holding), r->view.roster.server,
			   wall_format_short(r->now, when));
	if (r->view.behind)
		buf_str(out, "This copy of the fleet's directory is behind the broker's list, which is "
			"shown: `fleet refresh` brings it here.\n");
	for (unsigned i = 0; i < r->count; i++) {
		if (!r->faults || status_has_fault(&r->vantages[i]))
			put_vantage(out, r, &r->vantages[i]);
	}
	if (r->some)
		return;
	if (!r->faults || status_centre_has_fault(r))
		put_centre(out, r);
	if (!r->faults)
		put_turned(out, r);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_words_json(struct json_writer *w, unsigned amiss)
{
	json_begin_array(w, "amiss");
	for (const struct word *one = status_words; one->word != NULL; one++) {
		if ((amiss & (unsigned)one->value) != 0)
			json_put_str(w, NULL, one->word);
	}
	json_end(w);
}

static void put_agent_json(struct json_writer *w, const struct state *s)
{
	jsonl_put_text(w, "tool", s->tool);
	json_put_decimal(w, "clock_offset_ms", state_clock_offset(s) / NS_PER_US, 3);
	json_begin_object(w, "spool");
	json_put_int(w, "rounds", s->spool_rounds);
	json_put_int(w, "traces", s->spool_traces);
	json_put_int(w, "bytes", s->spool_bytes);
	json_put_int(w, "bytes_max", s->spool_bytes_max);
	jsonl_put_wall(w, "oldest", s->oldest);
	json_put_int(w, "lost_traces", s->lost_traces);
	json_put_int(w, "lost_rounds", s->lost_rounds);
	json_end(w);
	json_begin_object(w, "batches");
	json_put_int(w, "cut", s->cut);
	json_put_int(w, "confirmed", s->confirmed);
	json_end(w);
	jsonl_put_text(w, "health", s->health);
	json_put_int(w, "reference_asked", s->references_asked);
	json_put_int(w, "reference_answered", s->references_answered);
	jsonl_put_text(w, "address", s->address);
	jsonl_put_text(w, "egress", s->egress);
	jsonl_put_text(w, "transit", s->transit);
	jsonl_put_text(w, "asn_built", s->asn_built);
	jsonl_put_text(w, "country_built", s->country_built);
	json_begin_array(w, "plans");
	for (unsigned i = 0; i < s->plans_count; i++) {
		json_begin_object(w, NULL);
		json_put_str(w, "campaign", s->plans[i].campaign);
		json_put_str(w, "state", s->plans[i].state);
		json_put_int(w, "revision", s->plans[i].revision);
		jsonl_put_nonzero(w, "running", s->plans[i].running);
		jsonl_put_text(w, "reason", s->plans[i].reason);
		json_end(w);
	}
	json_end(w);
	json_put_int(w, "denied", s->denied);
	jsonl_put_text(w, "unreadable", s->wrong);
	jsonl_put_text(w, "last_error", s->last_error);
}

static void put_centre_json(struct json_writer *w, const struct state *s)
{
	jsonl_put_wall(w, "last_batch_at", s->last_batch_at);
	json_begin_object(w, "refused");
	for (int i = BATCH_OK + 1; i < BATCH_REFUSALS; i++)
		json_put_int(w, batch_refusal_name((enum batch_refusal)i), s->refused[i]);
	json_end(w);
	if (s->refused_at.ns == 0)
		return;
	json_begin_object(w, "last_refusal");
	jsonl_put_wall(w, "at", s->refused_at);
	json_put_str(w, "why", s->refused_why);
	json_put_str(w, "text", s->refused_text);
	json_end(w);
}

static void put_log_json(struct json_writer *w, const char *key, const struct fleet_report *r,
			 const struct turned_key *t)
{
	const struct roster_key *k = roster_of_key(&r->view.roster, t->nkey);

	json_begin_object(w, key);
	jsonl_put_text(w, "nkey", t->nkey);
	if (turned_role_of(&r->view.roster, t->nkey) != NULL)
		json_put_str(w, "role", turned_role_of(&r->view.roster, t->nkey));
	if (k != NULL) {
		json_put_str(w, "vantage", k->name);
		json_put_bool(w, "revoked", k->revoked.ns != 0);
	}
	json_put_int(w, "authentication_failures", (int64_t)t->failures);
	json_put_int(w, "publishes_denied", (int64_t)t->publishes);
	json_put_int(w, "subscriptions_denied", (int64_t)t->subscriptions);
	jsonl_put_text(w, "subject", t->subject);
	jsonl_put_text(w, "address", t->address);
	jsonl_put_text(w, "when", t->when);
	json_end(w);
}

static void put_vantage_json(struct buf *out, const struct fleet_report *r,
			     const struct status_vantage *v)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "vantage");
	json_put_str(&w, "vantage", v->key->name);
	put_words_json(&w, v->amiss);
	jsonl_put_wall(&w, "revoked", v->key->revoked);
	roster_put_where(&w, &v->key->where, "address_told");
	if (v->state != NULL)
		jsonl_put_wall(&w, "seen", v->state->stamp);
	if (r->turned.asked) {
		json_put_int(&w, "connections", v->open);
		jsonl_put_text(&w, "connected_from", v->address);
		jsonl_put_text(&w, "connected_also_from", v->other);
	}
	if (v->state != NULL && v->state->stamp.ns != 0)
		put_agent_json(&w, v->state);
	if (v->state != NULL && v->state->centre_known)
		put_centre_json(&w, v->state);
	json_end(&w);
	buf_char(out, '\n');
}

static void put_collect_json(struct buf *out, const struct fleet_report *r)
{
	const struct state_collect *c = &r->states.collect;
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "centre");
	json_begin_array(&w, "amiss");
	if (status_centre_has_fault(r))
		json_put_str(&w, NULL, r->centre);
	json_end(&w);
	if (c->stamp.ns != 0) {
		jsonl_put_wall(&w, "seen", c->stamp);
		jsonl_put_text(&w, "tool", c->tool);
		jsonl_put_text(&w, "store", c->store);
		jsonl_put_wall(&w, "since", c->since);
		json_put_bool(&w, "store_answers", c->store_answers);
		jsonl_put_text(&w, "why", c->why);
	}
	json_end(&w);
	buf_char(out, '\n');
}

static void put_broker_json(struct buf *out, const struct fleet_report *r)
{
	const struct turned *t = &r->turned;
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "broker");
	json_put_str(&w, "server", r->view.roster.server);
	jsonl_put_wall(&w, "now", r->now);
	if (r->view.behind)
		json_put_str(&w, "directory", "behind");
	if (t->asked) {
		json_put_int(&w, "authentication_failures", (int64_t)t->failures);
		jsonl_put_wall(&w, "last_failure", t->last);
		jsonl_put_text(&w, "from", t->address);
		jsonl_put_text(&w, "called_itself", t->name);
	} else {
		json_put_str(&w, "not_asked", r->no_servers);
	}
	if (t->logged) {
		json_begin_array(&w, "log");
		for (unsigned i = 0; i < t->keys_count; i++)
			put_log_json(&w, NULL, r, &t->keys[i]);
		json_end(&w);
	}
	json_end(&w);
	buf_char(out, '\n');
}

void status_put_json(struct buf *out, const struct fleet_report *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (!r->faults || status_has_fault(&r->vantages[i]))
			put_vantage_json(out, r, &r->vantages[i]);
	}
	if (r->some)
		return;
	if (!r->faults || status_centre_has_fault(r))
		put_collect_json(out, r);
	if (!r->faults)
		put_broker_json(out, r);
}
