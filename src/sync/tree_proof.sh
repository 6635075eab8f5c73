# shellcheck shell=sh disable=SC2030,SC2031,SC2034,SC2154
# Proves that a tree is a run's. Read together with `tree.sh`, whose words it uses.

# grid_tree_prove STATE FOLDER DIGEST RUN "RUN ..." SILENCE ABOUT ROOT FILES [PATTERN]...: 0 where the tree
# holds the run's code and nobody else's run may change it; it is pinned then. FILES is "files" where each
# file is looked at too; paths that match a pattern may differ. Otherwise prints why, and whose is there.
grid_tree_prove() {
  grid_state=$1 grid_folder=$2 grid_code=$3 grid_run=$4 grid_mine="$4 $5" grid_files=$9
  grid_tree_now
  grid_tree_hold "$@" || return 1
  shift 9
  grid_tries=0
  while [ -d "$grid_state/pending" ] && [ "$grid_tries" -lt 100 ]; do
    grid_tries=$((grid_tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
  done
  grid_tree_digest "$grid_state"
  if [ "$grid_digest" != "$grid_code" ]; then
    grid_tree_deny other
  elif [ -d "$grid_state/pending" ]; then
    grid_tree_deny torn
  elif [ ! -d "$grid_folder" ]; then
    grid_tree_deny gone
  elif [ "$grid_files" = files ] && ! grid_tree_is_as_left "$grid_state" "$grid_folder"; then
    grid_edited=$(grid_tree_edited "$@")
    [ -z "$grid_edited" ] || grid_tree_deny edited
  fi
}

# The pin is there as long as anybody saw the run alive; where it is gone, others may have come.
grid_tree_hold() {
  if [ -f "$grid_state/pins/$grid_run" ]; then
    grid_tree_beat "$grid_state/pins/$grid_run" "$grid_code" "$6"
    return
  fi
  grid_tree_lock "$8" || { grid_tree_deny locked; return 1; }
  grid_held=
  if [ ! -d "$grid_state" ]; then
    grid_held=gone
  else
    grid_tree_others "$grid_state" "$grid_mine"
    grid_tree_digest "$grid_state"
    if [ "$grid_digest" != "$grid_code" ] || ! grid_tree_are_of "$grid_code"; then
      grid_held=other
    else
      grid_tree_pin "$grid_state" "$grid_run" "$grid_code" "$6" "$7" || grid_held=locked
    fi
  fi
  grid_tree_unlock
  [ -z "$grid_held" ] || grid_tree_deny "$grid_held"
}

# grid_tree_deny KIND: prints it, who brought what is there, and the files that were changed.
grid_tree_deny() {
  grid_tree_owner "$grid_state"
  if [ -n "${grid_told-}" ]; then grid_tree_denial "$1" >|"$grid_told"; else grid_tree_denial "$1"; fi
  return 1
}

grid_tree_denial() {
  printf 'grid: tree %s\n%s\n' "$1" "$grid_about"
  [ "$1" != edited ] || printf '%s\n' "$grid_edited"
}

# grid_tree_edited [PATTERN]...: a few of the paths that are not as the sync left them.
grid_tree_edited() {
  cd "$grid_folder" || return
  grid_tree_rows "$grid_state/$grid_digest" | LC_ALL=C awk '
    function path(row) { sub(/^[^|]*\|[^|]*\|[^|]*\|/, "", row); return row }
    NR == FNR { was[$0] = 1; next }
    $0 in was { delete was[$0]; next }
    !told[path($0)]++ { print path($0) }
    END { for (row in was) if (!told[path(row)]++) print path(row) }
  ' "$grid_state/$grid_digest/stat" - | {
    grid_count=0
    while IFS= read -r grid_path; do
      ! grid_tree_matches "$@" || continue
      grid_count=$((grid_count + 1))
      [ "$grid_count" -gt 20 ] || printf '%s\n' "$grid_path"
    done
  }
}

grid_tree_matches() {
  for grid_pattern; do
    # shellcheck disable=SC2254
    case $grid_path in $grid_pattern) return 0 ;; esac
  done
  return 1
}

# grid_tree_begin JOB ARGUMENTS OF grid_tree_prove: in the shell of a job, before its script. JOB is "-" or
# a word for a job that outlives its runner.
grid_tree_begin() {
  grid_for=$1 grid_told=$GRID_OUTPUT
  shift
  if ! grid_tree_prove "$@"; then exit 75; fi
  if [ "$grid_for" != - ]; then
    grid_tree_born "$$"
    printf '%s %s %s %s\n' "$$" "${grid_born:--}" "$grid_boot" "$grid_here" >"$grid_state/pins/$grid_run@$grid_for"
  fi
  unset grid_for grid_told grid_state grid_folder grid_code grid_run grid_mine grid_files grid_tries grid_digest \
    grid_edited grid_held grid_boot grid_now grid_here grid_rest grid_born grid_word grid_lock grid_locked \
    grid_others grid_other grid_pin grid_holder grid_pinned grid_at grid_silence grid_clock grid_job_pin \
    grid_pid grid_since grid_where grid_owner grid_about
  unset -f grid_tree_now grid_tree_born grid_tree_word grid_tree_lock grid_tree_take_lock grid_tree_unlock \
    grid_tree_lives grid_tree_works grid_tree_others grid_tree_are_of grid_tree_pin grid_tree_beat \
    grid_tree_rows grid_tree_digest grid_tree_is_as_left grid_tree_owner grid_tree_prove grid_tree_hold \
    grid_tree_deny grid_tree_denial grid_tree_edited grid_tree_matches grid_tree_begin
}
