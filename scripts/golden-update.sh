#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/golden-update.sh - `make golden-update`: write the golden files again as the programs of
# now would have them, and the fuzz seeds from the unit tables. What changed is a diff to be read
# before it is committed.

set -eu
cd "$(dirname "$0")/.."
unit=build/tests/unit
seeds=tests/fuzz/corpus

"$unit/prober/method/test_golden" --update
tests/golden/packets/dissect.sh --update
perl tests/golden/mmdb/make.pl tests/golden/mmdb
for test in "$unit"/analysis/report/test_* "$unit"/{analysis/test_recorded,campaign/test_metrics}; do
	[ "${test%.d}" != "$test" ] || GOLDEN_UPDATE=1 "$test" >/dev/null 2>&1 ||
		echo "golden-update: $test fails: is it the golden file?"
done

for target in tests/fuzz/fuzz_*.c; do
	mkdir -p "$seeds/$(basename "$target" .c | sed s/^fuzz_//)"
done
cp tests/golden/mmdb/*.mmdb "$seeds/mmdb/"
"$unit/prober/method/test_golden" --seeds "$seeds/packet"
"$unit/prober/test_plan" "$seeds/plan"
"$unit/geo/test_profile_errors" dump "$seeds/profile"
for test in "$unit"/core/{,record/}test_* "$unit"/prober/test_{input,limits} \
	"$unit"/prober/io/test_capture "$unit"/campaign/test_{frames,plan_errors} "$unit"/campaign/fleet/test_batch; do
	GOLDEN_UPDATE=1 FUZZ_SEEDS=$seeds "$test" >/dev/null 2>&1 || echo "golden-update: $test fails"
done
git status --short tests/golden "$seeds"
