#!/bin/sh
# OpenSSH 9.2: `ssh -G` prints some paths as ssh will use them and others as they were written.
#
# `ssh -G host` is the documented way to ask what ssh would do. It expands the tokens (%h, %d, …) of
# UserKnownHostsFile, IdentityAgent and ControlPath, but prints those of IdentityFile and
# CertificateFile raw, though ssh itself expands them when it opens the files. A program that takes
# the answer at its word looks for keys in a file whose name begins with "%d".
#
# Seen with Debian's openssh-client 1:9.2p1-2+deb12u*. Unpacks it in a temporary folder, asks about a
# configuration of its own, connects to nothing, and fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
version=$(apt-cache madison openssh-client | sed -nE 's/.*\| *(1:9\.2p1-2\+deb12u[0-9]+) .*/\1/p' | head -n 1)
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq "openssh-client=$version" >/dev/null 2>&1 &&
  dpkg -x openssh-client_*.deb .)

cat >"$folder/config" <<'C'
Host gpu
  HostName gpu.example
  UserKnownHostsFile /keys/%h.known
  IdentityAgent /keys/%h.agent
  ControlPath /keys/%h.mux
  IdentityFile /keys/%h.key
  CertificateFile /keys/%h-cert.pub
C
"$folder/usr/bin/ssh" -V
said=$("$folder/usr/bin/ssh" -G -F "$folder/config" gpu |
  grep -iE '^(userknownhostsfile|identityagent|controlpath|identityfile|certificatefile) ' | sort)
echo "$said"
expected='certificatefile /keys/%h-cert.pub
controlpath /keys/gpu.example.mux
identityagent /keys/gpu.example.agent
identityfile /keys/%h.key
userknownhostsfile /keys/gpu.example.known'
if [ "$said" != "$expected" ]; then
  echo "the behaviour has changed" >&2
  exit 1
fi
