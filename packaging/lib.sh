# lib.sh - what run.sh and demo.sh share: where things are, free ports, reading one member of a JSON text.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${BUILD:-$root/build/release}
state=$(realpath -m "${STATE:-$root/build/run}")

die() {
	echo "$*" >&2
	exit 1
}

# The SIP server's control socket lies in the state folder, and a socket's path has little room.
if [ "${#state}" -gt 70 ]; then
	state=${XDG_STATE_HOME:-$HOME/.local/state}/nexusvoip-$(cksum <<<"$state" | cut -d' ' -f1)
	[ "${#state}" -le 70 ] || die "The path $state is too long for a socket; name a shorter folder: make run STATE=/tmp/nexusvoip"
fi

# Private files only; numbers are written with a point.
umask 077
export LC_ALL=C

nexusctl() { "$bin/cli/nexusctl" --state "$state" "$@"; }

# json_text MEMBER <JSON: the first text member of that name; good enough for the flat objects nexusctl prints.
json_text() { tr -d '\n' | sed -nE 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"([^"]*)".*/\1/p' | head -n 1; }

# port_busy PORT: something listens on it, over TCP or UDP. The kernel's tables, since `ss` need not be installed.
port_busy() {
	local hex
	hex=$(printf ':%04X' "$1")
	awk -v port="$hex" 'FNR > 1 && substr($2, length($2) - 4) == port && (FILENAME ~ /udp/ || $4 == "0A") { busy = 1 }
		END { exit !busy }' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null
}

# free_port WANTED STEP: the first free one from WANTED on.
free_port() {
	local port=$1
	while port_busy "$port"; do
		port=$((port + $2))
		[ $port -lt 65000 ] || die "No free port was found above $1."
	done
	echo "$port"
}

# pid_of_server: the nexusd that `make run` started on this state folder, if it is alive.
pid_of_server() {
	local pid
	pid=$(cat "$state/nexusd.pid" 2>/dev/null) || return 1
	[ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "nexusd --state $state " && echo "$pid"
}

# url_of_server: where it serves, from its own ready line.
url_of_server() { sed -n 's/.*nexusd ready on \(http:[^ ]*\).*/\1/p' "$state/nexusd.log" | tail -n 1; }
