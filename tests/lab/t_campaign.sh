#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A campaign as a process: rounds on their slots, a prober that dies in the middle, SIGHUP with a good
# and with a bad plan, the lock, SIGTERM in the middle of a round, what is on the record when it was
# not running. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
borders_up talking

# 1. Rounds on the grid, whole, in the store before they are announced.
plan daily 2s $'targets:\n  - 175.45.176.71\n  - {host: 175.45.178.3, flows: 3}\nreference: [87.250.250.242]'
start_campaign daily
wait_for 15 measured 2 || not_ok "two rounds in 15 s: $(cat "$ERR")"
is "planned on the grid" "$(round_field .planned | grep -vE ':[0-5][02468]\.0+Z$')" ''
is "measurements of a round" "$(round_field 'select(.start) | "\(.expected) \(.done) \(.missed)"' |
	sort -u)" '5 5 0'
bp vp campaign check --format jsonl "$LAB_TMP/daily.yaml" >"$LAB_TMP/check" 2>/dev/null
is "as check foretold" "$(jq .measurements "$LAB_TMP/check")" 5
is "probes within what it foretold" "$(round_field 'select(.start) | .sent' | jq -s \
	--slurpfile c "$LAB_TMP/check" 'all(. >= $c[0].probes.least and . <= $c[0].probes.most)')" true
is "health" "$(round_field 'select(.start) | .health.state' | sort -u)" ok
id=$(round_field 'select(.start) | .id' | head -n 1)
is "its traces are in the store" "$(in_store "SELECT count(*) FROM traces WHERE round_id = '$id'")" 5
like "an id names campaign, vantage point and slot" "$id" '^daily-vp-20[0-9]{6}T[0-9]{6}Z$'

# 2. The lock: a second one does not run, and says who does.
bp vp campaign once "$LAB_TMP/daily.yaml" >"$LAB_TMP/second" 2>&1
is "exit of a second process" $? 1
like "and what it says" "$(cat "$LAB_TMP/second")" "campaign daily runs already: process $DAEMON holds"

# 3. SIGHUP: a bad plan is told and the old one stays; a good one is taken.
cp "$LAB_TMP/daily.yaml" "$LAB_TMP/good.yaml"
echo 'evry: 3s' >>"$LAB_TMP/daily.yaml"
kill -HUP "$DAEMON"
wait_for 5 told 'not reloaded, the old one stays: .*daily.yaml:[0-9]+:1: unknown key' ||
	not_ok "a bad plan is told: $(cat "$ERR")"
sed 's/^  - 175.45.176.71$/  - 175.45.177.10\n&/' "$LAB_TMP/good.yaml" >"$LAB_TMP/daily.yaml"
kill -HUP "$DAEMON"
wait_for 5 told 'reloaded: ' || not_ok "a good plan is told: $(cat "$ERR")"
six() { [[ $(round_field 'select(.start) | .expected' | tail -n 1) == 6 ]]; }
wait_for 10 six || not_ok "the new plan is measured: $(cat "$ERR")"

# 4. The prober dies in the middle of a round: what it had in hand is asked again.
sed -i 's/^rate_pps: max/rate_pps: 60/; s/^every: 2s/every: 4s/' "$LAB_TMP/daily.yaml"
kill -HUP "$DAEMON"
reloaded_again() { (($(grep -c 'reloaded: ' "$ERR") >= 2)); }
wait_for 5 reloaded_again
: >"$OUT"
wait_for 15 prober || not_ok "a round begins"
kill -KILL "$(prober)"
wait_for 15 measured 1 || not_ok "its round ends: $(cat "$ERR")"
is "nothing is missing" "$(round_field 'select(.start) | "\(.done) \(.missed)"' | head -n 1)" '6 0'
like "it is told" "$(cat "$ERR")" 'borderpath-probe was ended by signal 9'
is "no trace twice" "$(in_store "SELECT count(*) - count(DISTINCT trace_id) FROM traces")" 0

# 5. SIGTERM in the middle: what is in flight is finished, the rest is missed: stopped.
sed -i 's/^  - 175.45.177.10$/  - 175.45.177.0\/27/' "$LAB_TMP/daily.yaml"
kill -HUP "$DAEMON"
: >"$OUT"
wait_for 15 measured 1
wait_for 15 prober || not_ok "another round begins"
sleep 0.3
kill -TERM "$DAEMON"
wait "$DAEMON"
is "exit after SIGTERM" $? 0
like "the round it broke off" "$(tail -n 1 "$OUT")" '"missed":[1-9][0-9]*,"why":"stopped"'
is "no prober is left" "$(prober)" ''

# 6. Slots that nobody ran are on the record, announced by the next start.
plan daily 2s
last=$(in_store "SELECT max(planned_utc) FROM rounds")
sleep 4.2
start_campaign daily
wait_for 15 measured 1 || not_ok "it goes on: $(cat "$ERR")"
stop_campaign
is "exit" $? 0
like "slots missed" "$(round_field 'select(.why == "down") | .id' | wc -l)" '^[1-9]$'
is "a slot has one row" "$(in_store "SELECT count(*) - count(DISTINCT planned_utc) FROM rounds")" 0
is "and none is left out" "$(in_store "SELECT count(*) FROM rounds WHERE planned_utc > '$last'")" \
	"$(round_field .id | sort -u | wc -l)"

finish
