#!/bin/bash
# `make run DEMO=1`: two headless phones register with the credentials of alice and bob; the API is asked for a call; what
# happens is shown as it happens, and each phone's recording is searched for the other's tone. Ends what it started.
set -euo pipefail
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/lib.sh"

url=$(url_of_server)
header=$state/demo/alice.header
[ -n "$url" ] && [ -s "$header" ] || die "The gateway does not run; make run starts it."
command -v baresip >/dev/null || die "The demo's phones are baresip: apt-get install baresip-core"
tone=$bin/packaging/tone
started=$(date +%s%N)
work=$(mktemp -d "$state/demo/live.XXXXXX")
pids=()

finish() {
	local pid
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() { printf '%6.1f s  %s\n' "$((($(date +%s%N) - started) / 100000000))e-1" "$*"; }

# Every API request of the demo; the key reaches curl in a file, never on its command line.
api() { # METHOD PATH [BODY]
	curl -sS --max-time 20 -X "$1" -H "@$header" -H 'Content-Type: application/json' -H "X-Request-Id: demo-$(basename "$work")" \
		${3:+-d "$3"} "$url$2"
}

# start_phone NAME TONE_HZ ACCOUNT...: a baresip with its own folder, tone, recorder and ports.
declare -A control sip_port
start_phone() {
	local name=$1 dir=$work/$1 rtp
	mkdir -p "$dir/rec"
	"$tone" make "$dir/tone.wav" "$2" 60
	sip_port[$name]=$(free_port "$((15200 + ${#pids[@]} * 20))" 2)
	control[$name]=$(free_port "$((15300 + ${#pids[@]} * 20))" 2)
	rtp=$(free_port "$((18000 + ${#pids[@]} * 100))" 100)
	shift 2
	printf '%s\n' "$@" >"$dir/accounts"
	: >"$dir/contacts"
	cat >"$dir/config" <<-EOT
		sip_listen 127.0.0.1:${sip_port[$name]}
		net_interface 127.0.0.1
		rtp_ports $rtp-$((rtp + 40))
		call_local_timeout 120
		audio_path /usr/share/baresip
		audio_source aufile,$dir/tone.wav
		audio_alert aufile,/dev/null
		ausrc_srate 8000
		auplay_srate 8000
		ausrc_channels 1
		auplay_channels 1
		module_path $(dirname "$(dpkg -L baresip-core | grep '/modules/account.so$')")
		module g711.so
		module aufile.so
		$(grep -q aubridge "$dir/accounts" && echo 'module aubridge.so')
		module sndfile.so
		module uuid.so
		module account.so
		module_app menu.so
		module_app ctrl_tcp.so
		ctrl_tcp_listen 127.0.0.1:${control[$name]}
		snd_path $dir/rec
	EOT
	baresip -f "$dir" </dev/null >"$dir/log" 2>&1 &
	pids+=($!)
	until_true 50 grep -qs 'baresip is ready' "$dir/log" || fail "$name's phone does not start"
}

# command_phone NAME (WORD PARAMETER)...: commands to a phone over its control port, netstrings of JSON.
command_phone() {
	local text all='' port=${control[$1]}
	shift
	while [ $# -gt 0 ]; do
		text='{"command":"'$1'","params":"'$2'"}'
		all+=${#text}:$text,
		shift 2
	done
	printf '%s' "$all" >"/dev/tcp/127.0.0.1/$port"
}

registered() { # USER
	[ "$(nexusctl registrations list --json | grep -o "\"username\" *: *\"$(cat "$state/demo/$1.username")\"" | wc -l)" -gt 0 ]
}

# until_true TENTHS_OF_A_SECOND COMMAND...
until_true() {
	local left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.1
	done
}

phone_rings() { grep -q 'Incoming call from' "$work/$1/log"; }
status_is() { # WORD...: the call's status is one of these; it is left in $session
	session=$(api GET "/api/v1/opensips/call/$id")
	case " $* " in
	*" $(json_text status <<<"$session") "*) ;;
	*)
		sleep 0.3 # the key has 100 requests a minute
		return 1
		;;
	esac
}
fail() {
	say "FAILED: $*"
	for user in alice bob ear; do
		echo "--- $user's phone:" >&2
		tail -n 5 "$work/$user/log" | tr '\r' '\n' | tail -n 5 >&2
	done
	echo "--- nexusd:" >&2
	tail -n 10 "$state/nexusd.log" >&2
	exit 1
}

# hears RECORDER OWN_HZ OTHER_HZ: what the phone received holds the other's tone, and not its own.
hears() {
	local file levels own other
	file=$(ls "$work/$1"/rec/*-dec.wav 2>/dev/null | tail -n 1)
	[ -n "$file" ] && levels=$("$tone" level "$file" "$2" "$3" 2>/dev/null) || return 1
	own=$(awk 'NR == 1 { print $2 }' <<<"$levels")
	other=$(awk 'NR == 2 { print $2 }' <<<"$levels")
	heard="$3 Hz at $other dB, $2 Hz at $own dB"
	awk -v own="$own" -v other="$other" 'BEGIN { exit !(other > -30 && other > own + 20) }'
}

echo
echo "== A call between two phones"
# baresip 1.0 stops recording what it hears once it was offered silence, as a caller is until the callee answers. So what
# alice's phone plays goes on, inside that program, to a second account of it, which has a third phone on the line that records.
start_phone ear 1000 '<sip:ear@127.0.0.1>;regint=0;answermode=auto'
start_phone alice 440 '<sip:alice-ear@127.0.0.1>;regint=0;audio_source=aubridge,ear;audio_player=aubridge,nowhere' \
	"$(cat "$state/demo/alice.account");audio_player=aubridge,ear"
start_phone bob 880 "$(cat "$state/demo/bob.account")"
say "two phones started: alice's plays a tone of 440 Hz, bob's one of 880 Hz"
for user in alice bob; do
	until_true 100 registered $user || fail "$user's phone did not register"
done
say "both are registered with their credentials"

answer=$(api POST /api/v1/opensips/call/initiate '{"fromNumber":"+1234567890","toNumber":"bob","useTwilio":false}')
id=$(json_text sessionId <<<"$answer")
[ -n "$id" ] || fail "call/initiate answered: $answer"
say "POST call/initiate: $id, $(json_text status <<<"$answer")"
until_true 50 phone_rings alice || fail "alice's phone does not ring"
say "alice's phone rings"
sleep 1
command_phone alice accept ''
say "alice answers"
sleep 0.5
command_phone alice uafind sip:alice-ear@127.0.0.1 dial "sip:ear@127.0.0.1:${sip_port[ear]}"
until_true 100 phone_rings bob || fail "bob's phone does not ring"
status_is ringing || fail "the API says $(json_text status <<<"$session")"
say "bob's phone rings; the API says: $(json_text status <<<"$session")"
sleep 1
command_phone bob accept ''
until_true 25 status_is in-progress || fail "the API says $(json_text status <<<"$session")"
say "bob answers; the API says: $(json_text status <<<"$session")"
sleep 3
until_true 50 hears ear 440 880 || fail "alice does not hear bob (${heard:-no recording})"
say "alice hears bob:   $heard"
until_true 50 hears bob 880 440 || fail "bob does not hear alice (${heard:-no recording})"
say "bob hears alice:   $heard"
api POST "/api/v1/opensips/call/$id/end" >/dev/null
until_true 25 status_is completed || fail "the API says $(json_text status <<<"$session")"
say "POST call/.../end; the API says: completed, $(json_text endReason <<<"$session"), $(sed -nE 's/.*"durationSeconds" *: *([0-9]+).*/\1/p' <<<"$session") s"

echo
echo "== What it left in the usage log"
nexusctl usage list --user alice --limit 50 | grep -E "^AT |demo-$(basename "$work") "
