#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Two vantage points that see different borders, through the whole chain: agents, broker with TLS,
# collector, PostgreSQL. One report shows both; a switch that one of the two sees is told as seen by
# one of two.
#
#   vp1 -- a1 --+-- d1 (Dandong) --+
#               X                  +-- j -- nk (175.45.176.0/22)      each vpN -- centre
#   vp2 -- a2 --+-- k1 (Khasan) ---+

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

FLEET=$LAB_TMP/fleet
URL=tls://$CENTRE:4222

# ---- the network ---------------------------------------------------------------------------------

node centre "$CENTRE"
router d1 219.158.39.42
router k1 188.43.225.153
router j 175.45.179.254
node nk 175.45.176.1
link d1 j
link k1 j
link j nk
for i in 1 2; do
	node "vp$i" "203.0.113.$((i + 1))"
	router "a$i" "10.11.0.$i"
	link "vp$i" "a$i"
	link "vp$i" centre
	route "vp$i" default "a$i"
	route "vp$i" "$CENTRE/32" centre
	route_back "a$i" "vp$i"
	route_back centre "vp$i"
	for b in d1 k1; do
		link "a$i" "$b"
		route "$b" "203.0.113.$((i + 1))/32" "a$i"
		route "$b" "10.11.0.$i/32" "a$i"
	done
done
for b in d1 k1; do
	route "$b" 175.45.176.0/22 j
done
route j 175.45.176.0/22 nk
route j default d1
route nk default j
whole nk 175.45.176.0/22
route a1 175.45.176.0/22 d1
route a2 175.45.176.0/22 k1
lab_raise

# ---- the chain -----------------------------------------------------------------------------------

at centre "$BORDERPATH" fleet init --server "$URL" --vantages vp1,vp2 -o "$FLEET" --quiet \
	--jetstream-dir "$LAB_TMP/js" || lab_die "fleet init"
operate() { at centre "$BORDERPATH" "$@" --dir "$FLEET" 2>"$LAB_TMP/operate.err"; }
pg_make
start pg
wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
at_bg b1 centre nats-server -c "$FLEET/server/nats.conf"
at_bg c1 centre "$BORDERPATH" collect --server "$URL" --ca "$FLEET/ca.pem" \
	--nkey "$FLEET/keys/centre.nk" --store "$STORE_URL" --outbox "$LAB_TMP/outbox"
cat >"$LAB_TMP/plan.yaml" <<-EOF
	campaign: lab
	profile: lab
	every: 2s
	targets: [175.45.176.71, 175.45.178.3]
EOF
deployed() { operate campaign deploy "$LAB_TMP/plan.yaml" --quiet >"$LAB_TMP/deploy"; }
wait_for 20 deployed || not_ok "a plan is deployed: $(cat "$LAB_TMP/operate.err")"
for v in vp1 vp2; do
	at_bg "$v" "$v" "$BORDERPATH" agent --server "$URL" --ca "$FLEET/ca.pem" --vantage "$v" \
		--nkey "$FLEET/keys/$v.nk" --spool "$LAB_TMP/spool.$v"
done

rounds() { psql -qAtX "$STORE_URL" -c "SELECT count(*) FROM rounds WHERE vantage = '$1' AND done > 0"; }
enough() { (($(rounds vp1) >= $1 && $(rounds vp2) >= $1)); }
wait_for 60 enough 4 || not_ok "rounds of both arrive: $(tail -n 3 "$LAB_TMP"/{vp1,vp2,c1}.err)"

# ---- one report ----------------------------------------------------------------------------------

borders_of()	# VANTAGE: of its last traces
{
	lines_of "$STORE_URL" "$1" | jq -r 'select(.type == "trace") | "\(.start) \(.verdict.border)"' |
		sort | tail -n 2 | cut -d ' ' -f 2 | sort -u
}
is "vp1 goes by Dandong" "$(borders_of vp1)" dandong
is "vp2 by Khasan" "$(borders_of vp2)" khasan
"$BORDERPATH" report --profile lab --format jsonl "$STORE_URL" >"$LAB_TMP/report" 2>"$LAB_TMP/report.err"
is "one report of both: exit" $? 0
is "it has both vantage points" "$(grep -o '"vantage":"vp[12]"' "$LAB_TMP/report" | sort -u | wc -l)" 2
is "and both borders" "$(jq -c '[.ways[] | .now]' "$LAB_TMP/report")" \
	'[["dandong","khasan"],["dandong","khasan"]]'

# ---- a switch that one sees ----------------------------------------------------------------------

route a1 175.45.176.0/24 k1
events() { "$BORDERPATH" events --profile lab --format jsonl "$STORE_URL" 2>"$LAB_TMP/events.err" |
	jq -c 'select(.kind == "border_switch" and .status == "confirmed")' >"$LAB_TMP/events"; }
switched() { events; [[ -s $LAB_TMP/events ]]; }
wait_for 60 switched || not_ok "the switch is confirmed: $(cat "$LAB_TMP/events.err")"
is "seen by one of two" "$(jq -c '[.prefix, .seen_by, .seen_of]' "$LAB_TMP/events" | sort -u)" \
	'["175.45.176.0/24",1,2]'
is "from one border to the other" "$(jq -r '"\(.from) \(.to)"' "$LAB_TMP/events" | sort -u)" 'dandong khasan'
is "vp2 has not moved" "$(borders_of vp2)" khasan

finish
