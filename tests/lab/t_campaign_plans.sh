#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Several plans in one process: a sweep does not delay the known hosts, one prober serves both, a plan
# with a rate of its own is held to it, and what cannot go together is refused. Topology:
# topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
borders_up talking

probers() { grep -lx borderpath-prob /proc/[0-9]*/comm 2>/dev/null | wc -l; }
of() { jq -c "select(.campaign == \"$1\" and .start)" "$OUT"; }
known_rounds() { (($(of known | wc -l) >= $1)); }
# What is not whole, and why.
lacking() { of known | jq -r 'select(.missed > 0) | "\(.id): \(.missed) missed by \(.why)"'; }

# The sweep's own rate is a third of what the prober may send: 512 targets of ten hops at that rate
# are more than this test waits for. The two share routers that are asked five times a second each.
# Beside a short round a sweep has eight lines in the prober, and turns at a router are fair: each of
# ten waits two seconds there, and a known host's round is three times as long. Without fair turns
# a known host lost to the sweep's again and again, and its round ended without its last routers.
plan sweep 1h 'targets: [175.45.176.0/24, 175.45.177.0/24]'
sed -i 's/^rate_pps: max/rate_pps: 100\nper_prefix_rate_pps: 300\nattempts: 1/' "$LAB_TMP/sweep.yaml"
plan known 6s 'targets: [175.45.178.3, 175.45.179.1]'
sed -i 's/^rate_pps: max/rate_pps: 300\nper_prefix_rate_pps: 300\nattempts: 1/' "$LAB_TMP/known.yaml"
# The sweep begins in the middle of the known hosts' rounds: its slot is some seconds from now.
slot=$(($(date +%s) + 3))
sed -i "s/^every: 1h/every: 1h\noffset: $((slot % 3600))s/" "$LAB_TMP/sweep.yaml"

start_campaign known "$LAB_TMP/sweep.yaml"
begun() { compgen -G "$STORE.spool/sweep-vp/*.part" >/dev/null; }
wait_for 20 begun || not_ok "the sweep begins: $(cat "$ERR")"
: >"$OUT"
start=${EPOCHREALTIME/[.,]/}
wait_for 45 known_rounds 2 || not_ok "rounds of the known hosts while it sweeps: $(cat "$ERR")"
is "one prober serves both" "$(probers)" 1
part=$(compgen -G "$STORE.spool/sweep-vp/*.part")
swept=$(jq -s '[.[] | select(.type == "trace").sent] | add' "$part")
took=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
is "the known hosts' rounds are whole" "$(lacking)" ''
is "and none is left out" "$(of known | jq -rs '[.[].planned[17:19] | tonumber] |
	[.[1:], .[:-1]] | transpose | map((.[0] - .[1] + 60) % 60) | unique | join(" ")')" 6
# 40 at once, and what was sent before the clock was looked at.
is "the sweep keeps its own rate ($swept probes in $took ms)" $((swept <= took / 10 + 40 + 300)) 1
like "the sweep goes on ($swept probes)" "$swept" '^[0-9]{2,}$'
stop_campaign
is "exit" $? 0
like "the sweep is on the record" "$(of sweep)" '"missed":[0-9]+,"why":"stopped"'

# What does not go together.
sed 's/name: vp/name: elsewhere/' "$LAB_TMP/known.yaml" >"$LAB_TMP/other.yaml"
bp vp campaign once "$LAB_TMP/known.yaml" "$LAB_TMP/other.yaml" >"$LAB_TMP/said" 2>&1
is "plans of two vantage points" "$? $(grep -c 'of one vantage point' "$LAB_TMP/said")" '1 1'
bp vp campaign once "$LAB_TMP/known.yaml" "$LAB_TMP/known.yaml" >"$LAB_TMP/said" 2>&1
is "a plan twice" "$? $(grep -c 'runs already' "$LAB_TMP/said")" '1 1'

finish
