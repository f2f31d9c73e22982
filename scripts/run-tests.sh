#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/run-tests.sh unit|fuzz|valgrind|script PROGRAM... - run tests, as many at once as there
# are processors, and end with "N passed, N failed, N skipped".
#
# One line for a program whose tests pass, all it printed for one that fails. A program that dies
# or hangs is one failed test, whatever it had counted before. "fuzz" replays the corpus that
# has the program's name.

set -u
kind=$1
shift

export CMOCKA_MESSAGE_OUTPUT=stdout
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Who hangs is ended; valgrind makes some thirty times as slow.
limit=${TEST_TIMEOUT:-$([ "$kind" = valgrind ] && echo 900 || echo 600)}

# one KIND PROGRAM DIR: runs it, and writes its log and counts into DIR.
one() {
	local kind=$1 program=$2 dir=$3 rc passed failed skipped
	local name=${program#build/} && name=${name#san/} && name=${name#tests/}
	local log
	log=$(mktemp -p "$dir" XXXXXX.log)
	local -a command=("$program")

	case $kind in
	fuzz)
		command+=("tests/fuzz/corpus/$(basename "$program" | sed s/^fuzz_//)")
		;;
	valgrind)
		# For the few tests of what valgrind itself does differently.
		command=(env UNDER_VALGRIND=1 valgrind -q --error-exitcode=99 --leak-check=full "$program")
		;;
	esac
	timeout -k 5 "$limit" "${command[@]}" >"$log" 2>&1 </dev/null
	rc=$?

	if [ "$kind" = fuzz ] || [ "$kind" = script ]; then
		read -r passed failed skipped < <(sed -nE \
			's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p' "$log" | tail -n 1)
	else
		# cmocka's summary, once for each group of a program
		passed=$(sum '^\[  PASSED  \] ([0-9]+) test\(s\)\.?$' "$log")
		failed=$(sum '^\[  FAILED  \] ([0-9]+) test\(s\), .*' "$log")
		skipped=$(sum '^\[  SKIPPED \] ([0-9]+) test\(s\), .*' "$log")
	fi
	passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
	if [ "$rc" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	elif [ "$rc" -eq 0 ] && [ $((passed + failed + skipped)) -eq 0 ]; then
		echo "ran no test" >>"$log"
		rc=1 failed=1
	fi

	# One write, so that programs running side by side do not mix their lines.
	if [ "$rc" -eq 0 ] && [ "$failed" -eq 0 ]; then
		printf '  ok     %-8s %s (%d%s)\n' "$kind" "$name" "$passed" \
			"$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
	else
		local why="exit $rc"
		[ "$rc" -ne 124 ] || why="no end after $limit s"
		[ "$rc" -le 128 ] || why="killed by SIG$(kill -l "$rc")"
		printf '%s\n  FAILED %-8s %s (%s)\n' "$(cat "$log")" "$kind" "$name" "$why"
	fi
	echo "$passed $failed $skipped" >"$log.counts"
}

# sum PATTERN FILE: adds up the first group of PATTERN over the lines of FILE.
sum() {
	sed -nE "s/$1/\\1/p" "$2" | awk '{n += $1} END {print n + 0}'
}
export -f one sum
export limit

case $kind in
unit | fuzz | valgrind | script) ;;
*)
	echo "usage: scripts/run-tests.sh unit|fuzz|valgrind|script PROGRAM..." >&2
	exit 2
	;;
esac
if [ "$kind" = valgrind ] && ! command -v valgrind >/dev/null; then
	echo "valgrind is not installed (scripts/deps.sh installs it)"
	echo "0 passed, 0 failed, $# skipped"
	exit 0
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
if [ $# -gt 0 ]; then
	# shellcheck disable=SC2016 # the inner shell expands these
	printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -I{} bash -c 'one "$1" "$2" "$3"' _ "$kind" {} "$dir"
fi
# A runner that died itself has counted nothing: that is a failure too.
cat /dev/null "$dir"/*.counts 2>/dev/null | awk -v programs=$# \
	'{p += $1; f += $2; s += $3}
	END {f += programs - NR; printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0}'
