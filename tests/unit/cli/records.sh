#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# judge, convert and diff end to end on recorded files: what comes out, byte for byte where that is
# promised, and the exit code. Nothing is sent. The profile names its carriers by prefix, so that no
# database is needed. BORDERPATH=PROGRAM tests another build.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=${BORDERPATH:-build/borderpath}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. tests/unit/counts.sh
export LC_ALL=C.UTF-8
unset NO_COLOR

# run EXIT ARGS...: borderpath with our profile; its output in $dir/out and $dir/err.
run()
{
	local want=$1 rc
	shift
	"$borderpath" "$@" --profile "$dir/profile.yaml" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	[ "$rc" -eq "$want" ] || echo "exit $rc, wanted $want" >>"$dir/err"
	[ "$rc" -eq "$want" ]
}

# objects: type, destination and border of each line of the output.
objects() { jq -r '[.type, .dst // "-", .verdict.border // "-"] | join(" ")' "$dir/out"; }

# trace SEQ START DST CARRIER RTT: a record of three hops, the middle one the carrier's.
trace()
{
	local seq=$1 start=$2 dst=$3 carrier=$4 rtt=$5 n=1 ttl=1 from
	printf '{"type":"trace","version":1,"id":"fra1-0-%s","future":{"b":[1,2.50,"x"],"a":null},' "$seq"
	printf '"vantage":"fra1","src":"203.0.113.2","dst":"%s","target":"t%s","method":"udp",' "$dst" "$seq"
	printf '"start":"%s","stop":"reached","reach":"reached","hops":[' "$start"
	for from in 203.0.113.1 "$carrier" "$dst"; do
		printf '{"ttl":%s,"probes":[' "$ttl"
		for n in 1 2 3; do
			printf '{"attempt":%s,"from":"%s","rtt_ms":%s.%s,"icmp_type":%s,"icmp_code":%s,' \
				"$n" "$from" "$((rtt * ttl / 3))" "$n" \
				"$((ttl < 3 ? 11 : 3))" "$((ttl < 3 ? 0 : 3))"
			printf '"later":"kept","flags":[]}%s' "$([ "$n" -eq 3 ] || echo ,)"
		done
		printf ']}%s' "$([ "$ttl" -eq 3 ] || echo ,)"
		ttl=$((ttl + 1))
	done
	printf ']}\n'
}

cat >"$dir/profile.yaml" <<'YAML'
profile: two
version: 2026-11-22
network: {name: Testland, asn: [64500], prefixes: [198.51.100.0/24], judge_by: {v4: 25, v6: 48}}
timezone: Asia/Pyongyang
borders:
  - {id: west, name: West, short: W, country: CN, color: "#E69F00", networks: [{asn: 64501}],
     prefixes: [{prefix: 192.0.2.0/25, asn: 64501}]}
  - {id: east, name: East, short: E, country: RU, color: "#0072B2", networks: [{asn: 64502}],
     prefixes: [{prefix: 192.0.2.128/25, asn: 64502}]}
YAML

for i in 1 2 3 4 5 6; do
	trace "$i" "2026-11-22T09:0$i:00.000000000Z" 198.51.100.7 192.0.2.1 280
	trace "2$i" "2026-11-22T09:0$i:30.000000000Z" 198.51.100.200 192.0.2.200 180
done >"$dir/before"
for i in 1 2 3 4 5 6; do
	trace "3$i" "2026-11-22T10:0$i:00.000000000Z" 198.51.100.7 192.0.2.201 180
	trace "4$i" "2026-11-22T10:0$i:30.000000000Z" 198.51.100.200 192.0.2.200 180
done >"$dir/after"
cat "$dir/before" "$dir/after" >"$dir/all"
head -n 2 "$dir/before" >"$dir/two"
cat >"$dir/others" <<'JSON'
{"type":"paths","version":1,"vantage":"fra1","dst":"198.51.100.7","target":"t1","method":"udp","start":"2026-11-22T09:01:00.000000000Z","flows":2,"verdict":{"outcome":"border","border":"west"}}
{"type":"round","version":1,"id":"r1","campaign":"c","vantage":"ams1","start":"2026-11-22T09:00:00Z","unheard":[1]}
{"type":"of-another-year","version":1,"what":"ever"}
JSON

# convert: native to native is the same bytes, whatever a newer version put in.
run 0 convert --to jsonl "$dir/all" && cmp -s "$dir/out" "$dir/all"
verdict "convert to itself changes no byte"
run 0 convert --to jsonl "$dir/others" && cmp -s "$dir/out" "$dir/others"
verdict "convert keeps objects that are no traces"
run 0 convert --to jsonl -o "$dir/copy" "$dir/two" && cmp -s "$dir/copy" "$dir/two" && [ ! -s "$dir/out" ]
verdict "convert -o writes there and nothing on stdout"
"$borderpath" convert --to jsonl - <"$dir/two" >"$dir/out" 2>"$dir/err" && cmp -s "$dir/out" "$dir/two"
verdict "'-' is stdin"

# A round that never began lies where it was planned.
printf '{"type":"round","version":1,"id":"r2","campaign":"c","vantage":"v","planned":"2026-11-22T09:15:00Z","expected":1,"done":0,"missed":1,"why":"down"}\n' \
	>"$dir/missed"
run 0 convert --to jsonl --since 2026-11-22T09:15:00Z --until 2026-11-22T09:16:00Z "$dir/missed" &&
	cmp -s "$dir/out" "$dir/missed"
verdict "a round that was missed, within --since and --until"
run 0 convert --to jsonl --since 2026-11-22T09:16:00Z "$dir/missed" && [ ! -s "$dir/out" ]
verdict "a round that was missed, before --since"

# Tables: a header once, whatever there is; what has no row is counted, what is no round is skipped.
run 0 convert --to csv "$dir/two" "$dir/two" && [ "$(wc -l <"$dir/out")" -eq 5 ] &&
	[ "$(head -n 1 "$dir/out" | cut -d, -f1-3)" = trace_id,campaign,round_id ] &&
	[ "$(grep -c trace_id "$dir/out")" -eq 1 ] && [ ! -s "$dir/err" ]
verdict "convert --to csv: a row a trace, one header"
run 0 convert --to csv-hops "$dir/two" && [ "$(wc -l <"$dir/out")" -eq 19 ]
verdict "convert --to csv-hops: a row a probe"
run 3 convert --to csv-rounds "$dir/others" && [ "$(wc -l <"$dir/out")" -eq 1 ] &&
	grep -q 'left out, since csv-rounds has no place for their kind: 2 of the records' "$dir/err" &&
	grep -q 'skipped: .*/others:2: a record that is not what its type says' "$dir/err"
verdict "convert --to csv-rounds: others are counted, a broken round is skipped"
run 0 convert --quiet --to csv-hops "$dir/others" && [ ! -s "$dir/err" ]
verdict "convert --quiet does not tell what was left out"
run 2 convert --from csv --to jsonl "$dir/two" && grep -q "'csv' is written, not read" "$dir/err"
verdict "tables are not read"

# scamper's JSON there and back: silent probes too, which it does not list.
run 0 convert --to scamper "$dir/two" && cp "$dir/out" "$dir/scamper" &&
	run 0 convert --to csv-hops "$dir/scamper" && cut -d, -f2-7 "$dir/out" >"$dir/back" &&
	run 0 convert --to csv-hops "$dir/two" && cut -d, -f2-7 "$dir/out" | cmp -s - "$dir/back"
verdict "convert to scamper's JSON and back keeps every probe"
printf '%s\n' '{"type":"ping","userid":0,"version":"0.4"}' >>"$dir/scamper"
run 3 convert --to jsonl "$dir/scamper" && [ "$(wc -l <"$dir/out")" -eq 2 ] &&
	grep -q 'scamper:3: ping: only trace and tracelb are read' "$dir/err"
verdict "scamper's other measurements are skipped with their line"

# --redact: no byte of what was to go, in any format; files are read twice, pipes too.
run 1 convert --to jsonl --redact first-hops "$dir/two" && grep -q 'run borderpath judge first' "$dir/err"
verdict "first hops are not guessed where no networks are named"
for to in jsonl atlas scamper csv csv-hops; do
	run 0 convert --to "$to" --redact src,first-hops=1 "$dir/two" && [ -s "$dir/out" ] &&
		! grep -qF 203.0.113. "$dir/out" && grep -qF 198.51.100.7 "$dir/out"
	verdict "--redact src,first-hops=1 to $to"
	# shellcheck disable=SC2002
	cat "$dir/two" | "$borderpath" convert --to "$to" --redact src,first-hops=1 - 2>"$dir/err" |
		cmp -s - "$dir/out"
	verdict "--redact of a pipe to $to"
	"$borderpath" convert --to "$to" --redact src,first-hops=1 <(head -n 1 "$dir/two") \
		<(tail -n 1 "$dir/two") 2>"$dir/err" | cmp -s - "$dir/out"
	verdict "--redact of two named pipes to $to"
done
run 0 judge --format jsonl "$dir/two" && cp "$dir/out" "$dir/judged" &&
	run 0 convert --to jsonl --redact first-hops "$dir/judged" && ! grep -qF '"203.0.113.1"' "$dir/out" &&
	! grep -qF '"192.0.2.1"' "$dir/out" && grep -qF '"src":"203.0.113.2"' "$dir/out" &&
	grep -qF '"from":"198.51.100.7"' "$dir/out"
verdict "--redact first-hops: the first network that is named counts as the own, if nothing else tells"
run 2 convert --to jsonl --redact dst "$dir/two" && grep -q 'first-hops=N' "$dir/err"
verdict "--redact refuses what it does not know"

# flows TARGET CARRIER...: a trace a carrier, each a flow of one target, and what they show together,
# with a verdict and shares of another profile's.
flows()
{
	local target=$1 flow=0 carrier
	shift
	for carrier; do
		trace "$target" 2026-11-22T09:00:00.000000000Z 198.51.100.7 "$carrier" 280 |
			sed "s/\"method\"/\"flow\":$flow,&/"
		flow=$((flow + 1))
	done
	printf '{"type":"paths","version":1,"vantage":"fra1","dst":"198.51.100.7","target":"t%s",' "$target"
	printf '"method":"udp","flows":%s,"level":95,"shares":{"old":1},"counts":{"old":%s},' "$flow" "$flow"
	printf '"later":[1.5],"verdict":{"outcome":"border","border":"old"}}\n'
}

# Several flows are judged together as they are judged alone: anew.
{ flows 1 192.0.2.1 192.0.2.200 192.0.2.2 192.0.2.201; flows 2 192.0.2.1 192.0.2.2; } >"$dir/flows"
run 0 judge --format jsonl "$dir/flows" && [ ! -s "$dir/err" ] &&
	[ "$(jq -c 'select(.type == "paths") | [.verdict.outcome, .shares, .counts, .later]' "$dir/out" |
		tr '\n' ' ')" = '["mixed",{"west":0.5,"east":0.5},{"west":2,"east":2},[1.5]] ["border",{"west":1},{"west":2},[1.5]] ' ]
verdict "judge gives a paths object the verdict of its flows, and their shares"
run 0 judge "$dir/flows" && grep -q '^t1, 4 flows together:$' "$dir/out" &&
	grep -q 'takes several borders at once: West 0.50, East 0.50' "$dir/out"
verdict "judge tells people of the flows together"
# Another round of the same target, cut short: its paths object is not the first round's.
{ flows 1 192.0.2.1 192.0.2.200; flows 1 192.0.2.1 192.0.2.200 | tail -n 2; } >"$dir/short"
run 0 judge --format jsonl "$dir/short" && grep -q '1 paths object keeps the verdict' "$dir/err" &&
	[ "$(jq -c 'select(.type == "paths") | .shares' "$dir/out" | tr '\n' ' ')" = '{"west":0.5,"east":0.5} {"old":1} ' ]
verdict "a paths object without all its flows keeps its verdict, and that is said"

# What is left out is counted: exit 3, and the rest is there.
{ head -n 1 "$dir/two"; echo '{"type":"trace"'; tail -n 1 "$dir/two"; } >"$dir/cut"
run 3 convert --to jsonl "$dir/cut" && cmp -s "$dir/out" "$dir/two" && grep -q 'cut:2: ' "$dir/err"
verdict "a broken line is skipped, told with its number, and the exit says partial"

# Of many that are left out, the first are told and the rest is a number.
for _ in {1..30}; do echo '{"type":"trace"'; done >"$dir/bad"
run 3 convert --to jsonl --from jsonl "$dir/bad" && [ ! -s "$dir/out" ] &&
	[ "$(grep -c '^borderpath: skipped: .*/bad:' "$dir/err")" -eq 20 ] &&
	[ "$(tail -n 1 "$dir/err")" = "borderpath: $dir/bad: 30 records skipped, 0 read; -v tells of each" ]
verdict "all records of a file are skipped: exit 3, twenty lines and a sum"
run 3 convert -v --to jsonl --from jsonl "$dir/bad" "$dir/two" && cmp -s "$dir/out" "$dir/two" &&
	[ "$(grep -c '^borderpath: skipped: ' "$dir/err")" -eq 30 ] &&
	[ "$(grep -c 'records skipped, 0 read$' "$dir/err")" -eq 1 ]
verdict "-v tells each of them"
{ cat "$dir/two"; for _ in {1..25}; do echo '{"type":"round","version":1,"id":"r"}'; done; } >"$dir/rounds"
run 3 convert --to csv-rounds "$dir/rounds" "$dir/rounds" &&
	[ "$(grep -c 'skipped: .*not what its type says$' "$dir/err")" -eq 40 ] &&
	[ "$(grep -c ': 25 records skipped, 27 read; -v' "$dir/err")" -eq 2 ]
verdict "what cannot be written is told so, too, of each file"
run 1 convert --to jsonl "$dir/profile.yaml" && grep -q 'no format that borderpath reads' "$dir/err"
verdict "nothing that could be recognised: exit 1"

# selected COUNT ARGS...: so many of the 24 traces are chosen.
selected()
{
	local want=$1
	shift
	run 0 convert --to jsonl "$@" "$dir/all" && [ "$(wc -l <"$dir/out")" -eq "$want" ]
	verdict "convert $*: $want records"
}
selected 12 --since 2026-11-22T10:00:00Z
selected 12 --until 2026-11-22T10:00:00Z
selected 10 --since 2026-11-22T09:02:00Z --until 2026-11-22T09:07:00Z
selected 12 --since 2026-11-22T19:00:00+09:00
selected 0 --since 2099-01-01
selected 12 --prefix 198.51.100.128/25
selected 12 --target 198.51.100.7
selected 1 --target t3
selected 24 --vantage fra1
selected 0 --vantage ams1
selected 24 --method udp
selected 0 --method icmp
selected 0 --border west # nothing is judged yet

run 0 convert --to jsonl --vantage ams1 "$dir/others" && [ "$(objects)" = "round - -
of-another-year - -" ]
verdict "paths of another vantage point are left out, what tells none stays"
run 0 convert --to jsonl --border east "$dir/others" && ! grep -q '"paths"' "$dir/out"
verdict "paths with another verdict are left out"
run 0 convert --to jsonl --until 2026-11-22T09:00:30Z "$dir/others" && ! grep -q '"paths"' "$dir/out"
verdict "paths of another time are left out"

# judge: adds, and touches nothing else.
run 0 judge --format jsonl "$dir/two" && [ "$(objects)" = "trace 198.51.100.7 west
trace 198.51.100.200 east" ]
verdict "judge names the border of each"
cp "$dir/out" "$dir/judged"
jq -c 'del(.names, .geo, .verdict)' "$dir/judged" >"$dir/raw" && jq -c . "$dir/two" | cmp -s - "$dir/raw"
verdict "judge keeps every other field, its place, and what it does not know"
run 0 judge --format jsonl "$dir/judged" && cmp -s "$dir/out" "$dir/judged"
verdict "judging what is judged, by the same data, changes no byte"
run 0 judge --format jsonl --border east "$dir/all" && [ "$(objects | sort -u)" = "trace 198.51.100.200 east
trace 198.51.100.7 east" ]
verdict "judge --border selects by the new verdict"
run 0 convert --to jsonl --border west "$dir/judged" && [ "$(objects)" = "trace 198.51.100.7 west" ]
verdict "convert --border selects by the verdict in the record"
run 0 judge --format jsonl "$dir/others" && cmp -s "$dir/out" "$dir/others"
verdict "judge lets through what is no trace"
run 0 judge "$dir/two" && grep -q 'enters by West' "$dir/out" &&
	grep -qE '^198\.51\.100\.128/25 +198\.51\.100\.200 +udp +East ' "$dir/out" &&
	! grep -q $'\033' "$dir/out"
verdict "judge for people: a sentence, a summary, no colours in a pipe"
run 0 judge --color always "$dir/two" && grep -q $'\033\\[38;5;' "$dir/out"
verdict "--color always"
NO_COLOR=1 run 0 judge --color auto "$dir/two" && ! grep -q $'\033' "$dir/out"
verdict "NO_COLOR"
LC_ALL=C run 0 judge "$dir/two" && ! grep -q '[^ -~]' "$dir/out"
verdict "plain ASCII where the locale has no more"

# diff: 0 the same, 1 changed, 2 trouble.
run 0 diff "$dir/before" "$dir/before" && grep -q '^No change seen in 2 of 2 networks' "$dir/out"
verdict "diff of a file with itself"
run 1 diff "$dir/before" "$dir/after" && grep -q 'moved from .* (West to East)' "$dir/out" &&
	grep -qE '^fra1 .*198\.51\.100\.128/25 .*East +same' "$dir/out"
verdict "diff of two files tells the switch, and only that"
for i in {10..21}; do
	trace "5$i" "2026-11-22T09:$i:00.000000000Z" 198.51.100.7 192.0.2.1 280
	trace "6$i" "2026-11-22T10:$i:00.000000000Z" 198.51.100.7 192.0.2.201 180 >&3
	trace "7$i" "2026-11-22T10:$i:30.000000000Z" 198.51.100.7 192.0.2.1 280 >&3
done >"$dir/one" 3>"$dir/half"
run 1 diff "$dir/one" "$dir/half" && grep -q 'to several carriers (West to mixed)' "$dir/out"
verdict "diff tells what takes several borders now"
run 1 diff --format jsonl "$dir/before" "$dir/after" && [ "$(wc -l <"$dir/out")" -eq 1 ] &&
	jq -e '.type == "diff" and .comparable' "$dir/out" >/dev/null
verdict "diff as JSON is one object"
run 1 diff --at 2026-11-22T09:30:00Z "$dir/all"
verdict "diff --at"
run 0 diff --at 2026-11-22T09:30:00Z --prefix 198.51.100.128/25 "$dir/all"
verdict "diff --at of the network that did not move"
run 2 diff --at 2026-11-22T09:30:00Z --after 10m "$dir/all" && grep -q 'Too little' "$dir/out"
verdict "diff --after leaves nothing to compare with"
run 2 diff "$dir/before" "$dir/missing" && grep -q 'cannot read' "$dir/err" && [ ! -s "$dir/out" ]
verdict "diff with a file that is not there"
run 2 diff --before 1h "$dir/before" "$dir/after" && grep -q 'go with --at' "$dir/err"
verdict "--before without --at"
"$borderpath" diff --profile "$dir/profile.yaml" "$dir/before" "$dir/after" >/dev/full 2>"$dir/err"
[ $? -eq 2 ] && [ "$(grep -c 'cannot write' "$dir/err")" -eq 1 ]
verdict "diff to a full disk is trouble, not a change"

# A reader that went away, as head(1) does: exit 1 (diff: 2), and no word.
exec 3> >(:)
wait $!
for words in 'judge --profile YAML FILE' 'convert --to jsonl FILE' help --version; do
	words=${words//FILE/$dir/two}
	# shellcheck disable=SC2086
	"$borderpath" ${words//YAML/$dir/profile.yaml} >&3 2>"$dir/err"
	[ $? -eq 1 ] && [ ! -s "$dir/err" ]
	verdict "$words, a pipe that nobody reads"
done
"$borderpath" diff --profile "$dir/profile.yaml" "$dir/before" "$dir/after" >&3 2>"$dir/err"
[ $? -eq 2 ] && [ ! -s "$dir/err" ]
verdict "diff, a pipe that nobody reads"
exec 3>&-

# Standard streams that came closed, or a full disk: told once, exit 1.
for closed in 'judge --profile YAML FILE' 'convert --to jsonl FILE' 'profile show' --version help 'help trace'; do
	words=${closed//FILE/$dir/two}
	words=${words//YAML/$dir/profile.yaml}
	# shellcheck disable=SC2086
	"$borderpath" $words >&- 2>"$dir/err"
	[ $? -eq 1 ] && [ "$(grep -c 'cannot write to standard output: Bad file' "$dir/err")" -eq 1 ]
	verdict "$closed, stdout closed"
	# shellcheck disable=SC2086
	"$borderpath" $words >/dev/full 2>"$dir/err"
	[ $? -eq 1 ] && [ "$(grep -c 'cannot write to standard output: No space' "$dir/err")" -eq 1 ]
	verdict "$closed, full disk"
done
"$borderpath" judge --profile "$dir/profile.yaml" "$dir/two" <&- 2>&- >"$dir/out" && [ -s "$dir/out" ]
verdict "stdin and stderr closed hurt nobody who does not need them"

counted
