#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One name, one function: rooms are archives, and of two functions of one name in two of them the
# linker takes the first it meets without a word.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/counts.sh
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
lib=$(dirname "${BORDERPATH:-build/borderpath}")/lib

# names ROOM...: what each gives to others, "NAME ROOM".
names() {
	local room
	for room; do
		nm -g --defined-only "$lib/$room.a" 2>/dev/null |
			awk -v room="$room" '$2 ~ /^[TDBR]$/ { print $3, room }'
	done
}
# once PROGRAM ROOM...
once() {
	local program=$1
	shift
	names "$@" | sort >"$box/$program"
	[ -s "$box/$program" ] || { echo "no archives under $lib"; return 1; }
	awk '$1 == name { print $1 " is in " room " and in " $2; bad = 1 } { name = $1; room = $2 }
		END { exit bad }' "$box/$program"
}

check "names of borderpath's rooms" once borderpath core geo analysis plan campaign cli light
check "names of borderpath-fleet's rooms" once fleet core geo analysis plan campaign postgres fleet cli clifleet
check "names of borderpath-probe's rooms" once probe core plan wire method engine io prober

counted
