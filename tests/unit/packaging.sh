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
service=packaging/systemd/borderpath-campaign@.service

silent() {
	"$@" >"$box/said" 2>&1 && [ ! -s "$box/said" ] && return
	cat "$box/said"
	return 1
}
has() { grep -qxF -e "$1" "$service"; }

# The capability comes by the service, and is the only one; nothing else may be gained.
# shellcheck disable=SC2016 # systemd's variable, not ours
for line in AmbientCapabilities=CAP_NET_RAW CapabilityBoundingSet=CAP_NET_RAW NoNewPrivileges=yes \
	User=borderpath Type=notify 'ExecReload=/bin/kill -HUP $MAINPID'; do
	check "the service says $line" has "$line"
done

if command -v systemd-analyze >/dev/null; then
	# An instance, of a program that is there.
	sed "s|/usr/bin/borderpath|$(realpath "$program")|" "$service" >"$box/borderpath-campaign@dprk.service"
	check "the service parses, and nothing in it is ignored" silent env SYSTEMD_LOG_LEVEL=warning \
		timeout 60 systemd-analyze verify --man=no --recursive-errors=no \
		"$box/borderpath-campaign@dprk.service"
	check "it is locked in (exposure of 2.5 at most)" timeout 60 systemd-analyze security \
		--offline=true --threshold=25 "$box/borderpath-campaign@dprk.service"
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
