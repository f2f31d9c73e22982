#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The lab checks itself with other people's tools before it judges ours: over `borders`, every hop
# answers Debian's traceroute with the address the wiring says, for each method and family.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"

start=${EPOCHREALTIME/[.,]/}
borders_up talking
up_ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
if ((up_ms < 3000)); then ok "borders up in $up_ms ms"; else not_ok "borders up in $up_ms ms, limit 3000"; fi

# theirs DST OPTIONS...: traceroute's hops as "ttl address", three probes folded to one.
theirs()
{
	local dst=$1
	shift
	at vp traceroute -n -q 1 -w 1 -m 14 "$@" "$dst" | awk 'NR > 1 { print $1, $2 }'
}

command -v traceroute >/dev/null || lab_skip "traceroute is not installed"

for dst in 175.45.176.71 175.45.178.3 2001:db8:b0::71 2001:db8:b2::3; do
	for method in -I -U '-T -p 80'; do
		# shellcheck disable=SC2086
		is "$dst traceroute $method" "$(theirs "$dst" $method)" "$(truth "$dst")"
	done
done

move_route 175.45.176.0/24 k
move_route 2001:db8:b0::/48 s
is "moved v4" "$(theirs 175.45.176.71 -I)" "$(truth 175.45.176.71)"
is "moved v6" "$(theirs 2001:db8:b0::71 -I)" "$(truth 2001:db8:b0::71)"
like "other prefixes stay" "$(theirs 175.45.177.10 -I)" 219.158.39.42

for n in j x1 x2; do borders_silence "$n"; done
is "silent hops" "$(theirs 175.45.176.71 -I)" "$(truth 175.45.176.71)"
for n in j x1 x2; do borders_silence "$n" off; done

# The filter answers !X at its own TTL and at every later one; TCP 80 passes.
filter d3 175.45.177.0/24
out=$(at vp traceroute -n -q 1 -w 1 -I -f 6 -m 6 175.45.177.10)
like "filter at its own TTL" "$out" '219.158.39.42 .*!X'
is "filter lets tcp 80 through" "$(theirs 175.45.177.10 -T -p 80)" "$(truth 175.45.177.10)"
filter d3 off
is "filter gone" "$(theirs 175.45.177.10 -I)" "$(truth 175.45.177.10)"

answer_from d3 188.43.225.153
like "answers from another address" "$(theirs 175.45.177.10 -I)" $'\n6 188.43.225.153'

loss t3 100
is "loss 100" "$(theirs 175.45.177.10 -I -m 5 | tail -2)" $'4 *\n5 *'
loss t3 0

finish
