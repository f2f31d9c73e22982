#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# One target over ten routers at 120 ms, one of them silent, default options: 0.45 s or less, with
# traceroute's defaults beside it in the same run. Topology: topo_chain.sh; the delay is at r1, so
# that every answer, from the first router's on, is 120 ms late.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath
chain_up 10
chain_silence 5
delay r1 vp 120 || lab_skip "this kernel cannot hold packets (NFQUEUE)"

# took CMD...: runs it, prints milliseconds.
took()
{
	local start=${EPOCHREALTIME/[.,]/}
	"$@" >"$LAB_TMP/out" 2>"$LAB_TMP/err"
	echo $(((${EPOCHREALTIME/[.,]/} - start) / 1000))
}

theirs=none
if command -v traceroute >/dev/null; then
	theirs="$(took at vp traceroute -n 192.0.2.1) ms"
fi
for dst in 192.0.2.1 2001:db8:2::1; do
	for method in icmp udp tcp; do
		name="10 hops, 120 ms, one silent, $dst $method"
		ms=$(took trace_json vp -M $method "$dst")
		if ((ms <= 450)); then
			ok "$name: $ms ms (traceroute: $theirs)"
		else
			not_ok "$name: $ms ms, limit 450 (traceroute: $theirs)"
		fi
		is "$name hops" "$(hops <"$LAB_TMP/out")" "$(truth "$dst")"
		is "$name, RTTs that the delay denies" "$(field '[.hops[].probes[].rtt_ms //
			empty | select(. < 119 or . > 135)] | length' <"$LAB_TMP/out")" 0
		# shellcheck disable=SC2016  # $t is jq's
		# Nothing is lost on this path: what is missing is of the probe's own making.
		is "$name, hops that do not answer three times" "$(field '.hops[] | .ttl as $t |
			[.probes[].from // empty] | select(length != 3) | $t' <"$LAB_TMP/out")" 5
	done
done
# As people type it, names and all.
ms=$(took bp vp trace --profile "$LAB_DIR/lab.yaml" 192.0.2.1)
if ((ms <= 450)); then ok "as text: $ms ms"; else not_ok "as text: $ms ms, limit 450"; fi

finish
