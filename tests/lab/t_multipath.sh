#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# All load-balanced paths: every branch of a diamond, by each method and family, and no link that is
# not there; branches of unequal length; balancing per packet; branches that take different borders;
# few probes where nothing branches; an interrupted search. Topologies: topo_diamond.sh,
# topo_borders.sh, topo_chain.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_diamond.sh"
. "$LAB_DIR/topo_borders.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath

multipath() { trace_json vp --multipath=95 --rate max "$@"; }
paths() { jq -c 'select(.type == "paths")'; }

# links: "ttl from to", one a line, sorted; of the paths object on stdin.
links() { jq -r 'select(.type == "paths") | .links[] | "\(.ttl) \(.from) \(.to)"' | sort; }
# way_links DST: the same of the topology, from its list of ways.
way_links()
{
	diamond_ways "$1" | awk '{ for (i = 1; i < NF; i++) print i, $i, $(i + 1) }' | sort -u
}
# sent: probes of all flows.
sent() { jq -s '[.[] | select(.type == "trace") | .sent] | add'; }

# ---- a diamond of four ------------------------------------------------------------------------------

diamond_up equal
found=0 true_links=0 confidence=0
want=$(way_links 192.0.2.1)
for ((run = 0; run < 15; run++)); do
	# A flow's ports come from the vantage point's name: each run has flows of its own.
	out=$(multipath -U --vantage "vp$run" 192.0.2.1)
	[[ $(jq -r '.nodes[]? | select(.ttl == 2) | .addr' <<<"$(paths <<<"$out")" | wc -l) != 4 ]] ||
		found=$((found + 1))
	[[ $(links <<<"$out") != "$want" ]] || true_links=$((true_links + 1))
	invented=$(comm -23 <(links <<<"$out") <(echo "$want"))
	is "run $run, links that do not exist" "$invented" ''
	confidence=$(jq '.confidence' <<<"$(paths <<<"$out")")
	echo "# run $run: $(sent <<<"$out") probes, $(jq .flows <<<"$(paths <<<"$out")") flows," \
		"confidence $confidence"
done
like "15 runs at 95 %: runs that found four branches" "$found" '^1[45]$'
like "runs whose links are the topology's" "$true_links" '^1[45]$'

for dst in 192.0.2.1 2001:db8:2::1; do
	for method in udp tcp; do
		out=$(trace_json vp --multipath=99 --rate max -M $method "$dst")
		is "$dst $method links" "$(links <<<"$out")" "$(way_links "$dst")"
		is "$dst $method is not cut" "$(jq .cut <<<"$(paths <<<"$out")")" false
		is "$dst $method level" "$(jq .level <<<"$(paths <<<"$out")")" 99
		is "$dst $method balancing" "$(jq -r '[.nodes[] | select(.balancing) |
			"\(.ttl) \(.balancing)"] | join(", ")' <<<"$(paths <<<"$out")")" '1 per_flow'
		is "$dst $method every flow reaches" \
			"$(jq '.flows == .reached' <<<"$(paths <<<"$out")")" true
		is "$dst $method one trace a flow" "$(field .id <<<"$out" | sort -u | wc -l)" \
			"$(jq .flows <<<"$(paths <<<"$out")")"
		is "$dst $method paths come last" "$(tail -1 <<<"$out" | jq -r .type)" paths
		# Where flows part each was asked; what it inherits, all flows passed.
		is "$dst $method inherited where flows part" "$(jq -r 'select(.type == "trace") |
			.hops[] | select(.ttl == 2) | .probes[].flags |
			select(index("inherited"))' <<<"$out")" ''
		is "$dst $method inherited hops" "$(jq -r 'select(.type == "trace") |
			select(any(.hops[].probes[].flags[]; . == "inherited")) |
			.inherited_from' <<<"$out" | sort -u)" \
			"$(field 'select(.flow == 0) | .id' <<<"$out")"
		is "$dst $method an inherited hop has no RTT" "$(jq -r 'select(.type == "trace") |
			.hops[].probes[] | select(.flags | index("inherited")) |
			.rtt_ms // .tx_us // empty' <<<"$out")" ''
	done
	# ICMP has no ports to hash: one way, and it says so.
	out=$(multipath -I "$dst")
	is "$dst icmp, branches" "$(jq '[.nodes[] | select(.ttl == 2)] | length' \
		<<<"$(paths <<<"$out")")" 1
done
out=$(bp vp trace --multipath -U -n --rate max 192.0.2.1)
like "text: branching" "$out" '\[per flow over 4\]'
like "text: sure of" "$out" 'none is missing anywhere has a probability of 0\.[5-9]'

# ---- per packet -------------------------------------------------------------------------------------

per_packet a 192.0.2.0/24 b1 b2 b3 b4
out=$(trace_json vp --multipath=99 --rate max -U 192.0.2.1)
is "per packet" "$(jq -r '[.nodes[] | select(.balancing) | "\(.ttl) \(.balancing)"] |
	join(", ")' <<<"$(paths <<<"$out")")" '1 per_packet'
is "per packet, links" "$(links <<<"$out")" "$want"
lab_reset

# ---- one way is longer ------------------------------------------------------------------------------

diamond_up unequal
out=$(trace_json vp --multipath=99 --rate max -T 192.0.2.1)
is "unequal links" "$(links <<<"$out")" "$(way_links 192.0.2.1)"
is "unequal, ends" "$(jq -r 'select(.type == "trace") | .hops[-1].ttl' <<<"$out" | sort -u |
	tr '\n' ' ')" '4 5 '

# ---- interrupted ------------------------------------------------------------------------------------

packets_over() { (($(at a cat /sys/class/net/vp/statistics/rx_packets) > $1)); }
before=$(at a cat /sys/class/net/vp/statistics/rx_packets)
trace_json vp --multipath -U --per-prefix-rate 4 192.0.2.1 >"$LAB_TMP/cut" 2>/dev/null &
child=$!
wait_for 20 packets_over $((before + 20)) || lab_die "nothing was sent"
# The program is the namespace command's child: it is asked, not the shell around it.
for pid in $(ip netns pids vp); do
	[[ $(readlink "/proc/$pid/exe") != */borderpath ]] || kill -INT "$pid"
done
wait $child
is "interrupted: exit code" $? 3
is "interrupted: paths object" "$(paths <"$LAB_TMP/cut" | jq .cut)" true
is "interrupted: traces" "$(field .stop <"$LAB_TMP/cut" | sort -u)" interrupted
lab_reset

# ---- branches that take different borders -------------------------------------------------------------

borders_up silent
ecmp t3 175.45.176.0/24 d1 k1
ecmp t3 2001:db8:b0::/48 d1 k1
for dst in 175.45.176.71 2001:db8:b0::71; do
	out=$(multipath -T "$dst")
	p=$(paths <<<"$out")
	is "$dst outcome" "$(jq -r .verdict.outcome <<<"$p")" mixed
	is "$dst borders" "$(jq -r '.shares | keys | join(" ")' <<<"$p")" 'dandong khasan'
	is "$dst shares are counted flows" "$(jq '. as $p | [.counts | to_entries[] |
		.value / $p.flows == $p.shares[.key]] | all' <<<"$p")" true
	is "$dst every flow has its border" "$(jq '[.counts[]] | add' <<<"$p")" "$(jq .flows <<<"$p")"
	is "$dst p are the shares" "$(jq '(.verdict.p.dandong - .shares.dandong | fabs) < 0.1' \
		<<<"$p")" true
	wrong=$(jq -r 'select(.type == "trace") | . as $t |
		(if any(.hops[].probes[]; .from and (.from | test("^(188\\.43|2001:db8:c:)")))
		 then "khasan" else "dandong" end) as $truth |
		select(.verdict.border != $truth) | .id' <<<"$out")
	is "$dst flows whose border is another" "$wrong" ''
	echo "# $dst: $(sent <<<"$out") probes, shares $(jq -c .counts <<<"$p")"
done
out=$(bp vp trace --multipath -T -n --rate max --profile "$LAB_DIR/lab.yaml" 175.45.176.71)
like "text: shares" "$out" 'Dandong / China: [0-9]+ of [0-9]+ flows, [0-9]+ % \(95 % interval'
like "text: verdict" "$out" 'takes several borders at once'
lab_reset

# ---- nothing branches -------------------------------------------------------------------------------

chain_up 10
out=$(multipath -U 192.0.2.1)
p=$(paths <<<"$out")
is "chain: flows" "$(jq .flows <<<"$p")" 6
is "chain: nodes" "$(jq '.nodes | length' <<<"$p")" 11
probes=$(sent <<<"$out")
# Six a hop, and what the survey sent beyond the destination.
like "chain: probes ($probes)" "$((probes <= 6 * 11 + 16))" '^1$'

finish
