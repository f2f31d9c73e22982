#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/deb.sh - `make deb`: Debian packages of the tree as it stands, in build/deb, and what lintian
# says of them. Built in a copy of what git knows (or would), without network; the same tree gives the
# same bytes.
#
# LINTIAN=0: not that. What is missing is installed first (scripts/deps.sh build deb).

set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/deb

die() {
	echo "deb: $*" >&2
	exit 1
}

scripts/deps.sh build deb
version=$(sed -n 's/^VERSION := //p' Makefile)
[ "$version" = "$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)" ] ||
	die "packaging/debian/changelog is not of version $version"

rm -rf "$out"
mkdir -p "$out/borderpath-$version"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files -co --exclude-standard -z | while IFS= read -r -d '' f; do
		[ ! -e "$f" ] || printf '%s\0' "$f"
	done
else
	find . -path ./build -prune -o -path ./.git -prune -o -type f -print0
fi | tar -c --null -T - | tar -x -C "$out/borderpath-$version"
cd "$out/borderpath-$version"
cp -r packaging/debian debian
# Who builds may have a umask of his own; a package must not.
chmod -R u=rwX,go=rX .

# No log but of a failure, or with V=1.
build=(env DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc -jauto)
if [ "${V:-0}" = 1 ]; then
	"${build[@]}"
elif ! "${build[@]}" >"$out/build.log" 2>&1; then
	tail -n 30 "$out/build.log" >&2
	die "dpkg-buildpackage failed; all of it is in build/deb/build.log"
fi
cd "$out"
if [ "${LINTIAN:-1}" != 0 ]; then
	user=()
	# As root it warns that it is.
	[ "$(id -u)" -ne 0 ] || user=(--allow-root)
	lintian "${user[@]}" --fail-on error,warning --info ./*.changes || die "lintian has remarks"
fi
ls -1 ./*.deb | sed 's|^\./|build/deb/|'
