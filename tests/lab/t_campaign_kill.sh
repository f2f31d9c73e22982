#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A campaign killed with SIGKILL at ten random moments: every round that was announced is whole in the
# store, none is there twice, no slot is without a row, and what was measured before the kill is kept.
# Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
borders_up talking

plan killed 1s
# Rounds that take about half of their second.
sed -i 's/^rate_pps: max/rate_pps: 80/' "$LAB_TMP/killed.yaml"
# Alerts go to a program: a file for each delivery, there when it is whole.
told=$LAB_TMP/told
mkdir -m 777 "$told"
cat >"$LAB_TMP/on-event" <<SH
#!/bin/bash
part=\$(mktemp -p "$told" part.XXXXXX) && cat >"\$part" && mv "\$part" "\${part/part/event}"
SH
chmod +x "$LAB_TMP/on-event"
printf 'alerts: {exec: %s}\n' "$LAB_TMP/on-event" >>"$LAB_TMP/killed.yaml"
alerts() { cat "$told"/event.* 2>/dev/null; }
is_told() { [[ -n $(alerts) ]]; }

all=$LAB_TMP/all
: >"$all"
for n in 1 2 3 4 5 6 7 8 9 10; do
	[[ $n != 5 ]] || move_route 175.45.176.0/24 k
	start_campaign killed
	# Anywhere: before the first round, inside one, in its commit, behind it.
	sleep "1.$(printf %03d $((RANDOM % 1000)))"
	kill_campaign
	cat "$OUT" >>"$all"
done
# Long enough for slots that nobody can make up for.
sleep 2.2
start_campaign killed
wait_for 10 measured 2 || not_ok "it goes on after ten kills: $(cat "$ERR")"
wait_for 30 is_told || not_ok "the alert comes: $(cat "$ERR")"
stop_campaign
is "exit at last" $? 0
cat "$OUT" >>"$all"

is "every announced line is whole" "$(jq -c . "$all" | wc -l)" "$(wc -l <"$all")"
is "none is announced twice" "$(jq -r .id "$all" | sort | uniq -d)" ''
is "none is in the store twice" "$(in_store "SELECT count(*) - count(DISTINCT planned_utc) FROM rounds")" 0
is "every announced round is in the store" \
	"$(comm -23 <(jq -r .id "$all" | sort) <(in_store "SELECT round_id FROM rounds" | sort))" ''
whole=$(jq -r 'select(.traces > 0) | "\(.id) \(.traces)"' "$all" | sort)
is "with all its traces" "$(comm -23 <(echo "$whole") <(in_store "SELECT round_id || ' ' || count(*)
	FROM traces GROUP BY round_id" | sort))" ''
is "no trace without a round" "$(in_store "SELECT count(*) FROM traces WHERE round_id NOT IN
	(SELECT round_id FROM rounds)")" 0
is "no trace twice" "$(in_store "SELECT count(*) - count(DISTINCT trace_id) FROM traces")" 0
# From the first slot to the last, one a second.
is "no slot is without a row" "$(in_store "SELECT count(*) -
	(strftime('%s', max(planned_utc)) - strftime('%s', min(planned_utc)) + 1) FROM rounds")" 0
events() { in_store "SELECT json FROM object WHERE json LIKE '{\"type\":\"event\"%'"; }
is "no event is in the store twice" "$(events | jq -r .id | sort | uniq -d)" ''
is "what is confirmed is told, and nothing else" "$(alerts | jq -r .fingerprint | sort -u)" \
	"$(events | jq -r 'select(.status == "confirmed").fingerprint' | sort -u)"
# Two deliveries may be of one event (killed between it and its note), never two ids of one change.
is "by one id each" "$(alerts | jq -r '"\(.fingerprint) \(.id)"' | sort -u | cut -d' ' -f1 | uniq -d)" ''
is "alerts are of events in the store" "$(comm -23 <(alerts | jq -r .id | sort -u) \
	<(events | jq -r .id | sort -u))" ''
is "the store is sound" "$(in_store 'PRAGMA integrity_check')" ok
like "gaps say why" "$(in_store "SELECT group_concat(DISTINCT why) FROM rounds WHERE missed > 0")" 'down'

finish
