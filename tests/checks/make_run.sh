#!/bin/bash
# Runs what `make run`, `make run` again, `make run DEMO=1` and `make stop` run, in a folder of its own, on one SIP server.
# Usage: make_run.sh SOURCE_ROOT BUILD opensips|kamailio
set -euo pipefail
root=$1
export BUILD=$2 NEXUSVOIP_SIP_SERVER=$3
PATH=$PATH:/usr/local/sbin:/usr/sbin
for program in "$3" baresip curl; do
	command -v "$program" >/dev/null || { echo "SKIPPED: there is no $program here"; exit 77; }
done
STATE=$(mktemp -d /tmp/nxv-run.XXXXXX)
export STATE
finish() {
	"$root/packaging/run.sh" stop >/dev/null 2>&1 || true
	rm -rf "$STATE"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

failed=0
must_say() { # FILE WORDS...
	local file=$1 words
	shift
	for words in "$@"; do
		grep -qF -- "$words" "$file" || { echo "not said by $file: $words"; failed=1; }
	done
}
must_not_say() { # FILE REGEX
	! grep -nE -- "$2" "$1" || { echo "said by $1, but should not: $2"; failed=1; }
}

"$root/packaging/run.sh" start </dev/null >"$STATE/first" 2>&1 || { cat "$STATE/first"; exit 1; }
must_say "$STATE/first" 'Admin key, shown this once:  sk_voip_' 'auth_pass=' 'curl ' 'nexusctl' "$3"
"$root/packaging/run.sh" start </dev/null >"$STATE/again" 2>&1 || { cat "$STATE/again"; exit 1; }
must_say "$STATE/again" 'runs already'
must_not_say "$STATE/again" 'sk_voip_|auth_pass'

# nexusd is killed: the SIP server goes on, and the next nexusd takes it up where it is.
kill -9 "$(cat "$STATE/nexusd.pid")"
server=$(sed -n 's/^pid=//p' "$STATE/sip/server.pid")
"$root/packaging/run.sh" start </dev/null >"$STATE/after_kill" 2>&1 || { cat "$STATE/after_kill"; exit 1; }
must_not_say "$STATE/after_kill" 'is taken by another program; SIP'
[ "$(sed -n 's/^pid=//p' "$STATE/sip/server.pid")" = "$server" ] || { echo "the SIP server did not outlive nexusd"; failed=1; }

# The printed curl command, as it stands: nobody is registered, which it must say.
sed -n '/^ *curl .*Content-Type/,/initiate$/p' "$STATE/first" >"$STATE/printed.sh"
sh "$STATE/printed.sh" >"$STATE/answer" 2>/dev/null
must_say "$STATE/answer" 'phone_not_registered'

"$root/packaging/demo.sh" </dev/null >"$STATE/demo.out" 2>&1 || { cat "$STATE/demo.out"; exit 1; }
must_say "$STATE/demo.out" "alice's phone rings" 'in-progress' 'alice hears bob' 'bob hears alice' 'completed' 'call/initiate'
must_not_say "$STATE/demo.out" 'sk_voip_'
cat "$STATE/demo.out"

"$root/packaging/run.sh" stop >"$STATE/stop" 2>&1
must_say "$STATE/stop" 'Stopped.'
for process in /proc/[0-9]*; do
	case $(readlink "$process/exe") in
	*/nexusd | */opensips | */kamailio | */baresip)
		! grep -qsF -- "$STATE" "$process/cmdline" || { echo "left running: $(tr '\0' ' ' <"$process/cmdline")"; failed=1; }
		;;
	esac
done
"$root/packaging/run.sh" start </dev/null >"$STATE/later" 2>&1 || { cat "$STATE/later"; exit 1; }
must_say "$STATE/later" 'The admin key was shown at the first start'
must_not_say "$STATE/later" 'sk_voip_'
kill -9 "$(cat "$STATE/nexusd.pid")"
"$root/packaging/run.sh" stop >"$STATE/late_stop" 2>&1
must_say "$STATE/late_stop" 'its SIP server is stopped now'
exit $failed
