#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A campaign by cron: one round and an exit code, silence where it is asked for, and what becomes of a
# round that was broken off at once. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
borders_up talking

# 1. A round now, its own exit codes, and silence.
plan now 1h
bp vp campaign once "$LAB_TMP/now.yaml" >"$OUT" 2>"$ERR"
is "once: exit" $? 0
is "once: one round" "$(round_field '"\(.done) \(.missed)"')" '2 0'
bp vp campaign once --quiet "$LAB_TMP/now.yaml" >"$LAB_TMP/quiet" 2>&1
is "once --quiet: exit" $? 0
is "once --quiet: nothing is said" "$(cat "$LAB_TMP/quiet")" ''
is "once twice in a slot: two rounds" "$(in_store "SELECT count(*) FROM rounds WHERE campaign = 'now'")" 2

move_route 175.45.176.0/24 k
bp vp campaign once --quiet "$LAB_TMP/now.yaml" >"$LAB_TMP/quiet" 2>&1
is "once --quiet after a move: exit" $? 0
like "and what it says" "$(sed -n 1p "$LAB_TMP/quiet")" '^now from vp: changed with the round of 20.* UTC$'
like "of the network that moved" "$(sed -n 2p "$LAB_TMP/quiet")" \
	'^  175.45.176.0/24  175.45.176.71, icmp: Khasan / Russia, was Dandong / China'
is "and of no other" "$(grep -c '^  175' "$LAB_TMP/quiet")" 1
bp vp campaign once --quiet --format jsonl "$LAB_TMP/now.yaml" >"$LAB_TMP/quiet" 2>&1
is "once --quiet when it stays so: nothing" "$(cat "$LAB_TMP/quiet")" ''
move_route 175.45.176.0/24 d
bp vp campaign once --quiet --format jsonl "$LAB_TMP/now.yaml" >"$LAB_TMP/quiet" 2>&1
is "and for scripts, when it goes back" \
	"$(jq -r '"\(.type) \(.targets[0] | "\(.dst) \(.border)")"' "$LAB_TMP/quiet")" \
	'status 175.45.176.71 dandong'

bp vp campaign once "$LAB_TMP/now.yaml" "$LAB_TMP/now.yaml" >"$OUT" 2>"$ERR"
is "one campaign named twice: exit" $? 1
like "and what it says" "$(cat "$ERR")" 'campaign now runs already: it is named twice'

# How things stand is of the last round that was measured, whatever came behind it.
ip -n vp link set t1 down
bp vp campaign once "$LAB_TMP/now.yaml" >"$OUT" 2>"$ERR"
is "a round without a route: exit" $? 3
is "why" "$(round_field .why)" no_route
is "status tells the targets of the round before" "$(bp vp campaign status --format jsonl \
	"$LAB_TMP/now.yaml" | jq -c '[.last_round.done, .last_measured.done, (.targets | length)]')" '[0,2,2]'
ip -n vp link set t1 up
route vp default t1

# 2. A second signal ends it at once; the next start commits what the journal has.
plan slow 1h 'targets: [175.45.176.0/26]'
sed -i 's/^rate_pps: max/rate_pps: 10/' "$LAB_TMP/slow.yaml"
env --default-signal=INT ip netns exec vp "$BORDERPATH" campaign once "$LAB_TMP/slow.yaml" \
	>"$OUT" 2>"$ERR" &
DAEMON=$!
wait_for 10 prober || not_ok "a slow round begins"
sleep 1
kill -TERM "$DAEMON"
wait_for 5 told 'stopping: ' || not_ok "the first signal is told: $(cat "$ERR")"
sleep 0.6
kill -TERM "$DAEMON"
wait "$DAEMON"
is "exit of what was abandoned" $? 3
is "nothing was announced" "$(cat "$OUT")" ''
sed -i 's/^rate_pps: 10/rate_pps: max/' "$LAB_TMP/slow.yaml"
bp vp campaign once "$LAB_TMP/slow.yaml" >"$OUT" 2>"$ERR"
is "exit of the next one" $? 0
is "then it is down, and measured anew" "$(round_field '"\(.why) \(.missed > 0)"')" $'down true\nnull false'

# 3. A store that refuses: each round of one slot waits, and none takes the place of another. Then
#    all are in the store, behind the three slots that it knows nothing of.
plan waits 1h
store=$LAB_TMP/waits.db
bp vp campaign once --store "sqlite:$store" "$LAB_TMP/waits.yaml" >"$OUT" 2>"$ERR"
mv "$store" "$LAB_TMP/kept.db"
rm -f "$store"-*
mkdir "$store"
for n in 1 2; do
	bp vp campaign once --store "sqlite:$store" "$LAB_TMP/waits.yaml" >"$OUT" 2>"$ERR"
	is "round $n that waits: exit" $? 3
done
rmdir "$store"
sqlite3 "$LAB_TMP/kept.db" "UPDATE round SET planned_us = planned_us - 3 * 3600000000;
	UPDATE text SET text = 'three hours ago' WHERE id IN (SELECT id FROM round)"
mv "$LAB_TMP/kept.db" "$store"
bp vp campaign once --store "sqlite:$store" "$LAB_TMP/waits.yaml" >"$OUT" 2>"$ERR"
is "they are told in order" "$(round_field '"\(.done) \(.why)"')" $'0 down\n0 down\n0 down\n2 null\n2 null\n2 null'

finish
