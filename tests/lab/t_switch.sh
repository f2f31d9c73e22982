#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Routes of one prefix move back and forth between two borders while 60 of its addresses are being
# measured, in eight rounds. Whatever a trace caught, no hop is invented and no verdict names a way in that was not
# there; a prefix that did not move is judged as ever. Topology: topo_borders.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
borders_up silent

both=$(for b in k d; do move_route 175.45.176.0/24 $b; truth 175.45.176.71; done)
targets=(175.45.177.10 175.45.179.1)
for ((i = 1; i <= 60; i++)); do targets+=("175.45.176.$((100 + i))"); done

rounds() { for _ in 1 2 3 4 5 6 7 8; do trace_json vp -I --rate max "${targets[@]}" || return; done; }
rounds >"$LAB_TMP/out" &
pid=$!
moves=0
while kill -0 $pid 2>/dev/null; do
	move_route 175.45.176.0/24 "$( ((moves % 2)) && echo d || echo k)"
	moves=$((moves + 1))
done
wait $pid
is "exit under moving routes" $? 0
like "routes moved while it ran ($moves times)" $moves '^[0-9]{2,}$'

is "traces" "$(field .dst <"$LAB_TMP/out" | sort -u | wc -l)" ${#targets[@]}
is "hops on neither way" "$(jq -r 'select(.type == "trace" and (.dst | startswith("175.45.176."))) |
	.hops[] as $h | $h.probes[].from // empty | select(startswith("175.45.") | not) |
	"\($h.ttl) \(.)"' "$LAB_TMP/out" | sort -u | grep -vxFf <(echo "$both"))" ''
is "verdicts that name another way" "$(jq -r 'select(.type == "trace" and
	(.dst | startswith("175.45.176."))) | .verdict |
	if .outcome == "border" then .border else .outcome end' "$LAB_TMP/out" | sort -u |
	grep -vE '^(dandong|khasan|mixed|undetermined)$')" ''
for dst in 175.45.177.10 175.45.179.1; do
	is "$dst did not move" "$(jq "select(.dst == \"$dst\")" "$LAB_TMP/out" | outcome | sort -u)" \
		"$(borders_verdict $dst)"
done

# After it: settled.
for branch in k d; do
	move_route 175.45.176.0/24 $branch
	out=$(trace_json vp -I 175.45.176.71)
	is "settled on $branch" "$(outcome <<<"$out")" "$(borders_verdict 175.45.176.71)"
	is "settled on $branch, hops" "$(hops <<<"$out")" "$(truth 175.45.176.71)"
done

finish
