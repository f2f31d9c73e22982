#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# report, and the pages of report, events and diff, end to end on rounds written by rounds.pl: what is
# in them, annotations, -o, exit codes. Nothing is sent; the profile names its carriers by prefix, so
# that no database is needed.

# shellcheck disable=SC2154  # dir, t0 and borderpath are the bed's
# shellcheck source=tests/unit/cli/changes_bed.sh
. "$(dirname "$0")/changes_bed.sh"

# count PATTERN: lines of the output with it.
count() { grep -cE -- "$1" "$dir/out"; }
# has PATTERN: 1 when it is in the output.
has() { grep -qE -- "$1" "$dir/out" && echo 1 || echo 0; }
rounds fra1 $t0 24 12-23:10:east >"$dir/fra1"
rounds sin1 $((t0 + 60)) 24 12-23:10:east 4-6:all:missed >"$dir/sin1"
rounds fra1 $t0 24 >"$dir/quiet"

# --- report ----------------------------------------------------------------------------------------
run 0 report "$dir/fra1"
same "how it stands" 1 "$(has 'As of 2026-11-22 .* UTC')"
same "a line for each network" 2 "$(count '^198\.18\.[12]0\.0/24 +fra1')"
same "the event" 1 "$(has 'border switch, confirmed')"
same "what is measured, and what not" 1 "$(has 'not traffic volume and not the way back')"
run 0 report --format json "$dir/fra1" "$dir/sin1"
same "one object, type first" '1 {"type":"report","version":1,' \
	"$(wc -l <"$dir/out") $(head -c 29 "$dir/out")"
same "both vantage points" "fra1 24 0 sin1 21 3" \
	"$(jq -r '[.vantage_points[] | .vantage, .rounds, .missed] | join(" ")' "$dir/out")"
same "rounds, measured or not" "45 3" "$(jq -r '"\(.rounds) \(.missed)"' "$dir/out")"
same "the switch, from both" "2 2" "$(jq -r '.events[] | select(.kind == "border_switch") |
	"\(.seen_by) \(.seen_of)"' "$dir/out")"
cp "$dir/out" "$dir/both"
run 0 report --format json "$dir/sin1" "$dir/fra1" "$dir/fra1"
same "whatever the order, and once" "" "$(diff "$dir/both" "$dir/out")"
run 0 report --format json --vantage sin1 "$dir/sin1" "$dir/fra1"
same "of one vantage point" "sin1" "$(jq -r '.vantage_points[].vantage' "$dir/out")"
run 0 report --format json --border east "$dir/fra1"
same "of one border: what was entered by it, whole" "96 198.18.10.0/24 1" \
	"$(jq -r '"\(.traces) \([.rows[].prefix] | unique | join(" ")) \(.events | map(select(.kind == "border_switch")) | length)"' "$dir/out")"
run 0 report --format json --border west "$dir/fra1"
same "of the other: both" "192" "$(jq -r .traces "$dir/out")"
run 0 report --format json --border east --since 2026-11-22T01:00:00Z "$dir/fra1"
run 1 report --border east --until 2026-11-22T02:00:00Z "$dir/fra1"
same "of none in the window" "borderpath: nothing was measured there" "$(cat "$dir/err")"
run 0 report --format json --since 2026-11-22T01:00:00Z --until 2026-11-22T02:00:00Z "$dir/fra1"
same "of a window" "4 2026-11-22T01:00:00" "$(jq -r '"\(.rounds) \(.since[:19])"' "$dir/out")"
run 0 report "$dir/quiet"
same "nothing happened: what would have been seen" 1 "$(has 'No change seen')"
run 1 report --since 2027-01-01T00:00:00Z "$dir/fra1"
same "nothing measured" "borderpath: nothing was measured there" "$(cat "$dir/err")"
rounds fast1 $(((EPOCHSECONDS / 900 + 96) * 900)) 4 >"$dir/fast1"
run 0 report --format json "$dir/fra1" "$dir/fast1"
same "a clock that is ahead by a day: told, and nobody else is down by it" \
	"2026-11-22T05:45:00 fra1:false 36" \
	"$(jq -r '"\(.as_of[:19]) \([.vantage_points[] | "\(.vantage):\(.down)"] | join(" "))"' "$dir/out") $(
	grep -oE 'left out: [0-9]+ .* of fast1' "$dir/err" | tr -dc '0-9 ' | awk '{print $1}')"
run 0 report --format json --until 2100-01-01T00:00:00Z "$dir/fra1" "$dir/fast1"
same "taken where they are asked for" "fast1 fra1" \
	"$(jq -r '[.vantage_points[].vantage] | join(" ")' "$dir/out")"
run 1 report "$dir/none"
same "one line" 1 "$(wc -l <"$dir/err")"
run 3 report --format json "$dir/fra1" "$dir/none"

# --- pages -----------------------------------------------------------------------------------------
cat >"$dir/known.csv" <<'CSV'
start_utc,end_utc,kind,prefixes,source
2026-11-22T03:00:10Z,,transit_added,"198.18.10.0/24, <b>all</b>",a routing table
2026-11-22T03:30:00Z,2026-11-22T04:00:00Z,unstable,,same
CSV
for command in "report" "events" "diff --at 2026-11-22T03:00:00Z"; do
	# shellcheck disable=SC2086
	run "$([ "${command%% *}" = diff ] && echo 1 || echo 0)" $command --format html \
		--annotate "$dir/known.csv" "$dir/fra1" "$dir/sin1"
	same "$command: one page" "1 1" "$(count '^<!DOCTYPE html>') $(count '^</html>')"
	same "$command: stands alone" 0 "$(has '(src|href)="?(https?:)?//')"
	same "$command: as it was typed" 1 "$(has "borderpath ${command%% *} .*--format html")"
	same "$command: annotations" "1 1" "$(has 'transit_added, 198.18.10.0/24') $(has 'unstable')"
	same "$command: none becomes markup" 0 "$(has '<b>all</b>')"
	same "$command: a source said by 'same'" 1 "$(has 'a routing table')"
done
run 1 diff --format html "$dir/quiet" "$dir/fra1"
same "diff of two sets: a page without a window" 1 "$(count '^<!DOCTYPE html>')"
run 2 diff --at 2027-11-22T03:00:00Z --format html "$dir/fra1"
same "too little to compare is a page, and no 'no change'" "1 0" \
	"$(has 'Too little to compare') $(has 'No change seen')"
run 0 diff --at 2026-11-22T03:00:00Z "$dir/quiet"
same "no change: what would have been seen" 1 "$(tr '\n' ' ' <"$dir/out" | grep -c 'No change seen .* would have been seen')"

# --- annotations that cannot be read ----------------------------------------------------------------
refused() {
	printf '%b' "$2" >"$dir/bad.csv"
	run 1 report --format html --annotate "$dir/bad.csv" "$dir/fra1"
	same "annotations: $1" "borderpath: $dir/bad.csv:$3" "$(cat "$dir/err")"
	same "annotations: $1: nothing is printed" 0 "$(wc -c <"$dir/out")"
}
refused "no time" 'time,label\n2026-11-22,ok\nyesterday,b\n' \
	"3: 'yesterday' is no time such as 2017-10-01T09:07:51Z"
refused "a moment that is relative" 'time,label\n2h ago,b\n' "2: '2h ago' is no time such as 2017-10-01T09:07:51Z"
refused "an end before the begin" 'from,to,label\n2026-11-22,2026-11-21,x\n' "2: ends before it begins"
refused "no column of times" 'a,b\n1,2\n' "1: no column of times: name one start_utc, time or date"
refused "a quote that does not end" 'time,label\n2026-11-22,"x\n' "2: a quoted field that does not end"
run 1 report --format html --annotate "$dir/none" "$dir/fra1"
: >"$dir/bad.csv"
run 1 report --format html --annotate "$dir/bad.csv" "$dir/fra1"
same "annotations: empty" "borderpath: $dir/bad.csv: an empty file" "$(cat "$dir/err")"
run 2 report --annotate "$dir/known.csv" "$dir/fra1"
run 2 diff --at 2026-11-22T03:00:00Z --annotate "$dir/none" --format html "$dir/fra1"
printf '2026-11-22T03:10:00Z;moved;us\n' >"$dir/bare.csv"
run 0 report --format html --annotate "$dir/bare.csv" "$dir/fra1"
same "annotations without names of columns" 1 "$(has 'moved')"
if [ -r ../shared/data/events/nk_routing_events.csv ]; then
	run 0 report --format html --annotate ../shared/data/events/nk_routing_events.csv "$dir/fra1"
else
	echo "skipped: no ../shared/data/events"
fi

# --- outputs ---------------------------------------------------------------------------------------
run 0 report --format html -o "$dir/page.html" "$dir/fra1"
same "-o" "1 0" "$(grep -c '^</html>' "$dir/page.html") $(wc -c <"$dir/out")"
cp "$dir/page.html" "$dir/before"
run 1 report --format html -o "$dir/page.html" "$dir/none"
same "-o: what was there stays when there is no result" "" "$(cmp "$dir/page.html" "$dir/before")"
run 1 report -o "$dir" "$dir/fra1"
run 1 report -o "$dir/no/where" "$dir/fra1"
same "-o: nothing is left beside it" "" "$(find "$dir" -name 'page.html.*')"
run 2 diff -o "$dir/no/where" "$dir/quiet" "$dir/fra1"
if [ -w /dev/full ]; then
	for command in report events; do
		timeout 60 "$borderpath" $command --profile "$dir/profile.yaml" "$dir/fra1" >/dev/full 2>"$dir/err"
		same "$command: stdout is full" "1 1" "$? $(wc -l <"$dir/err")"
		run 1 $command -o /dev/full "$dir/fra1"
	done
	run 2 diff -o /dev/full "$dir/quiet" "$dir/fra1"
fi
run 0 report -o /dev/null "$dir/fra1"
same "-o: a device stays one" 1 "$([ -c /dev/null ] && echo 1)"

# --- usage -----------------------------------------------------------------------------------------
run 2 report --format xml "$dir/fra1"
run 2 judge --format html "$dir/fra1"
run 2 report --new "$dir/fra1"
run 2 report --since soon "$dir/fra1"
run 2 report

counted
