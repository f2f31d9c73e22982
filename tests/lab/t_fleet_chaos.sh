#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A fleet under SIGKILL: for CHAOS_SECONDS (60) agents, broker, collectors and PostgreSQL are killed
# at random moments and started again, and one agent's link is cut for a third of the time. Then
# quiet. Then every round that any agent announced is in PostgreSQL, once, as the agent has it.
# LAB_LONG=1: once more, with a cluster of three brokers that are killed in turn. CHAOS_SEED says
# which kills. Topology: fleet.sh.

# shellcheck disable=SC2317  # functions that wait_for calls
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lab.sh"
. "$LAB_DIR/fleet.sh"
fleet_enter "$@"

seconds=${CHAOS_SECONDS:-60}
RANDOM=$((${CHAOS_SEED:-$$} % 32768))
AGENTS=3 PACE=0
declare -A kills=()

# chaos NAME...: one of them at a time, in turn, at a random moment, until the time is over. The third of it in the middle,
# vp2 is cut off.
chaos()
{
	local begin=$EPOCHSECONDS end=$((EPOCHSECONDS + seconds)) cut=0 victim
	while ((EPOCHSECONDS < end)); do
		if ((cut == 0 && EPOCHSECONDS >= begin + seconds / 3)); then
			cut_off vp2
			cut=1
		elif ((cut == 1 && EPOCHSECONDS >= begin + 2 * seconds / 3)); then
			join_again vp2
			cut=2
		fi
		victim=$1
		set -- "${@:2}" "$1"
		slay "$victim"
		kills[$victim]=$((${kills[$victim]:-0} + 1))
		sleep "0.$(printf %03d $((RANDOM % 1000)))"
		start "$victim"
		sleep "$((PACE + RANDOM % 2)).$(printf %03d $((RANDOM % 1000)))"
	done
	join_again vp2
}

everything_runs()
{
	local n
	for n in "${!P[@]}"; do
		runs "$n" || start "$n"
	done
}

announced() { cat "$LAB_TMP"/vp*.out; }
measuring() { (($(jq -r 'select(.start).id' "$LAB_TMP/vp$1.out" 2>/dev/null | wc -l) >= $2)); }
ids() { jq -r .id | sort; }
in_store() { lines_of "$STORE_URL" >"$LAB_TMP/centre"; jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort; }
all_there()
{
	everything_runs
	pg_answers && [[ -z $(comm -23 <(announced | ids) <(in_store)) ]]
}
# NAME: the figures and the checks of one run.
check()
{
	local v what
	wait_for 200 all_there || not_ok "$1: all that was announced arrives: missing $(comm -23 \
		<(announced | ids) <(in_store) | wc -l); $(tail -n 3 "$LAB_TMP"/c*.err "$LAB_TMP"/vp*.err)"
	for v in "${FLEET_VANTAGES[@]}"; do
		slay "$v"
	done
	lines_of "$STORE_URL" >"$LAB_TMP/centre"
	is "$1: every announced line is whole" "$(announced | jq -c . | wc -l)" "$(announced | wc -l)"
	is "$1: every announced round is in the store" \
		"$(comm -23 <(announced | ids) <(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort))" ''
	is "$1: none is there twice" "$(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
	is "$1: no trace is there twice" \
		"$(jq -r 'select(.type == "trace").id' "$LAB_TMP/centre" | sort | uniq -d)" ''
	for v in "${FLEET_VANTAGES[@]}"; do
		# Of the rounds that were announced: the spool may hold one more.
		rounds_of "$v" | jq -R . | jq -cs . >"$LAB_TMP/announced"
		is "$1: of $v there are as many traces as its rounds say" \
			"$(of_rounds trace "$LAB_TMP/centre" "$v" | wc -l)" \
			"$(jq -s 'map(.traces) | add' "$LAB_TMP/$v.out")"
		for what in trace round; do
			is "$1: the ${what}s of $v are the agent's" \
				"$(of_rounds "$what" "$LAB_TMP/centre" "$v" | md5sum)" \
				"$(lines_of "$LAB_TMP/spool.$v/spool.db" >"$LAB_TMP/spool.lines"
				of_rounds "$what" "$LAB_TMP/spool.lines" "$v" | md5sum)"
		done
	done
	echo "# $1: $seconds s; killed: $(for v in "${!kills[@]}"; do printf '%s %d, ' "$v" \
		"${kills[$v]}"; done)seed ${CHAOS_SEED:-$$}"
	echo "# $1: $(announced | wc -l) rounds announced, $(grep -c '"type":"round"' "$LAB_TMP/centre") in" \
		"the store, $(grep -c '"type":"trace"' "$LAB_TMP/centre") traces;" \
		"$(comm -23 <(announced | ids) <(jq -r 'select(.type == "round").id' "$LAB_TMP/centre" | sort) |
			wc -l) lost, $(jq -r .id "$LAB_TMP/centre" | sort | uniq -d | wc -l) doubled"
}
of_rounds()	# TYPE FILE VANTAGE
{
	jq -cS --arg t "$1" --arg v "$3" --slurpfile a "$LAB_TMP/announced" '
		($a[0] | map({(.): 1}) | add) as $of |
		select(.type == $t and .vantage == $v and $of[if $t == "trace" then .round else .id end])' \
		"$2" | sort
}

scenario()	# NAME BROKERS VICTIM...
{
	local name=$1 n v
	fleet_up "$AGENTS" "$2"
	shift 2
	pg_make
	start pg
	wait_for 30 pg_answers || lab_die "PostgreSQL does not start: $(cat "$LAB_TMP/pg.err")"
	for ((n = 1; n <= FLEET_BROKERS; n++)); do start "b$n"; done
	start c1
	start c2
	for v in "${FLEET_VANTAGES[@]}"; do
		deploy "$v" 1s '[175.45.176.71, 175.45.177.10, 175.45.178.3]' || lab_die "no plan for $v"
		start "$v"
	done
	for ((n = 1; n <= AGENTS; n++)); do
		wait_for 60 measuring "$n" 1 ||
			not_ok "$name: vp$n measures: $(tail -n 5 "$LAB_TMP/vp$n.err" "$LAB_TMP/c1.err")"
	done
	chaos "$@"
	check "$name"
	for n in "${!P[@]}"; do slay "$n"; done
}

scenario chaos 1 vp1 b1 c1 vp2 pg c2 vp3 b1 pg
if [[ -n ${LAB_LONG:-} ]]; then
	lab_reset
	rm -rf "${LAB_TMP:?}"/{js.*,pg,spool.*,*.out,*.err,*.conf}
	FLEET_VANTAGES=() kills=()
	# As fast as a cluster finds a new leader: faster it is one broker that is away.
	PACE=6
	scenario cluster 3 b1 b2 b3 b1 b2 b3 c1 vp1 pg
fi
finish
