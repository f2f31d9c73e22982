#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tests/bench/shifts.sh BENCH_SHIFTS [DOC] - how often the shift detector is right and how fast it is:
# told, and written to DOC. The labelled series are not part of the project: without them
# (BENCH_SHIFTS_DATA, else ../shared/data/rtt-labelled) only the simulated months are run, and DOC
# stays as it is.

set -eu
bench=$1 doc=${2-}
data=${BENCH_SHIFTS_DATA:-../shared/data/rtt-labelled}

if [ ! -d "$data" ]; then
	echo "skipped: no labelled series in $data (BENCH_SHIFTS_DATA names them)"
	exec "$bench"
fi

text() {
	cat <<-END
	# Figures of the shift detector

	\`make bench-shifts\`: $(date -u +%Y-%m-%d), $(nproc) cores, $(uname -sr).

	Labelled series: 20 real and 6 artificial ones of W. Shao and others (ITC 29, 2017, arXiv 1709.04819;
	github.com/WenqinSHAO/rtt, MIT). A detection and a label match one to one within two points.
	Sustained: labels with at least eight points to the labels beside them; a detection at another label
	counts neither way. Of the files in order of their names every second one, from the first, is the
	part that parameters were chosen on; the others are reported on (doc/shifts.md: how far that holds).

	END
	"$bench" "$data"
}

text >"${doc:-/dev/stdout}"
[ -z "$doc" ] || cat "$doc"
