// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole agent against a real broker, with a stand-in for the centre (this program) and for
 * `campaign run` (a script that writes down what it is told). The agent is this program, executed
 * anew: it can be killed like any other. Real rounds: tests/lab/t_fleet_agent.sh.
 */
#include "tests/unit/campaign/fleet/broker_bed.h"

#include <sodium.h>

#include "campaign/fleet/agent.h"
#include "campaign/fleet/batch.h"
#include "campaign/fleet/collect.h"
#include "campaign/fleet/cut.h"
#include "campaign/store.h"
#include "core/jsontree.h"

#define T0 (wall_now().ns / NS_PER_S * NS_PER_S - 40 * 900 * NS_PER_S)

enum { BATCHES_MAX = 64, STAMPS = 3, TRIES = 1500 /* of 20 ms */ };

struct bed {
	struct broker broker;
	char dir[64], spool[96];
	char *path;               /* of programs, as it was */
	int64_t t0;
	struct bus *bus;
	struct bus_intake *in;
	pid_t agent;
	/* What the centre has: each batch by its name, in the order in which they came. */
	struct kept { char epoch[BATCH_EPOCH_TEXT]; uint64_t seq; char *bytes; size_t size;
		      unsigned arrived; } batches[BATCHES_MAX];
	struct wall stamps[STAMPS]; /* of the first batch, as the broker had it each time */
	char ids[STAMPS][BATCH_ID_TEXT];
	unsigned count;
	char epoch[BATCH_EPOCH_TEXT]; /* the last */
	unsigned traces, rounds;  /* of batches that were new */
	unsigned others;          /* the same seq again, of other bytes */
	uint64_t missed;
};

/* --- the agent, as another process ------------------------------------------------------------ */

static void agent_says(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

static void agent_prints(void *arg, const char *line, size_t n)
{
	(void)arg;
	fwrite(line, 1, n, stdout);
	fflush(stdout);
}

static int be_agent(char **argv)
{
	struct agent_options o = {.server = argv[2], .vantage = "v", .spool = argv[3],
				  .spool_bytes = atoll(argv[4]), .again_ns = atoll(argv[5]),
				  .on_round = agent_prints, .on_note = agent_says};
	struct bp_error err = {0};

	if (sodium_init() < 0 || agent_run(&o, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}

static void start_agent_so(struct bed *b, const char *url, int64_t spool_bytes, int64_t again_ns)
{
	char bytes[24], again[24], log[96], self[512];
	/* Read here: valgrind, under which this may run, answers for itself. */
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	snprintf(bytes, sizeof(bytes), "%lld", (long long)spool_bytes);
	snprintf(again, sizeof(again), "%lld", (long long)again_ns);
	snprintf(log, sizeof(log), "%s/agent.log", b->dir);
	b->agent = fork();
	assert_true(b->agent >= 0);
	if (b->agent == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDERR_FILENO);
		dup2(fd, STDOUT_FILENO);
		execl(self, "test_agent", "agent", url, b->spool, bytes, again, (char *)NULL);
		_exit(127);
	}
}

static void start_agent(struct bed *b, int64_t spool_bytes)
{
	start_agent_so(b, b->broker.url, spool_bytes, 0);
}

static int end_agent(struct bed *b, int sig)
{
	int status = 0;

	kill(b->agent, sig);
	waitpid(b->agent, &status, 0);
	b->agent = 0;
	return status;
}

/* --- files ------------------------------------------------------------------------------------ */

static void file_of(const struct bed *b, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", b->dir, name);
}

static bool file_has(const struct bed *b, const char *name, const char *text)
{
	char path[128], bytes[16384];
	size_t n;
	FILE *f;

	file_of(b, name, path);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(bytes, 1, sizeof(bytes) - 1, f);
	bytes[n] = '\0';
	fclose(f);
	return strstr(bytes, text) != NULL;
}

static bool file_waits_for(const struct bed *b, const char *name, const char *text)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (file_has(b, name, text))
			return true;
		broker_nap();
	}
	print_error("%s never says '%s'\n", name, text);
	return false;
}

static void empty_file(const struct bed *b, const char *name)
{
	char path[128];

	file_of(b, name, path);
	unlink(path);
}

/* What is told, and that it is told to end, instead of measuring. */
static void make_child(const struct bed *b)
{
	char path[128], text[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bin", b->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	file_of(b, "bin/borderpath", path);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\ncd '%s'\ntrap 'echo reload >>child' HUP\n"
		"trap 'echo stop >>child; exit 0' TERM\necho \"start $*\" >>child\n"
		"while :; do if [ -f say ]; then cat say; rm say; fi\n"
		"if [ -f die ]; then rm die; exit 3; fi; sleep 0.05; done\n", b->dir);
	fclose(f);
	chmod(path, 0700);
	snprintf(text, sizeof(text), "%s/bin:%s", b->dir, b->path);
	setenv("PATH", text, 1);
}

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	char command[256];

	*state = b;
	if (b == NULL)
		return 1;
	b->t0 = T0;
	b->path = strdup(getenv("PATH"));
	snprintf(b->dir, sizeof(b->dir), "/tmp/bp-agent.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return 1;
	snprintf(b->spool, sizeof(b->spool), "%s/spool", b->dir);
	mkdir(b->spool, 0700);
	make_child(b);
	/* Wherever this program lies. */
	snprintf(command, sizeof(command),
		 "mkdir -p '%s/borderpath/profiles' && cp profiles/dprk.yaml '%s/borderpath/profiles/'",
		 b->dir, b->dir);
	if (system(command) != 0)
		return 1;
	setenv("XDG_CONFIG_HOME", b->dir, 1);
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	char command[128];

	setenv("PATH", b->path, 1);
	free(b->path);
	if (b->agent > 0)
		end_agent(b, SIGKILL);
	bus_intake_close(b->in);
	bus_close(b->bus);
	broker_end(&b->broker);
	for (unsigned i = 0; i < BATCHES_MAX; i++)
		free(b->batches[i].bytes);
	snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	if (system(command) != 0)
		return 1;
	free(b);
	return 0;
}

/* --- the centre ------------------------------------------------------------------------------- */

static void start_centre(struct bed *b)
{
	struct bp_error err = {0};
	int rc = BP_EAGAIN;

	broker_make(&b->broker, NULL);
	b->bus = broker_bus(&b->broker, "centre", NULL);
	for (unsigned i = 0; i < TRIES && rc == BP_EAGAIN; i++) {
		rc = bus_setup(b->bus, 1, 0, &err);
		if (rc == BP_EAGAIN)
			broker_nap();
	}
	assert_int_equal(rc, 0);
	assert_int_equal(bus_intake_open(b->bus, &b->in, &err), 0);
}

static int count(void *arg, struct record *r, struct bp_error *err)
{
	struct bed *b = arg;
	struct round round;

	b->traces += r->kind == RECORD_TRACE;
	if (r->kind == RECORD_ROUND) {
		b->rounds++;
		assert_int_equal(round_read(r, &round, err), 0);
		b->missed += round.missed;
	}
	return 0;
}

static void keep(struct bed *b, const struct bus_message *m)
{
	enum batch_refusal refusal;
	struct batch_head head;
	struct bp_error err = {0};
	unsigned traces = b->traces, rounds = b->rounds, at = 0;
	uint64_t missed = b->missed;
	struct kept *k;

	assert_int_equal(batch_read("v", NULL, m->bytes, m->size, &head, count, b, &refusal, &err), 0);
	snprintf(b->epoch, sizeof(b->epoch), "%s", head.epoch);
	while (at < b->count && (b->batches[at].seq != head.seq ||
				 strcmp(b->batches[at].epoch, head.epoch) != 0))
		at++;
	assert_true(head.seq > 0 && at < BATCHES_MAX);
	k = &b->batches[at];
	if (at == 0 && k->arrived < STAMPS) {
		b->stamps[k->arrived] = m->stamp;
		snprintf(b->ids[k->arrived], BATCH_ID_TEXT, "%s", m->id);
	}
	k->arrived++;
	if (at < b->count) {
		b->others += k->size != m->size || memcmp(k->bytes, m->bytes, m->size) != 0;
		b->traces = traces;
		b->rounds = rounds;
		b->missed = missed;
		return;
	}
	snprintf(k->epoch, sizeof(k->epoch), "%s", head.epoch);
	k->seq = head.seq;
	k->bytes = malloc(m->size);
	memcpy(k->bytes, m->bytes, m->size);
	k->size = m->size;
	b->count++;
}

/* Takes what comes until that many batches are there. */
static bool collect(struct bed *b, unsigned batches)
{
	struct bus_message m[BUS_FETCH_MAX];
	struct bp_error err = {0};
	unsigned n;

	for (unsigned i = 0; i < TRIES; i++) {
		n = 0;
		if (bus_fetch(b->in, BUS_FETCH_MAX, 0, m, &n, &err) < 0)
			n = 0;
		for (unsigned k = 0; k < n; k++) {
			keep(b, &m[k]);
			(void)bus_ack(&m[k], &err);
			bus_message_drop(&m[k]);
		}
		if (b->count >= batches)
			return true;
		broker_nap();
	}
	print_error("%u batches came, not %u\n", b->count, batches);
	return false;
}

static void tell_marks(struct bed *b, const char *marks)
{
	struct bp_error err = {0};
	char text[1024];
	int n = snprintf(text, sizeof(text), "{\"type\":\"marks\",\"version\":1,\"vantage\":\"v\","
			 "\"marks\":{%s}}", marks);

	assert_int_equal(bus_tell(b->bus, "bp.mark.v", text, (size_t)n, &err), 0);
}

static void mark(struct bed *b, const char *epoch, uint64_t seq)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\":%llu", epoch, (unsigned long long)seq);
	tell_marks(b, text);
}

/* All that came is in, whatever epoch it is of. */
static void mark_all(struct bed *b)
{
	char text[512] = "";
	size_t n = 0;

	for (unsigned i = 0; i < b->count; i++) {
		uint64_t top = 0;
		bool first = true;

		for (unsigned k = 0; k < b->count; k++) {
			if (strcmp(b->batches[i].epoch, b->batches[k].epoch) != 0)
				continue;
			first &= k >= i;
			top = b->batches[k].seq > top ? b->batches[k].seq : top;
		}
		if (first)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\":%llu",
					      n > 0 ? "," : "", b->batches[i].epoch,
					      (unsigned long long)top);
	}
	tell_marks(b, text);
}

/* Whether the agent comes to say so; path: two members. */
static bool status_says(struct bed *b, const char *group, const char *key, const char *word)
{
	struct bp_error err = {0};
	struct buf text;
	bool said = false;

	buf_init(&text);
	for (unsigned i = 0; i < TRIES && !said; i++) {
		struct json_node *tree;
		const struct json_node *v;

		if (bus_get(b->bus, "BP_STATUS", "v", &text, NULL, NULL, &err) == 0) {
			tree = json_tree(text.bytes, text.used, &err);
			assert_non_null(tree);
			v = node_get(tree, group);
			if (v != NULL && v->kind == NODE_ARRAY)
				v = v->count > 0 ? v + 1 : NULL;
			v = node_get(v, key);
			said = v != NULL && strstr(v->text, word) != NULL;
			free(tree);
		}
		if (!said)
			broker_nap();
	}
	if (!said)
		print_error("%s\n", text.bytes);
	buf_fini(&text);
	return said;
}

/* --- measuring -------------------------------------------------------------------------------- */

static void put_round(struct bed *b, unsigned slot, unsigned traces)
{
	struct bp_error err = {0};
	char path[128];
	struct store *s;
	struct round r;
	bool already;

	snprintf(path, sizeof(path), "%s/spool.db", b->spool);
	if (store_open(path, STORE_WRITE, &s, &err) < 0)
		fail_msg("%s", err.text);
	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = r.start.ns = b->t0 + slot * 900 * NS_PER_S;
	r.end.ns = r.start.ns + 800 * NS_PER_S;
	r.expected = r.done = r.traces = traces;
	round_set_id(&r);
	assert_int_equal(store_begin(s, &err), 0);
	for (unsigned i = 0; i < traces; i++) {
		struct trace *t = trace_new(16);

		snprintf(t->id, sizeof(t->id), "v-run-%u", slot * 10000 + i);
		strcpy(t->vantage, "v");
		strcpy(t->campaign, "c");
		strcpy(t->round, r.id);
		snprintf(t->target, sizeof(t->target), "192.0.2.%u", i % 256);
		addr_parse(t->target, &t->dst);
		t->start.ns = r.planned.ns + i * NS_PER_MS;
		for (unsigned k = 0; k < 16; k++) {
			struct trace_entry *e = &t->entries[t->entry_count++];

			trace_entry_init(e, (uint8_t)(k + 1), 1);
			e->why = WHY_NONE;
			e->reply.from = addr_v4((const uint8_t[]){10, 0, (uint8_t)(i % 7),
								  (uint8_t)k});
			e->reply.rtt_ns = (k + 1) * NS_PER_MS + slot * 1000003 + i * 7919;
			e->tx_ns = k * NS_PER_MS + randombytes_uniform(1000000);
		}
		t->size = (uint32_t)trace_size(t->entry_count);
		assert_int_equal(store_add_trace(s, t, NULL, NULL, &err), 0);
		free(t);
	}
	assert_int_equal(store_add_round(s, &r, &already, &err), 0);
	assert_int_equal(store_commit(s, &err), 0);
	store_close(s);
}

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
	put_round(b, 3, 1);
	assert_true(collect(b, 7));
	mark(b, b->epoch, 7);
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
	assert_true(file_has(b, "spool/plans/one.yaml", "name: \"v\""));
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
		T(a_full_spool_drops_the_oldest_and_says_so),
		T(one_agent_a_spool),
	};

	if (argc == 6 && strcmp(argv[1], "agent") == 0)
		return be_agent(argv);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, broker_over);
}
