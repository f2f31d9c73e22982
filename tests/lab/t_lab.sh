#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The lab checks itself with other people's tools before it judges ours: over `borders`, every hop
# answers Debian's traceroute with the address the wiring says, for each method and family.

# shellcheck disable=SC2317  # functions that wait_for and refuses call
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"

# Outside a private namespace nothing is wired and nobody probes: no marker; a marker that names
# this very namespace; a namespace with a link that might lead out.
refuses() { [[ $("$@" 2>&1) == *"outside a private namespace"* ]]; }
unmarked() { LAB_HOST_NET='' bp vp --version; }
same() { LAB_HOST_NET=$(readlink /proc/self/ns/net) bp vp --version; }
if refuses unmarked; then ok "refuses without a marker"; else not_ok "refuses without a marker"; fi
if refuses same; then ok "refuses in the namespace it came from"; else
	not_ok "refuses in the namespace it came from"; fi
ip link add out0 type veth peer name out1
if refuses bp vp --version; then ok "refuses beside an uplink"; else
	not_ok "refuses beside an uplink"; fi
ip link del out0

# Two labs side by side, then killed outright: nothing of them stays.
cat >"$LAB_TMP/inner.sh" <<'EOF'
. "$1/lab.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
chain_up 1
echo up
wait
EOF
inner=()
for i in 1 2; do
	LAB_HOST_NET='' bash "$LAB_TMP/inner.sh" "$LAB_DIR" >"$LAB_TMP/inner.$i" 2>&1 &
	inner+=($!)
done
for i in 1 2; do
	if wait_for 10 grep -q up "$LAB_TMP/inner.$i"; then ok "lab $i of two is up"; else
		not_ok "lab $i of two: $(cat "$LAB_TMP/inner.$i")"; fi
done
listeners() { grep -lx listen /proc/[0-9]*/comm 2>/dev/null | wc -l; }
is "both have a listener" "$(listeners)" 2
disown "${inner[@]}"	# or bash tells how they ended
kill -KILL "${inner[@]}"
none() { (($(listeners) == 0)); }
if wait_for 5 none; then ok "killed, they leave nothing"; else not_ok "killed, they leave some"; fi
is "no namespace of theirs is seen" "$(ip netns)" ''

start=${EPOCHREALTIME/[.,]/}
borders_up talking
up_ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
if ((up_ms < 3000)); then ok "borders up in $up_ms ms"; else
	not_ok "borders up in $up_ms ms, limit 3000"; fi

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

answer_as x2 175.45.177.10
is "another host in the destination's name" "$(theirs 175.45.177.10 -I -f 9 -m 9)" '9 175.45.177.10'
answer_as x2 off
cut_path d1 175.45.177.0/24
is "cut" "$(theirs 175.45.177.10 -I -m 5 | tail -2)" $'4 *\n5 *'
cut_path d1 off
is "elsewhere" "$(theirs 87.250.250.242 -I)" "$(truth 87.250.250.242)"

# The joining router's links have the carriers' addresses; the kernel chooses.
lab_reset
# shellcheck disable=SC2034  # read by borders_up
BORDERS_J=numbered
borders_up talking
# A default router, fresh: a burst of six errors, then one a second.
rate_limit t1 on
out=$(at vp traceroute -n -m 1 -q 10 -N 10 -w 0.3 -I 175.45.177.10 | tail -1)
like "rate limit" "$(tr -cd '*' <<<"$out" | wc -c)" '^[2-5]$'
rate_limit t1 off
inbound_ifaddr j 0
is "inbound_ifaddr 0" "$(theirs 175.45.178.3 -I -f 8 -m 8)" '8 219.158.39.46'
inbound_ifaddr j 1
is "inbound_ifaddr 1" "$(theirs 175.45.178.3 -I -f 8 -m 8)" '8 188.43.225.154'

lab_reset
. "$LAB_DIR/topo_chain.sh"
chain_up 10
chain_silence 4
is "chain" "$(theirs 192.0.2.1 -I)" "$(truth 192.0.2.1)"
is "chain v6" "$(theirs 2001:db8:2::1 -U)" "$(truth 2001:db8:2::1)"
delay r1 vp 50
like "delay 50 ms" "$(at vp traceroute -n -q 1 -I -m 1 192.0.2.1 | tail -1)" ' 5[0-9]\.[0-9]* ms$'
like "delay 50 ms, v6" "$(at vp traceroute -n -q 1 -I -f 11 2001:db8:2::1 | tail -1)" \
	' 5[0-9]\.[0-9]* ms$'

for kind in equal unequal; do
	lab_reset
	. "$LAB_DIR/topo_diamond.sh"
	diamond_up $kind
	for dst in 192.0.2.1 2001:db8:2::1; do
		rows=$(for sport in {20001..20040}; do
			theirs "$dst" -U -p 53 --sport="$sport" | cut -d ' ' -f 2 | paste -s -d ' '
		done | sort -u)
		is "diamond $kind $dst" "$rows" "$(diamond_ways "$dst" | sort)"
	done
done

. "$LAB_DIR/topo_links.sh"
for kind in veth tun bridge vlan bond macvlan; do
	lab_reset
	links_up $kind || { skip "links $kind: this kernel has no such device"; continue; }
	is "links $kind" "$(theirs 192.0.2.1 -U)" "$(truth 192.0.2.1)"
	is "links $kind v6" "$(theirs 2001:db8:2::1 -U)" "$(truth 2001:db8:2::1)"
done

# What is asked of a record, asked of one made by hand.
sample='{"type":"trace","dst":"192.0.2.1","hops":[{"ttl":1,"probes":[
{"attempt":1,"from":"10.0.0.1"},{"attempt":2,"from":null,"why":"timeout"},
{"attempt":3,"from":"10.0.0.2"}]},{"ttl":2,"probes":[{"attempt":1,"from":null,"why":"timeout"}]}],"verdict":{"outcome":"border","border":"khasan"}}
{"type":"trace","hops":[],"verdict":{"outcome":"other","border":null}}'
is "hops of a record" "$(hops <<<"$sample")" $'1 10.0.0.1,10.0.0.2\n2 *'
is "outcome of a record" "$(outcome <<<"$sample")" $'khasan\nother'

finish
