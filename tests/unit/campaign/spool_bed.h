// SPDX-License-Identifier: BSD-2-Clause
/*
 * A directory for a spool, rounds of a quarter-hourly campaign to put into it, and what came out.
 */
#ifndef TESTS_UNIT_CAMPAIGN_SPOOL_BED_H
#define TESTS_UNIT_CAMPAIGN_SPOOL_BED_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "campaign/spool.h"
#include "core/text.h"

#define T0 INT64_C(1795341600) /* 2026-11-22T10:00:00Z */
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

struct bed { char dir[128]; };

static inline int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_spool.XXXXXX");
	*state = b;
	return mkdtemp(b->dir) == NULL;
}

static inline void empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (unlinkat(dirfd(d), e->d_name, 0) < 0)
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static inline int tear_down(void **state)
{
	struct bed *b = *state;

	empty(b->dir);
	rmdir(b->dir);
	free(b);
	return 0;
}

static inline bool is_there(const struct bed *b, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	return access(path, F_OK) == 0;
}

/* The i-th round of a quarter-hourly campaign. */
static inline struct round round_at(unsigned i, uint32_t expected)
{
	struct round r;

	round_init(&r);
	text_set(r.campaign, sizeof(r.campaign), "c");
	text_set(r.vantage, sizeof(r.vantage), "v");
	r.planned.ns = (T0 + i * 900) * NS_PER_S;
	r.start.ns = r.planned.ns + NS_PER_S;
	r.expected = expected;
	round_set_id(&r);
	return r;
}

static inline struct trace *trace_of(const struct round *r, unsigned i)
{
	static const uint8_t to[4] = {192, 0, 2, 1};
	struct trace *t = trace_new(2);

	assert_non_null(t);
	snprintf(t->id, sizeof(t->id), "v-abc-%u", i);
	text_set(t->round, sizeof(t->round), r->id);
	text_set(t->vantage, sizeof(t->vantage), r->vantage);
	t->dst = addr_v4(to);
	t->method = METHOD_ICMP;
	t->start.ns = r->planned.ns + i * NS_PER_S;
	t->end.ns = t->start.ns + NS_PER_S / 2;
	t->sent = 2;
	t->received = 1;
	trace_entry_init(&t->entries[0], 1, 1);
	t->entries[0].why = WHY_NONE;
	t->entries[0].reply.from = addr_v4(to);
	t->entries[0].reply.rtt_ns = 1000000 + i;
	trace_entry_init(&t->entries[1], 2, 1);
	t->entries[1].why = WHY_TIMEOUT;
	t->entry_count = 2;
	t->size = (uint32_t)trace_size(2);
	return t;
}

static inline struct spool *open_spool(const struct bed *b, int64_t max)
{
	struct bp_error err;
	struct spool *s;

	if (spool_open(b->dir, max, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static inline int put(struct spool_journal *j, const struct round *r, unsigned i)
{
	struct trace *t = trace_of(r, i);
	struct bp_error err;
	int rc = spool_trace(j, t, NULL, NULL, &err);

	free(t);
	return rc;
}

/* A whole round with n traces; how many were kept. */
static inline unsigned write_round(struct spool *s, unsigned i, unsigned n)
{
	struct round r = round_at(i, n);
	struct spool_journal *j;
	struct bp_error err;

	assert_int_equal(spool_begin(s, &r, &j, &err), 0);
	for (unsigned k = 0; k < n; k++)
		r.done += put(j, &r, k) == 0;
	r.traces = r.done;
	r.missed = n - r.done;
	r.why = r.missed ? ROUND_WHY_SPOOL : ROUND_WHY_NONE;
	assert_int_equal(spool_end(j, &r, &err), 0);
	return r.done;
}

struct seen { unsigned traces, others; char text[2048]; };

static inline int see(void *arg, struct record *rec, struct bp_error *err)
{
	struct seen *seen = arg;

	(void)err;
	if (rec->kind != RECORD_TRACE) {
		seen->others++;
		return 0;
	}
	seen->traces++;
	snprintf(seen->text + strlen(seen->text), sizeof(seen->text) - strlen(seen->text), "%s ",
		 rec->trace->id);
	return 0;
}

static inline struct seen read_round(struct spool *s, const struct round *r)
{
	struct seen seen = {0};
	struct bp_error err;

	if (spool_read(s, r, see, &seen, &err) < 0)
		fail_msg("%s", err.text);
	return seen;
}

static inline void next_is(struct spool *s, unsigned i, struct round *r)
{
	struct round wanted = round_at(i, 0);
	struct bp_error err;
	int rc = spool_next(s, r, &err);

	if (rc < 0)
		fail_msg("round %u: %s", i, rc == BP_ENOTFOUND ? "none waits" : err.text);
	assert_string_equal(r->id, wanted.id);
}

static inline void none_waits(struct spool *s)
{
	struct bp_error err;
	struct round r;

	assert_int_equal(spool_next(s, &r, &err), BP_ENOTFOUND);
}

#endif
