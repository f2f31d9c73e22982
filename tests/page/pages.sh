#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/page/pages.sh [PAGES SHOTS] - the HTML pages as a reader gets them: well-formed, and opened from
# disk in a headless Chromium (tests/page/page.js says what is looked at). Those of the folder PAGES,
# or else those that the unit tests make. Screenshots are left in SHOTS (build/shots). Ends with
# "N passed, N failed, N skipped".

set -u
pages=${1:+$(realpath "$1")} shots=${2:+$(realpath "$2")}
cd "$(dirname "$0")/../.." || exit 1

make=build/tests/unit/analysis/report/test_pages
passed=0 failed=0 skipped=0

if [ -z "$pages" ]; then
	pages=build/pages shots=build/shots
	mkdir -p "$pages" "$shots"
	rm -f "$pages"/*.html "$shots"/*.png "$shots"/*.svg "$shots"/*.pdf
	if ! "$make" write "$pages"; then
		echo "  FAILED $make writes no pages"
		echo "0 passed, 1 failed, 0 skipped"
		exit 1
	fi
fi

# libxml2 knows no HTML 5: what it calls an invalid tag or attribute name is fine, all else is not.
if command -v xmllint >/dev/null; then
	for page in "$pages"/*.html; do
		said=$(xmllint --html --noout --nonet "$page" 2>&1 | grep -E ' error ' |
			grep -vE 'Tag [a-z]+ invalid')
		if [ -z "$said" ]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			printf '  FAILED %s is not well-formed:\n%s\n' "$page" "$(head -n 3 <<<"$said")"
		fi
	done
else
	echo "xmllint is not installed (scripts/deps.sh installs it)"
	skipped=$((skipped + 1))
fi

if command -v chromium >/dev/null && command -v node >/dev/null; then
	log=$(timeout -k 5 660 node tests/page/page.js chromium "$pages" "$shots" 2>&1)
	rc=$?
	grep -v ' passed, ' <<<"$log"
	read -r p f < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' <<<"$log" | tail -n 1)
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
	[ "$rc" -eq 0 ] || [ "${f:-1}" -gt 0 ] || failed=$((failed + 1))
	# What is saved has to stand alone.
	for saved in "$shots"/*-saved.svg; do
		if ! command -v xmllint >/dev/null || xmllint --noout --nonet "$saved"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
else
	echo "chromium or node is not installed (scripts/deps.sh installs them)"
	skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
