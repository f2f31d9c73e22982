// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a server has beyond a file: several collectors at once, batches and their book, rounds that
 * come in pieces, connections that break, users who may not everything.
 */
#include "tests/unit/campaign/store_open_bed.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "campaign/postgres/pg.h"

/* --- batches ---------------------------------------------------------------------------------- */

enum { ROUND_TRACES = 60, BATCH_TRACES = 10, BATCHES = ROUND_TRACES / BATCH_TRACES };

/* Of a round of six batches, the one with this number, from 0; the last brings the round. */
static int put_batch(struct store *s, unsigned slot, unsigned batch, bool *already,
		     struct bp_error *err)
{
	struct round r = make_round("fra1", T0 + slot * 900 * NS_PER_S);
	bool there;
	int rc = store_begin(s, err);

	r.expected = r.done = r.traces = ROUND_TRACES;
	if (rc == 0)
		rc = store_mark_batch(s, "fra1", "e1", slot * BATCHES + batch + 1, already, err);
	for (unsigned i = 0; i < BATCH_TRACES && rc == 0 && !*already; i++) {
		unsigned nth = batch * BATCH_TRACES + i;
		struct trace *t = make_trace("fra1", r.id, r.start.ns + nth * NS_PER_MS,
					     slot * 1000 + nth, nth);

		rc = store_add_trace(s, t, NULL, NULL, err);
		free(t);
	}
	if (rc == 0 && batch + 1 == BATCHES && !*already)
		rc = store_add_round(s, &r, &there, err);
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0)
		store_undo(s);
	return rc;
}

struct marks {
	unsigned count;
	uint64_t through[4];
	char epoch[4][16];
};

static int on_mark(void *arg, const char *vantage, const char *epoch, uint64_t through,
		   struct bp_error *err)
{
	struct marks *m = arg;

	(void)err;
	assert_string_equal(vantage, "fra1");
	assert_true(m->count < 4);
	text_set(m->epoch[m->count], sizeof(m->epoch[0]), epoch);
	m->through[m->count++] = through;
	return 0;
}

static struct marks marks_of(struct bed *b)
{
	struct marks m = {0};

	assert_ok(b, store_marks(b->store, on_mark, &m, &b->err));
	return m;
}

static void the_book_says_what_is_in(void **state)
{
	static const struct {
		unsigned seq;
		bool undone, refused, already;
		uint64_t through;
	} rows[] = {
		{.seq = 2, .through = 0},
		{.seq = 1, .undone = true, .through = 0},
		{.seq = 1, .through = 2},
		{.seq = 1, .already = true, .through = 2},
		{.seq = 5, .through = 2},
		{.seq = 3, .refused = true, .through = 3},
		{.seq = 3, .already = true, .through = 3},
		{.seq = 4, .through = 5},
		{.seq = 6, .through = 6},
	};
	struct bed *b = *state;
	struct marks m;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool already = false;

		assert_ok(b, store_begin(b->store, &b->err));
		if (rows[i].refused)
			assert_ok(b, store_refuse_batch(b->store, "fra1", "e1", rows[i].seq,
							"no batch", "\0\1", 2, &b->err));
		else
			assert_ok(b, store_mark_batch(b->store, "fra1", "e1", rows[i].seq, &already,
						      &b->err));
		assert_int_equal(already, rows[i].already);
		if (rows[i].undone)
			store_undo(b->store);
		else
			assert_ok(b, store_commit(b->store, &b->err));
		m = marks_of(b);
		assert_int_equal(m.count, 1);
		assert_int_equal(m.through[0], rows[i].through);
	}
	assert_int_equal(number(b->path, "SELECT count(*) FROM batch WHERE refused = 'no batch' AND"
					 " bytes = '\\x0001'"),
			 1);
	/* Another epoch is another book. */
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_mark_batch(b->store, "fra1", "e2", 1, &(bool){false}, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	m = marks_of(b);
	assert_int_equal(m.count, 2);
	assert_int_equal(m.through[1], 1);
	/* Who may only read reads the book. */
	close_store(b);
	open_store(b, STORE_READ);
	assert_int_equal(marks_of(b).through[0], 6);
	assert_int_equal(store_begin(b->store, &b->err), BP_EPERM);
}

/* In whatever order its batches come, a round stands behind all of them; and once. */
static void rounds_come_in_pieces(void **state)
{
	static const unsigned orders[][BATCHES] = {{0, 1, 2, 3, 4, 5},
						   {5, 4, 3, 2, 1, 0},
						   {5, 0, 1, 2, 3, 4},
						   {2, 0, 5, 1, 4, 3}};
	struct bed *b = *state;
	struct store_select one = {.round = NULL};

	for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct round r = make_round("fra1", T0 + i * 900 * NS_PER_S);
		struct taken out;
		bool already;

		for (unsigned again = 0; again < 2; again++) {
			for (unsigned k = 0; k < BATCHES; k++) {
				assert_ok(b,
					  put_batch(b->store, i, orders[i][k], &already, &b->err));
				assert_int_equal(already, again);
			}
		}
		one.round = r.id;
		out = take_all(b, &one);
		assert_int_equal(out.count, ROUND_TRACES + 1);
		assert_int_equal(out.items[ROUND_TRACES].kind, RECORD_ROUND);
		for (unsigned k = 0; k < ROUND_TRACES; k++) {
			char id[32];

			snprintf(id, sizeof(id), "fra1-run1-%u", i * 1000 + k);
			assert_string_equal(out.items[k].trace->id, id);
		}
		taken_fini(&out);
	}
}

/* --- several at once -------------------------------------------------------------------------- */

enum { SLOTS = 12 };

/* All batches, in an order of its own; tells how many were not in yet. */
static int collect(const char *name, unsigned seed)
{
	struct bp_error err;
	struct store *s;
	unsigned added = 0;

	if (store_open(name, STORE_WRITE, &s, &err) != 0)
		return 255;
	for (unsigned i = 0; i < SLOTS * BATCHES; i++) {
		unsigned n = (i * (seed ? 5 : 7) + seed * 11) % (SLOTS * BATCHES);
		bool already = false;
		int rc;

		do
			rc = put_batch(s, n / BATCHES, n % BATCHES, &already, &err);
		while (rc == BP_EAGAIN);
		if (rc != 0)
			return 254;
		added += !already;
	}
	store_close(s);
	return (int)added;
}

static void two_collectors_take_the_same(void **state)
{
	struct bed *b = *state;
	unsigned added = 0;
	pid_t children[2];

	close_store(b);
	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(collect(b->path, i));
	}
	for (unsigned i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 254);
		added += (unsigned)WEXITSTATUS(status);
	}
	/* Each batch by one of them, and each trace once. */
	assert_int_equal(added, SLOTS * BATCHES);
	open_store(b, STORE_WRITE);
	assert_int_equal(marks_of(b).through[0], SLOTS * BATCHES);
	assert_int_equal(count_of(b, NULL), SLOTS * (ROUND_TRACES + 1));
	assert_int_equal(number(b->path, "SELECT count(DISTINCT trace_id) FROM traces"),
			 SLOTS * ROUND_TRACES);
	/* Values too: who came second found what the first had added. */
	assert_int_equal(number(b->path, "SELECT count(*) - count(DISTINCT key) FROM hop"), 0);
}

/* Without a book: the traces alone, at the same moment. */
static int put_rounds(const char *name)
{
	struct bed b = {.store = NULL};

	snprintf(b.path, sizeof(b.path), "%s", name);
	open_store(&b, STORE_WRITE);
	for (unsigned i = 0; i < SLOTS; i++)
		put_round(&b, "fra1", i, 40);
	close_store(&b);
	return 0;
}

static void two_writers_write_the_same(void **state)
{
	struct bed *b = *state;
	pid_t children[2];
	int status;

	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(put_rounds(b->path));
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_of(b, NULL), SLOTS * 41);
}

/* Routers are common to vantage points: what one writes in the order a, b the other writes in the
 * order b, a, at the same time. Neither waits for the other in a ring. */
enum { TURNS = 8, RING_VANTAGES = 6 };

static int put_turn(struct store *s, unsigned who, unsigned turn, struct bp_error *err)
{
	int rc = store_begin(s, err);

	for (unsigned i = 0; i < RING_VANTAGES && rc == 0; i++) {
		unsigned routers = turn * RING_VANTAGES + (who ? RING_VANTAGES - 1 - i : i);
		char name[16];
		struct round r;
		bool already;

		snprintf(name, sizeof(name), "%c%u", 'a' + who, i);
		r = make_round(name, T0 + turn * 900 * NS_PER_S);
		for (unsigned k = 0; k < 20 && rc == 0; k++) {
			struct trace *t = make_trace(name, r.id, r.start.ns + k * NS_PER_MS,
						     turn * 1000 + k, 20 * routers + k);

			for (unsigned h = 0; h < 4; h++)
				t->entries[h].reply.from = addr_v4((const uint8_t[]){
					10, (uint8_t)(1 + h), (uint8_t)routers, (uint8_t)k});
			rc = store_add_trace(s, t, NULL, NULL, err);
			free(t);
		}
		r.expected = r.done = r.traces = 20;
		if (rc == 0)
			rc = store_add_round(s, &r, &already, err);
		if (rc == 0 && already)
			rc = BP_EINVAL;
	}
	return rc == 0 ? store_commit(s, err) : rc;
}

/* How many turns had to be tried again; above TURNS: something else. */
static int put_turns(const char *name, unsigned who, int other)
{
	struct bp_error err = {0};
	struct store *s;
	int again = 0;

	if (store_open(name, STORE_WRITE, &s, &err) != 0)
		return 255;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		char byte = 0;
		int rc;

		/* Both begin together. */
		if (write(other, &byte, 1) != 1 || read(other, &byte, 1) != 1)
			return 254;
		while ((rc = put_turn(s, who, turn, &err)) == BP_EAGAIN && again < TURNS) {
			store_undo(s);
			again++;
		}
		if (rc != 0) {
			fprintf(stderr, "%s\n", err.text);
			return 253;
		}
	}
	store_close(s);
	return again;
}

static void two_writers_do_not_wait_in_a_ring(void **state)
{
	struct bed *b = *state;
	pid_t children[2];
	int ends[2], status;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			close(ends[!i]);
			_exit(put_turns(b->path, i, ends[i]));
		}
	}
	close(ends[0]);
	close(ends[1]);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(count_of(b, NULL), 2 * TURNS * RING_VANTAGES * 21);
}

/* --- names that others gave otherwise --------------------------------------------------------- */

static void name_all(struct names *n, const struct trace *t, const char *org)
{
	names_init(n);
	text_set(n->geo.asn_sha256, sizeof(n->geo.asn_sha256), "one database");
	assert_non_null(names_put(n, t->dst));
	for (uint32_t i = 0; i < t->entry_count; i++) {
		if (addr_is_set(t->entries[i].reply.from))
			assert_non_null(names_put(n, t->entries[i].reply.from));
	}
	for (uint32_t i = 0; i < n->count; i++) {
		n->items[i].asn = 64500 + i;
		text_set(n->items[i].org, sizeof(n->items[i].org), org);
	}
}

/* Another collector has named the same addresses by the same databases meanwhile, otherwise: each
 * trace keeps the names it came with. */
static void what_was_named_otherwise_stays(void **state)
{
	static const char *const orgs[] = {"first", "second", "first", "third"};
	struct bed *b = *state;
	struct store *other;
	struct taken out;

	assert_ok(b, store_open(b->path, STORE_WRITE, &other, &b->err));
	for (unsigned i = 0; i < 4; i++) {
		struct store *s = i % 2 ? other : b->store;
		struct trace *t = make_trace("fra1", "r", T0 + i * NS_PER_S, i, 1);
		struct names names;

		name_all(&names, t, orgs[i]);
		assert_ok(b, store_begin(s, &b->err));
		assert_ok(b, store_add_trace(s, t, &names, NULL, &b->err));
		assert_ok(b, store_commit(s, &b->err));
		names_fini(&names);
		free(t);
	}
	store_close(other);
	out = take_all(b, NULL);
	assert_int_equal(out.count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(out.items[i].names.count, 7);
		for (unsigned k = 0; k < 7; k++)
			assert_string_equal(out.items[i].names.items[k].org, orgs[i]);
	}
	taken_fini(&out);
}

/* --- what breaks ------------------------------------------------------------------------------ */

static void break_links(struct bed *b)
{
	number(b->path, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE"
			" application_name = 'borderpath'");
}

static void a_lost_connection_undoes_and_comes_again(void **state)
{
	struct bed *b = *state;

	put_round(b, "fra1", 0, 20);
	/* Between transactions: nobody notices. */
	break_links(b);
	put_round(b, "fra1", 1, 20);
	/* Within one: it is undone. */
	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", T0, 7777, 1), NULL, NULL);
	break_links(b);
	assert_int_equal(store_commit(b->store, &b->err), BP_EAGAIN);
	assert_non_null(strstr(b->err.text, "connection"));
	assert_null(strchr(b->err.text, '\n'));
	store_undo(b->store);
	assert_int_equal(count_of(b, NULL), 42);
	put_round(b, "fra1", 2, 20);
	assert_int_equal(count_of(b, NULL), 63);
	/* While it is read. */
	break_links(b);
	{
		struct taken out = {0};

		assert_int_equal(store_read(b->store, NULL, take, &out, &b->err), BP_EAGAIN);
		taken_fini(&out);
	}
	assert_int_equal(count_of(b, NULL), 63);
}

/* What took the place of the store while the connection was away is not written into, however often
 * it is tried. */
static void another_store_is_not_written_into(void **state)
{
	struct bed *b = *state;

	put_round(b, "fra1", 0, 20);
	server_sql(b->path, "UPDATE store_meta SET value = '99' WHERE key = 'version'");
	break_links(b);
	for (unsigned i = 0; i < 3; i++) {
		struct taken out = {0};

		assert_int_equal(store_begin(b->store, &b->err), BP_EUNSUP);
		assert_non_null(strstr(b->err.text, "version 99"));
		assert_int_equal(store_read(b->store, NULL, take, &out, &b->err), BP_EUNSUP);
		taken_fini(&out);
	}
	server_sql(b->path, "UPDATE store_meta SET value = '1' WHERE key = 'version'");
	put_round(b, "fra1", 1, 20);
	assert_int_equal(count_of(b, NULL), 42);
}

/* One view of the store ends with its connection: nothing else is read in its place. */
static int break_while_read(void *arg, struct record *r, struct bp_error *err)
{
	struct bed *b = arg;
	struct wall w;

	(void)r;
	(void)err;
	break_links(b);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(store_last_planned(b->store, "c", "fra1", &w, &b->err), BP_EAGAIN);
	return BP_ERANGE;
}

static void a_view_ends_with_its_connection(void **state)
{
	struct bed *b = *state;
	struct wall w;

	put_round(b, "fra1", 0, 20);
	assert_int_equal(store_read(b->store, NULL, break_while_read, b, &b->err), BP_ERANGE);
	assert_ok(b, store_last_planned(b->store, "c", "fra1", &w, &b->err));
	assert_int_equal(w.ns, T0);
	assert_int_equal(count_of(b, NULL), 21);
}

static void a_dropped_day_comes_again(void **state)
{
	struct bed *b = *state;
	int rc;

	put_round(b, "fra1", 0, 20);
	number(b->path, "SELECT store_drop_days('2026-11-23')");
	assert_int_equal(count_of(b, NULL), 1);
	assert_int_equal(number(b->path, "SELECT count(*) FROM segment"), 0);
	/* The day is known to be there, and is not: once more, and it is made. */
	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", T0, 7777, 1), NULL, NULL);
	rc = store_commit(b->store, &b->err);
	assert_int_equal(rc, BP_EAGAIN);
	store_undo(b->store);
	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", T0, 7777, 1), NULL, NULL);
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(count_of(b, NULL), 2);
}

/* Years before there was anything, years to come, and no moment at all. */
static void days_of_any_time(void **state)
{
	static const int64_t starts[] = {0,
					 INT64_C(-3600000000000),
					 NS_PER_S,
					 INT64_C(946684799999999000),
					 INT64_C(946684800000000000),
					 T0,
					 INT64_C(4102444800000000000),
					 INT64_C(7000000000000000000)};
	enum { N = sizeof(starts) / sizeof(starts[0]) };
	struct bed *b = *state;
	struct taken out;

	for (unsigned i = 0; i < N; i++) {
		assert_ok(b, store_begin(b->store, &b->err));
		add(b, make_trace("fra1", "r", starts[i], i, 1), NULL, NULL);
		assert_ok(b, store_commit(b->store, &b->err));
	}
	out = take_all(b, NULL);
	assert_int_equal(out.count, N);
	for (unsigned i = 0; i < N; i++) {
		unsigned seq =
			(unsigned)strtoul(strrchr(out.items[i].trace->id, '-') + 1, NULL, 10);

		assert_int_equal(out.items[i].trace->start.ns, starts[seq]);
		assert_int_equal(out.items[i].trace->end.ns, starts[seq] + 2 * NS_PER_S);
	}
	taken_fini(&out);
	assert_int_equal(number(b->path, "SELECT count(*) FROM traces WHERE start_utc IS NULL"), 1);
}

static unsigned days_of(struct bed *b)
{
	return (unsigned)number(b->path, "SELECT count(*) FROM pg_inherits WHERE inhparent ="
					 " 'trace'::regclass");
}

/* Each day is a table, and each of them a lock or more of whoever reads or writes it. */
static void a_transaction_makes_few_days(void **state)
{
	struct bed *b = *state;
	unsigned days = days_of(b);

	assert_ok(b, store_begin(b->store, &b->err));
	for (unsigned i = 0; i < 1024; i++)
		add(b, make_trace("fra1", "r", T0 - i * 86400 * NS_PER_S, i, 1), NULL, NULL);
	assert_int_equal(store_commit(b->store, &b->err), BP_ERANGE);
	assert_non_null(strstr(b->err.text, "days"));
	store_undo(b->store);
	assert_int_equal(days_of(b), days);
	assert_int_equal(count_of(b, NULL), 0);
	/* As many as may be, twice. */
	for (unsigned k = 0; k < 2; k++) {
		assert_ok(b, store_begin(b->store, &b->err));
		for (unsigned i = 0; i < 64; i++)
			add(b, make_trace("fra1", "r", T0 - (64 * k + i) * 86400 * NS_PER_S,
					  64 * k + i, 1), NULL, NULL);
		assert_ok(b, store_commit(b->store, &b->err));
	}
	assert_int_equal(days_of(b), days + 128);
	assert_int_equal(count_of(b, NULL), 128);
}

/* Nor are there tables for all the days to come, whoever asks. */
static void few_days_are_still_to_come(void **state)
{
	struct bed *b = *state;
	unsigned days = days_of(b);
	int64_t now = wall_now().ns;

	for (unsigned k = 0; k < 8; k++) {
		assert_ok(b, store_begin(b->store, &b->err));
		for (unsigned i = 50 * k; i < 50 * (k + 1); i++)
			add(b, make_trace("fra1", "r", now + (3 + i) * 86400 * NS_PER_S, i, 1),
			    NULL, NULL);
		assert_ok(b, store_commit(b->store, &b->err));
	}
	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", now + 500 * 86400 * NS_PER_S, 500, 1), NULL, NULL);
	assert_int_equal(store_commit(b->store, &b->err), BP_EINVAL);
	assert_non_null(strstr(b->err.text, "still to come"));
	store_undo(b->store);
	assert_int_equal(days_of(b), days + 400);
	/* But today's. */
	assert_ok(b, store_begin(b->store, &b->err));
	add(b, make_trace("fra1", "r", now, 501, 1), NULL, NULL);
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(days_of(b), days + 401);
}

/* Who writes need not own: what doc/store.md grants is enough, for a new day too. */
static void a_writer_needs_few_rights(void **state)
{
	static const char grants[] =
		"DROP OWNED BY bp_writer; GRANT USAGE ON SCHEMA %s TO bp_writer;"
		" GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA %s TO bp_writer;"
		" GRANT UPDATE ON %s.round, %s.mark TO bp_writer;"
		" GRANT EXECUTE ON FUNCTION %s.store_day(date) TO bp_writer";
	struct bed *b = *state;
	const char *schema = strrchr(b->path, '%') + 3;
	char sql[640], name[STORE_NAME + 16];
	const char *at = strchr(b->path, '@');

	server_sql(b->path, "DO $$ BEGIN CREATE ROLE bp_writer LOGIN; EXCEPTION WHEN"
			    " duplicate_object THEN NULL; END $$");
	snprintf(sql, sizeof(sql), grants, schema, schema, schema, schema, schema);
	server_sql(b->path, sql);
	close_store(b);
	snprintf(name, sizeof(name), "postgresql://bp_writer%s", at);
	assert_ok(b, store_open(name, STORE_WRITE, &b->store, &b->err));
	put_round(b, "fra1", 0, 20);
	put_round(b, "fra1", 56, 20);
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_mark_batch(b->store, "fra1", "e1", 1, &(bool){false}, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(marks_of(b).through[0], 1);
	assert_int_equal(count_of(b, NULL), 42);
	/* What makes room for it changes rows, and does not need his right to. */
	for (uint64_t seq = 2; seq <= 3; seq++) {
		void *bytes = calloc(1, STORE_REFUSED_BYTES);

		assert_ok(b, store_begin(b->store, &b->err));
		assert_ok(b, store_refuse_batch(b->store, "fra1", "e1", seq, "malformed", bytes,
						STORE_REFUSED_BYTES, &b->err));
		assert_ok(b, store_commit(b->store, &b->err));
		free(bytes);
	}
	assert_int_equal(number(b->path, "SELECT sum(seq) FROM batch WHERE bytes IS NOT NULL"), 3);
	/* But no more. */
	assert_int_equal(store_retire(b->store, NULL, NULL, (struct wall){T0 + 86400 * NS_PER_S},
				      false, NULL, &b->err),
			 BP_EPERM);
	close_store(b);
	snprintf(sql, sizeof(sql), "DROP OWNED BY bp_writer");
	server_sql(b->path, sql);
}

static void each_version_has_its_step(void **state)
{
	int version = 0;

	(void)state;
	for (const struct pg_migration *m = pg_migrations; m->step != NULL; m++)
		assert_int_equal(m->from, version++);
	assert_int_equal(version, PG_STORE_VERSION);
}

/* Two who make it at once make one. */
static void a_store_is_made_once(void **state)
{
	struct bed *b = *state;
	pid_t children[4];
	int status;

	close_store(b);
	store_empty(b->path);
	for (unsigned i = 0; i < 4; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			struct bp_error err;
			struct store *s;

			_exit(store_open(b->path, STORE_WRITE, &s, &err) == 0 ? 0 : 1);
		}
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	open_store(b, STORE_WRITE);
	put_round(b, "fra1", 0, 5);
	assert_int_equal(count_of(b, NULL), 6);
}

int main(void)
{
	const struct CMUnitTest none[] = {
		cmocka_unit_test(each_version_has_its_step),
	};
	const struct CMUnitTest tests[] = {
		T(the_book_says_what_is_in),	   T(rounds_come_in_pieces),
		T(two_collectors_take_the_same),   T(two_writers_write_the_same),
		T(two_writers_do_not_wait_in_a_ring),
		T(what_was_named_otherwise_stays), T(a_lost_connection_undoes_and_comes_again),
		T(another_store_is_not_written_into), T(a_view_ends_with_its_connection),
		T(a_dropped_day_comes_again),	   T(days_of_any_time),
		T(a_transaction_makes_few_days),   T(few_days_are_still_to_come),
		T(a_writer_needs_few_rights),	   T(a_store_is_made_once),
	};

	return RUN_ON_SERVER(none, tests);
}
