// SPDX-License-Identifier: BSD-2-Clause
/* What a store's file says to anybody's SQL. After cmocka.h. */
#ifndef TESTS_UNIT_CAMPAIGN_STORE_SQL_H
#define TESTS_UNIT_CAMPAIGN_STORE_SQL_H

#include <sqlite3.h>
#include <stdint.h>

/* The first number of the first row; 0: there is none. */
static inline int64_t number(const char *path, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t v;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	v = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

#endif
