#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/fuzz.sh [SECONDS [TARGET...]] - build the fuzz targets with clang's libFuzzer, ASan and
# UBSan, and run each for SECONDS (60). TARGET is a name as in tests/fuzz/fuzz_NAME.c.
#
# New inputs go to build/fuzz/NAME/corpus, never into the tree; a finding stays in
# build/fuzz/NAME/ and belongs, made small, into tests/fuzz/corpus/NAME with its fix.

set -u
cd "$(dirname "$0")/.." || exit 1

seconds=${1:-60}
shift
if [[ ! $seconds =~ ^[0-9]+$ || $seconds -eq 0 ]]; then
	echo "usage: scripts/fuzz.sh [SECONDS [TARGET...]]" >&2
	exit 2
fi
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

# fuzz NAME: prints one line, and the end of the log where something was found.
fuzz() {
	local name=$1 dir=build/fuzz/$1 log=build/fuzz/$1/log runs
	local -a dictionary=()
	mkdir -p "$dir/corpus"
	[ ! -f "tests/fuzz/$name.dict" ] || dictionary=("-dict=tests/fuzz/$name.dict")
	if "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="$dir/" "${dictionary[@]}" \
		"$dir/corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "  ok     fuzz     $name ($runs inputs in $seconds s, coverage $(grep -aoE 'cov: [0-9]+' "$log" |
			tail -n 1 | cut -d' ' -f2))"
	else
		tail -n 40 "$log"
		echo "  FAILED fuzz     $name (whole log: $log)"
		return 1
	fi
}
export -f fuzz
export seconds

# shellcheck disable=SC2016 # the inner shell expands it
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz "$1" || touch "build/fuzz/$1/failed"' _ {}

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
