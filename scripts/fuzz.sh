#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/fuzz.sh [SECONDS|RUNSx [TARGET...]] - build the fuzz targets with clang's libFuzzer, ASan
# and UBSan, and run each for SECONDS (60), or with an x behind it until so many executions are done
# (10000000x). TARGET is a name as in tests/fuzz/fuzz_NAME.c. FUZZ_JOBS is how many run at once (as
# many as there are processors).
#
# New inputs go to build/fuzz/NAME/corpus, never into the tree; a finding stays in
# build/fuzz/NAME/ and belongs, made small, into tests/fuzz/corpus/NAME with its fix. A target ends
# at its first finding.

set -u
cd "$(dirname "$0")/.." || exit 1

amount=${1:-60}
shift
case $amount in
*[!0-9x]* | x* | *x?* | 0 | 0x)
	echo "usage: scripts/fuzz.sh [SECONDS|RUNSx [TARGET...]]" >&2
	exit 2
	;;
*x) limit="-runs=${amount%x}" ;;
*) limit="-max_total_time=$amount" ;;
esac
scripts/deps.sh build dev || exit 1

if [ $# -gt 0 ]; then
	names=("$@")
else
	mapfile -t names < <(find tests/fuzz -name "fuzz_*.c" | sed -E "s,.*/fuzz_(.*)\.c,\1," | sort)
fi

# clang warns of other things than gcc, whose warnings are the rule.
make --no-print-directory -j"$(nproc)" FUZZER=1 WERROR=0 \
	"${names[@]/#/build/fuzz/tests/fuzz/fuzz_}" || {
	echo "0 passed, 1 failed"
	exit 1
}

# longest NAME: the longest input worth trying. Executions on longer ones say the same more slowly.
longest() {
	case $1 in
	packet | cooked) echo 640 ;;  # CAPTURE_SNAPLEN
	values) echo 128 ;;           # no value is as long
	input | limits) echo 4096 ;;  # two lines of a plan, and what does not fit behind them
	frames) echo 8192 ;;          # a trace of a dozen entries
	mmdb) echo 2048 ;;            # the largest of the small databases, and a little
	atlas) echo 3072 ;;           # a result of a dozen hops
	jsontree) echo 512 ;;         # every construct
	text) echo 1024 ;;            # traceroute's lines for a dozen hops
	record) echo 3072 ;;          # a trace of a few hops with names and verdict
	*) echo 0 ;;                  # as the largest seed
	esac
}

# stat NAME LOG: one of libFuzzer's last figures.
stat() {
	sed -n "s/^stat::$1: *//p" "$2"
}

# fuzz NAME: prints one line, and the end of the log where something was found.
fuzz() {
	local name=$1 dir=build/fuzz/$1 log=build/fuzz/$1/log began=$SECONDS ok=1 found=0
	local -a options=("$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
		"-max_len=$(longest "$1")" "-artifact_prefix=$dir/finding-")
	mkdir -p "$dir/corpus"
	rm -f "$dir"/finding-*
	[ ! -f "tests/fuzz/$name.dict" ] || options+=("-dict=tests/fuzz/$name.dict")
	"build/fuzz/tests/fuzz/fuzz_$name" "${options[@]}" "$dir/corpus" "tests/fuzz/corpus/$name" \
		>"$log" 2>&1 </dev/null || ok=0
	found=$(find "$dir" -name 'finding-*' | wc -l)
	[ "$ok" -eq 1 ] || tail -n 40 "$log"
	printf '  %-6s fuzz     %-8s %9s executions in %d s (%s a second), coverage %s, findings %d%s\n' \
		"$([ "$ok" -eq 1 ] && echo ok || echo FAILED)" "$name" \
		"$(stat number_of_executed_units "$log")" $((SECONDS - began)) \
		"$(stat average_exec_per_sec "$log")" \
		"$(grep -aoE 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2)" "$found" \
		"$([ "$ok" -eq 1 ] || echo "; whole log: $log")"
	[ "$ok" -eq 1 ]
}
export -f fuzz longest stat
export limit
# Parsers that allocate much spend their time in ASan's bookkeeping: one frame of each allocation's
# stack is enough where a finding is run again anyway.
export ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=1:quarantine_size_mb=16}

# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "${names[@]}" |
	xargs -P "${FUZZ_JOBS:-$(nproc)}" -I{} bash -c 'fuzz "$1" || touch "build/fuzz/$1/failed"' _ {}

passed=0 failed=0
for name in "${names[@]}"; do
	if [ -e "build/fuzz/$name/failed" ]; then
		rm -f "build/fuzz/$name/failed"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
