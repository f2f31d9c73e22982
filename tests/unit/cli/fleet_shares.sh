#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A fleet of fifty and the plans that are shipped, at a real broker on loopback: shares, moments, and
# what fleet add, revoke and budget do to them. No agent runs, nothing is probed.
# BORDERPATH=PROGRAM tests another build.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=$(realpath "${BORDERPATH:-build/borderpath}")
shipped=$PWD/packaging/campaigns
dir=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || kill -KILL "$broker" 2>/dev/null; rm -rf "$dir"' EXIT
. tests/unit/counts.sh
export LC_ALL=C.UTF-8 HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state

if ! command -v nats-server >/dev/null; then
	skip "a fleet's shares: nats-server is not installed"
	counted
	exit
fi

# bp EXIT ARGS...: the program ends so; what it says is in $dir/out and $dir/err.
bp()
{
	local want=$1 rc
	shift
	timeout 120 "$borderpath" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	[ "$rc" -eq "$want" ] || echo "exit $rc, wanted $want" >>"$dir/err"
	[ "$rc" -eq "$want" ]
}

# lists FILTER: campaign list, by jq; nobody runs anything (exit 3).
lists() { bp 3 campaign list --dir "$dir/f" --format jsonl && jq -cs "$1" "$dir/out"; }
# is WANT GOT
is() { [ "$1" = "$2" ] || { echo "wanted $1, got $2" >>"$dir/err"; return 1; }; }

port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
names=$(printf 'v%02d,' {1..50})
bp 0 fleet init --quiet --no-tls --server "nats://127.0.0.1:$port" --vantages "${names%,}" \
	--jetstream-dir "$dir/js" -o "$dir/f"
verdict "fifty vantage points"
nats-server -c "$dir/f/server/nats.conf" >"$dir/log" 2>&1 &
broker=$!
for ((i = 0; i < 200; i++)); do
	grep -q 'Server is ready' "$dir/log" && break
	sleep 0.1
done

# --- shares -------------------------------------------------------------------------------------
for plan in dprk-borders dprk-sweep; do
	bp 0 campaign deploy "$shipped/$plan.yaml" --quiet --dir "$dir/f" --format jsonl &&
		is '[0.8,40,50]' "$(jq -c '[.per_prefix_rate_pps, .budget_pps, (.vantages | length)]' "$dir/out")"
	verdict "$plan is deployed, 0.8 packets a second each"
done
is true "$(lists 'all(.[]; .per_prefix_rate_pps * (.vantages | length) <= 40)')"
verdict "together they keep to the budget"
bp 3 campaign list --dir "$dir/f" && grep -q '0.8 packets a second each' "$dir/out"; verdict "and the list says so"

grep -q '^dprk-borders: running 0/50, every ' "$dir/out" && is '[[0,50],[0,50]]' "$(lists 'map([.running, .of])')"
verdict "which says that none runs them: nobody was ever heard"

# Both go into the same networks, every 15 minutes and every 6 hours: no two of the hundred are due
# together, in any quarter of an hour.
is 100 "$(lists '[.[].vantages[].offset_s % 900 * 1000 | round] | unique | length')"
verdict "a hundred moments"
is true "$(lists '[.[].vantages[] | .offset_s * 1000 % 900000 | round] | sort | [.[1:], .[:-1]] | transpose |
	map(.[0] - .[1]) | min >= 7000')"
verdict "seven seconds apart"
is true "$(lists '.[] | select(.every_s == 21600) | [.vantages[].offset_s] | max - min > 10800')"
verdict "and the sweeps go over all six hours"
moments=$(lists '[.[].vantages[].offset_s]')

# A plan that one can follow, and fifty cannot, is refused by its share; one that they hardly can is not.
printf 'campaign: much\nevery: 2m\nattempts: 1\ntargets: [192.0.2.0/24]\n' >"$dir/much.yaml"
bp 1 campaign deploy "$dir/much.yaml" --dir "$dir/f" &&
	grep -q 'by its share: a round cannot end before the next one begins' "$dir/err" &&
	grep -q '50 vantage points have 0.8 packets a second each' "$dir/err" && is 2 "$(lists length)"
verdict "what is too much for a share"
bp 0 campaign deploy "$dir/much.yaml" --dir "$dir/f" --vantage v01 && ! grep -q 'by its share' "$dir/err" &&
	bp 0 campaign withdraw much --dir "$dir/f"
verdict "is not too much for one"

# --vantage touches those alone that it names.
seats() { lists '.[] | select(.campaign == "some") | [.vantages[] | [.name, .offset_s]]'; }
shares() { lists '[.[] | select(.campaign == "some").per_prefix_rate_pps]'; }
printf 'campaign: some\nevery: 1h\ntargets: [198.51.100.7]\n' >"$dir/some.yaml"
bp 0 campaign deploy "$dir/some.yaml" --quiet --dir "$dir/f" --vantage v02 --vantage v03 && two=$(seats) &&
	is '["v02","v03"]' "$(jq -cn "$two | map(.[0])")" && is '[20]' "$(shares)"
verdict "a plan for two"
bp 0 campaign deploy "$dir/some.yaml" --quiet --dir "$dir/f" --vantage v01 &&
	is '["v01","v02","v03"]' "$(seats | jq -c 'map(.[0]) | sort')" && is '[13]' "$(shares)" &&
	is "$two" "$(seats | jq -c 'map(select(.[0] != "v01"))')" && is 3 "$(seats | jq 'map(.[1]) | unique | length')"
verdict "and for one more: the two keep it, and their moments; the budget is for all three"
bp 0 campaign deploy "$dir/some.yaml" --quiet --dir "$dir/f" --vantage v01 --format jsonl &&
	is '[0,3]' "$(jq -c '[.changed, (.vantages | length)]' "$dir/out")"
verdict "again: nothing changes"
sed 's/1h/2h/' "$dir/some.yaml" >"$dir/other.yaml"
bp 1 campaign deploy "$dir/other.yaml" --quiet --dir "$dir/f" --vantage v01 && [ "$(wc -l <"$dir/err")" -eq 1 ] &&
	grep -q 'v02, v03 run another plan that is called some: nothing was deployed' "$dir/err" &&
	is '[3600]' "$(lists '[.[] | select(.campaign == "some").every_s]')"
verdict "another plan of that name is not for one alone"
bp 0 campaign deploy "$dir/other.yaml" --quiet --dir "$dir/f" --vantage v01 --vantage v02 --vantage v03 &&
	is '[7200]' "$(lists '[.[] | select(.campaign == "some").every_s]')"
verdict "but for all who run it"
cp "$dir/f/fleet.json" "$dir/kept"
bp 0 fleet revoke v03 --quiet --dir "$dir/f" &&
	is '[2,["v01 unheard","v02 unheard","v03 revoked"]]' \
		"$(lists '.[] | select(.campaign == "some") | [.of, [.vantages[] | .name + " " + .state]]')" &&
	bp 3 campaign list --dir "$dir/f" && grep -q '^  v03 *revoked  the next deploy' "$dir/out"
verdict "one who was revoked is not counted, and named while his plan lies there"
cp "$dir/kept" "$dir/f/fleet.json"
bp 1 campaign withdraw some --dir "$dir/f" --vantage v02 --vantage v09 &&
	grep -q 'v09 does not run some: nothing was withdrawn' "$dir/err" && is 3 "$(seats | jq length)"
verdict "withdrawn from one who does not run it"
bp 0 campaign withdraw some --dir "$dir/f" --vantage v02 &&
	grep -q 'some is withdrawn from 1, and 2 go on: 3 plans changed' "$dir/out" &&
	is '["v01","v03"]' "$(seats | jq -c 'map(.[0]) | sort')" && is '[20]' "$(shares)"
verdict "withdrawn from one: the others go on, with more"
bp 1 campaign withdraw some --dir "$dir/f" --vantage v01 --vantage v03 --vantage v02 && is 2 "$(seats | jq length)" &&
	bp 1 campaign withdraw some --dir "$dir/f" --vantage nobody && grep -q 'is called "nobody"' "$dir/err"
verdict "nor from those who do, along with one who does not"
bp 0 campaign withdraw some --dir "$dir/f" --vantage v01 --vantage v03 && is 2 "$(lists length)"
verdict "and from the last"

sed -i 's/2m/1h/' "$dir/much.yaml"
bp 0 campaign deploy "$dir/much.yaml" --dir "$dir/f" && grep -q 'warning: by its share: a round does not end' "$dir/err" &&
	bp 0 campaign withdraw much --dir "$dir/f"
verdict "what is hardly too much"

# --- who comes and goes ---------------------------------------------------------------------------
server="nats://127.0.0.1:$port"
bp 0 fleet add v51 --quiet --dir "$dir/f" --server "$server" && is '[0.8,0.8]' "$(lists 'map(.per_prefix_rate_pps)')" &&
	bp 0 campaign deploy "$shipped/dprk-borders.yaml" --quiet --dir "$dir/f" &&
	is '[0.784,0.784]' "$(lists 'map(.per_prefix_rate_pps)')"
verdict "the fifty-first is added: a little less each"
is "$moments" "$(lists '[.[].vantages[] | select(.name != "v51").offset_s]')"
verdict "and nobody is moved"
(
	for i in 61 62 63 64; do
		timeout 100 "$borderpath" fleet add "v$i" --quiet --dir "$dir/f" --server "$server" &
	done
	for i in 01 02 03 51; do
		timeout 100 "$borderpath" fleet revoke "v$i" --quiet --dir "$dir/f" --server "$server" &
	done
	wait
) >"$dir/out" 2>"$dir/err"
[ ! -s "$dir/err" ] && bp 0 fleet add v65 --quiet --dir "$dir/f" --server "$server" &&
	bp 3 fleet status --dir "$dir/f" --format jsonl &&
	is "$(jq -r '.vantages[] | select(.revoked == null).name' "$dir/f/fleet.json" | sort | paste -sd,)" \
		"$(jq -r 'select(.type == "vantage" and .revoked == null).vantage' "$dir/out" | sort | paste -sd,)"
verdict "four come and four go at once: the broker has the list"
is v01,v02,v03,v51 "$(jq -r 'select(.amiss == ["revoked"] and .revoked != null).vantage' "$dir/out" | sort | paste -sd,)"
verdict "those who went are shown as revoked"
is v61,v62,v63,v64,v65 "$(jq -r 'select(.amiss == ["unheard", "no plan"]).vantage' "$dir/out" | sort | paste -sd,)"
verdict "those who came have no plan"
bp 3 fleet status v61 v01 --dir "$dir/f" && is 'v61: unheard, no plan v01: revoked' \
	"$(sed -n 's/^\([^ ]*: [^;]*\).*/\1/p' "$dir/out" | paste -sd' ')"
verdict "of two alone"
bp 0 fleet status v01 --dir "$dir/f" && bp 0 fleet status v01 --quiet --dir "$dir/f" && [ ! -s "$dir/out" ]
verdict "of one who is no fault; quiet"
bp 3 fleet status --quiet --dir "$dir/f" && grep -q '^v61: unheard' "$dir/out" && ! grep -q '^v01\|^centre\|turned' "$dir/out"
verdict "quiet: what is amiss alone"
bp 2 fleet status v61 nobody --dir "$dir/f" && [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] &&
	grep -q 'no vantage point of the fleet is called "nobody"' "$dir/err"
verdict "of one who never was"
is 47 "$(lists '.[1].vantages | length')"; verdict "who came later gets a plan by the next deploy"
bp 0 campaign deploy "$shipped/dprk-borders.yaml" --quiet --dir "$dir/f" && is 52 "$(lists '.[0].vantages | length')"
verdict "all of them"
bp 0 fleet budget 104 --quiet --dir "$dir/f" --server "$server" && is '[2,2]' "$(lists 'map(.per_prefix_rate_pps)')"
verdict "a larger budget"

kill -KILL "$broker"
wait "$broker" 2>/dev/null
broker=
bp 1 fleet add v66 --dir "$dir/f" --server "$server" && grep -q "the files are written, but not the broker's list" "$dir/err"
verdict "the broker is away"

counted
