// SPDX-License-Identifier: BSD-2-Clause
/* The status of a campaign as one object: what is not known is left out. */
#include <stdlib.h>
#include <string.h>

#include "analysis/report/status.h"
#include "core/json.h"
#include "core/record/jsonl_write.h"

static void put_round(struct json_writer *w, const char *key, const struct round *r)
{
	struct buf line;

	buf_init(&line);
	round_write_json(&line, r);
	/* Without its newline: the object of the stream, in whole. */
	if (!line.failed && line.used > 0)
		json_put_raw(w, key, line.bytes, line.used - 1);
	w->out->failed |= line.failed;
	buf_fini(&line);
}

static void put_day(struct json_writer *w, const struct status_rounds *d)
{
	json_begin_object(w, "last_day");
	json_put_int(w, "rounds", d->measured);
	json_put_int(w, "missed_rounds", d->missed);
	json_begin_object(w, "missed_why");
	for (unsigned i = 0; i < STATUS_WHY_COUNT; i++) {
		if (d->missed_why[i] > 0)
			json_put_int(w, word_of(round_why_words, (int)i), d->missed_why[i]);
	}
	json_end(w);
	json_put_int(w, "done", (int64_t)d->measurements);
	json_put_int(w, "missed", (int64_t)d->lost);
	if (d->looks > 0)
		json_put_int(w, "looks", d->looks);
	json_end(w);
}

static void put_identity(struct json_writer *w, const struct status *s)
{
	if (s->identity_since.ns == 0)
		return;
	json_begin_object(w, "identity_changed");
	jsonl_put_wall(w, "at", s->identity_since);
	json_begin_array(w, "what");
	for (const struct word *word = round_changed_words; word->word != NULL; word++) {
		if (s->identity_changed & (unsigned)word->value)
			json_put_str(w, NULL, word->word);
	}
	json_end(w);
	json_end(w);
}

static void put_verdict(struct json_writer *w, const struct standing_row *r)
{
	const struct standing_round *n = &r->now;

	json_put_str(w, "outcome", word_of(outcome_words, n->outcome));
	jsonl_put_text(w, "border", n->border);
	jsonl_put_word(w, "class", path_class_words, n->class);
	json_put_real(w, "confidence", n->confidence);
	if (n->via_asn != 0 || n->via_org[0] != '\0') {
		json_begin_object(w, "via");
		jsonl_put_nonzero(w, "asn", n->via_asn);
		jsonl_put_text(w, "org", n->via_org);
		json_end(w);
	}
	jsonl_put_wall(w, "since", r->span.since);
	json_put_bool(w, "since_at_least", r->span.open);
}

static void put_row(struct json_writer *w, const struct standing_row *r, const struct profile *p)
{
	struct prefix prefix = profile_judge_prefix(p, r->dst);
	const struct standing_round *n = &r->now;
	char text[PREFIX_TEXT];

	json_begin_object(w, NULL);
	jsonl_put_text(w, "target", r->target);
	jsonl_put_addr(w, "dst", r->dst);
	if (prefix.len > 0)
		json_put_str(w, "prefix", prefix_format(prefix, text));
	jsonl_put_word(w, "method", method_words, r->method);
	if (r->dport >= 0)
		json_put_int(w, "dport", r->dport);
	jsonl_put_wall(w, "at", r->at);
	json_put_bool(w, "measured", !n->failed);
	if (!n->failed)
		put_verdict(w, r);
	json_put_str(w, "reach", word_of(reach_words, n->reach));
	if (n->rtt_min_ns >= 0) {
		json_put_decimal(w, "rtt_min_ms", n->rtt_min_ns, 6);
		json_put_decimal(w, "rtt_median_ms", n->rtt_median_ns, 6);
	}
	json_end(w);
}

static void put_targets(struct json_writer *w, const struct status *s, const struct profile *p)
{
	uint32_t *order = s->measured_known ? standing_order(s->standing) : NULL;

	json_begin_array(w, "targets");
	for (unsigned i = 0; order != NULL && i < s->standing->count; i++) {
		const struct standing_row *r = &s->standing->rows[order[i]];

		if (strcmp(r->round, s->measured.id) == 0)
			put_row(w, r, p);
	}
	free(order);
	json_end(w);
}

static void put_spool(struct json_writer *w, const struct status *s)
{
	if (s->hidden)
		return;
	json_begin_object(w, "spool");
	json_put_int(w, "rounds", (int64_t)s->spool_rounds);
	json_put_int(w, "bytes", (int64_t)s->spool_bytes);
	jsonl_put_wall(w, "oldest", s->spool_oldest);
	json_put_int(w, "refused", (int64_t)s->spool_refused);
	json_end(w);
}

void status_write_json(struct buf *out, const struct status *s, const struct profile *p)
{
	struct json_writer w;

	json_start(&w, out);
	json_begin_object(&w, NULL);
	json_put_str(&w, "type", "status");
	json_put_int(&w, "version", JSONL_VERSION);
	json_put_str(&w, "campaign", s->campaign);
	json_put_str(&w, "vantage", s->vantage);
	json_put_str(&w, "plan", s->plan);
	jsonl_put_wall(&w, "at", s->now);
	json_put_str(&w, "state", word_of(status_state_words, status_state(s)));
	if (!s->hidden)
		json_put_bool(&w, "running", s->pid != 0);
	if (s->pid > 0)
		json_put_int(&w, "pid", s->pid);
	json_put_decimal(&w, "every_s", s->every_ns, 9);
	jsonl_put_wall(&w, "next", s->next);
	if (s->last_known)
		put_round(&w, "last_round", &s->last);
	if (s->measured_known)
		put_round(&w, "last_measured", &s->measured);
	put_day(&w, &s->day);
	put_identity(&w, s);
	put_spool(&w, s);
	json_begin_object(&w, "store");
	json_put_str(&w, "path", s->store);
	if (s->store_bytes >= 0)
		json_put_int(&w, "bytes", s->store_bytes);
	json_end(&w);
	put_targets(&w, s, p);
	json_end(&w);
	buf_char(out, '\n');
}
