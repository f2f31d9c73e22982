#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A campaign as packaging/systemd has it run, as far as that can be had without systemd: an ordinary
# user without any capability, no new privileges, a read-only system, a /proc of processes alone and a
# bare /dev; and behind a socket the prober, another user, with the one capability as an ambient one.
# Then `campaign status` beside it and without it, and the live view on a terminal, whose prober is
# installed for its group. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
for tool in setpriv setcap script; do
	command -v "$tool" >/dev/null || lab_skip "$tool is not installed"
done

USER_ID=64999 GROUP_ID=64998	# nobody's
STATE=$LAB_TMP/state BIN=$LAB_TMP/bin PLAN=$LAB_TMP/dprk.yaml
mkdir -p "$STATE" "$BIN"
chmod 755 "$LAB_TMP" "$BIN"
chown "$USER_ID:$GROUP_ID" "$STATE"
cp "$BORDERPATH" "$BIN/borderpath"
cp "$LAB_BUILD/borderpath-probe" "$BIN/"
chown "root:$GROUP_ID" "$BIN/borderpath-probe"
chmod 750 "$BIN/borderpath-probe"
setcap cap_net_raw+ep "$BIN/borderpath-probe" || lab_skip "no file capabilities on this file system"

cat >"$PLAN" <<-EOF
	campaign: dprk
	vantage: {name: vp}
	profile: $LAB_TMP/lab.yaml
	every: 2s
	jitter: 0s
	rate_pps: 1000
	per_prefix_rate_pps: 250
	targets: [175.45.176.71, 175.45.178.3]
EOF
cp "$LAB_DIR/lab.yaml" "$LAB_TMP/"
borders_up talking

# confined USER CAPABILITIES COMMAND...: in vp, locked in as the services are, with these capabilities
# as ambient ones and no other. XDG_STATE_HOME as there.
cat >"$LAB_TMP/confined" <<-'EOF'
	#!/bin/bash -e
	user=$1 caps=$2
	shift 2
	mount --make-rprivate /
	mount --bind "$STATE" "$STATE"
	mount -t tmpfs -o mode=755 dev "$BIN/dev"
	for d in null zero full random urandom tty; do
		touch "$BIN/dev/$d"
		mount --bind "/dev/$d" "$BIN/dev/$d"
	done
	mount --rbind "$BIN/dev" /dev
	mount -t proc -o subset=pid,hidepid=invisible proc /proc
	mount -o remount,bind,ro /
	mount -o remount,bind,ro /run
	umask 022
	exec env --default-signal=INT,QUIT XDG_STATE_HOME="$STATE" HOME=/nonexistent \
		setpriv --reuid "$user" --regid "$GROUP_ID" --clear-groups --bounding-set="-all$caps" \
		--inh-caps="-all$caps" --ambient-caps="-all$caps" --no-new-privs "$@"
EOF
chmod 755 "$LAB_TMP/confined"
mkdir -p "$BIN/dev"
# Takes the place of this shell: in the background only.
confined()
{
	lab_private || lab_die "refusing to probe outside a private namespace"
	exec ip netns exec vp unshare --mount "$LAB_TMP/confined" "$@"
}
export STATE BIN GROUP_ID

# The socket unit, and for each who connects the prober's own.
DOOR=$LAB_TMP/probe.sock
ip netns exec vp "$LAB_DIR/door.pl" "$DOOR" "$GROUP_ID" unshare --mount "$LAB_TMP/confined" 64996 \
	,+net_raw "$BIN/borderpath-probe" 2>"$LAB_TMP/door" &
wait_for 10 test -S "$DOOR" || lab_die "no socket: $(cat "$LAB_TMP/door")"

# status [OPTION...]: as that user, with no privilege at all.
status()
{
	ip netns exec vp env XDG_STATE_HOME="$STATE" setpriv --reuid "$USER_ID" --regid "$GROUP_ID" \
		--clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
		"$BIN/borderpath" campaign status "$@" "$PLAN"
}
says() { status --format jsonl | jq -r "$1"; }

OUT=$LAB_TMP/rounds ERR=$LAB_TMP/notes
is "before: never ran" "$(says '"\(.state) \(.running)"')" 'never false'
status >/dev/null
is "and its exit code" $? 3

confined "$USER_ID" '' env BORDERPATH_PROBE_SOCKET="$DOOR" "$BIN/borderpath" campaign run "$PLAN" \
	>"$OUT" 2>"$ERR" &
SERVICE=$!
rounds() { (($(wc -l <"$OUT") >= $1)); }
wait_for 20 rounds 2 || not_ok "two rounds, locked in: $(cat "$ERR")"
is "every target is measured" "$(jq -r '"\(.expected) \(.done)"' "$OUT" | sort -u)" '2 2'
is "it holds no capability, and can gain none" \
	"$(awk '/^Cap(Prm|Bnd|Amb|Eff|Inh)|^NoNewPrivs/ {print $2}' "/proc/$SERVICE/status" | sort -u |
		xargs)" '0000000000000000 1'
is "nor has it a child" "$(pgrep -c -P "$SERVICE")" 0
is "beside it" "$(says '"\(.state) \(.running) \(.pid)"')" "ok true $SERVICE"
is "targets" "$(says '.targets[] | "\(.dst) \(.border) \(.reach)"')" \
	$'175.45.176.71 dandong reached\n175.45.178.3 khasan reached'
like "rounds of the day" "$(says '"\(.last_day.rounds) \(.last_day.missed_rounds) \(.last_day.missed)"')" \
	'^[1-9][0-9]* 0 0$'
like "for people" "$(status)" $'^dprk from vp: as planned\n.*runs, process '"$SERVICE"
is "quiet: nothing to tell" "$(status --quiet)" ''
status >/dev/null
is "exit" $? 0

# A route moves: since when is known, once it was otherwise.
move_route 175.45.176.0/24 k
moved() { [[ $(says '.targets[0] | "\(.border) \(.since_at_least)"') == 'khasan false' ]]; }
wait_for 20 moved || not_ok "since when: $(says '.targets[0]')"
is "the other one stands as before" "$(says '.targets[1].since_at_least')" true

# A stranger may not see the lock; what he may read he is told.
stranger()
{
	ip netns exec vp env XDG_STATE_HOME="$STATE" setpriv --reuid 64997 --regid 64997 --clear-groups \
		--bounding-set=-all --inh-caps=-all "$BIN/borderpath" campaign status "$PLAN" 2>&1
}
like "a stranger" "$(stranger)" 'daemon +not known'

# Copies while it runs, as doc/operations.md has them: stores, whole.
if command -v sqlite3 >/dev/null; then
	DB=$STATE/borderpath/store.db
	sqlite3 "$DB" "VACUUM INTO '$LAB_TMP/vacuum.db'"
	sqlite3 "$DB" ".backup $LAB_TMP/backup.db"
	for copy in vacuum backup; do
		is "$copy: rounds with all their traces" "$("$BORDERPATH" convert --to jsonl \
			"$LAB_TMP/$copy.db" | jq -s '([.[] | select(.type == "trace")] | length) ==
			([.[] | select(.type == "round") | .traces] | add) and length > 3')" true
	done
else
	skip "sqlite3 is not installed: no copies"
fi

kill -TERM "$SERVICE"
wait "$SERVICE"
is "told to stop" $? 0
is "without it" "$(says '"\(.running) \(.spool.rounds)"')" 'false 0'
stale() { [[ $(says .state) == stale ]]; }
wait_for 12 stale || not_ok "stale after three rounds: $(says .state)"
status --quiet >"$LAB_TMP/told"
is "exit" $? 3
like "and cron's mail" "$(cat "$LAB_TMP/told")" '^dprk from vp: stale'

# The live view: on a terminal, in place.
cat >"$LAB_TMP/view.sh" <<-EOF
	stty cols 90 rows 20
	"$BIN/borderpath" campaign run "$PLAN" --store sqlite:$LAB_TMP/view.db >/dev/null
EOF
lab_private || lab_die "refusing to probe outside a private namespace"
TERM=xterm ip netns exec vp timeout -s INT 30 script -qefc "bash $LAB_TMP/view.sh" "$LAB_TMP/screen" \
	>/dev/null 2>&1 </dev/null &
VIEW=$!
drawn() { grep -qaE "$1" "$LAB_TMP/screen"; }
wait_for 20 drawn 'round of [0-9:]+: 2 of 2 measured' || not_ok "a view with a round"
like "with its targets" "$(tr -cd '[:print:]\n' <"$LAB_TMP/screen")" '175\.45\.178\.3 .*Khasan / Russia'
# Its lock says who it is.
kill -INT "$(cat "$LAB_TMP/view.db.spool/dprk-vp.lock")"
wait "$VIEW"
is "told to stop, it ends" $? 0
finish
