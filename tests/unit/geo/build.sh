#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# geo/data/build.sh on small packages of our own, with an npm of our own: what it builds, that it
# builds the same bytes again, that a second run needs no npm, and that it refuses what does not
# have the pinned hash. No network.

set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/unit/counts.sh
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT

if ! perl -MMaxMind::DB::Writer::Tree -MText::CSV_XS -e1 2>/dev/null || ! command -v mmdblookup >/dev/null; then
	skip "MaxMind::DB::Writer or mmdblookup is not installed (scripts/deps.sh installs them)"
	counted
	exit
fi


# says CODE TEXT COMMAND...: ends with CODE and says one line that holds TEXT.
says() {
	local code=$1 text=$2 rc
	shift 2
	"$@" >"$box/out" 2>&1
	rc=$?
	[ "$rc" -eq "$code" ] && [ "$(wc -l <"$box/out")" -eq 1 ] && grep -qF "$text" "$box/out" && return
	echo "exit $rc: $(cat "$box/out")"
	return 1
}

# An npm that hands over what lies in $box/registry, or fails as npm does without a network.
mkdir -p "$box/bin" "$box/registry" "$box/src"
cat >"$box/bin/npm" <<EOF
#!/bin/sh
echo "\$*" >>"$box/npm.calls"
for spec; do :; done
name=\$(echo "\${spec%@*}" | tr -d @ | tr / -)-\${spec##*@}.tgz
cp "$box/registry/\$name" . 2>/dev/null && exit
echo "npm error code EAI_AGAIN" >&2
echo "npm error request to https://registry.example/ failed, reason: getaddrinfo EAI_AGAIN" >&2
exit 1
EOF
chmod +x "$box/bin/npm"
PATH=$box/bin:$PATH

# pack NAME FILE...: a tarball of the registry, and its line in the lock.
cp geo/data/build.sh geo/data/mkasn.pl "$box/src"
pack() {
	local tgz=$box/registry/ip-location-db-$1-1.2.2026010203.tgz
	tar -czf "$tgz" -C "$box/pkg" package
	echo "@ip-location-db/$1 1.2.2026010203 sha512-$(openssl dgst -sha512 -binary "$tgz" | base64 -w0)" \
		>>"$box/src/npm.lock"
}
mkdir -p "$box/pkg/package"
cat >"$box/pkg/package/asn-ipv4.csv" <<'EOF'
192.0.2.0,192.0.2.127,64500,"Quoted, ""Inc."""
192.0.2.64,192.0.2.255,64501,Täst
198.51.100.7,198.51.100.9,4294967295,Odd range
EOF
echo '2001:db8::,2001:db8::ffff:ffff:ffff:ffff,64502,Six' >"$box/pkg/package/asn-ipv6.csv"
pack asn
echo 'stands for the database' >"$box/pkg/package/geo-whois-asn-country.mmdb"
pack geo-whois-asn-country-mmdb

build=("$box/src/build.sh" "$box/out.d")
asn() { mmdblookup --file "$box/out.d/asn.mmdb" --ip "$1" "$2" 2>/dev/null | tr -d '\n'; }
holds() { [[ "$(asn "$1" "$2")" == *"$3"* ]] || { asn "$1" "$2"; return 1; }; }
nothing() { [ -z "$(asn "$1" autonomous_system_number)" ]; }
names() { (cd "$box/out.d" && find . -type f ! -name '.*' | sort | tr '\n' ' '); }

check "builds" says 0 "4 rows" "${build[@]}"
check "a quoted name" holds 192.0.2.1 autonomous_system_organization 'Quoted, "Inc."'
check "the later of two rows holds" holds 192.0.2.64 autonomous_system_number 64501
check "UTF-8 stays" holds 192.0.2.255 autonomous_system_organization Täst
check "the first address of a range that is no prefix" holds 198.51.100.7 autonomous_system_number 4294967295
check "the last" holds 198.51.100.9 autonomous_system_number 4294967295
check "one before" nothing 198.51.100.6
check "one past" nothing 198.51.100.10
check "IPv6" holds 2001:db8::1 autonomous_system_number 64502
check "dated as the data" grep -qF 2026-01-02 <(
	mmdblookup -v --file "$box/out.d/asn.mmdb" --ip 192.0.2.1)
check "the notice names the hash" grep -qF "$(sha256sum <"$box/out.d/asn.mmdb" | cut -d' ' -f1)" \
	"$box/out.d/NOTICE"

sum=$(sha256sum "$box/out.d/asn.mmdb")
: >"$box/npm.calls"
rm -rf "$box/registry.off" && mv "$box/registry" "$box/registry.off"
check "a second run does nothing" test -z "$("${build[@]}" 2>&1)"
rm "$box/out.d/asn.mmdb"
check "builds again without npm" says 0 "4 rows" "${build[@]}"
check "the same bytes" test "$sum" = "$(sha256sum "$box/out.d/asn.mmdb")"
check "npm was not asked" test ! -s "$box/npm.calls"
echo damaged >>"$box/out.d/ip-location-db-asn-1.2.2026010203.tgz"
rm "$box/out.d/asn.mmdb"
check "a damaged copy is not used" test "$("${build[@]}" 2>&1 | wc -l)" -eq 2
check "and is removed" test ! -e "$box/out.d/ip-location-db-asn-1.2.2026010203.tgz"
rm -rf "$box/out.d"
check "no npm, no copy: one line" says 1 "EAI_AGAIN" "${build[@]}"
check "and nothing half done" test -z "$(names)"
mv "$box/registry.off" "$box/registry"
echo x >>"$box/registry/ip-location-db-asn-1.2.2026010203.tgz"
check "what npm hands over is checked" says 1 "pinned hash" "${build[@]}"
check "and not kept" test -z "$(names)"

counted
