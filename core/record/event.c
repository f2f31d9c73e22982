// SPDX-License-Identifier: BSD-2-Clause
/* An event: its words, its names, and its line of the native record. Reads nothing. */
#include "core/record/event.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/record/jsonl_write.h"

const struct word event_kind_words[] = {{"border_switch", EVENT_BORDER_SWITCH},
					{"path_change", EVENT_PATH_CHANGE},
					{"rtt_shift", EVENT_RTT_SHIFT},
					{"return_path_suspected", EVENT_RETURN_PATH},
					{"outage", EVENT_OUTAGE},
					{"recovery", EVENT_RECOVERY},
					{"flapping", EVENT_FLAPPING},
					{NULL, 0}};

const struct word event_status_words[] = {{"provisional", EVENT_PROVISIONAL},
					  {"confirmed", EVENT_CONFIRMED},
					  {"resolved", EVENT_RESOLVED},
					  {NULL, 0}};

const struct word event_scope_words[] = {{"host", EVENT_SCOPE_HOST},
					 {"prefix", EVENT_SCOPE_PREFIX},
					 {"border", EVENT_SCOPE_BORDER},
					 {"network", EVENT_SCOPE_NETWORK},
					 {"vantage", EVENT_SCOPE_VANTAGE},
					 {NULL, 0}};

const struct word event_outage_words[] = {{"destination_silent", EVENT_OUTAGE_SILENT},
					  {"inside", EVENT_OUTAGE_INSIDE},
					  {"cut_at_border", EVENT_OUTAGE_AT_BORDER},
					  {"cut_before_border", EVENT_OUTAGE_BEFORE_BORDER},
					  {"filtered", EVENT_OUTAGE_FILTERED},
					  {"vantage_down", EVENT_OUTAGE_VANTAGE},
					  {"rate_limited", EVENT_OUTAGE_RATE_LIMITED},
					  {NULL, 0}};

const struct word event_where_words[] = {{"inside", EVENT_WHERE_INSIDE},
					 {"border", EVENT_WHERE_BORDER},
					 {"on_the_way", EVENT_WHERE_ON_THE_WAY},
					 {NULL, 0}};

void event_init(struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->before_ns = e->after_ns = -1;
	e->p_value = -1;
	e->index = -1;
}

/* Texts with their terminator, so that "ab" "c" is not "a" "bc". */
static void hash_text(crypto_generichash_state *h, const char *text)
{
	crypto_generichash_update(h, (const unsigned char *)text, strlen(text) + 1);
}

static void hash_addr(crypto_generichash_state *h, struct addr a, uint8_t len)
{
	uint8_t head[2] = {a.family, len};

	crypto_generichash_update(h, head, sizeof(head));
	crypto_generichash_update(h, a.bytes, addr_size(a));
}

static void put_hex(char *out, const uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", bytes[i]);
}

void event_set_fingerprint(struct event *e)
{
	uint8_t kind = e->kind == EVENT_RECOVERY ? EVENT_OUTAGE : e->kind;
	uint8_t digest[(EVENT_FINGERPRINT_TEXT - 1) / 2];
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, sizeof(digest));
	hash_text(&h, e->profile);
	hash_text(&h, word_of(event_kind_words, kind));
	hash_text(&h, word_of(event_scope_words, e->scope));
	hash_addr(&h, e->prefix.addr, e->prefix.len);
	hash_addr(&h, e->host, 0);
	/* What it is about is the vantage point itself, or a border; else neither is looked at. */
	hash_text(&h, e->scope == EVENT_SCOPE_VANTAGE ? e->vantage : "");
	hash_text(&h, e->scope == EVENT_SCOPE_BORDER ? e->from.what : "");
	crypto_generichash_final(&h, digest, sizeof(digest));
	put_hex(e->fingerprint, digest, sizeof(digest));
}

void event_set_id(struct event *e, struct wall first_round, unsigned revision)
{
	uint8_t digest[crypto_generichash_BYTES_MIN];
	char hex[17], moment[24];
	crypto_generichash_state h;

	snprintf(moment, sizeof(moment), "%" PRId64, first_round.ns);
	crypto_generichash_init(&h, NULL, 0, sizeof(digest));
	hash_text(&h, e->fingerprint);
	hash_text(&h, e->from.what);
	hash_text(&h, moment);
	crypto_generichash_final(&h, digest, sizeof(digest));
	put_hex(hex, digest, 8);
	snprintf(e->id, sizeof(e->id), "ev-%s-%u", hex, revision);
}

/* --- its line --------------------------------------------------------------------------------- */

static void put_prefix(struct json_writer *w, const char *key, struct prefix p)
{
	char text[PREFIX_TEXT];

	if (addr_is_set(p.addr))
		json_put_str(w, key, prefix_format(p, text));
}

static void put_state(struct json_writer *w, const char *key, const char *asn, const char *org,
		      const struct event_state *s)
{
	jsonl_put_text(w, key, s->what);
	jsonl_put_nonzero(w, asn, s->asn);
	jsonl_put_text(w, org, s->org);
}

static void put_seen(struct json_writer *w, const struct event *e)
{
	jsonl_put_text(w, "vantage", e->vantage);
	if (e->vantage_count > 0) {
		json_begin_array(w, "vantages");
		for (unsigned i = 0; i < e->vantage_count; i++)
			json_put_str(w, NULL, e->vantages[i]);
		json_end(w);
	}
	json_put_int(w, "seen_by", e->seen_by);
	json_put_int(w, "seen_of", e->seen_of);
	jsonl_put_nonzero(w, "seen_with_reference", e->reference);
	jsonl_put_nonzero(w, "seen_online", e->online);
}

static void put_delay(struct json_writer *w, const struct event *e)
{
	bool both = e->before_ns >= 0 && e->after_ns >= 0;

	if (e->before_ns >= 0)
		json_put_decimal(w, "before_ms", e->before_ns, 6);
	if (e->after_ns >= 0)
		json_put_decimal(w, "after_ms", e->after_ns, 6);
	if (both) {
		json_put_decimal(w, "shift_ms", e->shift_ns, 6);
		json_put_decimal(w, "shift_low_ms", e->shift_low_ns, 6);
		json_put_decimal(w, "shift_high_ms", e->shift_high_ns, 6);
	}
	if (e->p_value >= 0)
		json_put_real(w, "p_value", e->p_value);
	jsonl_put_word(w, "where", event_where_words, e->where);
	if (e->index >= 0)
		json_put_int(w, "index", e->index);
}

static void put_evidence(struct json_writer *w, const struct event *e)
{
	if (e->evidence_count == 0)
		return;
	json_begin_array(w, "evidence");
	for (unsigned i = 0; i < e->evidence_count; i++) {
		const struct event_evidence *v = &e->evidence[i];

		json_begin_object(w, NULL);
		jsonl_put_wall(w, "at", v->at);
		jsonl_put_text(w, "vantage", v->vantage);
		jsonl_put_text(w, "trace", v->trace);
		jsonl_put_text(w, "why", v->why);
		json_end(w);
	}
	json_end(w);
}

/* What only some kinds have. */
static void put_special(struct json_writer *w, const struct event *e)
{
	jsonl_put_nonzero(w, "ttl", e->ttl);
	if (e->kind == EVENT_PATH_CHANGE)
		json_put_bool(w, "networks", e->networks);
	jsonl_put_nonzero(w, "changes", e->changes);
	if (e->coincide_count > 0) {
		json_begin_array(w, "coincides");
		for (unsigned i = 0; i < e->coincide_count; i++)
			json_put_str(w, NULL, e->coincides[i]);
		json_end(w);
	}
	jsonl_put_text(w, "summary", e->summary);
}

static void put_where(struct json_writer *w, const struct event *e)
{
	put_prefix(w, "prefix", e->prefix);
	if (e->prefix_count > 0) {
		json_begin_array(w, "prefixes");
		for (unsigned i = 0; i < e->prefix_count; i++)
			put_prefix(w, NULL, e->prefixes[i]);
		json_end(w);
	}
	jsonl_put_addr(w, "host", e->host);
	jsonl_put_addr(w, "last_hop", e->last_hop);
	jsonl_put_word(w, "method", method_words, e->method);
}

void event_write_json(struct buf *out, const struct event *e)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "event");
	json_put_int(&w, "version", JSONL_VERSION);
	jsonl_put_text(&w, "id", e->id);
	jsonl_put_text(&w, "revises", e->revises);
	jsonl_put_text(&w, "fingerprint", e->fingerprint);
	jsonl_put_text(&w, "profile", e->profile);
	jsonl_put_word(&w, "status", event_status_words, e->status);
	jsonl_put_word(&w, "kind", event_kind_words, e->kind);
	if (e->withdrawn)
		json_put_bool(&w, "withdrawn", true);
	jsonl_put_word(&w, "scope", event_scope_words, e->scope);
	jsonl_put_word(&w, "outage", event_outage_words, e->outage);
	jsonl_put_wall(&w, "at", e->at);
	jsonl_put_wall(&w, "not_before", e->not_before);
	jsonl_put_wall(&w, "not_after", e->not_after);
	jsonl_put_wall(&w, "until", e->until);
	jsonl_put_wall(&w, "seen", e->seen);
	put_seen(&w, e);
	put_where(&w, e);
	put_state(&w, "from", "from_asn", "from_org", &e->from);
	put_state(&w, "to", "to_asn", "to_org", &e->to);
	put_delay(&w, e);
	json_put_real(&w, "confidence", e->confidence);
	put_special(&w, e);
	put_evidence(&w, e);
	json_end(&w);
	buf_char(out, '\n');
}
