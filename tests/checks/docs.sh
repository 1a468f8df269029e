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

# Lists that the guide repeats from the code: configuration options, with their defaults, and the reasons calls end for.
same() { # WHAT WHERE < lines of "- missing there", "+ not in the code"
	local line
	while read -r line; do fault "$2: $1 differs from the code: $line"; done
}
options() { sed -nE 's/.*OPT\("([a-z0-9_.]+)", *"[A-Z0-9_]+", *"([^"]*)".*/\1=\2/p' lib/config/options.c | sort; }
listed() { sed -nE 's/^\| `([a-z0-9_.]+)` \| `NEXUSVOIP_[A-Z0-9_]+` \| `?([^`|]*)`? \|.*/\1=\2/p' docs/guide/configuration.md | sed 's/ *$//' | sort; }
example() { awk '/^\[/ { s = substr($0, 2, length($0) - 2) } /^#[a-z0-9_]+ =/ { n = $1; sub(/^#/, "", n); v = $0; sub(/^[^=]*= */, "", v); print s "." n "=" v }' packaging/nexusvoip.conf | sort; }
reasons() { sed -n '/call_reasons\[\]/,/NULL/p' lib/session/state_table.c | grep -oE '"[a-z_]+"' | tr -d '"' | sort; }
told() { sed -n '/^## End reasons/,/^## /p' docs/guide/calls.md | sed -nE 's/^\| `([a-z_]+)` .*/\1/p' | sort; }
numbers() { sed -nE 's/^\t\{ "([^"]+)", "([^"]+)", "([^"]+)" \},$/\1=\2=\3/p' server/sandbox/numbers.c | sort; }
dialled() { sed -n '/^## Numbers/,/^## What/p' docs/guide/sandbox.md | sed -nE 's/^\| `?([^`|]+)`? \| (to|from|to or from) \| (.*) \|$/\1=\2=\3/p' | sort; }
kinds() { sed -nE 's/^\t\[FAULT_[A-Z0-9_]+\] = \{ "([a-z_0-9]+)".*/\1/p' server/sandbox/faults.c | grep -vx none | sort; }
faults_told() { sed -n '/^| kind /,$p' docs/guide/sandbox.md | sed -nE 's/^\| `([a-z_]+)` .*/\1/p' | sort; }
differs() { diff "$1" "$2" | sed -nE 's/^</-/p; s/^>/+/p' || true; }
[ "$(options | wc -l)" -gt 20 ] || fault "lib/config/options.c: its options were not understood by this check"
same 'an option or default' docs/guide/configuration.md < <(differs <(options) <(listed))
same 'an option or default' packaging/nexusvoip.conf < <(differs <(options) <(example))
[ "$(reasons | wc -l)" -gt 10 ] || fault "lib/session/state_table.c: its reasons were not understood by this check"
same 'an end reason' docs/guide/calls.md < <(differs <(reasons) <(told))

# The releases of SIP servers that the tests ran on, first column of the guide's table being the server's name.
tried() { sed -nE 's/^#define (OPENSIPS|KAMAILIO)_RELEASES "(.*)"/\1 \2/p' lib/sip/*/impl.h | tr '[:upper:]' '[:lower:]' | sort; }
written() { sed -nE 's/^\| (OpenSIPS|Kamailio)[^|]*\| ([0-9., ]+) \|.*/\1 \2/p' docs/guide/sip-servers.md | tr '[:upper:]' '[:lower:]' | sort; }
[ "$(tried | wc -l)" -eq 2 ] || fault "lib/sip/*/impl.h: its releases were not understood by this check"
same 'a release' docs/guide/sip-servers.md < <(differs <(tried) <(written))

[ "$(numbers | wc -l)" -gt 10 ] || fault "server/sandbox/numbers.c: its numbers were not understood by this check"
same 'a number of the sandbox' docs/guide/sandbox.md < <(differs <(numbers) <(dialled))
[ "$(kinds | wc -l)" -gt 10 ] || fault "server/sandbox/faults.c: its faults were not understood by this check"
same 'a fault of the sandbox' docs/guide/sandbox.md < <(differs <(kinds) <(faults_told))

version=$(sed -nE 's/^project\(nexusvoip VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
[ -n "$version" ] || fault "CMakeLists.txt: no project version found"
top=$(sed -nE 's/^## \[([0-9.]+)\].*/\1/p' CHANGELOG.md | head -n 1)
[ "$top" = "$version" ] || fault "CHANGELOG.md begins with version \"$top\", CMakeLists.txt says $version"
[ $found -eq 0 ] && echo "docs: $links links, version $version"
exit $found
