#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/fleet.sh BENCH_FLEET [DOC] - a fleet's figures on one machine: real agents without a
# prober, whose spools a generator fills; nats-server, `borderpath collect`, PostgreSQL, all on loopback.
# Told, and written to DOC.
#
#   1 pace      10 agents, 2,000 traces a second of all together, for 120 s
#   2 backlog   10 agents come back with 4.9 million traces; then what people ask is asked of them
#   3 many      50 agents, 57 traces a second, for ten minutes
#
# BENCH_FLEET_SCALE=N divides times and the backlog. BENCH_FLEET_ONLY="pace many": some of them.
# BENCH_FLEET_DIR: where all of it lies (a directory of mktemp's, taken away again).

set -eu
bench=$1 doc=${2-}
scale=${BENCH_FLEET_SCALE:-1} only=${BENCH_FLEET_ONLY:-pace backlog many}
build=$(dirname "$(dirname "$(dirname "$bench")")")
borderpath=$(cd "$build" && pwd)/borderpath
dir=$(mktemp -d "${BENCH_FLEET_DIR:-${TMPDIR:-/tmp}}/bench-fleet.XXXXXX")
chmod 711 "$dir"
pg_bin=$(find /usr/lib/postgresql -maxdepth 3 -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
for tool in nats-server psql; do
	command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; rm -rf "$dir"; exit 0; }
done
[[ -n $pg_bin ]] || { echo "skipped: PostgreSQL's server is not installed"; rm -rf "$dir"; exit 0; }

busy=$(cut -d' ' -f1-2 /proc/loadavg)
agents=() collector='' broker='' pg='' generator=''
stop() { [[ -z $1 ]] || { kill "$1" 2>/dev/null || :; wait "$1" 2>/dev/null || :; }; }
leave() {
	local p
	stop "$generator"
	for p in "${agents[@]}"; do stop "$p"; done
	stop "$collector"
	stop "$broker"
	stop "$pg"
	rm -rf "$dir"
}
trap leave EXIT

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
# The peak of a process, in MB.
peak() { awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }
wait_for() { # SECONDS CMD...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# The server refuses to be root.
as_pg=(env)
[[ $EUID -ne 0 ]] || as_pg=(setpriv --reuid=65534 --regid=65534 --clear-groups)
start_centre() {
	port=$((20000 + RANDOM % 20000))
	url=nats://127.0.0.1:$port
	mkdir -p "$dir/pg"
	[[ $EUID -ne 0 ]] || chown 65534:65534 "$dir/pg"
	"${as_pg[@]}" "$pg_bin/initdb" -D "$dir/pg/data" -U postgres -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1
	"${as_pg[@]}" "$pg_bin/postgres" -D "$dir/pg/data" -k "$dir/pg" -c listen_addresses= \
		>"$dir/pg/log" 2>&1 </dev/null &
	pg=$!
	store="postgresql://postgres@/postgres?host=$dir/pg"
	nats-server -a 127.0.0.1 -p "$port" -js -sd "$dir/js" -l "$dir/nats.log" &
	broker=$!
	wait_for 60 psql -qAtX "$store" -c 'SELECT 1'
	"$borderpath" collect --server "$url" --store "$store" --no-watch --outbox "$dir/outbox" \
		>"$dir/rounds" 2>"$dir/collect.log" &
	collector=$!
}

# start_agents RUN COUNT
start_agents() {
	local v
	agents=()
	for ((v = 0; v < $2; v++)); do
		"$borderpath" agent --server "$url" --vantage "$(printf v%02d "$v")" \
			--spool "$dir/$1/$(printf v%02d "$v")" >/dev/null 2>>"$dir/$1.log" &
		agents+=($!)
	done
}
stop_agents() {
	local p
	for p in "${agents[@]}"; do stop "$p"; done
	agents=()
}
biggest_agent() {
	local p most=0 mb
	for p in "${agents[@]}"; do
		mb=$(peak "$p")
		((mb <= most)) || most=$mb
	done
	echo "$most"
}
peaks() { # of all: what one figure each says
	local child workers=0 mb
	for child in $(pgrep -P "$pg"); do
		mb=$(awk '/^RssAnon/ { printf "%d", $2 / 1024 }' "/proc/$child/status")
		workers=$((workers + mb))
	done
	echo "$(biggest_agent) $(peak "$collector") $(peak "$broker") $workers"
}

# Traces in rounds that are whole in PostgreSQL, as the collector announces them.
have() { jq -n 'reduce inputs.traces as $n (0; . + $n)' "$dir/rounds" 2>/dev/null || echo 0; }
# Asked at most once a second: what asks shares the machine.
are_there() { sleep 0.9; (($(have) >= $1)); }
in_store() { psql -qAtX "$store" -c "SELECT count(*) || ' ' || count(DISTINCT trace_id) FROM traces WHERE vantage LIKE 'v%'"; }

declare -A F=()
total=0

# run NAME AGENTS ROUNDS TRACES [PACE]: a backlog, or at a pace.
run() {
	local name=$1 count=$2 rounds=$3 traces=$4 pace=${5-} sum from wrote
	sum=$((count * rounds * traces))
	mkdir "$dir/$name"
	echo "$name: $count agents, $sum traces" >&2
	if [[ -z $pace ]]; then
		"$bench" "$dir/$name" "$count" "$total" "$rounds" "$traces" >"$dir/$name.made"
		from=$(now)
		start_agents "$name" "$count"
	else
		start_agents "$name" "$count"
		wait_for 20 test -e "$dir/$name/v00/outbox.db"
		from=$(now)
		"$bench" "$dir/$name" "$count" "$total" "$rounds" "$traces" "$pace" >"$dir/$name.made" &
		generator=$!
		wait "$generator"
		generator=''
	fi
	wrote=$(since "$from")
	before=${F[there]:-0}
	wait_for 7200 are_there $((before + sum)) || { echo "$name: only $(have) arrived" >&2; exit 1; }
	F[there]=$((before + sum))
	F[$name.s]=$(since "$from")
	F[$name.lag]=$(awk -v a="${F[$name.s]}" -v b="$wrote" 'BEGIN { printf "%.1f", a - b }')
	F[$name.rate]=$(awk -v n="$sum" -v s="${F[$name.s]}" 'BEGIN { printf "%.0f", n / s }')
	F[$name.sum]=$sum
	F[$name.mb]=$(peaks)
	F[$name.last]=$(in_store)
	# Slots of the next run are others.
	total=$((total + rounds))
	stop_agents
	rm -rf "${dir:?}/$name"
}

# asked NAME WORST ARGS...: what a command takes that reads what lies there, and how it may leave.
asked() {
	local name=$1 worst=$2 said
	shift 2
	read -ra said < <("$bench" --time "$borderpath" "$@" --quiet --store "$store" --profile dprk -o "$dir/out")
	((said[3] <= worst)) || { echo "$name: left with ${said[3]}" >&2; exit 1; }
	F[$name]="${said[0]} | ${said[1]} | ${said[2]}"
}
# The moment so many rounds behind the first of all runs.
moment() { date -u -d "@$((epoch + $1 * 900))" +%Y-%m-%dT%H:%M:%SZ; }
ask() {
	local epoch first=$((total - ${F[backlog.rounds]})) half=$((total - (${F[backlog.rounds]} + 1) / 2))
	epoch=$(psql -qAtX "$store" -c 'SELECT min(planned_us) / 1000000 FROM round')
	asked ask.hours 1 diff --at "$(moment $half)" --before 30m --after 30m
	asked ask.diff 1 diff --at "$(moment $half)" --before "$(((half - first) * 15))m" --after "$(((total - half) * 15))m"
	asked ask.day 0 report --since "$(moment $((half - 48)))" --until "$(moment $((half + 48)))"
	asked ask.page 0 report --since "$(moment $first)" --until "$(moment $total)" --format html
	asked ask.events 0 events --since "$(moment $first)" --until "$(moment $total)"
	asked ask.hour 0 convert --to jsonl --vantage v03 --since "$(moment $half)" --until "$(moment $((half + 4)))"
}
ask_row() { [[ -z ${F[$1]:-} ]] || echo "| $2 | ${F[$1]} |"; }

row() { # NAME TEXT: the line of a table
	local mb
	[[ -n ${F[$1.sum]:-} ]] || return 0
	read -ra mb <<<"${F[$1.mb]}"
	echo "| $2 | ${F[$1.sum]} | ${F[$1.s]} | ${F[$1.rate]} | ${mb[0]} | ${mb[1]} | ${mb[2]} | ${mb[3]} | ${F[$1.last]} |"
}

text() {
	cat <<-END
	# Figures of a fleet

	\`make bench-fleet\`: $(date -u +%Y-%m-%d), $(nproc) cores, $(uname -sr), $(nats-server --version),
	$("$pg_bin/postgres" --version)$([[ $scale == 1 ]] || echo "; scale $scale").
	Agents, broker, collector and PostgreSQL share the machine, on loopback; agents are whole but for the
	prober: a generator commits simulated rounds of 15 hops (tests/bench/sim_day.h) to their spools as
	\`campaign run\` does, and shares the machine too. A trace counts when its round is whole in PostgreSQL.
	The machine's load before it began (1 and 5 minutes): $busy. Memory: the peak of the biggest agent, of
	the collector, of the broker; of PostgreSQL what its processes have beyond what they share.

	| run | traces | seconds | traces/s | agent MB | collect MB | nats-server MB | PostgreSQL MB | rows, distinct ids |
	|---|---|---|---|---|---|---|---|---|
	END
	row pace "10 agents at 2,000 traces a second"
	row backlog "10 agents come back"
	row many "50 agents at 57 traces a second"
	echo
	[[ -z ${F[pace.lag]:-} ]] || echo "At 2,000 traces a second the last round was in PostgreSQL ${F[pace.lag]} s after it was committed to its spool."
	[[ -z ${F[backlog.rate]:-} ]] || awk -v r="${F[backlog.rate]}" 'BEGIN { printf "A backlog of 4.9 million traces takes %.1f minutes at this pace (asked: 15).\n", 4.9e6 / r / 60 }'
	if [[ -n ${F[ask.page]:-} ]]; then
		cat <<-END

		Asked then of the ${F[backlog.sum]} traces of that backlog (10 vantage points, ${F[backlog.rounds]} rounds), on PostgreSQL, which has just
		written them; the seconds are those of the whole command, processor time and memory the command's own.

		| asked | seconds | of processor time | MB |
		|---|---|---|---|
		END
		ask_row ask.hours "\`borderpath diff\` of two half hours"
		ask_row ask.diff "\`borderpath diff\` of all of it, the middle in its middle"
		ask_row ask.day "\`borderpath report\` of a day of it"
		ask_row ask.page "\`borderpath report --format html\` of all of it"
		ask_row ask.events "\`borderpath events\` of all of it"
		ask_row ask.hour "\`borderpath convert --to jsonl\` of an hour of one vantage point"
		echo
	fi
	echo "Beside the agent of a vantage point run \`campaign run\` (about 19 MB) and borderpath-probe (about 11 MB)."
}

start_centre
for what in $only; do
	case $what in
	pace) s=$((120 / scale)); ((s >= 11)) || s=11
		run pace 10 $((2000 * s / 10240 + 1)) 1024 2000 ;;
	backlog) n=$((479 / scale)); ((n > 0)) || n=1
		run backlog 10 "$n" 1024
		F[backlog.rounds]=$n
		ask ;;
	many) s=$((600 / scale)); ((s >= 60)) || s=60
		run many 50 $((57 * s / 50 / 64 + 1)) 64 57 ;;
	esac
done
text | tee "${doc:-/dev/null}"
