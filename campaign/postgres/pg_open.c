// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opening: is there a store of ours, of a version we know; made or brought up when it is to be
 * written, step by step under a lock that everybody takes who does so.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/postgres/pg.h"
#include "campaign/postgres/pg_known.h"
#include "campaign/postgres/pg_news.h"

/* The next version is a row more, and its step. */
const struct pg_migration pg_migrations[] = {{0, pg_schema_create}, {0, NULL}};

static int one_text(struct pg_store *s, const char *sql, char *out, size_t size,
		    struct bp_error *err)
{
	PGresult *res;
	int rc = pg_query(s, sql, &res, err);

	if (rc < 0)
		return rc;
	text_set(out, size, PQntuples(res) > 0 ? pg_get_text(res, 0, 0) : "");
	PQclear(res);
	return 0;
}

/* 0: there is nothing. */
static int find_version(struct pg_store *s, int *out, struct bp_error *err)
{
	uint64_t version;
	char text[64];
	int rc = one_text(s, "SELECT coalesce(to_regclass('store_meta')::text, '')", text,
			  sizeof(text), err);

	*out = 0;
	if (rc < 0 || text[0] == '\0')
		return rc;
	rc = one_text(s,
		      "SELECT v.value FROM store_meta v JOIN store_meta w ON v.key = 'version' AND"
		      " w.key = 'what' AND w.value = 'borderpath store'",
		      text, sizeof(text), err);
	if (rc < 0)
		return rc;
	if (text_to_u64(text, 1, INT32_MAX, &version) == 0) {
		*out = (int)version;
		return 0;
	}
	return bp_fail(err, BP_EPARSE,
		       "%s: not a store (its table store_meta is of "
		       "another program)",
		       s->shown);
}

static int step_up(struct pg_store *s, const struct pg_migration *m, struct bp_error *err)
{
	char sql[96];
	int now = 0, rc = pg_exec(s, "BEGIN", err);

	if (rc == 0)
		rc = pg_exec(s, "SELECT pg_advisory_xact_lock(1112560464, 0)", err);
	/* Another process may have been faster. */
	if (rc == 0)
		rc = find_version(s, &now, err);
	if (rc == 0 && now == m->from) {
		rc = m->step(s, err);
		snprintf(sql, sizeof(sql),
			 "UPDATE store_meta SET value = '%d' WHERE key = 'version'", m->from + 1);
		if (rc == 0)
			rc = pg_exec(s, sql, err);
	}
	if (rc == 0)
		rc = pg_exec(s, "COMMIT", err);
	if (rc < 0 && s->link != NULL)
		pg_exec(s, "ROLLBACK", NULL);
	return rc;
}

static int check_version(struct pg_store *s, int version, struct bp_error *err)
{
	if (version > PG_STORE_VERSION)
		return bp_fail(err, BP_EUNSUP,
			       "%s: a store of version %d, and this program knows up to %d: use "
			       "the newer program",
			       s->shown, version, PG_STORE_VERSION);
	if (s->mode == STORE_WRITE)
		return 0;
	if (version == 0)
		return bp_fail(err, BP_ENOTFOUND, "%s: there is no store in this database",
			       s->shown);
	if (version < PG_STORE_VERSION)
		return bp_fail(err, BP_EUNSUP,
			       "%s: a store of the older version %d: it is brought up to %d when "
			       "it is next written to",
			       s->shown, version, PG_STORE_VERSION);
	return 0;
}

static int read_secret(struct pg_store *s, struct bp_error *err)
{
	PGresult *res;
	const void *bytes;
	size_t n = 0;
	int rc = pg_query(s, "SELECT hash_key FROM store_secret", &res, err);

	if (rc < 0)
		return rc;
	bytes = PQntuples(res) > 0 ? pg_get_bytes(res, 0, 0, &n) : NULL;
	if (n == sizeof(s->hash_key))
		memcpy(s->hash_key, bytes, n);
	else
		rc = bp_fail(err, BP_EPARSE, "%s: damaged (its head is missing)", s->shown);
	PQclear(res);
	return rc;
}

/* Texts are UTF-8; a database of another encoding would refuse some of them, some day. */
static int check_server(struct pg_store *s, struct bp_error *err)
{
	const char *encoding = PQparameterStatus(s->link, "server_encoding");

	if (PQserverVersion(s->link) < 130000)
		return bp_fail(err, BP_EUNSUP,
			       "%s: PostgreSQL %d is too old: 13 or newer is needed", s->shown,
			       PQserverVersion(s->link) / 10000);
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return bp_fail(err, BP_EUNSUP,
			       "%s: the database's encoding is %s: make one with ENCODING 'UTF8'",
			       s->shown, encoding != NULL ? encoding : "not known");
	return 0;
}

int pg_greet(struct pg_store *s, struct bp_error *err)
{
	int version = 0, rc = check_server(s, err);

	/* What was announced survives power loss, whatever is the habit here. Of a day that is an
	 * hour old the server knows no statistics, and would send workers through all of it for
	 * each few thousand traces: there is an index for whatever is asked. */
	if (rc == 0)
		rc = pg_exec(s,
			     "SET timezone = 'UTC'; SET jit = off; SET lock_timeout = '10s';"
			     " SET enable_seqscan = off; SET enable_bitmapscan = off;"
			     " SET max_parallel_workers_per_gather = 0;"
			     " SELECT set_config('synchronous_commit', 'on', false) WHERE"
			     " current_setting('synchronous_commit') IN ('off', 'local')",
			     err);
	if (rc == 0 && s->mode == STORE_READ)
		rc = pg_exec(s, "SET default_transaction_read_only = on", err);
	if (rc == 0)
		rc = find_version(s, &version, err);
	if (rc == 0)
		rc = check_version(s, version, err);
	for (const struct pg_migration *m = pg_migrations;
	     rc == 0 && s->mode == STORE_WRITE && m->step != NULL; m++) {
		if (m->from >= version)
			rc = step_up(s, m, err);
	}
	/* A statement of a full transaction takes seconds; one that hangs is to end some time. Who
	 * set a limit knows why. */
	if (rc == 0 && s->mode == STORE_WRITE)
		rc = pg_exec(s,
			     "SELECT set_config('statement_timeout', '5min', false) WHERE"
			     " current_setting('statement_timeout') = '0'",
			     err);
	return rc == 0 && s->mode == STORE_WRITE ? read_secret(s, err) : rc;
}

int pg_ready(struct pg_store *s, struct bp_error *err)
{
	int rc;

	if (s->link != NULL || s->writing)
		return 0;
	/* What is read is one view: another connection has another. */
	if (s->readers > 0)
		return pg_fail(s, NULL, err);
	/* Another server may be there now, of another past. */
	if (s->news != NULL)
		pg_news_forget(s->news);
	pg_known_forget(s->known);
	rc = pg_connect(s, err);
	if (rc == 0)
		rc = pg_greet(s, err);
	/* Nobody uses a connection that was not greeted: what is there may be no store of ours. */
	if (rc < 0)
		pg_lose(s);
	return rc;
}

int pg_open(const char *url, enum store_mode mode, struct store **out, struct bp_error *err)
{
	struct pg_store *s = calloc(1, sizeof(*s));
	char shown[STORE_SHOWN_TEXT];
	int rc = 0;

	if (s == NULL)
		return pg_no_memory(err);
	s->mode = mode;
	s->url = strdup(url);
	s->shown = strdup(store_shown(url, shown));
	s->store = (struct store){.engine = &pg_engine, .shown = s->shown};
	randombytes_buf(s->store.way_key, sizeof(s->store.way_key));
	if (s->url == NULL || s->shown == NULL || pg_known_new(&s->known) < 0 ||
	    (mode == STORE_WRITE && pg_news_new(&s->news) < 0))
		rc = pg_no_memory(err);
	if (rc == 0)
		rc = pg_connect(s, err);
	if (rc == 0)
		rc = pg_greet(s, err);
	if (rc < 0)
		pg_close(&s->store);
	else
		*out = &s->store;
	return rc;
}

int pg_open_again(const struct store *of, struct store **out, struct bp_error *err)
{
	return pg_open(((const struct pg_store *)of)->url, STORE_READ, out, err);
}

void pg_close(struct store *store)
{
	struct pg_store *s = pg_of(store);

	if (s->writing)
		pg_undo(store);
	PQfinish(s->link);
	pg_news_free(s->news);
	pg_grouping_free(s->grouping);
	pg_known_free(s->known);
	pg_params_fini(&s->params);
	while (s->vantages != NULL) {
		struct pg_vantage *next = s->vantages->next;

		free(s->vantages);
		s->vantages = next;
	}
	/* The password is in it. */
	if (s->url != NULL)
		sodium_memzero(s->url, strlen(s->url));
	free(s->url);
	free(s->shown);
	free(s);
}
