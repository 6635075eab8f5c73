#!/bin/sh
# GNU parallel 20221122: in its job log a job that a signal ended has exit value 0, like one that succeeded.
#
# `Exitval` is 0 and `Signal` tells the truth beside it; a shell would say 128 plus the signal. What reads the
# log and counts lines whose exit value is 0 takes for done what the kernel killed for want of memory. A job that
# ran out of --timeout has exit value -1. parallel itself knows better: its own exit code counts all three, and
# --resume-failed runs them again.
#
# Seen with Debian's parallel 20221122+ds-2. Unpacks it in a temporary folder, runs four jobs of one line, and
# fails if the behaviour has changed.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download -qq parallel=20221122+ds-2 >/dev/null 2>&1 && dpkg -x parallel_*.deb .)
export HOME="$folder"
parallel() { perl "$folder/usr/bin/parallel" --will-cite --joblog "$folder/log" --timeout 2 "$@" 2>/dev/null; }

parallel ::: 'kill -KILL $$' 'exit 3' true 'sleep 20' && code=0 || code=$?
# Number, exit value, signal.
said=$(tail -n +2 "$folder/log" | sort -n | awk '{ print $1, $7, $8 }' | paste -sd,)
parallel --resume-failed ::: 'kill -KILL $$' 'exit 3' true 'sleep 20' || true
again=$(tail -n +6 "$folder/log" | cut -f1 | sort -n | paste -sd,)
echo "exit code $code; number, exit value, signal: $said; run again: $again"
if [ "$code $said $again" != '3 1 0 9,2 3 0,3 0 0,4 -1 15 1,2,4' ]; then
  echo "the behaviour has changed" >&2
  exit 1
fi
echo 'as it was seen'
