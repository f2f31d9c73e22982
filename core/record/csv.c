// SPDX-License-Identifier: BSD-2-Clause
/* Writes the flat tables: one function a table, its cells in the order of its columns. */
#include "core/record/csv.h"

#include <inttypes.h>
#include <string.h>

#include "core/json.h"
#include "core/record/flat.h"
#include "core/record/format.h"
#include "core/record/round.h"

const char *const csv_trace_columns[] = {
	"trace_id", "campaign", "round_id", "vantage", "start_utc", "end_utc", "af", "src", "dst",
	"prefix", "target", "method", "dport", "flow", "attempts", "sent", "received", "stop",
	"reach", "outcome", "border", "class", "confidence", "via_asn", "rule", "last_outside_ttl",
	"last_outside_addr", "first_inside_ttl", "first_inside_addr", "rtt_min_ms",
	"rtt_median_ms", "hops", "path_hash", "as_path", "stamps", "tool", "profile_version",
	"asn_sha256", "country_sha256", "judged_at", NULL};

const char *const csv_hop_columns[] = {
	"trace_id", "ttl", "attempt", "from", "rtt_ms", "icmp_type", "icmp_code", "reply_ttl",
	"quoted_ttl", "mpls", "asn", "org", "country", "label", NULL};

const char *const csv_round_columns[] = {
	"round_id", "campaign", "vantage", "planned_utc", "start_utc", "end_utc", "planned", "done",
	"missed", "why", "traces", "health", "reference_asked", "reference_answered", "source",
	"public_addr", "egress_asn", "transit_asn", "changed", "note", "look", NULL};

static void put_header(struct buf *out, const char *const *columns)
{
	for (unsigned i = 0; columns[i] != NULL; i++) {
		if (i > 0)
			buf_char(out, ',');
		buf_str(out, columns[i]);
	}
	buf_char(out, '\n');
}

/* A row: every put_ adds one cell, empty when the value is not known. */
struct row {
	struct buf *out;
	bool begun;
};

static void next_cell(struct row *r)
{
	if (r->begun)
		buf_char(r->out, ',');
	r->begun = true;
}

static void end_row(struct row *r)
{
	buf_char(r->out, '\n');
	r->begun = false;
}

/* RFC 4180, 2.5 to 2.7: quotes where a comma, a quote or a line's end is inside; quotes doubled. */
static void put_text(struct row *r, const char *text)
{
	next_cell(r);
	if (text[strcspn(text, ",\"\r\n")] == '\0') {
		buf_str(r->out, text);
		return;
	}
	buf_char(r->out, '"');
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == '"')
			buf_char(r->out, '"');
		buf_char(r->out, *s);
	}
	buf_char(r->out, '"');
}

/* Negative: not known. */
static void put_int(struct row *r, int64_t value)
{
	next_cell(r);
	if (value >= 0)
		buf_printf(r->out, "%" PRId64, value);
}

/* 0: not known. */
static void put_nonzero(struct row *r, int64_t value)
{
	put_int(r, value ? value : -1);
}

/* Value 0 of the enum: not known. */
static void put_word(struct row *r, const struct word *table, int value)
{
	put_text(r, value ? word_of(table, value) : "");
}

static void put_addr(struct row *r, struct addr a)
{
	char text[ADDR_TEXT];

	put_text(r, addr_is_set(a) ? addr_format(a, text) : "");
}

static void put_wall(struct row *r, struct wall t)
{
	char text[WALL_TEXT];

	put_text(r, t.ns ? wall_format(t, text) : "");
}

static void put_ms(struct row *r, int64_t ns)
{
	struct json_writer w;

	next_cell(r);
	json_start(&w, r->out);
	if (ns >= 0)
		json_put_decimal(&w, NULL, ns, 6);
}

static void put_prefix(struct row *r, struct prefix p)
{
	char text[PREFIX_TEXT];

	put_text(r, addr_is_set(p.addr) ? prefix_format(p, text) : "");
}

/* outcome .. first_inside_addr: ten cells, empty where nobody judged. */
static void put_verdict(struct row *r, const struct verdict *v)
{
	static const struct verdict none;
	struct json_writer w;
	bool judged = v->judged;

	if (!judged)
		v = &none;
	put_text(r, judged ? word_of(outcome_words, v->outcome) : "");
	put_text(r, v->border);
	put_word(r, path_class_words, v->class);
	next_cell(r);
	json_start(&w, r->out);
	if (judged)
		json_put_real(&w, NULL, v->confidence);
	put_nonzero(r, v->via_asn);
	put_text(r, v->rule);
	put_nonzero(r, v->last_outside_ttl);
	put_addr(r, v->last_outside);
	put_nonzero(r, v->first_inside_ttl);
	put_addr(r, v->first_inside);
}

static void put_trace(struct row *r, const struct trace *t, const struct names *names,
		      const struct verdict *v)
{
	char hash[FLAT_HASH_TEXT], as_path[FLAT_AS_PATH_TEXT];
	struct flat_trace f;

	flat_trace(t, names, &f);
	put_text(r, t->id);
	put_text(r, t->campaign);
	put_text(r, t->round);
	put_text(r, t->vantage);
	put_wall(r, t->start);
	put_wall(r, t->end);
	put_nonzero(r, t->dst.family);
	put_addr(r, t->src);
	put_addr(r, t->dst);
	put_prefix(r, f.prefix);
	put_text(r, t->target);
	put_word(r, method_words, t->method);
	put_int(r, t->dport);
	put_int(r, t->flow);
	put_nonzero(r, t->attempts);
	put_int(r, t->sent);
	put_int(r, t->received);
	put_word(r, stop_words, t->stop);
	put_word(r, reach_words, t->reach);
	put_verdict(r, v);
	put_ms(r, f.rtt_min_ns);
	put_ms(r, f.rtt_median_ns);
	put_nonzero(r, f.hops);
	put_text(r, f.path_hash ? flat_hash_text(f.path_hash, hash) : "");
	put_text(r, flat_as_path_text(&f, as_path));
	put_word(r, stamps_words, t->stamps);
	put_text(r, t->tool);
	put_text(r, v->judged ? v->profile_version : "");
	put_text(r, names->geo.asn_sha256);
	put_text(r, names->geo.country_sha256);
	put_wall(r, v->judged ? v->judged_at : (struct wall){0});
	end_row(r);
}

static int write_trace(struct buf *out, const struct record *rec, const struct names *names,
		       const struct verdict *verdict)
{
	struct row r = {.out = out};

	if (rec->kind != RECORD_TRACE)
		return BP_EFOREIGN;
	put_trace(&r, rec->trace, names ? names : &rec->names, verdict ? verdict : &rec->verdict);
	return out->failed ? BP_ENOMEM : 0;
}

/* "LABEL/EXP/S/TTL", top of the stack first, spaces between. */
static void put_mpls(struct row *r, const struct reply *p)
{
	next_cell(r);
	for (unsigned i = 0; i < p->mpls_count; i++)
		buf_printf(r->out, "%s%" PRIu32 "/%u/%u/%u", i ? " " : "", p->mpls[i].label,
			   p->mpls[i].exp, p->mpls[i].s, p->mpls[i].ttl);
}

static void put_hop(struct row *r, const struct trace *t, const struct trace_entry *e,
		    const struct names *names)
{
	static const struct name nobody;
	const struct name *n = names_find(names, e->reply.from);

	if (n == NULL || !addr_is_set(e->reply.from))
		n = &nobody;
	put_text(r, t->id);
	put_int(r, e->ttl);
	put_int(r, e->attempt);
	put_addr(r, e->reply.from);
	put_ms(r, e->reply.rtt_ns);
	put_int(r, e->reply.icmp_type);
	put_int(r, e->reply.icmp_code);
	put_int(r, e->reply.reply_ttl);
	put_int(r, e->reply.quoted_ttl);
	put_mpls(r, &e->reply);
	put_nonzero(r, n->asn);
	put_text(r, n->org);
	put_text(r, n->country);
	put_text(r, n->label);
	end_row(r);
}

static int write_hops(struct buf *out, const struct record *rec, const struct names *names,
		      const struct verdict *verdict)
{
	struct row r = {.out = out};

	(void)verdict;
	if (rec->kind != RECORD_TRACE)
		return BP_EFOREIGN;
	for (uint32_t i = 0; i < rec->trace->entry_count; i++)
		put_hop(&r, rec->trace, &rec->trace->entries[i], names ? names : &rec->names);
	return out->failed ? BP_ENOMEM : 0;
}

static void put_changed(struct row *r, unsigned changed)
{
	bool begun = false;

	next_cell(r);
	for (const struct word *w = round_changed_words; w->word != NULL; w++) {
		if (!(changed & (unsigned)w->value))
			continue;
		buf_printf(r->out, "%s%s", begun ? " " : "", w->word);
		begun = true;
	}
}

static void put_round(struct row *r, const struct round *v)
{
	put_text(r, v->id);
	put_text(r, v->campaign);
	put_text(r, v->vantage);
	put_wall(r, v->planned);
	put_wall(r, v->start);
	put_wall(r, v->end);
	put_int(r, v->expected);
	put_int(r, v->done);
	put_int(r, v->missed);
	put_word(r, round_why_words, v->why);
	put_int(r, v->traces);
	put_word(r, round_health_words, v->health);
	put_int(r, v->reference_asked);
	put_int(r, v->reference_answered);
	put_addr(r, v->source);
	put_addr(r, v->public_addr);
	put_nonzero(r, v->egress_asn);
	put_nonzero(r, v->transit_asn);
	put_changed(r, v->changed);
	put_text(r, v->note);
	put_int(r, v->look);
	end_row(r);
}

static int write_round(struct buf *out, const struct record *rec, const struct names *names,
		       const struct verdict *verdict)
{
	struct row r = {.out = out};
	struct round round;
	int rc;

	(void)names, (void)verdict;
	if (rec->kind != RECORD_ROUND)
		return BP_EFOREIGN;
	rc = round_read(rec, &round, NULL);
	if (rc < 0)
		return rc == BP_ENOMEM ? rc : BP_EPARSE;
	put_round(&r, &round);
	return out->failed ? BP_ENOMEM : 0;
}

static void begin_traces(struct buf *out)
{
	put_header(out, csv_trace_columns);
}

static void begin_hops(struct buf *out)
{
	put_header(out, csv_hop_columns);
}

static void begin_rounds(struct buf *out)
{
	put_header(out, csv_round_columns);
}

const struct format csv_format = {
	.name = "csv",
	.says = "a table, one row a trace",
	.begin = begin_traces,
	.write = write_trace,
};
const struct format csv_hops_format = {
	.name = "csv-hops",
	.says = "a table, one row a probe",
	.begin = begin_hops,
	.write = write_hops,
};
const struct format csv_rounds_format = {
	.name = "csv-rounds",
	.says = "a table, one row a round of a campaign",
	.begin = begin_rounds,
	.write = write_round,
};
