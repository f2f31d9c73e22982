#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `make install` puts each file where it belongs, gives only the probe a capability and never the
# setuid bit, and `make uninstall` takes away what it put. Into a directory of our own, and as root
# once for real into a prefix of our own, with a group of our own.

set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/unit/counts.sh
box=$(mktemp -d)
group=bptest$$
trap 'rm -rf "$box"; getent group "$group" >/dev/null && groupdel "$group"' EXIT
PATH=$PATH:/usr/sbin:/sbin

mode() { [ "$(stat -c %a "$1")" = "$2" ] || { stat "$1"; return 1; }; }
works() { [[ "$("$@")" == borderpath\ * ]]; }
capability() { [[ "$(getcap "$1")" == *"cap_net_raw=ep" ]] || { getcap "$1"; return 1; }; }
none() { [ -z "$(find "$@" 2>/dev/null)" ] || { find "$@"; return 1; }; }

make=(make --no-print-directory -s)
check "installs into DESTDIR" "${make[@]}" install DESTDIR="$box/pkg" PREFIX=/usr
check "the program" mode "$box/pkg/usr/bin/borderpath" 755
check "the probe is for its group" mode "$box/pkg/usr/bin/borderpath-probe" 750
check "nothing is setuid or setgid" none "$box/pkg" -type f -perm /6000
for f in man/man1/borderpath.1 man/man8/borderpath-probe.8 borderpath/profiles/dprk.yaml \
	borderpath/campaigns/dprk-borders.yaml borderpath/campaigns/dprk-sweep.yaml \
	borderpath/prometheus/borderpath.rules.yml borderpath/grafana/borderpath.json \
	bash-completion/completions/borderpath doc/borderpath/examples/borderpath.cron; do
	check "$f" mode "$box/pkg/usr/share/$f" 644
done
for f in packaging/systemd/*.service packaging/systemd/*.socket packaging/systemd/*.timer; do
	check "$f" mode "$box/pkg/usr/lib/systemd/system/${f##*/}" 644
done
for f in nats-server.conf postgresql.conf; do
	check "$f, for a broker's and a database's unit" mode "$box/pkg/usr/share/borderpath/$f" 644
done
check "the look at the broker" mode "$box/pkg/usr/share/borderpath/broker-check" 755
check "the user" mode "$box/pkg/usr/lib/sysusers.d/borderpath.conf" 644
if [ -s build/geodata/asn.mmdb ]; then
	check "the databases" mode "$box/pkg/var/lib/borderpath/asn.mmdb" 644
	check "and their licences" mode "$box/pkg/var/lib/borderpath/NOTICE" 644
fi
check "a package sets the capability itself" test -z "$(getcap "$box/pkg/usr/bin/borderpath-probe")"
check "the limits file" mode "$box/pkg/etc/borderpath/limits" 644
echo "rate_pps 10" >"$box/pkg/etc/borderpath/limits"
check "installs again" "${make[@]}" install DESTDIR="$box/pkg" PREFIX=/usr
check "over nobody's limits" grep -qx "rate_pps 10" "$box/pkg/etc/borderpath/limits"
check "uninstalls" "${make[@]}" uninstall DESTDIR="$box/pkg" PREFIX=/usr
check "but what its owner wrote" grep -qx "rate_pps 10" "$box/pkg/etc/borderpath/limits"
rm "$box/pkg/etc/borderpath/limits"
check "and leaves no file" none "$box/pkg" -type f

if [ "$(id -u)" -ne 0 ]; then
	skip "installing for real: not root"
else
	# /var/lib and /etc stay as they are: what is installed for real is only the prefix.
	check "installs for real" "${make[@]}" install PREFIX="$box/real" GROUP="$group" vardir="$box/var" SYSCONFDIR="$box/etc"
	check "with the capability" capability "$box/real/bin/borderpath-probe"
	check "the probe's group" test "$(stat -c %G "$box/real/bin/borderpath-probe")" = "$group"
	check "the probe is for its group" mode "$box/real/bin/borderpath-probe" 750
	check "the other has none" test -z "$(getcap "$box/real/bin/borderpath")"
	check "a broker is looked at by that one" grep -q "^ExecStart=$box/real/share/borderpath/broker-check " \
		"$box/real/lib/systemd/system/borderpath-broker-check.service"
	check "the service runs that program" grep -q "^ExecStart=$box/real/bin/borderpath campaign run $box/etc/borderpath/" \
		"$box/real/lib/systemd/system/borderpath-campaign@.service"
	check "and the prober's unit that one" grep -qx "ExecStart=$box/real/bin/borderpath-probe" \
		"$box/real/lib/systemd/system/borderpath-probe@.service"
	check "the program runs from there" works "$box/real/bin/borderpath" --version
	check "uninstalls" "${make[@]}" uninstall PREFIX="$box/real" vardir="$box/var" SYSCONFDIR="$box/etc"
	check "and leaves no file" none "$box/real" "$box/var" "$box/etc" -type f
fi

counted
