#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# How right an RTT is, with both processors busy. Topology: topo_chain.sh with no router at all,
#
#   vp ---- far            one hop, two taps: tcpdump in vp and tcpdump in far, nanoseconds
#
# - Same interface: tcpdump beside us on vp's uplink stamps the same packets. Our departure and our
#   RTT must be its own within 1 us.
# - Far end: all namespaces share one clock, but a tap at the far end sees the probe later and the
#   answer earlier than vp does. What it can tell is the residence: how long the probe was at far,
#   out minus in. Over one hop the truth of the RTT is residence plus twice the wire, and a veth's
#   wire is nothing but the handing over; so RTT minus residence is our error and that hand-over
#   together, an upper bound of our error. It must be under 20 us for 99 of 100.
#
# Packets are matched by destination and by the departure that is nearest: probes to one address
# are milliseconds apart.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath
command -v tcpdump >/dev/null || lab_skip "tcpdump is not installed"
chain_up 0

busy=()
for ((i = 0; i < 2 * $(nproc); i++)); do
	while :; do :; done &
	busy+=($!)
done

# tap NODE IFACE FILE: a capture of ICMP, up when this returns.
tap()
{
	# shellcheck disable=SC2024
	ip netns exec "$1" tcpdump -i "$2" -n -p -U -B 8192 --time-stamp-precision=nano \
		-w "$3" 'icmp or icmp6' 2>"$3.log" &
	TAP+=($!)
	wait_for 5 grep -q 'listening on' "$3.log" || lab_die "tcpdump: $(cat "$3.log")"
}
TAP=()
tap vp far "$LAB_TMP/near.pcap"
tap far vp "$LAB_TMP/far.pcap"

trace_json vp -I -q 3 --rate max 192.0.2.0/24 >"$LAB_TMP/out"
is "exit" $? 0

# Captures are written late and in order: once an answer provoked now is in a file, all before it is.
at vp bash -c 'echo >/dev/udp/192.0.2.1/9'
marked() { [[ -n $(tcpdump -n -r "$1" 'icmp[0] = 3' 2>/dev/null) ]]; }
for f in near far; do
	wait_for 10 marked "$LAB_TMP/$f.pcap" || lab_die "tcpdump in $f writes nothing"
done
kill "${TAP[@]}" "${busy[@]}"
wait "${TAP[@]}" 2>/dev/null

# ours: "destination second nanosecond-of-departure rtt-in-ns" for each answered probe. jq's numbers
# are doubles: seconds and the rest stay apart.
ours()
{
	jq -r 'select(.type == "trace") | .dst as $d |
		(.start[0:19] + "Z" | fromdateiso8601) as $s |
		(.start[20:29] | tonumber) as $f |
		.hops[].probes[] | select(.rtt_ms != null) |
		"\($d) \($s) \($f + .tx_us * 1000 | round) \(.rtt_ms * 1e6 | round)"' "$LAB_TMP/out"
}

# theirs FILE: "destination second nanosecond id seq out|in" as the tap saw them.
theirs()
{
	tcpdump -n -tt --time-stamp-precision=nano -r "$1" icmp 2>/dev/null |
		sed -nE 's/^([0-9]+)\.([0-9]+) IP (.*) > (.*): ICMP echo ([a-z]+),/\1 \2 \3 \4 \5/p' |
		tr -d ',' | awk '{ print ($5 == "request" ? $4 : $3), $1, $2, $7, $9, $5 }'
}

# errors FILE: for each of our RTTs "our departure minus theirs" and "our RTT minus (reply minus
# request)" in ns, against the request of the tap that is nearest in time.
errors()
{
	awk '
		NR == 1 { base = $2 }
		FNR == NR {
			t = ($2 - base) * 1e9 + $3
			k = $1 " " $4 " " $5
			if ($6 == "request") {
				n[$1]++
				at[$1, n[$1]] = t
				key[$1, n[$1]] = k
				asked[k]++
			} else if (!(k in reply))
				reply[k] = t
			next
		}
		{
			t = ($2 - base) * 1e9 + $3
			best = 0
			for (i = 1; i <= n[$1]; i++) {
				d = t - at[$1, i]
				a = d < 0 ? -d : d
				if (!best || a < nearest) { best = i; nearest = a; diff = d }
			}
			# Two of 16-bit sequences to one address may be alike: nobody can tell whose the
			# answer is by them (we can: the token is twice as wide).
			if (best && asked[key[$1, best]] > 1) next
			if (!best || !((key[$1, best]) in reply)) { print "lost lost"; next }
			print diff, $4 - (reply[key[$1, best]] - at[$1, best])
		}' <(theirs "$1") <(ours)
}

# percentile P COLUMN: of absolute values.
percentile()
{
	awk -v c="$2" '{ print $c < 0 ? -$c : $c }' | sort -n |
		awk -v p="$1" '{ v[NR] = $1 } END { print v[int((NR * p + 99) / 100)] }'
}

errors "$LAB_TMP/near.pcap" >"$LAB_TMP/near.err"
errors "$LAB_TMP/far.pcap" >"$LAB_TMP/far.err"
count=$(wc -l <"$LAB_TMP/near.err")
like "answered probes compared ($count)" "$count" '^[0-9]{3,}$'
is "probes that the tap beside us missed" "$(grep -c lost "$LAB_TMP/near.err")" 0
is "probes that the far tap missed" "$(grep -c lost "$LAB_TMP/far.err")" 0

tx=$(percentile 100 1 <"$LAB_TMP/near.err")
rtt=$(percentile 100 2 <"$LAB_TMP/near.err")
p50=$(percentile 50 2 <"$LAB_TMP/far.err")
p99=$(percentile 99 2 <"$LAB_TMP/far.err")
if ((tx <= 1000)); then ok "departure within 1 us of the tap beside us (worst $tx ns)"; else
	not_ok "departure within 1 us of the tap beside us: worst $tx ns"; fi
if ((rtt <= 1000)); then ok "RTT within 1 us of the tap beside us (worst $rtt ns)"; else
	not_ok "RTT within 1 us of the tap beside us: worst $rtt ns"; fi
if ((p99 <= 20000)); then ok "RTT within 20 us of the far tap, p99 (p50 $p50, p99 $p99 ns)"; else
	not_ok "RTT within 20 us of the far tap, p99: p50 $p50, p99 $p99 ns"; fi
is "stamps" "$(field .stamps <"$LAB_TMP/out" | sort -u)" pcap

finish
