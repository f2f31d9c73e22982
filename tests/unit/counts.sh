# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# counts.sh: what test scripts count by, for them to source. Each ends with `counted`, whose line
# scripts/run-tests.sh reads.

passed=0 failed=0 skipped=0

# check WHAT COMMAND...: the command succeeds; else what it said is shown.
check()
{
	local what=$1 said
	shift
	said=$(mktemp)
	if "$@" >"$said" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $what"
		sed 's/^/    /' "$said"
	fi
	rm -f "$said"
}

# verdict WHAT: counts the status of the command before it; $dir/err is what that said.
verdict()
{
	if [ "$?" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $1"
		[ ! -s "${dir:-}/err" ] || sed 's/^/    /' "$dir/err" | head -n 8
	fi
}

# skip WHAT: and why.
skip()
{
	echo "skipped: $1"
	skipped=$((skipped + 1))
}

counted()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}
