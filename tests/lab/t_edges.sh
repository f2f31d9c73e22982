#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The vantage point's own edge and the odd ends of paths: behind one-to-one NAT, behind a firewall
# that lets nothing in, beside other programs that probe, a loop, routers without a route.
# Topology: topo_borders.sh, all hops talking.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
borders_up talking

D4=175.45.176.71 K4=175.45.178.3 D6=2001:db8:b0::71 K6=2001:db8:b2::3

# whole_path NAME DST METHOD...: every hop and the verdict.
whole_path()
{
	local name=$1 dst=$2 m
	shift 2
	for m; do
		OUT=$(trace_json vp -M "$m" "$dst")
		is "$name, $dst $m hops" "$(hops <<<"$OUT")" "$(truth "$dst")"
		is "$name, $dst $m verdict" "$(outcome <<<"$OUT")" "$(borders_verdict "$dst")"
	done
}

# 1. A firewall that drops all that comes in: what we capture is in front of it.
firewall vp
whole_path "behind a firewall" $D4 icmp udp tcp
whole_path "behind a firewall" $K6 icmp udp tcp
firewall vp off

# 2. NAT at the first router. Linux translates quotes too; the source is another all the same.
nat t1 198.51.100.77 t2
whole_path "behind NAT" $D4 icmp udp tcp
whole_path "behind NAT" $K4 icmp udp tcp
lab_nft t1 lab_nat off

# 3. Others probe the same targets by the same methods at the same time.
noise=()
for method in -I -U '-T -p 80'; do
	# shellcheck disable=SC2086
	while :; do at vp traceroute -n -q 2 -w 0.5 -m 12 $method $D4 >/dev/null 2>&1; done &
	noise+=($!)
done
for m in icmp udp tcp; do
	trace_json vp -M $m $D4 >"$LAB_TMP/twin.$m" &
	noise+=($!)
	whole_path "beside others" $D4 $m
	wait "${noise[-1]}"
	is "twin beside others, $m hops" "$(hops <"$LAB_TMP/twin.$m")" "$(truth $D4)"
	is "beside others, $m, no probe of ours answered twice" "$(field \
		'[.hops[].probes[] | select(.flags // [] | index("dup"))] | length' <<<"$OUT")" 0
done
kill "${noise[@]}" 2>/dev/null
wait "${noise[@]}" 2>/dev/null

# 4. A loop inside the carrier ends as one, and not at the last TTL.
ip -n d2 route add 175.45.176.71/32 via inet6 "$(lab_ll d1)" dev d1
ip -n d2 route add $D6/128 via "$(lab_ll d1)" dev d1
for dst in $D4 $D6; do
	out=$(trace_json vp -I "$dst")
	is "loop, $dst stop" "$(field .stop <<<"$out")" loop
	right_or_open "loop, $dst verdict" "$(outcome <<<"$out")" dandong
done
ip -n d2 route del 175.45.176.71/32
ip -n d2 route del $D6/128

# 5. A router in the carrier without a route answers unreachable, or prohibited, or nothing.
for dst in "$D4 175.45.176.71/32" "$D6 $D6/128"; do
	read -r dst prefix <<<"$dst"
	for kind in unreachable prohibit blackhole; do
		no_way d2 "$prefix" $kind
		out=$(trace_json vp -I "$dst")
		right_or_open "$kind at d2, $dst verdict" "$(outcome <<<"$out")" dandong
		case $kind in
		unreachable) want=unreachable ;;
		prohibit) want=filtered ;;
		blackhole) want=silent ;;
		esac
		is "$kind at d2, $dst reach" "$(field .reach <<<"$out")" "$want"
		no_way d2 "$prefix" off
	done
done

# 6. One host of the /24 is down: its router answers host unreachable, or nobody answers at all.
no_way x2 175.45.176.99/32 unreachable
out=$(trace_json vp -I 175.45.176.99)
is "host down, reach" "$(field .reach <<<"$out")" unreachable
is "host down, verdict" "$(outcome <<<"$out")" dandong
no_way x2 175.45.176.99/32 off

finish
