// SPDX-License-Identifier: BSD-2-Clause
/* The statements of the SQLite store, and its errors as ours. */
#include <errno.h>
#include <string.h>

#include "campaign/sqlite.h"

/* What a row of `trace` is read from: in this order for read_trace_row. */
#define TRACE_COLUMNS \
	"n, segment, start, took, seq, sub, goal, settings, path, verdict, judge, naming, body"

const char *const stmt_sql[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_TEXT_FIND] = "SELECT id FROM text WHERE text = ?1",
	[STMT_TEXT_ADD] = "INSERT INTO text(text) VALUES (?1)",
	[STMT_TEXT_GET] = "SELECT text FROM text WHERE id = ?1",
	[STMT_HOP_FIND] = "SELECT id FROM hop WHERE key = ?1",
	[STMT_HOP_ADD] =
		"INSERT INTO hop(key, ttl, attempt, addr, icmp_type, icmp_code,"
		" reply_ttl, quoted_ttl, mpls) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[STMT_HOP_GET] = "SELECT key FROM hop WHERE id = ?1",
	[STMT_PATH_FIND] = "SELECT id, as_path, path_hash FROM path WHERE hash = ?1 AND list = ?2 "
			   "AND stop = ?3"
			   " AND reach = ?4 AND reached_by = ?5 AND first_ttl = ?6 AND max_ttl = ?7"
			   " AND sent IS ?8 AND received IS ?9 AND hops = ?10 AND count = ?11"
			   " AND slots = ?12",
	[STMT_PATH_ADD] =
		"INSERT INTO path(hash, list, stop, reach, reached_by, first_ttl, max_ttl,"
		" sent, received, hops, count, slots, as_path, path_hash, way)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
		" ?15)",
	[STMT_PATH_GET] =
		"SELECT list, stop, reach, reached_by, first_ttl, max_ttl, sent, received,"
		" count, slots, way FROM path WHERE id = ?1",
	[STMT_GOAL_FIND] = "SELECT id FROM goal WHERE key = ?1",
	[STMT_GOAL_ADD] = "INSERT INTO goal(key, target, dst, prefix, method, dport, flow)"
			  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[STMT_GOAL_GET] = "SELECT key FROM goal WHERE id = ?1",
	[STMT_SETTINGS_FIND] = "SELECT id FROM settings WHERE key = ?1",
	[STMT_SETTINGS_ADD] = "INSERT INTO settings(key, src, attempts, stamps, tool)"
			      " VALUES (?1, ?2, ?3, ?4, ?5)",
	[STMT_SETTINGS_GET] = "SELECT key FROM settings WHERE id = ?1",
	[STMT_NAME_FIND] = "SELECT id FROM name WHERE key = ?1",
	[STMT_NAME_ADD] = "INSERT INTO name(key, asn, org, country, label)"
			  " VALUES (?1, ?2, ?3, ?4, ?5)",
	[STMT_NAME_GET] = "SELECT key FROM name WHERE id = ?1",
	[STMT_GEO_FIND] = "SELECT id FROM geo WHERE asn_db IS ?1 AND asn_built IS ?2 AND"
			  " asn_sha256 IS ?3 AND country_db IS ?4 AND country_built IS ?5 AND"
			  " country_sha256 IS ?6",
	[STMT_GEO_ADD] = "INSERT INTO geo(asn_db, asn_built, asn_sha256, country_db, country_built,"
			 " country_sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[STMT_GEO_GET] = "SELECT asn_db, asn_built, asn_sha256, country_db, country_built,"
			 " country_sha256 FROM geo WHERE id = ?1",
	[STMT_GEO_NAME_FIND] = "SELECT name FROM geo_name WHERE geo = ?1 AND addr = ?2",
	[STMT_GEO_NAME_ADD] = "INSERT INTO geo_name(geo, addr, name) VALUES (?1, ?2, ?3)",
	[STMT_GEO_NAME_OF] = "SELECT n.key FROM geo_name g JOIN name n ON n.id = g.name WHERE"
			     " g.geo = ?1 AND g.addr = (SELECT id FROM text WHERE text = ?2)",
	[STMT_NAMING_FIND] = "SELECT id FROM naming WHERE key = ?1",
	[STMT_NAMING_ADD] = "INSERT INTO naming(key, geo, own, as_path) VALUES (?1, ?2, ?3, ?4)",
	[STMT_NAMING_GET] = "SELECT geo, own FROM naming WHERE id = ?1",
	[STMT_NAMING_NAME_ADD] = "INSERT INTO naming_name(naming, addr, name) VALUES (?1, ?2, ?3)"
				 " ON CONFLICT DO NOTHING",
	[STMT_NAMING_NAMES] = "SELECT v.key FROM naming_name n JOIN name v ON v.id = n.name"
			      " WHERE n.naming = ?1",
	[STMT_VERDICT_FIND] = "SELECT id FROM verdict WHERE hash = ?1 AND key = ?2",
	[STMT_VERDICT_ADD] = "INSERT INTO verdict(hash, key, outcome, border, class, confidence,"
			     " via_asn, rule, last_outside_ttl, last_outside, first_inside_ttl,"
			     " first_inside) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
			     " ?12)",
	[STMT_VERDICT_GET] = "SELECT key FROM verdict WHERE id = ?1",
	[STMT_JUDGE_ADD] = "INSERT INTO judge(profile, profile_version, geo, judged_us)"
			   " VALUES (?1, ?2, ?3, ?4)",
	[STMT_JUDGE_GET] =
		"SELECT profile, profile_version, geo, judged_us FROM judge WHERE id = ?1",
	[STMT_NTH_MAX] = "SELECT coalesce(max(i), -1) FROM nth",
	[STMT_NTH_ADD] = "INSERT INTO nth(i) VALUES (?1)",
	[STMT_NEXT] = "SELECT max(coalesce((SELECT max(n) FROM trace), 0),"
		      " coalesce((SELECT last FROM segment ORDER BY id DESC LIMIT 1), 0)),"
		      " coalesce((SELECT max(id) FROM segment), 0)",
	[STMT_EPOCH] = "SELECT value FROM meta WHERE key = 'epoch'",
	[STMT_LONGEST] = "UPDATE meta SET value = ?1 WHERE key = 'longest_us' AND value < ?1",
	[STMT_RUN_TOP] = "SELECT max(seq_max) FROM segment WHERE run = ?1",
	[STMT_SEGMENT_ADD] =
		"INSERT INTO segment(id, first, last, vantage, campaign, round, run, geo,"
		" judge, base_us, start_min_us, start_max_us, seq_base, seq_min,"
		" seq_max) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13, ?14, ?15)",
	[STMT_SEGMENT_GET] =
		"SELECT first, last, vantage, campaign, round, run, geo, judge, base_us,"
		" start_min_us, start_max_us, seq_base, seq_min, seq_max FROM segment"
		" WHERE id = ?1",
	[STMT_SEGMENTS_OF_RUN] = "SELECT id FROM segment WHERE run = ?1 AND seq_max >= ?2 AND"
				 " seq_min <= ?2 AND id > ?3 ORDER BY id LIMIT 64",
	[STMT_SEGMENT_IDS] = "SELECT n, seq, sub FROM trace WHERE n BETWEEN ?1 AND ?2"
			     " AND segment = ?3",
	[STMT_SEGMENT_OF_TRACE] = "SELECT segment FROM trace WHERE n = ?1",
	[STMT_TRACE_ADD] =
		"INSERT INTO trace(n, segment, start, took, seq, sub, goal, settings, path,"
		" path_hash, verdict, naming, rtt_min, rtt_median, body) VALUES (?1, ?2,"
		" ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	[STMT_TRACES] = "SELECT " TRACE_COLUMNS " FROM trace WHERE n BETWEEN ?1 AND ?2 ORDER BY n",
	/* The same places; what a group has no use for is not unpacked. */
	[STMT_GROUP_ROWS] = "SELECT n, segment, start, NULL, NULL, NULL, goal, settings, path,"
			    " verdict, NULL, NULL, body, rtt_min FROM trace WHERE n BETWEEN ?1 AND"
			    " ?2 ORDER BY n",
	[STMT_TRACE_AT] = "SELECT " TRACE_COLUMNS " FROM trace WHERE n = ?1",
	[STMT_TRACE_JUDGED] = "SELECT t.verdict, coalesce(t.judge, s.judge), t.naming, t.segment"
			      " FROM trace t"
			      " JOIN segment s ON s.id = t.segment WHERE t.n = ?1",
	[STMT_TRACE_JUDGE] = "UPDATE trace SET verdict = ?2, judge = ?3, naming = ?4 WHERE n = ?1",
	[STMT_FOREIGN_ADD] = "INSERT INTO foreign_id(n, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
	[STMT_FOREIGN_GET] = "SELECT id FROM foreign_id WHERE n = ?1",
	[STMT_FOREIGN_FIND] = "SELECT n FROM foreign_id WHERE id = ?1",
	[STMT_JUDGEMENT_ADD] = "INSERT INTO judgement(trace, judge, verdict, naming)"
			       " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
	[STMT_TALLY_ADD] =
		"INSERT INTO tally(vantage, hour_us, segment, prefix, method, outcome, border,"
		" class, traces, reached, rtt_n, rtt_min, rtt_sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		" ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	/* By the hours of the segment's own times: no trace of it is outside of them. */
	[STMT_TALLY_DROP] =
		"DELETE FROM tally WHERE vantage = (SELECT coalesce(vantage, 0) FROM segment WHERE"
		" id = ?1) AND hour_us >= (SELECT start_min_us / 3600000000 * 3600000000 FROM"
		" segment WHERE id = ?1) AND hour_us <= (SELECT start_max_us FROM segment WHERE"
		" id = ?1) AND segment = ?1",
	[STMT_TALLY_FILL] =
		"INSERT INTO tally(vantage, hour_us, segment, prefix, method, outcome, border,"
		" class, traces, reached, rtt_n, rtt_min, rtt_sum) SELECT coalesce(s.vantage, 0),"
		" (s.base_us + t.start) / 3600000000 * 3600000000, s.id, coalesce(g.prefix, ''),"
		" g.method, coalesce(v.outcome, -1), coalesce(v.border, ''), coalesce(v.class, 0),"
		" count(*), sum(p.reach = 1), count(t.rtt_min), min(t.rtt_min), sum(t.rtt_min)"
		" FROM segment s CROSS JOIN trace t ON t.n BETWEEN s.first AND s.last AND"
		" t.segment = s.id JOIN goal g ON g.id = t.goal JOIN path p ON p.id = t.path"
		" LEFT JOIN verdict v ON v.id = t.verdict"
		" WHERE s.id = ?1 AND t.start IS NOT NULL GROUP BY 2, 4, 5, 6, 7, 8",
	[STMT_OBJECT_ADD] =
		"INSERT INTO object(hash, kind, at_us, vantage, campaign, round, segment,"
		" after, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT DO NOTHING",
	[STMT_OBJECTS] =
		"SELECT id, after FROM object WHERE segment = ?1 AND (after, id) > (?2, ?3)"
		" ORDER BY after, id",
	[STMT_OBJECT_GET] = "SELECT kind, json FROM object WHERE id = ?1",
	[STMT_ROUND_ADD] = "INSERT INTO round(id, campaign, vantage, planned_us, at_us, start_us,"
			   " end_us, expected, done, missed, traces, why, json) VALUES (?1, ?2, ?3,"
			   " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO UPDATE SET"
			   " at_us = excluded.at_us, start_us = excluded.start_us,"
			   " end_us = excluded.end_us, expected = excluded.expected,"
			   " done = excluded.done, missed = excluded.missed,"
			   " traces = excluded.traces, why = excluded.why, json = excluded.json"
			   " WHERE round.start_us IS NULL AND excluded.start_us IS NOT NULL",
	[STMT_ROUND_GET] = "SELECT json FROM round WHERE id = ?1",
	[STMT_LAST_PLANNED] = "SELECT planned_us FROM round WHERE campaign ="
			      " (SELECT id FROM text WHERE text = ?1) AND vantage ="
			      " (SELECT id FROM text WHERE text = ?2) AND"
			      " json_extract(json, '$.look') IS NULL"
			      " ORDER BY planned_us DESC LIMIT 1",
	[STMT_LAST_ROUNDS] = "SELECT json FROM round WHERE campaign ="
			     " (SELECT id FROM text WHERE text = ?1) AND vantage ="
			     " (SELECT id FROM text WHERE text = ?2) AND start_us IS NOT NULL"
			     " AND json_extract(json, '$.look') IS NULL"
			     " ORDER BY planned_us DESC LIMIT ?3",
	/* From its index alone. */
	[STMT_SLOTS] = "SELECT planned_us, id FROM round WHERE campaign ="
		       " (SELECT id FROM text WHERE text = ?1) AND vantage ="
		       " (SELECT id FROM text WHERE text = ?2) ORDER BY planned_us DESC LIMIT ?3",
};

int sql_fail(struct sqlite_store *s, int result, struct bp_error *err)
{
	const char *path = s->path ? s->path : "store";

	switch (result & 0xff) {
	case SQLITE_FULL:
		bp_fail(err, BP_EIO, "%s: the disk is full", path);
		if (err != NULL)
			err->sys = ENOSPC;
		return BP_EIO;
	case SQLITE_NOMEM:
		return bp_fail(err, BP_ENOMEM, "%s: out of memory", path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return bp_fail(err, BP_EAGAIN, "%s: locked by another process for longer than %d s",
			       path, SQLITE_BUSY_MS / 1000);
	case SQLITE_READONLY:
		return bp_fail(err, BP_EPERM, "%s: read-only", path);
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return bp_fail(err, BP_EPERM, "%s: permission denied", path);
	case SQLITE_CORRUPT:
		return bp_fail(err, BP_EPARSE,
			       "%s: damaged (%s); borderpath campaign recover reads what is "
			       "left into a new store", path,
			       sqlite3_errmsg(s->db));
	case SQLITE_NOTADB:
		return bp_fail(err, BP_EPARSE, "%s: not a store (no SQLite file)", path);
	default:
		break;
	}
	if (result == SQLITE_IOERR_SHORT_READ)
		return bp_fail(err, BP_EPARSE,
			       "%s: cut short; borderpath campaign recover reads what is left "
			       "into a new store", path);
	if ((result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN) {
		int sys = sqlite3_system_errno(s->db);

		if (sys == ENOSPC || sys == EDQUOT) {
			bp_fail(err, BP_EIO, "%s: the disk is full", path);
			if (err != NULL)
				err->sys = sys;
			return BP_EIO;
		}
		if (sys != 0)
			return bp_fail_sys(err, sys, "%s", path);
	}
	return bp_fail(err, BP_EIO, "%s: %s", path,
		       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(result));
}

int sql_get(struct sqlite_store *s, enum stmt which, sqlite3_stmt **out, struct bp_error *err)
{
	sqlite3_stmt **st = &s->stmts[which];

	if (*st == NULL) {
		int rc = sqlite3_prepare_v3(s->db, stmt_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
					    st, NULL);

		if (rc != SQLITE_OK)
			return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	}
	*out = *st;
	return 0;
}

int sql_step(struct sqlite_store *s, sqlite3_stmt *st, struct bp_error *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE) {
		sqlite3_reset(st);
		return 0;
	}
	rc = sql_fail(s, sqlite3_extended_errcode(s->db), err);
	sqlite3_reset(st);
	return rc;
}

int sql_run(struct sqlite_store *s, enum stmt which, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sql_get(s, which, &st, err);

	return rc < 0 ? rc : sql_step(s, st, err);
}

int sql_exec(struct sqlite_store *s, const char *sql, struct bp_error *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(s, sqlite3_extended_errcode(s->db), err);
}

int sql_int(struct sqlite_store *s, const char *sql, int64_t *out, struct bp_error *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return sql_fail(s, sqlite3_extended_errcode(s->db), err);
	rc = sql_step(s, st, err);
	if (rc == 1) {
		*out = sqlite3_column_int64(st, 0);
		rc = 0;
	} else if (rc == 0) {
		rc = bp_fail(err, BP_ENOTFOUND, "%s: no row", s->path);
	}
	sqlite3_finalize(st);
	return rc;
}

void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (text[0] == '\0')
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

void bind_nonzero(sqlite3_stmt *st, int at, int64_t v)
{
	if (v == 0)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_int64(st, at, v);
}

void bind_known(sqlite3_stmt *st, int at, int64_t v)
{
	if (v < 0)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_int64(st, at, v);
}

void bind_blob(sqlite3_stmt *st, int at, const void *bytes, size_t n)
{
	/* An empty blob is not NULL. */
	sqlite3_bind_blob64(st, at, n > 0 ? bytes : "", n, SQLITE_STATIC);
}
