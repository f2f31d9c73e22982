#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What boxes on the path do to probes and answers, and what the record says of it: addresses, ports
# and the IP-ID rewritten, quotes with odd TTLs, answers in the destination's name from nearer than
# itself, and from inside the network sooner than light could bring them. Every true hop is found,
# what is odd is flagged, and what is flagged as forged proves no way in.
# Topology: topo_borders.sh, and `box` beside t3, which answers for the whole network.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath

D4=175.45.176.71 INSIDE4=175.45.176.0/22

borders_up talking
ip netns add box
lab_sysctl box "${LAB_SYSCTL_ALL[@]}"
ip link add box netns t3 type veth peer name t3 netns box
ip -n t3 address add 10.9.9.1/30 dev box
ip -n t3 link set box up
ip -n box -batch - <<-EOF
	link set lo up
	address add 10.9.9.2/30 dev t3
	link set t3 up
	route add default via 10.9.9.1
	route add local $INSIDE4 dev lo
EOF

# flags: "ttl address flag,flag" once for each, of those that have any.
flags()
{
	jq -r 'select(.type == "trace") | .hops[] | .ttl as $ttl | .probes[] |
		select((.flags // []) - ["dup", "late"] != []) |
		"\($ttl) \(.from) \(.flags - ["dup", "late"] | sort | join(","))"' | sort -n -u
}

# from_on TTL FLAGS [METHOD]: each hop of truth from TTL on, with FLAGS. The last one only where it
# quotes: udp.
from_on()
{
	truth "$D4" | awk -v t="$1" -v f="$2" -v m="${3:-}" '
		$1 >= t && ($2 != "'"$D4"'" || m == "udp") { print $0, f }'
}

# true_path NAME METHOD: the hops as they are, the end, and the verdict.
true_path()
{
	is "$1, $2: hops" "$(hops <<<"$OUT")" "$(truth "$D4")"
	is "$1, $2: end" "$(field '"\(.stop) \(.verdict.border) \(.verdict.class)"' <<<"$OUT")" \
		'reached dandong border'
}

# 1. NAT without memory: the quote says what arrived there. It knows 5-tuples, not our token: only
# UDP's checksum, which covers the addresses, is half of one.
lab_nft t1 lab_trust <<-'EOF'
	chain out { type filter hook postrouting priority 0;
		ip saddr 203.0.113.2 oifname t2 ip saddr set 198.51.100.77
	}
	chain in { type filter hook prerouting priority -300;
		ip daddr 198.51.100.77 ip daddr set 203.0.113.2
	}
EOF
route t2 198.51.100.77/32 t1
for m in icmp udp tcp; do
	OUT=$(trace_json vp -M $m $D4)
	true_path "address rewritten" $m
	is "address rewritten, $m: flags" "$(flags <<<"$OUT")" \
		"$(from_on 2 "$([[ $m == udp ]] && echo nat,rewritten || echo nat)" $m)"
done
lab_nft t1 lab_trust off

# The destination port, both ways, at t2: the routers behind it quote another.
lab_nft t2 lab_trust <<-'EOF'
	chain out { type filter hook postrouting priority 0;
		tcp dport 80 oifname t3 tcp dport set 8080
	}
	chain in { type filter hook prerouting priority -300;
		iifname t3 tcp sport 8080 tcp sport set 80
	}
EOF
OUT=$(trace_json vp -T $D4)
is "port rewritten: hops" "$(hops <<<"$OUT")" "$(truth $D4)"
is "port rewritten: flags" "$(flags <<<"$OUT")" "$(from_on 3 nat)"
is "port rewritten: end" "$(field '"\(.stop) \(.reached_by)"' <<<"$OUT")" 'reached rst'
lab_nft t2 lab_trust off

# 2. NAT with memory (the kernel's): source and ports are another's, quotes are put back on the way.
lab_nft t1 lab_nat <<-'EOF'
	chain post { type nat hook postrouting priority 100;
		oifname t2 ip protocol icmp snat ip to 198.51.100.77
		oifname t2 meta l4proto { tcp, udp } snat ip to 198.51.100.77:40000-40999 random
	}
EOF
for m in icmp udp tcp; do
	OUT=$(trace_json vp -M $m $D4)
	true_path "kernel's NAT" $m
	is "kernel's NAT, $m: no flag" "$(flags <<<"$OUT")" ''
done
lab_nft t1 lab_nat off
# A forwarded port: the kernel puts the destination's address on the errors from behind, too. All
# speak as the destination then, of TTLs that ran out: no loop, and no arrival.
lab_nft t2 lab_nat <<-'EOF'
	chain pre { type nat hook prerouting priority -100;
		iifname t1 ip daddr 175.45.176.71 tcp dport 80 dnat ip to 175.45.176.71:81
	}
EOF
OUT=$(trace_json vp -T $D4)
is "forwarded port: hops" "$(hops <<<"$OUT")" \
	"$(truth $D4 | awk -v d=$D4 '{ print $1, ($1 > 1 ? d : $2) }')"
is "forwarded port: end" "$(field '"\(.stop) \(.reached_by) \([.hops[].ttl] | max)"' <<<"$OUT")" \
	'reached rst 10'
lab_nft t2 lab_nat off

# 3. The IP-ID rewritten at t2: half of the token, or of its second copy (TCP).
lab_nft t2 lab_trust <<-'EOF'
	chain out { type filter hook forward priority 0;
		oifname t3 ip id set 4711
	}
EOF
for m in icmp udp tcp; do
	OUT=$(trace_json vp -M $m $D4)
	true_path "IP-ID rewritten" $m
	is "IP-ID rewritten, $m: flags" "$(flags <<<"$OUT")" \
		"$(from_on 3 rewritten $m)"
done
lab_nft t2 lab_trust off

# 4. Quotes that say another TTL than 1: a remark. 16 bytes into the ICMP message.
for ttl in 0 3; do
	lab_nft d1 lab_trust <<-EOF
		chain out { type filter hook postrouting priority 300;
			icmp type time-exceeded fib saddr type local @th,128,8 set $ttl
		}
	EOF
	OUT=$(trace_json vp -I $D4)
	true_path "quoted TTL $ttl" icmp
	is "quoted TTL $ttl: flags" "$(flags <<<"$OUT")" "4 219.158.115.122 quoted_ttl"
done
lab_nft d1 lab_trust off

# 5. t3 copies what passes to `box`, which answers for the whole network, and lets it pass. The
# destination is where nobody answers from beyond; what spoke for it before is `nearer`. Of IPv4:
# the kernel of the day copies no IPv6 packet so.
# copies on|off
copies()
{
	nsenter --net=/run/netns/t3 nft delete table ip lab_copy 2>/dev/null
	[[ $1 == on ]] || return 0
	nsenter --net=/run/netns/t3 nft -f - <<-EOF
		table ip lab_copy {
			chain in { type filter hook prerouting priority -300;
				iifname t2 ip daddr $INSIDE4 dup to 10.9.9.2 device box
			}
		}
	EOF
}
if copies on; then
	for m in icmp tcp; do
		for q in 1 3; do
			OUT=$(trace_json vp -M $m -q $q $D4)
			name="nearer, $m -q $q"
			is "$name: end" "$(field .stop <<<"$OUT")" reached
			is "$name: routers and destination" \
				"$(hops <<<"$OUT" | sed "s/\\b$D4,//; s/,$D4\\b//")" "$(truth $D4)"
			is "$name: flagged from t3 to the end" \
				"$(flags <<<"$OUT" | awk '$3 == "nearer" { printf "%s ", $1 }')" \
				'3 4 5 6 7 8 9 10 '
			is "$name: verdict" "$(outcome <<<"$OUT") $(field '"\(.verdict.class) \(
				.verdict.first_inside.ttl)"' <<<"$OUT")" 'dandong border 7'
			[[ $m == icmp ]] || is "$name: by the true answer" \
				"$(field .reached_by <<<"$OUT")" syn_ack
		done
	done
	# The same, and the inside is silent: nothing was reached, though somebody says so.
	cut_path d3 175.45.176.0/24
	OUT=$(trace_json vp -I $D4)
	is "nearer, cut behind: end" "$(field '"\(.stop) \(.reach) \(.reached_by)"' <<<"$OUT")" \
		'gap_limit silent null'
	right_or_open "nearer, cut behind: verdict" "$(outcome <<<"$OUT")" dandong
	cut_path d3 off
	copies off
else
	not_ok "this kernel's nft has no dup"
fi

# 6. A silent filter in transit that rejects UDP as a closed port would: it ends the trace, as the
# target's other address would, and proves no way in.
silence t3
lab_nft t3 lab_trust <<-'EOF'
	chain through { type filter hook forward priority 10;
		ip daddr 175.45.176.0/24 meta l4proto udp reject with icmp port-unreachable
	}
EOF
OUT=$(trace_json vp -U $D4)
is "silent filter: end" "$(field '"\(.stop) \(.reached_by)"' <<<"$OUT")" 'reached port_unreachable'
is "silent filter: verdict" "$(field '"\(.verdict.outcome) \(.verdict.first_inside)"' <<<"$OUT")" \
	'undetermined null'
silence t3 off
OUT=$(trace_json vp -U $D4)
is "filter that answers as a router: end" "$(field .stop <<<"$OUT")" unreachable
lab_nft t3 lab_trust off

# 7. From Frankfurt, light needs 80 ms: whoever answers from inside in 1 ms does not stand there.
OUT=$(trace_json vp -T --place 50.11,8.68 $D4)
is "place kept" "$(field '"\(.place.lat) \(.place.lon)"' <<<"$OUT")" '50.11 8.68'
is "faster than light: flags" "$(flags <<<"$OUT")" \
	"$(truth $D4 | awk '/ 175\.45\./ { print $0, "faster_than_light" }')"
is "faster than light: verdict" "$(outcome <<<"$OUT") $(field '"\(.verdict.class) \(
	.verdict.first_inside)"' <<<"$OUT")" 'dandong inside_silent null'
is "faster than light: remark" \
	"$(field '[.verdict.evidence[].rule] | index("forged_answer") != null' <<<"$OUT")" true
# The record is judged again as it was; without the place nothing is known to be too fast.
jq -c 'del(.hops[].probes[].flags)' <<<"$OUT" >"$LAB_TMP/placed.jsonl"
jq -c 'del(.place)' "$LAB_TMP/placed.jsonl" >"$LAB_TMP/unplaced.jsonl"
for kind in placed unplaced; do
	is "judge, $kind" "$(bp vp judge --profile "$LAB_DIR/lab.yaml" --format jsonl \
		"$LAB_TMP/$kind.jsonl" | field .verdict.class)" \
		"$([[ $kind == placed ]] && echo inside_silent || echo border)"
done
like "faster than light: told" "$(bp vp trace --profile "$LAB_DIR/lab.yaml" -n -T \
	--place 50.11,8.68 $D4)" 'faster_than_light: sooner than light'

finish
