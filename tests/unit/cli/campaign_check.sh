#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# campaign check: what a plan would do, as text and as JSON, byte for byte; faults, warnings and exit
# codes; and every plan that is shipped. Nothing is sent, no name service is asked.
# BORDERPATH=PROGRAM tests another build; GOLDEN_UPDATE=1 writes the golden files again.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=$(realpath "${BORDERPATH:-build/borderpath}")
golden=$PWD/tests/golden/campaign
shipped=$PWD/packaging/campaigns
profile=$PWD/profiles/dprk.yaml
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. tests/unit/counts.sh
export LC_ALL=C.UTF-8 HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state
unset NO_COLOR
mkdir -p "$dir/config/borderpath"

# Of this machine's own: its limits, its list, who measures.
if [ -e /etc/borderpath/contact.yaml ] || [ -e /etc/borderpath/do-not-probe ]; then
	skip "this machine has a contact or a do-not-probe list of its own"
	counted
	exit
fi

# plans EXIT ARGS...: campaign check in $dir; its output in $dir/out and $dir/err.
plans()
{
	local want=$1 rc
	shift
	(cd "$dir" && timeout 60 "$borderpath" campaign check --profile "$profile" "$@" >out 2>err \
		</dev/null)
	rc=$?
	[ "$rc" -eq "$want" ] || echo "exit $rc, wanted $want" >>"$dir/err"
	[ "$rc" -eq "$want" ]
}

# same FILE: the output is that golden file, but for moments, which are of today, and the directory.
same()
{
	sed -E -i "s#sqlite:$dir/#sqlite:HOME/#" "$dir/out"
	sed -E -i 's/20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC/DAY TIME UTC/g
		s/"20[0-9]{2}-[0-9-]{5}T[0-9:.]+Z"/"MOMENT"/g
		s/^(Profile +dprk) [0-9-]+/\1 VERSION/; s/("profile_version":)"[^"]*"/\1"VERSION"/' "$dir/out"
	[ -z "${GOLDEN_UPDATE:-}" ] || cp "$dir/out" "$golden/$1"
	diff -u "$golden/$1" "$dir/out" >"$dir/err" 2>&1
}

says() { grep -qF -- "$1" "$dir/${2:-out}" || { cat "$dir/out" >>"$dir/err"; false; }; }
quiet() { ! grep -q "$1" "$dir/out" || { grep "$1" "$dir/out" >>"$dir/err"; false; }; }

# --- what it would do ---------------------------------------------------------------------------
cat >"$dir/whole.yaml" <<'YAML'
campaign: whole
vantage: {name: fra1, lat: 50.11, lon: 8.68, address: 203.0.113.7}
every: 15m
offset: 1m
jitter: 20s
until: 2200-01-01
targets:
  - {hosts: [175.45.176.71, 175.45.176.68], name: web, method: tcp, port: 80}
  - {host: 175.45.177.0/29, attempts: 1}
  - {host: 175.45.177.1, flows: 2}
  - {host: 175.45.178.1, until: 2020-01-01}
  - "@list"
rate_pps: 50
per_prefix_rate_pps: 10
on_event: {every: 1m, for: 1h}
reference: [192.0.2.1]
store: sqlite:/var/lib/borderpath/store.db
keep: {traces: 400d, hourly: 3650d}
alerts: {exec: /etc/borderpath/on-event}
metrics: {textfile: /var/lib/x.prom}
contact: {who: Example Lab, url: https://example.org/probes, mail: noc@example.org}
YAML
printf '175.45.179.1\n175.45.179.0/30 # and what is around it\n' >"$dir/list"
echo 175.45.177.2 >"$dir/config/borderpath/do-not-probe"
plans 0 whole.yaml && same check-text.txt; verdict "the text"
plans 0 --format jsonl whole.yaml && same check.jsonl; verdict "the object"
jq -e '.type == "check" and .measurements == 14 and (.next | length) == 3' "$dir/out" >/dev/null
verdict "is JSON"
plans 0 --quiet whole.yaml; verdict "quiet"
plans 0 -o copy whole.yaml && [ -s "$dir/copy" ] && [ ! -s "$dir/out" ]; verdict "to a file"

printf 'campaign: other\nvantage: fra1\nevery: 6h\ntargets: [175.45.176.0/22]\nattempts: 1\nrate_pps: 20\n' \
	>"$dir/sweep.yaml"
plans 0 whole.yaml sweep.yaml && same check-two.txt; verdict "two plans and their sum"
plans 0 --format jsonl whole.yaml sweep.yaml &&
	[ "$(jq -r .type "$dir/out" | tr '\n' ' ')" = "check check check_total " ]
verdict "two objects and their sum"
[ "$(jq -s '.[0].probes_day + .[1].probes_day == .[2].probes_day' "$dir/out")" = true ]
verdict "the sum is right"

# --- who measures -------------------------------------------------------------------------------
plans 0 --probing-txt probing.txt whole.yaml && cp "$dir/probing.txt" "$dir/out" && {
	grep -q '^Contact: mailto:noc@example.org$' "$dir/probing.txt" &&
		says 'every 900 s, at most 50 packets a second, 10 into one /24'
}
verdict "probing.txt"
plans 2 --probing-txt p whole.yaml sweep.yaml; verdict "probing.txt of two plans"
plans 1 --probing-txt p sweep.yaml && says 'needs to know who measures' err; verdict "of nobody"
printf 'contact: {who: Other Lab, mail: a@example.org}\n' >"$dir/contact.yaml"
plans 0 --contact contact.yaml sweep.yaml && says 'Other Lab, a@example.org'; verdict "--contact"

echo 175.45.178.0/24 >"$dir/mine"
plans 0 --do-not-probe mine --store sqlite:other.db sweep.yaml &&
	says 'Left out      257 on do-not-probe lists' && says 'Store         sqlite:other.db;'
verdict "the run's own list and store"
plans 1 --do-not-probe not-there sweep.yaml; verdict "a list that is not there"

# --- warnings: exit 0 ---------------------------------------------------------------------------
# warns NAME TEXT LINES: a plan with these lines is told about.
warns()
{
	printf 'campaign: c\nvantage: v\n%b\n' "$3" >"$dir/w.yaml"
	plans 0 w.yaml && says "$2"
	verdict "warns: $1"
}
warns hosts 'manners: 1 host every 5 min; known hosts are asked every 15 min at most' \
	'every: 5m\ntargets: [175.45.176.71]'
warns sweep 'manners: a sweep of 1023 destinations, asked 1023 times a hop every 5 h; a sweep is' \
	'every: 5h\nattempts: 1\ntargets: [175.45.176.0/22]'
warns attempts 'asked 2046 times a hop every 6 h' 'every: 6h\nattempts: 2\ntargets: [175.45.176.0/22]'
warns flows 'asked 2046 times a hop every 6 h' \
	'every: 6h\nattempts: 1\nflows: 2\ntargets: [175.45.176.0/22]'
warns wider 'asked 1279 times' 'every: 6h\nattempts: 1\ntargets: [175.45.176.0/22, 8.8.8.0/24]'
warns time 'a round does not end before the next one begins: it takes' \
	'every: 90s\nattempts: 1\ntargets: [10.0.0.0/24]'
warns over 'no round is left before until' 'every: 15m\nuntil: 2020-01-01'
warns elsewhere "no destination lies in the profile's network (North Korea)" \
	'every: 15m\ntargets: [192.0.2.1]'
warns reference 'no reference hosts' 'every: 15m'
warns prefixes 'targets[1]: 175.45.176.71 and 175.45.177.10 stand for each other' \
	'every: 15m\ntargets: [175.45.178.1, {hosts: [175.45.176.71, 175.45.176.68, 175.45.177.10]}]'
printf 'campaign: c\nvantage: v\nevery: 5m\ntargets: [10.0.0.1, 10.1.0.0/16]\nrate_pps: max\n' >"$dir/w.yaml"
plans 1 w.yaml || plans 0 w.yaml
quiet manners; verdict "a laboratory's own addresses have no manners"

# --- faults: exit 1 -----------------------------------------------------------------------------
# faults NAME TEXT LINES: a plan with these lines cannot run.
faults()
{
	printf 'campaign: c\nvantage: v\n%b\n' "$3" >"$dir/f.yaml"
	plans 1 f.yaml && says "$2" err
	verdict "unusable: $1"
}
faults grammar 'f.yaml:3:1: unknown key "how_often"' 'how_often: 5m'
faults hopeless 'f.yaml: a round cannot end before the next one begins: it takes 3 min' \
	'every: 1m\nattempts: 1\nrate_pps: 5\ntargets: [10.0.0.0/22]'
faults witness 'f.yaml: reference host 175.45.176.1 lies in the network that is watched' \
	'every: 15m\ntargets: [175.45.177.1]\nreference: [175.45.176.1]'
faults multicast 'not probed' 'every: 15m\ntargets: [224.0.0.1]'
faults file 'f.yaml: 1 list of targets cannot be read: each round would miss what it names' \
	'every: 15m\ntargets: [175.45.178.1, "@list-that-is-not"]'
says 'list-that-is-not: No such file'; verdict "which list it is"
faults files 'f.yaml: 2 lists of targets cannot be read' \
	'every: 15m\ntargets: ["@list-that-is-not", "@."]'
says 'Measurements  2 a round, 192 a day; 2 of them have no address now'; verdict "and what it costs"
faults postgresql 'store postgresql://u@h/d: a campaign keeps its records in sqlite:FILE' 'every: 15m\nstore: postgresql://u:secret@h/d'
grep -q 'postgresql://u@h/d' "$dir/out" && ! grep -q secret "$dir/out" "$dir/err"
verdict "the password of a store is not told"
faults nothing 'nothing to measure: all of it is on a do-not-probe list' \
	'every: 15m\ntargets: [175.45.177.2]'
faults time 'nothing to measure: no target holds at this time' \
	'every: 15m\ntargets: [{host: 175.45.177.9, until: 2020-01-01}]'
plans 1 nothing.yaml && says 'cannot open plan nothing.yaml' err; verdict "no such plan"
cp "$dir/sweep.yaml" "$dir/again.yaml"
plans 1 sweep.yaml again.yaml && says 'again.yaml: the campaign and vantage of sweep.yaml' err
verdict "two plans of one name"
plans 1 nothing.yaml sweep.yaml && says 'other'; verdict "one bad plan does not hide another"
plans 2; verdict "no plan"
plans 2 --no-such-option sweep.yaml; verdict "no such option"

# --- the plans that are shipped -------------------------------------------------------------------
for plan in "$shipped"/*.yaml; do
	plans 0 "$plan" && quiet '^Unusable' && quiet manners && quiet 'targets\[' && quiet 'does not end'
	verdict "shipped: $(basename "$plan")"
	# With what the user is to fill in.
	sed 's/^#\([a-z]*: [[{]\)/\1/' "$plan" >"$dir/filled.yaml"
	plans 0 filled.yaml && quiet '^Warning'
	verdict "shipped, filled in: $(basename "$plan")"
done
# As one of fifty, which share 40 packets a second into a network.
for plan in "$shipped"/*.yaml; do
	sed 's/^per_prefix_rate_pps:.*/per_prefix_rate_pps: 0.8/' "$plan" >"$dir/share.yaml"
	plans 0 share.yaml && grep -q '^per_prefix_rate_pps: 0.8' "$dir/share.yaml" && says '0.8 into one network' &&
		quiet 'does not end'
	verdict "shipped, as one of fifty: $(basename "$plan")"
done
plans 0 "$shipped"/*.yaml; verdict "all of them in one daemon"

counted
