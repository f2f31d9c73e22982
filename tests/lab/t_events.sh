#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What is no event, and what is one. A path that is balanced packet by packet, a border router that
# goes silent and talks again, a vantage point that is cut off, a way back that moves: no border
# switch, no path change, no target's outage. A switch that eight vantage points see is one event, by
# one fingerprint; diff says 1 around it, 0 where nothing happened, 2 where nothing was measured; the
# cron line is silent until then. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
BORDERS_TWIN=1 borders_up talking
per_packet t3 175.45.177.0/24 d1 e1
LAB_PROFILE=$LAB_DIR/lab.yaml

events() { bp vp events --profile "$LAB_PROFILE" "$@"; }
moment() { date -u +%FT%T.%NZ; }
# more N: so many rounds that begin from now on.
more()
{
	local now
	now=$(moment)
	more_since() { (($(jq -s --arg t "$now" '[.[] | select(.start > $t)] | length' "$OUT") >= $1)); }
	wait_for 30 more_since "$1" || not_ok "$1 more rounds: $(tail -n 3 "$ERR")"
}

# --- 1. what is none --------------------------------------------------------------------------------

plan calm 1s $'targets: [175.45.176.71, 175.45.177.10, 175.45.178.3, 175.45.179.1]'
cat >>"$LAB_TMP/calm.yaml" <<-'YAML'
	attempts: 2
	wait: 150ms
	gap_limit: 3
	reference: [87.250.250.242]
	on_event: {every: 1s, for: 2s}
YAML
start_campaign calm
wait_for 30 measured 5 || not_ok "rounds: $(cat "$ERR")"
# The border's last router, on the way to two networks.
silence d3
more 3
silence d3 off
calm=$(moment)
more 3
# Nobody hears us, and we nobody: what is behind our first router is not there.
cut_path t1 0.0.0.0/0
more 3
cut_path t1 off
more 3
# Only the way back: what answers is the same, from another side.
route j default k4
more 4
stop_campaign
is "exit" $? 0
events --all --format jsonl "sqlite:$STORE" >"$LAB_TMP/all" 2>"$LAB_TMP/err"
is "borderpath events" $? 0
# Whatever was suspected at first: what held.
is "events of what is none" "$(jq -c 'select(.type == "event" and .status != "provisional" and
	(.withdrawn | not) and .scope != "vantage" and .kind != "return_path_suspected" and
	.kind != "rtt_shift") | [.kind, .prefix, .from, .to, .summary]' "$LAB_TMP/all")" ''

is "the vantage point was down, and says so" "$(jq -r 'select(.type == "event" and .scope == "vantage"
	and .kind == "recovery") | .status' "$LAB_TMP/all")" resolved
is "the way back is suspected" "$(jq -r 'select(.kind == "return_path_suspected" and
	.status == "confirmed") | .prefix' "$LAB_TMP/all" | sort -u | wc -l)" 4
[[ -z ${LAB_KEEP:-} ]] || cp "$STORE" "$LAB_TMP/all" "$LAB_KEEP/"

# --- 2. one switch, eight vantage points ------------------------------------------------------------

per_packet_off() { lab_nft t3 lab_chance_ip off; }
per_packet_off
stores=() pids=()
told=$LAB_TMP/told
mkdir "$told"
printf '#!/bin/sh\ncat >"$(mktemp -p %s)"\n' "$told" >"$LAB_TMP/on-event"
chmod +x "$LAB_TMP/on-event"
for v in 1 2 3 4 5 6 7 8; do
	STORE=$LAB_TMP/v$v.db plan "eight" 1h $'targets: [175.45.176.71, 175.45.178.3]'
	sed "s/name: vp}/name: v$v}/" "$LAB_TMP/eight.yaml" >"$LAB_TMP/v$v.yaml"
	printf 'attempts: 1\nwait: 150ms\nalerts: {exec: %s}\n' "$LAB_TMP/on-event" >>"$LAB_TMP/v$v.yaml"
	stores+=("sqlite:$LAB_TMP/v$v.db")
done
# Each of the eight by itself, at the same time.
round()
{
	local v failed=0
	pids=()
	for v in 1 2 3 4 5 6 7 8; do
		bp vp campaign once --quiet "$LAB_TMP/v$v.yaml" >"$LAB_TMP/said$v" 2>&1 &
		pids+=($!)
	done
	for v in "${pids[@]}"; do wait "$v" || failed=$((failed + 1)); done
	is "$1: eight rounds" $failed 0
}
said() { cat "$LAB_TMP"/said?; }
# The line for cron.
news() { events --new --cursor "$LAB_TMP/cursor" --exit-code --format jsonl "${stores[@]}"; }

for n in 1 2 3; do round "before, $n"; done
is "once --quiet says nothing" "$(said)" ''
news >"$LAB_TMP/news" 2>&1
is "nothing is new: exit" $? 0
is "and silence" "$(cat "$LAB_TMP/news")" ''
before=$(moment)
move_route 175.45.176.0/24 k
after=$(moment)
round "after, 1"
like "once --quiet says what changed" "$(said)" 'Khasan / Russia, was Dandong / China'
round "after, 2"
news >"$LAB_TMP/news" 2>&1
is "something is new: exit" $? 1
is "one event, seen by all" "$(jq -r 'select(.type == "event") |
	"\(.kind) \(.status) \(.prefix) \(.from) \(.to) \(.seen_by)/\(.seen_of)"' "$LAB_TMP/news")" \
	'border_switch confirmed 175.45.176.0/24 dandong khasan 8/8'
is "its moment" "$(jq -r --arg b "$before" --arg a "$after" 'select(.type == "event") |
	.not_before <= $b and .not_after >= $a' "$LAB_TMP/news")" true
news >"$LAB_TMP/news" 2>&1
is "told once: exit" $? 0
is "and silence again" "$(cat "$LAB_TMP/news")" ''
is "eight were told of it" "$(cat "$told"/* | jq -r .kind | sort | uniq -c | tr -s ' ')" ' 8 border_switch'
is "each by one id, so that who remembers ids has it once" \
	"$(cat "$told"/* | jq -r .id | sort -u | wc -l)" 1
is "and it is one alert" "$(cat "$told"/* | jq -r .fingerprint | sort -u | wc -l)" 1

# --- 3. diff ----------------------------------------------------------------------------------------

differs()
{
	bp vp diff --profile "$LAB_PROFILE" "$@" >"$LAB_TMP/diff" 2>"$LAB_TMP/err"
}
differs --at "$after" --before 60s --after 60s "${stores[@]}"
is "diff around the switch" $? 1
differs --at "$calm" --before 6s --after 2s "sqlite:$LAB_TMP/store.db"
is "diff where nothing happened" $? 0
differs --at 2020-01-01 "${stores[@]}"
is "diff where nothing was measured" $? 2

finish
