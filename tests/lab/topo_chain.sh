# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# chain: N routers in a row and a far host; time and silence are added by the test.
#
#   vp ---- r1 ---- r2 ---- ... ---- rN ---- far
#
#   vp   198.51.100.200  2001:db8:51::c8      far  192.0.2.1  2001:db8:2::1, TCP 80 open
#   rI   198.51.100.I    2001:db8:51::I (hex)      192.0.2.0/24 and 2001:db8:2::/48 answer whole
#
#	chain_up N                raises it; with 0, far is next to vp
#	chain_silence I [off]     rI sends no time-exceeded
#	delay r1 vp MS            (lab.sh) makes every answer MS milliseconds late
#	truth DST                 lines "ttl address"

CHAIN_N=0
declare -A CHAIN_SILENT=()

chain_up()
{
	local i a=vp b
	CHAIN_N=$1 CHAIN_SILENT=()
	node vp 198.51.100.200 2001:db8:51::c8
	for ((i = 1; i <= CHAIN_N; i++)); do
		router "r$i" "198.51.100.$i" "$(printf '2001:db8:51::%x' "$i")"
	done
	node far 192.0.2.1 2001:db8:2::1
	for ((i = 1; i <= CHAIN_N + 1; i++)); do
		b=r$i
		((i <= CHAIN_N)) || b=far
		link "$a" "$b"
		if ((i == 1)); then route_back "$b" vp; else route "$b" default "$a"; fi
		if [[ $a == vp ]]; then
			route vp default "$b"
		else
			route "$a" 192.0.2.0/24 "$b"
			route "$a" 2001:db8:2::/48 "$b"
		fi
		a=$b
	done
	whole far 192.0.2.0/24
	whole far 2001:db8:2::/48
	lab_raise
	listen_on far 80 192.0.2.1 2001:db8:2::1
	for b in 192.0.2.1 2001:db8:2::1; do
		wait_for 10 reach vp "$b" || lab_die "chain: $b does not answer"
	done
}

chain_silence()
{
	silence "r$1" "${2:-}"
	CHAIN_SILENT[$1]=$([[ ${2:-} == off ]] || echo 1)
}

truth()
{
	local i a
	for ((i = 1; i <= CHAIN_N; i++)); do
		a=${LAB_A4[r$i]}
		[[ $1 != *:* ]] || a=${LAB_A6[r$i]}
		[[ -z ${CHAIN_SILENT[$i]:-} ]] || a='*'
		echo "$i $a"
	done
	echo "$i $1"
}
