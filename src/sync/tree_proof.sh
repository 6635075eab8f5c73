# shellcheck shell=sh disable=SC2030,SC2031,SC2034,SC2154
# Proves that a tree is a run's. Read together with `tree.sh`, whose words it uses.
#
# function: reads -> sets
#   grid_tree_prove: grid_digest -> grid_edited grid_folder grid_mine grid_run grid_tree_code grid_tree_files
#       grid_tree_state grid_tries
#   grid_tree_hold: grid_digest grid_mine grid_run grid_tree_code grid_tree_state -> grid_denied
#   grid_tree_deny: grid_denial_file grid_tree_state -> -
#   grid_tree_denial: grid_about grid_edited -> -
#   grid_tree_edited: grid_digest grid_folder grid_tree_state -> -
#   grid_tree_matches: grid_path -> grid_pattern
#   grid_tree_begin: GRID_OUTPUT grid_boot grid_born grid_here grid_run grid_tree_state -> grid_denial_file
#       grid_for

# grid_tree_prove STATE FOLDER DIGEST RUN "RUN ..." SILENCE ABOUT ROOT FILES [PATTERN]...: 0 where the tree
# holds the run's code and nobody else's run may change it; it is pinned then. FILES is "files" where each
# file is looked at too; paths that match a pattern may differ. Otherwise prints why, and whose is there.
grid_tree_prove() {
  grid_tree_state=$1 grid_folder=$2 grid_tree_code=$3 grid_run=$4 grid_mine="$4 $5" grid_tree_files=$9
  grid_tree_now
  grid_tree_hold "$@" || return 1
  shift 9
  grid_tries=0
  while [ -d "$grid_tree_state/pending" ] && [ "$grid_tries" -lt 100 ]; do
    grid_tries=$((grid_tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
  done
  grid_tree_digest "$grid_tree_state"
  if [ "$grid_digest" != "$grid_tree_code" ]; then
    grid_tree_deny other
  elif [ -d "$grid_tree_state/pending" ]; then
    grid_tree_deny torn
  elif [ ! -d "$grid_folder" ]; then
    grid_tree_deny gone
  elif [ "$grid_tree_files" = files ] && ! grid_tree_is_as_left "$grid_tree_state" "$grid_folder"; then
    grid_edited=$(grid_tree_edited "$@")
    [ -z "$grid_edited" ] || grid_tree_deny edited
  fi
}

# The pin is there as long as anybody saw the run alive; where it is gone, others may have come.
grid_tree_hold() {
  if [ -f "$grid_tree_state/pins/$grid_run" ]; then
    grid_tree_beat "$grid_tree_state/pins/$grid_run" "$grid_tree_code" "$6"
    return
  fi
  grid_tree_lock "$8" || { grid_tree_deny locked; return 1; }
  grid_denied=
  if [ ! -d "$grid_tree_state" ]; then
    grid_denied=gone
  else
    grid_tree_others "$grid_tree_state" "$grid_mine"
    grid_tree_digest "$grid_tree_state"
    if [ "$grid_digest" != "$grid_tree_code" ] || ! grid_tree_are_of "$grid_tree_code"; then
      grid_denied=other
    else
      grid_tree_pin "$grid_tree_state" "$grid_run" "$grid_tree_code" "$6" "$7" || grid_denied=locked
    fi
  fi
  grid_tree_unlock
  [ -z "$grid_denied" ] || grid_tree_deny "$grid_denied"
}

# grid_tree_deny KIND: prints it, who brought what is there, and the files that were changed.
grid_tree_deny() {
  grid_tree_owner "$grid_tree_state"
  if [ -n "${grid_denial_file-}" ]; then grid_tree_denial "$1" >|"$grid_denial_file"; else grid_tree_denial "$1"; fi
  return 1
}

grid_tree_denial() {
  printf 'grid: tree %s\n%s\n' "$1" "$grid_about"
  [ "$1" != edited ] || printf '%s\n' "$grid_edited"
}

# grid_tree_edited [PATTERN]...: a few of the paths that are not as the sync left them.
grid_tree_edited() {
  cd "$grid_folder" || return
  grid_tree_rows "$grid_tree_state/$grid_digest" | LC_ALL=C awk '
    function path(row) { sub(/^[^|]*\|[^|]*\|[^|]*\|/, "", row); return row }
    NR == FNR { was[$0] = 1; next }
    $0 in was { delete was[$0]; next }
    !told[path($0)]++ { print path($0) }
    END { for (row in was) if (!told[path(row)]++) print path(row) }
  ' "$grid_tree_state/$grid_digest/stat" - | {
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
  grid_for=$1 grid_denial_file=$GRID_OUTPUT
  shift
  if ! grid_tree_prove "$@"; then exit 75; fi
  if [ "$grid_for" != - ]; then
    grid_tree_born "$$"
    printf '%s %s %s %s\n' "$$" "${grid_born:--}" "$grid_boot" "$grid_here" >"$grid_tree_state/pins/$grid_run@$grid_for"
  fi
  unset grid_for grid_pattern grid_denial_file grid_tree_state grid_folder grid_tree_code grid_run grid_mine grid_tree_files grid_tries grid_digest \
    grid_edited grid_denied grid_boot grid_tree_time grid_here grid_rest grid_born grid_word grid_lock grid_locked \
    grid_other_runs grid_other grid_pin grid_holder grid_pinned grid_at grid_silence grid_clock grid_job_pin \
    grid_pid grid_born_then grid_where grid_tree_project grid_about
  unset -f grid_tree_now grid_tree_born grid_tree_word grid_tree_lock grid_tree_take_lock grid_tree_unlock \
    grid_tree_lives grid_tree_works grid_tree_others grid_tree_are_of grid_tree_pin grid_tree_beat \
    grid_tree_rows grid_tree_digest grid_tree_is_as_left grid_tree_owner grid_tree_prove grid_tree_hold \
    grid_tree_deny grid_tree_denial grid_tree_edited grid_tree_matches grid_tree_begin
}
