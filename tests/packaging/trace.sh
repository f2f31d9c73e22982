#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/packaging/trace.sh ROOT - in a Debian root with the packages, on the lab's network: `borderpath
# trace` of alice, who is in the group, and of bob, who is not; by the program's capability, and by the
# socket as its unit has it. For check-deb.sh. Topology: topo_chain.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lab/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
ROOT=$1
chain_up 4

# The root's own /run: what runs in the lab has another.
mount -t tmpfs run "$ROOT/run"
mkdir -p "$ROOT/run/borderpath"
mount -t proc proc "$ROOT/proc"

# as USER ARGS...: borderpath, as after logging in.
as()
{
	local user=$1
	shift
	lab_private || lab_die "refusing to probe outside a private namespace"
	# By the socket nobody needs what the program's file would give.
	ip netns exec vp chroot "$ROOT" setpriv --reuid "$user" --regid "$user" --init-groups \
		${SOCKET:+--no-new-privs --bounding-set=-all --inh-caps=-all} \
		env -i PATH=/usr/bin:/bin HOME="/home/$user" USER="$user" ${SOCKET:+BORDERPATH_PROBE_SOCKET=$SOCKET} \
		borderpath "$@" 2>"$LAB_TMP/err"
}
SOCKET=''

for m in icmp udp tcp; do
	out=$(as alice trace --vantage vp --format jsonl -n --quiet -M $m 192.0.2.1)
	is "a member, $m: exit" $? 0
	is "a member, $m: hops" "$(hops <<<"$out")" "$(truth 192.0.2.1)"
done
as alice trace -n --quiet 2001:db8:2::1 >"$LAB_TMP/out"
is "for people: exit" $? 0
like "for people" "$(cat "$LAB_TMP/out")" '2001:db8:2::1'

as bob trace -n --quiet 192.0.2.1 >"$LAB_TMP/out"
is "a stranger: exit" $? 1
is "a stranger: lines" "$(wc -l <"$LAB_TMP/err") $(wc -c <"$LAB_TMP/out")" '1 0'
like "a stranger: told" "$(cat "$LAB_TMP/err")" 'members of its group \(usermod -aG borderpath USER'

# As borderpath-probe@.service starts it: an unprivileged user of the group, one ambient capability.
activate=$(chroot "$ROOT" sh -c 'command -v systemd-socket-activate /lib/systemd/systemd-socket-activate' | head -n 1)
SOCKET=/run/borderpath/probe.sock
ip netns exec vp chroot "$ROOT" "$activate" --accept --inetd -l "$SOCKET" \
	setpriv --reuid nobody --regid borderpath --clear-groups --bounding-set=-all,+net_raw \
	--inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw --no-new-privs borderpath-probe \
	2>"$LAB_TMP/activate" &
wait_for 10 test -S "$ROOT$SOCKET" || not_ok "a socket: $(cat "$LAB_TMP/activate")"
chroot "$ROOT" chgrp borderpath "$SOCKET"
chmod 0660 "$ROOT$SOCKET"
out=$(as alice trace --vantage vp --format jsonl -n --quiet 192.0.2.1)
is "a member, by the socket: exit" "$? $(cat "$LAB_TMP/err")" '0 '
is "a member, by the socket: hops" "$(hops <<<"$out")" "$(truth 192.0.2.1)"
as bob trace -n --quiet 192.0.2.1 >"$LAB_TMP/out"
is "a stranger, by the socket: exit" $? 1
like "a stranger, by the socket: told" "$(cat "$LAB_TMP/err")" "may not use $SOCKET"
finish
