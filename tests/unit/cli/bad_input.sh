#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Bad input: one clear line, the right exit code, nothing on stdout. No case here gets as far as
# sending: each is refused before borderpath-probe is asked for anything.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=${BORDERPATH:-build/borderpath}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# refuses EXIT PATTERN ARGS...: exit code, exactly one line on stderr that matches, empty stdout.
refuses() {
	local want=$1 pattern=$2 rc lines
	shift 2
	"$borderpath" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	lines=$(grep -cv 'borderpath: warning:' "$dir/err")
	if [ "$rc" -eq "$want" ] && [ "$lines" -eq 1 ] && [ ! -s "$dir/out" ] &&
		grep -qE "$pattern" "$dir/err"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: borderpath $*: exit $rc (wanted $want), stderr:"
		cat "$dir/err"
	fi
}

refuses 2 "no command 'fly'" fly
refuses 2 "no command 'fly'" help fly
refuses 2 "no command '--hlp'" help --hlp
refuses 2 "unknown option '-Z'" trace -Z 127.0.0.1
refuses 2 "unknown .*'--nonsense'" trace --nonsense 127.0.0.1
refuses 2 "option '-p' needs a value" trace -p
refuses 2 '\-p takes a whole number from 1 to 65535' trace -T -p 0 127.0.0.1
refuses 2 '\-p takes a whole number' trace -T -p 65536 127.0.0.1
refuses 2 '\-p takes a whole number' trace -T -p -1 127.0.0.1
refuses 2 '\-p needs udp or tcp' trace -I -p 80 127.0.0.1
refuses 2 '\-m takes a whole number from 1 to 255' trace -m 256 127.0.0.1
refuses 2 'first TTL \(9\) lies behind the last \(3\)' trace -f 9 -m 3 127.0.0.1
refuses 2 '\-q takes a whole number from 1 to 10' trace -q 11 127.0.0.1
refuses 2 '\-w takes a time' trace -w never 127.0.0.1
refuses 2 '\-w takes a time' trace -w 0 127.0.0.1
refuses 2 '\-M takes icmp, udp or tcp' trace -M sctp 127.0.0.1
refuses 2 '\-s takes an address' trace -s eth0 127.0.0.1
refuses 2 '\-\-rate takes a whole number' trace --rate fast 127.0.0.1
refuses 2 '\-\-rate takes a whole number' trace --rate 0 127.0.0.1
refuses 2 '\-\-flows takes a whole number' trace --flows 0 127.0.0.1
refuses 2 'flows go up to' trace --flow 1000 --flows 100 127.0.0.1
refuses 2 '\-\-place takes degrees' trace --place 91,8.68 127.0.0.1
refuses 2 '\-\-place takes degrees' trace --place 50.11 127.0.0.1
refuses 2 '\-\-place takes degrees' trace --place 50.11,8.68E 127.0.0.1
refuses 2 '\-\-place takes degrees' trace --place nan,inf 127.0.0.1
refuses 2 '\-\-place takes degrees' trace --place 0,180.5 127.0.0.1
refuses 2 '\-\-contact goes with \-\-dry-run' trace --contact /dev/null 127.0.0.1
refuses 2 '\-\-probing-txt goes with \-\-dry-run' trace --probing-txt /dev/null 127.0.0.1
refuses 2 "\-\-spool-bytes '1T' is no size" campaign run --spool-bytes 1T plan.yaml
refuses 2 '\-\-spool-bytes 5: a spool needs at least 256K' campaign run --spool-bytes 5 plan.yaml
refuses 2 '\-\-spool-bytes 255K: a spool needs' campaign once --spool-bytes 255K plan.yaml
refuses 2 '\-\-spool-bytes 5: a spool needs at least 1M' agent --spool-bytes 5
refuses 2 '\-\-spool-bytes 1023K: a spool needs' agent --spool-bytes 1023K
refuses 2 "\-\-format 'xml'" trace --format xml 127.0.0.1
refuses 2 "\-\-color 'pink'" trace --color pink 127.0.0.1
refuses 1 'bits beyond it are set' trace 127.0.0.1/8
refuses 1 'more than 1048576 addresses' trace 10.0.0.0/8
refuses 1 "not an IPv6 target" trace -6 127.0.0.1
refuses 1 "not an IPv6 target" trace -s ::1 127.0.0.1
refuses 1 'cannot read targets from .*/missing' trace "@$dir/missing"
refuses 1 'cannot read the do-not-probe list .*/missing' trace --do-not-probe "$dir/missing" 127.0.0.1
printf '192.0.2.0/24\nexample.org\n' >"$dir/avoid"
refuses 1 "avoid:2: 'example.org' is no address" trace --do-not-probe "$dir/avoid" 127.0.0.1
refuses 1 'no-such-profile' trace --profile no-such-profile 127.0.0.1
refuses 1 'cannot write .*/no/dir/out' trace -o "$dir/no/dir/out" 127.0.0.1
refuses 1 'missing.mmdb' trace --asn-db "$dir/missing.mmdb" 127.0.0.1

printf 'profile: x\nversion: 1\nnetwork: {name: X, prefixes: [10.0.0.0/8]}\nbordrs: []\n' >"$dir/typo.yaml"
refuses 1 'typo.yaml:4:[0-9]+: ' trace --profile "$dir/typo.yaml" 127.0.0.1
refuses 1 'typo.yaml:4:[0-9]+: ' profile check "$dir/typo.yaml"
printf 'not a database' >"$dir/bad.mmdb"
refuses 1 'bad.mmdb' judge --asn-db "$dir/bad.mmdb" /dev/null
refuses 1 'bad.mmdb' geo show --country-db "$dir/bad.mmdb" 127.0.0.1

refuses 2 'name the files' judge
refuses 2 "\-\-from: no format 'xml', expected one of: jsonl, .*mtr" judge --from xml -
refuses 2 '\-\-since takes a time' judge --since yesterdayish -
refuses 2 '\-\-prefix takes a prefix' judge --prefix 300.0.0.0/8 -
refuses 2 '\-\-to FORMAT is needed' convert -
refuses 2 "\-\-to: no format 'pdf', expected one of: jsonl, .*csv-rounds" convert --to pdf -
refuses 1 'cannot read .*/missing' judge "$dir/missing"
: >"$dir/empty"
refuses 1 'empty' judge "$dir/empty"
head -c 4096 /dev/zero >"$dir/zeros"
refuses 1 'zeros' judge "$dir/zeros"
printf '<html><body>404</body></html>\n' >"$dir/page.html"
refuses 1 'page.html' judge "$dir/page.html"

# What is read is not emptied by -o first.
printf 'traceroute to 192.0.2.9 (192.0.2.9), 30 hops max\n 1  192.0.2.1  1.0 ms\n' >"$dir/keep.txt"
ln "$dir/keep.txt" "$dir/same.txt"
refuses 2 'this file is read, and would be emptied' judge -o "$dir/keep.txt" "$dir/keep.txt"
refuses 2 'this file is read, and would be emptied' convert --to csv -o "$dir/same.txt" "$dir/keep.txt"
refuses 2 'this file is read, and would be emptied' diff -o "$dir/keep.txt" /dev/null "$dir/keep.txt"

# A full disk: one line, exit 1.
printf 'traceroute to 175.45.176.80 (175.45.176.80), 30 hops max, 60 byte packets\n 1  192.0.2.1 (192.0.2.1)  1.0 ms\n' \
	>"$dir/one.txt"
"$borderpath" judge "$dir/one.txt" 2>"$dir/err" >/dev/full
rc=$?
if [ "$rc" -eq 1 ] && grep -q 'cannot write to standard output: No space left' "$dir/err"; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	echo "not ok: a full disk: exit $rc, $(cat "$dir/err")"
fi

# A good file beside bad ones is still judged: partial.
"$borderpath" judge "$dir/one.txt" "$dir/missing" >"$dir/out" 2>"$dir/err"
rc=$?
if [ "$rc" -eq 3 ] && grep -q '192.0.2.1' "$dir/out" && grep -q 'cannot read' "$dir/err"; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	echo "not ok: good beside bad: exit $rc"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
