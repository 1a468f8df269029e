#!/bin/bash
# Installs the packages of a package.json (this folder's, or another one's) into a folder of the build, once; runs no
# script of theirs. Safe to call at the same time from many tests. Exit 77, and a line why, where that is not possible.
# Usage: install.sh FOLDER [FOLDER_OF_PACKAGE_JSON]
set -euo pipefail
here=$(cd "${2:-$(dirname "$0")}" && pwd)
folder=$1
what=install
lock=--no-package-lock
if [ -e "$here/package-lock.json" ]; then
	what=ci
	lock=
fi

skip() {
	echo "SKIPPED: $*"
	exit 77
}
command -v node >/dev/null || skip "there is no node here"
command -v npm >/dev/null || skip "there is no npm here"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $major is too old for the packages of $here; 18 is needed"
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock -w 240 9 || skip "another test has been installing npm packages into $folder for minutes"
cmp -s "$here/package.json" "$folder/done.json" && exit 0
cp "$here"/package*.json "$folder/"
timeout 200 npm $what --prefix "$folder" --ignore-scripts --no-audit --no-fund $lock --no-update-notifier \
	--fetch-retries 1 --fetch-timeout 30000 --loglevel error >"$folder/install.log" 2>&1 </dev/null 9>&- || {
	tail -n 5 "$folder/install.log"
	skip "npm could not fetch the packages of ${here#"$PWD"/}/package.json (offline?)"
}
cp "$here/package.json" "$folder/done.json"
