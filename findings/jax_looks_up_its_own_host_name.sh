#!/usr/bin/env bash
# JAX over several processes needs a name for its own machine, whatever addresses it is given.
#
# `jax.distributed.initialize` gets the literal address of its coordinator, and every process reaches it.
# The first use of a device nevertheless fails where the machine's own host name does not resolve: the
# collectives of the CPU backend (gloo) look up what `hostname` says, to find out which address the others
# shall dial. The error names neither the host name nor that anything was looked up. With the name in the
# hosts file, the same two processes on the same machine add up what they hold.
#
# Seen with jax and jaxlib 0.10.2 on Python 3.11, x86-64; needs util-linux (unshare) and python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2
cat >"$folder/sum.py" <<'END'
import sys
import jax
jax.distributed.initialize("127.0.0.1:" + sys.argv[2], num_processes=2, process_id=int(sys.argv[1]))
from jax.experimental import multihost_utils
import jax.numpy as jnp
print(multihost_utils.process_allgather(jnp.array([jax.process_index() + 1.0])).sum())
END
cat >"$folder/pair.sh" <<'END'
hostname grid-nowhere
[ "$3" = unknown ] || { echo "127.0.0.1 localhost grid-nowhere" >"$1/hosts" && mount --bind "$1/hosts" /etc/hosts; }
for rank in 0 1; do
  JAX_PLATFORMS=cpu timeout 100 "$1/venv/bin/python" "$1/sum.py" "$rank" "$2" >"$1/out.$rank" 2>&1 &
done
wait
END
expect() { # what, wanted, seen
  printf '%-44s %s\n' "$1" "$3"
  [ "$2" = "$3" ] || { echo "CHANGED: was $2"; cat "$folder"/out.*; exit 1; }
}
pair() { unshare --map-root-user --uts --mount bash "$folder/pair.sh" "$folder" "$@"; }
pair 27391 unknown
expect "a host name that nobody knows, sums" 0 "$(cat "$folder"/out.* | grep -c '^3\.0$' || true)"
expect "what is said of it" "device.cc" "$(cat "$folder"/out.* | grep -o 'gloo/transport/tcp/device.cc' | head -n 1 | sed 's,.*/,,')"
pair 27392 known
expect "the same name in /etc/hosts, sums" 2 "$(cat "$folder"/out.* | grep -c '^3\.0$' || true)"
