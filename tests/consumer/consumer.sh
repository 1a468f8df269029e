#!/bin/bash
# Installs the build into a private prefix, or builds one program against that prefix with pkg-config and runs it.
# Usage: consumer.sh BUILD WORK SOURCE install | build_and_run COMPILER OPTION... FILE
set -euo pipefail
build=$1 work=$2 source=$3 action=$4
shift 4
prefix=$work/prefix

if [ "$action" = install ]; then
	rm -rf "$prefix"
	cmake --install "$build" --prefix "$prefix" >"$work/install.log"
	for file in include/nexusvoip/nexusvoip.h bin/nexusctl bin/nexusd; do
		[ -e "$prefix/$file" ] || { echo "not installed: $file"; exit 1; }
	done
	# What was installed must work where it lies: no path into the build tree is left in it.
	unset LD_LIBRARY_PATH
	"$prefix/bin/nexusctl" version
	! grep -rIlF "$build" "$prefix" || { echo "the files above name the build folder"; exit 1; }
	for file in "$prefix"/bin/*; do
		! readelf -d "$file" | grep -E 'R(UN)?PATH' | grep -F "$build" || { echo "$file looks for libraries in the build folder"; exit 1; }
	done
	exit 0
fi

compiler=$1
command -v "$compiler" >/dev/null || { echo "SKIPPED: there is no $compiler here"; exit 77; }
file=${!#}
options=("${@:2:$#-2}")
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name nexusvoip.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir nexusvoip)
program=$work/${file%.*}
read -ra flags < <(pkg-config --cflags --libs nexusvoip)
# Without -L for what the library itself uses: its dependencies are its own business.
"$compiler" -Wall -Wextra -Werror "${options[@]}" "$source/$file" -o "$program" "${flags[@]}"
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
LD_LIBRARY_PATH=$libdir "$program" "$state/state" "$(pkg-config --modversion nexusvoip)"
