#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Thousands of targets in one run: results stream and memory stays flat, the order spreads the load,
# an interrupted run hands over what it has and is marked, nothing on a do-not-probe list gets a
# packet, and a dry run foresees what is then sent. Topology: topo_chain.sh, with 10.64.0.0/16, whole,
# behind it.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
lab_enter "$@"
need_borderpath

# A copy of /etc over /etc, which only this scenario sees: for files of /etc/borderpath.
own_etc()
{
	cp -a /etc "$LAB_TMP/etc" 2>/dev/null
	mount --bind "$LAB_TMP/etc" /etc || lab_die "cannot mount over /etc"
	rm -rf /etc/borderpath
	mkdir /etc/borderpath
}
own_etc
export HOME=$LAB_TMP XDG_CONFIG_HOME=$LAB_TMP/config
mkdir -p "$XDG_CONFIG_HOME/borderpath"

hops=3
chain_up $hops
for ((i = 1; i <= hops; i++)); do
	route "r$i" 10.64.0.0/16 "$( ((i < hops)) && echo "r$((i + 1))" || echo far)"
done
whole far 10.64.0.0/16

out=$LAB_TMP/out err=$LAB_TMP/err

# count PREFIX: begins to count what vp sends there; counted: how many packets that were.
count()
{
	lab_nft vp lab_count <<-EOF
		chain out { type filter hook output priority 0;
			ip daddr $1 counter
		}
	EOF
}
counted()
{
	nsenter --net=/run/netns/vp nft list table inet lab_count |
		sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}
lines() { wc -l <"$out"; }
# shellcheck disable=SC2317
has_lines() { (($(lines) >= $1)); }
# Waits for its input, which is empty: all that was written was read.
# shellcheck disable=SC2317
reads_input()
{
	[[ $(cat "/proc/$pid/wchan" 2>/dev/null) == *pipe_read* ]] ||
		[[ $(cat "/proc/$pid/comm") == borderpath && $(cat "/proc/$pid/syscall") == "0 0x0 "* ]]
}
at_most()
{
	if (($2 <= $3)); then ok "$1: $2"; else not_ok "$1: $2, want at most $3"; fi
}
rss_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }
child_of() { pgrep -P "$1" -x borderpath-prob; }

# start ARGS...: a run in the background; sets pid, of borderpath itself.
start()
{
	: >"$out"
	ip netns exec vp "$BORDERPATH" trace --vantage vp --format jsonl -n "$@" >"$out" 2>"$err" &
	pid=$!
}

# ---- streaming, and memory that stays flat ---------------------------------------------------------

n=16384
start -q 1 --rate max 10.64.0.0/18
wait_for 20 has_lines 1500
child=$(child_of "$pid")
first="$(rss_kb "$pid") $(rss_kb "$child")"
most_cli=0 most_probe=0 samples=0
for at in 5000 9000 13000; do
	wait_for 30 has_lines $at
	a=$(rss_kb "$pid") b=$(rss_kb "$child")
	[[ -n $a && -n $b ]] || continue
	samples=$((samples + 1))
	((a <= most_cli)) || most_cli=$a
	((b <= most_probe)) || most_probe=$b
done
wait "$pid"
is "a /18, exit" $? 0
jq -r 'select(.type == "trace") | "\(.dst) \([.hops[] | select(any(.probes[]; .from))] | length)"' "$out" \
	>"$LAB_TMP/paths"
is "a /18, every destination once" "$(cut -d ' ' -f 1 "$LAB_TMP/paths" | sort -u | wc -l)" $n
# One attempt, as fast as the machine sends: the kernel's own queues may lose a packet when it is busy.
at_most "a /18, hops that are missing of $((n * (hops + 1)))" \
	"$(awk -v all=$((n * (hops + 1))) '{ got += $2 } END { print all - got }' "$LAB_TMP/paths")" \
	$((n * (hops + 1) / 200))
is "a /18, talk" "$(grep -v 'warning' "$err")" ''
# The last sample may come too late on a slow machine; not all of them may.
like "results came while it ran" "$samples" '^[123]$'
read -r first_cli first_probe <<<"$first"
# A sanitizer keeps what was freed.
if [[ $LAB_BUILD == */san ]]; then skip "memory of a sanitizer build"; else
	at_most "borderpath's memory stays flat at $first_cli kB, growth" $((most_cli - first_cli)) 2048
	at_most "the prober's stays flat at $first_probe kB, growth" $((most_probe - first_probe)) 2048
fi

# 65,536 hosts in a file cost little before the first probe: here it waits for the end of its input.
mkfifo "$LAB_TMP/hosts"
ip netns exec vp "$BORDERPATH" trace --dry-run --format jsonl @- <"$LAB_TMP/hosts" >"$out" 2>/dev/null &
pid=$!
exec 9>"$LAB_TMP/hosts"
wait_for 10 reads_input
empty=$(rss_kb $pid)
seq 0 65535 | awk '{ printf "10.64.%d.%d\n", $1 / 256, $1 % 256 }' >&9
wait_for 10 reads_input
full=$(rss_kb $pid)
at_most "65,536 hosts before the first probe, kB" $((full - empty)) 4096
exec 9>&-
wait $pid
is "65,536 hosts, exit" $? 0
is "65,536 hosts" "$(jq -c '[.paths, (.networks | length)]' "$out")" '[65536,256]'

# ---- interrupted -----------------------------------------------------------------------------------

start -q 1 --rate max 10.64.0.0/16
wait_for 20 has_lines 3000
kill -INT "$pid"
wait "$pid"
is "interrupted, exit" $? 3
jq -r '"\(.type) \(.stop)"' "$out" >"$LAB_TMP/stops"
is "interrupted, every line is whole" "$(grep -c '^trace' "$LAB_TMP/stops")" $(($(lines) - 1))
tail -n 1 "$out" >"$LAB_TMP/run"
is "interrupted, the run is marked" "$(jq -c '[.type, .complete, .planned]' "$LAB_TMP/run")" \
	'["run",false,65536]'
is "interrupted, finished and cut paths are all there" \
	"$(awk '$1 == "trace" { n[$2 == "interrupted"]++ } END { print n[0] + 0, n[1] + 0 }' \
		"$LAB_TMP/stops")" "$(jq -r '"\(.done) \(.cut)"' "$LAB_TMP/run")"
like "interrupted, it is said" "$(cat "$err")" "interrupted: [0-9]+ of 65536 paths are complete"
at_most "interrupted, what was done is kept: 2500" 2500 "$(jq .done "$LAB_TMP/run")"
tail -n 100 "$out" | bp vp judge --format jsonl - >"$LAB_TMP/judged" 2>"$err"
is "judge passes over the mark, exit" $? 0
is "judge passes over the mark" "$(jq -r .type "$LAB_TMP/judged" | uniq -c | tr -s ' ')" \
	"$(printf ' 99 trace\n 1 run')"

# ---- the order -------------------------------------------------------------------------------------

at vp tcpdump -n -Q out -i r1 -c 256 'icmp and dst net 10.64.0.0/16' \
	>"$LAB_TMP/first" 2>"$LAB_TMP/dump" &
dump=$!
wait_for 10 grep -q '^listening on' "$LAB_TMP/dump"
start -q 1 -m 1 --rate max 10.64.0.0/16
wait "$dump"
kill -INT "$pid"
wait "$pid"
is "the first 256 probes go to 256 networks" "$(sed -n 's/.* > \([0-9.]*\):.*/\1/p' "$LAB_TMP/first" |
	cut -d . -f 3 | sort -u | wc -l)" 256

# ---- do not probe ----------------------------------------------------------------------------------

count 10.64.7.0/24
printf '%s\n' 'borderpath-plan 1' 'run' 'avoid prefix=10.64.7.0/24' \
	'trace seq=1 dst=10.64.7.7 method=icmp' 'trace seq=2 dst=10.64.8.7 method=icmp attempts=1' end |
	at vp "${BORDERPATH%/*}/borderpath-probe" >"$out" 2>"$err"
is "the prober keeps to the list of its plan" "$(grep -aoE '10.64.7.7 is on [a-z -]* run [(0-9./)]*' "$out")" \
	'10.64.7.7 is on the do-not-probe list of this run (10.64.7.0/24)'
is "... not one packet" "$(counted)" 0
echo 'do_not_probe 10.64.7.0/24' >/etc/borderpath/limits
printf '%s\n' 'borderpath-plan 1' run 'trace seq=1 dst=10.64.7.7 method=udp' end |
	at vp "${BORDERPATH%/*}/borderpath-probe" >"$out" 2>"$err"
is "the prober keeps to the list of the machine" "$(grep -aoE '10.64.7.7 is on [a-z -]* machine' "$out")" \
	'10.64.7.7 is on the do-not-probe list of this machine'
is "... not one packet" "$(counted)" 0
bp vp trace -n --format jsonl 10.64.7.7 >"$out" 2>"$err"
is "... and says so, exit" $? 1
is "... as an error" "$(field '.stop' <"$out")" error
rm /etc/borderpath/limits
count 10.64.7.0/24
echo '10.64.7.0/25 # asked us not to' >/etc/borderpath/do-not-probe
echo '10.64.7.128/25' >"$XDG_CONFIG_HOME/borderpath/do-not-probe"
echo '10.64.6.9' >"$LAB_TMP/avoid"
bp vp trace -n -q 1 --rate max --format jsonl --do-not-probe "$LAB_TMP/avoid" 10.64.6.0/23 \
	>"$out" 2>"$err"
is "three lists, exit" $? 3
is "three lists, what is left" "$(field .dst <"$out" | wc -l)" 255
is "three lists, not one packet" "$(counted)" 0
like "three lists, it is said" "$(cat "$err")" '257 targets left out: on the do-not-probe list'
rm /etc/borderpath/do-not-probe "$XDG_CONFIG_HOME/borderpath/do-not-probe"

# ---- dry run ---------------------------------------------------------------------------------------

count 10.64.0.0/16
args=(-q 2 -U --rate max --format jsonl 10.64.4.0/23 10.64.9.9 10.64.4.1)
bp vp trace --dry-run "${args[@]}" >"$LAB_TMP/dry" 2>/dev/null
is "dry run, exit" $? 0
is "dry run, not one packet" "$(counted)" 0
bp vp trace -n "${args[@]}" >"$out" 2>"$err"
is "dry run, paths foreseen" "$(jq -c '[.paths, .left_out.doubled, .binds]' "$LAB_TMP/dry")" \
	"[$(lines),1,\"none\"]"
sent=$(counted)
is "what records say was sent was sent" "$(jq -s 'map(.sent // 0) | add' "$out")" "$sent"
at_most "dry run, the least foreseen" "$(jq .probes.least "$LAB_TMP/dry")" "$sent"
at_most "dry run, the most foreseen" "$sent" "$(jq .probes.most "$LAB_TMP/dry")"
echo 'contact: {who: Lab, url: "https://example.org/probes", mail: noc@example.org}' \
	>/etc/borderpath/contact.yaml
cp "$BORDERPATH" "$LAB_TMP/alone"
chmod 755 "$LAB_TMP" "$LAB_TMP/alone"
text=$(PATH=/usr/bin:/bin setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$LAB_TMP/alone" trace --dry-run --profile "$LAB_DIR/lab.yaml" 10.64.4.0/24 2>/dev/null)
is "dry run without prober or privilege, exit" $? 0
like "dry run, who measures" "$text" 'Lab, https://example.org/probes, noc@example.org'
bp vp trace --dry-run --probing-txt "$LAB_TMP/probing.txt" 10.64.4.0/24 >/dev/null 2>&1
is "probing.txt has the fields of RFC 9511" \
	"$(grep -v '^#' "$LAB_TMP/probing.txt" | cut -d : -f 1 | uniq | tr '\n' ' ')" \
	'Contact Expires Preferred-Languages Description '

# ---- as fast as one may ------------------------------------------------------------------------------

as_nobody()
{
	at vp setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +net_raw \
		--ambient-caps +net_raw "$BORDERPATH" trace -n -q 1 --profile "$LAB_DIR/lab.yaml" "$@"
}
as_nobody --rate max 10.64.4.1 >"$out" 2>"$err"
is "--rate max is not for everybody, exit" $? 1
like "... and says whose it is" "$(cat "$err")" 'root and the users that the limits file names'
as_nobody --rate 500 10.64.4.1 >"$out" 2>"$err"
is "a rate within the limits is, exit" $? 0
echo 'unlimited_user 65534' >/etc/borderpath/limits
as_nobody --rate max 10.64.4.1 >"$out" 2>"$err"
is "--rate max for whom the limits file names, exit" $? 0

# ---- for people --------------------------------------------------------------------------------------

bp vp trace -n -q 1 --rate max 10.64.4.0/23 >"$out" 2>"$err"
is "text counts instead of listing" "$(grep -cE '^10\.64\.[45]\.0/24 +256 +256 ' "$out")" 2
like "text sums up" "$(grep '^in all' "$out")" '^in all +512 +512 '
is "no progress on a pipe" "$(grep -c $'\r' "$err")" 0

finish
