// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes the native record, JSON Lines: field names and order are those of the interface. What is
 * not known is left out, never written as -1 or "". Reads nothing, needs no JSON library.
 */
#include "core/record/jsonl_write.h"

#include <string.h>

#include "core/json.h"
#include "core/record/jsonl.h"

void jsonl_put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_str(w, key, text);
}

void jsonl_put_addr(struct json_writer *w, const char *key, struct addr a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		json_put_str(w, key, addr_format(a, text));
}

void jsonl_put_wall(struct json_writer *w, const char *key, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns != 0)
		json_put_str(w, key, wall_format(t, text));
}

/* -1 (any negative) is "not known" in the trace. */
static void put_known(struct json_writer *w, const char *key, int64_t value)
{
	if (value >= 0)
		json_put_int(w, key, value);
}

void jsonl_put_nonzero(struct json_writer *w, const char *key, int64_t value)
{
	if (value != 0)
		json_put_int(w, key, value);
}

void jsonl_put_word(struct json_writer *w, const char *key, const struct word *table, int value)
{
	if (value != 0)
		json_put_str(w, key, word_of(table, value));
}

static const char *tcp_flags(int flags, char out[static sizeof(JSONL_TCP_LETTERS)])
{
	char *at = out;

	for (unsigned bit = 0; bit < sizeof(JSONL_TCP_LETTERS) - 1; bit++) {
		if (flags & (1 << bit))
			*at++ = JSONL_TCP_LETTERS[bit];
	}
	*at = '\0';
	return out;
}

static void put_mpls(struct json_writer *w, const struct reply *r)
{
	if (r->mpls_count == 0)
		return;
	json_begin_array(w, "mpls");
	for (unsigned i = 0; i < r->mpls_count; i++) {
		json_begin_object(w, NULL);
		json_put_int(w, "label", r->mpls[i].label);
		json_put_int(w, "exp", r->mpls[i].exp);
		json_put_int(w, "s", r->mpls[i].s);
		json_put_int(w, "ttl", r->mpls[i].ttl);
		json_end(w);
	}
	json_end(w);
}

static void put_iface(struct json_writer *w, const struct iface *f)
{
	if (f->role == IFACE_NONE)
		return;
	json_begin_object(w, "iface");
	json_put_str(w, "role", word_of(iface_role_words, f->role));
	jsonl_put_nonzero(w, "index", f->index);
	jsonl_put_addr(w, "addr", f->addr);
	jsonl_put_nonzero(w, "mtu", f->mtu);
	jsonl_put_text(w, "name", f->name);
	json_end(w);
}

static void put_flags(struct json_writer *w, unsigned flags)
{
	json_begin_array(w, "flags");
	for (const struct word *f = reply_flag_words; f->word != NULL; f++) {
		if (flags & (unsigned)f->value)
			json_put_str(w, NULL, f->word);
	}
	json_end(w);
}

static void put_reply(struct json_writer *w, const struct reply *r)
{
	char flags[sizeof(JSONL_TCP_LETTERS)];

	jsonl_put_addr(w, "from", r->from);
	if (r->rtt_ns >= 0)
		json_put_decimal(w, "rtt_ms", r->rtt_ns, 6);
	put_known(w, "icmp_type", r->icmp_type);
	put_known(w, "icmp_code", r->icmp_code);
	if (r->tcp_flags >= 0)
		json_put_str(w, "tcp_flags", tcp_flags(r->tcp_flags, flags));
	put_known(w, "reply_ttl", r->reply_ttl);
	put_known(w, "quoted_ttl", r->quoted_ttl);
	put_known(w, "size", r->size);
	put_known(w, "ip_id", r->ip_id);
	put_known(w, "mtu", r->mtu);
	put_mpls(w, r);
	put_iface(w, &r->iface);
	put_flags(w, r->flags);
}

static void put_probe(struct json_writer *w, const struct trace_entry *e)
{
	json_begin_object(w, NULL);
	json_put_int(w, "attempt", e->attempt);
	if (e->tx_ns != TX_UNKNOWN)
		json_put_decimal(w, "tx_us", e->tx_ns, 3);
	if (addr_is_set(e->reply.from)) {
		put_reply(w, &e->reply);
	} else {
		json_put_null(w, "from");
		jsonl_put_word(w, "why", why_words, e->why);
		if (e->reply.flags != 0)
			put_flags(w, e->reply.flags);
	}
	json_end(w);
}

static void put_hops(struct json_writer *w, const struct trace *t)
{
	json_begin_array(w, "hops");
	for (uint32_t i = 0; i < t->entry_count;) {
		uint8_t ttl = t->entries[i].ttl;

		json_begin_object(w, NULL);
		json_put_int(w, "ttl", ttl);
		json_begin_array(w, "probes");
		for (; i < t->entry_count && t->entries[i].ttl == ttl; i++)
			put_probe(w, &t->entries[i]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static void put_head(struct json_writer *w, const struct trace *t)
{
	json_put_str(w, "type", "trace");
	json_put_int(w, "version", JSONL_VERSION);
	jsonl_put_text(w, "id", t->id);
	jsonl_put_text(w, "campaign", t->campaign);
	jsonl_put_text(w, "round", t->round);
	jsonl_put_text(w, "vantage", t->vantage);
	jsonl_put_addr(w, "src", t->src);
	jsonl_put_addr(w, "dst", t->dst);
	jsonl_put_text(w, "target", t->target);
	jsonl_put_word(w, "method", method_words, t->method);
	put_known(w, "sport", t->sport);
	put_known(w, "dport", t->dport);
	put_known(w, "flow", t->flow);
	jsonl_put_text(w, "ifname", t->ifname);
	jsonl_put_wall(w, "start", t->start);
	jsonl_put_wall(w, "end", t->end);
	jsonl_put_word(w, "stop", stop_words, t->stop);
	jsonl_put_text(w, "error", t->error);
	/* "unknown" is a word of the interface here: always said. */
	json_put_str(w, "reach", word_of(reach_words, t->reach));
	jsonl_put_word(w, "reached_by", reached_by_words, t->reached_by);
	jsonl_put_word(w, "stamps", stamps_words, t->stamps);
	jsonl_put_nonzero(w, "first_ttl", t->first_ttl);
	jsonl_put_nonzero(w, "max_ttl", t->max_ttl);
	jsonl_put_nonzero(w, "attempts", t->attempts);
	jsonl_put_nonzero(w, "gap_limit", t->gap_limit);
	put_known(w, "size", t->probe_size);
	put_known(w, "wait_ms", t->wait_ms);
	put_known(w, "rate_pps", t->rate_pps);
	jsonl_put_text(w, "tool", t->tool);
	jsonl_put_text(w, "inherited_from", t->inherited_from);
	if (t->place_known) {
		json_begin_object(w, "place");
		json_put_real(w, "lat", t->lat);
		json_put_real(w, "lon", t->lon);
		json_end(w);
	}
}

void jsonl_put_refused(struct json_writer *w, const struct refused *r)
{
	json_begin_object(w, "refused");
	json_put_int(w, "foreign", r->foreign);
	json_put_int(w, "bad_token", r->bad_token);
	json_put_int(w, "malformed", r->malformed);
	json_put_int(w, "late", r->late);
	json_put_int(w, "duplicate", r->duplicate);
	json_end(w);
}

void jsonl_put_slowed(struct json_writer *w, uint32_t times, uint32_t pps, uint32_t repeated)
{
	if (times == 0 && pps == 0 && repeated == 0)
		return;
	json_begin_object(w, "slowed");
	json_put_int(w, "times", times);
	jsonl_put_nonzero(w, "pps", pps);
	json_put_int(w, "repeated", repeated);
	json_end(w);
}

static void put_counts(struct json_writer *w, const struct trace *t)
{
	put_known(w, "sent", t->sent);
	put_known(w, "received", t->received);
	put_known(w, "drops", t->drops);
	if (t->clock_known) {
		json_begin_object(w, "clock");
		json_put_bool(w, "stepped", t->clock_stepped);
		json_end(w);
	}
	if (t->refused_known)
		jsonl_put_refused(w, &t->refused);
	jsonl_put_slowed(w, t->slowed_times, t->slowed_pps, t->repeated);
}

void jsonl_put_name(struct json_writer *w, const struct name *n)
{
	jsonl_put_nonzero(w, "asn", n->asn);
	jsonl_put_text(w, "org", n->org);
	jsonl_put_text(w, "country", n->country);
	jsonl_put_text(w, "overlay_country", n->overlay_country);
	jsonl_put_text(w, "label", n->label);
	json_put_str(w, "source", word_of(name_source_words, n->source));
	jsonl_put_text(w, "host", n->host);
}

static void put_names(struct json_writer *w, const struct names *names)
{
	if (names->count == 0)
		return;
	json_begin_object(w, "names");
	for (uint32_t i = 0; i < names->count; i++) {
		char text[ADDR_TEXT];

		json_begin_object(w, addr_format(names->items[i].addr, text));
		jsonl_put_name(w, &names->items[i]);
		json_end(w);
	}
	json_end(w);
}

void jsonl_put_geo(struct json_writer *w, const struct geo_source *g)
{
	if (!geo_source_known(g))
		return;
	json_begin_object(w, "geo");
	jsonl_put_text(w, "asn_db", g->asn_db);
	jsonl_put_text(w, "asn_built", g->asn_built);
	jsonl_put_text(w, "asn_sha256", g->asn_sha256);
	jsonl_put_text(w, "country_db", g->country_db);
	jsonl_put_text(w, "country_built", g->country_built);
	jsonl_put_text(w, "country_sha256", g->country_sha256);
	json_end(w);
}

static void put_place(struct json_writer *w, const char *key, uint8_t ttl, struct addr from)
{
	if (ttl == 0 && !addr_is_set(from))
		return;
	json_begin_object(w, key);
	jsonl_put_nonzero(w, "ttl", ttl);
	jsonl_put_addr(w, "from", from);
	json_end(w);
}

static void put_evidence(struct json_writer *w, const struct verdict *v)
{
	json_begin_array(w, "evidence");
	for (unsigned i = 0; i < v->evidence_count; i++) {
		const struct verdict_evidence *e = &v->evidence[i];

		json_begin_object(w, NULL);
		jsonl_put_text(w, "rule", e->rule);
		jsonl_put_nonzero(w, "ttl", e->ttl);
		jsonl_put_addr(w, "from", e->from);
		jsonl_put_text(w, "says", e->says);
		json_put_real(w, "weight", e->weight);
		jsonl_put_text(w, "why", e->why);
		json_end(w);
	}
	json_end(w);
}

void jsonl_put_verdict(struct json_writer *w, const struct verdict *v)
{
	if (!v->judged)
		return;
	json_begin_object(w, "verdict");
	jsonl_put_text(w, "profile", v->profile);
	jsonl_put_text(w, "profile_version", v->profile_version);
	/* The way back is not seen: a verdict of ours never speaks of another direction. */
	json_put_str(w, "direction", "toward");
	json_put_str(w, "outcome", word_of(outcome_words, v->outcome));
	jsonl_put_text(w, "border", v->border);
	if (v->via_asn != 0 || v->via_org[0] != '\0' || v->via_basis != VIA_NONE) {
		json_begin_object(w, "via");
		jsonl_put_nonzero(w, "asn", v->via_asn);
		jsonl_put_text(w, "org", v->via_org);
		jsonl_put_word(w, "basis", via_basis_words, v->via_basis);
		json_end(w);
	}
	jsonl_put_word(w, "class", path_class_words, v->class);
	json_put_real(w, "confidence", v->confidence);
	json_begin_object(w, "p");
	for (unsigned i = 0; i < v->p_count; i++)
		json_put_real(w, v->p[i].id, v->p[i].p);
	json_end(w);
	jsonl_put_text(w, "rule", v->rule);
	put_place(w, "last_outside", v->last_outside_ttl, v->last_outside);
	put_place(w, "first_inside", v->first_inside_ttl, v->first_inside);
	put_evidence(w, v);
	json_end(w);
}

void jsonl_write_trace(struct buf *out, const struct trace *t, const struct names *names,
		       const struct verdict *verdict)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	put_head(&w, t);
	put_counts(&w, t);
	put_hops(&w, t);
	if (names != NULL) {
		put_names(&w, names);
		jsonl_put_geo(&w, &names->geo);
	}
	if (verdict != NULL)
		jsonl_put_verdict(&w, verdict);
	json_end(&w);
	buf_char(out, '\n');
}
