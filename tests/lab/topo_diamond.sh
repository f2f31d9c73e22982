# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# diamond: four equal-cost ways by layer 4 (ports); with `unequal`, way 4 is one router longer.
#
#                 .-- b1 --.
#   vp ---- a ----+-- b2 --+---- c ---- far
#                 +-- b3 --+
#                 '-- b4 --'               unequal:  a -- b4 -- e4 -- c
#
#   vp 198.51.100.200   a 198.51.100.1   bI 198.51.100.1I   e4 198.51.100.24   c 198.51.100.30
#   2001:db8:51::c8     ::1              ::1I               ::24               ::30
#   far  192.0.2.1  2001:db8:2::1, TCP 80 open; 192.0.2.0/24 and 2001:db8:2::/48 answer whole
#
#	diamond_up equal|unequal
#	diamond_ways DST          every way there is, one a line: the addresses, first hop to DST

diamond_up()
{
	local i last p
	node vp 198.51.100.200 2001:db8:51::c8
	router a 198.51.100.1 2001:db8:51::1
	for i in 1 2 3 4; do
		router "b$i" "198.51.100.1$i" "2001:db8:51::1$i"
	done
	[[ $1 != unequal ]] || router e4 198.51.100.24 2001:db8:51::24
	router c 198.51.100.30 2001:db8:51::30
	node far 192.0.2.1 2001:db8:2::1

	link vp a
	route vp default a
	route_back a vp
	for i in 1 2 3 4; do
		link a "b$i"
		route "b$i" default a
		last=b$i
		if ((i == 4)) && [[ $1 == unequal ]]; then
			link b4 e4
			route e4 default b4
			last=e4
		fi
		link "$last" c
		for p in 192.0.2.0/24 2001:db8:2::/48; do
			[[ $last != e4 ]] || route b4 "$p" e4
			route "$last" "$p" c
		done
	done
	link c far
	route c default b1
	for p in 192.0.2.0/24 2001:db8:2::/48; do
		ecmp a "$p" b1 b2 b3 b4
		route c "$p" far
		whole far "$p"
	done
	route far default c
	lab_raise
	listen_on far 80 192.0.2.1 2001:db8:2::1
	for p in 192.0.2.1 2001:db8:2::1; do
		wait_for 10 reach vp "$p" || lab_die "diamond: $p does not answer"
	done
}

diamond_ways()
{
	local i n line
	for i in 1 2 3 4; do
		line=''
		for n in a "b$i" "e$i" c; do
			[[ -n ${LAB_ID[$n]:-} ]] || continue
			if [[ $1 == *:* ]]; then line+="${LAB_A6[$n]} "; else
				line+="${LAB_A4[$n]} "; fi
		done
		echo "$line$1"
	done
}
