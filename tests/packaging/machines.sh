# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# machines.sh: nodes of the lab as machines of their own: a Debian root of which each has a copy, and
# systemd as its first process, in namespaces. For scripts of this folder to source behind lab.sh.
#
#	machine_up NODE ROOT    boots one; ROOT itself is never written to
#	on NODE COMMAND...      runs it there, as root, as by ssh
#
# What they write is in memory, and gone with the lab.

MACHINES_CGROUP=$LAB_TMP/cgroup
declare -A MACHINE_PID=()

# The part that runs in namespaces of its own and becomes systemd.
# shellcheck disable=SC2016 # the inner shell expands it
MACHINE_BOOT='
	set -eu
	name=$1 lower=$2 box=$3
	mkdir -p "$box"
	mount -t tmpfs machine "$box"
	mkdir "$box/upper" "$box/work" "$box/root"
	mount -t overlay overlay -o "lowerdir=$lower,upperdir=$box/upper,workdir=$box/work" "$box/root"
	cd "$box/root"
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t tmpfs -o mode=755 run run
	mount -t tmpfs tmp tmp
	mount -t tmpfs -o mode=755 dev dev
	mkdir dev/shm dev/pts
	mount -t tmpfs shm dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	for d in null zero full random urandom tty; do
		touch "dev/$d"
		mount --bind "/dev/$d" "dev/$d"
	done
	mount -t cgroup2 cgroup sys/fs/cgroup
	# As on the day it was installed.
	rm -f usr/sbin/policy-rc.d
	: >etc/machine-id
	echo "$name" >etc/hostname
	echo "127.0.0.1 localhost" >etc/hosts
	hostname "$name"
	mkdir -p old
	pivot_root . old
	umount -l /old
	# As a container manager does: systemd hands mounts (credentials) from one space to another.
	mount --make-rshared /
	exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --show-status=0'

# machine_up NODE ROOT
machine_up()
{
	local n=$1 group=$MACHINES_CGROUP/lab-$$-$1
	mkdir -p "$MACHINES_CGROUP"
	mountpoint -q "$MACHINES_CGROUP" || mount -t cgroup2 none "$MACHINES_CGROUP" || return 1
	mkdir -p "$group" || return 1
	# shellcheck disable=SC2016 # the inner shell expands it
	bash -c 'echo 0 >"$1/cgroup.procs" || exit 1
		exec ip netns exec "$2" unshare --mount --uts --ipc --pid --cgroup --fork --kill-child \
			--propagation private bash -c "$3" boot "$2" "$4" "$5"' \
		boot "$group" "$n" "$MACHINE_BOOT" "$2" "$LAB_TMP/machine-$n" \
		>"$LAB_TMP/machine-$n.log" 2>&1 </dev/null &
	MACHINE_PID[$n]=$!
	wait_for 30 machine_runs "$n"
}

# The first process of it, seen from here.
machine_first() { pgrep -P "$(pgrep -P "${MACHINE_PID[$1]}" -x unshare || echo "${MACHINE_PID[$1]}")" -x systemd; }
machine_runs() { on "$1" systemctl is-system-running | grep -qxE 'running|degraded'; }

on()
{
	local n=$1 pid
	shift
	pid=$(machine_first "$n") || return 1
	nsenter -t "$pid" --mount --uts --ipc --net --pid --cgroup env -i HOME=/root USER=root LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# The control groups stay when their processes are gone.
machines_down()
{
	local n pid
	for n in "${!MACHINE_PID[@]}"; do
		pid=$(machine_first "$n") && kill -KILL "$pid" 2>/dev/null
		wait "${MACHINE_PID[$n]}" 2>/dev/null
		find "$MACHINES_CGROUP/lab-$$-$n" -depth -type d -exec rmdir {} + 2>/dev/null
	done
}
