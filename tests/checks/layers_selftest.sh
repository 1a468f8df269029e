#!/bin/bash
# Proves that layers.sh catches what it is there for: each bad edge, put into a copy, must be named.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# must_refuse FILE LINE WORDS: with LINE in FILE of an otherwise clean tree, layers.sh fails and says WORDS.
must_refuse() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree"/lib/{base,store,keys,session,sip/originator} "$work/tree"/{cli,server/http,examples}
	echo '/* a */' | tee "$work/tree"/lib/{base/buf,store/db,keys/token,session/table}.h >/dev/null
	mkdir -p "$(dirname "$work/tree/$1")"
	printf '#include <stdio.h>\n%s\n' "$2" >"$work/tree/$1"
	if "$here/layers.sh" "$work/tree" >"$work/out" 2>&1; then
		echo "not caught: $1: $2"
		failed=1
	elif ! grep -qF -- "$3" "$work/out"; then
		echo "caught, but not named \"$3\": $1: $2"
		cat "$work/out"
		failed=1
	fi
}
must_pass() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree"/lib/{base,store,keys,engine,sip/originator} "$work/tree/cli"
	echo '/* a */' | tee "$work/tree"/lib/{base/buf,store/db,keys/token,ctx}.h >/dev/null
	mkdir -p "$(dirname "$work/tree/$1")"
	printf '%s\n' "$2" >"$work/tree/$1"
	"$here/layers.sh" "$work/tree" >"$work/out" 2>&1 || { echo "refused wrongly: $1: $2"; cat "$work/out"; failed=1; }
}

must_refuse lib/base/text.c '#include "store/db.h"' 'lib/base/text.c:2: edge base -> store/db.h'
must_refuse lib/keys/verify.c '#include "session/table.h"' 'edge keys -> session/table.h'
must_refuse lib/keys/verify.h '#include "ctx.h"' 'edge keys -> ctx.h'
must_refuse lib/base/env.c '#include "ctx.h"' 'edge base -> ctx.h'
must_refuse lib/news/news.c '#include "base/buf.h"' 'module "news" is not in edges.txt'
must_refuse lib/keys/verify.c '#include <sqlite3.h>' '<sqlite3.h> is known only to'
must_refuse lib/session/run.c '#include <re.h>' '<re.h> is known only to'
must_refuse lib/keys/verify.c '#include <json-c/json.h>' '<json-c/json.h> is known only to'
must_refuse lib/keys/verify.c 'static const char q[] = "SELECT id FROM api_key";' 'SQL outside store/'
must_refuse cli/main.c '#include "base/buf.h"' 'cli may include its own headers'
must_refuse cli/main.c '#include "../lib/base/buf.h"' 'cli may not look into lib/'
must_refuse examples/one.c '#include <base/buf.h>' 'examples may not look into lib/'
must_refuse server/routes/keys.c '#include <microhttpd.h>' '<microhttpd.h> is known only to: server/http'
must_refuse server/sandbox/main.c '#include "store/db.h"' 'edge server/sandbox -> store/db.h'
must_refuse server/routes/calls.c '#include "base/buf.h"' 'server may include its own headers'
must_pass server/sandbox/main.c '#include "base/buf.h"'
must_pass lib/keys/verify.c '#include "ctx.h"'
must_pass lib/keys/keys_sql.c 'static const char q[] = "SELECT id FROM api_key";'
must_pass lib/keys/verify.c '#include "token.h"'
must_pass lib/sip/originator/leg.c '#include <re.h>'
must_pass cli/main.c '#include <nexusvoip/keys.h>'
[ $failed -eq 0 ] && echo "layers: every planted fault was named"
exit $failed
