# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# borders: two land borders and a satellite into one network, as FACTS and the recorded traces
# describe them.
#
#                        .-- d1 -------- d2 -------- d3 -------------.      Dandong    (AS4837)
#   vp -- t1 -- t2 -- t3 --- k1 -- k2 -- k3 -- k4 ------------------- j -- x1 -- x2 -- nk
#                        '-- s1 -------- s2 -------------------------'      satellite  (AS22351)
#                                  k2 -- yg -- ya                                  not the network
#
#   node  v4                what it is                      v6
#   vp    203.0.113.2       the vantage point               2001:db8:a::2
#   t1    10.11.0.1         private                         2001:db8:a::1
#   t2    66.110.96.13      Tata, AS6453                    2001:db8:7::2
#   t3    63.243.128.121    Tata, AS6453; picks the branch  2001:db8:7::3
#   d1-3  219.158.115.122 219.158.102.214 219.158.39.42     2001:db8:d::1 to ::3
#   k1    80.81.193.157     an exchange LAN (DE-CIX)        2001:db8:e::1
#   k2    217.150.57.98     TransTeleCom, AS20485           2001:db8:c::2
#   k3    10.99.99.9        private, amid TransTeleCom      2001:db8:c::3
#   k4    188.43.225.153    last outside hop                2001:db8:c::4
#   s1-2  202.72.96.14 202.72.96.30  Intelsat               2001:db8:5::1, ::2
#   j     175.45.179.254    where the branches join         2001:db8:bf::1
#   x1    10.45.0.1         inside, private                 2001:db8:bf::2
#   x2    10.45.0.5         inside, private                 2001:db8:bf::3
#   ya    87.250.250.242    a host elsewhere, behind k2: a customer of the carrier
#   yg    188.43.3.213      its router, on the carrier's space ("Yandex-gw")
#   nk    175.45.176.0/24 to 175.45.179.0/24, whole         2001:db8:b0::/48 to b3::/48, whole
#
# The network is 175.45.176.0/22 and 2001:db8:b0::/44. nk accepts TCP 80 on .176.71, .177.10 and
# .179.1 and on b0::71, b1::10, b3::1, and resets elsewhere. Unless told otherwise .176 and .177 go
# by Dandong, .178 and .179 by Khasan, and so in v6. The way back is always by Dandong: only the
# way towards the network is what a trace can see.
#
#	borders_up silent|talking raises it; `silent`: j, x1 and x2 send no time-exceeded
#	BORDERS_J=numbered        before borders_up: j has no address of its own but one of each
#	                          carrier on its links, as a customer's border router does
#	                          (219.158.39.46, 188.43.225.154, 202.72.96.34; v6 ::46)
#	BORDERS_TWIN=1            before borders_up: d1 has a twin beside it, e1 (219.158.115.126), that
#	                          nothing is routed to
#	move_route PREFIX d|k|s   moves one of the eight prefixes while running
#	truth DST                 lines "ttl address", silent hops as "ttl *", from the wiring alone

BORDERS_J='' BORDERS_TWIN=''
BORDERS_V4=(175.45.176.0/24 175.45.177.0/24 175.45.178.0/24 175.45.179.0/24)
BORDERS_V6=(2001:db8:b0::/48 2001:db8:b1::/48 2001:db8:b2::/48 2001:db8:b3::/48)
declare -A BORDERS_BRANCH=() BORDERS_SILENT=()

borders_up()
{
	local n p i
	BORDERS_BRANCH=() BORDERS_SILENT=()
	node vp 203.0.113.2 2001:db8:a::2
	router t1 10.11.0.1 2001:db8:a::1
	router t2 66.110.96.13 2001:db8:7::2
	router t3 63.243.128.121 2001:db8:7::3
	router d1 219.158.115.122 2001:db8:d::1
	router d2 219.158.102.214 2001:db8:d::2
	router d3 219.158.39.42 2001:db8:d::3
	router k1 80.81.193.157 2001:db8:e::1
	router k2 217.150.57.98 2001:db8:c::2
	router k3 10.99.99.9 2001:db8:c::3
	router k4 188.43.225.153 2001:db8:c::4
	router s1 202.72.96.14 2001:db8:5::1
	router s2 202.72.96.30 2001:db8:5::2
	if [[ $BORDERS_J == numbered ]]; then
		router j - -
	else
		router j 175.45.179.254 2001:db8:bf::1
	fi
	router x1 10.45.0.1 2001:db8:bf::2
	router x2 10.45.0.5 2001:db8:bf::3
	router yg 188.43.3.213 2001:db8:c::3:213
	[[ -z $BORDERS_TWIN ]] || router e1 219.158.115.126 2001:db8:d::11
	node ya 87.250.250.242 2001:db8:9::242
	node nk 175.45.176.1 2001:db8:b0::1

	borders_chain vp t1 t2 t3
	borders_chain t3 d1 d2 d3 j
	borders_chain t3 k1 k2 k3 k4 j
	borders_chain t3 s1 s2 j
	borders_chain j x1 x2 nk
	borders_elsewhere t1 t2 t3 k1 k2 yg ya
	[[ -z $BORDERS_TWIN ]] || borders_twin
	route j default d3
	for p in "${BORDERS_V4[@]}" "${BORDERS_V6[@]}"; do
		whole nk "$p"
	done
	own nk 2001:db8:b0::71 2001:db8:b1::10 2001:db8:b2::3 2001:db8:b3::1
	for i in 0 1 2 3; do
		p=d
		((i < 2)) || p=k
		move_route "${BORDERS_V4[i]}" "$p"
		move_route "${BORDERS_V6[i]}" "$p"
	done

	lab_raise
	listen_on nk 80 175.45.176.71 175.45.177.10 175.45.179.1 \
		2001:db8:b0::71 2001:db8:b1::10 2001:db8:b3::1
	for p in 175.45.176.71 175.45.178.3 2001:db8:b0::71 2001:db8:b2::3; do
		wait_for 10 reach vp "$p" || lab_die "borders: $p does not answer"
	done
	[[ $1 != silent ]] || for n in j x1 x2; do borders_silence "$n"; done
}

# borders_chain A B C...: links in a row; everything for the network goes right, the rest left.
borders_chain()
{
	local a b
	a=$1
	shift
	for b; do
		if [[ $b == j && $BORDERS_J == numbered ]]; then
			borders_join "$a"
		else
			link "$a" "$b"
		fi
		if [[ $a == vp ]]; then
			route vp default "$b"
		elif [[ $a != t3 ]]; then
			route "$a" 175.45.176.0/22 "$b"
			route "$a" 2001:db8:b0::/44 "$b"
		fi
		case $b in
		t1) route_back t1 vp ;;
		j) ;;	# its way back is chosen by borders_up
		*) route "$b" default "$a" ;;
		esac
		a=$b
	done
}

borders_elsewhere()	# T1 ... YA: routes to the host that is not in the network
{
	local a=$1 b
	shift
	link k2 yg
	link yg ya
	route yg default k2
	route ya default yg
	for b; do
		route "$a" 87.250.250.0/24 "$b"
		route "$a" 2001:db8:9::/48 "$b"
		a=$b
	done
}

borders_twin()
{
	link t3 e1
	link e1 d2
	route e1 175.45.176.0/22 d2
	route e1 2001:db8:b0::/44 d2
	route e1 default t3
}

borders_join()	# NODE: a numbered link from a carrier to j
{
	case $1 in
	d3) link d3 j '' 219.158.39.46/30 '' 2001:db8:d::46/126 ;;
	k4) link k4 j '' 188.43.225.154/30 '' 2001:db8:c::46/126 ;;
	s2) link s2 j '' 202.72.96.34/30 '' 2001:db8:5::46/126 ;;
	esac
}

borders_silence()	# NODE [off]
{
	silence "$@"
	BORDERS_SILENT[$1]=$([[ ${2:-} == off ]] || echo 1)
}

move_route()
{
	BORDERS_BRANCH[$1]=$2
	case $2 in
	d | k | s) route t3 "$1" "${2}1" ;;
	*) lab_die "move_route: branch $2" ;;
	esac
}

# borders_prefix DST: which of the eight prefixes it is in.
borders_prefix()
{
	case $1 in
	175.45.17[6-9].*) echo "${1%.*}.0/24" ;;
	2001:db8:b[0-3]:*) echo "$(cut -d: -f1-3 <<<"$1")::/48" ;;
	esac
}

# borders_nodes DST: the nodes of the path, vantage left out.
borders_nodes()
{
	case $1 in
	87.250.250.* | 2001:db8:9:*) echo t1 t2 t3 k1 k2 yg ya; return ;;
	esac
	case ${BORDERS_BRANCH[$(borders_prefix "$1")]} in
	d) echo t1 t2 t3 d1 d2 d3 j x1 x2 nk ;;
	k) echo t1 t2 t3 k1 k2 k3 k4 j x1 x2 nk ;;
	s) echo t1 t2 t3 s1 s2 j x1 x2 nk ;;
	esac
}

truth()
{
	local n ttl=0 a
	for n in $(borders_nodes "$1"); do
		ttl=$((ttl + 1))
		a=${LAB_A4[$n]}
		[[ $1 != *:* ]] || a=${LAB_A6[$n]}
		[[ $n != nk && $n != ya ]] || a=$1
		[[ -z ${BORDERS_SILENT[$n]:-} ]] || a='*'
		echo "$ttl $a"
	done
}

# borders_verdict DST: what a right verdict names.
borders_verdict()
{
	case ${BORDERS_BRANCH[$(borders_prefix "$1")]} in
	d) echo dandong ;;
	k) echo khasan ;;
	s) echo other ;;
	esac
}
