// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tables of the PostgreSQL store and the views for everybody's SQL (doc/store.md). Traces are
 * partitioned by the day they started; what is too old to have a day of its own, and what has no
 * start, is in trace_old. Everything is made in the schema that the connection's search_path names
 * first, and stays there whatever a later search_path says.
 */
#include <sodium.h>

#include "campaign/postgres/pg.h"
#include "campaign/sql_words.h"

static const char tables[] =
	"CREATE TABLE store_meta(key text PRIMARY KEY, value text NOT NULL);"
	/* A hash under it cannot be forged; who only reads need not know it. */
	"CREATE TABLE store_secret(hash_key bytea NOT NULL);"
	"CREATE TABLE word(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" word text NOT NULL UNIQUE);"
	"CREATE TABLE goal(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, key bytea NOT NULL, target text, dst inet, prefix cidr,"
	" method smallint NOT NULL, dport integer, flow integer);"
	"CREATE TABLE settings(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, key bytea NOT NULL, src inet, attempts smallint NOT NULL,"
	" stamps smallint NOT NULL, tool text);"
	"CREATE TABLE hop(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, key bytea NOT NULL, ttl smallint NOT NULL,"
	" attempt smallint NOT NULL, is_dst boolean NOT NULL, addr inet, icmp_type smallint,"
	" icmp_code smallint, reply_ttl smallint, quoted_ttl smallint, mpls text);"
	"CREATE TABLE path(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, list integer[] NOT NULL, slots integer NOT NULL,"
	" stop smallint NOT NULL, reach smallint NOT NULL, reached_by smallint NOT NULL,"
	" first_ttl smallint NOT NULL, max_ttl smallint NOT NULL, sent bigint, received bigint,"
	" hops smallint NOT NULL, as_path integer, path_hash bigint);"
	"CREATE TABLE name(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, key bytea NOT NULL, addr inet, asn bigint, org text,"
	" country text, label text);"
	"CREATE TABLE geo(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, asn_db text, asn_built text, asn_sha256 text,"
	" country_db text, country_built text, country_sha256 text);"
	"CREATE TABLE geo_name(geo integer NOT NULL, addr inet NOT NULL, name integer NOT NULL,"
	" PRIMARY KEY(geo, addr));"
	"CREATE TABLE naming(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, geo integer NOT NULL, own boolean NOT NULL, as_path integer,"
	" names integer[]);"
	"CREATE TABLE verdict(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, key bytea NOT NULL, outcome smallint NOT NULL, border text,"
	" class smallint NOT NULL, confidence double precision NOT NULL, via_asn bigint, rule text,"
	" last_outside_ttl smallint, last_outside_shown boolean NOT NULL, last_outside inet,"
	" first_inside_ttl smallint, first_inside_shown boolean NOT NULL, first_inside inet);"
	"CREATE TABLE judge(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, profile text, profile_version text, geo integer,"
	" judged_us bigint);"
	/* What traces share that were added together; undated: one of them has no start. */
	"CREATE TABLE segment(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" traces integer NOT NULL, vantage integer, campaign integer, round integer, run integer,"
	" geo integer, judge integer, base_us bigint NOT NULL, start_min_us bigint NOT NULL,"
	" start_max_us bigint NOT NULL, undated boolean NOT NULL, seq_base bigint, seq_min bigint,"
	" seq_max bigint);"
	"CREATE INDEX segment_by_start ON segment(start_min_us);"
	"CREATE INDEX segment_by_vantage ON segment(vantage, start_min_us);"
	"CREATE INDEX segment_by_round ON segment(round);"
	"CREATE INDEX segment_by_run ON segment(run, seq_max) WHERE run IS NOT NULL;"
	/* The longest is asked for in each selection. */
	"CREATE INDEX segment_by_length ON segment((start_max_us - start_min_us));"
	/* took: microseconds; without a start, after segment.base_us. nth: within the segment.
	 * path_hash: NULL: as the path's; rtt_median: NULL: as rtt_min. */
	"CREATE TABLE trace(start timestamptz NOT NULL, took bigint, path_hash bigint,"
	" rtt_min bigint, rtt_median bigint, segment integer NOT NULL, seq integer, sub integer,"
	" goal integer NOT NULL, settings integer NOT NULL, path integer NOT NULL,"
	" verdict integer, naming integer, nth smallint NOT NULL, body bytea NOT NULL)"
	" PARTITION BY RANGE (start);"
	"ALTER TABLE trace ALTER body SET STORAGE MAIN;"
	"CREATE INDEX trace_by_segment ON trace(segment);"
	"CREATE INDEX trace_by_start ON trace USING brin(start) WITH (pages_per_range = 32);"
	"CREATE TABLE trace_old PARTITION OF trace FOR VALUES FROM (MINVALUE) TO"
	" ('2000-01-01 00:00:00+00');"
	"CREATE TABLE trace_never PARTITION OF trace FOR VALUES FROM ('2100-01-01 00:00:00+00') TO"
	" (MAXVALUE);"
	"CREATE TABLE foreign_id(id text PRIMARY KEY, segment integer NOT NULL,"
	" nth smallint NOT NULL);"
	"CREATE INDEX foreign_id_by_trace ON foreign_id(segment, nth);"
	/* Judgements beyond the first, which lies beside its trace. naming: of this one. */
	"CREATE TABLE judgement(n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" segment integer NOT NULL, nth smallint NOT NULL, judge integer NOT NULL,"
	" verdict integer NOT NULL, naming integer);"
	"CREATE INDEX judgement_by_trace ON judgement(segment, nth, n);"
	"CREATE TABLE object(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" hash uuid NOT NULL UNIQUE, kind smallint NOT NULL, at_us bigint NOT NULL,"
	" vantage integer, campaign integer, round integer, segment integer, after smallint,"
	" json text NOT NULL);"
	"CREATE INDEX object_by_segment ON object(segment, after) WHERE segment IS NOT NULL;"
	"CREATE INDEX object_by_start ON object(at_us) WHERE segment IS NULL;"
	"CREATE TABLE round(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" round integer NOT NULL, campaign integer NOT NULL, vantage integer NOT NULL,"
	" planned_us bigint NOT NULL, at_us bigint NOT NULL, start_us bigint, end_us bigint,"
	" expected bigint NOT NULL, done bigint NOT NULL, missed bigint NOT NULL,"
	" traces bigint NOT NULL, why text, offline boolean NOT NULL, look boolean NOT NULL,"
	" json text NOT NULL, UNIQUE(campaign, vantage, planned_us));"
	"CREATE INDEX round_by_start ON round(at_us);"
	"CREATE INDEX round_by_round ON round(round);"
	/* What is left of traces that were dropped. 0 and '' where there is none. */
	"CREATE TABLE hour(hour_us bigint NOT NULL, vantage integer NOT NULL,"
	" campaign integer NOT NULL, prefix text NOT NULL, method smallint NOT NULL,"
	" outcome smallint NOT NULL, border text NOT NULL, traces bigint NOT NULL,"
	" reached bigint NOT NULL, rtt_n bigint NOT NULL, rtt_min bigint, rtt_sum bigint,"
	" PRIMARY KEY(hour_us, vantage, campaign, prefix, method, outcome, border));"
	/* Batches that collectors took in; a refused one has its reason, its size, and its bytes
	 * until there are many. */
	"CREATE TABLE batch(vantage text NOT NULL, epoch text NOT NULL, seq bigint NOT NULL,"
	" refused text, size integer, bytes bytea, at timestamptz NOT NULL DEFAULT now(),"
	" PRIMARY KEY(vantage, epoch, seq));"
	"CREATE INDEX batch_refused ON batch(at) WHERE refused IS NOT NULL;"
	"CREATE INDEX batch_bytes ON batch(vantage, at) WHERE bytes IS NOT NULL;"
	/* All batches of an epoch up to here are in. */
	"CREATE TABLE mark(vantage text NOT NULL, epoch text NOT NULL, through bigint NOT NULL,"
	" PRIMARY KEY(vantage, epoch));";

/* Who may write need not own the tables: only their owner may add a partition, and this does it for
 * him. The lock is that of nobody else: classes of locks are in pg_write.c. */
static const char functions[] =
	"CREATE FUNCTION store_day(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
	" SET search_path FROM CURRENT AS $$\n"
	"DECLARE part text := 'trace_' || to_char(day, 'YYYYMMDD');\n"
	"BEGIN\n"
	" IF day < date '2000-01-01' OR day >= date '2100-01-01' OR\n"
	"  to_regclass(part) IS NOT NULL THEN RETURN; END IF;\n"
	" PERFORM pg_advisory_xact_lock(1112560464, 1);\n"
	" IF to_regclass(part) IS NOT NULL THEN RETURN; END IF;\n"
	/* A clock that is wrong, or a writer who is: a table for each day there may be is no store.
	 * Some are let be, for who tries things out. */
	" IF day > (now() AT TIME ZONE 'UTC')::date + 2 AND (SELECT count(*) FROM pg_inherits i\n"
	"  JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'trace'::regclass\n"
	"  AND c.relname ~ '^trace_[0-9]{8}$' AND substr(c.relname, 7) >\n"
	"  to_char((now() AT TIME ZONE 'UTC')::date + 2, 'YYYYMMDD')) >= 400 THEN\n"
	"  RAISE EXCEPTION 'the day % is still to come, and there are 400 such already', day\n"
	"   USING ERRCODE = '22008'; END IF;\n"
	/* Attached, not made as a part: that locks nobody out. */
	" EXECUTE format('CREATE TABLE %I (LIKE trace INCLUDING DEFAULTS INCLUDING STORAGE)',"
	" part);\n"
	" EXECUTE format('ALTER TABLE trace ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', "
	"part,\n"
	"  to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',\n"
	"  to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00');\n"
	"END $$;"
	"REVOKE ALL ON FUNCTION store_day(date) FROM PUBLIC;"
	/* Retention: whole days, and what belongs to nothing else. While days go nobody reads or
	 * writes traces, and all who come wait behind who waits for that: so it is not waited for
	 * long, and most is done before; the second turn is for what came meanwhile. */
	"CREATE FUNCTION store_drop_days(before date) RETURNS bigint LANGUAGE plpgsql"
	" SET search_path FROM CURRENT SET lock_timeout = '2s' AS $$\n"
	"DECLARE part record; dropped bigint := 0; until_us bigint :=\n"
	"  extract(epoch FROM before::timestamp AT TIME ZONE 'UTC')::bigint * 1000000;\n"
	"BEGIN\n"
	" FOR turn IN 1..2 LOOP\n"
	"  DELETE FROM judgement j USING segment s WHERE s.id = j.segment\n"
	"   AND s.start_max_us < until_us AND NOT s.undated;\n"
	"  DELETE FROM foreign_id f USING segment s WHERE s.id = f.segment\n"
	"   AND s.start_max_us < until_us AND NOT s.undated;\n"
	"  DELETE FROM object o USING segment s WHERE s.id = o.segment\n"
	"   AND s.start_max_us < until_us AND NOT s.undated;\n"
	"  DELETE FROM segment s WHERE s.start_max_us < until_us AND NOT s.undated\n"
	"   AND s.start_max_us >= 946684800000000;\n"
	"  EXIT WHEN turn = 2;\n"
	"  LOCK TABLE ONLY trace IN ACCESS EXCLUSIVE MODE;\n"
	"  FOR part IN SELECT c.oid::regclass AS name FROM pg_inherits i JOIN pg_class c\n"
	"   ON c.oid = i.inhrelid WHERE i.inhparent = 'trace'::regclass\n"
	"   AND c.relname ~ '^trace_[0-9]{8}$'\n"
	"   AND substr(c.relname, 7) < to_char(before, 'YYYYMMDD')\n"
	"  LOOP EXECUTE format('DROP TABLE %s', part.name); dropped := dropped + 1; END LOOP;\n"
	" END LOOP;\n"
	" RETURN dropped;\n"
	"EXCEPTION WHEN lock_not_available THEN\n"
	" RAISE EXCEPTION 'the days are in use: nothing was dropped, try again later'\n"
	"  USING ERRCODE = '55P03';\n"
	"END $$;"
	"REVOKE ALL ON FUNCTION store_drop_days(date) FROM PUBLIC;"
	/* STORE_REFUSED_BYTES of a vantage point: who sends nothing but what is refused does not
	 * fill the disk. Of a trigger, since who writes may change no row. */
	"CREATE FUNCTION store_refused() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
	" SET search_path FROM CURRENT AS $$\n"
	"BEGIN\n"
	" UPDATE batch b SET bytes = NULL FROM (SELECT c.epoch, c.seq, sum(greatest(c.size, 4096))\n"
	"  OVER (ORDER BY c.at DESC, c.epoch DESC, c.seq DESC) AS so_far FROM batch c\n"
	"  WHERE c.vantage = NEW.vantage AND c.bytes IS NOT NULL) x WHERE b.vantage = NEW.vantage\n"
	"  AND b.epoch = x.epoch AND b.seq = x.seq AND x.so_far > 16777216;\n"
	" RETURN NULL;\n"
	"END $$;"
	"CREATE TRIGGER batch_refused AFTER INSERT ON batch FOR EACH ROW WHEN (NEW.bytes IS NOT"
	" NULL) EXECUTE FUNCTION store_refused();"
	/* Microseconds since 1970 as RFC 3339. */
	"CREATE FUNCTION utc_text(us bigint) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL"
	" SAFE AS $$ SELECT to_char(timestamp '1970-01-01' + us * interval '1 microsecond',"
	" 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"000Z\"') $$;"
	"CREATE FUNCTION us_of(t timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL"
	" SAFE AS $$ SELECT CASE WHEN isfinite(t) THEN"
	" (extract(epoch FROM t) * 1000000)::bigint END $$;"
	/* The round-trip time of a slot of a body (doc/store.md), milliseconds. */
	"CREATE FUNCTION body_rtt(body bytea, slot integer) RETURNS double precision LANGUAGE sql"
	" IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT CASE WHEN v < (1::bigint << 8 * w) - 1 THEN"
	" v::double precision / 1000 END FROM (SELECT w,"
	" (get_byte(body, 1 + slot * w)::bigint << 8 * (w - 1)) +"
	" (get_byte(body, 2 + slot * w)::bigint << 8 * (w - 2)) +"
	" CASE WHEN w > 2 THEN get_byte(body, 3 + slot * w)::bigint << 8 * (w - 3) ELSE 0 END +"
	" CASE WHEN w > 3 THEN get_byte(body, 4 + slot * w)::bigint << 8 * (w - 4) ELSE 0 END +"
	" CASE WHEN w > 4 THEN get_byte(body, 5 + slot * w)::bigint ELSE 0 END AS v"
	" FROM (SELECT get_byte(body, 0) & 15 AS w) a) b $$;"
	/* The address that a path shows first at a TTL, for places that a verdict names by it. */
	"CREATE FUNCTION path_addr(list integer[], at smallint, dst inet) RETURNS inet LANGUAGE sql"
	" STABLE SET search_path FROM CURRENT AS $$ SELECT CASE WHEN h.is_dst THEN dst ELSE h.addr"
	" END FROM unnest(list) WITH ORDINALITY l(hop, i) JOIN hop h ON h.id = l.hop"
	" WHERE h.ttl = at AND (h.is_dst OR h.addr IS NOT NULL) ORDER BY h.attempt, l.i LIMIT 1"
	" $$;";

static const char trace_id[] =
	"coalesce(run.word || '-' || (s.seq_base + t.seq) || coalesce('.' || t.sub, ''),"
	" (SELECT f.id FROM foreign_id f WHERE f.segment = t.segment AND f.nth = t.nth))";

/* A trace and what it points to, with its latest judgement. */
static const char from_trace[] =
	" FROM trace t JOIN segment s ON s.id = t.segment"
	" JOIN goal g ON g.id = t.goal"
	" JOIN path p ON p.id = t.path"
	" LEFT JOIN word run ON run.id = s.run"
	" LEFT JOIN LATERAL (SELECT jm.judge, jm.verdict, jm.naming FROM judgement jm"
	" WHERE jm.segment = t.segment AND jm.nth = t.nth ORDER BY jm.n DESC LIMIT 1) jm ON true"
	" LEFT JOIN naming na ON na.id = CASE WHEN jm.judge IS NULL THEN t.naming ELSE jm.naming "
	"END";

static void put_traces_view(struct buf *out)
{
	buf_printf(out,
		   "CREATE VIEW traces AS SELECT %s AS trace_id, campaign.word AS campaign,"
		   " round.word AS round_id, vantage.word AS vantage, utc_text(us_of(t.start)) AS"
		   " start_utc, utc_text(coalesce(us_of(t.start), s.base_us) + t.took) AS end_utc,"
		   " family(g.dst) AS af, host(se.src) AS src, host(g.dst) AS dst,"
		   " text(g.prefix) AS prefix, g.target AS target, ",
		   trace_id);
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
		     " v.last_outside_ttl AS last_outside_ttl, host(CASE WHEN v.last_outside_shown"
		     " THEN path_addr(p.list, v.last_outside_ttl, g.dst) ELSE v.last_outside END)"
		     " AS last_outside_addr, v.first_inside_ttl AS first_inside_ttl,"
		     " host(CASE WHEN v.first_inside_shown THEN path_addr(p.list,"
		     " v.first_inside_ttl, g.dst) ELSE v.first_inside END) AS first_inside_addr,"
		     " t.rtt_min::double precision / 1000 AS rtt_min_ms, coalesce(t.rtt_median,"
		     " t.rtt_min)::double precision / 1000 AS rtt_median_ms, nullif(p.hops, 0) AS"
		     " hops, lpad(to_hex(coalesce(t.path_hash, p.path_hash)), 16, '0') AS"
		     " path_hash, as_path.word AS as_path, ");
	sql_put_words(out, "se.stamps", stamps_words, false);
	buf_printf(out,
		   " AS stamps, se.tool AS tool, j.profile_version AS profile_version,"
		   " geo.asn_sha256 AS asn_sha256, geo.country_sha256 AS country_sha256,"
		   " utc_text(j.judged_us) AS judged_at, j.profile AS profile,"
		   " t.segment::bigint << %d | t.nth AS n, t.segment AS segment, t.nth AS nth,"
		   " t.start AS start%s"
		   " JOIN settings se ON se.id = t.settings"
		   " LEFT JOIN word campaign ON campaign.id = s.campaign"
		   " LEFT JOIN word round ON round.id = s.round"
		   " LEFT JOIN word vantage ON vantage.id = s.vantage"
		   " LEFT JOIN verdict v ON v.id = coalesce(jm.verdict, t.verdict)"
		   " LEFT JOIN judge j ON v.id IS NOT NULL AND j.id = coalesce(jm.judge, s.judge)"
		   " LEFT JOIN word as_path ON as_path.id = CASE WHEN na.id IS NULL THEN p.as_path"
		   " ELSE na.as_path END"
		   " LEFT JOIN geo ON geo.id = coalesce(na.geo, s.geo)",
		   PG_SEGMENT_BITS, from_trace);
}

static void put_hops_view(struct buf *out)
{
	buf_printf(out,
		   "CREATE VIEW hops AS SELECT %s AS trace_id, h.ttl AS ttl, h.attempt AS attempt,"
		   " host(a.addr) AS \"from\", CASE WHEN l.i <= p.slots THEN"
		   " body_rtt(t.body, (l.i - 1)::integer) END AS rtt_ms, h.icmp_type AS icmp_type,"
		   " h.icmp_code AS icmp_code, h.reply_ttl AS reply_ttl, h.quoted_ttl AS"
		   " quoted_ttl, h.mpls AS mpls, name.asn AS asn, name.org AS org,"
		   " name.country AS country, name.label AS label,"
		   " t.segment::bigint << %d | t.nth AS n, l.i - 1 AS nth, t.segment AS segment,"
		   " t.start AS start%s"
		   " CROSS JOIN LATERAL unnest(p.list) WITH ORDINALITY l(hop, i)"
		   " JOIN hop h ON h.id = l.hop"
		   " CROSS JOIN LATERAL (SELECT CASE WHEN h.is_dst THEN g.dst ELSE h.addr END AS"
		   " addr) a"
		   " LEFT JOIN geo_name gn ON na.own IS NOT TRUE AND"
		   " gn.geo = coalesce(na.geo, s.geo) AND gn.addr = a.addr"
		   " LEFT JOIN LATERAL (SELECT nm.* FROM name nm WHERE nm.id = gn.name UNION ALL"
		   " SELECT nm.* FROM unnest(na.names) u(id) JOIN name nm USING (id)"
		   " WHERE na.own AND nm.addr = a.addr) name ON true",
		   trace_id, PG_SEGMENT_BITS, from_trace);
}

/* Its rarer columns are in the object itself. */
static void put_rounds_view(struct buf *out)
{
	buf_str(out,
		"CREATE VIEW rounds AS SELECT r.word AS round_id, c.word AS campaign,"
		" v.word AS vantage, utc_text(o.planned_us) AS planned_utc,"
		" utc_text(o.start_us) AS start_utc, utc_text(o.end_us) AS end_utc,"
		" o.expected AS planned, o.done AS done, o.missed AS missed, o.why AS why,"
		" o.traces AS traces, o.json::json #>> '{health,state}' AS health,"
		" coalesce((o.json::json #>> '{health,reference_asked}')::integer, 0) AS"
		" reference_asked,"
		" coalesce((o.json::json #>> '{health,reference_answered}')::integer, 0) AS"
		" reference_answered,"
		" o.json::json #>> '{identity,source}' AS source,"
		" o.json::json #>> '{identity,public_addr}' AS public_addr,"
		" (o.json::json #>> '{identity,egress,asn}')::bigint AS egress_asn,"
		" (o.json::json #>> '{identity,transit,asn}')::bigint AS transit_asn,"
		" (SELECT string_agg(x.word, ' ' ORDER BY x.i) FROM"
		" json_array_elements_text(CASE json_typeof(o.json::json #> '{identity,changed}')"
		" WHEN 'array' THEN o.json::json #> '{identity,changed}' END)"
		" WITH ORDINALITY x(word, i)) AS changed,"
		" o.json::json ->> 'note' AS note, o.look::integer AS look, o.json AS json"
		" FROM round o JOIN word r ON r.id = o.round JOIN word c ON c.id = o.campaign"
		" JOIN word v ON v.id = o.vantage");
}

/* Every judgement: those beside the traces, and the later ones. */
static void put_judgements_view(struct buf *out)
{
	buf_printf(out,
		   "CREATE VIEW judgements AS SELECT %s AS trace_id, utc_text(j.judged_us) AS"
		   " judged_at, j.profile AS profile, j.profile_version AS profile_version,"
		   " geo.asn_sha256 AS asn_sha256, geo.country_sha256 AS country_sha256, ",
		   trace_id);
	sql_put_words(out, "v.outcome", outcome_words, true);
	buf_str(out, " AS outcome, v.border AS border, ");
	sql_put_words(out, "v.class", path_class_words, false);
	buf_printf(out,
		   " AS class, v.confidence AS confidence, v.via_asn AS via_asn, v.rule AS rule,"
		   " t.segment::bigint << %d | t.nth AS n, t.segment AS segment, t.start AS start"
		   " FROM trace t JOIN segment s ON s.id = t.segment"
		   " CROSS JOIN LATERAL (SELECT s.judge, t.verdict WHERE t.verdict IS NOT NULL"
		   " UNION ALL SELECT jm.judge, jm.verdict FROM judgement jm WHERE"
		   " jm.segment = t.segment AND jm.nth = t.nth) jm"
		   " JOIN judge j ON j.id = jm.judge JOIN verdict v ON v.id = jm.verdict"
		   " LEFT JOIN geo ON geo.id = j.geo LEFT JOIN word run ON run.id = s.run",
		   PG_SEGMENT_BITS);
}

/* Roll-ups; outcome NULL: not judged. */
static void put_hours_view(struct buf *out)
{
	buf_str(out, "CREATE VIEW hours AS SELECT utc_text(h.hour_us) AS hour_utc,"
		     " c.word AS campaign, v.word AS vantage, nullif(h.prefix, '') AS prefix, ");
	sql_put_words(out, "h.method", method_words, false);
	buf_str(out, " AS method, ");
	sql_put_words(out, "h.outcome", outcome_words, true);
	buf_str(out, " AS outcome, nullif(h.border, '') AS border, h.traces AS traces,"
		     " h.reached AS reached, h.rtt_n AS rtt_n,"
		     " h.rtt_min::double precision / 1000 AS rtt_min_ms,"
		     " h.rtt_sum::double precision / 1000 / nullif(h.rtt_n, 0) AS rtt_mean_ms"
		     " FROM hour h LEFT JOIN word c ON c.id = h.campaign"
		     " LEFT JOIN word v ON v.id = h.vantage");
}

/* Counted when it is asked for; SQLite counts as it writes. */
static void put_tallies_view(struct buf *out)
{
	buf_str(out,
		"CREATE VIEW tallies AS SELECT utc_text(y.hour_us) AS hour_utc, c.word AS campaign,"
		" r.word AS round_id, v.word AS vantage, y.prefix AS prefix, ");
	sql_put_words(out, "y.method", method_words, false);
	buf_str(out, " AS method, ");
	sql_put_words(out, "y.outcome", outcome_words, true);
	buf_str(out, " AS outcome, y.border AS border, ");
	sql_put_words(out, "y.class", path_class_words, false);
	buf_printf(out,
		   " AS class, y.traces AS traces, y.reached AS reached, y.rtt_n AS rtt_n,"
		   " y.rtt_min::double precision / 1000 AS rtt_min_ms,"
		   " y.rtt_sum::double precision / 1000 / nullif(y.rtt_n, 0) AS rtt_mean_ms FROM"
		   " (SELECT us_of(date_trunc('hour', t.start, 'UTC')) AS hour_us, s.campaign,"
		   " s.round, s.vantage, text(g.prefix) AS prefix, g.method, vd.outcome, vd.border,"
		   " vd.class, count(*) AS traces, count(*) FILTER (WHERE p.reach = %d) AS reached,"
		   " count(t.rtt_min) AS rtt_n, min(t.rtt_min) AS rtt_min,"
		   " sum(t.rtt_min)::bigint AS rtt_sum%s"
		   " LEFT JOIN verdict vd ON vd.id = coalesce(jm.verdict, t.verdict)"
		   " WHERE isfinite(t.start) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) y"
		   " LEFT JOIN word c ON c.id = y.campaign LEFT JOIN word r ON r.id = y.round"
		   " LEFT JOIN word v ON v.id = y.vantage",
		   REACH_REACHED, from_trace);
}

static int fill(struct pg_store *s, struct bp_error *err)
{
	uint8_t key[16];
	int rc;

	randombytes_buf(key, sizeof(key));
	pg_param_bytes(&s->params, PG_BYTEA, key, sizeof(key));
	rc = pg_query(s, "INSERT INTO store_secret VALUES ($1)", NULL, err);
	return rc < 0 ? rc
		      : pg_exec(s,
				"INSERT INTO store_meta VALUES ('what', 'borderpath store'),"
				" ('made_by', 'borderpath " BP_VERSION "'), ('version', '0')",
				err);
}

int pg_schema_create(struct pg_store *s, struct bp_error *err)
{
	static void (*const views[])(struct buf *) = {put_traces_view, put_hops_view,
						      put_rounds_view, put_judgements_view,
						      put_hours_view,  put_tallies_view};
	struct buf sql;
	int rc = pg_exec(s, tables, err);

	if (rc == 0)
		rc = pg_exec(s, functions, err);
	buf_init(&sql);
	for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]) && rc == 0; i++) {
		buf_clear(&sql);
		views[i](&sql);
		rc = sql.failed ? pg_no_memory(err) : pg_exec(s, sql.bytes, err);
	}
	buf_fini(&sql);
	return rc == 0 ? fill(s, err) : rc;
}
