#!/bin/bash
# Documents hold together: relative links and anchors lead somewhere, and one version is written everywhere.
# Usage: docs.sh [SOURCE_ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/../..}"
found=0
fault() {
	echo "$*" >&2
	found=1
}

anchors() { # of a Markdown file, as GitHub makes them
	sed '/^```/,/^```/d' "$1" | sed -nE 's/^#{1,6} +(.*)$/\1/p' | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}
links=0
while read -r file; do
	while read -r link; do
		case $link in
		*://* | mailto:*) continue ;;
		esac
		links=$((links + 1))
		path=${link%%#*}
		target=$file
		[ -z "$path" ] || target=$(dirname "$file")/$path
		[ -e "$target" ] || { fault "$file: link to $link, which is not there"; continue; }
		case $link in
		*#*) anchors "$target" | grep -qxF -- "${link#*#}" || fault "$file: $link: no such heading" ;;
		esac
	done < <(sed '/^```/,/^```/d' "$file" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//')
done < <(find . -name '*.md' ! -path './build/*' ! -path './.git/*' | sed 's,^\./,,' | sort)

version=$(sed -nE 's/^project\(nexusvoip VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
[ -n "$version" ] || fault "CMakeLists.txt: no project version found"
top=$(sed -nE 's/^## \[([0-9.]+)\].*/\1/p' CHANGELOG.md | head -n 1)
[ "$top" = "$version" ] || fault "CHANGELOG.md begins with version \"$top\", CMakeLists.txt says $version"
[ $found -eq 0 ] && echo "docs: $links links, version $version"
exit $found
