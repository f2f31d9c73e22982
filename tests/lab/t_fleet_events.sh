#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Two vantage points see one border switch, by two collectors: the centre tells it once, with who saw
# it, though the collector that looks for events is killed behind it. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

told=$LAB_TMP/told
mkdir -m 777 "$told"
cat >"$LAB_TMP/on-event" <<SH
#!/bin/bash
part=\$(mktemp -p "$told" part.XXXXXX) && cat >"\$part" && mv "\$part" "\${part/part/event}"
SH
chmod +x "$LAB_TMP/on-event"
alerts() { cat "$told"/event.* 2>/dev/null; }
switches() { alerts | jq -c 'select(.kind == "border_switch")'; }
is_told() { [[ -n $(switches) ]]; }
announced() { (($(jq -r 'select(.start).id' "$LAB_TMP"/c?.out | wc -l) >= $1)); }

fleet_up 2
pg_make
start pg
wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
start b1
start c1
start c2
for v in vp1 vp2; do
	deploy "$v" 2s '[175.45.176.71]' "alerts: {exec: $LAB_TMP/on-event}" || lab_die "no plan for $v"
	start "$v"
done
wait_for 60 announced 10 || not_ok "rounds are whole at the centre: $(cat "$LAB_TMP"/{c1,c2,vp1}.err)"
is "nothing changed, nothing is told" "$(switches)" ''
route r1 175.45.176.0/24 k
wait_for 90 is_told || not_ok "the switch is told: $(cat "$LAB_TMP"/c?.err)"
like "by the two who saw it" "$(switches | jq -c '[.seen_by, .seen_of]')" '^\[2,2\]$'
like "from the one border to the other" "$(switches | jq -c '[.from, .to]')" '^\[.*dandong.*,.*khasan.*\]$'
slay c1
slay c2
start c2
before=$(jq -r .id "$LAB_TMP"/c?.out | wc -l)
wait_for 60 announced $((before + 6)) || not_ok "it goes on: $(cat "$LAB_TMP/c2.err")"
is "and is told once" "$(switches | jq -r .id | sort -u | wc -l)" 1
is "no event is in the store twice" "$(lines_of "$STORE_URL" | jq -r 'select(.type == "event").id' | sort | uniq -d)" ''
finish
