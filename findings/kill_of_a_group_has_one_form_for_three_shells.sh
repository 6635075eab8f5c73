#!/bin/sh
# dash 0.5.12, bash 5.2 and BusyBox ash 1.35.0: of the four ways to write "signal this process group" only the
# oldest, `kill -TERM -PGID`, both works and says so in all three.
#
#                            dash            bash   ash
#   kill -TERM -PGID         yes             yes    yes
#   kill -TERM -- -PGID      no, status 2    yes    signals, but status 1
#   kill -s TERM -PGID       no, status 2    yes    yes
#   kill -s TERM -- -PGID    yes             yes    signals, but status 1
#
# ash takes `--` for a process that it cannot find, says "invalid number '--'", and goes on to the group; dash
# says "Illegal number: -" and signals nobody. POSIX has the last form, and the guideline about options makes the
# second look the most careful. Who asks `kill -0 -- -PGID` whether a group lives hears "no" from two of the
# three while all of it lives.
#
# Seen with Debian 12's packages on amd64. Unpacks them in a temporary folder, signals a live group of its own
# in each form, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq dash=0.5.12-2 busybox=1:1.35.0-4+deb12u1+b1 bash=5.2.15-2+b13 \
  >/dev/null 2>&1 && for package in *.deb; do dpkg -x "$package" .; done)

# In a group of its own. For each form: its status, and whether the group was signalled.
cat >"$folder/script" <<'SCRIPT'
try() {
  got=
  "$@" 2>/dev/null && status=0 || status=$?
  printf '%s%s ' "$status" "${got:--}"
}
trap 'got=!' USR1
try kill -USR1 -$$
try kill -USR1 -- -$$
try kill -s USR1 -$$
try kill -s USR1 -- -$$
SCRIPT

failed=0
check() { # name, what is expected of the four forms; shell...
  name=$1 expected=$2
  shift 2
  said=$(setsid "$@" "$folder/script")
  echo "$name: $said"
  [ "$said" = "$expected " ] || failed=1
}
shell() { if [ -x "$folder/bin/$1" ]; then echo "$folder/bin/$1"; else echo "$folder/usr/bin/$1"; fi; }
check dash "0! 2- 2- 0!" "$(shell dash)"
check bash "0! 0! 0! 0!" "$(shell bash)"
check ash "0! 1! 0! 1!" "$(shell busybox)" ash
[ "$failed" = 0 ] || { echo "another behaviour than the one described"; exit 1; }
