#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Uplinks that are not a plain Ethernet: a tun (no link layer), a bridge, a vlan, a bond, a macvlan.
# On stacked devices each packet is captured several times: it still counts once.
# Topology: topo_links.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_links.sh"
lab_enter "$@"
need_borderpath

for kind in veth tun bridge vlan bond macvlan; do
	if ! links_up $kind; then
		skip "$kind: this kernel has no such device"
		continue
	fi
	for dst in 192.0.2.1 2001:db8:2::1; do
		for method in icmp udp tcp; do
			name="$kind $dst $method"
			out=$(trace_json vp -M $method "$dst")
			is "$name hops" "$(hops <<<"$out")" "$(truth "$dst")"
			is "$name, every probe answered once with a time" "$(field \
				'[.hops[].probes[] | select(.rtt_ms == null or (.rtt_ms <= 0) or
				(.flags // [] | length > 0))] | length' <<<"$out")" 0
			is "$name interface" "$(field .ifname <<<"$out")" r1
			is "$name refused" "$(field '.refused | del(.foreign, .late) |
				to_entries[] | select(.value > 0) | "\(.key) \(.value)"' <<<"$out")" ''
			is "$name verdict" "$(outcome <<<"$out")" none
		done
	done
	lab_reset
done

finish
