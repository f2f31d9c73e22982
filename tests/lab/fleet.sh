# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# fleet.sh: a small fleet for scenario scripts: agents that really probe, brokers, collectors, and a
# PostgreSQL of its own under an unprivileged user. Processes are named, killed and started again by
# name: P[NAME] is the process of each, $LAB_TMP/NAME.out and .err what it wrote, over all its lives.
# Refuses to run anything outside a lab.
#
#   vp1 --.        .-- d --.                 centre: brokers (10.9.0.1), collectors, PostgreSQL
#   vp2 ---+-- r1 -+       +-- nk            d: 219.158.39.42, Dandong; k: 188.43.225.153, Khasan
#   vp3 --'        '-- k --'                 nk: 175.45.176.0/22, whole; and each vpN -- centre
#                                            r1: 66.110.96.13, Tata
#
#	fleet_enter "$@"            lab_enter, and what the programs need
#	fleet_up N [BROKERS]        N vantage points; a cluster where BROKERS is 3
#	start NAME, stop NAME, slay NAME      agents vp1.., collectors c1.., brokers b1.., pg
#	deploy VP EVERY TARGETS     its plan into the bucket; withdraw VP
#	cut_off VP, join_again VP   its link to the centre

# shellcheck source-path=SCRIPTDIR
. "$LAB_DIR/records.sh"

CENTRE=10.9.0.1
FLEET_BROKERS=1 FLEET_VANTAGES=()
declare -A P=()
STORE_URL=''
PG_USER=65534 # nobody: the server refuses to be root

fleet_enter()
{
	local tool
	lab_enter "$@"
	need_borderpath
	for tool in nats-server psql; do
		command -v "$tool" >/dev/null || lab_skip "$tool is not installed"
	done
	PG_BIN=$(find /usr/lib/postgresql -maxdepth 3 -name initdb -printf '%h\n' 2>/dev/null |
		sort -V | tail -n 1)
	[[ -n $PG_BIN ]] || lab_skip "PostgreSQL's server is not installed"
	# A fleet's plan names a profile: every machine has it.
	export XDG_CONFIG_HOME=$LAB_TMP/config
	mkdir -p "$XDG_CONFIG_HOME/borderpath/profiles"
	cp "$LAB_DIR/lab.yaml" "$XDG_CONFIG_HOME/borderpath/profiles/"
}

fleet_up()
{
	local i v
	FLEET_BROKERS=${2:-1}
	node centre "$CENTRE"
	router r1 66.110.96.13
	router d 219.158.39.42
	router k 188.43.225.153
	node nk 175.45.176.1
	for ((i = 1; i <= $1; i++)); do
		v=vp$i
		FLEET_VANTAGES+=("$v")
		node "$v" "203.0.113.$((i + 1))"
		link "$v" r1
		link "$v" centre
		route "$v" default r1
		route "$v" "$CENTRE/32" centre
		route_back r1 "$v"
		route_back centre "$v"
	done
	for i in d k; do
		link r1 "$i"
		link "$i" nk
		route "$i" 175.45.176.0/22 nk
		route "$i" default r1
	done
	route r1 175.45.176.0/22 d
	route nk default d
	whole nk 175.45.176.0/22
	lab_raise
}

# ---- servers -------------------------------------------------------------------------------------

# The place of a server's files; a scenario may have made it, as a file system of its own size.
broker_conf()
{
	local n=$1 i
	mkdir -p "$LAB_TMP/js.$n"
	cat >"$LAB_TMP/$n.conf" <<-EOF
		listen: "$CENTRE:$((4221 + ${n#b}))"
		http: "127.0.0.1:$((8221 + ${n#b}))"
		server_name: $n
		jetstream {
			store_dir: "$LAB_TMP/js.$n"
			max_file_store: 1TB
		}
	EOF
	((FLEET_BROKERS > 1)) || return 0
	{
		echo "cluster { name: lab, listen: $CENTRE:$((6221 + ${n#b})), routes: ["
		for ((i = 1; i <= FLEET_BROKERS; i++)); do
			echo "nats-route://$CENTRE:$((6221 + i))"
		done
		echo ']}'
	} >>"$LAB_TMP/$n.conf"
}

server_urls()
{
	local i urls=''
	for ((i = 1; i <= FLEET_BROKERS; i++)); do urls+=,nats://$CENTRE:$((4221 + i)); done
	echo "${urls#,}"
}

AS_PG=(setpriv --reuid="$PG_USER" --regid="$PG_USER" --clear-groups)

pg_make()
{
	mkdir -p "$LAB_TMP/pg"
	chown "$PG_USER:$PG_USER" "$LAB_TMP/pg"
	"${AS_PG[@]}" "$PG_BIN/initdb" -D "$LAB_TMP/pg/data" -U postgres -A trust -E UTF8 --locale=C \
		>"$LAB_TMP/initdb.log" 2>&1 || lab_die "initdb: $(cat "$LAB_TMP/initdb.log")"
	STORE_URL="postgresql://postgres@/postgres?host=$LAB_TMP/pg"
}
pg_answers() { psql -qAtX "$STORE_URL" -c 'SELECT 1'; }

# ---- lives ---------------------------------------------------------------------------------------

start()
{
	local n=$1
	lab_private || lab_die "refusing to start anything outside a private namespace"
	case $n in
	vp*) at_bg "$n" "$n" "$BORDERPATH" agent --server "$(server_urls)" --vantage "$n" \
		--spool "$LAB_TMP/spool.$n" ${AGENT_OPTIONS[@]+"${AGENT_OPTIONS[@]}"} ;;
	c*) at_bg "$n" centre "$BORDERPATH" collect --server "$(server_urls)" --store "$STORE_URL" \
		--replicas "$FLEET_BROKERS" --outbox "$LAB_TMP/outbox.$n" \
		${COLLECT_OPTIONS[@]+"${COLLECT_OPTIONS[@]}"} ;;
	b*) [[ -e $LAB_TMP/$n.conf ]] || broker_conf "$n"
		at_bg "$n" centre nats-server -c "$LAB_TMP/$n.conf" -P "$LAB_TMP/$n.pid" ;;
	pg) # no function: P is the server itself, and not a shell that waits for it
		"${AS_PG[@]}" setsid "$PG_BIN/postgres" -D "$LAB_TMP/pg/data" -k "$LAB_TMP/pg" -c listen_addresses= \
		-c max_wal_size=256MB >>"$LAB_TMP/pg.out" 2>>"$LAB_TMP/pg.err" </dev/null &
		P[pg]=$! ;;
	esac
}

at_bg()	# NAME NODE CMD...
{
	local name=$1 node=$2
	shift 2
	env --default-signal=INT,QUIT ip netns exec "$node" "$@" >>"$LAB_TMP/$name.out" \
		2>>"$LAB_TMP/$name.err" </dev/null &
	P[$name]=$!
}

gone() { ! kill -0 "$@"; }

# All of PostgreSQL at once, as a machine that loses its power; a broker, an agent or a collector
# alone: what an agent leaves ends by itself.
slay()
{
	local pid=${P[$1]:-} others=()
	[[ -n $pid ]] || return 0
	if [[ $1 == pg ]] && kill -0 "$pid" 2>/dev/null; then
		wait_for 10 grep -qx postgres "/proc/$pid/comm" || lab_die "$pid is not PostgreSQL"
		mapfile -t others < <(pgrep -P "$pid")
	fi
	kill -KILL "$pid" ${others[@]+"${others[@]}"} 2>/dev/null
	wait "$pid" 2>/dev/null
	# What still has its memory keeps the next one from starting.
	[[ $1 != pg ]] || wait_for 10 gone ${others[@]+"${others[@]}"}
	unset "P[$1]"
}

stop()
{
	local pid=${P[$1]:-} rc
	[[ -n $pid ]] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	rc=$?
	unset "P[$1]"
	return $rc
}

runs() { kill -0 "${P[$1]:-0}" 2>/dev/null; }

# ---- plans ---------------------------------------------------------------------------------------

# kv HEADERS BUCKET KEY [FILE]: one entry, by the protocol of the broker itself.
kv()
{
	local head=$1 subject="\$KV.$2.$3" body='' port reply
	[[ -z ${4:-} ]] || body=$(cat "$4")$'\n'
	for ((port = 4222; port < 4222 + FLEET_BROKERS; port++)); do
		reply=$(at centre timeout 10 bash -c '
			exec 3<>"/dev/tcp/$0/$1" || exit 1
			printf "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB _INBOX.kv 1\r\n" >&3
			printf "HPUB %s _INBOX.kv %d %d\r\n%s%s\r\nPING\r\n" "$2" "${#3}" $((${#3} + ${#4})) "$3" "$4" >&3
			while read -r line <&3; do [[ $line != "{"* ]] || { echo "$line"; break; }; done' \
			"$CENTRE" "$port" "$subject" "NATS/1.0"$'\r\n'"$head"$'\r\n' "$body" 2>/dev/null)
		[[ $reply != *'"seq"'* ]] || return 0
	done
	return 1
}

deploy()	# VP EVERY TARGETS [LINES]
{
	cat >"$LAB_TMP/plan.$1" <<-EOF
		campaign: lab
		profile: lab
		every: $2
		jitter: 0s
		rate_pps: max
		per_prefix_rate_pps: max
		targets: $3
		${4:-}
	EOF
	# What the centre reads of it: its alerts.
	wait_for 30 kv '' BP_FLEET plan.lab "$LAB_TMP/plan.$1"
	wait_for 30 kv '' BP_PLANS "$1.lab" "$LAB_TMP/plan.$1"
}
withdraw() { wait_for 30 kv 'KV-Operation: DEL'$'\r\n' BP_PLANS "$1.lab"; }

# ---- links ---------------------------------------------------------------------------------------

cut_off()
{
	lab_nft centre "lab_off_$1" <<-EOF
		chain in { type filter hook prerouting priority -300; ip saddr ${LAB_A4[$1]} drop; }
	EOF
}
join_again() { lab_nft centre "lab_off_$1" off; }

# ---- what is where -------------------------------------------------------------------------------

# Ids of the rounds that a program printed.
rounds_of() { jq -r 'select(.type == "round").id' "$LAB_TMP/$1.out" | sort; }
# All a store holds, as lines, in the order of ids.
lines_of()	# STORE [VANTAGE]
{
	"$BORDERPATH" convert --to jsonl "$1" 2>"$LAB_TMP/convert.err" |
		jq -cS --arg v "${2:-}" 'select($v == "" or .vantage == $v)' |
		sort -t '"' -k 1,40
}
# Rounds among the lines of FILE that have more or fewer traces than they say, and how many.
rounds_unlike()	# FILE
{
	jq -nr 'reduce inputs as $o ({};
		if $o.type == "trace" then .[$o.round].has += 1
		elif $o.type == "round" then .[$o.id].says = $o.traces else . end)
		| to_entries[] | select(.value.says != null and (.value.has // 0) != .value.says)
		| "\(.key): \(.value.has // 0) of \(.value.says)"' "$1"
}
