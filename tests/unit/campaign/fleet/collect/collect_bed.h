// SPDX-License-Identifier: BSD-2-Clause
/*
 * A collector between a real broker and a real store (SQLite), for tests: what is sent to it, and
 * what is seen of it. The store fails where a test says, and what comes was handed out as often
 * (store_commit, store_add_trace and bus_fetch are the test's, by --wrap).
 */
#ifndef TESTS_UNIT_CAMPAIGN_FLEET_COLLECT_BED_H
#define TESTS_UNIT_CAMPAIGN_FLEET_COLLECT_BED_H

#include "tests/unit/campaign/fleet/broker_bed.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <zstd.h>

#include "campaign/fleet/batch.h"
#include "campaign/fleet/collect.h"
#include "campaign/store.h"
#include "core/jsontree.h"

#define EPOCH "e1"
#define TURN_NS (50 * NS_PER_MS)
#define PATIENCE 2000 /* turns */

/* --- a store that fails ----------------------------------------------------------------------- */

static struct {
	unsigned commits;      /* so many of them fail, as a server that went away */
	const char *trace;     /* the one with this id fails */
	int code;
	bool late, owed;       /* it is told by what comes behind it, as a buffer that was sent */
	uint64_t deliveries;   /* so many more of all that is fetched */
} fault;

int __real_store_commit(struct store *s, struct bp_error *err);
int __wrap_store_commit(struct store *s, struct bp_error *err);
int __real_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err);
int __wrap_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err);

int __wrap_store_commit(struct store *s, struct bp_error *err)
{
	if (fault.owed) {
		fault.owed = false;
		return bp_fail(err, fault.code, "a trace is not taken");
	}
	if (fault.commits == 0)
		return __real_store_commit(s, err);
	fault.commits--;
	return bp_fail(err, BP_EAGAIN, "the server went away");
}

int __wrap_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err)
{
	if (fault.owed) {
		fault.owed = false;
		return bp_fail(err, fault.code, "a trace is not taken");
	}
	if (fault.trace != NULL && strcmp(fault.trace, t->id) == 0 && !fault.late)
		return bp_fail(err, fault.code, "this trace is not taken");
	fault.owed = fault.trace != NULL && strcmp(fault.trace, t->id) == 0;
	return __real_store_add_trace(s, t, names, verdict, err);
}

int __real_bus_fetch(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
		     unsigned *count, struct bp_error *err);
int __wrap_bus_fetch(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
		     unsigned *count, struct bp_error *err);

int __wrap_bus_fetch(struct bus_intake *in, unsigned max, int64_t wait_ns, struct bus_message *out,
		     unsigned *count, struct bp_error *err)
{
	int rc = __real_bus_fetch(in, max, wait_ns, out, count, err);

	for (unsigned i = 0; rc == 0 && i < *count; i++)
		out[i].deliveries += fault.deliveries;
	return rc;
}

/* --- the bed ---------------------------------------------------------------------------------- */

struct bed {
	struct broker broker;
	struct bus *agent;         /* whoever sends: an agent, a thief */
	struct bus_ear *marks;
	char store[128];
	struct collect *c;
	char rounds[64][ROUND_ID_TEXT];
	unsigned round_count, notes;
	char note[1024];
	struct batch_writer *writer;
};

static inline void on_round(void *arg, const struct round *r)
{
	struct bed *b = arg;

	assert_true(b->round_count < 64);
	snprintf(b->rounds[b->round_count++], ROUND_ID_TEXT, "%s", r->id);
}

static inline void on_note(void *arg, const char *text)
{
	struct bed *b = arg;

	b->notes++;
	snprintf(b->note, sizeof(b->note), "%s", text);
}

static inline struct collect *open_collect(struct bed *b)
{
	struct collect_options o = {
		.bus = {.url = b->broker.url, .name = "collect", .inbox = "centre"},
		.store = b->store, .replicas = 1,
	};
	const struct collect_hooks hooks = {.on_round = on_round, .on_note = on_note, .arg = b};
	struct bp_error err = {0};
	struct collect *c;

	if (collect_open(&o, &hooks, &c, &err) != 0)
		fail_msg("%s", err.text);
	return c;
}

static inline struct bed *bed_open(void)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct bp_error err = {0};

	assert_non_null(b);
	memset(&fault, 0, sizeof(fault));
	broker_make(&b->broker, NULL);
	snprintf(b->store, sizeof(b->store), "sqlite:%s/store.db", b->broker.dir);
	b->agent = broker_bus(&b->broker, "fra1", NULL);
	assert_int_equal(bus_listen(b->agent, "bp.mark.*", NULL, &b->marks, &err), 0);
	assert_int_equal(batch_writer_new(&b->writer), 0);
	b->c = open_collect(b);
	return b;
}

static inline void bed_close(struct bed *b)
{
	collect_close(b->c);
	batch_writer_free(b->writer);
	bus_ear_close(b->marks);
	bus_close(b->agent);
	broker_end(&b->broker);
	free(b);
}

/* --- what is sent ----------------------------------------------------------------------------- */

/* A day before this one: what is far from now is not believed. The same behind midnight. */
static inline int64_t day_before(void)
{
	static int64_t day;

	if (day == 0)
		day = wall_now().ns / NS_PER_S / 86400 * 86400 - 86400;
	return day;
}
#define DAY day_before()

static inline void add_line(struct bed *b, const char *line)
{
	struct bp_error err = {0};
	struct record r;

	record_init(&r);
	if (jsonl_read(line, strlen(line), &r, &err) != 0 || batch_add(b->writer, &r, &err) != 0)
		fail_msg("%s: %s", line, err.text);
	record_fini(&r);
}

static inline struct round round_of(const char *vantage, unsigned slot)
{
	struct round r;

	round_init(&r);
	strcpy(r.campaign, "c");
	snprintf(r.vantage, sizeof(r.vantage), "%s", vantage);
	r.planned.ns = (DAY + slot * 900) * NS_PER_S;
	r.start = r.planned;
	r.end.ns = r.planned.ns + 10 * NS_PER_S;
	r.expected = r.done = r.traces = 2;
	round_set_id(&r);
	return r;
}

static inline void publish(struct bed *b, const char *vantage, const char *id,
			   const void *bytes, size_t n)
{
	char subject[BUS_SUBJECT_TEXT];
	struct bp_error err = {0};
	bool duplicate;

	snprintf(subject, sizeof(subject), "bp.result.%s", vantage);
	if (bus_publish(b->agent, subject, id, bytes, n, &duplicate, &err) != 0)
		fail_msg("%s", err.text);
}

/* One frame of any text, NULL: of zeros. */
static inline void publish_plain(struct bed *b, const char *id, const char *text, size_t n)
{
	char *zeros = text == NULL ? calloc(1, n) : NULL;
	size_t room = ZSTD_compressBound(n);
	char *frame = malloc(room);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	assert_non_null(frame);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	room = ZSTD_compress2(z, frame, room, text != NULL ? text : zeros, n);
	assert_false(ZSTD_isError(room));
	publish(b, "fra1", id, frame, room);
	ZSTD_freeCCtx(z);
	free(frame);
	free(zeros);
}

/* Part `part` of `parts` of a round: a trace, and the round in the last. */
static inline void send_part(struct bed *b, const char *vantage, unsigned slot, uint64_t seq,
			     unsigned part, unsigned parts, unsigned attempt)
{
	struct round r = round_of(vantage, slot);
	struct batch_head head = {.seq = seq, .part = part, .parts = parts, .epoch = EPOCH};
	char line[512], id[BATCH_ID_TEXT], at[WALL_TEXT];
	struct bp_error err = {0};
	struct buf json;
	const char *bytes;
	size_t n;

	snprintf(head.vantage, sizeof(head.vantage), "%s", vantage);
	snprintf(head.round, sizeof(head.round), "%s", r.id);
	batch_begin(b->writer);
	snprintf(line, sizeof(line),
		 "{\"type\":\"trace\",\"version\":1,\"id\":\"%s-run-%u\",\"vantage\":\"%s\","
		 "\"campaign\":\"c\",\"round\":\"%s\",\"dst\":\"192.0.2.1\",\"method\":\"icmp\","
		 "\"start\":\"%s\",\"stop\":\"reached\",\"hops\":[]}",
		 vantage, slot * 100 + part, vantage, r.id, wall_format(r.start, at));
	add_line(b, line);
	if (part == parts) {
		buf_init(&json);
		round_write_json(&json, &r);
		add_line(b, json.bytes);
		buf_fini(&json);
	}
	assert_int_equal(batch_end(b->writer, &head, &bytes, &n, &err), 0);
	batch_id(&head, attempt, id);
	publish(b, vantage, id, bytes, n);
}

static inline void send_round(struct bed *b, const char *vantage, unsigned slot, uint64_t seq)
{
	send_part(b, vantage, slot, seq, 1, 1, 0);
}

/* --- what is seen ----------------------------------------------------------------------------- */

static inline void turn(struct bed *b)
{
	collect_step(b->c, TURN_NS);
}

static inline int64_t ask_store(const struct bed *b, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_open_v2(b->store + strlen("sqlite:"), &db, SQLITE_OPEN_READONLY,
					 NULL), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static inline void turn_until_counted(struct bed *b, uint64_t batches, uint64_t again,
				      uint64_t refused)
{
	struct collect_counts n = {0};

	for (unsigned i = 0; i < PATIENCE; i++) {
		collect_count(b->c, &n);
		if (n.batches == batches && n.again == again && n.refused == refused)
			return;
		turn(b);
	}
	fail_msg("%" PRIu64 " batches, %" PRIu64 " again, %" PRIu64 " refused; last note: %s",
		 n.batches, n.again, n.refused, b->note);
}

/* The broker has nothing left of what was sent, waiting or handed out. */
static inline void broker_is_empty(struct bed *b)
{
	struct bp_error err = {0};
	uint64_t waiting = 1, open = 1;

	for (unsigned i = 0; i < PATIENCE && waiting + open > 0; i++) {
		assert_int_equal(broker_results(b->agent, &waiting, &open, &err), 0);
		if (waiting + open > 0)
			turn(b);
	}
	assert_int_equal(waiting + open, 0);
}

/* The last that was told about a vantage point's epoch; -1: nothing. */
static inline int64_t mark_heard(struct bed *b, const char *vantage)
{
	char subject[BUS_SUBJECT_TEXT];
	struct bus_message m;
	struct bp_error err;
	struct buf nothing;
	int64_t mark = -1;

	snprintf(subject, sizeof(subject), "bp.mark.%s", vantage);
	/* What was told is with us before the answer to this. */
	buf_init(&nothing);
	assert_int_equal(bus_get(b->agent, "BP_CENTRE", "nobody", &nothing, NULL, NULL, &err),
			 BP_ENOTFOUND);
	buf_fini(&nothing);
	while (bus_hear(b->marks, 0, &m, &err) == 0) {
		struct json_node *dom = json_tree(m.bytes, m.size, &err);

		assert_non_null(dom);
		if (strcmp(m.subject, subject) == 0) {
			assert_string_equal(node_text(node_get(dom, "type")), "marks");
			assert_string_equal(node_text(node_get(dom, "vantage")), vantage);
			node_int(node_get(node_get(dom, "marks"), EPOCH), 0, INT64_MAX, &mark);
		}
		free(dom);
		bus_message_drop(&m);
	}
	return mark;
}

/* A number of BP_CENTRE/VANTAGE; waits until it is what it should be. */
static inline void centre_says(struct bed *b, const char *vantage, const char *object,
			       const char *key, int64_t want)
{
	struct bp_error err;
	struct buf text;
	int64_t got = -1;

	buf_init(&text);
	for (unsigned i = 0; i < PATIENCE && got != want; i++) {
		struct json_node *dom;

		turn(b);
		buf_clear(&text);
		if (bus_get(b->agent, "BP_CENTRE", vantage, &text, NULL, NULL, &err) != 0)
			continue;
		dom = json_tree(text.bytes, text.used, &err);
		assert_non_null(dom);
		node_int(node_get(node_get(dom, object), key), 0, INT64_MAX, &got);
		free(dom);
	}
	if (got != want)
		fail_msg("%s.%s is %" PRId64 ", not %" PRId64 ": %s", object, key, got, want,
			 text.bytes);
	buf_fini(&text);
}

#endif
