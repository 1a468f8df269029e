#!/bin/bash
# Runs the examples that need no SIP server, as their heads say; the calling ones run in the end-to-end tests.
# Usage: examples.sh FOLDER_OF_PROGRAMS
set -euo pipefail
cd "$1"
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
die() {
	echo "$*" >&2
	exit 1
}

./create_key "$state/s" alice 'an example' call,sip >"$state/key" 2>"$state/said"
grep -qE '^sk_voip_[0-9A-Za-z_-]+$' "$state/key" || die "create_key printed no key: $(cat "$state/said")"
said=$(./verify_key "$state/s" <"$state/key")
[[ $said == key_*"(an example) of alice, may: call sip" ]] || die "verify_key said: $said"
! ./verify_key "$state/s" <<<sk_voip_wrong 2>"$state/said" || die "verify_key took a wrong key"
! ./create_key "$state/s" alice '' call 2>"$state/said" >/dev/null || die "create_key took an empty name"
grep -q name "$state/said" || die "create_key does not say that the name is wrong: $(cat "$state/said")"
[ -z "$(./list_usage "$state/s" alice)" ] || die "list_usage invents rows"
./watch_events "$state/s" 0 1 | grep -qE '^[0-9]+ [0-9TZ:.-]+ key.created key_' || die "watch_events does not show the key's creation"
./place_call "$state/s" alice 2>/dev/null && die "place_call took too few arguments"
echo "examples: each does what it says"
