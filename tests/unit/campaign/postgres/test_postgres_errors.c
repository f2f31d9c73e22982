// SPDX-License-Identifier: BSD-2-Clause
/* What a server says no with: what is the moment's and comes again, what is the content's. */
#include "tests/unit/campaign/store_open_bed.h"

#include <errno.h>

#include "campaign/postgres/pg.h"

static const struct {
	const char *state;
	int code, sys;
	const char *reason;
} states[] = {
	{"22003", BP_EINVAL, 0, "a number that fits nowhere"},
	{"22008", BP_EINVAL, 0, "no such day"},
	{"22021", BP_EINVAL, 0, "bytes that are no text"},
	{"22P03", BP_EINVAL, 0, "a value that the server cannot read"},
	{"54000", BP_EINVAL, 0, "too large for an index"},
	{"54001", BP_EINVAL, 0, "too deep"},
	{"54023", BP_EINVAL, 0, "too many of something"},
	{"53000", BP_EAGAIN, 0, "short of something"},
	{"53100", BP_EIO, ENOSPC, "the disk is full"},
	{"53200", BP_ENOMEM, 0, "the server's memory"},
	{"53300", BP_EAGAIN, 0, "too many connections"},
	{"53400", BP_EAGAIN, 0, "a limit that somebody set"},
	{"57014", BP_EAGAIN, 0, "it took too long, or was told to stop"},
	{"57P01", BP_EAGAIN, 0, "the server is stopped"},
	{"57P03", BP_EAGAIN, 0, "the server begins"},
	{"55006", BP_EAGAIN, 0, "in use"},
	{"55P03", BP_EAGAIN, 0, "locked"},
	{"40001", BP_EAGAIN, 0, "another was faster"},
	{"40P01", BP_EAGAIN, EDEADLK, "a ring"},
	{"08006", BP_EAGAIN, 0, "the connection"},
	{"23514", BP_EAGAIN, 0, "a day that was dropped"},
	{"25006", BP_EPERM, 0, "a server that is read only"},
	{"42501", BP_EPERM, 0, "no right"},
	{"42P01", BP_EPARSE, 0, "no table"},
	{"XX001", BP_EPARSE, 0, "damaged"},
	{"58030", BP_EIO, 0, "the server's disk"},
	{"23505", BP_EIO, 0, "nothing that we know"},
	{"P0001", BP_EIO, 0, "nothing that we know"},
};

static void states_are_the_moment_s_or_the_content_s(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		char sql[128];
		int rc;

		snprintf(sql, sizeof(sql),
			 "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '%s'; END $$",
			 states[i].state);
		b->err = (struct bp_error){0};
		rc = pg_exec(pg_of(b->store), sql, &b->err);
		if (rc != states[i].code || b->err.code != rc || b->err.sys != states[i].sys)
			fail_msg("%s: %d, sys %d: %s (%s)", states[i].state, rc, b->err.sys,
				 b->err.text, states[i].reason);
	}
}

/* An index has its limit, and a word that does not fold is over it, today and tomorrow. */
static void what_no_index_takes_is_the_content_s(void **state)
{
	struct bed *b = *state;
	int rc;

	rc = pg_exec(pg_of(b->store),
		     "INSERT INTO word(word) SELECT string_agg(md5(i::text), '') FROM"
		     " generate_series(1, 1000) i",
		     &b->err);
	assert_int_equal(rc, BP_EINVAL);
	assert_non_null(strstr(b->err.text, "index"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(states_are_the_moment_s_or_the_content_s),
		T(what_no_index_takes_is_the_content_s),
	};

	return run_on_server(tests, sizeof(tests) / sizeof(tests[0]));
}
