# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lab.sh: networks of kernel routers in namespaces, for scripts to source.
#
# Owns: entering a private world (network, mount and process namespaces), wiring nodes, the traps of
# real routers (silence, filters, rate limits, loss, third-party addresses), and the check lines.
# Refuses: to run anything outside that world. Its root namespace has no uplink, so no packet can
# leave; /run is a tmpfs of its own, so any number of labs run side by side; and every namespace and
# process dies with the script, kill -9 included, because they live in its process namespace.
#
# A script sources this file, calls `lab_enter "$@"`, wires nodes, then `lab_raise`:
#
#	node vp 203.0.113.2 2001:db8:a::2       a host: its addresses sit on lo
#	router r1 10.0.0.1 2001:db8:7::1        a router: the one address it answers from; `-`: from
#	                                        the addresses of its links, as the kernel chooses
#	link vp r1                              a veth, unnumbered: only fe80::ID, static neighbours
#	route vp default r1                     one or both families, by the next node's name
#	lab_raise                               one batch for links, one per node for the rest
#
# Interfaces are named after the neighbour: `vp` has `r1`, `r1` has `vp`. After lab_raise the same
# calls take effect at once. Nothing sleeps: `wait_for` polls.

set -u -o pipefail

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_ROOT=$(cd "$LAB_DIR/../.." && pwd)
LAB_BUILD=${LAB_BUILD:-$LAB_ROOT/build}
LAB_BIN=${LAB_BIN:-$LAB_BUILD/tests/lab}	# where the helpers written in C are
LAB_TMP=/run/lab				# on the private tmpfs: gone with the lab

declare -A LAB_ID=() LAB_A4=() LAB_A6=() LAB_KIND=()	# node -> number, addresses, host|router
declare -A LAB_UP_CMDS=() LAB_CMDS=()		# node -> ip(8) lines waiting for lab_raise
declare -A LAB_ROUTES=()			# node -> lines "family prefix next"
declare -A LAB_SYSCTL=()			# node -> settings lab_raise makes besides
LAB_LINK_CMDS='' LAB_NODES=() LAB_RAISED=0
LAB_DEVICES=''					# function that makes a topology's other devices
LAB_PASSED=0 LAB_FAILED=0 LAB_SKIPPED=0

# ---- entering and leaving ------------------------------------------------------------------------

lab_skip() { echo "skipped: $*"; exit 77; }
lab_die() { echo "lab: $*" >&2; exit 1; }

# True when this shell's network namespace is neither the one it was started from nor init's, and
# offers no way out: nothing but loopback.
lab_private()
{
	local me
	[[ -n ${LAB_HOST_NET:-} ]] || return 1
	me=$(readlink /proc/self/ns/net) || return 1
	[[ " $LAB_HOST_NET " != *" $me "* ]] || return 1
	[[ $(ip -o link show | grep -vc ': lo:') -eq 0 ]]
}

# Re-executes the calling script as root: by sudo where that asks nothing, or somebody can answer.
lab_root()
{
	[[ $EUID -ne 0 ]] || return 0
	if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 && -t 2 ]]; }; then
		exec sudo env LAB_BUILD="$LAB_BUILD" bash "$0" "$@"
	fi
	lab_skip "network namespaces need root; try: sudo $0"
}

# Re-executes the calling script inside private namespaces; returns only when already there.
lab_enter()
{
	local tool
	if lab_private; then
		lab_inside
		return
	fi
	lab_root "$@"
	for tool in ip unshare nsenter nft jq ss; do
		command -v "$tool" >/dev/null || lab_skip "$tool is not installed"
	done
	# Tried once for real, so that a container that forbids it is a skip and not a failure.
	local world=(--net --mount --pid --fork --kill-child --mount-proc --propagation private)
	unshare "${world[@]}" mount -t tmpfs lab /run 2>/dev/null ||
		lab_skip "this system does not let root make namespaces (unshare, mount)"
	LAB_HOST_NET="$(readlink /proc/self/ns/net) $(readlink /proc/1/ns/net)"
	export LAB_HOST_NET
	exec unshare "${world[@]}" bash "$0" "$@"
}

lab_inside()
{
	# Process 1 of a namespace ignores signals it has no handler for.
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap lab_leave EXIT
	# A tmpfs over all of /run: `ip netns` and iptables' lock touch nothing of the host's.
	mount -t tmpfs -o mode=755 lab /run || lab_die "cannot mount a private /run"
	mkdir -p /run/netns "$LAB_TMP"
	# A name server nobody reaches, whatever this machine has: the same waits everywhere. Where
	# resolv.conf is a link into /run it is gone by now, and programs ask 127.0.0.1.
	echo 'nameserver 198.18.53.53' >"$LAB_TMP/resolv.conf"
	mount --bind "$LAB_TMP/resolv.conf" /etc/resolv.conf 2>/dev/null || :
	ip link set lo up
}

lab_leave()
{
	local rc=$?
	local pids
	pids=$(jobs -p)
	# shellcheck disable=SC2086
	[[ -z $pids ]] || kill $pids 2>/dev/null
	exit "$rc"
}

# wait_for SECONDS CMD...: polls until CMD succeeds; fails after SECONDS.
wait_for()
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < end)) || return 1
		sleep 0.01
	done
}

# ---- wiring --------------------------------------------------------------------------------------

lab_node()	# NAME KIND [V4 [V6]]
{
	((!LAB_RAISED)) || lab_die "node $1: nodes are named before lab_raise"
	[[ -z ${LAB_ID[$1]:-} ]] || lab_die "node $1: named twice"
	LAB_NODES+=("$1")
	LAB_ID[$1]=${#LAB_NODES[@]}
	LAB_KIND[$1]=$2
	LAB_A4[$1]=${3:-} LAB_A6[$1]=${4:-}
	LAB_UP_CMDS[$1]=$'link set lo up\n'
	LAB_CMDS[$1]='' LAB_ROUTES[$1]=''
	[[ ${3:--} == - ]] || LAB_UP_CMDS[$1]+="address add $3/32 dev lo"$'\n'
	[[ ${4:--} == - ]] || LAB_UP_CMDS[$1]+="address add $4/128 dev lo nodad"$'\n'
}

node() { lab_node "$1" host "${2:-}" "${3:-}"; }
router() { lab_node "$1" router "${2:-}" "${3:-}"; }

# lab_do NODE WORDS...: one ip(8) command in NODE, now or with lab_raise.
lab_do()
{
	local n=$1
	shift
	if ((LAB_RAISED)); then
		ip -n "$n" "$@"
	else
		LAB_CMDS[$n]+="$*"$'\n'
	fi
}

lab_mac() { printf '02:00:00:00:%02x:%02x' "${LAB_ID[$1]}" "${LAB_ID[$2]}"; }
lab_ll() { printf 'fe80::%x' "${LAB_ID[$1]}"; }

# link A B [A4 B4 [A6 B6]]: a veth between two nodes. Unnumbered unless addresses with lengths are
# given: an address on a link is what a router answers from with icmp_errors_use_inbound_ifaddr=1.
link()
{
	local a=$1 b=$2 n p i
	LAB_LINK_CMDS+="link add name $b address $(lab_mac "$a" "$b") netns $a type veth"
	LAB_LINK_CMDS+=" peer name $a address $(lab_mac "$b" "$a") netns $b"$'\n'
	lab_neighbours "$a" "$b"
	i=3
	for n in "$a $b" "$b $a"; do
		p=${n#* } n=${n% *}
		[[ -z ${!i:-} ]] || LAB_UP_CMDS[$n]+="address add ${!i} dev $p"$'\n'
		i=$((i + 2))
		[[ -z ${!i:-} ]] || LAB_UP_CMDS[$n]+="address add ${!i} dev $p nodad"$'\n'
		i=$((i - 1))
	done
}

# Link-local addresses and permanent neighbours on a link, so that the first packet is like the
# thousandth: no neighbour discovery to wait for.
lab_neighbours()	# A B [DEV_IN_A DEV_IN_B]
{
	local n p dev
	for n in "$1 $2 ${3:-$2}" "$2 $1 ${4:-$1}"; do
		read -r n p dev <<<"$n"
		LAB_UP_CMDS[$n]+="link set dev $dev up"$'\n'
		LAB_UP_CMDS[$n]+="address add $(lab_ll "$n")/64 dev $dev nodad"$'\n'
		LAB_CMDS[$n]+="neighbour replace $(lab_ll "$p") lladdr $(lab_mac "$p" "$n")"
		LAB_CMDS[$n]+=" dev $dev nud permanent"$'\n'
	done
}

# route NODE PREFIX NEXT: PREFIX is v4, v6, or `default` for both families. The source is the
# node's own address, or what answer_from chose.
route()
{
	local f
	case $2 in
	default) for f in 4 6; do lab_route "$f" "$1" default "$3"; done ;;
	*:*) lab_route 6 "$@" ;;
	*) lab_route 4 "$@" ;;
	esac
}

# route_back ROUTER HOST: only HOST's own addresses are that way. The first router of a topology has
# this and no default, so that a name server nobody can reach is refused at once, as by a real edge.
route_back()
{
	[[ -z ${LAB_A4[$2]} ]] || route "$1" "${LAB_A4[$2]}/32" "$2"
	[[ -z ${LAB_A6[$2]} ]] || route "$1" "${LAB_A6[$2]}/128" "$2"
}

lab_route()	# FAMILY NODE PREFIX NEXT
{
	local f=$1 n=$2 prefix=$3 next=$4 src
	if ((f == 4)); then src=${LAB_A4[$n]}; else src=${LAB_A6[$n]}; fi
	# A node without an address of the family takes no part in it.
	[[ -n $src ]] || return 0
	LAB_ROUTES[$n]=$(grep -v "^$f $prefix " <<<"${LAB_ROUTES[$n]}")$'\n'"$f $prefix $next"
	src=${src:+src $src} src=${src/#src -/}
	# shellcheck disable=SC2086
	if ((f == 4)); then
		# ip(8) takes the family from the first address: the prefix is in figures, and src
		# stands before `via inet6`.
		lab_do "$n" route replace "${prefix/default/0.0.0.0/0}" $src \
			via inet6 "$(lab_ll "$next")" dev "$next"
	else
		lab_do "$n" route replace "${prefix/default/::/0}" $src \
			via "$(lab_ll "$next")" dev "$next"
	fi
}

# ecmp NODE PREFIX NEXT...: equal shares by addresses, protocol and ports. Policy 3 reads them from
# the packet; policy 1 would take the hash of the sender's socket, which veths carry along.
LAB_HASH=(net/ipv{4,6}/fib_multipath_hash_policy=3 net/ipv{4,6}/fib_multipath_hash_fields=55)
ecmp()
{
	local n=$1 prefix=$2 next hops='' via='via inet6' src=${LAB_A4[$1]}
	shift 2
	[[ $prefix != *:* ]] || { via=via src=${LAB_A6[$n]}; }
	for next; do hops+=" nexthop $via $(lab_ll "$next") dev $next"; done
	# shellcheck disable=SC2086
	lab_do "$n" route replace "$prefix" src "$src" $hops
	if ((LAB_RAISED)); then
		lab_sysctl "$n" "${LAB_HASH[@]}"
	else
		LAB_SYSCTL[$n]+=" ${LAB_HASH[*]}"
	fi
}

# per_packet NODE PREFIX NEXT...: chance chooses for every packet, whatever its flow. After lab_raise.
per_packet()
{
	local n=$1 prefix=$2 next fam=ip f=-4 via='via inet6' src=${LAB_A4[$1]} table=100
	shift 2
	[[ $prefix != *:* ]] || { fam=ip6 f=-6 via=via src=${LAB_A6[$n]}; }
	lab_nft "$n" "lab_chance_$fam" <<-EOF
		chain in { type filter hook prerouting priority -150;
			$fam daddr $prefix meta mark set numgen random mod $# offset $table
		}
	EOF
	for next; do
		# shellcheck disable=SC2086
		ip -n "$n" $f route replace "$prefix" src "$src" $via "$(lab_ll "$next")" \
			dev "$next" table "$table"
		ip -n "$n" $f rule add fwmark "$table" lookup "$table"
		table=$((table + 1))
	done
}

# whole NODE PREFIX: every address of PREFIX answers as NODE's own.
whole() { lab_do "$1" route add local "$2" dev lo; }

# own NODE ADDRESS...: further addresses of its own on lo.
own()
{
	local n=$1 a
	shift
	for a; do
		if [[ $a == *:* ]]; then
			lab_do "$n" address replace "$a/128" dev lo nodad
		else
			lab_do "$n" address replace "$a/32" dev lo
		fi
	done
}

# lab_sysctl NODE KEY=VALUE...: keys as paths below /proc/sys, which shows the namespace of whoever
# opens it. A key this kernel lacks is passed over by `?KEY=VALUE`.
lab_sysctl()
{
	local n=$1
	shift
	# shellcheck disable=SC2016
	nsenter --net="/run/netns/$n" bash -c '
		for kv; do
			f=/proc/sys/${kv%%=*} maybe=0
			[[ $kv != \?* ]] || { f=/proc/sys/${kv:1} f=${f%%=*} maybe=1; }
			((maybe)) && [[ ! -e $f ]] && continue
			echo "${kv#*=}" >"$f" || exit 1
		done' sysctl "$@"
}

LAB_SYSCTL_ALL=(
	net/ipv4/conf/{all,default}/rp_filter=0
	net/ipv6/conf/{all,default}/{accept_dad,dad_transmits,accept_ra,router_solicitations}"=0"
	net/ipv6/conf/{all,default}/addr_gen_mode=1
	net/ipv4/icmp_ratelimit=0 '?net/ipv4/icmp_msgs_per_sec=1000000'
	'?net/ipv4/icmp_msgs_burst=1000000' net/ipv6/icmp/ratelimit=0)
LAB_SYSCTL_ROUTER=(net/ipv4/ip_forward=1 net/ipv6/conf/{all,default}/forwarding=1)

# lab_raise: makes everything named so far real.
lab_raise()
{
	local n
	lab_private || lab_die "refusing to wire outside a private namespace"
	printf 'netns add %s\n' "${LAB_NODES[@]}" | ip -batch - || lab_die "ip netns add failed"
	for n in "${LAB_NODES[@]}"; do
		# Before links: a device takes the defaults that hold when it appears.
		if [[ ${LAB_KIND[$n]} == router ]]; then
			# shellcheck disable=SC2086
			lab_sysctl "$n" "${LAB_SYSCTL_ALL[@]}" "${LAB_SYSCTL_ROUTER[@]}" \
				${LAB_SYSCTL[$n]:-}
		else
			# shellcheck disable=SC2086
			lab_sysctl "$n" "${LAB_SYSCTL_ALL[@]}" ${LAB_SYSCTL[$n]:-}
		fi || lab_die "sysctl in $n failed"
	done
	ip -batch - <<<"$LAB_LINK_CMDS" || lab_die "links failed"
	# Where a topology makes devices that are not veths.
	[[ -z $LAB_DEVICES ]] || "$LAB_DEVICES"
	for n in "${LAB_NODES[@]}"; do
		ip -n "$n" -batch - <<<"${LAB_UP_CMDS[$n]}" || lab_die "addresses of $n failed"
	done
	# All links have both ends up now: routes do not start life marked as down.
	for n in "${LAB_NODES[@]}"; do
		[[ -z ${LAB_CMDS[$n]} ]] || ip -n "$n" -batch - <<<"${LAB_CMDS[$n]}" ||
			lab_die "routes of $n failed"
	done
	LAB_RAISED=1
}

# lab_reset: all nodes and their processes away, for a script that raises several topologies.
lab_reset()
{
	local pids n
	pids=$(jobs -p)
	# shellcheck disable=SC2086
	[[ -z $pids ]] || { kill $pids && wait $pids; } 2>/dev/null
	for n in "${LAB_NODES[@]}"; do
		ip netns del "$n"
	done
	rm -f "$LAB_TMP"/listen.* "$LAB_TMP"/delay.* "$LAB_TMP"/tunpair
	LAB_ID=() LAB_A4=() LAB_A6=() LAB_KIND=() LAB_UP_CMDS=() LAB_CMDS=() LAB_ROUTES=()
	LAB_SYSCTL=() LAB_LINK_CMDS='' LAB_NODES=() LAB_RAISED=0 LAB_QUEUE=0 LAB_DEVICES=''
}

# at NODE CMD...: runs CMD in the node's namespace.
at()
{
	local n=$1
	shift
	[[ -e /run/netns/$n ]] || lab_die "no node $n"
	ip netns exec "$n" "$@"
}

# reach NODE ADDRESS: whether a TCP connection to port 80 is taken or refused; for wait_for.
reach()
{
	local said
	# shellcheck disable=SC2016
	said=$(at "$1" timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/80"' "$2" 2>&1) ||
		[[ $said == *refused* ]]
}

# ---- what routers do -----------------------------------------------------------------------------
# Each is a table of its own in the router's nft, so that `off` is one deletion.

lab_nft()	# NODE TABLE off | lines on stdin
{
	nsenter --net="/run/netns/$1" nft delete table inet "$2" 2>/dev/null
	[[ ${3:-} == off ]] || { echo "table inet $2 {"; cat; echo '}'; } |
		nsenter --net="/run/netns/$1" nft -f -
}

# silence ROUTER [off]: forwards, but sends no time-exceeded.
silence()
{
	lab_nft "$1" lab_silence "${2:-}" <<-'EOF'
		chain out { type filter hook output priority 0;
			icmp type time-exceeded drop
			icmpv6 type time-exceeded drop
		}
	EOF
}

# filter ROUTER PREFIX|off: answers "administratively prohibited" (v4 code 13, v6 code 1) to all
# ICMP and UDP for PREFIX, whatever TTL is left, the one that ends here too; TCP to 80 and 443
# passes, other TCP is dropped.
filter()
{
	local fam=ip proto=icmp type='icmp type admin-prohibited'
	if [[ $2 == off ]]; then
		lab_nft "$1" lab_filter off
		return
	fi
	[[ $2 != *:* ]] || { fam=ip6 proto=icmpv6 type='icmpv6 type admin-prohibited'; }
	lab_nft "$1" lab_filter <<-EOF
		chain in { type filter hook prerouting priority -300;
			$fam daddr $2 meta l4proto { $proto, udp } reject with $type
			$fam daddr $2 tcp dport != { 80, 443 } drop
		}
	EOF
}

# cut_path ROUTER PREFIX|off: swallows everything for PREFIX: the path ends before this router.
cut_path()
{
	local fam=ip
	[[ $2 != *:* ]] || fam=ip6
	[[ $2 != off ]] || { lab_nft "$1" lab_cut off; return; }
	lab_nft "$1" lab_cut <<-EOF
		chain in { type filter hook prerouting priority -301;
			$fam daddr $2 drop
		}
	EOF
}

# nat ROUTER ADDRESS IFACE: one-to-one, what leaves by IFACE carries ADDRESS. v4 only.
nat()
{
	lab_nft "$1" lab_nat <<-EOF
		chain post { type nat hook postrouting priority 100;
			oifname "$3" ip protocol { icmp, udp, tcp } snat ip to $2
		}
	EOF
}

# firewall HOST [off]: drops all that comes in to the host itself, as a strict packet filter does.
firewall()
{
	lab_nft "$1" lab_firewall "${2:-}" <<-'EOF'
		chain in { type filter hook input priority 0; policy drop;
			icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		}
	EOF
}

# no_way ROUTER PREFIX KIND|off: it has no route there. KIND as ip-route(8): unreachable (host
# unreachable, v6 no route), prohibit (administratively prohibited), blackhole (silence).
no_way()
{
	if [[ $3 == off ]]; then ip -n "$1" route del "${LAB_NO_WAY:?}" "$2"; else
		ip -n "$1" route add "$3" "$2" metric 1 && LAB_NO_WAY=$3; fi
}

# loss ROUTER PERCENT: of what it forwards, either way; 0 ends it.
loss()
{
	local some="numgen random mod 100 < $2"
	case $2 in
	0) lab_nft "$1" lab_loss off; return ;;
	100) some='' ;;
	esac
	lab_nft "$1" lab_loss <<-EOF
		chain through { type filter hook forward priority 0;
			$some drop
		}
	EOF
}

# answer_as ROUTER ADDRESS|off: its time-exceeded carry ADDRESS, which it need not own: what a host
# in front of the destination does when it answers in the destination's name.
answer_as()
{
	local fam=ip proto=icmp
	[[ $2 != *:* ]] || fam=ip6 proto=icmpv6
	[[ $2 != off ]] || { lab_nft "$1" lab_as off; return; }
	lab_nft "$1" lab_as <<-EOF
		chain out { type filter hook postrouting priority 300;
			$proto type time-exceeded fib saddr type local $fam saddr set $2
		}
	EOF
}

# answer_from ROUTER ADDRESS: the address its errors carry from now on, one family.
answer_from()
{
	local n=$1 a=$2 f prefix next
	own "$n" "$a"
	if [[ $a == *:* ]]; then LAB_A6[$n]=$a; else LAB_A4[$n]=$a; fi
	while read -r f prefix next; do
		[[ -n $f ]] || continue
		[[ $a == *:* && $f == 6 || $a != *:* && $f == 4 ]] || continue
		lab_route "$f" "$n" "$prefix" "$next"
	done <<<"${LAB_ROUTES[$n]}"
}

# inbound_ifaddr ROUTER 0|1: whether errors carry the address of the interface a probe came in by.
inbound_ifaddr() { lab_sysctl "$1" "net/ipv4/icmp_errors_use_inbound_ifaddr=$2"; }

# rate_limit ROUTER on|off: the limits a default Linux router has (one error a second and peer, a
# burst of six; 1000 messages a second in all), or none.
rate_limit()
{
	if [[ $2 == on ]]; then
		lab_sysctl "$1" net/ipv4/icmp_ratelimit=1000 net/ipv6/icmp/ratelimit=1000 \
			'?net/ipv4/icmp_msgs_per_sec=1000' '?net/ipv4/icmp_msgs_burst=50'
	else
		lab_sysctl "$1" net/ipv4/icmp_ratelimit=0 net/ipv6/icmp/ratelimit=0 \
			'?net/ipv4/icmp_msgs_per_sec=1000000' '?net/ipv4/icmp_msgs_burst=1000000'
	fi
}

# helper NAME: path of a helper written in C, built if need be.
helper()
{
	[[ -x $LAB_BIN/$1 ]] || make -s -C "$LAB_ROOT" "build/tests/lab/$1" >&2 ||
		lab_die "build/tests/lab/$1 is missing and does not build"
	echo "$LAB_BIN/$1"
}

# delay NODE FROM MS: holds everything that enters NODE from its neighbour FROM for MS milliseconds.
# In user space (NFQUEUE), as some kernels lack netem: jitter is 0.1 to 0.6 ms, so truth comes from
# a capture, never from MS. Returns 1 where the kernel has no such queue.
LAB_QUEUE=0
delay()
{
	local n=$1 from=$2 ms=$3 bin q ipt ready
	bin=$(helper delay) || exit 1
	q=$LAB_QUEUE ready=$LAB_TMP/delay.$LAB_QUEUE
	LAB_QUEUE=$((LAB_QUEUE + 1))
	for ipt in iptables ip6tables; do
		at "$n" "$ipt" -w -t mangle -A PREROUTING -i "$from" -j NFQUEUE \
			--queue-num "$q" --queue-bypass 2>/dev/null || return 1
	done
	at "$n" "$bin" -q "$q" -d "$ms" -r "$ready" &
	wait_for 5 test -e "$ready"
}

# listen_on NODE PORT ADDRESS...: accepts and closes; other ports answer RST.
listen_on()
{
	local n=$1 bin ready=$LAB_TMP/listen.$1.$2
	bin=$(helper listen) || exit 1
	shift
	at "$n" "$bin" "$ready" "$@" &
	wait_for 5 test -e "$ready" || lab_die "listener did not start"
}

# ---- checks --------------------------------------------------------------------------------------

ok() { LAB_PASSED=$((LAB_PASSED + 1)); echo "ok $*"; }
not_ok() { LAB_FAILED=$((LAB_FAILED + 1)); echo "not ok $*"; }

# is NAME GOT WANT
is()
{
	if [[ $2 == "$3" ]]; then ok "$1"; else
		not_ok "$1: got $(lab_short "$2"), want $(lab_short "$3")"; fi
}

# like NAME GOT REGEX
like()
{
	if [[ $2 =~ $3 ]]; then ok "$1"; else
		not_ok "$1: got $(lab_short "$2"), want a match of $3"; fi
}

# right_or_open NAME GOT WANT...: a verdict that is right, or says it does not know; never wrong.
right_or_open()
{
	local name=$1 got=$2 want
	shift 2
	for want in "$@" undetermined; do
		[[ $got != "$want" ]] || { ok "$name ($got)"; return; }
	done
	not_ok "$name: got $(lab_short "$got"), want one of: $* undetermined"
}

skip() { LAB_SKIPPED=$((LAB_SKIPPED + 1)); echo "skip $*"; }

lab_short() { local s=${1//$'\n'/ | }; echo "'${s:0:600}'"; }

finish()
{
	local skipped=''
	((!LAB_SKIPPED)) || skipped=", $LAB_SKIPPED skipped"
	echo "$LAB_PASSED passed, $LAB_FAILED failed$skipped"
	((LAB_FAILED == 0 && LAB_PASSED > 0))
	exit
}
