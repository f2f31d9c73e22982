// SPDX-License-Identifier: BSD-2-Clause
/* The bus against a real broker: messages, the stream of results, buckets; the server killed and
 * started again; what permissions forbid, wrong keys, a full stream. */
#include "tests/unit/campaign/fleet/broker_bed.h"

#include <sodium.h>

#include "campaign/fleet/certs.h"
#include "campaign/fleet/nkey.h"

static int setup(void **state)
{
	struct broker *b = calloc(1, sizeof(*b));

	*state = b;
	return b == NULL;
}

static int teardown(void **state)
{
	broker_end(*state);
	free(*state);
	return 0;
}

static struct bus *ready(struct broker *b, int64_t stream_bytes)
{
	struct bp_error err = {0};
	struct bus *bus;
	int rc = BP_EAGAIN;

	broker_make(b, NULL);
	bus = broker_bus(b, "operator", NULL);
	/* JetStream begins a moment behind the port. */
	for (unsigned i = 0; i < 500 && rc == BP_EAGAIN; i++) {
		rc = bus_setup(bus, 1, stream_bytes, &err);
		if (rc == BP_EAGAIN)
			broker_nap();
	}
	if (rc < 0)
		print_error("%s\n", err.text);
	assert_int_equal(rc, 0);
	return bus;
}

/* A call that is tried until the broker is back. */
#define EVENTUALLY(call)                                                     \
	do {                                                                 \
		int rc_ = BP_EAGAIN;                                         \
		for (unsigned i_ = 0; i_ < 1000 && rc_ == BP_EAGAIN; i_++) { \
			rc_ = (call);                                        \
			if (rc_ == BP_EAGAIN)                                \
				broker_nap();                                \
		}                                                            \
		if (rc_ < 0)                                                 \
			print_error("%s\n", err.text);                       \
		assert_int_equal(rc_, 0);                                    \
	} while (0)

static void messages_find_who_listens(void **state)
{
	struct bp_error err = {0};
	struct bus *b, *c;
	struct bus_ear *ear;
	struct bus_message m;
	struct buf answer;

	if (broker_missing())
		skip();
	b = ready(*state, 0);
	c = broker_bus(*state, "fra1", NULL);
	buf_init(&answer);
	assert_true(bus_is_connected(c));
	assert_int_equal(bus_look(c, &err), 0);
	assert_int_equal(bus_ask(c, "bp.ask.fra1", "", 0, 0, &answer, &err), BP_ENOTFOUND);
	assert_int_equal(bus_listen(b, "bp.mark.*", NULL, &ear, &err), 0);
	assert_int_equal(bus_hear(ear, 0, &m, &err), BP_ENOTFOUND);
	assert_int_equal(bus_tell(c, "bp.mark.fra1", "xyz", 3, &err), 0);
	assert_int_equal(bus_hear(ear, 10 * NS_PER_S, &m, &err), 0);
	assert_string_equal(m.subject, "bp.mark.fra1");
	assert_int_equal(m.size, 3);
	assert_memory_equal(m.bytes, "xyz", 3);
	assert_null(m.id);
	assert_int_equal(bus_answer(b, &m, "", 0, &err), BP_EINVAL);
	bus_message_drop(&m);
	bus_ear_close(ear);
	buf_fini(&answer);
	bus_close(c);
	bus_close(b);
}

static void results_wait_until_they_are_acknowledged(void **state)
{
	struct bp_error err = {0};
	struct bus *b;
	struct bus_intake *in;
	struct bus_message m[8];
	unsigned count = 9;
	uint64_t waiting, open;
	bool duplicate = true;

	if (broker_missing())
		skip();
	b = ready(*state, 0);
	assert_int_equal(bus_intake_open(b, &in, &err), 0);
	assert_int_equal(bus_fetch(in, 8, 0, m, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(bus_fetch(in, 8, 50 * NS_PER_MS, m, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(bus_publish(b, "bp.result.fra1", "fra1.e.1.0", "one", 3, &duplicate, &err),
			 0);
	assert_false(duplicate);
	assert_int_equal(bus_publish(b, "bp.result.fra1", "fra1.e.1.0", "one", 3, &duplicate, &err),
			 0);
	assert_true(duplicate);
	assert_int_equal(bus_publish(b, "bp.result.nyc1", NULL, "two", 3, NULL, &err), 0);
	assert_int_equal(bus_fetch(in, 8, NS_PER_S, m, &count, &err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(m[0].subject, "bp.result.fra1");
	assert_string_equal(m[0].id, "fra1.e.1.0");
	assert_memory_equal(m[0].bytes, "one", 3);
	assert_int_equal(m[0].stream_seq, 1);
	assert_int_equal(m[0].deliveries, 1);
	assert_true(m[0].stamp.ns > INT64_C(1600000000) * NS_PER_S);
	assert_null(m[1].id);
	assert_int_equal(bus_ack(&m[0], &err), 0);
	assert_int_equal(bus_nak(&m[1], 0, &err), 0);
	bus_message_drop(&m[0]);
	bus_message_drop(&m[1]);
	assert_int_equal(bus_fetch(in, 8, 10 * NS_PER_S, m, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_memory_equal(m[0].bytes, "two", 3);
	assert_int_equal(m[0].deliveries, 2);
	assert_int_equal(broker_results(b, &waiting, &open, &err), 0);
	assert_int_equal(waiting, 0);
	assert_int_equal(open, 1);
	assert_int_equal(bus_ack(&m[0], &err), 0);
	bus_message_drop(&m[0]);
	bus_intake_close(in);
	bus_close(b);
}

static int count_entries(void *arg, const struct bus_entry *e, struct bp_error *err)
{
	unsigned *n = arg;

	(void)err;
	assert_false(e->gone);
	assert_true(e->revision > 0);
	(*n)++;
	return 0;
}

static void a_bucket_keeps_the_last_of_each_key(void **state)
{
	struct bp_error err = {0};
	struct bus *b;
	struct bus_watch *w;
	struct bus_entry e;
	struct buf bytes;
	struct wall created = {0};
	uint64_t revision = 0, first;
	unsigned n = 0;
	bool all;

	if (broker_missing())
		skip();
	b = ready(*state, 0);
	buf_init(&bytes);
	assert_int_equal(bus_get(b, "BP_PLANS", "fra1.x", &bytes, NULL, NULL, &err), BP_ENOTFOUND);
	assert_int_equal(bus_get(b, "BP_NONE", "fra1.x", &bytes, NULL, NULL, &err), BP_EAGAIN);
	assert_int_equal(bus_put(b, "BP_PLANS", "fra1.*", "1", 1, NULL, &err), BP_EINVAL);
	assert_int_equal(bus_put(b, "BP_PLANS", "fra1.x", "1", 1, &revision, &err), 0);
	first = revision;
	assert_int_equal(bus_put(b, "BP_PLANS", "fra1.x", "22", 2, &revision, &err), 0);
	assert_true(revision > first);
	assert_int_equal(bus_put(b, "BP_PLANS", "fra1.x", "3", 1, &first, &err), BP_EAGAIN);
	assert_int_equal(bus_put(b, "BP_PLANS", "nyc1.x", "n", 1, NULL, &err), 0);
	assert_int_equal(bus_get(b, "BP_PLANS", "fra1.x", &bytes, &first, &created, &err), 0);
	assert_string_equal(bytes.bytes, "22");
	assert_int_equal(first, revision);
	assert_true(created.ns > INT64_C(1600000000) * NS_PER_S);

	assert_int_equal(bus_watch_open(b, "BP_PLANS", "fra1.*", &w, &err), 0);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_string_equal(e.key, "fra1.x");
	assert_int_equal(e.size, 2);
	assert_int_equal(e.revision, revision);
	assert_true(e.created.ns == created.ns);
	assert_false(all);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_null(e.key);
	assert_true(all);
	assert_int_equal(bus_watch_next(w, 0, &e, &all, &err), BP_ENOTFOUND);
	assert_int_equal(bus_put(b, "BP_PLANS", "nyc1.y", "n", 1, NULL, &err), 0);
	assert_int_equal(bus_delete(b, "BP_PLANS", "fra1.x", &err), 0);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_string_equal(e.key, "fra1.x");
	assert_true(e.gone);
	bus_watch_close(w);

	assert_int_equal(bus_get(b, "BP_PLANS", "fra1.x", &bytes, NULL, NULL, &err), BP_ENOTFOUND);
	assert_int_equal(bus_each(b, "BP_PLANS", count_entries, &n, &err), 0);
	assert_int_equal(n, 2);
	n = 0;
	assert_int_equal(bus_each(b, "BP_STATUS", count_entries, &n, &err), 0);
	assert_int_equal(n, 0);
	buf_fini(&bytes);
	bus_close(b);
}

static void a_killed_broker_comes_back_and_all_goes_on(void **state)
{
	struct bp_error err = {0};
	struct bus *b;
	struct bus_ear *ear;
	struct bus_watch *w;
	struct bus_intake *in;
	struct bus_entry e;
	struct bus_message m;
	char text[BP_ERROR_TEXT] = "";
	unsigned count = 0;
	bool all;

	if (broker_missing())
		skip();
	b = ready(*state, 0);
	assert_int_equal(bus_listen(b, "bp.mark.fra1", NULL, &ear, &err), 0);
	assert_int_equal(bus_intake_open(b, &in, &err), 0);
	assert_int_equal(bus_put(b, "BP_PLANS", "fra1.x", "1", 1, NULL, &err), 0);
	assert_int_equal(bus_watch_open(b, "BP_PLANS", "fra1.*", &w, &err), 0);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	assert_true(all);
	assert_int_equal(bus_publish(b, "bp.result.fra1", "a", "1", 1, NULL, &err), 0);
	broker_kill(*state);
	for (unsigned i = 0; i < 1000 && bus_is_connected(b); i++)
		broker_nap();
	assert_false(bus_is_connected(b));
	assert_int_equal(bus_publish(b, "bp.result.fra1", "b", "2", 1, NULL, &err), BP_EAGAIN);
	assert_int_equal(bus_hear(ear, 0, &m, &err), BP_EAGAIN);
	assert_int_equal(bus_watch_next(w, 0, &e, &all, &err), BP_EAGAIN);
	for (unsigned i = 0; i < 1000 && !bus_trouble(b, text, sizeof(text)); i++)
		broker_nap();
	assert_non_null(strstr(text, "lost"));
	assert_false(bus_trouble(b, text, sizeof(text)));
	broker_start(*state);
	EVENTUALLY(bus_publish(b, "bp.result.fra1", "b", "2", 1, NULL, &err));
	EVENTUALLY(bus_tell(b, "bp.mark.fra1", "m", 1, &err));
	EVENTUALLY(bus_hear(ear, 10 * NS_PER_S, &m, &err));
	bus_message_drop(&m);
	/* Told before: not again. */
	EVENTUALLY(bus_put(b, "BP_PLANS", "fra1.y", "2", 1, NULL, &err));
	EVENTUALLY(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err));
	assert_string_equal(e.key, "fra1.y");
	EVENTUALLY(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err));
	assert_int_equal(count, 1);
	assert_memory_equal(m.bytes, "1", 1);
	bus_message_drop(&m);
	bus_watch_close(w);
	bus_intake_close(in);
	bus_ear_close(ear);
	bus_close(b);
}

/* As nats-server 2.9 comes back behind a full disk: the stream without its last messages, the
 * consumer with what it had done. Without a new one the batches that take the old numbers lie
 * there. */
static void a_stream_that_went_back_is_read_again(void **state)
{
	struct broker *broker = *state;
	struct bp_error err = {0};
	struct bus_intake *in;
	struct bus_message m;
	struct bus *b;
	char command[240];
	unsigned count;

	if (broker_missing())
		skip();
	b = ready(broker, 0);
	assert_int_equal(bus_intake_open(b, &in, &err), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(bus_publish(b, "bp.result.fra1", NULL, "old", 3, NULL, &err), 0);
		assert_int_equal(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err), 0);
		assert_int_equal(count, 1);
		assert_int_equal(bus_ack(&m, &err), 0);
		bus_message_drop(&m);
	}
	/* The consumer's state is written behind an acknowledgement, not with it. */
	EVENTUALLY(broker_results(b, &(uint64_t){0}, &(uint64_t){0}, &err));
	snprintf(command, sizeof(command), "until test -s '%s/js/jetstream/$G/streams/BP_RESULTS/obs/"
		 "collect/o.dat'; do sleep 0.1; done; sleep 1", broker->dir);
	assert_int_equal(system(command), 0);
	broker_kill(broker);
	snprintf(command, sizeof(command), "rm -f '%s/js/jetstream/$G/streams/BP_RESULTS/msgs'/*",
		 broker->dir);
	assert_int_equal(system(command), 0);
	broker_start(broker);
	EVENTUALLY(bus_publish(b, "bp.result.fra1", NULL, "new", 3, NULL, &err));
	count = 0;
	for (unsigned i = 0; i < 600 && count == 0; i++) {
		if (bus_fetch(in, 1, 100 * NS_PER_MS, &m, &count, &err) < 0)
			broker_nap();
	}
	assert_int_equal(count, 1);
	assert_int_equal(m.stream_seq, 1);
	assert_memory_equal(m.bytes, "new", 3);
	bus_message_drop(&m);
	bus_intake_close(in);
	bus_close(b);
}

static void a_full_stream_is_told_and_takes_more_when_it_is_emptied(void **state)
{
	static char bytes[100000];
	struct bp_error err = {0};
	struct bus_intake *in;
	struct bus_message m;
	struct bus *b;
	unsigned count;
	int rc = 0;

	if (broker_missing())
		skip();
	b = ready(*state, 300000);
	for (unsigned i = 0; i < 10 && rc == 0; i++)
		rc = bus_publish(b, "bp.result.fra1", NULL, bytes, sizeof(bytes), NULL, &err);
	assert_int_equal(rc, BP_EAGAIN);
	assert_non_null(strstr(err.text, "maximum bytes"));
	assert_int_equal(bus_intake_open(b, &in, &err), 0);
	assert_int_equal(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(bus_ack(&m, &err), 0);
	bus_message_drop(&m);
	EVENTUALLY(bus_publish(b, "bp.result.fra1", NULL, bytes, sizeof(bytes), NULL, &err));
	/* A larger one is set on what is there. */
	assert_int_equal(bus_setup(b, 1, 1000000, &err), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(bus_publish(b, "bp.result.fra1", NULL, bytes, sizeof(bytes), NULL,
					     &err),
				 0);
	bus_intake_close(in);
	bus_close(b);
}

/* Its numbers begin anew: what has a lower one than was ever seen is new all the same. */
static void a_watch_sees_what_a_broker_without_a_past_has(void **state)
{
	struct broker *k = *state;
	struct bp_error err = {0};
	struct bus_watch *w;
	struct bus_entry e;
	char command[128];
	struct bus *b;
	bool all = false;
	int rc;

	if (broker_missing())
		skip();
	b = ready(k, 0);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(bus_put(b, "BP_PLANS", "fra1.a", "old", 3, NULL, &err), 0);
	assert_int_equal(bus_watch_open(b, "BP_PLANS", "fra1.*", &w, &err), 0);
	while (!all)
		assert_int_equal(bus_watch_next(w, 10 * NS_PER_S, &e, &all, &err), 0);
	broker_kill(k);
	snprintf(command, sizeof(command), "rm -rf '%s/js'", k->dir);
	assert_int_equal(system(command), 0);
	broker_start(k);
	EVENTUALLY(bus_setup(b, 1, 0, &err));
	/* There is nothing: that is known, before something comes. */
	do {
		rc = bus_watch_next(w, 2 * NS_PER_S, &e, &all, &err);
	} while (rc == BP_EAGAIN);
	assert_int_equal(rc, BP_ENOTFOUND);
	EVENTUALLY(bus_put(b, "BP_PLANS", "fra1.a", "new", 3, NULL, &err));
	assert_int_equal(bus_watch_next(w, 20 * NS_PER_S, &e, &all, &err), 0);
	assert_int_equal(e.revision, 1);
	assert_memory_equal(e.bytes, "new", 3);
	bus_watch_close(w);
	bus_close(b);
}

static void allow(const struct broker *b, const char *more)
{
	char conf[96];
	FILE *f;

	snprintf(conf, sizeof(conf), "%s/nats.conf", b->dir);
	f = fopen(conf, "w");
	assert_non_null(f);
	fprintf(f, "listen: 127.0.0.1:%u\nserver_name: bed\njetstream {store_dir: \"%s/js\"}\n"
		"accounts: {A: {jetstream: enabled, users: [{user: a, password: b, permissions: "
		"{publish: [\"_INBOX.>\"%s], subscribe: [\"_INBOX.>\"%s]}}]}}\nno_auth_user: a\n",
		b->port, b->dir, more, more);
	fclose(f);
}

/* The library tells of its last refusal for ever. */
static void what_is_allowed_later_is_denied_no_more(void **state)
{
	struct broker *k = *state;
	struct bp_error err = {0};
	struct bus_ear *ear;
	struct bus_message m;
	struct bus *b;
	int rc = BP_EPERM;

	if (broker_missing())
		skip();
	broker_make(k, "");
	broker_kill(k);
	allow(k, "");
	broker_start(k);
	b = broker_bus(k, "fra1", NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(bus_tell(b, "x", "1", 1, &err), BP_EPERM);
		assert_int_equal(bus_listen(b, "x", NULL, &ear, &err), BP_EPERM);
	}
	allow(k, ", \"x\"");
	assert_int_equal(kill(k->pid, SIGHUP), 0);
	for (unsigned i = 0; i < 100 && rc == BP_EPERM; i++) {
		rc = bus_listen(b, "x", NULL, &ear, &err);
		broker_nap();
	}
	assert_int_equal(rc, 0);
	/* The connection that remembers is exchanged for another: who listened listens again. */
	rc = BP_ENOTFOUND;
	for (unsigned i = 0; i < 100 && rc < 0; i++) {
		EVENTUALLY(bus_tell(b, "x", "1", 1, &err));
		rc = bus_hear(ear, NS_PER_S / 10, &m, &err);
	}
	assert_int_equal(rc, 0);
	bus_message_drop(&m);
	/* And what was taken away again is denied again. */
	allow(k, "");
	assert_int_equal(kill(k->pid, SIGHUP), 0);
	for (unsigned i = 0; i < 500 && rc == 0; i++) {
		rc = bus_tell(b, "x", "1", 1, &err);
		broker_nap();
	}
	assert_int_equal(rc, BP_EPERM);
	bus_ear_close(ear);
	bus_close(b);
}

/* What an older program made, or somebody by hand: brought to what it has to be, and the rest of it
 * left as it is. */
static void what_is_there_is_brought_to_its_bounds(void **state)
{
	static const struct { const char *name, *config, *now; } rows[] = {
		{"BP_RESULTS", "\"subjects\":[\"bp.result.*\"],\"retention\":\"workqueue\","
		 "\"storage\":\"file\",\"discard\":\"new\",\"max_bytes\":1000,"
		 "\"description\":\"a \\\"word\\\"\"", "\"max_msgs_per_subject\":256"},
		{"KV_BP_STATUS", "\"subjects\":[\"$KV.BP_STATUS.>\"],\"storage\":\"file\","
		 "\"max_msgs_per_subject\":1,\"allow_rollup_hdrs\":true,\"deny_delete\":true,"
		 "\"allow_direct\":true,\"description\":\"a \\\"word\\\"\"",
		 "\"deny_purge\":true,\"allow_rollup_hdrs\":false"},
	};
	char subject[BUS_SUBJECT_TEXT], config[1024];
	struct bp_error err = {0};
	struct buf text;
	struct bus *b;

	if (broker_missing())
		skip();
	buf_init(&text);
	broker_make(*state, NULL);
	b = broker_bus(*state, "operator", NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(subject, sizeof(subject), "$JS.API.STREAM.CREATE.%s", rows[i].name);
		snprintf(config, sizeof(config), "{\"name\":\"%s\",%s}", rows[i].name,
			 rows[i].config);
		EVENTUALLY(bus_ask(b, subject, config, strlen(config), 0, &text, &err));
		assert_null(strstr(text.bytes, "\"error\""));
	}
	assert_int_equal(bus_publish(b, "bp.result.fra1", NULL, "x", 1, NULL, &err), 0);
	for (unsigned twice = 0; twice < 2; twice++) {
		if (bus_setup(b, 1, 1000000, &err) < 0)
			fail_msg("%s", err.text);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(subject, sizeof(subject), "$JS.API.STREAM.INFO.%s", rows[i].name);
		assert_int_equal(bus_ask(b, subject, NULL, 0, 0, &text, &err), 0);
		if (strstr(text.bytes, rows[i].now) == NULL ||
		    strstr(text.bytes, "a \\\"word\\\"") == NULL)
			fail_msg("%s: %s", rows[i].name, text.bytes);
	}
	/* And what waits there is there. */
	assert_int_equal(bus_ask(b, "$JS.API.STREAM.INFO.BP_RESULTS", NULL, 0, 0, &text, &err), 0);
	assert_non_null(strstr(text.bytes, "\"messages\":1"));
	assert_non_null(strstr(text.bytes, "\"max_bytes\":1000000"));
	assert_non_null(strstr(text.bytes, "\"discard_new_per_subject\":true"));
	buf_fini(&text);
	bus_close(b);
}

/* A stolen key, or an agent run wild: who else measures has room all the same, and what lay there
 * first stays. */
static void one_vantage_point_does_not_fill_it_for_all(void **state)
{
	struct bp_error err = {0};
	struct bus_intake *in;
	struct bus_message m;
	struct bus *b;
	unsigned count, n = 0;

	if (broker_missing())
		skip();
	b = ready(*state, 0);
	while (n <= BUS_WAITING_MAX &&
	       bus_publish(b, "bp.result.fra1", NULL, "x", 1, NULL, &err) == 0)
		n++;
	assert_int_equal(n, BUS_WAITING_MAX);
	assert_int_equal(err.code, BP_EAGAIN);
	assert_non_null(strstr(err.text, "per subject"));
	assert_int_equal(bus_publish(b, "bp.result.nyc1", NULL, "x", 1, NULL, &err), 0);
	assert_int_equal(bus_intake_open(b, &in, &err), 0);
	assert_int_equal(bus_fetch(in, 1, 10 * NS_PER_S, &m, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(m.stream_seq, 1);
	assert_int_equal(bus_ack(&m, &err), 0);
	bus_message_drop(&m);
	EVENTUALLY(bus_publish(b, "bp.result.fra1", NULL, "x", 1, NULL, &err));
	bus_intake_close(in);
	bus_close(b);
}

static void make_key(const struct broker *b, const char *name, char file[96], char public_key[])
{
	char seed[NKEY_SEED_TEXT];
	FILE *f;

	nkey_make(seed, public_key);
	snprintf(file, 96, "%s/%s.nk", b->dir, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", seed);
	fclose(f);
	chmod(file, 0600);
}

static void who_may_what_is_told_at_once(void **state)
{
	struct broker *b = *state, keys = {.dir = ""};
	char file[2][96], wrong[96], public_key[3][NKEY_PUBLIC_TEXT], more[2048];
	struct bus_options o = {.name = "test", .inbox = "fra1", .wait_ns = 20 * NS_PER_S};
	struct bp_error err = {0};
	struct bus *centre, *fra1;
	struct bus_ear *ear;
	struct bus_watch *w;
	struct mono from;

	if (broker_missing())
		skip();
	snprintf(keys.dir, sizeof(keys.dir), "/tmp/bp-keys.XXXXXX");
	assert_non_null(mkdtemp(keys.dir));
	make_key(&keys, "centre", file[0], public_key[0]);
	make_key(&keys, "fra1", file[1], public_key[1]);
	make_key(&keys, "wrong", wrong, public_key[2]);
	snprintf(more, sizeof(more),
		 "authorization {users: [{nkey: %s}, {nkey: %s, permissions: {"
		 "publish: [\"bp.result.fra1\", \"$KV.BP_STATUS.fra1\","
		 " \"$JS.API.DIRECT.GET.KV_BP_PLANS\"],"
		 "subscribe: [\"bp.mark.fra1\", \"$KV.BP_PLANS.fra1.>\", \"_INBOX.fra1.>\"]}}]}",
		 public_key[0], public_key[1]);
	broker_make(b, more);
	centre = broker_bus(b, "centre", file[0]);
	EVENTUALLY(bus_setup(centre, 1, 0, &err));
	fra1 = broker_bus(b, "fra1", file[1]);
	assert_int_equal(bus_publish(fra1, "bp.result.fra1", "1", "1", 1, NULL, &err), 0);
	from = mono_now();
	assert_int_equal(bus_publish(fra1, "bp.result.nyc1", "1", "1", 1, NULL, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "bp.result.nyc1"));
	assert_true(mono_since(mono_now(), from) < 15 * NS_PER_S); /* not when its time is over */
	assert_int_equal(bus_put(fra1, "BP_PLANS", "fra1.x", "1", 1, NULL, &err), BP_EPERM);
	assert_int_equal(bus_put(fra1, "BP_STATUS", "fra1", "{}", 2, NULL, &err), 0);
	assert_int_equal(bus_tell(fra1, "bp.mark.fra1", "1", 1, &err), BP_EPERM);
	assert_int_equal(bus_listen(fra1, "bp.mark.nyc1", NULL, &ear, &err), BP_EPERM);
	assert_int_equal(bus_listen(fra1, "bp.mark.fra1", NULL, &ear, &err), 0);
	bus_ear_close(ear);
	assert_int_equal(bus_watch_open(fra1, "BP_PLANS", "nyc1.*", &w, &err), BP_EPERM);
	assert_int_equal(bus_watch_open(fra1, "BP_PLANS", "fra1.*", &w, &err), 0);
	bus_watch_close(w);

	o.url = b->url;
	o.nkey_file = wrong;
	assert_int_equal(bus_open(&o, false, &fra1 /* stays */, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "wrong.nk"));
	o.nkey_file = NULL;
	assert_int_equal(bus_open(&o, false, &fra1, &err), BP_EPERM);
	chmod(wrong, 0644);
	o.nkey_file = wrong;
	assert_int_equal(bus_open(&o, false, &fra1, &err), BP_EPERM);
	assert_non_null(strstr(err.text, "chmod"));
	bus_close(fra1);
	bus_close(centre);
	snprintf(more, sizeof(more), "rm -rf '%s'", keys.dir);
	assert_int_equal(system(more), 0);
}

static void patience_waits_for_a_server(void **state)
{
	struct broker *b = *state;
	struct bus_options o = {.url = b->url, .name = "test", .inbox = "fra1", .wait_ns = NS_PER_S};
	struct bp_error err = {0};
	struct bus *bus;

	if (broker_missing())
		skip();
	broker_make(b, NULL);
	broker_kill(b);
	assert_int_equal(bus_open(&o, false, &bus, &err), BP_EAGAIN);
	assert_int_equal(bus_open(&o, true, &bus, &err), 0);
	assert_false(bus_is_connected(bus));
	assert_int_equal(bus_look(bus, &err), BP_EAGAIN);
	broker_start(b);
	EVENTUALLY(bus_look(bus, &err));
	bus_close(bus);
}

static void put_file(const char *dir, const char *name, const struct buf *bytes)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes->bytes, 1, bytes->used, f), bytes->used);
	fclose(f);
}

static void who_the_server_is_is_proved(void **state)
{
	static const char *const hosts[] = {"127.0.0.1"};
	struct broker *b = *state;
	char dir[64], more[512], ca[96], other[96], text[96];
	struct bus_options o = {.name = "test", .inbox = "fra1", .wait_ns = 10 * NS_PER_S};
	struct bp_error err = {0};
	struct certs ours, theirs;
	struct bus *bus = NULL;

	if (broker_missing())
		skip();
	snprintf(dir, sizeof(dir), "/tmp/bp-certs.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(certs_make(hosts, 1, &ours, &err), 0);
	assert_int_equal(certs_make(hosts, 1, &theirs, &err), 0);
	put_file(dir, "ca.pem", &ours.ca);
	put_file(dir, "other.pem", &theirs.ca);
	put_file(dir, "server.pem", &ours.server);
	put_file(dir, "server.key", &ours.server_key);
	certs_fini(&ours);
	certs_fini(&theirs);
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	snprintf(other, sizeof(other), "%s/other.pem", dir);
	snprintf(more, sizeof(more), "tls {cert_file: \"%s/server.pem\", key_file: "
		 "\"%s/server.key\"}", dir, dir);
	broker_make(b, more);
	snprintf(text, sizeof(text), "tls://127.0.0.1:%u", b->port);
	o.url = text;
	o.ca_file = ca;
	assert_int_equal(bus_open(&o, false, &bus, &err), 0);
	EVENTUALLY(bus_look(bus, &err));
	bus_close(bus);
	/* Another authority's; the system's, who never heard of it. */
	o.ca_file = other;
	assert_true(bus_open(&o, false, &bus, &err) < 0);
	o.ca_file = NULL;
	assert_true(bus_open(&o, false, &bus, &err) < 0);
	/* A file that is none is our own fault, whatever the patience. */
	o.ca_file = "/nowhere.pem";
	assert_int_equal(bus_open(&o, true, &bus, &err), BP_EPERM);
	o.ca_file = ca;
	o.nkey_file = "/nowhere.nk";
	assert_int_equal(bus_open(&o, true, &bus, &err), BP_ENOTFOUND);
	assert_non_null(strstr(err.text, "/nowhere.nk"));
	snprintf(more, sizeof(more), "rm -rf '%s'", dir);
	assert_int_equal(system(more), 0);
}

static void names_are_words(void **state)
{
	static const struct { const char *name; bool ok; const char *why; } rows[] = {
		{"fra1", true, "a name"},
		{"Fra-1_b", true, "all that may be in it"},
		{"", false, "no name"},
		{"a.b", false, "two tokens"},
		{"a b", false, "the protocol's blank"},
		{"*", false, "all of them"},
		{">", false, "all below"},
		{"fr\xc3\xa1", false, "not ASCII"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, "63"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, "64"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (bus_name_ok(rows[i].name) != rows[i].ok)
			fail_msg("%s: %s", rows[i].name, rows[i].why);
	}
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(messages_find_who_listens),
		T(results_wait_until_they_are_acknowledged),
		T(a_bucket_keeps_the_last_of_each_key),
		T(a_killed_broker_comes_back_and_all_goes_on),
		T(a_stream_that_went_back_is_read_again),
		T(a_full_stream_is_told_and_takes_more_when_it_is_emptied),
		T(one_vantage_point_does_not_fill_it_for_all),
		T(what_is_there_is_brought_to_its_bounds),
		T(what_is_allowed_later_is_denied_no_more),
		T(a_watch_sees_what_a_broker_without_a_past_has),
		T(who_may_what_is_told_at_once),
		T(patience_waits_for_a_server),
		T(who_the_server_is_is_proved),
		cmocka_unit_test(names_are_words),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, broker_over);
}
