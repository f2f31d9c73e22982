#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The prober behind a socket, as borderpath-probe.socket has it: who may connect measures without any
# capability of his own, told to stop he gets what there is, whoever hangs up leaves no prober behind,
# and nobody is root there. Topology: topo_chain.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath
command -v setpriv >/dev/null || lab_skip "setpriv is not installed"
chain_up 4

GROUP_ID=64998 DOOR=$LAB_TMP/probe.sock BIN=$LAB_TMP/bin
mkdir -p "$BIN"
chmod 755 "$LAB_TMP" "$BIN"
# Without the other beside it: it could not run it if it wanted.
cp "$BORDERPATH" "$BIN/borderpath"
cp "$LAB_DIR/lab.yaml" "$LAB_TMP/"
ip netns exec vp "$LAB_DIR/door.pl" "$DOOR" "$GROUP_ID" setpriv --reuid 64996 --regid "$GROUP_ID" \
	--clear-groups --bounding-set=-all,+net_raw --inh-caps=-all,+net_raw \
	--ambient-caps=-all,+net_raw --no-new-privs "$LAB_BUILD/borderpath-probe" 2>"$LAB_TMP/door" &
wait_for 10 test -S "$DOOR" || lab_die "no socket: $(cat "$LAB_TMP/door")"

# as USER GROUP ARGS...: `borderpath trace` of somebody who has no capability and can get none.
as()
{
	local user=$1 group=$2
	shift 2
	lab_private || lab_die "refusing to probe outside a private namespace"
	ip netns exec vp env --default-signal=INT BORDERPATH_PROBE_SOCKET="$DOOR" setpriv \
		--reuid "$user" --regid "$group" --clear-groups --bounding-set=-all --inh-caps=-all \
		--no-new-privs "$BIN/borderpath" trace --quiet --profile "$LAB_TMP/lab.yaml" --vantage vp "$@"
}
MEMBER=(64999 "$GROUP_ID")
status() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status"; }

# 1. A path, by each method, and several flows.
for m in icmp udp tcp; do
	out=$(as "${MEMBER[@]}" --format jsonl -n -M $m 192.0.2.1 2>"$LAB_TMP/err")
	is "$m: exit" $? 0
	is "$m: hops" "$(hops <<<"$out")" "$(truth 192.0.2.1)"
	is "$m: told" "$(cat "$LAB_TMP/err")" ''
done
is "IPv6: hops" "$(as "${MEMBER[@]}" --format jsonl -n 2001:db8:2::1 | hops)" "$(truth 2001:db8:2::1)"
is "several flows" "$(as "${MEMBER[@]}" --format jsonl -n -U -q 1 --rate 1000 --per-prefix-rate 250 \
	--flows 8 192.0.2.1 | jq -s '[.[] | select(.type == "trace" and .stop == "reached")] | length')" 8

# 2. Who may: members. What they may: what the limits file says; nobody is root.
as 64997 64997 -n 192.0.2.1 >"$LAB_TMP/out" 2>"$LAB_TMP/err"
is "a stranger: exit" $? 1
like "a stranger: one line" "$(cat "$LAB_TMP/err")" "^borderpath: may not use $DOOR: .*members of the group"
is "a stranger: lines" "$(wc -l <"$LAB_TMP/err") $(wc -c <"$LAB_TMP/out")" '1 0'
for who in "${MEMBER[*]}" "0 0"; do
	# shellcheck disable=SC2086  # two words
	as $who -n --rate max 192.0.2.1 >"$LAB_TMP/out" 2>"$LAB_TMP/err"
	is "no limit, user ${who% *}: exit" $? 1
	like "no limit, user ${who% *}" "$(cat "$LAB_TMP/err")" 'without a limit is for root'
done

# 3. While it measures it is as locked in as ever, and its parent has nothing.
prober() { pgrep -x borderpath-prob | head -n 1 | grep .; }
gone() { ! prober; }
locked() { [[ $(status "$(prober)" Seccomp) == 2 ]]; }
# begin RATE PREFIX: a run in the background, PID is borderpath itself.
begin()
{
	wait_for 10 gone || not_ok "a prober of before is left"
	(as "${MEMBER[@]}" -n -I --rate "$1" --format jsonl "$2") >"$LAB_TMP/out" 2>"$LAB_TMP/err" &
	PID=$!
	wait_for 10 locked || not_ok "a prober runs, locked in"
	PID=$(pgrep -x -P "$PID" borderpath || echo "$PID")
}
begin 5 192.0.2.0/26
for set in CapInh CapPrm CapEff CapAmb; do
	is "prober $set" "$(status "$(prober)" $set)" 0000000000000000
	is "borderpath $set" "$(status "$PID" $set)" 0000000000000000
done
is "the prober is nobody's child here" "$(pgrep -c -P "$PID")" 0

# 4. Told to stop: what was measured is handed over, by a prober that is still reading the plan.
kill -INT "$PID"
wait %+
is "SIGINT: exit" $? 3
like "SIGINT: what was in flight is there" "$(field .stop <"$LAB_TMP/out" | sort -u)" interrupted
wait_for 10 gone || not_ok "SIGINT leaves a prober"

# 5. Killed: the prober notices, and ends.
begin 5 192.0.2.0/26
kill -KILL "$PID"
if wait_for 10 gone; then ok "SIGKILL leaves no prober"; else not_ok "SIGKILL leaves a prober"; fi
wait %+ 2>/dev/null

# 6. The prober is killed: said so, with what there is.
answered() { (($(wc -c <"$LAB_TMP/out") > 0)); }
begin 20 192.0.2.0/29
wait_for 20 answered || not_ok "a first record"
kill -KILL "$(prober)"
wait %+
is "prober killed: exit" $? 3
like "prober killed: told" "$(cat "$LAB_TMP/err")" 'hung up without a last word'

# 7. Nobody listens.
DOOR=$LAB_TMP/none
as "${MEMBER[@]}" -n 192.0.2.1 >"$LAB_TMP/out" 2>"$LAB_TMP/err"
is "no socket: exit" $? 1
like "no socket: one line" "$(cat "$LAB_TMP/err")" '^borderpath: there is no .*borderpath-probe\.socket\)$'
finish
