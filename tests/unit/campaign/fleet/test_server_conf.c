// SPDX-License-Identifier: BSD-2-Clause
/* What each role of a fleet may, tried at a real nats-server with the configuration that we write:
 * all that it needs goes, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <nats/nats.h>
#include <pthread.h>
#include <sodium.h>

#include "campaign/fleet/server_conf.h"
#include "tests/unit/campaign/fleet/broker_bed.h"

enum { KEYS = 5 };
static const char *const names[KEYS] = {"fra1", "sgp1", "centre", "operator", "system"};

struct bed {
	struct broker broker;
	struct roster roster;
	char dir[64], file[KEYS][96];
};

/* --- the bed ---------------------------------------------------------------------------------- */

static const char *key_of(const struct bed *b, const char *name)
{
	for (int i = 0; i < KEYS; i++) {
		if (strcmp(names[i], name) == 0)
			return b->file[i];
	}
	fail_msg("no key of %s", name);
	return NULL;
}

static void make_key(struct bed *b, int i, char public_key[static NKEY_PUBLIC_TEXT])
{
	char seed[NKEY_SEED_TEXT];
	FILE *f;

	nkey_make(seed, public_key);
	snprintf(b->file[i], sizeof(b->file[i]), "%s/%s.nk", b->dir, names[i]);
	f = fopen(b->file[i], "w");
	assert_non_null(f);
	fprintf(f, "%s\n", seed);
	fclose(f);
	chmod(b->file[i], 0600);
}

static int raise_bed(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char nkey[NKEY_PUBLIC_TEXT];
	struct bp_error err = {0};
	struct bus *centre;
	struct buf text;

	*state = b;
	if (broker_missing())
		return 0;
	snprintf(b->dir, sizeof(b->dir), "/tmp/bp-conf.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	for (int i = 0; i < 2; i++) {
		make_key(b, i, nkey);
		assert_int_equal(roster_add(&b->roster, names[i], nkey, wall_now(), &err), 0);
	}
	make_key(b, 2, b->roster.centre);
	make_key(b, 3, b->roster.operator);
	make_key(b, 4, b->roster.system);
	buf_init(&text);
	server_conf_put_accounts(&text, &b->roster);
	broker_make(&b->broker, text.bytes);
	buf_fini(&text);
	centre = broker_bus(&b->broker, "centre", key_of(b, "centre"));
	assert_int_equal(bus_setup(centre, 1, 0, &err), 0);
	bus_close(centre);
	return 0;
}

static int fell_bed(void **state)
{
	struct bed *b = *state;
	char command[128];

	broker_end(&b->broker);
	if (b->dir[0] != '\0') {
		snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
		assert_int_equal(system(command), 0);
	}
	roster_fini(&b->roster);
	free(b);
	return broker_over(NULL);
}

/* What fails while the server reads its configuration goes the next time. */
#define EVENTUALLY(call) do { \
		int rc_ = BP_EAGAIN; \
		for (int i_ = 0; i_ < 500 && rc_ != 0; i_++) { \
			rc_ = (call); \
			if (rc_ != 0) \
				broker_nap(); \
		} \
		assert_int_equal(rc_, 0); \
	} while (0)
#define SKIP_WITHOUT_BROKER(b) do { if ((b)->dir[0] == '\0') skip(); } while (0)

static struct bus *dial(const struct bed *b, const char *name)
{
	return broker_bus(&b->broker, name, key_of(b, name));
}

/* --- all that is needed ----------------------------------------------------------------------- */

static int count_entries(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	(void)e, (void)err;
	++*(unsigned *)arg;
	return 0;
}

static void every_role_does_its_work(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	struct bus *fra1 = dial(b, "fra1"), *centre = dial(b, "centre"), *op = dial(b, "operator");
	struct bp_error err = {0};
	struct bus_message m;
	struct bus_intake *in;
	struct bus_ear *ear, *asked;
	struct bus_watch *w;
	struct bus_entry e;
	struct buf text;
	unsigned count = 0;
	bool all;

	buf_init(&text);
	/* Plans: there before, and coming. */
	assert_int_equal(bus_put(op, "BP_PLANS", "fra1.one", "1", 1, NULL, &err), 0);
	assert_int_equal(bus_put(op, "BP_PLANS", "sgp1.one", "2", 1, NULL, &err), 0);
	assert_int_equal(bus_watch_open(fra1, "BP_PLANS", "fra1.*", &w, &err), 0);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_string_equal(e.key, "fra1.one");
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_true(all);
	assert_int_equal(bus_put(op, "BP_PLANS", "fra1.two", "3", 1, NULL, &err), 0);
	assert_int_equal(bus_watch_next(w, 20 * NS_PER_S, &e, &all, &err), 0);
	assert_string_equal(e.key, "fra1.two");
	assert_int_equal(bus_delete(op, "BP_PLANS", "fra1.two", &err), 0);
	assert_int_equal(bus_watch_next(w, 20 * NS_PER_S, &e, &all, &err), 0);
	assert_true(e.gone);
	bus_watch_close(w);
	/* Results, watermarks. */
	assert_int_equal(bus_listen(fra1, "bp.mark.fra1", NULL, &ear, &err), 0);
	assert_int_equal(bus_publish(fra1, "bp.result.fra1", "a", "x", 1, NULL, &err), 0);
	assert_int_equal(bus_intake_open(centre, &in, &err), 0);
	assert_int_equal(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(m.subject, "bp.result.fra1");
	assert_string_equal(m.id, "a");
	assert_int_equal(bus_ack(&m, &err), 0);
	bus_message_drop(&m);
	assert_int_equal(bus_tell(centre, "bp.mark.fra1", "m", 1, &err), 0);
	assert_int_equal(bus_hear(ear, 10 * NS_PER_S, &m, &err), 0);
	bus_message_drop(&m);
	bus_ear_close(ear);
	bus_intake_close(in);
	assert_int_equal(bus_listen(centre, "bp.ask.*", "collect", &asked, &err), 0);
	bus_ear_close(asked);
	/* States. */
	assert_int_equal(bus_put(fra1, "BP_STATUS", "fra1", "s", 1, NULL, &err), 0);
	assert_int_equal(bus_put(centre, "BP_CENTRE", "fra1", "c", 1, NULL, &err), 0);
	assert_int_equal(bus_get(centre, "BP_CENTRE", "fra1", &text, NULL, NULL, &err), 0);
	assert_int_equal(bus_get(op, "BP_STATUS", "fra1", &text, NULL, NULL, &err), 0);
	count = 0;
	assert_int_equal(bus_each(op, "BP_STATUS", count_entries, &count, &err), 0);
	assert_int_equal(bus_each(op, "BP_CENTRE", count_entries, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_int_equal(bus_put(op, "BP_FLEET", "roster", "r", 1, NULL, &err), 0);
	assert_int_equal(bus_get(centre, "BP_FLEET", "roster", &text, NULL, NULL, &err), 0);
	assert_int_equal(bus_setup(op, 1, 0, &err), 0);
	bus_close(fra1);
	bus_close(centre);
	bus_close(op);
	buf_fini(&text);
}

static int answer_once(struct bus_ear *asked, struct bus *centre)
{
	struct bp_error err = {0};
	struct bus_message m;
	int rc = bus_hear(asked, 10 * NS_PER_S, &m, &err);

	if (rc == 0) {
		rc = bus_answer(centre, &m, "marks", 5, &err);
		bus_message_drop(&m);
	}
	if (rc < 0)
		print_error("%s\n", err.text);
	return rc;
}

struct asker {
	struct bus *bus;
	struct buf answer;
	int rc;
};

static void *ask_until_answered(void *arg)
{
	struct asker *a = arg;
	struct bp_error err = {0};

	a->rc = BP_EAGAIN;
	for (int i = 0; i < 40 && a->rc < 0; i++)
		a->rc = bus_ask(a->bus, "bp.ask.fra1", "", 0, NS_PER_S, &a->answer, &err);
	return NULL;
}

/* A question waits for its answer; a thread asks, since libnats' own do not live through a fork. */
static void the_centre_answers_who_asks(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	struct bus *centre = dial(b, "centre");
	struct asker fra1 = {.bus = dial(b, "fra1")};
	struct bp_error err = {0};
	struct bus_ear *asked;
	pthread_t thread;

	buf_init(&fra1.answer);
	assert_int_equal(bus_listen(centre, "bp.ask.*", "collect", &asked, &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, ask_until_answered, &fra1), 0);
	assert_int_equal(answer_once(asked, centre), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(fra1.rc, 0);
	assert_int_equal(fra1.answer.used, 5);
	assert_memory_equal(fra1.answer.bytes, "marks", 5);
	buf_fini(&fra1.answer);
	bus_ear_close(asked);
	bus_close(fra1.bus);
	bus_close(centre);
}

/* --- nothing else ----------------------------------------------------------------------------- */

static const struct { const char *who, *subject, *why; } no_publish[] = {
	{"fra1", "bp.result.sgp1", "as another"},
	{"fra1", "bp.ask.sgp1", "in another's name"},
	{"fra1", "bp.mark.fra1", "a watermark of its own making"},
	{"fra1", "bp.mark.sgp1", "another's spool would be emptied"},
	{"fra1", "$KV.BP_STATUS.sgp1", "another's state"},
	{"fra1", "$KV.BP_PLANS.fra1.one", "its own plan"},
	{"fra1", "$KV.BP_PLANS.sgp1.one", "another's plan"},
	{"fra1", "$KV.BP_FLEET.roster", "who is of the fleet"},
	{"fra1", "$KV.BP_CENTRE.fra1", "what the centre says"},
	{"fra1", "$JS.API.STREAM.PURGE.BP_RESULTS", "all that waits"},
	{"fra1", "$JS.API.STREAM.DELETE.KV_BP_PLANS", "all plans"},
	{"fra1", "$JS.API.STREAM.MSG.GET.BP_RESULTS", "results, read one by one"},
	{"fra1", "$JS.API.DIRECT.GET.KV_BP_STATUS", "others' states"},
	{"fra1", "$JS.API.CONSUMER.CREATE.BP_RESULTS", "results, read as they come"},
	{"fra1", "$JS.API.CONSUMER.CREATE.KV_BP_PLANS.x.$KV.BP_PLANS.fra1.>",
	 "a consumer delivers wherever its maker says"},
	{"fra1", "$JS.API.CONSUMER.MSG.NEXT.BP_RESULTS.collect", "results, taken from the centre"},
	{"fra1", "$JS.ACK.BP_RESULTS.collect.1.1.1.1.0", "results, taken off the stream"},
	{"fra1", "_INBOX.sgp1.1", "an answer that another waits for"},
	{"fra1", "$SYS.REQ.SERVER.PING.CONNZ", "who else is there"},
	{"centre", "bp.result.fra1", "results are the agents'"},
	{"centre", "$KV.BP_PLANS.fra1.one", "plans are the operator's"},
	{"centre", "$KV.BP_STATUS.fra1", "states are the agents'"},
	{"centre", "$JS.API.STREAM.PURGE.BP_RESULTS", "what waits for it"},
	{"centre", "$JS.API.STREAM.DELETE.BP_RESULTS", "likewise"},
	{"centre", "$JS.API.STREAM.UPDATE.KV_BP_PLANS", "plans that are made to expire"},
	{"centre", "$JS.API.STREAM.UPDATE.KV_BP_FLEET", "likewise"},
	{"operator", "bp.result.fra1", "results are the agents'"},
	{"operator", "bp.mark.fra1", "watermarks are the centre's"},
	{"operator", "$KV.BP_STATUS.fra1", "states are the agents'"},
	{"operator", "$KV.BP_CENTRE.fra1", "the centre's word"},
	{"operator", "$JS.API.CONSUMER.MSG.NEXT.BP_RESULTS.collect", "results, lost to the centre"},
	{"operator", "$JS.API.STREAM.DELETE.BP_RESULTS", "all that waits"},
	{"system", "bp.result.fra1", "it asks servers, no more"},
	{"system", "$SYS.REQ.CLAIMS.UPDATE", "it changes nothing"},
};

static const struct { const char *who, *subject, *why; } no_hear[] = {
	{"fra1", "bp.result.sgp1", "another's results"},
	{"fra1", "bp.result.*", "all results"},
	{"fra1", "bp.mark.sgp1", "another's watermarks"},
	{"fra1", "$KV.BP_PLANS.sgp1.>", "another's plans"},
	{"fra1", "$KV.BP_STATUS.>", "all states"},
	{"fra1", "_INBOX.>", "all answers"},
	{"fra1", "_INBOX.sgp1.>", "another's answers"},
	{"fra1", "_R_.>", "answers on their way between accounts"},
	{"fra1", ">", "everything"},
	{"fra1", "$SYS.>", "the server's affairs"},
	{"centre", "bp.result.*", "results come by the stream, which nobody can miss"},
	{"centre", "_INBOX.fra1.>", "an agent's answers"},
	{"operator", "bp.result.*", "results are not its concern"},
	{"operator", ">", "everything"},
	{"system", "bp.result.*", "it asks servers, no more"},
};

static void what_is_not_needed_is_denied(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	struct bp_error err;
	unsigned bad = 0;

	for (int k = 0; k < KEYS; k++) {
		struct bus *bus = dial(b, names[k]);

		for (size_t i = 0; i < sizeof(no_publish) / sizeof(no_publish[0]); i++) {
			if (strcmp(no_publish[i].who, names[k]) != 0 ||
			    (bus_tell(bus, no_publish[i].subject, "x", 1, &err) == BP_EPERM &&
			     strstr(err.text, no_publish[i].subject) != NULL))
				continue;
			print_error("%s may publish %s: %s\n", names[k], no_publish[i].subject,
				    no_publish[i].why);
			bad++;
		}
		for (size_t i = 0; i < sizeof(no_hear) / sizeof(no_hear[0]); i++) {
			struct bus_ear *ear = NULL;

			if (strcmp(no_hear[i].who, names[k]) != 0 ||
			    bus_listen(bus, no_hear[i].subject, NULL, &ear, &err) == BP_EPERM)
				continue;
			print_error("%s may hear %s: %s\n", names[k], no_hear[i].subject,
				    no_hear[i].why);
			bus_ear_close(ear);
			bad++;
		}
		bus_close(bus);
	}
	assert_int_equal(bad, 0);
}

/* --- answers that are sent where they should not go ------------------------------------------- */

/* A publisher names where the answer goes, and no permission is checked for it. */
static const struct { const char *subject, *why; } replies[] = {
	{"$KV.BP_PLANS.sgp1.one", "the acknowledgement would be another's plan"},
	{"bp.result.sgp1", "or another's batch"},
	{"bp.mark.sgp1", "or another's watermark"},
	{"_INBOX.sgp1.1", "or an answer that another waits for"},
	{"$JS.API.STREAM.PURGE.BP_RESULTS", "or a request to drop what waits"},
	{"$JS.API.STREAM.DELETE.KV_BP_PLANS", "or all plans"},
	{"$KV.BP_STATUS.sgp1", "or another's state"},
};

static natsConnection *dial_plain(const struct bed *b, const char *name)
{
	natsOptions *o = NULL;
	natsConnection *nc = NULL;
	const struct roster_key *k = roster_find(&b->roster, name);
	char inbox[BUS_NAME_TEXT + 8];

	snprintf(inbox, sizeof(inbox), "_INBOX.%s", name);
	assert_int_equal(natsOptions_Create(&o), NATS_OK);
	assert_int_equal(natsOptions_SetURL(o, b->broker.url), NATS_OK);
	assert_int_equal(natsOptions_SetCustomInboxPrefix(o, inbox), NATS_OK);
	assert_int_equal(natsOptions_SetNKeyFromSeed(o, k->nkey, key_of(b, name)), NATS_OK);
	assert_int_equal(natsConnection_Connect(&nc, o), NATS_OK);
	natsOptions_Destroy(o);
	return nc;
}

static void an_answer_cannot_be_pointed_at_another(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	enum { N = sizeof(replies) / sizeof(replies[0]) };
	struct bus *op = dial(b, "operator"), *centre = dial(b, "centre"), *sgp1 = dial(b, "sgp1");
	natsConnection *fra1 = dial_plain(b, "fra1");
	static const char ask[] = "{\"seq\":1,\"next_by_subj\":\"$KV.BP_PLANS.fra1.*\"}";
	struct bus_message m[2 * N];
	struct bp_error err = {0};
	struct bus_intake *in;
	struct bus_ear *marks, *inbox;
	uint64_t before = 0, after = 0;
	unsigned count = 0, all = 0;
	struct buf text;

	buf_init(&text);
	assert_int_equal(bus_put(op, "BP_PLANS", "fra1.mine", "plan", 4, NULL, &err), 0);
	assert_int_equal(bus_put(op, "BP_PLANS", "sgp1.one", "plan", 4, &before, &err), 0);
	assert_int_equal(bus_listen(sgp1, "bp.mark.sgp1", NULL, &marks, &err), 0);
	assert_int_equal(bus_listen(sgp1, "_INBOX.sgp1.>", NULL, &inbox, &err), 0);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(natsConnection_PublishRequestString(fra1, "bp.result.fra1",
								     replies[i].subject, "batch"),
				 NATS_OK);
		assert_int_equal(natsConnection_PublishRequestString(
					 fra1, "$JS.API.DIRECT.GET.KV_BP_PLANS", replies[i].subject,
					 ask), NATS_OK);
	}
	assert_int_equal(natsConnection_FlushTimeout(fra1, 10000), NATS_OK);
	/* All of them are in the stream, as fra1's, and nothing of them is anywhere else. */
	assert_int_equal(bus_intake_open(centre, &in, &err), 0);
	while (all < N) {
		assert_int_equal(bus_fetch(in, N, 10 * NS_PER_S, m, &count, &err), 0);
		assert_true(count > 0);
		for (unsigned i = 0; i < count; i++, all++) {
			assert_string_equal(m[i].subject, "bp.result.fra1");
			assert_int_equal(bus_ack(&m[i], &err), 0);
			bus_message_drop(&m[i]);
		}
	}
	assert_int_equal(bus_fetch(in, 1, NS_PER_S / 2, m, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(bus_get(op, "BP_PLANS", "sgp1.one", &text, &after, NULL, &err), 0);
	assert_int_equal(after, before);
	assert_int_equal(bus_get(op, "BP_STATUS", "sgp1", &text, NULL, NULL, &err), BP_ENOTFOUND);
	assert_int_equal(bus_hear(marks, NS_PER_S / 10, m, &err), BP_ENOTFOUND);
	assert_int_equal(bus_hear(inbox, NS_PER_S / 10, m, &err), BP_ENOTFOUND);
	natsConnection_Destroy(fra1);
	bus_intake_close(in);
	bus_ear_close(marks);
	bus_ear_close(inbox);
	bus_close(op);
	bus_close(centre);
	bus_close(sgp1);
	buf_fini(&text);
}

/* --- headers that say more than the message --------------------------------------------------- */

static const struct { const char *subject, *header, *value, *why; } orders[] = {
	{"$KV.BP_STATUS.fra1", "Nats-Rollup", "all", "the states of all would be gone"},
	{"$KV.BP_STATUS.fra1", "Nats-Rollup", "sub", "no history is there that it could drop"},
	{"bp.result.fra1", "Nats-Rollup", "all", "all that waits would be gone"},
};

/* A state of its own and a batch are taken with any header; what the header orders is not done. */
static void a_header_drops_nothing_of_anybody(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	struct bus *op = dial(b, "operator"), *sgp1 = dial(b, "sgp1");
	natsConnection *fra1 = dial_plain(b, "fra1");
	struct bp_error err = {0};
	struct buf text;

	buf_init(&text);
	assert_int_equal(bus_put(sgp1, "BP_STATUS", "sgp1", "s", 1, NULL, &err), 0);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		natsMsg *m = NULL, *answer = NULL;

		assert_int_equal(natsMsg_Create(&m, orders[i].subject, NULL, "x", 1), NATS_OK);
		assert_int_equal(natsMsgHeader_Set(m, orders[i].header, orders[i].value), NATS_OK);
		assert_int_equal(natsConnection_RequestMsg(&answer, fra1, m, 10000), NATS_OK);
		if (strstr(natsMsg_GetData(answer), "not permitted") == NULL)
			fail_msg("%s with %s: %s: %s", orders[i].subject, orders[i].header,
				 orders[i].value, orders[i].why);
		natsMsg_Destroy(m);
		natsMsg_Destroy(answer);
	}
	assert_int_equal(bus_get(op, "BP_STATUS", "sgp1", &text, NULL, NULL, &err), 0);
	natsConnection_Destroy(fra1);
	bus_close(op);
	bus_close(sgp1);
	buf_fini(&text);
}

/* --- among brokers ---------------------------------------------------------------------------- */

/* They know each other by TLS; else whoever reaches their port is one of them. */
static void a_cluster_is_closed(void **state)
{
	static const struct { unsigned count; bool tls, cluster; } rows[] = {
		{1, false, false}, {1, true, false}, {3, true, true}, {3, false, false}};
	const struct roster_broker brokers[3] = {{"192.0.2.1", 4222}, {"192.0.2.2", 4222},
						 {"192.0.2.3", 4222}};
	const struct server_places places = {"/etc/x", "/var/x"};
	const char *at;
	struct buf text;

	(void)state;
	buf_init(&text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct roster r = {.tls = rows[i].tls};

		buf_clear(&text);
		server_conf_put(&text, &r, brokers, rows[i].count, 0, &places);
		at = strstr(text.bytes, "cluster: {");
		assert_int_equal(at != NULL, rows[i].cluster);
		if (at != NULL)
			assert_non_null(strstr(at, "verify: true"));
	}
	buf_fini(&text);
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void reload(struct bed *b)
{
	char path[96];
	struct buf text;
	FILE *f;

	buf_init(&text);
	server_conf_put_accounts(&text, &b->roster);
	snprintf(path, sizeof(path), "%s/nats.conf", b->broker.dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "listen: 127.0.0.1:%u\nserver_name: bed\njetstream {store_dir: \"%s/js\"}\n%s\n",
		b->broker.port, b->broker.dir, text.bytes);
	fclose(f);
	buf_fini(&text);
	assert_int_equal(kill(b->broker.pid, SIGHUP), 0);
}

static void who_is_revoked_is_out_and_the_others_do_not_notice(void **state)
{
	struct bed *b = *state;
	SKIP_WITHOUT_BROKER(b);
	struct bus *fra1 = dial(b, "fra1"), *sgp1 = dial(b, "sgp1"), *op = dial(b, "operator");
	struct bus_options o = {.url = b->broker.url, .inbox = "sgp1", .nkey_file = key_of(b, "sgp1"),
				.wait_ns = 5 * NS_PER_S};
	char nkey[NKEY_PUBLIC_TEXT];
	struct bp_error err = {0};
	struct bus_watch *w;
	struct bus_entry e;
	struct bus_ear *ear;
	struct bus_message m;
	struct bus *again, *centre = dial(b, "centre");
	bool all = false;
	int rc = 0;

	assert_int_equal(bus_watch_open(fra1, "BP_PLANS", "fra1.*", &w, &err), 0);
	while (!all)
		assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_int_equal(bus_publish(sgp1, "bp.result.sgp1", NULL, "x", 1, NULL, &err), 0);
	assert_int_equal(roster_revoke(&b->roster, "sgp1", wall_now(), &err), 0);
	reload(b);
	for (int i = 0; i < 500 && rc == 0; i++) {
		rc = bus_publish(sgp1, "bp.result.sgp1", NULL, "x", 1, NULL, &err);
		broker_nap();
	}
	assert_true(rc < 0);
	bus_close(sgp1);
	assert_int_equal(bus_open(&o, false, &again, &err), BP_EPERM);
	/* Those who stay go on: what they send arrives, and what is meant for them. */
	EVENTUALLY(bus_publish(fra1, "bp.result.fra1", NULL, "x", 1, NULL, &err));
	EVENTUALLY(bus_put(op, "BP_PLANS", "fra1.late", "1", 1, NULL, &err));
	assert_int_equal(bus_watch_next(w, 20 * NS_PER_S, &e, &all, &err), 0);
	assert_string_equal(e.key, "fra1.late");
	/* With a key of its own again; the old one stays out. */
	make_key(b, 1, nkey);
	assert_int_equal(roster_add(&b->roster, "sgp1", nkey, wall_now(), &err), 0);
	reload(b);
	rc = BP_EPERM;
	for (int i = 0; i < 500 && rc < 0; i++) {
		rc = bus_open(&o, false, &again, &err);
		broker_nap();
	}
	assert_int_equal(rc, 0);
	/* nats-server 2.9 gives a new account what it imports when it reads for the second time. */
	assert_int_equal(kill(b->broker.pid, SIGHUP), 0);
	EVENTUALLY(bus_publish(again, "bp.result.sgp1", NULL, "x", 1, NULL, &err));
	assert_int_equal(bus_listen(again, "bp.mark.sgp1", NULL, &ear, &err), 0);
	assert_int_equal(bus_tell(centre, "bp.mark.sgp1", "m", 1, &err), 0);
	assert_int_equal(bus_hear(ear, 10 * NS_PER_S, &m, &err), 0);
	bus_message_drop(&m);
	bus_ear_close(ear);
	bus_watch_close(w);
	bus_close(again);
	bus_close(centre);
	bus_close(fra1);
	bus_close(op);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_does_its_work),
		cmocka_unit_test(the_centre_answers_who_asks),
		cmocka_unit_test(what_is_not_needed_is_denied),
		cmocka_unit_test(an_answer_cannot_be_pointed_at_another),
		cmocka_unit_test(a_header_drops_nothing_of_anybody),
		cmocka_unit_test(a_cluster_is_closed),
		cmocka_unit_test(who_is_revoked_is_out_and_the_others_do_not_notice),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, raise_bed, fell_bed);
}
