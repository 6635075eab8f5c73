#!/bin/sh
# OpenSSH 9.2p1: of several `SetEnv` lines only the first counts, at the client and at the server, while
# `SendEnv` and `AcceptEnv`, which they work beside, add up line by line.
#
# Who adds a variable with a second `SetEnv` line, as the words beside it are used, sets nothing, and nobody
# says so: sshd -t accepts the file, and the session starts without it. All variables have to stand behind one
# `SetEnv`. A `SetEnv` in a file that is included before hides every later one in the same way.
#
# Seen with Debian 12's openssh packages on amd64. Unpacks them in a temporary folder, lets both programs tell
# how they read their files, and fails if the behaviour has changed. sshd -T wants to run as root.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
version=1:9.2p1-2+deb12u10
(cd "$folder" && apt-get download -qq openssh-server="$version" openssh-client="$version" >/dev/null 2>&1 &&
  for package in *.deb; do dpkg -x "$package" .; done)
"$folder/usr/bin/ssh-keygen" -q -t ed25519 -N '' -f "$folder/host"
mkdir -p /run/sshd

cat >"$folder/sshd_config" <<CONFIG
HostKey $folder/host
SetEnv ONE=1
SetEnv TWO=2
AcceptEnv ONE
AcceptEnv TWO
CONFIG
cat >"$folder/ssh_config" <<CONFIG
Host *
  SetEnv ONE=1
  SetEnv TWO=2
  SendEnv ONE
  SendEnv TWO
CONFIG
"$folder/usr/sbin/sshd" -t -f "$folder/sshd_config"

failed=0
check() { # name, words expected; what was read comes on stdin
  read=$(grep -iE '^(setenv|sendenv|acceptenv) ' | tr '[:upper:]' '[:lower:]' | sort | tr '\n' ',')
  echo "$1: $read"
  [ "$read" = "$2" ] || failed=1
}
"$folder/usr/sbin/sshd" -T -f "$folder/sshd_config" |
  { check server "acceptenv one,acceptenv two,setenv one=1,"; exit "$failed"; } || failed=1
"$folder/usr/bin/ssh" -F "$folder/ssh_config" -G host |
  { check client "sendenv one,sendenv two,setenv one=1,"; exit "$failed"; } || failed=1
[ "$failed" = 0 ] || { echo "another behaviour than the one described"; exit 1; }
