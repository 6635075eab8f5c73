#!/bin/sh
# dash 0.5.12 and BusyBox ash 1.35.0: a function in the background holds a descriptor that it closes.
#
# `listen 8>&- &` gives the function no descriptor 8, but a copy of it stays open in the same process at
# a higher number, kept to restore what nobody will ask for. A reader of a pipe that closes its own
# writing end like this waits for its own end for ever; who waits for the end of a pipe waits for a
# process that seems to have let go. bash 5.2 keeps no copy. `{ exec 8>&- && listen; } &` keeps none in
# any of the three.
#
# Seen with Debian 12's packages on amd64. Unpacks them in a temporary folder, counts open ends of a
# named pipe in /proc, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq dash=0.5.12-2 busybox=1:1.35.0-4+deb12u1+b1 \
  bash=5.2.15-2+b13 >/dev/null 2>&1 && for package in *.deb; do dpkg -x "$package" .; done)
mkfifo "$folder/pipe"

cat >"$folder/script" <<'SCRIPT'
exec 8<>"$1"
listen() { sleep 1; }
listen 8>&- & by_function=$!
{ exec 8>&- && listen; } & by_exec=$!
sleep 0.3
for process in "$by_function" "$by_exec"; do
  count=0
  for descriptor in /proc/"$process"/fd/*; do
    [ "$(readlink "$descriptor")" != "$1" ] || count=$((count + 1))
  done
  printf '%s ' "$count"
done
wait
SCRIPT

failed=0
check() { # name, expected counts: redirected function, exec in a group; shell...
  name=$1 expected=$2
  shift 2
  found=$("$@" "$folder/script" "$folder/pipe")
  echo "$name: copies held by the function, and by the group: ${found% }"
  [ "$found" = "$expected " ] || failed=1
}
find_program() {
  for at in "$folder/bin/$1" "$folder/usr/bin/$1"; do
    [ ! -x "$at" ] || echo "$at"
  done | head -n 1
}
check dash '1 0' "$(find_program dash)"
check busybox '1 0' "$(find_program busybox)" ash
check bash '0 0' "$(find_program bash)"
exit "$failed"
