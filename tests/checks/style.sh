#!/bin/bash
# Files of at most 500 lines that say at their head what they own; no trailing blanks, no notes to self, no space indent.
# Usage: style.sh [SOURCE_ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
found=0
fault() {
	echo "$*" >&2
	found=1
}
code() { find lib include cli server examples tests packaging cmake -type f "$@" 2>/dev/null | sort; }

while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 500 ] || fault "$file: $lines lines; split it (at most 500)"
done < <(code \( -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.cmake' -o -name '*.txt' \))
while read -r file; do
	head -n 1 "$file" | grep -q '^/\*' || fault "$file:1: begin with a comment that says what the file owns"
	! grep -nE '^ +[^ *]' "$file" | head -n 1 | grep -q . || fault "$file: indent with tabs: $(grep -nE '^ +[^ *]' "$file" | head -n 1)"
done < <(code \( -name '*.c' -o -name '*.h' \))
while read -r file; do
	! grep -nE '[[:blank:]]+$' "$file" | head -n 1 | grep -q . || fault "$file: blanks at the end of line $(grep -nE '[[:blank:]]+$' "$file" | head -n 1 | cut -d: -f1)"
	! grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' "$file" | head -n 1 | grep -q . || fault "$file: note to self: $(grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' "$file" | head -n 1)"
done < <(code ! -path '*/data/*' ! -name '*.wav')
[ $found -eq 0 ] && echo "style: $(code | wc -l) files"
exit $found
