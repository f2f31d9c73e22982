#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Three things that look alike from far away, each told for what it is: a host that died in a prefix
# that lives (another one takes its place), a vantage point whose upstream changed, and a vantage point
# that is offline: nothing of that is an outage of the target. Topology: topo_borders.sh, and m1 beside
# it: another provider of the vantage point's (Telia, AS1299).

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"

# The topology raises itself: m1 comes in just before.
eval "raise_$(declare -f lab_raise)"
lab_raise()
{
	router m1 80.91.246.1 2001:db8:3::1
	link t1 m1
	link m1 t3
	route m1 175.45.176.0/22 t3
	route m1 87.250.250.0/24 t3
	route m1 default t1
	raise_lab_raise
}
borders_up talking

# last FILTER: of the latest round that was measured.
last() { jq -r "select(.start) | $1" "$OUT" | tail -n 1; }
last_is() { [[ $(last "$1") == "$2" ]]; }

plan watch 2s $'targets:\n  - {hosts: [175.45.176.71, 175.45.176.72, 175.45.176.73], name: web}
  - 175.45.178.3\nreference: [87.250.250.242]\nattempts: 1\nwait: 200ms\ngap_limit: 3'
start_campaign watch
wait_for 10 measured 2 || not_ok "it begins: $(cat "$ERR")"
is "healthy" "$(last .health.state)" ok
is "it knows who carries it" "$(last .identity.egress.asn)" 6453
is "nothing changed" "$(last '.identity.changed // "no"')" no

# 1. A dead host in a living prefix.
cut_host()
{
	lab_nft nk lab_dead "${1:-}" <<-'EOF'
		chain in { type filter hook prerouting priority -300;
			ip daddr 175.45.176.71 drop
		}
	EOF
}
cut_host
wait_for 15 last_is '.substitutes[0].to // ""' 175.45.176.72 ||
	not_ok "a dead host is substituted: $(tail -n 2 "$OUT")"
like "on the record" "$(jq -c 'select(.substitutes) | .substitutes[0]' "$OUT" | head -n 1)" \
	'"from":"175.45.176.71","to":"175.45.176.72"'
is "nothing is missed by it" "$(last .missed)" 0
cut_host off

# 2. The upstream changes.
route t1 175.45.176.0/22 m1
route t1 87.250.250.0/24 m1
wait_for 10 last_is .identity.egress.asn 1299 || not_ok "the new upstream is seen: $(tail -n 1 "$OUT")"
like "the round says that it changed" "$(jq -c 'select(.identity.changed) | .identity.changed' "$OUT" |
	tail -n 1)" 'egress'
is "it is healthy all the while" "$(last .health.state)" ok

# 3. Offline: neither the reference nor a target answers.
cut_path m1 0.0.0.0/0
wait_for 25 last_is .health.state offline || not_ok "offline is told: $(tail -n 1 "$OUT")"
is "no other host is blamed" "$(jq -r '.substitutes[]? | "\(.from) \(.to)"' "$OUT" | sort -u)" \
	'175.45.176.71 175.45.176.72'
cut_path m1 off
wait_for 25 last_is .health.state ok || not_ok "it is back: $(tail -n 1 "$OUT")"
is "and is who it was" "$(last .identity.egress.asn)" 1299

# 4. No route at all: the kernel says so, and so does the round.
ip -n vp route del 0.0.0.0/0
wait_for 10 last_is .why no_route || not_ok "no route is told: $(tail -n 1 "$OUT")"
is "all of it is missed" "$(last '.done')" 0
stop_campaign
is "exit" $? 0

finish
