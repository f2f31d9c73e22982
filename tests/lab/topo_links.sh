# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# links: a short path whose first link, the vantage point's uplink, is not a plain Ethernet.
#
#   vp ==== r1 ---- r2 ---- far
#
#   ==== is `r1` in vp:  veth      plain
#                        tun       no link layer: a tun at both ends, copied by a process
#                        bridge    a bridge over the port eth0
#                        vlan      tagged, over eth0, on both ends
#                        bond      active-backup over eth0
#                        macvlan   over eth0
#
#   vp 198.51.100.200   r1 198.51.100.1   r2 198.51.100.2   far 192.0.2.1, TCP 80 open
#   2001:db8:51::c8     ::1               ::2               2001:db8:2::1
#
#	links_up KIND       raises it; returns 77 when this kernel has no such device
#	truth DST           lines "ttl address"

LINKS_KIND=''

links_up()
{
	local p
	LINKS_KIND=$1
	links_known "$1" || return 77
	node vp 198.51.100.200 2001:db8:51::c8
	router r1 198.51.100.1 2001:db8:51::1
	router r2 198.51.100.2 2001:db8:51::2
	node far 192.0.2.1 2001:db8:2::1
	case $1 in
	veth) link vp r1 ;;
	tun) ;;
	*) LAB_LINK_CMDS+="link add eth0 netns vp type veth peer name eth0 netns r1"$'\n' ;;
	esac
	case $1 in
	veth) ;;
	tun) links_bare ;;
	*) lab_neighbours vp r1 ;;
	esac
	link r1 r2
	link r2 far
	route vp default r1
	route_back r1 vp
	route r2 default r1
	route far default r2
	for p in 192.0.2.0/24 2001:db8:2::/48; do
		route r1 "$p" r2
		route r2 "$p" far
	done
	# shellcheck disable=SC2034  # lab_raise calls it
	LAB_DEVICES=links_devices
	lab_raise
	listen_on far 80 192.0.2.1 2001:db8:2::1
	for p in 192.0.2.1 2001:db8:2::1; do
		wait_for 10 reach vp "$p" || lab_die "links $1: $p does not answer"
	done
}

# links_known KIND: whether this kernel has such devices, asked in the lab's own root namespace.
links_known()
{
	local rc
	case $1 in
	veth | tun) return 0 ;;
	bridge | bond) ip link add name ask0 type "$1" ;;
	vlan) ip link add link lo name ask0 type vlan id 7 ;;
	macvlan) ip link add name ask1 type veth peer name ask2 &&
		ip link add link ask1 name ask0 type macvlan ;;
	esac 2>/dev/null
	rc=$?
	ip link del ask0 2>/dev/null
	ip link del ask1 2>/dev/null
	return "$rc"
}

# Link-local addresses without neighbours, for a device that has no link layer.
links_bare()
{
	local n
	for n in "vp r1" "r1 vp"; do
		LAB_UP_CMDS[${n% *}]+="link set dev ${n#* } up"$'\n'
		LAB_UP_CMDS[${n% *}]+="address add $(lab_ll "${n% *}")/64 dev ${n#* } nodad"$'\n'
	done
}

# Called by lab_raise once the veths exist; lab_reset forgets it.
links_devices()
{
	local n dev mac bin
	if [[ $LINKS_KIND == tun ]]; then
		bin=$(helper tunpair) || exit 1
		"$bin" "$LAB_TMP/tunpair" /run/netns/vp r1 /run/netns/r1 vp &
		wait_for 5 test -e "$LAB_TMP/tunpair" || lab_die "tunpair did not start"
		return
	fi
	[[ $LINKS_KIND != veth ]] || return 0
	for n in "vp r1" "r1 vp"; do
		dev=${n#* } n=${n% *}
		mac=$(lab_mac "$n" "$dev")
		case $LINKS_KIND in
		vlan) ip -n "$n" link add link eth0 name "$dev" address "$mac" type vlan id 7 ;;
		macvlan) ip -n "$n" link add link eth0 name "$dev" address "$mac" type macvlan \
			mode bridge ;;
		bridge) ip -n "$n" link add name "$dev" address "$mac" type bridge &&
			ip -n "$n" link set eth0 master "$dev" ;;
		bond) ip -n "$n" link add name "$dev" address "$mac" type bond mode active-backup &&
			ip -n "$n" link set eth0 master "$dev" ;;
		esac || lab_die "links $LINKS_KIND failed"
		ip -n "$n" link set dev eth0 up
	done
}

truth() { printf '%s\n' "1 $(links_a r1 "$1")" "2 $(links_a r2 "$1")" "3 $1"; }

links_a() { if [[ $2 == *:* ]]; then echo "${LAB_A6[$1]}"; else echo "${LAB_A4[$1]}"; fi; }
