#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# 1 October 2017 as Dyn told it (2017-10-02), 20 minutes a second, under a running campaign: the
# second way in appears for three of four prefixes (09:07:51), goes (10:14:45), everything is unstable
# with four brief outages of all (10:47 to 12:26), it comes back (12:21:55). LAB_LONG=1 goes on to the
# next day, when .176 (07:56:39) and .179 (09:10:29) leave it. Routes are really moved. Every change
# is found, bracketed by at most two rounds; nothing else is told but the unstable time itself; a
# webhook receiver that is killed and restarted gets every event, by one id. Topology: topo_borders.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/campaign.sh"
campaign_enter "$@"
command -v perl >/dev/null || lab_skip "perl is not installed"
borders_up talking
# All by China, as it was.
for p in 178 179; do move_route "175.45.$p.0/24" d; done

told=$LAB_TMP/told
: >"$told"
receiver() { ip netns exec vp "$LAB_DIR/receiver.pl" 8099 "$told" & RECEIVER=$!; }
receiver

plan timeline 1s $'targets: [175.45.176.71, 175.45.177.10, 175.45.178.3, 175.45.179.1]'
cat >>"$LAB_TMP/timeline.yaml" <<-YAML
	attempts: 1
	wait: 200ms
	gap_limit: 3
	events: {flapping: 3s}
	on_event: {every: 1s, for: 3s}
	alerts: {webhook: {url: "http://127.0.0.1:8099/hook"}}
YAML
start_campaign timeline
wait_for 30 measured 6 || not_ok "rounds: $(cat "$ERR")"

# --- what happens -----------------------------------------------------------------------------------

moves=$LAB_TMP/moves	# PREFIX FROM TO BEFORE AFTER
moment() { date -u +%FT%T.%NZ; }	# as events have it: texts in the order of time
: >"$moves"
move()	# BRANCH PREFIX...: on the record
{
	local to=$1 p before
	shift
	for p; do
		before=$(moment)
		move_route "175.45.$p.0/24" "$to"
		echo "$p $([[ $to == k ]] && echo dandong khasan || echo khasan dandong)" \
			"$before $(moment)" >>"$moves"
	done
}
# until HH:MM[:SS] [DAY]: waits for that moment of the history, where 09:07:51 was at `zero`.
until_moment()
{
	local h m s wait
	IFS=: read -r h m s <<<"$1:0"
	s=${s%%:*}
	wait=$(((((${2:-0} * 24 + 10#$h) * 60 + 10#$m) * 60 + 10#$s - 32871) * 1000000 / 1200 -
		(${EPOCHREALTIME/./} - zero)))
	((wait <= 0)) || sleep "$((wait / 1000000)).$(printf %06d $((wait % 1000000)))"
}
outage() { cut_path t2 175.45.176.0/22; }

zero=${EPOCHREALTIME/./}
move k 176 178 179
until_moment 10:14:45
move d 176 178 179
# The receiver is gone while the next alerts come.
kill -KILL $RECEIVER
wait $RECEIVER 2>/dev/null
until_moment 10:47
unstable=$(moment)
for t in 10:55 11:20 11:50 12:10; do
	until_moment $t
	outage
	sleep 0.25
	cut_path t2 off
	for p in 176 178 179; do
		move_route "175.45.$p.0/24" "$([[ $t == 10:55 ]] && echo k || echo d)"
	done
done
until_moment 12:21:55
move k 176 178 179
until_moment 12:26
stable=$(moment)
receiver
if [[ -n ${LAB_LONG:-} ]]; then
	until_moment 07:56:39 1
	move d 176
	until_moment 09:10:29 1
	move d 179
fi
# What comes last is confirmed too, and what was unstable is over.
sleep 7

# --- what was found ---------------------------------------------------------------------------------

events=$LAB_TMP/events
list() { bp vp events --profile "$LAB_DIR/lab.yaml" --flapping 3s --format jsonl "$@" "sqlite:$STORE"; }
alerts_are_told()
{
	list >"$events" 2>/dev/null && [[ -z $(comm -23 \
		<(jq -r 'select(.type == "event" and .status != "provisional") | .id[:19]' "$events" |
			sort -u) <(jq -r '.id[:19]' "$told" | sort -u)) ]]
}
wait_for 40 alerts_are_told || not_ok "alerts that were not told: $(comm -23 \
	<(jq -r '.id[:19]' "$events" | sort -u) <(jq -r '.id[:19]' "$told" | sort -u))"
stop_campaign
is "exit" $? 0
list >"$events" 2>"$LAB_TMP/err"
is "borderpath events" $? 0
[[ ! -s $LAB_TMP/err ]] || cat "$LAB_TMP/err"

# Rounds of the schedule that were under way between two moments.
rounds_between()
{
	in_store "SELECT count(*) FROM rounds WHERE NOT look AND start_utc IS NOT NULL AND
		end_utc > '$1' AND start_utc < '$2'"
}
known=$LAB_TMP/known
: >"$known"
while read -r prefix from to before after; do
	found=0
	while read -r id first last; do
		[[ ! $first > $after && ! $last < $before ]] || continue
		found=$((found + 1))
		echo "$id" >>"$known"
		n=$(rounds_between "$first" "$last")
		((n <= 2)) && ok "bracketed by $n rounds" ||
			not_ok "$prefix to $to: $n rounds from $first to $last"
	done < <(jq -r --arg p "175.45.$prefix.0/24" --arg f "$from" --arg t "$to" \
		'select(.kind == "border_switch" and .prefix == $p and .from == $f and .to == $t) |
		"\(.id) \(.not_before) \(.not_after)"' "$events")
	is "$prefix from $from to $to at ${before:11:12}" $found 1
done <"$moves"
while read -r id kind first last; do
	grep -qx "$id" "$known" && continue
	[[ ! $last < $unstable && ! $first > $stable ]] ||
		not_ok "nothing else is told: $kind, $first to $last: $(jq -c --arg i "$id" \
			'select(.id == $i) | {prefix, from, to, summary}' "$events")"
done < <(jq -r 'select(.type == "event") | "\(.id) \(.kind) \(.not_before) \(.not_after)"' "$events")

# What was told is in the store, by that id; one id is one event.
list --all | jq -r .id | sort -u >"$LAB_TMP/ids"
is "told what is not in the store" "$(jq -r .id "$told" | sort -u | comm -23 - "$LAB_TMP/ids")" ''
is "one id, two events" "$(sort -u "$told" | jq -r .id | sort | uniq -d)" ''
looks=$(in_store "SELECT count(*) FROM rounds WHERE look")
like "closer looks ($looks), whole or cut, are no gaps" "$looks" '^[1-9]'
is "and as announced" "$(jq -r 'select(.look) | .id' "$OUT" | wc -l)" "$looks"
is "no look is on a slot" "$(in_store "SELECT count(*) FROM rounds WHERE look AND
	planned_utc LIKE '%.000000000Z'")" 0

# --- what is published ------------------------------------------------------------------------------

pages=$LAB_TMP/pages shots=$LAB_TMP/shots
mkdir "$pages" "$shots"
first=$(head -n 1 "$moves" | cut -d' ' -f5)
around=(diff --profile "$LAB_DIR/lab.yaml" --at "$first" --before 3s --after 3s)
bp vp report --profile "$LAB_DIR/lab.yaml" --format html -o "$pages/report.html" "sqlite:$STORE"
is "report, as a page" $? 0
bp vp events --profile "$LAB_DIR/lab.yaml" --flapping 3s --format html -o "$pages/events.html" "sqlite:$STORE"
is "events, as a page" $? 0
bp vp "${around[@]}" "sqlite:$STORE" >"$LAB_TMP/diff" 2>"$LAB_TMP/err"
is "diff around the first move says that it changed" $? 1
like "and where, all three in one sentence" "$(head -n 1 "$LAB_TMP/diff")" \
	'three of the four networks of .*, namely 175.45.176.0/24, 175.45.178.0/24 and 175.45.179.0/24, moved from'
bp vp "${around[@]}" --format html -o "$pages/diff.html" "sqlite:$STORE"
is "diff, as a page" $? 1
like "its headline is that sentence" "$(grep '<h1>' "$pages/diff.html")" \
	'<h1>Three of four networks of .* moved from .*China.* to .*TransTeleCom'
# What a reader's browser makes of them: no word on the console, nothing fetched, nothing overlapping.
looked=$(timeout 250 "$LAB_DIR/../page/pages.sh" "$pages" "$shots" 2>&1)
is "pages in a browser" $? 0
grep -v ' passed, ' <<<"$looked"
[[ $looked != *' not installed '* ]] || skip "pages in a browser: some of what it takes is missing"
if [[ -n ${LAB_KEEP:-} ]]; then
	cp "$STORE" "$events" "$moves" "$told" "$LAB_KEEP/"
	cp -r "$pages" "$shots" "$LAB_KEEP/"
fi
finish
