// SPDX-License-Identifier: BSD-2-Clause
/* What an agent says where something is wrong: once, with the reason, and that it is over. */
#include "tests/unit/campaign/fleet/agent_bed.h"

static unsigned count_in(const struct bed *b, const char *name, const char *text)
{
	char path[128], bytes[16384];
	unsigned n = 0;
	FILE *f;
	size_t size;

	file_of(b, name, path);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	size = fread(bytes, 1, sizeof(bytes) - 1, f);
	bytes[size] = '\0';
	fclose(f);
	for (const char *at = bytes; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* The error that its status tells is gone, too. */
static bool status_has_no_error(struct bed *b)
{
	struct bp_error err = {0};
	struct buf text;
	bool gone = false;

	buf_init(&text);
	for (unsigned i = 0; i < TRIES && !gone; i++) {
		gone = bus_get(b->bus, "BP_STATUS", "v", &text, NULL, NULL, &err) == 0 &&
		       strstr(text.bytes, "\"last\"") == NULL;
		if (!gone)
			broker_nap();
	}
	if (!gone)
		print_error("%s\n", text.bytes != NULL ? text.bytes : "no status");
	buf_fini(&text);
	return gone;
}

static void why_there_is_no_broker_is_said_once(void **state)
{
	struct bed *b = *state;

	if (broker_missing())
		skip();
	start_centre(b);
	broker_kill(&b->broker);
	start_agent(b, 0);
	assert_true(file_waits_for(b, "agent.log", "refused: no broker listens there"));
	for (unsigned i = 0; i < 50; i++)
		broker_nap();
	assert_int_equal(count_in(b, "agent.log", "refused: no broker"), 1);
	broker_start(&b->broker);
	assert_true(file_waits_for(b, "agent.log", "connected to nats://"));
	assert_true(status_has_no_error(b));
	broker_kill(&b->broker);
	assert_true(file_waits_for(b, "agent.log", "the connection was lost"));
	broker_start(&b->broker);
	assert_true(file_waits_for(b, "agent.log", "the broker answers again: nats://"));
	assert_true(status_has_no_error(b));
	assert_int_equal(count_in(b, "agent.log", "connected to"), 1);
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

/* With the key of another vantage point: one line, and no flood of the server's words. */
static void a_key_of_another_is_said_once(void **state)
{
	static const char another[] =
		"authorization {users: [{user: centre, password: c}, {user: w, password: w,"
		" permissions: {subscribe: [\"_INBOX.w.>\"], publish: [\"bp.result.w\"]}}]}";
	struct bed *b = *state;
	char url[96];

	if (broker_missing())
		skip();
	broker_make(&b->broker, another);
	snprintf(url, sizeof(url), "nats://w:w@127.0.0.1:%u", b->broker.port);
	put_round(b, 0, 2);
	start_agent_so(b, url, 0, 0);
	assert_true(file_waits_for(b, "agent.log", "this key is not v's (wrong --nkey or "
				   "--vantage)"));
	for (unsigned i = 0; i < 100; i++)
		broker_nap();
	assert_int_equal(count_in(b, "agent.log", "this key is not v's"), 1);
	assert_int_equal(count_in(b, "agent.log", "\n"), 1);
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(why_there_is_no_broker_is_said_once),
		T(a_key_of_another_is_said_once),
	};

	if (argc == 6 && strcmp(argv[1], "agent") == 0)
		return be_agent(argv);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, broker_over);
}
