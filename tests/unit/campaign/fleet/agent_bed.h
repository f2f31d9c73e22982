// SPDX-License-Identifier: BSD-2-Clause
/*
 * A whole agent against a real broker, with a stand-in for the centre (the test) and for `campaign
 * run` (a script that writes down what it is told). The agent is the test's program, executed anew:
 * it can be killed like any other.
 */
#ifndef TESTS_UNIT_CAMPAIGN_FLEET_AGENT_BED_H
#define TESTS_UNIT_CAMPAIGN_FLEET_AGENT_BED_H

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

static inline void agent_says(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

static inline void agent_prints(void *arg, const char *line, size_t n)
{
	(void)arg;
	fwrite(line, 1, n, stdout);
	fflush(stdout);
}

static inline int be_agent(char **argv)
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

static inline void start_agent_so(struct bed *b, const char *url, int64_t spool_bytes,
				  int64_t again_ns)
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

static inline void start_agent(struct bed *b, int64_t spool_bytes)
{
	start_agent_so(b, b->broker.url, spool_bytes, 0);
}

static inline int end_agent(struct bed *b, int sig)
{
	int status = 0;

	kill(b->agent, sig);
	waitpid(b->agent, &status, 0);
	b->agent = 0;
	return status;
}

/* --- files ------------------------------------------------------------------------------------ */

static inline void file_of(const struct bed *b, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", b->dir, name);
}

static inline bool file_has(const struct bed *b, const char *name, const char *text)
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

static inline bool file_waits_for(const struct bed *b, const char *name, const char *text)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (file_has(b, name, text))
			return true;
		broker_nap();
	}
	print_error("%s never says '%s'\n", name, text);
	return false;
}

static inline void empty_file(const struct bed *b, const char *name)
{
	char path[128];

	file_of(b, name, path);
	unlink(path);
}

/* What is told, and that it is told to end, instead of measuring. */
static inline void make_child(const struct bed *b)
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

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline void start_centre(struct bed *b)
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

static inline int count(void *arg, struct record *r, struct bp_error *err)
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

static inline void keep(struct bed *b, const struct bus_message *m)
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
static inline bool collect(struct bed *b, unsigned batches)
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

static inline void tell_marks(struct bed *b, const char *marks)
{
	struct bp_error err = {0};
	char text[1024];
	int n = snprintf(text, sizeof(text), "{\"type\":\"marks\",\"version\":1,\"vantage\":\"v\","
			 "\"marks\":{%s}}", marks);

	assert_int_equal(bus_tell(b->bus, "bp.mark.v", text, (size_t)n, &err), 0);
}

static inline void mark(struct bed *b, const char *epoch, uint64_t seq)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\":%llu", epoch, (unsigned long long)seq);
	tell_marks(b, text);
}

/* All that came is in, whatever epoch it is of. */
static inline void mark_all(struct bed *b)
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
static inline bool status_says(struct bed *b, const char *group, const char *key,
			       const char *word)
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

static inline void put_round(struct bed *b, unsigned slot, unsigned traces)
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

#endif
