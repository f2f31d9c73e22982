#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# borderpath shifts: text and events, what is skipped, exit codes; a step is found at its row whatever
# the notation of the file.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=${BORDERPATH:-build/borderpath}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# same WHAT WANT GOT
same() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'not ok: %s:\nwanted: %s\ngot:    %s\n' "$1" "$2" "$3"
	fi
}

# run ARGS...: stdout in $dir/out, stderr in $dir/err, the exit code in $rc.
run() {
	"$borderpath" shifts "$@" >"$dir/out" 2>"$dir/err"
	rc=$?
}

# series FORMAT: 60 points of 282 ms, two lost, 60 of 186 ms, a quarter of an hour apart; FORMAT makes
# a line of the seconds since 2016-10-13 00:00 UTC ($1) and the delay ($2, empty: lost).
series() {
	awk 'BEGIN {
		for (i = 0; i < 122; i++) {
			ms = (i < 61 ? 282 : 186) + (i * 7 % 11) / 10
			print i * 900, i == 60 || i == 61 ? "" : ms
		}
	}' | while read -r s ms; do "$1" "$s" "$ms"; done
}

epoch() { printf '%s,%s\n' $((1476316800 + $1)) "$2"; }
slashed() { printf '%s;%s\r\n' "$(printf '%(%d/%m/%Y %H:%M)T' $((1476316800 + $1)))" "${2/./,}"; }
american() { printf '%s\t%s\n' "$(printf '%(%m/%d/%Y %H:%M)T' $((1476316800 + $1)))" "${2:--1}"; }
rfc3339() { printf '%s;%s\n' "$(printf '%(%Y-%m-%dT%H:%M:%SZ)T' $((1476316800 + $1)))" "${2:-*}"; }
alone() { printf '%s\n' "${2:-nan}"; }
export TZ=UTC

event='"index":62'
for format in epoch slashed american rfc3339 alone; do
	{
		[ "$format" != slashed ] || printf 'date;rtt\r\n'
		series "$format"
	} >"$dir/$format.csv"
	run --format jsonl "$dir/$format.csv"
	same "$format: exit" 0 "$rc"
	same "$format: one event" 1 "$(wc -l <"$dir/out")"
	same "$format: at its row" "$event" "$(grep -o '"index":[0-9]*' "$dir/out")"
	same "$format: levels" '"before_ms":282.5 "after_ms":186.5' \
		"$(grep -oE '"(before|after)_ms":[0-9.]*' "$dir/out" | tr '\n' ' ' | sed 's/ $//')"
	[ "$format" != alone ] || continue
	same "$format: moment" '"not_before":"2016-10-13T14:45:00.000000000Z","not_after":"2016-10-13T15:30:00.000000000Z"' \
		"$(grep -o '"not_before":"[^"]*","not_after":"[^"]*"' "$dir/out")"
done
same 'without times no moment' '' "$(grep -o '"not_before"' "$dir/out")"
same 'type first' '{"type":"event",' "$(head -c 16 "$dir/out")"
same 'kind' '"kind":"rtt_shift"' "$(grep -o '"kind":"[^"]*"' "$dir/out")"

run "$dir/epoch.csv"
same 'text: exit' 0 "$rc"
same 'text: heading' "$dir/epoch.csv: 122 points, 2 lost, 2016-10-13 00:00:00 to 2016-10-14 06:15:00 UTC: 1 shift" \
	"$(head -1 "$dir/out")"
same 'text: row' '2016-10-13 14:45:00 2016-10-13 15:30:00 282.5 186.5 -96.0 62' \
	"$(awk 'NR == 3 { print $1, $2, $3, $4, $5, $6, $7, $NF }' "$dir/out")"
same 'text: nothing on stderr' '' "$(cat "$dir/err")"

run - <"$dir/epoch.csv"
same 'standard input' 'standard input: 122 points' "$(head -1 "$dir/out" | cut -d, -f1)"

head -40 "$dir/epoch.csv" >"$dir/still.csv"
run "$dir/still.csv"
same 'nothing found is a result' "0 1 no shift" \
	"$rc $(wc -l <"$dir/out") $(grep -o 'no shift' "$dir/out")"
run --format jsonl "$dir/still.csv"
same 'and no event' "0 " "$rc $(cat "$dir/out")"

sed '10s/.*/yesterday,5/; 20s/,.*/,fast/' "$dir/epoch.csv" >"$dir/bad.csv"
run --format jsonl "$dir/bad.csv"
same 'bad rows: exit' 3 "$rc"
same 'bad rows: told' "borderpath: $dir/bad.csv:10: no time: 'yesterday'; skipped
borderpath: $dir/bad.csv:20: no round-trip time: 'fast'; skipped" "$(cat "$dir/err")"
same 'bad rows are counted by the index' "$event" "$(grep -o '"index":[0-9]*' "$dir/out")"
run --quiet "$dir/bad.csv"
same 'quiet' "3 " "$rc $(cat "$dir/err")"
for ((i = 0; i < 40; i++)); do echo "x,y"; done >>"$dir/bad.csv"
run "$dir/bad.csv"
same 'many bad rows' "borderpath: $dir/bad.csv: 22 rows more skipped" "$(tail -1 "$dir/err")"

run "$dir/none.csv"
same 'no such file' "1 " "$rc $(cat "$dir/out")"
run "$dir/none.csv" "$dir/epoch.csv"
same 'one of two' "3 1" "$rc $(grep -c '1 shift' "$dir/out")"
run "$dir"
same 'a directory' 1 "$rc"
run <"$dir/epoch.csv"
same 'no file: standard input' "0 1" "$rc $(grep -c '^standard input: .*1 shift' "$dir/out")"
run --unit minutes "$dir/epoch.csv"
same 'no such unit' 2 "$rc"
run --rtt-col delay "$dir/epoch.csv"
same 'no such column' 1 "$rc"
# Two targets in turn, each row of the other one's level: one moves, at its own time.
perl -e 'print "time,vantage,dst,rtt_ms\n"; for my $i (0 .. 79) { my $t = 1476316800 + 240 * $i;
	print "$t,a,192.0.2.1,", 20 + ($i * 7 % 5) / 10, "\n$t,a,198.51.100.1,",
	($i < 40 ? 80 : 120) + ($i * 3 % 5) / 10, "\n" }' >"$dir/two.csv"
run --format jsonl "$dir/two.csv"
same 'two series in a file' "0 1 81" "$rc $(wc -l <"$dir/out") $(grep -o '"index":[0-9]*' "$dir/out" | cut -d: -f2)"
run "$dir/two.csv"
same 'which is named' "1 1" "$(grep -c ', a 198.51.100.0/24: 80 points, .*: 1 shift$' "$dir/out") $(
	grep -c ': no shift in 1 of 2 series$' "$dir/out")"
run --series-col none --format jsonl "$dir/two.csv"
same 'as one series it is noise' "0 0" "$rc $(wc -l <"$dir/out")"
run --series-col vantage,3 "$dir/two.csv"
same 'columns named' 1 "$(grep -c ', a 198.51.100.1: 80 points' "$dir/out")"
run --series-col what "$dir/two.csv"
same 'no such column of series' 1 "$rc"
run --unit us --format jsonl "$dir/epoch.csv"
same 'in microseconds nothing moves by a millisecond' "0 " "$rc $(cat "$dir/out")"

# Real series that the project was handed: in the one prefix a shift from the one place, else none.
shared=../shared/data/nk-latency
if [ -d "$shared" ]; then
	for place in UK DE; do
		for prefix in 175.45.176 175.45.178; do
			grep -E "^scan|,$prefix\." "$shared/nmap_latency_2021_$place.csv" >"$dir/part.csv"
			run --format jsonl "$dir/part.csv"
			same "$place $prefix" "0 $([ $place.$prefix = UK.175.45.178 ] && echo 2 || echo 0)" \
				"$rc $(wc -l <"$dir/out")"
		done
		# As they come, rows of both prefixes in turn: told apart by network.
		run --format jsonl "$shared/nmap_latency_2021_$place.csv"
		same "$place" "0 $([ $place = UK ] && echo 2 || echo 0)" "$rc $(wc -l <"$dir/out")"
	done
else
	echo "skipped: $shared is not there"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
