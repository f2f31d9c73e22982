#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Disks that are full: the broker's and PostgreSQL's. Nothing that was announced is
# lost without a word, and everything goes on by itself once there is room again. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

disk()	# DIRECTORY SIZE
{
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2,mode=777" disk "$1" || lab_skip "no file system of a size can be made here"
}
# Until nothing fits any more.
fill() { dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null; }
room() { rm -f "$1/filler"; }

announced() { cat "$LAB_TMP"/vp*.out; }
ids() { jq -r .id | sort; }
centre() { lines_of "$STORE_URL" >"$LAB_TMP/centre"; }
# All that is announced by now, while more is.
asked() { announced | ids >"$LAB_TMP/asked"; }
there() { centre; [[ -z $(comm -23 "$LAB_TMP/asked" <(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort)) ]]; }
rounds_more() { (($(announced | wc -l) >= $1)); }
says() { tail -n "+$((LINES + 1))" "$LAB_TMP/$1.err" | grep -qE "$2"; }
# From here on, for says.
listen_to() { LINES=$(wc -l <"$LAB_TMP/$1.err"); }

# What systemd does for a broker (packaging/): it is looked at now and then, and what ended is started again.
look_at_broker()
{
	at centre "$LAB_ROOT/packaging/broker-check" "$LAB_TMP/b1.conf" "$LAB_TMP/b1.pid" 8 10 >>"$LAB_TMP/look"
	runs b1 || start b1
}

fleet_up 2
disk "$LAB_TMP/js.b1" 24m
disk "$LAB_TMP/pg" 160m
pg_make
start pg
wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
start b1
# shellcheck disable=SC2034  # of fleet.sh
COLLECT_OPTIONS=(--stream-bytes 128K)
start c1
deploy vp1 1s '[175.45.176.0/26]' 'attempts: 1' || lab_die "no plan for vp1"
deploy vp2 1s '[175.45.177.0/26]' 'attempts: 1' || lab_die "no plan for vp2"
start vp1
start vp2
wait_for 60 rounds_more 4 || not_ok "they measure: $(cat "$LAB_TMP"/vp*.err)"

# NAME: what was announced so far arrives, while NODE... are kept alive.
arrives()
{
	local name=$1
	local begin=$SECONDS
	asked
	wait_for 150 there_with "${@:2}" ||
		not_ok "$name: $(tail -n 3 "$LAB_TMP"/{c1,vp1,vp2,b1,pg}.err)"
	is "$name" "$(comm -23 "$LAB_TMP/asked" \
		<(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort) | wc -l)" 0
	echo "# $name: after $((SECONDS - begin)) s"
}
there_with()
{
	local n
	for n; do "$n"; done
	pg_answers && there
}
keep_pg() { runs pg || start pg; }
measuring_goes_on()
{
	local before
	before=$(announced | wc -l)
	wait_for 60 rounds_more $((before + 4)) || not_ok "measuring goes on while $1 is full"
}

# ---- PostgreSQL's disk
listen_to c1
fill "$LAB_TMP/pg"
wait_for 60 says c1 'No space left' ||
	not_ok "the collector says that the store is full: $(cat "$LAB_TMP/c1.err")"
measuring_goes_on "PostgreSQL's disk"
room "$LAB_TMP/pg"
arrives "with room for PostgreSQL all that was announced arrives" keep_pg

# ---- the stream's bound, and nobody who takes results off it
listen_to vp1
stop c1
wait_for 60 says vp1 'not sent.*maximum bytes' ||
	not_ok "the agent says that the stream is full: $(cat "$LAB_TMP/vp1.err")"
measuring_goes_on "the stream"
start c1
arrives "with a collector all that was announced arrives"

# ---- the broker's disk: Debian's nats-server 2.9.10 stands still for good once a write of its failed
listen_to vp1
look_at_broker
is "nothing is said of a broker that answers" "$(cat "$LAB_TMP/look")" ''
before=${P[b1]}
fill "$LAB_TMP/js.b1"
wait_for 60 says vp1 'not sent' || not_ok "the agent says that nothing is taken: $(cat "$LAB_TMP/vp1.err")"
measuring_goes_on "the broker's disk"
look_at_broker
is "a broker without room is left alone" "${P[b1]}" "$before"
is "and why is said" "$(grep -c '^0 MB are free' "$LAB_TMP/look")" 1
room "$LAB_TMP/js.b1"
arrives "with room for the broker all that was announced arrives" look_at_broker
is "once it was looked at" "$(grep -c "^nats-server .*: process $before is ended" "$LAB_TMP/look")" 1

centre
is "a round has the traces that it says" "$(rounds_unlike "$LAB_TMP/centre")" ''
is "and none is there twice" "$(jq -r 'select(.type == "trace").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
echo "# $(announced | wc -l) rounds announced, $(grep -c '"type":"round"' "$LAB_TMP/centre") in the store;" \
	"$(jq -s 'map(.traces) | add' <(announced)) traces announced, $(grep -c '"type":"trace"' \
	"$LAB_TMP/centre") in the store"
finish
