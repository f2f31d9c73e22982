#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/packaging/fleet_doc.sh ROOT DEBS - doc/fleet.md, command by command: three machines with a Debian
# root each, that has nothing of ours but the packages in DEBS to install and no network but the
# lab's; systemd is the real one. For check-deb.sh. Topology: topo_borders.sh, with the machines at t1.
#
# Of the page it takes blocks that begin with "```sh MACHINE..." (each is one script, on each of the
# machines in turn; with "geodata": where there are databases), and lines "<!-- until MACHINE: COMMAND -->",
# which wait until COMMAND succeeds. Two things are not as on the page: the time between rounds, and
# scp, which here copies without a network. Behind the page the centre's disks run full, and nobody does
# anything but make room again.

# shellcheck source-path=SCRIPTDIR disable=SC2317
. "$(dirname "$0")/../lab/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
. "$(dirname "$0")/machines.sh"
lab_enter "$@"
ROOT=$1 DEBS=$2 PAGE=$LAB_ROOT/doc/fleet.md
MACHINES=(fra1 iad1 sin1)
trap 'machines_down; lab_leave' EXIT

node fra1 203.0.113.11 2001:db8:a::11
node iad1 203.0.113.12 2001:db8:a::12
node sin1 203.0.113.13 2001:db8:a::13
attach()
{
	local n
	for n in "${MACHINES[@]}"; do
		ip link add name t1 address "$(lab_mac "$n" t1)" netns "$n" type veth \
			peer name "$n" address "$(lab_mac t1 "$n")" netns t1
		lab_neighbours "$n" t1
		route "$n" default t1
		route_back t1 "$n"
	done
}
# shellcheck disable=SC2034 # lab_raise calls it
LAB_DEVICES=attach
borders_up talking

# put MACHINE NAME: what comes on stdin, into root's home directory there.
# shellcheck disable=SC2016 # the shell there expands it
put() { on "$1" sh -c 'cat >"$HOME/$0"' "$2"; }

for n in "${MACHINES[@]}"; do
	machine_up "$n" "$ROOT" ||
		lab_skip "systemd does not boot in namespaces here: $(tail -n 1 "$LAB_TMP/machine-$n.log")"
	for other in "${MACHINES[@]}"; do
		echo "${LAB_A4[$other]} $other.example.net $other"
	done | on "$n" tee -a /etc/hosts >/dev/null
	for file in "$DEBS"/borderpath_*.deb "$DEBS"/borderpath-fleet_*.deb "$LAB_ROOT"/build/geodata/{*.mmdb,NOTICE}; do
		[[ ! -s $file ]] || put "$n" "${file##*/}" <"$file"
	done
done

# The centre's broker and its database have small disks of their own.
disk() { on fra1 mkdir -p "$1" && on fra1 mount -t tmpfs -o "size=$2,mode=755" disk "$1"; }
disk /var/lib/nats 256m
disk /var/lib/postgresql 512m

# scp FILE... HOST: on machine $1, for files without a blank and the home directory of HOST.
# shellcheck disable=SC2016 # as above
copies()
{
	local from=$1 words to file
	read -ra words <<<"$2"
	to=${words[-1]%%.*}
	for file in "${words[@]:1:${#words[@]}-2}"; do
		on "$from" sh -c 'cat "$HOME/$0"' "$file" | put "$to" "${file##*/}" || return 1
	done
}

# block LINE MACHINE SCRIPT: run as if typed there, one command after the other, as far as it goes.
block()
{
	local line=$1 n=$2 script=$3 rc=0 command
	if [[ $script == scp\ * ]]; then
		while IFS= read -r command; do
			if [[ $command == scp\ * ]]; then copies "$n" "$command"; else
				on "$n" sh -ec "cd; $command" </dev/null; fi || rc=$?
		done <<<"$script"
	else
		on "$n" env DEBIAN_FRONTEND=noninteractive timeout 300 bash -ec "cd; $script" < <(yes) || rc=$?
	fi >"$LAB_TMP/said" 2>&1
	if ((rc == 0)); then ok "line $line, on $n"; else
		not_ok "line $line, on $n: exit $rc"
		tail -n 15 "$LAB_TMP/said" | sed 's/^/    /'
	fi
	! ((${VERBOSE:-0})) || sed 's/^/    /' "$LAB_TMP/said"
}

number=0 script='' where='' begun=0
while IFS= read -r line; do
	number=$((number + 1))
	case $line in
	'```sh '*)
		where=${line#*sh } begun=$number script=''
		if [[ $where == *\ geodata ]]; then
			[[ -s $LAB_ROOT/build/geodata/asn.mmdb ]] && where=${where% geodata} || where=''
			[[ -n $where ]] || skip "line $number: no geo databases"
		fi
		;;
	'```')
		for n in $where; do
			block "$begun" "$n" "${script//every: 15m/every: 5s}"
		done
		where=''
		;;
	'<!-- until '*)
		line=${line#'<!-- until '} line=${line%' -->'}
		if wait_for 120 on "${line%%:*}" sh -c "cd; ${line#*:}"; then ok "line $number"; else
			not_ok "line $number: still not: ${line#*:}"
			for n in "${MACHINES[@]}"; do
				on "$n" journalctl --no-pager -q -n 8 -o cat -u 'borderpath-*' | sed "s/^/    $n: /"
			done
		fi
		;;
	*) [[ -z $where ]] || script+=$line$'\n' ;;
	esac
done <"$PAGE"

# ---- disks that are full

fill() { on fra1 dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null; }
room() { on fra1 rm "$1/filler"; }
rounds() { on fra1 sudo -u postgres psql -qAtX borderpath -c 'SELECT count(*) FROM rounds' 2>/dev/null; }
rounds_more() { local n; n=$(rounds) && ((n >= $1 + 4)); }
# go_on NAME: rounds come in, more than the one of each machine that was under way.
go_on()
{
	local before
	before=$(rounds)
	if wait_for 120 rounds_more "${before:-0}"; then ok "$1"; else
		not_ok "$1: $(on fra1 journalctl --no-pager -q -n 20 -o cat -u 'borderpath-*' -u nats-server -u 'postgresql@*')"
	fi
}
broker() { on fra1 systemctl show -P MainPID nats-server; }
another_broker() { [[ $(broker) != 0 && $(broker) != "$1" ]]; }
looked() { on fra1 journalctl --no-pager -q -o cat -u borderpath-broker-check | grep -q "$1"; }
# shellcheck disable=SC2016 # the shell there expands it
deaf() { ! on fra1 timeout 3 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8222; printf "GET /jsz HTTP/1.0\r\n\r\n" >&3; grep -q OK <&3'; }
# shellcheck disable=SC2016 # as above
full_journal()
{
	on fra1 sudo -u postgres sh -c 'for i in $(seq 64); do
		psql -qAtX -c "SELECT pg_logical_emit_message(false, $$x$$, $$x$$)" -c "SELECT pg_switch_wal()"; done' >/dev/null 2>&1
	(($(on fra1 systemctl show -P NRestarts 'postgresql@15-main') > 0))
}

on fra1 sh -c 'cd; borderpath campaign deploy dprk.yaml --dir fleet' >"$LAB_TMP/said" 2>&1 ||
	not_ok "deployed once more: $(cat "$LAB_TMP/said")"
go_on "rounds come in"
is "nothing is said of a broker that answers" "$(on fra1 journalctl --no-pager -q -o cat -u borderpath-broker-check)" ''
before=$(broker)
fill /var/lib/nats
wait_for 60 deaf || not_ok "the broker stands still once its disk is full"
wait_for 90 looked 'MB are free' || not_ok "it is said that there is no room"
is "without room the broker is left alone" "$(broker)" "$before"
room /var/lib/nats
if wait_for 150 another_broker "$before"; then ok "systemd has a new broker"; else
	not_ok "systemd has a new broker: $(on fra1 systemctl status --no-pager borderpath-broker-check.timer \
		borderpath-broker-check nats-server)"
fi
is "and says why" "$(on fra1 journalctl --no-pager -q -o cat -u borderpath-broker-check | grep -c "process $before is ended")" 1
go_on "with room for the broker rounds come in again"
fill /var/lib/postgresql
wait_for 60 full_journal || not_ok "PostgreSQL is started again when it ended itself"
room /var/lib/postgresql
go_on "with room for the database rounds come in again"

# What the page says of privileges holds on these machines.
for n in "${MACHINES[@]}"; do
	for unit in agent collect; do
		pid=$(on "$n" systemctl show -P MainPID "borderpath-$unit")
		[[ ${pid:-0} != 0 ]] || continue
		is "$n: the $unit has no capability" "$(on "$n" grep -E '^Cap(Prm|Eff|Bnd|Amb)' "/proc/$pid/status" |
			awk '{print $2}' | sort -u)" 0000000000000000
		is "$n: the $unit is nobody of /etc/passwd" "$(on "$n" grep -c "^borderpath-$unit:" /etc/passwd)" 0
	done
	is "$n: nothing failed" "$(on "$n" systemctl list-units --failed --no-legend "borderpath-*" | xargs)" ''
done
finish
