// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan's `keep` at the centre: a collector with a real broker, on SQLite and on a real
 * PostgreSQL. What is too old goes, of this campaign and nobody else's; its hours stay; batches are
 * taken in.
 */
#include "tests/unit/campaign/fleet/collect/collect_bed.h"

#include "tests/unit/campaign/engines.h"

#define OLD (300 * 86400) /* days before DAY, in seconds */

enum { OLD_ROUNDS = 200, NEW_ROUNDS = 10 };

struct place { struct server *server; char name[STORE_NAME]; struct bed *b; };

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct bp_error err = {0};

	assert_non_null(p);
	p->server = *state;
	*state = p;
	if (broker_missing())
		return 0;
	p->b = calloc(1, sizeof(*p->b));
	assert_non_null(p->b);
	memset(&fault, 0, sizeof(fault));
	broker_make(&p->b->broker, NULL);
	store_name(p->server, p->b->broker.dir, p->name);
	p->b->agent = broker_bus(&p->b->broker, "fra1", NULL);
	assert_int_equal(bus_setup(p->b->agent, 1, 0, &err), 0);
	assert_int_equal(batch_writer_new(&p->b->writer), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	if (p->b != NULL) {
		collect_close(p->b->c);
		batch_writer_free(p->b->writer);
		bus_close(p->b->agent);
		store_gone(p->name);
		broker_end(&p->b->broker);
		free(p->b);
	}
	free(p);
	return 0;
}

static void collect_into(struct place *p, const char *store)
{
	const struct collect_options o = {
		.bus = {.url = p->b->broker.url, .name = "collect", .inbox = "centre"},
		.store = store, .replicas = 1, .watch = true,
	};
	const struct collect_hooks hooks = {.on_note = on_note, .arg = p->b};
	struct bp_error err = {0};

	if (collect_open(&o, &hooks, &p->b->c, &err) != 0)
		fail_msg("%s", err.text);
}

static void deploy(struct place *p, const char *keep)
{
	struct bp_error err = {0};
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "campaign: c\nevery: 15m\ntargets: [192.0.2.1]\n%s\n", keep);
	if (bus_put(p->b->agent, "BP_FLEET", "plan.c", yaml, strlen(yaml), NULL, &err) != 0)
		fail_msg("%s", err.text);
}

static void add_trace(struct store *s, const struct round *r, unsigned nth)
{
	char line[1024], at[WALL_TEXT];
	struct bp_error err = {0};
	struct record rec;

	snprintf(line, sizeof(line), "{\"type\":\"trace\",\"version\":1,\"id\":\"%s-%s-%u\","
		 "\"vantage\":\"%s\",\"campaign\":\"%s\",\"round\":\"%s\",\"dst\":\"192.0.2.1\","
		 "\"method\":\"icmp\",\"start\":\"%s\",\"stop\":\"reached\",\"reach\":\"reached\","
		 "\"hops\":[{\"ttl\":1,\"probes\":[{\"attempt\":1,\"tx_us\":1,"
		 "\"from\":\"192.0.2.1\",\"rtt_ms\":1.5,\"icmp_type\":0,\"icmp_code\":0}]}]}",
		 r->vantage, r->campaign, nth, r->vantage, r->campaign, r->id,
		 wall_format(r->start, at));
	record_init(&rec);
	if (jsonl_read(line, strlen(line), &rec, &err) != 0 ||
	    store_add_trace(s, rec.trace, NULL, NULL, &err) != 0)
		fail_msg("%s: %s", line, err.text);
	record_fini(&rec);
}

/* Rounds of two traces, each a quarter of an hour behind the other. */
static void fill(struct place *p, const char *campaign, const char *vantage, int64_t since_s,
		 unsigned rounds)
{
	struct bp_error err = {0};
	struct store *s;
	bool already;

	if (store_open(p->name, STORE_WRITE, &s, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(store_begin(s, &err), 0);
	for (unsigned i = 0; i < rounds; i++) {
		struct round r = round_of(vantage, 0);

		snprintf(r.campaign, sizeof(r.campaign), "%s", campaign);
		r.planned.ns = (since_s + i * 900) * NS_PER_S;
		r.start = r.planned;
		r.end.ns = r.start.ns + NS_PER_S;
		round_set_id(&r);
		for (unsigned k = 0; k < 2; k++)
			add_trace(s, &r, (unsigned)(r.planned.ns / NS_PER_S / 450 % 2000000) + k);
		assert_int_equal(store_add_round(s, &r, &already, &err), 0);
	}
	if (store_commit(s, &err) != 0)
		fail_msg("%s", err.text);
	store_close(s);
}

static int64_t traces_of(const struct place *p, const char *campaign, const char *vantage)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM traces WHERE campaign = '%s' AND vantage = "
		 "'%s'", campaign, vantage);
	return number(p->name, sql);
}

static int64_t hours_of(const struct place *p, const char *campaign)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT sum(traces) FROM hours WHERE campaign = '%s'", campaign);
	return number(p->name, sql);
}

static void turn_until(struct place *p, const char *campaign, const char *vantage, int64_t want)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (traces_of(p, campaign, vantage) == want)
			return;
		turn(p->b);
	}
	fail_msg("%s of %s: %" PRId64 " traces, not %" PRId64 "; %s", campaign, vantage,
		 traces_of(p, campaign, vantage), want, p->b->note);
}

#define SKIP_WITHOUT(p) do { if ((p)->b == NULL) skip(); } while (0)

static void what_is_too_old_goes_and_its_hours_stay(void **state)
{
	struct place *p = *state;

	SKIP_WITHOUT(p);
	fill(p, "c", "fra1", DAY - OLD, OLD_ROUNDS);
	fill(p, "c", "gone", DAY - OLD, OLD_ROUNDS);
	fill(p, "c", "fra1", DAY, NEW_ROUNDS);
	fill(p, "other", "fra1", DAY - OLD, OLD_ROUNDS);
	deploy(p, "keep: {traces: 90d, hourly: 3650d}");
	collect_into(p, p->name);
	send_round(p->b, "nrt1", 1, 1);
	turn_until(p, "c", "nrt1", 1);
	turn_until(p, "c", "fra1", 2 * NEW_ROUNDS);
	/* Of one that is of the fleet no more, too. */
	turn_until(p, "c", "gone", 0);
	for (unsigned i = 0; i < 10; i++)
		turn(p->b);
	assert_int_equal(traces_of(p, "c", "fra1"), 2 * NEW_ROUNDS);
	assert_int_equal(traces_of(p, "other", "fra1"), 2 * OLD_ROUNDS);
	assert_int_equal(hours_of(p, "c"), 4 * OLD_ROUNDS);
	assert_int_equal(hours_of(p, "other"), 0);
	assert_non_null(strstr(p->b->note, "c: 800 traces are older"));
	assert_int_equal(number(p->name, "SELECT count(*) FROM rounds"),
			 3 * OLD_ROUNDS + NEW_ROUNDS + 1);
}

static void hours_that_are_too_old_go(void **state)
{
	struct place *p = *state;

	SKIP_WITHOUT(p);
	fill(p, "c", "fra1", DAY - OLD, 8);
	fill(p, "c", "fra1", DAY - 100 * 86400, 8);
	fill(p, "c", "fra1", DAY, NEW_ROUNDS);
	deploy(p, "keep: {traces: 90d, hourly: 200d}");
	collect_into(p, p->name);
	turn_until(p, "c", "fra1", 2 * NEW_ROUNDS);
	for (unsigned i = 0; i < 10; i++)
		turn(p->b);
	assert_int_equal(hours_of(p, "c"), 16);
}

/* Nobody has measured since: what there is is not older for that. And without `keep` all stays. */
static void age_is_reckoned_from_the_latest_round(void **state)
{
	struct place *p = *state;

	SKIP_WITHOUT(p);
	fill(p, "c", "fra1", DAY - OLD, 20);
	deploy(p, "keep: {traces: 90d}");
	collect_into(p, p->name);
	for (unsigned i = 0; i < 20; i++)
		turn(p->b);
	assert_int_equal(traces_of(p, "c", "fra1"), 40);
	collect_close(p->b->c);
	fill(p, "c", "fra1", DAY, 1);
	deploy(p, "");
	collect_into(p, p->name);
	for (unsigned i = 0; i < 20; i++)
		turn(p->b);
	assert_int_equal(traces_of(p, "c", "fra1"), 42);
	collect_close(p->b->c);
	deploy(p, "keep: {traces: 90d}");
	collect_into(p, p->name);
	turn_until(p, "c", "fra1", 2);
}

/* A role that may add and nothing else: told, and results go on. */
static void who_may_not_delete_collects_all_the_same(void **state)
{
	struct place *p = *state;
	char store[STORE_NAME + 32], *user;

	SKIP_WITHOUT(p);
	fill(p, "c", "fra1", DAY - OLD, 8);
	fill(p, "c", "fra1", DAY, 1);
	user = strstr(p->name, "://");
	assert_non_null(user);
	snprintf(store, sizeof(store), "postgresql://writer@%s", strchr(user, '@') + 1);
	server_sql(p->name, "CREATE ROLE writer LOGIN");
	server_sql(p->name, "DO $$ BEGIN EXECUTE 'GRANT USAGE ON SCHEMA ' || current_schema() || ' TO writer';"
		   " EXECUTE 'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ' || current_schema() ||"
		   " ' TO writer'; END $$");
	server_sql(p->name, "GRANT UPDATE ON round, mark TO writer");
	server_sql(p->name, "GRANT EXECUTE ON FUNCTION store_day(date) TO writer");
	deploy(p, "keep: {traces: 90d}");
	collect_into(p, store);
	for (unsigned i = 0; i < PATIENCE && strstr(p->b->note, "keeps it stays") == NULL; i++)
		turn(p->b);
	if (strstr(p->b->note, "permission denied") == NULL)
		fail_msg("%s", p->b->note);
	send_round(p->b, "nrt1", 1, 1);
	turn_until(p, "c", "nrt1", 1);
	assert_int_equal(traces_of(p, "c", "fra1"), 18);
	collect_close(p->b->c);
	p->b->c = NULL;
	server_sql(p->name, "DROP OWNED BY writer");
	server_sql(p->name, "DROP ROLE writer");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest both[] = {
		T(what_is_too_old_goes_and_its_hours_stay),
		T(hours_that_are_too_old_go),
		T(age_is_reckoned_from_the_latest_round),
	};
	const struct CMUnitTest server[] = {
		T(what_is_too_old_goes_and_its_hours_stay),
		T(hours_that_are_too_old_go),
		T(age_is_reckoned_from_the_latest_round),
		T(who_may_not_delete_collects_all_the_same),
	};
	int failed = cmocka_run_group_tests_name("sqlite", both, NULL, NULL);

	failed += run_on_server(server, sizeof(server) / sizeof(server[0]));
	broker_over(NULL);
	return failed;
}
