#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What packaging/ holds is what its readers take: the service parses and is as locked in as it says,
# the user is made, the cron lines name commands that exist. A reader that is not installed is skipped.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/counts.sh
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
program=${BORDERPATH:-build/borderpath}
units=packaging/systemd

silent() {
	"$@" >"$box/said" 2>&1 && [ ! -s "$box/said" ] && return
	cat "$box/said"
	return 1
}
has() { grep -qxF -e "$2" "$units/$1"; }
lacks() { ! grep -E "$2" "$units/$1"; }

# One process has a capability, the prober, and that one alone; the others have none. Nobody gains any.
for unit in "$units"/*.service; do
	name=${unit##*/}
	check "$name gains nothing" has "$name" NoNewPrivileges=yes
	if [ "$name" = borderpath-probe@.service ]; then
		check "$name has its capability" has "$name" AmbientCapabilities=CAP_NET_RAW
		check "$name has no other" has "$name" CapabilityBoundingSet=CAP_NET_RAW
	else
		check "$name has no capability" has "$name" CapabilityBoundingSet=
		check "$name is given none" lacks "$name" '^AmbientCapabilities=|AF_PACKET|CAP_'
	fi
done
for line in Accept=yes SocketGroup=borderpath SocketMode=0660 ListenStream=/run/borderpath/probe.sock; do
	check "the socket says $line" has borderpath-probe.socket "$line"
done
for line in StandardInput=socket StandardOutput=socket StandardError=journal; do
	check "the prober says $line" has borderpath-probe@.service "$line"
done
# shellcheck disable=SC2016 # systemd's variable, not ours
for line in User=borderpath Type=notify 'ExecReload=/bin/kill -HUP $MAINPID' \
	Environment=BORDERPATH_PROBE_SOCKET=/run/borderpath/probe.sock Requires=borderpath-probe.socket; do
	check "the campaign says $line" has borderpath-campaign@.service "$line"
done

# A broker that stands still: systemd looks after it, once our part of nats-server.service is there.
for line in User=nats CapabilityBoundingSet= \
	"ExecStart=/usr/share/borderpath/broker-check /etc/nats/nats.conf %t/nats/nats-server.pid 64 30"; do
	check "the look at the broker says $line" has borderpath-broker-check.service "$line"
done
for line in Wants=borderpath-broker-check.timer Restart=always \
	"ExecStart=/usr/sbin/nats-server -c /etc/nats/nats.conf -P %t/nats/nats-server.pid"; do
	check "nats-server says $line" has ../nats-server.conf "$line"
done

if command -v systemd-analyze >/dev/null; then
	# Instances, of programs that are there.
	mkdir "$box/units"
	for unit in "$units"/*.service "$units"/*.socket "$units"/*.timer; do
		sed "s|/usr/bin/borderpath|$(realpath "$program")|; s|/usr/share/borderpath|$PWD/packaging|" \
			"$unit" >"$box/units/${unit##*/}"
	done
	for unit in "$units"/*.timer; do
		check "${unit##*/} parses" silent env SYSTEMD_LOG_LEVEL=warning SYSTEMD_UNIT_PATH="$box/units:" \
			timeout 60 systemd-analyze verify --man=no --recursive-errors=no "$box/units/${unit##*/}"
	done
	for unit in "$units"/*.service; do
		name=${unit##*/}
		instance=${name/@./@dprk.}
		[ "$instance" = "$name" ] || cp "$box/units/$name" "$box/units/$instance"
		check "$name parses, and nothing in it is ignored" silent env SYSTEMD_LOG_LEVEL=warning \
			SYSTEMD_UNIT_PATH="$box/units:" timeout 60 systemd-analyze verify --man=no \
			--recursive-errors=no "$box/units/$instance"
		check "$name is locked in (exposure under 2.0)" timeout 60 systemd-analyze security \
			--no-pager --offline=true --threshold=19 "$box/units/$instance"
	done
else
	skip "systemd-analyze is not installed"
fi

if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$box/system/etc" "$box/system/usr/lib/sysusers.d"
	cp packaging/systemd/borderpath.sysusers "$box/system/usr/lib/sysusers.d/borderpath.conf"
	check "the user is made" timeout 60 systemd-sysusers --root="$box/system"
	check "with a home and no shell" grep -q \
		'^borderpath:.*:borderpath campaigns:/var/lib/borderpath:.*nologin$' "$box/system/etc/passwd"
	check "and a group of its own" grep -q '^borderpath:' "$box/system/etc/group"
	# As after make install, which has made the group.
	rm "$box"/system/etc/*
	echo 'borderpath:x:977:' >"$box/system/etc/group"
	check "the user is made" timeout 60 systemd-sysusers --root="$box/system"
	check "in the group that is there" grep -q '^borderpath:x:[0-9]*:977:' "$box/system/etc/passwd"
else
	skip "systemd-sysusers is not installed"
fi

# The Debian packages: built of what the Makefile says, with what scripts/packages.txt installs, and each
# unit in one of them.
version=$(sed -n 's/^VERSION := //p' Makefile)
check "the packages' version" grep -q "^borderpath ($version) " packaging/debian/changelog
grep -P '^build\t' scripts/packages.txt | cut -f 2 | grep -vxE 'gcc|make|libc6-dev' | sort >"$box/wanted"
sed -n '/^Build-Depends:/,/^[A-Z]/p' packaging/debian/control | grep -o '^ [a-z0-9.+-]*' | tr -d ' ' |
	grep -v '^dh-' | sort >"$box/named"
check "what they are built with" diff "$box/wanted" "$box/named"
for f in "$units"/*.service "$units"/*.socket "$units"/*.timer; do
	check "${f##*/} is in a package" grep -qxh "lib/systemd/system/${f##*/}" packaging/debian/*.install
done
for script in packaging/debian/*.p{ost,re}{inst,rm}; do
	[ ! -f "$script" ] || check "${script##*/} is of its package" grep -q "^Package: $(basename "${script%.*}")\$" \
		packaging/debian/control
done

# Five fields, a user, and a command of ours with the options that it has.
lines=0
while read -r _ _ _ _ _ user command; do
	[[ $user == borderpath ]] || continue
	lines=$((lines + 1))
	read -ra words <<<"$command"
	check "cron runs ${words[*]:0:3}" test "${words[0]}" = borderpath
	check "a subcommand that there is: ${words[2]}" grep -qE "^  ${words[2]} " <("$program" help campaign)
	for word in "${words[@]}"; do
		[[ $word != --* ]] || check "an option that there is: $word" grep -q -e "$word" <("$program" help campaign)
	done
done < <(grep -E '^[0-9*]' packaging/cron/borderpath)
check "cron has lines" test "$lines" -ge 2

counted
