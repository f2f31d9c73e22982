// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads {"type":"round"}: every field checked, the first wrong one named. What is not ours stays in
 * the line that the record keeps.
 */

#include "core/record/jsonl.h"
#include "core/record/jsonl_fields.h"
#include "core/record/jsonl_passes.h"
#include "core/record/jsonl_write.h"
#include "core/record/round.h"

static void read_health(struct fields *in, const struct json_node *o, struct round *r)
{
	const struct json_node *health = field_object(in, o, "health");

	if (health == NULL)
		return;
	field_enter(in, "health", 0);
	field_word(in, health, "state", round_health_words, &r->health);
	FIELD_INT(in, health, "reference_asked", 0, UINT16_MAX, r->reference_asked);
	FIELD_INT(in, health, "reference_answered", 0, UINT16_MAX, r->reference_answered);
	if (r->reference_answered > r->reference_asked)
		field_refuse(in, BP_EPARSE, "reference_answered",
			     "expected no more than were asked");
	field_leave(in);
}

static void read_changed(struct fields *in, const struct json_node *identity, uint8_t *out)
{
	const struct json_node *list = field_array(in, identity, "changed"), *v;
	size_t i;
	int value;

	field_enter(in, "changed", 0);
	NODE_EACH(list, i, v)
	{
		/* A word we do not know is a later version's remark: it stays in the line. */
		if (node_is(v, NODE_STRING)) {
			if (word_value(round_changed_words, node_text(v), &value) == 0)
				*out |= (uint8_t)value;
			continue;
		}
		field_enter(in, NULL, i);
		field_refuse(in, BP_EPARSE, NULL, "expected a string");
		field_leave(in);
	}
	field_leave(in);
}

static void read_identity(struct fields *in, const struct json_node *o, struct round *r)
{
	const struct json_node *identity = field_object(in, o, "identity"), *network;

	if (identity == NULL)
		return;
	field_enter(in, "identity", 0);
	field_addr(in, identity, "source", &r->source);
	field_addr(in, identity, "public_addr", &r->public_addr);
	network = field_object(in, identity, "egress");
	if (network != NULL) {
		field_enter(in, "egress", 0);
		FIELD_INT(in, network, "asn", 0, UINT32_MAX, r->egress_asn);
		field_text_cut(in, network, "org", r->egress_org, sizeof(r->egress_org));
		field_leave(in);
	}
	network = field_object(in, identity, "transit");
	if (network != NULL) {
		field_enter(in, "transit", 0);
		FIELD_INT(in, network, "asn", 0, UINT32_MAX, r->transit_asn);
		field_text_cut(in, network, "org", r->transit_org, sizeof(r->transit_org));
		field_addr(in, network, "from", &r->transit);
		field_leave(in);
	}
	read_changed(in, identity, &r->changed);
	field_leave(in);
}

static void read_substitutes(struct fields *in, const struct json_node *o, struct round *r)
{
	const struct json_node *list = field_array(in, o, "substitutes"), *v;
	size_t i;

	if (list == NULL)
		return;
	if (list->count > ROUND_SUBSTITUTES_MAX) {
		field_refuse(in, BP_ERANGE, "substitutes", "expected at most 16");
		return;
	}
	field_enter(in, "substitutes", 0);
	NODE_EACH(list, i, v)
	{
		struct round_substitute *s = &r->substitutes[i];

		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		field_text_cut(in, v, "target", s->target, sizeof(s->target));
		field_addr(in, v, "from", &s->from);
		field_addr(in, v, "to", &s->to);
		field_text_cut(in, v, "host", s->host, sizeof(s->host));
		FIELD_INT(in, v, "silent", 0, UINT32_MAX, s->silent);
		field_leave(in);
	}
	field_leave(in);
	r->substitute_count = (uint8_t)list->count;
}

static void read_silences(struct fields *in, const struct json_node *o, struct round *r)
{
	const struct json_node *list = field_array(in, o, "silent"), *v;
	size_t i;

	if (list == NULL)
		return;
	if (list->count > ROUND_SUBSTITUTES_MAX) {
		field_refuse(in, BP_ERANGE, "silent", "expected at most 16");
		return;
	}
	field_enter(in, "silent", 0);
	NODE_EACH(list, i, v)
	{
		struct round_silence *s = &r->silences[i];

		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		field_text_cut(in, v, "target", s->target, sizeof(s->target));
		FIELD_INT(in, v, "rounds", 0, UINT32_MAX, s->rounds);
		FIELD_INT(in, v, "ask_at", 0, UINT32_MAX, s->ask_at);
		field_leave(in);
	}
	field_leave(in);
	r->silence_count = (uint8_t)list->count;
}

static void read_counts(struct fields *in, const struct json_node *o, struct round *r)
{
	const struct json_node *clock = field_object(in, o, "clock");

	FIELD_INT(in, o, "expected", 0, UINT32_MAX, r->expected);
	FIELD_INT(in, o, "done", 0, UINT32_MAX, r->done);
	FIELD_INT(in, o, "traces", 0, UINT32_MAX, r->traces);
	FIELD_INT(in, o, "missed", 0, UINT32_MAX, r->missed);
	FIELD_INT(in, o, "sent", 0, INT64_MAX, r->sent);
	FIELD_INT(in, o, "received", 0, INT64_MAX, r->received);
	FIELD_INT(in, o, "drops", 0, INT64_MAX, r->drops);
	if (clock != NULL) {
		field_enter(in, "clock", 0);
		field_bool(in, clock, "stepped", &r->clock_stepped);
		field_leave(in);
	}
}

void jsonl_read_round(struct fields *in, const struct json_node *o, struct round *r)
{
	round_init(r);
	field_text(in, o, "id", r->id, sizeof(r->id));
	field_text(in, o, "campaign", r->campaign, sizeof(r->campaign));
	field_text(in, o, "vantage", r->vantage, sizeof(r->vantage));
	field_wall(in, o, "planned", &r->planned);
	FIELD_INT(in, o, "every_ms", 0, INT64_MAX / NS_PER_MS, r->every_ns);
	r->every_ns *= NS_PER_MS;
	FIELD_INT(in, o, "slots", 0, INT64_MAX, r->slots);
	field_bool(in, o, "look", &r->look);
	field_wall(in, o, "start", &r->start);
	field_wall(in, o, "end", &r->end);
	read_counts(in, o, r);
	field_word(in, o, "why", round_why_words, &r->why);
	field_text_cut(in, o, "note", r->note, sizeof(r->note));
	read_health(in, o, r);
	read_identity(in, o, r);
	read_substitutes(in, o, r);
	read_silences(in, o, r);
}

int round_read(const struct record *rec, struct round *out, struct bp_error *err)
{
	struct bp_error own = {0};
	struct fields in = {.err = err ? err : &own};
	int64_t version = JSONL_VERSION;
	struct round r;

	if (rec->kind != RECORD_ROUND || rec->dom == NULL)
		return bp_fail(err, BP_EINVAL, "no round: a record of another kind");
	if (field_int(&in, rec->dom, "version", 1, INT32_MAX, &version) && version > JSONL_VERSION)
		field_refuse(&in, BP_EUNSUP, "version", "a round of a newer program");
	jsonl_read_round(&in, rec->dom, &r);
	if (r.planned.ns == 0)
		field_refuse(&in, BP_EPARSE, "planned", "expected a time: a round has its moment");
	if ((uint64_t)r.done + r.missed != r.expected)
		field_refuse(&in, BP_EPARSE, "expected", "expected the sum of done and missed");
	if (in.rc == 0)
		*out = r;
	return in.rc;
}
