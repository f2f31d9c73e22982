# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# records.sh: runs borderpath in a node and reads its JSON Lines with jq, for scenario scripts.
# Owns the few questions the checks ask of a record. Refuses to run the prober outside a lab.

BORDERPATH=${BORDERPATH:-$LAB_BUILD/borderpath}

need_borderpath()
{
	[[ -x $BORDERPATH && -x ${BORDERPATH%/*}/borderpath-probe ]] ||
		lab_skip "build/borderpath and build/borderpath-probe are not built"
}

# bp NODE ARGS...: borderpath in NODE, and nowhere but in a lab.
bp()
{
	local n=$1
	shift
	lab_private || lab_die "refusing to probe outside a private namespace"
	at "$n" "$BORDERPATH" "$@"
}

# trace_json NODE ARGS...: one trace with the lab's profile (or LAB_PROFILE), as JSON Lines.
trace_json()
{
	local n=$1
	shift
	bp "$n" trace --vantage "$n" --profile "${LAB_PROFILE:-$LAB_DIR/lab.yaml}" \
		--format jsonl -n "$@"
}

# The functions below read JSON Lines on stdin.

# hops: "ttl address", "ttl *" for a silent hop, several addresses of one TTL joined by commas.
# Extra replies (late, dup) count: they name routers too.
hops()
{
	jq -r 'select(.type == "trace") | .hops[] |
		"\(.ttl) \([.probes[].from // empty] | unique |
			if length == 0 then "*" else join(",") end)"'
}

# outcome: the border's id, or other, mixed, undetermined, none; one line a trace.
outcome()
{
	jq -r 'select(.type == "trace") | .verdict |
		if .outcome == "border" then .border else .outcome end'
}

# field PATH: a field of each trace, as jq names it.
field() { jq -r "select(.type == \"trace\") | $1"; }

# why_so: the rule and the evidence on one line, to follow a failed check.
why_so()
{
	jq -r 'select(.type == "trace") | .verdict |
		"\(.outcome) \(.border) p=\(.confidence) \(.rule): " +
		([.evidence[]? | "\(.rule)@\(.ttl)->\(.says) \(.weight)"] | join("; "))'
}
