#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# 64 flows over a 4-way diamond that hashes ports: within a flow each TTL is one router, and every
# link between neighbouring TTLs is one that was wired. Topology: topo_diamond.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_diamond.sh"
lab_enter "$@"
need_borderpath

# invented DST: hop lists on stdin, one trace a line ("addr addr ..."): prints those that are no way
# through the diamond. A silent hop fits any router.
invented()
{
	awk -v ways="$(diamond_ways "$1")" '
		BEGIN { n = split(ways, way, "\n") }
		{
			fits = 0
			for (w = 1; w <= n && !fits; w++) {
				k = split(way[w], a, " ")
				if (k != NF)
					continue
				fits = 1
				for (i = 1; i <= k; i++)
					if ($i != a[i] && $i != "*")
						fits = 0
			}
			if (!fits)
				print
		}'
}

for kind in equal unequal; do
	diamond_up $kind
	for dst in 192.0.2.1 2001:db8:2::1; do
		for method in udp tcp icmp; do
			name="$kind $dst $method"
			out=$(trace_json vp -M $method --flows 64 --rate max "$dst")
			is "$name traces" "$(jq -r 'select(.type == "trace") | .flow' <<<"$out" |
				sort -n | uniq | wc -l)" 64
			rows=$(jq -r 'select(.type == "trace") |
				[.hops[] | [.probes[].from // empty] | unique |
				 if length == 0 then "*" else join(",") end] | join(" ")' <<<"$out")
			is "$name, two addresses at one TTL" "$(grep -c , <<<"$rows")" 0
			is "$name, links that do not exist" "$(invented "$dst" <<<"$rows")" ''
			ways=$(sort -u <<<"$rows" | grep -vc '\*')
			# ICMP has no ports: all its flows go one way. 64 flows over 4 equal ways
			# miss one with a chance below 1 in 10^7.
			if [[ $method == icmp ]]; then want='^1$'; else want='^4$'; fi
			like "$name, ways seen" "$ways" "$want"
			like "$name paths object" \
				"$(jq 'select(.type == "paths") | 1' <<<"$out" | wc -l)" '^1$'
		done
	done
	lab_reset
done

finish
