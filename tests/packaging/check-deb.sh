#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/packaging/check-deb.sh - `make check-deb`: the packages that `make deb` builds go into a clean
# Debian 12 root with what they depend on, a member of the group measures there (trace.sh: a network of
# the lab's), a stranger is told in one line that he may not, and what is purged is gone. Before that,
# three machines become a fleet by doc/fleet.md, word by word (fleet_doc.sh). Ends with "N passed, N
# failed, N skipped".
#
# The root is made by debootstrap, from the mirror that this machine's apt knows, in build/check-deb;
# nothing outside of build/ is kept. As root, and with that mirror in reach; else it is skipped.
# KEEP=1 leaves the root for a look. DEB_TWICE=1 also builds twice and compares.

set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
tree=$PWD
. tests/unit/counts.sh
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

give_up() {
	skip "$1"
	counted
	exit
}

[ "$(id -u)" -eq 0 ] || give_up "packages in a clean root: not root"
# Mounts of our own, gone with this process.
if [ "${1:-}" != inside ]; then
	unshare --mount --propagation private true 2>/dev/null ||
		give_up "packages in a clean root: this system does not let root make mounts"
	exec unshare --mount --pid --fork --kill-child --propagation private bash "$0" inside
fi

box=$tree/build/check-deb
dest=$box/root
mkdir -p "$box"
quietly() { timeout 1200 "$@" >"$box/log" 2>&1 </dev/null || { tail -n 20 "$box/log"; return 1; }; }

# --- the packages -----------------------------------------------------------------------------

check "the packages are built, and lintian is content" quietly make --no-print-directory deb
[ "$failed" -eq 0 ] || { counted; exit 1; }
version=$(sed -n 's/^VERSION := //p' Makefile)
debs=("build/deb/borderpath_${version}_$(dpkg --print-architecture).deb"
	"build/deb/borderpath-fleet_${version}_$(dpkg --print-architecture).deb")
# shellcheck disable=SC2317 # by check
twice() {
	local sums
	sums=$(cd build/deb && sha256sum ./*.deb)
	(umask 077 && LINTIAN=0 TZ=Asia/Pyongyang quietly make --no-print-directory deb) &&
		(cd build/deb && sha256sum --quiet -c <<<"$sums")
}
[ "${DEB_TWICE:-0}" = 0 ] || check "the same tree gives the same packages" twice

# --- the root ---------------------------------------------------------------------------------

command -v debootstrap >/dev/null || give_up "a clean root: debootstrap is not installed"
# shellcheck disable=SC2016 # apt's
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' "Created-By: Packages" 2>/dev/null |
	awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || give_up "a clean root: this machine's apt knows no mirror of Debian 12"
proxy=$(apt-config shell proxy Acquire::http::Proxy | sed "s/^proxy='\(.*\)'$/\1/")
[ -z "$proxy" ] || export http_proxy=$proxy

rm -rf "$dest"
mkdir -p "$box/cache"
# What any rented server has.
with=systemd-sysv,libnss-systemd,procps,sudo,ca-certificates
quietly debootstrap --variant=minbase --cache-dir="$box/cache" --include="$with" bookworm "$dest" "$mirror" ||
	give_up "a clean root: debootstrap failed, is the mirror in reach? $(tail -n 1 "$box/log")"
cp /etc/resolv.conf "$dest/etc/resolv.conf"
[ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" >"$dest/etc/apt/apt.conf.d/00proxy"
# No service starts in there.
printf '#!/bin/sh\nexit 101\n' >"$dest/usr/sbin/policy-rc.d"
chmod 755 "$dest/usr/sbin/policy-rc.d"
mount -t proc proc "$dest/proc"
mount --rbind /dev "$dest/dev"
in=(chroot "$dest" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
	DEBIAN_FRONTEND=noninteractive)
leave() {
	umount -R "$dest/dev" "$dest/proc" 2>/dev/null
	[ "${KEEP:-0}" != 0 ] || rm -rf --one-file-system "$dest"
}
trap leave EXIT

quietly "${in[@]}" apt-get -q update || give_up "a clean root: apt-get update failed: $(tail -n 1 "$box/log")"
cp "${debs[@]}" "$dest/tmp/"
inner=("${debs[@]/#build\/deb//tmp}")
echo 'APT::Install-Recommends "false";' >"$dest/etc/apt/apt.conf.d/00lean"
install=("${in[@]}" apt-get -q -y -o Dpkg::Use-Pty=0)

# doc/fleet.md first, on machines that are copies of this root: what they install they find here.
quietly "${install[@]}" --download-only install "${inner[@]}" nats-server postgresql ||
	give_up "a clean root: apt-get cannot download: $(tail -n 1 "$box/log")"
# Nothing that asks the network, or holds apt's lock.
quietly "${in[@]}" systemctl mask apt-daily.timer apt-daily-upgrade.timer
# part NAME SECONDS COMMAND...: a script of the lab's kind, and what it counted.
part() {
	local name=$1 limit=$2 p f s
	shift 2
	timeout -k 5 "$limit" "$@" >"$box/$name" 2>&1 </dev/null
	grep -v '^ok ' "$box/$name" | grep -vE '^[0-9]+ passed'
	read -r p f s < <(grep -E '^[0-9]+ passed' "$box/$name" | tail -n 1 | tr -c '0-9\n' ' ')
	if [ -z "${p:-}" ] && grep -q '^skipped' "$box/$name"; then p=0 f=0 s=1; fi
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
}
echo 'nameserver 198.18.53.53' >"$dest/etc/resolv.conf"
part fleet_doc 900 tests/packaging/fleet_doc.sh "$dest" "$tree/build/deb"

# --- installed --------------------------------------------------------------------------------

is() { [ "$1" = "$2" ] || { echo "'$1', not '$2'"; return 1; }; }
none() { [ -z "$("$@")" ] || { "$@"; return 1; }; }
ours() { (cd "$dest" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp \) -prune -o -iname '*borderpath*' -print); }
probe=/usr/bin/borderpath-probe
granted() {
	is "$("${in[@]}" getcap "$probe")" "$probe cap_net_raw=ep" &&
		is "$("${in[@]}" stat -c '%a %U:%G' "$probe")" "750 root:borderpath"
}
check "nothing of ours is there before" none ours
check "both install, with what they depend on" quietly "${install[@]}" install "${inner[@]}"
check "the prober is for its group, with its capability" granted
check "nothing is setuid or setgid" none "${in[@]}" find /usr/bin/borderpath /usr/bin/borderpath-fleet "$probe" -perm /6000
check "nothing else has a capability" is "$("${in[@]}" getcap -r /usr/bin | grep borderpath)" "$probe cap_net_raw=ep"
check "what is on disk is what was packed" none "${in[@]}" dpkg --verify borderpath borderpath-fleet
for program in borderpath borderpath-fleet "$probe"; do
	check "$program starts" is "$("${in[@]}" "$program" --version)" "$(basename "$program" | sed s/-fleet//) $version"
done
check "a command of the fleet finds its program" quietly "${in[@]}" borderpath help agent
check "the profile is found" quietly "${in[@]}" borderpath profile check
check "the campaigns' plans are right" quietly "${in[@]}" borderpath campaign check /usr/share/borderpath/campaigns/dprk-borders.yaml
check "the user" is "$("${in[@]}" getent passwd borderpath | cut -d: -f1,6)" "borderpath:/var/lib/borderpath"
check "the completion is where it is looked for" test -s "$dest/usr/share/bash-completion/completions/borderpath"
for page in man1/borderpath.1 man1/borderpath-fleet.1 man8/borderpath-probe.8; do
	check "$page" test -s "$dest/usr/share/man/$page.gz"
done
for unit in "$dest"/lib/systemd/system/borderpath-*.service; do
	unit=$(basename "$unit" | sed 's/@\./@dprk./')
	check "$unit parses" none "${in[@]}" env SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "$unit"
	check "$unit is locked in (exposure under 2.0)" quietly "${in[@]}" systemd-analyze security --no-pager --offline=true \
		--threshold=19 "/lib/systemd/system/$(sed 's/@dprk/@/' <<<"$unit")"
done
check "the prober's socket is enabled" test -L "$dest/etc/systemd/system/sockets.target.wants/borderpath-probe.socket"
check "agent and collector are not: they want to be told whom they serve" none "${in[@]}" \
	find /etc/systemd/system/multi-user.target.wants -name 'borderpath-*'

# As by an upgrade: what the owner changed stays, and so does the capability.
echo "rate_pps 10" >"$dest/etc/borderpath/limits"
check "they install again" quietly "${install[@]}" --reinstall install "${inner[@]}"
check "over nobody's limits" is "$(cat "$dest/etc/borderpath/limits")" "rate_pps 10"
check "and the capability is still there" granted
rm "$dest/etc/borderpath/limits"
check "what was removed is not missed" quietly "${in[@]}" borderpath trace --dry-run -n 192.0.2.1

# --- measuring --------------------------------------------------------------------------------

"${in[@]}" useradd -m -G borderpath alice && "${in[@]}" useradd -m bob
part trace 300 tests/packaging/trace.sh "$dest"

# --- and gone ---------------------------------------------------------------------------------

# Their configuration, and what the package system writes of them.
left() { ours | grep -vE '^\./var/(lib/(dpkg|systemd|apt)|log|cache)/'; }
configuration() { (cd "$dest/etc" && find borderpath -type f | sort | xargs); }
check "removed" quietly "${install[@]}" remove borderpath borderpath-fleet
check "but for its configuration" is "$(configuration)" "borderpath/agent.conf borderpath/collect.conf"
mkdir -p "$dest/var/lib/borderpath"
echo "spooled" >"$dest/var/lib/borderpath/store.db"
check "purged" quietly "${install[@]}" purge borderpath borderpath-fleet
check "what was measured stays" is "$(cat "$dest/var/lib/borderpath/store.db")" "spooled"
rm -r "$dest/var/lib/borderpath"
check "and nothing else" none left

counted
