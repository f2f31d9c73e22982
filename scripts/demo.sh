#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/demo.sh - `make demo`: borderpath at work, without a vantage point. Raises a network of
# real kernel routers in namespaces, with two borders and the addresses that real traces towards
# North Korea show; traces all four /24s with the default profile; moves two of them from one border
# to the other; traces again; shows what changed; and runs a short campaign. No packet leaves the
# namespaces. Topology: tests/lab/topo_borders.sh. Records stay in build/demo/.

# shellcheck source-path=SCRIPTDIR/../tests/lab source=tests/lab/lab.sh
. "$(dirname "$0")/../tests/lab/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath

TARGETS=(175.45.176.71 175.45.177.10 175.45.178.3 175.45.179.1)
OUT=$LAB_BUILD/demo
bold='' plain=''
[[ ! -t 1 || -n ${NO_COLOR:-} ]] || bold=$'\e[1m' plain=$'\e[0m'

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

# Commands are shown as people would type them, and run with the paths of the build tree. TCP to
# port 80: the method that passes a real border's filter.
shown() { printf '   $ borderpath %s\n' "$*"; }
trace() { bp vp trace --vantage demo -T "$@"; }

# measure FILE: all four /24s into one file of JSON Lines. Eight probes a hop, so that RTTs can be
# compared; without the polite rates, which nobody needs between namespaces.
measure()
{
	shown "trace -T -q 8 --rate max --format jsonl -o ${1##*/} ${TARGETS[*]}"
	trace -q 8 --rate max -n --quiet --format jsonl -o "$1" "${TARGETS[@]}" || lab_die "borderpath trace failed"
	jq -r 'select(.type == "trace") | [.dst, .verdict.outcome, .verdict.border // "-",
		.verdict.via.org // "-", (.verdict.confidence // 0 | . * 100 | round),
		([.hops[].probes[].rtt_ms // empty] | max // 0 | round)] | @tsv' "$1" | sort |
		while IFS=$'\t' read -r dst outcome border org confidence rtt; do
			[[ $outcome == border ]] || border=$outcome
			printf '   %-16s %-13s %3d %%  %4d ms   %s\n' "${dst%.*}.0/24" "$border" \
				"$confidence" "$rtt" "$org"
		done
}

mkdir -p "$OUT"
[[ -z ${SUDO_UID:-} ]] || chown "$SUDO_UID:${SUDO_GID:-}" "$OUT"

say "A network in namespaces: kernel routers with the addresses of real traces"
sed -n '/^#    *\.-- d1/,/^#    *.-- s1/s/^#/  /p' "$LAB_DIR/topo_borders.sh"
borders_up silent
# The two ways differ as they do from the east coast of the US (FACTS, 2025-12).
delay d1 t3 282 && delay k1 t3 186 ||
	echo "   (this kernel cannot hold packets: no delays)"
[[ -e $LAB_BUILD/geodata/asn.mmdb ]] ||
	echo "   (no geo databases in build/geodata: names come from the profile alone)"

say "One trace, live"
shown "trace -T ${TARGETS[0]}"
trace "${TARGETS[0]}" || lab_die "borderpath trace failed"

say "Before: which border does each /24 take?"
measure "$OUT/before.jsonl"

say "175.45.176.0/24 and 175.45.177.0/24 move from Dandong to Khasan"
move_route 175.45.176.0/24 k
move_route 175.45.177.0/24 k

say "After"
measure "$OUT/after.jsonl"

say "What changed"
shown "diff before.jsonl after.jsonl"
"$BORDERPATH" diff "$OUT/before.jsonl" "$OUT/after.jsonl"
# As diff(1): 1 says that something changed.
rc=$?
((rc == 1)) || lab_die "borderpath diff: exit $rc, where 1 (changed) is right"

say "As a campaign: a round every 5 seconds, kept in a store; 175.45.176.0/24 moves back meanwhile"
cat >"$OUT/plan.yaml" <<-EOF
	campaign: demo
	vantage: {name: demo}
	every: 5s
	jitter: 0s
	rate_pps: max
	targets: [${TARGETS[0]}, ${TARGETS[1]}, ${TARGETS[2]}, ${TARGETS[3]}]
	method: tcp
	reference: [87.250.250.242]
	store: sqlite:$OUT/demo.db
EOF
rm -rf "$OUT"/demo.db*
shown "campaign run plan.yaml"
# shellcheck disable=SC2317  # wait_for calls it
rounds() { (($(wc -l <"$OUT/rounds.jsonl") >= $1)); }
lab_private || lab_die "refusing to probe outside a private namespace"
ip netns exec vp "$BORDERPATH" campaign run --quiet "$OUT/plan.yaml" >"$OUT/rounds.jsonl" &
campaign=$!
wait_for 30 rounds 1 || lab_die "no round of the campaign"
move_route 175.45.176.0/24 d
wait_for 30 rounds 3 || lab_die "no rounds of the campaign"
shown "campaign status plan.yaml"
"$BORDERPATH" campaign status "$OUT/plan.yaml" | sed "s|$OUT/||"
kill "$campaign"
wait "$campaign"
printf '\n   Records: %s\n' "${OUT#"$LAB_ROOT"/}"
exit 0
