#!/usr/bin/env bash
# Debian's bash reads ~/.bashrc before `bash -c COMMAND` too, where a variable of sshd is there and it believes to be
# the first shell: whatever that file prints comes before what the command prints.
#
# bash(1) says that it does so "when being executed with its standard input connected to a network connection". How it
# tells is a choice of who builds it (SSH_SOURCE_BASHRC): Debian's looks for SSH_CLIENT or SSH2_CLIENT, and for a SHLVL
# below 2, and neither at the input nor at whether anybody is there. A program that a login started long ago,
# without a shell in between that counts, hands both on: a `bash -c` that it runs for a line of work is taken for a
# login. `dash`, and `bash --norc`, read nothing.
#
# Seen with bash 5.2.15 (Debian 12): what three spellings of one command print. It needs Debian's or Ubuntu's bash.
set -euo pipefail
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
echo 'echo a greeting' >"$home/.bashrc"
said() {
  env -i PATH="$PATH" HOME="$home" "$@" </dev/null | tr '\n' ' '
}
first=$(said SSH_CLIENT="192.0.2.1 1 22" SHLVL=0 bash -c 'echo 42')
second=$(said SSH_CLIENT="192.0.2.1 1 22" SHLVL=1 bash -c 'echo 42')
norc=$(said SSH_CLIENT="192.0.2.1 1 22" SHLVL=0 bash --norc -c 'echo 42')
alone=$(said SHLVL=0 bash -c 'echo 42')
bash --version | head -n 1
echo "the first shell, SSH_CLIENT set: $first"
echo "the second:                      $second"
echo "the first, --norc:               $norc"
echo "the first, no SSH_CLIENT:        $alone"
[ "$first" = "a greeting 42 " ] && [ "$second" = "42 " ] && [ "$norc" = "42 " ] && [ "$alone" = "42 " ]
