#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Bottlenecks met at full speed: a slow link with a queue, one in mid-path, one that polices, routers
# that limit their answers. The run slows down instead of losing hops, and the record says so; a
# clean chain is not slowed.
#
#   vp --1 Mb/s-- r1 -- ... -- r4 --1 Mb/s-- r5 -- r6 -- far, 192.0.2.0/24 whole behind it
#
# Bounds: at the start nobody knows who will answer, so that what is lost before the first losses are
# understood is asked again only if a neighbour was answered meanwhile; and three repeats may all be
# lost while the pace is still being found. That is 1 in 50 hops at most where a link drops; a
# policer has no queue to tell of it beforehand: 1 in 20.

. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"

lab_enter "$@"
need_borderpath
chain_up 6

OUT=$LAB_TMP/slow.jsonl
TARGETS=256 HOPS=7

# One attempt a hop, as fast as may be.
run() { trace_json vp -q 1 --rate max -o "$OUT" 192.0.2.0/24 2>"$LAB_TMP/said"; }

# found: hops that somebody answered, of all traces.
found()
{
	jq -s '[.[] | select(.type == "trace") | .hops[] |
		select(any(.probes[]; .from != null))] | length' "$OUT"
}

# slowed FIELD: the largest of the traces'.
slowed() { jq -s "[.[] | select(.type == \"trace\") | .slowed.$1 // 0] | max" "$OUT"; }

# at_least NAME GOT WANT
at_least()
{
	if (($2 >= $3)); then ok "$1 ($2 of $((TARGETS * HOPS)))"; else
		not_ok "$1: $2, want at least $3"; fi
}

more_than_none() { like "$1" "$2" '^[1-9][0-9]*$'; }

# checked NAME LEAST: nearly everything was found, and the record says that it was slowed.
checked()
{
	at_least "$1: hops found" "$(found)" "$2"
	more_than_none "$1: the record says that the pace was cut" "$(slowed times)"
	more_than_none "$1: and probes sent again" "$(slowed repeated)"
	like "$1: so does stderr" "$(<"$LAB_TMP/said")" 'lost at this speed'
}

# slow_link NODE DEV on|off: 1 Mb/s and a quarter of a second of queue.
slow_link()
{
	if [[ $3 == off ]]; then at "$1" tc qdisc del dev "$2" root; else
		at "$1" tc qdisc add dev "$2" root tbf rate 1mbit burst 4kb limit 30kb; fi
}

run
is "a clean chain is found whole" "$(found)" $((TARGETS * HOPS))
is "and not slowed" "$(slowed times)" 0

all=$((TARGETS * HOPS))
if slow_link vp r1 on 2>/dev/null; then
	run
	checked "1 Mb/s at the first hop" $((all - all / 50))
	slow_link vp r1 off
	slow_link r4 r5 on
	run
	checked "1 Mb/s in mid-path" $((all - all / 50))
	slow_link r4 r5 off
else
	skip "this kernel has no token bucket (tc tbf)"
fi

lab_nft r1 lab_police <<-'EOF'
	chain through { type filter hook forward priority 0;
		iifname "vp" limit rate over 1500/second burst 100 packets drop
	}
EOF
run
checked "a policer at 1500 packets a second" $((all - all / 20))
lab_nft r1 lab_police off

lab_sysctl r3 net/ipv4/icmp_ratelimit=20
run
checked "a router that gives fifty answers a second" $((all - all / 50))
lab_sysctl r3 net/ipv4/icmp_ratelimit=0

finish
