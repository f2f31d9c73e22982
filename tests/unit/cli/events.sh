#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# events end to end on rounds written by rounds.pl: what is told, once, and the exit code. Nothing is
# sent; the profile names its carriers by prefix, so that no database is needed.

# shellcheck disable=SC2154  # dir, t0 and borderpath are the bed's
# shellcheck source=tests/unit/cli/changes_bed.sh
. "$(dirname "$0")/changes_bed.sh"

events()
{
	local want=$1
	shift
	run "$want" events "$@"
}

# told: kind, status, prefix, from, to and how many saw it, of each line of the output.
told() {
	jq -r '[.kind, .status, .prefix // "-", .from // "-", .to // "-",
		"\(.seen_by)/\(.seen_of)"] | join(" ")' "$dir/out"
}

# --- what happened ---------------------------------------------------------------------------------
rounds fra1 $t0 24 >"$dir/quiet"
rounds fra1 $t0 24 12-23:10:east >"$dir/switch"
rounds sin1 $((t0 + 60)) 24 12-23:10:east >"$dir/switch2"
rounds fra1 $t0 24 8-12:all:silent >"$dir/outage"
rounds fra1 $t0 24 8-12:all:missed 18-19:all:offline >"$dir/gaps"

events 0 "$dir/quiet"
same "no change is stated, with what would have been seen" 1 \
	"$(grep -c 'No change seen .* would have been seen with 90 % probability' "$dir/out")"
events 0 --format jsonl "$dir/quiet"
same "no change is no line" "" "$(cat "$dir/out")"
events 0 --format jsonl "$dir/gaps"
same "rounds that were missed and a vantage point that was offline are no outage of the target" "" \
	"$(jq -r 'select(.scope != "vantage") | .kind' "$dir/out")"
same "but the vantage point's own" "recovery resolved vantage_down" \
	"$(jq -r 'select(.scope == "vantage") | [.kind, .status, .outage] | join(" ")' "$dir/out")"

events 0 --format jsonl "$dir/switch"
same "a switch" "border_switch confirmed 198.18.10.0/24 west east 1/1" "$(told | grep switch)"
same "a switch lies between the rounds around it" true "$(jq -s --arg a "$(date -ud @$((t0 + 11 * 900)) +%FT%T)" \
	--arg b "$(date -ud @$((t0 + 12 * 900 + 10)) +%FT%T)" \
	'map(select(.kind == "border_switch"))[0] | .not_before >= $a and .not_after <= $b' "$dir/out")"
cp "$dir/out" "$dir/once"
events 0 --format jsonl "$dir/switch"
same "read again it has the same ids" "" "$(diff "$dir/once" "$dir/out")"
events 0 "$dir/switch"
same "a sentence for people" 1 "$(tr '\n' ' ' <"$dir/out" | grep -c 'moved from Westnet')"

events 0 --format jsonl "$dir/switch" "$dir/switch2"
same "two vantage points, one event" "border_switch confirmed 198.18.10.0/24 west east 2/2" \
	"$(told | grep switch)"
cp "$dir/out" "$dir/once"
events 0 --format jsonl "$dir/switch2" "$dir/switch"
same "whatever the order of files" "" "$(diff "$dir/once" "$dir/out")"
sort "$dir/switch" "$dir/switch2" >"$dir/shuffled"
split -n l/3 "$dir/shuffled" "$dir/part."
events 0 --format jsonl "$dir/part.ac" "$dir/part.aa" "$dir/part.ab" "$dir/switch2"
same "whatever the order in files, each record once" "" "$(diff "$dir/once" "$dir/out")"
timeout 60 "$borderpath" events --format jsonl --profile "$dir/profile.yaml" - <"$dir/switch" >"$dir/out" 2>"$dir/err"
same "stdin" 1 "$(told | grep -c switch)"

events 0 --format jsonl "$dir/outage"
same "an outage that is over" "1 resolved" "$(jq -r '.kind + " " + .status' "$dir/out" |
	grep -E 'outage|recovery' | sed 's/.* /1 /')"
events 0 --format jsonl --all "$dir/outage"
same "with all its revisions" true "$(jq -s 'map(select(.kind == "outage" or .kind == "recovery")) |
	length >= 2 and (.[0].revises == null) and (.[1].revises == .[0].id)' "$dir/out")"
same "in the order they could be known" "" "$(jq -r .seen "$dir/out" | sort -c 2>&1)"

# --- selections ------------------------------------------------------------------------------------
events 0 --format jsonl --prefix 198.18.20.0/24 "$dir/switch"
same "of another network there is none" "" "$(told | grep switch)"
events 0 --format jsonl --border east "$dir/switch"
same "to that border" 1 "$(told | grep -c switch)"
events 0 --format jsonl --border other "$dir/switch"
same "to no other" 0 "$(told | grep -c switch)"
events 0 --format jsonl --since 2026-11-22T03:30:00Z "$dir/switch"
same "before the window: warmed up by, not told" 0 "$(told | grep -c switch)"
events 0 --format jsonl --since 2026-11-22T02:50:00Z "$dir/switch"
same "in the window, with what was before" "border_switch confirmed 198.18.10.0/24 west east 1/1" \
	"$(told | grep switch)"
events 0 --format jsonl --until 2026-11-22T02:50:00Z "$dir/switch"
same "behind the window" 0 "$(told | grep -c switch)"
events 1 --since 2027-01-01T00:00:00Z "$dir/switch"
same "nothing measured is no 'no event'" "borderpath: nothing was measured there" "$(cat "$dir/err")"
events 0 --format jsonl --since 2026-11-22T01:30:00Z --until 2026-11-22T02:40:00Z "$dir/outage"

# --- for scripts -----------------------------------------------------------------------------------
events 1 --exit-code --format jsonl "$dir/switch"
events 0 --exit-code --format jsonl "$dir/quiet"
events 2 --exit-code "$dir/none"
events 2 --exit-code --wrong
{
	cat "$dir/switch"
	echo '{"type":"trace","version":1,"dst":7}'
} >"$dir/bad"
events 3 --format jsonl "$dir/bad"
same "a record is skipped, with its line" 1 "$(grep -c "bad:217:" "$dir/err")"
same "the others count" 1 "$(told | grep -c switch)"
events 1 --exit-code --format jsonl "$dir/bad"
{
	cat "$dir/quiet"
	echo '{"type":"trace","version":1,"dst":7}'
} >"$dir/bad"
events 2 --exit-code --format jsonl "$dir/bad"

# --- a cursor --------------------------------------------------------------------------------------
head -n 108 "$dir/switch" >"$dir/half"
events 0 --new --cursor "$dir/cursor" --format jsonl "$dir/half"
same "nothing so far" "" "$(cat "$dir/out" "$dir/err")"
same "the cursor is made" "borderpath-events 1" "$(head -n 1 "$dir/cursor")"
events 1 --new --cursor "$dir/cursor" --exit-code --format jsonl "$dir/switch"
same "the switch is new" 1 "$(told | grep -c switch)"
events 0 --new --cursor "$dir/cursor" --exit-code "$dir/switch"
same "and then it is not" "" "$(cat "$dir/out" "$dir/err")"
cp "$dir/cursor" "$dir/kept"
rm "$dir/cursor"
events 0 --new --cursor "$dir/cursor" "$dir/switch"
same "without a cursor all is new" 1 "$(tr '\n' ' ' <"$dir/out" | grep -c 'moved from Westnet')"
rm -f "$dir/cursor"
if [ -w /dev/full ]; then
	timeout 60 "$borderpath" events --new --cursor "$dir/cursor" --profile "$dir/profile.yaml" \
		"$dir/switch" >/dev/full 2>"$dir/err"
	same "a full disk" "1 no cursor" "$? $([ -e "$dir/cursor" ] || echo no cursor)"
fi
for damage in '' 'something else' "$(head -n 1 "$dir/kept")" "$(cat "$dir/kept")x" \
	"$(cat "$dir/kept" && echo 'told 2026-11-22T00:00:00.000000000Z ev-/etc')"; do
	printf '%s\n' "$damage" >"$dir/damaged"
	cp "$dir/damaged" "$dir/before"
	events 1 --new --cursor "$dir/damaged" "$dir/switch"
	same "a damaged cursor is refused with one line" "1 0" \
		"$(grep -c 'no cursor of borderpath events' "$dir/err") $(wc -l <"$dir/out")"
	same "and stays" "" "$(cmp "$dir/before" "$dir/damaged" 2>&1)"
done
events 1 --new --cursor "$dir/no/where" "$dir/switch"
same "no place for a cursor is told before anything is printed" "1 0" \
	"$(wc -l <"$dir/err") $(wc -l <"$dir/out")"

# Cron's days: the same file, longer each time. Whatever is told is told once.
rounds fra1 $t0 100 30-56:10:east 62-66:all:silent 70-99:20:slow >"$dir/days"
for n in $(seq 4 6 100); do
	awk -v n="$n" '{ print } /"type":"round"/ && ++r == n { exit }' "$dir/days" >"$dir/so-far"
	timeout 60 "$borderpath" events --new --cursor "$dir/days.cursor" --format jsonl --profile \
		"$dir/profile.yaml" "$dir/so-far" >>"$dir/told" 2>>"$dir/err" || echo "exit $?" >>"$dir/told"
done
cp "$dir/told" "$dir/out"
same "as it happens: each change once, an outage at both its ends" \
	"border_switch confirmed 198.18.10.0/24 west east
border_switch confirmed 198.18.10.0/24 east west
outage confirmed - reached silent
recovery resolved - reached silent" "$(told | grep -v -E 'rtt_shift|return_path' | sed 's/ 1.1$//')"
same "as it happens: no shift twice" "" \
	"$(jq -r 'select(.kind == "rtt_shift" or .kind == "return_path_suspected") |
		"\(.kind) \(.prefix) \(.shift_ms > 0)"' "$dir/out" | sort | uniq -d)"

# --- outputs ---------------------------------------------------------------------------------------
events 0 --format jsonl -o "$dir/file" "$dir/switch"
same "-o" 1 "$(grep -c border_switch "$dir/file")"
cp "$dir/file" "$dir/before"
events 1 --format jsonl -o "$dir/file" "$dir/none"
same "-o stays as it was when there is no result" "" "$(cmp "$dir/before" "$dir/file")"
events 1 --format jsonl -o "$dir/no/where" "$dir/switch"
events 0 --format html "$dir/switch"
same "a page" "1 1" "$(grep -c '<!DOCTYPE html>' "$dir/out") $(grep -c 'border_switch' "$dir/out" | sed 's/.*/1/')"
timeout 60 "$borderpath" events --profile "$dir/profile.yaml" "$dir/switch" >/dev/full 2>"$dir/err"
same "stdout is full" "1 1" "$? $(wc -l <"$dir/err")"

# --- usage -----------------------------------------------------------------------------------------
events 2 --new "$dir/switch"
events 2 --cursor "$dir/cursor" "$dir/switch"
events 2 --new --cursor "$dir/cursor" --format html "$dir/switch"
events 2 --flapping soon "$dir/switch"
events 2 --flapping 0 "$dir/switch"
events 2 --format xml "$dir/switch"
events 2 --annotate "$dir/switch" "$dir/switch"
events 2
same "no store and no file" 1 "$(grep -c 'without one the default store is read' "$dir/err")"

counted
