# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# campaign.sh: plans, daemons and their rounds, for scenario scripts. One daemon at a time: DAEMON is
# its process, OUT and ERR what it has written. Brings records.sh and the topology of the borders
# along. Refuses to run it outside a lab.
#
#	campaign_enter "$@"         lab_enter, and what the programs need
#	plan NAME EVERY [LINES]     writes $LAB_TMP/NAME.yaml on store $STORE; LINES replace the targets
#	start_campaign PLAN [ARGS]  a daemon in vp, OUT and ERR anew
#	stop_campaign               SIGTERM, and waits for it; its exit code
#	kill_campaign               SIGKILL, and what it leaves

# shellcheck source-path=SCRIPTDIR
. "$LAB_DIR/records.sh"
. "$LAB_DIR/topo_borders.sh"

STORE=$LAB_TMP/store.db
OUT=$LAB_TMP/rounds ERR=$LAB_TMP/notes
DAEMON=''

campaign_enter()
{
	lab_enter "$@"
	need_borderpath
	command -v sqlite3 >/dev/null || lab_skip "sqlite3 is not installed"
}

plan()
{
	local targets=${3:-targets: [175.45.176.71, 175.45.178.3]}
	cat >"$LAB_TMP/$1.yaml" <<-EOF
		campaign: $1
		vantage: {name: vp}
		profile: $LAB_DIR/lab.yaml
		every: $2
		jitter: 0s
		rate_pps: max
		store: sqlite:$STORE
		$targets
	EOF
}

start_campaign()
{
	local p=$1
	shift
	lab_private || lab_die "refusing to probe outside a private namespace"
	: >"$OUT"
	: >"$ERR"
	# env undoes what the shell does to background jobs: ignoring SIGINT.
	env --default-signal=INT,QUIT ip netns exec vp "$BORDERPATH" campaign run "$@" \
		"$LAB_TMP/$p.yaml" >>"$OUT" 2>>"$ERR" &
	DAEMON=$!
}

end_campaign()
{
	kill "-$1" "$DAEMON" 2>/dev/null
	wait "$DAEMON" 2>/dev/null
	local rc=$?
	DAEMON=''
	return $rc
}
stop_campaign() { end_campaign TERM; }
kill_campaign()
{
	local child
	child=$(prober)
	end_campaign KILL
	# It ends by itself, when it notices that nobody reads any more.
	[[ -z $child ]] || kill -KILL "$child" 2>/dev/null
}

# The process namespace is the lab's own: the only prober in it is ours.
prober()
{
	local f
	for f in /proc/[0-9]*/comm; do
		[[ $(cat "$f" 2>/dev/null) == borderpath-prob ]] || continue
		f=${f%/comm}
		echo "${f#/proc/}"
		return
	done
	return 1
}

# Rounds that were announced; for wait_for.
measured() { (($(jq -s '[.[] | select(.start)] | length' "$OUT") >= $1)); }
announced() { (($(wc -l <"$OUT") >= $1)); }
told() { grep -qE "$1" "$ERR"; }

# in_store SQL: what the store says, through the sqlite3 program.
in_store() { sqlite3 -batch -readonly "${2:-$STORE}" "$1"; }

# round_field FILTER: of every round announced, one line each.
round_field() { jq -r "$1" "$OUT"; }
