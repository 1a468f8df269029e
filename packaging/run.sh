#!/bin/bash
# `make run` and `make stop`: the gateway and its SIP server in a private folder, on loopback, in the background.
# Usage: run.sh start | stop
set -euo pipefail
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/lib.sh"

# The SIP server that a nexusd which was killed left running: the next one takes it up, with its calls, on the same port.
sip_server_left() {
	local pid
	pid=$(sed -n 's/^pid=//p' "$state/sip/server.pid" 2>/dev/null) && [ -n "$pid" ] &&
		tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$state/sip/"
}

# Ports are chosen at the first start and kept; one that somebody else has taken meanwhile is replaced.
choose_ports() {
	local http sip
	http=$(sed -nE '/^\[http\]/,/^\[/s/^listen *= *127.0.0.1:([0-9]+)$/\1/p' "$state/nexusvoip.conf" 2>/dev/null || true)
	sip=$(sed -nE '/^\[sip\]/,/^\[/s/^listen *= *127.0.0.1:([0-9]+)$/\1/p' "$state/nexusvoip.conf" 2>/dev/null || true)
	if [ -e "$state/nexusvoip.conf" ] && { [ -z "$http" ] || [ -z "$sip" ]; }; then
		return # edited by hand: the owner's ports stand
	fi
	local want_http=${http:-8080} want_sip=${sip:-5060}
	http=$(free_port "$want_http" 1)
	sip_server_left && sip=$want_sip || sip=$(free_port "$want_sip" 10)
	[ "$http" = "$want_http" ] || echo "Port $want_http is taken by another program; HTTP goes to $http."
	[ "$sip" = "$want_sip" ] || echo "Port $want_sip is taken by another program; SIP goes to $sip."
	if [ ! -e "$state/nexusvoip.conf" ]; then
		printf '# Made by `make run`; yours to edit.\n[http]\nlisten = 127.0.0.1:%s\n\n[sip]\nlisten = 127.0.0.1:%s\n' \
			"$http" "$sip" >"$state/nexusvoip.conf"
	elif [ "$http" != "$want_http" ] || [ "$sip" != "$want_sip" ]; then
		sed -i -E "/^\[http\]/,/^\[/s/^listen *=.*/listen = 127.0.0.1:$http/; /^\[sip\]/,/^\[/s/^listen *=.*/listen = 127.0.0.1:$sip/" \
			"$state/nexusvoip.conf"
	fi
}

# Where no account at Twilio is configured, the sandbox stands in: calls over Twilio work, and none is real.
sandbox_option() {
	[ -n "${NEXUSVOIP_TWILIO_ACCOUNT_SID:-}" ] ||
		sed -nE '/^\[twilio\]/,/^\[/p' "$state/nexusvoip.conf" | grep -qE '^account_sid *= *[^ ]' || echo --sandbox
}

start_server() {
	: >"$state/nexusd.log"
	# shellcheck disable=SC2046
	setsid "$bin/server/nexusd" --state "$state" $(sandbox_option) </dev/null >"$state/nexusd.log" 2>&1 &
	echo $! >"$state/nexusd.pid"
	for _ in $(seq 150); do
		[ -z "$(url_of_server)" ] || return 0
		kill -0 "$(cat "$state/nexusd.pid")" 2>/dev/null || break
		sleep 0.1
	done
	echo "nexusd did not become ready; its last words ($state/nexusd.log):" >&2
	tail -n 20 "$state/nexusd.log" >&2
	stop_server
	exit 1
}

stop_server() {
	local pid
	pid=$(pid_of_server) || { rm -f "$state/nexusd.pid"; return 1; }
	kill "$pid"
	for _ in $(seq 150); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	! kill -0 "$pid" 2>/dev/null || die "nexusd (process $pid) does not stop; kill -9 $pid ends it."
	rm -f "$state/nexusd.pid"
}

# One phone: a credential for a user, kept as a baresip account line that only the owner of the folder can read.
make_phone() { # USER
	local made username domain proxy
	made=$(nexusctl credentials create --user "$1" --json)
	username=$(json_text username <<<"$made")
	domain=$(json_text domain <<<"$made")
	proxy=$(json_text proxyServer <<<"$made")
	printf '<sip:%s@%s>;auth_pass=%s;outbound="sip:%s;transport=udp";regint=300;answermode=manual\n' \
		"$username" "$domain" "$(json_text password <<<"$made")" "$proxy" >"$state/demo/$1.account"
	echo "$username" >"$state/demo/$1.username"
}

# The demo users alice and bob: a phone each; alice also gets an API key, kept as a header file for curl.
make_demo_users() {
	mkdir -p "$state/demo"
	local secret user
	if [ ! -s "$state/demo/alice.header" ]; then
		secret=$(nexusctl keys create --user alice --name 'make run' --permissions call,sip,recording --json | json_text key)
		printf 'Authorization: Bearer %s\n' "$secret" >"$state/demo/alice.header"
	fi
	for user in alice bob; do
		[ -s "$state/demo/$user.account" ] || make_phone "$user"
	done
}

# A phone's account names the proxy's port: after a change of ports the line follows.
refresh_phones() {
	local port user
	port=$(sed -nE '/^\[sip\]/,/^\[/s/^listen *= *127.0.0.1:([0-9]+)$/\1/p' "$state/nexusvoip.conf")
	[ -n "$port" ] || return 0
	for user in alice bob; do
		[ ! -e "$state/demo/$user.account" ] || sed -i -E "s/sip:127\.0\.0\.1:[0-9]+;/sip:127.0.0.1:$port;/" "$state/demo/$user.account"
	done
}

say_phone() { # USER
	echo "  $1:  $(cat "$state/demo/$1.account")"
}

say_twilio() {
	[ -n "$(sandbox_option)" ] || return 0
	cat <<-EOT
	Ring alice's phone, then a telephone number, by way of Twilio's stand-in: no real call, nothing to pay, an echo at the other end:
	  curl -H @$header -H 'Content-Type: application/json' \\
	    -d '{"fromNumber":"+1234567890","toNumber":"+0987654321","useTwilio":true}' $url/api/v1/opensips/call/initiate
	  $bin/cli/nexusctl --state $state call start --user alice --from +1234567890 --to +0987654321 --twilio
	  $bin/server/nexus-sandbox --numbers     # what other numbers do
	EOT
}

say_how() {
	local url header
	url=$(url_of_server)
	header=$state/demo/alice.header
	cat <<-EOT

	Ring alice's phone, then bob's, and join them:
	  curl -H @$header -H 'Content-Type: application/json' \\
	    -d '{"fromNumber":"+1234567890","toNumber":"bob","useTwilio":false}' $url/api/v1/opensips/call/initiate
	  $bin/cli/nexusctl --state $state call start --user alice --from +1234567890 --to bob

$(say_twilio)

	See what goes on:
	  curl -H @$header $url/api/v1/opensips/health
	  $bin/cli/nexusctl --state $state call list
	  $bin/cli/nexusctl --state $state usage list

	make run DEMO=1   two phones make that call here      make stop   stops it all
	EOT
}

start() {
	local first=no admin pid
	mkdir -p "$state"
	if pid=$(pid_of_server); then
		echo "nexusd runs already on $(url_of_server) (process $pid, state in $state)."
		case $(readlink "/proc/$pid/exe") in
		*' (deleted)') echo "It was built again since: make stop, then make run, takes the new one." ;;
		esac
		[ -n "${DEMO:-}" ] || say_how
		return
	fi
	choose_ports
	refresh_phones
	if [ ! -e "$state/nexusvoip.db" ]; then
		first=yes
		admin=$(nexusctl init --json | json_text adminKey)
		[ -n "$admin" ] || die "nexusctl init gave no admin key."
		printf 'Admin key, shown this once:  %s\n\n' "$admin"
	fi
	start_server
	trap 'stop_server || true' EXIT
	nexusctl sip start
	make_demo_users
	trap - EXIT
	printf '\nnexusd runs on %s (process %s, state in %s).\n' "$(url_of_server)" "$(pid_of_server)" "$state"
	[ $first = yes ] || echo "The admin key was shown at the first start; $bin/cli/nexusctl --state $state keys create makes another."
	printf '\nTwo phones (baresip account lines, for ~/.baresip/accounts; any SIP phone takes the same data):\n'
	say_phone alice
	say_phone bob
	[ -n "${DEMO:-}" ] || say_how
}

case ${1:-} in
start) start ;;
stop)
	if stop_server; then
		echo "Stopped."
	elif sip_server_left; then
		nexusctl sip stop >/dev/null
		echo "nexusd had ended already; its SIP server is stopped now."
	else
		echo "Nothing that make run started is running."
	fi
	;;
*) die "usage: run.sh start | stop" ;;
esac
