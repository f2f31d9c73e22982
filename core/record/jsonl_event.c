// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads {"type":"event"}: every field checked, the first wrong one named. What is not ours stays in
 * the line that the record keeps.
 */

#include <stdlib.h>
#include <string.h>

#include "core/record/event.h"
#include "core/record/jsonl.h"
#include "core/record/jsonl_fields.h"
#include "core/record/jsonl_write.h"

static void read_prefix_node(struct fields *in, const struct json_node *v, const char *key,
			     struct prefix *out)
{
	const char *text = node_text(v);

	if (text == NULL || prefix_parse(text, out) != 0)
		field_refuse(in, BP_EPARSE, key, "expected a prefix");
}

/* The elements of an array that may have `max`; NULL: there is none. */
static const struct json_node *list_of(struct fields *in, const struct json_node *o,
				       const char *key, unsigned max)
{
	const struct json_node *list = field_array(in, o, key);

	if (list == NULL || list->count <= max)
		return list;
	field_refuse(in, BP_ERANGE, key, "more than there is room for");
	return NULL;
}

/* Texts into rows of `size` bytes. */
static unsigned read_texts(struct fields *in, const struct json_node *o, const char *key, char *out,
			   size_t size, unsigned max)
{
	const struct json_node *list = list_of(in, o, key, max), *v;
	size_t i;

	if (list == NULL)
		return 0;
	field_enter(in, key, 0);
	NODE_EACH(list, i, v)
	{
		field_enter(in, NULL, i);
		if (!node_is(v, NODE_STRING))
			field_refuse(in, BP_EPARSE, NULL, "expected a string");
		else if (!text_copy(out + i * size, size, v->text, v->n))
			field_refuse(in, BP_ERANGE, NULL, "too long");
		field_leave(in);
	}
	field_leave(in);
	return list->count;
}

static void read_prefixes(struct fields *in, const struct json_node *o, struct event *e)
{
	const struct json_node *list = list_of(in, o, "prefixes", EVENT_PREFIXES_MAX), *v;
	const struct json_node *one = field_string(in, o, "prefix");
	size_t i;

	if (one != NULL)
		read_prefix_node(in, one, "prefix", &e->prefix);
	if (list == NULL)
		return;
	field_enter(in, "prefixes", 0);
	NODE_EACH(list, i, v)
	{
		field_enter(in, NULL, i);
		read_prefix_node(in, v, NULL, &e->prefixes[i]);
		field_leave(in);
	}
	field_leave(in);
	e->prefix_count = list->count;
}

static void read_state(struct fields *in, const struct json_node *o, const char *key,
		       const char *asn, const char *org, struct event_state *s)
{
	field_text_cut(in, o, key, s->what, sizeof(s->what));
	FIELD_INT(in, o, asn, 0, UINT32_MAX, s->asn);
	field_text_cut(in, o, org, s->org, sizeof(s->org));
}

static void read_delay(struct fields *in, const struct json_node *o, struct event *e)
{
	field_ns(in, o, "before_ms", 1e6, 0, &e->before_ns);
	field_ns(in, o, "after_ms", 1e6, 0, &e->after_ns);
	field_ns(in, o, "shift_ms", 1e6, -FIELD_NS_EXACT / 1e6, &e->shift_ns);
	field_ns(in, o, "shift_low_ms", 1e6, -FIELD_NS_EXACT / 1e6, &e->shift_low_ns);
	field_ns(in, o, "shift_high_ms", 1e6, -FIELD_NS_EXACT / 1e6, &e->shift_high_ns);
	field_real(in, o, "p_value", 0, 1, &e->p_value);
	field_word(in, o, "where", event_where_words, &e->where);
	FIELD_INT(in, o, "index", 0, INT64_MAX, e->index);
}

static void read_evidence(struct fields *in, const struct json_node *o, struct event *e)
{
	const struct json_node *list = list_of(in, o, "evidence", EVENT_EVIDENCE_MAX), *v;
	size_t i;

	if (list == NULL)
		return;
	field_enter(in, "evidence", 0);
	NODE_EACH(list, i, v)
	{
		struct event_evidence *x = &e->evidence[i];

		field_enter(in, NULL, i);
		if (!node_is(v, NODE_OBJECT))
			field_refuse(in, BP_EPARSE, NULL, "expected an object");
		field_wall(in, v, "at", &x->at);
		field_text(in, v, "vantage", x->vantage, sizeof(x->vantage));
		field_text(in, v, "trace", x->trace, sizeof(x->trace));
		field_text_cut(in, v, "why", x->why, sizeof(x->why));
		field_leave(in);
	}
	field_leave(in);
	e->evidence_count = list->count;
}

static void read_event(struct fields *in, const struct json_node *o, struct event *e)
{
	field_text(in, o, "id", e->id, sizeof(e->id));
	field_text(in, o, "revises", e->revises, sizeof(e->revises));
	field_text(in, o, "fingerprint", e->fingerprint, sizeof(e->fingerprint));
	field_text(in, o, "profile", e->profile, sizeof(e->profile));
	field_word(in, o, "status", event_status_words, &e->status);
	field_word(in, o, "kind", event_kind_words, &e->kind);
	field_bool(in, o, "withdrawn", &e->withdrawn);
	field_word(in, o, "scope", event_scope_words, &e->scope);
	field_word(in, o, "outage", event_outage_words, &e->outage);
	field_wall(in, o, "at", &e->at);
	field_wall(in, o, "not_before", &e->not_before);
	field_wall(in, o, "not_after", &e->not_after);
	field_wall(in, o, "until", &e->until);
	field_wall(in, o, "seen", &e->seen);
	field_text(in, o, "vantage", e->vantage, sizeof(e->vantage));
	e->vantage_count = read_texts(in, o, "vantages", e->vantages[0], sizeof(e->vantages[0]),
				      EVENT_VANTAGES_MAX);
	FIELD_INT(in, o, "seen_by", 0, UINT32_MAX, e->seen_by);
	FIELD_INT(in, o, "seen_of", 0, UINT32_MAX, e->seen_of);
	FIELD_INT(in, o, "seen_with_reference", 0, UINT32_MAX, e->reference);
	FIELD_INT(in, o, "seen_online", 0, UINT32_MAX, e->online);
	read_prefixes(in, o, e);
	field_addr(in, o, "host", &e->host);
	field_addr(in, o, "last_hop", &e->last_hop);
	field_word(in, o, "method", method_words, &e->method);
	read_state(in, o, "from", "from_asn", "from_org", &e->from);
	read_state(in, o, "to", "to_asn", "to_org", &e->to);
	read_delay(in, o, e);
	field_real(in, o, "confidence", 0, 1, &e->confidence);
	FIELD_INT(in, o, "ttl", 0, UINT8_MAX, e->ttl);
	field_bool(in, o, "networks", &e->networks);
	FIELD_INT(in, o, "changes", 0, UINT32_MAX, e->changes);
	e->coincide_count = read_texts(in, o, "coincides", e->coincides[0],
				       sizeof(e->coincides[0]), EVENT_COINCIDES_MAX);
	field_text_cut(in, o, "summary", e->summary, sizeof(e->summary));
	read_evidence(in, o, e);
}

int event_read(const struct record *rec, struct event *out, struct bp_error *err)
{
	struct bp_error own = {0};
	struct fields in = {.err = err ? err : &own};
	int64_t version = JSONL_VERSION;
	struct event *e;

	if (rec->kind != RECORD_EVENT || rec->dom == NULL)
		return bp_fail(err, BP_EINVAL, "no event: a record of another kind");
	if (field_int(&in, rec->dom, "version", 1, INT32_MAX, &version) && version > JSONL_VERSION)
		field_refuse(&in, BP_EUNSUP, "version", "an event of a newer program");
	/* Some 20 kB: not on the stack of whoever reads. */
	e = malloc(sizeof(*e));
	if (e == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	event_init(e);
	read_event(&in, rec->dom, e);
	if (e->kind == EVENT_UNKNOWN)
		field_refuse(&in, BP_EPARSE, "kind", "expected a kind of event");
	if (e->at.ns == 0)
		field_refuse(&in, BP_EPARSE, "at", "expected a time: an event has its moment");
	if (in.rc == 0)
		*out = *e;
	free(e);
	return in.rc;
}
