#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# fleet init, add, revoke, budget, as far as no broker is needed: what lies where and who may read it,
# exit codes, several at once, and those that were cut short. And every command's --help.
# BORDERPATH=PROGRAM tests another build.

set -u
cd "$(dirname "$0")/../../.." || exit 1
borderpath=$(realpath "${BORDERPATH:-build/borderpath}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. tests/unit/counts.sh
export LC_ALL=C.UTF-8 HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state
umask 022

# bp EXIT ARGS...: the program ends so; what it says is in $dir/out and $dir/err.
bp()
{
	local want=$1 rc
	shift
	timeout 60 "$borderpath" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
	[ "$rc" -eq "$want" ] || echo "exit $rc, wanted $want" >>"$dir/err"
	[ "$rc" -eq "$want" ]
}

# told PATTERN: one line on stderr has it, nothing is on stdout.
told() { [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q -- "$1" "$dir/err"; }

# holds: names of the vantage points whose keys hold. accounts: those that the broker is told of.
holds() { jq -r '[.vantages[] | select(.revoked == null).name] | sort | join(" ")' "$dir/f/fleet.json"; }
accounts() { grep -o '"V-[^"]*": {' "$dir/f/server/accounts.conf" | sed 's/"V-//; s/".*//' | sort -u | paste -sd' '; }
key_of() { jq -r --arg n "$1" '[.vantages[] | select(.name == $n and .revoked == null).nkey][0]' "$dir/f/fleet.json"; }
mode() { stat -c %a "$dir/f/$1"; }
# settled: the list and what is made of it name the same, and each has the key of the list.
settled()
{
	[ "$(holds)" = "$(accounts)" ] || { echo "list: $(holds); accounts: $(accounts)" >>"$dir/err"; return 1; }
	for name in $(holds); do
		[ -s "$dir/f/keys/$name.nk" ] && grep -q "$(key_of "$name")" "$dir/f/server/accounts.conf" || {
			echo "$name has no key" >>"$dir/err"
			return 1
		}
	done
	[ -z "$(find "$dir/f" -name '*.new' -o -name '*.json.*' -o -name '*.conf.*')" ]
}
init() { rm -rf "$dir/f" && bp 0 fleet init --quiet --no-tls --server nats://127.0.0.1:4222 --vantages "$1" -o "$dir/f"; }

# --- help ---------------------------------------------------------------------------------------
# Also where borderpath-fleet is not installed.
mkdir "$dir/alone"
cp "$borderpath" "$dir/alone/borderpath"
"$borderpath" help | sed -n 's/^  \([a-z]\{2,\}\) .*/\1/p' | grep -v '^help$' >"$dir/commands"
[ "$(wc -l <"$dir/commands")" -ge 13 ]; verdict "the commands are a list"
while read -r command; do
	for option in --help -h; do
		bp 0 help "$command" && cp "$dir/out" "$dir/help" && bp 0 "$command" "$option" &&
			cmp "$dir/help" "$dir/out" 2>>"$dir/err" && [ ! -s "$dir/err" ]
		verdict "$command $option"
	done
	borderpath=$dir/alone/borderpath bp 0 "$command" --help && cmp "$dir/help" "$dir/out" 2>>"$dir/err"
	verdict "$command --help, alone"
done <"$dir/commands"

# --- init ---------------------------------------------------------------------------------------
bp 0 fleet init --server tls://centre.example:4222 --vantages fra1,iad1,sin1 -o "$dir/f" &&
	cmp "$dir/out" "$dir/f/README" 2>>"$dir/err"
verdict "init says what goes where"
[ "$(holds)" = "fra1 iad1 sin1" ] && settled; verdict "init: list, accounts and keys"
jq -e '.type == "fleet" and .version == 1 and .tls and .replicas == 1 and .budget_pps == 40 and
	.server == "tls://centre.example:4222"' "$dir/f/fleet.json" >/dev/null; verdict "init: the list"
while read -r want file; do
	[ "$(mode "$file")" = "$want" ] || echo "$file: $(mode "$file")" >"$dir/err"
	[ "$(mode "$file")" = "$want" ]; verdict "mode of $file"
done <<-END
	700 keys
	600 keys/fra1.nk
	600 keys/centre.nk
	600 keys/operator.nk
	600 keys/system.nk
	600 ca.key
	600 server/server.key
	755 server
	644 ca.pem
	644 server/ca.pem
	644 server/server.pem
	644 server/nats.conf
	644 server/accounts.conf
	644 fleet.json
	644 README
END
grep -rlE 'SU[A-Z2-7]{56}' "$dir/f" | grep -vq '/keys/'; [ $? -eq 1 ]; verdict "a secret is in keys/ alone"
(umask 077 && bp 0 fleet init --quiet --server a.example --vantages a -o "$dir/g") &&
	[ "$(stat -c %a "$dir/g/server/nats.conf")" = 644 ] && [ ! -s "$dir/out" ]
verdict "whatever the umask is; quiet"
bp 1 fleet init --quiet --server a.example --vantages b -o "$dir/g" && told 'never made over another' &&
	[ ! -e "$dir/g/keys/b.nk" ]
verdict "nothing is made over another"

# wrong EXIT PATTERN ARGS...: refused, and nothing is left behind.
wrong()
{
	local want=$1 pattern=$2
	shift 2
	bp "$want" "$@" && told "$pattern" && [ ! -e "$dir/h" ]
	verdict "$*: $pattern"
}
wrong 2 'say what to do' fleet
wrong 2 "no 'make'" fleet make
wrong 2 'init needs' fleet init
wrong 2 'init needs' fleet init --vantages a -o "$dir/h"
wrong 2 'init needs' fleet init --server a.example -o "$dir/h"
wrong 2 'has no TLS' fleet init --server nats://a.example --vantages a -o "$dir/h"
wrong 2 'does not go with' fleet init --no-tls --server tls://a.example --vantages a -o "$dir/h"
wrong 2 'is no broker' fleet init --server 'tls://a b' --vantages a -o "$dir/h"
wrong 2 'brokers in --server' fleet init --server a,b --vantages a -o "$dir/h"
wrong 2 'no number from 1' fleet init --server a --budget 0 --vantages a -o "$dir/h"
wrong 2 'begins with /' fleet init --server a --server-dir etc --vantages a -o "$dir/h"
wrong 1 'names no vantage point' fleet init --server a --vantages 'a,b.c' -o "$dir/h"
wrong 1 'names no vantage point' fleet init --server a --vantages centre -o "$dir/h"
wrong 1 'is of the fleet already' fleet init --server a --vantages a,a -o "$dir/h"
wrong 1 'would be one in the ids' fleet init --server a --vantages a-1,a_1 -o "$dir/h"
wrong 1 'No such file' fleet init --server a --vantages a -o "$dir/no/h"

# No broker is named: told before anything is read.
wrong 2 'no broker is named' campaign list
wrong 2 'no broker is named' campaign deploy "$dir/none.yaml"
wrong 2 'no broker is named' campaign withdraw x
wrong 2 'no broker is named' fleet status
wrong 2 'are needed' agent
wrong 2 'are needed' collect

# --- add, revoke, budget ------------------------------------------------------------------------
init a,b
bp 0 fleet add c --dir "$dir/f" && grep -q 'c is of the fleet: 3 vantage points' "$dir/out" &&
	[ "$(holds)" = "a b c" ] && settled && [ "$(mode keys/c.nk)" = 600 ] &&
	grep -q '^It has no plan until' "$dir/out" && grep -q -- '--vantage c to it alone' "$dir/out"
verdict "add"
old=$(key_of c)
bp 0 fleet revoke c --dir "$dir/f" && grep -q '2 vantage points are left' "$dir/out" && [ "$(holds)" = "a b" ] &&
	settled && ! grep -q "$old" "$dir/f/server/accounts.conf" && [ ! -e "$dir/f/keys/c.nk" ] &&
	[ "$(mode "keys/c.${old:0:12}.revoked")" = 600 ]
verdict "revoke; the key is kept aside"
bp 0 fleet add --quiet c --dir "$dir/f" && [ ! -s "$dir/out" ] && [ "$(key_of c)" != "$old" ] && settled
verdict "add again, with another key"
bp 0 fleet budget 100 --dir "$dir/f" && grep -q '100 packets a second' "$dir/out" && settled &&
	[ "$(jq .budget_pps "$dir/f/fleet.json")" = 100 ]
verdict "budget"
where() { jq -c '.vantages[] | select(.name == "a") | [.place.lat, .place.lon, .address]' "$dir/f/fleet.json"; }
bp 0 fleet set a --place -33.867851,151.2 --address 198.51.100.7 --dir "$dir/f" && settled &&
	[ "$(where)" = '[-33.86785,151.2,"198.51.100.7"]' ]
verdict "set"
bp 0 fleet set a --place 1,2 --dir "$dir/f" && [ "$(where)" = '[1,2,"198.51.100.7"]' ]; verdict "set: the address stays"
bp 0 fleet set a --address 2001:db8::1 --dir "$dir/f" && [ "$(where)" = '[1,2,"2001:db8::1"]' ]; verdict "set: the place stays"
bp 0 fleet set a --place none --address none --dir "$dir/f" && [ "$(where)" = '[null,null,null]' ]; verdict "set: none"
before=$(cat "$dir/f/fleet.json" "$dir/f/server/accounts.conf"; ls -A "$dir/f/keys")
while IFS='|' read -r want pattern words; do
	# shellcheck disable=SC2086 # words
	wrong "$want" "$pattern" fleet $words
done <<-END
	2|takes the name of one|add --dir $dir/f
	2|takes the name of one|add d e --dir $dir/f
	2|needs --dir|add d
	2|needs --dir|revoke a
	2|needs --dir|budget 50
	2|one of them at least|set a --dir $dir/f
	2|takes, one of them|add d --place 1,2 --dir $dir/f
	2|degrees north|set a --place 91,0 --dir $dir/f
	2|degrees north|set a --place 1 --dir $dir/f
	2|takes an address|set a --address host.example --dir $dir/f
	1|is called "nobody"|set nobody --place 1,2 --dir $dir/f
	2|takes a number|budget --dir $dir/f
	2|no number from 1|budget much --dir $dir/f
	2|no number from 1|budget 0 --dir $dir/f
	2|no number from 1|budget 1000001 --dir $dir/f
	1|is of the fleet already|add a --dir $dir/f
	1|names no vantage point|add ../a --dir $dir/f
	1|names no vantage point|add operator --dir $dir/f
	1|no vantage point of the fleet is called|revoke d --dir $dir/f
	1|no vantage point of the fleet is called|revoke ../a --dir $dir/f
	1|No such file|add d --dir $dir/nowhere
	1|No such file|revoke d --dir $dir/alone
END
[ "$before" = "$(cat "$dir/f/fleet.json" "$dir/f/server/accounts.conf"; ls -A "$dir/f/keys")" ]
verdict "what is refused changes nothing"
[ ! -e "$dir/alone/.lock" ]; verdict "no lock where there is no fleet"
echo '{"type":"fleet"' >"$dir/g/fleet.json"
bp 1 fleet add d --dir "$dir/g" && told 'fleet.json' && [ ! -e "$dir/g/keys/d.nk" ]; verdict "a list that is none"

# --- several at once ----------------------------------------------------------------------------
init a,b,c,d,e,f,g,h
for name in 1 2 3 4 5 6 7 8; do
	timeout 100 "$borderpath" fleet add "n$name" --quiet --dir "$dir/f" &
done >"$dir/out" 2>"$dir/err"
wait
[ "$(holds)" = "a b c d e f g h n1 n2 n3 n4 n5 n6 n7 n8" ] && settled && [ ! -s "$dir/err" ]
verdict "eight are added at once"
for name in a b c d e f g h; do
	timeout 100 "$borderpath" fleet revoke "$name" --quiet --dir "$dir/f" &
	timeout 100 "$borderpath" fleet add "m$name" --quiet --dir "$dir/f" &
done >"$dir/out" 2>"$dir/err"
wait
[ "$(holds)" = "ma mb mc md me mf mg mh n1 n2 n3 n4 n5 n6 n7 n8" ] && settled && [ ! -s "$dir/err" ]
verdict "eight are added beside eight that are revoked"
for _ in 1 2 3 4; do
	timeout 100 "$borderpath" fleet add same --quiet --dir "$dir/f" 2>>"$dir/same"
done &
timeout 100 "$borderpath" fleet add same --quiet --dir "$dir/f" 2>>"$dir/same"
wait
[ "$(grep -c 'is of the fleet already' "$dir/same")" = 4 ] && settled; verdict "one name at once: once"

# --- cut short ----------------------------------------------------------------------------------
# That nothing can be written is no matter of permissions: tests run as root too.
init a
mv "$dir/f/server/accounts.conf" "$dir/kept"
mkdir "$dir/f/server/accounts.conf"
before=$(cat "$dir/f/fleet.json")
bp 1 fleet add b --dir "$dir/f" && told accounts.conf && [ "$before" = "$(cat "$dir/f/fleet.json")" ] &&
	[ ! -e "$dir/f/keys/b.nk" ]
verdict "accounts.conf cannot be written: nobody was added"
bp 1 fleet revoke a --dir "$dir/f" && told accounts.conf && [ "$before" = "$(cat "$dir/f/fleet.json")" ] &&
	[ -e "$dir/f/keys/a.nk" ]
verdict "nor revoked"
bp 1 fleet budget 50 --dir "$dir/f" && [ "$before" = "$(cat "$dir/f/fleet.json")" ]; verdict "nor is the budget another"
rmdir "$dir/f/server/accounts.conf"
mv "$dir/kept" "$dir/f/server/accounts.conf"
bp 0 fleet add b --dir "$dir/f" && settled; verdict "and then it works"

# Killed between the key, accounts.conf and the list; then again.
cp "$dir/f/fleet.json" "$dir/kept"
bp 0 fleet add c --dir "$dir/f"
new=$(key_of c)
cp "$dir/kept" "$dir/f/fleet.json"
bp 0 fleet add c --dir "$dir/f" && [ "$(key_of c)" = "$new" ] && settled; verdict "add, killed before the list was written"
cp "$dir/f/fleet.json" "$dir/kept"
cp "$dir/f/keys/c.nk" "$dir/c.nk"
bp 0 fleet revoke c --dir "$dir/f"
mv "$dir/f/keys/c."*.revoked "$dir/f/keys/c.nk"
cp "$dir/f/fleet.json" "$dir/revoked"
cp "$dir/kept" "$dir/f/fleet.json"
bp 0 fleet revoke c --dir "$dir/f" && [ "$(holds)" = "a b" ] && settled && [ ! -e "$dir/f/keys/c.nk" ]
verdict "revoke, killed before the list was written"
cp "$dir/c.nk" "$dir/f/keys/c.nk"
bp 0 fleet add c --dir "$dir/f" && [ "$(key_of c)" != "$new" ] && settled && ls "$dir/f/keys/c.${new:0:12}.revoked" >/dev/null
verdict "a revoked key that lies there is not given again"
echo garbage >"$dir/f/keys/d.nk.new"
bp 0 fleet add d --dir "$dir/f" && settled; verdict "half a key is made anew"
echo 'no key' >"$dir/f/keys/e.nk"
bp 1 fleet add e --dir "$dir/f" && told 'it is no key' && [ "$(holds)" = "a b c d" ] && grep -q 'no key' "$dir/f/keys/e.nk"
verdict "what is no key is not overwritten"

init a,b
bp 0 fleet revoke b --dir "$dir/f" && grep -q ': 1 vantage point is left\.' "$dir/out" &&
	bp 0 fleet add b --dir "$dir/f" && grep -q ': 2 vantage points\.' "$dir/out"
verdict "one is one"
bp 0 fleet init --no-tls --server nats://127.0.0.1:4222 --vantages a -o "$dir/one" && grep -q ': 1 vantage point, broker' "$dir/out"
verdict "of one"
init a,b,c,d

# What only the broker was not told of is not an error of a name: it is told.
bp 1 fleet add d --dir "$dir/f" --server nats://127.0.0.1:9 && grep -q "not the broker's list" "$dir/err"
verdict "add again, for the broker"
bp 0 fleet revoke d --dir "$dir/f"
bp 1 fleet revoke d --dir "$dir/f" --server nats://127.0.0.1:9 && grep -q "not the broker's list" "$dir/err"
verdict "revoke again, for the broker"

counted
