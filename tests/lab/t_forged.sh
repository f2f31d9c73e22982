#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Forged replies: tests/lab/forge.c at r1 floods the vantage point during traces by each method.
# None is believed, all are counted for what they are, every true hop is still found; and when the
# flood is more than the capture holds, the record says that packets were lost.
# Topology: topo_chain.sh, six routers.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath
[[ -x $LAB_BIN/forge ]] || lab_skip "build/tests/lab/forge is not built: make tests-lab"
chain_up 6

FLOOD=40000 PPS=20000

# What arrived, by the DSCP that forged packets carry: counted behind the place where the capture
# takes its copy.
lab_nft vp forged <<-'EOF'
	counter arrived { }
	counter mld { }
	chain in { type filter hook prerouting priority -300;
		ip dscp 1 counter name arrived
		ip6 dscp 1 counter name arrived
		icmpv6 type { 130, 131, 132, 143 } counter name mld
	}
EOF
counted()
{
	at vp nft -j list counter inet forged "$1" | jq '.nftables[].counter? // empty | .packets'
}
arrived() { counted arrived; }
# What passes the capture's filter and is nobody's answer: packets with IPv6 extension headers,
# which here are a neighbour's multicast reports.
mld() { counted mld; }

# forge COUNT PPS: in the background, as soon as the first probe comes by; FORGE is its process.
forge()
{
	at r1 "$LAB_BIN/forge" vp "$1" "$2" >"$LAB_TMP/forged" 2>"$LAB_TMP/forge.log" &
	FORGE=$!
	wait_for 5 grep -q listening "$LAB_TMP/forge.log" || lab_die "forge did not start"
}

# slow ARGS...: a trace in the background that takes some five seconds; TRACE is its process.
slow()
{
	trace_json vp -q 10 --rate 14 "$@" >"$LAB_TMP/out" 2>"$LAB_TMP/err" &
	TRACE=$!
}

# yes NAME COMMAND...
yes()
{
	local name=$1
	shift
	if "$@"; then ok "$name"; else not_ok "$name"; fi
}

# 1. A flood while one target is traced slowly enough to outlast it.
for method in icmp udp tcp icmp6 tcp6; do
	dst=192.0.2.1
	[[ $method != *6 ]] || dst=2001:db8:2::1
	before=$(arrived) others=$(mld)
	forge $FLOOD $PPS
	slow -M "${method%6}" "$dst"
	wait $FORGE || not_ok "$method: $(tail -n 1 "$LAB_TMP/forge.log")"
	yes "$method: the trace outlasts the flood" kill -0 $TRACE
	wait $TRACE
	is "$method: exit" $? 0
	out=$(<"$LAB_TMP/out")
	read -r bad foreign malformed <"$LAB_TMP/forged"
	is "$method: all arrived" "$(($(arrived) - before))" $FLOOD
	is "$method: every true hop" "$(hops <<<"$out")" "$(truth $dst)"
	is "$method: each probe answered, once" \
		"$(field '[.hops[].probes[] | .from == null] | any' <<<"$out")" false
	is "$method: no flag" "$(field '[.hops[].probes[].flags[]?] | join(" ")' <<<"$out")" ''
	is "$method: end" "$(field '"\(.stop) \(.reach)"' <<<"$out")" 'reached reached'
	is "$method: drops" "$(field .drops <<<"$out")" 0
	# Of the reports, those that came while the trace ran.
	reports=$(($(mld) - others))
	extra=$(($(field .refused.foreign <<<"$out") - foreign))
	((extra >= 0 && extra <= reports)) || extra=0
	is "$method: all counted" "$(field '.refused |
		"\(.bad_token) \(.foreign) \(.malformed) \(.late) \(.duplicate)"' <<<"$out")" \
		"$bad $((foreign + extra)) $malformed 0 0"
done

# 2. More than the capture holds, while its reader stands still: the record says so. Still only what
# is true is believed.
# The process namespace is the lab's own: the only probe in it is ours.
probe_pid()
{
	local f
	f=$(grep -l '^borderpath-prob' /proc/[0-9]*/comm 2>/dev/null | head -n 1)
	f=${f%/comm}
	[[ -n $f ]] && echo "${f#/proc/}"
}
flooded() { (($(arrived) > before)); }
before=$(arrived)
forge 200000 0
slow -I 192.0.2.1
wait_for 5 flooded || not_ok "overrun: forge: $(tail -n 1 "$LAB_TMP/forge.log")"
probe=$(probe_pid)
like "overrun: the probe runs" "$probe" '^[0-9]+$'
kill -STOP "$probe"
wait $FORGE
kill -CONT "$probe"
hwm=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$probe/status")
wait $TRACE
is "overrun: exit" $? 0
out=$(<"$LAB_TMP/out")
yes "overrun: drops are told" test "$(field .drops <<<"$out")" -gt 0
is "overrun: nobody but the true hops" \
	"$(hops <<<"$out" | grep -v ' \*$' | grep -vxFf <(truth 192.0.2.1))" ''
yes "overrun: what was read is counted" test "$(field .refused.bad_token <<<"$out")" -gt 0
yes "overrun: memory, $hwm kB" test "$hwm" -lt 24576

finish
