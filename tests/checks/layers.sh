#!/bin/bash
# Fails on an include edge that edges.txt does not allow, on SQL outside its files, and says which and where.
# Usage: layers.sh [SOURCE_ROOT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
table=${EDGES:-$here/edges.txt}
cd "$root"

sources() {
	for part in lib cli server examples; do
		[ ! -d $part ] || find $part -type f \( -name '*.c' -o -name '*.h' \)
	done | sort
}

bad=0
report() {
	echo "$1" >&2
	bad=$((bad + 1))
}

# --- edges inside lib/, and foreign headers anywhere
edges=$({ sources | xargs -r grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null || true; } |
	awk -v table="$table" -v root=. '
	function has(list, word,   n, i, w) {
		n = split(list, w, " ")
		for (i = 1; i <= n; i++) if (w[i] == word) return 1
		return 0
	}
	# true when path is, or lies below, one of the places of a list
	function within(list, path,   n, i, w) {
		n = split(list, w, " ")
		for (i = 1; i <= n; i++) if (path == w[i] || index(path, w[i] "/") == 1) return 1
		return 0
	}
	function exists(path,   line, r) { r = (getline line < path); close(path); return r >= 0 }
	BEGIN {
		while ((getline line < table) > 0) {
			if (line ~ /^#/ || line !~ /:/) continue
			colon = index(line, ":")
			name = substr(line, 1, colon - 1); rest = substr(line, colon + 1)
			if (name ~ /^foreign /) foreign[substr(name, 9)] = rest
			else if (name ~ /^part /) part_of[substr(name, 6)] = rest
			else allowed[name] = rest
		}
	}
	{
		split($0, part, ":"); file = part[1]; lineno = part[2]
		text = substr($0, length(file) + length(lineno) + 3)
		if (!match(text, /[<"][^>"]*[>"]/)) next
		quoted = substr(text, RSTART, 1) == "\""
		header = substr(text, RSTART + 1, RLENGTH - 2)
		where = file ":" lineno ": "
		inside = file; sub(/^lib\//, "", inside)          # "keys/verify.c", or "cli/main.c"
		module = inside; if (!sub(/\/.*/, "", module)) sub(/\.[ch]$/, "", module)
		for (f in foreign)
			if (header == f || (f ~ /\/$/ && index(header, f) == 1))
				if (!within(foreign[f], inside))
					print where "<" header "> is known only to:" foreign[f]
		if (header ~ /^nexusvoip\//) next
		if (file !~ /^lib\//) {
			top = file; sub(/\/.*/, "", top)
			dir = file; sub(/\/[^\/]*$/, "", dir)
			inner = header; sub(/\/.*/, "", inner)
			for (p in part_of)
				if (within(p, file) && exists("lib/" header)) {
					if (!has(part_of[p], inner) && !has(part_of[p], header))
						print where "edge " p " -> " header " is not allowed (it may include:" part_of[p] ")"
					next
				}
			if (quoted && !exists(dir "/" header) && !exists(top "/" header))
				print where top " may include its own headers, <nexusvoip/...> and the system, not \"" header "\""
			if (!quoted && exists("lib/" header) && header ~ /\//)
				print where top " may not look into lib/: <" header ">"
			if (header ~ /(^|\/)lib\//) print where top " may not look into lib/: " header
			next
		}
		if (!quoted) next
		dir = file; sub(/\/[^\/]*$/, "", dir)
		target = exists(dir "/" header) && header !~ /\// ? dir "/" header : header
		sub(/^lib\//, "", target)
		to = target; if (!sub(/\/.*/, "", to)) sub(/\.[ch]$/, "", to)
		if (!(module in allowed)) {
			print where "module \"" module "\" is not in edges.txt: say there what it may include"
			next
		}
		if (to == module || has(allowed[module], to) || has(allowed[module], target)) next
		if (inside ~ /\.c$/ && has(allowed["public.c"], module) && has(allowed["public.ports"], target)) next
		print where "edge " module " -> " target " is not allowed (it may include:" allowed[module] ")"
	}')
[ -z "$edges" ] || while IFS= read -r line; do report "$line"; done <<<"$edges"

# --- SQL lives in store/ and in one *_sql.c per domain
sql=$(sources | grep -vE '^lib/store/|_sql\.c$' |
	xargs -r grep -nE '"[[:space:]]*(SELECT |INSERT (OR [A-Z]+ )?INTO |UPDATE [a-z_]+ SET|DELETE FROM |CREATE (TABLE|INDEX|UNIQUE)|DROP TABLE|PRAGMA )' /dev/null || true)
[ -z "$sql" ] || while IFS= read -r line; do report "SQL outside store/ and *_sql.c: $line"; done <<<"$sql"

[ $bad -eq 0 ] || { echo "layers: $bad faults" >&2; exit 1; }
echo "layers: $(sources | wc -l) files, every edge points down"
