#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a store can do to a campaign: the disk fills in the middle of a round, everything is read-only,
# the file is cut short by half a page. It is told once and clearly, measuring goes on into the spool,
# and in the end every round is in the store, once, with all its traces. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
borders_up talking

DISK=$LAB_TMP/disk
STORE=$DISK/store.db
all=$LAB_TMP/all
mkdir "$DISK"
mount -t tmpfs -o size=3m disk "$DISK" || lab_skip "cannot mount a tmpfs"
plan kept 1s

# whole: every round announced is in the store with its traces, none twice, no slot without a row.
whole()
{
	is "$1: announced rounds are in the store" "$(comm -23 <(jq -r .id "$all" | sort) \
		<(in_store "SELECT round_id FROM rounds" | sort))" ''
	is "$1: with all their traces" "$(comm -23 \
		<(jq -r 'select(.traces > 0) | "\(.id) \(.traces)"' "$all" | sort) \
		<(in_store "SELECT round_id || ' ' || count(*) FROM traces GROUP BY round_id" | sort))" ''
	is "$1: none is announced twice" "$(jq -r .id "$all" | sort | uniq -d)" ''
	is "$1: no slot without a row" "$(in_store "SELECT count(*) -
		(strftime('%s', max(planned_utc)) - strftime('%s', min(planned_utc)) + 1) FROM rounds")" 0
	is "$1: the store is sound" "$(in_store 'PRAGMA integrity_check')" ok
}

# 1. Full: not a byte is left, for the store or for the spool.
start_campaign kept
wait_for 10 measured 2 || not_ok "it begins: $(cat "$ERR")"
head -c 4M /dev/zero >"$DISK/ballast" 2>/dev/null
wait_for 10 told 'rounds wait in the spool, and measuring goes on' ||
	not_ok "a full disk is told: $(cat "$ERR")"
before=$(wc -l <"$OUT")
sleep 2.5
is "full: nothing is announced" "$(wc -l <"$OUT")" "$before"
is "full: told once" "$(grep -c 'rounds wait in the spool' "$ERR")" 1
rm "$DISK/ballast"
wait_for 10 told 'takes rounds again' || not_ok "the store is back: $(cat "$ERR")"
wait_for 10 announced $((before + 3)) || not_ok "what waited is announced"
stop_campaign
is "full: exit" $? 0
cat "$OUT" >>"$all"
is "full: nothing was missed" "$(jq -r 'select(.missed > 0) | "\(.id) \(.why)"' "$OUT")" ''
whole full

# 2. Read-only: store, spool and lock. (The daemon has a view of the mounts of its own, ip-netns(8).)
mount --bind "$DISK" "$DISK" || lab_die "no bind mount"
mount -o remount,bind,ro "$DISK" || lab_die "no read-only mount"
start_campaign kept
wait_for 10 told 'read-only.*rounds wait in the spool' ||
	not_ok "a read-only store is told: $(cat "$ERR")"
sleep 2.2
is "read-only: nothing is announced" "$(wc -l <"$OUT")" 0
nsenter -t "$DAEMON" -m mount -o remount,bind,rw "$DISK"
wait_for 10 measured 3 || not_ok "the store is back: $(cat "$ERR")"
stop_campaign
umount "$DISK"
cat "$OUT" >>"$all"
whole read-only

# 3. Cut short by half a page.
truncate -s -2048 "$STORE"
start_campaign kept
wait_for 10 told 'campaign recover' || not_ok "a damaged store is told: $(cat "$ERR")"
wait_for 10 compgen -G "$STORE.spool/kept-vp/*.jsonl" || not_ok "rounds wait in the spool"
bp vp campaign recover "$LAB_TMP/kept.yaml" >"$LAB_TMP/said" 2>&1
is "recover waits until nobody uses it" "$? $(grep -c 'stop it first' "$LAB_TMP/said")" '1 1'
stop_campaign
is "damaged: nothing is announced" "$(jq -r 'select(.start) | .id' "$OUT")" ''
cat "$OUT" >>"$all"
bp vp campaign recover "$LAB_TMP/kept.yaml" >"$LAB_TMP/said" 2>&1
like "recover: exit" "$?" '^[03]$'
like "recover says what came of it" "$(cat "$LAB_TMP/said")" 'Put back from the spool: [0-9]+ rounds?'
is "the damaged file is put aside" "$(compgen -G "$STORE.damaged-20*Z" | wc -l)" 1
start_campaign kept
wait_for 10 measured 2 || not_ok "it goes on: $(cat "$ERR")"
stop_campaign
cat "$OUT" >>"$all"
whole damaged

finish
