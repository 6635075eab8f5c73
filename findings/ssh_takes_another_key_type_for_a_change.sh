#!/bin/sh
# OpenSSH 9.2p1: a host that shows a key of a type that known_hosts has not is "changed", and not "unknown".
#
# known_hosts has an Ed25519 key of a host; the server was set up anew and shows an RSA key only. ssh knows
# no RSA key that could have changed. Still it warns that the identification HAS CHANGED, calls the Ed25519
# line the offending one, and `StrictHostKeyChecking accept-new`, which takes keys of hosts that are new,
# refuses. Where known_hosts says nothing of the host, accept-new goes on. Whoever reads ssh's words to tell
# a host that nobody knows from one that somebody stands in for has to count this as the latter.
#
# Seen with Debian 12's openssh packages on amd64. Unpacks them in a temporary folder, starts one server on
# loopback, and fails if the behaviour has changed. Needs root, as Debian's sshd wants its folder for
# privilege separation.
set -eu

folder=$(mktemp -d)
server=
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap end EXIT
version=1:9.2p1-2+deb12u10
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq openssh-server="$version" openssh-client="$version" >/dev/null 2>&1 &&
  for package in *.deb; do dpkg -x "$package" .; done)
PATH=$folder/usr/bin:$PATH
mkdir -p /run/sshd
ssh-keygen -q -t rsa -b 3072 -N '' -f "$folder/host"
ssh-keygen -q -t ed25519 -N '' -f "$folder/earlier"
cat >"$folder/sshd_config" <<CONFIG
Port 20223
ListenAddress 127.0.0.1
HostKey $folder/host
StrictModes no
UsePAM no
PidFile none
CONFIG
"$folder/usr/sbin/sshd" -D -f "$folder/sshd_config" -E "$folder/log" &
server=$!
sleep 1

say() { # what ssh says of the host's key, with this known_hosts
  ssh -F none -p 20223 -o BatchMode=yes -o StrictHostKeyChecking=accept-new \
    -o UserKnownHostsFile="$1" -o GlobalKnownHostsFile=none 127.0.0.1 true 2>&1 |
    grep -o 'IDENTIFICATION HAS CHANGED\|Offending [A-Z0-9]* key\|Permanently added' | paste -sd ',' -
}
printf '[127.0.0.1]:20223 %s\n' "$(cut -d ' ' -f 1,2 "$folder/earlier.pub")" >"$folder/known"
: >"$folder/empty"

failed=0
expect() { # name, wanted, seen
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "CHANGED: was $2"; failed=1; }
}
expect "another type is known" "IDENTIFICATION HAS CHANGED,Offending ED25519 key" "$(say "$folder/known")"
expect "nothing is known" "Permanently added" "$(say "$folder/empty")"
exit "$failed"
