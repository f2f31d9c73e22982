#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/deps.sh [GROUP...] - install what is missing of the groups in packages.txt
# (default: build geodata lab check).
#
# Asks dpkg first: with everything there it is silent, needs no network and no privilege.

set -eu

list=$(dirname "$0")/packages.txt
[ $# -gt 0 ] || set -- build geodata lab check

die() {
	echo "deps: $*" >&2
	exit 1
}

wanted=
for group in "$@"; do
	grep -q "^${group}[[:space:]]" "$list" || die "no group \"$group\" in scripts/packages.txt"
	wanted="$wanted $(awk -v g="$group" '$1 == g {print $2 ":" $3}' "$list")"
done

missing=
installed=" $(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null |
	sed -n 's/^ii *//p' | tr '\n' ' ') "
for entry in $wanted; do
	package=${entry%%:*}
	command=${entry#*:}
	case $installed in
	*" $package "*) continue ;;
	esac
	if [ -n "$command" ] && command -v "$command" >/dev/null; then
		continue
	fi
	missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null ||
	die "this is not Debian (no apt-get); install what corresponds to:$missing"
if [ "$(id -u)" -eq 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	die "not root and no sudo; as root: apt-get install$missing"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" \
		>"$log" 2>&1 </dev/null
}
# Of prometheus only its promtool is wanted: its server starts neither now nor at boot.
case " $missing " in
*" prometheus "*) server=prometheus ;;
*) server= ;;
esac
let_server_be() {
	[ -n "$server" ] || return 0
	$sudo systemctl unmask "$server"
	$sudo invoke-rc.d "$server" stop
	$sudo update-rc.d "$server" disable
} >/dev/null 2>&1
trap 'let_server_be || true; rm -f "$log"' EXIT
trap 'exit 1' INT TERM
[ -z "$server" ] || $sudo systemctl mask "$server" >/dev/null 2>&1 || true

echo "deps: installing$missing" >&2
# The package lists of a fresh machine are empty or old: refresh them only if it takes that.
# shellcheck disable=SC2086
apt install --no-install-recommends $missing || {
	apt update || true
	apt install --no-install-recommends $missing
} || die "apt-get failed ($(grep -m 1 '^E: ' "$log" || tail -n 1 "$log")); needed:$missing"
