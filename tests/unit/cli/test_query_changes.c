// SPDX-License-Identifier: BSD-2-Clause
/*
 * events and report over stores, files and both: whatever way the same rounds come, they give the
 * same picture.
 */
#include "tests/unit/cli/query_bed.h"

enum { VANTAGES = 3, SLOTS = 24, SWITCH = 12 };

static const char *const vantages[VANTAGES] = {"fra1", "sin1", "tyo1"};

static struct slot slot_of(unsigned vantage, unsigned i)
{
	bool down = vantage == 2 && i >= 4 && i < 7;

	return (struct slot){
		.vantage = vantages[vantage], .campaign = "nk",
		.carrier = i >= SWITCH ? TTK : UNICOM,
		.start_s = T0_S + 900 * (int64_t)i + 7 * vantage,
		.rtt_ms = i >= SWITCH ? 186 : 280, .targets = down ? 0 : 6, .missed = down ? 6 : 0,
		.why = down ? ROUND_WHY_DOWN : ROUND_WHY_NONE,
		.health = down ? ROUND_HEALTH_UNKNOWN : ROUND_HEALTH_OK,
	};
}

/* all.db and all.jsonl hold everything, VANTAGE.jsonl its own; nothing is judged. */
static void make(struct bed *b)
{
	struct buf lines[VANTAGES], every;
	struct store *all;
	char path[128], name[32];

	snprintf(path, sizeof(path), "%s/all.db", b->dir);
	assert_ok(b, store_open(path, STORE_WRITE, &all, &b->why));
	buf_init(&every);
	for (unsigned v = 0; v < VANTAGES; v++)
		buf_init(&lines[v]);
	for (unsigned i = 0; i < SLOTS; i++) {
		for (unsigned v = 0; v < VANTAGES; v++) {
			struct slot s = slot_of(v, i);
			size_t before = every.used;

			put_round(b, all, &s, &every);
			buf_append(&lines[v], every.bytes + before, every.used - before);
		}
	}
	store_close(all);
	write_file(b, "all.jsonl", every.bytes);
	for (unsigned v = 0; v < VANTAGES; v++) {
		snprintf(name, sizeof(name), "%s.jsonl", vantages[v]);
		write_file(b, name, lines[v].bytes);
		buf_fini(&lines[v]);
	}
	buf_fini(&every);
}

/* A store of its own for a vantage point: with the very records of all.jsonl. */
struct copying {
	struct bed *b;
	struct store *to;
	bool open;
};

static int copy_record(void *arg, struct record *r, struct bp_error *err)
{
	struct copying *c = arg;
	struct round round;
	bool already;

	if (!c->open) {
		assert_int_equal(store_begin(c->to, err), 0);
		c->open = true;
	}
	if (r->kind == RECORD_TRACE)
		return store_add_trace(c->to, r->trace, &r->names, &r->verdict, err);
	assert_int_equal(round_read(r, &round, err), 0);
	assert_int_equal(store_add_round(c->to, &round, &already, err), 0);
	assert_int_equal(store_commit(c->to, err), 0);
	c->open = false;
	return 0;
}

static void split_store(struct bed *b)
{
	struct store *all;
	char path[128];

	snprintf(path, sizeof(path), "%s/all.db", b->dir);
	assert_ok(b, store_open(path, STORE_READ, &all, &b->why));
	for (unsigned v = 0; v < VANTAGES; v++) {
		struct store_select select = {.vantage = vantages[v]};
		struct copying c = {.b = b};

		snprintf(path, sizeof(path), "%s/%s.db", b->dir, vantages[v]);
		assert_ok(b, store_open(path, STORE_WRITE, &c.to, &b->why));
		assert_ok(b, store_read(all, &select, copy_record, &c, &b->why));
		store_close(c.to);
	}
	store_close(all);
}

/* What a clock that ran ahead, or a copy that was made too early, tells of rounds that were
 * measured: that nobody did. */
static int copy_gap(void *arg, struct record *r, struct bp_error *err)
{
	struct copying *c = arg;
	struct round round;
	bool already;

	if (r->kind != RECORD_ROUND)
		return 0;
	assert_int_equal(round_read(r, &round, err), 0);
	round.start.ns = round.end.ns = 0;
	round.done = round.traces = 0;
	round.missed = round.expected;
	round.why = ROUND_WHY_DOWN;
	round.health = ROUND_HEALTH_UNKNOWN;
	assert_int_equal(store_begin(c->to, err), 0);
	assert_int_equal(store_add_round(c->to, &round, &already, err), 0);
	return store_commit(c->to, err);
}

static void make_gaps(struct bed *b)
{
	struct store_select select = {.vantage = "sin1"};
	struct copying c = {.b = b};
	struct store *all;
	char path[128];

	snprintf(path, sizeof(path), "%s/all.db", b->dir);
	assert_ok(b, store_open(path, STORE_READ, &all, &b->why));
	snprintf(path, sizeof(path), "%s/gaps.db", b->dir);
	assert_ok(b, store_open(path, STORE_WRITE, &c.to, &b->why));
	assert_ok(b, store_read(all, &select, copy_gap, &c, &b->why));
	store_close(c.to);
	store_close(all);
	assert_exit(b, 0, "convert --to jsonl -o %s/gaps.jsonl %s/gaps.db", b->dir, b->dir);
}

static void assert_all_the_same(struct bed *b, const char *command)
{
	static const char *const ways[] = {
		"all.jsonl", "fra1.jsonl sin1.jsonl tyo1.jsonl", "tyo1.jsonl sin1.jsonl fra1.jsonl",
		"fra1.db sin1.db tyo1.db", "tyo1.db fra1.db sin1.db", "fra1.db sin1.jsonl tyo1.db",
		"all.db all.jsonl", "all.jsonl all.db", "all.db fra1.db", "all.jsonl fra1.jsonl",
		"sqlite:all.db all.db", "gaps.db all.db", "all.db gaps.db", "gaps.jsonl all.jsonl",
		"all.jsonl gaps.jsonl", "gaps.db all.jsonl", "all.db gaps.jsonl",
		"gaps.db fra1.db sin1.jsonl tyo1.db",
	};
	char words[512], *want;

	assert_exit(b, 0, "%s %s/all.db", command, b->dir);
	want = strdup(b->out);
	assert_true(strlen(want) > 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char copy[256], *at = copy, *word;
		size_t used = 0;

		snprintf(copy, sizeof(copy), "%s", ways[i]);
		while ((word = strsep(&at, " ")) != NULL) {
			bool url = strncmp(word, "sqlite:", 7) == 0;

			used += (size_t)snprintf(words + used, sizeof(words) - used, " %s%s/%s",
						 url ? "sqlite:" : "", b->dir, word + (url ? 7 : 0));
		}
		assert_exit(b, 0, "%s%s", command, words);
		if (strcmp(b->out, want) != 0)
			fail_msg("%s of %s:\n%s\nof the store:\n%s", command, ways[i], b->out, want);
	}
	free(want);
}

static void whatever_way_rounds_come(void **state)
{
	struct bed *b = *state;

	make(b);
	split_store(b);
	make_gaps(b);
	assert_all_the_same(b, "events --format jsonl --all");
	assert_int_equal(lines(b->out, "border_switch") > 0, 1);
	assert_all_the_same(b, "events --format jsonl");
	assert_all_the_same(b, "report --format json");
	assert_all_the_same(b, "report --format json --since 2026-11-22T12:00:00Z "
			    "--until 2026-11-22T15:00:00Z");
	assert_all_the_same(b, "report --format text --vantage sin1");
	assert_all_the_same(b, "report --format json --prefix 175.45.176.0/24");
	assert_all_the_same(b, "report --format json --border khasan");
}

/* What the daemon judged is taken as it stands; by another profile it is judged anew. */
static void judged_or_not(void **state)
{
	struct bed *b = *state;
	char *bare;

	make(b);
	assert_exit(b, 0, "report --format json %s/all.db", b->dir);
	bare = strdup(b->out);
	assert_exit(b, 0, "judge --format jsonl -o %s/judged.jsonl %s/all.db", b->dir, b->dir);
	assert_exit(b, 0, "report --format json %s/all.db", b->dir);
	assert_string_equal(b->out, bare);
	assert_exit(b, 0, "report --format json %s/judged.jsonl", b->dir);
	assert_string_equal(b->out, bare);
	free(bare);
}

static void one_of_several_is_damaged(void **state)
{
	struct bed *b = *state;
	char path[128];
	FILE *f;

	make(b);
	split_store(b);
	snprintf(path, sizeof(path), "%s/sin1.db", b->dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	/* The head of the file stays. */
	for (long at = 32768; at < 400000 && fseek(f, at, SEEK_SET) == 0; at += 16384)
		fwrite("damaged damaged damaged damaged damaged ", 1, 40, f);
	fclose(f);
	assert_exit(b, 3, "events --format jsonl %s/fra1.db %s/sin1.db %s/tyo1.db", b->dir, b->dir,
		    b->dir);
	assert_int_equal(lines(b->err, "sin1.db: damaged"), 1);
	assert_true(strlen(b->out) > 0);
	assert_exit(b, 3, "report --format json %s/fra1.db %s/none.db", b->dir, b->dir);
	assert_exit(b, 1, "report --format json %s/none.db", b->dir);
}

static void the_default_store_and_its_last_week(void **state)
{
	struct bed *b = *state;

	make(b);
	assert_exit(b, 2, "events");
	assert_exit(b, 0, "events --format jsonl --store %s/all.db --since 2026-11-01T00:00:00Z",
		    b->dir);
	assert_int_equal(lines(b->out, "border_switch"), 2);
	assert_exit(b, 1, "report --store %s/all.db --until 2026-11-01T00:00:00Z", b->dir);
	assert_int_equal(lines(b->err, "nothing was measured"), 1);
	/* Of --until the week before it. */
	assert_exit(b, 0, "events --format jsonl --store %s/all.db --until 2026-11-24T00:00:00Z",
		    b->dir);
	assert_int_equal(lines(b->out, "border_switch"), 2);
	assert_exit(b, 2, "report --store %s/all.db %s/all.jsonl", b->dir, b->dir);
	assert_exit(b, 1, "report -o %s/all.db %s/all.jsonl", b->dir, b->dir);
	assert_int_equal(lines(b->err, "is a store"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(whatever_way_rounds_come),
		T(judged_or_not),
		T(one_of_several_is_damaged),
		T(the_default_store_and_its_last_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
