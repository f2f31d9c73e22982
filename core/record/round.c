// SPDX-License-Identifier: BSD-2-Clause
/* A round of a campaign: its name, its words, and its line of the native record. Reads nothing. */
#include "core/record/round.h"

#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/record/jsonl_write.h"

const struct word round_why_words[] = {{"down", ROUND_WHY_DOWN},
				       {"overrun", ROUND_WHY_OVERRUN},
				       {"clock_step", ROUND_WHY_CLOCK_STEP},
				       {"no_route", ROUND_WHY_NO_ROUTE},
				       {"vantage_offline", ROUND_WHY_OFFLINE},
				       {"prober", ROUND_WHY_PROBER},
				       {"stopped", ROUND_WHY_STOPPED},
				       {"spool_full", ROUND_WHY_SPOOL},
				       {"no_targets", ROUND_WHY_TARGETS},
				       {NULL, 0}};

const struct word round_health_words[] = {{"ok", ROUND_HEALTH_OK},
					  {"partial", ROUND_HEALTH_PARTIAL},
					  {"offline", ROUND_HEALTH_OFFLINE},
					  {"unknown", ROUND_HEALTH_UNKNOWN},
					  {NULL, 0}};

const struct word round_changed_words[] = {{"address", ROUND_CHANGED_ADDRESS},
					   {"egress", ROUND_CHANGED_EGRESS},
					   {"transit", ROUND_CHANGED_TRANSIT},
					   {NULL, 0}};

void round_init(struct round *r)
{
	memset(r, 0, sizeof(*r));
	r->drops = -1;
}

/* FNV-1a, 32 bits, of the text and its terminator. */
static uint32_t hash_text(uint32_t h, const char *text)
{
	do {
		h = (h ^ (uint8_t)*text) * 16777619u;
	} while (*text++ != '\0');
	return h;
}

/* '-' parts the names of an id, so it becomes '_', and so does whatever an id may not have. Returns
 * whether the name can be told from it still: nothing but '-' became '_'. */
static bool keep_plain(char *text)
{
	bool told = true;

	for (; *text != '\0'; text++) {
		char c = *text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    c == '.')
			continue;
		told &= c == '-';
		*text = '_';
	}
	return told;
}

/* 20261122T100000Z: what stands in RFC 3339, without its signs and its fraction; of a closer look,
 * which is on no grid, 20261122T100000.250Z. */
static void put_moment(char out[static 21], struct wall t, bool fraction)
{
	static const uint8_t places[] = {0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18};
	char text[WALL_TEXT];

	wall_format(t, text);
	for (unsigned i = 0; i < sizeof(places); i++)
		*out++ = text[places[i]];
	if (fraction) {
		memcpy(out, text + strlen("2026-11-22T10:00:00"), 4);
		out += 4;
	}
	*out++ = 'Z';
	*out = '\0';
}

void round_set_id(struct round *r)
{
	char campaign[TRACE_CAMPAIGN_TEXT], vantage[TRACE_VANTAGE_TEXT], moment[21];
	char whole[sizeof(campaign) + sizeof(vantage) + sizeof(moment)];
	/* So that with the hash and the moment it is no longer than an id may be. */
	int cut = r->look ? 16 : 18;
	bool told;

	text_set(campaign, sizeof(campaign), r->campaign);
	text_set(vantage, sizeof(vantage), r->vantage);
	told = keep_plain(campaign);
	told &= keep_plain(vantage);
	put_moment(moment, r->planned, r->look);
	snprintf(whole, sizeof(whole), "%s-%s-%s", campaign, vantage, moment);
	/* What is left of names may be equal where the whole ones are not: their hash is not. */
	if (!told || strlen(whole) >= sizeof(r->id))
		snprintf(whole, sizeof(whole), "%.*s-%.*s-%08x-%s", cut, campaign, cut, vantage,
			 (unsigned)hash_text(hash_text(2166136261u, r->campaign), r->vantage),
			 moment);
	text_set(r->id, sizeof(r->id), whole);
}

static void put_health(struct json_writer *w, const struct round *r)
{
	if (r->health == ROUND_HEALTH_UNKNOWN && r->reference_asked == 0)
		return;
	json_begin_object(w, "health");
	json_put_str(w, "state", word_of(round_health_words, r->health));
	json_put_int(w, "reference_asked", r->reference_asked);
	json_put_int(w, "reference_answered", r->reference_answered);
	json_end(w);
}

static void put_network(struct json_writer *w, const char *key, uint32_t asn, const char *org,
			struct addr from)
{
	if (asn == 0 && org[0] == '\0' && !addr_is_set(from))
		return;
	json_begin_object(w, key);
	jsonl_put_nonzero(w, "asn", asn);
	jsonl_put_text(w, "org", org);
	jsonl_put_addr(w, "from", from);
	json_end(w);
}

static void put_identity(struct json_writer *w, const struct round *r)
{
	const struct addr nobody = {0};

	if (!addr_is_set(r->source) && !addr_is_set(r->public_addr) && r->egress_asn == 0 &&
	    r->egress_org[0] == '\0' && r->transit_asn == 0 && r->transit_org[0] == '\0' &&
	    !addr_is_set(r->transit) && r->changed == 0)
		return;
	json_begin_object(w, "identity");
	jsonl_put_addr(w, "source", r->source);
	jsonl_put_addr(w, "public_addr", r->public_addr);
	put_network(w, "egress", r->egress_asn, r->egress_org, nobody);
	put_network(w, "transit", r->transit_asn, r->transit_org, r->transit);
	if (r->changed != 0) {
		json_begin_array(w, "changed");
		for (const struct word *c = round_changed_words; c->word != NULL; c++) {
			if (r->changed & c->value)
				json_put_str(w, NULL, c->word);
		}
		json_end(w);
	}
	json_end(w);
}

static void put_substitutes(struct json_writer *w, const struct round *r)
{
	if (r->substitute_count == 0)
		return;
	json_begin_array(w, "substitutes");
	for (unsigned i = 0; i < r->substitute_count; i++) {
		const struct round_substitute *s = &r->substitutes[i];

		json_begin_object(w, NULL);
		jsonl_put_text(w, "target", s->target);
		jsonl_put_addr(w, "from", s->from);
		jsonl_put_addr(w, "to", s->to);
		jsonl_put_text(w, "host", s->host);
		jsonl_put_nonzero(w, "silent", s->silent);
		json_end(w);
	}
	json_end(w);
}

static void put_silences(struct json_writer *w, const struct round *r)
{
	if (r->silence_count == 0)
		return;
	json_begin_array(w, "silent");
	for (unsigned i = 0; i < r->silence_count; i++) {
		const struct round_silence *s = &r->silences[i];

		json_begin_object(w, NULL);
		jsonl_put_text(w, "target", s->target);
		json_put_int(w, "rounds", s->rounds);
		json_put_int(w, "ask_at", s->ask_at);
		json_end(w);
	}
	json_end(w);
}

void round_write_json(struct buf *out, const struct round *r)
{
	bool began = r->start.ns != 0;
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "round");
	json_put_int(&w, "version", JSONL_VERSION);
	jsonl_put_text(&w, "id", r->id);
	jsonl_put_text(&w, "campaign", r->campaign);
	jsonl_put_text(&w, "vantage", r->vantage);
	jsonl_put_wall(&w, "planned", r->planned);
	jsonl_put_nonzero(&w, "every_ms", r->every_ns / NS_PER_MS);
	jsonl_put_nonzero(&w, "slots", (int64_t)r->slots);
	if (r->look)
		json_put_bool(&w, "look", true);
	jsonl_put_wall(&w, "start", r->start);
	jsonl_put_wall(&w, "end", r->end);
	json_put_int(&w, "expected", r->expected);
	json_put_int(&w, "done", r->done);
	json_put_int(&w, "traces", r->traces);
	json_put_int(&w, "missed", r->missed);
	jsonl_put_word(&w, "why", round_why_words, r->why);
	jsonl_put_text(&w, "note", r->note);
	put_health(&w, r);
	put_identity(&w, r);
	put_substitutes(&w, r);
	put_silences(&w, r);
	/* Of a round that never began there is nothing to count. */
	if (began || r->sent != 0 || r->received != 0) {
		json_put_int(&w, "sent", (int64_t)r->sent);
		json_put_int(&w, "received", (int64_t)r->received);
	}
	if (r->drops >= 0)
		json_put_int(&w, "drops", r->drops);
	if (began || r->clock_stepped) {
		json_begin_object(&w, "clock");
		json_put_bool(&w, "stepped", r->clock_stepped);
		json_end(&w);
	}
	json_end(&w);
	buf_char(out, '\n');
}
