#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/bench.sh - `make bench`: borderpath beside scamper, mtr, traceroute and fping in one
# namespace lab, tool after tool, round after round, and what each cost. Figures are medians over
# rounds with their spread, never the best. Writes build/bench/*.tsv, prints the table, and with
# BENCH_DOC=FILE writes the document too (report.pl makes both).
#
#   vp ---- r1 ---- r2 ---- ... ---- r9 ---- far       ten hops: nine routers and the destination
#
#   far answers for 10.64.0.0/16 and 2001:db8:2::/48 whole; the routers carry addresses that the
#   geo databases know, so that naming and judging have work. Nothing leaves the namespaces.
#
# A peer that is not installed is a row that says so.
#
#	BENCH_QUICK=1     one round of the small cases, for a look or a smoke test
#	BENCH_ROUNDS=N    rounds of every case (default: 3 to 7 by how long a case takes)
#	BENCH_ONLY=REGEX  only the cases whose names match

# shellcheck disable=SC2317  # functions that are called by name
# shellcheck source-path=SCRIPTDIR
BENCH_DIR=$(cd "$(dirname "$0")" && pwd)
. "$BENCH_DIR/../lab/lab.sh"
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_chain.sh"
. "$BENCH_DIR/tools.sh"
. "$BENCH_DIR/accuracy.sh"

OUT_DIR=$LAB_BUILD/bench
QUICK=${BENCH_QUICK:-0}
export LAB_BUILD

# The kernel threads that forward what the sender's own processor time does not cover are not
# visible inside the lab's process namespace: their counters are opened before it is entered.
open_ksoftirqd()
{
	local pid fd
	[[ -z ${BENCH_KSOFTIRQD:-} ]] || return 0
	BENCH_KSOFTIRQD=
	for pid in $(pgrep '^ksoftirqd/'); do
		exec {fd}<"/proc/$pid/schedstat" && BENCH_KSOFTIRQD+="$fd "
	done 2>/dev/null
	export BENCH_KSOFTIRQD
}
[[ $EUID -ne 0 ]] || open_ksoftirqd

# sudo takes the settings along only if told.
[[ $EUID -eq 0 ]] || exec sudo env LAB_BUILD="$LAB_BUILD" BENCH_QUICK="$QUICK" \
	BENCH_ROUNDS="${BENCH_ROUNDS:-}" BENCH_ONLY="${BENCH_ONLY:-}" \
	BENCH_DOC="${BENCH_DOC:-}" bash "$0" "$@"
lab_enter "$@"
need_borderpath
for helper in run blast packet lookup; do
	[[ -x $LAB_BUILD/tests/bench/bench_$helper ]] ||
		lab_die "build/tests/bench/bench_$helper is missing: use make bench"
done

# ---- the network ---------------------------------------------------------------------------------

# shellcheck disable=SC2034	# HOPS is for tools.sh
ROUTERS=9 HOPS=10 SILENT=5

bench_up()
{
	local i a=vp b at=0
	# What a path to North Korea by Russia is made of (tests/lab/topo_borders.sh).
	local real=(- - 66.110.96.13 63.243.128.121 80.81.193.157 217.150.57.98 10.99.99.9
		188.43.3.213 188.43.225.153)
	chain_up "$ROUTERS"
	for ((i = 1; i <= ROUTERS + 1; i++)); do
		b=r$i
		((i <= ROUTERS)) || b=far
		[[ $a == vp ]] || route "$a" 10.64.0.0/16 "$b"
		a=$b
	done
	whole far 10.64.0.0/16
	for ((i = 1; i <= ROUTERS; i++)); do
		[[ ${real[at]} == - ]] || answer_from "r$i" "${real[at]}"
		at=$((at + 1))
	done
	wait_for 10 reach vp 10.64.0.1 || lab_die "10.64.0.1 does not answer"
}

# truth_of FAMILY: lines "ttl address" as the wiring has it, "=" for the destination, no silent hops.
truth_of()
{
	local dst=192.0.2.1 last="="
	(($1 == 4)) || dst=2001:db8:2::1
	# Linux answers for a whole IPv6 prefix with the interface's own address; only an echo reply and
	# a reset come from the address that was asked.
	[[ $1 == 4 || $METHOD != udp ]] || last=$dst
	truth "$dst" | sed "s/ $dst\$/ $last/; / \\*\$/d"
}

# ---- running -------------------------------------------------------------------------------------

RESULTS=$OUT_DIR/results.tsv
COMMANDS=$OUT_DIR/commands.tsv
# shellcheck disable=SC2034	# for accuracy.sh
ACCURACY=$OUT_DIR/accuracy.tsv

wanted() { [[ -z ${BENCH_ONLY:-} || $1 =~ $BENCH_ONLY ]]; }

# rounds_of N: how often, unless told.
rounds_of() { if ((QUICK)); then echo 1; else echo "${BENCH_ROUNDS:-$1}"; fi; }

# one CASE TOOL ROUND: runs it once and adds a line to the results:
# case tool round wall linger user sys softirq tx rx exit memory right wrong true
one()
{
	local case=$1 tool=$2 round=$3 line=$LAB_TMP/line right=0 wrong=0 true=0
	rm -f "$OUT" "$OUT.said" "$OUT.err" "$line"
	[[ $tool != fping && $tool != traceroute && $tool != mtr ]] || : >"$OUT"
	# Written into a pipe's place: a file, as for the tools that write their own.
	at vp "$LAB_BUILD/tests/bench/bench_run" -i r1 -t 280 -o "$line" -- "${CMD[@]}" \
		>"$OUT.said" 2>"$OUT.err" </dev/null
	[[ -s $line ]] || { echo "bench: $tool did not run: $(head -n 1 "$OUT.err")" >&2; return 1; }
	if [[ $PARSE != - ]]; then
		tool_output "$tool"
		read -r right wrong < <("$BENCH_DIR/parse.pl" count "$PARSE" "$LAB_TMP/truth" "$OUT")
		true=$((TARGETS * $(wc -l <"$LAB_TMP/truth")))
		[[ $PARSE != fping ]] || true=$TARGETS
	fi
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$case" "$tool" "$round" "$(cat "$line")" \
		"${right:-0}" "${wrong:-0}" "$true" >>"$RESULTS"
}

# pair CASE ROUNDS TOOL...: interleaved, and in another order each round.
pair()
{
	local case=$1 rounds=$2 round i tool tools
	shift 2
	tools=("$@")
	wanted "$case" || return 0
	truth_of "$FAMILY" >"$LAB_TMP/truth"
	rounds=$(rounds_of "$rounds")
	echo "  $case" >&2
	for ((round = 1; round <= rounds; round++)); do
		for ((i = 0; i < ${#tools[@]}; i++)); do
			tool=${tools[(i + round - 1) % ${#tools[@]}]}
			tool_cmd "$tool" || lab_die "no tool $tool"
			((round > 1)) ||
				printf '%s\t%s\t%s\n' "$case" "$tool" "$(tool_shown)" >>"$COMMANDS"
			if command -v "${CMD[0]}" >/dev/null; then
				one "$case" "$tool" "$round"
			elif ((round == 1)); then
				printf '%s\t%s\tmissing\n' "$case" "$tool" >>"$RESULTS"
			fi
		done
	done
}

# ---- cases ---------------------------------------------------------------------------------------

aim()	# FAMILY METHOD TARGETS
{
	FAMILY=$1 METHOD=$2 TARGETS=$3
	LIST=$LAB_TMP/targets.$FAMILY.$TARGETS
	local bits=0
	while ((1 << bits < TARGETS)); do bits=$((bits + 1)); done
	if ((FAMILY == 4)); then PREFIX=10.64.0.0/$((32 - bits)); else
		PREFIX=2001:db8:2::/$((128 - bits)); fi
	((TARGETS > 1)) || PREFIX=$( ((FAMILY == 4)) && echo 192.0.2.1 || echo 2001:db8:2::1)
	[[ -s $LIST ]] || "$BENCH_DIR/addresses.pl" "$PREFIX" >"$LIST"
}

cases_sizes()
{
	local n
	for n in 64 256 1024; do
		aim 4 icmp "$n"
		pair "icmp4 $n" 7 borderpath scamper fping floor
	done
	if ((!QUICK)); then
		aim 4 icmp 65536
		pair "icmp4 65536" 3 borderpath scamper floor
	fi
}

cases_methods()
{
	local n=1024
	((!QUICK)) || n=64
	aim 4 udp $n && pair "udp4 $n" 5 borderpath scamper
	aim 4 tcp $n && pair "tcp4 $n" 5 borderpath scamper
	aim 6 icmp $n && pair "icmp6 $n" 5 borderpath scamper floor
	aim 6 udp $n && pair "udp6 $n" 3 borderpath scamper
	aim 6 tcp $n && pair "tcp6 $n" 3 borderpath scamper
}

# 120 ms there and back, and one router that says nothing.
cases_slow()
{
	wanted "slow" || return 0
	delay r1 vp 120 || { echo "bench: no netfilter queue in this kernel: no delay" >&2; return; }
	chain_silence "$SILENT"
	aim 4 icmp 1
	if ((QUICK)); then
		pair "slow 1" 1 borderpath borderpath-defaults traceroute
		return
	fi
	pair "slow 1" 3 borderpath borderpath-defaults traceroute mtr scamper-defaults
	aim 4 icmp 1024
	pair "slow 1024" 3 borderpath scamper-tuned scamper-parallel scamper
}

bench_versions()
{
	local p v
	for p in scamper mtr-tiny traceroute fping; do
		v=$(dpkg-query -W -f '${Version}' "$p" 2>/dev/null)
		printf '%s\t%s\n' "${p%-tiny}" "${v:-not installed}"
	done
	printf 'borderpath\t%s\n' "$("$BORDERPATH" --version | head -n 1 | sed 's/^borderpath //')"
}

# about: what the figures were measured on; no names of machines or places.
about()
{
	printf 'cores\t%s\n' "$(nproc)"
	printf 'processor\t%s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	printf 'kernel\tLinux %s\n' "$(uname -r | sed 's/-.*//')"
	printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
	printf 'load\t%s\n' "$LOAD_BEFORE"
	printf 'geo\t%s\n' "$GEO_SAYS"
	printf 'quick\t%s\n' "$QUICK"
	bench_versions
}

profile_borderpath()
{
	command -v perf >/dev/null && ((!QUICK)) && wanted profile || return 0
	echo "  profile" >&2
	aim 4 icmp 16384
	tool_cmd borderpath
	# perf's own symbols of the kernel need root, which we are; software clock: virtual machines
	# often have no counters.
	at vp perf record -q -g -e cpu-clock -F 1999 -o "$LAB_TMP/perf.data" -- "${CMD[@]}" \
		>"$LAB_TMP/perf.said" 2>&1 </dev/null || return 0
	perf script -i "$LAB_TMP/perf.data" -F comm,ip,sym,dso >"$LAB_TMP/stacks" 2>/dev/null
	"$BENCH_DIR/parse.pl" profile "$LAB_TMP/stacks" >"$OUT_DIR/profile.tsv"
}

mkdir -p "$OUT_DIR"
rm -f "$OUT_DIR"/*.tsv
LOAD_BEFORE=$(cut -d ' ' -f 1 /proc/loadavg)
BEGIN=$SECONDS
tool_setup
echo "bench: raising the lab" >&2
bench_up
about >"$OUT_DIR/about.tsv"
if wanted packet; then
	echo "  packet" >&2
	{
		"$LAB_BUILD/tests/bench/bench_packet"
		"$LAB_BUILD/tests/bench/bench_lookup" "${GEO_FILES[@]}"
	} >"$OUT_DIR/packet.tsv"
fi
cases_sizes
cases_methods
! wanted rtt || cases_accuracy
profile_borderpath
cases_slow
printf 'seconds\t%s\n' $((SECONDS - BEGIN)) >>"$OUT_DIR/about.tsv"
"$BENCH_DIR/report.pl" "$OUT_DIR" text
if [[ -n ${BENCH_DOC:-} ]]; then
	"$BENCH_DIR/report.pl" "$OUT_DIR" md >"$BENCH_DOC"
	# Made as root, in somebody's tree.
	chown --reference="$LAB_ROOT/Makefile" "$BENCH_DOC"
fi
chown -R --reference="$LAB_ROOT/Makefile" "$OUT_DIR"
