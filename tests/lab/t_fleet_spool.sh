#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A spool that is full: the vantage point is cut off for longer than it can keep what it measures. Every
# round that was announced arrives, and says what of it was lost. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

announced() { cat "$LAB_TMP"/vp*.out; }
ids() { jq -r .id | sort; }
centre() { lines_of "$STORE_URL" >"$LAB_TMP/centre"; }
# All that is announced by now, while more is.
asked() { announced | ids >"$LAB_TMP/asked"; }
there() { centre; [[ -z $(comm -23 "$LAB_TMP/asked" <(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort)) ]]; }
rounds_more() { (($(announced | wc -l) >= $1)); }
says() { tail -n "+$((LINES + 1))" "$LAB_TMP/$1.err" | grep -qE "$2"; }
# From here on, for says.
listen_to() { LINES=$(wc -l <"$LAB_TMP/$1.err"); }

fleet_up 2
pg_make
start pg
wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
start b1
start c1
# shellcheck disable=SC2034  # of fleet.sh
AGENT_OPTIONS=(--spool-bytes 1M)
deploy vp1 1s '[175.45.176.71]' || lab_die "no plan for vp1"
deploy vp2 1s '[175.45.177.0/25]' 'attempts: 1' || lab_die "no plan for vp2"
start vp1
start vp2
wait_for 60 rounds_more 4 || not_ok "they measure: $(cat "$LAB_TMP"/vp*.err)"

# NAME: what was announced so far arrives.
arrives()
{
	local name=$1
	local begin=$SECONDS
	asked
	wait_for 200 there ||
		not_ok "$name: $(tail -n 3 "$LAB_TMP"/{c1,vp1,vp2,b1,pg}.err)"
	is "$name" "$(comm -23 "$LAB_TMP/asked" \
		<(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort) | wc -l)" 0
	echo "# $name: after $((SECONDS - begin)) s"
}
measuring_goes_on()
{
	local before
	before=$(announced | wc -l)
	wait_for 60 rounds_more $((before + 4)) || not_ok "measuring goes on while $1 is full"
}

# ---- an agent's spool
listen_to vp2
cut_off vp2
wait_for 90 says vp2 'dropped unsent' || not_ok "the agent says what it drops: $(cat "$LAB_TMP/vp2.err")"
measuring_goes_on "the spool"
join_again vp2
arrives "behind a full spool every round that was announced arrives"
lost() { jq -s 'map(select(.type == "round" and .why == "spool_full") | .missed) | add // 0' "$LAB_TMP/centre"; }
some_lost() { centre; (($(lost) > 0)); }
wait_for 60 some_lost || not_ok "rounds say what was lost"
is "a round has the traces that it says" "$(rounds_unlike "$LAB_TMP/centre")" ''
# Of what was announced as measured, nothing is missing that is not said to be.
is "what is not there is said to be lost" "$(jq -n --slurpfile a <(announced) --slurpfile c "$LAB_TMP/centre" '
	($c | map(select(.type == "round")) | INDEX(.id)) as $there
	| [$a[] | . as $said | $there[.id] // empty | select(.traces + .missed < $said.traces)] | length')" 0
is "and none is there twice" "$(jq -r 'select(.type == "trace").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
echo "# $(announced | wc -l) rounds announced, $(grep -c '"type":"round"' "$LAB_TMP/centre") in the store;" \
	"$(jq -s 'map(.traces) | add' <(announced)) traces announced, $(grep -c '"type":"trace"' \
	"$LAB_TMP/centre") in the store, $(lost) told to be lost"
finish
