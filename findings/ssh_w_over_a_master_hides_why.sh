#!/bin/sh
# OpenSSH 9.2p1: `ssh -W` over a ControlMaster says the same where nobody listens on the port and where the
# server forbids forwarding, and exits with the same code.
#
# The protocol tells them apart (RFC 4254, 5.1: reason 2, connect failed, and reason 1, administratively
# prohibited), and `ssh -W` with a connection of its own prints the server's words for each: "open failed:
# connect failed: Connection refused" and "open failed: administratively prohibited: open failed". Over a
# master both are "Stdio forwarding request failed: Session open refused by peer". Whoever wants to take
# another way where forwarding is forbidden cannot see it there.
#
# Seen with Debian 12's openssh packages on amd64. Unpacks them in a temporary folder, starts two servers on
# loopback as the current account, and fails if the behaviour has changed. Needs root, as Debian's sshd wants
# its folder for privilege separation.
set -eu

folder=$(mktemp -d)
server_pids=
end() {
  for pid in $server_pids; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end EXIT
chmod 755 "$folder"
version=1:9.2p1-2+deb12u10
(cd "$folder" && apt-get download -qq openssh-server="$version" openssh-client="$version" >/dev/null 2>&1 &&
  for package in *.deb; do dpkg -x "$package" .; done)
ssh=$folder/usr/bin/ssh
mkdir -p /run/sshd
"$folder/usr/bin/ssh-keygen" -q -t ed25519 -N '' -f "$folder/host"
"$folder/usr/bin/ssh-keygen" -q -t ed25519 -N '' -f "$folder/user"
cp "$folder/user.pub" "$folder/authorized"
chmod 600 "$folder/authorized"

serve() { # name, port, AllowTcpForwarding
  cat >"$folder/sshd_$1" <<CONFIG
Port $2
ListenAddress 127.0.0.1
HostKey $folder/host
AuthorizedKeysFile $folder/authorized
StrictModes no
UsePAM no
AllowTcpForwarding $3
PidFile none
CONFIG
  "$folder/usr/sbin/sshd" -D -f "$folder/sshd_$1" -E "$folder/log_$1" &
  server_pids="$server_pids $!"
  cat >>"$folder/config" <<CONFIG
Host $1
  HostName 127.0.0.1
  Port $2
  IdentityFile $folder/user
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
CONFIG
}
serve allows 20221 yes
serve forbids 20222 no
sleep 1

say() { # name, options: the first line about a failure that ssh -W prints, and its code; nobody listens there
  name=$1
  shift
  code=0
  "$ssh" -F "$folder/config" "$@" -W 127.0.0.1:20223 "$name" </dev/null >"$folder/out" 2>&1 || code=$?
  echo "$(grep -m 1 failed "$folder/out" | tr -d '\r') ($code)"
}

for name in allows forbids; do
  "$ssh" -F "$folder/config" -M -S "$folder/cm_$name" -fN "$name" 2>/dev/null
done
own_refused=$(say allows)
own_forbidden=$(say forbids)
over_refused=$(say allows -S "$folder/cm_allows")
over_forbidden=$(say forbids -S "$folder/cm_forbids")
for name in allows forbids; do
  "$ssh" -F "$folder/config" -S "$folder/cm_$name" -O exit "$name" 2>/dev/null
done

"$ssh" -V
echo "own connection, nobody listens:  $own_refused"
echo "own connection, forbidden:       $own_forbidden"
echo "over a master, nobody listens:   $over_refused"
echo "over a master, forbidden:        $over_forbidden"
[ "$own_refused" != "$own_forbidden" ] && [ "$over_refused" = "$over_forbidden" ]
