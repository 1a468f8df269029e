#!/bin/bash
# Holds three lists equal: NXV_API functions in the headers, lib/nexusvoip.map, and what the shared object exports.
# Usage: symbols.sh SOURCE_ROOT LIBNEXUSVOIP_SO
set -euo pipefail
root=$1
so=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A declaration may span lines, and __attribute__ may stand in front of the name.
cat "$root"/include/nexusvoip/*.h | tr '\n' ' ' | grep -oE 'NXV_API [^;{]*\(' | grep -oE 'nxv_[a-z0-9_]+ *\(' |
	tr -d ' (' | sort >"$work/headers"
sed -n '/global:/,/local:/{/:/!p}' "$root/lib/nexusvoip.map" | tr -d ' \t;' | grep . | sort >"$work/map"
nm -D --defined-only "$so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"

failed=0
compare() { # LEFT RIGHT WORDS: names in LEFT that RIGHT lacks
	local names
	names=$(comm -23 "$work/$1" "$work/$2")
	[ -z "$names" ] && return
	printf '%s:\n%s\n' "$3" "$names" >&2
	failed=1
}
for list in headers map; do
	[ -z "$(uniq -d "$work/$list")" ] || { echo "named twice in $list: $(uniq -d "$work/$list")" >&2; failed=1; }
done
compare headers map 'declared NXV_API in include/nexusvoip, missing from lib/nexusvoip.map'
compare map headers 'in lib/nexusvoip.map, not declared NXV_API in include/nexusvoip'
compare map exported 'in lib/nexusvoip.map, not exported by the library (not implemented?)'
compare exported map 'exported by the library, not in lib/nexusvoip.map'
[ $failed -eq 0 ] && echo "symbols: $(wc -l <"$work/map"), the same in headers, map and library"
exit $failed
