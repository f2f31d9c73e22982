#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# geo/data/build.sh OUTDIR - the free databases: OUTDIR/asn.mmdb, country.mmdb and NOTICE.
#
# Fetches the npm packages pinned in npm.lock, checks their hashes, keeps the tarballs in OUTDIR
# (a second run needs no network), and moves finished files into place, never half of one.
# Does nothing when OUTDIR already holds what this script would build.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
lock=$here/npm.lock

die() {
	echo "geodata: $*" >&2
	exit 1
}

[ $# -eq 1 ] || die "usage: geo/data/build.sh OUTDIR"
mkdir -p "$1" || die "cannot create $1"
out=$(cd "$1" && pwd)

# Two makes may run at once; the second waits, and then finds the work done.
exec 9>"$out/.lock"
flock 9

# What the result depends on, as one string: the pins and the two programs.
recipe=$(cat "$lock" "$here/mkasn.pl" "$here/build.sh" | sha256sum | cut -d' ' -f1)
if [ -s "$out/asn.mmdb" ] && [ -s "$out/country.mmdb" ] && [ -s "$out/NOTICE" ] &&
	[ "$(cat "$out/.recipe" 2>/dev/null)" = "$recipe" ]; then
	exit 0
fi

command -v perl >/dev/null || die "perl is missing (scripts/deps.sh installs it)"
perl -MMaxMind::DB::Writer::Tree -MText::CSV_XS -MDigest::SHA -e1 2>/dev/null ||
	die "Perl's MaxMind::DB::Writer or Text::CSV_XS is missing (scripts/deps.sh installs them)"

tmp=$(mktemp -d "$out/.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM

# node brings its own list of authorities; a network may have one that only the machine knows.
# What is fetched is checked against its pinned hash in any case.
if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r /etc/ssl/certs/ca-certificates.crt ]; then
	export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
fi

integrity_of() {
	perl -MDigest::SHA -e 'my $d = Digest::SHA->new(512)->addfile($ARGV[0], "b");
		my $b = $d->b64digest; $b .= "=" while length($b) % 4; print "sha512-$b"' "$1"
}

# The one line of npm's many that tells why.
npm_reason() {
	sed -nE 's/^npm (ERR!|error) (code|.* reason:) //p' "$tmp/npm.err" | tail -n 1
}

# fetch PACKAGE: leaves the path of its verified tarball in $tarball, its version in $version.
fetch() {
	# shellcheck disable=SC2046 # three words, none with a blank
	set -- "$1" $(awk -v p="$1" '$1 == p {print $2, $3}' "$lock")
	[ $# -eq 3 ] || die "$1 is not pinned in $lock"
	version=$2
	# npm's own naming: @scope/name becomes scope-name
	tarball=$out/$(echo "$1" | tr -d @ | tr / -)-$2.tgz

	if [ -f "$tarball" ] && [ "$(integrity_of "$tarball")" != "$3" ]; then
		echo "geodata: $(basename "$tarball") is damaged, fetching it again" >&2
		rm -f "$tarball"
	fi
	[ -f "$tarball" ] && return

	command -v npm >/dev/null || die "npm is missing (scripts/deps.sh installs it)"
	# From an empty directory, so that no project's .npmrc has a say.
	(cd "$tmp" && timeout 300 npm pack --loglevel=error --prefer-offline --fetch-retries=1 \
		--fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 --fetch-timeout=60000 \
		"$1@$2" >npm.out 2>npm.err </dev/null) ||
		die "npm cannot fetch $1@$2 ($(npm_reason)), and no copy is kept in $out"
	got=$tmp/$(basename "$tarball")
	[ -f "$got" ] || die "npm pack left no $(basename "$tarball")"
	[ "$(integrity_of "$got")" = "$3" ] ||
		die "$1@$2 does not have the pinned hash; not using it"
	mv "$got" "$tarball"
}

fetch @ip-location-db/asn
asn_version=$version
# 2.3.2026061719: the date and hour the data was gathered, UTC
stamp=${version##*.}
epoch=$(date -u -d "$(echo "$stamp" | sed -E 's/^(....)(..)(..)(..)$/\1-\2-\3 \4:00/')" +%s) ||
	die "no date in version $version"
tar -xzf "$tarball" -C "$tmp" package/asn-ipv4.csv package/asn-ipv6.csv ||
	die "$(basename "$tarball") lacks the files expected in it"
# Perl orders its hashes at random; a fixed seed makes the same data the same bytes, so that the
# hash a record carries names the data and not the run.
PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 perl "$here/mkasn.pl" "$epoch" \
	"IP to AS number, CC BY 4.0: Route Views (routeviews.org), DB-IP (db-ip.com), NRO (nro.net); @ip-location-db/asn $version" \
	"$tmp/asn.mmdb" "$tmp/package/asn-ipv4.csv" "$tmp/package/asn-ipv6.csv" >"$tmp/rows"

fetch @ip-location-db/geo-whois-asn-country-mmdb
country_version=$version
tar -xzf "$tarball" -C "$tmp" package/geo-whois-asn-country.mmdb ||
	die "$(basename "$tarball") lacks the file expected in it"
mv "$tmp/package/geo-whois-asn-country.mmdb" "$tmp/country.mmdb"

sha256_of() {
	sha256sum "$1" | cut -d' ' -f1
}
cat >"$tmp/NOTICE" <<EOF
The databases in this directory and where they come from. Built by geo/data/build.sh.

asn.mmdb
  from      npm package @ip-location-db/asn $asn_version (asn-ipv4.csv, asn-ipv6.csv)
  licence   CC BY 4.0, https://creativecommons.org/licenses/by/4.0/
            Route Views (https://www.routeviews.org/),
            IP Geolocation by DB-IP (https://db-ip.com/), NRO (https://www.nro.net/)
  changes   ranges written as one MMDB tree; where two rows overlap the later one holds
  sha256    $(sha256_of "$tmp/asn.mmdb")

country.mmdb
  from      npm package @ip-location-db/geo-whois-asn-country-mmdb $country_version, unchanged
  licence   CC0-1.0 by its package.json; made from the statistics of the five regional
            registries, CC BY 4.0, NRO (https://www.nro.net/)
  sha256    $(sha256_of "$tmp/country.mmdb")

Tarballs (sha512, as pinned in geo/data/npm.lock)
$(grep -v '^#' "$lock" | sed 's/^/  /')

The publisher announces in the packages that their data has known errors and that updates
through npm will end. borderpath prints the build date, and warns when it is old.
EOF

chmod 0644 "$tmp"/*.mmdb "$tmp/NOTICE"
touch "$tmp"/*.mmdb # npm's tarballs are dated 1985; make(1) looks at this
for f in asn.mmdb country.mmdb NOTICE; do
	mv "$tmp/$f" "$out/$f"
done
echo "$recipe" >"$out/.recipe"
echo "geodata: asn.mmdb ($(cat "$tmp/rows")), country.mmdb, data of $(date -u -d "@$epoch" +%Y-%m-%d)"
