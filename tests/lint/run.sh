#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/lint/run.sh - `make lint`: every lint of this folder, and the checkers of others where
# they are installed (scripts/deps.sh dev). Ends with "N passed, N failed, N skipped".

set -u
cd "$(dirname "$0")/../.." || exit 1

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# ours NAME: a lint that counts files itself.
ours() {
	local p f _
	"tests/lint/$1" >"$log" 2>&1 </dev/null
	read -r p _ f _ < <(tail -n 1 "$log")
	if [[ ! $p =~ ^[0-9]+$ || ! $f =~ ^[0-9]+$ ]]; then
		p=0 f=1
	elif [ "$f" -eq 0 ]; then
		sed -i '$d' "$log"
	fi
	cat "$log"
	printf '  %-6s lint     %s (%d)\n' "$([ "$f" -eq 0 ] && echo ok || echo FAILED)" "$1" "$p"
	passed=$((passed + p)) failed=$((failed + f))
}

# theirs COMMAND [OPTION...] -- FILE...: it must have nothing to say about the files.
theirs() {
	local -a command=()
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	[ $# -gt 0 ] || return
	if ! command -v "${command[0]}" >/dev/null; then
		printf '  skip   lint     %s is not installed (scripts/deps.sh dev)\n' "${command[0]}"
		skipped=$((skipped + 1))
	elif "${command[@]}" "$@" </dev/null; then
		printf '  ok     lint     %s (%d)\n' "${command[0]}" $#
		passed=$((passed + $#))
	else
		printf '  FAILED lint     %s\n' "${command[0]}"
		failed=$((failed + 1))
	fi
}

# The files git would commit whose name or first line fits.
tracked() {
	git ls-files -co --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print
}
mapfile -t shell < <(tracked | while read -r f; do
	[ -f "$f" ] && head -n 1 "$f" | tr -d '\0' | grep -qE '^#! ?/(usr/bin/env |bin/)(ba)?sh' && echo "$f"
done)
mapfile -t man < <(tracked | grep -E '^doc/.*\.[0-9]$')
mapfile -t prose < <(tracked | grep -E '\.(md|[0-9]|c|h|sh|ya?ml)$' | grep -vE '^tests/(golden|fuzz/corpus)/')

ours selftest
ours includes
ours privileges
ours words
theirs shellcheck --severity=warning -- "${shell[@]}"
theirs mandoc -T lint -W warning -- "${man[@]}"
# Names and words of the trade that its list of misspellings holds.
theirs codespell --ignore-words-list=te,nd,fo,ser,hist,inout,uint,ans,doas,ist,inh,oder -- "${prose[@]}"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
