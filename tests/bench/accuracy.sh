# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# accuracy.sh: how wrong each tool's round-trip times are, idle and with every processor busy.
#
# Two captures, nanoseconds, while a tool runs:
#   near  on vp's own uplink, the interface the tool sends by: reply minus request there is the
#         truth. What a tool adds is what lies between the wire and its clock.
#   far   on r1's side of the same link. One machine, one clock; but the tap sees the request later
#         and the answer earlier than vp does, by the hand-over of a veth either way. Nothing is
#         subtracted: RTT minus this interval is the tool's error and both hand-overs together, an
#         upper bound of the error that does not trust the prober's own side.
# A probe is matched with its capture by destination, TTL, and which of that pair's probes it was.



# tap NODE IFACE FILE: a capture of ICMP, up when this returns.
tap()
{
	# shellcheck disable=SC2024
	ip netns exec "$1" tcpdump -i "$2" -n -p -U -B 16384 -s 128 \
		--time-stamp-precision=nano -w "$3" icmp 2>"$3.log" &
	TAPS+=($!)
	wait_for 10 grep -q 'listening on' "$3.log" || lab_die "tcpdump: $(cat "$3.log")"
}

# A capture is written in order: once a packet provoked now is in the file, all before it is.
marked() { (($(tcpdump -n -r "$1" 'icmp[0] = 3 and icmp[1] = 3' 2>/dev/null | wc -l) > 0)); }

# percentiles FILE: "n p50 p99 unmatched" of the errors in it.
percentiles()
{
	grep -v unmatched "$1" | sort -n | awk -v u="$(sed -n 's/^unmatched //p' "$1")" '
		{ v[NR] = $1 }
		function at(p) { i = int((NR * p + 99) / 100); return v[i > 0 ? i : 1] }
		END { if (NR) print NR, at(50), at(99), u; else print 0, "-", "-", u }'
}

# accuracy LOAD TOOL: one run between two taps; appends "load tool tap n p50 p99 unmatched".
accuracy()
{
	local load=$1 tool=$2 tap_name
	TAPS=()
	rm -f "$OUT"* "$LAB_TMP"/{near,far}.*
	tap vp r1 "$LAB_TMP/near.pcap"
	tap r1 vp "$LAB_TMP/far.pcap"
	at vp timeout 60 "${CMD[@]}" >"$OUT.said" 2>"$OUT.err" </dev/null
	at vp bash -c 'echo >/dev/udp/192.0.2.1/9'
	wait_for 10 marked "$LAB_TMP/near.pcap" && wait_for 10 marked "$LAB_TMP/far.pcap" ||
		echo "bench: the taps end early" >&2
	kill "${TAPS[@]}"
	wait "${TAPS[@]}" 2>/dev/null
	tool_output "$tool"
	"$BENCH_DIR/parse.pl" rtts "$PARSE" "$OUT" >"$LAB_TMP/rtts"
	for tap_name in near far; do
		"$BENCH_DIR/parse.pl" taps "$LAB_TMP/$tap_name.pcap" >"$LAB_TMP/$tap_name.truth"
		"$BENCH_DIR/parse.pl" errors "$LAB_TMP/$tap_name.truth" "$LAB_TMP/rtts" \
			>"$LAB_TMP/errors"
		printf '%s\t%s\t%s\t%s\n' "$load" "$tool" "$tap_name" \
			"$(percentiles "$LAB_TMP/errors" | tr ' ' '\t')" >>"$ACCURACY"
	done
}

# ICMP all of them, so that one reader of captures does; some thousand probes each.
accuracy_cmd()
{
	aim 4 icmp 256
	case $1 in
	borderpath) borderpath_cmd -I -q 1 --rate max ;;
	scamper) scamper_cmd -q 1 ;;
	mtr)
		LIST=$LAB_TMP/targets.4.1
		echo 192.0.2.1 >"$LIST"
		CMD=(mtr -n -c 100 -i 0.02 --raw 192.0.2.1) PARSE=mtr
		;;
	traceroute) CMD=(bash -c "for i in {1..20}; do traceroute -n -I -q 10 192.0.2.\$i; done") \
		PARSE=traceroute ;;
	fping) CMD=(fping -q -C 10 -i 1 -p 20 -f "$LIST") PARSE=fping ;;
	esac
}

# Twice as many loops as processors.
busy_up()
{
	local i
	BUSY=()
	for ((i = 0; i < 2 * $(nproc); i++)); do
		while :; do :; done &
		BUSY+=($!)
	done
}

busy_down()
{
	kill "${BUSY[@]}"
	wait "${BUSY[@]}" 2>/dev/null
}

cases_accuracy()
{
	local load tool round rounds tools=(borderpath scamper mtr traceroute fping)
	command -v tcpdump >/dev/null || { echo "bench: no tcpdump: no RTT errors" >&2; return; }
	rounds=$(rounds_of 3)
	for load in idle busy; do
		echo "  rtt $load" >&2
		[[ $load != busy ]] || busy_up
		for ((round = 1; round <= rounds; round++)); do
			for tool in "${tools[@]}"; do
				accuracy_cmd "$tool"
				((round > 1)) || [[ $load == busy ]] ||
					printf 'rtt\t%s\t%s\n' "$tool" "$(tool_shown)" >>"$COMMANDS"
				if command -v "$tool" >/dev/null || [[ $tool == borderpath ]]; then
					accuracy "$load" "$tool"
				elif ((round == 1)); then
					printf '%s\t%s\tmissing\n' "$load" "$tool" >>"$ACCURACY"
				fi
			done
		done
		[[ $load != busy ]] || busy_down
	done
}
