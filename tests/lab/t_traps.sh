#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What real borders do to a judge: each trap gives the right verdict or `undetermined`, never a
# wrong one. Topology: topo_borders.sh, with the three border hops silent unless the trap is theirs.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath

D4=175.45.176.71 K4=175.45.178.3 D6=2001:db8:b0::71 K6=2001:db8:b2::3

# judged NAME DST WANT [METHOD...]: right or undetermined, by each method.
judged()
{
	local name=$1 dst=$2 want=$3 m
	shift 3
	(($#)) || set -- icmp tcp
	for m; do
		OUT=$(trace_json vp -M "$m" "$dst")
		right_or_open "$name, $dst $m" "$(outcome <<<"$OUT")" "$want"
		[[ -z ${LAB_WHY:-} ]] || why_so <<<"$OUT"
	done
}

# sure NAME DST WANT [METHOD...]: right, and no shrug.
sure()
{
	local name=$1 dst=$2 want=$3 m
	shift 3
	(($#)) || set -- icmp tcp
	for m; do
		OUT=$(trace_json vp -M "$m" "$dst")
		is "$name, $dst $m" "$(outcome <<<"$OUT")" "$want"
		[[ -z ${LAB_WHY:-} ]] || why_so <<<"$OUT"
	done
}

borders_up silent

# 1. A filter at the last outside router, or one before it, answers !X at every TTL; TCP 80 passes.
for at in "d3 175.45.176.0/24 $D4 dandong" "k4 175.45.178.0/24 $K4 khasan" \
	"d3 2001:db8:b0::/48 $D6 dandong" "k4 2001:db8:b2::/48 $K6 khasan"; do
	read -r router prefix dst want <<<"$at"
	filter "$router" "$prefix"
	for m in icmp udp; do
		sure "filter at $router" "$dst" "$want" "$m"
		is "filter at $router, $dst $m reach" \
			"$(field '"\(.reach) \(.verdict.class)"' <<<"$OUT")" \
			'filtered filtered_at_border'
	done
	sure "filter lets tcp through" "$dst" "$want" tcp
	is "filter, $dst tcp reach" "$(field .reach <<<"$OUT")" reached
	filter "$router" off
done
# The same filter inside: j is the network's own.
filter j 175.45.176.0/24
judged "filter inside" $D4 dandong icmp udp
filter j off
# A filter in transit, far from any border, names none.
filter t2 175.45.176.0/24
judged "filter in transit" $D4 undetermined icmp udp
filter t2 off

# 2. Hops without ASN: the carrier's router 103.35.255.254 is in no table.
answer_from d2 103.35.252.10
answer_from d3 103.35.255.254
sure "carrier that no table has" $D4 dandong
answer_from d2 219.158.102.214
answer_from d3 219.158.39.42
# The last outside hop is an exchange or a private address, the carrier is before it.
answer_from k4 80.81.193.200
judged "exchange address last" $K4 khasan
answer_from k4 10.99.99.13
judged "private address last" $K4 khasan
answer_from k4 188.43.225.153

# 3. A third party's address on the last outside hop: the other carrier's.
answer_from k4 219.158.39.50
judged "last outside hop answers as the other carrier" $K4 khasan
answer_from k4 188.43.225.153
answer_from d3 188.43.225.150
judged "last outside hop answers as the other carrier" $D4 dandong
answer_from d3 219.158.39.42
answer_from k4 2001:db8:d::50
judged "last outside hop answers as the other carrier" $K6 khasan
answer_from k4 2001:db8:c::4
answer_from d3 2001:db8:c::50
judged "last outside hop answers as the other carrier" $D6 dandong
answer_from d3 2001:db8:d::3

# 4. A third party's address on the joining router, the one hop at the border that answers.
borders_silence j off
answer_from j 219.158.39.46
judged "joining router answers as Dandong's carrier" $K4 khasan
sure "joining router answers from the way taken" $D4 dandong
answer_from j 188.43.225.154
judged "joining router answers as Khasan's carrier" $D4 dandong
sure "joining router answers from the way taken" $K4 khasan
answer_from j 2001:db8:d::46
judged "joining router answers as Dandong's carrier" $K6 khasan
answer_from j 2001:db8:c::46
judged "joining router answers as Khasan's carrier" $D6 dandong
answer_from j 175.45.179.254
answer_from j 2001:db8:bf::1
borders_silence j

# 5. A customer's router on the carrier's space, to a host that is not in the network at all.
sure "carrier's customer elsewhere" 87.250.250.242 none
is "carrier's customer, class" "$(field .verdict.class <<<"$OUT")" not_inside
sure "carrier's customer elsewhere" 2001:db8:9::242 none
# And on the way in: the last router before the network is the carrier's customer by name.
answer_from k4 188.43.3.213
judged "customer router on carrier space" $K4 khasan
answer_from k4 188.43.225.153

# 6. The destination answers at two TTLs: something before it speaks in its name. One hop, not two.
for dst in "$D4 dandong" "$K4 khasan" "$D6 dandong" "$K6 khasan"; do
	read -r dst want <<<"$dst"
	borders_silence x2 off
	answer_as x2 "$dst"
	sure "destination at two TTLs" "$dst" "$want" icmp udp tcp
	like "destination at two TTLs, $dst seen twice" \
		"$(hops <<<"$OUT" | grep -c " $dst\$")" '^2$'
	is "destination at two TTLs, $dst stop" "$(field .stop <<<"$OUT")" reached
	answer_as x2 off
	borders_silence x2
done

# 7. A path that ends before the border.
for router in t2 t3 d1 d2; do
	for dst in "$D4 175.45.176.0/24" "$D6 2001:db8:b0::/48"; do
		read -r dst prefix <<<"$dst"
		cut_path "$router" "$prefix"
		judged "cut at $router" "$dst" dandong icmp
		case $router in
		t2 | t3) is "cut at $router, $dst names no border" \
			"$(field '"\(.verdict.outcome) \(.verdict.class)"' <<<"$OUT")" \
			'undetermined cut_before_border' ;;
		esac
		cut_path "$router" off
	done
done
cut_path k2 175.45.178.0/24
judged "cut at k2, behind an exchange" $K4 khasan icmp
cut_path k2 off

# 8. Satellite, or any way in that the profile does not name.
move_route 175.45.179.0/24 s
move_route 2001:db8:b3::/48 s
judged "satellite" 175.45.179.1 other
judged "satellite" 2001:db8:b3::1 other
# The default profile lists Intelsat until 2014 only: now it is an unlisted network.
LAB_PROFILE=dprk judged "satellite, not listed" 175.45.179.1 other
# Its last hop seems a border's carrier: a third party again.
answer_from s2 188.43.225.150
judged "satellite, last hop as Khasan's carrier" 175.45.179.1 other
answer_from s2 202.72.96.30

# 9. Carrier to carrier: Unicom hands over to TransTeleCom, which crosses.
route d2 175.45.177.0/24 d3
answer_from d1 219.158.115.122
answer_from d3 188.43.225.150
answer_from d2 217.150.57.90
judged "Unicom, then TransTeleCom at the border" 175.45.177.10 khasan
answer_from d3 219.158.39.42
answer_from d2 219.158.102.214

# 10. The joining router's links carry the carriers' addresses, and the kernel chooses: with
# icmp_errors_use_inbound_ifaddr 0 the side the answer leaves by (always Dandong's here), with 1
# the side the probe came in by.
lab_reset
# shellcheck disable=SC2034  # read by borders_up
BORDERS_J=numbered
borders_up talking
for inbound in 0 1; do
	inbound_ifaddr j $inbound
	judged "use_inbound_ifaddr $inbound" $D4 dandong
	judged "use_inbound_ifaddr $inbound" $K4 khasan
	like "use_inbound_ifaddr $inbound, joining router" "$(hops <<<"$OUT")" \
		"$([[ $inbound == 1 ]] && echo '8 188.43.225.154' || echo '8 219.158.39.46')"
	judged "use_inbound_ifaddr $inbound" $K6 khasan
done

finish
