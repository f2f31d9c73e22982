// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared beginnings over a whole run, against a scripted network: the lines that a child would be
 * given are measured as the world has it at that moment, and its traces taken. Whatever the world
 * does, every target comes out once, and nothing is inherited that was not so.
 */
#include "cli/trace_shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "core/err.h"
#include "tests/unit/analysis/path_judge.h"

enum { LINES_MAX = 4096, WAY_TEXT = 768 };

#define HEAD "10.11.0.1 66.110.96.13 63.243.128.121 "
#define BY_D HEAD "219.158.115.122 219.158.102.214 219.158.39.42 * * * "
#define BY_K HEAD "80.81.193.157 217.150.57.98 10.99.99.9 188.43.225.153 * * "
/* Another third hop, and the same from there on. */
#define BY_D_HIDDEN "10.11.0.1 66.110.96.13 63.243.128.199 " \
	"219.158.115.122 219.158.102.214 219.158.39.42 * * * "
#define ANCHOR_SILENT HEAD "219.158.115.122 * 219.158.39.42 * * * "

/* The program's own is in its main.c; nothing here is wrong with the words. */
void cli_say(const char *fmt, ...)
{
	fail_msg("told: %s", fmt);
}

/* The way to a destination, by its last two bytes, when `measured` traces were measured. */
typedef const char *world_fn(unsigned dst, unsigned measured);

struct bench {
	world_fn *world;
	struct trace_options o;
	struct session session;
	struct trace_plan plan;
	struct trace_shared *shared;
	struct plan_trace queue[LINES_MAX]; /* with the child, from `head` */
	unsigned head, queued;
	uint32_t chance;
	bool ended;
	unsigned measured, whole;   /* traces of the child; of them whole */
	uint64_t sent, sent_told;   /* probes; as the records tell */
	uint64_t taken;             /* targets that came out */
	unsigned inherited;         /* of these, with an inherited beginning */
	unsigned most_out;
	bool seen[LINES_MAX];       /* by seq of the plan */
	const char *note;
	bool look;                  /* compare what comes out with the world ... */
	bool settled;               /* ... as it is, not as it was at first */
};

static void bench_open(struct bench *b, world_fn *world, const char *target)
{
	char *argv[] = {strdup(target)};
	struct bp_error err;
	uint64_t wrong;

	memset(b, 0, sizeof(*b));
	b->world = world;
	b->look = true;
	b->chance = 20261122;
	b->o.flow_count = 1;
	plan_run_defaults(&b->o.run);
	plan_trace_defaults(&b->o.each);
	b->o.each.dport = 0;
	b->o.run.rate_pps = 0;
	b->o.each.attempts = 1;
	b->session.profile = profile;
	assert_int_equal(geo_open(NULL, NULL, profile, &b->session.geo, &err), 0);
	trace_plan_init(&b->plan, &b->o);
	assert_int_equal(trace_plan_collect(&b->plan, profile, 1, argv, &wrong, &err), 0);
	b->shared = trace_shared_new(&b->o, &b->plan, &b->session);
	assert_non_null(b->shared);
	free(argv[0]);
}

static void bench_close(struct bench *b)
{
	trace_shared_free(b->shared);
	trace_plan_fini(&b->plan);
	geo_close(b->session.geo);
}

static unsigned number_of(struct addr a)
{
	return (unsigned)a.bytes[2] << 8 | a.bytes[3];
}

/* Lines finish in no order: another one comes to the head of the queue. */
static void bench_mix(struct bench *b)
{
	unsigned near = b->queued < 64 ? b->queued : 64;
	struct plan_trace *one = &b->queue[b->head], *other, swap;

	if (near == 0)
		return;
	other = &b->queue[(b->head + path_next(&b->chance) % near) % LINES_MAX];
	swap = *one;
	*one = *other;
	*other = swap;
}

/* Asks for lines until there are no more for now. */
static void bench_fill(struct bench *b)
{
	enum probe_more more = PROBE_MORE_NOW;
	struct bp_error err;

	while (!b->ended && more == PROBE_MORE_NOW) {
		enum plan_line kind;
		struct plan_run run;
		struct prefix avoid;
		struct buf out;

		buf_init(&out);
		more = trace_shared_more(b->shared, &out);
		for (size_t at = 0; at < out.used;) {
			const char *line = out.bytes + at;
			size_t n = (size_t)((const char *)memchr(line, '\n', out.used - at) - line);
			struct plan_trace *p =
				&b->queue[(b->head + b->queued++) % LINES_MAX];

			assert_true(b->queued <= LINES_MAX);
			assert_int_equal(plan_parse_line(line, n, &kind, &run, p, &avoid,
							 &err), 0);
			assert_int_equal(kind, PLAN_LINE_TRACE);
			at += n + 1;
		}
		buf_fini(&out);
		b->ended = more == PROBE_MORE_NONE;
	}
	b->most_out = b->queued > b->most_out ? b->queued : b->most_out;
	/* Later means: after something that is still out. */
	assert_true(b->ended || b->queued > 0);
	bench_mix(b);
}

static struct trace *measure(struct bench *b, const struct plan_trace *p)
{
	char way[WAY_TEXT], dst[ADDR_TEXT];
	struct names names;
	struct trace *t;
	uint32_t skip = 0;

	addr_format(p->dst, dst);
	snprintf(way, sizeof(way), "%s =%s", b->world(number_of(p->dst), b->measured), dst);
	names_init(&names);
	t = path_trace(dst, way, NOW, &names);
	names_fini(&names);
	while (skip < t->entry_count && t->entries[skip].ttl < p->first_ttl)
		skip++;
	t->entry_count -= skip;
	memmove(t->entries, &t->entries[skip], t->entry_count * sizeof(t->entries[0]));
	t->size = (uint32_t)trace_size(t->entry_count);
	t->seq = p->seq;
	t->first_ttl = p->first_ttl;
	t->stop = STOP_REACHED;
	t->sent = t->received = t->entry_count;
	snprintf(t->id, sizeof(t->id), "test-%llu", (unsigned long long)p->seq);
	b->measured++;
	b->whole += p->first_ttl == 1;
	b->sent += t->entry_count;
	return t;
}

/* The TTL at which the trace is not this way, 0: nowhere. */
static uint8_t differs(const struct trace *t, const char *way)
{
	for (uint32_t i = 0; i < t->entry_count; i++) {
		const struct trace_entry *e = &t->entries[i];
		char from[ADDR_TEXT];

		if (addr_is_set(e->reply.from) && !trace_entry_is_destination(t, e) &&
		    strstr(way, addr_format(e->reply.from, from)) == NULL)
			return e->ttl;
	}
	return 0;
}

/* All of the trace is the world as it is, or all is as it was before it changed. */
static void look(const struct bench *b, const struct trace *t)
{
	uint8_t now = differs(t, b->world(number_of(t->dst), b->measured));

	if (now != 0 && (b->settled || differs(t, b->world(number_of(t->dst), 0)) != 0))
		fail_msg("%u: another way at %u", number_of(t->dst), now);
}

/* The child finishes what stands first in its queue. */
static void bench_step(struct bench *b)
{
	struct plan_trace *p = &b->queue[b->head];
	struct trace *t = measure(b, p), *out = NULL;
	struct bp_error err;
	const char *note;

	b->head = (b->head + 1) % LINES_MAX;
	b->queued--;
	assert_int_equal(trace_shared_take(b->shared, t, &out, &err), 0);
	note = trace_shared_note(b->shared);
	b->note = note != NULL ? note : b->note;
	free(t);
	if (out == NULL)
		return;
	assert_int_equal(trace_validate(out, out->size), 0);
	assert_true(out->seq > 0 && out->seq < LINES_MAX && !b->seen[out->seq]);
	b->seen[out->seq] = true;
	b->taken++;
	b->inherited += out->inherited_from[0] != '\0';
	b->sent_told += (uint64_t)out->sent;
	/* One attempt each: every TTL once, inherited or asked. */
	assert_int_equal(out->entries[0].ttl, 1);
	for (uint32_t i = 1; b->look && i < out->entry_count; i++)
		assert_int_equal(out->entries[i].ttl, out->entries[i - 1].ttl + 1);
	if (b->look)
		look(b, out);
	free(out);
}

static void bench_run(struct bench *b)
{
	for (bench_fill(b); b->queued > 0; bench_fill(b))
		bench_step(b);
	assert_true(b->ended);
	assert_int_equal(b->taken, b->plan.paths);
	assert_int_equal(b->sent_told, b->sent);
	assert_null(trace_shared_left(b->shared));
}

/* --- worlds ----------------------------------------------------------------------------------- */

static const char *by_dandong(unsigned dst, unsigned measured)
{
	(void)dst;
	(void)measured;
	return BY_D;
}

static const char *two_borders(unsigned dst, unsigned measured)
{
	(void)measured;
	return dst >> 8 < 178 ? BY_D : BY_K;
}

static const char *moves(unsigned dst, unsigned measured)
{
	(void)dst;
	return measured < 100 ? BY_D : BY_K;
}

static const char *moves_hidden(unsigned dst, unsigned measured)
{
	(void)dst;
	return measured < 100 ? BY_D : BY_D_HIDDEN;
}

static const char *balanced(unsigned dst, unsigned measured)
{
	(void)measured;
	return (dst * 2654435761u) >> 30 & 1 ? BY_D : BY_K;
}

static const char *rationed(unsigned dst, unsigned measured)
{
	(void)dst;
	return measured > 20 && measured % 5 == 4 ? ANCHOR_SILENT : BY_D;
}

static const char *moves_elsewhere(unsigned dst, unsigned measured)
{
	(void)dst;
	return measured < 100 ? "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4" :
	       "10.0.0.1 10.1.0.2 10.1.0.3 10.1.0.4";
}

static const char *falls_silent(unsigned dst, unsigned measured)
{
	(void)dst;
	return measured < 100 ? BY_D : ANCHOR_SILENT;
}

static const char *few_go_by_khasan(unsigned dst, unsigned measured)
{
	(void)measured;
	return dst % 50 == 49 ? BY_K : BY_D;
}


static const char *first_hop_differs(unsigned dst, unsigned measured)
{
	static char way[64];

	(void)measured;
	snprintf(way, sizeof(way), "10.12.0.%u 66.110.96.13 63.243.128.121", dst & 0xff);
	return way;
}

static const char *nothing(unsigned dst, unsigned measured)
{
	(void)dst;
	(void)measured;
	return "* * * *";
}

static const struct {
	world_fn *world;
	const char *target;
	unsigned whole_most;      /* traces that are whole, at most */
	unsigned inherited_least; /* targets with an inherited beginning, at least */
	bool told;                /* that sharing is given up */
	const char *reason;
} runs[] = {
	{by_dandong, "175.45.176.0/24", 9, 247, false, "the scouts and every 64th"},
	{by_dandong, "175.45.176.71", 1, 0, false, "one target"},
	{by_dandong, "175.45.176.0/31", 2, 0, false, "fewer targets than scouts"},
	{by_dandong, "175.45.176.0/22", 24, 1000, false, "and the first of each /24"},
	{two_borders, "175.45.176.0/22", 60, 950, false,
	 "one way is no way for all: what both share is found soon"},
	{moves, "175.45.176.0/24", 160, 90, false,
	 "what was out when it moved is asked again, the rest inherits the new way"},
	{moves_elsewhere, "175.45.176.0/24", 160, 90, false, "nor does it need a border to move"},
	{moves_hidden, "175.45.176.0/22", 400, 600, false, "a check sees what the anchor cannot"},
	{balanced, "175.45.176.0/24", 60, 190, false,
	 "two ways in use at once: only what both share"},
	{rationed, "175.45.176.0/24", 80, 170, false,
	 "a silent anchor costs its target, not the beginning"},
	{falls_silent, "175.45.176.0/22", 200, 800, false,
	 "an anchor that is silent for good is given up for another"},
	{few_go_by_khasan, "175.45.176.0/22", 80, 900, false, "so where few targets differ"},
	{first_hop_differs, "175.45.176.0/24", 256, 0, true, "nothing in common: given up, told"},
	{nothing, "175.45.176.0/24", 256, 0, true, "nothing answers but the target"},
};

static void whole_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct bench *b = malloc(sizeof(*b));

		assert_non_null(b);
		bench_open(b, runs[i].world, runs[i].target);
		bench_run(b);
		print_message("%-16s %4u whole of %4u traces, %3u inherit, %llu probes: %s\n",
			      runs[i].target, b->whole, b->measured, b->inherited,
			      (unsigned long long)b->sent, runs[i].reason);
		if (b->whole > runs[i].whole_most || b->inherited < runs[i].inherited_least)
			fail_msg("%s: %u whole, %u inherit", runs[i].reason, b->whole,
				 b->inherited);
		assert_int_equal(b->note != NULL, runs[i].told);
		bench_close(b);
		free(b);
	}
}

/* From the trace that saw the change on, no target inherits the old way, though its anchor answers
 * as ever; also none that was asked before. */
static void nothing_old_is_inherited(void **state)
{
	struct bench *b = malloc(sizeof(*b));

	(void)state;
	assert_non_null(b);
	bench_open(b, moves_hidden, "175.45.176.0/22");
	for (bench_fill(b); b->queued > 0; bench_fill(b)) {
		bool sees = b->queue[b->head].first_ttl == 1 && b->measured >= 100;

		bench_step(b);
		b->settled = b->settled || sees;
	}
	assert_true(b->settled);
	assert_int_equal(b->taken, 1024);
	bench_close(b);
	free(b);
}

/* A slow run keeps few lines out, so that what is asked rests on what was learned lately. */
static void few_lines_are_out(void **state)
{
	struct bench *b = malloc(sizeof(*b));

	(void)state;
	assert_non_null(b);
	bench_open(b, by_dandong, "175.45.176.0/22");
	trace_shared_free(b->shared);
	b->o.run.rate_pps = 100;
	b->shared = trace_shared_new(&b->o, &b->plan, &b->session);
	bench_run(b);
	assert_true(b->most_out <= 100);
	bench_close(b);
	free(b);
}

/* The run ends while targets are asked again: their first attempts are there, as interrupted. */
static void what_is_left_is_handed_out(void **state)
{
	struct bench *b = malloc(sizeof(*b));
	struct trace *t;
	uint64_t left = 0;

	(void)state;
	assert_non_null(b);
	bench_open(b, moves, "175.45.176.0/24");
	for (bench_fill(b); b->measured < 105; bench_fill(b))
		bench_step(b);
	while ((t = trace_shared_left(b->shared)) != NULL) {
		assert_int_equal(t->stop, STOP_INTERRUPTED);
		assert_string_equal(t->inherited_from, "");
		assert_true(t->seq > 0 && !b->seen[t->seq]);
		b->seen[t->seq] = true;
		left++;
		free(t);
	}
	assert_true(left > 0);
	assert_true(b->taken + left <= 105);
	bench_close(b);
	free(b);
}

static uint32_t chance;

static const char *anything(unsigned dst, unsigned measured)
{
	static char way[512];

	(void)dst;
	(void)measured;
	if (path_next(&chance) % 8 != 0)
		return path_next(&chance) % 3 ? BY_D : ANCHOR_SILENT;
	path_random(&chance, way, sizeof(way));
	return way;
}

/* Any world at all: it ends, and every target is there once. */
static void any_world(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 40; i++) {
		struct bench *b = malloc(sizeof(*b));

		assert_non_null(b);
		chance = i * 2654435761u;
		bench_open(b, anything, "175.45.176.0/24");
		b->look = false;
		bench_run(b);
		bench_close(b);
		free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_runs),
		cmocka_unit_test(nothing_old_is_inherited),
		cmocka_unit_test(few_lines_are_out),
		cmocka_unit_test(what_is_left_is_handed_out),
		cmocka_unit_test(any_world),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
