#!/bin/bash
# Configures and builds one preset quietly: a line of progress, the compiler's words only when something fails.
# Usage: build.sh PRESET [CMAKE OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
mkdir -p "build/$preset"
log=build/$preset/build.log

say_failure() {
	echo "build: preset $preset failed; the last lines of $log:" >&2
	tail -n 40 "$log" >&2
	exit 1
}

echo "Building ($preset) ..."
cmake --preset "$preset" "$@" >"$log" 2>&1 || say_failure
cmake --build --preset "$preset" --parallel "${JOBS:-$(nproc)}" >>"$log" 2>&1 || say_failure
