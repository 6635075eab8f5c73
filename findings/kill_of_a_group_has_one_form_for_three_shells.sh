#!/bin/sh
# dash 0.5.12, bash 5.2 and BusyBox ash 1.35.0: of the four ways to write "signal this process group" only the
# oldest, `kill -TERM -PGID`, is taken by the `kill` of all three.
#
#                            dash   bash   ash
#   kill -TERM -PGID         yes    yes    yes
#   kill -TERM -- -PGID      no     yes    no     dash: "Illegal number: -", status 2
#   kill -s TERM -PGID       no     yes    yes    dash: "Illegal option", status 2
#   kill -s TERM -- -PGID    yes    yes    no     ash: "invalid number '--'"
#
# POSIX has the last one, and the guideline about options makes the second look the most careful; either signals
# nobody in one of two common /bin/sh. Who asks `kill -0 -- -PGID` whether a group lives hears "no" from two of
# the three while all of it lives.
#
# Seen with Debian 12's packages on amd64. Unpacks them in a temporary folder, asks a live group of its own for
# signal 0 in each form, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq dash=0.5.12-2 busybox=1:1.35.0-4+deb12u1+b1 bash=5.2.15-2+b13 \
  >/dev/null 2>&1 && for package in *.deb; do dpkg -x "$package" .; done)

cat >"$folder/script" <<'SCRIPT'
ask() { ( "$@" ) 2>/dev/null && printf 'yes ' || printf 'no '; }
ask kill -0 -$$
ask kill -0 -- -$$
ask kill -s 0 -$$
ask kill -s 0 -- -$$
SCRIPT

failed=0
check() { # name, answers expected; shell...
  name=$1 expected=$2
  shift 2
  said=$(setsid "$@" "$folder/script")
  echo "$name: $said"
  [ "$said" = "$expected " ] || failed=1
}
busybox=$folder/bin/busybox
[ -x "$busybox" ] || busybox=$folder/usr/bin/busybox
shell() { [ -x "$folder/bin/$1" ] && echo "$folder/bin/$1" || echo "$folder/usr/bin/$1"; }
check dash "yes no no yes" "$(shell dash)"
check bash "yes yes yes yes" "$(shell bash)"
check ash "yes no yes no" "$busybox" ash
[ "$failed" = 0 ] || { echo "another behaviour than the one described"; exit 1; }
