#!/bin/bash
# Installs the Debian packages of the named groups (see debian-packages.txt) that are missing, and nothing else.
# Starts no service, stops none, removes no package. Usage: install-deps.sh [-n] GROUP...   (-n: only say what is missing)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
list=$here/debian-packages.txt
guard=/usr/sbin/policy-rc.d
mark='# nexusvoip: no service starts while packages are installed'

die() {
	echo "install-deps: $*" >&2
	exit 1
}

only_say=no
if [ "${1:-}" = -n ]; then
	only_say=yes
	shift
fi
[ $# -gt 0 ] || die "name the groups to install: $(awk '/^[a-z]/ { print $1 }' "$list" | sort -u | tr '\n' ' ')"

have() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

command -v dpkg-query >/dev/null || die "this is not a Debian system: install the packages named in $list by their names here"
missing=()
for group in "$@"; do
	names=$(awk -v g="$group" '$1 == g { print $2 }' "$list")
	[ -n "$names" ] || die "there is no group \"$group\" in $list"
	for package in $names; do
		have "$package" || missing+=("$package")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "Missing packages: ${missing[*]}"
[ $only_say = no ] || exit 1

# Root by itself, or by sudo; without a terminal sudo must not ask.
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || die "run this as root: apt-get install ${missing[*]}"
	as_root=(sudo)
	[ -t 0 ] || as_root=(sudo -n)
	"${as_root[@]}" true || die "sudo refused; run this as root: apt-get install ${missing[*]}"
fi

# A fresh package must not start its service: policy-rc.d says so to every package script, and is put back as it was.
saved=
restore() {
	if [ -n "$saved" ]; then
		"${as_root[@]}" mv -f "$saved" $guard
	elif grep -qs "$mark" $guard; then
		"${as_root[@]}" rm -f $guard
	fi
}
trap restore EXIT
trap 'exit 1' HUP INT TERM
if [ -e $guard.nexusvoip-saved ]; then # an earlier run was killed in between
	saved=$guard.nexusvoip-saved
elif [ -e $guard ] && ! grep -qs "$mark" $guard; then
	"${as_root[@]}" cp -a $guard $guard.nexusvoip-saved
	saved=$guard.nexusvoip-saved
fi
printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | "${as_root[@]}" tee $guard.new >/dev/null
"${as_root[@]}" chmod 755 $guard.new
"${as_root[@]}" mv -f $guard.new $guard

kamailio_is_new=no
case " ${missing[*]} " in
*" kamailio "*) kamailio_is_new=yes ;;
esac

apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@" </dev/null
}
apt update || echo "install-deps: apt-get update failed; trying with the package lists at hand" >&2
apt install --no-install-recommends --no-remove "${missing[@]}" ||
	die "apt-get could not install: ${missing[*]}. Its message above says why; \"apt-get install ${missing[*]}\" repeats it."

# Debian enables Kamailio's own service for the next boot. Nobody asked for that one: ours is started by the gateway.
if [ $kamailio_is_new = yes ]; then
	"${as_root[@]}" update-rc.d kamailio disable >/dev/null 2>&1 || true
	echo "Kamailio's own system service was left switched off (update-rc.d kamailio enable brings it back)."
fi
