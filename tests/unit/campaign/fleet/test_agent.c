// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole agent against a real broker, with a stand-in for the centre (this program) and for
 * `campaign run` (a script that writes down what it is told). The agent is this program, executed
 * anew: it can be killed like any other. Real rounds: tests/lab/t_fleet_agent.sh.
 */
#include "tests/unit/campaign/fleet/agent_bed.h"

/* --- tests ------------------------------------------------------------------------------------ */

static void what_is_sent_is_kept_until_the_watermark(void **state)
{
	struct bed *b = *state;
	char other[BATCH_EPOCH_TEXT] = "zzzzzzzz";

	if (broker_missing())
		skip();
	start_centre(b);
	for (unsigned i = 0; i < 3; i++)
		put_round(b, i, 300);
	start_agent(b, 0);
	assert_true(collect(b, 6));
	assert_int_equal(b->traces, 900);
	assert_int_equal(b->rounds, 3);
	/* Neither another spool's, nor what was never sent. */
	mark(b, other, 6);
	mark(b, b->epoch, 7);
	assert_true(status_says(b, "errors", "last", "a watermark of 7"));
	assert_true(status_says(b, "batches", "confirmed", "0"));
	mark(b, b->epoch, 4);
	assert_true(status_says(b, "batches", "confirmed", "4"));
	assert_true(status_says(b, "batches", "traces", "301"));
	/* Of a new epoch: whoever sent a seventh may send an eighth. */
	snprintf(other, sizeof(other), "%s", b->epoch);
	put_round(b, 3, 1);
	assert_true(collect(b, 7));
	assert_string_not_equal(b->epoch, other);
	mark_all(b);
	assert_true(status_says(b, "batches", "confirmed", "7"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
	assert_int_equal(b->others, 0);
}

/* What an outbox has confirmed, whoever has it open. */
static uint64_t confirmed_of(const struct bed *b)
{
	struct bp_error err;
	struct cut_state st;
	struct cut *c;
	char path[128];

	snprintf(path, sizeof(path), "%s/outbox.db", b->spool);
	if (cut_open(path, "v", &c, &err) < 0)
		fail_msg("%s", err.text);
	cut_state(c, &st);
	cut_close(c);
	return st.confirmed;
}

struct counting { enum record_kind kind; unsigned count; };

static int count_kind(void *arg, struct record *r, struct bp_error *err)
{
	struct counting *n = arg;

	(void)err;
	n->count += r->kind == n->kind;
	return 0;
}

static unsigned stored(const char *url, enum record_kind kind)
{
	const struct store_select all = {0};
	struct counting n = {.kind = kind};
	struct bp_error err = {0};
	struct store *s;

	if (store_open(url, STORE_READ, &s, &err) < 0 ||
	    store_read(s, &all, count_kind, &n, &err) < 0)
		fail_msg("%s", err.text);
	store_close(s);
	return n.count;
}

static void killed_at_any_time_all_arrives_and_the_same(void **state)
{
	struct bed *b = *state;
	struct bp_error err;
	struct cut_state st;
	struct cut *c;
	char path[128];

	if (broker_missing())
		skip();
	start_centre(b);
	for (unsigned i = 0; i < 4; i++) {
		put_round(b, i, 20);
		start_agent(b, 0);
		/* Somewhere: before it is connected, while it sends. */
		for (unsigned k = randombytes_uniform(12); k > 0; k--)
			broker_nap();
		end_agent(b, SIGKILL);
		if (i == 1) {
			broker_kill(&b->broker);
			broker_start(&b->broker);
		}
	}
	start_agent(b, 0);
	assert_true(collect(b, 4));
	/* Nothing was confirmed: a new process sends all of it again, by the names of the old ones
	 * at first, which the broker knows. */
	end_agent(b, SIGKILL);
	start_agent_so(b, b->broker.url, 0, NS_PER_S / 2);
	for (unsigned i = 0; i < TRIES && b->batches[3].arrived < 2; i++) {
		(void)collect(b, 4);
		broker_nap();
	}
	assert_true(b->batches[3].arrived >= 2);
	assert_int_equal(b->count, 4);
	assert_int_equal(b->rounds, 4);
	assert_int_equal(b->others, 0);
	/* The broker away for a while; rounds go on. */
	broker_kill(&b->broker);
	put_round(b, 4, 20);
	broker_start(&b->broker);
	assert_true(collect(b, 5));
	/* Of several lives, each an epoch. */
	mark_all(b);
	assert_true(status_says(b, "batches", "confirmed", "5"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
	snprintf(path, sizeof(path), "%s/outbox.db", b->spool);
	assert_int_equal(cut_open(path, "v", &c, &err), 0);
	cut_state(c, &st);
	assert_int_equal(st.cut, 5);
	assert_int_equal(st.confirmed, 5);
	cut_close(c);
}

/* The broker has it, and no watermark comes: what the broker has may be lost. */
static void without_a_watermark_it_is_sent_again_in_time(void **state)
{
	const int64_t again = NS_PER_S / 2;
	struct bed *b = *state;
	char id[BATCH_ID_TEXT];

	if (broker_missing())
		skip();
	start_centre(b);
	put_round(b, 0, 20);
	start_agent_so(b, b->broker.url, 0, again);
	for (unsigned i = 0; i < TRIES && b->batches[0].arrived < STAMPS; i++) {
		(void)collect(b, 1);
		broker_nap();
	}
	assert_true(b->batches[0].arrived >= STAMPS);
	/* Each pause is at least twice the one before it. */
	for (unsigned i = 0; i < STAMPS; i++) {
		snprintf(id, sizeof(id), "v.%s.1.%u", b->epoch, i);
		assert_string_equal(b->ids[i], id);
		if (i > 0)
			assert_true(b->stamps[i].ns - b->stamps[i - 1].ns >= (again << (i - 1)));
	}
	assert_int_equal(b->others, 0);
	mark(b, b->epoch, 1);
	assert_true(status_says(b, "batches", "confirmed", "1"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

/* The centre commits, and its agent hears nothing of it for a while. */
static void what_is_sent_again_is_in_the_store_once(void **state)
{
	static const char deaf[] =
		"authorization {users: [{user: centre, password: c}, {user: agent, password: a,"
		" permissions: {subscribe: {deny: \"bp.mark.>\"}, publish: {deny: \"bp.ask.>\"}}}]}";
	struct bed *b = *state;
	struct collect_counts n = {0};
	struct bp_error err = {0};
	struct collect_hooks hooks = {0};
	struct collect_options o = {.store = "sqlite:", .replicas = 1};
	char url[96], store[128];
	struct collect *c;
	bool known = false;

	if (broker_missing())
		skip();
	broker_make(&b->broker, deaf);
	snprintf(store, sizeof(store), "sqlite:%s/store.db", b->dir);
	snprintf(url, sizeof(url), "nats://centre:c@127.0.0.1:%u", b->broker.port);
	o = (struct collect_options){.bus = {.url = url, .name = "collect", .inbox = "centre"},
				     .store = store, .replicas = 1};
	if (collect_open(&o, &hooks, &c, &err) < 0)
		fail_msg("%s", err.text);
	put_round(b, 0, 20);
	snprintf(url, sizeof(url), "nats://agent:a@127.0.0.1:%u", b->broker.port);
	start_agent_so(b, url, 0, NS_PER_S);
	for (unsigned i = 0; i < TRIES && n.again == 0; i++) {
		collect_step(c, 20 * NS_PER_MS);
		collect_count(c, &n);
	}
	assert_int_equal(n.batches, 1);
	assert_int_equal(n.traces, 20);
	assert_true(n.again > 0);
	assert_int_equal(stored(store, RECORD_TRACE), 20);
	assert_int_equal(stored(store, RECORD_ROUND), 1);
	assert_int_equal(confirmed_of(b), 0);
	assert_int_equal(end_agent(b, SIGTERM), 0);
	/* As soon as it hears, it forgets. */
	snprintf(url, sizeof(url), "nats://centre:c@127.0.0.1:%u", b->broker.port);
	start_agent_so(b, url, 0, NS_PER_S);
	for (unsigned i = 0; i < TRIES && !known; i++) {
		collect_step(c, 20 * NS_PER_MS);
		known = confirmed_of(b) == 1;
	}
	assert_true(known);
	assert_int_equal(end_agent(b, SIGTERM), 0);
	collect_close(c);
}

static void put_plan(struct bed *b, const char *key, const char *yaml)
{
	struct bp_error err = {0};

	if (bus_put(b->bus, "BP_PLANS", key, yaml, strlen(yaml), NULL, &err) < 0)
		fail_msg("%s", err.text);
}

#define PLAN(name, every) \
	"campaign: " name "\nvantage: other\nevery: " every "\ntargets: [192.0.2.1]\n" \
	"alerts: {exec: /bin/false}\n"

static void plans_come_change_and_go(void **state)
{
	struct bed *b = *state;
	struct bp_error err = {0};
	char path[128];

	if (broker_missing())
		skip();
	start_centre(b);
	start_agent(b, 0);
	put_plan(b, "v.one", PLAN("one", "15m"));
	put_plan(b, "w.two", PLAN("two", "15m")); /* another's */
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_true(file_has(b, "child", "start campaign run --store sqlite:"));
	assert_true(file_has(b, "spool/plans/one.yaml", "name: v"));
	assert_false(file_has(b, "spool/plans/one.yaml", "/bin/false"));
	assert_true(status_says(b, "plans", "state", "running"));
	/* Refused, one after the other; the good one stays. */
	put_plan(b, "v.one", "campaign: one\nevery: soon\n");
	assert_true(status_says(b, "plans", "reason", "one:2:8"));
	assert_true(status_says(b, "plans", "state", "refused"));
	put_plan(b, "v.one", PLAN("another", "15m"));
	assert_true(status_says(b, "plans", "reason", "it is of campaign another"));
	put_plan(b, "v.one", "campaign: one\nevery: 15m\ntargets: ['@/etc/passwd']\n");
	assert_true(status_says(b, "plans", "reason", "not files"));
	put_plan(b, "v.one", "campaign: one\nevery: 15m\nprofile: /etc/passwd\n");
	assert_true(status_says(b, "plans", "reason", "not a file"));
	put_plan(b, "v.one", "campaign: one\nevery: 15m\nprofile: nowhere\n");
	assert_true(status_says(b, "plans", "reason", "nowhere"));
	assert_false(file_has(b, "child", "reload"));
	assert_false(file_has(b, "child", "stop"));
	assert_true(file_has(b, "spool/plans/one.yaml", "15m"));
	/* Changed: read again. */
	put_plan(b, "v.one", PLAN("one", "30m"));
	assert_true(file_waits_for(b, "child", "reload"));
	assert_true(file_has(b, "spool/plans/one.yaml", "30m"));
	/* Another set of them: started anew. */
	put_plan(b, "v.two", PLAN("two", "15m"));
	assert_true(file_waits_for(b, "child", "/plans/two.yaml"));
	assert_true(file_has(b, "child", "stop"));
	empty_file(b, "child");
	assert_int_equal(bus_delete(b->bus, "BP_PLANS", "v.two", &err), 0);
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_false(file_has(b, "child", "two.yaml"));
	/* A child that dies is started again. */
	empty_file(b, "child");
	file_of(b, "die", path);
	close(creat(path, 0600));
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_true(status_says(b, "errors", "last", "ended with code 3"));
	/* Without a broker, what is on disk runs; it dies with its agent. */
	empty_file(b, "child");
	broker_kill(&b->broker);
	end_agent(b, SIGKILL);
	assert_true(file_waits_for(b, "child", "stop"));
	empty_file(b, "child");
	start_agent(b, 0);
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
	assert_true(file_has(b, "child", "stop"));
}

/* As on a disk that is full, and has room again later. */
static void a_plan_that_cannot_be_written_is_written_later(void **state)
{
	struct bed *b = *state;
	char plans[128], in_the_way[128];

	if (broker_missing())
		skip();
	start_centre(b);
	file_of(b, "spool/plans", plans);
	file_of(b, "spool/plans/one.yaml", in_the_way);
	assert_int_equal(mkdir(plans, 0700), 0);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	put_plan(b, "v.one", PLAN("one", "15m"));
	start_agent(b, 0);
	assert_true(status_says(b, "plans", "state", "refused"));
	assert_int_equal(rmdir(in_the_way), 0);
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_true(status_says(b, "plans", "state", "running"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

/* It is installed a while behind the plan that names it. */
static void a_plan_whose_profile_is_missing_runs_when_it_is_there(void **state)
{
	struct bed *b = *state;
	char command[256];

	if (broker_missing())
		skip();
	start_centre(b);
	put_plan(b, "v.one", PLAN("one", "15m") "profile: later\n");
	start_agent(b, 0);
	assert_true(status_says(b, "plans", "state", "refused"));
	assert_true(status_says(b, "plans", "reason", "later"));
	assert_true(file_has(b, "agent.log", "revision 1 is refused"));
	snprintf(command, sizeof(command), "cd '%s/borderpath/profiles' && cp dprk.yaml later.yaml",
		 b->dir);
	assert_int_equal(system(command), 0);
	assert_true(file_waits_for(b, "child", "/plans/one.yaml"));
	assert_true(status_says(b, "plans", "state", "running"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

static void a_full_spool_drops_the_oldest_and_says_so(void **state)
{
	struct bed *b = *state;
	struct cut_state st = {0};
	struct bp_error err;
	struct cut *c;
	char path[128];

	if (broker_missing())
		skip();
	snprintf(b->broker.url, sizeof(b->broker.url), "nats://127.0.0.1:%u", broker_free_port());
	for (unsigned i = 0; i < 30; i++)
		put_round(b, i, 250);
	/* Weeks without a centre; a few of them are cut ahead. */
	start_agent(b, 1200000);
	assert_true(file_waits_for(b, "agent.log", "dropped unsent"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
	snprintf(path, sizeof(path), "%s/outbox.db", b->spool);
	assert_int_equal(cut_open(path, "v", &c, &err), 0);
	cut_state(c, &st);
	cut_close(c);
	assert_true(st.lost_traces > 0);
	start_centre(b);
	start_agent(b, 0);
	assert_true(collect(b, 30));
	assert_int_equal(b->rounds, 30);
	assert_int_equal(b->traces + b->missed, 30 * 250);
	assert_int_equal(b->missed, st.lost_traces);
	assert_true(status_says(b, "spool", "lost_traces", ""));
}

static void a_damaged_outbox_is_put_aside(void **state)
{
	struct bed *b = *state;
	char path[128], first[BATCH_EPOCH_TEXT];
	FILE *f;

	if (broker_missing())
		skip();
	start_centre(b);
	put_round(b, 0, 3);
	start_agent(b, 0);
	assert_true(collect(b, 1));
	snprintf(first, sizeof(first), "%s", b->epoch);
	assert_int_equal(end_agent(b, SIGTERM), 0);
	snprintf(path, sizeof(path), "%s/outbox.db", b->spool);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 3000; i++)
		fputs("no outbox\n", f);
	fclose(f);
	put_round(b, 1, 4);
	start_agent(b, 0);
	/* The first round again, and the second. */
	assert_true(collect(b, 3));
	assert_string_not_equal(b->epoch, first);
	assert_int_equal(b->rounds, 3);
	assert_int_equal(b->traces, 3 + 3 + 4);
	assert_int_equal(b->missed, 0);
	assert_true(status_says(b, "errors", "last", ".damaged-"));
	mark_all(b);
	assert_true(status_says(b, "batches", "confirmed", "2"));
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

static void one_agent_a_spool(void **state)
{
	struct bed *b = *state;
	pid_t first;

	snprintf(b->broker.url, sizeof(b->broker.url), "nats://127.0.0.1:%u", broker_free_port());
	start_agent(b, 0);
	first = b->agent;
	for (unsigned i = 0; i < TRIES && !file_has(b, "spool/agent.lock", "\n"); i++)
		broker_nap();
	start_agent(b, 0);
	assert_true(file_waits_for(b, "agent.log", "has this spool already"));
	waitpid(b->agent, NULL, 0);
	b->agent = first;
	assert_int_equal(end_agent(b, SIGTERM), 0);
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_sent_is_kept_until_the_watermark),
		T(killed_at_any_time_all_arrives_and_the_same),
		T(without_a_watermark_it_is_sent_again_in_time),
		T(what_is_sent_again_is_in_the_store_once),
		T(plans_come_change_and_go),
		T(a_plan_that_cannot_be_written_is_written_later),
		T(a_plan_whose_profile_is_missing_runs_when_it_is_there),
		T(a_full_spool_drops_the_oldest_and_says_so),
		T(a_damaged_outbox_is_put_aside),
		T(one_agent_a_spool),
	};

	if (argc == 6 && strcmp(argv[1], "agent") == 0)
		return be_agent(argv);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, broker_over);
}
