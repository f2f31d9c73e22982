# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bed of events.sh and report.sh, for them to source: rounds written by rounds.pl, borderpath run on
# them, and what came of it in $dir/out and $dir/err. The profile names its carriers by prefix, so that
# no database is needed.

# shellcheck disable=SC2034  # who sources it uses t0
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/unit/counts.sh
borderpath=${BORDERPATH:-build/borderpath}
rounds() { perl tests/unit/cli/rounds.pl "$@"; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export LC_ALL=C.UTF-8 XDG_STATE_HOME=$dir/state
unset NO_COLOR
t0=1795305600 # 2026-11-22T00:00:00Z

# same WHAT WANT GOT
same()
{
	[ "$2" = "$3" ]
	verdict "$1: wanted: $2, got: $3"
}

# run EXIT ARGS...: its output in $dir/out and $dir/err.
run()
{
	local want=$1 rc
	shift
	timeout 60 "$borderpath" "$@" --profile "$dir/profile.yaml" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	same "exit of: $*" "$want" "$rc"
}

cat >"$dir/profile.yaml" <<'YAML'
profile: two
version: 2026-11-22
network: {name: Testland, asn: [64500], prefixes: [198.18.0.0/15], judge_by: {v4: 24, v6: 48}}
timezone: Asia/Pyongyang
borders:
  - {id: west, name: West, short: W, country: CN, networks: [{asn: 64501, org: Westnet}],
     prefixes: [{prefix: 192.0.2.0/25, asn: 64501}]}
  - {id: east, name: East, short: E, country: RU, networks: [{asn: 64502, org: Eastnet}],
     prefixes: [{prefix: 192.0.2.128/25, asn: 64502}]}
YAML
