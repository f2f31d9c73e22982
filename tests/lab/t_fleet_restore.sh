#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A vantage point whose spool is deleted, or comes back from a backup, beside an outbox that was kept,
# and the other way round: it delivered, and runs on. Every round that it ever announced is in
# PostgreSQL once, with the traces it was announced with. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

SPOOL=$LAB_TMP/spool.vp1
# Those that were measured: a slot that a restored spool knows nothing of is told as missed anew.
measured() { jq -c 'select(.start)' "$LAB_TMP/vp1.out"; }
more() { (($(measured | wc -l) >= $1)); }
centre() { lines_of "$STORE_URL" >"$LAB_TMP/centre"; }
key() { jq -r 'select(.type == "round" and .start) | "\(.id) \(.start) \(.traces)"' | sort; }
missing() { comm -23 <(measured | key) <(key <"$LAB_TMP/centre"); }
there() { centre; [[ -z $(missing) ]]; }
outbox() { sqlite3 -batch -readonly "$SPOOL/outbox.db" "SELECT $1 FROM meta"; }
# What was cut by then is confirmed.
forgets() { (($(outbox confirmed) >= $1)); }
epochs() { psql -qAtX "$STORE_URL" -c 'SELECT count(*) FROM mark'; }

# NAME: it measures three rounds more, and all it ever announced arrives.
goes_on()
{
	local name=$1 before
	before=$(measured | wc -l)
	wait_for 60 more $((before + 3)) || not_ok "$name: it measures: $(tail -n 3 "$LAB_TMP/vp1.err")"
	wait_for 60 there || not_ok "$name: $(missing | wc -l) of $(measured | wc -l) rounds are" \
		"not there: $(tail -n 3 "$LAB_TMP"/{vp1,c1}.err)"
	wait_for 30 forgets "$(outbox cut)" || not_ok "$name: no watermark comes"
	ok "$name"
}

fleet_up 1
pg_make
start pg
wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
start b1
start c1
deploy vp1 1s '[175.45.176.71, 175.45.177.10]' || lab_die "no plan for vp1"
start vp1
goes_on "it delivers"
stop vp1
cp -a "$SPOOL" "$LAB_TMP/backup"
start vp1
goes_on "behind a start too"
stop vp1
is "what a start cuts has an epoch of its own" "$(epochs)" 2

cp -a "$LAB_TMP/backup/." "$SPOOL/"
start vp1
goes_on "behind an older copy of all of it"
stop vp1

rm "$SPOOL"/outbox.db*
cp "$LAB_TMP/backup/outbox.db" "$SPOOL/"
start vp1
goes_on "behind an older copy of the outbox"
stop vp1

rm -f "$SPOOL"/spool.db "$SPOOL"/spool.db-*
cp "$LAB_TMP/backup/spool.db" "$SPOOL/"
start vp1
goes_on "behind an older copy of the rounds"

rm -f "$SPOOL"/spool.db "$SPOOL"/spool.db-*
goes_on "rounds deleted while it runs"
slay vp1

rm -r "$SPOOL"
start vp1
goes_on "all of it deleted"
stop vp1

centre
is "every round is there as it was announced" "$(missing)" ''
is "none is there twice" "$(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
is "no trace is there twice" "$(jq -r 'select(.type == "trace").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
is "a round has the traces that it says" "$(rounds_unlike "$LAB_TMP/centre")" ''
echo "# $(measured | wc -l) rounds measured and announced, $(grep -c '"type":"trace"' "$LAB_TMP/centre")" \
	"traces in the store, $(epochs) epochs, $(missing | wc -l) rounds lost"
finish
