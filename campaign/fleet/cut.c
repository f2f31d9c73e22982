// SPDX-License-Identifier: BSD-2-Clause
/* The file of the outbox: its tables, what is confirmed, what is known of plans. */
#include "campaign/fleet/cut.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/fleet/cut_inside.h"
#include "core/text.h"

/* No clock runs ahead by more than this, and is put right later. */
#define GAPS_NS (2 * 24 * 3600 * NS_PER_S)

enum { OUTBOX_ID = 0x42504f42 /* "BPOB" */, OUTBOX_VERSION = 3, BUSY_MS = 5000 };

int cut_fail(struct cut *c, struct bp_error *err)
{
	int code = sqlite3_extended_errcode(c->db), rc = BP_EIO;

	switch (code & 0xff) {
	case SQLITE_NOMEM: rc = BP_ENOMEM; break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: rc = BP_EAGAIN; break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN: rc = BP_EPERM; break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: rc = BP_EPARSE; break;
	default: break;
	}
	c->broken |= rc == BP_EPARSE;
	return bp_fail(err, rc, "%s: %s", c->file, sqlite3_errmsg(c->db));
}

int cut_exec(struct cut *c, const char *sql, struct bp_error *err)
{
	return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : cut_fail(c, err);
}

int cut_prepare(struct cut *c, const char *sql, sqlite3_stmt **out, struct bp_error *err)
{
	return sqlite3_prepare_v2(c->db, sql, -1, out, NULL) == SQLITE_OK ? 0 : cut_fail(c, err);
}

int cut_step(struct cut *c, sqlite3_stmt *st, struct bp_error *err)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW: return 1;
	case SQLITE_DONE: return 0;
	default: return cut_fail(c, err);
	}
}

static void column_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, at);

	text_set(out, size, text != NULL ? (const char *)text : "");
}

/* --- opening ---------------------------------------------------------------------------------- */

#define EPOCHS "CREATE TABLE epoch(base INTEGER PRIMARY KEY, name TEXT NOT NULL);"

static int create(struct cut *c, struct bp_error *err)
{
	char sql[1200];

	snprintf(sql, sizeof(sql),
		 "BEGIN IMMEDIATE;"
		 "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1),"
		 " vantage TEXT NOT NULL, cut INTEGER NOT NULL, confirmed INTEGER NOT NULL,"
		 " row INTEGER NOT NULL, round TEXT NOT NULL, lost_traces INTEGER NOT NULL,"
		 " lost_rounds INTEGER NOT NULL);"
		 EPOCHS "CREATE TABLE batch(seq INTEGER PRIMARY KEY, round TEXT NOT NULL,"
		 " part INTEGER NOT NULL, parts INTEGER NOT NULL, records INTEGER NOT NULL,"
		 " bytes BLOB NOT NULL);"
		 "CREATE TABLE gap(row INTEGER PRIMARY KEY, round TEXT NOT NULL,"
		 " planned INTEGER NOT NULL);"
		 "CREATE INDEX gap_by_round ON gap(round);"
		 "CREATE TABLE plan(campaign TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
		 " running INTEGER NOT NULL, reason TEXT NOT NULL) WITHOUT ROWID;"
		 "INSERT INTO meta VALUES(1, '%s', 0, 0, 0, '', 0, 0);"
		 "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		 c->vantage, OUTBOX_ID, OUTBOX_VERSION);
	return cut_exec(c, sql, err);
}

/* Version 1 had one epoch for ever, version 2 no rounds that were lost. */
static int upgrade(struct cut *c, int64_t version, struct bp_error *err)
{
	int rc = cut_exec(c, "BEGIN IMMEDIATE", err);

	if (rc == 0 && version == 1)
		rc = cut_exec(c, EPOCHS
			      "INSERT INTO epoch SELECT 0, epoch FROM meta WHERE cut > 0;"
			      "ALTER TABLE meta DROP COLUMN epoch", err);
	if (rc == 0)
		rc = cut_exec(c, "ALTER TABLE meta ADD COLUMN lost_rounds INTEGER NOT NULL"
			      " DEFAULT 0; PRAGMA user_version = 3; COMMIT", err);
	if (rc < 0)
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static int read_int(struct cut *c, const char *sql, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, sql, &st, err);

	if (rc == 0)
		rc = cut_step(c, st, err);
	if (rc == 1)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc < 0 ? rc : 0;
}

static int read_state(struct cut *c, struct bp_error *err)
{
	char vantage[BUS_NAME_TEXT] = "";
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "SELECT vantage, cut, confirmed, row, round, lost_traces,"
			 " (SELECT coalesce(sum(length(bytes)), 0) FROM batch),"
			 " (SELECT coalesce(sum(records), 0) FROM batch), lost_rounds FROM meta", &st, err);

	if (rc == 0)
		rc = cut_step(c, st, err);
	if (rc == 1) {
		column_text(st, 0, vantage, sizeof(vantage));
		c->state.cut = (uint64_t)sqlite3_column_int64(st, 1);
		c->state.confirmed = (uint64_t)sqlite3_column_int64(st, 2);
		c->state.row = sqlite3_column_int64(st, 3);
		column_text(st, 4, c->round, sizeof(c->round));
		c->state.lost_traces = (uint64_t)sqlite3_column_int64(st, 5);
		c->state.bytes = (uint64_t)sqlite3_column_int64(st, 6);
		c->state.records = (uint64_t)sqlite3_column_int64(st, 7);
		c->state.lost_rounds = (uint64_t)sqlite3_column_int64(st, 8);
	}
	sqlite3_finalize(st);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return bp_fail(err, BP_EPARSE, "%s: damaged", c->file);
	if (strcmp(vantage, c->vantage) != 0)
		return bp_fail(err, BP_EINVAL, "%s: is of vantage point %s, not %s", c->file,
			       vantage, c->vantage);
	return cut_epochs_read(c, err);
}

static int open_tables(struct cut *c, struct bp_error *err)
{
	int64_t id = 0, version = 0;
	int rc;

	sqlite3_busy_timeout(c->db, BUSY_MS);
	rc = cut_exec(c, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL;"
		      " PRAGMA synchronous = FULL; PRAGMA cache_size = -2048", err);
	if (rc == 0)
		rc = read_int(c, "PRAGMA application_id", &id, err);
	if (rc == 0)
		rc = read_int(c, "PRAGMA user_version", &version, err);
	if (rc == 0 && id == 0 && version == 0)
		rc = create(c, err);
	else if (rc == 0 && id == OUTBOX_ID && version > 0 && version < OUTBOX_VERSION)
		rc = upgrade(c, version, err);
	else if (rc == 0 && (id != OUTBOX_ID || version != OUTBOX_VERSION))
		rc = bp_fail(err, id == OUTBOX_ID ? BP_EUNSUP : BP_EPARSE,
			     "%s: no outbox of this version", c->file);
	if (rc == 0) {
		char sql[96];

		snprintf(sql, sizeof(sql), "DELETE FROM gap WHERE planned < %" PRId64,
			 wall_now().ns - GAPS_NS);
		rc = cut_exec(c, sql, err);
	}
	return rc < 0 ? rc : read_state(c, err);
}

int cut_open(const char *file, const char *vantage, struct cut **out, struct bp_error *err)
{
	struct cut *c = calloc(1, sizeof(*c));
	int rc = 0;

	if (c == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	c->file = strdup(file);
	text_set(c->vantage, sizeof(c->vantage), vantage);
	if (c->file == NULL || batch_writer_new(&c->writer) < 0)
		rc = bp_fail(err, BP_ENOMEM, "out of memory");
	if (rc == 0 && sqlite3_open_v2(file, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
				       NULL) != SQLITE_OK)
		rc = cut_fail(c, err);
	if (rc == 0)
		rc = open_tables(c, err);
	if (rc < 0) {
		cut_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void cut_close(struct cut *c)
{
	if (c == NULL)
		return;
	sqlite3_close(c->db);
	batch_writer_free(c->writer);
	free(c->epochs);
	free(c->file);
	free(c);
}

bool cut_is_broken(const struct cut *c)
{
	return c->broken;
}

void cut_state(const struct cut *c, struct cut_state *out)
{
	*out = c->state;
	cut_epoch_state(c, out);
}

/* --- cutting ---------------------------------------------------------------------------------- */

struct adding {
	struct cut *cut;
	sqlite3_stmt *st;
	const struct cut_epoch *epoch;
	struct cut_state state;  /* as it will be */
};

static int add_batch(void *arg, const struct batch_head *head, const char *bytes, size_t n,
		     struct bp_error *err)
{
	struct adding *a = arg;
	uint64_t place = a->epoch->base + head->seq;
	int rc;

	/* Cut finer: what was cut before is undone. */
	if (head->part == 1)
		a->state = a->cut->state;
	sqlite3_reset(a->st);
	sqlite3_bind_int64(a->st, 1, (int64_t)place);
	sqlite3_bind_text(a->st, 2, head->round, -1, SQLITE_STATIC);
	sqlite3_bind_int64(a->st, 3, head->part);
	sqlite3_bind_int64(a->st, 4, head->parts);
	sqlite3_bind_int64(a->st, 5, head->records);
	sqlite3_bind_blob64(a->st, 6, bytes, n, SQLITE_STATIC);
	rc = cut_step(a->cut, a->st, err);
	if (rc < 0)
		return rc;
	a->state.cut = place;
	a->state.bytes += n;
	a->state.records += head->records;
	return 0;
}

static int write_position(struct cut *c, const struct cut_state *s, const char *round,
			  struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "UPDATE meta SET cut = ?1, row = ?2, round = ?3, lost_traces = ?4,"
			     " lost_rounds = ?5", &st, err);

	if (rc == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)s->cut);
		sqlite3_bind_int64(st, 2, s->row);
		sqlite3_bind_text(st, 3, round, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 4, (int64_t)s->lost_traces);
		sqlite3_bind_int64(st, 5, (int64_t)s->lost_rounds);
		rc = cut_step(c, st, err);
	}
	sqlite3_finalize(st);
	return rc;
}

/* Whether it may be measured yet is remembered with it. */
static int write_gap(struct cut *c, int64_t row, const struct round *r, struct bp_error *err)
{
	bool gap = r->start.ns == 0 && r->traces == 0 && r->slots <= 1;
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, gap ? "INSERT OR REPLACE INTO gap VALUES(?1, ?2, ?3)" :
				  "DELETE FROM gap WHERE row = ?1", &st, err);

	if (rc == 0) {
		sqlite3_bind_int64(st, 1, row);
		if (gap) {
			sqlite3_bind_text(st, 2, r->id, -1, SQLITE_STATIC);
			sqlite3_bind_int64(st, 3, r->planned.ns);
		}
		rc = cut_step(c, st, err);
	}
	sqlite3_finalize(st);
	return rc;
}

/* Of the spool: what is wrong with the outbox itself loses no round. */
static bool is_damage(const struct cut *c, int rc)
{
	return !c->broken && (rc == BP_EPARSE || rc == BP_EUNSUP || rc == BP_ERANGE);
}

/* on: this is the round that comes next, and not one that was cut before. bare: nothing of it can
 * be cut but that it was. */
static int cut_so(struct cut *c, struct store *spool, int64_t row, const struct round *r, bool on,
		  bool bare, struct bp_error *err)
{
	struct adding a = {.cut = c, .state = c->state};
	struct cut_parts parts = {.cut = c, .spool = spool, .round = r, .on_batch = add_batch,
				  .arg = &a, .bare = bare};
	const char *last = on ? r->id : c->round;
	unsigned epochs = c->epoch_count;
	int rc = cut_exec(c, "BEGIN IMMEDIATE", err);

	if (rc < 0)
		return rc;
	if (!c->own)
		rc = cut_epoch_begin(c, err);
	if (rc == 0) {
		a.epoch = parts.epoch = &c->epochs[c->epoch_count - 1];
		rc = cut_prepare(c, "INSERT INTO batch(seq, round, part, parts, records, bytes)"
				 " VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &a.st, err);
	}
	if (rc == 0)
		rc = cut_round(&parts, err);
	sqlite3_finalize(a.st);
	if (on)
		a.state.row = row;
	a.state.lost_traces += parts.damaged;
	if (rc == 0)
		rc = write_gap(c, row, r, err);
	if (rc == 0)
		rc = write_position(c, &a.state, last, err);
	if (rc == 0)
		rc = cut_exec(c, "COMMIT", err);
	if (rc < 0) {
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
		c->epoch_count = epochs;
		return rc;
	}
	c->own = true;
	c->state = a.state;
	if (on)
		text_set(c->round, sizeof(c->round), r->id);
	if (parts.damaged > 0)
		snprintf(c->told, sizeof(c->told), "%s: %" PRIu64 " traces of it are lost: the spool "
			 "is damaged", r->id, parts.damaged);
	return 0;
}

static int cut_one(struct cut *c, struct store *spool, int64_t row, const struct round *r, bool on,
		   struct bp_error *err)
{
	int rc = cut_so(c, spool, row, r, on, false, err);

	return is_damage(c, rc) ? cut_so(c, spool, row, r, on, true, err) : rc;
}

/* What is no round any more keeps nobody waiting behind it. */
static int pass_over(struct cut *c, int64_t row, struct bp_error *err)
{
	struct cut_state next = c->state;
	int rc;

	next.row = row;
	next.lost_rounds++;
	rc = write_position(c, &next, "", err);
	if (rc < 0)
		return rc;
	c->state = next;
	c->round[0] = '\0';
	snprintf(c->told, sizeof(c->told), "a round of the spool is damaged, and lost (row %" PRId64
		 ")", row);
	return 0;
}

const char *cut_told(const struct cut *c)
{
	return c->told;
}

/* Whether the spool still has the round that was cut last, where it was. */
static int look_at_spool(struct cut *c, struct store *spool, struct round *r, bool *anew,
			 struct bp_error *err)
{
	int64_t row = 0;
	int rc;

	if (c->state.row == 0)
		return 0;
	rc = store_next_round(spool, c->state.row - 1, &row, r, err);
	if (rc < 0 && rc != BP_ENOTFOUND && !is_damage(c, rc))
		return rc;
	if (row == c->state.row && (is_damage(c, rc) || strcmp(r->id, c->round) == 0))
		return 0;
	c->state.row = 0;
	c->own = false;
	if (anew != NULL)
		*anew = true;
	return cut_exec(c, "DELETE FROM gap", err);
}

int cut_next(struct cut *c, struct store *spool, bool *anew, struct bp_error *err)
{
	struct round *r = malloc(sizeof(*r));
	int64_t row = 0;
	int rc;

	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	if (anew != NULL)
		*anew = false;
	c->told[0] = '\0';
	rc = look_at_spool(c, spool, r, anew, err);
	if (rc == 0)
		rc = store_next_round(spool, c->state.row, &row, r, err);
	if (rc == 0)
		rc = cut_one(c, spool, row, r, true, err);
	/* Where not even its row is known it is not the round that is damaged. */
	if (is_damage(c, rc) && row > 0)
		rc = pass_over(c, row, err);
	free(r);
	return rc;
}

/* The next slot behind row that never began when it was cut; 0: none. */
static int next_gap(struct cut *c, int64_t row, const char *id, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "SELECT row FROM gap WHERE row > ?1 AND (?2 IS NULL OR round = ?2)"
			 " ORDER BY row LIMIT 1", &st, err);

	*out = 0;
	if (rc == 0) {
		sqlite3_bind_int64(st, 1, row);
		if (id != NULL)
			sqlite3_bind_text(st, 2, id, -1, SQLITE_STATIC);
		rc = cut_step(c, st, err);
	}
	if (rc == 1)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc < 0 ? rc : 0;
}

int cut_measured(struct cut *c, struct store *spool, const char *id, unsigned *again,
		 struct bp_error *err)
{
	struct round *r = malloc(sizeof(*r));
	int64_t row = 0, found;
	int rc;

	*again = 0;
	if (r == NULL)
		return bp_fail(err, BP_ENOMEM, "out of memory");
	while ((rc = next_gap(c, row, id, &row, err)) == 0 && row != 0) {
		rc = store_next_round(spool, row - 1, &found, r, err);
		if (rc == 0 && found == row && (r->start.ns != 0 || r->traces > 0)) {
			rc = cut_one(c, spool, row, r, false, err);
			*again += rc == 0;
		}
		if (rc < 0 && rc != BP_ENOTFOUND && !is_damage(c, rc))
			break;
	}
	free(r);
	return rc;
}

int cut_get(struct cut *c, uint64_t place, struct buf *bytes, struct batch_head *head,
	    struct bp_error *err)
{
	const struct cut_epoch *epoch = cut_epoch_of(c, place);
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "SELECT round, part, parts, records, bytes FROM batch WHERE seq = ?1",
			     &st, err);

	if (rc == 0) {
		sqlite3_bind_int64(st, 1, (int64_t)place);
		rc = cut_step(c, st, err);
	}
	if (rc == 1 && epoch != NULL) {
		memset(head, 0, sizeof(*head));
		text_set(head->vantage, sizeof(head->vantage), c->vantage);
		text_set(head->epoch, sizeof(head->epoch), epoch->name);
		column_text(st, 0, head->round, sizeof(head->round));
		head->seq = place - epoch->base;
		head->part = (uint32_t)sqlite3_column_int64(st, 1);
		head->parts = (uint32_t)sqlite3_column_int64(st, 2);
		head->records = (uint32_t)sqlite3_column_int64(st, 3);
		buf_clear(bytes);
		buf_append(bytes, sqlite3_column_blob(st, 4), (size_t)sqlite3_column_bytes(st, 4));
		rc = bytes->failed ? bp_fail(err, BP_ENOMEM, "out of memory") : 0;
	} else if (rc >= 0) {
		rc = bp_fail(err, BP_ENOTFOUND, "%s: no batch %" PRIu64, c->file, place);
	}
	sqlite3_finalize(st);
	return rc;
}

int cut_confirm(struct cut *c, uint64_t seq, bool *news, struct bp_error *err)
{
	const struct cut_epoch *first;
	struct cut_state now;
	uint64_t place;
	char sql[300];
	bool last;
	int rc;

	first = cut_epoch_first(c, &last);
	cut_state(c, &now);
	if (seq > now.epoch_cut && (first == NULL || (c->own && last))) {
		/* Whatever the centre has under these numbers, it is not what comes next. */
		c->own = false;
		return bp_fail(err, BP_ERANGE,
			       "a watermark of %" PRIu64 ", where %" PRIu64 " batches were cut%s",
			       seq, now.epoch_cut, first == NULL ? "" :
			       ": somebody else sends as this vantage point; what is measured from "
			       "now on is sent under another name");
	}
	if (seq > now.epoch_cut)
		seq = now.epoch_cut;
	*news = seq > now.epoch_confirmed;
	if (!*news)
		return 0;
	place = first->base + seq;
	snprintf(sql, sizeof(sql),
		 "BEGIN IMMEDIATE; DELETE FROM batch WHERE seq <= %" PRIu64
		 "; UPDATE meta SET confirmed = %" PRIu64 "; DELETE FROM epoch WHERE base <"
		 " (SELECT max(base) FROM epoch WHERE base <= %" PRIu64 "); COMMIT", place, place,
		 place);
	rc = cut_exec(c, sql, err);
	if (rc < 0) {
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	return read_state(c, err);
}

int cut_lost(struct cut *c, uint64_t traces, struct bp_error *err)
{
	char sql[96];
	int rc;

	snprintf(sql, sizeof(sql), "UPDATE meta SET lost_traces = lost_traces + %" PRIu64, traces);
	rc = cut_exec(c, sql, err);
	if (rc == 0)
		c->state.lost_traces += traces;
	return rc;
}

/* --- plans ------------------------------------------------------------------------------------ */

int cut_plan_put(struct cut *c, const struct cut_plan *p, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "INSERT OR REPLACE INTO plan VALUES(?1, ?2, ?3, ?4)", &st, err);

	if (rc == 0) {
		sqlite3_bind_text(st, 1, p->campaign, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, (int64_t)p->revision);
		sqlite3_bind_int64(st, 3, (int64_t)p->running);
		sqlite3_bind_text(st, 4, p->reason, -1, SQLITE_STATIC);
		rc = cut_step(c, st, err);
	}
	sqlite3_finalize(st);
	return rc;
}

int cut_plan_drop(struct cut *c, const char *campaign, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = cut_prepare(c, "DELETE FROM plan WHERE campaign = ?1", &st, err);

	if (rc == 0) {
		sqlite3_bind_text(st, 1, campaign, -1, SQLITE_STATIC);
		rc = cut_step(c, st, err);
	}
	sqlite3_finalize(st);
	return rc;
}

int cut_plans(struct cut *c, struct cut_plan *out, unsigned max, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	unsigned n = 0;
	int rc = cut_prepare(c, "SELECT campaign, revision, running, reason FROM plan ORDER BY campaign",
			 &st, err);

	while (rc == 0 && n < max && (rc = cut_step(c, st, err)) == 1) {
		struct cut_plan *p = &out[n++];

		column_text(st, 0, p->campaign, sizeof(p->campaign));
		p->revision = (uint64_t)sqlite3_column_int64(st, 1);
		p->running = (uint64_t)sqlite3_column_int64(st, 2);
		column_text(st, 3, p->reason, sizeof(p->reason));
		rc = 0;
	}
	sqlite3_finalize(st);
	return rc < 0 ? rc : (int)n;
}
