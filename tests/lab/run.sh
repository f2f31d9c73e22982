#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/lab/run.sh [NAME...]: runs the scenarios (t_NAME.sh; all without names), one after another,
# and ends with "N passed, N failed, N skipped". A scenario that dies or hangs is one failed check;
# one that cannot run here (exit 77) says why and counts as one skipped.

cd "$(dirname "$0")" || exit 1
# shellcheck source-path=SCRIPTDIR source=lab.sh
. ./lab.sh
# Once for all scenarios: they run without a terminal, where sudo could not ask.
LAB_BUILD=$LAB_BUILD lab_root "$@"
limit=${LAB_TIMEOUT:-300}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT

if (($#)); then names=("$@"); else
	names=()
	for t in t_*.sh; do
		t=${t#t_}
		names+=("${t%.sh}")
	done
fi

for name in "${names[@]}"; do
	echo "-- $name"
	start=$SECONDS
	timeout -k 5 "$limit" "./t_$name.sh" </dev/null 2>&1 | tee "$log" | grep -v '^ok '
	rc=${PIPESTATUS[0]}
	p=0 f=0 s=0
	read -r p f s < <(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1 |
		tr -c '0-9\n' ' ')
	if [[ $rc -eq 77 ]]; then
		s=1
	elif [[ $rc -ne 0 && ${f:-0} -eq 0 ]]; then
		f=1
		[[ $rc -ne 124 && $rc -ne 137 ]] || echo "not ok $name: no end after $limit s"
		echo "not ok $name: exit $rc"
	fi
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
	echo "   $name: $((SECONDS - start)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
