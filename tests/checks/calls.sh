#!/bin/bash
# The library never prints, exits, aborts, reads the environment or touches signals: looked up in the undefined symbols
# of its objects, so that comments and texts do not matter. Usage: calls.sh OBJECT_FOLDER
set -euo pipefail
objects=$1
forbidden='printf|vprintf|puts|putchar|perror|__printf_chk|__vprintf_chk|stdout|stderr|stdin|exit|_exit|_Exit|quick_exit|abort|__assert_fail|getenv|secure_getenv|setenv|putenv|signal|sigaction|sigprocmask|pthread_sigmask|raise|system|popen|gets|strcpy|strcat|sprintf|environ'
# FILE SYMBOL: what is allowed, and why.
allowed='
loop/loop.c sigaction          libre_init() replaces the SIGPIPE handler; the host gets its own back
engine/engine.c pthread_sigmask  the thread of nxv_start() takes no signal meant for the host
'
found=0 count=0
while read -r object; do
	count=$((count + 1))
	file=${object#"$objects"/}
	file=${file%.o}
	for symbol in $(nm -u "$object" | awk '{ print $2 }' | grep -xE "$forbidden" || true); do
		awk -v f="$file" -v s="$symbol" '$1 == f && $2 == s { ok = 1 } END { exit !ok }' <<<"$allowed" && continue
		echo "lib/$file uses $symbol" >&2
		found=1
	done
done < <(find "$objects" -name '*.c.o' | sort)
[ $count -gt 0 ] || { echo "no objects below $objects" >&2; exit 1; }
[ $found -eq 0 ] && echo "calls: $count objects clean"
exit $found
