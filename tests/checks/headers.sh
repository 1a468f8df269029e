#!/bin/bash
# Compiles every public header alone, as C11 and as C++17, with each compiler found; inner headers alone as C11.
# Usage: headers.sh SOURCE_ROOT [COMPILER OPTIONS for inner headers...]
set -euo pipefail
root=$1
shift
strict="-fsyntax-only -Wall -Wextra -Wpedantic -Werror"
failed=0 done=0

try() { # LANGUAGE STANDARD COMPILER HEADER OPTIONS...
	local language=$1 standard=$2 compiler=$3 header=$4
	shift 4
	# Twice, so that a missing include guard shows.
	printf '#include "%s"\n#include "%s"\nextern int nxv_unit_is_not_empty;\n' "$header" "$header" |
		$compiler -x "$language" -std="$standard" $strict "$@" - || { echo "$header does not stand alone as $standard ($compiler)" >&2; failed=1; }
	done=$((done + 1))
}
for compiler in gcc clang g++ clang++; do
	command -v $compiler >/dev/null || { echo "headers: no $compiler here"; continue; }
	for header in "$root"/include/nexusvoip/*.h; do
		case $compiler in
		*++) try c++ c++17 $compiler "nexusvoip/${header##*/}" -I "$root/include" ;;
		*) try c c11 $compiler "nexusvoip/${header##*/}" -I "$root/include" -D_POSIX_C_SOURCE=200809L ;;
		esac
	done
done
while read -r header; do
	try c c11 gcc "$header" -I "$root/include" -I "$root/lib" -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wno-pedantic "$@"
done < <(cd "$root/lib" && find . -name '*.h' | sed 's,^\./,,' | sort)
[ $failed -eq 0 ] && echo "headers: $done compilations"
exit $failed
