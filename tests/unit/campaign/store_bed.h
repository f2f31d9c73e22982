// SPDX-License-Identifier: BSD-2-Clause
/* A directory for a store, rounds to put into it, and whether what comes out of it is whole. */
#ifndef TESTS_UNIT_CAMPAIGN_STORE_BED_H
#define TESTS_UNIT_CAMPAIGN_STORE_BED_H

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

#include "campaign/sqlite.h"
#include "campaign/store.h"
#include "core/text.h"
#include "tests/unit/campaign/engines.h"

#define T0 (INT64_C(1795341600) * NS_PER_S)
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

struct bed {
	char dir[64], path[STORE_NAME]; /* or the name of a store on a server */
	struct bp_error err;
};

static inline int set_up(void **state)
{
	struct server *server = *state;
	struct bed *b = calloc(1, sizeof(*b));

	snprintf(b->dir, sizeof(b->dir), "/tmp/test_store.XXXXXX");
	if (mkdtemp(b->dir) == NULL)
		return -1;
	store_name(server, b->dir, b->path);
	*state = b;
	return 0;
}

static inline int tear_down(void **state)
{
	struct bed *b = *state;
	char command[128];

	if (is_server(b->path))
		store_gone(b->path);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	if (system(command) != 0)
		return -1;
	free(b);
	return 0;
}

/* A round of `traces`, in one transaction. */
static inline int put_round(struct store *s, unsigned slot, unsigned traces, struct bp_error *err)
{
	struct round r;
	bool already;
	int rc = store_begin(s, err);

	round_init(&r);
	strcpy(r.campaign, "c");
	strcpy(r.vantage, "v");
	r.planned.ns = T0 + slot * 900 * NS_PER_S;
	r.expected = r.done = r.traces = traces;
	round_set_id(&r);
	for (unsigned i = 0; i < traces && rc == 0; i++) {
		struct trace *t = trace_new(30);

		assert_non_null(t);
		snprintf(t->id, sizeof(t->id), "v-run-%u", slot * 10000 + i);
		strcpy(t->vantage, "v");
		strcpy(t->campaign, "c");
		strcpy(t->round, r.id);
		snprintf(t->target, sizeof(t->target), "192.0.2.%u", i % 256);
		addr_parse(t->target, &t->dst);
		t->start.ns = r.planned.ns + i * NS_PER_S;
		for (unsigned k = 0; k < 30; k++) {
			struct trace_entry *e = &t->entries[t->entry_count++];

			trace_entry_init(e, (uint8_t)(k + 1), 1);
			e->why = WHY_NONE;
			e->reply.from = addr_v4(
				(const uint8_t[]){10, (uint8_t)slot, (uint8_t)i, (uint8_t)k});
			e->reply.rtt_ns = (k + 1) * NS_PER_MS + i * 1000;
			e->tx_ns = k * NS_PER_MS;
		}
		t->size = (uint32_t)trace_size(t->entry_count);
		rc = store_add_trace(s, t, NULL, NULL, err);
		free(t);
	}
	if (rc == 0)
		rc = store_add_round(s, &r, &already, err);
	if (rc == 0)
		rc = store_commit(s, err);
	if (rc < 0)
		store_undo(s);
	return rc;
}

static inline void make_store(struct bed *b, unsigned rounds, unsigned traces)
{
	struct store *s;

	assert_int_equal(store_open(b->path, STORE_WRITE, &s, &b->err), 0);
	for (unsigned i = 0; i < rounds; i++)
		assert_int_equal(put_round(s, i, traces, &b->err), 0);
	store_close(s);
}

struct tally {
	unsigned traces, rounds, expected;
	bool torn;
};

static inline int tally(void *arg, struct record *r, struct bp_error *err)
{
	struct tally *t = arg;
	struct round round;

	if (r->kind == RECORD_TRACE) {
		t->traces++;
	} else if (r->kind == RECORD_ROUND && round_read(r, &round, err) == 0) {
		t->rounds++;
		t->expected += round.traces;
		/* A round stands behind what it holds: whole. */
		t->torn |= t->traces != t->expected;
	}
	return 0;
}

static inline void assert_line(const struct bp_error *err)
{
	assert_true(err->text[0] != '\0');
	assert_null(strchr(err->text, '\n'));
}

#endif
