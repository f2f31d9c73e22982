// SPDX-License-Identifier: BSD-2-Clause
/*
 * The book of batches: what is in is known if and only if what came with it is, in whatever order
 * it comes and from however many collectors; and what only one of them may do.
 */
#include "tests/unit/campaign/store_open_bed.h"

static bool mark(struct bed *b, struct store *s, const char *vantage, uint64_t seq)
{
	bool already = true;

	assert_ok(b, store_begin(s, &b->err));
	assert_ok(b, store_mark_batch(s, vantage, "e1", seq, &already, &b->err));
	assert_ok(b, store_commit(s, &b->err));
	return already;
}

struct told { const char *vantage, *epoch; uint64_t through; unsigned rows; };

static int on_mark(void *arg, const char *vantage, const char *epoch, uint64_t through,
		   struct bp_error *err)
{
	struct told *t = arg;

	(void)err;
	t->rows++;
	if (strcmp(vantage, t->vantage) == 0 && strcmp(epoch, t->epoch) == 0)
		t->through = through;
	return 0;
}

static uint64_t through(struct bed *b, struct store *s, const char *vantage, const char *epoch)
{
	struct told t = {.vantage = vantage, .epoch = epoch, .through = UINT64_MAX};

	assert_ok(b, store_marks(s, on_mark, &t, &b->err));
	return t.through;
}

static void a_new_store_has_no_marks(void **state)
{
	struct bed *b = *state;
	struct told t = {.vantage = "fra1", .epoch = "e1"};

	assert_ok(b, store_marks(b->store, on_mark, &t, &b->err));
	assert_int_equal(t.rows, 0);
}

static void a_mark_stands_before_the_first_hole(void **state)
{
	struct bed *b = *state;
	static const struct { uint64_t seq, through; } rows[] = {
		{3, 0}, {1, 1}, {5, 1}, {2, 3}, {4, 5}, {6, 6},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(mark(b, b->store, "fra1", rows[i].seq));
		assert_int_equal(through(b, b->store, "fra1", "e1"), rows[i].through);
	}
	for (uint64_t seq = 1; seq <= 6; seq++)
		assert_true(mark(b, b->store, "fra1", seq));
	/* Of another vantage point nothing is known. */
	assert_false(mark(b, b->store, "nrt1", 2));
	assert_int_equal(through(b, b->store, "nrt1", "e1"), 0);
	assert_int_equal(through(b, b->store, "fra1", "e2"), UINT64_MAX);
}

static void what_is_undone_was_never_in(void **state)
{
	struct bed *b = *state;
	bool already;

	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_mark_batch(b->store, "fra1", "e1", 1, &already, &b->err));
	assert_false(already);
	/* Twice in one transaction is once. */
	assert_ok(b, store_mark_batch(b->store, "fra1", "e1", 1, &already, &b->err));
	assert_true(already);
	store_undo(b->store);
	assert_false(mark(b, b->store, "fra1", 1));
	assert_int_equal(through(b, b->store, "fra1", "e1"), 1);
}

static void what_is_refused_counts_as_in(void **state)
{
	static const char bytes[] = "\x28\xb5\x2f\xfd\0\xff";
	struct bed *b = *state;
	bool server = is_server(b->path);

	for (unsigned i = 0; i < 2; i++) {
		assert_ok(b, store_begin(b->store, &b->err));
		assert_ok(b, store_refuse_batch(b->store, "fra1", "e1", 1, "malformed: \xc3\xa4",
						bytes, sizeof(bytes), &b->err));
		assert_ok(b, store_commit(b->store, &b->err));
	}
	assert_int_equal(through(b, b->store, "fra1", "e1"), 1);
	assert_true(mark(b, b->store, "fra1", 1));
	assert_int_equal(number(b->path, server ? "SELECT count(*) FROM batch WHERE refused IS NOT NULL"
						: "SELECT count(*) FROM batch_refused"), 1);
	assert_int_equal(number(b->path, server ? "SELECT length(bytes) FROM batch"
						: "SELECT length(bytes) FROM batch_refused"),
			 sizeof(bytes));
}

/* Megabytes of poison: the latest stay whole, of the others it is known what they were. */
static void what_is_refused_is_bounded(void **state)
{
	enum { SIZE = 1 << 20, KEPT = STORE_REFUSED_BYTES / SIZE, COUNT = KEPT + 7 };
	static unsigned char bytes[SIZE];
	struct bed *b = *state;
	const char *table = is_server(b->path) ? "batch" : "batch_refused";
	static const struct {
		const char *what, *where;
		int64_t is;
	} rows[] = {
		{"count(*)", "vantage = 'fra1'", COUNT},
		{"count(size)", "vantage = 'fra1'", COUNT},
		{"min(size)", "vantage = 'fra1'", SIZE},
		{"sum(length(bytes))", "vantage = 'fra1'", STORE_REFUSED_BYTES},
		{"min(seq)", "vantage = 'fra1' AND bytes IS NOT NULL", COUNT - KEPT + 1},
		{"count(bytes)", "vantage = 'nrt1'", 1},
	};

	for (unsigned i = 0; i <= COUNT; i++) {
		/* The first of all is another's, and stays. */
		const char *vantage = i == 0 ? "nrt1" : "fra1";

		bytes[SIZE / 2] = (unsigned char)i;
		assert_ok(b, store_begin(b->store, &b->err));
		assert_ok(b, store_refuse_batch(b->store, vantage, "e1", i == 0 ? 1 : i, "malformed",
						bytes, SIZE, &b->err));
		assert_ok(b, store_commit(b->store, &b->err));
	}
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char sql[160];

		snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE %s", rows[i].what, table,
			 rows[i].where);
		if (number(b->path, sql) != rows[i].is)
			fail_msg("%s: %lld", sql, (long long)number(b->path, sql));
	}
	assert_int_equal(through(b, b->store, "fra1", "e1"), COUNT);
}

static void what_was_forgotten_is_not_waited_for(void **state)
{
	struct bed *b = *state;

	mark(b, b->store, "fra1", 2);
	mark(b, b->store, "fra1", 7);
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_skip_batches(b->store, "fra1", "e1", 6, &b->err));
	assert_ok(b, store_skip_batches(b->store, "nrt1", "e1", 9, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(through(b, b->store, "fra1", "e1"), 7);
	assert_int_equal(through(b, b->store, "nrt1", "e1"), 9);
	assert_false(mark(b, b->store, "nrt1", 10));
	assert_int_equal(through(b, b->store, "nrt1", "e1"), 10);
	/* Never back. */
	assert_ok(b, store_begin(b->store, &b->err));
	assert_ok(b, store_skip_batches(b->store, "nrt1", "e1", 3, &b->err));
	assert_ok(b, store_commit(b->store, &b->err));
	assert_int_equal(through(b, b->store, "nrt1", "e1"), 10);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct bed *b = *state;
	bool already;

	assert_int_equal(store_mark_batch(b->store, "fra1", "e1", 1, &already, &b->err), BP_EINVAL);
	assert_ok(b, store_begin(b->store, &b->err));
	assert_int_equal(store_mark_batch(b->store, "fra1", "e1", 0, &already, &b->err), BP_EINVAL);
	store_undo(b->store);
	assert_ok(b, store_begin(b->store, &b->err));
	assert_int_equal(store_mark_batch(b->store, "fra1", "e1", UINT64_MAX, &already, &b->err),
			 BP_EINVAL);
	store_undo(b->store);
	assert_false(mark(b, b->store, "fra1", 1));
}

static void two_collectors_see_each_other(void **state)
{
	struct bed *b = *state;
	struct store *other;

	assert_ok(b, store_open(b->path, STORE_WRITE, &other, &b->err));
	for (uint64_t seq = 1; seq <= 20; seq++)
		assert_false(mark(b, seq % 3 ? b->store : other, "fra1", seq));
	for (uint64_t seq = 1; seq <= 20; seq++)
		assert_true(mark(b, seq % 2 ? b->store : other, "fra1", seq));
	assert_int_equal(through(b, b->store, "fra1", "e1"), 20);
	assert_int_equal(through(b, other, "fra1", "e1"), 20);
	store_close(other);
}

static void a_claim_is_one_collectors(void **state)
{
	struct bed *b = *state;
	struct store *other;
	bool mine = false;

	assert_ok(b, store_open(b->path, STORE_WRITE, &other, &b->err));
	assert_ok(b, store_claim(b->store, "events", &mine, &b->err));
	assert_true(mine);
	/* Asked again it is still its. */
	assert_ok(b, store_claim(b->store, "events", &mine, &b->err));
	assert_true(mine);
	assert_ok(b, store_claim(other, "events", &mine, &b->err));
	assert_int_equal(mine, !is_server(b->path));
	assert_ok(b, store_claim(other, "something else", &mine, &b->err));
	assert_true(mine);
	/* With its connection the claim is gone. */
	store_close(b->store);
	b->store = NULL;
	mine = false;
	for (unsigned i = 0; i < 1000 && !mine; i++) {
		assert_ok(b, store_claim(other, "events", &mine, &b->err));
		usleep(10000);
	}
	assert_true(mine);
	store_close(other);
	open_store(b, STORE_WRITE);
}

static void a_store_has_a_name(void **state)
{
	struct bed *b = *state;
	char id[STORE_ID_TEXT], again[STORE_ID_TEXT], file[STORE_NAME];
	struct store *other;

	assert_ok(b, store_id(b->store, id, &b->err));
	assert_int_equal(strlen(id), STORE_ID_TEXT - 1);
	close_store(b);
	open_store(b, STORE_WRITE);
	assert_ok(b, store_id(b->store, again, &b->err));
	assert_string_equal(id, again);
	snprintf(file, sizeof(file), "%s/other.db", b->dir);
	assert_ok(b, store_open(file, STORE_WRITE, &other, &b->err));
	assert_ok(b, store_id(other, again, &b->err));
	assert_string_not_equal(id, again);
	store_close(other);
	/* Who only reads may not know its secret. */
	close_store(b);
	open_store(b, STORE_READ);
	assert_int_equal(store_id(b->store, again, &b->err), BP_EUNSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_store_has_no_marks),
		T(a_mark_stands_before_the_first_hole),
		T(what_is_undone_was_never_in),
		T(what_is_refused_counts_as_in),
		T(what_is_refused_is_bounded),
		T(what_was_forgotten_is_not_waited_for),
		T(what_makes_no_sense_is_refused),
		T(two_collectors_see_each_other),
		T(a_claim_is_one_collectors),
		T(a_store_has_a_name),
	};

	return RUN_ON_BOTH(tests);
}
