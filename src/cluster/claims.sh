# shellcheck shell=sh disable=SC2034
# Who holds which GPU. A claim is a file named after the GPU, the process (number and start, so that a
# reused number does not revive it) and its group; it counts while it has content and its process lives,
# so nothing has to be taken back when a job ends, however it ends.

grid_lease_dir=${GRID_LEASE_DIR:-/tmp/grid-gpu-leases}

# Takes a claim's name apart: grid_pid, grid_since, grid_of.
grid_lease_read() {
  grid_rest=${1##*/}
  grid_rest=${grid_rest#*@}
  grid_pid=${grid_rest%%@*}
  grid_rest=${grid_rest#*@}
  grid_since=${grid_rest%%@*}
  grid_of=${grid_rest#*@}
}

# Whether a process that started at that tick lives; sets grid_born, its true start.
grid_lease_lives() {
  if read -r grid_stat 2>/dev/null <"/proc/$1/stat"; then
    grid_wanted=$2
    # shellcheck disable=SC2086
    set -- ${grid_stat##*) }
    grid_born=${20}
    case $1 in Z | X) return 1 ;; esac
    [ "$grid_born" = "$grid_wanted" ]
  else
    # No /proc, or one that hides the processes of others.
    grid_born=0
    case $(LC_ALL=C && kill -0 "$1" 2>&1) in '' | *ermitted*) ;; *) return 1 ;; esac
  fi
}
