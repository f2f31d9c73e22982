#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Shared beginnings over whole prefixes: at least 35 % fewer probes, the same hops and the same
# verdict for every target; two borders at once share what lies before the branch; a route that
# moves in mid-run is noticed, and no trace mixes hops inherited from the old way with hops asked on
# the new one. Topology: topo_borders.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"
lab_enter "$@"
need_borderpath
borders_up silent

SENT=0
# measure FILE ARGS...: SENT becomes the probes of the run.
measure()
{
	local out=$LAB_TMP/$1
	shift
	trace_json vp --rate max "$@" >"$out"
	is "exit of $*" $? 0
	SENT=$(field .sent <"$out" | jq -s add)
}

# targets FILE WHAT: what is said of each target, in order.
targets() { jq -r "select(.type == \"trace\") | \"\\(.dst) \\($2)\"" "$LAB_TMP/$1" | sort -V; }
verdicts() { targets "$1" '.verdict | [.outcome, .border, .via.asn, .class, .rule]'; }
addresses() { targets "$1" '[.hops[] | [.ttl, ([.probes[].from // empty] | unique)]]'; }
inherited() { jq -c 'select(.inherited_from != null)' "$LAB_TMP/$1"; }

# compare MIN_PERCENT ARGS...: a run with sharing beside one without.
compare()
{
	local percent=$1 whole
	shift
	measure whole "$@"
	whole=$SENT
	measure shared "$@" --shared-beginnings
	echo "probes of $*: $whole whole, $SENT shared: $((100 - 100 * SENT / whole)) % fewer"
	is "$*: fewer probes by $percent %" $((100 * SENT <= (100 - percent) * whole)) 1
	is "$*: every target" "$(targets shared .target)" "$(targets whole .target)"
	is "$*: verdicts" "$(verdicts shared)" "$(verdicts whole)"
	is "$*: hops" "$(addresses shared)" "$(addresses whole)"
	is "$*: some inherit" $(($(inherited shared | wc -l) > 0)) 1
	# Of an inherited hop there is no departure and no time; the rest was asked.
	is "$*: inherited entries" "$(inherited shared | jq -r '.hops[].probes[] |
		select(.flags != null and (.flags | index("inherited"))) |
		"\(.tx_us) \(.rtt_ms) \(.attempt)"' | sort -u)" 'null null 1'
	is "$*: what was sent was asked" "$(inherited shared | jq -r '. as $t | [.hops[].probes[] |
		select((.flags // []) | any(. == "inherited" or . == "late" or . == "dup") | not)] |
		length == $t.sent' | sort -u)" true
	is "$*: they are another trace's" "$(inherited shared | jq -r .inherited_from | sort -u |
		grep -vxFf <(field .id <"$LAB_TMP/shared"))" ''
}

compare 35 -q 1 -I 175.45.176.0/24
compare 35 -q 3 -I 175.45.176.0/24
compare 35 -q 1 -U 175.45.178.0/24
compare 35 -q 1 -T 2001:db8:b0::/120
compare 30 -q 1 -U --flows 2 175.45.176.0/26

# Two borders at once, mixed: what is shared ends before the branch.
for ((i = 0; i < 48; i++)); do printf '175.45.%d.%d\n' 176 $i 178 $i; done >"$LAB_TMP/both"
compare 10 -q 1 -I "@$LAB_TMP/both"
is "two borders: what is inherited after both were seen" "$(inherited shared | tail -n 40 |
	jq -r '[.hops[] | select(.probes[0].flags | index("inherited")?) | .ttl] | max' |
	sort -u)" 2

# As text: marked, explained, and no loss where nothing was asked.
out=$(bp vp trace --profile "$LAB_DIR/lab.yaml" -n -I -q 1 --rate max --shared-beginnings \
	175.45.176.0/29)
like "text: marked" "$out" ' 2  66\.110\.96\.13 [^%]*inherited'
like "text: explained" "$out" 'Hops marked inherited were not asked in this trace'

# A route moves while the run goes. The reader of its output holds the run: the child has only
# lines that were handed out so far.
mkfifo "$LAB_TMP/pipe"
trace_json vp -I -q 1 --rate max --shared-beginnings 175.45.176.0/24 >"$LAB_TMP/pipe" &
pid=$!
exec 5<"$LAB_TMP/pipe"
for ((i = 0; i < 30; i++)); do read -r line <&5; echo "$line"; done >"$LAB_TMP/moved"
move_route 175.45.176.0/24 k
moved=$(date -u +%Y-%m-%dT%H:%M:%S.%N)
cat <&5 >>"$LAB_TMP/moved"
wait $pid
is "moved: exit" $? 0
is "moved: every target once" "$(field .dst <"$LAB_TMP/moved" | sort | uniq -c |
	awk '{ print $1 }' | uniq -c | xargs)" "256 1"
is "moved: hops inherited from one way, asked on the other" "$(inherited moved | jq -r '
	def way: if test("^219\\.158\\.") then "d" elif test("^(80\\.81|217\\.150|188\\.43)\\.") or
		. == "10.99.99.9" then "k" else empty end;
	([.hops[].probes[] | select(.flags | index("inherited")?) | .from // empty | way]) as $old |
	([.hops[].probes[] | select((.flags // []) | index("inherited") | not) | .from // empty |
		way]) as $asked |
	select(($old | length) > 0 and ($old + $asked | unique | length) > 1) | .dst')" ''
is "moved: verdicts that name another way" "$(outcome <"$LAB_TMP/moved" | sort -u |
	grep -vE '^(dandong|khasan|mixed|undetermined)$')" ''
after=$(jq -c --arg moved "$moved" 'select(.type == "trace" and .start > $moved)' "$LAB_TMP/moved")
is "moved: some begin after it" $(($(wc -l <<<"$after") > 40)) 1
is "moved: verdicts after it" "$(outcome <<<"$after" | sort -u)" khasan
is "moved: what the new way shares is inherited again" \
	"$(jq -r '[.hops[].probes[] | select(.flags | index("inherited")?) | .from] |
		if index("217.150.57.98") then "yes" else empty end' <<<"$after" | sort -u)" yes

# Stopped in the middle: what was measured is there, once.
move_route 175.45.176.0/24 d
env --default-signal=INT ip netns exec vp "$BORDERPATH" trace --profile "$LAB_DIR/lab.yaml" -n -I \
	-q 1 --rate max --shared-beginnings --format jsonl 175.45.176.0/24 >"$LAB_TMP/pipe" &
pid=$!
exec 5<"$LAB_TMP/pipe"
for ((i = 0; i < 30; i++)); do read -r line <&5; echo "$line"; done >"$LAB_TMP/cut"
kill -INT $pid
cat <&5 >>"$LAB_TMP/cut"
wait $pid
is "cut: exit" $? 3
is "cut: no target twice" "$(field .dst <"$LAB_TMP/cut" | sort | uniq -d)" ''

finish
