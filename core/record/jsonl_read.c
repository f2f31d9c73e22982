// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the native record: one line, parsed by jansson (the only file that includes it), checked
 * field by field. The first wrong field ends the reading and is named by its path. Fields that are
 * not ours are not looked at: they stay in the line that the record keeps.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/jsonl.h"
#include "core/record/jsonl_write.h"

/* Where the reading stands, for messages; rc is sticky: after a failure nothing more is read. */
enum { PATH_DEPTH = 8, NAMES_MAX = 65536 };
struct input {
	struct bp_error *err;
	int rc;
	unsigned depth;
	struct { const char *key; size_t index; } path[PATH_DEPTH];
};

/* key NULL: an array's element. */
static void enter(struct input *in, const char *key, size_t index)
{
	if (in->depth < PATH_DEPTH) {
		in->path[in->depth].key = key;
		in->path[in->depth].index = index;
	}
	in->depth++;
}

static void leave(struct input *in)
{
	in->depth--;
}

static void refuse(struct input *in, int code, const char *key, const char *expected)
{
	char path[200], word[64];
	size_t used = 0;

	if (in->rc < 0)
		return;
	path[0] = '\0';
	for (unsigned i = 0; i < in->depth && i < PATH_DEPTH && used < sizeof(path); i++) {
		if (in->path[i].key == NULL) {
			used += (size_t)snprintf(path + used, sizeof(path) - used, "[%zu]",
						 in->path[i].index);
			continue;
		}
		text_set(word, sizeof(word), in->path[i].key);
		used += (size_t)snprintf(path + used, sizeof(path) - used, "%s%s", i ? "." : "",
					 word);
	}
	text_set(word, sizeof(word), key ? key : "");
	in->rc = bp_fail(in->err, code, "%s%s%s%s%s", path, path[0] && word[0] ? "." : "", word,
			 path[0] || word[0] ? ": " : "", expected);
}

/* NULL when there is none, when it is null, or when the reading has failed. */
static const json_t *member(const struct input *in, const json_t *object, const char *key)
{
	const json_t *v = in->rc < 0 ? NULL : json_object_get(object, key);

	return v == NULL || json_is_null(v) ? NULL : v;
}

static const json_t *member_object(struct input *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_object(v)) {
		refuse(in, BP_EPARSE, key, "expected an object");
		return NULL;
	}
	return v;
}

static const json_t *member_array(struct input *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_array(v)) {
		refuse(in, BP_EPARSE, key, "expected an array");
		return NULL;
	}
	return v;
}

/* Integers may be written 5 or 5.0. Leaves *out alone when there is none. */
static bool get_int(struct input *in, const json_t *object, const char *key, int64_t min,
		    int64_t max, int64_t *out)
{
	const json_t *v = member(in, object, key);
	char expected[80];
	double d;

	if (v == NULL)
		return false;
	if (json_is_integer(v)) {
		int64_t i = json_integer_value(v);

		if (i >= min && i <= max) {
			*out = i;
			return true;
		}
	} else if (json_is_real(v)) {
		d = json_real_value(v);
		/* Above 2^53 a double is no exact integer any more. */
		if (d >= (double)min && d <= (double)max && fabs(d) <= 9007199254740992.0 &&
		    d == floor(d)) {
			*out = (int64_t)d;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "expected an integer from %lld to %lld",
		 (long long)min, (long long)max);
	refuse(in, json_is_number(v) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

#define GET_INT(in, object, key, min, max, field) \
	do { \
		int64_t value_; \
		if (get_int(in, object, key, min, max, &value_)) \
			(field) = (__typeof__(field))value_; \
	} while (0)

static bool get_real(struct input *in, const json_t *object, const char *key, double min,
		     double max, double *out)
{
	const json_t *v = member(in, object, key);
	char expected[80];
	double d;

	if (v == NULL)
		return false;
	d = json_number_value(v);
	if (json_is_number(v) && d >= min && d <= max) {
		*out = d;
		return true;
	}
	snprintf(expected, sizeof(expected), "expected a number from %g to %g", min, max);
	refuse(in, json_is_number(v) ? BP_ERANGE : BP_EPARSE, key, expected);
	return false;
}

static bool get_bool(struct input *in, const json_t *object, const char *key, bool *out)
{
	const json_t *v = member(in, object, key);

	if (v == NULL)
		return false;
	if (!json_is_boolean(v)) {
		refuse(in, BP_EPARSE, key, "expected true or false");
		return false;
	}
	*out = json_is_true(v);
	return true;
}

static const json_t *member_string(struct input *in, const json_t *object, const char *key)
{
	const json_t *v = member(in, object, key);

	if (v != NULL && !json_is_string(v)) {
		refuse(in, BP_EPARSE, key, "expected a string");
		return NULL;
	}
	if (v != NULL && strlen(json_string_value(v)) != json_string_length(v)) {
		refuse(in, BP_EPARSE, key, "expected text without a NUL");
		return NULL;
	}
	return v;
}

/* A text of the measurement itself: cutting it would lose data, so too long is refused. */
static void get_text(struct input *in, const json_t *object, const char *key, char *out,
		     size_t size)
{
	const json_t *v = member_string(in, object, key);
	char expected[80];

	if (v == NULL)
		return;
	if (json_string_length(v) >= size) {
		snprintf(expected, sizeof(expected), "expected at most %zu bytes of text",
			 size - 1);
		refuse(in, BP_ERANGE, key, expected);
		return;
	}
	text_copy(out, size, json_string_value(v), json_string_length(v));
}

/* A text of a later pass, which can be made again: cut to what there is room for. */
static void get_text_cut(struct input *in, const json_t *object, const char *key, char *out,
			 size_t size)
{
	const json_t *v = member_string(in, object, key);

	if (v != NULL)
		text_copy(out, size, json_string_value(v), json_string_length(v));
}

static void get_word(struct input *in, const json_t *object, const char *key,
		     const struct word *table, uint8_t *out)
{
	const json_t *v = member_string(in, object, key);
	char expected[200] = "expected one of";
	size_t used = strlen(expected);
	int value;

	if (v == NULL)
		return;
	if (word_value(table, json_string_value(v), &value) == 0) {
		*out = (uint8_t)value;
		return;
	}
	for (; table->word != NULL && used < sizeof(expected); table++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, " %s",
					 table->word);
	refuse(in, BP_EPARSE, key, expected);
}

static void get_addr(struct input *in, const json_t *object, const char *key, struct addr *out)
{
	const json_t *v = member_string(in, object, key);

	if (v != NULL && addr_parse(json_string_value(v), out) < 0)
		refuse(in, BP_EPARSE, key, "expected an IPv4 or IPv6 address");
}

static void get_wall(struct input *in, const json_t *object, const char *key, struct wall *out)
{
	const json_t *v = member_string(in, object, key);
	const char *text = v ? json_string_value(v) : NULL;

	if (v == NULL)
		return;
	/* wall_parse knows "2h ago" and "now" too: not in a record. */
	if (strlen(text) < 10 || text[4] != '-' || wall_parse(text, *out, out) < 0)
		refuse(in, BP_EPARSE, key, "expected an RFC 3339 time");
}

/* Beyond this, double precision no longer tells nanoseconds apart; 11 days. */
#define NS_EXACT 1e15

static void get_ns(struct input *in, const json_t *object, const char *key, double ns_per_unit,
		   double min, int64_t *out)
{
	double d;

	if (get_real(in, object, key, min, NS_EXACT / ns_per_unit, &d))
		*out = llround(d * ns_per_unit);
}

static void read_tcp_flags(struct input *in, const json_t *object, int16_t *out)
{
	const json_t *v = member_string(in, object, "tcp_flags");
	int flags = 0;

	if (v == NULL)
		return;
	for (const char *s = json_string_value(v); *s != '\0'; s++) {
		const char *at = strchr(JSONL_TCP_LETTERS, *s);

		if (at == NULL) {
			refuse(in, BP_EPARSE, "tcp_flags",
			       "expected letters of " JSONL_TCP_LETTERS);
			return;
		}
		flags |= 1 << (at - JSONL_TCP_LETTERS);
	}
	*out = (int16_t)flags;
}

static void read_mpls(struct input *in, const json_t *object, struct reply *r)
{
	const json_t *list = member_array(in, object, "mpls"), *v;
	size_t i;

	if (list == NULL)
		return;
	if (json_array_size(list) > TRACE_MPLS_MAX) {
		refuse(in, BP_ERANGE, "mpls", "expected at most 8 labels");
		return;
	}
	enter(in, "mpls", 0);
	json_array_foreach(list, i, v) {
		struct mpls *m = &r->mpls[i];

		enter(in, NULL, i);
		if (!json_is_object(v))
			refuse(in, BP_EPARSE, NULL, "expected an object");
		GET_INT(in, v, "label", 0, 0xfffff, m->label);
		GET_INT(in, v, "exp", 0, 7, m->exp);
		GET_INT(in, v, "s", 0, 1, m->s);
		GET_INT(in, v, "ttl", 0, 255, m->ttl);
		leave(in);
	}
	leave(in);
	r->mpls_count = (uint8_t)json_array_size(list);
}

static void read_iface(struct input *in, const json_t *object, struct iface *f)
{
	const json_t *v = member_object(in, object, "iface");

	if (v == NULL)
		return;
	enter(in, "iface", 0);
	get_word(in, v, "role", iface_role_words, &f->role);
	GET_INT(in, v, "index", 0, UINT32_MAX, f->index);
	get_addr(in, v, "addr", &f->addr);
	GET_INT(in, v, "mtu", 0, UINT32_MAX, f->mtu);
	get_text(in, v, "name", f->name, sizeof(f->name));
	leave(in);
}

static void read_flags(struct input *in, const json_t *object, uint16_t *out)
{
	const json_t *list = member_array(in, object, "flags"), *v;
	size_t i;
	int value;

	if (list == NULL)
		return;
	enter(in, "flags", 0);
	json_array_foreach(list, i, v) {
		if (!json_is_string(v)) {
			enter(in, NULL, i);
			refuse(in, BP_EPARSE, NULL, "expected a string");
			leave(in);
		} else if (word_value(reply_flag_words, json_string_value(v), &value) == 0) {
			*out |= (uint16_t)value;
		}
		/* A flag we do not know is a later version's remark: it stays in the line. */
	}
	leave(in);
}

static void read_reply(struct input *in, const json_t *object, struct reply *r)
{
	get_ns(in, object, "rtt_ms", 1e6, 0, &r->rtt_ns);
	GET_INT(in, object, "icmp_type", 0, 255, r->icmp_type);
	GET_INT(in, object, "icmp_code", 0, 255, r->icmp_code);
	read_tcp_flags(in, object, &r->tcp_flags);
	GET_INT(in, object, "reply_ttl", 0, 255, r->reply_ttl);
	GET_INT(in, object, "quoted_ttl", 0, 255, r->quoted_ttl);
	GET_INT(in, object, "size", 0, INT32_MAX, r->size);
	GET_INT(in, object, "ip_id", 0, 65535, r->ip_id);
	GET_INT(in, object, "mtu", 0, INT32_MAX, r->mtu);
	read_mpls(in, object, r);
	read_iface(in, object, &r->iface);
}

static void read_probe(struct input *in, const json_t *object, size_t index, uint8_t ttl,
		       struct trace_entry *e)
{
	uint8_t why = WHY_NONE;

	/* Without a number, the order of writing is the order of asking. */
	trace_entry_init(e, ttl, (uint8_t)(index < 255 ? index + 1 : 255));
	if (!json_is_object(object)) {
		refuse(in, BP_EPARSE, NULL, "expected an object");
		return;
	}
	GET_INT(in, object, "attempt", 1, 255, e->attempt);
	get_ns(in, object, "tx_us", 1e3, -NS_EXACT / 1e3, &e->tx_ns);
	get_addr(in, object, "from", &e->reply.from);
	get_word(in, object, "why", why_words, &why);
	read_flags(in, object, &e->reply.flags);
	if (!addr_is_set(e->reply.from)) {
		e->why = why == WHY_NONE ? WHY_TIMEOUT : why;
		return;
	}
	if (why != WHY_NONE)
		refuse(in, BP_EPARSE, "why", "expected none, for there is an answer");
	e->why = WHY_NONE;
	read_reply(in, object, &e->reply);
}

/* How many probes all hops have, or 0 with in->rc set when they are not what they should be. */
static size_t count_probes(struct input *in, const json_t *hops)
{
	size_t i, count = 0;
	const json_t *hop;

	enter(in, "hops", 0);
	json_array_foreach(hops, i, hop) {
		enter(in, NULL, i);
		if (!json_is_object(hop))
			refuse(in, BP_EPARSE, NULL, "expected an object");
		else
			count += json_array_size(member_array(in, hop, "probes"));
		leave(in);
	}
	if (count > TRACE_MAX_ENTRIES)
		refuse(in, BP_ERANGE, NULL, "expected at most 65535 probes");
	leave(in);
	return in->rc < 0 ? 0 : count;
}

static void read_hops(struct input *in, const json_t *hops, struct trace *t)
{
	const json_t *hop, *probe;
	size_t i, k;

	enter(in, "hops", 0);
	json_array_foreach(hops, i, hop) {
		const json_t *probes = member_array(in, hop, "probes");
		uint8_t ttl = 0;

		enter(in, NULL, i);
		GET_INT(in, hop, "ttl", 1, 255, ttl);
		if (ttl == 0)
			refuse(in, BP_EPARSE, "ttl", "expected an integer from 1 to 255");
		enter(in, "probes", 0);
		json_array_foreach(probes, k, probe) {
			if (in->rc < 0)
				break;
			enter(in, NULL, k);
			read_probe(in, probe, k, ttl, &t->entries[t->entry_count++]);
			leave(in);
		}
		leave(in);
		leave(in);
		if (in->rc < 0)
			break;
	}
	leave(in);
}

static void read_head(struct input *in, const json_t *o, struct trace *t)
{
	get_text(in, o, "id", t->id, sizeof(t->id));
	get_text(in, o, "campaign", t->campaign, sizeof(t->campaign));
	get_text(in, o, "round", t->round, sizeof(t->round));
	get_text(in, o, "vantage", t->vantage, sizeof(t->vantage));
	get_text(in, o, "target", t->target, sizeof(t->target));
	get_text(in, o, "tool", t->tool, sizeof(t->tool));
	get_text(in, o, "ifname", t->ifname, sizeof(t->ifname));
	get_text(in, o, "error", t->error, sizeof(t->error));
	get_addr(in, o, "src", &t->src);
	get_addr(in, o, "dst", &t->dst);
	get_word(in, o, "method", method_words, &t->method);
	get_word(in, o, "stop", stop_words, &t->stop);
	get_word(in, o, "reach", reach_words, &t->reach);
	get_word(in, o, "reached_by", reached_by_words, &t->reached_by);
	get_word(in, o, "stamps", stamps_words, &t->stamps);
	GET_INT(in, o, "first_ttl", 0, 255, t->first_ttl);
	GET_INT(in, o, "max_ttl", 0, 255, t->max_ttl);
	GET_INT(in, o, "attempts", 0, 255, t->attempts);
	GET_INT(in, o, "gap_limit", 0, 255, t->gap_limit);
	GET_INT(in, o, "sport", 0, 65535, t->sport);
	GET_INT(in, o, "dport", 0, 65535, t->dport);
	GET_INT(in, o, "flow", 0, INT32_MAX, t->flow);
	GET_INT(in, o, "size", 0, INT32_MAX, t->probe_size);
	GET_INT(in, o, "wait_ms", 0, INT64_MAX, t->wait_ms);
	GET_INT(in, o, "rate_pps", 0, INT64_MAX, t->rate_pps);
	get_wall(in, o, "start", &t->start);
	get_wall(in, o, "end", &t->end);
	GET_INT(in, o, "sent", 0, INT64_MAX, t->sent);
	GET_INT(in, o, "received", 0, INT64_MAX, t->received);
	GET_INT(in, o, "drops", 0, INT64_MAX, t->drops);
}

static void read_counts(struct input *in, const json_t *o, struct trace *t)
{
	const json_t *clock = member_object(in, o, "clock");
	const json_t *refused = member_object(in, o, "refused");

	if (clock != NULL) {
		enter(in, "clock", 0);
		t->clock_known = get_bool(in, clock, "stepped", &t->clock_stepped);
		leave(in);
	}
	if (refused != NULL) {
		t->refused_known = true;
		enter(in, "refused", 0);
		GET_INT(in, refused, "foreign", 0, UINT32_MAX, t->refused.foreign);
		GET_INT(in, refused, "bad_token", 0, UINT32_MAX, t->refused.bad_token);
		GET_INT(in, refused, "malformed", 0, UINT32_MAX, t->refused.malformed);
		GET_INT(in, refused, "late", 0, UINT32_MAX, t->refused.late);
		GET_INT(in, refused, "duplicate", 0, UINT32_MAX, t->refused.duplicate);
		leave(in);
	}
}

static void read_trace(struct input *in, const json_t *o, struct record *out)
{
	const json_t *hops = member_array(in, o, "hops");
	size_t count = hops ? count_probes(in, hops) : 0;
	struct trace *t;

	if (in->rc < 0)
		return;
	t = trace_new((uint32_t)count);
	if (t == NULL) {
		in->rc = bp_fail(in->err, BP_ENOMEM, "out of memory");
		return;
	}
	out->trace = t;
	read_head(in, o, t);
	read_counts(in, o, t);
	if (hops != NULL)
		read_hops(in, hops, t);
	trace_sort(t);
	t->size = (uint32_t)trace_size(t->entry_count);
	if (in->rc == 0 && trace_validate(t, t->size) < 0)
		refuse(in, BP_EPARSE, NULL, "the fields contradict each other");
}

static void read_names(struct input *in, const json_t *o, struct names *names)
{
	const json_t *object = member_object(in, o, "names"), *v;
	const char *key;
	struct addr a;

	if (object == NULL)
		return;
	if (json_object_size(object) > NAMES_MAX) {
		refuse(in, BP_ERANGE, "names", "expected at most 65536 addresses");
		return;
	}
	enter(in, "names", 0);
	/* jansson iterates without changing the object, though its macro wants it writable. */
	json_object_foreach((json_t *)(uintptr_t)object, key, v) {
		struct name *n;

		if (in->rc < 0)
			break;
		if (addr_parse(key, &a) < 0) {
			refuse(in, BP_EPARSE, key, "expected an IPv4 or IPv6 address as the key");
			break;
		}
		if (!json_is_object(v)) {
			refuse(in, BP_EPARSE, key, "expected an object");
			break;
		}
		n = names_put(names, a);
		if (n == NULL) {
			in->rc = bp_fail(in->err, BP_ENOMEM, "out of memory");
			break;
		}
		enter(in, key, 0);
		GET_INT(in, v, "asn", 0, UINT32_MAX, n->asn);
		get_word(in, v, "source", name_source_words, &n->source);
		get_text_cut(in, v, "org", n->org, sizeof(n->org));
		get_text_cut(in, v, "country", n->country, sizeof(n->country));
		get_text_cut(in, v, "overlay_country", n->overlay_country,
			     sizeof(n->overlay_country));
		get_text_cut(in, v, "label", n->label, sizeof(n->label));
		get_text_cut(in, v, "host", n->host, sizeof(n->host));
		leave(in);
	}
	leave(in);
}

static void read_geo(struct input *in, const json_t *o, struct geo_source *g)
{
	const json_t *v = member_object(in, o, "geo");

	if (v == NULL)
		return;
	enter(in, "geo", 0);
	get_text_cut(in, v, "asn_db", g->asn_db, sizeof(g->asn_db));
	get_text_cut(in, v, "asn_built", g->asn_built, sizeof(g->asn_built));
	get_text_cut(in, v, "asn_sha256", g->asn_sha256, sizeof(g->asn_sha256));
	get_text_cut(in, v, "country_db", g->country_db, sizeof(g->country_db));
	get_text_cut(in, v, "country_built", g->country_built, sizeof(g->country_built));
	get_text_cut(in, v, "country_sha256", g->country_sha256, sizeof(g->country_sha256));
	leave(in);
}

static void read_place(struct input *in, const json_t *o, const char *key, uint8_t *ttl,
		       struct addr *from)
{
	const json_t *v = member_object(in, o, key);

	if (v == NULL)
		return;
	enter(in, key, 0);
	GET_INT(in, v, "ttl", 0, 255, *ttl);
	get_addr(in, v, "from", from);
	leave(in);
}

static void read_shares(struct input *in, const json_t *o, struct verdict *v)
{
	const json_t *p = member_object(in, o, "p"), *share;
	const char *key;

	if (p == NULL)
		return;
	if (json_object_size(p) > VERDICT_BORDERS_MAX + 1) {
		refuse(in, BP_ERANGE, "p", "expected at most 17 shares");
		return;
	}
	enter(in, "p", 0);
	json_object_foreach((json_t *)(uintptr_t)p, key, share) {
		struct verdict_share *s = &v->p[v->p_count];

		/* Cut or cleaned ids could become the same: then the shares would be a riddle. */
		if (!text_set(s->id, sizeof(s->id), key) || strcmp(s->id, key) != 0)
			refuse(in, BP_EPARSE, key, "expected the id of a border as the key");
		if (get_real(in, p, key, 0, 1, &s->p))
			v->p_count++;
	}
	leave(in);
}

static void read_evidence(struct input *in, const json_t *o, struct verdict *v)
{
	const json_t *list = member_array(in, o, "evidence"), *item;
	size_t i;

	if (list == NULL)
		return;
	if (json_array_size(list) > VERDICT_EVIDENCE_MAX) {
		refuse(in, BP_ERANGE, "evidence", "expected at most 64 entries");
		return;
	}
	enter(in, "evidence", 0);
	json_array_foreach(list, i, item) {
		struct verdict_evidence *e = &v->evidence[i];

		enter(in, NULL, i);
		if (!json_is_object(item))
			refuse(in, BP_EPARSE, NULL, "expected an object");
		get_text_cut(in, item, "rule", e->rule, sizeof(e->rule));
		GET_INT(in, item, "ttl", 0, 255, e->ttl);
		get_addr(in, item, "from", &e->from);
		get_text_cut(in, item, "says", e->says, sizeof(e->says));
		get_real(in, item, "weight", -1e6, 1e6, &e->weight);
		get_text_cut(in, item, "why", e->why, sizeof(e->why));
		leave(in);
	}
	leave(in);
	v->evidence_count = (uint8_t)json_array_size(list);
}

static void read_verdict(struct input *in, const json_t *top, struct verdict *v)
{
	const json_t *o = member_object(in, top, "verdict"), *via;

	if (o == NULL)
		return;
	v->judged = true;
	enter(in, "verdict", 0);
	get_text_cut(in, o, "profile", v->profile, sizeof(v->profile));
	get_text_cut(in, o, "profile_version", v->profile_version, sizeof(v->profile_version));
	get_word(in, o, "outcome", outcome_words, &v->outcome);
	get_text_cut(in, o, "border", v->border, sizeof(v->border));
	via = member_object(in, o, "via");
	if (via != NULL) {
		enter(in, "via", 0);
		GET_INT(in, via, "asn", 0, UINT32_MAX, v->via_asn);
		get_text_cut(in, via, "org", v->via_org, sizeof(v->via_org));
		get_word(in, via, "basis", via_basis_words, &v->via_basis);
		leave(in);
	}
	get_word(in, o, "class", path_class_words, &v->class);
	get_real(in, o, "confidence", 0, 1, &v->confidence);
	read_shares(in, o, v);
	get_text_cut(in, o, "rule", v->rule, sizeof(v->rule));
	read_place(in, o, "last_outside", &v->last_outside_ttl, &v->last_outside);
	read_place(in, o, "first_inside", &v->first_inside_ttl, &v->first_inside);
	read_evidence(in, o, v);
	leave(in);
}

/* Parses; numbers that fit no int64 (a hash of somebody's) are no reason to refuse a line. */
static json_t *parse(const char *line, size_t n, struct bp_error *err)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	const char *nul = memchr(line, '\0', n);
	char text[JSON_ERROR_TEXT_LENGTH];
	json_error_t e;
	json_t *dom;

	/* jansson 2.14 swallows a NUL behind a number. */
	if (nul != NULL) {
		bp_fail(err, BP_EPARSE, "not JSON at column %zu: a NUL byte",
			(size_t)(nul - line) + 1);
		return NULL;
	}
	dom = json_loadb(line, n, flags, &e);
	if (dom == NULL && json_error_code(&e) == json_error_numeric_overflow)
		dom = json_loadb(line, n, flags | JSON_DECODE_INT_AS_REAL, &e);
	if (dom != NULL)
		return dom;
	if (json_error_code(&e) == json_error_out_of_memory) {
		bp_fail(err, BP_ENOMEM, "out of memory");
		return NULL;
	}
	text_set(text, sizeof(text), e.text);
	bp_fail(err, json_error_code(&e) == json_error_premature_end_of_input ? BP_ETRUNC : BP_EPARSE,
		"not JSON at column %d: %s", e.column, text);
	return NULL;
}

static const struct word kind_words[] = {
	{"trace", RECORD_TRACE}, {"paths", RECORD_PATHS}, {"round", RECORD_ROUND},
	{"event", RECORD_EVENT}, {"report", RECORD_REPORT}, {"diff", RECORD_DIFF}, {NULL, 0}};

static void read_record(struct input *in, const json_t *dom, struct record *r)
{
	int64_t version = JSONL_VERSION;
	const json_t *type = json_object_get(dom, "type");
	char text[80];
	int kind;

	if (!json_is_string(type)) {
		refuse(in, BP_EFOREIGN, NULL, "JSON, but no record of ours: it has no \"type\"");
		return;
	}
	if (word_value(kind_words, json_string_value(type), &kind) == 0)
		r->kind = (enum record_kind)kind;
	if (r->kind != RECORD_TRACE)
		return;
	if (get_int(in, dom, "version", 1, INT32_MAX, &version) && version > JSONL_VERSION) {
		snprintf(text, sizeof(text), "this program knows records up to version %d",
			 JSONL_VERSION);
		refuse(in, BP_EUNSUP, "version", text);
		return;
	}
	read_trace(in, dom, r);
	read_names(in, dom, &r->names);
	read_geo(in, dom, &r->names.geo);
	read_verdict(in, dom, &r->verdict);
}

void record_init(struct record *r)
{
	memset(r, 0, sizeof(*r));
	names_init(&r->names);
}

void record_fini(struct record *r)
{
	free(r->trace);
	free(r->line);
	names_fini(&r->names);
	json_decref(r->dom);
	record_init(r);
}

int jsonl_read(const char *line, size_t n, struct record *out, struct bp_error *err)
{
	struct bp_error own = {0};
	struct input in = {.err = err ? err : &own};
	json_t *dom;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	dom = parse(line, n, in.err);
	if (dom == NULL)
		return in.err->code;
	out->line = malloc(n + 1);
	if (out->line == NULL) {
		in.rc = bp_fail(in.err, BP_ENOMEM, "out of memory");
		goto out;
	}
	memcpy(out->line, line, n);
	out->line[n] = '\0';
	out->line_size = n;
	if (!json_is_object(dom))
		refuse(&in, BP_EFOREIGN, NULL, "JSON, but no record of ours: not an object");
	else
		read_record(&in, dom, out);
	/* A trace needs no DOM any more: what is not ours stays in the line. */
	if (in.rc == 0 && out->kind != RECORD_TRACE) {
		out->dom = dom;
		dom = NULL;
	}
out:
	json_decref(dom);
	if (in.rc < 0)
		record_fini(out);
	return in.rc;
}
