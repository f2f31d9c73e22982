#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/check.sh - `make check`: install what is missing, build, run every test, and end with
# the sum of what each runner counted, "N passed, N failed, N skipped".
#
# A part that needs what this machine does not have (geo data, root) says so and counts as skipped.

set -u
cd "$(dirname "$0")/.." || exit 1

scripts/deps.sh || exit 1
scripts/deps.sh extra || echo "check: what needs them is skipped"
geo/data/build.sh build/geodata ||
	echo "check: going on without the geo databases; what needs them is skipped"

make=(make --no-print-directory -j"$(nproc)")
"${make[@]}" all tests tests-lab || {
	echo "check: the build failed"
	echo "0 passed, 1 failed"
	exit 1
}

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# part NAME COMMAND...: runs it, shows it, and adds the counts of its last line to the sum.
part() {
	local name=$1 rc p=0 f=0 s=0 line
	shift
	echo "== $name"
	"$@" </dev/null 2>&1 | tee "$log"
	rc=${PIPESTATUS[0]}
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1)
	if [ -n "$line" ]; then
		read -r p f s < <(echo "$line" | tr -dc '0-9 \n')
	elif [ "$rc" -eq 0 ]; then
		echo "check: $name counted nothing"
		f=1
	fi
	[ "$rc" -eq 0 ] || [ "$f" -gt 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + ${s:-0}))
}

mapfile -t scripts < <(find tests/unit tests/golden -type f -perm -u+x | sort)
part lint "${make[@]}" lint
part unit "${make[@]}" check-unit
part corpora "${make[@]}" check-fuzz
part scripts scripts/run-tests.sh script "${scripts[@]}"
part pages tests/page/pages.sh
part valgrind "${make[@]}" check-valgrind
part lab "${make[@]}" lab

echo "== all"
[ "$skipped" -eq 0 ] || echo "$skipped skipped: the parts above say why"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
