#!/bin/bash
# Builds and runs the tests: first the unit and integration tests under AddressSanitizer and UBSan, then everything.
# The last lines are ctest's own summary of the second run, after a list of what was skipped and why.
set -uo pipefail
cd "$(dirname "$0")/.."

# suite PRESET CTEST_OPTION...: ctest with the skipped tests' reasons in front of its summary. Most tests wait most of
# their time (for a phone to ring, a timer to run out), so three at once are faster on any machine.
suite() {
	local preset=$1
	shift
	ctest --preset "$preset" --parallel 3 --no-tests=error "$@" 2>&1 |
		awk -v log_file="build/$preset/Testing/Temporary/LastTest.log" '
		/tests passed, [0-9]+ tests? failed/ { summing = 1 }
		!summing { print; fflush(); next }
		{ summary = summary $0 "\n" }
		END {
			while ((getline line < log_file) > 0) {
				if (line ~ /^[0-9]+\/[0-9]+ Testing: /) { name = line; sub(/^[^:]*: /, "", name) }
				if (line !~ /^SKIPPED: /) continue
				why = substr(line, 10)
				if (!(why in tests)) reasons[++count] = why
				tests[why] = tests[why] " " name
			}
			if (count) print "Skipped, in whole or in part, and why:"
			for (i = 1; i <= count; i++) print "  " reasons[i] ":" tests[reasons[i]]
			if (count) print ""
			printf "%s", summary
		}'
	return "${PIPESTATUS[0]}"
}

packaging/build.sh asan || exit 1
packaging/build.sh dev || exit 1
echo "== Unit and integration tests under AddressSanitizer and UndefinedBehaviorSanitizer"
suite asan -L 'unit|integration'
sanitized=$?
echo
echo "== All tests"
suite dev
plain=$?
if [ $sanitized -ne 0 ] && [ $plain -eq 0 ]; then
	echo "The sanitized run above failed." >&2
fi
[ $sanitized -eq 0 ] && [ $plain -eq 0 ]
