#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every method, both families, both borders, with the three hops at the border talking and silent:
# each hop equals the wiring, the end is the right one, and the verdict names the right border.
# Topology: topo_borders.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
borders_up talking

# ends METHOD DST: what makes it the destination. .176.71 and b0::71 listen, the others do not.
ends()
{
	case $1:$2 in
	icmp:*) echo echo_reply ;;
	udp:*) echo port_unreachable ;;
	tcp:*71) echo syn_ack ;;
	tcp:*) echo rst ;;
	esac
}

# last_outside DST: the last router of the carrier, from the wiring.
last_outside()
{
	local n=d3
	[[ $(borders_verdict "$1") == dandong ]] || n=k4
	if [[ $1 == *:* ]]; then echo "${LAB_A6[$n]}"; else echo "${LAB_A4[$n]}"; fi
}

for border in talking silent; do
	if [[ $border == silent ]]; then
		for n in j x1 x2; do borders_silence "$n"; done
	fi
	for dst in 175.45.176.71 175.45.178.3 2001:db8:b0::71 2001:db8:b2::3; do
		for method in icmp udp tcp; do
			name="$border $dst $method"
			out=$(trace_json vp -M "$method" "$dst")
			is "$name exit" $? 0
			is "$name hops" "$(hops <<<"$out")" "$(truth "$dst")"
			is "$name verdict" "$(outcome <<<"$out")" "$(borders_verdict "$dst")"
			is "$name end" "$(field '"\(.stop) \(.reach) \(.reached_by)"' <<<"$out")" \
				"reached reached $(ends "$method" "$dst")"
			is "$name last outside" "$(field .verdict.last_outside.from <<<"$out")" \
				"$(last_outside "$dst")"
		done
	done
done

# Moved while running: the verdict follows, the neighbours stay.
move_route 175.45.176.0/24 k
move_route 2001:db8:b0::/48 k
for dst in 175.45.176.71 2001:db8:b0::71 175.45.177.10; do
	out=$(trace_json vp -I "$dst")
	is "moved $dst hops" "$(hops <<<"$out")" "$(truth "$dst")"
	is "moved $dst verdict" "$(outcome <<<"$out")" "$(borders_verdict "$dst")"
done

# A host that answers port-unreachable from another address of its own: matched by what it quotes.
out=$(trace_json vp -U 2001:db8:b1::77)
is "answer from the host's other address" "$(hops <<<"$out" | tail -n 1)" '10 2001:db8:b0::1'
is "other address verdict" "$(outcome <<<"$out")" dandong

finish
