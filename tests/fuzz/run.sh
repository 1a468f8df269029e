#!/bin/bash
# Runs every fuzz target for a while, from its corpus; what it finds is written to build/fuzz/finds and ends the run with 1.
# Usage: run.sh [SECONDS of each, 60]
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
found=0
for program in build/fuzz/tests/fuzz/fuzz_*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	subject=${program##*/fuzz_}
	work=build/fuzz/corpus/$subject finds=build/fuzz/finds/$subject
	mkdir -p "$work" "$finds"
	if "$program" -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 -artifact_prefix="$finds/" \
		"$work" "tests/fuzz/corpus/$subject" >"build/fuzz/$subject.log" 2>&1; then
		echo "$subject: $(sed -n 's/.*number_of_executed_units: *//p' "build/fuzz/$subject.log") inputs, no finds"
	else
		found=1
		echo "$subject: see build/fuzz/$subject.log and $finds"
		grep -m 2 -E '^(SUMMARY|==[0-9]+==ERROR)' "build/fuzz/$subject.log"
	fi
done
exit $found
