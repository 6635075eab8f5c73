# shellcheck shell=sh disable=SC2154
# Read by the shell of a job before the job's own script: claims GPUs for as long as this process lives.
# Set by the caller: grid_wish, "<count> <group> <key>=<index>=<name>..." with the best GPU first; the
# name is what the maker's runtime knows it by.
#
# Claiming is: write the file, then look for others. Of two who do so at the same time at least one sees
# the other and withdraws; both may, and try again later. Claims of one group share a GPU.

grid_lease_claim() { # $1: key
  grid_claim=$grid_lease_dir/$1@$$@$grid_own@$grid_group
  { echo "${USER:-${LOGNAME:-?}} ${GRID_JOB:-?}" >|"$grid_claim"; } 2>/dev/null || return 1
  for grid_other in "$grid_lease_dir/$1@"*; do
    [ -s "$grid_other" ] || continue
    grid_lease_read "$grid_other"
    [ "$grid_of" != "$grid_group" ] || continue
    grid_lease_lives "$grid_pid" "$grid_since" || continue
    printf '' >|"$grid_claim"
    return 1
  done
}

grid_lease() { # $1: count, $2: group, then key=index=name...
  grid_count=$1 grid_group=$2
  shift 2
  [ -d "$grid_lease_dir" ] || mkdir -m 1777 "$grid_lease_dir" 2>/dev/null || [ -d "$grid_lease_dir" ] ||
    return 1
  grid_lease_lives "$$" -
  grid_own=$grid_born
  grid_tries=0
  while [ "$grid_tries" -lt 20 ]; do
    grid_tries=$((grid_tries + 1))
    GRID_GPUS='' grid_names='' grid_held=0
    for grid_pair in "$@"; do
      [ "$grid_held" -lt "$grid_count" ] || break
      grid_lease_claim "${grid_pair%%=*}" || continue
      grid_held=$((grid_held + 1))
      grid_names=$grid_names${grid_names:+,}${grid_pair##*=}
      grid_pair=${grid_pair#*=}
      GRID_GPUS=$GRID_GPUS${GRID_GPUS:+,}${grid_pair%=*}
    done
    [ "$grid_held" -lt "$grid_count" ] || return 0
    # Two who each hold half of what both need must not wait for each other.
    for grid_pair in "$@"; do
      grid_claim=$grid_lease_dir/${grid_pair%%=*}@$$@$grid_own@$grid_group
      [ ! -s "$grid_claim" ] || printf '' >|"$grid_claim"
    done
    # Differs between processes and between tries, so that they do not meet again and again.
    sleep "0.$((($$ * 7 + grid_tries * 13) % 20 + 10))" 2>/dev/null || sleep 1
  done
  return 1
}

# Removes what dead processes left, where it is ours, and what this one withdrew. An empty claim of a
# living process stays: it may be about to be written.
grid_lease_tidy() {
  for grid_other in "$grid_lease_dir/"*@*; do
    [ -O "$grid_other" ] || continue
    grid_lease_read "$grid_other"
    if [ "$grid_pid" = "$$" ]; then
      [ -s "$grid_other" ] || rm -f "$grid_other"
    elif ! grid_lease_lives "$grid_pid" "$grid_since"; then
      rm -f "$grid_other"
    fi
  done
}

# shellcheck disable=SC2086,SC2154
if grid_lease $grid_wish; then
  grid_lease_tidy
  # nvidia-smi counts by bus; CUDA by speed, unless told.
  export GRID_GPUS CUDA_DEVICE_ORDER=PCI_BUS_ID
  # HIP reads the one, then the other, and some programs refuse lists that differ.
  export CUDA_VISIBLE_DEVICES="$grid_names" HIP_VISIBLE_DEVICES="$grid_names"
  # These filter below and renumber: what an account's start-up files say must not shift the list.
  unset ROCR_VISIBLE_DEVICES GPU_DEVICE_ORDINAL
else
  # The words tell this end from one of the job's script, which may choose any code.
  echo 'grid: no gpu' >"$GRID_OUTPUT"
  exit 75
fi
unset grid_wish grid_lease_dir grid_stat grid_born grid_wanted grid_rest grid_pid grid_since grid_of \
  grid_group grid_claim grid_other grid_count grid_own grid_tries grid_held grid_pair grid_names
unset -f grid_lease grid_lease_read grid_lease_lives grid_lease_claim grid_lease_tidy
