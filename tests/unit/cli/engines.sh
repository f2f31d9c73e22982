#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The same records in a file and on a PostgreSQL server: convert puts them there, and convert, judge,
# report, events and diff say the same of both, byte for byte, but for the name of the store. And what
# a server that is not as it should be makes of a command: one line, without the password.

set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/unit/counts.sh
borderpath=${BORDERPATH:-build/borderpath}
dir=$(mktemp -d)
trap 'tests/postgres.sh stop "$dir/pg" immediate; rm -rf "$dir"' EXIT
export LC_ALL=C.UTF-8 XDG_STATE_HOME=$dir/state
unset NO_COLOR
t0=1795305600 # 2026-11-22T00:00:00Z

chmod 755 "$dir"
if ! url=$(tests/postgres.sh start "$dir/pg" 2>"$dir/err"); then
	skip "stores on PostgreSQL: $(cat "$dir/err")"
	counted
	exit
fi

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
sed 's/version: 2026-11-22/version: 2026-11-23/' "$dir/profile.yaml" >"$dir/later.yaml"

# bp ARGS...: the program, with the profile.
bp() { timeout 60 "$borderpath" "$@" --profile "${profile:-$dir/profile.yaml}" </dev/null; }

perl tests/unit/cli/rounds.pl fra1 $t0 24 12-23:10:east 20-21:20:silent >"$dir/fra1"
perl tests/unit/cli/rounds.pl sin1 $((t0 + 60)) 24 12-23:10:east 4-6:all:missed 9-9:all:offline >"$dir/sin1"
check "verdicts for the first" bp judge --format jsonl -o "$dir/fra1.judged" "$dir/fra1"
check "verdicts for the second" bp judge --format jsonl -o "$dir/sin1.judged" "$dir/sin1"

file=sqlite:$dir/s.db
for store in "$file" "$url"; do
	check "records into ${store%%:*}" bp convert --to store -o "$store" "$dir/fra1.judged" "$dir/sin1.judged"
	check "and once more: nothing comes twice" bp convert --to store -o "$store" "$dir/sin1.judged"
done

# said STORE OUT ARGS...: what the program says, with a word for the store, and how it ends.
said() {
	local store=$1 out=$2
	shift 2
	bp "$@" >"$out" 2>"$out.err"
	echo "exit $?" >>"$out"
	cat "$out.err" >>"$out"
	STORE=$store FILE=${store#sqlite:} perl -pi -e \
		's/\Q$ENV{STORE}\E|\Q$ENV{FILE}\E/STORE/g; s/postgresql:\S*?borderpath\b/STORE/g;
		s/"generated":"[^"]*"|<dd>[-0-9]+ [:0-9]+ UTC<.dd>//g' "$out"
}

# shorter COMMAND...: a page is one line of it.
shorter() { "$@" | cut -c -400; return "${PIPESTATUS[0]}"; }

# alike WHAT ARGS...: the same for both; STORE stands for the store. `mask` is a filter.
alike() {
	local what=$1
	shift
	said "$file" "$dir/a" "${@//STORE/$file}"
	said "$url" "$dir/b" "${@//STORE/$url}"
	if [ -n "${mask-}" ]; then
		perl -pi -e "$mask" "$dir/a" "$dir/b"
	fi
	[ "$(wc -c <"$dir/a")" -gt "${least-500}" ] || echo "hardly anything: $what" >>"$dir/b"
	check "$what" shorter diff "$dir/a" "$dir/b"
}

at=2026-11-22T03:00:00Z
five() {
	alike "$1: convert" convert --to jsonl --store STORE
	# judged_at is the moment a record came into the store.
	mask='s/,[^,]*$/\n/' alike "$1: traces as a table" convert --to csv STORE
	alike "$1: probes as a table" convert --to csv-hops STORE
	alike "$1: rounds as a table" convert --to csv-rounds STORE
	alike "$1: report" report --since 2026-11-21T00:00:00Z --store STORE
	alike "$1: report, JSON Lines" report --format jsonl STORE
	mask='s/borderpath report .*//' alike "$1: report, a page" report --format html STORE
	alike "$1: events" events --since 2026-11-21T00:00:00Z --store STORE
	alike "$1: events, JSON Lines" events --format jsonl STORE
	alike "$1: events, a page" events --format html STORE
	alike "$1: diff" diff --at $at --before 3h --after 3h --store STORE
	alike "$1: diff, JSON Lines" diff --at $at --before 3h --after 3h --format jsonl STORE
	alike "$1: diff, a page" diff --at $at --before 3h --after 3h --format html STORE
}
five "as it came"

least=0 alike "nobody's records" convert --to jsonl --vantage nobody STORE
least=0 alike "a report of nobody" report --vantage nobody STORE
for select in "--vantage sin1" "--since 2026-11-22T02:00:00Z --until 2026-11-22T03:07:00Z" \
	"--border east" "--border undetermined" "--prefix 198.18.10.0/24" "--method icmp" "--target 198.18.20.1" \
	"--since 2026-11-22T05:00:00Z --vantage fra1 --border west"; do
	# shellcheck disable=SC2086
	alike "convert $select" convert --to jsonl $select STORE
	# shellcheck disable=SC2086
	alike "report $select" report $select STORE
done
alike "a store beside a file" report STORE "$dir/fra1.judged"
alike "a store against a file" diff STORE "$dir/fra1.judged"

# What others recorded: ids of another form, or none, no times, IPv6, labels, names by several databases;
# and what nobody has judged. Groups and points are made of rows in both: each has its own way to them.
base=$file server=$url
file=sqlite:$dir/odd.db url=$(tests/postgres.sh url "$dir/pg" odd)
perl -pe 's/"id":"[^"]*"/"id":"elsewhere $."/ if $. % 3; s/,"sport":\d+// if $. % 5 == 0' "$dir/sin1" >"$dir/odd.sin1"
for store in "$file" "$url"; do
	check "others' records into ${store%%:*}" bp convert --to store -o "$store" tests/golden/records/{atlas-made,filtered,linux,mpls,mtr,native,scamper,v6}.jsonl \
		"$dir/odd.sin1" "$dir/fra1"
done
five "others' records"
alike "others' records: a long diff" diff --at 2024-01-01T00:00:00Z --before 9000d --after 9000d --format jsonl STORE
alike "others' records: by a border" diff --at $at --before 3h --after 3h --border east --format jsonl STORE
alike "others' records: of one vantage point" diff --at $at --before 3h --after 3h --vantage sin1 --format jsonl STORE
alike "others' records: of one network" report --prefix 198.18.10.0/24 --format jsonl STORE
alike "others' records: beside the first" report --format jsonl STORE "$base"
alike "others' records: against the first" diff --format jsonl STORE "$base"
file=$base url=$server

# A trace a day over years: a table each, and no more of them in one transaction than a server has locks for.
perl -e 'for my $i (0 .. 199) { my @t = gmtime($ARGV[0] - ($i * 7 % 200) * 86400);
	printf qq({"type":"trace","version":1,"id":"old-x-%d","vantage":"old","dst":"198.18.0.1","method":"icmp",) .
		qq("start":"%04d-%02d-%02dT12:00:00Z","stop":"gap_limit","hops":[]}\n), $i, $t[5] + 1900, $t[4] + 1, $t[3] }' \
	$t0 >"$dir/old"
for store in "$file" "$url"; do
	check "a trace a day into ${store%%:*}" bp convert --to store -o "$store" "$dir/old"
done
alike "a trace a day" convert --to jsonl --vantage old STORE

# Anew, by a profile of another version: kept beside the first.
profile=$dir/later.yaml
alike "judge" judge --store STORE
alike "judge, JSON Lines" judge --format jsonl STORE
five "judged anew"
rows() { psql -AtX "$url" -c "$1" 2>&1; }
if command -v psql >/dev/null; then
	[ "$(rows "SELECT count(*) FROM judgements WHERE profile_version = '2026-11-22'")" -gt 100 ] &&
		[ "$(rows "SELECT count(DISTINCT profile_version) FROM judgements")" = 2 ]
	verdict "both judgements are rows"
else
	skip "plain SQL: psql is not installed"
fi

# --- a server that is not as it should be -----------------------------------------------------------

# line WHAT EXIT PATTERN ARGS...: it ends so, with one line that has the pattern and no password.
line() {
	local what=$1 want=$2 pattern=$3
	shift 3
	bp "$@" >"$dir/out" 2>"$dir/err"
	[ $? -eq "$want" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q "$pattern" "$dir/err" &&
		! grep -q hemlich "$dir/err" "$dir/out"
	verdict "$what: $(cat "$dir/err")"
}

psql -AtqX "$url" -c "CREATE ROLE reader LOGIN PASSWORD 'hemlich'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; REVOKE ALL ON store_secret FROM reader" >"$dir/out" 2>&1
reader=${url/borderpath@/reader:hemlich@}
bp convert --to jsonl "$reader" >"$dir/out" 2>"$dir/err" && [ "$(wc -l <"$dir/out")" -gt 100 ]
verdict "who may only read reads"
bp report --format html --store="$reader" >"$dir/page" 2>"$dir/err" && grep -q 'borderpath report.*reader@' "$dir/page" &&
	! grep -q hemlich "$dir/page"
verdict "a page tells how it was made, without the password"
line "who may only read does not write" 1 'permission denied' convert --to store -o "$reader" "$dir/fra1"
line "no such database" 1 'no-such-base.*does not exist' report "${reader%/*}/no-such-base"
line "no such user" 1 'nobody' report "${url/borderpath@/nobody:hemlich@}"
line "no server" 1 'No such file' report "postgresql://u:hemlich@%2Fnonexistent/x"
line "no server, a parameter" 1 'No such file' report "postgresql:///x?host=/nonexistent&password=hemlich"
line "no server, and no question behind it" 1 'Connection refused$' report "postgresql://u@127.0.0.1:1/x"
for name in 'u:hem%zzlich@h' 'u:hemlich@[::1]x/db' 'u:p@hemlich@h' 'u:pa/hemlich@h/db' 'u:hemlich/x' \
	'h/db?pass%77ord=hemlich&x=y' 'h/db?hemlich=x' 'h?port=1&password=hemlich%z' 'u:hemlich@h@/db'; do
	line "a URL that is not understood" 1 'not understood' report "postgresql://$name"
done
line "a URL without its slashes" 1 'not understood' report 'postgresql:u:hemlich@h/db'
line "a scheme that is none" 1 'a store is a file\|sqlite:FILE' report --store 'Postgresql://u:hemlich@h/db'
empty=$(tests/postgres.sh url "$dir/pg" empty)
line "an empty database" 1 'no store in this database' report "$empty"
psql -AtqX "$empty" -c 'CREATE TABLE store_meta(key text, value text)' >/dev/null 2>&1
line "somebody else's database" 1 'not a store' report "$empty"
newer=$(tests/postgres.sh url "$dir/pg" newer)
bp convert --to store -o "$newer" "$dir/fra1" >/dev/null 2>&1
psql -AtqX "$newer" -c "UPDATE store_meta SET value = '99' WHERE key = 'version'" >/dev/null 2>&1
line "a newer store" 1 'version 99.*newer program' report "$newer"
line "a newer store, written" 1 'version 99.*newer program' convert --to store -o "$newer" "$dir/fra1"
tests/postgres.sh stop "$dir/pg" immediate
line "the server is down" 1 'No such file\|refused' report "$reader"

# A disk of its own that is full: nothing of the round is there; when there is room, it goes in.
full() {
	mount -t tmpfs -o size=150m none "$1" || return 77
	url=$(tests/postgres.sh start "$1/pg" 2>/dev/null) || return 77
	# shellcheck disable=SC2064
	trap "tests/postgres.sh stop '$1/pg' immediate" EXIT
	bp convert --to store -o "$url" "$2" || return 1
	head -c 140m /dev/zero >"$1/filler" 2>/dev/null
	cat /dev/zero >>"$1/filler" 2>/dev/null
	bp convert --to store -o "$url" "$3" 2>"$1.err"
	echo "full: $? $(cat "$1.err")"
	rm "$1/filler"
	bp convert --to store -o "$url" "$3" || return 1
	bp convert --to jsonl "$url" | wc -l
}
export -f full bp
export borderpath profile="$dir/profile.yaml"
mkdir "$dir/small"
chmod 755 "$dir/small"
perl tests/unit/cli/rounds.pl fra1 $t0 400 >"$dir/many"
if [ "$(id -u)" = 0 ]; then
	timeout 120 unshare -m bash -c 'full "$@"' full "$dir/small" "$dir/sin1" "$dir/many" >"$dir/out" 2>"$dir/err"
	rc=$?
	if [ "$rc" = 77 ]; then
		skip "a full disk: no mount namespace, or no room for a server"
	else
		[ "$rc" = 0 ] && grep -q '^full: 1 .*No space left' "$dir/out" &&
			[ "$(tail -n 1 "$dir/out")" = "$(cat "$dir/sin1" "$dir/many" | wc -l)" ]
		verdict "a full disk, and room again: $(cat "$dir/out")"
	fi
else
	skip "a full disk: only root may mount a small one"
fi
counted
