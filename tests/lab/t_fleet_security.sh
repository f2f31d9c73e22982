#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A fleet by `fleet init`, with TLS, and what keys, lies and broken batches come to: refused, counted,
# named by `fleet status`. What a stolen key can do, and that it can no more once it is revoked; the
# others never notice. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"
command -v openssl >/dev/null || lab_skip "openssl is not installed"

FLEET=$LAB_TMP/fleet
URL=tls://$CENTRE:4222
HOSTILE=$LAB_BIN/hostile
STORE=sqlite:$LAB_TMP/centre.db

fleet_up 2
at centre "$BORDERPATH" fleet init --server "$URL" --vantages vp1,vp2 -o "$FLEET" \
	--jetstream-dir "$LAB_TMP/js" >"$LAB_TMP/init"
is "fleet init: exit" $? 0
is "secrets are for one pair of eyes" \
	"$(find "$FLEET" \( -name '*.nk' -o -name '*.key' \) -printf '%m\n' | sort -u)" 600
is "the certificate is the authority's, and names the broker" \
	"$(openssl verify -CAfile "$FLEET/ca.pem" -verify_ip "$CENTRE" "$FLEET/server/server.pem" 2>&1 |
		sed 's/.*: //')" OK
at centre "$BORDERPATH" fleet init --server "$CENTRE,b.invalid,c.invalid" --no-tls --vantages vp1 \
	-o "$LAB_TMP/open" >"$LAB_TMP/t" 2>&1
is "a cluster that anybody could join is not made" "$? $(test -e "$LAB_TMP/open" && echo made)" "2 "
nats-server -t -c "$FLEET/server/nats.conf" >"$LAB_TMP/t" 2>&1
is "the server takes the configuration" $? 0

operate() { at centre "$BORDERPATH" "$@" --dir "$FLEET" 2>"$LAB_TMP/operate.err"; }
reread() { kill -HUP "${P[b1]}"; }
agent()	# NAME: with a key of its own, as on a machine of its own
{
	cp -p "$FLEET/keys/$1.nk" "$LAB_TMP/$1.nk"
	at_bg "$1" "$1" "$BORDERPATH" agent --server "$URL" --ca "$FLEET/ca.pem" --vantage "$1" \
		--nkey "$LAB_TMP/$1.nk" --spool "$LAB_TMP/spool.$1"
}
state() { operate fleet status --format jsonl --log "$LAB_TMP/b1.log" >"$LAB_TMP/state"; }
# FILTER of vp1's (or NAME's) object.
of_state() { jq -c "select(.vantage == \"${2:-vp1}\") | $1" "$LAB_TMP/state"; }
says() { state; [[ $(of_state "$1" "${3:-vp1}") == "$2" ]]; }

at_bg b1 centre nats-server -c "$FLEET/server/nats.conf" -l "$LAB_TMP/b1.log"
at_bg c1 centre "$BORDERPATH" collect --server "$URL" --ca "$FLEET/ca.pem" \
	--nkey "$FLEET/keys/centre.nk" --store "$STORE" --no-watch
cat >"$LAB_TMP/plan.yaml" <<-EOF
	campaign: lab
	profile: lab
	every: 2s
	targets: [175.45.176.71, 175.45.178.3]
	store: sqlite:/nowhere/else.db
	alerts: {exec: /bin/false}
EOF
deployed() { operate campaign deploy "$LAB_TMP/plan.yaml" --format jsonl >"$LAB_TMP/deploy"; }
wait_for 20 deployed || not_ok "a plan is deployed: $(cat "$LAB_TMP/operate.err")"
is "two vantage points share the budget" "$(jq -c '[.per_prefix_rate_pps, .budget_pps]' "$LAB_TMP/deploy")" \
	'[20,40]'
is "and the interval" "$(jq -c '[.vantages[].offset_s]' "$LAB_TMP/deploy")" '[0,1]'
agent vp1
agent vp2
running() { operate campaign list >"$LAB_TMP/list"; }
wait_for 30 running || not_ok "both run it: $(cat "$LAB_TMP/list" "$LAB_TMP"/vp*.err)"
rounds() { sqlite3 -batch -readonly "$LAB_TMP/centre.db" \
	"SELECT count(*) FROM rounds WHERE vantage = '$1' AND done > 0" 2>/dev/null; }
grew() { (($(rounds "$1") > $2)); }
for v in vp1 vp2; do
	wait_for 30 grew "$v" 0 || not_ok "rounds of $v arrive: $(tail -n 3 "$LAB_TMP"/{"$v",c1}.err)"
done
wait_for 30 says .amiss '[]' || not_ok "a fleet that is well: $(cat "$LAB_TMP/state")"
operate fleet status >"$LAB_TMP/text"
is "fleet status of a fleet that is well: exit" $? 0
like "and what it says" "$(cat "$LAB_TMP/text")" 'vp1: ok; last heard .* ago; connected from'
like "of the centre, too" "$(cat "$LAB_TMP/text")" 'centre: ok; a collector .* was last heard .* ago; its store .* answers'

# ---- where one is ---------------------------------------------------------------------------------

# Frankfurt is farther from Pyongyang than the lab's routers.
operate fleet set vp1 --place 50.11,8.68 --address 198.51.100.9 --server "$URL" >"$LAB_TMP/set"
is "fleet set: exit" $? 0
lights() { "$BORDERPATH" convert --to jsonl "$STORE" 2>/dev/null | jq -c 'select(.type == "trace" and .place) |
	[.vantage, .place.lat, .place.lon, ([.. | .flags? // empty | .[] | select(. == "faster_than_light")] | length > 0)]' |
	sort -u; }
placed() { [[ $(lights) == '["vp1",50.11,8.68,true]' ]]; }
wait_for 40 placed || not_ok "its traces say where, and what is faster than light from there: $(lights)"
knows_address() { [[ $("$BORDERPATH" convert --to jsonl "$STORE" 2>/dev/null |
	jq -r 'select(.type == "round").identity.public_addr // empty' | sort -u) == 198.51.100.9 ]]; }
wait_for 30 knows_address || not_ok "and its rounds, by which address it is known"
state
is "status tells it" "$(of_state '[.place.lat, .address_told]')" '[50.11,"198.51.100.9"]'

# ---- files of the operator's ----------------------------------------------------------------------

# A list of targets and a profile that lie beside the plan, and nowhere else.
mkdir "$LAB_TMP/files"
sed 's/^profile: lab$/profile: own/' "$LAB_DIR/lab.yaml" >"$LAB_TMP/files/own.yaml"
printf '# known hosts\n175.45.177.10\n175.45.177.999\n' >"$LAB_TMP/files/hosts.txt"
cat >"$LAB_TMP/files/plan.yaml" <<-EOF
	campaign: files
	profile: $LAB_TMP/files/own.yaml
	every: 2s
	targets: ["@hosts.txt"]
EOF
operate campaign deploy "$LAB_TMP/files/plan.yaml" --vantage vp1 --quiet
is "a list with a wrong line is not deployed: exit" $? 1
like "and the line is told" "$(cat "$LAB_TMP/operate.err")" "files/hosts.txt:3: '175.45.177.999'"
sed -i 3d "$LAB_TMP/files/hosts.txt"
operate campaign deploy "$LAB_TMP/files/plan.yaml" --vantage vp1 >"$LAB_TMP/deploy.files"
is "lists and profiles in files are deployed: exit" $? 0
files() { "$BORDERPATH" convert --to jsonl "$STORE" 2>/dev/null |
	jq -c 'select(.type == "trace" and .campaign == "files") | [.vantage, .dst, .verdict.profile]' | sort -u; }
filed() { [[ $(files) == '["vp1","175.45.177.10","own"]' ]]; }
wait_for 40 filed || not_ok "what they hold is measured: $(files; tail -n 3 "$LAB_TMP/vp1.err")"
at vp1 "$BORDERPATH" campaign check "$LAB_TMP/files/plan.yaml" >"$LAB_TMP/check" 2>&1
is "the same plan is one for campaign run" $? 0
operate campaign withdraw files >"$LAB_TMP/withdraw"
is "and withdrawn" $? 0

# ---- with a key that holds -----------------------------------------------------------------------

key_of() { jq -r ".vantages[] | select(.name == \"$1\") | .nkey" "$FLEET/fleet.json"; }
# NAME WORDS...: with NAME's key, from NAME's place.
hostile()
{
	local n=$1
	shift
	HOSTILE_NAME=$n at "$n" timeout 20 "$HOSTILE" "$URL" "$FLEET/ca.pem" "$LAB_TMP/stolen.$n" \
		"$(cat "$LAB_TMP/stolen.$n.pub")" "$@"
}
for v in vp1 vp2; do
	cp -p "$FLEET/keys/$v.nk" "$LAB_TMP/stolen.$v"
	key_of "$v" >"$LAB_TMP/stolen.$v.pub"
done
echo junk >"$LAB_TMP/junk"
plan_before=$(operate campaign list --format jsonl | jq -c '.vantages | map(.revision)')

while read -r subject why; do
	like "vp1 cannot publish $subject: $why" "$(hostile vp1 pub "$subject" "$LAB_TMP/junk")" \
		'^denied: .*ermissions [Vv]iolation'
done <<-'EOF'
	bp.result.vp2 as another
	bp.mark.vp2 its spool would be emptied
	$KV.BP_STATUS.vp2 in its name
	$KV.BP_PLANS.vp2.lab its plan
	$KV.BP_PLANS.vp1.lab even its own
	$JS.API.STREAM.PURGE.BP_RESULTS what waits
	$JS.API.CONSUMER.CREATE.BP_RESULTS reading results
EOF
for subject in bp.result.vp2 'bp.result.*' '_INBOX.vp2.>' '$KV.BP_PLANS.vp2.>' '>'; do
	like "nor hear $subject" "$(hostile vp1 sub "$subject")" '^denied: '
done
# The answer to its own publishing, pointed at another's plan.
hostile vp1 batch bp.result.vp1 "$LAB_TMP/junk" '$KV.BP_PLANS.vp2.lab' >/dev/null

# Batches as they must not be.
head_of() { printf '{"type":"batch","version":%s,"vantage":"%s","epoch":"hostile","seq":%s,"tool":"borderpath 0.0.1","round":"x","part":1,"parts":1,"records":1}\n{"type":"round"}\n' "$@"; }
head_of 1 vp2 1 >"$LAB_TMP/foreign"
head_of 99 vp1 2 >"$LAB_TMP/version"
head -c 1040000 /dev/urandom >"$LAB_TMP/oversized"
for kind in foreign version; do
	like "the broker takes a batch: $kind" "$(hostile vp1 batch bp.result.vp1 "$LAB_TMP/$kind")" '^answer: .*BP_RESULTS'
done
for kind in junk oversized; do
	like "the broker takes a batch: $kind" "$(hostile vp1 pub bp.result.vp1 "$LAB_TMP/$kind")" '^answer: .*BP_RESULTS'
done
# junk twice: once with its answer pointed elsewhere.
wait_for 30 says '.refused | [.malformed, .foreign, .newer, .oversized]' '[2,1,1,1]' ||
	not_ok "each is refused and counted: $(of_state .refused)"
is "vp2 is charged with none of it" "$(of_state '.refused // {} | add // 0' vp2)" 0
is "vp1 has a mark for it" "$(of_state '[.amiss[] | select(. == "refused" or . == "denied")]')" \
	'["refused","denied"]'
like "the last reason is told" "$(of_state '.last_refusal | "\(.why): \(.text)"')" '(malformed|oversized): .+'
is "who tried what he may not has a name" \
	"$(jq -c 'select(.type == "broker") | .log[] | select(.vantage == "vp1") |
		[.revoked, .publishes_denied, .subscriptions_denied]' "$LAB_TMP/state")" '[false,7,5]'
operate fleet status --log "$LAB_TMP/b1.log" >"$LAB_TMP/text"
is "something is amiss: exit" $? 3
like "for people, too" "$(cat "$LAB_TMP/text")" 'vp1: refused, denied; .*newer      1 batches .*refused    4 batches: 1 oversized, 2 malformed, 1 foreign;'
is "no plan has changed" "$(operate campaign list --format jsonl | jq -c '.vantages | map(.revision)')" \
	"$plan_before"

# Used from two places: by the agent, and by who has stolen it.
borrow() { for _ in {1..20}; do HOSTILE_NAME=vp1 at vp2 timeout 20 "$HOSTILE" "$URL" "$FLEET/ca.pem" \
	"$LAB_TMP/stolen.vp1" "$(cat "$LAB_TMP/stolen.vp1.pub")" sub '_INBOX.vp1.nobody'; done; }
borrow >"$LAB_TMP/borrow" 2>&1 &
BORROWER=$!
wait_for 30 says '[[.amiss[] | select(. == "twice")], .connected_from != .connected_also_from]' \
	'[["twice"],true]' || not_ok "a key in two places: $(of_state .)"
kill "$BORROWER"
wait "$BORROWER" 2>/dev/null

# ---- with one that does not ----------------------------------------------------------------------

at centre "$BORDERPATH" fleet init --server "$URL" --vantages vp1 -o "$LAB_TMP/other" --quiet
cp -p "$LAB_TMP/other/keys/vp1.nk" "$LAB_TMP/stolen.wrong"
jq -r '.vantages[0].nkey' "$LAB_TMP/other/fleet.json" >"$LAB_TMP/stolen.wrong.pub"
wrong() { HOSTILE_NAME=vp1 at vp1 timeout 20 "$HOSTILE" "$URL" "$1" "$LAB_TMP/stolen.wrong" \
	"$(cat "$LAB_TMP/stolen.wrong.pub")" pub bp.result.vp1 "$LAB_TMP/junk"; }
like "a key of another fleet is refused" "$(wrong "$FLEET/ca.pem")" '^refused: .*[Aa]uth'
like "a broker of another authority is not talked to" "$(wrong "$LAB_TMP/other/ca.pem")" '^refused: .*(SSL|certificate|verif)'

cp -a "$FLEET" "$LAB_TMP/copy"
operate fleet revoke vp2 --server "$URL" >"$LAB_TMP/revoke"
is "fleet revoke: exit" $? 0
# Another operator's copy of the directory does not know.
copied() { at centre "$BORDERPATH" "$@" --dir "$LAB_TMP/copy" >"$LAB_TMP/copied" 2>&1; }
copied campaign deploy "$LAB_TMP/plan.yaml"
is "a copy that is behind takes nothing back: exit" $? 1
like "and is told what to do" "$(cat "$LAB_TMP/copied")" "fleet refresh --dir $LAB_TMP/copy"
copied fleet add vp9 --server "$URL"
is "nor does it change by itself: exit" $? 1
is "and no key is made" "$(find "$LAB_TMP/copy/keys" -name 'vp9*')" ''
copied fleet status
like "status has the broker's list" "$(cat "$LAB_TMP/copied")" '^1 vantage point, .*behind the broker.s list'
copied fleet refresh
is "fleet refresh: exit" $? 0
like "what it had more is named" "$(cat "$LAB_TMP/copied")" 'Here and not at the broker: vp2'
is "the copy is as the other now" "$(for f in fleet.json broker.json server/accounts.conf; do
	cmp "$FLEET/$f" "$LAB_TMP/copy/$f" 2>&1; done)" ''
copied campaign deploy "$LAB_TMP/plan.yaml"
is "and deploys: exit" $? 0
reread
gone() { grep -qi 'does not know the key of' "$LAB_TMP/vp2.err"; }
wait_for 60 gone || not_ok "the agent with the revoked key is told so: $(tail -n 3 "$LAB_TMP/vp2.err")"
like "nor can anybody else use it" "$(hostile vp2 pub bp.result.vp2 "$LAB_TMP/junk")" '^refused: .*[Aa]uth'
now=$(rounds vp1)
wait_for 30 grew vp1 "$now" || not_ok "vp1 goes on: $(tail -n 3 "$LAB_TMP/vp1.err")"
state
is "strangers and revoked keys are named" \
	"$(jq -c 'select(.type == "broker") | [.authentication_failures >= 2, ([.log[] | select(
		.revoked and .vantage == "vp2" and .authentication_failures > 0)] | length),
		([.log[] | select(.nkey and (has("vantage") | not))] | length)]' "$LAB_TMP/state")" '[true,1,1]'
is "the budget is vp1's alone" "$(operate campaign list --format jsonl | jq -c '[.per_prefix_rate_pps, (.vantages | length)]')" \
	'[25,1]'

# ---- a new key -----------------------------------------------------------------------------------

operate fleet add vp2 --server "$URL" >"$LAB_TMP/add"
is "fleet add: exit" $? 0
cp -p "$FLEET/keys/vp2.nk" "$LAB_TMP/vp2.nk"
# nats-server 2.9 needs it twice.
reread
sleep 1
reread
wait_for 20 deployed || not_ok "deployed to both again: $(cat "$LAB_TMP/operate.err")"
now=$(rounds vp2)
# The same spool: what was measured meanwhile arrives, too.
wait_for 60 grew vp2 "$((now + 1))" || not_ok "vp2 is back: $(tail -n 3 "$LAB_TMP/vp2.err")"

# ---- what is said ---------------------------------------------------------------------------------

stop vp2
cp -p "$FLEET/keys/vp2.nk" "$LAB_TMP/stolen.vp2"
jq -r '.vantages[] | select(.name == "vp2" and (has("revoked") | not)).nkey' "$FLEET/fleet.json" >"$LAB_TMP/stolen.vp2.pub"
state
of_state '{type: "status", version: 1, vantage, tool: "borderpath 0.0.1", at: (now - 3600 | todate), plans,
	spool: {rounds: 3, oldest: (now - 7200 | todate)}, batches: {cut: 9, confirmed: 9}}' vp2 >"$LAB_TMP/word"
hostile vp2 pub '$KV.BP_STATUS.vp2' "$LAB_TMP/word" >"$LAB_TMP/said"
wait_for 20 says .amiss '["clock","behind","old"]' vp2 ||
	not_ok "a wrong clock, rounds that wait, an earlier program: $(cat "$LAB_TMP/said"; of_state . vp2)"
operate fleet status >"$LAB_TMP/text"
like "for people, too" "$(cat "$LAB_TMP/text")" \
	'vp2: clock, behind, old; last heard .*program    borderpath 0.0.1; clock -36[0-9][0-9].*3 rounds wait'

finish
