#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# borderpath geo and borderpath profile as a user meets them: what is printed, what goes to
# stderr (one line), and the exit code, with the small databases of tests/golden/mmdb.

set -u
cd "$(dirname "$0")/../../.." || exit 1
program=${BORDERPATH:-build/borderpath}
passed=0
failed=0

[ -x "$program" ] || {
	echo "$program is not built"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME=$dir LC_ALL=C.UTF-8
unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME

asn=tests/golden/mmdb/asn-maxmind.mmdb
country=tests/golden/mmdb/country-maxmind.mmdb
old=tests/golden/mmdb/country-flat-ipv4-old.mmdb

# run CODE WHY ARGS...: leaves stdout and stderr in $dir/out and $dir/err.
run() {
	local want=$1 rc
	why=$2
	shift 2
	"$program" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	good=1
	if [ "$rc" -ne "$want" ]; then
		fault "exit $rc, expected $want"
	elif [ "$want" -ne 0 ] && { [ "$(wc -l <"$dir/err")" -ne 1 ] || [ -s "$dir/out" ]; }; then
		fault "a failure is one line on stderr, and nothing on stdout"
	fi
	[ "$good" -eq 0 ] || passed=$((passed + 1))
}

fault() {
	echo "$why: $1"
	sed 's/^/  | /' "$dir/out" "$dir/err" | head -n 20
	failed=$((failed + 1))
	good=0
}

# shows FILE TEXT / hides FILE TEXT: a fixed string of what the last run printed.
shows() {
	if grep -qF -- "$2" "$dir/$1"; then
		passed=$((passed + 1))
	else
		fault "no \"$2\" in $1"
	fi
}
hides() {
	if grep -qF -- "$2" "$dir/$1"; then
		fault "\"$2\" in $1"
	else
		passed=$((passed + 1))
	fi
}
# json FIELD VALUE: of the last line of stdout, which must be JSON.
json() {
	local got
	got=$(perl -MJSON::PP -e 'my $o = decode_json(<STDIN>); for (split /\./, $ARGV[0]) { $o = $o->{$_} }
		print ref $o eq "HASH" ? encode_json($o) : JSON::PP::is_bool($o) ? ($o ? "true" : "false") :
		$o // "null"' "$1" < <(tail -n 1 "$dir/out")) 2>>"$dir/err"
	if [ "$got" = "$2" ]; then
		passed=$((passed + 1))
	else
		fault "$1 is \"$got\", expected \"$2\""
	fi
}

db=(--asn-db "$asn" --country-db "$country")

run 0 "a table of addresses" geo show --quiet "${db[@]}" 192.0.2.1 175.45.177.10 10.0.0.1
shows out "AS64500"
shows out "Example One"
shows out "inside North Korea (175.45.177.0/24)"
shows out "private address"
hides out $'\e['
run 0 "colour when asked for" geo show --quiet --color always "${db[@]}" 192.0.2.1
shows out $'\e['

run 0 "one object an address" geo show --quiet --format jsonl "${db[@]}" 192.0.2.1 103.35.255.254
[ "$(wc -l <"$dir/out")" -eq 2 ] || fault "two addresses are two lines"
[ "$(cut -c1-14 "$dir/out" | sort -u)" = '{"type":"name"' ] || fault "type comes first"
json address 103.35.255.254
json asn 134544
json source overlay
json border dandong
json role border_router
run 0 "the overlay has dates" geo show --quiet --format jsonl --at 2017-10-02 "${db[@]}" 103.35.255.254
json asn null
json border null
run 0 "a second before TransTeleCom" geo show --quiet --format jsonl --at 2017-10-01T09:07:50Z "${db[@]}" 188.43.1.1
json border null
run 0 "the second it appears" geo show --quiet --format jsonl --at 2017-10-01T09:07:51Z "${db[@]}" 188.43.1.1
json border khasan
run 0 "inside is a prefix" geo show --quiet --format jsonl "${db[@]}" 175.45.179.255
json inside true
json prefix 175.45.179.0/24

run 0 "an old IPv4 database warns" geo show --asn-db "$asn" --country-db "$old" 2001:db8::1
shows err "is of 2020-01-01"
shows err "holds IPv4 only"
run 0 "and not when quiet" geo show --quiet --asn-db "$asn" --country-db "$old" 2001:db8::1
hides err "IPv4 only"

run 0 "status" geo status --quiet "${db[@]}"
shows out "of 2026-06-01"
shows out "IPv4 and IPv6"
shows out "5 records, all readable"
shows out "$(sha256sum "$asn" | cut -d' ' -f1)"
run 0 "status as one object" geo status --quiet --format jsonl --asn-db "$asn" --country-db "$old"
[ "$(wc -l <"$dir/out")" -eq 1 ] || fault "status is one line"
json type geo
json asn.built 2026-06-01
json asn.damaged false
json country.old true
json country_built 2020-01-01
json country_sha256 "$(sha256sum "$old" | cut -d' ' -f1)"

head -c 700 "$asn" >"$dir/cut.mmdb"
run 1 "a cut database" geo status --asn-db "$dir/cut.mmdb"
shows err "is not an MMDB file, or is damaged or cut short"
run 1 "a database that is not there" geo show --asn-db "$dir/none.mmdb" 192.0.2.1
shows err "cannot open $dir/none.mmdb: No such file"
run 1 "a database of the other kind" geo show --asn-db "$country" 192.0.2.1
shows err "holds no AS numbers"
run 2 "no subcommand" geo
run 2 "no address" geo show
run 2 "a bad address" geo show 192.0.2.1 192.0.2.300
shows err "'192.0.2.300' is no IPv4 or IPv6 address"
run 2 "status takes nothing" geo status 192.0.2.1
run 2 "a bad time" geo show --at someday 192.0.2.1
run 2 "a bad option" geo show --bogus 192.0.2.1

run 0 "the shipped profile is good" profile check
shows out "profiles/dprk.yaml: good: dprk version"
run 0 "the example too" profile check profiles/example.yaml
run 0 "show" profile show
shows out "Dandong / China"
shows out "since 2017-10-01T09:07:51Z"
shows out "since 2012-04-08  until 2014-01-01"
hides out "Dyn Research"
run 0 "show with sources" profile show -v
shows out "Dyn Research"
run 0 "show what held then" profile show --at 2016-01-01
hides out "khasan"
hides out "Intelsat"
cat >"$dir/wide.yaml" <<'YAML'
profile: wide
version: 1
network: {name: N, prefixes: ["2001:db8:1111:2222:3333::/80"], judge_by: {v6: 96}}
timezone: Asia/Nowhere
borders:
  - {id: a, name: A border whose name is rather long, networks: [{asn: 4294967294}]}
targets: [{host: "2001:db8:1111:2222:3333:4444:5555:6666"}, {host: 192.0.2.0/24}]
YAML
run 0 "what is unlikely is warned of" profile check "$dir/wide.yaml"
shows err "warning: target 192.0.2.0/24 lies outside the network"
hides err "6666"
[ ! -d /usr/share/zoneinfo ] ||
	shows err "warning: time zone \"Asia/Nowhere\" is not in this machine's tz database"
run 0 "nothing is cut" profile show "$dir/wide.yaml"
shows out "2001:db8:1111:2222:3333:4444:5555:6666"
shows out "A border whose name is rather long"
run 0 "show as one object" profile show --format jsonl profiles/example.yaml
json type profile
json profile example
json network.judge_by.v6 48

printf 'profile: x\nversion: 1\nnetworks: []\n' >"$dir/bad.yaml"
run 1 "a fault has its place" profile check "$dir/bad.yaml"
shows err "borderpath: $dir/bad.yaml:3:1: unknown key \"networks\" in the file"
run 1 "and stops other commands" geo show --profile "$dir/bad.yaml" 192.0.2.1
shows err "$dir/bad.yaml:3:1:"
run 1 "no such name" profile check nope
shows err "no profile \"nope\" (looked for nope.yaml in"
run 1 "no such file" profile check ./nope.yaml
run 2 "neither check nor show" profile edit
run 2 "one at a time" profile check a b

# Installed elsewhere, away from this tree: the profile beside bin, the databases in the user's
# data directory; one of them damaged, which nobody asked for by name.
mkdir -p "$dir/usr/bin" "$dir/usr/share/borderpath/profiles" "$dir/.local/share/borderpath"
cp "$program" "$dir/usr/bin/borderpath"
cp profiles/dprk.yaml "$dir/usr/share/borderpath/profiles/dprk.yaml"
head -c 700 "$asn" >"$dir/.local/share/borderpath/asn.mmdb"
cp "$country" "$dir/.local/share/borderpath/country.mmdb"
program=$dir/usr/bin/borderpath
run 0 "a damaged default is told and not fatal" geo show --format jsonl 192.0.2.1
shows err "asn.mmdb is not an MMDB file, or is damaged or cut short; AS numbers stay unknown"
json asn null
json country CH
cp "$asn" "$dir/.local/share/borderpath/asn.mmdb"
run 0 "the data directory is found" geo status --quiet --format jsonl
json asn_db "$dir/.local/share/borderpath/asn.mmdb"
json overlay.file "$dir/usr/share/borderpath/profiles/dprk.yaml"
mkdir -p "$dir/.config/borderpath/profiles"
cp profiles/example.yaml "$dir/.config/borderpath/profiles/mine.yaml"
run 0 "the user's own profile is found" profile check mine
shows out "$dir/.config/borderpath/profiles/mine.yaml: good: example"

why="a full disk"
if [ -w /dev/full ]; then
	"$program" profile show >/dev/full 2>"$dir/err"
	rc=$?
	if [ "$rc" -eq 1 ] && grep -q "cannot write to standard output" "$dir/err"; then
		passed=$((passed + 1))
	else
		fault "exit $rc"
	fi
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
