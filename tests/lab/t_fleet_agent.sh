#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# An agent in a lab: plans come from a real broker, rounds are measured through real routers, and
# whatever was announced reaches the centre, though the broker and the agent are killed. The centre
# is a stand-in (centre.c). Topology: topo_borders.sh; the broker is on vp's loopback.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
command -v nats-server >/dev/null || lab_skip "nats-server is not installed"
[[ -x $LAB_BIN/centre ]] || lab_skip "$LAB_BIN/centre is not built"
borders_up talking

URL=nats://127.0.0.1:4222
SPOOL=$LAB_TMP/spool CENTRE=$LAB_TMP/centre
ALL=$LAB_TMP/all
BROKER='' AGENT=''
: >"$ALL"

centre() { ip netns exec vp "$LAB_BIN/centre" "$URL" "$@" 2>>"$LAB_TMP/centre.notes"; }
start_broker()
{
	ip netns exec vp nats-server -a 127.0.0.1 -p 4222 -js -sd "$LAB_TMP/js" \
		-l "$LAB_TMP/nats.log" &
	BROKER=$!
	wait_for 20 centre setup || lab_die "no broker: $(tail -3 "$LAB_TMP/nats.log")"
}
kill_broker() { kill -KILL "$BROKER"; wait "$BROKER" 2>/dev/null; }
start_agent()
{
	: >"$OUT"
	lab_private || lab_die "refusing to probe outside a private namespace"
	ip netns exec vp "$BORDERPATH" agent --server "$URL" --vantage vp --spool "$SPOOL" \
		--profile "$LAB_DIR/lab.yaml" >>"$OUT" 2>>"$ERR" &
	AGENT=$!
}
end_agent()
{
	kill "-$1" "$AGENT" 2>/dev/null
	wait "$AGENT" 2>/dev/null
	local rc=$?
	cat "$OUT" >>"$ALL"
	return $rc
}
fleet_plan()
{
	cat >"$LAB_TMP/$1.yaml" <<-YAML
		campaign: $1
		vantage: elsewhere
		every: $2
		jitter: 0s
		rate_pps: max
		targets: [175.45.176.71, 175.45.178.3]
	YAML
	centre put vp "$1" "$LAB_TMP/$1.yaml"
}
status() { centre status vp | jq -r "$1"; }
status_is() { [[ $(status "$1") == "$2" ]]; }
arrived() { "$LAB_BIN/centre" - read vp "$CENTRE"; }
arrived_rounds() { arrived | jq -r 'select(.type == "round").id' | sort; }
has_arrived() { arrived_rounds | grep -qF "$1"; }
last_announced() { cat "$ALL" "$OUT" | jq -r .id | tail -1; }

start_broker
: >"$ERR"
start_agent
ip netns exec vp "$LAB_BIN/centre" "$URL" collect vp "$CENTRE" 2>>"$LAB_TMP/centre.notes" &

is "a plan is handed out" "$(fleet_plan one 1s; echo $?)" 0
wait_for 20 announced 2 || not_ok "rounds are announced: $(cat "$ERR")"
is "as this vantage point" "$(jq -r .vantage "$OUT" | sort -u)" vp
wait_for 20 has_arrived "$(head -1 "$OUT" | jq -r .id)" || not_ok "rounds arrive"
wait_for 10 status_is '.plans[0].state' running || not_ok "it says that it runs: $(status .)"

# A plan that does not read.
printf 'campaign: one\nevery: 1s\ntargets: [175.45.176.71]\nevry: 2s\n' >"$LAB_TMP/bad.yaml"
centre put vp one "$LAB_TMP/bad.yaml"
wait_for 20 status_is '.plans[0].state' refused || not_ok "a bad plan is refused"
like "with the reason, and where" "$(status '.plans[0].reason')" 'one:4:1.*evry'
before=$(wc -l <"$OUT")
wait_for 20 announced $((before + 2)) || not_ok "the good one goes on"

# The broker away: measuring goes on.
kill_broker
before=$(wc -l <"$OUT")
wait_for 20 announced $((before + 3)) || not_ok "rounds go on without a broker: $(tail -3 "$ERR")"
while_away=$(last_announced)
start_broker
wait_for 40 has_arrived "$while_away" || not_ok "what was measured meanwhile arrives"

# The agent killed, anywhere.
for n in 1 2 3; do
	sleep "0.$(printf %03d $((RANDOM % 1000)))"
	end_agent KILL
	start_agent
	wait_for 30 announced 1 || not_ok "it goes on after a kill ($n): $(tail -3 "$ERR")"
done
end_agent TERM
is "exit at last" $? 0
last=$(last_announced)
wait_for 20 has_arrived "$last" || not_ok "the last round arrives: $last"

is "every announced line is whole" "$(jq -c . "$ALL" | wc -l)" "$(wc -l <"$ALL")"
is "every announced round is at the centre" \
	"$(comm -23 <(jq -r .id "$ALL" | sort) <(arrived_rounds))" ''
is "none is there twice" "$(arrived_rounds | uniq -d)" ''
is "no batch came with other bytes than before" "$(grep -c other "$CENTRE/log")" 0
spool() { sqlite3 -batch -readonly "$SPOOL/spool.db" "$1"; }
is "the centre has the rounds of the spool" "$(arrived_rounds | tr '\n' ' ')" \
	"$(spool 'SELECT round_id FROM rounds ORDER BY 1' | tr '\n' ' ')"
is "and their traces" "$(arrived | jq -r 'select(.type == "trace").id' | sort | md5sum)" \
	"$(spool 'SELECT trace_id FROM traces' | sort | md5sum)"
is "no slot is without a row" "$(spool "SELECT count(*) -
	(strftime('%s', max(planned_utc)) - strftime('%s', min(planned_utc)) + 1) FROM rounds")" 0

finish
