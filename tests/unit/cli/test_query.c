// SPDX-License-Identifier: BSD-2-Clause
/*
 * judge, convert and diff over a store, end to end: a store is filled here, and build/borderpath
 * (BORDERPATH names another) is run on it as a user would. The profile names its carriers by
 * prefix, so that no database is needed.
 */
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

static void write_file(const struct bed *b, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static void read_file(const struct bed *b, const char *name, char *out, size_t size)
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

static int set_up(void **state)
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

static int tear_down(void **state)
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
static int run(struct bed *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int run(struct bed *b, const char *fmt, ...)
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

static struct trace *trace_of(const char *vantage, const char *campaign, const char *dst,
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

static void target_name(unsigned i, char out[static 32])
{
	snprintf(out, 32, "175.45.%u.%u", 176 + i % 2, 10 + i);
}

/* One round as a campaign commits it; its traces go into jsonl too where that is not NULL. */
static void put_round(struct bed *b, struct store *store, const struct slot *s, struct buf *jsonl)
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

static void fill(struct bed *b, const char *url, const struct slot *slots, unsigned n,
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

static unsigned lines(const char *text, const char *with)
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

/* --- convert ---------------------------------------------------------------------------------- */

static void convert_selects(void **state)
{
	static const struct { const char *why, *options; unsigned traces; } rows[] = {
		{"all", "", MOVED_TRACES},
		{"a vantage point", "--vantage sin1", 12},
		{"a campaign", "--campaign nk", MOVED_NK},
		{"from a moment on", "--since 2026-11-22T10:00:00Z", 25},
		{"before it", "--until 2026-11-22T10:00:00Z", 30},
		{"a target", "--target 175.45.176.12", 9},
		{"a prefix", "--prefix 175.45.177.0/24", 27},
		{"a method nobody used", "--method tcp", 0},
		{"who was judged so: nobody yet", "--border khasan", 0},
		{"a window without data: no failure", "--since 2030-01-01", 0},
	};
	struct bed *b = *state;

	fill(b, b->store, moved, MOVED, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned n;

		assert_exit(b, 0, "convert --to jsonl %s %s", rows[i].options, b->store);
		n = lines(b->out, TRACE_LINE);
		if (n != rows[i].traces)
			fail_msg("%s: %u traces, not %u", rows[i].why, n, rows[i].traces);
	}
	assert_exit(b, 0, "convert --to jsonl sqlite:%s", b->store);
	assert_int_equal(lines(b->out, ROUND_LINE), MOVED);
}

/* Without a file it is the store that is named, then the default one; without that, what to do. */
static void the_default_store(void **state)
{
	struct bed *b = *state;
	char path[160];

	assert_exit(b, 2, "convert --to jsonl");
	assert_non_null(strstr(b->err, "name the files"));
	assert_non_null(strstr(b->err, "borderpath campaign"));
	assert_exit(b, 2, "diff --at 2026-11-22T10:00:00Z");
	assert_exit(b, 2, "judge");
	assert_exit(b, 1, "judge --store sqlite:%s", b->store);
	assert_non_null(strstr(b->err, b->store));
	assert_exit(b, 2, "diff --at now --store sqlite:%s", b->store);
	fill(b, b->store, moved, 1, NULL);
	assert_exit(b, 0, "convert --to jsonl --store sqlite:%s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 6);
	assert_exit(b, 2, "judge --store sqlite:%s %s", b->store, b->store);
	assert_non_null(strstr(b->err, "--store"));
	snprintf(path, sizeof(path), "%s/state", b->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/borderpath");
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/store.db");
	fill(b, path, &moved[1], 2, NULL);
	assert_exit(b, 0, "convert --to jsonl");
	assert_int_equal(lines(b->out, TRACE_LINE), 12);
	assert_exit(b, 0, "judge --format jsonl --vantage sin1");
	assert_int_equal(lines(b->out, "\"border\":\"dandong\""), 6);
}

/* --- judge ------------------------------------------------------------------------------------ */

struct judged { unsigned traces, khasan, none; };

static int count_judged(void *arg, struct record *r, struct bp_error *err)
{
	struct judged *j = arg;

	(void)err;
	if (r->kind != RECORD_TRACE)
		return 0;
	j->traces++;
	j->khasan += r->verdict.judged && strcmp(r->verdict.border, "khasan") == 0;
	j->none += !r->verdict.judged;
	return 0;
}

static struct judged judged_in(struct bed *b)
{
	struct store_select all = {0};
	struct judged j = {0};
	struct store *store;

	assert_ok(b, store_open(b->store, STORE_READ, &store, &b->why));
	assert_ok(b, store_read(store, &all, count_judged, &j, &b->why));
	store_close(store);
	return j;
}

static void judge_keeps(void **state)
{
	struct bed *b = *state;
	struct judged j;

	fill(b, b->store, moved, MOVED, NULL);
	j = judged_in(b);
	assert_int_equal(j.traces, MOVED_TRACES);
	assert_int_equal(j.none, MOVED_TRACES);
	assert_exit(b, 0, "judge --format jsonl %s", b->store);
	assert_int_equal(lines(b->out, "\"border\":\"khasan\""), 11);
	/* Rounds pass through. */
	assert_int_equal(lines(b->out, ROUND_LINE), MOVED);
	j = judged_in(b);
	assert_int_equal(j.traces, MOVED_TRACES);
	assert_int_equal(j.khasan, 11);
	assert_int_equal(j.none, 0);
	/* By the latest judgement; what it was before is kept, and is not the latest. */
	assert_exit(b, 0, "convert --to jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	write_file(b, "profile.yaml", "profile: test\nversion: 2026-11-23\n"
		   "network: {name: N, asn: [131279], prefixes: [175.45.176.0/22], "
		   "judge_by: {v4: 24, v6: 48}}\n"
		   "borders: [{id: rason, networks: [{asn: 20485}], "
		   "prefixes: [{prefix: 188.43.0.0/16, asn: 20485}]}]\n");
	/* Those that were khasan's are judged anew, whatever comes of it. */
	assert_exit(b, 0, "judge --format jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	assert_int_equal(lines(b->out, "\"border\":\"rason\""), 11);
	assert_exit(b, 0, "convert --to jsonl --border khasan %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 0);
	assert_exit(b, 0, "convert --to jsonl --border rason %s", b->store);
	assert_int_equal(lines(b->out, TRACE_LINE), 11);
	assert_exit(b, 0, "convert --to jsonl --border dandong %s", b->store);
	assert_true(lines(b->out, TRACE_LINE) > 0);
}

/* A store that takes no judgement: all are printed, it is told, and the result is partial. Root may
 * write whatever it likes: there the store is another program's for a while. */
static void judge_of_a_store_that_takes_none(void **state)
{
	struct bed *b = *state;
	struct store *writer = NULL;
	int got;

	fill(b, b->store, moved, 1, NULL);
	if (geteuid() == 0)
		assert_ok(b, store_open(b->store, STORE_WRITE, &writer, &b->why));
	if (writer != NULL)
		assert_ok(b, store_begin(writer, &b->why));
	else
		assert_int_equal(chmod(b->store, 0444) | chmod(b->dir, 0555), 0);
	if (writer == NULL) {
		/* Nowhere to write: its output goes to our own. */
		char command[512];
		const char *program = getenv("BORDERPATH");

		snprintf(command, sizeof(command), "timeout 60 '%s' judge --quiet --format jsonl "
			 "--profile '%s/profile.yaml' '%s' >/dev/null 2>&1",
			 program != NULL ? program : "build/borderpath", b->dir, b->store);
		got = system(command);
		got = WEXITSTATUS(got);
		assert_int_equal(chmod(b->dir, 0755), 0);
	} else {
		got = run(b, "judge --format jsonl %s", b->store);
		assert_int_equal(lines(b->out, "\"border\":\"dandong\""), 6);
		assert_int_equal(lines(b->err, "not kept"), 1);
	}
	store_undo(writer);
	store_close(writer);
	assert_int_equal(got, 3);
	assert_int_equal(judged_in(b).none, 6);
}

/* --- diff ------------------------------------------------------------------------------------- */

static json_t *diff_json(struct bed *b, const char *what)
{
	json_t *j;

	assert_int_equal(run(b, "diff --format jsonl %s", what), 1);
	j = json_loads(b->out, 0, NULL);
	assert_non_null(j);
	return j;
}

/* The same diff from the store, by its groups, as from the records one by one. */
static void diff_of_store_is_diff_of_records(void **state)
{
	static const char *const options[] = {
		"", "--vantage fra1", "--campaign nk", "--target 175.45.176.12",
		"--prefix 175.45.177.0/24", "--before 20m --after 10m",
	};
	struct bed *b = *state;
	struct buf jsonl;

	buf_init(&jsonl);
	fill(b, b->store, moved, MOVED, &jsonl);
	assert_false(jsonl.failed);
	write_file(b, "records.jsonl", jsonl.bytes);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char what[512];
		json_t *x, *y;

		snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z %s %s", options[i],
			 b->store);
		x = diff_json(b, what);
		snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z %s %s/records.jsonl",
			 options[i], b->dir);
		y = diff_json(b, what);
		if (!json_equal(x, y))
			fail_msg("%s:\n%s\n%s", options[i],
				 json_dumps(x, JSON_SORT_KEYS | JSON_INDENT(1)),
				 json_dumps(y, JSON_SORT_KEYS | JSON_INDENT(1)));
		json_decref(x);
		json_decref(y);
	}
	buf_fini(&jsonl);
}

static const json_t *point(const json_t *diff, const char *name)
{
	const json_t *points = json_object_get(diff, "vantage_points"), *p;
	size_t i;

	json_array_foreach(points, i, p) {
		if (strcmp(json_string_value(json_object_get(p, "vantage")), name) == 0)
			return p;
	}
	fail_msg("%s is not told", name);
	return NULL;
}

static int64_t after(const json_t *point, const char *what)
{
	return json_integer_value(json_object_get(json_object_get(point, "after"), what));
}

static void a_gap_is_no_outage(void **state)
{
	struct bed *b = *state;
	char what[512];
	json_t *j, *row;
	size_t i;

	fill(b, b->store, moved, MOVED, NULL);
	snprintf(what, sizeof(what), "--at 2026-11-22T10:00:00Z --campaign nk %s", b->store);
	j = diff_json(b, what);
	assert_string_equal(json_string_value(json_object_get(json_array_get(
		json_object_get(j, "moves"), 0), "to")), "khasan");
	json_array_foreach(json_object_get(j, "rows"), i, row) {
		const char *vantage = json_string_value(json_object_get(row, "vantage"));

		assert_true(json_is_true(json_object_get(row, "changed")) ==
			    (strcmp(vantage, "fra1") == 0));
		assert_string_equal(json_string_value(json_object_get(row, "reach")),
				    vantage[0] == 'f' || vantage[0] == 's' ? "same" : "unknown");
	}
	assert_int_equal(after(point(j, "fra1"), "rounds"), 2);
	assert_int_equal(after(point(j, "fra1"), "partial"), 1);
	assert_int_equal(after(point(j, "oslo"), "missed"), 1);
	assert_true(json_is_false(json_object_get(point(j, "oslo"), "counted")));
	assert_true(json_is_false(json_object_get(point(j, "tyo1"), "counted")));
	assert_int_equal(after(point(j, "tyo1"), "missed"), 1);
	json_decref(j);
	assert_exit(b, 1, "diff --at 2026-11-22T10:00:00Z --campaign nk %s", b->store);
	assert_non_null(strstr(b->out, "Not measured from oslo: 1 of 1 round after missed (down); "
			       "it is not counted."));
	assert_non_null(strstr(b->out, "Not measured from tyo1: 1 of 1 round after missed "
			       "(vantage_offline); it is not counted."));
	assert_non_null(strstr(b->out, "1 of 2 rounds after measured in part (overrun)."));
}

/* A network begins to be a way in within the window: what was before it is judged by what held. */
static void diff_across_a_date_of_the_profile(void **state)
{
	static const int64_t date_s = 1793491200; /* 2026-11-01 */
	static const struct slot slots[] = {
		{"fra1", "nk", TTK, date_s - 900, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
		{"fra1", "nk", TTK, date_s, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
		{"fra1", "nk", TTK, date_s + 900, 186, 6, 0, ROUND_WHY_NONE, ROUND_HEALTH_OK},
	};
	struct bed *b = *state;
	struct buf jsonl;
	char *store;

	buf_init(&jsonl);
	fill(b, b->store, slots, 3, &jsonl);
	write_file(b, "records.jsonl", jsonl.bytes);
	/* Both kinds are on the side before. */
	run(b, "diff --format jsonl --at 2026-11-01T00:10:00Z %s", b->store);
	store = strdup(b->out);
	run(b, "diff --format jsonl --at 2026-11-01T00:10:00Z %s/records.jsonl", b->dir);
	assert_string_equal(store, b->out);
	assert_int_equal(lines(store, "\"khasan\":0."), 1);
	free(store);
	buf_fini(&jsonl);
}

/* Two stores, or a store and a file, as the two sides. */
static void two_sides(void **state)
{
	struct bed *b = *state;
	char other[128];
	struct buf jsonl;

	buf_init(&jsonl);
	snprintf(other, sizeof(other), "%s/t.db", b->dir);
	fill(b, b->store, moved, 3, NULL);
	fill(b, other, &moved[5], 3, &jsonl);
	write_file(b, "after.jsonl", jsonl.bytes);
	assert_exit(b, 1, "diff --format jsonl %s %s", b->store, other);
	assert_non_null(strstr(b->out, "\"to\":\"khasan\""));
	assert_int_equal(lines(b->out, "\"example\":\"fra1-1-"), 1);
	assert_exit(b, 1, "diff %s %s/after.jsonl", b->store, b->dir);
	assert_exit(b, 0, "diff %s %s", b->store, b->store);
	assert_exit(b, 2, "diff %s %s/missing", b->store, b->dir);
	buf_fini(&jsonl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(convert_selects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_default_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judge_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judge_of_a_store_that_takes_none, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(diff_of_store_is_diff_of_records, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_gap_is_no_outage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(diff_across_a_date_of_the_profile, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(two_sides, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
