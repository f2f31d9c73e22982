#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/grant-probe.sh PROBE GROUP - let the members of GROUP, and nobody else, run PROBE with
# cap_net_raw, as dumpcap is installed. Creates the group where it is missing. Needs root; without
# it says what is left to do. Never makes a program setuid.

set -eu

probe=$1
group=$2

if [ "$(id -u)" -ne 0 ]; then
	echo "install: not root, so $probe has no capability yet. As root:" >&2
	echo "  scripts/grant-probe.sh $probe $group" >&2
	exit 0
fi
# Debian's root has no /usr/sbin in PATH after a plain su.
PATH=$PATH:/usr/sbin:/sbin

getent group "$group" >/dev/null || groupadd --system "$group"
# The order matters: a change of owner or mode clears a file's capabilities.
chown "root:$group" "$probe"
chmod 0750 "$probe"
setcap cap_net_raw+ep "$probe" || {
	echo "install: $probe could not be given cap_net_raw (is libcap2-bin there, and does the" \
		"file system hold capabilities?)" >&2
	exit 1
}
echo "install: $probe has cap_net_raw, for the group $group: adduser YOU $group"
