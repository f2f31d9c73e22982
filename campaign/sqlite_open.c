// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opening the SQLite store: is it one of ours, whole, of a version we know; made or migrated when
 * it is to be written. Durable: WAL with synchronous=FULL, so that what was announced survives
 * power loss.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/sqlite.h"
#include "campaign/sqlite_head.h"
#include "campaign/store_place.h"

static int step_create(struct sqlite_store *s, struct bp_error *err)
{
	return schema_create(s, err);
}

/* Traces are counted by hour as they come; those that are there already, here. */
static int step_tally(struct sqlite_store *s, struct bp_error *err)
{
	int rc = schema_add_tally(s, err);

	return rc < 0 ? rc : tallies_all(s, err);
}

/* The next version is a row more, and its step. */
const struct migration migrations[] = {{0, step_create}, {1, step_tally}, {2, schema_add_look},
				       {0, NULL}};

int sqlite_migrate(struct sqlite_store *s, int version, struct bp_error *err)
{
	char sql[64];
	int rc = 0;

	for (const struct migration *m = migrations; m->step != NULL && rc == 0; m++) {
		int64_t now = 0;

		if (m->from < version)
			continue;
		rc = sql_run(s, STMT_BEGIN, err);
		if (rc < 0)
			break;
		/* Another process may have been faster. */
		rc = sql_int(s, "PRAGMA user_version", &now, err);
		if (rc == 0 && now == m->from)
			rc = m->step(s, err);
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", m->from + 1);
		if (rc == 0 && now == m->from)
			rc = sql_exec(s, sql, err);
		if (rc == 0)
			rc = sql_run(s, STMT_COMMIT, err);
		if (rc < 0)
			sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	}
	return rc;
}

struct head {
	bool there, empty;
	int64_t size, pages, page_size, wal;
};

static uint32_t be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The first bytes of the file, as its format says (sqlite.org/fileformat2.html, 1.3). */
static int read_head(const char *path, struct head *out, struct bp_error *err)
{
	struct head h = {0};
	char wal[PATH_MAX + 8];
	uint8_t b[100];
	struct stat st;
	int n;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			return bp_fail_sys(err, errno, "%s", path);
		*out = h;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return bp_fail(err, BP_EPARSE, "%s: not a store (%s)", path,
			       S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	n = sqlite_head(path, b, sizeof(b));
	if (n < 0)
		return bp_fail_sys(err, errno, "%s", path);
	h = (struct head){.there = true, .empty = n == 0, .size = st.st_size};
	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (stat(wal, &st) == 0)
		h.wal = st.st_size;
	if (!h.empty) {
		if ((size_t)n < sizeof(b) || memcmp(b, "SQLite format 3", 16) != 0)
			return bp_fail(err, BP_EPARSE, "%s: not a store (no SQLite file)", path);
		h.page_size = b[16] << 8 | b[17];
		h.page_size = h.page_size == 1 ? 65536 : h.page_size;
		h.pages = be32(b + 28);
		/* Only then the count is valid: it was written with the last change. */
		if (be32(b + 24) != be32(b + 92))
			h.pages = 0;
	}
	*out = h;
	return 0;
}

/* A file that was cut would be found out only when the missing page is wanted. With a log beside
 * it, pages may be there and not yet in the file. */
static int check_whole(const char *path, const struct head *h, struct bp_error *err)
{
	if (!h->there || h->empty || h->pages == 0 || h->wal > 0 || h->page_size == 0 ||
	    h->size >= h->pages * h->page_size)
		return 0;
	return bp_fail(
		err, BP_EPARSE,
		"%s: cut short: %lld bytes of %lld are there; borderpath campaign "
		"recover reads what is left into a new store",
		path, (long long)h->size, (long long)(h->pages * h->page_size));
}

static int open_database(struct sqlite_store *s, struct bp_error *err)
{
	bool write = s->mode == STORE_WRITE;
	int rc = sqlite3_open_v2(s->path, &s->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
					 (write ? SQLITE_OPEN_CREATE : 0),
				 NULL);

	if (rc != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, SQLITE_BUSY_MS);
	if (write && sqlite3_db_readonly(s->db, "main") == 1)
		return bp_fail(err, BP_EPERM, "%s: read-only", s->path);
	/* Somebody else's file is no reason to run his code, nor to trust his schema. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* A store that nobody is writing to needs no lock: who may not write the directory reads it as it
 * lies. */
static int open_immutable(struct sqlite_store *s, struct bp_error *err)
{
	struct buf uri;
	int rc;

	buf_init(&uri);
	buf_str(&uri, "file:");
	for (const unsigned char *c = (const unsigned char *)s->path; *c != '\0'; c++) {
		if (*c <= ' ' || strchr("%?#", *c) != NULL || *c >= 0x7f)
			buf_printf(&uri, "%%%02x", *c);
		else
			buf_char(&uri, (char)*c);
	}
	buf_str(&uri, "?immutable=1");
	sqlite3_close_v2(s->db);
	s->db = NULL;
	rc = uri.failed
		     ? SQLITE_NOMEM
		     : sqlite3_open_v2(uri.bytes, &s->db,
				       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
				       NULL);
	buf_fini(&uri);
	if (rc != SQLITE_OK)
		return sql_fail(s, rc, err);
	sqlite3_extended_result_codes(s->db, 1);
	return 0;
}

/* Which SQLite file it is. 0 tables at all: a new one. */
static int check_kind(struct sqlite_store *s, int *version, struct bp_error *err)
{
	int64_t id, v, tables;
	int rc = sql_int(s, "PRAGMA application_id", &id, err);

	if (rc == 0)
		rc = sql_int(s, "PRAGMA user_version", &v, err);
	if (rc == 0)
		rc = sql_int(s, "SELECT count(*) FROM sqlite_master", &tables, err);
	if (rc < 0)
		return rc;
	if (id != SQLITE_STORE_ID && (id != 0 || v != 0 || tables != 0))
		return bp_fail(err, BP_EPARSE,
			       "%s: not a store (an SQLite file of another program)", s->path);
	if (v > SQLITE_STORE_VERSION)
		return bp_fail(
			err, BP_EUNSUP,
			"%s: a store of version %lld, and this program knows up to %d: use the "
			"newer program",
			s->path, (long long)v, SQLITE_STORE_VERSION);
	*version = (int)v;
	return 0;
}

static int prepare_read(struct sqlite_store *s, const struct head *h, struct bp_error *err)
{
	struct bp_error first = {0};
	int version = 0;
	int rc = check_kind(s, &version, &first);

	if ((rc == BP_EPERM || rc == BP_EIO || rc == BP_ENOTFOUND) && h->wal == 0) {
		rc = open_immutable(s, err);
		if (rc == 0)
			rc = check_kind(s, &version, err);
	} else if (rc < 0 && err != NULL) {
		*err = first;
	}
	if (rc < 0)
		return rc;
	/* Its making was broken off, as by a full disk, or is under way. */
	if (version == 0)
		return bp_fail(err, BP_ENOTFOUND, "%s: there is nothing in this store yet", s->path);
	if (version < SQLITE_STORE_VERSION)
		return bp_fail(
			err, BP_EUNSUP,
			"%s: a store of the older version %d: it is brought up to %d when it is "
			"next written to",
			s->path, version, SQLITE_STORE_VERSION);
	return sql_exec(s, "PRAGMA query_only = 1; PRAGMA cache_size = -16384", err);
}

/* What a log held is in the file then; a file that is still too short was cut. */
static int check_after_log(struct sqlite_store *s, struct bp_error *err)
{
	struct head h;
	int rc, busy;

	busy = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (busy == SQLITE_BUSY || busy == SQLITE_LOCKED)
		return 0;
	rc = read_head(s->path, &h, err);
	/* While others write, the file and its head may be of different moments. */
	if (rc < 0 || h.wal > 0)
		return rc;
	return check_whole(s->path, &h, err);
}

static int prepare_write(struct sqlite_store *s, const struct head *h, struct bp_error *err)
{
	int version = 0;
	int64_t ignored;
	char sql[96];
	int rc = check_kind(s, &version, err);

	if (rc == 0 && (!h->there || h->empty)) {
		/* Paths lie scattered among the rounds that brought them: in larger pages there
		 * are fewer places to go to. */
		snprintf(sql, sizeof(sql), "PRAGMA page_size = %d; PRAGMA application_id = %d",
			 SQLITE_PAGE_SIZE, SQLITE_STORE_ID);
		rc = sql_exec(s, sql, err);
	}
	if (rc == 0)
		rc = sql_exec(s,
			      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			      " PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -16384;"
			      " PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864",
			      err);
	if (rc == 0 && h->wal > 0)
		rc = check_after_log(s, err);
	if (rc == 0 && version < SQLITE_STORE_VERSION)
		rc = sqlite_migrate(s, version, err);
	if (rc == 0)
		rc = sql_int(s, "SELECT count(*) FROM meta", &ignored, err);
	return rc;
}

static int read_hash_key(struct sqlite_store *s, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = 'hash_key'", -1, &st,
				    NULL);

	if (rc != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	rc = sql_step(s, st, err);
	if (rc == 1 && sqlite3_column_bytes(st, 0) == sizeof(s->hash_key)) {
		memcpy(s->hash_key, sqlite3_column_blob(st, 0), sizeof(s->hash_key));
		rc = 0;
	} else if (rc >= 0) {
		rc = bp_fail(err, BP_EPARSE, "%s: damaged (its head is missing)", s->path);
	}
	sqlite3_finalize(st);
	return rc;
}

static int open_at(const char *path, enum store_mode mode, const struct head *h,
		   struct sqlite_store **out, struct bp_error *err)
{
	struct sqlite_store *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	s->mode = mode;
	s->nth_max = -1;
	s->path = strdup(path);
	s->store = (struct store){.engine = &sqlite_engine, .shown = s->path};
	buf_init(&s->key);
	buf_init(&s->body);
	rc = s->path == NULL ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
	if (rc == 0)
		rc = open_database(s, err);
	if (rc == 0)
		rc = mode == STORE_WRITE ? prepare_write(s, h, err) : prepare_read(s, h, err);
	if (rc == 0)
		rc = read_hash_key(s, err);
	if (rc == 0 && mode == STORE_WRITE && intern_init(s) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	if (rc < 0) {
		sqlite_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

int sqlite_open(const char *url, enum store_mode mode, struct sqlite_store **out,
		struct bp_error *err)
{
	char path[PATH_MAX];
	struct head h = {0};
	int rc = store_place(url, path, err);

	if (rc < 0)
		return rc;
	if (mode == STORE_WRITE) {
		rc = store_make_directory(path, err);
		if (rc < 0)
			return rc;
	}
	rc = read_head(path, &h, err);
	if (rc == 0)
		rc = check_whole(path, &h, err);
	if (rc < 0)
		return rc;
	if (mode == STORE_READ && !h.there)
		return bp_fail(err, BP_ENOTFOUND, "%s: there is no store", path);
	if (mode == STORE_READ && h.empty)
		return bp_fail(err, BP_EPARSE, "%s: not a store (an empty file)", path);
	return open_at(path, mode, &h, out, err);
}

int sqlite_open_again(const struct sqlite_store *of, struct sqlite_store **out,
		      struct bp_error *err)
{
	struct head h = {.there = true};
	char wal[PATH_MAX + 8];
	struct stat st;

	snprintf(wal, sizeof(wal), "%s-wal", of->path);
	if (stat(wal, &st) == 0)
		h.wal = st.st_size;
	return open_at(of->path, STORE_READ, &h, out, err);
}

int sqlite_open_damaged(const char *url, struct sqlite_store **out, struct bp_error *err)
{
	char path[PATH_MAX];
	struct sqlite_store *s;
	int64_t tables = 0;
	int rc = store_place(url, path, err);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	s->mode = STORE_READ;
	s->path = strdup(path);
	s->store = (struct store){.engine = &sqlite_engine, .shown = s->path};
	buf_init(&s->key);
	buf_init(&s->body);
	rc = s->path == NULL ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
	if (rc == 0)
		rc = open_database(s, err);
	/* Else SQLite opens no file that is shorter than its head says. */
	if (rc == 0)
		rc = sql_exec(s, "PRAGMA writable_schema = 1; PRAGMA query_only = 1", err);
	if (rc == 0)
		rc = sql_int(s, "SELECT count(*) FROM sqlite_master WHERE name = 'trace'", &tables,
			     err);
	if (rc == 0 && tables == 0)
		rc = bp_fail(err, BP_EPARSE, "%s: not a store", path);
	if (rc < 0)
		sqlite_close(s);
	else
		*out = s;
	return rc;
}

void sqlite_close(struct sqlite_store *s)
{
	if (s == NULL)
		return;
	if (s->writing)
		sqlite_undo(s);
	for (unsigned i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(s->stmts[i]);
	sqlite3_close_v2(s->db);
	intern_fini(s);
	tallies_fini(&s->tallies);
	id_set_fini(&s->ids);
	id_set_fini(&s->old_ids);
	sweep_free(s->sweep);
	read_cache_free(s->cache);
	grouping_free(s->grouping);
	while (s->vantages != NULL) {
		struct vantage_name *next = s->vantages->next;

		free(s->vantages);
		s->vantages = next;
	}
	buf_fini(&s->key);
	buf_fini(&s->body);
	free(s->order);
	free(s->path);
	free(s);
}
