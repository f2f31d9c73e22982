#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/store.sh BENCH_STORE [DOC] - the store's figures: the day of a fleet of 50 vantage
# points, then 1, 3 and 10 days of a small one; told, and written to DOC.
#
# BENCH_STORE_SCALE=N divides the fleet (50/N vantage points; what was run is in the text).
# BENCH_STORE_DIR: where the stores are made (default: a directory of mktemp's, taken away again).

set -eu
bench=$1 doc=${2-}
scale=${BENCH_STORE_SCALE:-1}
fleet=$((50 / scale)) small=2 seed=20261122
((fleet > 0)) || fleet=1
dir=$(mktemp -d "${BENCH_STORE_DIR:-${TMPDIR:-/tmp}}/bench-store.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# run VANTAGES DAYS: the lines of one run, in $dir/VxD.
run() {
	local out=$dir/$1x$2
	mkdir "$dir/store"
	"$bench" "$dir/store" "$1" "$2" $seed >"$out"
	rm -rf "$dir/store"
}

# figure VANTAGES DAYS NAME [FORMAT]
figure() {
	awk -F'\t' -v n="$3" -v f="${4:-%.0f}" '$1 == n { printf f, $2 }' "$dir/$1x$2"
}

# row TEXT NAME FORMAT UNIT: one line of the table over days.
row() {
	printf '| %s | %s | %s | %s |\n' "$1" "$(figure $small 1 "$2" "$3")$4" \
		"$(figure $small 3 "$2" "$3")$4" "$(figure $small 10 "$2" "$3")$4"
}

run "$fleet" 1
for days in 1 3 10; do
	run $small $days
done

"$(dirname "$bench")/bench_convert" >"$dir/convert"

# atlas NAME: a figure of bench_convert.
atlas() {
	awk -F'\t' -v n="$1" '$1 == n { print $2 }' "$dir/convert"
}

text() {
	local f=$fleet
	cat <<-END
	# Figures of the store

	\`make bench-store\`: $(date -u +%Y-%m-%d), $(nproc) cores, $(uname -sr), SQLite $("$bench" --sqlite).
	$f vantage points x 1024 targets x 96 rounds, 15 hops, one attempt, from seed $seed
	(tests/bench/sim_day.h); $(figure "$f" 1 distinct_paths %.1f) % of the path hashes of a vantage point's day are distinct. Each round
	is a transaction of its own, durable when it returns (WAL, synchronous=FULL). Wall time of the store
	alone: making up the records is not counted. Cold: the store's pages are dropped from the page cache
	(posix_fadvise) and it is opened anew. To reach is what was asked of a machine with 2 cores.

	| one day of $f vantage points | measured | to reach |
	|---|---|---|
	| traces in the store | $(figure "$f" 1 traces) | |
	| written, a second | $(figure "$f" 1 write_rate) | 30,000 |
	| on disk a trace, everything included | $(figure "$f" 1 bytes_a_trace %.1f) B | 190 B |
	| border per hour of one vantage point over the day ($(figure "$f" 1 hours_traces) traces), cold | $(figure "$f" 1 hours_cold %.3f) s | 0.1 s |
	| the same, warm | $(figure "$f" 1 hours_warm %.3f) s | |
	| \`borderpath diff\` of two half hours over all ($(figure "$f" 1 groups_traces) traces), cold | $(figure "$f" 1 diff_cold %.2f) s ($(figure "$f" 1 diff_cold_cpu %.2f) s of processor time) | 0.5 s |
	| the same, warm | $(figure "$f" 1 diff_warm %.2f) s ($(figure "$f" 1 diff_warm_cpu %.2f) s) | |
	| \`borderpath diff\` of the whole day, noon in its middle, cold | $(figure "$f" 1 diff_day %.1f) s ($(figure "$f" 1 diff_day_cpu %.1f) s; $(figure "$f" 1 diff_day_rss %.0f) MB) | 5 s |
	| \`borderpath report --format html\` of the day, cold | $(figure "$f" 1 page_day %.1f) s ($(figure "$f" 1 page_day_cpu %.1f) s; $(figure "$f" 1 page_day_rss %.0f) MB), a page of $(figure "$f" 1 page_bytes %.0f) B | 10 s, 2 MB |
	| of the half hours: grouped by the store ($(figure "$f" 1 groups_traces) traces, $(figure "$f" 1 groups) groups), cold | $(figure "$f" 1 groups_cold %.3f) s | |
	| the same, warm | $(figure "$f" 1 groups_warm %.3f) s | |
	| store to JSON Lines, records a second ($(figure "$f" 1 jsonl_bytes) B each, with names and verdict) | $(figure "$f" 1 jsonl_rate) | |
	| RIPE Atlas JSON to JSON Lines, traces a second (15 hops x 3, $(atlas atlas_3_bytes) B each) | $(atlas atlas_3_rate) ($(atlas atlas_3_cpu_rate) of processor time) | 20,000 |
	| the same, 15 hops x 1, $(atlas atlas_1_bytes) B each | $(atlas atlas_1_rate) ($(atlas atlas_1_cpu_rate)) | |

	| $small vantage points | 1 day | 3 days | 10 days |
	|---|---|---|---|
	$(row 'traces in the store' traces %.0f '')
	$(row 'written a second, on the last day' write_rate_last_day %.0f '')
	$(row 'on disk a trace' bytes_a_trace %.1f ' B')
	$(row 'border per hour of one, on the last day, cold' hours_cold %.3f ' s')
	$(row 'the same, warm' hours_warm %.3f ' s')
	$(row 'two half hours over all, grouped, cold' groups_cold %.3f ' s')
	$(row 'the same, warm' groups_warm %.3f ' s')
	$(row 'the whole diff, cold' diff_cold %.2f ' s')

	Load average when it ended: $(cut -d' ' -f1-3 /proc/loadavg) (its own share is about 1). The 3 and 10 days are of $small vantage points, not of $f: ten days of 50 are 49 million traces and
	more than the few minutes that this may take. On a machine that does other things meanwhile the rates
	are lower, and the first figure to suffer is the cold one.
	END
}

text
[ -z "$doc" ] || text >"$doc"
