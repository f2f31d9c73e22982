#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Routers with the ICMP limits Linux has by default (one error a second and peer, a burst of six).
# A polite trace still sees every hop; when the buckets are drained by an impolite neighbour, a
# verdict is right or `undetermined`. Topology: topo_borders.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
borders_up talking
for n in t1 t2 t3 d1 d2 d3 k1 k2 k3 k4 j x1 x2; do rate_limit $n on; done

for dst in 175.45.176.71 2001:db8:b2::3; do
	for method in icmp udp tcp; do
		out=$(trace_json vp -M $method "$dst")
		name="limits on, $dst $method"
		if [[ $method == icmp ]]; then
			is "$name hops" "$(hops <<<"$out")" "$(truth "$dst")"
			is "$name verdict" "$(outcome <<<"$out")" "$(borders_verdict "$dst")"
		else
			# The trace before has drawn on the same buckets.
			is "$name, nothing that is not there" "$(hops <<<"$out" | grep -v '\*$' |
				grep -vxFf <(truth "$dst"))" ''
			right_or_open "$name verdict" "$(outcome <<<"$out")" \
				"$(borders_verdict "$dst")"
		fi
	done
done

# Drained by somebody fast on the same vantage point, while ours runs.
for dst in 175.45.177.10 175.45.179.1; do
	for _ in 1 2 3; do
		at vp traceroute -n -q 10 -N 100 -w 0.2 -m 11 -I "$dst" >/dev/null 2>&1
	done
	out=$(trace_json vp -M icmp "$dst")
	right_or_open "drained, $dst verdict" "$(outcome <<<"$out")" "$(borders_verdict "$dst")"
	is "drained, $dst, nothing that is not there" "$(hops <<<"$out" | grep -v '\*$' |
		grep -vxFf <(truth "$dst"))" ''
done

# Loss on top: one packet in ten at the branching router.
loss t3 10
for dst in 175.45.176.71 175.45.178.3; do
	out=$(trace_json vp -M icmp "$dst")
	right_or_open "loss 10 %, $dst verdict" "$(outcome <<<"$out")" "$(borders_verdict "$dst")"
done

finish
