#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The built databases give known answers, and say when their data is from. The facts below were
# looked up in the pinned npm packages themselves (version 2.3.2026061719, the CSV rows and the
# country MMDB), 2026-11; "-" is no entry.

set -eu
cd "$(dirname "$0")/../../.."
data=build/geodata
passed=0
failed=0

for need in "$data/asn.mmdb" "$data/country.mmdb"; do
	[ -s "$need" ] || {
		echo "$need is not there (make geodata)"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	}
done
command -v mmdblookup >/dev/null || {
	echo "mmdblookup is not installed (scripts/deps.sh installs it)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

# value DATABASE ADDRESS KEY: the bare value, or "-".
value() {
	mmdblookup --file "$data/$1.mmdb" --ip "$2" "$3" 2>/dev/null |
		sed -nE 's/^ *"?([^"]*)"? <[a-z0-9_]+>$/\1/p' | grep . || echo -
}

expect() {
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		echo "$1: \"$2\", expected \"$3\""
		failed=$((failed + 1))
	fi
}

while read -r address asn country why; do
	expect "$address asn ($why)" "$(value asn "$address" autonomous_system_number)" "$asn"
	expect "$address country ($why)" "$(value country "$address" country_code)" "$country"
done <<'EOF'
175.45.176.1 131279 KP the network itself
175.45.178.3 131279 KP another of its /24; one free database says IT here
210.52.109.1 9929 CN often called North Korean, and Unicom's
219.158.39.42 4837 CN Unicom's backbone, the last outside hop
219.158.3.1 4837 CN Unicom's backbone
188.43.3.213 20485 RU TransTeleCom's backbone
217.150.57.98 20485 RU TransTeleCom's backbone
10.99.99.9 - - a private address has no owner
103.35.255.254 - HK Cenbong's router at the border: in no table of AS numbers
2001:4860:4860::8888 15169 US the IPv6 half of the same tree
fd00::1 - - a private address has no owner
EOF

expect "name of AS131279" "$(value asn 175.45.177.10 autonomous_system_organization)" \
	"Star Joint Venture Co. Ltd."

about() {
	mmdblookup --verbose --file "$data/asn.mmdb" --ip 175.45.176.1 | sed -nE "s/^ *$1: +//p"
}
expect "asn.mmdb's date is the data's, not the build's" "$(about 'Build epoch')" \
	"1781722800 (2026-06-17 19:00:00 UTC)"
expect "asn.mmdb holds both families" "$(about 'IP version')" IPv6
expect "asn.mmdb carries the licence notice" \
	"$(about en | grep -c 'CC BY 4.0: Route Views .*, DB-IP .*, NRO ')" 1

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
