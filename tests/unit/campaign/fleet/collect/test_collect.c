// SPDX-License-Identifier: BSD-2-Clause
/*
 * The collector between a real broker and a real store (SQLite): what is taken in, told and
 * acknowledged, and when it is not. The store fails where a test says (store_commit and
 * store_add_trace are the test's, by --wrap); the broker is killed.
 */
#include "tests/unit/campaign/fleet/broker_bed.h"

#include <inttypes.h>
#include <pthread.h>
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
} fault;

int __real_store_commit(struct store *s, struct bp_error *err);
int __wrap_store_commit(struct store *s, struct bp_error *err);
int __real_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err);
int __wrap_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err);

int __wrap_store_commit(struct store *s, struct bp_error *err)
{
	if (fault.commits == 0)
		return __real_store_commit(s, err);
	fault.commits--;
	return bp_fail(err, BP_EAGAIN, "the server went away");
}

int __wrap_store_add_trace(struct store *s, const struct trace *t, const struct names *names,
			   const struct verdict *verdict, struct bp_error *err)
{
	if (fault.trace != NULL && strcmp(fault.trace, t->id) == 0)
		return bp_fail(err, fault.code, "this trace is not taken");
	return __real_store_add_trace(s, t, names, verdict, err);
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

static void on_round(void *arg, const struct round *r)
{
	struct bed *b = arg;

	assert_true(b->round_count < 64);
	snprintf(b->rounds[b->round_count++], ROUND_ID_TEXT, "%s", r->id);
}

static void on_note(void *arg, const char *text)
{
	struct bed *b = arg;

	b->notes++;
	snprintf(b->note, sizeof(b->note), "%s", text);
}

static struct collect *open_collect(struct bed *b)
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

static struct bed *bed_open(void)
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

static void bed_close(struct bed *b)
{
	collect_close(b->c);
	batch_writer_free(b->writer);
	bus_ear_close(b->marks);
	bus_close(b->agent);
	broker_end(&b->broker);
	free(b);
}

/* --- what is sent ----------------------------------------------------------------------------- */

/* A day before this one: what is far from now is not believed. */
#define DAY (wall_now().ns / NS_PER_S / 86400 * 86400 - 86400)

static void add_line(struct bed *b, const char *line)
{
	struct bp_error err = {0};
	struct record r;

	record_init(&r);
	if (jsonl_read(line, strlen(line), &r, &err) != 0 || batch_add(b->writer, &r, &err) != 0)
		fail_msg("%s: %s", line, err.text);
	record_fini(&r);
}

static struct round round_of(const char *vantage, unsigned slot)
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

static void publish(struct bed *b, const char *vantage, const char *id, const void *bytes, size_t n)
{
	char subject[BUS_SUBJECT_TEXT];
	struct bp_error err = {0};
	bool duplicate;

	snprintf(subject, sizeof(subject), "bp.result.%s", vantage);
	if (bus_publish(b->agent, subject, id, bytes, n, &duplicate, &err) != 0)
		fail_msg("%s", err.text);
}

/* One frame of any text, NULL: of zeros. */
static void publish_plain(struct bed *b, const char *id, const char *text, size_t n)
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
static void send_part(struct bed *b, const char *vantage, unsigned slot, uint64_t seq,
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

static void send_round(struct bed *b, const char *vantage, unsigned slot, uint64_t seq)
{
	send_part(b, vantage, slot, seq, 1, 1, 0);
}

/* --- what is seen ----------------------------------------------------------------------------- */

static void turn(struct bed *b)
{
	collect_step(b->c, TURN_NS);
}

static int64_t ask_store(const struct bed *b, const char *sql)
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

static void turn_until_counted(struct bed *b, uint64_t batches, uint64_t again, uint64_t refused)
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
static void broker_is_empty(struct bed *b)
{
	struct bus_intake *in;
	struct bp_error err = {0};
	uint64_t waiting = 1, open = 1;

	assert_int_equal(bus_intake_open(b->agent, &in, &err), 0);
	for (unsigned i = 0; i < PATIENCE && waiting + open > 0; i++) {
		assert_int_equal(bus_intake_state(in, &waiting, &open, &err), 0);
		if (waiting + open > 0)
			turn(b);
	}
	bus_intake_close(in);
	assert_int_equal(waiting + open, 0);
}

/* The last that was told about a vantage point's epoch; -1: nothing. */
static int64_t mark_heard(struct bed *b, const char *vantage)
{
	char subject[BUS_SUBJECT_TEXT];
	struct bus_message m;
	struct bp_error err;
	int64_t mark = -1;

	snprintf(subject, sizeof(subject), "bp.mark.%s", vantage);
	while (bus_hear(b->marks, NS_PER_S / 4, &m, &err) == 0) {
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
static void centre_says(struct bed *b, const char *vantage, const char *object, const char *key,
			int64_t want)
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

/* --- tests ------------------------------------------------------------------------------------ */

static void a_batch_is_committed_told_and_gone(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM rounds"), 1);
	assert_int_equal(b->round_count, 1);
	assert_string_equal(b->rounds[0], round_of("fra1", 0).id);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	broker_is_empty(b);
	centre_says(b, "fra1", "marks", EPOCH, 1);
	bed_close(b);
}

static void what_comes_twice_is_in_once(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	send_part(b, "fra1", 0, 1, 1, 1, 1);
	turn_until_counted(b, 1, 1, 0);
	/* A spool that was made anew numbers what it has anew: its traces are those they were. */
	send_part(b, "fra1", 0, 2, 1, 1, 0);
	turn_until_counted(b, 2, 1, 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM rounds"), 1);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 2);
	broker_is_empty(b);
	bed_close(b);
}

static void a_round_is_told_when_all_of_it_is_in(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_part(b, "fra1", 0, 3, 3, 3, 0);
	turn_until_counted(b, 1, 0, 0);
	assert_int_equal(mark_heard(b, "fra1"), 0);
	send_part(b, "fra1", 0, 1, 1, 3, 0);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->round_count, 0);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	send_part(b, "fra1", 0, 2, 2, 3, 0);
	turn_until_counted(b, 3, 0, 0);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 3);
	bed_close(b);
}

static void poison_is_set_aside_and_blocks_nobody(void **state)
{
	static const char old[] =
		"{\"type\":\"batch\",\"version\":0,\"vantage\":\"fra1\",\"epoch\":\"" EPOCH
		"\",\"seq\":7,\"tool\":\"borderpath 0.0.1\"}\n";
	struct batch_head head = {.vantage = "fra1", .epoch = EPOCH, .round = "r", .seq = 3,
				  .part = 1, .parts = 1};
	struct bed *b;
	const char *bytes;
	struct bp_error err;
	size_t n;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	publish(b, "fra1", "fra1." EPOCH ".2.0", "no batch", 8);
	/* What one agent writes as another. */
	snprintf(head.vantage, sizeof(head.vantage), "nrt1");
	batch_begin(b->writer);
	assert_int_equal(batch_end(b->writer, &head, &bytes, &n, &err), 0);
	publish(b, "fra1", "fra1." EPOCH ".3.0", bytes, n);
	publish_plain(b, "fra1." EPOCH ".4.0", NULL, BATCH_PLAIN_MAX + 1);
	publish_plain(b, "fra1." EPOCH ".7.0", old, strlen(old));
	send_round(b, "fra1", 2, 6);
	/* Nobody can say which one that is. */
	publish(b, "fra1", "whatever", "no batch either", 15);
	publish(b, "fra1", NULL, "", 0);
	send_round(b, "fra1", 1, 5);
	turn_until_counted(b, 3, 0, 6);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 3);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused"), 6);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 4 AND"
				   " reason LIKE 'oversized: %'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 7 AND"
				   " reason LIKE 'version: %borderpath 0.0.1%'"), 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 3 AND"
				   " reason LIKE 'foreign: %nrt1%' AND vantage = 'fra1'"), 1);
	assert_int_equal(b->round_count, 3);
	assert_int_equal(mark_heard(b, "fra1"), 7);
	broker_is_empty(b);
	centre_says(b, "fra1", "refused", "version", 1);
	centre_says(b, "fra1", "refused", "malformed", 3);
	centre_says(b, "fra1", "refused", "foreign", 1);
	centre_says(b, "fra1", "refused", "oversized", 1);
	/* Another collector goes on counting. */
	collect_close(b->c);
	b->c = open_collect(b);
	publish(b, "fra1", "fra1." EPOCH ".8.0", "no batch", 8);
	turn_until_counted(b, 0, 0, 1);
	centre_says(b, "fra1", "refused", "malformed", 4);
	centre_says(b, "fra1", "marks", EPOCH, 8);
	bed_close(b);
}

static void a_store_that_is_away_acknowledges_nothing(void **state)
{
	struct bed *b;
	unsigned notes;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	turn(b);
	fault.commits = 3;
	notes = b->notes;
	send_round(b, "fra1", 0, 1);
	send_round(b, "nrt1", 0, 1);
	while (fault.commits > 0) {
		turn(b);
		assert_int_equal(b->round_count, 0);
		assert_int_equal(mark_heard(b, "fra1"), -1);
	}
	/* Told once, however often it fails. */
	assert_int_equal(b->notes, notes + 1);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->notes, notes + 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(b->round_count, 2);
	broker_is_empty(b);
	bed_close(b);
}

static void content_that_the_store_refuses_is_poison(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-101";
	fault.code = BP_EINVAL;
	for (unsigned slot = 0; slot < 3; slot++)
		send_round(b, "fra1", slot, slot + 1);
	turn_until_counted(b, 2, 0, 1);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM batch_refused WHERE seq = 2"), 1);
	assert_int_equal(mark_heard(b, "fra1"), 3);
	broker_is_empty(b);
	bed_close(b);
}

/* Nobody knows what is wrong with it: it is neither lost nor in the way. */
static void what_fails_alone_goes_back_and_blocks_nobody(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.trace = "fra1-run-101";
	fault.code = BP_EIO;
	for (unsigned slot = 0; slot < 3; slot++)
		send_round(b, "fra1", slot, slot + 1);
	turn_until_counted(b, 2, 0, 0);
	turn(b);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 2);
	assert_int_equal(b->round_count, 1);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	/* The others go on meanwhile. */
	send_round(b, "nrt1", 0, 1);
	turn_until_counted(b, 3, 0, 0);
	assert_int_equal(mark_heard(b, "nrt1"), 1);
	bed_close(b);
}

static void a_broker_that_was_killed_is_taken_up_again(void **state)
{
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	turn_until_counted(b, 1, 0, 0);
	broker_kill(&b->broker);
	turn(b);
	turn(b);
	broker_start(&b->broker);
	bus_ear_close(b->marks);
	bus_close(b->agent);
	b->agent = broker_bus(&b->broker, "fra1", NULL);
	b->marks = NULL;
	send_round(b, "fra1", 1, 2);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(b->round_count, 2);
	bed_close(b);
}

struct question { struct bus *bus; const char *said; struct buf answer; int rc; };

static void *ask(void *arg)
{
	struct question *q = arg;
	struct bp_error err;

	q->rc = bus_ask(q->bus, "bp.ask.fra1", q->said, strlen(q->said),
			60 * NS_PER_S, &q->answer, &err);
	return NULL;
}

static void who_asks_is_answered_and_a_start_tells_all(void **state)
{
#define ANSWER(n) "{\"type\":\"marks\",\"version\":1,\"vantage\":\"fra1\",\"marks\":{\"" EPOCH "\":" n "}}"
	static const struct { const char *said, *answer; } rows[] = {
		{"", ANSWER("1")},
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":1}", ANSWER("1")},
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":0}", ANSWER("1")},
		{"{\"epoch\":\"a.b\",\"confirmed\":7}", ANSWER("1")},
		{"no JSON", ANSWER("1")},
		/* A store that was restored from a backup is behind what was forgotten. */
		{"{\"epoch\":\"" EPOCH "\",\"confirmed\":7}", ANSWER("7")},
		{"", ANSWER("7")},
	};
	struct question q = {.rc = 1};
	pthread_t thread;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	send_round(b, "fra1", 0, 1);
	send_round(b, "nrt1", 0, 1);
	turn_until_counted(b, 2, 0, 0);
	assert_int_equal(mark_heard(b, "fra1"), 1);
	collect_close(b->c);
	b->c = open_collect(b);
	turn(b);
	assert_int_equal(mark_heard(b, "nrt1"), 1);
	buf_init(&q.answer);
	q.bus = b->agent;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&q.answer);
		q.said = rows[i].said;
		assert_int_equal(pthread_create(&thread, NULL, ask, &q), 0);
		while (pthread_tryjoin_np(thread, NULL) != 0)
			turn(b);
		assert_int_equal(q.rc, 0);
		assert_string_equal(q.answer.bytes, rows[i].answer);
	}
	buf_fini(&q.answer);
	bed_close(b);
}

static void two_collectors_share_the_work(void **state)
{
	enum { EACH = 100 };
	struct collect_counts one, two;
	struct collect *other;
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	other = open_collect(b);
	for (uint64_t seq = 1; seq <= EACH; seq++)
		send_part(b, seq % 2 ? "fra1" : "nrt1", (unsigned)seq, (seq + 1) / 2, 1, 2, 0);
	for (unsigned i = 0; i < PATIENCE; i++) {
		struct collect *mine = b->c;

		collect_step(i % 2 ? mine : other, NS_PER_MS);
		collect_count(mine, &one);
		collect_count(other, &two);
		if (one.batches + two.batches == EACH)
			break;
	}
	assert_int_equal(one.batches + two.batches, EACH);
	assert_true(one.batches > 0 && two.batches > 0);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), EACH);
	assert_int_equal(ask_store(b, "SELECT sum(through) FROM batch"), EACH);
	broker_is_empty(b);
	collect_close(other);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_committed_told_and_gone),
		cmocka_unit_test(what_comes_twice_is_in_once),
		cmocka_unit_test(a_round_is_told_when_all_of_it_is_in),
		cmocka_unit_test(poison_is_set_aside_and_blocks_nobody),
		cmocka_unit_test(a_store_that_is_away_acknowledges_nothing),
		cmocka_unit_test(content_that_the_store_refuses_is_poison),
		cmocka_unit_test(what_fails_alone_goes_back_and_blocks_nobody),
		cmocka_unit_test(a_broker_that_was_killed_is_taken_up_again),
		cmocka_unit_test(who_asks_is_answered_and_a_start_tells_all),
		cmocka_unit_test(two_collectors_share_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, broker_over);
}
