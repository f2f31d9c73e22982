#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The probe as a process: what it may still do while it measures, what it leaves behind, and how the
# program ends when it is interrupted, has no route, no privilege, or nobody to talk to.
# Topology: topo_chain.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath
chain_up 4

PROFILE=(--profile "$LAB_DIR/lab.yaml" --vantage vp)

# start OUT ERR ARGS...: a slow run in the background; PID is borderpath itself. env undoes what the
# shell does to background jobs: ignoring SIGINT.
start()
{
	local out=$1 err=$2
	shift 2
	lab_private || lab_die "refusing to probe outside a private namespace"
	env --default-signal=INT ip netns exec vp "$BORDERPATH" trace "${PROFILE[@]}" "$@" \
		>"$out" 2>"$err" &
	PID=$!
}

# The process namespace is the lab's own: the only probe in it is ours.
probe_pid()
{
	local f
	f=$(grep -l '^borderpath-prob' /proc/[0-9]*/comm 2>/dev/null | head -n 1)
	f=${f%/comm}
	[[ -n $f ]] && echo "${f#/proc/}"
}

status() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status"; }

# 1. While it measures: no capability left, none to be had, and a system call filter.
measuring() { (($(tcpdump -n -r "$LAB_TMP/c.pcap" 2>/dev/null | wc -l) > 0)); }
ip netns exec far tcpdump -n -p -U -i r4 -w "$LAB_TMP/c.pcap" icmp 2>"$LAB_TMP/c.log" &
tap=$!
wait_for 5 grep -q 'listening on' "$LAB_TMP/c.log" || lab_die "tcpdump did not start"
start "$LAB_TMP/out" "$LAB_TMP/err" -I --rate 5 --format jsonl 192.0.2.0/26
wait_for 10 measuring || not_ok "a probe reached the far host"
kill $tap
probe=$(probe_pid)
like "the probe runs" "$probe" '^[0-9]+$'
for set in CapInh CapPrm CapEff CapAmb; do
	is "probe $set" "$(status "$probe" $set)" 0000000000000000
done
is "probe NoNewPrivs" "$(status "$probe" NoNewPrivs)" 1
is "probe Seccomp" "$(status "$probe" Seccomp)" 2
is "probe threads" "$(status "$probe" Threads)" 1

# 2. SIGINT: the partial result is printed, exit 3, and no probe stays behind.
kill -INT $PID
wait $PID
is "SIGINT exit" $? 3
is "SIGINT leaves no probe" "$(probe_pid)" ''
is "SIGINT, lines that are not JSON objects" \
	"$(jq -c 'select(type != "object")' "$LAB_TMP/out" 2>&1)" ''
like "SIGINT, an interrupted trace is there" "$(field .stop <"$LAB_TMP/out" | sort -u)" interrupted
like "SIGINT, what was measured is there" \
	"$(jq -s '[.[].hops[]?.probes[] | select(.from)] | length' "$LAB_TMP/out")" \
	'^[1-9]'

# SIGINT in the text view.
start "$LAB_TMP/out" "$LAB_TMP/err" -I --rate 5 192.0.2.1
wait_for 10 probe_pid
kill -INT $PID
wait $PID
is "SIGINT exit, text" $? 3

# SIGTERM ends it too, and the probe with it.
start "$LAB_TMP/out" "$LAB_TMP/err" -I --rate 5 --format jsonl 192.0.2.0/26
wait_for 10 probe_pid
kill -TERM $PID
wait $PID
like "SIGTERM exit" $? '^(3|143)$'
gone() { ! probe_pid; }
if wait_for 5 gone; then ok "SIGTERM leaves no probe"; else not_ok "SIGTERM leaves no probe"; fi
# Killed outright: the probe notices the closed pipe, and ends.
start "$LAB_TMP/out" "$LAB_TMP/err" -I --rate 5 --format jsonl 192.0.2.0/26
wait_for 10 probe_pid
disown $PID	# or bash tells how it ended
kill -KILL $PID
if wait_for 10 gone; then ok "SIGKILL leaves no probe"; else not_ok "SIGKILL leaves no probe"; fi

# 3. TCP: nothing half open, nothing established at the far host.
for dst in 192.0.2.1 2001:db8:2::1; do
	out=$(trace_json vp -T "$dst")
	is "tcp $dst reached by" "$(field .reached_by <<<"$out")" syn_ack
	left() { [[ -z $(at far ss -H -t -n state syn-recv state established state close-wait) ]]; }
	if wait_for 1 left; then ok "tcp $dst, no half-open connection"; else
		not_ok "tcp $dst, left open: $(at far ss -H -t -n -a)"; fi
done

# 4. The vantage point's own kernel answers nothing it should not.
# snmp NODE GROUP COUNTER: a line of names, then a line of numbers.
snmp()
{
	at "$1" cat /proc/net/snmp | awk -v g="$2:" -v c="$3" '
		$1 == g && !n { n = split($0, name); next }
		$1 == g { for (i = 2; i <= n; i++) if (name[i] == c) print $i }'
}
before=$(snmp vp Icmp OutDestUnreachs)
trace_json vp -U 192.0.2.1 >/dev/null
is "udp leaves no port-unreachable of our own" \
	"$(snmp vp Icmp OutDestUnreachs)" "$before"

# 5. Bad circumstances: one clear line, the right exit code.
one_line() { is "$1, one line" "$(grep -c . "$LAB_TMP/err")" 1; }

bp vp trace "${PROFILE[@]}" --format jsonl -n no-such-host.invalid >"$LAB_TMP/out" 2>"$LAB_TMP/err"
like "unknown host exit" $? '^[13]$'
like "unknown host message" "$(cat "$LAB_TMP/err")" no-such-host.invalid
one_line "unknown host"

ip -n vp route del default
bp vp trace "${PROFILE[@]}" --format jsonl -n 192.0.2.1 >"$LAB_TMP/out" 2>"$LAB_TMP/err"
like "no route exit" $? '^[13]$'
like "no route message" "$(cat "$LAB_TMP/err")" '[Nn]o route|unreachable'
one_line "no route"
# The other family still works, and its result is printed.
bp vp trace "${PROFILE[@]}" --format jsonl -n -I 192.0.2.1 2001:db8:2::1 >"$LAB_TMP/out" \
	2>"$LAB_TMP/err"
is "no route for one of two, exit" $? 3
is "no route for one of two, the other is measured" \
	"$(jq 'select(.dst == "2001:db8:2::1")' "$LAB_TMP/out" | hops)" "$(truth 2001:db8:2::1)"
route vp default r1

# Copied to where nobody may read it: the tree may lie in a closed home directory.
cp "$BORDERPATH" "${BORDERPATH%/*}/borderpath-probe" "$LAB_DIR/lab.yaml" "$LAB_TMP"
chmod 755 "$LAB_TMP" "$LAB_TMP"/borderpath*
at vp setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
	"$LAB_TMP/borderpath" trace --profile "$LAB_TMP/lab.yaml" -n 192.0.2.1 \
	>"$LAB_TMP/out" 2>"$LAB_TMP/err" </dev/null
is "no privilege exit" $? 1
like "no privilege names the capability" "$(tr "[:lower:]" "[:upper:]" <"$LAB_TMP/err")" CAP_NET_RAW
like "no privilege says how to grant it" "$(cat "$LAB_TMP/err")" 'setcap|sudo|make install'
is "no privilege, stdout" "$(cat "$LAB_TMP/out")" ''
# With the capability on the file, nobody may measure.
if command -v setcap >/dev/null &&
	setcap cap_net_raw+ep "$LAB_TMP/borderpath-probe" 2>/dev/null; then
	out=$(at vp setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$LAB_TMP/borderpath" trace --profile "$LAB_TMP/lab.yaml" --format jsonl -n -I \
		192.0.2.1)
	is "file capability, hops" "$(hops <<<"$out")" "$(truth 192.0.2.1)"
else
	skip "file capability: no setcap, or this file system keeps none"
fi

# A reader that goes away.
set -o pipefail
bp vp trace "${PROFILE[@]}" --format jsonl -n -I 192.0.2.0/28 2>"$LAB_TMP/err" |
	head -n 1 >/dev/null
like "closed stdout" "${PIPESTATUS[0]}" '^(0|1|3|141)$'
if wait_for 10 gone; then ok "closed stdout leaves no probe"; else
	not_ok "closed stdout leaves no probe"; fi

finish
