#!/bin/sh
# run.sh KILLS CALLS SERVER_KILLS - the storm at full strength on every SIP server that is installed; prints its figures.
set -u
failed=0
for server in opensips kamailio; do
	echo "== $server"
	NXV_STORM="$1 $2 $3" build/dev/tests/e2e/e2e_storm "$server" >"build/storm-$server.log" 2>&1
	case $? in
	0) grep -E 'kills over|calls,' "build/storm-$server.log" ;;
	77) grep SKIPPED "build/storm-$server.log" ;;
	*) failed=1; grep -vE 'module=' "build/storm-$server.log" | head -60; echo "failed: see build/storm-$server.log" ;;
	esac
done
exit $failed
