// SPDX-License-Identifier: BSD-2-Clause
/* A fleet's results go into one store: another one is refused, and who looks sees whether it
 * answers. */
#include "tests/unit/campaign/fleet/collect/collect_bed.h"

#include "campaign/fleet/collect_inside.h"

#define KEY "collect="

static int try_open(struct bed *b, const char *store, bool new_store, struct collect **out,
		    struct bp_error *err)
{
	struct collect_options o = {
		.bus = {.url = b->broker.url, .name = "collect", .inbox = "centre"},
		.store = store, .replicas = 1, .new_store = new_store,
	};
	const struct collect_hooks hooks = {.on_round = on_round, .on_note = on_note, .arg = b};

	return collect_open(&o, &hooks, out, err);
}

/* What the entry says of the store; why: NULL, nothing. */
static void assert_said(struct bed *b, enum node_kind answers, const char *why)
{
	const struct json_node *said;
	struct bp_error err = {0};
	struct json_node *dom;
	struct buf text;

	buf_init(&text);
	if (bus_get(b->agent, "BP_CENTRE", KEY, &text, NULL, NULL, &err) != 0)
		fail_msg("%s", err.text);
	dom = json_tree(text.bytes, text.used, NULL);
	assert_true(node_is(node_get(dom, "store_answers"), answers));
	said = node_get(dom, "why");
	assert_int_equal(said != NULL, why != NULL);
	if (why != NULL)
		assert_string_equal(node_text(said), why);
	free(dom);
	buf_fini(&text);
}

static void another_store_is_refused(void **state)
{
	struct collect *other;
	struct bp_error err = {0};
	char store[160];
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	/* The same one again is none. */
	assert_int_equal(try_open(b, b->store, false, &other, &err), 0);
	collect_close(other);
	snprintf(store, sizeof(store), "sqlite:%s/other.db", b->broker.dir);
	assert_int_equal(try_open(b, store, false, &other, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "--new-store"));
	assert_int_equal(try_open(b, store, true, &other, &err), 0);
	/* Whom it took the place of takes nothing more. */
	assert_false(collect_failed(b->c, &err));
	b->c->centre_next = mono_now();
	send_part(b, "fra1", 1, 1, 1, 1, 0);
	collect_step(b->c, TURN_NS);
	assert_true(collect_failed(b->c, &err));
	assert_int_equal(err.code, BP_EPERM);
	assert_int_equal(ask_store(b, "SELECT count(*) FROM traces"), 0);
	for (unsigned i = 0; i < PATIENCE && b->round_count == 0; i++)
		collect_step(other, TURN_NS);
	assert_int_equal(b->round_count, 1);
	collect_close(other);
	bed_close(b);
}

/* As a server that was given another database while it was away. */
static void a_store_that_becomes_another_is_refused(void **state)
{
	const char *const ends[] = {"", "-wal", "-shm"};
	struct collect_counts n = {.store = true};
	struct bp_error err = {0};
	char file[160];
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	fault.commits = 1;
	send_part(b, "fra1", 1, 1, 1, 1, 0);
	while (fault.commits > 0)
		collect_step(b->c, TURN_NS);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(file, sizeof(file), "%s%s", b->store + strlen("sqlite:"), ends[i]);
		unlink(file);
	}
	for (unsigned i = 0; i < PATIENCE && !collect_failed(b->c, &err); i++)
		collect_step(b->c, TURN_NS);
	assert_true(collect_failed(b->c, &err));
	collect_count(b->c, &n);
	assert_int_equal(n.batches, 0);
	bed_close(b);
}

static void who_looks_sees_whether_it_answers(void **state)
{
	struct collect_counts n = {.store = true};
	struct bed *b;

	(void)state;
	if (broker_missing())
		skip();
	b = bed_open();
	assert_said(b, NODE_TRUE, NULL);
	fault.commits = 1000;
	send_part(b, "fra1", 1, 1, 1, 1, 0);
	for (unsigned i = 0; i < PATIENCE && n.store; i++) {
		collect_step(b->c, TURN_NS);
		collect_count(b->c, &n);
	}
	assert_said(b, NODE_FALSE, "the server went away");
	fault.commits = 0;
	for (unsigned i = 0; i < PATIENCE && b->round_count == 0; i++)
		collect_step(b->c, TURN_NS);
	assert_int_equal(b->round_count, 1);
	assert_said(b, NODE_TRUE, NULL);
	bed_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_store_is_refused),
		cmocka_unit_test(a_store_that_becomes_another_is_refused),
		cmocka_unit_test(who_looks_sees_whether_it_answers),
	};

	return cmocka_run_group_tests(tests, NULL, broker_over);
}
