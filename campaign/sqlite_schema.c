// SPDX-License-Identifier: BSD-2-Clause
/*
 * The schema of the SQLite store: tables of version 1, what later ones add, and the flat views (REPORTS "Flat tables")
 * that the plain sqlite3 program can read. doc/store.md explains every table. Words of enums are in
 * the views, from the same tables as everywhere.
 */
#include <sodium.h>
#include <string.h>

#include "campaign/sql_words.h"
#include "campaign/sqlite.h"
#include "core/text.h"

static const char *const tables[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID",
	/* Vantage points, campaigns, rounds, runs, addresses, paths of networks. */
	"CREATE TABLE text(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
	"CREATE TABLE goal(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, target TEXT, dst TEXT,"
	" prefix TEXT, method INTEGER, dport INTEGER, flow INTEGER)",
	"CREATE TABLE settings(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, src TEXT,"
	" attempts INTEGER, stamps INTEGER, tool TEXT)",
	/* addr: row of text; NULL nobody answered, 0 the destination did. */
	"CREATE TABLE hop(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, ttl INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL, addr INTEGER, icmp_type INTEGER, icmp_code INTEGER,"
	" reply_ttl INTEGER, quoted_ttl INTEGER, mpls TEXT)",
	/* list: byte 0 the width of a number, then the numbers of the hops, big-endian. */
	"CREATE TABLE path(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, list BLOB NOT NULL,"
	" count INTEGER NOT NULL, slots INTEGER NOT NULL, stop INTEGER NOT NULL,"
	" reach INTEGER NOT NULL, reached_by INTEGER NOT NULL, first_ttl INTEGER NOT NULL,"
	" max_ttl INTEGER NOT NULL, sent INTEGER, received INTEGER, hops INTEGER NOT NULL,"
	" as_path INTEGER, path_hash INTEGER, way INTEGER NOT NULL)",
	"CREATE INDEX path_by_hash ON path(hash)",
	"CREATE TABLE geo(id INTEGER PRIMARY KEY, asn_db TEXT, asn_built TEXT, asn_sha256 TEXT,"
	" country_db TEXT, country_built TEXT, country_sha256 TEXT)",
	"CREATE TABLE name(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, asn INTEGER, org TEXT,"
	" country TEXT, label TEXT)",
	"CREATE TABLE geo_name(geo INTEGER NOT NULL, addr INTEGER NOT NULL, name INTEGER NOT NULL,"
	" PRIMARY KEY(geo, addr)) WITHOUT ROWID",
	"CREATE TABLE naming(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, geo INTEGER NOT "
	"NULL,"
	" own INTEGER NOT NULL, as_path INTEGER)",
	"CREATE TABLE naming_name(naming INTEGER NOT NULL, addr INTEGER NOT NULL,"
	" name INTEGER NOT NULL, PRIMARY KEY(naming, addr)) WITHOUT ROWID",
	"CREATE TABLE verdict(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, key BLOB NOT NULL,"
	" outcome INTEGER NOT NULL, border TEXT, class INTEGER NOT NULL, confidence REAL,"
	" via_asn INTEGER, rule TEXT, last_outside_ttl INTEGER, last_outside TEXT,"
	" first_inside_ttl INTEGER, first_inside TEXT)",
	"CREATE INDEX verdict_by_hash ON verdict(hash)",
	"CREATE TABLE judge(id INTEGER PRIMARY KEY, profile TEXT, profile_version TEXT,"
	" geo INTEGER, judged_us INTEGER)",
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT "
	"NULL,"
	" vantage INTEGER, campaign INTEGER, round INTEGER, run INTEGER, geo INTEGER,"
	" judge INTEGER, base_us INTEGER NOT NULL, start_min_us INTEGER NOT NULL,"
	" start_max_us INTEGER NOT NULL, seq_base INTEGER, seq_min INTEGER, seq_max INTEGER)",
	"CREATE INDEX segment_by_start ON segment(start_min_us)",
	"CREATE INDEX segment_by_vantage ON segment(vantage, start_min_us)",
	"CREATE INDEX segment_by_run ON segment(run, seq_max)",
	"CREATE TABLE trace(n INTEGER PRIMARY KEY, segment INTEGER NOT NULL, start INTEGER,"
	" took INTEGER, seq INTEGER, sub INTEGER, goal INTEGER NOT NULL, settings INTEGER NOT NULL,"
	" path INTEGER NOT NULL, path_hash INTEGER, verdict INTEGER, judge INTEGER, naming INTEGER,"
	" rtt_min INTEGER, rtt_median INTEGER, body BLOB NOT NULL)",
	"CREATE TABLE foreign_id(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)",
	"CREATE TABLE judgement(trace INTEGER NOT NULL, judge INTEGER NOT NULL,"
	" verdict INTEGER NOT NULL, naming INTEGER, PRIMARY KEY(trace, judge)) WITHOUT ROWID",
	"CREATE TABLE object(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL UNIQUE,"
	" kind INTEGER NOT NULL, at_us INTEGER NOT NULL, vantage INTEGER, campaign INTEGER,"
	" round INTEGER, segment INTEGER, after INTEGER, json TEXT NOT NULL)",
	"CREATE INDEX object_by_segment ON object(segment, after)",
	"CREATE INDEX object_by_start ON object(at_us) WHERE segment IS NULL",
	"CREATE TABLE round(id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL,"
	" vantage INTEGER NOT NULL, planned_us INTEGER NOT NULL, at_us INTEGER NOT NULL,"
	" start_us INTEGER, end_us INTEGER, expected INTEGER, done INTEGER, missed INTEGER,"
	" traces INTEGER, why TEXT, json TEXT NOT NULL, UNIQUE(campaign, vantage, planned_us))",
	"CREATE INDEX round_by_start ON round(at_us)",
	/* What is left of traces that were dropped. 0 and '' where there is none. */
	"CREATE TABLE hour(hour_us INTEGER NOT NULL, vantage INTEGER NOT NULL,"
	" campaign INTEGER NOT NULL, prefix TEXT NOT NULL, method INTEGER NOT NULL,"
	" outcome INTEGER NOT NULL, border TEXT NOT NULL, traces INTEGER NOT NULL,"
	" reached INTEGER NOT NULL, rtt_n INTEGER NOT NULL, rtt_min INTEGER, rtt_sum INTEGER,"
	" PRIMARY KEY(hour_us, vantage, campaign, prefix, method, outcome, border)) WITHOUT ROWID",
	/* What plain SQL counts the hops of a path with, and finds the value of a byte by. */
	"CREATE TABLE nth(i INTEGER PRIMARY KEY)",
	"CREATE TABLE byte(b BLOB NOT NULL)",
	NULL,
};

/* RFC 3339 of microseconds. */
static void put_time(struct buf *out, const char *us)
{
	/* Floored, so that what is before 1970 is right too. */
	buf_printf(out,
		   "strftime('%%Y-%%m-%%dT%%H:%%M:%%S', ((%s) - ((%s) %% 1000000 + 1000000) %%"
		   " 1000000) / 1000000, 'unixepoch') || printf('.%%06d000Z', ((%s) %% 1000000 +"
		   " 1000000) %% 1000000)",
		   us, us, us);
}

/* The value of `width` bytes of a blob as plain SQL: the place of each byte in the table byte. */
static void put_number(struct buf *out, const char *blob, const char *at, const char *width)
{
	static const char *const power[] = {"1", "256", "65536", "16777216", "4294967296"};

	for (unsigned k = 0; k < 5; k++)
		buf_printf(
			out,
			"%s(%s > %u) * %s * (instr(byte.b, substr(%s, %s + %s - 1 - %u, 1)) - 1)",
			k ? " + " : "", width, k, power[k], blob, at, width, k);
}

static void put_width(struct buf *out, const char *blob)
{
	buf_printf(out, "((instr(byte.b, substr(%s, 1, 1)) - 1) & 15)", blob);
}

/* Where the nth number of a path's list begins, and how wide it is. */
#define LIST_WIDTH "(instr(byte.b, substr(p.list, 1, 1)) - 1)"
#define LIST_AT "2 + nth.i * " LIST_WIDTH

static const char trace_id[] =
	"coalesce(run.text || '-' || (s.seq_base + t.seq) || coalesce('.' || t.sub, ''),"
	" (SELECT f.id FROM foreign_id f WHERE f.n = t.n))";

/* The address that a path shows first at a TTL, for places that a verdict names by TTL alone. */
static void put_address_at(struct buf *out, const char *ttl, const char *addr)
{
	buf_printf(out,
		   "CASE WHEN %s IS NOT NULL THEN nullif(%s, '') ELSE (SELECT CASE hop.addr WHEN 0"
		   " THEN g.dst ELSE a.text END FROM nth, byte JOIN hop ON hop.id = (",
		   addr, addr);
	put_number(out, "p.list", LIST_AT, LIST_WIDTH);
	buf_str(out, ") LEFT JOIN text a ON a.id = hop.addr WHERE nth.i < p.count AND"
		     " hop.addr IS NOT NULL");
	buf_printf(out, " AND hop.ttl = %s ORDER BY hop.attempt, nth.i LIMIT 1) END", ttl);
}

static void put_traces_view(struct buf *out)
{
	buf_printf(out,
		   "CREATE VIEW traces AS SELECT %s AS trace_id, campaign.text AS campaign,"
		   " round.text AS round_id, vantage.text AS vantage, ",
		   trace_id);
	put_time(out, "s.base_us + t.start");
	buf_str(out, " AS start_utc, ");
	put_time(out, "s.base_us + t.start + t.took");
	buf_str(out, " AS end_utc, CASE WHEN g.dst IS NULL THEN NULL WHEN instr(g.dst, ':') THEN 6"
		     " ELSE 4 END AS af, se.src AS src, g.dst AS dst, g.prefix AS prefix,"
		     " g.target AS target, ");
	sql_put_words(out, "g.method", method_words, false);
	buf_str(out, " AS method, g.dport AS dport, g.flow AS flow, nullif(se.attempts, 0) AS"
		     " attempts, p.sent AS sent, p.received AS received, ");
	sql_put_words(out, "p.stop", stop_words, false);
	buf_str(out, " AS stop, ");
	sql_put_words(out, "p.reach", reach_words, false);
	buf_str(out, " AS reach, ");
	sql_put_words(out, "v.outcome", outcome_words, true);
	buf_str(out, " AS outcome, v.border AS border, ");
	sql_put_words(out, "v.class", path_class_words, false);
	buf_str(out, " AS class, v.confidence AS confidence, v.via_asn AS via_asn, v.rule AS rule,"
		     " v.last_outside_ttl AS last_outside_ttl, ");
	put_address_at(out, "v.last_outside_ttl", "v.last_outside");
	buf_str(out, " AS last_outside_addr, v.first_inside_ttl AS first_inside_ttl, ");
	put_address_at(out, "v.first_inside_ttl", "v.first_inside");
	buf_str(out, " AS first_inside_addr, t.rtt_min / 1000.0 AS rtt_min_ms,"
		     " coalesce(t.rtt_median, t.rtt_min) / 1000.0 AS rtt_median_ms,"
		     " nullif(p.hops, 0) AS hops,"
		     " CASE WHEN coalesce(t.path_hash, p.path_hash) IS NOT NULL THEN"
		     " printf('%016x', coalesce(t.path_hash, p.path_hash)) END AS path_hash,"
		     " (SELECT text FROM text WHERE id = CASE WHEN t.naming IS NULL THEN p.as_path"
		     " ELSE na.as_path END) AS as_path, ");
	sql_put_words(out, "se.stamps", stamps_words, false);
	buf_str(out, " AS stamps, se.tool AS tool, j.profile_version AS profile_version,"
		     " geo.asn_sha256 AS asn_sha256, geo.country_sha256 AS country_sha256, ");
	put_time(out, "j.judged_us");
	buf_str(out,
		" AS judged_at, j.profile AS profile, t.n AS n FROM trace t"
		" JOIN segment s ON s.id = t.segment"
		" JOIN goal g ON g.id = t.goal"
		" JOIN settings se ON se.id = t.settings"
		" JOIN path p ON p.id = t.path"
		" LEFT JOIN naming na ON na.id = t.naming"
		" LEFT JOIN text campaign ON campaign.id = s.campaign"
		" LEFT JOIN text round ON round.id = s.round"
		" LEFT JOIN text vantage ON vantage.id = s.vantage"
		" LEFT JOIN text run ON run.id = s.run"
		" LEFT JOIN verdict v ON v.id = t.verdict"
		" LEFT JOIN judge j ON t.verdict IS NOT NULL AND j.id = coalesce(t.judge, s.judge)"
		" LEFT JOIN geo ON geo.id = coalesce(na.geo, CASE WHEN t.naming IS NULL THEN"
		" s.geo END)");
}

static void put_hops_view(struct buf *out)
{
	buf_printf(out,
		   "CREATE VIEW hops AS SELECT %s AS trace_id, hop.ttl AS ttl,"
		   " hop.attempt AS attempt, CASE hop.addr WHEN 0 THEN g.dst ELSE a.text END"
		   " AS \"from\", CASE WHEN nth.i < p.slots AND substr(t.body, 2 + nth.i * ",
		   trace_id);
	put_width(out, "t.body");
	buf_str(out, ", ");
	put_width(out, "t.body");
	buf_str(out, ") <> substr(X'ffffffffff', 1, ");
	put_width(out, "t.body");
	buf_str(out, ") THEN (");
	{
		struct buf width = {0}, at = {0};

		put_width(&width, "t.body");
		buf_printf(&at, "2 + nth.i * %s", width.bytes ? width.bytes : "");
		put_number(out, "t.body", at.bytes ? at.bytes : "", width.bytes ? width.bytes : "");
		out->failed |= width.failed || at.failed;
		buf_fini(&width);
		buf_fini(&at);
	}
	buf_str(out, ") / 1000.0 END AS rtt_ms, hop.icmp_type AS icmp_type, hop.icmp_code AS"
		     " icmp_code, hop.reply_ttl AS reply_ttl, hop.quoted_ttl AS quoted_ttl,"
		     " hop.mpls AS mpls, name.asn AS asn, name.org AS org, name.country AS country,"
		     " name.label AS label, t.n AS n, nth.i AS nth FROM trace t"
		     " CROSS JOIN byte"
		     " JOIN segment s ON s.id = t.segment"
		     " JOIN goal g ON g.id = t.goal"
		     " JOIN path p ON p.id = t.path"
		     " CROSS JOIN nth ON nth.i < p.count"
		     " JOIN hop ON hop.id = (");
	put_number(out, "p.list", LIST_AT, LIST_WIDTH);
	buf_str(out, ") LEFT JOIN text run ON run.id = s.run"
		     " LEFT JOIN text a ON a.id = hop.addr"
		     " LEFT JOIN naming na ON na.id = t.naming"
		     " LEFT JOIN text dst ON hop.addr = 0 AND dst.text = g.dst"
		     " LEFT JOIN naming_name nn ON nn.naming = t.naming AND"
		     " nn.addr = coalesce(dst.id, hop.addr)"
		     " LEFT JOIN geo_name gn ON coalesce(na.own, 0) = 0 AND"
		     " gn.geo = CASE WHEN t.naming IS NULL THEN s.geo ELSE na.geo END AND"
		     " gn.addr = coalesce(dst.id, hop.addr)"
		     " LEFT JOIN name ON name.id = coalesce(nn.name, gn.name)");
}

/* Its rarer columns are in the object itself. */
static void put_rounds_view(struct buf *out)
{
	buf_str(out, "CREATE VIEW rounds AS SELECT r.text AS round_id, c.text AS campaign,"
		     " v.text AS vantage, ");
	put_time(out, "o.planned_us");
	buf_str(out, " AS planned_utc, ");
	put_time(out, "o.start_us");
	buf_str(out, " AS start_utc, ");
	put_time(out, "o.end_us");
	buf_str(out,
		" AS end_utc, o.expected AS planned, o.done AS done, o.missed AS missed,"
		" o.why AS why, o.traces AS traces,"
		" json_extract(o.json, '$.health.state') AS health,"
		" coalesce(json_extract(o.json, '$.health.reference_asked'), 0) AS"
		" reference_asked,"
		" coalesce(json_extract(o.json, '$.health.reference_answered'), 0) AS"
		" reference_answered,"
		" json_extract(o.json, '$.identity.source') AS source,"
		" json_extract(o.json, '$.identity.public_addr') AS public_addr,"
		" json_extract(o.json, '$.identity.egress.asn') AS egress_asn,"
		" json_extract(o.json, '$.identity.transit.asn') AS transit_asn,"
		" (SELECT group_concat(value, ' ') FROM json_each(o.json, '$.identity.changed'))"
		" AS changed,"
		" json_extract(o.json, '$.note') AS note,"
		" coalesce(json_extract(o.json, '$.look'), 0) AS look, o.json AS json FROM round o"
		" JOIN text r ON r.id = o.id JOIN text c ON c.id = o.campaign"
		" JOIN text v ON v.id = o.vantage");
}

/* Every judgement: those beside the trace that was judged once, and the rows of those judged
 * anew. */
static void put_judgements_view(struct buf *out)
{
	buf_printf(out, "CREATE VIEW judgements AS SELECT %s AS trace_id, ", trace_id);
	put_time(out, "j.judged_us");
	buf_str(out, " AS judged_at, j.profile AS profile, j.profile_version AS profile_version,"
		     " geo.asn_sha256 AS asn_sha256, geo.country_sha256 AS country_sha256, ");
	sql_put_words(out, "v.outcome", outcome_words, true);
	buf_str(out, " AS outcome, v.border AS border, ");
	sql_put_words(out, "v.class", path_class_words, false);
	buf_str(out,
		" AS class, v.confidence AS confidence, v.via_asn AS via_asn, v.rule AS rule,"
		" t.n AS n FROM (SELECT trace, judge, verdict FROM judgement UNION ALL"
		" SELECT t.n, s.judge, t.verdict FROM trace t JOIN segment s ON s.id = t.segment"
		" WHERE t.verdict IS NOT NULL AND t.judge IS NULL) jm"
		" JOIN trace t ON t.n = jm.trace JOIN segment s ON s.id = t.segment"
		" JOIN judge j ON j.id = jm.judge JOIN verdict v ON v.id = jm.verdict"
		" LEFT JOIN geo ON geo.id = j.geo LEFT JOIN text run ON run.id = s.run");
}

/* Roll-ups; outcome NULL: not judged. */
static void put_hours_view(struct buf *out)
{
	buf_str(out, "CREATE VIEW hours AS SELECT ");
	put_time(out, "h.hour_us");
	buf_str(out, " AS hour_utc, c.text AS campaign, v.text AS vantage, nullif(h.prefix, '') AS"
		     " prefix, ");
	sql_put_words(out, "h.method", method_words, false);
	buf_str(out, " AS method, ");
	sql_put_words(out, "h.outcome", outcome_words, true);
	buf_str(out, " AS outcome, nullif(h.border, '') AS border, h.traces AS traces,"
		     " h.reached AS reached, h.rtt_n AS rtt_n, h.rtt_min / 1000.0 AS rtt_min_ms,"
		     " h.rtt_sum / 1000.0 / nullif(h.rtt_n, 0) AS rtt_mean_ms FROM hour h"
		     " LEFT JOIN text c ON c.id = h.campaign LEFT JOIN text v ON v.id = h.vantage");
}

/* Counts; outcome NULL: not judged. */
static void put_tallies_view(struct buf *out)
{
	buf_str(out, "CREATE VIEW tallies AS SELECT ");
	put_time(out, "y.hour_us");
	buf_str(out, " AS hour_utc, c.text AS campaign, r.text AS round_id, v.text AS vantage,"
		     " nullif(y.prefix, '') AS prefix, ");
	sql_put_words(out, "y.method", method_words, false);
	buf_str(out, " AS method, ");
	sql_put_words(out, "y.outcome", outcome_words, true);
	buf_str(out, " AS outcome, nullif(y.border, '') AS border, ");
	sql_put_words(out, "y.class", path_class_words, false);
	buf_str(out, " AS class, y.traces AS traces, y.reached AS reached, y.rtt_n AS rtt_n,"
		     " y.rtt_min / 1000.0 AS rtt_min_ms,"
		     " y.rtt_sum / 1000.0 / nullif(y.rtt_n, 0) AS rtt_mean_ms FROM tally y"
		     " JOIN segment s ON s.id = y.segment"
		     " LEFT JOIN text c ON c.id = s.campaign LEFT JOIN text r ON r.id = s.round"
		     " LEFT JOIN text v ON v.id = s.vantage");
}

static int create_view(struct sqlite_store *s, void (*put)(struct buf *), struct bp_error *err)
{
	struct buf sql;
	int rc;

	buf_init(&sql);
	put(&sql);
	rc = sql.failed ? bp_fail(err, BP_ENOMEM, "out of memory") : sql_exec(s, sql.bytes, err);
	buf_fini(&sql);
	return rc;
}

static int fill(struct sqlite_store *s, struct bp_error *err)
{
	uint8_t key[16];
	struct buf sql;
	int rc;

	randombytes_buf(key, sizeof(key));
	buf_init(&sql);
	buf_str(&sql, "INSERT INTO byte VALUES (X'");
	for (unsigned i = 0; i < 256; i++)
		buf_printf(&sql, "%02x", i);
	buf_str(&sql, "'); INSERT INTO meta VALUES ('what', 'borderpath store'), ('made_by',"
		      " 'borderpath " BP_VERSION "'), ('epoch', 0), ('longest_us', 0),"
		      " ('hash_key', X'");
	for (unsigned i = 0; i < sizeof(key); i++)
		buf_printf(&sql, "%02x", key[i]);
	buf_str(&sql, "')");
	rc = sql.failed ? bp_fail(err, BP_ENOMEM, "out of memory") : sql_exec(s, sql.bytes, err);
	buf_fini(&sql);
	return rc;
}

int schema_create(struct sqlite_store *s, struct bp_error *err)
{
	static void (*const views[])(struct buf *) = {put_traces_view, put_hops_view,
						      put_rounds_view, put_judgements_view,
						      put_hours_view};
	int rc = 0;

	for (unsigned i = 0; tables[i] != NULL && rc == 0; i++)
		rc = sql_exec(s, tables[i], err);
	if (rc == 0)
		rc = fill(s, err);
	for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]) && rc == 0; i++)
		rc = create_view(s, views[i], err);
	return rc;
}

/* A vantage point's hours lie together: a day of one is a few pages. 0 and '' where there is
 * none. */
int schema_add_tally(struct sqlite_store *s, struct bp_error *err)
{
	int rc = sql_exec(s,
			  "CREATE TABLE tally(vantage INTEGER NOT NULL, hour_us INTEGER NOT NULL,"
			  " segment INTEGER NOT NULL, prefix TEXT NOT NULL, method INTEGER NOT NULL,"
			  " outcome INTEGER NOT NULL, border TEXT NOT NULL, class INTEGER NOT NULL,"
			  " traces INTEGER NOT NULL, reached INTEGER NOT NULL,"
			  " rtt_n INTEGER NOT NULL, rtt_min INTEGER, rtt_sum INTEGER,"
			  " PRIMARY KEY(vantage, hour_us, segment, prefix, method, outcome, border,"
			  " class)) WITHOUT ROWID",
			  err);

	return rc < 0 ? rc : create_view(s, put_tallies_view, err);
}

int schema_add_look(struct sqlite_store *s, struct bp_error *err)
{
	int rc = sql_exec(s, "DROP VIEW rounds", err);

	return rc < 0 ? rc : create_view(s, put_rounds_view, err);
}
