#!/bin/bash
# Runs the fuzz targets for a while, each from its corpus and with its dictionary; what is found is written to build/fuzz/finds
# and ends the run with 1.
# Usage: run.sh [SECONDS of each, 60] [TARGET, all]
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
only=${2:-}
found=0 ran=0

# Of a libFuzzer log: what it counted last under this name.
last() {
	grep -oE "$1 *[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$' || echo 0
}

for program in build/fuzz/tests/fuzz/fuzz_*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	subject=${program##*/fuzz_}
	[ -z "$only" ] || [ "$only" = "$subject" ] || continue
	ran=1
	work=build/fuzz/corpus/$subject finds=build/fuzz/finds/$subject log=build/fuzz/$subject.log
	dict=tests/fuzz/dict/$subject.dict
	mkdir -p "$work" "$finds"
	"$program" -max_total_time="$seconds" -max_len=16384 -timeout=10 -print_final_stats=1 -artifact_prefix="$finds/" \
		$([ -f "$dict" ] && echo "-dict=$dict") "$work" "tests/fuzz/corpus/$subject" >"$log" 2>&1
	if [ $? = 0 ]; then
		echo "$subject: $(last number_of_executed_units: "$log") inputs, $(last 'cov:' "$log") edges, no finds"
	else
		found=1
		echo "$subject: see $log and $finds"
		grep -m 2 -E '^(SUMMARY|==[0-9]+==ERROR)' "$log"
	fi
done
if [ $ran = 0 ]; then
	echo "no such target: $only; there are $(cd tests/fuzz && echo fuzz_*.c | sed 's/fuzz_\([a-z]*\)\.c/\1/g')" >&2
	exit 2
fi
exit $found
