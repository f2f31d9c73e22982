// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading a batch. Each size is bounded before memory is taken for it; the frame's checksum holds
 * before a line is looked at; whose a record is, is asked of what it says and of the ids it takes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "campaign/fleet/batch.h"
#include "core/cur.h"
#include "core/jsontree.h"
#include "core/text.h"

/* RFC 8878, 3.1.1: the magic number, little-endian, and the bit of the descriptor behind it. */
enum { MAGIC_BE = 0x28b52ffd, CHECKSUM_FLAG = 0x04 };

struct reading {
	const char *vantage;
	const struct batch_times *times; /* NULL: any */
	struct wall planned;             /* as the id of the round has it; 0: none that is known */
	struct batch_head *head;
	int (*on_record)(void *arg, struct record *r, struct bp_error *err);
	void *arg;
	enum batch_refusal refusal;
	struct bp_error *err;
	uint32_t records;
	bool ended;            /* the round's own object was there */
};

static const struct word refusal_words[] = {{"none", BATCH_OK},
					    {"oversized", BATCH_OVERSIZED},
					    {"malformed", BATCH_MALFORMED},
					    {"version", BATCH_VERSION_UNKNOWN},
					    {"foreign", BATCH_FOREIGN},
					    {"newer", BATCH_NEWER},
					    {"failed", BATCH_FAILED},
					    {NULL, 0}};

const char *batch_refusal_name(enum batch_refusal r)
{
	return word_of(refusal_words, r);
}

void batch_id(const struct batch_head *head, unsigned attempt, char id[static BATCH_ID_TEXT])
{
	snprintf(id, BATCH_ID_TEXT, "%s.%s.%" PRIu64 ".%u", head->vantage, head->epoch, head->seq,
		 attempt);
}

/* Part of a key in the store and of a message's name. */
static bool is_epoch(const char *text)
{
	size_t n = strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");

	return n > 0 && n < BATCH_EPOCH_TEXT && text[n] == '\0';
}

bool batch_id_read(const char *vantage, const char *id, struct batch_head *head)
{
	char whole[BATCH_ID_TEXT], *epoch, *seq, *attempt;
	size_t n = strlen(vantage);
	uint64_t number, unused;

	if (id == NULL || strlen(id) >= sizeof(whole) || strncmp(id, vantage, n) != 0 ||
	    id[n] != '.')
		return false;
	text_set(whole, sizeof(whole), id);
	epoch = whole + n + 1;
	seq = strchr(epoch, '.');
	attempt = seq != NULL ? strchr(seq + 1, '.') : NULL;
	if (attempt == NULL)
		return false;
	*seq++ = '\0';
	*attempt++ = '\0';
	if (!is_epoch(epoch) || text_to_u64(seq, 1, INT64_MAX, &number) < 0 ||
	    text_to_u64(attempt, 0, UINT64_MAX, &unused) < 0)
		return false;
	text_set(head->epoch, sizeof(head->epoch), epoch);
	head->seq = number;
	return true;
}

/* For ever refused. */
#define REFUSE(in, why, ...) \
	((in)->refusal = (why), bp_fail((in)->err, BP_EPARSE, __VA_ARGS__))

/* --- the frame -------------------------------------------------------------------------------- */

/* *plain is owned by the caller, *size its bytes. */
static int open_frame(struct reading *in, const void *bytes, size_t n, char **plain, size_t *size)
{
	struct cur c = cur_of(bytes, n);
	uint32_t magic;
	uint8_t flags;
	unsigned long long content;
	size_t got;

	if (n > BUS_PAYLOAD_MAX)
		return REFUSE(in, BATCH_OVERSIZED, "%zu bytes, of %d at most", n, BUS_PAYLOAD_MAX);
	magic = cur_be32(&c);
	flags = cur_u8(&c);
	if (c.failed || magic != MAGIC_BE)
		return REFUSE(in, BATCH_MALFORMED, "no zstd frame");
	if (!(flags & CHECKSUM_FLAG))
		return REFUSE(in, BATCH_MALFORMED, "a zstd frame without a checksum");
	content = ZSTD_getFrameContentSize(bytes, n);
	if (content == ZSTD_CONTENTSIZE_UNKNOWN || content == ZSTD_CONTENTSIZE_ERROR)
		return REFUSE(in, BATCH_MALFORMED, "a zstd frame that does not tell its size");
	if (content > BATCH_PLAIN_MAX)
		return REFUSE(in, BATCH_OVERSIZED, "%llu bytes of text, of %d at most", content,
			      BATCH_PLAIN_MAX);
	if (ZSTD_findFrameCompressedSize(bytes, n) != n)
		return REFUSE(in, BATCH_MALFORMED, "not one whole zstd frame");
	*plain = malloc((size_t)content + 1);
	if (*plain == NULL)
		return bp_fail(in->err, BP_ENOMEM, "out of memory");
	got = ZSTD_decompress(*plain, (size_t)content, bytes, n);
	if (ZSTD_isError(got) || got != content) {
		free(*plain);
		return REFUSE(in, BATCH_MALFORMED, "a damaged zstd frame: %s",
			      ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it ends early");
	}
	*size = got;
	return 0;
}

/* --- when it was ------------------------------------------------------------------------------ */

static const int64_t DAY_NS = 86400 * NS_PER_S;

struct batch_times batch_times_of(struct wall stamp, struct wall now)
{
	struct wall first = stamp.ns != 0 && stamp.ns < now.ns ? stamp : now;
	struct wall last = stamp.ns > now.ns ? stamp : now;

	return (struct batch_times){{first.ns - BATCH_OLD_DAYS * DAY_NS},
				    {last.ns + BATCH_AHEAD_DAYS * DAY_NS}};
}

/* 20261122T100000Z or 20261122T100000.250Z, as round_set_id writes it. */
static bool moment_parse(const char *text, struct wall *out)
{
	char full[WALL_TEXT];

	if (strlen(text) < strlen("20261122T100000Z"))
		return false;
	snprintf(full, sizeof(full), "%.4s-%.2s-%.2s%.3s:%.2s:%s", text, text + 4, text + 6,
		 text + 8, text + 11, text + 13);
	return wall_parse(full, (struct wall){0}, out) == 0;
}

/* 0: not known, and so of no time. */
static int check_time(struct reading *in, const char *what, struct wall t)
{
	char text[WALL_TEXT];

	if (t.ns == 0 || in->times == NULL)
		return 0;
	if (t.ns > in->times->most.ns)
		return REFUSE(in, BATCH_MALFORMED, "record %u: %s %s: that is still to come",
			      in->records, what, wall_format_short(t, text));
	if (t.ns < in->times->least.ns)
		return REFUSE(in, BATCH_MALFORMED, "record %u: %s %s: older than %d days",
			      in->records, what, wall_format_short(t, text), BATCH_OLD_DAYS);
	return 0;
}

static int check_near(struct reading *in, const char *what, struct wall t)
{
	char text[WALL_TEXT];
	int rc = check_time(in, what, t);

	if (rc < 0 || t.ns == 0 || in->times == NULL)
		return rc;
	if (t.ns < in->planned.ns - BATCH_EARLY_DAYS * DAY_NS ||
	    t.ns > in->planned.ns + BATCH_ROUND_DAYS * DAY_NS)
		return REFUSE(in, BATCH_MALFORMED, "record %u: %s %s: far from its round %s",
			      in->records, what, wall_format_short(t, text), in->head->round);
	return 0;
}

/* --- the head --------------------------------------------------------------------------------- */

/* Whole, or nothing: what had to be cut, or is no clean text, is none. */
static bool take_text(const struct json_node *dom, const char *key, char *out, size_t size)
{
	const struct json_node *v = node_get(dom, key);
	const char *text = node_text(v);

	if (text == NULL)
		return false;
	if (text_copy(out, size, text, v->n) && strcmp(out, text) == 0 && strlen(text) == v->n)
		return true;
	memset(out, 0, size);
	return false;
}

static bool take_number(const struct json_node *dom, const char *key, int64_t min, int64_t max,
			int64_t *out)
{
	return node_int(node_get(dom, key), min, max, out);
}

/* Who it is of and which one comes first: with it even a batch of another version can be counted as
 * in. */
static int check_head(struct reading *in, const struct json_node *dom)
{
	int64_t version, seq = 0, part = 0, parts = 0, records = 0;
	const char *type = node_text(node_get(dom, "type"));
	struct batch_head *h = in->head;
	const char *moment;
	bool epoch, round;

	if (type == NULL || strcmp(type, "batch") != 0)
		return REFUSE(in, BATCH_MALFORMED, "the first line is no batch's");
	if (take_number(dom, "seq", 1, INT64_MAX, &seq) &&
	    take_text(dom, "epoch", h->epoch, sizeof(h->epoch)) && is_epoch(h->epoch))
		h->seq = (uint64_t)seq;
	else
		memset(h->epoch, 0, sizeof(h->epoch));
	epoch = h->epoch[0] != '\0';
	take_text(dom, "tool", h->tool, sizeof(h->tool));
	if (!take_text(dom, "vantage", h->vantage, sizeof(h->vantage)) ||
	    strcmp(h->vantage, in->vantage) != 0)
		return REFUSE(in, BATCH_FOREIGN, "it says it is of vantage point '%s'",
			      h->vantage[0] != '\0' ? h->vantage : "?");
	if (!take_number(dom, "version", 0, INT32_MAX, &version))
		return REFUSE(in, BATCH_MALFORMED, "version: expected a number");
	if (version != BATCH_VERSION)
		return REFUSE(in, version > BATCH_VERSION ? BATCH_NEWER : BATCH_VERSION_UNKNOWN,
			      "version %" PRId64 " of '%s': this program knows %d", version,
			      h->tool, BATCH_VERSION);
	round = take_text(dom, "round", h->round, sizeof(h->round)) && h->round[0] != '\0';
	if (!epoch || !round)
		return REFUSE(in, BATCH_MALFORMED, "%s",
			      !epoch ? "epoch, seq: expected a name and a number from 1" :
				       "round: expected an id");
	moment = strrchr(h->round, '-');
	if (moment == NULL || !moment_parse(moment + 1, &in->planned))
		return REFUSE(in, BATCH_MALFORMED, "round: '%s' names no moment", h->round);
	if (!take_number(dom, "part", 1, UINT32_MAX, &part) ||
	    !take_number(dom, "parts", part, UINT32_MAX, &parts) || part > seq)
		return REFUSE(in, BATCH_MALFORMED, "part, parts: expected 1 or more, and no more");
	if (!take_number(dom, "records", 0, UINT32_MAX, &records))
		return REFUSE(in, BATCH_MALFORMED, "records: expected a number");
	if (records > BATCH_RECORDS_MAX)
		return REFUSE(in, BATCH_OVERSIZED, "%" PRId64 " records, of %d at most", records,
			      BATCH_RECORDS_MAX);
	h->part = (uint32_t)part;
	h->parts = (uint32_t)parts;
	h->records = (uint32_t)records;
	return 0;
}

static int read_head(struct reading *in, const char *line, size_t n)
{
	struct bp_error why = {0};
	struct json_node *dom = json_tree(line, n, &why);
	int rc;

	if (dom == NULL && why.code == BP_ENOMEM)
		return bp_fail(in->err, BP_ENOMEM, "out of memory");
	if (dom == NULL)
		return REFUSE(in, BATCH_MALFORMED, "the first line: %s", why.text);
	rc = check_head(in, dom);
	free(dom);
	return rc;
}

/* --- whose a record is ------------------------------------------------------------------------ */

/* An id of prober/record.h begins with the name of its vantage point. */
static bool trace_id_is_of(const char *id, const char *vantage)
{
	char name[TRACE_ID_VANTAGE_TEXT];
	size_t n = strlen(trace_id_vantage(vantage, name));

	return strncmp(id, name, n) == 0 && id[n] == '-' && id[n + 1] != '\0';
}

/* An id of round_set_id is that of another moment but for the moment at its end. */
static bool round_id_is_of(const char *id, const char *campaign, const char *vantage)
{
	const char *moment = strrchr(id, '-');
	struct round r;

	if (moment == NULL)
		return false;
	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), campaign);
	text_set(r.vantage, sizeof(r.vantage), vantage);
	r.planned.ns = NS_PER_S;
	r.look = strchr(moment, '.') != NULL;
	round_set_id(&r);
	return strlen(id) == strlen(r.id) && strncmp(id, r.id, (size_t)(moment - id) + 1) == 0;
}

static int check_trace(struct reading *in, const struct trace *t)
{
	if (strcmp(t->vantage, in->vantage) != 0 || !trace_id_is_of(t->id, in->vantage))
		return REFUSE(in, BATCH_FOREIGN, "record %u: trace %s of vantage point '%s'",
			      in->records, t->id, t->vantage);
	if (!round_id_is_of(t->round, t->campaign, in->vantage))
		return REFUSE(in, BATCH_FOREIGN, "record %u: trace %s takes the round %s",
			      in->records, t->id, t->round);
	if (strcmp(t->round, in->head->round) != 0)
		return REFUSE(in, BATCH_MALFORMED, "record %u: trace %s is of another round",
			      in->records, t->id);
	return check_near(in, "a trace of", t->start);
}

static int check_round(struct reading *in, const struct record *r)
{
	struct bp_error why = {0};
	struct round round, named;
	int rc;

	if (round_read(r, &round, &why) < 0)
		return REFUSE(in, why.code == BP_EUNSUP ? BATCH_NEWER : BATCH_MALFORMED,
			      "record %u: %s", in->records, why.text);
	if (strcmp(round.vantage, in->vantage) != 0)
		return REFUSE(in, BATCH_FOREIGN, "record %u: a round of vantage point '%s'",
			      in->records, round.vantage);
	named = round;
	round_set_id(&named);
	if (strcmp(named.id, round.id) != 0)
		return REFUSE(in, BATCH_FOREIGN, "record %u: a round that takes the id %s",
			      in->records, round.id);
	if (strcmp(round.id, in->head->round) != 0 || in->head->part != in->head->parts)
		return REFUSE(in, BATCH_MALFORMED, "record %u: a round that is not this batch's",
			      in->records);
	in->ended = true;
	rc = check_time(in, "a round planned for", round.planned);
	if (rc == 0)
		rc = check_near(in, "a round that began", round.start);
	return rc < 0 ? rc : check_near(in, "a round that ended", round.end);
}

/* It need not say whose it is; what it says must be so. */
static int check_object(struct reading *in, const struct record *r)
{
	static const struct { const char *key; size_t which; } names[] = {{"vantage", 0},
									   {"round", 1}};
	const char *ours[] = {in->vantage, in->head->round}, *start;
	struct wall at;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct json_node *v = node_get(r->dom, names[i].key);

		if (v != NULL && v->kind != NODE_NULL &&
		    (node_text(v) == NULL || strcmp(node_text(v), ours[names[i].which]) != 0))
			return REFUSE(in, BATCH_FOREIGN, "record %u: it is of another %s",
				      in->records, names[i].key);
	}
	start = node_text(node_get(r->dom, "start"));
	return start != NULL && wall_parse(start, (struct wall){0}, &at) == 0
		       ? check_time(in, "an object of", at)
		       : 0;
}

static int check_record(struct reading *in, const struct record *r)
{
	if (in->ended)
		return REFUSE(in, BATCH_MALFORMED, "record %u: behind the end of its round",
			      in->records);
	switch (r->kind) {
	case RECORD_TRACE:
		return check_trace(in, r->trace);
	case RECORD_ROUND:
		return check_round(in, r);
	case RECORD_PATHS:
	case RECORD_RUN:
		return check_object(in, r);
	default:
		return REFUSE(in, BATCH_MALFORMED, "record %u: of a kind that no batch has",
			      in->records);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static int read_record(struct reading *in, const char *line, size_t n)
{
	struct bp_error why = {0};
	struct record r;
	int rc;

	if (++in->records > in->head->records)
		return REFUSE(in, BATCH_MALFORMED, "more records than the %u that it tells of",
			      in->head->records);
	record_init(&r);
	rc = jsonl_read(line, n, &r, &why);
	if (rc == BP_ENOMEM)
		return bp_fail(in->err, BP_ENOMEM, "out of memory");
	if (rc < 0)
		return REFUSE(in, rc == BP_EUNSUP ? BATCH_NEWER : BATCH_MALFORMED,
			      "record %u: %s", in->records, why.text);
	rc = check_record(in, &r);
	if (rc == 0 && in->on_record != NULL)
		rc = in->on_record(in->arg, &r, in->err);
	record_fini(&r);
	return rc;
}

static int read_lines(struct reading *in, const char *plain, size_t size)
{
	const char *at = plain, *end = plain + size;
	bool head = true;
	int rc = 0;

	while (rc == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline != NULL ? newline : end) - at);

		if (newline == NULL)
			return REFUSE(in, BATCH_MALFORMED, "the last line has no end");
		if (n > BATCH_LINE_MAX)
			return REFUSE(in, BATCH_OVERSIZED, "a record of %zu bytes, of %d at most",
				      n, BATCH_LINE_MAX);
		rc = head ? read_head(in, at, n) : read_record(in, at, n);
		head = false;
		at = newline + 1;
	}
	if (rc < 0)
		return rc;
	if (head)
		return REFUSE(in, BATCH_MALFORMED, "there is nothing in it");
	if (in->records != in->head->records)
		return REFUSE(in, BATCH_MALFORMED, "%u records, not the %u that it tells of",
			      in->records, in->head->records);
	return 0;
}

int batch_read(const char *vantage, const struct batch_times *times, const void *bytes, size_t n,
	       struct batch_head *head,
	       int (*on_record)(void *arg, struct record *r, struct bp_error *err), void *arg,
	       enum batch_refusal *refusal, struct bp_error *err)
{
	struct bp_error own = {0};
	struct reading in = {.vantage = vantage, .times = times, .head = head,
			     .on_record = on_record, .arg = arg, .err = err != NULL ? err : &own};
	char *plain = NULL;
	size_t size = 0;
	int rc;

	memset(head, 0, sizeof(*head));
	rc = open_frame(&in, bytes, n, &plain, &size);
	if (rc == 0) {
		rc = read_lines(&in, plain, size);
		free(plain);
	}
	if (rc < 0 && in.refusal != BATCH_OK) {
		char clean[BP_ERROR_TEXT];

		/* It is kept, and shown: what a peer wrote stands in it. */
		text_set(clean, sizeof(clean), in.err->text);
		memcpy(in.err->text, clean, sizeof(clean));
	}
	*refusal = in.refusal;
	return rc;
}
