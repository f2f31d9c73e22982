#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/golden/packets/dissect.sh [--update] - read every golden packet with tcpdump, which shares no
# code with us: it must find all checksums right, and say what NAME.txt says. --update writes the
# NAME.txt files again. tcpdump's words differ between versions: other ones judge checksums only.

set -u
cd "$(dirname "$0")" || exit 1

written_with=4.99.3
# Quotes 28 bytes and pads them with zeros: the quoted checksum covers bytes that are not there.
padded=error-udp4-mpls-short
fault='bad (ip|udp|icmp6?)? ?(ck)?sum|incorrect|wrong|truncated|malformed|bogus|invalid'
mode=${1:-check}
if ! command -v tcpdump >/dev/null; then
	echo "tcpdump is not installed (scripts/deps.sh installs it)"
	echo "0 passed, 0 failed, $(find . -name '*.hex' | wc -l) skipped"
	exit 0
fi
version=$(tcpdump --version 2>&1 | sed -n 's/^tcpdump version \([0-9.]*\).*/\1/p')

# The packet of NAME.hex as a capture file of raw IP (link type 101).
pcap() {
	local hex
	hex=$(grep -v '^#' "$1" | tr -d ' \n')
	local n=$((${#hex} / 2)) size
	size=$(printf '%02x%02x0000' $((n % 256)) $((n / 256)))
	printf '%b' "$(echo "d4c3b2a1020004000000000000000000ffff000065000000""0000000000000000$size$size$hex" |
		sed 's/../\\x&/g')"
}

# -t: no stamps. -vv: checksums, extensions.
dissect() {
	pcap "$1" | tcpdump -n -vv -t -X -r - 2>/dev/null
}

passed=0 failed=0
for file in *.hex; do
	name=${file%.hex}
	text=$(dissect "$file")
	if [ "$mode" = --update ]; then
		printf '%s\n' "$text" >"$name.txt"
	fi
	if [ -z "$text" ]; then
		echo "$name: tcpdump reads nothing"
		failed=$((failed + 1))
	elif [ "$name" != $padded ] && grep -Ei "$fault" <<<"$text"; then
		echo "$name: tcpdump finds fault with it"
		failed=$((failed + 1))
	elif [ "$version" = "$written_with" ] && ! diff -u "$name.txt" - <<<"$text"; then
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
