#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/postgres.sh start DIR [NAME=VALUE...] - a PostgreSQL server of its own for a test: in DIR
# (made where it is not there), as a user without rights, on a socket in DIR alone; settings as in
# postgresql.conf. Prints the URL of an empty database. Ends with 77 and says why where it cannot.
# tests/postgres.sh stop DIR [smart|fast|immediate] - ends it (immediate: as if it were killed).
# tests/postgres.sh again DIR [NAME=VALUE...] - starts it once more, with what it had.
# tests/postgres.sh url DIR [DATABASE] - the URL; with a name, of that database, made where needed.

set -eu

no() {
	echo "no PostgreSQL: $1" >&2
	exit 77
}

bin=
for at in /usr/lib/postgresql/*/bin; do
	if [ -x "$at/initdb" ]; then bin=$at; fi
done
[ -n "$bin" ] || no "initdb is not installed (Debian: postgresql)"
word=${1:?start, stop, again or url} dir=${2:?a directory}
shift 2

# It refuses to run as root.
user=$(id -un)
as=()
if [ "$(id -u)" = 0 ]; then
	user=nobody
	command -v setpriv >/dev/null || no "setpriv is not installed (Debian: util-linux)"
	as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi

run() {
	(cd "$dir" && "${as[@]}" "$@")
}

# As long as a socket's name may be.
[ ${#dir} -lt 80 ] || no "the name of $dir is too long for a socket"

up() {
	local options="-k $dir -c listen_addresses= -c fsync=off -c max_connections=40"
	options+=" -c shared_buffers=32MB -c lc_messages=C"
	for setting; do
		options+=" -c $setting"
	done
	run "$bin/pg_ctl" -D "$dir/data" -o "$options" -l "$dir/log" -w -t 60 start >"$dir/start" 2>&1 || {
		cat "$dir/start" "$dir/log" >&2
		no "the server did not start"
	}
}

url() {
	# The directory as a host: percent signs for its slashes.
	echo "postgresql://borderpath@${dir//\//%2F}/${1-borderpath}"
}

case $word in
start)
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown "$user" "$dir"
	run "$bin/initdb" -D "$dir/data" -U borderpath -A trust -E UTF8 --locale=C --no-sync \
		>"$dir/initdb" 2>&1 || {
		cat "$dir/initdb" >&2
		no "initdb failed"
	}
	up "$@"
	run "$bin/createdb" -h "$dir" -U borderpath borderpath
	url
	;;
again)
	up "$@"
	url
	;;
stop)
	run "$bin/pg_ctl" -D "$dir/data" -m "${1-fast}" -w -t 60 stop >/dev/null 2>&1 || true
	;;
url)
	if [ -n "${1-}" ]; then
		run "$bin/createdb" -h "$dir" -U borderpath "$1" 2>/dev/null || true
	fi
	url "${1-borderpath}"
	;;
*)
	echo "start, stop, again or url" >&2
	exit 2
	;;
esac
