// SPDX-License-Identifier: BSD-2-Clause
/*
 * One suite for every kind of store: its tests run on SQLite, then on a PostgreSQL server that is
 * started for them (tests/postgres.sh), each test in a file, or a schema, of its own. After
 * cmocka.h. Without PostgreSQL the second half is skipped and says why.
 */
#ifndef TESTS_UNIT_CAMPAIGN_ENGINES_H
#define TESTS_UNIT_CAMPAIGN_ENGINES_H

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STORE_NAME = 320 };

/* The state of a group: a server; NULL: SQLite. */
struct server {
	char dir[64], url[128];
	unsigned schemas;
};

static inline bool is_server(const char *name)
{
	return strncmp(name, "postgresql:", 11) == 0;
}

static inline int server_start(struct server *s)
{
	char command[256];
	FILE *f;
	size_t n;
	int status;

	snprintf(s->dir, sizeof(s->dir), "/tmp/test_pg.XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		return -1;
	snprintf(command, sizeof(command), "tests/postgres.sh start %s 2>&1", s->dir);
	f = popen(command, "r");
	if (f == NULL)
		return -1;
	n = fread(s->url, 1, sizeof(s->url) - 1, f);
	s->url[n] = '\0';
	s->url[strcspn(s->url, "\n")] = '\0';
	status = pclose(f);
	return status == 0 ? 0 : WIFEXITED(status) && WEXITSTATUS(status) == 77 ? 77 : -1;
}

static inline void server_stop(const struct server *s)
{
	char command[256];

	snprintf(command, sizeof(command), "tests/postgres.sh stop %s immediate; rm -rf %s", s->dir,
		 s->dir);
	if (system(command) != 0)
		print_message("  %s: not taken away\n", s->dir);
}

static inline void be_quiet(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static inline void server_sql(const char *url, const char *sql)
{
	PGconn *c = PQconnectdb(url);
	PGresult *r;

	PQsetNoticeProcessor(c, be_quiet, NULL);
	/* A test that failed may have left a transaction open, and this would wait for its end. */
	PQclear(PQexec(c, "SET lock_timeout = '5s'"));
	r = PQexec(c, sql);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
}

/* The name of a new store: in dir, or on the server. */
static inline void store_name(struct server *server, const char *dir, char out[static STORE_NAME])
{
	char sql[64];

	if (server == NULL) {
		snprintf(out, STORE_NAME, "%s/s.db", dir);
		return;
	}
	snprintf(sql, sizeof(sql), "CREATE SCHEMA s%u", ++server->schemas);
	server_sql(server->url, sql);
	snprintf(out, STORE_NAME, "%s?options=-csearch_path%%3Ds%u", server->url, server->schemas);
}

/* Takes it away. */
static inline void store_gone(const char *name)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[STORE_NAME + 8];

	if (is_server(name)) {
		snprintf(path, sizeof(path), "DROP SCHEMA %s CASCADE", strrchr(name, '%') + 3);
		server_sql(name, path);
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", name, ends[i]);
		unlink(path);
	}
}

/* Nothing is in it, as at first. */
static inline void store_empty(const char *name)
{
	char sql[64];

	store_gone(name);
	if (!is_server(name))
		return;
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %.40s", strrchr(name, '%') + 3);
	server_sql(name, sql);
}

/* --- anybody's SQL ---------------------------------------------------------------------------- */

/* What a query gives, as text; NULL is NULL. */
struct answer {
	unsigned rows, columns;
	char **names, **cells; /* owned */
};

static inline void answer_fini(struct answer *a)
{
	for (unsigned i = 0; i < a->columns; i++)
		free(a->names[i]);
	for (unsigned i = 0; i < a->rows * a->columns; i++)
		free(a->cells[i]);
	free(a->names);
	free(a->cells);
}

static inline const char *answer_at(const struct answer *a, unsigned row, unsigned column)
{
	return a->cells[row * a->columns + column];
}

static inline struct answer ask_server(const char *name, const char *sql)
{
	PGconn *c = PQconnectdb(name);
	PGresult *r = PQexec(c, sql);
	struct answer a = {0};

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(c));
	a.rows = (unsigned)PQntuples(r);
	a.columns = (unsigned)PQnfields(r);
	a.names = calloc(a.columns + 1, sizeof(*a.names));
	a.cells = calloc(a.rows * a.columns + 1, sizeof(*a.cells));
	for (unsigned i = 0; i < a.columns; i++)
		a.names[i] = strdup(PQfname(r, (int)i));
	for (unsigned i = 0; i < a.rows * a.columns; i++) {
		int row = (int)(i / a.columns), column = (int)(i % a.columns);

		if (!PQgetisnull(r, row, column))
			a.cells[i] = strdup(PQgetvalue(r, row, column));
	}
	PQclear(r);
	PQfinish(c);
	return a;
}

static inline struct answer ask_file(const char *name, const char *sql)
{
	sqlite3_stmt *st = NULL;
	struct answer a = {0};
	sqlite3 *db = NULL;
	unsigned room = 0;

	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	a.columns = (unsigned)sqlite3_column_count(st);
	a.names = calloc(a.columns + 1, sizeof(*a.names));
	for (unsigned i = 0; i < a.columns; i++)
		a.names[i] = strdup(sqlite3_column_name(st, (int)i));
	while (sqlite3_step(st) == SQLITE_ROW) {
		if (a.rows == room) {
			room = 2 * room + 16;
			a.cells = realloc(a.cells, room * (a.columns + 1) * sizeof(*a.cells));
			assert_non_null(a.cells);
		}
		for (unsigned i = 0; i < a.columns; i++) {
			const char *text = (const char *)sqlite3_column_text(st, (int)i);

			a.cells[a.rows * a.columns + i] = text != NULL ? strdup(text) : NULL;
		}
		a.rows++;
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return a;
}

static inline struct answer ask(const char *name, const char *sql)
{
	return is_server(name) ? ask_server(name, sql) : ask_file(name, sql);
}

/* The first number of the first row; 0: there is none. */
static inline int64_t number(const char *name, const char *sql)
{
	struct answer a = ask(name, sql);
	int64_t v = 0;

	/* Of a "t" too: what one writes 1 the other writes t. */
	if (a.rows > 0 && a.columns > 0 && answer_at(&a, 0, 0) != NULL)
		v = answer_at(&a, 0, 0)[0] == 't' ? 1 : strtoll(answer_at(&a, 0, 0), NULL, 10);
	answer_fini(&a);
	return v;
}

/* --- running ---------------------------------------------------------------------------------- */

static inline void no_server(void **state)
{
	(void)state;
	skip();
}

/* Tests on a server; without one they are skipped. */
static inline int run_on_server(const struct CMUnitTest *on_server, size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	struct server server = {0};
	int rc = server_start(&server), failed;

	assert_non_null(tests);
	memcpy(tests, on_server, count * sizeof(*tests));
	for (size_t i = 0; i < count; i++) {
		/* Reaches set_up. */
		tests[i].initial_state = &server;
		if (rc != 0)
			tests[i] = (struct CMUnitTest){.name = on_server[i].name,
						       .test_func = no_server};
	}
	if (rc != 0)
		print_message("  skipped on PostgreSQL: %s\n", server.url);
	failed = _cmocka_run_group_tests("postgresql", tests, count, NULL, NULL);
	server_stop(&server);
	free(tests);
	return failed + (rc < 0);
}

/* Tests that hold for all kinds of store, then those for files alone. */
static inline int run_on_engines(const char *name, const struct CMUnitTest *both, size_t count,
				 const struct CMUnitTest *files, size_t file_count)
{
	int failed = _cmocka_run_group_tests(name, both, count, NULL, NULL);

	if (file_count > 0)
		failed += _cmocka_run_group_tests("files", files, file_count, NULL, NULL);
	return failed + run_on_server(both, count);
}
#define RUN_ON_ENGINES(both, files)                                          \
	run_on_engines(#both, both, sizeof(both) / sizeof((both)[0]), files, \
		       sizeof(files) / sizeof((files)[0]))
#define RUN_ON_BOTH(both) run_on_engines(#both, both, sizeof(both) / sizeof((both)[0]), NULL, 0)
/* Tests that need none, then those of a server alone. */
#define RUN_ON_SERVER(none, tests)                                                            \
	(_cmocka_run_group_tests(#none, none, sizeof(none) / sizeof((none)[0]), NULL, NULL) + \
	 run_on_server(tests, sizeof(tests) / sizeof((tests)[0])))

#endif
