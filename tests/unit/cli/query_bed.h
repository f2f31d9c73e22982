// SPDX-License-Identifier: BSD-2-Clause
/*
 * A store filled as a campaign fills it, and build/borderpath (BORDERPATH names another) run on it
 * as a user would. The profile names its carriers by prefix, so that no database is needed.
 */
#ifndef TESTS_QUERY_BED_H
#define TESTS_QUERY_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "campaign/store.h"
#include "core/buf.h"

#define T0_S INT64_C(1795341600) /* 2026-11-22T10:00:00Z: the moment of all diffs here */

static const char profile_yaml[] =
	"profile: test\n"
	"version: 2026-11-22\n"
	"timezone: Asia/Pyongyang\n"
	"network: {name: N, asn: [131279], prefixes: [175.45.176.0/22], judge_by: {v4: 24, v6: 48}}\n"
	"borders:\n"
	"  - {id: dandong, name: Dandong, networks: [{asn: 4837, org: Unicom}],\n"
	"     prefixes: [{prefix: 219.158.0.0/16, asn: 4837}]}\n"
	"  - {id: khasan, name: Khasan, networks: [{asn: 20485, org: TTK, since: 2026-11-01}],\n"
	"     prefixes: [{prefix: 188.43.0.0/16, asn: 20485, since: 2026-11-01}]}\n";

struct bed {
	char dir[64], store[96];
	char out[1 << 20], err[4096];
	struct bp_error why;
};

static inline void write_file(const struct bed *b, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static inline void read_file(const struct bed *b, const char *name, char *out, size_t size)
{
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

static inline int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_query.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	snprintf(b->store, sizeof(b->store), "%s/s.db", b->dir);
	write_file(b, "profile.yaml", profile_yaml);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bed *b = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	assert_int_equal(system(command), 0);
	free(b);
	return 0;
}

/* Runs borderpath in the directory's own state and configuration; what it wrote is in b->out and
 * b->err. Words with spaces are the caller's to quote. */
static inline int run(struct bed *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline int run(struct bed *b, const char *fmt, ...)
{
	const char *program = getenv("BORDERPATH");
	char words[1024], command[2048];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command),
		 "XDG_STATE_HOME='%s/state' LC_ALL=C.UTF-8 timeout 60 '%s' %s --profile "
		 "'%s/profile.yaml' --quiet >'%s/out' 2>'%s/err' </dev/null",
		 b->dir, program != NULL ? program : "build/borderpath", words, b->dir, b->dir,
		 b->dir);
	rc = system(command);
	read_file(b, "out", b->out, sizeof(b->out));
	read_file(b, "err", b->err, sizeof(b->err));
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

#define assert_exit(b, want, ...)                                                \
	do {                                                                     \
		int got_ = run(b, __VA_ARGS__);                                  \
		if (got_ != (want))                                              \
			fail_msg("exit %d, not %d: %s", got_, want, (b)->err);   \
	} while (0)

/* --- a store ---------------------------------------------------------------------------------- */

static inline struct trace *trace_of(const char *vantage, const char *campaign, const char *dst,
			      const char *carrier, int64_t start_s, int64_t rtt_ms, int flow)
{
	const char *const hops[] = {"203.0.113.1", carrier, carrier[0] == '1' ? "188.43.225.153" :
				    "219.158.39.42", dst};
	struct trace *t = trace_new(8);
	static unsigned seq;

	assert_non_null(t);
	snprintf(t->id, sizeof(t->id), "%s-1-%u", vantage, ++seq);
	text_set(t->vantage, sizeof(t->vantage), vantage);
	text_set(t->campaign, sizeof(t->campaign), campaign);
	snprintf(t->round, sizeof(t->round), "%s-%s-%lld", campaign, vantage, (long long)start_s);
	text_set(t->target, sizeof(t->target), dst);
	assert_int_equal(addr_parse(dst, &t->dst), 0);
	assert_int_equal(addr_parse("203.0.113.9", &t->src), 0);
	t->method = METHOD_ICMP;
	t->flow = flow;
	t->stamps = STAMPS_PCAP;
	t->start.ns = start_s * NS_PER_S;
	t->end.ns = t->start.ns + NS_PER_S;
	t->stop = rtt_ms > 0 ? STOP_REACHED : STOP_GAP_LIMIT;
	t->reach = rtt_ms > 0 ? REACH_REACHED : REACH_SILENT;
	for (uint8_t ttl = 1; ttl <= 4; ttl++) {
		struct trace_entry *e = &t->entries[t->entry_count++];

		trace_entry_init(e, ttl, 1);
		e->tx_ns = ttl * NS_PER_MS;
		e->why = WHY_TIMEOUT;
		/* rtt_ms 0: nobody answers at all, as from a vantage point that is offline. */
		if (rtt_ms == 0)
			continue;
		e->why = WHY_NONE;
		assert_int_equal(addr_parse(hops[ttl - 1], &e->reply.from), 0);
		e->reply.icmp_type = ttl < 4 ? 11 : 0;
		e->reply.icmp_code = 0;
		e->reply.rtt_ns = rtt_ms * NS_PER_MS * ttl / 4;
	}
	t->size = (uint32_t)trace_size(t->entry_count);
	return t;
}

#define assert_ok(b, call)                                        \
	do {                                                      \
		if ((call) != 0)                                  \
			fail_msg("%s: %s", #call, (b)->why.text); \
	} while (0)

struct slot {
	const char *vantage, *campaign, *carrier;
	int64_t start_s, rtt_ms;
	unsigned targets, missed;
	enum round_why why;
	enum round_health health;
};

static inline void target_name(unsigned i, char out[static 32])
{
	snprintf(out, 32, "175.45.%u.%u", 176 + i % 2, 10 + i);
}

/* One round as a campaign commits it; its traces go into jsonl too where that is not NULL. */
static inline void put_round(struct bed *b, struct store *store, const struct slot *s,
			     struct buf *jsonl)
{
	struct round r;
	bool already;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), s->campaign);
	text_set(r.vantage, sizeof(r.vantage), s->vantage);
	r.planned.ns = s->start_s * NS_PER_S;
	round_set_id(&r);
	r.start = r.end = r.planned;
	r.done = r.traces = s->targets;
	r.missed = s->missed;
	r.expected = r.done + r.missed;
	r.why = (uint8_t)s->why;
	r.health = (uint8_t)s->health;
	assert_ok(b, store_begin(store, &b->why));
	for (unsigned i = 0; i < s->targets; i++) {
		struct trace *t;
		char dst[32];

		target_name(i, dst);
		t = trace_of(s->vantage, s->campaign, dst, s->carrier, s->start_s + (int64_t)i,
			     s->rtt_ms + (s->rtt_ms > 0 ? (int64_t)(i % 3) : 0), (int)(i % 4));
		text_set(t->round, sizeof(t->round), r.id);
		assert_ok(b, store_add_trace(store, t, NULL, NULL, &b->why));
		if (jsonl != NULL)
			jsonl_write_trace(jsonl, t, NULL, NULL);
		free(t);
	}
	assert_ok(b, store_add_round(store, &r, &already, &b->why));
	assert_ok(b, store_commit(store, &b->why));
	if (jsonl != NULL)
		round_write_json(jsonl, &r);
}

static inline void fill(struct bed *b, const char *url, const struct slot *slots, unsigned n,
		 struct buf *jsonl)
{
	struct store *store;

	assert_ok(b, store_open(url, STORE_WRITE, &store, &b->why));
	for (unsigned i = 0; i < n; i++)
		put_round(b, store, &slots[i], jsonl);
	store_close(store);
}

#define UNICOM "219.158.1.1"
#define TTK "188.43.1.1"

/* fra1 moves from Unicom to TTK at T0; sin1 stays; tyo1 is offline after, and oslo down. */
static const struct slot moved[] = {
	{"fra1", "nk", UNICOM, T0_S - 1800, 280, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"fra1", "nk", UNICOM, T0_S - 900, 280, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"sin1", "nk", UNICOM, T0_S - 900, 100, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"tyo1", "nk", UNICOM, T0_S - 900, 90, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"oslo", "nk", UNICOM, T0_S - 900, 200, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"fra1", "nk", TTK, T0_S, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"fra1", "nk", TTK, T0_S + 900, 186, 5, 1, ROUND_WHY_OVERRUN, ROUND_HEALTH_OK},
	{"sin1", "nk", UNICOM, T0_S, 100, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	{"tyo1", "nk", UNICOM, T0_S, 0, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OFFLINE},
	{"oslo", "nk", UNICOM, T0_S, 0, 0, 6, ROUND_WHY_DOWN, ROUND_HEALTH_UNKNOWN},
	{"fra1", "other", UNICOM, T0_S + 100, 280, 2, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
};
enum { MOVED = sizeof(moved) / sizeof(moved[0]), MOVED_TRACES = 55, MOVED_NK = 53 };

static inline unsigned lines(const char *text, const char *with)
{
	unsigned n = 0;

	for (const char *at = text; *at != '\0';) {
		const char *end = strchr(at, '\n');
		size_t size = end != NULL ? (size_t)(end - at) : strlen(at);

		n += memmem(at, size, with, strlen(with)) != NULL;
		at += size + (end != NULL);
	}
	return n;
}

#define TRACE_LINE "\"type\":\"trace\""
#define ROUND_LINE "\"type\":\"round\""

#endif
